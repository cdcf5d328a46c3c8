/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX models become graphs.
 *
 * Operator sets 7 to 21 are read and brought to one form an op, that of opset 17 with axes, pads,
 * limits and sizes as inputs; docs/onnx.md has the table. What cannot be read faithfully is refused
 * by a sentence that starts with the file and, where there is one, the node: "m.onnx: node 'conv1'
 * (Conv): ...". */
#ifndef TSR_COMPILER_ONNX_H
#define TSR_COMPILER_ONNX_H

#include "compiler/graph/graph.h"

struct tsr_onnx_options {
  /* Values of symbolic dims, "NAME=VALUE" each; "INPUT[AXIS]=VALUE" gives a dim without a name. A
   * dim of axis 0, or named n, N or batch..., that is not given is 1; any other is refused. */
  const char *const *dims;
  int n_dims;
  const char *folder; /* where external data may lie, or below; NULL: external data is refused */
  size_t limit;       /* bytes of the model, and apart of all external data; 0: 2 GiB */
};

/* Imports the model in `bytes`, which may be freed on return. `name` starts every sentence.
 * Initializers and Constant nodes are the graph's constants; values of nodes are untyped until
 * tsr_graph_infer(). Everything lives in the arena. options may be NULL. On an error *out is
 * untouched. */
enum tsr_status tsr_onnx_import(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                const uint8_t *bytes, size_t size,
                                const struct tsr_onnx_options *options, struct tsr_graph **out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* From a graph to a module: the one column of calls that is the compiler. */
#ifndef TSR_COMPILER_COMPILE_H
#define TSR_COMPILER_COMPILE_H

#include "compiler/graph/graph.h"
#include "compiler/module.h"
#include "compiler/tune/tune.h"
#include "native/codegen.h"

struct tsr_compile_options {
  bool cpu_only; /* nothing on the accelerator: --target cpu */
  const struct tsr_layout *layout; /* of its tensors then; NULL: as CPUs want them */
  bool sets_floats;           /* the graph's floats become: */
  enum tsr_dtype float_dtype; /* f16, bf16 or f32 */
  bool tf32;                  /* products of f32 matrices may be rounded to tf32, where a target has it */
  /* Called (when not NULL) with the text of each stage as it comes to be: stage is "graph", "tir",
   * "schedule" or "stream"; name is the pass (graph) or the layer. */
  void (*dump)(void *context, const char *stage, const char *name, const char *text);
  void *context;
  struct tsr_tune_options tune; /* how schedules are looked for */
  bool apart;                   /* every node is a layer of its own: nothing stays on the chip */
  const struct tessera_codegen *codegen; /* machine code for the CPU's layers; NULL: none */
  unsigned levels;                       /* for these, by enum tsr_level */
  const struct tessera_codegen *cuda_codegen; /* GPU kernels for the CPU's layers; NULL: none */
  int archs;                                  /* for these, in the order of their names */
  const struct tsr_gpu_arch *arch;
  bool code_for_all; /* code and kernels for the accelerator's layers, too */
  const char *layer;            /* NULL, or the layer that gets the schedule with this text: */
  const char *schedule;
};

/* g is changed: optimized, blocked. The module lives in the arena. Every stream has passed
 * verify/verify.h. */
enum tsr_status tsr_compile_graph(struct tsr_arena *a, struct tsr_err *err, struct tsr_graph *g,
                                  const struct tsr_design *design,
                                  const struct tsr_compile_options *options, struct tsr_module **out);

#endif

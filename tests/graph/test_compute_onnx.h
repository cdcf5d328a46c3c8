/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded runs of ONNX models: a model file, and folders with input_K.pb and output_K.pb. */
#ifndef TSR_TESTS_GRAPH_TEST_COMPUTE_ONNX_H
#define TSR_TESTS_GRAPH_TEST_COMPUTE_ONNX_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "compiler/graph/graph.h"
#include "compiler/onnx/onnx.h"
#include "compiler/onnx/tensorproto.h"

enum { MOST_TENSORS = 32, FILE_LIMIT = 1 << 28 };

struct recorded {
  int inputs, outputs;
  struct tsr_tensor input[MOST_TENSORS], output[MOST_TENSORS];
};

/* Reads FOLDER/KIND_0.pb, KIND_1.pb, ... as many as there are. */
static inline enum tsr_status recorded_tensors(struct tsr_arena *a, struct tsr_err *err,
                                               const char *folder, const char *kind,
                                               struct tsr_tensor *out, int *count)
{
  for (*count = 0; *count < MOST_TENSORS; ++*count) {
    char *path = tsr_arena_printf(a, "%s/%s_%d.pb", folder, kind, *count);
    struct tsr_bytes bytes;
    if (access(path, R_OK))
      return TSR_OK;
    if (tsr_file_read(a, err, path, FILE_LIMIT, &bytes) ||
        tsr_tensorproto_read(a, err, path, bytes.data, bytes.size, &out[*count], NULL))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

static inline enum tsr_status recorded_read(struct tsr_arena *a, struct tsr_err *err,
                                            const char *folder, struct recorded *r)
{
  if (recorded_tensors(a, err, folder, "input", r->input, &r->inputs))
    return TSR_REFUSED;
  return recorded_tensors(a, err, folder, "output", r->output, &r->outputs);
}

/* The recorded shapes stand where the model leaves dims open. Inputs from `first` on become
 * constants: these models take shapes, axes and the like as inputs. */
static inline void recorded_bind(struct tsr_graph *g, const struct recorded *run, int first)
{
  for (int k = 0; k < g->inputs; k++) {
    struct tsr_value *v = g->input[k];
    v->rank = run->input[k].rank;
    memcpy(v->dims, run->input[k].dims, sizeof v->dims);
    v->data = k < first ? NULL : run->input[k].data;
  }
  g->inputs = first < g->inputs ? first : g->inputs;
}

/* Ops that did not change between an older operator set and 7 are tested as of 7, the oldest that
 * is read: what did change has attributes that the importer refuses. The number is the model's last
 * byte. */
static inline void raise_opset(struct tsr_bytes *model)
{
  static const char *const ends[] = {"\x42\x02\x10", "\x42\x04\x0a\x00\x10"};
  static const size_t sizes[] = {3, 5};
  for (int k = 0; k < 2; k++)
    if (model->size > sizes[k] && model->data[model->size - 1] < 7 &&
        !memcmp(model->data + model->size - 1 - sizes[k], ends[k], sizes[k]))
      model->data[model->size - 1] = 7;
}

static inline enum tsr_status import_file(struct tsr_arena *a, struct tsr_err *err,
                                          const char *path, struct tsr_graph **g)
{
  struct tsr_bytes bytes;
  if (tsr_file_read(a, err, path, FILE_LIMIT, &bytes))
    return TSR_REFUSED;
  raise_opset(&bytes);
  return tsr_onnx_import(a, err, path, bytes.data, bytes.size, NULL, g);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A model of f32 as one of halves, and as one of f32 whose numbers are all values of the half. */
#ifndef TSR_TESTS_GRAPH_HALVES_H
#define TSR_TESTS_GRAPH_HALVES_H

#include "tests/graph/test_compute_onnx.h"

/* t's elements, rounded to `half`, as `dtype`. */
static inline struct tsr_tensor halves_of(struct tsr_arena *a, struct tsr_tensor t,
                                          enum tsr_dtype half, enum tsr_dtype dtype)
{
  struct tsr_tensor out = t, one = {.dtype = half, .data = (uint64_t[1]){0}};
  out.dtype = dtype;
  out.data = tsr_arena_alloc(a, tsr_tensor_bytes(&out) + 1);
  for (int64_t i = 0; i < tsr_tensor_count(&t); i++) {
    tsr_put_float(&one, 0, tsr_get_float(&t, i));
    tsr_put_float(&out, i, tsr_get_float(&one, 0));
  }
  return out;
}

/* Constants and inputs of f32 become `dtype`; so do the recorded inputs. The graph has no other types yet. */
static inline void make_halves(struct tsr_arena *a, struct tsr_graph *g, struct recorded *run,
                               enum tsr_dtype half, enum tsr_dtype dtype)
{
  for (int i = 0; i < run->inputs; i++)
    if (run->input[i].dtype == TSR_F32)
      run->input[i] = halves_of(a, run->input[i], half, dtype);
  for (int i = 0; i < g->values; i++) {
    struct tsr_value *v = g->value[i];
    if (!v->typed || v->dtype != TSR_F32)
      continue;
    if (v->data)
      v->data = halves_of(a, tsr_value_tensor(v), half, dtype).data;
    v->dtype = dtype;
  }
}

#endif

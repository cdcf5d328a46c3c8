/* SPDX-License-Identifier: Apache-2.0 */
/* The intrinsics of NVIDIA's tensor cores, parsed from cuda.def. */
#include <assert.h>
#include <string.h>

#include "tensorize/cuda.h"
#include "tensorize/intrin.h"

static const struct row {
  const char *name, *dtype;
  enum tsr_cuda_op op;
  bool accumulates;
  const char *text;
} rows[] = {
#define TSR_CUDA_INTRIN(name, op, dtype, accumulates, text)                                        \
  {name, #dtype, TSR_CUDA_##op, accumulates, text},
#include "tensorize/cuda.def"
#undef TSR_CUDA_INTRIN
};

enum { ROWS = sizeof rows / sizeof rows[0], ROW_BYTES = 32 };

static const char *fill_in(struct tsr_arena *a, const struct row *row)
{
  struct tsr_text t = {.arena = a};
  enum tsr_dtype dtype = TSR_I8;
  bool known = tsr_dtype_from_name(row->dtype, &dtype);
  assert(known);
  (void)known;
  for (const char *c = row->text; *c; c++) {
    if (c[0] != '$') {
      tsr_text_add_bytes(&t, c, 1);
      continue;
    }
    c++;
    if (*c == 'T')
      tsr_text_add(&t, "%s", row->dtype);
    else if (*c == 'S')
      tsr_text_add(&t, "%s", dtype == TSR_I8 ? "i32" : "f32");
    else
      tsr_text_add(&t, "%d", ROW_BYTES / (int)tsr_dtype_bytes(dtype));
  }
  return t.data;
}

/* Of the sums of an mma. */
static int lane_of_sum(int64_t row, int64_t column)
{
  return (int)(row % 8 * 4 + column / 2 % 4);
}

const struct tsr_intrin_set *tsr_cuda_intrinsics(struct tsr_arena *a)
{
  struct tsr_intrin_set *set = tsr__intrin_set(a, ROWS);
  for (int k = 0; k < ROWS; k++) {
    struct tir_intrin *intrin =
        tsr__intrin_add(a, set, rows[k].name, fill_in(a, &rows[k]), rows[k].accumulates);
    intrin->lane = rows[k].accumulates ? lane_of_sum : NULL;
  }
  return set;
}

enum tsr_cuda_op tsr_cuda_intrin_op(const struct tir_intrin *intrin)
{
  int k = 0;
  while (strcmp(rows[k].name, intrin->name))
    k++;
  return rows[k].op;
}

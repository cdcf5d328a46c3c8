/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tensor.h"

#include <stdio.h>
#include <string.h>

#include "base/half.h"

static const struct {
  const char *name, *npy;
  size_t bytes;
  enum tsr_dtype_kind kind;
  int onnx;
} dtypes[] = {
#define TSR_DTYPE(id, text, size, class, descr, number)                                            \
  {text, descr, size, TSR_KIND_##class, number},
#include "base/dtypes.def"
#undef TSR_DTYPE
};

const char *tsr_dtype_name(enum tsr_dtype dtype)
{
  return dtypes[dtype].name;
}

size_t tsr_dtype_bytes(enum tsr_dtype dtype)
{
  return dtypes[dtype].bytes;
}

enum tsr_dtype_kind tsr_dtype_kind(enum tsr_dtype dtype)
{
  return dtypes[dtype].kind;
}

const char *tsr_dtype_npy(enum tsr_dtype dtype)
{
  return dtypes[dtype].npy;
}

int tsr_dtype_onnx(enum tsr_dtype dtype)
{
  return dtypes[dtype].onnx;
}

bool tsr_dtype_is_half(enum tsr_dtype dtype)
{
  return dtype == TSR_F16 || dtype == TSR_BF16;
}

bool tsr_dtype_from_name(const char *name, enum tsr_dtype *out)
{
  for (int i = 0; i < TSR_DTYPE_COUNT; i++)
    if (!strcmp(dtypes[i].name, name)) {
      *out = (enum tsr_dtype)i;
      return true;
    }
  return false;
}

bool tsr_dtype_from_onnx(int onnx, enum tsr_dtype *out)
{
  for (int i = 0; i < TSR_DTYPE_COUNT; i++)
    if (dtypes[i].onnx == onnx) {
      *out = (enum tsr_dtype)i;
      return true;
    }
  return false;
}

int64_t tsr_count(const int64_t *dims, int rank, size_t element)
{
  int64_t bytes = (int64_t)element, count = 1;
  for (int i = 0; i < rank; i++)
    if (dims[i] == 0)
      return 0;
  for (int i = 0; i < rank; i++) {
    if (dims[i] < 0 || __builtin_mul_overflow(bytes, dims[i], &bytes))
      return -1;
    count *= dims[i];
  }
  return count;
}

int64_t tsr_tensor_count(const struct tsr_tensor *t)
{
  return tsr_count(t->dims, t->rank, tsr_dtype_bytes(t->dtype));
}

size_t tsr_tensor_bytes(const struct tsr_tensor *t)
{
  return (size_t)tsr_tensor_count(t) * tsr_dtype_bytes(t->dtype);
}

const char *tsr_dims_text(const int64_t *dims, int rank, char buffer[static 192])
{
  int n = snprintf(buffer, 192, rank ? "" : "scalar");
  for (int i = 0; i < rank && n < 170; i++)
    n += snprintf(buffer + n, 192 - (size_t)n, "%s%lld", i ? "x" : "", (long long)dims[i]);
  return buffer;
}

bool tsr_same_shape(const struct tsr_tensor *a, const struct tsr_tensor *b)
{
  return a->rank == b->rank && !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]);
}

#define EACH_NUMBER(X)                                                                             \
  X(BOOL, uint8_t)                                                                                 \
  X(I8, int8_t)                                                                                    \
  X(U8, uint8_t) X(I16, int16_t) X(U16, uint16_t) X(I32, int32_t) X(U32, uint32_t) X(I64, int64_t) \
      X(U64, uint64_t) X(F32, float) X(F64, double)

static int64_t saturate_to_int64(double v)
{
  if (v != v)
    return 0;
  if (v >= 9223372036854775807.0)
    return INT64_MAX;
  return v <= -9223372036854775808.0 ? INT64_MIN : (int64_t)v;
}

int64_t tsr_get_int(const struct tsr_tensor *t, int64_t i)
{
  if (tsr_dtype_kind(t->dtype) == TSR_KIND_FLOAT)
    return saturate_to_int64(tsr_get_float(t, i));
  switch (t->dtype) {
#define CASE(id, type)                                                                             \
  case TSR_##id: return (int64_t)((const type *)t->data)[i];
    EACH_NUMBER(CASE)
#undef CASE
  default: return 0;
  }
}

double tsr_get_float(const struct tsr_tensor *t, int64_t i)
{
  switch (t->dtype) {
#define CASE(id, type)                                                                             \
  case TSR_##id: return (double)((const type *)t->data)[i];
    EACH_NUMBER(CASE)
#undef CASE
  case TSR_F16: return (double)tsr_float_of_f16(((const uint16_t *)t->data)[i]);
  case TSR_BF16: return (double)tsr_float_of_bf16(((const uint16_t *)t->data)[i]);
  default: return 0;
  }
}

void tsr_put_int(struct tsr_tensor *t, int64_t i, int64_t value)
{
  if (t->dtype == TSR_BOOL)
    value = value != 0;
  switch (t->dtype) {
#define CASE(id, type)                                                                             \
  case TSR_##id: ((type *)t->data)[i] = (type)value; return;
    EACH_NUMBER(CASE)
#undef CASE
  case TSR_F16:
  case TSR_BF16: tsr_put_float(t, i, (double)value); return;
  default: return;
  }
}

void tsr_put_float(struct tsr_tensor *t, int64_t i, double value)
{
  switch (t->dtype) {
  case TSR_F16: ((uint16_t *)t->data)[i] = tsr_f16_of_double(value); return;
  case TSR_BF16: ((uint16_t *)t->data)[i] = tsr_bf16_of_double(value); return;
  case TSR_F32: ((float *)t->data)[i] = (float)value; return;
  case TSR_F64: ((double *)t->data)[i] = value; return;
  default: tsr_put_int(t, i, saturate_to_int64(value));
  }
}

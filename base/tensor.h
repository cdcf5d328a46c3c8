/* SPDX-License-Identifier: Apache-2.0 */
/* A dense row-major tensor in host memory, and the element types of the whole project. */
#ifndef TSR_BASE_TENSOR_H
#define TSR_BASE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tsr_dtype {
#define TSR_DTYPE(name, text, bytes, kind, npy, onnx) TSR_##name,
#include "base/dtypes.def"
#undef TSR_DTYPE
  TSR_DTYPE_COUNT
};

enum tsr_dtype_kind { TSR_KIND_INT, TSR_KIND_UINT, TSR_KIND_FLOAT };

enum { TSR_MAX_RANK = 8 };

struct tsr_tensor {
  enum tsr_dtype dtype;
  int rank;
  int64_t dims[TSR_MAX_RANK]; /* each >= 0 */
  void *data;                 /* little endian, dense, row-major */
};

const char *tsr_dtype_name(enum tsr_dtype dtype);       /* "i8" */
size_t tsr_dtype_bytes(enum tsr_dtype dtype);           /* 1 */
enum tsr_dtype_kind tsr_dtype_kind(enum tsr_dtype dtype);
const char *tsr_dtype_npy(enum tsr_dtype dtype);        /* "|i1" */
int tsr_dtype_onnx(enum tsr_dtype dtype);               /* TensorProto.DataType */
bool tsr_dtype_is_half(enum tsr_dtype dtype);           /* f16 or bf16 */
bool tsr_dtype_from_name(const char *name, enum tsr_dtype *out);
bool tsr_dtype_from_onnx(int onnx, enum tsr_dtype *out);

/* Number of elements; -1 when it or its bytes at `element` bytes each would not fit int64. */
int64_t tsr_count(const int64_t *dims, int rank, size_t element);
int64_t tsr_tensor_count(const struct tsr_tensor *t);
size_t tsr_tensor_bytes(const struct tsr_tensor *t);

/* "1x3x224x224", "scalar" for rank 0. Returns buffer. */
const char *tsr_dims_text(const int64_t *dims, int rank, char buffer[static 192]);
bool tsr_same_shape(const struct tsr_tensor *a, const struct tsr_tensor *b);

/* Element i (in row-major order) as a number. get_int rounds toward zero and saturates at the ends of
 * int64; put_* convert as C does, floats rounding once, integers wrapping to the element's width. */
int64_t tsr_get_int(const struct tsr_tensor *t, int64_t i);
double tsr_get_float(const struct tsr_tensor *t, int64_t i);
void tsr_put_int(struct tsr_tensor *t, int64_t i, int64_t value);
void tsr_put_float(struct tsr_tensor *t, int64_t i, double value);

#endif

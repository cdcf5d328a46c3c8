/* SPDX-License-Identifier: Apache-2.0 */
/* The meaning of each op of ops.def on each dtype: a loop over arrays, for the C compiler to
 * vectorize. */
#include <math.h>
#include <stddef.h>

#include "base/arith.h"
#include "base/half.h"
#include "compiler/tir/tir_internal.h"

/* X(dtype, C type, unsigned type wide enough to compute in) */
#define EACH_SIGNED(X)                                                                             \
  X(I8, int8_t, uint32_t) X(I16, int16_t, uint32_t) X(I32, int32_t, uint32_t)                      \
  X(I64, int64_t, uint64_t)
#define EACH_UNSIGNED(X)                                                                           \
  X(U8, uint8_t, uint32_t) X(U16, uint16_t, uint32_t) X(U32, uint32_t, uint32_t)                   \
  X(U64, uint64_t, uint64_t)
#define EACH_INT(X) EACH_SIGNED(X) EACH_UNSIGNED(X)
#define EACH_FLOAT(X) X(F32, float, float) X(F64, double, double)
#define EACH_NUMBER(X) EACH_INT(X) EACH_FLOAT(X)
#define EACH_TYPE(X) X(BOOL, uint8_t, uint32_t) EACH_NUMBER(X)

/* One kernel: R out of elements x, y, z of type T. */
#define KERNEL(name, R, T, value)                                                                  \
  static void name(void *restrict out, const void *const *arg, int64_t n)                          \
  {                                                                                                \
    R *restrict o = out;                                                                           \
    const T *a = arg[0];                                                                           \
    for (int64_t i = 0; i < n; i++) {                                                              \
      T x = a[i];                                                                                  \
      o[i] = (R)(value);                                                                           \
    }                                                                                              \
  }
#define KERNEL2(name, R, T, value)                                                                 \
  static void name(void *restrict out, const void *const *arg, int64_t n)                          \
  {                                                                                                \
    R *restrict o = out;                                                                           \
    const T *a = arg[0], *b = arg[1];                                                              \
    for (int64_t i = 0; i < n; i++) {                                                              \
      T x = a[i], y = b[i];                                                                        \
      o[i] = (R)(value);                                                                           \
    }                                                                                              \
  }

#define SUMS(id, T, U)                                                                             \
  KERNEL2(add_##id, T, T, (U)x + (U)y)                                                             \
  KERNEL2(sub_##id, T, T, (U)x - (U)y)                                                             \
  KERNEL2(mul_##id, T, T, (U)x *(U)y)
EACH_NUMBER(SUMS)

/* min and max of floats are NaN if either is: of equal values, and of -0 and 0, the second is
 * taken. */
#define ORDER(id, T, U)                                                                            \
  KERNEL2(lt_##id, uint8_t, T, x < y)                                                              \
  KERNEL2(le_##id, uint8_t, T, x <= y)                                                             \
  KERNEL2(eq_##id, uint8_t, T, x == y)                                                             \
  KERNEL2(ne_##id, uint8_t, T, x != y)
EACH_NUMBER(ORDER)
#define EXTREMES(id, T, U)                                                                         \
  KERNEL2(min_##id, T, T, x < y ? x : y)                                                           \
  KERNEL2(max_##id, T, T, x > y ? x : y)
EACH_INT(EXTREMES)
KERNEL2(min_F32, float, float, x < y || x != x ? x : y)
KERNEL2(max_F32, float, float, x > y || x != x ? x : y)
KERNEL2(min_F64, double, double, x < y || x != x ? x : y)
KERNEL2(max_F64, double, double, x > y || x != x ? x : y)

/* The one quotient that does not fit, smallest / -1, wraps like everything else. */
#define SIGNED_QUOTIENT(id, T, U)                                                                  \
  static inline T truncated_##id(T x, T y)                                                         \
  {                                                                                                \
    return (T)(y == 0 ? (U)0 : y == -1 ? (U)0 - (U)x : (U)(x / y));                                \
  }                                                                                                \
  static inline T remainder_##id(T x, T y)                                                         \
  {                                                                                                \
    T r = (T)(y == 0 || y == -1 ? 0 : x % y);                                                      \
    return (T)(r != 0 && (r < 0) != (y < 0) ? r + y : r);                                          \
  }                                                                                                \
  static inline T floored_##id(T x, T y)                                                           \
  {                                                                                                \
    T r = (T)(y == 0 || y == -1 ? 0 : x % y);                                                      \
    return (T)(truncated_##id(x, y) - (r != 0 && (r < 0) != (y < 0)));                             \
  }                                                                                                \
  KERNEL(abs_##id, T, T, x < 0 ? (U)0 - (U)x : (U)x)
EACH_SIGNED(SIGNED_QUOTIENT)
#define UNSIGNED_QUOTIENT(id, T, U)                                                                \
  static inline T truncated_##id(T x, T y)                                                         \
  {                                                                                                \
    return (T)(y == 0 ? 0 : x / y);                                                                \
  }                                                                                                \
  static inline T remainder_##id(T x, T y)                                                         \
  {                                                                                                \
    return (T)(y == 0 ? 0 : x % y);                                                                \
  }                                                                                                \
  static inline T floored_##id(T x, T y)                                                           \
  {                                                                                                \
    return truncated_##id(x, y);                                                                   \
  }                                                                                                \
  KERNEL(abs_##id, T, T, x)
EACH_UNSIGNED(UNSIGNED_QUOTIENT)
#define QUOTIENTS(id, T, U)                                                                        \
  KERNEL2(div_##id, T, T, truncated_##id(x, y))                                                    \
  KERNEL2(fdiv_##id, T, T, floored_##id(x, y))                                                     \
  KERNEL2(fmod_##id, T, T, remainder_##id(x, y))
EACH_INT(QUOTIENTS)

KERNEL2(div_F32, float, float, x / y)
KERNEL2(div_F64, double, double, x / y)
KERNEL2(pow_F32, float, float, powf(x, y))
KERNEL2(pow_F64, double, double, pow(x, y))
#define FUNCTION(op, function)                                                                     \
  KERNEL(op##_F32, float, float, function##f(x))                                                   \
  KERNEL(op##_F64, double, double, function(x))
#define EACH_FUNCTION(X)                                                                           \
  X(abs, fabs) X(exp, exp) X(log, log) X(sqrt, sqrt) X(erf, erf) X(tanh, tanh) X(sin, sin)         \
  X(cos, cos) X(floor, floor) X(ceil, ceil) X(round, rint)
EACH_FUNCTION(FUNCTION)
KERNEL(tf32_F32, float, float, tsr_tf32_of_float(x))

/* Bytes of a bool that are not 0 are true. */
KERNEL2(and_BOOL, uint8_t, uint8_t, (x != 0) & (y != 0))
KERNEL2(or_BOOL, uint8_t, uint8_t, (x | y) != 0)
KERNEL2(eq_BOOL, uint8_t, uint8_t, (x != 0) == (y != 0))
KERNEL2(ne_BOOL, uint8_t, uint8_t, (x != 0) != (y != 0))
KERNEL(not_BOOL, uint8_t, uint8_t, x == 0)

KERNEL2(shl_I32, int32_t, int32_t, tsr_shl_i32(x, y))
KERNEL2(shr_I32, int32_t, int32_t, tsr_shr_i32(x, y))
KERNEL(sat8_I32, int8_t, int32_t, tsr_sat_i8(x))

static void quant_I32(void *restrict out, const void *const *arg, int64_t n)
{
  int32_t *restrict o = out;
  const int32_t *acc = arg[0], *bias = arg[1], *multiplier = arg[2], *packed = arg[3];
  for (int64_t i = 0; i < n; i++)
    o[i] = tsr_quant_i32(acc[i], bias[i], multiplier[i], packed[i]);
}

#define SELECT(id, T)                                                                              \
  static void select_##id(void *restrict out, const void *const *arg, int64_t n)                   \
  {                                                                                                \
    T *restrict o = out;                                                                           \
    const uint8_t *c = arg[0];                                                                     \
    const T *a = arg[1], *b = arg[2];                                                              \
    for (int64_t i = 0; i < n; i++)                                                                \
      o[i] = c[i] ? a[i] : b[i];                                                                   \
  }
SELECT(1, uint8_t)
SELECT(2, uint16_t)
SELECT(4, uint32_t)
SELECT(8, uint64_t)

/* Casts, to each type from each. What a float becomes in an integer type of range LO .. HI - 1: */
#define CAST(to, from, R, T) KERNEL(to##_of_##from, R, T, x)
#define CAST_INTO_INTS(from, T, U)                                                                 \
  CAST(I8, from, int8_t, T) CAST(U8, from, uint8_t, T) CAST(I16, from, int16_t, T)                 \
  CAST(U16, from, uint16_t, T) CAST(I32, from, int32_t, T) CAST(U32, from, uint32_t, T)            \
  CAST(I64, from, int64_t, T) CAST(U64, from, uint64_t, T)
#define CAST_INTO_FLOATS(from, T, U) CAST(F32, from, float, T) CAST(F64, from, double, T)
#define CAST_INTO_BOOL(from, T, U) KERNEL(BOOL_of_##from, uint8_t, T, x != 0)
#define CAST_OUT_OF_BOOL(to, R, U) KERNEL(to##_of_BOOL, R, uint8_t, x != 0)
EACH_INT(CAST_INTO_INTS)
EACH_INT(CAST_INTO_FLOATS)
EACH_FLOAT(CAST_INTO_FLOATS)
EACH_TYPE(CAST_INTO_BOOL)
EACH_NUMBER(CAST_OUT_OF_BOOL)

#define SATURATE(to, from, R, T, LO, HI, LAST)                                                     \
  KERNEL(to##_of_##from, R, T,                                                                     \
         x != x ? 0 : x >= (T)(HI) ? (R)(LAST) : x <= (T)(LO) ? (R)(LO) : (R)x)
#define SATURATE_INTO_INTS(from, T, U)                                                             \
  SATURATE(I8, from, int8_t, T, -0x1p7, 0x1p7, INT8_MAX)                                           \
  SATURATE(U8, from, uint8_t, T, 0, 0x1p8, UINT8_MAX)                                              \
  SATURATE(I16, from, int16_t, T, -0x1p15, 0x1p15, INT16_MAX)                                      \
  SATURATE(U16, from, uint16_t, T, 0, 0x1p16, UINT16_MAX)                                          \
  SATURATE(I32, from, int32_t, T, -0x1p31, 0x1p31, INT32_MAX)                                      \
  SATURATE(U32, from, uint32_t, T, 0, 0x1p32, UINT32_MAX)                                          \
  SATURATE(I64, from, int64_t, T, -0x1p63, 0x1p63, INT64_MAX)                                      \
  SATURATE(U64, from, uint64_t, T, 0, 0x1p64, UINT64_MAX)
EACH_FLOAT(SATURATE_INTO_INTS)

/* Halves, from and to what holds all their values. */
KERNEL(F32_of_F16, float, uint16_t, tsr_float_of_f16(x))
KERNEL(F32_of_BF16, float, uint16_t, tsr_float_of_bf16(x))
KERNEL(F16_of_F32, uint16_t, float, tsr_f16_of_float(x))
KERNEL(BF16_of_F32, uint16_t, float, tsr_bf16_of_float(x))
KERNEL(F16_of_F64, uint16_t, double, tsr_f16_of_double(x))
KERNEL(BF16_of_F64, uint16_t, double, tsr_bf16_of_double(x))

#define ENTRY(op, id) [TSR_##id] = op##_##id,
#define INT_ENTRIES(op)                                                                            \
  ENTRY(op, I8) ENTRY(op, U8) ENTRY(op, I16) ENTRY(op, U16) ENTRY(op, I32) ENTRY(op, U32)          \
  ENTRY(op, I64) ENTRY(op, U64)
#define FLOAT_ENTRIES(op) ENTRY(op, F32) ENTRY(op, F64)
#define NUMBER_ENTRIES(op) INT_ENTRIES(op) FLOAT_ENTRIES(op)

static tir__kernel *const kernels[TIR_OP_COUNT][TSR_DTYPE_COUNT] = {
  [TIR_ADD] = {NUMBER_ENTRIES(add)},
  [TIR_SUB] = {NUMBER_ENTRIES(sub)},
  [TIR_MUL] = {NUMBER_ENTRIES(mul)},
  [TIR_DIV] = {NUMBER_ENTRIES(div)},
  [TIR_FDIV] = {INT_ENTRIES(fdiv)},
  [TIR_FMOD] = {INT_ENTRIES(fmod)},
  [TIR_MIN] = {NUMBER_ENTRIES(min)},
  [TIR_MAX] = {NUMBER_ENTRIES(max)},
  [TIR_SHL] = {ENTRY(shl, I32)},
  [TIR_SHR] = {ENTRY(shr, I32)},
  [TIR_QUANT] = {ENTRY(quant, I32)},
  [TIR_SAT8] = {ENTRY(sat8, I32)},
  [TIR_LT] = {NUMBER_ENTRIES(lt)},
  [TIR_LE] = {NUMBER_ENTRIES(le)},
  [TIR_EQ] = {ENTRY(eq, BOOL) NUMBER_ENTRIES(eq)},
  [TIR_NE] = {ENTRY(ne, BOOL) NUMBER_ENTRIES(ne)},
  [TIR_AND] = {ENTRY(and, BOOL)},
  [TIR_OR] = {ENTRY(or, BOOL)},
  [TIR_NOT] = {ENTRY(not, BOOL)},
  [TIR_ABS] = {NUMBER_ENTRIES(abs)},
  [TIR_EXP] = {FLOAT_ENTRIES(exp)},
  [TIR_LOG] = {FLOAT_ENTRIES(log)},
  [TIR_SQRT] = {FLOAT_ENTRIES(sqrt)},
  [TIR_ERF] = {FLOAT_ENTRIES(erf)},
  [TIR_TANH] = {FLOAT_ENTRIES(tanh)},
  [TIR_SIN] = {FLOAT_ENTRIES(sin)},
  [TIR_COS] = {FLOAT_ENTRIES(cos)},
  [TIR_POW] = {FLOAT_ENTRIES(pow)},
  [TIR_FLOOR] = {FLOAT_ENTRIES(floor)},
  [TIR_CEIL] = {FLOAT_ENTRIES(ceil)},
  [TIR_ROUND] = {FLOAT_ENTRIES(round)},
  [TIR_TF32] = {ENTRY(tf32, F32)},
};

tir__kernel *tir__op_kernel(enum tir_op op, enum tsr_dtype dtype)
{
  static tir__kernel *const select[] = {
    [1] = select_1, [2] = select_2, [4] = select_4, [8] = select_8
  };
  if (op == TIR_SELECT)
    return select[tsr_dtype_bytes(dtype)];
  return kernels[op][dtype];
}

#define FROM(to, from) [TSR_##from] = to##_of_##from,
#define FROM_ALL(to)                                                                               \
  FROM(to, BOOL) FROM(to, I8) FROM(to, U8) FROM(to, I16) FROM(to, U16) FROM(to, I32) FROM(to, U32) \
  FROM(to, I64) FROM(to, U64) FROM(to, F32) FROM(to, F64)
#define CAST_ROW(to) [TSR_##to] = {FROM_ALL(to)},

tir__kernel *tir__cast_kernel(enum tsr_dtype to, enum tsr_dtype from)
{
  static tir__kernel *const casts[TSR_DTYPE_COUNT][TSR_DTYPE_COUNT] = {
    CAST_ROW(BOOL) CAST_ROW(I8) CAST_ROW(U8) CAST_ROW(I16) CAST_ROW(U16) CAST_ROW(I32) CAST_ROW(U32)
    CAST_ROW(I64) CAST_ROW(U64) CAST_ROW(F64)
    [TSR_F32] = {FROM_ALL(F32) FROM(F32, F16) FROM(F32, BF16)},
    [TSR_F16] = {FROM(F16, F32) FROM(F16, F64)},
    [TSR_BF16] = {FROM(BF16, F32) FROM(BF16, F64)},
  };
  return casts[to][from];
}

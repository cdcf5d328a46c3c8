/* SPDX-License-Identifier: Apache-2.0 */
/* Every op on every dtype over corner values: what the interpreter and constant folding give,
 * against the same written here by hand. */
#include <math.h>

#include "base/arith.h"
#include "tir_test.h"

__extension__ typedef __int128 wide;

enum { MOST = 29 };

static const int64_t ints[MOST] = {
  0, 1, -1, 2, -2, 3, 7, -7, 31, 100, 127, -128, 128, 255, 256, -32768, 32767, 65535, INT32_MAX,
  INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1, 5, -5, 63, 4097, -65536
};
static const double floats[MOST] = {
  0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3.25, 127.6, -128.9, 255.99, 65536, 1e9, -1e10, 1e19,
  -1e19, 1e300, INFINITY, -INFINITY, NAN, 1e-30, 0.1, 0x1.002p3, -0x1.006p-5, 0x1.ffep0,
  0x1.001fffp-3, 0x1.fffffep127
};

static wide wrapped(enum tsr_dtype dtype, wide v)
{
  int bits = 8 * (int)tsr_dtype_bytes(dtype);
  wide low = v & (((wide)1 << bits) - 1);
  if (dtype == TSR_BOOL)
    return v != 0;
  return tsr_dtype_kind(dtype) == TSR_KIND_INT && low >> (bits - 1) ? low - ((wide)1 << bits) : low;
}

static wide element(const struct tsr_tensor *t, int i)
{
  int64_t v = tsr_get_int(t, i);
  return t->dtype == TSR_U64 ? (wide)(uint64_t)v : t->dtype == TSR_BOOL ? v != 0 : v;
}

static wide floor_quotient(wide x, wide y)
{
  return y == 0 ? 0 : x / y - (x % y != 0 && (x < 0) != (y < 0));
}

/* False where the op has no meaning on integers of that dtype. */
static bool int_reference(enum tir_op op, enum tsr_dtype dtype, wide x, wide y, wide *out)
{
  bool number = dtype != TSR_BOOL, i32 = dtype == TSR_I32;
  switch (op) {
  case TIR_ADD: *out = x + y; return number;
  case TIR_SUB: *out = x - y; return number;
  case TIR_MUL: *out = (wide)((unsigned __int128)x * (unsigned __int128)y); return number;
  case TIR_DIV: *out = y ? x / y : 0; return number;
  case TIR_FDIV: *out = floor_quotient(x, y); return number;
  case TIR_FMOD: *out = y ? x - floor_quotient(x, y) * y : 0; return number;
  case TIR_MIN: *out = x < y ? x : y; return number;
  case TIR_MAX: *out = x > y ? x : y; return number;
  case TIR_SHL: *out = x * ((wide)1 << ((int)y & 31)); return i32;
  case TIR_SHR: *out = tsr_round_shift((int64_t)x, (int)y & 31); return i32;
  case TIR_SAT8: *out = x < -128 ? -128 : x > 127 ? 127 : x; return i32;
  case TIR_LT: *out = x < y; return number;
  case TIR_LE: *out = x <= y; return number;
  case TIR_EQ: *out = x == y; return true;
  case TIR_NE: *out = x != y; return true;
  case TIR_AND: *out = x && y; return !number;
  case TIR_OR: *out = x || y; return !number;
  case TIR_NOT: *out = !x; return !number;
  case TIR_ABS: *out = x < 0 ? -x : x; return number;
  default: return false;
  }
}

#define FLOAT_OP(name, T, suffix)                                                                  \
  static bool name(enum tir_op op, T x, T y, double *out)                                          \
  {                                                                                                \
    switch (op) {                                                                                  \
    case TIR_ADD: *out = (T)(x + y); return true;                                                  \
    case TIR_SUB: *out = (T)(x - y); return true;                                                  \
    case TIR_MUL: *out = (T)(x * y); return true;                                                  \
    case TIR_DIV: *out = (T)(x / y); return true;                                                  \
    case TIR_MIN: *out = x != x ? x : y != y ? y : x < y ? x : y; return true;                     \
    case TIR_MAX: *out = x != x ? x : y != y ? y : x > y ? x : y; return true;                     \
    case TIR_LT: *out = x < y; return true;                                                        \
    case TIR_LE: *out = x <= y; return true;                                                       \
    case TIR_EQ: *out = x == y; return true;                                                       \
    case TIR_NE: *out = x != y; return true;                                                       \
    case TIR_ABS: *out = fabs##suffix(x); return true;                                             \
    case TIR_EXP: *out = exp##suffix(x); return true;                                              \
    case TIR_LOG: *out = log##suffix(x); return true;                                              \
    case TIR_SQRT: *out = sqrt##suffix(x); return true;                                            \
    case TIR_ERF: *out = erf##suffix(x); return true;                                              \
    case TIR_TANH: *out = tanh##suffix(x); return true;                                            \
    case TIR_SIN: *out = sin##suffix(x); return true;                                              \
    case TIR_COS: *out = cos##suffix(x); return true;                                              \
    case TIR_POW: *out = pow##suffix(x, y); return true;                                           \
    case TIR_FLOOR: *out = floor##suffix(x); return true;                                          \
    case TIR_CEIL: *out = ceil##suffix(x); return true;                                            \
    case TIR_ROUND: *out = nearbyint##suffix(x); return true;                                      \
    default: return false;                                                                         \
    }                                                                                              \
  }
FLOAT_OP(float_or_double, float, f)
FLOAT_OP(double_reference, double, )

/* x = m * 2^e with 0.5 <= |m| < 1: of m 11 bits stay. */
static bool float_reference(enum tir_op op, float x, float y, double *out)
{
  int e = 0;
  if (op != TIR_TF32)
    return float_or_double(op, x, y, out);
  double m = isfinite(x) ? frexp(x, &e) : x;
  *out = (float)ldexp(round(ldexp(m, 11)), e - 11);
  return true;
}

static void fill_corners(struct tsr_tensor *t, bool second)
{
  for (int i = 0; i < MOST * MOST; i++) {
    int k = second ? i % MOST : i / MOST;
    if (tsr_dtype_kind(t->dtype) == TSR_KIND_FLOAT)
      tsr_put_float(t, i, floats[k]);
    else
      tsr_put_int(t, i, ints[k]);
  }
}

static tir_e constant(struct tsr_arena *a, const struct tsr_tensor *t, int i)
{
  if (tsr_dtype_kind(t->dtype) == TSR_KIND_FLOAT)
    return tir_float(a, t->dtype, tsr_get_float(t, i));
  return tir_int(a, t->dtype, tsr_get_int(t, i));
}

static void assert_same_number(enum tir_op op, enum tsr_dtype from, const struct tsr_tensor *got,
                               int i, double wanted, wide wanted_int)
{
  if (tsr_dtype_kind(got->dtype) == TSR_KIND_FLOAT) {
    double v = tsr_get_float(got, i);
    if (isnan(wanted) ? !isnan(v) : v != wanted || signbit(v) != signbit(wanted))
      fail_msg("%s of %s, case %d: %.17g, not %.17g", tir_op_text(op), tsr_dtype_name(from), i, v,
               wanted);
  } else if (element(got, i) != wrapped(got->dtype, wanted_int)) {
    fail_msg("%s of %s, case %d: %lld, not %lld", tir_op_text(op), tsr_dtype_name(from), i,
             (long long)element(got, i), (long long)wanted_int);
  }
}

/* Runs `value`, an expression over x[i] and y[i], and folds it on constants; both must agree. */
struct bench {
  struct tsr_arena *a;
  enum tir_op op;
  struct tsr_tensor x, y, out;
};

static void run_op(struct bench *b, struct tir_func *f, void *const *params, const tir_e *folded)
{
  struct tsr_err err;
  struct tsr_tensor one = {.dtype = b->out.dtype};
  if (tir_func_run(b->a, &err, f, params) != TSR_OK)
    fail_msg("%s", err.text);
  for (int i = 0; i < MOST * MOST; i++) {
    uint64_t bits = 0;
    one.data = &bits;
    assert_int_equal(folded[i]->dtype, one.dtype);
    if (folded[i]->op == TIR_FLOAT)
      tsr_put_float(&one, 0, folded[i]->f);
    else
      tsr_put_int(&one, 0, folded[i]->i);
    size_t size = tsr_dtype_bytes(one.dtype);
    bool nan = folded[i]->op == TIR_FLOAT && isnan(folded[i]->f);
    if (nan ? !isnan(tsr_get_float(&b->out, i))
            : memcmp(&bits, (char *)b->out.data + (size_t)i * size, size))
      fail_msg("%s of %s, case %d: folding differs", tir_op_text(b->op), tsr_dtype_name(b->x.dtype),
               i);
  }
}

static tir_e apply(struct tsr_arena *a, enum tir_op op, enum tsr_dtype to, tir_e x, tir_e y)
{
  if (op == TIR_CAST)
    return tir_cast(a, to, x);
  return tir__ops[op].args == 1 ? tir_unary(a, op, x) : tir_binary(a, op, x, y);
}

/* false: no such op on that dtype. */
static bool compute(struct bench *b, enum tir_op op, enum tsr_dtype from, enum tsr_dtype to)
{
  struct tsr_arena *a = b->a;
  int64_t dims[] = {MOST * MOST};
  tir_e folded[MOST * MOST];
  enum tsr_dtype result = to;
  bool real = tsr_dtype_kind(from) == TSR_KIND_FLOAT;
  tir_e zero = real ? tir_float(a, from, 0) : tir_int(a, from, 0);
  tir_e sample[] = {zero, zero, zero, zero};
  if (op != TIR_CAST && !tir__result_dtype(op, tir__ops[op].args, sample, &result))
    return false;
  b->op = op;
  b->x = b->y = (struct tsr_tensor){.dtype = from, .rank = 1, .dims = {MOST * MOST}};
  b->x.data = tsr_arena_alloc(a, MOST * MOST * 8);
  b->y.data = tsr_arena_alloc(a, MOST * MOST * 8);
  b->out = (struct tsr_tensor){.dtype = result, .rank = 1, .dims = {MOST * MOST}};
  b->out.data = tsr_arena_alloc(a, MOST * MOST * 8);
  fill_corners(&b->x, false);
  fill_corners(&b->y, true);
  struct tir_func *f = tir_func_new(a, "f");
  struct tir_buffer *x = tir_func_input(a, f, "x", from, 1, dims),
                    *y = tir_func_input(a, f, "y", from, 1, dims);
  struct tir_buffer *z = tir_func_output(a, f, "z", result, 1, dims);
  struct tir_stage *s = tir_func_stage(a, f, "s", z, "i", 0, NULL);
  tir_e i = tir_axis_use(a, s, 0);
  s->value = apply(a, op, to, tir_load(a, x, &i), tir_load(a, y, &i));
  for (int k = 0; k < MOST * MOST; k++)
    folded[k] = apply(a, op, to, constant(a, &b->x, k), constant(a, &b->y, k));
  run_op(b, f, (void *[]){b->x.data, b->y.data, b->out.data}, folded);
  return true;
}

static void test_int_ops(void **state)
{
  int checked = 0;
  for (int op = TIR_ADD; op < TIR_OP_COUNT; op++)
    for (int dtype = TSR_BOOL; dtype <= TSR_U64; dtype++) {
      struct bench b = {.a = *state};
      wide wanted = 0;
      if (op == TIR_QUANT || op == TIR_SELECT)
        continue;
      bool meant = int_reference((enum tir_op)op, (enum tsr_dtype)dtype, 1, 1, &wanted);
      assert_int_equal(compute(&b, (enum tir_op)op, (enum tsr_dtype)dtype, TSR_I8), meant);
      for (int i = 0; meant && i < MOST * MOST; i++) {
        int_reference((enum tir_op)op, (enum tsr_dtype)dtype, element(&b.x, i), element(&b.y, i),
                      &wanted);
        assert_same_number((enum tir_op)op, (enum tsr_dtype)dtype, &b.out, i, 0, wanted);
        checked++;
      }
    }
  assert_true(checked > 100 * MOST * MOST);
}

static void test_float_ops(void **state)
{
  for (int op = TIR_ADD; op < TIR_OP_COUNT; op++)
    for (int dtype = TSR_F32; dtype <= TSR_F64; dtype++) {
      struct bench b = {.a = *state};
      double wanted = 0;
      if (op == TIR_SELECT)
        continue;
      bool meant = dtype == TSR_F32 ? float_reference((enum tir_op)op, 1, 1, &wanted)
                                    : double_reference((enum tir_op)op, 1, 1, &wanted);
      assert_int_equal(compute(&b, (enum tir_op)op, (enum tsr_dtype)dtype, TSR_I8), meant);
      for (int i = 0; meant && i < MOST * MOST; i++) {
        double x = tsr_get_float(&b.x, i), y = tsr_get_float(&b.y, i);
        if (dtype == TSR_F32)
          float_reference((enum tir_op)op, (float)x, (float)y, &wanted);
        else
          double_reference((enum tir_op)op, x, y, &wanted);
        assert_same_number((enum tir_op)op, (enum tsr_dtype)dtype, &b.out, i, wanted,
                           (wide)(wanted == 1));
      }
    }
}

static wide saturated(enum tsr_dtype to, double v)
{
  int bits = 8 * (int)tsr_dtype_bytes(to);
  bool sign = tsr_dtype_kind(to) == TSR_KIND_INT;
  wide lo = sign ? -((wide)1 << (bits - 1)) : 0, hi = ((wide)1 << (bits - sign)) - 1;
  if (to == TSR_BOOL)
    return v != 0;
  if (isnan(v))
    return 0;
  return v >= (double)hi ? hi : v <= (double)lo ? lo : (wide)v;
}

static void test_casts(void **state)
{
  for (int from = 0; from < TSR_DTYPE_COUNT; from++)
    for (int to = 0; to < TSR_DTYPE_COUNT; to++) {
      struct bench b = {.a = *state};
      if (from == to)
        continue;
      assert_true(compute(&b, TIR_CAST, (enum tsr_dtype)from, (enum tsr_dtype)to));
      bool real = tsr_dtype_kind((enum tsr_dtype)from) == TSR_KIND_FLOAT;
      for (int i = 0; i < MOST * MOST; i++) {
        double v = real ? tsr_get_float(&b.x, i) : (double)element(&b.x, i);
        if (to == TSR_F32 || (tsr_dtype_is_half((enum tsr_dtype)to) && !real))
          v = real ? (float)v : (float)element(&b.x, i);
        if (tsr_dtype_is_half((enum tsr_dtype)to))
          v = tir__rounded((enum tsr_dtype)to, v);
        assert_same_number(TIR_CAST, (enum tsr_dtype)from, &b.out, i, v,
                           real ? saturated((enum tsr_dtype)to, v) : element(&b.x, i));
      }
    }
}

static void test_quant(void **state)
{
  int32_t in[4][300], out[300];
  uint64_t seed = 7;
  for (int i = 0; i < 300; i++) {
    for (int k = 0; k < 4; k++)
      in[k][i] = (int32_t)next_random(&seed);
    in[3][i] = tsr_quant_pack(i % 64, i % 256 - 128, -128 + i % 100, 127 - i % 50);
  }
  run_text(*state,
           "func f(a: i32[300], b: i32[300], m: i32[300], p: i32[300]) -> (y: i32[300]) {\n"
           "  q: y[i] = quant(a[i], b[i], m[i], p[i])\n"
           "}\n",
           (void *[]){in[0], in[1], in[2], in[3], out});
  for (int i = 0; i < 300; i++)
    assert_int_equal(out[i], tsr_quant_i32(in[0][i], in[1][i], in[2][i], in[3][i]));
}

/* A select of each element size. */
static void test_select(void **state)
{
  for (int dtype = 0; dtype < TSR_DTYPE_COUNT; dtype++) {
    const char *name = tsr_dtype_name((enum tsr_dtype)dtype);
    uint64_t x[64], y[64], z[64];
    uint8_t c[64];
    size_t size = tsr_dtype_bytes((enum tsr_dtype)dtype);
    memset(x, 1, sizeof x);
    memset(y, 0, sizeof y);
    for (int i = 0; i < 64; i++)
      c[i] = (uint8_t)(i % 3 == 0 ? 0 : i); /* any byte but 0 is true */
    char *text = tsr_arena_printf(*state,
                                  "func f(c: bool[64], x: %s[64], y: %s[64]) -> (z: %s[64]) {\n"
                                  "  s: z[i] = select(c[i], x[i], y[i])\n}\n",
                                  name, name, name);
    run_text(*state, text, (void *[]){c, x, y, z});
    for (size_t i = 0; i < 64; i++)
      assert_memory_equal((char *)z + i * size, c[i] ? (char *)x : (char *)y, size);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(test_int_ops), IN_ARENA(test_float_ops), IN_ARENA(test_casts),
      IN_ARENA(test_quant),   IN_ARENA(test_select),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

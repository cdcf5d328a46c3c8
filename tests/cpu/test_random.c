/* SPDX-License-Identifier: Apache-2.0 */
/* Random expressions of every op and dtype over random buffers, at every level of this machine,
 * against the interpreter. TESSERA_SEED=N runs one seed and prints its func. */
#include "tests/cpu/rig.h"

enum { ROUNDS = 240, BATCH = 60, DEPTH = 4 };

struct game {
  struct tsr_arena *a;
  uint64_t seed;
  struct tir_func *f;
  struct tir_stage *s;
  struct tir_buffer *in[TSR_DTYPE_COUNT];
};

static uint32_t roll(struct game *g, uint32_t n)
{
  return next_random(&g->seed) % n;
}

static tir_e expr(struct game *g, enum tsr_dtype dtype, int depth);

static tir_e leaf(struct game *g, enum tsr_dtype dtype)
{
  if (dtype == TSR_I64 && g->s->axes && roll(g, 4))
    return tir_axis_use(g->a, g->s, (int)roll(g, (uint32_t)g->s->axes));
  if (tir__is_float(dtype))
    return tir_float(g->a, dtype, ((double)roll(g, 4000) - 2000) / 64);
  return tir_int(g->a, dtype, (int64_t)roll(g, 40) - 20);
}

static tir_e inside(struct game *g, tir_e x, tir_e extent)
{
  return tir_binary(g->a, TIR_AND, tir_binary(g->a, TIR_LE, tir_index(g->a, 0), x),
                    tir_binary(g->a, TIR_LT, x, extent));
}

/* An index as it comes, where a select guards it; or brought inside; rarely neither. */
static tir_e load(struct game *g, enum tsr_dtype dtype, int depth)
{
  struct tir_buffer *b = g->in[dtype];
  tir_e index[TSR_MAX_RANK], condition = tir_int(g->a, TSR_BOOL, 1);
  uint32_t way = roll(g, 24);
  for (int i = 0; i < b->rank; i++) {
    tir_e extent = tir_index(g->a, b->dims[i]);
    tir_e x = roll(g, 2) ? leaf(g, TSR_I64) : expr(g, TSR_I64, depth - 1);
    if (way > 10)
      x = tir_binary(g->a, TIR_FMOD, x, extent);
    else if (way > 0)
      condition = tir_binary(g->a, TIR_AND, condition, inside(g, x, extent));
    index[i] = x;
  }
  return tir_select(g->a, condition, tir_load(g->a, b, index), leaf(g, dtype));
}

/* Ops whose results are the same to the bit on both sides: no functions of floats but exact ones.
 * */
static bool is_exact(enum tir_op op, enum tsr_dtype dtype)
{
  return !tir__is_float(dtype) || op < TIR_EXP || op == TIR_SQRT || op >= TIR_FLOOR;
}

static tir_e operation(struct game *g, enum tsr_dtype dtype, int depth)
{
  for (;;) {
    enum tir_op op = (enum tir_op)(TIR_ADD + roll(g, TIR_OP_COUNT - TIR_ADD));
    enum tsr_dtype result;
    tir_e x = expr(g, dtype, depth - 1), arg[4] = {x, x, x, x};
    if (op == TIR_SELECT || !tir__result_dtype(op, tir__ops[op].args, arg, &result) ||
        result != dtype || !is_exact(op, dtype))
      continue;
    if (op == TIR_QUANT)
      return tir_quant(g->a, x, expr(g, dtype, depth - 1), leaf(g, dtype), leaf(g, dtype));
    return tir__ops[op].args == 1 ? tir_unary(g->a, op, x)
                                  : tir_binary(g->a, op, x, expr(g, dtype, depth - 1));
  }
}

static tir_e expr(struct game *g, enum tsr_dtype dtype, int depth)
{
  uint32_t r = roll(g, 10);
  if (depth <= 0)
    return leaf(g, dtype);
  if (r < 4)
    return load(g, dtype, depth);
  if (r == 4 || (r > 5 && tsr_dtype_is_half(dtype))) /* which has no operations */
    return tir_cast(g->a, dtype, expr(g, (enum tsr_dtype)roll(g, TSR_DTYPE_COUNT), depth - 1));
  if (r == 5)
    return tir_select(g->a, expr(g, TSR_BOOL, depth - 1), expr(g, dtype, depth - 1),
                      expr(g, dtype, depth - 1));
  if (dtype == TSR_BOOL && r < 8) {
    enum tsr_dtype of = (enum tsr_dtype)(1 + roll(g, TSR_DTYPE_COUNT - 1));
    if (tsr_dtype_is_half(of))
      of = TSR_F32;
    return tir_binary(g->a, (enum tir_op)(TIR_LT + roll(g, 4)), expr(g, of, depth - 1),
                      expr(g, of, depth - 1));
  }
  if (dtype == TSR_I8 && r == 6)
    return tir_unary(g->a, TIR_SAT8, expr(g, TSR_I32, depth - 1));
  return operation(g, dtype, depth);
}

static void make_inputs(struct game *g, struct trial *t)
{
  for (int d = 0; d < TSR_DTYPE_COUNT; d++) {
    struct tsr_tensor x = {.dtype = (enum tsr_dtype)d, .rank = (int)roll(g, 3)};
    int64_t n = 1;
    for (int i = 0; i < x.rank; i++)
      n *= x.dims[i] = 1 + roll(g, 40);
    g->in[d] =
        tir_func_input(g->a, g->f, tsr_arena_printf(g->a, "in%d", d), x.dtype, x.rank, x.dims);
    t->input[d] = x.data = tsr_arena_alloc(g->a, (size_t)n * 8);
    for (int64_t i = 0; i < n; i++)
      if (tir__is_float(x.dtype))
        tsr_put_float(&x, i, ((double)roll(g, 4000) - 2000) / 64);
      else if (d == TSR_BOOL)
        tsr_put_int(&x, i, roll(g, 3));
      else
        tsr_put_int(&x, i,
                    roll(g, 4) ? (int64_t)roll(g, 20) - 6 : (int64_t)next_random(&g->seed) << 31);
  }
}

/* Half of them reduce; sums of floats are not exact and stay out. */
static struct trial round_of(struct tsr_arena *a, uint64_t seed)
{
  struct game g = {.a = a, .seed = seed};
  struct trial t = {.name = tsr_arena_printf(a, "seed %llu", (unsigned long long)seed)};
  int64_t dims[3], reduce = 1 + (int64_t)roll(&g, 40);
  int rank = 1 + (int)roll(&g, 3);
  for (int i = 0; i < rank; i++)
    dims[i] = 1 + roll(&g, i == rank - 1 ? 70 : 6);
  enum tsr_dtype dtype = (enum tsr_dtype)roll(&g, TSR_DTYPE_COUNT);
  bool reduces = roll(&g, 2) && dtype != TSR_BOOL && !tsr_dtype_is_half(dtype);
  g.f = tir_func_new(a, "random");
  make_inputs(&g, &t);
  struct tir_buffer *y = tir_func_output(a, g.f, "y", dtype, rank, dims);
  static const char *const names[2][3] = {{"i", "i j", "i j k"}, {"i r", "i j r", "i j k r"}};
  g.s = tir_func_stage(a, g.f, "s", y, names[reduces][rank - 1], reduces, &reduce);
  if (reduces) {
    uint32_t ways = tir__is_float(dtype) ? 2 : 4;
    g.s->combine = (enum tir_combine)(TIR_MINIMUM - roll(&g, ways));
    g.s->init = tir_cast(a, dtype, tir_index(a, 1));
  }
  g.s->value = expr(&g, dtype, DEPTH);
  t.func = g.f;
  return t;
}

static void rounds(void **state)
{
  const char *one = getenv("TESSERA_SEED");
  uint64_t first = one ? strtoull(one, NULL, 10) : 1, count = one ? 1 : ROUNDS;
  (void)state;
  for (uint64_t seed = first; seed < first + count; seed += BATCH) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct trial trial[BATCH];
    int n = 0;
    while (n < BATCH && seed + (uint64_t)n < first + count) {
      trial[n] = round_of(a, seed + (uint64_t)n);
      n++;
    }
    if (one)
      printf("%s\n", tir_func_print(a, trial[0].func));
    assert_int_equal(compare_all(a, n, trial, 1e-5), 0);
    tsr_arena_free(a);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(rounds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

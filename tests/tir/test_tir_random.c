/* SPDX-License-Identifier: Apache-2.0 */
/* Random expressions over random buffers: what the interpreter computes for hundreds of lanes at
 * once, against walking the expression for each element. The walk shares only constant folding with
 * it. */
#include <math.h>

#include "tir_test.h"

enum { AXES = 3, BUFFERS = 3 };

struct game {
  struct tsr_arena *a;
  uint64_t seed;
  struct tir_func *f;
  struct tir_stage *s;
  struct tir_buffer *in[TSR_DTYPE_COUNT]; /* one input of each dtype */
  void *data[TSR_DTYPE_COUNT + 2];
  bool refused;
};

static uint32_t roll(struct game *g, uint32_t n)
{
  return next_random(&g->seed) % n;
}

static tir_e random_expr(struct game *g, enum tsr_dtype dtype, int depth);

static tir_e leaf(struct game *g, enum tsr_dtype dtype)
{
  if (dtype == TSR_I64 && g->s->axes && roll(g, 3))
    return tir_axis_use(g->a, g->s, (int)roll(g, (uint32_t)g->s->axes));
  if (tir__is_float(dtype))
    return tir_float(g->a, dtype, ((double)roll(g, 4000) - 2000) / 64);
  return tir_int(g->a, dtype, (int64_t)roll(g, 40) - 20);
}

/* Inside by floormod, mostly; sometimes left as it is, under a select or not. */
static tir_e random_load(struct game *g, enum tsr_dtype dtype, int depth)
{
  struct tir_buffer *b = g->in[dtype];
  tir_e index[TSR_MAX_RANK];
  uint32_t way = roll(g, 12);
  tir_e inside = tir_int(g->a, TSR_BOOL, 1);
  for (int i = 0; i < b->rank; i++) {
    tir_e extent = tir_index(g->a, b->dims[i]), x = random_expr(g, TSR_I64, depth - 1);
    if (way > 3)
      x = tir_binary(g->a, TIR_FMOD, x, extent);
    else if (way > 0)
      inside = tir_binary(g->a, TIR_AND, inside,
                          tir_binary(g->a, TIR_AND, tir_binary(g->a, TIR_LE, tir_index(g->a, 0), x),
                                     tir_binary(g->a, TIR_LT, x, extent)));
    index[i] = x;
  }
  return tir_select(g->a, inside, tir_load(g->a, b, index), leaf(g, dtype));
}

static tir_e random_expr(struct game *g, enum tsr_dtype dtype, int depth)
{
  if (depth <= 0)
    return leaf(g, dtype);
  uint32_t r = roll(g, 10);
  if (r < 3)
    return random_load(g, dtype, depth);
  if (r == 3 || (r > 4 && tsr_dtype_is_half(dtype))) /* which has no operations */
    return tir_cast(g->a, dtype,
                    random_expr(g, (enum tsr_dtype)roll(g, TSR_DTYPE_COUNT), depth - 1));
  if (r == 4)
    return tir_select(g->a, random_expr(g, TSR_BOOL, depth - 1), random_expr(g, dtype, depth - 1),
                      random_expr(g, dtype, depth - 1));
  if (dtype == TSR_BOOL && r < 7) {
    enum tsr_dtype of = (enum tsr_dtype)(1 + roll(g, TSR_DTYPE_COUNT - 1));
    if (tsr_dtype_is_half(of))
      of = TSR_F32;
    enum tir_op op = (enum tir_op)(TIR_LT + roll(g, 4));
    return tir_binary(g->a, op, random_expr(g, of, depth - 1), random_expr(g, of, depth - 1));
  }
  for (;;) {
    enum tir_op op = (enum tir_op)(TIR_ADD + roll(g, TIR_OP_COUNT - TIR_ADD));
    enum tsr_dtype result;
    tir_e x = random_expr(g, dtype, depth - 1), arg[4] = {x, x, x, x};
    if (op == TIR_SELECT || !tir__result_dtype(op, tir__ops[op].args, arg, &result) ||
        result != dtype)
      continue;
    if (tir__ops[op].args == 1)
      return tir_unary(g->a, op, x);
    if (op == TIR_QUANT)
      return tir_quant(g->a, x, random_expr(g, dtype, depth - 1), leaf(g, dtype), leaf(g, dtype));
    return tir_binary(g->a, op, x, random_expr(g, dtype, depth - 1));
  }
}

/* --- the walk -------------------------------------------------------------------------------- */

static int input_of(const struct game *g, const struct tir_buffer *b)
{
  for (int i = 0; i < TSR_DTYPE_COUNT; i++)
    if (g->in[i] == b)
      return i;
  return -1;
}

static tir_e walk(struct game *g, tir_e x, const int64_t *at);

static tir_e walk_load(struct game *g, tir_e x, const int64_t *at)
{
  struct tsr_tensor t = {.dtype = x->buffer->dtype, .data = g->data[input_of(g, x->buffer)]};
  int64_t offset = 0;
  for (int i = 0; i < x->args; i++) {
    tir_e k = walk(g, x->arg[i], at);
    if (g->refused || k->i < 0 || k->i >= x->buffer->dims[i]) {
      g->refused = true;
      return x;
    }
    offset = offset * x->buffer->dims[i] + k->i;
  }
  if (tir__is_float(t.dtype))
    return tir_float(g->a, t.dtype, tsr_get_float(&t, offset));
  return tir_int(g->a, t.dtype, tsr_get_int(&t, offset));
}

static tir_e walk(struct game *g, tir_e x, const int64_t *at)
{
  tir_e arg[4];
  if (x->op == TIR_LOAD)
    return walk_load(g, x, at);
  for (int i = 0; x->op == TIR_VAR && i < g->s->axes; i++)
    if (g->s->axis[i].var == x->var)
      return tir_index(g->a, at[i]);
  if (x->args == 0)
    return x;
  if (x->op == TIR_SELECT) {
    tir_e c = walk(g, x->arg[0], at);
    return g->refused ? x : walk(g, x->arg[c->i ? 1 : 2], at);
  }
  for (int i = 0; i < x->args; i++) {
    arg[i] = walk(g, x->arg[i], at);
    if (g->refused)
      return x;
  }
  if (x->op == TIR_CAST)
    return tir_cast(g->a, (enum tsr_dtype)x->dtype, arg[0]);
  if (x->op == TIR_QUANT)
    return tir_quant(g->a, arg[0], arg[1], arg[2], arg[3]);
  return x->args == 1 ? tir_unary(g->a, (enum tir_op)x->op, arg[0])
                      : tir_binary(g->a, (enum tir_op)x->op, arg[0], arg[1]);
}

/* The whole stage, into `out`. */
static void walk_stage(struct game *g, struct tsr_tensor *out)
{
  static const enum tir_op ops[] = {TIR_ADD, TIR_ADD, TIR_MUL, TIR_MAX, TIR_MIN};
  const struct tir_stage *s = g->s;
  int64_t total = 1, reduce = 1, at[AXES + 2];
  for (int i = 0; i < s->axes; i++)
    *(i < s->out->rank ? &total : &reduce) *= s->axis[i].extent;
  for (int64_t e = 0; e < total; e++) {
    tir_e sum = s->init;
    for (int64_t r = 0; r < reduce; r++) {
      int64_t rest = e * reduce + r;
      for (int i = s->axes - 1; i >= 0; rest /= s->axis[i].extent, i--)
        at[i] = rest % s->axis[i].extent;
      tir_e v = walk(g, s->value, at);
      if (g->refused)
        return;
      sum = sum ? tir_binary(g->a, ops[s->combine], sum, v) : v;
    }
    if (tir__is_float(out->dtype))
      tsr_put_float(out, e, sum->f);
    else
      tsr_put_int(out, e, sum->i);
  }
}

/* --- rounds ---------------------------------------------------------------------------------- */

static void make_inputs(struct game *g)
{
  for (int d = 0; d < TSR_DTYPE_COUNT; d++) {
    struct tsr_tensor t = {.dtype = (enum tsr_dtype)d, .rank = (int)roll(g, 4)};
    int64_t n = 1;
    for (int i = 0; i < t.rank; i++)
      n *= t.dims[i] = 1 + roll(g, 6);
    g->in[d] = tir_func_input(g->a, g->f, tsr_arena_printf(g->a, "in%d", d), t.dtype, t.rank,
                              t.dims);
    g->data[d] = t.data = tsr_arena_alloc(g->a, (size_t)n * 8);
    for (int64_t i = 0; i < n; i++)
      if (tir__is_float(t.dtype))
        tsr_put_float(&t, i, ((double)roll(g, 4000) - 2000) / 64);
      else
        tsr_put_int(&t, i,
                    roll(g, 4) ? (int64_t)roll(g, 20) - 6 : (int64_t)next_random(&g->seed) << 31);
  }
}

static bool same_numbers(const struct tsr_tensor *x, const struct tsr_tensor *y, int64_t n,
                         int64_t *at)
{
  for (int64_t i = 0; i < n; i++) {
    bool real = tir__is_float(x->dtype);
    double v = tsr_get_float(x, i), w = tsr_get_float(y, i);
    *at = i;
    if (real ? !(v == w || (isnan(v) && isnan(w))) : tsr_get_int(x, i) != tsr_get_int(y, i))
      return false;
  }
  return true;
}

/* Returns whether the func ran; it may be one that must be refused. */
static bool play(struct game *g)
{
  static const int64_t extents[] = {1, 2, 3, 5, 16, 40};
  struct tsr_tensor out = {.dtype = (enum tsr_dtype)roll(g, TSR_DTYPE_COUNT),
                           .rank = (int)roll(g, AXES + 1)};
  struct tsr_err err = {0};
  int64_t n = 1, reduce[2], at;
  g->f = tir_func_new(g->a, "f");
  make_inputs(g);
  for (int i = 0; i < out.rank; i++)
    n *= out.dims[i] = extents[roll(g, n > 50 ? 3 : 6)];
  bool combines = out.dtype != TSR_BOOL && !tsr_dtype_is_half(out.dtype);
  enum tir_combine combine = combines ? (enum tir_combine)roll(g, 5) : TIR_ASSIGN;
  int axes = combine == TIR_ASSIGN ? 0 : (int)roll(g, 3);
  for (int i = 0; i < axes; i++)
    reduce[i] = extents[roll(g, n > 200 ? 3 : 5)];
  struct tir_buffer *y = tir_func_output(g->a, g->f, "y", out.dtype, out.rank, out.dims);
  const char *names = "a b c d e";
  g->s = tir_func_stage(g->a, g->f, "s", y,
                        names + (out.rank + axes ? 10 - 2 * (out.rank + axes) : 9), axes, reduce);
  g->s->combine = combine;
  g->s->init = combine == TIR_ASSIGN      ? NULL
               : tir__is_float(out.dtype) ? tir_float(g->a, out.dtype, 1.5)
                                          : tir_int(g->a, out.dtype, 3);
  g->s->value = random_expr(g, out.dtype, 4);
  if (tir_func_verify(&err, g->f) != TSR_OK) /* a load left as it is may be outside for sure */
    return false;
  out.data = tsr_arena_alloc(g->a, (size_t)n * 8 + 8);
  struct tsr_tensor wanted = out;
  wanted.data = tsr_arena_alloc(g->a, (size_t)n * 8 + 8);
  g->data[TSR_DTYPE_COUNT] = out.data;
  g->refused = false;
  walk_stage(g, &wanted);
  enum tsr_status status = tir_func_run(g->a, &err, g->f, g->data);
  const char *text = tir_func_print(g->a, g->f);
  if ((status != TSR_OK) != g->refused)
    fail_msg("%s\nrefused: %d, should be: %d; %s", text, status != TSR_OK, g->refused, err.text);
  if (!g->refused && !same_numbers(&out, &wanted, n, &at))
    fail_msg("%s\nelement %lld differs", text, (long long)at);
  struct tir_func *again = func_of(g->a, text);
  assert_string_equal(text, tir_func_print(g->a, again));
  return !g->refused;
}

static void test_random_funcs(void **state)
{
  int ran = 0;
  (void)state;
  for (uint64_t round = 0; round < 1500; round++) {
    struct game g = {.a = tsr_arena_new(NULL), .seed = round * 7919 + 1};
    if (round % 500 == 0)
      print_message("round %llu, seed %llu\n", (unsigned long long)round,
                    (unsigned long long)g.seed);
    ran += play(&g);
    tsr_arena_free(g.a);
  }
  assert_true(ran > 700);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_funcs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

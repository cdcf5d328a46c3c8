/* SPDX-License-Identifier: Apache-2.0 */
/* The integer ops against plain C, what is refused, and running out of memory. */
#include "base/arith.h"
#include "compiler/graph/graph.h"
#include "tests/base/cases.h"

struct bench {
  struct tsr_arena *a;
  struct tsr_graph *g;
  struct tsr_err err;
  uint64_t seed;
};

static void bench_open(struct bench *b, uint64_t seed)
{
  *b = (struct bench){.a = tsr_arena_new(NULL), .seed = seed};
  assert_non_null(b->a);
  b->g = tsr_graph_new(b->a, "bench");
}

static int between(struct bench *b, int low, int high)
{
  return low + (int)(next_random(&b->seed) % (uint64_t)(high - low + 1));
}

static int8_t *bytes(struct bench *b, int64_t n)
{
  int8_t *p = tsr_arena_alloc(b->a, (size_t)n + 1);
  for (int64_t i = 0; i < n; i++)
    p[i] = (int8_t)next_random(&b->seed);
  return p;
}

static int32_t *words(struct bench *b, int64_t n, int32_t low, int32_t high)
{
  int32_t *p = TSR_NEW_ARRAY(b->a, int32_t, n + 1);
  for (int64_t i = 0; i < n; i++)
    p[i] = low + (int32_t)(next_random(&b->seed) % ((uint64_t)((int64_t)high - low) + 1));
  return p;
}

static int32_t *packs(struct bench *b, int64_t n)
{
  int32_t *p = TSR_NEW_ARRAY(b->a, int32_t, n + 1);
  for (int64_t i = 0; i < n; i++) {
    int lo = between(b, -128, 0);
    p[i] = tsr_quant_pack(between(b, 34, 42), between(b, -20, 20), lo, between(b, lo, 127));
  }
  return p;
}

static struct tsr_value *constant(struct bench *b, enum tsr_dtype dtype, int rank,
                                  const int64_t *dims, const void *data)
{
  return tsr_graph_constant(b->g, "c", dtype, rank, dims, data);
}

static struct tsr_node *node(struct bench *b, enum tsr_gop op, int inputs)
{
  struct tsr_node *n = tsr_graph_node(b->g, op, "n", inputs, 1);
  tsr_node_set_output(n, 0, tsr_graph_value(b->g, "y"));
  return n;
}

/* Infers and runs; the graph's one output is n's. */
static const int8_t *run(struct bench *b, struct tsr_node *n, const struct tsr_tensor *inputs,
                         int64_t expected)
{
  struct tsr_tensor y;
  tsr_graph_output(b->g, n->out[0]);
  if (tsr_graph_infer(&b->err, b->g) || tsr_graph_verify(&b->err, b->g) ||
      tsr_graph_run(b->a, &b->err, b->g, inputs, &y, NULL, NULL))
    fail_msg("%s", b->err.text);
  assert_int_equal(tsr_tensor_count(&y), expected);
  return y.data;
}

static struct tsr_tensor input(struct bench *b, int rank, const int64_t *dims)
{
  struct tsr_tensor t = {.dtype = TSR_I8, .rank = rank};
  memcpy(t.dims, dims, (size_t)rank * sizeof *dims);
  t.data = bytes(b, tsr_tensor_count(&t));
  tsr_graph_input(b->g, "x", TSR_I8, rank, dims);
  return t;
}

/* --- windows ---------------------------------------------------------------------------------- */

struct window {
  int64_t n, c, h, w, k, s, d, p, q, oh,
      ow; /* kernel, stride, dilation, pads top left and bottom right */
};

static struct window window(struct bench *b, int channels)
{
  struct window v = {.n = between(b, 1, 2), .c = channels, .k = between(b, 1, 3)};
  v.s = between(b, 1, 3);
  v.d = between(b, 1, 2);
  v.p = between(b, 0, 2);
  v.q = between(b, 0, 2);
  v.h = between(b, 6, 9);
  v.w = between(b, 6, 9);
  v.oh = (v.h + v.p + v.q - (v.k - 1) * v.d - 1) / v.s + 1;
  v.ow = (v.w + v.p + v.q - (v.k - 1) * v.d - 1) / v.s + 1;
  return v;
}

static void set_window(struct bench *b, struct tsr_node *n, const struct window *v, bool kernel)
{
  tsr_node_set_ints(b->g, n, "strides", 2, (int64_t[]){v->s, v->s});
  tsr_node_set_ints(b->g, n, "pads", 4, (int64_t[]){v->p, v->p, v->q, v->q});
  if (kernel)
    tsr_node_set_ints(b->g, n, "kernel", 2, (int64_t[]){v->k, v->k});
}

/* x at (n, c, row, column) of the padded input */
static int at(const struct window *v, const int8_t *x, int64_t n, int64_t c, int64_t row,
              int64_t column, int around)
{
  row -= v->p;
  column -= v->p;
  if (row < 0 || row >= v->h || column < 0 || column >= v->w)
    return around;
  return x[((n * v->c + c) * v->h + row) * v->w + column];
}

/* (group, channels in and out of one group) */
static void one_qconv(uint64_t seed, int64_t group, int64_t in, int64_t out)
{
  struct bench b;
  bench_open(&b, seed);
  struct window v = window(&b, (int)(group * in));
  int64_t oc = group * out;
  struct tsr_tensor x = input(&b, 4, (int64_t[]){v.n, v.c, v.h, v.w});
  int8_t *w = bytes(&b, oc * in * v.k * v.k);
  int32_t *bias = words(&b, oc, -5000, 5000), *mult = words(&b, oc, 1 << 28, INT32_MAX);
  int32_t *pack = packs(&b, oc);
  int zero = between(&b, -128, 127);
  struct tsr_node *n = node(&b, TSR_G_QConv, 5);
  n->in[0] = b.g->input[0];
  n->in[1] = constant(&b, TSR_I8, 4, (int64_t[]){oc, in, v.k, v.k}, w);
  n->in[2] = constant(&b, TSR_I32, 1, &oc, bias);
  n->in[3] = constant(&b, TSR_I32, 1, &oc, mult);
  n->in[4] = constant(&b, TSR_I32, 1, &oc, pack);
  set_window(&b, n, &v, false);
  tsr_node_set_ints(b.g, n, "dilations", 2, (int64_t[]){v.d, v.d});
  tsr_node_set_int(b.g, n, "group", group);
  tsr_node_set_int(b.g, n, "x_zero", zero);
  const int8_t *y = run(&b, n, &x, v.n * oc * v.oh * v.ow);
  for (int64_t i = 0; i < v.n * oc * v.oh * v.ow; i++) {
    int64_t column = i % v.ow, row = i / v.ow % v.oh, o = i / (v.ow * v.oh) % oc;
    int32_t sum = 0;
    for (int64_t k = 0; k < in * v.k * v.k; k++) {
      int64_t kw = k % v.k, kh = k / v.k % v.k, ic = k / (v.k * v.k);
      sum += w[o * in * v.k * v.k + k] * at(&v, x.data, i / (v.ow * v.oh * oc), o / out * in + ic,
                                            row * v.s + kh * v.d, column * v.s + kw * v.d, zero);
    }
    assert_int_equal(y[i], tsr_quant_i32(sum, bias[o], mult[o], pack[o]));
  }
  tsr_arena_free(b.a);
}

static void qconv(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 6; seed++) {
    one_qconv(seed, 1, 3, 4);
    one_qconv(seed, 2, 2, 3);
    one_qconv(seed, 5, 1, 1);
    one_qconv(seed, 3, 1, 2);
  }
}

/* Both pools: the maximum, or the sum through quant. */
static void one_pool(uint64_t seed, bool mean)
{
  struct bench b;
  bench_open(&b, seed);
  struct window v = window(&b, 3);
  int32_t bias = between(&b, -500, 500), mult = *words(&b, 1, 1 << 28, INT32_MAX),
          pack = *packs(&b, 1);
  int zero = mean ? between(&b, -128, 127) : -128;
  if (mean) {
    v.d = 1;
    v.oh = (v.h + v.p + v.q - v.k) / v.s + 1;
    v.ow = (v.w + v.p + v.q - v.k) / v.s + 1;
  }
  struct tsr_tensor x = input(&b, 4, (int64_t[]){v.n, v.c, v.h, v.w});
  struct tsr_node *n = node(&b, mean ? TSR_G_QAvgPool : TSR_G_QMaxPool, 1);
  n->in[0] = b.g->input[0];
  set_window(&b, n, &v, true);
  if (mean) {
    tsr_node_set_int(b.g, n, "x_zero", zero);
    tsr_node_set_int(b.g, n, "bias", bias);
    tsr_node_set_int(b.g, n, "mult", mult);
    tsr_node_set_int(b.g, n, "pack", pack);
  } else {
    tsr_node_set_ints(b.g, n, "dilations", 2, (int64_t[]){v.d, v.d});
  }
  const int8_t *y = run(&b, n, &x, v.n * v.c * v.oh * v.ow);
  for (int64_t i = 0; i < v.n * v.c * v.oh * v.ow; i++) {
    int64_t column = i % v.ow, row = i / v.ow % v.oh, plane = i / (v.ow * v.oh);
    int sum = 0, most = -128;
    for (int64_t k = 0; k < v.k * v.k; k++) {
      int e = at(&v, x.data, plane / v.c, plane % v.c, row * v.s + k / v.k * v.d,
                 column * v.s + k % v.k * v.d, zero);
      sum += e;
      most = e > most ? e : most;
    }
    assert_int_equal(y[i], mean ? tsr_quant_i32(sum, bias, mult, pack) : most);
  }
  tsr_arena_free(b.a);
}

static void qpools(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 8; seed++) {
    one_pool(seed, false);
    one_pool(seed, true);
  }
}

/* --- dense and element-wise ------------------------------------------------------------------- */

static void qdense(void **state)
{
  (void)state;
  struct bench b;
  bench_open(&b, 1);
  enum { N = 3, K = 17, O = 5 };
  struct tsr_tensor x = input(&b, 2, (int64_t[]){N, K});
  int8_t *w = bytes(&b, O * K), *e = x.data;
  int32_t *bias = words(&b, O, -5000, 5000), *mult = words(&b, O, 1 << 28, INT32_MAX);
  int32_t *pack = packs(&b, O);
  struct tsr_node *n = node(&b, TSR_G_QDense, 5);
  n->in[0] = b.g->input[0];
  n->in[1] = constant(&b, TSR_I8, 2, (int64_t[]){O, K}, w);
  n->in[2] = constant(&b, TSR_I32, 1, (int64_t[]){O}, bias);
  n->in[3] = constant(&b, TSR_I32, 1, (int64_t[]){O}, mult);
  n->in[4] = constant(&b, TSR_I32, 1, (int64_t[]){O}, pack);
  const int8_t *y = run(&b, n, &x, N * O);
  for (int i = 0; i < N * O; i++) {
    int32_t sum = 0;
    for (int k = 0; k < K; k++)
      sum += e[i / O * K + k] * w[i % O * K + k];
    assert_int_equal(y[i], tsr_quant_i32(sum, bias[i % O], mult[i % O], pack[i % O]));
  }
  tsr_arena_free(b.a);
}

static void one_pair(uint64_t seed, bool product)
{
  struct bench b;
  bench_open(&b, seed);
  enum { COUNT = 60 };
  int64_t dims[3] = {3, 4, 5};
  struct tsr_tensor in[2] = {input(&b, 3, dims), input(&b, 3, dims)};
  int32_t p = between(&b, product ? -128 : -9999, product ? 127 : 9999);
  int32_t q = between(&b, product ? -128 : -9999, product ? 127 : 9999);
  int32_t bias = between(&b, -500, 500), mult = *words(&b, 1, 1 << 28, INT32_MAX),
          pack = *packs(&b, 1);
  struct tsr_node *n = node(&b, product ? TSR_G_QMul : TSR_G_QAdd, 2);
  n->in[0] = b.g->input[0];
  n->in[1] = b.g->input[1];
  tsr_node_set_int(b.g, n, product ? "x_zero" : "mx", p);
  tsr_node_set_int(b.g, n, product ? "y_zero" : "my", q);
  tsr_node_set_int(b.g, n, "bias", bias);
  tsr_node_set_int(b.g, n, "mult", mult);
  tsr_node_set_int(b.g, n, "pack", pack);
  const int8_t *y = run(&b, n, in, COUNT), *x0 = in[0].data, *x1 = in[1].data;
  for (int i = 0; i < COUNT; i++) {
    int32_t v = product ? (x0[i] - p) * (x1[i] - q) : x0[i] * p + x1[i] * q;
    assert_int_equal(y[i], tsr_quant_i32(v, bias, mult, pack));
  }
  tsr_arena_free(b.a);
}

static void qadd_and_qmul(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 4; seed++) {
    one_pair(seed, false);
    one_pair(seed, true);
  }
}

static void qlut(void **state)
{
  (void)state;
  struct bench b;
  bench_open(&b, 2);
  struct tsr_tensor x = input(&b, 2, (int64_t[]){8, 64});
  int8_t *table = bytes(&b, 256), *e = x.data;
  for (int i = 0; i < 256; i++)
    e[i] = (int8_t)i;
  struct tsr_node *n = node(&b, TSR_G_QLut, 2);
  n->in[0] = b.g->input[0];
  n->in[1] = constant(&b, TSR_I8, 1, (int64_t[]){256}, table);
  const int8_t *y = run(&b, n, &x, 8 * 64);
  for (int i = 0; i < 8 * 64; i++)
    assert_int_equal(y[i], table[e[i] + 128]);
  tsr_arena_free(b.a);
}

/* Ties go to even and the ends saturate, also where x / scale is far outside. */
static void quantize_rounds_and_saturates(void **state)
{
  (void)state;
  static const float x[] = {0, 1, 3, 5, -1, -3, 1e30f, -1e30f, 253, 254, -256, -257};
  static const int8_t want[] = {3, 3, 5, 5, 3, 1, 127, -128, 127, 127, -125, -125};
  static const float scale = 2;
  static const int8_t zero = 3;
  enum { COUNT = sizeof want };
  struct bench b;
  bench_open(&b, 3);
  int64_t count = COUNT;
  struct tsr_tensor t = {.dtype = TSR_F32, .rank = 1, .dims = {COUNT}, .data = (void *)x};
  struct tsr_node *n = node(&b, TSR_G_QuantizeLinear, 3);
  n->in[0] = tsr_graph_input(b.g, "x", TSR_F32, 1, &count);
  n->in[1] = constant(&b, TSR_F32, 0, NULL, &scale);
  n->in[2] = constant(&b, TSR_I8, 0, NULL, &zero);
  const int8_t *y = run(&b, n, &t, COUNT);
  for (int i = 0; i < COUNT; i++)
    assert_int_equal(y[i], want[i]);
  tsr_arena_free(b.a);
}

/* --- refused ---------------------------------------------------------------------------------- */

/* Each input begins where the one before it has ended. */
static void concat(void **state)
{
  static const int64_t rows[] = {2, 1, 3, 1};
  enum { INPUTS = 4, ALL = 7, COLUMNS = 3, PLANES = 2 };
  struct bench b;
  (void)state;
  bench_open(&b, 7);
  struct tsr_tensor x = input(&b, 3, (int64_t[]){PLANES, rows[0], COLUMNS});
  struct tsr_node *n = node(&b, TSR_G_Concat, INPUTS);
  const int8_t *from[INPUTS] = {x.data};
  n->in[0] = b.g->input[0];
  for (int k = 1; k < INPUTS; k++) {
    int8_t *data = bytes(&b, PLANES * rows[k] * COLUMNS);
    n->in[k] = constant(&b, TSR_I8, 3, (int64_t[]){PLANES, rows[k], COLUMNS}, data);
    from[k] = data;
  }
  tsr_node_set_int(b.g, n, "axis", 1);
  const int8_t *y = run(&b, n, &x, PLANES * ALL * COLUMNS);
  for (int64_t plane = 0; plane < PLANES; plane++)
    for (int k = 0; k < INPUTS; y += rows[k++] * COLUMNS)
      assert_memory_equal(y, from[k] + plane * rows[k] * COLUMNS, (size_t)(rows[k] * COLUMNS));
  tsr_arena_free(b.a);
}

static void every_op_has_a_compute(void **state)
{
  (void)state;
  struct bench b;
  bench_open(&b, 4);
  for (int op = 0; op < TSR_GOP_COUNT; op++) {
    struct tsr_node *n = node(&b, (enum tsr_gop)op, 1);
    struct tir_func *f;
    n->in[0] = tsr_graph_value(b.g, "x");
    assert_int_equal(tsr_node_compute(b.a, &b.err, n, &f), TSR_REFUSED);
    assert_non_null(strstr(b.err.text, "has no compute before value"));
  }
  tsr_arena_free(b.a);
}

/* The compute of a node of typed values is refused with this sentence. */
static void refused(struct bench *b, struct tsr_node *n, enum tsr_dtype dtype, int rank,
                    const int64_t *dims, const char *sentence)
{
  struct tir_func *f;
  n->out[0]->typed = true;
  n->out[0]->dtype = dtype;
  n->out[0]->rank = rank;
  memcpy(n->out[0]->dims, dims, (size_t)rank * sizeof *dims);
  assert_int_equal(tsr_node_compute(b->a, &b->err, n, &f), TSR_REFUSED);
  assert_string_equal(b->err.text, sentence);
  tsr_arena_free(b->a);
}

static struct tsr_node *refused_node(struct bench *b, enum tsr_gop op, int inputs,
                                     enum tsr_dtype dtype)
{
  bench_open(b, 5);
  struct tsr_node *n = node(b, op, inputs);
  for (int k = 0; k < inputs; k++)
    n->in[k] = tsr_graph_input(b->g, "x", dtype, 1, (int64_t[]){4});
  return n;
}

static void what_is_refused(void **state)
{
  (void)state;
  static const int64_t four[] = {4};
  struct bench b;
  refused(&b, refused_node(&b, TSR_G_Exp, 1, TSR_I32), TSR_I32, 1, four,
          "node 'n' (Exp): takes floats, not i32");
  refused(&b, refused_node(&b, TSR_G_Neg, 1, TSR_U8), TSR_U8, 1, four,
          "node 'n' (Neg): takes signed numbers, not u8");
  refused(&b, refused_node(&b, TSR_G_Mod, 2, TSR_F32), TSR_F32, 1, four,
          "node 'n' (Mod): of floats is defined with attribute fmod = 1 only");
  refused(&b, refused_node(&b, TSR_G_MaxPool, 1, TSR_F32), TSR_F32, 1, four,
          "node 'n' (MaxPool): needs attribute kernel_shape with one number for each spatial dim");
  refused(&b, refused_node(&b, TSR_G_ReduceSum, 2, TSR_I64), TSR_I64, 1, four,
          "node 'n' (ReduceSum): its input 'x.1' (axes) must be a constant");
  refused(&b, refused_node(&b, TSR_G_Gather, 2, TSR_F32), TSR_F32, 1, four,
          "node 'n' (Gather): takes integer indices, not f32");
}

/* An index out of range is known only when it runs. */
static void gather_outside(void **state)
{
  (void)state;
  static const int64_t indices[] = {0, -4, 4};
  struct bench b;
  bench_open(&b, 6);
  struct tsr_tensor x = input(&b, 1, (int64_t[]){4}), y;
  struct tsr_node *n = node(&b, TSR_G_Gather, 2);
  n->in[0] = b.g->input[0];
  n->in[1] = constant(&b, TSR_I64, 1, (int64_t[]){3}, indices);
  tsr_graph_output(b.g, n->out[0]);
  assert_int_equal(tsr_graph_infer(&b.err, b.g), TSR_OK);
  assert_int_equal(tsr_graph_run(b.a, &b.err, b.g, &x, &y, NULL, NULL), TSR_REFUSED);
  assert_non_null(strstr(b.err.text, "node 'n' (Gather)"));
  tsr_arena_free(b.a);
}

/* --- memory ----------------------------------------------------------------------------------- */

static enum tsr_status run_in(const struct tsr_allocator *allocator, const struct tsr_graph *g,
                              const struct tsr_tensor *inputs)
{
  struct tsr_arena *a = tsr_arena_new(allocator);
  struct tsr_tensor y;
  struct tsr_err err;
  if (!a || setjmp(*tsr_arena_landing(a))) {
    tsr_arena_free(a);
    return TSR_NO_MEMORY;
  }
  enum tsr_status s = tsr_graph_run(a, &err, g, inputs, &y, NULL, NULL);
  tsr_arena_free(a);
  return s;
}

/* Every allocation fails once: nothing leaks, and then it works. */
static void memory_runs_out(void **state)
{
  (void)state;
  struct bench b;
  bench_open(&b, 7);
  struct tsr_tensor x = input(&b, 2, (int64_t[]){2, 3});
  struct tsr_node *n = node(&b, TSR_G_Transpose, 1), *m = node(&b, TSR_G_Relu, 1);
  n->in[0] = b.g->input[0];
  m->in[0] = n->out[0];
  tsr_graph_output(b.g, m->out[0]);
  assert_int_equal(tsr_graph_infer(&b.err, b.g), TSR_OK);
  enum tsr_status s = TSR_NO_MEMORY;
  for (int k = 0; s != TSR_OK; k++) {
    struct counting c;
    counting_init(&c, k);
    s = run_in(&c.allocator, b.g, &x);
    assert_int_equal(c.live, 0);
    assert_int_equal(s, c.refused ? TSR_NO_MEMORY : TSR_OK);
  }
  tsr_arena_free(b.a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(qconv),
      cmocka_unit_test(qpools),
      cmocka_unit_test(qdense),
      cmocka_unit_test(qadd_and_qmul),
      cmocka_unit_test(qlut),
      cmocka_unit_test(quantize_rounds_and_saturates),
      cmocka_unit_test(concat),
      cmocka_unit_test(every_op_has_a_compute),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(gather_outside),
      cmocka_unit_test(memory_runs_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

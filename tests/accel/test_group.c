/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of more than one node: which nodes they are, the bytes that they no longer move, and
 * the bits of the same network with every node a layer of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/arith.h"
#include "compiler/compile.h"
#include "isa/isa.h"
#include "runtime/executor.h"
#include "runtime/measure.h"
#include "tests/accel/random_net.h"

enum { CHANNELS = 24, WIDE = 144, ROWS = 28, COLUMNS = 28 };

struct net {
  struct tsr_arena *a;
  struct tsr_graph *g;
  struct random r;
};

static struct net net_new(void)
{
  struct net n = {.a = tsr_arena_new(NULL), .r = {7}};
  assert_non_null(n.a);
  n.g = tsr_graph_new(n.a, "net");
  return n;
}

static struct tsr_value *drawn(struct net *n, enum tsr_dtype dtype, int rank, const int64_t *dims,
                               int64_t lo, int64_t hi)
{
  struct tsr_tensor t = {.dtype = dtype, .rank = rank};
  memcpy(t.dims, dims, sizeof *dims * (size_t)rank);
  t.data = tsr_arena_alloc(n->a, tsr_tensor_bytes(&t));
  for (int64_t k = 0; k < tsr_tensor_count(&t); k++)
    tsr_put_int(&t, k, random_in(&n->r, lo, hi));
  return tsr_graph_constant(n->g, "c", dtype, rank, dims, t.data);
}

static struct tsr_value *finish(struct net *n, struct tsr_node *node)
{
  struct tsr_err err;
  tsr_node_set_output(node, 0, tsr_graph_value(n->g, "v"));
  if (tsr_graph_infer(&err, n->g))
    fail_msg("%s", err.text);
  return node->out[0];
}

static struct tsr_value *input(struct net *n)
{
  return tsr_graph_input(n->g, "x", TSR_I8, 4, (int64_t[4]){1, CHANNELS, ROWS, COLUMNS});
}

static struct tsr_value *conv(struct net *n, const char *name, struct tsr_value *x, int64_t out,
                              int64_t group, int64_t kernel)
{
  int64_t dims[4] = {out, x->dims[1] / group, kernel, kernel}, at = kernel / 2;
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QConv, name, 5, 1);
  node->in[0] = x;
  node->in[1] = drawn(n, TSR_I8, 4, dims, -127, 127);
  node->in[2] = drawn(n, TSR_I32, 1, &out, -3000, 3000);
  node->in[3] = drawn(n, TSR_I32, 1, &out, 1 << 30, INT32_MAX);
  int32_t *pack = TSR_NEW_ARRAY(n->a, int32_t, out);
  for (int64_t k = 0; k < out; k++)
    pack[k] = tsr_quant_pack(40, (int)random_in(&n->r, -20, 20), -128, 127);
  node->in[4] = tsr_graph_constant(n->g, "pack", TSR_I32, 1, &out, pack);
  tsr_node_set_ints(n->g, node, "strides", 2, (int64_t[2]){1, 1});
  tsr_node_set_ints(n->g, node, "pads", 4, (int64_t[4]){at, at, at, at});
  tsr_node_set_ints(n->g, node, "dilations", 2, (int64_t[2]){1, 1});
  tsr_node_set_int(n->g, node, "group", group);
  tsr_node_set_int(n->g, node, "x_zero", -5);
  return finish(n, node);
}

static struct tsr_value *add(struct net *n, const char *name, struct tsr_value *x,
                             struct tsr_value *y)
{
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QAdd, name, 2, 1);
  node->in[0] = x;
  node->in[1] = y;
  tsr_node_set_int(n->g, node, "mx", 3000000);
  tsr_node_set_int(n->g, node, "my", -2000000);
  tsr_node_set_int(n->g, node, "bias", 17);
  tsr_node_set_int(n->g, node, "mult", 1 << 30);
  tsr_node_set_int(n->g, node, "pack", tsr_quant_pack(52, 3, -128, 127));
  return finish(n, node);
}

/* pointwise, depthwise, pointwise, and the sum with the input. */
static struct tsr_value *inverted_residual(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = conv(n, "expand", x, WIDE, 1, 1);
  y = conv(n, "depthwise", y, WIDE, WIDE, 3);
  return add(n, "sum", x, conv(n, "project", y, CHANNELS, 1, 1));
}

/* What comes of it at a design point; options {0}: without a search. */
struct made {
  struct tsr_module *m;
  const char *layers;             /* their nodes' names */
  uint64_t read, written, cycles; /* cycles: as they were measured */
  size_t elements;                /* of the output */
};

static struct made compiled(struct net *n, const char *point,
                            const struct tsr_compile_options *options)
{
  struct made made = {.layers = ""};
  struct tsr_design d;
  struct tsr_err err;
  if (tsr_design_open(n->a, &err, point, &d) ||
      tsr_compile_graph(n->a, &err, n->g, &d, options, &made.m))
    fail_msg("%s", err.text);
  for (int k = 0; k < made.m->layers; k++) {
    const struct tsr_module_layer *l = &made.m->layer[k];
    if (strcmp(l->target, "accel"))
      continue;
    made.layers = tsr_arena_printf(n->a, "%s%s%s", made.layers, *made.layers ? "; " : "",
                                   l->nodes ? l->nodes : l->name);
    made.read += l->dram_read_bytes;
    made.written += l->dram_write_bytes;
    made.cycles += l->found_cycles;
  }
  const struct tsr_module_buffer *y = &made.m->buffer[made.m->output[0]];
  made.elements = (size_t)tsr_count(y->dims, y->rank, 1);
  return made;
}

/* The output on the functional device; `check`: its layers are compared with the interpreter. */
static const int8_t *output_of(struct net *n, const struct tsr_module *m, bool check)
{
  struct tsr_executor *e;
  struct tsr_difference difference;
  struct tsr_err err;
  struct random r = {99};
  if (tsr_executor_open(n->a, &err, m, "func", &e))
    fail_msg("%s", err.text);
  int8_t *x = tsr_executor_buffer(e, m->input[0]);
  for (int k = 0; k < CHANNELS * ROWS * COLUMNS; k++)
    x[k] = (int8_t)random_in(&r, -128, 127);
  if (tsr_executor_run(e, &err) || (check && tsr_executor_check(e, &err, &difference)))
    fail_msg("%s", err.text);
  const struct tsr_module_buffer *b = &m->buffer[m->output[0]];
  size_t bytes = (size_t)tsr_count(b->dims, b->rank, 1);
  const int8_t *y = tsr_arena_copy(n->a, tsr_executor_buffer(e, m->output[0]), bytes);
  tsr_executor_close(e);
  return y;
}

/* Two convolutions, of which the one with more products takes the sum. */
static struct tsr_value *residual(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = conv(n, "large", x, CHANNELS, 1, 3);
  return add(n, "sum", conv(n, "small", x, CHANNELS, 1, 1), y);
}

/* Somebody else reads what could be fed to the depthwise convolution. */
static struct tsr_value *shared(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = conv(n, "first", x, CHANNELS, 1, 1);
  struct tsr_value *z = conv(n, "depthwise", y, CHANNELS, CHANNELS, 3);
  return add(n, "sum", y, conv(n, "project", z, CHANNELS, 1, 1));
}

/* A convolution that is the only one to read another one's result. */
static struct tsr_value *pair(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = conv(n, "first", x, CHANNELS, 1, 3);
  return add(n, "sum", conv(n, "second", y, CHANNELS, 1, 3), x);
}

/* The same of a pool. */
static struct tsr_value *pooled(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = conv(n, "first", x, CHANNELS, 1, 3);
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QMaxPool, "pool", 1, 1);
  node->in[0] = y;
  tsr_node_set_ints(n->g, node, "kernel", 2, (int64_t[2]){3, 3});
  tsr_node_set_ints(n->g, node, "strides", 2, (int64_t[2]){2, 2});
  tsr_node_set_ints(n->g, node, "pads", 4, (int64_t[4]){1, 1, 1, 1});
  tsr_node_set_ints(n->g, node, "dilations", 2, (int64_t[2]){1, 1});
  return finish(n, node);
}

/* Sums of a map of many channels, for which a bank of ACC has no room, and both have. */
static struct tsr_value *deep(struct net *n, struct tsr_value *x)
{
  return conv(n, "deep", pooled(n, x), 2 * WIDE, 1, 3);
}

typedef struct tsr_value *network(struct net *n, struct tsr_value *x);

static struct net built(network *make)
{
  struct net n = net_new();
  tsr_graph_output(n.g, make(&n, input(&n)));
  return n;
}

/* Whoever changes what is grouped, or what it moves, sees here what it is worth. */
static const struct row {
  network *make;
  const char *point, *layers;
  uint64_t read, written;             /* bytes */
  uint64_t apart_read, apart_written; /* with a layer for each node */
} rows[] = {
    {inverted_residual, "default", "expand, depthwise, project, sum", 77136, 25088, 329856, 275968},
    {inverted_residual, "tiny", "expand; depthwise, project, sum", 468784, 131712, 375152, 263424},
    {inverted_residual, "ecp5", "expand, depthwise, project, sum", 56528, 18816, 308176, 263424},
    {inverted_residual, "wide", "expand, depthwise, project, sum", 75592, 25088, 358736, 301056},
    {inverted_residual, "batch2", "expand, depthwise, project, sum", 143712, 50176, 650144, 551936},
    {residual, "default", "small; large, sum", 236640, 50176, 261728, 75264},
    {residual, "tiny", "small; large, sum", 100616, 37632, 119432, 56448},
    {shared, "default", "first; depthwise, project, sum", 85488, 50176, 138896, 100352},
    {shared, "wide", "first; depthwise; project, sum", 112624, 75264, 137712, 100352},
};

/* The same with schedules that were searched for: cycles as they were measured, of all layers. */
static const struct searched {
  network *make;
  const char *point, *layers;
  uint64_t cycles, bytes, apart_cycles, apart_bytes;
} searched[] = {
    {pair, "default", "first, second, sum", 53671, 245296, 60966, 348848},
    {pair, "tiny", "first; second, sum", 514388, 180112, 530768, 217744},
    {pair, "ecp5", "first, second, sum", 131962, 69728, 136992, 158064},
    {pair, "wide", "first, second, sum", 15961, 245872, 18001, 349584},
    {pair, "batch2", "first, second, sum", 52925, 474784, 59896, 681008},
    {pooled, "default", "first, pool", 27645, 190232, 28636, 241008},
    {pooled, "tiny", "first; pool", 269423, 104768, 269423, 104768},
    {pooled, "ecp5", "first, pool", 69645, 30056, 70941, 74816},
    {pooled, "wide", "first, pool", 8656, 190104, 9639, 240992},
    {pooled, "batch2", "first, pool", 27051, 373144, 28010, 474736},
    {deep, "default", "first, pool; deep", 93418, 339464, 94409, 390240},
};

static bool as_searched(const struct searched *row)
{
  struct net n = built(row->make), m = built(row->make);
  const struct tsr_tune_options some = {TSR_TUNE_SOME, tsr__measure_cycles, NULL, NULL};
  struct made a = compiled(&n, row->point, &(struct tsr_compile_options){.tune = some}),
              b = compiled(&m, row->point,
                           &(struct tsr_compile_options){.tune = some, .apart = true});
  assert_memory_equal(output_of(&n, a.m, true), output_of(&m, b.m, false), a.elements);
  bool same = !strcmp(a.layers, row->layers) && a.cycles == row->cycles &&
              a.read + a.written == row->bytes && b.cycles == row->apart_cycles &&
              b.read + b.written == row->apart_bytes;
  if (!same)
    print_error("\"%s\", \"%s\", %llu, %llu, %llu, %llu is found\n", row->point, a.layers,
                (unsigned long long)a.cycles, (unsigned long long)(a.read + a.written),
                (unsigned long long)b.cycles, (unsigned long long)(b.read + b.written));
  tsr_arena_free(n.a);
  tsr_arena_free(m.a);
  return same;
}

static void cycles_and_bytes(void **state)
{
  (void)state;
  int differing = 0;
  for (size_t k = 0; k < sizeof searched / sizeof searched[0]; k++)
    differing += !as_searched(&searched[k]);
  assert_int_equal(differing, 0);
}

static bool as_expected(const struct row *row)
{
  struct net n = built(row->make), m = built(row->make); /* compiling changes a graph */
  struct made a = compiled(&n, row->point, &(struct tsr_compile_options){.apart = false}),
              b = compiled(&m, row->point, &(struct tsr_compile_options){.apart = true});
  assert_memory_equal(output_of(&n, a.m, true), output_of(&m, b.m, false), a.elements);
  assert_null(strchr(b.layers, ','));
  bool same = !strcmp(a.layers, row->layers) && a.read == row->read && a.written == row->written &&
              b.read == row->apart_read && b.written == row->apart_written;
  if (!same)
    print_error("\"%s\", \"%s\", %llu, %llu, %llu, %llu is found\n", row->point, a.layers,
                (unsigned long long)a.read, (unsigned long long)a.written,
                (unsigned long long)b.read, (unsigned long long)b.written);
  tsr_arena_free(n.a);
  tsr_arena_free(m.a);
  return same;
}

static void bytes_and_bits(void **state)
{
  (void)state;
  int differing = 0;
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
    differing += !as_expected(&rows[k]);
  assert_int_equal(differing, 0);
}

/* A schedule is given to a layer by the name of its first node; the others have no layer. */
static void schedules_that_are_given(void **state)
{
  (void)state;
  struct net n = built(inverted_residual), m = built(inverted_residual),
             o = built(inverted_residual);
  struct tsr_compile_options options = {.apart = false};
  struct made found = compiled(&n, "default", &options);
  options.layer = "expand";
  options.schedule = found.m->layer[1].schedule;
  assert_string_equal(found.m->layer[1].name, options.layer);
  struct made again = compiled(&m, "default", &options);
  assert_string_equal(again.layers, found.layers);
  assert_int_equal(again.m->insn_count, found.m->insn_count);
  assert_memory_equal(again.m->insns, found.m->insns, found.m->insn_count * TSR_INSN_BYTES);
  struct tsr_design d;
  struct tsr_err err;
  struct tsr_module *none;
  options.layer = "depthwise";
  assert_int_equal(tsr_design_open(o.a, &err, "default", &d), TSR_OK);
  assert_int_equal(tsr_compile_graph(o.a, &err, o.g, &d, &options, &none), TSR_REFUSED);
  assert_string_equal(err.text,
                      "'depthwise' is no layer of its own: it is computed in layer 'expand'");
  tsr_arena_free(n.a);
  tsr_arena_free(m.a);
  tsr_arena_free(o.a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_and_bits),
                                     cmocka_unit_test(cycles_and_bytes),
                                     cmocka_unit_test(schedules_that_are_given)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of more than one node: which nodes they are, the bytes that they no longer move, and
 * the bits of the same network with every node a layer of its own. */
#include "tests/accel/small_net.h"

#include <string.h>

#include "isa/isa.h"
#include "runtime/measure.h"

enum { CHANNELS = 24, WIDE = 144, ROWS = 28, COLUMNS = 28 };

/* pointwise, depthwise, pointwise, and the sum with the input. */
static struct tsr_value *inverted_residual(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "expand", x, WIDE, 1, 1);
  y = net_conv(n, "depthwise", y, WIDE, WIDE, 3);
  return net_add(n, "sum", x, net_conv(n, "project", y, CHANNELS, 1, 1));
}

/* Two convolutions, of which the one with more products takes the sum. */
static struct tsr_value *residual(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "large", x, CHANNELS, 1, 3);
  return net_add(n, "sum", net_conv(n, "small", x, CHANNELS, 1, 1), y);
}

/* Somebody else reads what could be fed to the depthwise convolution. */
static struct tsr_value *shared(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "first", x, CHANNELS, 1, 1);
  struct tsr_value *z = net_conv(n, "depthwise", y, CHANNELS, CHANNELS, 3);
  return net_add(n, "sum", y, net_conv(n, "project", z, CHANNELS, 1, 1));
}

/* A convolution that is the only one to read another one's result. */
static struct tsr_value *pair(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "first", x, CHANNELS, 1, 3);
  return net_add(n, "sum", net_conv(n, "second", y, CHANNELS, 1, 3), x);
}

/* The same of a pool. */
static struct tsr_value *pooled(struct net *n, struct tsr_value *x)
{
  return net_max_pool(n, "pool", net_conv(n, "first", x, CHANNELS, 1, 3));
}

/* Sums of a map of many channels, for which a bank of ACC has no room, and both have. */
static struct tsr_value *deep(struct net *n, struct tsr_value *x)
{
  return net_conv(n, "deep", pooled(n, x), 2 * WIDE, 1, 3);
}

typedef struct tsr_value *network(struct net *n, struct tsr_value *x);

static struct net built(network *make)
{
  struct net n = net_new();
  tsr_graph_output(n.g, make(&n, net_input(&n, CHANNELS, ROWS, COLUMNS)));
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
    {residual, "default", "small; large, sum", 211896, 25088, 261728, 75264},
    {residual, "tiny", "small; large, sum", 100616, 37632, 119432, 56448},
    {shared, "default", "first; depthwise, project, sum", 30224, 25088, 138896, 100352},
    {shared, "wide", "first; depthwise; project, sum", 32408, 25088, 137712, 100352},
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
    {deep, "default", "first, pool; deep", 93113, 327104, 94409, 390240},
};

static bool as_searched(const struct searched *row)
{
  struct net n = built(row->make), m = built(row->make);
  const struct tsr_tune_options some = {TSR_TUNE_SOME, tsr__measure_cycles, NULL, NULL};
  struct made a = net_compiled(&n, row->point, &(struct tsr_compile_options){.tune = some}),
              b = net_compiled(&m, row->point,
                               &(struct tsr_compile_options){.tune = some, .apart = true});
  assert_memory_equal(net_output(&n, a.m, true), net_output(&m, b.m, false), a.elements);
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
  struct made a = net_compiled(&n, row->point, &(struct tsr_compile_options){.apart = false}),
              b = net_compiled(&m, row->point, &(struct tsr_compile_options){.apart = true});
  assert_memory_equal(net_output(&n, a.m, true), net_output(&m, b.m, false), a.elements);
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
  struct made found = net_compiled(&n, "default", &options);
  options.layer = "expand";
  options.schedule = found.m->layer[1].schedule;
  assert_string_equal(found.m->layer[1].name, options.layer);
  struct made again = net_compiled(&m, "default", &options);
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

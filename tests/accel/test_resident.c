/* SPDX-License-Identifier: Apache-2.0 */
/* Maps that stay in INP from layer to layer: which, the bytes that they no longer move, the cycles, and the bits
 * of the same network with a layer for each op. */
#include "tests/accel/small_net.h"

#include <string.h>

#include "isa/isa.h"
#include "runtime/executor.h"
#include "runtime/measure.h"

enum { CHANNELS = 24, SIDE = 8 };

static struct tsr_value *max_pool_and_more(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_max_pool(n, "pool", net_conv(n, "first", x, 2 * CHANNELS, 1, 3));
  return net_conv(n, "third", net_conv(n, "second", y, CHANNELS, 1, 3), CHANNELS, 1, 1);
}

/* Read by windows of two paddings, and by a sum. */
static struct tsr_value *three_readers(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "first", x, CHANNELS, 1, 3);
  struct tsr_value *a = net_conv(n, "five", y, CHANNELS, 1, 5),
                   *b = net_conv(n, "three", y, CHANNELS, 1, 3);
  return net_add(n, "sum", net_add(n, "both", a, b), y);
}

/* Two maps in turn, and one from the beginning to the end. */
static struct tsr_value *long_skip(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "first", x, CHANNELS, 1, 1), *z = y;
  z = net_conv(n, "a", z, CHANNELS, 1, 3);
  z = net_lut(n, "table", z);
  z = net_conv(n, "depthwise", z, CHANNELS, CHANNELS, 3);
  z = net_add(n, "middle", z, z);
  z = net_conv(n, "b", z, CHANNELS, 1, 3);
  return net_add(n, "sum", z, y);
}

/* One reader wants another value around the map. */
static struct tsr_value *two_values(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "first", x, CHANNELS, 1, 3);
  return net_add(n, "sum", net_max_pool(n, "pool", y),
                 net_max_pool(n, "other", net_conv(n, "second", y, CHANNELS, 1, 3)));
}

/* What is joined lies in another map; an output is memory's. */
static struct tsr_value *joined(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "first", x, CHANNELS, 1, 3);
  struct tsr_value *parts[] = {net_conv(n, "a", y, 32, 1, 3), net_conv(n, "b", y, 32, 1, 3)};
  struct tsr_value *z = net_conv(n, "last", net_concat(n, "joined", 2, parts), CHANNELS, 1, 1);
  tsr_graph_output(n->g, z);
  return net_conv(n, "behind", z, CHANNELS, 1, 3);
}

typedef struct tsr_value *network(struct net *n, struct tsr_value *x);

static struct net built(network *make)
{
  struct net n = net_new();
  tsr_graph_output(n.g, make(&n, net_input(&n, CHANNELS, SIDE, SIDE)));
  return n;
}

/* Whoever changes what stays, or what it is worth, sees it here. cost: what is weighed, of the search; the same of
 * each op as a layer of its own. */
static const struct row {
  network *make;
  const char *point, *stay;
  uint64_t cycles, bytes, apart_cycles, apart_bytes;
} rows[] = {
    {max_pool_and_more, "default", "first; second", 7033, 43032, 7293, 50768},
    {max_pool_and_more, "wide", "", 2954, 52424, 3641, 61608},
    {three_readers, "default", "first; three; five", 13744, 61728, 14833, 86688},
    {long_skip, "default", "first; a; depthwise; middle", 8276, 27544, 10149, 61008},
    {long_skip, "tiny", "first", 51127, 33932, 54654, 38696},
    {long_skip, "ecp5", "first; a; depthwise; middle", 14902, 16968, 16530, 42072},
    {long_skip, "wide", "first; a; depthwise; middle", 4077, 29576, 5986, 56272},
    {long_skip, "batch2", "first; a; depthwise; middle", 7963, 34952, 10416, 93680},
    {two_values, "default", "second; pool", 7607, 39824, 7338, 47464},
    {joined, "default", "first", 12647, 70776, 12644, 80912},
};

static struct made searched(struct net *n, const char *point, bool apart)
{
  const struct tsr_tune_options some = {TSR_TUNE_SOME, tsr__measure_cycles, NULL, NULL};
  return net_compiled(n, point, &(struct tsr_compile_options){.tune = some, .apart = apart});
}

static bool as_expected(const struct row *row)
{
  struct net n = built(row->make), m = built(row->make); /* compiling changes a graph */
  struct made a = searched(&n, row->point, false), b = searched(&m, row->point, true);
  assert_memory_equal(net_output(&n, a.m, true), net_output(&m, b.m, false), a.elements);
  assert_string_equal(b.stay, "");
  bool same = !strcmp(a.stay, row->stay) && a.cycles == row->cycles &&
              a.read + a.written == row->bytes && b.cycles == row->apart_cycles &&
              b.read + b.written == row->apart_bytes;
  if (!same)
    print_error("\"%s\", \"%s\", %llu, %llu, %llu, %llu is found (%s)\n", row->point, a.stay,
                (unsigned long long)a.cycles, (unsigned long long)(a.read + a.written),
                (unsigned long long)b.cycles, (unsigned long long)(b.read + b.written), a.layers);
  tsr_arena_free(n.a);
  tsr_arena_free(m.a);
  return same;
}

static void what_stays(void **state)
{
  (void)state;
  int differing = 0;
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
    differing += !as_expected(&rows[k]);
  assert_int_equal(differing, 0);
}

/* --- in INP ----------------------------------------------------------------------------------- */

/* What is resident has no place in memory, the padding that its readers need around it, and one in INP that no
 * other layer writes to. */
static void buffers(void **state)
{
  (void)state;
  struct net n = built(three_readers);
  struct made made = net_compiled(&n, "default", &(struct tsr_compile_options){.apart = false});
  assert_string_equal(made.layers, "first; three; five, both; sum");
  assert_string_equal(made.stay, "first; three; five");
  const struct tsr_module_layer *first = &made.m->layer[1];
  const struct tsr_module_buffer *y = &made.m->buffer[first->arg[first->args - 1]];
  assert_string_equal(first->name, "first");
  assert_int_equal(y->dims[2], SIDE + 4); /* of the larger windows */
  assert_int_equal(y->dims[3], SIDE + 4);
  assert_int_equal(first->dram_write_bytes, 0);
  assert_int_equal(first->least_write_bytes, 0);
  assert_int_equal(first->func->param[first->func->inputs]->scope, TIR_INP);
  tsr_arena_free(n.a);
}

/* A layer with padding that is not what its readers pad with is found wrong by what is made of it. */
static void checked_by_readers(void **state)
{
  (void)state;
  struct net n = built(three_readers);
  struct made made = net_compiled(&n, "default", &(struct tsr_compile_options){.apart = false});
  struct tsr_executor *e;
  struct tsr_difference difference;
  struct tsr_err err;
  const struct tsr_module_layer *first = &made.m->layer[1];
  int changed = 0;
  net_output(&n, made.m, true);
  for (size_t k = first->first_insn; k < first->first_insn + first->insns; k++) {
    struct tsr_insn insn;
    assert_int_equal(tsr_insn_decode(made.m->insns + k * TSR_INSN_BYTES, &insn), TSR_TRAP_NONE);
    if (insn.opcode != TSR_OP_LOAD || insn.dma.buffer != TSR_BUFFER_INP || insn.dma.nx != 1)
      continue;
    insn.dma.pad = 100;
    assert_int_equal(tsr_insn_encode(&err, &insn, made.m->insns + k * TSR_INSN_BYTES), TSR_OK);
    changed++;
  }
  assert_int_equal(changed, 3); /* at both ends of two planes */
  assert_int_equal(tsr_executor_open(n.a, &err, made.m, "func", &e), TSR_OK);
  assert_int_equal(tsr_executor_run(e, &err), TSR_OK);
  assert_int_equal(tsr_executor_check(e, &err, &difference), TSR_MISMATCH);
  assert_non_null(strstr(err.text, "layer 'sum'"));
  tsr_executor_close(e);
  tsr_arena_free(n.a);
}

/* --- how much ---------------------------------------------------------------------------------- */

static struct made of_columns(struct net *n, network *make, int64_t columns)
{
  *n = net_new();
  tsr_graph_output(n->g, make(n, net_input(n, 16, 2, columns)));
  return net_compiled(n, "default", &(struct tsr_compile_options){.apart = false});
}

static struct tsr_value *one_map(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "first", x, 16, 1, 1);
  return net_add(n, "sum", net_conv(n, "second", y, 16, 1, 1), y);
}

/* The second layer reads one and makes the other, the third reads both. */
static struct tsr_value *two_maps(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "first", x, 16, 1, 1);
  struct tsr_value *z = net_conv(n, "second", y, 16, 1, 1);
  return net_add(n, "sum", net_conv(n, "third", y, 16, 1, 1), z);
}

/* The second layer has nothing to do with the map, and less room because of it. */
static struct tsr_value *beside(struct net *n, struct tsr_value *x)
{
  struct tsr_value *y = net_conv(n, "first", x, 16, 1, 1);
  struct tsr_value *z = net_conv(n, "second", x, 16, 1, 3);
  tsr_graph_output(n->g, z);
  return net_add(n, "sum", net_conv(n, "third", z, 16, 1, 1), y);
}

/* INP has 2048 entries. What makes a map needs some for its own operand, as long as that is not resident. */
static const struct room {
  network *make;
  int64_t columns;
  const char *stay;
} rooms[] = {
    {one_map, 1000, "first"}, {one_map, 1020, "first"},
    {one_map, 1021, ""},      {one_map, 1024, ""},
    {one_map, 1025, ""},      {two_maps, 500, "first; second"},
    {beside, 400, "first"},   {two_maps, 512, "first; second"},
    {two_maps, 513, "first"},
};

static void room(void **state)
{
  (void)state;
  int differing = 0;
  for (size_t k = 0; k < sizeof rooms / sizeof rooms[0]; k++) {
    struct net n;
    struct made made = of_columns(&n, rooms[k].make, rooms[k].columns);
    net_output(&n, made.m, true);
    if (strcmp(made.stay, rooms[k].stay) && ++differing)
      print_error("of %d columns \"%s\" stays\n", (int)rooms[k].columns, made.stay);
    tsr_arena_free(n.a);
  }
  assert_int_equal(differing, 0);
}

/* --- schedules that are given ------------------------------------------------------------------- */

static struct made given(struct net *n, const char *layer, const char *schedule)
{
  *n = built(three_readers);
  return net_compiled(n, "default",
                      &(struct tsr_compile_options){.layer = layer, .schedule = schedule});
}

static void schedules_that_are_given(void **state)
{
  (void)state;
  struct net n = built(three_readers), m, o;
  struct made found = net_compiled(&n, "default", &(struct tsr_compile_options){.apart = false});
  const char *schedule = found.m->layer[1].schedule, *rows_at = strstr(schedule, "split ys h ");
  assert_non_null(rows_at);
  assert_non_null(strstr(schedule, "tensorize ys b accel.quant_inp\n"));
  struct made same = given(&m, "first", schedule);
  assert_int_equal(same.m->insn_count, found.m->insn_count);
  assert_memory_equal(same.m->insns, found.m->insns, found.m->insn_count * TSR_INSN_BYTES);
  const char *other = tsr_arena_printf(n.a, "%.*ssplit ys h 5%s", (int)(rows_at - schedule),
                                       schedule, strchr(rows_at + 11, ' '));
  struct made rows_of_5 = given(&o, "first", other);
  assert_string_equal(rows_of_5.stay, found.stay);
  assert_memory_equal(net_output(&n, found.m, true), net_output(&o, rows_of_5.m, true),
                      found.elements);
  tsr_arena_free(n.a);
  tsr_arena_free(m.a);
  tsr_arena_free(o.a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_stays), cmocka_unit_test(buffers),
                                     cmocka_unit_test(checked_by_readers), cmocka_unit_test(room),
                                     cmocka_unit_test(schedules_that_are_given)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

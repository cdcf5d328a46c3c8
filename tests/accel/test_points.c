/* SPDX-License-Identifier: Apache-2.0 */
/* Random networks at random design points: odd sizes, scratchpads that hold hardly a tile, queues and
 * token counters of one. What fits gives the interpreter's bits; what does not is refused for that reason.
 * TESSERA_SEED sets the seed, which is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compile.h"
#include "runtime/executor.h"
#include "tests/accel/random_net.h"

enum { CASES = 120 };

#define ONE_OF(r, ...)                                                                             \
  ((const int[]){__VA_ARGS__}[random_in(r, 0, sizeof((int[]){__VA_ARGS__}) / sizeof(int) - 1)])

static void random_point(struct tsr_arena *a, struct random *r, struct tsr_design *d)
{
  struct tsr_err err = {0};
  int batch, block, beat = 128;
  do {
    batch = ONE_OF(r, 1, 1, 2, 3, 4);
    block = ONE_OF(r, 2, 4, 5, 6, 8, 12, 16, 32);
  } while (batch * block % 4 || block * block % 4 || batch * block < 8);
  while (batch * block % beat || block * block % beat)
    beat /= 2;
  const char *json = tsr_arena_printf(
      a,
      "{\"batch\": %d, \"block_in\": %d, \"block_out\": %d, \"inp_bits\": 8, \"wgt_bits\": 8,"
      " \"acc_bits\": 32, \"uop_bytes\": %d, \"inp_bytes\": %d, \"wgt_bytes\": %d, \"acc_bytes\": %d,"
      " \"out_bytes\": %d, \"lut_bytes\": 256, \"queue_depth\": %d, \"token_depth\": %d,"
      " \"axi_data_bits\": %d, \"axi_burst_beats\": 1, \"axi_reads\": 1, \"axi_writes\": 1,"
      " \"clock_mhz\": 1, \"memory\": {\"model\": \"ideal\"}}",
      batch, block, block, 8 * ONE_OF(r, 8, 8, 16, 64, 1024),
      batch * block * ONE_OF(r, 16, 64, 200, 1024, 4096), block * block * ONE_OF(r, 16, 32, 100, 1024),
      8 * batch * block * ONE_OF(r, 16, 32, 101, 1024), batch * block * ONE_OF(r, 8, 33, 512),
      ONE_OF(r, 1, 2, 32), ONE_OF(r, 1, 2, 3, 16), 8 * beat);
  if (tsr_design_parse(&err, "random", json, d))
    fail_msg("%s", err.text);
}

/* NULL: equal; else what is wrong. *fits is false where a tile does not fit the design point. */
static const char *outcome(struct tsr_arena *a, struct random *r, struct tsr_graph *g,
                           const struct tsr_design *d, bool *fits)
{
  struct tsr_err err = {0};
  struct tsr_compile_options options = {0};
  struct tsr_tensor in = tsr_value_tensor(g->input[0]), out;
  struct tsr_difference difference;
  struct tsr_module *m;
  struct tsr_executor *e;
  in.data = tsr_arena_alloc(a, tsr_tensor_bytes(&in) + 1);
  for (int64_t k = 0; k < tsr_tensor_count(&in); k++)
    tsr_put_int(&in, k, random_in(r, -128, 127));
  *fits = true;
  if (tsr_graph_run(a, &err, g, &in, &out, NULL, NULL))
    return tsr_arena_strdup(a, err.text);
  if (tsr_compile_graph(a, &err, g, d, &options, &m)) {
    *fits = !strstr(err.text, "cannot hold one tile");
    return *fits ? tsr_arena_strdup(a, err.text) : NULL;
  }
  if (tsr_executor_open(a, &err, m, "func", &e))
    return tsr_arena_strdup(a, err.text);
  memcpy(tsr_executor_buffer(e, m->input[0]), in.data, tsr_tensor_bytes(&in));
  bool equal = !tsr_executor_run(e, &err) && !tsr_executor_check(e, &err, &difference);
  tsr_executor_close(e);
  return equal ? NULL : tsr_arena_strdup(a, err.text);
}

static void any_point_gives_the_same_bits(void **state)
{
  (void)state;
  const char *seed_text = getenv("TESSERA_SEED");
  uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : 20240611;
  int differing = 0, ran = 0;
  print_message("seed %llu (TESSERA_SEED)\n", (unsigned long long)seed);
  for (int k = 0; k < CASES; k++) {
    struct random r = {seed * 1000003 + (uint64_t)k + 1};
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_design d;
    bool fits;
    for (int i = 0; i < 5; i++)
      random_bits(&r);
    random_point(a, &r, &d);
    struct tsr_graph *g = random_net(a, &r, (enum net_kind)(k % NET_KINDS));
    const char *wrong = g ? outcome(a, &r, g, &d, &fits) : NULL;
    if (wrong && differing++ < 10)
      print_error("case %d (%s): %s\n", k, net_kind_names[k % NET_KINDS], wrong);
    ran += g && fits;
    tsr_arena_free(a);
  }
  assert_int_equal(differing, 0);
  assert_true(ran > CASES / 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(any_point_gives_the_same_bits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

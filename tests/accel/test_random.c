/* SPDX-License-Identifier: Apache-2.0 */
/* Random convolutions, dense layers, elementwise chains, pools, joined maps and mixtures: the functional device gives
 * the interpreter's bits, at every design point. TESSERA_SEED sets the seed, which is printed. */
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
#include "runtime/measure.h"
#include "tests/accel/random_net.h"

/* So that every kind comes to every design point. */
enum { POINTS = 5 };
_Static_assert(NET_KINDS % POINTS, "kinds and design points have no common divisor");

#ifdef __SANITIZE_ADDRESS__
enum { CASES = 2 * POINTS * NET_KINDS };
#else
enum { CASES = 12 * POINTS * NET_KINDS };
#endif

struct outcome {
  char text[1200];      /* empty: equal */
  int on_accel, groups; /* layers, those of more than one node */
  int fed, slides; /* those with a convolution as feeder; those that keep rows of what it made */
  int stay;        /* those whose result is resident */
};

static void compare(struct tsr_arena *a, struct random *r, enum net_kind kind,
                    const struct tsr_design *design, enum tsr_tune_effort effort, struct outcome *o)
{
  struct tsr_err err = {0};
  struct tsr_compile_options options = {.tune = {effort, tsr__measure_cycles, NULL, NULL}};
  struct tsr_module *m;
  struct tsr_executor *executor;
  struct tsr_tensor out;
  struct tsr_difference difference;
  struct tsr_graph *g = random_net(a, r, kind);
  snprintf(o->text, sizeof o->text, "no network came of it");
  if (!g)
    return;
  struct tsr_tensor in = tsr_value_tensor(g->input[0]);
  in.data = tsr_arena_alloc(a, tsr_tensor_bytes(&in) + 1);
  for (int64_t k = 0; k < tsr_tensor_count(&in); k++)
    tsr_put_int(&in, k, random_in(r, -128, 127));
  if (tsr_graph_run(a, &err, g, &in, &out, NULL, NULL) ||
      tsr_compile_graph(a, &err, g, design, &options, &m) ||
      tsr_executor_open(a, &err, m, "func", &executor)) {
    snprintf(o->text, sizeof o->text, "%s", err.text);
    return;
  }
  for (int k = 0; k < m->layers; k++) {
    const struct tsr_module_layer *l = &m->layer[k];
    o->on_accel += !strcmp(l->target, "accel");
    if (strcmp(l->target, "accel") && strcmp(l->op, "Pack") && strcmp(l->op, "Unpack")) {
      snprintf(o->text, sizeof o->text, "%s is left to the CPU: %s", l->op, l->reason);
      tsr_executor_close(executor);
      return;
    }
    o->groups += strchr(l->op, '+') != NULL;
    o->fed += strstr(l->op, "AccConv+AccDepthwise") || strstr(l->op, "AccConv+AccConv") ||
              strstr(l->op, "AccConv+AccMaxPool");
    o->slides += l->schedule && strstr(l->schedule, "\nslide ");
    o->stay += l->schedule && l->func->param[l->func->inputs]->scope == TIR_INP;
  }
  memcpy(tsr_executor_buffer(executor, m->input[0]), in.data, tsr_tensor_bytes(&in));
  o->text[0] = 0;
  if (tsr_executor_run(executor, &err) || tsr_executor_check(executor, &err, &difference))
    snprintf(o->text, sizeof o->text, "%s", err.text);
  else if (memcmp(tsr_executor_buffer(executor, m->output[0]), out.data, tsr_tensor_bytes(&out)))
    snprintf(o->text, sizeof o->text,
             "every layer agrees with its compute, but the output is wrong");
  tsr_executor_close(executor);
}

static void run_cases(int cases, enum tsr_tune_effort effort)
{
  const char *seed_text = getenv("TESSERA_SEED");
  uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : 20240611;
  int differing = 0, on_accel = 0, groups = 0, fed = 0, slides = 0, stay = 0;
  print_message("seed %llu (TESSERA_SEED)\n", (unsigned long long)seed);
  for (int k = 0; k < cases; k++) {
    struct random r = {seed * 1000003 + (uint64_t)k + 1};
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_design design;
    struct outcome o = {.on_accel = 0};
    const char *name = tsr_design_names()[k % POINTS];
    enum net_kind kind = (enum net_kind)(k % NET_KINDS);
    random_bits(&r);
    assert_non_null(a);
    assert_int_equal(tsr_design_open(a, NULL, name, &design), TSR_OK);
    compare(a, &r, kind, &design, effort, &o);
    if (o.text[0] && differing++ < 20)
      print_error("case %d (%s at %s): %s\n", k, net_kind_names[kind], name, o.text);
    on_accel += o.on_accel;
    groups += o.groups;
    fed += o.fed;
    slides += o.slides;
    stay += o.stay;
    tsr_arena_free(a);
  }
  assert_int_equal(differing, 0);
  print_message("%d layers, %d of more than one node, %d with a feeder, %d slide, %d stay\n",
                on_accel, groups, fed, slides, stay);
  assert_true(on_accel >= cases); /* it was the accelerator that ran them */
  assert_true(groups >= cases / 10 && fed >= cases / 15 && slides >= cases / 60 &&
              stay >= cases / 5);
}

static void device_equals_interpreter(void **state)
{
  (void)state;
  run_cases(CASES, TSR_TUNE_NONE);
}

static void found_schedules_do_too(void **state)
{
  (void)state;
  run_cases(CASES / 2, TSR_TUNE_SOME);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(device_equals_interpreter),
                                     cmocka_unit_test(found_schedules_do_too)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

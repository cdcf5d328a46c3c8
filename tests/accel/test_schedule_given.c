/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules that somebody wrote: other cycles and the same bits, or a sentence why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/tessera.h"
#include "tests/base/cases.h"

#define MODEL "models/digits/digits.onnx"

enum { MOST_LINES = 64, TEXT = 4096, ROUNDS = 400 };

struct world {
  struct tessera *t;
  struct tessera_model *model; /* as the compiler schedules it */
  bool apart;                  /* ... with a layer for each op */
};

static struct tessera_options plain_options(void)
{
  return (struct tessera_options){.effort = TESSERA_EFFORT_NONE, .tune_cache = ""};
}

static int open_world(void **state)
{
  static struct world w;
  struct tessera_options options = plain_options();
  w.t = tessera_new(NULL);
  *state = &w;
  return tessera_model_open(w.t, MODEL, &options, &w.model) ? -1 : 0;
}

static int close_world(void **state)
{
  struct world *w = *state;
  tessera_model_free(w->model);
  tessera_free(w->t);
  return 0;
}

static int layer_named(const struct world *w, const char *name)
{
  struct tessera_model_info info;
  tessera_model_info(w->model, &info);
  for (int k = 0; k < info.layers; k++) {
    struct tessera_layer l;
    tessera_model_layer(w->model, k, &l);
    if (!strcmp(l.name, name))
      return k;
  }
  fail_msg("no layer %s", name);
  return -1;
}

static struct tessera_layer layer_at(const struct world *w, int k)
{
  struct tessera_layer l;
  tessera_model_layer(w->model, k, &l);
  return l;
}

static enum tessera_status compile(const struct world *w, const char *layer, const char *schedule,
                                   struct tessera_model **out)
{
  struct tessera_options options = plain_options();
  options.apart = w->apart;
  options.layer = layer;
  options.schedule = schedule;
  return tessera_model_open(w->t, MODEL, &options, out);
}

/* Runs on made-up data; every layer has the interpreter's bits. */
static void check_bits(const struct world *w, const struct tessera_model *model,
                       const char *schedule)
{
  struct tessera_session *session;
  struct tessera_port port;
  struct tessera_tensor input;
  tessera_model_input(model, 0, &port);
  assert_int_equal(tessera_tensor_stack(w->t, &port, 1, &input), TESSERA_OK);
  tessera_tensor_random(&input, 7);
  assert_int_equal(tessera_session_open(w->t, model, "func", &session), TESSERA_OK);
  assert_int_equal(tessera_session_set_input(w->t, session, 0, &input), TESSERA_OK);
  if (tessera_session_run(w->t, session) || tessera_session_check(w->t, session))
    fail_msg("%s, with the schedule\n%s", tessera_message(w->t), schedule);
  tessera_session_free(session);
  tessera_tensor_free(&input);
}

static const struct tessera_profile *profile(const struct world *w,
                                             const struct tessera_model *model)
{
  struct tessera_session_options options = {.device = "cycle", .timing_only = true, .record = true};
  struct tessera_session *session;
  const struct tessera_profile *p;
  assert_int_equal(tessera_session_open_with(w->t, model, &options, &session), TESSERA_OK);
  assert_int_equal(tessera_session_run(w->t, session), TESSERA_OK);
  assert_int_equal(tessera_session_profile(w->t, session, &p), TESSERA_OK);
  tessera_session_free(session);
  return p;
}

/* --- one schedule ----------------------------------------------------------------------------- */

static void replace(const char *text, const char *from, const char *to, char out[static TEXT])
{
  const char *at = strstr(text, from);
  assert_non_null(at);
  snprintf(out, TEXT, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void other_cycles_same_bits(void **state)
{
  const struct world *w = *state;
  struct tessera_layer l = layer_at(w, layer_named(w, "conv4.Conv"));
  struct tessera_model *same, *other;
  char text[TEXT];
  assert_non_null(strstr(l.schedule, "split ys h "));
  assert_int_equal(compile(w, l.name, l.schedule, &same), TESSERA_OK);
  int size = atoi(strstr(l.schedule, "split ys h ") + 11);
  char from[32], to[64];
  snprintf(from, sizeof from, "split ys h %d ", size);
  snprintf(to, sizeof to, "# rows\n\n split  ys h %d ", size == 3 ? 1 : 3);
  replace(l.schedule, from, to, text);
  assert_int_equal(compile(w, l.name, text, &other), TESSERA_OK);
  check_bits(w, other, text);
  const struct tessera_profile *a = profile(w, w->model), *b = profile(w, same);
  const struct tessera_profile *c = profile(w, other);
  assert_int_equal(a->cycles, b->cycles);
  assert_int_not_equal(a->cycles, c->cycles);
  tessera_profile_free(a);
  tessera_profile_free(b);
  tessera_profile_free(c);
  tessera_model_free(same);
  tessera_model_free(other);
}

static const struct {
  const char *layer, *from, *to, *sentence;
} refused[] = {
    {"conv4.Conv", "pipeline ys ho 2", "pipeline ys hu 2",
     "node 'conv4.Conv' (AccConv): line 9 of its schedule, 'pipeline ys hu 2': stage ys has no "
     "loop "
     "named 'hu'; did you mean 'ho'?"},
    {"conv4.Conv", "tensorize acc b accel.gemm\n", "",
     "node 'conv4.Conv' (AccConv): a statement on acc is neither a copy nor tensorized"},
    {"conv4.Conv", "cache_write y out ys", "cache_write y local ys",
     "accel.quant does not match: buffer y.local is in scope local; the intrinsic wants out"},
    {"conv4.Conv", "cache_read w wgt acc ws", "cache_read w wgt acc ws\ncache_read x global xs xg",
     "node 'conv4.Conv' (AccConv): buffer xg of i8 lives in global; on the accelerator i8 "
     "lives "
     "in inp, wgt, out and lut, and i32 in acc"},
    {"conv4.Conx", "", "",
     "there is no layer 'conv4.Conx' to schedule; did you mean 'conv4.Conv'?"},
    {"image.q.QuantizeLinear", "", "",
     "layer 'image.q.QuantizeLinear' runs on the CPU, which takes no schedule"},
};

static void refusals(void **state)
{
  struct world apart = {.t = ((const struct world *)*state)->t, .apart = true}, *w = &apart;
  struct tessera_options options = plain_options();
  struct tessera_model *model;
  char text[TEXT];
  options.apart = true;
  assert_int_equal(tessera_model_open(w->t, MODEL, &options, &w->model), TESSERA_OK);
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    *text = 0;
    if (refused[k].from[0])
      replace(layer_at(w, layer_named(w, refused[k].layer)).schedule, refused[k].from,
              refused[k].to, text);
    assert_int_equal(compile(w, refused[k].layer, text, &model), TESSERA_REFUSED);
    if (!strstr(tessera_message(w->t), refused[k].sentence))
      fail_msg("'%s' says: %s", refused[k].to, tessera_message(w->t));
  }
  tessera_model_free(w->model);
}

static void package_keeps_schedules(void **state)
{
  const struct world *w = *state;
  struct tessera_options options = {.layer = "conv4.Conv", .schedule = ""};
  struct tessera_bytes package;
  struct tessera_model *model;
  int k = layer_named(w, "conv4.Conv");
  const struct tessera_explanation *a, *b;
  assert_int_equal(tessera_model_package(w->t, w->model, &package), TESSERA_OK);
  assert_int_equal(tessera_model_load(w->t, "p.tsr", package.data, package.size, &options, &model),
                   TESSERA_REFUSED);
  assert_string_equal(tessera_message(w->t), "p.tsr: is a package, whose schedules are fixed; the "
                                             "ONNX model takes others");
  assert_int_equal(tessera_model_load(w->t, "p.tsr", package.data, package.size, NULL, &model),
                   TESSERA_OK);
  assert_int_equal(tessera_model_explain(w->t, w->model, k, NULL, &a), TESSERA_OK);
  assert_int_equal(tessera_model_explain(w->t, model, k, NULL, &b), TESSERA_OK);
  tessera_model_free(model);
  assert_string_equal(a->loops, b->loops);
  assert_string_equal(a->first_tile, b->first_tile);
  assert_string_equal(a->operand[0].name, b->operand[0].name);
  assert_int_equal(a->tiles, b->tiles);
  tessera_explanation_free(a);
  tessera_explanation_free(b);
  tessera_bytes_free(&package);
}

/* --- explanations ----------------------------------------------------------------------------- */

static int64_t volume(const int64_t *size, int rank)
{
  int64_t n = 1;
  for (int d = 0; d < rank; d++)
    n *= size[d];
  return n;
}

/* Whether the result is resident. */
static bool stays(const struct tessera_explanation *e)
{
  for (int k = 0; k < e->operands; k++)
    if (e->operand[k].resident && e->operand[k].computed)
      return true;
  return false;
}

/* Tiles make up the whole result, and buffers fit. */
static void check_explanation(const struct world *w, const struct tessera_model *model, int layer)
{
  const struct tessera_explanation *e;
  int64_t sum = 0;
  assert_int_equal(tessera_model_explain(w->t, model, layer, NULL, &e), TESSERA_OK);
  for (size_t k = 0; k < e->tiles_listed; k++)
    sum += volume(e->tile[k].size, e->rank);
  assert_int_equal(sum, volume(e->dims, e->rank));
  for (int k = 0; k < e->operands; k++) {
    assert_true(e->operand[k].copies > 0 || !strcmp(e->operand[k].scratchpad, "acc"));
    assert_true((e->operand[k].bytes > 0) == (e->operand[k].copies > 0));
    assert_true(e->operand[k].bytes <= e->operand[k].capacity_bytes);
    assert_non_null(e->operand[k].from);
  }
  for (int k = 0; k < e->engines; k++)
    assert_true(e->engine[k].least_cycles <= e->engine[k].cycles + 1e-9);
  assert_non_null(strstr(e->first_tile, stays(e) ? "dst=inp" : "store"));
  tessera_explanation_free(e);
}

static void every_layer_is_explained(void **state)
{
  const struct world *w = *state;
  struct tessera_model_info info;
  int explained = 0;
  tessera_model_info(w->model, &info);
  for (int k = 0; k < info.layers; k++) {
    const struct tessera_explanation *e;
    struct tessera_layer l = layer_at(w, k);
    if (!l.schedule) {
      assert_int_equal(tessera_model_explain(w->t, w->model, k, NULL, &e), TESSERA_REFUSED);
      assert_non_null(strstr(tessera_message(w->t), l.reason));
      continue;
    }
    check_explanation(w, w->model, k);
    explained++;
  }
  assert_int_equal(explained, 5);
}

/* The reasons' cycles are the profile's. */
static void reasons(void **state)
{
  const struct world *w = *state;
  int k = layer_named(w, "conv4.Conv");
  const struct tessera_profile *p = profile(w, w->model);
  const struct tessera_explanation *e;
  assert_int_equal(tessera_model_explain(w->t, w->model, k, p, &e), TESSERA_OK);
  bool found = false;
  for (int i = 0; i < p->layers; i++)
    if (!strcmp(p->layer[i].name, "conv4.Conv")) {
      assert_int_equal(e->cycles, p->layer[i].cycles);
      assert_int_equal(e->bound_cycles, (uint64_t)ceil(p->layer[i].bound_cycles));
      found = true;
    }
  assert_true(found);
  assert_true(e->reasons >= 2);
  assert_non_null(strstr(e->reason[0], "more than the bound of"));
  tessera_explanation_free(e);
  tessera_profile_free(p);
}

/* The first number of a text, "1,234". */
static uint64_t number_in(const char *text)
{
  uint64_t n = 0;
  text += strcspn(text, "0123456789");
  for (; (*text >= '0' && *text <= '9') || *text == ','; text++)
    n = *text == ',' ? n : 10 * n + (uint64_t)(*text - '0');
  return n;
}

/* Where the matrix engine sets the bound, all cycles beyond it are told, and each buffer's copies. */
static void reasons_sum_up(void **state)
{
  const struct world *w = *state;
  struct tessera_options options = plain_options();
  struct tessera_model *model;
  const struct tessera_explanation *e;
  int k = layer_named(w, "conv3.Conv");
  options.config = "tiny";
  assert_int_equal(tessera_model_open(w->t, MODEL, &options, &model), TESSERA_OK);
  const struct tessera_profile *p = profile(w, model);
  assert_int_equal(tessera_model_explain(w->t, model, k, p, &e), TESSERA_OK);
  uint64_t told = 0, vector = 0;
  assert_non_null(strstr(e->reason[0], "which is matrix's"));
  for (int i = 1; i < e->reasons; i++) {
    const char *take = strstr(e->reason[i], " take ");
    told += number_in(take ? take : e->reason[i]);
    vector += strstr(e->reason[i], "only vector works") ? 1 : 0;
  }
  assert_int_equal(told, e->cycles - e->bound_cycles);
  assert_int_equal(vector, 1);
  for (int i = 0; i < e->operands; i++)
    if (!strcmp(e->operand[i].scratchpad, "acc"))
      assert_int_equal(e->operand[i].bytes,
                       e->operand[i].entries * 16 * (uint64_t)e->operand[i].copies);
  tessera_explanation_free(e);
  tessera_profile_free(p);
  tessera_model_free(model);
}

/* Memory that runs out anywhere is told, and all of it is given back. */
static void every_allocation_may_be_refused(void **state)
{
  const struct world *w = *state;
  int k = layer_named(w, "conv4.Conv");
  const struct tessera_profile *p = profile(w, w->model);
  for (int n = 0;; n++) {
    struct counting c;
    counting_init(&c, n);
    struct tessera_allocator allocator = {counting_resize, &c};
    struct tessera *t = tessera_new(&allocator);
    const struct tessera_explanation *e = NULL;
    enum tessera_status status = TESSERA_NO_MEMORY;
    if (t)
      status = tessera_model_explain(t, w->model, k, p, &e);
    tessera_explanation_free(e);
    tessera_free(t);
    assert_int_equal(c.live, 0);
    if (!status) {
      assert_true(n > 3);
      break;
    }
    assert_int_equal(status, TESSERA_NO_MEMORY);
  }
  tessera_profile_free(p);
}

/* --- edits ------------------------------------------------------------------------------------ */

struct edit {
  uint64_t random;
  int lines;
  char line[MOST_LINES][128];
};

static int draw(struct edit *e, int below)
{
  e->random = e->random * 6364136223846793005u + 1442695040888963407u;
  return (int)((e->random >> 33) % (uint64_t)below);
}

static void cut(struct edit *e, const char *text)
{
  for (e->lines = 0; *text && e->lines < MOST_LINES - 4; e->lines++) {
    size_t n = strcspn(text, "\n");
    snprintf(e->line[e->lines], sizeof e->line[0], "%.*s", (int)n, text);
    text += n + (text[n] == '\n');
  }
}

/* Another word, or number, in place of one. */
static void change_word(struct edit *e, char *line)
{
  static const char *const words[] = {
      "0",      "1",  "2",  "3", "4",  "5",  "8",  "16", "100", "inp", "wgt", "acc", "out", "lut",
      "global", "xs", "ys", "y", "co", "ho", "wo", "no", "so",  "si",  "b",   "i",   "kh"};
  char copy[128], *word[16], *at = NULL;
  int n = 0;
  snprintf(copy, sizeof copy, "%s", line);
  for (char *p = strtok_r(copy, " ", &at); p && n < 16; p = strtok_r(NULL, " ", &at))
    word[n++] = p;
  if (n < 2)
    return;
  int which = 1 + draw(e, n - 1);
  bool number = word[which][0] >= '0' && word[which][0] <= '9';
  word[which] = (char *)words[draw(e, number ? 9 : (int)(sizeof words / sizeof words[0]))];
  size_t used = 0;
  for (int k = 0; k < n && used < 128; k++)
    used += (size_t)snprintf(line + used, 128 - used, "%s%s", k ? " " : "", word[k]);
}

static void swap_lines(struct edit *e)
{
  char copy[128];
  int a = draw(e, e->lines), b = draw(e, e->lines);
  memcpy(copy, e->line[a], sizeof copy);
  memcpy(e->line[a], e->line[b], sizeof copy);
  memcpy(e->line[b], copy, sizeof copy);
}

static void change(struct edit *e)
{
  int at = draw(e, e->lines);
  switch (draw(e, 6)) {
  case 0: e->line[at][0] = 0; break;
  case 1: swap_lines(e); break;
  case 2: memcpy(e->line[e->lines++], e->line[at], sizeof e->line[0]); break;
  default: change_word(e, e->line[at]);
  }
}

static void join(const struct edit *e, char out[static TEXT])
{
  size_t used = 0;
  for (int k = 0; k < e->lines; k++)
    used += (size_t)snprintf(out + used, TEXT - used, "%s\n", e->line[k]);
}

/* Whatever is changed: the same bits, or a sentence. */
static void changed_anyhow(void **state)
{
  const struct world *w = *state;
  struct edit e = {.random = 20};
  int taken = 0, refusals = 0;
  struct tessera_model_info info;
  tessera_model_info(w->model, &info);
  for (int round = 0; round < ROUNDS; round++) {
    int k = draw(&e, info.layers);
    struct tessera_layer l = layer_at(w, k);
    struct tessera_model *model;
    char text[TEXT];
    if (!l.schedule)
      continue;
    cut(&e, l.schedule);
    for (int n = 1 + draw(&e, 3); n > 0; n--)
      change(&e);
    join(&e, text);
    enum tessera_status status = compile(w, l.name, text, &model);
    if (status) {
      assert_int_equal(status, TESSERA_REFUSED);
      if (!strstr(tessera_message(w->t), l.name))
        fail_msg("%s, of the schedule\n%s", tessera_message(w->t), text);
      refusals++;
      continue;
    }
    check_bits(w, model, text);
    check_explanation(w, model, k);
    tessera_model_free(model);
    taken++;
  }
  assert_true(taken > ROUNDS / 20);
  assert_true(refusals > ROUNDS / 20);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(other_cycles_same_bits),
                                     cmocka_unit_test(refusals),
                                     cmocka_unit_test(package_keeps_schedules),
                                     cmocka_unit_test(every_layer_is_explained),
                                     cmocka_unit_test(reasons),
                                     cmocka_unit_test(reasons_sum_up),
                                     cmocka_unit_test(every_allocation_may_be_refused),
                                     cmocka_unit_test(changed_anyhow)};
  return cmocka_run_group_tests(tests, open_world, close_world);
}

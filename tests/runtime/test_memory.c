/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors share memory when, and only when, no layer needs both. */
#include "runtime/memory.h"

#include <string.h>

#include "tests/runtime/module.h"

enum { MOST_LAYERS = 24, MOST_ARGS = 4 };

/* A module of layers on the CPU, of which the planner reads only what layers use. */
struct made {
  struct tsr_module m;
  struct tsr_module_buffer buffer[MOST_LAYERS + 4];
  struct tsr_module_step step[MOST_LAYERS];
  struct tsr_module_layer layer[MOST_LAYERS];
  int arg[MOST_LAYERS][MOST_ARGS], input[2], output[2];
};

static int add_buffer(struct made *t, int64_t bytes)
{
  t->buffer[t->m.buffers] =
      (struct tsr_module_buffer){.name = "b", .dtype = TSR_I8, .rank = 1, .dims = {bytes}};
  return t->m.buffers++;
}

static void open_made(struct made *t, int64_t bytes)
{
  *t = (struct made){.m = {.inputs = 1, .outputs = 1}};
  t->m.buffer = t->buffer;
  t->m.step = t->step;
  t->m.layer = t->layer;
  t->m.input = t->input;
  t->m.output = t->output;
  t->input[0] = add_buffer(t, bytes);
}

/* A layer that reads `from` and makes a new buffer. */
static int add_layer(struct made *t, int count, const int *from, int64_t bytes)
{
  int k = t->m.layers++, out = add_buffer(t, bytes);
  memcpy(t->arg[k], from, (size_t)count * sizeof *from);
  t->arg[k][count] = out;
  t->layer[k] = (struct tsr_module_layer){.arg = t->arg[k], .args = count + 1, .step = k};
  t->step[t->m.steps++] = (struct tsr_module_step){.kind = TSR_STEP_CPU, .layer = k};
  return out;
}

static void chain(void **state)
{
  struct made t;
  open_made(&t, 63);
  int at = t.input[0];
  for (int k = 0; k < 6; k++)
    at = add_layer(&t, 1, &at, 63);
  t.output[0] = at;
  struct tsr_memory plan = tsr_memory_plan(*state, &t.m, NULL);
  assert_int_equal(plan.separate_bytes, 7 * 256);
  assert_int_equal(plan.bytes, 3 * 256); /* the input, and two by turns */
  assert_int_equal(plan.offset[2], plan.offset[4]);
}

static void residual(void **state)
{
  struct made t;
  open_made(&t, 63);
  int a = add_layer(&t, 1, t.input, 63), b = add_layer(&t, 1, &a, 63);
  int c = add_layer(&t, 1, &b, 63), both[2] = {c, a};
  t.output[0] = add_layer(&t, 2, both, 63);
  struct tsr_memory plan = tsr_memory_plan(*state, &t.m, NULL);
  assert_int_equal(plan.bytes, 4 * 256); /* a stays until it is added; the sum lies where b was */
  assert_int_equal(plan.offset[t.output[0]], plan.offset[b]);
}

static void constants_and_the_device(void **state)
{
  static const int8_t weights[63];
  struct made t;
  open_made(&t, 63);
  int w = add_buffer(&t, 63), both[2] = {t.input[0], w};
  t.buffer[w].data = weights;
  t.output[0] = add_layer(&t, 2, both, 63);
  int unused = add_buffer(&t, 63);
  t.buffer[unused].on_device = true;
  struct tsr_memory plan = tsr_memory_plan(*state, &t.m, NULL);
  assert_true(plan.offset[w] == TSR_NOWHERE);
  assert_true(plan.offset[unused] == TSR_NOWHERE);
  assert_int_equal(plan.bytes, 2 * 256);
  t.buffer[t.output[0]].on_device = true; /* a layer on the CPU writes it: a copy on the host */
  assert_int_equal(tsr_memory_plan(*state, &t.m, NULL).bytes, 2 * 256);
}

/* --- any module ------------------------------------------------------------------------------- */

static bool is_used(const struct made *t, int step, int buffer)
{
  for (int i = 0; i < t->layer[step].args; i++)
    if (t->layer[step].arg[i] == buffer)
      return true;
  return false;
}

/* Whether a run needs what the buffer holds at a step. */
static bool is_alive(const struct made *t, int buffer, int step)
{
  bool before = buffer == t->input[0], after = before || buffer == t->output[0];
  for (int k = 0; k < t->m.steps; k++) {
    before |= k <= step && is_used(t, k, buffer);
    after |= k >= step && is_used(t, k, buffer);
  }
  return before && after;
}

static void check_plan(struct tsr_arena *a, const struct made *t)
{
  struct tsr_memory plan = tsr_memory_plan(a, &t->m, NULL);
  for (int x = 0; x < t->m.buffers; x++) {
    assert_int_equal(plan.offset[x] % 256, 0);
    assert_true(plan.offset[x] + (uint64_t)t->buffer[x].dims[0] <= plan.bytes);
    for (int y = 0; y < x; y++) {
      bool apart = plan.offset[x] >= plan.offset[y] + (uint64_t)t->buffer[y].dims[0] ||
                   plan.offset[y] >= plan.offset[x] + (uint64_t)t->buffer[x].dims[0];
      for (int k = 0; k < t->m.steps && !apart; k++)
        assert_false(is_alive(t, x, k) && is_alive(t, y, k));
    }
  }
  assert_true(plan.bytes <= plan.separate_bytes);
}

static void any(void **state)
{
  uint64_t seed = 1, shared = 0;
  for (int n = 0; n < 300; n++) {
    struct made t;
    open_made(&t, 1 + (int64_t)(next_random(&seed) % 3000));
    int layers = 1 + (int)(next_random(&seed) % MOST_LAYERS);
    for (int k = 0; k < layers; k++) {
      int from[MOST_ARGS - 1], count = 1 + (int)(next_random(&seed) % (MOST_ARGS - 1));
      for (int i = 0; i < count; i++)
        from[i] = (int)(next_random(&seed) % (uint64_t)t.m.buffers);
      t.output[0] = add_layer(&t, count, from, 1 + (int64_t)(next_random(&seed) % 3000));
    }
    check_plan(*state, &t);
    struct tsr_memory plan = tsr_memory_plan(*state, &t.m, NULL);
    shared += plan.bytes < plan.separate_bytes;
  }
  assert_true(shared > 100);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(chain),
      IN_ARENA(residual),
      IN_ARENA(constants_and_the_device),
      IN_ARENA(any),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

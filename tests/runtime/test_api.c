/* SPDX-License-Identifier: Apache-2.0 */
/* The public interface under an allocator that says no, and on two threads. */
#include <pthread.h>

#include "runtime/package.h"
#include "runtime/tessera.h"
#include "tests/runtime/module.h"

/* Loads, runs and checks; the output must be right. Frees everything on every way. */
static enum tessera_status whole_life(const struct tessera_allocator *allocator,
                                      const struct tsr_bytes *file, int seed)
{
  struct tessera *t = tessera_new(allocator);
  struct tessera_model *model = NULL;
  struct tessera_session *session = NULL;
  struct tessera_bytes package = {0};
  int8_t in[LANES], y[LANES];
  for (int i = 0; i < LANES; i++)
    in[i] = (int8_t)(seed * i + 3);
  struct tessera_tensor x = {.dtype = TESSERA_I8, .rank = 2, .dims = {1, LANES}, .data = in}, out;
  if (!t)
    return TESSERA_NO_MEMORY;
  enum tessera_status status = tessera_model_load(t, "p.tsr", file->data, file->size, NULL, &model);
  if (!status)
    status = tessera_model_package(t, model, &package);
  if (!status)
    status = tessera_session_open(t, model, NULL, &session);
  if (!status)
    status = tessera_session_set_input(t, session, 0, &x);
  if (!status)
    status = tessera_session_run(t, session);
  if (!status)
    status = tessera_session_check(t, session);
  if (!status) {
    tessera_session_output(session, 0, &out);
    hand_reference(in, y);
    assert_memory_equal(out.data, y, LANES);
    assert_int_equal(package.size, file->size);
  } else {
    assert_true(tessera_message(t)[0]);
  }
  tessera_bytes_free(&package);
  tessera_session_free(session);
  tessera_model_free(model);
  tessera_free(t);
  return status;
}

static void every_allocation_may_be_refused(void **state)
{
  struct tsr_bytes file = tsr_package_write(*state, hand_made(*state));
  for (int n = 0;; n++) {
    struct counting c;
    counting_init(&c, n);
    struct tessera_allocator allocator = {counting_resize, &c};
    enum tessera_status status = whole_life(&allocator, &file, 7);
    assert_int_equal(c.live, 0);
    if (status == TESSERA_OK) {
      assert_false(c.refused);
      assert_true(n > 10);
      return;
    }
    assert_int_equal(status, TESSERA_NO_MEMORY);
  }
}

/* Import, passes, schedules and streams of a whole network, at one design point. */
static enum tessera_status compile_digits(const struct tessera_allocator *allocator,
                                          enum tessera_effort effort)
{
  struct tessera_options options = {.effort = effort, .tune_cache = ""};
  struct tessera *t = tessera_new(allocator);
  struct tessera_model *model = NULL;
  if (!t)
    return TESSERA_NO_MEMORY;
  enum tessera_status status = tessera_model_open(t, "models/digits/digits.onnx", &options, &model);
  tessera_model_free(model);
  tessera_free(t);
  return status;
}

/* Every `step`-th allocation. */
static void refuse_allocations(enum tessera_effort effort, int step)
{
  struct counting c;
  counting_init(&c, -1);
  struct tessera_allocator allocator = {counting_resize, &c};
  assert_int_equal(compile_digits(&allocator, effort), TESSERA_OK);
  for (int n = 0; c.live == 0; n += step) {
    counting_init(&c, n);
    enum tessera_status status = compile_digits(&allocator, effort);
    assert_int_equal(c.live, 0);
    if (status == TESSERA_OK)
      return;
    assert_int_equal(status, TESSERA_NO_MEMORY);
  }
}

static void every_allocation_of_the_compiler_may_be_refused(void **state)
{
  (void)state;
  refuse_allocations(TESSERA_EFFORT_NONE, 1);
}

/* Those while schedules are measured are many, and alike. */
static void allocations_of_the_search_may_be_refused(void **state)
{
  (void)state;
  refuse_allocations(TESSERA_EFFORT_SOME, 97);
}

static void *life_on_a_thread(void *context)
{
  for (int i = 1; i < 30; i++)
    if (whole_life(NULL, context, i))
      return context;
  return NULL;
}

static void two_threads_do_not_meet(void **state)
{
  struct tsr_bytes file = tsr_package_write(*state, hand_made(*state));
  pthread_t thread[2];
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&thread[i], NULL, life_on_a_thread, &file), 0);
  for (int i = 0; i < 2; i++) {
    void *result;
    pthread_join(thread[i], &result);
    assert_null(result);
  }
}

static void tensors_must_fit(void **state)
{
  struct tsr_bytes file = tsr_package_write(*state, hand_made(*state));
  struct tessera *t = tessera_new(NULL);
  struct tessera_model *model;
  struct tessera_session *session;
  int8_t in[LANES] = {0};
  struct tessera_tensor x = {.dtype = TESSERA_U8, .rank = 2, .dims = {1, LANES}, .data = in};
  assert_int_equal(tessera_model_load(t, "p.tsr", file.data, file.size, NULL, &model), TESSERA_OK);
  assert_int_equal(tessera_session_open(t, model, NULL, &session), TESSERA_OK);
  assert_int_equal(tessera_session_set_input(t, session, 0, &x), TESSERA_REFUSED);
  assert_string_equal(tessera_message(t),
                      "input 'x' is 1x16 of i8, and a tensor of 1x16 of u8 was given");
  assert_int_equal(tessera_session_set_input(t, session, 1, &x), TESSERA_REFUSED);
  assert_string_equal(tessera_message(t), "there is no input 1; 'by hand' has 1");
  tessera_session_free(session);
  tessera_model_free(model);
  tessera_free(t);
}

static void comparisons(void **state)
{
  float a[] = {1, 2, 3, 4}, b[] = {1, 2.5f, 3, 2};
  struct tessera *t = tessera_new(NULL);
  struct tessera_tensor x = {.dtype = TESSERA_F32, .rank = 2, .dims = {2, 2}, .data = a}, y = x;
  struct tessera_comparison c;
  (void)state;
  y.data = b;
  assert_int_equal(tessera_compare(t, &x, &x, &c), TESSERA_OK);
  assert_true(c.largest == 0 && c.element == -1 && c.rows == 2 && c.agreeing == 2);
  assert_int_equal(tessera_compare(t, &x, &y, &c), TESSERA_OK);
  assert_true(c.largest == 2 && c.element == 3 && c.rows == 2 && c.agreeing == 1);
  assert_true(c.expected == 4 && c.found == 2);
  y.dims[0] = 1;
  assert_int_equal(tessera_compare(t, &x, &y, &c), TESSERA_REFUSED);
  assert_string_equal(tessera_message(t),
                      "the expected tensor is 2x2 of f32 and the output is 1x2 of f32");
  tessera_free(t);
}

static void layers_and_ports(void **state)
{
  struct tsr_bytes file = tsr_package_write(*state, hand_made(*state));
  struct tessera *t = tessera_new(NULL);
  struct tessera_model *model;
  struct tessera_model_info info;
  struct tessera_layer layer;
  struct tessera_port port;
  assert_int_equal(tessera_model_load(t, "p.tsr", file.data, file.size, NULL, &model), TESSERA_OK);
  tessera_model_info(model, &info);
  assert_true(info.packaged && info.inputs == 1 && info.outputs == 1 && info.layers == 3);
  assert_true(info.streams == 1 && info.instructions == 5);
  tessera_model_layer(model, 1, &layer);
  assert_string_equal(layer.target, "accel");
  assert_null(layer.reason);
  assert_int_equal(layer.instructions, 5);
  tessera_model_output(model, 0, &port);
  assert_string_equal(port.name, "y");
  assert_true(tessera_model_output_step(model, 0) == 0);
  tessera_model_free(model);
  tessera_free(t);
}

/* A layer by its name; else the one that computes a node of that name, or one that is near. */
static void layers_are_found(void **state)
{
  static const struct {
    const char *name, *sentence;
  } rows[] = {
      {"a", "'hand' has no layer 'a'; layer 'double' computes that node"},
      {"b, c", "'hand' has no layer 'b, c'; layer 'double' computes that node"},
      {"c", "'hand' has no layer 'c'; layer 'double' computes that node"},
      {"doubel", "'hand' has no layer 'doubel'; did you mean 'double'?"},
      {"egat", "'hand' has no layer 'egat'; did you mean 'negate'?"},
      {"", "'hand' has no layer ''; `tessera info` lists its layers"},
  };
  struct tsr_module *m = hand_made(*state);
  m->name = "hand";
  m->layer[1].nodes = "a, b, c";
  struct tsr_bytes file = tsr_package_write(*state, m);
  struct tessera *t = tessera_new(NULL);
  struct tessera_model *model;
  int k = -1;
  assert_int_equal(tessera_model_load(t, "p.tsr", file.data, file.size, NULL, &model), TESSERA_OK);
  assert_int_equal(tessera_model_find_layer(t, model, "negate", &k), TESSERA_OK);
  assert_int_equal(k, 2);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(tessera_model_find_layer(t, model, rows[i].name, &k), TESSERA_REFUSED);
    assert_string_equal(tessera_message(t), rows[i].sentence);
  }
  assert_int_equal(k, 2);
  tessera_model_free(model);
  tessera_free(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    IN_ARENA(every_allocation_may_be_refused),
    cmocka_unit_test(every_allocation_of_the_compiler_may_be_refused),
    cmocka_unit_test(allocations_of_the_search_may_be_refused),
    IN_ARENA(two_threads_do_not_meet),
    IN_ARENA(tensors_must_fit),
    IN_ARENA(comparisons),
    IN_ARENA(layers_and_ports),
    IN_ARENA(layers_are_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

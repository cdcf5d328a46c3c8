/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/package.h"

#include <jansson.h>

#include "runtime/container.h"
#include "runtime/executor.h"
#include "tests/runtime/module.h"

static void goes_round(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_module *m = hand_made(a), *back;
  struct tsr_err err = {0};
  struct tsr_bytes file = tsr_package_write(a, m);
  assert_true(tsr_package_is(file.data, file.size));
  if (tsr_package_read(a, &err, "p.tsr", file.data, file.size, &back))
    fail_msg("%s", err.text);
  struct tsr_bytes again = tsr_package_write(a, back);
  assert_int_equal(again.size, file.size);
  assert_memory_equal(again.data, file.data, file.size);
  assert_string_equal(back->name, "by hand");
  assert_int_equal(back->design.hash, m->design.hash);
  assert_string_equal(back->design.name, "default");
  assert_memory_equal(back->buffer[BUFFER_C].data, m->buffer[BUFFER_C].data, LANES);
  const unsigned char *constant = back->buffer[BUFFER_C].data; /* where it lies in the file */
  assert_true(constant > file.data && constant < file.data + file.size);
  assert_int_equal((uintptr_t)constant % 64, 0);
  assert_int_equal(back->buffer[BUFFER_DOUBLE].offset, 128);
  assert_string_equal(back->layer[1].schedule, m->layer[1].schedule);
  assert_null(back->layer[1].reason);
  assert_string_equal(tir_func_print(a, back->layer[0].func), tir_func_print(a, m->layer[0].func));
}

static void a_read_module_runs(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_bytes file = tsr_package_write(a, hand_made(a));
  struct tsr_module *m;
  struct tsr_executor *x;
  int8_t in[LANES], y[LANES];
  assert_int_equal(tsr_package_read(a, NULL, "p.tsr", file.data, file.size, &m), TSR_OK);
  assert_int_equal(tsr_executor_open(a, NULL, m, "func", &x), TSR_OK);
  for (int i = 0; i < LANES; i++)
    in[i] = (int8_t)(17 * i - 100);
  memcpy(tsr_executor_buffer(x, BUFFER_X), in, LANES);
  assert_int_equal(tsr_executor_run(x, NULL), TSR_OK);
  hand_reference(in, y);
  assert_memory_equal(tsr_executor_buffer(x, BUFFER_Y), y, LANES);
  tsr_executor_close(x);
}

static void parts_come_back(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_module *m = hand_made_part(a, 2), *back;
  struct tsr_bytes file = tsr_package_write(a, m);
  assert_int_equal(tsr_package_read(a, NULL, "p.tsr", file.data, file.size, &back), TSR_OK);
  const struct tsr_module_buffer *b = &back->buffer[BUFFER_DOUBLE];
  assert_true(b->is_part);
  assert_int_equal(b->whole, BUFFERS);
  assert_int_equal(b->offset, 128);
  assert_int_equal(b->step[0], LANES);
  assert_int_equal(b->step[1], 2);
  assert_false(back->buffer[BUFFER_SUM].is_part);
}

/* Every byte is under a checksum or fixed. */
static void every_damaged_byte_is_refused(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_bytes file = tsr_package_write(a, hand_made(a));
  uint64_t seed = 20;
  for (size_t i = 0; i < file.size; i++) {
    struct tsr_module *m = NULL;
    struct tsr_err err = {0};
    unsigned char old = file.data[i];
    file.data[i] ^= (unsigned char)(1u << next_random(&seed) % 8);
    if (tsr_package_read(a, &err, "p.tsr", file.data, file.size, &m) != TSR_REFUSED)
      fail_msg("byte %zu of %zu", i, file.size);
    assert_memory_equal(err.text, "p.tsr: ", 7);
    assert_null(m);
    file.data[i] = old;
  }
}

static void every_truncation_is_refused(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_bytes file = tsr_package_write(a, hand_made(a));
  for (size_t n = 0; n < file.size; n++) {
    struct tsr_module *m;
    struct tsr_err err = {0};
    unsigned char *cut = malloc(n + !n); /* so that a read behind the end is seen */
    memcpy(cut, file.data, n);
    if (tsr_package_read(a, &err, "p.tsr", cut, n, &m) != TSR_REFUSED)
      fail_msg("%zu of %zu bytes", n, file.size);
    free(cut);
  }
}

/* --- packages whose checksums are right and whose content is not ------------------------------ */

static void step_layer(struct tsr_module *m) { m->step[0].layer = 1; }
static void step_beyond(struct tsr_module *m) { m->step[0].layer = 3; }
static void stream_beyond(struct tsr_module *m) { m->step[1].insns = 6; }
static void stream_from_afar(struct tsr_module *m) { m->step[1].first_insn = SIZE_MAX / 8; }
static void stream_without_finish(struct tsr_module *m)
{
  m->step[1].insns = m->layer[1].insns = 4;
}
static void input_beyond(struct tsr_module *m) { m->input[0] = BUFFERS; }
static void input_on_device(struct tsr_module *m) { m->input[0] = BUFFER_SUM; }
static void input_constant(struct tsr_module *m) { m->input[0] = BUFFER_C; }
static void output_on_device(struct tsr_module *m) { m->output[0] = BUFFER_DOUBLE; }
static void buffer_outside(struct tsr_module *m) { m->buffer[BUFFER_DOUBLE].offset = 180; }
static void buffer_overlap(struct tsr_module *m) { m->buffer[BUFFER_DOUBLE].offset = 72; }
static void buffer_in_image(struct tsr_module *m) { m->buffer[BUFFER_DOUBLE].offset = 0; }
static void small_window(struct tsr_module *m) { m->window_bytes = 4; }
static void large_window(struct tsr_module *m) { m->window_bytes = (size_t)1 << 33; }
static void argument_beyond(struct tsr_module *m) { m->layer[0].arg[0] = 99; }
static void argument_shape(struct tsr_module *m) { m->buffer[BUFFER_Y].dims[1] = 15; }
static void argument_dtype(struct tsr_module *m) { m->buffer[BUFFER_Y].dtype = TSR_U8; }
static void argument_count(struct tsr_module *m) { m->layer[0].args = 2; }
static void argument_on_host(struct tsr_module *m) { m->buffer[BUFFER_SUM].on_device = false; }
static void writes_constant(struct tsr_module *m) { m->layer[2].arg[1] = BUFFER_C; }
static void layer_step(struct tsr_module *m) { m->layer[1].step = 3; }
static void layer_target(struct tsr_module *m) { m->layer[1].target = "cpu"; }
static void layer_nowhere(struct tsr_module *m) { m->layer[1].target = "gpu"; }
static void layer_insns(struct tsr_module *m) { m->layer[1].first_insn = 3; }

static void part_of_nothing(struct tsr_module *m) { m->buffer[BUFFER_DOUBLE].whole = BUFFERS + 1; }
static void part_of_itself(struct tsr_module *m) { m->buffer[BUFFER_DOUBLE].whole = BUFFER_DOUBLE; }
static void part_of_host(struct tsr_module *m) { m->buffer[BUFFERS].on_device = false; }
static void part_of_image(struct tsr_module *m) { m->buffer[BUFFERS].offset = 0; }
static void part_of_others(struct tsr_module *m) { m->buffer[BUFFERS].dtype = TSR_U8; }
static void part_before(struct tsr_module *m) { m->buffer[BUFFER_DOUBLE].offset = 111; }
static void part_behind(struct tsr_module *m) { m->buffer[BUFFER_DOUBLE].offset = 146; }
static void part_far(struct tsr_module *m) { m->buffer[BUFFER_DOUBLE].step[1] = INT64_MAX; }
static void part_written(struct tsr_module *m) { m->layer[0].arg[2] = BUFFER_DOUBLE; }

static void bad_parts_are_refused(void **state)
{
  static const struct {
    void (*edit)(struct tsr_module *m);
    const char *sentence;
  } rows[] = {
      {part_of_nothing,
       "buffer 3 ('double') is a part of buffer 6, which can have none of it"},
      {part_of_itself, "buffer 3 ('double') is a part of buffer 3, which can have none of it"},
      {part_of_host, "buffer 3 ('double') is a part of buffer 5, which can have none of it"},
      {part_of_image, "buffer 3 ('double') is a part of buffer 5, which can have none of it"},
      {part_of_others, "buffer 3 ('double') is a part of buffer 5, which can have none of it"},
      {part_before, "buffer 3 ('double') is a part of 'whole' and leaves it"},
      {part_behind, "buffer 3 ('double') is a part of 'whole' and leaves it"},
      {part_far, "buffer 3 ('double') is a part of 'whole' and leaves it"},
      {part_written, "layer 'add' writes to 'double', a part, from the CPU"},
  };
  struct tsr_arena *a = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_module *m = hand_made_part(a, 2), *back;
    struct tsr_err err = {0};
    rows[i].edit(m);
    struct tsr_bytes file = tsr_package_write(a, m);
    assert_int_equal(tsr_package_read(a, &err, "p.tsr", file.data, file.size, &back), TSR_REFUSED);
    assert_string_equal(err.text + 7, rows[i].sentence);
  }
}

static void contradictions_are_refused(void **state)
{
  static const struct {
    void (*edit)(struct tsr_module *m);
    const char *sentence;
  } rows[] = {
      {step_layer, "step 0 runs layer 1, which is not one of its layers"},
      {step_beyond, "step 0 runs layer 3, which is not one of its layers"},
      {stream_beyond, "step 1 has 6 instructions from 0 on, of 5"},
      {stream_from_afar, "step 1 has 5 instructions from 2305843009213693951 on, of 5"},
      {stream_without_finish, "step 1 is a stream that does not end in FINISH"},
      {input_beyond, "input 0 is buffer 5 of 5"},
      {input_on_device, "input 0 ('sum') lies on the device"},
      {input_constant, "input 0 ('c') is a constant"},
      {output_on_device, "output 0 ('double') lies on the device"},
      {buffer_outside,
       "buffer 3 ('double') has 16 bytes from 180, which leave the window of 192 bytes"},
      {buffer_overlap, "buffers 'sum' and 'double' overlap in the window"},
      {buffer_in_image,
       "buffer 3 ('double') has 16 bytes from 0, which leave the image of 8 bytes"},
      {small_window, "the image of 8 bytes does not fit the window of 4"},
      {large_window, "the window has 8589934592 bytes, more than 32-bit addresses reach"},
      {argument_beyond, "layer 'add' uses buffer 99 of 5"},
      {argument_shape,
       "layer 'negate': buffer 'y' does not have the type or size that its compute has for "
       "'r'"},
      {argument_dtype,
       "layer 'negate': buffer 'y' does not have the type or size that its compute has for "
       "'r'"},
      {argument_count, "layer 'add' has 2 buffers for the 3 of its compute"},
      {argument_on_host,
       "layer 'double' is the accelerator's and uses 'sum', which the host has"},
      {writes_constant, "layer 'negate' writes to 'c', a constant"},
      {layer_step, "layer 'double' is in step 3 of 3"},
      {layer_target, "layer 'double' is not one of the layers of its step 1"},
      {layer_nowhere, "layer 'double' is for 'gpu'; there are 'accel' and 'cpu'"},
      {layer_insns, "layer 'double' has 5 instructions from 3 on, outside of its step's"},
  };
  struct tsr_arena *a = *state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_module *m = hand_made(a), *back;
    struct tsr_err err = {0};
    rows[i].edit(m);
    struct tsr_bytes file = tsr_package_write(a, m);
    assert_int_equal(tsr_package_read(a, &err, "p.tsr", file.data, file.size, &back), TSR_REFUSED);
    assert_memory_equal(err.text, "p.tsr: ", 7);
    assert_string_equal(err.text + 7, rows[i].sentence);
  }
}

/* --- manifests with one value exchanged ------------------------------------------------------- */

/* The nth value below `at` (depth first), or NULL; *n counts down. Its holder and place come with
 * it. */
struct spot {
  json_t *holder;
  const char *key;
  size_t index;
};

static bool find_spot(json_t *at, int *n, struct spot *out)
{
  const char *key;
  json_t *value;
  size_t index;
  if (json_is_object(at)) {
    json_object_foreach(at, key, value) {
      if ((*n)-- == 0) {
        *out = (struct spot){at, key, 0};
        return true;
      }
      if (find_spot(value, n, out))
        return true;
    }
  } else if (json_is_array(at)) {
    json_array_foreach(at, index, value) {
      if ((*n)-- == 0) {
        *out = (struct spot){at, NULL, index};
        return true;
      }
      if (find_spot(value, n, out))
        return true;
    }
  }
  return false;
}

static json_t *junk(int kind)
{
  switch (kind) {
  case 0: return json_integer(-1);
  case 1: return json_integer(INT64_MAX);
  case 2: return json_string("junk");
  case 3: return json_null();
  case 4: return json_array();
  case 5: return json_object();
  case 6: return json_integer(3);
  default: return json_real(0.5);
  }
}

/* Reads a package whose manifest is this; what is read must open or be refused, too. */
static void read_edited(struct tsr_arena *outer, const struct tsr__container *whole,
                        const json_t *root)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr__container c = *whole;
  struct tsr_module *m;
  struct tsr_executor *x;
  struct tsr_err err = {0};
  char *text = json_dumps(root, 0);
  (void)outer;
  c.section[TSR__SECTION_MANIFEST] = (struct tsr_bytes){(unsigned char *)text, strlen(text)};
  struct tsr_bytes file = tsr__container_write(a, &c);
  if (tsr_package_read(a, &err, "p.tsr", file.data, file.size, &m))
    assert_memory_equal(err.text, "p.tsr: ", 7);
  else if (!tsr_executor_open(a, &err, m, "func", &x)) {
    tsr_executor_run(x, &err);
    tsr_executor_close(x);
  }
  free(text);
  tsr_arena_free(a);
}

static void every_value_may_be_junk(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_bytes file = tsr_package_write(a, hand_made(a));
  struct tsr__container c;
  struct spot spot;
  assert_int_equal(tsr__container_read(NULL, "p", file.data, file.size, &c), TSR_OK);
  const struct tsr_bytes *manifest = &c.section[TSR__SECTION_MANIFEST];
  for (int place = 0;; place++) {
    for (int kind = 0; kind < 8; kind++) {
      json_t *root = json_loadb((const char *)manifest->data, manifest->size, 0, NULL);
      int n = place;
      bool there = find_spot(root, &n, &spot);
      if (there && spot.key)
        json_object_set_new(spot.holder, spot.key, junk(kind));
      else if (there)
        json_array_set_new(spot.holder, spot.index, junk(kind));
      if (there)
        read_edited(a, &c, root);
      json_decref(root);
      if (!there) {
        assert_true(place > 60);
        return;
      }
    }
  }
}

static void other_versions_are_refused(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_bytes file = tsr_package_write(a, hand_made(a));
  struct tsr_module *m;
  struct tsr_err err = {0};
  file.data[8] = 4;
  assert_int_equal(tsr_package_read(a, &err, "p.tsr", file.data, file.size, &m), TSR_REFUSED);
  assert_string_equal(err.text,
                      "p.tsr: the package has format version 4; this command reads version 3");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    IN_ARENA(goes_round),
    IN_ARENA(a_read_module_runs),
    IN_ARENA(every_damaged_byte_is_refused),
    IN_ARENA(every_truncation_is_refused),
    IN_ARENA(contradictions_are_refused),
    IN_ARENA(bad_parts_are_refused),
    IN_ARENA(parts_come_back),
    IN_ARENA(every_value_may_be_junk),
    IN_ARENA(other_versions_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

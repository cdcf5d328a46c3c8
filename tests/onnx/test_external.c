/* SPDX-License-Identifier: Apache-2.0 */
/* Initializers whose data lies in another file: inside of the model's folder only. */
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/onnx/model_text.h"

/* What the folder holds; made in this order, removed in the other. From model/ links lead out: by
 * name, through a folder, to a name that starts as the folder's does, to a folder whose name is as
 * long. */
static const struct {
  enum { FOLDER, NUMBERS, LINK, PIPE } kind;
  const char *path, *target;
} things[] = {
    {FOLDER, "model", NULL},
    {FOLDER, "model/deep", NULL},
    {FOLDER, "other", NULL},
    {NUMBERS, "model/w.bin", NULL},
    {NUMBERS, "model/deep/w.bin", NULL},
    {NUMBERS, "other/w.bin", NULL},
    {NUMBERS, "model.bin", NULL},
    {NUMBERS, "secret.bin", NULL},
    {LINK, "model/in", "w.bin"},
    {LINK, "model/out", "../secret.bin"},
    {LINK, "model/up", ".."},
    {LINK, "model/alike", "../model.bin"},
    {LINK, "model/along", "../other/w.bin"},
    {LINK, "link", "model"},
    {PIPE, "model/pipe", NULL},
};
enum { THINGS = sizeof things / sizeof things[0] };

struct place {
  struct tsr_arena *arena;
  char folder[64];
};

static char *path_of(struct place *p, const char *name)
{
  return tsr_arena_printf(p->arena, "%s/%s", p->folder, name);
}

static int make(struct place *p, int i)
{
  static const float numbers[4] = {1, 2, 3, 4};
  const char *path = path_of(p, things[i].path);
  switch (things[i].kind) {
  case FOLDER: return mkdir(path, 0700);
  case LINK: return symlink(things[i].target, path);
  case PIPE: return mkfifo(path, 0600);
  default: return (int)tsr_file_write(NULL, path, numbers, sizeof numbers);
  }
}

static int open_place(void **state)
{
  struct place *p = calloc(1, sizeof *p);
  *state = p;
  strcpy(p->folder, "/tmp/tessera_onnx_XXXXXX");
  p->arena = tsr_arena_new(NULL);
  int bad = !mkdtemp(p->folder);
  for (int i = 0; i < THINGS && !bad; i++)
    bad = make(p, i);
  return bad;
}

static int close_place(void **state)
{
  struct place *p = *state;
  for (int i = THINGS - 1; i >= 0; i--)
    remove(path_of(p, things[i].path));
  remove(p->folder);
  tsr_arena_free(p->arena);
  free(p);
  return 0;
}

static const struct row {
  const char *location, *offset, *length;
  int count;            /* of float32 elements */
  const char *expected; /* the first element, or a sentence */
} rows[] = {
    {"w.bin", NULL, NULL, 4, "1"},
    {"w.bin", "4", "8", 2, "2"},
    {"w.bin", "4", NULL, 1, "2"},
    {"w.bin", "16", "0", 0, "none"},
    {"deep/w.bin", NULL, "8", 2, "1"},
    {"./deep/../w.bin", NULL, NULL, 4, "must be a path inside of the model's folder"},
    {"in", NULL, NULL, 4, "1"},

    {"w.bin", "4", NULL, 4, "has 16 bytes, but the tensor needs 16 from 4"},
    {"w.bin", "17", NULL, 0, "has 16 bytes, but the tensor needs 0 from 17"},
    {"w.bin", "18446744073709551615", NULL, 1,
     "has 16 bytes, but the tensor needs 4 from 18446744073709551615"},
    {"w.bin", "18446744073709551616", NULL, 1, "offset and length must be whole numbers"},
    {"w.bin", "-4", NULL, 1, "offset and length must be whole numbers"},
    {"w.bin", "", NULL, 1, "offset and length must be whole numbers"},
    {"w.bin", "0", "0x8", 2, "offset and length must be whole numbers"},
    {"w.bin", "0", "12", 2, "length is 12, but the tensor needs 8 bytes"},
    {NULL, "0", NULL, 4, "has external data without a location"},
    {"", NULL, NULL, 4, "external data file '' must be a path inside of the model's folder"},
    {"/etc/passwd", NULL, NULL, 4, "external data file '/etc/passwd' must be a path inside"},
    {"../secret.bin", NULL, NULL, 4, "external data file '../secret.bin' must be a path inside"},
    {"deep/../../secret.bin", NULL, NULL, 4, "must be a path inside"},
    {"deep/..", NULL, NULL, 4, "must be a path inside"},
    {"out", NULL, NULL, 4, "external data file 'out' is a link out of the model's folder"},
    {"alike", NULL, NULL, 4, "is a link out of the model's folder"},
    {"along", NULL, NULL, 4, "is a link out of the model's folder"},
    {"up/secret.bin", NULL, NULL, 4, "is a link out of the model's folder"},
    {"none.bin", NULL, NULL, 4, "external data file 'none.bin': No such file"},
    {"deep", NULL, NULL, 4, "external data file 'deep' is not a regular file"},
    {"pipe", NULL, NULL, 4, "external data file 'pipe' is not a regular file"},
};

static void add_entry(struct tsr_arena *a, Onnx__TensorProto *t, const char *key, const char *value)
{
  if (!value)
    return;
  Onnx__StringStringEntryProto *e = TSR_NEW(a, Onnx__StringStringEntryProto);
  onnx__string_string_entry_proto__init(e);
  e->key = (char *)key;
  e->value = (char *)value;
  t->external_data[t->n_external_data++] = e;
}

static Onnx__ModelProto *model_with(struct tsr_arena *a, const struct row *r)
{
  Onnx__ModelProto *m = model_of(a, tsr_arena_printf(a, "const w f32 %d; output w", r->count));
  Onnx__TensorProto *t = m->graph->initializer[0];
  t->has_raw_data = 0;
  t->has_data_location = 1;
  t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
  t->external_data = TSR_NEW_ARRAY(a, Onnx__StringStringEntryProto *, 3);
  add_entry(a, t, "offset", r->offset);
  add_entry(a, t, "location", r->location);
  add_entry(a, t, "length", r->length);
  return m;
}

static void check_rows(struct place *p, const char *folder)
{
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct row *r = &rows[i];
    struct tsr_onnx_options options = {.folder = folder};
    struct tsr_err err = {0};
    struct tsr_graph *g = NULL;
    enum tsr_status status = import_model(p->arena, &err, model_with(p->arena, r), &options, &g);
    if (!strcmp(r->expected, "none") || (*r->expected >= '0' && *r->expected <= '9')) {
      if (status)
        fail_msg("%s: %s", r->location, err.text);
      if (r->count)
        assert_true(*(const float *)g->output[0]->data == strtof(r->expected, NULL));
    } else if (!status || !strstr(err.text, r->expected) ||
               strncmp(err.text, "m.onnx: initializer 'w': ", 25)) {
      fail_msg("row %zu: got '%s', expected '%s'", i, err.text, r->expected);
    }
  }
}

static void each_row(void **state)
{
  struct place *p = *state;
  check_rows(p, path_of(p, "model"));
  check_rows(p, path_of(p, "link")); /* the folder itself may be a link */
}

static void folders_and_limits(void **state)
{
  struct place *p = *state;
  Onnx__ModelProto *m = model_with(p->arena, &rows[0]);
  struct tsr_onnx_options options = {.limit = packed(p->arena, m).size};
  expect_refused(p->arena, m, &options,
                 "its data is in the file 'w.bin', and external data is not read here");
  options.folder = path_of(p, "model");
  struct tsr_graph *g = NULL;
  assert_int_equal(import_model(p->arena, NULL, m, &options, &g), TSR_OK);
  options.limit--;
  expect_refused(p->arena, m, &options, "more than the limit of ");
  struct row large = rows[0];
  large.count = 4096;
  assert_int_equal(
      tsr_file_write(NULL, path_of(p, "model/w.bin"), tsr_arena_alloc(p->arena, 16384), 16384),
      TSR_OK);
  options.limit = 4 * 4096 - 1;
  expect_refused(p->arena, model_with(p->arena, &large), &options,
                 "external data is larger than the limit");
  options.folder = path_of(p, "nowhere");
  options.limit = 0;
  expect_refused(p->arena, m, &options, "external data file 'w.bin': No such file");
}

#define AT_PLACE(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
  const struct CMUnitTest tests[] = {AT_PLACE(each_row), AT_PLACE(folders_and_limits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Real models: the project's own, and those that lie beside a checkout where they do. */
#include <dirent.h>
#include <sys/stat.h>

#include "compiler/onnx/tensorproto.h"
#include "tests/onnx/model_text.h"

static const char beside[] = "../shared/models";

struct found {
  int models, tensors;
};

static bool ends_with(const char *text, const char *end)
{
  size_t n = strlen(text), k = strlen(end);
  return n >= k && !strcmp(text + n - k, end);
}

/* The model says the shapes of its outputs; inference from what was imported must find the same. */
static void compare_outputs(const struct tsr_graph *g, const struct tsr_bytes *b, const char *path)
{
  Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, b->size, b->data);
  for (int i = 0; i < g->outputs; i++) {
    const Onnx__TypeProto *type = m->graph->output[i]->type;
    const Onnx__TensorShapeProto *shape = type ? type->tensor_type->shape : NULL;
    const struct tsr_value *v = g->output[i];
    assert_string_equal(m->graph->output[i]->name, v->name);
    assert_true(!type || tsr_dtype_onnx(v->dtype) == type->tensor_type->elem_type);
    assert_true(!shape || (int)shape->n_dim == v->rank);
    for (size_t k = 0; shape && k < shape->n_dim; k++) {
      const Onnx__TensorShapeProto__Dimension *d = shape->dim[k];
      if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE &&
          d->dim_value > 0 && d->dim_value != v->dims[k])
        fail_msg("%s: '%s' has %lld at axis %zu, not %lld", path, v->name, (long long)v->dims[k], k,
                 (long long)d->dim_value);
    }
  }
  onnx__model_proto__free_unpacked(m, NULL);
}

/* Imports, and looks at what any import must give. */
static void import_file(const char *path)
{
  struct tsr_err err = {0};
  struct tsr_bytes b;
  struct tsr_graph *g = NULL;
  struct tsr_arena *a = tsr_arena_new(NULL);
  if (tsr_file_read(a, &err, path, (size_t)1 << 31, &b) ||
      tsr_onnx_import(a, &err, path, b.data, b.size, NULL, &g))
    fail_msg("%s", err.text);
  assert_true(g->inputs > 0 && g->outputs > 0 && g->nodes > 0);
  for (int i = 0; i < g->nodes; i++)
    for (int k = 0; k < g->node[i]->inputs; k++) {
      const struct tsr_value *v = g->node[i]->in[k];
      assert_true(!v || v->typed || v->producer);
    }
  if (tsr_graph_infer(&err, g) || tsr_graph_verify(&err, g))
    fail_msg("%s: %s", path, err.text);
  compare_outputs(g, &b, path);
  tsr_arena_free(a);
}

static void read_tensor(const char *path)
{
  struct tsr_err err = {0};
  struct tsr_bytes b;
  struct tsr_tensor t;
  struct tsr_arena *a = tsr_arena_new(NULL);
  if (tsr_file_read(a, &err, path, (size_t)1 << 31, &b) ||
      tsr_tensorproto_read(a, &err, path, b.data, b.size, &t, NULL))
    fail_msg("%s", err.text);
  tsr_arena_free(a);
}

static void walk(const char *folder, struct found *found)
{
  DIR *d = opendir(folder);
  for (struct dirent *e; d && (e = readdir(d));) {
    char path[1024];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    if (e->d_name[0] == '.' || stat(path, &st) < 0)
      continue;
    if (S_ISDIR(st.st_mode))
      walk(path, found);
    else if (ends_with(path, ".onnx"))
      import_file(path), found->models++;
    else if (ends_with(path, ".pb"))
      read_tensor(path), found->tensors++;
  }
  if (d)
    closedir(d);
}

static void models_beside_the_checkout(void **state)
{
  (void)state;
  struct found found = {0};
  walk(beside, &found);
  if (!found.models) {
    print_message("no models in %s: skipped\n", beside);
    skip();
  }
  print_message("%d models, %d tensors\n", found.models, found.tensors);
}

static void digits(void **state)
{
  (void)state;
  struct stat st;
  if (stat("models/digits/digits.onnx", &st) < 0) {
    print_message("models/digits/digits.onnx is not there: skipped\n");
    skip();
  }
  import_file("models/digits/digits.onnx");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(models_beside_the_checkout),
                                     cmocka_unit_test(digits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

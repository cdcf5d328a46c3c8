/* SPDX-License-Identifier: Apache-2.0 */
/* The ONNX project's own conformance tests, from Debian's libonnx-testdata: every one is imported
 * and run. Those named in conformance.txt have to pass; of the others none may give a wrong result,
 * and what is not supported is refused with a sentence, which is printed.
 *
 *   test_graph_conformance          all of them
 *   test_graph_conformance NAME     one, telling its outcome */
#include <dirent.h>

#include "tests/graph/test_compute_onnx.h"

static const char *const suites[] = {"node", "simple", "pytorch-converted", "pytorch-operator"};
static const char list_file[] = "tests/graph/conformance.txt";

enum outcome { PASSED, REFUSED, WRONG };

struct trial {
  struct tsr_arena *a;
  struct tsr_err *err; /* why it was refused, or what is wrong */
  const char *model;
  struct recorded *run;
  double tolerance; /* of floats: relative, a fifth of it absolute */
};

/* --- comparing -------------------------------------------------------------------------------- */

static bool same_element(const struct tsr_tensor *got, const struct tsr_tensor *want, int64_t i,
                         double tolerance)
{
  if (tsr_dtype_kind(want->dtype) != TSR_KIND_FLOAT)
    return tsr_get_int(got, i) == tsr_get_int(want, i);
  double x = tsr_get_float(got, i), y = tsr_get_float(want, i);
  if (isnan(y) || isinf(y))
    return isnan(y) ? isnan(x) : x == y;
  return fabs(x - y) <= tolerance * fabs(y) + tolerance / 5;
}

static enum outcome compare(const struct trial *t, int k, const struct tsr_tensor *got)
{
  struct tsr_tensor recorded = t->run->output[k], *want = &recorded;
  char a[192], b[192];
  if (got->dtype == TSR_BF16 && want->dtype == TSR_U16) /* recorded as bits */
    want->dtype = TSR_BF16;
  if (got->dtype != want->dtype || !tsr_same_shape(got, want)) {
    tsr_refuse(t->err, "output %d is %s %s instead of %s %s", k, tsr_dtype_name(got->dtype),
               tsr_dims_text(got->dims, got->rank, a), tsr_dtype_name(want->dtype),
               tsr_dims_text(want->dims, want->rank, b));
    return WRONG;
  }
  for (int64_t i = 0; i < tsr_tensor_count(want); i++)
    if (!same_element(got, want, i, t->tolerance)) {
      tsr_refuse(t->err, "output %d[%lld] is %.9g instead of %.9g", k, (long long)i,
                 tsr_get_float(got, i), tsr_get_float(want, i));
      return WRONG;
    }
  return PASSED;
}

/* --- one test --------------------------------------------------------------------------------- */

/* Every node's compute is sound on its own. */
static enum outcome verify_computes(const struct trial *t, const struct tsr_graph *g)
{
  for (int k = 0; k < g->nodes; k++) {
    struct tir_func *f;
    if (tsr_node_compute(t->a, t->err, g->node[k], &f))
      return REFUSED;
    if (tir_func_verify(t->err, f))
      return WRONG;
  }
  return PASSED;
}

static enum outcome try_frozen(const struct trial *t, int first)
{
  struct tsr_tensor outputs[MOST_TENSORS];
  struct tsr_graph *g;
  if (import_file(t->a, t->err, t->model, &g))
    return REFUSED;
  if (g->inputs != t->run->inputs || g->outputs != t->run->outputs) {
    tsr_refuse(t->err, "%d inputs and %d outputs of the model are recorded with %d and %d",
               g->inputs, g->outputs, t->run->inputs, t->run->outputs);
    return REFUSED;
  }
  recorded_bind(g, t->run, first);
  if (tsr_graph_infer(t->err, g) || tsr_graph_verify(t->err, g))
    return REFUSED;
  enum outcome outcome = verify_computes(t, g);
  if (outcome)
    return outcome;
  if (tsr_graph_run(t->a, t->err, g, t->run->input, outputs, NULL, NULL))
    return REFUSED;
  for (int k = 0; k < t->run->outputs; k++)
    if (compare(t, k, &outputs[k]))
      return WRONG;
  return PASSED;
}

/* As it is, then with all inputs but the first as constants, then with all. */
static enum outcome try_set(const struct trial *t)
{
  enum outcome outcome = try_frozen(t, MOST_TENSORS);
  for (int inputs = 1; inputs >= 0 && outcome == REFUSED; inputs--)
    outcome = try_frozen(t, inputs);
  return outcome;
}

static enum outcome try_test(const char *root, const char *name, double tolerance,
                             struct tsr_err *err)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  assert_non_null(a);
  enum outcome outcome = PASSED;
  for (int set = 0; outcome == PASSED; set++) {
    struct recorded run;
    char *folder = tsr_arena_printf(a, "%s/%s/test_data_set_%d", root, name, set);
    if (access(folder, R_OK)) {
      if (set == 0) {
        tsr_refuse(err, "it comes without data");
        outcome = REFUSED;
      }
      break;
    }
    struct trial t = {a, err, tsr_arena_printf(a, "%s/%s/model.onnx", root, name), &run, tolerance};
    outcome = recorded_read(a, err, folder, &run) ? REFUSED : try_set(&t);
  }
  tsr_arena_free(a);
  return outcome;
}

/* --- all of them ------------------------------------------------------------------------------ */

struct names {
  char **name;
  int count;
  size_t capacity;
};

static void add_name(struct tsr_arena *a, struct names *names, const char *name)
{
  names->name = TSR_GROW(a, names->name, names->count, &names->capacity);
  names->name[names->count++] = tsr_arena_strdup(a, name);
}

/* The lines of conformance.txt but for comments. */
static struct names read_list(struct tsr_arena *a)
{
  struct tsr_bytes bytes;
  struct tsr_err err = {0};
  struct names names = {0};
  if (tsr_file_read(a, &err, list_file, FILE_LIMIT, &bytes))
    fail_msg("%s", err.text);
  for (char *line = strtok((char *)bytes.data, "\n"); line; line = strtok(NULL, "\n"))
    if (*line != '#')
      add_name(a, &names, line);
  return names;
}

/* What the list says about a test: "NAME", "NAME TOLERANCE" or "-NAME". */
struct expected {
  bool passes, differs;
  double tolerance;
};

static struct expected expected_of(const struct names *list, const char *name)
{
  struct expected e = {.tolerance = 1e-5};
  size_t length = strlen(name);
  for (int k = 0; k < list->count; k++) {
    const char *line = list->name[k] + (*list->name[k] == '-');
    if (strncmp(line, name, length) || (line[length] && line[length] != ' '))
      continue;
    e.differs = line != list->name[k];
    e.passes = !e.differs;
    if (line[length])
      e.tolerance = strtod(line + length, NULL);
  }
  return e;
}

static int by_name(const void *x, const void *y)
{
  return strcmp(*(char *const *)x, *(char *const *)y);
}

static void add_suite(struct tsr_arena *a, const char *root, const char *suite, struct names *tests)
{
  DIR *dir = opendir(tsr_arena_printf(a, "%s/%s", root, suite));
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (!strncmp(e->d_name, "test_", 5))
      add_name(a, tests, tsr_arena_printf(a, "%s/%s", suite, e->d_name));
  if (dir)
    closedir(dir);
}

/* What has to pass and does not, and what gives a wrong result though no line says so, is a
 * failure. */
static void one_test(const struct names *list, const char *name, int count[3], int *bad, int *found)
{
  static const char *const words[] = {"passed", "refused", "WRONG"};
  struct expected e = expected_of(list, name);
  struct tsr_err err = {0};
  enum outcome outcome = try_test(TESSERA_ONNX_TESTDATA, name, e.tolerance, &err);
  bool as_expected =
      e.differs ? outcome == WRONG : outcome == PASSED || (outcome == REFUSED && !e.passes);
  const char *sentence = strstr(err.text, "model.onnx: ");
  printf("%s %s", words[outcome], name);
  if (outcome != PASSED)
    printf(": %s", sentence ? sentence + strlen("model.onnx: ") : err.text);
  printf("%s\n", as_expected ? "" : " (NOT AS EXPECTED)");
  count[outcome]++;
  *bad += !as_expected;
  *found += e.passes || e.differs;
}

static void all_tests(void **state)
{
  (void)state;
  if (access(TESSERA_ONNX_TESTDATA "/node", R_OK)) {
    printf("skipped: there is no Debian package libonnx-testdata\n");
    skip();
  }
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct names list = read_list(a), tests = {0};
  int count[3] = {0}, bad = 0, found = 0;
  for (size_t k = 0; k < sizeof suites / sizeof suites[0]; k++)
    add_suite(a, TESSERA_ONNX_TESTDATA, suites[k], &tests);
  qsort(tests.name, (size_t)tests.count, sizeof *tests.name, by_name);
  for (int k = 0; k < tests.count; k++)
    one_test(&list, tests.name[k], count, &bad, &found);
  printf("%d of %d tests passed, %d are not supported, %d give another result\n", count[PASSED],
         tests.count, count[REFUSED], count[WRONG]);
  int lines = list.count;
  tsr_arena_free(a);
  assert_int_equal(bad, 0);
  assert_int_equal(found, lines);
}

int main(int argc, char **argv)
{
  if (argc > 1) {
    struct tsr_err err = {0};
    enum outcome outcome = try_test(TESSERA_ONNX_TESTDATA, argv[1], 1e-5, &err);
    printf("%s %s\n", outcome ? "did not pass:" : "passed", err.text);
    return outcome != PASSED;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_tests)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

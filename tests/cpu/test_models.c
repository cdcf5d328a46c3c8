/* SPDX-License-Identifier: Apache-2.0 */
/* Networks by the public interface: target cpu at every level, packages that carry code, what is
 * said where there is none. Those beside the checkout (../shared/models) are skipped where absent.
 * */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tessera.h"
#include "runtime/tessera_cpu.h"

#define SHARED "../shared/models/"
#define DIGITS "models/digits/digits.onnx"

struct run {
  struct tessera *t;
  struct tessera_model *model;
  struct tessera_session *session;
  char said[256];
};

static void must(struct tessera *t, enum tessera_status status)
{
  if (status)
    fail_msg("%s", tessera_message(t));
}

static void say(void *context, const char *line)
{
  struct run *r = context;
  snprintf(r->said, sizeof r->said, "%s", line);
}

static void open_session(struct run *r)
{
  struct tessera_session_options options = {.say = say, .context = r};
  must(r->t, tessera_session_open_with(r->t, r->model, &options, &r->session));
}

static void close_run(struct run *r)
{
  tessera_session_free(r->session);
  tessera_model_free(r->model);
  tessera_free(r->t);
}

static void open_model(struct run *r, const char *path, const char *target, bool codegen,
                       bool portable)
{
  struct tessera_options options = {
      .target = target, .codegen = codegen ? tessera_cpu_codegen() : NULL, .portable = portable};
  *r = (struct run){.t = tessera_new(NULL)};
  must(r->t, tessera_model_open(r->t, path, &options, &r->model));
}

static void open_floats(struct run *r, const char *path, const char *target, const char *type)
{
  struct tessera_options options = {
      .target = target, .codegen = tessera_cpu_codegen(), .float_type = type};
  *r = (struct run){.t = tessera_new(NULL)};
  must(r->t, tessera_model_open(r->t, path, &options, &r->model));
}

/* Of what has no products of bf16, for which a package has code of a level of their own. */
static const char *best(void)
{
  const char *name = NULL;
  for (int k = 0; tessera_cpu_level(k); k++)
    if (tessera_cpu_level_here(k) && strcmp(tessera_cpu_level(k), "avx512bf16"))
      name = tessera_cpu_level(k);
  return name;
}

/* The hundred images at each level: the bits of the expected outputs. */
static void digits(void **state)
{
  (void)state;
  for (int k = 0; tessera_cpu_level(k); k++) {
    if (!tessera_cpu_level_here(k))
      continue;
    struct run r;
    struct tessera_tensor images, expected, found;
    char target[64];
    snprintf(target, sizeof target, "cpu:%s", tessera_cpu_level(k));
    open_model(&r, DIGITS, target, true, false);
    open_session(&r);
    assert_string_equal(tessera_session_cpu(r.session), tessera_cpu_level(k));
    must(r.t, tessera_tensor_read(r.t, "models/digits/images.npy", NULL, &images));
    must(r.t, tessera_tensor_read(r.t, "models/digits/expected.npy", NULL, &expected));
    for (int i = 0; i < 100; i++) {
      struct tessera_tensor one = images;
      one.dims[0] = 1;
      one.data = (float *)images.data + i * 64;
      must(r.t, tessera_session_set_input(r.t, r.session, 0, &one));
      must(r.t, tessera_session_run(r.t, r.session));
      tessera_session_output(r.session, 0, &found);
      assert_memory_equal(found.data, (float *)expected.data + i * 10, 10 * sizeof(float));
    }
    must(r.t, tessera_session_check(r.t, r.session));
    tessera_tensor_free(&images);
    tessera_tensor_free(&expected);
    close_run(&r);
  }
}

/* From the package of `from`, opened with `target`. */
static enum tessera_status reopen(struct run *from, const char *target, struct run *out)
{
  struct tessera_options options = {.target = target};
  struct tessera_bytes bytes;
  *out = (struct run){.t = tessera_new(NULL)};
  must(from->t, tessera_model_package(from->t, from->model, &bytes));
  must(out->t, tessera_model_load(out->t, "p.tsr", bytes.data, bytes.size, &options, &out->model));
  tessera_bytes_free(&bytes);
  struct tessera_session_options session = {.say = say, .context = out};
  return tessera_session_open_with(out->t, out->model, &session, &out->session);
}

static void packages(void **state)
{
  (void)state;
  static const char *const targets[] = {"cpu", "accel"};
  for (int k = 0; k < 2; k++) {
    struct run made, r;
    open_model(&made, DIGITS, targets[k], true, true);
    assert_int_equal(reopen(&made, targets[k], &r), TESSERA_OK);
    assert_string_equal(tessera_session_cpu(r.session), best());
    assert_string_equal(r.said, "");
    must(r.t, tessera_session_run(r.t, r.session));
    must(r.t, tessera_session_check(r.t, r.session));
    close_run(&r);
    close_run(&made);
  }
}

static void without_code(void **state)
{
  (void)state;
  struct run made, r;
  open_model(&made, DIGITS, "cpu", false, true);
  assert_int_equal(reopen(&made, "cpu", &r), TESSERA_OK);
  assert_string_equal(tessera_session_cpu(r.session), "interpreter");
  assert_non_null(strstr(r.said, "no machine code for this CPU"));
  must(r.t, tessera_session_run(r.t, r.session));
  close_run(&r);
  assert_int_equal(reopen(&made, "cpu:interpreter", &r), TESSERA_OK);
  assert_string_equal(r.said, "");
  close_run(&r);
  assert_int_equal(reopen(&made, "cpu:sse2", &r), TESSERA_REFUSED);
  assert_non_null(
      strstr(tessera_message(r.t), "has no machine code for 'sse2', nor for any other"));
  close_run(&r);
  close_run(&made);
}

static void other_level(void **state)
{
  (void)state;
  struct run made, r;
  open_model(&made, DIGITS, "cpu:sse2", true, true);
  assert_int_equal(reopen(&made, "cpu", &r), TESSERA_OK);
  assert_string_equal(tessera_session_cpu(r.session), "sse2");
  close_run(&r);
  if (tessera_cpu_level_here(1)) {
    assert_int_equal(reopen(&made, "cpu:avx2", &r), TESSERA_REFUSED);
    assert_non_null(strstr(tessera_message(r.t), "has no machine code for 'avx2'; it has 'sse2'"));
    close_run(&r);
  }
  close_run(&made);
}

/* --- threads ---------------------------------------------------------------------------------- */

static enum tessera_status open_with(struct run *r, int threads)
{
  struct tessera_session_options options = {.threads = threads, .say = say, .context = r};
  open_model(r, DIGITS, "cpu", true, false);
  return tessera_session_open_with(r->t, r->model, &options, &r->session);
}

static void threads(void **state)
{
  (void)state;
  struct run r;
  int most = 0;
  for (int n = 0; n <= 2; n++) { /* 0: as many as there are */
    enum tessera_status status = open_with(&r, n);
    if (status && n == 2 && strstr(tessera_message(r.t), "1 to 1 can be had")) {
      close_run(&r);
      continue;
    }
    must(r.t, status);
    must(r.t, tessera_session_run(r.t, r.session));
    must(r.t, tessera_session_check(r.t, r.session));
    close_run(&r);
    most = n;
  }
  assert_in_range(most, 1, 2);
  static const int refused[] = {-1, 100000};
  for (int k = 0; k < 2; k++) {
    char says[64];
    snprintf(says, sizeof says, "%d threads are asked for; 1 to ", refused[k]);
    assert_int_equal(open_with(&r, refused[k]), TESSERA_REFUSED);
    assert_non_null(strstr(tessera_message(r.t), says));
    close_run(&r);
  }
}

/* --- running out of memory ---------------------------------------------------------------------
 * */

struct counting {
  long left, live;
};

static void *resize(void *context, void *old, size_t size)
{
  struct counting *c = context;
  if (size == 0) {
    c->live -= old != NULL;
    free(old);
    return NULL;
  }
  if (c->left-- == 0)
    return NULL;
  void *p = realloc(old, size);
  c->live += !old && p;
  return p;
}

/* Compiling, opening and running, with one allocation after another refused. */
static void no_memory(void **state)
{
  (void)state;
  bool whole = false;
  for (long n = 0; !whole; n += 1 + n / 4) {
    struct counting c = {.left = n};
    struct tessera_allocator allocator = {resize, &c};
    struct tessera_options options = {.target = "cpu:sse2", .codegen = tessera_cpu_codegen()};
    struct tessera_model *model = NULL;
    struct tessera_session *session = NULL;
    struct tessera *t = tessera_new(&allocator);
    whole = t && !tessera_model_open(t, DIGITS, &options, &model) &&
            !tessera_session_open(t, model, NULL, &session) && !tessera_session_run(t, session);
    if (t && !whole)
      assert_string_equal(tessera_message(t), "out of memory");
    tessera_session_free(session);
    tessera_model_free(model);
    tessera_free(t);
    assert_int_equal(c.live, 0);
  }
}

/* --- recorded networks ------------------------------------------------------------------------ */

static const struct network {
  const char *model, *sets; /* sets: printf format of the folder of set k */
  double tolerance;         /* relative, and of the largest expected element */
  int units;                /* more than that of f16 and bf16, of their own */
} networks[] = {
    {SHARED "mlperf_tiny_resnet8/model_f32.onnx", SHARED "mlperf_tiny_resnet8/f32_test_data_set_%d",
     1e-5, 1},
    {SHARED "mlperf_tiny_dscnn_kws/model_f32.onnx",
     SHARED "mlperf_tiny_dscnn_kws/f32_test_data_set_%d", 1e-5, 1},
    {SHARED "mlperf_tiny_ad_autoencoder/model_f32.onnx",
     SHARED "mlperf_tiny_ad_autoencoder/f32_test_data_set_%d", 1e-5, 1},
    {SHARED "onnxzoo_mnist-8/mnist-8.onnx", SHARED "onnxzoo_mnist-8/test_data_set_%d", 1e-5, 1},
    {SHARED "cifar10_resnet20/model.onnx", SHARED "cifar10_resnet20/test_data_set_%d", 1e-5, 1},
    {SHARED "kwt1_keyword_transformer/model_f32.onnx",
     SHARED "kwt1_keyword_transformer/test_data_set_%d", 1e-4, 8}, /* begins with a spectrum */
};

static const struct float_type {
  const char *name;
  double unit;
} float_types[] = {{"f32", 0}, {"f16", 0x1p-10}, {"bf16", 0x1p-7}};

static double size_of(double x)
{
  return x < 0 ? -x : x;
}

/* Returns the largest difference, in units of the largest expected element. */
static double check_set(struct run *r, const char *folder, double tolerance)
{
  char path[256];
  struct tessera_tensor input, expected, found;
  snprintf(path, sizeof path, "%s/input_0.pb", folder);
  must(r->t, tessera_tensor_read(r->t, path, NULL, &input));
  snprintf(path, sizeof path, "%s/output_0.pb", folder);
  must(r->t, tessera_tensor_read(r->t, path, NULL, &expected));
  must(r->t, tessera_session_set_input(r->t, r->session, 0, &input));
  must(r->t, tessera_session_run(r->t, r->session));
  tessera_session_output(r->session, 0, &found);
  const float *x = found.data, *y = expected.data;
  int64_t n = 1;
  double largest = 0, worst = 0;
  for (int d = 0; d < expected.rank; d++)
    n *= expected.dims[d];
  for (int64_t i = 0; i < n; i++)
    largest = size_of(y[i]) > largest ? size_of(y[i]) : largest;
  for (int64_t i = 0; i < n; i++) {
    double difference = size_of((double)x[i] - y[i]);
    worst = difference > worst ? difference : worst;
    if (difference > tolerance * (size_of(y[i]) + largest))
      fail_msg("%s: element %lld is %.9g where %.9g was recorded", folder, (long long)i, x[i],
               y[i]);
  }
  tessera_tensor_free(&input);
  tessera_tensor_free(&expected);
  return worst / largest;
}

/* Every set, and every layer of the last one against the interpreter. */
static void check_network(const struct network *n, const struct float_type *type)
{
  struct run r;
  double worst = 0;
  open_floats(&r, n->model, "cpu", type->name);
  open_session(&r);
  for (int k = 0;; k++) {
    char folder[200], probe[256];
    snprintf(folder, sizeof folder, n->sets, k); /* the formats are the table's own */
    snprintf(probe, sizeof probe, "%s/input_0.pb", folder);
    if (access(probe, R_OK))
      break;
    double tolerance = n->tolerance + n->units * type->unit;
    double error = check_set(&r, folder, tolerance);
    worst = error > worst ? error : worst;
  }
  must(r.t, tessera_session_check(r.t, r.session));
  print_message("%s of %s: off by %.2g of the largest\n", n->model, type->name, worst);
  close_run(&r);
}

static void recorded(void **state)
{
  (void)state;
  int ran = 0;
  for (size_t n = 0; n < sizeof networks / sizeof *networks; n++) {
    if (access(networks[n].model, R_OK)) {
      print_message("skipped: %s is not here\n", networks[n].model);
      continue;
    }
    for (size_t k = 0; k < sizeof float_types / sizeof *float_types; k++, ran++)
      check_network(&networks[n], &float_types[k]);
  }
  if (!ran)
    skip();
}

/* What int8 networks have of floats is not lost, and a package has what it has. */
static void float_types_refused(void **state)
{
  (void)state;
  struct run r, q;
  struct tessera_bytes bytes;
  struct tessera_options options = {.float_type = "f8", .target = "cpu"};
  struct tessera_model *model = NULL;
  open_floats(&r, DIGITS, "cpu", "bf16");
  must(r.t, tessera_model_package(r.t, r.model, &bytes));
  assert_int_equal(tessera_model_open(r.t, DIGITS, &options, &model), TESSERA_REFUSED);
  assert_string_equal(tessera_message(r.t),
                      "there is no float type 'f8'; there are f32, tf32, f16 and bf16");
  options.float_type = "f16";
  assert_int_equal(tessera_model_load(r.t, "p.tsr", bytes.data, bytes.size, &options, &model),
                   TESSERA_REFUSED);
  assert_string_equal(tessera_message(r.t), "p.tsr: is a package, whose float types are fixed; "
                                            "the ONNX model takes others");
  open_floats(&q, DIGITS, "cpu", "tf32");
  open_session(&q);
  must(q.t, tessera_session_run(q.t, q.session));
  tessera_bytes_free(&bytes);
  close_run(&q);
  tessera_model_free(r.model);
  tessera_free(r.t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(digits),       cmocka_unit_test(packages),
      cmocka_unit_test(without_code), cmocka_unit_test(other_level),
      cmocka_unit_test(threads),      cmocka_unit_test(no_memory),
      cmocka_unit_test(recorded),     cmocka_unit_test(float_types_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

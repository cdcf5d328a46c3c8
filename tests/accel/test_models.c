/* SPDX-License-Identifier: Apache-2.0 */
/* Real networks on the functional device: every layer gives the interpreter's bits, and the outputs are
 * those that were recorded from ONNX Runtime. Networks that stand beside the checkout (../shared/models)
 * are skipped with a sentence where they are absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tessera.h"

#define SHARED "../shared/models/"

static const char *const all_points[] = {"default", "tiny", "ecp5", "wide", "batch2", NULL};
static const char *const one_point[] = {"default", NULL};

struct network {
  const char *model, *sets; /* sets: printf format of the folder of set k */
  const char *const *points;
  double steps; /* most quantization steps that an output may be off; < 0: top-1 only */
};

static const struct network networks[] = {
    {SHARED "mlperf_tiny_resnet8/model_int8_qdq.onnx",
     SHARED "mlperf_tiny_resnet8/int8_test_data_set_%d", all_points, 1},
    {SHARED "mlperf_tiny_ad_autoencoder/model_int8_qdq.onnx",
     SHARED "mlperf_tiny_ad_autoencoder/int8_test_data_set_%d", all_points, 1},
    {SHARED "mlperf_tiny_dscnn_kws/model_int8_qdq.onnx",
     SHARED "mlperf_tiny_dscnn_kws/int8_test_data_set_%d", all_points, 1},
    /* docs/benchmarks.md says why its softmax outputs are up to 4 steps off */
    {SHARED "imagenet_tf2_mobilenet_v2_1.0_224_ptq/model_qdq.onnx",
     SHARED "imagenet_tf2_mobilenet_v2_1.0_224_ptq/test_data_set_%d", one_point, -1},
};

static void must(struct tessera *t, enum tessera_status status)
{
  if (status)
    fail_msg("%s", tessera_message(t));
}

struct run {
  struct tessera *t;
  struct tessera_model *model;
  struct tessera_session *session;
};

static struct run open_run(const char *model, const char *config)
{
  struct run r = {.t = tessera_new(NULL)};
  struct tessera_options options = {.config = config};
  assert_non_null(r.t);
  must(r.t, tessera_model_open(r.t, model, &options, &r.model));
  must(r.t, tessera_session_open(r.t, r.model, NULL, &r.session));
  return r;
}

static void close_run(struct run *r)
{
  tessera_session_free(r->session);
  tessera_model_free(r->model);
  tessera_free(r->t);
}

static struct tessera_tensor read_tensor(struct run *r, const char *path)
{
  struct tessera_tensor tensor;
  must(r->t, tessera_tensor_read(r->t, path, NULL, &tensor));
  return tensor;
}

/* Every op of integers, and every op that multiplies, runs on the accelerator. */
static void check_places(const struct run *r)
{
  struct tessera_model_info info;
  struct tessera_layer l;
  tessera_model_info(r->model, &info);
  for (int k = 0; k < info.layers; k++) {
    tessera_model_layer(r->model, k, &l);
    assert_true(l.macs == 0 || !strcmp(l.target, "accel"));
    assert_true(l.op[0] != 'Q' || !strcmp(l.op, "QuantizeLinear"));
  }
}

static void check_set(struct run *r, const char *folder, double steps)
{
  char path[256];
  struct tessera_comparison c;
  struct tessera_tensor found;
  snprintf(path, sizeof path, "%s/input_0.pb", folder);
  struct tessera_tensor input = read_tensor(r, path);
  snprintf(path, sizeof path, "%s/output_0.pb", folder);
  struct tessera_tensor expected = read_tensor(r, path);
  must(r->t, tessera_session_set_input(r->t, r->session, 0, &input));
  must(r->t, tessera_session_run(r->t, r->session));
  must(r->t, tessera_session_check(r->t, r->session));
  tessera_session_output(r->session, 0, &found);
  must(r->t, tessera_compare(r->t, &expected, &found, &c));
  assert_int_equal(c.agreeing, c.rows);
  double step = tessera_model_output_step(r->model, 0);
  assert_true(step > 0);
  if (steps >= 0 && c.largest > steps * step * 1.0001)
    fail_msg("%s: element %lld is %g where %g is expected, more than %g steps of %g", folder,
             (long long)c.element, c.found, c.expected, steps, step);
  tessera_tensor_free(&input);
  tessera_tensor_free(&expected);
}

static void shared_networks(void **state)
{
  (void)state;
  int ran = 0;
  for (size_t n = 0; n < sizeof networks / sizeof networks[0]; n++) {
    if (access(networks[n].model, R_OK)) {
      print_message("skipped: %s is not here\n", networks[n].model);
      continue;
    }
    for (const char *const *point = networks[n].points; *point; point++) {
      struct run r = open_run(networks[n].model, *point);
      char folder[200], probe[256];
      check_places(&r);
      for (int k = 0;; k++, ran++) {
        snprintf(folder, sizeof folder, networks[n].sets, k); /* the formats are the table's own */
        snprintf(probe, sizeof probe, "%s/input_0.pb", folder);
        if (access(probe, R_OK))
          break;
        check_set(&r, folder, networks[n].steps);
      }
      close_run(&r);
    }
  }
  if (!ran)
    skip();
}

static int64_t largest_of(const float *v, int64_t n)
{
  int64_t best = 0;
  for (int64_t k = 1; k < n; k++)
    best = v[k] > v[best] ? k : best;
  return best;
}

/* Images [first, last) of the hundred: expected outputs to the bit, every layer checked; returns how many
 * are classified right. */
static int run_digits(const char *config, int first, int last)
{
  struct run r = open_run("models/digits/digits.onnx", config);
  struct tessera_tensor images = read_tensor(&r, "models/digits/images.npy");
  struct tessera_tensor labels = read_tensor(&r, "models/digits/labels.npy");
  struct tessera_tensor expected = read_tensor(&r, "models/digits/expected.npy"), found;
  struct tessera_tensor one = images;
  int right = 0;
  one.dims[0] = 1;
  check_places(&r);
  for (int k = first; k < last; k++) {
    one.data = (float *)images.data + k * 64;
    must(r.t, tessera_session_set_input(r.t, r.session, 0, &one));
    must(r.t, tessera_session_run(r.t, r.session));
    must(r.t, tessera_session_check(r.t, r.session));
    tessera_session_output(r.session, 0, &found);
    assert_memory_equal(found.data, (float *)expected.data + k * 10, 10 * sizeof(float));
    right += largest_of(found.data, 10) == ((int64_t *)labels.data)[k];
  }
  tessera_tensor_free(&images);
  tessera_tensor_free(&labels);
  tessera_tensor_free(&expected);
  close_run(&r);
  return right;
}

static void digits(void **state)
{
  (void)state;
  assert_true(run_digits("default", 0, 100) >= 97);
  for (const char *const *point = all_points + 1; *point; point++)
    run_digits(*point, 40, 50);
}

/* DS-CNN on the thousand labelled utterances: within 0.3 points of ONNX Runtime's 90.2 %. */
static void keyword_accuracy(void **state)
{
  (void)state;
  const char *const data = SHARED "data/kws_mfcc_int8_1000/";
  char path[256];
  snprintf(path, sizeof path, "%sx_int8.npy", data);
  if (access(path, R_OK)) {
    print_message("skipped: %s is not here\n", path);
    skip();
  }
  struct run r = open_run(SHARED "mlperf_tiny_dscnn_kws/model_int8_qdq.onnx", "default");
  struct tessera_tensor x = read_tensor(&r, path), found;
  snprintf(path, sizeof path, "%sy.npy", data);
  struct tessera_tensor y = read_tensor(&r, path);
  float mfcc[490];
  struct tessera_tensor one = {TESSERA_F32, 4, {1, 1, 49, 10}, mfcc, NULL};
  int right = 0, count = (int)x.dims[0];
  assert_int_equal(tessera_tensor_count(&x), count * 490);
  for (int k = 0; k < count; k++) {
    for (int i = 0; i < 490; i++) /* the data's SOURCE.txt */
      mfcc[i] = ((float)((int8_t *)x.data)[k * 490 + i] - 83.0f) * 0.5847029089927673f;
    must(r.t, tessera_session_set_input(r.t, r.session, 0, &one));
    must(r.t, tessera_session_run(r.t, r.session));
    tessera_session_output(r.session, 0, &found);
    right += largest_of(found.data, 12) == (int64_t)tessera_tensor_value(&y, k);
  }
  print_message("%d of %d right\n", right, count);
  assert_true(fabs(100.0 * right / count - 90.2) <= 0.3);
  tessera_tensor_free(&x);
  tessera_tensor_free(&y);
  close_run(&r);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(digits), cmocka_unit_test(shared_networks),
                                     cmocka_unit_test(keyword_accuracy)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

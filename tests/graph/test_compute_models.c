/* SPDX-License-Identifier: Apache-2.0 */
/* Real networks: import, inference and the interpreter against recorded outputs. They lie beside
 * the checkout, in ../shared/models; without them the test is skipped. */
#include "tests/graph/test_compute_onnx.h"

static const char models[] = "../shared/models";

/* Outputs of float models: relative L2 error below 1e-4. Of int8 models: at most `steps` of the
 * output's scale. These compute in floats between quantizations, and a sum in another order than
 * the recording's may fall on the other side of a tie; over many layers that grows. */
static const struct row {
  const char *folder, *model, *prefix;
  int sets, steps; /* 0 steps: of floats */
} rows[] = {
  {"mlperf_tiny_ad_autoencoder", "model_f32.onnx", "f32_", 2, 0},
  {"mlperf_tiny_ad_autoencoder", "model_int8_qdq.onnx", "int8_", 2, 1},
  {"mlperf_tiny_dscnn_kws", "model_f32.onnx", "f32_", 2, 0},
  {"mlperf_tiny_dscnn_kws", "model_int8_qdq.onnx", "int8_", 2, 1},
  {"mlperf_tiny_resnet8", "model_f32.onnx", "f32_", 2, 0},
  {"mlperf_tiny_resnet8", "model_int8_qdq.onnx", "int8_", 2, 1},
  {"onnxzoo_mnist-8", "mnist-8.onnx", "", 3, 0},
  {"cifar10_resnet20", "model.onnx", "", 1, 0},
  {"cifar10_resnet20", "model_bnfolded.onnx", "", 1, 0},
  {"llama_stories260K", "model_T64.onnx", "", 1, 0},
  {"kwt1_keyword_transformer", "model_f32.onnx", "", 1, 0},
  {"ultraface_rfb320", "version-RFB-320_simplified.onnx", "simplified_", 1, 0},
  {"imagenet_mobilenet_v1_0.25_128_quant", "model_qdq.onnx", "", 1, 2},
};

static double relative_error(const struct tsr_tensor *got, const struct tsr_tensor *want)
{
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < tsr_tensor_count(want); i++) {
    double x = tsr_get_float(got, i), y = tsr_get_float(want, i);
    difference += (x - y) * (x - y);
    norm += y * y;
  }
  return sqrt(difference / (norm > 0 ? norm : 1));
}

static double largest_difference(const struct tsr_tensor *got, const struct tsr_tensor *want)
{
  double most = 0;
  for (int64_t i = 0; i < tsr_tensor_count(want); i++)
    most = fmax(most, fabs(tsr_get_float(got, i) - tsr_get_float(want, i)));
  return most;
}

/* The difference between neighbours among the values that v can have. */
static double step_of(const struct tsr_value *v)
{
  if (tsr_dtype_kind(v->dtype) != TSR_KIND_FLOAT)
    return 1;
  assert_true(v->producer && v->producer->op == TSR_G_DequantizeLinear && v->producer->in[1]->data);
  struct tsr_tensor scale = tsr_value_tensor(v->producer->in[1]);
  return tsr_get_float(&scale, 0);
}

static void check_output(const struct row *row, const struct tsr_value *v,
                         const struct tsr_tensor *got, const struct tsr_tensor *want)
{
  assert_int_equal(got->dtype, want->dtype);
  assert_int_equal(tsr_tensor_count(got), tsr_tensor_count(want));
  double error =
      row->steps ? largest_difference(got, want) / step_of(v) : relative_error(got, want);
  printf("  %s: %.3g%s\n", v->name, error, row->steps ? " steps" : "");
  assert_true(error < (row->steps ? row->steps + 0.001 : 1e-4));
}

static void run_row(const struct row *row, const char *path)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g;
  struct tsr_err err = {0};
  if (import_file(a, &err, path, &g) || tsr_graph_infer(&err, g) || tsr_graph_verify(&err, g))
    fail_msg("%s", err.text);
  for (int set = 0; set < row->sets; set++) {
    char *data =
        tsr_arena_printf(a, "%s/%s/%stest_data_set_%d", models, row->folder, row->prefix, set);
    struct tsr_tensor outputs[MOST_TENSORS];
    struct recorded run;
    if (recorded_read(a, &err, data, &run))
      fail_msg("%s", err.text);
    assert_int_equal(run.inputs, g->inputs);
    assert_int_equal(run.outputs, g->outputs);
    if (tsr_graph_run(a, &err, g, run.input, outputs, NULL, NULL))
      fail_msg("%s", err.text);
    for (int k = 0; k < g->outputs; k++)
      check_output(row, g->output[k], &outputs[k], &run.output[k]);
  }
  tsr_arena_free(a);
}

static void real_models(void **state)
{
  (void)state;
  int skipped = 0;
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s/%s", models, rows[k].folder, rows[k].model);
    if (access(path, R_OK)) {
      printf("skipped: there is no %s\n", path);
      skipped++;
      continue;
    }
    printf("%s\n", path);
    run_row(&rows[k], path);
  }
  if (skipped == sizeof rows / sizeof rows[0])
    skip();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(real_models)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

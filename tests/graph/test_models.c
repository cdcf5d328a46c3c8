/* SPDX-License-Identifier: Apache-2.0 */
/* Whole networks through all passes: the ops that are left, and the same results. Those beside the
 * checkout, in ../shared/models, are skipped where they are missing. */
#include <unistd.h>

#include "base/file.h"
#include "compiler/onnx/onnx.h"
#include "tests/graph/test_graph.h"

static struct tsr_graph *import(struct tsr_arena *a, const char *path)
{
  struct tsr_bytes bytes;
  struct tsr_graph *g = NULL;
  struct tsr_err err = {0};
  if (tsr_file_read(a, &err, path, 1 << 30, &bytes) ||
      tsr_onnx_import(a, &err, path, bytes.data, bytes.size, NULL, &g) || tsr_graph_infer(&err, g))
    fail_msg("%s", err.text);
  return g;
}

static const struct row {
  const char *path, *ops;
  int runs; /* how many random inputs are compared; 0 for networks that the interpreter is slow
  * for */
  double range; /* inputs are in [-range, range] */
  double step;  /* results differ by one step of the output at most */
} rows[] = {
    {"models/digits/digits.onnx",
     "DequantizeLinear 1 Flatten 1 QuantizeLinear 1 QConv 4 QDense 1 QAdd 1 QMaxPool 1 QAvgPool 1",
     5, 1, 0.0531},
    {"../shared/models/mlperf_tiny_resnet8/model_int8_qdq.onnx",
     "DequantizeLinear 2 QuantizeLinear 2 Reshape 1 Softmax 1 QConv 9 QDense 1 QAdd 3 QAvgPool 1",
     1, 255, 1.0 / 256},
    {"../shared/models/mlperf_tiny_dscnn_kws/model_int8_qdq.onnx",
     "DequantizeLinear 2 QuantizeLinear 2 Reshape 1 Softmax 1 QConv 9 QDense 1 QAvgPool 1", 2, 100,
     1.0 / 256},
    {"../shared/models/mlperf_tiny_ad_autoencoder/model_int8_qdq.onnx",
     "DequantizeLinear 1 QuantizeLinear 1 QDense 10", 3, 50, 0.3645},
    {"../shared/models/imagenet_tf2_mobilenet_v2_1.0_224_ptq/model_qdq.onnx",
     "DequantizeLinear 2 QuantizeLinear 2 Reshape 1 Softmax 1 QConv 53 QAdd 10 QAvgPool 1", 0, 0,
     0},
    {"../shared/models/imagenet_mobilenet_v1_0.25_128_quant/model_qdq.onnx",
     "Clip 27 Conv 28 DequantizeLinear 30 QuantizeLinear 30 Reshape 1 Softmax 1 QAvgPool 1", 0, 0,
     0},
    {"../shared/models/cifar10_resnet20/model.onnx",
     "Add 9 Conv 19 Flatten 1 Gemm 1 GlobalAveragePool 1 Pad 2 Relu 19 Slice 2", 1, 1, 1e-3},
    {"../shared/models/onnxzoo_mnist-8/mnist-8.onnx", "Conv 2 Gemm 1 MaxPool 2 Relu 2 Reshape 1", 1,
     1, 1e-2},
};

static void run_row(const struct row *row)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *before = import(a, row->path), *g = import(a, row->path);
  struct tsr_tensor inputs[4];
  struct tsr_err err = {0};
  uint64_t seed = 7;
  if (tsr_graph_optimize(&err, g, NULL, NULL))
    fail_msg("%s: %s", row->path, err.text);
  assert_string_equal(ops_of(a, g), row->ops);
  for (int i = 0; i < row->runs; i++) {
    random_inputs(a, before, &seed, row->range, inputs);
    double difference = largest_difference(a, before, g, inputs);
    if (difference > 1.001 * row->step)
      fail_msg("%s: results differ by %g", row->path, difference);
  }
  for (int k = 0; k < g->outputs; k++)
    assert_string_equal(g->output[k]->name, before->output[k]->name);
  tsr_arena_free(a);
}

static void each_model(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (access(rows[i].path, R_OK) == 0)
      run_row(&rows[i]);
    else
      printf("skipped: %s is not there\n", rows[i].path);
}

/* The multiply-accumulates of a network do not depend on the form it is in. */
static void macs_stay(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *before = import(a, rows[0].path), *g = import(a, rows[0].path);
  int64_t macs = 0, macs_before = 0;
  assert_int_equal(tsr_graph_optimize(NULL, g, NULL, NULL), TSR_OK);
  for (int i = 0; i < g->nodes; i++)
    macs += tsr_node_macs(g->node[i]);
  for (int i = 0; i < before->nodes; i++)
    macs_before += tsr_node_macs(before->node[i]);
  assert_true(macs > 0);
  assert_int_equal(macs, macs_before);
  tsr_arena_free(a);
}

/* The text of a whole network parses back to the same text, integer ops and all. */
static void text_of_a_network(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g = import(a, rows[0].path), *again;
  struct tsr_err err = {0};
  assert_int_equal(tsr_graph_optimize(NULL, g, NULL, NULL), TSR_OK);
  const char *text = tsr_graph_print(a, g, false);
  if (tsr_graph_parse(a, &err, "again", text, &again) || tsr_graph_verify(&err, again))
    fail_msg("%s", err.text);
  assert_string_equal(tsr_graph_print(a, again, false), text);
  tsr_arena_free(a);
}

/* The full face detector computes its shapes, and decodes its boxes, which the simplified one
 * leaves to others: but for that decoding, folding makes the one into the other. */
static void shape_arithmetic_folds_away(void **state)
{
  (void)state;
  static const char full[] = "../shared/models/ultraface_rfb320/version-RFB-320.onnx";
  static const char simple[] = "../shared/models/ultraface_rfb320/version-RFB-320_simplified.onnx";
  static const struct {
    enum tsr_gop op;
    int count;
  } decoding[] = {{TSR_G_Add, 2}, {TSR_G_Concat, 2}, {TSR_G_Div, 1}, {TSR_G_Exp, 1},
                  {TSR_G_Mul, 4}, {TSR_G_Slice, 4},  {TSR_G_Sub, 1}};
  if (access(full, R_OK) || access(simple, R_OK)) {
    printf("skipped: %s is not there\n", full);
    skip();
  }
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_graph *g = import(a, full), *h = import(a, simple);
  assert_int_equal(tsr_graph_optimize(NULL, g, NULL, NULL), TSR_OK);
  assert_int_equal(tsr_graph_optimize(NULL, h, NULL, NULL), TSR_OK);
  for (int op = 0; op < TSR_GOP_COUNT; op++) {
    int more = 0;
    for (size_t i = 0; i < sizeof decoding / sizeof decoding[0]; i++)
      more += (int)decoding[i].op == op ? decoding[i].count : 0;
    assert_int_equal(count_of(g, (enum tsr_gop)op), count_of(h, (enum tsr_gop)op) + more);
  }
  tsr_arena_free(a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_model),
      cmocka_unit_test(macs_stay),
      cmocka_unit_test(text_of_a_network),
      cmocka_unit_test(shape_arithmetic_folds_away),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the accelerator does not run, with its reason; design points too small for one tile; and the
 * layer table, which must add up to what the device counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "compiler/compile.h"
#include "compiler/onnx/onnx.h"
#include "runtime/executor.h"
#include "tests/accel/random_net.h"

/* --- design points too small ------------------------------------------------------------------ */

/* tiny, with other scratchpads. */
static enum tsr_status open_point(struct tsr_arena *a, struct tsr_err *err, int inp, int wgt, int acc,
                                  struct tsr_design *d)
{
  return tsr_design_parse(
      err, "small.json",
      tsr_arena_printf(a, "{\"batch\": 1, \"block_in\": 4, \"block_out\": 4, \"inp_bits\": 8,"
                          " \"wgt_bits\": 8, \"acc_bits\": 32, \"uop_bytes\": 1024, \"inp_bytes\": %d,"
                          " \"wgt_bytes\": %d, \"acc_bytes\": %d, \"out_bytes\": 1024,"
                          " \"lut_bytes\": 256, \"queue_depth\": 4, \"token_depth\": 16,"
                          " \"axi_data_bits\": 32, \"axi_burst_beats\": 16, \"axi_reads\": 2,"
                          " \"axi_writes\": 2, \"clock_mhz\": 24, \"memory\": {\"model\": \"ideal\"}}",
                       inp, wgt, acc),
      d);
}

static const char *zeros(struct tsr_arena *a, int bytes)
{
  char *text = tsr_arena_alloc(a, 2 * (size_t)bytes + 1);
  memset(text, '0', 2 * (size_t)bytes);
  return text;
}

/* A convolution of 4 by 4 channels (group 1) or of 4 channels by themselves (group 4). */
static struct tsr_graph *conv(struct tsr_arena *a, int kernel, int group)
{
  struct tsr_err err = {0};
  struct tsr_graph *g = NULL;
  int per = 4 / group;
  const char *text = tsr_arena_printf(
      a,
      "graph small\ninput x i8[1,4,9,9]\nconst w i8[4,%d,%d,%d] hex %s\n"
      "const bias i32[4] {0, 0, 0, 0}\n"
      "const mult i32[4] {1073741824, 1073741824, 1073741824, 1073741824}\n"
      "const pack i32[4] {2139160862, 2139160862, 2139160862, 2139160862}\n"
      "const sum i8[256] hex %s\n"
      "node lut QLut (x, sum) -> (t i8[1,4,9,9])\n" /* so that the convolution's input is blocked */
      "node conv1 QConv (t, w, bias, mult, pack) -> (y i8[1,4,%d,%d]) strides=[1,1] pads=[0,0,0,0] "
      "dilations=[1,1] group=%d x_zero=0\noutput y\nend\n",
      per, kernel, kernel, zeros(a, 4 * per * kernel * kernel), zeros(a, 256), 10 - kernel, 10 - kernel,
      group);
  if (tsr_graph_parse(a, &err, "small", text, &g))
    fail_msg("%s", err.text);
  return g;
}

/* A point, the key that is too small, what it is, and what would do. */
static const struct small {
  int inp, wgt, acc, kernel, group;
  const char *key;
  int is, needed, entry; /* bytes */
  const char *fits;      /* at which standing point */
} points[] = {
  {128, 4096, 4096, 5, 1, "inp_bytes", 128, 200, 4, "tiny"},
  {4096, 256, 4096, 5, 1, "wgt_bytes", 256, 400, 16, "tiny"},
  {4096, 4096, 512, 5, 4, "acc_bytes", 512, 928, 32, "tiny"},
  {64, 4096, 512, 9, 4, "inp_bytes", 64, 72, 4, "tiny"}, /* the first of two; a row of the window at a time */
};

static enum tsr_status compile_small(struct tsr_arena *a, struct tsr_err *err, const struct small *p,
                                     int bytes)
{
  struct tsr_compile_options options = {0};
  struct tsr_design d;
  struct tsr_module *m;
  bool inp = !strcmp(p->key, "inp_bytes"), wgt = !strcmp(p->key, "wgt_bytes");
  if (open_point(a, err, inp ? bytes : p->inp, wgt ? bytes : p->wgt, inp || wgt ? p->acc : bytes, &d))
    fail_msg("%s", err->text);
  return tsr_compile_graph(a, err, conv(a, p->kernel, p->group), &d, &options, &m);
}

static void too_small(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof points / sizeof points[0]; k++) {
    const struct small *p = &points[k];
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_err err = {0};
    const char *sentence = tsr_arena_printf(
        a, "node 'conv1' (%s): design point small cannot hold one tile: %s is %d, and %d are needed; "
           "it would fit at design point %s",
        p->group > 1 ? "AccDepthwise" : "AccConv", p->key, p->is, p->needed, p->fits);
    assert_int_equal(compile_small(a, &err, p, p->is), TSR_REFUSED);
    assert_string_equal(err.text, sentence);
    /* an entry less than what is asked for is too small, and what is asked for is enough of this
     * key */
    assert_int_equal(compile_small(a, &err, p, p->needed - p->entry), TSR_REFUSED);
    assert_non_null(strstr(err.text, p->key));
    err.text[0] = 0;
    compile_small(a, &err, p, p->needed);
    assert_null(strstr(err.text, p->key));
    tsr_arena_free(a);
  }
}

/* --- what stays on the CPU -------------------------------------------------------------------- */

#define CPU_CASE(in, constants, node)                                                              \
  "graph g\ninput x " in "\n" constants "node n " node "\noutput y\nend\n"
#define SUMMED(type) "QAdd (x, x) -> (y " type ") mx=1 my=1 bias=0 mult=1073741824 pack=2139160862"

#define MADE(type)                                                                                 \
  "node m QAdd (x, x) -> (m " type ") mx=1 my=1 bias=0 mult=1073741824 pack=2139160862\n"

static const struct cpu_row {
  const char *text, *op, *reason;
} on_cpu[] = {
  {CPU_CASE("f32[1,2,4,4]", "const w f32[1,2,1,1] {0.5, 1.5}\n",
            "Conv (x, w) -> (y f32[1,1,4,4]) kernel_shape=[1,1]"),
   "Conv", "Conv computes in f32: its input is not quantized to int8"},
  {CPU_CASE("f32[1,8]", "", "Softmax (x) -> (y f32[1,8]) axis=1"), "Softmax",
   "Softmax computes in f32; the accelerator runs int8 ops"},
  {CPU_CASE("i8[2,3,4]", "", "Transpose (x) -> (y i8[4,3,2]) perm=[2,1,0]"), "Transpose",
   "the accelerator has no instruction for Transpose"},
  {CPU_CASE("i8[1,3,4,4]", "", "Concat (x, x) -> (y i8[1,6,4,4]) axis=1"), "Concat",
   "the accelerator makes none of its inputs"},
  {CPU_CASE("i8[2,3,4,4]", MADE("i8[2,3,4,4]"), "Concat (m, m) -> (y i8[4,3,4,4]) axis=-4"), "Concat",
   "the accelerator joins and cuts along any axis but the first"},
  {CPU_CASE("i8[1,3,4,4]", MADE("i8[1,3,4,4]") "const from i64[1] {0}\nconst to i64[1] {4}\n"
            "const axis i64[1] {2}\nconst by i64[1] {2}\n",
            "Slice (m, from, to, axis, by) -> (y i8[1,3,2,4])"),
   "Slice", "the accelerator cuts boxes of whole batches, without steps"},
  {CPU_CASE("i8[1,3,4,4]", MADE("i8[1,3,4,4]") "const half f32[4] {1.0, 1.0, 0.5, 2.0}\n",
            "Resize (m, -, half) -> (y i8[1,3,2,8]) mode=\"nearest\""),
   "Resize", "the accelerator resizes maps by repeating elements, up to 64 times"},
  {CPU_CASE("i8[1,3,4,4]", MADE("i8[1,3,4,4]") "const shape i64[2] {3, 16}\n",
            "Reshape (m, shape) -> (y i8[3,16])"),
   "Reshape", "the accelerator keeps channels, rows and columns apart"},
  {CPU_CASE("i8[1,2,3,2,2]", "", SUMMED("i8[1,2,3,2,2]")), "QAdd",
   "'x' is 1x2x3x2x2; activations on the accelerator have 2 to 4 dims"},
  {CPU_CASE("i8[7]", "", SUMMED("i8[7]")), "QAdd",
   "'x' is 7; activations on the accelerator have 2 to 4 dims"},
  {CPU_CASE("i8[0,7]", "", SUMMED("i8[0,7]")), "QAdd", "'x' has no elements"},
  {CPU_CASE("f32[2,3]", "const scale f32[] {0.5}\nconst zero i8[] {3}\n",
            "QuantizeLinear (x, scale, zero) -> (y i8[2,3])"),
   "QuantizeLinear", "conversion between float and int8 at the border is the CPU's"},
  {CPU_CASE("i8[2,3]", "", SUMMED("i8[2,3]")), "Pack", "layouts are changed by the CPU"},
};

static struct tsr_module *compile_text(struct tsr_arena *a, const char *text, bool cpu_only)
{
  struct tsr_err err = {0};
  struct tsr_compile_options options = {.cpu_only = cpu_only};
  struct tsr_design d;
  struct tsr_graph *g = NULL;
  struct tsr_module *m = NULL;
  assert_int_equal(tsr_design_open(a, NULL, "default", &d), TSR_OK);
  if (tsr_graph_parse(a, &err, "g", text, &g) || tsr_compile_graph(a, &err, g, &d, &options, &m))
    fail_msg("%s", err.text);
  return m;
}

/* Two of the same would lie in two places. */
static void views_of_others(void **state)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_err err = {0};
  struct tsr_compile_options options = {0};
  struct tsr_design d;
  struct tsr_graph *g;
  struct tsr_module *m;
  (void)state;
  assert_int_equal(tsr_design_open(a, NULL, "default", &d), TSR_OK);
  assert_int_equal(tsr_graph_parse(a, &err, "g",
                                   CPU_CASE("i8[1,1,2,2,1,16]", "",
                                            "AccConcat (x, x) -> (y i8[1,2,2,2,1,16]) axis=1"),
                                   &g),
                   TSR_OK);
  assert_int_equal(tsr_compile_graph(a, &err, g, &d, &options, &m), TSR_REFUSED);
  assert_string_equal(
      err.text,
      "node 'n' (AccConcat): which values lie in another is for the compiler to say");
  tsr_arena_free(a);
}

static void reasons(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof on_cpu / sizeof on_cpu[0]; k++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    const struct tsr_module *m = compile_text(a, on_cpu[k].text, false);
    bool found = false;
    for (int l = 0; l < m->layers; l++) {
      assert_int_equal(!strcmp(m->layer[l].target, "cpu"), m->layer[l].reason != NULL);
      if (strcmp(m->layer[l].op, on_cpu[k].op))
        continue;
      found = true;
      assert_string_equal(m->layer[l].target, "cpu");
      assert_string_equal(m->layer[l].reason, on_cpu[k].reason);
    }
    assert_true(found);
    m = compile_text(a, on_cpu[k].text, true);
    for (int l = 0; l < m->layers; l++)
      assert_string_equal(m->layer[l].reason, "everything runs on the CPU: --target cpu");
    tsr_arena_free(a);
  }
}

/* --- the layer table -------------------------------------------------------------------------- */

struct totals {
  uint64_t insns, read_bytes, write_bytes;
};

/* Instructions of a step: its layers', one behind the other, then FINISH. */
static void check_ranges(const struct tsr_module *m)
{
  size_t at = 0;
  for (int s = 0; s < m->steps; s++) {
    const struct tsr_module_step *step = &m->step[s];
    if (step->kind != TSR_STEP_ACCEL)
      continue;
    struct tsr_insn last;
    assert_int_equal(step->first_insn, at);
    for (int l = 0; l < m->layers; l++)
      if (m->layer[l].step == s) {
        assert_int_equal(m->layer[l].first_insn, at);
        assert_true(m->layer[l].insns > 0);
        at += m->layer[l].insns;
      }
    assert_int_equal(tsr_insn_decode(m->insns + at++ * TSR_INSN_BYTES, &last), TSR_TRAP_NONE);
    assert_int_equal(last.opcode, TSR_OP_FINISH);
    assert_int_equal(step->first_insn + step->insns, at);
  }
  assert_int_equal(m->insn_count, at);
}

/* Runs the graph once: the table's sums are what the device counted, to the byte and the
 * instruction. */
static struct totals check_table(struct tsr_arena *a, struct tsr_graph *g, const struct tsr_design *d)
{
  struct tsr_err err = {0};
  struct tsr_compile_options options = {0};
  struct tsr_module *m = NULL;
  struct tsr_executor *e = NULL;
  struct tsr_device_counters c;
  struct totals t = {0};
  uint64_t finishes = 0, retired = 0;
  if (tsr_compile_graph(a, &err, g, d, &options, &m) || tsr_executor_open(a, &err, m, "func", &e) ||
      tsr_executor_run(e, &err))
    fail_msg("%s", err.text);
  check_ranges(m);
  tsr_executor_counters(e, &c);
  tsr_executor_close(e);
  for (int l = 0; l < m->layers; l++) {
    t.insns += m->layer[l].insns;
    t.read_bytes += m->layer[l].dram_read_bytes;
    t.write_bytes += m->layer[l].dram_write_bytes;
  }
  for (int s = 0; s < m->steps; s++)
    finishes += m->step[s].kind == TSR_STEP_ACCEL;
  for (int k = 0; k < TSR_ENGINE_COUNT; k++)
    retired += c.insns[k];
  assert_int_equal(t.read_bytes, c.dram_read_bytes);
  assert_int_equal(t.write_bytes, c.dram_write_bytes);
  assert_int_equal(t.insns, retired);
  assert_int_equal(t.insns + finishes, m->insn_count);
  return t;
}

static void tables_of_random_networks(void **state)
{
  (void)state;
  const char *seed_text = getenv("TESSERA_SEED");
  uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : 20240611;
  print_message("seed %llu (TESSERA_SEED)\n", (unsigned long long)seed);
  for (int k = 0; k < 5 * NET_KINDS; k++) {
    struct random r = {seed * 7919 + (uint64_t)k + 1};
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_design d;
    assert_int_equal(tsr_design_open(a, NULL, tsr_design_names()[k % 5], &d), TSR_OK);
    random_bits(&r);
    struct tsr_graph *g = random_net(a, &r, (enum net_kind)(k / 5));
    if (g)
      check_table(a, g, &d);
    tsr_arena_free(a);
  }
}

/* --- models/digits, in exact numbers ---------------------------------------------------------- */

/* Whoever changes the planner or the emitter sees here what it is worth, and writes the new numbers
 * down. */
static const struct {
  const char *point;
  struct totals totals; /* instructions without FINISH, bytes read, bytes written */
} digits[] = {
  {"default", {199, 40200, 144}},
  {"tiny", {268, 37876, 140}},
  {"ecp5", {197, 39016, 144}},
  {"wide", {136, 49048, 160}},
  {"batch2", {159, 45944, 32}},
};

static void exact_numbers(void **state)
{
  (void)state;
  int differing = 0;
  for (size_t k = 0; k < sizeof digits / sizeof digits[0]; k++) {
    struct tsr_arena *a = tsr_arena_new(NULL);
    struct tsr_err err = {0};
    struct tsr_bytes bytes;
    struct tsr_design d;
    struct tsr_graph *g = NULL;
    assert_int_equal(tsr_design_open(a, NULL, digits[k].point, &d), TSR_OK);
    if (tsr_file_read(a, &err, "models/digits/digits.onnx", 1 << 20, &bytes) ||
        tsr_onnx_import(a, &err, "digits", bytes.data, bytes.size, NULL, &g))
      fail_msg("%s", err.text);
    struct totals t = check_table(a, g, &d);
    if (memcmp(&t, &digits[k].totals, sizeof t)) {
      differing++;
      print_error("{\"%s\", {%llu, %llu, %llu}} is found\n", digits[k].point, (unsigned long long)t.insns,
                  (unsigned long long)t.read_bytes, (unsigned long long)t.write_bytes);
    }
    tsr_arena_free(a);
  }
  assert_int_equal(differing, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(too_small), cmocka_unit_test(reasons), cmocka_unit_test(views_of_others),
                                     cmocka_unit_test(tables_of_random_networks),
                                     cmocka_unit_test(exact_numbers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

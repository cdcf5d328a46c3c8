/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products and convolutions on tensor cores: what instructions they become, and every shape
 * of end that a tile has. */
#include <string.h>

#include "compiler/target/cuda/gemm.h"
#include "tests/cuda/rig.h"

static void *random_data(struct tsr_arena *a, const struct tir_buffer *b, uint64_t *seed)
{
  int64_t n = tsr_count(b->dims, b->rank, 1);
  struct tsr_tensor t = {.dtype = b->dtype,
                         .data = tsr_arena_alloc(a, (size_t)n * tsr_dtype_bytes(b->dtype) + 1)};
  for (int64_t i = 0; i < n; i++) {
    uint32_t r = next_random(seed);
    if (b->dtype == TSR_F32) /* tf32 rounds it to the whole number */
      tsr_put_float(&t, i, ((double)(int)(r % 17) - 8) * (1 + 0x1p-13));
    else if (tir__is_float(b->dtype))
      tsr_put_float(&t, i, (double)(int)(r % 17) - 8);
    else if (!strcmp(b->name, "pack"))
      tsr_put_int(&t, i, 0x7f800000 | 24);
    else
      tsr_put_int(&t, i, b->dtype == TSR_I8 ? (int)(r % 256) - 128 : (int)(r % 65536));
  }
  return t.data;
}

static void check(struct tsr_arena *a, const char *text)
{
  struct trial t = {.name = text, .func = func_of(a, text)};
  uint64_t seed = 7;
  for (int i = 0; i < t.func->inputs; i++)
    t.input[i] = random_data(a, t.func->param[i], &seed);
  assert_int_equal(check_kernels(a, 1, &t), 0);
}

static int count(const char *text, const char *word)
{
  int n = 0;
  for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
    n++;
  return n;
}

static const char *ptx_of(struct tsr_arena *a, const char *text)
{
  return kernels_of(a, func_of(a, text), "sm_80").ptx;
}

/* --- products --------------------------------------------------------------------------------- */

static char *product(struct tsr_arena *a, const char *dtype, int m, int n, int k, bool columns)
{
  bool whole = !strcmp(dtype, "i8");
  const char *sum = whole ? "i32" : "f32";
  return tsr_arena_printf(
      a,
      "func product(x: %s[%d,%d], w: %s[%d,%d], bias: %s[%d]) -> (y: %s[%d,%d]) {\n"
      "  temp acc: %s[%d,%d]\n"
      "  mm: acc[m, n] sum(k < %d) init %s(0) = %s(x[m, k]) * %s(w[%s])\n"
      "  tail: y[m, n] = %s(max(acc[m, n] + bias[n], %s(0)))\n}",
      dtype, m, k, dtype, columns ? n : k, columns ? k : n, sum, n, whole ? "i32" : dtype, m, n,
      sum, m, n, k, sum, sum, sum, columns ? "n, k" : "k, n", whole ? "i32" : dtype, sum);
}

static char *tf32_product(struct tsr_arena *a, int m, int n, int k, bool columns)
{
  return tsr_arena_printf(
      a,
      "func product(x: f32[%d,%d], w: f32[%d,%d], bias: f32[%d]) -> (y: f32[%d,%d]) {\n"
      "  temp acc: f32[%d,%d]\n"
      "  mm: acc[m, n] sum(k < %d) init f32(0) = tf32(x[m, k]) * tf32(w[%s])\n"
      "  tail: y[m, n] = max(acc[m, n] + bias[n], f32(0))\n}",
      m, k, columns ? n : k, columns ? k : n, n, m, n, m, n, k, columns ? "n, k" : "k, n");
}

/* Of one tile there is one block, and no loop over blocks: its sums stay in registers all the same. */
static void test_one_tile(void **state)
{
  static const char *const dtypes[] = {"f32", "i8", "f16"};
  for (int d = 0; d < 3; d++)
    for (int k = 8; k <= 2048; k *= 16) {
      char *text = product(*state, dtypes[d], 20, 12, k, false);
      struct tsr_kernel_block b = kernels_of(*state, func_of(*state, text), "sm_90a");
      if (b.layer[0].kernels != 1 || b.layer[0].scratch_bytes)
        fail_msg("%s: %d kernels, %d bytes of scratch memory", text, b.layer[0].kernels,
                 (int)b.layer[0].scratch_bytes);
    }
}

static void test_products(void **state)
{
  static const char *const dtypes[] = {"i8", "f16", "bf16"};
  static const int sizes[][3] = {{8, 8, 1},    {16, 8, 32},   {17, 9, 33},  {64, 64, 64},
                                 {65, 33, 96}, {70, 130, 40}, {33, 16, 200}};
  for (int d = 0; d < 3; d++)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
      for (int columns = 0; columns < 2; columns++)
        check(*state, product(*state, dtypes[d], sizes[i][0], sizes[i][1], sizes[i][2], columns));
}

static void test_tf32(void **state)
{
  static const int sizes[][3] = {{8, 8, 1},    {16, 8, 8},    {17, 9, 33}, {64, 64, 64},
                                 {65, 33, 96}, {70, 130, 40}, {33, 16, 52}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int columns = 0; columns < 2; columns++)
      check(*state, tf32_product(*state, sizes[i][0], sizes[i][1], sizes[i][2], columns));
  const char *ptx = ptx_of(*state, tf32_product(*state, 1024, 1024, 1024, true));
  assert_true(count(ptx, "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32") >= 16);
  assert_true(count(ptx, "cvt.rna.tf32.f32") >= 16);
  assert_true(count(ptx, "ldmatrix.sync.aligned.m8n8.x4.shared.b16") >= 4);
  assert_true(count(ptx, "cp.async.cg.shared.global") >= 4);
  assert_int_equal(count(ptx, ".local"), 0);
}

static bool is_on_tensor_cores(struct tsr_arena *a, const char *text, bool tf32)
{
  struct tsr_gpu_arch arch = {90, true};
  const struct tir_func *f = func_of(a, text);
  struct tsr_bytes bytes;
  struct tsr_kernel_block *block = NULL;
  struct tsr_err err = {0};
  uint64_t size[] = {4 * 64 * 64, 4 * 64 * 64, 4 * 64, 4 * 64 * 64};
  struct tsr_kernel_params params = {f->params, size};
  int blocks;
  struct tsr_codegen_job job = {
      .layers = 1, .name = &f->name, .func = &f, .archs = 1, .arch = &arch, .tf32 = tf32};
  if (tessera_cuda_codegen()->compile(a, &err, &job, &bytes) ||
      tsr_kernels_read(a, &err, &bytes, 1, &params, &blocks, &block))
    fail_msg("%s", err.text);
  assert_int_equal(block->layer[0].operand_bits, tf32 ? 10 : 0);
  return count(block->ptx, "mma.sync") > 0;
}

/* f32 stays f32 unless the user asks; then the kernel says by how much it rounds. */
static void test_tf32_is_asked_for(void **state)
{
  const char *text = product(*state, "f32", 64, 64, 64, true);
  assert_false(is_on_tensor_cores(*state, text, false));
  assert_true(is_on_tensor_cores(*state, text, true));
}

static void test_instructions(void **state)
{
  const char *s8 = ptx_of(*state, product(*state, "i8", 1024, 1024, 1024, true));
  const char *f16 = ptx_of(*state, product(*state, "f16", 1024, 1024, 1024, true));
  const char *turned = ptx_of(*state, product(*state, "bf16", 1024, 1024, 1024, false));
  assert_true(count(s8, "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32") >= 16);
  assert_true(count(f16, "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32") >= 16);
  assert_true(count(turned, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32") >= 16);
  assert_true(count(s8, "ldmatrix.sync.aligned.m8n8.x4.shared.b16") >= 4);
  assert_true(count(turned, "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16") >= 4);
  assert_true(count(s8, "cp.async.cg.shared.global") >= 4);
  assert_true(count(turned, "cp.async.cg.shared.global") >= 4);
  assert_int_equal(count(s8, "cp.async.wait_group"), 1);
  assert_int_equal(count(s8, "bar.sync"), 1);
  assert_int_equal(count(s8, ".local"), 0);
  assert_int_equal(count(f16, ".local"), 0);
}

/* --- tiles of wgmma ----------------------------------------------------------------------------- */

#define ROUNDS "(acc: f32[65536,8192]) -> (y: bf16[65536,8192]) { y: y[m, n] = bf16(acc[m, n]) }"
#define QUANTIZES                                                                                  \
  "(acc: i32[65536,8192], p: i32[3]) -> (y: i8[65536,8192]) { "                                    \
  "y: y[m, n] = sat8(quant(acc[m, n], p[0], p[1], p[2])) }"

/* What was measured to be the fastest, or within 3 % of it (docs/gpu-tuning.md). */
static void test_tiles(void **state)
{
  static const struct {
    const char *end;
    enum tsr_dtype in;
    int64_t m, n, k;
    struct cuda__gemm_tile tile;
  } rows[] = {
      {ROUNDS, TSR_BF16, 8192, 8192, 8192, {128, 128, 2, true, 6, 1, 1, 16}},
      {ROUNDS, TSR_BF16, 16384, 3072, 768, {128, 128, 2, true, 6, 1, 1, 16}},
      {ROUNDS, TSR_BF16, 100352, 64, 64, {128, 64, 2, false, 4, 1, 1, 16}},
      {ROUNDS, TSR_BF16, 49, 512, 2048, {64, 64, 1, false, 6, 1, 4, 16}},
      {QUANTIZES, TSR_I8, 128, 2304, 768, {64, 32, 1, false, 6, 1, 1, 16}},
      {QUANTIZES, TSR_I8, 25088, 512, 128, {192, 128, 3, false, 5, 1, 1, 16}},
      {QUANTIZES, TSR_I8, 4096, 4096, 4096, {128, 128, 2, true, 6, 1, 1, 16}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct cuda__gemm g = {
        .name = "g",
        .batch = 1,
        .m = rows[i].m,
        .n = rows[i].n,
        .k = rows[i].k,
        .columns = 1,
        .in = rows[i].in,
        .epilogue = func_of(*state, tsr_arena_printf(*state, "func f%s", rows[i].end))};
    const struct cuda__gemm_tile *t = &g.tile, *want = &rows[i].tile;
    cuda__gemm_choose(&g);
    if (t->m != want->m || t->n != want->n || t->alternate != want->alternate ||
        t->splits != want->splits)
      fail_msg("row %zu has a tile of %d x %d, %d warpgroups%s, cluster %d, %d splits", i, t->m,
               t->n, t->warpgroups, t->alternate ? " in turn" : "", t->cluster, t->splits);
  }
}

/* --- convolutions ----------------------------------------------------------------------------- */

static const char *const convolutions[] = {
    /* rows, padded with what is no zero; a residual and a requantization behind */
    ("func conv(x: i8[1,32,4,4], w: i8[32,32,3,3], bias: i32[32], mult: i32[32], pack: i32[32], "
     "r: i8[1,32,4,4]) -> (y: i8[1,32,4,4]) {\n"
     "  temp xp: i8[1,32,6,6]\n  temp conv: i32[1,32,4,4]\n  temp q: i8[1,32,4,4]\n"
     "  pad: xp[n, c, h, w] = select(0 <= h - 1 and h - 1 < 4 and (0 <= w - 1 and w - 1 < 4), "
     "x[n, c, h - 1, w - 1], i8(-128))\n"
     "  conv: conv[n, oc, oh, ow] sum(ic < 32, kh < 3, kw < 3) init i32(0) = "
     "i32(xp[n, ic, oh + kh, ow + kw]) * i32(w[oc, ic, kh, kw])\n"
     "  quantize: q[n, oc, oh, ow] = "
     "sat8(quant(conv[n, oc, oh, ow], bias[oc], mult[oc], pack[oc]))\n"
     "  add: y[n, oc, oh, ow] = sat8(i32(q[n, oc, oh, ow]) + i32(r[n, oc, oh, ow]))\n}"),
    /* channels last, a stride of 2, two images */
    ("func conv(x: i8[2,9,9,16], w: i8[24,3,3,16], bias: i32[24]) -> (y: i32[2,4,4,24]) {\n"
     "  conv: y[n, oh, ow, oc] sum(kh < 3, kw < 3, ic < 16) init bias[oc] = "
     "i32(x[n, oh * 2 + kh, ow * 2 + kw, ic]) * i32(w[oc, kh, kw, ic])\n}"),
    /* floats in rows */
    ("func conv(x: f16[1,8,10,10], w: f16[16,8,3,3]) -> (y: f16[1,16,8,8]) {\n"
     "  temp acc: f32[1,16,8,8]\n"
     "  conv: acc[n, oc, oh, ow] sum(ic < 8, kh < 3, kw < 3) init f32(0) = "
     "f32(x[n, ic, oh + kh, ow + kw]) * f32(w[oc, ic, kh, kw])\n"
     "  round: y[n, oc, oh, ow] = f16(acc[n, oc, oh, ow])\n}"),
    /* floats as tensor cores round them, padded, a stride of 2 */
    ("func conv(x: f32[1,12,9,9], w: f32[16,12,3,3], bias: f32[16]) -> (y: f32[1,16,5,5]) {\n"
     "  temp xp: f32[1,12,11,11]\n"
     "  pad: xp[n, c, h, w] = select(0 <= h - 1 and h - 1 < 9 and (0 <= w - 1 and w - 1 < 9), "
     "x[n, c, h - 1, w - 1], f32(0))\n"
     "  conv: y[n, oc, oh, ow] sum(ic < 12, kh < 3, kw < 3) init bias[oc] = "
     "tf32(xp[n, ic, oh * 2 + kh, ow * 2 + kw]) * tf32(w[oc, ic, kh, kw])\n}"),
    /* matrices in a batch, as attention has them */
    ("func scores(q: f16[2,3,20,16], k: f16[2,3,24,16]) -> (y: f32[2,3,20,24]) {\n"
     "  mm: y[b, h, m, n] sum(d < 16) init f32(0) = f32(q[b, h, m, d]) * f32(k[b, h, n, d])\n}"),
};

/* Channels in planes, and enough products that they are worth being put side by side first. */
static const char *const large[] = {
    ("func conv(x: i8[1,32,17,16], w: i8[64,32,3,3], bias: i32[64], mult: i32[64], pack: i32[64]) "
     "-> (y: i8[1,64,17,16]) {\n"
     "  temp xp: i8[1,32,19,18]\n  temp conv: i32[1,64,17,16]\n"
     "  pad: xp[n, c, h, w] = select(0 <= h - 1 and h - 1 < 17 and (0 <= w - 1 and w - 1 < 16), "
     "x[n, c, h - 1, w - 1], i8(-128))\n"
     "  conv: conv[n, oc, oh, ow] sum(ic < 32, kh < 3, kw < 3) init i32(0) = "
     "i32(xp[n, ic, oh + kh, ow + kw]) * i32(w[oc, ic, kh, kw])\n"
     "  quantize: y[n, oc, oh, ow] = "
     "sat8(quant(conv[n, oc, oh, ow], bias[oc], mult[oc], pack[oc]))\n}"),
    ("func conv(x: f16[1,32,18,18], w: f16[64,32,3,3]) -> (y: f16[1,64,16,16]) {\n"
     "  temp acc: f32[1,64,16,16]\n"
     "  conv: acc[n, oc, oh, ow] sum(ic < 32, kh < 3, kw < 3) init f32(0) = "
     "f32(x[n, ic, oh + kh, ow + kw]) * f32(w[oc, ic, kh, kw])\n"
     "  round: y[n, oc, oh, ow] = f16(max(acc[n, oc, oh, ow], f32(0)))\n}"),
};

static void test_moved(void **state)
{
  for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
    struct tsr_kernel_block b = kernels_of(*state, func_of(*state, large[i]), "sm_80");
    check(*state, large[i]);
    assert_int_equal(b.layer[0].kernels, 3);
    assert_true(count(b.ptx, "cp.async.cg") >= 8);
  }
}

static void test_convolutions(void **state)
{
  for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++) {
    check(*state, convolutions[i]);
    assert_true(count(ptx_of(*state, convolutions[i]), "mma.sync") > 0);
  }
  assert_true(count(ptx_of(*state, convolutions[1]), "cp.async.cg") > 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(test_one_tile),     IN_ARENA(test_products),
                                     IN_ARENA(test_tf32),         IN_ARENA(test_tf32_is_asked_for),
                                     IN_ARENA(test_instructions), IN_ARENA(test_convolutions),
                                     IN_ARENA(test_moved),        IN_ARENA(test_tiles)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of kernels: written and read back, refused where they are damaged. */
#include "native/kernels.h"
#include "tests/base/cases.h"

enum { LAYERS = 3, HEAD = 16, ROW = 32, BLOCK_HEAD = 32, LAYER = 16, KERNEL = 112, ARG = 16 };

static const uint64_t bytes0[] = {4096, 4096, 65536}, bytes2[] = {100};
static const struct tsr_kernel_params params[LAYERS] = {{3, bytes0}, {0, NULL}, {1, bytes2}};

static struct tsr_tensor_map map = {.base = {.param = 2, .offset = 256},
                                    .type = TSR_MAP_F16,
                                    .rank = 3,
                                    .dims = {64, 100, 4},
                                    .strides = {2, 128, 12800},
                                    .box = {64, 16, 1},
                                    .step = {1, 1, 2},
                                    .swizzle = 128,
                                    .l2 = 256};

/* Two architectures; three layers, of which the second has no kernels; three kernels. */
static struct tsr_bytes section(struct tsr_arena *a)
{
  struct tsr_kernel_arg *arg = TSR_NEW_ARRAY(a, struct tsr_kernel_arg, 4);
  arg[0].pointer = (struct tsr_kernel_pointer){.param = 1, .offset = 16};
  arg[1].kind = TSR_ARG_MAP;
  arg[1].map = map;
  arg[2].pointer = (struct tsr_kernel_pointer){.scratch = true, .offset = 1024};
  struct tsr_kernel first[2] = {
      {"gemm_0", {4, 5, 6}, {128, 2, 1}, {2, 1, 3}, 100000, 3, arg},
      {"sum$1", {1, 1, 1}, {32, 1, 1}, {1, 1, 1}, 0, 0, NULL},
  };
  struct tsr_kernel last[1] = {{"k", {7, 1, 1}, {1024, 1, 1}, {1, 1, 1}, 16, 1, arg + 3}};
  struct tsr_kernel_layer layer[LAYERS] = {{2048, 10, 2, first}, {0}, {0, 0, 1, last}};
  struct tsr_kernel_block block[] = {{{80, false}, LAYERS, layer, ".version 7.0\n"},
                                     {{90, true}, LAYERS, layer, ".version 8.0\n"}};
  return tsr_kernels_write(a, 2, block);
}

static void written_and_read(void **state)
{
  struct tsr_bytes bytes = section(*state), again = section(*state);
  struct tsr_kernel_block *block;
  struct tsr_err err = {0};
  int blocks;
  assert_int_equal(bytes.size, again.size);
  assert_memory_equal(bytes.data, again.data, bytes.size);
  if (tsr_kernels_read(*state, &err, &bytes, LAYERS, params, &blocks, &block))
    fail_msg("%s", err.text);
  assert_int_equal(blocks, 2);
  assert_int_equal(block[1].arch.capability, 90);
  assert_true(block[1].arch.exact);
  assert_string_equal(block[0].ptx, ".version 7.0\n");
  const struct tsr_kernel_layer *l = block[1].layer;
  assert_int_equal(l[0].kernels, 2);
  assert_int_equal(l[0].scratch_bytes, 2048);
  assert_int_equal(l[0].operand_bits, 10);
  assert_int_equal(l[1].kernels, 0);
  const struct tsr_kernel *k = &l[0].kernel[0];
  assert_string_equal(k->entry, "gemm_0");
  assert_string_equal(l[0].kernel[1].entry, "sum$1");
  assert_memory_equal(k->grid, ((uint32_t[]){4, 5, 6}), 12);
  assert_memory_equal(k->block, ((uint32_t[]){128, 2, 1}), 12);
  assert_memory_equal(k->cluster, ((uint32_t[]){2, 1, 3}), 12);
  assert_int_equal(k->shared_bytes, 100000);
  assert_int_equal(k->args, 3);
  assert_int_equal(k->arg[0].pointer.param, 1);
  assert_int_equal(k->arg[0].pointer.offset, 16);
  assert_int_equal(k->arg[1].kind, TSR_ARG_MAP);
  assert_memory_equal(&k->arg[1].map, &map, sizeof map);
  assert_true(k->arg[2].pointer.scratch);
  assert_int_equal(k->arg[2].pointer.offset, 1024);
  assert_string_equal(l[2].kernel[0].entry, "k");
  assert_int_equal(l[2].kernel[0].args, 1);
}

static void nothing(void **state)
{
  struct tsr_bytes none = {NULL, 0};
  struct tsr_kernel_block *block;
  int blocks = 5;
  assert_int_equal(tsr_kernels_read(*state, NULL, &none, LAYERS, params, &blocks, &block), TSR_OK);
  assert_int_equal(blocks, 0);
}

static void architectures(void **state)
{
  static const char *const good[] = {"sm_50", "sm_80", "sm_90", "sm_90a", "sm_100a", "sm_120"};
  static const char *const bad[] = {"",        "sm_",    "sm_8",  "sm_080", "sm_80 ", "sm_90b",
                                    "sm_90aa", "sm_200", "SM_80", "sm_-80", "80"};
  struct tsr_gpu_arch arch, before = {0};
  char name[TSR_GPU_ARCH_NAME];
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++, before = arch) {
    assert_true(tsr_gpu_arch_from_name(good[i], &arch));
    assert_string_equal(tsr_gpu_arch_name(arch, name), good[i]);
    assert_true(tsr_gpu_arch_compare(before, arch) < 0);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(tsr_gpu_arch_from_name(bad[i], &arch));
}

/* What a damaged value, of so many bytes at an offset, is refused with. */
static void refused(void **state)
{
  struct tsr_bytes good = section(*state);
  uint64_t first;
  memcpy(&first, good.data + HEAD + 16, sizeof first);
  size_t layer = first + BLOCK_HEAD, kernel = layer + LAYERS * LAYER, arg = kernel + 3 * KERNEL;
  size_t tensor = arg + 4 * ARG, launch = kernel + TSR_KERNEL_NAME;
  const struct {
    size_t at;
    int size;
    uint64_t value;
    const char *says;
  } rows[] = {
      {0, 4, 0, "the section of GPU kernels does not begin as one does"},
      {4, 4, 2, "the GPU kernels have format version 2; version 1 is read"},
      {8, 8, 77, "the GPU kernels are said to be for 77 architectures"},
      {HEAD, 8, 0x30385f6e73, "there are kernels for 'sn_80', which is no architecture of a GPU"},
      {HEAD + ROW, 8, 0x30385f6d73,
       "the kernels for 'sm_80' are not in the order of architectures"},
      {HEAD + 16, 8, first + 1, "the kernels for 'sm_80' are not inside of their section"},
      {HEAD + 24, 8, UINT64_MAX, "the kernels for 'sm_80' are not inside of their section"},
      {HEAD + 24, 8, 8, "the kernels for 'sm_80' are cut off"},
      {first, 4, 4, "the kernels for 'sm_80' are of 4 layers; the module has 3"},
      {first + 4, 4, UINT32_MAX, "the kernels for 'sm_80' do not have the size that they state"},
      {first + 16, 8, 1, "the kernels for 'sm_80' do not have the size that they state"},
      {first + 24, 8, 1, "the kernels for 'sm_80' do not have the size that they state"},
      {tensor + 152, 1, 0, "the PTX for 'sm_80' does not end in its last byte"},
      {layer, 4, 9, "the kernels for 'sm_80': layer 0 has 9 kernels, more than there are"},
      {layer, 4, 1, "the kernels for 'sm_80' are more than its layers have"},
      {layer + 4, 4, 23, "the kernels for 'sm_80': layer 0 rounds operands to 23 bits"},
      {layer + 8, 8, UINT64_C(1) << 40, "the kernels for 'sm_80': layer 0 wants 1099511627776"},
      {layer + 16 + 8, 8, 1,
       "the kernels for 'sm_80': layer 1 wants 1 bytes of scratch memory; at "
       "most 0 are given"},
      {kernel, 1, '0', "the kernels for 'sm_80': layer 0 has a kernel whose name is none"},
      {kernel + 1, 1, ' ', "the kernels for 'sm_80': layer 0 has a kernel whose name is none"},
      {kernel + 63, 1, 'x', "the kernels for 'sm_80': layer 0 has a kernel whose name is none"},
      {launch, 4, 0, "the kernels for 'sm_80': 'gemm_0' of layer 0 has a launch that no GPU takes"},
      {launch, 4, 5, "the kernels for 'sm_80': 'gemm_0' of layer 0 has a launch that no GPU takes"},
      {launch + 12, 4, 1024, "the kernels for 'sm_80': 'gemm_0' of layer 0 has a launch that no"},
      {launch + 24, 4, 16, "the kernels for 'sm_80': 'gemm_0' of layer 0 has a launch that no"},
      {launch + 36, 4, 1 << 21, "the kernels for 'sm_80': 'gemm_0' of layer 0 has a launch that"},
      {launch + 40, 4, 5,
       "the kernels for 'sm_80': 'gemm_0' of layer 0 has 5 arguments, more than"},
      {launch + 2 * KERNEL + 40, 4, 0, "the kernels for 'sm_80' are more than its layers have"},
      {arg, 4, 3, "the kernels for 'sm_80': layer 0 uses parameter 1 of 3"},
      {arg + 4, 4, 3, "the kernels for 'sm_80': layer 0 uses parameter 3 of 3"},
      {arg + 8, 8, 4097, "the kernels for 'sm_80': layer 0 points at byte 4097 of 4096 bytes"},
      {arg, 4, 2, "the kernels for 'sm_80': layer 0 uses a tensor map that is not there"},
      {arg + ARG + 8, 8, 1, "the kernels for 'sm_80': layer 0 uses a tensor map that is not there"},
      {arg + 2 * ARG + 8, 8, 2049, "the kernels for 'sm_80': layer 0 points at byte 2049 of 2048"},
      {tensor + 8, 8, 8, "the kernels for 'sm_80': layer 0 has a tensor map that is none of those"},
      {tensor + 16, 4, 77, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
      {tensor + 20, 4, 6, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
      {tensor + 20, 4, 2, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
      {tensor + 24, 4, 64, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
      {tensor + 28, 4, 192, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
      {tensor + 32, 8, 0, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
      {tensor + 48, 8, 6, "the kernels for 'sm_80': layer 0 has a tensor map that reaches over"},
      {tensor + 72, 8, 4, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
      {tensor + 80, 8, 120, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
      {tensor + 88, 8, UINT64_MAX & ~15, "the kernels for 'sm_80': layer 0 has a tensor map that"},
      {tensor + 112, 4, 257, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
      {tensor + 132, 4, 9, "the kernels for 'sm_80': layer 0 has a tensor map that is none of"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    struct tsr_bytes bad = {tsr_arena_copy(*state, good.data, good.size + 1), good.size};
    struct tsr_kernel_block *block;
    struct tsr_err err = {0};
    int blocks;
    memcpy(bad.data + rows[k].at, &rows[k].value, (size_t)rows[k].size);
    if (tsr_kernels_read(*state, &err, &bad, LAYERS, params, &blocks, &block) != TSR_REFUSED)
      fail_msg("row %zu is read", k);
    if (strncmp(err.text, rows[k].says, strlen(rows[k].says)))
      fail_msg("row %zu: %s", k, err.text);
  }
}

/* A launch takes 4096 bytes of arguments: 511 pointers beside the status word's, 31 maps. */
static void many_arguments(void **state)
{
  static const struct {
    int args, kind;
    bool good;
  } rows[] = {{511, TSR_ARG_POINTER, true},
              {512, TSR_ARG_POINTER, false},
              {31, TSR_ARG_MAP, true},
              {32, TSR_ARG_MAP, false}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    struct tsr_kernel_arg *arg = TSR_NEW_ARRAY(*state, struct tsr_kernel_arg, rows[k].args);
    for (int i = 0; i < rows[k].args; i++) {
      arg[i].kind = rows[k].kind;
      arg[i].map = map;
    }
    struct tsr_kernel kernel = {"k", {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 0, rows[k].args, arg};
    struct tsr_kernel_layer layer[LAYERS] = {{0, 0, 1, &kernel}};
    struct tsr_kernel_block block = {{80, false}, LAYERS, layer, ""}, *read;
    struct tsr_bytes bytes = tsr_kernels_write(*state, 1, &block);
    int blocks;
    assert_int_equal(tsr_kernels_read(*state, NULL, &bytes, LAYERS, params, &blocks, &read),
                     rows[k].good ? TSR_OK : TSR_REFUSED);
  }
}

/* Cut off anywhere: refused. Changed in any bit: refused or read, never more than that. */
static void every_byte(void **state)
{
  struct tsr_bytes good = section(*state);
  for (size_t size = 1; size < good.size; size++) {
    struct tsr_kernel_block *block;
    struct tsr_arena *a = tsr_arena_new(NULL);
    int blocks;
    struct tsr_bytes cut = {tsr_arena_copy(a, good.data, size), size};
    assert_int_equal(tsr_kernels_read(a, NULL, &cut, LAYERS, params, &blocks, &block), TSR_REFUSED);
    tsr_arena_free(a);
  }
  for (size_t at = 0; at < good.size; at++)
    for (int bit = 0; bit < 8; bit++) {
      struct tsr_kernel_block *block;
      struct tsr_arena *a = tsr_arena_new(NULL);
      int blocks;
      struct tsr_bytes bad = {tsr_arena_copy(a, good.data, good.size), good.size};
      bad.data[at] ^= (uint8_t)(1 << bit);
      (void)tsr_kernels_read(a, NULL, &bad, LAYERS, params, &blocks, &block);
      tsr_arena_free(a);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(written_and_read), IN_ARENA(nothing),        IN_ARENA(architectures),
      IN_ARENA(refused),          IN_ARENA(many_arguments), IN_ARENA(every_byte),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

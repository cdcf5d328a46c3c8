/* SPDX-License-Identifier: Apache-2.0 */
/* A tile's sums stay in registers: in machine code for AVX-512 VNNI nothing of 64 bytes goes to the stack and
 * back around the products of bytes. LLVM's disassembler reads it. */
#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>

#include "tests/cpu/rig.h"

struct seen {
  int products, spills;
};

static struct seen look_at(const struct tsr_code_block *block)
{
  struct seen seen = {0};
  char text[256];
  LLVMDisasmContextRef reader =
      LLVMCreateDisasmCPU("x86_64-pc-linux-gnu", "sapphirerapids", NULL, 0, NULL, NULL);
  assert_non_null(reader);
  for (uint64_t at = 0, size; at < block->size; at += size ? size : 1) {
    size = LLVMDisasmInstruction(reader, (uint8_t *)(uintptr_t)block->bytes + at, block->size - at,
                                 at, text, sizeof text);
    if (!size)
      continue;
    seen.products += strstr(text, "vpdpbusd") != NULL;
    seen.spills += strstr(text, "zmm") && strstr(text, "(%rsp");
  }
  LLVMDisasmDispose(reader);
  return seen;
}

/* sums: of the largest tile. */
static void expect_none(struct tsr_arena *a, int sums, const char *text)
{
  struct tsr_bytes bytes = code_of(a, func_of(a, text), 1u << TSR_LEVEL_VNNI);
  struct tsr_code_block *block;
  int blocks;
  assert_int_equal(tsr_code_read(a, NULL, &bytes, 1, &blocks, &block), TSR_OK);
  struct seen seen = look_at(block);
  assert_in_range(seen.products, sums, 16 * sums);
  assert_int_equal(seen.spills, 0);
}

/* 9 rows by 3 vectors. */
static void matrices(void **state)
{
  expect_none(*state, 27,
              "func f(a: i8[1024,1024], b: i8[64,256,16,4]) -> (y: i32[1024,1024]) {\n"
              "  y: y[m, n] sum(k < 1024) init i32(0) = (i32(a[m, k]) + i32(128)) * "
              "i32(b[floordiv(n, 16), floordiv(k, 4), floormod(n, 16), floormod(k, 4)])\n}\n");
}

/* 14 places by 2 vectors. */
static void convolutions(void **state)
{
  expect_none(*state, 28,
              "func f(x: i8[1,4,57,57,16], w: i8[8,4,3,3,4,16,4]) -> (y: i32[1,8,28,28,16]) {\n"
              "  y: y[n, ob, h, w, o] sum(cb < 4, kh < 3, kw < 3, ig < 4, i < 4) init i32(0) = "
              "(i32(x[n, cb, h * 2 + kh, w * 2 + kw, ig * 4 + i]) + i32(128)) * "
              "i32(w[ob, cb, kh, kw, ig, o, i])\n}\n");
}

int main(void)
{
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86Disassembler();
  const struct CMUnitTest tests[] = {IN_ARENA(matrices), IN_ARENA(convolutions)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

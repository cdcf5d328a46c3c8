/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "isa/isa.h"
#include "random.h"
#include "tests/base/counting.h"
#include "tests/base/in_arena.h"

static struct tsr_program assembled(struct tsr_arena *arena, const char *text)
{
  struct tsr_err err;
  struct tsr_program program;
  if (tsr_assemble(arena, &err, "t.s", text, &program))
    fail_msg("%s", err.text);
  return program;
}

static void same_program(const struct tsr_program *a, const struct tsr_program *b)
{
  assert_int_equal(a->insn_count, b->insn_count);
  assert_int_equal(a->data_bytes, b->data_bytes);
  assert_int_equal(a->window_bytes, b->window_bytes);
  assert_true(a->design_hash == b->design_hash);
  if (a->insn_count)
    assert_memory_equal(a->insns, b->insns, a->insn_count * TSR_INSN_BYTES);
  if (a->data_bytes)
    assert_memory_equal(a->data, b->data, a->data_bytes);
}

/* One line in, the same line out: the disassembler's spelling. */
static void lines_come_back(void **state)
{
  static const char *const lines[] = {
      "load inp sram=0 dram=0x1000 n=14,14,4 sy=224 sz=3136 pad=-3 x=1,1 y=1,0 signal=matrix",
      "load uop sram=0 dram=0x0 n=9,1,1",
      "store acc sram=65535 dram=0xffffffff n=65535,1,1 wait=load,matrix,vector",
      "gemm uops=0+9 n=4,7,14 dst=98,14,1 b=9,0,0 first=0,1 banks=0 wait=load signal=load,vector",
      "gemm uops=65535+65535 n=1,1,1 a=0,16,1",
      "quant uops=9+1 n=1,7,14 dst=out:0,14,1 a=0,14,1 b=3,0,0 banks=0,1 wait=matrix signal=store",
      "max uops=0+1 n=1,1,1 dst=inp a=inp:0,2,1",
      "sync matrix wait=load",
      "sync store",
      "finish",
  };
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    struct tsr_program program = assembled(*state, lines[i]);
    struct tsr_insn insn;
    assert_int_equal(program.insn_count, 1);
    assert_int_equal(tsr_insn_decode(program.insns, &insn), TSR_TRAP_NONE);
    assert_string_equal(tsr_insn_text(*state, &insn), lines[i]);
  }
}

static void left_out_operands(void **state)
{
  struct tsr_program p = assembled(*state, " ; nothing\n\n");
  assert_int_equal(p.insn_count, 0);
  p = assembled(*state, "\tload\tinp dram=0X10 n=3 x=2 # padded\r\n"
                        "add uops=1+2 n=5 dst=7 a=inp b=1,2 wait=none ; done");
  struct tsr_insn insn;
  assert_int_equal(p.insn_count, 2);
  tsr_insn_decode(p.insns, &insn);
  assert_string_equal(tsr_insn_text(*state, &insn), "load inp sram=0 dram=0x10 n=3,1,1 x=2,0");
  tsr_insn_decode(p.insns + TSR_INSN_BYTES, &insn);
  assert_string_equal(tsr_insn_text(*state, &insn), "add uops=1+2 n=5,1,1 dst=7,0,0 a=inp b=1,2,0");
}

static void data_and_directives(void **state)
{
  static const uint8_t expected[] = {1,    2,    0xff, 0, 0, 0, 0, 0, 5, 0, 6, 0, 7, 0, 1, 0,
                                     0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0};
  struct tsr_program p = assembled(*state, ".design 0xfedcba9876543210\n"
                                           ".window 4294967296\n"
                                           ".data\n"
                                           ".byte 1, 2 ,255\n"
                                           ".org 8\n"
                                           ".uop 5,6,7,overwrite\n"
                                           ".text\n"
                                           "finish\n"
                                           ".data\n"
                                           ".word32 -2,0xffffffff\n"
                                           ".org 26\n");
  assert_int_equal(p.insn_count, 1);
  assert_int_equal(p.data_bytes, sizeof expected);
  assert_memory_equal(p.data, expected, sizeof expected);
  assert_true(p.window_bytes == UINT64_C(4294967296));
  assert_true(p.design_hash == UINT64_C(0xfedcba9876543210));
  p = assembled(*state, ".data\n.byte 1\n");
  assert_int_equal(p.window_bytes, 1);
  assert_true(p.design_hash == 0);
}

static void a_program_reads_well(void **state)
{
  struct tsr_program p = assembled(*state, ".word 7f 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                                           " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0F\n"
                                           "load uop dram=8 n=2\nfinish\n.data\n.org 8\n"
                                           ".uop 1,2,3\n.uop 4,5,6,overwrite\n.byte -1\n.org 64\n");
  assert_string_equal(tsr_disassemble(*state, &p),
                      ".word 7f 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                      " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 0f\n"
                      "load uop sram=0 dram=0x8 n=2,1,1\n"
                      "finish\n"
                      ".data\n"
                      ".byte 0,0,0,0,0,0,0,0\n"
                      ".uop 1,2,3\n"
                      ".uop 4,5,6,overwrite\n"
                      ".byte -1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"
                      ".org 0x40\n");
}

/* What the pages show is what the assembler takes. */
static void examples_of_the_pages(void **state)
{
  static const struct {
    const char *text;
    int opcode;
  } rows[] = {
#define TSR_DETAIL(name, example, reads, writes, text) {example, TSR_OP_##name},
#include "isa/details.def"
#undef TSR_DETAIL
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_program p = assembled(*state, rows[i].text);
    assert_int_equal(p.insn_count, 1);
    assert_int_equal(p.insns[0], rows[i].opcode);
  }
  struct tsr_bytes page;
  assert_int_equal(tsr_file_read(*state, NULL, "docs/assembler.md", 1 << 20, &page), TSR_OK);
  char *begin = strstr((char *)page.data, "```\n") + 4, *end = strstr(begin, "```");
  *end = 0;
  struct tsr_program p = assembled(*state, begin);
  assert_int_equal(p.insn_count, 7);
  assert_int_equal(p.data_bytes, 16);
  assert_int_equal(p.window_bytes, 65536);
}

static void random_programs_come_back(void **state)
{
  (void)state;
  uint64_t seed = random_seed();
  for (int i = 0; i < 2000; i++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct tsr_program program = random_program(arena, &seed);
    struct tsr_program again = assembled(arena, tsr_disassemble(arena, &program));
    same_program(&program, &again);
    tsr_arena_free(arena);
  }
}

#define ZEROS8 " 00 00 00 00 00 00 00 00"
static const struct {
  const char *text, *sentence;
} refused[] = {
    {"gem uops=0+1", "t.s:1: unknown instruction 'gem'; did you mean 'gemm'?"},
    {"\n\nxylophone", "t.s:3: unknown instruction 'xylophone'"},
    {"load", "t.s:1: load needs the name of its buffer"},
    {"load imp n=1", "t.s:1: unknown buffer 'imp'; did you mean 'inp'?"},
    {"load out n=1", "t.s:1: load: buffer is 5, out, which cannot be loaded"},
    {"load inp sran=0", "t.s:1: unknown operand of load 'sran'; did you mean 'sram'?"},
    {"load inp 12", "t.s:1: '12' is not keyword=value"},
    {"load inp n=1,2,3,4", "t.s:1: n has more than 3 values"},
    {"load inp sram=1,2", "t.s:1: sram has more than 1 value"},
    {"load inp n=0", "t.s:1: load: nx is 0, outside of 1 to 65535"},
    {"load inp n=1,,3", "t.s:1: '' is not a number"},
    {"load inp n=1 n=2", "t.s:1: n is given twice"},
    {"load inp n=-1", "t.s:1: load: nx is -1, outside of 1 to 65535"},
    {"load inp pad=-200", "t.s:1: load: pad is -200, outside of -128 to 127 for inp"},
    {"load inp dram=4294967296", "t.s:1: load: dram is 4294967296, outside of 0 to 4294967295"},
    {"load inp dram=0x", "t.s:1: '0x' is not a number"},
    {"load inp dram=12a", "t.s:1: '12a' is not a number"},
    {"load inp dram=99999999999999999999", "t.s:1: '99999999999999999999' is too large a number"},
    {"load inp dram=-9223372036854775808", "t.s:1: '-9223372036854775808' is too large a number"},
    {"store out x=1", "t.s:1: store: xl must be 0: a store has no padding"},
    {"gemm n=1", "t.s:1: gemm: uop_count is 0, outside of 1 to 65535"},
    {"gemm uops=9", "t.s:1: uops is '9'; it must be BEGIN+COUNT, such as 0+9"},
    {"gemm uops=0+1 dst=out:1", "t.s:1: gemm: dst is 1; it must be 0, acc"},
    {"add uops=0+1 dst=ouT:1", "t.s:1: unknown scratchpad 'ouT'; did you mean 'out'?"},
    {"add uops=0+1 a=out", "t.s:1: unknown scratchpad 'out'"},
    {"add uops=0+1 b=acc:1", "t.s:1: b has steps only; where it lies is not up to the instruction"},
    {"add uops=0+1 banks=2", "t.s:1: banks is 2, outside of 0 to 1"},
    {"add uops=0+1 banks=0,0", "t.s:1: banks names 0 twice"},
    {"mul uops=0+1 first=0",
     "t.s:1: mul: first is 1; it must be 0: the instruction has no use for it"},
    {"gemm uops=0+1 wait=lode", "t.s:1: unknown engine 'lode'; did you mean 'load'?"},
    {"gemm uops=0+1 wait=matrix", "t.s:1: gemm: wait names matrix, the engine that executes it"},
    {"sync", "t.s:1: sync needs the name of its engine"},
    {"sync matrix n=1", "t.s:1: unknown operand of sync 'n'"},
    {"finish wait=load", "t.s:1: finish has no operands"},
    {".dta", "t.s:1: unknown directive '.dta'; did you mean '.data'?"},
    {".data x", "t.s:1: 'x' behind a section's name"},
    {".byte 1", "t.s:1: data outside of .data"},
    {".data\nfinish", "t.s:2: an instruction inside of .data; .text ends the data"},
    {".data\n.byte 256", "t.s:2: .byte is 256, outside of -128 to 255"},
    {".data\n.byte", "t.s:2: '' is not a number"},
    {".data\n.byte -129", "t.s:2: .byte is -129, outside of -128 to 255"},
    {".data\n.word32 4294967296", "t.s:2: .word32 is 4294967296, outside of -2147483648 to 4294967295"},
    {".data\n.uop 1,2", "t.s:2: .uop needs dst, a and b"},
    {".data\n.uop 1,2,65536", "t.s:2: b is 65536, outside of 0 to 65535"},
    {".data\n.uop 1,2,3,over", "t.s:2: 'over' behind b; only 'overwrite' may stand there"},
    {".data\n.org 8\n.org 4", "t.s:3: .org goes back from 8 to 4"},
    {".data\n.org 1073741825", "t.s:2: .org is 1073741825, outside of 0 to 1073741824"},
    {".org 8", "t.s:1: .org outside of .data"},
    {".data\n.org 8,9", "t.s:2: .org has one value"},
    {".window 1\n.window 2", "t.s:2: .window is repeated; line 1 has it already"},
    {".window 4294967297", "t.s:1: .window is 4294967297, outside of 0 to 4294967296"},
    {"finish\n.window 1\n.data\n.byte 1,2", "t.s:2: .window is 1, less than the 2 bytes of data"},
    {".design -1", "t.s:1: .design is -1, outside of 0 to 18446744073709551615"},
    {".word 00", "t.s:1: .word has 1 bytes; an instruction has 32"},
    {".word" ZEROS8 ZEROS8 ZEROS8 ZEROS8 " 0", "t.s:1: '0' is not a byte of two hexadecimal digits"},
    {".word" ZEROS8 ZEROS8 ZEROS8 ZEROS8 " 00", "t.s:1: .word has 33 bytes; an instruction has 32"},
    {"fin\001ish", "t.s:1: byte 0x01; outside of comments only printable ASCII may stand"},
    {"finish \xc3\xa9", "t.s:1: byte 0xc3; outside of comments only printable ASCII may stand"},
};

static void refused_texts(void **state)
{
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    struct tsr_err err = {0};
    struct tsr_program program;
    assert_int_equal(tsr_assemble(*state, &err, "t.s", refused[i].text, &program), TSR_REFUSED);
    assert_string_equal(err.text, refused[i].sentence);
  }
}

static void long_lines_are_refused(void **state)
{
  static char text[3000];
  struct tsr_err err;
  struct tsr_program program;
  memset(text, 'x', sizeof text - 1);
  assert_int_equal(tsr_assemble(*state, &err, "t.s", text, &program), TSR_REFUSED);
  assert_string_equal(err.text, "t.s:1: the line has more than 1000 characters");
  text[0] = ';';
  assert_int_equal(tsr_assemble(*state, &err, "t.s", text, &program), TSR_OK);
}

/* Texts of every kind with bytes changed, cut and doubled: assembled or refused with a sentence that
 * names the place. */
static void hostile_texts(void **state)
{
  (void)state;
  uint64_t seed = random_seed();
  for (int i = 0; i < 20000; i++) {
    struct tsr_arena *arena = tsr_arena_new(NULL);
    struct tsr_program program;
    struct tsr_err err = {0};
    int rows = sizeof refused / sizeof refused[0];
    char *text = i % 8 ? tsr_arena_strdup(arena, refused[random_below(&seed, (uint32_t)rows)].text)
                       : NULL;
    if (!text) {
      program = random_program(arena, &seed);
      text = tsr_disassemble(arena, &program);
    }
    size_t n = strlen(text);
    static const char liked[] = " =,+:.#\n-0x9\xff";
    for (int k = 0; n && k < 3; k++)
      text[random_below(&seed, (uint32_t)n)] = liked[random_below(&seed, sizeof liked)];
    if (strstr(text, ".org")) /* a gigabyte of zeros is allowed, and slow */
      text[1] = 0;
    if (tsr_assemble(arena, &err, "t.s", text, &program))
      assert_memory_equal(err.text, "t.s:", 4);
    tsr_arena_free(arena);
  }
}

/* Whether all of it found memory. */
static bool whole_way(struct tsr_arena *arena)
{
  if (setjmp(*tsr_arena_landing(arena)))
    return false;
  struct tsr_program program = assembled(arena, "finish\n.data\n.org 100000\n.byte 1\n");
  uint8_t *bytes;
  size_t size;
  tsr_program_write(arena, &program, &bytes, &size);
  assert_int_equal(tsr_program_read(arena, NULL, "t", bytes, size, &program), TSR_OK);
  tsr_disassemble(arena, &program);
  return true;
}

/* Every allocation of assembling, writing, reading and disassembling fails once. */
static void every_allocation_fails_once(void **state)
{
  (void)state;
  bool done = false;
  int n = 0;
  for (; !done; n++) {
    struct counting c;
    counting_once(&c, n);
    struct tsr_arena *arena = tsr_arena_new(&c.allocator);
    done = arena && whole_way(arena);
    tsr_arena_free(arena);
    assert_int_equal(c.live, 0);
  }
  assert_true(n > 5);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_come_back),
      cmocka_unit_test(left_out_operands),
      cmocka_unit_test(data_and_directives),
      cmocka_unit_test(a_program_reads_well),
      cmocka_unit_test(examples_of_the_pages),
      cmocka_unit_test(random_programs_come_back),
      cmocka_unit_test(refused_texts),
      cmocka_unit_test(long_lines_are_refused),
      cmocka_unit_test(hostile_texts),
      cmocka_unit_test(every_allocation_fails_once),
  };
  return cmocka_run_group_tests(tests, open_arena, close_arena);
}

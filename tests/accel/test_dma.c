/* SPDX-License-Identifier: Apache-2.0 */
/* Nests that copy become LOADs and STOREs: how many, of how many bytes, and that they move what the
 * loops say and touch nothing else. */
#include "tests/accel/rig.h"

#include <stdio.h>
#include <string.h>

/* A copy from DRAM into a scratchpad, or back. At tiny: entries of 4 lanes, weight tiles of 4x4. */
static const struct row {
  const char *what;
  const char *dram, *sram, *scope; /* x: DRAM, t: scratchpad */
  const char *body;
  int insns;
  uint64_t bytes;
  const char *first; /* of the instructions, as text; NULL: not looked at */
} loads[] = {
  {"a whole tensor is one row", "i8[3,5,4]", "i8[3,5,4]", "inp",
   "for h < 3 { for w < 5 { for i < 4 { t[h, w, i] = x[h, w, i] } } }", 1, 60,
   "load inp sram=0 dram=0x0 n=15,1,1"},
  {"a window of it is rows", "i8[6,8,4]", "i8[3,5,4]", "inp",
   "for h < 3 { for w < 5 { for i < 4 { t[h, w, i] = x[h + 2, w + 1, i] } } }", 1, 60,
   "load inp sram=0 dram=0x44 n=5,3,1 sy=32"},
  {"planes", "i8[4,6,8,4]", "i8[2,3,5,4]", "inp",
   "for c < 2 { for h < 3 { for w < 5 { for i < 4 { t[c, h, w, i] = x[c + 1, h, w, i] } } } }", 1, 120,
   "load inp sram=0 dram=0xc0 n=5,3,2 sy=32 sz=192"},
  {"a fourth dim takes an instruction each", "i8[2,4,6,8,4]", "i8[2,2,3,5,4]", "inp",
   "for n < 2 { for c < 2 { for h < 3 { for w < 5 { for i < 4 {"
   " t[n, c, h, w, i] = x[n, c, h, w, i] } } } } }", 2, 240, NULL},
  {"padding on all sides", "i8[6,7,4]", "i8[11,12,4]", "inp",
   "for h < 11 { for w < 12 { for i < 4 { t[h, w, i] = select(2 <= h and h < 8 and 1 <= w and w < 8, "
   "x[h - 2, w - 1, i], i8(-7)) } } }", 1, 168,
   "load inp sram=0 dram=0x0 n=7,6,1 sy=28 pad=-7 x=1,4 y=2,3"},
  {"padding of every plane", "i8[3,6,7,4]", "i8[3,8,9,4]", "inp",
   "for c < 3 { for h < 8 { for w < 9 { for i < 4 { t[c, h, w, i] = select(1 <= h and h < 7 and "
   "1 <= w and w < 8, x[c, h - 1, w - 1, i], i8(3)) } } } }", 1, 504, NULL},
  {"padding of the planes themselves takes them one by one", "i8[1,6,7,4]", "i8[3,6,8,4]", "inp",
   "for c < 3 { for h < 6 { for w < 8 { for i < 4 { t[c, h, w, i] = select(1 <= c and c < 2 and w < 7, "
   "x[c - 1, h, w, i], i8(3)) } } } }", 13, 216, NULL}, /* a row of padding has no DRAM to speak of */
  {"a strided gather", "i8[9,13,4]", "i8[5,4,4]", "inp",
   "for h < 5 { for w < 4 { for i < 4 { t[h, w, i] = x[h * 2, w * 3 + 1, i] } } }", 1, 80,
   "load inp sram=0 dram=0x4 n=1,4,5 sy=12 sz=104"},
  {"a strided gather with padding", "i8[7,4]", "i8[5,4]", "inp",
   "for w < 5 { for i < 4 { t[w, i] = select(0 <= w * 2 - 1 and w * 2 - 1 < 7, "
   "x[w * 2 - 1, i], i8(9)) } }", 1, 12, "load inp sram=0 dram=0x4 n=1,3,1 sy=8 pad=9 y=1,1"},
  {"steps of 3 into the padding", "i8[8,4]", "i8[6,4]", "inp",
   "for w < 6 { for i < 4 { t[w, i] = select(0 <= w * 3 - 4 and w * 3 - 4 < 8, "
   "x[w * 3 - 4, i], i8(9)) } }", 1, 8, "load inp sram=0 dram=0x8 n=1,2,1 sy=12 pad=9 y=2,2"},
  {"rows of a tile at the edge are filled up", "i8[6,7,4]", "i8[4,5,4]", "inp",
   "for h < 3 { for w < 2 { for i < 4 { t[h, w, i] = x[h + 3, w + 5, i] } } }", 1, 24,
   "load inp sram=0 dram=0x68 n=2,3,1 sy=28 x=0,3"},
  {"planes of a tile at the edge are filled up", "i8[2,6,7,4]", "i8[2,4,5,4]", "inp",
   "for c < 2 { for h < 3 { for w < 2 { for i < 4 { t[c, h, w, i] = x[c, h + 3, w + 5, i] } } } }", 1, 48,
   "load inp sram=0 dram=0x68 n=2,3,2 sy=28 sz=168 x=0,3 y=0,1"},
  {"the edge is padded, and the rows filled up", "i8[6,7,4]", "i8[4,8,4]", "inp",
   "for h < 4 { for w < 3 { for i < 4 { t[h, w, i] = select(h < 3 and w < 2, "
   "x[h + 3, w + 5, i], i8(5)) } } }", 1, 24, "load inp sram=0 dram=0x68 n=2,3,1 sy=28 pad=5 x=0,6 y=0,1"},
  {"nothing but padding", "i8[6,7,4]", "i8[5,4]", "inp",
   "for w < 5 { for i < 4 { t[w, i] = select(w + 7 < 7, x[5, w + 7, i], i8(-128)) } }", 1, 4,
   "load inp sram=0 dram=0x0 n=1,1,1 pad=-128 x=0,4"},
  {"rows of nothing but padding", "i8[6,7,4]", "i8[3,5,4]", "inp",
   "for h < 3 { for w < 5 { for i < 4 { t[h, w, i] = select(h + 6 < 6, x[h + 6, w, i], i8(1)) } } }", 3,
   12, NULL},
  {"padding of 600 entries takes three", "i8[1,4]", "i8[600,4]", "inp",
   "for w < 600 { for i < 4 { t[w, i] = select(w < 0, x[w, i], i8(1)) } }", 3, 12,
   "load inp sram=0 dram=0x0 n=1,1,1 pad=1 x=0,255"},
  {"padding of 255 on each side takes one", "i8[9,4]", "i8[519,4]", "inp",
   "for w < 519 { for i < 4 { t[w, i] = select(255 <= w and w < 264, x[w - 255, i], i8(1)) } }", 1, 36,
   "load inp sram=0 dram=0x0 n=9,1,1 pad=1 x=255,255"},
  {"padding of 256 does not fit an instruction", "i8[9,4]", "i8[265,4]", "inp",
   "for w < 265 { for i < 4 { t[w, i] = select(256 <= w, x[w - 256, i], i8(1)) } }", 265, 1060, NULL},
  {"padding and filling up together are more than 255", "i8[3,100,4]", "i8[3,330,4]", "inp",
   "for h < 3 { for w < 200 { for i < 4 { t[h, w, i] = select(w < 50, x[h, w, i], i8(1)) } } }", 3, 600,
   NULL},
  {"padding of a whole turn of an outer loop", "i8[2,5,4]", "i8[2,6,4]", "inp",
   "for o < 2 { for w < 5 { for i < 4 { t[o, w, i] = select(o < 1, x[o, w, i], i8(4)) } } "
   "for w < 1 { for i < 4 { t[o, w + 5, i] = x[o, w, i] } } }", 4, 32, NULL},
  {"a broadcast reads again", "i8[4]", "i8[5,4]", "inp",
   "for w < 5 { for i < 4 { t[w, i] = x[i] } }", 1, 20, "load inp sram=0 dram=0x0 n=1,5,1"},
  {"weight tiles", "i8[4,3,4,4]", "i8[2,3,4,4]", "wgt",
   "for o < 2 { for c < 3 { for r < 4 { for k < 4 { t[o, c, r, k] = x[o + 1, c, r, k] } } } }", 1, 96,
   "load wgt sram=0 dram=0x30 n=6,1,1"},
  {"int32 into ACC", "i32[5,3,4]", "i32[2,3,4]", "acc",
   "for c < 2 { for k < 3 { for i < 4 { t[c, k, i] = x[c + 2, k, i] } } }", 1, 96,
   "load acc sram=0 dram=0x60 n=6,1,1"},
  {"int8 into ACC is widened", "i8[5,3,4]", "i32[2,3,4]", "acc",
   "for c < 2 { for k < 3 { for i < 4 { t[c, k, i] = i32(x[c + 2, k, i]) } } }", 1, 24,
   "load acc8 sram=0 dram=0x18 n=6,1,1"},
  {"a table", "i8[2,256]", "i8[256]", "lut", "for i < 256 { t[i] = x[1, i] }", 1, 256,
   "load lut sram=0 dram=0x100 n=1,1,1"},
}, stores[] = {
  {"all of it is one row", "i8[3,5,4]", "i8[3,5,4]", "out",
   "for h < 3 { for w < 5 { for i < 4 { x[h, w, i] = t[h, w, i] } } }", 1, 60,
   "store out sram=0 dram=0x0 n=15,1,1"},
  {"into a window", "i8[6,8,4]", "i8[3,5,4]", "out",
   "for h < 3 { for w < 5 { for i < 4 { x[h + 2, w + 1, i] = t[h, w, i] } } }", 1, 60,
   "store out sram=0 dram=0x44 n=5,3,1 sy=32"},
  {"a tile at the edge is stored row by row", "i8[6,8,4]", "i8[4,5,4]", "out",
   "for h < 3 { for w < 2 { for i < 4 { x[h + 3, w + 6, i] = t[h, w, i] } } }", 3, 24, NULL},
  {"int32 from ACC", "i32[4,4]", "i32[2,4]", "acc",
   "for w < 2 { for i < 4 { x[w + 1, i] = t[w, i] } }", 1, 32, "store acc sram=0 dram=0x10 n=2,1,1"},
};

/* t as a parameter, for the interpreter, or as a buffer of the program. */
static const char *program_text(struct rig *r, const struct row *row, bool load, bool whole)
{
  const char *t = tsr_arena_printf(r->arena, "t: %s %s", row->sram, row->scope);
  const char *x = tsr_arena_printf(r->arena, "x: %s", row->dram);
  if (!load)
    return tsr_arena_printf(r->arena, "program p(%s) -> (%s) { %s }", t, x, row->body);
  if (whole)
    return tsr_arena_printf(r->arena, "program p(%s) -> (%s) { %s }", x, t, row->body);
  return tsr_arena_printf(r->arena, "program p(%s) -> () { alloc %s { %s } }", x, t, row->body);
}

static void check_cost(struct rig *r, const struct row *row, bool load)
{
  const char *text = rig_text(r);
  const struct tsr_func_counters *c = tsr_func_counters(r->func);
  int insns = rig_count(r, load ? TSR_OP_LOAD : TSR_OP_STORE);
  uint64_t moved = load ? c->dram_read_bytes : c->dram_write_bytes;
  if (insns != row->insns || moved != row->bytes)
    fail_msg("%s: %d instructions of %llu bytes where %d of %llu are expected:\n%s", row->what, insns,
             (unsigned long long)moved, row->insns, (unsigned long long)row->bytes, text);
  assert_int_equal(moved, load ? r->stream->read_bytes : r->stream->write_bytes);
  if (row->first && strncmp(text, row->first, strlen(row->first)))
    fail_msg("%s: '%s' is expected, and is\n%s", row->what, row->first, text);
}

/* Elements that the loops write are those that two runs on different grounds agree on. */
static void check_load(const struct row *row)
{
  struct rig r;
  rig_open(&r, "tiny");
  struct tir_program *p = rig_parse(&r, program_text(&r, row, true, false));
  struct tir_program *naive = rig_parse(&r, program_text(&r, row, true, true));
  void **on_zeros = rig_data(&r, naive, 1), **on_ones = rig_data(&r, naive, 1);
  size_t bytes = rig_bytes(naive->param[1]), all;
  if (rig_emit(&r, p))
    fail_msg("%s: %s", row->what, r.err.text);
  rig_run(&r, p, on_zeros);
  memset(on_ones[1], 1, bytes);
  rig_interpret(&r, naive, on_zeros);
  rig_interpret(&r, naive, on_ones);
  const uint8_t *found = rig_scratchpad(&r, naive->param[1]->scope), *zeros = on_zeros[1],
                *ones = on_ones[1];
  for (size_t k = 0; k < bytes; k++)
    if (zeros[k] == ones[k] && found[k] != zeros[k])
      fail_msg("%s: byte %zu is %d where %d is expected\n%s", row->what, k, found[k], zeros[k],
               rig_text(&r));
  tsr_func_scratchpad(r.func, TSR_BUFFER_INP, &all);
  all = (size_t)tsr_design_depth(&r.design, TSR_BUFFER_INP) * 4;
  if (naive->param[1]->scope == TIR_INP)
    for (size_t k = bytes; k < all; k++)
      assert_int_equal(found[k], 0); /* nothing behind the buffer */
  check_cost(&r, row, true);
  rig_close(&r);
}

static void check_store(const struct row *row)
{
  struct rig r;
  rig_open(&r, "tiny");
  struct tir_program *p = rig_parse(&r, program_text(&r, row, false, false));
  void **data = rig_data(&r, p, 2), **naive = rig_data(&r, p, 2);
  if (rig_emit(&r, p))
    fail_msg("%s: %s", row->what, r.err.text);
  rig_run(&r, p, data);
  rig_interpret(&r, p, naive);
  if (memcmp(data[1], naive[1], rig_bytes(p->param[1])))
    fail_msg("%s: another result\n%s", row->what, rig_text(&r));
  check_cost(&r, row, false);
  rig_close(&r);
}

static void copies_in(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof loads / sizeof loads[0]; k++)
    check_load(&loads[k]);
}

static void copies_out(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof stores / sizeof stores[0]; k++)
    check_store(&stores[k]);
}

/* --- loops that are no copy ------------------------------------------------------------------- */

static const struct refusal {
  const char *text, *sentence;
} refused[] = {
  {"program p(x: i8[8,4]) -> () { alloc t: i8[8,4] inp { for w < 8 { for i < 4 {"
   " t[w, i] = x[7 - w, i] } } } }",
   "a copy of x runs backwards"},
  {"program p(x: i8[8,4]) -> () { alloc t: i8[8,4] inp { for w < 8 { for i < 4 {"
   " t[w, i] = x[floordiv(w, 2), i] } } } }",
   "a copy of x is not an affine function of its loops"},
  {"program p(x: i8[8,4]) -> () { alloc t: i8[8,4] inp { for w < 8 { for i < 3 {"
   " t[w, i] = x[w, i] } } } }",
   "a copy between x and t does not move whole entries"},
  {"program p(x: i8[4,8]) -> () { alloc t: i8[8,4] inp { for w < 8 { for i < 4 {"
   " t[w, i] = x[i, w] } } } }",
   "a copy between x and t does not move whole entries"},
  {"program p(x: i8[4,4]) -> () { alloc t: i8[4,4,4] inp { for h < 4 { for w < 4 { for i < 4 {"
   " t[h, w, i] = select(h + w < 4, x[h + w, i], i8(0)) } } } } }",
   "the padding of x is not a box"},
  {"program p(x: i8[8,4]) -> () { alloc t: i8[8,4] inp { for w < 8 { for i < 4 {"
   " t[w, i] = x[w, i] + i8(1) } } } }",
   "a statement on t is neither a copy nor tensorized"},
  {"program p(x: i8[8,4]) -> (y: i8[8,4]) { for w < 8 { for i < 4 { y[w, i] = x[w, i] } } }",
   "a copy from x to y is not between DRAM and a scratchpad"},
  {"program p(x: i8[2000,4]) -> () { alloc t: i8[2000,4] inp { for w < 2000 { for i < 4 {"
   " t[w, i] = x[w, i] } } } }",
   "inp has 1024 entries, and 2000 are needed: 1 of 2000 for t"},
};

static void refusals(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    struct rig r;
    rig_open(&r, "tiny");
    assert_int_equal(rig_emit(&r, rig_parse(&r, refused[k].text)), TSR_REFUSED);
    assert_string_equal(r.err.text, refused[k].sentence);
    rig_close(&r);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(copies_in), cmocka_unit_test(copies_out),
                                     cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

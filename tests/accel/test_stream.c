/* SPDX-License-Identifier: Apache-2.0 */
/* Tensorized nests become GEMM and vector instructions: which loops, how many micro-ops, in exact
 * numbers; and the micro-op cache. */
#include "tests/accel/rig.h"

#include <stdio.h>
#include <string.h>

#define CONV                                                                                       \
  "func f(x: i8[8,9,1,4] inp, w: i8[3,3,4,4] wgt) -> (y: i32[6,7,1,4] acc) {\n"                        \
  "  s: y[h, v, b, c] sum(kh < 3, kw < 3, k < 4) init i32(0) ="                                       \
  " i32(x[h + kh, v + kw, b, k]) * i32(w[kh, kw, c, k])\n}"
#define BLOCKED(kh, rows)                                                                          \
  "func f(x: i8[5," rows ",7,1,4] inp, w: i8[5,5," kh ",3,4,4] wgt) -> (y: i32[5,5,5,1,4] acc) {\n" \
  "  s: y[o, h, v, b, c] sum(cb < 5, kh < " kh ", kw < 3, k < 4) init i32(0) ="                    \
  " i32(x[cb, h + kh, v + kw, b, k]) * i32(w[o, cb, kh, kw, c, k])\n}"

/* At tiny: a batch of 1, blocks of 4, 128 micro-ops, at most 32 an instruction. `text` leaves out
 * the LOADs of micro-ops and FINISH; `uop_loads` counts these LOADs, `uops` what they load. */
static const struct row {
  const char *what, *func, *lines, *text;
  int uop_loads, uops;
} rows[] = {
  {"a product without a window is one loop",
   "func f(x: i8[6,5,1,4] inp, w: i8[4,4] wgt) -> (y: i32[6,5,1,4] acc) {\n"
   "  s: y[h, v, b, c] sum(k < 4) init i32(0) = i32(x[h, v, b, k]) * i32(w[c, k])\n}",
   "tensorize s b accel.gemm",
   "gemm uops=0+1 n=1,1,30 dst=0,0,1 a=0,0,1 banks=0 wait=load\n", 1, 1},
  {"a window: the longest three, the rest as micro-ops", CONV,
   "reorder s kh kw h v b c k\ntensorize s b accel.gemm",
   "gemm uops=0+3 n=3,6,7 dst=0,7,1 a=1,9,1 b=1,0,0 first=0 banks=0 wait=load\n", 1, 3},
  {"the same with the sums inside", CONV, "reorder s h v kh kw b c k\ntensorize s b accel.gemm",
   "gemm uops=0+3 n=6,7,3 dst=7,1,0 a=9,1,1 b=0,0,1 first=2 banks=0 wait=load\n", 1, 3},
  {"a stride is a step",
   "func f(x: i8[9,11,1,4] inp, w: i8[3,4,4] wgt) -> (y: i32[4,5,1,4] acc) {\n"
   "  s: y[h, v, b, c] sum(kw < 3, k < 4) init i32(0) ="
   " i32(x[h * 2 + 1, v * 2 + kw, b, k]) * i32(w[kw, c, k])\n}",
   "reorder s kw h v b c k\ntensorize s b accel.gemm",
   "gemm uops=0+1 n=3,4,5 dst=0,5,1 a=1,22,2 b=1,0,0 first=0 banks=0 wait=load\n", 1, 1},
  {"30 micro-ops fit an instruction", BLOCKED("2", "6"),
   "reorder s cb kh kw o h v b c k\ntensorize s b accel.gemm",
   "gemm uops=0+30 n=5,5,5 dst=25,5,1 a=0,7,1 b=30,0,0 banks=0 wait=load\n", 1, 30},
  {"45 do not: one for each of the outermost loop, the first of which starts the sums",
   BLOCKED("3", "7"), "reorder s cb kh kw o h v b c k\ntensorize s b accel.gemm",
   "gemm uops=0+9 n=5,5,5 dst=25,5,1 a=0,7,1 b=45,0,0 banks=0 wait=load\n"
   "gemm uops=9+9 n=5,5,5 dst=25,5,1 a=0,7,1 b=45,0,0 banks=0 wait=load\n"
   "gemm uops=18+9 n=5,5,5 dst=25,5,1 a=0,7,1 b=45,0,0 banks=0 wait=load\n"
   "gemm uops=27+9 n=5,5,5 dst=25,5,1 a=0,7,1 b=45,0,0 banks=0 wait=load\n"
   "gemm uops=36+9 n=5,5,5 dst=25,5,1 a=0,7,1 b=45,0,0 banks=0 wait=load\n", 5, 45},
  {"the last tile is narrower", CONV,
   "split s v 4 vo vi\nreorder s vo kh kw h vi b c k\ntensorize s b accel.gemm",
   "gemm uops=0+3 n=3,6,4 dst=0,7,1 a=1,9,1 b=1,0,0 first=0 banks=0 wait=load\n"
   "gemm uops=3+3 n=3,6,3 dst=0,7,1 a=1,9,1 b=1,0,0 first=0 banks=0 wait=load\n", 2, 6},
  {"a sum in parts starts in the first", CONV,
   "split s kh 2 ko ki\nreorder s ko ki kw h v b c k\ntensorize s b accel.gemm",
   "gemm uops=0+2 n=3,6,7 dst=0,7,1 a=1,9,1 b=1,0,0 first=0 banks=0 wait=load\n"
   "gemm uops=2+1 n=3,6,7 dst=0,7,1 a=1,9,1 b=1,0,0 banks=0 wait=load\n", 2, 3},
  {"a sum of vectors adds to d",
   "func f(x: i8[6,6,1,4] inp) -> (y: i32[3,3,1,4] acc) {\n"
   "  s: y[h, v, b, c] sum(kh < 2, kw < 2) init i32(0) = i32(x[h * 2 + kh, v * 2 + kw, b, c])\n}",
   "reorder s kh kw h v b c\ntensorize s b accel.sum",
   "add uops=0+2 n=2,3,3 dst=0,3,1 a=inp:1,12,2 b=0,3,1 first=0 banks=0 wait=load\n", 1, 2},
  {"quant: a row of parameters for each block",
   "func f(x: i32[3,4,5,1,4] acc, p: i32[3,3,1,4] acc) -> (y: i8[3,4,5,1,4] out) {\n"
   "  s: y[m, h, v, b, c] = i8(quant(x[m, h, v, b, c], p[m, 0, b, c], p[m, 1, b, c], p[m, 2, b, c]))\n}",
   "tensorize s b accel.quant",
   "quant uops=0+1 n=1,3,20 dst=out:0,20,1 a=0,20,1 b=0,3,0 banks=0 wait=load\n", 1, 1},
  {"operands in both banks; work across both is done in one after the other",
   "func f(x: i32[70,1,4] acc, z: i32[70,1,4] acc) -> (y: i8[70,1,4] out, t: i32[70,1,4] acc) {\n"
   "  s: t[v, b, c] = x[v, b, c] + z[v, b, c]\n  u: y[v, b, c] = sat8(z[v, b, c])\n}",
   "tensorize s b accel.add\ntensorize u b accel.narrow",
   "add uops=0+1 n=1,1,70 dst=0,0,1 a=0,0,1 b=0,0,1 banks=0,1 wait=load\n"
   "mov uops=1+1 n=1,1,58 dst=out:0,0,1 a=0,0,1 banks=0 wait=load\n"
   "mov uops=2+1 n=1,1,12 dst=out:0,0,1 a=0,0,1 banks=1 wait=load\n", 3, 3},
  {"steps that need the place of one",
   "func f(x: i8[6,1,4], z: i8[6,1,4], k: i32[2,1,4]) -> (y: i8[6,1,4] out) {\n"
   "  temp t: i32[6,1,4] acc\n  temp u: i32[6,1,4] acc\n"
   "  s: t[v, b, c] = i32(x[v, b, c]) * k[0, b, c]\n"
   "  u: u[v, b, c] = t[v, b, c] + i32(z[v, b, c]) * k[1, b, c]\n"
   "  y: y[v, b, c] = sat8(u[v, b, c])\n}",
   "cache_read x inp s xs\ncache_read z inp u zs\ncache_read k acc s ks\ncache_read k acc u ku\n"
   "tensorize s b accel.scale\ntensorize u b accel.madd\ntensorize y b accel.narrow",
   "mul uops=0+1 n=1,1,6 dst=0,0,1 a=inp:0,0,1 banks=0 wait=load\n"
   "mac uops=1+1 n=1,1,6 dst=0,0,1 a=inp:0,0,1 banks=0 wait=load\n"
   "mov uops=2+1 n=1,1,6 dst=out:0,0,1 a=0,0,1 banks=0 wait=load\n", 3, 3},
  {"a step whose operand is read again has its own",
   "func f(x: i8[6,1,4]) -> (y: i8[6,1,4] out, z: i8[6,1,4] out) {\n"
   "  temp t: i32[6,1,4] acc\n  temp u: i32[6,1,4] acc\n"
   "  s: t[v, b, c] sum() init i32(0) = i32(x[v, b, c])\n"
   "  u: u[v, b, c] = t[v, b, c] * t[v, b, c]\n"
   "  y: y[v, b, c] = sat8(u[v, b, c])\n  z: z[v, b, c] = sat8(t[v, b, c])\n}",
   "cache_read x inp s xs\n"
   "tensorize s b accel.sum\ntensorize u b accel.mul\ntensorize y b accel.narrow\n"
   "tensorize z b accel.narrow",
   "add uops=0+1 n=1,1,6 dst=0,0,1 a=inp:0,0,1 b=0,0,1 banks=0 wait=load\n"
   "mul uops=1+1 n=1,1,6 dst=0,0,1 a=0,0,1 b=0,0,1 banks=0 wait=load\n"
   "mov uops=2+1 n=1,1,6 dst=out:0,0,1 a=0,0,1 banks=0 wait=load\n"
   "mov uops=1+1 n=1,1,6 dst=out:0,0,1 a=0,0,1 banks=0\n", 3, 3}, /* to 6 from 0, as the product */
  {"so has one whose operand is read again in the next iteration",
   "func f(x: i8[2,1,4], k: i32[1,4]) -> (y: i8[2,1,4] out) {\n"
   "  temp t: i32[2,1,4] acc\n  temp w: i32[2,1,4] acc\n  temp u: i32[2,1,4] acc\n"
   "  s: t[v, b, c] = i32(x[v, b, c]) * k[b, c]\n"
   "  w: w[v, b, c] = t[0, b, c] * t[v, b, c]\n"
   "  u: u[v, b, c] = t[v, b, c] + w[v, b, c]\n"
   "  y: y[v, b, c] = sat8(u[v, b, c])\n}",
   "cache_read x inp s xs\ncache_read k acc s ks\ncompute_at w u v\n"
   "tensorize s b accel.scale\ntensorize w b accel.mul\ntensorize u b accel.add\n"
   "tensorize y b accel.narrow",
   "mul uops=0+1 n=1,1,2 dst=0,0,1 a=inp:0,0,1 banks=0 wait=load\n"
   "mul uops=1+1 n=1,1,1 banks=0,1 wait=load\n"
   "add uops=2+1 n=1,1,1 banks=0,1 wait=load\n"
   "mul uops=3+1 n=1,1,1 banks=0,1 wait=load\n"
   "add uops=4+1 n=1,1,1 banks=0,1 wait=load\n"
   "mov uops=5+1 n=1,1,2 dst=out:0,0,1 a=0,0,1 banks=0 wait=load\n", 6, 6},
  {"padding around what is computed",
   "func f(x: i8[3,4,1,4], p: i32[3,1,4]) -> (y: i8[5,6,1,4] inp) {\n"
   "  temp t: i32[3,4,1,4] acc\n"
   "  s: t[h, v, b, c] sum() init i32(0) = i32(x[h, v, b, c])\n"
   "  y: y[h, v, b, c] = select(1 <= h and h < 4 and (1 <= v and v < 5),\n"
   "      i8(quant(t[h - 1, v - 1, b, c], p[0, b, c], p[1, b, c], p[2, b, c])), i8(-7))\n}",
   "cache_read x inp s xs\ncache_read p acc y ps\nset_scope xs inp\n"
   "tensorize s b accel.sum\ntensorize y b accel.quant_inp",
   "add uops=0+1 n=1,1,12 dst=0,0,1 a=inp:0,0,1 b=0,0,1 banks=0 wait=load signal=load\n"
   "quant uops=1+1 n=1,3,4 dst=inp:0,6,1 a=0,4,1 banks=0 wait=load\n", 2, 2},
  {"a table of no bank",
   "func f(x: i8[2,5,1,4] inp, t: i8[256] lut) -> (y: i8[2,5,1,4] out) {\n"
   "  s: y[m, v, b, c] = t[i64(x[m, v, b, c]) + 128]\n}",
   "tensorize s b accel.lut",
   "lut uops=0+1 n=1,1,10 dst=out:0,0,1 a=inp:0,0,1 wait=load\n", 1, 1},
};

static struct tir_program *program_of(struct rig *r, const char *func, const char *lines)
{
  struct tir_func *f = NULL;
  struct tir_program *p = NULL;
  if (tir_func_parse(r->arena, &r->err, "test", func, &f))
    fail_msg("%s", r->err.text);
  struct tir_sched *s = tir_sched_new(r->arena, f);
  struct tir_intrinsics intrinsics = {tsr_tensorize_match, tsr_accel_intrinsics(r->arena, &r->design)};
  tir_sched_intrinsics(s, &intrinsics);
  for (char *line = tsr_arena_strdup(r->arena, lines), *rest; line; line = rest) {
    rest = strchr(line, '\n');
    if (rest)
      *rest++ = 0;
    if (tir_sched_apply(s, &r->err, line))
      fail_msg("%s", r->err.text);
  }
  if (tir_lower(r->arena, &r->err, s, &p))
    fail_msg("%s", r->err.text);
  return p;
}

/* The lines of the stream that are no LOAD, STORE and FINISH; how many LOADs of micro-ops there are, and of how
 * many. */
static const char *loop_lines(struct rig *r, int *loads, int *uops)
{
  struct tsr_text t = {.arena = r->arena};
  *loads = *uops = 0;
  for (size_t k = 0; k < r->stream->count; k++) {
    const struct tsr_insn *insn = &r->stream->insn[k];
    bool load = insn->opcode == TSR_OP_LOAD;
    if (load && insn->dma.buffer == TSR_BUFFER_UOP) {
      *uops += (int)insn->dma.nx;
      ++*loads;
    } else if (!load && insn->opcode != TSR_OP_STORE && insn->opcode != TSR_OP_FINISH) {
      tsr_text_add(&t, "%s\n", tsr_insn_text(r->arena, insn));
    }
  }
  return t.data;
}

static void expect_row(const struct row *row)
{
  struct rig r;
  int loads, uops;
  rig_open(&r, "tiny");
  struct tir_program *p = program_of(&r, row->func, row->lines);
  void **data = rig_data(&r, p, 3), **naive = rig_data(&r, p, 3);
  if (rig_emit(&r, p))
    fail_msg("%s: %s", row->what, r.err.text);
  const char *text = loop_lines(&r, &loads, &uops);
  if (strcmp(text, row->text))
    fail_msg("%s:\n%swhere is expected:\n%s", row->what, text, row->text);
  assert_int_equal(loads, row->uop_loads);
  assert_int_equal(uops, row->uops);
  rig_run(&r, p, data);
  rig_interpret(&r, p, naive);
  for (int k = p->inputs; k < p->params; k++)
    if (memcmp(data[k], naive[k], rig_bytes(p->param[k])))
      fail_msg("%s: %s differs from the interpreter's", row->what, p->param[k]->name);
  rig_close(&r);
}

static void nests(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
    expect_row(&rows[k]);
}

static const struct {
  const char *index, *sentence;
} refused[] = {
  {"floordiv(v, 2)", "operand x of accel.narrow is not an affine function of the loops"},
  {"5 - v", "operand x of accel.narrow runs backwards"},
};

static const char elsewhere[] =
    "func f(x: i8[6,1,4] inp, t: i32[6,1,4] acc, k: i32[1,4] acc) -> (y: i32[6,1,4] acc) {\n"
    "  s: y[v, b, c] = t[v, b, c] + i32(x[v, b, c]) * k[b, c]\n}";

static void refusals(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
    struct rig r;
    rig_open(&r, "tiny");
    struct tir_program *p = program_of(
        &r, tsr_arena_printf(r.arena, "func f(x: i32[6,1,4] acc) -> (y: i8[6,1,4] out) {\n"
                                      "  s: y[v, b, c] = sat8(x[%s, b, c])\n}", refused[k].index),
        "tensorize s b accel.narrow");
    assert_int_equal(rig_emit(&r, p), TSR_REFUSED);
    assert_string_equal(r.err.text, refused[k].sentence);
    rig_close(&r);
  }
  struct rig r;
  rig_open(&r, "tiny");
  assert_int_equal(rig_emit(&r, program_of(&r, elsewhere, "tensorize s b accel.madd")),
                   TSR_REFUSED);
  assert_string_equal(r.err.text,
                      "accel.madd adds to t where it lies, and the sum y lies elsewhere");
  rig_close(&r);
}

/* --- micro-ops -------------------------------------------------------------------------------- */

/* Appends a GEMM of `count` micro-ops that no other `which` has. */
static void add_sequence(struct rig *r, int which, int count)
{
  struct tsr_uop uops[64];
  struct tsr_insn insn = {.opcode = TSR_OP_GEMM, .loop = {.n = {1, 1, 1}}};
  assert_true(count <= 64);
  for (int k = 0; k < count; k++)
    uops[k] = (struct tsr_uop){(uint32_t)which, (uint32_t)k, 0, false};
  tsr__stream_loop(r->stream, &insn, uops, count);
}

/* The ring of 128 micro-ops at tiny: which sequence, of how many, whether it is loaded, and to
 * where. */
static const struct use {
  int which, count;
  bool begins; /* a partition */
  bool loads;
  uint32_t at;
} uses[] = {
  {1, 32, false, true, 0},  {2, 32, false, true, 32}, {1, 32, false, false, 0},
  {3, 32, false, true, 64}, {4, 32, false, true, 96}, {1, 32, false, false, 0}, /* full, all resident */
  {2, 32, false, false, 32},
  {5, 32, false, true, 0},  /* over the oldest */
  {2, 32, false, false, 32}, {1, 32, false, true, 32}, {2, 32, false, true, 64},
  {4, 32, false, false, 96},
  {6, 48, false, true, 0},  /* does not wrap around: 32 entries are left, and skipped */
  {4, 32, false, true, 48}, {5, 32, false, true, 80}, {1, 32, false, true, 0}, {4, 32, false, false, 48},
  {1, 32, true, true, 0},   /* nothing is there when a partition begins */
  {1, 31, false, true, 32}, /* another length is another sequence */
};

static void micro_op_ring(void **state)
{
  (void)state;
  struct rig r;
  rig_open(&r, "tiny");
  size_t bytes = 0;
  for (size_t k = 0; k < sizeof uses / sizeof uses[0]; k++) {
    const struct use *u = &uses[k];
    if (u->begins)
      tsr__stream_begin(r.stream);
    size_t before = r.stream->count;
    add_sequence(&r, u->which, u->count);
    const struct tsr_insn *insn = &r.stream->insn[r.stream->count - 1];
    if (r.stream->count - before != (u->loads ? 2 : 1) || insn->loop.uop_begin != u->at)
      fail_msg("use %zu: %s at %u", k, r.stream->count - before == 2 ? "loaded" : "found",
               insn->loop.uop_begin);
    assert_int_equal(insn->loop.uop_count, u->count);
    if (k == 7)
      bytes = r.stream->uops.length;
  }
  /* each sequence stands in DRAM once: after the fifth there came 6, and 1 with 31 */
  assert_int_equal(bytes, 5 * 32 * 8);
  assert_int_equal(r.stream->uops.length, 5 * 32 * 8 + 48 * 8 + 31 * 8);
  assert_int_equal(tsr__stream_uop_limit(r.stream), 32);
  rig_close(&r);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(nests), cmocka_unit_test(refusals),
                                     cmocka_unit_test(micro_op_ring)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

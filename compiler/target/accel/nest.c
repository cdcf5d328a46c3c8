/* SPDX-License-Identifier: Apache-2.0 */
/* A nest of loops around one intrinsic becomes one instruction, or a few.
 *
 * Loops that step evenly into each other are merged; the three longest become the instruction's loops,
 * the rest is enumerated as micro-ops. Every order of the loops gives the same sums, so only the
 * *overwrite* of the first step is to be kept: it holds where all reduce loops are at zero, which a
 * micro-op's flag says for enumerated loops and the instruction's `first` mask for its own. */
#include <assert.h>
#include <string.h>

#include "compiler/target/accel/accel.h"

enum { DST, SRC_A, SRC_B, OPERANDS };

struct level {
  int64_t n, step[OPERANDS];
  bool reduce; /* the sum starts only where this loop is at zero */
};

struct shape {
  int levels;
  struct level level[16];
  int64_t base[OPERANDS];
  bool overwrite; /* the first step of the reduction is in this nest */
};

/* Strides of the buffer's leading dims, in entries. */
static int64_t entry_index(const struct tsr__walk *w, const struct tsr__nest *nest,
                           const struct tir_buffer *b, const tir_e *index, int64_t *coefficient,
                           bool *ok)
{
  const struct tsr__place *p = tsr__walk_place((struct tsr__walk *)w, b);
  int64_t stride[TSR_MAX_RANK], below = 1, base = 0;
  for (int d = b->rank; d-- > 0; below *= b->dims[d])
    stride[d] = below;
  memset(coefficient, 0, sizeof(int64_t) * 16);
  for (int d = 0; d < b->rank; d++) {
    int64_t c0, c[16];
    if (!tsr__env_affine(&w->env, index[d], nest->loops, nest->var, &c0, c)) {
      *ok = false;
      return 0;
    }
    base += c0 * stride[d];
    for (int k = 0; k < nest->loops; k++)
      coefficient[k] += c[k] * stride[d];
  }
  for (int k = 0; k < nest->loops; k++)
    coefficient[k] /= p->entry_elements;
  return base / p->entry_elements;
}

/* Terms of a conjunction of VAR == 0: false when one of them, on an outer loop, does not hold. */
static bool first_terms(const struct tsr__walk *w, const struct tsr__nest *nest, tir_e first,
                        struct shape *s)
{
  int64_t value;
  if (first->op == TIR_AND)
    return first_terms(w, nest, first->arg[0], s) && first_terms(w, nest, first->arg[1], s);
  if (tsr__env_value(&w->env, first, &value))
    return value != 0;
  for (int k = 0; k < nest->loops; k++)
    if (first->op == TIR_EQ && first->arg[0]->op == TIR_VAR && first->arg[0]->var == nest->var[k]) {
      s->level[k].reduce = true;
      return true;
    }
  assert(!"a conjunction of loop == 0");
  return false;
}

static bool steps_into(const struct level *outer, const struct level *inner)
{
  for (int k = 0; k < OPERANDS; k++)
    if (outer->step[k] != inner->step[k] * inner->n)
      return false;
  return outer->reduce == inner->reduce && outer->n * inner->n <= UINT16_MAX;
}

/* Drops loops of one iteration and merges loops that step evenly into each other. */
static void merge(struct shape *s)
{
  int n = 0;
  for (int k = 0; k < s->levels; k++)
    if (s->level[k].n > 1)
      s->level[n++] = s->level[k];
  s->levels = n;
  for (int k = 0; k + 1 < s->levels;) {
    if (!steps_into(&s->level[k], &s->level[k + 1])) {
      k++;
      continue;
    }
    s->level[k + 1].n *= s->level[k].n;
    memmove(&s->level[k], &s->level[k + 1], sizeof s->level[0] * (size_t)(s->levels - k - 1));
    s->levels--;
    k = 0;
  }
}

/* The three loops of the instruction: the longest; outer to inner as they stand. */
static void choose(const struct shape *s, bool hardware[16])
{
  memset(hardware, 0, 16);
  for (int chosen = 0; chosen < 3 && chosen < s->levels; chosen++) {
    int best = -1;
    for (int k = 0; k < s->levels; k++)
      if (!hardware[k] && (best < 0 || s->level[k].n >= s->level[best].n))
        best = k;
    hardware[best] = true;
  }
}

static int enumerate(struct tsr_arena *a, const struct shape *s, const bool hardware[16],
                     struct tsr_uop **out)
{
  int64_t count = 1, at[16] = {0};
  for (int k = 0; k < s->levels; k++)
    count *= hardware[k] ? 1 : s->level[k].n;
  *out = TSR_NEW_ARRAY(a, struct tsr_uop, count);
  for (int64_t u = 0; u < count; u++) {
    int64_t index[OPERANDS] = {s->base[DST], s->base[SRC_A], s->base[SRC_B]};
    bool first = s->overwrite;
    for (int k = 0; k < s->levels; k++) {
      for (int o = 0; o < OPERANDS; o++)
        index[o] += at[k] * s->level[k].step[o];
      first &= !(s->level[k].reduce && at[k]);
    }
    (*out)[u] = (struct tsr_uop){(uint32_t)index[DST], (uint32_t)index[SRC_A],
                                 (uint32_t)index[SRC_B], first};
    for (int k = s->levels; k-- > 0;) { /* the next point, innermost first */
      if (hardware[k])
        continue;
      if (++at[k] < s->level[k].n)
        break;
      at[k] = 0;
    }
  }
  return (int)count;
}

static void emit(struct tsr__walk *w, const struct shape *s, struct tsr_insn insn)
{
  bool hardware[16];
  struct tsr_uop *uops;
  choose(s, hardware);
  int64_t count = 1;
  int split = -1;
  for (int k = 0; k < s->levels; k++)
    if (!hardware[k]) {
      count *= s->level[k].n;
      split = split < 0 ? k : split;
    }
  if (count > tsr__stream_uop_limit(w->stream)) { /* one instruction per iteration of a loop */
    for (int64_t i = 0; i < s->level[split].n; i++) {
      struct shape part = *s;
      for (int o = 0; o < OPERANDS; o++)
        part.base[o] += i * s->level[split].step[o];
      part.overwrite &= !(s->level[split].reduce && i);
      part.level[split].n = 1;
      merge(&part);
      emit(w, &part, insn);
    }
    return;
  }
  int loop = 3;
  for (int k = s->levels; k-- > 0;) {
    if (!hardware[k])
      continue;
    loop--;
    insn.loop.n[loop] = (uint32_t)s->level[k].n;
    insn.loop.step_dst[loop] = (uint32_t)s->level[k].step[DST];
    insn.loop.step_a[loop] = (uint32_t)s->level[k].step[SRC_A];
    insn.loop.step_b[loop] = (uint32_t)s->level[k].step[SRC_B];
    if (s->overwrite && s->level[k].reduce)
      insn.loop.first |= 1u << loop;
  }
  while (loop > 0)
    insn.loop.n[--loop] = 1;
  int n = enumerate(w->arena, s, hardware, &uops);
  tsr__stream_loop(w->stream, &insn, uops, n);
}

static enum tsr_status operand(struct tsr__walk *w, const struct tsr__nest *nest, int which, int k,
                               uint32_t near, struct shape *s)
{
  const struct tir_stmt *call = nest->leaf;
  bool ok = true;
  int64_t c[16];
  int64_t base = entry_index(w, nest, call->call.buffer[which], call->call.index[which], c, &ok);
  if (!ok)
    return tsr_refuse(w->err, "operand %s of %s is not an affine function of the loops",
                      call->call.buffer[which]->name, call->call.intrin->name);
  const struct tsr__place *p = tsr__walk_place(w, call->call.buffer[which]);
  s->base[k] = base + tsr__place_entry(w, p, near);
  for (int l = 0; l < nest->loops; l++) {
    s->base[k] += c[l] * nest->from[l];
    s->level[l].step[k] = c[l];
    if (c[l] < 0)
      return tsr_refuse(w->err, "operand %s of %s runs backwards", p->buffer->name,
                        call->call.intrin->name);
  }
  return TSR_OK;
}

/* An intrinsic of three inputs adds to the last, and its instruction to what lies at d: there it must be. */
static enum tsr_status check_sum(struct tsr__walk *w, const struct tsr__nest *nest, uint32_t near,
                                 const struct shape *s)
{
  const struct tir_stmt *call = nest->leaf;
  struct shape sum = *s;
  enum tsr_status status = operand(w, nest, 3, DST, near, &sum);
  bool same = !status && sum.base[DST] == s->base[DST];
  for (int l = 0; l < nest->loops; l++)
    same = same && sum.level[l].step[DST] == s->level[l].step[DST];
  if (status || same)
    return status;
  return tsr_refuse(w->err, "%s adds to %s where it lies, and the sum %s lies elsewhere",
                    call->call.intrin->name, call->call.buffer[3]->name,
                    call->call.buffer[0]->name);
}

/* The operand of the call that lies in ACC and is no constant: its first entry, and what each of the nest's loops
 * adds; -1: there is none. Constants have a copy in each bank, and are read in the one where that begins. */
static int64_t work_entry(const struct tsr__walk *w, const struct tsr__nest *nest,
                          int64_t coefficient[16])
{
  const struct tir_stmt *call = nest->leaf;
  for (int k = 0; k < call->call.operands; k++) {
    const struct tsr__place *p = tsr__walk_place((struct tsr__walk *)w, call->call.buffer[k]);
    bool ok = true;
    if (p->buffer->scope != TIR_ACC || p->filled_by_dma)
      continue;
    int64_t at = entry_index(w, nest, p->buffer, call->call.index[k], coefficient, &ok);
    for (int l = 0; l < nest->loops; l++)
      at += coefficient[l] * nest->from[l];
    return ok ? at + tsr__place_entry(w, p, 0) : -1;
  }
  return -1;
}

/* Where a nest goes from the lower bank of ACC to the upper one: the iteration with which the upper one begins, of
 * the outermost loop that steps through the work; the middle, where each of its iterations may be in both. 0: it
 * is in one bank. */
static int64_t bank_edge(const struct tsr__walk *w, const struct tsr__nest *nest, int *loop)
{
  int64_t half = tsr__layout_room(w->stream->design, SPACE_ACC), c[16];
  int64_t first = work_entry(w, nest, c), last = first;
  *loop = -1;
  for (int l = 0; l < nest->loops && first >= 0; l++) {
    last += c[l] * (nest->extent[l] - 1);
    if (c[l] > 0 && nest->extent[l] > 1 && *loop < 0)
      *loop = l;
  }
  if (first < 0 || first >= half || last < half || *loop < 0)
    return 0;
  int64_t edge = tsr__ceil_div(half - first, c[*loop]);
  return edge < nest->extent[*loop] ? edge : nest->extent[*loop] / 2;
}

static enum tsr_dst dst_of(enum tir_scope scope)
{
  return scope == TIR_OUT ? TSR_DST_OUT : scope == TIR_INP ? TSR_DST_INP : TSR_DST_ACC;
}

static enum tsr_status emit_in_bank(struct tsr__walk *w, const struct tsr__nest *nest)
{
  const struct tir_stmt *call = nest->leaf;
  struct tsr_insn insn = {.opcode = tsr_accel_intrin_opcode(call->call.intrin)};
  struct shape s = {.levels = nest->loops, .overwrite = call->call.init};
  assert(insn.opcode >= 0);
  int64_t c[16], at = work_entry(w, nest, c);
  uint32_t near = at < 0 ? 0 : (uint32_t)at;
  for (int k = 0; k < nest->loops; k++)
    s.level[k].n = nest->extent[k];
  enum tsr_status status = operand(w, nest, 0, DST, near, &s);
  for (int k = 1; k < call->call.operands && k < OPERANDS && !status; k++)
    status = operand(w, nest, k, k == 1 ? SRC_A : SRC_B, near, &s);
  if (call->call.operands > OPERANDS && !status)
    status = check_sum(w, nest, near, &s);
  if (status)
    return status;
  if (call->call.operands == 2 && call->call.intrin->accumulates) { /* D <- D op A */
    s.base[SRC_B] = s.base[DST];
    for (int k = 0; k < s.levels; k++)
      s.level[k].step[SRC_B] = s.level[k].step[DST];
  }
  if (call->call.init)
    s.overwrite = !call->call.first || first_terms(w, nest, call->call.first, &s);
  insn.loop.dst = (int)dst_of(call->call.buffer[0]->scope);
  bool inp = insn.opcode != TSR_OP_GEMM && call->call.buffer[1]->scope == TIR_INP;
  insn.loop.src = inp ? TSR_SRC_INP : TSR_SRC_ACC;
  merge(&s);
  emit(w, &s, insn);
  return TSR_OK;
}

/* Work across both banks is done in one after the other: an instruction holds the banks that it touches. */
enum tsr_status tsr__emit_call(struct tsr__walk *w, const struct tsr__nest *nest)
{
  int loop;
  int64_t edge = bank_edge(w, nest, &loop);
  if (!edge)
    return emit_in_bank(w, nest);
  struct tsr__nest part = *nest;
  part.extent[loop] = edge;
  enum tsr_status status = tsr__emit_call(w, &part);
  part.from[loop] += edge;
  part.extent[loop] = nest->extent[loop] - edge;
  return status ? status : tsr__emit_call(w, &part);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM reads a point in each cycle, and so do most of the vector's rows. The others are told from
 * their indices: in closed form where the ranges of what is read and what is written do not meet,
 * else point by point. */
#include "hw/sim/cycle/points.h"

#include <string.h>

enum { PLACES = 5, QUANT_WORDS = 3 };

struct row {
  const struct tsr_insn *insn;
  bool mac, quant, lut, reduces, multiplies, simple;
  bool a_in_acc, d_in_acc, d_in_inp, b_in_acc;
};

static struct row row_of(const struct tsr_insn *insn)
{
  int opcode = insn->opcode;
  struct row r = {.insn = insn};
  r.mac = opcode == TSR_OP_MAC;
  r.quant = opcode == TSR_OP_QUANT;
  r.lut = opcode == TSR_OP_LUT;
  r.reduces = opcode == TSR_OP_RSUM || opcode == TSR_OP_RMAX;
  r.multiplies = r.mac || opcode == TSR_OP_MUL;
  r.simple = !(r.multiplies || r.quant || r.lut || r.reduces);
  r.a_in_acc = insn->loop.src == TSR_SRC_ACC;
  r.d_in_acc = insn->loop.dst == TSR_DST_ACC;
  r.d_in_inp = insn->loop.dst == TSR_DST_INP;
  r.b_in_acc = !r.lut && !r.reduces && opcode != TSR_OP_MOV;
  return r;
}

uint64_t tsr__walk_points(const struct tsr_insn *insn)
{
  return (uint64_t)insn->loop.n[0] * insn->loop.n[1] * insn->loop.n[2] * insn->loop.uop_count;
}

int tsr__walk_tail(const struct tsr_insn *insn)
{
  struct row r = row_of(insn);
  if (insn->opcode == TSR_OP_GEMM)
    return 4;
  return r.simple ? 3 : r.multiplies ? 5 : r.quant ? 6 : 4;
}

/* --- in closed form --------------------------------------------------------------------------- */

struct range {
  uint32_t low, high; /* both included */
};

static uint32_t field(const uint8_t *uop, int f)
{
  return (uint32_t)uop[2 * f] | (uint32_t)uop[2 * f + 1] << 8;
}

static uint32_t span(const struct tsr_insn *insn, const uint32_t step[3])
{
  uint32_t sum = 0;
  for (int k = 0; k < 3; k++)
    sum += (insn->loop.n[k] - 1) * step[k];
  return sum;
}

static struct range range_of(const struct tsr_insn *insn, const uint8_t *uops, int f,
                             const uint32_t step[3])
{
  struct range r = {UINT32_MAX, 0};
  for (uint32_t u = 0; u < insn->loop.uop_count; u++) {
    uint32_t v = field(uops + (size_t)u * TSR_UOP_BYTES, f);
    r.low = v < r.low ? v : r.low;
    r.high = v > r.high ? v : r.high;
  }
  r.high += span(insn, step);
  return r;
}

static bool meet(struct range x, struct range y)
{
  return x.low <= y.high && y.low <= x.high;
}

/* No point reads what another writes, as far as the ranges tell. */
static bool apart(const struct row *r, const uint8_t *uops)
{
  const struct tsr_insn *insn = r->insn;
  bool watch_a = r->a_in_acc ? r->d_in_acc && !r->simple : r->d_in_inp;
  bool watch_b = r->d_in_acc && !r->simple && r->b_in_acc;
  if (!watch_a && !watch_b)
    return true;
  struct range d = range_of(insn, uops, 0, insn->loop.step_dst);
  if (watch_a && meet(d, range_of(insn, uops, 1, insn->loop.step_a)))
    return false;
  if (!watch_b)
    return true;
  struct range b = range_of(insn, uops, 2, insn->loop.step_b);
  b.high += r->quant ? QUANT_WORDS - 1 : 0;
  return !meet(d, b);
}

/* Points whose b is not that of the point before, the first included. */
static uint64_t b_changes(const struct tsr_insn *insn, const uint8_t *uops)
{
  const uint32_t *step = insn->loop.step_b, *n = insn->loop.n;
  uint32_t count = insn->loop.uop_count, first = field(uops, 2);
  uint32_t last = field(uops + (size_t)(count - 1) * TSR_UOP_BYTES, 2);
  uint64_t within = 0, nests = (uint64_t)n[0] * n[1] * n[2];
  for (uint32_t u = 1; u < count; u++)
    within += field(uops + (size_t)u * TSR_UOP_BYTES, 2) !=
              field(uops + (size_t)(u - 1) * TSR_UOP_BYTES, 2);
  uint32_t end2 = last + (n[2] - 1) * step[2], end1 = end2 + (n[1] - 1) * step[1];
  return 1 + nests * within + (uint64_t)n[0] * n[1] * (n[2] - 1) * (last != first + step[2]) +
         (uint64_t)n[0] * (n[1] - 1) * (end2 != first + step[1]) +
         (uint64_t)(n[0] - 1) * (end1 != first + step[0]);
}

/* --- point by point --------------------------------------------------------------------------- */

struct nest {
  const struct tsr_insn *insn;
  const uint8_t *uops;
  uint32_t u, i[3], sums[3][3]; /* [loop up to][d a b] */
  uint32_t d, a, b;
};

static void load_point(struct nest *at)
{
  const uint8_t *uop = at->uops + (size_t)at->u * TSR_UOP_BYTES;
  at->d = field(uop, 0) + at->sums[2][0];
  at->a = field(uop, 1) + at->sums[2][1];
  at->b = field(uop, 2) + at->sums[2][2];
}

static void next_point(struct nest *at)
{
  const struct tsr_insn *insn = at->insn;
  const uint32_t *steps[3] = {insn->loop.step_dst, insn->loop.step_a, insn->loop.step_b};
  if (++at->u == insn->loop.uop_count) {
    at->u = 0;
    int k = 2;
    while (k > 0 && at->i[k] + 1 == insn->loop.n[k])
      at->i[k--] = 0;
    at->i[k]++;
    for (int f = 0; f < 3; f++) {
      at->sums[k][f] += steps[f][k];
      for (int j = k + 1; j < 3; j++)
        at->sums[j][f] = at->sums[k][f];
    }
  }
  load_point(at);
}

/* The registers of hw/rtl/vector.v that decide when a point goes. */
struct pipe {
  uint32_t there, d[PLACES];
  bool held;
  uint32_t held_b, phase;
};

static bool hits(const struct pipe *p, uint32_t index)
{
  bool hit = false;
  for (int k = 0; k < PLACES; k++)
    hit |= (p->there >> k & 1) && p->d[k] == index;
  return hit;
}

static uint32_t write_place(const struct row *r)
{
  return r->simple ? 1u << 1 : r->multiplies ? 1u << 3 : r->quant ? 1u << 4 : 1u << 2;
}

/* One cycle with a point; whether it goes. */
static bool step(const struct row *r, struct pipe *p, const struct nest *at, bool *hazard)
{
  bool fetches = r->quant && !(p->held && p->held_b == at->b);
  uint32_t read_b = at->b + p->phase;
  *hazard = (hits(p, at->a) && (r->a_in_acc ? r->d_in_acc && !r->simple : r->d_in_inp)) ||
            (hits(p, read_b) && r->d_in_acc && !r->simple && r->b_in_acc && (!r->quant || fetches));
  bool port_taken = r->mac && r->a_in_acc && (p->there >> 1 & 1);
  bool go = !*hazard && !port_taken && (!fetches || p->phase == QUANT_WORDS - 1);
  if (r->quant && !*hazard) {
    p->phase = go ? 0 : p->phase + 1;
    if (go) {
      p->held = !(r->d_in_acc && at->d >= at->b && at->d - at->b < QUANT_WORDS);
      p->held_b = at->b;
    }
  }
  for (int k = PLACES - 1; k > 0; k--)
    if (p->there >> (k - 1) & 1)
      p->d[k] = p->d[k - 1];
  p->d[0] = at->d;
  p->there = ((p->there & ~write_place(r)) << 1 | go) & ((1u << PLACES) - 1);
  return go;
}

struct tsr__walk tsr__walk_until(const struct tsr_insn *insn, const uint8_t *uops, uint64_t points,
                                 uint64_t cycles)
{
  struct row r = row_of(insn);
  struct pipe p = {0};
  struct nest at = {.insn = insn, .uops = uops};
  struct tsr__walk walk = {0};
  if (insn->opcode == TSR_OP_GEMM) {
    walk.points = walk.cycles = points < cycles ? points : cycles;
    return walk;
  }
  if (points)
    load_point(&at);
  while (walk.points < points && walk.cycles < cycles) {
    bool hazard;
    bool go = step(&r, &p, &at, &hazard);
    walk.cycles++;
    walk.hazards += hazard;
    if (go && ++walk.points < points)
      next_point(&at);
  }
  return walk;
}

struct tsr__walk tsr__walk_of(const struct tsr_insn *insn, const uint8_t *uops, uint64_t points)
{
  struct row r = row_of(insn);
  struct tsr__walk walk = {points, points, 0};
  if (insn->opcode == TSR_OP_GEMM || !points)
    return walk;
  if (points != tsr__walk_points(insn) || !apart(&r, uops))
    return tsr__walk_until(insn, uops, points, UINT64_MAX);
  if (r.quant)
    walk.cycles += 2 * b_changes(insn, uops);
  if (r.mac && r.a_in_acc)
    walk.cycles = 2 * points - (points % 2 ? 1 : 2);
  return walk;
}

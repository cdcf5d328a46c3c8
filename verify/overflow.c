/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/overflow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "verify/check.h"
#include "verify/points.h"
#include "verify/range.h"
#include "verify/weights.h"

/* Points that are walked in all of a program; then what is said of whole instructions stands. */
static const uint64_t MOST_POINTS = 1u << 26;
/* Sums that may be larger than this are worth a look at the weights. */
static const int64_t LARGE = 1 << 27;

typedef struct tsr__range range;

static const range silent = {1, 0};

struct tsr__bounds {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  range *acc; /* of all lanes of an entry */
  range inp;
  struct tsr__weights *weights;
  struct tsr__set scratch;
  range *sums;   /* of all entries, lane by lane; made on first use */
  uint64_t left; /* points that may still be walked */
};

struct tsr__bounds *tsr__bounds_new(struct tsr_arena *arena, const struct tsr_design *design,
                                    const struct tsr_program *program,
                                    const struct tsr_verify_options *options, const size_t *order,
                                    size_t count)
{
  struct tsr__bounds *b = TSR_NEW(arena, struct tsr__bounds);
  uint32_t depth = (uint32_t)tsr_design_depth(design, TSR_BUFFER_ACC);
  b->arena = arena;
  b->design = design;
  b->inp = (range){options->inp_low, options->inp_high};
  b->acc = TSR_NEW_ARRAY(arena, range, depth);
  b->weights = tsr__weights_new(arena, design, program, options, order, count);
  b->scratch = tsr__set_new(arena, depth);
  b->left = MOST_POINTS;
  for (uint32_t d = 0; d < depth; d++)
    b->acc[d] = silent;
  return b;
}

/* One instruction, and the worst of its results. */
struct judged {
  const struct tsr_insn *insn;
  const struct tsr__region *region;
  const uint8_t *uops;
  bool found;
  uint32_t entry;
  range reaches;
};

/* Sets an entry; what leaves int32 is found, once, and silent from then on. */
static void set(struct tsr__bounds *b, struct judged *j, uint32_t entry, range to)
{
  b->acc[entry] = tsr__range_fits(to) ? to : silent;
  if (tsr__range_fits(to) || j->found)
    return;
  j->found = true;
  j->entry = entry;
  j->reaches = to;
}

/* Whether the instruction is small enough to be walked point by point. */
static bool may_walk(struct tsr__bounds *b, const struct tsr_insn *insn)
{
  uint64_t points = tsr_check_loop_points(insn);
  if (points > b->left)
    return false;
  b->left -= points;
  return true;
}

/* ---- GEMM ---- */

/* Points that add to one d, at most. */
static uint64_t points_per_sum(struct tsr__bounds *b, const struct judged *j)
{
  const struct tsr_insn *insn = j->insn;
  const uint8_t *uop = j->uops + (size_t)insn->loop.uop_begin * TSR_UOP_BYTES;
  uint64_t apart = 1, all = tsr_check_loop_points(insn);
  tsr__set_clear(&b->scratch);
  for (uint32_t u = 0; u < insn->loop.uop_count; u++) {
    uint32_t d = tsr__uop_field(uop + (size_t)u * TSR_UOP_BYTES, TSR__ROLE_D);
    tsr__set_add(&b->scratch, d, d + 1);
  }
  uint32_t bases = tsr__set_size(&b->scratch);
  for (int k = 0; k < 3; k++)
    apart *= insn->loop.step_dst[k] ? insn->loop.n[k] : 1;
  uint64_t rest = all / apart; /* of the loops that stay at one d, times the micro-ops */
  bool disjoint = tsr__set_size(&j->region->list[0].set) == apart * bases;
  if (!disjoint || all == UINT64_MAX)
    return all;
  return rest - rest / insn->loop.uop_count * (bases - 1); /* each base has one micro-op at least */
}

/* What one instruction adds to a sum at most, if every weight may be the worst there is. */
static range growth_of(struct tsr__bounds *b, const struct judged *j)
{
  range product = tsr__range_multiply(b->inp, (range){INT8_MIN, INT8_MAX});
  uint64_t terms = points_per_sum(b, j), k = (uint64_t)b->design->block_in, all;
  return tsr__range_scale(product, __builtin_mul_overflow(terms, k, &all) ? UINT64_MAX : all);
}

static bool is_large(range r)
{
  return r.lo < -LARGE || r.hi > LARGE;
}

/* Grows all sums alike. A large one is left to a closer look: then false, and nothing has
 * changed. */
static bool grow(struct tsr__bounds *b, struct judged *j, range growth, bool closer)
{
  static const range zero = {0, 0};
  const struct tsr__set *d = &j->region->list[0].set;
  bool fresh = tsr__starts_its_sums(j->insn, j->uops, &b->scratch);
  if (closer && is_large(growth))
    return false;
  for (uint32_t lo, hi = 0; closer && !fresh && tsr__set_run(d, hi, &lo, &hi);)
    for (uint32_t e = lo; e < hi; e++)
      if (is_large(tsr__range_add(tsr__range_join(b->acc[e], zero), growth)))
        return false;
  for (uint32_t lo, hi = 0; tsr__set_run(d, hi, &lo, &hi);)
    for (uint32_t e = lo; e < hi; e++)
      set(b, j, e, tsr__range_add(fresh ? zero : tsr__range_join(b->acc[e], zero), growth));
  return true;
}

/* Every point with its weights; sums lane by lane. */
static void exact_gemm(struct tsr__bounds *b, struct judged *j)
{
  int lanes = b->design->block_out;
  const struct tsr__set *d = &j->region->list[0].set;
  if (!b->sums)
    b->sums = TSR_NEW_ARRAY(b->arena, range,
                            (size_t)tsr_design_depth(b->design, TSR_BUFFER_ACC) * (size_t)lanes);
  range *sums = b->sums;
  for (uint32_t e = d->lo; e < d->hi; e++)
    for (int lane = 0; lane < lanes; lane++)
      sums[(size_t)(e - d->lo) * (size_t)lanes + (size_t)lane] =
          tsr__range_join(b->acc[e], (range){0, 0});
  tsr__weights_forget(b->weights);
  struct tsr__points p = tsr__points_of(j->insn, j->uops);
  while (tsr__points_next(&p)) {
    const range *tile = tsr__weights_tile(b->weights, p.index[TSR__ROLE_B], b->inp);
    range *sum = sums + (size_t)(p.index[TSR__ROLE_D] - d->lo) * (size_t)lanes;
    for (int lane = 0; lane < lanes; lane++)
      sum[lane] = tsr__range_add(p.first ? (range){0, 0} : sum[lane], tile[lane]);
  }
  for (uint32_t lo, hi = 0; tsr__set_run(d, hi, &lo, &hi);)
    for (uint32_t e = lo; e < hi; e++) {
      range all = sums[(size_t)(e - d->lo) * (size_t)lanes];
      for (int lane = 1; lane < lanes; lane++)
        all = tsr__range_join(all, sums[(size_t)(e - d->lo) * (size_t)lanes + (size_t)lane]);
      set(b, j, e, all);
    }
}

static void gemm(struct tsr__bounds *b, struct judged *j)
{
  range growth = growth_of(b, j);
  if (grow(b, j, growth, true))
    return;
  if (may_walk(b, j->insn))
    exact_gemm(b, j);
  else
    grow(b, j, growth, false);
}

/* ---- vector ---- */

static range hull(const struct tsr__bounds *b, const struct tsr__access *access)
{
  range all = {1, 0};
  if (!access || access->buffer != TSR_BUFFER_ACC)
    return access && access->buffer == TSR_BUFFER_INP ? b->inp : (range){0, 0};
  for (uint32_t lo, hi = 0; tsr__set_run(&access->set, hi, &lo, &hi);)
    for (uint32_t e = lo; e < hi; e++) {
      if (tsr__range_silent(b->acc[e]))
        return b->acc[e];
      all = tsr__range_join(all, b->acc[e]);
    }
  return all;
}

static bool reads_own(const struct tsr__region *r, const struct tsr__access *access)
{
  return access && access->buffer == TSR_BUFFER_ACC && access->role != TSR__ROLE_UOP &&
         tsr__set_meets(&r->list[0].set, &access->set);
}

/* Gives one of its operands, or what lies between it and zero. */
static bool never_leaves(int opcode)
{
  return opcode == TSR_OP_MIN || opcode == TSR_OP_MAX || opcode == TSR_OP_MOV ||
         opcode == TSR_OP_RMAX || opcode == TSR_OP_SHR;
}

/* The results of all points together, from the operands of all points together. */
static range all_results(struct tsr__bounds *b, const struct judged *j)
{
  const struct tsr__region *r = j->region;
  int opcode = j->insn->opcode;
  range a = hull(b, &r->list[1]), second = hull(b, tsr__region_access(r, TSR__ROLE_B));
  range to = tsr__range_of(opcode, (range){0, 0}, a, second, false, b->design->block_out);
  if (tsr__range_silent(to))
    return to;
  if (opcode == TSR_OP_ADD || never_leaves(opcode))
    to = tsr__range_join(to, a);
  if (never_leaves(opcode) && opcode != TSR_OP_SHR)
    to = tsr__range_join(to, second);
  if (opcode != TSR_OP_MAC)
    return to;
  to = tsr__range_scale(tsr__range_join(to, (range){0, 0}), points_per_sum(b, j));
  if (tsr__starts_its_sums(j->insn, j->uops, &b->scratch))
    return to;
  return tsr__range_add(to, tsr__range_join(hull(b, &r->list[0]), (range){0, 0}));
}

/* False, and nothing changed, where that does not clear the instruction. */
static bool quick_vector(struct tsr__bounds *b, struct judged *j)
{
  const struct tsr__region *r = j->region;
  int opcode = j->insn->opcode;
  bool looped = reads_own(r, &r->list[1]) || reads_own(r, tsr__region_access(r, TSR__ROLE_B));
  if (looped && opcode != TSR_OP_QUANT && opcode != TSR_OP_LUT && !never_leaves(opcode))
    return false;
  range to = all_results(b, j);
  if (!tsr__range_fits(to) || tsr__range_silent(to))
    return false;
  for (uint32_t lo, hi = 0; tsr__set_run(&r->list[0].set, hi, &lo, &hi);)
    for (uint32_t e = lo; e < hi; e++)
      b->acc[e] = to;
  return true;
}

static void exact_vector(struct tsr__bounds *b, struct judged *j)
{
  struct tsr__points p = tsr__points_of(j->insn, j->uops);
  const struct tsr__access *second = tsr__region_access(j->region, TSR__ROLE_B);
  bool a_acc = j->insn->loop.src == TSR_SRC_ACC;
  bool b_acc = second && second->buffer == TSR_BUFFER_ACC;
  while (tsr__points_next(&p)) {
    range a = a_acc ? b->acc[p.index[1]] : b->inp;
    range with = b_acc ? b->acc[p.index[2]] : (range){0, 0};
    range to =
        tsr__range_of(j->insn->opcode, b->acc[p.index[0]], a, with, p.first, b->design->block_out);
    set(b, j, p.index[0], to);
  }
}

static void vector(struct tsr__bounds *b, struct judged *j)
{
  static const range all = {INT64_MIN, INT64_MAX};
  const struct tsr__set *d = &j->region->list[0].set;
  if (j->insn->loop.dst != TSR_DST_ACC || quick_vector(b, j))
    return;
  if (may_walk(b, j->insn)) {
    exact_vector(b, j);
    return;
  }
  for (uint32_t lo, hi = 0; tsr__set_run(d, hi, &lo, &hi);)
    for (uint32_t e = lo; e < hi; e++)
      set(b, j, e, never_leaves(j->insn->opcode) ? silent : all);
}

/* ---- all ---- */

static void load(struct tsr__bounds *b, const struct tsr_insn *insn)
{
  if (insn->dma.buffer == TSR_BUFFER_ACC || insn->dma.buffer == TSR_BUFFER_ACC8)
    tsr__weights_load_acc(b->weights, insn, b->acc);
  else if (insn->dma.buffer == TSR_BUFFER_WGT)
    tsr__weights_load(b->weights, insn);
}

static void say(const struct tsr__bounds *b, const struct judged *j, size_t index, char *text,
                size_t size)
{
  char who[64], where[128];
  struct tsr__point point =
      tsr__locate(b->arena, b->design, j->insn, j->uops, TSR__ROLE_D, j->entry);
  tsr__name_insn(who, sizeof who, index, j->insn);
  tsr__name_point(where, sizeof where, TSR_BUFFER_ACC, j->entry, TSR__ROLE_D, &point);
  if (j->reaches.lo == INT64_MIN)
    snprintf(text, size,
             "%s: %s may overflow int32: the program has more points than are looked at", who,
             where);
  else
    snprintf(text, size, "%s: %s may overflow int32: it can be %" PRId64 " to %" PRId64, who, where,
             j->reaches.lo, j->reaches.hi);
}

bool tsr__bounds_step(struct tsr__bounds *b, size_t index, const struct tsr_insn *insn,
                      const struct tsr__region *region, const uint8_t *uops, char *text,
                      size_t size)
{
  struct judged j = {.insn = insn, .region = region, .uops = uops};
  if (insn->opcode == TSR_OP_LOAD)
    load(b, insn);
  else if (insn->opcode == TSR_OP_GEMM)
    gemm(b, &j);
  else if (tsr_opcode_format(insn->opcode) == TSR_FORMAT_LOOP)
    vector(b, &j);
  if (j.found)
    say(b, &j, index, text, size);
  return j.found;
}

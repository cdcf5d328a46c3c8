/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/range.h"

#include "isa/isa.h"

typedef struct tsr__range range;

static const range silent = {1, 0};
static const range int8 = {INT8_MIN, INT8_MAX};

static int64_t least(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

range tsr__range_join(range a, range b)
{
  if (tsr__range_silent(a))
    return b;
  if (tsr__range_silent(b))
    return a;
  return (range){least(a.lo, b.lo), most(a.hi, b.hi)};
}

range tsr__range_add(range a, range b)
{
  if (tsr__range_silent(a) || tsr__range_silent(b))
    return silent;
  return (range){a.lo + b.lo, a.hi + b.hi};
}

static range subtract(range a, range b)
{
  if (tsr__range_silent(a) || tsr__range_silent(b))
    return silent;
  return (range){a.lo - b.hi, a.hi - b.lo};
}

range tsr__range_multiply(range a, range b)
{
  if (tsr__range_silent(a) || tsr__range_silent(b))
    return silent;
  int64_t p[4] = {a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi};
  return (range){least(least(p[0], p[1]), least(p[2], p[3])),
                 most(most(p[0], p[1]), most(p[2], p[3]))};
}

range tsr__range_scale(range a, uint64_t times)
{
  const int64_t beyond = (INT64_C(1) << 31) + 1; /* times anything but 0: out of int32 */
  if (tsr__range_silent(a))
    return silent;
  int64_t n = times < (uint64_t)beyond ? (int64_t)times : beyond;
  range clipped = {most(a.lo, -beyond), least(a.hi, beyond)};
  return (range){least(clipped.lo * n, clipped.lo), most(clipped.hi * n, clipped.hi)};
}

/* The shifts that B may ask for. */
static void shifts(range b, int *lo, int *hi)
{
  bool plain = b.lo >= 0 && b.hi <= 31; /* else bits above the low five make it any */
  *lo = plain ? (int)b.lo : 0;
  *hi = plain ? (int)b.hi : 31;
}

static range shift_left(range a, range b)
{
  int lo, hi;
  if (tsr__range_silent(a) || tsr__range_silent(b))
    return silent;
  shifts(b, &lo, &hi);
  return tsr__range_multiply(a, (range){INT64_C(1) << lo, INT64_C(1) << hi});
}

/* Rounding moves by a half at most, and never past an end of what fits before. */
static range shift_right(range a, range b)
{
  int lo, hi;
  if (tsr__range_silent(a) || tsr__range_silent(b))
    return silent;
  shifts(b, &lo, &hi);
  int small = a.lo < 0 ? lo : hi, large = a.hi < 0 ? hi : lo;
  return (range){a.lo >> small, (a.hi >> large) + (large > 0)};
}

static range pick(range a, range b, bool larger)
{
  if (tsr__range_silent(a) || tsr__range_silent(b))
    return silent;
  if (larger)
    return (range){most(a.lo, b.lo), most(a.hi, b.hi)};
  return (range){least(a.lo, b.lo), least(a.hi, b.hi)};
}

range tsr__range_of(int opcode, range old, range a, range b, bool first, int lanes)
{
  switch (opcode) {
  case TSR_OP_ADD: return first ? a : tsr__range_add(a, b);
  case TSR_OP_SUB: return subtract(a, b);
  case TSR_OP_MUL: return tsr__range_multiply(a, b);
  case TSR_OP_MIN:
  case TSR_OP_MAX: return first ? a : pick(a, b, opcode == TSR_OP_MAX);
  case TSR_OP_SHL: return shift_left(a, b);
  case TSR_OP_SHR: return shift_right(a, b);
  case TSR_OP_MAC: return tsr__range_add(first ? (range){0, 0} : old, tsr__range_multiply(a, b));
  case TSR_OP_RSUM: return tsr__range_silent(a) ? a : (range){a.lo * lanes, a.hi * lanes};
  case TSR_OP_LUT:
  case TSR_OP_QUANT: return int8;
  default: return a; /* MOV, RMAX */
  }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Running register code. */
#include <string.h>

#include "compiler/tir/code.h"

/* --- accumulators: base[offset] = base[offset] op value, in the order of lanes --------------- */

#define ACCUMULATOR(name, T, value_of)                                                             \
  static void name(void *base, const int64_t *offset, const void *value, int64_t n, int64_t run)   \
  {                                                                                                \
    const T *v = value;                                                                            \
    for (int64_t i = 0; i < n; i += run) {                                                         \
      T *at = (T *)((char *)base + offset[i]);                                                     \
      T x = *at;                                                                                   \
      for (int64_t j = i; j < i + run; j++) {                                                      \
        T y = v[j];                                                                                \
        x = (T)(value_of);                                                                         \
      }                                                                                            \
      *at = x;                                                                                     \
    }                                                                                              \
  }
#define INT_ACCUMULATORS(id, T, U)                                                                 \
  ACCUMULATOR(sum_##id, T, (U)x + (U)y)                                                            \
  ACCUMULATOR(product_##id, T, (U)x *(U)y)                                                         \
  ACCUMULATOR(maximum_##id, T, x > y ? x : y)                                                      \
  ACCUMULATOR(minimum_##id, T, x < y ? x : y)
#define FLOAT_ACCUMULATORS(id, T)                                                                  \
  ACCUMULATOR(sum_##id, T, x + y)                                                                  \
  ACCUMULATOR(product_##id, T, x *y)                                                               \
  ACCUMULATOR(maximum_##id, T, x > y || x != x ? x : y)                                            \
  ACCUMULATOR(minimum_##id, T, x < y || x != x ? x : y)
INT_ACCUMULATORS(I8, int8_t, uint32_t)
INT_ACCUMULATORS(U8, uint8_t, uint32_t)
INT_ACCUMULATORS(I16, int16_t, uint32_t)
INT_ACCUMULATORS(U16, uint16_t, uint32_t)
INT_ACCUMULATORS(I32, int32_t, uint32_t)
INT_ACCUMULATORS(U32, uint32_t, uint32_t)
INT_ACCUMULATORS(I64, int64_t, uint64_t)
INT_ACCUMULATORS(U64, uint64_t, uint64_t)
FLOAT_ACCUMULATORS(F32, float)
FLOAT_ACCUMULATORS(F64, double)

tir__accumulator *tir__accumulator_of(enum tir_combine combine, enum tsr_dtype dtype)
{
#define OF(id)                                                                                     \
  [TSR_##id] = {[TIR_SUM] = sum_##id, [TIR_PRODUCT] = product_##id, [TIR_MAXIMUM] = maximum_##id,  \
                [TIR_MINIMUM] = minimum_##id},
  static tir__accumulator *const all[TSR_DTYPE_COUNT][TIR_MINIMUM + 1] = {
    OF(I8) OF(U8) OF(I16) OF(U16) OF(I32) OF(U32) OF(I64) OF(U64) OF(F32) OF(F64)
  };
  return all[dtype][combine];
}

/* --- moving elements ------------------------------------------------------------------------- */

struct unit16 {
  uint64_t half[2];
};

#define EACH_UNIT(X) X(1, uint8_t) X(2, uint16_t) X(4, uint32_t) X(8, uint64_t) X(16, struct unit16)

/* Memory of buffers is read and written by size, not by type (-fno-strict-aliasing); a unit of
 * several elements need not be aligned. */
#define COLLECT(size, T)                                                                           \
  static void collect_##size(void *restrict out, const char *base, const int64_t *restrict offset, \
                             int64_t n)                                                            \
  {                                                                                                \
    for (int64_t i = 0; i < n; i++)                                                                \
      memcpy((char *)out + i * size, base + offset[i], size);                                      \
  }                                                                                                \
  static void place_##size(char *base, const int64_t *restrict offset, const void *restrict value, \
                           int64_t n)                                                              \
  {                                                                                                \
    for (int64_t i = 0; i < n; i++)                                                                \
      memcpy(base + offset[i], (const char *)value + i * size, size);                              \
  }                                                                                                \
  static void spread_##size(void *restrict out, const void *restrict value, int64_t n)             \
  {                                                                                                \
    T *o = out;                                                                                    \
    T v = *(const T *)value;                                                                       \
    for (int64_t i = 0; i < n; i++)                                                                \
      o[i] = v;                                                                                    \
  }
EACH_UNIT(COLLECT)

#define UNIT_CASE(size, call)                                                                      \
  case size:                                                                                       \
    call;                                                                                          \
    return;
#define BY_UNIT(unit, name, ...)                                                                   \
  switch (unit) {                                                                                  \
    UNIT_CASE(1, name##_1(__VA_ARGS__))                                                            \
    UNIT_CASE(2, name##_2(__VA_ARGS__))                                                            \
    UNIT_CASE(4, name##_4(__VA_ARGS__))                                                            \
    UNIT_CASE(8, name##_8(__VA_ARGS__))                                                            \
    UNIT_CASE(16, name##_16(__VA_ARGS__))                                                          \
  }

static void collect(int unit, void *out, const char *base, const int64_t *offset, int64_t n)
{
  BY_UNIT(unit, collect, out, base, offset, n)
}

static void place(int unit, char *base, const int64_t *offset, const void *value, int64_t n)
{
  BY_UNIT(unit, place, base, offset, value, n)
}

static void spread(int unit, void *out, const void *value, int64_t n)
{
  BY_UNIT(unit, spread, out, value, n)
}

/* --- the machine ----------------------------------------------------------------------------- */

struct machine {
  const struct tir_code *code;
  char **buffer;
  void **reg;    /* where each register's elements are: at home, or in a buffer */
  char *home;
  int64_t *slot, *limit;
  int64_t n;     /* lanes of the segment */
};

enum { REGISTER_BYTES = TIR__LANES * 8 };

static void *destination(struct machine *m, const struct tir__insn *in)
{
  return m->reg[in->dst] = m->home + (size_t)in->dst * REGISTER_BYTES;
}

static int64_t lanes_of(const struct machine *m, const struct tir__insn *in)
{
  return in->lanes ? m->n : 1;
}

static int64_t index_in(const struct machine *m, int reg)
{
  return *(const int64_t *)m->reg[reg];
}

static void run_affine(struct machine *m, const struct tir__insn *in)
{
  uint64_t sum = (uint64_t)in->constant;
  for (int i = 0; i < in->terms; i++)
    sum += (uint64_t)in->term[i].coefficient * (uint64_t)m->slot[in->term[i].slot];
  *(uint64_t *)destination(m, in) = sum;
}

static void run_index(struct machine *m, const struct tir__insn *in)
{
  int64_t base = index_in(m, in->arg[0]);
  int64_t *restrict out = destination(m, in);
  for (int64_t i = 0; i < m->n; i++)
    out[i] = base + in->table->offset[i];
}

/* Byte offset of lane i from the element that the base register names. */
static int64_t offset_of(const struct tir__insn *in, int64_t i)
{
  return in->table ? in->table->offset[i] : 0;
}

static void run_load(struct machine *m, const struct tir__insn *in)
{
  const char *base = m->buffer[in->buffer];
  int64_t n = lanes_of(m, in), first = index_in(m, in->arg[0]) * in->size;
  if (in->mask != TIR__NONE) {
    const uint8_t *mask = m->reg[in->mask];
    char *out = memset(destination(m, in), 0, (size_t)(n * in->size));
    for (int64_t i = 0; i < n; i++)
      if (mask[i])
        memcpy(out + i * in->size, base + first + offset_of(in, i), in->size);
  } else if (!in->lanes || in->table->contiguous) {
    m->reg[in->dst] = (void *)(base + first); /* read only */
  } else {
    int unit = in->table->unit;
    collect(unit, destination(m, in), base + first, in->table->offset, n * in->size / unit);
  }
}

static void run_gather(struct machine *m, const struct tir__insn *in)
{
  const char *base = m->buffer[in->buffer];
  const int64_t *index = m->reg[in->arg[0]];
  const uint8_t *mask = in->mask == TIR__NONE ? NULL : m->reg[in->mask];
  int64_t n = lanes_of(m, in), offset[TIR__LANES];
  char *out = destination(m, in);
  if (!mask) {
    for (int64_t i = 0; i < n; i++)
      offset[i] = index[i] * in->size;
    collect(in->size, out, base, offset, n);
    return;
  }
  memset(out, 0, (size_t)(n * in->size));
  for (int64_t i = 0; i < n; i++)
    if (mask[i])
      memcpy(out + i * in->size, base + index[i] * in->size, in->size);
}

static enum tsr_status run_check(struct machine *m, const struct tir__insn *in, struct tsr_err *err)
{
  const int64_t *index = m->reg[in->arg[0]];
  const uint8_t *mask = in->mask == TIR__NONE ? NULL : m->reg[in->mask];
  uint64_t extent = (uint64_t)in->constant;
  int64_t n = lanes_of(m, in), bad = 0;
  for (int64_t i = 0; i < n; i++)
    bad += (uint64_t)index[i] >= extent;
  for (int64_t i = 0; bad && i < n; i++)
    if ((!mask || mask[i]) && (uint64_t)index[i] >= extent)
      return tsr_refuse(
          err, "%s: index %lld of dimension %d is outside of buffer %s, which has %lld there",
          m->code->name, (long long)index[i], in->dimension, m->code->buffer[in->buffer]->name,
          (long long)extent);
  return TSR_OK;
}

static void run_kernel(struct machine *m, const struct tir__insn *in)
{
  const void *arg[4];
  for (int i = 0; i < 4 && in->arg[i] != TIR__NONE; i++)
    arg[i] = m->reg[in->arg[i]];
  in->kernel(destination(m, in), arg, lanes_of(m, in));
}

static const int64_t nowhere_else[TIR__LANES]; /* offsets of lanes that share one element */

static void store_lane(const struct tir__insn *in, char *at, const char *value)
{
  if (in->accumulate)
    in->accumulate(at, nowhere_else, value, 1, 1);
  else
    memcpy(at, value, in->size);
}

static void run_masked_store(struct machine *m, const struct tir__insn *in, char *base)
{
  const uint8_t *mask = m->reg[in->mask];
  const char *value = m->reg[in->arg[1]];
  int64_t n = lanes_of(m, in);
  for (int64_t i = 0; i < n; i++)
    if (mask[i])
      store_lane(in, base + offset_of(in, i), value + i * in->size);
}

static void run_store(struct machine *m, const struct tir__insn *in)
{
  char *base = m->buffer[in->buffer] + index_in(m, in->arg[0]) * in->size;
  const char *value = m->reg[in->arg[1]];
  int64_t n = lanes_of(m, in);
  const int64_t *offset = in->table ? in->table->offset : nowhere_else;
  if (in->mask != TIR__NONE)
    run_masked_store(m, in, base);
  else if (in->accumulate)
    in->accumulate(base, offset, value, n, in->constant ? in->constant : n);
  else if (!in->table)
    memcpy(base, value + (n - 1) * in->size, in->size); /* the last lane wins */
  else if (in->table->contiguous)
    memcpy(base, value, (size_t)(n * in->size));
  else
    place(in->table->unit, base, offset, value, n * in->size / in->table->unit);
}

static void run_scatter(struct machine *m, const struct tir__insn *in)
{
  const int64_t *index = m->reg[in->arg[0]];
  const uint8_t *mask = in->mask == TIR__NONE ? NULL : m->reg[in->mask];
  const char *value = m->reg[in->arg[1]];
  int64_t n = lanes_of(m, in);
  for (int64_t i = 0; i < n; i++)
    if (!mask || mask[i])
      store_lane(in, m->buffer[in->buffer] + index[i] * in->size, value + i * in->size);
}

static void run_zero(struct machine *m, const struct tir__insn *in)
{
  const struct tir_buffer *b = m->code->buffer[in->buffer];
  memset(m->buffer[in->buffer], 0,
         (size_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype));
}

static void set_lanes(struct machine *m, const struct tir__insn *in)
{
  int64_t rows = m->limit[in->slot] - m->slot[in->slot];
  m->n = (rows < in->rows ? rows : in->rows) * in->inner;
}

static enum tsr_status run(struct machine *m, struct tsr_err *err)
{
  const struct tir_code *c = m->code;
  for (int pc = 0; pc < c->insns; pc++) {
    const struct tir__insn *in = &c->insn[pc];
    switch ((enum tir__insn_op)in->op) {
    case TIR__LOOP:
    case TIR__CHUNK:
      m->slot[in->slot] = 0;
      m->limit[in->slot] = index_in(m, in->arg[0]);
      if (m->limit[in->slot] <= 0)
        pc = in->jump - 1;
      else if (in->op == TIR__CHUNK)
        set_lanes(m, in);
      break;
    case TIR__NEXT:
      if (++m->slot[in->slot] < m->limit[in->slot])
        pc = in->jump - 1;
      break;
    case TIR__CHUNK_NEXT:
      if (m->limit[in->slot] - m->slot[in->slot] > in->rows) {
        m->slot[in->slot] += in->rows;
        set_lanes(m, in);
        pc = in->jump - 1;
      }
      break;
    case TIR__TEST:
      if (!*(const uint8_t *)m->reg[in->arg[0]])
        pc = in->jump - 1;
      break;
    case TIR__ZERO:
      run_zero(m, in);
      break;
    case TIR__AFFINE:
      run_affine(m, in);
      break;
    case TIR__SPREAD:
      spread(in->size, destination(m, in), m->reg[in->arg[0]], m->n);
      break;
    case TIR__INDEX:
      run_index(m, in);
      break;
    case TIR__LOAD:
      run_load(m, in);
      break;
    case TIR__GATHER:
      run_gather(m, in);
      break;
    case TIR__CHECK:
      if (run_check(m, in, err) != TSR_OK)
        return TSR_REFUSED;
      break;
    case TIR__KERNEL:
      run_kernel(m, in);
      break;
    case TIR__STORE:
      run_store(m, in);
      break;
    case TIR__SCATTER:
      run_scatter(m, in);
      break;
    }
  }
  return TSR_OK;
}

enum tsr_status tir_code_run(const struct tir_code *code, struct tsr_arena *scratch,
                             struct tsr_err *err, void *const *params)
{
  struct machine m = {.code = code};
  m.buffer = TSR_NEW_ARRAY(scratch, char *, code->buffers + 1);
  m.reg = TSR_NEW_ARRAY(scratch, void *, code->registers + code->constants + 1);
  m.home = tsr_arena_alloc_array(scratch, (size_t)code->registers, REGISTER_BYTES);
  m.slot = TSR_NEW_ARRAY(scratch, int64_t, code->slots + 1);
  m.limit = TSR_NEW_ARRAY(scratch, int64_t, code->slots + 1);
  for (int i = 0; i < code->buffers; i++) {
    const struct tir_buffer *b = code->buffer[i];
    size_t bytes = (size_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
    m.buffer[i] = i < code->params ? params[i] : tsr_arena_alloc(scratch, bytes + 1);
  }
  for (int i = 0; i < code->constants; i++)
    m.reg[code->registers + i] = code->constant[i];
  return run(&m, err);
}

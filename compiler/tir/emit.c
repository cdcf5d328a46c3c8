/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions to register code: one segment at a time, in virtual registers first. Equal
 * instructions are made once; constants are registers of their own, filled for all lanes. */
#include <assert.h>
#include <string.h>

#include "compiler/tir/code.h"

enum { LOOK_BACK = 64 };

/* --- instructions ---------------------------------------------------------------------------- */

static bool same_insn(const struct tir__insn *x, const struct tir__insn *y)
{
  struct tir__insn z = *x;
  z.dst = y->dst;
  return !memcmp(&z, y, sizeof z);
}

static struct tir__insn blank(enum tir__insn_op op)
{
  struct tir__insn in;
  memset(&in, 0, sizeof in);
  in.op = (uint8_t)op;
  in.dst = in.mask = TIR__NONE;
  for (int i = 0; i < 4; i++)
    in.arg[i] = TIR__NONE;
  return in;
}

struct tir__insn *tir__emit_insn(struct tir__emit *e, struct tir__insn insn)
{
  struct tir_code *c = e->code;
  c->insn = TSR_GROW(e->arena, c->insn, c->insns, &e->insn_capacity);
  c->insn[c->insns] = insn;
  return &c->insn[c->insns++];
}

/* A register that holds the result of `in`; an equal instruction nearby has it already. */
static int result_of(struct tir__emit *e, struct tir__insn in)
{
  struct tir_code *c = e->code;
  for (int i = c->insns - 1; i >= e->segment && i >= c->insns - LOOK_BACK; i--)
    if (same_insn(&in, &c->insn[i]))
      return c->insn[i].dst;
  in.dst = e->values;
  e->value = TSR_GROW(e->arena, e->value, e->values, &e->value_capacity);
  e->value[e->values++] = (struct tir__value){.lanes = in.lanes, .size = in.size};
  return tir__emit_insn(e, in)->dst;
}

bool tir__emit_is_lanes(const struct tir__emit *e, int reg)
{
  return reg < TIR__FIRST_CONSTANT && e->value[reg].lanes;
}

static size_t element_bytes(tir_e x)
{
  return tsr_dtype_bytes((enum tsr_dtype)x->dtype);
}

static void fill(void *at, enum tsr_dtype dtype, int n, int64_t i, double f)
{
  struct tsr_tensor t = {.dtype = dtype, .data = at};
  for (int k = 0; k < n; k++)
    if (tir__is_float(dtype))
      tsr_put_float(&t, k, f);
    else
      tsr_put_int(&t, k, i);
}

static int constant(struct tir__emit *e, enum tsr_dtype dtype, int64_t i, double f)
{
  struct tir_code *c = e->code;
  struct tir__made_constant made = {.size = tsr_dtype_bytes(dtype)};
  fill(&made.bits, dtype, 1, i, f);
  for (int k = c->constants - 1; k >= 0 && k >= c->constants - LOOK_BACK; k--)
    if (e->constant[k].size == made.size && e->constant[k].bits == made.bits)
      return TIR__FIRST_CONSTANT + k;
  e->constant = TSR_GROW(e->arena, e->constant, c->constants, &e->constant_capacity);
  c->constant = TSR_GROW(e->arena, c->constant, c->constants, &e->lanes_capacity);
  e->constant[c->constants] = made;
  c->constant[c->constants] = tsr_arena_alloc(e->arena, TIR__LANES * made.size);
  fill(c->constant[c->constants], dtype, TIR__LANES, i, f);
  return TIR__FIRST_CONSTANT + c->constants++;
}

static int index_constant(struct tir__emit *e, int64_t value)
{
  return constant(e, TSR_I64, value, 0);
}

int tir__emit_lanes(struct tir__emit *e, int reg)
{
  if (reg >= TIR__FIRST_CONSTANT || e->value[reg].lanes || e->lane_loops == 0)
    return reg;
  struct tir__insn in = blank(TIR__SPREAD);
  in.lanes = true;
  in.arg[0] = reg;
  in.size = e->value[reg].size;
  return result_of(e, in);
}

static int apply(struct tir__emit *e, tir__kernel *kernel, size_t size, int n, const int *arg)
{
  struct tir__insn in = blank(TIR__KERNEL);
  for (int i = 0; i < n; i++)
    in.lanes |= tir__emit_is_lanes(e, arg[i]);
  for (int i = 0; i < n; i++)
    in.arg[i] = in.lanes ? tir__emit_lanes(e, arg[i]) : arg[i];
  in.kernel = kernel;
  in.size = (uint8_t)size;
  return result_of(e, in);
}

static int apply2(struct tir__emit *e, enum tir_op op, enum tsr_dtype dtype, int x, int y)
{
  return apply(e, tir__op_kernel(op, dtype), tsr_dtype_bytes(dtype), 2, (int[]){x, y});
}

/* --- masks ----------------------------------------------------------------------------------- */

struct tir__mask *tir__emit_mask(struct tir__emit *e, struct tir__mask *outer, tir_e condition,
                                 bool negated)
{
  struct tir__mask *m = TSR_NEW(e->arena, struct tir__mask);
  m->outer = outer;
  m->condition = condition;
  m->negated = negated;
  m->reg = TIR__NONE;
  return m;
}

static int mask_register(struct tir__emit *e, struct tir__mask *m)
{
  if (m->reg != TIR__NONE || !m->condition)
    return m->reg;
  struct tir__mask *outer = (struct tir__mask *)m->outer;
  int reg = tir__emit_value(e, m->condition, outer), all = mask_register(e, outer);
  if (m->negated)
    reg = apply(e, tir__op_kernel(TIR_NOT, TSR_BOOL), 1, 1, &reg);
  if (all != TIR__NONE)
    reg = apply2(e, TIR_AND, TSR_BOOL, all, reg);
  return m->reg = reg;
}

/* --- addresses ------------------------------------------------------------------------------- */

/* A sum split by what its parts vary with. */
struct address {
  int base;  /* register of one i64: the part that is the same in all lanes */
  int lanes; /* register of i64 lanes, or NONE */
  bool affine; /* in the lane loops: */
  int64_t coefficient[TIR__LANE_LOOPS];
};

static int place_of(const struct tir__emit *e, const struct tir_var *var)
{
  for (int i = e->depth - 1; i >= 0; i--)
    if (e->range[i].var == var)
      return i;
  return TIR__NONE;
}

static void add_to(struct tir__emit *e, int *sum, int reg)
{
  *sum = *sum == TIR__NONE ? reg : apply2(e, TIR_ADD, TSR_I64, *sum, reg);
}

static int slots_part(struct tir__emit *e, int64_t summand, int n, const struct tir__term *terms)
{
  if (n == 0)
    return index_constant(e, summand);
  struct tir_code *c = e->code;
  for (int i = e->segment; i < c->insns; i++) { /* terms are compared by value */
    const struct tir__insn *in = &c->insn[i];
    if (in->op == TIR__AFFINE && in->constant == summand && in->terms == n &&
        !memcmp(in->term, terms, (size_t)n * sizeof *terms))
      return in->dst;
  }
  struct tir__insn in = blank(TIR__AFFINE);
  in.size = 8;
  in.constant = summand;
  in.terms = n;
  in.term = tsr_arena_copy(e->arena, terms, (size_t)n * sizeof *terms);
  return result_of(e, in);
}

static int times_constant(struct tir__emit *e, int reg, int64_t k)
{
  return k == 1 ? reg : apply2(e, TIR_MUL, TSR_I64, reg, index_constant(e, k));
}

static struct address address_of(struct tir__emit *e, const struct tir__linear *l,
                                 struct tir__mask *mask)
{
  struct address a = {.base = TIR__NONE, .lanes = TIR__NONE};
  struct tir__term terms[TIR__TERMS];
  int n = 0, same = TIR__NONE;
  memset(terms, 0, sizeof terms);
  for (int i = 0; i < l->n; i++) {
    tir_e x = l->atom[i];
    int at = x->op == TIR_VAR ? place_of(e, x->var) : TIR__NONE;
    if (at == TIR__NONE) {
      int reg = times_constant(e, tir__emit_value(e, x, mask), l->coefficient[i]);
      add_to(e, tir__emit_is_lanes(e, reg) ? &a.lanes : &same, reg);
      continue;
    }
    if (e->place[at].lane != TIR__NONE) {
      a.affine = true;
      a.coefficient[e->place[at].lane] = l->coefficient[i];
    }
    if (e->place[at].slot != TIR__NONE)
      terms[n++] = (struct tir__term){.slot = e->place[at].slot, .coefficient = l->coefficient[i]};
  }
  a.base = same;
  if (n || l->constant || same == TIR__NONE)
    add_to(e, &a.base, slots_part(e, l->constant, n, terms));
  return a;
}

/* Bytes from the first lane of each lane; of each run of lanes that lie side by side if `whole`. */
static const struct tir__table *table_of(struct tir__emit *e, const struct address *a, int size,
                                         bool whole)
{
  for (int i = 0; i < e->tables; i++)
    if (e->table[i].size == size && e->table[i].whole == whole &&
        !memcmp(e->table[i].coefficient, a->coefficient, sizeof a->coefficient))
      return e->table[i].table;
  int64_t inner = 1, offset[TIR__LANES];
  for (int k = 1; k < e->lane_loops; k++)
    inner *= e->lane_extent[k];
  int64_t n = inner * e->lane_extent[0], run = 1;
  for (int64_t i = 0; i < n; i++) {
    int64_t rest = i;
    offset[i] = 0;
    for (int k = e->lane_loops - 1; k >= 0; k--) {
      offset[i] += (int64_t)((uint64_t)a->coefficient[k] * (uint64_t)(rest % e->lane_extent[k]) *
                             (uint64_t)size);
      rest /= e->lane_extent[k];
    }
  }
  while (run < n && offset[run] == run * size)
    run++;
  struct tir__table *t = TSR_NEW(e->arena, struct tir__table);
  t->contiguous = whole && run == n;
  /* every run as long as the first one, or a part of it: then larger units than an element */
  int lanes_per_unit = 1;
  for (int k = 2; whole && k * size <= 16 && k <= run && inner % k == 0; k *= 2) {
    bool all = true;
    for (int64_t i = 0; i < n; i++)
      all &= offset[i] == offset[i - i % k] + i % k * size;
    if (all)
      lanes_per_unit = k;
  }
  t->unit = size * lanes_per_unit;
  int64_t *units = TSR_NEW_ARRAY(e->arena, int64_t, n / lanes_per_unit);
  for (int64_t i = 0; i < n / lanes_per_unit; i++)
    units[i] = offset[i * lanes_per_unit];
  t->offset = units;
  e->table = TSR_GROW(e->arena, e->table, e->tables, &e->table_capacity);
  e->table[e->tables] = (struct tir__made_table){.size = size, .whole = whole, .table = t};
  memcpy(e->table[e->tables++].coefficient, a->coefficient, sizeof a->coefficient);
  return t;
}

/* The address as one register. */
static int joined(struct tir__emit *e, const struct address *a)
{
  int reg = a->base;
  if (a->affine) {
    struct tir__insn in = blank(TIR__INDEX);
    in.lanes = true;
    in.size = 8;
    in.arg[0] = a->base;
    in.table = table_of(e, a, 1, false);
    reg = result_of(e, in);
  }
  if (a->lanes != TIR__NONE)
    add_to(e, &reg, a->lanes);
  return reg;
}

/* --- loads ----------------------------------------------------------------------------------- */

static bool inside(const struct tir__emit *e, tir_e index, int64_t extent)
{
  return tir__proves_inside(index, extent, e->depth, e->range, e->facts);
}

/* Whether x has a load that is not provably inside its buffer. */
static bool is_risky(struct tir__emit *e, tir_e x)
{
  static const char verdict[2];
  const void *known = tir__map_get(&e->risky, x);
  if (known || x->args == 0)
    return known == &verdict[1];
  bool risky = false;
  for (int i = 0; i < x->args && !risky; i++)
    risky = is_risky(e, x->arg[i]) ||
            (x->op == TIR_LOAD && !inside(e, x->arg[i], x->buffer->dims[i]));
  tir__map_put(e->arena, &e->risky, x, &verdict[risky]);
  return risky;
}

static void check(struct tir__emit *e, tir_e index, const struct tir_buffer *b, int dimension,
                  int mask, struct tir__mask *under)
{
  struct tir__insn in = blank(TIR__CHECK);
  int reg = tir__emit_value(e, index, under);
  in.lanes = tir__emit_is_lanes(e, reg) || (mask != TIR__NONE && tir__emit_is_lanes(e, mask));
  in.arg[0] = in.lanes ? tir__emit_lanes(e, reg) : reg;
  in.mask = mask != TIR__NONE && in.lanes ? tir__emit_lanes(e, mask) : mask;
  in.buffer = tir__buffer_number(e, b);
  in.dimension = dimension;
  in.constant = b->dims[dimension];
  tir__emit_insn(e, in);
}

/* Checks what is not provable. The mask that an access needs to skip the lanes it must not touch.
 */
static int check_all(struct tir__emit *e, const struct tir_buffer *b, tir_e const *index,
                     struct tir__mask *under)
{
  int mask = TIR__NONE;
  for (int i = 0; i < b->rank; i++)
    if (!inside(e, index[i], b->dims[i])) {
      mask = mask_register(e, under);
      check(e, index[i], b, i, mask, under);
    }
  return mask;
}

/* The element's number, row-major. Sums of too many terms are computed as they stand. */
static struct address element_address(struct tir__emit *e, const struct tir_buffer *b,
                                      tir_e const *index, struct tir__mask *mask)
{
  struct tir__linear l = {.n = 0};
  int64_t stride = 1;
  for (int i = b->rank - 1; i >= 0; i--) {
    struct tir__linear before = l;
    if (!tir__linear_add(&l, index[i], stride)) {
      l = before;
      struct address a = {.base = TIR__NONE, .lanes = TIR__NONE};
      a = address_of(e, &l, mask);
      int reg = joined(e, &a);
      for (; i >= 0; stride *= b->dims[i], i--)
        add_to(e, &reg, times_constant(e, tir__emit_value(e, index[i], mask), stride));
      bool lanes = tir__emit_is_lanes(e, reg);
      memset(&a, 0, sizeof a);
      a.base = lanes ? index_constant(e, 0) : reg;
      a.lanes = lanes ? reg : TIR__NONE;
      return a;
    }
    stride *= b->dims[i];
  }
  return address_of(e, &l, mask);
}

static int emit_load(struct tir__emit *e, tir_e x, struct tir__mask *under)
{
  int mask = check_all(e, x->buffer, x->arg, under);
  struct address a = element_address(e, x->buffer, x->arg, under);
  struct tir__insn in = blank(a.lanes == TIR__NONE ? TIR__LOAD : TIR__GATHER);
  in.lanes = a.affine || a.lanes != TIR__NONE || (mask != TIR__NONE && tir__emit_is_lanes(e, mask));
  in.size = (uint8_t)element_bytes(x);
  in.buffer = tir__buffer_number(e, x->buffer);
  in.mask = mask != TIR__NONE && in.lanes ? tir__emit_lanes(e, mask) : mask;
  if (a.lanes != TIR__NONE) {
    in.arg[0] = joined(e, &a);
  } else {
    in.arg[0] = a.base;
    in.table = a.affine ? table_of(e, &a, in.size, mask == TIR__NONE) : NULL;
  }
  return result_of(e, in);
}

/* --- values ---------------------------------------------------------------------------------- */

static int emit_op(struct tir__emit *e, tir_e x, struct tir__mask *mask)
{
  int arg[4];
  enum tsr_dtype from = (enum tsr_dtype)x->arg[x->op == TIR_SELECT]->dtype;
  for (int i = 0; i < x->args; i++) {
    struct tir__mask *m = mask;
    if (x->op == TIR_SELECT && i > 0 && is_risky(e, x->arg[i]))
      m = tir__emit_mask(e, mask, x->arg[0], i == 2);
    arg[i] = tir__emit_value(e, x->arg[i], m);
  }
  tir__kernel *kernel = x->op == TIR_CAST ? tir__cast_kernel((enum tsr_dtype)x->dtype, from)
                                          : tir__op_kernel((enum tir_op)x->op, from);
  return apply(e, kernel, element_bytes(x), x->args, arg);
}

static int emit_new(struct tir__emit *e, tir_e x, struct tir__mask *mask)
{
  struct tir__linear l;
  if (x->op == TIR_INT)
    return constant(e, (enum tsr_dtype)x->dtype, x->i, 0);
  if (x->op == TIR_FLOAT)
    return constant(e, (enum tsr_dtype)x->dtype, 0, x->f);
  if (x->op == TIR_LOAD)
    return emit_load(e, x, mask);
  bool sum = x->op == TIR_VAR || x->op == TIR_ADD || x->op == TIR_SUB || x->op == TIR_MUL;
  if (sum && x->dtype == TSR_I64 && tir__linear(x, &l) &&
      !(l.n == 1 && l.atom[0] == x && x->op != TIR_VAR)) {
    struct address a = address_of(e, &l, mask);
    return joined(e, &a);
  }
  return emit_op(e, x, mask);
}

int tir__emit_value(struct tir__emit *e, tir_e x, struct tir__mask *mask)
{
  if (!is_risky(e, x))
    mask = e->always;
  const void *known = tir__map_get(&mask->done, x);
  if (known)
    return (int)(intptr_t)known - 1;
  int reg = emit_new(e, x, mask);
  tir__map_put(e->arena, &mask->done, x, (const void *)(intptr_t)(reg + 1));
  return reg;
}

/* How many neighbouring lanes share one element: those of the innermost loops that the address does
 * not vary with. 0: all. */
static int64_t lanes_per_element(const struct tir__emit *e, const struct address *a)
{
  int64_t run = 1;
  for (int k = e->lane_loops - 1; k >= 0; k--) {
    if (a->coefficient[k])
      return run;
    run *= e->lane_extent[k];
  }
  return 0;
}

void tir__emit_store(struct tir__emit *e, const struct tir_stmt *s, struct tir__mask *under)
{
  const struct tir_buffer *b = s->store.buffer;
  struct tir__insn in = blank(TIR__STORE);
  int value = tir__emit_lanes(e, tir__emit_value(e, s->store.value, under));
  check_all(e, b, s->store.index, under);
  int mask = mask_register(e, under);
  struct address a = element_address(e, b, s->store.index, under);
  in.lanes = e->lane_loops > 0;
  in.size = (uint8_t)tsr_dtype_bytes(b->dtype);
  in.buffer = tir__buffer_number(e, b);
  in.arg[1] = value;
  in.mask = mask == TIR__NONE ? mask : tir__emit_lanes(e, mask);
  if (s->store.combine != TIR_ASSIGN)
    in.accumulate = tir__accumulator_of(s->store.combine, b->dtype);
  if (a.lanes != TIR__NONE) {
    in.op = TIR__SCATTER;
    in.arg[0] = joined(e, &a);
    in.constant = 1;
  } else {
    in.arg[0] = a.base;
    in.table = a.affine ? table_of(e, &a, in.size, !in.accumulate && mask == TIR__NONE) : NULL;
    in.constant = lanes_per_element(e, &a);
  }
  tir__emit_insn(e, in);
}

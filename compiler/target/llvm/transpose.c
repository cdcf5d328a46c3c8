/* SPDX-License-Identifier: Apache-2.0 */
/* A copy that turns rows into columns,
 *
 *   for h { for i { y[.., h, i] = f(x[.., i, h]) } }
 *
 * in squares: rows of x are loaded, turned in registers, and stored as rows of y. Where a square does not
 * divide the loops, the last one overlaps the one before; where lanes may be left out, rows of x that are
 * shorter than it are one square. Squares whose rows are 16 bytes are turned several at a time, as many as a
 * vector has 16 bytes: those behind each other in one of the loops. f is what is computed of each element, if
 * anything. */
#include "compiler/target/llvm/emit.h"

enum { MOST_SIDE = 16, LEAST_SIDE = 4, PART = 16 /* bytes */, AHEAD = 512 /* bytes */ };

struct square {
  const struct tir_stmt *down, *along; /* loops: from store to store, and of one store */
  const struct tir_stmt *store;
  tir_e value, load;
  int64_t from, to; /* of `down` */
  int side;
  int64_t used;      /* rows of y in a square, fewer where `down` has fewer */
  int downs, alongs; /* squares that are turned at a time, in either loop; one of them is 1 */
  bool apart;        /* rows of x are not one behind the other */
};

static int row_bytes(const struct square *q)
{
  return q->side * (int)tsr_dtype_bytes((enum tsr_dtype)q->load->dtype);
}

static int side_of(const struct llvm__emit *e, const struct square *q)
{
  int side = e->machine.vector_bytes / (int)tsr_dtype_bytes((enum tsr_dtype)q->load->dtype);
  side = side < MOST_SIDE ? side : MOST_SIDE;
  bool masks = e->machine.vector_bytes == 64;
  while (side > q->along->f.extent->i || (masks ? side / 2 : side - 1) >= q->to - q->from)
    side /= 2;
  return side;
}

/* As many squares as a vector has room for, and the loop. */
static int squares_in(const struct llvm__emit *e, const struct square *q, int64_t extent)
{
  int n = e->machine.vector_bytes / PART;
  bool fit = row_bytes(q) == PART && q->used == q->side &&
             tsr_dtype_bytes(q->store->store.buffer->dtype) ==
                 tsr_dtype_bytes((enum tsr_dtype)q->load->dtype);
  while (n > 1 && (!fit || (int64_t)n * q->side > extent))
    n /= 2;
  return n;
}

static bool steps(struct llvm__emit *e, const struct square *q, const struct tir_var *along,
                  int64_t *store, int64_t *load)
{
  e->lane = along;
  e->varies = (struct tir__map){0};
  bool known = llvm__lane_step(e, q->store->store.buffer, q->store->store.index, store) &&
               llvm__lane_step(e, q->load->buffer, q->load->arg, load);
  e->lane = NULL;
  return known;
}

static void bind(struct llvm__emit *e, const struct square *q, LLVMValueRef down,
                 LLVMValueRef along)
{
  llvm__bind(e, q->down->f.var, q->from, q->to - 1, down);
  llvm__bind(e, q->along->f.var, 0, q->along->f.extent->i - 1, along);
}

static bool is_inside(struct llvm__emit *e, const struct square *q)
{
  int depth = e->depth;
  bind(e, q, NULL, NULL);
  bool inside = llvm__always_inside(e, q->load->buffer, q->load->arg) &&
                llvm__always_inside(e, q->store->store.buffer, q->store->store.index);
  e->depth = depth;
  return inside;
}

/* Whether the load is the same for the whole nest. */
static bool is_still(const struct square *q, tir_e load)
{
  for (int d = 0; d < load->args; d++)
    if (llvm__uses(load->arg[d], q->down->f.var) || llvm__uses(load->arg[d], q->along->f.var))
      return false;
  return true;
}

/* How often x loads what is not the same for the whole nest; *load is the last of them. */
static int loads_of(const struct square *q, tir_e x, tir_e *load)
{
  int n = 0;
  if (x->op == TIR_LOAD) {
    if (is_still(q, x))
      return 0;
    *load = x;
    return 1;
  }
  for (int i = 0; i < x->args; i++)
    n += loads_of(q, x->arg[i], load);
  return n;
}

static bool has_select(tir_e x)
{
  bool found = x->op == TIR_SELECT;
  for (int i = 0; i < x->args && !found && x->op != TIR_LOAD; i++)
    found = has_select(x->arg[i]);
  return found;
}

/* The value without conditions that are known here. */
static tir_e value_of(struct llvm__emit *e, const struct square *q)
{
  tir_e x = q->store->store.value;
  int depth = e->depth;
  bind(e, q, NULL, NULL);
  while (x->op == TIR_SELECT && llvm__decided(e, x->arg[0]) >= 0)
    x = x->arg[llvm__decided(e, x->arg[0]) ? 1 : 2];
  e->depth = depth;
  return x;
}

static bool find(struct llvm__emit *e, struct square *q, const struct tir_stmt *s, int64_t from,
                 int64_t to)
{
  int64_t store, load;
  if (s->f.loop != TIR_SERIAL || s->f.body->kind != TIR_FOR || s->f.body->f.extent->op != TIR_INT ||
      s->f.body->f.body->kind != TIR_STORE)
    return false;
  *q = (struct square){
      .down = s, .along = s->f.body, .store = s->f.body->f.body, .from = from, .to = to};
  q->value = value_of(e, q);
  if (q->store->store.combine != TIR_ASSIGN || loads_of(q, q->value, &q->load) != 1 ||
      has_select(q->value) || q->load->dtype == TSR_BOOL ||
      q->store->store.buffer->dtype == TSR_BOOL || q->load->buffer == q->store->store.buffer)
    return false;
  q->side = side_of(e, q);
  q->used = to - from < q->side ? to - from : q->side;
  q->alongs = squares_in(e, q, q->along->f.extent->i);
  q->downs = q->alongs > 1 ? 1 : squares_in(e, q, to - from);
  if (q->side < LEAST_SIDE || !steps(e, q, q->along->f.var, &store, &load) || store != 1 ||
      load == 1)
    return false;
  q->apart = load != q->side;
  return steps(e, q, q->down->f.var, &store, &load) && load == 1 && is_inside(e, q);
}

/* --- one square ------------------------------------------------------------------------------- */

static LLVMTypeRef row_type(struct llvm__emit *e, const struct square *q)
{
  return LLVMVectorType(llvm__memory_type(e, (enum tsr_dtype)q->load->dtype),
                        (unsigned)(q->side * q->downs));
}

/* A row of x, or as much of it as there is. */
static LLVMValueRef load_lanes(struct llvm__emit *e, const struct square *q, LLVMValueRef at)
{
  LLVMTypeRef types[] = {row_type(e, q), LLVMTypeOf(at)};
  unsigned bytes = (unsigned)tsr_dtype_bytes((enum tsr_dtype)q->load->dtype);
  LLVMValueRef lane[MOST_SIDE];
  if (q->used == q->side) {
    LLVMValueRef row = LLVMBuildLoad2(e->builder, types[0], at, "");
    LLVMSetAlignment(row, bytes);
    return row;
  }
  for (int i = 0; i < q->side; i++)
    lane[i] = LLVMConstInt(LLVMInt1TypeInContext(e->context), i < q->used, 0);
  LLVMValueRef arg[] = {at, llvm__i32(e, (int32_t)bytes), LLVMConstVector(lane, (unsigned)q->side),
                        LLVMConstNull(types[0])};
  return llvm__intrinsic(e, "llvm.masked.load", 2, types, 4, arg);
}

/* Rows of x are as many places that are read side by side, which is more than a processor keeps track of. */
static void fetch_ahead(struct llvm__emit *e, LLVMValueRef at)
{
  LLVMValueRef by = llvm__i64(e, AHEAD);
  LLVMTypeRef pointer = LLVMTypeOf(at);
  at = LLVMBuildGEP2(e->builder, LLVMInt8TypeInContext(e->context), at, &by, 1, "");
  LLVMValueRef arg[] = {at, llvm__i32(e, 0), llvm__i32(e, 3),
                        llvm__i32(e, 1)}; /* to read, all caches */
  llvm__intrinsic(e, "llvm.prefetch", 1, &pointer, 4, arg);
}

/* n lanes of a, and of b behind them, by number. */
static LLVMValueRef shuffled(struct llvm__emit *e, LLVMValueRef a, LLVMValueRef b, int n,
                             const int *from)
{
  LLVMValueRef lane[LLVM__MOST_LANES];
  for (int i = 0; i < n; i++)
    lane[i] = llvm__i32(e, from[i]);
  return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(lane, (unsigned)n), "");
}

/* n lanes from number `at` on, of a and of b behind it. */
static LLVMValueRef lanes_from(struct llvm__emit *e, LLVMValueRef a, LLVMValueRef b, int at, int n)
{
  int from[LLVM__MOST_LANES];
  for (int i = 0; i < n; i++)
    from[i] = at + i;
  return shuffled(e, a, b, n, from);
}

/* Row k of a square, of x; with those of squares further down behind it. */
static LLVMValueRef load_row(struct llvm__emit *e, const struct square *q, LLVMValueRef down,
                             LLVMValueRef along, int k)
{
  struct llvm__scope scope;
  bool guarded;
  bind(e, q, down, LLVMBuildNSWAdd(e->builder, along, llvm__i64(e, k), ""));
  llvm__scope_open(e, &scope);
  struct llvm__address at = llvm__address(e, q->load->buffer, q->load->arg, &guarded);
  llvm__scope_close(e);
  if (!e->machine.lanes && q->apart)
    fetch_ahead(e, at.pointer);
  LLVMValueRef row = load_lanes(e, q, at.pointer);
  llvm__unbind(e);
  llvm__unbind(e);
  return row;
}

/* Row k of n squares, the first of them at `along`. */
static LLVMValueRef load_rows(struct llvm__emit *e, const struct square *q, LLVMValueRef down,
                              LLVMValueRef along, int k, int n)
{
  if (n == 1)
    return load_row(e, q, down, along, k);
  LLVMValueRef a = load_rows(e, q, down, along, k, n / 2);
  LLVMValueRef b = load_rows(e, q, down, along, k + n / 2 * q->side, n / 2);
  return lanes_from(e, a, b, 0, n * q->side);
}

/* Row k of y: what is computed of elements of x, in lanes. */
static void store_row(struct llvm__emit *e, const struct square *q, LLVMValueRef down,
                      LLVMValueRef along, int k, LLVMValueRef row)
{
  struct llvm__scope scope;
  bool guarded;
  bind(e, q, LLVMBuildNSWAdd(e->builder, down, llvm__i64(e, k), ""), along);
  e->lane = q->along->f.var;
  e->width = q->side * q->alongs;
  e->varies = (struct tir__map){0};
  llvm__scope_open(e, &scope);
  tir__map_put(e->arena, &scope.done, q->load, row);
  LLVMValueRef value = llvm__spread(e, llvm__value(e, q->value));
  struct llvm__address at =
      llvm__address(e, q->store->store.buffer, q->store->store.index, &guarded);
  llvm__store_at(e, q->store->store.buffer->dtype, &at, value);
  llvm__scope_close(e);
  e->lane = NULL;
  e->width = 1;
  llvm__unbind(e);
  llvm__unbind(e);
}

/* How a square is turned: 16 bytes of a register at a time, then these as wholes. */
struct turning {
  int n, m;  /* elements of a register; of 16 bytes of it */
  int parts; /* that are turned as wholes; several squares have one each */
};

/* In each 16 bytes elements of a and b by turns, from the lower or the upper half of both. */
static LLVMValueRef by_turns(struct llvm__emit *e, const struct turning *t, LLVMValueRef a,
                             LLVMValueRef b, bool upper)
{
  int from[LLVM__MOST_LANES];
  for (int i = 0; i < t->n; i++)
    from[i] = i / t->m * t->m + i % t->m / 2 + (upper ? t->m / 2 : 0) + (i % 2 ? t->n : 0);
  return shuffled(e, a, b, t->n, from);
}

/* Every second 16 bytes, of a and then of b. */
static LLVMValueRef every_second(struct llvm__emit *e, const struct turning *t, LLVMValueRef a,
                                 LLVMValueRef b, bool odd)
{
  int from[MOST_SIDE];
  for (int i = 0; i < t->n; i++)
    from[i] = (2 * (i / t->m) + odd) * t->m + i % t->m;
  return shuffled(e, a, b, t->n, from);
}

/* Rows of one group of m: their halves are laced into each other as often as halving m takes. */
static void turn_elements(struct llvm__emit *e, const struct turning *t, LLVMValueRef *row)
{
  for (int step = 1; step < t->m; step *= 2) {
    LLVMValueRef laced[MOST_SIDE];
    for (int i = 0; i < t->m; i++)
      laced[i] = by_turns(e, t, row[i / 2], row[i / 2 + t->m / 2], i % 2);
    for (int i = 0; i < t->m; i++)
      row[i] = laced[i];
  }
}

/* Rows that are m apart. */
static void turn_parts(struct llvm__emit *e, const struct turning *t, LLVMValueRef *row)
{
  int parts = t->parts;
  for (int step = 1; step < parts; step *= 2) {
    LLVMValueRef part[MOST_SIDE];
    for (int i = 0; i < parts; i++) {
      int from = 2 * (i % (parts / 2));
      part[i] = every_second(e, t, row[from * t->m], row[(from + 1) * t->m], i >= parts / 2);
    }
    for (int i = 0; i < parts; i++)
      row[i * t->m] = part[i];
  }
}

static void turn(struct llvm__emit *e, const struct square *q, LLVMValueRef *row)
{
  int m = PART / (int)tsr_dtype_bytes((enum tsr_dtype)q->load->dtype);
  m = m < q->side ? m : q->side;
  struct turning t = {q->side * q->downs * q->alongs, m, q->side / m};
  for (int k = 0; k < q->side; k += t.m)
    turn_elements(e, &t, row + k);
  for (int k = 0; k < t.m; k++)
    turn_parts(e, &t, row + k);
}

static void emit_squares(struct llvm__emit *e, const struct square *q, LLVMValueRef down,
                         LLVMValueRef along)
{
  LLVMValueRef row[MOST_SIDE];
  for (int k = 0; k < q->side; k++)
    row[k] = load_rows(e, q, down, along, k, q->alongs);
  turn(e, q, row);
  for (int i = 0; i < q->downs; i++)
    for (int k = 0; k < q->used; k++)
      store_row(e, q, down, along, i * q->side + k,
                q->downs == 1 ? row[k] : lanes_from(e, row[k], row[k], i * q->side, q->side));
}

/* --- all squares ------------------------------------------------------------------------------ */

static void emit_along(struct llvm__emit *e, const struct square *q, LLVMValueRef down)
{
  int64_t step = (int64_t)q->side * q->alongs;
  int64_t extent = q->along->f.extent->i, whole = extent / step * step;
  LLVMValueRef to = llvm__i64(e, whole);
  struct llvm__loop loop = llvm__loop_begin(e, llvm__i64(e, 0), to, step);
  emit_squares(e, q, down, loop.counter);
  llvm__loop_end(e, &loop, to, step);
  if (whole < extent)
    emit_squares(e, q, down, llvm__i64(e, extent - step));
}

bool llvm__transpose(struct llvm__emit *e, const struct tir_stmt *s, int64_t from, int64_t to)
{
  struct square q;
  if (!find(e, &q, s, from, to))
    return false;
  if (q.used < q.side) {
    emit_along(e, &q, llvm__i64(e, from));
    return true;
  }
  int64_t step = (int64_t)q.side * q.downs, whole = from + (to - from) / step * step;
  struct llvm__loop loop = llvm__loop_begin(e, llvm__i64(e, from), llvm__i64(e, whole), step);
  emit_along(e, &q, loop.counter);
  llvm__loop_end(e, &loop, llvm__i64(e, whole), step);
  if (whole < to)
    emit_along(e, &q, llvm__i64(e, to - step));
  return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A copy that turns rows into columns,
 *
 *   for h { for i { y[.., h, i] = x[.., i, h] } }
 *
 * in squares: rows of x are loaded, turned in registers, and stored as rows of y. Where a square does not
 * divide the loops, the last one overlaps the one before. */
#include "compiler/target/llvm/emit.h"

enum { MOST_SIDE = 16, LEAST_SIDE = 4 };

struct square {
  const struct tir_stmt *down, *along; /* loops: from store to store, and of one store */
  const struct tir_stmt *store;
  tir_e load;
  int side;
};

static int side_of(const struct llvm__emit *e, const struct square *q)
{
  int side = e->machine.vector_bytes / (int)tsr_dtype_bytes(q->store->store.buffer->dtype);
  side = side < MOST_SIDE ? side : MOST_SIDE;
  while (side > q->down->f.extent->i || side > q->along->f.extent->i)
    side /= 2;
  return side;
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

static bool is_inside(struct llvm__emit *e, const struct square *q)
{
  int depth = e->depth;
  llvm__bind(e, q->down->f.var, 0, q->down->f.extent->i - 1, NULL);
  llvm__bind(e, q->along->f.var, 0, q->along->f.extent->i - 1, NULL);
  bool inside = llvm__always_inside(e, q->load->buffer, q->load->arg) &&
                llvm__always_inside(e, q->store->store.buffer, q->store->store.index);
  e->depth = depth;
  return inside;
}

static bool find(struct llvm__emit *e, struct square *q, const struct tir_stmt *s)
{
  int64_t store, load;
  if (s->f.loop != TIR_SERIAL || s->f.extent->op != TIR_INT || s->f.body->kind != TIR_FOR ||
      s->f.body->f.extent->op != TIR_INT || s->f.body->f.body->kind != TIR_STORE)
    return false;
  *q = (struct square){.down = s, .along = s->f.body, .store = s->f.body->f.body};
  q->load = q->store->store.value;
  if (q->store->store.combine != TIR_ASSIGN || q->load->op != TIR_LOAD ||
      q->load->dtype == TSR_BOOL || q->load->buffer == q->store->store.buffer)
    return false;
  q->side = side_of(e, q);
  return q->side >= LEAST_SIDE && steps(e, q, q->along->f.var, &store, &load) && store == 1 &&
         load != 1 && steps(e, q, q->down->f.var, &store, &load) && load == 1 && is_inside(e, q);
}

/* --- one square ------------------------------------------------------------------------------- */

static LLVMTypeRef row_type(struct llvm__emit *e, const struct square *q)
{
  return LLVMVectorType(llvm__memory_type(e, (enum tsr_dtype)q->load->dtype), (unsigned)q->side);
}

/* Where the square's row k begins, in x or in y. */
static LLVMValueRef row_at(struct llvm__emit *e, const struct square *q, LLVMValueRef down,
                           LLVMValueRef along, bool of_store, int k)
{
  struct llvm__scope scope;
  bool guarded;
  LLVMValueRef by = llvm__i64(e, k);
  if (of_store)
    down = LLVMBuildNSWAdd(e->builder, down, by, "");
  else
    along = LLVMBuildNSWAdd(e->builder, along, by, "");
  llvm__bind(e, q->down->f.var, 0, q->down->f.extent->i - 1, down);
  llvm__bind(e, q->along->f.var, 0, q->along->f.extent->i - 1, along);
  llvm__scope_open(e, &scope);
  struct llvm__address at =
      of_store ? llvm__address(e, q->store->store.buffer, q->store->store.index, &guarded)
               : llvm__address(e, q->load->buffer, q->load->arg, &guarded);
  llvm__scope_close(e);
  llvm__unbind(e);
  llvm__unbind(e);
  return at.pointer;
}

/* Elements of a and b by turns, from the lower or the upper half of each. */
static LLVMValueRef by_turns(struct llvm__emit *e, LLVMValueRef a, LLVMValueRef b, int n,
                             bool upper)
{
  LLVMValueRef lane[MOST_SIDE];
  for (int i = 0; i < n; i++)
    lane[i] = llvm__i32(e, i / 2 + (upper ? n / 2 : 0) + (i % 2 ? n : 0));
  return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(lane, (unsigned)n), "");
}

/* As often as halving the side takes, rows of both halves are laced into each other. */
static void turn(struct llvm__emit *e, int n, LLVMValueRef *row)
{
  for (int step = 1; step < n; step *= 2) {
    LLVMValueRef laced[MOST_SIDE];
    for (int i = 0; i < n / 2; i++)
      for (int upper = 0; upper < 2; upper++)
        laced[2 * i + upper] = by_turns(e, row[i], row[i + n / 2], n, upper);
    for (int i = 0; i < n; i++)
      row[i] = laced[i];
  }
}

static void emit_square(struct llvm__emit *e, const struct square *q, LLVMValueRef down,
                        LLVMValueRef along)
{
  LLVMValueRef row[MOST_SIDE];
  unsigned bytes = (unsigned)tsr_dtype_bytes((enum tsr_dtype)q->load->dtype);
  for (int k = 0; k < q->side; k++) {
    row[k] = LLVMBuildLoad2(e->builder, row_type(e, q), row_at(e, q, down, along, false, k), "");
    LLVMSetAlignment(row[k], bytes);
  }
  turn(e, q->side, row);
  for (int k = 0; k < q->side; k++) {
    LLVMValueRef s = LLVMBuildStore(e->builder, row[k], row_at(e, q, down, along, true, k));
    LLVMSetAlignment(s, bytes);
  }
}

/* --- all squares ------------------------------------------------------------------------------ */

static void emit_along(struct llvm__emit *e, const struct square *q, LLVMValueRef down)
{
  int64_t extent = q->along->f.extent->i, whole = extent / q->side * q->side;
  LLVMValueRef to = llvm__i64(e, whole);
  struct llvm__loop loop = llvm__loop_begin(e, llvm__i64(e, 0), to, q->side);
  emit_square(e, q, down, loop.counter);
  llvm__loop_end(e, &loop, to, q->side);
  if (whole < extent)
    emit_square(e, q, down, llvm__i64(e, extent - q->side));
}

bool llvm__transpose(struct llvm__emit *e, const struct tir_stmt *s)
{
  struct square q;
  if (!find(e, &q, s))
    return false;
  int64_t extent = s->f.extent->i, whole = extent / q.side * q.side;
  LLVMValueRef to = llvm__i64(e, whole);
  struct llvm__loop loop = llvm__loop_begin(e, llvm__i64(e, 0), to, q.side);
  emit_along(e, &q, loop.counter);
  llvm__loop_end(e, &loop, to, q.side);
  if (whole < extent)
    emit_along(e, &q, llvm__i64(e, extent - q.side));
  return true;
}

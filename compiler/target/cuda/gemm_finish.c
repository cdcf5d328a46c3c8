/* SPDX-License-Identifier: Apache-2.0 */
/* From sums to results. Thread t of four neighbours holds, of each 8 columns, numbers 2t and 2t + 1 of a row
 * and of the row 8 below: a *run* is what it holds of 32 columns of one row. */
#include <string.h>

#include "compiler/target/cuda/gemm_private.h"

/* --- elements --------------------------------------------------------------------------------- */

static LLVMValueRef wide(const struct gemm *k, LLVMValueRef v)
{
  return LLVMBuildZExt(k->e->builder, v, LLVMInt64TypeInContext(k->e->context), "");
}

void gemm__give(struct llvm__emit *e, tir_e x, const struct tir_buffer *b, LLVMValueRef v)
{
  if (x->op == TIR_LOAD && x->buffer == b) {
    tir__map_put(e->arena, &e->scope->done, x, v);
    return;
  }
  for (int i = 0; i < x->args; i++)
    gemm__give(e, x->arg[i], b, v);
}

static void bind(const struct gemm *k, const struct tir_axis *axis, LLVMValueRef at)
{
  llvm__bind(k->e, axis->var, 0, axis->extent - 1, at);
}

bool gemm__is_of_column(const struct gemm *k, const struct tir_stage *s, tir_e x)
{
  const struct tir_func *f = k->g->epilogue;
  bool input = false;
  for (int i = 1; i < f->inputs; i++)
    input |= x->buffer == f->param[i];
  for (int d = 0; d < s->axes - k->g->columns; d++)
    input &= s->axis[d].extent == 1 || !llvm__uses(x, s->axis[d].var);
  return input;
}

/* Loads in x that are the same in all rows, into this scope. */
static void load_of_column(const struct gemm *k, const struct tir_stage *s, tir_e x)
{
  if (x->op == TIR_LOAD && gemm__is_of_column(k, s, x)) {
    llvm__value(k->e, x);
    return;
  }
  for (int i = 0; i < x->args; i++)
    load_of_column(k, s, x->arg[i]);
}

/* The indices that count to v, of the result's axes from `first` to before `end`, to index[first..end). */
static void count_off(const struct gemm *k, LLVMValueRef v, int first, int end, LLVMValueRef *index)
{
  for (int d = end - 1; d >= first; d--) {
    LLVMValueRef extent = number(k, k->result->dims[d]);
    index[d] = wide(k, d == first ? v : modulo(k, v, extent));
    v = over(k, v, extent);
  }
}

static int first_column(const struct gemm *k)
{
  return k->result->rank - k->g->columns;
}

static void open_column(const struct gemm *k, LLVMValueRef column, struct llvm__scope *scope)
{
  const struct tir_func *f = k->g->epilogue;
  LLVMValueRef index[TSR_MAX_RANK];
  int first = first_column(k), end = k->result->rank;
  count_off(k, column, first, end, index);
  llvm__scope_open(k->e, scope);
  for (int d = 0; d < first; d++)
    index[d] = llvm__i64(k->e, 0); /* of rows only those axes matter that have no other index */
  for (int i = 0; i < f->stages; i++) {
    for (int d = 0; d < end; d++)
      bind(k, &f->stage[i]->axis[d], index[d]);
    load_of_column(k, f->stage[i], f->stage[i]->value);
    for (int d = 0; d < end; d++)
      llvm__unbind(k->e);
  }
  llvm__scope_close(k->e);
}

/* Two floats are rounded to two halves in one step: what the last stage rounds. */
static tir_e rounded_value(const struct gemm *k, tir_e x)
{
  bool rounds = x->op == TIR_CAST && x->arg[0]->dtype == TSR_F32 &&
                tsr_dtype_is_half(k->result->dtype);
  return rounds ? x->arg[0] : x;
}

/* What an element becomes whose sum is v: the stages one after another. A half that is only rounded at the
 * end comes as f32. */
static LLVMValueRef value_of(const struct gemm *k, LLVMValueRef row, LLVMValueRef column,
                             const struct gemm__quant *quick, struct llvm__scope *of_column,
                             LLVMValueRef v)
{
  LLVMValueRef index[TSR_MAX_RANK];
  struct llvm__emit *e = k->e;
  const struct tir_func *f = k->g->epilogue;
  struct llvm__scope scope, *outer = e->scope;
  count_off(k, row, 0, first_column(k), index);
  count_off(k, column, first_column(k), k->result->rank, index);
  e->scope = of_column;
  llvm__scope_open(e, &scope);
  for (int i = 0; i < f->stages; i++) {
    const struct tir_stage *s = f->stage[i];
    tir_e value = i == f->stages - 1 ? rounded_value(k, s->value) : s->value;
    for (int d = 0; d < s->axes; d++)
      bind(k, &s->axis[d], index[d]);
    for (int j = i; j < f->stages && i == 0; j++)
      gemm__give(e, f->stage[j]->value, f->param[0], v);
    if (quick && i == 0)
      gemm__quant_give(k, quick, v);
    v = llvm__value(e, value);
    for (int j = i + 1; j < f->stages; j++)
      gemm__give(e, f->stage[j]->value, s->out, v);
    for (int d = 0; d < s->axes; d++)
      llvm__unbind(e);
  }
  e->scope = outer;
  return v;
}

/* --- words ------------------------------------------------------------------------------------- */

static LLVMTypeRef word_type(const struct gemm *k)
{
  return LLVMInt32TypeInContext(k->e->context);
}

/* Two elements of 16 bits, the first one in the lower half. */
static LLVMValueRef halves(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  LLVMBuilderRef b = k->e->builder;
  bool f16 = k->result->dtype == TSR_F16;
  if (LLVMGetTypeKind(LLVMTypeOf(x)) == LLVMFloatTypeKind) {
    LLVMValueRef arg[] = {y, x};
    return llvm__intrinsic(k->e, f16 ? "llvm.nvvm.ff2f16x2.rn" : "llvm.nvvm.ff2bf16x2.rn", 0, NULL,
                           2, arg);
  }
  LLVMValueRef high = LLVMBuildShl(b, LLVMBuildZExt(b, y, word_type(k), ""), number(k, 16), "");
  return LLVMBuildOr(b, LLVMBuildZExt(b, x, word_type(k), ""), high, "");
}

/* Four bytes as one word. */
static LLVMValueRef bytes(const struct gemm *k, LLVMValueRef *v)
{
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef all = NULL;
  for (int i = 0; i < 4; i++) {
    LLVMValueRef one = LLVMBuildZExt(b, v[i], word_type(k), "");
    one = LLVMBuildShl(b, one, number(k, 8 * i), "");
    all = all ? LLVMBuildOr(b, all, one, "") : one;
  }
  return all;
}

/* Word j of four to thread j of four neighbours; then word t is what thread t gave to this one. */
static void trade(const struct gemm *k, LLVMValueRef *w)
{
  LLVMBuilderRef b = k->e->builder;
  for (int bit = 2; bit; bit >>= 1) {
    LLVMValueRef mine = LLVMBuildAnd(b, k->lane, number(k, bit), "");
    LLVMValueRef high = LLVMBuildICmp(b, LLVMIntNE, mine, number(k, 0), "");
    for (int i = 0; i < 2; i++) {
      LLVMValueRef *low = &w[bit == 2 ? i : 2 * i], *top = low + bit;
      LLVMValueRef keep = LLVMBuildSelect(b, high, *top, *low, "");
      LLVMValueRef got = cuda__trade(k->e, LLVMBuildSelect(b, high, *low, *top, ""), bit);
      *low = LLVMBuildSelect(b, high, got, keep, "");
      *top = LLVMBuildSelect(b, high, keep, got, "");
    }
  }
}

/* The words of a run: eight elements, side by side in y once neighbours have traded them. */
static int words_of(const struct gemm *k, LLVMValueRef *v, LLVMValueRef *word)
{
  int size = bytes_of(k->result->dtype), words = RUN * size / 4;
  for (int i = 0; i < words; i++) {
    word[i] = size == 4   ? v[i]
              : size == 2 ? halves(k, v[2 * i], v[2 * i + 1])
                          : bytes(k, v + 4 * i);
    word[i] = LLVMBuildBitCast(k->e->builder, word[i], word_type(k), "");
  }
  if (k->g->b != CUDA__B_ROWS)
    return words;
  for (int part = 0; part < words / 4; part++) { /* of pairs of columns, word by word */
    LLVMValueRef w[4];
    for (int i = 0; i < 4; i++)
      w[i] = word[i * (words / 4) + part];
    trade(k, w);
    for (int i = 0; i < 4; i++)
      word[i * (words / 4) + part] = w[i];
  }
  return words;
}

/* --- runs --------------------------------------------------------------------------------------- */

static void store_row(const struct gemm *k, LLVMValueRef inside, LLVMValueRef row,
                      LLVMValueRef column, LLVMValueRef *v)
{
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef word[RUN], to = LLVMBuildMul(b, wide(k, row), wide(k, k->n), "");
  to = LLVMBuildAdd(b, to, wide(k, column), "");
  int words = words_of(k, v, word);
  LLVMTypeRef type = llvm__memory_type(k->e, k->result->dtype);
  cuda__global_store(k->e, inside, LLVMBuildGEP2(b, type, k->y, &to, 1, ""), words, word);
}

/* Where sum j of a run is in y before neighbours trade. */
static LLVMValueRef column_of(const struct gemm *k, LLVMValueRef columns, LLVMValueRef run, int j)
{
  if (k->g->b != CUDA__B_ROWS)
    return add(k, run, number(k, j));
  LLVMValueRef pair = times(k, modulo(k, k->lane, number(k, 4)), 2);
  return add(k, add(k, columns, pair), number(k, j / 2 * 8 + j % 2));
}

/* A thread's runs out of 32 columns, of n rows, 1 or 2. */
struct runs {
  LLVMValueRef columns, own; /* the first of 32, and of those that this thread stores */
  int n;
  LLVMValueRef row[2], inside[2], near[2]; /* of y; near: what is no row computes the last one */
  LLVMValueRef (*sum)[RUN];
};

/* One piece of code without branches, into which LLVM would move what goes before; column by column, so that
 * what a column has is in registers for a short time. */
static void finish_all(const struct gemm *k, const struct runs *r, struct llvm__scope *of_column,
                       const struct gemm__quant *quick)
{
  LLVMValueRef v[2][RUN];
  for (int j = 0; j < RUN; j++) {
    LLVMValueRef column = column_of(k, r->columns, r->own, j);
    struct llvm__scope scope = of_column[j];
    for (int i = 0; i < r->n; i++)
      v[i][j] = value_of(k, r->near[i], column, quick ? &quick[j] : NULL, &scope, r->sum[i][j]);
  }
  for (int i = 0; i < r->n; i++)
    store_row(k, r->inside[i], r->row[i], r->own, v[i]);
}

static void finish_columns(const struct gemm *k, const struct runs *r)
{
  LLVMBuilderRef b = k->e->builder;
  struct llvm__scope scope[RUN];
  struct gemm__quant quick[RUN];
  LLVMValueRef all = NULL;
  for (int j = 0; j < RUN; j++) {
    open_column(k, column_of(k, r->columns, r->own, j), &scope[j]);
    LLVMValueRef can = gemm__quant_of(k, &scope[j], &quick[j]);
    all = !can ? NULL : j ? LLVMBuildAnd(b, all, can, "") : can;
  }
  if (!all) {
    finish_all(k, r, scope, NULL);
    return;
  }
  LLVMBasicBlockRef part[] = {llvm__block(k->e, "quick"), llvm__block(k->e, "slow")};
  LLVMBasicBlockRef done = llvm__block(k->e, "finished");
  LLVMBuildCondBr(b, all, part[0], part[1]);
  for (int i = 0; i < 2; i++) {
    LLVMPositionBuilderAtEnd(b, part[i]);
    finish_all(k, r, scope, i ? NULL : quick);
    LLVMBuildBr(b, done);
  }
  LLVMPositionBuilderAtEnd(b, done);
}

/* local: rows of the tile. */
static void finish_runs(const struct gemm *k, const struct gemm__place *at, LLVMValueRef columns,
                        int n, LLVMValueRef *local, LLVMValueRef (*sum)[RUN])
{
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef own = add(k, columns, times(k, modulo(k, k->lane, number(k, 4)), RUN));
  LLVMValueRef last = LLVMBuildSub(b, times(k, k->m, k->g->batch), number(k, 1), "");
  bool ragged = k->g->b != CUDA__B_ROWS && (k->g->n == 0 || k->g->n % COLUMNS);
  LLVMValueRef inside = less(k, ragged ? own : columns, k->n);
  struct runs r = {.columns = columns, .own = own, .n = n, .sum = sum};
  LLVMBasicBlockRef done = cuda__if(k->e, inside);
  for (int i = 0; i < n; i++) {
    r.row[i] = gemm__row(k, at, local[i], &r.inside[i]);
    r.near[i] = LLVMBuildSelect(b, r.inside[i], r.row[i], last, "");
  }
  finish_columns(k, &r);
  cuda__end_if(k->e, done);
}

/* This thread's first row of sums in its block's tile. */
static LLVMValueRef own_row(const struct gemm *k, LLVMValueRef warpgroup)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMValueRef warp = modulo(k, k->warp, number(k, 4));
  LLVMValueRef row = add(k, times(k, warp, 16), over(k, k->lane, number(k, 4)));
  return readers(t) > 1 ? add(k, row, times(k, warpgroup, rows_of_warpgroup(t))) : row;
}

/* A thread's runs lie in pairs of rows 8 apart, a pair for each 32 columns of each 64 rows. The pairs of columns of
 * a run come from eights of columns that were copied behind one another, or for B_COLUMNS a quarter of the
 * tile apart. */
static void sums_of_run(const struct gemm *k, int u, LLVMValueRef *v)
{
  int along = k->g->tile.n / COLUMNS, at = u / 2 % along, below = u / 2 / along * 4 * along;
  bool apart = k->g->b == CUDA__B_COLUMNS;
  for (int j = 0; j < RUN; j++) {
    int eight = below + (apart ? j / 2 * along + at : at * 4 + j / 2);
    v[j] = cuda__get(k->e, k->sum[eight * 4 + u % 2 * 2 + j % 2]);
  }
}

void gemm__finish(const struct gemm *k, LLVMValueRef warpgroup, const struct gemm__place *at)
{
  int along = k->g->tile.n / COLUMNS;
  LLVMValueRef v[2][RUN], rows[2], row = own_row(k, warpgroup);
  for (int pair = 0; pair < k->sums / RUN / 2; pair++) {
    for (int i = 0; i < 2; i++) {
      sums_of_run(k, 2 * pair + i, v[i]);
      rows[i] = add(k, row, number(k, pair / along * 64 + i * 8));
    }
    finish_runs(k, at, add(k, at->column, number(k, pair % along * COLUMNS)), 2, rows, v);
  }
}

/* --- a tile of several blocks ------------------------------------------------------------------------------------ */

/* Where half h of run u of this thread lies while blocks add up: threads of a warp side by side. */
static LLVMValueRef partial_at(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef u, int h)
{
  LLVMValueRef thread = add(k, times(k, modulo(k, k->warp, number(k, 4)), 32), k->lane);
  LLVMValueRef run = add(k, times(k, warpgroup, k->sums / RUN), u);
  LLVMValueRef slot = add(k, times(k, run, 2), number(k, h));
  return add(k, k->ring, times(k, add(k, times(k, slot, WARPGROUP), thread), 16));
}

static void publish(const struct gemm *k, LLVMValueRef warpgroup)
{
  LLVMValueRef v[RUN];
  cuda__block_sync(k->e, number(k, 1),
                   k->g->tile.warpgroups * WARPGROUP); /* all products have read the ring */
  for (int u = 0; u < k->sums / RUN; u++) {
    sums_of_run(k, u, v);
    for (int h = 0; h < 2; h++)
      cuda__shared_store4(k->e, partial_at(k, warpgroup, number(k, u), h), sum_type(k), v + 4 * h);
  }
}

static void add_up(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef u, LLVMValueRef *sum)
{
  for (int h = 0; h < 2; h++) {
    LLVMValueRef at = partial_at(k, warpgroup, u, h);
    for (int r = 0; r < k->g->tile.splits; r++) {
      LLVMValueRef v[4];
      cuda__cluster_load4(k->e, cuda__cluster_address(k->e, at, number(k, r)), sum_type(k), v);
      for (int i = 0; i < 4; i++)
        sum[4 * h + i] = !r ? v[i]
                         : k->g->in == TSR_I8
                             ? add(k, sum[4 * h + i], v[i])
                             : LLVMBuildFAdd(k->e->builder, sum[4 * h + i], v[i], "");
    }
  }
}

/* Each block finishes its share of the runs. */
void gemm__finish_shared(const struct gemm *k, LLVMValueRef warpgroup, const struct gemm__place *at)
{
  int share = k->sums / RUN / k->g->tile.splits;
  LLVMValueRef v[1][RUN], along = number(k, k->g->tile.n / COLUMNS);
  LLVMValueRef row = own_row(k, warpgroup);
  publish(k, warpgroup);
  cuda__cluster_sync(k->e);
  for (int i = 0; i < share; i++) {
    LLVMValueRef u = add(k, times(k, k->rank, share), number(k, i)),
                 pair = over(k, u, number(k, 2));
    LLVMValueRef below =
        add(k, times(k, over(k, pair, along), 64), times(k, modulo(k, u, number(k, 2)), 8));
    below = add(k, row, below);
    add_up(k, warpgroup, u, v[0]);
    finish_runs(k, at, add(k, at->column, times(k, modulo(k, pair, along), COLUMNS)), 1, &below, v);
  }
}

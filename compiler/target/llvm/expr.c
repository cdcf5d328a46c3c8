/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions. What a condition guards is emitted behind a branch where all lanes agree, and under
 * a mask where they don't. */
#include "compiler/target/llvm/emit.h"

/* --- scopes ----------------------------------------------------------------------------------- */

void llvm__scope_open(struct llvm__emit *e, struct llvm__scope *scope)
{
  *scope = (struct llvm__scope){.outer = e->scope};
  e->scope = scope;
}

void llvm__scope_close(struct llvm__emit *e)
{
  e->scope = e->scope->outer;
}

static LLVMValueRef known(const struct llvm__emit *e, tir_e x)
{
  for (const struct llvm__scope *s = e->scope; s; s = s->outer) {
    const void *v = tir__map_get(&s->done, x);
    if (v)
      return (LLVMValueRef)(uintptr_t)v;
  }
  return NULL;
}

/* --- what is known of an expression ----------------------------------------------------------- */

bool llvm__uses(tir_e x, const struct tir_var *var)
{
  if (x->op == TIR_VAR)
    return x->var == var;
  for (int i = 0; i < x->args; i++)
    if (llvm__uses(x->arg[i], var))
      return true;
  return false;
}

bool llvm__reads(tir_e x, const struct tir_buffer *b)
{
  if (x->op == TIR_LOAD && x->buffer == b)
    return true;
  for (int i = 0; i < x->args; i++)
    if (llvm__reads(x->arg[i], b))
      return true;
  return false;
}

bool llvm__varies(struct llvm__emit *e, tir_e x)
{
  static const char yes, no;
  if (x->op == TIR_VAR)
    return x->var == e->lane;
  if (!e->lane || !x->args)
    return false;
  const void *found = tir__map_get(&e->varies, x);
  if (found)
    return found == &yes;
  bool any = false;
  for (int i = 0; i < x->args && !any; i++)
    any = llvm__varies(e, x->arg[i]);
  tir__map_put(e->arena, &e->varies, x, any ? &yes : &no);
  return any;
}

bool llvm__is_safe(struct llvm__emit *e, tir_e x)
{
  if (x->op == TIR_LOAD && !llvm__always_inside(e, x->buffer, x->arg))
    return false;
  for (int i = 0; i < x->args; i++)
    if (!llvm__is_safe(e, x->arg[i]))
      return false;
  return true;
}

/* --- selects ---------------------------------------------------------------------------------- */

static LLVMValueRef arm(struct llvm__emit *e, tir_e x, tir_e condition, bool negated)
{
  struct llvm__scope scope;
  struct tir__fact fact = {.outer = e->facts, .condition = condition, .negated = negated};
  e->facts = &fact;
  llvm__scope_open(e, &scope);
  LLVMValueRef v = llvm__value(e, x);
  llvm__scope_close(e);
  e->facts = fact.outer;
  return v;
}

/* All lanes take the same arm. */
static LLVMValueRef branch(struct llvm__emit *e, tir_e x, LLVMValueRef condition)
{
  LLVMBasicBlockRef block[2] = {llvm__block(e, "then"), llvm__block(e, "else")};
  LLVMBasicBlockRef end[2], done = llvm__block(e, "chosen");
  LLVMValueRef v[2];
  LLVMBuildCondBr(e->builder, condition, block[0], block[1]);
  for (int i = 0; i < 2; i++) {
    LLVMPositionBuilderAtEnd(e->builder, block[i]);
    v[i] = arm(e, x->arg[1 + i], x->arg[0], i == 1);
    end[i] = LLVMGetInsertBlock(e->builder);
  }
  bool lanes = llvm__is_lanes(v[0]) || llvm__is_lanes(v[1]);
  for (int i = 0; i < 2; i++) {
    LLVMPositionBuilderAtEnd(e->builder, end[i]);
    v[i] = lanes ? llvm__spread(e, v[i]) : v[i];
    LLVMBuildBr(e->builder, done);
  }
  LLVMPositionBuilderAtEnd(e->builder, done);
  LLVMValueRef phi = LLVMBuildPhi(e->builder, LLVMTypeOf(v[0]), "");
  LLVMAddIncoming(phi, v, end, 2);
  return phi;
}

/* Each lane takes its own: both are computed, and what may go wrong only where it counts. */
static LLVMValueRef blend(struct llvm__emit *e, tir_e x, LLVMValueRef condition)
{
  LLVMValueRef outer = e->mask, v[2];
  for (int i = 0; i < 2; i++) {
    LLVMValueRef mine = i ? LLVMBuildNot(e->builder, condition, "") : condition;
    e->mask = outer ? LLVMBuildAnd(e->builder, outer, mine, "") : mine;
    v[i] = arm(e, x->arg[1 + i], x->arg[0], i == 1);
  }
  e->mask = outer;
  return llvm__select(e, condition, v[0], v[1]);
}

static LLVMValueRef select_value(struct llvm__emit *e, tir_e x)
{
  LLVMValueRef condition = llvm__value(e, x->arg[0]);
  if (LLVMIsAConstantInt(condition))
    return llvm__value(e, x->arg[LLVMConstIntGetZExtValue(condition) ? 1 : 2]);
  if (llvm__is_safe(e, x->arg[1]) && llvm__is_safe(e, x->arg[2])) {
    LLVMValueRef a = llvm__value(e, x->arg[1]), b = llvm__value(e, x->arg[2]);
    return llvm__select(e, condition, a, b);
  }
  return llvm__is_lanes(condition) ? blend(e, x, condition) : branch(e, x, condition);
}

/* --- everything else -------------------------------------------------------------------------- */

static LLVMValueRef variable(struct llvm__emit *e, const struct tir_var *var)
{
  LLVMValueRef lane[LLVM__MOST_LANES];
  int at = e->depth - 1;
  while (e->range[at].var != var)
    at--;
  if (var != e->lane)
    return e->value[at];
  for (int i = 0; i < e->width; i++)
    lane[i] = llvm__i64(e, i);
  return LLVMBuildAdd(e->builder, llvm__spread(e, e->value[at]),
                      LLVMConstVector(lane, (unsigned)e->width), "");
}

/* A comparison of indices that comes out the same for all iterations; -1: it does not. */
static int decided(struct llvm__emit *e, tir_e x)
{
  int64_t lo, hi;
  if (x->op < TIR_LT || x->op > TIR_NE || x->arg[0]->dtype != TSR_I64)
    return -1;
  tir_e difference = tir_binary(e->arena, TIR_SUB, x->arg[0], x->arg[1]);
  if (!tir__interval(difference, e->depth, e->range, &lo, &hi))
    return -1;
  switch (x->op) {
  case TIR_LT: return hi < 0 ? 1 : lo >= 0 ? 0 : -1;
  case TIR_LE: return hi <= 0 ? 1 : lo > 0 ? 0 : -1;
  case TIR_EQ: return lo == 0 && hi == 0 ? 1 : lo > 0 || hi < 0 ? 0 : -1;
  default: return lo > 0 || hi < 0 ? 1 : lo == 0 && hi == 0 ? 0 : -1;
  }
}

/* `and` and `or` whose first side decides all. */
static bool is_decided_by(struct llvm__emit *e, tir_e x, LLVMValueRef first)
{
  (void)e;
  return (x->op == TIR_AND || x->op == TIR_OR) && LLVMIsAConstantInt(first) &&
         (LLVMConstIntGetZExtValue(first) != 0) == (x->op == TIR_OR);
}

/* Quotients and remainders of indices that fit into 32 bits, where lanes are few: a division of 64 bits
 * is slow there. LLVM takes minutes for those of long vectors. NULL: they are divided as they are. */
static LLVMValueRef short_division(struct llvm__emit *e, tir_e x)
{
  int64_t lo, hi;
  if (!e->machine.lanes || (x->op != TIR_FDIV && x->op != TIR_FMOD) || x->arg[1]->op != TIR_INT ||
      x->arg[1]->i < 1 || x->arg[1]->i > INT32_MAX ||
      !tir__interval(x->arg[0], e->depth, e->range, &lo, &hi) || lo < 0 || hi > INT32_MAX)
    return NULL;
  LLVMValueRef n = llvm__value(e, x->arg[0]), by;
  LLVMTypeRef wide = LLVMTypeOf(n), narrow = LLVMInt32TypeInContext(e->context);
  if (llvm__is_lanes(n))
    narrow = llvm__lanes_of(e, narrow);
  n = LLVMBuildTrunc(e->builder, n, narrow, "");
  by = llvm__int_like(n, x->arg[1]->i);
  n = x->op == TIR_FDIV ? LLVMBuildUDiv(e->builder, n, by, "")
                        : LLVMBuildURem(e->builder, n, by, "");
  return LLVMBuildZExt(e->builder, n, wide, "");
}

int llvm__decided(struct llvm__emit *e, tir_e x)
{
  if (x->op != TIR_AND)
    return decided(e, x);
  int first = llvm__decided(e, x->arg[0]), second = llvm__decided(e, x->arg[1]);
  return !first || !second ? 0 : first < second ? first : second;
}

static LLVMValueRef operation(struct llvm__emit *e, tir_e x)
{
  LLVMValueRef arg[4];
  int known_result = decided(e, x);
  if (known_result >= 0)
    return LLVMConstInt(llvm__type(e, TSR_BOOL), (uint64_t)known_result, 0);
  LLVMValueRef quotient = short_division(e, x);
  if (quotient)
    return quotient;
  for (int i = 0; i < x->args; i++) {
    arg[i] = llvm__value(e, x->arg[i]);
    if (i == 0 && is_decided_by(e, x, arg[0]))
      return arg[0];
  }
  if (x->op == TIR_SAT8 && x->arg[0]->op == TIR_QUANT) /* which is a byte */
    return llvm__cast(e, TSR_I8, TSR_I32, arg[0]);
  if (x->op == TIR_CAST)
    return llvm__cast(e, (enum tsr_dtype)x->dtype, (enum tsr_dtype)x->arg[0]->dtype, arg[0]);
  llvm__same_form(e, x->args, arg);
  return llvm__op(e, (enum tir_op)x->op, (enum tsr_dtype)x->arg[0]->dtype, arg);
}

static LLVMValueRef make(struct llvm__emit *e, tir_e x)
{
  switch (x->op) {
  case TIR_INT: return LLVMConstInt(llvm__type(e, (enum tsr_dtype)x->dtype), (uint64_t)x->i, 1);
  case TIR_FLOAT: return llvm__float(e, (enum tsr_dtype)x->dtype, x->f);
  case TIR_VAR: return variable(e, x->var);
  case TIR_LOAD: return llvm__load(e, x);
  case TIR_SELECT: return select_value(e, x);
  default: return operation(e, x);
  }
}

LLVMValueRef llvm__value(struct llvm__emit *e, tir_e x)
{
  LLVMValueRef v = known(e, x);
  if (v)
    return v;
  v = make(e, x);
  tir__map_put(e->arena, &e->scope->done, x, v);
  return v;
}

LLVMValueRef llvm__value_alone(struct llvm__emit *e, tir_e x)
{
  struct llvm__scope scope;
  llvm__scope_open(e, &scope);
  LLVMValueRef v = llvm__value(e, x);
  llvm__scope_close(e);
  return v;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Copies from global to shared memory that go on while the threads compute: cp.async, of 4, 8 or 16
 * bytes that lie side by side on both sides. Where a condition around them does not hold, constants
 * take their place: zeros by the copy itself, others by a store. */
#include "compiler/target/cuda/kernel.h"

enum { MOST_GUARDS = 4 };

struct copied {
  const struct tir_stmt *store;
  int width, bytes; /* elements; all of them */
  tir_e load;
  int guards; /* outer to inner: a condition, and the constant where it does not hold */
  tir_e condition[MOST_GUARDS], other[MOST_GUARDS];
};

static bool is_constant(tir_e x)
{
  return x->op == TIR_INT || x->op == TIR_FLOAT;
}

static bool is_zero(tir_e x)
{
  return (x->op == TIR_INT && x->i == 0) || (x->op == TIR_FLOAT && x->f == 0);
}

static bool find(const struct tir_stmt *s, struct copied *c)
{
  bool loop = s->kind == TIR_FOR && s->f.loop == TIR_SERIAL && s->f.extent->op == TIR_INT;
  *c = (struct copied){.store = loop ? s->f.body : s, .width = 1};
  if (c->store->kind != TIR_STORE || !c->store->store.async || (loop && s->f.extent->i > 16))
    return false;
  tir_e x = c->store->store.value;
  for (; x->op == TIR_SELECT && is_constant(x->arg[2]); x = x->arg[1]) {
    if (c->guards == MOST_GUARDS)
      return false;
    c->condition[c->guards] = x->arg[0];
    c->other[c->guards++] = x->arg[2];
  }
  c->load = x;
  c->width = loop ? (int)s->f.extent->i : 1;
  c->bytes = c->width * (int)tsr_dtype_bytes((enum tsr_dtype)x->dtype);
  return x->op == TIR_LOAD && x->buffer->scope == TIR_GLOBAL && x->dtype != TSR_BOOL &&
         (c->bytes == 4 || c->bytes == 8 || c->bytes == 16);
}

/* Whether all elements lie behind the first, at a multiple of their size, and surely inside. */
static bool is_run(struct llvm__emit *e, const struct copied *c, const struct tir_buffer *b,
                   const tir_e *index)
{
  int64_t step;
  return c->width == 1 || (llvm__lane_step(e, b, index, &step) && step == 1 &&
                           llvm__alignment(e, b, index) >= (unsigned)c->bytes);
}

static void copy(struct llvm__emit *e, const struct copied *c, LLVMValueRef to, LLVMValueRef from,
                 LLVMValueRef bytes)
{
  LLVMValueRef arg[3] = {to, from, bytes};
  llvm__intrinsic(e,
                  tsr_arena_printf(e->arena, "llvm.nvvm.cp.async.%s.shared.global.%d%s",
                                   c->bytes == 16 ? "cg" : "ca", c->bytes, bytes ? ".s" : ""),
                  0, NULL, bytes ? 3 : 2, arg);
}

/* All conditions hold; *other: the constant where they do not. */
static LLVMValueRef guard(struct llvm__emit *e, const struct copied *c, LLVMValueRef *other)
{
  LLVMValueRef all = NULL;
  for (int k = c->guards - 1; k >= 0; k--) {
    LLVMValueRef one = llvm__value(e, c->condition[k]), constant = llvm__value(e, c->other[k]);
    *other = all ? LLVMBuildSelect(e->builder, one, *other, constant, "") : constant;
    all = all ? LLVMBuildAnd(e->builder, one, all, "") : one;
  }
  return all;
}

static bool fills_with_zeros(const struct copied *c)
{
  for (int k = 0; k < c->guards; k++)
    if (!is_zero(c->other[k]))
      return false;
  return true;
}

static void store_constant(struct llvm__emit *e, const struct copied *c, LLVMValueRef to,
                           LLVMValueRef constant)
{
  e->width = c->width;
  LLVMValueRef v =
      LLVMBuildStore(e->builder, c->width > 1 ? llvm__spread(e, constant) : constant, to);
  LLVMSetAlignment(v, (unsigned)c->bytes);
  e->width = 1;
}

static void emit_copy(struct cuda__kernel *k, const struct copied *c)
{
  struct llvm__emit *e = &k->e;
  LLVMValueRef none = llvm__i64(e, 0), other = NULL, holds = guard(e, c, &other);
  LLVMValueRef to = llvm__element(e, c->store->store.buffer, c->store->store.index, none);
  LLVMValueRef from = llvm__element(e, c->load->buffer, c->load->arg, none);
  if (!holds) {
    copy(e, c, to, from, NULL);
  } else if (fills_with_zeros(c)) {
    from = LLVMBuildSelect(e->builder, holds, from, llvm__base(e, c->load->buffer), "");
    copy(e, c, to, from,
         LLVMBuildSelect(e->builder, holds, llvm__i32(e, c->bytes), llvm__i32(e, 0), ""));
  } else {
    LLVMBasicBlockRef then = llvm__block(e, "copies"), instead = llvm__block(e, "constant");
    LLVMBasicBlockRef done = llvm__block(e, "copied");
    LLVMBuildCondBr(e->builder, holds, then, instead);
    LLVMPositionBuilderAtEnd(e->builder, then);
    copy(e, c, to, from, NULL);
    LLVMBuildBr(e->builder, done);
    LLVMPositionBuilderAtEnd(e->builder, instead);
    store_constant(e, c, to, other);
    LLVMBuildBr(e->builder, done);
    LLVMPositionBuilderAtEnd(e->builder, done);
  }
}

/* The address of what a condition guards is computed everywhere, so it may not load. */
static bool has_load(tir_e x)
{
  for (int i = 0; i < x->args; i++)
    if (x->arg[i]->op == TIR_LOAD || has_load(x->arg[i]))
      return true;
  return false;
}

bool cuda__async(struct cuda__kernel *k, const struct tir_stmt *s)
{
  struct llvm__emit *e = &k->e;
  struct copied c;
  struct llvm__scope scope;
  if (!find(s, &c) || has_load(c.load))
    return false;
  if (c.width > 1) {
    llvm__bind(e, s->f.var, 0, c.width - 1, llvm__i64(e, 0));
    e->lane = s->f.var;
    e->width = c.width;
    e->varies = (struct tir__map){0};
  }
  bool good = is_run(e, &c, c.store->store.buffer, c.store->store.index) &&
              is_run(e, &c, c.load->buffer, c.load->arg);
  for (int i = 0; i < c.guards && c.width > 1; i++)
    good &= !llvm__varies(e, c.condition[i]);
  e->lane = NULL;
  e->width = 1;
  if (good) {
    llvm__scope_open(e, &scope);
    emit_copy(k, &c);
    llvm__scope_close(e);
  }
  if (c.width > 1)
    llvm__unbind(e);
  return good;
}

void cuda__commit(struct cuda__kernel *k)
{
  llvm__intrinsic(&k->e, "llvm.nvvm.cp.async.commit.group", 0, NULL, 0, NULL);
}

void cuda__wait(struct cuda__kernel *k, int groups)
{
  LLVMValueRef n = llvm__i32(&k->e, groups);
  llvm__intrinsic(&k->e, "llvm.nvvm.cp.async.wait.group", 0, NULL, 1, &n);
}

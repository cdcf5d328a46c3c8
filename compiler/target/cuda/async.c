/* SPDX-License-Identifier: Apache-2.0 */
/* Copies from global to shared memory that go on while the threads compute: cp.async, of 16 bytes
 * that lie side by side on both sides. What a condition guards is zeros where it does not hold. */
#include "compiler/target/cuda/kernel.h"

enum { BYTES = 16 };

struct copied {
  const struct tir_stmt *loop, *store;
  tir_e condition, load; /* condition NULL: always */
};

static bool is_zero(tir_e x)
{
  return (x->op == TIR_INT && x->i == 0) || (x->op == TIR_FLOAT && x->f == 0);
}

static bool find(const struct tir_stmt *s, struct copied *c)
{
  *c = (struct copied){.loop = s};
  if (s->kind != TIR_FOR || s->f.loop == TIR_BOUND || s->f.extent->op != TIR_INT ||
      s->f.body->kind != TIR_STORE)
    return false;
  c->store = s->f.body;
  tir_e x = c->store->store.value;
  if (x->op == TIR_SELECT && is_zero(x->arg[2])) {
    c->condition = x->arg[0];
    x = x->arg[1];
  }
  c->load = x;
  return c->store->store.async && x->op == TIR_LOAD && x->buffer->scope == TIR_GLOBAL &&
         s->f.extent->i * (int64_t)tsr_dtype_bytes(x->buffer->dtype) == BYTES;
}

/* Whether an element lies `BYTES` from the next multiple, with the others behind it. */
static bool is_run(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index)
{
  int64_t step;
  return llvm__lane_step(e, b, index, &step) && step == 1 &&
         llvm__alignment(e, b, index) >= BYTES;
}

static void emit_copy(struct cuda__kernel *k, const struct copied *c)
{
  struct llvm__emit *e = &k->e;
  const tir_e *index = c->store->store.index;
  LLVMValueRef none = llvm__i64(e, 0), arg[3];
  LLVMValueRef condition = c->condition ? llvm__value(e, c->condition) : NULL;
  arg[0] = llvm__element(e, c->store->store.buffer, index, none);
  arg[1] = llvm__element(e, c->load->buffer, c->load->arg, none);
  if (!condition) {
    llvm__intrinsic(e, "llvm.nvvm.cp.async.cg.shared.global.16", 0, NULL, 2, arg);
    return;
  }
  arg[1] = LLVMBuildSelect(e->builder, condition, arg[1], llvm__base(e, c->load->buffer), "");
  arg[2] = LLVMBuildSelect(e->builder, condition, llvm__i32(e, BYTES), llvm__i32(e, 0), "");
  llvm__intrinsic(e, "llvm.nvvm.cp.async.cg.shared.global.16.s", 0, NULL, 3, arg);
}

bool cuda__async(struct cuda__kernel *k, const struct tir_stmt *s)
{
  struct llvm__emit *e = &k->e;
  struct copied c;
  struct llvm__scope scope;
  if (!find(s, &c))
    return false;
  int width = (int)s->f.extent->i;
  llvm__bind(e, s->f.var, 0, width - 1, llvm__i64(e, 0));
  e->lane = s->f.var;
  e->width = width;
  e->varies = (struct tir__map){0};
  bool good = is_run(e, c.store->store.buffer, c.store->store.index) &&
              is_run(e, c.load->buffer, c.load->arg) &&
              !(c.condition && llvm__varies(e, c.condition));
  e->lane = NULL;
  e->width = 1;
  if (good) {
    llvm__scope_open(e, &scope);
    emit_copy(k, &c);
    llvm__scope_close(e);
  }
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

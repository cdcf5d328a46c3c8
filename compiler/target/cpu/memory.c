/* SPDX-License-Identifier: Apache-2.0 */
/* Elements of buffers. */
#include "compiler/target/cpu/emit.h"

static LLVMValueRef base_of(const struct cpu__emit *e, const struct tir_buffer *b)
{
  int i = e->places - 1;
  while (e->place[i].buffer != b)
    i--;
  return e->place[i].base;
}

static int64_t stride_of(const struct tir_buffer *b, int dim)
{
  int64_t stride = 1;
  for (int d = dim + 1; d < b->rank; d++)
    stride *= b->dims[d];
  return stride;
}

bool cpu__always_inside(struct cpu__emit *e, const struct tir_buffer *b, const tir_e *index)
{
  for (int d = 0; d < b->rank; d++)
    if (!tir__proves_inside(index[d], b->dims[d], e->depth, e->range, NULL))
      return false;
  return true;
}

/* --- where ------------------------------------------------------------------------------------ */

/* What an index adds from one lane to the next, if it is affine in the lane's variable. */
static bool step_of(struct cpu__emit *e, tir_e x, int64_t *step)
{
  struct tir__linear l;
  *step = 0;
  if (!cpu__varies(e, x))
    return true;
  if (!tir__linear(x, &l))
    return false;
  for (int i = 0; i < l.n; i++) {
    if (l.atom[i]->op == TIR_VAR && l.atom[i]->var == e->lane)
      *step += l.coefficient[i];
    else if (cpu__varies(e, l.atom[i]))
      return false;
  }
  return true;
}

bool cpu__lane_step(struct cpu__emit *e, const struct tir_buffer *b, const tir_e *index,
                    int64_t *step)
{
  *step = 0;
  for (int d = 0; d < b->rank; d++) {
    int64_t one;
    if (!step_of(e, index[d], &one))
      return false;
    *step += one * stride_of(b, d);
  }
  return true;
}

/* Leaves the function where an index that counts is outside. */
static void check(struct cpu__emit *e, LLVMValueRef index, int64_t extent)
{
  LLVMValueRef v[2] = {index, cpu__int_like(index, extent)};
  LLVMValueRef bad = LLVMBuildICmp(e->builder, LLVMIntUGE, v[0], v[1], "");
  LLVMBasicBlockRef inside = cpu__block(e, "inside");
  if (e->mask) {
    LLVMValueRef both[2] = {bad, e->mask};
    cpu__same_form(e, 2, both);
    bad = LLVMBuildAnd(e->builder, both[0], both[1], "");
  }
  if (cpu__is_lanes(bad))
    bad = cpu__intrinsic_like(e, "llvm.vector.reduce.or", 1, &bad);
  LLVMBuildCondBr(e->builder, bad, e->outside, inside);
  LLVMPositionBuilderAtEnd(e->builder, inside);
}

static void check_indices(struct cpu__emit *e, const struct tir_buffer *b, const tir_e *index,
                          bool *guarded)
{
  *guarded = false;
  for (int d = 0; d < b->rank; d++) {
    if (tir__proves_inside(index[d], b->dims[d], e->depth, e->range, NULL))
      continue;
    *guarded = e->mask != NULL;
    if (!tir__proves_inside(index[d], b->dims[d], e->depth, e->range, e->facts))
      check(e, cpu__value(e, index[d]), b->dims[d]);
  }
}

/* The offset in elements, at lane 0: the lane's variable stands for its first value there. */
static LLVMValueRef offset_of(struct cpu__emit *e, const struct tir_buffer *b, const tir_e *index)
{
  const struct tir_var *lane = e->lane;
  struct cpu__scope scope = {.outer = NULL}, *outer = e->scope;
  bool varies = false;
  for (int d = 0; d < b->rank; d++)
    varies |= cpu__varies(e, index[d]);
  if (varies) { /* values of other lanes are not those of lane 0 */
    e->scope = &scope;
    e->lane = NULL;
  }
  LLVMValueRef sum = cpu__i64(e, 0);
  for (int d = 0; d < b->rank; d++) {
    LLVMValueRef part =
        LLVMBuildNSWMul(e->builder, cpu__value(e, index[d]), cpu__i64(e, stride_of(b, d)), "");
    sum = LLVMBuildNSWAdd(e->builder, sum, part, "");
  }
  e->lane = lane;
  e->scope = outer;
  return sum;
}

static LLVMValueRef lane_offsets(struct cpu__emit *e, const struct tir_buffer *b,
                                 const tir_e *index)
{
  LLVMValueRef sum = cpu__spread(e, cpu__i64(e, 0));
  for (int d = 0; d < b->rank; d++) {
    LLVMValueRef v[2] = {cpu__spread(e, cpu__value(e, index[d])), NULL};
    v[1] = cpu__int_like(v[0], stride_of(b, d));
    sum = LLVMBuildAdd(e->builder, sum, LLVMBuildMul(e->builder, v[0], v[1], ""), "");
  }
  return sum;
}

struct cpu__address cpu__address(struct cpu__emit *e, const struct tir_buffer *b,
                                 const tir_e *index, bool *guarded)
{
  struct cpu__address at = {.form = CPU__SCATTERED};
  check_indices(e, b, index, guarded);
  if (cpu__lane_step(e, b, index, &at.step))
    at.form = at.step == 0 ? CPU__ONE : at.step == 1 ? CPU__RUN : CPU__STEPS;
  LLVMValueRef offset = at.form == CPU__SCATTERED ? lane_offsets(e, b, index)
                                                  : offset_of(e, b, index);
  at.pointer =
      LLVMBuildGEP2(e->builder, cpu__memory_type(e, b->dtype), base_of(e, b), &offset, 1, "");
  return at;
}

/* --- loads and stores ------------------------------------------------------------------------- */

static LLVMValueRef all_lanes(struct cpu__emit *e)
{
  return LLVMConstAllOnes(cpu__lanes_of(e, LLVMInt1TypeInContext(e->context)));
}

/* Elements at constant steps: the pointer of each lane. */
static struct cpu__address stepped(struct cpu__emit *e, LLVMTypeRef scalar,
                                   const struct cpu__address *at)
{
  LLVMValueRef lane[CPU__MOST_LANES], offset;
  for (int i = 0; i < e->width; i++)
    lane[i] = cpu__i64(e, i * at->step);
  offset = LLVMConstVector(lane, (unsigned)e->width);
  return (struct cpu__address){
      .form = CPU__SCATTERED,
      .pointer = LLVMBuildGEP2(e->builder, scalar, at->pointer, &offset, 1, "")};
}

/* Every second element of 2 * width - 1: two vectors that share one element, and one of both. */
static LLVMValueRef every_second(struct cpu__emit *e, LLVMTypeRef scalar, LLVMValueRef pointer,
                                 size_t bytes)
{
  LLVMTypeRef type = cpu__lanes_of(e, scalar);
  LLVMValueRef part[2], lane[CPU__MOST_LANES], last = cpu__i64(e, e->width - 1);
  LLVMValueRef behind = LLVMBuildGEP2(e->builder, scalar, pointer, &last, 1, "");
  for (int i = 0; i < 2; i++) {
    part[i] = LLVMBuildLoad2(e->builder, type, i ? behind : pointer, "");
    LLVMSetAlignment(part[i], (unsigned)bytes);
  }
  for (int i = 0; i < e->width; i++)
    lane[i] = cpu__i32(e, 2 * i < e->width ? 2 * i : 2 * i + 1);
  return LLVMBuildShuffleVector(e->builder, part[0], part[1],
                                LLVMConstVector(lane, (unsigned)e->width), "");
}

/* Only lanes that count touch memory; the others are zero. */
static LLVMValueRef masked(struct cpu__emit *e, const char *name, LLVMTypeRef type,
                           const struct cpu__address *at, LLVMValueRef mask, size_t bytes)
{
  LLVMTypeRef types[2] = {type, LLVMTypeOf(at->pointer)};
  LLVMValueRef arg[4] = {at->pointer, cpu__i32(e, (int32_t)bytes), cpu__spread(e, mask),
                         LLVMConstNull(type)};
  return cpu__intrinsic(e, name, 2, types, 4, arg);
}

/* One element for all lanes, if any of them counts. */
static LLVMValueRef load_if_any(struct cpu__emit *e, LLVMTypeRef type, LLVMValueRef pointer)
{
  LLVMBasicBlockRef some = cpu__block(e, "some"), done = cpu__block(e, "loaded");
  LLVMBasicBlockRef from[2] = {LLVMGetInsertBlock(e->builder), some};
  LLVMValueRef mask = cpu__spread(e, e->mask);
  LLVMBuildCondBr(e->builder, cpu__intrinsic_like(e, "llvm.vector.reduce.or", 1, &mask), some,
                  done);
  LLVMPositionBuilderAtEnd(e->builder, some);
  LLVMValueRef v[2] = {LLVMConstNull(type), LLVMBuildLoad2(e->builder, type, pointer, "")};
  LLVMBuildBr(e->builder, done);
  LLVMPositionBuilderAtEnd(e->builder, done);
  LLVMValueRef phi = LLVMBuildPhi(e->builder, type, "");
  LLVMAddIncoming(phi, v, from, 2);
  return phi;
}

LLVMValueRef cpu__load_at(struct cpu__emit *e, enum tsr_dtype dtype, const struct cpu__address *at,
                          bool guarded)
{
  LLVMTypeRef scalar = cpu__memory_type(e, dtype);
  LLVMTypeRef type = at->form == CPU__ONE ? scalar : cpu__lanes_of(e, scalar);
  size_t bytes = tsr_dtype_bytes(dtype);
  LLVMValueRef v;
  if (at->form == CPU__STEPS && at->step == 2 && !guarded) {
    v = every_second(e, scalar, at->pointer, bytes);
  } else if (at->form >= CPU__STEPS) {
    struct cpu__address each = at->form == CPU__STEPS ? stepped(e, scalar, at) : *at;
    v = masked(e, "llvm.masked.gather", type, &each, guarded ? e->mask : all_lanes(e), bytes);
  } else if (!guarded) {
    v = LLVMBuildLoad2(e->builder, type, at->pointer, "");
    LLVMSetAlignment(v, (unsigned)bytes);
  } else if (at->form == CPU__RUN) {
    v = masked(e, "llvm.masked.load", type, at, e->mask, bytes);
  } else {
    v = load_if_any(e, type, at->pointer);
  }
  if (dtype == TSR_BOOL)
    v = LLVMBuildICmp(e->builder, LLVMIntNE, v, cpu__int_like(v, 0), "");
  return v;
}

LLVMValueRef cpu__load(struct cpu__emit *e, tir_e x)
{
  bool guarded;
  struct cpu__address at = cpu__address(e, x->buffer, x->arg, &guarded);
  return cpu__load_at(e, (enum tsr_dtype)x->dtype, &at, guarded);
}

void cpu__store_at(struct cpu__emit *e, enum tsr_dtype dtype, const struct cpu__address *at,
                   LLVMValueRef value)
{
  if (at->form == CPU__RUN)
    value = cpu__spread(e, value);
  if (dtype == TSR_BOOL) {
    LLVMTypeRef byte = cpu__memory_type(e, dtype);
    value =
        LLVMBuildZExt(e->builder, value, cpu__is_lanes(value) ? cpu__lanes_of(e, byte) : byte, "");
  }
  LLVMValueRef s = LLVMBuildStore(e->builder, value, at->pointer);
  LLVMSetAlignment(s, (unsigned)tsr_dtype_bytes(dtype));
}

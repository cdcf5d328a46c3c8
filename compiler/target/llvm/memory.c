/* SPDX-License-Identifier: Apache-2.0 */
/* Elements of buffers. */
#include "compiler/target/llvm/emit.h"

/* NULL: the buffer has no place yet. */
static const struct llvm__place *place_of(const struct llvm__emit *e, const struct tir_buffer *b)
{
  int i = e->places - 1;
  while (i >= 0 && e->place[i].buffer != b)
    i--;
  return i < 0 ? NULL : &e->place[i];
}

LLVMValueRef llvm__base(struct llvm__emit *e, const struct tir_buffer *b)
{
  return place_of(e, b)->base;
}

static int64_t stride_of(const struct tir_buffer *b, int dim)
{
  int64_t stride = 1;
  for (int d = dim + 1; d < b->rank; d++)
    stride *= b->dims[d];
  return stride;
}

bool llvm__always_inside(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index)
{
  for (int d = 0; d < b->rank; d++)
    if (!tir__proves_inside(index[d], b->dims[d], e->depth, e->range, e->facts))
      return false;
  return true;
}

/* --- where ------------------------------------------------------------------------------------ */

/* What an index adds from one lane to the next, if it is affine in the lane's variable. */
static bool step_of(struct llvm__emit *e, tir_e x, int64_t *step)
{
  struct tir__linear l;
  *step = 0;
  if (!llvm__varies(e, x))
    return true;
  if (!tir__linear(x, &l))
    return false;
  for (int i = 0; i < l.n; i++) {
    if (l.atom[i]->op == TIR_VAR && l.atom[i]->var == e->lane)
      *step += l.coefficient[i];
    else if (llvm__varies(e, l.atom[i]))
      return false;
  }
  return true;
}

bool llvm__lane_step(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index,
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
static void check(struct llvm__emit *e, LLVMValueRef index, int64_t extent)
{
  LLVMValueRef v[2] = {index, llvm__int_like(index, extent)};
  LLVMValueRef bad = LLVMBuildICmp(e->builder, LLVMIntUGE, v[0], v[1], "");
  LLVMBasicBlockRef inside = llvm__block(e, "inside");
  if (e->mask) {
    LLVMValueRef both[2] = {bad, e->mask};
    llvm__same_form(e, 2, both);
    bad = LLVMBuildAnd(e->builder, both[0], both[1], "");
  }
  if (llvm__is_lanes(bad))
    bad = llvm__intrinsic_like(e, "llvm.vector.reduce.or", 1, &bad);
  LLVMBuildCondBr(e->builder, bad, e->outside, inside);
  LLVMPositionBuilderAtEnd(e->builder, inside);
}

static void check_indices(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index,
                          bool *guarded)
{
  *guarded = false;
  for (int d = 0; d < b->rank; d++) {
    if (tir__proves_inside(index[d], b->dims[d], e->depth, e->range, NULL))
      continue;
    *guarded = e->mask != NULL;
    if (!tir__proves_inside(index[d], b->dims[d], e->depth, e->range, e->facts))
      check(e, llvm__value(e, index[d]), b->dims[d]);
  }
}

/* What all values of a variable are multiples of. Lanes begin with the first of the range, and
 * go on by as many as there are. */
static uint64_t multiple_of(const struct llvm__emit *e, tir_e atom)
{
  int i = e->depth - 1;
  if (atom->op != TIR_VAR || atom->var != e->lane)
    return 1;
  while (e->range[i].var != e->lane)
    i--;
  return (uint64_t)e->range[i].lo | (uint64_t)e->width;
}

/* Bytes that an address is a multiple of: the base's, and what every term of the offset has. */
unsigned llvm__alignment(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index)
{
  uint64_t bytes = tsr_dtype_bytes(b->dtype), all = (uint64_t)e->machine.alignment;
  if (all <= bytes)
    return (unsigned)bytes;
  for (int d = 0; d < b->rank; d++) {
    uint64_t unit = (uint64_t)stride_of(b, d) * bytes;
    struct tir__linear l;
    if (!tir__linear(index[d], &l))
      return (unsigned)bytes;
    all |= unit * (uint64_t)l.constant;
    for (int i = 0; i < l.n; i++)
      all |= unit * (uint64_t)l.coefficient[i] * multiple_of(e, l.atom[i]);
  }
  all &= -all;
  return (unsigned)(all < bytes ? bytes : all);
}

/* Variables of threads count as 0 in the address of a register. */
static void leave_threads_out(struct llvm__emit *e, LLVMValueRef *kept)
{
  for (int i = 0; i < e->depth; i++) {
    kept[i] = e->value[i];
    if (e->thread[i])
      e->value[i] = llvm__i64(e, 0);
  }
}

/* Whether 16-byte parts of the buffer's rows are exchanged, as far as this dim's steps see it. */
static bool is_swizzled(const struct llvm__emit *e, const struct tir_buffer *b, int dim)
{
  const struct llvm__place *p = place_of(e, b);
  return p && p->swizzle &&
         stride_of(b, dim) * (int64_t)tsr_dtype_bytes(b->dtype) %
                 ((int64_t)(p->swizzle + 1) << p->row) !=
             0;
}

/* The offset in elements, at lane 0: the lane's variable stands for its first value there. Of the
 * dims that a swizzle touches, or of the others. */
static LLVMValueRef offset_of(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index,
                              bool swizzled)
{
  const struct tir_var *lane = e->lane;
  struct llvm__scope scope = {.outer = NULL}, *outer = e->scope;
  LLVMValueRef kept[LLVM__MOST_DEPTH];
  bool varies = b->scope == TIR_REGISTER;
  for (int d = 0; d < b->rank; d++)
    varies |= llvm__varies(e, index[d]);
  if (varies) { /* values of other lanes are not those of lane 0 */
    e->scope = &scope;
    e->lane = NULL;
  }
  if (b->scope == TIR_REGISTER)
    leave_threads_out(e, kept);
  LLVMValueRef sum = llvm__i64(e, 0);
  for (int d = 0; d < b->rank; d++) {
    if (is_swizzled(e, b, d) != swizzled)
      continue;
    LLVMValueRef part =
        LLVMBuildNSWMul(e->builder, llvm__value(e, index[d]), llvm__i64(e, stride_of(b, d)), "");
    sum = LLVMBuildNSWAdd(e->builder, sum, part, "");
  }
  e->lane = lane;
  e->scope = outer;
  for (int i = 0; i < e->depth && b->scope == TIR_REGISTER; i++)
    e->value[i] = kept[i];
  return sum;
}

static LLVMValueRef lane_offsets(struct llvm__emit *e, const struct tir_buffer *b,
                                 const tir_e *index, bool swizzled)
{
  LLVMValueRef sum = llvm__spread(e, llvm__i64(e, 0));
  for (int d = 0; d < b->rank; d++) {
    if (is_swizzled(e, b, d) != swizzled)
      continue;
    LLVMValueRef v[2] = {llvm__spread(e, llvm__value(e, index[d])), NULL};
    v[1] = llvm__int_like(v[0], stride_of(b, d));
    sum = LLVMBuildAdd(e->builder, sum, LLVMBuildMul(e->builder, v[0], v[1], ""), "");
  }
  return sum;
}

static LLVMValueRef swizzled(struct llvm__emit *e, const struct tir_buffer *b, LLVMValueRef offset)
{
  LLVMBuilderRef c = e->builder;
  int64_t bytes = (int64_t)tsr_dtype_bytes(b->dtype);
  LLVMValueRef at = LLVMBuildMul(c, offset, llvm__int_like(offset, bytes), "");
  const struct llvm__place *p = place_of(e, b);
  LLVMValueRef turn = LLVMBuildLShr(c, at, llvm__int_like(at, p->row), "");
  turn = LLVMBuildAnd(c, turn, llvm__int_like(at, p->swizzle), "");
  at = LLVMBuildXor(c, at, LLVMBuildShl(c, turn, llvm__int_like(at, 4), ""), "");
  return LLVMBuildUDiv(c, at, llvm__int_like(at, bytes), "");
}

/* Elements `far` and, where that is not NULL, `near`, which is swizzled, behind the first. */
static LLVMValueRef pointer_to(struct llvm__emit *e, const struct tir_buffer *b, LLVMValueRef far,
                               LLVMValueRef near)
{
  const struct llvm__place *p = place_of(e, b);
  LLVMTypeRef type = llvm__memory_type(e, b->dtype);
  LLVMValueRef at = LLVMBuildGEP2(e->builder, type, p->base, &far, 1, "");
  if (!p->swizzle)
    return at;
  near = swizzled(e, b, near);
  return LLVMBuildGEP2(e->builder, type, at, &near, 1, "");
}

LLVMValueRef llvm__element(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index,
                           LLVMValueRef more)
{
  const struct llvm__place *p = place_of(e, b);
  LLVMValueRef far = offset_of(e, b, index, false);
  if (!p->swizzle)
    return pointer_to(e, b, LLVMBuildAdd(e->builder, far, more, ""), NULL);
  LLVMValueRef near = offset_of(e, b, index, true);
  return pointer_to(e, b, far, LLVMBuildAdd(e->builder, near, more, ""));
}

/* A run is a piece of a swizzled row only within 16 bytes that begin at a multiple of them. */
static bool keeps_together(struct llvm__emit *e, const struct tir_buffer *b, unsigned alignment)
{
  const struct llvm__place *p = place_of(e, b);
  unsigned bytes = (unsigned)e->width * (unsigned)tsr_dtype_bytes(b->dtype);
  return !p->swizzle || (bytes <= 16 && alignment >= bytes);
}

struct llvm__address llvm__address(struct llvm__emit *e, const struct tir_buffer *b,
                                   const tir_e *index, bool *guarded)
{
  struct llvm__address at = {.form = LLVM__SCATTERED, .alignment = llvm__alignment(e, b, index)};
  check_indices(e, b, index, guarded);
  if (llvm__lane_step(e, b, index, &at.step))
    at.form = at.step == 0 ? LLVM__ONE : at.step == 1 ? LLVM__RUN : LLVM__STEPS;
  if (at.form == LLVM__RUN && !keeps_together(e, b, at.alignment))
    at.form = LLVM__SCATTERED;
  if (at.form == LLVM__STEPS && place_of(e, b)->swizzle)
    at.form = LLVM__SCATTERED;
  LLVMValueRef far, near = NULL;
  bool lanes = at.form == LLVM__SCATTERED, turned = place_of(e, b)->swizzle != 0;
  far = lanes ? lane_offsets(e, b, index, false) : offset_of(e, b, index, false);
  if (turned)
    near = lanes ? lane_offsets(e, b, index, true) : offset_of(e, b, index, true);
  if (at.form != LLVM__RUN)
    at.alignment = (unsigned)tsr_dtype_bytes(b->dtype);
  at.pointer = pointer_to(e, b, far, near);
  return at;
}

/* --- loads and stores ------------------------------------------------------------------------- */

static LLVMValueRef all_lanes(struct llvm__emit *e)
{
  return LLVMConstAllOnes(llvm__lanes_of(e, LLVMInt1TypeInContext(e->context)));
}

/* Elements at constant steps: the pointer of each lane. */
static struct llvm__address stepped(struct llvm__emit *e, LLVMTypeRef scalar,
                                    const struct llvm__address *at)
{
  LLVMValueRef lane[LLVM__MOST_LANES], offset;
  for (int i = 0; i < e->width; i++)
    lane[i] = llvm__i64(e, i * at->step);
  offset = LLVMConstVector(lane, (unsigned)e->width);
  return (struct llvm__address){
      .form = LLVM__SCATTERED,
      .pointer = LLVMBuildGEP2(e->builder, scalar, at->pointer, &offset, 1, "")};
}

/* Every second element of 2 * width - 1: two vectors that share one element, and one of both. */
static LLVMValueRef every_second(struct llvm__emit *e, LLVMTypeRef scalar, LLVMValueRef pointer,
                                 size_t bytes)
{
  LLVMTypeRef type = llvm__lanes_of(e, scalar);
  LLVMValueRef part[2], lane[LLVM__MOST_LANES], last = llvm__i64(e, e->width - 1);
  LLVMValueRef behind = LLVMBuildGEP2(e->builder, scalar, pointer, &last, 1, "");
  for (int i = 0; i < 2; i++) {
    part[i] = LLVMBuildLoad2(e->builder, type, i ? behind : pointer, "");
    LLVMSetAlignment(part[i], (unsigned)bytes);
  }
  for (int i = 0; i < e->width; i++)
    lane[i] = llvm__i32(e, 2 * i < e->width ? 2 * i : 2 * i + 1);
  return LLVMBuildShuffleVector(e->builder, part[0], part[1],
                                LLVMConstVector(lane, (unsigned)e->width), "");
}

/* Only lanes that count touch memory; the others are zero. */
static LLVMValueRef masked(struct llvm__emit *e, const char *name, LLVMTypeRef type,
                           const struct llvm__address *at, LLVMValueRef mask, size_t bytes)
{
  LLVMTypeRef types[2] = {type, LLVMTypeOf(at->pointer)};
  LLVMValueRef arg[4] = {at->pointer, llvm__i32(e, (int32_t)bytes), llvm__spread(e, mask),
                         LLVMConstNull(type)};
  return llvm__intrinsic(e, name, 2, types, 4, arg);
}

/* One element for all lanes, if any of them counts. */
static LLVMValueRef load_if_any(struct llvm__emit *e, LLVMTypeRef type, LLVMValueRef pointer)
{
  LLVMBasicBlockRef some = llvm__block(e, "some"), done = llvm__block(e, "loaded");
  LLVMBasicBlockRef from[2] = {LLVMGetInsertBlock(e->builder), some};
  LLVMValueRef mask = llvm__spread(e, e->mask);
  LLVMBuildCondBr(e->builder, llvm__intrinsic_like(e, "llvm.vector.reduce.or", 1, &mask), some,
                  done);
  LLVMPositionBuilderAtEnd(e->builder, some);
  LLVMValueRef v[2] = {LLVMConstNull(type), LLVMBuildLoad2(e->builder, type, pointer, "")};
  LLVMBuildBr(e->builder, done);
  LLVMPositionBuilderAtEnd(e->builder, done);
  LLVMValueRef phi = LLVMBuildPhi(e->builder, type, "");
  LLVMAddIncoming(phi, v, from, 2);
  return phi;
}

LLVMValueRef llvm__load_at(struct llvm__emit *e, enum tsr_dtype dtype,
                           const struct llvm__address *at, bool guarded)
{
  LLVMTypeRef scalar = llvm__memory_type(e, dtype);
  LLVMTypeRef type = at->form == LLVM__ONE ? scalar : llvm__lanes_of(e, scalar);
  size_t bytes = tsr_dtype_bytes(dtype);
  LLVMValueRef v;
  if (at->form == LLVM__STEPS && at->step == 2 && !guarded) {
    v = every_second(e, scalar, at->pointer, bytes);
  } else if (at->form >= LLVM__STEPS) {
    struct llvm__address each = at->form == LLVM__STEPS ? stepped(e, scalar, at) : *at;
    v = masked(e, "llvm.masked.gather", type, &each, guarded ? e->mask : all_lanes(e), bytes);
  } else if (!guarded) {
    v = LLVMBuildLoad2(e->builder, type, at->pointer, "");
    LLVMSetAlignment(v, at->alignment);
  } else if (at->form == LLVM__RUN) {
    v = masked(e, "llvm.masked.load", type, at, e->mask, bytes);
  } else {
    v = load_if_any(e, type, at->pointer);
  }
  if (dtype == TSR_BOOL)
    v = LLVMBuildICmp(e->builder, LLVMIntNE, v, llvm__int_like(v, 0), "");
  return v;
}

LLVMValueRef llvm__load(struct llvm__emit *e, tir_e x)
{
  bool guarded;
  struct llvm__address at = llvm__address(e, x->buffer, x->arg, &guarded);
  return llvm__load_at(e, (enum tsr_dtype)x->dtype, &at, guarded);
}

void llvm__store_at(struct llvm__emit *e, enum tsr_dtype dtype, const struct llvm__address *at,
                    LLVMValueRef value)
{
  if (at->form == LLVM__RUN)
    value = llvm__spread(e, value);
  if (dtype == TSR_BOOL) {
    LLVMTypeRef byte = llvm__memory_type(e, dtype);
    value = LLVMBuildZExt(e->builder, value, llvm__is_lanes(value) ? llvm__lanes_of(e, byte) : byte,
                          "");
  }
  LLVMValueRef s = LLVMBuildStore(e->builder, value, at->pointer);
  LLVMSetAlignment(s, at->alignment);
}

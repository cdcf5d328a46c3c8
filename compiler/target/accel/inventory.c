/* SPDX-License-Identifier: Apache-2.0 */
/* The scratchpad buffers of a program: how many copies each has, and in which bank of ACC.
 *
 * A buffer has as many copies as the pipelined loop around it asks for. Copies of an ACC buffer
 * lie in different banks, so that one engine fills one while another drains the other; what only
 * DMA fills there (parameters of the vector engine) stands in every bank that work uses. Where
 * vector does work inside of other work (the head of a group, while sums are open), each has a
 * bank of its own, and one copy. Work that is larger than a bank lies across both, with one copy. */
#include "compiler/target/accel/accel.h"

/* The opcode of the call that writes the buffer somewhere in the statement; -1: none does. */
static int made_by(const struct tir_stmt *s, const struct tir_buffer *b)
{
  int opcode = -1;
  switch (s->kind) {
  case TIR_FOR: return made_by(s->f.body, b);
  case TIR_ALLOC: return made_by(s->alloc.body, b);
  case TIR_IF: return made_by(s->when.body, b);
  case TIR_CALL: return s->call.buffer[0] == b ? tsr_accel_intrin_opcode(s->call.intrin) : -1;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count && opcode < 0; k++)
      opcode = made_by(s->block.stmt[k], b);
    return opcode;
  default: return -1;
  }
}

/* True when at most one buffer in ACC that work writes lives in each iteration of the
 * statement's loops: none of them has a loop around it. */
static bool works_once(const struct tir_stmt *s, bool looped)
{
  switch (s->kind) {
  case TIR_FOR: return works_once(s->f.body, true);
  case TIR_IF: return works_once(s->when.body, true);
  case TIR_ALLOC: {
    const struct tir_buffer *b = s->alloc.buffer;
    bool work = b->scope == TIR_ACC && made_by(s->alloc.body, b) >= 0;
    return !(work && looped) && works_once(s->alloc.body, looped);
  }
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      if (!works_once(s->block.stmt[k], looped))
        return false;
    return true;
  default: return true;
  }
}

static bool in_scratchpad(const struct tir_buffer *b)
{
  if (b->scope == TIR_GLOBAL || b->scope == TIR_LOCAL)
    return false;
  return (b->dtype == TSR_I32) == (b->scope == TIR_ACC) &&
         (b->dtype == TSR_I32 || tsr_dtype_bytes(b->dtype) == 1);
}

static enum tsr_status add_buffer(struct tsr_err *err, const struct tir_stmt *s,
                                  const struct tir_stmt *loop, struct tsr__inventory *v)
{
  const struct tir_buffer *b = s->alloc.buffer;
  int depth = loop && loop->f.loop == TIR_PIPELINE ? loop->f.depth : 1;
  if (v->count == TSR__MOST_BUFFERS)
    return tsr_refuse(err, "there are more than %d scratchpad buffers", TSR__MOST_BUFFERS);
  if (!in_scratchpad(b))
    return tsr_refuse(
        err,
        "buffer %s of %s lives in %s; on the accelerator i8 lives in inp, wgt, out and "
        "lut, and i32 in acc",
        b->name, tsr_dtype_name(b->dtype), tir_scope_name(b->scope));
  bool filled_by_dma = made_by(s->alloc.body, b) < 0;
  v->place[v->count++] = (struct tsr__place){.buffer = b,
                                             .loop = loop ? loop->f.var : NULL,
                                             .depth = depth > 2 ? 2 : depth,
                                             .instance = -1,
                                             .filled_by_dma = filled_by_dma,
                                             .once = works_once(s->alloc.body, false)};
  return TSR_OK;
}

static struct tsr__place *work_of(struct tsr__inventory *v, const struct tir_buffer *b)
{
  for (int k = 0; k < v->count; k++)
    if (v->place[k].buffer == b && b->scope == TIR_ACC && !v->place[k].filled_by_dma)
      return &v->place[k];
  return NULL;
}

/* Gives what vector does in other loops than `outer`, inside of it, the other bank; false: there
 * is none. */
static bool set_banks(struct tsr__inventory *v, const struct tir_stmt *s,
                      const struct tsr__place *outer)
{
  struct tsr__place *work;
  bool other = false;
  switch (s->kind) {
  case TIR_FOR: return set_banks(v, s->f.body, outer);
  case TIR_IF: return set_banks(v, s->when.body, outer);
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      other |= set_banks(v, s->block.stmt[k], outer);
    return other;
  case TIR_ALLOC:
    work = work_of(v, s->alloc.buffer);
    if (work) {
      other = outer && outer->loop != work->loop && made_by(s, work->buffer) != TSR_OP_GEMM;
      work->bank = other ? BANK_OTHER : BANK_FIRST;
    }
    return set_banks(v, s->alloc.body, outer ? outer : work) || other;
  default: return false;
  }
}

static enum tsr__bank bank_of(struct tsr__inventory *v, const struct tir_stmt *call)
{
  enum tsr__bank bank = BANK_BY_COPY;
  for (int k = 0; k < call->call.operands; k++) {
    const struct tsr__place *work = work_of(v, call->call.buffer[k]);
    bank = work ? work->bank : bank;
  }
  return bank;
}

/* Constants of the vector engine lie in the bank of the work that uses them. */
static void follow_work(struct tsr__inventory *v, const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR: follow_work(v, s->f.body); break;
  case TIR_IF: follow_work(v, s->when.body); break;
  case TIR_ALLOC: follow_work(v, s->alloc.body); break;
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count; k++)
      follow_work(v, s->block.stmt[k]);
    break;
  case TIR_CALL:
    for (int k = 0; k < s->call.operands; k++)
      for (int i = 0; i < v->count; i++)
        if (v->place[i].buffer == s->call.buffer[k] && v->place[i].filled_by_dma)
          v->place[i].bank = bank_of(v, s);
    break;
  default: break;
  }
}

/* Work inside of other work: each in its bank, with one copy. Else copies are in turn in both. */
static void part_banks(struct tsr__inventory *v, const struct tir_program *p)
{
  bool parted = set_banks(v, p->body, NULL);
  if (parted)
    follow_work(v, p->body);
  for (int k = 0; k < v->count; k++)
    if (!parted)
      v->place[k].bank = BANK_BY_COPY;
    else if (work_of(v, v->place[k].buffer))
      v->place[k].depth = 1;
}

/* Every ALLOC of the statement, with the loop around it. */
static enum tsr_status collect(struct tsr_err *err, const struct tir_stmt *s,
                               const struct tir_stmt *loop, struct tsr__inventory *v)
{
  enum tsr_status status = TSR_OK;
  switch (s->kind) {
  case TIR_FOR: return collect(err, s->f.body, s, v);
  case TIR_IF: return collect(err, s->when.body, loop, v);
  case TIR_BLOCK:
    for (int k = 0; k < s->block.count && !status; k++)
      status = collect(err, s->block.stmt[k], loop, v);
    return status;
  case TIR_ALLOC:
    status = add_buffer(err, s, loop, v);
    return status ? status : collect(err, s->alloc.body, loop, v);
  default: return TSR_OK;
  }
}

/* Work in ACC that needs more than a bank; then constants are needed in both. */
static void span_banks(const struct tsr_design *d, struct tsr__inventory *v)
{
  bool any = false;
  for (int k = 0; k < v->count; k++) {
    struct tsr__place *p = &v->place[k];
    p->spans = work_of(v, p->buffer) &&
               tsr__layout_entries(d, p->buffer) > tsr__layout_room(d, SPACE_ACC);
    p->depth = p->spans ? 1 : p->depth;
    any |= p->spans;
  }
  v->both_banks |= any;
  for (int k = 0; k < v->count; k++)
    v->place[k].once &= !any;
}

enum tsr_status tsr__inventory_of(struct tsr_arena *a, struct tsr_err *err,
                                  const struct tsr_design *d, const struct tir_program *p,
                                  struct tsr__inventory *out)
{
  *out = (struct tsr__inventory){0};
  enum tsr_status status = collect(err, p->body, NULL, out);
  part_banks(out, p);
  for (int k = 0; k < out->count; k++) {
    const struct tsr__place *place = &out->place[k];
    if (place->buffer->scope == TIR_ACC && !place->filled_by_dma && place->depth > 1)
      out->both_banks = true;
  }
  span_banks(d, out);
  if (!status)
    tsr__in_place(a, p, out);
  return status;
}

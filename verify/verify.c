/* SPDX-License-Identifier: Apache-2.0 */
/* The checker's passes over a program:
 *
 *   words    every word decodes; the program ends in its only FINISH, which is last
 *   tokens   the machine's queues and tokens, without the machine (order.c); leaves an order in
 *            which the instructions may run
 *   ranges   what an instruction would trap for by itself (check.c), with the micro-ops of its time
 *   data     what instructions leave to each other (flow.c), where nothing above stops it */
#include "verify/verify.h"

#include <inttypes.h>
#include <stdio.h>

#include "verify/check.h"
#include "verify/findings.h"
#include "verify/flow.h"
#include "verify/order.h"
#include "verify/uops.h"

struct checker {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  const struct tsr_program *program;
  struct tsr_findings *out;
  size_t end;  /* instructions before the first FINISH or word that does not decode */
  bool finish; /* a FINISH is at `end` */
  bool stops;  /* the machine would stop before */
  size_t
      *order; /* the instructions before `end` as tokens let them run; at last those that can't */
  char text[512];
};

static void find(struct checker *c, enum tsr_finding_kind kind, size_t insn, int engine)
{
  tsr__finding_add(c->arena, c->out, kind, insn, engine, c->text);
  c->stops |= kind != TSR_FINDING_BALANCE && kind != TSR_FINDING_END;
}

static const uint8_t *word_at(const struct checker *c, size_t index)
{
  return c->program->insns + index * TSR_INSN_BYTES;
}

/* ---- words ---- */

static void check_hash(struct checker *c)
{
  uint64_t made_for = c->program->design_hash;
  if (made_for == 0 || made_for == c->design->hash)
    return;
  snprintf(c->text, sizeof c->text,
           "the program was made for the design point %016" PRIx64 "; %s is %016" PRIx64, made_for,
           c->design->name, c->design->hash);
  find(c, TSR_FINDING_WORD, 0, TSR_ENGINE_FETCH);
}

static void check_words(struct checker *c)
{
  size_t count = c->program->insn_count;
  bool stopped = false;
  c->end = count;
  for (size_t i = 0; i < count; i++) {
    struct tsr_insn insn;
    enum tsr_trap trap = tsr_insn_decode(word_at(c, i), &insn);
    if (trap != TSR_TRAP_NONE) {
      tsr_check_word(i, word_at(c, i), trap, c->text, sizeof c->text);
      find(c, TSR_FINDING_WORD, i, TSR_ENGINE_FETCH);
    }
    bool finish = trap == TSR_TRAP_NONE && insn.opcode == TSR_OP_FINISH;
    if (!stopped && (finish || trap != TSR_TRAP_NONE)) {
      stopped = true;
      c->end = i;
      c->finish = finish;
    }
  }
}

static void check_end(struct checker *c)
{
  size_t count = c->program->insn_count;
  if (c->finish && c->end + 1 < count) {
    snprintf(c->text, sizeof c->text,
             "instruction %zu (finish) ends the program; %zu instructions behind "
             "it are never reached",
             c->end, count - c->end - 1);
    find(c, TSR_FINDING_END, c->end, TSR_ENGINE_FETCH);
  } else if (c->end == count) {
    snprintf(c->text, sizeof c->text, "instruction %zu: the program ends here without finish",
             count);
    find(c, TSR_FINDING_END, count, TSR_ENGINE_FETCH);
  }
}

/* ---- ranges ---- */

static enum tsr_finding_kind kind_of(enum tsr_trap trap)
{
  switch (trap) {
  case TSR_TRAP_INDEX: return TSR_FINDING_INDEX;
  case TSR_TRAP_WINDOW: return TSR_FINDING_WINDOW;
  case TSR_TRAP_ALIGN: return TSR_FINDING_ALIGN;
  default: return TSR_FINDING_WORD;
  }
}

static void check_ranges(struct checker *c)
{
  struct tsr__uops *uops = tsr__uops_new(c->arena, c->design, c->program);
  for (size_t k = 0; k < c->end; k++) {
    struct tsr_insn insn;
    size_t i = c->order[k];
    tsr_insn_decode(word_at(c, i), &insn);
    enum tsr_trap trap = tsr_check_insn(c->design, i, &insn, tsr__uops_now(uops),
                                        c->program->window_bytes, c->text, sizeof c->text);
    if (trap != TSR_TRAP_NONE)
      find(c, kind_of(trap), i, tsr_insn_engine(&insn));
    else if (insn.opcode == TSR_OP_LOAD && insn.dma.buffer == TSR_BUFFER_UOP &&
             !tsr__uops_load(uops, i, &insn, c->text, sizeof c->text))
      find(c, TSR_FINDING_WINDOW, i, TSR_ENGINE_LOAD);
  }
  for (size_t i = 0; i < c->end; i++) {
    struct tsr_insn insn;
    tsr_insn_decode(word_at(c, i), &insn);
    if (insn.opcode == TSR_OP_STORE && tsr__uops_stored(uops, i, &insn, c->text, sizeof c->text))
      find(c, TSR_FINDING_WINDOW, i, TSR_ENGINE_STORE);
  }
}

/* ---- tokens ---- */

static void check_balance(struct checker *c, const struct tsr_order *order)
{
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    for (int to = 0; to < TSR_ENGINE_COUNT; to++) {
      int left = order->tokens[from][to];
      if (!left)
        continue;
      snprintf(c->text, sizeof c->text,
               "instruction %zu (finish): %d token%s from %s to %s %s left over", c->end, left,
               left > 1 ? "s" : "", tsr_engine_name(from), tsr_engine_name(to),
               left > 1 ? "are" : "is");
      find(c, TSR_FINDING_BALANCE, c->end, to);
    }
}

/* Hands out instructions until the end or until none can go on; true at the end. */
static bool walk(struct checker *c, struct tsr_order *order, size_t *next, size_t *begun)
{
  *next = *begun = 0;
  for (;;) {
    uint32_t ready = tsr_order_ready(order);
    if (ready) {
      int engine = tsr_order_oldest(order, ready);
      c->order[(*begun)++] = tsr_order_begin(order, engine)->index;
      tsr_order_end(order, engine);
      continue;
    }
    if (*next == c->end)
      return !c->finish || tsr_order_idle(order); /* else the word at the end stops the machine */
    struct tsr_insn insn;
    tsr_insn_decode(word_at(c, *next), &insn);
    if (!tsr_order_push(order, *next, &insn))
      return false;
    ++*next;
  }
}

/* Instructions that never begin come behind the others, in program order. */
static void complete_order(struct checker *c, size_t begun)
{
  if (begun == c->end)
    return;
  bool *seen = TSR_NEW_ARRAY(c->arena, bool, c->end + 1);
  for (size_t k = 0; k < begun; k++)
    seen[c->order[k]] = true;
  for (size_t i = 0; i < c->end; i++)
    if (!seen[i])
      c->order[begun++] = i;
}

static void check_tokens(struct checker *c)
{
  struct tsr_order order;
  size_t next, begun;
  c->order = TSR_NEW_ARRAY(c->arena, size_t, c->end + 1);
  tsr_order_init(c->arena, c->design, &order);
  tsr_order_start(&order);
  bool ends = walk(c, &order, &next, &begun);
  complete_order(c, begun);
  if (ends) {
    if (c->finish)
      check_balance(c, &order);
    return;
  }
  int engine;
  size_t stuck = tsr_order_stuck(&order, &engine);
  tsr_order_explain(&order, next, next == c->end, c->text, sizeof c->text);
  find(c, TSR_FINDING_DEADLOCK, stuck, engine);
}

struct tsr_verify_options tsr_verify_defaults(void)
{
  return (struct tsr_verify_options){true, true, true, INT8_MIN, INT8_MAX, 1, 0};
}

void tsr_verify_with(struct tsr_arena *arena, const struct tsr_design *design,
                     const struct tsr_program *program, const struct tsr_verify_options *options,
                     struct tsr_findings *out)
{
  struct checker c = {.arena = arena, .design = design, .program = program, .out = out};
  *out = (struct tsr_findings){0};
  check_hash(&c);
  check_words(&c);
  check_end(&c);
  check_tokens(&c);
  check_ranges(&c);
  if (c.finish && !c.stops)
    tsr__flow(arena, design, program, options, c.order, c.end, out);
}

void tsr_verify(struct tsr_arena *arena, const struct tsr_design *design,
                const struct tsr_program *program, struct tsr_findings *out)
{
  struct tsr_verify_options options = tsr_verify_defaults();
  tsr_verify_with(arena, design, program, &options, out);
}

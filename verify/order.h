/* SPDX-License-Identifier: Apache-2.0 */
/* What tokens and queues allow: the part of the machine that decides which instruction may run.
 *
 * Fetch hands instructions in program order to four queues. The head of a queue may begin when
 * every engine that it waits for has left it a token; it takes all of them at once. When it has
 * ended it gives all of its tokens at once, as soon as every one of those counters has room, and
 * only then leaves its queue: an instruction that cannot signal blocks its engine. Each counter and
 * each queue has one writer and one reader, so whether a program gets stuck does not depend on the
 * order in which ready engines are picked.
 *
 * The functional simulator runs instructions in such an order; the checker walks one without
 * running anything. A caller picks among the ready engines as it likes. */
#ifndef TSR_VERIFY_ORDER_H
#define TSR_VERIFY_ORDER_H

#include "configs/design.h"
#include "isa/isa.h"

struct tsr_order_entry {
  size_t index; /* in the program */
  struct tsr_insn insn;
};

struct tsr_order_queue {
  struct tsr_order_entry *slots; /* a ring of queue_depth */
  int first, count;
  bool ended; /* the head has run and waits to give its tokens */
};

struct tsr_order {
  int queue_depth, token_depth;
  int tokens[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT]; /* [from][to], 0..token_depth */
  uint64_t retired[TSR_ENGINE_COUNT];             /* instructions that have left their queue */
  struct tsr_order_queue queues[TSR_ENGINE_COUNT];
};

/* The queues' slots live in the arena; an order can be started again and again. */
void tsr_order_init(struct tsr_arena *arena, const struct tsr_design *design,
                    struct tsr_order *order);
void tsr_order_start(struct tsr_order *order);

/* Fetch: false, and nothing done, while the queue of insn's engine is full. Not for FINISH. */
bool tsr_order_push(struct tsr_order *order, size_t index, const struct tsr_insn *insn);

/* Bit e: the head of engine e's queue may begin. */
uint32_t tsr_order_ready(const struct tsr_order *order);
/* Of the engines in a mask that is not 0, the one whose head is first in the program. */
int tsr_order_oldest(const struct tsr_order *order, uint32_t engines);

/* Takes the head's tokens. The entry stays valid until tsr_order_end() of the same engine. */
const struct tsr_order_entry *tsr_order_begin(struct tsr_order *order, int engine);
void tsr_order_end(struct tsr_order *order, int engine);

bool tsr_order_idle(const struct tsr_order *order);

/* For a program that is stuck: a sentence of what each engine waits for, and the oldest instruction
 * that waits. `fetch` is where fetch stands; finish tells that a FINISH is there. */
void tsr_order_explain(const struct tsr_order *order, size_t fetch, bool finish, char *text,
                       size_t size);
size_t tsr_order_stuck(const struct tsr_order *order, int *engine);

#endif

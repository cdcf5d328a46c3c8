/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/order.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void tsr_order_init(struct tsr_arena *arena, const struct tsr_design *design,
                    struct tsr_order *order)
{
  memset(order, 0, sizeof *order);
  order->queue_depth = design->queue_depth;
  order->token_depth = design->token_depth;
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    order->queues[e].slots = TSR_NEW_ARRAY(arena, struct tsr_order_entry, design->queue_depth);
}

void tsr_order_start(struct tsr_order *order)
{
  memset(order->tokens, 0, sizeof order->tokens);
  memset(order->retired, 0, sizeof order->retired);
  for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
    order->queues[e].first = order->queues[e].count = 0;
    order->queues[e].ended = false;
  }
}

bool tsr_order_push(struct tsr_order *order, size_t index, const struct tsr_insn *insn)
{
  int engine = tsr_insn_engine(insn);
  assert(engine >= 0 && engine < TSR_ENGINE_COUNT);
  struct tsr_order_queue *queue = &order->queues[engine];
  if (queue->count == order->queue_depth)
    return false;
  int slot = (queue->first + queue->count) % order->queue_depth;
  queue->slots[slot].index = index;
  queue->slots[slot].insn = *insn;
  queue->count++;
  return true;
}

static const struct tsr_order_entry *head(const struct tsr_order *order, int engine)
{
  return &order->queues[engine].slots[order->queues[engine].first];
}

static bool has_tokens(const struct tsr_order *order, int engine)
{
  uint32_t wait = head(order, engine)->insn.wait;
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    if (wait >> from & 1 && order->tokens[from][engine] == 0)
      return false;
  return true;
}

static bool has_room(const struct tsr_order *order, int engine)
{
  uint32_t signal = head(order, engine)->insn.signal;
  for (int to = 0; to < TSR_ENGINE_COUNT; to++)
    if (signal >> to & 1 && order->tokens[engine][to] == order->token_depth)
      return false;
  return true;
}

uint32_t tsr_order_ready(const struct tsr_order *order)
{
  uint32_t ready = 0;
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (order->queues[e].count && !order->queues[e].ended && has_tokens(order, e))
      ready |= UINT32_C(1) << e;
  return ready;
}

int tsr_order_oldest(const struct tsr_order *order, uint32_t engines)
{
  int oldest = -1;
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (engines >> e & 1 && (oldest < 0 || head(order, e)->index < head(order, oldest)->index))
      oldest = e;
  return oldest;
}

/* Gives the tokens of an instruction that has ended, if all of them have room. */
static void retire(struct tsr_order *order, int engine)
{
  struct tsr_order_queue *queue = &order->queues[engine];
  if (!queue->ended || !has_room(order, engine))
    return;
  uint32_t signal = head(order, engine)->insn.signal;
  for (int to = 0; to < TSR_ENGINE_COUNT; to++)
    order->tokens[engine][to] += signal >> to & 1;
  queue->first = (queue->first + 1) % order->queue_depth;
  queue->count--;
  queue->ended = false;
  order->retired[engine]++;
}

const struct tsr_order_entry *tsr_order_begin(struct tsr_order *order, int engine)
{
  const struct tsr_order_entry *entry = head(order, engine);
  for (int from = 0; from < TSR_ENGINE_COUNT; from++)
    order->tokens[from][engine] -= entry->insn.wait >> from & 1;
  for (int from = 0; entry->insn.wait && from < TSR_ENGINE_COUNT; from++)
    retire(order, from); /* a counter that was full has room now */
  return entry;
}

void tsr_order_end(struct tsr_order *order, int engine)
{
  order->queues[engine].ended = true;
  retire(order, engine);
}

bool tsr_order_idle(const struct tsr_order *order)
{
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (order->queues[e].count)
      return false;
  return true;
}

static void add(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(char *text, size_t size, const char *format, ...)
{
  size_t length = strlen(text);
  va_list args;
  va_start(args, format);
  vsnprintf(text + length, size - length, format, args);
  va_end(args);
}

static void explain_engine(const struct tsr_order *order, int engine, char *text, size_t size)
{
  const struct tsr_order_queue *queue = &order->queues[engine];
  const struct tsr_insn *insn = &head(order, engine)->insn;
  add(text, size, "; %s waits at instruction %zu (%s)", tsr_engine_name(engine),
      head(order, engine)->index, tsr_opcode_name(insn->opcode));
  for (int other = 0; other < TSR_ENGINE_COUNT; other++) {
    if (queue->ended && insn->signal >> other & 1 &&
        order->tokens[engine][other] == order->token_depth)
      add(text, size, ", to give %s a token where %d wait already", tsr_engine_name(other),
          order->token_depth);
    if (!queue->ended && insn->wait >> other & 1 && order->tokens[other][engine] == 0)
      add(text, size, ", for a token from %s", tsr_engine_name(other));
  }
}

void tsr_order_explain(const struct tsr_order *order, size_t fetch, bool finish, char *text,
                       size_t size)
{
  snprintf(text, size, "no engine can go on");
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    if (order->queues[e].count)
      explain_engine(order, e, text, size);
  add(text, size, "; fetch waits at instruction %zu for %s", fetch,
      finish ? "every engine to be idle (finish)" : "room in a queue");
}

size_t tsr_order_stuck(const struct tsr_order *order, int *engine)
{
  uint32_t busy = 0;
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    busy |= (uint32_t)(order->queues[e].count != 0) << e;
  assert(busy);
  *engine = tsr_order_oldest(order, busy);
  return head(order, *engine)->index;
}

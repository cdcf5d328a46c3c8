/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/programs/shrink.h"

#include <string.h>

#include "isa/slot.h"

struct shrinker {
  shrink_fails *fails;
  void *context;
  struct tsr_program now, trial; /* trial has room for all of now */
  bool changed;
};

static struct tsr_program copy(struct tsr_arena *arena, const struct tsr_program *p)
{
  struct tsr_program out = *p;
  out.insns = tsr_arena_copy(arena, p->insns, p->insn_count * TSR_INSN_BYTES);
  out.data = tsr_arena_copy(arena, p->data, p->data_bytes);
  return out;
}

/* The content of `from` into the memory of `to`. */
static void assign(struct tsr_program *to, const struct tsr_program *from)
{
  uint8_t *insns = to->insns, *data = to->data;
  memcpy(insns, from->insns, from->insn_count * TSR_INSN_BYTES);
  memcpy(data, from->data, from->data_bytes);
  *to = *from;
  to->insns = insns;
  to->data = data;
}

static uint8_t *word(struct tsr_program *p, size_t i)
{
  return p->insns + i * TSR_INSN_BYTES;
}

static bool decode(struct tsr_program *p, size_t i, struct tsr_insn *insn)
{
  return tsr_insn_decode(word(p, i), insn) == TSR_TRAP_NONE;
}

/* Takes the trial over if it fails, else undoes it. */
static bool judge(struct shrinker *s)
{
  bool better = s->fails(s->context, &s->trial);
  if (better)
    assign(&s->now, &s->trial);
  else
    assign(&s->trial, &s->now);
  s->changed |= better;
  return better;
}

static bool try_without(struct shrinker *s, size_t at, size_t count)
{
  size_t rest = s->now.insn_count - at - count;
  memmove(word(&s->trial, at), word(&s->trial, at + count), rest * TSR_INSN_BYTES);
  s->trial.insn_count -= count;
  return judge(s);
}

static void cut_runs(struct shrinker *s)
{
  for (size_t count = s->now.insn_count / 2; count > 0; count /= 2)
    for (size_t at = 0; at + count <= s->now.insn_count;)
      at += try_without(s, at, count) ? 0 : count;
}

static bool try_insn(struct shrinker *s, size_t at, const struct tsr_insn *insn)
{
  if (tsr_insn_encode(NULL, insn, word(&s->trial, at))) {
    assign(&s->trial, &s->now);
    return false;
  }
  return memcmp(word(&s->trial, at), word(&s->now, at), TSR_INSN_BYTES) && judge(s);
}

static void make_syncs(struct shrinker *s)
{
  for (size_t i = 0; i < s->now.insn_count; i++) {
    struct tsr_insn insn;
    if (!decode(&s->now, i, &insn) || tsr_insn_engine(&insn) >= TSR_ENGINE_COUNT)
      continue;
    struct tsr_insn sync = {.opcode = TSR_OP_SYNC, .engine = tsr_insn_engine(&insn),
                            .wait = insn.wait, .signal = insn.signal};
    try_insn(s, i, &sync);
  }
}

/* The k-th instruction of an engine whose mask has a bit; insn_count if there is none. */
static size_t find(struct tsr_program *p, int engine, bool gives, int bit, int k)
{
  struct tsr_insn insn;
  for (size_t i = 0; i < p->insn_count; i++)
    if (decode(p, i, &insn) && tsr_insn_engine(&insn) == engine &&
        (gives ? insn.signal : insn.wait) >> bit & 1 && k-- == 0)
      return i;
  return p->insn_count;
}

static void clear(struct tsr_program *p, size_t at, bool gives, int bit)
{
  struct tsr_insn insn;
  if (at == p->insn_count || !decode(p, at, &insn))
    return;
  *(gives ? &insn.signal : &insn.wait) &= ~(1u << bit);
  tsr_insn_encode(NULL, &insn, word(p, at));
}

static void cut_tokens(struct shrinker *s, int from, int to)
{
  for (int k = 0;;) {
    size_t giver = find(&s->now, from, true, to, k), taker = find(&s->now, to, false, from, k);
    if (giver == s->now.insn_count && taker == s->now.insn_count)
      return;
    clear(&s->trial, giver, true, to);
    clear(&s->trial, taker, false, from);
    k += !judge(s);
  }
}

static bool keeps(const struct tsr__slot *slot)
{
  static const char *const names[] = {"opcode", "wait", "signal", "engine", "buffer"};
  for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
    if (strcmp(slot->name, names[k]) == 0)
      return true;
  return false;
}

static void lower(struct shrinker *s, size_t at, const struct tsr__slot *slot)
{
  struct tsr_insn insn;
  decode(&s->now, at, &insn);
  int64_t value = (int64_t)tsr__slot_get(slot, &insn);
  int64_t least = slot->smallest < 0 ? 0 : slot->smallest;
  const int64_t better[] = {least, least + (value - least) / 2, value - 1};
  for (size_t k = 0; value > least && k < sizeof better / sizeof better[0]; k++) {
    tsr__slot_put(slot, &insn, (uint64_t)better[k]);
    if (try_insn(s, at, &insn))
      return;
  }
}

static void lower_fields(struct shrinker *s)
{
  for (size_t i = 0; i < s->now.insn_count; i++) {
    struct tsr_insn insn;
    int count = 0;
    const struct tsr__slot *slots = NULL;
    if (decode(&s->now, i, &insn))
      slots = tsr__slots((int)tsr_opcode_format(insn.opcode), &count);
    for (int k = 0; k < count; k++)
      if (!keeps(&slots[k]))
        lower(s, i, &slots[k]);
  }
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
  while (count && bytes[count - 1] == 0)
    count--;
  return count == 0;
}

static void clear_data(struct shrinker *s)
{
  for (size_t count = s->now.data_bytes; count >= TSR_UOP_BYTES; count /= 2)
    for (size_t at = 0; at + count <= s->now.data_bytes; at += count)
      if (!is_zero(s->now.data + at, count)) {
        memset(s->trial.data + at, 0, count);
        judge(s);
      }
  size_t end = s->now.data_bytes;
  while (end && s->now.data[end - 1] == 0)
    end--;
  s->trial.data_bytes = (end + TSR_UOP_BYTES - 1) / TSR_UOP_BYTES * TSR_UOP_BYTES;
  if (s->trial.data_bytes < s->now.data_bytes)
    judge(s);
  else
    s->trial.data_bytes = s->now.data_bytes;
}

struct tsr_program shrink(struct tsr_arena *arena, const struct tsr_program *program,
                          shrink_fails *fails, void *context)
{
  struct shrinker s = {fails, context, copy(arena, program), copy(arena, program), true};
  while (s.changed) {
    s.changed = false;
    cut_runs(&s);
    make_syncs(&s);
    for (int from = 0; from < TSR_ENGINE_COUNT; from++)
      for (int to = 0; to < TSR_ENGINE_COUNT; to++)
        cut_tokens(&s, from, to);
    lower_fields(&s);
    clear_data(&s);
  }
  return s.now;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/programs/generate.h"

#include <stdlib.h>
#include <string.h>

#include "tests/programs/loops.h"

const char *defect_text(enum defect defect)
{
  static const char *const texts[] = {
#define DEFECT(name, text, finding, meaning) text,
#include "tests/programs/defects.def"
#undef DEFECT
  };
  return texts[defect];
}

static void sync(struct draft *d, int engine)
{
  add_valid(d, &(struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = engine}, false);
}

static void edge(struct draft *d, int from, int to, int giver, int taker)
{
  struct edges *edges = &d->edges[from][to];
  edges->from[edges->count] = giver;
  edges->to[edges->count++] = taker;
}

/* `count` tokens from one engine to another, all given before one is taken. */
static void burst(struct draft *d, int count)
{
  int f = (int)draw(d, 4), g = (f + 1 + (int)draw(d, 3)) % 4, e = (f + 1) % 4;
  while (e == f || e == g)
    e = (e + 1) % 4;
  int first = d->count;
  for (int k = 0; k < count + 1; k++)
    sync(d, f);
  sync(d, g);
  for (int k = 0; k < count + 1; k++)
    sync(d, e);
  edge(d, f, g, first + count, first + count + 1);
  edge(d, g, e, first + count + 1, first + count + 2);
  for (int k = 0; k < count; k++)
    edge(d, f, e, first + k, first + count + 3 + k);
}

/* Each of two or three engines waits for the one before it, and would then signal the next. */
static void cycle(struct draft *d)
{
  int members = 2 + (int)draw(d, 2), first = (int)draw(d, 4);
  for (int k = 0; k < members; k++)
    sync(d, (first + k) % 4);
  for (int k = 0; k < members; k++) {
    int from = (first + k) % 4, to = (first + (k + 1) % members) % 4;
    edge(d, from, to, k, (k + 1) % members);
  }
}

static void draft(struct draft *d, enum defect defect)
{
  int steps = 4 + (int)draw(d, draw(d, 4) ? 16 : 40);
  int spoilt_at = (int)draw(d, (uint32_t)steps);
  bool full = d->design->token_depth <= 64 && draw(d, 12) == 0;
  draft_image(d);
  if (defect == DEFECT_CYCLE)
    cycle(d);
  else if (full || defect == DEFECT_OVERFLOW)
    burst(d, d->design->token_depth + (defect == DEFECT_OVERFLOW));
  draft_fill(d);
  for (int k = 0; k < steps; k++) {
    if (k == spoilt_at)
      draft_spoilt(d, defect);
    draft_step(d);
  }
}

static int pair(struct draft *d, int engine)
{
  return (engine + 1 + (int)draw(d, TSR_ENGINE_COUNT - 1)) % TSR_ENGINE_COUNT;
}

/* One token too many, or too few. */
static void unbalance(struct draft *d, enum defect defect)
{
  struct tsr_insn *i = &d->list[draw(d, (uint32_t)d->count)].insn;
  if (defect == DEFECT_STARVED) {
    sync(d, (int)draw(d, TSR_ENGINE_COUNT));
    i = &d->list[d->count - 1].insn;
  }
  uint32_t *mask = defect == DEFECT_STARVED ? &i->wait : &i->signal, bit;
  do
    bit = 1u << pair(d, tsr_insn_engine(i));
  while (*mask & bit && *mask != (15u & ~(1u << tsr_insn_engine(i))));
  if (*mask & bit) { /* all three: a SYNC has room */
    sync(d, tsr_insn_engine(i));
    mask = &d->list[d->count - 1].insn.signal;
  }
  *mask |= bit;
}

static void encode(struct draft *d, struct tsr_program *out)
{
  out->insn_count = (size_t)d->count + 1;
  out->insns = tsr_arena_alloc(d->arena, out->insn_count * TSR_INSN_BYTES);
  for (int i = 0; i < d->count; i++)
    if (tsr_insn_encode(NULL, &d->list[i].insn, out->insns + (size_t)i * TSR_INSN_BYTES))
      abort(); /* a drawn instruction without an encoding */
  struct tsr_insn finish = {.opcode = TSR_OP_FINISH};
  tsr_insn_encode(NULL, &finish, out->insns + (size_t)d->count * TSR_INSN_BYTES);
  out->data = d->image;
  out->data_bytes = d->image_bytes;
  out->window_bytes = d->window_bytes;
  out->design_hash = d->design->hash;
}

/* Defects of the words themselves. */
static void spoil_words(struct draft *d, enum defect defect, struct tsr_program *p)
{
  uint8_t *word = p->insns + draw(d, (uint32_t)p->insn_count) * TSR_INSN_BYTES;
  struct tsr_insn insn;
  if (defect == DEFECT_FINISH)
    p->insn_count--;
  if (defect == DEFECT_OPCODE)
    do
      word[0] = (uint8_t)draw(d, 256);
    while (tsr_opcode_valid(word[0]));
  while (defect == DEFECT_RESERVED && tsr_insn_decode(word, &insn) == TSR_TRAP_NONE) {
    uint32_t bit = draw(d, 8 * TSR_INSN_BYTES);
    word[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (bit < 8 || tsr_insn_decode(word, &insn) == TSR_TRAP_NONE)
      word[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

static bool attempt(struct draft *d, enum defect defect, struct generated *out)
{
  draft(d, defect);
  bool placed = place_tokens(d);
  if (!placed && defect != DEFECT_OVERFLOW)
    return false;
  bool drops = defect == DEFECT_TOKEN || defect == DEFECT_TOKENS;
  for (uint32_t k = drops ? defect == DEFECT_TOKEN ? 1 : 2 + draw(d, 20) : 0; k > 0; k--)
    drop_token(d);
  out->raced = drops && has_race(d);
  put_tokens(d);
  if (defect == DEFECT_LEFTOVER || defect == DEFECT_STARVED)
    unbalance(d, defect);
  encode(d, &out->program);
  spoil_words(d, defect, &out->program);
  return true;
}

void generate(struct tsr_arena *arena, const struct tsr_design *design, uint64_t seed,
              enum defect defect, struct generated *out)
{
  uint64_t random = seed;
  *out = (struct generated){.defect = defect};
  for (;;) {
    struct draft *d = TSR_NEW(arena, struct draft);
    d->arena = arena;
    d->design = design;
    d->random = random_next(&random);
    if (attempt(d, defect, out))
      return;
  }
}

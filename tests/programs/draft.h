/* SPDX-License-Identifier: Apache-2.0 */
/* A program while it is being made. */
#ifndef TSR_TESTS_PROGRAMS_DRAFT_H
#define TSR_TESTS_PROGRAMS_DRAFT_H

#include "tests/isa/random.h"
#include "tests/programs/generate.h"

enum {
  DRAFT_INSNS = 320,  /* most in a program, before FINISH */
  DRAFT_UOPS = 1 << 14, /* bytes of micro-ops in the image, which they begin */
  DRAFT_DRAM = TSR_BUFFER_COUNT,
  DRAFT_SPACES
};

enum { TOUCH_READ = 1, TOUCH_WRITE = 2, TOUCH_IDLE = 4 }; /* IDLE: read, but the value is unused */

struct touch {
  uint32_t element; /* first_element[space] + entry or grain of DRAM */
  uint32_t how;
};

/* An instruction and all that it touches. */
struct drafted {
  struct tsr_insn insn;
  struct touch *touches;
  size_t count, capacity;
};

struct range {
  uint32_t low, count;
};

/* Tokens from one engine to another: the k-th is given by from[k] and taken by to[k]. */
struct edges {
  int from[DRAFT_INSNS], to[DRAFT_INSNS], count;
};

struct draft {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  uint64_t random;
  struct drafted list[DRAFT_INSNS];
  int count;
  struct edges edges[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT]; /* [from][to] */
  struct range hot[TSR_BUFFER_COUNT][2];
  uint32_t grain, first_element[DRAFT_SPACES + 1];
  uint8_t *written; /* an element */
  uint8_t *uops;    /* UOP as it stands after the instructions so far, in program order */
  uint8_t *image;
  uint32_t image_bytes, uop_bytes, window_bytes; /* uop_bytes: of the image, in use */
};

static inline uint32_t draw(struct draft *d, uint32_t below)
{
  return random_below(&d->random, below);
}

static inline uint32_t depth_of(const struct draft *d, int buffer)
{
  return (uint32_t)tsr_design_depth(d->design, buffer);
}

/* touch.c: fills `out->touches`; false where something is out of range (that part is left out) or
 * is read and not written, or a micro-op has bits that the row has no use for. */
bool touch_insn(struct draft *d, struct drafted *out);
uint32_t touched_banks(const struct draft *d, const struct drafted *at); /* bits of ACC banks */
/* The instruction is in the program: what it writes is written, and UOP as it leaves it. */
void touch_commit(struct draft *d, const struct drafted *at);

/* draw.c: the next instruction, valid; or spoilt by a defect that one instruction can have. */
void draft_image(struct draft *d);
void draft_fill(struct draft *d); /* LOADs of all ranges */
void draft_step(struct draft *d);
void draft_spoilt(struct draft *d, enum defect defect);

/* tokens.c: false where a counter would overflow. */
bool place_tokens(struct draft *d);
void put_tokens(struct draft *d); /* from edges into the instructions */
void drop_token(struct draft *d);
/* By brute force: some two instructions touch an element, one writes, and nothing orders them. */
bool has_race(struct draft *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the detector and the machine tell each other while a program runs. */
#ifndef TSR_HW_SIM_FUNC_WATCH_H
#define TSR_HW_SIM_FUNC_WATCH_H

#include "hw/sim/func/detect.h"
#include "hw/sim/func/state.h"

/* When each engine's latest instruction that may have touched an element was: its index + 1. */
struct tsr__shadow {
  uint32_t read[TSR_ENGINE_COUNT], write[TSR_ENGINE_COUNT];
};

struct tsr__clock {
  uint32_t at[TSR_ENGINE_COUNT];
};

/* Clocks of tokens given and not yet taken, first in first out; one more than the counter holds. */
struct tsr__tokens {
  struct tsr__clock *ring;
  uint64_t given, taken;
};

struct tsr__watch {
  const struct tsr_func *func;
  const uint8_t *insns;
  struct tsr_detect *out;
  uint64_t random;
  uint32_t eager;  /* of 8 steps, how many fetch takes where it can */
  uint32_t steady; /* of 16 steps, how many keep the ranking of engines */
  int rank[TSR_ENGINE_COUNT];
  struct tsr__clock clock[TSR_ENGINE_COUNT];
  struct tsr__tokens tokens[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT]; /* [from][to] */
  struct tsr__shadow *shadow[TSR_DETECT_DRAM + 1];
  uint64_t grain; /* bytes of the window that one shadow stands for */
  size_t insn;    /* the instruction that is touching, its engine */
  int engine;
};

/* As tsr_func_run(), under watch. */
enum tsr_trap tsr__func_watched(struct tsr_func *func, const uint8_t *insns, size_t insn_count,
                                uint8_t *window, size_t window_bytes,
                                struct tsr_func_result *result, struct tsr__watch *watch);

/* The order: whether fetch goes before the engines now; which of the ready engines goes. */
bool tsr__watch_fetches(struct tsr__watch *watch);
int tsr__watch_pick(struct tsr__watch *watch, uint32_t ready);

/* An instruction that traps nothing is about to run, its tokens taken. */
void tsr__watch_insn(struct tsr__watch *watch, const struct tsr_order_entry *entry);

/* touch.c: every element that an instruction reads and writes, in its order. */
void tsr__touch_all(struct tsr__watch *watch, const struct tsr_insn *insn);
/* One of them. */
void tsr__watch_read(struct tsr__watch *watch, int buffer, uint64_t element);
void tsr__watch_write(struct tsr__watch *watch, int buffer, uint64_t element);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What decides order, times, trouble and errors, for both faces of the memory: pins.c, cycle by
 * cycle, and bursts.c, burst by burst. */
#ifndef TSR_HW_SIM_DRAM_MEMORY_H
#define TSR_HW_SIM_DRAM_MEMORY_H

#include "hw/sim/dram/dram.h"
#include "hw/sim/dram/limit.h"
#include "hw/sim/dram/rules.h"

#define TSR__UNDECIDED UINT64_MAX

struct tsr__region {
  uint64_t base;
  size_t bytes;
  const uint8_t *read;
  uint8_t *write; /* NULL: read only */
};

enum { TSR__DDR_CHANNELS = 8, TSR__DDR_BANKS = 32, TSR__DDR_WINDOW = 4 };

/* All times are in ticks: from then on a command is allowed. */
struct tsr__ddr_bank {
  bool open;
  uint64_t row;
  uint64_t activate, column, precharge;
};

/* A burst's part in the memory of `ddr`. */
struct tsr__ddr_job {
  struct tsr__burst *behind;  /* in the queue of its channel */
  uint64_t entered;           /* it, in ticks */
  struct tsr__ddr_bank *bank; /* of its first byte, */
  uint64_t row;               /* and the row */
  int passed;                 /* so often was a younger one chosen */
};

struct tsr__burst {
  uint64_t addr;
  uint64_t order, accepted; /* its number, and its cycle */
  uint64_t extra;           /* cycles that trouble adds */
  struct tsr_beats when;    /* can its beats move */
  uint64_t due; /* of the next beat; of the answer to a write that has all beats; TSR__UNDECIDED */
  bool write;
  struct tsr__ddr_job job;
  int beats, next;
  int error_beat;                 /* a read's beat that answers SLVERR; -1: none */
  uint8_t resp;                   /* of a write */
  const struct tsr__region *home; /* that holds all of it; NULL: each beat is looked up */
};

struct tsr__ring {
  struct tsr__burst slots[TSR_DRAM_BURSTS];
  unsigned first, count;
};

struct tsr__ddr_channel {
  struct tsr__ddr_bank banks[TSR__DDR_BANKS];
  uint64_t window[TSR__DDR_WINDOW]; /* the latest openings of rows, the last one at `newest` */
  int newest, opened;               /* of them; how many there have been, up to four */
  uint64_t read, write;             /* on the pins of the channel */
  uint64_t ended[2]; /* the last commands of the two latest bursts, the older one first */
  uint64_t refresh;  /* the next is due */
  struct tsr__burst *oldest, *youngest; /* that wait */
};

struct tsr__ddr {
  uint64_t ticks, cycles; /* so many ticks are so many cycles, in lowest terms */
  uint32_t beat_step;     /* from one beat of a stream to the next, in 1/256 cycle */
  int access_bytes;
  struct tsr__ddr_channel channels[TSR__DDR_CHANNELS];
};

struct tsr_dram {
  const struct tsr_allocator *allocator;
  struct tsr_dram_options options;
  int beat_bytes;
  int latency_cycles;
  struct tsr__region regions[TSR_DRAM_REGIONS];
  uint64_t pins_free; /* when the pins of `simple` have moved all; in 1/bytes_per_cycle */
  struct tsr__ddr ddr;
  uint64_t told;                 /* all that happened before this cycle is known */
  uint64_t accepted, burst_dice; /* bursts; the state of their dice */
  struct tsr__ring reads[TSR_AXI_READ_IDS];
  struct tsr__ring writes; /* from the address to the answer */
  unsigned writes_full;    /* of these, how many have all of their beats */
  struct tsr_limit read_limit, write_limit;
  int shown;               /* read ID whose beat, or run, was told last; -1: none */
  struct tsr_dram_error error;
  uint64_t error_cycle;  /* the earliest in which an error was taken; none: UINT64_MAX */
  uint64_t answer_cycle; /* that the burst face has told */
  /* Of the pins. */
  uint64_t cycle;
  bool answering; /* a write's answer is on the bus */
  struct tsr_axi_slave slave;
  struct tsr__axi_rules rules;
};

static inline struct tsr__burst *tsr__ring_at(struct tsr__ring *ring, unsigned k)
{
  return &ring->slots[(ring->first + k) % TSR_DRAM_BURSTS];
}

/* A burst whose time is known? Else it is decided, if what has been told is enough; and if it is
 * not, *look_again is the cycle from which on it may be. */
bool tsr__dram_decide(struct tsr_dram *dram, struct tsr__burst *b, uint64_t *look_again);

/* Is a channel held back in this cycle? A function of seed and cycle, whoever asks, and when. */
bool tsr__dram_held(const struct tsr_dram *dram, enum tsr_axi_channel channel, uint64_t cycle);
/* The first cycle, from this one on, in which it is not. */
uint64_t tsr__dram_free_cycle(const struct tsr_dram *dram, enum tsr_axi_channel channel,
                              uint64_t cycle);

/* All of a burst's bytes lie in one region. */
bool tsr__dram_mapped(const struct tsr_dram *dram, uint64_t addr, int beats);

/* As tsr_limit_room(), of the limits and of the rings. */
uint64_t tsr__dram_room_cycle(const struct tsr_dram *dram, enum tsr_axi_channel channel,
                              uint64_t cycle);
void tsr__dram_accept_read(struct tsr_dram *dram, uint64_t cycle, int id, uint64_t addr, int beats);
void tsr__dram_accept_write(struct tsr_dram *dram, uint64_t cycle, uint64_t addr, int beats);

/* The read ID whose beat comes on R in this cycle, if R is free and not held back; -1: none. */
int tsr__dram_pick_read(struct tsr_dram *dram, uint64_t cycle);
/* The region of a burst's beat, NULL: none; and how that beat of a read answers. */
const struct tsr__region *tsr__dram_region(const struct tsr_dram *dram, const struct tsr__burst *b,
                                           int beat);
uint8_t tsr__dram_read_resp(const struct tsr_dram *dram, const struct tsr__burst *b, int beat);

/* Beats have moved, the last in `cycle`; at most that one of a read's has an error. */
void tsr__dram_take_read(struct tsr_dram *dram, int id, int beats, uint64_t cycle);
void tsr__dram_take_write(struct tsr_dram *dram, int beats, uint64_t cycle);
void tsr__dram_take_answer(struct tsr_dram *dram, uint64_t cycle);

/* timing.c, of `ideal` and `simple`: when the beats of a burst can move that is accepted in this
 * cycle. */
struct tsr_beats tsr__dram_reserve_read(struct tsr_dram *dram, uint64_t cycle, int beats,
                                        uint64_t extra);
struct tsr_beats tsr__dram_reserve_write(struct tsr_dram *dram, uint64_t cycle, int beats);

/* ddr.c: time starts again; a read has been accepted, or a write has all its beats, in a cycle;
 * tsr__dram_decide(). */
void tsr__ddr_restart(struct tsr_dram *dram);
void tsr__ddr_enter(struct tsr_dram *dram, struct tsr__burst *b, uint64_t cycle);
bool tsr__ddr_decide(struct tsr_dram *dram, struct tsr__burst *b, uint64_t *look_again);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A memory behind an AXI4 port, burst by burst: what a model asks that does not count cycles.
 *
 * Cycles count from the start of a run. Calls come in the order of cycles; those of one cycle in the
 * order of the functions below, so that no beat is answered in the cycle in which it was written,
 * and none is shown in the cycle in which its address was accepted. Only next_...() may ask about a
 * time to come, and beats that are sure be taken ahead of it. */
#ifndef TSR_HW_SIM_DRAM_BURSTS_H
#define TSR_HW_SIM_DRAM_BURSTS_H

#include <stdbool.h>
#include <stdint.h>

enum tsr_axi_channel { TSR_AXI_AR, TSR_AXI_R, TSR_AXI_AW, TSR_AXI_W, TSR_AXI_B, TSR_AXI_CHANNELS };

/* When beats can move: beat k, from 0, in cycle (offset + k * step) / per, rounded down, or later
 * where the beat before it, or the other side, was late. */
struct tsr_beats {
  uint64_t offset;
  uint32_t step, per;
};

static inline uint64_t tsr_beat_cycle(const struct tsr_beats *beats, uint64_t k)
{
  return beats->per == 1 ? beats->offset + k * beats->step
                         : (beats->offset + k * beats->step) / beats->per;
}

/* Beats of one burst that move next on R, or on W. */
struct tsr_burst_run {
  int beats;      /* 0: none is known */
  int id;         /* of a read */
  bool ends;      /* the last of them is the burst's last */
  bool sure;      /* whatever is accepted later; else ask again when an address is accepted before
                     the cycle of the first beat */
  int error_beat; /* of these beats, of a read, the last one, if it has an error; -1: none has */
  struct tsr_beats when;
  uint64_t look_again; /* where none is known: not before it is told() this, or another address */
};

struct tsr_burst_answer {
  bool known, error;
  uint64_t cycle;
  uint64_t look_again; /* as above, or until more beats are written */
};

struct tsr_burst_port {
  void *context;
  /* An address is accepted in the first cycle in which it is shown, and may be told in the cycle
   * before, as the last thing of that cycle, the read's first; and told() makes no difference. */
  bool ahead;
  /* It is `cycle` now: all addresses and written beats of earlier ones have been told, and the port
   * may choose where another one would have mattered. Before any other call of a cycle; once is
   * enough. NULL: the port never waits for it. */
  void (*told)(void *context, uint64_t cycle);
  /* The answer to the oldest write that has none, where B is free from `cycle` on; and that it was
   * taken. The machine takes each in the cycle in which it is shown. */
  void (*next_answer)(void *context, uint64_t cycle, struct tsr_burst_answer *out);
  void (*take_answer)(void *context);
  /* What R shows where it is free from `cycle` on; and that so many beats of what was told last
   * were taken, the last in `cycle`. */
  void (*next_read)(void *context, uint64_t cycle, struct tsr_burst_run *out);
  void (*take_read)(void *context, int beats, uint64_t cycle);
  /* The first cycle, from `cycle` on, in which an address is accepted on AR or AW; UINT64_MAX: that
   * depends on beats or answers to come, and is asked again when one has been taken. */
  uint64_t (*address_cycle)(void *context, enum tsr_axi_channel channel, uint64_t cycle);
  /* An address has been accepted in this cycle; of the two kinds the read's first. */
  void (*accept_read)(void *context, uint64_t cycle, int id, uint64_t addr, int beats);
  /* The same for a read whose beats are known at once: all of them, for sure and without an error,
   * which next_read() will not tell then. False: it was not accepted. NULL: there are none. */
  bool (*read_at_once)(void *context, uint64_t cycle, uint64_t addr, int beats,
                       struct tsr_beats *when);
  void (*accept_write)(void *context, uint64_t cycle, uint64_t addr, int beats);
  /* What W accepts where the machine shows its next beat from `cycle` on: beats of the oldest write
   * that lacks any; and that so many were accepted, the last in `cycle`. */
  void (*next_write)(void *context, uint64_t cycle, struct tsr_burst_run *out);
  void (*take_write)(void *context, int beats, uint64_t cycle);
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The memory behind the machine's AXI4 port: what it holds, and when it answers.
 *
 * Time is in cycles of the bus. Bursts are served in the order in which their addresses were
 * accepted (a read before a write of the same cycle); when a beat of one can come is a closed form
 * of that order, below, for a caller who thinks in bursts. tsr_dram_cycle() is the same memory for
 * one who thinks in cycles: it is told what the master shows in a cycle and says what the memory
 * shows in the same cycle; a transfer happens where valid and ready meet. */
#ifndef TSR_HW_SIM_DRAM_DRAM_H
#define TSR_HW_SIM_DRAM_DRAM_H

#include "configs/design.h"
#include "hw/sim/dram/port.h"

/* How it answers, beyond the design point's memory model. A quiet memory has 0 everywhere here. */
struct tsr_dram_options {
  enum tsr_memory_model model;
  int latency_cycles, bytes_per_cycle; /* of `simple` */
  /* Trouble by seed, each in 1/256 of the cycles or bursts: 0 to 255. */
  uint64_t seed;
  int stall;         /* cycles in which ready or valid of a channel is held back */
  int long_latency;  /* bursts that take up to 500 cycles more */
  int reorder;       /* bursts of a read ID that overtake those of the other, beats in between */
  int read_error, write_error; /* bursts answered with SLVERR; of a read, in one of its beats */
};

/* The design point's memory, quiet. */
struct tsr_dram_options tsr_dram_defaults(const struct tsr_design *design);

/* --- when ------------------------------------------------------------------------------------- */

/* The pins of the memory chips, which reads and writes share: `simple` moves bytes_per_cycle, one
 * burst after the other from the cycle in which its address is accepted; what is read then takes
 * latency_cycles more, as does the answer to a write. `ideal` never makes a beat wait. */
struct tsr_dram_timing {
  int beat_bytes;
  int latency_cycles;
  uint64_t bytes_per_cycle; /* 0: no limit */
  uint64_t free; /* when the pins have done all that was reserved; in 1/bytes_per_cycle */
};

/* A burst's share of them. */
struct tsr_dram_slot {
  uint64_t cycle; /* its address was accepted */
  uint64_t start; /* of the pins; in 1/bytes_per_cycle */
};

struct tsr_dram_timing tsr_dram_timing(const struct tsr_dram_options *options, int beat_bytes);
struct tsr_dram_slot tsr_dram_reserve(struct tsr_dram_timing *timing, uint64_t cycle, int beats);
/* The first cycle in which beat `beat` (from 0) of a read can be shown, of a write be accepted. The
 * bus moves one beat a cycle each way, so that beats behind one that came late come later too. */
uint64_t tsr_dram_read_cycle(const struct tsr_dram_timing *timing, struct tsr_dram_slot slot,
                             int beat);
uint64_t tsr_dram_write_cycle(const struct tsr_dram_timing *timing, struct tsr_dram_slot slot,
                              int beat);
/* The first cycle in which a write is acknowledged whose last beat was accepted in `last`. */
uint64_t tsr_dram_answer_cycle(const struct tsr_dram_timing *timing, uint64_t last);

/* --- what, cycle by cycle --------------------------------------------------------------------- */

struct tsr_dram;

enum { TSR_DRAM_REGIONS = 2 };
enum { TSR_DRAM_BURSTS = 256 }; /* outstanding, of each read ID and of writes */

/* NULL: out of memory. Nothing is mapped: every address answers DECERR. */
struct tsr_dram *tsr_dram_new(const struct tsr_allocator *allocator,
                              const struct tsr_dram_options *options, int beat_bytes);
void tsr_dram_free(struct tsr_dram *dram); /* NULL is allowed */

/* Region k is `bytes` at bus address `base`; data stays the caller's. A write to one that is read
 * only, and any access outside of the regions, answers DECERR. */
void tsr_dram_map(struct tsr_dram *dram, int k, uint64_t base, uint8_t *data, size_t bytes);
void tsr_dram_map_read_only(struct tsr_dram *dram, int k, uint64_t base, const uint8_t *data,
                            size_t bytes);

/* Forgets what is outstanding, and starts time and the seed's sequence again. */
void tsr_dram_restart(struct tsr_dram *dram);

/* One cycle. What a beat writes is in its region on return; what one reads is taken when the beat
 * is first shown, and stays the same until the master takes it. */
void tsr_dram_cycle(struct tsr_dram *dram, const struct tsr_axi_master *master,
                    struct tsr_axi_slave *slave);

/* No burst is outstanding. */
bool tsr_dram_idle(const struct tsr_dram *dram);

/* The first answer since the restart that was not OKAY; false: there was none. */
struct tsr_dram_error {
  uint64_t addr; /* of the burst */
  int bytes;
  uint8_t resp;
  bool write;
};
bool tsr_dram_first_error(const struct tsr_dram *dram, struct tsr_dram_error *out);

/* The first rule of AXI4 that the master broke since the restart, as a sentence; NULL: none. */
const char *tsr_dram_complaint(const struct tsr_dram *dram);

#endif

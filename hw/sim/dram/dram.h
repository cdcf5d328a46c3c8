/* SPDX-License-Identifier: Apache-2.0 */
/* The memory behind the machine's AXI4 port: what it holds, and when it answers.
 *
 * Time is in cycles of the bus. One memory has two faces. tsr_dram_cycle() is for a master that
 * counts cycles: it is told what the master shows in a cycle and says what the memory shows in the
 * same cycle; a transfer happens where valid and ready meet. tsr_dram_port() is for one that thinks
 * in bursts, and moves no data. Both give a master that does the same the same times, troubles and
 * errors. */
#ifndef TSR_HW_SIM_DRAM_DRAM_H
#define TSR_HW_SIM_DRAM_DRAM_H

#include "configs/design.h"
#include "hw/sim/dram/bursts.h"
#include "hw/sim/dram/port.h"

/* How it answers, beyond the design point's memory model. A quiet memory has 0 everywhere here. */
struct tsr_dram_options {
  enum tsr_memory_model model;
  int latency_cycles;  /* of `simple` and `ddr` */
  int bytes_per_cycle; /* of `simple` */
  int reads, writes;   /* of both: bursts in flight at most; 0: no limit */
  struct tsr_ddr ddr;  /* of `ddr`, */
  int clock_mhz;       /* and the clock of the bus beside it */
  /* Trouble by seed, each in 1/256 of the cycles or bursts: 0 to 256. */
  uint64_t seed;
  int stall;        /* cycles in which ready or valid of a channel is held back; 255 at most */
  int long_latency; /* bursts that take up to 500 cycles more */
  int reorder;      /* bursts of a read ID that overtake those of the other, beats in between */
  int read_error, write_error; /* bursts answered with SLVERR; of a read, in one of its beats */
};

/* The design point's memory, quiet. */
struct tsr_dram_options tsr_dram_defaults(const struct tsr_design *design);

/* Refuses what no memory can be: a number that is out of its range, or impossible beside others. */
enum tsr_status tsr_dram_check(struct tsr_err *err, const struct tsr_dram_options *options);

struct tsr_dram;

enum { TSR_DRAM_REGIONS = 2 };
enum { TSR_DRAM_BURSTS = 256 }; /* outstanding, of each read ID and of writes */

/* Of options that tsr_dram_check() accepts. NULL: out of memory. Nothing is mapped: every address
 * answers DECERR. */
struct tsr_dram *tsr_dram_new(const struct tsr_allocator *allocator,
                              const struct tsr_dram_options *options, int beat_bytes);
void tsr_dram_free(struct tsr_dram *dram); /* NULL is allowed */

/* Region k is `bytes` at bus address `base`; data stays the caller's. A write to one that is read
 * only, and any access outside of the regions, answers DECERR. */
void tsr_dram_map(struct tsr_dram *dram, int k, uint64_t base, uint8_t *data, size_t bytes);
void tsr_dram_map_read_only(struct tsr_dram *dram, int k, uint64_t base, const uint8_t *data,
                            size_t bytes);

/* Forgets what is outstanding, and starts time and the seed's sequence again, in cycle 0. */
void tsr_dram_restart(struct tsr_dram *dram);

/* One cycle. What a beat writes is in its region on return; what one reads is taken when the beat
 * is first shown, and stays the same until the master takes it. */
void tsr_dram_cycle(struct tsr_dram *dram, const struct tsr_axi_master *master,
                    struct tsr_axi_slave *slave);

/* The memory burst by burst, for as long as it lives; used instead of tsr_dram_cycle() from a
 * restart on. A master has at most TSR_DRAM_BURSTS outstanding. address_cycle() is UINT64_MAX while
 * there are so many, or as many as the options allow; as soon as the end of one has been told it is
 * known. */
struct tsr_burst_port tsr_dram_port(struct tsr_dram *dram);

/* No burst is outstanding. */
bool tsr_dram_idle(const struct tsr_dram *dram);

/* The first answer that was taken since the restart and was not OKAY; false: there was none. */
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

/* SPDX-License-Identifier: Apache-2.0 */
/* A master that plays a script of bursts to a memory and writes down every transfer. */
#ifndef TSR_TESTS_DRAM_MASTER_H
#define TSR_TESTS_DRAM_MASTER_H

#include "hw/sim/dram/dram.h"
#include "tests/base/cases.h"

enum { MOST_BURSTS = 512, MOST_SEEN = 20000, REGION_BYTES = 16384, LONGEST_RUN = 200000 };
enum kind { SEEN_AR, SEEN_R, SEEN_AW, SEEN_W, SEEN_B };

struct burst {
  uint64_t from; /* the cycle in which its address is shown, at the earliest */
  uint64_t addr;
  int beats, id;
};

struct seen {
  uint64_t cycle;
  enum kind kind;
  int id, resp, last;
  uint8_t data[TSR_AXI_BEAT_BYTES];
};

struct master {
  struct tsr_dram *dram;
  int beat_bytes;
  uint8_t region[REGION_BYTES];   /* at bus address 0 */
  uint8_t constant[REGION_BYTES]; /* read only, at 2^39 */
  struct burst reads[MOST_BURSTS], writes[MOST_BURSTS];
  int read_count, write_count;
  int lazy;      /* in 256 of the cycles in which the master is not ready, or shows no data */
  uint64_t dice; /* of these */
  /* The state of the play. */
  uint64_t cycle;
  int reads_shown, writes_shown, data_burst, data_beat, answers, last_beats;
  struct tsr_axi_master now;
  struct tsr_axi_slave slave;
  struct seen *seen;
  int seen_count;
};

struct master *master_open(const struct tsr_dram_options *options, int beat_bytes);
void master_close(struct master *m);
void master_read(struct master *m, uint64_t from, int id, uint64_t addr, int beats);
void master_write(struct master *m, uint64_t from, uint64_t addr, int beats);
/* The byte that write `burst` writes as its byte i. */
uint8_t master_byte(int burst, int i);
/* One cycle; and the script to its end, forgetting what was seen before. */
void master_cycle(struct master *m);
void master_play(struct master *m);
/* The nth transfer of a kind; NULL: there are not so many. */
const struct seen *master_seen(const struct master *m, enum kind kind, int n);
void master_expect(const struct master *m, enum kind kind, int count, const uint64_t *cycles);

#endif

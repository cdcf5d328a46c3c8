/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a DRAM: ddr.def has their names and meanings, ddr_sets.def those of real ones. */
#ifndef TSR_CONFIGS_DDR_H
#define TSR_CONFIGS_DDR_H

#include "base/status.h"

/* Which of the bursts that wait goes first: the oldest, or the oldest whose row is open. */
enum tsr_ddr_order { TSR_DDR_FCFS, TSR_DDR_FRFCFS };
extern const char *const tsr_ddr_order_names[]; /* "fcfs" */

struct tsr_ddr {
#define TSR_DDR_KEY(key, smallest, largest, unit, meaning) int key;
#include "configs/ddr.def"
#undef TSR_DDR_KEY
  enum tsr_ddr_order order;
};

/* The set of this name; NULL: there is none. And all names, NULL-terminated. */
const struct tsr_ddr *tsr_ddr_set(const char *name);
const char *const *tsr_ddr_set_names(void);

/* Refuses what no DRAM can be, in a sentence. *key, where not NULL, becomes the name of the
 * parameter that it is about. */
enum tsr_status tsr_ddr_check(struct tsr_err *err, const struct tsr_ddr *ddr, const char **key);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Waveform files. */
#ifndef TSR_HW_SIM_RTL_FST_H
#define TSR_HW_SIM_RTL_FST_H

#include "base/status.h"

/* Is the file a whole waveform? What writes it does not tell where the disk ran full. An FST file is a
 * chain of blocks: a byte for the kind, 8 for the length behind it, big endian; the header comes first,
 * and places and names of signals are among them. */
enum tsr_status tsr_fst_check(struct tsr_err *err, const char *path);

#endif

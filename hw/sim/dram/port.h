/* SPDX-License-Identifier: Apache-2.0 */
/* The two sides of an AXI4 port in one cycle, as plain data: what hw/sim/rtl reads from the model's
 * pins and writes to them. Also read by C++. */
#ifndef TSR_HW_SIM_DRAM_PORT_H
#define TSR_HW_SIM_DRAM_PORT_H

#include <stdint.h>

enum { TSR_AXI_OKAY = 0, TSR_AXI_SLVERR = 2, TSR_AXI_DECERR = 3 };
enum { TSR_AXI_INCR = 1 };
enum { TSR_AXI_BEAT_BYTES = 128 }; /* of the widest bus */
enum { TSR_AXI_READ_IDS = 2 };     /* of the machine: 0 fetches, 1 loads */

/* One of the two address channels. */
struct tsr_axi_address {
  uint64_t addr;
  uint8_t valid, id, len, size, burst;
};

struct tsr_axi_master {
  struct tsr_axi_address ar, aw;
  uint8_t r_ready;
  uint8_t w_valid, w_last;
  uint8_t b_ready;
  uint8_t w_data[TSR_AXI_BEAT_BYTES], w_strb[TSR_AXI_BEAT_BYTES / 8];
};

struct tsr_axi_slave {
  uint8_t ar_ready, aw_ready, w_ready;
  uint8_t r_valid, r_id, r_resp, r_last;
  uint8_t b_valid, b_resp;
  uint8_t r_data[TSR_AXI_BEAT_BYTES];
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The border between the C of this folder and the C++ that Verilator makes: the machine's pins as a
 * struct, and the four functions of a built model. Also read by C++. */
#ifndef TSR_HW_SIM_RTL_PINS_H
#define TSR_HW_SIM_RTL_PINS_H

#include <stdint.h>

#include "hw/sim/dram/port.h"

enum { TSR__TRACED_ENGINES = 4 };

/* What goes in during a cycle, and, in the members from `bus` on, what the machine shows in the
 * next one: its outputs are functions of registers only. */
struct tsr__rtl_pins {
  /* To the model. */
  uint64_t dump_time; /* of the waveform, if there is one and `dump` is set */
  uint8_t dump;
  uint8_t rst_n;
  uint8_t awvalid, wvalid, bready, arvalid, rready; /* of the host's AXI4-Lite port */
  uint8_t wstrb;
  uint16_t awaddr, araddr;
  uint32_t wdata;
  struct tsr_axi_slave memory;
  /* From the model. */
  struct tsr_axi_master bus;
  uint8_t awready, wready, bresp, bvalid, arready, rresp, rvalid;
  uint8_t irq;
  uint8_t trace_start, trace_end; /* a bit an engine */
  uint32_t rdata;
  uint32_t start_insn[TSR__TRACED_ENGINES]; /* where that bit is set */
  uint32_t end_insn[TSR__TRACED_ENGINES];
};

/* A model of its own, in reset until rst_n rises; wave: the file for its waveform, or NULL. NULL:
 * no memory, or the file can't be written. */
typedef void *tsr__rtl_new(const char *wave);
typedef void tsr__rtl_free(void *model);
/* One rising edge of the clock. */
typedef void tsr__rtl_cycle(void *model, struct tsr__rtl_pins *pins);
/* An entry of a scratchpad (enum tsr_buffer), as tsr_func_scratchpad() lays it out. */
typedef void tsr__rtl_peek(void *model, int buffer, uint32_t entry, void *out);

#endif

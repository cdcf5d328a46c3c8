/* SPDX-License-Identifier: Apache-2.0 */
#include "configs/verilog.h"

#include <inttypes.h>

char *tsr_design_verilog(struct tsr_arena *arena, const struct tsr_design *d)
{
  const struct {
    const char *name;
    int value;
    const char *meaning;
  } macros[] = {
      {"BATCH", d->batch, "rows of a tile"},
      {"BLOCK", d->block_out, "block_in and block_out"},
      {"LANES", tsr_design_lanes(d), "elements of an INP, ACC or OUT entry"},
      {"UOP_DEPTH", tsr_design_depth(d, TSR_BUFFER_UOP), "entries"},
      {"INP_DEPTH", tsr_design_depth(d, TSR_BUFFER_INP), "entries"},
      {"WGT_DEPTH", tsr_design_depth(d, TSR_BUFFER_WGT), "entries"},
      {"ACC_DEPTH", tsr_design_depth(d, TSR_BUFFER_ACC), "entries of both banks"},
      {"OUT_DEPTH", tsr_design_depth(d, TSR_BUFFER_OUT), "entries"},
      {"LUT_DEPTH", tsr_design_depth(d, TSR_BUFFER_LUT), "tables"},
      {"QUEUE_DEPTH", d->queue_depth, "instructions, of each engine"},
      {"TOKEN_DEPTH", d->token_depth, "largest value of a token counter"},
      {"AXI_BITS", d->axi_data_bits, "width of the AXI data bus"},
      {"BURST_BEATS", d->axi_burst_beats, "longest burst"},
      {"READS", d->axi_reads, "bursts outstanding"},
      {"WRITES", d->axi_writes, "bursts outstanding"},
  };
  struct tsr_text out = {.arena = arena};
  tsr_text_add(&out, "// SPDX-License-Identifier: Apache-2.0\n"
                     "// Made from a design point by configs/verilog.c; changes here are lost.\n"
                     "`ifndef TSR_DESIGN_VH\n`define TSR_DESIGN_VH\n\n");
  for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++)
    tsr_text_add(&out, "`define TSR_%s %d // %s\n", macros[i].name, macros[i].value,
                 macros[i].meaning);
  tsr_text_add(&out, "`define TSR_HASH 64'h%016" PRIx64 "\n\n`endif\n", d->hash);
  return out.data;
}

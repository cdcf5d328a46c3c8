// SPDX-License-Identifier: Apache-2.0
//
// dma_check: would this LOAD or STORE trap? Twelve cycles: the products are made four bits a cycle,
// two at a time. It can be done while the transfer before is going on.
//
//   entries = (yl + ny + yr) * nz * (xl + nx + xr)     saturated where past any scratchpad
//   far     = dram + (ny - 1) * sy + (nz - 1) * sz     first byte of the last row, in the window

`default_nettype none
`include "tessera.vh"

module dma_check (
  input  wire         clk_i,
  input  wire         rst_ni,
  input  wire         clear_i,
  input  wire         start_i,
  input  wire [255:0] insn_i,          // stays until the answer has been used
  input  wire [32:0]  window_bytes_i,
  output wire         done_o,          // until the next start: the answers below hold
  output reg          trap_o,
  output reg  [7:0]   trap_code_o,
  output wire [17:0]  end_entry_o,     // the entry behind the last one
  output wire [27:0]  row_beats_o
);

  localparam DIGITS = 5;  // of four bits
  localparam [31:0] BEAT_BYTES = `TSR_BEAT_BYTES;
  localparam BEAT_LOG2 = $clog2(`TSR_BEAT_BYTES);

  wire unused = &{1'b0, insn_i[191:176], insn_i[63:48], insn_i[23:0]};

  wire [7:0]  buffer = insn_i[`TSR_DMA_BUFFER];
  wire [15:0] nx = insn_i[`TSR_DMA_NX];
  wire [15:0] ny = insn_i[`TSR_DMA_NY];
  wire [15:0] nz = insn_i[`TSR_DMA_NZ];
  wire [31:0] dram = insn_i[`TSR_DMA_DRAM];
  wire [31:0] sy = insn_i[`TSR_DMA_SY];
  wire [31:0] sz = insn_i[`TSR_DMA_SZ];
  wire [17:0] width = {2'd0, nx} + {10'd0, insn_i[`TSR_DMA_XL]} + {10'd0, insn_i[`TSR_DMA_XR]};
  wire [17:0] height = {2'd0, ny} + {10'd0, insn_i[`TSR_DMA_YL]} + {10'd0, insn_i[`TSR_DMA_YR]};

  // ---- two products at a time, the highest digit first ----

  reg        busy_q, second_q, done_q;
  reg [2:0]  digit_q;
  reg [17:0] entries_a_q;
  reg [19:0] entries_b_q;
  reg [41:0] entries_q;
  reg [31:0] far_a_q;
  reg [19:0] far_b_q;
  reg [51:0] far_q, offset_q;  // offset_q: dram, then with the first product

  wire last = digit_q == DIGITS - 1;
  reg [41:0] entries_next;
  reg [51:0] far_next;
  always @(*) begin
    entries_next = 42'bx;
    far_next = 52'bx;
    if (busy_q) begin
      entries_next = (entries_q << 4) + {20'd0, {4'd0, entries_a_q} * {18'd0, entries_b_q[19:16]}};
      far_next = (far_q << 4) + {16'd0, {4'd0, far_a_q} * {32'd0, far_b_q[19:16]}};
    end
  end
  wire [17:0] planes = entries_next[41:17] != 0 ? 18'h20000 : entries_next[17:0];

  assign done_o = done_q;

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      busy_q <= 1'b0;
      done_q <= 1'b0;
    end else if (start_i) begin
      busy_q <= 1'b1;
      done_q <= 1'b0;
    end else if (busy_q && last && second_q) busy_q <= 1'b0;
    else if (!busy_q && second_q) done_q <= 1'b1;

    if (start_i) begin
      second_q <= 1'b0;
      digit_q <= 0;
      entries_a_q <= height;
      entries_b_q <= {4'd0, nz};
      far_a_q <= sy;
      far_b_q <= {4'd0, ny - 16'd1};
      entries_q <= 0;
      far_q <= 0;
      offset_q <= {20'd0, dram};
    end else if (busy_q) begin
      digit_q <= last ? 3'd0 : digit_q + 3'd1;
      entries_b_q <= entries_b_q << 4;
      far_b_q <= far_b_q << 4;
      entries_q <= entries_next;
      far_q <= far_next;
      if (last && !second_q) begin
        second_q <= 1'b1;
        entries_a_q <= planes;
        entries_b_q <= {2'd0, width};
        far_a_q <= sz;
        far_b_q <= {4'd0, nz - 16'd1};
        entries_q <= 0;
        far_q <= 0;
        offset_q <= offset_q + far_next;
      end
    end
  end

  // ---- a row in DRAM ----

  reg [31:0] row_bytes;
  always @(*) begin
    case (buffer)
      `TSR_BUFFER_UOP: row_bytes = {16'd0, nx} * 32'd8;
      `TSR_BUFFER_WGT: row_bytes = {16'd0, nx} * (`TSR_WGT_BITS / 8);
      `TSR_BUFFER_ACC: row_bytes = {16'd0, nx} * (`TSR_ENTRY32 / 8);
      `TSR_BUFFER_LUT: row_bytes = {16'd0, nx} * `TSR_LUT_BYTES;
      default:         row_bytes = {16'd0, nx} * (`TSR_ENTRY8 / 8);
    endcase
  end
  wire [31:0] row_rounded = (row_bytes + BEAT_BYTES - 32'd1) >> BEAT_LOG2;
  assign row_beats_o = row_rounded[27:0];
  wire unused_row = &{1'b0, row_rounded[31:28]};

  // ---- the answer ----

  reg [17:0] depth;
  always @(*) begin
    case (buffer)
      `TSR_BUFFER_UOP: depth = `TSR_UOP_DEPTH;
      `TSR_BUFFER_INP: depth = `TSR_INP_DEPTH;
      `TSR_BUFFER_WGT: depth = `TSR_WGT_DEPTH;
      `TSR_BUFFER_OUT: depth = `TSR_OUT_DEPTH;
      `TSR_BUFFER_LUT: depth = `TSR_LUT_DEPTH;
      default:         depth = `TSR_ACC_DEPTH;
    endcase
  end

  wire [41:0] end_entry = entries_q + {26'd0, insn_i[`TSR_DMA_SRAM]};
  wire [52:0] end_byte = {1'b0, offset_q} + {1'b0, far_q} + {21'd0, row_bytes};
  wire misaligned = dram[BEAT_LOG2-1:0] != 0 || (ny != 16'd1 && sy[BEAT_LOG2-1:0] != 0)
                 || (nz != 16'd1 && sz[BEAT_LOG2-1:0] != 0);
  assign end_entry_o = end_entry[17:0];

  always @(posedge clk_i) begin
    if (!busy_q && second_q && !done_q) begin
      trap_o <= 1'b1;
      if (end_entry > {24'd0, depth}) trap_code_o <= `TSR_TRAP_INDEX;
      else if (end_byte > {20'd0, window_bytes_i}) trap_code_o <= `TSR_TRAP_WINDOW;
      else begin
        trap_o <= misaligned;
        trap_code_o <= `TSR_TRAP_ALIGN;
      end
    end
  end

endmodule

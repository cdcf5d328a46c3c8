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

`ifdef FORMAL
  // The products as sums of digit products, the way one multiplies by hand: after k digits, the
  // highest first. First height * nz and sy * (ny - 1), then planes * width and sz * (nz - 1).
  wire [41:0] f_entries1 [0:DIGITS], f_entries2 [0:DIGITS];
  wire [51:0] f_far1 [0:DIGITS], f_far2 [0:DIGITS];
  wire [19:0] f_nz = nz, f_width = width, f_ny1 = ny - 16'd1, f_nz1 = nz - 16'd1;
  wire [17:0] f_planes = f_entries1[DIGITS] >= 18'h20000 ? 18'h20000 : f_entries1[DIGITS];
  genvar g;
  generate
    for (g = 0; g <= DIGITS; g = g + 1) begin : f_digit
      if (g == 0) begin : none
        assign f_entries1[0] = 0;
        assign f_entries2[0] = 0;
        assign f_far1[0] = 0;
        assign f_far2[0] = 0;
      end else begin : one
        assign f_entries1[g] = (f_entries1[g-1] << 4) + height * f_nz[4*(DIGITS-g) +: 4];
        assign f_entries2[g] = (f_entries2[g-1] << 4) + f_planes * f_width[4*(DIGITS-g) +: 4];
        assign f_far1[g] = (f_far1[g-1] << 4) + sy * f_ny1[4*(DIGITS-g) +: 4];
        assign f_far2[g] = (f_far2[g-1] << 4) + sz * f_nz1[4*(DIGITS-g) +: 4];
      end
    end
  endgenerate

  // A check from its start, from any state of the registers: nothing is said of what was before. So
  // the bound of the proof is no bound of what is proved.
  (* anyconst *) wire [255:0] f_insn;
  (* anyconst *) wire [32:0]  f_window_bytes;
  wire f_index = entries_q + insn_i[`TSR_DMA_SRAM] > depth;
  wire f_window = offset_q + far_q + row_bytes > window_bytes_i;
  reg [3:0] f_cycle = 4'd0;
  always @(posedge clk_i) f_cycle <= f_cycle + 4'd1;

  always @* begin
    assume (rst_ni && !clear_i);
    assume (start_i == (f_cycle == 0));
    assume (insn_i == f_insn && window_bytes_i == f_window_bytes);
    assume (nx != 0 && ny != 0 && nz != 0);  // else decode.v refuses it

    // Where the products are after each cycle: steps for the solver.
    if (f_cycle >= 1 && f_cycle <= 5) begin
      assert (busy_q && !second_q && !done_q && digit_q == f_cycle - 1);
      assert (entries_a_q == height && far_a_q == sy && offset_q == dram);
      assert (entries_b_q == f_nz << 4 * (f_cycle - 1) && far_b_q == f_ny1 << 4 * (f_cycle - 1));
      assert (entries_q == f_entries1[f_cycle - 1]);
      assert (far_q == f_far1[f_cycle - 1]);
    end
    if (f_cycle >= 6 && f_cycle <= 10) begin
      assert (busy_q && second_q && !done_q && digit_q == f_cycle - 6);
      assert (entries_a_q == f_planes && far_a_q == sz && offset_q == dram + f_far1[DIGITS]);
      assert (entries_b_q == f_width << 4 * (f_cycle - 6) && far_b_q == f_nz1 << 4 * (f_cycle - 6));
      assert (entries_q == f_entries2[f_cycle - 6]);
      assert (far_q == f_far2[f_cycle - 6]);
    end
    if (f_cycle >= 11) begin
      assert (!busy_q && second_q && entries_q == f_entries2[DIGITS]);  // 1. the products are right
      assert (far_q == f_far2[DIGITS] && offset_q == dram + f_far1[DIGITS]);
    end
    if (f_planes == 18'h20000)                                 // 2. past any scratchpad stays
      assert (f_entries2[DIGITS] >= 18'h20000);                //    so, as width is 1 at least

    if (f_cycle != 0) assert (done_o == (f_cycle >= 12));               // 3. done after 12 cycles
    if (f_cycle >= 12) begin
      assert (trap_o == (f_index || f_window || misaligned));           // 4. traps when it must,
      if (trap_o)                                                       // 5. by the first reason
        assert (trap_code_o == (f_index ? `TSR_TRAP_INDEX : f_window ? `TSR_TRAP_WINDOW
                                                          : `TSR_TRAP_ALIGN));
    end
    assert (row_beats_o * BEAT_BYTES >= row_bytes);                     // 6. beats for a whole row,
    assert (row_beats_o * BEAT_BYTES < row_bytes + BEAT_BYTES);         //    and none besides
    assert (row_beats_o != 0);

    cover (f_cycle == 12 && trap_o && trap_code_o == `TSR_TRAP_WINDOW && ny > 4 && nz > 4);
    cover (f_cycle == 12 && !trap_o && ny > 1 && nz > 1 && sy > 4096 && sz > 65536);
  end
`endif

endmodule

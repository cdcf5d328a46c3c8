// SPDX-License-Identifier: Apache-2.0
//
// load_fill: walks over the box that a LOAD fills, entry after entry: a cycle for each beat that
// arrives, a cycle for each entry of padding (of LUT: each slice). Nothing is lost between rows.

`default_nettype none
`include "tessera.vh"

module load_fill (
  input  wire                     clk_i,
  input  wire                     rst_ni,
  input  wire                     clear_i,
  input  wire                     start_i,
  input  wire [255:0]             insn_i,      // at start_i
  output wire                     active_o,
  output wire                     move_o,      // something is written in this cycle
  output wire                     last_o,      // and it is the last
  output wire                     lacks_o,     // a beat is needed that is not there

  input  wire                     beat_i,      // data_i is there
  input  wire [`TSR_AXI_BITS-1:0] data_i,
  output wire                     take_o,      // done with data_i
  output wire [7:0]               bytes_o,     // from DRAM, in this cycle

  output wire                     write_o,
  output wire [2:0]               buffer_o,
  output wire [15:0]              entry_o,
  output wire [12:0]              slice_o,
  output wire                     pad_o,
  output wire [15:0]              pad_value_o,
  output wire [`TSR_AXI_BITS-1:0] data_o
);

  localparam UOPS_A_BEAT = `TSR_AXI_BITS > 64 ? `TSR_AXI_BITS / 64 : 1;
  localparam [12:0] UOP_LAST = `TSR_AXI_BITS < 64 ? 64 / `TSR_AXI_BITS - 1 : 0;
  localparam [12:0] BYTE_LAST = `TSR_ENTRY8 / `TSR_AXI_BITS - 1;
  localparam [12:0] WORD_LAST = `TSR_ENTRY32 / `TSR_AXI_BITS - 1;
  localparam [12:0] WGT_LAST = `TSR_WGT_BITS / `TSR_AXI_BITS - 1;
  localparam [12:0] LUT_LAST = 2048 / `TSR_AXI_BITS - 1;
  localparam [31:0] BEAT_BYTES = `TSR_BEAT_BYTES;

  wire unused = &{1'b0, insn_i[255:176], insn_i[95:64], insn_i[31:27], insn_i[23:0]};

  // ---- the box: columns before, up to and behind the data, rows likewise ----

  reg        active_q;
  reg [2:0]  buffer_q;
  reg [15:0] pad_q, entry_q, z_q;
  reg [7:0]  left_q, top_q;
  reg [17:0] x_q, right_q, last_x_q;   // right_q: the first column behind the data
  reg [17:0] y_q, bottom_q, last_y_q;
  reg [12:0] slice_q, last_slice_q;
  reg [3:0]  sub_q;                    // micro-op within a beat that holds several

  reg pad;
  always @(*) begin
    pad = 1'b0;
    if (active_q)
      pad = x_q < {10'd0, left_q} || x_q >= right_q || y_q < {10'd0, top_q} || y_q >= bottom_q;
  end
  wire uop = {5'd0, buffer_q} == `TSR_BUFFER_UOP;
  wire lut = {5'd0, buffer_q} == `TSR_BUFFER_LUT;
  wire move = active_q && (pad || beat_i);
  wire last_slice = slice_q == last_slice_q || (pad && !lut);
  wire last_column = x_q + 18'd1 == right_q;  // of the data
  wire row_end = x_q == last_x_q;
  wire plane_end = row_end && y_q == last_y_q;

  assign active_o = active_q;
  assign move_o = move;
  assign last_o = move && last_slice && plane_end && z_q == 16'd0;
  assign lacks_o = active_q && !pad && !beat_i;

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) active_q <= 1'b0;
    else if (start_i) active_q <= 1'b1;
    else if (last_o) active_q <= 1'b0;

    if (start_i) begin
      buffer_q <= insn_i[26:24];
      pad_q <= insn_i[`TSR_DMA_PAD];
      entry_q <= insn_i[`TSR_DMA_SRAM];
      z_q <= insn_i[`TSR_DMA_NZ] - 16'd1;
      left_q <= insn_i[`TSR_DMA_XL];
      top_q <= insn_i[`TSR_DMA_YL];
      right_q <= {10'd0, insn_i[`TSR_DMA_XL]} + {2'd0, insn_i[`TSR_DMA_NX]};
      bottom_q <= {10'd0, insn_i[`TSR_DMA_YL]} + {2'd0, insn_i[`TSR_DMA_NY]};
      last_x_q <= {10'd0, insn_i[`TSR_DMA_XL]} + {2'd0, insn_i[`TSR_DMA_NX]}
                + {10'd0, insn_i[`TSR_DMA_XR]} - 18'd1;
      last_y_q <= {10'd0, insn_i[`TSR_DMA_YL]} + {2'd0, insn_i[`TSR_DMA_NY]}
                + {10'd0, insn_i[`TSR_DMA_YR]} - 18'd1;
      x_q <= 18'd0;
      y_q <= 18'd0;
      slice_q <= 13'd0;
      sub_q <= 4'd0;
      case (insn_i[`TSR_DMA_BUFFER])
        `TSR_BUFFER_UOP: last_slice_q <= UOP_LAST;
        `TSR_BUFFER_WGT: last_slice_q <= WGT_LAST;
        `TSR_BUFFER_ACC: last_slice_q <= WORD_LAST;
        `TSR_BUFFER_LUT: last_slice_q <= LUT_LAST;
        default:         last_slice_q <= BYTE_LAST;
      endcase
    end else if (move) begin
      slice_q <= last_slice ? 13'd0 : slice_q + 13'd1;
      if (!pad) sub_q <= take_o ? 4'd0 : sub_q + 4'd1;
      if (last_slice) begin
        entry_q <= entry_q + 16'd1;
        x_q <= row_end ? 18'd0 : x_q + 18'd1;
        if (row_end) y_q <= plane_end ? 18'd0 : y_q + 18'd1;
        if (plane_end) z_q <= z_q - 16'd1;
      end
    end
  end

  // ---- the write ----

  // A beat is done with when its last micro-op, or the row's, has been taken.
  wire several = UOPS_A_BEAT > 1 && uop;
  wire [31:0] sub = {28'd0, sub_q};
  assign take_o = move && !pad && (!several || sub == UOPS_A_BEAT - 1 || last_column);

  assign bytes_o = !move || pad ? 8'd0 : several ? 8'd8 : BEAT_BYTES[7:0];
  assign write_o = move;
  assign buffer_o = buffer_q;
  assign entry_o = entry_q;
  assign slice_o = slice_q;
  assign pad_o = pad;
  assign pad_value_o = pad_q;
  assign data_o = several ? data_i >> {sub_q, 6'd0} : data_i;

endmodule

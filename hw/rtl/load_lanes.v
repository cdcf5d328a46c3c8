// SPDX-License-Identifier: Apache-2.0
//
// load_lanes: turns one write of `load` into write enables for each scratchpad, and the data that
// goes with them: a beat, wherever it lands, and for ACC an entry. A write is one slice of an
// entry, as wide as a beat; or, with pad_i, a whole entry of padding (of LUT, a slice). clear_i
// writes zeros everywhere instead.

`default_nettype none
`include "tessera.vh"

module load_lanes #(
  parameter UOP_SLICES = `TSR_AXI_BITS < 64 ? 64 / `TSR_AXI_BITS : 1,
  parameter INP_SLICES = `TSR_ENTRY8 / `TSR_AXI_BITS,
  parameter WGT_SLICES = `TSR_WGT_BITS / `TSR_AXI_BITS,
  parameter ACC_SLICES = `TSR_ENTRY32 / `TSR_AXI_BITS
) (
  input  wire                     clear_i,
  input  wire                     write_i,
  input  wire [2:0]               buffer_i,
  input  wire [12:0]              slice_i,
  input  wire                     pad_i,
  input  wire [15:0]              pad_value_i,
  input  wire [`TSR_AXI_BITS-1:0] data_i,

  output wire [UOP_SLICES-1:0]    uop_write_o,
  output wire [INP_SLICES-1:0]    inp_write_o,
  output wire [WGT_SLICES-1:0]    wgt_write_o,
  output wire [ACC_SLICES-1:0]    acc_write_o,
  output wire                     lut_write_o,
  output wire [`TSR_AXI_BITS-1:0] beat_o,
  output reg  [`TSR_ENTRY32-1:0]  acc_data_o
);

  wire [7:0] buffer = {5'd0, buffer_i};
  wire uop = write_i && buffer == `TSR_BUFFER_UOP;
  wire inp = write_i && buffer == `TSR_BUFFER_INP;
  wire wgt = write_i && buffer == `TSR_BUFFER_WGT;
  wire acc = write_i && buffer == `TSR_BUFFER_ACC;
  wire acc8 = write_i && buffer == `TSR_BUFFER_ACC8;
  wire whole = clear_i || pad_i;
  wire unused = &{1'b0, slice_i};

  // One enable a slice: a beat of int8 goes into four slices of ACC.
  localparam [UOP_SLICES-1:0] UOP_ONE = 1;
  localparam [INP_SLICES-1:0] INP_ONE = 1;
  localparam [WGT_SLICES-1:0] WGT_ONE = 1;
  localparam [ACC_SLICES-1:0] ACC_ONE = 1;
  localparam [ACC_SLICES-1:0] ACC_FOUR = 15;

  assign uop_write_o = {UOP_SLICES{clear_i || (uop && whole)}}
                     | (uop && !whole ? UOP_ONE << slice_i : {UOP_SLICES{1'b0}});
  assign inp_write_o = {INP_SLICES{clear_i || (inp && whole)}}
                     | (inp && !whole ? INP_ONE << slice_i : {INP_SLICES{1'b0}});
  assign wgt_write_o = {WGT_SLICES{clear_i || (wgt && whole)}}
                     | (wgt && !whole ? WGT_ONE << slice_i : {WGT_SLICES{1'b0}});
  assign acc_write_o = {ACC_SLICES{clear_i || ((acc || acc8) && whole)}}
                     | (acc && !whole ? ACC_ONE << slice_i : {ACC_SLICES{1'b0}})
                     | (acc8 && !whole ? ACC_FOUR << {slice_i[10:0], 2'b00} : {ACC_SLICES{1'b0}});
  assign lut_write_o = clear_i || (write_i && buffer == `TSR_BUFFER_LUT);

  assign beat_o = clear_i ? {`TSR_AXI_BITS{1'b0}}
                : pad_i   ? {`TSR_BEAT_BYTES{pad_value_i[7:0]}} : data_i;

  // ACC: int32 as it comes, int8 widened, padding sign-extended.
  function [31:0] widened(input [7:0] value);
    widened = {{24{value[7]}}, value};
  endfunction

  integer i;
  always @(*) begin
    acc_data_o = {`TSR_ENTRY32{1'bx}};
    if (clear_i) acc_data_o = {`TSR_ENTRY32{1'b0}};
    else if ((acc || acc8) && pad_i) acc_data_o = {`TSR_LANES{{16{pad_value_i[15]}}, pad_value_i}};
    else if (acc) acc_data_o = {ACC_SLICES{data_i}};
    else if (acc8) begin
      for (i = 0; i < `TSR_LANES; i = i + 1)
        acc_data_o[32*i +: 32] = widened(data_i[8*(i%`TSR_BEAT_BYTES) +: 8]);
    end
  end

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// load_lanes: turns one write of `load` into write enables and data for each scratchpad.
// A write is one slice of an entry, as wide as a beat; or, with pad_i, a whole entry of padding (of LUT, a
// slice). UOP entries that are narrower than a beat, and ACC through ACC8, are the exceptions.

`default_nettype none
`include "tessera.vh"

module load_lanes #(
  parameter UOP_SLICE  = `TSR_AXI_BITS < 64 ? `TSR_AXI_BITS : 64,
  parameter UOP_SLICES = 64 / UOP_SLICE,
  parameter INP_SLICES = `TSR_ENTRY8 / `TSR_AXI_BITS,
  parameter WGT_SLICES = `TSR_WGT_BITS / `TSR_AXI_BITS,
  parameter ACC_SLICES = `TSR_ENTRY32 / `TSR_AXI_BITS
) (
  input  wire                     write_i,
  input  wire [2:0]               buffer_i,
  input  wire [12:0]              slice_i,
  input  wire                     pad_i,
  input  wire [15:0]              pad_value_i,
  input  wire [`TSR_AXI_BITS-1:0] data_i,      // of UOP: the micro-op in its low bits, if a beat is wider

  output wire [UOP_SLICES-1:0]    uop_write_o,
  output wire [63:0]              uop_data_o,
  output wire [INP_SLICES-1:0]    inp_write_o,
  output wire [`TSR_ENTRY8-1:0]   inp_data_o,
  output wire [WGT_SLICES-1:0]    wgt_write_o,
  output wire [`TSR_WGT_BITS-1:0] wgt_data_o,
  output wire [ACC_SLICES-1:0]    acc_write_o,
  output wire [`TSR_ENTRY32-1:0]  acc_data_o,
  output wire                     lut_write_o,
  output wire [`TSR_AXI_BITS-1:0] lut_data_o
);

  wire [`TSR_AXI_BITS-1:0] bytes = pad_i ? {`TSR_BEAT_BYTES{pad_value_i[7:0]}} : data_i;

  // One enable a slice: all of them for padding.
  genvar i;
  generate
    for (i = 0; i < UOP_SLICES; i = i + 1) begin : uop
      assign uop_write_o[i] = write_i && {5'd0, buffer_i} == `TSR_BUFFER_UOP && (pad_i || slice_i == i);
    end
    for (i = 0; i < INP_SLICES; i = i + 1) begin : inp
      assign inp_write_o[i] = write_i && {5'd0, buffer_i} == `TSR_BUFFER_INP && (pad_i || slice_i == i);
    end
    for (i = 0; i < WGT_SLICES; i = i + 1) begin : wgt
      assign wgt_write_o[i] = write_i && {5'd0, buffer_i} == `TSR_BUFFER_WGT && (pad_i || slice_i == i);
    end
    for (i = 0; i < ACC_SLICES; i = i + 1) begin : acc
      assign acc_write_o[i] = write_i
                           && ({5'd0, buffer_i} == `TSR_BUFFER_ACC ? pad_i || slice_i == i
                             : {5'd0, buffer_i} == `TSR_BUFFER_ACC8 && (pad_i || slice_i == i / 4));
    end
  endgenerate
  assign lut_write_o = write_i && {5'd0, buffer_i} == `TSR_BUFFER_LUT;

  assign uop_data_o = {UOP_SLICES{bytes[UOP_SLICE-1:0]}};
  assign inp_data_o = {INP_SLICES{bytes}};
  assign wgt_data_o = {WGT_SLICES{bytes}};
  assign lut_data_o = bytes;

  // ACC: int32 as it comes, int8 widened, padding sign-extended.
  wire [4*`TSR_AXI_BITS-1:0] widened;
  generate
    for (i = 0; i < `TSR_BEAT_BYTES; i = i + 1) begin : wide
      assign widened[32*i +: 32] = pad_i ? {{16{pad_value_i[15]}}, pad_value_i}
                                         : {{24{data_i[8*i+7]}}, data_i[8*i +: 8]};
    end
    for (i = 0; i < ACC_SLICES; i = i + 1) begin : acc_slice
      assign acc_data_o[`TSR_AXI_BITS*i +: `TSR_AXI_BITS] =
        pad_i || {5'd0, buffer_i} == `TSR_BUFFER_ACC8
          ? widened[`TSR_AXI_BITS*(i%4) +: `TSR_AXI_BITS] : data_i;
    end
  endgenerate

endmodule

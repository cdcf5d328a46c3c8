// SPDX-License-Identifier: Apache-2.0
//
// scratchpads: UOP, INP, WGT, ACC, OUT and LUT with a port for everyone who may use them at the
// same time. UOP and INP are there twice, once for matrix and once for vector; ACC has two banks
// (acc_bank.v); the write ports of ACC and INP go to the holder of their lock. clear_i writes zeros
// into one entry of each; rows past the end of the smaller ones are written again, or not at all.

`default_nettype none
`include "tessera.vh"

module scratchpads (
  input  wire                     clk_i,
  input  wire                     clear_i,
  input  wire [15:0]              clear_entry_i,
  input  wire [3:0]               acc0_owner_i,   // one-hot, by engine
  input  wire [3:0]               acc1_owner_i,

  input  wire                     load_write_i,
  input  wire [2:0]               load_buffer_i,
  input  wire [15:0]              load_entry_i,
  input  wire [12:0]              load_slice_i,
  input  wire                     load_pad_i,
  input  wire [15:0]              load_pad_value_i,
  input  wire [`TSR_AXI_BITS-1:0] load_data_i,

  input  wire                     matrix_uop_read_i,
  input  wire [15:0]              matrix_uop_addr_i,
  output wire [63:0]              matrix_uop_data_o,
  input  wire                     matrix_tile_read_i,
  input  wire [15:0]              matrix_inp_addr_i,
  output wire [`TSR_ENTRY8-1:0]   matrix_inp_data_o,
  input  wire [15:0]              matrix_wgt_addr_i,
  output wire [`TSR_WGT_BITS-1:0] matrix_wgt_data_o,
  input  wire [1:0]               matrix_acc_read_i,
  input  wire [15:0]              matrix_acc_read_row_i,
  input  wire [1:0]               matrix_acc_write_i,
  input  wire [15:0]              matrix_acc_write_row_i,
  input  wire [`TSR_ENTRY32-1:0]  matrix_acc_data_i,

  input  wire                     vector_uop_read_i,
  input  wire [15:0]              vector_uop_addr_i,
  output wire [63:0]              vector_uop_data_o,
  input  wire                     vector_inp_read_i,
  input  wire [15:0]              vector_inp_addr_i,
  output wire [`TSR_ENTRY8-1:0]   vector_inp_data_o,
  input  wire                     vector_lut_read_i,
  input  wire [15:0]              vector_lut_table_i,
  input  wire [`TSR_ENTRY8-1:0]   vector_lut_index_i,
  output wire [`TSR_ENTRY8-1:0]   vector_lut_data_o,
  input  wire [1:0]               vector_acc_read_i,
  input  wire [15:0]              vector_acc_read_row_i,
  input  wire [1:0]               vector_acc_read_b_i,
  input  wire [15:0]              vector_acc_read_b_row_i,
  input  wire [1:0]               vector_acc_write_i,
  input  wire [15:0]              vector_acc_write_row_i,
  input  wire [`TSR_ENTRY32-1:0]  vector_acc_data_i,
  input  wire                     vector_out_write_i,
  input  wire                     vector_inp_write_i,
  input  wire [15:0]              vector_byte_addr_i,
  input  wire [`TSR_ENTRY8-1:0]   vector_byte_data_i,

  input  wire                     store_out_read_i,
  input  wire [15:0]              store_out_addr_i,
  output wire [`TSR_ENTRY8-1:0]   store_out_data_o,
  input  wire [1:0]               store_acc_read_i,
  input  wire [15:0]              store_acc_row_i,

  output wire [`TSR_ENTRY32-1:0]  acc0_data_o,
  output wire [`TSR_ENTRY32-1:0]  acc1_data_o,
  output wire [`TSR_ENTRY32-1:0]  acc0_b_data_o,
  output wire [`TSR_ENTRY32-1:0]  acc1_b_data_o
);

  localparam UOP_SLICE  = `TSR_AXI_BITS < 64 ? `TSR_AXI_BITS : 64;
  localparam UOP_SLICES = 64 / UOP_SLICE;
  localparam INP_SLICES = `TSR_ENTRY8 / `TSR_AXI_BITS;
  localparam WGT_SLICES = `TSR_WGT_BITS / `TSR_AXI_BITS;
  localparam ACC_SLICES = `TSR_ENTRY32 / `TSR_AXI_BITS;
  localparam LUT_SLICES = 256 / `TSR_BEAT_BYTES;
  localparam LUT_WORDS  = LUT_SLICES * `TSR_LUT_DEPTH;
  localparam UOP_BITS = `TSR_UOP_DEPTH > 1 ? $clog2(`TSR_UOP_DEPTH) : 1;
  localparam INP_BITS = `TSR_INP_DEPTH > 1 ? $clog2(`TSR_INP_DEPTH) : 1;
  localparam WGT_BITS = `TSR_WGT_DEPTH > 1 ? $clog2(`TSR_WGT_DEPTH) : 1;
  localparam OUT_BITS = `TSR_OUT_DEPTH > 1 ? $clog2(`TSR_OUT_DEPTH) : 1;
  localparam ROW_BITS = `TSR_ACC_HALF > 1 ? $clog2(`TSR_ACC_HALF) : 1;
  localparam LUT_BITS = LUT_WORDS > 1 ? $clog2(LUT_WORDS) : 1;

  // ---- what load writes, and what clearing does ----

  wire [15:0]              entry = clear_i ? clear_entry_i : load_entry_i;
  wire [UOP_SLICES-1:0]    uop_write;
  wire [INP_SLICES-1:0]    inp_write;
  wire [WGT_SLICES-1:0]    wgt_write;
  wire [ACC_SLICES-1:0]    acc_write;
  wire [`TSR_ENTRY32-1:0]  acc_data;
  wire                     lut_write;
  wire [`TSR_AXI_BITS-1:0] beat;

  load_lanes lanes (
    .clear_i     (clear_i),
    .write_i     (load_write_i),
    .buffer_i    (load_buffer_i),
    .slice_i     (load_slice_i),
    .pad_i       (load_pad_i),
    .pad_value_i (load_pad_value_i),
    .data_i      (load_data_i),
    .uop_write_o (uop_write),
    .inp_write_o (inp_write),
    .wgt_write_o (wgt_write),
    .acc_write_o (acc_write),
    .lut_write_o (lut_write),
    .beat_o      (beat),
    .acc_data_o  (acc_data)
  );

  wire unused = &{1'b0, entry, load_slice_i, matrix_uop_addr_i, matrix_inp_addr_i,
                  matrix_wgt_addr_i, matrix_acc_read_row_i, matrix_acc_write_row_i,
                  vector_uop_addr_i, vector_inp_addr_i, vector_acc_read_row_i,
                  vector_acc_read_b_row_i, vector_acc_write_row_i, vector_byte_addr_i,
                  store_out_addr_i, store_acc_row_i};

  // ---- UOP ----

  ram #(.WIDTH(64), .SLICE(UOP_SLICE), .DATA(UOP_SLICE), .DEPTH(`TSR_UOP_DEPTH)) uop_matrix (
    .clk_i        (clk_i),
    .write_i      (uop_write),
    .write_addr_i (entry[UOP_BITS-1:0]),
    .write_data_i (beat[UOP_SLICE-1:0]),
    .read_i       (matrix_uop_read_i),
    .read_addr_i  (matrix_uop_addr_i[UOP_BITS-1:0]),
    .read_data_o  (matrix_uop_data_o)
  );
  ram #(.WIDTH(64), .SLICE(UOP_SLICE), .DATA(UOP_SLICE), .DEPTH(`TSR_UOP_DEPTH)) uop_vector (
    .clk_i        (clk_i),
    .write_i      (uop_write),
    .write_addr_i (entry[UOP_BITS-1:0]),
    .write_data_i (beat[UOP_SLICE-1:0]),
    .read_i       (vector_uop_read_i),
    .read_addr_i  (vector_uop_addr_i[UOP_BITS-1:0]),
    .read_data_o  (vector_uop_data_o)
  );

  // ---- INP ----

  wire [INP_SLICES-1:0] inp_enable = inp_write | {INP_SLICES{vector_inp_write_i}};
  wire [INP_BITS-1:0] inp_entry = vector_inp_write_i ? vector_byte_addr_i[INP_BITS-1:0]
                                                     : entry[INP_BITS-1:0];
  reg [`TSR_ENTRY8-1:0] inp_word;
  always @(*) begin
    inp_word = {`TSR_ENTRY8{1'bx}};
    if (vector_inp_write_i) inp_word = vector_byte_data_i;
    else if (inp_write != 0) inp_word = {INP_SLICES{beat}};
  end

  ram #(.WIDTH(`TSR_ENTRY8), .SLICE(`TSR_AXI_BITS), .DEPTH(`TSR_INP_DEPTH)) inp_matrix (
    .clk_i        (clk_i),
    .write_i      (inp_enable),
    .write_addr_i (inp_entry),
    .write_data_i (inp_word),
    .read_i       (matrix_tile_read_i),
    .read_addr_i  (matrix_inp_addr_i[INP_BITS-1:0]),
    .read_data_o  (matrix_inp_data_o)
  );
  ram #(.WIDTH(`TSR_ENTRY8), .SLICE(`TSR_AXI_BITS), .DEPTH(`TSR_INP_DEPTH)) inp_vector (
    .clk_i        (clk_i),
    .write_i      (inp_enable),
    .write_addr_i (inp_entry),
    .write_data_i (inp_word),
    .read_i       (vector_inp_read_i),
    .read_addr_i  (vector_inp_addr_i[INP_BITS-1:0]),
    .read_data_o  (vector_inp_data_o)
  );

  // ---- WGT ----

  ram #(
    .WIDTH (`TSR_WGT_BITS),
    .SLICE (`TSR_AXI_BITS),
    .DATA  (`TSR_AXI_BITS),
    .DEPTH (`TSR_WGT_DEPTH)
  ) wgt (
    .clk_i        (clk_i),
    .write_i      (wgt_write),
    .write_addr_i (entry[WGT_BITS-1:0]),
    .write_data_i (beat),
    .read_i       (matrix_tile_read_i),
    .read_addr_i  (matrix_wgt_addr_i[WGT_BITS-1:0]),
    .read_data_o  (matrix_wgt_data_o)
  );

  // ---- ACC ----

  // Clearing goes through both banks at once.
  wire load_bank;
  wire [15:0] load_row, bank_row;
  acc_place load_place (.index_i(load_entry_i), .bank_o(load_bank), .row_o(load_row));
  assign bank_row = clear_i ? clear_entry_i : load_row;
  wire unused_row = &{1'b0, bank_row};

  acc_bank acc0 (
    .clk_i              (clk_i),
    .owner_i            (acc0_owner_i),
    .load_write_i       (acc_write & {ACC_SLICES{!load_bank || clear_i}}),
    .load_row_i         (bank_row[ROW_BITS-1:0]),
    .load_data_i        (acc_data),
    .matrix_write_i     (matrix_acc_write_i[0]),
    .matrix_write_row_i (matrix_acc_write_row_i[ROW_BITS-1:0]),
    .matrix_data_i      (matrix_acc_data_i),
    .vector_write_i     (vector_acc_write_i[0]),
    .vector_write_row_i (vector_acc_write_row_i[ROW_BITS-1:0]),
    .vector_data_i      (vector_acc_data_i),
    .matrix_read_i      (matrix_acc_read_i[0]),
    .matrix_row_i       (matrix_acc_read_row_i[ROW_BITS-1:0]),
    .vector_read_i      (vector_acc_read_i[0]),
    .vector_row_i       (vector_acc_read_row_i[ROW_BITS-1:0]),
    .store_read_i       (store_acc_read_i[0]),
    .store_row_i        (store_acc_row_i[ROW_BITS-1:0]),
    .data_o             (acc0_data_o),
    .vector_read_b_i    (vector_acc_read_b_i[0]),
    .vector_row_b_i     (vector_acc_read_b_row_i[ROW_BITS-1:0]),
    .data_b_o           (acc0_b_data_o)
  );

  acc_bank acc1 (
    .clk_i              (clk_i),
    .owner_i            (acc1_owner_i),
    .load_write_i       (acc_write & {ACC_SLICES{load_bank || clear_i}}),
    .load_row_i         (bank_row[ROW_BITS-1:0]),
    .load_data_i        (acc_data),
    .matrix_write_i     (matrix_acc_write_i[1]),
    .matrix_write_row_i (matrix_acc_write_row_i[ROW_BITS-1:0]),
    .matrix_data_i      (matrix_acc_data_i),
    .vector_write_i     (vector_acc_write_i[1]),
    .vector_write_row_i (vector_acc_write_row_i[ROW_BITS-1:0]),
    .vector_data_i      (vector_acc_data_i),
    .matrix_read_i      (matrix_acc_read_i[1]),
    .matrix_row_i       (matrix_acc_read_row_i[ROW_BITS-1:0]),
    .vector_read_i      (vector_acc_read_i[1]),
    .vector_row_i       (vector_acc_read_row_i[ROW_BITS-1:0]),
    .store_read_i       (store_acc_read_i[1]),
    .store_row_i        (store_acc_row_i[ROW_BITS-1:0]),
    .data_o             (acc1_data_o),
    .vector_read_b_i    (vector_acc_read_b_i[1]),
    .vector_row_b_i     (vector_acc_read_b_row_i[ROW_BITS-1:0]),
    .data_b_o           (acc1_b_data_o)
  );

  // ---- OUT ----

  ram #(.WIDTH(`TSR_ENTRY8), .DEPTH(`TSR_OUT_DEPTH)) out (
    .clk_i        (clk_i),
    .write_i      (clear_i || vector_out_write_i),
    .write_addr_i (clear_i ? clear_entry_i[OUT_BITS-1:0] : vector_byte_addr_i[OUT_BITS-1:0]),
    .write_data_i (clear_i ? {`TSR_ENTRY8{1'b0}} : vector_byte_data_i),
    .read_i       (store_out_read_i),
    .read_addr_i  (store_out_addr_i[OUT_BITS-1:0]),
    .read_data_o  (store_out_data_o)
  );

  // ---- LUT ----

  wire [31:0] lut_word = {16'd0, load_entry_i} * LUT_SLICES + {19'd0, load_slice_i};
  wire unused_word = &{1'b0, lut_word};

  lut tables (
    .clk_i        (clk_i),
    .write_i      (lut_write),
    .write_addr_i (clear_i ? clear_entry_i[LUT_BITS-1:0] : lut_word[LUT_BITS-1:0]),
    .write_data_i (beat),
    .read_i       (vector_lut_read_i),
    .table_i      (vector_lut_table_i),
    .index_i      (vector_lut_index_i),
    .data_o       (vector_lut_data_o)
  );

endmodule

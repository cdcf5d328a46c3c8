// SPDX-License-Identifier: Apache-2.0
//
// acc_bank: one bank of ACC, two copies for two read ports. The engine that holds the bank's lock
// is the one that uses it; store and matrix read by port A only. Clearing comes by load's port,
// while nobody holds it.

`default_nettype none
`include "tessera.vh"

module acc_bank #(
  parameter SLICES = `TSR_ENTRY32 / `TSR_AXI_BITS,
  parameter ROW_BITS = `TSR_ACC_HALF > 1 ? $clog2(`TSR_ACC_HALF) : 1
) (
  input  wire                    clk_i,
  input  wire [3:0]              owner_i,        // one-hot, by engine

  input  wire [SLICES-1:0]       load_write_i,
  input  wire [ROW_BITS-1:0]     load_row_i,
  input  wire [`TSR_ENTRY32-1:0] load_data_i,
  input  wire                    matrix_write_i,
  input  wire [ROW_BITS-1:0]     matrix_write_row_i,
  input  wire [`TSR_ENTRY32-1:0] matrix_data_i,
  input  wire                    vector_write_i,
  input  wire [ROW_BITS-1:0]     vector_write_row_i,
  input  wire [`TSR_ENTRY32-1:0] vector_data_i,

  input  wire                    matrix_read_i,
  input  wire [ROW_BITS-1:0]     matrix_row_i,
  input  wire                    vector_read_i,
  input  wire [ROW_BITS-1:0]     vector_row_i,
  input  wire                    store_read_i,
  input  wire [ROW_BITS-1:0]     store_row_i,
  output wire [`TSR_ENTRY32-1:0] data_o,         // matrix, vector's A and D, store
  input  wire                    vector_read_b_i,
  input  wire [ROW_BITS-1:0]     vector_row_b_i,
  output wire [`TSR_ENTRY32-1:0] data_b_o        // vector's B
);

  wire by_matrix = owner_i[`TSR_ENGINE_MATRIX];
  wire by_vector = owner_i[`TSR_ENGINE_VECTOR];
  wire by_store = owner_i[`TSR_ENGINE_STORE];
  wire unused = &{1'b0, owner_i[`TSR_ENGINE_LOAD]};

  wire whole = matrix_write_i || vector_write_i;
  wire [SLICES-1:0] write = load_write_i | {SLICES{whole}};
  wire [ROW_BITS-1:0] write_row = by_matrix ? matrix_write_row_i
                                : by_vector ? vector_write_row_i : load_row_i;
  reg [`TSR_ENTRY32-1:0] write_data;
  always @(*) begin
    write_data = {`TSR_ENTRY32{1'bx}};
    if (matrix_write_i) write_data = matrix_data_i;
    else if (vector_write_i) write_data = vector_data_i;
    else if (load_write_i != 0) write_data = load_data_i;
  end

  wire read = matrix_read_i || vector_read_i || store_read_i;
  wire [ROW_BITS-1:0] read_row = by_store ? store_row_i : by_vector ? vector_row_i : matrix_row_i;

  ram #(.WIDTH(`TSR_ENTRY32), .SLICE(`TSR_AXI_BITS), .DEPTH(`TSR_ACC_HALF)) copy_a (
    .clk_i        (clk_i),
    .write_i      (write),
    .write_addr_i (write_row),
    .write_data_i (write_data),
    .read_i       (read),
    .read_addr_i  (read_row),
    .read_data_o  (data_o)
  );

  ram #(.WIDTH(`TSR_ENTRY32), .SLICE(`TSR_AXI_BITS), .DEPTH(`TSR_ACC_HALF)) copy_b (
    .clk_i        (clk_i),
    .write_i      (write),
    .write_addr_i (write_row),
    .write_data_i (write_data),
    .read_i       (vector_read_b_i),
    .read_addr_i  (vector_row_b_i),
    .read_data_o  (data_b_o)
  );

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// ram_striped, for Yosys where a word has many stripes: the same as hw/rtl/parts/ram_striped.v, as a row of RAMs.
// There Yosys takes time that grows with the cube of their number. tests/rtl/lint_test.py compares the two.

`default_nettype none

module ram_striped #(
  parameter WIDTH  = 32,
  parameter STRIPE = 8,
  parameter DEPTH  = 64
) (
  input  wire                                           clk_i,
  input  wire [WIDTH/STRIPE-1:0]                        write_i,
  input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0]   write_addr_i,
  input  wire [STRIPE-1:0]                              write_data_i,
  input  wire                                           read_i,
  input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0]   read_addr_i,
  output wire [WIDTH-1:0]                               read_data_o
);

  genvar i;
  generate
    for (i = 0; i < WIDTH / STRIPE; i = i + 1) begin : stripe
      ram #(.WIDTH(STRIPE), .DEPTH(DEPTH)) words (
        .clk_i        (clk_i),
        .write_i      (write_i[i]),
        .write_addr_i (write_addr_i),
        .write_data_i (write_data_i),
        .read_i       (read_i),
        .read_addr_i  (read_addr_i),
        .read_data_o  (read_data_o[i*STRIPE +: STRIPE])
      );
    end
  endgenerate

endmodule

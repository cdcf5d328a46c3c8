// SPDX-License-Identifier: Apache-2.0
//
// ram, for Yosys where a word has many slices: the same as hw/rtl/parts/ram.v, as a row of memories. There Yosys takes
// time that grows with the cube of their number. tests/rtl/lint_test.py compares the two.

`default_nettype none

module ram #(
  parameter WIDTH = 32,
  parameter SLICE = WIDTH,
  parameter DATA  = WIDTH,
  parameter DEPTH = 64
) (
  input  wire                                           clk_i,
  input  wire [WIDTH/SLICE-1:0]                         write_i,
  input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0]   write_addr_i,
  input  wire [DATA-1:0]                                write_data_i,
  input  wire                                           read_i,
  input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0]   read_addr_i,
  output wire [WIDTH-1:0]                               read_data_o
);

  genvar i;
  generate
    for (i = 0; i < WIDTH / SLICE; i = i + 1) begin : slice
      reg [SLICE-1:0] mem [0:DEPTH-1];
      reg [SLICE-1:0] read_data_q;

      always @(posedge clk_i) begin
        if (write_i[i]) mem[write_addr_i] <= write_data_i[i*SLICE%DATA +: SLICE];
        if (read_i) read_data_q <= mem[read_addr_i];
      end
      assign read_data_o[i*SLICE +: SLICE] = read_data_q;
    end
  endgenerate

endmodule

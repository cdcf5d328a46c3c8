// SPDX-License-Identifier: Apache-2.0
//
// lut: tables of 256 int8, one copy a lane, so that all lanes look up at once. A word is an AXI beat; entry
// v + 128 of a table is the value for v.

`default_nettype none
`include "tessera.vh"

module lut #(
  parameter WORDS = 256 / `TSR_BEAT_BYTES * `TSR_LUT_DEPTH
) (
  input  wire                                       clk_i,
  input  wire                                       write_i,
  input  wire [(WORDS > 1 ? $clog2(WORDS) : 1)-1:0] write_addr_i,
  input  wire [`TSR_AXI_BITS-1:0]                   write_data_i,
  input  wire                                       read_i,
  input  wire [15:0]                                table_i,
  input  wire [`TSR_ENTRY8-1:0]                     index_i,   // int8 a lane
  output wire [`TSR_ENTRY8-1:0]                     data_o
);

  localparam WORD_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam PLACE_BITS = $clog2(`TSR_BEAT_BYTES);  // of a byte in a word

  genvar i;
  generate
    for (i = 0; i < `TSR_LANES; i = i + 1) begin : lane
      wire [7:0] entry = index_i[8*i +: 8] ^ 8'h80;
      wire [23:0] place = {table_i, entry};
      wire [`TSR_AXI_BITS-1:0] word;
      reg [PLACE_BITS-1:0] byte_q;
      wire unused = &{1'b0, place[23:PLACE_BITS]};

      ram #(.WIDTH(`TSR_AXI_BITS), .DEPTH(WORDS)) tables (
        .clk_i        (clk_i),
        .write_i      (write_i),
        .write_addr_i (write_addr_i),
        .write_data_i (write_data_i),
        .read_i       (read_i),
        .read_addr_i  (place[PLACE_BITS +: WORD_BITS]),
        .read_data_o  (word)
      );

      always @(posedge clk_i) if (read_i) byte_q <= place[PLACE_BITS-1:0];
      assign data_o[8*i +: 8] = word[{byte_q, 3'b000} +: 8];
    end
  endgenerate

endmodule

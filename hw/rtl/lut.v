// SPDX-License-Identifier: Apache-2.0
//
// lut: tables of 256 int8, one copy a lane, so that all lanes look up at once. A word is an AXI
// beat; entry v + 128 of a table is the value for v.

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
  output reg  [`TSR_ENTRY8-1:0]                     data_o     // in the cycle behind read_i
);

  localparam WORD_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam PLACE_BITS = $clog2(`TSR_BEAT_BYTES);  // of a byte in a word

  wire unused = &{1'b0, table_i};

  reg                                read_q;
  reg [`TSR_LANES*`TSR_AXI_BITS-1:0] words_q;
  reg [`TSR_LANES*PLACE_BITS-1:0]    places_q;

  genvar i;
  generate
    for (i = 0; i < `TSR_LANES; i = i + 1) begin : lane
      reg [`TSR_AXI_BITS-1:0] mem [0:WORDS-1];

      // Signed indices count from -128.
      wire [23:0] place = {table_i, ~index_i[8*i+7], index_i[8*i +: 7]};
      wire unused_place = &{1'b0, place};

      always @(posedge clk_i) begin
        if (read_i) begin
          words_q[`TSR_AXI_BITS*i +: `TSR_AXI_BITS] <= mem[place[PLACE_BITS +: WORD_BITS]];
          places_q[PLACE_BITS*i +: PLACE_BITS] <= place[PLACE_BITS-1:0];
        end
        if (write_i) mem[write_addr_i] = write_data_i;  // as in ram.v
      end
    end
  endgenerate

  always @(posedge clk_i) read_q <= read_i;

  integer k;
  reg [`TSR_AXI_BITS-1:0] word;
  always @(*) begin
    data_o = {`TSR_ENTRY8{1'bx}};
    word = {`TSR_AXI_BITS{1'bx}};
    if (read_q) begin
      for (k = 0; k < `TSR_LANES; k = k + 1) begin
        word = words_q[`TSR_AXI_BITS*k +: `TSR_AXI_BITS];
        data_o[8*k +: 8] = word[{places_q[PLACE_BITS*k +: PLACE_BITS], 3'b000} +: 8];
      end
    end
  end

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// saturate: an entry of int32 as int8, what does not fit as the nearest that does;
// anything while enable_i is low.

`default_nettype none
`include "tessera.vh"

module saturate (
  input  wire                    enable_i,
  input  wire [`TSR_ENTRY32-1:0] words_i,
  output reg  [`TSR_ENTRY8-1:0]  bytes_o
);

  integer i;
  always @(*) begin
    bytes_o = {`TSR_ENTRY8{1'bx}};
    if (enable_i) begin
      for (i = 0; i < `TSR_LANES; i = i + 1) begin
        if (words_i[32*i+7 +: 25] == 0 || words_i[32*i+7 +: 25] == {25{1'b1}})
          bytes_o[8*i +: 8] = words_i[32*i +: 8];
        else
          bytes_o[8*i +: 8] = {words_i[32*i+31], {7{!words_i[32*i+31]}}};
      end
    end
  end

endmodule

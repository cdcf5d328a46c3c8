// SPDX-License-Identifier: Apache-2.0
//
// widen: an entry of int8 as int32; anything while enable_i is low.

`default_nettype none
`include "tessera.vh"

module widen (
  input  wire                    enable_i,
  input  wire [`TSR_ENTRY8-1:0]  bytes_i,
  output reg  [`TSR_ENTRY32-1:0] words_o
);

  integer i;
  always @(*) begin
    words_o = {`TSR_ENTRY32{1'bx}};
    if (enable_i) begin
      for (i = 0; i < `TSR_LANES; i = i + 1)
        words_o[32*i +: 32] = {{24{bytes_i[8*i+7]}}, bytes_i[8*i +: 8]};
    end
  end

endmodule

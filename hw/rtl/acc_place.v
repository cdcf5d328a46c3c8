// SPDX-License-Identifier: Apache-2.0
//
// acc_place: bank and row of an index into ACC.

`default_nettype none
`include "tessera.vh"

module acc_place (
  input  wire [15:0] index_i,
  output wire        bank_o,
  output wire [15:0] row_o
);

  localparam [16:0] HALF = `TSR_ACC_HALF;

  assign bank_o = {1'b0, index_i} >= HALF;
  assign row_o  = bank_o ? index_i - HALF[15:0] : index_i;

endmodule

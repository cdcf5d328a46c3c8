// SPDX-License-Identifier: Apache-2.0
//
// accumulate: adds a product to a sum, lane by lane, modulo 2^32. The old sum is zero, or comes from ACC, or,
// where it has not reached ACC yet, from the sum just made or the one before.

`default_nettype none
`include "tessera.vh"

module accumulate (
  input  wire                    clk_i,
  input  wire                    valid_i,
  input  wire [`TSR_ENTRY32-1:0] product_i,
  input  wire                    first_i,     // the sum starts at zero
  input  wire                    latest_i,    // sum_o goes on
  input  wire                    older_i,     // the sum before it does
  input  wire [`TSR_ENTRY32-1:0] acc_i,
  input  wire [`TSR_ENTRY32-1:0] older_sum_i,
  output wire [`TSR_ENTRY32-1:0] sum_o
);

  reg [`TSR_ENTRY32-1:0] sum_q;
  assign sum_o = sum_q;

  wire [`TSR_ENTRY32-1:0] old = first_i  ? {`TSR_ENTRY32{1'b0}}
                              : latest_i ? sum_q
                              : older_i  ? older_sum_i : acc_i;
  integer i;
  always @(posedge clk_i) begin
    if (valid_i) begin
      for (i = 0; i < `TSR_LANES; i = i + 1)
        sum_q[32*i +: 32] <= old[32*i +: 32] + product_i[32*i +: 32];
    end
  end

endmodule

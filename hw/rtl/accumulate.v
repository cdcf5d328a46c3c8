// SPDX-License-Identifier: Apache-2.0
//
// accumulate: adds a product to a sum, lane by lane, modulo 2^32. The old sum is zero, or comes
// from ACC, or, where it has not reached ACC yet, from the sum just made or the one before.

`default_nettype none
`include "tessera.vh"

module accumulate (
  input  wire                    clk_i,
  input  wire                    valid_i,
  input  wire [`TSR_ENTRY32-1:0] product_i,
  input  wire                    first_i,   // the sum starts at zero
  input  wire                    latest_i,  // the sum made last goes on
  input  wire                    older_i,   // the one before it does
  input  wire                    bank_i,    // otherwise: the bank of ACC
  input  wire [`TSR_ENTRY32-1:0] acc0_i,
  input  wire [`TSR_ENTRY32-1:0] acc1_i,
  output wire [`TSR_ENTRY32-1:0] sum_o      // made last
);

  reg [`TSR_ENTRY32-1:0] sum_q, sum_d, older_q;
  assign sum_o = sum_q;

  reg [`TSR_ENTRY32-1:0] old;
  always @(*) begin
    old = {`TSR_ENTRY32{1'bx}};
    if (valid_i) begin
      if (first_i) old = {`TSR_ENTRY32{1'b0}};
      else if (latest_i) old = sum_q;
      else if (older_i) old = older_q;
      else old = bank_i ? acc1_i : acc0_i;
    end
  end

  integer i;
  always @(*) begin
    sum_d = {`TSR_ENTRY32{1'bx}};
    if (valid_i) begin
      for (i = 0; i < `TSR_LANES; i = i + 1)
        sum_d[32*i +: 32] = old[32*i +: 32] + product_i[32*i +: 32];
    end
  end

  always @(posedge clk_i) begin
    if (valid_i) sum_q <= sum_d;
    older_q <= sum_q;
  end

endmodule

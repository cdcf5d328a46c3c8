// SPDX-License-Identifier: Apache-2.0
//
// tally: COUNT counters, of which one goes up in each cycle that counts. which_i and select_i are
// below COUNT.

`default_nettype none
`include "tessera.vh"

module tally #(
  parameter COUNT = 4
) (
  input  wire                         clk_i,
  input  wire                         clear_i,
  input  wire                         count_i,
  input  wire [$clog2(COUNT)-1:0]     which_i,
  input  wire [$clog2(COUNT)-1:0]     select_i,
  output wire [`TSR_COUNTER_BITS-1:0] value_o
);

  reg [`TSR_COUNTER_BITS-1:0] count_q [0:COUNT-1];

  wire [`TSR_COUNTER_BITS-1:0] next = count_q[which_i] + 1'b1;
  assign value_o = count_q[select_i];

  integer i;
  always @(posedge clk_i) begin
    if (clear_i) begin
      for (i = 0; i < COUNT; i = i + 1) count_q[i] <= 0;
    end else if (count_i) count_q[which_i] <= next;
  end

endmodule

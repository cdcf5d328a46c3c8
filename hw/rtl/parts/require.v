// SPDX-License-Identifier: Apache-2.0
//
// require: checks a parameter. Elaboration stops when OK is 0; the instance says what is wrong:
//   require #(.OK(DEPTH >= 1)) depth_is_at_least_1 ();

`default_nettype none

module require #(parameter OK = 1) ();

  generate
    if (!OK) begin : g_refused
      wire unused = {-1{1'b0}};  // refused by Verilator and Icarus
      initial $stop;             // refused by Yosys
    end
  endgenerate

endmodule

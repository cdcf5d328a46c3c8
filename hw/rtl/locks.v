// SPDX-License-Identifier: Apache-2.0
//
// locks: who holds which of the ports that two engines could want at the same time.
// An instruction asks for all of its locks at once and gets all of them in one cycle, or waits; it
// holds them until its engine releases. Of two engines that ask for the same lock in one cycle the
// one that is nearer to the end of the line gets it: store, vector, matrix, load.

`default_nettype none
`include "tessera.vh"

module locks (
  input  wire                                clk_i,
  input  wire                                rst_ni,
  input  wire                                clear_i,
  input  wire [`TSR_ENGINES-1:0]             ask_i,
  input  wire [`TSR_ENGINES*`TSR_LOCKS-1:0]  want_i,     // TSR_LOCKS bits an engine
  input  wire [`TSR_ENGINES-1:0]             release_i,
  output wire [`TSR_ENGINES-1:0]             grant_o,
  output wire [`TSR_ENGINES*`TSR_LOCKS-1:0]  held_o      // TSR_LOCKS bits an engine
);

  reg [`TSR_LOCKS-1:0] held_q [0:`TSR_ENGINES-1];

  // What is held, or is being asked for by an engine with a higher number, is taken.
  reg [`TSR_LOCKS-1:0]   taken;
  reg [`TSR_ENGINES-1:0] grant;
  wire [`TSR_LOCKS-1:0]  held = held_q[0] | held_q[1] | held_q[2] | held_q[3];
  assign grant_o = grant;

  integer n;
  always @(*) begin
    taken = held;
    grant = 0;
    for (n = `TSR_ENGINES - 1; n >= 0; n = n - 1) begin
      if (ask_i[n]) begin
        grant[n] = (want_i[n*`TSR_LOCKS +: `TSR_LOCKS] & taken) == 0;
        taken = taken | want_i[n*`TSR_LOCKS +: `TSR_LOCKS];
      end
    end
  end

  genvar e;
  generate
    for (e = 0; e < `TSR_ENGINES; e = e + 1) begin : engine
      wire [`TSR_LOCKS-1:0] want = want_i[e*`TSR_LOCKS +: `TSR_LOCKS];

      assign held_o[e*`TSR_LOCKS +: `TSR_LOCKS] = held_q[e];

      always @(posedge clk_i) begin
        if (!rst_ni || clear_i || release_i[e]) held_q[e] <= 0;
        else if (grant_o[e]) held_q[e] <= want;
      end
    end
  endgenerate

`ifdef FORMAL
  // Assumed: an engine asks only while it holds nothing, and releases only what it holds.
  wire [`TSR_LOCKS-1:0] f_want [0:`TSR_ENGINES-1];  // of those that ask
  generate
    for (e = 0; e < `TSR_ENGINES; e = e + 1) begin : asked
      assign f_want[e] = ask_i[e] ? want_i[e*`TSR_LOCKS +: `TSR_LOCKS] : {`TSR_LOCKS{1'b0}};
    end
  endgenerate

  reg past_q = 0;
  always @(posedge clk_i) past_q <= 1;
  generate
    for (e = 0; e < `TSR_ENGINES; e = e + 1) begin : rules
      always @(*) if (ask_i[e]) assume (held_q[e] == 0 && !release_i[e]);
    end
  endgenerate
  always @(posedge clk_i) if (!past_q) assume (!rst_ni);
  always @(posedge clk_i) if (past_q) begin
    // 1. No lock has two holders.
    assert ((held_q[0] & held_q[1]) == 0 && (held_q[0] & held_q[2]) == 0);
    assert ((held_q[0] & held_q[3]) == 0 && (held_q[1] & held_q[2]) == 0);
    assert ((held_q[1] & held_q[3]) == 0 && (held_q[2] & held_q[3]) == 0);
    // 2. Who asks for what nobody holds, and nobody in front of it asks for, gets it; only such.
    assert (grant_o[3] == (ask_i[3] && (f_want[3] & held) == 0));
    assert (grant_o[2] == (ask_i[2] && (f_want[2] & (held | f_want[3])) == 0));
    assert (grant_o[1] == (ask_i[1] && (f_want[1] & (held | f_want[3] | f_want[2])) == 0));
    assert (grant_o[0] == (ask_i[0]
                           && (f_want[0] & (held | f_want[3] | f_want[2] | f_want[1])) == 0));
    // 3. Matrix and vector can hold a bank each.
    cover (held_q[1] == 3'b001 && held_q[2] == 3'b010);
  end
`endif

endmodule

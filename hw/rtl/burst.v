// SPDX-License-Identifier: Apache-2.0
//
// burst: cuts a row of beats into AXI bursts: as long as the design point and the row allow, none
// across a multiple of 4096 bytes. A burst a cycle; the next row can be taken with the last burst
// of one.

`default_nettype none
`include "tessera.vh"

module burst (
  input  wire                      clk_i,
  input  wire                      rst_ni,
  input  wire                      clear_i,
  input  wire                      row_valid_i,
  output wire                      row_ready_o,
  input  wire [`TSR_ADDR_BITS-1:0] row_addr_i,   // a multiple of the beat
  input  wire [27:0]               row_beats_i,  // 1 at least
  output wire                      valid_o,
  input  wire                      ready_i,
  output wire [`TSR_ADDR_BITS-1:0] addr_o,
  output wire [8:0]                beats_o
);

  localparam BEAT_LOG2 = $clog2(`TSR_BEAT_BYTES);
  localparam [27:0] LONGEST = `TSR_BURST_BEATS;

  reg                      valid_q;
  reg [`TSR_ADDR_BITS-1:0] addr_q;
  reg [27:0]               left_q;

  wire [12:0] to_boundary = 13'd4096 - {1'b0, addr_q[11:0]};  // bytes
  wire [27:0] room = {15'd0, to_boundary} >> BEAT_LOG2;
  wire [27:0] limit = room < LONGEST ? room : LONGEST;
  wire [27:0] beats = left_q < limit ? left_q : limit;
  wire last = left_q == beats;

  assign valid_o = valid_q;
  assign addr_o = addr_q;
  assign beats_o = beats[8:0];
  assign row_ready_o = !valid_q || (ready_i && last);

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) valid_q <= 1'b0;
    else if (row_ready_o) valid_q <= row_valid_i;
    if (row_ready_o && row_valid_i) begin
      addr_q <= row_addr_i;
      left_q <= row_beats_i;
    end else if (valid_q && ready_i) begin
      addr_q <= addr_q + ({{(`TSR_ADDR_BITS-28){1'b0}}, beats} << BEAT_LOG2);
      left_q <= left_q - beats;
    end
  end

`ifdef FORMAL
  reg past_q = 0;
  always @(posedge clk_i) past_q <= 1;
  always @(*) begin
    if (!past_q) assume (!rst_ni);
    if (row_valid_i) assume (row_addr_i[BEAT_LOG2-1:0] == 0 && row_beats_i != 0);
  end
  always @(*) if (past_q && valid_q) begin
    // 1. Something, and no longer than allowed.
    assert (beats_o >= 1 && beats_o <= `TSR_BURST_BEATS && {19'd0, beats_o} <= left_q);
    // 2. Not across a boundary.
    assert ({1'b0, addr_o[11:0]} + ({4'd0, beats_o} << BEAT_LOG2) <= 13'd4096);
    assert (addr_o[BEAT_LOG2-1:0] == 0);
  end
  always @(posedge clk_i) if (past_q && $past(rst_ni && valid_q && !ready_i && !clear_i)) begin
    // 3. A burst stays until it is taken.
    assert (valid_o && addr_o == $past(addr_o) && beats_o == $past(beats_o));
  end
  // 4. A row that a boundary cuts.
  always @(posedge clk_i)
    cover (past_q && valid_o
           && $past(past_q && valid_o && ready_i && !last && beats_o < `TSR_BURST_BEATS));
`endif

endmodule

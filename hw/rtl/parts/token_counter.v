// SPDX-License-Identifier: Apache-2.0
//
// token_counter: counts signals from one engine to another, up to DEPTH of them.
// push_i may be high only while full_o is low; pop_i only while empty_o is low.
// clear_i sets the count to zero; a push or pop in the same cycle is lost.
// spare_o tells that SPARE more tokens have room.

`default_nettype none

module token_counter #(
  parameter DEPTH = 16,
  parameter SPARE = 1
) (
  input  wire clk_i,
  input  wire rst_ni,
  input  wire clear_i,
  input  wire push_i,
  input  wire pop_i,
  output wire empty_o,
  output wire full_o,
  output wire spare_o
);

  localparam COUNT_BITS = $clog2(DEPTH + 1);
  localparam [31:0] FULL = DEPTH;
  localparam [31:0] MOST = DEPTH >= SPARE ? DEPTH - SPARE : 0;

  require #(.OK(DEPTH >= 1)) depth_is_at_least_1 ();

  reg [COUNT_BITS-1:0] count_q;

  assign empty_o = count_q == 0;
  assign full_o  = count_q == FULL[COUNT_BITS-1:0];
  assign spare_o = DEPTH >= SPARE && count_q <= MOST[COUNT_BITS-1:0];

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) count_q <= 0;
    else if (push_i && !pop_i) count_q <= count_q + 1'b1;
    else if (pop_i && !push_i) count_q <= count_q - 1'b1;
  end

`ifdef FORMAL
  reg        f_begun = 1'b0;
  reg [31:0] f_tokens;
  reg        f_was_full;

  always @(posedge clk_i) begin
    f_begun <= 1'b1;
    if (!rst_ni || clear_i) f_tokens <= 0;
    else f_tokens <= f_tokens + push_i - pop_i;
    f_was_full <= rst_ni && !clear_i && (f_was_full || full_o);
  end

  always @* begin
    if (!f_begun) assume (!rst_ni);
    if (rst_ni && !clear_i) assume (!(push_i && full_o) && !(pop_i && empty_o));

    if (f_begun) begin
      assert (f_tokens <= DEPTH);                         // 1. never more than DEPTH tokens
      assert (full_o == (f_tokens == DEPTH));             // 2. full with DEPTH tokens
      assert (empty_o == (f_tokens == 0));                // 3. empty without any
      assert (spare_o == (f_tokens + SPARE <= DEPTH));    // 4. SPARE more have room
      assert (count_q == f_tokens);                       // makes the induction close
    end

    // It fills up, then empties; a token comes and one goes in the same cycle.
    cover (f_begun && f_was_full && empty_o);
    cover (DEPTH == 1 || (f_begun && rst_ni && push_i && pop_i));
  end
`endif

endmodule

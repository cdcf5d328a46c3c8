// SPDX-License-Identifier: Apache-2.0
//
// arbiter: grants one of COUNT requests, round robin. grant_o is one-hot, zero without a request.
// A grant may change with the requests until taken: take_i, only while there is a grant, moves
// the turn on to the requests above the one granted. Who stays is granted within COUNT takes.

`default_nettype none

module arbiter #(
  parameter COUNT = 2
) (
  input  wire             clk_i,
  input  wire             rst_ni,
  input  wire [COUNT-1:0] request_i,
  input  wire             take_i,
  output wire [COUNT-1:0] grant_o
);

  require #(.OK(COUNT >= 1)) count_is_at_least_1 ();

  reg [COUNT-1:0] above_q;  // the requests above the last one granted

  wire [COUNT-1:0] first  = request_i & above_q;
  wire [COUNT-1:0] chosen = first != 0 ? first : request_i;

  assign grant_o = chosen & (~chosen + 1'b1);  // the lowest bit that is set

  always @(posedge clk_i) begin
    if (!rst_ni) above_q <= 0;
    else if (take_i) above_q <= ~(grant_o | (grant_o - 1'b1));
  end

`ifdef FORMAL
  // One request, any one, and how often others were taken while it stayed.
  (* anyconst *) wire [31:0] f_me;
  wire                       f_real  = f_me < COUNT;
  reg                        f_begun = 1'b0;
  reg [31:0]                 f_passed;

  always @(posedge clk_i) begin
    f_begun <= 1'b1;
    if (!rst_ni || !request_i[f_me] || (take_i && grant_o[f_me])) f_passed <= 0;
    else f_passed <= f_passed + take_i;
  end

  // Takes until it is my turn at the latest: the distance from the last one granted to me.
  integer    f;
  reg [31:0] f_last;
  always @* begin
    f_last = COUNT - 1;
    for (f = 0; f < COUNT; f = f + 1) if (above_q[f]) f_last = f_last - 1;
  end
  wire [31:0]      f_distance  = f_me > f_last ? f_me - f_last : f_me + COUNT - f_last;
  wire [COUNT-1:0] f_not_above = ~above_q;

  always @* begin
    if (!f_begun) assume (!rst_ni);
    if (rst_ni) assume (!take_i || grant_o != 0);

    if (f_begun) begin
      assert ((grant_o & ~request_i) == 0);               // 1. only a request is granted
      assert ((grant_o & (grant_o - 1'b1)) == 0);         // 2. at most one
      assert ((grant_o != 0) == (request_i != 0));        // 3. one, if there is a request
      assert (!f_real || f_passed < COUNT);               // 4. who stays waits for each other once

      // Where the turn is; these make the induction close.
      assert (f_not_above != 0 && (f_not_above & (f_not_above + 1'b1)) == 0);
      assert (!f_real || f_passed == 0 || f_passed + f_distance <= COUNT);
    end

    // A request waits for all others, then it is taken.
    cover (f_begun && rst_ni && f_real && f_passed == COUNT - 1 && take_i && grant_o[f_me]);
  end
`endif

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// skid_buffer: cuts every combinational path of a valid/ready handshake, at one transfer a cycle.
// ready_o, valid_o and data_o come from registers. A word taken while the output is stuck waits in
// the spare register. clear_i empties it; a transfer in the same cycle is lost.

`default_nettype none

module skid_buffer #(
  parameter WIDTH = 8
) (
  input  wire             clk_i,
  input  wire             rst_ni,
  input  wire             clear_i,
  input  wire             valid_i,
  output wire             ready_o,
  input  wire [WIDTH-1:0] data_i,
  output wire             valid_o,
  input  wire             ready_i,
  output wire [WIDTH-1:0] data_o
);

  reg             valid_q;
  reg [WIDTH-1:0] data_q;
  reg             spare_valid_q;
  reg [WIDTH-1:0] spare_q;

  wire moves = ready_i || !valid_q;

  assign ready_o = !spare_valid_q;
  assign valid_o = valid_q;
  assign data_o  = data_q;

  always @(posedge clk_i) begin
    if (ready_o) spare_q <= data_i;
    if (moves) data_q <= spare_valid_q ? spare_q : data_i;
  end

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      valid_q       <= 1'b0;
      spare_valid_q <= 1'b0;
    end else begin
      if (moves) valid_q <= spare_valid_q || valid_i;
      spare_valid_q <= !moves && (spare_valid_q || valid_i);
    end
  end

`ifdef FORMAL
  // Words inside, and one of them, any one, followed from its arrival to its departure.
  (* anyseq *) wire   f_choose;
  reg                 f_begun = 1'b0;
  reg                 f_follow;
  reg [WIDTH-1:0]     f_word;
  reg                 f_ahead;  // a word is in front of it
  reg [1:0]           f_count;
  reg [1:0]           f_run;    // cycles in a row in which a word came and one went
  reg                 f_piled;  // there were two, and one went in the cycle before
  wire                f_in  = valid_i && ready_o;
  wire                f_out = valid_o && ready_i;

  always @(posedge clk_i) begin
    f_begun <= 1'b1;
    if (!rst_ni || clear_i) begin
      f_count  <= 0;
      f_run    <= 0;
      f_piled  <= 1'b0;
      f_follow <= 1'b0;
    end else begin
      f_count <= f_count + f_in - f_out;
      f_run   <= f_in && f_out ? f_run + 1'b1 : 0;
      f_piled <= f_count == 2 && f_out;
      if (f_follow) begin
        f_follow <= !f_out || f_ahead;
        f_ahead  <= f_ahead && !f_out;
      end else begin
        f_follow <= f_choose && f_in;
        f_word   <= data_i;
        f_ahead  <= f_count != f_out;
      end
    end
  end

  always @* begin
    if (!f_begun) assume (!rst_ni);

    if (f_begun) begin
      assert (f_count <= 2);                              // 1. never more than two words
      assert (ready_o == (f_count < 2));                  // 2. takes a word whenever it has room
      assert (valid_o == (f_count > 0));                  // 3. offers a word whenever it has one
      assert (!f_follow || f_ahead < f_count);            // 4. no word is lost
      if (f_follow && !f_ahead)
        assert (data_o == f_word);                        // 5. each leaves in its turn, unchanged

      assert (!f_follow || !f_ahead || spare_q == f_word);  // makes the induction close
    end
  end

  always @(posedge clk_i) begin
    if (f_begun && $past(rst_ni && !clear_i && valid_o && !ready_i))
      assert (valid_o && $stable(data_o));                // 6. an offer stands until it is taken

    // Words go through at one a cycle; two pile up, and both leave.
    cover (f_begun && f_run == 3);
    cover (f_begun && f_piled && f_out);
  end
`endif

endmodule

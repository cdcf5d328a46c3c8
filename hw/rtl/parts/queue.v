// SPDX-License-Identifier: Apache-2.0
//
// queue: a fifo for wide or many words: they wait in a RAM that is read synchronously.
// Same ports and rules as fifo.v, and the same timing: a word pushed into an empty queue is at
// data_o in the next cycle, and a word can be popped every cycle.
//
// The RAM's output register holds the oldest word: a pop reads the one behind it. A word that has
// nothing in front of it can't come out of the RAM in time, so it goes round by a second register.
// Hence what the RAM gives for an address that is just being written is never used, which
// no_rw_check tells Yosys: that saves registers on FPGAs whose RAMs don't promise the old word.

`default_nettype none

module queue #(
  parameter WIDTH = 64,
  parameter DEPTH = 64
) (
  input  wire             clk_i,
  input  wire             rst_ni,
  input  wire             clear_i,
  input  wire             push_i,
  input  wire [WIDTH-1:0] data_i,
  output wire             full_o,
  input  wire             pop_i,
  output wire [WIDTH-1:0] data_o,
  output wire             empty_o
);

  localparam INDEX_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam COUNT_BITS = $clog2(DEPTH + 1);
  localparam [31:0] LAST = DEPTH - 1;
  localparam [31:0] FULL = DEPTH;

  require #(.OK(DEPTH >= 1)) depth_is_at_least_1 ();

  (* no_rw_check *)
  reg [WIDTH-1:0]      mem [0:DEPTH-1];
  reg [WIDTH-1:0]      read_q;    // the oldest word, when it came out of mem
  reg [WIDTH-1:0]      around_q;  // the oldest word, when it went round
  reg                  around_valid_q;
  reg [INDEX_BITS-1:0] tail_q;    // where the next word goes
  reg [INDEX_BITS-1:0] next_q;    // where the word behind the oldest is, or goes
  reg [COUNT_BITS-1:0] count_q;

  wire around = push_i && (empty_o || (pop_i && count_q == 1));

  assign full_o  = count_q == FULL[COUNT_BITS-1:0];
  assign empty_o = count_q == 0;
  assign data_o  = around_valid_q ? around_q : read_q;

  always @(posedge clk_i) begin
    if (pop_i) read_q <= mem[next_q];
    if (push_i) mem[tail_q] = data_i;  // as in ram.v
    if (around) around_q <= data_i;
  end

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      around_valid_q <= 1'b0;
      tail_q         <= 0;
      next_q         <= DEPTH > 1 ? 1 : 0;
      count_q        <= 0;
    end else begin
      if (around || pop_i) around_valid_q <= around;
      if (push_i) tail_q <= tail_q == LAST[INDEX_BITS-1:0] ? 0 : tail_q + 1'b1;
      if (pop_i) next_q <= next_q == LAST[INDEX_BITS-1:0] ? 0 : next_q + 1'b1;
      if (push_i && !pop_i) count_q <= count_q + 1'b1;
      if (pop_i && !push_i) count_q <= count_q - 1'b1;
    end
  end

`ifdef FORMAL
  // Words inside, and one of them, any one, followed from its push to its pop.
  (* anyseq *) wire   f_choose;
  reg                 f_begun = 1'b0;
  reg                 f_follow;
  reg [WIDTH-1:0]     f_word;
  reg [31:0]          f_ahead;   // words in front of it
  reg [31:0]          f_passed;  // words that left while it was inside
  reg [31:0]          f_count;
  reg                 f_round;   // in the cycle before, too, a word left and one went round

  always @(posedge clk_i) begin
    f_begun <= 1'b1;
    f_round <= rst_ni && !clear_i && pop_i && around;
    if (!rst_ni || clear_i) begin
      f_count  <= 0;
      f_follow <= 1'b0;
    end else begin
      f_count <= f_count + push_i - pop_i;
      if (f_follow) begin
        f_follow <= !pop_i || f_ahead != 0;
        f_ahead  <= f_ahead - pop_i;
        f_passed <= f_passed + pop_i;
      end else begin
        f_follow <= f_choose && push_i;
        f_word   <= data_i;
        f_ahead  <= f_count - pop_i;
        f_passed <= 0;
      end
    end
  end

  // Where the word and the tail must be; these make the induction close.
  wire [31:0] f_slot = (next_q + f_ahead + DEPTH - 1) % DEPTH;
  wire [31:0] f_tail = (next_q + f_count + DEPTH - 1) % DEPTH;

  always @* begin
    if (!f_begun) assume (!rst_ni);
    if (rst_ni && !clear_i) assume (!(push_i && full_o) && !(pop_i && empty_o));

    if (f_begun) begin
      assert (f_count <= DEPTH);                          // 1. never more than DEPTH words
      assert (full_o == (f_count == DEPTH));              // 2. full with DEPTH words
      assert (empty_o == (f_count == 0));                 // 3. empty without any
      assert (!f_follow || f_ahead < f_count);            // 4. no word is lost
      if (f_follow && f_ahead == 0)
        assert (data_o == f_word);                        // 5. each leaves in its turn, unchanged

      assert (count_q == f_count && next_q < DEPTH && tail_q == f_tail);
      assert (!f_follow || f_ahead == 0 || mem[f_slot] == f_word);
    end

    // The last word of a full queue leaves; words go round at one a cycle.
    cover (f_begun && f_follow && f_passed == DEPTH - 1 && pop_i);
    cover (DEPTH == 1 || (f_begun && f_round && pop_i && around));
  end

`endif

endmodule

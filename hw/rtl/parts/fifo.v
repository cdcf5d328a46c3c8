// SPDX-License-Identifier: Apache-2.0
//
// fifo: keeps words in order, in registers; for few or narrow words (queue.v is for the others).
// data_o is the oldest word whenever empty_o is low, and a word pushed is there in the next cycle.
// push_i may be high only while full_o is low; pop_i only while empty_o is low.
// clear_i empties it; a push or pop in the same cycle is lost.

`default_nettype none

module fifo #(
  parameter WIDTH = 8,
  parameter DEPTH = 4
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

  reg [WIDTH-1:0]      mem [0:DEPTH-1];
  reg [INDEX_BITS-1:0] tail_q;  // where the next word goes
  reg [INDEX_BITS-1:0] head_q;  // where the oldest word is
  reg [COUNT_BITS-1:0] count_q;

  assign full_o  = count_q == FULL[COUNT_BITS-1:0];
  assign empty_o = count_q == 0;
  assign data_o  = mem[head_q];

  always @(posedge clk_i) begin
    if (push_i) mem[tail_q] <= data_i;
  end

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      tail_q  <= 0;
      head_q  <= 0;
      count_q <= 0;
    end else begin
      if (push_i) tail_q <= tail_q == LAST[INDEX_BITS-1:0] ? 0 : tail_q + 1'b1;
      if (pop_i) head_q <= head_q == LAST[INDEX_BITS-1:0] ? 0 : head_q + 1'b1;
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

  always @(posedge clk_i) begin
    f_begun <= 1'b1;
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

  // All words, the oldest lowest: for the rules of modules around it.
  wire [WIDTH*DEPTH-1:0] f_words;
  genvar g;
  generate
    for (g = 0; g < DEPTH; g = g + 1) begin : f_place
      wire [31:0] slot = head_q + g < DEPTH ? head_q + g : head_q + g - DEPTH;
      assign f_words[WIDTH*g +: WIDTH] = mem[slot[INDEX_BITS-1:0]];
    end
  endgenerate

  // Where the word and the tail must be; these make the induction close.
  wire [31:0] f_slot = head_q + f_ahead < DEPTH ? head_q + f_ahead : head_q + f_ahead - DEPTH;
  wire [31:0] f_tail = (head_q + f_count) % DEPTH;

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

      assert (count_q == f_count && head_q < DEPTH && tail_q == f_tail);
      assert (!f_follow || mem[f_slot] == f_word);
    end

    // The last word of a full fifo leaves; the oldest word of a full fifo is in the last place.
    cover (f_begun && f_follow && f_passed == DEPTH - 1 && pop_i);
    cover (f_begun && f_count == DEPTH && head_q == DEPTH - 1);
  end
`endif

endmodule

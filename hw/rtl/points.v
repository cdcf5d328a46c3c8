// SPDX-License-Identifier: Apache-2.0
//
// points: the loop points of a LOOP instruction with their indices, in order, checked.
//
//   loop_nest -> UOP -> micro-op + sums of steps -> point_o
//
// A point is there two cycles after loop_nest has it; one is taken each cycle. The first one whose
// micro-op or index is wrong shows as trap_o, stays, and no point comes behind it.

`default_nettype none
`include "tessera.vh"

module points (
  input  wire         clk_i,
  input  wire         rst_ni,
  input  wire         clear_i,
  input  wire         start_i,
  input  wire [255:0] insn_i,        // stays until active_o is low again

  // What indices are allowed: low <= d, a, b, and + more, < high.
  input  wire         takes_first_i,
  input  wire [16:0]  d_low_i,
  input  wire [16:0]  d_high_i,
  input  wire [16:0]  a_low_i,
  input  wire [16:0]  a_high_i,
  input  wire         b_used_i,
  input  wire [16:0]  b_low_i,
  input  wire [16:0]  b_high_i,
  input  wire [1:0]   b_more_i,

  output wire         uop_read_o,
  output wire [15:0]  uop_addr_o,
  input  wire [63:0]  uop_data_i,

  output wire         active_o,      // there are points
  output wire         valid_o,
  output wire [15:0]  d_o,
  output wire [15:0]  a_o,
  output wire [15:0]  b_o,
  output wire         first_o,
  input  wire         take_i,
  output wire         trap_o,
  output wire [7:0]   trap_code_o
);

  // ---- the nest, and the micro-op behind it ----

  wire        nest_valid;
  wire [50:0] nest_sums;
  wire [2:0]  nest_origin;
  reg         read_valid_q;  // uop_data_i is a point's
  reg  [50:0] read_sums_q;
  reg         read_counts_q;  // overwrite counts here
  reg         valid_q;

  wire advance = !valid_q || take_i;

  loop_nest nest (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .clear_i   (clear_i),
    .start_i   (start_i),
    .insn_i    (insn_i),
    .advance_i (advance),
    .valid_o   (nest_valid),
    .uop_o     (uop_addr_o),
    .sums_o    (nest_sums),
    .origin_o  (nest_origin)
  );

  assign uop_read_o = advance && nest_valid;

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) read_valid_q <= 1'b0;
    else if (advance) read_valid_q <= nest_valid;
    if (uop_read_o) begin
      read_sums_q <= nest_sums;
      read_counts_q <= (insn_i[`TSR_LOOP_FIRST] & ~nest_origin) == 0;
    end
  end

  // ---- indices ----

  reg [17:0] d_q, a_q, b_q;
  reg        first_q, bits_q;  // bits_q: the micro-op has bits that it may not have
  wire       overwrite = uop_data_i[`TSR_UOP_OVERWRITE];

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) valid_q <= 1'b0;
    else if (advance) valid_q <= read_valid_q;
    if (advance && read_valid_q) begin
      d_q <= {2'd0, uop_data_i[`TSR_UOP_DST]} + {1'b0, read_sums_q[16:0]};
      a_q <= {2'd0, uop_data_i[`TSR_UOP_A]} + {1'b0, read_sums_q[33:17]};
      b_q <= {2'd0, uop_data_i[`TSR_UOP_B]} + {1'b0, read_sums_q[50:34]};
      first_q <= overwrite && read_counts_q;
      bits_q <= (uop_data_i & `TSR_UOP_RESERVED) != 0 || (overwrite && !takes_first_i);
    end
  end

  // ---- checks ----

  reg wrong;
  always @(*) begin
    wrong = 1'b0;
    if (valid_q)
      wrong = bits_q || d_q < {1'b0, d_low_i} || d_q >= {1'b0, d_high_i}
           || a_q < {1'b0, a_low_i} || a_q >= {1'b0, a_high_i}
           || (b_used_i && (b_q < {1'b0, b_low_i} || b_q + {16'd0, b_more_i} >= {1'b0, b_high_i}));
  end
  assign trap_o = wrong;
  assign trap_code_o = bits_q ? `TSR_TRAP_FIELD : `TSR_TRAP_INDEX;

  assign active_o = nest_valid || read_valid_q || valid_q;
  assign valid_o  = valid_q && !wrong;
  assign d_o      = d_q[15:0];
  assign a_o      = a_q[15:0];
  assign b_o      = b_q[15:0];
  assign first_o  = first_q;

`ifdef FORMAL
  reg f_begun = 1'b0;
  always @(posedge clk_i) f_begun <= 1'b1;
  wire [17:0] f_b_end = {2'd0, b_o} + {16'd0, b_more_i};

  always @(*) begin
    if (!f_begun) assume (!rst_ni);
    if (take_i) assume (valid_o);
    assume (d_high_i <= 65536 && a_high_i <= 65536 && b_high_i <= 65536);  // loop_limits.v
    if (f_begun && valid_o) begin
      assert ({1'b0, d_o} >= d_low_i && {1'b0, d_o} < d_high_i);    // 1. d inside,
      assert (d_o == d_q && a_o == a_q);                            //    all of its bits
      assert ({1'b0, a_o} >= a_low_i && {1'b0, a_o} < a_high_i);    // 2. a inside
      if (b_used_i) begin                                           // 3. b inside, and those behind
        assert ({1'b0, b_o} >= b_low_i && f_b_end < {1'b0, b_high_i});
        assert (b_o == b_q);
      end
      assert (takes_first_i || !first_o);                           // 4. no overwrite without a use
      assert (!trap_o);
    end
  end
  // What an instruction allows stays until it has ended.
  wire [105:0] f_limits = {takes_first_i, b_used_i, b_more_i, d_low_i, d_high_i, a_low_i, a_high_i,
                           b_low_i, b_high_i};
  reg [105:0] f_limits_q;
  always @(posedge clk_i) f_limits_q <= f_limits;
  always @(*) if (f_begun) assume (f_limits == f_limits_q);

  always @(posedge clk_i) if (f_begun && $past(f_begun && rst_ni && !clear_i && trap_o))
    assert ($past(clear_i) || !rst_ni || trap_o);                   // 5. a trap stays

  // A point is taken, and the one behind it traps.
  always @(posedge clk_i) cover (f_begun && $past(f_begun && take_i) && trap_o);
`endif

endmodule

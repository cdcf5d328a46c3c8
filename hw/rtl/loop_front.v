// SPDX-License-Identifier: Apache-2.0
//
// loop_front: what matrix and vector do alike: an instruction's steps (sequencer), what its indices
// may be (loop_limits), and its points (points).

`default_nettype none
`include "tessera.vh"

module loop_front (
  input  wire                  clk_i,
  input  wire                  rst_ni,
  input  wire                  clear_i,

  input  wire                  valid_i,      // the head of the queue
  input  wire [255:0]          insn_i,
  output wire                  pop_o,
  input  wire [3:0]            have_i,
  output wire [3:0]            take_o,
  input  wire [3:0]            room_i,
  output wire [3:0]            give_o,
  output wire                  ask_o,
  output wire [`TSR_LOCKS-1:0] want_o,
  input  wire                  grant_i,
  output wire                  release_o,

  output wire                  uop_read_o,
  output wire [15:0]           uop_addr_o,
  input  wire [63:0]           uop_data_i,

  output wire                  start_o,      // points come from now on
  output wire                  b_used_o,     // the instruction reads through b
  output wire                  point_o,      // there is one
  output wire [15:0]           d_o,
  output wire [15:0]           a_o,
  output wire [15:0]           b_o,
  output wire                  first_o,
  input  wire                  take_point_i,
  input  wire                  behind_i,     // points that were taken are not written yet

  output wire                  trap_o,
  output wire [7:0]            trap_code_o,
  output wire [3:0]            state_o,
  output wire [3:0]            missing_o,
  output wire                  blocked_o,
  output wire                  begin_o,
  output wire                  end_o
);

  wire refused, active, points_trap, uops_wrong;
  wire [7:0] points_code;

  sequencer steps (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .clear_i   (clear_i),
    .valid_i   (valid_i),
    .sync_i    (insn_i[`TSR_LOOP_OPCODE] == `TSR_OP_SYNC),
    .refuse_i  (uops_wrong),
    .wait_i    (insn_i[`TSR_WAITS]),
    .signal_i  (insn_i[`TSR_SIGNALS]),
    .pop_o     (pop_o),
    .have_i    (have_i),
    .take_o    (take_o),
    .room_i    (room_i),
    .give_o    (give_o),
    .ask_o     (ask_o),
    .grant_i   (grant_i),
    .release_o (release_o),
    .start_o   (start_o),
    .done_i    (!active && !behind_i),
    .trap_o    (refused),
    .state_o   (state_o),
    .missing_o (missing_o),
    .blocked_o (blocked_o),
    .begin_o   (begin_o),
    .end_o     (end_o)
  );

  assign want_o = {insn_i[`TSR_LOOP_DST] == `TSR_DST_INP, insn_i[`TSR_LOOP_BANKS]};
  assign trap_o = refused || points_trap;
  assign trap_code_o = refused ? `TSR_TRAP_INDEX : points_code;

  wire takes_first;
  wire [16:0] d_low, d_high, a_low, a_high, b_low, b_high;
  wire [1:0] b_more;

  loop_limits limits (
    .clk_i         (clk_i),
    .take_i        (begin_o),
    .insn_i        (insn_i),
    .takes_first_o (takes_first),
    .d_low_o       (d_low),
    .d_high_o      (d_high),
    .a_low_o       (a_low),
    .a_high_o      (a_high),
    .b_used_o      (b_used_o),
    .b_low_o       (b_low),
    .b_high_o      (b_high),
    .b_more_o      (b_more),
    .uops_wrong_o  (uops_wrong)
  );

  points nest (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .clear_i       (clear_i),
    .start_i       (start_o),
    .insn_i        (insn_i),
    .takes_first_i (takes_first),
    .d_low_i       (d_low),
    .d_high_i      (d_high),
    .a_low_i       (a_low),
    .a_high_i      (a_high),
    .b_used_i      (b_used_o),
    .b_low_i       (b_low),
    .b_high_i      (b_high),
    .b_more_i      (b_more),
    .uop_read_o    (uop_read_o),
    .uop_addr_o    (uop_addr_o),
    .uop_data_i    (uop_data_i),
    .active_o      (active),
    .valid_o       (point_o),
    .d_o           (d_o),
    .a_o           (a_o),
    .b_o           (b_o),
    .first_o       (first_o),
    .take_i        (take_point_i),
    .trap_o        (points_trap),
    .trap_code_o   (points_code)
  );

endmodule

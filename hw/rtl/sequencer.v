// SPDX-License-Identifier: Apache-2.0
//
// sequencer: takes an engine's instructions through their four steps: take the tokens, get the
// locks, run, give the tokens. One at a time; the instruction stays at the head of its queue until
// the last.

`default_nettype none
`include "tessera.vh"

module sequencer (
  input  wire       clk_i,
  input  wire       rst_ni,
  input  wire       clear_i,

  input  wire       valid_i,    // there is an instruction
  input  wire       sync_i,     // it is a SYNC
  input  wire       refuse_i,   // it can't run: trap_o
  input  wire [3:0] wait_i,
  input  wire [3:0] signal_i,
  output wire       pop_o,

  input  wire [3:0] have_i,
  output wire [3:0] take_o,
  input  wire [3:0] room_i,
  output wire [3:0] give_o,

  output wire       ask_o,
  input  wire       grant_i,
  output wire       release_o,

  output wire       start_o,    // it runs from the next cycle on
  input  wire       done_i,     // it has run: all that it writes is written
  output wire       trap_o,

  output reg  [3:0] state_o,    // TSR_STATE_..
  output wire [3:0] missing_o,  // engines whose token, or room for one, it waits for
  output wire       blocked_o,  // waits for them
  output wire       begin_o,    // for the trace: has its tokens; has ended
  output wire       end_o
);

  localparam [1:0] TOKENS = 0;  // waits for an instruction and for its tokens
  localparam [1:0] LOCKS  = 1;  // waits for its locks
  localparam [1:0] RUN    = 2;
  localparam [1:0] SIGNAL = 3;  // waits for room for its tokens

  reg [1:0] step_q, step_d;

  wire [3:0] missing_tokens = wait_i & ~have_i;
  wire [3:0] missing_room = signal_i & ~room_i;
  wire ready = step_q == TOKENS && valid_i && missing_tokens == 0;
  wire over = step_q == SIGNAL && missing_room == 0;

  assign begin_o   = ready;
  assign take_o    = ready ? wait_i : 4'd0;
  assign ask_o     = step_q == LOCKS && !refuse_i;
  assign trap_o    = step_q == LOCKS && refuse_i;
  assign start_o   = ask_o && grant_i;
  assign release_o = step_q == RUN && done_i;
  assign end_o     = release_o || (ready && sync_i);
  assign give_o    = over ? signal_i : 4'd0;
  assign pop_o     = over;
  assign missing_o = step_q == SIGNAL ? missing_room
                   : step_q == TOKENS && valid_i ? missing_tokens : 4'd0;
  assign blocked_o = missing_o != 0;

  always @(*) begin
    step_d = step_q;
    state_o = `TSR_STATE_BUSY;
    case (step_q)
      TOKENS: begin
        if (ready) step_d = sync_i ? SIGNAL : LOCKS;
        else state_o = valid_i ? `TSR_STATE_TOKEN : `TSR_STATE_IDLE;
      end
      LOCKS: begin
        if (start_o) step_d = RUN;
        else state_o = `TSR_STATE_LOCK;
      end
      RUN: if (done_i) step_d = SIGNAL;
      default: begin
        if (over) step_d = TOKENS;
        else state_o = `TSR_STATE_SIGNAL;
      end
    endcase
  end

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) step_q <= TOKENS;
    else step_q <= step_d;
  end

endmodule

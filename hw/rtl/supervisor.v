// SPDX-License-Identifier: Apache-2.0
//
// supervisor: starts programs, and says how they end: at FINISH, by a trap, or in a deadlock.
//
//   CLEAR  zeros go into the scratchpads        after reset, once every engine has let go of them
//   READY  waits for a start
//   BEGIN  everything but the scratchpads is as new
//   RUN
//   HALT   a trap: waits until the bus is quiet; the engines stay cut off from it until they are
//          as new
//
// Nothing in the machine can go on when fetch and every engine stand still, each for want of a
// token, of room or of an instruction, and the bus is quiet. Then a word that is no instruction
// traps, FINISH ends the program if no engine has work, and anything else is a deadlock. An
// engine's trap counts at once; of several in one cycle the first engine's.

`default_nettype none
`include "tessera.vh"

module supervisor (
  input  wire         clk_i,
  input  wire         rst_ni,

  input  wire         start_i,        // only while ready_o
  input  wire         reset_i,
  input  wire         design_wrong_i,

  output wire         ready_o,
  output wire         running_o,      // a program runs
  output wire         clearing_o,
  output wire         wipe_o,         // zeros go into entry clear_entry_o
  output wire [15:0]  clear_entry_o,
  output wire         clear_o,        // queues, tokens, engines, counters
  output wire         begin_o,        // fetch starts
  output wire         halt_o,
  output wire         count_o,        // this cycle counts

  input  wire         quiet_i,        // the bus
  input  wire         fetch_blocked_i,
  input  wire         finish_i,
  input  wire         stop_i,
  input  wire [7:0]   stop_code_i,
  input  wire         fetch_bus_trap_i,
  input  wire [31:0]  fetch_index_i,
  input  wire [3:0]   any_i,          // engines with work
  input  wire [3:0]   blocked_i,      // engines that stand still, those without work too
  input  wire [127:0] oldest_i,       // index of their oldest instruction, 32 bits an engine
  input  wire [3:0]   trap_i,
  input  wire [31:0]  trap_code_i,    // 8 bits an engine
  input  wire [127:0] trap_index_i,

  output wire         ended_o,
  output wire [7:0]   trap_o,
  output wire [2:0]   trap_engine_o,
  output wire [31:0]  trap_insn_o
);

  localparam [2:0] CLEAR = 0;
  localparam [2:0] READY = 1;
  localparam [2:0] BEGIN = 2;
  localparam [2:0] RUN   = 3;
  localparam [2:0] HALT  = 4;

  // The deepest scratchpad; a table of LUT has 256 / beat words.
  localparam LUT_WORDS = 256 / `TSR_BEAT_BYTES * `TSR_LUT_DEPTH;
  localparam DEPTH_A = `TSR_UOP_DEPTH > `TSR_INP_DEPTH ? `TSR_UOP_DEPTH : `TSR_INP_DEPTH;
  localparam DEPTH_B = `TSR_WGT_DEPTH > `TSR_ACC_HALF ? `TSR_WGT_DEPTH : `TSR_ACC_HALF;
  localparam DEPTH_C = `TSR_OUT_DEPTH > LUT_WORDS ? `TSR_OUT_DEPTH : LUT_WORDS;
  localparam DEPTH_AB = DEPTH_A > DEPTH_B ? DEPTH_A : DEPTH_B;
  localparam [31:0] DEEPEST = DEPTH_AB > DEPTH_C ? DEPTH_AB : DEPTH_C;

  reg [2:0]  state_q;
  reg [15:0] entry_q;
  reg        halt_q;        // since a trap or a reset, until BEGIN or CLEAR
  reg        wipe_q;        // CLEAR, but for its first cycle
  reg        begin_q;       // the first cycle of RUN
  reg        reset_q;       // a reset came while a program ran
  reg        ended_q;
  reg [7:0]  trap_q;
  reg [2:0]  engine_q;
  reg [31:0] insn_q;

  assign ready_o = state_q == READY;
  assign running_o = state_q == BEGIN || state_q == RUN || state_q == HALT;
  assign clearing_o = state_q == CLEAR;
  assign wipe_o = wipe_q;
  assign clear_entry_o = entry_q;
  assign clear_o = state_q == BEGIN || state_q == CLEAR;
  assign begin_o = begin_q;
  assign halt_o = halt_q;
  assign count_o = state_q == RUN;
  assign ended_o = ended_q;
  assign trap_o = trap_q;
  assign trap_engine_o = engine_q;
  assign trap_insn_o = insn_q;

  wire wiped = wipe_q && {16'd0, entry_q} == DEEPEST - 1;

  // ---- how it ends ----

  wire still = fetch_blocked_i && blocked_i == 4'hf && quiet_i;
  wire finished = still && finish_i && any_i == 0;
  wire stopped = still && stop_i;
  wire deadlock = still && !finished && !stopped;

  // The engine whose oldest instruction is the first in the program.
  reg [2:0] oldest;
  reg [31:0] oldest_insn;
  reg found;
  integer e;
  always @(*) begin
    oldest = 3'd0;
    oldest_insn = 32'd0;
    found = 1'b0;
    for (e = 0; e < `TSR_ENGINES; e = e + 1) begin
      if (deadlock && any_i[e] && (!found || oldest_i[32*e +: 32] < oldest_insn)) begin
        found = 1'b1;
        oldest = e[2:0];
        oldest_insn = oldest_i[32*e +: 32];
      end
    end
  end

  reg        traps;
  reg [7:0]  code;
  reg [2:0]  engine;
  reg [31:0] insn;
  always @(*) begin
    traps = 1'b1;
    engine = `TSR_ENGINE_FETCH;
    insn = fetch_index_i;
    code = stop_code_i;
    if (trap_i[0]) {engine, code, insn} = {3'd0, trap_code_i[7:0], trap_index_i[31:0]};
    else if (trap_i[1]) {engine, code, insn} = {3'd1, trap_code_i[15:8], trap_index_i[63:32]};
    else if (trap_i[2]) {engine, code, insn} = {3'd2, trap_code_i[23:16], trap_index_i[95:64]};
    else if (trap_i[3]) {engine, code, insn} = {3'd3, trap_code_i[31:24], trap_index_i[127:96]};
    else if (fetch_bus_trap_i) code = `TSR_TRAP_BUS;
    else if (deadlock) {engine, code, insn} = {oldest, `TSR_TRAP_DEADLOCK, oldest_insn};
    else traps = stopped;
  end

  always @(posedge clk_i) begin
    begin_q <= rst_ni && state_q == BEGIN;
    wipe_q <= rst_ni && state_q == CLEAR && !wiped;
    if (!rst_ni) begin
      state_q <= CLEAR;
      entry_q <= 16'd0;
      reset_q <= 1'b0;
      halt_q <= 1'b0;
      ended_q <= 1'b0;
      trap_q <= `TSR_TRAP_NONE;
      engine_q <= `TSR_ENGINE_FETCH;
      insn_q <= 32'd0;
    end else begin
      case (state_q)
        CLEAR: begin
          if (wipe_q) entry_q <= entry_q + 16'd1;
          ended_q <= 1'b0;
          trap_q <= `TSR_TRAP_NONE;
          engine_q <= `TSR_ENGINE_FETCH;
          insn_q <= 32'd0;
          reset_q <= 1'b0;
          halt_q <= 1'b0;
          if (wiped) state_q <= READY;
        end
        READY: begin
          if (reset_i) state_q <= CLEAR;
          else if (start_i) begin
            ended_q <= design_wrong_i;
            trap_q <= design_wrong_i ? `TSR_TRAP_DESIGN : `TSR_TRAP_NONE;
            engine_q <= `TSR_ENGINE_FETCH;
            insn_q <= 32'd0;
            if (!design_wrong_i) state_q <= BEGIN;
          end
          entry_q <= 16'd0;
        end
        BEGIN: begin
          halt_q <= 1'b0;
          state_q <= RUN;
        end
        RUN: begin
          if (reset_i) begin
            reset_q <= 1'b1;
            halt_q <= 1'b1;
            state_q <= HALT;
          end else if (traps) begin
            trap_q <= code;
            engine_q <= engine;
            insn_q <= insn;
            halt_q <= 1'b1;
            state_q <= HALT;
          end else if (finished) begin
            ended_q <= 1'b1;
            insn_q <= fetch_index_i;
            state_q <= READY;
          end
        end
        default: begin  // HALT
          if (reset_i) reset_q <= 1'b1;
          if (quiet_i) begin
            ended_q <= !reset_q;
            state_q <= reset_q || reset_i ? CLEAR : READY;
          end
        end
      endcase
    end
  end

endmodule

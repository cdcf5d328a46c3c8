// SPDX-License-Identifier: Apache-2.0
//
// load: LOAD. Three parts work on three instructions at a time:
//
//   ask    checks, takes the tokens, and asks for the bursts          dma_check, dma_rows
//   fill   gets the locks, and writes what arrives, and padding       load_fill
//   end    gives the tokens
//
// so that DRAM is asked for the next box while one arrives. IN_FLIGHT instructions may be between
// ask and the end. Data that was asked for never waits for a token, only for a lock: it would hold
// up fetch's.

`default_nettype none
`include "tessera.vh"

module load (
  input  wire                      clk_i,
  input  wire                      rst_ni,
  input  wire                      clear_i,

  input  wire                      valid_i,    // the head of the queue
  input  wire [255:0]              insn_i,
  input  wire [31:0]               index_i,
  output wire                      pop_o,
  input  wire [3:0]                have_i,
  output wire [3:0]                take_o,
  input  wire [3:0]                room_i,
  input  wire                      spare_i,    // room for the tokens of all in flight
  output wire [3:0]                give_o,
  output wire                      ask_o,
  output wire [`TSR_LOCKS-1:0]     want_o,
  input  wire                      grant_i,
  output wire                      release_o,

  input  wire [`TSR_ADDR_BITS-1:0] window_i,
  input  wire [32:0]               window_bytes_i,
  output wire                      burst_valid_o,
  input  wire                      burst_ready_i,
  output wire [`TSR_ADDR_BITS-1:0] burst_addr_o,
  output wire [8:0]                burst_beats_o,
  input  wire                      beat_i,
  input  wire [`TSR_AXI_BITS-1:0]  data_i,
  input  wire                      error_i,
  output wire                      beat_take_o,

  output wire                      write_o,
  output wire [2:0]                write_buffer_o,
  output wire [15:0]               write_entry_o,
  output wire [12:0]               write_slice_o,
  output wire                      write_pad_o,
  output wire [15:0]               write_pad_value_o,
  output wire [`TSR_AXI_BITS-1:0]  write_data_o,

  output wire                      trap_o,
  output wire [7:0]                trap_code_o,
  output wire [31:0]               trap_index_o,
  output wire                      any_o,      // it has work
  output wire [31:0]               oldest_o,   // its oldest instruction
  output reg  [3:0]                state_o,
  output wire [3:0]                missing_o,
  output wire                      blocked_o,  // nothing here can go on without a token
  output wire                      begin_o,
  output wire                      end_o,
  output wire [31:0]               end_index_o,
  output wire                      retire_o,
  output wire [7:0]                bytes_o
);

  localparam IN_FLIGHT = `TSR_IN_FLIGHT;
  localparam [17:0] ACC_HALF = `TSR_ACC_HALF;

  // ---- ask ----

  localparam [1:0] NEW   = 0;  // waits for an instruction
  localparam [1:0] CHECK = 1;
  localparam [1:0] ASK   = 2;  // waits for its tokens, and for the instructions before it

  reg  [1:0] step_q, step_d;
  wire sync = insn_i[`TSR_DMA_OPCODE] == `TSR_OP_SYNC;
  wire checked, check_trap, rows_busy, flight_full, flight_empty, in_flight_spare;
  wire [7:0] check_code;
  wire [17:0] end_entry;
  wire [27:0] row_beats;

  wire [3:0] missing = insn_i[`TSR_WAITS] & ~have_i;
  wire able = step_q == ASK && missing == 0;
  // Tokens are taken ahead of the instructions before only where these are sure to give theirs.
  wire sure = insn_i[`TSR_WAITS] == 0 || flight_empty || spare_i;
  wire free = !rows_busy && !flight_full && sure;
  wire go = able && free && !(check_trap && !sync);

  assign begin_o = go;
  assign pop_o = go;
  assign take_o = go ? insn_i[`TSR_WAITS] : 4'd0;

  always @(*) begin
    step_d = step_q;
    case (step_q)
      NEW:     if (valid_i) step_d = sync ? ASK : CHECK;
      CHECK:   if (checked) step_d = ASK;
      default: if (go) step_d = NEW;
    endcase
  end
  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) step_q <= NEW;
    else step_q <= step_d;
  end

  dma_check check (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .clear_i        (clear_i),
    .start_i        (step_q == NEW && valid_i && !sync),
    .insn_i         (insn_i),
    .window_bytes_i (window_bytes_i),
    .done_o         (checked),
    .trap_o         (check_trap),
    .trap_code_o    (check_code),
    .end_entry_o    (end_entry),
    .row_beats_o    (row_beats)
  );

  dma_rows rows (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .clear_i     (clear_i),
    .start_i     (go && !sync),
    .insn_i      (insn_i),
    .row_beats_i (row_beats),
    .window_i    (window_i),
    .busy_o      (rows_busy),
    .valid_o     (burst_valid_o),
    .ready_i     (burst_ready_i),
    .addr_o      (burst_addr_o),
    .beats_o     (burst_beats_o)
  );

  token_counter #(.DEPTH(IN_FLIGHT)) in_flight (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (clear_i),
    .push_i  (go),
    .pop_i   (retire_o),
    .empty_o (flight_empty),
    .full_o  (flight_full),
    .spare_o (in_flight_spare)
  );

  // ---- fill: instructions that were asked for, with the locks that they need ----

  wire [7:0] buffer = insn_i[`TSR_DMA_BUFFER];
  wire acc = buffer == `TSR_BUFFER_ACC || buffer == `TSR_BUFFER_ACC8;
  wire [`TSR_LOCKS-1:0] needs = {buffer == `TSR_BUFFER_INP, acc && end_entry > ACC_HALF,
                                 acc && {2'd0, insn_i[`TSR_DMA_SRAM]} < ACC_HALF};

  wire         asked_full, asked_empty, fill_sync, filling, fill_move, fill_last, fill_lacks;
  wire [255:0] fill_insn;
  wire [31:0]  fill_index;
  wire         fill_end = fill_last || (!asked_empty && fill_sync);

  queue #(.WIDTH(256 + 32 + `TSR_LOCKS + 1), .DEPTH(IN_FLIGHT)) asked (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (clear_i),
    .push_i  (go),
    .data_i  ({sync, needs, index_i, insn_i}),
    .full_o  (asked_full),
    .pop_i   (fill_end),
    .data_o  ({fill_sync, want_o, fill_index, fill_insn}),
    .empty_o (asked_empty)
  );

  assign ask_o = !asked_empty && !fill_sync && !filling;
  assign release_o = fill_last;
  assign end_o = fill_end;
  assign end_index_o = fill_index;

  load_fill fill (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .clear_i     (clear_i),
    .start_i     (ask_o && grant_i),
    .insn_i      (fill_insn),
    .active_o    (filling),
    .move_o      (fill_move),
    .last_o      (fill_last),
    .lacks_o     (fill_lacks),
    .beat_i      (beat_i),
    .data_i      (data_i),
    .take_o      (beat_take_o),
    .bytes_o     (bytes_o),
    .write_o     (write_o),
    .buffer_o    (write_buffer_o),
    .entry_o     (write_entry_o),
    .slice_o     (write_slice_o),
    .pad_o       (write_pad_o),
    .pad_value_o (write_pad_value_o),
    .data_o      (write_data_o)
  );

  // ---- end ----

  wire        ended_full, ended_empty;
  wire [3:0]  signals;
  wire [31:0] ended_index;
  wire [3:0]  lacking = signals & ~room_i;

  fifo #(.WIDTH(4 + 32), .DEPTH(IN_FLIGHT)) ended (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (clear_i),
    .push_i  (fill_end),
    .data_i  ({fill_insn[`TSR_SIGNALS], fill_index}),
    .full_o  (ended_full),
    .pop_i   (retire_o),
    .data_o  ({signals, ended_index}),
    .empty_o (ended_empty)
  );

  assign retire_o = !ended_empty && lacking == 0;
  assign give_o = retire_o ? signals : 4'd0;

  // ---- what it does, and what it waits for ----

  wire bus_trap = fill_move && beat_take_o && error_i;
  assign trap_o = bus_trap || (able && free && check_trap && !sync);
  assign trap_code_o = bus_trap ? `TSR_TRAP_BUS : check_code;
  assign trap_index_o = bus_trap ? fill_index : index_i;

  wire ask_blocked = step_q == ASK ? !able || flight_full || !sure : step_q == NEW && !valid_i;
  wire end_blocked = !ended_empty && lacking != 0;
  assign any_o = valid_i || !flight_empty;
  assign blocked_o = ask_blocked && !rows_busy && asked_empty && (ended_empty || end_blocked);
  assign oldest_o = !ended_empty ? ended_index : !asked_empty ? fill_index : index_i;
  assign missing_o = end_blocked ? lacking : step_q == ASK ? missing : 4'd0;

  wire unused = &{1'b0, asked_full, ended_full, in_flight_spare};

  always @(*) begin
    state_o = `TSR_STATE_BUSY;
    if (filling) begin
      if (fill_lacks) state_o = `TSR_STATE_MEMORY;
    end else if (ask_o) begin
      if (!grant_i) state_o = `TSR_STATE_LOCK;
    end else if (asked_empty) begin
      if (end_blocked) state_o = `TSR_STATE_SIGNAL;
      else if (step_q == ASK && !able) state_o = `TSR_STATE_TOKEN;
      else if (step_q == NEW && !valid_i && ended_empty) state_o = `TSR_STATE_IDLE;
    end
  end

endmodule

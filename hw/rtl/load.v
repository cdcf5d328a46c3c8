// SPDX-License-Identifier: Apache-2.0
//
// load: LOAD. Three parts work on three instructions at a time:
//
//   ask    checks, takes the tokens, and asks for the bursts          dma_front
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

  // ---- ask ----

  wire go, sync, rows_busy, flight_full, flight_empty, in_flight_spare;
  wire front_trap, front_empty, front_lacks, front_blocked;
  wire [7:0]  front_code;
  wire [17:0] end_entry;
  wire [3:0]  front_missing;
  wire [`TSR_LOCKS-1:0] needs;

  dma_front front (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .clear_i        (clear_i),
    .valid_i        (valid_i),
    .insn_i         (insn_i),
    .have_i         (have_i),
    .take_o         (take_o),
    .spare_i        (spare_i),
    .free_i         (!rows_busy && !flight_full),
    .alone_i        (flight_empty),
    .window_i       (window_i),
    .window_bytes_i (window_bytes_i),
    .burst_valid_o  (burst_valid_o),
    .burst_ready_i  (burst_ready_i),
    .burst_addr_o   (burst_addr_o),
    .burst_beats_o  (burst_beats_o),
    .rows_busy_o    (rows_busy),
    .go_o           (go),
    .sync_o         (sync),
    .end_entry_o    (end_entry),
    .needs_o        (needs),
    .trap_o         (front_trap),
    .trap_code_o    (front_code),
    .empty_o        (front_empty),
    .lacks_o        (front_lacks),
    .missing_o      (front_missing),
    .blocked_o      (front_blocked)
  );

  assign begin_o = go;
  assign pop_o = go;

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
  assign trap_o = bus_trap || front_trap;
  assign trap_code_o = bus_trap ? `TSR_TRAP_BUS : front_code;
  assign trap_index_o = bus_trap ? fill_index : index_i;

  wire end_blocked = !ended_empty && lacking != 0;
  assign any_o = valid_i || !flight_empty;
  assign blocked_o = front_blocked && !rows_busy && asked_empty && (ended_empty || end_blocked);
  assign oldest_o = !ended_empty ? ended_index : !asked_empty ? fill_index : index_i;
  assign missing_o = end_blocked ? lacking : front_missing;

  wire unused = &{1'b0, end_entry, asked_full, ended_full, in_flight_spare};

  always @(*) begin
    state_o = `TSR_STATE_BUSY;
    if (filling) begin
      if (fill_lacks) state_o = `TSR_STATE_MEMORY;
    end else if (ask_o) begin
      if (!grant_i) state_o = `TSR_STATE_LOCK;
    end else if (asked_empty) begin
      if (end_blocked) state_o = `TSR_STATE_SIGNAL;
      else if (front_lacks) state_o = `TSR_STATE_TOKEN;
      else if (front_empty && ended_empty) state_o = `TSR_STATE_IDLE;
    end
  end

endmodule

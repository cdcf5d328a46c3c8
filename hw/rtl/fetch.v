// SPDX-License-Identifier: Apache-2.0
//
// fetch: reads the program ahead, and hands each word to the queue of its engine, in order.
//
//   burst -> DRAM -> beats -> fetch_words -> decode -> queues
//
// It asks for a burst only when there is room for all of it. At FINISH, at the end of the program
// and at a word that is none it stands still: the machine says what comes of it when every engine
// has stopped (supervisor.v).

`default_nettype none
`include "tessera.vh"

module fetch (
  input  wire                      clk_i,
  input  wire                      rst_ni,
  input  wire                      clear_i,
  input  wire                      start_i,
  input  wire [`TSR_ADDR_BITS-1:0] program_i,        // bus address
  input  wire [29:0]               program_bytes_i,  // a multiple of an instruction

  output wire                      burst_valid_o,
  input  wire                      burst_ready_i,
  output wire [`TSR_ADDR_BITS-1:0] burst_addr_o,
  output wire [8:0]                burst_beats_o,
  input  wire                      beat_i,
  input  wire [`TSR_AXI_BITS-1:0]  data_i,
  input  wire                      error_i,

  output wire [3:0]                push_o,           // to the queues, an engine a bit
  output wire [255:0]              word_o,
  output wire [31:0]               index_o,          // of word_o, in the program
  input  wire [3:0]                full_i,

  output wire                      finish_o,         // stands at FINISH
  output wire                      stop_o,           // stands at what is no instruction
  output wire [7:0]                stop_code_o,
  output wire                      bus_trap_o,
  output wire                      blocked_o,        // can't go on by itself
  output reg  [3:0]                state_o,
  output wire [3:0]                missing_o,        // engines whose queue it waits for
  output wire [7:0]                bytes_o
);

  localparam ROOM = 2 * `TSR_BURST_BEATS;  // beats
  localparam [9:0] ROOM_BEATS = ROOM;
  localparam [31:0] BEAT_BYTES = `TSR_BEAT_BYTES;
  localparam BEAT_LOG2 = $clog2(`TSR_BEAT_BYTES);

  // ---- bursts, as far as there is room for them ----

  wire standing;  // nothing that comes would be used
  wire bursts_valid;
  wire [8:0] bursts_beats;
  reg  [9:0] room_q;
  wire take_beat;
  wire asks = burst_valid_o && burst_ready_i;
  wire [29:0] program_beats = (program_bytes_i + BEAT_BYTES[29:0] - 30'd1) >> BEAT_LOG2;
  wire unused = &{1'b0, program_beats[29:28], row_ready, beats_full};
  wire row_ready, beats_full;

  assign burst_valid_o = bursts_valid && {1'b0, bursts_beats} <= room_q && !standing;
  assign burst_beats_o = bursts_beats;

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) room_q <= ROOM_BEATS;
    else room_q <= room_q - (asks ? {1'b0, bursts_beats} : 10'd0) + {9'd0, take_beat};
  end

  burst bursts (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .clear_i     (clear_i),
    .row_valid_i (start_i && program_bytes_i != 0),
    .row_ready_o (row_ready),
    .row_addr_i  (program_i),
    .row_beats_i (program_beats[27:0]),
    .valid_o     (bursts_valid),
    .ready_i     (asks),
    .addr_o      (burst_addr_o),
    .beats_o     (bursts_beats)
  );

  // ---- words ----

  wire no_beat, beat_error, word_here, word_error;
  wire [`TSR_AXI_BITS-1:0] beat;

  queue #(.WIDTH(`TSR_AXI_BITS + 1), .DEPTH(ROOM)) beats (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (clear_i),
    .push_i  (beat_i),
    .data_i  ({error_i, data_i}),
    .full_o  (beats_full),
    .pop_i   (take_beat),
    .data_o  ({beat_error, beat}),
    .empty_o (no_beat)
  );

  wire handed = push_o != 4'd0;

  fetch_words words (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (clear_i),
    .beat_i  (!no_beat),
    .data_i  (beat),
    .error_i (beat_error),
    .take_o  (take_beat),
    .valid_o (word_here),
    .word_o  (word_o),
    .error_o (word_error),
    .next_i  (handed)
  );

  // ---- where it stands ----

  reg         running_q;
  reg  [31:0] index_q;
  wire        over = {index_q[24:0], 5'd0} == program_bytes_i;  // past the last word
  wire [3:0]  engine;
  wire        is_finish, opcode_trap, field_trap;

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) running_q <= 1'b0;
    else if (start_i) running_q <= 1'b1;
    if (!rst_ni || clear_i || start_i) index_q <= 32'd0;
    else if (handed) index_q <= index_q + 32'd1;
  end

  decode decode_word (
    .word_i        (word_o),
    .engine_o      (engine),
    .finish_o      (is_finish),
    .opcode_trap_o (opcode_trap),
    .field_trap_o  (field_trap)
  );

  wire present = running_q && word_here && !over && !word_error;
  wire good = present && !opcode_trap && !field_trap;

  assign index_o = index_q;
  assign finish_o = good && is_finish;
  assign stop_o = (running_q && over) || (present && (opcode_trap || field_trap));
  assign stop_code_o = over || opcode_trap ? `TSR_TRAP_OPCODE : `TSR_TRAP_FIELD;
  assign bus_trap_o = running_q && word_here && !over && word_error;
  assign push_o = good ? engine & ~full_i : 4'd0;
  assign missing_o = good ? engine & full_i : 4'd0;
  assign standing = finish_o || stop_o;
  assign blocked_o = standing || missing_o != 0;
  assign bytes_o = take_beat ? BEAT_BYTES[7:0] : 8'd0;

  always @(*) begin
    state_o = `TSR_STATE_BUSY;
    if (standing) state_o = `TSR_STATE_FINISH;
    else if (missing_o != 0) state_o = `TSR_STATE_QUEUE;
    else if (!word_here && no_beat) state_o = `TSR_STATE_MEMORY;
  end

`ifdef FORMAL
  reg        f_begun = 1'b0;
  reg [15:0] f_owed;  // beats that were asked for, and have not come
  always @(posedge clk_i) begin
    f_begun <= 1'b1;
    if (!rst_ni || clear_i) f_owed <= 0;
    else f_owed <= f_owed + (asks ? burst_beats_o : 0) - beat_i;
  end

  (* hierconn *) wire [$clog2(ROOM + 1)-1:0] \beats.count_q ;

  always @* begin
    if (!f_begun) assume (!rst_ni);
    if (beat_i) assume (f_owed != 0);                         // read_port.v
    if (start_i) assume (!running_q && !bursts_valid);        // supervisor.v
    if (start_i) assume (program_i[6:0] == 0 && program_bytes_i[4:0] == 0);

    if (f_begun) begin
      // 1. What is here, what is owed and the room left are the whole room: so no beat is lost,
      // which is what the queue's own rules say; and what was asked for is always taken.
      assert (room_q + f_owed + beats.count_q == ROOM);
      if (beat_i && rst_ni) assert (!beats_full);
      // 2. One engine at most gets a word, and only while its queue has room.
      assert ((push_o & (push_o - 4'd1)) == 0 && (push_o & full_i) == 0);
      // 3. Behind FINISH and behind what is no instruction nothing is handed on, or asked for.
      if (standing) assert (push_o == 0 && !burst_valid_o);

      assert (!bursts_valid || running_q);
    end
    // A second burst is asked for while the first is on its way; a word is handed on.
    cover (f_begun && asks && f_owed != 0 && push_o != 0);
  end
`endif

endmodule

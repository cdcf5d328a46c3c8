// SPDX-License-Identifier: Apache-2.0
//
// store: STORE. Three parts work on three instructions at a time:
//
//   check  checks, takes the tokens, and asks for the bursts      dma_front
//   send   gets the locks, and reads beats for the bursts
//   end    waits for the acknowledgements, and gives the tokens
//
// so that the next box leaves while DRAM acknowledges one.

`default_nettype none
`include "tessera.vh"

module store (
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
  output wire                      beat_valid_o,
  input  wire                      beat_ready_i,
  output wire [`TSR_AXI_BITS-1:0]  beat_data_o,
  input  wire                      sent_i,     // the bus has taken all that was asked for
  input  wire                      answer_i,   // a burst has been acknowledged
  input  wire                      error_i,

  output wire                      out_read_o,
  output wire [15:0]               out_addr_o,
  input  wire [`TSR_ENTRY8-1:0]    out_data_i,
  output wire [1:0]                acc_read_o,
  output wire [15:0]               acc_row_o,
  input  wire [`TSR_ENTRY32-1:0]   acc0_data_i,
  input  wire [`TSR_ENTRY32-1:0]   acc1_data_i,

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

  localparam IN_FLIGHT = `TSR_IN_FLIGHT;  // sent, not acknowledged
  localparam [31:0] BEAT_BYTES = `TSR_BEAT_BYTES;
  localparam [12:0] BYTE_LAST = `TSR_ENTRY8 / `TSR_AXI_BITS - 1;
  localparam [12:0] WORD_LAST = `TSR_ENTRY32 / `TSR_AXI_BITS - 1;

  // ---- check ----

  wire go, sync, rows_busy, ended_full, ended_empty;
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
    .free_i         (send_q == IDLE && !ended_full),
    .alone_i        (ended_empty),
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

  // ---- send ----

  localparam [1:0] IDLE  = 0;
  localparam [1:0] LOCK  = 1;
  localparam [1:0] DRAIN = 2;  // beats leave
  localparam [1:0] FLUSH = 3;  // the last ones are on their way to the bus

  reg [1:0]  send_q, send_d;
  reg        acc_q;
  reg [`TSR_LOCKS-1:0] want_q;
  reg [3:0]  signals_q;
  reg [31:0] send_index_q;
  reg [15:0] entry_q;          // read next
  reg [17:0] end_q;            // behind the last one
  reg [12:0] slice_q;
  reg        read_valid_q;     // an entry has been read: a beat of it goes out
  reg [12:0] read_slice_q;
  reg        read_bank_q;

  wire more = send_q == DRAIN && {2'd0, entry_q} != end_q;
  wire advance = !read_valid_q || beat_ready_i;
  wire read = more && advance;
  wire last_slice = slice_q == (acc_q ? WORD_LAST : BYTE_LAST);
  wire sent = send_q == FLUSH && sent_i && !rows_busy;

  assign ask_o = send_q == LOCK;
  assign want_o = want_q;
  assign release_o = sent;
  assign end_o = sent;
  assign end_index_o = send_index_q;

  always @(*) begin
    send_d = send_q;
    case (send_q)
      IDLE:    if (go) send_d = sync ? FLUSH : LOCK;
      LOCK:    if (grant_i) send_d = DRAIN;
      DRAIN:   if (!more && !read_valid_q) send_d = FLUSH;
      default: if (sent) send_d = IDLE;
    endcase
  end

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      send_q <= IDLE;
      read_valid_q <= 1'b0;
    end else begin
      send_q <= send_d;
      if (advance) read_valid_q <= more;
    end
    if (go) begin
      acc_q <= insn_i[`TSR_DMA_BUFFER] == `TSR_BUFFER_ACC;
      want_q <= needs;
      signals_q <= insn_i[`TSR_SIGNALS];
      send_index_q <= index_i;
      entry_q <= insn_i[`TSR_DMA_SRAM];
      end_q <= end_entry;
      slice_q <= 13'd0;
    end else if (read) begin
      slice_q <= last_slice ? 13'd0 : slice_q + 13'd1;
      if (last_slice) entry_q <= entry_q + 16'd1;
    end
    if (read) begin
      read_slice_q <= slice_q;
      read_bank_q <= bank;
    end
  end

  wire bank;
  acc_place place (.index_i(entry_q), .bank_o(bank), .row_o(acc_row_o));

  assign out_read_o = read && !acc_q;
  assign out_addr_o = entry_q;
  assign acc_read_o = read && acc_q ? {bank, !bank} : 2'b00;
  assign beat_valid_o = read_valid_q;

  wire [31:0] first_bit = {19'd0, read_slice_q} * `TSR_AXI_BITS;
  wire unused = &{1'b0, first_bit};
  reg [`TSR_AXI_BITS-1:0] beat_data;
  always @(*) begin
    beat_data = {`TSR_AXI_BITS{1'bx}};
    if (read_valid_q) begin
      if (!acc_q) beat_data = out_data_i[first_bit +: `TSR_AXI_BITS];
      else if (read_bank_q) beat_data = acc1_data_i[first_bit +: `TSR_AXI_BITS];
      else beat_data = acc0_data_i[first_bit +: `TSR_AXI_BITS];
    end
  end
  assign beat_data_o = beat_data;
  assign bytes_o = beat_valid_o && beat_ready_i ? BEAT_BYTES[7:0] : 8'd0;

  // ---- end: done when as many bursts are acknowledged as had been asked for ----

  reg  [7:0]  asked_q, answered_q;  // modulo 256; axi_writes at most lie between
  wire [7:0]  needed;
  wire [3:0]  signals;
  wire [31:0] ended_index;
  wire        acknowledged = needed == answered_q || needed - answered_q >= 8'd128;
  wire [3:0]  lacking = signals & ~room_i;

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      asked_q <= 8'd0;
      answered_q <= 8'd0;
    end else begin
      if (burst_valid_o && burst_ready_i) asked_q <= asked_q + 8'd1;
      if (answer_i) answered_q <= answered_q + 8'd1;
    end
  end

  fifo #(.WIDTH(8 + 4 + 32), .DEPTH(IN_FLIGHT)) ended (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (clear_i),
    .push_i  (sent),
    .data_i  ({asked_q, signals_q, send_index_q}),
    .full_o  (ended_full),
    .pop_i   (retire_o),
    .data_o  ({needed, signals, ended_index}),
    .empty_o (ended_empty)
  );

  assign retire_o = !ended_empty && acknowledged && lacking == 0;
  assign give_o = retire_o ? signals : 4'd0;

  // ---- what it does, and what it waits for ----

  wire bus_trap = answer_i && error_i;
  assign trap_o = bus_trap || front_trap;
  assign trap_code_o = bus_trap ? `TSR_TRAP_BUS : front_code;
  assign trap_index_o = !bus_trap ? index_i : ended_empty ? send_index_q : ended_index;

  wire end_blocked = !ended_empty && acknowledged && lacking != 0;
  assign any_o = valid_i || send_q != IDLE || !ended_empty;
  assign blocked_o = front_blocked && send_q == IDLE && (ended_empty || end_blocked);
  assign oldest_o = !ended_empty ? ended_index : send_q != IDLE ? send_index_q : index_i;
  assign missing_o = end_blocked ? lacking : front_missing;

  always @(*) begin
    state_o = `TSR_STATE_BUSY;
    if (send_q == LOCK) begin
      if (!grant_i) state_o = `TSR_STATE_LOCK;
    end else if (send_q != IDLE) begin
      if (!read && !(beat_valid_o && beat_ready_i)) state_o = `TSR_STATE_MEMORY;
    end else if (end_blocked) state_o = `TSR_STATE_SIGNAL;
    else if (front_lacks) state_o = `TSR_STATE_TOKEN;
    else if (front_empty)
      state_o = ended_empty ? `TSR_STATE_IDLE : retire_o ? `TSR_STATE_BUSY : `TSR_STATE_MEMORY;
  end

endmodule

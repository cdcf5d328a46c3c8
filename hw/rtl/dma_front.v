// SPDX-License-Identifier: Apache-2.0
//
// dma_front: what load and store do alike, up to the bursts: checks the head of the queue
// (dma_check) while the transfer before is going on, takes its tokens, and asks for its bursts
// (dma_rows).

`default_nettype none
`include "tessera.vh"

module dma_front (
  input  wire                      clk_i,
  input  wire                      rst_ni,
  input  wire                      clear_i,

  input  wire                      valid_i,        // the head of the queue
  input  wire [255:0]              insn_i,
  input  wire [3:0]                have_i,
  output wire [3:0]                take_o,
  input  wire                      spare_i,        // room for the tokens of all in flight
  input  wire                      free_i,         // what is behind can take an instruction
  input  wire                      alone_i,        // no instruction is in flight

  input  wire [`TSR_ADDR_BITS-1:0] window_i,
  input  wire [32:0]               window_bytes_i,
  output wire                      burst_valid_o,
  input  wire                      burst_ready_i,
  output wire [`TSR_ADDR_BITS-1:0] burst_addr_o,
  output wire [8:0]                burst_beats_o,
  output wire                      rows_busy_o,    // not all bursts of the last one are asked for

  output wire                      go_o,           // it goes, now, with
  output wire                      sync_o,         //   nothing to transfer,
  output wire [17:0]               end_entry_o,    //   the entry behind its last one,
  output wire [`TSR_LOCKS-1:0]     needs_o,        //   the locks that it needs
  output wire                      trap_o,
  output wire [7:0]                trap_code_o,
  output wire                      empty_o,        // there is no instruction
  output wire                      lacks_o,        // it waits for a token:
  output wire [3:0]                missing_o,      //   from these engines
  output wire                      blocked_o       // it can't go, or there is none
);

  localparam [17:0] ACC_HALF = `TSR_ACC_HALF;

  localparam [1:0] NEW   = 0;  // waits for an instruction
  localparam [1:0] CHECK = 1;
  localparam [1:0] READY = 2;  // waits for its tokens, and for the instructions before it

  reg  [1:0] step_q, step_d;
  wire sync = insn_i[`TSR_DMA_OPCODE] == `TSR_OP_SYNC;
  wire checked, check_trap;
  wire [27:0] row_beats;

  wire [3:0] waits = insn_i[`TSR_WAITS];
  wire [3:0] missing = waits & ~have_i;
  // Tokens are taken ahead of the instructions in flight only where these are sure to give theirs.
  wire sure = waits == 0 || alone_i || spare_i;
  wire able = step_q == READY && missing == 0 && free_i && sure;
  wire wrong = check_trap && !sync;

  assign go_o = able && !wrong;
  assign sync_o = sync;
  assign take_o = go_o ? waits : 4'd0;
  assign trap_o = able && wrong;
  assign empty_o = step_q == NEW && !valid_i;
  assign missing_o = step_q == READY ? missing : 4'd0;
  assign lacks_o = missing_o != 0;
  assign blocked_o = step_q == READY ? !able : empty_o;

  always @(*) begin
    step_d = step_q;
    case (step_q)
      NEW:     if (valid_i) step_d = sync ? READY : CHECK;
      CHECK:   if (checked) step_d = READY;
      default: if (go_o) step_d = NEW;
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
    .trap_code_o    (trap_code_o),
    .end_entry_o    (end_entry_o),
    .row_beats_o    (row_beats)
  );

  wire [7:0] buffer = insn_i[`TSR_DMA_BUFFER];
  wire acc = buffer == `TSR_BUFFER_ACC || buffer == `TSR_BUFFER_ACC8;
  assign needs_o = {buffer == `TSR_BUFFER_INP, acc && end_entry_o > ACC_HALF,
                    acc && {2'd0, insn_i[`TSR_DMA_SRAM]} < ACC_HALF};

  dma_rows rows (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .clear_i     (clear_i),
    .start_i     (go_o && !sync),
    .insn_i      (insn_i),
    .row_beats_i (row_beats),
    .window_i    (window_i),
    .busy_o      (rows_busy_o),
    .valid_o     (burst_valid_o),
    .ready_i     (burst_ready_i),
    .addr_o      (burst_addr_o),
    .beats_o     (burst_beats_o)
  );

endmodule

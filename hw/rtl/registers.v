// SPDX-License-Identifier: Apache-2.0
//
// registers: the host's view of the machine: isa/registers.def. A write that is refused changes
// nothing.

`default_nettype none
`include "tessera.vh"

module registers (
  input  wire                         clk_i,
  input  wire                         rst_ni,

  input  wire                         write_i,
  input  wire [11:0]                  write_addr_i,
  input  wire [31:0]                  write_data_i,
  input  wire                         write_whole_i,
  output wire                         write_error_o,
  input  wire                         read_i,
  input  wire [11:0]                  read_addr_i,
  output reg  [31:0]                  read_data_o,
  output reg                          read_error_o,

  output wire                         start_o,
  output wire                         reset_o,
  output wire                         design_wrong_o,
  output wire [`TSR_ADDR_BITS-1:0]    program_o,
  output wire [29:0]                  program_bytes_o,
  output wire [`TSR_ADDR_BITS-1:0]    window_o,
  output wire [32:0]                  window_bytes_o,
  output wire                         irq_o,

  input  wire                         ready_i,       // no program runs, nothing is being cleared
  input  wire                         running_i,
  input  wire                         clearing_i,
  input  wire                         ended_i,
  input  wire [7:0]                   trap_i,
  input  wire [2:0]                   trap_engine_i,
  input  wire [31:0]                  trap_insn_i,
  input  wire [19:0]                  states_i,      // 4 bits an engine, fetch behind the four
  input  wire [19:0]                  missing_i,
  input  wire [159:0]                 insns_i,       // 32 bits an engine
  output wire [5:0]                   counter_o,
  input  wire [`TSR_COUNTER_BITS-1:0] counter_value_i
);

  localparam [63:0] HASH = `TSR_HASH;

  reg [31:0] program_lo_q, program_bytes_q, window_lo_q, window_bytes_lo_q;
  reg [31:0] design_lo_q, design_hi_q;
  reg [7:0]  program_hi_q, window_hi_q;
  reg        window_bytes_hi_q, interrupt_q;

  // ---- writes ----

  reg [31:0] mask;
  always @(*) begin
    case (write_addr_i)
      `TSR_REG_CONTROL:         mask = `TSR_REG_CONTROL_MASK;
      `TSR_REG_PROGRAM_LO:      mask = `TSR_REG_PROGRAM_LO_MASK;
      `TSR_REG_PROGRAM_HI:      mask = `TSR_REG_PROGRAM_HI_MASK;
      `TSR_REG_PROGRAM_BYTES:   mask = `TSR_REG_PROGRAM_BYTES_MASK;
      `TSR_REG_INTERRUPT:       mask = `TSR_REG_INTERRUPT_MASK;
      `TSR_REG_WINDOW_LO:       mask = `TSR_REG_WINDOW_LO_MASK;
      `TSR_REG_WINDOW_HI:       mask = `TSR_REG_WINDOW_HI_MASK;
      `TSR_REG_WINDOW_BYTES_LO: mask = `TSR_REG_WINDOW_BYTES_LO_MASK;
      `TSR_REG_WINDOW_BYTES_HI: mask = `TSR_REG_WINDOW_BYTES_HI_MASK;
      `TSR_REG_DESIGN_LO:       mask = `TSR_REG_DESIGN_LO_MASK;
      `TSR_REG_DESIGN_HI:       mask = `TSR_REG_DESIGN_HI_MASK;
      default:                  mask = 32'd0;  // read only, or no register
    endcase
  end

  wire control = write_addr_i == `TSR_REG_CONTROL;
  wire resets = control && write_data_i[1];
  wire good = write_whole_i && mask != 0 && (write_data_i & ~mask) == 0 && (ready_i || resets);
  wire write = write_i && good;

  assign write_error_o = !good;
  assign reset_o = write && resets;
  assign start_o = write && control && write_data_i == 32'd1;

  always @(posedge clk_i) begin
    if (!rst_ni || reset_o) begin
      program_lo_q <= 32'd0;
      program_hi_q <= 8'd0;
      program_bytes_q <= 32'd0;
      window_lo_q <= 32'd0;
      window_hi_q <= 8'd0;
      window_bytes_lo_q <= 32'd0;
      window_bytes_hi_q <= 1'b0;
      design_lo_q <= 32'd0;
      design_hi_q <= 32'd0;
      interrupt_q <= 1'b0;
    end else if (write) begin
      case (write_addr_i)
        `TSR_REG_PROGRAM_LO:      program_lo_q <= write_data_i;
        `TSR_REG_PROGRAM_HI:      program_hi_q <= write_data_i[7:0];
        `TSR_REG_PROGRAM_BYTES:   program_bytes_q <= write_data_i;
        `TSR_REG_INTERRUPT:       interrupt_q <= write_data_i[0];
        `TSR_REG_WINDOW_LO:       window_lo_q <= write_data_i;
        `TSR_REG_WINDOW_HI:       window_hi_q <= write_data_i[7:0];
        `TSR_REG_WINDOW_BYTES_LO: window_bytes_lo_q <= write_data_i;
        `TSR_REG_WINDOW_BYTES_HI: window_bytes_hi_q <= write_data_i[0];
        `TSR_REG_DESIGN_LO:       design_lo_q <= write_data_i;
        `TSR_REG_DESIGN_HI:       design_hi_q <= write_data_i;
        default: ;
      endcase
    end
  end

  assign program_o = {program_hi_q, program_lo_q};
  assign program_bytes_o = program_bytes_q[29:0];
  assign window_o = {window_hi_q, window_lo_q};
  assign window_bytes_o = {window_bytes_hi_q, window_bytes_lo_q};
  assign design_wrong_o = {design_hi_q, design_lo_q} != 64'd0 && {design_hi_q, design_lo_q} != HASH;
  assign irq_o = interrupt_q && ended_i;

  // ---- reads ----

  wire [11:0] counter = read_addr_i - `TSR_REG_COUNTERS;
  wire [31:0] counter_end = {20'd0, `TSR_REG_COUNTERS} + 8 * `TSR_COUNTERS;
  assign counter_o = counter[8:3];

  always @(*) begin
    read_data_o = 32'd0;
    read_error_o = 1'b0;
    if (read_i) case (read_addr_i)
      `TSR_REG_ID:              read_data_o = 32'h41525354;
      `TSR_REG_VERSION:         read_data_o = 32'd1;
      `TSR_REG_HASH_LO:         read_data_o = HASH[31:0];
      `TSR_REG_HASH_HI:         read_data_o = HASH[63:32];
      `TSR_REG_CONTROL:         read_data_o = 32'd0;
      `TSR_REG_STATUS:          read_data_o = {29'd0, ended_i, clearing_i, running_i};
      `TSR_REG_TRAP:            read_data_o = {21'd0, trap_engine_i, trap_i};
      `TSR_REG_TRAP_INSN:       read_data_o = trap_insn_i;
      `TSR_REG_PROGRAM_LO:      read_data_o = program_lo_q;
      `TSR_REG_PROGRAM_HI:      read_data_o = {24'd0, program_hi_q};
      `TSR_REG_PROGRAM_BYTES:   read_data_o = program_bytes_q;
      `TSR_REG_INTERRUPT:       read_data_o = {31'd0, interrupt_q};
      `TSR_REG_WINDOW_LO:       read_data_o = window_lo_q;
      `TSR_REG_WINDOW_HI:       read_data_o = {24'd0, window_hi_q};
      `TSR_REG_WINDOW_BYTES_LO: read_data_o = window_bytes_lo_q;
      `TSR_REG_WINDOW_BYTES_HI: read_data_o = {31'd0, window_bytes_hi_q};
      `TSR_REG_DESIGN_LO:       read_data_o = design_lo_q;
      `TSR_REG_DESIGN_HI:       read_data_o = design_hi_q;
      `TSR_REG_STATE_LOAD:      read_data_o = {20'd0, missing_i[3:0], 4'd0, states_i[3:0]};
      `TSR_REG_STATE_MATRIX:    read_data_o = {20'd0, missing_i[7:4], 4'd0, states_i[7:4]};
      `TSR_REG_STATE_VECTOR:    read_data_o = {20'd0, missing_i[11:8], 4'd0, states_i[11:8]};
      `TSR_REG_STATE_STORE:     read_data_o = {20'd0, missing_i[15:12], 4'd0, states_i[15:12]};
      `TSR_REG_STATE_FETCH:     read_data_o = {20'd0, missing_i[19:16], 4'd0, states_i[19:16]};
      `TSR_REG_INSN_LOAD:       read_data_o = insns_i[31:0];
      `TSR_REG_INSN_MATRIX:     read_data_o = insns_i[63:32];
      `TSR_REG_INSN_VECTOR:     read_data_o = insns_i[95:64];
      `TSR_REG_INSN_STORE:      read_data_o = insns_i[127:96];
      `TSR_REG_INSN_FETCH:      read_data_o = insns_i[159:128];
      default: begin
        if (read_addr_i >= `TSR_REG_COUNTERS && {20'd0, read_addr_i} < counter_end
            && read_addr_i[1:0] == 2'd0)
          read_data_o = read_addr_i[2] ? {24'd0, counter_value_i[39:32]} : counter_value_i[31:0];
        else read_error_o = 1'b1;
      end
    endcase
  end

  wire unused = &{1'b0, program_bytes_q[31:30], counter[11:9], counter[2:0]};

endmodule

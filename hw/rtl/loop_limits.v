// SPDX-License-Identifier: Apache-2.0
//
// loop_limits: what a LOOP instruction's indices may be, from its word and the design point. Taken
// over with take_i, in the cycle in which the instruction begins.

`default_nettype none
`include "tessera.vh"

module loop_limits (
  input  wire         clk_i,
  input  wire         take_i,
  input  wire [255:0] insn_i,
  output reg          takes_first_o,
  output reg  [16:0]  d_low_o,
  output reg  [16:0]  d_high_o,
  output reg  [16:0]  a_low_o,
  output reg  [16:0]  a_high_o,
  output reg          b_used_o,
  output reg  [16:0]  b_low_o,
  output reg  [16:0]  b_high_o,
  output reg  [1:0]   b_more_o,
  output reg          uops_wrong_o  // the micro-ops themselves are past UOP
);

  localparam [16:0] ACC_DEPTH = `TSR_ACC_DEPTH;
  localparam [16:0] ACC_HALF  = `TSR_ACC_HALF;
  localparam [16:0] INP_DEPTH = `TSR_INP_DEPTH;
  localparam [16:0] OUT_DEPTH = `TSR_OUT_DEPTH;
  localparam [16:0] WGT_DEPTH = `TSR_WGT_DEPTH;
  localparam [16:0] LUT_DEPTH = `TSR_LUT_DEPTH;
  localparam [16:0] UOP_DEPTH = `TSR_UOP_DEPTH;

  wire [7:0] opcode = insn_i[`TSR_LOOP_OPCODE];
  wire gemm = opcode == `TSR_OP_GEMM;
  wire [1:0] banks = insn_i[`TSR_LOOP_BANKS];
  wire unused = &{1'b0, insn_i[255:64], insn_i[26:8]};

  // In ACC: inside of the banks that the instruction names. Without one nothing is.
  wire [16:0] acc_low  = banks[0] ? 17'd0 : ACC_HALF;
  wire [16:0] acc_high = banks[1] ? ACC_DEPTH : ACC_HALF;

  always @(posedge clk_i) if (take_i) begin
    uops_wrong_o <= {1'b0, insn_i[`TSR_LOOP_UOP_BEGIN]} + {1'b0, insn_i[`TSR_LOOP_UOP_COUNT]}
                  > UOP_DEPTH;

    d_low_o <= 17'd0;
    case (insn_i[`TSR_LOOP_DST])
      `TSR_DST_OUT: d_high_o <= OUT_DEPTH;
      `TSR_DST_INP: d_high_o <= INP_DEPTH;
      default: begin
        d_low_o <= acc_low;
        d_high_o <= acc_high;
      end
    endcase

    if (gemm || insn_i[`TSR_LOOP_SRC] == `TSR_SRC_INP) begin
      a_low_o <= 17'd0;
      a_high_o <= INP_DEPTH;
    end else begin
      a_low_o <= acc_low;
      a_high_o <= acc_high;
    end

    takes_first_o <= 1'b0;
    b_used_o <= 1'b1;
    b_low_o <= acc_low;
    b_high_o <= acc_high;
    b_more_o <= 2'd0;
    case (opcode)
      `TSR_OP_GEMM: begin
        takes_first_o <= 1'b1;
        b_low_o <= 17'd0;
        b_high_o <= WGT_DEPTH;
      end
      `TSR_OP_ADD, `TSR_OP_MIN, `TSR_OP_MAX, `TSR_OP_MAC: takes_first_o <= 1'b1;
      `TSR_OP_MOV, `TSR_OP_RSUM, `TSR_OP_RMAX: b_used_o <= 1'b0;
      `TSR_OP_LUT: begin
        b_low_o <= 17'd0;
        b_high_o <= LUT_DEPTH;
      end
      `TSR_OP_QUANT: b_more_o <= 2'd2;
      default: ;
    endcase
  end

endmodule

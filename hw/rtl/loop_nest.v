// SPDX-License-Identifier: Apache-2.0
//
// loop_nest: walks the points of a LOOP instruction in their order, one in each cycle with
// advance_i. Sums of steps have 17 bits: as long as all points so far had their indices in range,
// they are exact.

`default_nettype none
`include "tessera.vh"

module loop_nest (
  input  wire         clk_i,
  input  wire         rst_ni,
  input  wire         clear_i,
  input  wire         start_i,    // the first point of insn_i is there in the next cycle
  input  wire [255:0] insn_i,     // stays until the last point has been taken
  input  wire         advance_i,
  output wire         valid_o,
  output wire [15:0]  uop_o,      // index of the micro-op
  output wire [50:0]  sums_o,     // of steps: d, a, b, 17 bits each, d lowest
  output wire [2:0]   origin_o    // bit k: loop k is at 0
);

  wire [15:0] last_uop = insn_i[`TSR_LOOP_UOP_COUNT] - 16'd1;
  wire [15:0] last0 = insn_i[`TSR_LOOP_N0] - 16'd1;
  wire [15:0] last1 = insn_i[`TSR_LOOP_N1] - 16'd1;
  wire [15:0] last2 = insn_i[`TSR_LOOP_N2] - 16'd1;
  wire unused = &{1'b0, insn_i[31:0]};

  reg        valid_q;
  reg [15:0] u_q, i0_q, i1_q, i2_q;
  reg        end_u_q, end0_q, end1_q, end2_q;  // that counter is at its last value
  reg [50:0] sums0_q, sums1_q, sums2_q;        // of loop 0, of 0 and 1, of all three

  // The sums with one more step of a loop, whose steps are b, a, d.
  function [50:0] step(input [50:0] sums, input [47:0] by);
    step = {sums[50:34] + {1'b0, by[47:32]}, sums[33:17] + {1'b0, by[31:16]},
            sums[16:0] + {1'b0, by[15:0]}};
  endfunction
  wire [47:0] by0 = {insn_i[`TSR_LOOP_B0], insn_i[`TSR_LOOP_A0], insn_i[`TSR_LOOP_DST0]};
  wire [47:0] by1 = {insn_i[`TSR_LOOP_B1], insn_i[`TSR_LOOP_A1], insn_i[`TSR_LOOP_DST1]};
  wire [47:0] by2 = {insn_i[`TSR_LOOP_B2], insn_i[`TSR_LOOP_A2], insn_i[`TSR_LOOP_DST2]};

  assign valid_o  = valid_q;
  assign uop_o    = insn_i[`TSR_LOOP_UOP_BEGIN] + u_q;
  assign sums_o   = sums2_q;
  assign origin_o = {i2_q == 0, i1_q == 0, i0_q == 0};

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) valid_q <= 1'b0;
    else if (start_i) valid_q <= 1'b1;
    else if (advance_i && end_u_q && end2_q && end1_q && end0_q) valid_q <= 1'b0;
  end

  always @(posedge clk_i) begin
    if (start_i) begin
      u_q <= 0;
      i0_q <= 0;
      i1_q <= 0;
      i2_q <= 0;
      end_u_q <= last_uop == 0;
      end0_q <= last0 == 0;
      end1_q <= last1 == 0;
      end2_q <= last2 == 0;
      sums0_q <= 0;
      sums1_q <= 0;
      sums2_q <= 0;
    end else if (advance_i && valid_q) begin
      u_q <= end_u_q ? 16'd0 : u_q + 16'd1;
      end_u_q <= (end_u_q ? 16'd0 : u_q + 16'd1) == last_uop;
      if (end_u_q) begin
        i2_q <= end2_q ? 16'd0 : i2_q + 16'd1;
        end2_q <= (end2_q ? 16'd0 : i2_q + 16'd1) == last2;
        if (!end2_q) sums2_q <= step(sums2_q, by2);
        else begin
          i1_q <= end1_q ? 16'd0 : i1_q + 16'd1;
          end1_q <= (end1_q ? 16'd0 : i1_q + 16'd1) == last1;
          if (!end1_q) begin
            sums1_q <= step(sums1_q, by1);
            sums2_q <= step(sums1_q, by1);
          end else begin
            i0_q <= i0_q + 16'd1;
            end0_q <= i0_q + 16'd1 == last0;
            sums0_q <= step(sums0_q, by0);
            sums1_q <= step(sums0_q, by0);
            sums2_q <= step(sums0_q, by0);
          end
        end
      end
    end
  end

endmodule

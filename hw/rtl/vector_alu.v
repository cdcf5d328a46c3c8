// SPDX-License-Identifier: Apache-2.0
//
// vector_alu: what the vector instructions compute, on every lane at once, in up to four stages.
//
//   stage 0   A, B are there: the simple operations are done; factors, LUT's index and the row of
//             a reduction go on
//   stage 1   product; table; reduction
//   stage 2   MUL and MAC: the sum. QUANT: shifted and rounded
//   stage 3   QUANT: zero point and clamp
//
// result_o is the operation's result, in the cycle behind its last stage.

`default_nettype none
`include "tessera.vh"

module vector_alu (
  input  wire                    clk_i,
  input  wire [7:0]              opcode_i,
  input  wire [3:0]              stage_i,      // bit k: there is a point in stage k
  input  wire [`TSR_ENTRY32-1:0] a_i,          // stage 0
  input  wire [`TSR_ENTRY32-1:0] b_i,          // stage 0
  input  wire                    first_i,      // stage 0
  input  wire [`TSR_ENTRY32-1:0] bias_i,       // stage 0: QUANT's three
  input  wire [`TSR_ENTRY32-1:0] multiplier_i,
  input  wire [`TSR_ENTRY32-1:0] packed_i,     // stages 2 and 3
  input  wire [`TSR_ENTRY8-1:0]  lut_i,        // stage 1
  input  wire [`TSR_ENTRY32-1:0] d_i,          // stage 2: MAC's old sum, zero where it starts
  output wire [`TSR_ENTRY32-1:0] result_o
);

  reg [`TSR_ENTRY32-1:0]    result_q;
  reg [33*`TSR_LANES-1:0]   x_q;        // factors: signed 33 bits,
  reg [`TSR_ENTRY32-1:0]    y_q;        // signed 32
  reg [64*`TSR_LANES-1:0]   product_q;
  reg [10*`TSR_LANES-1:0]   rounded_q;  // saturated far outside of any clamp

  assign result_o = result_q;

  wire multiplies = opcode_i == `TSR_OP_MUL || opcode_i == `TSR_OP_MAC;
  wire quant = opcode_i == `TSR_OP_QUANT;
  wire reduces = opcode_i == `TSR_OP_RSUM || opcode_i == `TSR_OP_RMAX;
  wire lut = opcode_i == `TSR_OP_LUT;

  // A / 2^s, rounded to nearest, ties to even.
  function [31:0] shift_right(input [31:0] a, input [4:0] s);
    reg [31:0] floor, back;
    reg half, rest;
    begin
      floor = $signed(a) >>> s;
      back = a << (6'd32 - {1'b0, s});  // the bits that leave, from the top
      half = back[31];
      rest = back[30:0] != 0;
      shift_right = floor + {31'd0, half && (rest || floor[0])};
    end
  endfunction

  function [31:0] simple(input [7:0] opcode, input first, input [31:0] a, input [31:0] b);
    case (opcode)
      `TSR_OP_ADD: simple = first ? a : a + b;
      `TSR_OP_SUB: simple = a - b;
      `TSR_OP_MIN: simple = first || $signed(a) < $signed(b) ? a : b;
      `TSR_OP_MAX: simple = first || $signed(a) > $signed(b) ? a : b;
      `TSR_OP_SHL: simple = a << b[4:0];
      `TSR_OP_SHR: simple = shift_right(a, b[4:0]);
      default:     simple = a;  // MOV
    endcase
  endfunction

  // product / 2^s, rounded to nearest, ties to even, saturated to 10 bits: with a zero point of 8
  // bits that is past every clamp of 8 bits.
  function [9:0] quant_round(input [63:0] product, input [5:0] s);
    reg [63:0] floor, back, value;
    reg half, rest;
    begin
      floor = $signed(product) >>> s;
      back = product << (7'd64 - {1'b0, s});
      half = back[63];
      rest = back[62:0] != 0;
      value = floor + {63'd0, half && (rest || floor[0])};
      if (value[63:9] == 0 || value[63:9] == {55{1'b1}}) quant_round = value[9:0];
      else quant_round = {value[63], {9{!value[63]}}};
    end
  endfunction

  // clamps: | 23..16 hi | 15..8 lo | 7..0 zero point |; hi also where lo > hi
  function [31:0] quant_clamp(input [9:0] rounded, input [23:0] clamps);
    reg signed [10:0] value, low, high;
    begin
      value = $signed({rounded[9], rounded}) + $signed({{3{clamps[7]}}, clamps[7:0]});
      low = $signed({{3{clamps[15]}}, clamps[15:8]});
      high = $signed({{3{clamps[23]}}, clamps[23:16]});
      if (value < low) value = low;
      if (value > high) value = high;
      quant_clamp = {{21{value[10]}}, value};
    end
  endfunction

  // The sum or the largest of a batch row.
  function [31:0] reduce(input sum, input [33*`TSR_BLOCK-1:0] row);
    reg [31:0] total, lane;
    integer c;
    begin
      total = row[31:0];
      for (c = 1; c < `TSR_BLOCK; c = c + 1) begin
        lane = row[33*c +: 32];
        if (sum) total = total + lane;
        else if ($signed(lane) > $signed(total)) total = lane;
      end
      reduce = total;
    end
  endfunction

  integer i, r;

  always @(posedge clk_i) begin
    if (stage_i[0]) begin
      if (multiplies || quant || reduces) begin
        for (i = 0; i < `TSR_LANES; i = i + 1) begin
          x_q[33*i +: 33] <= {a_i[32*i+31], a_i[32*i +: 32]}
                           + (quant ? {bias_i[32*i+31], bias_i[32*i +: 32]} : 33'd0);
          y_q[32*i +: 32] <= quant ? {1'b0, multiplier_i[32*i +: 31]} : b_i[32*i +: 32];
        end
      end else if (!lut) begin
        for (i = 0; i < `TSR_LANES; i = i + 1)
          result_q[32*i +: 32] <= simple(opcode_i, first_i, a_i[32*i +: 32], b_i[32*i +: 32]);
      end
    end

    if (stage_i[1]) begin
      if (multiplies || quant) begin
        for (i = 0; i < `TSR_LANES; i = i + 1)
          product_q[64*i +: 64] <= $signed({{31{x_q[33*i+32]}}, x_q[33*i +: 33]})
                                 * $signed({{32{y_q[32*i+31]}}, y_q[32*i +: 32]});
      end
      if (lut) begin
        for (i = 0; i < `TSR_LANES; i = i + 1)
          result_q[32*i +: 32] <= {{24{lut_i[8*i+7]}}, lut_i[8*i +: 8]};
      end
      if (reduces) begin
        for (r = 0; r < `TSR_BATCH; r = r + 1)
          result_q[32*r*`TSR_BLOCK +: 32*`TSR_BLOCK] <=
            {`TSR_BLOCK{reduce(opcode_i == `TSR_OP_RSUM, x_q[33*r*`TSR_BLOCK +: 33*`TSR_BLOCK])}};
      end
    end

    if (stage_i[2]) begin
      if (multiplies) begin
        for (i = 0; i < `TSR_LANES; i = i + 1)
          result_q[32*i +: 32] <= d_i[32*i +: 32] + product_q[64*i +: 32];
      end
      if (quant) begin
        for (i = 0; i < `TSR_LANES; i = i + 1)
          rounded_q[10*i +: 10] <= quant_round(product_q[64*i +: 64], packed_i[32*i +: 6]);
      end
    end

    if (stage_i[3] && quant) begin
      for (i = 0; i < `TSR_LANES; i = i + 1)
        result_q[32*i +: 32] <= quant_clamp(rounded_q[10*i +: 10], packed_i[32*i+8 +: 24]);
    end
  end

endmodule

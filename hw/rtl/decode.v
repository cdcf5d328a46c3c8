// SPDX-License-Identifier: Apache-2.0
//
// decode: which engine an instruction word is for, and whether it is one: the rules of
// tsr_insn_decode().

`default_nettype none
`include "tessera.vh"

module decode (
  input  wire [255:0] word_i,
  output reg  [3:0]   engine_o,  // one-hot; zero for FINISH
  output wire         finish_o,
  output wire         opcode_trap_o,
  output wire         field_trap_o
);

  wire [7:0] opcode = word_i[`TSR_NONE_OPCODE];
  wire [7:0] waits = word_i[15:8];
  wire [7:0] signals = word_i[23:16];
  wire [7:0] engine = word_i[`TSR_SYNC_ENGINE];
  wire [7:0] buffer = word_i[`TSR_DMA_BUFFER];
  wire [15:0] pad = word_i[`TSR_DMA_PAD];

  reg known, none, sync, dma, loop;
  reg takes_first;

  always @(*) begin
    {known, none, sync, dma, loop, takes_first} = 6'b100000;
    engine_o = 4'd0;
    case (opcode)
      `TSR_OP_LOAD: begin
        dma = 1'b1;
        engine_o[`TSR_ENGINE_LOAD] = 1'b1;
      end
      `TSR_OP_STORE: begin
        dma = 1'b1;
        engine_o[`TSR_ENGINE_STORE] = 1'b1;
      end
      `TSR_OP_SYNC: begin
        sync = 1'b1;
        engine_o = 4'd1 << engine[1:0];
      end
      `TSR_OP_FINISH: none = 1'b1;
      `TSR_OP_GEMM: begin
        loop = 1'b1;
        takes_first = 1'b1;
        engine_o[`TSR_ENGINE_MATRIX] = 1'b1;
      end
      `TSR_OP_ADD, `TSR_OP_MIN, `TSR_OP_MAX, `TSR_OP_MAC: begin
        loop = 1'b1;
        takes_first = 1'b1;
        engine_o[`TSR_ENGINE_VECTOR] = 1'b1;
      end
      `TSR_OP_SUB, `TSR_OP_MUL, `TSR_OP_SHL, `TSR_OP_SHR, `TSR_OP_MOV, `TSR_OP_LUT, `TSR_OP_RSUM,
      `TSR_OP_RMAX, `TSR_OP_QUANT: begin
        loop = 1'b1;
        engine_o[`TSR_ENGINE_VECTOR] = 1'b1;
      end
      default: known = 1'b0;
    endcase
  end

  wire [255:0] reserved = sync ? `TSR_SYNC_RESERVED
                        : dma  ? `TSR_DMA_RESERVED
                        : loop ? `TSR_LOOP_RESERVED : `TSR_NONE_RESERVED;

  wire tokens_wrong = waits[7:4] != 0 || signals[7:4] != 0
                   || (waits[3:0] & engine_o) != 0 || (signals[3:0] & engine_o) != 0;

  // A transfer: of a buffer that moves that way, of something, padded with an element.
  wire load = opcode == `TSR_OP_LOAD;
  wire [7:0] movable = {1'b0, load ? `TSR_LOADABLE : `TSR_STORABLE};
  wire pad_is_byte = pad[15:7] == 9'd0 || pad[15:7] == 9'h1ff;
  wire pad_wrong = buffer == `TSR_BUFFER_UOP ? pad != 0
                 : buffer != `TSR_BUFFER_ACC && !pad_is_byte;
  wire padded = pad != 0 || word_i[`TSR_DMA_XL] != 0 || word_i[`TSR_DMA_XR] != 0
             || word_i[`TSR_DMA_YL] != 0 || word_i[`TSR_DMA_YR] != 0;
  wire dma_wrong = buffer[7:3] != 0 || !movable[buffer[2:0]] || word_i[`TSR_DMA_NX] == 0
                || word_i[`TSR_DMA_NY] == 0 || word_i[`TSR_DMA_NZ] == 0
                || (load ? pad_wrong : padded);

  // A nest: of points, into ACC where it accumulates there.
  wire gemm = opcode == `TSR_OP_GEMM;
  wire [1:0] dst = word_i[`TSR_LOOP_DST];
  wire loop_wrong = word_i[`TSR_LOOP_UOP_COUNT] == 0 || word_i[`TSR_LOOP_N0] == 0
                 || word_i[`TSR_LOOP_N1] == 0 || word_i[`TSR_LOOP_N2] == 0 || dst == 2'd3
                 || ((gemm || opcode == `TSR_OP_MAC) && dst != `TSR_DST_ACC)
                 || (gemm && word_i[`TSR_LOOP_SRC] != 0)
                 || (!takes_first && word_i[`TSR_LOOP_FIRST] != 0);

  assign finish_o = none;
  assign opcode_trap_o = !known;
  assign field_trap_o = known && ((word_i & reserved) != 0 || (!none && tokens_wrong)
                     || (sync && engine > 8'd3) || (dma && dma_wrong) || (loop && loop_wrong));

endmodule

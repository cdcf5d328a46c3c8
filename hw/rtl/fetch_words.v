// SPDX-License-Identifier: Apache-2.0
//
// fetch_words: instruction words out of beats, be these narrower than a word or wider. next_i takes
// the word; the next one may be there in the cycle after, where a beat holds whole words.

`default_nettype none
`include "tessera.vh"

module fetch_words (
  input  wire                     clk_i,
  input  wire                     rst_ni,
  input  wire                     clear_i,
  input  wire                     beat_i,
  input  wire [`TSR_AXI_BITS-1:0] data_i,
  input  wire                     error_i,
  output wire                     take_o,
  output wire                     valid_o,
  output wire [255:0]             word_o,
  output wire                     error_o,  // a beat of it came with an error
  input  wire                     next_i
);

  localparam WORDS = `TSR_AXI_BITS > 256 ? `TSR_AXI_BITS / 256 : 1;  // in a beat
  localparam [31:0] LAST_BEAT = `TSR_AXI_BITS < 256 ? 256 / `TSR_AXI_BITS - 1 : 0;  // of a word
  localparam [31:0] LAST_WORD = `TSR_AXI_BITS > 256 ? `TSR_AXI_BITS / 256 - 1 : 0;  // of a beat

  reg         valid_q, error_q;
  reg [255:0] word_q;
  reg [2:0]   beat_q;  // how many beats of the word are here
  reg [1:0]   sub_q;   // word within the beat
  wire        collect = beat_i && (!valid_q || next_i);

  assign take_o  = collect && sub_q == LAST_WORD[1:0];
  assign valid_o = valid_q;
  assign word_o  = word_q;
  assign error_o = error_q;

  wire [31:0] first_bit = {30'd0, sub_q} * 256;
  wire [`TSR_AXI_BITS+511:0] joined = {256'd0, data_i, word_q};  // never read past data_i

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      valid_q <= 1'b0;
      beat_q <= 3'd0;
      sub_q <= 2'd0;
    end else if (collect) begin
      valid_q <= beat_q == LAST_BEAT[2:0];
      beat_q <= beat_q == LAST_BEAT[2:0] ? 3'd0 : beat_q + 3'd1;
      sub_q <= sub_q == LAST_WORD[1:0] ? 2'd0 : sub_q + 2'd1;
    end else if (next_i) valid_q <= 1'b0;

    if (collect) begin
      word_q <= WORDS > 1 ? joined[256 + first_bit +: 256] : joined[`TSR_AXI_BITS +: 256];
      error_q <= error_i || (error_q && beat_q != 3'd0);
    end
  end

endmodule

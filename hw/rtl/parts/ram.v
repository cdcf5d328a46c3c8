// SPDX-License-Identifier: Apache-2.0
//
// ram: one write port, one read port, inferred. A word is written in slices of SLICE bits, one enable
// each; the data is a word, or as wide as one slice and goes into each that is enabled. The word read
// is there in the next cycle and stays while read_i is low. Reading the address that is written gives
// the old word.

`default_nettype none

module ram #(
  parameter WIDTH = 32,
  parameter SLICE = WIDTH,
  parameter DATA  = WIDTH,  // or SLICE
  parameter DEPTH = 64
) (
  input  wire                                           clk_i,
  input  wire [WIDTH/SLICE-1:0]                         write_i,
  input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0]   write_addr_i,
  input  wire [DATA-1:0]                                write_data_i,
  input  wire                                           read_i,
  input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0]   read_addr_i,
  output wire [WIDTH-1:0]                               read_data_o
);

  require #(.OK(DEPTH >= 1)) depth_is_at_least_1 ();
  require #(.OK(WIDTH % SLICE == 0)) slice_divides_width ();
  require #(.OK(DATA == WIDTH || DATA == SLICE)) data_is_a_word_or_a_slice ();

  reg [WIDTH-1:0] mem [0:DEPTH-1];
  reg [WIDTH-1:0] read_data_q;

  assign read_data_o = read_data_q;

  // The read comes first, so it gets the old word. Blocking: Verilator would put off every other
  // write to the end of the cycle (lint.vlt).
  integer i;
  always @(posedge clk_i) begin
    if (read_i) read_data_q <= mem[read_addr_i];
    if (write_i != 0) begin
      for (i = 0; i < WIDTH / SLICE; i = i + 1) begin
        if (write_i[i])
          mem[write_addr_i][i*SLICE +: SLICE] = write_data_i[i*SLICE%DATA +: SLICE];
      end
    end
  end

`ifdef FORMAL
  // One bit of one word, any one: what was written to it last, and what its last read must give.
  (* anyconst *) wire [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0] f_addr;
  (* anyconst *) wire [(WIDTH > 1 ? $clog2(WIDTH) : 1) - 1:0] f_bit;
  wire f_real = f_addr < DEPTH && f_bit < WIDTH;
  reg  f_written = 1'b0;
  reg  f_value;
  reg  f_read = 1'b0;
  reg  f_expected;

  integer          f;
  reg  [WIDTH-1:0] f_write;  // of each bit
  wire [WIDTH-1:0] f_data = {(WIDTH / DATA){write_data_i}};
  always @* for (f = 0; f < WIDTH; f = f + 1) f_write[f] = write_i[f/SLICE];

  always @(posedge clk_i) begin
    if (f_write[f_bit] && write_addr_i == f_addr) begin
      f_written <= 1'b1;
      f_value   <= f_data[f_bit];
    end
    if (read_i) begin
      f_read     <= f_written && read_addr_i == f_addr;
      f_expected <= f_value;
    end
  end

  always @* begin
    if (f_real && f_read)
      assert (read_data_o[f_bit] == f_expected);          // 1. what was written before the read
    if (f_real && f_written)
      assert (mem[f_addr][f_bit] == f_value);             // makes the induction close

    // The bit that was read has been overwritten, and is still at the output.
    cover (f_real && f_read && f_expected != f_value && !read_i);
  end
`endif

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// ram_striped: a ram.v whose words are written in stripes as wide as the data, one enable each: a beat fills
// one stripe, or several of them with the same.

`default_nettype none

module ram_striped #(
  parameter WIDTH  = 32,
  parameter STRIPE = 8,
  parameter DEPTH  = 64
) (
  input  wire                                           clk_i,
  input  wire [WIDTH/STRIPE-1:0]                        write_i,
  input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0]   write_addr_i,
  input  wire [STRIPE-1:0]                              write_data_i,
  input  wire                                           read_i,
  input  wire [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0]   read_addr_i,
  output wire [WIDTH-1:0]                               read_data_o
);

  require #(.OK(DEPTH >= 1)) depth_is_at_least_1 ();
  require #(.OK(WIDTH % STRIPE == 0)) stripe_divides_width ();

  reg [WIDTH-1:0] mem [0:DEPTH-1];
  reg [WIDTH-1:0] read_data_q;

  assign read_data_o = read_data_q;

  // As in ram.v.
  integer i;
  always @(posedge clk_i) begin
    if (read_i) read_data_q <= mem[read_addr_i];
    if (write_i != 0) begin
      for (i = 0; i < WIDTH / STRIPE; i = i + 1) begin
        if (write_i[i]) mem[write_addr_i][i*STRIPE +: STRIPE] = write_data_i;
      end
    end
  end

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// tile_product: the product of an input tile, batch x block, and the transpose of a weight tile,
// block x block: a register of int32, batch x block, a cycle behind its operands.
//
// Flat vectors, one block, constant loops: the C++ that Verilator makes of it can be vectorized.

`default_nettype none
`include "tessera.vh"

module tile_product (
  input  wire                     clk_i,
  input  wire                     valid_i,
  input  wire [`TSR_ENTRY8-1:0]   inp_i,
  input  wire [`TSR_WGT_BITS-1:0] wgt_i,
  output wire [`TSR_ENTRY32-1:0]  product_o
);

  reg [`TSR_ENTRY32-1:0] product_q;
  integer r, c;

  // Signed, so that synthesis sees that all but eight bits of a factor are its sign.
  function signed [31:0] dot(input [8*`TSR_BLOCK-1:0] a, input [8*`TSR_BLOCK-1:0] b);
    integer k;
    reg signed [31:0] x, y;
    begin
      dot = 0;
      for (k = 0; k < `TSR_BLOCK; k = k + 1) begin
        x = {{24{a[8*k+7]}}, a[8*k +: 8]};
        y = {{24{b[8*k+7]}}, b[8*k +: 8]};
        dot = dot + x * y;
      end
    end
  endfunction

  assign product_o = product_q;

  always @(posedge clk_i) begin
    if (valid_i) begin
      for (r = 0; r < `TSR_BATCH; r = r + 1) begin
        for (c = 0; c < `TSR_BLOCK; c = c + 1) begin
          product_q[32*(r*`TSR_BLOCK+c) +: 32] <=
            dot(inp_i[8*r*`TSR_BLOCK +: 8*`TSR_BLOCK], wgt_i[8*c*`TSR_BLOCK +: 8*`TSR_BLOCK]);
        end
      end
    end
  end

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// dma_rows: the bursts of a LOAD or STORE: planes, rows, bursts of a row (burst.v).

`default_nettype none
`include "tessera.vh"

module dma_rows (
  input  wire                      clk_i,
  input  wire                      rst_ni,
  input  wire                      clear_i,
  input  wire                      start_i,     // only while busy_o is low
  input  wire [255:0]              insn_i,
  input  wire [27:0]               row_beats_i,
  input  wire [`TSR_ADDR_BITS-1:0] window_i,    // bus address of the DMA window
  output wire                      busy_o,
  output wire                      valid_o,
  input  wire                      ready_i,
  output wire [`TSR_ADDR_BITS-1:0] addr_o,
  output wire [8:0]                beats_o
);

  wire unused = &{1'b0, insn_i[191:144], insn_i[111:96], insn_i[63:0]};

  reg                      rows_q;  // there are rows to hand to burst
  reg [`TSR_ADDR_BITS-1:0] row_q, plane_q;
  reg [15:0]               y_q, z_q;  // rows, planes behind this one
  reg [15:0]               ny_q;
  reg [31:0]               sy_q, sz_q;
  reg [27:0]               beats_q;
  wire                     row_ready;


  assign busy_o = rows_q || valid_o;

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) rows_q <= 1'b0;
    else if (start_i) rows_q <= 1'b1;
    else if (row_ready && y_q == 0 && z_q == 0) rows_q <= 1'b0;

    if (start_i) begin
      row_q <= window_i + {8'd0, insn_i[`TSR_DMA_DRAM]};
      plane_q <= window_i + {8'd0, insn_i[`TSR_DMA_DRAM]};
      ny_q <= insn_i[`TSR_DMA_NY] - 16'd1;
      y_q <= insn_i[`TSR_DMA_NY] - 16'd1;
      z_q <= insn_i[`TSR_DMA_NZ] - 16'd1;
      sy_q <= insn_i[`TSR_DMA_SY];
      sz_q <= insn_i[`TSR_DMA_SZ];
      beats_q <= row_beats_i;
    end else if (rows_q && row_ready) begin
      if (y_q != 0) begin
        y_q <= y_q - 16'd1;
        row_q <= row_q + {8'd0, sy_q};
      end else begin
        y_q <= ny_q;
        z_q <= z_q - 16'd1;
        row_q <= plane_q + {8'd0, sz_q};
        plane_q <= plane_q + {8'd0, sz_q};
      end
    end
  end

  burst bursts (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .clear_i     (clear_i),
    .row_valid_i (rows_q),
    .row_ready_o (row_ready),
    .row_addr_i  (row_q),
    .row_beats_i (beats_q),
    .valid_o     (valid_o),
    .ready_i     (ready_i),
    .addr_o      (addr_o),
    .beats_o     (beats_o)
  );

endmodule

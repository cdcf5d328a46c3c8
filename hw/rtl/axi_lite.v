// SPDX-License-Identifier: Apache-2.0
//
// axi_lite: the AXI4-Lite slave in front of the registers: one write and one read at a time.
// write_o and read_o are high for a cycle, in which the registers answer. All outputs to the bus
// come from registers.

`default_nettype none

module axi_lite (
  input  wire        clk_i,
  input  wire        rst_ni,

  input  wire [11:0] s_axil_awaddr_i,
  input  wire        s_axil_awvalid_i,
  output wire        s_axil_awready_o,
  input  wire [31:0] s_axil_wdata_i,
  input  wire [3:0]  s_axil_wstrb_i,
  input  wire        s_axil_wvalid_i,
  output wire        s_axil_wready_o,
  output wire [1:0]  s_axil_bresp_o,
  output wire        s_axil_bvalid_o,
  input  wire        s_axil_bready_i,
  input  wire [11:0] s_axil_araddr_i,
  input  wire        s_axil_arvalid_i,
  output wire        s_axil_arready_o,
  output wire [31:0] s_axil_rdata_o,
  output wire [1:0]  s_axil_rresp_o,
  output wire        s_axil_rvalid_o,
  input  wire        s_axil_rready_i,

  output wire        write_o,
  output wire [11:0] write_addr_o,
  output wire [31:0] write_data_o,
  output wire        write_whole_o,  // all four bytes
  input  wire        write_error_i,
  output wire        read_o,
  output wire [11:0] read_addr_o,
  input  wire [31:0] read_data_i,
  input  wire        read_error_i
);

  localparam [1:0] OKAY = 2'b00;
  localparam [1:0] SLVERR = 2'b10;

  // ---- writes: address and data come in any order ----

  reg        aw_here_q, w_here_q, b_valid_q;
  reg [11:0] aw_addr_q;
  reg [31:0] w_data_q;
  reg [3:0]  w_strb_q;
  reg [1:0]  b_resp_q;

  assign s_axil_awready_o = !aw_here_q;
  assign s_axil_wready_o = !w_here_q;
  assign s_axil_bvalid_o = b_valid_q;
  assign s_axil_bresp_o = b_resp_q;
  assign write_o = aw_here_q && w_here_q && !b_valid_q;
  assign write_addr_o = aw_addr_q;
  assign write_data_o = w_data_q;
  assign write_whole_o = w_strb_q == 4'hf;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_here_q <= 1'b0;
      w_here_q <= 1'b0;
      b_valid_q <= 1'b0;
    end else begin
      if (write_o) begin
        aw_here_q <= 1'b0;
        w_here_q <= 1'b0;
        b_valid_q <= 1'b1;
      end else begin
        if (s_axil_awvalid_i) aw_here_q <= 1'b1;
        if (s_axil_wvalid_i) w_here_q <= 1'b1;
        if (s_axil_bready_i) b_valid_q <= 1'b0;
      end
    end
    if (!aw_here_q) aw_addr_q <= s_axil_awaddr_i;
    if (!w_here_q) begin
      w_data_q <= s_axil_wdata_i;
      w_strb_q <= s_axil_wstrb_i;
    end
    if (write_o) b_resp_q <= write_error_i ? SLVERR : OKAY;
  end

  // ---- reads ----

  reg        ar_here_q, r_valid_q;
  reg [11:0] ar_addr_q;
  reg [31:0] r_data_q;
  reg [1:0]  r_resp_q;

  assign s_axil_arready_o = !ar_here_q;
  assign s_axil_rvalid_o = r_valid_q;
  assign s_axil_rdata_o = r_data_q;
  assign s_axil_rresp_o = r_resp_q;
  assign read_o = ar_here_q && !r_valid_q;
  assign read_addr_o = ar_addr_q;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      ar_here_q <= 1'b0;
      r_valid_q <= 1'b0;
    end else begin
      if (read_o) begin
        ar_here_q <= 1'b0;
        r_valid_q <= 1'b1;
      end else begin
        if (s_axil_arvalid_i) ar_here_q <= 1'b1;
        if (s_axil_rready_i) r_valid_q <= 1'b0;
      end
    end
    if (!ar_here_q) ar_addr_q <= s_axil_araddr_i;
    if (read_o) begin
      r_data_q <= read_error_i ? 32'd0 : read_data_i;
      r_resp_q <= read_error_i ? SLVERR : OKAY;
    end
  end

`ifdef FORMAL
  wire [7:0] f_aw_open, f_w_open, f_ar_open;

  axi_lite_slave_rules #(.ADDR_BITS(12), .LATENCY(2), .MAX_OPEN(2)) rules (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .awaddr_i  (s_axil_awaddr_i),
    .awvalid_i (s_axil_awvalid_i),
    .awready_i (s_axil_awready_o),
    .wdata_i   (s_axil_wdata_i),
    .wstrb_i   (s_axil_wstrb_i),
    .wvalid_i  (s_axil_wvalid_i),
    .wready_i  (s_axil_wready_o),
    .bresp_i   (s_axil_bresp_o),
    .bvalid_i  (s_axil_bvalid_o),
    .bready_i  (s_axil_bready_i),
    .araddr_i  (s_axil_araddr_i),
    .arvalid_i (s_axil_arvalid_i),
    .arready_i (s_axil_arready_o),
    .rdata_i   (s_axil_rdata_o),
    .rresp_i   (s_axil_rresp_o),
    .rvalid_i  (s_axil_rvalid_o),
    .rready_i  (s_axil_rready_i),
    .aw_open_o (f_aw_open),
    .w_open_o  (f_w_open),
    .ar_open_o (f_ar_open)
  );

  reg f_begun = 1'b0;
  always @(posedge clk_i) f_begun <= 1'b1;

  // What is here and what is being answered is what was accepted: for the induction.
  always @* if (f_begun) begin
    assert (f_aw_open == aw_here_q + b_valid_q);
    assert (f_w_open == w_here_q + b_valid_q);
    assert (f_ar_open == ar_here_q + r_valid_q);
  end
`endif

endmodule

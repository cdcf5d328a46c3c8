// SPDX-License-Identifier: Apache-2.0
//
// axi_lite_slave_rules: what AXI4-Lite says of a slave: it proves what it answers, and may assume
// what the master sends. For formal runs only, like axi4_read_rules.v. Beyond AXI4-Lite, the slave
// does answer: what is asked is accepted, and what was accepted is answered, after less than
// LATENCY cycles in which no answer waits to be taken.

`default_nettype none

module axi_lite_slave_rules #(
  parameter ADDR_BITS = 12,
  parameter LATENCY   = 4,
  parameter MAX_OPEN  = 2    // requests accepted, not answered
) (
  input  wire                 clk_i,
  input  wire                 rst_ni,
  input  wire [ADDR_BITS-1:0] awaddr_i,
  input  wire                 awvalid_i,
  input  wire                 awready_i,
  input  wire [31:0]          wdata_i,
  input  wire [3:0]           wstrb_i,
  input  wire                 wvalid_i,
  input  wire                 wready_i,
  input  wire [1:0]           bresp_i,
  input  wire                 bvalid_i,
  input  wire                 bready_i,
  input  wire [ADDR_BITS-1:0] araddr_i,
  input  wire                 arvalid_i,
  input  wire                 arready_i,
  input  wire [31:0]          rdata_i,
  input  wire [1:0]           rresp_i,
  input  wire                 rvalid_i,
  input  wire                 rready_i,
  output wire [7:0]           aw_open_o,  // addresses, data and reads accepted, not answered
  output wire [7:0]           w_open_o,
  output wire [7:0]           ar_open_o
);

  // What waited in the cycle before, and as what.
  reg                 begun = 1'b0;
  reg                 reset_q, aw_waits_q, w_waits_q, b_waits_q, ar_waits_q, r_waits_q;
  reg [ADDR_BITS-1:0] aw_q, ar_q;
  reg [35:0]          w_q;
  reg [1:0]           b_q;
  reg [33:0]          r_q;
  always @(posedge clk_i) begin
    begun <= 1'b1;
    reset_q <= !rst_ni;
    aw_waits_q <= rst_ni && awvalid_i && !awready_i;
    w_waits_q <= rst_ni && wvalid_i && !wready_i;
    b_waits_q <= rst_ni && bvalid_i && !bready_i;
    ar_waits_q <= rst_ni && arvalid_i && !arready_i;
    r_waits_q <= rst_ni && rvalid_i && !rready_i;
    aw_q <= awaddr_i;
    w_q <= {wdata_i, wstrb_i};
    b_q <= bresp_i;
    ar_q <= araddr_i;
    r_q <= {rdata_i, rresp_i};
  end

  reg  [7:0] aw_open_q, w_open_q, ar_open_q;
  reg        early_q;  // the data of a write was here before its address
  reg  [7:0] aw_late_q, w_late_q, b_late_q, ar_late_q, r_late_q;  // cycles without a result
  wire       b_due = aw_open_q != 0 && w_open_q != 0;
  wire       r_due = ar_open_q != 0;

  assign aw_open_o = aw_open_q;
  assign w_open_o = w_open_q;
  assign ar_open_o = ar_open_q;

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_open_q <= 0;
      w_open_q <= 0;
      ar_open_q <= 0;
      early_q <= 1'b0;
      aw_late_q <= 0;
      w_late_q <= 0;
      b_late_q <= 0;
      ar_late_q <= 0;
      r_late_q <= 0;
    end else begin
      aw_open_q <= aw_open_q + (awvalid_i && awready_i) - (bvalid_i && bready_i);
      w_open_q <= w_open_q + (wvalid_i && wready_i) - (bvalid_i && bready_i);
      early_q <= w_open_q == 1 && aw_open_q == 0 ? 1'b1 : early_q && !(bvalid_i && bready_i);
      ar_open_q <= ar_open_q + (arvalid_i && arready_i) - (rvalid_i && rready_i);
      // An address may wait for the data of an earlier one, and data for an address.
      aw_late_q <= awvalid_i && !awready_i && !bvalid_i && aw_open_q == 0 ? aw_late_q + 1 : 0;
      w_late_q <= wvalid_i && !wready_i && !bvalid_i && w_open_q == 0 ? w_late_q + 1 : 0;
      b_late_q <= b_due && !bvalid_i ? b_late_q + 1 : 0;
      ar_late_q <= arvalid_i && !arready_i && !rvalid_i && ar_open_q == 0 ? ar_late_q + 1 : 0;
      r_late_q <= r_due && !rvalid_i ? r_late_q + 1 : 0;
    end
  end

  always @* begin
    if (!begun) assume (!rst_ni);
    if (begun) begin
      if (aw_waits_q) assume (awvalid_i && awaddr_i == aw_q);
      if (w_waits_q) assume (wvalid_i && {wdata_i, wstrb_i} == w_q);
      if (ar_waits_q) assume (arvalid_i && araddr_i == ar_q);

      assert (!bvalid_i || b_due);                                      // 1. no answer unasked for
      assert (!rvalid_i || r_due);                                      // 2. nor data
      assert (!bvalid_i || bresp_i != 2'b01);                           // 3. EXOKAY is not of Lite
      assert (!rvalid_i || rresp_i != 2'b01);
      assert (aw_late_q < LATENCY);                                     // 4. all is accepted
      assert (w_late_q < LATENCY);
      assert (ar_late_q < LATENCY);
      assert (b_late_q < LATENCY);                                      // 5. and answered
      assert (r_late_q < LATENCY);
      if (reset_q) assert (!bvalid_i && !rvalid_i);                     // 6. none after a reset
      if (b_waits_q) assert (bvalid_i && bresp_i == b_q);               // 7. an answer stays
      if (r_waits_q) assert (rvalid_i && {rdata_i, rresp_i} == r_q);    // 8. so does data
      assert (aw_open_q <= MAX_OPEN && w_open_q <= MAX_OPEN && ar_open_q <= MAX_OPEN);
    end

    // Data comes before its address, and the answer waits; a read is accepted while the data of
    // the one before it waits.
    cover (begun && rst_ni && early_q && b_waits_q && bready_i);
    cover (begun && ar_open_q == 2 && rvalid_i && rready_i);
  end

endmodule

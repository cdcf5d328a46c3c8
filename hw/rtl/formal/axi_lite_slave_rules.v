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

  reg begun = 1'b0;
  always @(posedge clk_i) begun <= 1'b1;
  wire steady = begun && rst_ni;

  reg  [7:0] aw_open_q, w_open_q, ar_open_q;
  reg        early_q;  // the data of a write was here before its address
  reg  [7:0] aw_wait_q, w_wait_q, b_wait_q, ar_wait_q, r_wait_q;  // cycles without a result
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
      aw_wait_q <= 0;
      w_wait_q <= 0;
      b_wait_q <= 0;
      ar_wait_q <= 0;
      r_wait_q <= 0;
    end else begin
      aw_open_q <= aw_open_q + (awvalid_i && awready_i) - (bvalid_i && bready_i);
      w_open_q <= w_open_q + (wvalid_i && wready_i) - (bvalid_i && bready_i);
      early_q <= w_open_q == 1 && aw_open_q == 0 ? 1'b1 : early_q && !(bvalid_i && bready_i);
      ar_open_q <= ar_open_q + (arvalid_i && arready_i) - (rvalid_i && rready_i);
      // An address may wait for the data of an earlier one, and data for an address.
      aw_wait_q <= awvalid_i && !awready_i && !bvalid_i && aw_open_q == 0 ? aw_wait_q + 1 : 0;
      w_wait_q <= wvalid_i && !wready_i && !bvalid_i && w_open_q == 0 ? w_wait_q + 1 : 0;
      b_wait_q <= b_due && !bvalid_i ? b_wait_q + 1 : 0;
      ar_wait_q <= arvalid_i && !arready_i && !rvalid_i && ar_open_q == 0 ? ar_wait_q + 1 : 0;
      r_wait_q <= r_due && !rvalid_i ? r_wait_q + 1 : 0;
    end
  end

  always @* begin
    if (!begun) assume (!rst_ni);
    if (begun) begin
      assert (!bvalid_i || b_due);                                      // 1. no answer unasked for
      assert (!rvalid_i || r_due);                                      // 2. nor data
      assert (!bvalid_i || bresp_i != 2'b01);                           // 3. EXOKAY is not of Lite
      assert (!rvalid_i || rresp_i != 2'b01);
      assert (aw_wait_q < LATENCY);                                     // 4. all is accepted
      assert (w_wait_q < LATENCY);
      assert (ar_wait_q < LATENCY);
      assert (b_wait_q < LATENCY);                                      // 5. and answered
      assert (r_wait_q < LATENCY);
      assert (aw_open_q <= MAX_OPEN && w_open_q <= MAX_OPEN && ar_open_q <= MAX_OPEN);
    end
  end

  always @(posedge clk_i) begin
    if (begun && !$past(rst_ni)) assert (!bvalid_i && !rvalid_i);       // 6. none after a reset
    if (begun && $past(steady && bvalid_i && !bready_i)) begin
      assert (bvalid_i && $stable(bresp_i));                            // 7. an answer stays
    end
    if (begun && $past(steady && rvalid_i && !rready_i)) begin
      assert (rvalid_i && $stable({rdata_i, rresp_i}));                 // 8. so does data
    end

    if (begun && $past(steady && awvalid_i && !awready_i))
      assume (awvalid_i && $stable(awaddr_i));
    if (begun && $past(steady && wvalid_i && !wready_i))
      assume (wvalid_i && $stable({wdata_i, wstrb_i}));
    if (begun && $past(steady && arvalid_i && !arready_i))
      assume (arvalid_i && $stable(araddr_i));

    // Data comes before its address, and the answer waits; a read is accepted while the data of
    // the one before it waits.
    cover (begun && early_q && bvalid_i && bready_i && $past(steady && bvalid_i && !bready_i));
    cover (begun && ar_open_q == 2 && rvalid_i && rready_i);
  end

endmodule

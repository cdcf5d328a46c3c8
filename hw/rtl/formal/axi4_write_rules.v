// SPDX-License-Identifier: Apache-2.0
//
// axi4_write_rules: what AXI4 says of the write channels, seen from the master: it proves what it
// sends, and may assume what comes. For formal runs only, like axi4_read_rules.v. Beyond AXI4,
// bursts are of full beats, aligned and incrementing, at most MAX_BURSTS are outstanding, all of
// one ID, and no data is offered before its address.

`default_nettype none

module axi4_write_rules #(
  parameter ADDR_BITS  = 40,
  parameter DATA_BITS  = 64,
  parameter MAX_BEATS  = 256,  // of a burst
  parameter MAX_BURSTS = 8
) (
  input  wire                    clk_i,
  input  wire                    rst_ni,
  input  wire [ADDR_BITS-1:0]    awaddr_i,
  input  wire [7:0]              awlen_i,
  input  wire [2:0]              awsize_i,
  input  wire [1:0]              awburst_i,
  input  wire                    awvalid_i,
  input  wire                    awready_i,
  input  wire [DATA_BITS-1:0]    wdata_i,
  input  wire [DATA_BITS/8-1:0]  wstrb_i,
  input  wire                    wlast_i,
  input  wire                    wvalid_i,
  input  wire                    wready_i,
  input  wire [1:0]              bresp_i,
  input  wire                    bvalid_i,
  input  wire                    bready_i,
  output wire [15:0]             open_o,  // bursts offered, not yet answered
  output wire [15:0]             owed_o,  // of these, those whose last beat has not been accepted
  output wire [8*MAX_BURSTS-1:0] lens_o,  // and their AWLEN, the oldest lowest
  output wire [7:0]              beat_o   // beats of the oldest of these that were accepted
);

  localparam BYTES = DATA_BITS / 8;

  reg begun = 1'b0;
  always @(posedge clk_i) begun <= 1'b1;
  wire steady = begun && rst_ni;

  wire w = wvalid_i && wready_i;
  wire b = bvalid_i && bready_i;

  // A burst counts from the cycle in which its address is first offered.
  reg                     waiting_q;  // an address was offered before, and is not accepted
  reg  [15:0]             open_q, owed_q;
  reg  [8*MAX_BURSTS-1:0] lens_q;     // of the owed bursts, the oldest lowest
  reg  [8*MAX_BURSTS-1:0] lens;
  reg  [7:0]              beat_q;
  reg                     early_q;    // the only open burst has all its data, but not its address
  wire                    offered = awvalid_i && !waiting_q;

  assign open_o = open_q + offered;
  assign owed_o = owed_q + offered;
  assign lens_o = lens;
  assign beat_o = beat_q;

  integer n;
  reg     sane;
  always @* begin
    lens = lens_q;
    for (n = 0; n < MAX_BURSTS; n = n + 1) if (offered && n == owed_q) lens[8*n +: 8] = awlen_i;
    sane = owed_q <= open_q && (owed_q == 0 ? beat_q == 0 : beat_q <= lens_q[7:0]);
    for (n = 0; n < MAX_BURSTS; n = n + 1)
      if (n < owed_q && lens_q[8*n +: 8] >= MAX_BEATS) sane = 1'b0;
  end

  always @(posedge clk_i) begin
    if (!rst_ni) begin
      waiting_q <= 1'b0;
      open_q <= 0;
      owed_q <= 0;
      beat_q <= 0;
    end else begin
      waiting_q <= awvalid_i && !awready_i;
      open_q <= open_o - b;
      owed_q <= owed_o - (w && wlast_i);
      if (w) beat_q <= wlast_i ? 0 : beat_q + 1;
    end
    lens_q <= w && wlast_i ? lens >> 8 : lens;
    early_q <= rst_ni && (early_q ? !b : w && wlast_i && beat_q != 0 && open_o == 1 && waiting_q
                                         && awvalid_i && !awready_i);
  end

  always @* begin
    if (!begun) assume (!rst_ni);
    if (begun) begin
      // An answer comes after address and last beat of its burst were accepted.
      if (bvalid_i) assume (open_q > owed_q && open_q > waiting_q);

      if (awvalid_i) begin
        assert (awburst_i == 2'b01);                                    // 1. incrementing
        assert (awsize_i == $clog2(BYTES));                             // 2. full beats
        assert ((awaddr_i & (BYTES - 1)) == 0);                         // 3. aligned
        assert (awlen_i < MAX_BEATS);                                   // 4. no longer than allowed
        assert (awaddr_i[11:0] + (awlen_i + 1) * BYTES <= 4096);        // 5. not across 4 KB
      end
      assert (open_o <= MAX_BURSTS);                                    // 6. not too many
      if (wvalid_i) begin
        assert (owed_o != 0);                                           // 7. data has an address
        assert (wlast_i == (beat_q == lens[7:0]));                      // 8. the last beat says so
      end
      assert (sane && (!waiting_q || open_q != 0));
    end
  end

  always @(posedge clk_i) begin
    if (begun && !$past(rst_ni)) assert (!awvalid_i && !wvalid_i);      // 9. none after a reset
    if (begun && $past(steady && awvalid_i && !awready_i)) begin
      assert (awvalid_i);                                               // 10. a request stays
      assert ($stable({awaddr_i, awlen_i, awsize_i, awburst_i}));       // 11. as it is
    end
    if (begun && $past(steady && wvalid_i && !wready_i)) begin
      assert (wvalid_i);                                                // 12. so does data
      assert ($stable({wdata_i, wstrb_i, wlast_i}));                    // 13. as it is
    end
    if (begun && $past(steady && bvalid_i && !bready_i)) begin
      assume (bvalid_i);
      assume ($stable(bresp_i));
    end

    // The data of a burst of two beats is accepted before its address, and then it is answered; as
    // many bursts are open as may be, and one is answered.
    cover (begun && b && early_q);
    cover (begun && open_o == MAX_BURSTS && b);
  end

endmodule

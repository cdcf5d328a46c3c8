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

  // What waited in the cycle before, and as what.
  localparam AW_BITS = ADDR_BITS + 8 + 3 + 2;
  localparam W_BITS = DATA_BITS + BYTES + 1;
  wire [AW_BITS-1:0] aw_now = {awaddr_i, awlen_i, awsize_i, awburst_i};
  wire [W_BITS-1:0]  w_now  = {wdata_i, wstrb_i, wlast_i};
  reg                begun = 1'b0;
  reg                reset_q, aw_waits_q, w_waits_q, b_waits_q;
  reg  [AW_BITS-1:0] aw_q;
  reg  [W_BITS-1:0]  w_q;
  reg  [1:0]         b_q;
  always @(posedge clk_i) begin
    begun <= 1'b1;
    reset_q <= !rst_ni;
    aw_waits_q <= rst_ni && awvalid_i && !awready_i;
    w_waits_q <= rst_ni && wvalid_i && !wready_i;
    b_waits_q <= rst_ni && bvalid_i && !bready_i;
    aw_q <= aw_now;
    w_q <= w_now;
    b_q <= bresp_i;
  end

  wire w = wvalid_i && wready_i;
  wire b = bvalid_i && bready_i;

  // A burst counts from the cycle in which its address is first offered.
  reg  [15:0]             open_q, owed_q;
  reg  [8*MAX_BURSTS-1:0] lens_q;     // of the owed bursts, the oldest lowest
  reg  [8*MAX_BURSTS-1:0] lens;
  reg  [7:0]              beat_q;
  reg                     early_q;    // the only open burst has all its data, but not its address
  wire                    offered = awvalid_i && !aw_waits_q;

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
      open_q <= 0;
      owed_q <= 0;
      beat_q <= 0;
    end else begin
      open_q <= open_o - b;
      owed_q <= owed_o - (w && wlast_i);
      if (w) beat_q <= wlast_i ? 0 : beat_q + 1;
    end
    lens_q <= w && wlast_i ? lens >> 8 : lens;
    early_q <= rst_ni && (early_q ? !b : w && wlast_i && beat_q != 0 && open_o == 1 && aw_waits_q
                                         && awvalid_i && !awready_i);
  end

  always @* begin
    if (!begun) assume (!rst_ni);
    if (begun) begin
      // An answer comes after address and last beat of its burst were accepted.
      if (bvalid_i) assume (open_q > owed_q && open_q > aw_waits_q);
      if (b_waits_q) assume (bvalid_i && bresp_i == b_q);

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
      if (reset_q) assert (!awvalid_i && !wvalid_i);                    // 9. none after a reset
      if (aw_waits_q) assert (awvalid_i);                               // 10. a request stays
      if (aw_waits_q) assert (aw_now == aw_q);                          // 11. as it is
      if (w_waits_q) assert (wvalid_i);                                 // 12. so does data
      if (w_waits_q) assert (w_now == w_q);                             // 13. as it is

      assert (sane && (!aw_waits_q || open_q != 0));
    end
  end

  always @* begin
    // The data of a burst of two beats is accepted before its address, and then it is answered; as
    // many bursts are open as may be, and one is answered.
    cover (begun && b && early_q);
    cover (begun && open_o == MAX_BURSTS && b);
  end

endmodule

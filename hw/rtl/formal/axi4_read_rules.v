// SPDX-License-Identifier: Apache-2.0
//
// axi4_read_rules: what AXI4 says of the read channels, seen from the master: it proves what it
// sends, and may assume what comes. For formal runs only: a module instantiates it under FORMAL.
// Beyond AXI4, bursts are of full beats, aligned and incrementing, and at most MAX_BURSTS are
// outstanding. The outputs count what is outstanding, for the rules of the module around it.

`default_nettype none

module axi4_read_rules #(
  parameter ADDR_BITS  = 40,
  parameter DATA_BITS  = 64,
  parameter ID_BITS    = 1,
  parameter MAX_BEATS  = 256,  // of a burst
  parameter MAX_BURSTS = 8
) (
  input  wire                     clk_i,
  input  wire                     rst_ni,
  input  wire [ID_BITS-1:0]       arid_i,
  input  wire [ADDR_BITS-1:0]     araddr_i,
  input  wire [7:0]               arlen_i,
  input  wire [2:0]               arsize_i,
  input  wire [1:0]               arburst_i,
  input  wire                     arvalid_i,
  input  wire                     arready_i,
  input  wire [ID_BITS-1:0]       rid_i,
  input  wire [DATA_BITS-1:0]     rdata_i,
  input  wire [1:0]               rresp_i,
  input  wire                     rlast_i,
  input  wire                     rvalid_i,
  input  wire                     rready_i,
  output wire [15:0]              bursts_o,     // accepted, their last beat not yet taken
  output wire [16*2**ID_BITS-1:0] id_bursts_o,  // the same, of each ID
  output wire [16*2**ID_BITS-1:0] id_beats_o    // beats that each ID is owed
);

  localparam IDS = 2**ID_BITS;
  localparam BYTES = DATA_BITS / 8;

  // What waited in the cycle before, and as what.
  localparam AR_BITS = ID_BITS + ADDR_BITS + 8 + 3 + 2;
  localparam R_BITS = ID_BITS + DATA_BITS + 2 + 1;
  wire [AR_BITS-1:0] ar_now = {arid_i, araddr_i, arlen_i, arsize_i, arburst_i};
  wire [R_BITS-1:0]  r_now  = {rid_i, rdata_i, rresp_i, rlast_i};
  reg                begun = 1'b0;
  reg                reset_q, ar_waits_q, r_waits_q;
  reg  [AR_BITS-1:0] ar_q;
  reg  [R_BITS-1:0]  r_q;
  always @(posedge clk_i) begin
    begun <= 1'b1;
    reset_q <= !rst_ni;
    ar_waits_q <= rst_ni && arvalid_i && !arready_i;
    r_waits_q <= rst_ni && rvalid_i && !rready_i;
    ar_q <= ar_now;
    r_q <= r_now;
  end

  wire ar = arvalid_i && arready_i;
  wire r = rvalid_i && rready_i;

  // The lengths of each ID's bursts, the oldest lowest, and how many beats of that one have come.
  reg  [16*IDS-1:0]           bursts;
  reg  [8*MAX_BURSTS*IDS-1:0] lens;
  reg  [8*IDS-1:0]            beat;
  reg  [15:0]                 total;
  wire [IDS-1:0]              sane;  // what was counted makes sense: for the induction

  assign bursts_o = total;
  assign id_bursts_o = bursts;

  always @(posedge clk_i) begin
    if (!rst_ni) total <= 0;
    else total <= total + ar - (r && rlast_i);
  end

  genvar g;
  generate
    for (g = 0; g < IDS; g = g + 1) begin : id
      wire                    asked = ar && arid_i == g;
      wire                    given = r && rid_i == g;
      wire                    done  = given && rlast_i;
      wire [15:0]             here  = bursts[16*g +: 16];
      wire [8*MAX_BURSTS-1:0] old   = lens[8*MAX_BURSTS*g +: 8*MAX_BURSTS];
      reg  [8*MAX_BURSTS-1:0] next;
      reg  [15:0]             owed;
      reg                     fits;
      integer                 n;

      always @* begin
        next = done ? old >> 8 : old;
        for (n = 0; n < MAX_BURSTS; n = n + 1)
          if (asked && n == here - done) next[8*n +: 8] = arlen_i;
      end

      always @* begin
        owed = 0;
        fits = here <= MAX_BURSTS && (here == 0 ? beat[8*g +: 8] == 0 : beat[8*g +: 8] <= old[7:0]);
        for (n = 0; n < MAX_BURSTS; n = n + 1) begin
          if (n < here) owed = owed + old[8*n +: 8] + 1;
          if (n < here && old[8*n +: 8] >= MAX_BEATS) fits = 1'b0;
        end
      end
      assign id_beats_o[16*g +: 16] = owed - beat[8*g +: 8];
      assign sane[g] = fits;

      always @(posedge clk_i) begin
        if (!rst_ni) begin
          bursts[16*g +: 16] <= 0;
          beat[8*g +: 8] <= 0;
        end else begin
          bursts[16*g +: 16] <= here + asked - done;
          if (given) beat[8*g +: 8] <= rlast_i ? 0 : beat[8*g +: 8] + 1;
        end
        lens[8*MAX_BURSTS*g +: 8*MAX_BURSTS] <= next;
      end

      // Data comes after its burst was accepted, in order within an ID; its last beat says so.
      always @* begin
        if (!begun) assume (!rst_ni);
        if (begun && rvalid_i && rid_i == g) begin
          assume (here != 0);
          assume (rlast_i == (beat[8*g +: 8] == old[7:0]));
        end
      end
    end
  endgenerate

  reg [15:0] sum;
  integer    i;
  always @* begin
    sum = 0;
    for (i = 0; i < IDS; i = i + 1) sum = sum + bursts[16*i +: 16];
  end

  always @* begin
    if (begun) begin
      if (arvalid_i) begin
        assert (arburst_i == 2'b01);                                    // 1. incrementing
        assert (arsize_i == $clog2(BYTES));                             // 2. full beats
        assert ((araddr_i & (BYTES - 1)) == 0);                         // 3. aligned
        assert (arlen_i < MAX_BEATS);                                   // 4. no longer than allowed
        assert (araddr_i[11:0] + (arlen_i + 1) * BYTES <= 4096);        // 5. not across 4 KB
        assert (total < MAX_BURSTS);                                    // 6. not too many
      end
      if (reset_q) assert (!arvalid_i);                                 // 7. none after a reset
      if (ar_waits_q) assert (arvalid_i);                               // 8. a request stays
      if (ar_waits_q) assert (ar_now == ar_q);                          // 9. as it is
      if (r_waits_q) assume (rvalid_i && r_now == r_q);

      assert (&sane && sum == total && total <= MAX_BURSTS);
    end
  end

  always @(posedge clk_i) begin
    // The last of several beats comes while another burst is outstanding; the data of two IDs
    // alternates within bursts.
    cover (begun && total == 2 && r && rlast_i && $past(begun && r && !rlast_i));
    cover (begun && r && rid_i != $past(rid_i) && $past(begun && r && !rlast_i));
  end

endmodule

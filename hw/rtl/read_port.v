// SPDX-License-Identifier: Apache-2.0
//
// read_port: the read channels of the AXI4 master, shared by fetch (ID 0) and load (ID 1).
// Fetch goes first, and asks only for what it has room for, so its data is always taken. Load's
// data can wait; then so does what comes behind it. All outputs to the bus come from registers.
// halt_i: no burst is begun, and what still comes is dropped.

`default_nettype none
`include "tessera.vh"

module read_port (
  input  wire                      clk_i,
  input  wire                      rst_ni,
  input  wire                      clear_i,
  input  wire                      halt_i,
  output wire                      quiet_o,         // nothing is outstanding

  input  wire                      fetch_valid_i,
  output wire                      fetch_ready_o,
  input  wire [`TSR_ADDR_BITS-1:0] fetch_addr_i,
  input  wire [8:0]                fetch_beats_i,
  output wire                      fetch_beat_o,    // fetch_data_o is for fetch, now
  input  wire                      load_valid_i,
  output wire                      load_ready_o,
  input  wire [`TSR_ADDR_BITS-1:0] load_addr_i,
  input  wire [8:0]                load_beats_i,
  output wire                      load_beat_o,     // load_data_o is for load
  input  wire                      load_take_i,
  output wire [`TSR_AXI_BITS-1:0]  fetch_data_o,
  output wire                      fetch_error_o,
  output wire [`TSR_AXI_BITS-1:0]  load_data_o,
  output wire                      load_error_o,

  output wire                      m_axi_arid_o,
  output wire [`TSR_ADDR_BITS-1:0] m_axi_araddr_o,
  output wire [7:0]                m_axi_arlen_o,
  output wire                      m_axi_arvalid_o,
  input  wire                      m_axi_arready_i,
  input  wire                      m_axi_rid_i,
  input  wire [`TSR_AXI_BITS-1:0]  m_axi_rdata_i,
  input  wire [1:0]                m_axi_rresp_i,
  input  wire                      m_axi_rlast_i,
  input  wire                      m_axi_rvalid_i,
  output wire                      m_axi_rready_o
);

  // ---- addresses ----

  reg                      ar_valid_q, ar_id_q;
  reg [`TSR_ADDR_BITS-1:0] ar_addr_q;
  reg [7:0]                ar_len_q;
  wire                     none, full, outstanding_spare;

  wire room = (!ar_valid_q || m_axi_arready_i) && !full && !halt_i;
  assign fetch_ready_o = room;
  assign load_ready_o = room && !fetch_valid_i;
  wire begins = room && (fetch_valid_i || load_valid_i);
  wire [8:0] beats = fetch_valid_i ? fetch_beats_i : load_beats_i;
  wire [8:0] len = beats - 9'd1;
  wire unused = &{1'b0, outstanding_spare, len[8], m_axi_rresp_i[0]};

  always @(posedge clk_i) begin
    if (!rst_ni) ar_valid_q <= 1'b0;
    else if (begins) ar_valid_q <= 1'b1;
    else if (m_axi_arready_i) ar_valid_q <= 1'b0;
    if (begins) begin
      ar_id_q <= !fetch_valid_i;
      ar_addr_q <= fetch_valid_i ? fetch_addr_i : load_addr_i;
      ar_len_q <= len[7:0];
    end
  end

  token_counter #(.DEPTH(`TSR_READS)) outstanding (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (1'b0),
    .push_i  (begins),
    .pop_i   (m_axi_rvalid_i && m_axi_rready_o && m_axi_rlast_i),
    .empty_o (none),
    .full_o  (full),
    .spare_o (outstanding_spare)
  );

  assign quiet_o = none;
  assign m_axi_arid_o = ar_id_q;
  assign m_axi_araddr_o = ar_addr_q;
  assign m_axi_arlen_o = ar_len_q;
  assign m_axi_arvalid_o = ar_valid_q;

  // ---- data ----

  wire load_here;

  skid_buffer #(.WIDTH(`TSR_AXI_BITS + 1)) load_data (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (clear_i),
    .valid_i (m_axi_rvalid_i && m_axi_rid_i),
    .ready_o (m_axi_rready_o),
    .data_i  ({m_axi_rresp_i[1], m_axi_rdata_i}),
    .valid_o (load_here),
    .ready_i (load_take_i || halt_i),
    .data_o  ({load_error_o, load_data_o})
  );

  assign load_beat_o = load_here && !halt_i;
  assign fetch_beat_o = m_axi_rvalid_i && m_axi_rready_o && !m_axi_rid_i && !halt_i;
  assign fetch_data_o = m_axi_rdata_i;
  assign fetch_error_o = m_axi_rresp_i[1];

`ifdef FORMAL
  localparam F_BEATS = `TSR_BEAT_BYTES;
  localparam F_BITS = $clog2(`TSR_READS + 1);

  wire [15:0] f_bursts;
  wire [31:0] f_id_bursts, f_id_beats;

  axi4_read_rules #(
    .ADDR_BITS  (`TSR_ADDR_BITS),
    .DATA_BITS  (`TSR_AXI_BITS),
    .ID_BITS    (1),
    .MAX_BEATS  (`TSR_BURST_BEATS),
    .MAX_BURSTS (`TSR_READS)
  ) rules (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .arid_i      (m_axi_arid_o),
    .araddr_i    (m_axi_araddr_o),
    .arlen_i     (m_axi_arlen_o),
    .arsize_i    ($clog2(`TSR_BEAT_BYTES)),
    .arburst_i   (2'b01),
    .arvalid_i   (m_axi_arvalid_o),
    .arready_i   (m_axi_arready_i),
    .rid_i       (m_axi_rid_i),
    .rdata_i     (m_axi_rdata_i),
    .rresp_i     (m_axi_rresp_i),
    .rlast_i     (m_axi_rlast_i),
    .rvalid_i    (m_axi_rvalid_i),
    .rready_i    (m_axi_rready_o),
    .bursts_o    (f_bursts),
    .id_bursts_o (f_id_bursts),
    .id_beats_o  (f_id_beats)
  );

  reg f_begun = 1'b0;
  always @(posedge clk_i) f_begun <= 1'b1;

  // What burst.v gives: see its rules.
  always @* begin
    assume (fetch_beats_i >= 1 && fetch_beats_i <= `TSR_BURST_BEATS);
    assume (load_beats_i >= 1 && load_beats_i <= `TSR_BURST_BEATS);
    assume (((fetch_addr_i | load_addr_i) & (`TSR_BEAT_BYTES - 1)) == 0);
    assume (fetch_addr_i[11:0] + fetch_beats_i * `TSR_BEAT_BYTES <= 4096);
    assume (load_addr_i[11:0] + load_beats_i * `TSR_BEAT_BYTES <= 4096);
  end

  // What is counted is what is on the bus, and what is about to be: for the induction.
  (* hierconn *) wire [F_BITS-1:0] \outstanding.count_q ;
  always @* if (f_begun) assert (outstanding.count_q == f_bursts + m_axi_arvalid_o);

  // 1. One of the two is served, fetch first: neither is told what the other got.
  always @* assert (!(fetch_valid_i && load_ready_o));
  always @* if (load_valid_i && !fetch_valid_i) assert (load_ready_o == fetch_ready_o);

  // 2. Quiet means that nothing can come.
  always @* if (f_begun && quiet_o) assert (!m_axi_arvalid_o && !m_axi_rvalid_i);
`endif

endmodule

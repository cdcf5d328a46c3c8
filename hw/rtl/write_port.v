// SPDX-License-Identifier: Apache-2.0
//
// write_port: the write channels of the AXI4 master. Store asks for bursts and hands over beats; a
// beat goes out when a burst that was asked for lacks it. All outputs to the bus come from
// registers. halt_i: no burst is begun, and the beats that are still owed go out with all strobes
// low.

`default_nettype none
`include "tessera.vh"

module write_port (
  input  wire                        clk_i,
  input  wire                        rst_ni,
  input  wire                        halt_i,
  output wire                        quiet_o,   // nothing is outstanding
  output wire                        sent_o,    // all that was asked for has gone out

  input  wire                        burst_valid_i,
  output wire                        burst_ready_o,
  input  wire [`TSR_ADDR_BITS-1:0]   burst_addr_i,
  input  wire [8:0]                  burst_beats_i,
  input  wire                        beat_valid_i,
  output wire                        beat_ready_o,
  input  wire [`TSR_AXI_BITS-1:0]    beat_data_i,
  output wire                        answer_o,  // a burst has been acknowledged
  output wire                        error_o,   // with an error

  output wire [`TSR_ADDR_BITS-1:0]   m_axi_awaddr_o,
  output wire [7:0]                  m_axi_awlen_o,
  output wire                        m_axi_awvalid_o,
  input  wire                        m_axi_awready_i,
  output wire [`TSR_AXI_BITS-1:0]    m_axi_wdata_o,
  output wire [`TSR_BEAT_BYTES-1:0]  m_axi_wstrb_o,
  output wire                        m_axi_wlast_o,
  output wire                        m_axi_wvalid_o,
  input  wire                        m_axi_wready_i,
  input  wire [1:0]                  m_axi_bresp_i,
  input  wire                        m_axi_bvalid_i,
  output wire                        m_axi_bready_o
);

  // ---- addresses ----

  reg                      aw_valid_q;
  reg [`TSR_ADDR_BITS-1:0] aw_addr_q;
  reg [7:0]                aw_len_q;
  wire                     none, full, outstanding_spare;

  assign burst_ready_o = (!aw_valid_q || m_axi_awready_i) && !full && !halt_i;
  wire begins = burst_valid_i && burst_ready_o;
  wire [8:0] len = burst_beats_i - 9'd1;
  wire unused = &{1'b0, outstanding_spare, len[8], m_axi_bresp_i[0], lengths_full};

  always @(posedge clk_i) begin
    if (!rst_ni) aw_valid_q <= 1'b0;
    else if (begins) aw_valid_q <= 1'b1;
    else if (m_axi_awready_i) aw_valid_q <= 1'b0;
    if (begins) begin
      aw_addr_q <= burst_addr_i;
      aw_len_q <= len[7:0];
    end
  end

  assign m_axi_awaddr_o = aw_addr_q;
  assign m_axi_awlen_o = aw_len_q;
  assign m_axi_awvalid_o = aw_valid_q;
  assign m_axi_bready_o = 1'b1;

  token_counter #(.DEPTH(`TSR_WRITES)) outstanding (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (1'b0),
    .push_i  (begins),
    .pop_i   (m_axi_bvalid_i),
    .empty_o (none),
    .full_o  (full),
    .spare_o (outstanding_spare)
  );

  assign quiet_o = none;
  assign answer_o = m_axi_bvalid_i;
  assign error_o = m_axi_bvalid_i && m_axi_bresp_i[1];

  // ---- data: the lengths of the bursts that lack beats ----

  wire       lengths_full, nothing_owed, beat_ready;
  wire [7:0] length;
  reg  [7:0] beat_q;  // of the first of them
  wire       last = beat_q == length;
  wire       beat = !nothing_owed && (halt_i || beat_valid_i) && beat_ready;

  fifo #(.WIDTH(8), .DEPTH(`TSR_WRITES)) lengths (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (1'b0),
    .push_i  (begins),
    .data_i  (len[7:0]),
    .full_o  (lengths_full),
    .pop_i   (beat && last),
    .data_o  (length),
    .empty_o (nothing_owed)
  );

  always @(posedge clk_i) begin
    if (!rst_ni) beat_q <= 8'd0;
    else if (beat) beat_q <= last ? 8'd0 : beat_q + 8'd1;
  end

  assign beat_ready_o = beat_ready && !nothing_owed && !halt_i;
  assign sent_o = nothing_owed && !m_axi_wvalid_o && !aw_valid_q;

  wire strobe;
  assign m_axi_wstrb_o = {`TSR_BEAT_BYTES{strobe}};

  skid_buffer #(.WIDTH(`TSR_AXI_BITS + 2)) beats (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (1'b0),
    .valid_i (!nothing_owed && (halt_i || beat_valid_i)),
    .ready_o (beat_ready),
    .data_i  ({!halt_i, last, beat_data_i}),
    .valid_o (m_axi_wvalid_o),
    .ready_i (m_axi_wready_i),
    .data_o  ({strobe, m_axi_wlast_o, m_axi_wdata_o})
  );

`ifdef FORMAL
  localparam F_BITS = $clog2(`TSR_WRITES + 1);

  wire [15:0] f_open, f_owed;
  wire [7:0]  f_beat;
  wire [8*`TSR_WRITES-1:0] f_lens;

  axi4_write_rules #(
    .ADDR_BITS  (`TSR_ADDR_BITS),
    .DATA_BITS  (`TSR_AXI_BITS),
    .MAX_BEATS  (`TSR_BURST_BEATS),
    .MAX_BURSTS (`TSR_WRITES)
  ) rules (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .awaddr_i    (m_axi_awaddr_o),
    .awlen_i     (m_axi_awlen_o),
    .awsize_i    ($clog2(`TSR_BEAT_BYTES)),
    .awburst_i   (2'b01),
    .awvalid_i   (m_axi_awvalid_o),
    .awready_i   (m_axi_awready_i),
    .wdata_i     (m_axi_wdata_o),
    .wstrb_i     (m_axi_wstrb_o),
    .wlast_i     (m_axi_wlast_o),
    .wvalid_i    (m_axi_wvalid_o),
    .wready_i    (m_axi_wready_i),
    .bresp_i     (m_axi_bresp_i),
    .bvalid_i    (m_axi_bvalid_i),
    .bready_i    (m_axi_bready_o),
    .open_o      (f_open),
    .owed_o      (f_owed),
    .lens_o      (f_lens),
    .beat_o      (f_beat)
  );

  reg f_begun = 1'b0;
  always @(posedge clk_i) f_begun <= 1'b1;

  // What burst.v gives: see its rules.
  always @* begin
    assume (burst_beats_i >= 1 && burst_beats_i <= `TSR_BURST_BEATS);
    assume ((burst_addr_i & (`TSR_BEAT_BYTES - 1)) == 0);
    assume (burst_addr_i[11:0] + burst_beats_i * `TSR_BEAT_BYTES <= 4096);
  end

  // 1. Quiet: nothing is open. 2. Sent: nothing is owed.
  always @* if (f_begun) begin
    if (quiet_o) assert (f_open == 0 && !m_axi_wvalid_o && !m_axi_bvalid_i);
    if (sent_o) assert (f_owed == 0 && !m_axi_awvalid_o && !m_axi_wvalid_o);
  end

  // For the induction: what was begun is open; the bursts that lack beats are those of `lengths`
  // behind those whose last beat is in `beats`; and where in a burst each beat stands.
  (* hierconn *) wire [F_BITS-1:0]        \outstanding.count_q ;
  (* hierconn *) wire [F_BITS-1:0]        \lengths.count_q ;
  (* hierconn *) wire [8*`TSR_WRITES-1:0] \lengths.f_words ;
  (* hierconn *) wire                     \beats.spare_valid_q ;
  (* hierconn *) wire [`TSR_AXI_BITS+1:0] \beats.spare_q ;
  wire [1:0] f_first  = m_axi_wvalid_o && m_axi_wlast_o;
  wire [1:0] f_second = beats.spare_valid_q && beats.spare_q[`TSR_AXI_BITS];
  wire [1:0] f_lasts  = f_first + f_second;
  wire [7:0] f_next   = m_axi_wvalid_o ? (m_axi_wlast_o ? 8'd0 : f_beat + 8'd1) : f_beat;
  wire [7:0] f_behind = beats.spare_valid_q ? (f_second ? 8'd0 : f_next + 8'd1) : f_next;
  wire [8*`TSR_WRITES-1:0] f_lacking = f_lens >> 8 * f_lasts;
  wire [8*`TSR_WRITES-1:0] f_current = f_lens >> 8 * f_first;

  integer f;
  always @* if (f_begun) begin
    assert (outstanding.count_q == f_open);
    assert (lengths.count_q + f_lasts == f_owed);
    for (f = 0; f < `TSR_WRITES; f = f + 1)
      if (f < lengths.count_q) assert (lengths.f_words[8*f +: 8] == f_lacking[8*f +: 8]);
    assert (beat_q == f_behind);
    if (beats.spare_valid_q) begin
      assert (f_owed > f_first && f_second == (f_next == f_current[7:0]));
    end
    assert (nothing_owed ? beat_q == 0 : beat_q <= length);
  end
`endif

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// tessera: the accelerator. A host sets it up through an AXI4-Lite slave (registers); it reads
// programs and moves data through one AXI4 master. fetch hands instructions to the queues of four
// engines, which run at the same time, ordered by tokens; scratchpads stand between them.
//
// The reset is synchronous. All outputs come from registers, or from combinations of registers
// only. trace_*: which instruction each engine has started, or ended, in this cycle; for simulators
// and probes.

`default_nettype none
`include "tessera.vh"

module tessera (
  input  wire                       clk_i,
  input  wire                       rst_ni,
  output wire                       irq_o,

  input  wire [11:0]                s_axil_awaddr_i,
  input  wire                       s_axil_awvalid_i,
  output wire                       s_axil_awready_o,
  input  wire [31:0]                s_axil_wdata_i,
  input  wire [3:0]                 s_axil_wstrb_i,
  input  wire                       s_axil_wvalid_i,
  output wire                       s_axil_wready_o,
  output wire [1:0]                 s_axil_bresp_o,
  output wire                       s_axil_bvalid_o,
  input  wire                       s_axil_bready_i,
  input  wire [11:0]                s_axil_araddr_i,
  input  wire                       s_axil_arvalid_i,
  output wire                       s_axil_arready_o,
  output wire [31:0]                s_axil_rdata_o,
  output wire [1:0]                 s_axil_rresp_o,
  output wire                       s_axil_rvalid_o,
  input  wire                       s_axil_rready_i,

  output wire                       m_axi_arid_o,
  output wire [`TSR_ADDR_BITS-1:0]  m_axi_araddr_o,
  output wire [7:0]                 m_axi_arlen_o,
  output wire [2:0]                 m_axi_arsize_o,
  output wire [1:0]                 m_axi_arburst_o,
  output wire                       m_axi_arvalid_o,
  input  wire                       m_axi_arready_i,
  input  wire                       m_axi_rid_i,
  input  wire [`TSR_AXI_BITS-1:0]   m_axi_rdata_i,
  input  wire [1:0]                 m_axi_rresp_i,
  input  wire                       m_axi_rlast_i,
  input  wire                       m_axi_rvalid_i,
  output wire                       m_axi_rready_o,
  output wire [`TSR_ADDR_BITS-1:0]  m_axi_awaddr_o,
  output wire [7:0]                 m_axi_awlen_o,
  output wire [2:0]                 m_axi_awsize_o,
  output wire [1:0]                 m_axi_awburst_o,
  output wire                       m_axi_awvalid_o,
  input  wire                       m_axi_awready_i,
  output wire [`TSR_AXI_BITS-1:0]   m_axi_wdata_o,
  output wire [`TSR_BEAT_BYTES-1:0] m_axi_wstrb_o,
  output wire                       m_axi_wlast_o,
  output wire                       m_axi_wvalid_o,
  input  wire                       m_axi_wready_i,
  input  wire [1:0]                 m_axi_bresp_i,
  input  wire                       m_axi_bvalid_i,
  output wire                       m_axi_bready_o,

  output wire [3:0]                 trace_start_o,
  output wire [127:0]               trace_start_insn_o,
  output wire [3:0]                 trace_end_o,
  output wire [127:0]               trace_end_insn_o
);

  localparam BURST_INCR = 2'b01;
  localparam [31:0] BEAT_LOG2 = $clog2(`TSR_BEAT_BYTES);

  assign m_axi_arsize_o = BEAT_LOG2[2:0];
  assign m_axi_awsize_o = BEAT_LOG2[2:0];
  assign m_axi_arburst_o = BURST_INCR;
  assign m_axi_awburst_o = BURST_INCR;

  // ---- the host's side ----

  wire        reg_write, reg_write_whole, reg_write_error, reg_read, reg_read_error;
  wire [11:0] reg_write_addr, reg_read_addr;
  wire [31:0] reg_write_data, reg_read_data;

  axi_lite host (
    .clk_i            (clk_i),
    .rst_ni           (rst_ni),
    .s_axil_awaddr_i  (s_axil_awaddr_i),
    .s_axil_awvalid_i (s_axil_awvalid_i),
    .s_axil_awready_o (s_axil_awready_o),
    .s_axil_wdata_i   (s_axil_wdata_i),
    .s_axil_wstrb_i   (s_axil_wstrb_i),
    .s_axil_wvalid_i  (s_axil_wvalid_i),
    .s_axil_wready_o  (s_axil_wready_o),
    .s_axil_bresp_o   (s_axil_bresp_o),
    .s_axil_bvalid_o  (s_axil_bvalid_o),
    .s_axil_bready_i  (s_axil_bready_i),
    .s_axil_araddr_i  (s_axil_araddr_i),
    .s_axil_arvalid_i (s_axil_arvalid_i),
    .s_axil_arready_o (s_axil_arready_o),
    .s_axil_rdata_o   (s_axil_rdata_o),
    .s_axil_rresp_o   (s_axil_rresp_o),
    .s_axil_rvalid_o  (s_axil_rvalid_o),
    .s_axil_rready_i  (s_axil_rready_i),
    .write_o          (reg_write),
    .write_addr_o     (reg_write_addr),
    .write_data_o     (reg_write_data),
    .write_whole_o    (reg_write_whole),
    .write_error_i    (reg_write_error),
    .read_o           (reg_read),
    .read_addr_o      (reg_read_addr),
    .read_data_i      (reg_read_data),
    .read_error_i     (reg_read_error)
  );

  wire start, reset, design_wrong, ready, running, clearing, wipe, clear, fetch_begin, halt, count;
  wire ended;
  wire [`TSR_ADDR_BITS-1:0] program_addr, window;
  wire [29:0] program_bytes;
  wire [32:0] window_bytes;
  wire [15:0] clear_entry;
  wire [7:0]  trap;
  wire [2:0]  trap_engine;
  wire [31:0] trap_insn;
  wire [19:0] states, missing;
  wire [5:0]  counter;
  wire [`TSR_COUNTER_BITS-1:0] counter_value;
  wire [31:0] fetch_index;
  wire [127:0] oldest;
  wire [127:0] at = oldest & {{32{any[3]}}, {32{any[2]}}, {32{any[1]}}, {32{any[0]}}};

  registers regs (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .write_i         (reg_write),
    .write_addr_i    (reg_write_addr),
    .write_data_i    (reg_write_data),
    .write_whole_i   (reg_write_whole),
    .write_error_o   (reg_write_error),
    .read_i          (reg_read),
    .read_addr_i     (reg_read_addr),
    .read_data_o     (reg_read_data),
    .read_error_o    (reg_read_error),
    .start_o         (start),
    .reset_o         (reset),
    .design_wrong_o  (design_wrong),
    .program_o       (program_addr),
    .program_bytes_o (program_bytes),
    .window_o        (window),
    .window_bytes_o  (window_bytes),
    .irq_o           (irq_o),
    .ready_i         (ready),
    .running_i       (running),
    .clearing_i      (clearing),
    .ended_i         (ended),
    .trap_i          (trap),
    .trap_engine_i   (trap_engine),
    .trap_insn_i     (trap_insn),
    .states_i        (states),
    .missing_i       (missing),
    .insns_i         ({fetch_index, at}),
    .counter_o       (counter),
    .counter_value_i (counter_value)
  );

  // ---- the machine as a whole ----

  wire        read_quiet, write_quiet, fetch_blocked, finish, stop, fetch_bus_trap;
  wire [7:0]  stop_code;
  wire [3:0]  any, blocked, traps, retire;
  wire [31:0] trap_codes;
  wire [127:0] trap_indices;

  supervisor supervise (
    .clk_i            (clk_i),
    .rst_ni           (rst_ni),
    .start_i          (start),
    .reset_i          (reset),
    .design_wrong_i   (design_wrong),
    .ready_o          (ready),
    .running_o        (running),
    .clearing_o       (clearing),
    .wipe_o           (wipe),
    .clear_entry_o    (clear_entry),
    .clear_o          (clear),
    .begin_o          (fetch_begin),
    .halt_o           (halt),
    .count_o          (count),
    .quiet_i          (read_quiet && write_quiet),
    .fetch_blocked_i  (fetch_blocked),
    .finish_i         (finish),
    .stop_i           (stop),
    .stop_code_i      (stop_code),
    .fetch_bus_trap_i (fetch_bus_trap),
    .fetch_index_i    (fetch_index),
    .any_i            (any),
    .blocked_i        (blocked),
    .oldest_i         (oldest),
    .trap_i           (traps),
    .trap_code_i      (trap_codes),
    .trap_index_i     (trap_indices),
    .ended_o          (ended),
    .trap_o           (trap),
    .trap_engine_o    (trap_engine),
    .trap_insn_o      (trap_insn)
  );

  wire [7:0] read_bytes, write_bytes, fetch_bytes;
  wire       tile, point;

  counters count_all (
    .clk_i         (clk_i),
    .clear_i       (clear),
    .count_i       (count),
    .states_i      (states),
    .retire_i      (retire),
    .read_bytes_i  (read_bytes),
    .write_bytes_i (write_bytes),
    .fetch_bytes_i (fetch_bytes),
    .tile_i        (tile),
    .point_i       (point),
    .select_i      (counter),
    .value_o       (counter_value)
  );

  // ---- the bus ----

  wire        fetch_burst, fetch_burst_ready, fetch_beat, fetch_error;
  wire        load_burst, load_burst_ready, load_beat, load_error, load_take;
  wire [`TSR_ADDR_BITS-1:0] fetch_addr, load_addr, store_addr;
  wire [8:0]  fetch_beats, load_beats, store_beats;
  wire [`TSR_AXI_BITS-1:0] fetch_data, load_data, store_data;

  read_port reads (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .clear_i         (clear),
    .halt_i          (halt),
    .quiet_o         (read_quiet),
    .fetch_valid_i   (fetch_burst),
    .fetch_ready_o   (fetch_burst_ready),
    .fetch_addr_i    (fetch_addr),
    .fetch_beats_i   (fetch_beats),
    .fetch_beat_o    (fetch_beat),
    .load_valid_i    (load_burst),
    .load_ready_o    (load_burst_ready),
    .load_addr_i     (load_addr),
    .load_beats_i    (load_beats),
    .load_beat_o     (load_beat),
    .load_take_i     (load_take),
    .fetch_data_o    (fetch_data),
    .fetch_error_o   (fetch_error),
    .load_data_o     (load_data),
    .load_error_o    (load_error),
    .m_axi_arid_o    (m_axi_arid_o),
    .m_axi_araddr_o  (m_axi_araddr_o),
    .m_axi_arlen_o   (m_axi_arlen_o),
    .m_axi_arvalid_o (m_axi_arvalid_o),
    .m_axi_arready_i (m_axi_arready_i),
    .m_axi_rid_i     (m_axi_rid_i),
    .m_axi_rdata_i   (m_axi_rdata_i),
    .m_axi_rresp_i   (m_axi_rresp_i),
    .m_axi_rlast_i   (m_axi_rlast_i),
    .m_axi_rvalid_i  (m_axi_rvalid_i),
    .m_axi_rready_o  (m_axi_rready_o)
  );

  wire store_burst, store_burst_ready, store_beat, store_beat_ready, store_sent;
  wire answer, answer_error;

  write_port writes (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .halt_i          (halt),
    .quiet_o         (write_quiet),
    .sent_o          (store_sent),
    .burst_valid_i   (store_burst),
    .burst_ready_o   (store_burst_ready),
    .burst_addr_i    (store_addr),
    .burst_beats_i   (store_beats),
    .beat_valid_i    (store_beat),
    .beat_ready_o    (store_beat_ready),
    .beat_data_i     (store_data),
    .answer_o        (answer),
    .error_o         (answer_error),
    .m_axi_awaddr_o  (m_axi_awaddr_o),
    .m_axi_awlen_o   (m_axi_awlen_o),
    .m_axi_awvalid_o (m_axi_awvalid_o),
    .m_axi_awready_i (m_axi_awready_i),
    .m_axi_wdata_o   (m_axi_wdata_o),
    .m_axi_wstrb_o   (m_axi_wstrb_o),
    .m_axi_wlast_o   (m_axi_wlast_o),
    .m_axi_wvalid_o  (m_axi_wvalid_o),
    .m_axi_wready_i  (m_axi_wready_i),
    .m_axi_bresp_i   (m_axi_bresp_i),
    .m_axi_bvalid_i  (m_axi_bvalid_i),
    .m_axi_bready_o  (m_axi_bready_o)
  );

  // ---- fetch, and the queues ----

  wire [3:0]   push, no_place, queue_full, queue_empty, pop;
  wire [255:0] word;

  fetch fetch_program (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .clear_i         (clear),
    .start_i         (fetch_begin),
    .program_i       (program_addr),
    .program_bytes_i (program_bytes),
    .burst_valid_o   (fetch_burst),
    .burst_ready_i   (fetch_burst_ready),
    .burst_addr_o    (fetch_addr),
    .burst_beats_o   (fetch_beats),
    .beat_i          (fetch_beat),
    .data_i          (fetch_data),
    .error_i         (fetch_error),
    .push_o          (push),
    .word_o          (word),
    .index_o         (fetch_index),
    .full_i          (no_place),
    .finish_o        (finish),
    .stop_o          (stop),
    .stop_code_o     (stop_code),
    .bus_trap_o      (fetch_bus_trap),
    .blocked_o       (fetch_blocked),
    .state_o         (states[19:16]),
    .missing_o       (missing[19:16]),
    .bytes_o         (fetch_bytes)
  );

  wire [255:0] insn [0:3];
  wire [31:0]  index [0:3];
  genvar e;
  generate
    for (e = 0; e < `TSR_ENGINES; e = e + 1) begin : engine
      queue #(.WIDTH(32 + 256), .DEPTH(`TSR_QUEUE_DEPTH)) insns (
        .clk_i   (clk_i),
        .rst_ni  (rst_ni),
        .clear_i (clear),
        .push_i  (push[e]),
        .data_i  ({fetch_index, word}),
        .full_o  (queue_full[e]),
        .pop_i   (pop[e]),
        .data_o  ({index[e], insn[e]}),
        .empty_o (queue_empty[e])
      );

      // An instruction keeps its place until it has given its tokens, also where its engine has
      // taken it out of the queue before: how far fetch runs ahead is queue_depth, whatever the
      // engine.
      wire none, unused_spare;
      token_counter #(.DEPTH(`TSR_QUEUE_DEPTH)) places (
        .clk_i   (clk_i),
        .rst_ni  (rst_ni),
        .clear_i (clear),
        .push_i  (push[e]),
        .pop_i   (retire[e]),
        .empty_o (none),
        .full_o  (no_place[e]),
        .spare_o (unused_spare)
      );
      wire unused_none = &{1'b0, none, unused_spare, queue_full[e]};
      assign trace_start_insn_o[32*e +: 32] = index[e];
    end
  endgenerate

  // ---- order: tokens and locks ----

  wire [15:0] have, take, room, give;
  wire [3:0]  spare;
  wire        unused_spare = &{1'b0, spare};

  tokens counts (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .clear_i (clear),
    .take_i  (take),
    .have_o  (have),
    .give_i  (give),
    .room_o  (room),
    .spare_o (spare)
  );

  wire [3:0] ask, grant, release_locks;
  wire [4*`TSR_LOCKS-1:0] want, held;

  locks holders (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .clear_i   (clear),
    .ask_i     (ask),
    .want_i    (want),
    .release_i (release_locks),
    .grant_o   (grant),
    .held_o    (held)
  );

  // Of INP's write port only one engine uses it at a time; nobody has to know which.
  wire [3:0] acc0_owner, acc1_owner, inp_owner;
  generate
    for (e = 0; e < `TSR_ENGINES; e = e + 1) begin : owner
      assign {inp_owner[e], acc1_owner[e], acc0_owner[e]} = held[`TSR_LOCKS*e +: `TSR_LOCKS];
    end
  endgenerate
  wire unused_owner = &{1'b0, inp_owner};

  // ---- the engines ----

  wire                     load_write, load_pad;
  wire [2:0]               load_buffer;
  wire [15:0]              load_entry, load_pad_value;
  wire [12:0]              load_slice;
  wire [`TSR_AXI_BITS-1:0] load_write_data;

  load load_engine (
    .clk_i             (clk_i),
    .rst_ni            (rst_ni),
    .clear_i           (clear),
    .valid_i           (!queue_empty[0]),
    .insn_i            (insn[0]),
    .index_i           (index[0]),
    .pop_o             (pop[0]),
    .have_i            (have[3:0]),
    .take_o            (take[3:0]),
    .room_i            (room[3:0]),
    .spare_i           (spare[0]),
    .give_o            (give[3:0]),
    .ask_o             (ask[0]),
    .want_o            (want[0 +: `TSR_LOCKS]),
    .grant_i           (grant[0]),
    .release_o         (release_locks[0]),
    .window_i          (window),
    .window_bytes_i    (window_bytes),
    .burst_valid_o     (load_burst),
    .burst_ready_i     (load_burst_ready),
    .burst_addr_o      (load_addr),
    .burst_beats_o     (load_beats),
    .beat_i            (load_beat),
    .data_i            (load_data),
    .error_i           (load_error),
    .beat_take_o       (load_take),
    .write_o           (load_write),
    .write_buffer_o    (load_buffer),
    .write_entry_o     (load_entry),
    .write_slice_o     (load_slice),
    .write_pad_o       (load_pad),
    .write_pad_value_o (load_pad_value),
    .write_data_o      (load_write_data),
    .trap_o            (traps[0]),
    .trap_code_o       (trap_codes[7:0]),
    .trap_index_o      (trap_indices[31:0]),
    .any_o             (any[0]),
    .oldest_o          (oldest[31:0]),
    .state_o           (states[3:0]),
    .missing_o         (missing[3:0]),
    .blocked_o         (blocked[0]),
    .begin_o           (trace_start_o[0]),
    .end_o             (trace_end_o[0]),
    .end_index_o       (trace_end_insn_o[31:0]),
    .retire_o          (retire[0]),
    .bytes_o           (read_bytes)
  );

  wire                     matrix_uop_read, matrix_tile_read, matrix_missing;
  wire [15:0]              matrix_uop_addr, matrix_inp_addr, matrix_wgt_addr;
  wire [63:0]              matrix_uop_data;
  wire [`TSR_ENTRY8-1:0]   matrix_inp_data;
  wire [`TSR_WGT_BITS-1:0] matrix_wgt_data;
  wire [1:0]               matrix_acc_read, matrix_acc_write;
  wire [15:0]              matrix_acc_read_row, matrix_acc_write_row;
  wire [`TSR_ENTRY32-1:0]  matrix_acc_data, acc0_data, acc1_data, acc0_b_data, acc1_b_data;

  matrix matrix_engine (
    .clk_i            (clk_i),
    .rst_ni           (rst_ni),
    .clear_i          (clear),
    .valid_i          (!queue_empty[1]),
    .insn_i           (insn[1]),
    .pop_o            (pop[1]),
    .have_i           (have[7:4]),
    .take_o           (take[7:4]),
    .room_i           (room[7:4]),
    .give_o           (give[7:4]),
    .ask_o            (ask[1]),
    .want_o           (want[`TSR_LOCKS +: `TSR_LOCKS]),
    .grant_i          (grant[1]),
    .release_o        (release_locks[1]),
    .uop_read_o       (matrix_uop_read),
    .uop_addr_o       (matrix_uop_addr),
    .uop_data_i       (matrix_uop_data),
    .tile_read_o      (matrix_tile_read),
    .inp_addr_o       (matrix_inp_addr),
    .inp_data_i       (matrix_inp_data),
    .wgt_addr_o       (matrix_wgt_addr),
    .wgt_data_i       (matrix_wgt_data),
    .acc_read_o       (matrix_acc_read),
    .acc_read_row_o   (matrix_acc_read_row),
    .acc0_data_i      (acc0_data),
    .acc1_data_i      (acc1_data),
    .acc_write_o      (matrix_acc_write),
    .acc_write_row_o  (matrix_acc_write_row),
    .acc_write_data_o (matrix_acc_data),
    .trap_o           (traps[1]),
    .trap_code_o      (trap_codes[15:8]),
    .state_o          (states[7:4]),
    .missing_o        (missing[7:4]),
    .blocked_o        (matrix_missing),
    .begin_o          (trace_start_o[1]),
    .end_o            (trace_end_o[1]),
    .tile_o           (tile)
  );

  assign any[1] = !queue_empty[1];
  assign blocked[1] = queue_empty[1] || matrix_missing;
  assign retire[1] = pop[1];
  assign oldest[63:32] = index[1];
  assign trap_indices[63:32] = index[1];
  assign trace_end_insn_o[63:32] = index[1];

  wire                    vector_uop_read, vector_inp_read, vector_lut_read, vector_missing;
  wire [15:0]             vector_uop_addr, vector_inp_addr, vector_lut_table;
  wire [63:0]             vector_uop_data;
  wire [`TSR_ENTRY8-1:0]  vector_inp_data, vector_lut_index, vector_lut_data, vector_byte_data;
  wire [1:0]              vector_acc_read, vector_acc_read_b, vector_acc_write;
  wire [15:0]             vector_acc_read_row, vector_acc_read_b_row, vector_acc_write_row;
  wire [`TSR_ENTRY32-1:0] vector_acc_data;
  wire                    vector_out_write, vector_inp_write;
  wire [15:0]             vector_byte_addr;

  vector vector_engine (
    .clk_i             (clk_i),
    .rst_ni            (rst_ni),
    .clear_i           (clear),
    .valid_i           (!queue_empty[2]),
    .insn_i            (insn[2]),
    .pop_o             (pop[2]),
    .have_i            (have[11:8]),
    .take_o            (take[11:8]),
    .room_i            (room[11:8]),
    .give_o            (give[11:8]),
    .ask_o             (ask[2]),
    .want_o            (want[2*`TSR_LOCKS +: `TSR_LOCKS]),
    .grant_i           (grant[2]),
    .release_o         (release_locks[2]),
    .uop_read_o        (vector_uop_read),
    .uop_addr_o        (vector_uop_addr),
    .uop_data_i        (vector_uop_data),
    .inp_read_o        (vector_inp_read),
    .inp_addr_o        (vector_inp_addr),
    .inp_data_i        (vector_inp_data),
    .lut_read_o        (vector_lut_read),
    .lut_table_o       (vector_lut_table),
    .lut_index_o       (vector_lut_index),
    .lut_data_i        (vector_lut_data),
    .acc_read_o        (vector_acc_read),
    .acc_read_row_o    (vector_acc_read_row),
    .acc0_data_i       (acc0_data),
    .acc1_data_i       (acc1_data),
    .acc_read_b_o      (vector_acc_read_b),
    .acc_read_b_row_o  (vector_acc_read_b_row),
    .acc0_b_data_i     (acc0_b_data),
    .acc1_b_data_i     (acc1_b_data),
    .acc_write_o       (vector_acc_write),
    .acc_write_row_o   (vector_acc_write_row),
    .acc_write_data_o  (vector_acc_data),
    .out_write_o       (vector_out_write),
    .inp_write_o       (vector_inp_write),
    .byte_write_addr_o (vector_byte_addr),
    .byte_write_data_o (vector_byte_data),
    .trap_o            (traps[2]),
    .trap_code_o       (trap_codes[23:16]),
    .state_o           (states[11:8]),
    .missing_o         (missing[11:8]),
    .blocked_o         (vector_missing),
    .begin_o           (trace_start_o[2]),
    .end_o             (trace_end_o[2]),
    .point_o           (point)
  );

  assign any[2] = !queue_empty[2];
  assign blocked[2] = queue_empty[2] || vector_missing;
  assign retire[2] = pop[2];
  assign oldest[95:64] = index[2];
  assign trap_indices[95:64] = index[2];
  assign trace_end_insn_o[95:64] = index[2];

  wire                   store_out_read;
  wire [15:0]            store_out_addr, store_acc_row;
  wire [`TSR_ENTRY8-1:0] store_out_data;
  wire [1:0]             store_acc_read;

  store store_engine (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .clear_i        (clear),
    .valid_i        (!queue_empty[3]),
    .insn_i         (insn[3]),
    .index_i        (index[3]),
    .pop_o          (pop[3]),
    .have_i         (have[15:12]),
    .take_o         (take[15:12]),
    .room_i         (room[15:12]),
    .spare_i        (spare[3]),
    .give_o         (give[15:12]),
    .ask_o          (ask[3]),
    .want_o         (want[3*`TSR_LOCKS +: `TSR_LOCKS]),
    .grant_i        (grant[3]),
    .release_o      (release_locks[3]),
    .window_i       (window),
    .window_bytes_i (window_bytes),
    .burst_valid_o  (store_burst),
    .burst_ready_i  (store_burst_ready),
    .burst_addr_o   (store_addr),
    .burst_beats_o  (store_beats),
    .beat_valid_o   (store_beat),
    .beat_ready_i   (store_beat_ready),
    .beat_data_o    (store_data),
    .sent_i         (store_sent),
    .answer_i       (answer),
    .error_i        (answer_error),
    .out_read_o     (store_out_read),
    .out_addr_o     (store_out_addr),
    .out_data_i     (store_out_data),
    .acc_read_o     (store_acc_read),
    .acc_row_o      (store_acc_row),
    .acc0_data_i    (acc0_data),
    .acc1_data_i    (acc1_data),
    .trap_o         (traps[3]),
    .trap_code_o    (trap_codes[31:24]),
    .trap_index_o   (trap_indices[127:96]),
    .any_o          (any[3]),
    .oldest_o       (oldest[127:96]),
    .state_o        (states[15:12]),
    .missing_o      (missing[15:12]),
    .blocked_o      (blocked[3]),
    .begin_o        (trace_start_o[3]),
    .end_o          (trace_end_o[3]),
    .end_index_o    (trace_end_insn_o[127:96]),
    .retire_o       (retire[3]),
    .bytes_o        (write_bytes)
  );

  // ---- the scratchpads ----

  scratchpads pads (
    .clk_i                   (clk_i),
    .clear_i                 (wipe),
    .clear_entry_i           (clear_entry),
    .acc0_owner_i            (acc0_owner),
    .acc1_owner_i            (acc1_owner),
    .load_write_i            (load_write),
    .load_buffer_i           (load_buffer),
    .load_entry_i            (load_entry),
    .load_slice_i            (load_slice),
    .load_pad_i              (load_pad),
    .load_pad_value_i        (load_pad_value),
    .load_data_i             (load_write_data),
    .matrix_uop_read_i       (matrix_uop_read),
    .matrix_uop_addr_i       (matrix_uop_addr),
    .matrix_uop_data_o       (matrix_uop_data),
    .matrix_tile_read_i      (matrix_tile_read),
    .matrix_inp_addr_i       (matrix_inp_addr),
    .matrix_inp_data_o       (matrix_inp_data),
    .matrix_wgt_addr_i       (matrix_wgt_addr),
    .matrix_wgt_data_o       (matrix_wgt_data),
    .matrix_acc_read_i       (matrix_acc_read),
    .matrix_acc_read_row_i   (matrix_acc_read_row),
    .matrix_acc_write_i      (matrix_acc_write),
    .matrix_acc_write_row_i  (matrix_acc_write_row),
    .matrix_acc_data_i       (matrix_acc_data),
    .vector_uop_read_i       (vector_uop_read),
    .vector_uop_addr_i       (vector_uop_addr),
    .vector_uop_data_o       (vector_uop_data),
    .vector_inp_read_i       (vector_inp_read),
    .vector_inp_addr_i       (vector_inp_addr),
    .vector_inp_data_o       (vector_inp_data),
    .vector_lut_read_i       (vector_lut_read),
    .vector_lut_table_i      (vector_lut_table),
    .vector_lut_index_i      (vector_lut_index),
    .vector_lut_data_o       (vector_lut_data),
    .vector_acc_read_i       (vector_acc_read),
    .vector_acc_read_row_i   (vector_acc_read_row),
    .vector_acc_read_b_i     (vector_acc_read_b),
    .vector_acc_read_b_row_i (vector_acc_read_b_row),
    .vector_acc_write_i      (vector_acc_write),
    .vector_acc_write_row_i  (vector_acc_write_row),
    .vector_acc_data_i       (vector_acc_data),
    .vector_out_write_i      (vector_out_write),
    .vector_inp_write_i      (vector_inp_write),
    .vector_byte_addr_i      (vector_byte_addr),
    .vector_byte_data_i      (vector_byte_data),
    .store_out_read_i        (store_out_read),
    .store_out_addr_i        (store_out_addr),
    .store_out_data_o        (store_out_data),
    .store_acc_read_i        (store_acc_read),
    .store_acc_row_i         (store_acc_row),
    .acc0_data_o             (acc0_data),
    .acc1_data_o             (acc1_data),
    .acc0_b_data_o           (acc0_b_data),
    .acc1_b_data_o           (acc1_b_data)
  );

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// matrix: GEMM. One tile product a cycle:
//
//   points -> INP, WGT -> tile_product -> + ACC -> ACC
//               0            1              2            the product's stage
//
// Stage 1 adds to what ACC held, stage 2 writes; a sum that is still on its way into ACC comes from
// its register.

`default_nettype none
`include "tessera.vh"

module matrix (
  input  wire                     clk_i,
  input  wire                     rst_ni,
  input  wire                     clear_i,

  input  wire                     valid_i,   // the head of the queue
  input  wire [255:0]             insn_i,
  output wire                     pop_o,
  input  wire [3:0]               have_i,
  output wire [3:0]               take_o,
  input  wire [3:0]               room_i,
  output wire [3:0]               give_o,
  output wire                     ask_o,
  output wire [`TSR_LOCKS-1:0]    want_o,
  input  wire                     grant_i,
  output wire                     release_o,

  output wire                     uop_read_o,
  output wire [15:0]              uop_addr_o,
  input  wire [63:0]              uop_data_i,
  output wire                     tile_read_o,  // INP and WGT
  output wire [15:0]              inp_addr_o,
  input  wire [`TSR_ENTRY8-1:0]   inp_data_i,
  output wire [15:0]              wgt_addr_o,
  input  wire [`TSR_WGT_BITS-1:0] wgt_data_i,
  output wire [1:0]               acc_read_o,   // a bit a bank
  output wire [15:0]              acc_read_row_o,
  input  wire [`TSR_ENTRY32-1:0]  acc0_data_i,
  input  wire [`TSR_ENTRY32-1:0]  acc1_data_i,
  output wire [1:0]               acc_write_o,
  output wire [15:0]              acc_write_row_o,
  output wire [`TSR_ENTRY32-1:0]  acc_write_data_o,

  output wire                     trap_o,
  output wire [7:0]               trap_code_o,
  output wire [3:0]               state_o,
  output wire [3:0]               missing_o,
  output wire                     blocked_o,
  output wire                     begin_o,
  output wire                     end_o,
  output wire                     tile_o     // a product has been made
);

  // ---- its points ----

  wire start, b_used, point, first;
  wire [15:0] d;
  reg [2:0] stage_q;  // bit k: there is a product in stage k
  wire unused = &{1'b0, start, b_used};

  loop_front front (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .clear_i      (clear_i),
    .valid_i      (valid_i),
    .insn_i       (insn_i),
    .pop_o        (pop_o),
    .have_i       (have_i),
    .take_o       (take_o),
    .room_i       (room_i),
    .give_o       (give_o),
    .ask_o        (ask_o),
    .want_o       (want_o),
    .grant_i      (grant_i),
    .release_o    (release_o),
    .uop_read_o   (uop_read_o),
    .uop_addr_o   (uop_addr_o),
    .uop_data_i   (uop_data_i),
    .start_o      (start),
    .b_used_o     (b_used),
    .point_o      (point),
    .d_o          (d),
    .a_o          (inp_addr_o),
    .b_o          (wgt_addr_o),
    .first_o      (first),
    .take_point_i (point),
    .behind_i     (stage_q != 0),
    .trap_o       (trap_o),
    .trap_code_o  (trap_code_o),
    .state_o      (state_o),
    .missing_o    (missing_o),
    .blocked_o    (blocked_o),
    .begin_o      (begin_o),
    .end_o        (end_o)
  );

  assign tile_read_o = point;
  assign tile_o = point;

  // ---- stages: where the product goes, and whether it starts a sum ----

  reg [15:0] d0_q, d1_q, d2_q;
  reg        first0_q, first1_q;
  reg        latest_q, older_q;  // stage 1's old sum is the one made last, the one before

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) stage_q <= 3'd0;
    else stage_q <= {stage_q[1:0], point};
    d0_q <= d;
    d1_q <= d0_q;
    d2_q <= d1_q;
    first0_q <= first;
    first1_q <= first0_q;
    latest_q <= stage_q[1] && d1_q == d0_q;
    older_q <= stage_q[2] && d2_q == d0_q;
  end

  wire bank0, bank2;
  wire [15:0] row0, row2;
  acc_place read_place (.index_i(d0_q), .bank_o(bank0), .row_o(row0));
  acc_place write_place (.index_i(d2_q), .bank_o(bank2), .row_o(row2));

  assign acc_read_o = stage_q[0] ? {bank0, !bank0} : 2'b00;
  assign acc_read_row_o = row0;

  reg bank1_q;
  always @(posedge clk_i) bank1_q <= bank0;

  // ---- the product and the sum ----

  wire [`TSR_ENTRY32-1:0] product;
  tile_product product_of_tiles (
    .clk_i     (clk_i),
    .valid_i   (stage_q[0]),
    .inp_i     (inp_data_i),
    .wgt_i     (wgt_data_i),
    .product_o (product)
  );

  wire [`TSR_ENTRY32-1:0] sum;

  accumulate sums (
    .clk_i     (clk_i),
    .valid_i   (stage_q[1]),
    .product_i (product),
    .first_i   (first1_q),
    .latest_i  (latest_q),
    .older_i   (older_q),
    .bank_i    (bank1_q),
    .acc0_i    (acc0_data_i),
    .acc1_i    (acc1_data_i),
    .sum_o     (sum)
  );

  assign acc_write_o = stage_q[2] ? {bank2, !bank2} : 2'b00;
  assign acc_write_row_o = row2;
  assign acc_write_data_o = sum;

endmodule

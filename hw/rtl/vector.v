// SPDX-License-Identifier: Apache-2.0
//
// vector: everything element-wise. One entry a cycle:
//
//   points -> reads -> 0 1 2 3 -> write         the stages of vector_alu.v; an instruction uses
//             ACC INP             ACC OUT INP   the first one to four of them
//
// A point sees what all points before it wrote. The simple operations, and MAC's D, take a result
// that is still on its way into ACC from its register; any other point that reads what is on its
// way waits.
//
// ACC has two read ports: one for A, and for MAC's D; one for B. So MAC with A in ACC makes two
// points every four cycles, and QUANT takes two cycles more for each point whose b is not that of
// the one before: its three parameters stay in registers.

`default_nettype none
`include "tessera.vh"

module vector (
  input  wire                    clk_i,
  input  wire                    rst_ni,
  input  wire                    clear_i,

  input  wire                    valid_i,    // the head of the queue
  input  wire [255:0]            insn_i,
  output wire                    pop_o,
  input  wire [3:0]              have_i,
  output wire [3:0]              take_o,
  input  wire [3:0]              room_i,
  output wire [3:0]              give_o,
  output wire                    ask_o,
  output wire [`TSR_LOCKS-1:0]   want_o,
  input  wire                    grant_i,
  output wire                    release_o,

  output wire                    uop_read_o,
  output wire [15:0]             uop_addr_o,
  input  wire [63:0]             uop_data_i,
  output wire                    inp_read_o,
  output wire [15:0]             inp_addr_o,
  input  wire [`TSR_ENTRY8-1:0]  inp_data_i,
  output wire                    lut_read_o,
  output wire [15:0]             lut_table_o,
  output wire [`TSR_ENTRY8-1:0]  lut_index_o,
  input  wire [`TSR_ENTRY8-1:0]  lut_data_i,

  output wire [1:0]              acc_read_o,      // A or D: a bit a bank
  output wire [15:0]             acc_read_row_o,
  input  wire [`TSR_ENTRY32-1:0] acc0_data_i,
  input  wire [`TSR_ENTRY32-1:0] acc1_data_i,
  output wire [1:0]              acc_read_b_o,    // B
  output wire [15:0]             acc_read_b_row_o,
  input  wire [`TSR_ENTRY32-1:0] acc0_b_data_i,
  input  wire [`TSR_ENTRY32-1:0] acc1_b_data_i,

  output wire [1:0]              acc_write_o,
  output wire [15:0]             acc_write_row_o,
  output wire [`TSR_ENTRY32-1:0] acc_write_data_o,
  output wire                    out_write_o,
  output wire                    inp_write_o,
  output wire [15:0]             byte_write_addr_o,  // of OUT or INP
  output wire [`TSR_ENTRY8-1:0]  byte_write_data_o,

  output wire                    trap_o,
  output wire [7:0]              trap_code_o,
  output wire [3:0]              state_o,
  output wire [3:0]              missing_o,
  output wire                    blocked_o,
  output wire                    begin_o,
  output wire                    end_o,
  output wire                    point_o      // a point has been read
);

  localparam integer LAST = 4;  // the deepest place on the way to the write

  // ---- the instruction ----

  wire [7:0] opcode = insn_i[`TSR_LOOP_OPCODE];
  wire mac = opcode == `TSR_OP_MAC;
  wire quant = opcode == `TSR_OP_QUANT;
  wire lut = opcode == `TSR_OP_LUT;
  wire reduces = opcode == `TSR_OP_RSUM || opcode == `TSR_OP_RMAX;
  wire multiplies = mac || opcode == `TSR_OP_MUL;
  wire simple = !(multiplies || quant || lut || reduces);
  wire a_in_acc = insn_i[`TSR_LOOP_SRC] == `TSR_SRC_ACC;
  wire d_in_acc = insn_i[`TSR_LOOP_DST] == `TSR_DST_ACC;
  wire d_in_inp = insn_i[`TSR_LOOP_DST] == `TSR_DST_INP;
  wire b_in_acc = b_used && !lut;

  wire [LAST:0] writes_in = simple     ? 5'b00010   // which place writes
                          : multiplies ? 5'b01000
                          : quant      ? 5'b10000 : 5'b00100;

  // ---- its points ----

  wire start, b_used, point, first;
  wire [15:0] d, a, b;
  wire [3:0] front_state;
  reg  [LAST:0] there_q;  // bit k: a point is in place k; 0 to 3 are the stages of the ALU

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
    .a_o          (a),
    .b_o          (b),
    .first_o      (first),
    .take_point_i (go),
    .behind_i     (there_q != 0),
    .trap_o       (trap_o),
    .trap_code_o  (trap_code_o),
    .state_o      (front_state),
    .missing_o    (missing_o),
    .blocked_o    (blocked_o),
    .begin_o      (begin_o),
    .end_o        (end_o)
  );

  assign state_o = point && hazard ? `TSR_STATE_HAZARD : front_state;

  // ---- QUANT's parameters: read one after the other where they are not at hand ----

  reg        held_q;    // the parameters of held_b_q are in their registers
  reg [15:0] held_b_q;
  reg [1:0]  phase_q;   // 0, 1, 2: reads b, b+1, b+2

  wire at_hand = held_q && held_b_q == b;
  wire fetches = quant && !at_hand;
  wire [15:0] read_b = b + {14'd0, phase_q};
  wire [15:0] d_from_b = d - b;
  wire spoils = d_in_acc && d >= b && d_from_b < 16'd3;  // the point writes its own parameters

  always @(posedge clk_i) begin
    if (start) begin
      held_q <= 1'b0;
      phase_q <= 2'd0;
    end else if (point && quant && !hazard) begin
      phase_q <= go ? 2'd0 : phase_q + 2'd1;
      if (go) begin
        held_q <= !spoils;
        held_b_q <= b;
      end
    end
  end

  // ---- what a point has to wait for ----

  reg [15:0] d_q [0:LAST];  // where the point in place k goes
  wire [LAST:0] hits_a, hits_b;
  genvar k;
  generate
    for (k = 0; k <= LAST; k = k + 1) begin : on_the_way
      assign hits_a[k] = there_q[k] && d_q[k] == a;
      assign hits_b[k] = there_q[k] && d_q[k] == read_b;
    end
  endgenerate

  wire hazard_a = hits_a != 0 && (a_in_acc ? d_in_acc && !simple : d_in_inp);
  wire hazard_b = hits_b != 0 && d_in_acc && !simple && b_in_acc && (!quant || fetches);
  wire hazard = hazard_a || hazard_b;
  wire port_taken = mac && a_in_acc && there_q[1];  // by the D of a point before it
  wire go = point && !hazard && !port_taken && (!fetches || phase_q == 2'd2);

  assign point_o = go;

  always @(posedge clk_i) begin
    if (!rst_ni || clear_i) there_q <= 0;
    else there_q <= {there_q[LAST-1:0] & ~writes_in[LAST-1:0], go};
    d_q[0] <= d;
  end
  generate
    for (k = 1; k <= LAST; k = k + 1) begin : shift
      always @(posedge clk_i) if (there_q[k-1]) d_q[k] <= d_q[k-1];
    end
  endgenerate

  // ---- reads ----

  reg first0_q, first1_q, first2_q;
  reg [15:0] table_q;
  wire reads_d = mac && there_q[1];
  wire bank_a, bank_b;
  reg bank_a_q, bank_b_q;

  acc_place place_a (.index_i(reads_d ? d_q[1] : a), .bank_o(bank_a), .row_o(acc_read_row_o));
  acc_place place_b (.index_i(read_b), .bank_o(bank_b), .row_o(acc_read_b_row_o));

  assign acc_read_o = reads_d || (go && a_in_acc) ? {bank_a, !bank_a} : 2'b00;
  assign acc_read_b_o = point && b_in_acc && (!quant || fetches) ? {bank_b, !bank_b} : 2'b00;
  assign inp_read_o = go && !a_in_acc;
  assign inp_addr_o = a;

  // Results on their way that a read must not miss: of the place that writes, and of the one before
  // it.
  reg latest_a_q, older_a_q, latest_b_q, older_b_q, latest_d_q, older_d_q;
  reg loads_bias_q, loads_multiplier_q, loads_packed_q;

  always @(posedge clk_i) begin
    bank_a_q <= bank_a;
    bank_b_q <= bank_b;
    first0_q <= first;
    first1_q <= first0_q;
    first2_q <= first1_q || !mac;
    table_q <= b;
    latest_a_q <= d_in_acc && a_in_acc && hits_a[0];
    older_a_q <= d_in_acc && a_in_acc && hits_a[1];
    latest_b_q <= d_in_acc && hits_b[0];
    older_b_q <= d_in_acc && hits_b[1];
    latest_d_q <= there_q[2] && d_q[2] == d_q[1];
    older_d_q <= there_q[3] && d_q[3] == d_q[1];
    loads_bias_q <= point && fetches && !hazard && phase_q == 2'd0;
    loads_multiplier_q <= point && fetches && !hazard && phase_q == 2'd1;
    loads_packed_q <= go && fetches;
  end

  // ---- operands ----

  reg [`TSR_ENTRY32-1:0] bias_q, multiplier_q, packed_q, written_q;
  reg [`TSR_ENTRY32-1:0] operand_a, operand_b, old_d;
  wire [`TSR_ENTRY32-1:0] result, inp_wide;

  widen widen_inp (
    .enable_i (there_q[0] && !a_in_acc),
    .bytes_i  (inp_data_i),
    .words_o  (inp_wide)
  );

  always @(*) begin
    operand_a = {`TSR_ENTRY32{1'bx}};
    operand_b = {`TSR_ENTRY32{1'bx}};
    if (there_q[0]) begin
      if (latest_a_q) operand_a = result;
      else if (older_a_q) operand_a = written_q;
      else if (!a_in_acc) operand_a = inp_wide;
      else operand_a = bank_a_q ? acc1_data_i : acc0_data_i;
      if (latest_b_q) operand_b = result;
      else if (older_b_q) operand_b = written_q;
      else operand_b = bank_b_q ? acc1_b_data_i : acc0_b_data_i;
    end
  end

  always @(*) begin
    old_d = {`TSR_ENTRY32{1'bx}};
    if (there_q[2] && multiplies) begin
      if (first2_q) old_d = {`TSR_ENTRY32{1'b0}};
      else if (latest_d_q) old_d = result;
      else if (older_d_q) old_d = written_q;
      else old_d = bank_a_q ? acc1_data_i : acc0_data_i;
    end
  end

  always @(posedge clk_i) begin
    if (loads_bias_q) bias_q <= bank_b_q ? acc1_b_data_i : acc0_b_data_i;
    if (loads_multiplier_q) multiplier_q <= bank_b_q ? acc1_b_data_i : acc0_b_data_i;
    if (loads_packed_q) packed_q <= bank_b_q ? acc1_b_data_i : acc0_b_data_i;
    if (writes) written_q <= result;
  end

  assign lut_read_o = lut && there_q[0];
  saturate table_index (
    .enable_i (lut_read_o),
    .words_i  (operand_a),
    .bytes_o  (lut_index_o)
  );
  assign lut_table_o = table_q;

  vector_alu alu (
    .clk_i        (clk_i),
    .opcode_i     (opcode),
    .stage_i      (there_q[3:0]),
    .a_i          (operand_a),
    .b_i          (operand_b),
    .first_i      (first0_q),
    .bias_i       (bias_q),
    .multiplier_i (multiplier_q),
    .packed_i     (packed_q),
    .lut_i        (lut_data_i),
    .d_i          (old_d),
    .result_o     (result)
  );

  // ---- the write ----

  wire writes = (there_q & writes_in) != 0;
  wire [15:0] written_d = simple ? d_q[1] : multiplies ? d_q[3] : quant ? d_q[4] : d_q[2];
  wire bank_d;

  acc_place place_d (.index_i(written_d), .bank_o(bank_d), .row_o(acc_write_row_o));
  saturate saturate_result (
    .enable_i (writes && !d_in_acc),
    .words_i  (result),
    .bytes_o  (byte_write_data_o)
  );

  assign acc_write_o = writes && d_in_acc ? {bank_d, !bank_d} : 2'b00;
  assign acc_write_data_o = result;
  assign inp_write_o = writes && d_in_inp;
  assign out_write_o = writes && !d_in_acc && !d_in_inp;
  assign byte_write_addr_o = written_d;

endmodule

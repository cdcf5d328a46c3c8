// SPDX-License-Identifier: Apache-2.0
//
// counters: what each engine did in each cycle, and how much of it: isa/counters.def.

`default_nettype none
`include "tessera.vh"

module counters (
  input  wire                      clk_i,
  input  wire                      clear_i,
  input  wire                      count_i,         // this cycle counts
  input  wire [19:0]               states_i,        // 4 bits an engine, fetch behind the four
  input  wire [3:0]                retire_i,        // an instruction has ended, an engine a bit
  input  wire [7:0]                read_bytes_i,
  input  wire [7:0]                write_bytes_i,
  input  wire [7:0]                fetch_bytes_i,
  input  wire                      tile_i,
  input  wire                      point_i,
  input  wire [5:0]                select_i,
  output wire [`TSR_COUNTER_BITS-1:0] value_o
);

  reg [`TSR_COUNTER_BITS-1:0] count_q [0:`TSR_COUNTERS-1];

  wire [31:0] select = {26'd0, select_i};
  assign value_o = select < `TSR_COUNTERS ? count_q[select_i] : {`TSR_COUNTER_BITS{1'b0}};

  // One bit a counter that goes up by one.
  reg [`TSR_COUNTERS-1:0] up;
  always @(*) begin
    up = 0;
    up[`TSR_COUNTER_CYCLES] = 1'b1;
    case (states_i[3:0])
      `TSR_STATE_IDLE:   up[`TSR_COUNTER_LOAD_IDLE] = 1'b1;
      `TSR_STATE_TOKEN:  up[`TSR_COUNTER_LOAD_TOKEN] = 1'b1;
      `TSR_STATE_LOCK:   up[`TSR_COUNTER_LOAD_LOCK] = 1'b1;
      `TSR_STATE_MEMORY: up[`TSR_COUNTER_LOAD_MEMORY] = 1'b1;
      `TSR_STATE_SIGNAL: up[`TSR_COUNTER_LOAD_SIGNAL] = 1'b1;
      default:           up[`TSR_COUNTER_LOAD_BUSY] = 1'b1;
    endcase
    case (states_i[7:4])
      `TSR_STATE_IDLE:   up[`TSR_COUNTER_MATRIX_IDLE] = 1'b1;
      `TSR_STATE_TOKEN:  up[`TSR_COUNTER_MATRIX_TOKEN] = 1'b1;
      `TSR_STATE_LOCK:   up[`TSR_COUNTER_MATRIX_LOCK] = 1'b1;
      `TSR_STATE_SIGNAL: up[`TSR_COUNTER_MATRIX_SIGNAL] = 1'b1;
      default:           up[`TSR_COUNTER_MATRIX_BUSY] = 1'b1;
    endcase
    case (states_i[11:8])
      `TSR_STATE_IDLE:   up[`TSR_COUNTER_VECTOR_IDLE] = 1'b1;
      `TSR_STATE_TOKEN:  up[`TSR_COUNTER_VECTOR_TOKEN] = 1'b1;
      `TSR_STATE_LOCK:   up[`TSR_COUNTER_VECTOR_LOCK] = 1'b1;
      `TSR_STATE_HAZARD: up[`TSR_COUNTER_VECTOR_HAZARD] = 1'b1;
      `TSR_STATE_SIGNAL: up[`TSR_COUNTER_VECTOR_SIGNAL] = 1'b1;
      default:           up[`TSR_COUNTER_VECTOR_BUSY] = 1'b1;
    endcase
    case (states_i[15:12])
      `TSR_STATE_IDLE:   up[`TSR_COUNTER_STORE_IDLE] = 1'b1;
      `TSR_STATE_TOKEN:  up[`TSR_COUNTER_STORE_TOKEN] = 1'b1;
      `TSR_STATE_LOCK:   up[`TSR_COUNTER_STORE_LOCK] = 1'b1;
      `TSR_STATE_MEMORY: up[`TSR_COUNTER_STORE_MEMORY] = 1'b1;
      `TSR_STATE_SIGNAL: up[`TSR_COUNTER_STORE_SIGNAL] = 1'b1;
      default:           up[`TSR_COUNTER_STORE_BUSY] = 1'b1;
    endcase
    case (states_i[19:16])
      `TSR_STATE_MEMORY: up[`TSR_COUNTER_FETCH_MEMORY] = 1'b1;
      `TSR_STATE_QUEUE:  up[`TSR_COUNTER_FETCH_QUEUE] = 1'b1;
      `TSR_STATE_FINISH: up[`TSR_COUNTER_FETCH_FINISH] = 1'b1;
      default:           up[`TSR_COUNTER_FETCH_BUSY] = 1'b1;
    endcase
    up[`TSR_COUNTER_LOAD_INSNS] = retire_i[0];
    up[`TSR_COUNTER_MATRIX_INSNS] = retire_i[1];
    up[`TSR_COUNTER_VECTOR_INSNS] = retire_i[2];
    up[`TSR_COUNTER_STORE_INSNS] = retire_i[3];
    up[`TSR_COUNTER_TILES] = tile_i;
    up[`TSR_COUNTER_POINTS] = point_i;
  end

  integer i;
  always @(posedge clk_i) begin
    if (clear_i) begin
      for (i = 0; i < `TSR_COUNTERS; i = i + 1) count_q[i] <= 0;
    end else if (count_i) begin
      for (i = 0; i < `TSR_COUNTERS; i = i + 1) begin
        if (i == `TSR_COUNTER_READ_BYTES)
          count_q[i] <= count_q[i] + {{`TSR_COUNTER_BITS-8{1'b0}}, read_bytes_i};
        else if (i == `TSR_COUNTER_WRITE_BYTES)
          count_q[i] <= count_q[i] + {{`TSR_COUNTER_BITS-8{1'b0}}, write_bytes_i};
        else if (i == `TSR_COUNTER_FETCH_BYTES)
          count_q[i] <= count_q[i] + {{`TSR_COUNTER_BITS-8{1'b0}}, fetch_bytes_i};
        else if (up[i]) count_q[i] <= count_q[i] + 1'b1;
      end
    end
  end

endmodule

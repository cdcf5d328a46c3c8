// SPDX-License-Identifier: Apache-2.0
//
// counters: what each engine did in each cycle, and how much of it: isa/counters.def.
// The states of an engine are a tally; the events behind them are counters of their own.

`default_nettype none
`include "tessera.vh"

module counters (
  input  wire                         clk_i,
  input  wire                         clear_i,
  input  wire                         count_i,         // this cycle counts
  input  wire [19:0]                  states_i,        // 4 bits an engine, fetch behind the four
  input  wire [3:0]                   retire_i,        // an instruction has ended, an engine a bit
  input  wire [7:0]                   read_bytes_i,
  input  wire [7:0]                   write_bytes_i,
  input  wire [7:0]                   fetch_bytes_i,
  input  wire                         tile_i,
  input  wire                         point_i,
  input  wire [5:0]                   select_i,
  output reg  [`TSR_COUNTER_BITS-1:0] value_o
);

  localparam BITS = `TSR_COUNTER_BITS;
  localparam [31:0] FETCH  = `TSR_COUNTER_FETCH_BUSY;
  localparam [31:0] LOAD   = `TSR_COUNTER_LOAD_IDLE;
  localparam [31:0] MATRIX = `TSR_COUNTER_MATRIX_IDLE;
  localparam [31:0] VECTOR = `TSR_COUNTER_VECTOR_IDLE;
  localparam [31:0] STORE  = `TSR_COUNTER_STORE_IDLE;

  // ---- states: an engine's lie one behind the other in counters.def ----

  reg [31:0] fetch;
  reg [31:0] load;
  reg [31:0] matrix;
  reg [31:0] vector;
  reg [31:0] store;
  always @(*) begin
    case (states_i[19:16])
      `TSR_STATE_MEMORY:  fetch = `TSR_COUNTER_FETCH_MEMORY - FETCH;
      `TSR_STATE_QUEUE:   fetch = `TSR_COUNTER_FETCH_QUEUE - FETCH;
      `TSR_STATE_FINISH:  fetch = `TSR_COUNTER_FETCH_FINISH - FETCH;
      default:            fetch = `TSR_COUNTER_FETCH_BUSY - FETCH;
    endcase
    case (states_i[3:0])
      `TSR_STATE_IDLE:    load = `TSR_COUNTER_LOAD_IDLE - LOAD;
      `TSR_STATE_TOKEN:   load = `TSR_COUNTER_LOAD_TOKEN - LOAD;
      `TSR_STATE_LOCK:    load = `TSR_COUNTER_LOAD_LOCK - LOAD;
      `TSR_STATE_MEMORY:  load = `TSR_COUNTER_LOAD_MEMORY - LOAD;
      `TSR_STATE_SIGNAL:  load = `TSR_COUNTER_LOAD_SIGNAL - LOAD;
      default:            load = `TSR_COUNTER_LOAD_BUSY - LOAD;
    endcase
    case (states_i[7:4])
      `TSR_STATE_IDLE:    matrix = `TSR_COUNTER_MATRIX_IDLE - MATRIX;
      `TSR_STATE_TOKEN:   matrix = `TSR_COUNTER_MATRIX_TOKEN - MATRIX;
      `TSR_STATE_LOCK:    matrix = `TSR_COUNTER_MATRIX_LOCK - MATRIX;
      `TSR_STATE_SIGNAL:  matrix = `TSR_COUNTER_MATRIX_SIGNAL - MATRIX;
      default:            matrix = `TSR_COUNTER_MATRIX_BUSY - MATRIX;
    endcase
    case (states_i[11:8])
      `TSR_STATE_IDLE:    vector = `TSR_COUNTER_VECTOR_IDLE - VECTOR;
      `TSR_STATE_TOKEN:   vector = `TSR_COUNTER_VECTOR_TOKEN - VECTOR;
      `TSR_STATE_LOCK:    vector = `TSR_COUNTER_VECTOR_LOCK - VECTOR;
      `TSR_STATE_HAZARD:  vector = `TSR_COUNTER_VECTOR_HAZARD - VECTOR;
      `TSR_STATE_SIGNAL:  vector = `TSR_COUNTER_VECTOR_SIGNAL - VECTOR;
      default:            vector = `TSR_COUNTER_VECTOR_BUSY - VECTOR;
    endcase
    case (states_i[15:12])
      `TSR_STATE_IDLE:    store = `TSR_COUNTER_STORE_IDLE - STORE;
      `TSR_STATE_TOKEN:   store = `TSR_COUNTER_STORE_TOKEN - STORE;
      `TSR_STATE_LOCK:    store = `TSR_COUNTER_STORE_LOCK - STORE;
      `TSR_STATE_MEMORY:  store = `TSR_COUNTER_STORE_MEMORY - STORE;
      `TSR_STATE_SIGNAL:  store = `TSR_COUNTER_STORE_SIGNAL - STORE;
      default:            store = `TSR_COUNTER_STORE_BUSY - STORE;
    endcase
  end

  wire [31:0] select = {26'd0, select_i};
  wire [BITS-1:0] of_fetch, of_load, of_matrix, of_vector, of_store;
  wire [31:0] fetch_place = select - FETCH;
  wire [31:0] load_place = select - LOAD;
  wire [31:0] matrix_place = select - MATRIX;
  wire [31:0] vector_place = select - VECTOR;
  wire [31:0] store_place = select - STORE;

  tally #(.COUNT(4)) fetch_states (
    .clk_i    (clk_i),
    .clear_i  (clear_i),
    .count_i  (count_i),
    .which_i  (fetch[1:0]),
    .select_i (fetch_place[1:0]),
    .value_o  (of_fetch)
  );
  tally #(.COUNT(6)) load_states (
    .clk_i    (clk_i),
    .clear_i  (clear_i),
    .count_i  (count_i),
    .which_i  (load[2:0]),
    .select_i (load_place[2:0]),
    .value_o  (of_load)
  );
  tally #(.COUNT(5)) matrix_states (
    .clk_i    (clk_i),
    .clear_i  (clear_i),
    .count_i  (count_i),
    .which_i  (matrix[2:0]),
    .select_i (matrix_place[2:0]),
    .value_o  (of_matrix)
  );
  tally #(.COUNT(6)) vector_states (
    .clk_i    (clk_i),
    .clear_i  (clear_i),
    .count_i  (count_i),
    .which_i  (vector[2:0]),
    .select_i (vector_place[2:0]),
    .value_o  (of_vector)
  );
  tally #(.COUNT(6)) store_states (
    .clk_i    (clk_i),
    .clear_i  (clear_i),
    .count_i  (count_i),
    .which_i  (store[2:0]),
    .select_i (store_place[2:0]),
    .value_o  (of_store)
  );

  // ---- events ----

  reg [BITS-1:0] cycles_q, load_insns_q, matrix_insns_q, vector_insns_q, store_insns_q;
  reg [BITS-1:0] read_bytes_q, write_bytes_q, fetch_bytes_q, tiles_q, points_q;

  always @(posedge clk_i) begin
    if (clear_i) begin
      cycles_q <= 0;
      load_insns_q <= 0;
      matrix_insns_q <= 0;
      vector_insns_q <= 0;
      store_insns_q <= 0;
      read_bytes_q <= 0;
      write_bytes_q <= 0;
      fetch_bytes_q <= 0;
      tiles_q <= 0;
      points_q <= 0;
    end else if (count_i) begin
      cycles_q <= cycles_q + 1'b1;
      if (retire_i[0]) load_insns_q <= load_insns_q + 1'b1;
      if (retire_i[1]) matrix_insns_q <= matrix_insns_q + 1'b1;
      if (retire_i[2]) vector_insns_q <= vector_insns_q + 1'b1;
      if (retire_i[3]) store_insns_q <= store_insns_q + 1'b1;
      read_bytes_q <= read_bytes_q + {{BITS-8{1'b0}}, read_bytes_i};
      write_bytes_q <= write_bytes_q + {{BITS-8{1'b0}}, write_bytes_i};
      fetch_bytes_q <= fetch_bytes_q + {{BITS-8{1'b0}}, fetch_bytes_i};
      if (tile_i) tiles_q <= tiles_q + 1'b1;
      if (point_i) points_q <= points_q + 1'b1;
    end
  end

  always @(*) begin
    case (select)
      `TSR_COUNTER_CYCLES:       value_o = cycles_q;
      `TSR_COUNTER_LOAD_INSNS:   value_o = load_insns_q;
      `TSR_COUNTER_MATRIX_INSNS: value_o = matrix_insns_q;
      `TSR_COUNTER_VECTOR_INSNS: value_o = vector_insns_q;
      `TSR_COUNTER_STORE_INSNS:  value_o = store_insns_q;
      `TSR_COUNTER_READ_BYTES:   value_o = read_bytes_q;
      `TSR_COUNTER_WRITE_BYTES:  value_o = write_bytes_q;
      `TSR_COUNTER_FETCH_BYTES:  value_o = fetch_bytes_q;
      `TSR_COUNTER_TILES:        value_o = tiles_q;
      `TSR_COUNTER_POINTS:       value_o = points_q;
      default: begin
        if (select < LOAD) value_o = of_fetch;
        else if (select < MATRIX) value_o = of_load;
        else if (select < VECTOR) value_o = of_matrix;
        else if (select < STORE) value_o = of_vector;
        else value_o = of_store;
      end
    endcase
  end

  wire unused = &{1'b0, fetch[31:2], load[31:3], matrix[31:3], vector[31:3], store[31:3],
                  fetch_place[31:2], load_place[31:3], matrix_place[31:3], vector_place[31:3],
                  store_place[31:3]};

endmodule

// SPDX-License-Identifier: Apache-2.0
//
// tokens: a counter for every ordered pair of engines.
// Engine t may take from engine f only while have_o[4*t+f] is high, and f give to t only while
// room_o[4*f+t] is.

`default_nettype none
`include "tessera.vh"

module tokens (
  input  wire        clk_i,
  input  wire        rst_ni,
  input  wire        clear_i,
  input  wire [15:0] take_i,  // bit 4*to + from
  output wire [15:0] have_o,
  input  wire [15:0] give_i,  // bit 4*from + to
  output wire [15:0] room_o,
  output wire [3:0]  spare_o  // an engine a bit: all of its counters have room for TSR_IN_FLIGHT
);

  wire [15:0] spare;
  assign spare_o = {&spare[15:12], &spare[11:8], &spare[7:4], &spare[3:0]};

  genvar from, to;
  generate
    for (from = 0; from < `TSR_ENGINES; from = from + 1) begin : giver
      for (to = 0; to < `TSR_ENGINES; to = to + 1) begin : taker
        if (from == to) begin : none
          // Decoding refuses an instruction that names its own engine.
          wire unused = &{1'b0, take_i[4*to+from], give_i[4*from+to]};
          assign spare[4*from+to] = 1'b1;
          assign have_o[4*to+from] = 1'b0;
          assign room_o[4*from+to] = 1'b0;
        end else begin : pair
          wire empty, full;
          token_counter #(.DEPTH(`TSR_TOKEN_DEPTH), .SPARE(`TSR_IN_FLIGHT)) counter (
            .clk_i   (clk_i),
            .rst_ni  (rst_ni),
            .clear_i (clear_i),
            .push_i  (give_i[4*from+to]),
            .pop_i   (take_i[4*to+from]),
            .empty_o (empty),
            .full_o  (full),
            .spare_o (spare[4*from+to])
          );
          assign have_o[4*to+from] = ~empty;
          assign room_o[4*from+to] = ~full;
        end
      end
    end
  endgenerate

endmodule

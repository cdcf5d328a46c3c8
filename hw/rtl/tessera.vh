// SPDX-License-Identifier: Apache-2.0
//
// Widths that follow from the design point (tsr_design.vh) and the instruction set (tsr_isa.vh).
`ifndef TESSERA_VH
`define TESSERA_VH

`include "tsr_isa.vh"
`include "tsr_design.vh"

`define TSR_ADDR_BITS 40  // of the bus
`define TSR_COUNTER_BITS 40
`define TSR_IN_FLIGHT 4   // instructions of load, or of store, between their tokens and their end

`define TSR_BEAT_BYTES (`TSR_AXI_BITS / 8)
`define TSR_ENTRY8 (8 * `TSR_LANES)                 // bits of an entry of INP and OUT
`define TSR_ENTRY32 (32 * `TSR_LANES)               // of ACC
`define TSR_WGT_BITS (8 * `TSR_BLOCK * `TSR_BLOCK)  // of WGT
`define TSR_ACC_HALF (`TSR_ACC_DEPTH / 2)           // entries of a bank

// The engines that an instruction takes tokens from, and gives tokens to: the low bits of the
// fields, whose others are zero.
`define TSR_WAITS 11:8
`define TSR_SIGNALS 19:16

// What an instruction holds while it runs: a bit each.
`define TSR_LOCKS 3
`define TSR_LOCK_ACC 1:0  // the two banks
`define TSR_LOCK_INP 2    // INP's write port

`endif

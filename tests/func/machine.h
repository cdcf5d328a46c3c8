/* SPDX-License-Identifier: Apache-2.0 */
/* A device, a window and a program under construction, for the tests of the simulator and the
 * checker. */
#ifndef TSR_TESTS_FUNC_MACHINE_H
#define TSR_TESTS_FUNC_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hw/sim/func/func.h"

enum { MACHINE_WINDOW = 1 << 16, MACHINE_INSNS = 4096 };

extern const char *const MACHINE_POINTS[5];

struct machine {
  struct tsr_design design;
  struct tsr_func *func;
  uint8_t window[MACHINE_WINDOW];
  uint8_t words[(MACHINE_INSNS + 1) * TSR_INSN_BYTES];
  size_t count;
  struct tsr_func_result result;
};

struct machine *machine_open(const char *point);
void machine_close(struct machine *m);

void machine_add(struct machine *m, const struct tsr_insn *insn); /* that must encode */
enum tsr_trap machine_run(struct machine *m);       /* adds FINISH, runs, empties the program */
enum tsr_trap machine_run_as_is(struct machine *m); /* no FINISH is added */

/* Writes into a scratchpad directly. */
void machine_uop(struct machine *m, uint32_t at, uint32_t dst, uint32_t a, uint32_t b,
                 bool overwrite);
int8_t *machine_i8(struct machine *m, int buffer);
int32_t *machine_acc(struct machine *m);
int machine_depth(const struct machine *m, int buffer);

/* A LOOP instruction of one point and one micro-op, at uop 0, both banks named. */
struct tsr_insn machine_loop(int opcode);
struct tsr_insn machine_dma(int opcode, int buffer, uint32_t sram, uint64_t dram, uint32_t nx);

/* xorshift; the seed is never 0. */
uint32_t machine_random(uint64_t *state);
uint32_t machine_below(uint64_t *state, uint32_t limit);

#endif

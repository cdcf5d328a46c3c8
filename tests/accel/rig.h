/* SPDX-License-Identifier: Apache-2.0 */
/* One program of loops through the emitter and onto the functional device. Parameters in scope
 * global lie in DRAM; those in a scratchpad's scope lie there from the beginning, each behind the
 * one before. */
#ifndef TSR_TESTS_ACCEL_RIG_H
#define TSR_TESTS_ACCEL_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler/target/accel/accel.h"
#include "hw/sim/func/func.h"

struct rig {
  struct tsr_arena *arena;
  struct tsr_err err;
  struct tsr_design design;
  struct tsr__stream *stream;
  struct tsr__place place[16]; /* of the program's parameters */
  uint64_t dram[16];           /* where those in DRAM begin, behind the image */
  uint64_t activations;        /* their bytes */
  struct tsr_func *func;
  uint8_t *insns, *window;
  size_t image_bytes, window_bytes;
};

void rig_open(struct rig *r, const char *point);
void rig_close(struct rig *r);

struct tir_program *rig_parse(struct rig *r, const char *text);
/* Emits and closes the stream; on TSR_OK the window is there, image in place. */
enum tsr_status rig_emit(struct rig *r, const struct tir_program *p);
/* data[k]: dense content of parameter k. Inputs are put where they lie, the stream runs, outputs
 * are read back. */
void rig_run(struct rig *r, const struct tir_program *p, void *const *data);
/* What the interpreter makes of it. */
void rig_interpret(struct rig *r, const struct tir_program *p, void *const *data);
/* Zeroed arrays for all parameters, the inputs filled from a seed. */
void **rig_data(struct rig *r, const struct tir_program *p, uint64_t seed);
size_t rig_bytes(const struct tir_buffer *b);
/* The stream, a line an instruction. */
const char *rig_text(const struct rig *r);
/* The scratchpad of a scope. */
void *rig_scratchpad(struct rig *r, enum tir_scope scope);
int rig_count(const struct rig *r, int opcode);

#endif

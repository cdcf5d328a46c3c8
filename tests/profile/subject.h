/* SPDX-License-Identifier: Apache-2.0 */
/* A small program as a module with layers, run on the device "cycle" under a record. */
#ifndef TSR_TESTS_PROFILE_SUBJECT_H
#define TSR_TESTS_PROFILE_SUBJECT_H

#include "runtime/profile/record.h"
#include "tests/base/cases.h"

enum { SUBJECT_LAYERS = 4 };

struct subject {
  struct tsr_arena *arena;
  struct tsr_program program;
  struct tsr_module module;
  struct tsr_module_layer layer[SUBJECT_LAYERS];
  struct tsr_module_step step;
  struct tsr_record record;
};

/* The program is the module's only stream; its layers have `sizes` instructions, up to a 0. */
void subject_open(struct subject *s, const struct tsr_design *design,
                  const struct tsr_program *program, const size_t *sizes);
/* The same of assembler text, at the design point `config`. */
void subject_assemble(struct subject *s, const char *config, const char *text, const size_t *sizes);
void subject_run(struct subject *s);
void subject_close(struct subject *s);

/* Four LOADs, a GEMM that waits for them, a QUANT, a STORE, each of `entries`. */
void subject_chain(struct subject *s, const char *config, int entries, const size_t *sizes);

#endif

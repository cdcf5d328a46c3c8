/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs as machine code of every level that this machine has, against the interpreter. */
#ifndef TSR_TESTS_CPU_RIG_H
#define TSR_TESTS_CPU_RIG_H

#include "compiler/target/cpu/cpu.h"
#include "native/code.h"
#include "tests/tir/tir_test.h"

/* A func and the data of its inputs. */
struct trial {
  const char *name;
  const struct tir_func *func;
  void *input[32];
  const struct tir_func *wide; /* the same with f64 for f32; NULL: there is none */
  double *off; /* NULL, or made as large as its f32 are off from those of `wide`, as parts of the norm */
};

/* Runs each trial at each level and compares every output: integers and bools bit for bit, floats
 * within `tolerance` (of f32) of the whole output's norm, f32 from what `wide` computes too. Where the
 * interpreter refuses, the code has to say so too. Returns how many did not; each is printed. */
int compare_all(struct tsr_arena *a, int trials, const struct trial *trial, double tolerance);
/* The same for one func of text. */
int compare_text(struct tsr_arena *a, const char *text, void *const *inputs);

/* Bytes of all values, the same in each call. */
void *some_bytes(struct tsr_arena *a, size_t n);
double *widened(struct tsr_arena *a, const float *data, int64_t count);

/* Levels of this machine as bits. */
unsigned levels_here(void);
struct tsr_bytes code_of(struct tsr_arena *a, const struct tir_func *f, unsigned levels);
/* Whether the code calls anything but what shares out loops. */
bool calls_library(const struct tsr_code_block *block);

#endif

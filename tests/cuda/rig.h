/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs as kernels: compiled for every architecture, assembled where ptxas is installed, and their
 * loops run as a GPU would, against the interpreter. */
#ifndef TSR_TESTS_CUDA_RIG_H
#define TSR_TESTS_CUDA_RIG_H

#include "compiler/target/cuda/cuda.h"
#include "tests/cpu/rig.h"

/* Returns how many trials are bad; each is printed. */
int check_kernels(struct tsr_arena *a, int trials, const struct trial *trial);

/* Runs the loops of trials of at most so much work as a GPU would, against the interpreter: integers bit for
 * bit, floats within `tolerance` of the norm. Adds to *emulated how many, returns how many are bad. */
int emulate_layers(int trials, const struct trial *trial, int64_t most_work, double tolerance,
                   int *emulated);

/* The kernels of one func. */
struct tsr_kernel_block kernels_of(struct tsr_arena *a, const struct tir_func *f, const char *arch);

/* ptxas -v on a block: false and a line where it refuses; true where it isn't installed. `text`
 * (may be NULL) gets what it says. */
bool assembles(struct tsr_arena *a, const struct tsr_kernel_block *b, const char **text);
bool has_ptxas(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Loops whose iterations threads share out: what machine code calls for them. */
#ifndef TSR_NATIVE_PARALLEL_H
#define TSR_NATIVE_PARALLEL_H

#include <stdint.h>

/* Iterations from..to-1 of a loop, by thread 0 or another; not 0: an index lay outside of its buffer. */
typedef int tsr_share(void *context, int64_t from, int64_t to, int64_t thread);

/* Runs all iterations, each once, on so many threads of OpenMP's runtime, of which the caller is
 * one; returns when all are done, with 0 or what a share returned. Callers on different threads have
 * different teams. */
int tsr_parallel(tsr_share *share, void *context, int64_t iterations, int64_t threads);

/* The cores that this process may use, at least 1. */
int tsr_cores(void);
/* How many threads are used where nobody says: as many, or fewer if OMP_NUM_THREADS says so. */
int tsr_threads(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Every op of the graph: the nodes of ONNX's own conformance tests (Debian's libonnx-testdata). */
#ifndef TSR_TESTS_CPU_EACH_OP_H
#define TSR_TESTS_CPU_EACH_OP_H

#include "tests/cpu/graph_rig.h"

/* Gives `check` the nodes, some at a time in an arena of theirs; it returns how many are bad, and
 * the sum has to be 0. Skips where the package is not installed. */
void each_op(int (*check)(struct tsr_arena *a, int trials, const struct trial *trial));

/* How far f32 results were from float64, by op; those that were. */
void print_off(const double off[static TSR_GOP_COUNT]);

#endif

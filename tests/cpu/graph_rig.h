/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of a graph, or groups of them, as trials: what each computed and from what, in the interpreter. */
#ifndef TSR_TESTS_CPU_GRAPH_RIG_H
#define TSR_TESTS_CPU_GRAPH_RIG_H

#include "compiler/graph/graph.h"
#include "tests/cpu/rig.h"

/* Runs the graph and appends one trial for each node that has a compute, at *trials of *trial.
 * `seen` (may be NULL) is marked by op; `off` (may be NULL), by op too, is where trials of nodes with f32
 * results are told how far they are from float64. Refuses what the graph's interpreter does. */
enum tsr_status add_nodes(struct tsr_arena *a, struct tsr_err *err, struct tsr_graph *g,
                          const struct tsr_tensor *inputs, struct trial **trial, int *trials,
                          size_t *capacity, bool *seen, double *off);
/* The same, with one trial for each group of nodes that are computed together. */
enum tsr_status add_groups(struct tsr_arena *a, struct tsr_err *err, struct tsr_graph *g,
                           const struct tsr_tensor *inputs, struct trial **trial, int *trials,
                           size_t *capacity);

#endif

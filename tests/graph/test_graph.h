/* SPDX-License-Identifier: Apache-2.0 */
/* What every test of graphs includes: graphs from text, and two graphs compared by the
 * interpreter. */
#ifndef TSR_TESTS_GRAPH_TEST_GRAPH_H
#define TSR_TESTS_GRAPH_TEST_GRAPH_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/graph/graph.h"

/* "graph t", the lines, "end"; typed. Fails the test where the text is no graph. */
struct tsr_graph *graph_of(struct tsr_arena *a, const char *lines);
/* The same, but returns what parsing, verifying or inference says. */
enum tsr_status try_graph(struct tsr_arena *a, struct tsr_err *err, const char *lines,
                          struct tsr_graph **out);

/* "QConv 2 Reshape 1": the ops of a graph, in the order of ops.def, with their numbers. */
const char *ops_of(struct tsr_arena *a, const struct tsr_graph *g);
int count_of(const struct tsr_graph *g, enum tsr_gop op);

/* Random inputs for g: floats in [-range, range], integers of any value. */
void random_inputs(struct tsr_arena *a, const struct tsr_graph *g, uint64_t *seed, double range,
                   struct tsr_tensor *inputs);
/* The largest difference of any element of any output, as the two graphs compute them of those
 * inputs. */
double largest_difference(struct tsr_arena *a, const struct tsr_graph *g, const struct tsr_graph *h,
                          const struct tsr_tensor *inputs);

uint64_t next_random(uint64_t *seed);
double random_between(uint64_t *seed, double lo, double hi);

#endif

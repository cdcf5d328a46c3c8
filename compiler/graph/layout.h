/* SPDX-License-Identifier: Apache-2.0 */
/* What layout.c and layout_weights.c share. */
#ifndef TSR_COMPILER_GRAPH_LAYOUT_H
#define TSR_COMPILER_GRAPH_LAYOUT_H

#include "compiler/graph/graph_private.h"

enum { LAYOUT__GROUP = 4 }; /* bytes that are multiplied and added up in one lane of a vector */

/* Weights in the plain form of some op: element (o, c, tap) is at o * stride_o + c * stride_c + tap. */
struct layout__weights {
  const struct tsr_value *value;
  int64_t outs, ins, taps, stride_o, stride_c;
};

/* Weights as [OB, CB, TAPS, I / group, O, group]; `dims` (rank of them) says how that is seen. What is
 * beyond the last channel is zero. */
struct tsr_value *layout__pack(struct tsr_graph *g, const char *name,
                               const struct layout__weights *w, int64_t block_in, int64_t block_out,
                               int64_t group, int rank, const int64_t *dims);
/* Weights of one input for each output as [CB, TAPS, I]. */
struct tsr_value *layout__spread(struct tsr_graph *g, const char *name,
                                 const struct layout__weights *w, int64_t block,
                                 const int64_t dims[4]);
/* A constant of `count` elements as [blocks, block], zero beyond. */
struct tsr_value *layout__lanes(struct tsr_graph *g, const char *name, const struct tsr_value *v,
                                int64_t count, int64_t block);
/* bias, mult and pack (inputs 2 to 4 of n) as [blocks, 3, block]. *offset becomes 0 where sums with it
 * might wrap; else the bias makes up for it. */
struct tsr_value *layout__words(struct tsr_graph *g, const struct tsr_node *n,
                                const struct layout__weights *w, int64_t block, int64_t *offset);

/* Of weights of 3 x 3 taps at stride 1: 4 or 6, the points of the tiles (winograd.h) by which y, the
 * plain result, is computed in the least time; 0: as a sum over all taps. */
int64_t layout__winograd(const struct layout__weights *w, const struct tsr_value *y);
/* f32 weights, transformed: [POINTS,POINTS,OB,CB,I,O]. The blocks divide the channels. */
struct tsr_value *layout__transform(struct tsr_graph *g, const char *name,
                                    const struct layout__weights *w, int64_t points,
                                    int64_t block_in, int64_t block_out);

#endif

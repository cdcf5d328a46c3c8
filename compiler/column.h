/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the compiler's column share: a graph on its way to a module.
 *
 *   compile.c   the column: passes, layouts, groups, their order, the module
 *   buffers.c   where values lie: in memory, in another's, in INP, or nowhere
 *   layers.c    groups as layers of the module: instructions, or a compute for the CPU */
#ifndef TSR_COMPILER_COLUMN_H
#define TSR_COMPILER_COLUMN_H

#include "compiler/compile.h"
#include "compiler/target/accel/accel.h"

struct tsr__column {
  struct tsr_arena *a;
  struct tsr_err *err;
  struct tsr_graph *g;
  const struct tsr_design *d;
  const struct tsr_compile_options *options;
  struct tsr_module *m;
  struct tsr__stream *stream;
  const struct tir_intrinsics *intrinsics;
  struct tsr_tune *tune;
  struct tsr_node **plain; /* nodes before layouts were chosen */
  int plain_nodes;
  struct tsr_group *group; /* what becomes a layer each */
  int groups;
  struct tsr_accel_group **accel; /* the same on the accelerator, of each; NULL: on the CPU */
  int *order;                     /* the groups that are layers, as they run, */
  int ordered;                    /* so many */
  struct tsr_accel_resident **resident; /* values that stay in INP between layers, */
  int residents;                        /* so many */
  const struct tsr_value **value; /* of buffer k */
  uint64_t activations;           /* bytes handed out */
  int step;                       /* being made; its stream is open when it is the accelerator's */
};

void tsr__dump(struct tsr__column *c, const char *stage, const char *name, const char *text);

/* --- buffers.c ------------------------------------------------------------------------------------- */

/* A node that only sees its input in another shape. On the CPU, where tensors are dense, it takes no time:
 * whoever reads its output reads its input. Other outputs of the graph have memory of their own. */
bool tsr__is_free(const struct tsr__column *c, const struct tsr_node *n);
/* What is read where v is: behind nodes that are free. */
const struct tsr_value *tsr__seen_through(const struct tsr__column *c, const struct tsr_value *v);
/* A value that stays in INP between layers; NULL: it lies in memory. */
const struct tsr_accel_resident *tsr__resident(const struct tsr__column *c, const struct tsr_value *v);
/* Buffers for all values in use: inputs and outputs of the graph, operands and results of layers. */
void tsr__add_buffers(struct tsr__column *c);
int tsr__buffer_number(const struct tsr__column *c, const struct tsr_value *v);
int *tsr__buffer_list(struct tsr__column *c, struct tsr_value *const *values, int count);

/* --- layers.c -------------------------------------------------------------------------------------- */

/* A layer is called as its first node that is no lead. */
const char *tsr__layer_name(const struct tsr_group *group);
/* All groups, in their order, as layers. */
enum tsr_status tsr__add_layers(struct tsr__column *c);

#endif

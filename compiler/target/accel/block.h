/* SPDX-License-Identifier: Apache-2.0 */
/* What the files share that make blocked forms: block.c has the ops that one blocked op does, split.c
 * those that take several, join.c what joins, cuts and repeats maps. */
#ifndef TSR_COMPILER_TARGET_ACCEL_BLOCK_H
#define TSR_COMPILER_TARGET_ACCEL_BLOCK_H

#include "compiler/target/accel/accel.h"

struct tsr__form {
  const struct tsr_value *plain;
  struct tsr_value *blocked;
};

struct tsr__blocker {
  struct tsr_graph *g;
  struct tsr_arena *a;
  const struct tsr_design *d;
  struct tsr__form *form;
  size_t forms, form_capacity;
  const struct tsr_value **joined; /* blocked values that lie in another already */
  size_t joins, join_capacity;
};

/* Plain weights i8[O, C/group, KH, KW] as a convolution of dims (OC, C, KH, KW) sees them: zero outside of
 * an output channel's group. */
struct tsr__weights {
  const int8_t *data;
  int64_t o, c, kh, kw, group;
};

static inline int64_t tsr__dim_of(const struct tsr_value *v, int k)
{
  return k < v->rank ? v->dims[k] : 1;
}

/* --- block.c --------------------------------------------------------------------------------------- */

struct tsr_value *tsr__known_form(const struct tsr__blocker *b, const struct tsr_value *plain);
void tsr__remember(struct tsr__blocker *b, const struct tsr_value *plain,
                   struct tsr_value *blocked);
struct tsr_value *tsr__blocked_of(struct tsr__blocker *b, struct tsr_value *x);
struct tsr_value *tsr__blocked_value(struct tsr__blocker *b, const char *name,
                                     const int64_t dims[6]);
struct tsr__weights tsr__weights_of(const struct tsr_node *n);
/* The last dims of its name: n, with bias, mult and pack of each channel, and its weights. */
struct tsr_value *tsr__lane_parameters(struct tsr__blocker *b, const struct tsr_node *n,
                                       int64_t channels, const int32_t *const part[3]);
struct tsr_value *tsr__conv_weights(struct tsr__blocker *b, const struct tsr_node *n,
                                    const struct tsr__weights *w, const int64_t folded[2]);
void tsr__copy_window(struct tsr__blocker *b, struct tsr_node *to, const struct tsr_node *from);

/* --- split.c --------------------------------------------------------------------------------------- */

/* Several blocks of x's channels, where they lie. */
struct tsr_value *tsr__channel_blocks(struct tsr__blocker *b, const struct tsr_node *n,
                                      struct tsr_value *x, int64_t from, int64_t blocks);
/* True when the convolution became one for each few groups, none of which multiplies another's channels. */
bool tsr__split_groups(struct tsr__blocker *b, const struct tsr_node *n);
/* Channel c is lane[c] of x: x itself, a part of it, or what convolutions with ones make of it. */
struct tsr_value *tsr__pick_lanes(struct tsr__blocker *b, const struct tsr_node *n,
                                  struct tsr_value *x, int64_t channels, const int64_t *lane);

/* --- join.c ---------------------------------------------------------------------------------------- */

/* x where it can be joined with others: itself, or a copy where it must lie somewhere else. */
struct tsr_value *tsr__part_of(struct tsr__blocker *b, const struct tsr_node *n,
                               struct tsr_value *x);
/* Parts side by side along an axis of the blocked form. */
struct tsr_value *tsr__side_by_side(struct tsr__blocker *b, const struct tsr_node *n, int axis,
                                    int parts, struct tsr_value *const *part);
/* Why the accelerator does not join, cut or repeat as n says; NULL: it does. */
const char *tsr__join_refusal(struct tsr_arena *a, const struct tsr_node *n);
void tsr__block_join(struct tsr__blocker *b, const struct tsr_node *n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* How a schedule is found: the ops of a layer as numbers (a problem), what could be done
 * (tilings), what each needs and takes, and the schedule's text.
 *
 *   problem.c   a layer's blocked nodes as a problem
 *   space.c     tilings whose buffers fit the scratchpads
 *   estimate.c  what a tiling costs: at the least, and probably
 *   schedule.c  a tiling as a schedule
 *   bound.c     what the nodes cost at the least, whatever the tiling
 *   plan.c      the tiling that is taken */
#ifndef TSR_COMPILER_TARGET_ACCEL_PLAN_H
#define TSR_COMPILER_TARGET_ACCEL_PLAN_H

#include "compiler/target/accel/accel.h"

enum tsr__kind { KIND_CONV, KIND_CHANNELWISE, KIND_ELEMENTWISE, KIND_LOOKUP };

enum { CHANNELS, ROWS, COLUMNS, IMAGES, DIMS }; /* what is tiled */

/* One op, or a convolution or pool with what makes its input (the head) and what is done with its
 * result (the tail). The tail's share is in the numbers of the convolution: it has the same tiles. */
struct tsr__problem {
  enum tsr__kind kind;
  const struct tsr_node *node;
  const char *suffix; /* of the names of its stages and buffers */
  /* Computes its input: a convolution a tile's, which slides along rows; else slice by slice. NULL: it is loaded. */
  const struct tsr__problem *head;
  const struct tsr__problem
      *tail;         /* CONV: makes the result of its own, which stays in ACC; or NULL */
  int64_t out[DIMS]; /* channel blocks, rows, columns, images of the result, padding included: */
  int64_t padding[2]; /* rows and columns around a result that is resident */
  bool stays;         /* the result is resident: it goes to INP */
  int64_t summed;    /* CONV: channel blocks; CHANNELWISE: rows of the kernel; else 1 */
  int64_t kernel[2], stride[2], dilation[2], pad[2], in[2]; /* pad: before; in: of the input */
  bool in_inp[2];                     /* which operands are resident; the others are loaded: */
  int64_t operands;                   /* so many */
  int64_t beside;                     /* ... of the result's size, by the tail */
  int64_t params;                     /* ACC entries of constants per channel block */
  int64_t fixed_params;               /* ACC entries of constants of the whole op */
  int64_t work;                       /* int32 buffers of the result's size */
  int64_t vector_steps;               /* vector steps per entry of the result */
  int64_t inp, wgt, acc, out_entries; /* capacities, entries; acc of one bank */
  int64_t entry, weight_entry, beat;  /* bytes */
};

/* In which order tiles come, outermost first. What does not depend on the inner loops stays. */
enum tsr__order {
  ORDER_WEIGHTS, /* channels, images, rows, columns: a channel tile's weights stay */
  ORDER_PLACES,  /* images, rows, columns, channels: a spatial tile's input stays */
  ORDER_INPUT,   /* images, channels, rows, columns: the whole input stays (CONV) */
  ORDER_ROWS,    /* channels, images, columns, rows: what is fed */
  ORDERS
};

struct tsr__tiling {
  int64_t tile[DIMS], slice; /* slice: of what is summed, at a time; of what is fed by its head */
  enum tsr__order order;
  bool sliced; /* the input comes with its slice of the sum; else with the tile, or ORDER_INPUT */
  /* Weights of all slices stay while spatial tiles go by; else they come with their slice. */
  bool stays;
  /* Sums lie in both banks of ACC, half of the channel blocks in each; one copy of all of a tile. */
  bool spans;
};

/* Its input is a convolution's result. */
static inline bool tsr__is_fed(const struct tsr__problem *p)
{
  return p->head && p->head->kind == KIND_CONV;
}

/* Whose sum the slices are of. */
static inline const struct tsr__problem *tsr__sliced(const struct tsr__problem *p)
{
  return tsr__is_fed(p) ? p->head : p;
}

/* Of p's own sum. */
static inline int64_t tsr__slice(const struct tsr__problem *p, const struct tsr__tiling *t)
{
  return tsr__is_fed(p) ? p->summed : t->slice;
}

static inline int64_t tsr__tiles(const struct tsr__problem *p, const struct tsr__tiling *t, int k)
{
  return tsr__ceil_div(p->out[k], t->tile[k]);
}

/* Rows, columns, ... of the result, and of a tile at the most, that are computed. */
static inline int64_t tsr__extent(const struct tsr__problem *p, int k)
{
  return p->out[k] - (k == ROWS || k == COLUMNS ? p->padding[k - ROWS] : 0);
}

static inline int64_t tsr__made(const struct tsr__problem *p, const struct tsr__tiling *t, int k)
{
  return t->tile[k] < tsr__extent(p, k) ? t->tile[k] : tsr__extent(p, k);
}

/* Rows of its input that each tile but the first finds, since the one above has made, or loaded, them: of what
 * is fed, and of its head. */
int64_t tsr__kept(const struct tsr__problem *p, const struct tsr__tiling *t);
int64_t tsr__kept_of_head(const struct tsr__problem *p, const struct tsr__tiling *t);
/* Places, along rows or columns, that the windows of a tile of what is fed reach; most of these that its head
 * computes at a time. */
int64_t tsr__fed_reach(const struct tsr__problem *p, const struct tsr__tiling *t, int k);
int64_t tsr__fed_places(const struct tsr__problem *p, const struct tsr__tiling *t, int k);

struct tsr__problem tsr__problem_of(struct tsr_arena *a, const struct tsr_accel_group *g,
                                    const struct tsr_design *d);

struct tsr__need { /* entries */
  int64_t inp, wgt, acc, out;
  int64_t head_acc; /* of the other bank */
};

struct tsr__need tsr__tiling_need(const struct tsr__problem *p, const struct tsr__tiling *t);

/* Whether all weights stay, although the sum comes in slices: so it is chosen; with a head, wherever there is
 * room, since the head of each tile takes longer than to load them would. */
bool tsr__tiling_keeps_weights(const struct tsr__problem *p, const struct tsr__tiling *t);

/* Whether the tail's other operand comes a block of channels at a time: there is no room for the tile's. */
bool tsr__tiling_divides_tail(const struct tsr__problem *p, const struct tsr__tiling *t);

/* Whether the constants of the head stay, too: there is more than one tile, and room. LOADs into
 * the bank in which vector works would wait for it. */
bool tsr__tiling_keeps_head(const struct tsr__problem *p, const struct tsr__tiling *t);

/* Every tiling that fits, in a fixed order; returns how many. */
size_t tsr__tilings(struct tsr_arena *a, const struct tsr__problem *p, struct tsr__tiling **out);

/* Cycles that each engine works at the least, and bytes that are moved. */
struct tsr__times {
  int64_t matrix, vector, load, store, bytes;
  int64_t turns; /* of vector, in which matrix waits for it */
};

struct tsr__times tsr__tiling_times(const struct tsr__problem *p, const struct tsr__tiling *t);
int64_t tsr__tiling_bound(const struct tsr__times *times);
int64_t tsr__tiling_estimate(const struct tsr__problem *p, const struct tsr__tiling *t,
                             const struct tsr__times *times);

/* Applies the tiling to the schedule of the nodes' compute. */
enum tsr_status tsr__tiling_schedule(struct tsr_err *err, const struct tsr__problem *p,
                                     const struct tsr__tiling *t, struct tir_sched *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A schedule taken apart for people: its loops, its tiles in their order, its buffers. All of it
 * comes from the lowered program, so that it is as true of a schedule that somebody wrote. */
#ifndef TSR_COMPILER_TARGET_ACCEL_EXPLAIN_H
#define TSR_COMPILER_TARGET_ACCEL_EXPLAIN_H

#include "compiler/tir/tir.h"
#include "configs/design.h"

/* A box of the result that is stored, or made in INP, at once. */
struct tsr_accel_tile {
  int64_t at[TSR_MAX_RANK], size[TSR_MAX_RANK];
};

struct tsr_accel_buffer {
  const struct tir_buffer *buffer;
  const char *loop; /* one iteration of which it lives for; NULL: for the whole layer */
  const char *from; /* the parameter that it is a copy of, or the intrinsic that computes it */
  bool computed;    /* the latter */
  bool resident;    /* it is the parameter */
  int copies;       /* used in turn, or one in each bank of ACC; 0: in the place of another buffer */
  uint32_t entries; /* of a copy */
  uint32_t room;    /* entries of its scratchpad, of ACC of both banks */
  uint32_t entry_bytes;
};

enum { TSR_ACCEL_MOST_TILES = 65536 };

struct tsr_accel_explanation {
  const char *before, *after; /* its loops without a schedule, and with it */
  int rank;                   /* of the result: without the padding around one that is resident */
  int64_t dims[TSR_MAX_RANK];
  size_t tiles;               /* in order; the list has TSR_ACCEL_MOST_TILES at the most */
  size_t tile_capacity;
  struct tsr_accel_tile *tile;
  int buffers;
  struct tsr_accel_buffer *buffer;
};

/* func: a compute that the accelerator runs; schedule: the text of one that was lowered for it. */
enum tsr_status tsr_accel_explain(struct tsr_arena *a, struct tsr_err *err,
                                  const struct tsr_design *d, const struct tir_func *func,
                                  const char *schedule, struct tsr_accel_explanation *out);

#endif

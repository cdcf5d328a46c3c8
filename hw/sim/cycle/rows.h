/* SPDX-License-Identifier: Apache-2.0 */
/* The bursts of a box in DRAM, in order: planes, rows, bursts of a row, none across a multiple of
 * 4096 bytes (hw/rtl/dma_rows.v and burst.v). */
#ifndef TSR_HW_SIM_CYCLE_ROWS_H
#define TSR_HW_SIM_CYCLE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

struct tsr__rows {
  uint64_t plane, row, addr; /* bus addresses */
  uint64_t sy, sz;
  uint32_t y_left, z_left, ny;
  uint32_t row_beats, beats_left;
  bool more;
};

/* The next burst's beats. */
static inline int tsr__rows_beats(const struct tsr__rows *r, int beat_bytes, int burst_beats)
{
  uint32_t room = (4096 - (uint32_t)(r->addr & 4095)) / (uint32_t)beat_bytes;
  uint32_t limit = room < (uint32_t)burst_beats ? room : (uint32_t)burst_beats;
  return (int)(r->beats_left < limit ? r->beats_left : limit);
}

static inline void tsr__rows_next(struct tsr__rows *r, int beat_bytes, int beats)
{
  r->beats_left -= (uint32_t)beats;
  r->addr += (uint64_t)beats * (uint64_t)beat_bytes;
  if (r->beats_left)
    return;
  if (r->y_left) {
    r->y_left--;
    r->row += r->sy;
  } else if (r->z_left) {
    r->z_left--;
    r->y_left = r->ny - 1;
    r->row = r->plane += r->sz;
  } else {
    r->more = false;
    return;
  }
  r->addr = r->row;
  r->beats_left = r->row_beats;
}

#endif

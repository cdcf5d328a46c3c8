/* SPDX-License-Identifier: Apache-2.0 */
/* Constants in the order in which blocked ops read them. */
#include <string.h>

#include "compiler/graph/layout.h"

static int64_t blocks_of(int64_t count, int64_t block)
{
  return (count + block - 1) / block;
}

/* One run of lanes: elements of outputs from o on, of inputs c to c + r - 1 and one tap. */
static char *pack_lanes(const struct layout__weights *w, size_t size, int64_t o, int64_t lanes,
                        int64_t c, int64_t r, int64_t tap, char *to)
{
  const char *from = w->value->data;
  for (int64_t k = 0; k < lanes; k++)
    for (int64_t i = 0; i < r; i++, to += size)
      if (o + k < w->outs && c + i < w->ins)
        memcpy(to, from + (size_t)((o + k) * w->stride_o + (c + i) * w->stride_c + tap) * size,
               size);
  return to;
}

struct tsr_value *layout__pack(struct tsr_graph *g, const char *name,
                               const struct layout__weights *w, int64_t block_in, int64_t block_out,
                               int64_t r, int rank, const int64_t *dims)
{
  enum tsr_dtype dtype = w->value->dtype;
  struct tsr_value *v = tsr__add_constant(g, name, dtype, rank, dims);
  char *to = (char *)(uintptr_t)v->data;
  for (int64_t o = 0; o < w->outs; o += block_out)
    for (int64_t c = 0; c < blocks_of(w->ins, block_in) * block_in; c += block_in)
      for (int64_t tap = 0; tap < w->taps; tap++)
        for (int64_t i = 0; i < block_in; i += r)
          to = pack_lanes(w, tsr_dtype_bytes(dtype), o, block_out, c + i, r, tap, to);
  return v;
}

/* The taps of one group of a row, of one block of outputs from o on. */
static char *pack_taps(const struct layout__weights *w, int64_t o, int64_t lanes, int64_t tap,
                       int64_t taps, int64_t group, char *to)
{
  size_t size = tsr_dtype_bytes(w->value->dtype);
  for (int64_t k = 0; k < lanes; k++)
    for (int64_t i = 0; i < group; i++, to += size)
      if (o + k < w->outs && i < taps)
        memcpy(to, (const char *)w->value->data + (size_t)((o + k) * w->stride_o + tap + i) * size,
               size);
  return to;
}

struct tsr_value *layout__spread(struct tsr_graph *g, const char *name,
                                 const struct layout__weights *w, int64_t columns, int64_t group,
                                 const int64_t dims[4])
{
  int64_t all[5] = {dims[0], dims[1], dims[2], dims[3], group}, block = dims[3];
  struct tsr_value *v = tsr__add_constant(g, name, w->value->dtype, group > 1 ? 5 : 4, all);
  char *to = (char *)(uintptr_t)v->data;
  for (int64_t o = 0; o < w->outs; o += block)
    for (int64_t row = 0; row < w->taps; row += columns)
      for (int64_t at = 0; at < columns; at += group)
        to = pack_taps(w, o, block, row + at, columns - at, group, to);
  return v;
}

struct tsr_value *layout__lanes(struct tsr_graph *g, const char *name, const struct tsr_value *v,
                                int64_t count, int64_t block)
{
  int64_t dims[2] = {blocks_of(count, block), block};
  struct tsr_value *made = tsr__add_constant(g, name, v->dtype, 2, dims);
  memcpy((void *)(uintptr_t)made->data, v->data, (size_t)count * tsr_dtype_bytes(v->dtype));
  return made;
}

/* --- requantization --------------------------------------------------------------------------- */

static int64_t sum_of(const struct layout__weights *w, int64_t o)
{
  const int8_t *data = w->value->data;
  int64_t sum = 0;
  for (int64_t c = 0; c < w->ins; c++)
    for (int64_t tap = 0; tap < w->taps; tap++)
      sum += data[o * w->stride_o + c * w->stride_c + tap];
  return sum;
}

/* No sum of (x + offset) * w wraps, nor does a bias that makes up for it. */
static bool may_offset(const struct layout__weights *w, const int32_t *bias, int64_t offset)
{
  if (w->ins * w->taps > INT32_MAX / (255 * 128))
    return false;
  for (int64_t o = 0; o < w->outs; o++) {
    int64_t v = bias[o] - offset * sum_of(w, o);
    if (v < INT32_MIN || v > INT32_MAX)
      return false;
  }
  return true;
}

struct tsr_value *layout__words(struct tsr_graph *g, const struct tsr_node *n,
                                const struct layout__weights *w, int64_t block, int64_t *offset)
{
  const int32_t *part[3] = {n->in[2]->data, n->in[3]->data, n->in[4]->data};
  int64_t dims[3] = {blocks_of(w->outs, block), 3, block};
  struct tsr_value *made =
      tsr__add_constant(g, tsr_arena_printf(g->arena, "%s.p", n->name), TSR_I32, 3, dims);
  int32_t *p = (int32_t *)(uintptr_t)made->data;
  if (*offset && !may_offset(w, part[0], *offset))
    *offset = 0;
  for (int64_t o = 0; o < w->outs; o++)
    for (int k = 0; k < 3; k++) {
      int64_t v = part[k][o] - (k == 0 && *offset ? *offset * sum_of(w, o) : 0);
      p[(o / block * 3 + k) * block + o % block] = (int32_t)v;
    }
  return made;
}

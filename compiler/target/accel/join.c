/* SPDX-License-Identifier: Apache-2.0 */
/* Maps that are joined, cut or repeated. What is joined is written where the whole lies, and what is cut is
 * read there (view.c); where channels do not begin at a block's first lane, split.c brings them there. */
#include <string.h>

#include "compiler/target/accel/block.h"

enum { NB, CB, PH, PW, PB, PI };

/* --- which ----------------------------------------------------------------------------------------- */

static bool joins(enum tsr_gop op)
{
  switch (op) {
  case TSR_G_Concat:
  case TSR_G_DepthToSpace:
  case TSR_G_Flatten:
  case TSR_G_Interleave:
  case TSR_G_Reshape:
  case TSR_G_Resize:
  case TSR_G_Slice:
  case TSR_G_Split:
  case TSR_G_Squeeze:
  case TSR_G_Unsqueeze: return true;
  default: return false;
  }
}

/* Do dims of both mean the same places? Missing ones are 1. */
static bool same_places(const struct tsr_value *x, const struct tsr_value *y)
{
  for (int k = 0; k < 4; k++)
    if (tsr__dim_of(x, k) != tsr__dim_of(y, k))
      return false;
  return true;
}

static int axis_of(const struct tsr_node *n)
{
  int64_t axis = tsr_node_int(n, "axis", 0);
  return (int)(axis < 0 ? axis + n->in[0]->rank : axis);
}

/* Element i of the result is element starts + i of x; false: Slice takes other than every one, or of batches. */
static bool slice_starts(const struct tsr_node *n, int64_t starts[4])
{
  const struct tsr_value *x = n->in[0], *list = n->in[1];
  const struct tsr_value *axes = n->inputs > 3 ? n->in[3] : NULL;
  const struct tsr_value *steps = n->inputs > 4 ? n->in[4] : NULL;
  memset(starts, 0, 4 * sizeof starts[0]);
  if (!list->data || (axes && !axes->data) || (steps && !steps->data))
    return false;
  struct tsr_tensor s = tsr_value_tensor(list), a = axes ? tsr_value_tensor(axes) : s;
  struct tsr_tensor by = steps ? tsr_value_tensor(steps) : s;
  for (int64_t k = 0; k < tsr_tensor_count(&s); k++) {
    int64_t axis = axes ? tsr_get_int(&a, k) : k, from = tsr_get_int(&s, k);
    if (steps && tsr_get_int(&by, k) != 1)
      return false;
    axis += axis < 0 ? x->rank : 0;
    from += from < 0 ? x->dims[axis] : 0;
    starts[axis] = from < 0 ? 0 : from;
  }
  return n->out[0]->dims[0] == x->dims[0];
}

const char *tsr__join_refusal(struct tsr_arena *a, const struct tsr_node *n)
{
  int64_t list[TSR_MAX_RANK] = {1, 1, 1, 1};
  bool here = false;
  if (!joins(n->op))
    return tsr_arena_printf(a, "the accelerator has no instruction for %s", tsr_gop_name(n->op));
  for (int k = 0; k < n->inputs; k++) /* nodes before n are blocked already */
    here |= n->in[k] && n->in[k]->producer && n->in[k]->producer->op == TSR_G_Unpack;
  if (!here)
    return "the accelerator makes none of its inputs";
  switch (n->op) {
  case TSR_G_Concat:
  case TSR_G_Split:
    return axis_of(n) > 0 ? NULL : "the accelerator joins and cuts along any axis but the first";
  case TSR_G_Slice:
    return slice_starts(n, list) ? NULL
                                 : "the accelerator cuts boxes of whole batches, without steps";
  case TSR_G_Resize:
    return tsr_node_repeats(n, list) && list[0] == 1 && list[1] == 1 && list[2] * list[3] <= 64
               ? NULL
               : "the accelerator resizes maps by repeating elements, up to 64 times";
  case TSR_G_Interleave:
  case TSR_G_DepthToSpace: return NULL;
  default:
    return same_places(n->in[0], n->out[0])
               ? NULL
               : "the accelerator keeps channels, rows and columns apart";
  }
}

/* --- parts ----------------------------------------------------------------------------------------- */

static bool is_joined(const struct tsr__blocker *b, const struct tsr_value *x)
{
  for (size_t k = 0; k < b->joins; k++)
    if (b->joined[k] == x)
      return true;
  return false;
}

static struct tsr_value *copy_of(struct tsr__blocker *b, const struct tsr_node *n,
                                 struct tsr_value *x)
{
  int64_t dims[1] = {256};
  int8_t *table = tsr_arena_alloc(b->a, 256);
  for (int k = 0; k < 256; k++)
    table[k] = (int8_t)(k - 128);
  struct tsr_node *m = tsr_graph_node(b->g, TSR_G_AccLut, tsr_arena_printf(b->a, "%s.copy", n->name), 2, 1);
  m->in[0] = x;
  m->in[1] =
      tsr_graph_constant(b->g, tsr_arena_printf(b->a, "%s.table", n->name), TSR_I8, 1, dims, table);
  tsr_node_set_output(m, 0, tsr__blocked_value(b, x->name, x->dims));
  return m->out[0];
}

struct tsr_value *tsr__part_of(struct tsr__blocker *b, const struct tsr_node *n,
                               struct tsr_value *x)
{
  enum tsr_gop by = x->producer ? x->producer->op : TSR_G_Pack;
  bool made = tsr_accel_runs(by) || by == TSR_G_AccConcat || by == TSR_G_AccInterleave;
  if (!made || is_joined(b, x))
    x = copy_of(b, n, x);
  b->joined = TSR_GROW(b->a, b->joined, b->joins, &b->join_capacity);
  b->joined[b->joins++] = x;
  return x;
}

static struct tsr_node *joining(struct tsr__blocker *b, const struct tsr_node *n, enum tsr_gop op,
                                int parts, struct tsr_value *const *part, const int64_t dims[6])
{
  struct tsr_node *m = tsr_graph_node(b->g, op, n->name, parts, 1);
  for (int k = 0; k < parts; k++)
    m->in[k] = tsr__part_of(b, n, part[k]);
  tsr_node_set_output(m, 0, tsr__blocked_value(b, n->name, dims));
  return m;
}

struct tsr_value *tsr__side_by_side(struct tsr__blocker *b, const struct tsr_node *n, int axis,
                                    int parts, struct tsr_value *const *part)
{
  int64_t dims[6];
  if (parts == 1)
    return part[0];
  memcpy(dims, part[0]->dims, sizeof dims);
  for (int k = 1; k < parts; k++)
    dims[axis] += part[k]->dims[axis];
  struct tsr_node *m = joining(b, n, TSR_G_AccConcat, parts, part, dims);
  tsr_node_set_int(b->g, m, "axis", axis);
  return m->out[0];
}

static struct tsr_value *in_turn(struct tsr__blocker *b, const struct tsr_node *n,
                                 const int64_t factor[2], struct tsr_value *const *part)
{
  int64_t dims[6];
  memcpy(dims, part[0]->dims, sizeof dims);
  dims[PH] *= factor[0];
  dims[PW] *= factor[1];
  int parts = (int)(factor[0] * factor[1]);
  struct tsr_node *m = joining(b, n, TSR_G_AccInterleave, parts, part, dims);
  tsr_node_set_ints(b->g, m, "factor", 2, factor);
  return m->out[0];
}

/* --- ops ------------------------------------------------------------------------------------------- */

/* Channels side by side. As far as the first that does not end with a block they are so by blocks; from
 * there on lanes move. */
static struct tsr_value *concat_channels(struct tsr__blocker *b, const struct tsr_node *n,
                                         struct tsr_value **part)
{
  int64_t block = b->d->block_in, channels = 0, lanes = 0, at = 0;
  int first = 0;
  while (first < n->inputs - 1 && n->in[first]->dims[1] % block == 0)
    first++;
  int parts = n->inputs - first;
  if (parts > 1) {
    struct tsr_value *rest = tsr__side_by_side(b, n, CB, parts, part + first);
    for (int k = first; k < n->inputs; k++)
      channels += n->in[k]->dims[1];
    int64_t *lane = TSR_NEW_ARRAY(b->a, int64_t, channels);
    for (int k = first; k < n->inputs; k++) {
      for (int64_t c = 0; c < n->in[k]->dims[1]; c++)
        lane[at++] = lanes + c;
      lanes += tsr__ceil_div(n->in[k]->dims[1], block) * block;
    }
    part[first] = tsr__pick_lanes(b, n, rest, channels, lane);
  }
  return tsr__side_by_side(b, n, CB, first + 1, part);
}

static void block_concat(struct tsr__blocker *b, const struct tsr_node *n)
{
  int axis = axis_of(n);
  struct tsr_value **part = TSR_NEW_ARRAY(b->a, struct tsr_value *, n->inputs);
  for (int k = 0; k < n->inputs; k++)
    part[k] = tsr__blocked_of(b, n->in[k]);
  tsr__remember(b, n->out[0],
                axis == 1 ? concat_channels(b, n, part)
                          : tsr__side_by_side(b, n, axis, n->inputs, part));
}

/* The box of x that begins at starts and is as large as y. */
static struct tsr_value *box(struct tsr__blocker *b, const struct tsr_node *n,
                             const int64_t starts[4], const struct tsr_value *y)
{
  int64_t *lane = TSR_NEW_ARRAY(b->a, int64_t, y->dims[1]);
  for (int64_t c = 0; c < y->dims[1]; c++)
    lane[c] = starts[1] + c;
  struct tsr_value *x = tsr__pick_lanes(b, n, tsr__blocked_of(b, n->in[0]), y->dims[1], lane);
  int64_t from[3] = {0, starts[2], starts[3]};
  int64_t sizes[3] = {x->dims[CB], tsr__dim_of(y, 2), tsr__dim_of(y, 3)};
  if (sizes[1] == x->dims[PH] && sizes[2] == x->dims[PW])
    return x;
  int64_t dims[6] = {x->dims[NB], sizes[0], sizes[1], sizes[2], x->dims[PB], x->dims[PI]};
  struct tsr_node *m = tsr_graph_node(b->g, TSR_G_AccSlice, n->name, 1, 1);
  m->in[0] = x;
  tsr_node_set_output(m, 0, tsr__blocked_value(b, y->name, dims));
  tsr_node_set_ints(b->g, m, "starts", 3, from);
  tsr_node_set_ints(b->g, m, "sizes", 3, sizes);
  return m->out[0];
}

static void block_slices(struct tsr__blocker *b, const struct tsr_node *n)
{
  int64_t starts[4];
  if (n->op == TSR_G_Slice)
    slice_starts(n, starts);
  else
    memset(starts, 0, sizeof starts);
  for (int k = 0; k < n->outputs; k++) {
    if (!n->out[k])
      continue;
    tsr__remember(b, n->out[k], box(b, n, starts, n->out[k]));
    if (n->op == TSR_G_Split)
      starts[axis_of(n)] += n->out[k]->dims[axis_of(n)];
  }
}

/* Channel c of phase p is channel p * C + c of x, or c * phases + p. */
static void block_depth_to_space(struct tsr__blocker *b, const struct tsr_node *n)
{
  int64_t size = tsr_node_int(n, "blocksize", 1), factor[2] = {size, size};
  int64_t phases = size * size, channels = n->out[0]->dims[1];
  const struct tsr_attr *mode = tsr_node_attr(n, "mode");
  bool columns = mode && !strcmp(mode->s, "CRD");
  struct tsr_value *x = tsr__blocked_of(b, n->in[0]);
  struct tsr_value **part = TSR_NEW_ARRAY(b->a, struct tsr_value *, phases);
  int64_t *lane = TSR_NEW_ARRAY(b->a, int64_t, channels);
  for (int64_t p = 0; p < phases; p++) {
    for (int64_t c = 0; c < channels; c++)
      lane[c] = columns ? c * phases + p : p * channels + c;
    part[p] = tsr__pick_lanes(b, n, x, channels, lane);
  }
  tsr__remember(b, n->out[0], in_turn(b, n, factor, part));
}

static void block_interleave(struct tsr__blocker *b, const struct tsr_node *n)
{
  int64_t factor[2];
  struct tsr_value **part = TSR_NEW_ARRAY(b->a, struct tsr_value *, n->inputs);
  tsr_node_ints(n, "factor", 2, 1, factor);
  for (int k = 0; k < n->inputs; k++)
    part[k] = tsr__blocked_of(b, n->in[k]);
  tsr__remember(b, n->out[0], in_turn(b, n, factor, part));
}

/* Every element repeated: the map takes turns with itself. */
static void block_resize(struct tsr__blocker *b, const struct tsr_node *n)
{
  int64_t times[TSR_MAX_RANK] = {1, 1, 1, 1};
  tsr_node_repeats(n, times);
  struct tsr_value *part[64], *x = tsr__blocked_of(b, n->in[0]);
  for (int k = 0; k < times[2] * times[3]; k++)
    part[k] = x;
  tsr__remember(b, n->out[0], in_turn(b, n, times + 2, part));
}

void tsr__block_join(struct tsr__blocker *b, const struct tsr_node *n)
{
  switch (n->op) {
  case TSR_G_Concat: block_concat(b, n); break;
  case TSR_G_Slice:
  case TSR_G_Split: block_slices(b, n); break;
  case TSR_G_DepthToSpace: block_depth_to_space(b, n); break;
  case TSR_G_Interleave: block_interleave(b, n); break;
  case TSR_G_Resize: block_resize(b, n); break;
  default: tsr__remember(b, n->out[0], tsr__blocked_of(b, n->in[0])); /* of the same places */
  }
}

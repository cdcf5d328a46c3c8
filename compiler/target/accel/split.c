/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions that would multiply mostly zeros as one become several, over blocks of their channels.
 *
 * A grouped convolution: the fewest groups that fill whole blocks on both sides make one. Channels that are
 * to lie elsewhere than they do: only matrix products carry one lane to another, so each block of the result
 * is a convolution with ones, over just the blocks that its channels come from. What these make lies side by
 * side in one map. */
#include "base/arith.h"
#include "compiler/target/accel/block.h"

enum { NB, CB, PH, PW, PB, PI };

static int64_t divisor(int64_t a, int64_t b) /* the greatest common */
{
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

struct tsr_value *tsr__channel_blocks(struct tsr__blocker *b, const struct tsr_node *n,
                                      struct tsr_value *x, int64_t from, int64_t blocks)
{
  if (from == 0 && blocks == x->dims[CB])
    return x;
  int64_t starts[3] = {from, 0, 0}, sizes[3] = {blocks, x->dims[PH], x->dims[PW]};
  int64_t dims[6] = {x->dims[NB], blocks, x->dims[PH], x->dims[PW], x->dims[PB], x->dims[PI]};
  struct tsr_node *m =
      tsr_graph_node(b->g, TSR_G_AccSlice, tsr_arena_printf(b->a, "%s.part", n->name), 1, 1);
  m->in[0] = x;
  tsr_node_set_output(m, 0, tsr__blocked_value(b, x->name, dims));
  tsr_node_set_ints(b->g, m, "starts", 3, starts);
  tsr_node_set_ints(b->g, m, "sizes", 3, sizes);
  return m->out[0];
}

/* A convolution of x with these weights, and places hw of the result: piece `what` of n. */
static struct tsr_node *convolution(struct tsr__blocker *b, const struct tsr_node *n,
                                    const char *what, int64_t piece,
                                    struct tsr_value *x, const struct tsr__weights *w,
                                    const int64_t hw[2])
{
  static const int64_t unfolded[2] = {1, 1};
  int64_t dims[6] = {x->dims[NB], tsr__ceil_div(w->o, b->d->block_out),
                     hw[0],       hw[1],
                     x->dims[PB], b->d->block_out};
  const char *name = tsr_arena_printf(b->a, "%s.%s%lld", n->name, what, (long long)piece);
  struct tsr_node *m = tsr_graph_node(b->g, TSR_G_AccConv, name, 3, 1);
  tsr_node_set_output(m, 0, tsr__blocked_value(b, name, dims));
  m->in[0] = x;
  m->in[1] = tsr__conv_weights(b, n, w, unfolded);
  return m;
}

/* --- groups ---------------------------------------------------------------------------------------- */

static struct tsr_value *convolve_groups(struct tsr__blocker *b, const struct tsr_node *n,
                                         const struct tsr__weights *all, int64_t piece,
                                         int64_t together)
{
  int64_t first = piece * together, left = all->group - first;
  int64_t groups = left < together ? left : together, per_in = all->c / all->group;
  int64_t per_out = all->o / all->group;
  struct tsr__weights w = *all;
  w.data += first * per_out * per_in * all->kh * all->kw;
  w.group = groups;
  w.c = groups * per_in;
  w.o = groups * per_out;
  struct tsr_value *x = tsr__channel_blocks(b, n, tsr__blocked_of(b, n->in[0]),
                                            first * per_in / b->d->block_in,
                                            tsr__ceil_div(w.c, b->d->block_in));
  int64_t hw[2] = {tsr__dim_of(n->out[0], 2), tsr__dim_of(n->out[0], 3)};
  struct tsr_node *m = convolution(b, n, "group", piece, x, &w, hw);
  const int32_t *part[3];
  for (int k = 0; k < 3; k++)
    part[k] = (const int32_t *)n->in[2 + k]->data + first * per_out;
  m->in[2] = tsr__lane_parameters(b, n, w.o, part);
  tsr__copy_window(b, m, n);
  tsr_node_set_int(b->g, m, "x_zero", tsr_node_int(n, "x_zero", 0));
  tsr_node_set_int(b->g, m, "macs", tsr_node_macs(n) / all->group * groups);
  return m->out[0];
}

bool tsr__split_groups(struct tsr__blocker *b, const struct tsr_node *n)
{
  struct tsr__weights w = tsr__weights_of(n);
  int64_t in = b->d->block_in / divisor(b->d->block_in, w.c / w.group);
  int64_t out = b->d->block_out / divisor(b->d->block_out, w.o / w.group);
  int64_t together = in / divisor(in, out) * out; /* groups that fill whole blocks */
  if (together >= w.group)
    return false;
  int pieces = (int)tsr__ceil_div(w.group, together);
  struct tsr_value **part = TSR_NEW_ARRAY(b->a, struct tsr_value *, pieces);
  for (int k = 0; k < pieces; k++)
    part[k] = convolve_groups(b, n, &w, k, together);
  tsr__remember(b, n->out[0], tsr__side_by_side(b, n, CB, pieces, part));
  return true;
}

/* --- lanes ----------------------------------------------------------------------------------------- */

static struct tsr_value *unchanged(struct tsr__blocker *b, const struct tsr_node *n,
                                   int64_t channels)
{
  int32_t *part[3];
  const int32_t value[3] = {0, 1 << 30, tsr_quant_pack(30, 0, -128, 127)};
  for (int k = 0; k < 3; k++) {
    part[k] = TSR_NEW_ARRAY(b->a, int32_t, channels);
    for (int64_t c = 0; c < channels; c++)
      part[k][c] = value[k];
  }
  const int32_t *const parts[3] = {part[0], part[1], part[2]};
  return tsr__lane_parameters(b, n, channels, parts);
}

/* One block of the result: channel c is lane[c] of x. */
static struct tsr_value *pick_block(struct tsr__blocker *b, const struct tsr_node *n, int64_t piece,
                                    struct tsr_value *x, int64_t channels, const int64_t *lane)
{
  int64_t block = b->d->block_in, least = lane[0], most = lane[0];
  for (int64_t c = 1; c < channels; c++) {
    least = lane[c] < least ? lane[c] : least;
    most = lane[c] > most ? lane[c] : most;
  }
  int64_t from = least / block, blocks = most / block + 1 - from,
          hw[2] = {x->dims[PH], x->dims[PW]};
  int8_t *ones = tsr_arena_alloc(b->a, (size_t)(channels * blocks * block));
  for (int64_t c = 0; c < channels; c++)
    ones[c * blocks * block + lane[c] - from * block] = 1;
  struct tsr__weights w = {ones, channels, blocks * block, 1, 1, 1};
  struct tsr_node *m = convolution(b, n, "block", piece, tsr__channel_blocks(b, n, x, from, blocks), &w, hw);
  m->in[2] = unchanged(b, n, channels);
  return m->out[0];
}

struct tsr_value *tsr__pick_lanes(struct tsr__blocker *b, const struct tsr_node *n,
                                  struct tsr_value *x, int64_t channels, const int64_t *lane)
{
  int64_t block = b->d->block_in, blocks = tsr__ceil_div(channels, block);
  bool whole = lane[0] % block == 0;
  for (int64_t c = 1; c < channels; c++)
    whole &= lane[c] == lane[0] + c;
  if (whole)
    return tsr__channel_blocks(b, n, x, lane[0] / block, blocks);
  struct tsr_value **part = TSR_NEW_ARRAY(b->a, struct tsr_value *, blocks);
  for (int64_t k = 0; k < blocks; k++) {
    int64_t left = channels - k * block;
    part[k] = pick_block(b, n, k, x, left < block ? left : block, lane + k * block);
  }
  return tsr__side_by_side(b, n, CB, (int)blocks, part);
}

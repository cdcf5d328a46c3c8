/* SPDX-License-Identifier: Apache-2.0 */
/* PRelu with a slope for each channel, out of integer ops that there are.
 *
 * The positive part is a table. The negative part is a depthwise convolution of one tap, whose multiplier is
 * the slope; its clamp keeps to the side of the zero point where negative elements come out. One of the two is
 * always the zero point, so their sum rounds nothing. */
#include <math.h>

#include "compiler/graph/graph_private.h"

static bool no(struct tsr__request *r, const char *reason)
{
  r->reason = reason;
  return false;
}

/* The slope of channel c, from a constant that has one number for each and nothing else. */
static bool read_slopes(struct tsr__request *r, double *slope)
{
  const struct tsr_value *x = r->core->in[0], *v = r->core->in[1];
  const struct tsr_node *dq = tsr__made_by(v, TSR_G_DequantizeLinear);
  const struct tsr_value *q = dq ? dq->in[0] : v;
  struct tsr__scale s = {1, 0};
  int channels = v->rank - (x->rank - 1); /* the slopes' dim of the channels */
  if (!q->data || (dq && (!dq->in[1]->data || !tsr__scale_of(dq, &s))))
    return no(r, "its slopes are no constant");
  if (channels < 0 || v->dims[channels] != x->dims[1] || tsr__count(v) != x->dims[1])
    return no(r, "its slopes are not one number for each channel");
  struct tsr_tensor t = tsr_value_tensor(q);
  for (int64_t c = 0; c < x->dims[1]; c++)
    slope[c] = (tsr_get_float(&t, c) - s.zero) * s.scale;
  return true;
}

static struct tsr_value *positive_part(struct tsr__request *r, struct tsr_value *x,
                                       struct tsr__scale s)
{
  int8_t table[256];
  for (int i = 0; i < 256; i++) {
    int q = i - 128 - s.zero;
    table[i] =
        (int8_t)(q > 0 ? tsr__quantize((double)((float)q * (float)s.scale), r->y) : r->y.zero);
  }
  return tsr__lut_node(r->g, tsr_arena_printf(r->g->arena, "%s.positive", r->core->name), x, table);
}

/* Weight, bias, multiplier and clamp of one channel. */
static bool scale_channel(struct tsr__request *r, struct tsr_value *const in[5], int64_t c,
                          struct tsr__scale x, double slope)
{
  int sign = (slope > 0) - (slope < 0), shift;
  if (!tsr__multiplier((sign ? fabs(slope) : 1) * x.scale / r->y.scale, (int32_t *)in[3]->data + c,
                       &shift))
    return no(r, "the ratio of its scales is outside of what a multiplier of 31 bits holds");
  ((int8_t *)in[1]->data)[c] = (int8_t)sign;
  ((int32_t *)in[2]->data)[c] = -sign * x.zero;
  ((int32_t *)in[4]->data)[c] =
      tsr_quant_pack(shift, r->y.zero, sign < 0 ? r->y.zero : -128, sign < 0 ? 127 : r->y.zero);
  return true;
}

static struct tsr_value *negative_part(struct tsr__request *r, struct tsr_value *x,
                                       struct tsr__scale s, const double *slope)
{
  static const int64_t once[2] = {1, 1}, none[4] = {0};
  int64_t channels = r->core->in[0]->dims[1], dims[4] = {channels, 1, 1, 1};
  struct tsr_value *in[5] = {x, tsr__add_constant(r->g, "slope", TSR_I8, 4, dims)};
  for (int k = 2; k < 5; k++)
    in[k] = tsr__add_constant(r->g, r->core->name, TSR_I32, 1, dims);
  for (int64_t c = 0; c < channels; c++)
    if (!scale_channel(r, in, c, s, slope[c]))
      return NULL;
  const char *name = tsr_arena_printf(r->g->arena, "%s.negative", r->core->name);
  struct tsr_node *q = tsr__add_node(r->g, TSR_G_QConv, name, 5, in);
  tsr_node_set_ints(r->g, q, "strides", 2, once);
  tsr_node_set_ints(r->g, q, "pads", 4, none);
  tsr_node_set_ints(r->g, q, "dilations", 2, once);
  tsr_node_set_int(r->g, q, "group", channels);
  tsr_node_set_int(r->g, q, "x_zero", s.zero);
  return q->out[0];
}

struct tsr_value *tsr__quantize_prelu(struct tsr__request *r)
{
  struct tsr_node *n = r->core;
  struct tsr__scale s;
  struct tsr_node *dq = tsr__dequantized(n->in[0], &s);
  if (!dq || !tsr__is_map(n->in[0])) {
    r->reason = dq ? "it has no channels, or more than two spatial dims"
                   : "its input is not dequantized from int8 with one constant scale";
    return NULL;
  }
  double *slope = TSR_NEW_ARRAY(r->g->arena, double, n->in[0]->dims[1]);
  if (!read_slopes(r, slope))
    return NULL;
  struct tsr_value *x = tsr__as_map(r->g, dq->in[0]);
  struct tsr_value *in[] = {negative_part(r, x, s, slope), NULL};
  if (!in[0])
    return NULL;
  in[1] = positive_part(r, x, s);
  struct tsr_node *sum = tsr__add_node(r->g, TSR_G_QAdd, n->name, 2, in);
  tsr_node_set_int(r->g, sum, "mx", 1);
  tsr_node_set_int(r->g, sum, "my", 1);
  tsr_node_set_int(r->g, sum, "bias", -r->y.zero);
  tsr_node_set_int(r->g, sum, "mult", 1 << 30);
  tsr_node_set_int(r->g, sum, "pack", tsr_quant_pack(30, 0, r->lo, r->hi));
  return tsr__from_map(r->g, sum->out[0], n->out[0]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Resize: one stage a resized dim for linear and cubic, one in all for nearest. Coordinates are
 * computed in f64, weights in f64 and then in the dtype of x. */
#include <math.h>
#include <string.h>

#include "compiler/graph/compute.h"

/* How an output coordinate becomes one of the input. */
static const char *const coordinate_modes[] = {"half_pixel", "pytorch_half_pixel", "align_corners",
                                               "asymmetric", "tf_half_pixel_for_nn"};
enum { HALF_PIXEL, PYTORCH_HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, TF_HALF_PIXEL, COORDINATE_MODES };

static const char *const nearest_modes[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                            "ceil"};
enum { PREFER_FLOOR, PREFER_CEIL, FLOOR, CEIL, NEAREST_MODES };

struct resize {
  int coordinate, nearest;
  bool is_nearest, is_cubic, exclude_outside;
  double cubic_a;
  double scale[TSR_MAX_RANK];
  int64_t in[TSR_MAX_RANK], out[TSR_MAX_RANK];
};

/* Which of the names the attribute is: the first where it is absent, -1 where it is none. */
static int one_of(const struct tsr__compute *c, const char *attr, const char *const *names, int n)
{
  if (!tsr_node_attr(c->n, attr))
    return 0;
  for (int k = 0; k < n; k++)
    if (tsr__attr_is(c, attr, names[k]))
      return k;
  return -1;
}

static enum tsr_status read_scales(struct tsr__compute *c, struct resize *r)
{
  const struct tsr_value *scales = c->n->inputs > 2 ? c->n->in[2] : NULL;
  bool by_size =
      c->n->inputs > 3 && c->n->in[3] && tsr_count(c->n->in[3]->dims, c->n->in[3]->rank, 1) > 0;
  int rank = c->in[0]->rank;
  if (!by_size && (!scales || !scales->data || tsr_count(scales->dims, scales->rank, 1) != rank))
    return tsr__refuse(c, "its scales must be a constant with one number a dim");
  for (int d = 0; d < rank; d++) {
    r->in[d] = c->in[0]->dims[d];
    r->out[d] = c->out[0]->dims[d];
    r->scale[d] = (double)r->out[d] / (double)r->in[d];
    if (!by_size) {
      struct tsr_tensor t = tsr_value_tensor(scales);
      r->scale[d] = tsr_get_float(&t, d);
    }
    if (!(r->scale[d] > 0))
      return tsr__refuse(c, "scale %g of dim %d is not above 0", r->scale[d], d);
  }
  return TSR_OK;
}

static enum tsr_status resize_read(struct tsr__compute *c, struct resize *r)
{
  *r = (struct resize){
    .coordinate = one_of(c, "coordinate_transformation_mode", coordinate_modes, COORDINATE_MODES),
    .nearest = one_of(c, "nearest_mode", nearest_modes, NEAREST_MODES),
    .is_nearest = !tsr_node_attr(c->n, "mode") || tsr__attr_is(c, "mode", "nearest"),
    .is_cubic = tsr__attr_is(c, "mode", "cubic"),
    .exclude_outside = tsr_node_int(c->n, "exclude_outside", 0) != 0,
    .cubic_a = tsr_node_float(c->n, "cubic_coeff_a", -0.75),
  };
  if (r->coordinate < 0)
    return tsr__refuse(c, "has no compute for coordinate_transformation_mode '%s'",
                       tsr_node_attr(c->n, "coordinate_transformation_mode")->s);
  if (r->nearest < 0)
    return tsr__refuse(c, "has no compute for nearest_mode '%s'",
                       tsr_node_attr(c->n, "nearest_mode")->s);
  if (!r->is_nearest && !r->is_cubic && !tsr__attr_is(c, "mode", "linear"))
    return tsr__refuse(c, "has no compute for mode '%s'", tsr_node_attr(c->n, "mode")->s);
  if (!r->is_nearest && !tsr__is_float(c->in[0]))
    return tsr__refuse(c, "takes floats in this mode, not %s", tsr_dtype_name(c->in[0]->dtype));
  return read_scales(c, r);
}

static bool resized(const struct resize *r, int d)
{
  return r->in[d] != r->out[d] || r->scale[d] != 1;
}

static tir_e real(struct tsr__compute *c, double v)
{
  return tir_float(c->a, TSR_F64, v);
}

/* The input coordinate of output index o along dim d, f64. */
static tir_e coordinate(struct tsr__compute *c, const struct resize *r, int d, tir_e o)
{
  tir_e x = e_cast(c, TSR_F64, o), half = e_div(c, e_add(c, x, real(c, 0.5)), real(c, r->scale[d]));
  switch (r->coordinate) {
  case ALIGN_CORNERS:
    if (r->out[d] == 1)
      return real(c, 0);
    return e_div(c, e_mul(c, x, real(c, (double)(r->in[d] - 1))), real(c, (double)(r->out[d] - 1)));
  case ASYMMETRIC:
    return e_div(c, x, real(c, r->scale[d]));
  case TF_HALF_PIXEL:
    return half;
  case PYTORCH_HALF_PIXEL:
    return r->out[d] > 1 ? e_sub(c, half, real(c, 0.5)) : real(c, 0);
  default:
    return e_sub(c, half, real(c, 0.5));
  }
}

/* --- nearest ---------------------------------------------------------------------------------- */

/* Pixels simply repeated: a whole scale, in the modes in which it comes to that. */
static bool repeats(const struct resize *r, int d)
{
  return r->in[d] * (int64_t)r->scale[d] == r->out[d] && r->scale[d] == floor(r->scale[d]) &&
         ((r->coordinate == ASYMMETRIC && r->nearest == FLOOR) ||
          (r->coordinate == HALF_PIXEL && r->nearest <= PREFER_CEIL));
}

bool tsr_node_repeats(const struct tsr_node *n, int64_t times[TSR_MAX_RANK])
{
  const struct tsr_value *from = n->in[0], *to = n->out[0];
  struct tir_buffer x = {.dtype = from->dtype, .rank = from->rank},
                    y = {.dtype = to->dtype, .rank = to->rank};
  struct tir_buffer *in[] = {&x}, *out[] = {&y};
  struct tsr__compute c = {.n = n, .in = in, .out = out};
  struct resize r;
  memcpy(x.dims, from->dims, sizeof x.dims);
  memcpy(y.dims, to->dims, sizeof y.dims);
  if (n->op != TSR_G_Resize || resize_read(&c, &r) || !r.is_nearest)
    return false;
  for (int d = 0; d < x.rank; d++) {
    if (resized(&r, d) && !repeats(&r, d))
      return false;
    times[d] = (int64_t)r.scale[d];
  }
  return true;
}

static tir_e nearest(struct tsr__compute *c, const struct resize *r, int d, tir_e o)
{
  if (!resized(r, d))
    return o;
  if (repeats(r, d))
    return e_floordiv(c, o, (int64_t)r->scale[d]);
  tir_e x = coordinate(c, r, d, o);
  if (r->nearest == PREFER_FLOOR)
    x = tir_unary(c->a, TIR_CEIL, e_sub(c, x, real(c, 0.5)));
  else if (r->nearest == PREFER_CEIL)
    x = tir_unary(c->a, TIR_FLOOR, e_add(c, x, real(c, 0.5)));
  else
    x = tir_unary(c->a, r->nearest == FLOOR ? TIR_FLOOR : TIR_CEIL, x);
  return e_clamped(c, e_cast(c, TSR_I64, x), r->in[d]);
}

/* --- linear and cubic ------------------------------------------------------------------------- */

/* ((p3 * t + p2) * t + p1) * t + p0 */
static tir_e cubic(struct tsr__compute *c, tir_e t, double p3, double p2, double p1, double p0)
{
  tir_e v = e_add(c, e_mul(c, real(c, p3), t), real(c, p2));
  v = e_add(c, e_mul(c, v, t), real(c, p1));
  return e_add(c, e_mul(c, v, t), real(c, p0));
}

/* Weight of the tap that lies `distance` (f64, >= 0) away; `far`: at 1 or more. */
static tir_e cubic_weight(struct tsr__compute *c, double a, tir_e distance, bool far)
{
  return far ? cubic(c, distance, a, -5 * a, 8 * a, -4 * a)
             : cubic(c, distance, a + 2, -(a + 3), 0, 1);
}

/* The element at tap k, 0 being the one at or below the coordinate, and its weight. */
static void tap(struct tsr__compute *c, const struct resize *r, int d, tir_e x, int k, tir_e *at,
                tir_e *weight)
{
  tir_e low = tir_unary(c->a, TIR_FLOOR, x), above = e_sub(c, x, low);
  tir_e distance = k > 0 ? e_sub(c, real(c, k), above) : e_add(c, above, real(c, -k));
  tir_e place = e_plus(c, e_cast(c, TSR_I64, low), k);
  *at = e_clamped(c, place, r->in[d]);
  *weight = r->is_cubic ? cubic_weight(c, r->cubic_a, distance, k < 0 || k > 1)
                        : e_sub(c, real(c, 1), distance);
  if (r->exclude_outside)
    *weight = e_select(c, e_within(c, place, 0, r->in[d]), *weight, real(c, 0));
}

/* y is x with dim d resized. */
static void resize_stage(struct tsr__compute *c, const struct resize *r, int d,
                         const struct tir_buffer *x, struct tir_buffer *y)
{
  tir_e i[TSR_MAX_RANK], weights[4], total = NULL;
  struct tir_stage *s = tsr__elementwise(c, tsr_arena_printf(c->a, "resize%d", d), y, i);
  tir_e position = coordinate(c, r, d, i[d]), element[4];
  int taps = r->is_cubic ? 4 : 2;
  for (int k = 0; k < taps; k++) {
    tap(c, r, d, position, r->is_cubic ? k - 1 : k, &i[d], &weights[k]);
    element[k] = e_load(c, x, i);
    total = total ? e_add(c, total, weights[k]) : weights[k];
  }
  for (int k = 0; k < taps; k++) {
    tir_e weight = r->exclude_outside ? e_div(c, weights[k], total) : weights[k];
    tir_e term = e_mul(c, element[k], e_cast(c, y->dtype, weight));
    s->value = s->value ? e_add(c, s->value, term) : term;
  }
}

enum tsr_status tsr__compute_resize(struct tsr__compute *c)
{
  struct tir_buffer *x = c->in[0], *y = c->out[0];
  struct resize r;
  int last = -1;
  if (resize_read(c, &r))
    return TSR_REFUSED;
  for (int d = 0; d < x->rank; d++)
    last = resized(&r, d) ? d : last;
  if (r.is_nearest || last < 0) {
    tir_e i[TSR_MAX_RANK];
    struct tir_stage *s = tsr__elementwise(c, "resize", y, i);
    for (int d = 0; d < x->rank; d++)
      i[d] = nearest(c, &r, d, i[d]);
    s->value = e_load(c, x, i);
    return TSR_OK;
  }
  for (int d = 0; d <= last; d++) {
    if (!resized(&r, d))
      continue;
    int64_t dims[TSR_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[d] = r.out[d];
    const char *name = tsr_arena_printf(c->a, "along%d", d);
    struct tir_buffer *out =
        d == last ? y : tir_func_temp(c->a, c->f, name, x->dtype, x->rank, dims);
    resize_stage(c, &r, d, x, out);
    x = out;
  }
  return TSR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Transposed convolutions without the zeros between the input's elements.
 *
 * Along one dim, result o sums x[i] * w[k] over all i * stride + k * dilation = o + pad. With a stride, the
 * results o = r, r + stride, ... are a phase that meets only the taps k = (r + pad) mod stride + stride * j,
 * and those meet x[o / stride + (r + pad) / stride - j]: a plain convolution with its taps backwards. So
 * there is one convolution for each phase of rows and columns; their results take turns in the map. */
#include "compiler/graph/graph_private.h"

enum { MOST_PHASES = 64 };

/* One dim, and one of its phases. */
struct along {
  int64_t in, out, kernel, stride, dilation, pad; /* of the op */
  int64_t rows;                                   /* of every phase's result, some too many */
  int64_t first, taps, offset; /* of the phase: taps first, first + stride, ... */
};

static bool no(struct tsr__request *r, const char *reason)
{
  r->reason = reason;
  return false;
}

/* Taps reach so far that no padding is negative; those behind the kernel are 0. */
static void set_phase(struct along *d, int64_t phase)
{
  d->first = (phase + d->pad) % d->stride;
  d->offset = (phase + d->pad) / d->stride;
  d->taps = d->first < d->kernel ? (d->kernel - d->first - 1) / d->stride + 1 : 0;
  int64_t reach = (d->offset + d->dilation - 1) / d->dilation + 1;
  d->taps = reach > d->taps ? reach : d->taps;
}

/* Every phase has as many rows as the longest, and reads all of the input. */
static void count_rows(struct along *d)
{
  d->rows = (d->out + d->stride - 1) / d->stride;
  for (int64_t phase = 0; phase < d->stride; phase++) {
    set_phase(d, phase);
    d->rows = d->in - d->offset > d->rows ? d->in - d->offset : d->rows;
  }
}

static bool read_dims(struct tsr__request *r, const struct tsr__affine *f, struct along d[2])
{
  const struct tsr_node *n = r->core;
  int64_t stride[2], dilation[2], pad[4];
  tsr__map_ints(n, "strides", 1, stride);
  tsr__map_ints(n, "dilations", 1, dilation);
  tsr__map_pads(n, pad);
  if (stride[0] > MOST_PHASES || stride[1] > MOST_PHASES || stride[0] * stride[1] > MOST_PHASES)
    return no(r, "its strides make more than 64 convolutions of it");
  for (int k = 0; k < 2; k++) {
    bool there = 2 + k < n->in[0]->rank;
    d[k] = (struct along){.in = there ? n->in[0]->dims[2 + k] : 1,
                          .out = there ? n->out[0]->dims[2 + k] : 1,
                          .kernel = f->weight->dims[2 + k],
                          .stride = stride[k],
                          .dilation = dilation[k],
                          .pad = pad[k]};
    if (stride[k] > 1 && dilation[k] > 1)
      return no(r, "it is both strided and dilated");
    if (pad[k] > d[k].kernel * dilation[k])
      return no(r, "its padding is larger than its kernel");
    count_rows(&d[k]);
  }
  return true;
}

/* The taps of one phase, backwards. */
static struct tsr_value *phase_weights(struct tsr__request *r, const struct tsr_value *w,
                                       const struct along d[2])
{
  int64_t dims[4] = {w->dims[0], w->dims[1], d[0].taps, d[1].taps}, taps = dims[2] * dims[3];
  struct tsr_value *v = tsr__add_constant(r->g, w->name, TSR_I8, 4, dims);
  for (int64_t i = 0; i < tsr__count(v); i++) {
    int64_t row = d[0].first + d[0].stride * (d[0].taps - 1 - i % taps / dims[3]);
    int64_t column = d[1].first + d[1].stride * (d[1].taps - 1 - i % dims[3]);
    if (row < d[0].kernel && column < d[1].kernel)
      ((int8_t *)v->data)[i] =
          ((const int8_t *)w->data)[(i / taps * d[0].kernel + row) * d[1].kernel + column];
  }
  return v;
}

static struct tsr_value *convolve_phase(struct tsr__request *r, struct tsr__affine *f,
                                        struct tsr_value *x, const struct along d[2],
                                        const char *name)
{
  static const int64_t once[2] = {1, 1};
  struct tsr_value *in[5], *all = f->weight;
  int64_t pads[4], dilations[2];
  f->weight = phase_weights(r, all, d);
  bool done = tsr__affine_operands(f, in);
  f->weight = all;
  if (!done)
    return NULL;
  in[0] = x;
  for (int k = 0; k < 2; k++) {
    dilations[k] = d[k].dilation;
    pads[k] = (d[k].taps - 1) * d[k].dilation - d[k].offset;
    pads[k + 2] = d[k].rows + d[k].offset - d[k].in;
  }
  struct tsr_node *q = tsr__add_node(r->g, TSR_G_QConv, name, 5, in);
  tsr_node_set_ints(r->g, q, "strides", 2, once);
  tsr_node_set_ints(r->g, q, "pads", 4, pads);
  tsr_node_set_ints(r->g, q, "dilations", 2, dilations);
  tsr_node_set_int(r->g, q, "group", f->groups);
  tsr_node_set_int(r->g, q, "x_zero", f->x.zero);
  return q->out[0];
}

static struct tsr_value *convolve_phases(struct tsr__request *r, struct tsr__affine *f,
                                         struct along d[2])
{
  struct tsr_value *x = tsr__as_map(r->g, f->in), *phase[MOST_PHASES];
  int64_t factor[2] = {d[0].stride, d[1].stride};
  int phases = (int)(factor[0] * factor[1]);
  for (int k = 0; k < phases; k++) {
    set_phase(&d[0], k / factor[1]);
    set_phase(&d[1], k % factor[1]);
    const char *name = phases == 1 ? r->core->name
                                   : tsr_arena_printf(r->g->arena, "%s.%d", r->core->name, k);
    phase[k] = convolve_phase(r, f, x, d, name);
    if (!phase[k])
      return NULL;
  }
  if (phases == 1)
    return phase[0];
  struct tsr_node *n = tsr__add_node(r->g, TSR_G_Interleave, r->core->name, phases, phase);
  tsr_node_set_ints(r->g, n, "factor", 2, factor);
  return n->out[0];
}

/* The first d.out rows and columns. */
static struct tsr_value *cropped(struct tsr__request *r, struct tsr_value *v,
                                 const struct along d[2])
{
  static const int64_t starts[2] = {0, 0}, axes[2] = {2, 3};
  int64_t ends[2] = {d[0].out, d[1].out};
  if (d[0].rows * d[0].stride == ends[0] && d[1].rows * d[1].stride == ends[1])
    return v;
  struct tsr_value *in[] = {v, tsr__add_ints(r->g, "starts", 2, starts),
                            tsr__add_ints(r->g, "ends", 2, ends),
                            tsr__add_ints(r->g, "axes", 2, axes)};
  return tsr__add_node(r->g, TSR_G_Slice, r->core->name, 4, in)->out[0];
}

struct tsr_value *tsr__quantize_transposed(struct tsr__request *r)
{
  struct tsr_node *n = r->core;
  struct tsr__affine f = {.r = r, .factor = 1};
  struct along d[2];
  if (!tsr__is_map(n->in[0])) {
    r->reason = "it has more than two spatial dims";
    return NULL;
  }
  if (!tsr__affine_input(&f, n->in[0]) ||
      !tsr__affine_weights(&f, n->in[1], tsr_node_int(n, "group", 1), TSR__TRANSPOSED))
    return NULL;
  tsr__kernel_as_map(f.weight);
  f.bias = TSR_NEW_ARRAY(r->g->arena, int64_t, f.channels);
  if ((n->inputs > 2 && n->in[2] && !tsr__affine_bias(&f, n->in[2], -1, 1)) || !read_dims(r, &f, d))
    return NULL;
  struct tsr_value *y = convolve_phases(r, &f, d);
  return y ? tsr__from_map(r->g, cropped(r, y, d), n->out[0]) : NULL;
}

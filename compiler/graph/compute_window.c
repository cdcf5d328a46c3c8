/* SPDX-License-Identifier: Apache-2.0 */
/* Windows that slide over the spatial dims of (batch, channels, spatial...): what convolutions and
 * pools have in common. Padding is a stage of its own, so that what follows is affine. */
#include <string.h>

#include "compiler/graph/compute.h"

/* Splits what SAME padding needs: the odd element goes to the end, or with SAME_LOWER to the
 * beginning. */
static void pad_same(struct tsr__windows *w, bool lower)
{
  for (int d = 0; d < w->dims; d++) {
    int64_t total =
        (w->out[d] - 1) * w->stride[d] + (w->kernel[d] - 1) * w->dilation[d] + 1 - w->in[d];
    total = total > 0 ? total : 0;
    w->before[d] = (total + lower) / 2;
    w->after[d] = total - w->before[d];
  }
}

enum tsr_status tsr__window_read(struct tsr__compute *c, const int64_t *kernel,
                                 struct tsr__windows *w)
{
  const struct tir_buffer *x = c->in[0], *y = c->out[0];
  int64_t pads[2 * TSR__WINDOW_DIMS];
  if (x->rank < 3 || y->rank != x->rank)
    return tsr__refuse(c, "is defined for inputs of rank 3 and more, not %d", x->rank);
  *w = (struct tsr__windows){.dims = x->rank - 2};
  tsr_node_ints(c->n, "strides", w->dims, 1, w->stride);
  tsr_node_ints(c->n, "dilations", w->dims, 1, w->dilation);
  tsr_node_ints(c->n, "pads", 2 * w->dims, 0, pads);
  for (int d = 0; d < w->dims; d++) {
    w->in[d] = x->dims[2 + d];
    w->out[d] = y->dims[2 + d];
    w->kernel[d] = kernel[d];
    w->before[d] = pads[d];
    w->after[d] = pads[w->dims + d];
    if (w->before[d] < 0 || w->after[d] < 0 || w->stride[d] < 1 || w->dilation[d] < 1)
      return tsr__refuse(c, "has a negative pad, or a stride or dilation below 1");
  }
  if (tsr__attr_is(c, "auto_pad", "VALID")) {
    memset(w->before, 0, sizeof w->before);
    memset(w->after, 0, sizeof w->after);
  } else if (tsr__attr_is(c, "auto_pad", "SAME_UPPER") ||
             tsr__attr_is(c, "auto_pad", "SAME_LOWER")) {
    pad_same(w, tsr__attr_is(c, "auto_pad", "SAME_LOWER"));
  }
  return TSR_OK;
}

int64_t tsr__window_span(const struct tsr__windows *w, int d)
{
  return (w->out[d] - 1) * w->stride[d] + (w->kernel[d] - 1) * w->dilation[d] + 1;
}

struct tir_buffer *tsr__window_pad(struct tsr__compute *c, const struct tsr__windows *w,
                                   struct tir_buffer *x, tir_e value)
{
  int64_t dims[TSR_MAX_RANK] = {x->dims[0], x->dims[1]};
  const char *axes = tsr__window_axes(c, w, "n c", NULL);
  int last = 2 + w->dims; /* the dim behind, where there is one */
  bool any = false, behind = x->rank > last;
  for (int d = 0; d < w->dims; d++) {
    int64_t extent = w->in[d] + w->before[d] + w->after[d], span = tsr__window_span(w, d);
    dims[2 + d] = extent > span ? extent : span;
    any |= dims[2 + d] != w->in[d];
  }
  if (!any)
    return x;
  if (behind) {
    dims[last] = x->dims[last];
    axes = tsr_arena_printf(c->a, "%s i", axes);
  }
  struct tir_buffer *xpad = tsr__temp_like(c, "xpad", x, dims);
  struct tir_stage *s = tir_func_stage(c->a, c->f, "pad", xpad, axes, 0, NULL);
  tir_e at[TSR_MAX_RANK] = {tir_axis_use(c->a, s, 0), tir_axis_use(c->a, s, 1)}, inside = NULL;
  for (int d = 0; d < w->dims; d++) {
    at[2 + d] = e_plus(c, tir_axis_use(c->a, s, 2 + d), -w->before[d]);
    if (dims[2 + d] == w->in[d])
      continue;
    tir_e within = e_within(c, at[2 + d], 0, w->in[d]);
    inside = inside ? e_and(c, inside, within) : within;
  }
  if (behind)
    at[last] = tir_axis_use(c->a, s, last);
  s->value = e_select(c, inside, e_load(c, x, at), value);
  return xpad;
}

const char *tsr__window_axes(struct tsr__compute *c, const struct tsr__windows *w,
                             const char *first, const char *second)
{
  static const char letters[] = "dhw";
  struct tsr_text text = {.arena = c->a};
  for (int part = 0; part < (second ? 2 : 1); part++) {
    const char *words = part ? second : first;
    tsr_text_add(&text, "%s%s", text.length && *words ? " " : "", words);
    for (int d = 0; d < w->dims; d++) {
      tsr_text_add(&text, "%s%c", text.length ? " " : "", part ? 'k' : 'o');
      if (w->dims <= 3)
        tsr_text_add(&text, "%c", letters[3 - w->dims + d]);
      else
        tsr_text_add(&text, "%d", d);
    }
  }
  return text.data;
}

tir_e tsr__window_at(struct tsr__compute *c, const struct tsr__windows *w, int d, tir_e o, tir_e k)
{
  return e_add(c, e_times(c, o, w->stride[d]), e_times(c, k, w->dilation[d]));
}

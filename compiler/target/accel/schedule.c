/* SPDX-License-Identifier: Apache-2.0 */
/* A tiling as a schedule: the lines of docs/accelerator-target.md, with its numbers. */
#include <stdio.h>
#include <string.h>

#include "compiler/target/accel/plan.h"

struct writer {
  struct tir_sched *s;
  struct tsr_err *err;
  const char *suffix; /* stands for each '@' of a line: that of the names of the op's stages */
  enum tsr_status status;
};

static void put_suffix(char *text, size_t size, const char *line, const char *suffix)
{
  size_t n = 0;
  for (; *line && n + 1 < size; line++)
    n += (size_t)(*line == '@' ? snprintf(text + n, size - n, "%s", suffix)
                               : snprintf(text + n, size - n, "%c", *line));
}

__attribute__((format(printf, 2, 3))) static void line(struct writer *w, const char *format, ...)
{
  char text[256], named[256] = "";
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  put_suffix(named, sizeof named, text, w->suffix);
  if (!w->status)
    w->status = tir_sched_apply(w->s, w->err, named);
}

/* The result's loops: tiles outside, entries inside; the name of the innermost tile loop is
 * "wo". */
static void tile_result(struct writer *w, const struct tsr__tiling *t)
{
  line(w, "cache_write y out ys");
  static const struct {
    const char *loop, *outer, *inner;
  } row[DIMS] = {{"cb", "co", "ci"}, {"h", "ho", "hi"}, {"w", "wo", "wi"}, {"nb", "no", "ni"}};
  for (int k = 0; k < DIMS; k++) {
    line(w, "split ys %s %lld %s %s", row[k].loop, (long long)t->tile[k], row[k].outer,
         row[k].inner);
    if (!t->spans && (t->order != ORDER_ROWS || k == ROWS))
      line(w, "pipeline ys %s 2", row[k].outer);
  }
  static const char *const order[ORDERS] = {[ORDER_WEIGHTS] = "co no ho wo",
                                            [ORDER_PLACES] = "no ho wo co",
                                            [ORDER_INPUT] = "no co ho wo",
                                            [ORDER_ROWS] = "co no wo ho"};
  line(w, "reorder ys %s ni ci hi wi b i", order[t->order]);
}

static const char *innermost(const struct tsr__tiling *t)
{
  return t->order == ORDER_PLACES ? "ys co" : t->order == ORDER_ROWS ? "ys ho" : "ys wo";
}

/* Where the convolution's input is computed, or loaded: with its slice, its tile, or all at
 * once. */
static const char *input_loop(const struct writer *w, const struct tsr__tiling *t, char loop[16])
{
  snprintf(loop, 16, "acc%s so", w->suffix);
  return t->sliced ? loop : t->order == ORDER_INPUT ? "ys no" : "ys wo";
}

static void write_conv(struct writer *w, const struct tsr__problem *p, const struct tsr__tiling *t)
{
  const char *in = innermost(t);
  bool slices = t->slice < p->summed && !tsr__tiling_keeps_weights(p, t), fed = tsr__is_fed(p);
  char loop[16];
  line(w, "cache_read w@ wgt acc@ ws@");
  line(w, "cache_read p@ acc y@ ps@");
  line(w, p->head && !fed ? "inline xs@" : "set_scope xs@ inp");
  line(w, "set_scope acc@ acc");
  if (!p->tail)
    tile_result(w, t);
  line(w, "compute_at y@ %s", in);
  line(w, "compute_at ps@ ys co");
  line(w, "compute_at acc@ %s", in);
  line(w, "split acc@ cb %lld so si", (long long)tsr__slice(p, t));
  line(w, "reorder acc@ so nb ob si kh kw h w b o i");
  line(w, "pipeline acc@ so 2");
  if (fed)
    line(w, "compute_at xs@ ys ho");
  else if (!p->head)
    line(w, "compute_at xs@ %s", input_loop(w, t, loop));
  line(w, "compute_at ws@ %s", slices ? "acc@ so" : "ys co");
  line(w, "tensorize acc@ b accel.gemm");
  line(w, "tensorize y@ b accel.%s", p->tail ? "quant_acc" : "quant");
}

/* Before a convolution: all of it with its slice of the sum. */
static void write_head(struct writer *w, const struct tsr__problem *p, const char *at,
                       const char *constants_at)
{
  enum tsr_gop op = p->node->op;
  line(w, "cache_read p@ acc y@ ps@");
  line(w, "set_scope xs@ inp");
  line(w, "set_scope acc@ acc");
  line(w, "compute_at y@ %s", at);
  line(w, "compute_at acc@ %s", at);
  line(w, "compute_at xs@ %s", at);
  line(w, "reorder acc@ nb cb kh kw h w b i");
  if (op == TSR_G_AccDepthwise) {
    line(w, "set_scope ws@ acc");
    line(w, "compute_at ws@ %s", constants_at);
    line(w, "compute_at ps@ %s", constants_at);
  }
  line(w, "tensorize acc@ b accel.%s", op == TSR_G_AccDepthwise ? "mac" : "sum");
  line(w, "tensorize y@ b accel.quant_inp");
}

/* Before a head: its result is the head's input, padding included; its own input comes with the
 * tile. */
static void write_feeder(struct writer *w, const char *head, const char *at,
                         const char *constants_at, const char *weights_at)
{
  line(w, "cache_read w@ wgt acc@ ws@");
  line(w, "cache_read p@ acc xs%s ps@", head);
  line(w, "set_scope xs@ inp");
  line(w, "set_scope acc@ acc");
  line(w, "compute_at ps@ %s", constants_at);
  line(w, "compute_at acc@ %s", at);
  line(w, "reorder acc@ nb ob cb kh kw h w b o i");
  line(w, "compute_at xs@ ys wo");
  line(w, "compute_at ws@ %s", weights_at);
  line(w, "tensorize acc@ b accel.gemm");
  line(w, "tensorize xs%s b accel.quant_inp", head);
}

/* Before what is fed: its result is that one's input, padding included. */
static void write_fed_head(struct writer *w, const char *fed, const struct tsr__tiling *t)
{
  line(w, "cache_read w@ wgt acc@ ws@");
  line(w, "cache_read p@ acc xs%s ps@", fed);
  line(w, "set_scope xs@ inp");
  line(w, "set_scope acc@ acc");
  line(w, "compute_at ps@ ys co");
  line(w, "compute_at acc@ ys ho");
  line(w, "compute_at ws@ ys co");
  line(w, "split acc@ cb %lld so si", (long long)t->slice);
  line(w, "reorder acc@ so nb ob si kh kw h w b o i");
  line(w, "pipeline acc@ so 2");
  line(w, "compute_at xs@ %s", t->sliced ? "acc@ so" : "ys ho");
  line(w, "tensorize acc@ b accel.gemm");
  line(w, "tensorize xs%s b accel.quant_inp", fed);
}

static void write_slide(struct writer *w)
{
  line(w, "slide xs@ xk@");
  line(w, "tensorize xk@ b accel.move");
}

static void write_channelwise(struct writer *w, const struct tsr__problem *p,
                              const struct tsr__tiling *t)
{
  const char *in = innermost(t);
  enum tsr_gop op = p->node->op;
  if (op != TSR_G_AccMaxPool)
    line(w, "cache_read p acc y ps");
  line(w, "set_scope xs inp");
  line(w, "set_scope acc acc");
  tile_result(w, t);
  line(w, "compute_at y %s", in);
  line(w, "compute_at acc %s", in);
  line(w, "split acc kh %lld so si", (long long)tsr__slice(p, t));
  line(w, "reorder acc so nb cb si kw h w b i");
  line(w, "pipeline acc so 2");
  if (tsr__is_fed(p))
    line(w, "compute_at xs ys ho");
  else if (t->slice < p->summed)
    line(w, "compute_at xs acc so");
  else
    line(w, "compute_at xs %s", in);
  if (op == TSR_G_AccDepthwise) {
    line(w, "set_scope ws acc");
    line(w, "compute_at ws ys co");
    line(w, "compute_at ps ys co");
  }
  line(w, "tensorize acc b accel.%s",
       op == TSR_G_AccDepthwise ? "mac"
       : op == TSR_G_AccMaxPool ? "maximum"
                                : "sum");
  line(w, "tensorize y b accel.%s", op == TSR_G_AccMaxPool ? "narrow" : "quant");
}

/* tail: its first operand is the result of the convolution before it, int32 in ACC. divided: the second one comes a
 * block of channels at a time. */
static void write_elementwise(struct writer *w, const struct tsr__problem *p,
                              const struct tsr__tiling *t, bool tail, bool divided)
{
  static const char *const scopes[] = {"zs inp", "xa acc", "acc acc", "za acc"};
  static const char *const inner[] = {"y", "acc", "xa", "za", "zs"};
  const char *in = innermost(t);
  bool sum = p->node->op == TSR_G_AccAdd; /* which has no za */
  line(w, "cache_read k acc xa kx");
  line(w, "cache_read k acc %s kz", sum ? "acc" : "za");
  line(w, "cache_read p acc y ps");
  line(w, tail ? "inline xs" : "set_scope xs inp");
  for (int k = 0; k < 4 - sum; k++)
    line(w, "set_scope %s", scopes[k]);
  tile_result(w, t);
  for (int k = 0; k < 5 - divided; k++)
    if (!sum || strcmp(inner[k], "za"))
      line(w, "compute_at %s %s", inner[k], in);
  if (divided) {
    line(w, "pipeline %s cb 2", sum ? "acc" : "za");
    line(w, "compute_at zs %s cb", sum ? "acc" : "za");
  }
  if (!tail)
    line(w, "compute_at xs %s", in);
  line(w, "tensorize xa b accel.%s", sum ? tail ? "mul" : "scale" : tail ? "sub" : "offset");
  if (!sum)
    line(w, "tensorize za b accel.offset");
  line(w, "tensorize acc b accel.%s", sum ? "madd" : "mul");
  line(w, "tensorize y b accel.quant");
}

static void write_lookup(struct writer *w, const struct tsr__tiling *t, bool tail)
{
  line(w, "cache_read table lut y ts");
  line(w, tail ? "inline xs" : "set_scope xs inp");
  tile_result(w, t);
  line(w, "compute_at y %s", innermost(t));
  if (!tail)
    line(w, "compute_at xs %s", innermost(t));
  line(w, "tensorize y b accel.%s", tail ? "lut_acc" : "lut");
}

static void write_op(struct writer *w, const struct tsr__problem *p, const struct tsr__tiling *t,
                     bool tail, bool divided)
{
  w->suffix = p->suffix;
  switch (p->kind) {
  case KIND_CONV: write_conv(w, p, t); break;
  case KIND_CHANNELWISE: write_channelwise(w, p, t); break;
  case KIND_ELEMENTWISE: write_elementwise(w, p, t, tail, divided); break;
  case KIND_LOOKUP: write_lookup(w, t, tail); break;
  }
}

/* What one op makes for the next: for the convolution in INP, for its tail in ACC; for a head as
 * its input. */
static void place_between(struct writer *w, const struct tsr__problem *p)
{
  if (p->head && p->head->head) {
    w->suffix = p->head->head->suffix;
    line(w, "inline y@");
  }
  if (p->head) {
    w->suffix = p->head->suffix;
    line(w, tsr__is_fed(p) ? "inline y@" : "set_scope y@ inp");
  }
  if (p->tail) {
    w->suffix = p->suffix;
    line(w, "set_scope y@ acc");
  }
}

/* What slides, the consumer first: the head's input depends on what the head has to compute. */
static void write_fed(struct writer *w, const struct tsr__problem *p, const struct tsr__tiling *t)
{
  w->suffix = p->head->suffix;
  write_fed_head(w, p->suffix, t);
  w->suffix = p->suffix;
  if (tsr__kept(p, t))
    write_slide(w);
  w->suffix = p->head->suffix;
  if (tsr__kept_of_head(p, t))
    write_slide(w);
}

/* Backwards: an op is computed at loops of the one behind it. */
enum tsr_status tsr__tiling_schedule(struct tsr_err *err, const struct tsr__problem *p,
                                     const struct tsr__tiling *t, struct tir_sched *s)
{
  struct writer w = {.s = s, .err = err};
  char loop[16];
  place_between(&w, p);
  if (p->tail)
    write_op(&w, p->tail, t, true, tsr__tiling_divides_tail(p, t));
  write_op(&w, p, t, false, false);
  if (tsr__is_fed(p))
    write_fed(&w, p, t);
  else if (p->head) {
    const char *at = input_loop(&w, t, loop), *with = tsr__tiling_keeps_head(p, t) ? "ys co" : at;
    w.suffix = p->head->suffix;
    write_head(&w, p->head, at, with);
    if (p->head->head) {
      w.suffix = p->head->head->suffix;
      write_feeder(&w, p->head->suffix, at, with, tsr__tiling_keeps_weights(p, t) ? "ys co" : at);
    }
  }
  return w.status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A tiling as a schedule: the lines of docs/accelerator-target.md, with its numbers. */
#include <stdio.h>
#include <string.h>

#include "compiler/target/accel/plan.h"

struct writer {
  struct tir_sched *s;
  struct tsr_err *err;
  const char *suffix; /* stands for each '@' of a line: that of the names of the op's stages */
  bool stays; /* the layer's result is resident: stage ys makes it in INP, padding included */
  enum tsr_status status;
};

/* The stage that makes the layer's result, and where to. */
static const char *result(const struct writer *w)
{
  return w->stays ? "ys" : "y";
}

static const char *to_inp(const struct writer *w)
{
  return w->stays ? "_inp" : "";
}

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
  if (!w->stays)
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

/* The result is computed in the loops of its copy to DRAM, where there is one. */
static void compute_result(struct writer *w, const char *in)
{
  if (!w->stays)
    line(w, "compute_at y %s", in);
}

/* The op's operands are loaded at this loop, or read where they lie. */
static const char *const operand[] = {"xs@", "zs@"};

static void place_operand(struct writer *w, const struct tsr__problem *p, int k)
{
  line(w, p->in_inp[k] ? "inline %s" : "set_scope %s inp", operand[k]);
}

static void load_operand(struct writer *w, const struct tsr__problem *p, int k, const char *in)
{
  if (!p->in_inp[k])
    line(w, "compute_at %s %s", operand[k], in);
}

/* Of a tail the first one is in ACC: the convolution's result. */
static void place_first(struct writer *w, const struct tsr__problem *p, bool tail)
{
  if (tail)
    line(w, "inline xs");
  else
    place_operand(w, p, 0);
}

static void write_conv(struct writer *w, const struct tsr__problem *p, const struct tsr__tiling *t)
{
  const char *in = innermost(t);
  bool slices = t->slice < p->summed && !tsr__tiling_keeps_weights(p, t), fed = tsr__is_fed(p);
  char loop[16];
  line(w, "cache_read w@ wgt acc@ ws@");
  line(w, "cache_read p@ acc %s ps@", p->tail ? "y@" : result(w));
  if (p->head)
    line(w, fed ? "set_scope xs@ inp" : "inline xs@");
  else
    place_operand(w, p, 0);
  line(w, "set_scope acc@ acc");
  if (p->tail) {
    line(w, "compute_at y@ %s", in);
  } else {
    tile_result(w, t);
    compute_result(w, in);
  }
  line(w, "compute_at ps@ ys co");
  line(w, "compute_at acc@ %s", in);
  line(w, "split acc@ cb %lld so si", (long long)tsr__slice(p, t));
  line(w, "reorder acc@ so nb ob si kh kw h w b o i");
  line(w, "pipeline acc@ so 2");
  if (fed)
    line(w, "compute_at xs@ ys ho");
  else if (!p->head)
    load_operand(w, p, 0, input_loop(w, t, loop));
  line(w, "compute_at ws@ %s", slices ? "acc@ so" : "ys co");
  line(w, "tensorize acc@ b accel.gemm");
  if (p->tail)
    line(w, "tensorize y@ b accel.quant_acc");
  else
    line(w, "tensorize %s b accel.quant%s", result(w), to_inp(w));
}

/* Before a convolution: all of it with its slice of the sum. */
static void write_head(struct writer *w, const struct tsr__problem *p, const char *at,
                       const char *constants_at)
{
  enum tsr_gop op = p->node->op;
  line(w, "cache_read p@ acc y@ ps@");
  place_operand(w, p, 0);
  line(w, "set_scope acc@ acc");
  line(w, "compute_at y@ %s", at);
  line(w, "compute_at acc@ %s", at);
  load_operand(w, p, 0, at);
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
static void write_feeder(struct writer *w, const struct tsr__problem *p, const char *head,
                         const char *at, const char *constants_at, const char *weights_at)
{
  line(w, "cache_read w@ wgt acc@ ws@");
  line(w, "cache_read p@ acc xs%s ps@", head);
  place_operand(w, p, 0);
  line(w, "set_scope acc@ acc");
  line(w, "compute_at ps@ %s", constants_at);
  line(w, "compute_at acc@ %s", at);
  line(w, "reorder acc@ nb ob cb kh kw h w b o i");
  load_operand(w, p, 0, "ys wo");
  line(w, "compute_at ws@ %s", weights_at);
  line(w, "tensorize acc@ b accel.gemm");
  line(w, "tensorize xs%s b accel.quant_inp", head);
}

/* Before what is fed: its result is that one's input, padding included. */
static void write_fed_head(struct writer *w, const struct tsr__problem *p, const char *fed,
                           const struct tsr__tiling *t)
{
  line(w, "cache_read w@ wgt acc@ ws@");
  line(w, "cache_read p@ acc xs%s ps@", fed);
  place_operand(w, p, 0);
  line(w, "set_scope acc@ acc");
  line(w, "compute_at ps@ ys co");
  line(w, "compute_at acc@ ys ho");
  line(w, "compute_at ws@ ys co");
  line(w, "split acc@ cb %lld so si", (long long)t->slice);
  line(w, "reorder acc@ so nb ob si kh kw h w b o i");
  line(w, "pipeline acc@ so 2");
  load_operand(w, p, 0, t->sliced ? "acc@ so" : "ys ho");
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
    line(w, "cache_read p acc %s ps", result(w));
  if (tsr__is_fed(p))
    line(w, "set_scope xs inp");
  else
    place_operand(w, p, 0);
  line(w, "set_scope acc acc");
  tile_result(w, t);
  compute_result(w, in);
  line(w, "compute_at acc %s", in);
  line(w, "split acc kh %lld so si", (long long)tsr__slice(p, t));
  line(w, "reorder acc so nb cb si kw h w b i");
  line(w, "pipeline acc so 2");
  if (tsr__is_fed(p))
    line(w, "compute_at xs ys ho");
  else
    load_operand(w, p, 0, t->slice < p->summed ? "acc so" : in);
  if (op == TSR_G_AccDepthwise) {
    line(w, "set_scope ws acc");
    line(w, "compute_at ws ys co");
    line(w, "compute_at ps ys co");
  }
  line(w, "tensorize acc b accel.%s",
       op == TSR_G_AccDepthwise ? "mac"
       : op == TSR_G_AccMaxPool ? "maximum"
                                : "sum");
  line(w, "tensorize %s b accel.%s%s", result(w), op == TSR_G_AccMaxPool ? "narrow" : "quant",
       to_inp(w));
}

/* tail: its first operand is the result of the convolution before it, int32 in ACC. divided: the second one comes a
 * block of channels at a time. */
static void write_elementwise(struct writer *w, const struct tsr__problem *p,
                              const struct tsr__tiling *t, bool tail, bool divided)
{
  static const char *const inner[] = {"acc", "xa", "za"};
  const char *in = innermost(t);
  bool sum = p->node->op == TSR_G_AccAdd; /* which has no za */
  line(w, "cache_read k acc xa kx");
  line(w, "cache_read k acc %s kz", sum ? "acc" : "za");
  line(w, "cache_read p acc %s ps", result(w));
  place_first(w, p, tail);
  place_operand(w, p, 1);
  line(w, "set_scope xa acc");
  line(w, "set_scope acc acc");
  if (!sum)
    line(w, "set_scope za acc");
  tile_result(w, t);
  compute_result(w, in);
  for (int k = 0; k < 3 - sum; k++)
    line(w, "compute_at %s %s", inner[k], in);
  if (divided) {
    line(w, "pipeline %s cb 2", sum ? "acc" : "za");
    line(w, "compute_at zs %s cb", sum ? "acc" : "za");
  } else {
    load_operand(w, p, 1, in);
  }
  if (!tail)
    load_operand(w, p, 0, in);
  line(w, "tensorize xa b accel.%s", sum ? tail ? "mul" : "scale" : tail ? "sub" : "offset");
  if (!sum)
    line(w, "tensorize za b accel.offset");
  line(w, "tensorize acc b accel.%s", sum ? "madd" : "mul");
  line(w, "tensorize %s b accel.quant%s", result(w), to_inp(w));
}

static void write_lookup(struct writer *w, const struct tsr__problem *p,
                         const struct tsr__tiling *t, bool tail)
{
  line(w, "cache_read table lut %s ts", result(w));
  place_first(w, p, tail);
  tile_result(w, t);
  compute_result(w, innermost(t));
  if (!tail)
    load_operand(w, p, 0, innermost(t));
  line(w, "tensorize %s b accel.%s%s", result(w), tail ? "lut_acc" : "lut", to_inp(w));
}

static void write_op(struct writer *w, const struct tsr__problem *p, const struct tsr__tiling *t,
                     bool tail, bool divided)
{
  w->suffix = p->suffix;
  switch (p->kind) {
  case KIND_CONV: write_conv(w, p, t); break;
  case KIND_CHANNELWISE: write_channelwise(w, p, t); break;
  case KIND_ELEMENTWISE: write_elementwise(w, p, t, tail, divided); break;
  case KIND_LOOKUP: write_lookup(w, p, t, tail); break;
  }
}

/* What one op makes for the next: for the convolution in INP, for its tail in ACC; for a head as
 * its input. */
static void place_between(struct writer *w, const struct tsr__problem *p)
{
  if (p->stays)
    line(w, "inline y");
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
  write_fed_head(w, p->head, p->suffix, t);
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
  struct writer w = {.s = s, .err = err, .suffix = "", .stays = p->stays};
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
      write_feeder(&w, p->head->head, p->head->suffix, at, with,
                   tsr__tiling_keeps_weights(p, t) ? "ys co" : at);
    }
  }
  return w.status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A tiling as a schedule: the lines of docs/accelerator-target.md, with its numbers. */
#include <stdio.h>

#include "compiler/target/accel/plan.h"

struct writer {
  struct tir_sched *s;
  struct tsr_err *err;
  enum tsr_status status;
};

__attribute__((format(printf, 2, 3))) static void line(struct writer *w, const char *format, ...)
{
  char text[256];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (!w->status)
    w->status = tir_sched_apply(w->s, w->err, text);
}

/* The result's loops: tiles outside, entries inside; the name of the innermost tile loop is "wo". */
static void tile_result(struct writer *w, const struct tsr__tiling *t)
{
  line(w, "cache_write y out ys");
  static const struct {
    const char *loop, *outer, *inner;
  } row[DIMS] = {{"cb", "co", "ci"}, {"h", "ho", "hi"}, {"w", "wo", "wi"}, {"nb", "no", "ni"}};
  for (int k = 0; k < DIMS; k++) {
    line(w, "split ys %s %lld %s %s", row[k].loop, (long long)t->tile[k], row[k].outer,
         row[k].inner);
    line(w, "pipeline ys %s 2", row[k].outer);
  }
  static const char *const order[ORDERS] = {[ORDER_WEIGHTS] = "co no ho wo",
                                            [ORDER_PLACES] = "no ho wo co",
                                            [ORDER_INPUT] = "no co ho wo"};
  line(w, "reorder ys %s ni ci hi wi b i", order[t->order]);
}

static const char *innermost(const struct tsr__tiling *t)
{
  return t->order == ORDER_PLACES ? "co" : "wo";
}

static void write_conv(struct writer *w, const struct tsr__problem *p, const struct tsr__tiling *t)
{
  const char *in = innermost(t);
  line(w, "cache_read w wgt acc ws");
  line(w, "cache_read p acc y ps");
  line(w, "set_scope xs inp");
  line(w, "set_scope acc acc");
  tile_result(w, t);
  line(w, "compute_at y ys %s", in);
  line(w, "compute_at ps ys co");
  line(w, "compute_at acc ys %s", in);
  line(w, "split acc cb %lld so si", (long long)t->slice);
  line(w, "reorder acc so nb ob si kh kw h w b o i");
  line(w, "pipeline acc so 2");
  if (t->sliced)
    line(w, "compute_at xs acc so");
  else
    line(w, "compute_at xs ys %s", t->order == ORDER_INPUT ? "no" : "wo");
  line(w, "compute_at ws %s", t->slice < p->summed ? "acc so" : "ys co");
  line(w, "tensorize acc b accel.gemm");
  line(w, "tensorize y b accel.quant");
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
  line(w, "compute_at y ys %s", in);
  line(w, "compute_at acc ys %s", in);
  line(w, "split acc kh %lld so si", (long long)t->slice);
  line(w, "reorder acc so nb cb si kw h w b i");
  line(w, "pipeline acc so 2");
  if (t->slice < p->summed)
    line(w, "compute_at xs acc so");
  else
    line(w, "compute_at xs ys %s", in);
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

static void write_elementwise(struct writer *w, const struct tsr__problem *p,
                              const struct tsr__tiling *t)
{
  static const char *const scopes[] = {"xs inp", "zs inp", "xa acc", "za acc", "acc acc"};
  static const char *const inner[] = {"y", "acc", "xa", "za", "xs", "zs"};
  bool sum = p->node->op == TSR_G_AccAdd;
  line(w, "cache_read k acc xa kx");
  line(w, "cache_read k acc za kz");
  line(w, "cache_read p acc y ps");
  for (int k = 0; k < 5; k++)
    line(w, "set_scope %s", scopes[k]);
  tile_result(w, t);
  for (int k = 0; k < 6; k++)
    line(w, "compute_at %s ys %s", inner[k], innermost(t));
  line(w, "tensorize xa b accel.%s", sum ? "scale" : "offset");
  line(w, "tensorize za b accel.%s", sum ? "scale" : "offset");
  line(w, "tensorize acc b accel.%s", sum ? "add" : "mul");
  line(w, "tensorize y b accel.quant");
}

static void write_lookup(struct writer *w, const struct tsr__tiling *t)
{
  line(w, "cache_read table lut y ts");
  line(w, "set_scope xs inp");
  tile_result(w, t);
  line(w, "compute_at y ys %s", innermost(t));
  line(w, "compute_at xs ys %s", innermost(t));
  line(w, "tensorize y b accel.lut");
}

enum tsr_status tsr__tiling_schedule(struct tsr_err *err, const struct tsr__problem *p,
                                     const struct tsr__tiling *t, struct tir_sched *s)
{
  struct writer w = {s, err, TSR_OK};
  switch (p->kind) {
  case KIND_CONV: write_conv(&w, p, t); break;
  case KIND_CHANNELWISE: write_channelwise(&w, p, t); break;
  case KIND_ELEMENTWISE: write_elementwise(&w, p, t); break;
  case KIND_LOOKUP: write_lookup(&w, t); break;
  }
  return w.status;
}

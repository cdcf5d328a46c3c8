/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compiler/target/accel/plan.h"

enum { NB, CB, PH, PW }; /* dims of a blocked value */

static void window_attributes(struct tsr__problem *p, int64_t kh, int64_t kw)
{
  int64_t pad[4];
  p->kernel[0] = p->summed = kh;
  p->kernel[1] = kw;
  tsr_node_ints(p->node, "strides", 2, 1, p->stride);
  tsr_node_ints(p->node, "dilations", 2, 1, p->dilation);
  tsr_node_ints(p->node, "pads", 4, 0, pad);
  p->pad[0] = pad[0];
  p->pad[1] = pad[1];
}

/* What is resident of its operands and its result. */
static void set_residents(const struct tsr_accel_group *g, struct tsr__problem *p)
{
  const struct tsr_accel_resident *y = tsr_accel_resident_of(g, p->node->out[0]);
  for (int k = 0; k < (p->kind == KIND_ELEMENTWISE ? 2 : 1); k++) {
    p->in_inp[k] = tsr_accel_resident_of(g, p->node->in[k]) != NULL;
    p->operands -= p->in_inp[k];
  }
  p->stays = y != NULL;
  for (int k = 0; y && k < 2; k++) {
    p->padding[k] = y->before[k] + y->after[k];
    p->out[ROWS + k] += p->padding[k];
  }
  if (g->shares)
    p->inp = g->inp_to - g->inp_from;
}

static struct tsr__problem of_node(const struct tsr_accel_group *g, const struct tsr_node *n,
                                   const struct tsr_design *d)
{
  const int64_t *y = n->out[0]->dims;
  struct tsr__problem p = {.node = n,
                           .suffix = "",
                           .out = {y[CB], y[PH], y[PW], y[NB]},
                           .in = {n->in[0]->dims[PH], n->in[0]->dims[PW]},
                           .operands = 1,
                           .work = 1,
                           .kernel = {1, 1},
                           .stride = {1, 1},
                           .dilation = {1, 1},
                           .summed = 1,
                           .kind = KIND_CHANNELWISE,
                           .inp = tsr_design_depth(d, TSR_BUFFER_INP),
                           .wgt = tsr_design_depth(d, TSR_BUFFER_WGT),
                           .acc = tsr_design_depth(d, TSR_BUFFER_ACC) / 2,
                           .out_entries = tsr_design_depth(d, TSR_BUFFER_OUT),
                           .beat = tsr_design_beat(d),
                           .entry = tsr_design_dram_entry(d, TSR_BUFFER_INP),
                           .weight_entry = tsr_design_dram_entry(d, TSR_BUFFER_WGT)};
  const int64_t *w = n->inputs > 1 ? n->in[1]->dims : NULL;
  int64_t kernel[2];
  tsr_node_ints(n, "kernel", 2, 1, kernel);
  switch (n->op) {
  case TSR_G_AccConv:
    p.kind = KIND_CONV;
    p.params = 3;
    p.vector_steps = 1;
    window_attributes(&p, w[2], w[3]);
    p.summed = w[0];
    break;
  case TSR_G_AccDepthwise:
    window_attributes(&p, w[1], w[2]);
    p.params = 3 + w[1] * w[2];
    p.vector_steps = w[1] * w[2] + 1;
    break;
  case TSR_G_AccMaxPool:
  case TSR_G_AccAvgPool:
    window_attributes(&p, kernel[0], kernel[1]);
    p.fixed_params = n->op == TSR_G_AccAvgPool ? 3 : 0;
    p.vector_steps = kernel[0] * kernel[1] + 1;
    break;
  case TSR_G_AccLut:
    p.kind = KIND_LOOKUP;
    p.work = 0;
    p.vector_steps = 1;
    break;
  default:
    p.kind = KIND_ELEMENTWISE;
    p.operands = 2;
    p.work = n->op == TSR_G_AccAdd ? 1 : 2; /* AccMul: both factors */
    p.fixed_params = 3 + 2 * 2;             /* p, and both vectors of k for each operand */
    p.vector_steps = n->op == TSR_G_AccAdd ? 3 : 4;
  }
  set_residents(g, &p);
  return p;
}

/* The tail's share in the numbers of the convolution. */
static void add_tail(struct tsr__problem *p, const struct tsr__problem *tail)
{
  p->tail = tail;
  p->stays = tail->stays;
  memcpy(p->padding, tail->padding, sizeof p->padding);
  memcpy(p->out, tail->out, sizeof p->out);
  p->beside = tail->operands - 1;
  p->fixed_params += tail->fixed_params;
  p->vector_steps += tail->vector_steps;
  p->work = tail->work > p->work ? tail->work : p->work;
}

struct tsr__problem tsr__problem_of(struct tsr_arena *a, const struct tsr_accel_group *g,
                                    const struct tsr_design *d)
{
  struct tsr__problem *part = TSR_NEW_ARRAY(a, struct tsr__problem, g->nodes);
  int last = g->nodes - 1;
  for (int k = 0; k < g->nodes; k++) {
    part[k] = of_node(g, g->node[k], d);
    part[k].suffix = tsr_accel_group_suffix(g, k);
  }
  if (last > 0 && (part[last].kind == KIND_ELEMENTWISE || part[last].kind == KIND_LOOKUP)) {
    last--;
    add_tail(&part[last], &part[last + 1]);
  }
  for (int k = 1; k <= last; k++)
    part[k].head = &part[k - 1];
  return part[last];
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which values stay in INP from the layer that makes them to the last that reads them: no STORE, no LOAD, no
 * memory. Each is tried in its turn. It costs room: of the layers in its life those that need more than is
 * left are planned anew, as its maker and its readers are. What all of these take, cycles and bytes, decides. */
#include <string.h>

#include "compiler/target/accel/plan.h"

/* What it costs less has to be this part of what it costs: in a network a layer takes some cycles more or fewer
 * than it was measured with. */
enum { WORTH = 256 };

struct planner {
  struct tsr_accel_planning *planning;
  int layers;
  struct tsr_accel_group *const *layer; /* NULL: the CPU's */
  const int *part;
  uint32_t room;  /* entries of INP */
  uint32_t *need; /* of each layer, as it is planned; UINT32_MAX: it is not known */
  int count;      /* of what is resident, in the order in which it comes to be */
  struct tsr_accel_resident **resident;
};

/* --- what a value would need ------------------------------------------------------------------ */

static int64_t larger(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* The padding that operand k of the node has around it, the same or larger than before; false where there is
 * one of another value already. */
static bool add_padding(struct planner *m, struct tsr_node *n, int k, bool *padded,
                        struct tsr_accel_resident *r)
{
  struct tsr_accel_group alone = {.nodes = 1, .node = {n}};
  struct tsr__problem p = tsr__problem_of(m->planning->arena, &alone, m->planning->design);
  int64_t pad = n->op == TSR_G_AccMaxPool ? INT8_MIN : tsr_node_int(n, "x_zero", 0), all = 0;
  if (p.kind != KIND_CONV && p.kind != KIND_CHANNELWISE)
    return true;
  for (int d = 0; d < 2 && k == 0; d++) {
    int64_t reach = (p.out[ROWS + d] - 1) * p.stride[d] + (p.kernel[d] - 1) * p.dilation[d] + 1;
    int64_t after = larger(reach - p.pad[d] - p.in[d], 0);
    r->before[d] = larger(r->before[d], p.pad[d]);
    r->after[d] = larger(r->after[d], after);
    all += p.pad[d] + after;
  }
  if (all && *padded && r->pad != pad)
    return false;
  r->pad = all ? pad : r->pad;
  *padded |= all > 0;
  return true;
}

/* The layer that the node is in; -1: the CPU has it, or it is a view. */
static int layer_of(const struct planner *m, const struct tsr_node *n)
{
  for (int i = 0; i < m->layers; i++)
    for (int k = 0; m->layer[i] && k < m->layer[i]->nodes; k++)
      if (m->layer[i]->node[k] == n)
        return i;
  return -1;
}

static bool add_reader(struct planner *m, struct tsr_node *n, bool *padded,
                       struct tsr_accel_resident *r)
{
  for (int k = 0; k < n->inputs; k++) {
    if (n->in[k] != r->value)
      continue;
    int layer = layer_of(m, n);
    if (layer < 0 || m->part[layer] != m->part[r->first] || !add_padding(m, n, k, padded, r))
      return false;
    r->last = layer > r->last ? layer : r->last;
  }
  return true;
}

/* The result of a layer as a resident value; false where it has to be in memory. */
static bool may_stay(struct planner *m, int layer, struct tsr_accel_resident *r)
{
  const struct tsr_graph *g = m->planning->graph;
  const struct tsr_accel_group *group = m->layer[layer];
  const struct tsr_value *v = group->node[group->nodes - 1]->out[0];
  bool padded = false;
  *r = (struct tsr_accel_resident){.value = v, .first = layer, .last = layer};
  for (int k = 0; k < g->outputs; k++)
    if (g->output[k] == v)
      return false;
  for (int k = 0; k < g->nodes; k++)
    if (!add_reader(m, g->node[k], &padded, r))
      return false;
  int64_t entries = v->dims[0] * v->dims[1]; /* images, blocks of channels */
  for (int d = 0; d < 2; d++)
    entries *= v->dims[2 + d] + r->before[d] + r->after[d];
  r->entries = entries <= m->room ? (uint32_t)entries : 0;
  return r->last > layer && r->entries > 0;
}

/* --- trying it -------------------------------------------------------------------------------- */

/* What is resident of the layer's operands, in their order, and its result. */
static bool set_residents(const struct planner *m, int layer, struct tsr_accel_group *g)
{
  int inputs;
  struct tsr_value **in = tsr_accel_group_inputs(m->planning->arena, g, &inputs);
  const struct tsr_value *last = g->node[g->nodes - 1]->out[0];
  g->residents = 0;
  g->shares = true;
  for (int i = 0; i <= inputs; i++)
    for (int k = 0; k < m->count; k++) {
      const struct tsr_value *v = i < inputs ? in[i] : last;
      if (m->resident[k]->value != v || tsr_accel_resident_of(g, v))
        continue;
      if (g->residents == TSR_ACCEL_MOST_RESIDENT)
        return false;
      g->resident[g->residents++] = m->resident[k];
    }
  tsr__allot_rest((const struct tsr_accel_resident *const *)m->resident, m->count, m->room, layer,
                  &g->inp_from, &g->inp_to);
  return true;
}

/* Entries of INP that the layer's buffers have. */
static uint32_t need_of(struct planner *m, int layer)
{
  struct tsr_arena *a = m->planning->arena;
  struct tsr__inventory *v = TSR_NEW(a, struct tsr__inventory);
  struct tir_program *program;
  uint32_t *need = &m->need[layer];
  if (*need != UINT32_MAX)
    return *need;
  if (tir_lower(a, NULL, m->layer[layer]->found.schedule, &program) ||
      tsr__inventory_of(a, NULL, m->planning->design, program, v))
    return *need;
  *need = 0;
  for (int k = 0; k < v->count; k++)
    if (v->place[k].buffer->scope == TIR_INP)
      *need += (uint32_t)v->place[k].depth *
               tsr__layout_entries(m->planning->design, v->place[k].buffer);
  return *need;
}

/* All layers as they are with v resident, too: planned anew where they touch it, or need more of INP than is
 * left. Whether that costs less. */
static bool is_better(struct planner *m, const struct tsr_value *v, struct tsr_accel_group *trial,
                      bool *anew)
{
  uint64_t before = 0, after = 0;
  for (int i = 0; i < m->layers; i++) {
    anew[i] = false;
    if (!m->layer[i])
      continue;
    trial[i] = *m->layer[i];
    if (!set_residents(m, i, &trial[i]))
      return false;
    anew[i] = tsr_accel_resident_of(&trial[i], v) ||
              need_of(m, i) > trial[i].inp_to - trial[i].inp_from;
    if (!anew[i])
      continue;
    before += m->layer[i]->found.cost;
    if (tsr_accel_group_plan(m->planning, NULL, NULL, &trial[i]))
      return false;
    after += trial[i].found.cost;
  }
  return after + before / WORTH < before;
}

static void keep(struct planner *m, const struct tsr_accel_group *trial, const bool *anew)
{
  for (int i = 0; i < m->layers; i++) {
    if (!m->layer[i])
      continue;
    *m->layer[i] = trial[i];
    m->need[i] = anew[i] ? UINT32_MAX : m->need[i];
  }
}

/* Where everything lay before. */
static void take_back(struct planner *m)
{
  m->count--;
  tsr__allot(m->resident, m->count, m->room);
}

static void consider(struct planner *m, int layer)
{
  struct tsr_arena *a = m->planning->arena;
  struct tsr_accel_resident *r = TSR_NEW(a, struct tsr_accel_resident);
  struct tsr_accel_group *trial = TSR_NEW_ARRAY(a, struct tsr_accel_group, m->layers);
  bool *anew = TSR_NEW_ARRAY(a, bool, m->layers);
  if (!may_stay(m, layer, r))
    return;
  m->resident[m->count++] = r;
  if (tsr__allot(m->resident, m->count, m->room) && is_better(m, r->value, trial, anew))
    keep(m, trial, anew);
  else
    take_back(m);
}

/* --- all of them ------------------------------------------------------------------------------ */

static enum tsr_status give_schedule(const struct planner *m, struct tsr_err *err)
{
  struct tsr_accel_planning *p = m->planning;
  enum tsr_status status = TSR_OK;
  for (int i = 0; i < m->layers && p->schedule && !status; i++)
    if (m->layer[i] && !strcmp(m->layer[i]->node[0]->name, p->layer))
      status = tsr_accel_group_plan(p, err, p->schedule, m->layer[i]);
  return status;
}

enum tsr_status tsr_accel_residents(struct tsr_accel_planning *p, struct tsr_err *err, int layers,
                                    struct tsr_accel_group *const *layer, const int *part,
                                    struct tsr_accel_resident ***out, int *count)
{
  struct planner m = {.planning = p, .layers = layers, .layer = layer, .part = part};
  m.room = (uint32_t)tsr_design_depth(p->design, TSR_BUFFER_INP);
  m.need = TSR_NEW_ARRAY(p->arena, uint32_t, layers + 1);
  m.resident = TSR_NEW_ARRAY(p->arena, struct tsr_accel_resident *, layers + 1);
  for (int i = 0; i < layers; i++)
    m.need[i] = UINT32_MAX;
  for (int i = 0; i < layers && !p->apart; i++)
    if (layer[i])
      consider(&m, i);
  *out = m.resident;
  *count = m.count;
  return give_schedule(&m, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rtl/uops.h"

#include <stdlib.h>

/* An instruction, and how many of each engine's have ended before it starts, in any order that
 * tokens allow. */
struct node {
  struct tsr_insn insn;
  int engine;  /* FETCH: none that tokens order */
  size_t turn; /* from 1, among its engine's */
  size_t after[TSR_ENGINE_COUNT];
  size_t taken[TSR_ENGINE_COUNT],
      given[TSR_ENGINE_COUNT]; /* tokens of its engine, itself included */
};

static bool open_node(struct node *n, const uint8_t *word)
{
  *n = (struct node){.engine = TSR_ENGINE_FETCH};
  if (tsr_insn_decode(word, &n->insn) != TSR_TRAP_NONE || n->insn.opcode == TSR_OP_FINISH)
    return false;
  n->engine = tsr_insn_engine(&n->insn);
  return true;
}

/* The program's instructions up to one that stops it. */
static size_t open_nodes(struct node *nodes, const struct tsr_program *p)
{
  const struct node *latest[TSR_ENGINE_COUNT] = {NULL};
  size_t count = 0;
  while (count < p->insn_count && open_node(&nodes[count], p->insns + count * TSR_INSN_BYTES)) {
    struct node *n = &nodes[count++];
    const struct node *before = latest[n->engine];
    n->turn = before ? before->turn + 1 : 1;
    for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
      n->taken[e] = (before ? before->taken[e] : 0) + (n->insn.wait >> e & 1);
      n->given[e] = (before ? before->given[e] : 0) + (n->insn.signal >> e & 1);
    }
    latest[n->engine] = n;
  }
  return count;
}

static bool raise_to(size_t *value, size_t least)
{
  bool more = *value < least;
  if (more)
    *value = least;
  return more;
}

/* What has ended before `first` starts has ended before `then` does, as has `first`. */
static bool follow(struct node *then, const struct node *first)
{
  bool more = raise_to(&then->after[first->engine], first->turn);
  for (int e = 0; e < TSR_ENGINE_COUNT; e++)
    more |= raise_to(&then->after[e], first->after[e]);
  return more;
}

/* The giver of the k-th token from one engine to another. */
static const struct node *giver(const struct node *nodes, size_t count, int from, int to, size_t k)
{
  for (size_t i = 0; i < count; i++)
    if (nodes[i].engine == from && nodes[i].insn.signal >> to & 1 && nodes[i].given[to] == k)
      return &nodes[i];
  return NULL;
}

static bool order_node(struct node *nodes, size_t count, size_t at)
{
  struct node *n = &nodes[at];
  bool more = false;
  for (size_t i = 0; i < at; i++)
    if (nodes[i].engine == n->engine && nodes[i].turn + 1 == n->turn)
      more |= follow(n, &nodes[i]);
  for (int from = 0; from < TSR_ENGINE_COUNT; from++) {
    const struct node *first =
        n->insn.wait >> from & 1 ? giver(nodes, count, from, n->engine, n->taken[from]) : NULL;
    if (first)
      more |= follow(n, first);
  }
  return more;
}

/* Until nothing is added; a deadlock's circle ends where all is before all. */
static void order(struct node *nodes, size_t count)
{
  bool more = true;
  while (more) {
    more = false;
    for (size_t i = 0; i < count; i++)
      more |= order_node(nodes, count, i);
  }
}

static uint64_t loaded(const struct tsr_insn *i)
{
  if (i->opcode != TSR_OP_LOAD || i->dma.buffer != TSR_BUFFER_UOP)
    return 0;
  return (uint64_t)(i->dma.xl + i->dma.nx + i->dma.xr) *
         (uint64_t)(i->dma.yl + i->dma.ny + i->dma.yr) * i->dma.nz;
}

static bool meet(const struct node *load, const struct node *loop)
{
  const struct tsr_insn *a = &load->insn, *b = &loop->insn;
  bool apart = a->dma.sram + loaded(a) <= b->loop.uop_begin ||
               (uint64_t)b->loop.uop_begin + b->loop.uop_count <= a->dma.sram;
  bool ordered = loop->after[load->engine] >= load->turn || load->after[loop->engine] >= loop->turn;
  return !apart && !ordered;
}

bool uops_race(const struct tsr_program *program)
{
  struct node *nodes = calloc(program->insn_count + 1, sizeof *nodes);
  bool race = false;
  if (!nodes)
    abort();
  size_t count = open_nodes(nodes, program);
  order(nodes, count);
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; loaded(&nodes[i].insn) && k < count; k++)
      if (tsr_opcode_format(nodes[k].insn.opcode) == TSR_FORMAT_LOOP)
        race |= meet(&nodes[i], &nodes[k]);
  free(nodes);
  return race;
}

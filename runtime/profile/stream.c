/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules of a graph need to know of its instructions and bursts. */
#include <stdlib.h>
#include <string.h>

#include "runtime/profile/graph_nodes.h"
#include "verify/check.h"

/* --- instructions ----------------------------------------------------------------------------- */

static bool in_acc(int buffer)
{
  return buffer == TSR_BUFFER_ACC || buffer == TSR_BUFFER_ACC8;
}

/* A transfer's beats, a row at a time, and the cycles that it takes besides: its padding. */
static void size_transfer(const struct tsr_design *d, struct tsr__work *w)
{
  const struct tsr_insn *i = &w->insn;
  uint64_t beat = (uint64_t)tsr_design_beat(d);
  uint64_t bytes = (uint64_t)i->dma.nx * (uint64_t)tsr_design_dram_entry(d, i->dma.buffer);
  uint64_t row = (bytes + beat - 1) / beat;
  uint64_t data = (uint64_t)i->dma.ny * i->dma.nz;
  uint64_t entries = tsr_check_dma_entries(i);
  w->beats = (uint32_t)(row * data);
  w->pads = (uint32_t)(entries - i->dma.nx * data);
  if (i->dma.buffer == TSR_BUFFER_UOP && beat > TSR_UOP_BYTES)
    w->pads = (uint32_t)(entries - w->beats); /* each has a cycle of its own */
  uint64_t half = (uint64_t)tsr_design_depth(d, TSR_BUFFER_ACC) / 2;
  if (in_acc(i->dma.buffer))
    w->locks = (i->dma.sram < half ? 1u : 0u) | (i->dma.sram + entries > half ? 2u : 0u);
  if (i->dma.buffer == TSR_BUFFER_INP)
    w->locks = 4;
}

static void size_nest(struct tsr__work *w)
{
  const struct tsr_insn *i = &w->insn;
  w->points = tsr_check_loop_points(i);
  w->locks = i->loop.banks & 3;
  if (w->engine == TSR_ENGINE_VECTOR && i->loop.dst == TSR_DST_INP)
    w->locks |= 4;
}

static void read_insns(struct tsr_graph *g)
{
  const struct tsr_record *r = g->record;
  for (uint32_t i = 0; i < g->insns; i++) {
    struct tsr__work *w = &g->work[i];
    size_t index = g->run->first_insn + i;
    if (tsr_insn_decode(r->module->insns + index * TSR_INSN_BYTES, &w->insn) != TSR_TRAP_NONE)
      continue;
    w->engine = tsr_insn_engine(&w->insn);
    w->ran = r->insn[index].retired != 0 && w->engine < TSR_ENGINE_COUNT;
    if (tsr_opcode_format(w->insn.opcode) == TSR_FORMAT_DMA)
      size_transfer(g->design, w);
    if (tsr_opcode_format(w->insn.opcode) == TSR_FORMAT_LOOP)
      size_nest(w);
  }
}

/* --- lists ------------------------------------------------------------------------------------ */

static struct tsr__list list_of(struct tsr_graph *g, uint32_t most)
{
  return (struct tsr__list){TSR_NEW_ARRAY(g->arena, uint32_t, most + 1), 0};
}

static void add(struct tsr__list *list, uint32_t item)
{
  list->item[list->count++] = item;
}

static void list_insn(struct tsr_graph *g, uint32_t i)
{
  struct tsr__work *w = &g->work[i];
  w->place = g->engine[w->engine].count;
  add(&g->engine[w->engine], i);
  for (int other = 0; other < TSR_ENGINE_COUNT; other++) {
    if (w->insn.signal >> other & 1)
      add(&g->give[w->engine][other], i);
    if (w->insn.wait >> other & 1)
      add(&g->take[other][w->engine], i);
  }
}

/* An array that holds `count` instructions of every engine in the graph. */
static void make_lists(struct tsr_graph *g)
{
  uint32_t per[TSR_ENGINE_COUNT] = {0};
  for (uint32_t i = 0; i < g->insns; i++)
    if (g->work[i].ran)
      per[g->work[i].engine]++;
  for (int e = 0; e < TSR_ENGINE_COUNT; e++) {
    g->engine[e] = list_of(g, per[e]);
    for (int other = 0; other < TSR_ENGINE_COUNT; other++) {
      g->give[e][other] = list_of(g, per[e]);
      g->take[other][e] = list_of(g, per[e]);
    }
  }
  for (uint32_t i = 0; i < g->insns; i++)
    if (g->work[i].ran)
      list_insn(g, i);
}

/* --- bursts ----------------------------------------------------------------------------------- */

/* Of one cycle the read's address comes first. */
static int by_address(const void *a, const void *b)
{
  const struct tsr_cycle_burst *x = a, *y = b;
  if (x->accepted != y->accepted)
    return x->accepted < y->accepted ? -1 : 1;
  return (int)x->write - (int)y->write;
}

static void sort_bursts(struct tsr_graph *g)
{
  if (g->bursts)
    memcpy(g->burst, g->record->burst + g->run->first_burst, g->bursts * sizeof *g->burst);
  qsort(g->burst, g->bursts, sizeof *g->burst, by_address);
  g->fetched = list_of(g, g->bursts);
  g->loaded = list_of(g, g->bursts);
  g->stored = list_of(g, g->bursts);
  g->reads = list_of(g, g->bursts);
  for (uint32_t k = 0; k < g->bursts; k++) {
    add(g->burst[k].write ? &g->stored : g->burst[k].id ? &g->loaded : &g->fetched, k);
    g->place[k] = g->reads.count;
    if (!g->burst[k].write)
      add(&g->reads, k);
  }
}

/* The bursts of an engine come in the order of its transfers, each its own beats. */
static void share_bursts(struct tsr_graph *g, const struct tsr__list *insns,
                         const struct tsr__list *bursts)
{
  uint32_t next = 0;
  for (uint32_t k = 0; k < insns->count; k++) {
    struct tsr__work *w = &g->work[insns->item[k]];
    w->first_burst = next;
    for (uint32_t beats = 0; beats < w->beats && next < bursts->count; next++) {
      beats += (uint32_t)g->burst[bursts->item[next]].beats;
      g->burst_insn[bursts->item[next]] = insns->item[k];
    }
    w->bursts = next - w->first_burst;
  }
}

static void share_fetched(struct tsr_graph *g)
{
  uint64_t beats = 0, beat = (uint64_t)tsr_design_beat(g->design);
  for (uint32_t k = 0; k < g->fetched.count; k++) {
    uint64_t insn = beats * beat / TSR_INSN_BYTES;
    g->burst_insn[g->fetched.item[k]] = (uint32_t)(insn < g->insns ? insn : g->insns - 1);
    beats += (uint64_t)g->burst[g->fetched.item[k]].beats;
  }
}

void tsr__read_stream(struct tsr_graph *g)
{
  g->work = TSR_NEW_ARRAY(g->arena, struct tsr__work, g->insns);
  read_insns(g);
  make_lists(g);
  g->burst = TSR_NEW_ARRAY(g->arena, struct tsr_cycle_burst, g->bursts + 1);
  g->burst_insn = TSR_NEW_ARRAY(g->arena, uint32_t, g->bursts + 1);
  g->place = TSR_NEW_ARRAY(g->arena, uint32_t, g->bursts + 1);
  sort_bursts(g);
  share_bursts(g, &g->engine[TSR_ENGINE_LOAD], &g->loaded);
  share_bursts(g, &g->engine[TSR_ENGINE_STORE], &g->stored);
  share_fetched(g);
}

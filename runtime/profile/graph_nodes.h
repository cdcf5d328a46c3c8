/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of a graph: nodes, edges, and what the rules need to know of a stream. */
#ifndef TSR_RUNTIME_PROFILE_GRAPH_NODES_H
#define TSR_RUNTIME_PROFILE_GRAPH_NODES_H

#include "runtime/profile/graph.h"

/* Moments in the order in which those of one cycle are looked at, but for those of a write. */
enum tsr__moment {
  /* Of a burst. */
  TSR__FIRST,
  TSR__LAST,
  TSR__ACCEPTED,
  TSR__MOVED,
  /* Of an instruction. */
  TSR__QUEUED,
  TSR__START,
  TSR__GRANTED,
  TSR__END,
  TSR__RETIRED,
  TSR__FINISH
};
enum { TSR__BURST_NODES = 4, TSR__INSN_NODES = 5 };

/* `fixed` cycles, and `scaled` more: cycles that a faster engine or bus cuts, or bytes that the pins
 * move. */
struct tsr__edge {
  uint32_t from, to;
  uint32_t next, next_out; /* 1 + another edge of the same `to`, of the same `from`; 0: none */
  int32_t fixed;
  uint32_t scaled;
  uint8_t cause;
};

struct tsr__node {
  uint64_t cycle; /* measured; of MOVED: of its address */
  uint32_t insn;  /* of the run */
  uint32_t rest;  /* cycles */
  uint32_t edge;  /* 1 + the first that leads to it; 0: none */
  uint32_t out;   /* 1 + the first that leads away */
  uint32_t needs; /* nodes that are before it, by edges */
  uint8_t moment, engine;
};

enum { TSR__CHUNK = 1 << 14 }; /* edges */

/* What an instruction is to the rules. */
struct tsr__work {
  struct tsr_insn insn;
  int engine;
  bool ran;
  uint32_t place;               /* among those of its engine */
  uint64_t points;              /* of a nest */
  uint32_t beats, pads;         /* of LOAD and STORE: cycles of data, and of padding */
  uint32_t locks;               /* bit 0, 1: a bank of ACC; 2: writing INP */
  uint32_t first_burst, bursts; /* in the list of its kind */
};

/* Indices of instructions, or of bursts. */
struct tsr__list {
  uint32_t *item;
  uint32_t count;
};

struct tsr_graph {
  struct tsr_arena *arena;
  const struct tsr_record *record;
  const struct tsr_record_run *run;
  const struct tsr_design *design;
  struct tsr__pins pins;
  uint64_t unit; /* of a time below: 1/unit cycles */
  struct tsr__node *node;
  uint32_t nodes, edges, chunks;
  uint64_t excess; /* cycles that edges said too much */
  struct tsr__edge **chunk;
  /* Of the latest evaluation, by node: its time, and how many nodes before it have none yet; nodes
   * that lack nothing more. */
  uint64_t *time;
  uint32_t *needs, *ready;
  uint32_t ready_count;
  struct tsr__work *work;
  struct tsr_cycle_burst *burst; /* in the order of their addresses */
  uint32_t insns, bursts;
  struct tsr__list engine[TSR_ENGINE_COUNT];
  struct tsr__list give[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT]; /* from, to */
  struct tsr__list take[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT];
  struct tsr__list fetched, loaded, stored, reads; /* bursts; reads: of both */
  uint32_t (*chain)[2]; /* by burst: edges from the burst that had the pins before */
  uint32_t *place;      /* by burst, of a read: its place among the reads */
  uint32_t *burst_insn; /* by burst: whose it is, of fetch the first in it */
};

static inline uint32_t tsr__insn_node(uint32_t insn, enum tsr__moment moment)
{
  return insn * TSR__INSN_NODES + (uint32_t)(moment - TSR__QUEUED);
}

static inline uint32_t tsr__burst_node(const struct tsr_graph *g, uint32_t burst,
                                       enum tsr__moment moment)
{
  return g->insns * TSR__INSN_NODES + burst * TSR__BURST_NODES + (uint32_t)moment;
}

static inline uint32_t tsr__finish_node(const struct tsr_graph *g)
{
  return g->nodes - 1;
}

static inline struct tsr__edge *tsr__edge_at(const struct tsr_graph *g, uint32_t k)
{
  return &g->chunk[(k - 1) / TSR__CHUNK][(k - 1) % TSR__CHUNK];
}

/* stream.c: what the instructions are, who gives tokens to whom, whose the bursts are. */
void tsr__read_stream(struct tsr_graph *g);
/* rules.c: all edges. */
void tsr__add_rules(struct tsr_graph *g);
/* graph.c: `to` is not before `from` + fixed + scaled. Kept only where `from` comes first in the
 * order of time; weighs at most what was measured. */
void tsr__add_edge(struct tsr_graph *g, uint32_t from, uint32_t to, enum tsr_cause cause,
                   int32_t fixed, uint32_t scaled);
/* The pins move burst after burst: `bytes` of this one behind all of the one before, and `beat` of
 * them, and `later` cycles, are before its first beat. */
void tsr__add_chain(struct tsr_graph *g, uint32_t burst, enum tsr_cause cause, int32_t later,
                    uint32_t bytes, uint32_t beat);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A run as a graph: what had to wait for what.
 *
 * Nodes are moments: of an instruction (is in its queue, starts, has its locks, ends, retires), of
 * a burst (its address is accepted, the memory's pins have moved it, its first and its last beat
 * move), and the end of the run. An edge says that a moment is at least so many cycles after
 * another; edges are the machine's rules (docs/rtl.md) applied to the stream: the k-th token that
 * is taken is the k-th that was given, a lock goes from its last holder to the next, and so on. A
 * moment that came later than all its edges say has a rest, which belongs to it.
 *
 * So the longest path through the graph is as long as the run was, exactly. With other weights it
 * tells how long the run would have been, as long as grants, and the order of bursts, stay as they
 * were. */
#ifndef TSR_RUNTIME_PROFILE_GRAPH_H
#define TSR_RUNTIME_PROFILE_GRAPH_H

#include "runtime/profile/record.h"

enum tsr_cause {
#define TSR_CAUSE(name, text, meaning) TSR_CAUSE_##name,
#include "runtime/profile/causes.def"
#undef TSR_CAUSE
  TSR_CAUSES
};
const char *tsr_cause_name(int cause);
const char *tsr_cause_meaning(int cause);

/* The memory of a design point as the graph sees it. */
struct tsr__pins {
  uint64_t rate; /* bytes that move in `per` cycles, reads and writes together; 0: no limit */
  uint64_t per;
  uint64_t latency; /* cycles; of the models that have one */
};
struct tsr__pins tsr__pins_of(const struct tsr_design *design);

/* How much faster each is, 0 counts as 1; and what takes no time. */
struct tsr_scenario {
  unsigned pins, bus, matrix, vector;
  bool no_latency, free_tokens, free_locks, free_fetch, free_order;
};

struct tsr_graph;

/* The graph of one run of a record. The record outlives it; it lives in the arena. */
struct tsr_graph *tsr_graph_build(struct tsr_arena *arena, const struct tsr_record *record,
                                  const struct tsr_record_run *run);
/* Cycles of the run under other circumstances; {0}: the cycles that were measured. */
uint64_t tsr_graph_cycles(struct tsr_graph *graph, const struct tsr_scenario *scenario);

/* One step of the longest path, as it was measured: from its end to its beginning. */
struct tsr_path_step {
  int engine; /* whose moment the step leads to; TSR_ENGINE_FETCH too */
  enum tsr_cause cause;
  size_t insn;     /* that the moment belongs to */
  uint64_t cycles; /* they sum up to the run's */
};
void tsr_graph_path(struct tsr_graph *graph,
                    void (*step)(void *context, const struct tsr_path_step *step), void *context);

/* Cycles of rests, of all nodes: what the rules leave unexplained, on the longest path or not. */
uint64_t tsr_graph_rests(const struct tsr_graph *graph);
/* Cycles that rules ask for and that were not there: edges weigh so much less. */
uint64_t tsr_graph_excess(const struct tsr_graph *graph);

#endif

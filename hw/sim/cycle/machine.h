/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the cycle model share.
 *
 * A machine is seven parts: five engines and the two halves of its AXI port. Each knows the next
 * cycle in which something happens to it, its `wake`; the clock goes from one to the next. What one
 * part tells another is seen in the cycle after, as in the Verilog every such path goes through a
 * register; the exceptions, who gets a lock and who asks for a burst, fix the order of the parts
 * within a cycle. Cycles in which a part is not looked at are those in which its state stays. */
#ifndef TSR_HW_SIM_CYCLE_MACHINE_H
#define TSR_HW_SIM_CYCLE_MACHINE_H

#include "hw/sim/cycle/cycle.h"
#include "hw/sim/cycle/points.h"
#include "hw/sim/cycle/rows.h"
#include "hw/sim/func/func.h"

/* In the order in which a cycle is worked through: locks go to the engine nearest to the end of the
 * line; fetch goes before load on AR; reads go before writes to the memory. */
enum tsr__part {
  TSR__PART_FETCH,
  TSR__PART_STORE,
  TSR__PART_VECTOR,
  TSR__PART_MATRIX,
  TSR__PART_LOAD,
  TSR__PART_READS,
  TSR__PART_WRITES,
  TSR__PARTS
};

enum { TSR__IN_FLIGHT = 4 };     /* TSR_IN_FLIGHT of hw/rtl/tessera.vh */
enum { TSR__LOCKS = 3 };         /* ACC bank 0, ACC bank 1, INP's write port */
enum { TSR__CHECK_CYCLES = 13 }; /* hw/rtl/dma_front.v: from an instruction to the answer */
enum { TSR__MOST_BURSTS = 64, TSR__LONGEST_BURST = 256 }; /* keys.def: outstanding; beats */
enum { TSR__LARGEST_ROOM = 2 * TSR__LONGEST_BURST };      /* beats that fetch has room for */

#define TSR__NEVER TSR_CYCLE_NEVER

static inline uint64_t tsr__later(uint64_t a, uint64_t b)
{
  return a > b ? a : b;
}

static inline uint64_t tsr__sooner(uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

/* --- queues ----------------------------------------------------------------------------------- */

/* An instruction from fetch to its end; cycles as in struct tsr_cycle_insn. */
struct tsr__entry {
  struct tsr_insn insn;
  size_t index;
  uint64_t queued, start, granted, end;
  uint32_t locks;
  uint64_t bursts; /* of STORE: so many must have been answered, of all so far */
};

/* The instructions of an engine, in a ring; they go through four steps, each counted. */
struct tsr__queue {
  struct tsr__entry *ring;
  uint64_t mask;
  uint64_t pushed, started, ended, retired;
  uint64_t retired_at; /* cycle of the latest; 0: none */
};

static inline struct tsr__entry *tsr__entry_at(const struct tsr__queue *q, uint64_t k)
{
  return &q->ring[k & q->mask];
}

/* --- engines ---------------------------------------------------------------------------------- */

/* The cycles that an engine has been accounted for, and the state of those behind. */
struct tsr__account {
  uint64_t next;          /* the first cycle that is not accounted for */
  struct tsr_stand stand; /* in the one before it */
  uint32_t waits;         /* engines that were waited for when it was last seen waiting */
};

struct tsr__fetch {
  struct tsr__rows rows;
  uint64_t ask_from; /* its next burst can be asked for; NEVER: no room, or none */
  uint64_t asked;    /* beats */
  uint64_t arrived;  /* beats, those included of which only the cycle is known */
  uint64_t arrival[TSR__LARGEST_ROOM], taken_at[TSR__LARGEST_ROOM]; /* by beat, in a ring */
  bool error[TSR__LARGEST_ROOM];
  uint64_t steps;     /* beats, or words of a wide beat, that have gone into words */
  uint64_t last_step; /* cycle of the last of them */
  uint64_t handed_at; /* the word before left; 0: there was none */
  uint64_t word_at;   /* a word is there from this cycle on; NEVER: not known yet */
  bool word_error;
  size_t index;       /* of the word that is there, or comes */
  bool standing;      /* at FINISH or at what is no instruction, */
  uint64_t since;     /*   since this cycle */
  enum tsr_trap stop; /* NONE: FINISH */
  int waits_for;      /* engine whose queue is full; -1 */
};

enum tsr__step { TSR__TOKENS, TSR__LOCK, TSR__RUN, TSR__SIGNAL };

/* matrix and vector */
struct tsr__loops {
  enum tsr__step step;
  uint64_t from;    /* first cycle of the step */
  uint64_t first;   /* RUN: the first point is there */
  uint64_t done;    /* RUN: everything is written; NEVER: it traps before */
  uint64_t trap_at; /* NEVER: it does not */
  enum tsr_trap trap;
  struct tsr__walk walk;
};

/* The part of load and store up to the bursts. */
struct tsr__front {
  uint64_t from;  /* first cycle that waits for an instruction, or is at it */
  uint64_t ready; /* it is checked; NEVER: there is none */
  enum tsr_trap trap;
  struct tsr__rows rows;
  uint64_t burst_from;  /* the next burst can be asked for */
  uint64_t rows_free;   /* all are asked for, from this cycle on; NEVER: not yet */
  enum tsr_state state; /* of the engine, from the cycle after the latest look on */
};

/* Things that move one a cycle, in order: stretches of cycles in which one does, in a ring that has
 * room for all that may lie in the future. */
struct tsr__stretch {
  uint64_t first, moves;
  bool data; /* of a fill: else padding */
};
struct tsr__moves {
  struct tsr__stretch *ring;
  uint64_t mask, stretches;
  uint64_t count, data; /* of all since the start */
};

struct tsr__load {
  uint64_t fill_from; /* the fill can take an instruction */
  bool filling;
  uint64_t cursor; /* next move at the soonest */
  uint64_t pads;   /* moves of padding before the next beat */
  uint64_t row_pads, plane_pads, tail_pads;
  uint32_t row_beats, beats_left, ny, rows_left, planes_left; /* left: behind this one */
  bool data_over;
  uint32_t several; /* micro-ops in a beat, where these are moved one by one; else 0 */
  uint32_t nx, uops_left;
  uint32_t move_bytes;
  struct tsr__moves moves; /* of the instruction, as far as they have been placed */
  uint64_t done;           /* last move; NEVER: not known */
  uint64_t trap_at;        /* a beat with an error is taken */
};

enum tsr__send { TSR__SEND_IDLE, TSR__SEND_LOCK, TSR__SEND_OUT };

struct tsr__store {
  enum tsr__send send;
  uint64_t granted;    /* NEVER: not yet, or nothing to send */
  uint64_t beats_left; /* that have not been placed */
  uint64_t sent;       /* NEVER: not known */
  uint64_t idle_from;
};

/* --- the bus ---------------------------------------------------------------------------------- */

/* A read that has been accepted: its beats, where these are known at once. */
struct tsr__coming {
  bool known;
  int id, beats;
  struct tsr_beats when;
};

/* A burst as the observer is told of it. */
struct tsr__watched {
  struct tsr_cycle_burst ring[TSR__MOST_BURSTS];
  unsigned first, count;
};

struct tsr__reads {
  uint64_t begun, accepted, ended, popped; /* bursts; popped: ended in a cycle before this one */
  uint64_t end_at[TSR__MOST_BURSTS];       /* last beats, in a ring */
  bool asking;                             /* an address is on AR, */
  uint64_t accept;                         /*   accepted in this cycle: then AR is free again */
  int id, beats;
  uint64_t addr;
  struct tsr__coming coming[TSR__MOST_BURSTS]; /* the accepted ones, in a ring */
  bool has_run;                                /* beats that come now */
  int run_done;
  struct tsr_burst_run run;
  uint64_t look;         /* the port knows more then */
  uint64_t free;         /* R can show the next beat */
  uint64_t last, before; /* cycles in which load took its last beat, and the one before */
  uint64_t held[2];      /* beats that load has not taken came in these cycles */
  bool held_error[2];
  int held_count;
  struct tsr__watched watched[2]; /* by ID */
};

struct tsr__writes {
  uint64_t begun, accepted, filled, answered; /* bursts */
  uint64_t begun_at[TSR__MOST_BURSTS];
  int beats_of[TSR__MOST_BURSTS];
  bool asking;
  uint64_t accept, accepted_at; /* of the address on AW; of the one before */
  uint64_t addr;
  uint64_t give, last, before; /* beats: the last handed over; the last on W, and the one before */
  struct tsr__moves gives;     /* of the instruction's beats that have been placed */
  int run_beats;               /* of a run that has been placed and not been told; 0: none */
  bool run_ends;
  int taken;            /* beats of the burst in runs before that */
  uint64_t look;        /* the port knows more then */
  uint64_t answered_at; /* the latest */
  struct tsr__watched watched;
};

/* --- the machine ------------------------------------------------------------------------------ */

struct tsr_cycle {
  struct tsr_arena *arena; /* owns this struct */
  struct tsr_design design;
  struct tsr_cycle_options options;
  struct tsr_burst_port port;
  struct tsr_dram *dram; /* NULL: the port is somebody else's */
  struct tsr_func *func;
  const uint8_t *uops; /* the scratchpad's */
  uint8_t *window;
  size_t window_bytes;
  int beat_bytes, burst_beats, room; /* room: beats that fetch has place for */

  uint64_t wake[TSR__PARTS];
  uint64_t wake_again[TSR__PARTS]; /* the next one, of a part that is still to be looked at now */
  uint64_t soonest; /* no part but reads has an earlier one: tsr__rouse() keeps it so */
  uint64_t now, events;
  uint64_t program; /* bus address */
  const uint8_t *insns;
  size_t insn_count;
  struct tsr__queue queues[TSR_ENGINE_COUNT];
  struct tsr__account accounts[TSR_ENGINE_COUNT + 1];
  struct tsr__fetch fetch;
  struct tsr__loops loops[TSR_ENGINE_COUNT];  /* of matrix and vector */
  struct tsr__front fronts[TSR_ENGINE_COUNT]; /* of load and store */
  struct tsr__load load;
  struct tsr__store store;
  struct tsr__reads reads;
  struct tsr__writes writes;

  int tokens[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT];            /* [from][to] */
  uint32_t takes[TSR_ENGINE_COUNT], gives[TSR_ENGINE_COUNT]; /* in this cycle: masks of engines */
  bool moved;                                                /* some token was */
  int owner[TSR__LOCKS];                                     /* engine; -1: none */
  uint64_t lock_free[TSR__LOCKS];
  uint32_t want[TSR_ENGINE_COUNT];      /* locks that an engine waits for, */
  uint64_t want_from[TSR_ENGINE_COUNT]; /*   from this cycle on */

  bool ended;
  enum tsr_trap traps[TSR_ENGINE_COUNT + 1]; /* in this cycle */
  size_t trap_insns[TSR_ENGINE_COUNT + 1];
  bool trapped;
  struct tsr_run_result result;
};

static inline void tsr__rouse(struct tsr_cycle *m, enum tsr__part part, uint64_t cycle)
{
  uint64_t *wake = m->wake[part] <= m->now ? m->wake_again : m->wake;
  wake[part] = tsr__sooner(wake[part], cycle);
  if (part != TSR__PART_READS)
    m->soonest = tsr__sooner(m->soonest, cycle);
}

static inline enum tsr__part tsr__part_of(int engine)
{
  static const enum tsr__part parts[] = {TSR__PART_LOAD, TSR__PART_MATRIX, TSR__PART_VECTOR,
                                         TSR__PART_STORE, TSR__PART_FETCH};
  return parts[engine];
}

static inline void tsr__trap(struct tsr_cycle *m, int engine, enum tsr_trap trap, size_t insn)
{
  m->traps[engine] = trap;
  m->trap_insns[engine] = insn;
  m->trapped = true;
}

/* account.c: what engines do in their cycles. Cycles before `upto` that are not accounted for were
 * in this state; or `count` of them in one and the rest in the other. */
void tsr__spend(struct tsr_cycle *m, int engine, enum tsr_state state, uint64_t upto, size_t insn,
                uint32_t others);
/* Whom it waits for: `others`, or, when these are no longer known, as the wait is over, those that
 * there were. */
uint32_t tsr__waits(struct tsr_cycle *m, int engine, uint32_t others);
void tsr__spend_mixed(struct tsr_cycle *m, int engine, enum tsr_state state, uint64_t count,
                      enum tsr_state rest, uint64_t upto, size_t insn);
void tsr__tell(struct tsr_cycle *m, int engine, size_t insn, bool ended);
/* The head of a queue has given its tokens. */
void tsr__retire(struct tsr_cycle *m, int engine);
/* The instruction is done: its data, where there is any. */
void tsr__execute(struct tsr_cycle *m, const struct tsr__entry *entry);

/* moves.c */
void tsr__moves_start(struct tsr__moves *m);
void tsr__moves_add(struct tsr__moves *m, uint64_t first, uint64_t moves, bool data);
/* Moves in the cycles before `upto`; *data of them are of data. */
uint64_t tsr__moves_before(const struct tsr__moves *m, uint64_t upto, uint64_t *data);

/* order.c: tokens and locks. */
uint32_t tsr__missing_tokens(const struct tsr_cycle *m, int engine, uint32_t wait);
uint32_t tsr__missing_room(const struct tsr_cycle *m, int engine, uint32_t signal);
bool tsr__spare(const struct tsr_cycle *m, int engine); /* room for all in flight */
void tsr__take(struct tsr_cycle *m, int engine, uint32_t wait);
void tsr__give(struct tsr_cycle *m, int engine, uint32_t signal);
void tsr__tokens_move(struct tsr_cycle *m); /* at the end of a cycle */
/* Waits for locks from `from` on; then asks in a cycle, and releases. */
void tsr__ask_locks(struct tsr_cycle *m, int engine, uint32_t locks, uint64_t from);
bool tsr__grant(struct tsr_cycle *m, int engine);
void tsr__release(struct tsr_cycle *m, uint32_t locks);
uint32_t tsr__holders(const struct tsr_cycle *m, int engine);

/* fetch.c, loops.c, load.c, store.c, reads.c, writes.c. ..._look(): what happens in cycle m->now;
 * ..._settle(): accounts for the cycles before `upto`, in which nothing else happens. */
void tsr__fetch_start(struct tsr_cycle *m);
void tsr__fetch_look(struct tsr_cycle *m);
void tsr__fetch_settle(struct tsr_cycle *m, uint64_t upto);
void tsr__fetch_arrived(struct tsr_cycle *m, uint64_t cycle, bool error);
void tsr__fetch_asked(struct tsr_cycle *m, int beats);
void tsr__fetch_trim(struct tsr_cycle *m, uint64_t last); /* no beat was taken behind this cycle */
uint64_t tsr__fetch_blocked(const struct tsr_cycle *m);   /* since when; NEVER: it is not */

void tsr__loops_start(struct tsr_cycle *m, int engine);
void tsr__loops_look(struct tsr_cycle *m, int engine);
void tsr__loops_settle(struct tsr_cycle *m, int engine, uint64_t upto);
uint64_t tsr__loops_blocked(const struct tsr_cycle *m, int engine);

/* front.c */
void tsr__front_start(struct tsr_cycle *m, int engine);
/* Whether an instruction goes; which is then the last of those that have started. free: what is
 * behind can take one; alone: none is in flight. */
bool tsr__front_look(struct tsr_cycle *m, int engine, bool free, bool alone);
/* The state of load or store in a cycle as far as its next instruction goes, where none before it
 * decides. */
bool tsr__front_lacks(const struct tsr_cycle *m, int engine, uint64_t cycle);
bool tsr__front_empty(const struct tsr_cycle *m, int engine, uint64_t cycle);
/* The oldest instruction that has ended before this cycle, and not given its tokens; NULL: none. */
struct tsr__entry *tsr__ended(const struct tsr_cycle *m, int engine, uint64_t cycle);
/* The engine was in a state in the cycles before `upto`; it is in one until the next look. */
void tsr__front_spend(struct tsr_cycle *m, int engine, enum tsr_state state, uint64_t upto);
void tsr__front_stay(struct tsr_cycle *m, int engine, enum tsr_state state);
uint64_t tsr__front_blocked(const struct tsr_cycle *m, int engine);
/* The next burst of its rows has been asked for. */
void tsr__front_asked(struct tsr_cycle *m, int engine, int beats);
uint32_t tsr__row_beats(const struct tsr_cycle *m, const struct tsr_insn *insn);

void tsr__load_start(struct tsr_cycle *m);
void tsr__load_look(struct tsr_cycle *m);
void tsr__load_settle(struct tsr_cycle *m, uint64_t upto);
uint64_t tsr__load_blocked(const struct tsr_cycle *m);
/* Beats for load that come from `when` on; how many of them have been placed. */
int tsr__load_beats(struct tsr_cycle *m, const struct tsr_burst_run *run, int done);

void tsr__store_start(struct tsr_cycle *m);
void tsr__store_look(struct tsr_cycle *m);
void tsr__store_settle(struct tsr_cycle *m, uint64_t upto);
uint64_t tsr__store_blocked(const struct tsr_cycle *m);

void tsr__reads_start(struct tsr_cycle *m);
void tsr__reads_look(struct tsr_cycle *m);
/* Bursts of load, one after the other, up to this cycle, as long as nothing else is due. */
void tsr__reads_stream(struct tsr_cycle *m, uint64_t to);
void tsr__reads_pump(struct tsr_cycle *m); /* load can take beats, or the port has some */
uint64_t tsr__reads_quiet(const struct tsr_cycle *m);

void tsr__writes_start(struct tsr_cycle *m);
void tsr__writes_look(struct tsr_cycle *m);
void tsr__writes_drain(struct tsr_cycle *m); /* store begins to hand over beats */
/* Beats of store's instruction that were handed over in the cycles before `upto`. */
uint64_t tsr__writes_given(const struct tsr_cycle *m, uint64_t upto);
uint64_t tsr__writes_quiet(const struct tsr_cycle *m);

/* end.c: how it ended. */
void tsr__stop(struct tsr_cycle *m); /* by the traps of this cycle */
/* Nothing goes on any more: FINISH, a word that is none, or a deadlock. The cycle in which that is
 * so; NEVER where the port may have news. */
uint64_t tsr__still_from(const struct tsr_cycle *m);
void tsr__stand_still(struct tsr_cycle *m, uint64_t cycle);
void tsr__time_out(struct tsr_cycle *m, uint64_t cycle); /* behind this cycle */

#endif

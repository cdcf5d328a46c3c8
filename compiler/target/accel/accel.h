/* SPDX-License-Identifier: Apache-2.0 */
/* The accelerator target: from a graph of integer ops to an instruction stream.
 *
 *   place    which nodes the accelerator runs, and why not the others
 *   block    activations in blocked layout, weights packed, Pack/Unpack where layouts meet
 *   split    what one blocked op can't do by several, and maps that are joined or cut
 *   view     where joined and cut maps lie
 *   group    which nodes make a layer together
 *   plan     tile sizes and loop order as a schedule: measured, or by estimated cost
 *   resident which values stay in INP from layer to layer
 *   walk     the lowered loops, outer ones run at compile time, inner nests become instructions:
 *   inventory  a program's scratchpad buffers: copies, banks
 *   inplace  which buffers take the place of another
 *   layout   where buffers lie in the scratchpads
 *   nest     a tensorized nest: GEMM or vector instruction, loops and micro-ops
 *   dma      a copying nest: LOADs or STOREs
 *   stream   the instructions, micro-op cache and image being built
 *   order    in which a layer's instructions come
 *   depend   tokens from scratchpad and DRAM regions
 *
 * This header is shared by these files only, except tsr_accel_*. */
#ifndef TSR_COMPILER_TARGET_ACCEL_H
#define TSR_COMPILER_TARGET_ACCEL_H

#include "compiler/graph/graph.h"
#include "compiler/tir/tir.h"
#include "compiler/tune/tune.h"
#include "configs/design.h"
#include "isa/isa.h"
#include "tensorize/tensorize.h"

static inline int64_t tsr__ceil_div(int64_t a, int64_t b) /* a >= 0, b > 0 */
{
  return (a + b - 1) / b;
}

static inline int64_t tsr__floor_div(int64_t a, int64_t b) /* 0 where b is 0, as tensor IR has it */
{
  return b ? a / b - (a % b != 0 && (a % b < 0) != (b < 0)) : 0;
}

/* --- place and block ------------------------------------------------------------------------------- */

/* NULL when the accelerator runs the node, else the reason why not, a sentence of the arena. */
const char *tsr_accel_refusal(struct tsr_arena *a, const struct tsr_node *n);

/* Rewrites every node that the accelerator runs to its blocked form, with packed constants; Pack and
 * Unpack stand where a blocked value meets another node or the graph's edge. */
enum tsr_status tsr_accel_block(struct tsr_err *err, struct tsr_graph *g, const struct tsr_design *d);

bool tsr_accel_runs(enum tsr_gop op); /* a blocked op */

/* --- views ----------------------------------------------------------------------------------------- */

/* A blocked op that is no work: its result, or its operands, lie in the other's memory. */
bool tsr_accel_is_view(enum tsr_gop op);

/* Where blocked value v lies: element i in element first + i * by of `whole`, along each dim. */
struct tsr_accel_view {
  const struct tsr_value *whole; /* v itself: it has memory of its own */
  int64_t first[TSR_MAX_RANK], by[TSR_MAX_RANK];
};
struct tsr_accel_view tsr_accel_view_of(const struct tsr_graph *g, const struct tsr_value *v);

/* --- dependences ----------------------------------------------------------------------------------- */

enum tsr__space { SPACE_UOP, SPACE_INP, SPACE_WGT, SPACE_ACC, SPACE_OUT, SPACE_LUT, SPACE_DRAM, SPACES };

/* Tokens, by dependence. Instructions are announced in program order: first what they touch, then
 * tsr__depend_close. Regions are half-open and not empty, in entries (DRAM: bytes). */
struct tsr__depend;
struct tsr__depend *tsr__depend_new(struct tsr_arena *a, int token_depth);
void tsr__depend_touch(struct tsr__depend *d, int engine, enum tsr__space space, uint64_t lo, uint64_t hi,
                       bool writes);
/* The instruction of the engine is complete; it would stand at place `insn` of the stream. The engines it
 * must wait for are returned as a mask, and signaller[p] is the place of the instruction of engine p that
 * must signal. Signallers at `insn` and behind are SYNCs that must be put there, the instruction itself
 * behind them: the counter would be too full for the token of an earlier one. */
uint32_t tsr__depend_close(struct tsr__depend *d, int engine, size_t insn, size_t signaller[]);

/* --- order ------------------------------------------------------------------------------------------ */

/* To which part of DRAM an address in an instruction belongs; moved to its place when the stream ends. */
enum tsr__dram_base { BASE_NONE, BASE_CONSTANT, BASE_UOP, BASE_ACTIVATION };

struct tsr__stream;

/* Instructions of a layer, announced as they stand in its loops (touches first, then the instruction),
 * and handed on in a better order. */
struct tsr__ordering;
struct tsr__ordering *tsr__order_new(struct tsr_arena *a, const struct tsr_design *d);
void tsr__order_touch(struct tsr__ordering *o, enum tsr__space space, uint64_t lo, uint64_t hi,
                      bool writes);
void tsr__order_add(struct tsr__ordering *o, const struct tsr_insn *insn, enum tsr__dram_base base);
/* Announces each to s->depend and appends it. */
void tsr__order_release(struct tsr__ordering *o, struct tsr__stream *s,
                        void (*append)(struct tsr__stream *s, struct tsr_insn *insn,
                                       enum tsr__dram_base base));

/* --- stream ---------------------------------------------------------------------------------------- */

/* What the layer before had in a space, of ACC in a bank: rank 2 what it used last, else 1. */
enum { TSR__RECENT = 16 };
struct tsr__recent_region {
  uint32_t lo, hi, rank;
};
struct tsr__recent {
  int count;
  struct tsr__recent_region region[TSR__RECENT];
};

struct tsr__stream {
  struct tsr_arena *arena;
  const struct tsr_design *design;
  struct tsr_insn *insn; /* all partitions, one behind the other */
  uint8_t *base;         /* enum tsr__dram_base of each */
  size_t count, insn_capacity, base_capacity;
  struct tsr__depend *depend;
  struct tsr__ordering *order; /* what it holds, while it holds */
  struct tsr_text constants, uops; /* bytes of the image: packed tensors, micro-op sequences */
  struct tsr__uop_cache *cache;
  uint64_t padding[256]; /* offset + 1 of an entry of that value; 0: none yet */
  uint64_t read_bytes, write_bytes; /* by LOAD and STORE, so far */
  uint32_t next[SPACES][2]; /* where the next layer's buffers begin: [1] is ACC's upper bank */
  struct tsr__recent recent[SPACES][2];
  int bank; /* of the next layer's first buffer in ACC */
  uint32_t inp_from, inp_to; /* entries of INP that the next layer's buffers may have */
  size_t inp_writes, inp_capacity;
  struct tsr__recent_region *inp_write; /* entries of INP that instructions have written, in this layer */
};

struct tsr__stream *tsr__stream_new(struct tsr_arena *a, const struct tsr_design *d);
void tsr__stream_begin(struct tsr__stream *s); /* a partition: nothing is in the scratchpads */
void tsr__stream_end(struct tsr__stream *s);   /* FINISH */
/* Copies bytes into the image, aligned to the AXI beat and to 64 bytes; returns their offset. */
uint64_t tsr__stream_constant(struct tsr__stream *s, const void *bytes, size_t size);
/* Offset of an int8 entry that holds `value` in every element; one for each value. */
uint64_t tsr__stream_padding(struct tsr__stream *s, int32_t value);
/* Appends a LOAD or STORE; dram is relative to base. Counts bytes, places tokens. */
void tsr__stream_dma(struct tsr__stream *s, struct tsr_insn *insn, enum tsr__dram_base base);
/* Appends a GEMM or vector instruction with its micro-ops, which are loaded where they are not resident. */
void tsr__stream_loop(struct tsr__stream *s, struct tsr_insn *insn, const struct tsr_uop *uops, int count);
/* Between these, instructions are held; then they come in an order in which engines wait less. */
void tsr__stream_hold(struct tsr__stream *s);
void tsr__stream_release(struct tsr__stream *s);
/* Most micro-ops that one instruction may have. */
int tsr__stream_uop_limit(const struct tsr__stream *s);
/* Moves addresses: constants from 0, micro-ops behind them, activations behind those. Encodes. */
enum tsr_status tsr__stream_close(struct tsr__stream *s, struct tsr_err *err, uint8_t **insns,
                                  uint8_t **image, size_t *image_bytes);

/* --- from loops to instructions -------------------------------------------------------------------- */

/* Values of outer loop variables. */
enum { TSR__MOST_LOOPS = 64 };
struct tsr__env {
  int count;
  const struct tir_var *var[TSR__MOST_LOOPS];
  int64_t value[TSR__MOST_LOOPS];
};

/* x as constant + sum over the nest's variables; false when it is not. */
bool tsr__env_affine(const struct tsr__env *env, tir_e x, int n, const struct tir_var *const *vars,
                     int64_t *constant, int64_t *coefficient);
bool tsr__env_value(const struct tsr__env *env, tir_e x, int64_t *value);
/* Narrows lo <= variable < hi of each to where the condition holds; *nothing: it holds nowhere. False when
 * that is no box. */
bool tsr__env_box(const struct tsr__env *env, tir_e condition, int n,
                  const struct tir_var *const *vars, int64_t *lo, int64_t *hi, bool *nothing);

/* A value that lies in INP, all of it and nowhere else, from the layer that makes it to the last one that
 * reads it, with the padding around it that they need. */
struct tsr_accel_resident {
  const struct tsr_value *value;
  int64_t before[2], after[2]; /* rows and columns of padding */
  int64_t pad;                 /* what it is */
  int first, last;             /* layers, in the order in which they run */
  uint32_t entries, at;
};

/* Where a buffer of the program is: a parameter in DRAM or, resident, in INP; or copies in a scratchpad. */
enum tsr__bank {
  BANK_BY_COPY,        /* copies in turn, the first where the layer's first work is */
  BANK_FIRST, BANK_OTHER /* all copies there, or in the other one */
};
struct tsr__place {
  const struct tir_buffer *buffer;
  enum tsr__dram_base base; /* parameter */
  uint64_t dram;            /* parameter: byte offset */
  const uint64_t *step;     /* parameter: bytes between elements along each dim; NULL: row-major */
  const struct tsr_accel_resident *resident; /* parameter: in INP, with its padding; NULL: in DRAM */
  const struct tir_var *loop; /* scratchpad: it lives for an iteration of this; NULL: for all */
  int depth;                /* scratchpad: copies, used in turn */
  int64_t instance;         /* the present copy is instance % depth; -1 before the first */
  bool filled_by_dma;       /* in ACC: constants for the vector engine, one copy per bank */
  bool once;                /* ... each for one piece of work, so that one bank's is enough */
  enum tsr__bank bank;      /* in ACC */
  bool open;                /* the walk is where the buffer lives */
  const struct tsr__place *in_place_of; /* the one whose entries it takes over; NULL: has its own */
  bool spans;               /* in ACC: across both banks, half of its outermost dim in each */
  uint32_t entries, entry_elements;
  uint32_t at[2][2];        /* first entry: [copy][bank]; bank 1 only for ACC constants */
};

struct tsr__nest {
  int loops; /* outer to inner */
  const struct tir_var *var[16];
  int64_t from[16], extent[16]; /* the first iteration, and how many there are */
  const struct tir_stmt *leaf; /* CALL or STORE */
};

/* The scratchpad buffers of a program; refuses what no scratchpad has a place for. */
enum { TSR__MOST_BUFFERS = 32 };
struct tsr__inventory {
  int count;
  struct tsr__place place[TSR__MOST_BUFFERS];
  bool both_banks; /* ACC work alternates between banks */
};
enum tsr_status tsr__inventory_of(struct tsr_arena *a, struct tsr_err *err,
                                  const struct tsr_design *d, const struct tir_program *p,
                                  struct tsr__inventory *out);
/* inplace.c: finds the buffers of the inventory that take another's place. */
void tsr__in_place(struct tsr_arena *a, const struct tir_program *p, struct tsr__inventory *v);

struct tsr__walk {
  struct tsr_arena *arena;
  struct tsr_err *err;
  struct tsr__stream *stream;
  struct tsr__env env;
  int places;
  struct tsr__place *place;
  bool both_banks; /* ACC work alternates between banks */
};

int tsr__walk_bank(const struct tsr__walk *w); /* of ACC, of present work or else of the next */
struct tsr__place *tsr__walk_place(struct tsr__walk *w, const struct tir_buffer *b);
/* First entry of the present copy. For ACC constants in the bank of `near` (an ACC entry). */
uint32_t tsr__place_entry(const struct tsr__walk *w, const struct tsr__place *p, uint32_t near);
enum tsr_status tsr__emit_call(struct tsr__walk *w, const struct tsr__nest *nest);
enum tsr_status tsr__emit_copy(struct tsr__walk *w, const struct tsr__nest *nest);
/* The padding around what is resident. */
void tsr__emit_border(struct tsr__walk *w, const struct tsr__place *p);

enum tsr__space tsr__space_of(enum tir_scope scope);
int tsr__buffer_of(enum tsr__space space); /* enum tsr_buffer; of no DRAM */
uint32_t tsr__entry_elements(const struct tsr_design *d, enum tsr__space space);

/* layout.c: gives every scratchpad buffer its places; false: they do not fit. When all is emitted, notes
 * what was used last. */
bool tsr__layout_place(struct tsr__stream *s, struct tsr__place *place, int count, bool both_banks);
/* Says why they do not fit. */
enum tsr_status tsr__layout_refuse(struct tsr_err *err, const struct tsr__stream *s,
                                   struct tsr__inventory *v);
/* Entries of a place's space, of ACC of one bank; and of one copy of the buffer, 0 where it is not of
 * whole entries. */
uint32_t tsr__layout_room(const struct tsr_design *d, enum tsr__space space);
uint32_t tsr__layout_entries(const struct tsr_design *d, const struct tir_buffer *b);
/* Of a buffer across both banks: its entries in the lower one. */
uint32_t tsr__layout_lower(const struct tir_buffer *b, uint32_t entries);
void tsr__layout_leave(struct tsr__stream *s, const struct tsr__place *place, int count,
                       bool both_banks);

/* Where a resident parameter is. */
struct tsr__place tsr__resident_place(const struct tsr_design *d,
                                      const struct tsr_accel_resident *r, uint32_t at);
/* Refuses a layer some instruction of which has written to what is resident: not its result, and read again. */
enum tsr_status tsr__check_resident(const struct tsr__stream *s, struct tsr_err *err, int layer,
                                    const struct tsr_accel_resident *r);
/* Emits a lowered program. params[k] tells where parameter k is. */
enum tsr_status tsr__walk_program(struct tsr__stream *s, struct tsr_err *err, const struct tir_program *p,
                                  const struct tsr__place *params);

/* --- plan ------------------------------------------------------------------------------------------ */

/* What all plans of a network have in common. */
struct tsr_accel_planning {
  struct tsr_arena *arena;
  const struct tsr_graph *graph; /* blocked */
  const struct tsr_design *design;
  const struct tir_intrinsics *intrinsics;
  struct tsr_tune *tune;
  bool apart;        /* every node is a layer of its own */
  const char *layer; /* the one, called as its first node, that gets this schedule: */
  const char *schedule;
};

struct tsr_accel_found {
  struct tir_sched *schedule;
  uint64_t cycles; /* as it was measured; 0: it was not */
  uint64_t cost;   /* of the same, or an estimate, with the bytes that are moved */
};

/* The nodes of a layer, each but the first with a result of the one before as its first input. */
enum { TSR_ACCEL_MOST_GROUPED = 4, TSR_ACCEL_MOST_RESIDENT = 4 };
struct tsr_accel_group {
  int nodes;
  struct tsr_node *node[TSR_ACCEL_MOST_GROUPED];
  int residents; /* of its operands, and its result */
  const struct tsr_accel_resident *resident[TSR_ACCEL_MOST_RESIDENT];
  bool shares;               /* INP, with what is resident; it has, for itself, */
  uint32_t inp_from, inp_to; /* these of its entries */
  struct tir_func *func;     /* the compute of all; what is resident lies in INP, its padding around it */
  struct tsr_accel_found found;
};

/* Every node that the accelerator runs in a group. of_node[k], of the graph's nodes: the group that ends
 * with node k; NULL: there is none. Refuses when no tile of a node fits, saying which scratchpad is short. */
enum tsr_status tsr_accel_groups(struct tsr_accel_planning *p, struct tsr_err *err,
                                 struct tsr_accel_group **of_node);
/* What the group's compute has as inputs: those of each node, but for what the group makes. */
struct tsr_value **tsr_accel_group_inputs(struct tsr_arena *a, const struct tsr_accel_group *g,
                                          int *count);
/* Of the names of node k's stages and buffers in the group's compute. */
const char *tsr_accel_group_suffix(const struct tsr_accel_group *g, int k);
enum tsr_status tsr_accel_group_compute(struct tsr_arena *a, struct tsr_err *err,
                                        const struct tsr_accel_group *g, struct tir_func **out);

/* allot.c: the one allocator of what is resident, over all layers. Gives each its entries of INP, of `room`
 * that there are, such that those that live in the same layer lie apart, and what is left beside them is
 * mostly in one piece. False: they do not fit, and have no place. */
bool tsr__allot(struct tsr_accel_resident *const *list, int count, uint32_t room);
/* The largest piece that nothing lies in while the layer runs. */
void tsr__allot_rest(const struct tsr_accel_resident *const *list, int count, uint32_t room, int layer,
                     uint32_t *from, uint32_t *to);

/* NULL: the value is not resident, as far as the group knows. */
const struct tsr_accel_resident *tsr_accel_resident_of(const struct tsr_accel_group *g,
                                                       const struct tsr_value *v);

/* Plans a group: its compute, and a schedule for it. schedule NULL: one is looked for. */
enum tsr_status tsr_accel_group_plan(struct tsr_accel_planning *p, struct tsr_err *err,
                                     const char *schedule, struct tsr_accel_group *g);

/* resident.c: which values stay in INP between layers, so that what their layers take costs less: *count in
 * *out. layer[k] is the group that runs as the k-th, of partition part[k]; NULL: the CPU runs. The groups are
 * planned anew where that changes them. Then the layer that gets a schedule of somebody's gets it. */
enum tsr_status tsr_accel_residents(struct tsr_accel_planning *p, struct tsr_err *err, int layers,
                                    struct tsr_accel_group *const *layer, const int *part,
                                    struct tsr_accel_resident ***out, int *count);

struct tsr_accel_plan {
  const struct tsr_accel_planning *planning;
  const struct tsr_accel_group *group; /* with its func */
  const char *schedule;                /* NULL: one is looked for; else its text */
};

/* A schedule of the group's compute. Refuses when no tile fits, saying which scratchpad is short. */
enum tsr_status tsr__accel_plan(const struct tsr_accel_plan *plan, struct tsr_err *err,
                                struct tsr_accel_found *out);

/* Applies a schedule's text: a line each, but for empty ones and comments, which begin with '#'. What
 * is refused says in which line. */
enum tsr_status tsr_accel_replay(struct tsr_arena *a, struct tsr_err *err, const char *text,
                                 struct tir_sched *s);

/* What a group takes at the least, on its own, whatever its schedule: cycles of the engine that computes,
 * each byte moved once. */
struct tsr_accel_least {
  uint64_t cycles, read_bytes, write_bytes;
};
struct tsr_accel_least tsr_accel_least(struct tsr_arena *a, const struct tsr_accel_group *g,
                                       const struct tsr_design *d);

#endif

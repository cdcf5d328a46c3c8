/* SPDX-License-Identifier: Apache-2.0 */
/* What a schedule is made of. Shared by sched*.c and lower*.c.
 *
 * A state is a list of stages; lines make a new state from the old one, copying only the stages
 * that they change, so that a refused line costs nothing to undo. */
#ifndef TSR_COMPILER_TIR_SCHED_H
#define TSR_COMPILER_TIR_SCHED_H

#include "compiler/tir/tir_internal.h"

enum { TIR__MAX_LOOPS = 64, TIR__MAX_WORDS = TIR__MAX_LOOPS + 2 };

/* Where the iterations of a loop come from, and where they go. Loops are only ever appended; a loop
 * that is split or fused stays as the parent of those made of it. */
enum tir__loop_source { TIR__AXIS, TIR__SPLIT_OUTER, TIR__SPLIT_INNER, TIR__FUSED };
enum tir__loop_use { TIR__ITERATED, TIR__SPLIT, TIR__FUSED_OUTER, TIR__FUSED_INNER };

struct tir__loop {
  const char *name;
  const struct tir_var *var; /* "STAGE.LOOP" */
  bool reduce;
  int64_t extent; /* when the stage is computed whole, at most */
  enum tir__loop_source source;
  int of[2];      /* SPLIT_*: the parent; FUSED: outer and inner */
  int64_t factor; /* SPLIT_*: the inner loop's extent */
  enum tir__loop_use use;
  int into[2]; /* SPLIT: outer and inner; FUSED_*: the fused loop */
  enum tir_loop_kind kind;
  int depth; /* PIPELINE */
  enum tir_bind bind;
};

enum { TIR__ROOT = 0 }; /* as `at`: computed whole, outside of all loops */

struct tir__sstage {
  int id; /* >= 1, never used again */
  const char *name;
  const struct tir_buffer
      *out;    /* stands for what is computed; its dims and scope are the fields below */
  bool output; /* a parameter of the func */
  int rank;
  int64_t dims[TSR_MAX_RANK], pad[TSR_MAX_RANK]; /* dims are multiples of pad */
  enum tir_scope scope;
  enum tir_combine combine;
  int axes;              /* loop[0..axes) are the axes, their var used by init and value */
  tir_e init, value;     /* set by tir__set_values */
  int loads, init_loads; /* the distinct loads in both; those in init come first */
  const tir_e *load;
  int loops, leaves;
  struct tir__loop *loop;
  int *leaf;             /* outer to inner */
  bool slides; /* computes only what the iteration before of the loop it is computed in has not */
  int moves;   /* the id of the stage that slides, of which this one moves what is kept; 0: none */
  int at, at_loop;       /* computed in this loop of the stage with this id, or TIR__ROOT */
  const char *intrinsic; /* NULL: none */
  int tensor_loop;
};

struct tir__state {
  int stages, next_id;
  struct tir__sstage **stage; /* producers first */
};

struct tir_sched {
  struct tsr_arena *arena;
  const struct tir_func *func;
  struct tir_intrinsics intrinsics;
  const struct tir__state *state;
  struct tsr_text text;
};

/* One line being applied: the words and the state that it makes. */
struct tir__edit {
  struct tir_sched *sched;
  struct tsr_arena *arena; /* the schedule's */
  struct tir__state *state;
  struct tsr_err *err;
  int words;
  const char *word[TIR__MAX_WORDS];
};

/* Words by place, looked up; each refuses with the nearest name there is. */
enum tsr_status tir__edit_stage(struct tir__edit *e, int word,
                                struct tir__sstage **out); /* a copy */
enum tsr_status tir__edit_leaf(struct tir__edit *e, const struct tir__sstage *s, int word,
                               int *out);
enum tsr_status tir__edit_number(struct tir__edit *e, int word, int64_t least, int64_t most,
                                 int64_t *out);
enum tsr_status tir__edit_scope(struct tir__edit *e, int word, enum tir_scope *out);
/* A word that is to become the name of a stage and its buffer, or of a loop of s. */
enum tsr_status tir__edit_new_name(struct tir__edit *e, int word);
enum tsr_status tir__edit_new_loop(struct tir__edit *e, const struct tir__sstage *s, int word);

struct tir__sstage *tir__edit_own(struct tir__edit *e,
                                  int index); /* stage `index`, from now a copy */
void tir__edit_insert(struct tir__edit *e, int index, struct tir__sstage *s);

int tir__stage_index(const struct tir__state *st, int id);
int tir__stage_of(const struct tir__state *st,
                  const struct tir_buffer *b);                 /* its producer; -1: input */
int tir__leaf_position(const struct tir__sstage *s, int loop); /* -1: not a leaf */
bool tir__stage_reads(const struct tir__sstage *s, const struct tir_buffer *b);
void tir__set_values(struct tsr_arena *a, struct tir__sstage *s, tir_e init, tir_e value);
/* Appends a loop that is an axis of its stage. */
void tir__axis_loop(struct tsr_arena *a, struct tir__sstage *s, const char *name,
                    const struct tir_var *var, int64_t extent);

/* The primitives. */
enum tsr_status tir__do_split(struct tir__edit *e);
enum tsr_status tir__do_fuse(struct tir__edit *e);
enum tsr_status tir__do_reorder(struct tir__edit *e);
enum tsr_status tir__do_unroll(struct tir__edit *e);
enum tsr_status tir__do_parallel(struct tir__edit *e);
enum tsr_status tir__do_pipeline(struct tir__edit *e);
enum tsr_status tir__do_bind(struct tir__edit *e);
enum tsr_status tir__do_tensorize(struct tir__edit *e);
enum tsr_status tir__do_compute_at(struct tir__edit *e);
enum tsr_status tir__do_inline(struct tir__edit *e);
enum tsr_status tir__do_cache_read(struct tir__edit *e);
enum tsr_status tir__do_cache_write(struct tir__edit *e);
enum tsr_status tir__do_set_scope(struct tir__edit *e);
enum tsr_status tir__do_pad(struct tir__edit *e);
enum tsr_status tir__do_slide(struct tir__edit *e);

/* Whether a state can be lowered: all that tir_lower does but the making of statements. */
enum tsr_status tir__check(struct tsr_arena *a, struct tsr_err *err, const struct tir_sched *s,
                           const struct tir__state *st);

#endif

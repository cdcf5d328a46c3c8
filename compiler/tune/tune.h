/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules that are found: which candidates are measured, and what was found before.
 *
 * Nothing here knows what a candidate is: a target has them, with what each takes at the least and
 * probably, and measures one when it is asked to. Measured is on the model of the machine that the
 * compiler's caller hands in (struct tsr_tune_options), since the compiler knows no simulator. */
#ifndef TSR_COMPILER_TUNE_H
#define TSR_COMPILER_TUNE_H

#include "configs/design.h"

/* How long is looked for a schedule of each op. */
enum tsr_tune_effort {
  TSR_TUNE_NONE, /* the best by estimate */
  TSR_TUNE_SOME, /* seconds a network */
  TSR_TUNE_MORE,
  TSR_TUNE_ALL, /* every candidate that could be better than the best found */
};

/* {0}: no search. */
struct tsr_tune_options {
  enum tsr_tune_effort effort; /* NONE where `cycles` is NULL */
  /* Cycles of a program. Of program->data only micro-ops are read. One that traps is refused. */
  enum tsr_status (*cycles)(void *context, const struct tsr_design *design,
                            const struct tsr_program *program, uint64_t *cycles);
  void *context;
  const char *cache; /* file of what was found before, made where it is missing; NULL: none */
};

/* --- search ----------------------------------------------------------------------------------- */

enum { TSR_TUNE_AXES = 8 };

struct tsr_tune_candidate {
  uint64_t bound;            /* cycles that it takes at the least */
  uint64_t estimate;         /* and probably */
  uint64_t bytes;            /* that it moves: decides between equals */
  int16_t at[TSR_TUNE_AXES]; /* its choices; candidates that differ in few of them are neighbours */
};

struct tsr_tune_measured {
  uint64_t cycles, bytes; /* that it takes, and moves */
  uint64_t work; /* what to measure it cost, in instructions; there is a limit on that, too */
};

/* What is weighed: cycles, and bytes that count for some. */
uint64_t tsr_tune_cost(uint64_t cycles, uint64_t bytes);

struct tsr_tune_found {
  size_t best;     /* the candidate */
  uint64_t cycles; /* that it takes; 0: none was measured */
  uint64_t bytes;  /* that it moves */
  size_t measured, pruned;
};

/* The best of count >= 1 candidates. Half of the effort goes to the best by estimate, half to
 * neighbours of the best that was found; a candidate whose bound is no better than that is never
 * measured. The same candidates give the same answer. measure returns false for one that cannot be
 * used, and unwinds where memory runs out. No candidate can be used: cycles is 0, and best is the best by estimate. */
struct tsr_tune_found
tsr_tune_search(struct tsr_arena *arena, const struct tsr_tune_candidate *candidate, size_t count,
                enum tsr_tune_effort effort,
                bool (*measure)(void *context, size_t k, struct tsr_tune_measured *out),
                void *context);

/* --- what was found before -------------------------------------------------------------------- */

struct tsr_tune_record {
  const char *schedule;   /* its text */
  uint64_t cycles, bytes; /* as measured */
};

/* What one compilation has found, and the cache file behind it. */
struct tsr_tune;
struct tsr_tune *tsr_tune_new(struct tsr_arena *arena, const struct tsr_tune_options *options);
const struct tsr_tune_options *tsr_tune_options_of(const struct tsr_tune *tune);

/* *found: the record of a key, or NULL. The key says all that the record depends on. A file that is
 * no cache, or that is damaged, is refused. */
enum tsr_status tsr_tune_recall(struct tsr_tune *tune, struct tsr_err *err, const char *key,
                                const struct tsr_tune_record **found);
/* A file that takes no more, as on a full disk, is used no more: what was found is the same. */
void tsr_tune_keep(struct tsr_tune *tune, const char *key, const struct tsr_tune_record *record);

/* The cache file: $XDG_CACHE_HOME/tessera/tune.sqlite, or ~/.cache/tessera/tune.sqlite. NULL where
 * neither is set, or its folder cannot be made or written to. */
const char *tsr_tune_default_cache(struct tsr_arena *arena);

#endif

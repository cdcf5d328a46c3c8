/* SPDX-License-Identifier: Apache-2.0 */
/* A process that runs one thing again and again and tells how long each time took.
 * bench/cpu/cpu.py has one for each side of a comparison and lets them take turns.
 *
 * It is told a line and answers with a line:
 *   open WORD ...             "ok", or "no SENTENCE"
 *   time SECONDS thread|wall  how long each run took, by the thread's own clock or the one on the
 *                             wall, for about that long altogether; a run before them brings back
 *                             what another process took from the caches
 * and what one side knows alone, and ends when there are no more lines. How many threads run it is
 * told by the environment. */
#ifndef TSR_BENCH_CPU_WORKER_H
#define TSR_BENCH_CPU_WORKER_H

#include <stdbool.h>

/* One that something was opened for. A function that returns text returns NULL where it went well,
 * else a sentence that lives until the next call. */
struct worker {
  const char *(*open)(char **word, int words);
  void (*run)(void);
  /* NULL, or prints the answer to another line; false: it is none that this side knows. */
  bool (*other)(char **word, int words);
};

/* "ok", or "no" and the sentence. */
void worker_answer(const char *refusal);

/* Returns main's exit status. */
int worker_serve(const struct worker *worker);

/* The next of a series of numbers in [-1, 1), always the same one. */
double worker_noise(void);

#endif

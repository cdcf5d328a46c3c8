/* SPDX-License-Identifier: Apache-2.0 */
/* How far a run of inferences is, on stderr: from the second second on, a line on a terminal that
 * is written over, else one every ten seconds. */
#ifndef TSR_TOOLS_PROGRESS_H
#define TSR_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
  double start, last; /* seconds */
  int64_t done, all;  /* inferences */
  bool shown, terminal;
};

double progress_now(void); /* seconds */
void progress_start(struct progress *p, int64_t all);
/* One inference more is done. */
void progress_step(struct progress *p);
void progress_end(const struct progress *p);

/* Callbacks of a session: context is the struct progress. */
void progress_say(void *context, const char *line);
void progress_cycle(void *context, uint64_t cycle, size_t instruction, size_t instructions);

#endif

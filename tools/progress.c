/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tools/table.h"

enum { LINE_TEXT = 120 };

double progress_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_start(struct progress *p, int64_t all)
{
  *p = (struct progress){
      .start = progress_now(), .all = all, .terminal = isatty(STDERR_FILENO) != 0};
}

static bool is_time(const struct progress *p, double now)
{
  return now - p->start >= 2 && now - p->last >= (p->terminal ? 0.2 : 10);
}

/* `part` of all the work is done, 0 to 1. */
static void show(struct progress *p, double now, double part, const char *text)
{
  char line[LINE_TEXT];
  double left = part > 0 ? (now - p->start) * (1 - part) / part : 0;
  snprintf(line, sizeof line, part > 0 ? "%s, about %.0f s left" : "%s", text, left);
  fprintf(stderr, p->terminal ? "\r%-*s" : "%.*s\n", LINE_TEXT - 40, line);
  p->shown = true;
  p->last = now;
}

void progress_step(struct progress *p)
{
  char text[LINE_TEXT];
  double now = progress_now();
  if (++p->done == p->all || !is_time(p, now))
    return;
  snprintf(text, sizeof text, "%" PRId64 " of %" PRId64 " inferences", p->done, p->all);
  show(p, now, (double)p->done / (double)p->all, text);
}

void progress_cycle(void *context, uint64_t cycle, size_t instruction, size_t instructions)
{
  struct progress *p = context;
  char text[LINE_TEXT], count[COUNT_TEXT];
  double now = progress_now();
  if (!is_time(p, now))
    return;
  int n = p->all > 1 ? snprintf(text, sizeof text, "inference %" PRId64 " of %" PRId64 ", ",
                                p->done + 1, p->all)
                     : 0;
  snprintf(text + n, sizeof text - (size_t)n, "cycle %s, instruction %zu of %zu",
           count_text(cycle, count), instruction, instructions);
  double part = instructions ? (double)instruction / (double)instructions : 0;
  show(p, now, ((double)p->done + part) / (double)p->all, text);
}

void progress_say(void *context, const char *line)
{
  (void)context;
  fprintf(stderr, "tessera: %s\n", line);
}

void progress_end(const struct progress *p)
{
  if (p->shown && p->terminal)
    fprintf(stderr, "\r%*s\r", LINE_TEXT - 40, "");
}

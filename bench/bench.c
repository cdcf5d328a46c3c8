/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds_of(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double thread_seconds(void)
{
  return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double wall_seconds(void)
{
  return seconds_of(CLOCK_MONOTONIC);
}

const char *network_name(const char *path, char out[static NAME_TEXT])
{
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  int length = (int)strcspn(name, ".");
  if (slash && !strncmp(name, "model", 5)) {
    for (name = slash; name > path && name[-1] != '/';)
      name--;
    length = (int)(slash - name);
  }
  snprintf(out, NAME_TEXT, "%.*s", length, name);
  return out;
}

void print_rows(json_t *list)
{
  json_dumpf(list, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
  putchar('\n');
  json_decref(list);
}

void say(void *context, const char *line)
{
  (void)context;
  fprintf(stderr, "%s: %s\n", program_invocation_short_name, line);
}

void quit(const char *why)
{
  say(NULL, why);
  exit(2);
}

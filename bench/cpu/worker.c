/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/cpu/worker.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

enum { MOST_WORDS = 32, LEAST_RUNS = 3, MOST_RUNS = 1000 };

void worker_answer(const char *refusal)
{
  printf("%s%s\n", refusal ? "no " : "ok", refusal ? refusal : "");
}

static void time_runs(const struct worker *worker, double seconds, double (*clock)(void))
{
  double start = wall_seconds();
  worker->run();
  for (int k = 0; k < MOST_RUNS && (k < LEAST_RUNS || wall_seconds() - start < seconds); k++) {
    double begin = clock();
    worker->run();
    printf("%s%.9f", k ? " " : "", clock() - begin);
  }
  printf("\n");
}

static void obey(const struct worker *worker, char **word, int words)
{
  if (words && !strcmp(word[0], "open"))
    worker_answer(worker->open(word + 1, words - 1));
  else if (words == 3 && !strcmp(word[0], "time"))
    time_runs(worker, atof(word[1]), strcmp(word[2], "thread") ? wall_seconds : thread_seconds);
  else if (!words || !worker->other || !worker->other(word, words))
    worker_answer("the line is none that this worker knows");
}

int worker_serve(const struct worker *worker)
{
  char line[8192];
  while (fgets(line, sizeof line, stdin)) {
    char *word[MOST_WORDS], *rest = line;
    int words = 0;
    while (words < MOST_WORDS && (word[words] = strtok_r(NULL, " \n", &rest)))
      words++;
    obey(worker, word, words);
    fflush(stdout);
  }
  return 0;
}

double worker_noise(void)
{
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return (double)(int32_t)state / 2147483648.0;
}

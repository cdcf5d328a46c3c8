/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that GCC's OpenMP pragmas become, made by hand: any compiler can build this. */
#include "native/parallel.h"

#include <stdatomic.h>

/* libgomp's; the others are OpenMP's own. */
extern void GOMP_parallel(void (*work)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_thread_num(void), omp_get_max_threads(void), omp_get_num_procs(void);

struct loop {
  tsr_share *share;
  void *context;
  int64_t iterations;
  _Atomic int64_t next; /* not taken by a thread yet */
  _Atomic int outside;
};

/* Iterations are taken one by one: a thread that is held up takes fewer. */
static void work(void *data)
{
  struct loop *l = data;
  int64_t i;
  while ((i = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed)) < l->iterations) {
    int outside = l->share(l->context, i, i + 1, omp_get_thread_num());
    if (outside)
      atomic_store_explicit(&l->outside, outside, memory_order_relaxed);
  }
}

int tsr_parallel(tsr_share *share, void *context, int64_t iterations, int64_t threads)
{
  struct loop l = {.share = share, .context = context, .iterations = iterations};
  if (threads > iterations)
    threads = iterations;
  if (threads < 2)
    return iterations > 0 ? share(context, 0, iterations, 0) : 0;
  GOMP_parallel(work, &l, (unsigned)threads, 0);
  return l.outside;
}

int tsr_cores(void)
{
  return omp_get_num_procs();
}

int tsr_threads(void)
{
  int threads = omp_get_max_threads(), cores = tsr_cores();
  return threads < cores ? threads : cores;
}

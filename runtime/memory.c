/* SPDX-License-Identifier: Apache-2.0 */
/* Largest first, each at the lowest place where nothing lies that is in use at the same time. */
#include "runtime/memory.h"

#include <stdlib.h>

enum { ALIGNMENT = 64 };

struct item {
  int buffer;
  int first, last; /* steps in which it is in use */
  uint64_t bytes, offset;
};

static uint64_t bytes_of(const struct tsr_module_buffer *b)
{
  uint64_t bytes = (uint64_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype) + 1;
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void use(struct item *i, int step)
{
  i->first = step < i->first ? step : i->first;
  i->last = step > i->last ? step : i->last;
}

/* Inputs are in use all the time; what the CPU reads and writes, copies of what is on the device too,
 * from the first layer to the last. */
static void find_times(const struct tsr_module *m, struct item *item)
{
  for (int k = 0; k < m->steps; k++) {
    const struct tsr_module_layer *l = &m->layer[m->step[k].layer];
    for (int i = 0; m->step[k].kind == TSR_STEP_CPU && i < l->args; i++)
      use(&item[l->arg[i]], k);
  }
  for (int k = 0; k < m->inputs; k++) {
    use(&item[m->input[k]], -1);
    use(&item[m->input[k]], m->steps);
  }
  for (int k = 0; k < m->outputs; k++)
    use(&item[m->output[k]], m->steps);
}

static int by_size(const void *x, const void *y)
{
  const struct item *a = x, *b = y;
  if (a->bytes != b->bytes)
    return a->bytes < b->bytes ? 1 : -1;
  return a->buffer - b->buffer;
}

static int by_offset(const void *x, const void *y)
{
  const struct item *a = *(const struct item *const *)x, *b = *(const struct item *const *)y;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Of those placed before, the ones in use at the same time as i. */
static int neighbours(struct item *placed, int count, const struct item *i, struct item **out)
{
  int n = 0;
  for (int k = 0; k < count; k++)
    if (placed[k].first <= i->last && i->first <= placed[k].last)
      out[n++] = &placed[k];
  if (n)
    qsort(out, (size_t)n, sizeof *out, by_offset);
  return n;
}

static uint64_t lowest_place(struct item *const *near, int count, uint64_t bytes)
{
  uint64_t at = 0;
  for (int k = 0; k < count && near[k]->offset < at + bytes; k++) {
    uint64_t end = near[k]->offset + near[k]->bytes;
    at = end > at ? end : at;
  }
  return at;
}

struct tsr_memory tsr_memory_plan(struct tsr_arena *arena, const struct tsr_module *m)
{
  struct tsr_memory plan = {.offset = TSR_NEW_ARRAY(arena, uint64_t, m->buffers + 1)};
  struct item *all = TSR_NEW_ARRAY(arena, struct item, m->buffers + 1);
  struct item **near = TSR_NEW_ARRAY(arena, struct item *, m->buffers + 1);
  int count = 0;
  for (int k = 0; k < m->buffers; k++) {
    all[k] = (struct item){.buffer = k, .first = m->steps, .last = -1};
    plan.offset[k] = TSR_NOWHERE;
  }
  find_times(m, all);
  for (int k = 0; k < m->buffers; k++) {
    const struct tsr_module_buffer *b = &m->buffer[k];
    if (all[k].last < 0 || (b->data && !b->on_device))
      continue;
    all[count] = all[k];
    all[count++].bytes = bytes_of(b);
  }
  if (count)
    qsort(all, (size_t)count, sizeof *all, by_size);
  for (int k = 0; k < count; k++) {
    struct item *i = &all[k];
    i->offset = lowest_place(near, neighbours(all, k, i, near), i->bytes);
    plan.offset[i->buffer] = i->offset;
    plan.separate_bytes += i->bytes;
    plan.bytes = i->offset + i->bytes > plan.bytes ? i->offset + i->bytes : plan.bytes;
  }
  return plan;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/memory.h"

#include "runtime/lifetimes.h"

/* One byte more, so that what is empty has a place too. */
static uint64_t bytes_of(const struct tsr_module_buffer *b)
{
  return (uint64_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype) + 1;
}

static void use(struct tsr__value *v, int step)
{
  v->first = step < v->first ? step : v->first;
  v->last = step > v->last ? step : v->last;
}

/* Inputs are in use all the time; what the CPU reads and writes, copies of what is on the device too,
 * from the first layer to the last. */
static void find_times(const struct tsr_module *m, const bool *on_cpu, struct tsr__value *of)
{
  for (int k = 0; k < m->layers; k++) {
    const struct tsr_module_layer *l = &m->layer[k];
    bool here = on_cpu ? on_cpu[k] : m->step[l->step].kind == TSR_STEP_CPU;
    for (int i = 0; here && i < l->args; i++)
      use(&of[l->arg[i]], l->step);
  }
  for (int k = 0; k < m->inputs; k++) {
    use(&of[m->input[k]], -1);
    use(&of[m->input[k]], m->steps);
  }
  for (int k = 0; k < m->outputs; k++)
    use(&of[m->output[k]], m->steps);
}

struct tsr_memory tsr_memory_plan(struct tsr_arena *arena, const struct tsr_module *m,
                                  const bool *on_cpu)
{
  struct tsr_memory plan = {.offset = TSR_NEW_ARRAY(arena, uint64_t, m->buffers + 1)};
  struct tsr__value *of = TSR_NEW_ARRAY(arena, struct tsr__value, m->buffers + 1);
  struct tsr__value *value = TSR_NEW_ARRAY(arena, struct tsr__value, m->buffers + 1);
  int *buffer = TSR_NEW_ARRAY(arena, int, m->buffers + 1), values = 0;
  for (int k = 0; k < m->buffers; k++)
    of[k] = (struct tsr__value){.first = m->steps, .last = -1};
  find_times(m, on_cpu, of);
  for (int k = 0; k < m->buffers; k++) {
    const struct tsr_module_buffer *b = &m->buffer[k];
    plan.offset[k] = TSR_NOWHERE;
    if (of[k].last < 0 || (b->data && !b->on_device))
      continue;
    of[k].bytes = bytes_of(b);
    plan.separate_bytes += tsr__lifetimes_place(arena, 1, &of[k]);
    buffer[values] = k;
    value[values++] = of[k];
  }
  plan.bytes = tsr__lifetimes_place(arena, values, value);
  for (int k = 0; k < values; k++)
    plan.offset[buffer[k]] = value[k].offset;
  return plan;
}

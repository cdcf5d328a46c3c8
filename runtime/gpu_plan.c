/* SPDX-License-Identifier: Apache-2.0 */
/* Where each tensor lies on the GPU and for how long, and which are copied when. */
#include "runtime/gpu_private.h"
#include "runtime/lifetimes.h"

/* The life of a buffer, in moments: a layer a moment, in the order in which they run. */
struct life {
  int work;        /* that makes it, or copies it to the GPU; -1: none does */
  bool made, down; /* by a kernel; copied from the GPU */
  int first, last;
};

struct planning {
  struct tsr_arena *arena;
  struct tsr__gpu *gpu;
  struct life *life;
  int *end;  /* by work: its last moment */
  int *list; /* room for ups and downs: each buffer is once in each */
  int listed;
};

static uint64_t take(uint64_t *end, uint64_t bytes)
{
  uint64_t at = *end;
  *end += (bytes + TSR__PLACE_ALIGNMENT - 1) / TSR__PLACE_ALIGNMENT * TSR__PLACE_ALIGNMENT;
  return at;
}

static void use(struct planning *p, int buffer, int work, int first, int now)
{
  const struct tsr_module *m = p->gpu->module;
  struct life *l = &p->life[buffer];
  if (tsr__constant(m, &m->buffer[buffer]))
    return;
  if (l->work < 0) {
    struct tsr__segment *s = &p->gpu->segment[work];
    *l = (struct life){.work = work, .first = first};
    s->up[s->ups++] = buffer;
    p->listed++;
  }
  l->last = now;
}

static void follow_segment(struct planning *p, int work, int *now)
{
  const struct tsr__work *w = &p->gpu->work[work];
  int first = *now;
  p->gpu->segment[work].up = p->list + p->listed;
  for (int i = 0; i < w->layers; i++, ++*now) {
    const struct tsr_module_layer *l = &p->gpu->module->layer[w->layer[i]];
    for (int k = 0; k < l->func->inputs; k++)
      use(p, l->arg[k], work, first, *now);
    for (int k = l->func->inputs; k < l->args; k++)
      p->life[l->arg[k]] = (struct life){.work = work, .made = true, .first = *now, .last = *now};
  }
  p->end[work] = *now - 1;
}

static void want_on_host(struct planning *p, int buffer)
{
  struct life *l = &p->life[buffer];
  if (!l->made || l->down)
    return;
  l->down = true;
  l->last = l->last > p->end[l->work] ? l->last : p->end[l->work];
}

static void find_wanted(struct planning *p)
{
  const struct tsr_module *m = p->gpu->module;
  for (int i = 0; i < m->outputs; i++)
    want_on_host(p, m->output[i]);
  for (int w = 0; w < p->gpu->works; w++) {
    if (p->gpu->work[w].kind != TSR__CPU)
      continue;
    const struct tsr_module_layer *l = &m->layer[p->gpu->work[w].layer[0]];
    for (int k = 0; k < l->func->inputs; k++)
      want_on_host(p, l->arg[k]);
  }
}

static void list_downs(struct planning *p)
{
  for (int w = 0; w < p->gpu->works; w++) {
    struct tsr__segment *s = &p->gpu->segment[w];
    s->down = p->list + p->listed;
    for (int b = 0; b < p->gpu->module->buffers; b++)
      if (p->life[b].down && p->life[b].work == w)
        s->down[s->downs++] = b;
    p->listed += s->downs;
  }
}

static void place_on_host(struct planning *p)
{
  struct tsr__gpu *gpu = p->gpu;
  const struct tsr_module *m = gpu->module;
  take(&gpu->host_bytes, 4 * (uint64_t)m->layers);
  for (int b = 0; b < m->buffers; b++) {
    const struct life *l = &p->life[b];
    bool copied = l->down || (l->work >= 0 && !l->made);
    gpu->host_place[b] = copied ? take(&gpu->host_bytes, tsr__buffer_bytes(&m->buffer[b]))
                                : TSR__NOWHERE;
  }
}

/* What lives as long as the executor: status words, constants that kernels read. */
static void place_constants(struct planning *p)
{
  struct tsr__gpu *gpu = p->gpu;
  const struct tsr_module *m = gpu->module;
  for (int b = 0; b < m->buffers; b++)
    gpu->place[b] = TSR__NOWHERE;
  gpu->status_place = take(&gpu->bytes, 4 * (uint64_t)m->layers);
  for (int w = 0; w < gpu->works; w++)
    for (int i = 0; gpu->work[w].kind == TSR__GPU && i < gpu->work[w].layers; i++) {
      const struct tsr_module_layer *l = &m->layer[gpu->work[w].layer[i]];
      for (int k = 0; k < l->func->inputs; k++) {
        const struct tsr_module_buffer *b = &m->buffer[l->arg[k]];
        if (tsr__constant(m, b) && gpu->place[l->arg[k]] == TSR__NOWHERE)
          gpu->place[l->arg[k]] = take(&gpu->bytes, tsr__buffer_bytes(b));
      }
    }
}

static void place_values(struct planning *p)
{
  struct tsr__gpu *gpu = p->gpu;
  const struct tsr_module *m = gpu->module;
  struct tsr__value *value = TSR_NEW_ARRAY(p->arena, struct tsr__value, m->buffers + m->layers);
  uint64_t **at = TSR_NEW_ARRAY(p->arena, uint64_t *, m->buffers + m->layers);
  int n = 0, now = 0;
  for (int b = 0; b < m->buffers; b++)
    if (p->life[b].work >= 0) {
      at[n] = &gpu->place[b];
      value[n++] = (struct tsr__value){tsr__buffer_bytes(&m->buffer[b]), p->life[b].first,
                                       p->life[b].last, 0};
    }
  for (int w = 0; w < gpu->works; w++)
    for (int i = 0; gpu->work[w].kind == TSR__GPU && i < gpu->work[w].layers; i++, now++) {
      int layer = gpu->work[w].layer[i];
      at[n] = &gpu->scratch[layer];
      value[n++] = (struct tsr__value){tsr__gpu_layer(gpu, layer)->scratch_bytes, now, now, 0};
    }
  uint64_t base = gpu->bytes;
  gpu->bytes += tsr__lifetimes_place(p->arena, n, value);
  for (int i = 0; i < n; i++)
    *at[i] = base + value[i].offset;
}

void tsr__gpu_plan(struct tsr_arena *arena, struct tsr__gpu *gpu, int works,
                   const struct tsr__work *work)
{
  const struct tsr_module *m = gpu->module;
  struct planning p = {arena,
                       gpu,
                       TSR_NEW_ARRAY(arena, struct life, m->buffers),
                       TSR_NEW_ARRAY(arena, int, works),
                       TSR_NEW_ARRAY(arena, int, 2 * m->buffers),
                       0};
  int now = 0;
  gpu->works = works;
  gpu->work = work;
  gpu->segment = TSR_NEW_ARRAY(arena, struct tsr__segment, works);
  gpu->place = TSR_NEW_ARRAY(arena, uint64_t, m->buffers);
  gpu->host_place = TSR_NEW_ARRAY(arena, uint64_t, m->buffers);
  gpu->scratch = TSR_NEW_ARRAY(arena, uint64_t, m->layers);
  for (int b = 0; b < m->buffers; b++)
    p.life[b].work = -1;
  for (int w = 0; w < works; w++)
    if (work[w].kind == TSR__GPU)
      follow_segment(&p, w, &now);
  find_wanted(&p);
  list_downs(&p);
  place_on_host(&p);
  place_constants(&p);
  place_values(&p);
}

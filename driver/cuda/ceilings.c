/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/cuda/ceilings_private.h"
#include "driver/cuda/private.h"

#define MOST_COPIED (UINT64_C(512) << 20)

enum { TRIALS = 10, WARM = 2, BLOCKS = 4 /* on each processor */ };

struct measuring {
  struct tsr_cuda *gpu;
  struct tsr_arena *arena;
  struct tsr_gpu_arch arch;
  void *module, *start, *end;
  uint64_t memory, half; /* address; bytes of each half */
};

/* The shortest of some trials: what disturbs makes it longer only. */
static enum tsr_status fastest(struct measuring *m, struct tsr_err *err,
                               const struct tsr_cuda_kernel *kernel, double *seconds)
{
  double best = 0, now;
  for (int i = 0; i < TRIALS; i++) {
    if (tsr_cuda_event_mark(m->gpu, err, m->start) || tsr_cuda_launch(m->gpu, err, kernel) ||
        tsr_cuda_event_mark(m->gpu, err, m->end) ||
        tsr_cuda_wait(m->gpu, err, "measuring its limits") ||
        tsr_cuda_event_seconds(m->gpu, err, m->start, m->end, &now))
      return TSR_REFUSED;
    if (i >= WARM && (best == 0 || now < best))
      best = now;
  }
  *seconds = best > 0 ? best : 1e-9;
  return TSR_OK;
}

static enum tsr_status time_kernel(struct measuring *m, struct tsr_err *err, const char *entry,
                                   uint32_t blocks, uint32_t threads, int args, double *seconds)
{
  struct tsr_kernel_arg arg[2] = {{.pointer = {.param = 0}}, {.pointer = {.param = 1}}};
  struct tsr_kernel kernel = {entry, {blocks, 1, 1}, {threads, 1, 1}, {1, 1, 1}, 0, args, arg};
  uint64_t param[] = {m->memory, m->memory + m->half};
  struct tsr_cuda_addresses addresses = {param, 0, m->memory};
  struct tsr_cuda_kernel *made;
  if (tsr_cuda_kernel_new(m->arena, m->gpu, err, m->module, &kernel, &addresses, &made))
    return TSR_REFUSED;
  return fastest(m, err, made, seconds);
}

static enum tsr_status measure(struct measuring *m, struct tsr_err *err,
                               struct tsr_cuda_ceilings *out)
{
  double seconds;
  uint32_t blocks = (uint32_t)(m->half / TSR__CEILING_COPY);
  if (time_kernel(m, err, "copy", blocks, TSR__CEILING_THREADS, 2, &seconds))
    return TSR_REFUSED;
  out->bytes = 2. * blocks * TSR__CEILING_COPY / seconds;
  blocks = BLOCKS * (uint32_t)tsr_cuda_info(m->gpu)->processors;
  for (int i = 0; i < TSR_CEILINGS; i++) {
    bool wgmma = tsr__ceiling_by_wgmma((enum tsr_ceiling)i, m->arch);
    uint32_t threads = wgmma ? TSR__CEILING_GROUP_THREADS : TSR__CEILING_THREADS;
    if (time_kernel(m, err, tsr_ceiling_name((enum tsr_ceiling)i), blocks, threads, 1, &seconds))
      return TSR_REFUSED;
    out->macs[i] = tsr__ceiling_macs((enum tsr_ceiling)i, wgmma) * blocks / seconds;
  }
  return TSR_OK;
}

static enum tsr_status take_memory(struct measuring *m, struct tsr_err *err)
{
  size_t free_bytes, all_bytes;
  int error = m->gpu->api.memory_info(&free_bytes, &all_bytes);
  if (error)
    return tsr__cuda_refuse(m->gpu, err, error, "asking for free memory");
  m->half = free_bytes / 8 < MOST_COPIED ? free_bytes / 8 : MOST_COPIED;
  m->half = m->half / TSR__CEILING_COPY * TSR__CEILING_COPY;
  if (tsr_cuda_alloc(m->gpu, err, "measuring its limits", 2 * m->half, &m->memory))
    return TSR_REFUSED;
  return tsr_cuda_fill(m->gpu, err, m->memory, 0x3c, 2 * m->half);
}

static enum tsr_status start(struct measuring *m, struct tsr_err *err,
                             struct tsr_cuda_ceilings *out)
{
  m->arena = tsr_arena_new(m->gpu->allocator);
  if (!m->arena || setjmp(*tsr_arena_landing(m->arena)))
    return tsr_no_memory(err);
  if (take_memory(m, err) ||
      tsr_cuda_load(m->gpu, err, tsr_cuda_ceilings_ptx(m->arena, m->arch), &m->module) ||
      tsr_cuda_event_new(m->gpu, err, &m->start) || tsr_cuda_event_new(m->gpu, err, &m->end))
    return TSR_REFUSED;
  return measure(m, err, out);
}

enum tsr_status tsr_cuda_measure(struct tsr_cuda *gpu, struct tsr_err *err,
                                 struct tsr_cuda_ceilings *out)
{
  bool hopper = tsr_cuda_info(gpu)->capability == 90;
  struct measuring m = {.gpu = gpu, .arch = {hopper ? 90 : 80, hopper}};
  struct tsr_cuda_ceilings found = {0};
  enum tsr_status status = start(&m, err, &found);
  tsr_cuda_event_free(gpu, m.start);
  tsr_cuda_event_free(gpu, m.end);
  tsr_cuda_unload(gpu, m.module);
  tsr_cuda_free(gpu, m.memory);
  tsr_arena_free(m.arena);
  if (!status)
    *out = found;
  return status;
}

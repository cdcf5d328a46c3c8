/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/model.h"

#include <string.h>

static void *zeros(const struct tsr_device *device, size_t bytes)
{
  void *p = tsr_resize(device->allocator, NULL, bytes);
  return p ? memset(p, 0, bytes) : NULL;
}

enum tsr_status tsr__model_open(struct tsr_device *device, struct tsr_err *err, size_t bytes)
{
  struct tsr__model *m = device->state = zeros(device, bytes);
  if (m)
    m->window = zeros(device, device->window_bytes ? device->window_bytes : 1);
  if (m && m->window)
    return TSR_OK;
  if (m)
    tsr_resize(device->allocator, m, 0);
  return tsr_no_memory(err);
}

void tsr__model_close(struct tsr_device *device)
{
  struct tsr__model *m = device->state;
  tsr_resize(device->allocator, m->window, 0);
  tsr_resize(device->allocator, m, 0);
}

enum tsr_status tsr__model_take(struct tsr_device *device, struct tsr_err *err,
                                const struct tsr_run_result *result)
{
  struct tsr__model *m = device->state;
  for (int k = 0; k < TSR_COUNTER_COUNT; k++)
    m->counters[k] += result->counters[k];
  if (result->timed_out)
    return tsr_refuse(err, "device '%s' reached its timeout: %s", device->kind->name, result->text);
  if (result->trap)
    return tsr_refuse(err, "device '%s' stopped (%s): %s", device->kind->name,
                      tsr_trap_name(result->trap), result->text);
  return TSR_OK;
}

enum tsr_status tsr__model_write(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                 const void *data, size_t size)
{
  (void)err;
  struct tsr__model *m = device->state;
  memcpy(m->window + offset, data, size);
  return TSR_OK;
}

enum tsr_status tsr__model_read(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                void *data, size_t size)
{
  (void)err;
  const struct tsr__model *m = device->state;
  memcpy(data, m->window + offset, size);
  return TSR_OK;
}

enum tsr_status tsr__model_wait(struct tsr_device *device, struct tsr_err *err)
{
  (void)device;
  (void)err;
  return TSR_OK;
}

void tsr__model_counters(const struct tsr_device *device, struct tsr_device_counters *out)
{
  const struct tsr__model *m = device->state;
  const struct tsr_design *d = &device->design;
  const uint64_t *c = m->counters;
  const uint64_t insns[TSR_ENGINE_COUNT] = {c[TSR_COUNTER_LOAD_INSNS], c[TSR_COUNTER_MATRIX_INSNS],
                                            c[TSR_COUNTER_VECTOR_INSNS],
                                            c[TSR_COUNTER_STORE_INSNS]};
  memcpy(out->insns, insns, sizeof out->insns);
  out->dram_read_bytes = c[TSR_COUNTER_READ_BYTES];
  out->dram_write_bytes = c[TSR_COUNTER_WRITE_BYTES];
  out->macs = c[TSR_COUNTER_TILES] * (uint64_t)(d->batch * d->block_in * d->block_out);
  out->vector_ops = c[TSR_COUNTER_POINTS];
  memcpy(out->machine, c, sizeof out->machine);
}

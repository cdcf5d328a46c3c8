/* SPDX-License-Identifier: Apache-2.0 */
/* The functional model as a device. submit() runs the whole stream; wait() has nothing to do. */
#include "hw/sim/func/func.h"

#include <string.h>

#include "driver/device.h"

struct state {
  struct tsr_func *func;
  uint8_t *window;
};

static void close_func(struct tsr_device *device)
{
  struct state *s = device->state;
  tsr_func_free(s->func);
  tsr_resize(device->allocator, s->window, 0);
  tsr_resize(device->allocator, s, 0);
}

static enum tsr_status open_func(struct tsr_device *device, struct tsr_err *err,
                                 const struct tsr_device_options *options)
{
  (void)options;
  struct state *s = tsr_resize(device->allocator, NULL, sizeof *s);
  size_t bytes = device->window_bytes ? device->window_bytes : 1;
  if (!s)
    return tsr_no_memory(err);
  *s = (struct state){tsr_func_new(device->allocator, &device->design), NULL};
  if (s->func)
    s->window = tsr_resize(device->allocator, NULL, bytes);
  if (!s->window) {
    if (s->func)
      tsr_func_free(s->func);
    tsr_resize(device->allocator, s, 0);
    return tsr_no_memory(err);
  }
  memset(s->window, 0, bytes);
  device->state = s;
  return TSR_OK;
}

static enum tsr_status write_func(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                  const void *data, size_t size)
{
  (void)err;
  struct state *s = device->state;
  memcpy(s->window + offset, data, size);
  return TSR_OK;
}

static enum tsr_status read_func(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                 void *data, size_t size)
{
  (void)err;
  const struct state *s = device->state;
  memcpy(data, s->window + offset, size);
  return TSR_OK;
}

static enum tsr_status submit_func(struct tsr_device *device, struct tsr_err *err,
                                   const uint8_t *insns, size_t count)
{
  struct state *s = device->state;
  struct tsr_func_result result = {0};
  enum tsr_trap trap =
      tsr_func_run(s->func, insns, count, s->window, device->window_bytes, &result);
  if (trap == TSR_TRAP_NONE)
    return TSR_OK;
  return tsr_refuse(err, "device 'func' stopped (%s): %s", tsr_trap_name(trap), result.text);
}

static enum tsr_status wait_func(struct tsr_device *device, struct tsr_err *err)
{
  (void)device;
  (void)err;
  return TSR_OK;
}

static void counters_func(const struct tsr_device *device, struct tsr_device_counters *out)
{
  const struct state *s = device->state;
  const struct tsr_func_counters *c = tsr_func_counters(s->func);
  memcpy(out->insns, c->insns, sizeof out->insns);
  out->dram_read_bytes = c->dram_read_bytes;
  out->dram_write_bytes = c->dram_write_bytes;
  out->macs = c->macs;
  out->vector_ops = c->vector_ops;
}

const struct tsr_device_kind tsr_device_func = {
  .name = "func",
  .meaning = "functional model: what a program computes, without time",
  .open = open_func,
  .close = close_func,
  .write = write_func,
  .read = read_func,
  .submit = submit_func,
  .wait = wait_func,
  .counters = counters_func,
};

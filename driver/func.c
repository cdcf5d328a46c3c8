/* SPDX-License-Identifier: Apache-2.0 */
/* The functional model as a device. submit() runs the whole stream; wait() has nothing to do. */
#include "hw/sim/func/func.h"

#include <string.h>

#include "driver/model.h"

struct state {
  struct tsr__model model;
  struct tsr_func *func;
};

static void close_func(struct tsr_device *device)
{
  struct state *s = device->state;
  tsr_func_free(s->func);
  tsr__model_close(device);
}

static enum tsr_status open_func(struct tsr_device *device, struct tsr_err *err,
                                 const struct tsr_device_options *options)
{
  (void)options;
  enum tsr_status status = tsr__model_open(device, err, sizeof(struct state));
  if (status)
    return status;
  struct state *s = device->state;
  s->func = tsr_func_new(device->allocator, &device->design);
  if (s->func)
    return TSR_OK;
  close_func(device);
  return tsr_no_memory(err);
}

static enum tsr_status submit_func(struct tsr_device *device, struct tsr_err *err,
                                   const uint8_t *insns, size_t count)
{
  struct state *s = device->state;
  struct tsr_func_result result = {0};
  enum tsr_trap trap =
      tsr_func_run(s->func, insns, count, s->model.window, device->window_bytes, &result);
  if (trap == TSR_TRAP_NONE)
    return TSR_OK;
  return tsr_refuse(err, "device 'func' stopped (%s): %s", tsr_trap_name(trap), result.text);
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
    .write = tsr__model_write,
    .read = tsr__model_read,
    .submit = submit_func,
    .wait = tsr__model_wait,
    .counters = counters_func,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The machine event by event as a device: the cycles of the Verilog, without it. submit() runs the
 * whole stream; wait() has nothing to do. After a trap or a timeout the machine is reset, so that
 * the next stream finds it as new. */
#include "hw/sim/cycle/cycle.h"

#include "driver/model.h"

struct state {
  struct tsr__model model;
  struct tsr_cycle *cycle;
  struct tsr_device_options options; /* its texts are not looked at */
};

static void close_cycle(struct tsr_device *device)
{
  struct state *s = device->state;
  tsr_cycle_close(s->cycle);
  tsr__model_close(device);
}

static void progress(void *context, uint64_t cycle, size_t insn, size_t insn_count)
{
  const struct state *s = context;
  s->options.progress(s->options.context, cycle, insn, insn_count);
}

/* --- what an observer is told ----------------------------------------------------------------- */

static void insn(void *context, const struct tsr_cycle_insn *told)
{
  const struct tsr_device_observer *o = ((const struct state *)context)->options.observer;
  o->insn(o->context, told);
}

static void span(void *context, const struct tsr_cycle_span *told)
{
  const struct tsr_device_observer *o = ((const struct state *)context)->options.observer;
  o->span(o->context, told);
}

static void burst(void *context, const struct tsr_cycle_burst *told)
{
  const struct tsr_device_observer *o = ((const struct state *)context)->options.observer;
  o->burst(o->context, told);
}

static void tokens(void *context, uint64_t cycle, int from, int to, int count)
{
  const struct tsr_device_observer *o = ((const struct state *)context)->options.observer;
  o->tokens(o->context, cycle, from, to, count);
}

static void observe(struct tsr_cycle_options *options)
{
  options->insn = insn;
  options->span = span;
  options->burst = burst;
  options->tokens = tokens;
}

/* --- opening and running ---------------------------------------------------------------------- */

static enum tsr_status start(struct tsr_device *device, struct tsr_err *err)
{
  struct state *s = device->state;
  struct tsr_cycle_options options = tsr_cycle_defaults(&device->design);
  options.timing_only = s->options.timing_only;
  options.timeout_cycles = s->options.timeout_cycles;
  options.progress = s->options.progress ? progress : NULL;
  options.context = s;
  if (s->options.observer)
    observe(&options);
  return tsr_cycle_open(device->allocator, err, &device->design, &options, s->model.window,
                        device->window_bytes, &s->cycle);
}

static enum tsr_status open_cycle(struct tsr_device *device, struct tsr_err *err,
                                  const struct tsr_device_options *options)
{
  enum tsr_status status = tsr__model_open(device, err, sizeof(struct state));
  if (status)
    return status;
  ((struct state *)device->state)->options = *options;
  status = start(device, err);
  if (status)
    close_cycle(device);
  return status;
}

static enum tsr_status submit_cycle(struct tsr_device *device, struct tsr_err *err,
                                    const uint8_t *insns, size_t count)
{
  struct state *s = device->state;
  const struct tsr_device_observer *o = s->options.observer;
  struct tsr_run_result result;
  if (o)
    o->start(o->context, insns, count);
  tsr_cycle_run(s->cycle, insns, count, &result);
  if (o)
    o->end(o->context, &result);
  if (result.timed_out || result.trap)
    tsr_cycle_reset(s->cycle);
  return tsr__model_take(device, err, &result);
}

const struct tsr_device_kind tsr_device_cycle = {
    .name = "cycle",
    .meaning = "exact to the cycle, event by event",
    .takes = TSR_DEVICE_TAKES_TIMEOUT | TSR_DEVICE_TAKES_TIMING | TSR_DEVICE_TAKES_OBSERVER,
    .open = open_cycle,
    .close = close_cycle,
    .write = tsr__model_write,
    .read = tsr__model_read,
    .submit = submit_cycle,
    .wait = tsr__model_wait,
    .counters = tsr__model_counters,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The Verilog under Verilator as a device. submit() runs the whole stream; wait() has nothing to
 * do. After a trap, a timeout or a difference the machine is reset, so that the next stream finds
 * it as new. */
#include "hw/sim/rtl/lockstep.h"

#include <assert.h>
#include <string.h>

#include "driver/model.h"

struct state {
  struct tsr__model model;
  struct tsr_rtl *rtl;
  struct tsr_lockstep *lockstep;     /* NULL: runs alone */
  struct tsr_device_options options; /* its texts are not looked at */
};

static void close_rtl(struct tsr_device *device)
{
  struct state *s = device->state;
  tsr_rtl_close(s->rtl);
  tsr_lockstep_close(s->lockstep);
  tsr__model_close(device);
}

static void say(void *context, const char *line)
{
  const struct state *s = context;
  s->options.say(s->options.context, line);
}

static void progress(void *context, uint64_t cycle, size_t insn, size_t insn_count)
{
  const struct state *s = context;
  s->options.progress(s->options.context, cycle, insn, insn_count);
}

static void event(void *context, const struct tsr_run_event *event)
{
  const struct state *s = context;
  tsr_lockstep_event(s->lockstep, event);
}

static struct tsr_rtl_options options_of(struct tsr_device *device,
                                         const struct tsr_device_options *o)
{
  struct tsr_rtl_options rtl = tsr_rtl_defaults(&device->design);
  rtl.wave.path = o->wave.path;
  rtl.wave.first_cycle = o->wave.first_cycle;
  rtl.wave.last_cycle = o->wave.last_cycle;
  rtl.timeout_cycles = o->timeout_cycles;
  rtl.cache = o->cache;
  rtl.say = o->say ? say : NULL;
  rtl.progress = o->progress ? progress : NULL;
  rtl.event = o->lockstep ? event : NULL;
  rtl.context = device->state;
  return rtl;
}

static enum tsr_status start(struct tsr_device *device, struct tsr_err *err,
                             const struct tsr_device_options *options)
{
  struct state *s = device->state;
  struct tsr_rtl_options rtl = options_of(device, options);
  if (options->lockstep && tsr_lockstep_open(device->allocator, err, &device->design, &s->lockstep))
    return tsr_no_memory(err);
  return tsr_rtl_open(device->allocator, err, &device->design, &rtl, s->model.window,
                      device->window_bytes, &s->rtl);
}

static enum tsr_status open_rtl(struct tsr_device *device, struct tsr_err *err,
                                const struct tsr_device_options *options)
{
  enum tsr_status status = tsr__model_open(device, err, sizeof(struct state));
  if (status)
    return status;
  ((struct state *)device->state)->options = *options;
  status = start(device, err, options);
  if (status)
    close_rtl(device);
  return status;
}

/* Where the instructions of a waveform are looked for, this stream has some of them or none. */
static void place_wave(struct state *s, const uint8_t *insns, size_t count)
{
  uintptr_t from = (uintptr_t)s->options.wave.insns, stream = (uintptr_t)insns;
  struct tsr_rtl_wave wave = {.first_insn = count, .insn_count = s->options.wave.insn_count};
  if (!s->options.wave.insn_count)
    return;
  if (from >= stream && from < stream + count * TSR_INSN_BYTES)
    wave.first_insn = (from - stream) / TSR_INSN_BYTES;
  tsr_rtl_set_wave(s->rtl, &wave);
}

/* What the program is for: the machine refuses another design point's. A reset forgets it. */
static void name_design(struct state *s, uint64_t hash)
{
  bool taken = tsr_rtl_write_register(s->rtl, TSR_REG_DESIGN_LO, (uint32_t)hash) &&
               tsr_rtl_write_register(s->rtl, TSR_REG_DESIGN_HI, (uint32_t)(hash >> 32));
  assert(taken);
  (void)taken;
}

static enum tsr_status submit_rtl(struct tsr_device *device, struct tsr_err *err,
                                  const uint8_t *insns, size_t count)
{
  struct state *s = device->state;
  struct tsr_run_result result;
  place_wave(s, insns, count);
  name_design(s, device->design.hash);
  enum tsr_status status = s->lockstep
                               ? tsr_lockstep_run(s->lockstep, s->rtl, err, insns, count,
                                                  s->model.window, device->window_bytes, &result)
                               : tsr_rtl_run(s->rtl, err, insns, count, &result);
  if (status || result.timed_out || result.trap) {
    tsr_rtl_reset(s->rtl);
    if (s->lockstep)
      tsr_lockstep_reset(s->lockstep);
  }
  return status ? status : tsr__model_take(device, err, &result);
}

static void counters_rtl(const struct tsr_device *device, struct tsr_device_counters *out)
{
  const struct state *s = device->state;
  tsr__model_counters(device, out);
  out->wave_cycles = tsr_rtl_wave_cycles(s->rtl);
}

const struct tsr_device_kind tsr_device_rtl = {
    .name = "rtl",
    .meaning = "the Verilog under Verilator, exact to the cycle",
    .takes = TSR_DEVICE_TAKES_WAVE | TSR_DEVICE_TAKES_TIMEOUT | TSR_DEVICE_TAKES_LOCKSTEP,
    .open = open_rtl,
    .close = close_rtl,
    .write = tsr__model_write,
    .read = tsr__model_read,
    .submit = submit_rtl,
    .wait = tsr__model_wait,
    .counters = counters_rtl,
};

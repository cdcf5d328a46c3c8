/* SPDX-License-Identifier: Apache-2.0 */
/* The Verilog under Verilator as a device. submit() runs the whole stream; wait() has nothing to
 * do. After a trap, a timeout or a difference the machine is reset, so that the next stream finds
 * it as new. */
#include "hw/sim/rtl/lockstep.h"

#include <assert.h>
#include <string.h>

#include "driver/device.h"

struct state {
  struct tsr_rtl *rtl;
  struct tsr_lockstep *lockstep;     /* NULL: runs alone */
  struct tsr_device_options options; /* its texts are not looked at */
  uint8_t *window;
  struct tsr_device_wave wave; /* its path is not looked at */
  uint64_t counters[TSR_COUNTER_COUNT];
};

static void close_rtl(struct tsr_device *device)
{
  struct state *s = device->state;
  tsr_rtl_close(s->rtl);
  tsr_lockstep_close(s->lockstep);
  tsr_resize(device->allocator, s->window, 0);
  tsr_resize(device->allocator, s, 0);
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
  size_t bytes = device->window_bytes ? device->window_bytes : 1;
  struct tsr_rtl_options rtl = options_of(device, options);
  s->window = tsr_resize(device->allocator, NULL, bytes);
  if (!s->window)
    return tsr_no_memory(err);
  memset(s->window, 0, bytes);
  if (options->lockstep && tsr_lockstep_open(device->allocator, err, &device->design, &s->lockstep))
    return tsr_no_memory(err);
  return tsr_rtl_open(device->allocator, err, &device->design, &rtl, s->window,
                      device->window_bytes, &s->rtl);
}

static enum tsr_status open_rtl(struct tsr_device *device, struct tsr_err *err,
                                const struct tsr_device_options *options)
{
  struct state *s = tsr_resize(device->allocator, NULL, sizeof *s);
  if (!s)
    return tsr_no_memory(err);
  *s = (struct state){.wave = options->wave, .options = *options};
  device->state = s;
  enum tsr_status status = start(device, err, options);
  if (status)
    close_rtl(device);
  return status;
}

static enum tsr_status write_rtl(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                 const void *data, size_t size)
{
  (void)err;
  struct state *s = device->state;
  memcpy(s->window + offset, data, size);
  return TSR_OK;
}

static enum tsr_status read_rtl(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                void *data, size_t size)
{
  (void)err;
  const struct state *s = device->state;
  memcpy(data, s->window + offset, size);
  return TSR_OK;
}

/* Where the instructions of a waveform are looked for, this stream has some of them or none. */
static void place_wave(struct state *s, const uint8_t *insns, size_t count)
{
  uintptr_t from = (uintptr_t)s->wave.insns, stream = (uintptr_t)insns;
  struct tsr_rtl_wave wave = {.first_insn = count, .insn_count = s->wave.insn_count};
  if (!s->wave.insn_count)
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
  enum tsr_status status = s->lockstep ? tsr_lockstep_run(s->lockstep, s->rtl, err, insns, count,
                                                          s->window, device->window_bytes, &result)
                                       : tsr_rtl_run(s->rtl, err, insns, count, &result);
  for (int k = 0; k < TSR_COUNTER_COUNT; k++)
    s->counters[k] += result.counters[k];
  if (status || result.timed_out || result.trap) {
    tsr_rtl_reset(s->rtl);
    if (s->lockstep)
      tsr_lockstep_reset(s->lockstep);
  }
  if (status)
    return status;
  if (result.timed_out)
    return tsr_refuse(err, "device 'rtl' reached its timeout: %s", result.text);
  if (result.trap)
    return tsr_refuse(err, "device 'rtl' stopped (%s): %s", tsr_trap_name(result.trap),
                      result.text);
  return TSR_OK;
}

static enum tsr_status wait_rtl(struct tsr_device *device, struct tsr_err *err)
{
  (void)device;
  (void)err;
  return TSR_OK;
}

static void counters_rtl(const struct tsr_device *device, struct tsr_device_counters *out)
{
  const struct state *s = device->state;
  const struct tsr_design *d = &device->design;
  const uint64_t *c = s->counters;
  const uint64_t insns[TSR_ENGINE_COUNT] = {c[TSR_COUNTER_LOAD_INSNS], c[TSR_COUNTER_MATRIX_INSNS],
                                            c[TSR_COUNTER_VECTOR_INSNS],
                                            c[TSR_COUNTER_STORE_INSNS]};
  memcpy(out->insns, insns, sizeof out->insns);
  out->dram_read_bytes = c[TSR_COUNTER_READ_BYTES];
  out->dram_write_bytes = c[TSR_COUNTER_WRITE_BYTES];
  out->macs = c[TSR_COUNTER_TILES] * (uint64_t)(d->batch * d->block_in * d->block_out);
  out->vector_ops = c[TSR_COUNTER_POINTS];
  memcpy(out->machine, c, sizeof out->machine);
  out->wave_cycles = tsr_rtl_wave_cycles(s->rtl);
}

const struct tsr_device_kind tsr_device_rtl = {
    .name = "rtl",
    .meaning = "the Verilog under Verilator, exact to the cycle",
    .takes = TSR_DEVICE_TAKES_WAVE | TSR_DEVICE_TAKES_TIMEOUT | TSR_DEVICE_TAKES_LOCKSTEP,
    .open = open_rtl,
    .close = close_rtl,
    .write = write_rtl,
    .read = read_rtl,
    .submit = submit_rtl,
    .wait = wait_rtl,
    .counters = counters_rtl,
};

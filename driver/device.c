/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/device.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TSR_DEVICE(name) &tsr_device_##name,
#define TSR_ABSENT_DEVICE(name)
static const struct tsr_device_kind *const kinds[] = {
#include "driver/devices.def"
    NULL};
#undef TSR_DEVICE
#undef TSR_ABSENT_DEVICE

#define TSR_DEVICE(name)        #name,
#define TSR_ABSENT_DEVICE(name) #name,
static const char *const names[] = {
#include "driver/devices.def"
};
#undef TSR_DEVICE
#undef TSR_ABSENT_DEVICE

enum { NAMES = sizeof names / sizeof names[0], LIST_TEXT = 128 };

const struct tsr_device_kind *const *tsr_device_kinds(void)
{
  return kinds;
}

/* "'func', 'cycle' and 'rtl'": those of this build that take all of these options. Returns how
 * many. */
static int list_kinds(unsigned options, char text[static LIST_TEXT])
{
  int n = 0, listed = 0, count = 0;
  text[0] = 0;
  for (int i = 0; kinds[i]; i++)
    count += (kinds[i]->takes & options) == options;
  for (int i = 0; kinds[i] && n < LIST_TEXT; i++)
    if ((kinds[i]->takes & options) == options) {
      const char *before = !listed ? "" : listed + 1 < count ? ", " : " and ";
      n += snprintf(text + n, (size_t)(LIST_TEXT - n), "%s'%s'", before, kinds[i]->name);
      listed++;
    }
  return count;
}

enum tsr_status tsr_device_find(struct tsr_err *err, const char *name,
                                const struct tsr_device_kind **out)
{
  char list[LIST_TEXT];
  list_kinds(0, list);
  for (int i = 0; kinds[i]; i++)
    if (!strcmp(kinds[i]->name, name)) {
      *out = kinds[i];
      return TSR_OK;
    }
  for (int i = 0; i < NAMES; i++)
    if (!strcmp(names[i], name))
      return tsr_refuse(err, "device '%s' is not built into this command; %s are", name,
                        list);
  const char *near = tsr_nearest(name, names, NAMES);
  if (near)
    return tsr_refuse(err, "unknown device '%.80s'; did you mean '%s'?", name, near);
  return tsr_refuse(err, "unknown device '%.80s'; there are %s", name, list);
}

static enum tsr_status check_options(struct tsr_err *err, const struct tsr_device_kind *kind,
                                     const struct tsr_device_options *options)
{
  const struct {
    bool given;
    unsigned option;
    const char *lacks;
  } rows[] = {
      {options->wave.path, TSR_DEVICE_TAKES_WAVE, "has no signals, so that it writes no waveform"},
      {options->timeout_cycles, TSR_DEVICE_TAKES_TIMEOUT,
       "counts no cycles, so that it has no timeout"},
      {options->lockstep, TSR_DEVICE_TAKES_LOCKSTEP,
       "does not run in lockstep with the functional model"},
      {options->timing_only, TSR_DEVICE_TAKES_TIMING,
       "computes all data and does not run for timing only"},
      {options->observer, TSR_DEVICE_TAKES_OBSERVER, "does not tell what happens when"},
  };
  char list[LIST_TEXT];
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
    if (rows[k].given && !(kind->takes & rows[k].option)) {
      int takers = list_kinds(rows[k].option, list);
      return tsr_refuse(err, "device '%s' %s; %s %s", kind->name, rows[k].lacks, list,
                        takers == 1 ? "does" : "do");
    }
  return TSR_OK;
}

enum tsr_status tsr_device_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                                const char *name, const struct tsr_design *design,
                                const struct tsr_device_options *options, size_t window_bytes,
                                struct tsr_device **out)
{
  static const struct tsr_device_options defaults;
  const struct tsr_device_kind *kind;
  options = options ? options : &defaults;
  if (tsr_device_find(err, name, &kind) || check_options(err, kind, options))
    return TSR_REFUSED;
  struct tsr_device *device = tsr_resize(allocator, NULL, sizeof *device);
  if (!device)
    return tsr_no_memory(err);
  *device = (struct tsr_device){kind, allocator, *design, window_bytes, NULL};
  enum tsr_status status = kind->open(device, err, options);
  if (status) {
    tsr_resize(allocator, device, 0);
    return status;
  }
  *out = device;
  return TSR_OK;
}

void tsr_device_close(struct tsr_device *device)
{
  if (!device)
    return;
  device->kind->close(device);
  tsr_resize(device->allocator, device, 0);
}

static enum tsr_status check_range(const struct tsr_device *device, struct tsr_err *err,
                                   uint64_t offset, size_t size)
{
  if (offset <= device->window_bytes && size <= device->window_bytes - offset)
    return TSR_OK;
  return tsr_refuse(err, "device '%s': %zu bytes from %" PRIu64 " leave the window of %zu bytes",
                    device->kind->name, size, offset, device->window_bytes);
}

enum tsr_status tsr_device_write(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                 const void *data, size_t size)
{
  enum tsr_status status = check_range(device, err, offset, size);
  return status || !size ? status : device->kind->write(device, err, offset, data, size);
}

enum tsr_status tsr_device_read(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                void *data, size_t size)
{
  enum tsr_status status = check_range(device, err, offset, size);
  return status || !size ? status : device->kind->read(device, err, offset, data, size);
}

enum tsr_status tsr_device_run(struct tsr_device *device, struct tsr_err *err, const uint8_t *insns,
                               size_t count)
{
  enum tsr_status status = device->kind->submit(device, err, insns, count);
  return status ? status : device->kind->wait(device, err);
}

void tsr_device_counters(const struct tsr_device *device, struct tsr_device_counters *out)
{
  *out = (struct tsr_device_counters){0};
  device->kind->counters(device, out);
}

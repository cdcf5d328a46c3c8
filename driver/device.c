/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/device.h"

#include <inttypes.h>
#include <string.h>

#define TSR_DEVICE(name) &tsr_device_##name,
#define TSR_ABSENT_DEVICE(name)
static const struct tsr_device_kind *const kinds[] = {
#include "driver/devices.def"
  NULL};
#undef TSR_DEVICE
#undef TSR_ABSENT_DEVICE

#define TSR_DEVICE(name) #name,
#define TSR_ABSENT_DEVICE(name) #name,
static const char *const names[] = {
#include "driver/devices.def"
};
#undef TSR_DEVICE
#undef TSR_ABSENT_DEVICE

enum { NAMES = sizeof names / sizeof names[0] };

const struct tsr_device_kind *const *tsr_device_kinds(void)
{
  return kinds;
}

enum tsr_status tsr_device_find(struct tsr_err *err, const char *name,
                                const struct tsr_device_kind **out)
{
  for (int i = 0; kinds[i]; i++)
    if (!strcmp(kinds[i]->name, name)) {
      *out = kinds[i];
      return TSR_OK;
    }
  for (int i = 0; i < NAMES; i++)
    if (!strcmp(names[i], name))
      return tsr_refuse(err, "device '%s' is not built into this command; '%s' is", name,
                        kinds[0]->name);
  const char *near = tsr_nearest(name, names, NAMES);
  return tsr_refuse(err, "unknown device '%.80s'; %s '%s'%s", name,
                    near ? "did you mean" : "there is", near ? near : kinds[0]->name,
                    near ? "?" : "");
}

enum tsr_status tsr_device_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                                const char *name, const struct tsr_design *design,
                                size_t window_bytes, struct tsr_device **out)
{
  const struct tsr_device_kind *kind;
  if (tsr_device_find(err, name, &kind))
    return TSR_REFUSED;
  struct tsr_device *device = tsr_resize(allocator, NULL, sizeof *device);
  if (!device)
    return tsr_no_memory(err);
  *device = (struct tsr_device){kind, allocator, *design, window_bytes, NULL};
  enum tsr_status status = kind->open(device, err);
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
  device->kind->counters(device, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One interface, many devices: a window of memory that the accelerator reads and writes, and
 * streams of instructions to run on it.
 *
 * A device belongs to one thread at a time; two devices do not meet. The core never asks which one
 * it is: everything that differs is behind the function pointers. */
#ifndef TSR_DRIVER_DEVICE_H
#define TSR_DRIVER_DEVICE_H

#include "configs/design.h"

/* Counted since the device was opened. */
struct tsr_device_counters {
  uint64_t insns[TSR_ENGINE_COUNT]; /* retired, by engine */
  uint64_t dram_read_bytes, dram_write_bytes;
  uint64_t macs, vector_ops;
};

struct tsr_device {
  const struct tsr_device_kind *kind;
  const struct tsr_allocator *allocator;
  struct tsr_design design;
  size_t window_bytes;
  void *state; /* the kind's own */
};

/* What a device does. open fills device->state; every other call finds it. Ranges are inside of the
 * window: the calls below have checked. */
struct tsr_device_kind {
  const char *name, *meaning;
  enum tsr_status (*open)(struct tsr_device *device, struct tsr_err *err);
  void (*close)(struct tsr_device *device);
  enum tsr_status (*write)(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                           const void *data, size_t size);
  enum tsr_status (*read)(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                          void *data, size_t size);
  /* Starts a stream. `insns` stays valid until wait() has returned. */
  enum tsr_status (*submit)(struct tsr_device *device, struct tsr_err *err, const uint8_t *insns,
                            size_t count);
  enum tsr_status (*wait)(struct tsr_device *device, struct tsr_err *err);
  void (*counters)(const struct tsr_device *device, struct tsr_device_counters *out);
};

#define TSR_DEVICE(name) extern const struct tsr_device_kind tsr_device_##name;
#define TSR_ABSENT_DEVICE(name)
#include "driver/devices.def"
#undef TSR_DEVICE
#undef TSR_ABSENT_DEVICE

/* The devices of this build in the order of devices.def, ending with NULL. */
const struct tsr_device_kind *const *tsr_device_kinds(void);
/* Refuses a name that is unknown or not built in, naming those that are. */
enum tsr_status tsr_device_find(struct tsr_err *err, const char *name,
                                const struct tsr_device_kind **out);

/* Opens a device with a window of zeros, for programs of this design point. The caller ends it with
 * tsr_device_close(). On an error *out is untouched. */
enum tsr_status tsr_device_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                                const char *name, const struct tsr_design *design,
                                size_t window_bytes, struct tsr_device **out);
void tsr_device_close(struct tsr_device *device); /* NULL is allowed */

/* Copies into and out of the window; a range that leaves it is refused. */
enum tsr_status tsr_device_write(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                 const void *data, size_t size);
enum tsr_status tsr_device_read(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                void *data, size_t size);
/* Runs a stream to its end. A trap is refused in the device's own sentence. */
enum tsr_status tsr_device_run(struct tsr_device *device, struct tsr_err *err, const uint8_t *insns,
                               size_t count);
void tsr_device_counters(const struct tsr_device *device, struct tsr_device_counters *out);

#endif

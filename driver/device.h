/* SPDX-License-Identifier: Apache-2.0 */
/* One interface, many devices: a window of memory that the accelerator reads and writes, and
 * streams of instructions to run on it.
 *
 * A device belongs to one thread at a time; two devices do not meet. The core never asks which one
 * it is: everything that differs is behind the function pointers. */
#ifndef TSR_DRIVER_DEVICE_H
#define TSR_DRIVER_DEVICE_H

#include "configs/design.h"
#include "hw/sim/cycle/cycle.h"

/* Counted since the device was opened. */
struct tsr_device_counters {
  uint64_t insns[TSR_ENGINE_COUNT]; /* retired, by engine */
  uint64_t dram_read_bytes, dram_write_bytes;
  uint64_t macs, vector_ops;
  uint64_t machine[TSR_COUNTER_COUNT]; /* by enum tsr_counter; zeros on a device without time */
  uint64_t wave_cycles;                /* that went into the waveform */
};

/* Which cycles go into a waveform file. */
struct tsr_device_wave {
  const char *path;                 /* NULL: no waveform */
  uint64_t first_cycle, last_cycle; /* of each run, both included */
  /* Where insn_count > 0 instead those in which one of these instructions is at work: a part of the
   * streams that will be run, at the place where they lie in memory. */
  const uint8_t *insns;
  size_t insn_count;
};

/* What happens in a run, as it happens, to one who wants to know: hw/sim/cycle/cycle.h tells what
 * the last four are. All are set; none may call the device. */
struct tsr_device_observer {
  void (*start)(void *context, const uint8_t *insns, size_t insn_count);
  void (*end)(void *context, const struct tsr_run_result *result);
  void (*insn)(void *context, const struct tsr_cycle_insn *insn);
  void (*span)(void *context, const struct tsr_cycle_span *span);
  void (*burst)(void *context, const struct tsr_cycle_burst *burst);
  void (*tokens)(void *context, uint64_t cycle, int from, int to, int count);
  void *context;
};

/* How a device runs. {0} are the defaults; what a kind does not `take` is refused. */
struct tsr_device_options {
  struct tsr_device_wave wave;
  uint64_t timeout_cycles; /* of a run; 0: none */
  bool lockstep;           /* compare with the functional model after each instruction */
  bool timing_only;        /* when, and not what: data is not computed */
  const struct tsr_device_observer *observer; /* NULL: none; outlives the device */
  const char *cache;       /* folder for what a device builds once and keeps; NULL: the user's */
  /* Each may be NULL. say: a line about what takes long before a run; progress: now and then during
   * one. */
  void (*say)(void *context, const char *line);
  void (*progress)(void *context, uint64_t cycle, size_t insn, size_t insn_count);
  void *context;
};
enum {
  TSR_DEVICE_TAKES_WAVE = 1,
  TSR_DEVICE_TAKES_TIMEOUT = 2,
  TSR_DEVICE_TAKES_LOCKSTEP = 4,
  TSR_DEVICE_TAKES_TIMING = 8,
  TSR_DEVICE_TAKES_OBSERVER = 16
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
  unsigned takes; /* TSR_DEVICE_TAKES_ */
  enum tsr_status (*open)(struct tsr_device *device, struct tsr_err *err,
                          const struct tsr_device_options *options);
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

/* Opens a device with a window of zeros, for programs of this design point. options may be
 * NULL; its texts are copied. The caller ends it with tsr_device_close(). On an error *out is
 * untouched. */
enum tsr_status tsr_device_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                                const char *name, const struct tsr_design *design,
                                const struct tsr_device_options *options, size_t window_bytes,
                                struct tsr_device **out);
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

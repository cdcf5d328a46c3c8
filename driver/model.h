/* SPDX-License-Identifier: Apache-2.0 */
/* What devices share that are models in this process: the window lies in memory of their own, a
 * stream has run when it is submitted, and what the machine counts is summed up over the runs. */
#ifndef TSR_DRIVER_MODEL_H
#define TSR_DRIVER_MODEL_H

#include "driver/device.h"
#include "hw/sim/run.h"

/* The first member of the state of such a device. */
struct tsr__model {
  uint8_t *window;
  uint64_t counters[TSR_COUNTER_COUNT]; /* over all runs; zeros on a device without time */
};

/* device->state, `bytes` of zeros that begin with a struct tsr__model, and a window of zeros;
 * tsr__model_close() frees both. */
enum tsr_status tsr__model_open(struct tsr_device *device, struct tsr_err *err, size_t bytes);
void tsr__model_close(struct tsr_device *device);

/* Takes what a run has counted, and refuses one that has not come to its end. */
enum tsr_status tsr__model_take(struct tsr_device *device, struct tsr_err *err,
                                const struct tsr_run_result *result);

/* The functions of a struct tsr_device_kind; counters: of a device with time. */
enum tsr_status tsr__model_write(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                 const void *data, size_t size);
enum tsr_status tsr__model_read(struct tsr_device *device, struct tsr_err *err, uint64_t offset,
                                void *data, size_t size);
enum tsr_status tsr__model_wait(struct tsr_device *device, struct tsr_err *err);
void tsr__model_counters(const struct tsr_device *device, struct tsr_device_counters *out);

#endif

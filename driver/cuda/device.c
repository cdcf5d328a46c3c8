/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "driver/cuda/private.h"

/* --- what it is ------------------------------------------------------------------------------- */

static enum tsr_status attribute(struct tsr_cuda *gpu, struct tsr_err *err, int which, int *out)
{
  int error = gpu->api.device_attribute(out, which, gpu->device);
  return error ? tsr__cuda_refuse(gpu, err, error, "asking for attribute %d", which) : TSR_OK;
}

static enum tsr_status read_info(struct tsr_cuda *gpu, struct tsr_err *err)
{
  struct tsr_cuda_info *info = &gpu->info;
  int major, minor, clock, memory_clock, l2, shared;
  size_t memory;
  int error = gpu->api.device_name(info->name, (int)sizeof info->name, gpu->device);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "asking for the name");
  info->name[sizeof info->name - 1] = 0;
  error = gpu->api.device_memory(&memory, gpu->device);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "asking for the size of the memory");
  if (attribute(gpu, err, TSR__CUDA_MAJOR, &major) ||
      attribute(gpu, err, TSR__CUDA_MINOR, &minor) ||
      attribute(gpu, err, TSR__CUDA_PROCESSORS, &info->processors) ||
      attribute(gpu, err, TSR__CUDA_CLOCK_KHZ, &clock) ||
      attribute(gpu, err, TSR__CUDA_MEMORY_CLOCK_KHZ, &memory_clock) ||
      attribute(gpu, err, TSR__CUDA_MEMORY_BUS_BITS, &info->memory_bus_bits) ||
      attribute(gpu, err, TSR__CUDA_L2_BYTES, &l2) ||
      attribute(gpu, err, TSR__CUDA_SHARED_BYTES, &shared))
    return TSR_REFUSED;
  info->capability = 10 * major + minor;
  info->clock_mhz = clock / 1000;
  info->memory_clock_mhz = memory_clock / 1000;
  info->memory_bytes = memory;
  info->l2_bytes = (uint64_t)l2;
  info->shared_bytes = (uint64_t)shared;
  return TSR_OK;
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum tsr_status start_driver(struct tsr_cuda *gpu, struct tsr_err *err, int number)
{
  int count, error = gpu->api.init(0);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "starting the driver");
  error = gpu->api.driver_version(&gpu->info.driver_version);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "asking for the driver's version");
  int version = gpu->info.driver_version;
  if (version < TSR__CUDA_OLDEST_DRIVER)
    return tsr_refuse(err,
                      "the NVIDIA driver is one of CUDA %d.%d; target 'cuda' needs one of CUDA "
                      "12.0 or later",
                      version / 1000, version % 1000 / 10);
  error = gpu->api.device_count(&count);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "counting the GPUs");
  if (count < 1)
    return tsr_refuse(err, "the NVIDIA driver has no GPU; %s",
                      tsr__cuda_advice(TSR__CUDA_NO_DEVICE));
  if (number >= count)
    return tsr_refuse(err, "there is no GPU %d; the NVIDIA driver has %d, counted from 0", number,
                      count);
  error = gpu->api.device_get(&gpu->device, number);
  return error ? tsr__cuda_refuse(gpu, err, error, "opening it") : TSR_OK;
}

static enum tsr_status start_stream(struct tsr_cuda *gpu, struct tsr_err *err)
{
  if (tsr_cuda_enter(gpu, err))
    return TSR_REFUSED;
  int error = gpu->api.stream_create(&gpu->stream, TSR__CUDA_STREAM_OF_ITS_OWN);
  tsr_cuda_leave(gpu);
  return error ? tsr__cuda_refuse(gpu, err, error, "making a stream") : TSR_OK;
}

enum tsr_status tsr_cuda_probe(struct tsr_err *err, const char *driver, int number,
                               struct tsr_cuda_info *out)
{
  struct tsr_cuda gpu = {0};
  enum tsr_status status = tsr__cuda_library(err, driver, &gpu.api);
  if (!status)
    status = start_driver(&gpu, err, number);
  if (!status)
    status = read_info(&gpu, err);
  if (!status)
    *out = gpu.info;
  tsr__cuda_library_close(&gpu.api);
  return status;
}

static enum tsr_status start(struct tsr_cuda *gpu, struct tsr_err *err, int number)
{
  if (start_driver(gpu, err, number) || read_info(gpu, err))
    return TSR_REFUSED;
  int error = gpu->api.context_retain(&gpu->context, gpu->device);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "making a context");
  if (!start_stream(gpu, err))
    return TSR_OK;
  gpu->api.context_release(gpu->device);
  return TSR_REFUSED;
}

enum tsr_status tsr_cuda_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                              const char *driver, int number, struct tsr_cuda **out)
{
  struct tsr_cuda *gpu = tsr_resize(allocator, NULL, sizeof *gpu);
  if (!gpu)
    return tsr_no_memory(err);
  *gpu = (struct tsr_cuda){.allocator = allocator};
  enum tsr_status status = tsr__cuda_library(err, driver, &gpu->api);
  if (!status)
    status = start(gpu, err, number);
  if (!status) {
    *out = gpu;
    return TSR_OK;
  }
  tsr__cuda_library_close(&gpu->api);
  tsr_resize(allocator, gpu, 0);
  return status;
}

void tsr_cuda_close(struct tsr_cuda *gpu)
{
  if (!gpu)
    return;
  bool entered = !tsr_cuda_enter(gpu, NULL);
  gpu->api.stream_destroy(gpu->stream);
  if (entered)
    tsr_cuda_leave(gpu);
  gpu->api.context_release(gpu->device);
  tsr__cuda_library_close(&gpu->api);
  tsr_resize(gpu->allocator, gpu, 0);
}

const struct tsr_cuda_info *tsr_cuda_info(const struct tsr_cuda *gpu)
{
  return &gpu->info;
}

enum tsr_status tsr_cuda_enter(struct tsr_cuda *gpu, struct tsr_err *err)
{
  int error = gpu->api.context_push(gpu->context);
  return error ? tsr__cuda_refuse(gpu, err, error, "entering the context") : TSR_OK;
}

void tsr_cuda_leave(struct tsr_cuda *gpu)
{
  void *context;
  gpu->api.context_pop(&context);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "driver/cuda/private.h"

enum tsr_status tsr_cuda_alloc(struct tsr_cuda *gpu, struct tsr_err *err, const char *what,
                               uint64_t bytes, uint64_t *address)
{
  size_t free_bytes, all_bytes;
  int error = gpu->api.memory_alloc(address, bytes ? bytes : 1);
  if (error == TSR__CUDA_OUT_OF_MEMORY && !gpu->api.memory_info(&free_bytes, &all_bytes))
    return tsr__cuda_refuse(gpu, err, error,
                            "allocating %" PRIu64 " bytes for %s, where %zu of %zu are free,",
                            bytes, what, free_bytes, all_bytes);
  return error
             ? tsr__cuda_refuse(gpu, err, error, "allocating %" PRIu64 " bytes for %s", bytes, what)
             : TSR_OK;
}

void tsr_cuda_free(struct tsr_cuda *gpu, uint64_t address)
{
  if (address)
    gpu->api.memory_free(address);
}

enum tsr_status tsr_cuda_alloc_host(struct tsr_cuda *gpu, struct tsr_err *err, const char *what,
                                    uint64_t bytes, void **memory)
{
  int error = gpu->api.host_alloc(memory, bytes ? bytes : 1, 0);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "pinning %" PRIu64 " bytes of host memory for %s",
                            bytes, what);
  memset(*memory, 0, bytes ? bytes : 1);
  return TSR_OK;
}

void tsr_cuda_free_host(struct tsr_cuda *gpu, void *memory)
{
  if (memory)
    gpu->api.host_free(memory);
}

enum tsr_status tsr_cuda_upload(struct tsr_cuda *gpu, struct tsr_err *err, uint64_t to,
                                const void *from, uint64_t bytes)
{
  int error = bytes ? gpu->api.copy_up(to, from, bytes, gpu->stream) : 0;
  return error ? tsr__cuda_refuse(gpu, err, error, "copying %" PRIu64 " bytes to it", bytes)
               : TSR_OK;
}

enum tsr_status tsr_cuda_download(struct tsr_cuda *gpu, struct tsr_err *err, void *to,
                                  uint64_t from, uint64_t bytes)
{
  int error = bytes ? gpu->api.copy_down(to, from, bytes, gpu->stream) : 0;
  return error ? tsr__cuda_refuse(gpu, err, error, "copying %" PRIu64 " bytes from it", bytes)
               : TSR_OK;
}

enum tsr_status tsr_cuda_fill(struct tsr_cuda *gpu, struct tsr_err *err, uint64_t to, uint8_t value,
                              uint64_t bytes)
{
  int error = bytes ? gpu->api.fill(to, value, bytes, gpu->stream) : 0;
  return error ? tsr__cuda_refuse(gpu, err, error, "filling %" PRIu64 " bytes", bytes) : TSR_OK;
}

enum tsr_status tsr_cuda_wait(struct tsr_cuda *gpu, struct tsr_err *err, const char *what)
{
  int error = gpu->api.stream_wait(gpu->stream);
  return error ? tsr__cuda_refuse(gpu, err, error, "%s", what) : TSR_OK;
}

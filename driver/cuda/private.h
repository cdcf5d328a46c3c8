/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef TSR_DRIVER_CUDA_PRIVATE_H
#define TSR_DRIVER_CUDA_PRIVATE_H

#include "driver/cuda/abi.h"
#include "driver/cuda/cuda.h"

struct tsr_cuda {
  const struct tsr_allocator *allocator;
  struct tsr__cuda_api api;
  struct tsr_cuda_info info;
  int device;
  void *context, *stream;
};

/* Opens the library and finds its functions. */
enum tsr_status tsr__cuda_library(struct tsr_err *err, const char *driver,
                                  struct tsr__cuda_api *out);
void tsr__cuda_library_close(struct tsr__cuda_api *api);

/* The sentence of an error. The format tells what was being done. */
enum tsr_status tsr__cuda_refuse(struct tsr_cuda *gpu, struct tsr_err *err, int error,
                                 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What would work; "" where nothing is known. */
const char *tsr__cuda_advice(int error);

#endif

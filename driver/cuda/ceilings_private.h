/* SPDX-License-Identifier: Apache-2.0 */
/* How much a launch of each measuring kernel does. */
#ifndef TSR_DRIVER_CUDA_CEILINGS_PRIVATE_H
#define TSR_DRIVER_CUDA_CEILINGS_PRIVATE_H

#include "driver/cuda/ceilings.h"

enum {
  TSR__CEILING_THREADS = 256,
  TSR__CEILING_COPY = 4 * 16 * TSR__CEILING_THREADS, /* bytes that a block copies */
  TSR__CEILING_LOOPS = 4096,
  TSR__CEILING_GROUP_THREADS = 128,
  TSR__CEILING_GROUP_LOOPS = 1024,
};

/* Of one block. */
double tsr__ceiling_macs(enum tsr_ceiling ceiling, bool wgmma);
bool tsr__ceiling_by_wgmma(enum tsr_ceiling ceiling, struct tsr_gpu_arch arch);

#endif

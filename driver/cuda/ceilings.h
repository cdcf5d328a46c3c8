/* SPDX-License-Identifier: Apache-2.0 */
/* A GPU's limits as kernels of a single purpose reach them: memory copied in a straight line, products
 * of what is in registers (mma) or in shared memory (wgmma), on all of its processors. */
#ifndef TSR_DRIVER_CUDA_CEILINGS_H
#define TSR_DRIVER_CUDA_CEILINGS_H

#include "driver/cuda/cuda.h"

enum tsr_ceiling {
#define TSR_CEILING(id, text, result, operand, mma_k, wgmma_k) TSR_CEILING_##id,
#include "driver/cuda/ceilings.def"
#undef TSR_CEILING
  TSR_CEILINGS
};
const char *tsr_ceiling_name(enum tsr_ceiling ceiling);

struct tsr_cuda_ceilings {
  double bytes;              /* a second, read and written */
  double macs[TSR_CEILINGS]; /* multiply-accumulates a second */
};

/* Takes a second and a quarter of the free memory, at most 1 GiB. The GPU has been entered. */
enum tsr_status tsr_cuda_measure(struct tsr_cuda *gpu, struct tsr_err *err,
                                 struct tsr_cuda_ceilings *out);

/* The PTX that is measured with, for an architecture; text in the arena. */
const char *tsr_cuda_ceilings_ptx(struct tsr_arena *arena, struct tsr_gpu_arch arch);

#endif

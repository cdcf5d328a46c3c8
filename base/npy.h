/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy's .npy files: one array, as bytes in memory.
 *
 * Read: format 1.0, 2.0 and 3.0, little endian, C or Fortran order (which is turned to row-major),
 * every type of base/dtypes.def (bf16 as `V2`, two bytes, as ml_dtypes' bfloat16 is saved), ranks up to TSR_MAX_RANK. Written: format 1.0, C order. */
#ifndef TSR_BASE_NPY_H
#define TSR_BASE_NPY_H

#include "base/file.h"
#include "base/tensor.h"

/* `name` starts every sentence ("weights.npy: ..."). The tensor's data is a copy in the arena. On
 * an error *out is untouched. */
enum tsr_status tsr_npy_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                             const void *bytes, size_t size, struct tsr_tensor *out);

/* The bytes that np.save would write. */
struct tsr_bytes tsr_npy_write(struct tsr_arena *arena, const struct tsr_tensor *t);

#endif

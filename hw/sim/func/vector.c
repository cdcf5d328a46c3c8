/* SPDX-License-Identifier: Apache-2.0 */
#define TARGET
#define NAME tsr__vector_plain
#define WIDEST 4

#include "base/arith.h"
#include "hw/sim/func/vector.h"

#define INLINE TARGET static inline __attribute__((always_inline))

INLINE void widen(const int8_t *from, int count, void *out)
{
  int32_t *to = out;
  for (int i = 0; i < count; i++)
    to[i] = from[i];
}

INLINE void quant(const void *a, const int32_t *b, size_t lanes, int count, void *out)
{
  const int32_t *x = a;
  int32_t *z = out;
  for (int i = 0; i < count; i++)
    z[i] = tsr_quant_i32(x[i], b[i], b[lanes + (size_t)i], b[2 * lanes + (size_t)i]);
}

#include "hw/sim/func/vector_body.h"

void tsr__vector(struct tsr_func *func, const struct tsr_insn *insn)
{
#ifdef TSR_FUNC_X86
  if (func->path == TSR__AVX512) {
    tsr__vector_avx512(func, insn);
    return;
  }
  if (func->path == TSR__AVX2) {
    tsr__vector_avx2(func, insn);
    return;
  }
#endif
  tsr__vector_plain(func, insn);
}

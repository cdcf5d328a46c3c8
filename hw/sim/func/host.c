/* SPDX-License-Identifier: Apache-2.0 */
/* Which path this host can take: asked of the processor at run time. */
#include "hw/sim/func/kernel.h"
#include "hw/sim/func/tiles.h"

#ifdef TSR_FUNC_X86
enum tsr__path tsr__best_path(void)
{
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vnni"))
    return TSR__AVX512;
  return __builtin_cpu_supports("avx2") ? TSR__AVX2 : TSR__PLAIN;
}
#else
enum tsr__path tsr__best_path(void)
{
  return TSR__PLAIN;
}

const struct tsr__kernel *tsr__kernel_avx2(int in, int out)
{
  (void)in, (void)out;
  return NULL;
}

const struct tsr__kernel *tsr__kernel_avx512(int in, int out)
{
  (void)in, (void)out;
  return NULL;
}
#endif

const struct tsr__kernel *tsr__kernel_find(enum tsr__path path, int in, int out)
{
  const struct tsr__kernel *kernel = NULL;
  if (path >= TSR__AVX512)
    kernel = tsr__kernel_avx512(in, out);
  if (!kernel && path >= TSR__AVX2)
    kernel = tsr__kernel_avx2(in, out);
  return kernel ? kernel : tsr__kernel_plain();
}

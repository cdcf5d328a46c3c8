/* SPDX-License-Identifier: Apache-2.0 */
#include "native/level.h"

#include <string.h>

static const struct tsr_level_info infos[TSR_LEVELS] = {
#define TSR_LEVEL(id, name, bytes, registers, fma, dot, meaning)                                   \
  {name, meaning, bytes, registers, fma, dot},
#include "native/levels.def"
#undef TSR_LEVEL
};

const struct tsr_level_info *tsr_level_info(enum tsr_level level)
{
  return &infos[level];
}

bool tsr_level_from_name(const char *name, enum tsr_level *out)
{
  for (int i = 0; i < TSR_LEVELS; i++)
    if (!strcmp(name, infos[i].name)) {
      *out = (enum tsr_level)i;
      return true;
    }
  return false;
}

#ifdef __x86_64__
static bool has_avx2(void)
{
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

static bool has_avx512(void)
{
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

/* The compiler's builtins also ask the operating system (XGETBV). Every CPU with AVX2 and FMA has
 * the rest of x86-64-v3: F16C, LZCNT and MOVBE. */
int tsr_level_of_machine(void)
{
  __builtin_cpu_init();
  if (!has_avx2())
    return TSR_LEVEL_SSE2;
  if (!has_avx512())
    return TSR_LEVEL_AVX2;
  return __builtin_cpu_supports("avx512vnni") ? TSR_LEVEL_VNNI : TSR_LEVEL_AVX512;
}
#else
int tsr_level_of_machine(void)
{
  return TSR_LEVEL_NONE;
}
#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "native/level.h"

#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

static const struct tsr_level_info infos[TSR_LEVELS] = {
#define TSR_LEVEL(id, name, bytes, registers, fma, dot, bf16, meaning)                             \
  {name, meaning, bytes, registers, fma, dot, bf16},
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

/* Compilers do not all know its name. */
static bool has_avxvnni(void)
{
  unsigned a = 0, b, c, d;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
}

static unsigned avx512_levels(void)
{
  bool vnni = __builtin_cpu_supports("avx512vnni");
  bool bf16 = vnni && __builtin_cpu_supports("avx512bf16");
  return 1u << TSR_LEVEL_AVX512 | (unsigned)vnni << TSR_LEVEL_VNNI |
         (unsigned)bf16 << TSR_LEVEL_BF16;
}

/* The compiler's builtins also ask the operating system (XGETBV). Every CPU with AVX2 and FMA has
 * the rest of x86-64-v3: F16C, LZCNT and MOVBE. */
unsigned tsr_levels_of_machine(void)
{
  __builtin_cpu_init();
  unsigned levels = 1u << TSR_LEVEL_SSE2;
  if (!has_avx2())
    return levels;
  levels |= 1u << TSR_LEVEL_AVX2 | (unsigned)has_avxvnni() << TSR_LEVEL_AVXVNNI;
  return has_avx512() ? levels | avx512_levels() : levels;
}
#else
unsigned tsr_levels_of_machine(void)
{
  return 0;
}
#endif

int tsr_level_of_machine(void)
{
  unsigned levels = tsr_levels_of_machine();
  int level = TSR_LEVELS - 1;
  while (level >= 0 && !(levels >> level & 1))
    level--;
  return level;
}

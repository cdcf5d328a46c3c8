/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native/kernels.h"

enum { LEAST = 50, MOST = 199 };

bool tsr_gpu_arch_from_name(const char *name, struct tsr_gpu_arch *out)
{
  char again[TSR_GPU_ARCH_NAME], *end;
  if (strncmp(name, "sm_", 3))
    return false;
  long capability = strtol(name + 3, &end, 10);
  if (capability < LEAST || capability > MOST)
    return false;
  struct tsr_gpu_arch arch = {(int)capability, !strcmp(end, "a")};
  if (strcmp(tsr_gpu_arch_name(arch, again), name))
    return false;
  *out = arch;
  return true;
}

const char *tsr_gpu_arch_name(struct tsr_gpu_arch arch, char buffer[static TSR_GPU_ARCH_NAME])
{
  snprintf(buffer, TSR_GPU_ARCH_NAME, "sm_%d%s", arch.capability, arch.exact ? "a" : "");
  return buffer;
}

int tsr_gpu_arch_compare(struct tsr_gpu_arch a, struct tsr_gpu_arch b)
{
  return a.capability != b.capability ? a.capability - b.capability : a.exact - b.exact;
}

const struct tsr_kernel_block *tsr_kernels_choose(int blocks, const struct tsr_kernel_block *block,
                                                  int capability)
{
  for (int i = blocks - 1; i >= 0; i--)
    if (block[i].arch.exact ? block[i].arch.capability == capability
                            : block[i].arch.capability <= capability)
      return &block[i];
  return NULL;
}

int tsr_map_type_bytes(enum tsr_map_type type)
{
  static const int bytes[] = {
#define TSR_MAP_TYPE(id, text, size, cuda) size,
#include "native/map_types.def"
#undef TSR_MAP_TYPE
  };
  return bytes[type];
}

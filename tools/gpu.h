/* SPDX-License-Identifier: Apache-2.0 */
/* GPUs as people and programs want to see them. */
#ifndef TSR_TOOLS_GPU_H
#define TSR_TOOLS_GPU_H

#include <jansson.h>

#include "tools/cli.h"

/* The GPU of this machine, or why there is none. */
struct gpu_info {
  bool there, measured;
  struct tessera_gpu gpu;
  struct tessera_gpu_limit limit[TESSERA_GPU_LIMITS];
  char why[512];
};

/* measure: its limits, too, and a sentence where that does not work. 0, or an exit status. */
int gpu_info_read(const struct cli *cli, bool measure, struct gpu_info *out);
void gpu_info_print(const struct gpu_info *info);
json_t *gpu_info_json(const struct gpu_info *info);

json_t *gpu_json(const struct tessera_gpu *gpu);
/* {"bytes": 3.1e12, "int8": ...}, a second. */
json_t *limits_json(const struct tessera_gpu_limit limit[TESSERA_GPU_LIMITS]);

/* tessera profile --target cuda. */
int profile_gpu(const struct cli *cli);

#endif

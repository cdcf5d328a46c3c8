/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/gpu.h"

#include <stdio.h>
#include <string.h>

#include "tools/layers.h"
#include "tools/table.h"

int gpu_info_read(const struct cli *cli, bool measure, struct gpu_info *out)
{
  *out = (struct gpu_info){0};
  out->there = !tessera_gpu_find(cli->t, &out->gpu);
  if (!out->there)
    snprintf(out->why, sizeof out->why, "%s", tessera_message(cli->t));
  if (!measure)
    return 0;
  if (!out->there)
    return cli_refuse("%s", out->why);
  enum tessera_status status = tessera_gpu_measure(cli->t, out->limit);
  out->measured = !status;
  return status ? cli_message(cli, status) : 0;
}

void gpu_info_print(const struct gpu_info *info)
{
  const struct tessera_gpu *g = &info->gpu;
  char name[96];
  if (!info->there) {
    printf("%-14snone: %s\n", "gpu", info->why);
    return;
  }
  printf("%-14s%s (%s, %d processors, %.1f GiB, %.0f KiB of shared memory a block), driver of CUDA "
         "%d.%d\n",
         "gpu", plain_text(g->name, name, sizeof name), g->arch, g->processors,
         (double)g->memory_bytes / (1 << 30), (double)g->shared_bytes / 1024,
         g->driver_version / 1000, g->driver_version % 1000 / 10);
  if (!info->measured)
    return;
  printf("%-14s%.0f GB/s", "limits", info->limit[0].per_second * 1e-9);
  for (int i = 1; i < TESSERA_GPU_LIMITS; i++)
    printf(", %s %.1f %s", info->limit[i].name, 2e-12 * info->limit[i].per_second,
           strncmp(info->limit[i].name, "int", 3) ? "TFLOP/s" : "TOP/s");
  printf("\n");
}

json_t *gpu_json(const struct tessera_gpu *gpu)
{
  json_t *object = json_object();
  put_text(object, "name", gpu->name);
  put_text(object, "arch", gpu->arch);
  put_count(object, "driver_version", (uint64_t)gpu->driver_version);
  put_count(object, "processors", (uint64_t)gpu->processors);
  put_count(object, "clock_mhz", (uint64_t)gpu->clock_mhz);
  put_count(object, "memory_clock_mhz", (uint64_t)gpu->memory_clock_mhz);
  put_count(object, "memory_bus_bits", (uint64_t)gpu->memory_bus_bits);
  put_count(object, "memory_bytes", gpu->memory_bytes);
  put_count(object, "l2_bytes", gpu->l2_bytes);
  put_count(object, "shared_bytes", gpu->shared_bytes);
  return object;
}

json_t *limits_json(const struct tessera_gpu_limit limit[TESSERA_GPU_LIMITS])
{
  json_t *object = json_object();
  for (int i = 0; i < TESSERA_GPU_LIMITS; i++)
    json_object_set_new(object, limit[i].name, json_real(limit[i].per_second));
  return object;
}

json_t *gpu_info_json(const struct gpu_info *info)
{
  if (!info->there)
    return json_null();
  json_t *object = gpu_json(&info->gpu);
  if (info->measured)
    json_object_set_new(object, "limits", limits_json(info->limit));
  return object;
}

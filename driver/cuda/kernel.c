/* SPDX-License-Identifier: Apache-2.0 */
/* PTX and the kernels in it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "driver/cuda/private.h"

enum { LOG_BYTES = 1 << 14, SHOWN = 500, MAP_BYTES = 128, MAP_ALIGNMENT = 64, SMALL_CLUSTER = 8 };

struct tsr_cuda_kernel {
  const struct tsr_kernel *kernel;
  void *function;
  void **param; /* addresses of the arguments */
  struct tsr_cuda_usage usage;
};

/* --- PTX -------------------------------------------------------------------------------------- */

/* A log in one line. */
static const char *flatten(char *log)
{
  size_t n = 0;
  for (const char *c = log; *c && n < SHOWN; c++) {
    char plain = *c == '\n' || *c == '\t' ? ' ' : *c;
    if (plain != ' ' || (n && log[n - 1] != ' '))
      log[n++] = plain;
  }
  while (n && (log[n - 1] == ' ' || log[n - 1] == '.'))
    n--;
  log[n] = 0;
  return log;
}

static void ptx_version(const char *ptx, char out[static 16])
{
  const char *line = strstr(ptx, ".version ");
  if (!line || sscanf(line, ".version %15[0-9.]", out) != 1)
    strcpy(out, "unknown");
}

static enum tsr_status not_loaded(struct tsr_cuda *gpu, struct tsr_err *err, const char *ptx,
                                  int error, char *log)
{
  char version[16], driver[64];
  int cuda = gpu->info.driver_version;
  ptx_version(ptx, version);
  snprintf(driver, sizeof driver, "CUDA %d.%d", cuda / 1000, cuda % 1000 / 10);
  enum tsr_status status = tsr__cuda_refuse(
      gpu, err, error, "compiling PTX of version %s by the driver, which is one of %s,", version,
      driver);
  if (err && *flatten(log)) {
    size_t n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n, "; its log: %s", log);
  }
  return status;
}

enum tsr_status tsr_cuda_load(struct tsr_cuda *gpu, struct tsr_err *err, const char *ptx,
                              void **module)
{
  char info[LOG_BYTES] = {0}, errors[LOG_BYTES] = {0};
  int option[] = {TSR__CUDA_JIT_INFO, TSR__CUDA_JIT_INFO_BYTES, TSR__CUDA_JIT_ERRORS,
                  TSR__CUDA_JIT_ERRORS_BYTES};
  void *size = (void *)(uintptr_t)(LOG_BYTES - 1), *value[] = {info, size, errors, size};
  int error = gpu->api.module_load(module, ptx, 4, option, value);
  return error ? not_loaded(gpu, err, ptx, error, *errors ? errors : info) : TSR_OK;
}

void tsr_cuda_unload(struct tsr_cuda *gpu, void *module)
{
  if (module)
    gpu->api.module_unload(module);
}

/* --- arguments -------------------------------------------------------------------------------- */

static uint64_t address_of(const struct tsr_cuda_addresses *a, const struct tsr_kernel_pointer *p)
{
  return (p->scratch ? a->scratch : a->param[p->param]) + p->offset;
}

static enum tsr_status encode_map(struct tsr_cuda *gpu, struct tsr_err *err, const char *entry,
                                  const struct tsr_tensor_map *m, uint64_t address, void *out)
{
  static const int types[] = {
#define TSR_MAP_TYPE(id, text, bytes, cuda) cuda,
#include "native/map_types.def"
#undef TSR_MAP_TYPE
  };
  int swizzle = m->swizzle == 128 ? 3 : (int)m->swizzle / 32;
  int l2 = m->l2 == 256 ? 3 : (int)m->l2 / 64;
  int error = gpu->api.tensor_map_encode(out, types[m->type], m->rank, (void *)(uintptr_t)address,
                                         m->dims, m->strides + 1, m->box, m->step, 0, swizzle, l2,
                                         0);
  return error ? tsr__cuda_refuse(gpu, err, error, "making a tensor map for kernel '%s'", entry)
               : TSR_OK;
}

static enum tsr_status make_args(struct tsr_arena *arena, struct tsr_cuda *gpu, struct tsr_err *err,
                                 const struct tsr_cuda_addresses *a, struct tsr_cuda_kernel *k)
{
  const struct tsr_kernel *from = k->kernel;
  uint64_t *pointer = TSR_NEW_ARRAY(arena, uint64_t, from->args + 1);
  k->param = TSR_NEW_ARRAY(arena, void *, from->args + 1);
  for (int i = 0; i < from->args; i++) {
    const struct tsr_kernel_arg *arg = &from->arg[i];
    k->param[i] = &pointer[i];
    if (arg->kind == TSR_ARG_POINTER) {
      pointer[i] = address_of(a, &arg->pointer);
      continue;
    }
    k->param[i] = tsr_arena_alloc(arena, MAP_BYTES);
    if (encode_map(gpu, err, from->entry, &arg->map, address_of(a, &arg->map.base), k->param[i]))
      return TSR_REFUSED;
  }
  pointer[from->args] = a->status;
  k->param[from->args] = &pointer[from->args];
  return TSR_OK;
}

/* --- what a kernel needs ---------------------------------------------------------------------- */

static enum tsr_status get(struct tsr_cuda *gpu, struct tsr_err *err,
                           const struct tsr_cuda_kernel *k, int attribute, int *out)
{
  int error = gpu->api.function_attribute(out, attribute, k->function);
  return error
             ? tsr__cuda_refuse(gpu, err, error, "asking what kernel '%s' needs", k->kernel->entry)
             : TSR_OK;
}

static enum tsr_status set(struct tsr_cuda *gpu, struct tsr_err *err,
                           const struct tsr_cuda_kernel *k, int attribute, int value)
{
  int error = gpu->api.function_set_attribute(k->function, attribute, value);
  return error ? tsr__cuda_refuse(gpu, err, error, "setting attribute %d of kernel '%s' to %d",
                                  attribute, k->kernel->entry, value)
               : TSR_OK;
}

static enum tsr_status check_needs(struct tsr_cuda *gpu, struct tsr_err *err,
                                   struct tsr_cuda_kernel *k)
{
  const struct tsr_kernel *from = k->kernel;
  uint32_t threads = from->block[0] * from->block[1] * from->block[2];
  uint32_t cluster = from->cluster[0] * from->cluster[1] * from->cluster[2];
  int most_threads, fixed, local;
  if (get(gpu, err, k, TSR__CUDA_FUNCTION_THREADS, &most_threads) ||
      get(gpu, err, k, TSR__CUDA_FUNCTION_STATIC_SHARED, &fixed) ||
      get(gpu, err, k, TSR__CUDA_FUNCTION_LOCAL, &local) ||
      get(gpu, err, k, TSR__CUDA_FUNCTION_REGISTERS, &k->usage.registers))
    return TSR_REFUSED;
  k->usage.local_bytes = (uint64_t)local;
  k->usage.shared_bytes = (uint64_t)fixed + from->shared_bytes;
  if (k->usage.shared_bytes > gpu->info.shared_bytes)
    return tsr_refuse(err,
                      "GPU %s: kernel '%s' needs %" PRIu64 " bytes of shared memory; a block has "
                      "%" PRIu64 ": compile the model for this GPU's architecture",
                      gpu->info.name, from->entry, k->usage.shared_bytes, gpu->info.shared_bytes);
  if (threads > (uint32_t)most_threads)
    return tsr_refuse(err,
                      "GPU %s: kernel '%s' is launched with %u threads a block and was compiled "
                      "for at most %d",
                      gpu->info.name, from->entry, threads, most_threads);
  if (from->shared_bytes &&
      set(gpu, err, k, TSR__CUDA_FUNCTION_DYNAMIC_SHARED, (int)from->shared_bytes))
    return TSR_REFUSED;
  return cluster > SMALL_CLUSTER ? set(gpu, err, k, TSR__CUDA_FUNCTION_LARGE_CLUSTERS, 1) : TSR_OK;
}

enum tsr_status tsr_cuda_kernel_new(struct tsr_arena *arena, struct tsr_cuda *gpu,
                                    struct tsr_err *err, void *module,
                                    const struct tsr_kernel *kernel,
                                    const struct tsr_cuda_addresses *addresses,
                                    struct tsr_cuda_kernel **out)
{
  struct tsr_cuda_kernel *k = TSR_NEW(arena, struct tsr_cuda_kernel);
  k->kernel = kernel;
  int error = gpu->api.module_function(&k->function, module, kernel->entry);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "finding kernel '%s'", kernel->entry);
  if (check_needs(gpu, err, k) || make_args(arena, gpu, err, addresses, k))
    return TSR_REFUSED;
  *out = k;
  return TSR_OK;
}

void tsr_cuda_kernel_usage(const struct tsr_cuda_kernel *kernel, struct tsr_cuda_usage *out)
{
  *out = kernel->usage;
}

enum tsr_status tsr_cuda_launch(struct tsr_cuda *gpu, struct tsr_err *err,
                                const struct tsr_cuda_kernel *k)
{
  const struct tsr_kernel *from = k->kernel;
  struct tsr__cuda_launch_attribute cluster = {.id = TSR__CUDA_LAUNCH_CLUSTER};
  struct tsr__cuda_launch launch = {.shared_bytes = from->shared_bytes, .stream = gpu->stream};
  memcpy(launch.grid, from->grid, sizeof launch.grid);
  memcpy(launch.block, from->block, sizeof launch.block);
  memcpy(cluster.value.cluster, from->cluster, sizeof cluster.value.cluster);
  if (from->cluster[0] * from->cluster[1] * from->cluster[2] > 1) {
    launch.attribute = &cluster;
    launch.attributes = 1;
  }
  int error = gpu->api.launch(&launch, k->function, k->param, NULL);
  return error ? tsr__cuda_refuse(gpu, err, error, "launching kernel '%s'", from->entry) : TSR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* GPUs of the public interface. */
#include <stdio.h>
#include <string.h>

#include "runtime/api.h"
#include "runtime/package.h"

_Static_assert((int)TESSERA_GPU_LIMITS == 1 + (int)TSR_CEILINGS,
               "bytes, and a row of ceilings.def");

static void describe(const struct tsr_cuda_info *info, struct tsr_gpu_arch arch,
                     struct tessera_gpu *out)
{
  *out = (struct tessera_gpu){.driver_version = info->driver_version,
                              .processors = info->processors,
                              .clock_mhz = info->clock_mhz,
                              .memory_clock_mhz = info->memory_clock_mhz,
                              .memory_bus_bits = info->memory_bus_bits,
                              .memory_bytes = info->memory_bytes,
                              .l2_bytes = info->l2_bytes,
                              .shared_bytes = info->shared_bytes};
  snprintf(out->name, sizeof out->name, "%s", info->name);
  tsr_gpu_arch_name(arch, out->arch);
}

enum tessera_status tessera_gpu_find(struct tessera *t, struct tessera_gpu *out)
{
  struct tsr_cuda_info info;
  enum tsr_status status = tsr_cuda_probe(&t->err, NULL, 0, &info);
  if (!status)
    describe(&info, (struct tsr_gpu_arch){info.capability, false}, out);
  return (enum tessera_status)status;
}

bool tessera_session_gpu(const struct tessera_session *session, struct tessera_gpu *out)
{
  struct tsr_gpu_arch arch;
  const struct tsr_cuda_info *info = tsr_executor_gpu(tsr__session_executor(session), &arch);
  if (info)
    describe(info, arch, out);
  return info != NULL;
}

/* --- PTX -------------------------------------------------------------------------------------- */

struct extracting {
  const struct tsr_module *module;
  struct tsr_bytes text;
};

static enum tsr_status extract(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct extracting *e = context;
  const struct tsr_module *m = e->module;
  struct tsr_kernel_block *block;
  int blocks;
  if (tsr_module_kernels(arena, err, m, &m->kernels, &blocks, &block))
    return TSR_REFUSED;
  if (blocks != 1)
    return tsr_refuse(
        err,
        "'%s' has kernels for %d architectures, and PTX is of one; target 'cuda:ARCH', "
        "such as 'cuda:sm_90a', makes one",
        m->name, blocks);
  e->text =
      (struct tsr_bytes){(unsigned char *)tsr_arena_strdup(arena, block->ptx), strlen(block->ptx)};
  return TSR_OK;
}

enum tessera_status tessera_model_ptx(struct tessera *t, const struct tessera_model *model,
                                      struct tessera_bytes *out)
{
  struct extracting e = {.module = model->module};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, extract, &e, &owner);
  if (!status)
    *out = (struct tessera_bytes){e.text.data, e.text.size, owner};
  return status;
}

/* --- limits ----------------------------------------------------------------------------------- */

static void list_limits(const struct tsr_cuda_ceilings *c,
                        struct tessera_gpu_limit out[static TESSERA_GPU_LIMITS])
{
  out[0] = (struct tessera_gpu_limit){"bytes", c->bytes};
  for (int i = 0; i < TSR_CEILINGS; i++)
    out[1 + i] = (struct tessera_gpu_limit){tsr_ceiling_name((enum tsr_ceiling)i), c->macs[i]};
}

enum tessera_status tessera_gpu_measure(struct tessera *t,
                                        struct tessera_gpu_limit limits[TESSERA_GPU_LIMITS])
{
  struct tsr_cuda *gpu;
  struct tsr_cuda_ceilings ceilings;
  enum tsr_status status = tsr_cuda_open(t->allocator, &t->err, NULL, 0, &gpu);
  if (status)
    return (enum tessera_status)status;
  status = tsr_cuda_enter(gpu, &t->err);
  if (!status) {
    status = tsr_cuda_measure(gpu, &t->err, &ceilings);
    tsr_cuda_leave(gpu);
  }
  tsr_cuda_close(gpu);
  if (!status)
    list_limits(&ceilings, limits);
  return (enum tessera_status)status;
}

/* --- profiles --------------------------------------------------------------------------------- */

struct profiling {
  const struct tessera_session *session;
  int repeats;
  struct tessera_gpu_profile *profile;
};

/* The products that a layer makes are those of its first input's type. */
static enum tsr_ceiling ceiling_of(const struct tsr_module_layer *l, int operand_bits)
{
  enum tsr_dtype dtype = l->func->inputs ? l->func->param[0]->dtype : TSR_F32;
  if (tsr_dtype_kind(dtype) != TSR_KIND_FLOAT)
    return TSR_CEILING_I8;
  if (tsr_dtype_bytes(dtype) == 2)
    return TSR_CEILING_F16;
  return operand_bits == 10 ? TSR_CEILING_TF32 : TSR_CEILING_F32;
}

static void describe_layer(const struct tsr_module_layer *l, int operand_bits,
                           const struct tessera_gpu_limit *limit, struct tessera_gpu_layer *out)
{
  *out = (struct tessera_gpu_layer){.name = l->name, .op = l->op, .macs = l->macs};
  for (int k = 0; k < l->args; k++) {
    const struct tir_buffer *p = l->func->param[k];
    out->bytes += (uint64_t)tsr_count(p->dims, p->rank, 1) * tsr_dtype_bytes(p->dtype);
  }
  const struct tessera_gpu_limit *compute = &limit[1 + ceiling_of(l, operand_bits)];
  double moving = (double)out->bytes / limit[0].per_second;
  double computing = (double)out->macs / compute->per_second;
  out->limit = computing > moving ? compute->name : limit[0].name;
  out->least_seconds = computing > moving ? computing : moving;
}

static void add_kernel(struct tessera_gpu_profile *p, const struct tsr_module *m,
                       const struct tsr_gpu_kernel *k, int operand_bits, bool first)
{
  struct tessera_gpu_layer *layer = (struct tessera_gpu_layer *)(uintptr_t)p->layer;
  struct tessera_gpu_kernel *kernel = (struct tessera_gpu_kernel *)(uintptr_t)p->kernel;
  if (first)
    describe_layer(&m->layer[k->layer], operand_bits, p->limit, &layer[p->layers++]);
  layer[p->layers - 1].kernels++;
  layer[p->layers - 1].seconds += k->seconds;
  kernel[p->kernels++] = (struct tessera_gpu_kernel){p->layers - 1,        k->entry,
                                                     k->seconds,           k->usage.registers,
                                                     k->usage.local_bytes, k->usage.shared_bytes};
  p->kernel_seconds += k->seconds;
}

/* The profile outlives the session. */
static void keep_names(struct tsr_arena *arena, struct tessera_gpu_profile *p)
{
  struct tessera_gpu_layer *layer = (struct tessera_gpu_layer *)(uintptr_t)p->layer;
  struct tessera_gpu_kernel *kernel = (struct tessera_gpu_kernel *)(uintptr_t)p->kernel;
  for (int i = 0; i < p->layers; i++) {
    layer[i].name = tsr_arena_strdup(arena, layer[i].name);
    layer[i].op = tsr_arena_strdup(arena, layer[i].op);
  }
  for (int i = 0; i < p->kernels; i++)
    kernel[i].name = tsr_arena_strdup(arena, kernel[i].name);
}

static enum tsr_status make_profile(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct profiling *o = context;
  struct tsr_executor *x = tsr__session_executor(o->session);
  const struct tsr_module *m = tsr__session_module(o->session);
  struct tsr_gpu_times times;
  struct tessera_gpu_profile *p = TSR_NEW(arena, struct tessera_gpu_profile);
  enum tsr_status status = tsr_executor_gpu_times(x, arena, err, o->repeats, &times);
  if (status)
    return status;
  *p = (struct tessera_gpu_profile){
      .model = tsr_arena_strdup(arena, m->name),
      .repeats = o->repeats,
      .seconds = times.seconds,
      .device_seconds = times.device_seconds,
      .event_seconds = times.event_seconds,
      .layer = TSR_NEW_ARRAY(arena, struct tessera_gpu_layer, times.kernels),
      .kernel = TSR_NEW_ARRAY(arena, struct tessera_gpu_kernel, times.kernels),
      .owner = arena};
  (void)tessera_session_gpu(o->session, &p->gpu);
  list_limits(&times.ceilings, p->limit);
  for (int i = 0; i < times.kernels; i++)
    add_kernel(p, m, &times.kernel[i], tsr_executor_operand_bits(x, times.kernel[i].layer),
               !i || times.kernel[i].layer != times.kernel[i - 1].layer);
  p->cpu_layers = m->layers - p->layers;
  keep_names(arena, p);
  o->profile = p;
  return TSR_OK;
}

enum tessera_status tessera_session_gpu_profile(struct tessera *t, struct tessera_session *session,
                                                int repeats, const struct tessera_gpu_profile **out)
{
  struct profiling o = {session, repeats, NULL};
  struct tsr_arena *owner;
  if (repeats < 1)
    return (enum tessera_status)tsr_refuse(&t->err, "%d repetitions give no median; 1 is the least",
                                           repeats);
  enum tessera_status status = tsr__call(t, make_profile, &o, &owner);
  if (!status)
    *out = o.profile;
  return status;
}

void tessera_gpu_profile_free(const struct tessera_gpu_profile *profile)
{
  if (profile)
    tsr_arena_free(profile->owner);
}

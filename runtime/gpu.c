/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "runtime/gpu_private.h"
#include "runtime/package.h"

enum { POISON = 0xa5 };

/* --- choosing --------------------------------------------------------------------------------- */

static const char *list_archs(struct tsr_arena *arena, int blocks,
                              const struct tsr_kernel_block *block)
{
  struct tsr_text list = {.arena = arena};
  char name[TSR_GPU_ARCH_NAME];
  for (int i = 0; i < blocks; i++)
    tsr_text_add(&list, "%s'%s'", i ? ", " : "", tsr_gpu_arch_name(block[i].arch, name));
  return list.data;
}

static const struct tsr_kernel_block *find_block(int blocks, const struct tsr_kernel_block *block,
                                                 struct tsr_gpu_arch arch)
{
  for (int i = 0; i < blocks; i++)
    if (!tsr_gpu_arch_compare(block[i].arch, arch))
      return &block[i];
  return NULL;
}

static enum tsr_status choose_block(struct tsr_arena *arena, struct tsr_err *err,
                                    const struct tsr_gpu_choice *choice, int blocks,
                                    struct tsr_kernel_block *block, struct tsr__gpu *gpu)
{
  const char *model = gpu->module->name;
  int capability = gpu->info.capability;
  char arch[TSR_GPU_ARCH_NAME];
  if (!blocks)
    return tsr_refuse(
        err, "'%s' has no kernels for a GPU; the ONNX model, compiled for 'cuda', has them", model);
  gpu->block = choice->arch.capability ? find_block(blocks, block, choice->arch)
                                       : tsr_kernels_choose(blocks, block, capability);
  if (!gpu->block && choice->arch.capability)
    return tsr_refuse(err, "'%s' has no kernels for '%s'; it has %s", model,
                      tsr_gpu_arch_name(choice->arch, arch), list_archs(arena, blocks, block));
  if (!gpu->block || !tsr_kernels_choose(1, gpu->block, capability))
    return tsr_refuse(err, "GPU %s is of 'sm_%d', for which '%s' has no kernels; it has %s",
                      gpu->info.name, capability, model, list_archs(arena, blocks, block));
  return TSR_OK;
}

enum tsr_status tsr__gpu_choose(struct tsr_arena *arena, struct tsr_err *err,
                                const struct tsr_module *module,
                                const struct tsr_gpu_choice *choice, struct tsr__gpu **out)
{
  struct tsr__gpu *gpu = TSR_NEW(arena, struct tsr__gpu);
  struct tsr_kernel_block *block;
  int blocks;
  *gpu = (struct tsr__gpu){.module = module,
                           .driver = choice->driver,
                           .number = choice->number,
                           .allocator = tsr_arena_allocator(arena)};
  enum tsr_status status = tsr_cuda_probe(err, choice->driver, choice->number, &gpu->info);
  if (!status)
    status = tsr_module_kernels(arena, err, module, &module->kernels, &blocks, &block);
  if (!status)
    status = choose_block(arena, err, choice, blocks, block, gpu);
  if (!status)
    *out = gpu;
  return status;
}

const struct tsr_kernel_layer *tsr__gpu_layer(const struct tsr__gpu *gpu, int layer)
{
  return &gpu->block->layer[layer];
}

const struct tsr_cuda_info *tsr__gpu_info(const struct tsr__gpu *gpu)
{
  return &gpu->info;
}

struct tsr_gpu_arch tsr__gpu_arch(const struct tsr__gpu *gpu)
{
  return gpu->block->arch;
}

const char *tsr__gpu_doing(const struct tsr__gpu *gpu, char buffer[static 128])
{
  snprintf(buffer, 128, "running '%s'", gpu->module->name);
  return buffer;
}

/* --- starting --------------------------------------------------------------------------------- */

static enum tsr_status take_memory(struct tsr__gpu *gpu, struct tsr_err *err, void **host)
{
  const struct tsr_module *m = gpu->module;
  char what[128];
  void *pinned;
  snprintf(what, sizeof what, "the tensors of '%s'", m->name);
  if (tsr_cuda_alloc(gpu->cuda, err, what, gpu->bytes, &gpu->memory) ||
      tsr_cuda_alloc_host(gpu->cuda, err, what, gpu->host_bytes, &pinned))
    return TSR_REFUSED;
  gpu->pinned = pinned;
  for (int b = 0; b < m->buffers; b++)
    if (gpu->host_place[b] != TSR__NOWHERE)
      host[b] = gpu->pinned + gpu->host_place[b];
  for (int b = 0; b < m->buffers; b++) {
    const void *data = tsr__constant(m, &m->buffer[b]);
    if (data && gpu->place[b] != TSR__NOWHERE &&
        tsr_cuda_upload(gpu->cuda, err, gpu->memory + gpu->place[b], data,
                        tsr__buffer_bytes(&m->buffer[b])))
      return TSR_REFUSED;
  }
  return tsr_cuda_wait(gpu->cuda, err, "copying constants to it");
}

static enum tsr_status make_kernels(struct tsr__gpu *gpu, struct tsr_err *err, int layer)
{
  const struct tsr_module_layer *l = &gpu->module->layer[layer];
  const struct tsr_kernel_layer *from = tsr__gpu_layer(gpu, layer);
  uint64_t *param = TSR_NEW_ARRAY(gpu->arena, uint64_t, l->args);
  for (int k = 0; k < l->args; k++)
    param[k] = gpu->memory + gpu->place[l->arg[k]];
  struct tsr_cuda_addresses addresses = {param, gpu->memory + gpu->scratch[layer],
                                         gpu->memory + gpu->status_place + 4 * (uint64_t)layer};
  gpu->kernel[layer] = TSR_NEW_ARRAY(gpu->arena, struct tsr_cuda_kernel *, from->kernels);
  for (int i = 0; i < from->kernels; i++)
    if (tsr_cuda_kernel_new(gpu->arena, gpu->cuda, err, gpu->module_handle, &from->kernel[i],
                            &addresses, &gpu->kernel[layer][i]))
      return tsr_refuse_at(err, "layer '%s'", l->name);
  return TSR_OK;
}

struct recording {
  struct tsr__gpu *gpu;
  int work;
};

static enum tsr_status copy_all(struct tsr__gpu *gpu, struct tsr_err *err, int count,
                                const int *list, bool up)
{
  for (int i = 0; i < count; i++) {
    int b = list[i];
    uint64_t there = gpu->memory + gpu->place[b];
    size_t bytes = tsr__buffer_bytes(&gpu->module->buffer[b]);
    void *here = gpu->pinned + gpu->host_place[b];
    if (up ? tsr_cuda_upload(gpu->cuda, err, there, here, bytes)
           : tsr_cuda_download(gpu->cuda, err, here, there, bytes))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

static enum tsr_status clear_status(struct tsr__gpu *gpu, struct tsr_err *err)
{
  return tsr_cuda_fill(gpu->cuda, err, gpu->memory + gpu->status_place, 0,
                       4 * (uint64_t)gpu->module->layers);
}

enum tsr_status tsr__gpu_launch_layer(struct tsr__gpu *gpu, struct tsr_err *err, int layer)
{
  for (int i = 0; i < tsr__gpu_layer(gpu, layer)->kernels; i++)
    if (tsr_cuda_launch(gpu->cuda, err, gpu->kernel[layer][i]))
      return tsr_refuse_at(err, "layer '%s'", gpu->module->layer[layer].name);
  return TSR_OK;
}

static enum tsr_status record_segment(struct tsr_cuda *cuda, struct tsr_err *err, void *context)
{
  const struct recording *r = context;
  struct tsr__gpu *gpu = r->gpu;
  const struct tsr__work *w = &gpu->work[r->work];
  const struct tsr__segment *s = &gpu->segment[r->work];
  if (clear_status(gpu, err) || copy_all(gpu, err, s->ups, s->up, true))
    return TSR_REFUSED;
  for (int i = 0; i < w->layers; i++)
    if (tsr__gpu_launch_layer(gpu, err, w->layer[i]))
      return TSR_REFUSED;
  if (copy_all(gpu, err, s->downs, s->down, false))
    return TSR_REFUSED;
  return tsr_cuda_download(cuda, err, gpu->pinned, gpu->memory + gpu->status_place,
                           4 * (uint64_t)gpu->module->layers);
}

static enum tsr_status make_work(struct tsr__gpu *gpu, struct tsr_err *err, int work)
{
  const struct tsr__work *w = &gpu->work[work];
  struct recording recording = {gpu, work};
  for (int i = 0; i < w->layers; i++)
    if (make_kernels(gpu, err, w->layer[i]))
      return TSR_REFUSED;
  return tsr_cuda_graph_new(gpu->cuda, err, record_segment, &recording, &gpu->segment[work].graph);
}

static enum tsr_status make_all(struct tsr__gpu *gpu, struct tsr_err *err, void **host)
{
  if (take_memory(gpu, err, host) ||
      tsr_cuda_load(gpu->cuda, err, gpu->block->ptx, &gpu->module_handle))
    return TSR_REFUSED;
  gpu->kernel = TSR_NEW_ARRAY(gpu->arena, struct tsr_cuda_kernel **, gpu->module->layers);
  for (int w = 0; w < gpu->works; w++)
    if (gpu->work[w].kind == TSR__GPU && make_work(gpu, err, w))
      return TSR_REFUSED;
  return TSR_OK;
}

/* Unwinds to here where memory runs out, so that nothing on the GPU is forgotten. */
static enum tsr_status start_in_arena(struct tsr__gpu *gpu, struct tsr_err *err, void **host)
{
  gpu->arena = tsr_arena_new(gpu->allocator);
  if (!gpu->arena || setjmp(*tsr_arena_landing(gpu->arena)))
    return tsr_no_memory(err);
  return make_all(gpu, err, host);
}

enum tsr_status tsr__gpu_start(struct tsr_err *err, struct tsr__gpu *gpu, void **host)
{
  enum tsr_status status = tsr_cuda_open(gpu->allocator, err, gpu->driver, gpu->number, &gpu->cuda);
  if (status)
    return status;
  status = tsr_cuda_enter(gpu->cuda, err);
  if (!status) {
    status = start_in_arena(gpu, err, host);
    tsr_cuda_leave(gpu->cuda);
  }
  return status;
}

void tsr__gpu_stop(struct tsr__gpu *gpu)
{
  if (!gpu || !gpu->cuda)
    return;
  bool entered = !tsr_cuda_enter(gpu->cuda, NULL);
  for (int w = 0; w < gpu->works; w++)
    tsr_cuda_graph_free(gpu->cuda, gpu->segment[w].graph);
  tsr_cuda_unload(gpu->cuda, gpu->module_handle);
  tsr_cuda_free_host(gpu->cuda, gpu->pinned);
  tsr_cuda_free(gpu->cuda, gpu->memory);
  if (entered)
    tsr_cuda_leave(gpu->cuda);
  tsr_cuda_close(gpu->cuda);
  tsr_arena_free(gpu->arena);
  gpu->cuda = NULL;
}

/* --- running ---------------------------------------------------------------------------------- */

static int first_outside(const struct tsr__gpu *gpu, int work)
{
  const struct tsr__work *w = &gpu->work[work];
  for (int i = 0; i < w->layers; i++) {
    uint32_t word;
    memcpy(&word, gpu->pinned + 4 * (size_t)w->layer[i], sizeof word);
    if (word)
      return w->layer[i];
  }
  return -1;
}

static enum tsr_status run(struct tsr__gpu *gpu, struct tsr_err *err, int work)
{
  char doing[128];
  if (tsr_cuda_graph_launch(gpu->cuda, err, gpu->segment[work].graph))
    return TSR_REFUSED;
  return tsr_cuda_wait(gpu->cuda, err, tsr__gpu_doing(gpu, doing));
}

enum tsr_status tsr__gpu_run(struct tsr__gpu *gpu, struct tsr_err *err, int work, int *outside)
{
  if (tsr_cuda_enter(gpu->cuda, err))
    return TSR_REFUSED;
  enum tsr_status status = run(gpu, err, work);
  tsr_cuda_leave(gpu->cuda);
  *outside = status ? -1 : first_outside(gpu, work);
  return status;
}

/* --- running again ---------------------------------------------------------------------------- */

static enum tsr_status poison(struct tsr__gpu *gpu, struct tsr_err *err, uint64_t place,
                              uint64_t bytes)
{
  return tsr_cuda_fill(gpu->cuda, err, gpu->memory + place, POISON, bytes);
}

static enum tsr_status replay_layer(struct tsr__gpu *gpu, struct tsr_err *err, int layer,
                                    void **copy)
{
  const struct tsr_module_layer *l = &gpu->module->layer[layer];
  char doing[128];
  snprintf(doing, sizeof doing, "running layer '%s'", l->name);
  if (poison(gpu, err, gpu->scratch[layer], tsr__gpu_layer(gpu, layer)->scratch_bytes))
    return TSR_REFUSED;
  for (int k = l->func->inputs; k < l->args; k++)
    if (poison(gpu, err, gpu->place[l->arg[k]], tsr__buffer_bytes(&gpu->module->buffer[l->arg[k]])))
      return TSR_REFUSED;
  if (tsr__gpu_launch_layer(gpu, err, layer))
    return TSR_REFUSED;
  for (int k = l->func->inputs; k < l->args; k++) {
    int b = l->arg[k];
    if (copy[b] && tsr_cuda_download(gpu->cuda, err, copy[b], gpu->memory + gpu->place[b],
                                     tsr__buffer_bytes(&gpu->module->buffer[b])))
      return TSR_REFUSED;
  }
  return tsr_cuda_wait(gpu->cuda, err, doing);
}

static enum tsr_status replay(struct tsr__gpu *gpu, struct tsr_err *err, int work, void **copy)
{
  const struct tsr__work *w = &gpu->work[work];
  const struct tsr__segment *s = &gpu->segment[work];
  if (clear_status(gpu, err) || copy_all(gpu, err, s->ups, s->up, true))
    return TSR_REFUSED;
  for (int i = 0; i < w->layers; i++)
    if (replay_layer(gpu, err, w->layer[i], copy))
      return TSR_REFUSED;
  return TSR_OK;
}

enum tsr_status tsr__gpu_replay(struct tsr__gpu *gpu, struct tsr_err *err, int work, void **copy)
{
  if (tsr_cuda_enter(gpu->cuda, err))
    return TSR_REFUSED;
  enum tsr_status status = replay(gpu, err, work, copy);
  tsr_cuda_leave(gpu->cuda);
  return status;
}

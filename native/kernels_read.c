/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "native/kernels_layout.h"

#define MOST_SCRATCH (UINT64_C(64) << 30)

enum {
  MOST_THREADS = 1024,
  MOST_SHARED = 1 << 20,
  MOST_CLUSTER = 16,
  MOST_OPERAND_BITS = 22,
  POINTER = 8,
  MAP = 128,
  MAP_ALIGNMENT = 64
};

/* A block that is read: where its rows are, and what its sentences begin with. */
struct reading {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const struct tsr_kernel_params *params; /* by layer */
  char arch[TSR_GPU_ARCH_NAME];
  const uint8_t *kernel, *arg, *map, *text;
  uint64_t kernels, args, maps; /* rows that are left */
};

static uint64_t get(const uint8_t *p, int bytes)
{
  uint64_t v = 0;
  for (int i = 0; i < bytes; i++)
    v |= (uint64_t)p[i] << 8 * i;
  return v;
}

/* --- arguments -------------------------------------------------------------------------------- */

/* Where a pointer's memory ends, counted from its offset. */
static enum tsr_status read_pointer(const struct reading *r, int layer, uint64_t scratch_bytes,
                                    const uint8_t *p, struct tsr_kernel_pointer *out,
                                    uint64_t *room)
{
  const struct tsr_kernel_params *params = &r->params[layer];
  uint64_t kind = get(p, 4), param = get(p + 4, 4), offset = get(p + 8, 8);
  if (kind > TSR__KIND_SCRATCH || (kind == TSR__KIND_PARAM && param >= (uint64_t)params->params) ||
      (kind == TSR__KIND_SCRATCH && param))
    return tsr_refuse(r->err, "the kernels for '%s': layer %d uses parameter %" PRIu64 " of %d",
                      r->arch, layer, param, params->params);
  uint64_t size = kind == TSR__KIND_SCRATCH ? scratch_bytes : params->bytes[param];
  if (offset > size)
    return tsr_refuse(
        r->err, "the kernels for '%s': layer %d points at byte %" PRIu64 " of %" PRIu64 " bytes",
        r->arch, layer, offset, size);
  *out = (struct tsr_kernel_pointer){kind == TSR__KIND_SCRATCH, (uint32_t)param, offset};
  *room = size - offset;
  return TSR_OK;
}

static bool is_swizzle(const struct tsr_tensor_map *m)
{
  uint64_t row = (uint64_t)m->box[0] * (uint64_t)tsr_map_type_bytes(m->type);
  if (row % 16)
    return false;
  return m->swizzle == 0 ||
         ((m->swizzle == 32 || m->swizzle == 64 || m->swizzle == 128) && row <= m->swizzle);
}

/* What the TMA unit can do, and inside of the memory that there is. */
static bool is_dim(const struct tsr_tensor_map *m, int i, uint64_t *end)
{
  uint64_t element = (uint64_t)tsr_map_type_bytes(m->type);
  if (i >= (int)m->rank)
    return !m->dims[i] && !m->strides[i] && !m->box[i] && !m->step[i];
  if (!m->dims[i] || m->dims[i] > UINT64_C(1) << 32 || !m->box[i] || m->box[i] > 256 ||
      !m->step[i] || m->step[i] > 8)
    return false;
  if (i ? !m->strides[i] || m->strides[i] % 16 || m->strides[i] >= UINT64_C(1) << 40
        : m->strides[i] != element)
    return false;
  return !__builtin_mul_overflow(m->dims[i] - 1, m->strides[i], &element) &&
         !__builtin_add_overflow(*end, element, end);
}

static enum tsr_status read_map(struct reading *r, int layer, uint64_t scratch_bytes,
                                struct tsr_tensor_map *m)
{
  const uint8_t *p = r->map;
  uint64_t room, type = get(p + 16, 4);
  if (read_pointer(r, layer, scratch_bytes, p, &m->base, &room))
    return TSR_REFUSED;
  m->rank = (uint32_t)get(p + 20, 4);
  m->swizzle = (uint32_t)get(p + 24, 4);
  m->l2 = (uint32_t)get(p + 28, 4);
  for (int i = 0; i < TSR_MAP_RANK; i++) {
    m->dims[i] = get(p + 32 + 8 * i, 8);
    m->strides[i] = get(p + 72 + 8 * i, 8);
    m->box[i] = (uint32_t)get(p + 112 + 4 * i, 4);
    m->step[i] = (uint32_t)get(p + 132 + 4 * i, 4);
  }
  bool good = type < TSR_MAP_TYPES && m->rank >= 1 && m->rank <= TSR_MAP_RANK &&
              m->base.offset % 16 == 0 && m->l2 % 64 == 0 && m->l2 <= 256 && m->l2 != 192;
  m->type = good ? (enum tsr_map_type)type : TSR_MAP_U8;
  uint64_t end = (uint64_t)tsr_map_type_bytes(m->type);
  for (int i = 0; i < TSR_MAP_RANK; i++)
    good = good && is_dim(m, i, &end);
  if (!good || !is_swizzle(m))
    return tsr_refuse(r->err,
                      "the kernels for '%s': layer %d has a tensor map that is none of those that "
                      "the hardware takes",
                      r->arch, layer);
  if (end > room)
    return tsr_refuse(r->err,
                      "the kernels for '%s': layer %d has a tensor map that reaches over %" PRIu64
                      " bytes of %" PRIu64,
                      r->arch, layer, end, room);
  r->map += TSR__KERNEL_MAP;
  r->maps--;
  return TSR_OK;
}

static enum tsr_status read_arg(struct reading *r, int layer, uint64_t scratch_bytes,
                                struct tsr_kernel_arg *arg)
{
  const uint8_t *p = r->arg;
  uint64_t room;
  r->arg += TSR__KERNEL_ARG;
  r->args--;
  if (get(p, 4) != TSR__KIND_MAP) {
    arg->kind = TSR_ARG_POINTER;
    return read_pointer(r, layer, scratch_bytes, p, &arg->pointer, &room);
  }
  if (!r->maps || get(p + 4, 4) || get(p + 8, 8))
    return tsr_refuse(r->err, "the kernels for '%s': layer %d uses a tensor map that is not there",
                      r->arch, layer);
  arg->kind = TSR_ARG_MAP;
  return read_map(r, layer, scratch_bytes, &arg->map);
}

/* --- kernels ---------------------------------------------------------------------------------- */

static bool is_entry(const char *name)
{
  if (name[TSR_KERNEL_NAME - 1] || !name[0] || isdigit((unsigned char)name[0]))
    return false;
  for (const char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '_' && *c != '$')
      return false;
  return true;
}

/* The limits that every GPU has. */
static bool is_launch(const struct tsr_kernel *k)
{
  static const uint32_t most_grid[3] = {INT32_MAX, 65535, 65535}, most_block[3] = {1024, 1024, 64};
  uint64_t threads = 1, cluster = 1;
  for (int i = 0; i < 3; i++) {
    if (!k->grid[i] || k->grid[i] > most_grid[i] || !k->block[i] || k->block[i] > most_block[i] ||
        !k->cluster[i] || k->cluster[i] > MOST_CLUSTER || k->grid[i] % k->cluster[i])
      return false;
    threads *= k->block[i];
    cluster *= k->cluster[i];
  }
  return threads <= MOST_THREADS && cluster <= MOST_CLUSTER && k->shared_bytes <= MOST_SHARED;
}

static uint64_t param_bytes(const struct tsr_kernel *k)
{
  uint64_t at = 0;
  for (int i = 0; i < k->args; i++)
    at = k->arg[i].kind == TSR_ARG_POINTER
             ? at + POINTER
             : (at + MAP_ALIGNMENT - 1) / MAP_ALIGNMENT * MAP_ALIGNMENT + MAP;
  return at + POINTER;
}

static enum tsr_status read_kernel(struct reading *r, int layer, uint64_t scratch_bytes,
                                   struct tsr_kernel *k)
{
  const uint8_t *p = r->kernel, *numbers = p + TSR_KERNEL_NAME;
  r->kernel += TSR__KERNEL_ROW;
  r->kernels--;
  k->entry = (const char *)p;
  for (int i = 0; i < 3; i++) {
    k->grid[i] = (uint32_t)get(numbers + 4 * i, 4);
    k->block[i] = (uint32_t)get(numbers + 12 + 4 * i, 4);
    k->cluster[i] = (uint32_t)get(numbers + 24 + 4 * i, 4);
  }
  k->shared_bytes = (uint32_t)get(numbers + 36, 4);
  uint64_t args = get(numbers + 40, 4);
  if (!is_entry(k->entry))
    return tsr_refuse(r->err, "the kernels for '%s': layer %d has a kernel whose name is none",
                      r->arch, layer);
  if (!is_launch(k) || get(numbers + 44, 4))
    return tsr_refuse(r->err,
                      "the kernels for '%s': '%s' of layer %d has a launch that no GPU takes",
                      r->arch, k->entry, layer);
  if (args > r->args || args > TSR_KERNEL_PARAM_BYTES / POINTER)
    return tsr_refuse(r->err,
                      "the kernels for '%s': '%s' of layer %d has %" PRIu64
                      " arguments, more than there are",
                      r->arch, k->entry, layer, args);
  k->args = (int)args;
  k->arg = TSR_NEW_ARRAY(r->arena, struct tsr_kernel_arg, k->args);
  for (int i = 0; i < k->args; i++)
    if (read_arg(r, layer, scratch_bytes, &k->arg[i]))
      return TSR_REFUSED;
  if (param_bytes(k) > TSR_KERNEL_PARAM_BYTES)
    return tsr_refuse(r->err,
                      "the kernels for '%s': '%s' of layer %d has %" PRIu64
                      " bytes of arguments; a launch takes %d",
                      r->arch, k->entry, layer, param_bytes(k), TSR_KERNEL_PARAM_BYTES);
  return TSR_OK;
}

static enum tsr_status read_layer(struct reading *r, int layer, const uint8_t *row,
                                  struct tsr_kernel_layer *l)
{
  uint64_t kernels = get(row, 4), bits = get(row + 4, 4);
  l->scratch_bytes = get(row + 8, 8);
  if (kernels > r->kernels)
    return tsr_refuse(r->err,
                      "the kernels for '%s': layer %d has %" PRIu64 " kernels, more than there are",
                      r->arch, layer, kernels);
  if (l->scratch_bytes > (kernels ? MOST_SCRATCH : 0))
    return tsr_refuse(r->err,
                      "the kernels for '%s': layer %d wants %" PRIu64
                      " bytes of scratch memory; at most %" PRIu64 " are given",
                      r->arch, layer, l->scratch_bytes, kernels ? MOST_SCRATCH : 0);
  if (bits > (kernels ? MOST_OPERAND_BITS : 0))
    return tsr_refuse(r->err,
                      "the kernels for '%s': layer %d rounds operands to %" PRIu64
                      " bits; there are at most %d",
                      r->arch, layer, bits, kernels ? MOST_OPERAND_BITS : 0);
  l->operand_bits = (int)bits;
  l->kernels = (int)kernels;
  l->kernel = TSR_NEW_ARRAY(r->arena, struct tsr_kernel, l->kernels);
  for (int i = 0; i < l->kernels; i++)
    if (read_kernel(r, layer, l->scratch_bytes, &l->kernel[i]))
      return TSR_REFUSED;
  return TSR_OK;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static enum tsr_status read_block(struct reading *r, const uint8_t *p, uint64_t size, int layers,
                                  struct tsr_kernel_block *b)
{
  if (size < TSR__KERNEL_BLOCK_HEAD)
    return tsr_refuse(r->err, "the kernels for '%s' are cut off", r->arch);
  uint64_t count = get(p, 4), text = get(p + 16, 8);
  r->kernels = get(p + 4, 4);
  r->args = get(p + 8, 4);
  r->maps = get(p + 12, 4);
  if (count != (uint64_t)layers)
    return tsr_refuse(r->err, "the kernels for '%s' are of %" PRIu64 " layers; the module has %d",
                      r->arch, count, layers);
  uint64_t head = TSR__KERNEL_BLOCK_HEAD + count * TSR__KERNEL_LAYER +
                  r->kernels * TSR__KERNEL_ROW + r->args * TSR__KERNEL_ARG +
                  r->maps * TSR__KERNEL_MAP;
  if (head > size || text != size - head || get(p + 24, 8))
    return tsr_refuse(r->err, "the kernels for '%s' do not have the size that they state", r->arch);
  const uint8_t *layer = p + TSR__KERNEL_BLOCK_HEAD;
  r->kernel = layer + count * TSR__KERNEL_LAYER;
  r->arg = r->kernel + r->kernels * TSR__KERNEL_ROW;
  r->map = r->arg + r->args * TSR__KERNEL_ARG;
  r->text = r->map + r->maps * TSR__KERNEL_MAP;
  if (!text || memchr(r->text, 0, text) != r->text + text - 1)
    return tsr_refuse(r->err, "the PTX for '%s' does not end in its last byte", r->arch);
  b->ptx = (const char *)r->text;
  b->layers = layers;
  b->layer = TSR_NEW_ARRAY(r->arena, struct tsr_kernel_layer, layers);
  for (int i = 0; i < layers; i++)
    if (read_layer(r, i, layer + i * TSR__KERNEL_LAYER, &b->layer[i]))
      return TSR_REFUSED;
  if (r->kernels || r->args || r->maps)
    return tsr_refuse(r->err, "the kernels for '%s' are more than its layers have", r->arch);
  return TSR_OK;
}

static enum tsr_status read_row(struct reading *r, const struct tsr_bytes *bytes, int layers,
                                const uint8_t *row, const struct tsr_kernel_block *before,
                                struct tsr_kernel_block *b)
{
  memcpy(r->arch, row, TSR_GPU_ARCH_NAME);
  r->arch[TSR_GPU_ARCH_NAME - 1] = 0;
  uint64_t offset = get(row + 16, 8), size = get(row + 24, 8);
  if (row[TSR_GPU_ARCH_NAME - 1] || !tsr_gpu_arch_from_name(r->arch, &b->arch))
    return tsr_refuse(r->err, "there are kernels for '%s', which is no architecture of a GPU",
                      r->arch);
  if (before && tsr_gpu_arch_compare(before->arch, b->arch) >= 0)
    return tsr_refuse(r->err, "the kernels for '%s' are not in the order of architectures",
                      r->arch);
  if (offset % 64 || offset > bytes->size || size > bytes->size - offset)
    return tsr_refuse(r->err, "the kernels for '%s' are not inside of their section", r->arch);
  return read_block(r, bytes->data + offset, size, layers, b);
}

enum tsr_status tsr_kernels_read(struct tsr_arena *arena, struct tsr_err *err,
                                 const struct tsr_bytes *bytes, int layers,
                                 const struct tsr_kernel_params *params, int *blocks,
                                 struct tsr_kernel_block **block)
{
  struct reading r = {.arena = arena, .err = err, .params = params};
  *blocks = 0;
  *block = NULL;
  if (!bytes->size)
    return TSR_OK;
  if (bytes->size < TSR__KERNELS_HEAD || memcmp(bytes->data, "TPTX", 4))
    return tsr_refuse(err, "the section of GPU kernels does not begin as one does");
  uint64_t version = get(bytes->data + 4, 4), count = get(bytes->data + 8, 8);
  if (version != TSR__KERNELS_VERSION)
    return tsr_refuse(err, "the GPU kernels have format version %" PRIu64 "; version %d is read",
                      version, TSR__KERNELS_VERSION);
  if (count > TSR_GPU_ARCHS || TSR__KERNELS_HEAD + count * TSR__KERNELS_ROW > bytes->size)
    return tsr_refuse(err, "the GPU kernels are said to be for %" PRIu64 " architectures", count);
  struct tsr_kernel_block *list = TSR_NEW_ARRAY(arena, struct tsr_kernel_block, count);
  for (int i = 0; i < (int)count; i++)
    if (read_row(&r, bytes, layers, bytes->data + TSR__KERNELS_HEAD + i * TSR__KERNELS_ROW,
                 i ? &list[i - 1] : NULL, &list[i]))
      return TSR_REFUSED;
  *blocks = (int)count;
  *block = list;
  return TSR_OK;
}

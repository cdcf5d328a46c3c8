/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "native/code_layout.h"
#include "native/kernels_layout.h"

/* How many rows of each kind a block has. */
struct counts {
  uint64_t kernels, args, maps;
};

static struct counts count_rows(const struct tsr_kernel_block *b)
{
  struct counts n = {0};
  for (int i = 0; i < b->layers; i++)
    for (int k = 0; k < b->layer[i].kernels; k++) {
      const struct tsr_kernel *kernel = &b->layer[i].kernel[k];
      n.kernels++;
      n.args += (uint64_t)kernel->args;
      for (int a = 0; a < kernel->args; a++)
        n.maps += kernel->arg[a].kind == TSR_ARG_MAP;
    }
  return n;
}

static uint64_t block_bytes(const struct tsr_kernel_block *b)
{
  struct counts n = count_rows(b);
  return TSR__KERNEL_BLOCK_HEAD + (uint64_t)b->layers * TSR__KERNEL_LAYER +
         n.kernels * TSR__KERNEL_ROW + n.args * TSR__KERNEL_ARG + n.maps * TSR__KERNEL_MAP +
         strlen(b->ptx) + 1;
}

static uint8_t *put(uint8_t *p, uint64_t v, int bytes)
{
  for (int i = 0; i < bytes; i++)
    p[i] = (uint8_t)(v >> 8 * i);
  return p + bytes;
}

static uint8_t *put_list(uint8_t *p, const uint32_t *v, int n)
{
  for (int i = 0; i < n; i++)
    p = put(p, v[i], 4);
  return p;
}

static uint8_t *put_pointer(uint8_t *p, const struct tsr_kernel_pointer *pointer)
{
  p = put(p, pointer->scratch ? TSR__KIND_SCRATCH : TSR__KIND_PARAM, 4);
  p = put(p, pointer->scratch ? 0 : pointer->param, 4);
  return put(p, pointer->offset, 8);
}

static uint8_t *put_kernel(uint8_t *p, const struct tsr_kernel *k)
{
  memcpy(p, k->entry, strlen(k->entry));
  p = put_list(p + TSR_KERNEL_NAME, k->grid, 3);
  p = put_list(p, k->block, 3);
  p = put_list(p, k->cluster, 3);
  p = put(p, k->shared_bytes, 4);
  return put(p, (uint64_t)k->args, 4) + 4;
}

static uint8_t *put_arg(uint8_t *p, const struct tsr_kernel_arg *arg)
{
  if (arg->kind == TSR_ARG_POINTER)
    return put_pointer(p, &arg->pointer);
  return put(p, TSR__KIND_MAP, 4) + TSR__KERNEL_ARG - 4;
}

static uint8_t *put_map(uint8_t *p, const struct tsr_tensor_map *m)
{
  p = put_pointer(p, &m->base);
  p = put(p, (uint64_t)m->type, 4);
  p = put(p, m->rank, 4);
  p = put(p, m->swizzle, 4);
  p = put(p, m->l2, 4);
  for (int i = 0; i < TSR_MAP_RANK; i++)
    p = put(p, i < (int)m->rank ? m->dims[i] : 0, 8);
  for (int i = 0; i < TSR_MAP_RANK; i++)
    p = put(p, i < (int)m->rank ? m->strides[i] : 0, 8);
  for (int i = 0; i < TSR_MAP_RANK; i++)
    p = put(p, i < (int)m->rank ? m->box[i] : 0, 4);
  for (int i = 0; i < TSR_MAP_RANK; i++)
    p = put(p, i < (int)m->rank ? m->step[i] : 0, 4);
  return p;
}

static void write_block(uint8_t *p, const struct tsr_kernel_block *b)
{
  struct counts n = count_rows(b);
  uint8_t *layer = p + TSR__KERNEL_BLOCK_HEAD;
  uint8_t *kernel = layer + (uint64_t)b->layers * TSR__KERNEL_LAYER;
  uint8_t *arg = kernel + n.kernels * TSR__KERNEL_ROW;
  uint8_t *map = arg + n.args * TSR__KERNEL_ARG;
  p = put(p, (uint64_t)b->layers, 4);
  p = put(p, n.kernels, 4);
  p = put(p, n.args, 4);
  p = put(p, n.maps, 4);
  put(p, strlen(b->ptx) + 1, 8);
  for (int i = 0; i < b->layers; i++) {
    bool present = b->layer[i].kernels;
    layer = put(layer, (uint64_t)b->layer[i].kernels, 4);
    layer = put(layer, present ? (uint64_t)b->layer[i].operand_bits : 0, 4);
    layer = put(layer, present ? b->layer[i].scratch_bytes : 0, 8);
    for (int k = 0; k < b->layer[i].kernels; k++) {
      const struct tsr_kernel *row = &b->layer[i].kernel[k];
      kernel = put_kernel(kernel, row);
      for (int a = 0; a < row->args; a++) {
        arg = put_arg(arg, &row->arg[a]);
        if (row->arg[a].kind == TSR_ARG_MAP)
          map = put_map(map, &row->arg[a].map);
      }
    }
  }
  memcpy(map, b->ptx, strlen(b->ptx) + 1);
}

struct tsr_bytes tsr_kernels_write(struct tsr_arena *arena, int blocks,
                                   const struct tsr_kernel_block *block)
{
  uint64_t end = TSR__KERNELS_HEAD + (uint64_t)blocks * TSR__KERNELS_ROW;
  for (int i = 0; i < blocks; i++)
    end = tsr__code_aligned(end) + block_bytes(&block[i]);
  uint8_t *all = tsr_arena_alloc(arena, end + 1);
  memcpy(all, "TPTX", 4);
  put(all + 4, TSR__KERNELS_VERSION, 4);
  put(all + 8, (uint64_t)blocks, 8);
  uint64_t at = TSR__KERNELS_HEAD + (uint64_t)blocks * TSR__KERNELS_ROW;
  for (int i = 0; i < blocks; i++) {
    uint8_t *row = all + TSR__KERNELS_HEAD + i * TSR__KERNELS_ROW;
    char name[TSR_GPU_ARCH_NAME];
    at = tsr__code_aligned(at);
    tsr_gpu_arch_name(block[i].arch, name);
    memcpy(row, name, strlen(name));
    put(row + 16, at, 8);
    put(row + 24, block_bytes(&block[i]), 8);
    write_block(all + at, &block[i]);
    at += block_bytes(&block[i]);
  }
  return (struct tsr_bytes){all, end};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* layers FUNC.tir DIR [--kernels|ARCH]: the kernels of one func for ARCH (sm_90a) as DIR/kernels.json and DIR/layer.ptx;
 * without --kernels also inputs drawn at random as DIR/0.npy, 1.npy, ..., and behind them the results that the
 * interpreter computes. test_layers.py runs and compares. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "compiler/target/cuda/cuda.h"

static _Noreturn void quit(const char *why)
{
  fprintf(stderr, "layers: %s\n", why);
  exit(2);
}

static struct tsr_bytes read_all(struct tsr_arena *a, const char *path)
{
  struct tsr_err err;
  struct tsr_bytes text;
  if (tsr_file_read(a, &err, path, 1 << 20, &text))
    quit(err.text);
  return text;
}

static void write_all(const char *path, const void *bytes, size_t size)
{
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(bytes, 1, size, f) != size || fclose(f))
    quit(path);
}

/* --- data ------------------------------------------------------------------------------------- */

static uint32_t draw(uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

/* What of quant an i32 is: its bias, its multiplier, or its shift with zero point and clamps. */
enum part { BIAS, MULTIPLIER, PACKED };

static enum part part_of(const struct tir_buffer *b, int64_t i)
{
  if (!strcmp(b->name, "mult"))
    return MULTIPLIER;
  if (!strcmp(b->name, "pack"))
    return PACKED;
  bool three = b->rank > 1 && b->dims[b->rank - 2] == 3;
  return three ? (enum part)(i / b->dims[b->rank - 1] % 3) : BIAS;
}

/* So that most results of sums of a hundred to some thousands of products are no clamps. */
static int64_t number_of_quant(enum part part, uint32_t r)
{
  switch (part) {
  case BIAS: return (int64_t)(r % 20001) - 10000;
  case MULTIPLIER: return (int64_t)1 << 29 | (r & 0x1fffffff);
  default: return (int64_t)127 << 24 | 128 << 16 | (r & 7) << 8 | (41 + r % 3);
  }
}

static void fill(struct tsr_tensor *t, const struct tir_buffer *b, uint64_t *state)
{
  for (int64_t i = 0; i < tsr_tensor_count(t); i++) {
    uint32_t r = draw(state);
    if (t->dtype == TSR_F32) /* of more bits than tf32 has */
      tsr_put_float(t, i, ((double)(r % 2097152) - 1048576) / 524288);
    else if (tsr_dtype_kind(t->dtype) == TSR_KIND_FLOAT)
      tsr_put_float(t, i, ((double)(r % 2048) - 1024) / 512);
    else if (t->dtype == TSR_I32)
      tsr_put_int(t, i, number_of_quant(part_of(b, i), r));
    else
      tsr_put_int(t, i, (int64_t)(r % 256) - 128);
  }
}

static void **make_data(struct tsr_arena *a, const struct tir_func *f, const char *folder)
{
  struct tsr_err err;
  uint64_t state = 1;
  void **data = TSR_NEW_ARRAY(a, void *, f->params);
  struct tsr_tensor *t = TSR_NEW_ARRAY(a, struct tsr_tensor, f->params);
  for (int i = 0; i < f->params; i++) {
    const struct tir_buffer *b = f->param[i];
    t[i] = (struct tsr_tensor){.dtype = b->dtype, .rank = b->rank};
    memcpy(t[i].dims, b->dims, sizeof b->dims);
    t[i].data = data[i] = tsr_arena_alloc(a, tsr_tensor_bytes(&t[i]));
    if (i < f->inputs)
      fill(&t[i], b, &state);
  }
  if (tir_func_run(a, &err, f, data))
    quit(err.text);
  for (int i = 0; i < f->params; i++) {
    struct tsr_bytes bytes = tsr_npy_write(a, &t[i]);
    write_all(tsr_arena_printf(a, "%s/%d.npy", folder, i), bytes.data, bytes.size);
  }
  return data;
}

/* --- kernels ------------------------------------------------------------------------------------ */

static json_t *list32(const uint32_t *v, uint32_t n)
{
  json_t *list = json_array();
  for (uint32_t i = 0; i < n; i++)
    json_array_append_new(list, json_integer(v[i]));
  return list;
}

static json_t *list64(const uint64_t *v, uint32_t n)
{
  json_t *list = json_array();
  for (uint32_t i = 0; i < n; i++)
    json_array_append_new(list, json_integer((json_int_t)v[i]));
  return list;
}

static json_t *argument(const struct tsr_kernel_arg *arg)
{
  const struct tsr_tensor_map *m = &arg->map;
  if (arg->kind == TSR_ARG_POINTER)
    return json_pack("{s:i}", "param", (int)arg->pointer.param);
  return json_pack("{s:i, s:o, s:o, s:o, s:o}", "param", (int)m->base.param, "step",
                   list32(m->step, m->rank), "dims", list64(m->dims, m->rank), "strides",
                   list64(m->strides, m->rank), "box", list32(m->box, m->rank));
}

static json_t *kernel(const struct tsr_kernel *k)
{
  json_t *args = json_array();
  for (int i = 0; i < k->args; i++)
    json_array_append_new(args, argument(&k->arg[i]));
  return json_pack("{s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:o}", "entry", k->entry, "grid",
                   list32(k->grid, 3), "block", list32(k->block, 3), "blocks", (int)k->grid[0],
                   "threads", (int)k->block[0], "cluster", (int)k->cluster[0], "shared_bytes",
                   (int)k->shared_bytes, "args", args);
}

static void say(void *context, const char *stage, const char *name, const char *text)
{
  (void)context;
  (void)name;
  if (!strcmp(stage, "schedule"))
    fputs(text, stdout);
}

static struct tsr_kernel_block compile(struct tsr_arena *a, const struct tir_func *f,
                                       struct tsr_gpu_arch arch)
{
  struct tsr_err err;
  struct tsr_bytes section;
  struct tsr_kernel_block *block;
  uint64_t *bytes = TSR_NEW_ARRAY(a, uint64_t, f->params);
  struct tsr_kernel_params params = {f->params, bytes};
  int blocks;
  for (int i = 0; i < f->params; i++)
    bytes[i] = (uint64_t)tsr_count(f->param[i]->dims, f->param[i]->rank, 1) *
               tsr_dtype_bytes(f->param[i]->dtype);
  struct tsr_codegen_job job = {
      .layers = 1, .name = &f->name, .func = &f, .archs = 1, .arch = &arch, .dump = say};
  if (tessera_cuda_codegen()->compile(a, &err, &job, &section) ||
      tsr_kernels_read(a, &err, &section, 1, &params, &blocks, &block))
    quit(err.text);
  return block[0];
}

int main(int argc, char **argv)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_err err;
  struct tir_func *f;
  if (argc < 3 || argc > 4 || !a || setjmp(*tsr_arena_landing(a)))
    quit("usage: layers FUNC.tir DIR [--kernels|ARCH]");
  struct tsr_bytes text = read_all(a, argv[1]);
  char *copy = tsr_arena_alloc(a, text.size + 1);
  memcpy(copy, text.data, text.size);
  if (tir_func_parse(a, &err, argv[1], copy, &f))
    quit(err.text);
  struct tsr_gpu_arch arch = {90, true};
  bool kernels_only = argc == 4 && !strcmp(argv[3], "--kernels");
  if (argc == 4 && !kernels_only && !tsr_gpu_arch_from_name(argv[3], &arch))
    quit("there is no such architecture");
  struct tsr_kernel_block block = compile(a, f, arch);
  if (!kernels_only)
    make_data(a, f, argv[2]);
  json_t *list = json_array();
  for (int i = 0; i < block.layer[0].kernels; i++)
    json_array_append_new(list, kernel(&block.layer[0].kernel[i]));
  write_all(tsr_arena_printf(a, "%s/layer.ptx", argv[2]), block.ptx, strlen(block.ptx));
  json_dump_file(list, tsr_arena_printf(a, "%s/kernels.json", argv[2]), 0);
  json_decref(list);
  tsr_arena_free(a);
  return 0;
}

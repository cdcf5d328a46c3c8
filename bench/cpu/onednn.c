/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN, each tensor in the layout that it likes best and in its place before the clock runs:
 *   open conv f32|i8 CHANNELS ROWS COLUMNS FILTERS KERNEL STRIDE PAD GROUPS
 *   open matmul f32|i8 M K N
 * i8: u8 by s8, added up in s32, scaled by one number to u8. One image; the convolution has a
 * bias. */
#include <dnnl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cpu/worker.h"

enum { MOST_TENSORS = 4 };

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static dnnl_primitive_t primitive;
static dnnl_exec_arg_t arg[MOST_TENSORS];
static int args;

static void close_primitive(void)
{
  while (args)
    dnnl_memory_destroy(arg[--args].memory);
  dnnl_primitive_destroy(primitive);
  primitive = NULL;
}

static void fill(void *data, size_t bytes, dnnl_data_type_t type)
{
  float *f = data;
  int8_t *b = data;
  if (type == dnnl_f32)
    for (size_t i = 0; i < bytes / sizeof *f; i++)
      f[i] = (float)worker_noise();
  else
    for (size_t i = 0; i < bytes; i++)
      b[i] = (int8_t)(100 * worker_noise());
}

/* Memory of what the primitive wants there. */
static bool add_arg(const_dnnl_primitive_desc_t desc, dnnl_query_t query, int k, int name)
{
  const dnnl_memory_desc_t *want = dnnl_primitive_desc_query_md(desc, query, k);
  dnnl_memory_t memory;
  void *data;
  if (!want || dnnl_memory_create(&memory, want, engine, DNNL_MEMORY_ALLOCATE))
    return false;
  arg[args++] = (dnnl_exec_arg_t){name, memory};
  if (dnnl_memory_get_data_handle(memory, &data))
    return false;
  fill(data, dnnl_memory_desc_get_size(want), want->data_type);
  return true;
}

static bool open_primitive(const void *op, bool integer, bool bias)
{
  dnnl_primitive_attr_t attributes;
  dnnl_primitive_desc_t desc;
  float scale = 0.001f;
  dnnl_primitive_attr_create(&attributes);
  if (integer)
    dnnl_primitive_attr_set_output_scales(attributes, 1, 0, &scale);
  dnnl_status_t status = dnnl_primitive_desc_create(&desc, op, attributes, engine, NULL);
  dnnl_primitive_attr_destroy(attributes);
  if (status)
    return false;
  bool ok = !dnnl_primitive_create(&primitive, desc) &&
            add_arg(desc, dnnl_query_src_md, 0, DNNL_ARG_SRC) &&
            add_arg(desc, dnnl_query_weights_md, 0, DNNL_ARG_WEIGHTS) &&
            add_arg(desc, dnnl_query_dst_md, 0, DNNL_ARG_DST) &&
            (!bias || add_arg(desc, dnnl_query_weights_md, 1, DNNL_ARG_BIAS));
  dnnl_primitive_desc_destroy(desc);
  return ok;
}

static dnnl_memory_desc_t any(int rank, const dnnl_dim_t *dims, dnnl_data_type_t type)
{
  dnnl_memory_desc_t desc;
  dnnl_memory_desc_init_by_tag(&desc, rank, dims, type, dnnl_format_tag_any);
  return desc;
}

/* Winograd's where oneDNN has it, which it does not choose by itself: of f32, 3x3 at stride 1. */
static bool open_conv(bool integer, const int *v)
{
  static const dnnl_alg_kind_t ways[] = {dnnl_convolution_winograd, dnnl_convolution_direct};
  dnnl_dim_t c = v[0], oc = v[3], k = v[4], stride = v[5], pad = v[6], groups = v[7];
  dnnl_dim_t rows = (v[1] + 2 * pad - k) / stride + 1, columns = (v[2] + 2 * pad - k) / stride + 1;
  dnnl_data_type_t x = integer ? dnnl_u8 : dnnl_f32, w = integer ? dnnl_s8 : dnnl_f32;
  dnnl_memory_desc_t src = any(4, (dnnl_dims_t){1, c, v[1], v[2]}, x);
  dnnl_memory_desc_t dst = any(4, (dnnl_dims_t){1, oc, rows, columns}, x);
  dnnl_memory_desc_t bias = any(1, (dnnl_dims_t){oc}, integer ? dnnl_s32 : dnnl_f32);
  dnnl_memory_desc_t weights = groups > 1
                                   ? any(5, (dnnl_dims_t){groups, oc / groups, c / groups, k, k}, w)
                                   : any(4, (dnnl_dims_t){oc, c, k, k}, w);
  dnnl_dims_t strides = {stride, stride}, pads = {pad, pad};
  dnnl_convolution_desc_t op;
  for (int way = integer; way < 2; way++) {
    if (!dnnl_convolution_forward_desc_init(&op, dnnl_forward_inference, ways[way], &src, &weights,
                                            &bias, &dst, strides, pads, pads) &&
        open_primitive(&op, integer, true))
      return true;
    close_primitive();
  }
  return false;
}

static bool open_matmul(bool integer, const int *v)
{
  dnnl_data_type_t x = integer ? dnnl_u8 : dnnl_f32, w = integer ? dnnl_s8 : dnnl_f32;
  dnnl_memory_desc_t src = any(2, (dnnl_dims_t){v[0], v[1]}, x);
  dnnl_memory_desc_t weights = any(2, (dnnl_dims_t){v[1], v[2]}, w);
  dnnl_memory_desc_t dst = any(2, (dnnl_dims_t){v[0], v[2]}, x);
  dnnl_matmul_desc_t op;
  return !dnnl_matmul_desc_init(&op, &src, &weights, NULL, &dst) &&
         open_primitive(&op, integer, false);
}

static const char *open_words(char **word, int words)
{
  enum { CONV_WORDS = 10, MATMUL_WORDS = 5 };
  int v[CONV_WORDS];
  close_primitive();
  for (int k = 2; k < words && k < CONV_WORDS; k++)
    v[k - 2] = atoi(word[k]);
  bool conv = words == CONV_WORDS && !strcmp(word[0], "conv") && v[5] > 0 && v[7] > 0;
  bool matmul = words == MATMUL_WORDS && !strcmp(word[0], "matmul");
  if (!conv && !matmul)
    return "oneDNN is asked for conv and matmul only";
  bool integer = !strcmp(word[1], "i8");
  if (conv ? open_conv(integer, v) : open_matmul(integer, v))
    return NULL;
  close_primitive();
  return "oneDNN does not have this";
}

static void run(void)
{
  if (!primitive)
    return;
  dnnl_primitive_execute(primitive, stream, args, arg);
  dnnl_stream_wait(stream);
}

int main(void)
{
  static const struct worker worker = {open_words, run, NULL};
  if (dnnl_engine_create(&engine, dnnl_cpu, 0) ||
      dnnl_stream_create(&stream, engine, dnnl_stream_default_flags))
    return 2;
  int status = worker_serve(&worker);
  close_primitive();
  dnnl_stream_destroy(stream);
  dnnl_engine_destroy(engine);
  return status;
}

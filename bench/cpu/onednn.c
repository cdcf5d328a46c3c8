/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN, each tensor in the layout that it likes best and in its place before the clock runs:
 *   open conv f32|i8|bf16 CHANNELS ROWS COLUMNS FILTERS KERNEL STRIDE PAD GROUPS
 *   open matmul f32|i8|bf16 M K N
 * bf16: a bias of f32. i8: u8 by s8, added up in s32, scaled by one number to u8. One image; the convolution has a
 * bias. With `plain` in front of it input and output are dense, channels outside of rows and columns, and are brought
 * to and from the layouts that it likes while the clock runs; constants are in theirs before. */
#include <dnnl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "bench/cpu/worker.h"

enum { MOST_TENSORS = 4 };

static dnnl_engine_t engine;
static dnnl_stream_t stream;

/* What runs, one after the other; a primitive is NULL where nothing is to be done. The first `args` tensors are the
 * step's own, those behind them another's. */
struct step {
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t arg[MOST_TENSORS];
  int args, others;
};
static struct step before, op, after;

static void close_step(struct step *s)
{
  while (s->args)
    dnnl_memory_destroy(s->arg[--s->args].memory);
  dnnl_primitive_destroy(s->primitive);
  *s = (struct step){.args = 0};
}

static void close_steps(void)
{
  close_step(&before);
  close_step(&op);
  close_step(&after);
}

static void fill(void *data, size_t bytes, dnnl_data_type_t type)
{
  float *f = data;
  uint16_t *h = data;
  int8_t *b = data;
  if (type == dnnl_f32)
    for (size_t i = 0; i < bytes / sizeof *f; i++)
      f[i] = (float)worker_noise();
  else if (type == dnnl_bf16)
    for (size_t i = 0; i < bytes / sizeof *h; i++)
      h[i] = tsr_bf16_of_float((float)worker_noise());
  else
    for (size_t i = 0; i < bytes; i++)
      b[i] = (int8_t)(100 * worker_noise());
}

/* Memory like that, filled with noise. */
static bool add_memory(struct step *s, int name, const dnnl_memory_desc_t *like)
{
  dnnl_memory_t memory;
  void *data;
  if (!like || dnnl_memory_create(&memory, like, engine, DNNL_MEMORY_ALLOCATE))
    return false;
  s->arg[s->args++] = (dnnl_exec_arg_t){name, memory};
  if (dnnl_memory_get_data_handle(memory, &data))
    return false;
  fill(data, dnnl_memory_desc_get_size(like), like->data_type);
  return true;
}

/* Memory of what the primitive wants there. */
static bool add_arg(const_dnnl_primitive_desc_t desc, dnnl_query_t query, int k, int name)
{
  return add_memory(&op, name, dnnl_primitive_desc_query_md(desc, query, k));
}

static bool open_primitive(const void *of, bool integer, bool bias)
{
  dnnl_primitive_attr_t attributes;
  dnnl_primitive_desc_t desc;
  float scale = 0.001f;
  dnnl_primitive_attr_create(&attributes);
  if (integer)
    dnnl_primitive_attr_set_output_scales(attributes, 1, 0, &scale);
  dnnl_status_t status = dnnl_primitive_desc_create(&desc, of, attributes, engine, NULL);
  dnnl_primitive_attr_destroy(attributes);
  if (status)
    return false;
  bool ok = !dnnl_primitive_create(&op.primitive, desc) &&
            add_arg(desc, dnnl_query_src_md, 0, DNNL_ARG_SRC) &&
            add_arg(desc, dnnl_query_dst_md, 0, DNNL_ARG_DST) &&
            add_arg(desc, dnnl_query_weights_md, 0, DNNL_ARG_WEIGHTS) &&
            (!bias || add_arg(desc, dnnl_query_weights_md, 1, DNNL_ARG_BIAS));
  dnnl_primitive_desc_destroy(desc);
  return ok;
}

/* --- to and from dense tensors ------------------------------------------------------------------ */

/* Brings one of the op's tensors from, or to, a dense one; nothing where it is that. */
static bool bring(struct step *s, dnnl_memory_t ours, bool in)
{
  const dnnl_memory_desc_t *there;
  dnnl_memory_desc_t dense;
  dnnl_primitive_desc_t desc;
  if (dnnl_memory_get_memory_desc(ours, &there) ||
      dnnl_memory_desc_init_by_tag(&dense, there->ndims, there->dims, there->data_type,
                                   there->ndims == 4 ? dnnl_nchw : dnnl_ab))
    return false;
  if (dnnl_memory_desc_equal(&dense, there))
    return true;
  if (dnnl_reorder_primitive_desc_create(&desc, in ? &dense : there, engine, in ? there : &dense,
                                         engine, NULL))
    return false;
  bool ok = !dnnl_primitive_create(&s->primitive, desc) &&
            add_memory(s, in ? DNNL_ARG_FROM : DNNL_ARG_TO, &dense);
  dnnl_primitive_desc_destroy(desc);
  s->arg[s->args] = (dnnl_exec_arg_t){in ? DNNL_ARG_TO : DNNL_ARG_FROM, ours};
  s->others = 1;
  return ok;
}

/* --- ops ---------------------------------------------------------------------------------------- */

static dnnl_memory_desc_t any(int rank, const dnnl_dim_t *dims, dnnl_data_type_t type)
{
  dnnl_memory_desc_t desc;
  dnnl_memory_desc_init_by_tag(&desc, rank, dims, type, dnnl_format_tag_any);
  return desc;
}

static dnnl_data_type_t type_of(const char *dtype)
{
  return !strcmp(dtype, "i8") ? dnnl_u8 : !strcmp(dtype, "bf16") ? dnnl_bf16 : dnnl_f32;
}

/* Winograd's where oneDNN has it, which it does not choose by itself: of f32, 3x3 at stride 1. */
static bool open_conv(dnnl_data_type_t x, const int *v)
{
  bool integer = x == dnnl_u8;
  static const dnnl_alg_kind_t ways[] = {dnnl_convolution_winograd, dnnl_convolution_direct};
  dnnl_dim_t c = v[0], oc = v[3], k = v[4], stride = v[5], pad = v[6], groups = v[7];
  dnnl_dim_t rows = (v[1] + 2 * pad - k) / stride + 1, columns = (v[2] + 2 * pad - k) / stride + 1;
  dnnl_data_type_t w = integer ? dnnl_s8 : x;
  dnnl_memory_desc_t src = any(4, (dnnl_dims_t){1, c, v[1], v[2]}, x);
  dnnl_memory_desc_t dst = any(4, (dnnl_dims_t){1, oc, rows, columns}, x);
  dnnl_memory_desc_t bias = any(1, (dnnl_dims_t){oc}, integer ? dnnl_s32 : dnnl_f32);
  dnnl_memory_desc_t weights = groups > 1
                                   ? any(5, (dnnl_dims_t){groups, oc / groups, c / groups, k, k}, w)
                                   : any(4, (dnnl_dims_t){oc, c, k, k}, w);
  dnnl_dims_t strides = {stride, stride}, pads = {pad, pad};
  dnnl_convolution_desc_t desc;
  for (int way = integer; way < 2; way++) {
    if (!dnnl_convolution_forward_desc_init(&desc, dnnl_forward_inference, ways[way], &src,
                                            &weights, &bias, &dst, strides, pads, pads) &&
        open_primitive(&desc, integer, true))
      return true;
    close_step(&op);
  }
  return false;
}

static bool open_matmul(dnnl_data_type_t x, const int *v)
{
  bool integer = x == dnnl_u8;
  dnnl_data_type_t w = integer ? dnnl_s8 : x;
  dnnl_memory_desc_t src = any(2, (dnnl_dims_t){v[0], v[1]}, x);
  dnnl_memory_desc_t weights = any(2, (dnnl_dims_t){v[1], v[2]}, w);
  dnnl_memory_desc_t dst = any(2, (dnnl_dims_t){v[0], v[2]}, x);
  dnnl_matmul_desc_t desc;
  return !dnnl_matmul_desc_init(&desc, &src, &weights, NULL, &dst) &&
         open_primitive(&desc, integer, false);
}

static const char *open_words(char **word, int words)
{
  enum { CONV_WORDS = 10, MATMUL_WORDS = 5 };
  int v[CONV_WORDS];
  bool plain = words > 0 && !strcmp(word[0], "plain");
  close_steps();
  word += plain;
  words -= plain;
  for (int k = 2; k < words && k < CONV_WORDS; k++)
    v[k - 2] = atoi(word[k]);
  bool conv = words == CONV_WORDS && !strcmp(word[0], "conv") && v[5] > 0 && v[7] > 0;
  bool matmul = words == MATMUL_WORDS && !strcmp(word[0], "matmul");
  if (!conv && !matmul)
    return "oneDNN is asked for conv and matmul only";
  dnnl_data_type_t type = type_of(word[1]);
  if ((conv ? open_conv(type, v) : open_matmul(type, v)) &&
      (!plain ||
       (bring(&before, op.arg[0].memory, true) && bring(&after, op.arg[1].memory, false))))
    return NULL;
  close_steps();
  return "oneDNN does not have this";
}

static void execute(const struct step *s)
{
  if (s->primitive)
    dnnl_primitive_execute(s->primitive, stream, s->args + s->others, s->arg);
}

static void run(void)
{
  execute(&before);
  execute(&op);
  execute(&after);
  dnnl_stream_wait(stream);
}

int main(void)
{
  static const struct worker worker = {open_words, run, NULL};
  if (dnnl_engine_create(&engine, dnnl_cpu, 0) ||
      dnnl_stream_create(&stream, engine, dnnl_stream_default_flags))
    return 2;
  int status = worker_serve(&worker);
  close_steps();
  dnnl_stream_destroy(stream);
  dnnl_engine_destroy(engine);
  return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cuda/modules.h"

#include <dlfcn.h>

#include "compiler/compile.h"
#include "compiler/onnx/onnx.h"

struct fake_cuda *fresh_fake(void)
{
  void *library = dlopen(FAKE_CUDA, RTLD_NOW | RTLD_NODELETE);
  if (!library)
    fail_msg("%s", dlerror());
  struct fake_cuda *(*state)(void);
  void (*reset)(void);
  void *function = dlsym(library, "fake_cuda");
  memcpy(&state, &function, sizeof state);
  function = dlsym(library, "fake_cuda_reset");
  memcpy(&reset, &function, sizeof reset);
  reset();
  return state();
}

/* --- kernels ---------------------------------------------------------------------------------- */

const char *every_layer(struct tsr_arena *a, int layer, const struct tir_func *func)
{
  (void)layer;
  return tir_func_print(a, func);
}

const char *even_layers(struct tsr_arena *a, int layer, const struct tir_func *func)
{
  return layer % 2 ? NULL : tir_func_print(a, func);
}

const char *no_layer(struct tsr_arena *a, int layer, const struct tir_func *func)
{
  (void)a, (void)layer, (void)func;
  return NULL;
}

static void add_comment(struct tsr_text *ptx, const char *text)
{
  while (*text) {
    size_t n = strcspn(text, "\n");
    tsr_text_add(ptx, "//%.*s\n", (int)n, text);
    text += n + (text[n] == '\n');
  }
}

static void add_kernel(struct tsr_arena *a, struct tsr_text *ptx, const char *entry,
                       const struct tir_func *func, const char *text, struct tsr_kernel *k)
{
  tsr_text_add(ptx, ".visible .entry %s()\n{ ret; }\n//tir %s\n", entry, entry);
  add_comment(ptx, text);
  tsr_text_add(ptx, "//end\n");
  *k = (struct tsr_kernel){.entry = entry,
                           .grid = {1, 1, 1},
                           .block = {32, 1, 1},
                           .cluster = {1, 1, 1},
                           .args = func->params,
                           .arg = TSR_NEW_ARRAY(a, struct tsr_kernel_arg, func->params)};
  for (int i = 0; i < k->args; i++)
    k->arg[i].pointer.param = (uint32_t)i;
}

static void add_layer(struct tsr_arena *a, struct tsr_text *ptx, int layer,
                      const struct tir_func *func, const char *text, struct tsr_kernel_layer *out)
{
  *out = (struct tsr_kernel_layer){.scratch_bytes = 1000,
                                   .kernels = layer == TWO_KERNELS ? 2 : 1,
                                   .kernel = TSR_NEW_ARRAY(a, struct tsr_kernel, 2)};
  for (int k = 0; k < out->kernels; k++)
    add_kernel(a, ptx, tsr_arena_printf(a, k ? "k%d_again" : "k%d", layer), func, text,
               &out->kernel[k]);
}

void add_kernels(struct tsr_arena *a, struct tsr_module *m, kernel_text *text)
{
  struct tsr_text ptx = {.arena = a};
  struct tsr_kernel_layer *layer = TSR_NEW_ARRAY(a, struct tsr_kernel_layer, m->layers);
  tsr_text_add(&ptx, ".version 8.5\n.target sm_80\n.address_size 64\n");
  for (int i = 0; i < m->layers; i++) {
    const char *of_layer = text(a, i, m->layer[i].func);
    if (of_layer)
      add_layer(a, &ptx, i, m->layer[i].func, of_layer, &layer[i]);
  }
  const struct tsr_kernel_block block[] = {{{80, false}, m->layers, layer, ptx.data},
                                           {{90, true}, m->layers, layer, ptx.data}};
  m->kernels = tsr_kernels_write(a, 2, block);
}

/* --- modules ---------------------------------------------------------------------------------- */

static struct tir_func *func_of(struct tsr_arena *a, const char *text)
{
  struct tsr_err err = {0};
  struct tir_func *f;
  if (tir_func_parse(a, &err, "chain", text, &f) || tir_func_verify(&err, f))
    fail_msg("%s", err.text);
  return f;
}

struct tsr_module *one_layer(struct tsr_arena *a, const char *text)
{
  struct tsr_module *m = TSR_NEW(a, struct tsr_module);
  struct tsr_err err = {0};
  struct tir_func *f = func_of(a, text);
  int *arg = TSR_NEW_ARRAY(a, int, f->params);
  assert_int_equal(tsr_design_open(a, &err, "default", &m->design), TSR_OK);
  m->name = "one";
  m->buffers = f->params;
  m->buffer = TSR_NEW_ARRAY(a, struct tsr_module_buffer, f->params);
  for (int k = 0; k < f->params; k++) {
    const struct tir_buffer *p = f->param[k];
    arg[k] = k;
    m->buffer[k] = (struct tsr_module_buffer){.name = p->name, .dtype = p->dtype, .rank = p->rank};
    memcpy(m->buffer[k].dims, p->dims, sizeof p->dims);
  }
  m->inputs = f->inputs;
  m->outputs = f->params - f->inputs;
  m->input = arg;
  m->output = arg + f->inputs;
  m->steps = m->layers = 1;
  m->step = TSR_NEW(a, struct tsr_module_step);
  m->layer = TSR_NEW(a, struct tsr_module_layer);
  *m->layer = (struct tsr_module_layer){.name = "one",
                                        .op = "Test",
                                        .target = "cpu",
                                        .reason = "a test",
                                        .func = f,
                                        .args = f->params,
                                        .arg = arg};
  return m;
}

struct tsr_module *chain(struct tsr_arena *a, int64_t n, int64_t index)
{
  static const char *const value[CHAIN_LAYERS] = {"p[i] + q[i]", "p[i] * q[i]", "0.0 - p[i]",
                                                  "p[i] - q[i]", "p[i] * p[i]", "p[q[i]]",
                                                  "p[i] + q[i]"};
  static const int arg[CHAIN_LAYERS][3] = {{CHAIN_X, CHAIN_C, CHAIN_S}, {CHAIN_S, CHAIN_Y, CHAIN_T},
                                           {CHAIN_S, CHAIN_U},          {CHAIN_T, CHAIN_U, CHAIN_V},
                                           {CHAIN_V, CHAIN_W},          {CHAIN_W, CHAIN_I, CHAIN_Z},
                                           {CHAIN_Z, CHAIN_S, CHAIN_R}};
  static const char *const names[CHAIN_BUFFERS] = {"x", "y", "c", "i", "s", "t",
                                                   "u", "v", "w", "z", "r"};
  static const int output[3] = {CHAIN_R, CHAIN_S, CHAIN_W}, input[2] = {CHAIN_X, CHAIN_Y};
  struct tsr_module *m = TSR_NEW(a, struct tsr_module);
  struct tsr_err err = {0};
  float *c = TSR_NEW_ARRAY(a, float, n);
  int64_t *i64 = TSR_NEW_ARRAY(a, int64_t, n);
  assert_int_equal(tsr_design_open(a, &err, "default", &m->design), TSR_OK);
  for (int64_t k = 0; k < n; k++) {
    c[k] = (float)k / 8;
    i64[k] = n - 1 - k;
  }
  i64[3] = index;
  m->name = "chain";
  m->buffers = CHAIN_BUFFERS;
  m->buffer = TSR_NEW_ARRAY(a, struct tsr_module_buffer, CHAIN_BUFFERS);
  for (int b = 0; b < CHAIN_BUFFERS; b++)
    m->buffer[b] = (struct tsr_module_buffer){
        .name = names[b], .dtype = b == CHAIN_I ? TSR_I64 : TSR_F32, .rank = 1, .dims = {n}};
  m->buffer[CHAIN_C].data = c;
  m->buffer[CHAIN_I].data = i64;
  m->inputs = 2;
  m->outputs = 3;
  m->input = tsr_arena_copy(a, input, sizeof input);
  m->output = tsr_arena_copy(a, output, sizeof output);
  m->steps = m->layers = CHAIN_LAYERS;
  m->step = TSR_NEW_ARRAY(a, struct tsr_module_step, CHAIN_LAYERS);
  m->layer = TSR_NEW_ARRAY(a, struct tsr_module_layer, CHAIN_LAYERS);
  for (int k = 0; k < CHAIN_LAYERS; k++) {
    bool two = strchr(value[k], 'q');
    const char *text = tsr_arena_printf(
        a, "func f(p: f32[%lld]%s) -> (r: f32[%lld]) {\n  one: r[i] = %s\n}\n", (long long)n,
        !two     ? ""
        : k == 5 ? tsr_arena_printf(a, ", q: i64[%lld]", (long long)n)
                 : tsr_arena_printf(a, ", q: f32[%lld]", (long long)n),
        (long long)n, value[k]);
    m->step[k] = (struct tsr_module_step){.kind = TSR_STEP_CPU, .layer = k};
    m->layer[k] = (struct tsr_module_layer){.name = names[CHAIN_S + k],
                                            .op = "Test",
                                            .target = "cpu",
                                            .reason = "a test",
                                            .func = func_of(a, text),
                                            .args = two ? 3 : 2,
                                            .arg = tsr_arena_copy(a, arg[k], sizeof arg[k]),
                                            .step = k};
  }
  return m;
}

void chain_reference(int64_t n, int64_t index, const float *x, const float *y, float *r, float *s,
                     float *w)
{
  for (int64_t k = 0; k < n; k++) {
    s[k] = x[k] + (float)k / 8;
    float v = s[k] * y[k] - -s[k];
    w[k] = v * v;
  }
  for (int64_t k = 0; k < n; k++)
    r[k] = w[k == 3 ? index : n - 1 - k] + s[k];
}

struct tsr_module *digits(struct tsr_arena *a)
{
  static const char path[] = "models/digits/digits.onnx";
  struct tsr_bytes file;
  struct tsr_err err = {0};
  struct tsr_graph *graph;
  struct tsr_design design;
  struct tsr_module *m = NULL;
  struct tsr_onnx_options import = {0};
  struct tsr_compile_options options = {.cpu_only = true};
  if (tsr_file_read(a, &err, path, 1 << 24, &file) ||
      tsr_design_open(a, &err, "default", &design) ||
      tsr_onnx_import(a, &err, path, file.data, file.size, &import, &graph) ||
      tsr_compile_graph(a, &err, graph, &design, &options, &m))
    fail_msg("%s", err.text);
  return m;
}

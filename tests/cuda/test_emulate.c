/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules as a GPU would run them: every layer of test networks that is small enough, and for each kind
 * of schedule what emulation must find when a barrier, a wait or an index is wrong. */
#include <string.h>
#include <unistd.h>

#include "compiler/onnx/onnx.h"
#include "compiler/target/cuda/product.h"
#include "tests/cpu/graph_rig.h"
#include "tests/cuda/rig.h"
#include "tests/graph/halves.h"

/* --- networks --------------------------------------------------------------------------------- */

#define SHARED "../shared/models/"

enum form { AS_IT_IS, F16, TF32 };

static const struct {
  const char *path;
  enum form form;
  int64_t most_work; /* of a layer: elements that it computes, with their reductions */
  int layers;        /* that have no more, at least */
} networks[] = {
    {"models/digits/digits.onnx", AS_IT_IS, 600000, 13},
    {SHARED "mlperf_tiny_ad_autoencoder/model_int8_qdq.onnx", AS_IT_IS, 600000, 21},
    {SHARED "mlperf_tiny_ad_autoencoder/model_f32.onnx", AS_IT_IS, 600000, 20},
    {SHARED "mlperf_tiny_ad_autoencoder/model_f32.onnx", F16, 600000, 22},
    {SHARED "mlperf_tiny_dscnn_kws/model_int8_qdq.onnx", AS_IT_IS, 600000, 18},
    {SHARED "mlperf_tiny_dscnn_kws/model_f32.onnx", AS_IT_IS, 100000, 6},
    {SHARED "mlperf_tiny_dscnn_kws/model_f32.onnx", TF32, 600000, 15},
    {SHARED "mlperf_tiny_resnet8/model_int8_qdq.onnx", AS_IT_IS, 200000, 12},
    {SHARED "mlperf_tiny_resnet8/model_f32.onnx", F16, 200000, 10},
    {SHARED "onnxzoo_mnist-8/mnist-8.onnx", AS_IT_IS, 200000, 8},
    {SHARED "onnxzoo_mnist-8/mnist-8.onnx", TF32, 200000, 8},
    {SHARED "llama_stories260K/model_T64.onnx", AS_IT_IS, 10000, 99},
    {SHARED "kwt1_keyword_transformer/model_f32.onnx", AS_IT_IS, 10000, 99},
};

static struct tsr_graph *network(struct tsr_arena *a, const char *path, enum form form)
{
  struct tsr_err err = {0};
  struct tsr_bytes bytes;
  struct tsr_graph *g = NULL;
  struct tsr_layout layout = {0, 0, false, form == TF32};
  if (tsr_file_read(a, &err, path, 1 << 28, &bytes) ||
      tsr_onnx_import(a, &err, path, bytes.data, bytes.size, NULL, &g) ||
      tsr_graph_optimize(&err, g, NULL, NULL) ||
      (form == F16 && tsr_graph_set_floats(&err, g, TSR_F16)) || tsr_graph_block(&err, g, &layout))
    fail_msg("%s: %s", path, err.text);
  return g;
}

static void fill(struct tsr_arena *a, const struct tsr_value *v, struct tsr_tensor *out)
{
  uint64_t seed = 11;
  *out = tsr_value_tensor(v);
  out->data = tsr_arena_alloc(a, tsr_tensor_bytes(out) + 1);
  for (int64_t i = 0; i < tsr_tensor_count(out); i++)
    tsr_put_float(out, i, (double)(int)(next_random(&seed) % 2001) / 1000 - 1);
}

static void run_network(const char *path, enum form form, int64_t most_work, int least)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_err err = {0};
  struct tsr_tensor input[4];
  struct trial *trial = NULL;
  size_t capacity = 0;
  int trials = 0, emulated = 0;
  struct tsr_graph *g = network(a, path, form);
  for (int k = 0; k < g->inputs; k++)
    fill(a, g->input[k], &input[k]);
  if (add_groups(a, &err, g, input, &trial, &trials, &capacity))
    fail_msg("%s: %s", path, err.text);
  for (int i = 0; form == TF32 && i < trials; i++)
    trial[i].func = cuda__with_tf32(a, trial[i].func);
  int bad = emulate_layers(trials, trial, most_work, form == F16 ? 1e-3 : 1e-5, &emulated);
  if (bad || emulated < least)
    fail_msg("%s: %d of %d layers are emulated, %d are bad", path, emulated, trials, bad);
  tsr_arena_free(a);
}

static void test_networks(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
    if (access(networks[i].path, R_OK))
      printf("skipped: there is no %s\n", networks[i].path);
    else
      run_network(networks[i].path, networks[i].form, networks[i].most_work, networks[i].layers);
  }
}

/* --- what is wrong is found ---------------------------------------------------------------------- */

/* A copy of a program with one statement changed: the change'th of those that it could be. */
struct surgery {
  struct tsr_arena *a;
  enum { WITHOUT_BARRIER, WITHOUT_WAIT, WRONG_INDEX } kind;
  int change, seen;
};

static bool is_target(const struct surgery *w, const struct tir_stmt *s)
{
  switch (w->kind) {
  case WITHOUT_BARRIER: return s->kind == TIR_BARRIER;
  case WITHOUT_WAIT: return s->kind == TIR_WAIT;
  default: return s->kind == TIR_STORE && s->store.buffer->rank;
  }
}

static struct tir_stmt *copied(struct surgery *w, struct tir_stmt *s);

/* Nothing in place of it, or an index that is one further. */
static void change(const struct surgery *w, struct tir_stmt *s)
{
  if (w->kind != WRONG_INDEX) {
    *s = (struct tir_stmt){.kind = TIR_BLOCK};
    return;
  }
  int last = s->store.buffer->rank - 1;
  s->store.index = tsr_arena_copy(w->a, s->store.index, (size_t)(last + 1) * sizeof(tir_e));
  s->store.index[last] = tir_binary(w->a, TIR_ADD, s->store.index[last], tir_index(w->a, 1));
}

static void copy_parts(struct surgery *w, struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR: s->f.body = copied(w, s->f.body); break;
  case TIR_ALLOC: s->alloc.body = copied(w, s->alloc.body); break;
  case TIR_IF: s->when.body = copied(w, s->when.body); break;
  case TIR_BLOCK:
    s->block.stmt =
        tsr_arena_copy(w->a, s->block.stmt, (size_t)s->block.count * sizeof *s->block.stmt);
    for (int i = 0; i < s->block.count; i++)
      s->block.stmt[i] = copied(w, s->block.stmt[i]);
    break;
  default: break;
  }
}

static struct tir_stmt *copied(struct surgery *w, struct tir_stmt *s)
{
  struct tir_stmt *c = tsr_arena_copy(w->a, s, sizeof *s);
  if (is_target(w, s) && w->seen++ == w->change)
    change(w, c);
  copy_parts(w, c);
  return c;
}

static const struct {
  const char *name, *text;
  int barriers, needless, waits; /* in the program; without which nothing would be wrong */
} kinds[] = {
    {"products of bytes, tiles ahead, on tensor cores",
     "func f(x: i8[40,160], w: i8[24,160]) -> (y: i32[40,24]) {\n"
     "  mm: y[m, n] sum(k < 160) init i32(0) = i32(x[m, k]) * i32(w[n, k])\n}",
     1, 0, 1},
    {"products of halves, columns turned",
     "func f(x: f16[40,96], w: f16[96,24]) -> (y: f32[40,24]) {\n"
     "  mm: y[m, n] sum(k < 96) init f32(0) = f32(x[m, k]) * f32(w[k, n])\n}",
     1, 0, 1},
    {"products of tf32, collected",
     "func f(x: f32[40,48], w: f32[48,24]) -> (y: f32[40,24]) {\n"
     "  mm: y[m, n] sum(k < 48) init f32(0) = tf32(x[m, k]) * tf32(w[k, n])\n}",
     1, 0, 1},
    {"products of f32 by threads",
     "func f(x: f32[40,48], w: f32[48,40]) -> (y: f32[40,40]) {\n"
     "  mm: y[m, n] sum(k < 48) init f32(0) = x[m, k] * w[k, n]\n}",
     1, 0, 1},
    {"rows in shared memory",
     "func f(x: f32[3,300]) -> (y: f32[3,300]) {\n"
     "  temp top: f32[3]\n  temp e: f32[3,300]\n  temp all: f32[3]\n"
     "  a: top[m] maximum(k < 300) init f32(-1000) = x[m, k]\n"
     "  b: e[m, n] = exp(x[m, n] - top[m])\n"
     "  c: all[m] sum(k < 300) init f32(0) = e[m, k]\n"
     "  d: y[m, n] = e[m, n] / all[m]\n}",
     4, 2, 0},
};

static void random_bytes(struct tsr_arena *a, const struct tir_func *f, void **data)
{
  uint64_t seed = 5;
  for (int i = 0; i < f->params; i++) {
    const struct tir_buffer *b = f->param[i];
    int64_t n = tsr_count(b->dims, b->rank, 1);
    struct tsr_tensor t = {.dtype = b->dtype,
                           .data = tsr_arena_alloc(a, (size_t)n * tsr_dtype_bytes(b->dtype) + 64)};
    for (int64_t k = 0; k < n; k++)
      if (tir__is_float(b->dtype))
        tsr_put_float(&t, k, i < f->inputs ? (double)(int)(next_random(&seed) % 15) - 7 : 77);
      else
        tsr_put_int(&t, k, i < f->inputs ? (int)(next_random(&seed) % 255) - 127 : 77);
    data[i] = t.data;
  }
}

/* Whether emulation refuses the program, or it leaves another result. */
static bool is_found(struct tsr_arena *a, const struct tir_func *f, struct tir_program *p,
                     void **expected, struct tsr_err *err)
{
  void *data[8];
  const struct tir_buffer *y = f->param[f->inputs];
  random_bytes(a, f, data);
  if (tir_emulate(a, err, p, data))
    return true;
  snprintf(err->text, sizeof err->text, "another result");
  return memcmp(data[f->inputs], expected[f->inputs],
                (size_t)tsr_count(y->dims, y->rank, 1) * tsr_dtype_bytes(y->dtype)) != 0;
}

/* Each statement of the kind changed, one at a time: how many there are, and how many are missed. */
static struct count {
  int all, missed;
} change_each(struct tsr_arena *a, const char *name, const struct tir_func *f,
              const struct tir_program *p, int kind, void **expected)
{
  struct count n = {0};
  for (bool more = true; more;) {
    struct tsr_arena *own = tsr_arena_new(NULL);
    struct surgery w = {.a = own, .kind = kind, .change = n.all};
    struct tir_program changed = *p;
    struct tsr_err err = {0};
    changed.body = copied(&w, p->body);
    more = w.seen > n.all;
    bool found = more && is_found(own, f, &changed, expected, &err);
    if (more && !found && ++n.missed && kind != WITHOUT_BARRIER)
      fail_msg("%s: change %d of kind %d is not found:\n%s", name, n.all, kind,
               tir_program_print(a, &changed));
    if (found && kind != WRONG_INDEX && !strstr(err.text, "race") &&
        !strstr(err.text, "on its way"))
      fail_msg("%s: change %d of kind %d: %s", name, n.all, kind, err.text);
    tsr_arena_free(own);
    n.all += more;
  }
  return n;
}

static void test_wrong_programs(void **state)
{
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    struct tir_func *f = func_of(*state, kinds[i].text);
    struct tsr_err err = {0};
    struct tir_sched *sched;
    struct tir_program *p;
    void *expected[8];
    random_bytes(*state, f, expected);
    if (tsr_cuda_plan(*state, &err, f, (struct tsr_gpu_arch){80, false}, &sched) ||
        tir_lower(*state, &err, sched, &p) || tir_emulate(*state, &err, p, expected))
      fail_msg("%s: %s", kinds[i].name, err.text);
    struct count barriers = change_each(*state, kinds[i].name, f, p, WITHOUT_BARRIER, expected);
    struct count waits = change_each(*state, kinds[i].name, f, p, WITHOUT_WAIT, expected);
    struct count stores = change_each(*state, kinds[i].name, f, p, WRONG_INDEX, expected);
    if (barriers.all != kinds[i].barriers || barriers.missed != kinds[i].needless ||
        waits.all != kinds[i].waits || stores.all < 2)
      fail_msg("%s has %d barriers, %d of them needless, %d waits and %d stores", kinds[i].name,
               barriers.all, barriers.missed, waits.all, stores.all);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {IN_ARENA(test_networks), IN_ARENA(test_wrong_programs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

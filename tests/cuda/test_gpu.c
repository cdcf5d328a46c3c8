/* SPDX-License-Identifier: Apache-2.0 */
/* Modules on a GPU, which the fake driver stands for: what is computed, where, in how much memory;
 * what is said; every call of the driver and every allocation refused once. */
#include <math.h>

#include "runtime/executor.h"
#include "tests/cuda/modules.h"

enum { N = 1000, INDEX = 17, SMALL_MEMORY = 4 << 20 };

static const struct tsr_gpu_choice gpu = {.used = true, .driver = FAKE_CUDA};
static const struct tsr_cpu_choice interpreter = {.way = TSR_CPU_INTERPRETER};

static enum tsr_status open_on(struct tsr_arena *a, struct tsr_err *err, const struct tsr_module *m,
                               const struct tsr_gpu_choice *choice, struct tsr_executor **x)
{
  return tsr_executor_open_with(a, err, m, NULL, NULL, &interpreter, choice, x);
}

static struct tsr_executor *opened(struct tsr_arena *a, const struct tsr_module *m)
{
  struct tsr_err err = {0};
  struct tsr_executor *x;
  if (open_on(a, &err, m, &gpu, &x))
    fail_msg("%s", err.text);
  return x;
}

static void must(enum tsr_status status, const struct tsr_err *err)
{
  if (status)
    fail_msg("%s", err->text);
}

static void set_inputs(struct tsr_executor *x, uint64_t seed)
{
  float *data[] = {tsr_executor_buffer(x, CHAIN_X), tsr_executor_buffer(x, CHAIN_Y)};
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < N; i++)
      data[k][i] = (float)(int64_t)(next_random(&seed) % 200) / 16 - 6;
}

static void assert_chain(struct tsr_executor *x)
{
  float r[N], s[N], w[N];
  chain_reference(N, INDEX, tsr_executor_buffer(x, CHAIN_X), tsr_executor_buffer(x, CHAIN_Y), r, s,
                  w);
  assert_memory_equal(tsr_executor_buffer(x, CHAIN_R), r, sizeof r);
  assert_memory_equal(tsr_executor_buffer(x, CHAIN_S), s, sizeof s);
  assert_memory_equal(tsr_executor_buffer(x, CHAIN_W), w, sizeof w);
}

/* All on the GPU is one graph; every second layer is one each, with the CPU between. */
static void places(void **state)
{
  static const struct {
    kernel_text *text;
    int on_gpu, kernels, graphs;
  } rows[] = {{every_layer, 7, 8, 1}, {even_layers, 4, 5, 4}, {no_layer, 0, 0, 0}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    struct fake_cuda *fake = fresh_fake();
    struct tsr_module *m = chain(*state, N, INDEX);
    struct tsr_err err = {0};
    struct tsr_difference difference;
    add_kernels(*state, m, rows[k].text);
    struct tsr_executor *x = opened(*state, m);
    int on_gpu = 0;
    for (int i = 0; i < m->layers; i++)
      on_gpu += tsr_executor_place(x, i) == TSR_PLACE_GPU;
    assert_int_equal(on_gpu, rows[k].on_gpu);
    for (uint64_t run = 0; run < 3; run++) {
      set_inputs(x, run);
      must(tsr_executor_run(x, &err), &err);
      assert_chain(x);
      must(tsr_executor_check(x, &err, &difference), &err);
      assert_chain(x);
    }
    assert_int_equal(fake->graph_launches, 3 * rows[k].graphs);
    assert_int_equal(fake->launches, 6 * rows[k].kernels);
    tsr_executor_close(x);
    assert_int_equal(fake->live, 0);
    assert_int_equal(fake->depth, 0);
  }
}

/* One module in two executors at a time, on two GPUs and on one: each has its own memory and stream. */
static void two_at_once(void **state)
{
  for (int second = 0; second < 2; second++) {
    struct fake_cuda *fake = fresh_fake();
    struct tsr_module *m = chain(*state, N, INDEX);
    struct tsr_err err = {0};
    struct tsr_executor *x[2];
    fake->devices = 2;
    add_kernels(*state, m, every_layer);
    for (int k = 0; k < 2; k++) {
      struct tsr_gpu_choice choice = {true, {0}, FAKE_CUDA, second * k};
      must(open_on(*state, &err, m, &choice, &x[k]), &err);
      assert_string_equal(tsr_executor_gpu(x[k], NULL)->name, second && k ? "Fake 1" : "Fake");
      set_inputs(x[k], (uint64_t)k);
    }
    for (int run = 0; run < 4; run++) {
      must(tsr_executor_run(x[run % 2], &err), &err);
      assert_chain(x[run % 2]);
      if (run)
        assert_chain(x[1 - run % 2]);
    }
    tsr_executor_close(x[0]);
    must(tsr_executor_run(x[1], &err), &err);
    assert_chain(x[1]);
    tsr_executor_close(x[1]);
    assert_int_equal(fake->live, 0);
  }
}

/* At most four of the chain's inputs and results live at once; a constant of their size, one of
 * twice that, and status words stay. */
static void memory(void **state)
{
  struct fake_cuda *fake = fresh_fake();
  struct tsr_module *m = chain(*state, 1 << 20, INDEX);
  add_kernels(*state, m, every_layer);
  struct tsr_executor *x = opened(*state, m);
  size_t tensor = (size_t)4 << 20;
  assert_in_range(fake->most_bytes, 7 * tensor, 7 * tensor + 4096);
  tsr_executor_close(x);
}

static void digits_network(void **state)
{
  for (int k = 0; k < 2; k++) {
    struct fake_cuda *fake = fresh_fake();
    struct tsr_module *m = digits(*state);
    struct tsr_err err = {0};
    struct tsr_difference difference;
    struct tsr_executor *x, *cpu;
    uint64_t seed = 7;
    add_kernels(*state, m, k ? even_layers : every_layer);
    x = opened(*state, m);
    must(tsr_executor_open_with(*state, &err, m, NULL, NULL, &interpreter, NULL, &cpu), &err);
    const struct tsr_module_buffer *in = &m->buffer[m->input[0]], *out = &m->buffer[m->output[0]];
    float *to[] = {tsr_executor_buffer(x, m->input[0]), tsr_executor_buffer(cpu, m->input[0])};
    assert_int_equal(in->dtype, TSR_F32);
    for (int64_t i = 0; i < tsr_count(in->dims, in->rank, 1); i++)
      to[0][i] = to[1][i] = (float)(next_random(&seed) % 17);
    must(tsr_executor_run(x, &err), &err);
    must(tsr_executor_run(cpu, &err), &err);
    assert_memory_equal(tsr_executor_buffer(x, m->output[0]),
                        tsr_executor_buffer(cpu, m->output[0]),
                        (size_t)tsr_count(out->dims, out->rank, 1) * tsr_dtype_bytes(out->dtype));
    must(tsr_executor_check(x, &err, &difference), &err);
    tsr_executor_close(x);
    tsr_executor_close(cpu);
    assert_int_equal(fake->live, 0);
  }
}

/* The fake's clock is one of kernels, so that times are exact. */
static void times(void **state)
{
  struct fake_cuda *fake = fresh_fake();
  struct tsr_module *m = chain(*state, N, INDEX);
  struct tsr_err err = {0};
  struct tsr_gpu_times t;
  add_kernels(*state, m, even_layers);
  struct tsr_executor *x = opened(*state, m);
  must(tsr_executor_gpu_times(x, *state, &err, 5, &t), &err);
  static const char *const entries[] = {"k0", "k2", "k4", "k4_again", "k6"};
  assert_int_equal(t.kernels, 5);
  assert_true(fabs(t.seconds - 6e-6) < 1e-9);
  assert_true(fabs(t.device_seconds - 6e-6) < 1e-9);
  assert_true(fabs(t.event_seconds - 0.5e-6) < 1e-9);
  for (int k = 0; k < t.kernels; k++) {
    assert_string_equal(t.kernel[k].entry, entries[k]);
    assert_int_equal(t.kernel[k].layer, entries[k][1] - '0');
    assert_int_equal(t.kernel[k].usage.registers, 32);
    assert_true(fabs(t.kernel[k].seconds - (k == 3 ? 2e-6 : 1e-6)) < 1e-9);
  }
  /* two times an eighth of what is free, in whole blocks of 16 KiB, in a microsecond */
  double copied = (double)((fake->memory_bytes - fake->bytes) / 8 / 16384 * 16384);
  assert_true(fabs(t.ceilings.bytes / (2 * copied * 1e6) - 1) < 1e-3);
  assert_true(t.ceilings.macs[TSR_CEILING_I8] > 1e9);
  tsr_executor_close(x);
  assert_int_equal(fake->live, 0);
  m->kernels = (struct tsr_bytes){NULL, 0};
  must(tsr_executor_open(*state, &err, m, NULL, &x), &err);
  assert_int_equal(tsr_executor_gpu_times(x, *state, &err, 5, &t), TSR_REFUSED);
  assert_string_equal(err.text,
                      "no part of 'chain' runs on a GPU, so that there is nothing to time");
  tsr_executor_close(x);
}

/* --- what is found ---------------------------------------------------------------------------- */

static const char *wrong_layer(struct tsr_arena *a, int layer, const struct tir_func *func)
{
  if (layer != 3)
    return tir_func_print(a, func);
  return "func f(p: f32[1000], q: f32[1000]) -> (r: f32[1000]) {\n"
         "  one: r[i] = select(i == 500, p[i], p[i] - q[i])\n}\n";
}

/* A kernel that computes another thing in one element. */
static void wrong_kernel(void **state)
{
  struct tsr_module *m = chain(*state, N, INDEX);
  struct tsr_err err = {0};
  struct tsr_difference difference;
  fresh_fake();
  add_kernels(*state, m, wrong_layer);
  struct tsr_executor *x = opened(*state, m);
  set_inputs(x, 3);
  must(tsr_executor_run(x, &err), &err);
  assert_int_equal(tsr_executor_check(x, &err, &difference), TSR_MISMATCH);
  assert_int_equal(difference.layer, 3);
  assert_int_equal(difference.element, 500);
  assert_int_equal(difference.differing, 1);
  assert_non_null(strstr(err.text, "layer 'v' (Test, on cuda): element 500 of 'v' is "));
  tsr_executor_close(x);
}

/* Sums of floats that are rounded to steps: the kernel's are a little larger, or in one element much. */
#define STEPS(more)                                                                                \
  "func f(p: f32[8, 2]) -> (r: i8[8]) {\n"                                                         \
  "  temp t: f32[8]\n"                                                                             \
  "  sum: t[i] sum(k < 2) init 0.0 = p[i, k]\n"                                                    \
  "  round: r[i] = i8(i32(round(t[i] + (" more "))))\n}\n"

static const char *a_little_more(struct tsr_arena *a, int layer, const struct tir_func *func)
{
  (void)a, (void)layer, (void)func;
  return STEPS("0.0000004");
}

static const char *much_more(struct tsr_arena *a, int layer, const struct tir_func *func)
{
  (void)a, (void)layer, (void)func;
  return STEPS("select(i == 5, 0.01, 0.0)");
}

/* Between two steps either is right; elsewhere none is. */
static void steps(void **state)
{
  static const struct {
    kernel_text *text;
    float at, other;
    enum tsr_status status;
  } rows[] = {{a_little_more, 0.25f, 0.25f, TSR_OK}, /* 0.5 is rounded to 0, and 0.5000004 to 1 */
              {a_little_more, 0.2f, 0.1f, TSR_OK},
              {much_more, 0.2f, 0.1f, TSR_OK},
              {much_more, 0.245f, 0.25f, TSR_MISMATCH}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    struct tsr_module *m = one_layer(*state, STEPS("0.0"));
    struct tsr_err err = {0};
    struct tsr_difference difference;
    fresh_fake();
    add_kernels(*state, m, rows[k].text);
    struct tsr_executor *x = opened(*state, m);
    float *p = tsr_executor_buffer(x, 0);
    for (int i = 0; i < 16; i++)
      p[i] = i % 2 ? rows[k].at : rows[k].other;
    must(tsr_executor_run(x, &err), &err);
    if (tsr_executor_check(x, &err, &difference) != rows[k].status)
      fail_msg("row %zu: %s", k, err.text);
    if (rows[k].status)
      assert_int_equal(difference.element, 5);
    tsr_executor_close(x);
  }
}

/* What a run has left in memory does not pass for what kernels write, when they are checked. */
static void lame_kernels(void **state)
{
  struct fake_cuda *fake = fresh_fake();
  struct tsr_module *m = chain(*state, N, INDEX);
  struct tsr_err err = {0};
  struct tsr_difference difference;
  add_kernels(*state, m, every_layer);
  struct tsr_executor *x = opened(*state, m);
  set_inputs(x, 3);
  must(tsr_executor_run(x, &err), &err);
  fake->lame = true;
  assert_int_equal(tsr_executor_check(x, &err, &difference), TSR_MISMATCH);
  assert_int_equal(difference.layer, 0);
  assert_int_equal(difference.differing, N);
  fake->lame = false;
  must(tsr_executor_check(x, &err, &difference), &err);
  ((float *)tsr_executor_buffer(x, CHAIN_W))[7] += 1; /* as if the graph had given another result */
  assert_int_equal(tsr_executor_check(x, &err, &difference), TSR_MISMATCH);
  assert_string_equal(err.text, "output 'w' of the run is not what its layers compute one by one");
  tsr_executor_close(x);
}

/* An index outside is told by the interpreter, in a graph of many layers; inputs stay. */
static void outside(void **state)
{
  static kernel_text *const texts[] = {every_layer, even_layers};
  for (size_t k = 0; k < 2; k++) {
    struct tsr_module *m = chain(*state, N, N);
    struct tsr_err err = {0};
    struct tsr_difference difference;
    fresh_fake();
    add_kernels(*state, m, texts[k]);
    struct tsr_executor *x = opened(*state, m);
    set_inputs(x, 3);
    assert_int_equal(tsr_executor_run(x, &err), TSR_REFUSED);
    assert_non_null(strstr(err.text, "layer 'z': "));
    assert_non_null(strstr(err.text, "1000"));
    assert_int_equal(tsr_executor_check(x, &err, &difference), TSR_REFUSED);
    assert_string_equal(err.text, "there is nothing to check before a run");
    tsr_executor_close(x);
  }
}

/* --- what is refused -------------------------------------------------------------------------- */

struct setting {
  int capability, devices, driver_version, fail_with;
  const char *fail_symbol;
  size_t memory_bytes;
  const char *driver;
  struct tsr_gpu_arch arch;
  bool no_kernels;
  const char *says;
};

static void refused(void **state)
{
  static const struct setting rows[] = {
      {.driver = "/no/libcuda.so.1",
       .says = "there is no NVIDIA driver: /no/libcuda.so.1: cannot open shared object file: No "
               "such file or directory; target 'cuda' needs one of CUDA 12.0 or later"},
      {.devices = -1,
       .says =
           "GPU: starting the driver failed with CUDA_ERROR_NO_DEVICE: the fake driver was told "
           "to fail; `nvidia-smi` lists the GPUs; CUDA_VISIBLE_DEVICES may hide them"},
      {.driver_version = 11080,
       .says = "the NVIDIA driver is one of CUDA 11.8; target 'cuda' needs one of CUDA 12.0 or "
               "later"},
      {.capability = 75,
       .says = "GPU Fake is of 'sm_75', for which 'chain' has no kernels; it has 'sm_80', "
               "'sm_90a'"},
      {.arch = {90, true},
       .capability = 100,
       .says = "GPU Fake is of 'sm_100', for which 'chain' has no kernels; it has 'sm_80', "
               "'sm_90a'"},
      {.arch = {86, false}, .says = "'chain' has no kernels for 'sm_86'; it has 'sm_80', 'sm_90a'"},
      {.no_kernels = true,
       .says = "'chain' has no kernels for a GPU; the ONNX model, compiled for 'cuda', has them"},
      {.memory_bytes = 20000,
       .says = "GPU Fake: allocating 29952 bytes for the tensors of 'chain', where 20000 of 20000 "
               "are free, failed with CUDA_ERROR_OUT_OF_MEMORY: out of memory; a smaller batch, or "
               "a GPU on which less memory is in use, may have room"},
      {.fail_symbol = "cuMemHostAlloc", .fail_with = 2, .says = "GPU Fake: pinning "},
      {.fail_symbol = "cuModuleLoadDataEx",
       .fail_with = 222,
       .says =
           "GPU Fake: compiling PTX of version 8.5 by the driver, which is one of CUDA 12.4, "
           "failed with CUDA_ERROR_UNSUPPORTED_PTX_VERSION: the fake driver was told to fail; a "
           "newer driver knows this version of PTX"},
      {.fail_symbol = "cuModuleGetFunction",
       .fail_with = 500,
       .says =
           "layer 's': GPU Fake: finding kernel 'k0' failed with CUDA_ERROR_NOT_FOUND: the fake "
           "driver was told to fail"},
      {.fail_symbol = "cuGraphInstantiateWithFlags",
       .fail_with = 77,
       .says = "GPU Fake: preparing a graph failed with error 77: the fake driver was told to "
               "fail"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const struct setting *row = &rows[k];
    struct tsr_module *m = chain(*state, N, INDEX);
    struct fake_cuda *fake = fresh_fake();
    struct tsr_gpu_choice choice = {true, row->arch, row->driver ? row->driver : FAKE_CUDA, 0};
    struct tsr_err err = {0};
    struct tsr_executor *x = NULL;
    if (!row->no_kernels)
      add_kernels(*state, m, every_layer);
    fake->capability = row->capability ? row->capability : fake->capability;
    fake->devices = row->devices < 0 ? 0 : 1;
    fake->driver_version = row->driver_version ? row->driver_version : fake->driver_version;
    fake->memory_bytes = row->memory_bytes ? row->memory_bytes : fake->memory_bytes;
    fake->fail_symbol = row->fail_symbol;
    fake->fail_with = row->fail_with;
    assert_int_equal(open_on(*state, &err, m, &choice, &x), TSR_REFUSED);
    if (strncmp(err.text, row->says, strlen(row->says)))
      fail_msg("row %zu: %s", k, err.text);
    assert_null(x);
    assert_int_equal(fake->live, 0);
    assert_int_equal(fake->depth, 0);
  }
}

/* A model of which nothing is left to run asks for no kernels and for no GPU. */
static void nothing_to_run(void **state)
{
  struct tsr_module *m = one_layer(*state, STEPS("0.0"));
  struct tsr_gpu_choice none = {.used = true, .driver = "/no/libcuda.so.1"};
  struct tsr_err err = {0};
  struct tsr_executor *x;
  m->layers = m->steps = 0;
  must(open_on(*state, &err, m, &none, &x), &err);
  must(tsr_executor_run(x, &err), &err);
  assert_null(tsr_executor_gpu(x, NULL));
  tsr_executor_close(x);
}

/* The kernels that a device gets. */
static void chosen(void **state)
{
  static const struct {
    int capability;
    struct tsr_gpu_arch arch;
  } rows[] = {{80, {80, false}}, {89, {80, false}}, {90, {90, true}}, {120, {80, false}}};
  struct tsr_module *m = chain(*state, N, INDEX);
  struct tsr_kernel_block block[] = {{{80, false}, 0, NULL, ""}, {{90, true}, 0, NULL, ""}};
  (void)m;
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const struct tsr_kernel_block *b = tsr_kernels_choose(2, block, rows[k].capability);
    assert_int_equal(tsr_gpu_arch_compare(b->arch, rows[k].arch), 0);
  }
  assert_null(tsr_kernels_choose(2, block, 75));
}

/* --- everything fails once -------------------------------------------------------------------- */

/* A session from opening to a profile; 0, or what was refused. */
static enum tsr_status session(struct tsr_arena *a, struct tsr_err *err, const struct tsr_module *m)
{
  struct tsr_executor *x;
  struct tsr_difference difference;
  struct tsr_gpu_times times;
  enum tsr_status status = open_on(a, err, m, &gpu, &x);
  if (status)
    return status;
  set_inputs(x, 5);
  status = tsr_executor_run(x, err);
  if (!status)
    status = tsr_executor_check(x, err, &difference);
  if (!status)
    status = tsr_executor_gpu_times(x, a, err, 2, &times);
  float x0 = *(float *)tsr_executor_buffer(x, CHAIN_X);
  set_inputs(x, 5);
  assert_true(x0 == *(float *)tsr_executor_buffer(x, CHAIN_X));
  tsr_executor_close(x);
  return status;
}

/* Alone, or with all calls behind it, as when the context is lost. What ends something may fail
 * without a word, and so may entering the context for that. */
static void every_call(void **state)
{
  static const char *const silent[] = {
      "cuCtxPushCurrent_v2", "cuCtxPopCurrent_v2", "cuDevicePrimaryCtxRelease_v2",
      "cuStreamDestroy_v2",  "cuMemFree_v2",       "cuMemFreeHost",
      "cuGraphDestroy",      "cuGraphExecDestroy", "cuModuleUnload",
      "cuEventDestroy_v2"};
  struct tsr_module *m = chain(*state, N, INDEX);
  add_kernels(*state, m, even_layers);
  for (int lost = 0; lost < 2; lost++)
    for (int n = 0;; n++) {
      struct fake_cuda *fake = fresh_fake();
      struct tsr_arena *a = tsr_arena_new(NULL);
      struct tsr_err err = {0};
      fake->memory_bytes = SMALL_MEMORY;
      fake->fail_at = n;
      fake->fail_with = 700;
      fake->lost = lost;
      enum tsr_status status = session(a, &err, m);
      bool quiet = false;
      for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        quiet |= !strcmp(fake->failed, silent[i]);
      tsr_arena_free(a);
      bool reached = fake->calls > n;
      if (status && !strstr(err.text, "CUDA_ERROR_ILLEGAL_ADDRESS"))
        fail_msg("call %d: %s", n, err.text);
      if (reached && !status && !quiet)
        fail_msg("call %d is refused, and nothing is said", n);
      if (!lost)
        assert_int_equal(fake->live, 0);
      assert_int_equal(fake->depth, 0);
      if (!reached)
        break;
    }
}

static enum tsr_status session_of(const struct tsr_allocator *allocator, const struct tsr_module *m)
{
  struct tsr_err err = {0};
  struct tsr_arena *a = tsr_arena_new(allocator);
  if (!a || setjmp(*tsr_arena_landing(a))) {
    tsr_arena_free(a);
    return TSR_NO_MEMORY;
  }
  enum tsr_status status = session(a, &err, m);
  tsr_arena_free(a);
  return status;
}

static void every_allocation(void **state)
{
  struct tsr_module *m = chain(*state, N, INDEX);
  add_kernels(*state, m, even_layers);
  for (int n = 0;; n++) {
    struct fake_cuda *fake = fresh_fake();
    struct counting c;
    fake->memory_bytes = SMALL_MEMORY;
    counting_init(&c, n);
    enum tsr_status status = session_of(&c.allocator, m);
    assert_int_equal(c.live, 0);
    assert_int_equal(fake->live, 0);
    assert_int_equal(fake->depth, 0);
    if (!status)
      break;
    assert_int_equal(status, TSR_NO_MEMORY);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(places),       IN_ARENA(two_at_once),
      IN_ARENA(memory),       IN_ARENA(digits_network),
      IN_ARENA(times),        IN_ARENA(wrong_kernel),
      IN_ARENA(lame_kernels), IN_ARENA(steps),
      IN_ARENA(outside),      IN_ARENA(refused),
      IN_ARENA(chosen),       IN_ARENA(nothing_to_run),
      IN_ARENA(every_call),   IN_ARENA(every_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

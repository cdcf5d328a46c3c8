/* SPDX-License-Identifier: Apache-2.0 */
/* The CUDA driver as it is used: what a launch and a tensor map are to it, what is said of PTX that it
 * refuses and of kernels that need too much, contexts of the program itself. */

#include "driver/cuda/abi.h"
#include "driver/cuda/ceilings.h"
#include "tests/cuda/modules.h"

static struct tsr_cuda *opened(void)
{
  struct tsr_cuda *gpu;
  struct tsr_err err = {0};
  if (tsr_cuda_open(NULL, &err, FAKE_CUDA, 0, &gpu) || tsr_cuda_enter(gpu, &err))
    fail_msg("%s", err.text);
  return gpu;
}

static void closed(struct tsr_cuda *gpu, const struct fake_cuda *fake)
{
  tsr_cuda_leave(gpu);
  tsr_cuda_close(gpu);
  assert_int_equal(fake->live, 0);
  assert_int_equal(fake->depth, 0);
}

static void what_it_is(void **state)
{
  struct fake_cuda *fake = fresh_fake();
  struct tsr_cuda_info info;
  (void)state;
  assert_int_equal(tsr_cuda_probe(NULL, FAKE_CUDA, 0, &info), TSR_OK);
  assert_string_equal(info.name, "Fake");
  assert_int_equal(info.capability, 90);
  assert_int_equal(info.driver_version, 12040);
  assert_int_equal(info.processors, 4);
  assert_int_equal(info.shared_bytes, 227 << 10);
  assert_int_equal(info.memory_bytes, (size_t)1 << 30);
  assert_int_equal(fake->live, 0);
}

/* GPUs by number, and two that are open at a time: each has its context, and its stream. */
static void several(void **state)
{
  struct fake_cuda *fake = fresh_fake();
  struct tsr_cuda *first = opened(), *second;
  struct tsr_err err = {0};
  uint64_t address[2];
  int32_t up[2] = {1, 2}, down[2] = {0, 0};
  (void)state;
  fake->devices = 2;
  assert_int_equal(tsr_cuda_open(NULL, &err, FAKE_CUDA, 2, &second), TSR_REFUSED);
  assert_string_equal(err.text, "there is no GPU 2; the NVIDIA driver has 2, counted from 0");
  assert_int_equal(tsr_cuda_open(NULL, &err, FAKE_CUDA, 1, &second), TSR_OK);
  assert_string_equal(tsr_cuda_info(second)->name, "Fake 1");
  assert_int_equal(tsr_cuda_alloc(first, &err, "a test", 4, &address[0]), TSR_OK);
  assert_int_equal(tsr_cuda_enter(second, &err), TSR_OK);
  assert_int_equal(tsr_cuda_alloc(second, &err, "a test", 4, &address[1]), TSR_OK);
  assert_int_equal(tsr_cuda_upload(second, &err, address[1], &up[1], 4), TSR_OK);
  assert_int_equal(tsr_cuda_upload(first, &err, address[0], &up[0], 4), TSR_REFUSED);
  assert_int_equal(tsr_cuda_download(second, &err, &down[1], address[1], 4), TSR_OK);
  tsr_cuda_leave(second);
  assert_int_equal(tsr_cuda_upload(first, &err, address[0], &up[0], 4), TSR_OK);
  assert_int_equal(tsr_cuda_download(first, &err, &down[0], address[0], 4), TSR_OK);
  assert_int_equal(tsr_cuda_wait(first, &err, "a test"), TSR_OK);
  assert_int_equal(down[0], 1);
  assert_int_equal(down[1], 0); /* the other stream is not waited for */
  tsr_cuda_free(first, address[0]);
  assert_int_equal(tsr_cuda_enter(second, &err), TSR_OK);
  assert_int_equal(tsr_cuda_wait(second, &err, "a test"), TSR_OK);
  assert_int_equal(down[1], 2);
  tsr_cuda_free(second, address[1]);
  tsr_cuda_leave(second);
  tsr_cuda_close(second);
  closed(first, fake);
}

/* A library that is no driver. */
static void other_library(void **state)
{
  struct tsr_cuda_info info;
  struct tsr_err err = {0};
  (void)state;
  assert_int_equal(tsr_cuda_probe(&err, "libm.so.6", 0, &info), TSR_REFUSED);
  assert_string_equal(err.text, "libm.so.6 has no function 'cuGetErrorName': the NVIDIA driver is "
                                "older than CUDA 12.0, the oldest that works");
}

static void copies(void **state)
{
  struct fake_cuda *fake = fresh_fake();
  struct tsr_cuda *gpu = opened();
  uint64_t address;
  void *pinned;
  char up[16] = "it goes and come", down[16] = {0};
  (void)state;
  assert_int_equal(tsr_cuda_alloc(gpu, NULL, "a test", 32, &address), TSR_OK);
  assert_int_equal(address % 256, 0);
  assert_int_equal(tsr_cuda_alloc_host(gpu, NULL, "a test", 32, &pinned), TSR_OK);
  for (int i = 0; i < 32; i++)
    assert_int_equal(((char *)pinned)[i], 0);
  assert_int_equal(tsr_cuda_upload(gpu, NULL, address, up, 16), TSR_OK);
  assert_int_equal(tsr_cuda_fill(gpu, NULL, address + 8, 'x', 4), TSR_OK);
  assert_int_equal(tsr_cuda_download(gpu, NULL, down, address, 16), TSR_OK);
  assert_int_equal(down[0], 0); /* work waits in line */
  assert_int_equal(tsr_cuda_wait(gpu, NULL, "a test"), TSR_OK);
  assert_memory_equal(down, "it goes ", 8);
  assert_memory_equal(down + 8, "xxxx", 4);
  assert_memory_equal(down + 12, "come", 4);
  tsr_cuda_free(gpu, address);
  tsr_cuda_free_host(gpu, pinned);
  closed(gpu, fake);
}

static const char ptx[] = ".version 8.0\n.target sm_90a\n.visible .entry k0()\n{ ret; }\n";

/* A launch with a cluster, shared memory and a tensor map, as the driver gets them. */
static void launches(void **state)
{
  struct fake_cuda *fake = fresh_fake();
  struct tsr_cuda *gpu = opened();
  struct tsr_err err = {0};
  struct tsr_kernel_arg arg = {.kind = TSR_ARG_MAP,
                               .map = {.base = {.scratch = true, .offset = 64},
                                       .type = TSR_MAP_BF16,
                                       .rank = 3,
                                       .dims = {64, 10, 3},
                                       .strides = {2, 128, 1280},
                                       .box = {64, 5, 1},
                                       .step = {1, 2, 1},
                                       .swizzle = 64,
                                       .l2 = 256}};
  const struct tsr_kernel kernel = {"k0", {4, 2, 9}, {128, 3, 1}, {2, 2, 3}, 200000, 1, &arg};
  const struct tsr_cuda_addresses addresses = {NULL, 4096, 256};
  struct tsr_cuda_kernel *k;
  struct tsr_cuda_usage usage;
  void *module;
  if (tsr_cuda_load(gpu, &err, ptx, &module) ||
      tsr_cuda_kernel_new(*state, gpu, &err, module, &kernel, &addresses, &k) ||
      tsr_cuda_launch(gpu, &err, k) || tsr_cuda_wait(gpu, &err, "a test"))
    fail_msg("%s", err.text);
  assert_memory_equal(fake->grid, kernel.grid, 12);
  assert_memory_equal(fake->block, kernel.block, 12);
  assert_memory_equal(fake->cluster, kernel.cluster, 12);
  assert_int_equal(fake->shared, 200000);
  assert_int_equal(fake->map.address, 4096 + 64);
  assert_int_equal(fake->map.type, 9);
  assert_int_equal(fake->map.rank, 3);
  assert_memory_equal(fake->map.dims, arg.map.dims, 24);
  assert_memory_equal(fake->map.strides, arg.map.strides + 1, 16);
  assert_memory_equal(fake->map.box, arg.map.box, 12);
  assert_memory_equal(fake->map.steps, arg.map.step, 12);
  assert_int_equal(fake->map.swizzle, 2);
  assert_int_equal(fake->map.l2, 3);
  assert_int_equal(fake->map.interleave, 0);
  assert_int_equal(fake->map.outside, 0);
  tsr_cuda_kernel_usage(k, &usage);
  assert_int_equal(usage.registers, 32);
  assert_int_equal(usage.shared_bytes, 200000);
  tsr_cuda_unload(gpu, module);
  closed(gpu, fake);
}

static void too_much(void **state)
{
  struct fake_cuda *fake = fresh_fake();
  struct tsr_cuda *gpu = opened();
  struct tsr_cuda_addresses addresses = {NULL, 0, 256};
  struct tsr_cuda_kernel *k;
  struct tsr_err err = {0};
  struct tsr_kernel kernel = {"k0", {1, 1, 1}, {1024, 1, 1}, {1, 1, 1}, 232449, 0, NULL};
  void *module;
  assert_int_equal(tsr_cuda_load(gpu, &err, ptx, &module), TSR_OK);
  assert_int_equal(tsr_cuda_kernel_new(*state, gpu, &err, module, &kernel, &addresses, &k),
                   TSR_REFUSED);
  assert_string_equal(err.text,
                      "GPU Fake: kernel 'k0' needs 232449 bytes of shared memory; a block "
                      "has 232448: compile the model for this GPU's architecture");
  kernel.shared_bytes = 0;
  fake->threads = 512;
  assert_int_equal(tsr_cuda_kernel_new(*state, gpu, &err, module, &kernel, &addresses, &k),
                   TSR_REFUSED);
  assert_string_equal(err.text,
                      "GPU Fake: kernel 'k0' is launched with 1024 threads a block and was "
                      "compiled for at most 512");
  tsr_cuda_unload(gpu, module);
  closed(gpu, fake);
}

/* The driver's log is in the sentence, in one line; one that is long is cut. */
static void logs(void **state)
{
  static const struct {
    const char *ptx, *says;
  } rows[] = {
      {".version 99.1\n",
       "GPU Fake: compiling PTX of version 99.1 by the driver, which is one of CUDA 12.4, failed "
       "with "
       "CUDA_ERROR_UNSUPPORTED_PTX_VERSION: the fake driver was told to fail; a newer driver knows "
       "this version of PTX; its log: ptxas application ptx input, line 3; fatal : a fake error"},
      {"broken",
       "GPU Fake: compiling PTX of version unknown by the driver, which is one of CUDA 12.4, "
       "failed "
       "with CUDA_ERROR_INVALID_PTX: the fake driver was told to fail; compile the model for this "
       "GPU's architecture; its log: ptxas application ptx input, line 3; fatal : a fake error"},
  };
  struct fake_cuda *fake = fresh_fake();
  struct tsr_cuda *gpu = opened();
  (void)state;
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    struct tsr_err err = {0};
    void *module;
    assert_int_equal(tsr_cuda_load(gpu, &err, rows[k].ptx, &module), TSR_REFUSED);
    assert_string_equal(err.text, rows[k].says);
  }
  closed(gpu, fake);
}

/* What goes wrong while a graph is recorded leaves no graph, and the next one is as good as new. */
static enum tsr_status record(struct tsr_cuda *gpu, struct tsr_err *err, void *context)
{
  uint64_t *address = context;
  return tsr_cuda_fill(gpu, err, *address, 7, 4);
}

static void graphs(void **state)
{
  struct fake_cuda *fake = fresh_fake();
  struct tsr_cuda *gpu = opened();
  struct tsr_err err = {0};
  uint64_t address;
  void *graph;
  char down[4] = {0};
  (void)state;
  assert_int_equal(tsr_cuda_alloc(gpu, &err, "a test", 4, &address), TSR_OK);
  fake->fail_symbol = "cuMemsetD8Async";
  fake->fail_with = 1;
  assert_int_equal(tsr_cuda_graph_new(gpu, &err, record, &address, &graph), TSR_REFUSED);
  assert_string_equal(err.text,
                      "GPU Fake: filling 4 bytes failed with CUDA_ERROR_INVALID_VALUE: the "
                      "fake driver was told to fail");
  fake->fail_symbol = NULL;
  assert_int_equal(tsr_cuda_graph_new(gpu, &err, record, &address, &graph), TSR_OK);
  for (int i = 0; i < 2; i++)
    assert_int_equal(tsr_cuda_graph_launch(gpu, &err, graph), TSR_OK);
  assert_int_equal(tsr_cuda_download(gpu, &err, down, address, 4), TSR_OK);
  assert_int_equal(tsr_cuda_wait(gpu, &err, "a test"), TSR_OK);
  assert_memory_equal(down, "\7\7\7\7", 4);
  tsr_cuda_graph_free(gpu, graph);
  tsr_cuda_free(gpu, address);
  closed(gpu, fake);
}

/* Every error that something is known about is named by its own number, once. */
static void errors(void **state)
{
  static const int codes[] = {
#define TSR_CUDA_ERROR(id, code, advice) code,
#include "driver/cuda/errors.def"
#undef TSR_CUDA_ERROR
  };
  (void)state;
  for (size_t i = 1; i < sizeof codes / sizeof *codes; i++)
    assert_true(codes[i - 1] < codes[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(what_it_is), IN_ARENA(several),  IN_ARENA(other_library),
      IN_ARENA(copies),     IN_ARENA(launches), IN_ARENA(too_much),
      IN_ARENA(logs),       IN_ARENA(graphs),   IN_ARENA(errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cuda/rig.h"

#include <math.h>
#include <unistd.h>

static const char *const archs[] = {"sm_80", "sm_90a"};
enum { ARCHS = sizeof archs / sizeof *archs, MOST_WORK = 20000000 };
static const double bits = 0; /* floats are the same to the bit */

static size_t bytes_of(const struct tir_buffer *b)
{
  return (size_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
}

/* --- PTX -------------------------------------------------------------------------------------- */

static const char *ptxas(void)
{
  const char *path = getenv("TESSERA_PTXAS");
  return path ? path : TESSERA_PTXAS;
}

bool has_ptxas(void)
{
  return !access(ptxas(), X_OK);
}

static void write_text(const char *path, const char *text)
{
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

bool assembles(struct tsr_arena *a, const struct tsr_kernel_block *b, const char **text)
{
  char name[TSR_GPU_ARCH_NAME], path[] = "/tmp/tessera_ptx_XXXXXX";
  struct tsr_bytes said = {0};
  struct tsr_err err = {0};
  if (!has_ptxas())
    return true;
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  write_text(path, b->ptx);
  char *log = tsr_arena_printf(a, "%s.log", path);
  char *command = tsr_arena_printf(a, "%s -v -arch=%s -o /dev/null %s > %s 2>&1", ptxas(),
                                   tsr_gpu_arch_name(b->arch, name), path, log);
  bool good = system(command) == 0;
  if (tsr_file_read(a, &err, log, 1 << 26, &said))
    fail_msg("%s", err.text);
  if (!good)
    printf("ptxas for %s, of %s: %.*s\n", name, path, (int)said.size, (const char *)said.data);
  if (text)
    *text = tsr_arena_printf(a, "%.*s", (int)said.size, (const char *)said.data);
  unlink(log);
  if (good)
    unlink(path);
  return good;
}

static int compile(struct tsr_arena *a, int n, const struct trial *trial, int most,
                   const char *const *arch_name, struct tsr_kernel_block **block)
{
  const char **name = TSR_NEW_ARRAY(a, const char *, n + 1);
  const struct tir_func **func = TSR_NEW_ARRAY(a, const struct tir_func *, n + 1);
  struct tsr_kernel_params *params = TSR_NEW_ARRAY(a, struct tsr_kernel_params, n + 1);
  struct tsr_gpu_arch arch[ARCHS];
  struct tsr_bytes bytes;
  struct tsr_err err = {0};
  int blocks = 0;
  for (int i = 0; i < most; i++)
    assert_true(tsr_gpu_arch_from_name(arch_name[i], &arch[i]));
  for (int i = 0; i < n; i++) {
    name[i] = trial[i].name;
    func[i] = trial[i].func;
    uint64_t *size = TSR_NEW_ARRAY(a, uint64_t, func[i]->params + 1);
    for (int k = 0; k < func[i]->params; k++)
      size[k] = bytes_of(func[i]->param[k]);
    params[i] = (struct tsr_kernel_params){func[i]->params, size};
  }
  struct tsr_codegen_job job = {
      .layers = n, .name = name, .func = func, .archs = most, .arch = arch};
  if (tessera_cuda_codegen()->compile(a, &err, &job, &bytes) ||
      tsr_kernels_read(a, &err, &bytes, n, params, &blocks, block))
    fail_msg("%s", err.text);
  return blocks;
}

struct tsr_kernel_block kernels_of(struct tsr_arena *a, const struct tir_func *f, const char *arch)
{
  struct trial one = {.name = f->name, .func = f};
  struct tsr_kernel_block *block;
  assert_int_equal(compile(a, 1, &one, 1, &arch, &block), 1);
  return *block;
}

/* --- emulation -------------------------------------------------------------------------------- */

static void **params_of(struct tsr_arena *a, const struct trial *t)
{
  void **params = TSR_NEW_ARRAY(a, void *, t->func->params + 1);
  for (int i = 0; i < t->func->params; i++)
    params[i] = i < t->func->inputs ? t->input[i]
                                    : tsr_arena_alloc(a, bytes_of(t->func->param[i]) + 64);
  return params;
}

/* Elements that all stages compute, with their reductions. */
static int64_t work_of(const struct tir_func *f)
{
  int64_t all = 0;
  for (int i = 0; i < f->stages; i++) {
    int64_t n = 1;
    for (int k = 0; k < f->stage[i]->axes; k++)
      n *= f->stage[i]->axis[k].extent;
    all += n;
  }
  return all;
}

/* How far y is from x, as a part of x's norm. */
static double distance(const struct tir_buffer *b, const void *x, const void *y)
{
  struct tsr_tensor p = {.dtype = b->dtype, .data = (void *)(uintptr_t)x},
                    q = {.dtype = b->dtype, .data = (void *)(uintptr_t)y};
  double off = 0, norm = 0;
  for (int64_t i = 0; i < tsr_count(b->dims, b->rank, 1); i++) {
    double u = tsr_get_float(&p, i), v = tsr_get_float(&q, i);
    off += (u - v) * (u - v);
    norm += u * u;
  }
  return off > 0 ? sqrt(off / norm) : 0;
}

static bool are_same(const struct tir_buffer *b, const void *x, const void *y, double tolerance)
{
  const unsigned char *p = x, *q = y;
  if (tolerance > 0 && tsr_dtype_kind(b->dtype) == TSR_KIND_FLOAT)
    return distance(b, x, y) <= tolerance;
  if (b->dtype != TSR_BOOL)
    return !memcmp(x, y, bytes_of(b));
  for (size_t i = 0; i < bytes_of(b); i++)
    if (!p[i] != !q[i])
      return false;
  return true;
}

static int emulate(const struct trial *t, const char *arch_name, double tolerance)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_err err = {0}, mine = {0};
  struct tsr_gpu_arch arch;
  struct tir_sched *sched;
  struct tir_program *p;
  int bad = 0;
  assert_true(tsr_gpu_arch_from_name(arch_name, &arch));
  if (tsr_cuda_plan(a, &err, t->func, arch, &sched) || tir_lower(a, &err, sched, &p) ||
      tir_program_verify(&err, p)) {
    printf("%s for %s: %s\n", t->name, arch_name, err.text);
    tsr_arena_free(a);
    return 1;
  }
  void **expected = params_of(a, t), **found = params_of(a, t);
  bool refused = tir_func_run(a, &err, t->func, expected) != TSR_OK;
  if (tir_emulate(a, &mine, p, found)) {
    bad = !refused;
    if (bad)
      printf("%s for %s: %s\n%s\n", t->name, arch_name, mine.text, tir_sched_text(sched));
  } else if (refused) {
    printf("%s for %s runs where the interpreter says: %s\n", t->name, arch_name, err.text);
    bad = 1;
  } else {
    for (int k = t->func->inputs; k < t->func->params && !bad; k++)
      if (!are_same(t->func->param[k], expected[k], found[k], tolerance)) {
        printf("%s for %s: %s differs\n%s\n", t->name, arch_name, t->func->param[k]->name,
               tir_sched_text(sched));
        bad = 1;
      }
  }
  tsr_arena_free(a);
  return bad;
}

int check_kernels(struct tsr_arena *a, int trials, const struct trial *trial)
{
  struct tsr_kernel_block *block;
  int bad = 0, blocks = compile(a, trials, trial, ARCHS, archs, &block);
  for (int i = 0; i < blocks; i++)
    bad += !assembles(a, &block[i], NULL);
  for (int i = 0; i < trials; i++)
    if (work_of(trial[i].func) <= MOST_WORK)
      for (int k = 0; k < ARCHS; k++)
        bad += emulate(&trial[i], archs[k], bits);
  return bad;
}

int emulate_layers(int trials, const struct trial *trial, int64_t most_work, double tolerance,
                   int *emulated)
{
  int bad = 0;
  for (int i = 0; i < trials; i++)
    if (work_of(trial[i].func) <= most_work) {
      bad += emulate(&trial[i], archs[0], tolerance);
      ++*emulated;
    }
  return bad;
}

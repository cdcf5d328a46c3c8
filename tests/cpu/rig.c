/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cpu/rig.h"

#include <math.h>

enum { THREADS = 3 }; /* more than one, and no divisor of most extents */

unsigned levels_here(void)
{
  return tsr_levels_of_machine();
}

static int64_t count_of(const struct tir_buffer *b)
{
  return tsr_count(b->dims, b->rank, 1);
}

static size_t bytes_of(const struct tir_buffer *b)
{
  return (size_t)count_of(b) * tsr_dtype_bytes(b->dtype);
}

static struct tsr_bytes compile(struct tsr_arena *a, int n, const struct trial *trial,
                                unsigned levels)
{
  const char **name = TSR_NEW_ARRAY(a, const char *, n + 1);
  const struct tir_func **func = TSR_NEW_ARRAY(a, const struct tir_func *, n + 1);
  struct tsr_bytes bytes;
  struct tsr_err err = {0};
  for (int i = 0; i < n; i++) {
    name[i] = trial[i].name;
    func[i] = trial[i].func;
  }
  struct tsr_codegen_job job = {.layers = n, .name = name, .func = func, .levels = levels};
  if (tessera_cpu_codegen()->compile(a, &err, &job, &bytes))
    fail_msg("%s", err.text);
  return bytes;
}

struct tsr_bytes code_of(struct tsr_arena *a, const struct tir_func *f, unsigned levels)
{
  struct trial one = {.name = f->name, .func = f};
  return compile(a, 1, &one, levels);
}

static void **params_of(struct tsr_arena *a, const struct trial *t)
{
  void **params = TSR_NEW_ARRAY(a, void *, t->func->params + 1);
  for (int i = 0; i < t->func->params; i++) {
    params[i] = i < t->func->inputs ? t->input[i]
                                    : tsr_arena_alloc(a, bytes_of(t->func->param[i]) + 64);
    if (i >= t->func->inputs)
      memset((char *)params[i] + bytes_of(t->func->param[i]), 0x5a, 64);
  }
  return params;
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool same_exactly(const struct tsr_tensor *x, const struct tsr_tensor *y, int64_t n,
                         int64_t *at)
{
  bool truth = x->dtype == TSR_BOOL; /* bytes other than 0 are true */
  for (*at = 0; *at < n; ++*at) {
    int64_t v = tsr_get_int(x, *at), w = tsr_get_int(y, *at);
    if (truth ? (v != 0) != (w != 0) : v != w)
      return false;
  }
  return true;
}

/* How far the floats of x are from those of y, as a part of y's norm. Numbers that are not finite have to
 * be the same. */
static double distance(const struct tsr_tensor *x, const struct tsr_tensor *y, int64_t n,
                       int64_t *at)
{
  double difference = 0, norm = 0, worst = 0;
  for (int64_t i = 0; i < n; i++) {
    double v = tsr_get_float(x, i), w = tsr_get_float(y, i);
    if (isnan(v) || isnan(w) || isinf(v) || isinf(w)) {
      *at = i;
      if (!(v == w || (isnan(v) && isnan(w))))
        return INFINITY;
      continue;
    }
    if (fabs(v - w) > worst) {
      worst = fabs(v - w);
      *at = i;
    }
    difference += (v - w) * (v - w);
    norm += w * w;
  }
  if (difference == 0 || (isinf(norm) && isinf(difference)))
    return 0;
  return sqrt(difference) / sqrt(norm);
}

/* Of what an f32 may differ by, `tolerance`; a half may be rounded to its neighbour. */
static double tolerance_of(enum tsr_dtype dtype, double tolerance)
{
  switch (dtype) {
  case TSR_BF16: return 800 * tolerance;
  case TSR_F16: return 100 * tolerance;
  case TSR_F64: return tolerance / 1e4;
  default: return tolerance;
  }
}

static int compare_output(const struct trial *t, const struct tsr_code_block *b, int k, void *found,
                          void *expected, double tolerance, const char *whose, double *off)
{
  const struct tir_buffer *buffer = t->func->param[k];
  struct tsr_tensor x = {.dtype = buffer->dtype, .data = found};
  struct tsr_tensor y = {.dtype = buffer->dtype, .data = expected};
  int64_t n = tsr_count(buffer->dims, buffer->rank, 1), at = 0;
  double far = 0;
  if (tir__is_float(buffer->dtype))
    far = distance(&x, &y, n, &at);
  else if (!same_exactly(&x, &y, n, &at))
    far = INFINITY;
  if (off && far > *off)
    *off = far;
  if (far <= tolerance_of(buffer->dtype, tolerance))
    return 0;
  printf("%s at %s: element %lld of %s is %.9g where %s has %.9g\n", t->name,
         tsr_level_info(b->level)->name, (long long)at, buffer->name, tsr_get_float(&x, at), whose,
         tsr_get_float(&y, at));
  return 1;
}

/* --- in float64 -------------------------------------------------------------------------------- */

double *widened(struct tsr_arena *a, const float *data, int64_t count)
{
  double *wide = TSR_NEW_ARRAY(a, double, count + 1);
  for (int64_t i = 0; i < count; i++)
    wide[i] = (double)data[i];
  return wide;
}

static float *narrowed(struct tsr_arena *a, const double *data, int64_t count)
{
  float *narrow = TSR_NEW_ARRAY(a, float, count + 1);
  for (int64_t i = 0; i < count; i++)
    narrow[i] = (float)data[i];
  return narrow;
}

/* What comes of each output in f64, then rounded to f32 once; NULL: it is no f32, or nothing comes. */
static void **run_wide(struct tsr_arena *a, const struct trial *t)
{
  void **params = TSR_NEW_ARRAY(a, void *, t->func->params + 1);
  struct tsr_err err = {0};
  for (int i = 0; i < t->func->params; i++) {
    const struct tir_buffer *narrow = t->func->param[i], *wide = t->wide->param[i];
    if (i >= t->func->inputs)
      params[i] = tsr_arena_alloc(a, bytes_of(wide) + 64);
    else
      params[i] = narrow->dtype == wide->dtype ? t->input[i]
                                               : widened(a, t->input[i], count_of(narrow));
  }
  bool ran = tir_func_run(a, &err, t->wide, params) == TSR_OK;
  for (int i = t->func->inputs; i < t->func->params; i++) {
    bool wanted = ran && t->func->param[i]->dtype == TSR_F32;
    params[i] = wanted ? narrowed(a, params[i], count_of(t->wide->param[i])) : NULL;
  }
  return params;
}

static int compare_wide(struct tsr_arena *a, const struct trial *t, const struct tsr_code_block *b,
                        void **found, double tolerance)
{
  void **expected = run_wide(a, t);
  int bad = 0;
  for (int k = t->func->inputs; k < t->func->params; k++)
    if (expected[k])
      bad += compare_output(t, b, k, found[k], expected[k], tolerance, "float64", t->off);
  return bad;
}

static int compare_trial(const struct trial *t, const struct tsr_code_block *b,
                         tsr_code_function *function, const struct tsr_code_layer *layer,
                         double tolerance)
{
  uint64_t scratch_bytes = tsr_code_scratch(layer, THREADS);
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_err err = {0};
  void **expected = params_of(a, t), **found = params_of(a, t);
  char *scratch = tsr_arena_alloc(a, scratch_bytes + 64);
  int bad = 0, code = 0;
  memset(scratch, 0xa5, scratch_bytes); /* what it reads, it has to write first */
  bool refused = tir_func_run(a, &err, t->func, expected) != TSR_OK;
  code = function(found, scratch, THREADS);
  if (refused != (code != 0)) {
    printf("%s at %s: gives %d where the interpreter says: %s\n", t->name,
           tsr_level_info(b->level)->name, code, refused ? err.text : "nothing");
    bad = 1;
  }
  for (int k = t->func->inputs; k < t->func->params && !refused && !bad; k++) {
    bad += compare_output(t, b, k, found[k], expected[k], tolerance, "the interpreter", NULL);
    for (int i = 0; i < 64; i++)
      bad += ((unsigned char *)found[k] + bytes_of(t->func->param[k]))[i] != 0x5a;
  }
  if (t->wide && !refused && !bad)
    bad += compare_wide(a, t, b, found, tolerance);
  tsr_arena_free(a);
  return bad;
}

/* The level of products of bf16 is another one only where there are some. */
static unsigned levels_for(int trials, const struct trial *trial)
{
  for (int i = 0; i < trials; i++)
    for (int k = 0; k < trial[i].func->params; k++)
      if (trial[i].func->param[k]->dtype == TSR_BF16)
        return levels_here();
  return levels_here() & ~(1u << TSR_LEVEL_BF16);
}

int compare_all(struct tsr_arena *a, int trials, const struct trial *trial, double tolerance)
{
  unsigned levels = levels_for(trials, trial);
  struct tsr_bytes bytes = compile(a, trials, trial, levels);
  struct tsr_code_block *block;
  struct tsr_err err = {0};
  int blocks, bad = 0;
  if (tsr_code_read(a, &err, &bytes, trials, &blocks, &block))
    fail_msg("%s", err.text);
  assert_int_equal(blocks, __builtin_popcount(levels));
  for (int k = 0; k < blocks; k++) {
    struct tsr_code_mapping mapping;
    if (tsr_code_map(&err, &block[k], &mapping))
      fail_msg("%s", err.text);
    for (int i = 0; i < trials; i++)
      bad += compare_trial(&trial[i], &block[k], tsr_code_entry(&mapping, &block[k].layer[i]),
                           &block[k].layer[i], tolerance);
    tsr_code_unmap(&mapping);
  }
  return bad;
}

int compare_text(struct tsr_arena *a, const char *text, void *const *inputs)
{
  struct trial t = {.name = "text", .func = func_of(a, text)};
  for (int i = 0; i < t.func->inputs; i++)
    t.input[i] = inputs[i];
  return compare_all(a, 1, &t, 1e-5);
}

bool calls_library(const struct tsr_code_block *block)
{
  for (int i = 0; i < block->imports; i++)
    if (strcmp(block->import[i], "tsr_parallel"))
      return true;
  return false;
}

void *some_bytes(struct tsr_arena *a, size_t n)
{
  uint64_t seed = 7;
  uint8_t *p = tsr_arena_alloc(a, n + 1);
  for (size_t i = 0; i < n; i++)
    p[i] = (uint8_t)next_random(&seed);
  return p;
}

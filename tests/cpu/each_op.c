/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <unistd.h>

#include "tests/cpu/each_op.h"
#include "tests/graph/halves.h"

enum { BATCH = 64 };

struct all {
  int (*check)(struct tsr_arena *a, int trials, const struct trial *trial);
  struct tsr_arena *a; /* of one batch */
  struct trial *trial;
  int trials, total, bad;
  size_t capacity;
  bool seen[TSR_GOP_COUNT];
  double off[TSR_GOP_COUNT]; /* how far f32 results are from float64 */
};

static void run_batch(struct all *all, int least)
{
  if (all->trials < least)
    return;
  all->bad += all->check(all->a, all->trials, all->trial);
  all->total += all->trials;
  tsr_arena_free(all->a);
  all->a = tsr_arena_new(NULL);
  all->trial = NULL;
  all->trials = 0;
  all->capacity = 0;
}

/* Inputs from `first` on become constants; where `half` is f16 or bf16, floats become such. */
static bool try_model(struct all *all, const char *model, const struct recorded *recorded,
                      int first, enum tsr_dtype half)
{
  struct recorded run = *recorded;
  struct tsr_err err = {0};
  struct tsr_graph *g;
  if (import_file(all->a, &err, model, &g) || g->inputs != run.inputs)
    return false;
  recorded_bind(g, &run, first);
  if (tsr_dtype_is_half(half))
    make_halves(all->a, g, &run, half, half);
  if (tsr_graph_infer(&err, g) || tsr_graph_verify(&err, g))
    return false;
  return !add_nodes(all->a, &err, g, run.input, &all->trial, &all->trials, &all->capacity,
                    all->seen, all->off);
}

static void one_model(struct all *all, const char *folder)
{
  struct recorded run;
  struct tsr_err err = {0};
  char *data = tsr_arena_printf(all->a, "%s/test_data_set_0", folder);
  char *model = tsr_arena_printf(all->a, "%s/model.onnx", folder);
  if (access(data, R_OK) || recorded_read(all->a, &err, data, &run))
    return;
  for (enum tsr_dtype d = TSR_F16; d <= TSR_F32; d++)
    if (!try_model(all, model, &run, MOST_TENSORS, d) && !try_model(all, model, &run, 1, d))
      try_model(all, model, &run, 0, d);
  run_batch(all, BATCH);
}

static const char *const suites[] = {"node", "simple", "pytorch-converted", "pytorch-operator"};

void print_off(const double off[static TSR_GOP_COUNT])
{
  for (int op = 0; op < TSR_GOP_COUNT; op++)
    if (off[op] > 0)
      printf("f32 of %s: off from float64 by %.1e of the norm at most\n",
             tsr_gop_name((enum tsr_gop)op), off[op]);
}

void each_op(int (*check)(struct tsr_arena *a, int trials, const struct trial *trial))
{
  struct all all = {.check = check, .a = tsr_arena_new(NULL)};
  if (access(TESSERA_ONNX_TESTDATA "/node", R_OK)) {
    printf("skipped: there is no Debian package libonnx-testdata\n");
    skip();
  }
  for (size_t s = 0; s < sizeof suites / sizeof *suites; s++) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TESSERA_ONNX_TESTDATA, suites[s]);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));)
      if (!strncmp(e->d_name, "test_", 5)) {
        snprintf(path, sizeof path, "%s/%s/%s", TESSERA_ONNX_TESTDATA, suites[s], e->d_name);
        one_model(&all, path);
      }
    if (dir)
      closedir(dir);
  }
  run_batch(&all, 1);
  int unseen = 0;
  for (int op = 0; op < TSR_GOP_COUNT; op++)
    if (!all.seen[op]) {
      printf("not among them: %s\n", tsr_gop_name((enum tsr_gop)op));
      unseen++;
    }
  printf("%d nodes, %d differ, %d ops are not among them\n", all.total, all.bad, unseen);
  print_off(all.off);
  tsr_arena_free(all.a);
  assert_int_equal(all.bad, 0);
}

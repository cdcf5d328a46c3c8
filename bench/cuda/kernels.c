/* SPDX-License-Identifier: Apache-2.0 */
/* kernels DIR [NAME ...]: writes the matrix products that bench/cuda/gemm.py measures, one PTX file each, and
 * kernels.json, which says how each is launched. NAME: only those.
 * kernels DIR --choose: reads lines of TYPE M N K, and writes chosen.json, which kernel the compiler takes for each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "compiler/target/cuda/gemm.h"
#include "compiler/target/cuda/ptx.h"

/* Rows and columns of y up to these; the sizes themselves are arguments. */
#define MOST   "[16777216, 16777216]"
#define COLUMN "[16777216]"

#define ROUND(type)                                                                                \
  "func f(acc: f32" MOST ") -> (y: " type MOST ") { y: y[m, n] = " type "(acc[m, n]) }"
#define WHOLE "func f(acc: i32" MOST ") -> (y: i32" MOST ") { y: y[m, n] = acc[m, n] }"
#define QUANT                                                                                      \
  "func f(acc: i32" MOST ", bias: i32" COLUMN ", scale: i32" COLUMN ", shift: i32" COLUMN          \
  ") -> (y: i8" MOST ") { y: y[m, n] = sat8(quant(acc[m, n], bias[n], scale[n], shift[n])) }"
#define GELU                                                                                       \
  "func f(acc: f32" MOST ", bias: f32" COLUMN ") -> (y: bf16" MOST ") { temp t: f32" MOST          \
  " t: t[m, n] = acc[m, n] + bias[n] "                                                             \
  "y: y[m, n] = bf16(t[m, n] * f32(0.5) * (f32(1) + erf(t[m, n] * f32(0.70710678)))) }"

static const char *const forms[] = {"columns", "packed", "rows"};

static const struct {
  const char *name;
  enum cuda__gemm_b b;
  enum tsr_dtype in;
  const char *epilogue;
  int tiles; /* that many, the first of the table */
} types[] = {
    {"bf16", CUDA__B_COLUMNS, TSR_BF16, ROUND("bf16"), 100},
    {"bf16", CUDA__B_ROWS, TSR_BF16, ROUND("bf16"), 100},
    {"bf16", CUDA__B_PACKED, TSR_BF16, ROUND("bf16"), 3},
    {"f16", CUDA__B_COLUMNS, TSR_F16, ROUND("f16"), 5},
    {"f16", CUDA__B_ROWS, TSR_F16, ROUND("f16"), 5},
    {"s8", CUDA__B_COLUMNS, TSR_I8, WHOLE, 9},
    {"s8", CUDA__B_PACKED, TSR_I8, WHOLE, 1},
    {"s8q", CUDA__B_COLUMNS, TSR_I8, QUANT, 100},
    {"s8q", CUDA__B_PACKED, TSR_I8, QUANT, 3},
    {"bf16gelu", CUDA__B_COLUMNS, TSR_BF16, GELU, 22},
};

/* clang-format off */
static const struct cuda__gemm_tile tiles[] = {
    /* m,  n, warpgroups, alternate, stages, cluster, splits, group */
    { 64,  64, 1, false, 6, 1, 1, 16},
    {128, 256, 2, false, 4, 2, 1, 8},
    {128, 256, 2, false, 4, 1, 1, 16},
    {128, 128, 2, true,  6, 2, 1, 8},
    {128, 128, 2, true,  6, 1, 1, 16},
    {128, 128, 2, false, 6, 1, 1, 16},
    {128, 192, 2, false, 5, 1, 1, 16},
    {192, 128, 3, false, 5, 1, 1, 16},
    {128,  64, 2, false, 4, 1, 1, 16},
    { 64, 128, 1, false, 4, 1, 1, 16},
    { 64, 256, 2, true,  5, 2, 1, 16},
    {128, 192, 2, false, 5, 2, 1, 8},
    {128, 128, 2, false, 6, 2, 1, 8},
    {192, 128, 3, false, 5, 2, 1, 8},
    { 64, 128, 1, false, 4, 2, 1, 8},
    { 64,  64, 1, false, 6, 2, 1, 8},
    { 64,  64, 1, false, 4, 1, 2, 16},
    { 64,  64, 1, false, 6, 1, 4, 16},
    { 64, 128, 1, false, 4, 1, 4, 16},
    {128, 128, 2, false, 4, 1, 4, 16},
    {128,  64, 2, false, 4, 1, 4, 16},
    { 64,  32, 1, false, 6, 1, 1, 16},
    { 64,  32, 1, false, 8, 1, 2, 16},
};
/* clang-format on */

static const char *name_of(struct tsr_arena *a, const char *type, const char *form,
                           const struct cuda__gemm_tile *t)
{
  return tsr_arena_printf(a, "%s_%s_%dx%d%s_s%d_c%d_k%d", type, form, t->m, t->n,
                          t->alternate         ? "_alternate"
                          : t->warpgroups == 1 ? ""
                                               : "_shared",
                          t->stages, t->cluster, t->splits);
}

static void write_file(const char *path, const char *text, size_t size)
{
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(text, 1, size, f) != size || fclose(f))
    quit(strerror(errno));
}

static json_t *row_of(const char *type, const struct cuda__gemm *g)
{
  const struct cuda__gemm_tile *t = &g->tile;
  struct cuda__gemm_launch l = cuda__gemm_launch(g);
  return json_pack(
      "{s:s, s:s, s:s, s:i, s:i, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "name",
      g->name, "type", type, "b", forms[g->b], "m", t->m, "n", t->n, "alternate", t->alternate,
      "stages", t->stages, "cluster", t->cluster, "splits", t->splits, "group", t->group, "threads",
      l.threads, "shared_bytes", l.shared_bytes, "blocks_of_cluster", l.cluster, "box_k", l.box_k,
      "box_m", l.box_m, "box_n", l.box_n);
}

static void emit(struct tsr_arena *a, struct tsr_err *err, const struct cuda__gemm *g,
                 const char *path)
{
  struct llvm__processor processor = cuda__target(a, (struct tsr_gpu_arch){90, true});
  struct llvm__emit *e = TSR_NEW(a, struct llvm__emit);
  struct llvm__module m;
  const char *text;
  if (llvm__module_open(err, &processor, &m))
    quit(err->text);
  *e = (struct llvm__emit){.arena = a,
                           .machine = cuda__machine,
                           .context = m.context,
                           .module = m.module,
                           .builder = m.builder};
  cuda__gemm_emit(e, g);
  if (cuda__ptx(a, err, &m, &text))
    quit(err->text);
  write_file(path, text, strlen(text));
  llvm__module_close(&m);
}

static bool is_wanted(const char *name, int n, char **wanted)
{
  for (int i = 0; i < n; i++)
    if (strstr(name, wanted[i]))
      return true;
  return !n;
}

static struct cuda__gemm gemm_of(struct tsr_arena *a, struct tsr_err *err, size_t type)
{
  struct cuda__gemm g = {.b = types[type].b, .batch = 1, .columns = 1, .in = types[type].in};
  struct tir_func *epilogue;
  if (tir_func_parse(a, err, "epilogue", types[type].epilogue, &epilogue))
    quit(err->text);
  g.epilogue = epilogue;
  return g;
}

static void write_json(struct tsr_arena *a, const char *folder, const char *file, json_t *list)
{
  if (json_dump_file(list, tsr_arena_printf(a, "%s/%s", folder, file), JSON_INDENT(1)))
    quit("the JSON cannot be written");
  json_decref(list);
}

/* So that what the compiler takes is measured. */
static bool is_listed(struct tsr_arena *a, size_t type, const char *name)
{
  for (size_t j = 0; j < sizeof tiles / sizeof *tiles && (int)j < types[type].tiles; j++)
    if (!strcmp(name_of(a, types[type].name, forms[types[type].b], &tiles[j]), name))
      return true;
  return false;
}

static void choose(struct tsr_arena *a, struct tsr_err *err, const char *folder)
{
  json_t *list = json_array();
  char type[16];
  int m, n, k;
  while (scanf("%15s %d %d %d", type, &m, &n, &k) == 4)
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
      struct cuda__gemm g = gemm_of(a, err, i);
      g.m = m, g.n = n, g.k = k;
      if (strcmp(type, types[i].name) || g.b == CUDA__B_PACKED)
        continue;
      cuda__gemm_choose(&g);
      if (!g.tile.m)
        continue;
      const char *name = name_of(a, type, forms[g.b], &g.tile);
      if (!is_listed(a, i, name))
        quit(tsr_arena_printf(a, "the compiler takes %s, which is not in the list", name));
      json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:i, s:s}", "type", type, "m", m, "n",
                                            n, "k", k, "name", name));
    }
  write_json(a, folder, "chosen.json", list);
}

static void write_kernels(struct tsr_arena *arena, struct tsr_err *err, int argc, char **argv)
{
  json_t *list = json_array();
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    for (size_t j = 0; j < sizeof tiles / sizeof *tiles && (int)j < types[i].tiles; j++) {
      struct cuda__gemm g = gemm_of(arena, err, i);
      g.name = name_of(arena, types[i].name, forms[types[i].b], &tiles[j]);
      g.tile = tiles[j];
      if (!is_wanted(g.name, argc - 2, argv + 2))
        continue;
      if (g.b == CUDA__B_ROWS && g.tile.n / g.tile.cluster % 64)
        continue;
      if (cuda__gemm_check(err, &g))
        quit(err->text);
      emit(arena, err, &g, tsr_arena_printf(arena, "%s/%s.ptx", argv[1], g.name));
      json_array_append_new(list, row_of(types[i].name, &g));
    }
  }
  write_json(arena, argv[1], "kernels.json", list);
}

int main(int argc, char **argv)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_err err = {0};
  if (argc < 2)
    quit("usage: bench_cuda_kernels DIR [NAME ... | --choose]");
  if (!arena || setjmp(*tsr_arena_landing(arena)))
    quit("out of memory");
  if (argc == 3 && !strcmp(argv[2], "--choose"))
    choose(arena, &err, argv[1]);
  else
    write_kernels(arena, &err, argc, argv);
  tsr_arena_free(arena);
  return 0;
}

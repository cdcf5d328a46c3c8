/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/target/cuda/gemm.h"

#include <stdio.h>
#include <string.h>

#include "compiler/target/cuda/sm90.h"

enum {
  ALIGNMENT = 256,     /* of what arguments point to */
  ROW = 128,           /* bytes of a row of a tile: the swizzle's */
  STEPS = 4,           /* instructions along it, of 32 bytes each */
  PANEL = 64,          /* columns of a row of b of 128 bytes */
  COLUMNS = 32,        /* columns that four neighbouring threads hold 8 each of */
  RUN = 8,             /* those of one thread */
  WARPGROUP = 128,     /* threads */
  SHARED = 232448,     /* bytes that a block can have */
  MOST_SUMS = 128,     /* registers of a thread */
  COPY_REGISTERS = 40, /* of each thread: 128 * 40 + 256 * 232 are those of 384 * 168 */
  MULTIPLY_REGISTERS = 232
};

struct gemm {
  struct llvm__emit *e;
  const struct cuda__gemm *g;
  int blocks_m, sums;           /* of one warpgroup: instructions below one another; registers */
  LLVMValueRef map_a, map_b, y; /* arguments */
  LLVMValueRef m, n, steps;     /* rows and columns of y; tiles of k of this block */
  LLVMValueRef tiles_m, tiles_n, tiles; /* of clusters */
  LLVMValueRef cluster, clusters, rank; /* this one, how many; the block in it */
  LLVMValueRef warp, lane, ring, barriers;
  LLVMValueRef stage, parity;  /* variables: the next place in the ring */
  LLVMValueRef sum[MOST_SUMS]; /* variables */
};

/* --- small things ---------------------------------------------------------------------------------- */

int cuda__element_bytes(enum cuda__element element)
{
  static const int bytes[] = {2, 2, 4, 1, 4};
  return bytes[element];
}

static LLVMValueRef number(const struct gemm *k, int64_t v)
{
  return llvm__i32(k->e, (int32_t)v);
}

static LLVMValueRef add(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildAdd(k->e->builder, x, y, "");
}

static LLVMValueRef times(const struct gemm *k, LLVMValueRef x, int64_t y)
{
  return LLVMBuildMul(k->e->builder, x, number(k, y), "");
}

static LLVMValueRef over(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildUDiv(k->e->builder, x, y, "");
}

static LLVMValueRef modulo(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildURem(k->e->builder, x, y, "");
}

static LLVMValueRef less(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  return LLVMBuildICmp(k->e->builder, LLVMIntSLT, x, y, "");
}

static LLVMValueRef equal(const struct gemm *k, LLVMValueRef x, int64_t y)
{
  return LLVMBuildICmp(k->e->builder, LLVMIntEQ, x, number(k, y), "");
}

static LLVMValueRef tiles_of(const struct gemm *k, LLVMValueRef extent, int64_t tile)
{
  return over(k, add(k, extent, number(k, tile - 1)), number(k, tile));
}

static LLVMTypeRef sum_type(const struct gemm *k)
{
  LLVMContextRef c = k->e->context;
  return k->g->in == CUDA__I8 ? LLVMInt32TypeInContext(c) : LLVMFloatTypeInContext(c);
}

static int stage_bytes(const struct cuda__gemm_tile *t)
{
  return (t->m + t->n) * ROW;
}

static int rows_of_warpgroup(const struct cuda__gemm_tile *t)
{
  return t->alternate ? t->m : t->m / t->warpgroups;
}

/* The warpgroups that read each stage. */
static int readers(const struct cuda__gemm_tile *t)
{
  return t->alternate ? 1 : t->warpgroups;
}

/* Sums of two warpgroups leave too few registers to whoever finishes them, so that the others give theirs:
 * then a whole warpgroup copies, since only that can. */
static bool trades_registers(const struct cuda__gemm_tile *t)
{
  return t->warpgroups == 2 && rows_of_warpgroup(t) / 64 * t->n / 2 > MOST_SUMS / 2;
}

/* --- what a launch needs ----------------------------------------------------------------------------- */

enum tsr_status cuda__gemm_check(struct tsr_err *err, const struct cuda__gemm *g)
{
  const struct cuda__gemm_tile *t = &g->tile;
  int sums = rows_of_warpgroup(t) / 64 * t->n / 2;
  if (t->m % (64 * readers(t)) || t->n % COLUMNS || t->n < COLUMNS || t->n > 256)
    return tsr_refuse(err, "a tile of %d x %d does not consist of products of 64 x (32 to 256)",
                      t->m, t->n);
  if (sums > MOST_SUMS)
    return tsr_refuse(err,
                      "a tile of %d x %d takes %d registers of a thread for its sums; %d are there",
                      t->m, t->n, sums, MOST_SUMS);
  if (cuda__gemm_launch(g).shared_bytes > SHARED)
    return tsr_refuse(err, "%d stages of %d bytes do not fit %d bytes of shared memory", t->stages,
                      stage_bytes(t), SHARED);
  if (g->b == CUDA__B_ROWS && (t->n / t->cluster % PANEL || cuda__element_bytes(g->in) != 2 ||
                               cuda__element_bytes(g->out) == 1))
    return tsr_refuse(err, "rows of b cannot be read in tiles of %d columns", t->n / t->cluster);
  if (t->cluster > 1 && (t->splits > 1 || t->n / t->cluster % COLUMNS))
    return tsr_refuse(err, "clusters of %d cannot share tiles of %d columns", t->cluster, t->n);
  if (t->splits > 1 && (t->alternate || sums * t->warpgroups / RUN % t->splits))
    return tsr_refuse(err, "%d blocks cannot share the sums of a tile of %d x %d", t->splits, t->m,
                      t->n);
  if (t->splits > 1 && t->m * t->n * 4 > stage_bytes(t) * t->stages)
    return tsr_refuse(err, "the sums of a tile of %d x %d do not fit %d stages", t->m, t->n,
                      t->stages);
  return TSR_OK;
}

struct cuda__gemm_launch cuda__gemm_launch(const struct cuda__gemm *g)
{
  const struct cuda__gemm_tile *t = &g->tile;
  return (struct cuda__gemm_launch){
      .threads = t->warpgroups * WARPGROUP + (trades_registers(t) ? WARPGROUP : 32),
      .shared_bytes = t->stages * (stage_bytes(t) + 16),
      .cluster = t->cluster * t->splits,
      .box_k = ROW / cuda__element_bytes(g->in),
      .box_m = t->m,
      .box_n = t->n / t->cluster,
  };
}

int64_t cuda__gemm_blocks(const struct cuda__gemm *g, int64_t m, int64_t n, int multiprocessors)
{
  const struct cuda__gemm_tile *t = &g->tile;
  int64_t size = t->cluster * t->splits, rows = (int64_t)t->m * t->cluster;
  int64_t tiles = (m + rows - 1) / rows * ((n + t->n - 1) / t->n), most = multiprocessors / size;
  return (t->splits > 1 || tiles < most ? tiles : most) * size;
}

int64_t cuda__gemm_row(int64_t i)
{
  int64_t j = i % COLUMNS / 8, q = i % 8 / 2, c = i % 2;
  return i / COLUMNS * COLUMNS + q * RUN + j * 2 + c;
}

/* --- tiles ------------------------------------------------------------------------------------------- */

/* The first row and column of this block's part of a cluster's tile. */
static void place(const struct gemm *k, LLVMValueRef tile, LLVMValueRef *row, LLVMValueRef *column)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef group = number(k, t->group);
  LLVMValueRef each = LLVMBuildMul(b, group, k->tiles_n, "");
  LLVMValueRef top = LLVMBuildMul(b, over(k, tile, each), group, "");
  LLVMValueRef left = LLVMBuildSub(b, k->tiles_m, top, "");
  LLVMValueRef high = LLVMBuildSelect(b, less(k, left, group), left, group, "");
  LLVMValueRef in_group = modulo(k, tile, each);
  LLVMValueRef down = add(k, top, modulo(k, in_group, high));
  *column = times(k, over(k, in_group, high), t->n);
  if (t->cluster > 1)
    down = add(k, times(k, down, t->cluster), k->rank);
  *row = times(k, down, t->m);
}

static LLVMValueRef barrier_at(const struct gemm *k, bool empty, LLVMValueRef stage)
{
  LLVMValueRef base = add(k, k->barriers, number(k, empty ? 8 * k->g->tile.stages : 0));
  return add(k, base, times(k, stage, 8));
}

/* The ring's place behind so many tiles of k. */
static void seek(const struct gemm *k, LLVMValueRef position)
{
  LLVMValueRef stages = number(k, k->g->tile.stages);
  cuda__set(k->e, k->stage, modulo(k, position, stages));
  cuda__set(k->e, k->parity,
            LLVMBuildAnd(k->e->builder, over(k, position, stages), number(k, 1), ""));
}

static void advance(const struct gemm *k)
{
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef next = add(k, cuda__get(k->e, k->stage), number(k, 1));
  LLVMValueRef wraps = equal(k, next, k->g->tile.stages);
  LLVMValueRef parity = cuda__get(k->e, k->parity);
  LLVMValueRef other = LLVMBuildXor(b, parity, number(k, 1), "");
  cuda__set(k->e, k->stage, LLVMBuildSelect(b, wraps, number(k, 0), next, ""));
  cuda__set(k->e, k->parity, LLVMBuildSelect(b, wraps, other, parity, ""));
}

/* --- the warp that copies -------------------------------------------------------------------------------- */

/* This block's part of b's tile to `to`: columns from `column` on, k from `depth` on. */
static void copy_b(const struct gemm *k, LLVMValueRef to, LLVMValueRef column, LLVMValueRef depth,
                   LLVMValueRef full)
{
  int cluster = k->g->tile.cluster, blocks = cluster > 1 ? (1 << cluster) - 1 : 0;
  LLVMValueRef null = number(k, 0);
  if (k->g->b == CUDA__B_PACKED) {
    LLVMValueRef index[] = {depth, column};
    cuda__copy_box(k->e, to, k->map_b, 2, index, full, blocks);
  } else if (k->g->b == CUDA__B_COLUMNS) {
    LLVMValueRef index[] = {depth, null, null, null, over(k, column, number(k, COLUMNS))};
    cuda__copy_box(k->e, to, k->map_b, 5, index, full, blocks);
  } else {
    LLVMValueRef index[] = {null, depth, over(k, column, number(k, PANEL))};
    cuda__copy_box(k->e, to, k->map_b, 3, index, full, blocks);
  }
}

static void copy_stage(const struct gemm *k, LLVMValueRef row, LLVMValueRef column,
                       LLVMValueRef step)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  struct cuda__gemm_launch launch = cuda__gemm_launch(k->g);
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef stage = cuda__get(k->e, k->stage), full = barrier_at(k, false, stage);
  LLVMValueRef to = add(k, k->ring, times(k, stage, stage_bytes(t)));
  LLVMValueRef index[] = {times(k, step, launch.box_k), row};
  LLVMValueRef free_parity = LLVMBuildXor(b, cuda__get(k->e, k->parity), number(k, 1), "");
  cuda__barrier_wait(k->e, barrier_at(k, true, stage), free_parity);
  cuda__barrier_expect(k->e, full, number(k, stage_bytes(t)));
  cuda__copy_box(k->e, to, k->map_a, 2, index, full, 0);
  to = add(k, to, number(k, t->m * ROW));
  if (t->cluster > 1) {
    column = add(k, column, times(k, k->rank, launch.box_n));
    to = add(k, to, times(k, k->rank, launch.box_n * ROW));
  }
  copy_b(k, to, column, index[0], full);
}

static void copy_tiles(const struct gemm *k)
{
  struct llvm__emit *e = k->e;
  LLVMValueRef tile = llvm__local(e, LLVMInt32TypeInContext(e->context), "tile"), row, column;
  LLVMValueRef step = llvm__local(e, LLVMInt32TypeInContext(e->context), "step");
  cuda__map_prefetch(e, k->map_a);
  cuda__map_prefetch(e, k->map_b);
  seek(k, number(k, 0));
  cuda__set(e, tile, k->cluster);
  struct cuda__loop tiles = cuda__loop_begin(e, tile, k->tiles, k->clusters);
  place(k, cuda__get(e, tile), &row, &column);
  LLVMValueRef first = number(k, 0), last = k->steps;
  if (k->g->tile.splits > 1) {
    first = LLVMBuildMul(e->builder, k->rank, k->steps, "");
    last = add(k, first, k->steps);
  }
  cuda__set(e, step, first);
  struct cuda__loop steps = cuda__loop_begin(e, step, last, number(k, 1));
  copy_stage(k, row, column, cuda__get(e, step));
  advance(k);
  cuda__loop_end(e, &steps);
  cuda__loop_end(e, &tiles);
}

/* --- warpgroups that multiply ------------------------------------------------------------------------------ */

static const struct {
  const char *shape, *types;
} multiply[] = {
    [CUDA__F16] = {"k16", "f32.f16.f16"},
    [CUDA__BF16] = {"k16", "f32.bf16.bf16"},
    [CUDA__I8] = {"k32", "s32.s8.s8"},
};

/* "$0, $1, ..." */
static const char *operands(const struct gemm *k, int first, int count)
{
  size_t room = 8 * (size_t)count, at = 0;
  char *text = tsr_arena_alloc(k->e->arena, room + 1);
  for (int i = 0; i < count; i++)
    at += (size_t)snprintf(text + at, room + 1 - at, "%s$%d", i ? ", " : "", first + i);
  return text;
}

/* One stage's products: STEPS along k, blocks_m below one another. Operands behind the sums: the two
 * descriptors, and whether sums go on. */
static const char *products_text(const struct gemm *k)
{
  int n = k->g->tile.n, each = n / 2, s = k->sums;
  int along = k->g->b == CUDA__B_ROWS ? 16 * ROW : 32; /* bytes of b from one step to the next */
  const char *scales = k->g->in == CUDA__I8      ? ""
                       : k->g->b == CUDA__B_ROWS ? ", 1, 1, 0, 1"
                                                 : ", 1, 1, 0, 0";
  const char *text = tsr_arena_printf(k->e->arena,
                                      "{\n\t.reg .pred p, q;\n\t.reg .b64 a, b;\n\tsetp.ne.b32 p, "
                                      "$%d, 0;\n\tsetp.eq.b32 q, 0, 0;\n\t"
                                      "wgmma.fence.sync.aligned;\n\t",
                                      s + 2);
  for (int i = 0; i < STEPS; i++)
    for (int j = 0; j < k->blocks_m; j++)
      text = tsr_arena_printf(k->e->arena,
                              "%sadd.s64 a, $%d, %d;\n\tadd.s64 b, $%d, %d;\n\t"
                              "wgmma.mma_async.sync.aligned.m64n%d%s.%s {%s}, a, b, %c%s;\n\t",
                              text, s, (j * 64 * ROW + i * 32) >> 4, s + 1, i * along >> 4, n,
                              multiply[k->g->in].shape, multiply[k->g->in].types,
                              operands(k, j * each, each), i ? 'q' : 'p', scales);
  return tsr_arena_printf(k->e->arena, "%swgmma.commit_group.sync.aligned;\n\t}", text);
}

/* Assembly that reads and writes all sums, behind which come n operands more. */
static void with_sums(const struct gemm *k, const char *text, const char *more, int n,
                      LLVMValueRef *arg)
{
  struct llvm__emit *e = k->e;
  char kind = k->g->in == CUDA__I8 ? 'r' : 'f';
  size_t room = 10 * (size_t)k->sums + strlen(more) + 16, at = 0;
  char *constraints = tsr_arena_alloc(e->arena, room);
  LLVMTypeRef type[MOST_SUMS];
  LLVMValueRef all[MOST_SUMS + 4];
  for (int i = 0; i < k->sums; i++) {
    at += (size_t)snprintf(constraints + at, room - at, "%s=%c", i ? "," : "", kind);
    type[i] = sum_type(k);
    all[n + i] = cuda__get(e, k->sum[i]);
  }
  at += (size_t)snprintf(constraints + at, room - at, "%s", more);
  for (int i = 0; i < k->sums; i++)
    at += (size_t)snprintf(constraints + at, room - at, ",%d", i);
  snprintf(constraints + at, room - at, ",~{memory}");
  memcpy(all, arg, (size_t)n * sizeof *arg);
  LLVMTypeRef result = LLVMStructTypeInContext(e->context, type, (unsigned)k->sums, 0);
  LLVMValueRef out = cuda__asm(e, result, text, constraints, n + k->sums, all);
  for (int i = 0; i < k->sums; i++)
    cuda__set(e, k->sum[i], LLVMBuildExtractValue(e->builder, out, (unsigned)i, ""));
}

/* Of rows of 128 bytes, swizzled, eight of them after another: the stride between eights is 1024. rows: of b
 * by its rows, 64 columns each; the next 64 columns come behind all rows of a tile of k. */
static LLVMValueRef descriptor(const struct gemm *k, LLVMValueRef address, bool rows)
{
  uint64_t panel = rows ? PANEL * ROW >> 4 : 1;
  uint64_t fixed = (uint64_t)1 << 62 | (uint64_t)(1024 >> 4) << 32 | panel << 16;
  LLVMTypeRef wide = LLVMInt64TypeInContext(k->e->context);
  LLVMValueRef at = LLVMBuildLShr(k->e->builder, address, number(k, 4), "");
  return LLVMBuildOr(k->e->builder, LLVMBuildZExt(k->e->builder, at, wide, ""),
                     LLVMConstInt(wide, fixed, 0), "");
}

static void products(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef step)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMValueRef base = add(k, k->ring, times(k, cuda__get(k->e, k->stage), stage_bytes(t)));
  LLVMValueRef a = base, b = add(k, base, number(k, t->m * ROW));
  if (readers(t) > 1)
    a = add(k, base, times(k, warpgroup, rows_of_warpgroup(t) * ROW));
  LLVMValueRef arg[] = {descriptor(k, a, false), descriptor(k, b, k->g->b == CUDA__B_ROWS), step};
  with_sums(k, products_text(k), ",l,l,r", 3, arg);
}

/* This warp has read a stage: every block that copies to it may know. */
static void release(const struct gemm *k, LLVMValueRef stage, LLVMValueRef any)
{
  int cluster = k->g->tile.cluster;
  LLVMValueRef one = less(k, k->lane, number(k, cluster));
  LLVMValueRef rank = modulo(k, k->lane, number(k, cluster));
  cuda__barrier_arrive(k->e, barrier_at(k, true, stage), cluster > 1 ? rank : NULL,
                       LLVMBuildAnd(k->e->builder, one, any, ""));
}

/* Warpgroups that take tiles in turn also take stages in turn: parity alone does not tell a stage that was
 * filled for this one from one to be filled for the other, a ring earlier. */
static void take_turn(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef count)
{
  LLVMValueRef later = LLVMBuildNot(k->e->builder, equal(k, count, 0), "");
  LLVMBasicBlockRef done = cuda__if(k->e, later);
  cuda__block_sync(k->e, add(k, warpgroup, number(k, 1)), 2 * WARPGROUP);
  cuda__end_if(k->e, done);
}

static void give_turn(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef tile)
{
  LLVMBasicBlockRef done = cuda__if(k->e, less(k, add(k, tile, k->clusters), k->tiles));
  cuda__block_arrive(k->e, LLVMBuildSub(k->e->builder, number(k, 2), warpgroup, ""), 2 * WARPGROUP);
  cuda__end_if(k->e, done);
}

/* The products of one stage run while those of the next are issued. Returns the last stage's place. */
static LLVMValueRef sum_steps(const struct gemm *k, LLVMValueRef warpgroup)
{
  struct llvm__emit *e = k->e;
  LLVMTypeRef type = LLVMInt32TypeInContext(e->context);
  LLVMValueRef step = llvm__local(e, type, "step"), before = llvm__local(e, type, "before");
  cuda__set(e, step, number(k, 0));
  cuda__set(e, before, number(k, 0));
  struct cuda__loop steps = cuda__loop_begin(e, step, k->steps, number(k, 1));
  LLVMValueRef stage = cuda__get(e, k->stage);
  cuda__barrier_wait(e, barrier_at(k, false, stage), cuda__get(e, k->parity));
  products(k, warpgroup, cuda__get(e, step));
  cuda__asm(e, NULL, "wgmma.wait_group.sync.aligned 1;", "~{memory}", 0, NULL);
  release(k, cuda__get(e, before), LLVMBuildNot(e->builder, equal(k, cuda__get(e, step), 0), ""));
  cuda__set(e, before, stage);
  advance(k);
  cuda__loop_end(e, &steps);
  return cuda__get(e, before);
}

static void sum_up(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef tile,
                   LLVMValueRef count)
{
  LLVMValueRef always = LLVMConstInt(LLVMInt1TypeInContext(k->e->context), 1, 0);
  seek(k, LLVMBuildMul(k->e->builder, count, k->steps, ""));
  if (k->g->tile.alternate)
    take_turn(k, warpgroup, count);
  LLVMValueRef last = sum_steps(k, warpgroup);
  if (k->g->tile.alternate)
    give_turn(k, warpgroup, tile);
  with_sums(k, "wgmma.wait_group.sync.aligned 0;", "", 0, NULL);
  release(k, last, always);
}

/* --- epilogue -------------------------------------------------------------------------------------------------- */

static LLVMTypeRef out_type(const struct gemm *k)
{
  LLVMContextRef c = k->e->context;
  switch (k->g->out) {
  case CUDA__F16: return LLVMHalfTypeInContext(c);
  case CUDA__BF16: return LLVMBFloatTypeInContext(c);
  case CUDA__F32: return LLVMFloatTypeInContext(c);
  case CUDA__I8: return LLVMInt8TypeInContext(c);
  default: return LLVMInt32TypeInContext(c);
  }
}

/* In this scope, loads of b are v. */
static void give(struct llvm__emit *e, tir_e x, const struct tir_buffer *b, LLVMValueRef v)
{
  if (x->op == TIR_LOAD && x->buffer == b) {
    tir__map_put(e->arena, &e->scope->done, x, v);
    return;
  }
  for (int i = 0; i < x->args; i++)
    give(e, x->arg[i], b, v);
}

static bool is_of_column(const struct gemm *k, tir_e x)
{
  const struct tir_stage *stage = k->g->epilogue->stage[0];
  return !llvm__uses(x, stage->axis[0].var) && !llvm__reads(x, k->g->epilogue->param[0]);
}

/* Loads in x that are the same in all rows, into this scope. */
static void load_of_column(const struct gemm *k, tir_e x)
{
  if (x->op == TIR_LOAD && is_of_column(k, x)) {
    llvm__value(k->e, x);
    return;
  }
  for (int i = 0; i < x->args; i++)
    load_of_column(k, x->arg[i]);
}

static void bind_axis(const struct gemm *k, int axis, LLVMValueRef at)
{
  const struct tir_axis *a = &k->g->epilogue->stage[0]->axis[axis];
  llvm__bind(k->e, a->var, 0, a->extent - 1,
             LLVMBuildZExt(k->e->builder, at, LLVMInt64TypeInContext(k->e->context), ""));
}

static void open_column(const struct gemm *k, LLVMValueRef column, struct llvm__scope *scope)
{
  llvm__scope_open(k->e, scope);
  bind_axis(k, 1, column);
  load_of_column(k, k->g->epilogue->stage[0]->value);
  llvm__unbind(k->e);
  llvm__scope_close(k->e);
}

/* What an element becomes whose sum and whose place are known. */
static LLVMValueRef value_of(const struct gemm *k, LLVMValueRef row, LLVMValueRef column,
                             struct llvm__scope *of_column, LLVMValueRef sum)
{
  struct llvm__emit *e = k->e;
  tir_e value = k->g->epilogue->stage[0]->value;
  struct llvm__scope scope, *outer = e->scope;
  e->scope = of_column;
  llvm__scope_open(e, &scope);
  bind_axis(k, 0, row);
  bind_axis(k, 1, column);
  give(e, value, k->g->epilogue->param[0], sum);
  LLVMValueRef v = llvm__value(e, value);
  llvm__unbind(e);
  llvm__unbind(e);
  e->scope = outer;
  return v;
}

/* Two floats to two halves in one step; the first one in the lower half. */
static LLVMValueRef halves(const struct gemm *k, LLVMValueRef x, LLVMValueRef y)
{
  LLVMValueRef arg[] = {y, x};
  return llvm__intrinsic(
      k->e, k->g->out == CUDA__F16 ? "llvm.nvvm.ff2f16x2.rn" : "llvm.nvvm.ff2bf16x2.rn", 0, NULL, 2,
      arg);
}

/* Four bytes as one word. */
static LLVMValueRef bytes(const struct gemm *k, LLVMValueRef *v)
{
  LLVMBuilderRef b = k->e->builder;
  LLVMTypeRef word = LLVMInt32TypeInContext(k->e->context);
  LLVMValueRef all = NULL;
  for (int i = 0; i < 4; i++) {
    LLVMValueRef one = LLVMBuildZExt(b, v[i], word, "");
    one = LLVMBuildShl(b, one, number(k, 8 * i), "");
    all = all ? LLVMBuildOr(b, all, one, "") : one;
  }
  return all;
}

/* Word j of four to thread j of four neighbours; out[t] is what thread t gave to this one. */
static void trade(const struct gemm *k, LLVMValueRef *w)
{
  LLVMBuilderRef b = k->e->builder;
  for (int bit = 2; bit; bit >>= 1) {
    LLVMValueRef mine = LLVMBuildAnd(b, k->lane, number(k, bit), "");
    LLVMValueRef high = LLVMBuildICmp(b, LLVMIntNE, mine, number(k, 0), "");
    int apart = bit == 2 ? 2 : 1, next = 3 - apart; /* words that part here: i and i + apart */
    for (int i = 0; i < 2; i++) {
      LLVMValueRef *low = &w[i * next], *top = low + apart;
      LLVMValueRef give = LLVMBuildSelect(b, high, *low, *top, "");
      LLVMValueRef keep = LLVMBuildSelect(b, high, *top, *low, "");
      LLVMValueRef got = cuda__trade(k->e, give, bit);
      *low = LLVMBuildSelect(b, high, got, keep, "");
      *top = LLVMBuildSelect(b, high, keep, got, "");
    }
  }
}

/* The words of a run: eight elements, side by side in y once neighbours have traded them. */
static int words_of(const struct gemm *k, LLVMValueRef *v, LLVMValueRef *word)
{
  LLVMTypeRef type = LLVMInt32TypeInContext(k->e->context);
  int size = cuda__element_bytes(k->g->out), words = RUN * size / 4;
  for (int i = 0; i < words; i++) {
    word[i] = size == 4   ? v[i]
              : size == 2 ? halves(k, v[2 * i], v[2 * i + 1])
                          : bytes(k, v + 4 * i);
    word[i] = LLVMBuildBitCast(k->e->builder, word[i], type, "");
  }
  if (k->g->b != CUDA__B_ROWS)
    return words;
  for (int part = 0; part < words / 4; part++) { /* pairs of columns, word by word */
    LLVMValueRef w[4];
    for (int i = 0; i < 4; i++)
      w[i] = word[i * words / 4 + part];
    trade(k, w);
    for (int i = 0; i < 4; i++)
      word[i * words / 4 + part] = w[i];
  }
  return words;
}

/* Without branches, into which LLVM would move what goes before. */
static void store_row(const struct gemm *k, LLVMValueRef row, LLVMValueRef column, LLVMValueRef *v)
{
  LLVMBuilderRef b = k->e->builder;
  LLVMTypeRef wide = LLVMInt64TypeInContext(k->e->context);
  LLVMValueRef at =
      LLVMBuildMul(b, LLVMBuildZExt(b, row, wide, ""), LLVMBuildZExt(b, k->n, wide, ""), "");
  LLVMValueRef inside = less(k, row, k->m), word[RUN];
  at = LLVMBuildAdd(b, at, LLVMBuildZExt(b, column, wide, ""), "");
  int words = words_of(k, v, word);
  cuda__global_store(k->e, inside, LLVMBuildGEP2(b, out_type(k), k->y, &at, 1, ""), words, word);
}

/* Where sum j of a run is in y: before neighbours trade. */
static LLVMValueRef column_of(const struct gemm *k, LLVMValueRef columns, LLVMValueRef run, int j)
{
  if (k->g->b != CUDA__B_ROWS)
    return add(k, run, number(k, j));
  LLVMValueRef pair = times(k, modulo(k, k->lane, number(k, 4)), 2);
  return add(k, add(k, columns, pair), number(k, j / 2 * 8 + j % 2));
}

/* A thread's runs of eight sums out of 32 columns, of n rows, 1 or 2; in place. Rows below the last one
 * compute that one again and store nothing: one piece of code without branches, column by column, so that
 * what a column has is in registers for a short time. */
static void finish_runs(const struct gemm *k, LLVMValueRef columns, int n, LLVMValueRef *row,
                        LLVMValueRef (*v)[RUN])
{
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef run = add(k, columns, times(k, modulo(k, k->lane, number(k, 4)), RUN));
  LLVMValueRef last = LLVMBuildSub(b, k->m, number(k, 1), ""), near[2];
  LLVMValueRef inside = less(k, k->g->b == CUDA__B_PACKED ? run : columns, k->n);
  LLVMBasicBlockRef done = cuda__if(k->e, inside);
  for (int i = 0; i < n; i++)
    near[i] = LLVMBuildSelect(b, less(k, row[i], k->m), row[i], last, "");
  for (int j = 0; j < RUN; j++) {
    struct llvm__scope scope;
    LLVMValueRef at = column_of(k, columns, run, j);
    open_column(k, at, &scope);
    for (int i = 0; i < n; i++)
      v[i][j] = value_of(k, near[i], at, &scope, v[i][j]);
  }
  for (int i = 0; i < n; i++)
    store_row(k, row[i], run, v[i]);
  cuda__end_if(k->e, done);
}

/* This thread's first row of sums in its block's tile. */
static LLVMValueRef own_row(const struct gemm *k, LLVMValueRef warpgroup)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMValueRef warp = modulo(k, k->warp, number(k, 4));
  LLVMValueRef row = add(k, times(k, warp, 16), over(k, k->lane, number(k, 4)));
  return readers(t) > 1 ? add(k, row, times(k, warpgroup, rows_of_warpgroup(t))) : row;
}

/* A thread's runs lie in pairs of rows 8 apart, a pair for each 32 columns of each 64 rows. */
static void sums_of_run(const struct gemm *k, int u, LLVMValueRef *v)
{
  int first = u / 2 * 16 + u % 2 * 2;
  for (int j = 0; j < RUN; j++)
    v[j] = cuda__get(k->e, k->sum[first + j / 2 * 4 + j % 2]);
}

static void finish(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef row,
                   LLVMValueRef column)
{
  int wide = k->g->tile.n / COLUMNS;
  LLVMValueRef v[2][RUN], rows[2];
  row = add(k, row, own_row(k, warpgroup));
  for (int pair = 0; pair < k->sums / RUN / 2; pair++) {
    for (int i = 0; i < 2; i++) {
      sums_of_run(k, 2 * pair + i, v[i]);
      rows[i] = add(k, row, number(k, pair / wide * 64 + i * 8));
    }
    finish_runs(k, add(k, column, number(k, pair % wide * COLUMNS)), 2, rows, v);
  }
}

/* --- a tile of several blocks ------------------------------------------------------------------------------------ */

/* Where half h of run u of this thread lies while blocks add up: threads of a warp side by side. */
static LLVMValueRef partial_at(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef u, int h)
{
  LLVMValueRef thread = add(k, times(k, modulo(k, k->warp, number(k, 4)), 32), k->lane);
  LLVMValueRef run = add(k, times(k, warpgroup, k->sums / RUN), u);
  LLVMValueRef slot = add(k, times(k, run, 2), number(k, h));
  return add(k, k->ring, times(k, add(k, times(k, slot, WARPGROUP), thread), 16));
}

static void publish(const struct gemm *k, LLVMValueRef warpgroup)
{
  LLVMValueRef v[RUN];
  cuda__block_sync(k->e, number(k, 1),
                   k->g->tile.warpgroups * WARPGROUP); /* all products have read the ring */
  for (int u = 0; u < k->sums / RUN; u++) {
    sums_of_run(k, u, v);
    for (int h = 0; h < 2; h++)
      cuda__shared_store4(k->e, partial_at(k, warpgroup, number(k, u), h), sum_type(k), v + 4 * h);
  }
}

static void add_up(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef u, LLVMValueRef *sum)
{
  for (int h = 0; h < 2; h++) {
    LLVMValueRef at = partial_at(k, warpgroup, u, h);
    for (int r = 0; r < k->g->tile.splits; r++) {
      LLVMValueRef v[4];
      cuda__cluster_load4(k->e, cuda__cluster_address(k->e, at, number(k, r)), sum_type(k), v);
      for (int i = 0; i < 4; i++)
        sum[4 * h + i] = !r ? v[i]
                         : k->g->in == CUDA__I8
                             ? add(k, sum[4 * h + i], v[i])
                             : LLVMBuildFAdd(k->e->builder, sum[4 * h + i], v[i], "");
    }
  }
}

/* Each block finishes its share of the runs. */
static void finish_shared(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef row,
                          LLVMValueRef column)
{
  int share = k->sums / RUN / k->g->tile.splits;
  LLVMValueRef v[1][RUN], wide = number(k, k->g->tile.n / COLUMNS);
  row = add(k, row, own_row(k, warpgroup));
  publish(k, warpgroup);
  cuda__cluster_sync(k->e);
  for (int i = 0; i < share; i++) {
    LLVMValueRef u = add(k, times(k, k->rank, share), number(k, i)),
                 pair = over(k, u, number(k, 2));
    LLVMValueRef below =
        add(k, times(k, over(k, pair, wide), 64), times(k, modulo(k, u, number(k, 2)), 8));
    below = add(k, row, below);
    add_up(k, warpgroup, u, v[0]);
    finish_runs(k, add(k, column, times(k, modulo(k, pair, wide), COLUMNS)), 1, &below, v);
  }
}

static void multiply_tiles(const struct gemm *k)
{
  struct llvm__emit *e = k->e;
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMTypeRef type = LLVMInt32TypeInContext(e->context);
  LLVMValueRef tile = llvm__local(e, type, "tile"), count = llvm__local(e, type, "count"), row,
               column;
  LLVMValueRef warpgroup = over(k, k->warp, number(k, 4));
  LLVMValueRef first = t->alternate ? warpgroup : number(k, 0);
  int turns = t->alternate ? t->warpgroups : 1;
  cuda__set(e, count, first);
  cuda__set(e, tile, add(k, k->cluster, LLVMBuildMul(e->builder, first, k->clusters, "")));
  struct cuda__loop tiles = cuda__loop_begin(e, tile, k->tiles, times(k, k->clusters, turns));
  place(k, cuda__get(e, tile), &row, &column);
  sum_up(k, warpgroup, cuda__get(e, tile), cuda__get(e, count));
  if (t->splits > 1)
    finish_shared(k, warpgroup, row, column);
  else
    finish(k, warpgroup, row, column);
  cuda__warp_sync(e); /* threads whose columns are not there went ahead */
  cuda__set(e, count, add(k, cuda__get(e, count), number(k, turns)));
  cuda__loop_end(e, &tiles);
}

/* --- the kernel -------------------------------------------------------------------------------------------------- */

static void annotate(const struct gemm *k, const char *what, LLVMValueRef value)
{
  LLVMContextRef c = k->e->context;
  LLVMMetadataRef part[] = {LLVMValueAsMetadata(k->e->function),
                            LLVMMDStringInContext2(c, what, strlen(what)),
                            LLVMValueAsMetadata(value)};
  LLVMMetadataRef node = LLVMMDNodeInContext2(c, part, 3);
  LLVMAddNamedMetadataOperand(k->e->module, "nvvm.annotations", LLVMMetadataAsValue(c, node));
}

/* Parameters 1 and 2 stay where the launch put them. */
static void annotate_maps(const struct gemm *k)
{
  LLVMContextRef c = k->e->context;
  const char *what = "grid_constant";
  LLVMMetadataRef index[] = {LLVMValueAsMetadata(number(k, 1)), LLVMValueAsMetadata(number(k, 2))};
  LLVMMetadataRef part[] = {LLVMValueAsMetadata(k->e->function),
                            LLVMMDStringInContext2(c, what, strlen(what)),
                            LLVMMDNodeInContext2(c, index, 2)};
  LLVMMetadataRef node = LLVMMDNodeInContext2(c, part, 3);
  LLVMAddNamedMetadataOperand(k->e->module, "nvvm.annotations", LLVMMetadataAsValue(c, node));
}

static void attribute(const struct gemm *k, int param, const char *name, uint64_t value,
                      LLVMTypeRef type)
{
  LLVMContextRef c = k->e->context;
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAttributeRef a = type ? LLVMCreateTypeAttribute(c, kind, type)
                            : LLVMCreateEnumAttribute(c, kind, value);
  LLVMAddAttributeAtIndex(k->e->function, (LLVMAttributeIndex)param, a);
}

/* Arguments: two maps, pointers, sizes where they are not known, the status word. */
static void add_kernel(struct gemm *k)
{
  struct llvm__emit *e = k->e;
  LLVMTypeRef pointer = LLVMPointerTypeInContext(e->context, 0), type[TSR_MAX_RANK * 4];
  LLVMTypeRef map = LLVMArrayType2(LLVMInt8TypeInContext(e->context), 128);
  int pointers = k->g->epilogue->params - 1, n = 2, sizes = k->g->m ? 0 : 3;
  type[0] = type[1] = pointer;
  for (int i = 0; i < pointers; i++)
    type[n++] = pointer;
  for (int i = 0; i < sizes; i++)
    type[n++] = LLVMInt32TypeInContext(e->context);
  type[n++] = pointer;
  LLVMTypeRef signature = LLVMFunctionType(LLVMVoidTypeInContext(e->context), type, (unsigned)n, 0);
  e->function = LLVMAddFunction(e->module, k->g->name, signature);
  annotate(k, "kernel", number(k, 1));
  annotate(k, "maxntidx", number(k, cuda__gemm_launch(k->g).threads));
  annotate(k, "minctasm", number(k, 1));
  annotate_maps(k);
  for (int i = 1; i <= 2; i++) {
    attribute(k, i, "byval", 0, map);
    attribute(k, i, "align", 64, NULL);
  }
  e->place = TSR_NEW_ARRAY(e->arena, struct llvm__place, pointers + 1);
  for (int i = 0; i < pointers; i++) {
    attribute(k, 3 + i, "noalias", 0, NULL);
    attribute(k, 3 + i, "align", ALIGNMENT, NULL);
    e->place[e->places++] =
        (struct llvm__place){.buffer = k->g->epilogue->param[1 + i],
                             .base = LLVMGetParam(e->function, (unsigned)(2 + i))};
  }
  k->map_a = LLVMGetParam(e->function, 0);
  k->map_b = LLVMGetParam(e->function, 1);
  k->y = e->place[pointers - 1].base;
}

static void size(struct gemm *k)
{
  struct llvm__emit *e = k->e;
  const struct cuda__gemm_tile *t = &k->g->tile;
  unsigned first = (unsigned)(1 + k->g->epilogue->params);
  LLVMValueRef depth = number(k, k->g->k);
  k->m = number(k, k->g->m);
  k->n = number(k, k->g->n);
  if (!k->g->m) {
    k->m = LLVMGetParam(e->function, first);
    k->n = LLVMGetParam(e->function, first + 1);
    depth = LLVMGetParam(e->function, first + 2);
  }
  k->steps = tiles_of(k, depth, (int64_t)cuda__gemm_launch(k->g).box_k * t->splits);
  k->tiles_m = tiles_of(k, k->m, (int64_t)t->m * t->cluster);
  k->tiles_n = tiles_of(k, k->n, t->n);
  k->tiles = LLVMBuildMul(e->builder, k->tiles_m, k->tiles_n, "");
}

/* Who and where this thread is. */
static void locate(struct gemm *k)
{
  struct llvm__emit *e = k->e;
  const struct cuda__gemm_tile *t = &k->g->tile;
  int blocks = t->cluster * t->splits;
  LLVMValueRef thread = cuda__special(e, "tid.x"), block = cuda__special(e, "ctaid.x");
  LLVMValueRef size = number(k, blocks);
  k->warp = cuda__uniform(e, over(k, thread, number(k, 32)));
  k->lane = modulo(k, thread, number(k, 32));
  k->cluster = over(k, block, size);
  k->rank = modulo(k, block, size);
  k->clusters = over(k, cuda__special(e, "nctaid.x"), size);
  k->ring = cuda__shared_base(e);
  k->barriers = add(k, k->ring, number(k, t->stages * stage_bytes(t)));
}

static void prepare_barriers(const struct gemm *k)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMValueRef thread = add(k, times(k, k->warp, 32), k->lane);
  LLVMBasicBlockRef done = cuda__if(k->e, equal(k, thread, 0));
  for (int i = 0; i < t->stages; i++) {
    cuda__barrier_init(k->e, barrier_at(k, false, number(k, i)), 1);
    cuda__barrier_init(k->e, barrier_at(k, true, number(k, i)), 4 * readers(t) * t->cluster);
  }
  cuda__barriers_ready(k->e);
  cuda__end_if(k->e, done);
  cuda__warp_sync(k->e);
  if (t->cluster * t->splits > 1)
    cuda__cluster_sync(k->e);
  else
    cuda__block_sync(k->e, number(k, 0), cuda__gemm_launch(k->g).threads);
}

static void copy_part(const struct gemm *k)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMValueRef first = equal(k, k->warp, 4 * t->warpgroups);
  if (trades_registers(t))
    cuda__registers(k->e, false, COPY_REGISTERS);
  LLVMBasicBlockRef done =
      cuda__if(k->e, LLVMBuildAnd(k->e->builder, first, equal(k, k->lane, 0), ""));
  copy_tiles(k);
  cuda__end_if(k->e, done);
  cuda__warp_sync(k->e);
  if (t->splits > 1)
    cuda__cluster_sync(
        k->e); /* with those who multiply, between their partial sums and the whole */
}

static void multiply_part(const struct gemm *k)
{
  if (trades_registers(&k->g->tile))
    cuda__registers(k->e, true, MULTIPLY_REGISTERS);
  multiply_tiles(k);
}

static void take_parts(const struct gemm *k)
{
  struct llvm__emit *e = k->e;
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMBasicBlockRef part[] = {llvm__block(e, "multiply"), llvm__block(e, "copy")};
  LLVMBasicBlockRef end = llvm__block(e, "over");
  LLVMBuildCondBr(e->builder, less(k, k->warp, number(k, 4 * t->warpgroups)), part[0], part[1]);
  LLVMPositionBuilderAtEnd(e->builder, part[0]);
  multiply_part(k);
  LLVMBuildBr(e->builder, end);
  LLVMPositionBuilderAtEnd(e->builder, part[1]);
  copy_part(k);
  LLVMBuildBr(e->builder, end);
  LLVMPositionBuilderAtEnd(e->builder, end);
  if (t->cluster * t->splits > 1)
    cuda__cluster_sync(e); /* nobody leaves while another one still reaches into its memory */
}

void cuda__gemm_emit(struct llvm__emit *e, const struct cuda__gemm *g)
{
  struct gemm *k = TSR_NEW(e->arena, struct gemm);
  *k = (struct gemm){.e = e, .g = g, .blocks_m = rows_of_warpgroup(&g->tile) / 64};
  k->sums = k->blocks_m * g->tile.n / 2;
  e->places = 0;
  e->width = 1;
  add_kernel(k);
  e->entry = llvm__block(e, "entry");
  LLVMBasicBlockRef start = llvm__block(e, "start");
  LLVMPositionBuilderAtEnd(e->builder, start);
  LLVMTypeRef word = LLVMInt32TypeInContext(e->context);
  k->stage = llvm__local(e, word, "stage");
  k->parity = llvm__local(e, word, "parity");
  for (int i = 0; i < k->sums; i++)
    k->sum[i] = llvm__local(e, sum_type(k), "sum");
  locate(k);
  size(k);
  prepare_barriers(k);
  take_parts(k);
  LLVMBuildRetVoid(e->builder);
  LLVMPositionBuilderAtEnd(e->builder, e->entry);
  LLVMBuildBr(e->builder, start);
}

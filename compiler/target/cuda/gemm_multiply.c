/* SPDX-License-Identifier: Apache-2.0 */
/* The warpgroups that multiply out of the ring. */
#include <stdio.h>
#include <string.h>

#include "compiler/target/cuda/gemm_private.h"

static const struct {
  const char *shape, *types;
} multiply[] = {
    [TSR_F16] = {"k16", "f32.f16.f16"},
    [TSR_BF16] = {"k16", "f32.bf16.bf16"},
    [TSR_I8] = {"k32", "s32.s8.s8"},
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
  const char *scales = k->g->in == TSR_I8        ? ""
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
  char kind = k->g->in == TSR_I8 ? 'r' : 'f';
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
  for (int i = 0; i < n; i++)
    all[i] = arg[i];
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
  /* above 18 bits, an address has the block's number in its cluster */
  LLVMValueRef own = LLVMBuildAnd(k->e->builder, address, number(k, 0x3ffff), "");
  LLVMValueRef at = LLVMBuildLShr(k->e->builder, own, number(k, 4), "");
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
  cuda__barrier_arrive(k->e, gemm__barrier(k, true, stage), cluster > 1 ? rank : NULL,
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
  cuda__barrier_wait(e, gemm__barrier(k, false, stage), cuda__get(e, k->parity));
  products(k, warpgroup, cuda__get(e, step));
  cuda__asm(e, NULL, "wgmma.wait_group.sync.aligned 1;", "~{memory}", 0, NULL);
  release(k, cuda__get(e, before), LLVMBuildNot(e->builder, equal(k, cuda__get(e, step), 0), ""));
  cuda__set(e, before, stage);
  gemm__advance(k);
  cuda__loop_end(e, &steps);
  return cuda__get(e, before);
}

static void sum_up(const struct gemm *k, LLVMValueRef warpgroup, LLVMValueRef tile,
                   LLVMValueRef count)
{
  LLVMValueRef always = LLVMConstInt(LLVMInt1TypeInContext(k->e->context), 1, 0);
  gemm__seek(k, LLVMBuildMul(k->e->builder, count, k->steps, ""));
  if (k->g->tile.alternate)
    take_turn(k, warpgroup, count);
  LLVMValueRef last = sum_steps(k, warpgroup);
  if (k->g->tile.alternate)
    give_turn(k, warpgroup, tile);
  with_sums(k, "wgmma.wait_group.sync.aligned 0;", "", 0, NULL);
  release(k, last, always);
}

void gemm__multiply_tiles(const struct gemm *k)
{
  struct llvm__emit *e = k->e;
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMTypeRef type = LLVMInt32TypeInContext(e->context);
  LLVMValueRef tile = llvm__local(e, type, "tile"), count = llvm__local(e, type, "count");
  LLVMValueRef warpgroup = over(k, k->warp, number(k, 4));
  LLVMValueRef first = t->alternate ? warpgroup : number(k, 0);
  int turns = t->alternate ? t->warpgroups : 1;
  cuda__set(e, count, first);
  cuda__set(e, tile, add(k, k->cluster, LLVMBuildMul(e->builder, first, k->clusters, "")));
  struct cuda__loop tiles = cuda__loop_begin(e, tile, k->tiles, times(k, k->clusters, turns));
  struct gemm__place at = gemm__place(k, cuda__get(e, tile));
  sum_up(k, warpgroup, cuda__get(e, tile), cuda__get(e, count));
  if (t->splits > 1)
    gemm__finish_shared(k, warpgroup, &at);
  else
    gemm__finish(k, warpgroup, &at);
  cuda__warp_sync(e); /* threads whose columns are not there went ahead */
  cuda__set(e, count, add(k, cuda__get(e, count), number(k, turns)));
  cuda__loop_end(e, &tiles);
}

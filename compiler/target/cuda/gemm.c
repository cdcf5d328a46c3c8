/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compiler/target/cuda/gemm_private.h"

/* What the epilogue makes. */
static const struct tir_buffer *result_of(const struct cuda__gemm *g)
{
  return g->epilogue->stage[g->epilogue->stages - 1]->out;
}

/* --- what a launch needs ----------------------------------------------------------------------------- */

enum tsr_status cuda__gemm_check(struct tsr_err *err, const struct cuda__gemm *g)
{
  const struct cuda__gemm_tile *t = &g->tile;
  int sums = rows_of_warpgroup(t) / 64 * t->n / 2;
  if (t->warpgroups < 1 || t->warpgroups > 3 || (t->alternate && t->warpgroups != 2))
    return tsr_refuse(err, "%d warpgroups cannot share a tile", t->warpgroups);
  if (t->m % (64 * readers(t)) || t->n % COLUMNS || t->n < COLUMNS || t->n > 256)
    return tsr_refuse(err, "a tile of %d x %d does not consist of products of 64 x (32 to 256)",
                      t->m, t->n);
  if (sums > (t->warpgroups == 3 ? MOST_SUMS / 2 : MOST_SUMS))
    return tsr_refuse(err, "a tile of %d x %d takes %d registers of each thread for its sums", t->m,
                      t->n, sums);
  if (cuda__gemm_launch(g).shared_bytes > SHARED)
    return tsr_refuse(err, "%d stages of %d bytes do not fit %d bytes of shared memory", t->stages,
                      stage_bytes(t), SHARED);
  if (g->b == CUDA__B_ROWS &&
      (t->n / t->cluster % PANEL || bytes_of(g->in) != 2 || bytes_of(result_of(g)->dtype) == 1))
    return tsr_refuse(err, "rows of b cannot be read in tiles of %d columns", t->n / t->cluster);
  if (t->cluster > 1 && (t->splits > 1 || t->n / t->cluster % COLUMNS))
    return tsr_refuse(err, "clusters of %d cannot share tiles of %d columns", t->cluster, t->n);
  if (g->window.taps_h && steps_of_window(g) % t->splits)
    return tsr_refuse(err, "%d blocks cannot share %d steps of a convolution", t->splits,
                      (int)steps_of_window(g));
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
      .box_k = ROW / bytes_of(g->in),
      .box_m = rows_of_tile(g),
      .box_n = t->n / t->cluster,
  };
}

int64_t cuda__gemm_blocks(const struct cuda__gemm *g, int multiprocessors)
{
  const struct cuda__gemm_tile *t = &g->tile;
  int64_t size = t->cluster * t->splits, high = pieces(g->m, t->m);
  if (g->window.taps_h)
    high = boxes_of(&g->window);
  int64_t tiles = g->batch * pieces(high, t->cluster) * pieces(g->n, t->n);
  int64_t most = multiprocessors / size;
  return (t->splits > 1 || tiles < most ? tiles : most) * size;
}

static int smaller(int64_t x, int64_t y)
{
  return (int)(x < y ? x : y);
}

void cuda__gemm_set_box(struct cuda__gemm_window *w, int most)
{
  struct cuda__gemm_window try = *w;
  int64_t fewest = INT64_MAX;
  for (int wide = smaller(w->wide, most); wide >= 1; wide--) {
    try.box_wide = wide;
    try.box_high = smaller(w->high, most / wide);
    try.box_images = smaller(w->images, most / (wide * try.box_high));
    if ((try.box_wide - 1) * w->step_w >= 256 || (try.box_high - 1) * w->step_h >= 256 ||
        boxes_of(&try) >= fewest)
      continue;
    fewest = boxes_of(&try);
    *w = try;
  }
}

int64_t cuda__gemm_row(int64_t i)
{
  int64_t j = i % COLUMNS / 8, q = i % 8 / 2, c = i % 2;
  return i / COLUMNS * COLUMNS + q * RUN + j * 2 + c;
}

/* --- tiles ------------------------------------------------------------------------------------------- */

static void set_pixel(const struct gemm *k, LLVMValueRef tile, struct gemm__place *at)
{
  const struct cuda__gemm_window *w = &k->g->window;
  LLVMValueRef across = number(k, pieces(w->wide, w->box_wide));
  LLVMValueRef below = number(k, pieces(w->high, w->box_high)), row = over(k, tile, across);
  at->x = times(k, modulo(k, tile, across), w->box_wide);
  at->y = times(k, modulo(k, row, below), w->box_high);
  at->image = times(k, over(k, row, below), w->box_images);
}

struct gemm__place gemm__place(const struct gemm *k, LLVMValueRef tile)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef group = number(k, t->group), product = number(k, 0);
  if (k->g->batch > 1) {
    LLVMValueRef each = LLVMBuildMul(b, k->tiles_m, k->tiles_n, "");
    product = over(k, tile, each);
    tile = modulo(k, tile, each);
  }
  LLVMValueRef each = LLVMBuildMul(b, group, k->tiles_n, "");
  LLVMValueRef top = LLVMBuildMul(b, over(k, tile, each), group, "");
  LLVMValueRef left = LLVMBuildSub(b, k->tiles_m, top, "");
  LLVMValueRef high = LLVMBuildSelect(b, less(k, left, group), left, group, "");
  LLVMValueRef in_group = modulo(k, tile, each);
  LLVMValueRef down = add(k, top, modulo(k, in_group, high));
  LLVMValueRef column = times(k, over(k, in_group, high), t->n);
  if (t->cluster > 1)
    down = add(k, times(k, down, t->cluster), k->rank);
  struct gemm__place at = {.product = product, .row = times(k, down, t->m), .column = column};
  if (k->g->window.taps_h)
    set_pixel(k, down, &at);
  return at;
}

/* Of pixels that are read beyond the last tile, images say that they are none. */
static LLVMValueRef pixel_row(const struct gemm *k, const struct gemm__place *at,
                              LLVMValueRef local, LLVMValueRef *inside)
{
  const struct cuda__gemm_window *w = &k->g->window;
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef wide = number(k, w->box_wide), high = number(k, w->box_high);
  LLVMValueRef above = over(k, local, wide), image = add(k, at->image, over(k, above, high));
  LLVMValueRef y = add(k, at->y, modulo(k, above, high)), x = add(k, at->x, modulo(k, local, wide));
  *inside = LLVMBuildAnd(b, less(k, y, number(k, w->high)), less(k, x, number(k, w->wide)), "");
  *inside = LLVMBuildAnd(b, *inside, less(k, image, number(k, w->images)), "");
  *inside = LLVMBuildAnd(b, *inside, less(k, local, number(k, rows_of_tile(k->g))), "");
  return add(k, times(k, add(k, times(k, image, w->high), y), w->wide), x);
}

LLVMValueRef gemm__row(const struct gemm *k, const struct gemm__place *at, LLVMValueRef local,
                       LLVMValueRef *inside)
{
  if (k->g->window.taps_h)
    return pixel_row(k, at, local, inside);
  LLVMValueRef row = add(k, at->row, local);
  LLVMValueRef before = LLVMBuildMul(k->e->builder, at->product, k->m, "");
  *inside = less(k, row, k->m);
  return k->g->batch > 1 ? add(k, before, row) : row;
}

LLVMValueRef gemm__barrier(const struct gemm *k, bool empty, LLVMValueRef stage)
{
  LLVMValueRef base = add(k, k->barriers, number(k, empty ? 8 * k->g->tile.stages : 0));
  return add(k, base, times(k, stage, 8));
}

/* The ring's place behind so many tiles of k. */
void gemm__seek(const struct gemm *k, LLVMValueRef position)
{
  LLVMValueRef stages = number(k, k->g->tile.stages);
  cuda__set(k->e, k->stage, modulo(k, position, stages));
  cuda__set(k->e, k->parity,
            LLVMBuildAnd(k->e->builder, over(k, position, stages), number(k, 1), ""));
}

void gemm__advance(const struct gemm *k)
{
  LLVMBuilderRef b = k->e->builder;
  LLVMValueRef next = add(k, cuda__get(k->e, k->stage), number(k, 1));
  LLVMValueRef wraps = equal(k, next, k->g->tile.stages);
  LLVMValueRef parity = cuda__get(k->e, k->parity);
  LLVMValueRef other = LLVMBuildXor(b, parity, number(k, 1), "");
  cuda__set(k->e, k->stage, LLVMBuildSelect(b, wraps, number(k, 0), next, ""));
  cuda__set(k->e, k->parity, LLVMBuildSelect(b, wraps, other, parity, ""));
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
  k->depth = number(k, k->g->k);
  k->m = number(k, k->g->m);
  k->n = number(k, k->g->n);
  if (!k->g->m) {
    k->m = LLVMGetParam(e->function, first);
    k->n = LLVMGetParam(e->function, first + 1);
    k->depth = LLVMGetParam(e->function, first + 2);
  }
  k->steps = tiles_of(k, k->depth, (int64_t)cuda__gemm_launch(k->g).box_k * t->splits);
  k->tiles_m = tiles_of(k, k->m, (int64_t)t->m * t->cluster);
  if (k->g->window.taps_h) {
    k->steps = number(k, steps_of_window(k->g) / t->splits);
    k->tiles_m = number(k, pieces(boxes_of(&k->g->window), t->cluster));
  }
  k->tiles_n = tiles_of(k, k->n, t->n);
  k->tiles = times(k, LLVMBuildMul(e->builder, k->tiles_m, k->tiles_n, ""), k->g->batch);
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
    cuda__barrier_init(k->e, gemm__barrier(k, false, number(k, i)), 1);
    cuda__barrier_init(k->e, gemm__barrier(k, true, number(k, i)), 4 * readers(t) * t->cluster);
  }
  cuda__barriers_ready(k->e);
  cuda__end_if(k->e, done);
  cuda__warp_sync(k->e);
  if (t->cluster * t->splits > 1)
    cuda__cluster_meet(k->e);
  else
    cuda__block_sync(k->e, number(k, 0), cuda__gemm_launch(k->g).threads);
}

static void copy_part(const struct gemm *k)
{
  const struct cuda__gemm_tile *t = &k->g->tile;
  LLVMValueRef first = equal(k, k->warp, 4 * t->warpgroups);
  if (trades_registers(t))
    cuda__registers(k->e, false, k->g->tile.warpgroups == 2 ? 40 : 32);
  LLVMBasicBlockRef done =
      cuda__if(k->e, LLVMBuildAnd(k->e->builder, first, equal(k, k->lane, 0), ""));
  gemm__copy_tiles(k);
  cuda__end_if(k->e, done);
  cuda__warp_sync(k->e);
  if (t->splits > 1)
    cuda__cluster_sync(
        k->e); /* with those who multiply, between their partial sums and the whole */
}

static void multiply_part(const struct gemm *k)
{
  if (trades_registers(&k->g->tile))
    cuda__registers(k->e, true, k->g->tile.warpgroups == 2 ? 232 : 160);
  gemm__multiply_tiles(k);
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
    cuda__cluster_meet(e); /* nobody leaves while another one still reaches into its memory */
}

void cuda__gemm_emit(struct llvm__emit *e, const struct cuda__gemm *g)
{
  struct gemm *k = TSR_NEW(e->arena, struct gemm);
  *k = (struct gemm){
      .e = e, .g = g, .result = result_of(g), .blocks_m = rows_of_warpgroup(&g->tile) / 64};
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

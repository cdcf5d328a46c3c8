/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules of matrix products on tensor cores. A block computes a tile of the result in registers,
 * its warps next to one another along the rows; tiles of both sides pass through shared memory, and
 * of these the fragments of a warp through registers. */
#include "compiler/target/cuda/plan.h"
#include "compiler/target/cuda/product.h"
#include "tensorize/cuda.h"

enum {
  FRAGMENT_ROWS = 16,
  FRAGMENT_COLUMNS = 8, /* of what one instruction computes */
  FRAGMENT_BYTES = 32,  /* of its depth */
  BLOCKS = 128,         /* that fill a GPU */
};

/* --- tiles ------------------------------------------------------------------------------------ */

static int64_t pieces(int64_t n, int64_t of)
{
  return (n + of - 1) / of;
}

/* From large to small: rows and columns of a block, and its warps, or threads along each side. */
struct shape {
  int64_t rows, columns, warps;
};
enum { SHAPES = 6 };
static const struct shape warp_shapes[SHAPES] = {{128, 128, 4}, {128, 64, 4}, {64, 64, 2},
                                                 {64, 32, 4},   {32, 32, 2},  {16, 16, 1}};
static const struct shape thread_shapes[SHAPES] = {{128, 128, 16}, {128, 64, 16}, {64, 64, 16},
                                                   {64, 32, 8},    {32, 64, 8},   {32, 32, 8}};

/* Blocks enough, and little of them behind the ends. */
static const struct shape *choose_shape(const struct cuda__product *p)
{
  const struct shape *shapes = p->tensor_cores ? warp_shapes : thread_shapes;
  const struct shape *best = &shapes[SHAPES - 1];
  int64_t least = INT64_MAX;
  for (int i = 0; i < SHAPES; i++) {
    const struct shape *s = &shapes[i];
    int64_t blocks = p->batch * pieces(p->rows, s->rows) * pieces(p->columns, s->columns);
    /* what a wave of blocks computes, and what it loads for that */
    int64_t cost = pieces(blocks, BLOCKS) * (s->rows * s->columns + 32 * (s->rows + s->columns));
    if (cost < least) {
      least = cost;
      best = s;
    }
  }
  return best;
}

static struct cuda__tile choose_tile(const struct cuda__product *p)
{
  const struct shape *s = choose_shape(p);
  if (!p->tensor_cores)
    return (struct cuda__tile){
        .rows = s->rows, .columns = s->columns, .depth = 8, .threads = s->warps, .stages = 3};
  int64_t bytes = p->depth * (int64_t)tsr_dtype_bytes(p->dtype) <= FRAGMENT_BYTES
                      ? FRAGMENT_BYTES
                      : 2 * FRAGMENT_BYTES;
  return (struct cuda__tile){.rows = s->rows,
                             .columns = s->columns,
                             .depth = bytes / (int64_t)tsr_dtype_bytes(p->dtype),
                             .warps = s->warps,
                             .stages = 4};
}

/* --- lines ------------------------------------------------------------------------------------ */

struct product_planner {
  struct cuda__planner plan;
  const struct cuda__product *p;
  const struct cuda__tile *tile;
  int64_t depth; /* elements of FRAGMENT_BYTES */
  const char *a, *b, *acc, *out;
};

#define DO(...)                                                                                    \
  do {                                                                                             \
    if (tir_sched_do(p->plan.sched, p->plan.err, __VA_ARGS__))                                     \
      return TSR_REFUSED;                                                                          \
  } while (0)

/* The axes of the result along `along` as one loop; NULL: there are none. */
static enum tsr_status fuse_along(struct product_planner *p, enum cuda__along along,
                                  const char **out)
{
  const char *name[TSR_MAX_RANK];
  int n = 0;
  for (int k = 0; k < p->p->sum->out->rank; k++)
    if (p->p->along[k] == along && p->p->sum->axis[k].extent > 1)
      name[n++] = tsr_arena_printf(p->plan.a, "x%d", k);
  *out = NULL;
  if (!n)
    return TSR_OK;
  return cuda__fuse(&p->plan, p->out, n, name, out);
}

static enum tsr_status order_axes(struct product_planner *p)
{
  static const enum cuda__along order[] = {CUDA__ALONG_BATCH, CUDA__ALONG_ROWS,
                                           CUDA__ALONG_COLUMNS};
  struct tsr_text line = {.arena = p->plan.a};
  int n = 0;
  tsr_text_add(&line, "reorder %s", p->out);
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < p->p->sum->out->rank; k++)
      if (p->p->along[k] == order[i] && ++n)
        tsr_text_add(&line, " x%d", k);
  return n > 1 ? tir_sched_apply(p->plan.sched, p->plan.err, line.data) : TSR_OK;
}

/* Columns as tiles nb, and in these `block` times `threads` times what one thread stores side by
 * side, at most 4. Where that does not divide them the last tile has fewer, and stores are one by
 * one. */
static enum tsr_status split_columns(struct product_planner *p, const char *n, int64_t threads,
                                     int64_t run, const char *names[3])
{
  const char *s = p->out, *block = names[0], *thread = names[1], *lane = names[2];
  if (p->p->columns % run == 0) {
    DO("split %s %s %lld nr %s", s, n, (long long)run, lane);
    DO("split %s nr %lld nb nt", s, (long long)(p->tile->columns / run));
    DO("split %s nt %lld %s %s", s, (long long)threads, block, thread);
    return TSR_OK;
  }
  DO("split %s %s %lld nb nt", s, n, (long long)p->tile->columns);
  DO("split %s nt %lld %s nr", s, (long long)(threads * run), block);
  DO("split %s nr %lld %s %s", s, (long long)run, thread, lane);
  DO("unroll %s %s", s, lane);
  return TSR_OK;
}

/* Blocks, and in each the fragments as the tensor cores leave them in registers. */
static enum tsr_status plan_out(struct product_planner *p, const char **inner)
{
  const char *z, *m, *n, *s = p->out;
  const struct cuda__tile *t = p->tile;
  if (order_axes(p) || fuse_along(p, CUDA__ALONG_BATCH, &z) ||
      fuse_along(p, CUDA__ALONG_ROWS, &m) || fuse_along(p, CUDA__ALONG_COLUMNS, &n))
    return TSR_REFUSED;
  DO("split %s %s %lld mb mt", s, m, (long long)t->rows);
  if (split_columns(p, n, FRAGMENT_COLUMNS / 2, 2, (const char *[]){"j", "cx", "cl"}))
    return TSR_REFUSED;
  DO("split %s mt %lld w mw", s, (long long)(t->rows / t->warps));
  DO("split %s mw %d i r", s, FRAGMENT_ROWS);
  DO("split %s r %d rh rl", s, FRAGMENT_ROWS / 2);
  DO("reorder %s mb nb w j cx i rh rl cl", s);
  if (z)
    DO("bind %s %s block.z", s, z);
  *inner = "nb";
  return TSR_OK;
}

static enum tsr_status bind_out(struct product_planner *p)
{
  const char *s = p->out;
  DO("bind %s mb block.x", s);
  DO("bind %s nb block.y", s);
  DO("bind %s w thread.z", s);
  DO("bind %s rl thread.y", s);
  DO("bind %s cx thread.x", s);
  DO("unroll %s i", s);
  DO("unroll %s rh", s);
  DO("unroll %s j", s);
  return TSR_OK;
}

static enum tsr_status plan_sum(struct product_planner *p, const char *at)
{
  const char *s = p->acc;
  const struct cuda__tile *t = p->tile;
  DO("set_scope %s register", s);
  DO("pad %s m %lld", s, (long long)t->rows);
  DO("pad %s n %lld", s, (long long)t->columns);
  DO("compute_at %s %s %s", s, p->out, at);
  DO("split %s k %lld ko ki", s, (long long)t->depth);
  DO("split %s ki %lld ks kk", s, (long long)p->depth);
  DO("split %s m %lld w mw", s, (long long)(t->rows / t->warps));
  DO("split %s mw %d i r", s, FRAGMENT_ROWS);
  DO("split %s n %d j c", s, FRAGMENT_COLUMNS);
  DO("reorder %s ko w ks i j r c kk", s);
  return TSR_OK;
}

/* A tile on its way to shared memory: 16 bytes of `inner` at a time, by threads next to one another
 * along it, if elements lie so; else 4 that are collected, by threads along `outer`. */
static enum tsr_status plan_side(struct product_planner *p, const char *s, const char *outer,
                                 const char *inner, bool side_by_side)
{
  int64_t run = (side_by_side ? 16 : 4) / (int64_t)tsr_dtype_bytes(p->p->dtype);
  DO("set_scope %s shared", s);
  DO("compute_at %s %s ko", s, p->acc);
  DO("split %s %s %lld runs run", s, inner, (long long)run);
  if (!side_by_side)
    DO("reorder %s runs %s", s, outer);
  DO("fuse %s %s %s f", s, side_by_side ? outer : "runs", side_by_side ? "runs" : outer);
  DO("split %s f %lld fo fw", s, (long long)(32 * p->tile->warps));
  DO("split %s fw 32 w l", s);
  DO("split %s l 4 ly lx", s);
  DO("bind %s w thread.z", s);
  DO("bind %s ly thread.y", s);
  DO("bind %s lx thread.x", s);
  if (side_by_side) /* else it is long */
    DO("unroll %s fo", s);
  return TSR_OK;
}

/* Fragments of a warp for one step of the depth: 16 elements of `along` in each. */
static enum tsr_status plan_fragments(struct product_planner *p, const char *s, const char *along,
                                      bool turned)
{
  DO("compute_at %s %s ks", s, p->acc);
  DO("split %s %s 16 i r", s, along);
  if (turned)
    DO("reorder %s i k r", s);
  DO("unroll %s i", s);
  return TSR_OK;
}

/* A copy of a side with a dim last: each thread collects 16 bytes along it, by threads along the
 * last of the others, where they lie side by side before. */
static enum tsr_status plan_moved(struct product_planner *p, const struct tir_stage *s)
{
  const char *name[TSR_MAX_RANK + 1] = {"runs"}, *all;
  int last = s->out->rank - 1;
  struct tsr_text line = {.arena = p->plan.a};
  DO("split %s d%d %lld runs run", s->name, last,
     (long long)(16 / (int64_t)tsr_dtype_bytes(s->out->dtype)));
  tsr_text_add(&line, "reorder %s runs", s->name);
  for (int d = 0; d < last; d++) {
    name[d + 1] = tsr_arena_printf(p->plan.a, "d%d", d);
    tsr_text_add(&line, " d%d", d);
  }
  if (tir_sched_apply(p->plan.sched, p->plan.err, line.data) ||
      cuda__fuse(&p->plan, s->name, last + 1, name, &all))
    return TSR_REFUSED;
  DO("split %s %s 128 block thread", s->name, all);
  DO("bind %s block block.x", s->name);
  DO("bind %s thread thread.x", s->name);
  return TSR_OK;
}

static enum tsr_status plan_tensor_cores(struct product_planner *p)
{
  const char *at, *fa = "fa", *fb = "fb";
  DO("cache_read %s register %s %s", p->a, p->acc, fa);
  DO("cache_read %s register %s %s", p->b, p->acc, fb);
  bool turned = p->p->turned[CUDA__COLUMNS];
  if (plan_out(p, &at) || plan_sum(p, at) || plan_fragments(p, fa, "m", false) ||
      plan_fragments(p, fb, "n", turned) ||
      plan_side(p, p->a, "m", "k", p->p->side_by_side[CUDA__ROWS]) ||
      (turned ? plan_side(p, p->b, "k", "n", true)
              : plan_side(p, p->b, "n", "k", p->p->side_by_side[CUDA__COLUMNS])))
    return TSR_REFUSED;
  const char *dtype = tsr_dtype_name(p->p->dtype);
  DO("tensorize %s r cuda.ldmatrix.a.%s", fa, dtype);
  DO("tensorize %s %s cuda.ldmatrix.%s.%s", fb, turned ? "k" : "r", turned ? "t" : "b", dtype);
  DO("bind %s w thread.z", p->acc);
  DO("pipeline %s ko %d", p->acc, p->tile->stages);
  DO("unroll %s ks", p->acc);
  DO("unroll %s i", p->acc);
  DO("unroll %s j", p->acc);
  DO("tensorize %s r cuda.mma.%s%s", p->acc, turned ? "t." : "", dtype);
  return bind_out(p);
}

/* --- without tensor cores --------------------------------------------------------------------- */

static enum tsr_status plan_copies(struct product_planner *p, const char *s, const char *along,
                                   bool along_side)
{
  int64_t threads = p->tile->threads;
  DO("set_scope %s shared", s);
  DO("compute_at %s %s ko", s, p->acc);
  if (!along_side)
    DO("reorder %s %s k", s, along);
  DO("fuse %s %s %s f", s, along_side ? "k" : along, along_side ? along : "k");
  DO("split %s f %lld fo fw", s, (long long)(threads * threads));
  DO("split %s fw %lld ty tx", s, (long long)threads);
  DO("bind %s ty thread.y", s);
  DO("bind %s tx thread.x", s);
  DO("unroll %s fo", s);
  return TSR_OK;
}

/* A square of threads, each with 4 by 4 results, or several such, a square of threads apart. */
static enum tsr_status plan_threads(struct product_planner *p)
{
  const char *z, *m, *n, *out = p->out, *acc = p->acc;
  const struct cuda__tile *t = p->tile;
  if (order_axes(p) || fuse_along(p, CUDA__ALONG_BATCH, &z) ||
      fuse_along(p, CUDA__ALONG_ROWS, &m) || fuse_along(p, CUDA__ALONG_COLUMNS, &n))
    return TSR_REFUSED;
  DO("split %s %s %lld mb mt", out, m, (long long)t->rows);
  DO("split %s mt %lld mi mr", out, (long long)(4 * t->threads));
  DO("split %s mr 4 ty m4", out);
  if (split_columns(p, n, t->threads, 4, (const char *[]){"ni", "tx", "n4"}))
    return TSR_REFUSED;
  DO("reorder %s mb nb mi ty m4 ni tx n4", out);
  DO("set_scope %s register", acc);
  DO("pad %s m %lld", acc, (long long)t->rows);
  DO("pad %s n %lld", acc, (long long)t->columns);
  DO("compute_at %s %s nb", acc, out);
  DO("split %s k %lld ko ki", acc, (long long)t->depth);
  DO("split %s m %lld mi mr", acc, (long long)(4 * t->threads));
  DO("split %s mr 4 ty m4", acc);
  DO("split %s n %lld ni nr", acc, (long long)(4 * t->threads));
  DO("split %s nr 4 tx n4", acc);
  DO("reorder %s ko ty tx ki mi m4 ni n4", acc);
  if (plan_copies(p, p->a, "m", p->p->along_side[CUDA__ROWS]) ||
      plan_copies(p, p->b, "n", p->p->along_side[CUDA__COLUMNS]))
    return TSR_REFUSED;
  DO("pipeline %s ko %d", acc, t->stages);
  DO("bind %s ty thread.y", acc);
  DO("bind %s tx thread.x", acc);
  if (z)
    DO("bind %s %s block.z", out, z);
  DO("bind %s mb block.x", out);
  DO("bind %s nb block.y", out);
  DO("bind %s ty thread.y", out);
  DO("bind %s tx thread.x", out);
  DO("unroll %s mi", out);
  DO("unroll %s m4", out);
  DO("unroll %s ni", out);
  return TSR_OK;
}

enum tsr_status cuda__plan_product(struct tsr_arena *a, struct tsr_err *err,
                                   const struct tir_func *f, struct tir_sched **out)
{
  struct cuda__product product;
  *out = NULL;
  if (!cuda__product_of(a, f, &product) || product.rows < CUDA__LEAST ||
      product.columns < CUDA__LEAST)
    return TSR_OK;
  struct cuda__tile tile = choose_tile(&product);
  struct tir_func *to = cuda__matrices(a, &product, &tile);
  struct tir_sched *sched = tir_sched_new(a, to);
  struct tir_intrinsics intrinsics = {tsr_tensorize_match, tsr_cuda_intrinsics(a)};
  tir_sched_intrinsics(sched, &intrinsics);
  struct product_planner p = {.plan = {.a = a, .err = err, .sched = sched},
                              .p = &product,
                              .tile = &tile,
                              .depth = FRAGMENT_BYTES / (int64_t)tsr_dtype_bytes(product.dtype),
                              .a = to->stage[to->stages - 4]->name,
                              .b = to->stage[to->stages - 3]->name,
                              .acc = to->stage[to->stages - 2]->name,
                              .out = to->stage[to->stages - 1]->name};
  for (int i = 0; i < to->stages - 4; i++)
    if (plan_moved(&p, to->stage[i]))
      return TSR_REFUSED;
  if (product.tensor_cores ? plan_tensor_cores(&p) : plan_threads(&p))
    return TSR_REFUSED;
  *out = sched;
  return TSR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of products. One factor, the columns, lies side by side along the result's last axis; the
 * other, the rows, stands still there (or moves along with it: depthwise). A tile of T rows by V
 * vectors of columns is kept in registers for the whole sum, so that T + V loads make T * V
 * multiplications. Around the tiles, the loops run such that what is read again and again, the
 * columns of one tile and the rows of one block, stays in the caches. */
#include <string.h>

#include "compiler/target/cpu/plan.h"

enum {
  MOST_COLUMNS = 4, /* vectors of a tile */
  DOT = 16,
  DOT_BYTES = 4,   /* what an intrinsic computes: sums, bytes of a row that are multiplied */
  LATENCY = 5,     /* cycles from one addition to a sum to the next */
  TILE_CYCLES = 3, /* of a register, to start and to store */
  COLUMN_CYCLES = 2,
  QUANT_CYCLES = 16,       /* of a vector of columns, for the stage behind */
  BLOCK_BYTES = 384 << 10, /* of a cache of one core that a block may take */
  FAR_BYTES = 1 << 10,     /* from one row of a matrix to the next */
  NEAR_BYTES = 24 << 10,   /* of the first cache that columns may take */
  LOADED_ROWS = 8,         /* of a tile that has loads for each of its vectors */
  UNROLLED = 288,          /* steps of a tile that are written out */
  INLINED = 9,             /* terms of sums that padding may be part of */
  PARALLEL_PRODUCTS = 1 << 19,
  PARALLEL_PARTS = 8, /* iterations that threads should have to share out */
};

#define LOAD_CYCLES 0.15 /* of one that a multiplication hides, on average */

struct product {
  struct cpu__planner *p;
  const struct tir_stage *s;
  tir_e row, column;        /* loads; row stands still along the lanes, or both move */
  int lanes, rows, columns; /* axes; -1: none. columns may be lanes */
  int block;                /* axis of which blocks are made; may be rows */
  int terms;                /* products that are one step of a sum: of an intrinsic, more than 1 */
  const char *dot, *dot_lane; /* intrinsic, and its loop in a trial; NULL: vectors of lanes */
  int lane;                   /* elements of one vector of the tile */
  bool inlines;               /* padding is part of the sums: what it copies is read once anyway */
  bool apart;                 /* a vector of columns is not followed by the next one */
  int column_cycles;
  int64_t T, V, blocked;        /* rows, vectors; iterations of `block` in a block */
  const struct tir_stage *host; /* whose loops hold the tile: s, or the stage behind it */
  struct tsr_text outer;        /* loops around the tile, outer to inner */
  const char *innermost, *parallel;
  int64_t shares; /* iterations of `parallel` */
};

/* --- loads ------------------------------------------------------------------------------------ */

static bool moves(struct cpu__planner *p, tir_e load, int axis)
{
  int64_t step;
  return !cpu__axis_step(p, load, axis, &step) || step != 0;
}

static bool moves_at_all(struct cpu__planner *p, tir_e load)
{
  for (int i = 0; i < p->s->axes; i++)
    if (moves(p, load, i))
      return true;
  return false;
}

/* The loads of x that are not the same for the whole stage; more than two do not count. */
static int collect(struct cpu__planner *p, tir_e x, tir_e *load, int n)
{
  if (x->op == TIR_LOAD) {
    for (int i = 0; i < n && i < 2; i++)
      if (load[i] == x)
        return n;
    if (!moves_at_all(p, x))
      return n;
    if (n < 2)
      load[n] = x;
    return n + 1;
  }
  for (int i = 0; i < x->args; i++)
    n = collect(p, x->arg[i], load, n);
  return n;
}

/* Products that an intrinsic may add up in a lane: four of bytes, two of bf16. */
static int terms_of(enum tsr_dtype dtype)
{
  size_t bytes = tsr_dtype_bytes(dtype);
  return bytes == 1 || dtype == TSR_BF16 ? DOT_BYTES / (int)bytes : 1;
}

/* Side by side, element by element or, of what is small, four bytes by four. */
static bool runs_along(struct cpu__planner *p, tir_e load, int axis)
{
  int64_t step;
  cpu__axis_step(p, load, axis, &step);
  return step == 1 || step == terms_of(load->buffer->dtype);
}

/* Columns along the lanes are one row of memory. */
static bool is_row_of(struct product *d, int64_t *step)
{
  bool affine = cpu__axis_step(d->p, d->column, d->lanes, step);
  return affine && *step == 1;
}

static bool is_still(struct cpu__planner *p, tir_e load, int axis)
{
  return !moves(p, load, axis);
}

/* Which load is which, and lanes along the last axis of the result. */
static bool find_factors(struct product *d)
{
  const struct tir_stage *s = d->s;
  tir_e load[2];
  int last = s->out->rank - 1;
  while (last > 0 && s->axis[last].extent == 1)
    last--;
  if (last < 0 || s->combine != TIR_SUM || s->value->op != TIR_MUL ||
      collect(d->p, s->value, load, 0) != 2)
    return false;
  d->lanes = last;
  for (int k = 0; k < 2; k++)
    if (runs_along(d->p, load[k], last) &&
        (is_still(d->p, load[!k], last) || runs_along(d->p, load[!k], last))) {
      d->column = load[k];
      d->row = load[!k];
    }
  return d->column != NULL;
}

/* Weights of a depthwise convolution are what stands still along a row of the map. */
static void sort_factors(struct product *d)
{
  for (int i = d->lanes - 1; i >= 0; i--) {
    if (d->s->axis[i].extent == 1 || is_still(d->p, d->column, i) == is_still(d->p, d->row, i))
      continue;
    if (moves(d->p, d->row, d->lanes) && is_still(d->p, d->row, i)) {
      tir_e other = d->row;
      d->row = d->column;
      d->column = other;
    }
    return;
  }
}

static bool is_row_axis(const struct product *d, int i)
{
  return i != d->lanes && d->s->axis[i].extent > 1 && is_still(d->p, d->column, i) &&
         moves(d->p, d->row, i);
}

static bool is_column_axis(const struct product *d, int i)
{
  return i != d->lanes && d->s->axis[i].extent > 1 && is_still(d->p, d->row, i) &&
         moves(d->p, d->column, i);
}

static void find_axes(struct product *d)
{
  d->rows = d->columns = d->block = -1;
  for (int i = 0; i < d->s->out->rank; i++) {
    if (is_row_axis(d, i)) {
      d->block = d->rows;
      d->rows = i;
    }
    if (is_column_axis(d, i))
      d->columns = i;
  }
  if (d->columns < 0)
    d->columns = d->lanes;
  if (d->block < 0)
    d->block = d->rows;
}

/* --- which intrinsic -------------------------------------------------------------------------- */

static int last_reduce(const struct tir_stage *s)
{
  int i = s->axes - 1;
  while (i >= s->out->rank && s->axis[i].extent == 1)
    i--;
  return i >= s->out->rank ? i : -1;
}

/* Splits an axis of s where it is longer; *inner is the loop of `n`. */
static enum tsr_status cut(struct product *d, struct tir_sched *sched, const struct tir_stage *s,
                           int axis, int64_t n, const char *suffix, const char **outer,
                           const char **inner)
{
  const char *name = cpu__axis_name(s, axis);
  *outer = NULL;
  *inner = name;
  if (n >= s->axis[axis].extent)
    return TSR_OK;
  *outer = tsr_arena_printf(d->p->e.arena, "%s.%so", name, suffix);
  *inner = tsr_arena_printf(d->p->e.arena, "%s.%si", name, suffix);
  return tir_sched_do(sched, d->p->err, "split %s %s %lld %s %s", s->name, name, (long long)n,
                      *outer, *inner);
}

static void add_loop(struct tsr_text *line, const char *loop)
{
  if (loop)
    tsr_text_add(line, " %s", loop);
}

/* 16 sums and the terms of each to the inside. */
static enum tsr_status order_trial(struct product *d, struct tir_sched *trial, int k)
{
  struct tsr_text line = {.arena = d->p->e.arena};
  const struct tir_stage *s = d->s;
  const char *lane, *term, *outer[2];
  if (cut(d, trial, s, d->lanes, DOT, "d", &outer[0], &lane) ||
      cut(d, trial, s, k, d->terms, "d", &outer[1], &term))
    return TSR_REFUSED;
  tsr_text_add(&line, "reorder %s", s->name);
  for (int i = 0; i < s->axes; i++)
    if (i != d->lanes && i != k)
      add_loop(&line, cpu__axis_name(s, i));
  add_loop(&line, outer[0]);
  add_loop(&line, outer[1]);
  add_loop(&line, lane);
  add_loop(&line, term);
  d->dot_lane = lane;
  return tir_sched_apply(trial, d->p->err, line.data);
}

/* Tries each intrinsic. */
static const char *matching(struct product *d)
{
  static const char *const names[] = {"x86.dot4.offset", "x86.dot4.u8s8", "x86.dot4.s8s8",
                                      "x86.dot2.bf16"};
  const struct tir_stage *s = d->s;
  struct tsr_err none;
  struct tsr_err *err = d->p->err;
  const char *found = NULL;
  int k = last_reduce(s);
  d->terms = terms_of(d->row->buffer->dtype);
  if (d->terms == 1 || k < 0 || s->axis[d->lanes].extent % DOT || s->axis[k].extent % d->terms)
    return NULL;
  struct tir_sched *trial = tir_sched_new(d->p->e.arena, d->p->func);
  tir_sched_intrinsics(trial, d->p->intrinsics);
  d->p->err = &none;
  bool ordered = !order_trial(d, trial, k);
  for (size_t i = 0; ordered && i < sizeof names / sizeof *names && !found; i++)
    if (!tir_sched_do(trial, &none, "tensorize %s %s %s", s->name, d->dot_lane, names[i]))
      found = names[i];
  d->p->err = err;
  return found;
}

/* --- how large a tile ------------------------------------------------------------------------- */

static int64_t at_most(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static int64_t extent_of(const struct product *d, int axis)
{
  return axis < 0 ? 1 : d->s->axis[axis].extent;
}

/* Vectors along the columns in all. */
static int64_t vectors_of(const struct product *d)
{
  if (d->columns != d->lanes)
    return extent_of(d, d->columns);
  return (extent_of(d, d->lanes) + d->lane - 1) / d->lane;
}

static int64_t steps_of(const struct product *d)
{
  int64_t n = 1;
  for (int i = d->s->out->rank; i < d->s->axes; i++)
    n *= d->s->axis[i].extent;
  return d->dot ? n / d->terms : n;
}

/* Vector registers that one row has in one piece of the columns. */
static int64_t registers_of(const struct product *d)
{
  int64_t elements = d->columns == d->lanes ? d->lane : extent_of(d, d->lanes);
  int64_t bytes = elements * (int64_t)tsr_dtype_bytes(d->s->out->dtype);
  return (bytes + d->p->e.machine.vector_bytes - 1) / d->p->e.machine.vector_bytes;
}

/* Whether the intrinsic is one instruction. */
static bool is_instruction(const struct product *d)
{
  return d->terms == DOT_BYTES ? d->p->e.machine.dot : d->p->e.machine.bf16;
}

static bool fits(const struct product *d, int64_t T, int64_t V)
{
  int64_t n = registers_of(d), wide = d->dot && !is_instruction(d) ? 2 : 1;
  int64_t room = d->p->e.machine.registers;
  if (moves(d->p, d->row, d->lanes)) /* no broadcast */
    return T * V * n + 2 * n <= room && T <= LOADED_ROWS;
  return T * V * n + V * n * wide + wide <= room;
}

/* Cycles of one tile: two multiplications and two loads in each. Columns come from a farther cache
 * where they are many. */
static double tile_cycles(const struct product *d, int64_t T, int64_t V)
{
  double n = (double)registers_of(d), products = T * V * n / 2;
  bool far = steps_of(d) * V * (int64_t)n * d->p->e.machine.vector_bytes > NEAR_BYTES;
  double loads = (T * (d->dot ? 1.5 : 1) + (far ? 4 : 2) * V * n) / 2;
  double step = products > loads ? products : loads;
  step = (step > LATENCY ? step : LATENCY) + LOAD_CYCLES * ((double)T + (double)V * n) / 2;
  return step * (double)steps_of(d) + (double)V * n * (TILE_CYCLES * (double)T + d->column_cycles);
}

/* All tiles of T by V, and the smaller ones at the ends. */
static double all_cycles(const struct product *d, int64_t T, int64_t V)
{
  int64_t rows = extent_of(d, d->rows), vectors = vectors_of(d);
  int64_t end = rows % T, side = vectors % V;
  double sum = (double)(rows / T) * (double)(vectors / V) * tile_cycles(d, T, V);
  if (end)
    sum += (double)(vectors / V) * tile_cycles(d, end, V);
  if (side)
    sum += (double)(rows / T) * tile_cycles(d, T, side);
  return sum + (end && side ? tile_cycles(d, end, side) : 0);
}

static bool quantizes(tir_e x)
{
  bool any = x->op == TIR_QUANT;
  for (int i = 0; i < x->args && !any; i++)
    any = quantizes(x->arg[i]);
  return any;
}

static void choose_tile(struct product *d)
{
  double best = 0;
  bool ragged = d->apart && d->columns == d->lanes && extent_of(d, d->lanes) % d->lane;
  d->T = d->V = 1;
  for (int64_t V = 1; V <= at_most(MOST_COLUMNS, vectors_of(d)) && (V == 1 || !ragged); V++)
    for (int64_t T = 1; T <= extent_of(d, d->rows) && fits(d, T, V); T++) {
      double cycles = all_cycles(d, T, V);
      if (best == 0 || cycles <= best) {
        best = cycles;
        d->T = T;
        d->V = V;
      }
    }
}

/* --- blocks ----------------------------------------------------------------------------------- */

static int64_t bytes_of(const struct tir_buffer *b)
{
  return tsr_count(b->dims, b->rank, 1) * (int64_t)tsr_dtype_bytes(b->dtype);
}

/* The stage that copies the rows with padding, only for these sums; NULL: there is none. */
static const struct tir_stage *padding_of(const struct product *d)
{
  const struct tir_stage *x = cpu__producer(d->p, d->row->buffer);
  return x && x->combine == TIR_ASSIGN && cpu__only_reader(d->p, x) == d->s ? x : NULL;
}

/* As many iterations as have rows that a cache keeps while all columns pass; fewer where it keeps all
 * columns anyway, so that threads have enough of them to share out. */
static void choose_block(struct product *d)
{
  int64_t extent = extent_of(d, d->block), around = 1;
  d->blocked = extent;
  d->inlines = moves(d->p, d->row, d->lanes) && steps_of(d) <= INLINED && padding_of(d);
  if (d->block < 0 || d->inlines || d->s == d->p->banded)
    return;
  for (int i = 0; i < d->s->out->rank; i++)
    if (i != d->block && i != d->rows && moves(d->p, d->row, i) && i != d->lanes)
      around *= d->s->axis[i].extent;
  int64_t one = bytes_of(d->row->buffer) / (around * extent) + 1;
  int64_t unit = d->block == d->rows ? d->T : 1;
  int64_t n = BLOCK_BYTES / one;
  if (bytes_of(d->column->buffer) <= BLOCK_BYTES)
    n = at_most(n, extent / PARALLEL_PARTS);
  n = n / unit * unit;
  d->blocked = at_most(n < unit ? unit : n, extent);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Loops of the host that axes are cut into. NULL: there is none. */
struct parts {
  const char *block, *in_block, *rows, *row, *columns, *column, *lane;
};

/* A loop around the tile. Threads share out the first that has iterations enough. */
static void around(struct product *d, const char *loop, int64_t iterations)
{
  if (!loop)
    return;
  add_loop(&d->outer, loop);
  d->innermost = loop;
  if (iterations > 1 && d->shares < PARALLEL_PARTS / 2 && iterations > d->shares) {
    d->parallel = loop;
    d->shares = iterations;
  }
}

static int64_t pieces(int64_t extent, int64_t n)
{
  return (extent + n - 1) / n;
}

static bool is_batch(const struct product *d, int i)
{
  return i != d->lanes && i != d->rows && i != d->block && i != d->columns && !is_column_axis(d, i);
}

static enum tsr_status cut_again(struct product *d, const char *loop, int64_t n, const char **outer,
                                 const char **inner)
{
  *outer = tsr_arena_printf(d->p->e.arena, "%s.o", loop);
  *inner = tsr_arena_printf(d->p->e.arena, "%s.i", loop);
  return tir_sched_do(d->p->sched, d->p->err, "split %s %s %lld %s %s", d->host->name, loop,
                      (long long)n, *outer, *inner);
}

static enum tsr_status cut_rows(struct product *d, struct parts *c)
{
  struct tir_sched *sched = d->p->sched;
  if (d->rows < 0)
    return TSR_OK;
  if (d->block != d->rows) {
    if (cut(d, sched, d->host, d->block, d->blocked, "b", &c->block, &c->in_block))
      return TSR_REFUSED;
    return cut(d, sched, d->host, d->rows, d->T, "t", &c->rows, &c->row);
  }
  if (cut(d, sched, d->host, d->rows, d->T, "t", &c->rows, &c->row))
    return TSR_REFUSED;
  if (d->blocked >= extent_of(d, d->rows) || d->T >= d->blocked)
    return TSR_OK;
  return cut_again(d, c->rows, d->blocked / d->T, &c->block, &c->rows);
}

/* Lanes that are columns become vectors, and vectors those of a tile. A tile of several vectors is cut
 * out of a row at once where each row of columns is one. */
static enum tsr_status cut_columns(struct product *d, struct parts *c)
{
  struct tir_sched *sched = d->p->sched;
  const char *vectors;
  c->lane = cpu__axis_name(d->host, d->lanes);
  if (d->columns != d->lanes)
    return cut(d, sched, d->host, d->columns, d->V, "c", &c->columns, &c->column);
  if (!d->apart)
    return cut(d, sched, d->host, d->lanes, d->V * d->lane, "c", &c->columns, &c->lane);
  if (cut(d, sched, d->host, d->lanes, d->lane, "v", &vectors, &c->lane))
    return TSR_REFUSED;
  c->column = vectors;
  if (!vectors || d->V >= vectors_of(d))
    return TSR_OK;
  return cut_again(d, vectors, d->V, &c->columns, &c->column);
}

/* Blocks, then columns, then what is inside of a block: with one block, columns come first. */
static void choose_order(struct product *d, const struct parts *c)
{
  int64_t of_block = d->block == d->rows ? d->blocked : extent_of(d, d->rows);
  d->outer.arena = d->p->e.arena;
  for (int i = 0; i < d->s->out->rank; i++)
    if (is_batch(d, i))
      around(d, cpu__axis_name(d->host, i), extent_of(d, i));
  around(d, c->block, pieces(extent_of(d, d->block), d->blocked));
  around(d, c->columns, pieces(vectors_of(d), d->V));
  for (int i = 0; i < d->s->out->rank; i++)
    if (i != d->columns && is_column_axis(d, i))
      around(d, cpu__axis_name(d->host, i), extent_of(d, i));
  if (d->block != d->rows)
    around(d, c->in_block, d->blocked);
  around(d, c->rows, pieces(of_block, d->T));
}

/* Behind the sums: row by row of one vector of columns, whose parameters stay in registers. */
static enum tsr_status order_host(struct product *d, const struct parts *c)
{
  struct tsr_text line = {.arena = d->p->e.arena};
  tsr_text_add(&line, "reorder %s%s", d->host->name, d->outer.data ? d->outer.data : "");
  add_loop(&line, c->column);
  add_loop(&line, c->row);
  add_loop(&line, c->lane);
  return tir_sched_apply(d->p->sched, d->p->err, line.data);
}

/* The stage of the sums where it is not the host: computed where that wants a tile, in its own loops. */
static enum tsr_status attach(struct product *d, struct parts *c)
{
  const struct tir_stage *s = d->s;
  if (d->host == s)
    return TSR_OK;
  *c = (struct parts){.lane = cpu__axis_name(s, d->lanes)};
  if (d->columns != d->lanes)
    c->column = cpu__axis_name(s, d->columns);
  if (d->rows >= 0)
    c->row = cpu__axis_name(s, d->rows);
  if (tir_sched_do(d->p->sched, d->p->err, "compute_at %s %s %s", s->name, d->host->name,
                   d->innermost))
    return TSR_REFUSED;
  return d->columns == d->lanes && d->apart
             ? cut(d, d->p->sched, s, d->lanes, d->lane, "v", &c->column, &c->lane)
             : TSR_OK;
}

/* Reduce loops around rows around vectors: what is broadcast is used by all of a row at once. */
static enum tsr_status order_sums(struct product *d, const struct parts *c)
{
  struct tsr_text line = {.arena = d->p->e.arena};
  const struct tir_stage *s = d->s;
  const char *terms = NULL, *term = NULL;
  int last = d->dot ? last_reduce(s) : -1;
  if (d->dot && cut(d, d->p->sched, s, last, d->terms, "d", &terms, &term))
    return TSR_REFUSED;
  tsr_text_add(&line, "reorder %s%s", s->name, d->host == s && d->outer.data ? d->outer.data : "");
  for (int i = s->out->rank; i < s->axes; i++)
    if (i != last)
      add_loop(&line, cpu__axis_name(s, i));
  add_loop(&line, terms);
  add_loop(&line, c->row);
  add_loop(&line, c->column);
  add_loop(&line, c->lane);
  add_loop(&line, term);
  if (tir_sched_apply(d->p->sched, d->p->err, line.data))
    return TSR_REFUSED;
  return d->dot
             ? tir_sched_do(d->p->sched, d->p->err, "tensorize %s %s %s", s->name, c->lane, d->dot)
             : TSR_OK;
}

/* Sums of few products are written out: what neighbours read twice is loaded once. */
static enum tsr_status unroll(struct product *d)
{
  const struct tir_stage *s = d->s;
  if (d->dot || steps_of(d) * d->T * d->V > UNROLLED)
    return TSR_OK;
  for (int i = s->out->rank; i < s->axes; i++)
    if (tir_sched_do(d->p->sched, d->p->err, "unroll %s %s", s->name, cpu__axis_name(s, i)))
      return TSR_REFUSED;
  return TSR_OK;
}

/* Columns of a matrix whose rows are far apart lie in few sets of a cache: those of one tile are copied
 * where many rows are multiplied with them. */
static enum tsr_status pack_columns(struct product *d, const struct parts *c)
{
  int64_t step, k = last_reduce(d->s);
  const char *name = d->column->buffer->name;
  if (d->apart || d->columns != d->lanes || !c->columns || k < 0 ||
      !cpu__axis_step(d->p, d->column, (int)k, &step) || extent_of(d, d->rows) < 2 * d->T ||
      step * (int64_t)tsr_dtype_bytes(d->s->out->dtype) < FAR_BYTES || extent_of(d, (int)k) < 32)
    return TSR_OK;
  if (tir_sched_do(d->p->sched, d->p->err, "cache_read %s local %s %s.near", name, d->s->name,
                   name))
    return TSR_REFUSED;
  return tir_sched_do(d->p->sched, d->p->err, "compute_at %s.near %s %s", name, d->host->name,
                      c->columns);
}

/* Rows that are a copy with padding are copied block by block, or not at all. */
static enum tsr_status attach_rows(struct product *d, const struct parts *c)
{
  const struct tir_stage *x = padding_of(d);
  if (!x || (!d->inlines && !c->block))
    return TSR_OK;
  cpu__settle(d->p, x);
  if (d->inlines)
    return tir_sched_do(d->p->sched, d->p->err, "inline %s", x->name);
  return tir_sched_do(d->p->sched, d->p->err, "compute_at %s %s %s", x->name, d->host->name,
                      c->block);
}

static bool is_large(const struct product *d)
{
  double n = 1;
  for (int i = 0; i < d->s->axes; i++)
    n *= (double)d->s->axis[i].extent;
  return n >= (d->dot ? 2 : 1) * (double)PARALLEL_PRODUCTS;
}

static enum tsr_status schedule(struct product *d)
{
  struct parts c = {.block = NULL};
  if (cut_rows(d, &c) || cut_columns(d, &c))
    return TSR_REFUSED;
  choose_order(d, &c);
  if (!d->innermost && d->host != d->s) { /* one tile: there is no loop to hold it */
    d->host = d->s;
    return schedule(d);
  }
  const struct parts of_host = c;
  if (d->host != d->s && order_host(d, &c))
    return TSR_REFUSED;
  if (attach(d, &c) || order_sums(d, &c) || unroll(d) || attach_rows(d, &of_host) ||
      pack_columns(d, &of_host))
    return TSR_REFUSED;
  cpu__settle(d->p, d->host);
  if (!d->parallel || !is_large(d) || (d->s == d->p->banded && d->p->shared))
    return TSR_OK;
  return tir_sched_do(d->p->sched, d->p->err, "parallel %s %s", d->host->name, d->parallel);
}

enum tsr_status cpu__plan_product(struct cpu__planner *p, bool *done)
{
  struct product d = {.p = p, .s = p->s};
  *done = find_factors(&d);
  if (!*done)
    return TSR_OK;
  sort_factors(&d);
  find_axes(&d);
  d.dot = matching(&d);
  int64_t step;
  d.apart = !is_row_of(&d, &step);
  if (step != 1 && !d.dot) {
    *done = false;
    return TSR_OK;
  }
  d.lane = d.dot ? DOT : (int)at_most(p->width, extent_of(&d, d.lanes));
  d.host = p->tail ? p->tail : p->s;
  d.column_cycles = quantizes(d.host->value) ? QUANT_CYCLES : COLUMN_CYCLES;
  choose_tile(&d);
  choose_block(&d);
  return schedule(&d);
}

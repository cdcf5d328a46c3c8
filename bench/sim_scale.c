/* SPDX-License-Identifier: Apache-2.0 */
/* What the cycle model's time grows with: the same products, cut into fewer or more tiles. A tile is
 * a LOAD, a GEMM of some points, a row of vector and a STORE; all tiles together have POINTS points.
 * Best of RUNS, by the thread's own clock.
 *   bench_sim_scale [--json] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "hw/sim/cycle/cycle.h"

enum { RUNS = 5, POINTS = 1 << 22, LEAST = 1 << 6, ENTRIES = 8, WINDOW_BYTES = 1 << 16 };

struct row {
  uint32_t points, tiles; /* of a tile; in all */
  size_t insns;
  uint64_t cycles, events, bursts;
  double timing_s, full_s;
};

/* ---- the program ---- */

/* What a tile's engines hand on: its INP, its sums, its results; and each its room, back. */
static void add_tile(struct tsr_text *out, uint32_t points, uint32_t tile)
{
  uint32_t bank = tile & 1, middle = points < 4096 ? 8 : 64, outer = points / middle / ENTRIES;
  bool first = tile == 0;
  tsr_text_add(out, "load inp sram=%d n=%d%s signal=matrix\n", bank * ENTRIES, ENTRIES,
               tile < 2 ? "" : " wait=matrix");
  tsr_text_add(out,
               "gemm uops=%d+1 n=%d,%d,8 a=0,0,1 first=0 banks=%d wait=load%s signal=load,vector\n",
               bank, outer, middle, bank, tile < 2 ? "" : ",vector");
  tsr_text_add(out,
               "shr uops=%d+1 n=1,1,8 a=0,0,0 dst=out:0,0,1 banks=%d wait=matrix%s%s "
               "signal=matrix,store\n",
               2 + bank, bank, first ? ",load" : "", tile < 2 ? "" : ",store");
  tsr_text_add(out, "store out sram=0 dram=0x8000 n=%d wait=vector signal=vector\n", ENTRIES);
}

/* Micro-ops 0 and 1: D in either bank; 2 and 3: the row's operands there. */
static char *program_text(struct tsr_arena *arena, const struct tsr_design *design, uint32_t points)
{
  struct tsr_text out = {.arena = arena};
  int half = tsr_design_depth(design, TSR_BUFFER_ACC) / 2;
  tsr_text_add(&out, "load uop n=4 dram=0x1000 signal=matrix,vector\nsync matrix wait=load\n");
  for (uint32_t tile = 0; tile < POINTS / points; tile++)
    add_tile(&out, points, tile);
  tsr_text_add(&out,
               "finish\n.data\n.org 0x1000\n.uop 0,0,0\n.uop %d,8,0\n.uop 0,0,8\n.uop 0,%d,%d\n"
               ".window %d\n",
               half, half, half + 8, WINDOW_BYTES);
  return out.data;
}

/* ---- runs ---- */

static void count_burst(void *context, const struct tsr_cycle_burst *burst)
{
  (void)burst;
  ++*(uint64_t *)context;
}

static struct tsr_cycle *open_model(const struct tsr_design *design, uint8_t *window,
                                    struct tsr_cycle_options *options)
{
  struct tsr_cycle *cycle;
  struct tsr_err err;
  options->dram = tsr_dram_defaults(design);
  if (tsr_cycle_open(NULL, &err, design, options, window, WINDOW_BYTES, &cycle))
    quit(err.text);
  return cycle;
}

static double run(struct tsr_cycle *cycle, const struct tsr_program *p, uint8_t *window,
                  struct row *row)
{
  struct tsr_run_result result;
  memset(window, 0, WINDOW_BYTES);
  memcpy(window, p->data, p->data_bytes);
  double begun = thread_seconds();
  tsr_cycle_run(cycle, p->insns, p->insn_count, &result);
  double seconds = thread_seconds() - begun;
  if (result.trap)
    quit(result.text);
  row->cycles = result.counters[TSR_COUNTER_CYCLES];
  row->events = tsr_cycle_events(cycle);
  return seconds;
}

static double best_of(const struct tsr_design *design, const struct tsr_program *p, uint8_t *window,
                      bool timing_only, struct row *row)
{
  struct tsr_cycle_options options = {.timing_only = timing_only};
  struct tsr_cycle *cycle = open_model(design, window, &options);
  double best = 1e30;
  for (int k = 0; k < RUNS; k++) {
    double seconds = run(cycle, p, window, row);
    best = seconds < best ? seconds : best;
  }
  tsr_cycle_close(cycle);
  return best;
}

static struct row measure(const struct tsr_design *design, uint8_t *window, uint32_t points)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct row row = {.points = points, .tiles = POINTS / points};
  struct tsr_cycle_options counting = {
      .timing_only = true, .burst = count_burst, .context = &row.bursts};
  struct tsr_program p;
  struct tsr_err err;
  if (!arena)
    quit("out of memory");
  if (tsr_assemble(arena, &err, "tiles", program_text(arena, design, points), &p))
    quit(err.text);
  row.insns = p.insn_count;
  struct tsr_cycle *cycle = open_model(design, window, &counting);
  run(cycle, &p, window, &row);
  tsr_cycle_close(cycle);
  row.timing_s = best_of(design, &p, window, true, &row);
  row.full_s = best_of(design, &p, window, false, &row);
  tsr_arena_free(arena);
  return row;
}

/* ---- rows ---- */

static void print_row(const struct row *r)
{
  printf("%10u %8u %12zu %10llu %10llu %10llu %12.3f %14.0f %14.1f %10.2f\n", r->points, r->tiles,
         r->insns, (unsigned long long)r->bursts, (unsigned long long)r->cycles,
         (unsigned long long)r->events, 1e3 * r->timing_s, 1e9 * r->timing_s / (double)r->insns,
         (double)r->cycles / r->timing_s / 1e6, 1e3 * r->full_s);
  fflush(stdout);
}

static json_t *row_json(const struct row *r)
{
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f}", "points", (json_int_t)r->points,
                   "tiles", (json_int_t)r->tiles, "instructions", (json_int_t)r->insns, "bursts",
                   (json_int_t)r->bursts, "cycles", (json_int_t)r->cycles, "events",
                   (json_int_t)r->events, "timing_s", r->timing_s, "full_s", r->full_s);
}

int main(int argc, char **argv)
{
  bool json = argc == 2 && !strcmp(argv[1], "--json");
  uint8_t *window = malloc(WINDOW_BYTES);
  struct tsr_design design;
  struct tsr_err err;
  if (argc > 2 || (argc == 2 && !json))
    quit("usage: bench_sim_scale [--json]");
  if (!window || tsr_design_parse(&err, "default", tsr_design_json("default"), &design))
    quit("out of memory");
  json_t *list = json ? json_array() : NULL;
  if (!list)
    printf("%10s %8s %12s %10s %10s %10s %12s %14s %14s %10s\n", "points", "tiles", "instructions",
           "bursts", "cycles", "events", "timing ms", "ns/instruction", "M cycles/s", "full ms");
  for (uint32_t points = POINTS; points >= LEAST; points /= 4) {
    struct row row = measure(&design, window, points);
    if (list)
      json_array_append_new(list, row_json(&row));
    else
      print_row(&row);
  }
  if (list)
    print_rows(list);
  free(window);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How fast the functional device computes on one core, beside what the core itself can do: GEMM
 * against a loop of nothing but vpdpbusd on registers, vector rows against an int32 array sum in
 * the first cache. Every number is the best of several runs of a program that is the same work many
 * times over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "hw/sim/func/func.h"

enum { REPEATS = 100, MOST_UOPS = 1024 };

static const double RUN_SECONDS = 0.003; /* a run is made at least this long */

/* ---- what the core can do ---- */

#if defined(__x86_64__)
/* Sixteen independent chains; compilers put register moves between intrinsics in such a loop. */
__attribute__((target("avx512f,avx512vnni"))) static void dots(int turns)
{
#define DOT(n) "vpdpbusd %%zmm31, %%zmm30, %%zmm" #n "\n\t"
  while (turns-- > 0)
    __asm__ volatile(DOT(0) DOT(1) DOT(2) DOT(3) DOT(4) DOT(5) DOT(6) DOT(7) DOT(8) DOT(9) DOT(10)
                         DOT(11) DOT(12) DOT(13) DOT(14) DOT(15)
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#undef DOT
}

static double dot_peak(void)
{
  enum { TURNS = 1000000 };
  if (!__builtin_cpu_supports("avx512vnni"))
    return 0;
  double best = 0;
  for (int r = 0; r < REPEATS; r++) {
    double start = thread_seconds();
    dots(TURNS);
    double rate = 64.0 * 16 * TURNS / (thread_seconds() - start) / 1e9;
    best = rate > best ? rate : best;
  }
  return best;
}
#else
static double dot_peak(void)
{
  return 0;
}
#endif

static double add_peak(void)
{
  enum { WORDS = 1024, TURNS = 20000 };
  static int32_t a[WORDS], b[WORDS], c[WORDS];
  double best = 0;
  for (int r = 0; r < REPEATS; r++) {
    double start = thread_seconds();
    for (int t = 0; t < TURNS; t++) {
      for (int i = 0; i < WORDS; i++)
        c[i] = (int32_t)((uint32_t)a[i] + (uint32_t)b[i]);
      __asm__ volatile("" : : "r"(a), "r"(b), "r"(c) : "memory");
    }
    double rate = (double)WORDS * TURNS / (thread_seconds() - start) / 1e9;
    best = rate > best ? rate : best;
  }
  return best;
}

/* ---- programs ---- */

/* Micro-ops at the front of the window, one LOAD of them, `times` copies of one instruction,
 * FINISH. */
struct work {
  struct tsr_uop uops[MOST_UOPS];
  uint32_t uop_count;
  struct tsr_insn insn;
};

static void encode(uint8_t *words, size_t index, const struct tsr_insn *insn)
{
  struct tsr_err err;
  if (tsr_insn_encode(&err, insn, words + index * TSR_INSN_BYTES))
    quit(err.text);
}

static uint8_t *program(const struct work *work, int times)
{
  uint8_t *words = calloc((size_t)times + 3, TSR_INSN_BYTES);
  if (!words)
    exit(2);
  struct tsr_insn load = {.opcode = TSR_OP_LOAD, .signal = 1u << tsr_insn_engine(&work->insn)};
  load.dma.buffer = TSR_BUFFER_UOP;
  load.dma.nx = work->uop_count;
  load.dma.ny = load.dma.nz = 1;
  encode(words, 0, &load);
  struct tsr_insn sync = {
      .opcode = TSR_OP_SYNC, .engine = tsr_insn_engine(&work->insn), .wait = 1u << TSR_ENGINE_LOAD};
  encode(words, 1, &sync);
  for (int i = 0; i < times; i++)
    encode(words, (size_t)i + 2, &work->insn);
  encode(words, (size_t)times + 2, &(struct tsr_insn){.opcode = TSR_OP_FINISH});
  return words;
}

static double seconds_of(struct tsr_func *func, const struct work *work, int times, uint8_t *window)
{
  uint8_t *words = program(work, times);
  struct tsr_func_result result;
  double start = thread_seconds();
  enum tsr_trap trap = tsr_func_run(func, words, (size_t)times + 3, window,
                                    MOST_UOPS * TSR_UOP_BYTES, &result);
  double seconds = thread_seconds() - start;
  free(words);
  if (trap != TSR_TRAP_NONE)
    quit(result.text);
  return seconds;
}

/* Seconds of one execution of the instruction. */
static double measure(const struct tsr_design *design, const struct work *work)
{
  static uint8_t window[MOST_UOPS * TSR_UOP_BYTES];
  struct tsr_err err;
  struct tsr_func *func = tsr_func_new(NULL, design);
  if (!func)
    exit(2);
  for (uint32_t u = 0; u < work->uop_count; u++)
    if (tsr_uop_encode(&err, &work->uops[u], window + u * TSR_UOP_BYTES))
      exit(2);
  int times = 1;
  while (seconds_of(func, work, times, window) < RUN_SECONDS)
    times *= 2;
  double best = 1e9;
  for (int r = 0; r < REPEATS; r++) {
    double seconds = seconds_of(func, work, times, window);
    best = seconds < best ? seconds : best;
  }
  tsr_func_free(func);
  return best / times;
}

/* ---- rows ---- */

struct reporter {
  bool json;
  double dot, add; /* peaks */
};

static void row(const struct reporter *to, const char *name, double ours, double peer,
                const char *units, const char *peer_name)
{
  if (to->json)
    printf("{\"bench\":\"func\",\"case\":\"%s\",\"ours\":%.2f,\"peer\":%.2f,\"units\":\"%s\","
           "\"peer_name\":\"%s\"}\n",
           name, ours, peer, units, peer_name);
  else
    printf("%-36s %8.1f %8.1f %-9s %5.1f %%  %s\n", name, ours, peer, units,
           peer > 0 ? 100 * ours / peer : 0, peer_name);
  fflush(stdout);
}

/* Output pixels h x w, k x k taps, input and output blocks. */
struct shape {
  const char *point, *name;
  uint32_t h, w, k, in, out;
};

static const struct shape SHAPES[] = {
    {"default", "3x3 14x7 128-64", 14, 7, 3, 8, 4},
    {"default", "1x1 14x14 128-128", 14, 14, 1, 8, 8},
    {"default", "1x1 28x28 32-32", 28, 28, 1, 2, 2},
    {"default", "dense 512-512", 1, 1, 1, 32, 32},
    {"tiny", "3x3 7x7 16-8", 7, 7, 3, 4, 2},
    {"ecp5", "3x3 14x7 128-32", 14, 7, 3, 16, 4},
    {"wide", "3x3 14x14 256-128", 14, 14, 3, 8, 4},
    {"wide", "1x1 14x14 512-256", 14, 14, 1, 16, 8},
    {"batch2", "3x3 14x7 128-64", 14, 7, 3, 8, 4},
};

/* Micro-ops walk the reduction, loops the pixels and output blocks. */
static struct work reduction_in_uops(const struct shape *s)
{
  struct work work = {.insn = {.opcode = TSR_OP_GEMM}};
  uint32_t width = s->w + s->k - 1, plane = width * (s->h + s->k - 1);
  for (uint32_t c = 0; c < s->in; c++)
    for (uint32_t tap = 0; tap < s->k * s->k; tap++) {
      uint32_t u = work.uop_count++;
      work.uops[u] = (struct tsr_uop){0, c * plane + tap / s->k * width + tap % s->k, u, u == 0};
    }
  work.insn.loop.banks = 3;
  work.insn.loop.uop_count = work.uop_count;
  memcpy(work.insn.loop.n, (uint32_t[]){s->out, s->h, s->w}, sizeof work.insn.loop.n);
  memcpy(work.insn.loop.step_dst, (uint32_t[]){s->h * s->w, s->w, 1}, sizeof work.insn.loop.n);
  memcpy(work.insn.loop.step_a, (uint32_t[]){0, width, 1}, sizeof work.insn.loop.n);
  work.insn.loop.step_b[0] = s->in * s->k * s->k;
  return work;
}

/* Micro-ops walk the pixels, loops the reduction (1x1 only) and output blocks. */
static struct work pixels_in_uops(const struct shape *s)
{
  struct work work = {.insn = {.opcode = TSR_OP_GEMM}};
  for (uint32_t p = 0; p < s->h * s->w; p++)
    work.uops[work.uop_count++] = (struct tsr_uop){p, p, 0, true};
  work.insn.loop.banks = 3;
  work.insn.loop.first = 2;
  work.insn.loop.uop_count = work.uop_count;
  memcpy(work.insn.loop.n, (uint32_t[]){s->out, s->in, 1}, sizeof work.insn.loop.n);
  memcpy(work.insn.loop.step_dst, (uint32_t[]){s->h * s->w, 0, 0}, sizeof work.insn.loop.n);
  memcpy(work.insn.loop.step_a, (uint32_t[]){0, s->h * s->w, 0}, sizeof work.insn.loop.n);
  memcpy(work.insn.loop.step_b, (uint32_t[]){s->in, 1, 0}, sizeof work.insn.loop.n);
  return work;
}

static void open_point(const char *name, struct tsr_design *design)
{
  struct tsr_err err;
  if (tsr_design_parse(&err, name, tsr_design_json(name), design))
    quit(err.text);
}

static void gemm_row(const struct reporter *to, const struct shape *s, const struct work *work,
                     const char *nest)
{
  struct tsr_design design;
  char name[96];
  open_point(s->point, &design);
  double macs = (double)s->h * s->w * s->k * s->k * s->in * s->out * design.batch *
                design.block_in * design.block_out;
  snprintf(name, sizeof name, "gemm %s %s%s", s->point, s->name, nest);
  row(to, name, macs / measure(&design, work) / 1e9, to->dot, "GMAC/s",
      "vpdpbusd peak of this core");
}

static void gemm_rows(const struct reporter *to)
{
  for (size_t i = 0; i < sizeof SHAPES / sizeof SHAPES[0]; i++) {
    const struct shape *s = &SHAPES[i];
    struct work work = reduction_in_uops(s);
    gemm_row(to, s, &work, "");
    if (s->k > 1 || s->h == 1)
      continue;
    work = pixels_in_uops(s);
    gemm_row(to, s, &work, " (by pixel)");
  }
}

static void vector_row(const struct reporter *to, const char *point, int opcode, int src, int dst)
{
  enum { POINTS = 64, TURNS = 16 };
  static const char *const dst_names[] = {"acc", "out", "inp"};
  struct tsr_design design;
  char name[96];
  open_point(point, &design);
  struct work work = {.uop_count = 1, .insn = {.opcode = opcode}};
  bool table = opcode == TSR_OP_LUT;
  work.uops[0] = (struct tsr_uop){0, 0, table ? 0 : POINTS, false};
  work.insn.loop.banks = 3;
  work.insn.loop.src = src;
  work.insn.loop.dst = dst;
  work.insn.loop.uop_count = 1;
  memcpy(work.insn.loop.n, (uint32_t[]){1, TURNS, POINTS}, sizeof work.insn.loop.n);
  work.insn.loop.step_dst[2] = work.insn.loop.step_a[2] = 1;
  work.insn.loop.step_b[2] = !table && opcode != TSR_OP_QUANT;
  double ops = (double)POINTS * TURNS * tsr_design_lanes(&design);
  snprintf(name, sizeof name, "%s %s %s to %s", tsr_opcode_name(opcode), point, src ? "inp" : "acc",
           dst_names[dst]);
  row(to, name, ops / measure(&design, &work) / 1e9, to->add, "Glane/s", "int32 array sum in L1");
}

static void vector_rows(const struct reporter *to)
{
  for (int opcode = TSR_OP_ADD; opcode <= TSR_OP_QUANT; opcode++)
    vector_row(to, "default", opcode, TSR_SRC_ACC, TSR_DST_ACC);
  vector_row(to, "default", TSR_OP_MAX, TSR_SRC_INP, TSR_DST_INP);
  static const char *const points[] = {"default", "tiny", "ecp5", "wide", "batch2"};
  for (int i = 0; i < 5; i++)
    vector_row(to, points[i], TSR_OP_QUANT, TSR_SRC_ACC, TSR_DST_INP);
}

int main(int argc, char **argv)
{
  if (argc > 2 || (argc == 2 && strcmp(argv[1], "--json"))) {
    fprintf(stderr, "usage: bench_func [--json]\n");
    return 2;
  }
  struct reporter to = {argc == 2, dot_peak(), add_peak()};
  if (!to.json)
    printf("%-36s %8s %8s %-9s %7s\n", "case", "ours", "peer", "units", "of peer");
  gemm_rows(&to);
  vector_rows(&to);
  return 0;
}

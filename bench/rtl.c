/* SPDX-License-Identifier: Apache-2.0 */
/* How many cycles of the machine the Verilator model runs in a second, at each standing design
 * point: programs that keep one part busy, and, through the public interface, whole networks. Best
 * of RUNS, by the thread's own clock.
 *   bench_rtl [--json] [CONFIG ...] [NETWORK.onnx ...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "hw/sim/rtl/rtl.h"
#include "runtime/tessera.h"

enum { RUNS = 5, WINDOW_BYTES = 1 << 16 };

/* The data is zeros: what Verilator computes does not depend on it. Indices fit every standing
 * point. */
static const struct {
  const char *name, *text;
} programs[] = {
    {"gemm", "load uop n=9 signal=matrix\n"
             "gemm uops=0+9 n=300,7,8 dst=0,8,1 a=0,8,1 banks=0 wait=load\n"
             "finish\n"
             ".data\n"
             ".uop 0,0,0\n.uop 0,1,1\n.uop 0,2,2\n.uop 0,3,3\n.uop 0,4,4\n.uop 0,5,5\n.uop 0,6,6\n"
             ".uop 0,7,7\n.uop 0,8,8\n.window 65536\n"},
    {"quant", "load uop n=1 signal=vector\n"
              "quant uops=0+1 n=2000,7,8 dst=out:0,8,1 a=0,8,1 banks=0 wait=load\n"
              "finish\n"
              ".data\n.uop 0,0,60\n.window 65536\n"},
    {"gemm+quant",
     "load uop n=9 signal=matrix,vector\n"
     "gemm uops=0+9 n=300,7,8 dst=0,8,1 a=0,8,1 banks=0 wait=load\n"
     "load uop sram=9 dram=0x100 n=1 signal=vector\n"
     "sync vector wait=load\n"
     "quant uops=9+1 n=2700,7,8 dst=out:0,8,1 a=0,8,1 b=0 banks=1 wait=load\n"
     "finish\n"
     ".data\n"
     ".uop 0,0,0\n.uop 0,1,1\n.uop 0,2,2\n.uop 0,3,3\n.uop 0,4,4\n.uop 0,5,5\n.uop 0,6,6\n"
     ".uop 0,7,7\n.uop 0,8,8\n.org 0x100\n.uop 0,BANK,BANK\n.window 65536\n"},
    {"load", "REPEAT load wgt n=16\nfinish\n.window 65536\n"},
};

enum { PROGRAMS = sizeof programs / sizeof programs[0], REPEATS = 200 };

struct row {
  const char *config, *program;
  uint64_t cycles;
  double wall_s;
};

static void print_row(const struct row *r, json_t *list)
{
  double rate = (double)r->cycles / r->wall_s;
  if (!list) {
    printf("%-8s  %-20.20s  %10llu cycles  %8.4f s  %6.2f M cycles/s\n", r->config, r->program,
           (unsigned long long)r->cycles, r->wall_s, rate / 1e6);
    return;
  }
  json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:f, s:f}", "config", r->config, "program",
                                        r->program, "cycles", (json_int_t)r->cycles, "wall_s",
                                        r->wall_s, "cycles_per_s", rate));
}

/* ---- programs ---- */

/* `REPEAT line` stands for REPEATS of the line; BANK for the first entry of ACC's second bank. */
static char *expand(struct tsr_arena *arena, const struct tsr_design *design, const char *text)
{
  struct tsr_text out = {.arena = arena};
  while (*text) {
    const char *end = strchr(text, '\n'), *bank = strstr(text, "BANK");
    bool repeat = !strncmp(text, "REPEAT ", 7);
    text += repeat ? 7 : 0;
    for (int i = 0; i < (repeat ? REPEATS : 1); i++) {
      if (bank && bank < end)
        tsr_text_add(&out, "%.*s%d,%d\n", (int)(bank - text), text,
                     tsr_design_depth(design, TSR_BUFFER_ACC) / 2,
                     tsr_design_depth(design, TSR_BUFFER_ACC) / 2);
      else
        tsr_text_add(&out, "%.*s\n", (int)(end - text), text);
    }
    text = end + 1;
  }
  return out.data;
}

static struct row run_program(struct tsr_rtl *rtl, const struct tsr_design *design, uint8_t *window,
                              int k)
{
  struct row row = {design->name, programs[k].name, 0, 1e30};
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_program program;
  struct tsr_run_result result;
  struct tsr_err err;
  if (tsr_assemble(arena, &err, programs[k].name, expand(arena, design, programs[k].text),
                   &program))
    quit(err.text);
  memset(window, 0, WINDOW_BYTES);
  memcpy(window, program.data, program.data_bytes);
  for (int i = 0; i < RUNS; i++) {
    double start = thread_seconds();
    if (tsr_rtl_run(rtl, &err, program.insns, program.insn_count, &result))
      quit(err.text);
    double seconds = thread_seconds() - start;
    if (result.trap)
      quit(result.text);
    row.cycles = result.counters[TSR_COUNTER_CYCLES];
    row.wall_s = seconds < row.wall_s ? seconds : row.wall_s;
  }
  tsr_arena_free(arena);
  return row;
}

static void run_programs(const char *config, json_t *list)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_design design;
  struct tsr_rtl *rtl;
  struct tsr_err err;
  uint8_t *window = calloc(1, WINDOW_BYTES);
  if (!arena || !window || tsr_design_open(arena, &err, config, &design))
    quit(config);
  struct tsr_rtl_options options = tsr_rtl_defaults(&design);
  options.say = say;
  if (tsr_rtl_open(NULL, &err, &design, &options, window, WINDOW_BYTES, &rtl))
    quit(err.text);
  for (int k = 0; k < PROGRAMS; k++) {
    struct row row = run_program(rtl, &design, window, k);
    print_row(&row, list);
  }
  tsr_rtl_close(rtl);
  free(window);
  tsr_arena_free(arena);
}

/* ---- networks ---- */

static struct tessera_session *open_network(struct tessera *t, const struct tessera_model *model)
{
  struct tessera_session *session;
  struct tessera_session_options options = {.device = "rtl", .say = say};
  if (tessera_session_open_with(t, model, &options, &session))
    quit(tessera_message(t));
  struct tessera_model_info info;
  tessera_model_info(model, &info);
  for (int k = 0; k < info.inputs; k++) {
    struct tessera_port port;
    struct tessera_tensor input;
    tessera_model_input(model, k, &port);
    if (tessera_tensor_stack(t, &port, 1, &input))
      quit(tessera_message(t));
    tessera_tensor_random(&input, 1);
    if (tessera_session_set_input(t, session, k, &input))
      quit(tessera_message(t));
    tessera_tensor_free(&input);
  }
  return session;
}

static uint64_t cycles_of(const struct tessera_session *session)
{
  struct tessera_counters counters;
  tessera_session_counters(session, &counters);
  return counters.cycles;
}

/* A whole inference; the CPU's steps are in its time. */
static void run_network(const char *path, json_t *list)
{
  struct tessera *t = tessera_new(NULL);
  struct tessera_model *model;
  if (!t || tessera_model_open(t, path, NULL, &model))
    quit(t ? tessera_message(t) : "out of memory");
  struct tessera_model_info info;
  tessera_model_info(model, &info);
  struct tessera_session *session = open_network(t, model);
  struct row row = {info.config, info.name, 0, 1e30};
  for (int i = 0; i < RUNS; i++) {
    uint64_t before = cycles_of(session);
    double start = thread_seconds();
    if (tessera_session_run(t, session))
      quit(tessera_message(t));
    double seconds = thread_seconds() - start;
    row.cycles = cycles_of(session) - before;
    row.wall_s = seconds < row.wall_s ? seconds : row.wall_s;
  }
  print_row(&row, list);
  tessera_session_free(session);
  tessera_model_free(model);
  tessera_free(t);
}

static bool is_network(const char *word)
{
  size_t length = strlen(word);
  return length > 5 && !strcmp(word + length - 5, ".onnx");
}

int main(int argc, char **argv)
{
  json_t *list = NULL;
  int given = 0;
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], "--json"))
      list = json_array();
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "--json") && !is_network(argv[i])) {
      run_programs(argv[i], list);
      given++;
    }
  for (const char *const *name = tsr_design_names(); !given && *name; name++)
    run_programs(*name, list);
  for (int i = 1; i < argc; i++)
    if (is_network(argv[i]))
      run_network(argv[i], list);
  if (list)
    print_rows(list);
  return 0;
}

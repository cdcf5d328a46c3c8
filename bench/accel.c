/* SPDX-License-Identifier: Apache-2.0 */
/* How near to its limits the accelerator runs whole networks: exact cycles of each layer beside the
 * fewest that any schedule of it could take, and bytes moved beside those that cannot be avoided. A layer
 * with products that falls short of the bar has the reasons below it: 95 % of its bound with ideal memory,
 * 90 % with another. In the total's row stands, too, what it would be with a layer for each op ("unfused").
 *   bench_accel [--json] [-O0|-O1|-O2|-O3] [--tune-cache FILE|none] [--config NAME|FILE] MODEL.onnx ...
 * Options hold for the models behind them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "runtime/tessera.h"

struct bench {
  struct tessera *t;
  struct tessera_options options;
  json_t *list; /* NULL: a table */
  int rows;
};

struct row {
  const char *model, *config, *memory, *layer, *limit;
  uint64_t cycles, dram_bytes, compulsory_bytes;
  uint64_t unfused_cycles, unfused_bytes; /* of the total */
  double bound_cycles;
  const struct tessera_explanation *short_of; /* its bound; NULL: near enough */
};

/* A network that ran, and what was measured. */
struct run {
  struct tessera_model *model;
  const struct tessera_profile *profile;
};

static void print_reasons(struct bench *b, const struct tessera_explanation *e, json_t *row)
{
  json_t *reasons = b->list ? json_array() : NULL;
  for (int k = 0; k < e->reasons; k++)
    if (reasons)
      json_array_append_new(reasons, json_string(e->reason[k]));
    else
      printf("    %s\n", e->reason[k]);
  if (reasons)
    json_object_set_new(row, "reasons", reasons);
}

static void print_row(struct bench *b, const struct row *r)
{
  if (b->list) {
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:I, s:f, s:I, s:I}", "model", r->model, "config",
                            r->config, "memory", r->memory, "layer", r->layer, "cycles",
                            (json_int_t)r->cycles, "bound_cycles", r->bound_cycles, "dram_bytes",
                            (json_int_t)r->dram_bytes, "compulsory_bytes",
                            (json_int_t)r->compulsory_bytes);
    if (r->unfused_cycles) {
      json_object_set_new(row, "unfused_cycles", json_integer((json_int_t)r->unfused_cycles));
      json_object_set_new(row, "unfused_bytes", json_integer((json_int_t)r->unfused_bytes));
    }
    if (r->short_of)
      print_reasons(b, r->short_of, row);
    json_array_append_new(b->list, row);
    return;
  }
  if (b->rows++ == 0)
    printf("%-24.24s %-8s %-10s %-28s %12s %12s %6s %12s %12s  %s\n", "model", "config", "memory",
           "layer", "cycles", "bound", "of it", "DRAM bytes", "compulsory", "most critical");
  printf("%-24.24s %-8s %-10.10s %-28.28s %12llu %12.0f %5.1f%% %12llu %12llu  %s\n", r->model,
         r->config, r->memory, r->layer, (unsigned long long)r->cycles, r->bound_cycles,
         100 * r->bound_cycles / (double)r->cycles, (unsigned long long)r->dram_bytes,
         (unsigned long long)r->compulsory_bytes, r->limit);
  if (r->short_of)
    print_reasons(b, r->short_of, NULL);
  if (r->unfused_cycles)
    printf("%-24.24s %-8s %-10.10s %-28.28s %12llu %12s %6s %12llu\n", r->model, r->config,
           r->memory, "total, unfused", (unsigned long long)r->unfused_cycles, "", "",
           (unsigned long long)r->unfused_bytes);
}

/* Why a layer with products is further from its bound than the bar; NULL: it is not. */
static const struct tessera_explanation *short_of(struct bench *b, const struct run *run,
                                                  const struct tessera_profile_layer *l)
{
  bool ideal = !strncmp(run->profile->memory, "ideal", 5);
  const struct tessera_explanation *e = NULL;
  struct tessera_model_info info;
  struct tessera_layer layer;
  if (!l->macs || l->bound_cycles >= (ideal ? 0.95 : 0.9) * (double)l->cycles)
    return NULL;
  tessera_model_info(run->model, &info);
  for (int k = 0; k < info.layers && !e; k++) {
    tessera_model_layer(run->model, k, &layer);
    if (!strcmp(layer.name, l->name) && !strcmp(layer.target, "accel") &&
        tessera_model_explain(b->t, run->model, k, run->profile, &e))
      quit(tessera_message(b->t));
  }
  return e;
}

static void print_run(struct bench *b, const char *path, const struct run *run,
                      const struct tessera_profile *unfused)
{
  const struct tessera_profile *p = run->profile;
  char name[NAME_TEXT], memory[16];
  snprintf(memory, sizeof memory, "%.*s", (int)strcspn(p->memory, ","), p->memory);
  struct row row = {.model = network_name(path, name), .config = p->config, .memory = memory};
  for (int k = 0; k < p->layers; k++) {
    const struct tessera_profile_layer *l = &p->layer[k];
    row.layer = l->name;
    row.limit = l->limit;
    row.cycles = l->cycles;
    row.bound_cycles = l->bound_cycles;
    row.dram_bytes = l->read_bytes + l->write_bytes;
    row.compulsory_bytes = l->compulsory_bytes;
    row.short_of = short_of(b, run, l);
    print_row(b, &row);
    tessera_explanation_free(row.short_of);
  }
  row.short_of = NULL;
  row.layer = "total";
  row.limit = "";
  row.cycles = p->cycles;
  row.bound_cycles = p->bound_cycles;
  row.dram_bytes = p->read_bytes + p->write_bytes;
  row.compulsory_bytes = p->compulsory_bytes;
  row.unfused_cycles = unfused->cycles;
  row.unfused_bytes = unfused->read_bytes + unfused->write_bytes;
  print_row(b, &row);
}

/* Refused: the message tells. */
static bool run_model(struct bench *b, const char *path, bool apart, struct run *run)
{
  struct tessera_session_options timing = {.device = "cycle", .timing_only = true, .record = true};
  struct tessera_options options = b->options;
  struct tessera_session *session = NULL;
  options.apart = apart;
  *run = (struct run){0};
  bool done = !tessera_model_open(b->t, path, &options, &run->model) &&
              !tessera_session_open_with(b->t, run->model, &timing, &session) &&
              !tessera_session_run(b->t, session) &&
              !tessera_session_profile(b->t, session, &run->profile);
  if (!done)
    fprintf(stderr, "bench_accel: %s: %s\n", path, tessera_message(b->t));
  tessera_session_free(session);
  return done;
}

static void run_free(const struct run *run)
{
  tessera_profile_free(run->profile);
  tessera_model_free(run->model);
}

static bool bench_model(struct bench *b, const char *path)
{
  struct run run, unfused = {0};
  bool done = run_model(b, path, false, &run) && run_model(b, path, true, &unfused);
  if (done)
    print_run(b, path, &run, unfused.profile);
  run_free(&run);
  run_free(&unfused);
  return done;
}

static bool take_word(struct bench *b, char **argv, int argc, int *k)
{
  const char *word = argv[*k];
  bool more = *k + 1 < argc;
  if (!strcmp(word, "--json"))
    b->list = b->list ? b->list : json_array();
  else if (!strncmp(word, "-O", 2) && word[2] >= '0' && word[2] <= '3' && !word[3])
    b->options.effort = (enum tessera_effort)(TESSERA_EFFORT_NONE + word[2] - '0');
  else if (!strcmp(word, "--tune-cache") && more)
    b->options.tune_cache = strcmp(argv[++*k], "none") ? argv[*k] : "";
  else if (!strcmp(word, "--config") && more)
    b->options.config = argv[++*k];
  else
    return bench_model(b, word);
  return true;
}

int main(int argc, char **argv)
{
  struct bench b = {.t = tessera_new(NULL)};
  int status = b.t && argc > 1 ? 0 : 2;
  if (argc < 2)
    fputs("usage: bench_accel [--json] [-O0..-O3] [--tune-cache FILE|none] [--config NAME|FILE] "
          "MODEL "
          "...\n",
          stderr);
  for (int k = 1; k < argc && b.t; k++)
    if (!take_word(&b, argv, argc, &k))
      status = 2;
  if (b.list)
    print_rows(b.list);
  tessera_free(b.t);
  return status;
}

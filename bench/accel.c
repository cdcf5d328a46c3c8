/* SPDX-License-Identifier: Apache-2.0 */
/* How near to its limits the accelerator runs whole networks: exact cycles of each layer beside the
 * fewest that any schedule of it could take, and bytes moved beside those that cannot be avoided. In the
 * total's row stands, too, what it would be with a layer for each op ("unfused").
 *   bench_accel [--json] [-O0|-O1|-O2|-O3] [--tune-cache FILE] [--config NAME|FILE] MODEL.onnx ...
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
};

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
  if (r->unfused_cycles)
    printf("%-24.24s %-8s %-10.10s %-28.28s %12llu %12s %6s %12llu\n", r->model, r->config,
           r->memory, "total, unfused", (unsigned long long)r->unfused_cycles, "", "",
           (unsigned long long)r->unfused_bytes);
}

static void print_profile(struct bench *b, const char *path, const struct tessera_profile *p,
                          const struct tessera_profile *unfused)
{
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
    print_row(b, &row);
  }
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

/* The network's profile; NULL: refused, the message tells. */
static const struct tessera_profile *profile_of(struct bench *b, const char *path, bool apart)
{
  struct tessera_session_options timing = {.device = "cycle", .timing_only = true, .record = true};
  struct tessera_options options = b->options;
  struct tessera_model *model = NULL;
  struct tessera_session *session = NULL;
  const struct tessera_profile *profile = NULL;
  options.apart = apart;
  bool done = !tessera_model_open(b->t, path, &options, &model) &&
              !tessera_session_open_with(b->t, model, &timing, &session) &&
              !tessera_session_run(b->t, session) &&
              !tessera_session_profile(b->t, session, &profile);
  if (!done)
    fprintf(stderr, "bench_accel: %s: %s\n", path, tessera_message(b->t));
  tessera_session_free(session);
  tessera_model_free(model);
  return done ? profile : NULL;
}

static bool bench_model(struct bench *b, const char *path)
{
  const struct tessera_profile *profile = profile_of(b, path, false);
  const struct tessera_profile *unfused = profile ? profile_of(b, path, true) : NULL;
  if (unfused)
    print_profile(b, path, profile, unfused);
  tessera_profile_free(unfused);
  tessera_profile_free(profile);
  return unfused != NULL;
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
    b->options.tune_cache = argv[++*k];
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
    fputs("usage: bench_accel [--json] [-O0..-O3] [--tune-cache FILE] [--config NAME|FILE] MODEL "
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Whole networks: compile time, the stream's size, the bytes that it moves, and the functional device's
 * speed on it. bench_models compile|stream|run [--json] [--config NAME] MODEL ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "runtime/tessera.h"

enum { REPEATS = 3 };

struct row {
  const char *bench, *model, *config, *what;
  double ours, peer; /* peer < 0: none */
  const char *peer_name, *units;
};

struct bench {
  const char *name, *config;
  json_t *list; /* NULL: a table */
  int rows;
};

static json_t *row_json(const struct row *r)
{
  json_t *row = json_pack("{s:s, s:o, s:f}", "bench", r->bench, "case",
                          json_sprintf("%s %s %s", r->model, r->config, r->what), "ours", r->ours);
  if (r->peer >= 0) {
    json_object_set_new(row, "peer", json_real(r->peer));
    json_object_set_new(row, "peer_name", json_string(r->peer_name));
  }
  json_object_set_new(row, "units", json_string(r->units));
  return row;
}

static void print_row(struct bench *b, const struct row *r)
{
  if (b->list) {
    json_array_append_new(b->list, row_json(r));
    return;
  }
  if (b->rows++ == 0)
    printf("%-40s %-8s %-18s %14s %14s  %s\n", "model", "config", "what", "ours", "peer", "units");
  printf("%-40s %-8s %-18s %14.6g ", r->model, r->config, r->what, r->ours);
  if (r->peer >= 0)
    printf("%14.6g  %s (peer: %s)\n", r->peer, r->units, r->peer_name);
  else
    printf("%14s  %s\n", "", r->units);
}

static void say_refused(struct tessera *t, const char *path)
{
  fprintf(stderr, "bench: %s: %s\n", path, tessera_message(t));
}

static bool bench_compile(struct bench *b, struct tessera *t, const char *path,
                          const struct tessera_options *o)
{
  double best = 1e9;
  char name[NAME_TEXT];
  for (int k = 0; k < REPEATS; k++) {
    struct tessera_model *m;
    double start = wall_seconds();
    if (tessera_model_open(t, path, o, &m))
      return false;
    double took = wall_seconds() - start;
    tessera_model_free(m);
    best = took < best ? took : best;
  }
  print_row(b, &(struct row){"compile", network_name(path, name), b->config, "time", best, -1, NULL,
                             "s"});
  return true;
}

/* What must be moved at the least: every constant, the inputs and the outputs of the accelerator once. */
static double compulsory_bytes(const struct tessera_model *m, const struct tessera_model_info *info)
{
  double bytes = (double)info->image_bytes;
  struct tessera_port port;
  for (int k = 0; k < info->inputs; k++) {
    tessera_model_input(m, k, &port);
    double count = 1;
    for (int d = 0; d < port.rank; d++)
      count *= (double)port.dims[d];
    bytes += count;
  }
  return bytes;
}

static bool bench_stream(struct bench *b, struct tessera *t, const char *path,
                         const struct tessera_options *o)
{
  struct tessera_model *m;
  struct tessera_model_info info;
  double read = 0, written = 0, macs = 0;
  if (tessera_model_open(t, path, o, &m))
    return false;
  tessera_model_info(m, &info);
  for (int k = 0; k < info.layers; k++) {
    struct tessera_layer l;
    tessera_model_layer(m, k, &l);
    read += (double)l.dram_read_bytes;
    written += (double)l.dram_write_bytes;
    macs += l.instructions ? (double)l.macs : 0;
  }
  char text[NAME_TEXT];
  const char *name = network_name(path, text);
  print_row(b, &(struct row){"stream", name, b->config, "instructions", (double)info.instructions,
                             -1, NULL, "instructions"});
  print_row(b, &(struct row){"stream", name, b->config, "DRAM read", read,
                             compulsory_bytes(m, &info), "image and inputs once", "bytes"});
  print_row(b,
            &(struct row){"stream", name, b->config, "DRAM written", written, -1, NULL, "bytes"});
  print_row(b, &(struct row){"stream", name, b->config, "MACs on accel", macs, -1, NULL, "MACs"});
  tessera_model_free(m);
  return true;
}

static bool bench_run(struct bench *b, struct tessera *t, const char *path,
                      const struct tessera_options *o)
{
  struct tessera_model *m;
  struct tessera_session *s = NULL;
  struct tessera_counters counters;
  double best = 1e9;
  char text[NAME_TEXT];
  if (tessera_model_open(t, path, o, &m))
    return false;
  bool ok = !tessera_session_open(t, m, NULL, &s);
  for (int k = 0; k < REPEATS && ok; k++) {
    double start = wall_seconds();
    ok = !tessera_session_run(t, s);
    best = wall_seconds() - start < best ? wall_seconds() - start : best;
  }
  if (ok) {
    tessera_session_counters(s, &counters);
    double macs = (double)counters.macs / REPEATS;
    const char *name = network_name(path, text);
    print_row(b, &(struct row){"run", name, b->config, "inference", best, -1, NULL, "s"});
    print_row(b, &(struct row){"run", name, b->config, "rate", macs / best * 1e-9, -1, NULL,
                               "GMAC/s, CPU steps included"});
  }
  tessera_session_free(s);
  tessera_model_free(m);
  return ok;
}

static int usage(void)
{
  fputs("usage: bench_models compile|stream|run [--json] [--config NAME] MODEL ...\n", stderr);
  return 2;
}

int main(int argc, char **argv)
{
  struct bench b = {.config = "default"};
  bool (*run)(struct bench *, struct tessera *, const char *, const struct tessera_options *);
  if (argc < 2)
    return usage();
  b.name = argv[1];
  run = !strcmp(b.name, "compile")  ? bench_compile
        : !strcmp(b.name, "stream") ? bench_stream
        : !strcmp(b.name, "run")    ? bench_run
                                    : NULL;
  if (!run)
    return usage();
  struct tessera *t = tessera_new(NULL);
  int status = t ? 0 : 2;
  for (int k = 2; k < argc && t; k++) {
    if (!strcmp(argv[k], "--json")) {
      b.list = b.list ? b.list : json_array();
    } else if (!strcmp(argv[k], "--config") && k + 1 < argc) {
      b.config = argv[++k];
    } else {
      struct tessera_options o = {.config = b.config};
      if (run == bench_compile)
        o.effort = TESSERA_EFFORT_NONE;
      if (!run(&b, t, argv[k], &o)) {
        say_refused(t, argv[k]);
        status = 2;
      }
    }
  }
  if (b.list)
    print_rows(b.list);
  tessera_free(t);
  return status;
}

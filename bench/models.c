/* SPDX-License-Identifier: Apache-2.0 */
/* Whole networks: compile time, the stream's size, the bytes that it moves, and the functional device's
 * speed on it. bench_models compile|stream|run [--json] [--config NAME] MODEL ... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/tessera.h"

enum { REPEATS = 3 };

struct row {
  const char *bench, *model, *config, *what;
  double ours, peer; /* peer < 0: none */
  const char *peer_name, *units;
};

struct bench {
  const char *name, *config;
  bool json;
  int rows;
};

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_json(const struct row *r, bool first)
{
  printf("%s\n  {\"bench\": \"%s\", \"case\": \"%s %s %s\", \"ours\": %.6g", first ? "[" : ",",
         r->bench, r->model, r->config, r->what, r->ours);
  if (r->peer >= 0)
    printf(", \"peer\": %.6g, \"peer_name\": \"%s\"", r->peer, r->peer_name);
  printf(", \"units\": \"%s\"}", r->units);
}

static void print_row(struct bench *b, const struct row *r)
{
  if (b->json) {
    print_json(r, b->rows++ == 0);
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

/* A file named model... is called by its folder, another by its own name without .onnx. */
static const char *short_name(const char *path, char text[static 48])
{
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  int length = (int)strcspn(name, ".");
  if (slash && !strncmp(name, "model", 5)) {
    const char *end = slash;
    for (name = end; name > path && name[-1] != '/';)
      name--;
    length = (int)(end - name);
  }
  snprintf(text, 48, "%.*s", length < 47 ? length : 47, name);
  return text;
}

static void say_refused(struct tessera *t, const char *path)
{
  fprintf(stderr, "bench: %s: %s\n", path, tessera_message(t));
}

static bool bench_compile(struct bench *b, struct tessera *t, const char *path,
                          const struct tessera_options *o)
{
  double best = 1e9;
  char name[48];
  for (int k = 0; k < REPEATS; k++) {
    struct tessera_model *m;
    double start = now();
    if (tessera_model_open(t, path, o, &m))
      return false;
    double took = now() - start;
    tessera_model_free(m);
    best = took < best ? took : best;
  }
  print_row(
      b, &(struct row){"compile", short_name(path, name), b->config, "time", best, -1, NULL, "s"});
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
  char text[48];
  const char *name = short_name(path, text);
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
  char text[48];
  if (tessera_model_open(t, path, o, &m))
    return false;
  bool ok = !tessera_session_open(t, m, NULL, &s);
  for (int k = 0; k < REPEATS && ok; k++) {
    double start = now();
    ok = !tessera_session_run(t, s);
    best = now() - start < best ? now() - start : best;
  }
  if (ok) {
    tessera_session_counters(s, &counters);
    double macs = (double)counters.macs / REPEATS;
    const char *name = short_name(path, text);
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
      b.json = true;
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
  if (b.json)
    puts(b.rows ? "\n]" : "[]");
  tessera_free(t);
  return status;
}

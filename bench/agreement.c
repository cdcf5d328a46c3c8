/* SPDX-License-Identifier: Apache-2.0 */
/* Runs each integer layer of a network on recorded inputs and counts how far its result is from the
 * recorded one. agreement.py records them. bench_agreement [--json] MODEL FOLDER, or --names MODEL. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "compiler/graph/graph.h"
#include "compiler/onnx/onnx.h"

struct totals {
  long layers, skipped, elements, differing, largest;
};

static bool is_integer_layer(const struct tsr_node *n)
{
  return n->op >= TSR_G_QConv && n->op <= TSR_G_QLut;
}

/* What was recorded as the value of a tensor; NULL: nothing of that size. */
static void *recorded(struct tsr_arena *a, const char *folder, const struct tsr_value *v)
{
  struct tsr_tensor t = tsr_value_tensor(v);
  struct tsr_bytes bytes;
  char *name = tsr_arena_strdup(a, v->producer ? v->producer->name : v->name);
  for (char *p = name; *p; p++)
    *p = *p == '/' ? '_' : *p;
  if (tsr_file_read(a, NULL, tsr_arena_printf(a, "%s/%s.bin", folder, name), 1u << 30, &bytes) ||
      bytes.size != tsr_tensor_bytes(&t))
    return NULL;
  return bytes.data;
}

static void compare(struct totals *t, const int8_t *found, const int8_t *expected, long count)
{
  t->layers++;
  t->elements += count;
  for (long k = 0; k < count; k++) {
    long off = labs((long)found[k] - expected[k]);
    t->differing += off != 0;
    t->largest = off > t->largest ? off : t->largest;
  }
}

static enum tsr_status run_layer(struct tsr_arena *a, struct tsr_err *err, const struct tsr_node *n,
                                 const char *folder, struct totals *t)
{
  struct tir_func *func;
  void **params = TSR_NEW_ARRAY(a, void *, n->inputs + 1);
  struct tsr_tensor y = tsr_value_tensor(n->out[0]);
  void *expected = recorded(a, folder, n->out[0]);
  bool known = expected;
  for (int k = 0; k < n->inputs; k++) {
    params[k] = n->in[k]->data ? (void *)n->in[k]->data : recorded(a, folder, n->in[k]);
    known &= params[k] != NULL;
  }
  t->skipped += !known;
  if (!known)
    return TSR_OK;
  params[n->inputs] = tsr_arena_alloc(a, tsr_tensor_bytes(&y) + 1);
  enum tsr_status status = tsr_node_compute(a, err, n, &func);
  if (!status)
    status = tir_func_run(a, err, func, params);
  if (!status)
    compare(t, params[n->inputs], expected, (long)tsr_tensor_count(&y));
  return status;
}

static void print_totals(const struct totals *t, bool json)
{
  if (json)
    printf(
        "[\n  {\"bench\": \"agreement\", \"case\": \"elements off by one or more\", \"ours\": %ld, "
        "\"units\": \"of %ld elements in %ld layers\"},\n  {\"bench\": \"agreement\", "
        "\"case\": \"largest difference\", \"ours\": %ld, \"units\": \"quantization steps\"}\n]\n",
        t->differing, t->elements, t->layers, t->largest);
  else
    printf(
        "%ld layers (%ld more begin or end at a tensor that was not recorded), %ld elements: %ld "
        "differ, by at most %ld quantization steps\n",
        t->layers, t->skipped, t->elements, t->differing, t->largest);
}

static enum tsr_status run(struct tsr_arena *a, struct tsr_err *err, const char *model,
                           const char *folder, bool json)
{
  struct tsr_bytes bytes;
  struct tsr_graph *g;
  struct tsr_onnx_options options = {0};
  struct totals totals = {0};
  enum tsr_status status = tsr_file_read(a, err, model, 1u << 30, &bytes);
  if (!status)
    status = tsr_onnx_import(a, err, model, bytes.data, bytes.size, &options, &g);
  if (!status)
    status = tsr_graph_optimize(err, g, NULL, NULL);
  for (int k = 0; !status && k < g->nodes; k++) {
    if (!folder)
      puts(g->node[k]->name);
    else if (is_integer_layer(g->node[k]))
      status = run_layer(a, err, g->node[k], folder, &totals);
  }
  if (!status && folder)
    print_totals(&totals, json);
  return status;
}

static int run_in_arena(const char *model, const char *folder, bool json)
{
  struct tsr_err err = {0};
  struct tsr_arena *a = tsr_arena_new(NULL);
  enum tsr_status status;
  if (!a || setjmp(*tsr_arena_landing(a)))
    status = tsr_no_memory(&err);
  else
    status = run(a, &err, model, folder, json);
  if (status)
    fprintf(stderr, "bench_agreement: %s\n", err.text);
  tsr_arena_free(a);
  return status ? 2 : 0;
}

int main(int argc, char **argv)
{
  if (argc == 3 && !strcmp(argv[1], "--names"))
    return run_in_arena(argv[2], NULL, false);
  if (argc == 4 && !strcmp(argv[1], "--json"))
    return run_in_arena(argv[2], argv[3], true);
  if (argc == 3)
    return run_in_arena(argv[1], argv[2], false);
  fputs("usage: bench_agreement [--json] MODEL FOLDER | --names MODEL\n", stderr);
  return 2;
}

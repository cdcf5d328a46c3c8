/* SPDX-License-Identifier: Apache-2.0 */
/* tessera profile --target cuda: how long each kernel takes, and how far it is from the GPU's limits. */
#include <stdio.h>

#include "tools/gpu.h"
#include "tools/layers.h"
#include "tools/open.h"
#include "tools/table.h"
#include "tools/tensors.h"

enum { REPEATS = 20 };

/* --- text ------------------------------------------------------------------------------------- */

static int add_row(struct table *table, const struct tessera_gpu_profile *p, int k)
{
  const struct tessera_gpu_kernel *kernel = &p->kernel[k];
  const struct tessera_gpu_layer *layer = &p->layer[kernel->layer];
  bool last = k + 1 == p->kernels || p->kernel[k + 1].layer != kernel->layer;
  char us[COUNT_TEXT], share[COUNT_TEXT], rate[COUNT_TEXT] = "", bytes[COUNT_TEXT] = "";
  char limit[COUNT_TEXT] = "", registers[COUNT_TEXT], local[COUNT_TEXT], shared[COUNT_TEXT];
  snprintf(us, sizeof us, "%.2f", 1e6 * kernel->seconds);
  percent_text(kernel->seconds, p->kernel_seconds, share);
  count_text((uint64_t)kernel->registers, registers);
  count_text(kernel->local_bytes, local);
  count_text(kernel->shared_bytes, shared);
  if (last && layer->seconds > 0) {
    if (layer->macs)
      snprintf(rate, sizeof rate, "%.2f", 2e-12 * (double)layer->macs / layer->seconds);
    snprintf(bytes, sizeof bytes, "%.0f", 1e-9 * (double)layer->bytes / layer->seconds);
    snprintf(limit, sizeof limit, "%.1f %% of %s", 100 * layer->least_seconds / layer->seconds,
             layer->limit);
  }
  const char *const cells[] = {layer->name, layer->op, kernel->name, us,    share, rate,
                               bytes,       limit,     registers,    local, shared};
  return table_add(table, cells);
}

static void print_text(const struct tessera_gpu_profile *p)
{
  static const char *const head[] = {"layer",     "op",      "kernel", "us",
                                     "share",     "TFLOP/s", "GB/s",   "of its limit",
                                     "registers", "local",   "shared"};
  struct table table = {.columns = 11, .alignment = "lllrrrrrrrr"};
  char name[128];
  printf("%s on %s (%s)\n\n", plain_text(p->model, name, sizeof name), p->gpu.name, p->gpu.arch);
  int bad = table_add(&table, head);
  for (int k = 0; k < p->kernels && !bad; k++)
    bad = add_row(&table, p, k);
  table_end(&table, bad);
  printf("\n%d kernels of %d layers take %.3f ms, less %.2f us for each event; a graph of them "
         "%.3f ms, "
         "with its copies %.3f ms; medians of %d\n",
         p->kernels, p->layers, 1e3 * p->kernel_seconds, 1e6 * p->event_seconds,
         1e3 * p->device_seconds, 1e3 * p->seconds, p->repeats);
  if (p->cpu_layers)
    printf("%d layers on the CPU are not counted\n", p->cpu_layers);
  printf("limits, as measured here: %.0f GB/s", 1e-9 * p->limit[0].per_second);
  for (int i = 1; i < TESSERA_GPU_LIMITS; i++)
    printf(", %s %.1f", p->limit[i].name, 2e-12 * p->limit[i].per_second);
  printf(" TFLOP/s\n");
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *layers_json(const struct tessera_gpu_profile *p)
{
  json_t *list = json_array();
  for (int i = 0; i < p->layers; i++) {
    const struct tessera_gpu_layer *l = &p->layer[i];
    json_t *object = json_object();
    put_text(object, "name", l->name);
    put_text(object, "op", l->op);
    put_count(object, "kernels", (uint64_t)l->kernels);
    json_object_set_new(object, "seconds", json_real(l->seconds));
    put_count(object, "macs", l->macs);
    put_count(object, "bytes", l->bytes);
    put_text(object, "limit", l->limit);
    json_object_set_new(object, "least_seconds", json_real(l->least_seconds));
    json_array_append_new(list, object);
  }
  return list;
}

static json_t *kernels_json(const struct tessera_gpu_profile *p)
{
  json_t *list = json_array();
  for (int i = 0; i < p->kernels; i++) {
    const struct tessera_gpu_kernel *k = &p->kernel[i];
    json_t *object = json_object();
    put_text(object, "layer", p->layer[k->layer].name);
    put_text(object, "name", k->name);
    json_object_set_new(object, "seconds", json_real(k->seconds));
    put_count(object, "registers", (uint64_t)k->registers);
    put_count(object, "local_bytes", k->local_bytes);
    put_count(object, "shared_bytes", k->shared_bytes);
    json_array_append_new(list, object);
  }
  return list;
}

static void print_as_json(const struct tessera_gpu_profile *p)
{
  json_t *root = json_object();
  put_text(root, "model", p->model);
  json_object_set_new(root, "gpu", gpu_json(&p->gpu));
  json_object_set_new(root, "limits", limits_json(p->limit));
  put_count(root, "repeats", (uint64_t)p->repeats);
  put_count(root, "cpu_layers", (uint64_t)p->cpu_layers);
  json_object_set_new(root, "seconds", json_real(p->seconds));
  json_object_set_new(root, "device_seconds", json_real(p->device_seconds));
  json_object_set_new(root, "kernel_seconds", json_real(p->kernel_seconds));
  json_object_set_new(root, "event_seconds", json_real(p->event_seconds));
  json_object_set_new(root, "layers", layers_json(p));
  json_object_set_new(root, "kernels", kernels_json(p));
  print_json(root);
}

/* --- the run ---------------------------------------------------------------------------------- */

static int show(const struct cli *cli, struct tessera_session *session)
{
  const struct tessera_gpu_profile *profile;
  enum tessera_status status = tessera_session_run(cli->t, session);
  if (!status)
    status = tessera_session_gpu_profile(cli->t, session, REPEATS, &profile);
  if (status)
    return cli_message(cli, status);
  if (cli_has(cli, "json"))
    print_as_json(profile);
  else
    print_text(profile);
  tessera_gpu_profile_free(profile);
  return 0;
}

int profile_gpu(const struct cli *cli)
{
  static const char *const others[] = {"csv", "html", "diff", "dump", "threads"};
  struct tessera_model *model;
  struct tessera_session *session;
  const char *device;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (cli_has(cli, others[i]))
      return cli_refuse("profile: --%s is of other targets; target 'cuda' has text and --json",
                        others[i]);
  int status = open_target(cli, &device);
  if (!status)
    status = open_model(cli, cli->word[0], &model);
  if (status)
    return status;
  enum tessera_status opened = tessera_session_open(cli->t, model, NULL, &session);
  if (opened) {
    tessera_model_free(model);
    return cli_message(cli, opened);
  }
  status = inputs_give(cli, model, true, session);
  if (!status)
    status = show(cli, session);
  tessera_session_free(session);
  tessera_model_free(model);
  return status;
}

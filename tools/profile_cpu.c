/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/profile_cpu.h"

#include <limits.h>
#include <string.h>

#include "tools/layers.h"
#include "tools/machine.h"
#include "tools/open.h"
#include "tools/table.h"
#include "tools/tensors.h"

bool profile_is_cpu(const struct cli *cli)
{
  const char *target = cli_value(cli, "target");
  return target && (!strcmp(target, "cpu") || !strncmp(target, "cpu:", 4));
}

/* --- text ------------------------------------------------------------------------------------- */

static const char *number_text(const char *format, double v, char out[static COUNT_TEXT])
{
  snprintf(out, COUNT_TEXT, format, v);
  return out;
}

/* Of so many things in so many seconds; nothing where there are none. */
static const char *rate_text(uint64_t things, double seconds, char out[static COUNT_TEXT])
{
  if (!things || seconds <= 0)
    return "";
  return number_text("%.1f", 1e-9 * (double)things / seconds, out);
}

static int add_layer(struct table *table, const struct tessera_cpu_profile *p,
                     const struct tessera_cpu_profile_layer *l)
{
  char ms[COUNT_TEXT], share[COUNT_TEXT], ops[COUNT_TEXT], bytes[COUNT_TEXT], peak[COUNT_TEXT];
  const char *const cells[] = {l->name,
                               l->op,
                               number_text("%.4f", 1e3 * l->seconds, ms),
                               percent_text(l->seconds, p->seconds, share),
                               rate_text(l->ops, l->seconds, ops),
                               rate_text(l->bytes, l->seconds, bytes),
                               percent_text(l->fraction_of_peak, 1, peak),
                               l->limit,
                               l->interpreted ? "interpreted" : ""};
  return table_add(table, cells);
}

static void print_text(const struct tessera_cpu_profile *p)
{
  static const char *const head[] = {"layer", "op",      "ms",    "share", "GOP/s",
                                     "GB/s",  "of peak", "limit", ""};
  struct table table = {.columns = 9, .alignment = "llrrrrrll"};
  char plain[128], name[32], ms[COUNT_TEXT], ops[COUNT_TEXT], bytes[COUNT_TEXT], peak[COUNT_TEXT];
  printf("%s on cpu:%s, %d thread%s: %.4f ms each inference, the median of %d\n\n",
         plain_text(p->model, plain, sizeof plain), p->level, p->threads,
         p->threads == 1 ? "" : "s", 1e3 * p->seconds, p->runs);
  int bad = table_add(&table, head);
  for (int k = 0; k < p->layers && !bad; k++)
    bad = add_layer(&table, p, &p->layer[k]);
  table.rule = table.rows;
  snprintf(name, sizeof name, "%d layers", p->layers);
  if (!bad)
    bad = table_add(&table,
                    (const char *const[]){name, "", number_text("%.4f", 1e3 * p->seconds, ms),
                                          "100.0 %", rate_text(p->ops, p->seconds, ops),
                                          rate_text(p->bytes, p->seconds, bytes),
                                          percent_text(p->least_s, p->seconds, peak), "", ""});
  table_end(&table, bad);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *layer_json(const struct tessera_cpu_profile_layer *l)
{
  json_t *object = json_object();
  put_text(object, "name", l->name);
  put_text(object, "op", l->op);
  if (l->nodes)
    put_text(object, "nodes", l->nodes);
  json_object_set_new(object, "interpreted", json_boolean(l->interpreted));
  json_object_set_new(object, "seconds", json_real(l->seconds));
  put_count(object, "ops", l->ops);
  put_count(object, "bytes", l->bytes);
  json_object_set_new(object, "compute_s", json_real(l->compute_s));
  json_object_set_new(object, "memory_s", json_real(l->memory_s));
  put_text(object, "limit", l->limit);
  json_object_set_new(object, "fraction_of_peak", json_real(l->fraction_of_peak));
  return object;
}

static void print_as_json(const struct tessera_cpu_profile *p,
                          const struct tessera_machine *machine)
{
  json_t *root = json_object(), *layers = json_array();
  put_text(root, "model", p->model);
  put_text(root, "level", p->level);
  put_count(root, "threads", (uint64_t)p->threads);
  put_count(root, "runs", (uint64_t)p->runs);
  json_object_set_new(root, "seconds", json_real(p->seconds));
  put_count(root, "ops", p->ops);
  put_count(root, "bytes", p->bytes);
  json_object_set_new(root, "least_s", json_real(p->least_s));
  for (int k = 0; k < p->layers; k++)
    json_array_append_new(layers, layer_json(&p->layer[k]));
  json_object_set_new(root, "layers", layers);
  json_object_set_new(root, "machine", machine_json(machine));
  print_json(root);
}

/* --- the run ---------------------------------------------------------------------------------- */

static int check_options(const struct cli *cli, int *runs, int *threads)
{
  static const char *const cycles_only[] = {"csv", "html", "diff"};
  uint64_t number = 0;
  for (size_t k = 0; k < sizeof cycles_only / sizeof cycles_only[0]; k++)
    if (cli_has(cli, cycles_only[k]))
      return cli_refuse("profile: --%s is for cycles of the accelerator; target 'cpu' has text and "
                        "--json",
                        cycles_only[k]);
  if (cli_has(cli, "runs") && cli_seed(cli, "runs", &number))
    return EXIT_REFUSED;
  if (number > INT_MAX)
    return cli_refuse("profile: --runs %s are more than there can be", cli_value(cli, "runs"));
  *runs = (int)number;
  return cli_threads(cli, threads);
}

static int measure(const struct cli *cli, const struct tessera_model *model, int runs, int threads)
{
  struct tessera_session_options options = {.threads = threads};
  struct tessera_session *session = NULL;
  struct tessera_machine machine;
  const struct tessera_cpu_profile *profile = NULL;
  enum tessera_status status = tessera_session_open_with(cli->t, model, &options, &session);
  if (status)
    return cli_message(cli, status);
  int refused = inputs_give(cli, model, true, session);
  if (!refused) {
    status = tessera_machine_measure(cli->t, &machine);
    if (!status)
      status = tessera_session_profile_cpu(cli->t, session, &machine, runs, &profile);
    refused = status ? cli_message(cli, status) : 0;
  }
  if (!refused && cli_has(cli, "json"))
    print_as_json(profile, &machine);
  else if (!refused)
    print_text(profile);
  tessera_cpu_profile_free(profile);
  tessera_session_free(session);
  return refused;
}

int profile_cpu(const struct cli *cli)
{
  struct tessera_model *model;
  const char *device;
  int runs, threads, status = check_options(cli, &runs, &threads);
  if (!status)
    status = open_target(cli, &device);
  if (!status)
    status = open_model(cli, cli->word[0], &model);
  if (status)
    return status;
  status = measure(cli, model, runs, threads);
  tessera_model_free(model);
  return status;
}

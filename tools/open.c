/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/codegen.h"
#include "tools/table.h"

#define LARGEST_FILE ((size_t)2 << 30)

static const char *const stages[] = {"graph", "tir", "schedule", "llvm", "stream"};
enum { STAGES = sizeof stages / sizeof stages[0] };

int open_target(const struct cli *cli, const char **device)
{
  enum tessera_status status = tessera_target_check(cli->t, cli_value(cli, "target"), device);
  return status ? cli_message(cli, status) : 0;
}

int open_file(const struct cli *cli, const char *path, struct tessera_bytes *out)
{
  enum tessera_status status = tessera_file_read(cli->t, path, LARGEST_FILE, out);
  return status ? cli_message(cli, status) : 0;
}

static void print_stage(void *context, const char *stage, const char *name, const char *text)
{
  struct dump *d = context;
  if (strcmp(stage, d->stage))
    return;
  if (d->name && strcmp(name, d->name)) {
    const char *both[] = {name, d->near[0] ? d->near : name};
    const char *near = tessera_nearest(d->name, both, 2);
    if (near && near != d->near)
      snprintf(d->near, sizeof d->near, "%s", near);
    return;
  }
  char plain[256];
  d->printed++;
  printf("; %s: %s\n%s%s\n", stage, plain_text(name, plain, sizeof plain), text,
         *text && text[strlen(text) - 1] == '\n' ? "" : "\n");
}

static int parse_dump(const struct cli *cli, struct dump *d, char *stage, size_t size)
{
  const char *text = cli_value(cli, "dump");
  *d = (struct dump){0};
  if (!text)
    return 0;
  if (cli_has(cli, "json"))
    return cli_refuse("%s: --dump prints text, --json does not; give one of them",
                      cli->command->name);
  const char *colon = strchr(text, ':');
  snprintf(stage, size, "%.*s", colon ? (int)(colon - text) : (int)strlen(text), text);
  d->stage = stage;
  d->name = colon ? colon + 1 : NULL;
  for (int i = 0; i < STAGES; i++)
    if (!strcmp(stage, stages[i]))
      return 0;
  const char *near = tessera_nearest(stage, stages, STAGES);
  if (near)
    return cli_refuse("%s: --dump has no stage '%s'; did you mean '%s'?", cli->command->name, stage,
                      near);
  return cli_refuse("%s: --dump has no stage '%s'; there are graph, tir, schedule, llvm and stream",
                    cli->command->name, stage);
}

static int nothing_dumped(const struct cli *cli, const struct tessera_model *model,
                          const struct dump *d, const char *path)
{
  int layer;
  if (d->name && strcmp(d->stage, "graph") && !strchr(d->name, '@') &&
      tessera_model_find_layer(cli->t, model, d->name, &layer))
    return cli_message(cli, TESSERA_REFUSED);
  if (d->name && d->near[0])
    return cli_refuse("%s: %s has no %s of '%s'; did you mean '%s'?", cli->command->name, path,
                      d->stage, d->name, d->near);
  return cli_refuse("%s: %s has no %s%s%s%s", cli->command->name, path, d->stage,
                    d->name ? " of '" : "", d->name ? d->name : "", d->name ? "'" : "");
}

/* -O, --tune-cache and --apart. */
static int read_effort(const struct cli *cli, struct tessera_options *out)
{
  static const enum tessera_effort efforts[] = {TESSERA_EFFORT_NONE, TESSERA_EFFORT_SOME,
                                                TESSERA_EFFORT_MORE, TESSERA_EFFORT_ALL};
  const char *effort = cli_value(cli, "O"), *cache = cli_value(cli, "tune-cache");
  if (effort && (effort[0] < '0' || effort[0] > '3' || effort[1]))
    return cli_refuse("%s: -O takes an effort of 0 to 3, not '%s'", cli->command->name, effort);
  out->effort = effort ? efforts[effort[0] - '0'] : TESSERA_EFFORT_DEFAULT;
  out->tune_cache = cache && !strcmp(cache, "none") ? "" : cache;
  out->apart = cli_has(cli, "apart");
  return 0;
}

int open_model(const struct cli *cli, const char *path, struct tessera_model **out)
{
  return open_model_with(cli, path, NULL, NULL, out);
}

int open_model_with(const struct cli *cli, const char *path, const char *layer,
                    const char *schedule, struct tessera_model **out)
{
  struct dump dump;
  char stage[64];
  int status = parse_dump(cli, &dump, stage, sizeof stage);
  if (status)
    return status;
  struct tessera_options options = {.layer = layer, .schedule = schedule};
  status = read_effort(cli, &options);
  if (status)
    return status;
  const char **dims = calloc((size_t)cli->given_count + 1, sizeof *dims);
  if (!dims)
    return cli_refuse("out of memory");
  options.target = cli_value(cli, "target");
  options.config = cli_value(cli, "config");
  options.float_type = cli_value(cli, "float");
  options.dims = dims;
  options.codegen = cli_cpu_codegen();
  options.cuda_codegen = cli_cuda_codegen();
  options.also = cli_value(cli, "also");
  options.portable = cli->command == &command_compile;
  while ((dims[options.dim_count] = cli_nth(cli, "dim", options.dim_count)))
    options.dim_count++;
  if (dump.stage) {
    options.dump = print_stage;
    options.context = &dump;
  }
  enum tessera_status opened = tessera_model_open(cli->t, path, &options, out);
  free(dims);
  if (opened)
    return cli_message(cli, opened);
  if (dump.stage && !dump.printed) {
    status = nothing_dumped(cli, *out, &dump, path);
    tessera_model_free(*out);
    return status;
  }
  return 0;
}

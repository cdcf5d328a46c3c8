/* SPDX-License-Identifier: Apache-2.0 */
/* tessera info: what a model or a package is; without one, what this build has. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tools/gpu.h"
#include "tools/layers.h"
#include "tools/machine.h"
#include "tools/open.h"
#include "tools/table.h"

static const struct option options[] = {
    CLI_MODEL_OPTIONS,
    {"machine", NULL, "without a model: measure what this machine can do at most"},
    {"gpu", NULL, "without a model: measure what the GPU can do at most"},
    {NULL, NULL, NULL}};

/* --- this build ------------------------------------------------------------------------------- */

static json_t *list_json(const char *(*item)(int k))
{
  json_t *array = json_array();
  for (int k = 0; item(k); k++)
    json_array_append_new(array, json_string(item(k)));
  return array;
}

static void print_list(const char *title, const char *(*item)(int k), const char *(*meaning)(int k))
{
  printf("%-14s", title);
  for (int k = 0; item(k); k++)
    printf("%s%s%s%s%s", k ? ", " : "", item(k), meaning ? " (" : "", meaning ? meaning(k) : "",
           meaning ? ")" : "");
  printf("\n");
}

static const char *level_text(int k)
{
  return tessera_cpu_level_here(k) ? "here" : "not here";
}

static int info_build(const struct cli *cli)
{
  struct gpu_info gpu;
  int status = gpu_info_read(cli, cli_has(cli, "gpu"), &gpu);
  if (status)
    return status;
  if (!cli_has(cli, "json")) {
    printf("%-14s%s\n", "version", tessera_version());
    print_list("targets", tessera_target, NULL);
    print_list("devices", tessera_device, tessera_device_meaning);
    print_list("design points", tessera_config_name, NULL);
    print_list("levels", tessera_cpu_level, level_text);
    gpu_info_print(&gpu);
    return 0;
  }
  json_t *root = json_object();
  json_object_set_new(root, "version", json_string(tessera_version()));
  json_object_set_new(root, "targets", list_json(tessera_target));
  json_object_set_new(root, "devices", list_json(tessera_device));
  json_object_set_new(root, "configs", list_json(tessera_config_name));
  json_object_set_new(root, "levels", list_json(tessera_cpu_level));
  json_object_set_new(root, "gpu", gpu_info_json(&gpu));
  print_json(root);
  return 0;
}

/* --- a model ---------------------------------------------------------------------------------- */

static void print_port(const char *what, const struct tessera_port *p)
{
  char shape[SHAPE_TEXT], name[128];
  printf("%-14s'%s', %s of %s\n", what, plain_text(p->name, name, sizeof name),
         shape_text(p->dims, p->rank, shape), tessera_dtype_name(p->dtype));
}

static void print_model(const struct tessera_model *model)
{
  struct tessera_model_info info;
  struct tessera_port port;
  char name[128], count[COUNT_TEXT];
  tessera_model_info(model, &info);
  printf("%-14s%s%s\n", "name", plain_text(info.name, name, sizeof name),
         info.packaged ? ", a package" : "");
  printf("%-14s%s, hash %016" PRIx64 "\n", "design point", info.config, info.design_hash);
  for (int k = 0; k < info.inputs; k++) {
    tessera_model_input(model, k, &port);
    print_port(k ? "" : "inputs", &port);
  }
  for (int k = 0; k < info.outputs; k++) {
    tessera_model_output(model, k, &port);
    print_port(k ? "" : "outputs", &port);
  }
  printf("%-14s%s in %d stream%s\n", "instructions", count_text(info.instructions, count),
         info.streams, info.streams == 1 ? "" : "s");
  printf("%-14s%s bytes", "window", count_text(info.window_bytes, count));
  printf(", of which %s are the image\n", count_text(info.image_bytes, count));
  printf("%-14s%s bytes", "on the CPU", count_text(info.host_bytes, count));
  printf(" for tensors, %s if none shared memory\n\n", count_text(info.host_separate_bytes, count));
  print_placement(model);
  print_layers(model, NULL);
}

/* Calls `each` with every section of a package; nothing for another file. */
static int for_sections(const struct cli *cli, const char *path,
                        void (*each)(void *context, const struct tessera_section *s), void *context)
{
  struct tessera_bytes file;
  struct tessera_section s;
  int status = open_file(cli, path, &file);
  if (status)
    return status;
  if (tessera_is_package(file.data, file.size))
    for (int k = 0; !tessera_package_section(cli->t, path, file.data, file.size, k, &s); k++)
      each(context, &s);
  tessera_bytes_free(&file);
  return 0;
}

static void print_section(void *context, const struct tessera_section *s)
{
  char count[COUNT_TEXT];
  int *printed = context;
  printf("%s%-14s%-10s%14s bytes  %s\n", *printed ? "" : "\n", *printed ? "" : "sections", s->name,
         count_text(s->size, count), s->meaning);
  *printed = 1;
}

static void section_json(void *context, const struct tessera_section *s)
{
  json_t *object = json_object();
  json_object_set_new(object, "name", json_string(s->name));
  put_count(object, "offset", s->offset);
  put_count(object, "bytes", s->size);
  json_array_append_new(context, object);
}

static int info_model(const struct cli *cli, const char *path)
{
  struct tessera_model *model;
  int printed = 0, status = open_model(cli, path, &model);
  if (status)
    return status;
  if (cli_has(cli, "json")) {
    json_t *root = model_json(model), *sections = json_array();
    status = for_sections(cli, path, section_json, sections);
    json_object_set_new(root, "sections", sections);
    print_json(root);
  } else if (!cli_has(cli, "dump")) {
    print_model(model);
    status = for_sections(cli, path, print_section, &printed);
  }
  tessera_model_free(model);
  return status;
}

/* --- this machine ----------------------------------------------------------------------------- */

static int info_machine(const struct cli *cli)
{
  struct tessera_machine machine;
  if (cli->words)
    return cli_refuse("info: --machine measures this machine; a model has no place there");
  enum tessera_status status = tessera_machine_measure(cli->t, &machine);
  if (status)
    return cli_message(cli, status);
  if (cli_has(cli, "json"))
    print_json(machine_json(&machine));
  else
    print_machine(&machine);
  return 0;
}

/* Options that a model takes, where there is none. */
static int check_no_model(const struct cli *cli)
{
  static const char *const others[] = {"json", "machine", "gpu"};
  for (int i = 0; i < cli->given_count; i++) {
    const char *name = cli->given[i].option->name;
    if (strcmp(name, others[0]) && strcmp(name, others[1]) && strcmp(name, others[2]))
      return cli_refuse("info: option '-%s%s' is about a model, and none is named",
                        name[1] ? "-" : "", name);
  }
  if (cli_has(cli, "machine") && cli_has(cli, "gpu"))
    return cli_refuse("info: --machine and --gpu both measure; give one of them");
  return 0;
}

static int info(struct cli *cli)
{
  if (!cli->words && check_no_model(cli))
    return EXIT_REFUSED;
  if (cli_has(cli, "machine"))
    return info_machine(cli);
  if (cli->words && cli_has(cli, "gpu"))
    return cli_refuse("info: --gpu measures the GPU; a model has no place there");
  return cli->words ? info_model(cli, cli->word[0]) : info_build(cli);
}

const struct command command_info = {
    .name = "info",
    .usage = "[MODEL.onnx|PACKAGE.tsr] [OPTIONS]",
    .summary = "tell what a model or a package is; without one, what this build and machine have",
    .options = options,
    .examples = "  tessera info\n"
                "  tessera info --machine\n"
                "  tessera info models/digits/digits.onnx --config tiny\n"
                "  tessera info digits.tsr --json\n",
    .least_words = 0,
    .most_words = 1,
    .run = info,
};

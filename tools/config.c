/* SPDX-License-Identifier: Apache-2.0 */
/* tessera config: design points shown, checked, and imported from VTA. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tools/layers.h"
#include "tools/open.h"
#include "tools/table.h"

static const struct option options[] = {
    {"output", "FILE", "verilog, import-vta: write there instead (also -o)"},
    {"json", NULL, "print JSON for programs"},
    {NULL, NULL, NULL}};

static int list(const struct cli *cli)
{
  json_t *array = json_array();
  for (int k = 0; tessera_config_name(k); k++)
    if (cli_has(cli, "json"))
      json_array_append_new(array, json_string(tessera_config_name(k)));
    else
      printf("%s\n", tessera_config_name(k));
  if (cli_has(cli, "json"))
    print_json(array);
  else
    json_decref(array);
  return 0;
}

static void print_key(const struct tessera_config_key *key)
{
  char value[COUNT_TEXT];
  printf("  %-16s%12s %-13s %s\n", key->name, count_text((uint64_t)key->value, value), key->unit,
         key->meaning);
}

static void print_keys(const struct tessera_config *config, const char *name)
{
  struct tessera_config_key key;
  const char *order = tessera_config_memory_order(config);
  printf("%s, hash %016" PRIx64 "\n", name, tessera_config_hash(config));
  for (int k = 0; tessera_config_key(config, k, &key); k++)
    print_key(&key);
  printf("memory, %s%s%s\n", tessera_config_memory_model(config), order ? ", order " : "",
         order ? order : "");
  for (int k = 0; tessera_config_memory_key(config, k, &key); k++)
    print_key(&key);
}

/* As a design point's file has it. */
static json_t *memory_json(const struct tessera_config *config)
{
  struct tessera_config_key key;
  json_t *memory = json_object();
  const char *order = tessera_config_memory_order(config);
  json_object_set_new(memory, "model", json_string(tessera_config_memory_model(config)));
  if (order)
    json_object_set_new(memory, "order", json_string(order));
  for (int k = 0; tessera_config_memory_key(config, k, &key); k++)
    json_object_set_new(memory, key.name, json_integer(key.value));
  return memory;
}

static void print_keys_json(const struct tessera_config *config, const char *name)
{
  struct tessera_config_key key;
  json_t *root = json_object(), *keys = json_object();
  char hash[32];
  snprintf(hash, sizeof hash, "%016" PRIx64, tessera_config_hash(config));
  for (int k = 0; tessera_config_key(config, k, &key); k++)
    json_object_set_new(keys, key.name, json_integer(key.value));
  put_text(root, "name", name);
  json_object_set_new(root, "hash", json_string(hash));
  json_object_set_new(root, "keys", keys);
  json_object_set_new(root, "memory", memory_json(config));
  print_json(root);
}

static int show(const struct cli *cli)
{
  struct tessera_config *config;
  if (cli->words < 2)
    return list(cli);
  enum tessera_status status = tessera_config_open(cli->t, cli->word[1], &config);
  if (status)
    return cli_message(cli, status);
  if (cli_has(cli, "json"))
    print_keys_json(config, cli->word[1]);
  else
    print_keys(config, cli->word[1]);
  tessera_config_free(config);
  return 0;
}

static int check(const struct cli *cli)
{
  struct tessera_config *config;
  if (cli->words < 2)
    return cli_refuse("config: check what? tessera config check FILE|NAME");
  enum tessera_status status = tessera_config_open(cli->t, cli->word[1], &config);
  if (status)
    return cli_message(cli, status);
  if (cli_has(cli, "json"))
    print_keys_json(config, cli->word[1]);
  else
    printf("%s: is a design point; its hash is %016" PRIx64 "\n", cli->word[1],
           tessera_config_hash(config));
  tessera_config_free(config);
  return 0;
}

/* To the file of -o, or to standard output. */
static int give(const struct cli *cli, enum tessera_status status, struct tessera_bytes *bytes)
{
  const char *output = cli_value(cli, "output");
  if (!status && output)
    status = tessera_file_write(cli->t, output, bytes->data, bytes->size);
  else if (!status)
    fwrite(bytes->data, 1, bytes->size, stdout);
  tessera_bytes_free(bytes);
  return status ? cli_message(cli, status) : 0;
}

static int verilog(const struct cli *cli)
{
  struct tessera_config *config;
  struct tessera_bytes text = {0};
  if (cli->words < 2)
    return cli_refuse("config: Verilog of what? tessera config verilog FILE|NAME");
  enum tessera_status status = tessera_config_open(cli->t, cli->word[1], &config);
  if (status)
    return cli_message(cli, status);
  int refused = give(cli, tessera_config_verilog(cli->t, config, &text), &text);
  tessera_config_free(config);
  return refused;
}

static int import_vta(const struct cli *cli)
{
  struct tessera_bytes file, json = {0};
  if (cli->words < 2)
    return cli_refuse("config: import what? tessera config import-vta FILE");
  int refused = open_file(cli, cli->word[1], &file);
  if (refused)
    return refused;
  enum tessera_status status =
      tessera_config_import_vta(cli->t, cli->word[1], (const char *)file.data, &json);
  refused = give(cli, status, &json);
  tessera_bytes_free(&file);
  return refused;
}

static const struct verb {
  const char *name;
  bool writes; /* -o */
  int (*call)(const struct cli *cli);
} verbs[] = {{"show", false, show},
             {"check", false, check},
             {"verilog", true, verilog},
             {"import-vta", true, import_vta}};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static int call(const struct cli *cli, const struct verb *verb)
{
  const char *output = cli_value(cli, "output");
  if (output && !verb->writes)
    return cli_refuse("config: %s writes no file; -o is for verilog and import-vta", verb->name);
  if (verb->writes && cli_has(cli, "json"))
    return cli_refuse("config: %s has no --json", verb->name);
  return output && cli_can_write(cli, output) ? EXIT_REFUSED : verb->call(cli);
}

static int config(struct cli *cli)
{
  const char *names[VERBS], *word = cli->word[0];
  for (int i = 0; i < VERBS; i++) {
    if (!strcmp(word, verbs[i].name))
      return call(cli, &verbs[i]);
    names[i] = verbs[i].name;
  }
  const char *near = tessera_nearest(word, names, VERBS);
  if (near)
    return cli_refuse("config: unknown verb '%s'; did you mean '%s'?", word, near);
  return cli_refuse("config: unknown verb '%s'; there are show, check, verilog and import-vta",
                    word);
}

const struct command command_config = {
    .name = "config",
    .usage = "show [FILE|NAME] | check FILE|NAME | verilog FILE|NAME [-o FILE.v] | "
             "import-vta FILE [-o FILE.json]",
    .summary = "list, show and check design points; their Verilog; import VTA's",
    .options = options,
    .examples = "  tessera config show\n"
                "  tessera config show tiny\n"
                "  tessera config check my.json\n"
                "  tessera config verilog my.json -o my.v\n"
                "  tessera config import-vta vta_config.json -o mine.json\n",
    .least_words = 1,
    .most_words = 2,
    .run = config,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* tessera compile: a model becomes a package. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tools/layers.h"
#include "tools/open.h"

static const struct option options[] = {
    {"output", "FILE.tsr", "the package to write (also -o)"},
    {"emit", "ptx=FILE", "write the PTX of the kernels, of target cuda:ARCH"},
    {"also", "T", "cpu, cuda or cuda:ARCH: the package can run there, too"},
    CLI_MODEL_OPTIONS,
    {NULL, NULL, NULL}};

static int write_package(const struct cli *cli, const struct tessera_model *model, const char *path)
{
  struct tessera_bytes package = {0};
  enum tessera_status status = tessera_model_package(cli->t, model, &package);
  if (!status)
    status = tessera_file_write(cli->t, path, package.data, package.size);
  if (!status && cli_has(cli, "json")) {
    json_t *root = json_object();
    json_object_set_new(root, "package", json_string(path));
    put_count(root, "bytes", package.size);
    json_object_set_new(root, "model", model_json(model));
    print_json(root);
  } else if (!status) {
    print_placement(model);
    print_layers(model, NULL);
    printf("\n%s: %zu bytes\n", path, package.size);
  }
  tessera_bytes_free(&package);
  return status ? cli_message(cli, status) : 0;
}

static int parse_emit(const struct cli *cli, const char **path)
{
  const char *emit = cli_value(cli, "emit");
  *path = emit && !strncmp(emit, "ptx=", 4) ? emit + 4 : NULL;
  if (emit && (!*path || !**path))
    return cli_refuse("compile: --emit '%s' is not ptx=FILE", emit);
  return *path ? cli_can_write(cli, *path) : 0;
}

static int write_ptx(const struct cli *cli, const struct tessera_model *model, const char *path)
{
  struct tessera_bytes ptx = {0};
  enum tessera_status status = tessera_model_ptx(cli->t, model, &ptx);
  if (!status)
    status = tessera_file_write(cli->t, path, ptx.data, ptx.size);
  tessera_bytes_free(&ptx);
  return status ? cli_message(cli, status) : 0;
}

static int check_model(const struct cli *cli, const struct tessera_model *model)
{
  struct tessera_model_info info;
  tessera_model_info(model, &info);
  return info.packaged
             ? cli_refuse("compile: %s is a package already; -o is for an ONNX model", cli->word[0])
             : 0;
}

static int compile(struct cli *cli)
{
  const char *path = cli_value(cli, "output"), *ptx;
  struct tessera_model *model;
  if (parse_emit(cli, &ptx))
    return EXIT_REFUSED;
  if (!path && !ptx && !cli_has(cli, "dump"))
    return cli_refuse("compile: where to? name the package with -o FILE.tsr");
  if (path && cli_can_write(cli, path))
    return EXIT_REFUSED;
  int status = open_model(cli, cli->word[0], &model);
  if (status)
    return status;
  if (path)
    status = check_model(cli, model);
  if (ptx && !status)
    status = write_ptx(cli, model, ptx);
  if (path && !status)
    status = write_package(cli, model, path);
  tessera_model_free(model);
  return status;
}

const struct command command_compile = {
    .name = "compile",
    .usage = "MODEL.onnx -o FILE.tsr [OPTIONS]",
    .summary = "compile a model to a package, one file that runs without the compiler",
    .options = options,
    .examples = "  tessera compile models/digits/digits.onnx -o digits.tsr\n"
                "  tessera compile model.onnx -o model.tsr --config wide\n"
                "  tessera compile model.onnx -o model.tsr --target cuda\n"
                "  tessera compile model.onnx --target cuda:sm_90a --emit ptx=model.ptx\n"
                "  tessera compile model.onnx --dump schedule\n",
    .least_words = 1,
    .most_words = 1,
    .run = compile,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* tessera trace: one inference as Chrome's trace event JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tools/layers.h"
#include "tools/observe.h"
#include "tools/table.h"

enum { LARGEST_MEGABYTES = 2000 };

static const struct option options[] = {
    {"output", "FILE.json", "the trace, for https://ui.perfetto.dev"},
    CLI_OBSERVE_OPTIONS,
    {"megabytes", "N", "merge what repeats until the file is no larger (default: 50)"},
    {"json", NULL, "print JSON for programs about the trace"},
    {NULL, NULL, NULL}};

static void print_info(const char *path, size_t bytes, const struct tessera_trace_info *i)
{
  char a[COUNT_TEXT], b[COUNT_TEXT], c[COUNT_TEXT], d[COUNT_TEXT];
  printf("%s: %s cycles, %s instructions, %s stalls, %s bytes\n", path, count_text(i->cycles, a),
         count_text(i->instructions, b), count_text(i->stalls, c), count_text(bytes, d));
  if (!i->merged_below) {
    printf("nothing was merged\n");
    return;
  }
  printf("merged to fit: %s stalls shorter than %s cycles are left out, and %s slices are in that of "
         "one of their kind and layer before them, with gaps shorter than that\n",
         count_text(i->merged_stalls, a), count_text(i->merged_below, b),
         count_text(i->merged_slices, c));
}

static void print_info_json(const char *path, size_t bytes, const struct tessera_trace_info *i)
{
  const struct {
    const char *name;
    uint64_t value;
  } rows[] = {{"bytes", bytes},
              {"cycles", i->cycles},
              {"instructions", i->instructions},
              {"slices", i->slices},
              {"stalls", i->stalls},
              {"counts", i->counts},
              {"merged_below_cycles", i->merged_below},
              {"merged_slices", i->merged_slices},
              {"merged_stalls", i->merged_stalls},
              {"bandwidth_cycles", i->bandwidth_cycles},
              {"token_cycles", i->token_cycles}};
  json_t *root = json_object();
  put_text(root, "file", path);
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
    put_count(root, rows[k].name, rows[k].value);
  print_json(root);
}

static int write_trace(const struct cli *cli, const struct observed *o, const char *path,
                       size_t most_bytes)
{
  struct tessera_trace_options how = {.most_bytes = most_bytes};
  struct tessera_trace_info info;
  struct tessera_bytes json;
  enum tessera_status status = tessera_session_trace(cli->t, o->session, &how, &json, &info);
  if (status)
    return cli_message(cli, status);
  size_t size = json.size;
  if (size > most_bytes) {
    tessera_bytes_free(&json);
    return cli_refuse(
        "trace: %zu bytes are left when all that repeats is merged; --megabytes %.6g is "
        "the least that works",
        size, ceil((double)size / 1e3) / 1e3);
  }
  status = tessera_file_write(cli->t, path, json.data, json.size);
  tessera_bytes_free(&json);
  if (status)
    return cli_message(cli, status);
  if (cli_has(cli, "json"))
    print_info_json(path, size, &info);
  else
    print_info(path, size, &info);
  return 0;
}

static int parse_limit(const struct cli *cli, size_t *bytes)
{
  double megabytes = 50;
  if (cli_has(cli, "megabytes") && cli_number(cli, "megabytes", &megabytes))
    return EXIT_REFUSED;
  if (megabytes <= 0 || megabytes > LARGEST_MEGABYTES)
    return cli_refuse("trace: --megabytes %g is not above 0, up to %d", megabytes,
                      LARGEST_MEGABYTES);
  *bytes = (size_t)(1e6 * megabytes);
  return 0;
}

static int run(struct cli *cli)
{
  const char *path = cli_value(cli, "output");
  struct observed observed = {0};
  size_t most_bytes = 0;
  if (!path)
    return cli_refuse("trace: -o FILE.json is missing: where the trace goes");
  int status = parse_limit(cli, &most_bytes);
  if (!status)
    status = cli_can_write(cli, path);
  if (!status)
    status = observe(cli, cli->word[0], &observed);
  if (!status)
    status = write_trace(cli, &observed, path, most_bytes);
  observed_close(&observed);
  return status;
}

const struct command command_trace = {
    .name = "trace",
    .usage = "MODEL.onnx|PACKAGE.tsr -o FILE.json [OPTIONS]",
    .summary = "write what each engine did in each cycle of an inference, for Perfetto",
    .options = options,
    .examples = "  tessera trace models/digits/digits.onnx -o digits.json\n"
                "  tessera trace model.onnx -o model.json --config wide --megabytes 20\n",
    .least_words = 1,
    .most_words = 1,
    .run = run,
};

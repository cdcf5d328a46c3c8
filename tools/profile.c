/* SPDX-License-Identifier: Apache-2.0 */
/* tessera profile: where the cycles of one inference went, and why; with --target cpu, where its time went. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/gpu.h"
#include "tools/observe.h"
#include "tools/open.h"
#include "tools/profile_cpu.h"
#include "tools/profile_text.h"

static const struct option options[] = {
    CLI_OBSERVE_OPTIONS,
    {"json", NULL, "print JSON for programs, and for --diff"},
    {"csv", NULL, "print CSV, a row a layer"},
    {"html", "FILE.html", "write a page with the stack, the roofline and all tables"},
    {"diff", "FILE.json", "compare with a run that --json printed before"},
    {"runs", "N", "with --target cpu: take the median of so many (default: of about a second)"},
    {"threads", "N", "with --target cpu: run on N threads (default: all cores)"},
    {NULL, NULL, NULL}};

static int print_form(const struct cli *cli, const struct tessera_profile *p,
                      enum tessera_profile_form form)
{
  struct tessera_bytes bytes;
  enum tessera_status status = tessera_profile_write(cli->t, p, NULL, form, &bytes);
  if (status)
    return cli_message(cli, status);
  fwrite(bytes.data, 1, bytes.size, stdout);
  tessera_bytes_free(&bytes);
  return 0;
}

static int write_page(const struct cli *cli, const struct tessera_profile *p,
                      const struct tessera_profile *before)
{
  struct tessera_bytes bytes;
  enum tessera_status status =
      tessera_profile_write(cli->t, p, before, TESSERA_PROFILE_HTML, &bytes);
  if (status)
    return cli_message(cli, status);
  status = tessera_file_write(cli->t, cli_value(cli, "html"), bytes.data, bytes.size);
  tessera_bytes_free(&bytes);
  return status ? cli_message(cli, status) : 0;
}

static int show(const struct cli *cli, const struct tessera_profile *p,
                const struct tessera_profile *before)
{
  int status = cli_has(cli, "html") ? write_page(cli, p, before) : 0;
  if (status)
    return status;
  if (cli_has(cli, "json"))
    return print_form(cli, p, TESSERA_PROFILE_JSON);
  if (cli_has(cli, "csv"))
    return print_form(cli, p, TESSERA_PROFILE_CSV);
  print_profile(p);
  if (before)
    print_profile_diff(p, before);
  if (cli_has(cli, "html"))
    printf("\n%s: written\n", cli_value(cli, "html"));
  return 0;
}

/* What can be refused before a model is read. */
static int check_options(const struct cli *cli)
{
  bool json = cli_has(cli, "json"), csv = cli_has(cli, "csv");
  if (cli_has(cli, "runs"))
    return cli_refuse("profile: --runs is for --target cpu; cycles are the same in each run");
  if (cli_has(cli, "threads"))
    return cli_refuse("profile: --threads is for --target cpu");
  if (json && csv)
    return cli_refuse("profile: --json and --csv both print; give one of them");
  if ((json || csv) && cli_has(cli, "diff") && !cli_has(cli, "html"))
    return cli_refuse("profile: --diff is for text and for --html; --%s has no place for it",
                      json ? "json" : "csv");
  return cli_has(cli, "html") ? cli_can_write(cli, cli_value(cli, "html")) : 0;
}

static int read_before(const struct cli *cli, const struct tessera_profile **out)
{
  const char *path = cli_value(cli, "diff");
  struct tessera_bytes file;
  if (!path)
    return 0;
  if (open_file(cli, path, &file))
    return EXIT_REFUSED;
  enum tessera_status status = tessera_profile_read(cli->t, path, file.data, file.size, out);
  tessera_bytes_free(&file);
  return status ? cli_message(cli, status) : 0;
}

static int run(struct cli *cli)
{
  const char *target = cli_value(cli, "target");
  if (target && !strncmp(target, "cuda", 4))
    return profile_gpu(cli);
  if (profile_is_cpu(cli))
    return profile_cpu(cli);
  const struct tessera_profile *profile = NULL, *before = NULL;
  struct observed observed = {0};
  int status = check_options(cli);
  if (!status)
    status = read_before(cli, &before);
  if (!status)
    status = observe(cli, cli->word[0], &observed);
  if (!status) {
    enum tessera_status made = tessera_session_profile(cli->t, observed.session, &profile);
    status = made ? cli_message(cli, made) : show(cli, profile, before);
  }
  tessera_profile_free(profile);
  tessera_profile_free(before);
  observed_close(&observed);
  return status;
}

const struct command command_profile = {
    .name = "profile",
    .usage = "MODEL.onnx|PACKAGE.tsr [OPTIONS]",
    .summary = "tell where the cycles of an inference, or its time on the CPU, go",
    .options = options,
    .examples = "  tessera profile models/digits/digits.onnx\n"
                "  tessera profile model.onnx --json > before.json\n"
                "  tessera profile model.onnx --config wide --diff before.json --html wide.html\n"
                "  tessera profile model.onnx --target cpu\n"
                "  tessera profile model.tsr --target cuda\n",
    .least_words = 1,
    .most_words = 1,
    .run = run,
};

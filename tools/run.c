/* SPDX-License-Identifier: Apache-2.0 */
/* tessera run: a model or a package on a device, on real inputs. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tools/layers.h"
#include "tools/open.h"
#include "tools/outcome.h"
#include "tools/table.h"
#include "tools/tensors.h"

static const struct option options[] = {
    CLI_MODEL_OPTIONS,
    {"input", "[NAME=]FILE",
     ".npy, .pb or raw; several inputs along the first dim are run in turn"},
    {"random", "SEED", "make up the inputs that are not given"},
    {"output", "[NAME=]FILE", "write an output: .npy, .pb or raw"},
    {"expect", "[NAME=]FILE", "compare an output with a recorded one"},
    {"tolerance", "X",
     "largest difference that --expect allows, in quantization steps where the output "
     "has them, else absolute (default: 0)"},
    {"labels", "FILE.npy", "count how often the first output's largest element is the label"},
    {"check", NULL, "compare every layer with the interpreter, bit for bit"},
    {NULL, NULL, NULL}};

/* --- progress --------------------------------------------------------------------------------- */

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct progress {
  double start, last;
  bool shown, terminal;
};

/* From the second second on: a line on a terminal that is written over, else one every ten seconds.
 */
static void show_progress(struct progress *p, int64_t done, int64_t all)
{
  double t = now(), pause = p->terminal ? 0.2 : 10;
  if (t - p->start < 2 || t - p->last < pause || done == all)
    return;
  double left = (t - p->start) / (double)done * (double)(all - done);
  fprintf(stderr, "%s%" PRId64 " of %" PRId64 " inferences, about %.0f s left%s",
          p->terminal ? "\r" : "", done, all, left, p->terminal ? "   " : "\n");
  p->shown = true;
  p->last = t;
}

static void end_progress(const struct progress *p)
{
  if (p->shown && p->terminal)
    fprintf(stderr, "\r%60s\r", "");
}

/* --- the run ---------------------------------------------------------------------------------- */

struct run {
  const struct cli *cli;
  struct tessera_model *model;
  struct tessera_session *session;
  const char *device;
  struct inputs inputs;
  struct outcome outcome;
};

static int check_layers(struct run *r, int64_t i)
{
  enum tessera_status status = tessera_session_check(r->cli->t, r->session);
  if (status == TESSERA_MISMATCH && r->inputs.inferences > 1) {
    cli_refuse("inference %" PRId64 ": %s", i, tessera_message(r->cli->t));
    return EXIT_MISMATCH;
  }
  return status ? cli_message(r->cli, status) : 0;
}

static int infer(struct run *r)
{
  struct progress progress = {.start = now(), .terminal = isatty(STDERR_FILENO)};
  bool check = cli_has(r->cli, "check");
  int status = 0;
  for (int64_t i = 0; i < r->inputs.inferences && !status; i++) {
    status = inputs_set(r->cli, &r->inputs, r->model, r->session, i);
    if (status)
      break;
    double start = now();
    enum tessera_status ran = tessera_session_run(r->cli->t, r->session);
    r->outcome.seconds += now() - start;
    if (ran)
      status = cli_message(r->cli, ran);
    if (!status && check)
      status = check_layers(r, i);
    outcome_take(&r->outcome, r->model, r->session, i);
    show_progress(&progress, i + 1, r->inputs.inferences);
  }
  end_progress(&progress);
  r->outcome.checked = check && !status;
  tessera_session_counters(r->session, &r->outcome.counters);
  return status;
}

static void print_head(const struct run *r)
{
  struct tessera_model_info info;
  char name[128];
  tessera_model_info(r->model, &info);
  printf("%s on %s%s, design point %s\n\n", plain_text(info.name, name, sizeof name),
         r->device ? "accel:" : "cpu", r->device ? r->device : "", info.config);
  if (r->device)
    print_placement(r->model);
}

static int finish(struct run *r)
{
  int status = outcome_compare(r->cli, &r->outcome);
  if (!status)
    status = outcome_write(r->cli, r->model, &r->outcome);
  if (status)
    return status;
  if (cli_has(r->cli, "json")) {
    report_json(r->cli, r->model, r->device, &r->outcome);
  } else {
    print_layers(r->model);
    printf("\n");
    report_text(r->model, &r->outcome);
  }
  return outcome_status(&r->outcome);
}

static int run_model(struct run *r)
{
  int status = inputs_open(r->cli, r->model, &r->inputs);
  if (!status)
    status = outcome_can_write(r->cli, r->model);
  if (!status)
    status = outcome_open(r->cli, r->model, r->inputs.inferences, &r->outcome);
  if (!status)
    status = outcome_expect(r->cli, r->model, &r->outcome);
  if (!status && cli_has(r->cli, "tolerance"))
    status = cli_number(r->cli, "tolerance", &r->outcome.tolerance);
  if (status)
    return status;
  if (!cli_has(r->cli, "json"))
    print_head(r);
  enum tessera_status opened = tessera_session_open(r->cli->t, r->model, r->device, &r->session);
  if (opened)
    return cli_message(r->cli, opened);
  status = infer(r);
  return status ? status : finish(r);
}

/* What can be refused before a model is read. */
static int check_options(const struct cli *cli)
{
  double tolerance;
  uint64_t seed;
  if (cli_has(cli, "tolerance") && !cli_has(cli, "expect"))
    return cli_refuse("run: --tolerance is for --expect, which is not given");
  if (cli_has(cli, "tolerance") && cli_number(cli, "tolerance", &tolerance))
    return EXIT_REFUSED;
  return cli_has(cli, "random") ? cli_seed(cli, "random", &seed) : 0;
}

static int run(struct cli *cli)
{
  struct run r = {.cli = cli};
  int status = check_options(cli);
  if (!status)
    status = open_target(cli, &r.device);
  if (!status)
    status = open_model(cli, cli->word[0], &r.model);
  if (status)
    return status;
  bool only_dump = cli_has(cli, "dump") && !cli_has(cli, "input") && !cli_has(cli, "random");
  if (!only_dump)
    status = run_model(&r);
  tessera_session_free(r.session);
  inputs_close(&r.inputs);
  outcome_close(&r.outcome);
  tessera_model_free(r.model);
  return status;
}

const struct command command_run = {
  .name = "run",
  .usage = "MODEL.onnx|PACKAGE.tsr --input [NAME=]FILE ... [OPTIONS]",
  .summary = "run a model or a package on inputs, compare, check, and tell what it cost",
  .options = options,
  .examples = "  tessera run models/digits/digits.onnx --input models/digits/images.npy \\\n"
              "          --labels models/digits/labels.npy\n"
              "  tessera run digits.tsr --random 1 --check\n"
              "  tessera run model.onnx --input x=x.npy --expect y.pb --tolerance 1 --config tiny\n"
              "  tessera run model.onnx --dump stream:conv1\n",
  .least_words = 1,
  .most_words = 1,
  .run = run,
};

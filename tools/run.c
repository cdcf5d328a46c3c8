/* SPDX-License-Identifier: Apache-2.0 */
/* tessera run: a model or a package on a device, on real inputs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "tools/layers.h"
#include "tools/open.h"
#include "tools/outcome.h"
#include "tools/progress.h"
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
    {"check", NULL, "compare every layer with the interpreter, bit for bit (cuda: with the CPU's code)"},
    {"wave", "FILE.fst",
     "write a waveform, of what --wave-window or --wave-layer says (accel:rtl)"},
    {"wave-window", "A:B", "cycles A to B of each run of a stream"},
    {"wave-layer", "NAME", "the cycles in which this layer's instructions are at work"},
    {"lockstep", NULL, "compare with the functional device after each instruction (accel:rtl)"},
    {"timeout", "CYCLES",
     "give up a run of a stream that takes longer (accel:cycle, accel:rtl)"},
    {"threads", "N", "run machine code on N threads (default: all cores)"},
    {"timing-only", NULL, "tell cycles and compute no outputs; no input is needed (accel:cycle)"},
    {NULL, NULL, NULL}};

/* --- the run ---------------------------------------------------------------------------------- */

struct run {
  const struct cli *cli;
  struct tessera_session_options options;
  struct progress progress;
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
  bool check = cli_has(r->cli, "check");
  struct tessera_gpu gpu;
  int status = 0;
  for (int64_t i = 0; i < r->inputs.inferences && !status; i++) {
    if (!r->outcome.timing_only)
      status = inputs_set(r->cli, &r->inputs, r->model, r->session, i);
    if (status)
      break;
    double start = progress_now();
    enum tessera_status ran = tessera_session_run(r->cli->t, r->session);
    r->outcome.seconds += progress_now() - start;
    if (ran)
      status = cli_message(r->cli, ran);
    if (!status && check)
      status = check_layers(r, i);
    if (!r->outcome.timing_only)
      outcome_take(&r->outcome, r->model, r->session, i);
    progress_step(&r->progress);
  }
  progress_end(&r->progress);
  r->outcome.checked = check && !status;
  r->outcome.coded = strcmp(tessera_session_cpu(r->session), "interpreter") != 0;
  r->outcome.on_gpu = tessera_session_gpu(r->session, &gpu);
  outcome_count(&r->outcome, r->session);
  return status;
}

static int layers_on(const struct tessera_session *session, int layers, const char *place)
{
  int n = 0;
  for (int i = 0; i < layers; i++)
    n += !strcmp(tessera_session_place(session, i), place);
  return n;
}

static void print_head(const struct run *r)
{
  struct tessera_model_info info;
  struct tessera_gpu gpu;
  char name[128];
  tessera_model_info(r->model, &info);
  printf("%s on ", plain_text(info.name, name, sizeof name));
  int on_cpu = layers_on(r->session, info.layers, "cpu");
  if (tessera_session_gpu(r->session, &gpu)) {
    printf("cuda (%s, kernels for %s)", plain_text(gpu.name, name, sizeof name), gpu.arch);
    if (on_cpu)
      printf(", %d of %d layers on cpu (%s)", on_cpu, info.layers, tessera_session_cpu(r->session));
  } else if (r->device) {
    printf("accel:%s", r->device);
  } else {
    printf("cpu (%s)", tessera_session_cpu(r->session));
  }
  printf(", design point %s\n\n", info.config);
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
    report_json(r->cli, r->model, r->session, r->device, &r->outcome);
  } else {
    print_layers(r->model, r->session);
    printf("\n");
    report_text(r->model, &r->outcome);
  }
  return outcome_status(&r->outcome);
}

static int run_model(struct run *r)
{
  int status = inputs_open(r->cli, r->model, cli_has(r->cli, "random"), &r->inputs);
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
  r->outcome.wave = r->options.wave;
  r->outcome.timing_only = r->options.timing_only;
  enum tessera_status opened =
      tessera_session_open_with(r->cli->t, r->model, &r->options, &r->session);
  if (opened)
    return cli_message(r->cli, opened);
  if (!cli_has(r->cli, "json"))
    print_head(r);
  progress_start(&r->progress, r->inputs.inferences);
  status = infer(r);
  return status ? status : finish(r);
}

/* "A:B". */
static int parse_window(const struct cli *cli, struct tessera_session_options *o)
{
  const char *text = cli_value(cli, "wave-window");
  char *colon, *end = NULL;
  errno = 0;
  o->wave_first = strtoull(text, &colon, 10);
  if (*text >= '0' && *text <= '9' && *colon == ':' && colon[1] >= '0' && colon[1] <= '9')
    o->wave_last = strtoull(colon + 1, &end, 10);
  if (errno || !end || *end || o->wave_last < o->wave_first)
    return cli_refuse("run: --wave-window '%s' is no A:B, cycles from A to B", text);
  return 0;
}

static int parse_wave(const struct cli *cli, struct tessera_session_options *o)
{
  bool window = cli_has(cli, "wave-window");
  o->wave = cli_value(cli, "wave");
  o->wave_layer = cli_value(cli, "wave-layer");
  if (!o->wave && (window || o->wave_layer))
    return cli_refuse("run: --%s is for --wave, which is not given",
                      window ? "wave-window" : "wave-layer");
  if (o->wave && window == !!o->wave_layer)
    return cli_refuse("run: --wave goes with --wave-window or --wave-layer, with one of them");
  if (o->wave && cli_can_write(cli, o->wave))
    return EXIT_REFUSED;
  return window ? parse_window(cli, o) : 0;
}

static int device_options(struct run *r)
{
  const struct cli *cli = r->cli;
  r->options = (struct tessera_session_options){
      .device = r->device,
      .say = progress_say,
      .progress = progress_cycle,
      .context = &r->progress,
      .lockstep = cli_has(cli, "lockstep"),
      .timing_only = cli_has(cli, "timing-only"),
  };
  int status = parse_wave(cli, &r->options);
  if (!status)
    status = cli_threads(cli, &r->options.threads);
  if (!status && cli_has(cli, "timeout"))
    status = cli_seed(cli, "timeout", &r->options.timeout_cycles);
  if (!status && cli_has(cli, "timeout") && !r->options.timeout_cycles)
    return cli_refuse("run: --timeout 0 leaves no cycle to run in");
  return status;
}

/* What asks for values that --timing-only does not have. */
static int check_timing_only(const struct cli *cli)
{
  static const char *const values[] = {"check", "expect", "labels", "output", "lockstep"};
  for (size_t k = 0; cli_has(cli, "timing-only") && k < sizeof values / sizeof values[0]; k++)
    if (cli_has(cli, values[k]))
      return cli_refuse("run: --timing-only computes no values, and --%s needs them", values[k]);
  return 0;
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
  if (cli_has(cli, "random") && cli_seed(cli, "random", &seed))
    return EXIT_REFUSED;
  return check_timing_only(cli);
}

static int run(struct cli *cli)
{
  struct run r = {.cli = cli};
  int status = check_options(cli);
  if (!status)
    status = open_target(cli, &r.device);
  if (!status)
    status = device_options(&r);
  if (!status)
    status = open_model(cli, cli->word[0], &r.model);
  if (status)
    return status;
  bool only_dump = cli_has(cli, "dump") && !cli_has(cli, "input") && !cli_has(cli, "random") &&
                   !cli_has(cli, "timing-only");
  if (!only_dump)
    status = run_model(&r);
  bool waved = r.session && r.options.wave;
  tessera_session_free(r.session);
  if (waved && !status && tessera_wave_check(cli->t, r.options.wave)) {
    status = cli_message(cli, TESSERA_REFUSED);
    remove(r.options.wave);
  }
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
    .examples =
        "  tessera run models/digits/digits.onnx --input models/digits/images.npy \\\n"
        "          --labels models/digits/labels.npy\n"
        "  tessera run digits.tsr --random 1 --check\n"
        "  tessera run model.onnx --input x=x.npy --expect y.pb --tolerance 1 --config tiny\n"
        "  tessera run model.onnx --dump stream:conv1\n"
        "  tessera run model.onnx --target accel:cycle --timing-only\n"
        "  tessera run model.onnx --random 1 --target accel:rtl --wave conv1.fst --wave-layer "
        "conv1\n",
    .least_words = 1,
    .most_words = 1,
    .run = run,
};

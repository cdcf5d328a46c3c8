/* SPDX-License-Identifier: Apache-2.0 */
/* tessera check: many models on recorded and on made-up inputs, each layer against its reference. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/layers.h"
#include "tools/open.h"
#include "tools/table.h"

static const struct option options[] = {
    {"target", "T", "accel (the default), accel:DEVICE, cpu, cpu:LEVEL, cuda, cuda:N or cuda:ARCH"},
    {"config", "FILE|NAME", "design point: a file, or a name of `config show` (default: default)"},
    {"random", "SEED", "seed of the made-up inputs (default: 1)"},
    {"json", NULL, "print a JSON object a line, as they come"},
    {NULL, NULL, NULL}};

/* What came of one model on one set of inputs. */
struct verdict {
  const char *file;
  bool recorded; /* inputs */
  enum { EQUAL, DIFFERS, REFUSED_ALIKE, REFUSED } status;
  int layers, elsewhere; /* elsewhere: of them, on the CPU though the target is another */
  char says[1024];
};
static const char *const words[] = {"equal", "differs", "refused alike", "refused"};

struct checking {
  const struct cli *cli;
  uint64_t seed;
  const char *device;
  struct tessera_model *model;     /* of the row before: what is open stays so until the next is, */
  struct tessera_session *session; /* since a GPU that nobody has open goes to sleep */
  int rows, wrong;
};

/* --- one row ---------------------------------------------------------------------------------- */

/* dir/NAME.K.pb of dir/NAME.tsr. */
static bool recorded_path(const char *file, int k, char *out, size_t size)
{
  const char *dot = strrchr(file, '.'), *slash = strrchr(file, '/');
  int stem = dot && (!slash || dot > slash) ? (int)(dot - file) : (int)strlen(file);
  int n = snprintf(out, size, "%.*s.%d.pb", stem, file, k);
  return n > 0 && (size_t)n < size && access(out, R_OK) == 0;
}

static enum tessera_status make_input(const struct checking *c, const struct verdict *v, int k,
                                      const struct tessera_port *port, struct tessera_tensor *out)
{
  char path[4096];
  if (v->recorded && recorded_path(v->file, k, path, sizeof path)) {
    enum tessera_status read = tessera_tensor_read(c->cli->t, path, port, out);
    if (!read && out->dtype == TESSERA_U16 && port->dtype == TESSERA_BF16)
      out->dtype = TESSERA_BF16; /* as ONNX's own tests keep their bits */
    return read;
  }
  enum tessera_status status = tessera_tensor_stack(c->cli->t, port, 1, out);
  if (!status)
    tessera_tensor_random(out, c->seed + (uint64_t)k);
  return status;
}

static enum tessera_status set_inputs(const struct checking *c, const struct verdict *v,
                                      const struct tessera_model *model,
                                      struct tessera_session *session)
{
  struct tessera_model_info info;
  enum tessera_status status = TESSERA_OK;
  tessera_model_info(model, &info);
  for (int k = 0; k < info.inputs && !status; k++) {
    struct tessera_port port;
    struct tessera_tensor tensor;
    tessera_model_input(model, k, &port);
    status = make_input(c, v, k, &port, &tensor);
    if (status)
      break;
    status = tessera_session_set_input(c->cli->t, session, k, &tensor);
    tessera_tensor_free(&tensor);
  }
  return status;
}

/* Does the interpreter refuse the same inputs, in the same words? */
static bool refused_alike(const struct checking *c, const struct verdict *v)
{
  struct tessera_options with = {.target = "cpu:interpreter", .tune_cache = ""};
  struct tessera_model *model;
  struct tessera_session *session;
  bool alike = false;
  if (tessera_model_open(c->cli->t, v->file, &with, &model))
    return false;
  if (!tessera_session_open(c->cli->t, model, NULL, &session)) {
    alike = !set_inputs(c, v, model, session) && tessera_session_run(c->cli->t, session) &&
            !strcmp(tessera_message(c->cli->t), v->says);
    tessera_session_free(session);
  }
  tessera_model_free(model);
  return alike;
}

static void judge(struct checking *c, struct verdict *v, enum tessera_status status, bool ran)
{
  snprintf(v->says, sizeof v->says, "%s", status ? tessera_message(c->cli->t) : "");
  v->status = !status ? EQUAL : status == TESSERA_MISMATCH ? DIFFERS : REFUSED;
  if (v->status == REFUSED && ran && refused_alike(c, v))
    v->status = REFUSED_ALIKE;
}

static void count_places(const struct checking *c, struct verdict *v)
{
  const char *target = cli_value(c->cli, "target");
  struct tessera_model_info info;
  tessera_model_info(c->model, &info);
  v->layers = info.layers;
  for (int i = 0; i < info.layers; i++)
    v->elsewhere += target && strncmp(target, "cpu", 3) &&
                    !strcmp(tessera_session_place(c->session, i), "cpu");
}

static void run_row(struct checking *c, struct verdict *v)
{
  enum tessera_status status = set_inputs(c, v, c->model, c->session);
  bool ran = !status;
  if (!status)
    status = tessera_session_run(c->cli->t, c->session);
  if (!status)
    status = tessera_session_check(c->cli->t, c->session);
  judge(c, v, status, ran);
  count_places(c, v);
}

/* --- all of them ------------------------------------------------------------------------------ */

static void print_verdict(struct checking *c, const struct verdict *v)
{
  char name[256], says[1024];
  c->rows++;
  c->wrong += v->status == DIFFERS || v->status == REFUSED;
  if (cli_has(c->cli, "json")) {
    json_t *object = json_object();
    put_text(object, "file", v->file);
    put_text(object, "inputs", v->recorded ? "recorded" : "random");
    put_text(object, "status", words[v->status]);
    put_text(object, "says", v->says);
    put_count(object, "layers", (uint64_t)v->layers);
    put_count(object, "elsewhere", (uint64_t)v->elsewhere);
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
  } else if (v->status != EQUAL) {
    printf("%s, %s inputs: %s: %s\n", plain_text(v->file, name, sizeof name),
           v->recorded ? "recorded" : "random", words[v->status],
           plain_text(v->says, says, sizeof says));
  }
  fflush(stdout);
}

static enum tessera_status open_next(struct checking *c, const char *file)
{
  struct tessera_options with = {.target = cli_value(c->cli, "target"),
                                 .config = cli_value(c->cli, "config")};
  struct tessera_model *model;
  struct tessera_session *session;
  enum tessera_status status = tessera_model_open(c->cli->t, file, &with, &model);
  if (status)
    return status;
  status = tessera_session_open(c->cli->t, model, c->device, &session);
  if (status) {
    tessera_model_free(model);
    return status;
  }
  tessera_session_free(c->session);
  tessera_model_free(c->model);
  c->model = model;
  c->session = session;
  return TESSERA_OK;
}

/* False: the GPU's driver has refused something, after which the process may be of no more use. */
static bool check_file(struct checking *c, const char *file)
{
  char path[4096];
  struct verdict v = {.file = file};
  enum tessera_status opened = open_next(c, file);
  if (opened) {
    judge(c, &v, opened, false);
    print_verdict(c, &v);
    return !strstr(v.says, "CUDA_ERROR_");
  }
  for (int recorded = recorded_path(file, 0, path, sizeof path); recorded >= 0; recorded--) {
    v = (struct verdict){.file = file, .recorded = recorded};
    run_row(c, &v);
    print_verdict(c, &v);
    if (strstr(v.says, "CUDA_ERROR_"))
      return false;
  }
  return true;
}

static int check_config(const struct cli *cli)
{
  struct tessera_config *config;
  if (!cli_has(cli, "config"))
    return 0;
  enum tessera_status status = tessera_config_open(cli->t, cli_value(cli, "config"), &config);
  if (status)
    return cli_message(cli, status);
  tessera_config_free(config);
  return 0;
}

static int check(struct cli *cli)
{
  struct checking c = {.cli = cli, .seed = 1};
  bool goes_on = true;
  int status = cli_has(cli, "random") ? cli_seed(cli, "random", &c.seed) : 0;
  if (!status)
    status = check_config(cli);
  if (!status)
    status = open_target(cli, &c.device);
  if (status)
    return status;
  for (int i = 0; i < cli->words && goes_on; i++)
    goes_on = check_file(&c, cli->word[i]);
  tessera_session_free(c.session);
  tessera_model_free(c.model);
  if (!cli_has(cli, "json"))
    printf("%d check%s of %d package%s, %d wrong\n", c.rows, c.rows == 1 ? "" : "s", cli->words,
           cli->words == 1 ? "" : "s", c.wrong);
  return goes_on ? c.wrong ? EXIT_MISMATCH : 0 : EXIT_REFUSED;
}

const struct command command_check = {
    .name = "check",
    .usage = "PACKAGE.tsr ... [OPTIONS]",
    .summary =
        "run packages on inputs beside them (NAME.0.pb of NAME.tsr), and compare every layer",
    .options = options,
    .examples = "  tessera check a.tsr b.tsr --target cuda --random 7\n"
                "  tessera check ops/*.tsr --target cpu:avx2 --json\n",
    .least_words = 1,
    .most_words = INT_MAX,
    .run = check,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/observe.h"

#include "tools/open.h"
#include "tools/tensors.h"

static int find_device(const struct cli *cli, const char **device)
{
  const char *target = cli_value(cli, "target");
  enum tessera_status status =
      tessera_target_check(cli->t, target ? target : "accel:cycle", device);
  if (status)
    return cli_message(cli, status);
  if (!*device)
    return cli_refuse("%s: target '%s' has no cycles; 'accel:cycle' has", cli->command->name,
                      target);
  return 0;
}

static bool with_data(const struct cli *cli)
{
  return cli_has(cli, "input") || cli_has(cli, "random");
}

static int run(const struct cli *cli, const struct tessera_model *model, struct observed *o)
{
  int status = 0;
  if (with_data(cli))
    status = inputs_give(cli, model, cli_has(cli, "random"), o->session);
  if (!status) {
    progress_start(&o->progress, 1);
    enum tessera_status ran = tessera_session_run(cli->t, o->session);
    progress_end(&o->progress);
    status = ran ? cli_message(cli, ran) : 0;
  }
  return status;
}

int observe_model(const struct cli *cli, const struct tessera_model *model, struct observed *out)
{
  struct tessera_session_options options = {.timing_only = !with_data(cli),
                                            .record = true,
                                            .say = progress_say,
                                            .progress = progress_cycle,
                                            .context = &out->progress};
  int status = find_device(cli, &options.device);
  if (status)
    return status;
  enum tessera_status opened = tessera_session_open_with(cli->t, model, &options, &out->session);
  return opened ? cli_message(cli, opened) : run(cli, model, out);
}

int observe(const struct cli *cli, const char *path, struct observed *out)
{
  uint64_t seed;
  const char *device;
  *out = (struct observed){0};
  int status = cli_has(cli, "random") ? cli_seed(cli, "random", &seed) : 0;
  if (!status)
    status = find_device(cli, &device);
  if (!status)
    status = open_model(cli, path, &out->model);
  return status ? status : observe_model(cli, out->model, out);
}

void observed_close(struct observed *observed)
{
  tessera_session_free(observed->session);
  tessera_model_free(observed->model);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/outcome.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tensors.h"

static int outputs_of(const struct tessera_model *model)
{
  struct tessera_model_info info;
  tessera_model_info(model, &info);
  return info.outputs;
}

/* Is the output, or the file, that of another --output before it? */
static int check_others(const struct cli *cli, const struct tessera_model *model, int n,
                        const struct binding *last)
{
  for (int k = 0; k < n; k++) {
    struct binding b = {0};
    int status = bind_port(cli, model, "output", k, outputs_of(model), tessera_model_output, &b);
    if (status)
      return status;
    if (b.port == last->port || !strcmp(b.path, last->path))
      return cli_refuse("%s: --output '%s' has the %s of another one", cli->command->name,
                        cli_nth(cli, "output", n), b.port == last->port ? "output" : "file");
  }
  return 0;
}

int outcome_can_write(const struct cli *cli, const struct tessera_model *model)
{
  for (int n = 0; cli_nth(cli, "output", n); n++) {
    struct binding binding = {0};
    int status =
        bind_port(cli, model, "output", n, outputs_of(model), tessera_model_output, &binding);
    if (status)
      return status;
    if (check_others(cli, model, n, &binding) || cli_can_write(cli, binding.path))
      return EXIT_REFUSED;
  }
  return 0;
}

int outcome_open(const struct cli *cli, const struct tessera_model *model, int64_t inferences,
                 struct outcome *out)
{
  *out = (struct outcome){.inferences = inferences, .outputs = outputs_of(model)};
  out->output = calloc((size_t)out->outputs + 1, sizeof *out->output);
  if (!out->output)
    return cli_refuse("out of memory");
  for (int k = 0; k < out->outputs; k++) {
    struct tessera_port port;
    tessera_model_output(model, k, &port);
    enum tessera_status status = tessera_tensor_stack(cli->t, &port, inferences, &out->output[k]);
    if (status)
      return cli_message(cli, status);
  }
  return 0;
}

void outcome_close(struct outcome *outcome)
{
  for (int i = 0; i < outcome->expectations; i++)
    tessera_tensor_free(&outcome->expected[i].tensor);
  tessera_tensor_free(&outcome->label);
  for (int k = 0; outcome->output && k < outcome->outputs; k++)
    tessera_tensor_free(&outcome->output[k]);
  free(outcome->output);
}

void outcome_take(struct outcome *outcome, const struct tessera_model *model,
                  const struct tessera_session *session, int64_t i)
{
  for (int k = 0; k < outcome->outputs; k++) {
    struct tessera_port port;
    struct tessera_tensor now;
    tessera_model_output(model, k, &port);
    tessera_session_output(session, k, &now);
    struct tessera_tensor part = tensor_part(&outcome->output[k], &port, i);
    if (tessera_tensor_bytes(&now))
      memcpy(part.data, now.data, tessera_tensor_bytes(&now));
  }
}

void outcome_count(struct outcome *outcome, const struct tessera_session *session)
{
  tessera_session_counters(session, &outcome->counters);
  while (outcome->activities < MOST_ACTIVITIES &&
         tessera_session_activity(session, outcome->activities,
                                  &outcome->activity[outcome->activities]))
    outcome->activities++;
}

/* --- what is expected ------------------------------------------------------------------------- */

static int read_expected(const struct cli *cli, const struct tessera_model *model,
                         struct outcome *outcome, const struct binding *binding)
{
  struct expectation *e = &outcome->expected[outcome->expectations++];
  struct tessera_port port;
  struct tessera_comparison unused;
  tessera_model_output(model, binding->port, &port);
  *e = (struct expectation){.output = binding->port,
                            .path = binding->path,
                            .step = tessera_model_output_step(model, binding->port)};
  enum tessera_status status = tessera_tensor_read(cli->t, binding->path, &port, &e->tensor);
  if (status)
    return cli_message(cli, status);
  if (tessera_compare(cli->t, &e->tensor, &outcome->output[binding->port], &unused))
    return cli_refuse("run: %s: %s", binding->path, tessera_message(cli->t));
  return 0;
}

/* Each is the place of an element. */
static int check_labels(const char *path, const struct tessera_tensor *label, int64_t classes)
{
  for (int64_t i = 0; i < tessera_tensor_count(label); i++) {
    double v = tessera_tensor_value(label, i);
    if (v < 0 || v >= (double)classes)
      return cli_refuse("run: %s: label %" PRId64 " is %.0f, and there are classes 0 to %" PRId64,
                        path, i, v, classes - 1);
  }
  return 0;
}

static int read_labels(const struct cli *cli, struct outcome *outcome)
{
  const char *path = cli_value(cli, "labels");
  if (!path)
    return 0;
  if (!outcome->outputs)
    return cli_refuse("run: --labels: the model has no outputs");
  enum tessera_status status = tessera_tensor_read(cli->t, path, NULL, &outcome->label);
  if (status)
    return cli_message(cli, status);
  int64_t n = tessera_tensor_count(&outcome->label),
          all = tessera_tensor_count(&outcome->output[0]);
  if (outcome->label.dtype >= TESSERA_F16 && outcome->label.dtype <= TESSERA_F64)
    return cli_refuse("run: %s: has labels of %s; they must be integers", path,
                      tessera_dtype_name(outcome->label.dtype));
  if (!n || n % outcome->inferences || all % n)
    return cli_refuse("run: %s: has %" PRId64 " label%s for %" PRId64 " inference%s", path, n,
                      n == 1 ? "" : "s", outcome->inferences, outcome->inferences == 1 ? "" : "s");
  outcome->labels = n;
  return check_labels(path, &outcome->label, all / n);
}

int outcome_expect(const struct cli *cli, const struct tessera_model *model,
                   struct outcome *outcome)
{
  for (int n = 0; cli_nth(cli, "expect", n); n++) {
    struct binding binding = {0};
    if (n == MOST_EXPECTED)
      return cli_refuse("run: --expect is given more than %d times", MOST_EXPECTED);
    int status =
        bind_port(cli, model, "expect", n, outcome->outputs, tessera_model_output, &binding);
    if (!status)
      status = read_expected(cli, model, outcome, &binding);
    if (status)
      return status;
  }
  return read_labels(cli, outcome);
}

/* --- comparing -------------------------------------------------------------------------------- */

static int64_t top_of(const struct tessera_tensor *t, int64_t from, int64_t n)
{
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (tessera_tensor_value(t, from + i) > tessera_tensor_value(t, from + best))
      best = i;
  return best;
}

static void compare_labels(struct outcome *o)
{
  int64_t width = o->labels ? tessera_tensor_count(&o->output[0]) / o->labels : 0;
  for (int64_t i = 0; i < o->labels; i++)
    o->right += top_of(&o->output[0], i * width, width) ==
                (int64_t)tessera_tensor_value(&o->label, i);
}

int outcome_compare(const struct cli *cli, struct outcome *outcome)
{
  for (int i = 0; i < outcome->expectations; i++) {
    struct expectation *e = &outcome->expected[i];
    enum tessera_status status =
        tessera_compare(cli->t, &e->tensor, &outcome->output[e->output], &e->comparison);
    if (status)
      return cli_message(cli, status);
    /* a step is a rounded float, and so are the values that it is between */
    double most = e->step > 0 ? (outcome->tolerance + 1e-3) * e->step : outcome->tolerance;
    e->within = e->comparison.largest <= most;
  }
  compare_labels(outcome);
  return 0;
}

int outcome_write(const struct cli *cli, const struct tessera_model *model,
                  const struct outcome *outcome)
{
  for (int n = 0; cli_nth(cli, "output", n); n++) {
    struct binding binding = {0};
    int status =
        bind_port(cli, model, "output", n, outcome->outputs, tessera_model_output, &binding);
    if (status)
      return status;
    enum tessera_status written =
        tessera_tensor_write(cli->t, binding.path, &outcome->output[binding.port]);
    if (written)
      return cli_message(cli, written);
  }
  return 0;
}

int outcome_status(const struct outcome *outcome)
{
  for (int i = 0; i < outcome->expectations; i++)
    if (!outcome->expected[i].within)
      return EXIT_MISMATCH;
  return 0;
}

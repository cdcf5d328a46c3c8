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

int outcome_can_write(const struct cli *cli, const struct tessera_model *model)
{
  for (int n = 0; cli_nth(cli, "output", n); n++) {
    struct binding binding;
    int status = bind_port(cli, model, "output", n, outputs_of(model), tessera_model_output, &binding);
    if (status)
      return status;
    enum tessera_status writable = tessera_file_writable(cli->t, binding.path);
    if (writable)
      return cli_message(cli, writable);
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

/* --- expected outputs ------------------------------------------------------------------------------ */

static int compare_one(const struct cli *cli, const struct tessera_model *model,
                       struct outcome *outcome, const struct binding *binding)
{
  struct expectation *e = &outcome->expected[outcome->expectations++];
  struct tessera_port port;
  struct tessera_tensor expected;
  tessera_model_output(model, binding->port, &port);
  enum tessera_status status = tessera_tensor_read(cli->t, binding->path, &port, &expected);
  if (status)
    return cli_message(cli, status);
  *e = (struct expectation){.output = binding->port, .path = binding->path,
                            .step = tessera_model_output_step(model, binding->port)};
  status = tessera_compare(cli->t, &expected, &outcome->output[binding->port], &e->comparison);
  tessera_tensor_free(&expected);
  if (status)
    return cli_refuse("run: %s: %s", binding->path, tessera_message(cli->t));
  double largest = e->comparison.largest;
  if (e->step > 0)
    e->within = largest <= (outcome->tolerance + 1e-3) * e->step; /* the steps are rounded floats */
  else
    e->within = largest <= outcome->tolerance;
  return 0;
}

/* --- labels ---------------------------------------------------------------------------------------- */

static int64_t top_of(const struct tessera_tensor *t, int64_t from, int64_t n)
{
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (tessera_tensor_value(t, from + i) > tessera_tensor_value(t, from + best))
      best = i;
  return best;
}

static int compare_labels(const struct cli *cli, struct outcome *outcome)
{
  const char *path = cli_value(cli, "labels");
  struct tessera_tensor labels;
  if (!path)
    return 0;
  if (!outcome->outputs)
    return cli_refuse("run: --labels: the model has no outputs");
  enum tessera_status status = tessera_tensor_read(cli->t, path, NULL, &labels);
  if (status)
    return cli_message(cli, status);
  int64_t n = tessera_tensor_count(&labels), rows = n ? n : 1;
  int64_t elements = tessera_tensor_count(&outcome->output[0]), width = elements / rows;
  bool whole = labels.dtype == TESSERA_I64 || labels.dtype == TESSERA_I32;
  bool fits = whole && n && width * n == elements && n % outcome->inferences == 0;
  for (int64_t i = 0; fits && i < n; i++)
    outcome->right += top_of(&outcome->output[0], i * width, width) ==
                      (int64_t)tessera_tensor_value(&labels, i);
  outcome->labels = n;
  tessera_tensor_free(&labels);
  if (!whole)
    return cli_refuse("run: %s: labels are i64 or i32 numbers", path);
  if (!fits)
    return cli_refuse("run: %s: has %" PRId64 " labels for %" PRId64 " inferences", path, n,
                      outcome->inferences);
  return 0;
}

int outcome_compare(const struct cli *cli, const struct tessera_model *model, struct outcome *outcome)
{
  for (int n = 0; cli_nth(cli, "expect", n); n++) {
    struct binding binding;
    if (n == MOST_EXPECTED)
      return cli_refuse("run: --expect is given more than %d times", MOST_EXPECTED);
    int status = bind_port(cli, model, "expect", n, outcome->outputs, tessera_model_output, &binding);
    if (!status)
      status = compare_one(cli, model, outcome, &binding);
    if (status)
      return status;
  }
  return compare_labels(cli, outcome);
}

int outcome_write(const struct cli *cli, const struct tessera_model *model,
                  const struct outcome *outcome)
{
  for (int n = 0; cli_nth(cli, "output", n); n++) {
    struct binding binding;
    int status = bind_port(cli, model, "output", n, outcome->outputs, tessera_model_output, &binding);
    if (status)
      return status;
    enum tessera_status written = tessera_tensor_write(cli->t, binding.path,
                                                       &outcome->output[binding.port]);
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

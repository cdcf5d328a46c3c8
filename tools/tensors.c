/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/tensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/table.h"

enum { MOST_NAMES = 64 };

/* --- names ------------------------------------------------------------------------------------ */

typedef void port_of(const struct tessera_model *model, int k, struct tessera_port *out);

static int unknown_port(const struct cli *cli, const struct tessera_model *model,
                        const char *option, const char *name, int count, port_of *port)
{
  const char *names[MOST_NAMES] = {NULL};
  int n = 0;
  struct tessera_port p;
  for (; n < count && n < MOST_NAMES; n++) {
    port(model, n, &p);
    names[n] = p.name;
  }
  const char *near = tessera_nearest(name, names, n);
  return cli_refuse("%s: --%s names '%s', which the model does not have; %s '%s'%s",
                    cli->command->name, option, name,
                    near ? "did you mean"
                    : n  ? "it has"
                         : "it has none",
                    near ? near
                    : n  ? names[0]
                         : "",
                    near ? "?" : "");
}

/* The port that the words before '=' name; -1: none. */
static int named_port(const struct tessera_model *model, const char *text, size_t size, int count,
                      port_of *port)
{
  struct tessera_port p;
  for (int k = 0; k < count; k++) {
    port(model, k, &p);
    if (strlen(p.name) == size && !memcmp(p.name, text, size))
      return k;
  }
  return -1;
}

int bind_port(const struct cli *cli, const struct tessera_model *model, const char *option, int n,
              int count, port_of *port, struct binding *out)
{
  const char *text = cli_nth(cli, option, n), *equals = strrchr(text, '=');
  for (const char *e = strchr(text, '='); e; e = strchr(e + 1, '=')) {
    int k = named_port(model, text, (size_t)(e - text), count, port);
    if (k >= 0 && !e[1])
      return cli_refuse("%s: --%s '%s' names no file", cli->command->name, option, text);
    if (k >= 0) {
      *out = (struct binding){k, e + 1};
      return 0;
    }
  }
  if (equals && access(text, F_OK) != 0) {
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
    return unknown_port(cli, model, option, name, count, port);
  }
  if (n >= count)
    return cli_refuse("%s: --%s is given %d times, and the model has %d", cli->command->name,
                      option, n + 1, count);
  *out = (struct binding){n, text};
  return 0;
}

/* --- inputs ----------------------------------------------------------------------------------- */

static int64_t parts_of(const struct tessera_tensor *whole, const struct tessera_port *port)
{
  if (whole->dtype != port->dtype || whole->rank != port->rank)
    return 0;
  for (int i = 1; i < port->rank; i++)
    if (whole->dims[i] != port->dims[i])
      return 0;
  if (!port->rank || whole->dims[0] == port->dims[0])
    return 1;
  return port->dims[0] && whole->dims[0] % port->dims[0] == 0 ? whole->dims[0] / port->dims[0] : 0;
}

struct tessera_tensor tensor_part(const struct tessera_tensor *whole,
                                  const struct tessera_port *port, int64_t i)
{
  struct tessera_tensor part = {.dtype = port->dtype, .rank = port->rank};
  memcpy(part.dims, port->dims, sizeof part.dims);
  part.data = (char *)whole->data + (size_t)i * tessera_tensor_bytes(&part);
  return part;
}

static int wrong_type(const struct cli *cli, const char *path, const struct tessera_tensor *given,
                      const struct tessera_port *port)
{
  char have[SHAPE_TEXT], want[SHAPE_TEXT];
  return cli_refuse(
      "%s: %s is %s of %s; input '%s' takes %s of %s, or a multiple of it along the first "
      "dim",
      cli->command->name, path, shape_text(given->dims, given->rank, have),
      tessera_dtype_name(given->dtype), port->name, shape_text(port->dims, port->rank, want),
      tessera_dtype_name(port->dtype));
}

/* One file for one input; *parts is how many inferences it holds. */
static int read_input(const struct cli *cli, const struct tessera_model *model,
                      const struct binding *binding, struct inputs *all, int64_t *parts)
{
  struct tessera_port port;
  tessera_model_input(model, binding->port, &port);
  struct tessera_tensor *tensor = &all->tensor[binding->port];
  if (tensor->data)
    return cli_refuse("%s: input '%s' is given twice", cli->command->name, port.name);
  enum tessera_status status = tessera_tensor_read(cli->t, binding->path, &port, tensor);
  if (status)
    return cli_message(cli, status);
  *parts = parts_of(tensor, &port);
  return *parts ? 0 : wrong_type(cli, binding->path, tensor, &port);
}

static int read_inputs(const struct cli *cli, const struct tessera_model *model, struct inputs *all)
{
  const char *first = NULL;
  for (int n = 0; cli_nth(cli, "input", n); n++) {
    struct binding binding = {0};
    int64_t parts = 0;
    int status = bind_port(cli, model, "input", n, all->count, tessera_model_input, &binding);
    if (!status)
      status = read_input(cli, model, &binding, all, &parts);
    if (status)
      return status;
    if (parts > 1 && first && parts != all->inferences)
      return cli_refuse("%s: %s holds %" PRId64 " inputs and %s holds %" PRId64, cli->command->name,
                        first, all->inferences, binding.path, parts);
    if (parts > 1) {
      first = binding.path;
      all->inferences = parts;
    }
  }
  return 0;
}

static int missing_input(const struct cli *cli, const struct tessera_model *model,
                         const struct inputs *all)
{
  char list[512], shape[SHAPE_TEXT];
  int used = 0;
  for (int k = 0; k < all->count && used < (int)sizeof list - 1; k++) {
    struct tessera_port p;
    tessera_model_input(model, k, &p);
    if (!all->tensor[k].data)
      used += snprintf(list + used, sizeof list - (size_t)used, "%s'%s' (%s of %s)",
                       used ? ", " : "", p.name, shape_text(p.dims, p.rank, shape),
                       tessera_dtype_name(p.dtype));
  }
  return cli_refuse("%s: the model wants --input for %s; --random SEED makes one up",
                    cli->command->name, list);
}

static int random_inputs(const struct cli *cli, const struct tessera_model *model,
                         struct inputs *all)
{
  uint64_t seed = 1;
  int status = cli_has(cli, "random") ? cli_seed(cli, "random", &seed) : 0;
  for (int k = 0; k < all->count && !status; k++) {
    struct tessera_port port;
    if (all->tensor[k].data)
      continue;
    tessera_model_input(model, k, &port);
    enum tessera_status made = tessera_tensor_stack(cli->t, &port, 1, &all->tensor[k]);
    if (made)
      return cli_message(cli, made);
    tessera_tensor_random(&all->tensor[k], seed + (uint64_t)k);
  }
  return status;
}

int inputs_open(const struct cli *cli, const struct tessera_model *model, bool made_up,
                struct inputs *out)
{
  struct tessera_model_info info;
  tessera_model_info(model, &info);
  *out = (struct inputs){.count = info.inputs, .inferences = 1};
  out->tensor = calloc((size_t)info.inputs + 1, sizeof *out->tensor);
  if (!out->tensor)
    return cli_refuse("out of memory");
  int status = read_inputs(cli, model, out);
  if (!status && made_up)
    status = random_inputs(cli, model, out);
  for (int k = 0; k < out->count && !status && !cli_has(cli, "timing-only"); k++)
    if (!out->tensor[k].data)
      status = missing_input(cli, model, out);
  return status;
}

void inputs_close(struct inputs *inputs)
{
  for (int k = 0; inputs->tensor && k < inputs->count; k++)
    tessera_tensor_free(&inputs->tensor[k]);
  free(inputs->tensor);
}

int inputs_set(const struct cli *cli, const struct inputs *inputs,
               const struct tessera_model *model, struct tessera_session *session, int64_t i)
{
  for (int k = 0; k < inputs->count; k++) {
    struct tessera_port port;
    tessera_model_input(model, k, &port);
    int64_t parts = parts_of(&inputs->tensor[k], &port);
    struct tessera_tensor part = tensor_part(&inputs->tensor[k], &port, parts > 1 ? i : 0);
    enum tessera_status status = tessera_session_set_input(cli->t, session, k, &part);
    if (status)
      return cli_message(cli, status);
  }
  return 0;
}

int inputs_give(const struct cli *cli, const struct tessera_model *model, bool made_up,
                struct tessera_session *session)
{
  struct inputs inputs;
  int status = inputs_open(cli, model, made_up, &inputs);
  if (!status)
    status = inputs_set(cli, &inputs, model, session, 0);
  inputs_close(&inputs);
  return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tessera explain: why a layer takes the cycles that it takes, and what another schedule would. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/explain_text.h"
#include "tools/layers.h"
#include "tools/observe.h"
#include "tools/open.h"
#include "tools/table.h"
#include "tools/tensors.h"

static const struct option options[] = {
    CLI_OBSERVE_OPTIONS,
    {"schedule", "FILE", "give the layer the schedule of this file, and compare"},
    {"output", "FILE", "write the layer's schedule, to be changed (also -o)"},
    {"check", NULL, "compare every layer's bits with the interpreter's"},
    {"json", NULL, "print JSON for programs"},
    {NULL, NULL, NULL}};

/* --- the layer -------------------------------------------------------------------------------- */

static void show_cpu(const struct cli *cli, const struct tessera_layer *l)
{
  char plain[256];
  if (cli_has(cli, "json")) {
    json_t *object = json_object();
    put_text(object, "name", l->name);
    put_text(object, "op", l->op);
    if (l->nodes)
      put_text(object, "nodes", l->nodes);
    put_text(object, "target", l->target);
    put_text(object, "reason", l->reason);
    print_json(object);
    return;
  }
  printf("%s: %s, runs on the CPU\n", plain_text(l->name, plain, sizeof plain), l->op);
  if (l->nodes)
    printf("  computes together: %s\n", l->nodes);
  printf("  %s\n", l->reason ? l->reason : "no reason was given");
}

/* --- one model -------------------------------------------------------------------------------- */

/* A model with the layer as it is, or with the schedule that was given. */
struct subject {
  struct tessera_model *model;
  struct observed observed; /* its model stays NULL */
  const struct tessera_profile *profile;
  const struct tessera_explanation *explanation;
};

static int explain_layer(const struct cli *cli, struct subject *s, int layer)
{
  int status = observe_model(cli, s->model, &s->observed);
  if (status)
    return status;
  enum tessera_status made = tessera_session_profile(cli->t, s->observed.session, &s->profile);
  if (!made)
    made = tessera_model_explain(cli->t, s->model, layer, s->profile, &s->explanation);
  return made ? cli_message(cli, made) : 0;
}

static void subject_close(struct subject *s)
{
  tessera_explanation_free(s->explanation);
  tessera_profile_free(s->profile);
  observed_close(&s->observed);
  tessera_model_free(s->model);
}

/* With the data that --input and --random ask for, or made up. */
static int check_bits(const struct cli *cli, const struct subject *s)
{
  struct tessera_session *session = NULL;
  bool made_up = !cli_has(cli, "input") || cli_has(cli, "random");
  enum tessera_status status = tessera_session_open(cli->t, s->model, "func", &session);
  int bad = status ? 0 : inputs_give(cli, s->model, made_up, session);
  if (!status && !bad)
    status = tessera_session_run(cli->t, session);
  if (!status && !bad)
    status = tessera_session_check(cli->t, session);
  tessera_session_free(session);
  return status ? cli_message(cli, status) : bad;
}

/* --- showing ---------------------------------------------------------------------------------- */

static void show_json(const struct cli *cli, const struct subject *found,
                      const struct subject *given, const struct comparison *comparison)
{
  json_t *object = explanation_json(given->model ? given->explanation : found->explanation);
  if (given->model)
    json_object_set_new(object, "comparison", comparison_json(comparison));
  if (cli_has(cli, "check"))
    json_object_set_new(object, "check", json_true());
  print_json(object);
}

static void show(const struct cli *cli, const struct subject *found, const struct subject *given)
{
  const struct subject *s = given->model ? given : found;
  struct comparison comparison = {.before = found->explanation,
                                  .now = given->explanation,
                                  .network_before = found->profile->cycles,
                                  .network_now = given->model ? given->profile->cycles : 0};
  if (cli_has(cli, "json")) {
    show_json(cli, found, given, &comparison);
    return;
  }
  print_explanation(s->explanation);
  if (given->model)
    print_comparison(&comparison);
  if (cli_has(cli, "check"))
    printf("\ncheck: every layer gave the interpreter's bits\n");
  if (cli_has(cli, "output"))
    printf("\n%s: written\n", cli_value(cli, "output"));
}

static int write_schedule(const struct cli *cli, const struct tessera_explanation *e)
{
  const char *path = cli_value(cli, "output");
  if (!path)
    return 0;
  enum tessera_status status = tessera_file_write(cli->t, path, e->schedule, strlen(e->schedule));
  return status ? cli_message(cli, status) : 0;
}

/* --- the command ------------------------------------------------------------------------------ */

/* With the schedule of --schedule, when there is one. */
static int explain_given(const struct cli *cli, int layer, struct subject *given)
{
  const char *path = cli_value(cli, "schedule");
  struct tessera_bytes text = {0};
  if (!path)
    return 0;
  int status = open_file(cli, path, &text);
  if (!status && memchr(text.data, 0, text.size))
    status = cli_refuse("explain: %s is no text, so no schedule", path);
  if (!status)
    status =
        open_model_with(cli, cli->word[0], cli->word[1], (const char *)text.data, &given->model);
  tessera_bytes_free(&text);
  return status ? status : explain_layer(cli, given, layer);
}

static int explain_accel(const struct cli *cli, int layer, struct subject *found)
{
  struct subject given = {0};
  int status = explain_layer(cli, found, layer);
  if (!status)
    status = explain_given(cli, layer, &given);
  const struct subject *s = given.model ? &given : found;
  if (!status && cli_has(cli, "check"))
    status = check_bits(cli, s);
  if (!status)
    status = write_schedule(cli, s->explanation);
  if (!status)
    show(cli, found, &given);
  subject_close(&given);
  return status;
}

static int run(struct cli *cli)
{
  struct subject found = {0};
  struct tessera_layer l;
  int layer;
  if (cli_has(cli, "output") && cli_can_write(cli, cli_value(cli, "output")))
    return EXIT_REFUSED;
  int status = open_model(cli, cli->word[0], &found.model);
  if (!status && tessera_model_find_layer(cli->t, found.model, cli->word[1], &layer))
    status = cli_message(cli, TESSERA_REFUSED);
  if (!status) {
    tessera_model_layer(found.model, layer, &l);
    if (l.schedule)
      status = explain_accel(cli, layer, &found);
    else if (cli_has(cli, "schedule") || cli_has(cli, "output"))
      status = cli_refuse("explain: layer '%s' runs on the CPU, and has no schedule", l.name);
    else
      show_cpu(cli, &l);
  }
  subject_close(&found);
  return status;
}

const struct command command_explain = {
    .name = "explain",
    .usage = "MODEL.onnx|PACKAGE.tsr LAYER [OPTIONS]",
    .summary = "tell a layer's schedule, and what keeps it from its bound; try another one",
    .options = options,
    .examples = "  tessera explain models/digits/digits.onnx conv4.Conv\n"
                "  tessera explain model.onnx conv4.Conv -o conv4.txt\n"
                "  tessera explain model.onnx conv4.Conv --schedule conv4.txt --check\n",
    .least_words = 2,
    .most_words = 2,
    .run = run,
};

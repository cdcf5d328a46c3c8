/* SPDX-License-Identifier: Apache-2.0 */
/* A run's outcome as text and as JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/layers.h"
#include "tools/outcome.h"
#include "tools/table.h"

enum { VALUES_SHOWN = 10, VALUES_IN_JSON = 4096 };

static bool is_float(enum tessera_dtype dtype)
{
  return dtype >= TESSERA_F16 && dtype <= TESSERA_F64;
}

/* --- text ------------------------------------------------------------------------------------- */

static void print_output(const struct tessera_model *model, int k, const struct tessera_tensor *t)
{
  struct tessera_port port;
  char shape[SHAPE_TEXT], name[128];
  int64_t n = tessera_tensor_count(t);
  tessera_model_output(model, k, &port);
  printf("output '%s', %s of %s:", plain_text(port.name, name, sizeof name),
         shape_text(t->dims, t->rank, shape), tessera_dtype_name(t->dtype));
  for (int64_t i = 0; i < n && i < VALUES_SHOWN; i++)
    printf(is_float(t->dtype) ? " %.6g" : " %.0f", tessera_tensor_value(t, i));
  printf(n > VALUES_SHOWN ? " ...\n" : "\n");
}

static void print_expectation(const struct outcome *o, const struct expectation *e)
{
  const struct tessera_comparison *c = &e->comparison;
  double unit = e->step > 0 ? e->step : 1;
  printf("%s: ", e->path);
  if (c->element < 0)
    printf("every element is equal");
  else if (e->step > 0)
    printf("largest difference %.3g quantization steps of %.6g", c->largest / unit, e->step);
  else
    printf("largest difference %.6g", c->largest);
  if (c->element >= 0)
    printf(" at element %" PRId64 " (%.9g, expected %.9g)", c->element, c->found, c->expected);
  printf("; top-1 agrees in %" PRId64 " of %" PRId64 "; ", c->agreeing, c->rows);
  printf(e->within ? "within" : "beyond");
  printf(" the tolerance of %g\n", o->tolerance);
}

/* A row an engine, a column a state, in the order in which they come. */
struct grid {
  const struct outcome *outcome;
  int engines, states;
  const char *engine[TABLE_COLUMNS], *state[TABLE_COLUMNS];
};

static int place_of(const char **list, int *n, const char *name)
{
  int i = 0;
  while (i < *n && strcmp(list[i], name))
    i++;
  if (i == *n && *n < TABLE_COLUMNS - 1)
    list[(*n)++] = name;
  return i;
}

static void activity_cell(const struct grid *g, int engine, int state, char out[static TABLE_CELL])
{
  const struct outcome *o = g->outcome;
  char count[COUNT_TEXT];
  out[0] = 0;
  for (int i = 0; i < o->activities; i++) {
    const struct tessera_activity *a = &o->activity[i];
    if (strcmp(a->engine, g->engine[engine]) || strcmp(a->state, g->state[state]))
      continue;
    snprintf(out, TABLE_CELL, "%s %5.1f %%", count_text(a->cycles, count),
             100.0 * (double)a->cycles / (double)o->counters.cycles);
  }
}

static void print_activity(const struct outcome *o)
{
  struct grid g = {.outcome = o};
  for (int i = 0; i < o->activities; i++) {
    place_of(g.engine, &g.engines, o->activity[i].engine);
    place_of(g.state, &g.states, o->activity[i].state);
  }
  struct table table = {.columns = g.states + 1, .alignment = "lrrrrrrrrr"};
  const char *cells[TABLE_COLUMNS] = {"engine"};
  for (int s = 0; s < g.states; s++)
    cells[s + 1] = g.state[s];
  int bad = table_add(&table, cells);
  for (int e = 0; e < g.engines && !bad; e++) {
    char text[TABLE_COLUMNS][TABLE_CELL];
    cells[0] = g.engine[e];
    for (int s = 0; s < g.states; s++) {
      activity_cell(&g, e, s, text[s]);
      cells[s + 1] = text[s];
    }
    bad = table_add(&table, cells);
  }
  table_end(&table, bad);
}

static void print_cycles(const struct tessera_model *model, const struct outcome *o)
{
  struct tessera_model_info info;
  char count[COUNT_TEXT];
  tessera_model_info(model, &info);
  uint64_t cycles = o->counters.cycles;
  printf("%s cycles", count_text(cycles, count));
  if (o->inferences > 1)
    printf(", %s an inference", count_text(cycles / (uint64_t)o->inferences, count));
  printf(", %.3f ms each at %d MHz; simulated at %s cycles a second\n",
         1e-3 * (double)cycles / info.clock_mhz / (double)o->inferences, info.clock_mhz,
         count_text((uint64_t)((double)cycles / o->seconds), count));
  if (o->wave)
    printf("%s: %s cycles\n", o->wave, count_text(o->counters.wave_cycles, count));
  printf("\n");
  print_activity(o);
  printf("\n");
}

void report_text(const struct tessera_model *model, const struct outcome *o)
{
  if (o->activities)
    print_cycles(model, o);
  if (o->timing_only)
    printf("timing only: outputs are not computed, and the CPU's ops do not run\n");
  else if (o->inferences == 1)
    for (int k = 0; k < o->outputs; k++)
      print_output(model, k, &o->output[k]);
  printf("%" PRId64 " inference%s in %.3f s, %.3f ms each\n", o->inferences,
         o->inferences == 1 ? "" : "s", o->seconds, 1e3 * o->seconds / (double)o->inferences);
  if (o->checked)
    printf("check: every layer gave the interpreter's bits%s\n",
           o->coded ? " (floats by the CPU's code: nearly)" : "");
  for (int i = 0; i < o->expectations; i++)
    print_expectation(o, &o->expected[i]);
  if (o->labels)
    printf("accuracy: %" PRId64 " of %" PRId64 " right, %.2f %%\n", o->right, o->labels,
           100.0 * (double)o->right / (double)o->labels);
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* JSON has no infinity. */
static json_t *real(double v)
{
  return isfinite(v) ? json_real(v) : json_null();
}

static json_t *output_json(const struct tessera_model *model, int k, const struct tessera_tensor *t)
{
  struct tessera_port port;
  json_t *object = json_object();
  int64_t n = tessera_tensor_count(t);
  tessera_model_output(model, k, &port);
  put_text(object, "name", port.name);
  put_text(object, "dtype", tessera_dtype_name(t->dtype));
  json_object_set_new(object, "shape", dims_json(t->dims, t->rank));
  if (n > VALUES_IN_JSON)
    return object;
  json_t *values = json_array();
  for (int64_t i = 0; i < n; i++) {
    double v = tessera_tensor_value(t, i);
    json_array_append_new(values, is_float(t->dtype) ? real(v) : json_integer((json_int_t)v));
  }
  json_object_set_new(object, "values", values);
  return object;
}

static json_t *expectation_json(const struct expectation *e)
{
  json_t *object = json_object();
  put_text(object, "file", e->path);
  json_object_set_new(object, "largest_difference", real(e->comparison.largest));
  json_object_set_new(object, "element", json_integer(e->comparison.element));
  json_object_set_new(object, "step", real(e->step));
  if (e->step > 0)
    json_object_set_new(object, "largest_difference_steps", real(e->comparison.largest / e->step));
  json_object_set_new(object, "top1_agreeing", json_integer(e->comparison.agreeing));
  json_object_set_new(object, "rows", json_integer(e->comparison.rows));
  json_object_set_new(object, "within_tolerance", json_boolean(e->within));
  return object;
}

static json_t *counters_json(const struct tessera_counters *c)
{
  const struct { const char *name; uint64_t value;
  } rows[] = {{"load_insns", c->load_insns},
              {"matrix_insns", c->matrix_insns},
              {"vector_insns", c->vector_insns},
              {"store_insns", c->store_insns},
              {"dram_read_bytes", c->dram_read_bytes},
              {"dram_write_bytes", c->dram_write_bytes},
              {"macs", c->macs},
              {"vector_ops", c->vector_ops},
              {"cycles", c->cycles},
              {"fetch_bytes", c->fetch_bytes},
              {"wave_cycles", c->wave_cycles}};
  json_t *object = json_object();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    put_count(object, rows[i].name, rows[i].value);
  return object;
}

/* {"load": {"idle": 12, ...}, ...} */
static json_t *activity_json(const struct outcome *o)
{
  json_t *engines = json_object();
  for (int i = 0; i < o->activities; i++) {
    const struct tessera_activity *a = &o->activity[i];
    if (!json_object_get(engines, a->engine))
      json_object_set_new(engines, a->engine, json_object());
    put_count(json_object_get(engines, a->engine), a->state, a->cycles);
  }
  return engines;
}

static json_t *outputs_json(const struct tessera_model *model, const struct outcome *o)
{
  if (o->timing_only)
    return json_null();
  json_t *list = json_array();
  for (int k = 0; k < o->outputs; k++)
    json_array_append_new(list, output_json(model, k, &o->output[k]));
  return list;
}

void report_json(const struct cli *cli, const struct tessera_model *model, const char *device,
                 const struct outcome *o)
{
  json_t *root = json_object(), *expected = json_array();
  for (int i = 0; i < o->expectations; i++)
    json_array_append_new(expected, expectation_json(&o->expected[i]));
  json_object_set_new(root, "model", model_json(model));
  json_object_set_new(root, "target", json_string(device ? "accel" : "cpu"));
  put_text(root, "device", device);
  json_object_set_new(root, "inferences", json_integer(o->inferences));
  json_object_set_new(root, "seconds", json_real(o->seconds));
  json_object_set_new(root, "counters", counters_json(&o->counters));
  if (o->activities)
    json_object_set_new(root, "activity", activity_json(o));
  json_object_set_new(root, "timing_only", json_boolean(o->timing_only));
  json_object_set_new(root, "outputs", outputs_json(model, o));
  if (cli_has(cli, "check"))
    json_object_set_new(root, "check", json_boolean(o->checked));
  if (o->expectations)
    json_object_set_new(root, "expect", expected);
  else
    json_decref(expected);
  if (o->labels) {
    json_object_set_new(root, "labels", json_integer(o->labels));
    json_object_set_new(root, "right", json_integer(o->right));
    json_object_set_new(root, "accuracy", json_real((double)o->right / (double)o->labels));
  }
  print_json(root);
}

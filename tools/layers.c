/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/layers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/table.h"

/* --- placement -------------------------------------------------------------------------------- */

static bool on_cpu(const struct tessera_layer *l)
{
  return !strcmp(l->target, "cpu");
}

static bool same_reason(const struct tessera_layer *a, const struct tessera_layer *b)
{
  return on_cpu(a) && on_cpu(b) && !strcmp(a->op, b->op) &&
         !strcmp(a->reason ? a->reason : "", b->reason ? b->reason : "");
}

static bool seen_before(const struct tessera_model *model, int k, const struct tessera_layer *l)
{
  struct tessera_layer other;
  for (int i = 0; i < k; i++) {
    tessera_model_layer(model, i, &other);
    if (same_reason(l, &other))
      return true;
  }
  return false;
}

/* The layers from k on that share op and reason with layer k. */
static void print_group(const struct tessera_model *model, int k, int layers,
                        const struct tessera_layer *first)
{
  enum { MOST_NAMED = 4 };
  struct tessera_layer l;
  int n = 0;
  char plain[128];
  printf("  %s: ", first->op);
  for (int i = k; i < layers; i++) {
    tessera_model_layer(model, i, &l);
    if (!same_reason(first, &l))
      continue;
    if (n++ < MOST_NAMED)
      printf("%s%s", n > 1 ? ", " : "", plain_text(l.name, plain, sizeof plain));
  }
  if (n > MOST_NAMED)
    printf(" and %d more", n - MOST_NAMED);
  printf("\n    %s\n", first->reason ? first->reason : "no reason was given");
}

void print_placement(const struct tessera_model *model)
{
  struct tessera_model_info info;
  struct tessera_layer l;
  int cpu = 0;
  tessera_model_info(model, &info);
  for (int i = 0; i < info.layers; i++) {
    tessera_model_layer(model, i, &l);
    cpu += on_cpu(&l);
  }
  if (!cpu)
    return;
  printf("%d of %d layers do not run on the accelerator:\n", cpu, info.layers);
  for (int i = 0; i < info.layers; i++) {
    tessera_model_layer(model, i, &l);
    if (on_cpu(&l) && !seen_before(model, i, &l))
      print_group(model, i, info.layers, &l);
  }
  printf("\n");
}

/* --- the table -------------------------------------------------------------------------------- */

struct totals {
  uint64_t macs, accel_macs, instructions, read, written, found, bound;
};

static struct totals totals_of(const struct tessera_model *model)
{
  struct tessera_model_info info;
  struct tessera_layer l;
  struct totals sum = {0};
  tessera_model_info(model, &info);
  for (int i = 0; i < info.layers; i++) {
    tessera_model_layer(model, i, &l);
    sum.macs += l.macs;
    sum.accel_macs += on_cpu(&l) ? 0 : l.macs;
    sum.instructions += l.instructions;
    sum.read += l.dram_read_bytes;
    sum.written += l.dram_write_bytes;
    sum.found += l.found_cycles;
    sum.bound += l.found_cycles ? l.bound_cycles : 0;
  }
  return sum;
}

/* number: MACs, bytes read and written, instructions, cycles found and the least possible. */
static int add_numbers(struct table *table, const char *name, const char *op, const char *shape,
                       const char *where, const uint64_t number[static 6])
{
  char text[5][COUNT_TEXT], gap[COUNT_TEXT] = "";
  for (int i = 0; i < 5; i++)
    count_text(number[i], text[i]);
  if (number[4])
    gap_text(number[4], (double)number[5], gap);
  const char *const cells[] = {name,    op,      shape,   where, text[0],
                               text[1], text[2], text[3], number[4] ? text[4] : "", gap};
  return table_add(table, cells);
}

static int add_layer(struct table *table, const struct tessera_model *model, int k, const char *where)
{
  struct tessera_layer l;
  char shape[SHAPE_TEXT];
  tessera_model_layer(model, k, &l);
  shape_text(l.dims, l.rank, shape);
  return add_numbers(table, l.name, l.op, shape, where ? where : l.target,
                     (uint64_t[]){l.macs, l.dram_read_bytes, l.dram_write_bytes, l.instructions,
                                  l.found_cycles, l.bound_cycles});
}

/* Does, or could, the accelerator run a part? */
static bool is_on_accel(const struct tessera_model *model, const struct tessera_session *session)
{
  struct tessera_model_info info;
  tessera_model_info(model, &info);
  if (!session)
    return true;
  for (int i = 0; i < info.layers; i++)
    if (!strcmp(tessera_session_place(session, i), "accel"))
      return true;
  return false;
}

void print_layers(const struct tessera_model *model, const struct tessera_session *session)
{
  static const char *const head[] = {"layer", "op", "shape", "where", "MACs", "bytes read",
                                     "bytes written", "instructions", "cycles", "gap"};
  struct table table = {.columns = 10, .alignment = "llllrrrrrr"};
  struct tessera_model_info info;
  struct totals sum = totals_of(model);
  char name[32];
  tessera_model_info(model, &info);
  int bad = table_add(&table, head);
  for (int i = 0; i < info.layers && !bad; i++)
    bad = add_layer(&table, model, i, session ? tessera_session_place(session, i) : NULL);
  table.rule = table.rows;
  snprintf(name, sizeof name, "%d layers", info.layers);
  if (!bad)
    bad = add_numbers(&table, name, "", "", "",
                      (uint64_t[]){sum.macs, sum.read, sum.written, sum.instructions, sum.found,
                                   sum.bound});
  if (!bad)
    table_print(&table, stdout);
  if (!bad && sum.macs && is_on_accel(model, session))
    printf("%.1f %% of the multiply-accumulates run on the accelerator.\n",
           100.0 * (double)sum.accel_macs / (double)sum.macs);
  table_free(&table);
}

/* --- JSON ------------------------------------------------------------------------------------- */

json_t *text_json(const char *text)
{
  if (!text)
    return json_null();
  json_t *value = json_string(text);
  if (value)
    return value;
  char plain[256];
  snprintf(plain, sizeof plain, "%s", text);
  for (char *p = plain; *p; p++)
    *p = *p & 0x80 ? '?' : *p;
  return json_string(plain);
}

json_t *dims_json(const int64_t *dims, int rank)
{
  json_t *array = json_array();
  for (int i = 0; i < rank; i++)
    json_array_append_new(array, json_integer(dims[i]));
  return array;
}

void put_text(json_t *object, const char *key, const char *text)
{
  json_object_set_new(object, key, text_json(text));
}

void put_count(json_t *object, const char *key, uint64_t v)
{
  json_object_set_new(object, key, json_integer((json_int_t)v));
}

static json_t *layer_json(const struct tessera_layer *l)
{
  json_t *object = json_object();
  put_text(object, "name", l->name);
  put_text(object, "op", l->op);
  if (l->nodes)
    put_text(object, "nodes", l->nodes);
  json_object_set_new(object, "shape", dims_json(l->dims, l->rank));
  put_text(object, "target", l->target);
  put_text(object, "reason", l->reason);
  put_count(object, "macs", l->macs);
  put_count(object, "dram_read_bytes", l->dram_read_bytes);
  put_count(object, "dram_write_bytes", l->dram_write_bytes);
  put_count(object, "instructions", l->instructions);
  put_count(object, "found_cycles", l->found_cycles);
  put_count(object, "bound_cycles", l->bound_cycles);
  return object;
}

static json_t *port_json(const struct tessera_port *p)
{
  json_t *object = json_object();
  put_text(object, "name", p->name);
  put_text(object, "dtype", tessera_dtype_name(p->dtype));
  json_object_set_new(object, "shape", dims_json(p->dims, p->rank));
  return object;
}

static json_t *totals_json(const struct tessera_model *model)
{
  struct totals sum = totals_of(model);
  json_t *object = json_object();
  put_count(object, "macs", sum.macs);
  put_count(object, "accel_macs", sum.accel_macs);
  put_count(object, "dram_read_bytes", sum.read);
  put_count(object, "dram_write_bytes", sum.written);
  put_count(object, "instructions", sum.instructions);
  return object;
}

json_t *model_json(const struct tessera_model *model)
{
  struct tessera_model_info info;
  json_t *object = json_object(), *inputs = json_array(), *outputs = json_array();
  json_t *layers = json_array();
  char hash[32];
  tessera_model_info(model, &info);
  snprintf(hash, sizeof hash, "%016" PRIx64, info.design_hash);
  put_text(object, "name", info.name);
  put_text(object, "config", info.config);
  json_object_set_new(object, "design_hash", json_string(hash));
  put_count(object, "streams", (uint64_t)info.streams);
  put_count(object, "instructions", info.instructions);
  put_count(object, "window_bytes", info.window_bytes);
  put_count(object, "image_bytes", info.image_bytes);
  put_count(object, "host_bytes", info.host_bytes);
  put_count(object, "host_separate_bytes", info.host_separate_bytes);
  struct tessera_port port;
  for (int i = 0; i < info.inputs; i++) {
    tessera_model_input(model, i, &port);
    json_array_append_new(inputs, port_json(&port));
  }
  for (int i = 0; i < info.outputs; i++) {
    tessera_model_output(model, i, &port);
    json_array_append_new(outputs, port_json(&port));
  }
  for (int i = 0; i < info.layers; i++) {
    struct tessera_layer l;
    tessera_model_layer(model, i, &l);
    json_array_append_new(layers, layer_json(&l));
  }
  json_object_set_new(object, "inputs", inputs);
  json_object_set_new(object, "outputs", outputs);
  json_object_set_new(object, "layers", layers);
  json_object_set_new(object, "totals", totals_json(model));
  return object;
}

void print_json(json_t *root)
{
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  putchar('\n');
  json_decref(root);
}

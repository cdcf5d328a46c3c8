/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/explain_text.h"
#include "tools/layers.h"

static json_t *operand_json(const struct tessera_operand *o)
{
  json_t *object = json_object();
  put_text(object, "name", o->name);
  put_text(object, "scratchpad", o->scratchpad);
  put_text(object, "dtype", tessera_dtype_name(o->dtype));
  json_object_set_new(object, "shape", dims_json(o->dims, o->rank));
  put_text(object, "loop", o->loop);
  put_text(object, "from", o->from);
  json_object_set_new(object, "computed", json_boolean(o->computed));
  json_object_set_new(object, "resident", json_boolean(o->resident));
  put_count(object, "copies", (uint64_t)o->copies);
  put_count(object, "entries", o->entries);
  put_count(object, "bytes", o->bytes);
  put_count(object, "capacity_bytes", o->capacity_bytes);
  return object;
}

static json_t *engine_json(const struct tessera_engine_time *t)
{
  json_t *object = json_object();
  put_text(object, "engine", t->engine);
  put_text(object, "meaning", t->meaning);
  json_object_set_new(object, "least_cycles", json_real(t->least_cycles));
  json_object_set_new(object, "cycles", json_real(t->cycles));
  return object;
}

static json_t *tiles_json(const struct tessera_explanation *e)
{
  json_t *array = json_array();
  for (size_t k = 0; k < e->tiles_listed; k++) {
    json_t *tile = json_object();
    json_object_set_new(tile, "at", dims_json(e->tile[k].at, e->rank));
    json_object_set_new(tile, "size", dims_json(e->tile[k].size, e->rank));
    json_array_append_new(array, tile);
  }
  return array;
}

static void put_numbers(json_t *object, const struct tessera_explanation *e)
{
  put_count(object, "macs", e->macs);
  put_count(object, "cycles", e->cycles);
  put_count(object, "found_cycles", e->found_cycles);
  put_count(object, "bound_cycles", e->bound_cycles);
  put_count(object, "dram_read_bytes", e->read_bytes);
  put_count(object, "dram_write_bytes", e->write_bytes);
  put_count(object, "least_read_bytes", e->least_read_bytes);
  put_count(object, "least_write_bytes", e->least_write_bytes);
  put_count(object, "tile_count", e->tiles);
}

json_t *explanation_json(const struct tessera_explanation *e)
{
  json_t *object = json_object(), *operands = json_array(), *engines = json_array();
  json_t *reasons = json_array();
  put_text(object, "name", e->name);
  put_text(object, "op", e->op);
  json_object_set_new(object, "shape", dims_json(e->dims, e->rank));
  put_numbers(object, e);
  put_text(object, "schedule", e->schedule);
  put_text(object, "loops_before", e->loops_before);
  put_text(object, "loops", e->loops);
  put_text(object, "first_tile", e->first_tile);
  for (int k = 0; k < e->operands; k++)
    json_array_append_new(operands, operand_json(&e->operand[k]));
  for (int k = 0; k < e->engines; k++)
    json_array_append_new(engines, engine_json(&e->engine[k]));
  for (int k = 0; k < e->reasons; k++)
    json_array_append_new(reasons, text_json(e->reason[k]));
  json_object_set_new(object, "tiles", tiles_json(e));
  json_object_set_new(object, "operands", operands);
  json_object_set_new(object, "engines", engines);
  json_object_set_new(object, "reasons", reasons);
  return object;
}

json_t *comparison_json(const struct comparison *c)
{
  json_t *object = json_object();
  put_count(object, "found_layer_cycles", c->before->cycles);
  put_count(object, "layer_cycles", c->now->cycles);
  put_count(object, "found_network_cycles", c->network_before);
  put_count(object, "network_cycles", c->network_now);
  return object;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "runtime/json_guard.h"
#include "runtime/manifest.h"

struct writer {
  struct tsr_arena *arena;
  const struct tsr_module *module;
  const struct tsr__pieces *pieces;
  struct tsr_bytes out;
};

/* Everything is hung into the tree before it is filled, so that the tree's holder releases all of
 * it. */
static json_t *put(struct writer *w, json_t *object, const char *key, json_t *value)
{
  if (json_object_set_new(object, key, value))
    tsr_arena_exhausted(w->arena);
  return value;
}

static json_t *append(struct writer *w, json_t *array, json_t *value)
{
  if (json_array_append_new(array, value))
    tsr_arena_exhausted(w->arena);
  return value;
}

/* Names come from files; JSON wants UTF-8. */
static void put_text(struct writer *w, json_t *object, const char *key, const char *text)
{
  json_t *value = json_string(text);
  if (!value) {
    char *plain = tsr_arena_strdup(w->arena, text);
    for (char *p = plain; *p; p++)
      *p = *p & 0x80 ? '?' : *p;
    value = json_string(plain);
  }
  put(w, object, key, value);
}

static void put_int(struct writer *w, json_t *object, const char *key, uint64_t value)
{
  put(w, object, key, json_integer((json_int_t)value));
}

static void put_indices(struct writer *w, json_t *object, const char *key, int count,
                        const int *list)
{
  json_t *array = put(w, object, key, json_array());
  for (int i = 0; i < count; i++)
    append(w, array, json_integer(list[i]));
}

static void put_ddr(struct writer *w, json_t *memory, const struct tsr_ddr *ddr)
{
  put_text(w, memory, "order", tsr_ddr_order_names[ddr->order]);
#define TSR_DDR_KEY(key, smallest, largest, unit, meaning)                                         \
  put_int(w, memory, #key, (uint64_t)ddr->key);
#include "configs/ddr.def"
#undef TSR_DDR_KEY
}

/* As a design point's file has it. */
static void put_design(struct writer *w, json_t *root)
{
  const struct tsr_design *d = &w->module->design;
  put_text(w, root, "config", d->name);
  json_t *design = put(w, root, "design", json_object());
#define TSR_KEY(key, smallest, largest, unit, meaning) put_int(w, design, #key, (uint64_t)d->key);
#include "configs/keys.def"
#undef TSR_KEY
  json_t *memory = put(w, design, "memory", json_object());
  put_text(w, memory, "model", tsr_memory_model_names[d->memory.model]);
  if (d->memory.model != TSR_MEMORY_IDEAL)
    put_int(w, memory, "latency_cycles", (uint64_t)d->memory.latency_cycles);
  if (d->memory.model == TSR_MEMORY_SIMPLE)
    put_int(w, memory, "bytes_per_cycle", (uint64_t)d->memory.bytes_per_cycle);
  if (d->memory.reads)
    put_int(w, memory, "reads", (uint64_t)d->memory.reads);
  if (d->memory.writes)
    put_int(w, memory, "writes", (uint64_t)d->memory.writes);
  if (d->memory.model == TSR_MEMORY_DDR)
    put_ddr(w, memory, &d->memory.ddr);
}

static void put_buffer(struct writer *w, json_t *buffers, int index)
{
  const struct tsr_module_buffer *b = &w->module->buffer[index];
  const struct tsr__piece *piece = &w->pieces->constant[index];
  json_t *object = append(w, buffers, json_object());
  put_text(w, object, "name", b->name);
  put_text(w, object, "dtype", tsr_dtype_name(b->dtype));
  json_t *dims = put(w, object, "dims", json_array());
  for (int i = 0; i < b->rank; i++)
    append(w, dims, json_integer(b->dims[i]));
  if (b->on_device)
    put_int(w, object, "window_offset", b->offset);
  if (b->data && !b->on_device) {
    put_int(w, object, "const_offset", piece->offset);
    put_int(w, object, "const_bytes", piece->size);
  }
}

static void put_step(struct writer *w, json_t *steps, const struct tsr_module_step *s)
{
  json_t *object = append(w, steps, json_object());
  bool cpu = s->kind == TSR_STEP_CPU;
  put_text(w, object, "kind", cpu ? "cpu" : "accel");
  if (cpu) {
    put_int(w, object, "layer", (uint64_t)s->layer);
  } else {
    put_int(w, object, "first_insn", s->first_insn);
    put_int(w, object, "insns", s->insns);
  }
}

static void put_layer(struct writer *w, json_t *layers, int index)
{
  const struct tsr_module_layer *l = &w->module->layer[index];
  json_t *object = append(w, layers, json_object());
  put_text(w, object, "name", l->name);
  put_text(w, object, "op", l->op);
  if (l->nodes)
    put_text(w, object, "nodes", l->nodes);
  put_text(w, object, "target", l->target);
  if (l->reason)
    put_text(w, object, "reason", l->reason);
  put_indices(w, object, "args", l->args, l->arg);
  put_int(w, object, "step", (uint64_t)l->step);
  put_int(w, object, "macs", l->macs);
  put_int(w, object, "first_insn", l->first_insn);
  put_int(w, object, "insns", l->insns);
  put_int(w, object, "dram_read_bytes", l->dram_read_bytes);
  put_int(w, object, "dram_write_bytes", l->dram_write_bytes);
  put_int(w, object, "found_cycles", l->found_cycles);
  put_int(w, object, "least_cycles", l->least_cycles);
  put_int(w, object, "least_read_bytes", l->least_read_bytes);
  put_int(w, object, "least_write_bytes", l->least_write_bytes);
  put_int(w, object, "tir_offset", w->pieces->func[index].offset);
  put_int(w, object, "tir_bytes", w->pieces->func[index].size);
  if (l->schedule)
    put_text(w, object, "schedule", l->schedule);
}

static enum tsr_status write_json(struct tsr__json_held *held, void *context)
{
  struct writer *w = context;
  const struct tsr_module *m = w->module;
  json_t *root = held->value = json_object();
  put_text(w, root, "name", m->name);
  put_design(w, root);
  put_int(w, root, "window_bytes", m->window_bytes);
  json_t *buffers = put(w, root, "buffers", json_array());
  for (int i = 0; i < m->buffers; i++)
    put_buffer(w, buffers, i);
  put_indices(w, root, "inputs", m->inputs, m->input);
  put_indices(w, root, "outputs", m->outputs, m->output);
  json_t *steps = put(w, root, "steps", json_array());
  for (int i = 0; i < m->steps; i++)
    put_step(w, steps, &m->step[i]);
  json_t *layers = put(w, root, "layers", json_array());
  for (int i = 0; i < m->layers; i++)
    put_layer(w, layers, i);
  held->text = json_dumps(root, JSON_INDENT(1));
  if (!held->text)
    tsr_arena_exhausted(w->arena);
  size_t size = strlen(held->text);
  w->out = (struct tsr_bytes){tsr_arena_copy(w->arena, held->text, size + 1), size};
  return TSR_OK;
}

struct tsr_bytes tsr__manifest_write(struct tsr_arena *arena, const struct tsr_module *module,
                                     const struct tsr__pieces *pieces)
{
  struct writer w = {arena, module, pieces, {NULL, 0}};
  tsr__with_json(arena, write_json, &w);
  return w.out;
}

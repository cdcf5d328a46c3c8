/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "runtime/json_guard.h"
#include "runtime/manifest.h"

enum { MOST_ITEMS = 1 << 24 };
#define LARGEST (INT64_MAX / 4) /* sums of two stay in range */

struct reader {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const char *name;
  const struct tsr_bytes *text;
  struct tsr_module *out;
  struct tsr__pieces *pieces;
};

/* An object of the manifest and how a sentence calls it. */
struct place {
  const json_t *object;
  const char *kind; /* "buffer"; NULL: the outermost */
  int index;
};

static enum tsr_status refuse(const struct reader *r, const struct place *p, const char *key,
                              const char *wanted)
{
  if (!p->kind)
    return tsr_refuse(r->err, "%s: the package's manifest: '%s' must be %s", r->name, key, wanted);
  return tsr_refuse(r->err, "%s: the package's manifest: '%s' of %s %d must be %s", r->name, key,
                    p->kind, p->index, wanted);
}

static enum tsr_status read_int(const struct reader *r, const struct place *p, const char *key,
                                int64_t largest, int64_t *out)
{
  const json_t *v = json_object_get(p->object, key);
  if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > largest) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "a whole number from 0 to %" PRId64, largest);
    return refuse(r, p, key, wanted);
  }
  *out = json_integer_value(v);
  return TSR_OK;
}

static enum tsr_status read_u64(const struct reader *r, const struct place *p, const char *key,
                                uint64_t *out)
{
  int64_t v;
  if (read_int(r, p, key, LARGEST, &v))
    return TSR_REFUSED;
  *out = (uint64_t)v;
  return TSR_OK;
}

static enum tsr_status read_size(const struct reader *r, const struct place *p, const char *key,
                                 size_t *out)
{
  uint64_t v;
  if (read_u64(r, p, key, &v))
    return TSR_REFUSED;
  *out = v;
  return TSR_OK;
}

static enum tsr_status read_index(const struct reader *r, const struct place *p, const char *key,
                                  int *out)
{
  int64_t v;
  if (read_int(r, p, key, MOST_ITEMS, &v))
    return TSR_REFUSED;
  *out = (int)v;
  return TSR_OK;
}

static enum tsr_status read_text(const struct reader *r, const struct place *p, const char *key,
                                 const char **out)
{
  const json_t *v = json_object_get(p->object, key);
  if (!json_is_string(v))
    return refuse(r, p, key, "a string");
  *out = tsr_arena_strdup(r->arena, json_string_value(v));
  return TSR_OK;
}

static enum tsr_status read_optional_text(const struct reader *r, const struct place *p,
                                          const char *key, const char **out)
{
  return json_object_get(p->object, key) ? read_text(r, p, key, out) : TSR_OK;
}

static enum tsr_status read_array(const struct reader *r, const struct place *p, const char *key,
                                  const json_t **array, int *count)
{
  const json_t *v = json_object_get(p->object, key);
  if (!json_is_array(v) || json_array_size(v) > MOST_ITEMS)
    return refuse(r, p, key, "an array");
  *array = v;
  *count = (int)json_array_size(v);
  return TSR_OK;
}

static enum tsr_status read_indices(const struct reader *r, const struct place *p, const char *key,
                                    int *count, int **out)
{
  const json_t *array = NULL;
  if (read_array(r, p, key, &array, count))
    return TSR_REFUSED;
  *out = TSR_NEW_ARRAY(r->arena, int, *count);
  for (int i = 0; i < *count; i++) {
    const json_t *v = json_array_get(array, (size_t)i);
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > MOST_ITEMS)
      return refuse(r, p, key, "an array of indices");
    (*out)[i] = (int)json_integer_value(v);
  }
  return TSR_OK;
}

/* --- the parts -------------------------------------------------------------------------------- */

static enum tsr_status read_dims(const struct reader *r, const struct place *p,
                                 struct tsr_module_buffer *b)
{
  const json_t *array;
  if (read_array(r, p, "dims", &array, &b->rank))
    return TSR_REFUSED;
  if (b->rank > TSR_MAX_RANK)
    return refuse(r, p, "dims", "an array of at most 8 numbers");
  for (int i = 0; i < b->rank; i++) {
    const json_t *v = json_array_get(array, (size_t)i);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
      return refuse(r, p, "dims", "an array of numbers that are not negative");
    b->dims[i] = json_integer_value(v);
  }
  if (tsr_count(b->dims, b->rank, tsr_dtype_bytes(b->dtype)) < 0)
    return refuse(r, p, "dims", "a shape whose bytes can be counted");
  return TSR_OK;
}

static enum tsr_status read_buffer(const struct reader *r, const struct place *p)
{
  struct tsr_module_buffer *b = &r->out->buffer[p->index];
  struct tsr__piece *piece = &r->pieces->constant[p->index];
  const char *dtype;
  if (read_text(r, p, "name", &b->name) || read_text(r, p, "dtype", &dtype))
    return TSR_REFUSED;
  if (!tsr_dtype_from_name(dtype, &b->dtype))
    return refuse(r, p, "dtype", "the name of an element type, such as \"i8\"");
  if (read_dims(r, p, b))
    return TSR_REFUSED;
  b->on_device = json_object_get(p->object, "window_offset") != NULL;
  if (b->on_device)
    return read_u64(r, p, "window_offset", &b->offset);
  if (!json_object_get(p->object, "const_offset"))
    return TSR_OK;
  b->data = ""; /* is one; the bytes are set when the pieces are resolved */
  if (read_u64(r, p, "const_offset", &piece->offset))
    return TSR_REFUSED;
  return read_u64(r, p, "const_bytes", &piece->size);
}

static enum tsr_status read_step(const struct reader *r, const struct place *p)
{
  struct tsr_module_step *s = &r->out->step[p->index];
  const char *kind = NULL;
  if (read_text(r, p, "kind", &kind))
    return TSR_REFUSED;
  if (!strcmp(kind, "cpu")) {
    s->kind = TSR_STEP_CPU;
    return read_index(r, p, "layer", &s->layer);
  }
  if (strcmp(kind, "accel"))
    return refuse(r, p, "kind", "\"cpu\" or \"accel\"");
  s->kind = TSR_STEP_ACCEL;
  if (read_size(r, p, "first_insn", &s->first_insn))
    return TSR_REFUSED;
  return read_size(r, p, "insns", &s->insns);
}

static enum tsr_status read_layer(const struct reader *r, const struct place *p)
{
  struct tsr_module_layer *l = &r->out->layer[p->index];
  struct tsr__piece *func = &r->pieces->func[p->index];
  if (read_text(r, p, "name", &l->name) || read_text(r, p, "op", &l->op) ||
      read_optional_text(r, p, "nodes", &l->nodes) || read_text(r, p, "target", &l->target) ||
      read_optional_text(r, p, "reason", &l->reason) ||
      read_optional_text(r, p, "schedule", &l->schedule) ||
      read_indices(r, p, "args", &l->args, &l->arg) || read_index(r, p, "step", &l->step) ||
      read_u64(r, p, "macs", &l->macs) || read_size(r, p, "first_insn", &l->first_insn) ||
      read_size(r, p, "insns", &l->insns) ||
      read_u64(r, p, "dram_read_bytes", &l->dram_read_bytes) ||
      read_u64(r, p, "dram_write_bytes", &l->dram_write_bytes) ||
      read_u64(r, p, "found_cycles", &l->found_cycles) ||
      read_u64(r, p, "least_cycles", &l->least_cycles) ||
      read_u64(r, p, "least_read_bytes", &l->least_read_bytes) ||
      read_u64(r, p, "least_write_bytes", &l->least_write_bytes) ||
      read_u64(r, p, "tir_offset", &func->offset) || read_u64(r, p, "tir_bytes", &func->size))
    return TSR_REFUSED;
  return TSR_OK;
}

static enum tsr_status read_each(const struct reader *r, const json_t *array, const char *kind,
                                 enum tsr_status (*read)(const struct reader *r,
                                                         const struct place *p))
{
  for (size_t i = 0; i < json_array_size(array); i++) {
    struct place p = {json_array_get(array, i), kind, (int)i};
    if (!json_is_object(p.object))
      return tsr_refuse(r->err, "%s: the package's manifest: %s %zu must be an object", r->name,
                        kind, i);
    if (read(r, &p))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

/* The design point is checked as its file is. */
static enum tsr_status read_design(const struct reader *r, const struct place *root,
                                   struct tsr__json_held *held)
{
  struct tsr_design *d = &r->out->design;
  const json_t *design = json_object_get(root->object, "design");
  const char *config;
  if (read_text(r, root, "config", &config))
    return TSR_REFUSED;
  if (!json_is_object(design))
    return refuse(r, root, "design", "an object");
  held->text = json_dumps(design, JSON_INDENT(1));
  if (!held->text)
    tsr_arena_exhausted(r->arena);
  if (tsr_design_parse(r->err, "design", held->text, d))
    return tsr_refuse_at(r->err, "%s: the package's manifest", r->name);
  snprintf(d->name, sizeof d->name, "%s", config);
  return TSR_OK;
}

static enum tsr_status read_root(const struct reader *r, struct tsr__json_held *held)
{
  struct tsr_module *m = r->out;
  struct place root = {held->value, NULL, 0};
  const json_t *buffers, *steps, *layers;
  if (read_text(r, &root, "name", &m->name) || read_design(r, &root, held) ||
      read_size(r, &root, "window_bytes", &m->window_bytes) ||
      read_array(r, &root, "buffers", &buffers, &m->buffers) ||
      read_indices(r, &root, "inputs", &m->inputs, &m->input) ||
      read_indices(r, &root, "outputs", &m->outputs, &m->output) ||
      read_array(r, &root, "steps", &steps, &m->steps) ||
      read_array(r, &root, "layers", &layers, &m->layers))
    return TSR_REFUSED;
  m->buffer = TSR_NEW_ARRAY(r->arena, struct tsr_module_buffer, m->buffers);
  m->step = TSR_NEW_ARRAY(r->arena, struct tsr_module_step, m->steps);
  m->layer = TSR_NEW_ARRAY(r->arena, struct tsr_module_layer, m->layers);
  r->pieces->constant = TSR_NEW_ARRAY(r->arena, struct tsr__piece, m->buffers);
  r->pieces->func = TSR_NEW_ARRAY(r->arena, struct tsr__piece, m->layers);
  if (read_each(r, buffers, "buffer", read_buffer) || read_each(r, steps, "step", read_step))
    return TSR_REFUSED;
  return read_each(r, layers, "layer", read_layer);
}

static enum tsr_status read_json(struct tsr__json_held *held, void *context)
{
  const struct reader *r = context;
  json_error_t e;
  held->value = json_loadb((const char *)r->text->data, r->text->size, JSON_REJECT_DUPLICATES, &e);
  if (!held->value)
    return tsr_refuse(r->err, "%s: the package's manifest, line %d: %s", r->name, e.line, e.text);
  if (!json_is_object(held->value))
    return tsr_refuse(r->err, "%s: the package's manifest is no JSON object", r->name);
  return read_root(r, held);
}

enum tsr_status tsr__manifest_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                   const struct tsr_bytes *text, struct tsr_module *out,
                                   struct tsr__pieces *pieces)
{
  struct reader r = {arena, err, name, text, out, pieces};
  return tsr__with_json(arena, read_json, &r);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A profile from its JSON. */
#include <inttypes.h>
#include <string.h>

#include "runtime/json_guard.h"
#include "runtime/profile/profile.h"

struct reader {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const char *name, *text;
  size_t size;
  struct tessera_profile *out;
};

/* Members of one object. The first that is missing or wrong is refused; after that nothing is
 * read. */
struct place {
  const struct reader *r;
  const json_t *object;
  const char *list; /* "layers"; NULL: the outermost */
  int index;
  enum tsr_status status;
};

static const json_t *member(struct place *p, const char *key, const char *wanted,
                            bool (*fits)(const json_t *value))
{
  const json_t *v = json_object_get(p->object, key);
  if (p->status || fits(v))
    return v;
  if (p->list)
    p->status = tsr_refuse(p->r->err, "%s: is no profile: '%s' of item %d of '%s' must be %s",
                           p->r->name, key, p->index, p->list, wanted);
  else
    p->status =
        tsr_refuse(p->r->err, "%s: is no profile: '%s' must be %s", p->r->name, key, wanted);
  return NULL;
}

static bool fits_text(const json_t *v)
{
  return json_is_string(v);
}

static bool fits_count(const json_t *v)
{
  return json_is_integer(v) && json_integer_value(v) >= 0;
}

static bool fits_real(const json_t *v)
{
  return json_is_number(v) && json_number_value(v) >= 0;
}

static bool fits_list(const json_t *v)
{
  return json_is_array(v);
}

static bool fits_object(const json_t *v)
{
  return json_is_object(v);
}

static const char *text_of(struct place *p, const char *key)
{
  const json_t *v = member(p, key, "a text", fits_text);
  return p->status ? "" : tsr_arena_strdup(p->r->arena, json_string_value(v));
}

static uint64_t count_of(struct place *p, const char *key)
{
  const json_t *v = member(p, key, "a whole number of 0 or more", fits_count);
  return p->status ? 0 : (uint64_t)json_integer_value(v);
}

static double real_of(struct place *p, const char *key)
{
  const json_t *v = member(p, key, "a number of 0 or more", fits_real);
  return p->status ? 0 : json_number_value(v);
}

/* --- lists ------------------------------------------------------------------------------------ */

/* How one item is read, into place k of the list that `list` made room for. */
struct list {
  const char *key;
  void (*room)(const struct reader *r, int count);
  void (*item)(struct place *p, int k);
};

static void room_for_shares(const struct reader *r, int count)
{
  r->out->share = TSR_NEW_ARRAY(r->arena, struct tessera_share, count + 1);
  r->out->shares = count;
}

static void read_share(struct place *p, int k)
{
  struct tessera_share *list = (struct tessera_share *)(uintptr_t)p->r->out->share;
  list[k] =
      (struct tessera_share){text_of(p, "name"), text_of(p, "meaning"), count_of(p, "cycles")};
}

static void room_for_layers(const struct reader *r, int count)
{
  r->out->layer = TSR_NEW_ARRAY(r->arena, struct tessera_profile_layer, count + 1);
  r->out->layers = count;
}

static const uint64_t *read_stack(struct place *p)
{
  const struct tessera_profile *out = p->r->out;
  uint64_t *share = TSR_NEW_ARRAY(p->r->arena, uint64_t, out->shares + 1);
  struct place stack = *p;
  stack.object = member(p, "stack", "an object", fits_object);
  for (int s = 0; s < out->shares && !p->status; s++) {
    share[s] = count_of(&stack, out->share[s].name);
    p->status = stack.status;
  }
  return share;
}

static void read_layer(struct place *p, int k)
{
  struct tessera_profile_layer *list = (struct tessera_profile_layer *)(uintptr_t)p->r->out->layer;
  list[k] = (struct tessera_profile_layer){
      .name = text_of(p, "name"),
      .op = text_of(p, "op"),
      .cycles = count_of(p, "cycles"),
      .instructions = count_of(p, "instructions"),
      .macs = count_of(p, "macs"),
      .read_bytes = count_of(p, "read_bytes"),
      .write_bytes = count_of(p, "write_bytes"),
      .compulsory_bytes = count_of(p, "compulsory_bytes"),
      .bound_cycles = real_of(p, "bound_cycles"),
      .compute_cycles = real_of(p, "compute_cycles"),
      .memory_cycles = real_of(p, "memory_cycles"),
      .roofline = real_of(p, "roofline"),
      .utilization = real_of(p, "utilization"),
      .limit = text_of(p, "limit"),
      .share = read_stack(p),
  };
}

static void room_for_parts(const struct reader *r, int count)
{
  r->out->path_part = TSR_NEW_ARRAY(r->arena, struct tessera_path_part, count + 1);
  r->out->path_parts = count;
}

static void read_part(struct place *p, int k)
{
  struct tessera_path_part *list = (struct tessera_path_part *)(uintptr_t)p->r->out->path_part;
  list[k] = (struct tessera_path_part){text_of(p, "engine"), text_of(p, "cause"),
                                       text_of(p, "meaning"), count_of(p, "cycles"),
                                       count_of(p, "steps")};
}

static void room_for_insns(const struct reader *r, int count)
{
  r->out->path_insn = TSR_NEW_ARRAY(r->arena, struct tessera_path_insn, count + 1);
  r->out->path_insns = count;
}

static void read_insn(struct place *p, int k)
{
  struct tessera_path_insn *list = (struct tessera_path_insn *)(uintptr_t)p->r->out->path_insn;
  list[k] = (struct tessera_path_insn){count_of(p, "instruction"), text_of(p, "engine"),
                                       text_of(p, "layer"), text_of(p, "text"),
                                       count_of(p, "cycles")};
}

static void room_for_what_ifs(const struct reader *r, int count)
{
  r->out->what_if = TSR_NEW_ARRAY(r->arena, struct tessera_what_if, count + 1);
  r->out->what_ifs = count;
}

static void read_what_if(struct place *p, int k)
{
  struct tessera_what_if *list = (struct tessera_what_if *)(uintptr_t)p->r->out->what_if;
  list[k] =
      (struct tessera_what_if){text_of(p, "name"), text_of(p, "meaning"), count_of(p, "cycles")};
}

static void read_list(struct place *outer, const struct list *list)
{
  const json_t *array = member(outer, list->key, "a list", fits_list);
  if (outer->status)
    return;
  list->room(outer->r, (int)json_array_size(array));
  for (int k = 0; k < (int)json_array_size(array) && !outer->status; k++) {
    struct place p = {outer->r, json_array_get(array, (size_t)k), list->key, k, TSR_OK};
    list->item(&p, k);
    outer->status = p.status;
  }
}

/* --- the whole -------------------------------------------------------------------------------- */

static void read_totals(struct place *p)
{
  struct tessera_profile *out = p->r->out;
  out->model = text_of(p, "model");
  out->config = text_of(p, "config");
  out->memory = text_of(p, "memory");
  out->clock_mhz = (int)count_of(p, "clock_mhz");
  out->cycles = count_of(p, "cycles");
  out->instructions = count_of(p, "instructions");
  out->macs = count_of(p, "macs");
  out->read_bytes = count_of(p, "read_bytes");
  out->write_bytes = count_of(p, "write_bytes");
  out->fetch_bytes = count_of(p, "fetch_bytes");
  out->compulsory_bytes = count_of(p, "compulsory_bytes");
  out->bound_cycles = real_of(p, "bound_cycles");
  out->peak_macs = real_of(p, "peak_macs");
  out->peak_bytes = real_of(p, "peak_bytes");
  out->compute_cycles = real_of(p, "compute_cycles");
  out->memory_cycles = real_of(p, "memory_cycles");
  out->roofline = real_of(p, "roofline");
  out->utilization = real_of(p, "utilization");
  if (!p->status && (out->clock_mhz < 1 || out->clock_mhz > 1000000))
    p->status =
        tsr_refuse(p->r->err, "%s: is no profile: 'clock_mhz' must be 1 to 1000000", p->r->name);
}

static enum tsr_status read_body(struct tsr__json_held *held, void *context)
{
  static const struct list lists[] = {
      {"stack", room_for_shares, read_share},
      {"layers", room_for_layers, read_layer},
      {"critical_path", room_for_parts, read_part},
      {"critical_instructions", room_for_insns, read_insn},
      {"what_if", room_for_what_ifs, read_what_if},
  };
  const struct reader *r = context;
  json_error_t at;
  held->value = json_loadb(r->text, r->size, JSON_REJECT_DUPLICATES, &at);
  if (!held->value)
    return tsr_refuse(r->err, "%s:%d: is no profile: %s", r->name, at.line, at.text);
  struct place p = {r, held->value, NULL, 0, TSR_OK};
  read_totals(&p);
  for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
    if (!p.status)
      read_list(&p, &lists[k]);
  return p.status;
}

enum tsr_status tsr_profile_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                 const char *text, size_t size, struct tessera_profile *out)
{
  struct reader r = {arena, err, name, text, size, out};
  *out = (struct tessera_profile){0};
  return tsr__with_json(arena, read_body, &r);
}

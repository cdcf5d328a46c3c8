/* SPDX-License-Identifier: Apache-2.0 */
#include "configs/design.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "configs/json.h"

struct key {
  const char *name, *unit;
  int smallest, largest;
  size_t member;
  bool hashed; /* the clock changes no program */
};

static const struct key keys[] = {
#define TSR_KEY(key, smallest, largest, unit, meaning)                                             \
  {#key,                                                                                           \
   unit,                                                                                           \
   smallest,                                                                                       \
   largest,                                                                                        \
   offsetof(struct tsr_design, key),                                                               \
   offsetof(struct tsr_design, key) != offsetof(struct tsr_design, clock_mhz)},
#include "configs/keys.def"
#undef TSR_KEY
};

const char *const tsr_memory_model_names[] = {"ideal", "simple", "ddr"};

/* Of memory, of any model. */
static const char *const memory_keys[] = {
    "model", "latency_cycles", "bytes_per_cycle", "reads", "writes", "set", "order",
#define TSR_DDR_KEY(key, smallest, largest, unit, meaning) #key,
#include "configs/ddr.def"
#undef TSR_DDR_KEY
};

enum {
  MEMORY_KEYS = sizeof memory_keys / sizeof memory_keys[0],
  KEYS = sizeof keys / sizeof keys[0],
  SMALLEST_DEPTH = 2,
  LARGEST_DEPTH = 65536,
  MOST_IN_FLIGHT = 256,
  AXI_BOUNDARY_BYTES = 4096
};

static int get(const struct tsr_design *d, const struct key *key)
{
  int v;
  memcpy(&v, (const char *)d + key->member, sizeof v);
  return v;
}

/* A text being read: where a sentence says it is. */
struct reader {
  struct tsr_err *err;
  const char *name;
  const struct tsr__json *json;
};

static enum tsr_status unknown_key(const struct reader *r, const struct tsr__json_member *m,
                                   const char *const *names, int n)
{
  const char *near = tsr_nearest(m->key, names, n);
  const char *of = m->parent < 0 ? "" : " of memory";
  if (near)
    return tsr_refuse(r->err, "%s:%d: unknown key '%s'%s; did you mean '%s'?", r->name, m->line,
                      m->key, of, near);
  return tsr_refuse(r->err, "%s:%d: unknown key '%s'%s; docs/design-point.md lists the keys",
                    r->name, m->line, m->key, of);
}

static bool is_among(const char *name, const char *const *names, int n)
{
  for (int k = 0; k < n; k++)
    if (!strcmp(name, names[k]))
      return true;
  return false;
}

static enum tsr_status check_names(const struct reader *r)
{
  const char *outer[KEYS + 1];
  for (int i = 0; i < KEYS; i++)
    outer[i] = keys[i].name;
  outer[KEYS] = "memory";
  for (int i = 0; i < r->json->count; i++) {
    const struct tsr__json_member *m = &r->json->members[i];
    const char *const *names = m->parent < 0 ? outer : memory_keys;
    int n = m->parent < 0 ? KEYS + 1 : MEMORY_KEYS;
    if (!is_among(m->key, names, n))
      return unknown_key(r, m, names, n);
  }
  return TSR_OK;
}

static enum tsr_status read_number(const struct reader *r, int parent, const char *key,
                                   int smallest, int largest, int *out)
{
  const struct tsr__json_member *m = tsr__json_find(r->json, parent, key);
  int end = parent < 0 ? r->json->end_line : r->json->members[parent].end_line;
  if (!m)
    return tsr_refuse(r->err, "%s:%d: key '%s'%s is missing", r->name, end, key,
                      parent < 0 ? "" : " of memory");
  if (m->kind != TSR__JSON_NUMBER)
    return tsr_refuse(r->err, "%s:%d: %s must be a whole number", r->name, m->line, key);
  if (m->number < smallest || m->number > largest)
    return tsr_refuse(r->err, "%s:%d: %s is %" PRId64 ", outside of %d to %d", r->name, m->line,
                      key, m->number, smallest, largest);
  *out = (int)m->number;
  return TSR_OK;
}

static enum tsr_status read_keys(const struct reader *r, struct tsr_design *d)
{
  for (int i = 0; i < KEYS; i++) {
    int v = 0;
    if (read_number(r, -1, keys[i].name, keys[i].smallest, keys[i].largest, &v))
      return TSR_REFUSED;
    memcpy((char *)d + keys[i].member, &v, sizeof v);
  }
  return TSR_OK;
}

/* Refuses keys of memory that its model has not. */
static enum tsr_status check_model_keys(const struct reader *r, int memory, const char *model,
                                        const char *const *names, int n)
{
  for (int i = 0; i < r->json->count; i++) {
    const struct tsr__json_member *m = &r->json->members[i];
    if (m->parent == memory && !is_among(m->key, names, n))
      return tsr_refuse(r->err, "%s:%d: memory of model '%s' has no '%s'", r->name, m->line, model,
                        m->key);
  }
  return TSR_OK;
}

static enum tsr_status read_limit(const struct reader *r, int memory, const char *key, int *out)
{
  if (!tsr__json_find(r->json, memory, key))
    return TSR_OK;
  return read_number(r, memory, key, 1, MOST_IN_FLIGHT, out);
}

static enum tsr_status read_limits(const struct reader *r, int memory, struct tsr_design *d)
{
  if (read_limit(r, memory, "reads", &d->memory.reads))
    return TSR_REFUSED;
  return read_limit(r, memory, "writes", &d->memory.writes);
}

static enum tsr_status read_simple(const struct reader *r, int memory, struct tsr_design *d)
{
  static const char *const names[] = {"model", "latency_cycles", "bytes_per_cycle", "reads",
                                      "writes"};
  d->memory.model = TSR_MEMORY_SIMPLE;
  if (check_model_keys(r, memory, "simple", names, 5) ||
      read_number(r, memory, "latency_cycles", 0, 100000, &d->memory.latency_cycles) ||
      read_number(r, memory, "bytes_per_cycle", 1, 4096, &d->memory.bytes_per_cycle))
    return TSR_REFUSED;
  return read_limits(r, memory, d);
}

static enum tsr_status read_ideal(const struct reader *r, int memory, struct tsr_design *d)
{
  static const char *const names[] = {"model"};
  d->memory.model = TSR_MEMORY_IDEAL;
  return check_model_keys(r, memory, "ideal", names, 1);
}

/* The parameters of a set, if one is named. */
static enum tsr_status read_set(const struct reader *r, int memory, struct tsr_ddr *out)
{
  const struct tsr__json_member *m = tsr__json_find(r->json, memory, "set");
  if (!m)
    return TSR_OK;
  if (m->kind != TSR__JSON_STRING)
    return tsr_refuse(r->err, "%s:%d: set of memory must be a name, such as \"%s\"", r->name,
                      m->line, tsr_ddr_set_names()[0]);
  const struct tsr_ddr *set = tsr_ddr_set(m->string);
  if (set) {
    *out = *set;
    return TSR_OK;
  }
  const char *const *names = tsr_ddr_set_names();
  int n = 0;
  while (names[n])
    n++;
  const char *near = tsr_nearest(m->string, names, n);
  if (near)
    return tsr_refuse(r->err, "%s:%d: memory has no set '%s'; did you mean '%s'?", r->name, m->line,
                      m->string, near);
  return tsr_refuse(r->err, "%s:%d: memory has no set '%s'; docs/dram.md lists the sets", r->name,
                    m->line, m->string);
}

static enum tsr_status read_order(const struct reader *r, int memory, enum tsr_ddr_order *out)
{
  const struct tsr__json_member *m = tsr__json_find(r->json, memory, "order");
  *out = TSR_DDR_FRFCFS;
  if (!m)
    return TSR_OK;
  for (int k = TSR_DDR_FCFS; k <= TSR_DDR_FRFCFS; k++)
    if (m->kind == TSR__JSON_STRING && !strcmp(m->string, tsr_ddr_order_names[k])) {
      *out = (enum tsr_ddr_order)k;
      return TSR_OK;
    }
  return tsr_refuse(r->err, "%s:%d: order of memory must be \"fcfs\" or \"frfcfs\"", r->name,
                    m->line);
}

/* What stands in the file goes before the set's; without a set all of it has to. */
static enum tsr_status read_ddr_keys(const struct reader *r, int memory, struct tsr_ddr *ddr)
{
  bool needed = !tsr__json_find(r->json, memory, "set");
#define TSR_DDR_KEY(key, smallest, largest, unit, meaning)                                         \
  if ((needed || tsr__json_find(r->json, memory, #key)) &&                                         \
      read_number(r, memory, #key, smallest, largest, &ddr->key))                                  \
    return TSR_REFUSED;
#include "configs/ddr.def"
#undef TSR_DDR_KEY
  return TSR_OK;
}

/* Where the parameter stands that is wrong; of a set's: where memory does. */
static enum tsr_status check_ddr(const struct reader *r, int memory, const struct tsr_ddr *ddr)
{
  const char *key;
  if (!tsr_ddr_check(r->err, ddr, &key))
    return TSR_OK;
  const struct tsr__json_member *m = tsr__json_find(r->json, memory, key);
  return tsr_refuse_at(r->err, "%s:%d", r->name, m ? m->line : r->json->members[memory].line);
}

static enum tsr_status read_ddr(const struct reader *r, int memory, struct tsr_design *d)
{
  const struct tsr__json_member *m = tsr__json_find(r->json, memory, "bytes_per_cycle");
  d->memory.model = TSR_MEMORY_DDR;
  if (m)
    return tsr_refuse(r->err, "%s:%d: memory of model 'ddr' has no 'bytes_per_cycle'", r->name,
                      m->line);
  if (read_number(r, memory, "latency_cycles", 1, 100000, &d->memory.latency_cycles) ||
      read_set(r, memory, &d->memory.ddr) || read_order(r, memory, &d->memory.ddr.order) ||
      read_ddr_keys(r, memory, &d->memory.ddr) || read_limits(r, memory, d))
    return TSR_REFUSED;
  return check_ddr(r, memory, &d->memory.ddr);
}

static enum tsr_status read_memory(const struct reader *r, struct tsr_design *d)
{
  static enum tsr_status (*const read[])(const struct reader *, int, struct tsr_design *) = {
      read_ideal, read_simple, read_ddr};
  const struct tsr__json_member *m = tsr__json_find(r->json, -1, "memory");
  if (!m)
    return tsr_refuse(r->err, "%s:%d: key 'memory' is missing", r->name, r->json->end_line);
  if (m->kind != TSR__JSON_OBJECT)
    return tsr_refuse(r->err, "%s:%d: memory must be an object, such as {\"model\": \"ideal\"}",
                      r->name, m->line);
  int memory = (int)(m - r->json->members);
  const struct tsr__json_member *model = tsr__json_find(r->json, memory, "model");
  if (!model)
    return tsr_refuse(r->err, "%s:%d: key 'model' of memory is missing", r->name, m->end_line);
  for (int k = TSR_MEMORY_IDEAL; k <= TSR_MEMORY_DDR; k++)
    if (model->kind == TSR__JSON_STRING && !strcmp(model->string, tsr_memory_model_names[k]))
      return read[k](r, memory, d);
  return tsr_refuse(r->err, "%s:%d: model of memory must be \"ideal\", \"simple\" or \"ddr\"",
                    r->name, model->line);
}

static int line_of(const struct reader *r, const char *key)
{
  return tsr__json_find(r->json, -1, key)->line;
}

/* A scratchpad holds whole entries, at least `least` and no more than an index reaches. */
static enum tsr_status check_depth(const struct reader *r, const char *key, int size_bytes,
                                   int unit_bytes, const char *unit, int entry_bytes, int least)
{
  int line = line_of(r, key);
  if (size_bytes % unit_bytes)
    return tsr_refuse(r->err, "%s:%d: %s is %d, no multiple of %d, the bytes of %s", r->name, line,
                      key, size_bytes, unit_bytes, unit);
  int depth = size_bytes / entry_bytes;
  if (depth < least || depth > LARGEST_DEPTH)
    return tsr_refuse(r->err,
                      "%s:%d: %s is %d, which is %d entries of %d bytes, outside of %d to %d "
                      "entries",
                      r->name, line, key, size_bytes, depth, entry_bytes, least, LARGEST_DEPTH);
  return TSR_OK;
}

static enum tsr_status check_scratchpads(const struct reader *r, const struct tsr_design *d)
{
  int vector = d->batch * d->block_out, tile = d->block_in * d->block_out;
  if (check_depth(r, "uop_bytes", d->uop_bytes, TSR_UOP_BYTES, "a micro-op", TSR_UOP_BYTES, 8) ||
      check_depth(r, "inp_bytes", d->inp_bytes, vector, "an entry", vector, SMALLEST_DEPTH) ||
      check_depth(r, "wgt_bytes", d->wgt_bytes, tile, "an entry", tile, SMALLEST_DEPTH) ||
      check_depth(r, "acc_bytes", d->acc_bytes, 8 * vector, "an entry in each of two banks",
                  4 * vector, 16) ||
      check_depth(r, "out_bytes", d->out_bytes, vector, "an entry", vector, SMALLEST_DEPTH))
    return TSR_REFUSED;
  return check_depth(r, "lut_bytes", d->lut_bytes, TSR_LUT_BYTES, "a table", TSR_LUT_BYTES, 1);
}

static enum tsr_status check_axi(const struct reader *r, const struct tsr_design *d)
{
  int line = line_of(r, "axi_data_bits"), beat = tsr_design_beat(d);
  if (d->axi_data_bits & (d->axi_data_bits - 1))
    return tsr_refuse(r->err, "%s:%d: axi_data_bits is %d, no power of two", r->name, line,
                      d->axi_data_bits);
  if (tsr_design_lanes(d) % beat)
    return tsr_refuse(r->err,
                      "%s:%d: axi_data_bits is %d, so a beat has %d bytes, which must divide "
                      "batch*block_in, %d, for every entry to start on a beat",
                      r->name, line, d->axi_data_bits, beat, tsr_design_lanes(d));
  if (d->block_in * d->block_out % beat)
    return tsr_refuse(r->err,
                      "%s:%d: axi_data_bits is %d, so a beat has %d bytes, which must divide "
                      "block_in*block_out, %d, for every weight tile to start on a beat",
                      r->name, line, d->axi_data_bits, beat, d->block_in * d->block_out);
  if (beat * d->axi_burst_beats > AXI_BOUNDARY_BYTES)
    return tsr_refuse(r->err,
                      "%s:%d: axi_burst_beats is %d, at %d bytes a beat more than the %d bytes "
                      "that an AXI burst may cover",
                      r->name, line_of(r, "axi_burst_beats"), d->axi_burst_beats, beat,
                      AXI_BOUNDARY_BYTES);
  return TSR_OK;
}

static enum tsr_status check_rules(const struct reader *r, const struct tsr_design *d)
{
  if (d->block_in != d->block_out)
    return tsr_refuse(r->err, "%s:%d: block_out is %d and block_in is %d; they must be equal",
                      r->name, line_of(r, "block_out"), d->block_out, d->block_in);
  if (check_axi(r, d))
    return TSR_REFUSED;
  return check_scratchpads(r, d);
}

static uint64_t hash_of(const struct tsr_design *d)
{
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (int i = 0; i < KEYS; i++) {
    char line[80];
    if (!keys[i].hashed)
      continue;
    snprintf(line, sizeof line, "%s=%d\n", keys[i].name, get(d, &keys[i]));
    for (const char *p = line; *p; p++)
      hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
  }
  return hash;
}

/* "configs/tiny.json" is called "tiny". */
static void take_name(struct tsr_design *d, const char *path)
{
  const char *slash = strrchr(path, '/');
  const char *base = slash ? slash + 1 : path;
  size_t n = strlen(base);
  if (n > 5 && !strcmp(base + n - 5, ".json"))
    n -= 5;
  if (n > sizeof d->name - 1)
    n = sizeof d->name - 1;
  memcpy(d->name, base, n);
  d->name[n] = 0;
}

enum tsr_status tsr_design_parse(struct tsr_err *err, const char *name, const char *text,
                                 struct tsr_design *out)
{
  struct tsr__json json;
  struct reader r = {err, name, &json};
  struct tsr_design d = {0};
  if (tsr__json_parse(err, name, text, &json) || check_names(&r) || read_keys(&r, &d) ||
      read_memory(&r, &d) || check_rules(&r, &d))
    return TSR_REFUSED;
  take_name(&d, name);
  d.hash = hash_of(&d);
  *out = d;
  return TSR_OK;
}

const char *tsr_design_difference(struct tsr_arena *arena, const struct tsr_design *here,
                                  const struct tsr_design *there)
{
  for (int i = 0; i < KEYS; i++)
    if (get(here, &keys[i]) != get(there, &keys[i]))
      return tsr_arena_printf(arena, "%s is %d here and %d there", keys[i].name,
                              get(here, &keys[i]), get(there, &keys[i]));
  return NULL;
}

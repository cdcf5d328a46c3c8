/* SPDX-License-Identifier: Apache-2.0 */
/* Design points of the public interface. */
#include <string.h>

#include "configs/design.h"
#include "hw/sim/rtl/verilog.h"
#include "runtime/api.h"

struct tessera_config {
  struct tsr_arena *arena;
  struct tsr_design design;
};

const char *tessera_config_name(int k)
{
  return tsr_design_names()[k];
}

struct opening {
  const char *name;
  struct tessera_config *config;
};

static enum tsr_status open_config(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct opening *o = context;
  o->config = TSR_NEW(arena, struct tessera_config);
  o->config->arena = arena;
  return tsr_design_open(arena, err, o->name, &o->config->design);
}

enum tessera_status tessera_config_open(struct tessera *t, const char *name_or_path,
                                        struct tessera_config **out)
{
  struct opening o = {name_or_path, NULL};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, open_config, &o, &owner);
  if (!status)
    *out = o.config;
  return status;
}

void tessera_config_free(struct tessera_config *config)
{
  if (config)
    tsr_arena_free(config->arena);
}

uint64_t tessera_config_hash(const struct tessera_config *config)
{
  return config->design.hash;
}

bool tessera_config_key(const struct tessera_config *config, int k, struct tessera_config_key *out)
{
  const struct tsr_design *d = &config->design;
  const struct tessera_config_key keys[] = {
#define TSR_KEY(key, smallest, largest, unit, meaning) {#key, unit, meaning, d->key},
#include "configs/keys.def"
#undef TSR_KEY
  };
  if (k < 0 || (size_t)k >= sizeof keys / sizeof keys[0])
    return false;
  *out = keys[k];
  return true;
}

const char *tessera_config_memory_model(const struct tessera_config *config)
{
  return tsr_memory_model_names[config->design.memory.model];
}

const char *tessera_config_memory_order(const struct tessera_config *config)
{
  const struct tsr_design *d = &config->design;
  if (d->memory.model != TSR_MEMORY_DDR)
    return NULL;
  return tsr_ddr_order_names[d->memory.ddr.order];
}

/* Those that the point's memory has: of the models, and of limits where there is one. */
bool tessera_config_memory_key(const struct tessera_config *config, int k,
                               struct tessera_config_key *out)
{
  const struct tsr_design *d = &config->design;
  bool ideal = d->memory.model == TSR_MEMORY_IDEAL, ddr = d->memory.model == TSR_MEMORY_DDR;
  const struct {
    bool has;
    struct tessera_config_key key;
  } keys[] = {
      {!ideal, {"latency_cycles", "cycles", "that the memory adds", d->memory.latency_cycles}},
      {!ideal && !ddr,
       {"bytes_per_cycle", "bytes", "that the memory moves", d->memory.bytes_per_cycle}},
      {d->memory.reads, {"reads", "bursts", "of reads in flight at most", d->memory.reads}},
      {d->memory.writes, {"writes", "bursts", "of writes in flight at most", d->memory.writes}},
#define TSR_DDR_KEY(key, smallest, largest, unit, meaning)                                         \
  {ddr, {#key, unit, meaning, d->memory.ddr.key}},
#include "configs/ddr.def"
#undef TSR_DDR_KEY
  };
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (keys[i].has && k-- == 0) {
      *out = keys[i].key;
      return true;
    }
  return false;
}

struct writing {
  const struct tsr_design *design;
  char *text;
};

static enum tsr_status write_verilog(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct writing *w = context;
  (void)err;
  w->text = tsr_rtl_verilog(arena, w->design);
  return TSR_OK;
}

enum tessera_status tessera_config_verilog(struct tessera *t, const struct tessera_config *config,
                                           struct tessera_bytes *verilog)
{
  struct writing w = {&config->design, NULL};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, write_verilog, &w, &owner);
  if (!status)
    *verilog = (struct tessera_bytes){(unsigned char *)w.text, strlen(w.text), owner};
  return status;
}

struct importing {
  const char *name, *text;
  char *json;
};

static enum tsr_status import_vta(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct importing *i = context;
  return tsr_design_import_vta(arena, err, i->name, i->text, &i->json);
}

enum tessera_status tessera_config_import_vta(struct tessera *t, const char *name, const char *text,
                                              struct tessera_bytes *json)
{
  struct importing i = {name, text, NULL};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, import_vta, &i, &owner);
  if (!status)
    *json = (struct tessera_bytes){(unsigned char *)i.json, strlen(i.json), owner};
  return status;
}

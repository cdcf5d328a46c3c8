/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations of the public interface: a layer's schedule, taken apart. */
#include <string.h>

#include "compiler/target/accel/explain.h"
#include "isa/isa.h"
#include "runtime/api.h"
#include "runtime/profile/profile.h"
#include "runtime/reasons.h"
#include "verify/check.h"

struct explaining {
  struct tsr_arena *arena;
  const struct tsr_module *module;
  const struct tsr_module_layer *layer;
  uint64_t bound_cycles;
  const struct tessera_profile *profile; /* or NULL */
  struct tsr_accel_explanation found;
  struct tessera_explanation *out;
};

static bool decode(const struct explaining *x, size_t k, struct tsr_insn *insn)
{
  const uint8_t *word = x->module->insns + (x->layer->first_insn + k) * TSR_INSN_BYTES;
  return tsr_insn_decode(word, insn) == TSR_TRAP_NONE;
}

/* --- tiles and instructions ------------------------------------------------------------------- */

static void put_tiles(struct explaining *x)
{
  const struct tsr_accel_explanation *f = &x->found;
  size_t n = f->tiles < TSR_ACCEL_MOST_TILES ? f->tiles : TSR_ACCEL_MOST_TILES;
  struct tessera_tile *list = TSR_NEW_ARRAY(x->arena, struct tessera_tile, n + 1);
  for (size_t k = 0; k < n; k++) {
    memcpy(list[k].at, f->tile[k].at, sizeof list[k].at);
    memcpy(list[k].size, f->tile[k].size, sizeof list[k].size);
  }
  x->out->tiles = f->tiles;
  x->out->tiles_listed = n;
  x->out->tile = list;
}

/* Of a result that is resident nothing is stored: its first tile ends where the first of it is in INP, and the
 * matrix engine, or the layer, goes on. */
static const char *first_tile(const struct explaining *x)
{
  const struct tir_func *func = x->layer->func;
  bool resident = func->param[func->inputs]->scope == TIR_INP, made = false, ends = false;
  struct tsr_text text = {.arena = x->arena};
  struct tsr_insn insn;
  for (size_t k = 0; k < x->layer->insns && !ends && decode(x, k, &insn); k++) {
    int engine = tsr_insn_engine(&insn);
    if (resident && made && engine == TSR_ENGINE_MATRIX)
      break;
    tsr_text_add(&text, "%s\n", tsr_insn_text(x->arena, &insn));
    made |= engine == TSR_ENGINE_VECTOR && insn.loop.dst == TSR_DST_INP;
    ends = insn.opcode == TSR_OP_STORE;
  }
  return text.data ? text.data : "";
}

/* --- buffers ---------------------------------------------------------------------------------- */

static const char *copy_of(const struct explaining *x, const char *text)
{
  return text ? tsr_arena_strdup(x->arena, text) : NULL;
}

/* The network's tensor that is parameter `name` of the layer's compute. */
static const char *tensor_of(const struct explaining *x, const char *name)
{
  const struct tir_func *func = x->layer->func;
  for (int k = 0; k < func->params && k < x->layer->args; k++)
    if (!strcmp(func->param[k]->name, name))
      return x->module->buffer[x->layer->arg[k]].name;
  return name;
}

static struct tessera_operand operand_of(const struct explaining *x,
                                         const struct tsr_accel_buffer *b)
{
  struct tessera_operand o = {
      .name = copy_of(x, b->buffer->name),
      .scratchpad = tir_scope_name(b->buffer->scope),
      .loop = copy_of(x, b->loop),
      .from = copy_of(x, b->computed || !b->from ? b->from : tensor_of(x, b->from)),
      .computed = b->computed,
      .resident = b->resident,
      .dtype = (enum tessera_dtype)b->buffer->dtype,
      .rank = b->buffer->rank,
      .copies = b->copies,
      .entries = b->entries,
      .bytes = (uint64_t)b->copies * b->entries * b->entry_bytes,
      .capacity_bytes = (uint64_t)b->room * b->entry_bytes,
  };
  memcpy(o.dims, b->buffer->dims, sizeof o.dims);
  return o;
}

static void put_operands(struct explaining *x)
{
  struct tessera_operand *list =
      TSR_NEW_ARRAY(x->arena, struct tessera_operand, x->found.buffers + 1);
  for (int k = 0; k < x->found.buffers; k++)
    list[k] = operand_of(x, &x->found.buffer[k]);
  x->out->operands = x->found.buffers;
  x->out->operand = list;
}

/* --- times ------------------------------------------------------------------------------------ */

/* Loop points of an engine's instructions. */
static double points_of(const struct explaining *x, int engine)
{
  double sum = 0;
  struct tsr_insn insn;
  for (size_t k = 0; k < x->layer->insns; k++)
    if (decode(x, k, &insn) && tsr_insn_engine(&insn) == engine && insn.opcode != TSR_OP_SYNC)
      sum += (double)tsr_check_loop_points(&insn);
  return sum;
}

static void put_engines(struct explaining *x)
{
  const struct tsr_design *d = &x->module->design;
  const struct tsr_module_layer *l = x->layer;
  double peak = (double)tsr_design_lanes(d) * d->block_in;
  double matrix = points_of(x, TSR_ENGINE_MATRIX), vector = points_of(x, TSR_ENGINE_VECTOR);
  double most = (double)l->least_cycles;
  const struct tessera_engine_time all[] = {
      {"matrix", "products of a tile, one a cycle", matrix > 0 ? (double)l->macs / peak : 0,
       matrix},
      {"vector", "vector steps, one a cycle", vector < most ? vector : most, vector},
      {"load", "bytes read", tsr_profile_memory_cycles(d, l->least_read_bytes, 0),
       tsr_profile_memory_cycles(d, l->dram_read_bytes, 0)},
      {"store", "bytes written", tsr_profile_memory_cycles(d, 0, l->least_write_bytes),
       tsr_profile_memory_cycles(d, 0, l->dram_write_bytes)},
      {"pins", "bytes read and written, through the pins of the memory",
       tsr_profile_memory_cycles(d, l->least_read_bytes, l->least_write_bytes),
       tsr_profile_memory_cycles(d, l->dram_read_bytes, l->dram_write_bytes)}};
  enum { LOAD = 2, STORE, PINS };
  bool pins = all[PINS].cycles > all[LOAD].cycles && all[PINS].cycles > all[STORE].cycles;
  x->out->engine = tsr_arena_copy(x->arena, all, sizeof all);
  x->out->engines = pins ? PINS + 1 : PINS;
}

/* --- all of it -------------------------------------------------------------------------------- */

static struct tessera_explanation *head_of(struct explaining *x)
{
  const struct tsr_module_layer *l = x->layer;
  struct tessera_explanation *e = TSR_NEW(x->arena, struct tessera_explanation);
  *e = (struct tessera_explanation){
      .name = copy_of(x, l->name),
      .op = copy_of(x, l->op),
      .schedule = copy_of(x, l->schedule),
      .loops_before = x->found.before,
      .loops = x->found.after,
      .first_tile = first_tile(x),
      .rank = x->found.rank,
      .macs = l->macs,
      .found_cycles = l->found_cycles,
      .bound_cycles = x->bound_cycles,
      .read_bytes = l->dram_read_bytes,
      .write_bytes = l->dram_write_bytes,
      .least_read_bytes = l->least_read_bytes,
      .least_write_bytes = l->least_write_bytes,
  };
  memcpy(e->dims, x->found.dims, sizeof e->dims);
  return e;
}

static enum tsr_status explain(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct explaining *x = context;
  const struct tsr_module_layer *l = x->layer;
  x->arena = arena;
  if (!l->schedule)
    return tsr_refuse(err, "layer '%s' runs on the CPU: %s", l->name,
                      l->reason ? l->reason : "no reason was given");
  enum tsr_status status =
      tsr_accel_explain(arena, err, &x->module->design, l->func, l->schedule, &x->found);
  if (status)
    return tsr_refuse_at(err, "layer '%s'", l->name);
  x->out = head_of(x);
  put_tiles(x);
  put_operands(x);
  put_engines(x);
  const struct tessera_profile_layer *layer = x->profile ? tsr_profile_layer(x->profile, l->name)
                                                         : NULL;
  if (layer)
    tsr__give_reasons(arena, layer, x->out);
  return TSR_OK;
}

enum tessera_status tessera_model_explain(struct tessera *t, const struct tessera_model *model,
                                          int k, const struct tessera_profile *profile,
                                          const struct tessera_explanation **out)
{
  const struct tsr_module *m = model->module;
  struct tessera_layer layer;
  struct tsr_arena *owner;
  tessera_model_layer(model, k, &layer);
  struct explaining x = {
      .module = m, .layer = &m->layer[k], .bound_cycles = layer.bound_cycles, .profile = profile};
  enum tessera_status status = tsr__call(t, explain, &x, &owner);
  if (status)
    return status;
  x.out->owner = owner;
  *out = x.out;
  return TESSERA_OK;
}

void tessera_explanation_free(const struct tessera_explanation *explanation)
{
  if (explanation)
    tsr_arena_free(explanation->owner);
}

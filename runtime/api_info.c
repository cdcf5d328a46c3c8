/* SPDX-License-Identifier: Apache-2.0 */
/* What a model is, for people and programs: its ports and its layer table. */
#include <math.h>
#include <string.h>

#include "runtime/api.h"
#include "runtime/profile/profile.h"

void tessera_model_info(const struct tessera_model *model, struct tessera_model_info *out)
{
  const struct tsr_module *m = model->module;
  *out = (struct tessera_model_info){
    .name = m->name,
    .config = m->design.name,
    .design_hash = m->design.hash,
    .inputs = m->inputs,
    .outputs = m->outputs,
    .layers = m->layers,
    .clock_mhz = m->design.clock_mhz,
    .instructions = m->insn_count,
    .window_bytes = m->window_bytes,
    .image_bytes = m->image_bytes,
    .host_bytes = model->memory.bytes,
    .host_separate_bytes = model->memory.separate_bytes,
    .packaged = model->packaged,
  };
  for (int i = 0; i < m->steps; i++)
    out->streams += m->step[i].kind == TSR_STEP_ACCEL;
}

static void port_of(const struct tsr_module_buffer *b, struct tessera_port *out)
{
  *out = (struct tessera_port){.name = b->name, .dtype = (enum tessera_dtype)b->dtype,
                               .rank = b->rank};
  memcpy(out->dims, b->dims, sizeof out->dims);
}

void tessera_model_input(const struct tessera_model *model, int k, struct tessera_port *out)
{
  port_of(&model->module->buffer[model->module->input[k]], out);
}

void tessera_model_output(const struct tessera_model *model, int k, struct tessera_port *out)
{
  port_of(&model->module->buffer[model->module->output[k]], out);
}

/* --- quantization steps ----------------------------------------------------------------------- */

/* The layer that writes a buffer; NULL: none. */
static const struct tsr_module_layer *writer_of(const struct tsr_module *m, int buffer)
{
  for (int i = 0; i < m->layers; i++)
    for (int k = m->layer[i].func->inputs; k < m->layer[i].args; k++)
      if (m->layer[i].arg[k] == buffer)
        return &m->layer[i];
  return NULL;
}

static bool only_moves(const struct tsr_module_layer *l)
{
  static const char *const movers[] = {"Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze",
                                       "Identity"};
  for (size_t i = 0; i < sizeof movers / sizeof movers[0]; i++)
    if (!strcmp(l->op, movers[i]))
      return true;
  return false;
}

/* The scale of the DequantizeLinear that a layer ends in: the float that its last stage multiplies by. */
static tir_e scale_of(tir_e x)
{
  if (x->op == TIR_LOAD)
    return x->dtype == TSR_F32 && tsr_count(x->buffer->dims, x->buffer->rank, 4) == 1 ? x : NULL;
  tir_e found = NULL;
  for (int k = 0; k < x->args && !found; k++)
    found = scale_of(x->arg[k]);
  return found;
}

static const struct tsr_module_buffer *step_of(const struct tsr_module *m,
                                               const struct tsr_module_layer *l)
{
  const char *last = strrchr(l->op, '+');
  if (strcmp(last ? last + 1 : l->op, "DequantizeLinear") || !l->func->stages)
    return NULL;
  tir_e scale = scale_of(l->func->stage[l->func->stages - 1]->value);
  for (int k = 0; k < l->func->inputs && scale; k++)
    if (l->func->param[k] == scale->buffer)
      return &m->buffer[l->arg[k]];
  return NULL;
}

double tessera_model_output_step(const struct tessera_model *model, int k)
{
  const struct tsr_module *m = model->module;
  const struct tsr_module_layer *l = writer_of(m, m->output[k]);
  for (int steps = 0; l && only_moves(l) && l->args && steps < m->layers; steps++)
    l = writer_of(m, l->arg[0]);
  const struct tsr_module_buffer *scale = l ? step_of(m, l) : NULL;
  if (!scale || !scale->data || scale->on_device)
    return 0;
  float step;
  memcpy(&step, scale->data, sizeof step);
  return (double)step;
}

/* --- layers ----------------------------------------------------------------------------------- */

void tessera_model_layer(const struct tessera_model *model, int k, struct tessera_layer *out)
{
  const struct tsr_module *m = model->module;
  const struct tsr_module_layer *l = &m->layer[k];
  *out = (struct tessera_layer){
    .name = l->name,
    .op = l->op,
    .nodes = l->nodes,
    .target = l->target,
    .reason = l->reason,
    .schedule = l->schedule,
    .macs = l->macs,
    .instructions = l->insns,
    .dram_read_bytes = l->dram_read_bytes,
    .dram_write_bytes = l->dram_write_bytes,
    .found_cycles = l->found_cycles,
    .bound_cycles = (uint64_t)ceil(tsr_profile_bound(&m->design, l)),
  };
  if (l->func->inputs < l->args) {
    const struct tsr_module_buffer *b = &m->buffer[l->arg[l->func->inputs]];
    out->rank = b->rank;
    memcpy(out->dims, b->dims, sizeof out->dims);
  }
}

/* Is it one of the names "conv1, relu1"? */
static bool is_one_of(const char *names, const char *name)
{
  size_t size = strlen(name);
  for (const char *at = names; at && size && (at = strstr(at, name)); at++) {
    bool begins = at == names || (at - names >= 2 && !strncmp(at - 2, ", ", 2));
    if (begins && (!at[size] || !strncmp(at + size, ", ", 2)))
      return true;
  }
  return false;
}

static enum tsr_status no_layer(struct tsr_arena *arena, struct tsr_err *err,
                                const struct tsr_module *m, const char *name)
{
  const char **names = TSR_NEW_ARRAY(arena, const char *, m->layers), *near = NULL;
  for (int k = 0; k < m->layers; k++) {
    if (is_one_of(m->layer[k].nodes, name))
      return tsr_refuse(err, "'%s' has no layer '%.80s'; layer '%.80s' computes that node", m->name,
                        name, m->layer[k].name);
    names[k] = m->layer[k].name;
    if (!near && *name && strstr(names[k], name))
      near = names[k];
  }
  near = near ? near : tsr_nearest(name, names, m->layers);
  if (near)
    return tsr_refuse(err, "'%s' has no layer '%.80s'; did you mean '%s'?", m->name, name, near);
  return tsr_refuse(err, "'%s' has no layer '%.80s'; `tessera info` lists its layers", m->name,
                    name);
}

enum tsr_status tsr__find_layer(struct tsr_arena *arena, struct tsr_err *err,
                                const struct tsr_module *m, const char *name, int *out)
{
  for (int k = 0; k < m->layers; k++)
    if (!strcmp(m->layer[k].name, name)) {
      *out = k;
      return TSR_OK;
    }
  return no_layer(arena, err, m, name);
}

struct finding {
  const struct tsr_module *module;
  const char *name;
  int *out;
};

static enum tsr_status find(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  const struct finding *f = context;
  return tsr__find_layer(arena, err, f->module, f->name, f->out);
}

enum tessera_status tessera_model_find_layer(struct tessera *t, const struct tessera_model *model,
                                             const char *name, int *out)
{
  struct finding f = {model->module, name, out};
  return tsr__call(t, find, &f, NULL);
}

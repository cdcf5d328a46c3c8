/* SPDX-License-Identifier: Apache-2.0 */
/* What layers wrote, against their references.
 *
 * Memory is used again within a run, so that little of what layers read is left when it is done.
 * Layers on the CPU and on the GPU are computed a second time, each into memory of its own. Scratchpads are used
 * again, too: what a stream keeps there between layers is their references', and is checked by what is made of it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "runtime/executor_private.h"
#include "runtime/near.h"

struct check {
  void **place; /* by buffer: what is on the host, as it was in the run */
  int layer;    /* at hand */
  struct tsr_difference *out;
  void **params; /* what the layer read, and what its reference computes */
};

/* What a layer read, or wrote. */
static enum tsr_status actual(struct tsr_executor *x, struct tsr_arena *scratch,
                              struct tsr_err *err, const struct check *c, int index, void **out)
{
  const struct tsr_module_buffer *b = &x->module->buffer[index];
  *out = c->place[index];
  if (!x->device || !b->on_device)
    return TSR_OK;
  *out = tsr_arena_alloc(scratch, tsr__buffer_bytes(b) + 1);
  return tsr__fetch(x, err, index, *out);
}

static const char *element_text(struct tsr_arena *scratch, const struct tsr_module_buffer *b,
                                const void *data, int64_t i)
{
  struct tsr_tensor t = {.dtype = b->dtype, .rank = b->rank, .data = (void *)(uintptr_t)data};
  memcpy(t.dims, b->dims, sizeof t.dims);
  if (tsr_dtype_kind(b->dtype) == TSR_KIND_FLOAT)
    return tsr_arena_printf(scratch, "%.9g", tsr_get_float(&t, i));
  return tsr_arena_printf(scratch, "%" PRId64, tsr_get_int(&t, i));
}

/* How far floats may be off, as a part of the norm. A unit more or less in the last place is what the
 * rounding of a half may be moved by. */
static double limit_of(const struct tsr_executor *x, int layer, enum tsr_dtype dtype)
{
  static const double limits[TSR_DTYPE_COUNT] = {
      [TSR_BF16] = 0x1p-7, [TSR_F16] = 0x1p-10, [TSR_F32] = 1e-5, [TSR_F64] = 1e-9};
  int bits = tsr_executor_operand_bits(x, layer);
  return bits && limits[dtype] < ldexp(1, 1 - bits) ? ldexp(1, 1 - bits) : limits[dtype];
}

/* Machine code and GPUs add up and compute functions of floats in another way than the interpreter. */
static bool is_free(const struct tsr_executor *x, int layer)
{
  return tsr_executor_is_native(x, layer) || tsr_executor_place(x, layer) == TSR_PLACE_GPU;
}

static bool may_differ(const struct tsr_executor *x, int layer, const struct tsr_module_buffer *b,
                       const void *expected, const void *found)
{
  if (!is_free(x, layer))
    return false;
  if (b->dtype == TSR_BOOL)
    return tsr__is_as_true(b, expected, found);
  return tsr_dtype_kind(b->dtype) == TSR_KIND_FLOAT &&
         tsr__is_near(b, limit_of(x, layer, b->dtype), expected, found);
}

static const char *place_name(const struct tsr_executor *x, int layer)
{
  static const char *const names[] = {"accel", "cpu", "cuda"};
  return names[tsr_executor_place(x, layer)];
}

/* Is machine code the reference? Only of a GPU, and where there is some: it is what the CPU's own
 * check is about. */
static bool by_machine_code(const struct tsr_executor *x, int layer)
{
  return tsr_executor_place(x, layer) == TSR_PLACE_GPU && tsr_executor_is_native(x, layer);
}

static enum tsr_status reference(struct tsr_executor *x, struct tsr_arena *scratch,
                                 struct tsr_err *err, int layer, void **params)
{
  struct tir_code *code;
  if (by_machine_code(x, layer) &&
      !tsr__native_layer(&x->native, layer)(params, x->native.scratch, x->native.threads))
    return TSR_OK;
  enum tsr_status status = tsr__compile_layer(scratch, err, &x->module->layer[layer], &code);
  return status ? status : tir_code_run(code, scratch, err, params);
}

/* The reference of inputs that are `sign` times the limit larger: of floats that are no constants. */
static enum tsr_status nudged(struct tsr_executor *x, struct tsr_arena *scratch,
                              struct tsr_err *err, const struct check *c, int sign, void ***out)
{
  const struct tsr_module_layer *l = &x->module->layer[c->layer];
  void **params = TSR_NEW_ARRAY(scratch, void *, l->args);
  for (int k = 0; k < l->args; k++) {
    const struct tsr_module_buffer *b = &x->module->buffer[l->arg[k]];
    bool input = k < l->func->inputs;
    params[k] = c->params[k];
    if (input && (tsr__constant(x->module, b) || tsr_dtype_kind(b->dtype) != TSR_KIND_FLOAT))
      continue;
    params[k] = tsr_arena_alloc(scratch, tsr__buffer_bytes(b) + 1);
    if (input)
      tsr__scale(b, 1 + sign * limit_of(x, c->layer, b->dtype), c->params[k], params[k]);
  }
  *out = params;
  return reference(x, scratch, err, c->layer, params);
}

/* Where sums of floats are rounded to steps, one that lies between two steps goes to either. Then the
 * reference goes to the other one when its inputs are a limit larger or smaller. */
static enum tsr_status look_between(struct tsr_executor *x, struct tsr_arena *scratch,
                                    struct tsr_err *err, const struct check *c, int k,
                                    const void *found, bool *out)
{
  const struct tsr_module_layer *l = &x->module->layer[c->layer];
  void **less, **more;
  *out = false;
  if (!is_free(x, c->layer) || !tsr__rounds(l->func))
    return TSR_OK;
  enum tsr_status status = nudged(x, scratch, err, c, -1, &less);
  status = status ? status : nudged(x, scratch, err, c, 1, &more);
  if (!status)
    *out = tsr__is_between(&x->module->buffer[l->arg[k]],
                           (const void *const[]){less[k], c->params[k], more[k]}, found);
  return status;
}

static enum tsr_status differ(struct tsr_executor *x, struct tsr_arena *scratch,
                              struct tsr_err *err, const struct check *c, int k, const void *found)
{
  struct tsr_difference *out = c->out;
  const struct tsr_module_layer *l = &x->module->layer[c->layer];
  const struct tsr_module_buffer *b = &x->module->buffer[l->arg[k]];
  const char *expected = c->params[k];
  size_t width = tsr_dtype_bytes(b->dtype), n = tsr__buffer_bytes(b) / width;
  *out = (struct tsr_difference){.layer = c->layer, .buffer = l->arg[k], .element = -1};
  for (size_t i = 0; i < n; i++) {
    if (!memcmp(expected + i * width, (const char *)found + i * width, width))
      continue;
    if (!out->differing++)
      out->element = (int64_t)i;
  }
  tsr_refuse(err,
             "layer '%s' (%s, on %s): element %" PRId64 " of '%s' is %s where the %s has %s; "
             "%" PRId64 " of %zu elements differ",
             l->name, l->op, place_name(x, c->layer), out->element, b->name,
             element_text(scratch, b, found, out->element),
             by_machine_code(x, c->layer) ? "CPU" : "interpreter",
             element_text(scratch, b, expected, out->element), out->differing, n);
  if (err)
    err->status = TSR_MISMATCH;
  return TSR_MISMATCH;
}

static enum tsr_status compare(struct tsr_executor *x, struct tsr_arena *scratch,
                               struct tsr_err *err, const struct check *c, int k)
{
  int index = x->module->layer[c->layer].arg[k];
  const struct tsr_module_buffer *b = &x->module->buffer[index];
  void *found;
  bool between;
  if (tsr_executor_place(x, c->layer) == TSR_PLACE_ACCEL && !b->on_device) {
    memcpy(c->place[index], c->params[k], tsr__buffer_bytes(b));
    return TSR_OK;
  }
  enum tsr_status status = actual(x, scratch, err, c, index, &found);
  if (status || !memcmp(c->params[k], found, tsr__buffer_bytes(b)) ||
      may_differ(x, c->layer, b, c->params[k], found))
    return status;
  status = look_between(x, scratch, err, c, k, found, &between);
  return status || between ? status : differ(x, scratch, err, c, k, found);
}

static enum tsr_status check_layer(struct tsr_executor *x, struct tsr_arena *scratch,
                                   struct tsr_err *err, void *context)
{
  struct check *c = context;
  const struct tsr_module_layer *l = &x->module->layer[c->layer];
  enum tsr_status status = TSR_OK;
  c->params = TSR_NEW_ARRAY(scratch, void *, l->args);
  for (int k = 0; k < l->args && !status; k++) {
    if (k < l->func->inputs)
      status = actual(x, scratch, err, c, l->arg[k], &c->params[k]);
    else
      c->params[k] = tsr_arena_alloc(scratch, tsr__buffer_bytes(&x->module->buffer[l->arg[k]]) + 1);
  }
  if (!status)
    status = reference(x, scratch, err, c->layer, c->params);
  for (int k = l->func->inputs; k < l->args && !status; k++)
    status = compare(x, scratch, err, c, k);
  return status;
}

static enum tsr_status compute_again(struct tsr_executor *x, struct tsr_arena *scratch,
                                     struct tsr_err *err, void *context)
{
  const struct check *c = context;
  const struct tsr_module_layer *l = &x->module->layer[c->layer];
  void **params = tsr__layer_params(scratch, x->module, c->layer, c->place);
  for (int k = 0; k < l->func->inputs; k++)
    if (tsr__fetch(x, err, l->arg[k], params[k]))
      return TSR_REFUSED;
  return tsr__compute_layer(x, err, (struct tsr__computation){c->layer, params});
}

/* Outputs of the run are those of layers that did not share memory. */
static enum tsr_status check_outputs(struct tsr_executor *x, struct tsr_err *err,
                                     const struct check *c)
{
  const struct tsr_module *m = x->module;
  for (int k = 0; k < m->outputs; k++) {
    int index = m->output[k];
    if (!memcmp(c->place[index], x->host[index], tsr__buffer_bytes(&m->buffer[index])))
      continue;
    c->out->buffer = index;
    tsr_refuse(err, "output '%s' of the run is not what its layers compute one by one",
               m->buffer[index].name);
    if (err)
      err->status = TSR_MISMATCH;
    return TSR_MISMATCH;
  }
  return TSR_OK;
}

/* Memory for all that layers on the CPU or the GPU write, and for what is in none. */
static void **place_results(const struct tsr_executor *x, struct tsr_arena *scratch)
{
  const struct tsr_module *m = x->module;
  void **place = tsr__place_gpu_results(x, scratch);
  for (int k = 0; k < m->buffers; k++)
    if (place[k] == x->host[k] && !tsr__constant_of(x, k) && (place[k] || !m->buffer[k].on_device))
      place[k] = tsr_arena_alloc(scratch, tsr__buffer_bytes(&m->buffer[k]) + 1);
  for (int k = 0; k < m->inputs; k++)
    place[m->input[k]] = x->host[m->input[k]];
  return place;
}

static enum tsr_status check_layers(struct tsr_executor *x, struct tsr_err *err, struct check *c,
                                    const struct tsr__work *w)
{
  const struct tsr_module *m = x->module;
  enum tsr_status status = TSR_OK;
  for (int i = 0; i < w->layers && !status; i++) {
    c->layer = w->layer[i];
    if (w->kind == TSR__CPU)
      status = tsr__with_scratch(x, err, compute_again, c);
    if (!status)
      status = tsr__with_scratch(x, err, check_layer, c);
  }
  for (c->layer = 0; w->kind == TSR__STREAM && c->layer < m->layers && !status; c->layer++)
    if (m->layer[c->layer].step == w->step)
      status = tsr__with_scratch(x, err, check_layer, c);
  return status;
}

static enum tsr_status check_all(struct tsr_executor *x, struct tsr_arena *scratch,
                                 struct tsr_err *err, void *context)
{
  struct check c = {.place = place_results(x, scratch), .out = context};
  enum tsr_status status = TSR_OK;
  for (int i = 0; i < x->works && !status; i++) {
    if (x->work[i].kind == TSR__GPU)
      status = tsr__gpu_replay(x->gpu, err, i, c.place);
    if (!status)
      status = check_layers(x, err, &c, &x->work[i]);
  }
  return status ? status : check_outputs(x, err, &c);
}

enum tsr_status tsr_executor_check(struct tsr_executor *x, struct tsr_err *err,
                                   struct tsr_difference *out)
{
  *out = (struct tsr_difference){.layer = -1};
  if (!x->ran)
    return tsr_refuse(err, "there is nothing to check before a run");
  if (x->timing_only)
    return tsr_refuse(err, "there is nothing to check of a run for timing only");
  return tsr__with_scratch(x, err, check_all, out);
}

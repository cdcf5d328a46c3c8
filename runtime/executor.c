/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/executor.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/package.h"
#include "verify/verify.h"

struct tsr_executor {
  const struct tsr_allocator *allocator;
  const struct tsr_module *module;
  struct tsr_device *device; /* NULL: no step needs one */
  void **host;               /* by buffer; for those on the device a copy, where the CPU uses it */
  struct tir_code **code;    /* by layer; NULL: runs on the device */
  bool ran, timing_only;
};

static size_t bytes_of(const struct tsr_module_buffer *b)
{
  return (size_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
}

/* --- opening ---------------------------------------------------------------------------------- */

static enum tsr_status compile_layer(struct tsr_arena *arena, struct tsr_err *err,
                                     const struct tsr_module_layer *l, struct tir_code **out)
{
  struct tir_program *program;
  enum tsr_status status = tir_lower(arena, err, tir_sched_new(arena, l->func), &program);
  if (!status)
    status = tir_code_new(arena, err, program, out);
  return status ? tsr_refuse_at(err, "layer '%s'", l->name) : TSR_OK;
}

void tsr_module_stream(const struct tsr_module *m, int step, struct tsr_program *out)
{
  const struct tsr_module_step *s = &m->step[step];
  *out = (struct tsr_program){
    .insns = m->insns + s->first_insn * TSR_INSN_BYTES,
    .insn_count = s->insns,
    .data = m->image,
    .data_bytes = m->image_bytes,
    .window_bytes = m->window_bytes,
    .design_hash = m->design.hash,
  };
}

static enum tsr_status verify_stream(struct tsr_arena *arena, struct tsr_err *err,
                                     const struct tsr_module *m, int step)
{
  struct tsr_program program;
  struct tsr_findings findings;
  tsr_module_stream(m, step, &program);
  tsr_verify(arena, &m->design, &program, &findings);
  if (!findings.count)
    return TSR_OK;
  return tsr_refuse(err,
                    "the stream of step %d does not pass the checker, which has %zu finding%s; the "
                    "first: %s",
                    step, findings.count, findings.count > 1 ? "s" : "", findings.list[0].text);
}

static enum tsr_status prepare_steps(struct tsr_arena *arena, struct tsr_err *err,
                                     struct tsr_executor *x)
{
  const struct tsr_module *m = x->module;
  for (int i = 0; i < m->steps; i++) {
    const struct tsr_module_step *s = &m->step[i];
    enum tsr_status status = s->kind == TSR_STEP_CPU
                               ? compile_layer(arena, err, &m->layer[s->layer], &x->code[s->layer])
                               : verify_stream(arena, err, m, i);
    if (status)
      return status;
  }
  return TSR_OK;
}

static void place_buffers(struct tsr_arena *arena, struct tsr_executor *x)
{
  const struct tsr_module *m = x->module;
  for (int i = 0; i < m->buffers; i++) {
    const struct tsr_module_buffer *b = &m->buffer[i];
    if (b->data && !b->on_device)
      x->host[i] = (void *)(uintptr_t)b->data; /* read only: tsr_module_check() says so */
    else if (!b->on_device)
      x->host[i] = tsr_arena_alloc(arena, bytes_of(b) + 1);
  }
  for (int i = 0; i < m->steps; i++) {
    if (m->step[i].kind != TSR_STEP_CPU)
      continue;
    const struct tsr_module_layer *l = &m->layer[m->step[i].layer];
    for (int k = 0; k < l->args; k++)
      if (!x->host[l->arg[k]])
        x->host[l->arg[k]] = tsr_arena_alloc(arena, bytes_of(&m->buffer[l->arg[k]]) + 1);
  }
}

static bool needs_device(const struct tsr_module *m)
{
  for (int i = 0; i < m->steps; i++)
    if (m->step[i].kind == TSR_STEP_ACCEL)
      return true;
  for (int i = 0; i < m->buffers; i++)
    if (m->buffer[i].on_device)
      return true;
  return false;
}

/* The last thing that opening does: what comes after could unwind past the open device. */
static enum tsr_status start_device(struct tsr_err *err, struct tsr_executor *x, const char *name,
                                    const struct tsr_device_options *options)
{
  const struct tsr_module *m = x->module;
  struct tsr_device *device;
  if (!needs_device(m))
    return options && (options->wave.path || options->timeout_cycles || options->lockstep ||
                       options->timing_only || options->observer)
               ? tsr_refuse(err,
                            "no part of '%s' runs on a device, so that it has no waveform, no "
                            "timeout, no lockstep and no timing",
                            m->name)
               : TSR_OK;
  if (!name)
    return tsr_refuse(err, "'%s' was compiled for the accelerator and needs a device", m->name);
  enum tsr_status status =
      tsr_device_open(x->allocator, err, name, &m->design, options, m->window_bytes, &device);
  if (status)
    return status;
  status = tsr_device_write(device, err, 0, m->image, m->image_bytes);
  if (status)
    tsr_device_close(device);
  else
    x->device = device;
  return status;
}

enum tsr_status tsr_executor_open_with(struct tsr_arena *arena, struct tsr_err *err,
                                       const struct tsr_module *module, const char *device,
                                       const struct tsr_device_options *options,
                                       struct tsr_executor **out)
{
  struct tsr_executor *x = TSR_NEW(arena, struct tsr_executor);
  *x = (struct tsr_executor){.allocator = tsr_arena_allocator(arena),
                             .module = module,
                             .timing_only = options && options->timing_only};
  x->host = TSR_NEW_ARRAY(arena, void *, module->buffers);
  x->code = TSR_NEW_ARRAY(arena, struct tir_code *, module->layers);
  enum tsr_status status = tsr_module_check(arena, err, module);
  if (!status)
    status = prepare_steps(arena, err, x);
  if (status)
    return status;
  place_buffers(arena, x);
  status = start_device(err, x, device, options);
  if (!status)
    *out = x;
  return status;
}

enum tsr_status tsr_executor_open(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr_module *module, const char *device,
                                  struct tsr_executor **out)
{
  return tsr_executor_open_with(arena, err, module, device, NULL, out);
}

void tsr_executor_close(struct tsr_executor *x)
{
  if (x)
    tsr_device_close(x->device);
}

void *tsr_executor_buffer(struct tsr_executor *x, int index)
{
  return x->host[index];
}

/* --- running ---------------------------------------------------------------------------------- */

/* One piece of work with memory of its own for the time that it takes. */
typedef enum tsr_status piece(struct tsr_executor *x, struct tsr_arena *scratch,
                              struct tsr_err *err, int index, void *out);

static enum tsr_status with_scratch(struct tsr_executor *x, struct tsr_err *err, piece *work,
                                    int index, void *out)
{
  struct tsr_arena *scratch = tsr_arena_new(x->allocator);
  if (!scratch || setjmp(*tsr_arena_landing(scratch))) {
    tsr_arena_free(scratch);
    return tsr_no_memory(err);
  }
  enum tsr_status status = work(x, scratch, err, index, out);
  tsr_arena_free(scratch);
  return status;
}

static enum tsr_status fetch(struct tsr_executor *x, struct tsr_err *err, int index, void *to)
{
  const struct tsr_module_buffer *b = &x->module->buffer[index];
  return b->on_device ? tsr_device_read(x->device, err, b->offset, to, bytes_of(b)) : TSR_OK;
}

static enum tsr_status run_layer(struct tsr_executor *x, struct tsr_arena *scratch,
                                 struct tsr_err *err, int layer)
{
  const struct tsr_module_layer *l = &x->module->layer[layer];
  void **params = TSR_NEW_ARRAY(scratch, void *, l->args);
  enum tsr_status status = TSR_OK;
  for (int k = 0; k < l->args && !status; k++) {
    params[k] = x->host[l->arg[k]];
    if (k < l->func->inputs)
      status = fetch(x, err, l->arg[k], params[k]);
  }
  if (!status)
    status = tir_code_run(x->code[layer], scratch, err, params);
  for (int k = l->func->inputs; k < l->args && !status; k++) {
    const struct tsr_module_buffer *b = &x->module->buffer[l->arg[k]];
    if (b->on_device)
      status = tsr_device_write(x->device, err, b->offset, params[k], bytes_of(b));
  }
  return status;
}

static enum tsr_status run_step(struct tsr_executor *x, struct tsr_arena *scratch,
                                struct tsr_err *err, int step, void *unused)
{
  const struct tsr_module_step *s = &x->module->step[step];
  (void)unused;
  if (s->kind == TSR_STEP_ACCEL)
    return tsr_device_run(x->device, err, x->module->insns + s->first_insn * TSR_INSN_BYTES,
                          s->insns);
  if (x->timing_only)
    return TSR_OK; /* there are no values to compute from */
  enum tsr_status status = run_layer(x, scratch, err, s->layer);
  return status ? tsr_refuse_at(err, "layer '%s'", x->module->layer[s->layer].name) : TSR_OK;
}

enum tsr_status tsr_executor_run(struct tsr_executor *x, struct tsr_err *err)
{
  x->ran = false;
  for (int i = 0; i < x->module->steps; i++) {
    enum tsr_status status = with_scratch(x, err, run_step, i, NULL);
    if (status)
      return status;
  }
  x->ran = true;
  return TSR_OK;
}

void tsr_executor_counters(const struct tsr_executor *x, struct tsr_device_counters *out)
{
  *out = (struct tsr_device_counters){0};
  if (x->device)
    tsr_device_counters(x->device, out);
}

/* --- checking --------------------------------------------------------------------------------- */

/* What a layer read, or wrote, in the run just done. */
static enum tsr_status actual(struct tsr_executor *x, struct tsr_arena *scratch,
                              struct tsr_err *err, int index, void **out)
{
  const struct tsr_module_buffer *b = &x->module->buffer[index];
  *out = x->host[index];
  if (!b->on_device)
    return TSR_OK;
  *out = tsr_arena_alloc(scratch, bytes_of(b) + 1);
  return fetch(x, err, index, *out);
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

static enum tsr_status compare(struct tsr_executor *x, struct tsr_arena *scratch,
                               struct tsr_err *err, int layer, int index, const void *expected,
                               const void *found, struct tsr_difference *out)
{
  const struct tsr_module_buffer *b = &x->module->buffer[index];
  const struct tsr_module_layer *l = &x->module->layer[layer];
  size_t width = tsr_dtype_bytes(b->dtype), n = bytes_of(b) / width;
  if (!memcmp(expected, found, n * width))
    return TSR_OK;
  *out = (struct tsr_difference){.layer = layer, .buffer = index, .element = -1};
  for (size_t i = 0; i < n; i++) {
    if (!memcmp((const char *)expected + i * width, (const char *)found + i * width, width))
      continue;
    if (!out->differing++)
      out->element = (int64_t)i;
  }
  tsr_refuse(err,
             "layer '%s' (%s, on %s): element %" PRId64
             " of '%s' is %s where the interpreter has %s; "
             "%" PRId64 " of %zu elements differ",
             l->name, l->op, l->target, out->element, b->name,
             element_text(scratch, b, found, out->element),
             element_text(scratch, b, expected, out->element), out->differing, n);
  if (err)
    err->status = TSR_MISMATCH;
  return TSR_MISMATCH;
}

static enum tsr_status check_layer(struct tsr_executor *x, struct tsr_arena *scratch,
                                   struct tsr_err *err, int layer, void *out)
{
  const struct tsr_module_layer *l = &x->module->layer[layer];
  void **params = TSR_NEW_ARRAY(scratch, void *, l->args);
  struct tir_code *code;
  enum tsr_status status = compile_layer(scratch, err, l, &code);
  for (int k = 0; k < l->args && !status; k++) {
    if (k < l->func->inputs)
      status = actual(x, scratch, err, l->arg[k], &params[k]);
    else
      params[k] = tsr_arena_alloc(scratch, bytes_of(&x->module->buffer[l->arg[k]]) + 1);
  }
  if (!status)
    status = tir_code_run(code, scratch, err, params);
  for (int k = l->func->inputs; k < l->args && !status; k++) {
    void *found;
    status = actual(x, scratch, err, l->arg[k], &found);
    if (!status)
      status = compare(x, scratch, err, layer, l->arg[k], params[k], found, out);
  }
  return status;
}

enum tsr_status tsr_executor_check(struct tsr_executor *x, struct tsr_err *err,
                                   struct tsr_difference *out)
{
  *out = (struct tsr_difference){.layer = -1};
  if (!x->ran)
    return tsr_refuse(err, "there is nothing to check before a run");
  if (x->timing_only)
    return tsr_refuse(err, "there is nothing to check of a run for timing only");
  for (int i = 0; i < x->module->layers; i++) {
    enum tsr_status status = with_scratch(x, err, check_layer, i, out);
    if (status)
      return status;
  }
  return TSR_OK;
}

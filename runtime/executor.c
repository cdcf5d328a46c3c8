/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/executor.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "runtime/memory.h"
#include "runtime/native.h"
#include "runtime/package.h"
#include "verify/verify.h"

struct tsr_executor {
  const struct tsr_allocator *allocator;
  const struct tsr_module *module;
  struct tsr_device *device; /* NULL: no step needs one */
  void **host;               /* by buffer; for those on the device a copy, where the CPU uses it */
  struct tsr__native native;
  struct tir_code **code; /* by layer, for the interpreter; NULL: the device or machine code runs it */
  void ***params;         /* by layer on the CPU: its buffers */
  bool ran, timing_only;
  double *seconds; /* by step, of the run; NULL: nobody wants to know */
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

static void **layer_params(struct tsr_arena *arena, const struct tsr_module *m, int layer,
                           void *const *place)
{
  const struct tsr_module_layer *l = &m->layer[layer];
  void **params = TSR_NEW_ARRAY(arena, void *, l->args + 1);
  for (int k = 0; k < l->args; k++)
    params[k] = place[l->arg[k]];
  return params;
}

bool tsr_executor_is_native(const struct tsr_executor *x, int layer)
{
  return x->native.block && x->native.block->layer[layer].present;
}

static enum tsr_status prepare_steps(struct tsr_arena *arena, struct tsr_err *err,
                                     struct tsr_executor *x)
{
  const struct tsr_module *m = x->module;
  for (int i = 0; i < m->steps; i++) {
    const struct tsr_module_step *s = &m->step[i];
    enum tsr_status status = TSR_OK;
    if (s->kind == TSR_STEP_ACCEL)
      status = verify_stream(arena, err, m, i);
    else if (!tsr_executor_is_native(x, s->layer))
      status = compile_layer(arena, err, &m->layer[s->layer], &x->code[s->layer]);
    if (status)
      return status;
  }
  return TSR_OK;
}

/* One block for all; constants stay where they are. */
static void place_buffers(struct tsr_arena *arena, struct tsr_executor *x)
{
  const struct tsr_module *m = x->module;
  struct tsr_memory plan = tsr_memory_plan(arena, m);
  char *block = tsr_arena_alloc(arena, plan.bytes + 64); /* of 64 or more: aligned to 64 */
  for (int i = 0; i < m->buffers; i++) {
    const struct tsr_module_buffer *b = &m->buffer[i];
    if (b->data && !b->on_device)
      x->host[i] = (void *)(uintptr_t)b->data; /* read only: tsr_module_check() says so */
    else if (plan.offset[i] != TSR_NOWHERE)
      x->host[i] = block + plan.offset[i];
  }
  for (int i = 0; i < m->layers; i++)
    if (m->step[m->layer[i].step].kind == TSR_STEP_CPU)
      x->params[i] = layer_params(arena, m, i, x->host);
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

/* These two are the last things that opening does: what comes after could unwind past them. */
static enum tsr_status start_native(struct tsr_err *err, struct tsr_executor *x,
                                    const struct tsr_cpu_choice *choice,
                                    const struct tsr_device_options *options)
{
  bool layers = false;
  for (int i = 0; i < x->module->steps; i++)
    layers |= x->module->step[i].kind == TSR_STEP_CPU;
  if (layers && choice->way != TSR_CPU_INTERPRETER && !x->native.block && options && options->say)
    options->say(options->context, "the model has no machine code for this CPU: the interpreter "
                                   "runs its layers on the CPU, much slower");
  return tsr__native_map(err, &x->native);
}

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
                                       const struct tsr_cpu_choice *cpu,
                                       struct tsr_executor **out)
{
  static const struct tsr_cpu_choice best = {TSR_CPU_BEST, 0, 0};
  struct tsr_executor *x = TSR_NEW(arena, struct tsr_executor);
  *x = (struct tsr_executor){.allocator = tsr_arena_allocator(arena),
                             .module = module,
                             .timing_only = options && options->timing_only};
  x->host = TSR_NEW_ARRAY(arena, void *, module->buffers);
  x->code = TSR_NEW_ARRAY(arena, struct tir_code *, module->layers);
  x->params = TSR_NEW_ARRAY(arena, void **, module->layers);
  enum tsr_status status = tsr_module_check(arena, err, module);
  if (!status)
    status = tsr__native_choose(arena, err, module, cpu ? cpu : &best, &x->native);
  if (!status)
    status = prepare_steps(arena, err, x);
  if (status)
    return status;
  place_buffers(arena, x);
  status = start_native(err, x, cpu ? cpu : &best, options);
  if (!status)
    status = start_device(err, x, device, options);
  if (status)
    tsr__native_close(&x->native);
  else
    *out = x;
  return status;
}

enum tsr_status tsr_executor_open(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr_module *module, const char *device,
                                  struct tsr_executor **out)
{
  return tsr_executor_open_with(arena, err, module, device, NULL, NULL, out);
}

void tsr_executor_close(struct tsr_executor *x)
{
  if (!x)
    return;
  tsr__native_close(&x->native);
  tsr_device_close(x->device);
}

const char *tsr_executor_level(const struct tsr_executor *x)
{
  return x->native.block ? tsr_level_info(x->native.block->level)->name : NULL;
}

bool tsr_executor_is_timing_only(const struct tsr_executor *x)
{
  return x->timing_only;
}

void *tsr_executor_buffer(struct tsr_executor *x, int index)
{
  return x->host[index];
}

/* --- running ---------------------------------------------------------------------------------- */

/* One piece of work with memory of its own for the time that it takes. */
typedef enum tsr_status piece(struct tsr_executor *x, struct tsr_arena *scratch,
                              struct tsr_err *err, void *context);

static enum tsr_status with_scratch(struct tsr_executor *x, struct tsr_err *err, piece *work,
                                    void *context)
{
  struct tsr_arena *scratch = tsr_arena_new(x->allocator);
  if (!scratch || setjmp(*tsr_arena_landing(scratch))) {
    tsr_arena_free(scratch);
    return tsr_no_memory(err);
  }
  enum tsr_status status = work(x, scratch, err, context);
  tsr_arena_free(scratch);
  return status;
}

static enum tsr_status fetch(struct tsr_executor *x, struct tsr_err *err, int index, void *to)
{
  const struct tsr_module_buffer *b = &x->module->buffer[index];
  return b->on_device ? tsr_device_read(x->device, err, b->offset, to, bytes_of(b)) : TSR_OK;
}

/* A layer and the buffers that it computes with. */
struct computation {
  int layer;
  void **params;
};

static enum tsr_status interpret(struct tsr_executor *x, struct tsr_arena *scratch,
                                 struct tsr_err *err, void *context)
{
  const struct computation *c = context;
  struct tir_code *code = x->code[c->layer];
  if (!code && compile_layer(scratch, err, &x->module->layer[c->layer], &code))
    return TSR_REFUSED;
  return tir_code_run(code, scratch, err, c->params);
}

/* Machine code only tells that an index lay outside of its buffer; the interpreter has the words.
 * */
static enum tsr_status compute_layer(struct tsr_executor *x, struct tsr_err *err,
                                     struct computation c)
{
  tsr_code_function *function = tsr__native_layer(&x->native, c.layer);
  if (function && !function(c.params, x->native.scratch, x->native.threads))
    return TSR_OK;
  return with_scratch(x, err, interpret, &c);
}

static enum tsr_status run_layer(struct tsr_executor *x, struct tsr_err *err, int layer)
{
  const struct tsr_module_layer *l = &x->module->layer[layer];
  void **params = x->params[layer];
  enum tsr_status status = TSR_OK;
  for (int k = 0; k < l->func->inputs && !status; k++)
    status = fetch(x, err, l->arg[k], params[k]);
  if (!status)
    status = compute_layer(x, err, (struct computation){layer, params});
  for (int k = l->func->inputs; k < l->args && !status; k++) {
    const struct tsr_module_buffer *b = &x->module->buffer[l->arg[k]];
    if (b->on_device)
      status = tsr_device_write(x->device, err, b->offset, params[k], bytes_of(b));
  }
  return status;
}

static enum tsr_status run_step(struct tsr_executor *x, struct tsr_err *err, int step)
{
  const struct tsr_module_step *s = &x->module->step[step];
  if (s->kind == TSR_STEP_ACCEL)
    return tsr_device_run(x->device, err, x->module->insns + s->first_insn * TSR_INSN_BYTES,
                          s->insns);
  if (x->timing_only)
    return TSR_OK; /* there are no values to compute from */
  enum tsr_status status = run_layer(x, err, s->layer);
  return status ? tsr_refuse_at(err, "layer '%s'", x->module->layer[s->layer].name) : TSR_OK;
}

void tsr_executor_watch(struct tsr_executor *x, double *seconds)
{
  x->seconds = seconds;
}

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum tsr_status tsr_executor_run(struct tsr_executor *x, struct tsr_err *err)
{
  x->ran = false;
  for (int i = 0; i < x->module->steps; i++) {
    double begin = x->seconds ? now() : 0;
    enum tsr_status status = run_step(x, err, i);
    if (status)
      return status;
    if (x->seconds)
      x->seconds[i] = now() - begin;
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

/* --- checking ---------------------------------------------------------------------------------
 *
 * Memory is used again within a run, so that little of what layers read is left when it is done.
 * Layers on the CPU are computed a second time, each into memory of its own. */

struct check {
  void **place; /* by buffer: what is on the host, as it was in the run */
  int layer;    /* at hand */
  struct tsr_difference *out;
};

/* What a layer read, or wrote. */
static enum tsr_status actual(struct tsr_executor *x, struct tsr_arena *scratch,
                              struct tsr_err *err, const struct check *c, int index, void **out)
{
  const struct tsr_module_buffer *b = &x->module->buffer[index];
  *out = c->place[index];
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

/* Machine code adds up and computes functions of floats in another way than the interpreter. That may
 * move the rounding of a half by a unit. */
static double limit_of(enum tsr_dtype dtype)
{
  switch (dtype) {
  case TSR_BF16: return 0x1p-7;
  case TSR_F16: return 0x1p-10;
  case TSR_F32: return 1e-5;
  default: return 1e-9;
  }
}

/* Numbers that are not finite have to be the same. */
static bool is_near(const struct tsr_module_buffer *b, const void *expected, const void *found)
{
  double limit = limit_of(b->dtype), difference = 0, norm = 0;
  struct tsr_tensor v = {.dtype = b->dtype, .data = (void *)(uintptr_t)expected};
  struct tsr_tensor w = {.dtype = b->dtype, .data = (void *)(uintptr_t)found};
  int64_t n = tsr_count(b->dims, b->rank, 1);
  for (int64_t i = 0; i < n; i++) {
    double x = tsr_get_float(&v, i), y = tsr_get_float(&w, i);
    if (isfinite(x) && isfinite(y)) {
      difference += (x - y) * (x - y);
      norm += x * x;
    } else if (x != y && !(isnan(x) && isnan(y))) {
      return false;
    }
  }
  return sqrt(difference) <= limit * sqrt(norm);
}

/* Machine code writes 1 where the interpreter copies another byte that is true. */
static bool is_as_true(const struct tsr_module_buffer *b, const void *expected, const void *found)
{
  const uint8_t *x = expected, *y = found;
  for (size_t i = 0; i < bytes_of(b); i++)
    if ((x[i] != 0) != (y[i] != 0))
      return false;
  return true;
}

static bool may_differ(const struct tsr_module_buffer *b, const void *expected, const void *found)
{
  if (b->dtype == TSR_BOOL)
    return is_as_true(b, expected, found);
  return tsr_dtype_kind(b->dtype) == TSR_KIND_FLOAT && is_near(b, expected, found);
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
  if (tsr_executor_is_native(x, layer) && may_differ(b, expected, found))
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
                                   struct tsr_err *err, void *context)
{
  const struct check *c = context;
  const struct tsr_module_layer *l = &x->module->layer[c->layer];
  void **params = TSR_NEW_ARRAY(scratch, void *, l->args);
  struct tir_code *code;
  enum tsr_status status = compile_layer(scratch, err, l, &code);
  for (int k = 0; k < l->args && !status; k++) {
    if (k < l->func->inputs)
      status = actual(x, scratch, err, c, l->arg[k], &params[k]);
    else
      params[k] = tsr_arena_alloc(scratch, bytes_of(&x->module->buffer[l->arg[k]]) + 1);
  }
  if (!status)
    status = tir_code_run(code, scratch, err, params);
  for (int k = l->func->inputs; k < l->args && !status; k++) {
    void *found;
    status = actual(x, scratch, err, c, l->arg[k], &found);
    if (!status)
      status = compare(x, scratch, err, c->layer, l->arg[k], params[k], found, c->out);
  }
  return status;
}

static enum tsr_status compute_again(struct tsr_executor *x, struct tsr_arena *scratch,
                                     struct tsr_err *err, void *context)
{
  const struct check *c = context;
  const struct tsr_module_layer *l = &x->module->layer[c->layer];
  void **params = layer_params(scratch, x->module, c->layer, c->place);
  for (int k = 0; k < l->func->inputs; k++)
    if (fetch(x, err, l->arg[k], params[k]))
      return TSR_REFUSED;
  return compute_layer(x, err, (struct computation){c->layer, params});
}

/* Outputs of the run are those of layers that did not share memory. */
static enum tsr_status check_outputs(struct tsr_executor *x, struct tsr_err *err,
                                     const struct check *c)
{
  const struct tsr_module *m = x->module;
  for (int k = 0; k < m->outputs; k++) {
    int index = m->output[k];
    if (!memcmp(c->place[index], x->host[index], bytes_of(&m->buffer[index])))
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

static enum tsr_status check_all(struct tsr_executor *x, struct tsr_arena *scratch,
                                 struct tsr_err *err, void *context)
{
  const struct tsr_module *m = x->module;
  struct check c = {.place = TSR_NEW_ARRAY(scratch, void *, m->buffers + 1), .out = context};
  for (int k = 0; k < m->buffers; k++)
    if (m->buffer[k].data && !m->buffer[k].on_device)
      c.place[k] = x->host[k];
    else if (x->host[k])
      c.place[k] = tsr_arena_alloc(scratch, bytes_of(&m->buffer[k]) + 1);
  for (int k = 0; k < m->inputs; k++)
    c.place[m->input[k]] = x->host[m->input[k]];
  enum tsr_status status = TSR_OK;
  for (int k = 0; k < m->steps && !status; k++)
    for (c.layer = 0; c.layer < m->layers && !status; c.layer++) {
      if (m->layer[c.layer].step != k)
        continue;
      if (m->step[k].kind == TSR_STEP_CPU)
        status = with_scratch(x, err, compute_again, &c);
      if (!status)
        status = with_scratch(x, err, check_layer, &c);
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
  return with_scratch(x, err, check_all, out);
}

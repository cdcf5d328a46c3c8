/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/executor.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "runtime/gpu.h"
#include "runtime/memory.h"
#include "runtime/native.h"
#include "runtime/near.h"
#include "runtime/package.h"
#include "verify/verify.h"

struct tsr_executor {
  const struct tsr_allocator *allocator;
  const struct tsr_module *module;
  struct tsr_device *device; /* NULL: no stream runs */
  bool streams;              /* of ACCEL steps; else their layers run as the others do */
  int works;
  struct tsr__work *work; /* in order */
  void **host;            /* by buffer; for those on the device a copy, where the CPU uses it */
  struct tsr__native native;
  struct tsr__gpu *gpu; /* NULL: none is used */
  struct tir_code *
      *code;      /* by layer, for the interpreter; NULL: the device or machine code runs it */
  void ***params; /* by layer on the CPU: its buffers */
  bool ran, timing_only;
  double *seconds; /* by step, of the run; NULL: nobody wants to know */
};

static size_t bytes_of(const struct tsr_module_buffer *b)
{
  return tsr__buffer_bytes(b);
}

enum tsr_place tsr_executor_place(const struct tsr_executor *x, int layer)
{
  if (x->streams && x->module->step[x->module->layer[layer].step].kind == TSR_STEP_ACCEL)
    return TSR_PLACE_ACCEL;
  return x->gpu && tsr__gpu_layer(x->gpu, layer)->kernels ? TSR_PLACE_GPU : TSR_PLACE_CPU;
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

static void add_layer(struct tsr_executor *x, int step, int *layer)
{
  bool on_gpu = tsr_executor_place(x, *layer) == TSR_PLACE_GPU;
  struct tsr__work *last = x->works ? &x->work[x->works - 1] : NULL;
  if (on_gpu && last && last->kind == TSR__GPU)
    last->layers++;
  else
    x->work[x->works++] = (struct tsr__work){
        .kind = on_gpu ? TSR__GPU : TSR__CPU, .step = step, .layer = layer, .layers = 1};
}

/* A stream is a piece of work, and so is a layer on the CPU, and layers on the GPU that follow each
 * other. */
static void order_work(struct tsr_arena *arena, struct tsr_executor *x)
{
  const struct tsr_module *m = x->module;
  int *layer = TSR_NEW_ARRAY(arena, int, m->layers), layers = 0;
  x->work = TSR_NEW_ARRAY(arena, struct tsr__work, m->layers + m->steps);
  for (int i = 0; i < m->steps; i++) {
    if (x->streams && m->step[i].kind == TSR_STEP_ACCEL) {
      x->work[x->works++] = (struct tsr__work){.kind = TSR__STREAM, .step = i};
      continue;
    }
    for (int k = 0; k < m->layers; k++)
      if (m->layer[k].step == i) {
        layer[layers] = k;
        add_layer(x, i, &layer[layers++]);
      }
  }
}

static enum tsr_status prepare_work(struct tsr_arena *arena, struct tsr_err *err,
                                    struct tsr_executor *x)
{
  for (int i = 0; i < x->works; i++) {
    const struct tsr__work *w = &x->work[i];
    enum tsr_status status = TSR_OK;
    if (w->kind == TSR__STREAM)
      status = verify_stream(arena, err, x->module, w->step);
    else if (w->kind == TSR__CPU && !tsr_executor_is_native(x, w->layer[0]))
      status = compile_layer(arena, err, &x->module->layer[w->layer[0]], &x->code[w->layer[0]]);
    if (status)
      return status;
  }
  return TSR_OK;
}

/* The data of a constant in host memory, which is read only: tsr_module_check() says so. NULL: it is
 * none, or on the device. */
static void *constant_of(const struct tsr_executor *x, int index)
{
  const struct tsr_module_buffer *b = &x->module->buffer[index];
  if (x->streams && b->on_device)
    return NULL;
  return (void *)(uintptr_t)tsr__constant(x->module, b);
}

/* One block for all; constants stay where they are. */
static void place_buffers(struct tsr_arena *arena, struct tsr_executor *x)
{
  const struct tsr_module *m = x->module;
  bool *on_cpu = TSR_NEW_ARRAY(arena, bool, m->layers + 1);
  for (int i = 0; i < m->layers; i++)
    on_cpu[i] = tsr_executor_place(x, i) == TSR_PLACE_CPU;
  struct tsr_memory plan = tsr_memory_plan(arena, m, on_cpu);
  char *block = tsr_arena_alloc(arena, plan.bytes + 64); /* of 64 bytes or more: aligned to 64 */
  for (int i = 0; i < m->buffers; i++) {
    if (constant_of(x, i))
      x->host[i] = constant_of(x, i);
    else if (plan.offset[i] != TSR_NOWHERE)
      x->host[i] = block + plan.offset[i];
  }
  for (int i = 0; i < m->layers; i++)
    if (on_cpu[i])
      x->params[i] = layer_params(arena, m, i, x->host);
}

static void set_params(struct tsr_executor *x)
{
  for (int i = 0; i < x->module->layers; i++)
    for (int k = 0; x->params[i] && k < x->module->layer[i].args; k++)
      x->params[i][k] = x->host[x->module->layer[i].arg[k]];
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

/* These are the last things that opening does: what comes after could unwind past them. */
static enum tsr_status start_native(struct tsr_err *err, struct tsr_executor *x,
                                    const struct tsr_cpu_choice *choice,
                                    const struct tsr_device_options *options)
{
  bool layers = false;
  for (int i = 0; i < x->works; i++)
    layers |= x->work[i].kind == TSR__CPU;
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
  if (!x->streams || !needs_device(m))
    return options && (options->wave.path || options->timeout_cycles || options->lockstep ||
                       options->timing_only || options->observer)
               ? tsr_refuse(err,
                            "no part of '%s' runs on a device, so that it has no waveform, no "
                            "timeout, no lockstep and no timing",
                            m->name)
               : TSR_OK;
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

static enum tsr_status prepare(struct tsr_arena *arena, struct tsr_err *err, struct tsr_executor *x,
                               const struct tsr_cpu_choice *cpu, const struct tsr_gpu_choice *gpu)
{
  enum tsr_status status = tsr_module_check(arena, err, x->module);
  if (!status)
    status = tsr__native_choose(arena, err, x->module, x->streams, cpu, &x->native);
  if (!status && gpu && gpu->used && x->module->layers) /* all may have been folded */
    status = tsr__gpu_choose(arena, err, x->module, gpu, &x->gpu);
  if (status)
    return status;
  order_work(arena, x);
  status = prepare_work(arena, err, x);
  if (status)
    return status;
  place_buffers(arena, x);
  if (x->gpu)
    tsr__gpu_plan(arena, x->gpu, x->works, x->work);
  return TSR_OK;
}

enum tsr_status tsr_executor_open_with(struct tsr_arena *arena, struct tsr_err *err,
                                       const struct tsr_module *module, const char *device,
                                       const struct tsr_device_options *options,
                                       const struct tsr_cpu_choice *cpu,
                                       const struct tsr_gpu_choice *gpu, struct tsr_executor **out)
{
  static const struct tsr_cpu_choice best = {TSR_CPU_BEST, 0, 0};
  struct tsr_executor *x = TSR_NEW(arena, struct tsr_executor);
  *x = (struct tsr_executor){.allocator = tsr_arena_allocator(arena),
                             .module = module,
                             .streams = device && !(gpu && gpu->used),
                             .timing_only = options && options->timing_only};
  x->host = TSR_NEW_ARRAY(arena, void *, module->buffers);
  x->code = TSR_NEW_ARRAY(arena, struct tir_code *, module->layers);
  x->params = TSR_NEW_ARRAY(arena, void **, module->layers);
  cpu = cpu ? cpu : &best;
  enum tsr_status status = prepare(arena, err, x, cpu, gpu);
  if (!status)
    status = start_native(err, x, cpu, options);
  if (!status && x->gpu)
    status = tsr__gpu_start(err, x->gpu, x->host);
  if (!status)
    status = start_device(err, x, device, options);
  if (status) {
    tsr_executor_close(x);
    return status;
  }
  set_params(x);
  *out = x;
  return TSR_OK;
}

enum tsr_status tsr_executor_open(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr_module *module, const char *device,
                                  struct tsr_executor **out)
{
  return tsr_executor_open_with(arena, err, module, device, NULL, NULL, NULL, out);
}

void tsr_executor_close(struct tsr_executor *x)
{
  if (!x)
    return;
  tsr__native_close(&x->native);
  tsr__gpu_stop(x->gpu);
  tsr_device_close(x->device);
}

const struct tsr_cuda_info *tsr_executor_gpu(const struct tsr_executor *x,
                                             struct tsr_gpu_arch *arch)
{
  if (!x->gpu)
    return NULL;
  if (arch)
    *arch = tsr__gpu_arch(x->gpu);
  return tsr__gpu_info(x->gpu);
}

int tsr_executor_operand_bits(const struct tsr_executor *x, int layer)
{
  return tsr_executor_place(x, layer) == TSR_PLACE_GPU ? tsr__gpu_layer(x->gpu, layer)->operand_bits
                                                       : 0;
}

enum tsr_status tsr_executor_gpu_times(struct tsr_executor *x, struct tsr_arena *arena,
                                       struct tsr_err *err, int repeats, struct tsr_gpu_times *out)
{
  if (!x->gpu)
    return tsr_refuse(err, "no part of '%s' runs on a GPU, so that there is nothing to time",
                      x->module->name);
  return tsr__gpu_profile(arena, x->gpu, err, repeats, out);
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
  return x->device && b->on_device ? tsr_device_read(x->device, err, b->offset, to, bytes_of(b))
                                   : TSR_OK;
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
    if (x->device && b->on_device)
      status = tsr_device_write(x->device, err, b->offset, params[k], bytes_of(b));
  }
  return status;
}

/* A place on the host for each buffer: those that layers on the GPU write get one in scratch memory. */
static void **place_gpu_results(const struct tsr_executor *x, struct tsr_arena *scratch)
{
  const struct tsr_module *m = x->module;
  void **place = TSR_NEW_ARRAY(scratch, void *, m->buffers + 1);
  for (int b = 0; b < m->buffers; b++)
    place[b] = constant_of(x, b) ? constant_of(x, b) : x->host[b];
  for (int i = 0; i < m->layers; i++)
    for (int k = m->layer[i].func->inputs; k < m->layer[i].args; k++) {
      int b = m->layer[i].arg[k];
      if (tsr_executor_place(x, i) == TSR_PLACE_GPU)
        place[b] = tsr_arena_alloc(scratch, bytes_of(&m->buffer[b]) + 1);
    }
  return place;
}

/* A kernel only tells that an index lay outside of its buffer; the interpreter has the words. */
static enum tsr_status tell_outside(struct tsr_executor *x, struct tsr_arena *scratch,
                                    struct tsr_err *err, void *context)
{
  int layer = *(int *)context;
  void **place = place_gpu_results(x, scratch);
  struct tir_code *code;
  enum tsr_status status = TSR_OK;
  for (int i = 0; i < x->works && !status; i++)
    if (x->work[i].kind == TSR__GPU)
      status = tsr__gpu_replay(x->gpu, err, i, place);
  if (!status)
    status = compile_layer(scratch, err, &x->module->layer[layer], &code);
  if (!status)
    status = tir_code_run(code, scratch, err, layer_params(scratch, x->module, layer, place));
  return status ? status
                : tsr_refuse(err, "a kernel met an index outside of its buffer, and the "
                                  "interpreter none: the kernel is wrong");
}

static enum tsr_status run_on_gpu(struct tsr_executor *x, struct tsr_err *err, int work)
{
  int outside;
  enum tsr_status status = tsr__gpu_run(x->gpu, err, work, &outside);
  if (status || outside < 0)
    return status;
  (void)with_scratch(x, err, tell_outside, &outside);
  return tsr_refuse_at(err, "layer '%s'", x->module->layer[outside].name);
}

static enum tsr_status run_work(struct tsr_executor *x, struct tsr_err *err, int index)
{
  const struct tsr__work *w = &x->work[index];
  const struct tsr_module_step *s = &x->module->step[w->step];
  if (w->kind == TSR__STREAM)
    return tsr_device_run(x->device, err, x->module->insns + s->first_insn * TSR_INSN_BYTES,
                          s->insns);
  if (x->timing_only)
    return TSR_OK; /* there are no values to compute from */
  if (w->kind == TSR__GPU)
    return run_on_gpu(x, err, index);
  enum tsr_status status = run_layer(x, err, w->layer[0]);
  return status ? tsr_refuse_at(err, "layer '%s'", x->module->layer[w->layer[0]].name) : TSR_OK;
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
  for (int i = 0; x->seconds && i < x->module->steps; i++)
    x->seconds[i] = 0;
  for (int i = 0; i < x->works; i++) {
    double begin = x->seconds ? now() : 0;
    enum tsr_status status = run_work(x, err, i);
    if (status)
      return status;
    if (x->seconds)
      x->seconds[x->work[i].step] += now() - begin;
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
 * Layers on the CPU and on the GPU are computed a second time, each into memory of its own. */

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
  enum tsr_status status = compile_layer(scratch, err, &x->module->layer[layer], &code);
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
    params[k] = tsr_arena_alloc(scratch, bytes_of(b) + 1);
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
  size_t width = tsr_dtype_bytes(b->dtype), n = bytes_of(b) / width;
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
  enum tsr_status status = actual(x, scratch, err, c, index, &found);
  if (status || !memcmp(c->params[k], found, bytes_of(b)) ||
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
      c->params[k] = tsr_arena_alloc(scratch, bytes_of(&x->module->buffer[l->arg[k]]) + 1);
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

/* Memory for all that layers on the CPU or the GPU write. */
static void **place_results(const struct tsr_executor *x, struct tsr_arena *scratch)
{
  const struct tsr_module *m = x->module;
  void **place = place_gpu_results(x, scratch);
  for (int k = 0; k < m->buffers; k++)
    if (place[k] && place[k] == x->host[k] && !constant_of(x, k))
      place[k] = tsr_arena_alloc(scratch, bytes_of(&m->buffer[k]) + 1);
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
      status = with_scratch(x, err, compute_again, c);
    if (!status)
      status = with_scratch(x, err, check_layer, c);
  }
  for (c->layer = 0; w->kind == TSR__STREAM && c->layer < m->layers && !status; c->layer++)
    if (m->layer[c->layer].step == w->step)
      status = with_scratch(x, err, check_layer, c);
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
  return with_scratch(x, err, check_all, out);
}

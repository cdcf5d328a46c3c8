/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/executor_private.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "runtime/memory.h"
#include "runtime/package.h"
#include "verify/verify.h"

enum tsr_place tsr_executor_place(const struct tsr_executor *x, int layer)
{
  if (x->streams && x->module->step[x->module->layer[layer].step].kind == TSR_STEP_ACCEL)
    return TSR_PLACE_ACCEL;
  return x->gpu && tsr__gpu_layer(x->gpu, layer)->kernels ? TSR_PLACE_GPU : TSR_PLACE_CPU;
}

/* --- opening ---------------------------------------------------------------------------------- */

enum tsr_status tsr__compile_layer(struct tsr_arena *arena, struct tsr_err *err,
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

void **tsr__layer_params(struct tsr_arena *arena, const struct tsr_module *m, int layer,
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
      status =
          tsr__compile_layer(arena, err, &x->module->layer[w->layer[0]], &x->code[w->layer[0]]);
    if (status)
      return status;
  }
  return TSR_OK;
}

void *tsr__constant_of(const struct tsr_executor *x, int index)
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
    if (tsr__constant_of(x, i))
      x->host[i] = tsr__constant_of(x, i);
    else if (plan.offset[i] != TSR_NOWHERE)
      x->host[i] = block + plan.offset[i];
  }
  for (int i = 0; i < m->layers; i++)
    if (on_cpu[i])
      x->params[i] = tsr__layer_params(arena, m, i, x->host);
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

/* Only the device has tensors that lie inside of others. */
static enum tsr_status check_parts(struct tsr_err *err, const struct tsr_executor *x)
{
  const struct tsr_module *m = x->module;
  int part = tsr_module_first_part(m);
  if (x->streams || part < 0)
    return TSR_OK;
  return tsr_refuse(
      err,
      "'%s' was compiled for the accelerator, in whose memory '%s' is a part of '%s'; "
      "targets 'cpu' and 'cuda' need the ONNX model or a package compiled for them",
      m->name, m->buffer[part].name, m->buffer[m->buffer[part].whole].name);
}

static enum tsr_status prepare(struct tsr_arena *arena, struct tsr_err *err, struct tsr_executor *x,
                               const struct tsr_cpu_choice *cpu, const struct tsr_gpu_choice *gpu)
{
  enum tsr_status status = tsr_module_check(arena, err, x->module);
  if (!status)
    status = check_parts(err, x);
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

int tsr_executor_threads(const struct tsr_executor *x)
{
  return x->native.block ? x->native.threads : 1;
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

enum tsr_status tsr__with_scratch(struct tsr_executor *x, struct tsr_err *err, tsr__piece *work,
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

/* The elements of a part from dim d on; *to moves on behind them. */
static enum tsr_status fetch_part(struct tsr_executor *x, struct tsr_err *err,
                                  const struct tsr_module_buffer *b, int d, uint64_t offset,
                                  char **to)
{
  size_t bytes = (size_t)tsr_count(b->dims + d, b->rank - d, 1) * tsr_dtype_bytes(b->dtype);
  uint64_t row = tsr_dtype_bytes(b->dtype);
  bool together = true;
  for (int k = b->rank; k-- > d; row *= (uint64_t)b->dims[k])
    together &= b->dims[k] == 1 || b->step[k] == row;
  enum tsr_status status = TSR_OK;
  if (together) {
    status = tsr_device_read(x->device, err, offset, *to, bytes);
    *to += bytes;
    return status;
  }
  for (int64_t i = 0; i < b->dims[d] && !status; i++)
    status = fetch_part(x, err, b, d + 1, offset + (uint64_t)i * b->step[d], to);
  return status;
}

enum tsr_status tsr__fetch(struct tsr_executor *x, struct tsr_err *err, int index, void *to)
{
  const struct tsr_module_buffer *b = &x->module->buffer[index];
  char *at = to;
  if (!x->device || !b->on_device)
    return TSR_OK;
  return b->is_part ? fetch_part(x, err, b, 0, b->offset, &at)
                    : tsr_device_read(x->device, err, b->offset, to, tsr__buffer_bytes(b));
}

static enum tsr_status interpret(struct tsr_executor *x, struct tsr_arena *scratch,
                                 struct tsr_err *err, void *context)
{
  const struct tsr__computation *c = context;
  struct tir_code *code = x->code[c->layer];
  if (!code && tsr__compile_layer(scratch, err, &x->module->layer[c->layer], &code))
    return TSR_REFUSED;
  return tir_code_run(code, scratch, err, c->params);
}

/* Machine code only tells that an index lay outside of its buffer; the interpreter has the words.
 * */
enum tsr_status tsr__compute_layer(struct tsr_executor *x, struct tsr_err *err,
                                   struct tsr__computation c)
{
  tsr_code_function *function = tsr__native_layer(&x->native, c.layer);
  if (function && !function(c.params, x->native.scratch, x->native.threads))
    return TSR_OK;
  return tsr__with_scratch(x, err, interpret, &c);
}

static enum tsr_status run_layer(struct tsr_executor *x, struct tsr_err *err, int layer)
{
  const struct tsr_module_layer *l = &x->module->layer[layer];
  void **params = x->params[layer];
  enum tsr_status status = TSR_OK;
  for (int k = 0; k < l->func->inputs && !status; k++)
    status = tsr__fetch(x, err, l->arg[k], params[k]);
  if (!status)
    status = tsr__compute_layer(x, err, (struct tsr__computation){layer, params});
  for (int k = l->func->inputs; k < l->args && !status; k++) {
    const struct tsr_module_buffer *b = &x->module->buffer[l->arg[k]];
    if (x->device && b->on_device)
      status = tsr_device_write(x->device, err, b->offset, params[k], tsr__buffer_bytes(b));
  }
  return status;
}

void **tsr__place_gpu_results(const struct tsr_executor *x, struct tsr_arena *scratch)
{
  const struct tsr_module *m = x->module;
  void **place = TSR_NEW_ARRAY(scratch, void *, m->buffers + 1);
  for (int b = 0; b < m->buffers; b++)
    place[b] = tsr__constant_of(x, b) ? tsr__constant_of(x, b) : x->host[b];
  for (int i = 0; i < m->layers; i++)
    for (int k = m->layer[i].func->inputs; k < m->layer[i].args; k++) {
      int b = m->layer[i].arg[k];
      if (tsr_executor_place(x, i) == TSR_PLACE_GPU)
        place[b] = tsr_arena_alloc(scratch, tsr__buffer_bytes(&m->buffer[b]) + 1);
    }
  return place;
}

/* A kernel only tells that an index lay outside of its buffer; the interpreter has the words. */
static enum tsr_status tell_outside(struct tsr_executor *x, struct tsr_arena *scratch,
                                    struct tsr_err *err, void *context)
{
  int layer = *(int *)context;
  void **place = tsr__place_gpu_results(x, scratch);
  struct tir_code *code;
  enum tsr_status status = TSR_OK;
  for (int i = 0; i < x->works && !status; i++)
    if (x->work[i].kind == TSR__GPU)
      status = tsr__gpu_replay(x->gpu, err, i, place);
  if (!status)
    status = tsr__compile_layer(scratch, err, &x->module->layer[layer], &code);
  if (!status)
    status = tir_code_run(code, scratch, err, tsr__layer_params(scratch, x->module, layer, place));
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
  (void)tsr__with_scratch(x, err, tell_outside, &outside);
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

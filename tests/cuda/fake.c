/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cuda/fake.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/tir/tir.h"
#include "driver/cuda/abi.h"

#define EXPORT __attribute__((visibility("default")))

enum {
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  INVALID_CONTEXT = 201,
  INVALID_PTX = 218,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  CAPTURE_INVALID = 901,
  MOST_ARGS = 64,
  DEFAULT_SHARED = 48 << 10
};

/* A driver has one state for a process, and so has this one. */
static struct fake_cuda state;
enum { MOST_DEVICES = 4, MOST_DEPTH = 16 };
static int context[MOST_DEVICES]; /* one of each device, whose address is its handle */
static int pushed[MOST_DEPTH];    /* the devices of those that were pushed */

struct block {
  struct block *next;
  uint64_t address;
  size_t bytes;
};
static struct block *blocks;

struct function {
  struct function *next;
  char name[80];
  char *text; /* tensor IR, or NULL */
  int dynamic_shared;
  bool large_clusters;
};
struct module {
  struct function *functions;
};

/* A piece of work. */
struct op {
  struct op *next;
  enum { UP, DOWN, FILL, KERNEL, GRAPH, MARK } kind;
  uint64_t there;
  void *here;
  size_t bytes;
  int value;
  struct function *function;
  uint64_t arg[MOST_ARGS];
  int args;
  struct line *graph;
};
struct line {
  struct op *first, **last;
};
struct stream {
  struct line line;
  struct line *recorded; /* not NULL: work goes there */
  int device;
};
struct event {
  double at;
  bool marked;
};

static double now; /* seconds; a kernel takes a microsecond, one called ..._again two,
                      * an event in a graph half of one */

static void prepare(void)
{
  if (state.driver_version)
    return;
  state = (struct fake_cuda){.driver_version = 12040,
                             .devices = 1,
                             .capability = 90,
                             .shared_bytes = 227 << 10,
                             .threads = 1024,
                             .memory_bytes = (size_t)1 << 30,
                             .fail_at = -1};
}

EXPORT struct fake_cuda *fake_cuda(void)
{
  prepare();
  return &state;
}

EXPORT void fake_cuda_reset(void)
{
  state = (struct fake_cuda){0};
  prepare();
}

/* FAKE_CUDA_FAIL=SYMBOL:ERROR, for programs that cannot ask by fake_cuda(). */
static int fails_by_environment(const char *symbol)
{
  const char *text = getenv("FAKE_CUDA_FAIL");
  size_t n = strlen(symbol);
  return text && !strncmp(text, symbol, n) && text[n] == ':' ? atoi(text + n + 1) : 0;
}

static int enter(const char *symbol)
{
  prepare();
  int call = state.calls++;
  bool here = call == state.fail_at || (state.lost && state.fail_at >= 0 && call > state.fail_at) ||
              (state.fail_symbol && !strcmp(state.fail_symbol, symbol));
  if (here && !*state.failed)
    snprintf(state.failed, sizeof state.failed, "%s", symbol);
  return here ? state.fail_with : fails_by_environment(symbol);
}

#define CALL(symbol)                                                                               \
  do {                                                                                             \
    int error_ = enter(symbol);                                                                    \
    if (error_)                                                                                    \
      return error_;                                                                               \
  } while (0)
#define NEED(condition, error)                                                                     \
  do {                                                                                             \
    if (!(condition))                                                                              \
      return error;                                                                                \
  } while (0)

static void *make(size_t bytes)
{
  state.live++;
  return calloc(1, bytes);
}

static void end(void *object)
{
  state.live--;
  free(object);
}

/* --- the driver and its device ---------------------------------------------------------------- */

#define FUNCTION(name, params)                                                                     \
  EXPORT int name params;                                                                          \
  EXPORT int name params

FUNCTION(cuGetErrorName, (int error, const char **text))
{
  static const struct {
    int error;
    const char *name;
  } names[] = {{1, "CUDA_ERROR_INVALID_VALUE"},     {2, "CUDA_ERROR_OUT_OF_MEMORY"},
               {100, "CUDA_ERROR_NO_DEVICE"},       {201, "CUDA_ERROR_INVALID_CONTEXT"},
               {218, "CUDA_ERROR_INVALID_PTX"},     {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
               {400, "CUDA_ERROR_INVALID_HANDLE"},  {500, "CUDA_ERROR_NOT_FOUND"},
               {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].error == error) {
      *text = names[i].name;
      return 0;
    }
  return INVALID_VALUE;
}

FUNCTION(cuGetErrorString, (int error, const char **text))
{
  *text = error == OUT_OF_MEMORY ? "out of memory" : "the fake driver was told to fail";
  return 0;
}

FUNCTION(cuDriverGetVersion, (int *version))
{
  CALL("cuDriverGetVersion");
  *version = state.driver_version;
  return 0;
}

static bool is_gpu(int number)
{
  return number >= 0 && number < state.devices && number < MOST_DEVICES;
}

static int current(void)
{
  return pushed[state.depth - 1];
}

FUNCTION(cuInit, (unsigned flags))
{
  CALL("cuInit");
  NEED(!flags, INVALID_VALUE);
  return state.devices ? 0 : 100;
}

FUNCTION(cuDeviceGetCount, (int *count))
{
  CALL("cuDeviceGetCount");
  *count = state.devices;
  return 0;
}

FUNCTION(cuDeviceGet, (int *device, int ordinal))
{
  CALL("cuDeviceGet");
  NEED(is_gpu(ordinal), INVALID_VALUE);
  *device = ordinal;
  return 0;
}

FUNCTION(cuDeviceGetName, (char *name, int size, int device))
{
  CALL("cuDeviceGetName");
  NEED(is_gpu(device), INVALID_VALUE);
  snprintf(name, (size_t)size, device ? "Fake %d" : "Fake", device);
  return 0;
}

FUNCTION(cuDeviceTotalMem_v2, (size_t * bytes, int device))
{
  CALL("cuDeviceTotalMem_v2");
  NEED(is_gpu(device), INVALID_VALUE);
  *bytes = state.memory_bytes;
  return 0;
}

FUNCTION(cuDeviceGetAttribute, (int *value, int attribute, int device))
{
  CALL("cuDeviceGetAttribute");
  NEED(is_gpu(device), INVALID_VALUE);
  switch (attribute) {
  case TSR__CUDA_MAJOR: *value = state.capability / 10; break;
  case TSR__CUDA_MINOR: *value = state.capability % 10; break;
  case TSR__CUDA_SHARED_BYTES: *value = state.shared_bytes; break;
  case TSR__CUDA_PROCESSORS: *value = 4; break;
  default: *value = 1000; break;
  }
  return 0;
}

FUNCTION(cuDevicePrimaryCtxRetain, (void **out, int device))
{
  CALL("cuDevicePrimaryCtxRetain");
  NEED(is_gpu(device), INVALID_VALUE);
  state.live++;
  *out = &context[device];
  return 0;
}

FUNCTION(cuDevicePrimaryCtxRelease_v2, (int device))
{
  int error = enter("cuDevicePrimaryCtxRelease_v2");
  (void)device;
  state.live--;
  return error;
}

FUNCTION(cuCtxPushCurrent_v2, (void *given))
{
  CALL("cuCtxPushCurrent_v2");
  int device = (int)((int *)given - context);
  NEED(is_gpu(device) && state.depth < MOST_DEPTH, INVALID_CONTEXT);
  pushed[state.depth++] = device;
  return 0;
}

FUNCTION(cuCtxPopCurrent_v2, (void **out))
{
  int error = enter("cuCtxPopCurrent_v2");
  NEED(state.depth, INVALID_CONTEXT);
  *out = &context[pushed[--state.depth]];
  return error;
}

/* --- memory ----------------------------------------------------------------------------------- */

FUNCTION(cuMemGetInfo_v2, (size_t * free_bytes, size_t *all_bytes))
{
  CALL("cuMemGetInfo_v2");
  NEED(state.depth, INVALID_CONTEXT);
  *free_bytes = state.memory_bytes - state.bytes;
  *all_bytes = state.memory_bytes;
  return 0;
}

FUNCTION(cuMemAlloc_v2, (uint64_t * address, size_t bytes))
{
  CALL("cuMemAlloc_v2");
  NEED(state.depth, INVALID_CONTEXT);
  NEED(bytes, INVALID_VALUE);
  NEED(bytes <= state.memory_bytes - state.bytes, OUT_OF_MEMORY);
  struct block *b = make(sizeof *b);
  void *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(memory, 0x5a, bytes);
  *b = (struct block){blocks, (uint64_t)(uintptr_t)memory, bytes};
  blocks = b;
  state.bytes += bytes;
  state.most_bytes = state.bytes > state.most_bytes ? state.bytes : state.most_bytes;
  *address = b->address;
  return 0;
}

FUNCTION(cuMemFree_v2, (uint64_t address))
{
  int error = enter("cuMemFree_v2");
  for (struct block **b = &blocks; *b; b = &(*b)->next)
    if ((*b)->address == address) {
      struct block *gone = *b;
      *b = gone->next;
      state.bytes -= gone->bytes;
      free((void *)(uintptr_t)address);
      end(gone);
      return error;
    }
  return INVALID_VALUE;
}

static bool is_device(uint64_t address, size_t bytes)
{
  for (const struct block *b = blocks; b; b = b->next)
    if (address >= b->address && address - b->address <= b->bytes &&
        bytes <= b->bytes - (address - b->address))
      return true;
  return false;
}

FUNCTION(cuMemHostAlloc, (void **memory, size_t bytes, unsigned flags))
{
  CALL("cuMemHostAlloc");
  NEED(state.depth, INVALID_CONTEXT);
  NEED(!flags && bytes, INVALID_VALUE);
  *memory = make(bytes);
  memset(*memory, 0x5a, bytes);
  return 0;
}

FUNCTION(cuMemFreeHost, (void *memory))
{
  int error = enter("cuMemFreeHost");
  end(memory);
  return error;
}

/* --- work ------------------------------------------------------------------------------------- */

static void start_line(struct line *line)
{
  line->first = NULL;
  line->last = &line->first;
}

static void end_line(struct line *line)
{
  while (line->first) {
    struct op *op = line->first;
    line->first = op->next;
    free(op);
  }
  start_line(line);
}

static int put(void *stream, const struct op *op)
{
  struct stream *s = stream;
  NEED(state.depth, INVALID_CONTEXT);
  NEED(s && s->device == current(), INVALID_HANDLE);
  struct line *line = s->recorded ? s->recorded : &s->line;
  struct op *copy = malloc(sizeof *copy);
  *copy = *op;
  copy->next = NULL;
  *line->last = copy;
  line->last = &copy->next;
  return 0;
}

static int compute(const struct op *op)
{
  struct tir_func *func;
  struct tir_program *program;
  struct tir_code *code;
  void *params[MOST_ARGS];
  uint32_t one = 1;
  int error = 0;
  state.launches++;
  now += strstr(op->function->name, "_again") ? 2e-6 : 1e-6;
  if (!op->function->text || state.lame)
    return 0;
  struct tsr_arena *a = tsr_arena_new(NULL);
  if (tir_func_parse(a, NULL, "fake", op->function->text, &func) ||
      tir_lower(a, NULL, tir_sched_new(a, func), &program) || tir_code_new(a, NULL, program, &code))
    error = INVALID_PTX;
  for (int k = 0; !error && k < func->params; k++) {
    params[k] = (void *)(uintptr_t)op->arg[k];
    int64_t n = tsr_count(func->param[k]->dims, func->param[k]->rank, 1);
    if (!is_device(op->arg[k], (size_t)n * tsr_dtype_bytes(func->param[k]->dtype)))
      error = TSR__CUDA_ILLEGAL_ADDRESS;
  }
  if (!error && !is_device(op->arg[func->params], sizeof one))
    error = TSR__CUDA_ILLEGAL_ADDRESS;
  if (!error && tir_code_run(code, a, NULL, params))
    memcpy((void *)(uintptr_t)op->arg[func->params], &one, sizeof one);
  tsr_arena_free(a);
  return error;
}

static int run_line(const struct line *line)
{
  int error = 0;
  for (const struct op *op = line->first; op && !error; op = op->next) {
    void *there = (void *)(uintptr_t)op->there;
    if (op->kind <= FILL && !is_device(op->there, op->bytes))
      return TSR__CUDA_ILLEGAL_ADDRESS;
    switch (op->kind) {
    case UP: memcpy(there, op->here, op->bytes); break;
    case DOWN: memcpy(op->here, there, op->bytes); break;
    case FILL: memset(there, op->value, op->bytes); break;
    case KERNEL: error = compute(op); break;
    case GRAPH: error = run_line(op->graph); break;
    case MARK:
      now += op->value ? 0.5e-6 : 0;
      *(struct event *)op->here = (struct event){now, true};
      break;
    }
  }
  return error;
}

FUNCTION(cuMemcpyHtoDAsync_v2, (uint64_t to, const void *from, size_t bytes, void *stream))
{
  CALL("cuMemcpyHtoDAsync_v2");
  struct op op = {.kind = UP, .there = to, .here = (void *)(uintptr_t)from, .bytes = bytes};
  return put(stream, &op);
}

FUNCTION(cuMemcpyDtoHAsync_v2, (void *to, uint64_t from, size_t bytes, void *stream))
{
  CALL("cuMemcpyDtoHAsync_v2");
  struct op op = {.kind = DOWN, .there = from, .here = to, .bytes = bytes};
  return put(stream, &op);
}

FUNCTION(cuMemsetD8Async, (uint64_t to, unsigned char value, size_t bytes, void *stream))
{
  CALL("cuMemsetD8Async");
  struct op op = {.kind = FILL, .there = to, .value = value, .bytes = bytes};
  return put(stream, &op);
}

FUNCTION(cuStreamCreate, (void **stream, unsigned flags))
{
  CALL("cuStreamCreate");
  NEED(state.depth, INVALID_CONTEXT);
  NEED(flags == 1, INVALID_VALUE);
  struct stream *s = make(sizeof *s);
  s->device = current();
  start_line(&s->line);
  *stream = s;
  return 0;
}

FUNCTION(cuStreamDestroy_v2, (void *stream))
{
  int error = enter("cuStreamDestroy_v2");
  struct stream *s = stream;
  end_line(&s->line);
  end(s);
  return error;
}

FUNCTION(cuStreamSynchronize, (void *stream))
{
  struct stream *s = stream;
  int error = enter("cuStreamSynchronize");
  NEED(state.depth && s->device == current(), INVALID_CONTEXT);
  NEED(!s->recorded, CAPTURE_INVALID);
  if (!error)
    error = run_line(&s->line);
  end_line(&s->line);
  return error;
}

/* --- graphs ----------------------------------------------------------------------------------- */

FUNCTION(cuStreamBeginCapture_v2, (void *stream, int mode))
{
  struct stream *s = stream;
  CALL("cuStreamBeginCapture_v2");
  NEED(state.depth && mode == 1 && !s->recorded, INVALID_VALUE);
  s->recorded = make(sizeof *s->recorded);
  start_line(s->recorded);
  return 0;
}

static void end_graph(struct line *line)
{
  end_line(line);
  end(line);
}

FUNCTION(cuStreamEndCapture, (void *stream, void **graph))
{
  struct stream *s = stream;
  int error = enter("cuStreamEndCapture");
  NEED(s->recorded, INVALID_VALUE);
  if (error)
    end_graph(s->recorded);
  else
    *graph = s->recorded;
  s->recorded = NULL;
  return error;
}

FUNCTION(cuGraphInstantiateWithFlags, (void **instance, void *graph, unsigned long long flags))
{
  const struct line *from = graph;
  CALL("cuGraphInstantiateWithFlags");
  NEED(!flags, INVALID_VALUE);
  struct line *copy = make(sizeof *copy);
  start_line(copy);
  struct stream into = {.recorded = copy, .device = current()};
  for (const struct op *op = from->first; op; op = op->next)
    put(&into, op);
  *instance = copy;
  return 0;
}

FUNCTION(cuGraphDestroy, (void *graph))
{
  int error = enter("cuGraphDestroy");
  end_graph(graph);
  return error;
}

FUNCTION(cuGraphLaunch, (void *instance, void *stream))
{
  CALL("cuGraphLaunch");
  struct op op = {.kind = GRAPH, .graph = instance};
  state.graph_launches++;
  return put(stream, &op);
}

FUNCTION(cuGraphExecDestroy, (void *instance))
{
  int error = enter("cuGraphExecDestroy");
  end_graph(instance);
  return error;
}

/* --- events ----------------------------------------------------------------------------------- */

FUNCTION(cuEventCreate, (void **event, unsigned flags))
{
  CALL("cuEventCreate");
  NEED(state.depth && !flags, INVALID_VALUE);
  *event = make(sizeof(struct event));
  return 0;
}

FUNCTION(cuEventDestroy_v2, (void *event))
{
  int error = enter("cuEventDestroy_v2");
  end(event);
  return error;
}

FUNCTION(cuEventRecord, (void *event, void *stream))
{
  CALL("cuEventRecord");
  struct op op = {.kind = MARK, .here = event};
  return put(stream, &op);
}

FUNCTION(cuEventRecordWithFlags, (void *event, void *stream, unsigned flags))
{
  CALL("cuEventRecordWithFlags");
  NEED(flags == 1 && ((struct stream *)stream)->recorded, INVALID_VALUE);
  struct op op = {.kind = MARK, .here = event, .value = 1};
  return put(stream, &op);
}

FUNCTION(cuEventElapsedTime, (float *milliseconds, void *from, void *to))
{
  const struct event *a = from, *b = to;
  CALL("cuEventElapsedTime");
  NEED(a->marked && b->marked, 600);
  *milliseconds = (float)((b->at - a->at) * 1e3);
  return 0;
}

/* --- kernels ---------------------------------------------------------------------------------- */

/* The comment behind "//tir NAME", without its slashes. */
static char *tir_of(const char *ptx, const char *name)
{
  char head[96];
  snprintf(head, sizeof head, "//tir %s\n", name);
  const char *at = strstr(ptx, head), *stop = at ? strstr(at, "//end\n") : NULL;
  if (!stop)
    return NULL;
  at += strlen(head);
  char *text = calloc(1, (size_t)(stop - at) + 1), *to = text;
  while (at < stop) {
    at += 2;
    size_t n = strcspn(at, "\n") + 1;
    memcpy(to, at, n);
    to += n;
    at += n;
  }
  return text;
}

static void end_module(struct module *m)
{
  while (m->functions) {
    struct function *f = m->functions;
    m->functions = f->next;
    free(f->text);
    free(f);
  }
  end(m);
}

static int bad_text(const char *ptx, unsigned options, const int *option, void **value)
{
  int error = strstr(ptx, ".version 99") ? TSR__CUDA_UNSUPPORTED_PTX
              : strstr(ptx, "broken")    ? INVALID_PTX
                                         : 0;
  for (unsigned i = 0; error && i < options; i++)
    if (option[i] == TSR__CUDA_JIT_ERRORS)
      strcpy(value[i], "ptxas application ptx input, line 3;\n\tfatal   : a fake error\n");
  return error;
}

FUNCTION(cuModuleLoadDataEx,
         (void **module, const void *image, unsigned options, int *option, void **value))
{
  const char *ptx = image;
  CALL("cuModuleLoadDataEx");
  NEED(state.depth, INVALID_CONTEXT);
  int error = bad_text(ptx, options, option, value);
  if (error)
    return error;
  struct module *m = make(sizeof *m);
  for (const char *at = ptx; (at = strstr(at, ".entry "));) {
    at += strlen(".entry ");
    struct function *f = calloc(1, sizeof *f);
    for (size_t n = 0; n < sizeof f->name - 1 && (isalnum((unsigned char)*at) || *at == '_'); n++)
      f->name[n] = *at++;
    f->text = tir_of(ptx, f->name);
    f->next = m->functions;
    m->functions = f;
  }
  *module = m;
  return 0;
}

FUNCTION(cuModuleUnload, (void *module))
{
  int error = enter("cuModuleUnload");
  end_module(module);
  return error;
}

FUNCTION(cuModuleGetFunction, (void **function, void *module, const char *name))
{
  CALL("cuModuleGetFunction");
  for (struct function *f = ((struct module *)module)->functions; f; f = f->next)
    if (!strcmp(f->name, name)) {
      *function = f;
      return 0;
    }
  return NOT_FOUND;
}

FUNCTION(cuFuncGetAttribute, (int *value, int attribute, void *function))
{
  CALL("cuFuncGetAttribute");
  NEED(function, INVALID_HANDLE);
  *value = attribute == TSR__CUDA_FUNCTION_THREADS     ? state.threads
           : attribute == TSR__CUDA_FUNCTION_REGISTERS ? 32
                                                       : 0;
  return 0;
}

FUNCTION(cuFuncSetAttribute, (void *function, int attribute, int value))
{
  struct function *f = function;
  CALL("cuFuncSetAttribute");
  if (attribute == TSR__CUDA_FUNCTION_DYNAMIC_SHARED) {
    NEED(value <= state.shared_bytes, INVALID_VALUE);
    f->dynamic_shared = value;
  } else if (attribute == TSR__CUDA_FUNCTION_LARGE_CLUSTERS) {
    f->large_clusters = value;
  }
  return 0;
}

FUNCTION(cuTensorMapEncodeTiled,
         (void *map, int type, uint32_t rank, void *address, const uint64_t *dims,
          const uint64_t *strides, const uint32_t *box, const uint32_t *steps, int interleave,
          int swizzle, int l2, int outside))
{
  CALL("cuTensorMapEncodeTiled");
  NEED((uintptr_t)map % 64 == 0 && rank >= 1 && rank <= 5, INVALID_VALUE);
  memset(map, 0x77, 128);
  state.map.type = type;
  state.map.rank = rank;
  state.map.address = (uint64_t)(uintptr_t)address;
  memcpy(state.map.dims, dims, rank * sizeof *dims);
  memcpy(state.map.strides, strides, (rank - 1) * sizeof *strides);
  memcpy(state.map.box, box, rank * sizeof *box);
  memcpy(state.map.steps, steps, rank * sizeof *steps);
  state.map.interleave = interleave;
  state.map.swizzle = swizzle;
  state.map.l2 = l2;
  state.map.outside = outside;
  return 0;
}

static int parameters_of(const char *text)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tir_func *func;
  int n = text && !tir_func_parse(a, NULL, "fake", text, &func) ? func->params + 1 : 0;
  tsr_arena_free(a);
  return n;
}

FUNCTION(cuLaunchKernelEx,
         (const struct tsr__cuda_launch *launch, void *function, void **params, void **extra))
{
  struct function *f = function;
  CALL("cuLaunchKernelEx");
  NEED(!extra && launch->attributes <= 1, INVALID_VALUE);
  memcpy(state.grid, launch->grid, sizeof state.grid);
  memcpy(state.block, launch->block, sizeof state.block);
  state.cluster[0] = state.cluster[1] = state.cluster[2] = 1;
  if (launch->attributes) {
    NEED(launch->attribute->id == 4, INVALID_VALUE);
    memcpy(state.cluster, launch->attribute->value.cluster, sizeof state.cluster);
  }
  state.shared = launch->shared_bytes;
  uint32_t cluster = state.cluster[0] * state.cluster[1] * state.cluster[2];
  NEED(cluster <= 8 || f->large_clusters, INVALID_VALUE);
  NEED(launch->shared_bytes <= DEFAULT_SHARED || (int)launch->shared_bytes <= f->dynamic_shared,
       INVALID_VALUE);
  struct op op = {.kind = KERNEL, .function = f, .args = parameters_of(f->text)};
  for (int i = 0; i < op.args; i++)
    memcpy(&op.arg[i], params[i], sizeof op.arg[i]);
  return put(launch->stream, &op);
}

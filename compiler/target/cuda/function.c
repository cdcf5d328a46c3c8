/* SPDX-License-Identifier: Apache-2.0 */
/* A program as kernels: what each nest at the root touches becomes its arguments, and the extents
 * of its bound loops the shape of its launch. */
#include <string.h>

#include "compiler/target/cuda/kernel.h"

enum { ALIGNMENT = 256, MOST_BUFFERS = 60 };

/* Nests that write one buffer last: a stage and what starts its reduction. */
struct nest {
  int count;
  struct tir_stmt *const *stmt;
};

/* The whole program's memory, and the nest at hand. */
struct layer {
  struct cuda__kernel *k;
  const struct tir_program *program;
  const char *prefix;
  struct tsr_kernel_layer *out;
  size_t capacity;
  int temps;
  size_t temp_capacity;
  struct llvm__place *temp;

  int used; /* buffers of the nest that live outside of it */
  const struct tir_buffer *buffer[MOST_BUFFERS];
  bool written[MOST_BUFFERS];
  bool too_many;
};

/* --- what a nest touches ---------------------------------------------------------------------- */

static const struct llvm__place *temp_of(const struct layer *l, const struct tir_buffer *b)
{
  for (int i = 0; i < l->temps; i++)
    if (l->temp[i].buffer == b)
      return &l->temp[i];
  return NULL;
}

static int param_of(const struct layer *l, const struct tir_buffer *b)
{
  for (int i = 0; i < l->program->params; i++)
    if (l->program->param[i] == b)
      return i;
  return -1;
}

static void use(struct layer *l, const struct tir_buffer *b, bool written)
{
  if (param_of(l, b) < 0 && !temp_of(l, b))
    return;
  for (int i = 0; i < l->used; i++)
    if (l->buffer[i] == b) {
      l->written[i] |= written;
      return;
    }
  if (l->used == MOST_BUFFERS) {
    l->too_many = true;
    return;
  }
  l->written[l->used] = written;
  l->buffer[l->used++] = b;
}

static void use_expr(struct layer *l, tir_e x)
{
  if (x->op == TIR_LOAD)
    use(l, x->buffer, false);
  for (int i = 0; i < x->args; i++)
    use_expr(l, x->arg[i]);
}

static void use_stmt(struct layer *l, const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR:
    use_expr(l, s->f.extent);
    use_stmt(l, s->f.body);
    break;
  case TIR_STORE:
    use(l, s->store.buffer, true);
    for (int d = 0; d < s->store.buffer->rank; d++)
      use_expr(l, s->store.index[d]);
    use_expr(l, s->store.value);
    break;
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      use_stmt(l, s->block.stmt[i]);
    break;
  case TIR_ALLOC: use_stmt(l, s->alloc.body); break;
  case TIR_CALL: use_stmt(l, s->call.semantics); break;
  case TIR_IF:
    use_expr(l, s->when.condition);
    use_stmt(l, s->when.body);
    break;
  default: break;
  }
}

/* --- the launch ------------------------------------------------------------------------------- */

/* Threads that exchange their parts are whole warps, and a power of two of them. */
static uint32_t whole_warps(uint32_t n)
{
  uint32_t threads = CUDA__WARP;
  while (threads < n)
    threads *= 2;
  return threads;
}

static void shape(struct cuda__kernel *k, const struct tir_stmt *s)
{
  int dim = cuda__reduces(s);
  if (dim >= 0)
    k->exchanges[dim] = true;
  switch (s->kind) {
  case TIR_FOR: {
    int64_t most = llvm__most(&k->e, s->f.extent);
    if (s->f.loop == TIR_BOUND) {
      bool thread = s->f.bind >= TIR_THREAD_X;
      uint32_t *of = thread ? &k->block[s->f.bind - TIR_THREAD_X] : &k->grid[s->f.bind];
      uint32_t n = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
      *of = n > *of ? n : *of;
    }
    llvm__bind(&k->e, s->f.var, 0, most - 1, NULL);
    shape(k, s->f.body);
    llvm__unbind(&k->e);
    break;
  }
  case TIR_BLOCK:
    for (int i = 0; i < s->block.count; i++)
      shape(k, s->block.stmt[i]);
    break;
  case TIR_ALLOC: shape(k, s->alloc.body); break;
  case TIR_CALL: shape(k, s->call.semantics); break;
  case TIR_IF: shape(k, s->when.body); break;
  default: break;
  }
}

static enum tsr_status check_shape(const struct cuda__kernel *k)
{
  uint64_t threads = (uint64_t)k->block[0] * k->block[1] * k->block[2];
  if (k->block[0] > 1024 || k->block[1] > 1024 || k->block[2] > 64 || threads > 1024)
    return tsr_refuse(k->err,
                      "a block would have %u x %u x %u threads; there are at most 1024, and 64 "
                      "along z",
                      k->block[0], k->block[1], k->block[2]);
  if (k->grid[0] > INT32_MAX || k->grid[1] > UINT16_MAX || k->grid[2] > UINT16_MAX)
    return tsr_refuse(k->err,
                      "a launch would have %u x %u x %u blocks; there are at most 2147483647 "
                      "along x, and 65535 along y and z",
                      k->grid[0], k->grid[1], k->grid[2]);
  return TSR_OK;
}

/* Whether a loop at the root never runs: an empty tensor. */
static bool is_empty(struct cuda__kernel *k, const struct nest *n)
{
  const struct tir_stmt *s = n->stmt[n->count - 1];
  for (; s->kind == TIR_FOR; s = s->f.body)
    if (llvm__most(&k->e, s->f.extent) == 0 && s->f.extent->op == TIR_INT)
      return n->count == 1;
  return false;
}

/* --- one kernel ------------------------------------------------------------------------------- */

static void attribute(struct llvm__emit *e, LLVMAttributeIndex at, const char *name, uint64_t value)
{
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(e->function, at, LLVMCreateEnumAttribute(e->context, kind, value));
}

static void annotate(struct llvm__emit *e, const char *what, uint32_t value)
{
  LLVMMetadataRef md[3] = {
      LLVMValueAsMetadata(e->function),
      LLVMMDStringInContext2(e->context, what, strlen(what)),
      LLVMValueAsMetadata(llvm__i32(e, (int32_t)value)),
  };
  LLVMAddNamedMetadataOperand(
      e->module, "nvvm.annotations",
      LLVMMetadataAsValue(e->context, LLVMMDNodeInContext2(e->context, md, 3)));
}

enum { KERNEL_CONVENTION = 71 };

/* void f(buffers ..., u32 *status) */
static void add_function(struct layer *l, const char *name)
{
  struct llvm__emit *e = &l->k->e;
  LLVMTypeRef pointer = LLVMPointerTypeInContext(e->context, CUDA__GLOBAL), arg[MOST_BUFFERS + 1];
  for (int i = 0; i <= l->used; i++)
    arg[i] = pointer;
  e->function = LLVMAddFunction(
      e->module, name,
      LLVMFunctionType(LLVMVoidTypeInContext(e->context), arg, (unsigned)l->used + 1, 0));
  LLVMSetFunctionCallConv(e->function, KERNEL_CONVENTION);
  attribute(e, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind", 0);
  for (int i = 0; i < l->used; i++) {
    attribute(e, (LLVMAttributeIndex)i + 1, "noalias", 0);
    attribute(e, (LLVMAttributeIndex)i + 1, "align", 16);
    if (!l->written[i])
      attribute(e, (LLVMAttributeIndex)i + 1, "readonly", 0);
    e->place = TSR_GROW(e->arena, e->place, e->places, &e->place_capacity);
    e->place[e->places++] = (struct llvm__place){.buffer = l->buffer[i],
                                                 .base = LLVMGetParam(e->function, (unsigned)i)};
  }
  annotate(e, "kernel", 1);
  annotate(e, "maxntidx", l->k->block[0]);
  annotate(e, "maxntidy", l->k->block[1]);
  annotate(e, "maxntidz", l->k->block[2]);
}

/* All that is declared outside of a function, once a module. */
static LLVMValueRef shared_memory(struct llvm__emit *e)
{
  LLVMValueRef v = LLVMGetNamedGlobal(e->module, "shared");
  if (v)
    return v;
  LLVMTypeRef type = LLVMArrayType2(LLVMInt8TypeInContext(e->context), 0);
  v = LLVMAddGlobalInAddressSpace(e->module, type, "shared", CUDA__SHARED);
  LLVMSetAlignment(v, 1024);
  return v;
}

static void emit_body(struct layer *l, const struct nest *n)
{
  struct llvm__emit *e = &l->k->e;
  e->entry = llvm__block(e, "entry");
  e->outside = llvm__block(e, "outside");
  LLVMBasicBlockRef start = llvm__block(e, "start");
  LLVMPositionBuilderAtEnd(e->builder, start);
  for (int i = 0; i < n->count; i++)
    cuda__stmt(e, n->stmt[i]);
  LLVMBuildRetVoid(e->builder);
  LLVMPositionBuilderAtEnd(e->builder, e->outside);
  LLVMBuildStore(e->builder, llvm__i32(e, 1), LLVMGetParam(e->function, (unsigned)l->used));
  LLVMBuildRetVoid(e->builder);
  LLVMPositionBuilderAtEnd(e->builder, e->entry);
  LLVMBuildBr(e->builder, start);
}

static struct tsr_kernel_arg argument(const struct layer *l, const struct tir_buffer *b)
{
  const struct llvm__place *temp = temp_of(l, b);
  struct tsr_kernel_arg arg = {.kind = TSR_ARG_POINTER};
  arg.pointer.scratch = temp != NULL;
  arg.pointer.offset = temp ? temp->offset : 0;
  arg.pointer.param = temp ? 0 : (uint32_t)param_of(l, b);
  return arg;
}

static void add_kernel(struct layer *l, const char *name)
{
  struct cuda__kernel *k = l->k;
  l->out->kernel = TSR_GROW(k->e.arena, l->out->kernel, l->out->kernels, &l->capacity);
  struct tsr_kernel *out = &l->out->kernel[l->out->kernels++];
  *out = (struct tsr_kernel){.entry = name,
                             .cluster = {1, 1, 1},
                             .shared_bytes = (uint32_t)k->shared_bytes,
                             .args = l->used};
  memcpy(out->grid, k->grid, sizeof out->grid);
  memcpy(out->block, k->block, sizeof out->block);
  out->arg = TSR_NEW_ARRAY(k->e.arena, struct tsr_kernel_arg, l->used + 1);
  for (int i = 0; i < l->used; i++)
    out->arg[i] = argument(l, l->buffer[i]);
}

static void reset(struct cuda__kernel *k)
{
  const struct llvm__emit *e = &k->e;
  k->e = (struct llvm__emit){.arena = e->arena,
                             .machine = e->machine,
                             .context = e->context,
                             .module = e->module,
                             .builder = e->builder,
                             .stmt = cuda__stmt,
                             .width = 1};
  k->shared_bytes = 0;
  for (int d = 0; d < CUDA__DIMS; d++) {
    k->grid[d] = k->block[d] = 1;
    k->bound[d] = k->exchanges[d] = false;
  }
}

static enum tsr_status emit_nest(struct layer *l, const struct nest *n)
{
  struct cuda__kernel *k = l->k;
  reset(k);
  if (is_empty(k, n))
    return TSR_OK;
  l->used = 0;
  for (int i = 0; i < n->count; i++) {
    use_stmt(l, n->stmt[i]);
    shape(k, n->stmt[i]);
  }
  for (int d = 0; d < CUDA__DIMS; d++)
    if (k->exchanges[d])
      k->block[d] = whole_warps(k->block[d]);
  if (l->too_many)
    return tsr_refuse(k->err, "a kernel would have more than %d buffers", MOST_BUFFERS);
  if (check_shape(k))
    return TSR_REFUSED;
  const char *name = tsr_arena_printf(k->e.arena, "%s_%d", l->prefix, l->out->kernels);
  add_function(l, name);
  k->shared = shared_memory(&k->e);
  emit_body(l, n);
  add_kernel(l, name);
  return TSR_OK;
}

/* --- the root --------------------------------------------------------------------------------- */

static const struct tir_buffer *result_of(const struct tir_stmt *s)
{
  switch (s->kind) {
  case TIR_FOR: return result_of(s->f.body);
  case TIR_STORE: return s->store.buffer;
  case TIR_BLOCK: return result_of(s->block.stmt[s->block.count - 1]);
  case TIR_ALLOC: return result_of(s->alloc.body);
  case TIR_CALL: return s->call.buffer[0];
  case TIR_IF: return result_of(s->when.body);
  default: return NULL;
  }
}

static uint64_t bytes_of(const struct tir_buffer *b)
{
  uint64_t bytes = (uint64_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* A tile that no loop over blocks has around it: there is one block. */
static bool is_on_chip(const struct tir_buffer *b)
{
  return b->scope == TIR_SHARED || b->scope == TIR_REGISTER;
}

static enum tsr_status emit_root(struct layer *l, struct tir_stmt *s)
{
  if (s->kind == TIR_ALLOC && !is_on_chip(s->alloc.buffer)) {
    l->temp = TSR_GROW(l->k->e.arena, l->temp, l->temps, &l->temp_capacity);
    l->temp[l->temps++] =
        (struct llvm__place){.buffer = s->alloc.buffer, .offset = l->out->scratch_bytes};
    l->out->scratch_bytes += bytes_of(s->alloc.buffer);
    return emit_root(l, s->alloc.body);
  }
  int count = s->kind == TIR_BLOCK ? s->block.count : 1;
  struct tir_stmt *const *stmt = s->kind == TIR_BLOCK ? s->block.stmt : &s;
  for (int from = 0, to; from < count; from = to) {
    for (to = from + 1; to < count && result_of(stmt[to]) == result_of(stmt[from]); to++)
      ;
    if (emit_nest(l, &(struct nest){to - from, stmt + from}))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

enum tsr_status cuda__kernels(struct cuda__kernel *k, const struct tir_program *p,
                              const char *prefix, struct tsr_kernel_layer *out)
{
  struct layer l = {.k = k, .program = p, .prefix = prefix, .out = out};
  return emit_root(&l, p->body);
}

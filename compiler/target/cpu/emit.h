/* SPDX-License-Identifier: Apache-2.0 */
/* From a program to LLVM IR.
 *
 * A function is emitted as its loops stand. One loop around stores may run in *lanes*: then
 * e->width iterations are computed together, and every value is either one scalar, the same in all
 * lanes, or a vector of e->width elements. Buffers of bool hold bytes; values of bool are i1. */
#ifndef TSR_TARGET_CPU_EMIT_H
#define TSR_TARGET_CPU_EMIT_H

#include <llvm-c/Core.h>

#include "compiler/tir/tir_internal.h"
#include "native/level.h"

enum { CPU__MOST_DEPTH = 128, CPU__MOST_LANES = 64 };

/* Values of expressions that are there for whatever is emitted in this scope. */
struct cpu__scope {
  struct cpu__scope *outer;
  struct tir__map done;
};

/* A buffer in memory and where its address is. */
struct cpu__place {
  const struct tir_buffer *buffer;
  LLVMValueRef base;
  uint64_t offset; /* of a temporary, in the scratch memory */
};

struct cpu__emit {
  struct tsr_arena *arena;
  const struct tsr_level_info *level;
  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  LLVMValueRef function;
  LLVMBasicBlockRef entry;   /* where allocas go; its end is open until the function is done */
  LLVMBasicBlockRef outside; /* returns 1: an index was outside of its buffer */

  int places;
  size_t place_capacity;
  struct cpu__place *place; /* parameters, then temporaries */

  int depth; /* loops around, outer to inner */
  struct tir__range range[CPU__MOST_DEPTH];
  LLVMValueRef value[CPU__MOST_DEPTH]; /* i64; of the lane loop: lane 0 */
  const struct tir__fact *facts;

  const struct tir_var *lane; /* NULL: none */
  int width;
  LLVMValueRef mask; /* lanes that count; NULL: all */
  bool untiled;      /* reductions are emitted as they stand: the ends of a tiled one */
  struct cpu__scope *scope;
  struct tir__map varies; /* expressions that do, plus one, and those that don't; of this lane */
};

/* --- llvm.c: types and small instructions ----------------------------------------------------- */

LLVMTypeRef cpu__type(struct cpu__emit *e, enum tsr_dtype dtype);        /* of a value */
LLVMTypeRef cpu__memory_type(struct cpu__emit *e, enum tsr_dtype dtype); /* of an element */
LLVMTypeRef cpu__lanes_of(struct cpu__emit *e, LLVMTypeRef scalar);
LLVMValueRef cpu__i64(struct cpu__emit *e, int64_t value);
LLVMValueRef cpu__i32(struct cpu__emit *e, int32_t value);
bool cpu__is_lanes(LLVMValueRef v);
LLVMValueRef cpu__spread(struct cpu__emit *e, LLVMValueRef v); /* to lanes, if it is a scalar */
/* An integer or float constant of v's type, in all lanes. */
LLVMValueRef cpu__int_like(LLVMValueRef v, int64_t value);
LLVMValueRef cpu__float_like(LLVMValueRef v, double value);
/* Scalars next to lanes are spread. */
void cpu__same_form(struct cpu__emit *e, int n, LLVMValueRef *v);
LLVMValueRef cpu__intrinsic(struct cpu__emit *e, const char *name, int types, LLVMTypeRef *type,
                            int n, LLVMValueRef *arg);
/* An intrinsic overloaded by the type of its first argument. */
LLVMValueRef cpu__intrinsic_like(struct cpu__emit *e, const char *name, int n, LLVMValueRef *arg);
LLVMValueRef cpu__select(struct cpu__emit *e, LLVMValueRef c, LLVMValueRef x, LLVMValueRef y);
LLVMBasicBlockRef cpu__block(struct cpu__emit *e, const char *name);
LLVMValueRef cpu__local(struct cpu__emit *e, LLVMTypeRef type, const char *name); /* an alloca */

/* --- expr.c ----------------------------------------------------------------------------------- */

LLVMValueRef cpu__value(struct cpu__emit *e, tir_e x);
/* Whether x differs between lanes. */
bool cpu__varies(struct cpu__emit *e, tir_e x);
void cpu__scope_open(struct cpu__emit *e, struct cpu__scope *scope);
void cpu__scope_close(struct cpu__emit *e);
/* Nothing in x can go wrong, whatever conditions around it say. */
bool cpu__is_safe(struct cpu__emit *e, tir_e x);

/* --- ops.c, math.c: arguments of one form ----------------------------------------------------- */

LLVMValueRef cpu__cast(struct cpu__emit *e, enum tsr_dtype to, enum tsr_dtype from, LLVMValueRef v);
LLVMValueRef cpu__op(struct cpu__emit *e, enum tir_op op, enum tsr_dtype dtype, LLVMValueRef *arg);
LLVMValueRef cpu__math(struct cpu__emit *e, enum tir_op op, enum tsr_dtype dtype,
                       LLVMValueRef *arg);
LLVMValueRef cpu__combine(struct cpu__emit *e, enum tir_combine combine, enum tsr_dtype dtype,
                          LLVMValueRef old, LLVMValueRef value);
/* x * y + z, rounded once where the level can. */
LLVMValueRef cpu__multiply_add(struct cpu__emit *e, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z);

/* --- memory.c --------------------------------------------------------------------------------- */

/* Where an element is, by what its index does between lanes. */
struct cpu__address {
  enum { CPU__ONE, CPU__RUN, CPU__STEPS, CPU__SCATTERED } form;
  LLVMValueRef pointer; /* of lane 0; SCATTERED: of each lane */
  int64_t step;         /* STEPS: elements from one lane to the next */
};
/* Emits the check of what is not known to be inside. *guarded: not every lane may touch it. */
struct cpu__address cpu__address(struct cpu__emit *e, const struct tir_buffer *b,
                                 const tir_e *index, bool *guarded);
LLVMValueRef cpu__load(struct cpu__emit *e, tir_e x);
LLVMValueRef cpu__load_at(struct cpu__emit *e, enum tsr_dtype dtype, const struct cpu__address *at,
                          bool guarded);
void cpu__store_at(struct cpu__emit *e, enum tsr_dtype dtype, const struct cpu__address *at,
                   LLVMValueRef value);
/* Elements from one lane to the next; false where it is no constant. */
bool cpu__lane_step(struct cpu__emit *e, const struct tir_buffer *b, const tir_e *index,
                    int64_t *step);
/* Inside for all values of the loops around. */
bool cpu__always_inside(struct cpu__emit *e, const struct tir_buffer *b, const tir_e *index);

/* --- loops.c, vector.c, tile.c: statements ---------------------------------------------------- */

struct cpu__loop {
  LLVMBasicBlockRef head, done;
  LLVMValueRef counter, next_value; /* phi; counter + step */
};
/* for (counter = from; counter + step <= to; counter += step). The variable is bound to the counter
 * by the caller. */
struct cpu__loop cpu__loop_begin(struct cpu__emit *e, LLVMValueRef from, LLVMValueRef to,
                                 int64_t step);
void cpu__loop_end(struct cpu__emit *e, struct cpu__loop *loop, LLVMValueRef to, int64_t step);
/* The variable is in lo..hi, at `value`. */
void cpu__bind(struct cpu__emit *e, const struct tir_var *var, int64_t lo, int64_t hi,
               LLVMValueRef value);
void cpu__unbind(struct cpu__emit *e);
void cpu__stmt(struct cpu__emit *e, const struct tir_stmt *s);
void cpu__store(struct cpu__emit *e, const struct tir_stmt *s);
/* One loop, as it stands, with its fact; the body by `emit`. */
void cpu__for(struct cpu__emit *e, const struct tir_stmt *s);
/* The largest extent; 0 where nothing is known. */
int64_t cpu__most(struct cpu__emit *e, tir_e extent);

bool cpu__uses(tir_e x, const struct tir_var *var);
bool cpu__reads(tir_e x, const struct tir_buffer *b);
/* Lanes of a loop whose elements have these dtypes. */
int cpu__width_for(struct cpu__emit *e, const struct tir_stmt *store);

/* The loop in lanes, if its stores allow it; false: nothing was emitted. */
bool cpu__vector(struct cpu__emit *e, const struct tir_stmt *s);
/* A reduction whose results stay in registers; false: nothing was emitted. */
bool cpu__tile(struct cpu__emit *e, const struct tir_stmt *s);

/* --- emit.c ----------------------------------------------------------------------------------- */

/* Adds the function `name` to the module; *scratch_bytes is what it needs. */
void cpu__function(struct cpu__emit *e, const char *name, const struct tir_program *p,
                   uint64_t *scratch_bytes);

#endif

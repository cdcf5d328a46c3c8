/* SPDX-License-Identifier: Apache-2.0 */
/* From a program to LLVM IR.
 *
 * A function is emitted as its loops stand. One loop around stores may run in *lanes*: then
 * e->width iterations are computed together, and every value is either one scalar, the same in all
 * lanes, or a vector of e->width elements. Buffers of bool hold bytes; values of bool are i1. Halves
 * are i16: their bits. */
#ifndef TSR_TARGET_LLVM_EMIT_H
#define TSR_TARGET_LLVM_EMIT_H

#include <llvm-c/Core.h>

#include "compiler/tir/tir_internal.h"

enum { LLVM__MOST_DEPTH = 128, LLVM__MOST_LANES = 64 };

/* What of a processor the emission of code depends on. */
struct llvm__machine {
  int vector_bytes, registers; /* of one vector; of the vector file */
  bool fma;                    /* x * y + z rounded once */
  int lanes;                   /* of every vector; 0: as many as vector_bytes hold */
  int alignment;               /* bytes, of where buffers begin; 0: that of their elements */
  bool no_library;             /* there is no C library to call */
  unsigned constants;          /* the address space of tables */
  int unroll;     /* leaves' loops of so many iterations are laid out; 0: as LLVM does */
  bool quick_f64; /* lanes of f64 cost no more than those of i64 */
  bool f16;       /* instructions that convert f16 */
  bool dot;       /* sums of four products of bytes in one step */
  bool bf16;      /* of two of bf16 */
};

struct llvm__emit;

/* What the target makes of an intrinsic: `sum`, operand 0 as one vector, with what the call adds. */
typedef LLVMValueRef llvm__step(struct llvm__emit *e, const struct tir_stmt *call,
                                LLVMValueRef sum);

/* What the target makes of a loop that is marked parallel; false: nothing, it is run in order. */
typedef bool llvm__share(struct llvm__emit *e, const struct tir_stmt *loop);

/* What the target makes of a part that is to be a function of its own, so that nothing around it takes
 * its registers. */
typedef void llvm__emission(struct llvm__emit *e, void *context);
typedef void llvm__outline(struct llvm__emit *e, llvm__emission *emit, void *context);

/* Values of expressions that are there for whatever is emitted in this scope. */
struct llvm__scope {
  struct llvm__scope *outer;
  struct tir__map done;
};

/* A buffer in memory and where its address is. */
struct llvm__place {
  const struct tir_buffer *buffer;
  LLVMValueRef base;
  uint64_t offset; /* of a temporary, in the scratch memory */
  /* Bits 4 and up of a byte's offset, as many as the mask has, are exchanged with those from bit
   * `row` on, so that 16 bytes at one place of rows next to one another are in different banks. 0:
   * they are not. */
  int swizzle, row;
  bool is_private; /* a temporary of one thread's share of a parallel loop: each has its own */
};

struct llvm__emit;
typedef void llvm__emit_stmt(struct llvm__emit *e, const struct tir_stmt *s);

struct llvm__emit {
  struct tsr_arena *arena;
  struct llvm__machine machine;
  llvm__step *step;       /* NULL: a target without intrinsics */
  llvm__share *share;     /* NULL: without parallel loops */
  llvm__outline *outline; /* NULL: everything is one function */
  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  LLVMValueRef function;
  LLVMBasicBlockRef entry;   /* where allocas go; its end is open until the function is done */
  LLVMValueRef kept;         /* a value that the target's intrinsics made in `entry`; NULL: none */
  LLVMBasicBlockRef outside; /* returns 1: an index was outside of its buffer */
  llvm__emit_stmt *stmt;     /* of the bodies of loops and ifs */

  int places;
  size_t place_capacity;
  struct llvm__place *place; /* parameters, then temporaries */
  uint64_t private_bytes;    /* of temporaries of one thread */
  LLVMValueRef threads;      /* i64: how many there are; in the function that is called */
  bool shared;               /* in a parallel loop */
  int cut;                   /* loops around that are cut */

  int depth; /* loops around, outer to inner */
  struct tir__range range[LLVM__MOST_DEPTH];
  LLVMValueRef value[LLVM__MOST_DEPTH]; /* i64; of the lane loop: lane 0 */
  bool thread[LLVM__MOST_DEPTH];        /* the number of a thread, which has registers of its own */
  const struct tir__fact *facts;

  const struct tir_var *lane; /* NULL: none */
  int width;
  LLVMValueRef mask; /* lanes that count; NULL: all */
  struct llvm__scope *scope;
  struct tir__map varies; /* expressions that do, plus one, and those that don't; of this lane */
};

/* --- llvm.c: types and small instructions ----------------------------------------------------- */

LLVMTypeRef llvm__type(struct llvm__emit *e, enum tsr_dtype dtype);        /* of a value */
LLVMTypeRef llvm__memory_type(struct llvm__emit *e, enum tsr_dtype dtype); /* of an element */
LLVMTypeRef llvm__lanes_of(struct llvm__emit *e, LLVMTypeRef scalar);
LLVMValueRef llvm__i64(struct llvm__emit *e, int64_t value);
LLVMValueRef llvm__i32(struct llvm__emit *e, int32_t value);
LLVMValueRef llvm__float(struct llvm__emit *e, enum tsr_dtype dtype, double value);
bool llvm__is_lanes(LLVMValueRef v);
LLVMValueRef llvm__spread(struct llvm__emit *e, LLVMValueRef v); /* to lanes, if it is a scalar */
/* An integer or float constant of v's type, in all lanes. */
LLVMValueRef llvm__int_like(LLVMValueRef v, int64_t value);
LLVMValueRef llvm__float_like(LLVMValueRef v, double value);
/* Scalars next to lanes are spread. */
void llvm__same_form(struct llvm__emit *e, int n, LLVMValueRef *v);
LLVMValueRef llvm__intrinsic(struct llvm__emit *e, const char *name, int types, LLVMTypeRef *type,
                             int n, LLVMValueRef *arg);
/* An intrinsic overloaded by the type of its first argument. */
LLVMValueRef llvm__intrinsic_like(struct llvm__emit *e, const char *name, int n, LLVMValueRef *arg);
LLVMValueRef llvm__select(struct llvm__emit *e, LLVMValueRef c, LLVMValueRef x, LLVMValueRef y);
LLVMBasicBlockRef llvm__block(struct llvm__emit *e, const char *name);
LLVMValueRef llvm__local(struct llvm__emit *e, LLVMTypeRef type, const char *name); /* an alloca */

/* --- expr.c ----------------------------------------------------------------------------------- */

LLVMValueRef llvm__value(struct llvm__emit *e, tir_e x);
/* The same in a scope of its own, outside of any store. */
LLVMValueRef llvm__value_alone(struct llvm__emit *e, tir_e x);
/* Whether x differs between lanes. */
bool llvm__varies(struct llvm__emit *e, tir_e x);
void llvm__scope_open(struct llvm__emit *e, struct llvm__scope *scope);
void llvm__scope_close(struct llvm__emit *e);
/* Nothing in x can go wrong, whatever conditions around it say. */
bool llvm__is_safe(struct llvm__emit *e, tir_e x);

/* --- ops.c, half.c, math.c: arguments of one form ----------------------------------------------------- */

LLVMValueRef llvm__cast(struct llvm__emit *e, enum tsr_dtype to, enum tsr_dtype from,
                        LLVMValueRef v);
/* Of a half to f32, or to a half from f32 or f64. */
LLVMValueRef llvm__half_cast(struct llvm__emit *e, enum tsr_dtype to, enum tsr_dtype from,
                             LLVMValueRef v);
LLVMValueRef llvm__op(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype,
                      LLVMValueRef *arg);
LLVMValueRef llvm__math(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype,
                        LLVMValueRef *arg);
/* math64.c: without a C library. */
LLVMValueRef llvm__math64(struct llvm__emit *e, enum tir_op op, enum tsr_dtype dtype,
                          LLVMValueRef *arg);
/* trig.c: of f64. */
LLVMValueRef llvm__trigonometric(struct llvm__emit *e, LLVMValueRef x, bool cosine);
LLVMValueRef llvm__combine(struct llvm__emit *e, enum tir_combine combine, enum tsr_dtype dtype,
                           LLVMValueRef old, LLVMValueRef value);
/* What changes nothing. */
LLVMValueRef llvm__neutral(struct llvm__emit *e, enum tir_combine combine, enum tsr_dtype dtype);
/* x * y + z, rounded once where the machine can. */
LLVMValueRef llvm__multiply_add(struct llvm__emit *e, LLVMValueRef x, LLVMValueRef y,
                                LLVMValueRef z);

/* --- memory.c --------------------------------------------------------------------------------- */

/* Where an element is, by what its index does between lanes. */
struct llvm__address {
  enum { LLVM__ONE, LLVM__RUN, LLVM__STEPS, LLVM__SCATTERED } form;
  LLVMValueRef pointer; /* of lane 0; SCATTERED: of each lane */
  int64_t step;         /* STEPS: elements from one lane to the next */
  unsigned alignment;   /* bytes */
};
/* Emits the check of what is not known to be inside. *guarded: not every lane may touch it. */
struct llvm__address llvm__address(struct llvm__emit *e, const struct tir_buffer *b,
                                   const tir_e *index, bool *guarded);
LLVMValueRef llvm__base(struct llvm__emit *e, const struct tir_buffer *b);
/* Bytes that the address of lane 0 is a multiple of. */
unsigned llvm__alignment(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index);
/* The place of an element that is `more` (i64) behind the one at the index. */
LLVMValueRef llvm__element(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index,
                           LLVMValueRef more);
LLVMValueRef llvm__load(struct llvm__emit *e, tir_e x);
LLVMValueRef llvm__load_at(struct llvm__emit *e, enum tsr_dtype dtype,
                           const struct llvm__address *at, bool guarded);
void llvm__store_at(struct llvm__emit *e, enum tsr_dtype dtype, const struct llvm__address *at,
                    LLVMValueRef value);
/* Elements from one lane to the next; false where it is no constant. */
bool llvm__lane_step(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index,
                     int64_t *step);
/* Inside for all values of the loops around. */
bool llvm__always_inside(struct llvm__emit *e, const struct tir_buffer *b, const tir_e *index);

/* --- loops.c, cuts.c, transpose.c, vector.c, tile.c: statements ------------------------------- */

struct llvm__loop {
  LLVMBasicBlockRef head, done;
  LLVMValueRef counter, next_value; /* phi; counter + step */
};
/* for (counter = from; counter + step <= to; counter += step). The variable is bound to the counter
 * by the caller. */
struct llvm__loop llvm__loop_begin(struct llvm__emit *e, LLVMValueRef from, LLVMValueRef to,
                                   int64_t step);
void llvm__loop_end(struct llvm__emit *e, struct llvm__loop *loop, LLVMValueRef to, int64_t step);
/* The variable is in lo..hi, at `value`. */
void llvm__bind(struct llvm__emit *e, const struct tir_var *var, int64_t lo, int64_t hi,
                LLVMValueRef value);
void llvm__unbind(struct llvm__emit *e);
void llvm__stmt(struct llvm__emit *e, const struct tir_stmt *s);
void llvm__store(struct llvm__emit *e, const struct tir_stmt *s);
/* One loop, as it stands, with its fact. */
void llvm__for(struct llvm__emit *e, const struct tir_stmt *s);
void llvm__if(struct llvm__emit *e, const struct tir_stmt *s);
/* The largest extent; 0 where nothing is known. */
int64_t llvm__most(struct llvm__emit *e, tir_e extent);

/* Iterations of a loop at which conditions change: set var and extent. */
enum { LLVM__MOST_CUTS = 16, LLVM__MOST_INNER = 16 };
struct llvm__cuts {
  const struct tir_var *var;
  int64_t extent;
  int n;
  int64_t at[LLVM__MOST_CUTS]; /* ascending, inside of the loop */
  int inner;                   /* loops inside of it */
  const struct tir_var *inner_var[LLVM__MOST_INNER];
  int64_t inner_most[LLVM__MOST_INNER];
};
void llvm__cut_value(struct llvm__cuts *c, tir_e x);
/* false: s is more than loops around stores. */
bool llvm__cut_stmt(struct llvm__cuts *c, const struct tir_stmt *s);

bool llvm__uses(tir_e x, const struct tir_var *var);
bool llvm__reads(tir_e x, const struct tir_buffer *b);
/* Lanes of a loop whose elements have these dtypes. */
int llvm__width_for(struct llvm__emit *e, const struct tir_stmt *store);

/* A copy of rows to columns; false: nothing was emitted. */
bool llvm__transpose(struct llvm__emit *e, const struct tir_stmt *s);
/* The loop in lanes, if its stores allow it; false: nothing was emitted. */
bool llvm__vector(struct llvm__emit *e, const struct tir_stmt *s);
/* A reduction whose results stay in registers; false: nothing was emitted. init: the loops before it
 * that have to be those of its initial values, which it takes over; NULL: it adds to what is there. */
bool llvm__tile(struct llvm__emit *e, const struct tir_stmt *s, const struct tir_stmt *init);

#endif

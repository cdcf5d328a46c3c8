/* SPDX-License-Identifier: Apache-2.0 */
/* Tensor IR: what an op computes (stages), how it is to be computed (a schedule), and the loops that come
 * of both (a program).
 *
 *   struct tir_func      stages in producer-to-consumer order, each a *compute*: one output element as an
 *                        expression of input elements. Stated once per op; never changed.
 *   struct tir_sched     a func plus scheduling decisions: lines of text, applied one by one
 *   struct tir_program   loop nests over buffers, made by tir_lower(); any schedule of a func computes the
 *                        same bits as the default one (integer sums wrap, so they commute; a schedule that
 *                        would reorder a float reduction is refused)
 *
 * Each of func and program prints, parses, verifies and runs in the interpreter. Everything lives in the
 * arena that made it. */
#ifndef TSR_COMPILER_TIR_H
#define TSR_COMPILER_TIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/tensor.h"

enum tir_op {
#define TIR_OP(name, text, form, args, meaning) TIR_##name,
#include "compiler/tir/ops.def"
#undef TIR_OP
  TIR_OP_COUNT
};

/* Where a buffer lives. GLOBAL is DRAM. The accelerator's scratchpads are scopes of their own; LOCAL is a
 * temporary of the CPU; SHARED is a GPU block's memory, REGISTER that of its threads: each thread
 * has the elements that it writes. Text: "global", "inp", ... */
enum tir_scope {
  TIR_GLOBAL, TIR_LOCAL, TIR_INP, TIR_WGT, TIR_ACC, TIR_OUT, TIR_LUT_SCOPE, TIR_SHARED,
  TIR_REGISTER, TIR_SCOPE_COUNT
};

struct tir_var {
  const char *name; /* unique in its func or program; [A-Za-z_][A-Za-z0-9_.]* */
};

struct tir_buffer {
  const char *name;
  enum tsr_dtype dtype;
  enum tir_scope scope;
  int rank; /* 0..TSR_MAX_RANK */
  int64_t dims[TSR_MAX_RANK];
};

struct tir_expr {
  uint8_t op;    /* enum tir_op */
  uint8_t dtype; /* enum tsr_dtype */
  uint8_t args;  /* of LOAD: the indices */
  union {
    int64_t i;                       /* INT */
    double f;                        /* FLOAT */
    const struct tir_var *var;       /* VAR */
    const struct tir_buffer *buffer; /* LOAD */
  };
  const struct tir_expr *arg[];
};
typedef const struct tir_expr *tir_e;

/* Building expressions. Constants fold, x+0, x*1, x*0 (integers) simplify; operands of a binary operation
 * must have one dtype (assert). Index arithmetic is i64. */
tir_e tir_int(struct tsr_arena *a, enum tsr_dtype dtype, int64_t value);
tir_e tir_index(struct tsr_arena *a, int64_t value); /* i64 */
tir_e tir_float(struct tsr_arena *a, enum tsr_dtype dtype, double value);
tir_e tir_use(struct tsr_arena *a, const struct tir_var *var);
tir_e tir_load(struct tsr_arena *a, const struct tir_buffer *b, const tir_e *index); /* b->rank of them */
tir_e tir_cast(struct tsr_arena *a, enum tsr_dtype dtype, tir_e x); /* a half's by way of f32 */
tir_e tir_unary(struct tsr_arena *a, enum tir_op op, tir_e x);
tir_e tir_binary(struct tsr_arena *a, enum tir_op op, tir_e x, tir_e y);
tir_e tir_select(struct tsr_arena *a, tir_e c, tir_e x, tir_e y);
tir_e tir_quant(struct tsr_arena *a, tir_e acc, tir_e bias, tir_e multiplier, tir_e packed);
/* x with each of n variables replaced. */
tir_e tir_substitute(struct tsr_arena *a, tir_e x, int n, const struct tir_var *const *vars,
                     const tir_e *with);

/* Same structure: same op, dtype, constants, variables, buffers and arguments. */
bool tir_same(tir_e x, tir_e y);

/* x as c0 + sum(coefficient[k] * vars[k]); false when it is not affine in exactly these variables. */
bool tir_affine(tir_e x, int n, const struct tir_var *const *vars, int64_t *constant,
                int64_t *coefficient);
/* The value of an integer expression of variables whose values are given; false when it loads. */
bool tir_evaluate(tir_e x, int n, const struct tir_var *const *vars, const int64_t *values,
                  int64_t *out);

/* --- computes ------------------------------------------------------------------------------------- */

enum tir_combine { TIR_ASSIGN, TIR_SUM, TIR_PRODUCT, TIR_MAXIMUM, TIR_MINIMUM };

struct tir_axis {
  const struct tir_var *var; /* from 0 */
  int64_t extent;            /* >= 1 (0 allowed for empty tensors: nothing is computed) */
};

/* out[spatial axes] = value                                   (ASSIGN, no reduce axes)
 * out[spatial axes] = init combine (over reduce axes) value   (else)
 * The first out->rank axes are spatial and have the extents of out; the rest are reduce axes. */
struct tir_stage {
  const char *name;
  struct tir_buffer *out; /* never read by its own value */
  enum tir_combine combine;
  int axes;
  struct tir_axis axis[2 * TSR_MAX_RANK];
  tir_e init, value; /* init: NULL for ASSIGN */
};

struct tir_func {
  const char *name;
  int params; /* buffers of the caller: inputs first, then outputs */
  int inputs;
  struct tir_buffer **param;
  int stages; /* each reads params that are inputs and outputs of earlier stages */
  struct tir_stage **stage;
};

/* Building a func: open, add buffers and stages, close. Names must be unique. */
struct tir_func *tir_func_new(struct tsr_arena *a, const char *name);
struct tir_buffer *tir_func_input(struct tsr_arena *a, struct tir_func *f, const char *name,
                                  enum tsr_dtype dtype, int rank, const int64_t *dims);
struct tir_buffer *tir_func_output(struct tsr_arena *a, struct tir_func *f, const char *name,
                                   enum tsr_dtype dtype, int rank, const int64_t *dims);
/* A buffer between stages. */
struct tir_buffer *tir_func_temp(struct tsr_arena *a, struct tir_func *f, const char *name,
                                 enum tsr_dtype dtype, int rank, const int64_t *dims);
/* A stage that computes `out`; its spatial axes are made here, named by `axis_names` (space-separated,
 * spatial then reduce; prefixed by "STAGE." to be unique: "conv.oh"), reduce extents given. After it set
 * ->value (and ->combine, ->init) using tir_axis_use(). */
struct tir_stage *tir_func_stage(struct tsr_arena *a, struct tir_func *f, const char *name,
                                 struct tir_buffer *out, const char *axis_names, int reduce_axes,
                                 const int64_t *reduce_extents);
tir_e tir_axis_use(struct tsr_arena *a, const struct tir_stage *s, int axis); /* its variable */
const char *tir_axis_name(const struct tir_stage *s, int axis); /* without the stage's */

/* Appends a copy of s, a stage of another func, named `name`. buffer() gives what takes the place of each
 * buffer that s computes or reads. */
struct tir_stage *tir_func_adopt(struct tsr_arena *a, struct tir_func *f, const char *name,
                                 const struct tir_stage *s,
                                 struct tir_buffer *(*buffer)(void *context,
                                                              const struct tir_buffer *b),
                                 void *context);
/* The number of leading dims along which s reads b at its own place only: index d of every load is axis d,
 * or the one element that there is. b's rank where s reads b element by element, and where it does not. */
int tir_stage_aligned(const struct tir_stage *s, const struct tir_buffer *b);
bool tir_same_dims(const struct tir_buffer *x, const struct tir_buffer *y);
/* The most leading axes, at least one and not all, that all stages share: each computes an element, or
 * reduces to one, of a row of its own and reads of other stages that row only, as in a softmax. 0: none, or no
 * stage reduces. */
int tir_func_rows(const struct tir_func *f);

/* Checks dtypes, ranks, axis use, order of stages, output written once, and that every index is provably
 * inside its buffer (interval analysis, with the conditions of enclosing selects; where it is not
 * provable, e.g. data-dependent gathers, the interpreter checks at run time). Bug reports, not user
 * input: but parsed text is verified with this too, hence sentences. */
enum tsr_status tir_func_verify(struct tsr_err *err, const struct tir_func *f);
char *tir_func_print(struct tsr_arena *a, const struct tir_func *f);
/* Parses one func, which is all of the text. */
enum tsr_status tir_func_parse(struct tsr_arena *a, struct tsr_err *err, const char *name,
                               const char *text, struct tir_func **out);

/* Several funcs of one output each as one, in which later parts read what earlier ones compute. Its inputs
 * are those of the parts in their order, less the ones that a part makes; its output is the last part's.
 * All names of a part get its suffix, which makes them unique. */
struct tir_part {
  const struct tir_func *func;
  const char *suffix;
  const int *from; /* of each input: the part that makes it, an earlier one; -1: it stays an input */
  bool wide; /* its result, which is i8(quant(...)), stays i32 between the parts, and so do copies of it:
              * the same numbers, since quant's are those of int8 */
};
struct tir_func *tir_func_join(struct tsr_arena *a, const char *name, int parts,
                               const struct tir_part *part);
bool tir_func_widens(const struct tir_func *f); /* whether its result is i8(quant(...)) */

/* A func of one output, of which parameter k lies inside of a larger buffer where border[k] is not NULL: an
 * integer, `value`, is around it. A stage that pads its input with that value reads the larger buffer instead,
 * as far as it goes. A stage `name`, which also names the larger output, lays the result into it. */
struct tir_border {
  enum tir_scope scope;
  int64_t before[TSR_MAX_RANK], after[TSR_MAX_RANK];
  int64_t value;
};
struct tir_func *tir_func_embed(struct tsr_arena *a, const struct tir_func *f,
                                const struct tir_border *const *border, const char *name);
/* Where in the output's buffer a func has its result, and of which dims: all of it, but for what is around one
 * that was embedded. */
void tir_func_result(const struct tir_func *f, int64_t *before, int64_t *dims);

/* --- intrinsics ------------------------------------------------------------------------------------ */

/* What hardware does in one step, declared in tensor IR: one stage over operand buffers whose scopes,
 * dtypes and dims are part of the match. operand[0] is written. tensorize/ declares and matches them. */
struct tir_intrin {
  const char *name;            /* "accel.gemm" */
  const struct tir_func *func; /* params: inputs = operands 1.., output = operand 0; one stage */
  bool accumulates;            /* operand 0 is also read: out = out combine value */
  /* Which lane of a warp holds an element of operand 0, whose last two dims these count; thread.x is
   * the lane modulo 4. NULL: all do, or there are no lanes. */
  int (*lane)(int64_t row, int64_t column);
};

/* --- loops ----------------------------------------------------------------------------------------- */

enum tir_stmt_kind { TIR_FOR, TIR_STORE, TIR_BLOCK, TIR_ALLOC, TIR_CALL, TIR_IF, TIR_BARRIER,
                     TIR_COMMIT, TIR_WAIT };
enum tir_loop_kind { TIR_SERIAL, TIR_UNROLL, TIR_PIPELINE, TIR_PARALLEL, TIR_BOUND };

/* Whose number a bound loop's variable is: iteration i is done by block, or thread, i. */
enum tir_bind {
  TIR_BLOCK_X, TIR_BLOCK_Y, TIR_BLOCK_Z, TIR_THREAD_X, TIR_THREAD_Y, TIR_THREAD_Z, TIR_BIND_COUNT
};

struct tir_stmt {
  enum tir_stmt_kind kind;
  union {
    struct { /* for var in 0..extent; extent may depend on outer variables (the last tile of a split) */
      const struct tir_var *var;
      tir_e extent;
      enum tir_loop_kind loop;
      int depth;               /* PIPELINE: buffers in flight */
      enum tir_bind bind;      /* BOUND */
      const char *stage;       /* whose loop it is */
      struct tir_stmt *body;
    } f;
    struct { /* buffer[index] = value, or combined with what is there */
      const struct tir_buffer *buffer;
      enum tir_combine combine;
      tir_e *index;            /* buffer->rank */
      tir_e value;
      bool async;              /* arrives when its group is waited for: COMMIT ends a group of these */
    } store;
    struct {
      int count;
      struct tir_stmt **stmt;
    } block;
    struct { /* buffer lives for body; dims are the largest that any iteration needs */
      const struct tir_buffer *buffer;
      struct tir_stmt *body;
    } alloc;
    struct { /* one step of an intrinsic on sub-boxes of buffers */
      const struct tir_intrin *intrin;
      const struct tir_stmt *semantics; /* the loops it stands for, as stores: what the interpreter runs */
      int operands;
      const struct tir_buffer **buffer; /* operand k is buffer[k] from element index[k][...], */
      tir_e **index;                    /* the intrinsic's dims being the buffer's last ones */
      bool init;  /* the first step of a reduction: out = init combine value, old content not read */
      tir_e first; /* init is meant only where this holds (reduce loops at 0); NULL: never. bool */
    } call;
    struct {
      tir_e condition;
      struct tir_stmt *body;
    } when;
    int groups; /* WAIT: until at most so many groups of async stores are under way */
  };
};

struct tir_program {
  const char *name;
  int params, inputs;
  struct tir_buffer **param;
  struct tir_stmt *body;
};

char *tir_program_print(struct tsr_arena *a, const struct tir_program *p);
enum tsr_status tir_program_parse(struct tsr_arena *a, struct tsr_err *err, const char *name,
                                  const char *text, struct tir_program **out); /* no CALLs */
enum tsr_status tir_program_verify(struct tsr_err *err, const struct tir_program *p);

/* --- schedules ------------------------------------------------------------------------------------- */

struct tir_sched;

struct tir_sched *tir_sched_new(struct tsr_arena *a, const struct tir_func *f);

/* Applies one line; refuses with a sentence what is illegal, leaving the schedule as it was. S is a stage,
 * L a loop of that stage (an axis name without the "S." prefix, or one made by split/fuse), N a number:
 *
 *   split S L N OUTER INNER       OUTER of ceil(extent/N), INNER of min(N, what is left)
 *   fuse S OUTER INNER NEW        of adjacent loops of constant extent
 *   reorder S L1 L2 ...           the named loops, in this order, in the places they take now
 *   unroll S L                    annotation
 *   parallel S L                  annotation; of a spatial loop
 *   bind S L PLACE                block.x, ... thread.z: iterations are those of blocks or threads
 *   pipeline S L N                buffers of stages attached in L are N-fold: iteration i uses copy i mod N
 *   compute_at S CONSUMER L       compute what one iteration of CONSUMER's loop L needs there; region by
 *                                 interval analysis; S's buffer shrinks to it
 *   inline S                      S's value is substituted into its consumers (ASSIGN only)
 *   cache_read BUFFER SCOPE S NEW  new stage NEW copies BUFFER to SCOPE; S reads the copy
 *   cache_write S SCOPE NEW       S computes into SCOPE; new stage NEW copies it to S's old buffer. For a
 *                                 stage whose buffer is an output or a temp
 *   set_scope S SCOPE             S's buffer (a temp) lives in SCOPE
 *   pad S L N                     S's buffer and loop L (a spatial axis) are rounded up to a multiple of N;
 *                                 what lies behind the end is computed as zero; S must be a temp
 *   tensorize S L INTRINSIC       loop L and all inside are the intrinsic's; the matcher maps them
 *
 * Tensorize is resolved through `tir_sched_intrinsics` (set by the caller), so that tensor IR knows no
 * target. */
enum tsr_status tir_sched_apply(struct tir_sched *s, struct tsr_err *err, const char *line);
enum tsr_status tir_sched_do(struct tir_sched *s, struct tsr_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Every line applied so far, one a line: replaying them on the same func gives the same program. */
const char *tir_sched_text(const struct tir_sched *s);

/* The matcher's side of `tensorize`. `match` gets the stage's update below loop L (the loops' variables and
 * extents, outer to inner, and the store with buffers after caching) and the intrinsic's name, and fills
 * operand buffers and base indices (inner variables at 0), or refuses with the reason. */
struct tir_match {
  int loops;                             /* in: the inner loops, outer to inner */
  const struct tir_var *const *var;
  const tir_e *extent;
  const struct tir_buffer *out;          /* in: out[index] combine= value */
  enum tir_combine combine;
  const tir_e *index;
  tir_e init, value;
  const struct tir_intrin *intrin;       /* out */
  int operands;
  const struct tir_buffer *buffer[8];
  tir_e base[8][TSR_MAX_RANK];
};
struct tir_intrinsics {
  enum tsr_status (*match)(struct tsr_arena *a, struct tsr_err *err, const void *context,
                           const char *name, struct tir_match *m);
  const void *context;
};
void tir_sched_intrinsics(struct tir_sched *s, const struct tir_intrinsics *intrinsics);

/* The loops of a schedule. */
enum tsr_status tir_lower(struct tsr_arena *a, struct tsr_err *err, const struct tir_sched *s,
                          struct tir_program **out);

/* --- interpreter ----------------------------------------------------------------------------------- */

/* Compiles a program to register code, once, and runs it many times: the oracle for every target.
 * Out-of-bounds accesses are refused with a sentence, never executed. */
struct tir_code;
enum tsr_status tir_code_new(struct tsr_arena *a, struct tsr_err *err, const struct tir_program *p,
                             struct tir_code **out);
/* params: pointers to dense row-major data of each parameter, inputs then outputs. Temporaries come from
 * `scratch` (an arena of the caller's, to be freed after). */
enum tsr_status tir_code_run(const struct tir_code *code, struct tsr_arena *scratch,
                             struct tsr_err *err, void *const *params);

/* The same, slowly, as a GPU would run it: refuses races between threads and between blocks of one
 * kernel, which is a nest at the root, and reads of another thread's registers. */
enum tsr_status tir_emulate(struct tsr_arena *scratch, struct tsr_err *err,
                            const struct tir_program *p, void *const *params);

/* Default schedule, lower, compile, run: one call for tests and folding. */
enum tsr_status tir_func_run(struct tsr_arena *a, struct tsr_err *err, const struct tir_func *f,
                             void *const *params);

const char *tir_op_text(enum tir_op op);
const char *tir_scope_name(enum tir_scope scope);
bool tir_scope_from_name(const char *name, enum tir_scope *out);
const char *tir_bind_name(enum tir_bind bind);
bool tir_bind_from_name(const char *name, enum tir_bind *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef TSR_COMPILER_TIR_INTERNAL_H
#define TSR_COMPILER_TIR_INTERNAL_H

#include "compiler/tir/tir.h"

enum tir__form { TIR__LEAF, TIR__INFIX, TIR__PREFIX, TIR__CALL };

struct tir__op {
  const char *name, *text; /* "ADD", "+" */
  enum tir__form form;
  int args; /* -1: of LOAD */
};
extern const struct tir__op tir__ops[TIR_OP_COUNT];

/* [A-Za-z_][A-Za-z0-9_.]*, at most 255 characters, and no word of the language. */
bool tir__name_ok(const char *name);
bool tir__is_float(enum tsr_dtype dtype);
double tir__rounded(enum tsr_dtype dtype, double value); /* to a value of this float dtype */
bool tir__is_int(tir_e x, int64_t value); /* the integer constant */
/* The dtype that `op` gives for arguments of these dtypes; false where it takes no such arguments.
 */
bool tir__result_dtype(enum tir_op op, int n, tir_e const *arg, enum tsr_dtype *out);

void tir__func_add_stage(struct tsr_arena *a, struct tir_func *f, struct tir_stage *s);

/* x as constant + sum(coefficient * atom), modulo 2^bits of x's dtype; atoms are whatever is not a
 * sum, a difference or a product with a constant. false: more than TIR__TERMS atoms. */
enum { TIR__TERMS = 32 };
struct tir__linear {
  int64_t constant;
  int n;
  tir_e atom[TIR__TERMS];
  int64_t coefficient[TIR__TERMS];
};
bool tir__linear(tir_e x, struct tir__linear *out);
bool tir__linear_add(struct tir__linear *sum, tir_e x,
                     int64_t coefficient); /* sum += coefficient * x */

/* lo <= x <= hi when each variable is in its range, whatever buffers hold. false: x is no integer
 * expression, or nothing is known. Sound, exact for affine x; terms that cancel, cancel. */
struct tir__range {
  const struct tir_var *var;
  int64_t lo, hi; /* inclusive, lo <= hi */
};
bool tir__interval(tir_e x, int n, const struct tir__range *r, int64_t *lo, int64_t *hi);

/* What is known where an expression is evaluated: conditions of selects and ifs around it, and
 * loops (var < condition) whose extents vary. Innermost first. */
struct tir__fact {
  const struct tir__fact *outer;
  tir_e var, condition; /* var NULL: a bool condition */
  bool negated;
};
/* Whether 0 <= x < extent follows, given that x's own sums don't wrap. */
bool tir__proves_inside(tir_e x, int64_t extent, int n, const struct tir__range *range,
                        const struct tir__fact *facts);

/* A map from pointers to pointers, in an arena; zero it to begin. */
struct tir__map {
  size_t count, capacity; /* capacity: a power of two or 0 */
  struct tir__map_entry {
    const void *key;
    const void *value;
  } *entry;
};
const void *tir__map_get(const struct tir__map *m, const void *key); /* NULL: not there */
void tir__map_put(struct tsr_arena *a, struct tir__map *m, const void *key, const void *value);

/* The meaning of each op: out[i] = op(arg[0][i], ...) for n elements of C arrays. out overlaps
 * nothing. Constant folding, tir_evaluate and the interpreter all call these. NULL: no such op on
 * that dtype. */
typedef void tir__kernel(void *out, const void *const *arg, int64_t n);
tir__kernel *tir__op_kernel(enum tir_op op,
                            enum tsr_dtype dtype); /* of arg[1] for SELECT, else arg[0] */
tir__kernel *tir__cast_kernel(enum tsr_dtype to, enum tsr_dtype from); /* NULL: by way of f32 */

#endif

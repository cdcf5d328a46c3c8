/* SPDX-License-Identifier: Apache-2.0 */
/* Register code of the interpreter.
 *
 * A register is an array of up to TIR__LANES elements. Code is straight-line segments between
 * control instructions; a segment evaluates one store for all *lanes* at once: the iterations of
 * the innermost loops around it, as many as fit. What is the same in all lanes is computed once, as
 * an array of one element. So each instruction costs one dispatch for hundreds of elements, and the
 * C compiler vectorizes its loop.
 *
 * Loop variables live in slots. An address that is affine in them is a scalar (AFFINE: slots times
 * coefficients) plus a table of the lanes' offsets, made at compile time. */
#ifndef TSR_COMPILER_TIR_CODE_H
#define TSR_COMPILER_TIR_CODE_H

#include "compiler/tir/tir_internal.h"

enum { TIR__LANES = 1024, TIR__LANE_LOOPS = 16, TIR__NONE = -1 };

enum tir__insn_op {
  TIR__LOOP,       /* slot = 0, limit = a; jumps when limit <= 0 */
  TIR__NEXT,       /* slot++; jumps while slot < limit */
  TIR__CHUNK,      /* as LOOP, and n = min(rows, limit - slot) * inner lanes */
  TIR__CHUNK_NEXT, /* slot += rows; jumps while slot < limit, with n as above */
  TIR__TEST,       /* jumps when a is false */
  TIR__ZERO,       /* clears a buffer */
  TIR__AFFINE,     /* dst = constant + sum(coefficient * slot), one i64 */
  TIR__SPREAD,     /* dst = a's one element in all lanes */
  TIR__INDEX,      /* dst = a + table[lane], i64 */
  TIR__LOAD,       /* dst = buffer[a + table[lane]]; where the mask is false: 0, and no access */
  TIR__GATHER,     /* dst = buffer[a[lane]]; likewise */
  TIR__CHECK,      /* refuses where 0 <= a < extent is false and the mask is not */
  TIR__KERNEL,     /* dst = kernel(a, b, c, d) */
  TIR__STORE,      /* buffer[a + table[lane]] combine= b */
  TIR__SCATTER,    /* buffer[a[lane]] combine= b */
};

struct tir__term {
  int64_t slot, coefficient;
};

/* Where the lanes of an access lie, in bytes from the first one: one offset per `unit` bytes, which
 * may hold several lanes. */
struct tir__table {
  bool contiguous;
  int unit; /* 1, 2, 4, 8, 16 */
  const int64_t *offset;
};

typedef void tir__accumulator(void *base, const int64_t *offset, const void *value, int64_t n,
                              int64_t run);

struct tir__insn {
  uint8_t op; /* enum tir__insn_op */
  bool lanes; /* n elements; else one */
  uint8_t size; /* bytes of an element */
  uint8_t kind; /* enum tsr_dtype */
  int dst, arg[4], mask; /* registers or TIR__NONE */
  int buffer, slot, jump, terms;
  int dimension;    /* of CHECK: which index */
  int64_t constant; /* AFFINE: summand; CHECK: extent; STORE: lanes that share an element, 0 = all */
  int64_t rows, inner;
  const struct tir__term *term;
  const struct tir__table *table; /* NULL: all lanes at one place */
  tir__kernel *kernel;
  tir__accumulator *accumulate; /* NULL: assigns */
};

struct tir_code {
  const char *name;
  int params, buffers;
  const struct tir_buffer **buffer; /* params first, then what ALLOCs make */
  int insns, registers, constants, slots;
  struct tir__insn *insn;
  void **constant; /* register number `registers` + k: all lanes filled */
};

tir__accumulator *tir__accumulator_of(enum tir_combine combine, enum tsr_dtype dtype);

/* Virtual registers count from 0 in each segment; constants from here, in all of them. */
enum { TIR__FIRST_CONSTANT = 1 << 28 };

/* --- compiling ------------------------------------------------------------------------------- */

/* Under which condition lanes count: the conjunction of its own and the outer masks'. */
struct tir__mask {
  const struct tir__mask *outer;
  tir_e condition;
  bool negated;
  int reg;             /* NONE: not computed yet */
  struct tir__map done; /* registers of expressions evaluated under it, plus one */
};

struct tir__place { /* where a loop variable's value is */
  int slot; /* NONE: in the lanes only */
  int lane; /* which lane loop; NONE: the same in all lanes */
};

struct tir__emit {
  struct tsr_arena *arena;
  struct tir_code *code;
  size_t insn_capacity, buffer_capacity, constant_capacity, lanes_capacity;
  struct tir__made_constant {
    size_t size;
    uint64_t bits;
  } *constant;
  struct tir__map buffers; /* numbers, plus one */

  int depth; /* the loops around: range[i].var is at place[i] */
  size_t range_capacity, place_capacity;
  struct tir__range *range;
  struct tir__place *place;
  const struct tir__fact *facts; /* of loops whose extents vary */

  int lane_loops;          /* of this segment */
  int64_t lane_extent[TIR__LANE_LOOPS];

  int segment, values;      /* first instruction; virtual registers so far */
  size_t value_capacity;
  struct tir__value {
    bool lanes;
    uint8_t size; /* of an element */
  } *value; /* of each virtual register */
  struct tir__mask *always; /* of this segment */
  struct tir__map risky;    /* which expressions load what is not provably inside */
  size_t table_capacity;
  int tables;
  struct tir__made_table {
    int64_t coefficient[TIR__LANE_LOOPS];
    int size;
    bool whole;
    const struct tir__table *table;
  } *table;
};

void tir__segment_begin(struct tir__emit *e);
void tir__segment_end(struct tir__emit *e); /* gives real registers to the segment's instructions */
struct tir__insn *tir__emit_insn(struct tir__emit *e, struct tir__insn insn);
int tir__emit_value(struct tir__emit *e, tir_e x, struct tir__mask *mask);
int tir__emit_lanes(struct tir__emit *e, int reg); /* the same value in every lane */
bool tir__emit_is_lanes(const struct tir__emit *e, int reg);
struct tir__mask *tir__emit_mask(struct tir__emit *e, struct tir__mask *outer, tir_e condition,
                                 bool negated);
void tir__emit_store(struct tir__emit *e, const struct tir_stmt *s, struct tir__mask *mask);
int tir__buffer_number(struct tir__emit *e, const struct tir_buffer *b);

/* fission.c: v as a block of loops that compute the same; NULL: left as it is. */
const struct tir_stmt *tir__fission(struct tsr_arena *a, const struct tir_stmt *v);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of compiler/graph share. */
#ifndef TSR_COMPILER_GRAPH_PRIVATE_H
#define TSR_COMPILER_GRAPH_PRIVATE_H

#include "compiler/graph/graph.h"

/* --- names.c: the names of a graph's values, or of its nodes --------------------------------------- */

struct tsr__names;

struct tsr__names *tsr__names_new(struct tsr_arena *a);
void *tsr__names_find(const struct tsr__names *names, const char *name); /* NULL: none has it */
/* Adds `thing` under the first free name of wanted, wanted.1, wanted.2, ... and returns that name. */
const char *tsr__names_add(struct tsr__names *names, const char *wanted, void *thing);

/* --- map.c: from addresses to addresses ------------------------------------------------------------- */

struct tsr__map;

struct tsr__map *tsr__map_new(struct tsr_arena *a);
const void *tsr__map_get(const struct tsr__map *map, const void *key); /* NULL: not there */
void tsr__map_put(struct tsr__map *map, const void *key, const void *value);

/* --- text.c ---------------------------------------------------------------------------------------- */

bool tsr__bare_name(const char *name); /* prints without quotes */

/* --- infer*.c: the types of a node's outputs from those of its inputs ------------------------------- */

struct tsr__type {
  enum tsr_dtype dtype;
  int rank;
  int64_t dims[TSR_MAX_RANK];
};

/* One node's inference. All present inputs are typed; out[k] starts with the type of input 0. */
struct tsr__infer {
  struct tsr_err *err;
  struct tsr_arena *scratch;
  const struct tsr__map *known; /* value -> elements, of values that shapes depend on */
  const struct tsr_node *n;
  struct tsr__type *out;
};

struct tsr__infer_row {
  enum tsr_status (*infer)(struct tsr__infer *c);
  unsigned known; /* bit k: the outputs' shape depends on the elements of input k */
};
extern const struct tsr__infer_row tsr__infer_rows[TSR_GOP_COUNT];

#define TSR__INFER(name, known) enum tsr_status tsr__infer_##name(struct tsr__infer *c);
#include "compiler/graph/infer.def"
#undef TSR__INFER

/* "node 'conv1' (Conv): ..." */
enum tsr_status tsr__refuse_node(struct tsr_err *err, const struct tsr_node *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline bool tsr__has(const struct tsr__infer *c, int k)
{
  return k < c->n->inputs && c->n->in[k];
}

/* Input k's shape as text, in the scratch arena. */
const char *tsr__shape(const struct tsr__infer *c, int k);
/* Input k with its elements; refuses what is not a constant. `what` names it. */
enum tsr_status tsr__known(const struct tsr__infer *c, int k, const char *what, struct tsr_tensor *out);
/* The elements of input k as integers, at most `most`. */
enum tsr_status tsr__known_ints(const struct tsr__infer *c, int k, const char *what, int most,
                                int64_t *out, int *count);
/* An axis in [-rank, rank) made one in [0, rank). */
enum tsr_status tsr__axis(const struct tsr__infer *c, int64_t axis, int rank, int *out);
/* out[0] = dims broadcast over inputs first..last (those present); dtype is left alone. */
enum tsr_status tsr__broadcast(struct tsr__infer *c, int first, int last);
/* Refuses input k when its dtype is none of the kinds; a mask of the next constants. */
enum { TSR__FLOATS = 1, TSR__INTS = 2, TSR__BOOLS = 4, TSR__BYTES = 8, TSR__ANY = 15 };
enum tsr_status tsr__want(const struct tsr__infer *c, int k, unsigned kinds);
enum tsr_status tsr__same_dtype(const struct tsr__infer *c, int j, int k);

/* Infers node after node and hands each to `each`; the graph itself is not changed here. */
enum tsr_status tsr__infer_each(struct tsr_err *err, struct tsr_arena *scratch,
                                const struct tsr_graph *g, void *context,
                                enum tsr_status (*each)(void *context, const struct tsr__infer *c));
/* Types the outputs of one node whose inputs are typed and whose shape operands are constants. */
enum tsr_status tsr__type_node(struct tsr_err *err, struct tsr_graph *g, struct tsr_node *n);
/* The elements of a Shape's or Size's output; false for other nodes. */
bool tsr__shape_elements(const struct tsr_node *n, struct tsr_tensor *t);

/* Types and shapes of QConv's and QDense's operands behind the window's. */
enum tsr_status tsr__quant_operands(struct tsr__infer *c);

/* The geometry of a convolution's or pool's windows, from attributes or their defaults. */
struct tsr__window {
  int spatial; /* rank - 2 */
  int64_t kernel[TSR_MAX_RANK], strides[TSR_MAX_RANK], dilations[TSR_MAX_RANK];
  int64_t pads[2 * TSR_MAX_RANK]; /* begins, then ends; auto_pad already resolved */
};

/* kernel: dims of the kernel where a weight says them, else NULL for attribute `kernel_shape`. */
enum tsr_status tsr__window_of(const struct tsr__infer *c, const int64_t *kernel, struct tsr__window *w);
/* Replaces attribute auto_pad of a typed node by the pads it stands for. */
enum tsr_status tsr__settle_pads(struct tsr_err *err, struct tsr_graph *g, struct tsr_node *n);

/* --- evaluate.c: nodes of constants ----------------------------------------------------------------- */

/* Fills out[] (memory of the caller, one for each output) given the elements of n's inputs; n's values are
 * typed. What the computation itself needs comes from a. */
enum tsr_status tsr__evaluate(struct tsr_arena *a, struct tsr_err *err, const struct tsr_node *n,
                              const void *const *in, void **out);

#endif

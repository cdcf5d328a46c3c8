/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of compiler/graph share. */
#ifndef TSR_COMPILER_GRAPH_PRIVATE_H
#define TSR_COMPILER_GRAPH_PRIVATE_H

#include "base/arith.h"
#include "compiler/graph/graph.h"

/* --- names.c: the names of a graph's values, or of its nodes ---------------------------------- */

struct tsr__names;

struct tsr__names *tsr__names_new(struct tsr_arena *a);
void *tsr__names_find(const struct tsr__names *names, const char *name); /* NULL: none has it */
/* Adds `thing` under the first free name of wanted, wanted.1, wanted.2, ... and returns that
 * name. */
const char *tsr__names_add(struct tsr__names *names, const char *wanted, void *thing);

/* --- map.c: from addresses to addresses ------------------------------------------------------- */

struct tsr__map;

struct tsr__map *tsr__map_new(struct tsr_arena *a);
const void *tsr__map_get(const struct tsr__map *map, const void *key); /* NULL: not there */
void tsr__map_put(struct tsr__map *map, const void *key, const void *value);

/* --- text.c ----------------------------------------------------------------------------------- */

bool tsr__bare_name(const char *name); /* prints without quotes */

/* --- infer*.c: the types of a node's outputs from those of its inputs ------------------------- */

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
enum tsr_status tsr__refuse_node(struct tsr_err *err, const struct tsr_node *n, const char *format,
                                 ...) __attribute__((format(printf, 3, 4)));

static inline bool tsr__has(const struct tsr__infer *c, int k)
{
  return k < c->n->inputs && c->n->in[k];
}

/* Input k's shape as text, in the scratch arena. */
const char *tsr__shape(const struct tsr__infer *c, int k);
/* Input k with its elements; refuses what is not a constant. `what` names it. */
enum tsr_status tsr__known(const struct tsr__infer *c, int k, const char *what,
                           struct tsr_tensor *out);
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
/* The same; or k is f32, as numbers are that were attributes, and j a half. */
enum tsr_status tsr__number_dtype(const struct tsr__infer *c, int j, int k);

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
enum tsr_status tsr__window_of(const struct tsr__infer *c, const int64_t *kernel,
                               struct tsr__window *w);
/* Replaces attribute auto_pad of a typed node by the pads it stands for. */
enum tsr_status tsr__settle_pads(struct tsr_err *err, struct tsr_graph *g, struct tsr_node *n);

/* --- evaluate.c: nodes of constants ----------------------------------------------------------- */

/* Fills out[] (memory of the caller, one for each output) given the elements of n's inputs; n's
 * values are typed. When memory runs out, a's owner is told. */
enum tsr_status tsr__evaluate(struct tsr_arena *a, struct tsr_err *err, const struct tsr_node *n,
                              const void *const *in, void **out);

void tsr__fold_node(struct tsr_graph *g, struct tsr_node *n); /* pass_fold.c */

/* --- edit.c: what passes are written with ----------------------------------------------------- */

/* The node that makes v when it is of that op, else NULL. */
struct tsr_node *tsr__made_by(const struct tsr_value *v, enum tsr_gop op);
/* A new node of one typed output, named after `like`. */
struct tsr_node *tsr__add_node(struct tsr_graph *g, enum tsr_gop op, const char *like, int inputs,
                               struct tsr_value *const *in);
struct tsr_value *tsr__add_constant(struct tsr_graph *g, const char *name, enum tsr_dtype dtype,
                                    int rank, const int64_t *dims); /* zeroed; fill it at ->data */
struct tsr_value *tsr__add_scalar(struct tsr_graph *g, const char *name, enum tsr_dtype dtype,
                                  double v);
struct tsr_value *tsr__add_ints(struct tsr_graph *g, const char *name, int count, const int64_t *v);
/* The only number that a constant holds in every element; false for others. */
bool tsr__uniform(const struct tsr_value *v, double *out);
int64_t tsr__count(const struct tsr_value *v);
bool tsr__same_type(const struct tsr_value *a, const struct tsr_value *b);
/* v gets the shape of `like`, and a dtype. */
void tsr__take_type(struct tsr_value *v, const struct tsr_value *like, enum tsr_dtype dtype);
/* tsr_graph_replace that keeps the names of the graph's outputs: `now` takes the name, or where it
 * has one to keep itself (inputs, other outputs), is copied by an Identity. */
void tsr__replace(struct tsr_graph *g, struct tsr_value *old, struct tsr_value *now);
void tsr__swap_names(struct tsr_value *a, struct tsr_value *b);
void tsr__copy_attrs(struct tsr_graph *g, struct tsr_node *to, const struct tsr_node *from);
/* Takes out nodes that no output depends on, and values that nothing uses; inputs stay. Sorts. */
void tsr__sweep(struct tsr_graph *g);

/* --- scale.c: quantization parameters as integers --------------------------------------------- */

struct tsr__scale {
  double scale; /* real = scale * (q - zero) */
  int zero;
};

/* Parameters of a QuantizeLinear or DequantizeLinear with one constant scale for the whole
 * tensor. */
bool tsr__scale_of(const struct tsr_node *n, struct tsr__scale *out);
/* The DequantizeLinear (from i8, one scale) that makes v, else NULL. */
struct tsr_node *tsr__dequantized(const struct tsr_value *v, struct tsr__scale *out);
bool tsr__same_scale(struct tsr__scale a, struct tsr__scale b);
/* value = mult * 2^-shift, 0 < value; false when no shift of 0..63 and multiplier of 31 bits is
 * near. */
bool tsr__multiplier(double value, int32_t *mult, int *shift);
/* saturate(round(real / scale) + zero), as QuantizeLinear. */
int tsr__quantize(double real, struct tsr__scale s);

/* --- passes ----------------------------------------------------------------------------------- */

#define TSR_PASS(name, meaning)                                                                    \
  enum tsr_status tsr__pass_##name(struct tsr_err *err, struct tsr_graph *g);
#include "compiler/graph/passes.def"
#undef TSR_PASS

/* What a QuantizeLinear asks of the op before it: the parameters and the clamp of Relu or Clip. */
struct tsr__request {
  struct tsr_graph *g;
  struct tsr_node *quantize, *core; /* core: the op whose result is quantized */
  struct tsr__scale y;
  int lo, hi;
  const char *reason; /* out: why it can't be an integer op */
};

/* Each makes the integer op's i8 result, or NULL and a reason. */
struct tsr_value *tsr__quantize_conv(struct tsr__request *r);
struct tsr_value *tsr__quantize_dense(struct tsr__request *r);
struct tsr_value *tsr__quantize_add(struct tsr__request *r);
struct tsr_value *tsr__quantize_mul(struct tsr__request *r);
struct tsr_value *tsr__quantize_average(struct tsr__request *r);
/* QLut of x, typed by the next inference. */
struct tsr_value *tsr__lut_node(struct tsr_graph *g, const char *name, struct tsr_value *x,
                                const int8_t table[256]);
/* The function of one i8 tensor that `quantize` computes, as QLut; NULL when it is none. */
struct tsr_value *tsr__quantize_lut(struct tsr_graph *g, struct tsr_node *quantize);

#endif

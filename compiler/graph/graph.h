/* SPDX-License-Identifier: Apache-2.0 */
/* Graph IR: SSA nodes over typed tensors, ONNX semantics plus the integer ops of ops.def.
 *
 * Every value has a static shape once shapes are inferred. Constants carry their data. Nodes stand in
 * topological order. Passes are functions from graph to graph (in place), listed in passes.def, each run
 * under the verifier. Everything lives in the graph's arena. */
#ifndef TSR_COMPILER_GRAPH_H
#define TSR_COMPILER_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/tensor.h"
#include "compiler/tir/tir.h"

enum tsr_gop {
#define TSR_GOP(name, least, most, outputs, meaning) TSR_G_##name,
#include "compiler/graph/ops.def"
#undef TSR_GOP
  TSR_GOP_COUNT
};

struct tsr_node;
struct tsr__names;

enum { TSR_MAX_ELEMENTS = INT32_MAX }; /* of a value: a loop goes over all of them */

struct tsr_value {
  const char *name;          /* unique in its graph */
  bool typed;                /* dtype, rank and dims are known */
  enum tsr_dtype dtype;
  int rank;
  int64_t dims[TSR_MAX_RANK]; /* >= 0 */
  const void *data;          /* a constant's elements, dense row-major; else NULL */
  struct tsr_node *producer; /* NULL for inputs and constants */
};

enum tsr_attr_kind { TSR_ATTR_INT, TSR_ATTR_FLOAT, TSR_ATTR_STRING, TSR_ATTR_INTS, TSR_ATTR_FLOATS };

struct tsr_attr {
  const char *name; /* as in ONNX: "strides" */
  enum tsr_attr_kind kind;
  int64_t i;
  double f;
  const char *s;
  int count; /* INTS, FLOATS */
  const int64_t *ints;
  const double *floats;
};

struct tsr_node {
  const char *name; /* unique; made from the op and a number where ONNX has none */
  const char *asked; /* the name it was made with, before a number made it unique */
  enum tsr_gop op;
  int inputs, outputs;
  struct tsr_value **in; /* NULL: optional input left out */
  struct tsr_value **out; /* NULL: optional output not wanted */
  int attrs;
  struct tsr_attr *attr;
};

struct tsr_graph {
  struct tsr_arena *arena;
  const char *name;
  int inputs, outputs, nodes, values;
  struct tsr_value **input, **output, **value; /* value: all, constants included */
  struct tsr_node **node;
  size_t input_capacity, output_capacity, value_capacity, node_capacity;
  struct tsr__names *value_names, *node_names;
};

/* --- building -------------------------------------------------------------------------------------- */

struct tsr_graph *tsr_graph_new(struct tsr_arena *a, const char *name);
/* An untyped value; the name is made unique ("x", "x.1", ...). */
struct tsr_value *tsr_graph_value(struct tsr_graph *g, const char *name);
struct tsr_value *tsr_graph_input(struct tsr_graph *g, const char *name, enum tsr_dtype dtype, int rank,
                                  const int64_t *dims);
struct tsr_value *tsr_graph_constant(struct tsr_graph *g, const char *name, enum tsr_dtype dtype,
                                     int rank, const int64_t *dims, const void *data); /* not copied */
void tsr_graph_output(struct tsr_graph *g, struct tsr_value *v);
/* Appends a node with room for `inputs` and `outputs` values (in[], out[] NULL, to be set). Set producers
 * through tsr_node_set_output. */
struct tsr_node *tsr_graph_node(struct tsr_graph *g, enum tsr_gop op, const char *name, int inputs,
                                int outputs);
void tsr_node_set_output(struct tsr_node *n, int k, struct tsr_value *v);
void tsr_node_set_int(struct tsr_graph *g, struct tsr_node *n, const char *name, int64_t value);
void tsr_node_set_float(struct tsr_graph *g, struct tsr_node *n, const char *name, double value);
void tsr_node_set_string(struct tsr_graph *g, struct tsr_node *n, const char *name, const char *value);
void tsr_node_set_ints(struct tsr_graph *g, struct tsr_node *n, const char *name, int count,
                       const int64_t *values);
void tsr_node_set_floats(struct tsr_graph *g, struct tsr_node *n, const char *name, int count,
                         const double *values);
/* NULL where the node has none of that name. */
const struct tsr_attr *tsr_node_attr(const struct tsr_node *n, const char *name);
int64_t tsr_node_int(const struct tsr_node *n, const char *name, int64_t otherwise);
double tsr_node_float(const struct tsr_node *n, const char *name, double otherwise);
/* Copies an INTS attribute to out[0..count), or fills it with `otherwise` where absent. Asserts the count
 * (the verifier has checked it). */
void tsr_node_ints(const struct tsr_node *n, const char *name, int count, int64_t otherwise, int64_t *out);

/* Uses of v by nodes; an output of the graph counts as one more. */
int tsr_graph_uses(const struct tsr_graph *g, const struct tsr_value *v);
/* Every use of `old` (inputs of nodes, outputs of the graph) becomes a use of `now`. */
void tsr_graph_replace(struct tsr_graph *g, struct tsr_value *old, struct tsr_value *now);
/* Puts nodes back into topological order after edits; asserts that there is no cycle. */
void tsr_graph_sort(struct tsr_graph *g);

const char *tsr_gop_name(enum tsr_gop op);
/* Ops whose output has the elements of their first input, in the same order. */
bool tsr_gop_is_view(enum tsr_gop op);
bool tsr_gop_from_name(const char *name, enum tsr_gop *out);
struct tsr_tensor tsr_value_tensor(const struct tsr_value *v); /* of a constant; do not write to it */

/* --- text, verifier, shapes ------------------------------------------------------------------------ */

/* Constants of up to 16 elements are printed as numbers, larger ones as hexadecimal bytes, so that the
 * text parses back to the same graph; with `brief` as "...", which does not parse. */
char *tsr_graph_print(struct tsr_arena *a, const struct tsr_graph *g, bool brief);
enum tsr_status tsr_graph_parse(struct tsr_arena *a, struct tsr_err *err, const char *name,
                                const char *text, struct tsr_graph **out);
/* Structure (SSA, order, arities), attributes (names, kinds, counts, ranges per op), and, for typed
 * values, that inference gives the same type. */
enum tsr_status tsr_graph_verify(struct tsr_err *err, const struct tsr_graph *g);
/* Types every value from the inputs on, folding what shapes need (Shape, Gather, Concat, ... of
 * constants). Refuses with the node's name what has no static shape, or operands that do not fit. */
enum tsr_status tsr_graph_infer(struct tsr_err *err, struct tsr_graph *g);

/* --- computes -------------------------------------------------------------------------------------- */

/* The node's compute in tensor IR: params are its present inputs in order (constants too), then its
 * outputs. Refuses, naming the node, what has no compute. */
enum tsr_status tsr_node_compute(struct tsr_arena *a, struct tsr_err *err, const struct tsr_node *n,
                                 struct tir_func **out);

/* Nodes that are computed together. What the group makes is the last one's output; no node outside reads
 * what the others make. node[leads] may be anything; see docs/graph-ir.md for the others. */
struct tsr_group {
  int nodes, leads;
  struct tsr_node **node; /* each after those whose results it reads */
};
enum tsr_fusion {
  TSR_FUSE_NOTHING, /* every node is alone */
  TSR_FUSE_POINTS,  /* as few groups as there can be without leads */
  TSR_FUSE_LEADS,   /* changes of order, too, belong to the convolution that reads them */
};
/* The nodes of g in groups, each after those whose results it reads. */
struct tsr_group *tsr_graph_groups(struct tsr_arena *a, const struct tsr_graph *g,
                                   enum tsr_fusion fusion, int *count);
/* The values that a group reads and does not make: of one node its inputs, of more each value once. */
struct tsr_value **tsr_group_inputs(struct tsr_arena *a, const struct tsr_group *group, int *count);
/* All stages in one func, whose params are the inputs as above, then the outputs of the last node. The same
 * operations in the same order as one by one. */
enum tsr_status tsr_group_compute(struct tsr_arena *a, struct tsr_err *err,
                                  const struct tsr_group *group, struct tir_func **out);

/* Interpreter. inputs[k] is for g->input[k]; outputs[k] is filled, its data in the arena. keep (optional)
 * is called with every value computed. */
enum tsr_status tsr_graph_run(struct tsr_arena *a, struct tsr_err *err, const struct tsr_graph *g,
                              const struct tsr_tensor *inputs, struct tsr_tensor *outputs,
                              void (*keep)(void *context, const struct tsr_value *v, const void *data),
                              void *context);

/* --- passes ---------------------------------------------------------------------------------------- */

struct tsr_pass {
  const char *name, *meaning;
  enum tsr_status (*run)(struct tsr_err *err, struct tsr_graph *g);
};
/* In the order in which they run; ends with a NULL name. */
const struct tsr_pass *tsr_passes(void);
/* All of them, the verifier after each. after (optional) is called with the graph after each pass. */
enum tsr_status tsr_graph_optimize(struct tsr_err *err, struct tsr_graph *g,
                                   void (*after)(void *context, const char *pass,
                                                 const struct tsr_graph *g),
                                   void *context);
/* Floats other than f64 become f16, bf16 or f32: weights here, values by Casts; inputs and outputs keep their
 * dtypes. Ops that a half would overflow in stay as they are: docs/graph-ir.md. Of an optimized graph. */
enum tsr_status tsr_graph_set_floats(struct tsr_err *err, struct tsr_graph *g, enum tsr_dtype to);

/* How a processor with vectors wants its tensors: channels in blocks of `block`, or where that does not
 * divide them, or is 0, in one block. offset: what is added to bytes before they are multiplied, for
 * instructions that take them without a sign; 0 or 128. winograd: whether convolutions of f32 may be computed by
 * tiles (BlockedWinograd). rows: in one block the f32 weights of an output lie side by side, as i8's do: what
 * multiplies tf32 reads rows. */
struct tsr_layout {
  int64_t block, offset;
  bool winograd, rows;
};
/* Puts what can be into that layout, constants too; what remains plain is converted where they meet. An
 * optimized graph. Integers stay the same bits; sums of floats are added up in the order of their blocks. */
enum tsr_status tsr_graph_block(struct tsr_err *err, struct tsr_graph *g,
                                const struct tsr_layout *layout);

/* Is n a Resize that repeats every element as often as `times` says along each dim? */
bool tsr_node_repeats(const struct tsr_node *n, int64_t times[TSR_MAX_RANK]);

/* Multiply-accumulates of a node: Conv, Gemm, MatMul, QConv, QDense; 0 for others. */
int64_t tsr_node_macs(const struct tsr_node *n);

#endif

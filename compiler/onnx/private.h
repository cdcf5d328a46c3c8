/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of compiler/onnx share. */
#ifndef TSR_COMPILER_ONNX_PRIVATE_H
#define TSR_COMPILER_ONNX_PRIVATE_H

#include "compiler/onnx/onnx.h"
#include "compiler/onnx/schema.pb-c.h"

/* --- wire.c: protobuf bytes ------------------------------------------------------------------- */

/* Unpacks a message of this type into the arena, after a walk over the bytes that refuses what is
 * cut off, nested too deep or too large when unfolded. The caller adds the file to the sentence. */
enum tsr_status tsr__onnx_decode(struct tsr_arena *arena, struct tsr_err *err,
                                 const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
                                 size_t size, ProtobufCMessage **out);

/* --- tensorproto.c, external.c: tensors ------------------------------------------------------- */

struct tsr__onnx_external {
  const char *folder; /* NULL: none is allowed */
  size_t left;        /* bytes that may still be read */
};

/* The data of the result is the unpacked message's own where it can be. */
enum tsr_status tsr__onnx_tensor(struct tsr_arena *arena, struct tsr_err *err,
                                 const Onnx__TensorProto *p, struct tsr__onnx_external *external,
                                 struct tsr_tensor *out);
/* Reads `size` bytes where the tensor's external_data says. */
enum tsr_status tsr__onnx_external_data(struct tsr_arena *arena, struct tsr_err *err,
                                        const Onnx__TensorProto *p,
                                        struct tsr__onnx_external *external, size_t size,
                                        uint8_t **out);
const char *tsr__onnx_dtype_name(int onnx); /* "float16"; "unknown" */

/* --- names.c ---------------------------------------------------------------------------------- */

/* Who gives a value its content. */
struct tsr__onnx_name {
  const char *name;
  struct tsr_value *value; /* NULL: a node's output that the graph IR does not have */
  int node;                /* index of the producing node, or one of the next constants */
};
enum { TSR__ONNX_INPUT = -1, TSR__ONNX_INITIALIZER = -2 };

struct tsr__onnx_names {
  struct tsr__onnx_name *slot; /* open addressing; a power of two */
  size_t slots, used;
};

struct tsr__onnx_name *tsr__onnx_find(const struct tsr__onnx_names *names, const char *name);
/* Refuses a name that is there already, is empty, too long or does not print. */
enum tsr_status tsr__onnx_add(struct tsr_arena *arena, struct tsr_err *err,
                              struct tsr__onnx_names *names, const char *name, int node,
                              struct tsr__onnx_name **out);
/* A name in a sentence: cut when long, with ? for what does not print. */
const char *tsr__onnx_show(struct tsr_arena *arena, const char *name);

/* protobuf-c's strings that are not there are NULL. */
static inline const char *tsr__onnx_text(const char *s)
{
  return s ? s : "";
}

/* --- import.c: one import --------------------------------------------------------------------- */

struct tsr__onnx_form;

/* A node on its way into the graph; rules of forms.c edit it until it has its one form. */
struct tsr__onnx_draft {
  const Onnx__NodeProto *proto;
  const struct tsr__onnx_form *form; /* NULL: nothing to bring to form */
  enum tsr_gop op;
  bool constant; /* a Constant node: becomes a value, not a node */
  int inputs;
  struct tsr_value **in; /* with room for TSR__ONNX_MOST_ADDED more, which are NULL */
  int attrs;
  struct tsr_attr *attr; /* with room for TSR__ONNX_MOST_ADDED more */
};
enum { TSR__ONNX_MOST_ADDED = 8 };

struct tsr__onnx {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const struct tsr_onnx_options *options;
  const Onnx__GraphProto *proto;
  int opset; /* of ONNX's own domain */
  struct tsr__onnx_external external;
  struct tsr__onnx_names names;
  struct tsr_graph *graph;
  int nodes;
  struct tsr__onnx_draft *draft; /* one a node of proto, in its order */
};

/* Puts the node's place before the sentence in err. */
enum tsr_status tsr__onnx_at_node(struct tsr__onnx *x, const Onnx__NodeProto *node);

/* --- dims.c: the graph's inputs --------------------------------------------------------------- */

enum tsr_status tsr__onnx_inputs(struct tsr__onnx *x);
/* The rank that the model's inputs, constants or value_info give; -1 where none does. */
int tsr__onnx_rank(const struct tsr__onnx *x, const struct tsr_value *v);

/* --- attrs.c ---------------------------------------------------------------------------------- */

/* Converts every attribute but tensors, which only forms read (tsr__onnx_tensor_attr). */
enum tsr_status tsr__onnx_attrs(struct tsr__onnx *x, struct tsr__onnx_draft *d);
const Onnx__TensorProto *tsr__onnx_tensor_attr(const struct tsr__onnx_draft *d, const char *name);
struct tsr_attr *tsr__onnx_attr(struct tsr__onnx_draft *d, const char *name); /* or NULL */
void tsr__onnx_drop_attr(struct tsr__onnx_draft *d, const char *name);
struct tsr_attr *tsr__onnx_add_attr(struct tsr__onnx_draft *d, const char *name,
                                    enum tsr_attr_kind kind);

/* --- forms.c: one form an op ------------------------------------------------------------------ */

struct tsr__onnx_form {
  const char *name; /* ONNX's op_type */
  enum tsr_gop op;
  enum tsr_status (*bring)(struct tsr__onnx *x, struct tsr__onnx_draft *d);
};

const struct tsr__onnx_form *tsr__onnx_form(const char *op_type); /* or NULL */

/* What forms are made of. Constants are named after the node: "conv1.axes". */
struct tsr_value *tsr__onnx_new_constant(struct tsr__onnx *x, struct tsr__onnx_draft *d,
                                         const char *suffix, const struct tsr_tensor *t);
/* An attribute of older opsets becomes input k (i64 or f32; a list, or a scalar); nothing without
 * it. */
enum tsr_status tsr__onnx_attr_to_input(struct tsr__onnx *x, struct tsr__onnx_draft *d,
                                        const char *name, int k);
/* Drops an attribute of which only this value is supported; refuses any other. */
enum tsr_status tsr__onnx_only_int(struct tsr__onnx *x, struct tsr__onnx_draft *d, const char *name,
                                   int64_t value);
enum tsr_status tsr__onnx_only_string(struct tsr__onnx *x, struct tsr__onnx_draft *d,
                                      const char *name, const char *value);
void tsr__onnx_set_string(struct tsr__onnx_draft *d, const char *name, const char *value);

/* --- resize.c --------------------------------------------------------------------------------- */

enum tsr_status tsr__onnx_resize(struct tsr__onnx *x, struct tsr__onnx_draft *d);
enum tsr_status tsr__onnx_upsample(struct tsr__onnx *x, struct tsr__onnx_draft *d);

/* --- emit.c: drafts become nodes -------------------------------------------------------------- */

/* Finds the op of every node, or refuses naming the first node that has none, and every such op. */
enum tsr_status tsr__onnx_ops(struct tsr__onnx *x);
int tsr__onnx_outputs(const struct tsr__onnx_draft *d); /* that the graph IR has of this node */
enum tsr_status tsr__onnx_emit(struct tsr__onnx *x, struct tsr__onnx_draft *d);

/* --- constant.c ------------------------------------------------------------------------------- */

/* A Constant node's tensor. */
enum tsr_status tsr__onnx_constant(struct tsr__onnx *x, const Onnx__NodeProto *node,
                                   struct tsr_tensor *out);

/* --- order.c ---------------------------------------------------------------------------------- */

/* order[0..nodes): indices such that every node stands behind those whose outputs it reads; the
 * file's own order where that is one. Refuses a cycle, naming a node on it. */
enum tsr_status tsr__onnx_order(struct tsr__onnx *x, int *order);

#endif

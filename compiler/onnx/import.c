/* SPDX-License-Identifier: Apache-2.0 */
/* From the bytes of a model to a graph. Everything is named first, so that nodes may stand in any
 * order and generated constants never take a name of the model's. */
#include <inttypes.h>
#include <string.h>

#include "compiler/onnx/private.h"

enum {
  OLDEST_IR = 3, /* the first with opset_import */
  NEWEST_IR = 10,
  OLDEST_OPSET = 7, /* the first whose ops broadcast as today's do */
  NEWEST_OPSET = 21,
  MOST_NODES = 1 << 20,
  MOST_VALUES = 1 << 20, /* of one kind, or of one node */
};
static const size_t default_limit = (size_t)2 << 30; /* protobuf's own */

enum tsr_status tsr__onnx_at_node(struct tsr__onnx *x, const Onnx__NodeProto *node)
{
  const char *type = tsr__onnx_show(x->arena, node->op_type);
  if (node->name && *node->name)
    return tsr_refuse_at(x->err, "node '%s' (%s)", tsr__onnx_show(x->arena, node->name), type);
  return tsr_refuse_at(x->err, "node that makes '%s' (%s)",
                       tsr__onnx_show(x->arena, node->n_output ? node->output[0] : ""), type);
}

static enum tsr_status read_opset(struct tsr__onnx *x, const Onnx__ModelProto *m)
{
  int64_t version = -1;
  if (m->ir_version < OLDEST_IR || m->ir_version > NEWEST_IR)
    return tsr_refuse(x->err, "IR version %" PRId64 " is not supported; %d to %d are",
                      m->ir_version, OLDEST_IR, NEWEST_IR);
  for (size_t i = 0; i < m->n_opset_import; i++) {
    const char *domain = tsr__onnx_text(m->opset_import[i]->domain);
    if (*domain && strcmp(domain, "ai.onnx") != 0)
      continue;
    if (version >= 0 && version != m->opset_import[i]->version)
      return tsr_refuse(x->err, "names two versions of ONNX's operator set");
    version = m->opset_import[i]->version;
  }
  if (version == -1)
    return tsr_refuse(x->err, "does not say which version of ONNX's operator set it uses");
  if (version < OLDEST_OPSET || version > NEWEST_OPSET)
    return tsr_refuse(x->err,
                      "opset %" PRId64 " is not supported; %d to %d are (onnx.version_converter "
                      "converts a model)",
                      version, OLDEST_OPSET, NEWEST_OPSET);
  x->opset = (int)version;
  return TSR_OK;
}

static enum tsr_status check_counts(struct tsr__onnx *x)
{
  const Onnx__GraphProto *g = x->proto;
  if (g->n_node > MOST_NODES || g->n_initializer > MOST_VALUES || g->n_input > MOST_VALUES ||
      g->n_output > MOST_VALUES)
    return tsr_refuse(x->err, "has more than %d nodes or values", MOST_NODES);
  if (g->n_sparse_initializer)
    return tsr_refuse(x->err, "has sparse initializers; dense ones are supported");
  if (g->n_output == 0)
    return tsr_refuse(x->err, "its graph has no outputs");
  for (size_t i = 0; i < g->n_node; i++)
    if (g->node[i]->n_input > MOST_VALUES || g->node[i]->n_output > MOST_VALUES) {
      tsr_refuse(x->err, "has more than %d inputs or outputs", MOST_VALUES);
      return tsr__onnx_at_node(x, g->node[i]);
    }
  return TSR_OK;
}

static enum tsr_status name_constant(struct tsr__onnx *x, const char *name, int origin,
                                     const struct tsr_tensor *t)
{
  struct tsr__onnx_name *n = NULL;
  enum tsr_status status = tsr__onnx_add(x->arena, x->err, &x->names, name, origin, &n);
  if (!status)
    n->value = tsr_graph_constant(x->graph, name, t->dtype, t->rank, t->dims, t->data);
  return status;
}

static enum tsr_status name_initializers(struct tsr__onnx *x)
{
  for (size_t i = 0; i < x->proto->n_initializer; i++) {
    const Onnx__TensorProto *p = x->proto->initializer[i];
    struct tsr_tensor t = {0};
    enum tsr_status status = tsr__onnx_tensor(x->arena, x->err, p, &x->external, &t);
    if (status) {
      tsr_refuse_at(x->err, "initializer '%s'", tsr__onnx_show(x->arena, p->name));
      return status;
    }
    status = name_constant(x, tsr__onnx_text(p->name), TSR__ONNX_INITIALIZER, &t);
    if (status)
      return status;
  }
  return TSR_OK;
}

/* Names the outputs of node i; Constant nodes become constants here. */
static enum tsr_status name_outputs(struct tsr__onnx *x, int i)
{
  const struct tsr__onnx_draft *d = &x->draft[i];
  const Onnx__NodeProto *p = d->proto;
  struct tsr_tensor t = {0};
  enum tsr_status status = TSR_OK;
  if (d->constant) {
    status = tsr__onnx_constant(x, p, &t);
    return status ? status : name_constant(x, p->output[0], TSR__ONNX_INITIALIZER, &t);
  }
  for (int k = 0; !status && k < (int)p->n_output; k++) {
    struct tsr__onnx_name *n = NULL;
    if (!*p->output[k])
      continue;
    status = tsr__onnx_add(x->arena, x->err, &x->names, p->output[k], i, &n);
    if (!status && k < tsr__onnx_outputs(d))
      n->value = tsr_graph_value(x->graph, p->output[k]);
  }
  return status;
}

static enum tsr_status check_inputs(struct tsr__onnx *x, const Onnx__NodeProto *p)
{
  for (size_t k = 0; k < p->n_input; k++)
    if (*p->input[k] && !tsr__onnx_find(&x->names, p->input[k]))
      return tsr_refuse(
          x->err, "input '%s' is undefined: no graph input, initializer or node has that name",
          tsr__onnx_show(x->arena, p->input[k]));
  return TSR_OK;
}

static enum tsr_status each_node(struct tsr__onnx *x,
                                 enum tsr_status (*check)(struct tsr__onnx *x, int i))
{
  for (int i = 0; i < x->nodes; i++)
    if (check(x, i))
      return tsr__onnx_at_node(x, x->draft[i].proto);
  return TSR_OK;
}

static enum tsr_status check_inputs_of(struct tsr__onnx *x, int i)
{
  return check_inputs(x, x->draft[i].proto);
}

static enum tsr_status emit_nodes(struct tsr__onnx *x)
{
  int *order = TSR_NEW_ARRAY(x->arena, int, x->nodes);
  enum tsr_status status = tsr__onnx_order(x, order);
  for (int i = 0; !status && i < x->nodes; i++) {
    struct tsr__onnx_draft *d = &x->draft[order[i]];
    status = d->constant ? TSR_OK : tsr__onnx_emit(x, d);
    if (status)
      tsr__onnx_at_node(x, d->proto);
  }
  return status;
}

static enum tsr_status add_outputs(struct tsr__onnx *x)
{
  for (size_t i = 0; i < x->proto->n_output; i++) {
    const char *name = tsr__onnx_text(x->proto->output[i]->name);
    const struct tsr__onnx_name *n = tsr__onnx_find(&x->names, name);
    if (!n)
      return tsr_refuse(x->err, "the graph's output '%s' is undefined",
                        tsr__onnx_show(x->arena, name));
    if (!n->value)
      return tsr_refuse(x->err,
                        "the graph's output '%s' is an optional output that is not supported",
                        tsr__onnx_show(x->arena, name));
    tsr_graph_output(x->graph, n->value);
  }
  return TSR_OK;
}

static enum tsr_status build(struct tsr__onnx *x)
{
  const char *name = tsr__onnx_text(x->proto->name);
  x->graph = tsr_graph_new(x->arena, *name ? tsr__onnx_show(x->arena, name) : "main");
  x->nodes = (int)x->proto->n_node;
  x->draft = TSR_NEW_ARRAY(x->arena, struct tsr__onnx_draft, x->nodes);
  for (int i = 0; i < x->nodes; i++)
    x->draft[i].proto = x->proto->node[i];
  enum tsr_status status = tsr__onnx_ops(x);
  if (!status)
    status = name_initializers(x);
  if (!status)
    status = tsr__onnx_inputs(x);
  if (!status)
    status = each_node(x, name_outputs);
  if (!status)
    status = each_node(x, check_inputs_of);
  if (!status)
    status = emit_nodes(x);
  return status ? status : add_outputs(x);
}

static enum tsr_status import(struct tsr__onnx *x, const uint8_t *bytes, size_t size, size_t limit)
{
  ProtobufCMessage *message = NULL;
  if (size > limit)
    return tsr_refuse(x->err, "has %zu bytes, more than the limit of %zu", size, limit);
  enum tsr_status status =
      tsr__onnx_decode(x->arena, x->err, &onnx__model_proto__descriptor, bytes, size, &message);
  if (status)
    return status;
  const Onnx__ModelProto *m = (const Onnx__ModelProto *)message;
  if (!m->graph)
    return tsr_refuse(x->err, "holds no graph; is it an ONNX model?");
  x->proto = m->graph;
  status = read_opset(x, m);
  if (!status)
    status = check_counts(x);
  return status ? status : build(x);
}

enum tsr_status tsr_onnx_import(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                const uint8_t *bytes, size_t size,
                                const struct tsr_onnx_options *options, struct tsr_graph **out)
{
  static const struct tsr_onnx_options no_options = {0};
  const struct tsr_onnx_options *o = options ? options : &no_options;
  size_t limit = o->limit ? o->limit : default_limit;
  struct tsr__onnx x = {.arena = arena, .err = err, .options = o, .external = {o->folder, limit}};
  enum tsr_status status = import(&x, bytes, size, limit);
  if (status)
    tsr_refuse_at(err, "%s", name);
  else
    *out = x.graph;
  return status;
}

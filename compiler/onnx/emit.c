/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX nodes become nodes of the graph: op, inputs, attributes, the op's form, outputs. */
#include <string.h>

#include "compiler/onnx/private.h"

static const struct {
  int least, most, outputs;
} arity[] = {
#define TSR_GOP(name, least, most, outputs, meaning) {least, most, outputs},
#include "compiler/graph/ops.def"
#undef TSR_GOP
};

static bool is_onnx(const char *domain)
{
  return !*domain || !strcmp(domain, "ai.onnx");
}

/* Ops that ONNX Runtime defines in a domain of its own, for what its quantizer makes. */
static bool is_contrib(enum tsr_gop op)
{
  return op == TSR_G_QLinearAdd || op == TSR_G_QLinearGlobalAveragePool;
}

static bool find_op(struct tsr__onnx_draft *d)
{
  const char *type = tsr__onnx_text(d->proto->op_type), *domain = tsr__onnx_text(d->proto->domain);
  d->constant = is_onnx(domain) && !strcmp(type, "Constant");
  if (d->constant)
    return true;
  d->form = tsr__onnx_form(type);
  if (d->form)
    d->op = d->form->op;
  else if (!tsr_gop_from_name(type, &d->op) || d->op >= TSR_G_QConv) /* from there on: our own */
    return false;
  bool shared =
      d->op == TSR_G_QuantizeLinear || d->op == TSR_G_DequantizeLinear; /* in both domains */
  if (!strcmp(domain, "com.microsoft"))
    return is_contrib(d->op) || shared;
  return is_onnx(domain) && !is_contrib(d->op);
}

static bool has_subgraph(const Onnx__NodeProto *n)
{
  for (size_t i = 0; i < n->n_attribute; i++)
    if (n->attribute[i]->g || n->attribute[i]->n_graphs)
      return true;
  return false;
}

/* The ops of nodes from `first` on that are not supported, each once, apart from that one's. */
static const char *others_of(struct tsr__onnx *x, int first)
{
  struct tsr_text text = {.arena = x->arena};
  int n = 0;
  const char *seen[8] = {tsr__onnx_text(x->draft[first].proto->op_type)};
  for (int i = first + 1; i < x->nodes && n < 7; i++) {
    struct tsr__onnx_draft d = {.proto = x->draft[i].proto};
    const char *type = tsr__onnx_text(d.proto->op_type);
    bool known = find_op(&d);
    for (int k = 0; k <= n && !known; k++)
      known = !strcmp(seen[k], type);
    if (known)
      continue;
    seen[++n] = type;
    tsr_text_add(&text, "%s%s", n == 1 ? "; nor are " : ", ", tsr__onnx_show(x->arena, type));
  }
  return text.length ? text.data : "";
}

static enum tsr_status refuse_op(struct tsr__onnx *x, int i)
{
  const Onnx__NodeProto *n = x->draft[i].proto;
  const char *domain = tsr__onnx_text(n->domain);
  const char *type = tsr__onnx_show(x->arena, n->op_type);
  if (has_subgraph(n))
    tsr_refuse(x->err,
               "holds a subgraph; control flow is not supported, export the model without it");
  else if (!*type)
    tsr_refuse(x->err, "has no op");
  else if (is_onnx(domain))
    tsr_refuse(x->err, "op %s is not supported%s", type, others_of(x, i));
  else
    tsr_refuse(x->err, "op %s of domain '%s' is not supported%s", type,
               tsr__onnx_show(x->arena, domain), others_of(x, i));
  return tsr__onnx_at_node(x, n);
}

enum tsr_status tsr__onnx_ops(struct tsr__onnx *x)
{
  for (int i = 0; i < x->nodes; i++)
    if (!find_op(&x->draft[i]))
      return refuse_op(x, i);
  return TSR_OK;
}

int tsr__onnx_outputs(const struct tsr__onnx_draft *d)
{
  int outputs = d->constant ? 1 : arity[d->op].outputs;
  return outputs < 0 ? (int)d->proto->n_output : outputs;
}

static enum tsr_status find_inputs(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  d->inputs = (int)d->proto->n_input;
  d->in = TSR_NEW_ARRAY(x->arena, struct tsr_value *, d->inputs + TSR__ONNX_MOST_ADDED);
  for (int k = 0; k < d->inputs; k++) {
    const char *name = d->proto->input[k];
    if (!*name)
      continue;
    const struct tsr__onnx_name *n = tsr__onnx_find(&x->names, name);
    if (!n->value)
      return tsr_refuse(
          x->err, "input '%s' is an optional output of node '%s', which is not supported",
          tsr__onnx_show(x->arena, name), tsr__onnx_show(x->arena, x->draft[n->node].proto->name));
    d->in[k] = n->value;
  }
  return TSR_OK;
}

/* Padding is either said by `pads` or left to the shape (SAME_UPPER, SAME_LOWER). */
static void settle_auto_pad(struct tsr__onnx_draft *d)
{
  struct tsr_attr *a = tsr__onnx_attr(d, "auto_pad");
  if (!a || a->kind != TSR_ATTR_STRING)
    return;
  if (!strcmp(a->s, "VALID")) {
    tsr__onnx_drop_attr(d, "auto_pad");
    tsr__onnx_drop_attr(d, "pads");
  } else if (!*a->s || !strcmp(a->s, "NOTSET")) {
    tsr__onnx_drop_attr(d, "auto_pad");
  } else {
    tsr__onnx_drop_attr(d, "pads");
  }
}

static enum tsr_status check_arity(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  int least = arity[d->op].least, most = arity[d->op].most;
  while (d->inputs > 0 && !d->in[d->inputs - 1])
    d->inputs--;
  if (d->inputs < least || (most >= 0 && d->inputs > most))
    return tsr_refuse(x->err, "has %d inputs; it takes %d%s", d->inputs, least,
                      most < 0       ? " or more"
                      : most > least ? tsr_arena_printf(x->arena, " to %d", most)
                                     : "");
  for (int k = 0; k < d->inputs; k++)
    if (!d->in[k] && (k < least || most < 0))
      return tsr_refuse(x->err, "input %d is left out, but is not optional", k);
  return TSR_OK;
}

static enum tsr_status emit_outputs(struct tsr__onnx *x, struct tsr__onnx_draft *d,
                                    struct tsr_node *n)
{
  for (int k = 0; k < n->outputs; k++) {
    const char *name = k < (int)d->proto->n_output ? d->proto->output[k] : "";
    if (*name)
      tsr_node_set_output(n, k, tsr__onnx_find(&x->names, name)->value);
    else if (arity[d->op].outputs < 0) /* a part that nobody wants still has a shape */
      tsr_node_set_output(n, k, tsr_graph_value(x->graph, n->name));
    else
      return tsr_refuse(x->err, "its output has no name");
  }
  return TSR_OK;
}

enum tsr_status tsr__onnx_emit(struct tsr__onnx *x, struct tsr__onnx_draft *d)
{
  enum tsr_status status = find_inputs(x, d);
  if (!status)
    status = tsr__onnx_attrs(x, d);
  if (status)
    return status;
  settle_auto_pad(d);
  if (d->form)
    status = d->form->bring(x, d);
  if (!status)
    status = check_arity(x, d);
  if (status)
    return status;
  const char *name = tsr__onnx_text(d->proto->name);
  struct tsr_node *n = tsr_graph_node(x->graph, d->op, name, d->inputs, tsr__onnx_outputs(d));
  for (int k = 0; k < d->inputs; k++)
    n->in[k] = d->in[k];
  n->attrs = d->attrs;
  n->attr = d->attr;
  return emit_outputs(x, d, n);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What every graph holds to: each value is made once and above its uses, nodes have the operands
 * and attributes of their op, and types are those that inference gives. */
#include <string.h>

#include "compiler/graph/graph_private.h"

enum need { OPTIONAL, NEEDED };
enum { INT = 1 << TSR_ATTR_INT, FLOAT = 1 << TSR_ATTR_FLOAT, STRING = 1 << TSR_ATTR_STRING,
       INTS = 1 << TSR_ATTR_INTS, FLOATS = 1 << TSR_ATTR_FLOATS, NUMBER = INT | FLOAT };

static const struct attr_row {
  enum tsr_gop op;
  const char *name;
  unsigned kinds;
  enum need need;
} attr_rows[] = {
#define TSR_GATTR(op, name, kind, need) {TSR_G_##op, #name, kind, need},
#include "compiler/graph/attrs.def"
#undef TSR_GATTR
};
enum { ATTR_ROWS = sizeof attr_rows / sizeof attr_rows[0] };

static const struct arity {
  int least, most, outputs;
} arities[] = {
#define TSR_GOP(name, least, most, outputs, meaning) {least, most, outputs},
#include "compiler/graph/ops.def"
#undef TSR_GOP
};

static const char *kind_name(unsigned kinds)
{
  if (kinds == INT)
    return "an integer";
  if (kinds == FLOAT)
    return "a float";
  if (kinds == STRING)
    return "a string";
  if (kinds == INTS)
    return "integers";
  return kinds == NUMBER ? "an integer or a float" : "floats";
}

static const struct attr_row *row_of(enum tsr_gop op, const char *name)
{
  for (int i = 0; i < ATTR_ROWS; i++)
    if (attr_rows[i].op == op && !strcmp(attr_rows[i].name, name))
      return &attr_rows[i];
  return NULL;
}

static enum tsr_status unknown_attr(struct tsr_err *err, const struct tsr_node *n, const char *name)
{
  const char *names[ATTR_ROWS], *near;
  int count = 0;
  for (int i = 0; i < ATTR_ROWS; i++)
    if (attr_rows[i].op == n->op)
      names[count++] = attr_rows[i].name;
  near = tsr_nearest(name, names, count);
  return tsr__refuse_node(err, n, "it has no attribute '%s'%s%s%s", name,
                          near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum tsr_status verify_attrs(struct tsr_err *err, const struct tsr_node *n)
{
  for (int i = 0; i < n->attrs; i++) {
    static const struct attr_row reason = {0, "reason", STRING, OPTIONAL}; /* any op may have one */
    const struct attr_row *row = row_of(n->op, n->attr[i].name);
    if (!row && !strcmp(n->attr[i].name, reason.name))
      row = &reason;
    if (!row)
      return unknown_attr(err, n, n->attr[i].name);
    if (!(row->kinds >> n->attr[i].kind & 1))
      return tsr__refuse_node(err, n, "attribute '%s' must be %s, not %s", row->name,
                              kind_name(row->kinds), kind_name(1u << n->attr[i].kind));
    for (int j = 0; j < i; j++)
      if (!strcmp(n->attr[j].name, row->name))
        return tsr__refuse_node(err, n, "attribute '%s' stands twice", row->name);
  }
  for (int i = 0; i < ATTR_ROWS; i++)
    if (attr_rows[i].op == n->op && attr_rows[i].need == NEEDED &&
        !tsr_node_attr(n, attr_rows[i].name))
      return tsr__refuse_node(err, n, "it needs attribute '%s'", attr_rows[i].name);
  return TSR_OK;
}

static enum tsr_status verify_arity(struct tsr_err *err, const struct tsr_node *n)
{
  const struct arity *a = &arities[n->op];
  if (n->inputs < a->least || (a->most >= 0 && n->inputs > a->most))
    return tsr__refuse_node(err, n, "it has %d inputs; it takes %d to %d", n->inputs, a->least,
                            a->most < 0 ? INT32_MAX : a->most);
  if (n->outputs < 1 || (a->outputs >= 0 && n->outputs > a->outputs))
    return tsr__refuse_node(err, n, "it has %d outputs; it makes %d", n->outputs,
                            a->outputs < 0 ? INT32_MAX : a->outputs);
  for (int k = 0; k < n->inputs; k++) /* of ops that take any number, none may be left out */
    if (!n->in[k] && (k < a->least || a->most < 0))
      return tsr__refuse_node(err, n, "its input %d is left out", k);
  return TSR_OK;
}

/* Values of a graph and where each is made: seen maps a value to what makes it. */
struct making {
  struct tsr_err *err;
  struct tsr__map *seen, *listed;
  struct tsr__names *names;
};

static enum tsr_status make(struct making *m, const struct tsr_value *v, const void *maker)
{
  if (!tsr__map_get(m->listed, v))
    return tsr_refuse(m->err, "value '%s' is not in the graph's list of values", v->name);
  if (tsr__map_get(m->seen, v))
    return tsr_refuse(m->err, "value '%s' is made twice", v->name);
  tsr__map_put(m->seen, v, maker);
  return TSR_OK;
}

static enum tsr_status verify_value(struct making *m, const struct tsr_graph *g,
                                    const struct tsr_value *v)
{
  if (tsr__names_find(m->names, v->name))
    return tsr_refuse(m->err, "two values are named '%s'", v->name);
  tsr__names_add(m->names, v->name, (void *)v);
  tsr__map_put(m->listed, v, g);
  if (v->data && v->producer)
    return tsr_refuse(m->err, "constant '%s' has a producer, node '%s'", v->name,
                      v->producer->name);
  if (!v->typed)
    return v->data ? tsr_refuse(m->err, "constant '%s' has no type", v->name) : TSR_OK;
  for (int i = 0; i < v->rank; i++)
    if (v->dims[i] < 0)
      return tsr_refuse(m->err, "dim %lld of value '%s' is negative", (long long)v->dims[i],
                        v->name);
  if (v->rank < 0 || v->rank > TSR_MAX_RANK ||
      tsr_count(v->dims, v->rank, tsr_dtype_bytes(v->dtype)) < 0)
    return tsr_refuse(m->err, "value '%s' is too large", v->name);
  return v->data ? make(m, v, g) : TSR_OK;
}

static enum tsr_status verify_node(struct making *m, const struct tsr_node *n)
{
  if (tsr__names_find(m->names, n->name))
    return tsr_refuse(m->err, "two nodes are named '%s'", n->name);
  tsr__names_add(m->names, n->name, (void *)n);
  enum tsr_status s = verify_arity(m->err, n);
  if (s == TSR_OK)
    s = verify_attrs(m->err, n);
  for (int k = 0; s == TSR_OK && k < n->inputs; k++)
    if (n->in[k] && !tsr__map_get(m->seen, n->in[k]))
      return tsr__refuse_node(m->err, n, "its input '%s' is not made above it", n->in[k]->name);
  for (int k = 0; s == TSR_OK && k < n->outputs; k++)
    if (n->out[k]) {
      if (n->out[k]->producer != n)
        return tsr__refuse_node(m->err, n, "it is not the producer of its output '%s'",
                                n->out[k]->name);
      s = make(m, n->out[k], n);
    }
  return s;
}

static enum tsr_status verify_structure(struct tsr_err *err, const struct tsr_graph *g)
{
  struct making m = {.err = err, .seen = tsr__map_new(g->arena), .listed = tsr__map_new(g->arena),
                     .names = tsr__names_new(g->arena)};
  enum tsr_status s = TSR_OK;
  for (int i = 0; s == TSR_OK && i < g->values; i++)
    s = verify_value(&m, g, g->value[i]);
  for (int i = 0; s == TSR_OK && i < g->inputs; i++) {
    if (!g->input[i]->typed)
      return tsr_refuse(err, "input '%s' has no type", g->input[i]->name);
    s = make(&m, g->input[i], g);
  }
  m.names = tsr__names_new(g->arena);
  for (int i = 0; s == TSR_OK && i < g->nodes; i++)
    s = verify_node(&m, g->node[i]);
  for (int i = 0; s == TSR_OK && i < g->outputs; i++)
    if (!tsr__map_get(m.seen, g->output[i]))
      return tsr_refuse(err, "output '%s' is made by no node", g->output[i]->name);
  return s;
}

static enum tsr_status same_types(void *context, const struct tsr__infer *c)
{
  (void)context;
  for (int k = 0; k < c->n->outputs; k++) {
    const struct tsr_value *v = c->n->out[k];
    char is[192], should[192];
    if (!v || !v->typed)
      continue;
    struct tsr__type *t = &c->out[k];
    if (v->dtype != t->dtype || v->rank != t->rank ||
        memcmp(v->dims, t->dims, (size_t)t->rank * sizeof *t->dims))
      return tsr__refuse_node(c->err, c->n,
                              "its output '%s' is %s of shape %s; inference says %s of %s", v->name,
                              tsr_dtype_name(v->dtype), tsr_dims_text(v->dims, v->rank, is),
                              tsr_dtype_name(t->dtype), tsr_dims_text(t->dims, t->rank, should));
  }
  return TSR_OK;
}

/* A graph is typed from the front; where the first node is not typed yet, there is nothing to
 * compare. */
static bool typed_all(const struct tsr_graph *g)
{
  for (int i = 0; i < g->nodes; i++)
    for (int k = 0; k < g->node[i]->outputs; k++)
      if (g->node[i]->out[k] && !g->node[i]->out[k]->typed)
        return false;
  return true;
}

enum tsr_status tsr_graph_verify(struct tsr_err *err, const struct tsr_graph *g)
{
  enum tsr_status s = verify_structure(err, g);
  if (s != TSR_OK || !typed_all(g))
    return s;
  return tsr__infer_each(err, g->arena, g, NULL, same_types);
}

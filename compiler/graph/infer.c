/* SPDX-License-Identifier: Apache-2.0 */
/* Types of all values, from the inputs on.
 *
 * A shape may depend on elements (Reshape's second operand): those values are found first, going up
 * from where they are wanted to where they come from, and then computed on the way down, as soon as
 * their producer is typed. What is not wanted for a shape is not computed here: that is the pass
 * "fold". */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

enum {
#define TSR__INFER(name, known) KNOWN_##name = known,
#include "compiler/graph/infer.def"
#undef TSR__INFER
};

const struct tsr__infer_row tsr__infer_rows[TSR_GOP_COUNT] = {
#define TSR__INFERS(op, name) [TSR_G_##op] = {tsr__infer_##name, KNOWN_##name},
#include "compiler/graph/infer_ops.def"
#undef TSR__INFERS
};

enum { MOST_KNOWN = 1 << 16 }; /* elements of a value that a shape may depend on */

enum tsr_status tsr__refuse_node(struct tsr_err *err, const struct tsr_node *n, const char *format,
                                 ...)
{
  char text[TSR_ERR_TEXT];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return tsr_refuse(err, "node '%s' (%s): %s", n->name, tsr_gop_name(n->op), text);
}

const char *tsr__shape(const struct tsr__infer *c, int k)
{
  char text[192];
  return tsr_arena_strdup(c->scratch, tsr_dims_text(c->n->in[k]->dims, c->n->in[k]->rank, text));
}

static const void *elements(const struct tsr__map *known, const struct tsr_value *v)
{
  return v->data || !known ? v->data : tsr__map_get(known, v);
}

enum tsr_status tsr__known(const struct tsr__infer *c, int k, const char *what,
                           struct tsr_tensor *out)
{
  const struct tsr_value *v = c->n->in[k];
  *out = tsr_value_tensor(v);
  out->data = (void *)elements(c->known, v);
  if (!out->data)
    return tsr__refuse_node(c->err, c->n, "its %s '%s' must be a constant", what, v->name);
  return TSR_OK;
}

enum tsr_status tsr__known_ints(const struct tsr__infer *c, int k, const char *what, int most,
                                int64_t *out, int *count)
{
  const struct tsr_value *v = c->n->in[k];
  struct tsr_tensor t;
  enum tsr_status s = tsr__known(c, k, what, &t);
  if (s != TSR_OK)
    return s;
  if (tsr_dtype_kind(v->dtype) == TSR_KIND_FLOAT || v->rank > 1 || tsr_tensor_count(&t) > most)
    return tsr__refuse_node(c->err, c->n, "its %s must be at most %d integers, not %s of shape %s",
                            what, most, tsr_dtype_name(v->dtype), tsr__shape(c, k));
  *count = (int)tsr_tensor_count(&t);
  for (int i = 0; i < *count; i++)
    out[i] = tsr_get_int(&t, i);
  return TSR_OK;
}

enum tsr_status tsr__axis(const struct tsr__infer *c, int64_t axis, int rank, int *out)
{
  if (axis < -rank || axis >= rank)
    return tsr__refuse_node(c->err, c->n, "axis %lld is outside of rank %d", (long long)axis, rank);
  *out = (int)(axis < 0 ? axis + rank : axis);
  return TSR_OK;
}

/* Widens the dims of *t by those of v; false when they do not broadcast. */
static bool widen(struct tsr__type *t, const struct tsr_value *v)
{
  int rank = t->rank > v->rank ? t->rank : v->rank;
  int64_t dims[TSR_MAX_RANK];
  for (int i = 0; i < rank; i++) {
    int at = i - (rank - t->rank), av = i - (rank - v->rank);
    int64_t dt = at < 0 ? 1 : t->dims[at], dv = av < 0 ? 1 : v->dims[av];
    if (dt != dv && dt != 1 && dv != 1)
      return false;
    dims[i] = dt == 1 ? dv : dt;
  }
  t->rank = rank;
  memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
  return true;
}

enum tsr_status tsr__broadcast(struct tsr__infer *c, int first, int last)
{
  struct tsr__type t = {.dtype = c->out[0].dtype};
  for (int k = first; k <= last && k < c->n->inputs; k++) {
    char before[192];
    if (!c->n->in[k])
      continue;
    tsr_dims_text(t.dims, t.rank, before);
    if (!widen(&t, c->n->in[k]))
      return tsr__refuse_node(c->err, c->n, "shapes %s and %s do not broadcast", before,
                              tsr__shape(c, k));
  }
  c->out[0] = t;
  return TSR_OK;
}

enum tsr_status tsr__want(const struct tsr__infer *c, int k, unsigned kinds)
{
  enum tsr_dtype dtype = c->n->in[k]->dtype;
  bool byte = dtype == TSR_I8 || dtype == TSR_U8;
  unsigned kind = dtype == TSR_BOOL ? TSR__BOOLS : byte ? TSR__BYTES | TSR__INTS : TSR__INTS;
  if (tsr_dtype_kind(dtype) == TSR_KIND_FLOAT)
    kind = TSR__FLOATS;
  if (kind & kinds)
    return TSR_OK;
  return tsr__refuse_node(c->err, c->n, "input %d '%s' can't be %s", k, c->n->in[k]->name,
                          tsr_dtype_name(dtype));
}

enum tsr_status tsr__same_dtype(const struct tsr__infer *c, int j, int k)
{
  const struct tsr_value *x = c->n->in[j], *y = c->n->in[k];
  if (x->dtype == y->dtype)
    return TSR_OK;
  return tsr__refuse_node(c->err, c->n, "inputs '%s' and '%s' must have one type, not %s and %s",
                          x->name, y->name, tsr_dtype_name(x->dtype), tsr_dtype_name(y->dtype));
}

enum tsr_status tsr__number_dtype(const struct tsr__infer *c, int j, int k)
{
  bool of_attribute = tsr_dtype_is_half(c->n->in[j]->dtype) && c->n->in[k]->dtype == TSR_F32;
  return of_attribute ? TSR_OK : tsr__same_dtype(c, j, k);
}

/* Types the outputs of n into out[]. */
static enum tsr_status infer_node(struct tsr__infer *c)
{
  const struct tsr_node *n = c->n;
  c->out = TSR_NEW_ARRAY(c->scratch, struct tsr__type, n->outputs);
  for (int k = 0; k < n->outputs && n->inputs && n->in[0]; k++) {
    c->out[k].dtype = n->in[0]->dtype;
    c->out[k].rank = n->in[0]->rank;
    memcpy(c->out[k].dims, n->in[0]->dims, sizeof n->in[0]->dims);
  }
  enum tsr_status s = tsr__infer_rows[n->op].infer(c);
  for (int k = 0; s == TSR_OK && k < n->outputs; k++) {
    char text[192];
    int64_t count =
        tsr_count(c->out[k].dims, c->out[k].rank, tsr_dtype_bytes(c->out[k].dtype));
    if (count < 0 || count > TSR_MAX_ELEMENTS)
      return tsr__refuse_node(c->err, n,
                              "its output of shape %s is too large; %d elements are the most",
                              tsr_dims_text(c->out[k].dims, c->out[k].rank, text),
                              TSR_MAX_ELEMENTS);
  }
  return s;
}

/* The values whose elements some shape depends on, directly or by computation. */
static struct tsr__map *wanted_values(struct tsr_arena *scratch, const struct tsr_graph *g)
{
  struct tsr__map *wanted = tsr__map_new(scratch);
  for (int i = g->nodes - 1; i >= 0; i--) {
    const struct tsr_node *n = g->node[i];
    bool all = n->outputs == 1 && n->out[0] && tsr__map_get(wanted, n->out[0]) &&
               n->op != TSR_G_Shape && n->op != TSR_G_Size;
    for (int k = 0; k < n->inputs; k++)
      if (n->in[k] && !n->in[k]->data &&
          (all || (k < 32 && tsr__infer_rows[n->op].known >> k & 1)))
        tsr__map_put(wanted, n->in[k], n);
  }
  return wanted;
}

bool tsr__shape_elements(const struct tsr_node *n, struct tsr_tensor *t)
{
  const struct tsr_value *x = n->in[0];
  if (n->op == TSR_G_Size) {
    tsr_put_int(t, 0, tsr_count(x->dims, x->rank, 1));
    return true;
  }
  if (n->op != TSR_G_Shape)
    return false;
  int64_t start = tsr_node_int(n, "start", 0);
  start = start < 0 ? start + x->rank : start;
  start = start < 0 ? 0 : start;
  for (int64_t i = 0; i < t->dims[0]; i++)
    tsr_put_int(t, i, x->dims[start + i]);
  return true;
}

/* Computes the elements of n's output where all it needs is known; leaves it unknown otherwise. */
static void learn(struct tsr_arena *scratch, struct tsr__map *known, const struct tsr_node *n)
{
  const struct tsr_value *v = n->out[0];
  int64_t count = tsr_count(v->dims, v->rank, tsr_dtype_bytes(v->dtype));
  if (count > MOST_KNOWN)
    return;
  struct tsr_tensor t = tsr_value_tensor(v);
  t.data = tsr_arena_alloc(scratch, tsr_tensor_bytes(&t) + 1);
  if (tsr__shape_elements(n, &t)) {
    tsr__map_put(known, v, t.data);
    return;
  }
  const void **in = TSR_NEW_ARRAY(scratch, const void *, n->inputs);
  for (int k = 0; k < n->inputs; k++) {
    in[k] = n->in[k] ? elements(known, n->in[k]) : NULL;
    if (n->in[k] && !in[k])
      return;
  }
  if (tsr__evaluate(scratch, NULL, n, in, &t.data) == TSR_OK)
    tsr__map_put(known, v, t.data);
}

static enum tsr_status all_typed(struct tsr_err *err, const struct tsr_node *n)
{
  for (int k = 0; k < n->inputs; k++)
    if (n->in[k] && !n->in[k]->typed)
      return tsr__refuse_node(err, n,
                              "its input '%s' has no type: no input, constant or node above "
                              "makes it",
                              n->in[k]->name);
  return TSR_OK;
}

enum tsr_status tsr__infer_each(struct tsr_err *err, struct tsr_arena *scratch,
                                const struct tsr_graph *g, void *context,
                                enum tsr_status (*each)(void *context, const struct tsr__infer *c))
{
  struct tsr__map *wanted = wanted_values(scratch, g), *known = tsr__map_new(scratch);
  struct tsr__infer c = {.err = err, .scratch = scratch, .known = known};
  for (int i = 0; i < g->nodes; i++) {
    c.n = g->node[i];
    enum tsr_status s = all_typed(err, c.n);
    if (s == TSR_OK)
      s = infer_node(&c);
    if (s == TSR_OK)
      s = each(context, &c);
    if (s != TSR_OK)
      return s;
    if (c.n->outputs == 1 && c.n->out[0] && tsr__map_get(wanted, c.n->out[0]))
      learn(scratch, known, c.n);
  }
  return TSR_OK;
}

/* Writes what was inferred into the graph. */
static enum tsr_status settle(void *context, const struct tsr__infer *c)
{
  struct tsr_graph *g = context;
  for (int k = 0; k < c->n->outputs; k++) {
    struct tsr_value *v = c->n->out[k];
    if (!v)
      continue;
    v->typed = true;
    v->dtype = c->out[k].dtype;
    v->rank = c->out[k].rank;
    memcpy(v->dims, c->out[k].dims, sizeof v->dims);
  }
  return tsr__settle_pads(c->err, g, (struct tsr_node *)c->n);
}

enum tsr_status tsr__type_node(struct tsr_err *err, struct tsr_graph *g, struct tsr_node *n)
{
  struct tsr__infer c = {.err = err, .scratch = g->arena, .n = n};
  enum tsr_status s = infer_node(&c);
  return s == TSR_OK ? settle(g, &c) : s;
}

enum tsr_status tsr_graph_infer(struct tsr_err *err, struct tsr_graph *g)
{
  return tsr__infer_each(err, g->arena, g, g, settle);
}

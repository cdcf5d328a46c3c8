/* SPDX-License-Identifier: Apache-2.0 */
/* A graph as text, one line a value or node; docs/graph-ir.md has the grammar. parse.c reads it
 * back to the same graph: floats are printed with as many digits as they need, or as bytes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

bool tsr__bare_name(const char *name)
{
  if (!*name || !strcmp(name, "-"))
    return false;
  return name[strspn(name,
                     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/-")] == 0;
}

static void add_quoted(struct tsr_text *t, const char *name)
{
  tsr_text_add(t, "\"");
  for (; *name; name++) {
    unsigned char c = (unsigned char)*name;
    if (c == '"' || c == '\\')
      tsr_text_add(t, "\\%c", c);
    else if (c < ' ' || c == 127)
      tsr_text_add(t, "\\x%02x", c);
    else
      tsr_text_add(t, "%c", c);
  }
  tsr_text_add(t, "\"");
}

static void add_name(struct tsr_text *t, const char *name)
{
  if (tsr__bare_name(name))
    tsr_text_add(t, "%s", name);
  else
    add_quoted(t, name);
}

/* The shortest decimal that reads back as v; always recognizable as a float. */
static void add_float(struct tsr_text *t, double v)
{
  char digits[40];
  for (int precision = 6; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, v);
    if (isnan(v) || strtod(digits, NULL) == v)
      break;
  }
  tsr_text_add(t, "%s%s", digits, strpbrk(digits, ".einEIN") ? "" : ".0");
}

static void add_type(struct tsr_text *t, const struct tsr_value *v)
{
  if (!v->typed) {
    tsr_text_add(t, "?");
    return;
  }
  tsr_text_add(t, "%s[", tsr_dtype_name(v->dtype));
  for (int i = 0; i < v->rank; i++)
    tsr_text_add(t, "%s%lld", i ? "," : "", (long long)v->dims[i]);
  tsr_text_add(t, "]");
}

static bool has_nan(const struct tsr_tensor *t)
{
  for (int64_t i = 0; i < tsr_tensor_count(t); i++)
    if (tsr_dtype_kind(t->dtype) == TSR_KIND_FLOAT && isnan(tsr_get_float(t, i)))
      return true;
  return false;
}

static void add_hex(struct tsr_text *t, const unsigned char *bytes, size_t size)
{
  static const char digits[] = "0123456789abcdef";
  char chunk[512];
  for (size_t i = 0; i < size;) {
    size_t n = 0;
    for (; i < size && n + 2 <= sizeof chunk; i++) {
      chunk[n++] = digits[bytes[i] >> 4];
      chunk[n++] = digits[bytes[i] & 15];
    }
    tsr_text_add_bytes(t, chunk, n);
  }
}

enum { MOST_NUMBERS = 16 };

static void add_data(struct tsr_text *t, const struct tsr_value *v, bool brief)
{
  struct tsr_tensor data = tsr_value_tensor(v);
  int64_t count = tsr_tensor_count(&data);
  if (count > MOST_NUMBERS && brief) {
    tsr_text_add(t, "...");
  } else if (count > MOST_NUMBERS || has_nan(&data)) {
    tsr_text_add(t, "hex ");
    add_hex(t, v->data, tsr_tensor_bytes(&data));
  } else {
    tsr_text_add(t, "{");
    for (int64_t i = 0; i < count; i++) {
      tsr_text_add(t, i ? ", " : "");
      if (tsr_dtype_kind(v->dtype) == TSR_KIND_FLOAT)
        add_float(t, tsr_get_float(&data, i));
      else if (v->dtype == TSR_U64)
        tsr_text_add(t, "%llu", (unsigned long long)tsr_get_int(&data, i));
      else
        tsr_text_add(t, "%lld", (long long)tsr_get_int(&data, i));
    }
    tsr_text_add(t, "}");
  }
}

static void add_attr(struct tsr_text *t, const struct tsr_attr *attr)
{
  tsr_text_add(t, " ");
  add_name(t, attr->name);
  tsr_text_add(t, "=");
  switch (attr->kind) {
  case TSR_ATTR_INT:
    tsr_text_add(t, "%lld", (long long)attr->i);
    break;
  case TSR_ATTR_FLOAT:
    add_float(t, attr->f);
    break;
  case TSR_ATTR_STRING:
    add_quoted(t, attr->s);
    break;
  case TSR_ATTR_INTS:
    tsr_text_add(t, "[");
    for (int i = 0; i < attr->count; i++)
      tsr_text_add(t, "%s%lld", i ? "," : "", (long long)attr->ints[i]);
    tsr_text_add(t, "]");
    break;
  case TSR_ATTR_FLOATS:
    tsr_text_add(t, attr->count ? "[" : "[.");
    for (int i = 0; i < attr->count; i++) {
      tsr_text_add(t, i ? "," : "");
      add_float(t, attr->floats[i]);
    }
    tsr_text_add(t, "]");
    break;
  }
}

static void add_node(struct tsr_text *t, const struct tsr_node *n)
{
  tsr_text_add(t, "node ");
  add_name(t, n->name);
  tsr_text_add(t, " %s (", tsr_gop_name(n->op));
  for (int k = 0; k < n->inputs; k++) {
    tsr_text_add(t, k ? ", " : "");
    if (n->in[k])
      add_name(t, n->in[k]->name);
    else
      tsr_text_add(t, "-");
  }
  tsr_text_add(t, ") -> (");
  for (int k = 0; k < n->outputs; k++) {
    tsr_text_add(t, k ? ", " : "");
    if (n->out[k]) {
      add_name(t, n->out[k]->name);
      tsr_text_add(t, " ");
      add_type(t, n->out[k]);
    } else {
      tsr_text_add(t, "-");
    }
  }
  tsr_text_add(t, ")");
  for (int k = 0; k < n->attrs; k++)
    add_attr(t, &n->attr[k]);
  tsr_text_add(t, "\n");
}

static void add_value_line(struct tsr_text *t, const char *keyword, const struct tsr_value *v)
{
  tsr_text_add(t, "%s ", keyword);
  add_name(t, v->name);
  tsr_text_add(t, " ");
  add_type(t, v);
}

char *tsr_graph_print(struct tsr_arena *a, const struct tsr_graph *g, bool brief)
{
  struct tsr_text t = {.arena = a};
  tsr_text_add(&t, "graph ");
  add_name(&t, g->name);
  tsr_text_add(&t, "\n");
  for (int i = 0; i < g->inputs; i++) {
    add_value_line(&t, "input", g->input[i]);
    tsr_text_add(&t, "\n");
  }
  for (int i = 0; i < g->values; i++)
    if (g->value[i]->data) {
      add_value_line(&t, "const", g->value[i]);
      tsr_text_add(&t, " ");
      add_data(&t, g->value[i], brief);
      tsr_text_add(&t, "\n");
    }
  for (int i = 0; i < g->nodes; i++)
    add_node(&t, g->node[i]);
  for (int i = 0; i < g->outputs; i++) {
    tsr_text_add(&t, "output ");
    add_name(&t, g->output[i]->name);
    tsr_text_add(&t, "\n");
  }
  tsr_text_add(&t, "end\n");
  return t.data;
}

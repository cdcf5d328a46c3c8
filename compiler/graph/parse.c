/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what text.c prints. Line by line, and within a line by recursive descent without recursion:
 * a value must stand above its use, so that nothing is looked up later. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/graph/graph_private.h"

struct parser {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const char *name;
  int line;
  const char *at, *end;
  struct tsr_graph *g;
};

enum { MOST_OPERANDS = 1024, MOST_LIST = 65536 };

static enum tsr_status bad(struct parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum tsr_status bad(struct parser *p, const char *format, ...)
{
  char text[TSR_ERR_TEXT];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return tsr_refuse(p->err, "%s:%d: %s", p->name, p->line, text);
}

static void skip_blanks(struct parser *p)
{
  while (*p->at == ' ' || *p->at == '\t')
    p->at++;
}

static bool take(struct parser *p, const char *symbol)
{
  skip_blanks(p);
  size_t n = strlen(symbol);
  if (strncmp(p->at, symbol, n))
    return false;
  p->at += n;
  return true;
}

/* What stands at the cursor, for a sentence. */
static const char *here(struct parser *p)
{
  skip_blanks(p);
  size_t n = strcspn(p->at, " \t\n,()[]{}=");
  if (n == 0 && *p->at && *p->at != '\n')
    n = 1;
  if (n == 0)
    return "the end of the line";
  return tsr_arena_printf(p->arena, "'%.*s'", (int)(n > 40 ? 40 : n), p->at);
}

static enum tsr_status expect(struct parser *p, const char *symbol)
{
  if (take(p, symbol))
    return TSR_OK;
  return bad(p, "expected '%s' before %s", symbol, here(p));
}

static int hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum tsr_status parse_quoted(struct parser *p, const char **out)
{
  char *text = tsr_arena_alloc(p->arena, strcspn(p->at, "\n") + 1);
  size_t n = 0;
  for (p->at++; *p->at != '"'; p->at++) {
    if (!*p->at || *p->at == '\n')
      return bad(p, "a quoted name has no closing quote");
    if (*p->at != '\\') {
      text[n++] = *p->at;
    } else if (p->at[1] == 'x' && hex_digit(p->at[2]) >= 0 && hex_digit(p->at[3]) >= 0) {
      text[n] = (char)(hex_digit(p->at[2]) * 16 + hex_digit(p->at[3]));
      if (!text[n++])
        return bad(p, "a name can't hold the character \\x00");
      p->at += 3;
    } else if (p->at[1] == '"' || p->at[1] == '\\') {
      text[n++] = *++p->at;
    } else {
      return bad(p, "after a backslash comes a quote, a backslash or x and two hexadecimal digits");
    }
  }
  p->at++;
  *out = text;
  return TSR_OK;
}

static enum tsr_status parse_name(struct parser *p, const char *what, const char **out)
{
  skip_blanks(p);
  if (*p->at == '"')
    return parse_quoted(p, out);
  size_t n = strcspn(p->at, " \t\n,()[]{}=\"");
  char *text = tsr_arena_alloc(p->arena, n + 1);
  memcpy(text, p->at, n);
  if (!tsr__bare_name(text))
    return bad(p, "expected the name of %s before %s", what, here(p));
  p->at += n;
  *out = text;
  return TSR_OK;
}

/* A number's text; floats hold one of ".ein". */
static enum tsr_status parse_number(struct parser *p, bool *is_float, int64_t *i, double *f)
{
  skip_blanks(p);
  size_t n = strcspn(p->at, " \t\n,()[]{}=");
  char text[64], *end = text;
  if (n == 0 || n >= sizeof text)
    return bad(p, "expected a number before %s", here(p));
  memcpy(text, p->at, n);
  text[n] = 0;
  bool real = strpbrk(text, ".eEin") != NULL && !strpbrk(text, "xXpP");
  *is_float = real;
  errno = 0;
  if (real)
    *f = strtod(text, &end);
  else if (text[0] == '-')
    *i = strtoll(text, &end, 10);
  else
    *i = (int64_t)strtoull(text, &end, 10);
  if (end != text + n || (errno == ERANGE && (!real || isinf(*f))) || text[0] == '+')
    return bad(p, "'%s' is no number that fits", text);
  if (!real)
    *f = text[0] == '-' ? (double)*i : (double)(uint64_t)*i;
  p->at += n;
  return TSR_OK;
}

static enum tsr_status parse_int(struct parser *p, int64_t *out)
{
  bool is_float;
  double f;
  enum tsr_status s = parse_number(p, &is_float, out, &f);
  if (s != TSR_OK)
    return s;
  if (is_float || f > 9223372036854775807.0)
    return bad(p, "expected an integer of 64 bits, not %.17g", f);
  return TSR_OK;
}

static enum tsr_status parse_type(struct parser *p, struct tsr_value *v)
{
  char dtype[8] = "";
  if (take(p, "?"))
    return TSR_OK;
  skip_blanks(p);
  size_t n = strcspn(p->at, " \t\n,()[]{}=");
  if (n < sizeof dtype)
    memcpy(dtype, p->at, n);
  if (!tsr_dtype_from_name(dtype, &v->dtype))
    return bad(p, "%s is no element type; i8, u8, i32, i64, f32 are some", here(p));
  p->at += n;
  enum tsr_status s = expect(p, "[");
  for (v->rank = 0; s == TSR_OK && !take(p, "]"); v->rank++) {
    if (v->rank == TSR_MAX_RANK)
      return bad(p, "a tensor has at most %d dims", TSR_MAX_RANK);
    if (v->rank)
      s = expect(p, ",");
    if (s == TSR_OK)
      s = parse_int(p, &v->dims[v->rank]);
    if (s == TSR_OK && v->dims[v->rank] < 0)
      return bad(p, "dim %lld is negative", (long long)v->dims[v->rank]);
  }
  if (s == TSR_OK && tsr_count(v->dims, v->rank, tsr_dtype_bytes(v->dtype)) < 0)
    return bad(p, "the tensor's size does not fit 64 bits");
  v->typed = s == TSR_OK;
  return s;
}

static enum tsr_status new_value(struct parser *p, struct tsr_value **out)
{
  const char *name;
  enum tsr_status s = parse_name(p, "a value", &name);
  if (s != TSR_OK)
    return s;
  if (tsr__names_find(p->g->value_names, name))
    return bad(p, "there is a value '%s' already", name);
  *out = tsr_graph_value(p->g, name);
  return parse_type(p, *out);
}

static enum tsr_status old_value(struct parser *p, struct tsr_value **out)
{
  const char *name;
  enum tsr_status s = parse_name(p, "a value", &name);
  if (s != TSR_OK)
    return s;
  *out = tsr__names_find(p->g->value_names, name);
  if (!*out)
    return bad(p, "no value '%s' stands above this line", name);
  return TSR_OK;
}

static enum tsr_status parse_input(struct parser *p)
{
  struct tsr_value *v;
  enum tsr_status s = new_value(p, &v);
  if (s != TSR_OK)
    return s;
  if (!v->typed)
    return bad(p, "input '%s' needs a type", v->name);
  p->g->input = TSR_GROW(p->arena, p->g->input, p->g->inputs, &p->g->input_capacity);
  p->g->input[p->g->inputs++] = v;
  return TSR_OK;
}

static enum tsr_status parse_hex(struct parser *p, unsigned char *bytes, size_t size)
{
  skip_blanks(p);
  for (size_t i = 0; i < size; i++, p->at += 2) {
    int high = hex_digit(p->at[0]), low = high < 0 ? -1 : hex_digit(p->at[1]);
    if (low < 0)
      return bad(p, "the constant has %zu bytes, its type wants %zu", i, size);
    bytes[i] = (unsigned char)(high * 16 + low);
  }
  if (hex_digit(*p->at) >= 0)
    return bad(p, "the constant has more bytes than the %zu of its type", size);
  return TSR_OK;
}

/* Puts a number as element i; refuses what the element type can't hold. */
static enum tsr_status put_number(struct parser *p, struct tsr_tensor *t, int64_t i)
{
  bool is_float;
  int64_t v;
  double f;
  enum tsr_status s = parse_number(p, &is_float, &v, &f);
  if (s != TSR_OK)
    return s;
  if (tsr_dtype_kind(t->dtype) == TSR_KIND_FLOAT) {
    tsr_put_float(t, i, f);
    return TSR_OK;
  }
  tsr_put_int(t, i, v);
  bool same = !is_float && tsr_get_int(t, i) == v;
  bool wrapped = t->dtype == TSR_U64 ? f < 0 : (v < 0) != (f < 0);
  if (!same || wrapped)
    return bad(p, "%.17g is no %s", f, tsr_dtype_name(t->dtype));
  return TSR_OK;
}

static enum tsr_status parse_numbers(struct parser *p, struct tsr_tensor *t, int64_t count)
{
  for (int64_t i = 0; i < count; i++) {
    enum tsr_status s = i ? expect(p, ",") : TSR_OK;
    if (s == TSR_OK)
      s = put_number(p, t, i);
    if (s != TSR_OK)
      return s;
  }
  return expect(p, "}");
}

static enum tsr_status parse_constant(struct parser *p)
{
  struct tsr_value *v;
  enum tsr_status s = new_value(p, &v);
  if (s != TSR_OK)
    return s;
  if (!v->typed)
    return bad(p, "constant '%s' needs a type", v->name);
  struct tsr_tensor t = tsr_value_tensor(v);
  if (tsr_tensor_count(&t) > p->end - p->at) /* each takes a character at least */
    return bad(p, "constant '%s' has more elements than the text has characters", v->name);
  t.data = tsr_arena_alloc(p->arena, tsr_tensor_bytes(&t) + 1);
  v->data = t.data;
  if (take(p, "{"))
    return parse_numbers(p, &t, tsr_tensor_count(&t));
  if (take(p, "hex "))
    return parse_hex(p, t.data, tsr_tensor_bytes(&t));
  return bad(p, "expected '{' and numbers, or 'hex ' and bytes, before %s", here(p));
}

static enum tsr_status parse_list(struct parser *p, struct tsr_node *n, const char *name)
{
  size_t capacity = 0, real_capacity = 0;
  int64_t *ints = NULL;
  double *floats = NULL;
  int count = 0;
  bool floating = take(p, ".");
  while (!take(p, "]")) {
    enum tsr_status s = count ? expect(p, ",") : TSR_OK;
    bool is_float = false;
    if (count == MOST_LIST)
      return bad(p, "attribute '%s' has more than %d numbers", name, MOST_LIST);
    ints = TSR_GROW(p->arena, ints, count, &capacity);
    floats = TSR_GROW(p->arena, floats, count, &real_capacity);
    if (s == TSR_OK)
      s = parse_number(p, &is_float, &ints[count], &floats[count]);
    if (s != TSR_OK)
      return s;
    if (count && is_float != floating)
      return bad(p, "attribute '%s' mixes integers and floats", name);
    floating = is_float;
    count++;
  }
  if (floating)
    tsr_node_set_floats(p->g, n, name, count, floats);
  else
    tsr_node_set_ints(p->g, n, name, count, ints);
  return TSR_OK;
}

static enum tsr_status parse_attr(struct parser *p, struct tsr_node *n)
{
  const char *name, *string;
  bool is_float;
  int64_t i;
  double f;
  enum tsr_status s = parse_name(p, "an attribute", &name);
  if (s == TSR_OK && tsr_node_attr(n, name))
    return bad(p, "attribute '%s' stands twice", name);
  if (s == TSR_OK)
    s = expect(p, "=");
  if (s != TSR_OK)
    return s;
  if (take(p, "["))
    return parse_list(p, n, name);
  if (*p->at == '"') {
    s = parse_quoted(p, &string);
    if (s == TSR_OK)
      tsr_node_set_string(p->g, n, name, string);
    return s;
  }
  s = parse_number(p, &is_float, &i, &f);
  if (s == TSR_OK && is_float)
    tsr_node_set_float(p->g, n, name, f);
  else if (s == TSR_OK)
    tsr_node_set_int(p->g, n, name, i);
  return s;
}

/* Values in parentheses; outputs are new, inputs are known. "-": none. */
static enum tsr_status parse_values(struct parser *p, bool fresh, int *count,
                                    struct tsr_value *value[MOST_OPERANDS])
{
  enum tsr_status s = expect(p, "(");
  for (*count = 0; s == TSR_OK && !take(p, ")"); ++*count) {
    if (*count == MOST_OPERANDS)
      return bad(p, "a node has at most %d inputs or outputs", MOST_OPERANDS);
    if (*count)
      s = expect(p, ",");
    skip_blanks(p);
    value[*count] = NULL;
    if (s == TSR_OK && *p->at == '-' && strchr(" \t,)", p->at[1]))
      p->at++;
    else if (s == TSR_OK)
      s = fresh ? new_value(p, &value[*count]) : old_value(p, &value[*count]);
  }
  return s;
}

static enum tsr_status parse_op(struct parser *p, enum tsr_gop *op)
{
  static const char *const names[] = {
#define TSR_GOP(name, least, most, outputs, meaning) #name,
#include "compiler/graph/ops.def"
#undef TSR_GOP
  };
  const char *name;
  enum tsr_status s = parse_name(p, "an op", &name);
  if (s != TSR_OK || tsr_gop_from_name(name, op))
    return s;
  const char *near = tsr_nearest(name, names, TSR_GOP_COUNT);
  return near ? bad(p, "there is no op '%s'; did you mean '%s'?", name, near)
              : bad(p, "there is no op '%s'", name);
}

static enum tsr_status parse_node(struct parser *p)
{
  struct tsr_value *in[MOST_OPERANDS], *out[MOST_OPERANDS];
  const char *name;
  enum tsr_gop op;
  int inputs, outputs;
  enum tsr_status s = parse_name(p, "a node", &name);
  if (s == TSR_OK && tsr__names_find(p->g->node_names, name))
    return bad(p, "there is a node '%s' already", name);
  if (s == TSR_OK)
    s = parse_op(p, &op);
  if (s == TSR_OK)
    s = parse_values(p, false, &inputs, in);
  if (s == TSR_OK)
    s = expect(p, "->");
  if (s == TSR_OK)
    s = parse_values(p, true, &outputs, out);
  if (s != TSR_OK)
    return s;
  struct tsr_node *n = tsr_graph_node(p->g, op, name, inputs, outputs);
  for (int k = 0; k < inputs; k++)
    n->in[k] = in[k];
  for (int k = 0; k < outputs; k++)
    tsr_node_set_output(n, k, out[k]);
  for (skip_blanks(p); s == TSR_OK && *p->at && *p->at != '\n'; skip_blanks(p))
    s = parse_attr(p, n);
  return s;
}

static enum tsr_status parse_line(struct parser *p, bool *ended)
{
  struct tsr_value *v;
  enum tsr_status s;
  if (take(p, "input ")) {
    s = parse_input(p);
  } else if (take(p, "const ")) {
    s = parse_constant(p);
  } else if (take(p, "node ")) {
    s = parse_node(p);
  } else if (take(p, "output ")) {
    s = old_value(p, &v);
    if (s == TSR_OK)
      tsr_graph_output(p->g, v);
  } else if (take(p, "end")) {
    *ended = true;
    s = TSR_OK;
  } else {
    s = bad(p, "a line starts with input, const, node, output or end, not with %s", here(p));
  }
  skip_blanks(p);
  if (s == TSR_OK && *p->at && *p->at != '\n')
    return bad(p, "the line should end before %s", here(p));
  return s;
}

/* Goes to the next line that holds anything but blanks and a comment; false at the end of the
 * text. */
static bool next_line(struct parser *p)
{
  for (;; p->at++) {
    skip_blanks(p);
    if (*p->at == '#')
      p->at += strcspn(p->at, "\n");
    if (*p->at != '\n')
      return *p->at;
    p->line++;
  }
}

enum tsr_status tsr_graph_parse(struct tsr_arena *a, struct tsr_err *err, const char *name,
                                const char *text, struct tsr_graph **out)
{
  struct parser p = {.arena = a, .err = err, .name = name, .line = 1, .at = text};
  const char *title;
  bool ended = false;
  p.end = text + strlen(text);
  if (!next_line(&p) || !take(&p, "graph "))
    return bad(&p, "a graph starts with the word 'graph' and its name");
  enum tsr_status s = parse_name(&p, "the graph", &title);
  if (s != TSR_OK)
    return s;
  p.g = tsr_graph_new(a, title);
  skip_blanks(&p);
  if (*p.at && *p.at != '\n')
    return bad(&p, "the line should end before %s", here(&p));
  while (!ended && next_line(&p)) {
    s = parse_line(&p, &ended);
    if (s != TSR_OK)
      return s;
  }
  if (!ended)
    return bad(&p, "the text ends before 'end'");
  if (next_line(&p))
    return bad(&p, "nothing may follow 'end'");
  *out = p.g;
  return TSR_OK;
}

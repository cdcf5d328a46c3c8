/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions from text, through the builders of expr.c. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/tir/lex.h"

static tir_e parse_binding(struct tir__parser *p, int least);

/* So that a refusal can be returned where an expression is. */
static tir_e refused(bool never)
{
  (void)never;
  return NULL;
}

/* --- literals -------------------------------------------------------------------------------- */

/* A literal's value with its sign; false where it is none, or has no such value. */
static bool take_integer(struct tir__parser *p, bool negative, int64_t *out)
{
  char text[300];
  snprintf(text, sizeof text, "%s%s", negative ? "-" : "", p->lex.text);
  errno = 0;
  *out = strtoll(text, NULL, 10);
  if (errno)
    return tir__bad_token(p, "the integer %s does not fit 64 bits", text);
  tir__next(p);
  return true;
}

static double take_decimal(struct tir__parser *p, bool negative)
{
  double v = strtod(p->lex.text, NULL);
  tir__next(p);
  return negative ? -v : v;
}

static tir_e parse_number(struct tir__parser *p)
{
  int64_t value;
  bool negative = tir__take(p, "-");
  p->height = 1;
  if (p->lex.token == TIR__DECIMAL)
    return tir_float(p->arena, TSR_F32, take_decimal(p, negative));
  if (p->lex.token != TIR__INTEGER)
    return refused(
        tir__bad_token(p, "'-' stands between two operands or before a number; write 0 - x"));
  return take_integer(p, negative, &value) ? tir_index(p->arena, value) : NULL;
}

/* DTYPE(number), behind the parenthesis; else NULL, and the lexer is where it was. */
static tir_e parse_typed_number(struct tir__parser *p, enum tsr_dtype dtype)
{
  struct tir__lexer start = p->lex;
  bool negative = tir__take(p, "-"), real = tir__is_float(dtype);
  bool word = tir__is(p, "inf") || tir__is(p, "nan");
  bool number = p->lex.token == TIR__INTEGER || (real && p->lex.token == TIR__DECIMAL);
  tir_e x = NULL;
  if (real && (number || word))
    x = tir_float(p->arena, dtype, take_decimal(p, negative));
  else if (number) {
    errno = 0;
    long long magnitude = strtoll(p->lex.text, NULL, 10);
    if (!errno)
      x = tir_int(p->arena, dtype, negative ? -magnitude : magnitude);
    tir__next(p);
  }
  p->height = 1;
  if (x && tir__take(p, ")"))
    return x;
  p->lex = start;
  return NULL;
}

/* --- names ----------------------------------------------------------------------------------- */

struct tir_buffer *tir__parse_buffer_use(struct tir__parser *p)
{
  const char *known[TIR__MOST_BUFFERS];
  for (int i = 0; i < p->buffers; i++) {
    known[i] = p->buffer[i]->name;
    if (!strcmp(p->lex.text, known[i])) {
      tir__next(p);
      return p->buffer[i];
    }
  }
  tir__bad_name(p, "buffer", p->lex.text, known, p->buffers);
  return NULL;
}

/* In a stage "oh" is its axis STAGE.oh; names with a dot are whole; ".x" is a name without one. */
bool tir__parse_var_name(struct tir__parser *p, const char **out)
{
  bool whole = tir__take(p, ".");
  if (!tir__take_name(p, "a variable", out))
    return false;
  if (p->stage && !whole && !strchr(*out, '.'))
    *out = tsr_arena_printf(p->arena, "%s.%s", p->stage, *out);
  return tir__name_ok(*out) || tir__bad(p, "the name %s is too long", *out);
}

static tir_e parse_var(struct tir__parser *p)
{
  const char *known[TIR__MOST_NESTING + 2 * TSR_MAX_RANK], *name;
  if (!tir__parse_var_name(p, &name))
    return NULL;
  p->height = 1;
  for (int i = 0; i < p->vars; i++) {
    known[i] = p->var[i]->name;
    if (!strcmp(name, known[i]))
      return tir_use(p->arena, p->var[i]);
  }
  p->lex.line = p->lex.before;
  return refused(tir__bad_name(p, "variable", name, known, p->vars));
}

bool tir__parse_indices(struct tir__parser *p, const struct tir_buffer *b, tir_e *index)
{
  int height = 0;
  if (!tir__expect(p, "["))
    return false;
  for (int i = 0; i < b->rank; i++) {
    if (tir__is(p, "]"))
      return tir__bad(p, "%s has %d dimensions, but %d indices are given", b->name, b->rank, i);
    if ((i && !tir__expect(p, ",")) || !(index[i] = tir__parse_typed(p, TSR_I64, "an index")))
      return false;
    height = p->height > height ? p->height : height;
  }
  p->height = height + 1;
  if (tir__is(p, ","))
    return tir__bad(p, "%s has %d dimensions, but more indices are given", b->name, b->rank);
  return tir__expect(p, "]");
}

static tir_e parse_load(struct tir__parser *p)
{
  tir_e index[TSR_MAX_RANK];
  const struct tir_buffer *b = tir__parse_buffer_use(p);
  return b && tir__parse_indices(p, b, index) ? tir_load(p->arena, b, index) : NULL;
}

/* --- operations ------------------------------------------------------------------------------ */

static tir_e build(struct tir__parser *p, enum tir_op op, int n, const tir_e *arg)
{
  enum tsr_dtype dtype;
  if (!tir__result_dtype(op, n, arg, &dtype)) {
    char given[64] = "";
    for (int i = 0; i < n; i++)
      snprintf(given + strlen(given), sizeof given - strlen(given), "%s%s", i ? ", " : "",
               tsr_dtype_name((enum tsr_dtype)arg[i]->dtype));
    return refused(tir__bad(p, "'%s' takes no arguments of dtypes %s", tir_op_text(op), given));
  }
  switch (n) {
  case 1:
    return tir_unary(p->arena, op, arg[0]);
  case 2:
    return tir_binary(p->arena, op, arg[0], arg[1]);
  case 3:
    return tir_select(p->arena, arg[0], arg[1], arg[2]);
  default:
    return tir_quant(p->arena, arg[0], arg[1], arg[2], arg[3]);
  }
}

static bool parse_arguments(struct tir__parser *p, const char *name, int n, tir_e *arg)
{
  int height = 0;
  for (int i = 0; i < n; i++) {
    if (i && !tir__is(p, ","))
      return tir__bad(p, "'%s' takes %d arguments, but %d are given", name, n, i);
    if (i)
      tir__next(p);
    if (!(arg[i] = tir__parse_expr(p)))
      return false;
    height = p->height > height ? p->height : height;
  }
  p->height = height + 1;
  if (tir__is(p, ","))
    return tir__bad(p, "'%s' takes %d arguments, but more are given", name, n);
  return tir__expect(p, ")");
}

static tir_e parse_call(struct tir__parser *p, const char *name)
{
  const char *known[TIR_OP_COUNT + TSR_DTYPE_COUNT];
  int n = 0;
  enum tsr_dtype dtype;
  tir_e arg[4];
  if (tsr_dtype_from_name(name, &dtype)) {
    tir_e number = parse_typed_number(p, dtype);
    if (number)
      return number;
    return parse_arguments(p, name, 1, arg) ? tir_cast(p->arena, dtype, arg[0]) : NULL;
  }
  for (int op = 0; op < TIR_OP_COUNT; op++) {
    if (tir__ops[op].form != TIR__CALL || op == TIR_CAST)
      continue;
    if (!strcmp(tir__ops[op].text, name))
      return parse_arguments(p, name, tir__ops[op].args, arg)
                 ? build(p, (enum tir_op)op, tir__ops[op].args, arg)
                 : NULL;
    known[n++] = tir__ops[op].text;
  }
  for (int i = 0; i < TSR_DTYPE_COUNT; i++)
    known[n++] = tsr_dtype_name((enum tsr_dtype)i);
  return refused(tir__bad_name(p, "function", name, known, n));
}

static tir_e parse_atom(struct tir__parser *p)
{
  if (tir__take(p, "(")) {
    tir_e x = tir__parse_expr(p);
    return x && tir__expect(p, ")") ? x : NULL;
  }
  p->height = 1;
  if (tir__is(p, "true") || tir__is(p, "false")) {
    bool value = tir__is(p, "true");
    tir__next(p);
    return tir_int(p->arena, TSR_BOOL, value);
  }
  if (tir__is(p, "-") || p->lex.token == TIR__INTEGER || p->lex.token == TIR__DECIMAL)
    return parse_number(p);
  if (tir__is(p, "."))
    return parse_var(p);
  if (p->lex.token != TIR__NAME)
    return refused(tir__bad_token(p,
                                  p->lex.token == TIR__END ? "the text ends in an expression"
                                                           : "'%s' starts no expression",
                                  p->lex.text));
  const char *behind = p->lex.at + strspn(p->lex.at, " \t\r");
  if (*behind == '[')
    return parse_load(p);
  if (*behind != '(')
    return parse_var(p);
  const char *name = tsr_arena_strdup(p->arena, p->lex.text);
  tir__next(p);
  tir__next(p);
  return parse_call(p, name);
}

enum { BIND_OR = 1, BIND_AND, BIND_NOT, BIND_COMPARE, BIND_SUM, BIND_PRODUCT };

/* The infix operation that the token is; its binding, or 0. */
static int infix_at(const struct tir__parser *p, enum tir_op *op)
{
  static const struct {
    enum tir_op op;
    int binding;
  } infix[] = {{TIR_OR, BIND_OR},      {TIR_AND, BIND_AND},    {TIR_LT, BIND_COMPARE},
               {TIR_LE, BIND_COMPARE}, {TIR_EQ, BIND_COMPARE}, {TIR_NE, BIND_COMPARE},
               {TIR_ADD, BIND_SUM},    {TIR_SUB, BIND_SUM},    {TIR_MUL, BIND_PRODUCT},
               {TIR_DIV, BIND_PRODUCT}};
  for (size_t i = 0; i < sizeof infix / sizeof infix[0]; i++)
    if (tir__is(p, tir_op_text(infix[i].op))) {
      *op = infix[i].op;
      return infix[i].binding;
    }
  return 0;
}

static tir_e parse_not(struct tir__parser *p, int least)
{
  if (least > BIND_NOT)
    return refused(tir__bad(p, "put 'not' and what follows in parentheses here"));
  tir__next(p);
  tir_e x = parse_binding(p, BIND_NOT);
  p->height++;
  return x ? build(p, TIR_NOT, 1, &x) : NULL;
}

static tir_e parse_chain(struct tir__parser *p, int least)
{
  enum tir_op op;
  tir_e x = tir__is(p, "not") ? parse_not(p, least) : parse_atom(p);
  for (int binding; x && (binding = infix_at(p, &op)) >= least && binding;) {
    int height = p->height;
    tir__next(p);
    tir_e y = parse_binding(p, binding + 1);
    p->height = 1 + (height > p->height ? height : p->height);
    if (y && p->height > TIR__MOST_HEIGHT)
      return refused(tir__bad(p, "an expression of more than %d levels; make it of several stages",
                              TIR__MOST_HEIGHT));
    x = y ? build(p, op, 2, (tir_e[]){x, y}) : NULL;
  }
  return x;
}

static tir_e parse_binding(struct tir__parser *p, int least)
{
  if (p->nesting == TIR__MOST_NESTING)
    return refused(tir__bad(p, "more than %d levels of nesting", TIR__MOST_NESTING));
  p->nesting++;
  tir_e x = parse_chain(p, least);
  p->nesting--;
  return x;
}

tir_e tir__parse_expr(struct tir__parser *p)
{
  return parse_binding(p, 0);
}

tir_e tir__parse_typed(struct tir__parser *p, enum tsr_dtype dtype, const char *what)
{
  tir_e x = tir__parse_expr(p);
  if (x && x->dtype != dtype)
    return refused(tir__bad(p, "%s is %s, but must be %s", what,
                            tsr_dtype_name((enum tsr_dtype)x->dtype), tsr_dtype_name(dtype)));
  return x;
}

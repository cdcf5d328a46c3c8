/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs and programs as text; docs/tensor-ir.md has the grammar, parse.c reads it back. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/tir/tir_internal.h"

struct printer {
  struct tsr_text text;
  const struct tir_stage *stage; /* whose axes are printed without its name; NULL in a program */
  int indent;
};

/* How strongly an op binds: an argument that binds less gets parentheses. */
enum { BIND_OR = 1, BIND_AND, BIND_NOT, BIND_COMPARE, BIND_SUM, BIND_PRODUCT, BIND_ATOM };

static int binding(tir_e x)
{
  switch (x->op) {
  case TIR_OR:
    return BIND_OR;
  case TIR_AND:
    return BIND_AND;
  case TIR_NOT:
    return BIND_NOT;
  case TIR_LT:
  case TIR_LE:
  case TIR_EQ:
  case TIR_NE:
    return BIND_COMPARE;
  case TIR_ADD:
  case TIR_SUB:
    return BIND_SUM;
  case TIR_MUL:
  case TIR_DIV:
    return BIND_PRODUCT;
  default:
    return BIND_ATOM;
  }
}

static void add_expr(struct printer *p, tir_e x, int least);

/* "conv.oh" is "oh" in stage conv; "conv.o.inner" and names of others stay whole; a name without a
 * dot gets one in front, so that it is not taken for an axis of the stage. */
static void add_var(struct printer *p, const struct tir_var *var)
{
  const char *name = var->name;
  size_t length = p->stage ? strlen(p->stage->name) : 0;
  if (p->stage && !strncmp(name, p->stage->name, length) && name[length] == '.' &&
      !strchr(name + length + 1, '.') && tir__name_ok(name + length + 1))
    tsr_text_add(&p->text, "%s", name + length + 1);
  else
    tsr_text_add(&p->text, "%s%s", p->stage && !strchr(name, '.') ? "." : "", name);
}

/* The shortest decimal that reads back as v; never mistaken for an integer. */
static void add_decimal(struct printer *p, double v, enum tsr_dtype dtype)
{
  char digits[40];
  for (int precision = 1; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, v);
    if (tir__rounded(dtype, strtod(digits, NULL)) == v)
      break;
  }
  tsr_text_add(&p->text, "%s%s", digits, strpbrk(digits, ".e") ? "" : ".0");
}

static void add_float(struct printer *p, tir_e x)
{
  bool bare = x->dtype == TSR_F32 && isfinite(x->f);
  if (!bare)
    tsr_text_add(&p->text, "%s(", tsr_dtype_name((enum tsr_dtype)x->dtype));
  if (isnan(x->f))
    tsr_text_add(&p->text, "nan");
  else if (isinf(x->f))
    tsr_text_add(&p->text, x->f < 0 ? "-inf" : "inf");
  else
    add_decimal(p, x->f, (enum tsr_dtype)x->dtype);
  if (!bare)
    tsr_text_add(&p->text, ")");
}

static void add_int(struct printer *p, tir_e x)
{
  if (x->dtype == TSR_BOOL)
    tsr_text_add(&p->text, x->i ? "true" : "false");
  else if (x->dtype == TSR_I64)
    tsr_text_add(&p->text, "%lld", (long long)x->i);
  else
    tsr_text_add(&p->text, "%s(%lld)", tsr_dtype_name((enum tsr_dtype)x->dtype), (long long)x->i);
}

static void add_list(struct printer *p, int n, const tir_e *x)
{
  for (int i = 0; i < n; i++) {
    tsr_text_add(&p->text, i ? ", " : "");
    add_expr(p, x[i], 0);
  }
}

static void add_element(struct printer *p, const struct tir_buffer *b, const tir_e *index)
{
  tsr_text_add(&p->text, "%s[", b->name);
  add_list(p, b->rank, index);
  tsr_text_add(&p->text, "]");
}

static void add_infix(struct printer *p, tir_e x)
{
  int bind = binding(x);
  tir_e y = x->arg[1];
  add_expr(p, x->arg[0], bind + (bind == BIND_COMPARE));
  if (x->op == TIR_ADD && y->op == TIR_INT && y->dtype == TSR_I64 && y->i < 0 && y->i > INT64_MIN) {
    tsr_text_add(&p->text, " - %lld", (long long)-y->i);
    return;
  }
  tsr_text_add(&p->text, " %s ", tir_op_text((enum tir_op)x->op));
  add_expr(p, y, bind + 1);
}

static void add_call(struct printer *p, tir_e x)
{
  const char *name = x->op == TIR_CAST ? tsr_dtype_name((enum tsr_dtype)x->dtype)
                                       : tir_op_text((enum tir_op)x->op);
  tsr_text_add(&p->text, "%s(", name);
  add_list(p, x->args, x->arg);
  tsr_text_add(&p->text, ")");
}

static void add_bare(struct printer *p, tir_e x)
{
  if (x->op == TIR_INT) {
    add_int(p, x);
  } else if (x->op == TIR_FLOAT) {
    add_float(p, x);
  } else if (x->op == TIR_VAR) {
    add_var(p, x->var);
  } else if (x->op == TIR_LOAD) {
    add_element(p, x->buffer, x->arg);
  } else if (x->op == TIR_NOT) {
    tsr_text_add(&p->text, "not ");
    add_expr(p, x->arg[0], BIND_NOT);
  } else if (tir__ops[x->op].form == TIR__INFIX) {
    add_infix(p, x);
  } else {
    add_call(p, x);
  }
}

static void add_expr(struct printer *p, tir_e x, int least)
{
  bool parentheses = binding(x) < least;
  tsr_text_add(&p->text, parentheses ? "(" : "");
  add_bare(p, x);
  tsr_text_add(&p->text, parentheses ? ")" : "");
}

/* --- funcs ----------------------------------------------------------------------------------- */

static void new_line(struct printer *p)
{
  tsr_text_add(&p->text, "\n%*s", 2 * p->indent, "");
}

static void add_buffer(struct printer *p, const struct tir_buffer *b)
{
  tsr_text_add(&p->text, "%s: %s[", b->name, tsr_dtype_name(b->dtype));
  for (int i = 0; i < b->rank; i++)
    tsr_text_add(&p->text, "%s%lld", i ? "," : "", (long long)b->dims[i]);
  tsr_text_add(&p->text, "]");
  if (b->scope != TIR_GLOBAL)
    tsr_text_add(&p->text, " %s", tir_scope_name(b->scope));
}

static void add_head(struct printer *p, const char *what, const char *name, int inputs, int params,
                     struct tir_buffer *const *param)
{
  tsr_text_add(&p->text, "%s %s(", what, name);
  for (int i = 0; i < params; i++) {
    tsr_text_add(&p->text, i == inputs ? ") -> (" : i ? ", " : "");
    add_buffer(p, param[i]);
  }
  tsr_text_add(&p->text, inputs == params ? ") -> () {" : ") {");
  p->indent++;
}

static bool is_temp(const struct tir_func *f, int stage)
{
  const struct tir_buffer *b = f->stage[stage]->out;
  for (int i = 0; i < f->params; i++)
    if (f->param[i] == b)
      return false;
  for (int i = 0; i < stage; i++)
    if (f->stage[i]->out == b)
      return false;
  return true;
}

static const char *const combines[] = {"", "sum", "product", "maximum", "minimum"};

static void add_stage(struct printer *p, const struct tir_stage *s)
{
  p->stage = s;
  new_line(p);
  tsr_text_add(&p->text, "%s: %s[", s->name, s->out->name);
  for (int i = 0; i < s->out->rank; i++) {
    tsr_text_add(&p->text, i ? ", " : "");
    add_var(p, s->axis[i].var);
  }
  tsr_text_add(&p->text, "]");
  if (s->combine != TIR_ASSIGN) {
    tsr_text_add(&p->text, " %s(", combines[s->combine]);
    for (int i = s->out->rank; i < s->axes; i++) {
      tsr_text_add(&p->text, i > s->out->rank ? ", " : "");
      add_var(p, s->axis[i].var);
      tsr_text_add(&p->text, " < %lld", (long long)s->axis[i].extent);
    }
    tsr_text_add(&p->text, ") init ");
    add_expr(p, s->init, 0);
  }
  tsr_text_add(&p->text, " = ");
  add_expr(p, s->value, 0);
  p->stage = NULL;
}

char *tir_func_print(struct tsr_arena *a, const struct tir_func *f)
{
  struct printer p = {.text = {.arena = a}};
  add_head(&p, "func", f->name, f->inputs, f->params, f->param);
  for (int i = 0; i < f->stages; i++)
    if (is_temp(f, i)) {
      new_line(&p);
      tsr_text_add(&p.text, "temp ");
      add_buffer(&p, f->stage[i]->out);
    }
  for (int i = 0; i < f->stages; i++)
    add_stage(&p, f->stage[i]);
  tsr_text_add(&p.text, "\n}\n");
  return p.text.data;
}

/* --- programs -------------------------------------------------------------------------------- */

static void add_stmt(struct printer *p, const struct tir_stmt *s);

static void add_body(struct printer *p, const struct tir_stmt *body)
{
  tsr_text_add(&p->text, " {");
  p->indent++;
  add_stmt(p, body);
  p->indent--;
  new_line(p);
  tsr_text_add(&p->text, "}");
}

static void add_for(struct printer *p, const struct tir_stmt *s)
{
  tsr_text_add(&p->text, "for %s < ", s->f.var->name);
  add_expr(p, s->f.extent, 0);
  if (s->f.loop == TIR_UNROLL)
    tsr_text_add(&p->text, " unroll");
  if (s->f.loop == TIR_PARALLEL)
    tsr_text_add(&p->text, " parallel");
  if (s->f.loop == TIR_PIPELINE)
    tsr_text_add(&p->text, " pipeline %d", s->f.depth);
  if (s->f.stage)
    tsr_text_add(&p->text, " of %s", s->f.stage);
  add_body(p, s->f.body);
}

static void add_store(struct printer *p, const struct tir_stmt *s)
{
  static const char *const assigns[] = {"=", "+=", "*=", "max=", "min="};
  add_element(p, s->store.buffer, s->store.index);
  tsr_text_add(&p->text, " %s ", assigns[s->store.combine]);
  add_expr(p, s->store.value, 0);
}

static void add_intrinsic(struct printer *p, const struct tir_stmt *s)
{
  tsr_text_add(&p->text, "call %s(", s->call.intrin->name);
  for (int i = 0; i < s->call.operands; i++) {
    tsr_text_add(&p->text, i ? ", " : "");
    add_element(p, s->call.buffer[i], s->call.index[i]);
  }
  tsr_text_add(&p->text, ")");
  if (s->call.init)
    tsr_text_add(&p->text, " init");
  if (s->call.first) {
    tsr_text_add(&p->text, " first ");
    add_expr(p, s->call.first, 0);
  }
  if (s->call.semantics)
    add_body(p, s->call.semantics);
}

static void add_stmt(struct printer *p, const struct tir_stmt *s)
{
  if (s->kind == TIR_BLOCK) { /* blocks have no text of their own */
    for (int i = 0; i < s->block.count; i++)
      add_stmt(p, s->block.stmt[i]);
    return;
  }
  new_line(p);
  if (s->kind == TIR_FOR) {
    add_for(p, s);
  } else if (s->kind == TIR_STORE) {
    add_store(p, s);
  } else if (s->kind == TIR_CALL) {
    add_intrinsic(p, s);
  } else if (s->kind == TIR_ALLOC) {
    tsr_text_add(&p->text, "alloc ");
    add_buffer(p, s->alloc.buffer);
    add_body(p, s->alloc.body);
  } else {
    tsr_text_add(&p->text, "if ");
    add_expr(p, s->when.condition, 0);
    add_body(p, s->when.body);
  }
}

char *tir_program_print(struct tsr_arena *a, const struct tir_program *p)
{
  struct printer printer = {.text = {.arena = a}};
  add_head(&printer, "program", p->name, p->inputs, p->params, p->param);
  add_stmt(&printer, p->body);
  tsr_text_add(&printer.text, "\n}\n");
  return printer.text.data;
}

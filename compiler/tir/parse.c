/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs and programs from text; print.c writes it, docs/tensor-ir.md has the grammar. What parses
 * is verified too. */
#include <stdio.h>
#include <string.h>

#include "compiler/tir/lex.h"

/* --- buffers --------------------------------------------------------------------------------- */

static bool parse_dtype(struct tir__parser *p, enum tsr_dtype *out)
{
  const char *known[TSR_DTYPE_COUNT];
  for (int i = 0; i < TSR_DTYPE_COUNT; i++)
    known[i] = tsr_dtype_name((enum tsr_dtype)i);
  if (!tsr_dtype_from_name(p->lex.text, out))
    return tir__bad_name(p, "dtype", p->lex.text, known, TSR_DTYPE_COUNT);
  tir__next(p);
  return true;
}

static bool parse_dims(struct tir__parser *p, struct tir_buffer *b)
{
  if (!tir__expect(p, "["))
    return false;
  while (!tir__is(p, "]")) {
    if (b->rank == TSR_MAX_RANK)
      return tir__bad(p, "%s has more than %d dimensions", b->name, TSR_MAX_RANK);
    if ((b->rank && !tir__expect(p, ",")) || !tir__take_count(p, &b->dims[b->rank++]))
      return false;
  }
  tir__next(p);
  if (tsr_count(b->dims, b->rank, tsr_dtype_bytes(b->dtype)) < 0)
    return tir__bad(p, "%s has more bytes than fit 63 bits", b->name);
  return true;
}

/* NAME: DTYPE[DIMS] SCOPE */
static struct tir_buffer *parse_buffer(struct tir__parser *p)
{
  struct tir_buffer *b = TSR_NEW(p->arena, struct tir_buffer);
  if (!tir__take_name(p, "a buffer", &b->name))
    return NULL;
  for (int i = 0; i < p->buffers; i++)
    if (!strcmp(p->buffer[i]->name, b->name)) {
      tir__bad(p, "there is a buffer %s already", b->name);
      return NULL;
    }
  if (p->buffers == TIR__MOST_BUFFERS) {
    tir__bad(p, "more than %d buffers", TIR__MOST_BUFFERS);
    return NULL;
  }
  if (!tir__expect(p, ":") || !parse_dtype(p, &b->dtype) || !parse_dims(p, b))
    return NULL;
  bool stage = p->lex.at[strspn(p->lex.at, " \t\r\n")] == ':'; /* one that is named like a scope */
  if (p->lex.token == TIR__NAME && !stage && tir_scope_from_name(p->lex.text, &b->scope))
    tir__next(p);
  p->buffer[p->buffers++] = b;
  return b;
}

static bool parse_buffers(struct tir__parser *p)
{
  if (!tir__expect(p, "("))
    return false;
  for (int n = 0; !tir__is(p, ")"); n++)
    if ((n && !tir__expect(p, ",")) || !parse_buffer(p))
      return false;
  return tir__expect(p, ")");
}

struct head {
  const char *name;
  int params, inputs;
  struct tir_buffer **param;
};

static bool parse_head(struct tir__parser *p, const char *word, struct head *out)
{
  tir__next(p);
  if (!tir__expect(p, word) || !tir__take_name(p, word, &out->name) || !parse_buffers(p))
    return false;
  out->inputs = p->buffers;
  if (!tir__expect(p, "->") || !parse_buffers(p) || !tir__expect(p, "{"))
    return false;
  out->params = p->buffers;
  out->param = tsr_arena_copy(p->arena, p->buffer, (size_t)p->buffers * sizeof p->buffer[0]);
  return true;
}

static bool parse_end(struct tir__parser *p)
{
  if (!tir__expect(p, "}"))
    return false;
  return p->lex.token == TIR__END ||
         tir__bad_token(p, "there is text behind the end: '%s'", p->lex.text);
}

/* --- stages ---------------------------------------------------------------------------------- */

static bool parse_axis(struct tir__parser *p, struct tir_stage *s, int64_t extent)
{
  struct tir_var *var = TSR_NEW(p->arena, struct tir_var);
  if (!tir__parse_var_name(p, &var->name))
    return false;
  for (int i = 0; i < p->vars; i++)
    if (!strcmp(p->var[i]->name, var->name))
      return tir__bad(p, "two axes are named %s", var->name);
  p->var[p->vars++] = var;
  s->axis[s->axes++] = (struct tir_axis){.var = var, .extent = extent};
  return true;
}

static bool parse_spatial(struct tir__parser *p, struct tir_stage *s)
{
  if (!tir__expect(p, "["))
    return false;
  for (int i = 0; i < s->out->rank; i++) {
    if (tir__is(p, "]"))
      return tir__bad(p, "%s has %d dimensions, but %d axes are given", s->out->name, s->out->rank,
                      i);
    if ((i && !tir__expect(p, ",")) || !parse_axis(p, s, s->out->dims[i]))
      return false;
  }
  return tir__expect(p, "]");
}

static bool parse_reduce(struct tir__parser *p, struct tir_stage *s)
{
  if (!tir__expect(p, "("))
    return false;
  for (int n = 0; !tir__is(p, ")"); n++) {
    if (n == TSR_MAX_RANK)
      return tir__bad(p, "more than %d reduce axes", TSR_MAX_RANK);
    if ((n && !tir__expect(p, ",")) || !parse_axis(p, s, 0) || !tir__expect(p, "<") ||
        !tir__take_count(p, &s->axis[s->axes - 1].extent))
      return false;
  }
  tir__next(p);
  return tir__expect(p, "init") && (s->init = tir__parse_typed(p, s->out->dtype, "the init"));
}

static bool parse_combine(struct tir__parser *p, struct tir_stage *s)
{
  static const char *const words[] = {"=", "sum", "product", "maximum", "minimum"};
  for (int i = 1; i < 5; i++)
    if (tir__take(p, words[i])) {
      s->combine = (enum tir_combine)i;
      return parse_reduce(p, s);
    }
  return tir__is(p, "=") || tir__bad_name(p, "way to combine", p->lex.text, words, 5);
}

static bool parse_stage(struct tir__parser *p, struct tir_func *f)
{
  struct tir_stage *s = TSR_NEW(p->arena, struct tir_stage);
  if (f->stages == TIR__MOST_STAGES)
    return tir__bad(p, "more than %d stages", TIR__MOST_STAGES);
  if (!tir__take_name(p, "a stage", &s->name) || !tir__expect(p, ":"))
    return false;
  p->stage = s->name;
  p->vars = 0;
  if (!(s->out = tir__parse_buffer_use(p)) || !parse_spatial(p, s) || !parse_combine(p, s) ||
      !tir__expect(p, "=") || !(s->value = tir__parse_typed(p, s->out->dtype, "the value")))
    return false;
  tir__func_add_stage(p->arena, f, s);
  return true;
}

static bool is_temp_line(const struct tir__parser *p)
{
  return tir__is(p, "temp") && p->lex.at[strspn(p->lex.at, " \t\r\n")] != ':';
}

static bool parse_func(struct tir__parser *p, struct tir_func *f)
{
  struct head head;
  if (!parse_head(p, "func", &head))
    return false;
  f->name = head.name;
  f->params = head.params;
  f->inputs = head.inputs;
  f->param = head.param;
  while (!tir__is(p, "}")) {
    bool temp = is_temp_line(p);
    if (temp)
      tir__next(p);
    if (temp ? !parse_buffer(p) : !parse_stage(p, f))
      return false;
  }
  return parse_end(p);
}

static struct tir__parser *new_parser(struct tsr_arena *a, struct tsr_err *err, const char *name,
                                      const char *text)
{
  struct tir__parser *p = TSR_NEW(a, struct tir__parser);
  p->arena = a;
  p->err = err;
  p->name = name;
  p->lex.at = text;
  p->lex.line = 1;
  return p;
}

static enum tsr_status located(enum tsr_status status, struct tsr_err *err, const char *name)
{
  return status == TSR_REFUSED ? tsr_refuse_at(err, "%s", name) : status;
}

enum tsr_status tir_func_parse(struct tsr_arena *a, struct tsr_err *err, const char *name,
                               const char *text, struct tir_func **out)
{
  struct tir_func *f = TSR_NEW(a, struct tir_func);
  if (!parse_func(new_parser(a, err, name, text), f))
    return TSR_REFUSED;
  enum tsr_status status = located(tir_func_verify(err, f), err, name);
  if (status == TSR_OK)
    *out = f;
  return status;
}

/* --- programs -------------------------------------------------------------------------------- */

static struct tir_stmt *parse_body(struct tir__parser *p);

static struct tir_stmt *new_stmt(struct tir__parser *p, enum tir_stmt_kind kind)
{
  struct tir_stmt *s = TSR_NEW(p->arena, struct tir_stmt);
  s->kind = kind;
  return s;
}

static bool parse_loop_kind(struct tir__parser *p, struct tir_stmt *s)
{
  int64_t depth;
  if (tir__take(p, "unroll")) {
    s->f.loop = TIR_UNROLL;
  } else if (tir__take(p, "parallel")) {
    s->f.loop = TIR_PARALLEL;
  } else if (tir__take(p, "pipeline")) {
    if (!tir__take_count(p, &depth))
      return false;
    if (depth < 1 || depth > 1024)
      return tir__bad(p, "a pipeline's depth is 1 to 1024");
    s->f.loop = TIR_PIPELINE;
    s->f.depth = (int)depth;
  }
  return !tir__take(p, "of") || tir__take_name(p, "a stage", &s->f.stage);
}

static struct tir_stmt *parse_for(struct tir__parser *p)
{
  struct tir_stmt *s = new_stmt(p, TIR_FOR);
  struct tir_var *var = TSR_NEW(p->arena, struct tir_var);
  s->f.var = var;
  if (!tir__parse_var_name(p, &var->name) || !tir__expect(p, "<") ||
      !(s->f.extent = tir__parse_typed(p, TSR_I64, "a loop's extent")) || !parse_loop_kind(p, s))
    return NULL;
  p->var[p->vars++] = var; /* no more of them than levels of nesting */
  s->f.body = parse_body(p);
  p->vars--;
  return s->f.body ? s : NULL;
}

static struct tir_stmt *parse_alloc(struct tir__parser *p)
{
  struct tir_stmt *s = new_stmt(p, TIR_ALLOC);
  int buffers = p->buffers;
  if (!(s->alloc.buffer = parse_buffer(p)))
    return NULL;
  s->alloc.body = parse_body(p);
  p->buffers = buffers;
  return s->alloc.body ? s : NULL;
}

static struct tir_stmt *parse_if(struct tir__parser *p)
{
  struct tir_stmt *s = new_stmt(p, TIR_IF);
  if (!(s->when.condition = tir__parse_typed(p, TSR_BOOL, "a condition")))
    return NULL;
  s->when.body = parse_body(p);
  return s->when.body ? s : NULL;
}

static struct tir_stmt *parse_store(struct tir__parser *p)
{
  static const char *const assigns[] = {"=", "+=", "*=", "max=", "min="};
  struct tir_stmt *s = new_stmt(p, TIR_STORE);
  struct tir_buffer *b = tir__parse_buffer_use(p);
  if (!b)
    return NULL;
  s->store.buffer = b;
  s->store.index = TSR_NEW_ARRAY(p->arena, tir_e, b->rank);
  if (!tir__parse_indices(p, b, s->store.index))
    return NULL;
  for (int i = 0; i < 5; i++)
    if (tir__take(p, assigns[i])) {
      s->store.combine = (enum tir_combine)i;
      s->store.value = tir__parse_typed(p, b->dtype, "the stored value");
      return s->store.value ? s : NULL;
    }
  tir__bad_name(p, "assignment", p->lex.text, assigns, 5);
  return NULL;
}

static struct tir_stmt *parse_stmt(struct tir__parser *p)
{
  if (p->statements++ == TIR__MOST_STATEMENTS) {
    tir__bad(p, "more than %d statements", TIR__MOST_STATEMENTS);
    return NULL;
  }
  bool store = p->lex.at[strspn(p->lex.at, " \t\r")] == '[';
  if (!store && tir__take(p, "for"))
    return parse_for(p);
  if (!store && tir__take(p, "alloc"))
    return parse_alloc(p);
  if (!store && tir__take(p, "if"))
    return parse_if(p);
  if (!store && tir__is(p, "call")) {
    tir__bad_token(p, "calls of intrinsics can't be parsed: they come of tensorizing");
    return NULL;
  }
  if (p->lex.token != TIR__NAME) {
    tir__bad_token(
        p, p->lex.token == TIR__END ? "the text ends before '}'" : "'%s' starts no statement",
        p->lex.text);
    return NULL;
  }
  return parse_store(p);
}

/* Statements up to '}': one is itself, several are a block. */
static struct tir_stmt *parse_stmts(struct tir__parser *p)
{
  struct tir_stmt *block = new_stmt(p, TIR_BLOCK);
  size_t capacity = 0;
  while (!tir__is(p, "}")) {
    struct tir_stmt *s = parse_stmt(p);
    if (!s)
      return NULL;
    block->block.stmt = TSR_GROW(p->arena, block->block.stmt, block->block.count, &capacity);
    block->block.stmt[block->block.count++] = s;
  }
  return block->block.count == 1 ? block->block.stmt[0] : block;
}

static struct tir_stmt *parse_body(struct tir__parser *p)
{
  if (!tir__expect(p, "{"))
    return NULL;
  if (p->nesting == TIR__MOST_NESTING) {
    tir__bad(p, "more than %d levels of nesting", TIR__MOST_NESTING);
    return NULL;
  }
  p->nesting++;
  struct tir_stmt *s = parse_stmts(p);
  p->nesting--;
  return s && tir__expect(p, "}") ? s : NULL;
}

enum tsr_status tir_program_parse(struct tsr_arena *a, struct tsr_err *err, const char *name,
                                  const char *text, struct tir_program **out)
{
  struct tir_program *program = TSR_NEW(a, struct tir_program);
  struct tir__parser *p = new_parser(a, err, name, text);
  struct head head;
  if (!parse_head(p, "program", &head) || !(program->body = parse_stmts(p)) || !parse_end(p))
    return TSR_REFUSED;
  program->name = head.name;
  program->params = head.params;
  program->inputs = head.inputs;
  program->param = head.param;
  enum tsr_status status = located(tir_program_verify(err, program), err, name);
  if (status == TSR_OK)
    *out = program;
  return status;
}

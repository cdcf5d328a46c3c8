/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a tensor-IR text, one at a time, and what a parser has in scope. */
#ifndef TSR_COMPILER_TIR_LEX_H
#define TSR_COMPILER_TIR_LEX_H

#include "compiler/tir/tir_internal.h"

enum tir__token { TIR__END, TIR__NAME, TIR__INTEGER, TIR__DECIMAL, TIR__SIGN, TIR__BAD };

struct tir__lexer {
  const char *at; /* behind the token */
  int line, before; /* where the token is, and where the one before it was */
  enum tir__token token;
  char text[256]; /* of the token: a name, digits, or a sign such as "+=" */
};

/* Limits of what is read. They keep every pass over it, recursive or quadratic, small. */
enum {
  TIR__MOST_NESTING = 100,
  TIR__MOST_HEIGHT = 500, /* of an expression's tree */
  TIR__MOST_BUFFERS = 1024,
  TIR__MOST_STAGES = 256,
  TIR__MOST_STATEMENTS = 100000,
};

struct tir__parser {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const char *name;
  struct tir__lexer lex;
  int nesting, height; /* height: of the expression parsed last */
  int buffers, vars, statements;
  struct tir_buffer *buffer[TIR__MOST_BUFFERS];
  const struct tir_var *var[TIR__MOST_NESTING + 2 * TSR_MAX_RANK];
  const char *stage; /* whose axes may be named without it; NULL in a program */
};

void tir__next(struct tir__parser *p);
bool tir__is(const struct tir__parser *p, const char *text);
bool tir__take(struct tir__parser *p, const char *text); /* steps over it if it is there */
bool tir__expect(struct tir__parser *p, const char *text);
bool tir__take_name(struct tir__parser *p, const char *what, const char **out);
bool tir__take_count(struct tir__parser *p, int64_t *out);
/* "NAME:LINE: sentence" about what was stepped over last; returns false. */
bool tir__bad(struct tir__parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool tir__bad_token(struct tir__parser *p, const char *format, ...) /* about the token itself */
    __attribute__((format(printf, 2, 3)));
bool tir__bad_name(struct tir__parser *p, const char *what, const char *given,
                   const char *const *known, int n);

tir_e tir__parse_expr(struct tir__parser *p); /* NULL: refused */
tir_e tir__parse_typed(struct tir__parser *p, enum tsr_dtype dtype, const char *what);
struct tir_buffer *tir__parse_buffer_use(struct tir__parser *p);
bool tir__parse_indices(struct tir__parser *p, const struct tir_buffer *b, tir_e *index);
bool tir__parse_var_name(struct tir__parser *p, const char **out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Words: names (with dots), integers, decimals, signs. A comment runs from # to the end of its line. */
#include "compiler/tir/lex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
static const char digits[] = "0123456789";

static void skip_space(struct tir__lexer *l)
{
  for (;; l->at++) {
    if (*l->at == '#') /* a comment ends with its line */
      l->at += strcspn(l->at, "\n");
    if (*l->at == '\n')
      l->line++;
    else if (*l->at != ' ' && *l->at != '\t' && *l->at != '\r')
      return;
  }
}

static size_t name_length(const char *s)
{
  size_t n = 0;
  while (s[n] && (strchr(letters, s[n]) || strchr(digits, s[n]) || s[n] == '.'))
    n++;
  return n;
}

static size_t number_length(const char *s, enum tir__token *token)
{
  size_t n = strspn(s, digits);
  *token = TIR__INTEGER;
  if (s[n] == '.') {
    n += 1 + strspn(s + n + 1, digits);
    *token = TIR__DECIMAL;
  }
  if (s[n] == 'e' || s[n] == 'E') {
    size_t sign = s[n + 1] == '+' || s[n + 1] == '-';
    size_t exponent = strspn(s + n + 1 + sign, digits);
    if (exponent) {
      n += 1 + sign + exponent;
      *token = TIR__DECIMAL;
    }
  }
  return n;
}

static size_t sign_length(const char *s)
{
  static const char *const signs[] = {"max=", "min=", "->", "<=", "==", "!=", "+=", "*="};
  for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
    if (!strncmp(s, signs[i], strlen(signs[i])) && s[strlen(signs[i])] != '=')
      return strlen(signs[i]);
  return strchr("()[]{}:,<=+-*/.", *s) ? 1 : 0;
}

void tir__next(struct tir__parser *p)
{
  struct tir__lexer *l = &p->lex;
  l->before = l->line;
  skip_space(l);
  size_t n = sign_length(l->at);
  l->token = TIR__SIGN;
  if (!*l->at) {
    l->token = TIR__END;
    n = 0;
  } else if (n == 0 && strchr(letters, *l->at)) {
    l->token = TIR__NAME;
    n = name_length(l->at);
  } else if (n == 0 && strchr(digits, *l->at)) {
    n = number_length(l->at, &l->token);
  }
  if ((n == 0 && *l->at) || n >= sizeof l->text) {
    l->token = TIR__BAD;
    n = 1;
  }
  memcpy(l->text, l->at, n);
  l->text[n] = 0;
  l->at += n;
}

bool tir__is(const struct tir__parser *p, const char *text)
{
  return (p->lex.token == TIR__NAME || p->lex.token == TIR__SIGN) && !strcmp(p->lex.text, text);
}

bool tir__take(struct tir__parser *p, const char *text)
{
  if (!tir__is(p, text))
    return false;
  tir__next(p);
  return true;
}

static bool bad_at(struct tir__parser *p, int line, const char *format, va_list args)
{
  char sentence[768];
  vsnprintf(sentence, sizeof sentence, format, args);
  tsr_refuse(p->err, "%s:%d: %s", p->name, line, sentence);
  return false;
}

bool tir__bad(struct tir__parser *p, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  bad_at(p, p->lex.before, format, args);
  va_end(args);
  return false;
}

bool tir__bad_token(struct tir__parser *p, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  bad_at(p, p->lex.line, format, args);
  va_end(args);
  return false;
}

bool tir__bad_name(struct tir__parser *p, const char *what, const char *given,
                   const char *const *known, int n)
{
  const char *near = tsr_nearest(given, known, n);
  if (near)
    return tir__bad_token(p, "there is no %s '%s' here; did you mean '%s'?", what, given, near);
  return tir__bad_token(p, "there is no %s '%s' here", what, given);
}

static const char *token_text(const struct tir__parser *p, char *buffer, size_t size)
{
  if (p->lex.token == TIR__END)
    return "the end";
  if (p->lex.token == TIR__BAD && ((unsigned char)p->lex.text[0] < ' ' || p->lex.text[0] & 0x80))
    snprintf(buffer, size, "the byte 0x%02x", (unsigned char)p->lex.text[0]);
  else
    snprintf(buffer, size, "'%s'", p->lex.text);
  return buffer;
}

bool tir__expect(struct tir__parser *p, const char *text)
{
  char found[300];
  if (tir__take(p, text))
    return true;
  return tir__bad_token(p, "expected '%s', found %s", text, token_text(p, found, sizeof found));
}

bool tir__take_name(struct tir__parser *p, const char *what, const char **out)
{
  char found[300];
  if (p->lex.token != TIR__NAME)
    return tir__bad_token(p, "expected the name of %s, found %s", what,
                          token_text(p, found, sizeof found));
  if (!tir__name_ok(p->lex.text))
    return tir__bad_token(p, "'%s' can't name %s: it is a word of the language", p->lex.text, what);
  *out = tsr_arena_strdup(p->arena, p->lex.text);
  tir__next(p);
  return true;
}

bool tir__take_count(struct tir__parser *p, int64_t *out)
{
  char found[300];
  if (p->lex.token != TIR__INTEGER)
    return tir__bad_token(p, "expected a number, found %s", token_text(p, found, sizeof found));
  errno = 0;
  long long v = strtoll(p->lex.text, NULL, 10);
  if (errno)
    return tir__bad_token(p, "the number %s does not fit 64 bits", p->lex.text);
  *out = v;
  tir__next(p);
  return true;
}

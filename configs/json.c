/* SPDX-License-Identifier: Apache-2.0 */
#include "configs/json.h"

#include <string.h>

struct scanner {
  struct tsr_err *err;
  const char *name, *at;
  int line;
  struct tsr__json *json;
};

static void skip_space(struct scanner *s)
{
  for (; *s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'; s->at++)
    s->line += *s->at == '\n';
}

static enum tsr_status expected(struct scanner *s, const char *what)
{
  unsigned char c = (unsigned char)*s->at;
  if (!c)
    return tsr_refuse(s->err, "%s:%d: the text ends where %s is expected", s->name, s->line, what);
  if (c < 0x20 || c > 0x7e)
    return tsr_refuse(s->err, "%s:%d: byte 0x%02x where %s is expected", s->name, s->line, c, what);
  return tsr_refuse(s->err, "%s:%d: '%c' where %s is expected", s->name, s->line, c, what);
}

static enum tsr_status take(struct scanner *s, char c, const char *what)
{
  skip_space(s);
  if (*s->at != c)
    return expected(s, what);
  s->at++;
  return TSR_OK;
}

/* A string without escapes: no name of a design point has any. */
static enum tsr_status take_string(struct scanner *s, const char *what, char *out)
{
  int n = 0;
  enum tsr_status status = take(s, '"', what);
  for (; !status && *s->at != '"'; s->at++) {
    unsigned char c = (unsigned char)*s->at;
    if (c == '\\')
      return tsr_refuse(s->err, "%s:%d: a backslash in a name; no valid name has one", s->name,
                        s->line);
    if (c < 0x20)
      return tsr_refuse(s->err, "%s:%d: the string has no end on its line", s->name, s->line);
    if (n == TSR__JSON_NAME)
      return tsr_refuse(s->err, "%s:%d: a string of more than %d bytes", s->name, s->line,
                        TSR__JSON_NAME);
    out[n++] = (char)c;
  }
  out[n] = 0;
  s->at += !status;
  return status;
}

static enum tsr_status take_number(struct scanner *s, const char *key, int64_t *out)
{
  const char *p = s->at;
  bool minus = *p == '-';
  p += minus;
  if (*p < '0' || *p > '9')
    return expected(s, "a whole number");
  if (*p == '0' && p[1] >= '0' && p[1] <= '9')
    return tsr_refuse(s->err, "%s:%d: %s has a number that begins with 0", s->name, s->line, key);
  int64_t v = 0;
  for (; *p >= '0' && *p <= '9'; p++) {
    if (v > (INT64_MAX - 9) / 10)
      return tsr_refuse(s->err, "%s:%d: %s has a number of too many digits", s->name, s->line, key);
    v = v * 10 + (*p - '0');
  }
  if (*p == '.' || *p == 'e' || *p == 'E')
    return tsr_refuse(s->err, "%s:%d: %s is not a whole number", s->name, s->line, key);
  s->at = p;
  *out = minus ? -v : v;
  return TSR_OK;
}

static enum tsr_status take_object(struct scanner *s, int parent, int *end_line);

static enum tsr_status take_value(struct scanner *s, int index)
{
  struct tsr__json_member *m = &s->json->members[index];
  skip_space(s);
  switch (*s->at) {
  case '"':
    m->kind = TSR__JSON_STRING;
    return take_string(s, "a string", m->string);
  case '{':
    m->kind = TSR__JSON_OBJECT;
    if (m->parent >= 0)
      return tsr_refuse(s->err, "%s:%d: %s is an object inside of an object", s->name, s->line,
                        m->key);
    return take_object(s, index, &m->end_line);
  default:
    m->kind = TSR__JSON_NUMBER;
    return take_number(s, m->key, &m->number);
  }
}

static enum tsr_status take_member(struct scanner *s, int parent)
{
  char key[TSR__JSON_NAME + 1];
  if (take_string(s, "a key in double quotes", key))
    return TSR_REFUSED;
  const struct tsr__json_member *old = tsr__json_find(s->json, parent, key);
  if (old)
    return tsr_refuse(s->err, "%s:%d: key '%s' is repeated; line %d has it already", s->name, s->line,
                      key, old->line);
  if (s->json->count == TSR__JSON_MEMBERS)
    return tsr_refuse(s->err, "%s:%d: more than %d keys", s->name, s->line, TSR__JSON_MEMBERS);
  int index = s->json->count++;
  struct tsr__json_member *m = &s->json->members[index];
  *m = (struct tsr__json_member){.line = s->line, .parent = parent};
  memcpy(m->key, key, sizeof key);
  if (take(s, ':', "':'"))
    return TSR_REFUSED;
  return take_value(s, index);
}

static enum tsr_status take_object(struct scanner *s, int parent, int *end_line)
{
  if (take(s, '{', "'{'"))
    return TSR_REFUSED;
  skip_space(s);
  bool more = *s->at != '}';
  while (more) {
    if (take_member(s, parent))
      return TSR_REFUSED;
    skip_space(s);
    more = *s->at == ',';
    s->at += more;
  }
  skip_space(s);
  *end_line = s->line;
  return take(s, '}', "',' or '}'");
}

enum tsr_status tsr__json_parse(struct tsr_err *err, const char *name, const char *text,
                                struct tsr__json *out)
{
  struct scanner s = {err, name, text, 1, out};
  out->count = 0;
  if (take_object(&s, -1, &out->end_line))
    return TSR_REFUSED;
  skip_space(&s);
  return *s.at ? expected(&s, "the end of the text") : TSR_OK;
}

const struct tsr__json_member *tsr__json_find(const struct tsr__json *json, int parent,
                                              const char *key)
{
  for (int i = 0; i < json->count; i++)
    if (json->members[i].parent == parent && !strcmp(json->members[i].key, key))
      return &json->members[i];
  return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/profile/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the UTF-8 sequence that begins here; 0: none does. */
static int sequence(const unsigned char *p)
{
  int n = p[0] < 0x80                   ? 1
          : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
          : (p[0] & 0xf0) == 0xe0       ? 3
          : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                        : 0;
  for (int i = 1; i < n; i++)
    if ((p[i] & 0xc0) != 0x80)
      return 0;
  if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
      (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
    return 0;
  return n;
}

/* What stands for the byte; NULL: itself does. */
typedef const char *escape(unsigned char c, char own[static 8]);

static void add_escaped(struct tsr_text *to, const char *text, escape *escaped)
{
  const unsigned char *p = (const unsigned char *)text;
  char own[8];
  while (*p) {
    int n = sequence(p);
    const char *instead = n ? escaped(*p, own) : "?";
    if (instead)
      tsr_text_add_bytes(to, instead, strlen(instead));
    else
      tsr_text_add_bytes(to, p, (size_t)n);
    p += n ? n : 1;
  }
}

static const char *in_json(unsigned char c, char own[static 8])
{
  if (c == '"')
    return "\\\"";
  if (c == '\\')
    return "\\\\";
  if (c >= 0x20)
    return NULL;
  snprintf(own, 8, "\\u%04x", c);
  return own;
}

void tsr__add_json(struct tsr_text *to, const char *text)
{
  tsr_text_add_bytes(to, "\"", 1);
  add_escaped(to, text, in_json);
  tsr_text_add_bytes(to, "\"", 1);
}

static const char *in_html(unsigned char c, char own[static 8])
{
  (void)own;
  switch (c) {
  case '&': return "&amp;";
  case '<': return "&lt;";
  case '>': return "&gt;";
  case '"': return "&quot;";
  default: return c < 0x20 || c == 0x7f ? "?" : NULL;
  }
}

void tsr__add_html(struct tsr_text *to, const char *text)
{
  add_escaped(to, text, in_html);
}

static const char *in_csv(unsigned char c, char own[static 8])
{
  (void)own;
  return c == '"' ? "\"\"" : c < 0x20 ? "?" : NULL;
}

void tsr__add_csv(struct tsr_text *to, const char *text)
{
  bool quoted = strpbrk(text, ",\"") != NULL;
  tsr_text_add(to, "%s", quoted ? "\"" : "");
  add_escaped(to, text, in_csv);
  tsr_text_add(to, "%s", quoted ? "\"" : "");
}

void tsr__add_count(struct tsr_text *to, uint64_t v)
{
  char digits[32];
  int n = snprintf(digits, sizeof digits, "%" PRIu64, v);
  for (int i = 0; i < n; i++) {
    if (i && (n - i) % 3 == 0)
      tsr_text_add_bytes(to, ",", 1);
    tsr_text_add_bytes(to, &digits[i], 1);
  }
}

const char *tsr__count_text(struct tsr_arena *arena, uint64_t v)
{
  struct tsr_text text = {.arena = arena};
  tsr__add_count(&text, v);
  return text.data;
}

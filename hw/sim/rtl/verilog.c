/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/rtl/verilog.h"

#include <string.h>

#include "configs/verilog.h"
#include "hw/sim/rtl/sources.h"

static bool ends_with(const char *text, const char *end)
{
  size_t n = strlen(text), m = strlen(end);
  return n >= m && !strcmp(text + n - m, end);
}

/* A file without its lines "`include": all of them are of headers that stand before it. */
static void add_file(struct tsr_text *to, const char *text)
{
  static const char include[] = "`include";
  while (*text) {
    size_t line = strcspn(text, "\n");
    line += text[line] == '\n';
    if (strncmp(text, include, sizeof include - 1))
      tsr_text_add_bytes(to, text, line);
    text += line;
  }
  tsr_text_add(to, "\n");
}

static void add_sources(struct tsr_text *to, const char *end)
{
  for (const struct tsr__rtl_source *s = tsr__rtl_sources; s->name; s++)
    if (ends_with(s->name, end))
      add_file(to, s->text);
}

char *tsr_rtl_verilog(struct tsr_arena *arena, const struct tsr_design *design)
{
  struct tsr_text text = {.arena = arena};
  add_sources(&text, "tsr_isa.vh");
  add_file(&text, tsr_design_verilog(arena, design));
  add_sources(&text, "/tessera.vh");
  add_sources(&text, ".v");
  return text.data;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A profile as a page that needs nothing but itself. */
#include <inttypes.h>
#include <string.h>

#include "runtime/profile/profile.h"
#include "runtime/profile/shares.h"
#include "runtime/profile/svg.h"
#include "runtime/profile/text.h"

/* --- style ------------------------------------------------------------------------------------ */

static void add_colours(struct tsr_text *to)
{
  static const struct {
    const char *name, *day, *night;
  } colours[] = {
#define TSR_COLOUR(name, day, night) {name, day, night},
#define TSR_STYLE(selector, declarations)
#define TSR_SHARE_COLOUR(share, colour)
#include "runtime/profile/style.def"
#undef TSR_COLOUR
#undef TSR_STYLE
#undef TSR_SHARE_COLOUR
  };
  size_t count = sizeof colours / sizeof colours[0];
  tsr_text_add(to, ":root{color-scheme:light dark");
  for (size_t k = 0; k < count; k++)
    tsr_text_add(to, ";--%s:%s", colours[k].name, colours[k].day);
  tsr_text_add(to, "}\n@media (prefers-color-scheme:dark){:root{");
  for (size_t k = 0; k < count; k++)
    tsr_text_add(to, "%s--%s:%s", k ? ";" : "", colours[k].name, colours[k].night);
  tsr_text_add(to, "}}\n");
}

static void add_style(struct tsr_text *to)
{
  tsr_text_add(to, "<style>\n");
  add_colours(to);
#define TSR_COLOUR(name, day, night)
#define TSR_STYLE(selector, declarations) tsr_text_add(to, "%s{%s}\n", selector, declarations);
#define TSR_SHARE_COLOUR(share, colour)                                                            \
  tsr_text_add(to, ".s%d{fill:%s;background:%s}\n", TSR_SHARE_##share, colour, colour);
#include "runtime/profile/style.def"
#undef TSR_COLOUR
#undef TSR_STYLE
#undef TSR_SHARE_COLOUR
  tsr_text_add(to, "</style>\n");
}

/* --- cells ------------------------------------------------------------------------------------ */

static double percent(double a, double whole)
{
  return whole > 0 ? 100 * a / whole : 0;
}

static void add_text_cell(struct tsr_text *to, const char *kind, const char *text)
{
  tsr_text_add(to, "<td%s>", kind);
  tsr__add_html(to, text);
  tsr_text_add(to, "</td>");
}

static void add_count_cell(struct tsr_text *to, uint64_t v)
{
  tsr_text_add(to, "<td class=\"r\">");
  tsr__add_count(to, v);
  tsr_text_add(to, "</td>");
}

static void add_percent_cell(struct tsr_text *to, double v)
{
  tsr_text_add(to, "<td class=\"r\">%.1f %%</td>", v);
}

static void add_bar_cell(struct tsr_text *to, double percents)
{
  tsr_text_add(to, "<td><span class=\"bar\" style=\"width:%.1fpx\"></span></td>",
               percents > 200 ? 240 : 1.2 * percents);
}

/* A column a word; those behind '>' are numbers. */
static void begin_table(struct tsr_text *to, const char *const *columns, int count)
{
  tsr_text_add(to, "<div class=\"wide\"><table><tr>");
  for (int k = 0; k < count; k++) {
    bool right = columns[k][0] == '>';
    tsr_text_add(to, "<th%s>%s</th>", right ? " class=\"r\"" : "", columns[k] + right);
  }
  tsr_text_add(to, "</tr>\n");
}

static void end_table(struct tsr_text *to)
{
  tsr_text_add(to, "</table></div>\n");
}

#define BEGIN_TABLE(to, columns) begin_table((to), (columns), sizeof(columns) / sizeof(columns)[0])

/* --- the head --------------------------------------------------------------------------------- */

static void add_card(struct tsr_text *to, const char *value, const char *what)
{
  tsr_text_add(to, "<div class=\"card\"><b>%s</b><span>%s</span></div>\n", value, what);
}

static void add_head(struct tsr_text *to, const struct tessera_profile *p)
{
  struct tsr_arena *a = to->arena;
  double ms = (double)p->cycles / (1e3 * p->clock_mhz);
  tsr_text_add(to, "<h1>");
  tsr__add_html(to, p->model);
  tsr_text_add(to, "</h1><p>design point ");
  tsr__add_html(to, p->config);
  tsr_text_add(to, " at %d MHz; memory ", p->clock_mhz);
  tsr__add_html(to, p->memory);
  tsr_text_add(to, "; one inference, on the accelerator alone</p>\n<div class=\"cards\">\n");
  add_card(to, tsr__count_text(a, p->cycles), "cycles");
  add_card(to, tsr_arena_printf(a, "%.3f ms", ms), "each inference");
  add_card(to, tsr_arena_printf(a, "%.1f %%", 100 * p->utilization), "of the matrix engine used");
  add_card(to, tsr_arena_printf(a, "%.1f %%", 100 * p->roofline), "of the layers' rooflines");
  add_card(to, tsr__count_text(a, p->read_bytes + p->write_bytes), "bytes moved");
  add_card(to, tsr__count_text(a, p->instructions), "instructions");
  tsr_text_add(to, "</div>\n");
}

/* --- where the cycles went -------------------------------------------------------------------- */

static void add_stack(struct tsr_text *to, const struct tessera_profile *p)
{
  static const char *const columns[] = {"", ">cycles", ">share", ""};
  tsr_text_add(to,
               "<h2>Where the cycles went</h2><p>Every cycle is in the first row that fits.</p>\n");
  tsr__svg_stack(to, p);
  BEGIN_TABLE(to, columns);
  for (int s = 0; s < p->shares; s++) {
    tsr_text_add(to, "<tr><td><span class=\"key s%d\"></span>", s);
    tsr__add_html(to, p->share[s].name);
    tsr_text_add(to, "</td>");
    add_count_cell(to, p->share[s].cycles);
    add_percent_cell(to, percent((double)p->share[s].cycles, (double)p->cycles));
    add_text_cell(to, " class=\"t\"", p->share[s].meaning);
    tsr_text_add(to, "</tr>\n");
  }
  end_table(to);
  tsr_text_add(to,
               "<h2>Layer by layer</h2><p>A layer has the cycles from the end of the layer before "
               "to its own end; it begins earlier, beside that one.</p>\n");
  tsr__svg_layers(to, p);
}

static void add_layer(struct tsr_text *to, const struct tessera_profile *p,
                      const struct tessera_profile_layer *l)
{
  tsr_text_add(to, "<tr>");
  add_text_cell(to, "", l->name);
  add_text_cell(to, "", l->op);
  add_count_cell(to, l->cycles);
  add_percent_cell(to, percent((double)l->cycles, (double)p->cycles));
  add_count_cell(to, l->macs);
  add_percent_cell(to, 100 * l->utilization);
  add_percent_cell(to, 100 * l->roofline);
  add_text_cell(to, "", l->memory_cycles > l->compute_cycles ? "bytes" : "MACs");
  add_count_cell(to, l->read_bytes);
  add_count_cell(to, l->write_bytes);
  add_text_cell(to, "", l->limit);
  tsr_text_add(to, "</tr>\n");
}

static void add_layers(struct tsr_text *to, const struct tessera_profile *p)
{
  static const char *const columns[] = {"layer", "op",       ">cycles",      ">share",
                                        ">MACs", ">matrix",  ">of its roof", "roof",
                                        ">read", ">written", "critical"};
  tsr_text_add(
      to,
      "<p>matrix: multiply-accumulates over those that the matrix engine could have made. roof: "
      "which of the two, bytes or multiply-accumulates, takes longer at the least. critical: the "
      "engine with most of the layer's part of the critical path.</p>\n");
  BEGIN_TABLE(to, columns);
  for (int k = 0; k < p->layers; k++)
    add_layer(to, p, &p->layer[k]);
  end_table(to);
}

static void add_roofline(struct tsr_text *to, const struct tessera_profile *p)
{
  tsr_text_add(to,
               "<h2>Roofline</h2><p>A circle is a layer with multiply-accumulates, as large as its "
               "cycles; blue ones are below the flat part of their roof, orange ones below the "
               "slope.</p>\n");
  tsr__svg_roofline(to, p);
}

/* --- the critical path ------------------------------------------------------------------------ */

static void add_path(struct tsr_text *to, const struct tessera_profile *p)
{
  static const char *const parts[] = {"engine", "cause", ">cycles", ">share", "", ">steps", ""};
  static const char *const insns[] = {"instruction", "engine", "layer", ">cycles", ""};
  tsr_text_add(
      to, "<h2>Critical path</h2><p>From the end back to the beginning: what each moment waited "
          "for last. The cycles sum to the whole.</p>\n");
  BEGIN_TABLE(to, parts);
  for (int k = 0; k < p->path_parts; k++) {
    const struct tessera_path_part *part = &p->path_part[k];
    double share = percent((double)part->cycles, (double)p->cycles);
    tsr_text_add(to, "<tr>");
    add_text_cell(to, "", part->engine);
    add_text_cell(to, "", part->cause);
    add_count_cell(to, part->cycles);
    add_percent_cell(to, share);
    add_bar_cell(to, share);
    add_count_cell(to, part->steps);
    add_text_cell(to, " class=\"t\"", part->meaning);
    tsr_text_add(to, "</tr>\n");
  }
  end_table(to);
  tsr_text_add(to, "<p style=\"margin-top:16px\">Instructions with most of it:</p>\n");
  BEGIN_TABLE(to, insns);
  for (int k = 0; k < p->path_insns; k++) {
    const struct tessera_path_insn *insn = &p->path_insn[k];
    tsr_text_add(to, "<tr><td class=\"r\">%" PRIu64 "</td>", (uint64_t)insn->instruction);
    add_text_cell(to, "", insn->engine);
    add_text_cell(to, "", insn->layer);
    add_count_cell(to, insn->cycles);
    tsr_text_add(to, "<td class=\"t\"><code>");
    tsr__add_html(to, insn->text);
    tsr_text_add(to, "</code></td></tr>\n");
  }
  end_table(to);
}

static void add_what_ifs(struct tsr_text *to, const struct tessera_profile *p)
{
  static const char *const columns[] = {"", ">cycles", ">of now", "", ">faster", ""};
  tsr_text_add(to,
               "<h2>What if</h2><p>The longest path with other weights; who goes first stays as it "
               "was.</p>\n");
  BEGIN_TABLE(to, columns);
  for (int k = 0; k < p->what_ifs; k++) {
    const struct tessera_what_if *w = &p->what_if[k];
    double share = percent((double)w->cycles, (double)p->cycles);
    tsr_text_add(to, "<tr>");
    add_text_cell(to, "", w->name);
    add_count_cell(to, w->cycles);
    add_percent_cell(to, share);
    add_bar_cell(to, share);
    tsr_text_add(to, "<td class=\"r\">%.2f ×</td>", share > 0 ? 100 / share : 0);
    add_text_cell(to, " class=\"t\"", w->meaning);
    tsr_text_add(to, "</tr>\n");
  }
  end_table(to);
}

/* --- a second run ----------------------------------------------------------------------------- */

static void add_change(struct tsr_text *to, uint64_t before, uint64_t now)
{
  add_count_cell(to, before);
  add_count_cell(to, now);
  double change = before ? 100 * ((double)now / (double)before - 1) : 0;
  tsr_text_add(to, "<td class=\"r %s\">%+.1f %%</td>",
               now > before   ? "up"
               : now < before ? "down"
                              : "",
               change);
}

static void change_row(struct tsr_text *to, const char *name, uint64_t before, uint64_t now)
{
  tsr_text_add(to, "<tr>");
  add_text_cell(to, "", name);
  add_change(to, before, now);
  tsr_text_add(to, "</tr>\n");
}

static void add_layer_changes(struct tsr_text *to, const struct tessera_profile *p,
                              const struct tessera_profile *before)
{
  for (int k = 0; k < p->layers; k++) {
    const struct tessera_profile_layer *was = tsr_profile_layer(before, p->layer[k].name);
    change_row(to, p->layer[k].name, was ? was->cycles : 0, p->layer[k].cycles);
  }
  for (int k = 0; k < before->layers; k++)
    if (!tsr_profile_layer(p, before->layer[k].name))
      change_row(to, before->layer[k].name, before->layer[k].cycles, 0);
}

static void add_diff(struct tsr_text *to, const struct tessera_profile *p,
                     const struct tessera_profile *before)
{
  static const char *const columns[] = {"", ">before", ">now", ">change"};
  tsr_text_add(to, "<h2>Compared with another run</h2><p>");
  tsr__add_html(to, before->model);
  tsr_text_add(to, ", design point ");
  tsr__add_html(to, before->config);
  tsr_text_add(to, ", memory ");
  tsr__add_html(to, before->memory);
  tsr_text_add(to, "</p>\n");
  BEGIN_TABLE(to, columns);
  change_row(to, "cycles", before->cycles, p->cycles);
  change_row(to, "bytes moved", before->read_bytes + before->write_bytes,
             p->read_bytes + p->write_bytes);
  change_row(to, "instructions", before->instructions, p->instructions);
  for (int s = 0; s < p->shares && s < before->shares; s++)
    change_row(to, tsr_arena_printf(to->arena, "stack: %s", p->share[s].name),
               before->share[s].cycles, p->share[s].cycles);
  end_table(to);
  tsr_text_add(to, "<details><summary>layer by layer</summary>\n");
  BEGIN_TABLE(to, columns);
  add_layer_changes(to, p, before);
  end_table(to);
  tsr_text_add(to, "</details>\n");
}

void tsr_profile_html(struct tsr_text *to, const struct tessera_profile *p,
                      const struct tessera_profile *before)
{
  tsr_text_add(to, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
  add_style(to);
  tsr_text_add(to, "<title>");
  tsr__add_html(to, p->model);
  tsr_text_add(to, ": profile</title></head><body>\n");
  add_head(to, p);
  if (before)
    add_diff(to, p, before);
  add_stack(to, p);
  add_layers(to, p);
  add_roofline(to, p);
  add_path(to, p);
  add_what_ifs(to, p);
  tsr_text_add(to, "</body></html>\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/profile/svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/profile/text.h"

enum { WIDTH = 960 };

static double part_of(double a, double whole)
{
  return whole > 0 ? a / whole : 0;
}

static void begin(struct tsr_text *to, int height, const char *title)
{
  tsr_text_add(to, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, height,
               title);
}

/* A part of a bar, with what it is as its tooltip. */
static void add_part(struct tsr_text *to, int share, double x, double y, double width,
                     double height, const struct tessera_share *s, uint64_t cycles, uint64_t whole)
{
  if (!cycles)
    return;
  tsr_text_add(
      to,
      "<rect class=\"s%d\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"><title>%s: ", share,
      x, y, width, height, s->name);
  tsr__add_count(to, cycles);
  tsr_text_add(to, " cycles, %.1f %%</title></rect>\n",
               100 * part_of((double)cycles, (double)whole));
}

/* --- stacks ----------------------------------------------------------------------------------- */

void tsr__svg_stack(struct tsr_text *to, const struct tessera_profile *p)
{
  double x = 0;
  begin(to, 36, "where the cycles went");
  for (int s = 0; s < p->shares; s++) {
    double width = WIDTH * part_of((double)p->share[s].cycles, (double)p->cycles);
    add_part(to, s, x, 0, width, 34, &p->share[s], p->share[s].cycles, p->cycles);
    x += width;
  }
  tsr_text_add(to, "</svg>\n");
}

static void add_bar(struct tsr_text *to, const struct tessera_profile *p,
                    const struct tessera_profile_layer *l, double y, uint64_t largest)
{
  enum { LEFT = 240, RIGHT = 110 };
  double x = LEFT, scale = (WIDTH - LEFT - RIGHT) / (double)(largest ? largest : 1);
  size_t size = strlen(l->name), most = 36;
  tsr_text_add(to, "<text class=\"name\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 8,
               y + 13);
  if (size > most)
    tsr_text_add(to, "…");
  tsr__add_html(to, l->name + (size > most ? size - most : 0));
  tsr_text_add(to, "<title>");
  tsr__add_html(to, l->name);
  tsr_text_add(to, "</title></text>\n");
  for (int s = 0; s < p->shares; s++) {
    double width = scale * (double)l->share[s];
    add_part(to, s, x, y, width, 17, &p->share[s], l->share[s], l->cycles);
    x += width;
  }
  tsr_text_add(to, "<text class=\"number\" x=\"%.1f\" y=\"%.1f\">", x + 6, y + 13);
  tsr__add_count(to, l->cycles);
  tsr_text_add(to, "</text>\n");
}

void tsr__svg_layers(struct tsr_text *to, const struct tessera_profile *p)
{
  enum { ROW = 23 };
  uint64_t largest = 0;
  for (int k = 0; k < p->layers; k++)
    largest = p->layer[k].cycles > largest ? p->layer[k].cycles : largest;
  begin(to, ROW * p->layers + 4, "cycles of each layer");
  for (int k = 0; k < p->layers; k++)
    add_bar(to, p, &p->layer[k], 2 + ROW * k, largest);
  tsr_text_add(to, "</svg>\n");
}

/* --- the roofline ----------------------------------------------------------------------------- */

/* Powers of two from `low` to `high` over the length of an axis. */
struct axis {
  double low, high; /* log2 */
  double from, to;  /* on the page */
};

static double place(const struct axis *a, double v)
{
  double at = (log2(v) - a->low) / (a->high - a->low);
  return a->from + at * (a->to - a->from);
}

static double intensity(const struct tessera_profile_layer *l)
{
  uint64_t bytes = l->read_bytes + l->write_bytes;
  return part_of((double)l->macs, (double)bytes);
}

static double speed(const struct tessera_profile_layer *l)
{
  return part_of((double)l->macs, (double)l->cycles);
}

static bool has_point(const struct tessera_profile_layer *l)
{
  return intensity(l) > 0 && speed(l) > 0;
}

static void widen(struct axis *a, double v)
{
  a->low = fmin(a->low, floor(log2(v)));
  a->high = fmax(a->high, ceil(log2(v)));
}

/* "1/4", "16", "1,024" */
static void add_power(struct tsr_text *to, int power)
{
  if (power < 0)
    tsr_text_add(to, "1/");
  int places = power < 0 ? -power : power;
  tsr__add_count(to, places < 63 ? (uint64_t)1 << places : UINT64_MAX);
}

static void add_axes(struct tsr_text *to, const struct axis *x, const struct axis *y)
{
  for (int v = (int)x->low; v <= (int)x->high; v++) {
    double at = place(x, exp2(v));
    tsr_text_add(to, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", at,
                 at, y->from, y->to);
    tsr_text_add(to, "<text class=\"number\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", at,
                 y->from + 18);
    add_power(to, v);
    tsr_text_add(to, "</text>\n");
  }
  for (int v = (int)y->low; v <= (int)y->high; v++) {
    double at = place(y, exp2(v));
    tsr_text_add(to, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>",
                 x->from, x->to, at, at);
    tsr_text_add(to, "<text class=\"number\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
                 x->from - 6, at + 4);
    add_power(to, v);
    tsr_text_add(to, "</text>\n");
  }
  tsr_text_add(
      to,
      "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">multiply-accumulates "
      "for each byte of DRAM</text>\n"
      "<text class=\"name\" transform=\"translate(16 %.1f) rotate(-90)\" "
      "text-anchor=\"middle\">multiply-accumulates a cycle</text>\n",
      (x->from + x->to) / 2, y->from + 40, (y->from + y->to) / 2);
}

static void add_roof(struct tsr_text *to, const struct tessera_profile *p, const struct axis *x,
                     const struct axis *y)
{
  double ridge = p->peak_macs / p->peak_bytes, left = exp2(x->low), right = exp2(x->high);
  double low = fmax(left, exp2(y->low) / p->peak_bytes); /* where the slope leaves the bottom */
  tsr_text_add(to, "<polyline class=\"roof\" points=\"%.1f,%.1f %.1f,%.1f %.1f,%.1f\"/>\n",
               place(x, low), place(y, low * p->peak_bytes), place(x, ridge),
               place(y, p->peak_macs), place(x, fmax(right, ridge)), place(y, p->peak_macs));
  tsr_text_add(
      to,
      "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g MACs a cycle</text>"
      "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g bytes a cycle</text>\n",
      place(x, right) - 4, place(y, p->peak_macs) - 7, p->peak_macs, place(x, ridge) - 14,
      place(y, p->peak_macs) - 7, p->peak_bytes);
}

static void add_point(struct tsr_text *to, const struct tessera_profile *p, int k,
                      const struct axis *x, const struct axis *y)
{
  const struct tessera_profile_layer *l = &p->layer[k];
  double radius = 4 + 22 * sqrt(part_of((double)l->cycles, (double)p->cycles));
  bool memory = l->memory_cycles > l->compute_cycles;
  tsr_text_add(to, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>",
               memory ? "slope" : "flat", place(x, intensity(l)), place(y, speed(l)), radius);
  tsr__add_html(to, l->name);
  tsr_text_add(to,
               ": %.3g MACs a byte, %.3g MACs a cycle, %.1f %% of its roofline</title></circle>\n",
               intensity(l), speed(l), 100 * l->roofline);
}

void tsr__svg_roofline(struct tsr_text *to, const struct tessera_profile *p)
{
  enum { HEIGHT = 430 };
  struct axis x = {.low = 1e9, .high = -1e9, .from = 70, .to = WIDTH - 20};
  struct axis y = {.low = 1e9, .high = -1e9, .from = HEIGHT - 50, .to = 24};
  if (!(p->peak_macs > 0) || !(p->peak_bytes > 0))
    return;
  widen(&x, p->peak_macs / p->peak_bytes);
  widen(&y, p->peak_macs);
  widen(&x, 4 * p->peak_macs / p->peak_bytes);
  widen(&y, p->peak_macs / 8);
  for (int k = 0; k < p->layers; k++)
    if (has_point(&p->layer[k])) {
      widen(&x, intensity(&p->layer[k]));
      widen(&y, speed(&p->layer[k]));
    }
  begin(to, HEIGHT, "roofline");
  add_axes(to, &x, &y);
  add_roof(to, p, &x, &y);
  for (int k = 0; k < p->layers; k++)
    if (has_point(&p->layer[k]))
      add_point(to, p, k, &x, &y);
  tsr_text_add(to, "</svg>\n");
}

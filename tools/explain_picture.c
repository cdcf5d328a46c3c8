/* SPDX-License-Identifier: Apache-2.0 */
/* The result's map, cut into tiles: rows and columns as they lie, in each box the numbers of the
 * tiles that stand there, one for each block of channels and image. */
#include <stdlib.h>
#include <string.h>

#include "tools/explain_text.h"
#include "tools/table.h"

enum { IMAGES, BLOCKS, ROWS, COLUMNS, MAP_RANK };
enum { MOST_ACROSS = 6, MOST_DOWN = 10, NUMBERS = 32, WIDEST = 100 };

/* Where tiles begin along a dim, and how long the first of them there is. */
struct cuts {
  int count;
  int64_t *at, *size;
};

static int by_value(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

/* false: out of memory. */
static bool find_cuts(const struct tessera_explanation *e, int dim, struct cuts *out)
{
  size_t n = e->tiles_listed;
  *out = (struct cuts){0, malloc((n + 1) * sizeof(int64_t)), calloc(n + 1, sizeof(int64_t))};
  if (!out->at || !out->size)
    return false;
  for (size_t k = 0; k < n; k++)
    out->at[k] = e->tile[k].at[dim];
  qsort(out->at, n, sizeof *out->at, by_value);
  for (size_t k = 0; k < n; k++)
    if (!out->count || out->at[out->count - 1] != out->at[k])
      out->at[out->count++] = out->at[k];
  for (int c = 0; c < out->count; c++)
    out->size[c] = (c + 1 < out->count ? out->at[c + 1] : e->dims[dim]) - out->at[c];
  return true;
}

static void free_cuts(struct cuts *cuts)
{
  free(cuts->at);
  free(cuts->size);
}

/* The numbers of the tiles at a place, from 1: "3", "1 2", "1-8", "1 9 .. 57". */
static void numbers_at(const struct tessera_explanation *e, int64_t row, int64_t column,
                       char out[static NUMBERS])
{
  size_t first = 0, second = 0, last = 0, n = 0;
  bool run = true;
  for (size_t k = 0; k < e->tiles_listed; k++) {
    if (e->tile[k].at[ROWS] != row || e->tile[k].at[COLUMNS] != column)
      continue;
    run &= !n || last == k;
    last = k + 1;
    first = n ? first : last;
    second = n == 1 ? last : second;
    n++;
  }
  *out = 0;
  if (n == 1)
    snprintf(out, NUMBERS, "%zu", first);
  else if (n == 2)
    snprintf(out, NUMBERS, "%zu %zu", first, second);
  else if (n && run)
    snprintf(out, NUMBERS, "%zu-%zu", first, last);
  else if (n)
    snprintf(out, NUMBERS, "%zu %zu .. %zu", first, second, last);
}

struct grid {
  const struct tessera_explanation *e;
  struct cuts rows, columns;
  int across, down; /* drawn; the last of more stands behind a gap */
  int width[MOST_ACROSS];
};

static int drawn(int i, int shown, int count)
{
  return i + 1 < shown ? i : count - 1;
}

static void measure(struct grid *g)
{
  char text[NUMBERS];
  for (int c = 0; c < g->across; c++) {
    int column = drawn(c, g->across, g->columns.count);
    int n = snprintf(text, sizeof text, "%lld", (long long)g->columns.size[column]);
    g->width[c] = n;
    for (int r = 0; r < g->down; r++) {
      numbers_at(g->e, g->rows.at[drawn(r, g->down, g->rows.count)], g->columns.at[column], text);
      n = (int)strlen(text);
      g->width[c] = n > g->width[c] ? n : g->width[c];
    }
  }
}

static bool gap_before(int i, int shown, int count)
{
  return i == shown - 1 && count > shown;
}

static void draw_rule(const struct grid *g)
{
  printf("%11s", "");
  for (int c = 0; c < g->across; c++) {
    printf("%s+", gap_before(c, g->across, g->columns.count) ? "+ .. " : "");
    for (int k = 0; k < g->width[c] + 2; k++)
      putchar('-');
  }
  printf("+\n");
}

static void draw_sizes(const struct grid *g)
{
  printf("%11s", "columns");
  for (int c = 0; c < g->across; c++)
    printf("%s  %*lld ", gap_before(c, g->across, g->columns.count) ? "     " : "", g->width[c],
           (long long)g->columns.size[drawn(c, g->across, g->columns.count)]);
  printf("\n");
}

static void draw_row(const struct grid *g, int row)
{
  char text[NUMBERS];
  printf("%5lld row%s ", (long long)g->rows.size[row], g->rows.size[row] == 1 ? " " : "s");
  for (int c = 0; c < g->across; c++) {
    numbers_at(g->e, g->rows.at[row], g->columns.at[drawn(c, g->across, g->columns.count)], text);
    printf("%s| %*s ", gap_before(c, g->across, g->columns.count) ? "| .. " : "", g->width[c],
           text);
  }
  printf("|\n");
}

static void draw(struct grid *g)
{
  g->across = g->columns.count < MOST_ACROSS ? g->columns.count : MOST_ACROSS;
  g->down = g->rows.count < MOST_DOWN ? g->rows.count : MOST_DOWN;
  measure(g);
  draw_sizes(g);
  draw_rule(g);
  for (int r = 0; r < g->down; r++) {
    if (gap_before(r, g->down, g->rows.count)) {
      printf("%8s .. %d more\n", "", g->rows.count - g->down);
      draw_rule(g);
    }
    draw_row(g, drawn(r, g->down, g->rows.count));
    draw_rule(g);
  }
}

static int add_dim(struct table *table, const struct tessera_explanation *e, const char *what,
                   int dim, int pieces)
{
  char all[COUNT_TEXT], tile[COUNT_TEXT], count[COUNT_TEXT];
  int64_t most = 0;
  for (size_t k = 0; k < e->tiles_listed; k++)
    most = e->tile[k].size[dim] > most ? e->tile[k].size[dim] : most;
  return table_add(table, (const char *const[]){what, count_text((uint64_t)e->dims[dim], all),
                                                count_text((uint64_t)most, tile),
                                                count_text((uint64_t)pieces, count)});
}

static void print_sizes(const struct tessera_explanation *e, const struct cuts cut[static MAP_RANK])
{
  static const struct {
    const char *what;
    int dim;
  } row[MAP_RANK] = {
      {"blocks of channels", BLOCKS}, {"rows", ROWS}, {"columns", COLUMNS}, {"images", IMAGES}};
  struct table table = {.columns = 4, .alignment = "lrrr"};
  char count[COUNT_TEXT];
  printf("\n%s tile%s of the result\n\n", count_text(e->tiles, count), e->tiles == 1 ? "" : "s");
  int bad = table_add(&table, (const char *const[]){"", "of all", "of a tile", "tiles"});
  for (int k = 0; k < MAP_RANK && !bad; k++)
    bad = add_dim(&table, e, row[k].what, row[k].dim, cut[row[k].dim].count);
  table_end(&table, bad);
  printf("\n");
}

void print_picture(const struct tessera_explanation *e)
{
  struct cuts cut[MAP_RANK] = {{0}};
  bool whole = e->rank >= MAP_RANK && e->tiles_listed;
  for (int d = 0; d < MAP_RANK && whole; d++)
    whole = find_cuts(e, d, &cut[d]);
  if (whole) {
    struct grid g = {.e = e, .rows = cut[ROWS], .columns = cut[COLUMNS]};
    print_sizes(e, cut);
    draw(&g);
  }
  for (int d = 0; d < MAP_RANK; d++)
    free_cuts(&cut[d]);
}

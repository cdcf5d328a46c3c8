/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *plain_text(const char *text, char *out, size_t size)
{
  snprintf(out, size, "%s", text ? text : "");
  for (unsigned char *p = (unsigned char *)out; *p; p++)
    if (*p < 0x20 || *p == 0x7f)
      *p = '?';
  return out;
}

int table_add(struct table *table, const char *const *cells)
{
  if (table->rows == table->capacity) {
    int wanted = table->capacity ? 2 * table->capacity : 32;
    void *bigger = realloc(table->cell, (size_t)wanted * sizeof *table->cell);
    if (!bigger)
      return -1;
    table->cell = bigger;
    table->capacity = wanted;
  }
  for (int c = 0; c < table->columns; c++)
    plain_text(cells[c], table->cell[table->rows][c], TABLE_CELL);
  table->rows++;
  return 0;
}

int table_add_change(struct table *table, const char *name, uint64_t before, uint64_t now)
{
  char was[COUNT_TEXT], is[COUNT_TEXT], change[COUNT_TEXT] = "";
  if (before)
    snprintf(change, sizeof change, "%+.1f %%", 100 * ((double)now / (double)before - 1));
  return table_add(
      table, (const char *const[]){name, count_text(before, was), count_text(now, is), change});
}

static void print_rule(const int *width, int columns, FILE *to)
{
  for (int c = 0; c < columns; c++) {
    for (int i = 0; i < width[c]; i++)
      fputc('-', to);
    fputs(c + 1 < columns ? "  " : "\n", to);
  }
}

static void print_row(const struct table *table, int row, const int *width, FILE *to)
{
  for (int c = 0; c < table->columns; c++) {
    const char *cell = table->cell[row][c];
    bool last = c + 1 == table->columns;
    if (table->alignment[c] == 'r')
      fprintf(to, "%*s", width[c], cell);
    else
      fprintf(to, "%-*s", last ? 0 : width[c], cell);
    fputs(last ? "\n" : "  ", to);
  }
}

void table_print(const struct table *table, FILE *to)
{
  int width[TABLE_COLUMNS] = {0};
  for (int r = 0; r < table->rows; r++)
    for (int c = 0; c < table->columns; c++)
      if ((int)strlen(table->cell[r][c]) > width[c])
        width[c] = (int)strlen(table->cell[r][c]);
  for (int r = 0; r < table->rows; r++) {
    if (r == 1 || (r && r == table->rule))
      print_rule(width, table->columns, to);
    print_row(table, r, width, to);
  }
}

void table_free(struct table *table)
{
  free(table->cell);
}

void table_end(struct table *table, int bad)
{
  if (!bad)
    table_print(table, stdout);
  table_free(table);
}

const char *count_text(uint64_t v, char out[static COUNT_TEXT])
{
  char digits[COUNT_TEXT];
  int n = snprintf(digits, sizeof digits, "%" PRIu64, v), used = 0;
  for (int i = 0; i < n; i++) {
    if (i && (n - i) % 3 == 0)
      out[used++] = ',';
    out[used++] = digits[i];
  }
  out[used] = 0;
  return out;
}

const char *percent_text(double part, double whole, char out[static COUNT_TEXT])
{
  snprintf(out, COUNT_TEXT, "%.1f %%", whole > 0 ? 100 * part / whole : 0);
  return out;
}

const char *gap_text(uint64_t cycles, double bound, char out[static COUNT_TEXT])
{
  snprintf(out, COUNT_TEXT, "%.3f", bound > 0 ? (double)cycles / bound : 0);
  return out;
}

const char *shape_text(const int64_t *dims, int rank, char out[static SHAPE_TEXT])
{
  int used = snprintf(out, SHAPE_TEXT, "%s", rank ? "" : "scalar");
  for (int i = 0; i < rank; i++)
    used += snprintf(out + used, (size_t)(SHAPE_TEXT - used), "%s%" PRId64, i ? "x" : "", dims[i]);
  return out;
}

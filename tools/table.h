/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of text: columns as wide as their widest cell. */
#ifndef TSR_TOOLS_TABLE_H
#define TSR_TOOLS_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { TABLE_COLUMNS = 12, TABLE_CELL = 64 };

struct table {
  int columns, rows, capacity;
  const char *alignment; /* 'l' or 'r' a column */
  char (*cell)[TABLE_COLUMNS][TABLE_CELL];
  int rule; /* a line is drawn above this row; 0: none */
};

/* Adds a row of table->columns strings; cells are cut at TABLE_CELL - 1 bytes, control characters
 * become '?'. NULL is an empty cell. -1: out of memory. */
int table_add(struct table *table, const char *const *cells);
/* A row of a name, two counts, and how much more the second is; none where the first is 0. */
int table_add_change(struct table *table, const char *name, uint64_t before, uint64_t now);
void table_print(const struct table *table, FILE *to); /* a rule below the first row */
void table_free(struct table *table);
/* Prints a table on stdout, unless a row of it did not fit into memory, and frees it. */
void table_end(struct table *table, int bad);

enum { COUNT_TEXT = 32, SHAPE_TEXT = 192 };
const char *count_text(uint64_t v, char out[static COUNT_TEXT]);                  /* "1,234,567" */
const char *percent_text(double part, double whole, char out[static COUNT_TEXT]); /* "12.5 %" */
/* Cycles over the fewest that any schedule could take: "1.250". */
const char *gap_text(uint64_t cycles, double bound, char out[static COUNT_TEXT]);
const char *shape_text(const int64_t *dims, int rank, char out[static SHAPE_TEXT]); /* "1x16x8x8" */
/* Names come from files: control characters become '?'. Returns out. */
const char *plain_text(const char *text, char *out, size_t size);

#endif

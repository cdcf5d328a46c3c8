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
 * become
 * '?'. NULL is an empty cell. -1: out of memory. */
int table_add(struct table *table, const char *const *cells);
void table_print(const struct table *table, FILE *to); /* a rule below the first row */
void table_free(struct table *table);

enum { COUNT_TEXT = 32, SHAPE_TEXT = 192 };
const char *count_text(uint64_t v, char out[static COUNT_TEXT]); /* "1,234,567" */
const char *shape_text(const int64_t *dims, int rank, char out[static SHAPE_TEXT]); /* "1x16x8x8" */
/* Names come from files: control characters become '?'. Returns out. */
const char *plain_text(const char *text, char *out, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What benchmarks share: the clock, a network's name in a row, rows as JSON, and the end of one that
 * cannot go on. */
#ifndef TSR_BENCH_BENCH_H
#define TSR_BENCH_BENCH_H

#include <jansson.h>

enum { NAME_TEXT = 48 };

/* Of this thread alone, so that other work on the machine counts less; and as a clock on the wall. */
double thread_seconds(void);
double wall_seconds(void);

/* A file named model... is called by its folder, another by its own name without .onnx. Returns out. */
const char *network_name(const char *path, char out[static NAME_TEXT]);

/* Prints a list of rows, and ends it. */
void print_rows(json_t *list);

/* A line on stderr behind the program's name; quit() ends it, too, with status 2. The context is of no
 * account: devices call say() while they make something that takes long. */
void say(void *context, const char *line);
_Noreturn void quit(const char *why);

#endif

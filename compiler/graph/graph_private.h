/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of compiler/graph share. */
#ifndef TSR_COMPILER_GRAPH_PRIVATE_H
#define TSR_COMPILER_GRAPH_PRIVATE_H

#include "compiler/graph/graph.h"

/* --- names.c: the names of a graph's values, or of its nodes --------------------------------------- */

struct tsr__names;

struct tsr__names *tsr__names_new(struct tsr_arena *a);
void *tsr__names_find(const struct tsr__names *names, const char *name); /* NULL: none has it */
/* Adds `thing` under the first free name of wanted, wanted.1, wanted.2, ... and returns that name. */
const char *tsr__names_add(struct tsr__names *names, const char *wanted, void *thing);

/* --- text.c ---------------------------------------------------------------------------------------- */

bool tsr__bare_name(const char *name); /* prints without quotes */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation as people and programs want to see it. */
#ifndef TSR_TOOLS_EXPLAIN_TEXT_H
#define TSR_TOOLS_EXPLAIN_TEXT_H

#include <jansson.h>

#include "runtime/tessera.h"

/* A schedule beside the one that it replaces. */
struct comparison {
  const struct tessera_explanation *before, *now;
  uint64_t network_before, network_now; /* cycles */
};

void print_explanation(const struct tessera_explanation *e);
void print_picture(const struct tessera_explanation *e);
void print_comparison(const struct comparison *c);

json_t *explanation_json(const struct tessera_explanation *e);
json_t *comparison_json(const struct comparison *c);

#endif

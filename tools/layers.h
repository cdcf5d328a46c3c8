/* SPDX-License-Identifier: Apache-2.0 */
/* A model's layers as people and programs want to see them. */
#ifndef TSR_TOOLS_LAYERS_H
#define TSR_TOOLS_LAYERS_H

#include <jansson.h>

#include "runtime/tessera.h"

/* The ops that do not run on the accelerator and why, grouped by op and reason; nothing when all
 * do. */
void print_placement(const struct tessera_model *model);
/* A row a layer and a row of totals. session: where layers ran; NULL: where they were compiled for. */
void print_layers(const struct tessera_model *model, const struct tessera_session *session);

json_t *
model_json(const struct tessera_model *model); /* name, design point, ports, layers, totals */
json_t *dims_json(const int64_t *dims, int rank);
/* A JSON string of text from a file, which may not be UTF-8. */
json_t *text_json(const char *text);
/* One key of an object. */
void put_text(json_t *object, const char *key, const char *text);
void put_count(json_t *object, const char *key, uint64_t v);
/* Prints the value and releases it. */
void print_json(json_t *root);

#endif

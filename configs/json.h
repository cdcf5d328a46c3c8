/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON that a design point needs: one object of whole numbers, strings and one level of objects.
 * Strict (no comments, no trailing commas, no repeated keys), and every member keeps its line, which is
 * why no general JSON library reads it. */
#ifndef TSR_CONFIGS_JSON_H
#define TSR_CONFIGS_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { TSR__JSON_MEMBERS = 96, TSR__JSON_NAME = 63 };

enum tsr__json_kind { TSR__JSON_NUMBER, TSR__JSON_STRING, TSR__JSON_OBJECT };

struct tsr__json_member {
  char key[TSR__JSON_NAME + 1];
  int line;
  int parent; /* index of the member whose object holds this one; -1: the outermost */
  enum tsr__json_kind kind;
  int64_t number;
  char string[TSR__JSON_NAME + 1];
  int end_line; /* of an object */
};

struct tsr__json {
  struct tsr__json_member members[TSR__JSON_MEMBERS];
  int count;
  int end_line; /* of the closing brace */
};

enum tsr_status tsr__json_parse(struct tsr_err *err, const char *name, const char *text,
                                struct tsr__json *out);

/* The member `key` of the object `parent`; NULL: none. */
const struct tsr__json_member *tsr__json_find(const struct tsr__json *json, int parent,
                                              const char *key);

#endif

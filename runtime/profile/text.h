/* SPDX-License-Identifier: Apache-2.0 */
/* Text inside of text: names come from files and hold anything. */
#ifndef TSR_RUNTIME_PROFILE_TEXT_H
#define TSR_RUNTIME_PROFILE_TEXT_H

#include "base/arena.h"

/* A JSON string with its quotes; bytes that are no UTF-8 become '?'. */
void tsr__add_json(struct tsr_text *to, const char *text);
/* Text of a page: & < > " escaped. */
void tsr__add_html(struct tsr_text *to, const char *text);
/* A field of CSV, quoted where it has to be. */
void tsr__add_csv(struct tsr_text *to, const char *text);

/* "1,234,567" */
void tsr__add_count(struct tsr_text *to, uint64_t v);
const char *tsr__count_text(struct tsr_arena *arena, uint64_t v);

#endif

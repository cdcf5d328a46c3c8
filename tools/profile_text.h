/* SPDX-License-Identifier: Apache-2.0 */
/* A profile as tables of text. */
#ifndef TSR_TOOLS_PROFILE_TEXT_H
#define TSR_TOOLS_PROFILE_TEXT_H

#include "runtime/tessera.h"

void print_profile(const struct tessera_profile *p);
/* What is different from another run. */
void print_profile_diff(const struct tessera_profile *p, const struct tessera_profile *before);

#endif

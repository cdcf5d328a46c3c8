/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine can do at most, as tables or as JSON. */
#ifndef TSR_TOOLS_MACHINE_H
#define TSR_TOOLS_MACHINE_H

#include <jansson.h>

#include "runtime/tessera.h"

void print_machine(const struct tessera_machine *machine);
json_t *machine_json(const struct tessera_machine *machine);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a LOAD of micro-ops races one that reads them: then what the machine does, and when,
 * depends on who is first, and no model need agree with the RTL. */
#ifndef TSR_TESTS_RTL_UOPS_H
#define TSR_TESTS_RTL_UOPS_H

#include <stdbool.h>

#include "isa/isa.h"

/* Some LOAD of UOP and some loop nest meet in an entry, and no tokens order them. */
bool uops_race(const struct tsr_program *program);

#endif

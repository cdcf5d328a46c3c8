/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the RTL share: one design point a process, named by the first argument; the
 * second is how many cases, where a test has a choice. */
#ifndef TSR_TESTS_RTL_MAIN_H
#define TSR_TESTS_RTL_MAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rtl/build.h"
#include "tests/rtl/rig.h"

extern struct rig rig;
extern uint64_t amount; /* the second argument, else 0 */

enum { SKIPPED = 77 }; /* exit status */

/* Opens the rig. False: Verilator is missing, which stdout has been told. */
bool begin(int argc, char **argv);
int end(int failed);

/* Fails the test where the outcome is another. The text says which case it is. */
void expect(enum outcome outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

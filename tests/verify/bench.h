/* SPDX-License-Identifier: Apache-2.0 */
/* A program under construction and what the checker says of it, for the tests of the checker. */
#ifndef TSR_TESTS_VERIFY_BENCH_H
#define TSR_TESTS_VERIFY_BENCH_H

#include <string.h>

#include "tests/func/machine.h"
#include "verify/verify.h"

enum { BENCH_DATA = 8192 }; /* bytes of the window that are the program's image */

enum {
  LOAD = 1 << TSR_ENGINE_LOAD,
  MATRIX = 1 << TSR_ENGINE_MATRIX,
  VECTOR = 1 << TSR_ENGINE_VECTOR,
  STORE = 1 << TSR_ENGINE_STORE
};

/* Checks the machine's program with FINISH behind it, and empties it. One finding, or none. */
void expect_with(struct machine *m, const struct tsr_verify_options *options,
                 enum tsr_finding_kind kind, size_t insn, const char *text);
void expect(struct machine *m, enum tsr_finding_kind kind, size_t insn, const char *text);
void expect_clean_with(struct machine *m, const struct tsr_verify_options *options);
void expect_clean(struct machine *m);

/* Micro-op number `at` of the image, which lies there at byte 8 * at. */
void image_uop(struct machine *m, int at, uint32_t dst, uint32_t a, uint32_t b, bool overwrite);

/* One instruction more, with its tokens. */
void add(struct machine *m, struct tsr_insn insn, uint32_t wait, uint32_t signal);

#endif

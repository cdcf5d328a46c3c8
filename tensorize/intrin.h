/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the .def files as intrinsics. */
#ifndef TSR_TENSORIZE_INTRIN_H
#define TSR_TENSORIZE_INTRIN_H

#include "tensorize/tensorize.h"

/* A set with room for so many. */
struct tsr_intrin_set *tsr__intrin_set(struct tsr_arena *a, int most);
/* Adds the intrinsic that a text declares, which is known to parse. */
struct tir_intrin *tsr__intrin_add(struct tsr_arena *a, struct tsr_intrin_set *set,
                                   const char *name, const char *text, bool accumulates);

#endif

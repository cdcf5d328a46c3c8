/* SPDX-License-Identifier: Apache-2.0 */
/* How a layer's result may differ from that of its reference. */
#ifndef TSR_RUNTIME_NEAR_H
#define TSR_RUNTIME_NEAR_H

#include "compiler/module.h"

/* Floats of which the difference's norm is at most `limit` of the expected one's; what is not finite
 * is the same. */
bool tsr__is_near(const struct tsr_module_buffer *b, double limit, const void *expected,
                  const void *found);
/* Bools: one writes 1 where another copies a byte that is true. */
bool tsr__is_as_true(const struct tsr_module_buffer *b, const void *expected, const void *found);

/* Does the func add up floats, or compute functions of them, which is done in another way elsewhere? */
bool tsr__rounds(const struct tir_func *func);
/* to = from * factor, of floats. */
void tsr__scale(const struct tsr_module_buffer *b, double factor, const void *from, void *to);
/* Is each element one of three, or between them? */
bool tsr__is_between(const struct tsr_module_buffer *b, const void *const three[3],
                     const void *found);

#endif

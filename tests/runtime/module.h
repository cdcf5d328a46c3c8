/* SPDX-License-Identifier: Apache-2.0 */
/* A small module made by hand: x + c on the CPU, doubled and saturated on the accelerator, negated
 * on the CPU. 16 elements of int8; input and output in host memory, two buffers on the device. */
#ifndef TSR_TESTS_RUNTIME_MODULE_H
#define TSR_TESTS_RUNTIME_MODULE_H

#include "compiler/module.h"
#include "tests/base/cases.h"

enum { LANES = 16 };
enum { BUFFER_X, BUFFER_C, BUFFER_SUM, BUFFER_DOUBLE, BUFFER_Y, BUFFERS };

struct tsr_module *hand_made(struct tsr_arena *a);
/* The same, but 'double' is every `step`th byte of one more buffer, 'whole', from its byte 16 on. */
struct tsr_module *hand_made_part(struct tsr_arena *a, uint64_t step);
/* What the module computes. */
void hand_reference(const int8_t x[LANES], int8_t y[LANES]);

#endif

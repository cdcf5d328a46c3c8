/* SPDX-License-Identifier: Apache-2.0 */
/* The largest program that assembler and program file take. */
#ifndef TSR_ISA_PROGRAM_H
#define TSR_ISA_PROGRAM_H

#include <stdint.h>

enum { TSR__LARGEST_INSNS = 1 << 24, TSR__LARGEST_DATA = 1 << 30 };
#define TSR__LARGEST_WINDOW (UINT64_C(1) << 32) /* a DMA address has 32 bits */

#endif

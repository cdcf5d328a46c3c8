/* SPDX-License-Identifier: Apache-2.0 */
/* What every test program of this folder includes, and others that it serves. */
#ifndef TSR_TESTS_BASE_CASES_H
#define TSR_TESTS_BASE_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/status.h"
#include "tests/base/counting.h"
#include "tests/base/in_arena.h"

/* A fixed sequence from a seed: the same on every machine. */
static inline uint64_t next_random(uint64_t *state)
{
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

#endif

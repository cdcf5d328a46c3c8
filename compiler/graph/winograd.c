/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/graph/winograd.h"

#include <stddef.h>

#define THIRD (1.0 / 3)

const struct winograd__matrices *winograd__matrices(int64_t points)
{
  /* clang-format off */
  static const struct winograd__matrices f2 = {2, 4,
    {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
    {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}},
    {{1, 1, 1, 0}, {0, 1, -1, -1}}};
  static const struct winograd__matrices f4 = {4, 6,
    {{4, 0, -5, 0, 1, 0}, {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
     {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}},
    {{.25, 0, 0}, {-.5 * THIRD, -.5 * THIRD, -.5 * THIRD}, {-.5 * THIRD, .5 * THIRD, -.5 * THIRD},
     {.125 * THIRD, .25 * THIRD, .5 * THIRD}, {.125 * THIRD, -.25 * THIRD, .5 * THIRD}, {0, 0, 1}},
    {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}}};
  /* clang-format on */
  return points == f2.points ? &f2 : points == f4.points ? &f4 : NULL;
}

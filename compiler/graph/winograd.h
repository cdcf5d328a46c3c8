/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd's minimal filtering, F(m x m, 3 x 3): a tile of m x m results of a convolution with 3 x 3 taps is
 *   A^T [(G g G^T) * (B^T d B)] A
 * g being the taps, d the (m + 2) x (m + 2) elements that the tile reads, and * element by element: so
 * many products instead of 9 m m. The points are 0, 1, -1 and infinity, for m = 4 also 2 and -2. */
#ifndef TSR_COMPILER_GRAPH_WINOGRAD_H
#define TSR_COMPILER_GRAPH_WINOGRAD_H

#include <stdint.h>

enum { WINOGRAD__TAPS = 3, WINOGRAD__MOST = 6 };

struct winograd__matrices {
  int tile, points;                              /* m, m + 2 */
  double data[WINOGRAD__MOST][WINOGRAD__MOST];   /* B^T */
  double taps[WINOGRAD__MOST][WINOGRAD__TAPS];   /* G */
  double result[WINOGRAD__MOST][WINOGRAD__MOST]; /* A^T */
};

/* points: 4 or 6; NULL: there are no such. */
const struct winograd__matrices *winograd__matrices(int64_t points);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Each primitive on a small func: the program it gives, and every sentence that refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/tir/tir_internal.h"
#include "tests/base/counting.h"
#include "tests/tir/test_sched_funcs.h"

static const char pair[] = "func pair(x: i32[11]) -> (y: i32[10]) {\n"
                           "  temp t: i32[11]\n"
                           "  t: t[n] = x[n] * i32(3)\n"
                           "  y: y[n] = t[n] + t[n + 1]\n"
                           "}\n";
static const char product[] = "func product(x: i8[4,6], w: i8[3,6]) -> (y: i32[4,3]) {\n"
                              "  y: y[m, n] sum(k < 6) init i32(0) = i32(x[m, k]) * i32(w[n, k])\n"
                              "}\n";
static const char stencil[] = "func stencil(x: i32[9]) -> (y: i32[9]) {\n"
                              "  temp t: i32[9]\n"
                              "  t: t[n] = x[n] + i32(1)\n"
                              "  y: y[n] = select(n < 8, t[n + 1], i32(0)) - t[8 - n]\n"
                              "}\n";
static const char products[] = "func products(x: f32[2,3,4]) -> (y: f32[2]) {\n"
                               "  t: y[n] product(i < 3, j < 4) init 1.0 = x[n, i, j]\n"
                               "}\n";
static const char sums[] = "func sums(x: f32[2,3,4]) -> (y: f32[2]) {\n"
                           "  temp t: f32[2]\n"
                           "  t: t[n] sum(i < 3, j < 4) init 0.0 = x[n, i, j]\n"
                           "  y: y[n] = t[n] * 2.0\n"
                           "}\n";
static const char biased[] = "func biased(x: i32[4,3]) -> (y: i32[4]) {\n"
                             "  temp b: i32[4]\n"
                             "  b: b[n] = x[n, 0] + i32(1)\n"
                             "  y: y[n] sum(k < 3) init b[n] = x[n, k]\n"
                             "}\n";
static const char sevens[] = "func sevens(x: i32[7]) -> (y: i32[1]) {\n"
                             "  y: y[n] sum(k < 7) init i32(0) = x[k + n]\n"
                             "}\n";
static const char image[] =
    "func image(x: i8[9,8]) -> (y: i8[8,7]) {\n"
    "  temp t: i8[9,8]\n"
    "  t: t[h, w] = x[h, w]\n"
    "  y: y[h, w] maximum(kh < 2, kw < 2) init i8(-128) = t[h + kh, w + kw]\n"
    "}\n";

static const struct sched_case programs[] = {
    {pair, "", "split y n 4 o i",
     "  alloc t: i32[11] {\n"
     "    for t.n < 11 of t {\n"
     "      t[t.n] = x[t.n] * i32(3)\n"
     "    }\n"
     "    for y.o < 3 of y {\n"
     "      for y.i < min(4, 10 - y.o * 4) of y {\n"
     "        y[y.i + y.o * 4] = t[y.i + y.o * 4] + t[y.i + y.o * 4 + 1]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "split y n 4 o i", "split y i 3 io ii",
     "  alloc t: i32[11] {\n"
     "    for t.n < 11 of t {\n"
     "      t[t.n] = x[t.n] * i32(3)\n"
     "    }\n"
     "    for y.o < 3 of y {\n"
     "      for y.io < floordiv(min(4, 10 - y.o * 4) + 2, 3) of y {\n"
     "        for y.ii < min(3, min(4, 10 - y.o * 4) - y.io * 3) of y {\n"
     "          y[y.ii + y.io * 3 + y.o * 4] = t[y.ii + y.io * 3 + y.o * 4] + t[y.ii + y.io * 3 "
     "+ y.o * 4 + 1]\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "split y n 5 o i", "reorder y i o",
     "  alloc t: i32[11] {\n"
     "    for t.n < 11 of t {\n"
     "      t[t.n] = x[t.n] * i32(3)\n"
     "    }\n"
     "    for y.i < 5 of y {\n"
     "      for y.o < 2 of y {\n"
     "        y[y.i + y.o * 5] = t[y.i + y.o * 5] + t[y.i + y.o * 5 + 1]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {product, "", "fuse y m n f",
     "  for y.f < 12 of y {\n"
     "    y[floordiv(y.f, 3), floormod(y.f, 3)] = i32(0)\n"
     "    for y.k < 6 of y {\n"
     "      y[floordiv(y.f, 3), floormod(y.f, 3)] += i32(x[floordiv(y.f, 3), y.k]) * "
     "i32(w[floormod(y.f, 3), y.k])\n"
     "    }\n"
     "  }\n"
     "}\n"},
    /* Parts of splits that don't divide, of constant extents. */
    {sevens, "split y k 4 a b\nsplit y b 2 c d", "fuse y a c f",
     "  y[0] = i32(0)\n"
     "  for y.f < 4 of y {\n"
     "    for y.d < min(2, min(4, 7 - floordiv(y.f, 2) * 4) - floormod(y.f, 2) * 2) of y {\n"
     "      y[0] += x[y.d + y.f * 2]\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {product, "split y k 4 ko ki", "reorder y ko n m",
     "  for y.n.init < 3 of y {\n"
     "    for y.m.init < 4 of y {\n"
     "      y[y.m.init, y.n.init] = i32(0)\n"
     "    }\n"
     "  }\n"
     "  for y.ko < 2 of y {\n"
     "    for y.n < 3 of y {\n"
     "      for y.m < 4 of y {\n"
     "        for y.ki < min(4, 6 - y.ko * 4) of y {\n"
     "          y[y.m, y.n] += i32(x[y.m, y.ki + y.ko * 4]) * i32(w[y.n, y.ki + y.ko * 4])\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {product, "split y m 3 mo mi", "reorder y mo k mi n",
     "  for y.mo < 2 of y {\n"
     "    for y.mi.init < min(3, 4 - y.mo * 3) of y {\n"
     "      for y.n.init < 3 of y {\n"
     "        y[y.mi.init + y.mo * 3, y.n.init] = i32(0)\n"
     "      }\n"
     "    }\n"
     "    for y.k < 6 of y {\n"
     "      for y.mi < min(3, 4 - y.mo * 3) of y {\n"
     "        for y.n < 3 of y {\n"
     "          y[y.mi + y.mo * 3, y.n] += i32(x[y.mi + y.mo * 3, y.k]) * i32(w[y.n, y.k])\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "unroll t n", "parallel y n",
     "  alloc t: i32[11] {\n"
     "    for t.n < 11 unroll of t {\n"
     "      t[t.n] = x[t.n] * i32(3)\n"
     "    }\n"
     "    for y.n < 10 parallel of y {\n"
     "      y[y.n] = t[y.n] + t[y.n + 1]\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "unroll t n", "pipeline y n 3",
     "  alloc t: i32[11] {\n"
     "    for t.n < 11 unroll of t {\n"
     "      t[t.n] = x[t.n] * i32(3)\n"
     "    }\n"
     "    for y.n < 10 pipeline 3 of y {\n"
     "      y[y.n] = t[y.n] + t[y.n + 1]\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "split y n 4 o i", "compute_at t y o",
     "  for y.o < 3 of y {\n"
     "    alloc t: i32[5] {\n"
     "      for t.n < min(4, 10 - y.o * 4) + 1 of t {\n"
     "        t[t.n] = x[t.n + y.o * 4] * i32(3)\n"
     "      }\n"
     "      for y.i < min(4, 10 - y.o * 4) of y {\n"
     "        y[y.i + y.o * 4] = t[y.i] + t[y.i + 1]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "split y n 4 o i", "compute_at t y i",
     "  for y.o < 3 of y {\n"
     "    for y.i < min(4, 10 - y.o * 4) of y {\n"
     "      alloc t: i32[2] {\n"
     "        for t.n < 2 of t {\n"
     "          t[t.n] = x[t.n + y.i + y.o * 4] * i32(3)\n"
     "        }\n"
     "        y[y.i + y.o * 4] = t[0] + t[1]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {image, "split y h 3 ho hi\nsplit y w 4 wo wi\nreorder y ho wo hi wi", "compute_at t y wo",
     "  for y.ho < 3 of y {\n"
     "    for y.wo < 2 of y {\n"
     "      alloc t: i8[4,5] {\n"
     "        for t.h < min(3, 8 - y.ho * 3) + 1 of t {\n"
     "          for t.w < min(4, 7 - y.wo * 4) + 1 of t {\n"
     "            t[t.h, t.w] = x[t.h + y.ho * 3, t.w + y.wo * 4]\n"
     "          }\n"
     "        }\n"
     "        for y.hi < min(3, 8 - y.ho * 3) of y {\n"
     "          for y.wi < min(4, 7 - y.wo * 4) of y {\n"
     "            y[y.hi + y.ho * 3, y.wi + y.wo * 4] = i8(-128)\n"
     "            for y.kh < 2 of y {\n"
     "              for y.kw < 2 of y {\n"
     "                y[y.hi + y.ho * 3, y.wi + y.wo * 4] max= t[y.hi + y.kh, y.wi + y.kw]\n"
     "              }\n"
     "            }\n"
     "          }\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    /* Two readers whose least indices can't be ordered. */
    {stencil, "split y n 3 o i", "compute_at t y o",
     "  for y.o < 3 of y {\n"
     "    alloc t: i32[9] {\n"
     "      for t.n < max(min(y.o * 3 + 3, 8), 8 - y.o * 3) - min(y.o * 3 + 1, 6 - y.o * 3) + 1 "
     "of t {\n"
     "        t[t.n] = x[t.n + min(y.o * 3 + 1, 6 - y.o * 3)] + i32(1)\n"
     "      }\n"
     "      for y.i < 3 of y {\n"
     "        y[y.i + y.o * 3] = select(y.i + y.o * 3 < 8, t[y.i + y.o * 3 - min(y.o * 3 + 1, 6 "
     "- y.o * 3) + 1], i32(0)) - t[8 - y.i - y.o * 3 - min(y.o * 3 + 1, 6 - y.o * 3)]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {biased, "split y n 3 o i", "compute_at b y o",
     "  for y.o < 2 of y {\n"
     "    alloc b: i32[3] {\n"
     "      for b.n < min(3, 4 - y.o * 3) of b {\n"
     "        b[b.n] = x[b.n + y.o * 3, 0] + i32(1)\n"
     "      }\n"
     "      for y.i < min(3, 4 - y.o * 3) of y {\n"
     "        y[y.i + y.o * 3] = b[y.i]\n"
     "        for y.k < 3 of y {\n"
     "          y[y.i + y.o * 3] += x[y.i + y.o * 3, y.k]\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "", "inline t",
     "  for y.n < 10 of y {\n"
     "    y[y.n] = x[y.n] * i32(3) + x[y.n + 1] * i32(3)\n"
     "  }\n"
     "}\n"},
    {pair, "compute_at t y n", "cache_read x inp t xs",
     "  alloc xs: i32[11] inp {\n"
     "    for xs.d0 < 11 of xs {\n"
     "      xs[xs.d0] = x[xs.d0]\n"
     "    }\n"
     "    for y.n < 10 of y {\n"
     "      alloc t: i32[2] {\n"
     "        for t.n < 2 of t {\n"
     "          t[t.n] = xs[t.n + y.n] * i32(3)\n"
     "        }\n"
     "        y[y.n] = t[0] + t[1]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "compute_at t y n", "cache_read t local y ts",
     "  for y.n < 10 of y {\n"
     "    alloc t: i32[2] {\n"
     "      alloc ts: i32[2] local {\n"
     "        for t.n < 2 of t {\n"
     "          t[t.n] = x[t.n + y.n] * i32(3)\n"
     "        }\n"
     "        for ts.n < 2 of ts {\n"
     "          ts[ts.n] = t[ts.n]\n"
     "        }\n"
     "        y[y.n] = ts[0] + ts[1]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "set_scope t acc\ncache_write y out store\nsplit store n 5 o i\ncompute_at y store o",
     "compute_at t store o",
     "  for store.o < 2 of store {\n"
     "    alloc t: i32[6] acc {\n"
     "      alloc y.out: i32[5] out {\n"
     "        for t.n < 6 of t {\n"
     "          t[t.n] = x[t.n + store.o * 5] * i32(3)\n"
     "        }\n"
     "        for y.n < 5 of y {\n"
     "          y.out[y.n] = t[y.n] + t[y.n + 1]\n"
     "        }\n"
     "        for store.i < 5 of store {\n"
     "          y[store.i + store.o * 5] = y.out[store.i]\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "compute_at t y n", "cache_write t local ts",
     "  for y.n < 10 of y {\n"
     "    alloc t.local: i32[2] local {\n"
     "      alloc t: i32[2] {\n"
     "        for t.n < 2 of t {\n"
     "          t.local[t.n] = x[t.n + y.n] * i32(3)\n"
     "        }\n"
     "        for ts.n < 2 of ts {\n"
     "          t[ts.n] = t.local[ts.n]\n"
     "        }\n"
     "        y[y.n] = t[0] + t[1]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "compute_at t y n", "slide t tk",
     "  alloc t: i32[2] {\n"
     "    for y.n < 10 of y {\n"
     "      for tk.n < min(y.n, 1) of tk {\n"
     "        t[tk.n] = t[tk.n + 1]\n"
     "      }\n"
     "      for t.n < 2 - min(y.n, 1) of t {\n"
     "        t[t.n + min(y.n, 1)] = x[t.n + min(y.n, 1) + y.n] * i32(3)\n"
     "      }\n"
     "      y[y.n] = t[0] + t[1]\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "split y n 4 o i\ncompute_at t y o", "slide t tk",
     "  alloc t: i32[5] {\n"
     "    for y.o < 3 of y {\n"
     "      for tk.n < min(y.o, 1) of tk {\n"
     "        t[tk.n] = t[tk.n + 4]\n"
     "      }\n"
     "      for t.n < min(4, 10 - y.o * 4) - min(y.o, 1) + 1 of t {\n"
     "        t[t.n + min(y.o, 1)] = x[t.n + min(y.o, 1) + y.o * 4] * i32(3)\n"
     "      }\n"
     "      for y.i < min(4, 10 - y.o * 4) of y {\n"
     "        y[y.i + y.o * 4] = t[y.i] + t[y.i + 1]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "", "pad t n 8",
     "  alloc t: i32[16] {\n"
     "    for t.n < 16 of t {\n"
     "      t[t.n] = select(t.n < 11, x[t.n] * i32(3), i32(0))\n"
     "    }\n"
     "    for y.n < 10 of y {\n"
     "      y[y.n] = t[y.n] + t[y.n + 1]\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {pair, "pad t n 4\nsplit y n 4 o i", "compute_at t y o",
     "  for y.o < 3 of y {\n"
     "    alloc t: i32[8] {\n"
     "      for t.n < floordiv(min(4, 10 - y.o * 4), 4) * 4 + 4 of t {\n"
     "        t[t.n] = select(t.n + y.o * 4 < 11, x[t.n + y.o * 4] * i32(3), i32(0))\n"
     "      }\n"
     "      for y.i < min(4, 10 - y.o * 4) of y {\n"
     "        y[y.i + y.o * 4] = t[y.i] + t[y.i + 1]\n"
     "      }\n"
     "    }\n"
     "  }\n"
     "}\n"},
    {sums, "", "pad t n 3",
     "  alloc t: f32[3] {\n"
     "    for t.n < 3 of t {\n"
     "      t[t.n] = 0.0\n"
     "      for t.i < 3 of t {\n"
     "        for t.j < 4 of t {\n"
     "          t[t.n] += select(t.n < 2, x[t.n, t.i, t.j], 0.0)\n"
     "        }\n"
     "      }\n"
     "    }\n"
     "    for y.n < 2 of y {\n"
     "      y[y.n] = t[y.n] * 2.0\n"
     "    }\n"
     "  }\n"
     "}\n"},
};

static const struct sched_case refusals[] = {
    {pair, "", "  ", "the schedule line is empty; write for example 'split S L N OUTER INNER'"},
    {pair, "", "splt y n 4 o i", "no schedule primitive is named 'splt'; did you mean 'split'?"},
    {pair, "", "frobnicate", "no schedule primitive is named 'frobnicate'"},
    {pair, "", "split y n 4 o", "too few words for split; write 'split S L N OUTER INNER'"},
    {pair, "", "split z n 4 o i", "pair has no stage named 'z'; it has t, y"},
    {pair, "", "split yy n 4 o i", "pair has no stage named 'yy'; did you mean 'y'?"},
    {image, "", "split y hh 4 o i", "stage y has no loop named 'hh'; did you mean 'h'?"},
    {image, "", "split y channel 4 o i",
     "stage y has no loop named 'channel'; it has h, w, kh, kw"},
    {pair, "split y n 4 o i", "split y n 2 a b",
     "loop n of stage y is gone: it was split; name one of its parts"},
    {product, "fuse y m n f", "split y m 2 a b",
     "loop m of stage y is gone: it was fused; name one of its parts"},
    {pair, "", "split y n 0 o i", "split wants a whole number from 1 to 2147483647, not '0'"},
    {pair, "", "split y n four o i", "split wants a whole number from 1 to 2147483647, not 'four'"},
    {pair, "", "split y n 4 o o", "stage y has, or had, a loop named 'o'; choose another name"},
    {pair, "", "split y n 4 n i", "stage y has, or had, a loop named 'n'; choose another name"},
    {pair, "", "split y n 4 1o i",
     "'1o' is not a name; use letters, digits, '_' and '.', not a digit first"},
    {pair, "", "split y n 4 o.init i",
     "'o.init' ends in '.init', which is kept for loops that lowering makes"},
    {pair, "cache_write y out y.store", "split y n 2 store.n i",
     "'y.store.n' is the loop of another stage; choose another name"},
    {pair, "compute_at t y n", "split y n 4 o i",
     "can't split loop n of stage y: stage t is computed at it; split first, then compute_at"},
    {pair, "unroll y n", "split y n 4 o i",
     "can't split loop n of stage y: it is marked as unrolled; split first, then mark its parts"},
    {product, "pipeline y m 2", "fuse y m n f",
     "can't fuse loop m of stage y: it is marked as pipelined; fuse first, then mark its parts"},
    {product, "parallel y m", "split y m 2 mo mi",
     "can't split loop m of stage y: it is marked as parallel; split first, then mark its parts"},
    {product, "", "parallel y k",
     "can't run loop k of stage y in parallel: it is a reduce loop, whose iterations add to the "
     "same "
     "elements"},
    {product, "", "fuse y n m f",
     "can't fuse loops n and m of stage y: m is not the next loop inside of n; reorder first"},
    {product, "", "fuse y n k f",
     "can't fuse loops n and k of stage y: one is a reduce loop and the other is not"},
    {pair, "split y n 4 o i", "fuse y o i f",
     "loops o and i of stage y can't be fused, because the extent of i is not constant; split "
     "by a number that divides it, or compute y elsewhere"},
    {sevens, "split y k 4 a b\nsplit y b 2 c d\nfuse y a c f", "fuse y f d g",
     "loops f and d of stage y can't be fused, because the extent of d is not constant; split by a "
     "number that divides it, or compute y elsewhere"},
    {pair, "split y n 4 o i", "reorder y i o",
     "loop i of stage y has to stay inside of loop o, on which its extent depends; split by a "
     "number that divides the extent, or reorder o before i"},
    {product, "", "reorder y m m", "reorder of stage y names loop m twice"},
    {sums, "", "reorder t j i",
     "reordering loop j of stage t before loop i would change the order of a float sum; keep "
     "the reduce loops in their order"},
    {sums, "split t j 2 jo ji", "reorder t ji jo",
     "reordering loop ji of stage t before loop jo would change the order of a float sum; keep "
     "the reduce loops in their order"},
    {products, "", "reorder t j i",
     "reordering loop j of stage t before loop i would change the order of a float product; keep "
     "the reduce loops in their order"},
    {pair, "", "pipeline y n 0", "pipeline wants a whole number from 1 to 64, not '0'"},
    {pair, "", "compute_at y t n",
     "can't compute_at stage y: it computes the output y of pair; cache_write gives it a stage "
     "of its own for that"},
    {pair, "", "compute_at t t n",
     "stage t can't be computed at a loop of stage t, which is not computed after it; name a "
     "stage that reads t"},
    {biased, "", "compute_at b y k",
     "stage b can't be computed at loop k of stage y: the initial value of y reads it before "
     "that loop; choose a loop further out"},
    {pair, "cache_read t local y ts", "compute_at t y n",
     "stage t can't be computed at loop n of stage y: stage ts reads it outside of that loop; "
     "compute ts inside of it first, or choose a loop that holds both"},
    {"func unread(x: i32[3]) -> (y: i32[3]) {\n  temp t: i32[3]\n  t: t[n] = x[n]\n"
     "  y: y[n] = x[n]\n}\n",
     "", "compute_at t y n", "can't compute_at stage t: no stage reads it"},
    {"func unread(x: i32[3]) -> (y: i32[3]) {\n  temp t: i32[3]\n  t: t[n] = x[n]\n"
     "  y: y[n] = x[n]\n}\n",
     "", "inline t", "can't inline stage t: no stage reads it"},
    {pair, "", "inline y", "can't inline stage y: it computes the output y of pair"},
    {sums, "", "inline t", "can't inline stage t: it is a reduction; use compute_at"},
    {pair, "cache_read x local t xs\ncompute_at xs t n", "inline t",
     "can't inline stage t: stage xs is computed at its loop n; inline first, then compute_at"},
    {pair, "", "cache_read x imp t xs", "tensor IR has no scope named 'imp'; did you mean 'inp'?"},
    {pair, "", "cache_read x weights t xs",
     "tensor IR has no scope named 'weights'; it has global, local, inp, wgt, acc, out, lut, "
     "shared, register"},
    {pair, "", "cache_read x inp y xs", "stage y reads no buffer named 'x'"},
    {product, "", "cache_read ww inp y xs",
     "stage y reads no buffer named 'ww'; did you mean 'w'?"},
    {pair, "", "cache_read x inp t t",
     "the name 't' is taken by a stage, a buffer or loops; choose another"},
    {pair, "", "cache_write y out y",
     "the name 'y' is taken by a stage, a buffer or loops; choose another"},
    {pair, "", "set_scope y out",
     "can't set_scope stage y: it computes the output y of pair, which is the caller's memory; "
     "use cache_write"},
    {pair, "", "pad y n 4",
     "can't pad stage y: it computes the output y of pair, whose dims are given; use "
     "cache_write, then pad"},
    {pair, "", "slide y k",
     "can't slide stage y: it computes the output y of pair; cache_write gives it a stage of its "
     "own "
     "for that"},
    {sums, "", "slide t k", "can't slide stage t: it is a reduction; slide a stage that reads it"},
    {pair, "", "slide t k", "stage t can't slide: it is computed in no loop; compute_at first"},
    {pair, "pad t n 4\ncompute_at t y n", "slide t k", "can't slide stage t: it is padded"},
    {pair, "compute_at t y n\nslide t k", "slide t kk", "can't slide stage t: it slides already"},
    {pair, "compute_at t y n\nslide t k", "cache_write t local c",
     "can't cache_write stage t: it slides; cache_write first, then slide"},
    {pair, "compute_at t y n\nslide t k", "inline t",
     "can't inline stage t: it slides; inline first, then slide"},
    {pair, "compute_at t y n\nslide t k", "pad t n 4",
     "can't pad stage t: it slides; pad first, then slide"},
    {pair, "compute_at t y n\nslide t k", "split k n 2 o i",
     "can't split stage k: it moves what a stage that slides keeps, and can be tensorized, but not "
     "be "
     "changed"},
    {pair, "compute_at t y n\nslide t k", "parallel y n",
     "stage t can't slide along loop n of stage y: its iterations don't follow one another"},
    {pair, "compute_at t y n", "slide t t",
     "the name 't' is taken by a stage, a buffer or loops; choose another"},
    {"func twice(x: i32[20]) -> (y: i32[10]) {\n  temp t: i32[20]\n  t: t[n] = x[n]\n"
     "  y: y[n] = t[n * 2] + t[n * 2 + 1]\n}\n",
     "compute_at t y n", "slide t k",
     "stage t can't slide along loop n of stage y: its iterations don't all read the same part of "
     "what "
     "the one before has read"},
    {product, "cache_read w local y ws\ncompute_at ws y m", "slide ws k",
     "stage ws can't slide along loop m of stage y: the region that it reads doesn't move on by "
     "constant "
     "numbers along one dimension"},
    {sums, "", "pad t i 4",
     "can't pad loop i of stage t: it is not a spatial axis but a reduce axis"},
    {pair, "split t n 4 o i", "pad t i 4",
     "can't pad loop i of stage t: it is not a spatial axis but a part of one; pad before split "
     "and fuse"},
};

static void expect_all(const struct sched_case *c, size_t n)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  assert_non_null(a);
  if (setjmp(*tsr_arena_landing(a)))
    fail_msg("out of memory");
  for (size_t k = 0; k < n; k++)
    expect_outcome(a, NULL, &c[k]);
  tsr_arena_free(a);
}

static void test_programs(void **state)
{
  (void)state;
  expect_all(programs, sizeof programs / sizeof programs[0]);
}

static void test_refusals(void **state)
{
  (void)state;
  expect_all(refusals, sizeof refusals / sizeof refusals[0]);
}

/* What the accelerator asks for: tiles of the output, and of the input blocks inside of them;
 * everything in scratchpads; odd sizes, strides and dilations. */
static const char tiled[] = "set_scope xpad inp\n"
                            "cache_read w wgt conv w.wgt\n"
                            "set_scope conv acc\n"
                            "cache_read p acc y p.acc\n"
                            "cache_write y out y.store\n"
                            "split y.store oh 2 oh.o oh.i\n"
                            "split y.store ow 3 ow.o ow.i\n"
                            "split y.store ob 2 ob.o ob.i\n"
                            "reorder y.store nb ob.o oh.o ow.o ob.i oh.i ow.i b o\n"
                            "compute_at y y.store ow.o\n"
                            "compute_at conv y.store ow.o\n"
                            "compute_at p.acc y.store ob.o\n"
                            "split conv cb 2 cb.o cb.i\n"
                            "reorder conv cb.o ob nb cb.i kh kw oh ow b o i\n"
                            "compute_at xpad conv cb.o\n"
                            "compute_at w.wgt conv cb.o\n"
                            "pipeline y.store ow.o 2\n"
                            "pipeline conv cb.o 2\n";

static void test_tiled_convolutions(void **state)
{
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  assert_non_null(a);
  if (setjmp(*tsr_arena_landing(a)))
    fail_msg("out of memory");
  for (int k = 0; k < 4; k++) {
    struct tir_func *f = sched_func(a, k);
    expect_same_result(a, f, lowered(a, scheduled(a, f, tiled)), 1);
  }
  tsr_arena_free(a);
}

/* --- memory ----------------------------------------------------------------------------------- */

static void schedule_in(struct counting *c)
{
  struct tir_program *p;
  struct tsr_arena *a = tsr_arena_new(&c->allocator);
  if (!a || setjmp(*tsr_arena_landing(a))) {
    tsr_arena_free(a);
    return;
  }
  const struct sched_case *last = &programs[9];
  struct tir_sched *s = scheduled(a, sched_parsed(a, last->func), last->lines);
  assert_int_equal(tir_sched_apply(s, NULL, last->line), TSR_OK);
  assert_int_equal(tir_lower(a, NULL, s, &p), TSR_OK);
  tsr_arena_free(a);
}

/* Memory runs out at every step once, in the middle of a line's check too; nothing stays. */
static void test_memory(void **state)
{
  (void)state;
  for (int n = 0;; n++) {
    struct counting c;
    counting_once(&c, n);
    schedule_in(&c);
    assert_int_equal(c.live, 0);
    if (!c.refused)
      break;
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_programs),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_tiled_convolutions),
      cmocka_unit_test(test_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

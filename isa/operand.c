/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/operand.h"

#include <string.h>

static const struct tsr__operand operands[] = {
    {TSR_FORMAT_DMA, "sram", TSR__NUMBERS, {"sram"}, NULL, 0, true},
    {TSR_FORMAT_DMA, "dram", TSR__HEX, {"dram"}, NULL, 0, true},
    {TSR_FORMAT_DMA, "n", TSR__NUMBERS, {"nx", "ny", "nz"}, NULL, 1, true},
    {TSR_FORMAT_DMA, "sy", TSR__NUMBERS, {"sy"}, NULL, 0, false},
    {TSR_FORMAT_DMA, "sz", TSR__NUMBERS, {"sz"}, NULL, 0, false},
    {TSR_FORMAT_DMA, "pad", TSR__NUMBERS, {"pad"}, NULL, 0, false},
    {TSR_FORMAT_DMA, "x", TSR__NUMBERS, {"xl", "xr"}, NULL, 0, false},
    {TSR_FORMAT_DMA, "y", TSR__NUMBERS, {"yl", "yr"}, NULL, 0, false},
    {TSR_FORMAT_LOOP, "uops", TSR__UOPS, {"uop_begin", "uop_count"}, NULL, 0, true},
    {TSR_FORMAT_LOOP, "n", TSR__NUMBERS, {"n0", "n1", "n2"}, NULL, 1, true},
    {TSR_FORMAT_LOOP, "dst", TSR__SPACED, {"dst0", "dst1", "dst2"}, "dst", 0, false},
    {TSR_FORMAT_LOOP, "a", TSR__SPACED, {"a0", "a1", "a2"}, "src", 0, false},
    {TSR_FORMAT_LOOP, "b", TSR__SPACED, {"b0", "b1", "b2"}, NULL, 0, false},
    {TSR_FORMAT_LOOP, "first", TSR__BITS, {"first"}, NULL, 0, false},
    {TSR_FORMAT_LOOP, "banks", TSR__BITS, {"banks"}, NULL, 0, false},
    {TSR_FORMAT_SYNC, "wait", TSR__ENGINES, {"wait"}, NULL, 0, false},
    {TSR_FORMAT_SYNC, "signal", TSR__ENGINES, {"signal"}, NULL, 0, false},
    {TSR_FORMAT_DMA, "wait", TSR__ENGINES, {"wait"}, NULL, 0, false},
    {TSR_FORMAT_DMA, "signal", TSR__ENGINES, {"signal"}, NULL, 0, false},
    {TSR_FORMAT_LOOP, "wait", TSR__ENGINES, {"wait"}, NULL, 0, false},
    {TSR_FORMAT_LOOP, "signal", TSR__ENGINES, {"signal"}, NULL, 0, false},
};

const struct tsr__operand *tsr__operands(int *count)
{
  *count = (int)(sizeof operands / sizeof operands[0]);
  return operands;
}

const char *const *tsr__spaces(const char *slot, int *count)
{
  static const char *const dst[] = {"acc", "out", "inp"}; /* enum tsr_dst */
  static const char *const src[] = {"acc", "inp"};        /* enum tsr_src */
  bool is_dst = !strcmp(slot, "dst");
  *count = is_dst ? 3 : 2;
  return is_dst ? dst : src;
}

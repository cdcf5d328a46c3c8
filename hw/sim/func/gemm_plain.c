/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM blocks in plain C, for any host and any block size. Layouts are those of the scratchpads. */
#include <string.h>

#include "hw/sim/func/kernel.h"

static size_t tile_bytes(int in, int out)
{
  return (size_t)in * (size_t)out;
}

static void pack_inp(uint8_t *to, const int8_t *from, size_t elements)
{
  memcpy(to, from, elements);
}

static void pack_wgt(uint8_t *to, const int8_t *from, int in, int out)
{
  memcpy(to, from, tile_bytes(in, out));
}

/* x is (in), w is (out,in), acc is (out) */
static void product(int32_t *restrict acc, const int8_t *restrict x, const int8_t *restrict w,
                    int in, int out)
{
  for (int c = 0; c < out; c++) {
    int32_t sum = 0; /* at most 128 * 2^14: no wrap */
    for (int k = 0; k < in; k++)
      sum += x[k] * w[c * in + k];
    acc[c] = (int32_t)((uint32_t)acc[c] + (uint32_t)sum);
  }
}

static void run(const struct tsr__block *block)
{
  for (size_t s = 0; s < block->step_count; s++)
    for (size_t p = 0; p < block->row_count; p++)
      product(block->acc + block->rows[p].d,
              (const int8_t *)block->inp + block->rows[p].a + block->steps[s].a,
              (const int8_t *)block->wgt + block->steps[s].b, block->in, block->out);
}

const struct tsr__kernel *tsr__kernel_plain(void)
{
  static const struct tsr__kernel kernel = {1, tile_bytes, pack_inp, pack_wgt, run, false};
  return &kernel;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "isa/slot.h"

#include <inttypes.h>
#include <string.h>

/* The rows of a format lie in order and apart: an enumerator without a value is one more than the one
 * before it, here the first bit behind the row before. No two rows of a format start at the same bit. */
enum {
#define TSR_FIELD(format, name, low, bits, smallest, largest, meaning)                             \
  FREE_##format##_##name, START_##format##_##low, LAST_##format##_##name = (low) + (bits)-1,
#include "isa/fields.def"
#undef TSR_FIELD
};
/* What fits: two's complement where the smallest value is negative. */
#define MOST(bits, smallest)  ((INT64_C(1) << ((bits) - ((smallest) < 0))) - 1)
#define LEAST(bits, smallest) ((smallest) < 0 ? -(INT64_C(1) << ((bits)-1)) : 0)
enum { WORD_NONE = 256, WORD_SYNC = 256, WORD_DMA = 256, WORD_LOOP = 256, WORD_UOP = 64 };
#define TSR_FIELD(format, name, low, bits, smallest, largest, meaning)                             \
  _Static_assert((low) == 0 || (low) >= FREE_##format##_##name, #name " overlaps the row before"); \
  _Static_assert((low) + (bits) <= WORD_##format && (bits) <= 32, #name " fits its word");         \
  _Static_assert((low) / 64 == ((low) + (bits)-1) / 64, #name " lies in one 64-bit word");          \
  _Static_assert((largest) <= MOST(bits, smallest) && (smallest) >= LEAST(bits, smallest),         \
                 #name "'s values fit its bits");
#include "isa/fields.def"
#undef TSR_FIELD

/* Where each slot lives in struct tsr_insn or struct tsr_uop. */
#define HOME_NONE         struct tsr_insn
#define HOME_SYNC         struct tsr_insn
#define HOME_DMA          struct tsr_insn
#define HOME_LOOP         struct tsr_insn
#define HOME_UOP          struct tsr_uop
#define AT_NONE_opcode    opcode
#define AT_SYNC_opcode    opcode
#define AT_SYNC_wait      wait
#define AT_SYNC_signal    signal
#define AT_SYNC_engine    engine
#define AT_DMA_opcode     opcode
#define AT_DMA_wait       wait
#define AT_DMA_signal     signal
#define AT_DMA_buffer     dma.buffer
#define AT_DMA_sram       dma.sram
#define AT_DMA_pad        dma.pad
#define AT_DMA_dram       dma.dram
#define AT_DMA_nx         dma.nx
#define AT_DMA_ny         dma.ny
#define AT_DMA_nz         dma.nz
#define AT_DMA_xl         dma.xl
#define AT_DMA_xr         dma.xr
#define AT_DMA_yl         dma.yl
#define AT_DMA_yr         dma.yr
#define AT_DMA_sy         dma.sy
#define AT_DMA_sz         dma.sz
#define AT_LOOP_opcode    opcode
#define AT_LOOP_wait      wait
#define AT_LOOP_signal    signal
#define AT_LOOP_first     loop.first
#define AT_LOOP_banks     loop.banks
#define AT_LOOP_dst       loop.dst
#define AT_LOOP_src       loop.src
#define AT_LOOP_uop_begin loop.uop_begin
#define AT_LOOP_uop_count loop.uop_count
#define AT_LOOP_n0        loop.n[0]
#define AT_LOOP_n1        loop.n[1]
#define AT_LOOP_n2        loop.n[2]
#define AT_LOOP_dst0      loop.step_dst[0]
#define AT_LOOP_dst1      loop.step_dst[1]
#define AT_LOOP_dst2      loop.step_dst[2]
#define AT_LOOP_a0        loop.step_a[0]
#define AT_LOOP_a1        loop.step_a[1]
#define AT_LOOP_a2        loop.step_a[2]
#define AT_LOOP_b0        loop.step_b[0]
#define AT_LOOP_b1        loop.step_b[1]
#define AT_LOOP_b2        loop.step_b[2]
#define AT_UOP_dst        dst
#define AT_UOP_a          a
#define AT_UOP_b          b
#define AT_UOP_overwrite  overwrite

#define TSR_FORMAT_UOP TSR__FORMAT_UOP
#define KIND(home, at)                                                                             \
  _Generic(((home *)0)->at, int                                                                    \
           : TSR__INT, uint32_t                                                                    \
           : TSR__U32, uint64_t                                                                    \
           : TSR__U64, bool                                                                        \
           : TSR__BOOL)
static const struct tsr__slot slots[] = {
#define TSR_FIELD(format, name, low, bits, smallest, largest, meaning)                             \
  {#name,                                                                                          \
   meaning,                                                                                        \
   TSR_FORMAT_##format,                                                                            \
   low,                                                                                            \
   bits,                                                                                           \
   smallest,                                                                                       \
   largest,                                                                                        \
   KIND(HOME_##format, AT_##format##_##name),                                                      \
   offsetof(HOME_##format, AT_##format##_##name)},
#include "isa/fields.def"
#undef TSR_FIELD
};

/* The rows of a format stand together. */
enum {
#define TSR_FIELD(format, name, low, bits, smallest, largest, meaning) ROW_##format##_##name,
#include "isa/fields.def"
#undef TSR_FIELD
  ROW_COUNT
};

const struct tsr__slot *tsr__slots(int format, int *count)
{
  static const int first[TSR__FORMAT_COUNT + 1] = {ROW_NONE_opcode, ROW_SYNC_opcode, ROW_DMA_opcode,
                                                   ROW_LOOP_opcode, ROW_UOP_dst,     ROW_COUNT};
  *count = first[format + 1] - first[format];
  return &slots[first[format]];
}

const struct tsr__slot *tsr__slot_find(int format, const char *name)
{
  int n;
  const struct tsr__slot *list = tsr__slots(format, &n);
  for (int i = 0; i < n; i++)
    if (!strcmp(list[i].name, name))
      return &list[i];
  return NULL;
}

/* Bytes of a little-endian word, 64 bits at a time. */
static void load_words(const uint8_t *word, int count, uint64_t *out)
{
  for (int k = 0; k < count; k++) {
    out[k] = 0;
    for (int byte = 7; byte >= 0; byte--)
      out[k] = out[k] << 8 | word[8 * k + byte];
  }
}

static inline int64_t field(uint64_t bits64, int low, int bits, bool is_signed)
{
  int64_t v = (int64_t)(bits64 >> low & ((UINT64_C(1) << bits) - 1));
  return is_signed && v >> (bits - 1) ? v - (INT64_C(1) << bits) : v;
}

/* All rows with a constant format: the compiler keeps those of the format. */
static inline bool read_rows(int format, const uint64_t *word, void *item)
{
  uint64_t covered[TSR_INSN_BYTES / 8] = {0};
  bool fits = true;
  int words = format == TSR_FORMAT_UOP ? 1 : TSR_INSN_BYTES / 8;
#define TSR_FIELD(row_format, name, low, bits, smallest, largest, meaning)                         \
  if (format == TSR_FORMAT_##row_format) {                                                         \
    int64_t v = field(word[(low) / 64], (low) % 64, bits, (smallest) < 0);                         \
    covered[(low) / 64] |= ((UINT64_C(1) << (bits)) - 1) << (low) % 64;                            \
    fits &= v >= (smallest) && v <= (largest);                                                     \
    ((HOME_##row_format *)item)->AT_##row_format##_##name = v;                                     \
  }
#include "isa/fields.def"
#undef TSR_FIELD
  for (int k = 0; k < words; k++)
    fits &= !(word[k] & ~covered[k]);
  return fits;
}

bool tsr__slots_read(int format, const uint8_t *word, void *item)
{
  uint64_t bits[TSR_INSN_BYTES / 8];
  load_words(word, format == TSR_FORMAT_UOP ? 1 : TSR_INSN_BYTES / 8, bits);
  switch (format) {
  case TSR_FORMAT_SYNC: return read_rows(TSR_FORMAT_SYNC, bits, item);
  case TSR_FORMAT_DMA: return read_rows(TSR_FORMAT_DMA, bits, item);
  case TSR_FORMAT_LOOP: return read_rows(TSR_FORMAT_LOOP, bits, item);
  case TSR_FORMAT_UOP: return read_rows(TSR_FORMAT_UOP, bits, item);
  default: return read_rows(TSR_FORMAT_NONE, bits, item);
  }
}

enum tsr_status tsr__slot_check(struct tsr_err *err, const char *what, const struct tsr__slot *slot,
                                uint64_t value, bool is_signed)
{
  int64_t v = (int64_t)value;
  if (is_signed && v < 0 && v < slot->smallest)
    return tsr_refuse(err, "%s: %s is %" PRId64 ", outside of %" PRId64 " to %" PRId64, what,
                      slot->name, v, slot->smallest, slot->largest);
  if (is_signed && v < 0)
    return TSR_OK;
  if (value > (uint64_t)slot->largest || (slot->smallest > 0 && value < (uint64_t)slot->smallest))
    return tsr_refuse(err, "%s: %s is %" PRIu64 ", outside of %" PRId64 " to %" PRId64, what,
                      slot->name, value, slot->smallest, slot->largest);
  return TSR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Words to instructions and back. What has a meaning is said once: a field's range in its table, the
 * rest in check_meaning(), which encoder and decoder both ask. */
#include <string.h>

#include "isa/slot.h"

/* Bits [low, low + bits) of a little-endian word, bits <= 32; they must still be zero. */
static void word_put(uint8_t *word, int low, int bits, uint64_t value)
{
  uint64_t v = (value & ((UINT64_C(1) << bits) - 1)) << low % 8;
  for (int byte = low / 8; byte <= (low + bits - 1) / 8; byte++, v >>= 8)
    word[byte] |= (uint8_t)v;
}

static void pack(int format, const void *item, uint8_t *word, size_t size)
{
  int n;
  const struct tsr__slot *slots = tsr__slots(format, &n);
  memset(word, 0, size);
  for (int i = 0; i < n; i++)
    word_put(word, slots[i].low, slots[i].bits, tsr__slot_get(&slots[i], item));
}

static enum tsr_status check_ranges(struct tsr_err *err, const char *what, int format,
                                    const void *item)
{
  int n;
  const struct tsr__slot *slots = tsr__slots(format, &n);
  for (int i = 0; i < n; i++) {
    uint64_t v = tsr__slot_get(&slots[i], item);
    if (tsr__slot_check(err, what, &slots[i], v, slots[i].kind == TSR__INT))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

static bool format_has(int format, size_t member)
{
  int n;
  const struct tsr__slot *slots = tsr__slots(format, &n);
  for (int i = 0; i < n; i++)
    if (slots[i].member == member)
      return true;
  return false;
}

/* Members that the format lacks are zero, or something the caller meant would be lost. */
static enum tsr_status check_absent(struct tsr_err *err, const struct tsr_insn *insn)
{
  int own = (int)tsr_opcode_format(insn->opcode);
  for (int format = 0; format < TSR__FORMAT_UOP; format++) {
    int n;
    const struct tsr__slot *slots = tsr__slots(format, &n);
    for (int i = 0; format != own && i < n; i++)
      if (tsr__slot_get(&slots[i], insn) && !format_has(own, slots[i].member))
        return tsr_refuse(err, "%s: has no field %s; it must be 0", tsr_opcode_name(insn->opcode),
                          slots[i].name);
  }
  return TSR_OK;
}

static enum tsr_status check_tokens(struct tsr_err *err, const struct tsr_insn *insn)
{
  const char *what = tsr_opcode_name(insn->opcode);
  int engine = tsr_insn_engine(insn);
  if (engine == TSR_ENGINE_FETCH)
    return TSR_OK;
  if (insn->wait >> engine & 1)
    return tsr_refuse(err, "%s: wait names %s, the engine that executes it", what,
                      tsr_engine_name(engine));
  if (insn->signal >> engine & 1)
    return tsr_refuse(err, "%s: signal names %s, the engine that executes it", what,
                      tsr_engine_name(engine));
  return TSR_OK;
}

static bool buffer_moves(int buffer, bool load)
{
  static const struct {
    bool load, store;
  } can[] = {
#define TSR_BUFFER(name, text, load, store, entry, meaning) {load, store},
#include "isa/buffers.def"
#undef TSR_BUFFER
  };
  return load ? can[buffer].load : can[buffer].store;
}

/* The padding value is an element: none for micro-ops, 8 bits except in ACC. */
static enum tsr_status check_pad(struct tsr_err *err, const struct tsr_insn *insn)
{
  int32_t pad = insn->dma.pad;
  if (insn->dma.buffer == TSR_BUFFER_UOP && pad)
    return tsr_refuse(err, "load: pad is %d; it must be 0 for uop", pad);
  if (insn->dma.buffer != TSR_BUFFER_ACC && (pad < INT8_MIN || pad > INT8_MAX))
    return tsr_refuse(err, "load: pad is %d, outside of -128 to 127 for %s", pad,
                      tsr_buffer_name(insn->dma.buffer));
  return TSR_OK;
}

static enum tsr_status check_dma(struct tsr_err *err, const struct tsr_insn *insn)
{
  const char *what = tsr_opcode_name(insn->opcode);
  bool load = insn->opcode == TSR_OP_LOAD;
  if (!buffer_moves(insn->dma.buffer, load))
    return tsr_refuse(err, "%s: buffer is %d, %s, which cannot be %s", what, insn->dma.buffer,
                      tsr_buffer_name(insn->dma.buffer), load ? "loaded" : "stored");
  if (load)
    return check_pad(err, insn);
  const char *padding = insn->dma.pad  ? "pad"
                        : insn->dma.xl ? "xl"
                        : insn->dma.xr ? "xr"
                        : insn->dma.yl ? "yl"
                        : insn->dma.yr ? "yr"
                                       : NULL;
  return padding ? tsr_refuse(err, "store: %s must be 0: a store has no padding", padding) : TSR_OK;
}

static enum tsr_status check_loop(struct tsr_err *err, const struct tsr_insn *insn)
{
  const char *what = tsr_opcode_name(insn->opcode);
  bool only_acc = insn->opcode == TSR_OP_GEMM || insn->opcode == TSR_OP_MAC;
  if (only_acc && insn->loop.dst != TSR_DST_ACC)
    return tsr_refuse(err, "%s: dst is %d; it must be 0, acc", what, insn->loop.dst);
  if (insn->opcode == TSR_OP_GEMM && insn->loop.src)
    return tsr_refuse(err, "%s: src is %d; it must be 0: a is always INP", what, insn->loop.src);
  if (insn->loop.first && !tsr_opcode_takes_first(insn->opcode))
    return tsr_refuse(err, "%s: first is %u; it must be 0: the instruction has no use for it", what,
                      insn->loop.first);
  return TSR_OK;
}

/* What fields that are in their ranges can be wrong in; places and sizes depend on the design point
 * and are checked by the machine. */
static enum tsr_status check_meaning(struct tsr_err *err, const struct tsr_insn *insn)
{
  enum tsr_format format = tsr_opcode_format(insn->opcode);
  if (check_tokens(err, insn))
    return TSR_REFUSED;
  if (format == TSR_FORMAT_DMA)
    return check_dma(err, insn);
  return format == TSR_FORMAT_LOOP ? check_loop(err, insn) : TSR_OK;
}

enum tsr_status tsr_insn_encode(struct tsr_err *err, const struct tsr_insn *insn,
                                uint8_t word[TSR_INSN_BYTES])
{
  if (!tsr_opcode_valid(insn->opcode))
    return tsr_refuse(err, "no instruction has opcode %d", insn->opcode);
  int format = (int)tsr_opcode_format(insn->opcode);
  if (check_ranges(err, tsr_opcode_name(insn->opcode), format, insn) || check_meaning(err, insn) ||
      check_absent(err, insn))
    return TSR_REFUSED;
  pack(format, insn, word, TSR_INSN_BYTES);
  return TSR_OK;
}

enum tsr_trap tsr_insn_decode(const uint8_t word[TSR_INSN_BYTES], struct tsr_insn *out)
{
  struct tsr_insn insn = {0};
  if (!tsr_opcode_valid(word[0]))
    return TSR_TRAP_OPCODE;
  if (!tsr__slots_read((int)tsr_opcode_format(word[0]), word, &insn) ||
      check_meaning(NULL, &insn))
    return TSR_TRAP_FIELD;
  *out = insn;
  return TSR_TRAP_NONE;
}

enum tsr_status tsr_uop_encode(struct tsr_err *err, const struct tsr_uop *uop,
                               uint8_t word[TSR_UOP_BYTES])
{
  if (check_ranges(err, "uop", TSR__FORMAT_UOP, uop))
    return TSR_REFUSED;
  pack(TSR__FORMAT_UOP, uop, word, TSR_UOP_BYTES);
  return TSR_OK;
}

enum tsr_trap tsr_uop_decode(const uint8_t word[TSR_UOP_BYTES], struct tsr_uop *out)
{
  struct tsr_uop uop = {0};
  if (!tsr__slots_read(TSR__FORMAT_UOP, word, &uop))
    return TSR_TRAP_FIELD;
  *out = uop;
  return TSR_TRAP_NONE;
}

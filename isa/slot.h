/* SPDX-License-Identifier: Apache-2.0 */
/* A slot is a row of fields.def: its place in the word, and the C member that holds its value. Encoder,
 * decoder, assembler, Verilog header and reference page walk the same slots. */
#ifndef TSR_ISA_SLOT_H
#define TSR_ISA_SLOT_H

#include <string.h>

#include "isa/isa.h"

enum { TSR__FORMAT_UOP = TSR_FORMAT_LOOP + 1, TSR__FORMAT_COUNT };

enum tsr__kind { TSR__INT, TSR__U32, TSR__U64, TSR__BOOL }; /* type of the member of the C struct */

struct tsr__slot {
  const char *name, *meaning;
  int format;               /* enum tsr_format or TSR__FORMAT_UOP */
  int low, bits;            /* place in the word, bit 0 first */
  int64_t smallest, largest;
  enum tsr__kind kind;
  size_t member;            /* offset in struct tsr_insn, struct tsr_uop */
};

/* The slots of a format, first bit first. */
const struct tsr__slot *tsr__slots(int format, int *count);
const struct tsr__slot *tsr__slot_find(int format, const char *name); /* NULL: none */

/* The member as 64 bits, sign-extended where it is signed. */
static inline uint64_t tsr__slot_get(const struct tsr__slot *slot, const void *item)
{
  const char *at = (const char *)item + slot->member;
  int32_t i = 0;
  uint32_t u = 0;
  uint64_t w = 0;
  bool b = false;
  switch (slot->kind) {
  case TSR__INT: return memcpy(&i, at, sizeof i), (uint64_t)(int64_t)i;
  case TSR__U32: return memcpy(&u, at, sizeof u), u;
  case TSR__U64: return memcpy(&w, at, sizeof w), w;
  default: return memcpy(&b, at, sizeof b), b;
  }
}

static inline void tsr__slot_put(const struct tsr__slot *slot, void *item, uint64_t value)
{
  char *at = (char *)item + slot->member;
  uint32_t u = (uint32_t)value; /* an int32_t has the same bytes */
  bool b = value & 1;
  switch (slot->kind) {
  case TSR__INT:
  case TSR__U32: memcpy(at, &u, sizeof u); break;
  case TSR__U64: memcpy(at, &value, sizeof value); break;
  default: memcpy(at, &b, sizeof b); break;
  }
}

/* All members of a struct tsr_insn or tsr_uop from its word. False where a value is out of its range, or
 * a bit is set that no slot of the format covers. */
bool tsr__slots_read(int format, const uint8_t *word, void *item);

/* Refuses "WHAT: NAME is VALUE, outside of SMALLEST to LARGEST". */
enum tsr_status tsr__slot_check(struct tsr_err *err, const char *what, const struct tsr__slot *slot,
                                uint64_t value, bool is_signed);

#endif

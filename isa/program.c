/* SPDX-License-Identifier: Apache-2.0 */
/* The program file, little endian throughout:
 *
 *   0 "TSRB"   4 version   8 design hash   16 window bytes   24 instructions   32 data bytes   40 zero
 *   64 instructions, 32 bytes each   then data   then CRC-32 of all bytes before it */
#include "isa/program.h"

#include <inttypes.h>
#include <string.h>

#include "base/crc32.h"
#include "isa/isa.h"

enum { VERSION = 1, HEAD_BYTES = 64, HEAD_USED = 40, TAIL_BYTES = 4 };

static uint64_t get(const uint8_t *at, int bytes)
{
  uint64_t v = 0;
  while (bytes--)
    v = v << 8 | at[bytes];
  return v;
}

static void put(uint8_t *at, int bytes, uint64_t v)
{
  for (int i = 0; i < bytes; i++, v >>= 8)
    at[i] = (uint8_t)v;
}

static enum tsr_status check_head(struct tsr_err *err, const char *name, const uint8_t *bytes,
                                  size_t size)
{
  if (size < 4 || memcmp(bytes, "TSRB", 4))
    return tsr_refuse(err, "%s: is not a Tessera program: it does not begin with TSRB", name);
  if (size < HEAD_BYTES + TAIL_BYTES)
    return tsr_refuse(err, "%s: ends after %zu bytes, inside of its header", name, size);
  uint64_t version = get(bytes + 4, 4);
  if (version != VERSION)
    return tsr_refuse(err, "%s: has program version %" PRIu64 "; this build reads version %d", name,
                      version, VERSION);
  return TSR_OK;
}

static enum tsr_status check_counts(struct tsr_err *err, const char *name, const uint8_t *bytes,
                                    size_t size)
{
  uint64_t window = get(bytes + 16, 8), insns = get(bytes + 24, 8), data = get(bytes + 32, 8);
  if (insns > TSR__LARGEST_INSNS)
    return tsr_refuse(err, "%s: claims %" PRIu64 " instructions; the most is %d", name, insns,
                      TSR__LARGEST_INSNS);
  if (data > TSR__LARGEST_DATA)
    return tsr_refuse(err, "%s: claims %" PRIu64 " bytes of data; the most is %d", name, data,
                      TSR__LARGEST_DATA);
  if (window > TSR__LARGEST_WINDOW || window < data)
    return tsr_refuse(err,
                      "%s: claims a window of %" PRIu64 " bytes, outside of its %" PRIu64
                      " bytes of data to %" PRIu64,
                      name, window, data, TSR__LARGEST_WINDOW);
  uint64_t wanted = HEAD_BYTES + insns * TSR_INSN_BYTES + data + TAIL_BYTES;
  if (size != wanted)
    return tsr_refuse(err, "%s: has %zu bytes where its header claims %" PRIu64, name, size,
                      wanted);
  return TSR_OK;
}

enum tsr_status tsr_program_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                 const uint8_t *bytes, size_t size, struct tsr_program *out)
{
  if (check_head(err, name, bytes, size) || check_counts(err, name, bytes, size))
    return TSR_REFUSED;
  uint32_t crc = tsr_crc32(0, bytes, size - TAIL_BYTES),
           told = (uint32_t)get(bytes + size - TAIL_BYTES, 4);
  if (crc != told)
    return tsr_refuse(err, "%s: is damaged: its CRC-32 is 0x%08x and it says 0x%08x", name, crc,
                      told);
  for (int i = HEAD_USED; i < HEAD_BYTES; i++)
    if (bytes[i])
      return tsr_refuse(err, "%s: byte %d of its header is reserved and not zero", name, i);
  size_t insns = (size_t)get(bytes + 24, 8), data = (size_t)get(bytes + 32, 8);
  *out = (struct tsr_program){
      .insns = tsr_arena_copy(arena, bytes + HEAD_BYTES, insns * TSR_INSN_BYTES),
      .insn_count = insns,
      .data = tsr_arena_copy(arena, bytes + HEAD_BYTES + insns * TSR_INSN_BYTES, data),
      .data_bytes = data,
      .window_bytes = (size_t)get(bytes + 16, 8),
      .design_hash = get(bytes + 8, 8),
  };
  return TSR_OK;
}

void tsr_program_write(struct tsr_arena *arena, const struct tsr_program *program, uint8_t **bytes,
                       size_t *size)
{
  size_t insns = program->insn_count * TSR_INSN_BYTES;
  size_t total = HEAD_BYTES + insns + program->data_bytes + TAIL_BYTES;
  uint8_t *out = tsr_arena_alloc(arena, total);
  memcpy(out, "TSRB", 4);
  put(out + 4, 4, VERSION);
  put(out + 8, 8, program->design_hash);
  put(out + 16, 8, program->window_bytes);
  put(out + 24, 8, program->insn_count);
  put(out + 32, 8, program->data_bytes);
  if (insns)
    memcpy(out + HEAD_BYTES, program->insns, insns);
  if (program->data_bytes)
    memcpy(out + HEAD_BYTES + insns, program->data, program->data_bytes);
  put(out + total - TAIL_BYTES, 4, tsr_crc32(0, out, total - TAIL_BYTES));
  *bytes = out;
  *size = total;
}

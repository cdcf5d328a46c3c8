/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian throughout:
 *
 *   0   8  magic "\x89TSR\r\n\x1a\n"      (a transfer as text, or of 7 bits, breaks it)
 *   8   4  version          12  4  number of sections
 *   16  8  size of the file 24  8  hash of the design point
 *   32  32 a section: 8 tag, 8 offset, 8 size, 4 CRC-32 of its bytes, 4 zero
 *   ..  4  CRC-32 of everything before
 *
 * Sections follow in the order of sections.def, each at the next multiple of 64, zeros between
 * them. */
#include "runtime/container.h"

#include <inttypes.h>
#include <string.h>

#include "base/crc32.h"

enum { MAGIC_BYTES = 8, HEAD_BYTES = 32, ROW_BYTES = 32, TAG_BYTES = 8, SECTION_ALIGNMENT = 64,
       TABLE_END = HEAD_BYTES + TSR__SECTIONS * ROW_BYTES };

static const char magic[MAGIC_BYTES] = {'\x89', 'T', 'S', 'R', '\r', '\n', '\x1a', '\n'};

#define TSR_SECTION(name, tag, meaning) tag,
static const char *const tags[] = {
#include "runtime/sections.def"
};
#undef TSR_SECTION

#define TSR_SECTION(name, tag, meaning) meaning,
static const char *const meanings[] = {
#include "runtime/sections.def"
};
#undef TSR_SECTION

#define TSR_SECTION(name, tag, meaning)                                                            \
  _Static_assert(sizeof tag - 1 <= TAG_BYTES, "a tag has its place in the table");
#include "runtime/sections.def"
#undef TSR_SECTION

const char *tsr__section_name(int section)
{
  return tags[section];
}

const char *tsr__section_meaning(int section)
{
  return meanings[section];
}

static void put(uint8_t *p, uint64_t v, int bytes)
{
  for (int i = 0; i < bytes; i++)
    p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get(const uint8_t *p, int bytes)
{
  uint64_t v = 0;
  for (int i = 0; i < bytes; i++)
    v |= (uint64_t)p[i] << 8 * i;
  return v;
}

static uint64_t align(uint64_t offset)
{
  return (offset + SECTION_ALIGNMENT - 1) / SECTION_ALIGNMENT * SECTION_ALIGNMENT;
}

bool tsr__container_is(const uint8_t *bytes, size_t size)
{
  return size >= 4 && !memcmp(bytes, magic, 4);
}

struct tsr_bytes tsr__container_write(struct tsr_arena *arena, const struct tsr__container *c)
{
  uint64_t end = TABLE_END + 4;
  for (int i = 0; i < TSR__SECTIONS; i++)
    end = align(end) + c->section[i].size;
  uint8_t *file = tsr_arena_alloc(arena, end + 1);
  memcpy(file, magic, MAGIC_BYTES);
  put(file + 8, TSR__PACKAGE_VERSION, 4);
  put(file + 12, TSR__SECTIONS, 4);
  put(file + 16, end, 8);
  put(file + 24, c->design_hash, 8);
  uint64_t at = TABLE_END + 4;
  for (int i = 0; i < TSR__SECTIONS; i++) {
    const struct tsr_bytes *s = &c->section[i];
    uint8_t *row = file + HEAD_BYTES + i * ROW_BYTES;
    at = align(at);
    memcpy(row, tags[i], strlen(tags[i]));
    put(row + 8, at, 8);
    put(row + 16, s->size, 8);
    put(row + 24, tsr_crc32(0, s->data, s->size), 4);
    if (s->size)
      memcpy(file + at, s->data, s->size);
    at += s->size;
  }
  put(file + TABLE_END, tsr_crc32(0, file, TABLE_END), 4);
  return (struct tsr_bytes){file, end};
}

static enum tsr_status check_head(struct tsr_err *err, const char *name, const uint8_t *bytes,
                                  size_t size)
{
  if (size < TABLE_END + 4 && tsr__container_is(bytes, size))
    return tsr_refuse(err, "%s: the package is cut off after %zu bytes, inside of its header", name,
                      size);
  if (size < TABLE_END + 4 || memcmp(bytes, magic, MAGIC_BYTES))
    return tsr_refuse(err, "%s: is no package", name);
  uint64_t version = get(bytes + 8, 4);
  if (version != TSR__PACKAGE_VERSION)
    return tsr_refuse(err,
                      "%s: the package has format version %" PRIu64 "; this command reads version "
                      "%d",
                      name, version, TSR__PACKAGE_VERSION);
  if (get(bytes + TABLE_END, 4) != tsr_crc32(0, bytes, TABLE_END))
    return tsr_refuse(err,
                      "%s: the package is damaged: its header does not have the checksum that it "
                      "was written with",
                      name);
  uint64_t whole = get(bytes + 16, 8);
  if (whole > size)
    return tsr_refuse(err, "%s: the package is cut off: %zu of its %" PRIu64 " bytes are there",
                      name, size, whole);
  if (whole < size)
    return tsr_refuse(err, "%s: the package has %" PRIu64 " bytes, and %" PRIu64 " more follow",
                      name, whole, size - whole);
  return TSR_OK;
}

static enum tsr_status check_gap(struct tsr_err *err, const char *name, const uint8_t *bytes,
                                 uint64_t from, uint64_t to)
{
  for (uint64_t i = from; i < to; i++)
    if (bytes[i])
      return tsr_refuse(err,
                        "%s: the package is damaged: byte %" PRIu64 ", between two sections, is "
                        "not zero",
                        name, i);
  return TSR_OK;
}

static enum tsr_status read_section(struct tsr_err *err, const char *name, const uint8_t *bytes,
                                    uint64_t file_bytes, int i, uint64_t *at,
                                    struct tsr__container *out)
{
  const uint8_t *row = bytes + HEAD_BYTES + i * ROW_BYTES;
  char tag[TAG_BYTES] = {0};
  memcpy(tag, tags[i], strlen(tags[i]));
  uint64_t offset = get(row + 8, 8), size = get(row + 16, 8);
  if (memcmp(row, tag, TAG_BYTES) || offset != align(*at) || offset > file_bytes ||
      size > file_bytes - offset || get(row + 28, 4))
    return tsr_refuse(err, "%s: the package's table of sections is inconsistent at '%s'", name,
                      tags[i]);
  if (check_gap(err, name, bytes, *at, offset))
    return TSR_REFUSED;
  if (get(row + 24, 4) != tsr_crc32(0, bytes + offset, size))
    return tsr_refuse(err,
                      "%s: the package is damaged: section '%s' does not have the checksum that "
                      "it was written with",
                      name, tags[i]);
  out->section[i] = (struct tsr_bytes){(uint8_t *)(uintptr_t)(bytes + offset), size};
  out->offset[i] = offset;
  *at = offset + size;
  return TSR_OK;
}

enum tsr_status tsr__container_read(struct tsr_err *err, const char *name, const uint8_t *bytes,
                                    size_t size, struct tsr__container *out)
{
  struct tsr__container c = {0};
  if (check_head(err, name, bytes, size))
    return TSR_REFUSED;
  uint64_t sections = get(bytes + 12, 4), at = TABLE_END + 4;
  if (sections != TSR__SECTIONS)
    return tsr_refuse(err, "%s: the package has %" PRIu64 " sections; version %d has %d", name,
                      sections, TSR__PACKAGE_VERSION, TSR__SECTIONS);
  c.design_hash = get(bytes + 24, 8);
  for (int i = 0; i < TSR__SECTIONS; i++)
    if (read_section(err, name, bytes, size, i, &at, &c))
      return TSR_REFUSED;
  if (at != size)
    return tsr_refuse(err, "%s: the package's table of sections is inconsistent at its end", name);
  *out = c;
  return TSR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/rtl/fst.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { HEADER = 0, PLACES = 3, NAMES = 4, NAMES_LZ4 = 6, NAMES_LZ4_TWICE = 7 };

static uint64_t length_of(const unsigned char block[static 9])
{
  uint64_t length = 0;
  for (int i = 1; i < 9; i++)
    length = length << 8 | block[i];
  return length;
}

static bool is_whole(FILE *f, uint64_t size)
{
  bool places = false, names = false;
  uint64_t at = 0;
  while (at < size) {
    unsigned char block[9];
    if (fseeko(f, (off_t)at, SEEK_SET) || fread(block, sizeof block, 1, f) != 1)
      return false;
    uint64_t length = length_of(block);
    if ((block[0] == HEADER) != (at == 0) || length < 8 || length > size - at - 1)
      return false;
    places = places || block[0] == PLACES;
    names = names || block[0] == NAMES || block[0] == NAMES_LZ4 || block[0] == NAMES_LZ4_TWICE;
    at += 1 + length;
  }
  return places && names;
}

enum tsr_status tsr_fst_check(struct tsr_err *err, const char *path)
{
  struct stat st;
  FILE *f = fopen(path, "rb");
  if (!f)
    return tsr_refuse(err, "%s: cannot be read again: %s", path, strerror(errno));
  bool whole = fstat(fileno(f), &st) == 0 && is_whole(f, (uint64_t)st.st_size);
  fclose(f);
  return whole ? TSR_OK
               : tsr_refuse(err, "%s: the waveform was not written to its end; is the disk full?",
                            path);
}

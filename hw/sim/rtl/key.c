/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/rtl/key.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LONGEST_LINE = 16384 };

uint64_t tsr__key_start(void)
{
  return UINT64_C(0xcbf29ce484222325);
}

uint64_t tsr__key_text(uint64_t key, const char *text)
{
  size_t n = strlen(text) + 1;
  for (size_t i = 0; i < n; i++)
    key = (key ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
  return key;
}

static uint64_t add_file(uint64_t key, const char *path)
{
  char real[PATH_MAX], text[PATH_MAX + 80];
  struct stat st;
  if (!realpath(path, real) || stat(real, &st) < 0)
    return key;
  snprintf(text, sizeof text, "%s %lld %lld.%09ld", real, (long long)st.st_size,
           (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  return tsr__key_text(key, text);
}

uint64_t tsr__key_tool(uint64_t key, const char *path)
{
  char beside[PATH_MAX];
  int n = snprintf(beside, sizeof beside, "%s_bin", path);
  key = add_file(key, path);
  return n < (int)sizeof beside ? add_file(key, beside) : key;
}

uint64_t tsr__key_processor(uint64_t key)
{
  char line[LONGEST_LINE];
  FILE *f = fopen("/proc/cpuinfo", "r");
  bool found = false;
  while (f && !found && fgets(line, sizeof line, f))
    found = !strncmp(line, "flags", 5) || !strncmp(line, "Features", 8);
  if (f)
    fclose(f);
  return tsr__key_text(key, found ? line : "");
}

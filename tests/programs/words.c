/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/programs/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configs/design.h"

bool words_number(const char *text, uint64_t *out)
{
  errno = 0;
  *out = strtoull(text, NULL, 10);
  return !errno && *text && !text[strspn(text, "0123456789")];
}

bool words_point(const char *name)
{
  for (const char *const *at = tsr_design_names(); *at; at++)
    if (strcmp(*at, name) == 0)
      return true;
  return false;
}

int words_usage(int argc, char **argv, const char *usage)
{
  bool help = argc == 2 && !strcmp(argv[1], "--help");
  fputs(usage, help ? stdout : stderr);
  return help ? 0 : 2;
}

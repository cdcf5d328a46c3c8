/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rtl/main.h"

#include <stdio.h>
#include <stdlib.h>

struct rig rig;
uint64_t amount;

bool begin(int argc, char **argv)
{
  if (!rig_possible())
    return false;
  rig_open(&rig, argc > 1 ? argv[1] : "default");
  amount = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
  return true;
}

int end(int failed)
{
  rig_close(&rig);
  return failed;
}

void expect(enum outcome outcome, const char *format, ...)
{
  char text[300];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (outcome != AS_EXPECTED)
    fail_msg("%s, %s: %s: %s", rig.design.name, text, outcome_text(outcome), rig.text);
}

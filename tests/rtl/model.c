/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the model of a design point, if need be, so that tests which run at the same time find
 * it. */
#include "tests/rtl/main.h"

int main(int argc, char **argv)
{
  if (!begin(argc, argv))
    return SKIPPED;
  rig_machine(&rig, 0);
  return end(0);
}

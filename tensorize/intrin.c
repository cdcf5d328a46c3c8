/* SPDX-License-Identifier: Apache-2.0 */
#include "tensorize/intrin.h"

#include <assert.h>

struct tsr_intrin_set *tsr__intrin_set(struct tsr_arena *a, int most)
{
  struct tsr_intrin_set *set = TSR_NEW(a, struct tsr_intrin_set);
  set->intrin = TSR_NEW_ARRAY(a, const struct tir_intrin *, most);
  return set;
}

struct tir_intrin *tsr__intrin_add(struct tsr_arena *a, struct tsr_intrin_set *set,
                                   const char *name, const char *text, bool accumulates)
{
  struct tir_intrin *intrin = TSR_NEW(a, struct tir_intrin);
  struct tir_func *f = NULL;
  struct tsr_err err;
  enum tsr_status status = tir_func_parse(a, &err, name, text, &f);
  assert(!status);
  (void)status;
  *intrin = (struct tir_intrin){.name = name, .func = f, .accumulates = accumulates};
  set->intrin[set->count++] = intrin;
  return intrin;
}

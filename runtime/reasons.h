/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a layer from its bound, in sentences with numbers, from its part of a profile. */
#ifndef TSR_RUNTIME_REASONS_H
#define TSR_RUNTIME_REASONS_H

#include "base/arena.h"
#include "runtime/tessera.h"

/* e has all but the reasons, of which it gets at least one. */
void tsr__give_reasons(struct tsr_arena *arena, const struct tessera_profile_layer *layer,
                       struct tessera_explanation *e);

#endif

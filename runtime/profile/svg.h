/* SPDX-License-Identifier: Apache-2.0 */
/* The drawings of a profile's page, as inline SVG. Colours are classes of the page: s0, s1, ... of
 * the shares. */
#ifndef TSR_RUNTIME_PROFILE_SVG_H
#define TSR_RUNTIME_PROFILE_SVG_H

#include "base/arena.h"
#include "runtime/tessera.h"

/* One bar: all cycles by share. */
void tsr__svg_stack(struct tsr_text *to, const struct tessera_profile *p);
/* A bar a layer, as long as its cycles. */
void tsr__svg_layers(struct tsr_text *to, const struct tessera_profile *p);
/* A point a layer: MACs a cycle over MACs a byte, below the roof. */
void tsr__svg_roofline(struct tsr_text *to, const struct tessera_profile *p);

#endif

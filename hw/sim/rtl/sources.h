/* SPDX-License-Identifier: Apache-2.0 */
/* What a model is built of, compiled in, so that an installed command needs no source tree: hw/rtl,
 * the header of the instruction set, and the C++ of this folder. */
#ifndef TSR_HW_SIM_RTL_SOURCES_H
#define TSR_HW_SIM_RTL_SOURCES_H

struct tsr__rtl_source {
  const char *name; /* "hw/rtl/tessera.v" */
  const char *text;
};

extern const struct tsr__rtl_source tsr__rtl_sources[]; /* ends with a NULL name */

#endif

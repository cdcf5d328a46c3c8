/* SPDX-License-Identifier: Apache-2.0 */
/* Verilog and C++ to a shared object, by Verilator and g++. */
#ifndef TSR_HW_SIM_RTL_BUILD_H
#define TSR_HW_SIM_RTL_BUILD_H

#include "hw/sim/rtl/model.h"

/* All that a build needs, with the memory that it needs: tsr__build_run() leaves the arena alone. */
struct tsr__build {
  const struct tsr_design *design;
  const char *design_header;        /* text of tsr_design.vh */
  const char *design_macros;        /* the same for C++ */
  const char *verilator, *compiler; /* paths */
  bool wave;
  uint64_t key; /* of everything above, the sources, this machine's processor, and the options */
};

/* Refuses when a tool is missing. */
enum tsr_status tsr__build_plan(struct tsr_arena *arena, struct tsr_err *err,
                                const struct tsr__rtl_wish *wish, struct tsr__build *out);
/* Builds in an empty folder: FOLDER/model.so. What the tools print goes to `log`; when one of them
 * fails its first error is in the sentence. */
enum tsr_status tsr__build_run(struct tsr_err *err, const struct tsr__build *build,
                               const char *folder, const char *log);

#endif

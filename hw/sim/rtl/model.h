/* SPDX-License-Identifier: Apache-2.0 */
/* A Verilator model of a design point: built on first use, loaded, called through four
 * functions. */
#ifndef TSR_HW_SIM_RTL_MODEL_H
#define TSR_HW_SIM_RTL_MODEL_H

#include <stdbool.h>

#include "configs/design.h"
#include "hw/sim/rtl/pins.h"

struct tsr__rtl_model {
  void *library; /* of dlopen() */
  tsr__rtl_new *make;
  tsr__rtl_free *free;
  tsr__rtl_cycle *cycle;
  tsr__rtl_peek *peek;
};

/* What to build, and whom to tell. */
struct tsr__rtl_wish {
  const struct tsr_design *design;
  bool wave;         /* one that can write a waveform */
  const char *cache; /* NULL: the user's */
  void (*say)(void *context, const char *line);
  void *context;
};

/* Allocates from the arena for the time of the call only. */
enum tsr_status tsr__rtl_model_open(struct tsr_arena *arena, struct tsr_err *err,
                                    const struct tsr__rtl_wish *wish, struct tsr__rtl_model *out);
/* The model in a file. */
enum tsr_status tsr__rtl_model_load(struct tsr_err *err, const char *path,
                                    struct tsr__rtl_model *out);
void tsr__rtl_model_close(struct tsr__rtl_model *model);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The design point: one JSON file, read at run time by compiler, simulators and RTL build alike.
 *
 * Natural units, never log2. The schema is keys.def plus the `memory` section; unknown, missing,
 * repeated or out-of-range keys are refused with the line and the nearest valid name. */
#ifndef TSR_CONFIGS_DESIGN_H
#define TSR_CONFIGS_DESIGN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "configs/ddr.h"
#include "isa/isa.h"

/* DRAM behind the AXI port, for the timing models; it changes no result and is not part of the hash.
 * JSON: "memory": {"model": "ideal"}, {"model": "simple", "latency_cycles": 40, "bytes_per_cycle": 8}
 * or {"model": "ddr", "set": "ddr3-1066", "latency_cycles": 12} and keys of ddr.def; the latter two
 * with "reads" and "writes" where bursts in flight are limited. */
enum tsr_memory_model { TSR_MEMORY_IDEAL, TSR_MEMORY_SIMPLE, TSR_MEMORY_DDR };
extern const char *const tsr_memory_model_names[];

struct tsr_design {
  char name[64]; /* the standing point's name or the file's name without folder and .json */
#define TSR_KEY(key, smallest, largest, unit, meaning) int key;
#include "configs/keys.def"
#undef TSR_KEY
  struct {
    enum tsr_memory_model model;
    int latency_cycles;  /* of `simple` and `ddr`; 0 otherwise */
    int bytes_per_cycle; /* of `simple`; 0 otherwise */
    int reads, writes;   /* bursts in flight at most; 0: no limit */
    struct tsr_ddr ddr;  /* of `ddr`; 0 otherwise */
  } memory;
  uint64_t hash; /* FNV-1a over "key=value\n" of keys.def in its order, except clock_mhz */
};

/* Reads JSON text. name is for messages ("FILE:LINE: ..."). */
enum tsr_status tsr_design_parse(struct tsr_err *err, const char *name, const char *text,
                                 struct tsr_design *out);

/* A standing point's name (default, tiny, ecp5, wide, batch2) or a path. Standing points are compiled
 * in from configs/NAME.json, so that the command works from any directory. */
enum tsr_status tsr_design_open(struct tsr_arena *arena, struct tsr_err *err, const char *name_or_path,
                                struct tsr_design *out);

/* Names of the standing points, NULL-terminated, and the JSON text of one. */
const char *const *tsr_design_names(void);
const char *tsr_design_json(const char *name);

/* VTA's vta_config.json (logarithmic sizes; TARGET, HW_VER are read and dropped) as our JSON text. */
enum tsr_status tsr_design_import_vta(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                      const char *text, char **json);

/* First key in which two points differ: "wgt_bytes is 262144 here and 65536 there"; NULL if none. */
const char *tsr_design_difference(struct tsr_arena *arena, const struct tsr_design *here,
                                  const struct tsr_design *there);

/* Geometry. A vector is batch*block_out elements. */
static inline int tsr_design_lanes(const struct tsr_design *d)
{
  return d->batch * d->block_out;
}

/* Bytes of one entry of a buffer as it lies in DRAM (ACC8: int8). */
static inline int tsr_design_dram_entry(const struct tsr_design *d, int buffer)
{
  switch (buffer) {
  case TSR_BUFFER_UOP: return TSR_UOP_BYTES;
  case TSR_BUFFER_WGT: return d->block_in * d->block_out;
  case TSR_BUFFER_ACC: return 4 * d->batch * d->block_out;
  case TSR_BUFFER_LUT: return TSR_LUT_BYTES;
  default: return d->batch * d->block_out; /* INP, ACC8, OUT */
  }
}

/* Entries of a scratchpad; at most 65536. ACC8 is ACC. */
static inline int tsr_design_depth(const struct tsr_design *d, int buffer)
{
  switch (buffer) {
  case TSR_BUFFER_UOP: return d->uop_bytes / TSR_UOP_BYTES;
  case TSR_BUFFER_INP: return d->inp_bytes / (d->batch * d->block_in);
  case TSR_BUFFER_WGT: return d->wgt_bytes / (d->block_in * d->block_out);
  case TSR_BUFFER_OUT: return d->out_bytes / (d->batch * d->block_out);
  case TSR_BUFFER_LUT: return d->lut_bytes / TSR_LUT_BYTES;
  default: return d->acc_bytes / (4 * d->batch * d->block_out);
  }
}

static inline int tsr_design_beat(const struct tsr_design *d) /* bytes of an AXI beat */
{
  return d->axi_data_bits / 8;
}

#endif

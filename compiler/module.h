/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler makes of a graph: buffers, steps, one instruction stream a partition, and a layer
 * table for people. runtime/ writes it to a package and runs it; this header is all they share. */
#ifndef TSR_COMPILER_MODULE_H
#define TSR_COMPILER_MODULE_H

#include "base/file.h"
#include "base/tensor.h"
#include "compiler/tir/tir.h"
#include "configs/design.h"

/* One tensor of the network. On the device it lies in the DMA window at `offset`, elsewhere in host
 * memory. A constant has data (device constants: inside the module's image at offset). */
struct tsr_module_buffer {
  const char *name;
  enum tsr_dtype dtype;
  int rank;
  int64_t dims[TSR_MAX_RANK];
  bool on_device;
  uint64_t offset;  /* in the window, when on_device */
  const void *data; /* host constants; else NULL */
};

enum tsr_step_kind { TSR_STEP_CPU, TSR_STEP_ACCEL };

struct tsr_module_step {
  enum tsr_step_kind kind;
  int layer;                    /* CPU: its layer */
  size_t first_insn, insns;     /* ACCEL: a stream that ends in FINISH */
};

/* One op of the network as it was compiled, or several that are computed together. */
struct tsr_module_layer {
  const char *name;   /* the first node's */
  const char *op;     /* "QConv", "Conv+Relu" */
  const char *nodes;  /* of several: their names, "conv1, relu1"; else NULL */
  const char *target; /* "accel" or "cpu" */
  const char *reason; /* cpu: why not on the accelerator, a sentence; accel: NULL */
  const struct tir_func *func; /* its compute, unscheduled: what runs on the CPU, and what --check runs */
  int args;           /* func->params: indices of buffers, inputs then outputs; a buffer may have other dims
                         than the parameter, but as many elements of the same dtype */
  int *arg;
  int step;
  uint64_t macs;
  size_t first_insn, insns;                    /* accel: its part of the stream */
  uint64_t dram_read_bytes, dram_write_bytes;  /* accel: moved by its instructions, exact */
  uint64_t found_cycles; /* accel: as its schedule was measured, behind itself; 0: it was not */
  uint64_t least_cycles; /* accel: of the engine that computes, whatever the schedule, */
  uint64_t least_read_bytes, least_write_bytes; /* and bytes, each moved once */
  const char *schedule; /* accel: the schedule's text; else NULL */
};

struct tsr_module {
  const char *name;
  struct tsr_design design;
  int buffers, inputs, outputs, steps, layers;
  struct tsr_module_buffer *buffer;
  int *input, *output; /* indices of buffers, in the model's order; never on the device */
  struct tsr_module_step *step; /* in order of execution */
  struct tsr_module_layer *layer;
  uint8_t *insns;      /* all streams, TSR_INSN_BYTES each */
  size_t insn_count;
  uint8_t *image;      /* first image_bytes of the window: micro-ops, weights, parameters, tables */
  size_t image_bytes;
  size_t window_bytes; /* image, then activations */
  struct tsr_bytes code; /* of the CPU's layers, as native/code.h has it; size 0: none */
};

#endif

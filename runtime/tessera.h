/* SPDX-License-Identifier: Apache-2.0 */
/* Tessera's public interface: networks compiled for the accelerator, packages of them, and runs.
 *
 *   struct tessera *t = tessera_new(NULL);
 *   struct tessera_model *model;
 *   struct tessera_session *session;
 *   if (tessera_model_open(t, "digits.onnx", NULL, &model) ||
 *       tessera_session_open(t, model, NULL, &session))
 *     puts(tessera_message(t));
 *   tessera_session_set_input(t, session, 0, &image);
 *   tessera_session_run(t, session);
 *   tessera_session_output(t, session, 0, &scores);
 *
 * Everything that the command `tessera` does is a call of this file. Nothing here prints, exits or
 * keeps state outside of the objects that it hands out. Environment variables say where programs
 * and the caches are, and nothing else.
 *
 * Objects and lifetime. A `struct tessera` holds the allocator and the last message; a call that
 * takes one belongs to one thread at a time, so have one a thread. A model does not change after it
 * was opened and may be used by many threads at once, each with sessions of its own; it must
 * outlive them. What a call hands out is freed by the call named beside it; strings and arrays that
 * are reached through an object live as long as the object. On an error nothing is handed out.
 *
 * Tensors are dense, row-major and little endian. Sizes are bytes unless their name says otherwise.
 */
#ifndef TESSERA_H
#define TESSERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TESSERA_VERSION "0.1.0"

/* What a call returns, and the exit status of the command. */
enum tessera_status {
  TESSERA_OK = 0,
  TESSERA_MISMATCH = 1,  /* ran, but a result is wrong or a check failed */
  TESSERA_REFUSED = 2,   /* bad input or usage; the message says what, where, and what would work */
  TESSERA_NO_MEMORY = 3, /* an allocation failed; the command's exit status is 2 */
};

enum tessera_dtype {
  TESSERA_BOOL, TESSERA_I8, TESSERA_U8, TESSERA_I16, TESSERA_U16, TESSERA_I32, TESSERA_U32,
  TESSERA_I64, TESSERA_U64,
  TESSERA_F16, TESSERA_BF16, TESSERA_F32, TESSERA_F64, /* floats are the last ones */
};

enum { TESSERA_MAX_RANK = 8 };

/* Where memory comes from. resize(context, NULL, n) allocates, resize(context, p, 0) frees and
 * returns NULL, otherwise as realloc; NULL means "no". */
struct tessera_allocator {
  void *(*resize)(void *context, void *old, size_t size);
  void *context;
};

struct tessera;
struct tessera_model;
struct tessera_session;
struct tessera_config;
struct tessera_findings;

/* NULL allocator: the C library's. The allocator is copied; its context outlives every object.
 * NULL: out of memory. Free it after every object that it made. */
struct tessera *tessera_new(const struct tessera_allocator *allocator);
void tessera_free(struct tessera *t);
/* One sentence about the last call that did not return TESSERA_OK. Never NULL. */
const char *tessera_message(const struct tessera *t);
const char *tessera_version(void);
/* The name among names[0..count) nearest to `given`, or NULL where none is near. */
const char *tessera_nearest(const char *given, const char *const *names, int count);

/* --- bytes and files -------------------------------------------------------------------------- */

/* Bytes that a call made; text has a terminating 0 behind its `size`. Freed by
 * tessera_bytes_free(). */
struct tessera_bytes {
  const unsigned char *data;
  size_t size;
  void *owner;
};

void tessera_bytes_free(struct tessera_bytes *bytes); /* of {0} is allowed */

/* A regular file of at most `limit` bytes. */
enum tessera_status tessera_file_read(struct tessera *t, const char *path, size_t limit,
                                      struct tessera_bytes *out);
/* Writes beside the path and renames: the path holds all or nothing of the new content. */
enum tessera_status tessera_file_write(struct tessera *t, const char *path, const void *data,
                                       size_t size);
/* Could tessera_file_write() write here now? Leaves nothing behind. */
enum tessera_status tessera_file_writable(struct tessera *t, const char *path);

/* --- tensors ---------------------------------------------------------------------------------- */

struct tessera_tensor {
  enum tessera_dtype dtype;
  int rank;
  int64_t dims[TESSERA_MAX_RANK];
  void *data;
  void *owner; /* set by calls that make tensors; NULL in your own */
};

/* A tensor's name, type and shape: an input or an output of a model. */
struct tessera_port {
  const char *name;
  enum tessera_dtype dtype;
  int rank;
  int64_t dims[TESSERA_MAX_RANK];
};

const char *tessera_dtype_name(enum tessera_dtype dtype);  /* "i8" */
size_t tessera_dtype_bytes(enum tessera_dtype dtype);
int64_t tessera_tensor_count(const struct tessera_tensor *tensor); /* elements */
size_t tessera_tensor_bytes(const struct tessera_tensor *tensor);
double tessera_tensor_value(const struct tessera_tensor *tensor,
                            int64_t i); /* element i as a number */
void tessera_tensor_free(struct tessera_tensor *tensor);

/* Reads .npy, .pb (ONNX TensorProto), else raw bytes, which take type and shape of `like` (raw is
 * refused where it is NULL). A raw file may hold a whole number of tensors: dims[0] grows. */
enum tessera_status tessera_tensor_read(struct tessera *t, const char *path,
                                        const struct tessera_port *like,
                                        struct tessera_tensor *out);
/* The form is the path's: .npy, .pb, else raw. */
enum tessera_status tessera_tensor_write(struct tessera *t, const char *path,
                                         const struct tessera_tensor *tensor);
/* Memory for a tensor of `count` ports on top of each other along dim 0, filled with zeros. */
enum tessera_status tessera_tensor_stack(struct tessera *t, const struct tessera_port *port,
                                         int64_t count, struct tessera_tensor *out);
/* Fills with whole numbers from `seed`, the same on every machine: integers over their whole range
 * (at most 16 bits of it), floats in [-1, 1). */
void tessera_tensor_random(struct tessera_tensor *tensor, uint64_t seed);

/* How two tensors of one shape differ, element by element, as numbers. */
struct tessera_comparison {
  double largest;       /* |found - expected|; infinity where one of them is no number */
  int64_t element;      /* where it is largest; -1: equal everywhere */
  double expected, found; /* there */
  int64_t rows,
      agreeing; /* rows along dim 0, and those whose largest element is at the same place */
};
enum tessera_status tessera_compare(struct tessera *t, const struct tessera_tensor *expected,
                                    const struct tessera_tensor *found,
                                    struct tessera_comparison *out);

/* --- models ----------------------------------------------------------------------------------- */

/* How long the compiler looks for a schedule of each op. What it finds does not depend on the machine,
 * on the time or on what was found before. */
enum tessera_effort {
  TESSERA_EFFORT_DEFAULT, /* SOME */
  TESSERA_EFFORT_NONE,    /* the best by estimate; nothing is measured */
  TESSERA_EFFORT_SOME,    /* seconds for a network */
  TESSERA_EFFORT_MORE,
  TESSERA_EFFORT_ALL, /* all that could be better than the best found: minutes for a layer */
};

struct tessera_codegen;

struct tessera_options {
  /* "accel", "accel:DEVICE", "cpu", "cpu:LEVEL" with a level of tessera_cpu_level(),
   * "cpu:interpreter", "cuda", "cuda:N", the driver's GPU N counted from 0, or "cuda:ARCH" with an
   * architecture that there are kernels for, such as "cuda:sm_90a"; NULL: "accel". With "cpu" and
   * "cuda" nothing runs on the accelerator, also not of a package that was compiled for it */
  const char *target;
  /* A standing design point's name or a file; NULL: "default", or the package's own. A package is refused at
   * points that differ in more than clock and memory. */
  const char *config;
  /* What an ONNX model's floats are computed in: "f32", "f16", "bf16" (docs/graph-ir.md), or "tf32", which is f32
   * whose matrix products a GPU may round to 11 bits first; NULL: as the model has them. Inputs and outputs
   * keep their types. A package keeps what it has. */
  const char *float_type;
  const char *const *dims; /* symbolic dims of an ONNX model, "NAME=VALUE" each */
  int dim_count;
  enum tessera_effort effort;
  const char *tune_cache; /* file that keeps what was found; "": none; NULL: tune.sqlite in the folder
                             $XDG_CACHE_HOME/tessera or else ~/.cache/tessera, where that can be */
  bool apart; /* every op is a layer of its own: nothing stays on the chip from one to the next */
  /* What makes machine code for layers on the CPU, from tessera_cpu.h; NULL: there is none, and the
   * tensor-IR interpreter runs them. A package brings its own. */
  const struct tessera_codegen *codegen;
  /* What makes kernels for layers on a GPU, from tessera_cuda.h; NULL: there are none. */
  const struct tessera_codegen *cuda_codegen;
  /* Code that can go to other machines, as for a package: of every level, and for target "cuda" kernels
   * for "sm_80" and "sm_90a"; else for this CPU and this GPU alone. */
  bool portable;
  /* NULL; else "cpu", "cuda" or "cuda:ARCH": the model can run there, too, on all of its layers. */
  const char *also;
  /* NULL, or the text of a schedule (docs/tensor-ir.md) that the layer of that name gets instead of one
   * that is looked for: a line each, but for empty ones and comments, which begin with '#'. What is not
   * legal, or nothing that the accelerator can do, is refused. A package keeps the schedules it has. */
  const char *layer, *schedule;
  /* Called with the text of each stage as it comes to be: stage is "graph", "tir", "schedule",
   * "llvm" or "stream", name the pass (graph), the layer, or LAYER@LEVEL of machine code. A package
   * has no graph and no llvm. */
  void (*dump)(void *context, const char *stage, const char *name, const char *text);
  void *context;
};

/* Compiles an ONNX model, or loads a package, whichever the bytes are. tessera_model_open: the file is mapped
 * until the model is freed, and must not be written to in this time; tessera_file_write() replaces one.
 * tessera_model_load: `name` is for messages; external data of an ONNX model is refused; the bytes may go
 * afterwards. options may be NULL. */
enum tessera_status tessera_model_open(struct tessera *t, const char *path,
                                       const struct tessera_options *options,
                                       struct tessera_model **out);
enum tessera_status tessera_model_load(struct tessera *t, const char *name, const void *bytes,
                                       size_t size, const struct tessera_options *options,
                                       struct tessera_model **out);
void tessera_model_free(struct tessera_model *model);

/* The model as the bytes of a package file (.tsr). */
enum tessera_status tessera_model_package(struct tessera *t, const struct tessera_model *model,
                                          struct tessera_bytes *out);

/* The PTX text of the model's GPU kernels, of which there are those for one architecture; refused where
 * there are none, or several: target "cuda:ARCH" makes one. */
enum tessera_status tessera_model_ptx(struct tessera *t, const struct tessera_model *model,
                                      struct tessera_bytes *out);

struct tessera_model_info {
  const char *name, *config; /* config: the design point's name */
  uint64_t design_hash;
  int inputs, outputs, layers, streams;
  int clock_mhz; /* of the design point */
  size_t instructions, window_bytes, image_bytes;
  size_t host_bytes;          /* of the memory that a session's tensors on the CPU share, constants left out; */
  size_t host_separate_bytes; /* and if each had its own */
  bool packaged; /* came from a package */
};
void tessera_model_info(const struct tessera_model *model, struct tessera_model_info *out);
void tessera_model_input(const struct tessera_model *model, int k, struct tessera_port *out);
void tessera_model_output(const struct tessera_model *model, int k, struct tessera_port *out);
/* The step between neighbouring values of output k, where it comes of a dequantization by one
 * scale; otherwise 0. */
double tessera_model_output_step(const struct tessera_model *model, int k);

/* One op as it was compiled. */
struct tessera_layer {
  const char *name, *op; /* the node's name; "QConv". Of nodes computed together the first one's name, and
                            "Conv+Relu" */
  const char *nodes;     /* of several: all names, "conv1, relu1"; else NULL */
  const char *target;    /* "accel" or "cpu" */
  const char *reason;    /* cpu: why not on the accelerator; accel: NULL */
  const char *schedule;  /* accel: the schedule's text; else NULL */
  int rank;              /* of its first output */
  int64_t dims[TESSERA_MAX_RANK];
  uint64_t macs;                              /* multiply-accumulates of the op itself */
  uint64_t instructions;                      /* 0 on the CPU */
  uint64_t dram_read_bytes, dram_write_bytes; /* moved by its instructions, each inference */
  uint64_t found_cycles; /* as measured by the search for its schedule, on its own; 0: not measured */
  uint64_t bound_cycles; /* no schedule takes fewer: its multiply-accumulates or vector steps at one a
                            cycle, its operands and its result moved once */
};
void tessera_model_layer(const struct tessera_model *model, int k, struct tessera_layer *out);
/* The index of a layer; where it has none of that name the message says which layer computes a node of
 * that name, or what is near. */
enum tessera_status tessera_model_find_layer(struct tessera *t, const struct tessera_model *model,
                                             const char *name, int *out);

/* A section of a package file; `k` from 0, TESSERA_REFUSED without a message behind the last. */
struct tessera_section {
  const char *name, *meaning;
  uint64_t offset, size;
};
enum tessera_status tessera_package_section(struct tessera *t, const char *name, const void *bytes,
                                            size_t size, int k, struct tessera_section *out);
bool tessera_is_package(const void *bytes, size_t size);

/* --- sessions --------------------------------------------------------------------------------- */

/* A model on a device of its own. device NULL: "func". */
enum tessera_status tessera_session_open(struct tessera *t, const struct tessera_model *model,
                                         const char *device, struct tessera_session **out);

/* How a device runs. {0} are the defaults. What a device does not have (`func` has no cycles, so
 * neither waveforms nor a timeout nor timing) is refused, as is a layer that does not run on the
 * device. */
struct tessera_session_options {
  const char *device;             /* NULL: "func" */
  const char *wave;               /* a waveform file (FST) to write; NULL: none */
  uint64_t wave_first, wave_last; /* cycles of each run that go into it, both included */
  const char *wave_layer;         /* NULL; else those in which the layer of this name is at work */
  uint64_t timeout_cycles;        /* of a run of a stream; 0: none */
  bool lockstep;                  /* run the functional model beside it: TESSERA_MISMATCH at the
                                     first instruction of which they differ */
  bool timing_only;               /* when, and not what: counters and activity are those of a whole
                                     run, but no data is computed, on the CPU neither; outputs stay
                                     zeros, and a check is refused */
  bool record;                    /* keep what happens when, of the latest run: for traces and
                                     profiles, below */
  int threads;                    /* that machine code runs on, 1 to as many as there are cores; 0: all
                                     cores, or fewer if OMP_NUM_THREADS says so */
  const char *cache;              /* folder of built RTL models; NULL: $XDG_CACHE_HOME/tessera, or
                                     else ~/.cache/tessera */
  /* Each may be NULL. say: a line about work that takes long before the first run. progress: while
   * a stream runs, every few ten thousand cycles, with the cycle and the last instruction that has
   * started of how many. */
  void (*say)(void *context, const char *line);
  void (*progress)(void *context, uint64_t cycle, size_t instruction, size_t instructions);
  void *context;
};
enum tessera_status tessera_session_open_with(struct tessera *t, const struct tessera_model *model,
                                              const struct tessera_session_options *options,
                                              struct tessera_session **out);
void tessera_session_free(struct tessera_session *session);
/* Behind tessera_session_free(), which ends it: is its waveform whole? Refused where the disk ran full. */
enum tessera_status tessera_wave_check(struct tessera *t, const char *path);
/* What runs layers on the CPU: a level, or "interpreter". */
const char *tessera_session_cpu(const struct tessera_session *session);
int tessera_session_threads(const struct tessera_session *session); /* on how many threads */

/* What runs layer k: "accel", "cpu" or "cuda". */
const char *tessera_session_place(const struct tessera_session *session, int k);

/* Copies the tensor, which must have the input's type and shape. Inputs keep their value between
 * runs and are zero at first. */
enum tessera_status tessera_session_set_input(struct tessera *t, struct tessera_session *session,
                                              int k, const struct tessera_tensor *tensor);
enum tessera_status tessera_session_run(struct tessera *t, struct tessera_session *session);
/* out->data is the session's, valid until its next run. */
void tessera_session_output(const struct tessera_session *session, int k,
                            struct tessera_tensor *out);
/* After a run: recomputes every layer in the tensor-IR interpreter from what the layer read, and
 * compares with what it wrote, bit for bit; floats that machine code computed may differ by 1e-5
 * (f32) or 1e-9 (f64) of the tensor's norm. TESSERA_MISMATCH names the first layer and element that
 * differ. A GPU runs each of its layers again for that, alone; they are compared with machine code of
 * the CPU where there is some, and where operands of products are rounded to n bits floats may differ
 * by 2^(1-n) of the norm. */
enum tessera_status tessera_session_check(struct tessera *t, struct tessera_session *session);

/* Counted by the device since the session was opened; zeros for a model without a stream. */
struct tessera_counters {
  uint64_t load_insns, matrix_insns, vector_insns, store_insns; /* retired, by engine */
  uint64_t dram_read_bytes, dram_write_bytes, macs, vector_ops;
  uint64_t cycles, fetch_bytes; /* 0 on a device without time */
  uint64_t wave_cycles;         /* that went into the waveform */
};
void tessera_session_counters(const struct tessera_session *session, struct tessera_counters *out);

/* What an engine did in how many cycles: a row for each engine and state. Those of one engine sum
 * to tessera_counters.cycles. */
struct tessera_activity {
  const char *engine, *state, *meaning; /* "matrix", "token", "waits for a token" */
  uint64_t cycles;
};
/* False behind the last row; a device without time has none. */
bool tessera_session_activity(const struct tessera_session *session, int k,
                              struct tessera_activity *out);

/* --- GPUs ------------------------------------------------------------------------------------- */

/* A GPU as its driver tells. */
struct tessera_gpu {
  char name[96];
  char arch[16];      /* "sm_90"; of a session: what its kernels were made for, "sm_90a" */
  int driver_version; /* of CUDA: 1000 * major + 10 * minor */
  int processors, clock_mhz, memory_clock_mhz, memory_bus_bits;
  uint64_t memory_bytes, l2_bytes, shared_bytes; /* shared: the most of a block */
};
/* The GPU that target "cuda" runs on, the driver's first. Refuses where there is no driver, or none. */
enum tessera_status tessera_gpu_find(struct tessera *t, struct tessera_gpu *out);
/* False: the session uses none. */
bool tessera_session_gpu(const struct tessera_session *session, struct tessera_gpu *out);

/* What kernels made for it reach on a GPU. */
struct tessera_gpu_limit {
  const char *name;  /* "int8"; "bytes", which are read or written */
  double per_second; /* multiply-accumulates, or bytes */
};
enum { TESSERA_GPU_LIMITS = 6 }; /* "bytes" is the first */
enum tessera_status tessera_gpu_measure(struct tessera *t,
                                        struct tessera_gpu_limit limits[TESSERA_GPU_LIMITS]);

struct tessera_gpu_kernel {
  int layer; /* of the profile's layers */
  const char *name;
  double seconds;
  int registers;                      /* of a thread */
  uint64_t local_bytes, shared_bytes; /* of a thread, spills among them; of a block */
};

struct tessera_gpu_layer {
  const char *name, *op;
  int kernels;
  double seconds; /* of its kernels */
  uint64_t macs, bytes; /* bytes: its inputs and outputs, each once */
  const char *limit;    /* the limit that it cannot go below, and how long it takes at that: */
  double least_seconds;
};

/* Medians over repetitions, by events between kernels in a graph of all of them. */
struct tessera_gpu_profile {
  const char *model;
  struct tessera_gpu gpu;
  int repeats, layers, kernels, cpu_layers; /* cpu_layers: of the model, that are not here */
  double seconds;         /* of the graphs of one inference, copies included */
  double device_seconds;  /* of a graph of its kernels alone: what is between them, too */
  double kernel_seconds;  /* the sum of the kernels' own */
  double event_seconds;   /* of an event between two kernels, which was taken off their times */
  const struct tessera_gpu_layer *layer;
  const struct tessera_gpu_kernel *kernel; /* in the order in which they run */
  struct tessera_gpu_limit limit[TESSERA_GPU_LIMITS];
  void *owner;
};
/* Of a session on a GPU, with the inputs that it has. The profile is the caller's, who frees it; it
 * outlives the session. */
enum tessera_status tessera_session_gpu_profile(struct tessera *t, struct tessera_session *session,
                                                int repeats,
                                                const struct tessera_gpu_profile **out);
void tessera_gpu_profile_free(const struct tessera_gpu_profile *profile); /* NULL is allowed */

/* --- traces and profiles ---------------------------------------------------------------------- */

/* What happened when in the latest run of a session with `record`. docs/profile.md defines every
 * number. */

struct tessera_trace_options {
  size_t most_bytes; /* what repeats is merged until the text is no longer; 0: 50,000,000 */
};

/* What a trace holds, and what had to be merged. */
struct tessera_trace_info {
  uint64_t cycles;
  size_t instructions, slices, stalls, counts;
  uint64_t merged_below;  /* cycles: stalls, and gaps between slices, shorter than that are merged
                             into what is beside them; 0: nothing is */
  size_t merged_slices, merged_stalls;
  uint64_t bandwidth_cycles, token_cycles; /* one value of a counter track stands for so many */
};

/* Chrome's trace event JSON, for Perfetto. info may be NULL. */
enum tessera_status tessera_session_trace(struct tessera *t, const struct tessera_session *session,
                                          const struct tessera_trace_options *options,
                                          struct tessera_bytes *json,
                                          struct tessera_trace_info *info);

/* A part of the cycles. */
struct tessera_share {
  const char *name, *meaning;
  uint64_t cycles;
};

struct tessera_profile_layer {
  const char *name, *op;
  uint64_t cycles; /* from the end of the layer before to its own; all sum to the profile's */
  uint64_t instructions, macs, read_bytes, write_bytes;
  uint64_t compulsory_bytes;            /* its operands and its result once */
  double bound_cycles;                  /* no schedule of it alone takes fewer */
  double compute_cycles, memory_cycles; /* its roofline: the least for its MACs, for its bytes */
  double roofline;                      /* the larger of both, over cycles */
  double utilization;                   /* of the matrix engine: MACs over those it could have made */
  const char *limit;                    /* engine with most of the critical path; "" where none has */
  const uint64_t *share;                /* cycles, by the profile's shares */
};

/* Cycles of the critical path, and how many of its steps, by engine and by what the step is. */
struct tessera_path_part {
  const char *engine, *cause, *meaning;
  uint64_t cycles, steps;
};

/* An instruction with much of the critical path. */
struct tessera_path_insn {
  size_t instruction; /* of the model's streams */
  const char *engine, *layer, *text;
  uint64_t cycles;
};

/* What the cycles would be otherwise, from the graph of dependencies. */
struct tessera_what_if {
  const char *name, *meaning;
  uint64_t cycles;
};

struct tessera_profile {
  const char *model, *config, *memory; /* memory: "simple, 40 cycles of latency, 8 bytes a cycle" */
  int clock_mhz;
  uint64_t cycles, instructions, macs, read_bytes, write_bytes, fetch_bytes;
  uint64_t compulsory_bytes;    /* constants, and what enters and leaves the device, once */
  double bound_cycles;          /* of all layers */
  double peak_macs, peak_bytes; /* a cycle: of the matrix engine; of DRAM, reads or writes alone */
  double compute_cycles, memory_cycles, roofline, utilization; /* as of a layer, of them all */
  int shares, layers, path_parts, path_insns, what_ifs;
  const struct tessera_share *share;
  const struct tessera_profile_layer *layer;
  const struct tessera_path_part *path_part; /* the largest first */
  const struct tessera_path_insn *path_insn;
  const struct tessera_what_if *what_if;
  void *owner;
};

/* The profile is the caller's, who frees it; it outlives session and model. */
enum tessera_status tessera_session_profile(struct tessera *t,
                                            const struct tessera_session *session,
                                            const struct tessera_profile **out);
void tessera_profile_free(const struct tessera_profile *profile); /* NULL is allowed */

/* JSON, which tessera_profile_read() reads back, one number a name; CSV, a row a layer; HTML, one
 * page that needs nothing else. before: another run to compare with, or NULL; CSV has none. */
enum tessera_profile_form { TESSERA_PROFILE_JSON, TESSERA_PROFILE_CSV, TESSERA_PROFILE_HTML };
enum tessera_status tessera_profile_write(struct tessera *t, const struct tessera_profile *profile,
                                          const struct tessera_profile *before,
                                          enum tessera_profile_form form,
                                          struct tessera_bytes *out);
/* name is for messages. */
enum tessera_status tessera_profile_read(struct tessera *t, const char *name, const void *text,
                                         size_t size, const struct tessera_profile **out);

/* --- why a layer is as it is ------------------------------------------------------------------ */

/* A box of the layer's result that is stored at once: where it begins, and its sizes. */
struct tessera_tile {
  int64_t at[TESSERA_MAX_RANK], size[TESSERA_MAX_RANK];
};

/* A buffer of the schedule. */
struct tessera_operand {
  const char *name, *scratchpad; /* "xs", "inp" */
  const char *loop;     /* an iteration of which it lives for; NULL: as long as the layer is at work */
  const char *from;     /* the tensor that it is a copy of, or the intrinsic that computes it */
  bool computed;        /* the latter */
  bool resident;        /* it is that tensor, or the result, which stays in the scratchpad between layers */
  enum tessera_dtype dtype;
  int rank;
  int64_t dims[TESSERA_MAX_RANK]; /* the largest of any iteration */
  int copies; /* used in turn: one is filled while another is read; 0: in another's place */
  uint64_t entries;     /* of its scratchpad, that a copy takes */
  uint64_t bytes;       /* of all copies */
  uint64_t capacity_bytes; /* of its scratchpad */
};

/* How long an engine is at work. */
struct tessera_engine_time {
  const char *engine, *meaning;
  double least_cycles; /* whatever the schedule: each product, vector step and byte once */
  double cycles;       /* with this one: loop points of its instructions, bytes that they move */
};

struct tessera_explanation {
  const char *name, *op, *schedule;
  const char *loops_before, *loops; /* without a schedule; with it, tensorized */
  const char *first_tile;           /* instructions up to the first STORE, a line each; of a result that is
                                       resident, up to what follows when the first of it is made */
  int rank;                         /* of the result, in blocks: [images, blocks, rows, columns,
                                       images of a block, channels of a block] */
  int64_t dims[TESSERA_MAX_RANK];
  size_t tiles, tiles_listed; /* in order; 65536 are listed at the most */
  const struct tessera_tile *tile;
  int operands, engines, reasons;
  const struct tessera_operand *operand;
  const struct tessera_engine_time *engine;
  uint64_t macs, found_cycles, bound_cycles; /* as tessera_layer has them */
  uint64_t read_bytes, write_bytes, least_read_bytes, least_write_bytes;
  uint64_t cycles;           /* in the network; 0 without a profile, as are the reasons: */
  const char *const *reason; /* sentences, what keeps it from its bound; what costs most comes first */
  void *owner;
};

/* Layer k, which runs on the accelerator, of a model or a package; profile: of a run of the model, or
 * NULL. What is handed out is the caller's, who frees it, and outlives model and profile. */
enum tessera_status tessera_model_explain(struct tessera *t, const struct tessera_model *model, int k,
                                          const struct tessera_profile *profile,
                                          const struct tessera_explanation **out);
void tessera_explanation_free(const struct tessera_explanation *explanation); /* NULL is allowed */

/* --- targets and devices ---------------------------------------------------------------------- */

const char *tessera_target(int k); /* "accel", "cpu", "cuda", then NULL */
const char *tessera_device(int k); /* "func", ..., then NULL */
const char *tessera_device_meaning(int k);
/* Instruction-set levels that machine code is made for, from the least on, then NULL; whether this
 * CPU has it. */
const char *tessera_cpu_level(int k);
const char *tessera_cpu_level_meaning(int k);
bool tessera_cpu_level_here(int k);
/* Splits "accel:DEVICE" and refuses what this build does not have. *device is NULL for "cpu" and
 * "cuda". */
enum tessera_status tessera_target_check(struct tessera *t, const char *target,
                                         const char **device);

/* --- this machine ------------------------------------------------------------------------------ */

enum { TESSERA_MOST_PEAKS = 32, TESSERA_MOST_BANDWIDTHS = 16 };

/* Products added up in registers, by the instructions of a level that do the most of them. A
 * multiplication and an addition are two operations. */
struct tessera_machine_peak {
  const char *level;
  enum tessera_dtype dtype; /* F32; I8, added up in 32 bits; BF16, added up in f32, where the level has it */
  const char *instructions; /* "vpdpbusd" */
  int threads;
  double ops_per_s;
};

/* Bytes moved between a place of memory and registers. */
struct tessera_machine_bandwidth {
  const char *place;     /* "L1", "L2", "L3", "DRAM" */
  size_t capacity_bytes; /* of the caches of that many threads; SIZE_MAX: of DRAM */
  size_t bytes;          /* that each thread goes through again and again */
  int threads;
  double read_bytes_per_s, copy_bytes_per_s; /* of a copy those read and those written both count */
};

struct tessera_machine {
  int cores; /* that this process may run on */
  int peaks, bandwidths;
  struct tessera_machine_peak peak[TESSERA_MOST_PEAKS];
  struct tessera_machine_bandwidth bandwidth[TESSERA_MOST_BANDWIDTHS];
};

/* What this machine can do at most, measured in about a second: with one thread and, where there are more
 * cores, with one a core, at every level that the CPU has. The best of several tries, so that other work
 * on the machine counts less. Refuses a CPU that is no x86-64. */
enum tessera_status tessera_machine_measure(struct tessera *t, struct tessera_machine *out);
/* The peak of a level with that many threads, or the next number of them that was measured; 0: none. */
double tessera_machine_ops(const struct tessera_machine *machine, const char *level,
                           enum tessera_dtype dtype, int threads);

/* --- how long layers take on the CPU ------------------------------------------------------------ */

struct tessera_cpu_profile_layer {
  const char *name, *op, *nodes; /* as of a tessera_layer */
  bool interpreted;             /* it has no machine code */
  double seconds;               /* median of the runs */
  uint64_t ops;                 /* two a multiply-accumulate */
  uint64_t bytes;               /* its operands and its results, once each */
  double compute_s, memory_s;   /* the machine takes no less: for the products, for the bytes */
  const char *limit;            /* the larger of both: "compute", or the place that the bytes come from */
  double fraction_of_peak;      /* that over seconds */
};

struct tessera_cpu_profile {
  const char *model, *level; /* level, or "interpreter" */
  int threads, runs, layers;
  double seconds; /* of a run: median */
  uint64_t ops, bytes;
  double least_s; /* of all layers: what limits each */
  const struct tessera_cpu_profile_layer *layer;
  void *owner;
};

/* Runs a session's model on the inputs that it has, once without looking at the clock and then `runs` times; 0:
 * about a second, 3 to 100 times. Layers that run on a device are left out. The profile is the caller's, who
 * frees it, and outlives session and model.
 *
 * The bound of a layer's bytes: constants come from the place that holds all constants of the model, what else
 * it reads and writes from the place that holds this; each byte once, as fast as the place can be read. */
enum tessera_status tessera_session_profile_cpu(struct tessera *t, struct tessera_session *session,
                                                const struct tessera_machine *machine, int runs,
                                                const struct tessera_cpu_profile **out);
void tessera_cpu_profile_free(const struct tessera_cpu_profile *profile); /* NULL is allowed */

/* --- design points ---------------------------------------------------------------------------- */

const char *tessera_config_name(int k); /* of the standing points, then NULL */
/* A standing point's name, or a file. */
enum tessera_status tessera_config_open(struct tessera *t, const char *name_or_path,
                                        struct tessera_config **out);
void tessera_config_free(struct tessera_config *config);
uint64_t tessera_config_hash(const struct tessera_config *config);
struct tessera_config_key {
  const char *name, *unit, *meaning;
  int value;
};
/* False behind the last key. */
bool tessera_config_key(const struct tessera_config *config, int k, struct tessera_config_key *out);
/* Its memory: the model; of ddr which burst goes first, "fcfs" or "frfcfs", else NULL; and the keys,
 * as above. */
const char *tessera_config_memory_model(const struct tessera_config *config);
const char *tessera_config_memory_order(const struct tessera_config *config);
bool tessera_config_memory_key(const struct tessera_config *config, int k,
                               struct tessera_config_key *out);
/* The accelerator's Verilog at this point: one file, whose top module is `tessera`. */
enum tessera_status tessera_config_verilog(struct tessera *t, const struct tessera_config *config,
                                           struct tessera_bytes *verilog);
/* The text of VTA's vta_config.json as a design point's JSON. */
enum tessera_status tessera_config_import_vta(struct tessera *t, const char *name, const char *text,
                                              struct tessera_bytes *json);

/* --- programs --------------------------------------------------------------------------------- */

/* Assembler text to a program file (.tbin), and back; a package gives the text of its streams. name
 * is for messages. */
enum tessera_status tessera_assemble(struct tessera *t, const char *name, const char *text,
                                     struct tessera_bytes *program);
enum tessera_status tessera_disassemble(struct tessera *t, const char *name, const void *bytes,
                                        size_t size, struct tessera_bytes *text);

/* What the checker says about a program file or every stream of a package. config NULL: the
 * package's own design point, or "default" for a program. */
struct tessera_finding {
  const char *kind, *text; /* "deadlock"; a sentence that names the instruction */
  int stream;              /* of a package; 0 for a program */
  size_t instruction;      /* in its stream */
};
enum tessera_status tessera_verify(struct tessera *t, const char *name, const void *bytes,
                                   size_t size, const char *config, struct tessera_findings **out);
void tessera_findings_free(struct tessera_findings *findings);
size_t tessera_findings_count(const struct tessera_findings *findings); /* all of them */
size_t tessera_findings_instructions(const struct tessera_findings *findings); /* checked */
/* False behind the last that is listed; at most 100 of a stream are. */
bool tessera_findings_get(const struct tessera_findings *findings, size_t k,
                          struct tessera_finding *out);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A GPU by the CUDA driver, which is opened at run time: memory, kernels, graphs of them, times.
 *
 * Whatever the driver refuses becomes a sentence: what was being done, the driver's own name and
 * message, what would work. A GPU belongs to one thread at a time; two that are opened do not meet,
 * but for errors after which the driver gives up the process's context. Between tsr_cuda_enter() and
 * tsr_cuda_leave(), where all calls below these have their place, the GPU's context is the thread's;
 * one that the program has made current itself is back afterwards.
 *
 * Work is put in line and done in order; tsr_cuda_wait() waits for the end of it. */
#ifndef TSR_DRIVER_CUDA_CUDA_H
#define TSR_DRIVER_CUDA_CUDA_H

#include "base/arena.h"
#include "base/status.h"
#include "native/kernels.h"

struct tsr_cuda;

struct tsr_cuda_info {
  char name[96];
  int capability;     /* 10 * major + minor: 90 */
  int driver_version; /* 1000 * major + 10 * minor of CUDA: 12040 */
  int processors, clock_mhz, memory_clock_mhz, memory_bus_bits;
  uint64_t memory_bytes, l2_bytes, shared_bytes; /* shared: the most of a block */
};

/* Tells what a GPU is, and leaves nothing open. driver, number: as below. */
enum tsr_status tsr_cuda_probe(struct tsr_err *err, const char *driver, int number,
                               struct tsr_cuda_info *out);

/* Opens a GPU, `number` of the driver's, counted from 0. driver: its library; NULL: "libcuda.so.1",
 * wherever the system has it. Its work has a stream of its own: two that are opened, also of one
 * number, do not wait for each other. The caller ends it with tsr_cuda_close(). On an error *out is untouched. */
enum tsr_status tsr_cuda_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                              const char *driver, int number, struct tsr_cuda **out);
void tsr_cuda_close(
    struct tsr_cuda *gpu); /* NULL is allowed; what was made on it is freed before */
const struct tsr_cuda_info *tsr_cuda_info(const struct tsr_cuda *gpu);

enum tsr_status tsr_cuda_enter(struct tsr_cuda *gpu, struct tsr_err *err);
void tsr_cuda_leave(struct tsr_cuda *gpu);

/* --- memory ----------------------------------------------------------------------------------- */

/* what: "the tensors of 'resnet50'", for the sentence. Addresses are multiples of 256. */
enum tsr_status tsr_cuda_alloc(struct tsr_cuda *gpu, struct tsr_err *err, const char *what,
                               uint64_t bytes, uint64_t *address);
void tsr_cuda_free(struct tsr_cuda *gpu, uint64_t address); /* 0 is allowed */
/* Host memory that stays in place, so that copies need no other; zeros. */
enum tsr_status tsr_cuda_alloc_host(struct tsr_cuda *gpu, struct tsr_err *err, const char *what,
                                    uint64_t bytes, void **memory);
void tsr_cuda_free_host(struct tsr_cuda *gpu, void *memory); /* NULL is allowed */

/* In line. Host memory that is not from tsr_cuda_alloc_host() may be changed after tsr_cuda_wait()
 * only. */
enum tsr_status tsr_cuda_upload(struct tsr_cuda *gpu, struct tsr_err *err, uint64_t to,
                                const void *from, uint64_t bytes);
enum tsr_status tsr_cuda_download(struct tsr_cuda *gpu, struct tsr_err *err, void *to,
                                  uint64_t from, uint64_t bytes);
enum tsr_status tsr_cuda_fill(struct tsr_cuda *gpu, struct tsr_err *err, uint64_t to, uint8_t value,
                              uint64_t bytes);
/* what: "running 'resnet50'". */
enum tsr_status tsr_cuda_wait(struct tsr_cuda *gpu, struct tsr_err *err, const char *what);

/* --- kernels ---------------------------------------------------------------------------------- */

/* Has the driver compile PTX. On an error the driver's log is in the sentence, as far as it fits. */
enum tsr_status tsr_cuda_load(struct tsr_cuda *gpu, struct tsr_err *err, const char *ptx,
                              void **module);
void tsr_cuda_unload(struct tsr_cuda *gpu, void *module); /* NULL is allowed */

/* Where a layer's memory is. */
struct tsr_cuda_addresses {
  const uint64_t *param; /* inputs, then outputs */
  uint64_t scratch, status;
};

/* A kernel with its arguments. */
struct tsr_cuda_kernel;

/* Finds the kernel, checks what it needs, and makes its arguments. It lives in the arena. */
enum tsr_status tsr_cuda_kernel_new(struct tsr_arena *arena, struct tsr_cuda *gpu,
                                    struct tsr_err *err, void *module,
                                    const struct tsr_kernel *kernel,
                                    const struct tsr_cuda_addresses *addresses,
                                    struct tsr_cuda_kernel **out);
struct tsr_cuda_usage {
  int registers; /* of a thread */
  uint64_t local_bytes,
      shared_bytes; /* local: of a thread, spills among them; shared: of a block */
};
void tsr_cuda_kernel_usage(const struct tsr_cuda_kernel *kernel, struct tsr_cuda_usage *out);
enum tsr_status tsr_cuda_launch(struct tsr_cuda *gpu, struct tsr_err *err,
                                const struct tsr_cuda_kernel *kernel);

/* --- graphs ----------------------------------------------------------------------------------- */

/* Work that is put in line while it is recorded becomes a graph, which one call puts in line again
 * and again. `record` puts it in line. */
typedef enum tsr_status tsr_cuda_record(struct tsr_cuda *gpu, struct tsr_err *err, void *context);
enum tsr_status tsr_cuda_graph_new(struct tsr_cuda *gpu, struct tsr_err *err,
                                   tsr_cuda_record *record, void *context, void **graph);
void tsr_cuda_graph_free(struct tsr_cuda *gpu, void *graph); /* NULL is allowed */
enum tsr_status tsr_cuda_graph_launch(struct tsr_cuda *gpu, struct tsr_err *err, void *graph);

/* --- times ------------------------------------------------------------------------------------ */

/* Marks in the line of work. */
enum tsr_status tsr_cuda_event_new(struct tsr_cuda *gpu, struct tsr_err *err, void **event);
void tsr_cuda_event_free(struct tsr_cuda *gpu, void *event); /* NULL is allowed */
enum tsr_status tsr_cuda_event_mark(struct tsr_cuda *gpu, struct tsr_err *err, void *event);
/* The same in a graph that is being recorded, which passes it whenever it runs. */
enum tsr_status tsr_cuda_event_record(struct tsr_cuda *gpu, struct tsr_err *err, void *event);
/* Between two marks that were passed. */
enum tsr_status tsr_cuda_event_seconds(struct tsr_cuda *gpu, struct tsr_err *err, void *from,
                                       void *to, double *out);

#endif

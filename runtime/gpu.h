/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a module that runs on a GPU: its kernels are chosen, its memory is planned, and each
 * run of layers that follow each other there becomes one graph, with the copies around it. */
#ifndef TSR_RUNTIME_GPU_H
#define TSR_RUNTIME_GPU_H

#include "driver/cuda/cuda.h"
#include "runtime/executor.h"
#include "runtime/work.h"

struct tsr__gpu;

/* Asks the driver for its GPU and chooses the kernels. Refuses where there is no GPU, or none for
 * which the module has kernels. Nothing is left open. */
enum tsr_status tsr__gpu_choose(struct tsr_arena *arena, struct tsr_err *err,
                                const struct tsr_module *module,
                                const struct tsr_gpu_choice *choice, struct tsr__gpu **out);
const struct tsr_kernel_layer *tsr__gpu_layer(const struct tsr__gpu *gpu, int layer);

/* Plans memory and copies for the work, which outlives the GPU. */
void tsr__gpu_plan(struct tsr_arena *arena, struct tsr__gpu *gpu, int works,
                   const struct tsr__work *work);

/* Opens the GPU and makes everything on it that runs need; host[buffer] becomes memory from which
 * and to which copies go. Takes nothing from an arena that the caller has, who ends it with
 * tsr__gpu_stop(), also where this fails. */
enum tsr_status tsr__gpu_start(struct tsr_err *err, struct tsr__gpu *gpu, void **host);
void tsr__gpu_stop(struct tsr__gpu *gpu); /* NULL, and one that did not start, are allowed */

/* Runs a piece of work. *outside: the first of its layers in which an index lay outside of its
 * buffer, or -1. */
enum tsr_status tsr__gpu_run(struct tsr__gpu *gpu, struct tsr_err *err, int work, int *outside);

/* Runs a piece of work again, layer by layer, in memory that was filled with other bytes before;
 * copy[buffer], where it is not NULL, gets what a layer wrote. */
enum tsr_status tsr__gpu_replay(struct tsr__gpu *gpu, struct tsr_err *err, int work, void **copy);

/* How long each kernel takes; the arena is for what is handed out. */
enum tsr_status tsr__gpu_profile(struct tsr_arena *arena, struct tsr__gpu *gpu, struct tsr_err *err,
                                 int repeats, struct tsr_gpu_times *out);

const struct tsr_cuda_info *tsr__gpu_info(const struct tsr__gpu *gpu);
struct tsr_gpu_arch tsr__gpu_arch(const struct tsr__gpu *gpu);

#endif

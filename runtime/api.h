/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the public interface share. */
#ifndef TSR_RUNTIME_API_H
#define TSR_RUNTIME_API_H

#include "base/arena.h"
#include "base/status.h"
#include "base/tensor.h"
#include "compiler/module.h"
#include "runtime/executor.h"
#include "runtime/memory.h"
#include "runtime/profile/record.h"
#include "runtime/tessera.h"

struct tessera {
  struct tsr_allocator hook;
  const struct tsr_allocator *allocator; /* the hook, or NULL */
  struct tsr_err err;
};

struct tessera_model {
  struct tsr_arena *arena;
  const struct tsr_module *module;
  bool packaged;
  bool on_host; /* its target is no device: streams do not run */
  struct tsr_cpu_choice cpu;
  struct tsr_gpu_choice gpu;
  struct tsr_memory memory;
};

/* tessera_model_find_layer(), of a module. */
enum tsr_status tsr__find_layer(struct tsr_arena *arena, struct tsr_err *err,
                                const struct tsr_module *m, const char *name, int *out);

/* The one place where memory running out lands. Runs `work` with an arena of its own; when it
 * succeeds *owner (where not NULL) gets the arena, otherwise the arena is freed. */
typedef enum tsr_status tsr__work(struct tsr_arena *arena, struct tsr_err *err, void *context);
enum tessera_status tsr__call(struct tessera *t, tsr__work *work, void *context,
                              struct tsr_arena **owner);

/* What happened in the session's latest run; refuses where nothing was kept. */
enum tsr_status tsr__session_record(const struct tessera_session *session, struct tsr_err *err,
                                    const struct tsr_record **out);

/* What runs a session. */
struct tsr_executor *tsr__session_executor(const struct tessera_session *session);
const struct tsr_module *tsr__session_module(const struct tessera_session *session);

/* What target "cpu", or the CPU's part of another, asks for, and what target "cuda" does. The target
 * has been checked. */
struct tsr_cpu_choice tsr__cpu_choice(const char *target);
struct tsr_gpu_choice tsr__gpu_choice(const char *target);

/* The two forms of a tensor. */
struct tsr_tensor tsr__tensor_in(const struct tessera_tensor *tensor);
struct tessera_tensor tsr__tensor_out(const struct tsr_tensor *tensor);

/* onnx.c: imports and compiles. folder: where external data may lie; NULL refuses it. */
struct tsr__onnx_job {
  const char *name, *folder;
  const void *bytes;
  size_t size;
  bool cpu_only;
  unsigned levels; /* of machine code */
  int archs;       /* of GPU kernels */
  struct tsr_gpu_arch arch[2];
  const struct tsr_design *design;
  const struct tessera_options *options;
};
enum tsr_status tsr__compile_onnx(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr__onnx_job *job, struct tsr_module **out);

#endif

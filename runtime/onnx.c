/* SPDX-License-Identifier: Apache-2.0 */
/* From an ONNX model to a module. */
#include "compiler/onnx/onnx.h"

#include <string.h>

#include "compiler/compile.h"
#include "runtime/api.h"
#include "runtime/measure.h"

static struct tsr_tune_options tune_options(struct tsr_arena *arena,
                                            const struct tessera_options *options)
{
  static const enum tsr_tune_effort effort[] = {[TESSERA_EFFORT_DEFAULT] = TSR_TUNE_SOME,
                                                [TESSERA_EFFORT_NONE] = TSR_TUNE_NONE,
                                                [TESSERA_EFFORT_SOME] = TSR_TUNE_SOME,
                                                [TESSERA_EFFORT_MORE] = TSR_TUNE_MORE,
                                                [TESSERA_EFFORT_ALL] = TSR_TUNE_ALL};
  const char *cache = options->tune_cache ? options->tune_cache : tsr_tune_default_cache(arena);
  return (struct tsr_tune_options){.effort = effort[options->effort],
                                   .cycles = tsr__measure_cycles,
                                   .context = (void *)(uintptr_t)tsr_arena_allocator(arena),
                                   .cache = cache && *cache ? cache : NULL};
}

static enum tsr_status read_float_type(struct tsr_err *err, const char *type,
                                       struct tsr_compile_options *out)
{
  static const char *const types[] = {"f32", "tf32", "f16", "bf16"};
  static const enum tsr_dtype dtype[] = {TSR_F32, TSR_F32, TSR_F16, TSR_BF16};
  int k = 0;
  if (!type)
    return TSR_OK;
  while (k < 4 && strcmp(types[k], type))
    k++;
  if (k == 4)
    return tsr_refuse(err, "there is no float type '%.40s'; there are f32, tf32, f16 and bf16",
                      type);
  out->sets_floats = true;
  out->float_dtype = dtype[k];
  out->tf32 = k == 1;
  return TSR_OK;
}

enum tsr_status tsr__compile_onnx(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr__onnx_job *job, struct tsr_module **out)
{
  struct tsr_graph *graph;
  struct tsr_onnx_options import = {job->options->dims, job->options->dim_count, job->folder, 0};
  struct tsr_compile_options options = {.cpu_only = job->cpu_only,
                                        .dump = job->options->dump,
                                        .context = job->options->context,
                                        .apart = job->options->apart,
                                        .codegen = job->options->codegen,
                                        .levels = job->levels,
                                        .cuda_codegen = job->options->cuda_codegen,
                                        .archs = job->archs,
                                        .arch = job->arch,
                                        .code_for_all = job->options->also != NULL,
                                        .layer = job->options->layer,
                                        .schedule = job->options->schedule,
                                        .tune = tune_options(arena, job->options)};
  enum tsr_status status = read_float_type(err, job->options->float_type, &options);
  if (!status)
    status = tsr_onnx_import(arena, err, job->name, job->bytes, job->size, &import, &graph);
  if (status)
    return status;
  status = tsr_compile_graph(arena, err, graph, job->design, &options, out);
  return status ? tsr_refuse_at(err, "%s", job->name) : TSR_OK;
}

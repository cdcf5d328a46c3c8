/* SPDX-License-Identifier: Apache-2.0 */
/* From an ONNX model to a module. */
#include "compiler/onnx/onnx.h"

#include "compiler/compile.h"
#include "runtime/api.h"

enum tsr_status tsr__compile_onnx(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr__onnx_job *job, struct tsr_module **out)
{
  struct tsr_graph *graph;
  struct tsr_onnx_options import = {job->options->dims, job->options->dim_count, job->folder, 0};
  struct tsr_compile_options options = {job->cpu_only, job->options->dump, job->options->context};
  enum tsr_status status = tsr_onnx_import(arena, err, job->name, job->bytes, job->size, &import,
                                           &graph);
  if (status)
    return status;
  status = tsr_compile_graph(arena, err, graph, job->design, &options, out);
  return status ? tsr_refuse_at(err, "%s", job->name) : TSR_OK;
}

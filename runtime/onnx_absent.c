/* SPDX-License-Identifier: Apache-2.0 */
/* In place of onnx.c where the compiler is not built. */
#include "runtime/api.h"

enum tsr_status tsr__compile_onnx(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr__onnx_job *job, struct tsr_module **out)
{
  (void)arena;
  (void)out;
  return tsr_refuse(err, "%s: this build has no compiler; it runs packages", job->name);
}

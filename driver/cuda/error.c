/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "driver/cuda/private.h"

static const struct {
  int error;
  const char *advice;
} known[] = {
#define TSR_CUDA_ERROR(id, code, advice) {code, advice},
#include "driver/cuda/errors.def"
#undef TSR_CUDA_ERROR
};

const char *tsr__cuda_advice(int error)
{
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].error == error)
      return known[i].advice;
  return "";
}

enum tsr_status tsr__cuda_refuse(struct tsr_cuda *gpu, struct tsr_err *err, int error,
                                 const char *format, ...)
{
  const char *name = NULL, *text = NULL, *advice = tsr__cuda_advice(error);
  char doing[256], number[32];
  va_list args;
  va_start(args, format);
  vsnprintf(doing, sizeof doing, format, args);
  va_end(args);
  snprintf(number, sizeof number, "error %d", error);
  if (gpu->api.error_name(error, &name) || !name)
    name = number;
  if (gpu->api.error_text(error, &text) || !text)
    text = "the driver has no message for it";
  return tsr_refuse(err, "GPU%s%s: %s failed with %s: %s%s%s", gpu->info.name[0] ? " " : "",
                    gpu->info.name, doing, name, text, *advice ? "; " : "", advice);
}

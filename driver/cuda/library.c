/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <string.h>

#include "driver/cuda/private.h"

static const struct {
  const char *symbol;
  size_t at; /* in struct tsr__cuda_api */
} functions[] = {
#define TSR_CUDA(name, symbol, params) {symbol, offsetof(struct tsr__cuda_api, name)},
#include "driver/cuda/functions.def"
#undef TSR_CUDA
};

/* The driver starts threads of its own, so that its code has to stay: NODELETE. */
enum tsr_status tsr__cuda_library(struct tsr_err *err, const char *driver,
                                  struct tsr__cuda_api *out)
{
  const char *name = driver ? driver : "libcuda.so.1";
  struct tsr__cuda_api api = {.library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
  if (!api.library)
    return tsr_refuse(
        err, "there is no NVIDIA driver: %s; target 'cuda' needs one of CUDA 12.0 or later",
        dlerror());
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    void *function = dlsym(api.library, functions[i].symbol);
    if (!function) {
      dlclose(api.library);
      return tsr_refuse(err,
                        "%s has no function '%s': the NVIDIA driver is older than CUDA 12.0, the "
                        "oldest that works",
                        name, functions[i].symbol);
    }
    memcpy((char *)&api + functions[i].at, &function, sizeof function);
  }
  *out = api;
  return TSR_OK;
}

void tsr__cuda_library_close(struct tsr__cuda_api *api)
{
  if (api->library)
    dlclose(api->library);
  api->library = NULL;
}

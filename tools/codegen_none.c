/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "tools/codegen.h"

const struct tessera_codegen *cli_cpu_codegen(void)
{
  return NULL;
}

const struct tessera_codegen *cli_cuda_codegen(void)
{
  return NULL;
}

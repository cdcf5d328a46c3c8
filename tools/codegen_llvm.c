/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/tessera_cpu.h"
#include "runtime/tessera_cuda.h"
#include "tools/codegen.h"

const struct tessera_codegen *cli_cpu_codegen(void)
{
  return tessera_cpu_codegen();
}

const struct tessera_codegen *cli_cuda_codegen(void)
{
  return tessera_cuda_codegen();
}

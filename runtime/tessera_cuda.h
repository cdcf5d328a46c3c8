/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels for NVIDIA GPUs: link libtessera_cuda, and LLVM, to make them. Without it packages that
 * hold kernels still run. */
#ifndef TESSERA_CUDA_H
#define TESSERA_CUDA_H

#ifdef __cplusplus
extern "C" {
#endif

struct tessera_codegen;

const struct tessera_codegen *tessera_cuda_codegen(void);

#ifdef __cplusplus
}
#endif
#endif

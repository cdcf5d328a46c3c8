/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code for layers on the CPU: a library of its own, libtessera_cpu, because it needs LLVM.
 * Programs that only run packages do without it. */
#ifndef TESSERA_CPU_H
#define TESSERA_CPU_H

#ifdef __cplusplus
extern "C" {
#endif

struct tessera_codegen;

/* For tessera_options.codegen. */
const struct tessera_codegen *tessera_cpu_codegen(void);

#ifdef __cplusplus
}
#endif

#endif

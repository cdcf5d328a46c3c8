/* SPDX-License-Identifier: Apache-2.0 */
/* What makes code: LLVM's, in `tessera`; none, in `tessera-run`, which runs packages. */
#ifndef TSR_TOOLS_CODEGEN_H
#define TSR_TOOLS_CODEGEN_H

struct tessera_codegen;

const struct tessera_codegen *cli_cpu_codegen(void);  /* NULL: none */
const struct tessera_codegen *cli_cuda_codegen(void); /* NULL: none */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* tessera profile --target cpu: how long each layer takes, and how near that is to the machine's
 * peak. */
#ifndef TSR_TOOLS_PROFILE_CPU_H
#define TSR_TOOLS_PROFILE_CPU_H

#include "tools/cli.h"

/* Whether --target asks for it. */
bool profile_is_cpu(const struct cli *cli);
int profile_cpu(const struct cli *cli);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One inference of a model on a device that tells what happens when: what `trace` and `profile`
 * look at. */
#ifndef TSR_TOOLS_OBSERVE_H
#define TSR_TOOLS_OBSERVE_H

#include "tools/cli.h"
#include "tools/progress.h"

/* The options of both. */
#define CLI_OBSERVE_OPTIONS                                                                        \
  {"config", "FILE|NAME", "design point: a file, or a name of `config show` (default: default)"},  \
      {"dim", "NAME=VALUE", "value of a symbolic dim of the model; may be repeated"},              \
      CLI_TUNE_OPTIONS,                                                                            \
      {"target", "T", "a device that tells what happens when (default: accel:cycle)"},             \
      {"input", "[NAME=]FILE", "compute data too, on this input (.npy, .pb or raw)"},              \
  {                                                                                                \
    "random", "SEED", "compute data too, on made-up inputs"                                        \
  }

struct observed {
  struct tessera_model *model;
  struct tessera_session *session;
  struct progress progress;
};

/* The same of a model that is open already, which stays the caller's. */
int observe_model(const struct cli *cli, const struct tessera_model *model, struct observed *out);

/* Opens the model and runs it once: for timing only, unless --input or --random asks for data. Of
 * several inferences the first is run. 0, or an exit status after a sentence. */
int observe(const struct cli *cli, const char *path, struct observed *out);
void observed_close(struct observed *observed);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a model as the options say, with --dump. */
#ifndef TSR_TOOLS_OPEN_H
#define TSR_TOOLS_OPEN_H

#include "tools/cli.h"

/* What --dump asks for, and what came. */
struct dump {
  const char *stage; /* NULL: nothing is asked for */
  const char *name;  /* NULL: all */
  int printed;
  char near[128];    /* a name that came and resembles `name` */
};

/* 0, or an exit status after a sentence. The texts that --dump asks for have been printed. */
int open_model(const struct cli *cli, const char *path, struct tessera_model **out);

/* The same, with the text of a schedule for a layer; NULL: what is found. */
int open_model_with(const struct cli *cli, const char *path, const char *layer,
                    const char *schedule, struct tessera_model **out);

/* --target's device; NULL for the CPU. */
int open_target(const struct cli *cli, const char **device);

/* A whole file. */
int open_file(const struct cli *cli, const char *path, struct tessera_bytes *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors of a run: files named on the command line, bound to a model's inputs and outputs. */
#ifndef TSR_TOOLS_TENSORS_H
#define TSR_TOOLS_TENSORS_H

#include "tools/cli.h"

/* One option "[NAME=]FILE", resolved. */
struct binding {
  int port; /* index of the input or output */
  const char *path;
};

/* Resolves the nth value of `option` among `count` ports; without NAME it is the nth port. 0, or an
 * exit status after a sentence. */
int bind_port(const struct cli *cli, const struct tessera_model *model, const char *option, int n,
              int count,
              void (*port)(const struct tessera_model *model, int k, struct tessera_port *out),
              struct binding *out);

/* Every input of a model for a number of inferences. */
struct inputs {
  int count;
  int64_t inferences;
  struct tessera_tensor *tensor; /* each holds one inference's tensor, or all of them along dim 0 */
};

/* Reads --input. What is not given is made up, from the seed of --random or else 1, or refused, naming the
 * inputs that are wanted; --timing-only wants none. */
int inputs_open(const struct cli *cli, const struct tessera_model *model, bool made_up,
                struct inputs *out);
void inputs_close(struct inputs *inputs);
/* Sets every input of the session for inference i. */
int inputs_set(const struct cli *cli, const struct inputs *inputs,
               const struct tessera_model *model, struct tessera_session *session, int64_t i);
/* All of it for the first inference: reads, makes up, sets. */
int inputs_give(const struct cli *cli, const struct tessera_model *model, bool made_up,
                struct tessera_session *session);

/* A tensor of `count` ports is cut: part i. `data` points into the whole. */
struct tessera_tensor tensor_part(const struct tessera_tensor *whole,
                                  const struct tessera_port *port, int64_t i);

#endif

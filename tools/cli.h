/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: subcommands as tables, options parsed strictly, sentences on stderr.
 *
 * Everything that the command does is a call of runtime/tessera.h; these files read words and print
 * tables. */
#ifndef TSR_TOOLS_CLI_H
#define TSR_TOOLS_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/tessera.h"

enum { EXIT_MISMATCH = 1, EXIT_REFUSED = 2 };

struct option {
  const char *name;     /* "config"; written --config */
  const char *argument; /* "FILE|NAME"; NULL: takes none */
  const char *meaning;
};

struct cli;

struct command {
  const char *name, *usage, *summary;
  const struct option *options; /* ends with a NULL name */
  const char *examples;
  int least_words, most_words;
  int (*run)(struct cli *cli);
};

struct given {
  const struct option *option;
  const char *value;
};

/* A command line as it was given. */
struct cli {
  struct tessera *t;
  const struct command *command;
  struct given *given;
  int given_count;
  const char **word; /* what is no option */
  int words;
};

/* Prints "tessera: " and the sentence; returns EXIT_REFUSED. */
int cli_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints the message of the last call; returns the exit status that goes with it. */
int cli_message(const struct cli *cli, enum tessera_status status);

/* Fills cli from the words behind the subcommand; 0, or an exit status after a sentence. */
int cli_parse(struct cli *cli, int argc, char **argv);
void cli_free(struct cli *cli);
void cli_help(const struct command *command);

bool cli_has(const struct cli *cli, const char *option);
const char *cli_value(const struct cli *cli, const char *option); /* NULL: not given */
/* The nth value (from 0) of an option that may be repeated; NULL behind the last. */
const char *cli_nth(const struct cli *cli, const char *option, int n);

/* Numbers of options; a sentence and EXIT_REFUSED where the text is none. */
int cli_seed(const struct cli *cli, const char *option, uint64_t *out);
int cli_number(const struct cli *cli, const char *option, double *out);
/* --threads; 0 where it is not given. */
int cli_threads(const struct cli *cli, int *out);

/* Whether a file can be written, and is none that the command line names to be read; 0, or
 * EXIT_REFUSED after a sentence. */
int cli_can_write(const struct cli *cli, const char *path);

/* clang-format off */
/* How the compiler looks for schedules. */
#define CLI_TUNE_OPTIONS                                                                                   \
  {"O", "0|1|2|3", "effort of the search for schedules, -O0 to -O3 (default 1; 0: none)"},                 \
  {"tune-cache", "FILE|none", "where found schedules are kept (default: in the user's cache)"},            \
  {"apart", NULL, "every op is a layer of its own: nothing stays on the chip from one to the next"}

/* The options that name a model's surroundings, for every subcommand that opens one. */
#define CLI_MODEL_OPTIONS                                                                                  \
  {"target", "T", "accel (the default), accel:DEVICE, cpu, cpu:LEVEL, cuda, cuda:N or cuda:ARCH"},         \
  {"config", "FILE|NAME", "design point: a file, or a name of `config show` (default: default)"},          \
  {"float", "TYPE", "what floats are computed in: f32, tf32, f16 or bf16 (default: the model's own)"},     \
  {"dim", "NAME=VALUE", "value of a symbolic dim of the model; may be repeated"},                          \
  CLI_TUNE_OPTIONS,                                                                                        \
  {"dump", "STAGE[:NAME]", "print graph, tir, schedule, llvm or stream (of a layer, after a pass)"},       \
  {"json", NULL, "print JSON for programs"}
/* clang-format on */

/* Every subcommand, ending with NULL. */
extern const struct command *const cli_commands[];
extern const struct command command_run, command_check, command_compile, command_info, command_asm,
    command_disasm, command_verify, command_config, command_trace, command_profile, command_explain;

#endif

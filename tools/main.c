/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli.h"

enum { MOST_COMMANDS = 16 };

const struct command *const cli_commands[] = {&command_run,     &command_check,  &command_compile,
                                              &command_info,    &command_trace,  &command_profile,
                                              &command_explain, &command_asm,    &command_disasm,
                                              &command_verify,  &command_config, NULL};

static void help(void)
{
  printf("usage: tessera COMMAND ...\n\n"
         "Tessera compiles neural networks for an open int8 tensor accelerator, and runs them.\n\n"
         "commands:\n");
  for (int i = 0; cli_commands[i]; i++)
    printf("  %-8s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
  printf("\n`tessera COMMAND --help` says more; `tessera --version` tells the version.\n");
}

static int unknown_command(const char *word)
{
  const char *names[MOST_COMMANDS];
  int n = 0;
  for (; cli_commands[n]; n++)
    names[n] = cli_commands[n]->name;
  const char *near = tessera_nearest(word, names, n);
  if (near)
    return cli_refuse("unknown command '%s'; did you mean '%s'?", word, near);
  return cli_refuse("unknown command '%s'; `tessera --help` lists the commands", word);
}

static bool asks_help(int argc, char **argv)
{
  for (int i = 0; i < argc && strcmp(argv[i], "--"); i++)
    if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
      return true;
  return false;
}

static int run(const struct command *command, int argc, char **argv)
{
  if (asks_help(argc, argv)) {
    cli_help(command);
    return 0;
  }
  struct cli cli = {.t = tessera_new(NULL), .command = command};
  if (!cli.t)
    return cli_refuse("out of memory");
  int status = cli_parse(&cli, argc, argv);
  if (!status)
    status = command->run(&cli);
  cli_free(&cli);
  tessera_free(cli.t);
  return status;
}

static int dispatch(int argc, char **argv)
{
  if (argc < 2) {
    help();
    return EXIT_REFUSED;
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
    help();
    return 0;
  }
  if (!strcmp(argv[1], "--version")) {
    printf("tessera %s\n", tessera_version());
    return 0;
  }
  for (int i = 0; cli_commands[i]; i++)
    if (!strcmp(argv[1], cli_commands[i]->name))
      return run(cli_commands[i], argc - 2, argv + 2);
  return unknown_command(argv[1]);
}

/* Streams that the caller closed: else the next file that is opened takes their place, and what is
 * printed goes into it. */
static bool hold_streams(void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
      return false;
  return true;
}

int main(int argc, char **argv)
{
  if (!hold_streams())
    return EXIT_REFUSED;
  int status = dispatch(argc, argv);
  if (fflush(stdout) || ferror(stdout))
    return cli_refuse("the standard output cannot be written");
  return status;
}

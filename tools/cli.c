/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_OPTIONS = 24 };

int cli_refuse(const char *format, ...)
{
  va_list args;
  fflush(stdout);
  fputs("tessera: ", stderr);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  return EXIT_REFUSED;
}

int cli_message(const struct cli *cli, enum tessera_status status)
{
  cli_refuse("%s", tessera_message(cli->t));
  return status == TESSERA_MISMATCH ? EXIT_MISMATCH : EXIT_REFUSED;
}

/* --- parsing ---------------------------------------------------------------------------------- */

static const struct option *find_option(const struct command *command, const char *name,
                                        size_t size)
{
  for (const struct option *o = command->options; o->name; o++)
    if (strlen(o->name) == size && !memcmp(o->name, name, size))
      return o;
  return NULL;
}

static int unknown_option(const struct command *command, const char *word)
{
  const char *names[MOST_OPTIONS];
  char bare[64];
  int n = 0;
  for (const struct option *o = command->options; o->name && n < MOST_OPTIONS; o++)
    names[n++] = o->name;
  snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word + 2, "="), word + 2);
  const char *near = word[1] == '-' ? tessera_nearest(bare, names, n) : NULL;
  if (near)
    return cli_refuse("%s: unknown option '%s'; did you mean '--%s'?", command->name, word, near);
  return cli_refuse("%s: unknown option '%s'; see `tessera %s --help`", command->name, word,
                    command->name);
}

/* The name and value of an option with one dash: -o FILE, -O2; NULL: there is no such option. */
static const char *short_option(const char *word)
{
  if (!strcmp(word, "-o"))
    return "output";
  if (word[1] == 'O' && strchr("0123", word[2]) && word[2] && !word[3])
    return (const char *const[]){"O=0", "O=1", "O=2", "O=3"}[word[2] - '0'];
  return NULL;
}

/* Is one that names an input, an output or a dim; there may be several of these. */
static bool may_repeat(const struct option *o)
{
  return !o->argument || strstr(o->argument, "NAME=");
}

/* One option and its value, which may be the next word; *at is its place in argv. */
static int take_option(struct cli *cli, int argc, char **argv, int *at)
{
  const char *word = argv[*at];
  const char *name = word[1] == '-' ? word + 2 : short_option(word);
  if (!name && word[1] == 'O' && find_option(cli->command, "O", 1))
    return cli_refuse("%s: there is no '%s'; efforts are -O0, -O1, -O2 and -O3", cli->command->name,
                      word);
  if (!name)
    return unknown_option(cli->command, word);
  size_t size = strcspn(name, "=");
  const char *value = name[size] ? name + size + 1 : NULL;
  const struct option *o = find_option(cli->command, name, size);
  if (!o)
    return unknown_option(cli->command, word);
  if (!o->argument && value)
    return cli_refuse("%s: option '--%s' takes no value", cli->command->name, o->name);
  if (o->argument && !value) {
    if (*at + 1 >= argc)
      return cli_refuse("%s: option '%s' needs a value: %s", cli->command->name, word, o->argument);
    value = argv[++*at];
  }
  if (o->argument && !*value)
    return cli_refuse("%s: option '%s' needs a value: %s", cli->command->name, word, o->argument);
  if (!may_repeat(o) && cli_has(cli, o->name))
    return cli_refuse("%s: option '%s' is given twice", cli->command->name, word);
  cli->given[cli->given_count++] = (struct given){o, value};
  return 0;
}

static int check_words(const struct cli *cli)
{
  const struct command *c = cli->command;
  if (cli->words < c->least_words)
    return cli_refuse("%s: a word is missing; the form is: tessera %s %s", c->name, c->name,
                      c->usage);
  if (cli->words > c->most_words)
    return cli_refuse("%s: '%s' is one word too many; the form is: tessera %s %s", c->name,
                      cli->word[c->most_words], c->name, c->usage);
  return 0;
}

int cli_parse(struct cli *cli, int argc, char **argv)
{
  bool options = true;
  cli->given = calloc((size_t)argc + 1, sizeof *cli->given);
  cli->word = calloc((size_t)argc + 1, sizeof *cli->word);
  if (!cli->given || !cli->word)
    return cli_refuse("out of memory");
  for (int i = 0; i < argc; i++) {
    int status = 0;
    if (!*argv[i])
      status = cli_refuse("%s: a word is empty", cli->command->name);
    else if (options && !strcmp(argv[i], "--"))
      options = false;
    else if (options && argv[i][0] == '-' && argv[i][1])
      status = take_option(cli, argc, argv, &i);
    else
      cli->word[cli->words++] = argv[i];
    if (status)
      return status;
  }
  return check_words(cli);
}

void cli_free(struct cli *cli)
{
  free(cli->given);
  free(cli->word);
}

void cli_help(const struct command *command)
{
  printf("usage: tessera %s %s\n\n%s\n", command->name, command->usage, command->summary);
  if (command->options->name)
    printf("\noptions:\n");
  for (const struct option *o = command->options; o->name; o++) {
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument ? " " : "",
             o->argument ? o->argument : "");
    if (!strcmp(o->name, "O"))
      snprintf(left, sizeof left, "-O%s", o->argument);
    printf("  %-24s %s\n", left, o->meaning);
  }
  printf(
      "\nexamples:\n%s\nexit status: 0 done; 1 a result is wrong or a check failed; 2 bad usage or "
      "input\n",
      command->examples);
}

/* --- values ----------------------------------------------------------------------------------- */

const char *cli_nth(const struct cli *cli, const char *option, int n)
{
  for (int i = 0; i < cli->given_count; i++)
    if (!strcmp(cli->given[i].option->name, option) && n-- == 0)
      return cli->given[i].value;
  return NULL;
}

const char *cli_value(const struct cli *cli, const char *option)
{
  return cli_nth(cli, option, 0);
}

bool cli_has(const struct cli *cli, const char *option)
{
  for (int i = 0; i < cli->given_count; i++)
    if (!strcmp(cli->given[i].option->name, option))
      return true;
  return false;
}

int cli_seed(const struct cli *cli, const char *option, uint64_t *out)
{
  const char *text = cli_value(cli, option);
  errno = 0;
  unsigned long long v = strtoull(text, NULL, 10);
  if (errno || !*text || text[strspn(text, "0123456789")])
    return cli_refuse("%s: --%s '%s' is no whole number that fits 64 bits", cli->command->name,
                      option, text);
  *out = v;
  return 0;
}

int cli_threads(const struct cli *cli, int *out)
{
  uint64_t n;
  *out = 0;
  if (!cli_has(cli, "threads"))
    return 0;
  if (cli_seed(cli, "threads", &n))
    return EXIT_REFUSED;
  if (n < 1 || n > INT_MAX)
    return cli_refuse("%s: --threads %s is no number of threads", cli->command->name,
                      cli_value(cli, "threads"));
  *out = (int)n;
  return 0;
}

int cli_number(const struct cli *cli, const char *option, double *out)
{
  const char *text = cli_value(cli, option);
  char *end;
  double v = strtod(text, &end);
  if (end == text || *end || !(v >= 0) || isinf(v))
    return cli_refuse("%s: --%s '%s' is no number of 0 or more", cli->command->name, option, text);
  *out = v;
  return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static bool is_file(const char *path, const struct stat *file)
{
  struct stat st;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == file->st_dev &&
         st.st_ino == file->st_ino;
}

/* Is it in this value of an option, FILE or NAME=FILE? */
static bool names_file(const char *value, const struct stat *file)
{
  for (; value; value = strchr(value, '=') ? strchr(value, '=') + 1 : NULL)
    if (is_file(value, file))
      return true;
  return false;
}

static bool is_read(const struct cli *cli, const struct stat *file)
{
  static const char *const read[] = {"input",    "expect", "labels",    "config",
                                     "schedule", "diff",   "tune-cache"};
  for (int i = 0; i < cli->words; i++)
    if (is_file(cli->word[i], file))
      return true;
  for (size_t k = 0; k < sizeof read / sizeof read[0]; k++)
    for (int n = 0; cli_nth(cli, read[k], n); n++)
      if (names_file(cli_nth(cli, read[k], n), file))
        return true;
  return false;
}

int cli_can_write(const struct cli *cli, const char *path)
{
  struct stat file;
  if (stat(path, &file) == 0 && is_read(cli, &file))
    return cli_refuse("%s: %s is to be read and to be written over; name another file",
                      cli->command->name, path);
  enum tessera_status status = tessera_file_writable(cli->t, path);
  return status ? cli_message(cli, status) : 0;
}

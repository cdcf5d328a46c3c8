/* SPDX-License-Identifier: Apache-2.0 */
/* tessera asm, tessera disasm, tessera verify: programs as text, and what the checker says of them.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tools/layers.h"
#include "tools/open.h"

/* --- asm -------------------------------------------------------------------------------------- */

static const struct option asm_options[] = {
  {"output", "FILE", "the program file to write (also -o)"},
  {NULL, NULL, NULL}};

static int assemble(struct cli *cli)
{
  const char *output = cli_value(cli, "output"), *path = cli->word[0];
  struct tessera_bytes text, program = {0};
  if (!output)
    return cli_refuse("asm: where to? name the program file with -o FILE");
  if (cli_can_write(cli, output))
    return EXIT_REFUSED;
  int refused = open_file(cli, path, &text);
  if (refused)
    return refused;
  enum tessera_status status = TESSERA_OK;
  if (memchr(text.data, 0, text.size))
    refused = cli_refuse("%s: has a zero byte; assembler text is text", path);
  else
    status = tessera_assemble(cli->t, path, (const char *)text.data, &program);
  if (!refused && !status)
    status = tessera_file_write(cli->t, output, program.data, program.size);
  tessera_bytes_free(&program);
  tessera_bytes_free(&text);
  return status ? cli_message(cli, status) : refused;
}

const struct command command_asm = {
  .name = "asm",
  .usage = "FILE.tasm -o FILE.tbin",
  .summary = "assemble text to a program file",
  .options = asm_options,
  .examples = "  tessera asm program.tasm -o program.tbin\n",
  .least_words = 1,
  .most_words = 1,
  .run = assemble,
};

/* --- disasm ----------------------------------------------------------------------------------- */

static const struct option disasm_options[] = {
  {"output", "FILE", "write the text there instead (also -o)"},
  {NULL, NULL, NULL}};

static int disassemble(struct cli *cli)
{
  const char *output = cli_value(cli, "output"), *path = cli->word[0];
  struct tessera_bytes file, text = {0};
  if (output && cli_can_write(cli, output))
    return EXIT_REFUSED;
  int refused = open_file(cli, path, &file);
  if (refused)
    return refused;
  enum tessera_status status = tessera_disassemble(cli->t, path, file.data, file.size, &text);
  if (!status && output)
    status = tessera_file_write(cli->t, output, text.data, text.size);
  else if (!status)
    fwrite(text.data, 1, text.size, stdout);
  tessera_bytes_free(&text);
  tessera_bytes_free(&file);
  return status ? cli_message(cli, status) : 0;
}

const struct command command_disasm = {
  .name = "disasm",
  .usage = "PROGRAM.tbin|PACKAGE.tsr [-o FILE]",
  .summary = "print a program or a package's streams as assembler text",
  .options = disasm_options,
  .examples = "  tessera disasm program.tbin\n"
              "  tessera disasm digits.tsr -o digits.tasm\n",
  .least_words = 1,
  .most_words = 1,
  .run = disassemble,
};

/* --- verify ----------------------------------------------------------------------------------- */

static const struct option verify_options[] = {
  {"config", "FILE|NAME", "design point (default: the package's own; 'default' for a program)"},
  {"json", NULL, "print JSON for programs"},
  {NULL, NULL, NULL}};

static void print_findings(const struct tessera_findings *findings, const char *path)
{
  struct tessera_finding f;
  size_t k = 0, count = tessera_findings_count(findings);
  for (; tessera_findings_get(findings, k, &f); k++)
    printf("%s: %s: %s\n", path, f.kind, f.text);
  if (count > k)
    printf("%s: and %zu more\n", path, count - k);
  printf("%s: %zu finding%s in %zu instructions\n", path, count, count == 1 ? "" : "s",
         tessera_findings_instructions(findings));
}

static void print_findings_json(const struct tessera_findings *findings)
{
  struct tessera_finding f;
  json_t *root = json_object(), *list = json_array();
  for (size_t k = 0; tessera_findings_get(findings, k, &f); k++) {
    json_t *object = json_object();
    json_object_set_new(object, "kind", json_string(f.kind));
    json_object_set_new(object, "stream", json_integer(f.stream));
    put_count(object, "instruction", f.instruction);
    put_text(object, "text", f.text);
    json_array_append_new(list, object);
  }
  put_count(root, "count", tessera_findings_count(findings));
  put_count(root, "instructions", tessera_findings_instructions(findings));
  json_object_set_new(root, "findings", list);
  print_json(root);
}

static int verify(struct cli *cli)
{
  const char *path = cli->word[0];
  struct tessera_bytes file;
  struct tessera_findings *findings;
  int refused = open_file(cli, path, &file);
  if (refused)
    return refused;
  enum tessera_status status = tessera_verify(cli->t, path, file.data, file.size,
                                              cli_value(cli, "config"), &findings);
  tessera_bytes_free(&file);
  if (status)
    return cli_message(cli, status);
  if (cli_has(cli, "json"))
    print_findings_json(findings);
  else
    print_findings(findings, path);
  int result = tessera_findings_count(findings) ? EXIT_MISMATCH : 0;
  tessera_findings_free(findings);
  return result;
}

const struct command command_verify = {
  .name = "verify",
  .usage = "PROGRAM.tbin|PACKAGE.tsr [OPTIONS]",
  .summary = "check a program without running it: tokens, ranges, races, overflow; exit 1 on a finding",
  .options = verify_options,
  .examples = "  tessera verify program.tbin --config tiny\n"
              "  tessera verify digits.tsr --json\n",
  .least_words = 1,
  .most_words = 1,
  .run = verify,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* isa_gen verilog | page        writes tsr_isa.vh or docs/isa.md to standard output
 * isa_gen check FILE            ends with status 1 unless FILE is what `isa_gen page` writes */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "isa/gen.h"

enum { LARGEST_PAGE = 1 << 20 };

static int line_of_difference(const char *a, const char *b)
{
  int line = 1;
  for (; *a && *a == *b; a++, b++)
    line += *a == '\n';
  return line;
}

static int check(struct tsr_arena *arena, const char *path)
{
  struct tsr_text page = {.arena = arena};
  struct tsr_bytes file;
  struct tsr_err err;
  if (tsr_file_read(arena, &err, path, LARGEST_PAGE, &file)) {
    fprintf(stderr, "isa_gen: %s\n", err.text);
    return 2;
  }
  tsr__gen_page(&page);
  if (file.size == page.length && !memcmp(file.data, page.data, page.length))
    return 0;
  fprintf(stderr, "isa_gen: %s:%d: differs from the tables in isa/; write it with: isa_gen page > %s\n",
          path, line_of_difference((char *)file.data, page.data), path);
  return 1;
}

static int write_out(struct tsr_arena *arena, void (*gen)(struct tsr_text *))
{
  struct tsr_text out = {.arena = arena};
  gen(&out);
  bool bad = fwrite(out.data, 1, out.length, stdout) != out.length;
  return fflush(stdout) || bad ? 2 : 0;
}

int main(int argc, char **argv)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    fprintf(stderr, "isa_gen: out of memory\n");
    return 2;
  }
  int status = 2;
  if (argc == 2 && !strcmp(argv[1], "verilog"))
    status = write_out(arena, tsr__gen_verilog);
  else if (argc == 2 && !strcmp(argv[1], "page"))
    status = write_out(arena, tsr__gen_page);
  else if (argc == 3 && !strcmp(argv[1], "check"))
    status = check(arena, argv[2]);
  else
    fprintf(stderr, "usage: isa_gen verilog | page | check FILE\n");
  tsr_arena_free(arena);
  return status;
}

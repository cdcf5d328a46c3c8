/* SPDX-License-Identifier: Apache-2.0 */
/* design_vh NAME|FILE        writes tsr_design.vh of a design point to standard output */
#include <stdio.h>

#include "configs/verilog.h"

static int write_header(struct tsr_arena *arena, const char *name_or_path)
{
  struct tsr_design design;
  struct tsr_err err;
  if (tsr_design_open(arena, &err, name_or_path, &design)) {
    fprintf(stderr, "design_vh: %s\n", err.text);
    return 2;
  }
  bool bad = fputs(tsr_design_verilog(arena, &design), stdout) < 0;
  return fflush(stdout) || bad ? 2 : 0;
}

int main(int argc, char **argv)
{
  if (argc != 2) {
    fprintf(stderr, "usage: design_vh NAME|FILE\n");
    return 2;
  }
  struct tsr_arena *arena = tsr_arena_new(NULL);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    fprintf(stderr, "design_vh: out of memory\n");
    return 2;
  }
  int status = write_header(arena, argv[1]);
  tsr_arena_free(arena);
  return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* pack IN.tsr OUT.tsr every|even: a package with kernels for the fake driver, of every layer or of
 * every second one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/package.h"
#include "tests/cuda/modules.h"

int main(int argc, char **argv)
{
  struct tsr_arena *a = tsr_arena_new(NULL);
  struct tsr_err err = {0};
  struct tsr_bytes file;
  struct tsr_module *m;
  int status = 2;
  if (argc != 4 || tsr_file_read(a, &err, argv[1], 1 << 28, &file) ||
      tsr_package_read(a, &err, argv[1], file.data, file.size, &m)) {
    fprintf(stderr, "pack: %s\n", err.text);
  } else {
    add_kernels(a, m, strcmp(argv[3], "even") ? every_layer : even_layers);
    file = tsr_package_write(a, m);
    status = tsr_file_write(&err, argv[2], file.data, file.size);
  }
  tsr_arena_free(a);
  return status;
}

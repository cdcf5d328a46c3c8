/* SPDX-License-Identifier: Apache-2.0 */
/* Small networks of integer ops that a test makes op by op, compiled for a design point and run. */
#ifndef TSR_TESTS_ACCEL_SMALL_NET_H
#define TSR_TESTS_ACCEL_SMALL_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "compiler/compile.h"
#include "tests/accel/random_net.h"

struct net {
  struct tsr_arena *a;
  struct tsr_graph *g;
  struct random r;
};

struct net net_new(void);
struct tsr_value *net_input(struct net *n, int64_t channels, int64_t rows, int64_t columns);
/* Of stride 1, with the padding that keeps the map's size: of value -5. */
struct tsr_value *net_conv(struct net *n, const char *name, struct tsr_value *x, int64_t out,
                           int64_t group, int64_t kernel);
struct tsr_value *net_add(struct net *n, const char *name, struct tsr_value *x,
                          struct tsr_value *y);
/* 3x3, of stride 2. */
struct tsr_value *net_max_pool(struct net *n, const char *name, struct tsr_value *x);
struct tsr_value *net_lut(struct net *n, const char *name, struct tsr_value *x);
/* Of channels. */
struct tsr_value *net_concat(struct net *n, const char *name, int parts,
                             struct tsr_value *const *part);

/* What comes of it at a design point; options {0}: without a search. */
struct made {
  struct tsr_module *m;
  const char *layers;             /* their nodes' names */
  const char *stay;               /* the first nodes' of those whose result is resident */
  uint64_t read, written, cycles; /* cycles: as they were measured */
  size_t elements;                /* of the output */
};
struct made net_compiled(struct net *n, const char *point,
                         const struct tsr_compile_options *options);
/* The output on the functional device, the same input each time; `check`: its layers are compared with the
 * interpreter. */
const int8_t *net_output(struct net *n, const struct tsr_module *m, bool check);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Funcs and programs from text, run on arrays of the test. */
#ifndef TSR_TESTS_TIR_TEST_H
#define TSR_TESTS_TIR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/tir/tir_internal.h"
#include "tests/base/in_arena.h"

/* A small generator, the same everywhere. */
static inline uint32_t next_random(uint64_t *state)
{
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  uint64_t x = *state;
  return (uint32_t)((x ^ (x >> 22)) >> 27);
}

static inline struct tir_func *func_of(struct tsr_arena *a, const char *text)
{
  struct tsr_err err = {0};
  struct tir_func *f = NULL;
  if (tir_func_parse(a, &err, "test", text, &f) != TSR_OK)
    fail_msg("%s", err.text);
  return f;
}

static inline void run_text(struct tsr_arena *a, const char *text, void *const *params)
{
  struct tsr_err err = {0};
  if (tir_func_run(a, &err, func_of(a, text), params) != TSR_OK)
    fail_msg("%s", err.text);
}

static inline struct tir_program *program_of(struct tsr_arena *a, const char *text)
{
  struct tsr_err err = {0};
  struct tir_program *p = NULL;
  if (tir_program_parse(a, &err, "test", text, &p) != TSR_OK)
    fail_msg("%s", err.text);
  return p;
}

static inline enum tsr_status try_program(struct tsr_arena *a, struct tsr_err *err,
                                          const char *text, void *const *params)
{
  struct tir_code *code = NULL;
  enum tsr_status status = tir_code_new(a, err, program_of(a, text), &code);
  return status == TSR_OK ? tir_code_run(code, a, err, params) : status;
}

static inline void run_program(struct tsr_arena *a, const char *text, void *const *params)
{
  struct tsr_err err = {0};
  if (try_program(a, &err, text, params) != TSR_OK)
    fail_msg("%s", err.text);
}

#endif

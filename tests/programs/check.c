/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/programs/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/sim/func/state.h"
#include "verify/verify.h"

enum { MOST_WINDOW = 1 << 20 };

static const int kinds[DEFECT_COUNT] = {
#define DEFECT(name, text, finding, meaning) [DEFECT_##name] = finding,
#include "tests/programs/defects.def"
#undef DEFECT
};

static const int pads[] = {TSR_BUFFER_UOP, TSR_BUFFER_INP, TSR_BUFFER_WGT,
                           TSR_BUFFER_ACC, TSR_BUFFER_OUT, TSR_BUFFER_LUT};
enum { PADS = sizeof pads / sizeof pads[0] };

const char *verdict_text(enum verdict verdict)
{
  static const char *const texts[] = {
      [FINE] = "fine",
      [NOT_CLEAN] = "the verifier has a finding",
      [TRAPPED] = "it stops early",
      [REPORTED] = "the detector has a report",
      [PATH_BITS] = "a path gives other bits",
      [ORDER_BITS] = "an order gives other bits",
      [MISSED] = "the verifier does not have the finding",
      [UNSEEN] = "the detector sees nothing",
      [DISAGREE] = "the detector reports what the verifier does not find",
  };
  return texts[verdict];
}

const char *check_point(uint64_t seed)
{
  return tsr_design_names()[seed % CHECK_POINTS];
}

enum defect check_defect(uint64_t seed)
{
  return (enum defect)(1 + seed / CHECK_POINTS % (DEFECT_COUNT - 1));
}

void bench_open(struct bench *bench, const char *point)
{
  struct tsr_err err;
  memset(bench, 0, sizeof *bench);
  if (tsr_design_parse(&err, point, tsr_design_json(point), &bench->design))
    abort();
  bench->func = tsr_func_new(NULL, &bench->design);
  bench->state_bytes = MOST_WINDOW;
  for (int k = 0; k < PADS; k++) {
    size_t bytes;
    tsr_func_scratchpad(bench->func, pads[k], &bytes);
    bench->state_bytes += bytes;
  }
  bench->window = malloc(MOST_WINDOW);
  bench->expected = malloc(bench->state_bytes);
  if (!bench->func || !bench->window || !bench->expected)
    abort();
}

void bench_close(struct bench *bench)
{
  tsr_func_free(bench->func);
  free(bench->window);
  free(bench->expected);
}

/* ---- runs ---- */

static void ready(struct bench *bench, const struct tsr_program *p)
{
  if (p->window_bytes > MOST_WINDOW)
    abort();
  tsr_func_reset(bench->func);
  memset(bench->window, 0, p->window_bytes);
  memcpy(bench->window, p->data, p->data_bytes);
}

static void keep(struct bench *bench, const struct tsr_program *p)
{
  uint8_t *to = bench->expected;
  for (int k = 0; k < PADS; k++) {
    size_t bytes;
    const void *from = tsr_func_scratchpad(bench->func, pads[k], &bytes);
    memcpy(to, from, bytes);
    to += bytes;
  }
  memcpy(to, bench->window, p->window_bytes);
}

/* What differs from what was kept; NULL if nothing does. */
static const char *differs(struct bench *bench, const struct tsr_program *p)
{
  const uint8_t *expected = bench->expected;
  for (int k = 0; k < PADS; k++) {
    size_t bytes;
    const void *found = tsr_func_scratchpad(bench->func, pads[k], &bytes);
    if (memcmp(expected, found, bytes))
      return tsr_buffer_name(pads[k]);
    expected += bytes;
  }
  return memcmp(expected, bench->window, p->window_bytes) ? "DRAM" : NULL;
}

static enum tsr_trap run(struct bench *bench, const struct tsr_program *p)
{
  struct tsr_func_result result;
  ready(bench, p);
  enum tsr_trap trap = tsr_func_run(bench->func, p->insns, p->insn_count, bench->window,
                                    p->window_bytes, &result);
  snprintf(bench->text, sizeof bench->text, "%s", result.text);
  return trap;
}

static enum tsr_trap detect(struct bench *bench, const struct tsr_program *p, uint64_t seed,
                            struct tsr_detect *out)
{
  struct tsr_func_result result;
  ready(bench, p);
  if (tsr_func_detect(bench->func, p->insns, p->insn_count, bench->window, p->window_bytes, seed,
                      &result, out))
    abort();
  snprintf(bench->text, sizeof bench->text, "%s", out->count ? out->list[0].text : result.text);
  return result.trap;
}

static enum verdict check_paths(struct bench *bench, const struct tsr_program *p)
{
  tsr__func_limit(bench->func, TSR__REFERENCE);
  enum tsr_trap trap = run(bench, p);
  keep(bench, p);
  const char *where = NULL;
  for (enum tsr__path path = TSR__PLAIN; !where && path <= TSR__AVX512; path++)
    if (tsr__func_limit(bench->func, path) == path && trap == TSR_TRAP_NONE) {
      trap = run(bench, p);
      where = differs(bench, p);
      if (where)
        snprintf(bench->text, sizeof bench->text, "path %d differs in %s", (int)path, where);
    }
  tsr__func_limit(bench->func, TSR__AVX512);
  return trap != TSR_TRAP_NONE ? TRAPPED : where ? PATH_BITS : FINE;
}

static enum verdict check_orders(struct bench *bench, const struct tsr_program *p, uint64_t seed)
{
  for (uint64_t order = 0; order < CHECK_ORDERS; order++) {
    struct tsr_detect out;
    if (detect(bench, p, seed + order, &out) != TSR_TRAP_NONE)
      return TRAPPED;
    if (out.count)
      return REPORTED;
    const char *where = differs(bench, p);
    if (!where)
      continue;
    snprintf(bench->text, sizeof bench->text, "order %d differs in %s", (int)order, where);
    return ORDER_BITS;
  }
  return FINE;
}

/* ---- findings ---- */

/* Which kinds there are; `stops`: one that keeps the machine from its end. */
struct found {
  bool any, stops, kind[TSR_FINDING_OVERFLOW + 1];
};

/* Sums that wrap are no defect here. */
static struct found verify(struct bench *bench, const struct tsr_program *p)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  struct tsr_verify_options options = tsr_verify_defaults();
  struct tsr_findings findings;
  struct found found = {0};
  options.overflow = false;
  tsr_verify_with(arena, &bench->design, p, &options, &findings);
  found.any = findings.count;
  for (size_t k = 0; k < findings.listed; k++) {
    enum tsr_finding_kind kind = findings.list[k].kind;
    found.kind[kind] = true;
    found.stops |= kind <= TSR_FINDING_ALIGN && kind != TSR_FINDING_BALANCE;
  }
  if (findings.listed)
    snprintf(bench->text, sizeof bench->text, "%s", findings.list[0].text);
  tsr_arena_free(arena);
  return found;
}

bool check_found(struct bench *bench, const struct tsr_program *program, enum defect defect)
{
  struct found found = verify(bench, program);
  return found.kind[kinds[defect]];
}

static bool lists(const struct tsr_detect *out, int kind)
{
  for (size_t k = 0; k < out->listed; k++)
    if ((int)out->list[k].kind == kind)
      return true;
  return false;
}

bool check_reported(struct bench *bench, const struct tsr_program *program, uint64_t seed,
                    int kind)
{
  struct tsr_detect out;
  return detect(bench, program, seed, &out) == TSR_TRAP_NONE && lists(&out, kind);
}

bool check_wavers(struct bench *bench, const struct tsr_program *program, uint64_t seed)
{
  run(bench, program);
  keep(bench, program);
  for (uint64_t order = 0; order < CHECK_ORDERS; order++) {
    struct tsr_detect out;
    if (detect(bench, program, seed + order, &out) || differs(bench, program))
      return true;
  }
  return false;
}

enum verdict check_valid(struct bench *bench, const struct tsr_program *program, uint64_t seed)
{
  if (verify(bench, program).any)
    return NOT_CLEAN;
  enum verdict verdict = check_paths(bench, program);
  return verdict == FINE ? check_orders(bench, program, seed) : verdict;
}

/* Every report of the detector has a finding that tells the same; a race lets a read come before
 * the write. Of a program that stops early the verifier does not follow the data. */
static bool covered(const struct found *found, const struct tsr_detect *out)
{
  static const int as[] = {[TSR_DETECT_RACE] = TSR_FINDING_RACE,
                           [TSR_DETECT_UNWRITTEN] = TSR_FINDING_UNWRITTEN,
                           [TSR_DETECT_LEFTOVER] = TSR_FINDING_BALANCE};
  for (size_t k = 0; !found->stops && k < out->listed; k++) {
    enum tsr_detect_kind kind = out->list[k].kind;
    bool raced = kind == TSR_DETECT_UNWRITTEN && found->kind[TSR_FINDING_RACE];
    if (!found->kind[as[kind]] && !raced)
      return false;
  }
  return true;
}

bool check_short(const struct generated *g)
{
  return g->defect == DEFECT_TOKEN || g->defect == DEFECT_TOKENS;
}

/* What a defect does to a run: it stops the machine, or the detector reports it. */
static enum verdict check_dynamic(struct bench *bench, const struct generated *g,
                                  const struct found *found, uint64_t seed)
{
  for (uint64_t order = 0; order < CHECK_ORDERS; order++) {
    struct tsr_detect out;
    enum tsr_trap trap = detect(bench, &g->program, seed + order, &out);
    bool seen = check_short(g) ? lists(&out, TSR_DETECT_RACE) : out.count;
    if (trap == TSR_TRAP_NONE && !seen)
      return UNSEEN;
    if (!covered(found, &out))
      return DISAGREE;
  }
  return FINE;
}

enum verdict check_planted(struct bench *bench, const struct generated *g, uint64_t seed)
{
  if (check_short(g) && !g->raced)
    return check_valid(bench, &g->program, seed);
  struct found found = verify(bench, &g->program);
  bool full = g->defect == DEFECT_LEFTOVER && found.kind[TSR_FINDING_DEADLOCK];
  if (!found.kind[kinds[g->defect]] && !full) /* one token more may be too many for the counter */
    return MISSED;
  return check_dynamic(bench, g, &found, seed);
}

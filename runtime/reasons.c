/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/reasons.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/profile/shares.h"
#include "runtime/profile/text.h"

enum { MOST = 5 + TSR_SHARES };

struct reasoning {
  struct tsr_arena *arena;
  const struct tessera_profile_layer *layer;
  struct tessera_explanation *e;
  const char **sentence;
};

static const char *count(const struct reasoning *r, uint64_t v)
{
  return tsr__count_text(r->arena, v);
}

static void say(struct reasoning *r, const char *sentence)
{
  r->sentence[r->e->reasons++] = sentence;
}

/* The engine that is at work longest whatever the schedule: the bound is its. */
static const struct tessera_engine_time *binding(const struct tessera_explanation *e)
{
  const struct tessera_engine_time *best = &e->engine[0];
  for (int k = 1; k < e->engines; k++)
    if (e->engine[k].least_cycles > best->least_cycles)
      best = &e->engine[k];
  return best;
}

static bool computes(const struct tessera_engine_time *engine)
{
  return !strcmp(engine->engine, "matrix") || !strcmp(engine->engine, "vector");
}

static void say_gap(struct reasoning *r, const struct tessera_engine_time *engine)
{
  uint64_t cycles = r->layer->cycles, bound = r->e->bound_cycles;
  if (cycles > bound)
    say(r, tsr_arena_printf(r->arena, "%s cycles are %s more than the bound of %s, which is %s's",
                            count(r, cycles), count(r, cycles - bound), count(r, bound),
                            engine->engine));
  else
    say(r, tsr_arena_printf(
               r->arena,
               "%s cycles are no more than the bound of %s alone: part of its work was done while "
               "the layer before was at work",
               count(r, cycles), count(r, bound)));
}

/* What the schedule gives the engine beyond what any has to. */
static void say_extra(struct reasoning *r, const struct tessera_engine_time *engine)
{
  const struct tessera_explanation *e = r->e;
  uint64_t extra = (uint64_t)(engine->cycles - engine->least_cycles);
  if (engine->cycles < engine->least_cycles + 1)
    return;
  if (computes(engine))
    say(r,
        tsr_arena_printf(r->arena,
                         "%s has %s loop points, %s more than the op needs at the engine's peak: "
                         "channels that fill no block",
                         engine->engine, count(r, (uint64_t)engine->cycles), count(r, extra)));
  else
    say(r,
        tsr_arena_printf(r->arena,
                         "it moves %s bytes where %s are compulsory: what several tiles need comes "
                         "again, and micro-ops come; that takes %s %s cycles more",
                         count(r, e->read_bytes + e->write_bytes),
                         count(r, e->least_read_bytes + e->least_write_bytes), engine->engine,
                         count(r, extra)));
}

/* Cycles in which the engine is seen at work; vector is not where matrix is, too. */
static uint64_t busy_of(const struct reasoning *r, const struct tessera_engine_time *engine)
{
  const uint64_t *share = r->layer->share;
  if (!strcmp(engine->engine, "matrix"))
    return share[TSR_SHARE_MATRIX];
  return share[TSR_SHARE_MATRIX] ? 0 : share[TSR_SHARE_VECTOR];
}

/* Those beyond its loop points: between and around instructions. */
static void say_starts(struct reasoning *r, const struct tessera_engine_time *engine)
{
  uint64_t busy = busy_of(r, engine), points = (uint64_t)engine->cycles;
  if (!computes(engine) || busy <= points)
    return;
  say(r,
      tsr_arena_printf(r->arena,
                       "%s is at work in %s cycles for %s loop points: the start and the end of "
                       "its instructions take %s",
                       engine->engine, count(r, busy), count(r, points), count(r, busy - points)));
}

/* Where the bus has most to do: cycles in which products are made and nothing is moved beside them.
 * What is moved while nobody computes is known; the rest of what it has to move came beside. */
static void say_unhidden(struct reasoning *r, const struct tessera_engine_time *engine)
{
  const uint64_t *share = r->layer->share;
  double compute = (double)(share[TSR_SHARE_MATRIX] + share[TSR_SHARE_VECTOR]);
  double alone = (double)(share[TSR_SHARE_LOAD] + share[TSR_SHARE_STORE]);
  double beside = engine->cycles > alone ? engine->cycles - alone : 0;
  if (computes(engine) || compute < beside + 1)
    return;
  say(r,
      tsr_arena_printf(r->arena,
                       "in about %s of its cycles (%.1f %%) matrix or vector works and nothing is "
                       "moved: no next tile's operands are there to be loaded, or no room for them",
                       count(r, (uint64_t)(compute - beside)),
                       100 * (compute - beside) / (double)r->layer->cycles));
}

static void say_single(struct reasoning *r)
{
  if (r->e->tiles == 1 && r->layer->cycles > r->e->bound_cycles)
    say(r,
        "it is a single tile: its loads, its products and its store follow each other, and overlap "
        "with other layers only");
}

struct lost {
  uint64_t cycles;
  const char *why;
};

static int most_first(const void *a, const void *b)
{
  const struct lost *x = a, *y = b;
  if (x->cycles != y->cycles)
    return x->cycles > y->cycles ? -1 : 1;
  return strcmp(x->why, y->why);
}

/* Work of the engine that the bound is of is no loss; nor is what runs beside it. */
static bool is_loss(const struct tessera_engine_time *engine, enum tsr_share share)
{
  if (share == TSR_SHARE_VECTOR)
    return !strcmp(engine->engine, "matrix");
  if (share == TSR_SHARE_STORE && !strcmp(engine->engine, "pins"))
    return false;
  return share != TSR_SHARE_LOAD || computes(engine);
}

static void say_losses(struct reasoning *r, const struct tessera_engine_time *engine)
{
  struct lost lost[TSR_SHARES] = {{0, ""}};
  int n = 0;
#define TSR_REASON(name, text)                                                                     \
  if (is_loss(engine, TSR_SHARE_##name) && r->layer->share[TSR_SHARE_##name])                      \
    lost[n++] = (struct lost){r->layer->share[TSR_SHARE_##name], text};
#include "runtime/reasons.def"
#undef TSR_REASON
  qsort(lost, (size_t)n, sizeof lost[0], most_first);
  for (int k = 0; k < n; k++)
    say(r, tsr_arena_printf(r->arena, "in %s of its cycles (%.1f %%) %s", count(r, lost[k].cycles),
                            100 * (double)lost[k].cycles / (double)r->layer->cycles, lost[k].why));
}

void tsr__give_reasons(struct tsr_arena *arena, const struct tessera_profile_layer *layer,
                       struct tessera_explanation *e)
{
  struct reasoning r = {arena, layer, e, TSR_NEW_ARRAY(arena, const char *, MOST + 1)};
  const struct tessera_engine_time *engine = binding(e);
  e->reason = r.sentence;
  e->cycles = layer->cycles;
  say_gap(&r, engine);
  say_extra(&r, engine);
  say_starts(&r, engine);
  say_single(&r);
  say_unhidden(&r, engine);
  say_losses(&r, engine);
}

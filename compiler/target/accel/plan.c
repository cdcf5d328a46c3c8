/* SPDX-License-Identifier: Apache-2.0 */
/* The schedule of a blocked node: what was found before, or the tiling that takes the fewest cycles.
 *
 * A tiling is measured as the stream that it becomes, alone and behind itself: half of what the program
 * takes twice in one stream, the second time with the input where the first put its result, so that what
 * it waits for and what it can do early are as in a network. */
#include <inttypes.h>
#include <string.h>

#include "compiler/target/accel/plan.h"

/* Of the tilings, and of what becomes of a schedule: another number, other records of the cache. */
enum { VERSION = 13 };

struct planner {
  const struct tsr_accel_plan *plan;
  struct tsr__problem problem;
  size_t count;
  struct tsr__tiling *tiling;
};

/* --- when nothing fits ------------------------------------------------------------------------ */

/* Of the standing design points with room for so many entries, the one with the smallest scratchpads. */
static const char *point_for(struct tsr_arena *a, const struct tsr_accel_group *g,
                             const struct tsr__need *n)
{
  const char *name = NULL;
  int64_t least = INT64_MAX;
  for (const char *const *point = tsr_design_names(); *point; point++) {
    struct tsr_design d;
    if (tsr_design_open(a, NULL, *point, &d))
      continue;
    struct tsr__problem there = tsr__problem_of(a, g, &d);
    int64_t bytes = (there.inp + there.out_entries + 8 * there.acc) * there.entry +
                    there.wgt * there.weight_entry;
    bool fits = n->inp <= there.inp && n->wgt <= there.wgt && n->acc <= there.acc &&
                n->out <= there.out_entries;
    if (fits && bytes < least) {
      least = bytes;
      name = *point;
    }
  }
  return name;
}

static enum tsr_status refuse_capacity(struct tsr_arena *a, struct tsr_err *err,
                                       const struct tsr_accel_group *g,
                                       const struct tsr__problem *p, const struct tsr_design *d)
{
  struct tsr__tiling one = {.tile = {1, 1, 1, 1}, .slice = 1, .sliced = p->summed > 1};
  struct tsr__need n = tsr__tiling_need(p, &one);
  const char *point = point_for(a, g, &n);
  const struct {
    const char *key;
    int64_t need, have, entry;
  } row[] = {{"inp_bytes", n.inp, p->inp, p->entry},
             {"wgt_bytes", n.wgt, p->wgt, p->weight_entry},
             {"acc_bytes", 2 * n.acc, 2 * p->acc, 4 * p->entry},
             {"out_bytes", n.out, p->out_entries, p->entry}};
  for (int k = 0; k < 4; k++)
    if (row[k].need > row[k].have)
      return tsr_refuse(
          err, "design point %s cannot hold one tile: %s is %lld, and %lld are needed; %s%s",
          d->name, row[k].key, (long long)(row[k].have * row[k].entry),
          (long long)(row[k].need * row[k].entry),
          point ? "it would fit at design point " : "no standing design point could",
          point ? point : "");
  return tsr_refuse(err, "design point %s has no tiling for it", d->name);
}

/* --- measuring -------------------------------------------------------------------------------- */

/* Of a buffer, on the widest beat. */
static uint64_t room_of(const struct tir_buffer *b)
{
  uint64_t bytes = (uint64_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
  return (bytes + 127) / 128 * 128;
}

/* Where a resident parameter lies in INP: all of them behind each other, and behind what the layer has for
 * itself; the second time the other way round, so that the first operand ends where the result did. */
static struct tsr__place resident_place(const struct tsr_design *d, const struct tsr_accel_group *g,
                                        const struct tsr_accel_resident *r, bool again)
{
  uint32_t at = g->inp_to - g->inp_from;
  int k = again ? g->residents - 1 : 0;
  for (; g->resident[k] != r; k += again ? -1 : 1)
    at += g->resident[k]->entries;
  return tsr__resident_place(d, r, at);
}

/* Of each parameter of a group's program, whether it is resident. */
static const struct tsr_accel_resident **residents(struct tsr_arena *a,
                                                   const struct tsr_accel_group *g, int *count)
{
  int inputs;
  struct tsr_value **in = tsr_accel_group_inputs(a, g, &inputs);
  const struct tsr_accel_resident **list =
      TSR_NEW_ARRAY(a, const struct tsr_accel_resident *, inputs + 1);
  for (int k = 0; k < inputs; k++)
    list[k] = tsr_accel_resident_of(g, in[k]);
  list[inputs] = tsr_accel_resident_of(g, g->node[g->nodes - 1]->out[0]);
  *count = inputs + 1;
  return list;
}

/* Places of the program's parameters: addresses in the window, but for what is resident. x is the input's;
 * the others follow behind `next`, which moves on. */
static void place_parameters(const struct tsr__stream *s, const struct tsr_accel_group *g,
                             const struct tir_program *p, bool again, uint64_t x, uint64_t *next,
                             struct tsr__place *place)
{
  int count;
  const struct tsr_accel_resident **resident = residents(s->arena, g, &count);
  for (int k = 0; k < p->params; k++) {
    if (resident[k]) {
      place[k] = resident_place(s->design, g, resident[k], again);
      continue;
    }
    place[k] = (struct tsr__place){.base = BASE_ACTIVATION, .dram = k ? *next : x};
    if (k)
      *next += room_of(p->param[k]);
  }
}

/* The program twice. */
static enum tsr_status walk_twice(struct tsr__stream *stream, struct tsr_err *err,
                                  const struct tsr_accel_group *g, const struct tir_program *p,
                                  uint64_t *activations)
{
  struct tsr__place *place = TSR_NEW_ARRAY(stream->arena, struct tsr__place, p->params + 1);
  uint64_t input = room_of(p->param[0]), next = input, end;
  if (g->shares)
    stream->inp_to = g->inp_to - g->inp_from;
  place_parameters(stream, g, p, false, 0, &next, place);
  enum tsr_status status = tsr__walk_program(stream, err, p, place);
  end = next; /* the result, which is the last parameter, ends here: so does the second input */
  place_parameters(stream, g, p, true, end > input ? end - input : 0, &next, place);
  if (!status)
    status = tsr__walk_program(stream, err, p, place);
  tsr__stream_end(stream);
  *activations = next;
  return status;
}

static struct tir_sched *new_schedule(struct tsr_arena *a, const struct tsr_accel_plan *plan)
{
  struct tir_sched *s = tir_sched_new(a, plan->group->func);
  tir_sched_intrinsics(s, plan->planning->intrinsics);
  return s;
}

static enum tsr_status lower_tiling(struct tsr_arena *a, const struct planner *m,
                                    const struct tsr__tiling *t, struct tir_program **out)
{
  struct tir_sched *s = new_schedule(a, m->plan);
  enum tsr_status status = tsr__tiling_schedule(NULL, &m->problem, t, s);
  return status ? status : tir_lower(a, NULL, s, out);
}

static enum tsr_status measure_in(struct tsr_arena *a, const struct planner *m,
                                  const struct tsr__tiling *t, struct tsr_tune_measured *found)
{
  const struct tsr_tune_options *tune = tsr_tune_options_of(m->plan->planning->tune);
  const struct tsr_design *d = m->plan->planning->design;
  struct tir_program *p;
  struct tsr_program out = {.design_hash = d->hash};
  struct tsr__stream *stream = tsr__stream_new(a, d);
  uint64_t activations;
  if (lower_tiling(a, m, t, &p) || walk_twice(stream, NULL, m->plan->group, p, &activations) ||
      tsr__stream_close(stream, NULL, &out.insns, &out.data, &out.data_bytes))
    return TSR_REFUSED;
  found->work = out.insn_count = stream->count;
  found->bytes = (stream->read_bytes + stream->write_bytes + 1) / 2;
  out.window_bytes = out.data_bytes + activations;
  if (tune->effort == TSR_TUNE_NONE)
    return TSR_OK;
  enum tsr_status status = tune->cycles(tune->context, d, &out, &found->cycles);
  found->cycles = status ? 0 : (found->cycles + 1) / 2;
  return status;
}

/* With memory of its own, which ends with it; where that runs out the compiler's unwinds, too. */
static bool measure(void *context, size_t k, struct tsr_tune_measured *out)
{
  const struct planner *m = context;
  struct tsr_arena *a = tsr_arena_new(tsr_arena_allocator(m->plan->planning->arena));
  if (!a || setjmp(*tsr_arena_landing(a))) {
    tsr_arena_free(a);
    tsr_arena_exhausted(m->plan->planning->arena);
  }
  enum tsr_status status = measure_in(a, m, &m->tiling[k], out);
  tsr_arena_free(a);
  if (status == TSR_NO_MEMORY)
    tsr_arena_exhausted(m->plan->planning->arena);
  return !status;
}

/* --- choosing --------------------------------------------------------------------------------- */

static struct tsr_tune_candidate candidate_of(const struct tsr__problem *p,
                                              const struct tsr__tiling *t)
{
  struct tsr__times times = tsr__tiling_times(p, t);
  struct tsr_tune_candidate c = {
      .bound = (uint64_t)tsr__tiling_bound(&times),
      .estimate = (uint64_t)tsr__tiling_estimate(p, t, &times),
      .bytes = (uint64_t)times.bytes,
      .at = {[DIMS] = (int16_t)tsr__ceil_div(tsr__sliced(p)->summed, t->slice),
             [DIMS + 1] = (int16_t)t->order,
             [DIMS + 2] = (int16_t)(t->sliced + 2 * t->stays),
             [DIMS + 3] = t->spans}};
  for (int k = 0; k < DIMS; k++)
    c.at[k] = (int16_t)tsr__tiles(p, t, k);
  return c;
}

static enum tsr_status choose(struct planner *m, struct tsr_err *err, struct tsr_tune_found *out)
{
  struct tsr_arena *a = m->plan->planning->arena;
  m->count = tsr__tilings(a, &m->problem, &m->tiling);
  if (!m->count)
    return refuse_capacity(a, err, m->plan->group, &m->problem, m->plan->planning->design);
  struct tsr_tune_candidate *list = TSR_NEW_ARRAY(a, struct tsr_tune_candidate, m->count);
  for (size_t k = 0; k < m->count; k++)
    list[k] = candidate_of(&m->problem, &m->tiling[k]);
  *out = tsr_tune_search(a, list, m->count, tsr_tune_options_of(m->plan->planning->tune)->effort,
                         measure, m);
  return TSR_OK;
}

/* --- what was found before -------------------------------------------------------------------- */

static void add_dims(struct tsr_text *key, const struct tsr_value *v)
{
  for (int k = 0; k < v->rank; k++)
    tsr_text_add(key, "%c%" PRId64, k ? ',' : ' ', v->dims[k]);
}

static void add_memory(struct tsr_text *key, const struct tsr_design *d)
{
  tsr_text_add(key, " %s %d %d %d %d %d", tsr_memory_model_names[d->memory.model],
               d->memory.latency_cycles, d->memory.bytes_per_cycle, d->memory.reads,
               d->memory.writes, d->clock_mhz);
  if (d->memory.model != TSR_MEMORY_DDR)
    return;
#define TSR_DDR_KEY(name, smallest, largest, unit, meaning)                                        \
  tsr_text_add(key, " %d", d->memory.ddr.name);
#include "configs/ddr.def"
#undef TSR_DDR_KEY
  tsr_text_add(key, " %d", (int)d->memory.ddr.order);
}

/* The node's op, shapes and window. */
static void add_node(struct tsr_text *key, const struct tsr_node *n)
{
  static const struct {
    const char *name;
    int count, otherwise;
  } attribute[] = {{"kernel", 2, 1}, {"strides", 2, 1}, {"pads", 4, 0}, {"dilations", 2, 1}};
  tsr_text_add(key, " %s", tsr_gop_name(n->op));
  for (int k = 0; k < n->inputs; k++)
    add_dims(key, n->in[k]);
  add_dims(key, n->out[0]);
  for (size_t k = 0; k < sizeof attribute / sizeof attribute[0]; k++) {
    int64_t v[4];
    tsr_node_ints(n, attribute[k].name, attribute[k].count, attribute[k].otherwise, v);
    for (int i = 0; i < attribute[k].count; i++)
      tsr_text_add(key, "%c%" PRId64, i ? ',' : ' ', v[i]);
  }
}

/* Which operands are resident and whether the result is, with how much padding; how much of INP is left. */
static void add_residents(struct tsr_text *key, const struct tsr_accel_group *g)
{
  int count;
  const struct tsr_accel_resident **resident = residents(key->arena, g, &count);
  for (int k = 0; k < count; k++)
    if (resident[k])
      tsr_text_add(key, " %d:%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64, k,
                   resident[k]->before[0], resident[k]->before[1], resident[k]->after[0],
                   resident[k]->after[1]);
  if (g->shares)
    tsr_text_add(key, " of %" PRIu32, g->inp_to - g->inp_from);
}

/* All that a schedule and its cycles depend on. */
static const char *key_of(const struct tsr_accel_plan *plan)
{
  const struct tsr_accel_planning *p = plan->planning;
  struct tsr_text key = {.arena = p->arena};
  tsr_text_add(&key, "%d %d", VERSION, (int)tsr_tune_options_of(p->tune)->effort);
  for (int k = 0; k < plan->group->nodes; k++)
    add_node(&key, plan->group->node[k]);
  add_residents(&key, plan->group);
  tsr_text_add(&key, " %016" PRIx64, p->design->hash);
  add_memory(&key, p->design);
  return key.data;
}

static enum tsr_status apply(struct tsr_err *err, struct tir_sched *s, const char *line, int number)
{
  const char *word = line + strspn(line, " \t\r");
  if (!*word || *word == '#' || !tir_sched_apply(s, err, line))
    return TSR_OK;
  return tsr_refuse_at(err, "line %d of its schedule, '%.120s'", number, word);
}

enum tsr_status tsr_accel_replay(struct tsr_arena *a, struct tsr_err *err, const char *text,
                                 struct tir_sched *s)
{
  enum tsr_status status = TSR_OK;
  for (int number = 1; *text && !status; number++) {
    size_t length = strcspn(text, "\n");
    status = apply(err, s, tsr_arena_printf(a, "%.*s", (int)length, text), number);
    text += length + (text[length] == '\n');
  }
  return status;
}

/* False: it is of another compute, or nothing that can be lowered; then it is looked for anew. */
static bool fits(const struct tsr_accel_plan *plan, const char *schedule, struct tir_sched *s)
{
  struct tir_program *program;
  return !tsr_accel_replay(plan->planning->arena, NULL, schedule, s) &&
         !tir_lower(plan->planning->arena, NULL, s, &program);
}

/* --- plan ------------------------------------------------------------------------------------- */

static enum tsr_status search(struct planner *m, struct tsr_err *err, const char *key,
                              struct tsr_accel_found *out)
{
  struct tsr_tune_found found;
  struct tsr_tune_measured tried = {.cycles = 0};
  out->schedule = new_schedule(m->plan->planning->arena, m->plan);
  enum tsr_status status = choose(m, err, &found);
  if (!status)
    status = tsr__tiling_schedule(err, &m->problem, &m->tiling[found.best], out->schedule);
  bool doubtful = m->plan->group->nodes > 1 || m->plan->group->residents;
  if (!status && !found.cycles && doubtful && !measure(m, found.best, &tried))
    status = tsr_refuse(err, "its nodes are no layer together: what a tile needs does not fit");
  if (status)
    return status;
  out->cycles = found.cycles;
  out->cost = tsr_tune_cost(found.cycles, found.bytes);
  if (!found.cycles) { /* it was not measured, or cannot be */
    struct tsr_tune_candidate best = candidate_of(&m->problem, &m->tiling[found.best]);
    out->cost = tsr_tune_cost(best.estimate, best.bytes);
  }
  struct tsr_tune_record record = {tir_sched_text(out->schedule), found.cycles, found.bytes};
  if (key && found.cycles)
    tsr_tune_keep(m->plan->planning->tune, key, &record);
  return TSR_OK;
}

enum tsr_status tsr__accel_plan(const struct tsr_accel_plan *plan, struct tsr_err *err,
                                struct tsr_accel_found *out)
{
  const struct tsr_accel_planning *all = plan->planning;
  struct planner m = {.plan = plan,
                      .problem = tsr__problem_of(all->arena, plan->group, all->design)};
  bool effort = tsr_tune_options_of(all->tune)->effort != TSR_TUNE_NONE;
  const char *key = effort ? key_of(plan) : NULL;
  const struct tsr_tune_record *record = NULL;
  *out = (struct tsr_accel_found){.cycles = 0};
  if (plan->schedule) {
    out->schedule = new_schedule(all->arena, plan);
    return tsr_accel_replay(all->arena, err, plan->schedule, out->schedule);
  }
  enum tsr_status status = key ? tsr_tune_recall(all->tune, err, key, &record) : TSR_OK;
  if (status)
    return status;
  if (record) {
    out->schedule = new_schedule(all->arena, plan);
    out->cycles = record->cycles;
    out->cost = tsr_tune_cost(record->cycles, record->bytes);
    if (fits(plan, record->schedule, out->schedule))
      return TSR_OK;
  }
  return search(&m, err, key, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/profile/profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/profile/graph.h"
#include "runtime/profile/shares.h"

enum { ENGINES = TSR_ENGINE_COUNT + 1, MOST_PATH_INSNS = 16 };

struct part {
  uint64_t cycles, steps;
};

/* What is collected, run by run. */
struct making {
  struct tsr_arena *arena;
  const struct tsr_record *record;
  const struct tsr_module *module;
  struct tessera_profile *out;
  uint64_t (*cycles)[TSR_SHARES]; /* by layer of the module */
  struct part part[ENGINES][TSR_CAUSES];
  uint64_t *insn_cycles;              /* of the critical path, by instruction */
  uint64_t (*engine_cycles)[ENGINES]; /* of it, by layer */
  int *layer_of;                      /* of an instruction; -1: none */
};

/* --- the parts of the whole ------------------------------------------------------------------- */

static void map_layers(struct making *k)
{
  const struct tsr_module *m = k->module;
  k->layer_of = TSR_NEW_ARRAY(k->arena, int, m->insn_count + 1);
  for (size_t i = 0; i <= m->insn_count; i++)
    k->layer_of[i] = -1;
  for (int l = 0; l < m->layers; l++)
    for (size_t i = 0; i < m->layer[l].insns; i++)
      k->layer_of[m->layer[l].first_insn + i] = l;
}

static void take_step(void *context, const struct tsr_path_step *s)
{
  struct making *k = context;
  int layer = k->layer_of[s->insn];
  k->part[s->engine][s->cause].cycles += s->cycles;
  k->part[s->engine][s->cause].steps++;
  k->insn_cycles[s->insn] += s->cycles;
  if (layer >= 0)
    k->engine_cycles[layer][s->engine] += s->cycles;
}

struct question {
  const char *name, *meaning;
  bool asked;
  struct tsr_scenario scenario;
};

/* The what-ifs that have a meaning for this memory. */
static int list_questions(struct tsr__pins pins, struct question *out)
{
  const struct question all[] = {
#define TSR_WHAT_IF(name, text, condition, changes, meaning)                                       \
  {text, meaning, (condition) != 0, {changes}},
#include "runtime/profile/whatifs.def"
#undef TSR_WHAT_IF
  };
  int n = 0;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    if (all[i].asked)
      out[n++] = all[i];
  return n;
}

enum {
#define TSR_WHAT_IF(name, text, condition, changes, meaning) QUESTION_##name,
#include "runtime/profile/whatifs.def"
#undef TSR_WHAT_IF
  MOST_QUESTIONS
};

static void take_run(struct making *k, struct tsr_arena *scratch, const struct tsr_record_run *run,
                     struct tessera_what_if *what_if)
{
  struct question question[MOST_QUESTIONS];
  int n = list_questions(tsr__pins_of(&k->module->design), question);
  struct tsr_graph *graph = tsr_graph_build(scratch, k->record, run);
  tsr_share_cycles(scratch, k->record, run, k->cycles);
  tsr_graph_path(graph, take_step, k);
  for (int i = 0; i < n; i++) {
    what_if[i].name = question[i].name;
    what_if[i].meaning = question[i].meaning;
    what_if[i].cycles += tsr_graph_cycles(graph, &question[i].scenario);
  }
  k->out->what_ifs = n;
  k->out->cycles += run->cycles;
  k->out->fetch_bytes += run->counters[TSR_COUNTER_FETCH_BYTES];
  for (int e = TSR_COUNTER_LOAD_INSNS; e <= TSR_COUNTER_STORE_INSNS; e++)
    k->out->instructions += run->counters[e];
}

struct run_work {
  struct making *making;
  const struct tsr_record_run *run;
  struct tessera_what_if *what_if;
};

/* A graph is large, and lives only as long as its run is looked at. Both arenas unwind to here. */
static void take_run_apart(const struct run_work *w)
{
  struct tsr_arena *arena = w->making->arena;
  struct tsr_arena *scratch = tsr_arena_new(tsr_arena_allocator(arena));
  jmp_buf outer;
  if (!scratch)
    tsr_arena_exhausted(arena);
  memcpy(&outer, tsr_arena_landing(arena), sizeof outer);
  if (setjmp(*tsr_arena_landing(arena)) || setjmp(*tsr_arena_landing(scratch))) {
    tsr_arena_free(scratch);
    memcpy(tsr_arena_landing(arena), &outer, sizeof outer);
    tsr_arena_exhausted(arena);
  }
  take_run(w->making, scratch, w->run, w->what_if);
  tsr_arena_free(scratch);
  memcpy(tsr_arena_landing(arena), &outer, sizeof outer);
}

/* --- rooflines -------------------------------------------------------------------------------- */

double tsr_profile_memory_cycles(const struct tsr_design *d, uint64_t read, uint64_t written)
{
  struct tsr__pins pins = tsr__pins_of(d);
  double beat = tsr_design_beat(d);
  double most = (double)(read > written ? read : written) / beat;
  double both = pins.rate ? (double)(read + written) * (double)pins.per / (double)pins.rate : 0;
  return both > most ? both : most;
}

double tsr_profile_bound(const struct tsr_design *d, const struct tsr_module_layer *l)
{
  double moving = tsr_profile_memory_cycles(d, l->least_read_bytes, l->least_write_bytes);
  double computing = (double)l->least_cycles;
  return computing > moving ? computing : moving;
}

static bool multiplies(const struct making *k, const struct tsr_module_layer *l)
{
  struct tsr_insn insn;
  for (size_t i = l->first_insn; i < l->first_insn + l->insns; i++)
    if (tsr_insn_decode(k->module->insns + i * TSR_INSN_BYTES, &insn) == TSR_TRAP_NONE &&
        insn.opcode == TSR_OP_GEMM)
      return true;
  return false;
}

static double quotient(double a, double b)
{
  return b > 0 ? a / b : 0;
}

static const char *limit_of(const struct making *k, int layer)
{
  int best = -1;
  for (int e = 0; e < ENGINES; e++)
    if (k->engine_cycles[layer][e] &&
        (best < 0 || k->engine_cycles[layer][e] > k->engine_cycles[layer][best]))
      best = e;
  return best < 0 ? "" : tsr_engine_name(best);
}

static void fill_layer(struct making *k, int layer, struct tessera_profile_layer *out)
{
  const struct tsr_design *d = &k->module->design;
  const struct tsr_module_layer *l = &k->module->layer[layer];
  bool matrix = multiplies(k, l);
  double lanes = tsr_design_lanes(d), peak = matrix ? lanes * d->block_in : lanes;
  *out = (struct tessera_profile_layer){
      .name = tsr_arena_strdup(k->arena, l->name),
      .op = tsr_arena_strdup(k->arena, l->op),
      .instructions = l->insns,
      .macs = l->macs,
      .read_bytes = l->dram_read_bytes,
      .write_bytes = l->dram_write_bytes,
      .compulsory_bytes = l->least_read_bytes + l->least_write_bytes,
      .bound_cycles = tsr_profile_bound(d, l),
      .compute_cycles = (double)l->macs / peak,
      .memory_cycles = tsr_profile_memory_cycles(d, l->dram_read_bytes, l->dram_write_bytes),
      .limit = limit_of(k, layer),
      .share = k->cycles[layer],
  };
  for (int s = 0; s < TSR_SHARES; s++)
    out->cycles += k->cycles[layer][s];
  double least = out->compute_cycles > out->memory_cycles ? out->compute_cycles
                                                          : out->memory_cycles;
  out->roofline = quotient(least, (double)out->cycles);
  if (matrix)
    out->utilization = quotient(out->compute_cycles, (double)out->cycles);
}

/* --- the whole -------------------------------------------------------------------------------- */

enum { READ = 1, WRITTEN = 2, KEPT = 4 }; /* of a buffer: by the device; by others, or to the end */

static uint8_t *uses_of_buffers(const struct making *k)
{
  const struct tsr_module *m = k->module;
  uint8_t *uses = TSR_NEW_ARRAY(k->arena, uint8_t, m->buffers + 1);
  for (int l = 0; l < m->layers; l++)
    for (int i = 0; i < m->layer[l].args; i++) {
      bool input = i < m->layer[l].func->inputs;
      uint8_t use = input ? READ : WRITTEN;
      if (!m->layer[l].insns)
        use = input ? KEPT : 0;
      uses[m->layer[l].arg[i]] |= use;
    }
  for (int i = 0; i < m->outputs; i++)
    uses[m->output[i]] |= KEPT;
  return uses;
}

/* What cannot be avoided however layers are joined: constants and what others made are read, what
 * others need is written. */
static uint64_t compulsory_bytes(const struct making *k)
{
  const struct tsr_module *m = k->module;
  const uint8_t *uses = uses_of_buffers(k);
  uint64_t sum = 0;
  for (int i = 0; i < m->buffers; i++) {
    const struct tsr_module_buffer *b = &m->buffer[i];
    uint64_t bytes = (uint64_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
    sum += (uses[i] & READ) && !(uses[i] & WRITTEN) ? bytes : 0;
    sum += (uses[i] & WRITTEN) && (uses[i] & KEPT) ? bytes : 0;
  }
  return sum;
}

static void fill_layers(struct making *k)
{
  const struct tsr_module *m = k->module;
  struct tessera_profile *p = k->out;
  struct tessera_profile_layer *list =
      TSR_NEW_ARRAY(k->arena, struct tessera_profile_layer, m->layers + 1);
  double least = 0, made = 0;
  for (int l = 0; l < m->layers; l++) {
    if (!m->layer[l].insns)
      continue;
    struct tessera_profile_layer *out = &list[p->layers++];
    fill_layer(k, l, out);
    p->macs += out->macs;
    p->read_bytes += out->read_bytes;
    p->write_bytes += out->write_bytes;
    p->bound_cycles += out->bound_cycles;
    p->compute_cycles += out->compute_cycles;
    p->memory_cycles += out->memory_cycles;
    least += out->compute_cycles > out->memory_cycles ? out->compute_cycles : out->memory_cycles;
    made += out->utilization * (double)out->cycles;
  }
  p->layer = list;
  p->compulsory_bytes = compulsory_bytes(k);
  p->roofline = quotient(least, (double)p->cycles);
  p->utilization = quotient(made, (double)p->cycles);
}

static void fill_shares(struct making *k)
{
  static const char *const names[] = {
#define TSR_SHARE(name, text, meaning) text,
#include "runtime/profile/shares.def"
#undef TSR_SHARE
  };
  static const char *const meanings[] = {
#define TSR_SHARE(name, text, meaning) meaning,
#include "runtime/profile/shares.def"
#undef TSR_SHARE
  };
  struct tessera_share *list = TSR_NEW_ARRAY(k->arena, struct tessera_share, TSR_SHARES);
  for (int s = 0; s < TSR_SHARES; s++) {
    list[s] = (struct tessera_share){names[s], meanings[s], 0};
    for (int l = 0; l < k->module->layers; l++)
      list[s].cycles += k->cycles[l][s];
  }
  k->out->share = list;
  k->out->shares = TSR_SHARES;
}

static int by_cycles(const void *a, const void *b)
{
  const struct tessera_path_part *x = a, *y = b;
  if (x->cycles != y->cycles)
    return x->cycles > y->cycles ? -1 : 1;
  return strcmp(x->engine, y->engine) ? strcmp(x->engine, y->engine) : strcmp(x->cause, y->cause);
}

static void fill_path(struct making *k)
{
  struct tessera_path_part *list =
      TSR_NEW_ARRAY(k->arena, struct tessera_path_part, ENGINES * TSR_CAUSES);
  int n = 0;
  for (int e = 0; e < ENGINES; e++)
    for (int c = 0; c < TSR_CAUSES; c++)
      if (k->part[e][c].steps)
        list[n++] = (struct tessera_path_part){tsr_engine_name(e), tsr_cause_name(c),
                                               tsr_cause_meaning(c), k->part[e][c].cycles,
                                               k->part[e][c].steps};
  qsort(list, (size_t)n, sizeof *list, by_cycles);
  k->out->path_part = list;
  k->out->path_parts = n;
}

static struct tessera_path_insn path_insn(struct making *k, size_t index)
{
  struct tsr_insn insn;
  int layer = k->layer_of[index];
  bool decodes = tsr_insn_decode(k->module->insns + index * TSR_INSN_BYTES, &insn) == TSR_TRAP_NONE;
  return (struct tessera_path_insn){
      .instruction = index,
      .engine = decodes ? tsr_engine_name(tsr_insn_engine(&insn)) : "",
      .layer = layer < 0 ? "" : tsr_arena_strdup(k->arena, k->module->layer[layer].name),
      .text = decodes ? tsr_insn_text(k->arena, &insn) : "",
      .cycles = k->insn_cycles[index],
  };
}

/* Those with the most cycles, the largest first, of equal ones the earlier. */
static void fill_path_insns(struct making *k)
{
  size_t best[MOST_PATH_INSNS];
  int n = 0;
  for (size_t i = 0; i < k->module->insn_count; i++) {
    uint64_t cycles = k->insn_cycles[i];
    if (!cycles || (n == MOST_PATH_INSNS && cycles <= k->insn_cycles[best[n - 1]]))
      continue;
    int at = n < MOST_PATH_INSNS ? n++ : n - 1;
    for (; at && k->insn_cycles[best[at - 1]] < cycles; at--)
      best[at] = best[at - 1];
    best[at] = i;
  }
  struct tessera_path_insn *list = TSR_NEW_ARRAY(k->arena, struct tessera_path_insn, n + 1);
  for (int i = 0; i < n; i++)
    list[i] = path_insn(k, best[i]);
  k->out->path_insn = list;
  k->out->path_insns = n;
}

static const char *memory_text(struct tsr_arena *arena, const struct tsr_design *d)
{
  if (d->memory.model == TSR_MEMORY_IDEAL)
    return "ideal";
  if (d->memory.model == TSR_MEMORY_SIMPLE)
    return tsr_arena_printf(arena, "simple, %d cycles of latency, %d bytes a cycle",
                            d->memory.latency_cycles, d->memory.bytes_per_cycle);
  const struct tsr_ddr *ddr = &d->memory.ddr;
  return tsr_arena_printf(arena, "ddr, %d channel%s of %d bits, a tick of %d ps, %s", ddr->channels,
                          ddr->channels == 1 ? "" : "s", ddr->bus_bits, ddr->tCK_ps,
                          tsr_ddr_order_names[ddr->order]);
}

static void fill_head(struct making *k)
{
  const struct tsr_design *d = &k->module->design;
  struct tsr__pins pins = tsr__pins_of(d);
  double beat = tsr_design_beat(d);
  double rate = pins.rate ? (double)pins.rate / (double)pins.per : beat;
  k->out->model = tsr_arena_strdup(k->arena, k->module->name);
  k->out->config = tsr_arena_strdup(k->arena, d->name);
  k->out->memory = memory_text(k->arena, d);
  k->out->clock_mhz = d->clock_mhz;
  k->out->peak_macs = (double)tsr_design_lanes(d) * d->block_in;
  k->out->peak_bytes = rate < beat ? rate : beat;
}

struct tessera_profile *tsr_profile_make(struct tsr_arena *arena, const struct tsr_record *record)
{
  const struct tsr_module *m = record->module;
  struct making *k = TSR_NEW(arena, struct making);
  struct tessera_what_if *what_if = TSR_NEW_ARRAY(arena, struct tessera_what_if, MOST_QUESTIONS);
  *k = (struct making){.arena = arena, .record = record, .module = m};
  k->out = TSR_NEW(arena, struct tessera_profile);
  k->cycles = (void *)TSR_NEW_ARRAY(arena, uint64_t, (size_t)(m->layers + 1) * TSR_SHARES);
  k->engine_cycles = (void *)TSR_NEW_ARRAY(arena, uint64_t, (size_t)(m->layers + 1) * ENGINES);
  k->insn_cycles = TSR_NEW_ARRAY(arena, uint64_t, m->insn_count + 1);
  map_layers(k);
  for (size_t r = 0; r < record->runs; r++)
    take_run_apart(&(struct run_work){k, &record->run[r], what_if});
  k->out->what_if = what_if;
  fill_head(k);
  fill_layers(k);
  fill_shares(k);
  fill_path(k);
  fill_path_insns(k);
  return k->out;
}

const struct tessera_profile_layer *tsr_profile_layer(const struct tessera_profile *p,
                                                      const char *name)
{
  for (int l = 0; l < p->layers; l++)
    if (!strcmp(p->layer[l].name, name))
      return &p->layer[l];
  return NULL;
}

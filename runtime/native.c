/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/native.h"

#include "native/parallel.h"

static const char *name_of(int level)
{
  return level == TSR_LEVEL_NONE ? "none" : tsr_level_info((enum tsr_level)level)->name;
}

static enum tsr_status not_there(struct tsr_arena *arena, struct tsr_err *err,
                                 const struct tsr_module *m, enum tsr_level level, int blocks,
                                 const struct tsr_code_block *block)
{
  struct tsr_text list = {.arena = arena};
  for (int i = 0; i < blocks; i++)
    tsr_text_add(&list, "%s'%s'", i ? ", " : "", name_of((int)block[i].level));
  if (!blocks)
    return tsr_refuse(err, "'%s' has no machine code for '%s', nor for any other level", m->name,
                      name_of((int)level));
  return tsr_refuse(err, "'%s' has no machine code for '%s'; it has %s", m->name,
                    name_of((int)level), list.data);
}

static bool has_cpu_layers(const struct tsr_module *m)
{
  for (int i = 0; i < m->steps; i++)
    if (m->step[i].kind == TSR_STEP_CPU)
      return true;
  return false;
}

static uint64_t most_scratch(const struct tsr_code_block *b, int threads)
{
  uint64_t most = 0;
  for (int i = 0; i < b->layers; i++) {
    uint64_t one = tsr_code_scratch(&b->layer[i], threads);
    most = one > most ? one : most;
  }
  return most;
}

static enum tsr_status count_threads(struct tsr_err *err, int wanted, int *out)
{
  int cores = tsr_cores();
  *out = wanted ? wanted : tsr_threads();
  if (wanted >= 0 && wanted <= cores)
    return TSR_OK;
  return tsr_refuse(err, "%d threads are asked for; 1 to %d can be had, one for each core", wanted,
                    cores);
}

enum tsr_status tsr__native_choose(struct tsr_arena *arena, struct tsr_err *err,
                                   const struct tsr_module *m, const struct tsr_cpu_choice *choice,
                                   struct tsr__native *out)
{
  int blocks, machine = tsr_level_of_machine();
  struct tsr_code_block *block;
  *out = (struct tsr__native){.block = NULL};
  if (count_threads(err, choice->threads, &out->threads))
    return TSR_REFUSED;
  if (choice->way == TSR_CPU_INTERPRETER || !has_cpu_layers(m))
    return TSR_OK;
  bool forced = choice->way == TSR_CPU_LEVEL;
  if (forced && (int)choice->level > machine)
    return tsr_refuse(err, "this CPU does not have '%s'; the highest level that it has is '%s'",
                      name_of((int)choice->level), name_of(machine));
  if (tsr_code_read(arena, err, &m->code, m->layers, &blocks, &block))
    return TSR_REFUSED;
  out->block = tsr_code_choose(blocks, block, forced ? (int)choice->level : machine, forced);
  if (forced && !out->block)
    return not_there(arena, err, m, choice->level, blocks, block);
  if (out->block)
    out->scratch = tsr_arena_alloc(arena, most_scratch(out->block, out->threads) + TSR_CODE_ALIGNMENT);
  return TSR_OK;
}

enum tsr_status tsr__native_map(struct tsr_err *err, struct tsr__native *native)
{
  return native->block ? tsr_code_map(err, native->block, &native->mapping) : TSR_OK;
}

void tsr__native_close(struct tsr__native *native)
{
  tsr_code_unmap(&native->mapping);
}

tsr_code_function *tsr__native_layer(const struct tsr__native *native, int layer)
{
  return native->block ? tsr_code_entry(&native->mapping, &native->block->layer[layer]) : NULL;
}

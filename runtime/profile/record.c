/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/profile/record.h"

#include <assert.h>
#include <string.h>

void tsr_record_open(struct tsr_record *record, const struct tsr_allocator *allocator,
                     const struct tsr_module *module)
{
  *record = (struct tsr_record){.allocator = allocator, .module = module};
}

void tsr_record_close(struct tsr_record *record)
{
  void *parts[] = {record->insn, record->span, record->burst, record->token, record->run};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (parts[i])
      tsr_resize(record->allocator, parts[i], 0);
  *record = (struct tsr_record){.allocator = record->allocator, .module = record->module};
}

void tsr_record_forget(struct tsr_record *record)
{
  record->spans = record->bursts = record->tokens = record->runs = 0;
  record->no_memory = false;
  if (record->insn)
    memset(record->insn, 0, record->module->insn_count * sizeof *record->insn);
}

/* Room for one more of `count`; NULL: none, and the record says so. */
static void *room_for(struct tsr_record *record, void *array, size_t count, size_t *room,
                      size_t size)
{
  if (count < *room)
    return array;
  size_t wanted = *room ? 2 * *room : 256;
  void *bigger = wanted <= SIZE_MAX / size ? tsr_resize(record->allocator, array, wanted * size)
                                           : NULL;
  if (bigger)
    *room = wanted;
  else
    record->no_memory = true;
  return bigger;
}

/* Adds an item to an array of the record, unless there is no memory. */
#define KEEP(record, list, item)                                                                   \
  do {                                                                                             \
    void *place = room_for((record), (record)->list, (record)->list##s, &(record)->list##_room,    \
                           sizeof *(record)->list);                                                \
    if (place) {                                                                                   \
      (record)->list = place;                                                                      \
      (record)->list[(record)->list##s++] = (item);                                                \
    }                                                                                              \
  } while (0)

static bool recording(const struct tsr_record *record)
{
  return record->runs && !record->no_memory;
}

static size_t first_insn(const struct tsr_record *record)
{
  return record->run[record->runs - 1].first_insn;
}

static void start(void *context, const uint8_t *insns, size_t insn_count)
{
  struct tsr_record *record = context;
  const struct tsr_module *m = record->module;
  size_t all = m->insn_count;
  if (!record->insn) {
    record->insn = tsr_resize(record->allocator, NULL, (all + 1) * sizeof *record->insn);
    if (!record->insn)
      record->no_memory = true;
    else
      memset(record->insn, 0, (all + 1) * sizeof *record->insn);
  }
  struct tsr_record_run run = {.first_insn = (size_t)(insns - m->insns) / TSR_INSN_BYTES,
                               .insns = insn_count,
                               .first_span = record->spans,
                               .first_burst = record->bursts,
                               .first_token = record->tokens};
  KEEP(record, run, run);
}

static void end(void *context, const struct tsr_run_result *result)
{
  struct tsr_record *record = context;
  if (!recording(record))
    return;
  struct tsr_record_run *run = &record->run[record->runs - 1];
  memcpy(run->counters, result->counters, sizeof run->counters);
  run->cycles = result->counters[TSR_COUNTER_CYCLES];
  run->spans = record->spans - run->first_span;
  run->bursts = record->bursts - run->first_burst;
  run->tokens = record->tokens - run->first_token;
}

static void insn(void *context, const struct tsr_cycle_insn *told)
{
  struct tsr_record *record = context;
  if (!recording(record))
    return;
  size_t index = first_insn(record) + told->insn;
  assert(index < record->module->insn_count);
  record->insn[index] = *told;
  record->insn[index].insn = index;
}

static void span(void *context, const struct tsr_cycle_span *told)
{
  struct tsr_record *record = context;
  if (!recording(record))
    return;
  struct tsr_cycle_span kept = *told;
  kept.insn += first_insn(record);
  KEEP(record, span, kept);
}

static void burst(void *context, const struct tsr_cycle_burst *told)
{
  struct tsr_record *record = context;
  if (recording(record))
    KEEP(record, burst, *told);
}

static void tokens(void *context, uint64_t cycle, int from, int to, int count)
{
  struct tsr_record *record = context;
  struct tsr_record_token kept = {cycle, (int8_t)from, (int8_t)to, count};
  if (recording(record))
    KEEP(record, token, kept);
}

struct tsr_device_observer tsr_record_observer(struct tsr_record *record)
{
  return (struct tsr_device_observer){start, end, insn, span, burst, tokens, record};
}

bool tsr_record_has_layer(const struct tsr_record_run *run, const struct tsr_module_layer *layer)
{
  return layer->insns && layer->first_insn >= run->first_insn &&
         layer->first_insn < run->first_insn + run->insns;
}

uint64_t tsr_record_layer_end(const struct tsr_record *record, const struct tsr_module_layer *layer,
                              uint64_t before)
{
  uint64_t end = before;
  for (size_t i = 0; i < layer->insns; i++) {
    uint64_t retired = record->insn[layer->first_insn + i].retired;
    end = retired > end ? retired : end;
  }
  return end;
}

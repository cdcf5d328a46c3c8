/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/machine.h"

#include "tools/layers.h"
#include "tools/table.h"

static const char *giga_text(double per_s, char out[static COUNT_TEXT])
{
  snprintf(out, COUNT_TEXT, "%.1f", per_s * 1e-9);
  return out;
}

static void print_peaks(const struct tessera_machine *m)
{
  struct table table = {.columns = 5, .alignment = "lllrr"};
  char threads[COUNT_TEXT], rate[COUNT_TEXT];
  int bad = table_add(&table,
                      (const char *const[]){"level", "dtype", "instructions", "threads", "GOP/s"});
  for (int k = 0; k < m->peaks && !bad; k++) {
    const struct tessera_machine_peak *p = &m->peak[k];
    bad = table_add(&table,
                    (const char *const[]){p->level, tessera_dtype_name(p->dtype), p->instructions,
                                          count_text((uint64_t)p->threads, threads),
                                          giga_text(p->ops_per_s, rate)});
  }
  table_end(&table, bad);
}

static void print_bandwidths(const struct tessera_machine *m)
{
  struct table table = {.columns = 5, .alignment = "lrrrr"};
  char bytes[COUNT_TEXT], threads[COUNT_TEXT], read[COUNT_TEXT], copy[COUNT_TEXT];
  int bad = table_add(&table, (const char *const[]){"place", "bytes a thread", "threads",
                                                    "read, GB/s", "copy, GB/s"});
  for (int k = 0; k < m->bandwidths && !bad; k++) {
    const struct tessera_machine_bandwidth *b = &m->bandwidth[k];
    bad = table_add(&table, (const char *const[]){b->place, count_text(b->bytes, bytes),
                                                  count_text((uint64_t)b->threads, threads),
                                                  giga_text(b->read_bytes_per_s, read),
                                                  giga_text(b->copy_bytes_per_s, copy)});
  }
  table_end(&table, bad);
}

void print_machine(const struct tessera_machine *machine)
{
  printf("%d core%s\n\n", machine->cores, machine->cores == 1 ? "" : "s");
  print_peaks(machine);
  printf("\n");
  print_bandwidths(machine);
}

static json_t *peak_json(const struct tessera_machine_peak *p)
{
  return json_pack("{s:s, s:s, s:s, s:i, s:f}", "level", p->level, "dtype",
                   tessera_dtype_name(p->dtype), "instructions", p->instructions, "threads",
                   p->threads, "ops_per_s", p->ops_per_s);
}

static json_t *bandwidth_json(const struct tessera_machine_bandwidth *b)
{
  return json_pack("{s:s, s:I, s:i, s:f, s:f}", "place", b->place, "bytes", (json_int_t)b->bytes,
                   "threads", b->threads, "read_bytes_per_s", b->read_bytes_per_s,
                   "copy_bytes_per_s", b->copy_bytes_per_s);
}

json_t *machine_json(const struct tessera_machine *machine)
{
  json_t *root = json_object(), *peaks = json_array(), *bandwidths = json_array();
  put_count(root, "cores", (uint64_t)machine->cores);
  for (int k = 0; k < machine->peaks; k++)
    json_array_append_new(peaks, peak_json(&machine->peak[k]));
  for (int k = 0; k < machine->bandwidths; k++)
    json_array_append_new(bandwidths, bandwidth_json(&machine->bandwidth[k]));
  json_object_set_new(root, "peaks", peaks);
  json_object_set_new(root, "bandwidths", bandwidths);
  return root;
}

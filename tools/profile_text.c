/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/profile_text.h"

#include <inttypes.h>
#include <string.h>

#include "tools/table.h"

static void end_table(struct table *table, int bad)
{
  table_end(table, bad);
  printf("\n");
}

static void print_head(const struct tessera_profile *p)
{
  char count[COUNT_TEXT], plain[128];
  printf("%s, ", plain_text(p->model, plain, sizeof plain));
  printf("design point %s, ", plain_text(p->config, plain, sizeof plain));
  printf("memory %s\n", plain_text(p->memory, plain, sizeof plain));
  printf("%s cycles, %.3f ms each inference at %d MHz; ", count_text(p->cycles, count),
         (double)p->cycles / (1e3 * p->clock_mhz), p->clock_mhz);
  printf("%.1f %% of the matrix engine, %.1f %% of the layers' rooflines\n\n", 100 * p->utilization,
         100 * p->roofline);
}

static void print_stack(const struct tessera_profile *p)
{
  struct table table = {.columns = 4, .alignment = "lrrl"};
  char count[COUNT_TEXT], percent[COUNT_TEXT];
  int bad = table_add(&table, (const char *const[]){"a cycle goes to", "cycles", "share", ""});
  for (int k = 0; k < p->shares && !bad; k++) {
    const struct tessera_share *s = &p->share[k];
    bad = table_add(
        &table, (const char *const[]){s->name, count_text(s->cycles, count),
                                      percent_text((double)s->cycles, (double)p->cycles, percent),
                                      s->meaning});
  }
  end_table(&table, bad);
}

static int add_layer(struct table *table, const struct tessera_profile *p,
                     const struct tessera_profile_layer *l)
{
  char cycles[COUNT_TEXT], share[COUNT_TEXT], macs[COUNT_TEXT], used[COUNT_TEXT], roof[COUNT_TEXT];
  char bytes[COUNT_TEXT], gap[COUNT_TEXT];
  const char *kind = l->memory_cycles > l->compute_cycles ? "bytes" : "MACs";
  const char *const cells[] = {l->name,
                               l->op,
                               count_text(l->cycles, cycles),
                               percent_text((double)l->cycles, (double)p->cycles, share),
                               gap_text(l->cycles, l->bound_cycles, gap),
                               count_text(l->macs, macs),
                               percent_text(l->utilization, 1, used),
                               count_text(l->read_bytes + l->write_bytes, bytes),
                               percent_text(l->roofline, 1, roof),
                               kind,
                               l->limit};
  return table_add(table, cells);
}

static void print_layers(const struct tessera_profile *p)
{
  struct table table = {.columns = 11, .alignment = "llrrrrrrrll"};
  static const char *const head[] = {"layer",  "op",    "cycles",      "share", "gap",     "MACs",
                                     "matrix", "bytes", "of its roof", "roof",  "critical"};
  char gap[COUNT_TEXT];
  char cycles[COUNT_TEXT], macs[COUNT_TEXT], bytes[COUNT_TEXT], used[COUNT_TEXT], roof[COUNT_TEXT];
  char name[32];
  int bad = table_add(&table, head);
  for (int k = 0; k < p->layers && !bad; k++)
    bad = add_layer(&table, p, &p->layer[k]);
  table.rule = table.rows;
  snprintf(name, sizeof name, "%d layers", p->layers);
  if (!bad)
    bad = table_add(&table, (const char *const[]){
                                name, "", count_text(p->cycles, cycles), "100.0 %",
                                gap_text(p->cycles, p->bound_cycles, gap),
                                count_text(p->macs, macs), percent_text(p->utilization, 1, used),
                                count_text(p->read_bytes + p->write_bytes, bytes),
                                percent_text(p->roofline, 1, roof), "", ""});
  end_table(&table, bad);
}

static void print_path(const struct tessera_profile *p)
{
  struct table table = {.columns = 6, .alignment = "llrrrl"};
  char cycles[COUNT_TEXT], share[COUNT_TEXT], steps[COUNT_TEXT];
  int bad = table_add(
      &table, (const char *const[]){"critical path", "cause", "cycles", "share", "steps", ""});
  for (int k = 0; k < p->path_parts && !bad; k++) {
    const struct tessera_path_part *part = &p->path_part[k];
    bad = table_add(
        &table, (const char *const[]){part->engine, part->cause, count_text(part->cycles, cycles),
                                      percent_text((double)part->cycles, (double)p->cycles, share),
                                      count_text(part->steps, steps), part->meaning});
  }
  end_table(&table, bad);
}

static void print_path_insns(const struct tessera_profile *p)
{
  enum { MOST = 8 };
  struct table table = {.columns = 5, .alignment = "rllrl"};
  char cycles[COUNT_TEXT], index[COUNT_TEXT];
  int bad = table_add(&table, (const char *const[]){"instruction", "engine", "layer", "cycles",
                                                    "of the critical path"});
  for (int k = 0; k < p->path_insns && k < MOST && !bad; k++) {
    const struct tessera_path_insn *insn = &p->path_insn[k];
    bad = table_add(&table, (const char *const[]){count_text(insn->instruction, index),
                                                  insn->engine, insn->layer,
                                                  count_text(insn->cycles, cycles), insn->text});
  }
  end_table(&table, bad);
}

static void print_what_ifs(const struct tessera_profile *p)
{
  struct table table = {.columns = 5, .alignment = "lrrrl"};
  char cycles[COUNT_TEXT], share[COUNT_TEXT], faster[COUNT_TEXT];
  int bad = table_add(&table, (const char *const[]){"what if", "cycles", "of now", "faster", ""});
  for (int k = 0; k < p->what_ifs && !bad; k++) {
    const struct tessera_what_if *w = &p->what_if[k];
    snprintf(faster, sizeof faster, "%.2f x",
             w->cycles ? (double)p->cycles / (double)w->cycles : 0);
    bad = table_add(&table,
                    (const char *const[]){w->name, count_text(w->cycles, cycles),
                                          percent_text((double)w->cycles, (double)p->cycles, share),
                                          faster, w->meaning});
  }
  table_end(&table, bad);
}

void print_profile(const struct tessera_profile *p)
{
  print_head(p);
  print_stack(p);
  print_layers(p);
  print_path(p);
  print_path_insns(p);
  print_what_ifs(p);
}

/* --- a second run ----------------------------------------------------------------------------- */

static const struct tessera_profile_layer *layer_of(const struct tessera_profile *p,
                                                    const char *name)
{
  for (int k = 0; k < p->layers; k++)
    if (!strcmp(p->layer[k].name, name))
      return &p->layer[k];
  return NULL;
}

static int add_layer_changes(struct table *table, const struct tessera_profile *p,
                             const struct tessera_profile *before)
{
  int bad = 0;
  for (int k = 0; k < p->layers && !bad; k++) {
    const struct tessera_profile_layer *was = layer_of(before, p->layer[k].name);
    bad = table_add_change(table, p->layer[k].name, was ? was->cycles : 0, p->layer[k].cycles);
  }
  for (int k = 0; k < before->layers && !bad; k++)
    if (!layer_of(p, before->layer[k].name))
      bad = table_add_change(table, before->layer[k].name, before->layer[k].cycles, 0);
  return bad;
}

void print_profile_diff(const struct tessera_profile *p, const struct tessera_profile *before)
{
  struct table table = {.columns = 4, .alignment = "lrrr"};
  char plain[128], name[TABLE_CELL];
  printf("\ncompared with %s, ", plain_text(before->model, plain, sizeof plain));
  printf("design point %s, ", plain_text(before->config, plain, sizeof plain));
  printf("memory %s\n\n", plain_text(before->memory, plain, sizeof plain));
  int bad = table_add(&table, (const char *const[]){"cycles", "before", "now", "change"});
  if (!bad)
    bad = table_add_change(&table, "all", before->cycles, p->cycles);
  for (int s = 0; s < p->shares && s < before->shares && !bad; s++) {
    snprintf(name, sizeof name, "stack: %s", p->share[s].name);
    bad = table_add_change(&table, name, before->share[s].cycles, p->share[s].cycles);
  }
  table.rule = table.rows;
  if (!bad)
    bad = add_layer_changes(&table, p, before);
  table_end(&table, bad);
}

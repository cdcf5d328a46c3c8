/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/explain_text.h"

#include <inttypes.h>
#include <string.h>

#include "tools/table.h"

static void print_part(const char *title, const char *text)
{
  size_t n = strlen(text);
  printf("\n%s\n\n%s%s", title, text, n && text[n - 1] == '\n' ? "" : "\n");
}

static void print_head(const struct tessera_explanation *e)
{
  char plain[256], shape[SHAPE_TEXT], count[COUNT_TEXT];
  printf("%s: %s, ", plain_text(e->name, plain, sizeof plain), e->op);
  printf("%s, %s MACs\n", shape_text(e->dims, e->rank, shape), count_text(e->macs, count));
}

/* --- buffers ---------------------------------------------------------------------------------- */

static int add_operand(struct table *table, const struct tessera_operand *o)
{
  char shape[SHAPE_TEXT], type[TABLE_CELL], copies[COUNT_TEXT], entries[COUNT_TEXT];
  char bytes[COUNT_TEXT], share[COUNT_TEXT], from[TABLE_CELL];
  snprintf(type, sizeof type, "%s %s", tessera_dtype_name(o->dtype),
           shape_text(o->dims, o->rank, shape));
  snprintf(from, sizeof from, "%s%.40s%s", o->computed ? "of " : o->resident ? "" : "from ",
           o->from ? o->from : "nothing", o->resident ? ", resident" : "");
  percent_text((double)o->bytes, (double)o->capacity_bytes, share);
  count_text((uint64_t)o->copies, copies);
  return table_add(table, (const char *const[]){
                              o->name, o->scratchpad, type, count_text(o->entries, entries), copies,
                              count_text(o->bytes, bytes), share, o->loop ? o->loop : "", from});
}

static void print_operands(const struct tessera_explanation *e)
{
  struct table table = {.columns = 9, .alignment = "lllrrrrll"};
  int bad = table_add(&table, (const char *const[]){"buffer", "in", "a copy", "entries", "copies",
                                                    "bytes", "of it", "each", "what"});
  for (int k = 0; k < e->operands && !bad; k++)
    bad = add_operand(&table, &e->operand[k]);
  printf("\nwhere operands live\n\n");
  table_end(&table, bad);
}

/* --- the bound -------------------------------------------------------------------------------- */

static int add_engine(struct table *table, const struct tessera_engine_time *t)
{
  char least[COUNT_TEXT], cycles[COUNT_TEXT];
  return table_add(
      table, (const char *const[]){t->engine, count_text((uint64_t)(t->least_cycles + 0.5), least),
                                   count_text((uint64_t)(t->cycles + 0.5), cycles), t->meaning});
}

static void print_bytes(const struct tessera_explanation *e)
{
  char read[COUNT_TEXT], least_read[COUNT_TEXT], written[COUNT_TEXT], least_written[COUNT_TEXT];
  printf("\nbytes read: %s, of which %s are compulsory; written: %s, of which %s are\n",
         count_text(e->read_bytes, read), count_text(e->least_read_bytes, least_read),
         count_text(e->write_bytes, written), count_text(e->least_write_bytes, least_written));
}

static void print_gap(const char *what, uint64_t cycles, uint64_t bound)
{
  char text[COUNT_TEXT], gap[COUNT_TEXT];
  printf("%s: %s cycles, %s of the bound\n", what, count_text(cycles, text),
         gap_text(cycles, (double)bound, gap));
}

static void print_bound(const struct tessera_explanation *e)
{
  struct table table = {.columns = 4, .alignment = "lrrl"};
  char text[COUNT_TEXT];
  int bad = table_add(&table, (const char *const[]){"cycles of", "at least", "with it", ""});
  for (int k = 0; k < e->engines && !bad; k++)
    bad = add_engine(&table, &e->engine[k]);
  printf("\nbound: %s cycles, whatever the schedule\n\n", count_text(e->bound_cycles, text));
  table_end(&table, bad);
  print_bytes(e);
  if (e->found_cycles)
    print_gap("as the search measured it, alone and behind itself", e->found_cycles,
              e->bound_cycles);
  print_gap("in the network", e->cycles, e->bound_cycles);
}

static void print_reasons(const struct tessera_explanation *e)
{
  printf("\nwhat keeps it from its bound\n\n");
  for (int k = 0; k < e->reasons; k++)
    printf("  %s\n", e->reason[k]);
}

void print_explanation(const struct tessera_explanation *e)
{
  print_head(e);
  print_part("schedule", e->schedule);
  print_part("loops, without a schedule", e->loops_before);
  print_part("loops, with it and tensorized", e->loops);
  print_picture(e);
  print_operands(e);
  print_bound(e);
  print_reasons(e);
  print_part("the first tile", e->first_tile);
}

/* --- another schedule ------------------------------------------------------------------------- */

void print_comparison(const struct comparison *c)
{
  const struct tessera_explanation *b = c->before, *n = c->now;
  struct table table = {.columns = 4, .alignment = "lrrr"};
  int bad = table_add(&table, (const char *const[]){"", "found", "this one", "change"});
  if (!bad)
    bad = table_add_change(&table, "cycles of the layer", b->cycles, n->cycles);
  if (!bad)
    bad = table_add_change(&table, "cycles of the network", c->network_before, c->network_now);
  if (!bad)
    bad = table_add_change(&table, "bytes moved by the layer", b->read_bytes + b->write_bytes,
                           n->read_bytes + n->write_bytes);
  printf("\ncompared with the schedule that was found\n\n");
  table_end(&table, bad);
}

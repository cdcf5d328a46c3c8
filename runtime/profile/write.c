/* SPDX-License-Identifier: Apache-2.0 */
/* A profile as JSON and CSV. */
#include <inttypes.h>

#include "runtime/profile/profile.h"
#include "runtime/profile/text.h"

/* --- JSON ------------------------------------------------------------------------------------- */

/* Writes members of objects; every object begins and ends here. */
struct writer {
  struct tsr_text *to;
  const char *between; /* before the next member */
};

static void name_it(struct writer *w, const char *name)
{
  tsr_text_add(w->to, "%s\"%s\": ", w->between, name);
  w->between = ", ";
}

static void put_text(struct writer *w, const char *name, const char *text)
{
  name_it(w, name);
  tsr__add_json(w->to, text);
}

static void put_count(struct writer *w, const char *name, uint64_t v)
{
  name_it(w, name);
  tsr_text_add(w->to, "%" PRIu64, v);
}

static void put_real(struct writer *w, const char *name, double v)
{
  name_it(w, name);
  tsr_text_add(w->to, "%.17g", v);
}

static void open_list(struct writer *w, const char *name)
{
  tsr_text_add(w->to, ",\n  \"%s\": [", name);
}

static struct writer item(struct tsr_text *to, int k)
{
  tsr_text_add(to, "%s\n    {", k ? "," : "");
  return (struct writer){to, ""};
}

static void close_list(struct tsr_text *to)
{
  tsr_text_add(to, "\n  ]");
}

static void put_totals(struct writer *w, const struct tessera_profile *p)
{
  put_text(w, "model", p->model);
  put_text(w, "config", p->config);
  put_text(w, "memory", p->memory);
  put_count(w, "clock_mhz", (uint64_t)p->clock_mhz);
  put_count(w, "cycles", p->cycles);
  put_count(w, "instructions", p->instructions);
  put_count(w, "macs", p->macs);
  put_count(w, "read_bytes", p->read_bytes);
  put_count(w, "write_bytes", p->write_bytes);
  put_count(w, "fetch_bytes", p->fetch_bytes);
  put_count(w, "compulsory_bytes", p->compulsory_bytes);
  put_real(w, "bound_cycles", p->bound_cycles);
  put_real(w, "peak_macs", p->peak_macs);
  put_real(w, "peak_bytes", p->peak_bytes);
  put_real(w, "compute_cycles", p->compute_cycles);
  put_real(w, "memory_cycles", p->memory_cycles);
  put_real(w, "roofline", p->roofline);
  put_real(w, "utilization", p->utilization);
}

static void put_shares(struct writer *w, const struct tessera_profile *p)
{
  open_list(w, "stack");
  for (int k = 0; k < p->shares; k++) {
    struct writer o = item(w->to, k);
    put_text(&o, "name", p->share[k].name);
    put_text(&o, "meaning", p->share[k].meaning);
    put_count(&o, "cycles", p->share[k].cycles);
    tsr_text_add(w->to, "}");
  }
  close_list(w->to);
}

static void put_layer(struct writer *o, const struct tessera_profile *p,
                      const struct tessera_profile_layer *l)
{
  put_text(o, "name", l->name);
  put_text(o, "op", l->op);
  put_count(o, "cycles", l->cycles);
  put_count(o, "instructions", l->instructions);
  put_count(o, "macs", l->macs);
  put_count(o, "read_bytes", l->read_bytes);
  put_count(o, "write_bytes", l->write_bytes);
  put_count(o, "compulsory_bytes", l->compulsory_bytes);
  put_real(o, "bound_cycles", l->bound_cycles);
  put_real(o, "compute_cycles", l->compute_cycles);
  put_real(o, "memory_cycles", l->memory_cycles);
  put_real(o, "roofline", l->roofline);
  put_real(o, "utilization", l->utilization);
  put_text(o, "limit", l->limit);
  tsr_text_add(o->to, ",\n     \"stack\": {");
  struct writer stack = {o->to, ""};
  for (int s = 0; s < p->shares; s++)
    put_count(&stack, p->share[s].name, l->share[s]);
  tsr_text_add(o->to, "}}");
}

static void put_layers(struct writer *w, const struct tessera_profile *p)
{
  open_list(w, "layers");
  for (int k = 0; k < p->layers; k++) {
    struct writer o = item(w->to, k);
    put_layer(&o, p, &p->layer[k]);
  }
  close_list(w->to);
}

static void put_path(struct writer *w, const struct tessera_profile *p)
{
  open_list(w, "critical_path");
  for (int k = 0; k < p->path_parts; k++) {
    struct writer o = item(w->to, k);
    put_text(&o, "engine", p->path_part[k].engine);
    put_text(&o, "cause", p->path_part[k].cause);
    put_text(&o, "meaning", p->path_part[k].meaning);
    put_count(&o, "cycles", p->path_part[k].cycles);
    put_count(&o, "steps", p->path_part[k].steps);
    tsr_text_add(w->to, "}");
  }
  close_list(w->to);
  open_list(w, "critical_instructions");
  for (int k = 0; k < p->path_insns; k++) {
    struct writer o = item(w->to, k);
    put_count(&o, "instruction", p->path_insn[k].instruction);
    put_text(&o, "engine", p->path_insn[k].engine);
    put_text(&o, "layer", p->path_insn[k].layer);
    put_text(&o, "text", p->path_insn[k].text);
    put_count(&o, "cycles", p->path_insn[k].cycles);
    tsr_text_add(w->to, "}");
  }
  close_list(w->to);
}

static void put_what_ifs(struct writer *w, const struct tessera_profile *p)
{
  open_list(w, "what_if");
  for (int k = 0; k < p->what_ifs; k++) {
    struct writer o = item(w->to, k);
    put_text(&o, "name", p->what_if[k].name);
    put_text(&o, "meaning", p->what_if[k].meaning);
    put_count(&o, "cycles", p->what_if[k].cycles);
    tsr_text_add(w->to, "}");
  }
  close_list(w->to);
}

void tsr_profile_json(struct tsr_text *to, const struct tessera_profile *p)
{
  struct writer w = {to, "\n  "};
  tsr_text_add(to, "{");
  put_totals(&w, p);
  put_shares(&w, p);
  put_layers(&w, p);
  put_path(&w, p);
  put_what_ifs(&w, p);
  tsr_text_add(to, "\n}\n");
}

/* --- CSV -------------------------------------------------------------------------------------- */

static void csv_row(struct tsr_text *to, const struct tessera_profile *p,
                    const struct tessera_profile_layer *l)
{
  tsr__add_csv(to, l->name);
  tsr_text_add(to, ",");
  tsr__add_csv(to, l->op);
  tsr_text_add(to,
               ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
               ",%.3f,%.3f,%.3f,%.6f,%.6f,%s",
               l->cycles, l->instructions, l->macs, l->read_bytes, l->write_bytes,
               l->compulsory_bytes, l->bound_cycles, l->compute_cycles, l->memory_cycles,
               l->roofline, l->utilization, l->limit);
  for (int s = 0; s < p->shares; s++)
    tsr_text_add(to, ",%" PRIu64, l->share[s]);
  tsr_text_add(to, "\n");
}

void tsr_profile_csv(struct tsr_text *to, const struct tessera_profile *p)
{
  tsr_text_add(to, "layer,op,cycles,instructions,macs,read_bytes,write_bytes,compulsory_bytes,"
                   "bound_cycles,compute_cycles,"
                   "memory_cycles,roofline,utilization,limit");
  for (int s = 0; s < p->shares; s++)
    tsr_text_add(to, ",stack_%s", p->share[s].name);
  tsr_text_add(to, "\n");
  for (int k = 0; k < p->layers; k++)
    csv_row(to, p, &p->layer[k]);
}

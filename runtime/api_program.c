/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of the public interface: assembler, disassembler, checker. */
#include <string.h>

#include "runtime/api.h"
#include "runtime/executor.h"
#include "runtime/package.h"
#include "verify/verify.h"

/* A file with instructions, in either of its forms. */
struct source {
  const char *name;
  const void *bytes;
  size_t size;
};

static struct tessera_bytes text_out(const char *text, struct tsr_arena *owner)
{
  return (struct tessera_bytes){(const unsigned char *)text, strlen(text), owner};
}

/* --- assembler -------------------------------------------------------------------------------- */

struct assembling {
  const char *name, *text;
  uint8_t *bytes;
  size_t size;
};

static enum tsr_status assemble(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct assembling *w = context;
  struct tsr_program program;
  enum tsr_status status = tsr_assemble(arena, err, w->name, w->text, &program);
  if (!status)
    tsr_program_write(arena, &program, &w->bytes, &w->size);
  return status;
}

enum tessera_status tessera_assemble(struct tessera *t, const char *name, const char *text,
                                     struct tessera_bytes *program)
{
  struct assembling w = {name, text, NULL, 0};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, assemble, &w, &owner);
  if (!status)
    *program = (struct tessera_bytes){w.bytes, w.size, owner};
  return status;
}

/* --- disassembler ----------------------------------------------------------------------------- */

struct disassembling {
  struct source source;
  const char *text;
};

/* Streams share the package's image, so it is printed with the first only. */
static const char *package_text(struct tsr_arena *arena, const struct tsr_module *m)
{
  struct tsr_text text = {.arena = arena};
  tsr_text_add(&text, "; '%s' for design point '%s'\n", m->name, m->design.name);
  for (int i = 0; i < m->steps; i++) {
    if (m->step[i].kind != TSR_STEP_ACCEL)
      continue;
    struct tsr_program program;
    tsr_module_stream(m, i, &program);
    tsr_text_add(&text, "\n; stream of step %d: %zu instructions\n", i, program.insn_count);
    const char *body = tsr_disassemble(arena, &program);
    tsr_text_add_bytes(&text, body, strlen(body));
  }
  return text.data;
}

static enum tsr_status disassemble(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct disassembling *w = context;
  const struct source *s = &w->source;
  struct tsr_module *module;
  struct tsr_program program;
  enum tsr_status status;
  if (tsr_package_is(s->bytes, s->size)) {
    status = tsr_package_read(arena, err, s->name, s->bytes, s->size, &module);
    w->text = status ? NULL : package_text(arena, module);
  } else {
    status = tsr_program_read(arena, err, s->name, s->bytes, s->size, &program);
    w->text = status ? NULL : tsr_disassemble(arena, &program);
  }
  return status;
}

enum tessera_status tessera_disassemble(struct tessera *t, const char *name, const void *bytes,
                                        size_t size, struct tessera_bytes *text)
{
  struct disassembling w = {{name, bytes, size}, NULL};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, disassemble, &w, &owner);
  if (!status)
    *text = text_out(w.text, owner);
  return status;
}

/* --- checker ---------------------------------------------------------------------------------- */

struct tessera_findings {
  struct tsr_arena *arena;
  size_t count, instructions, listed, capacity;
  struct tessera_finding *list;
};

struct verifying {
  struct source source;
  const char *config;
  struct tessera_findings *findings;
};

static void verify_program(struct tessera_findings *all, const struct tsr_design *design,
                           const struct tsr_program *program, int stream)
{
  struct tsr_findings found;
  tsr_verify(all->arena, design, program, &found);
  for (size_t i = 0; i < found.listed; i++) {
    const struct tsr_finding *f = &found.list[i];
    all->list = TSR_GROW(all->arena, all->list, all->listed, &all->capacity);
    all->list[all->listed++] =
        (struct tessera_finding){tsr_finding_kind_name(f->kind), f->text, stream, f->insn};
  }
  all->count += found.count;
  all->instructions += program->insn_count;
}

static enum tsr_status verify_package(struct tsr_arena *arena, struct tsr_err *err,
                                      const struct verifying *w, const struct tsr_design *asked)
{
  struct tsr_module *m;
  enum tsr_status status = tsr_package_read(arena, err, w->source.name, w->source.bytes,
                                            w->source.size, &m);
  int stream = 0;
  for (int i = 0; !status && i < m->steps; i++) {
    struct tsr_program program;
    if (m->step[i].kind != TSR_STEP_ACCEL)
      continue;
    tsr_module_stream(m, i, &program);
    verify_program(w->findings, asked ? asked : &m->design, &program, stream++);
  }
  return status;
}

static enum tsr_status verify(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct verifying *w = context;
  const struct source *s = &w->source;
  bool package = tsr_package_is(s->bytes, s->size);
  struct tsr_design design;
  struct tsr_program program;
  w->findings = TSR_NEW(arena, struct tessera_findings);
  w->findings->arena = arena;
  enum tsr_status status = TSR_OK;
  if (w->config || !package)
    status = tsr_design_open(arena, err, w->config ? w->config : "default", &design);
  if (!status && package)
    return verify_package(arena, err, w, w->config ? &design : NULL);
  if (!status)
    status = tsr_program_read(arena, err, s->name, s->bytes, s->size, &program);
  if (!status)
    verify_program(w->findings, &design, &program, 0);
  return status;
}

enum tessera_status tessera_verify(struct tessera *t, const char *name, const void *bytes,
                                   size_t size, const char *config, struct tessera_findings **out)
{
  struct verifying w = {{name, bytes, size}, config, NULL};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, verify, &w, &owner);
  if (!status)
    *out = w.findings;
  return status;
}

void tessera_findings_free(struct tessera_findings *findings)
{
  if (findings)
    tsr_arena_free(findings->arena);
}

size_t tessera_findings_count(const struct tessera_findings *findings)
{
  return findings->count;
}

size_t tessera_findings_instructions(const struct tessera_findings *findings)
{
  return findings->instructions;
}

bool tessera_findings_get(const struct tessera_findings *findings, size_t k,
                          struct tessera_finding *out)
{
  if (k >= findings->listed)
    return false;
  *out = findings->list[k];
  return true;
}

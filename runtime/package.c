/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/package.h"

#include <string.h>

#include "native/code.h"
#include "runtime/manifest.h"

enum { CONST_ALIGNMENT = 64 };

bool tsr_package_is(const void *bytes, size_t size)
{
  return tsr__container_is(bytes, size);
}

enum tsr_status tsr_module_kernels(struct tsr_arena *arena, struct tsr_err *err,
                                   const struct tsr_module *m, const struct tsr_bytes *section,
                                   int *blocks, struct tsr_kernel_block **block)
{
  struct tsr_kernel_params *list = TSR_NEW_ARRAY(arena, struct tsr_kernel_params, m->layers);
  for (int i = 0; i < m->layers; i++) {
    const struct tir_func *f = m->layer[i].func;
    uint64_t *bytes = TSR_NEW_ARRAY(arena, uint64_t, f->params);
    for (int k = 0; k < f->params; k++)
      bytes[k] = (uint64_t)tsr_count(f->param[k]->dims, f->param[k]->rank, 1) *
                 tsr_dtype_bytes(f->param[k]->dtype);
    list[i] = (struct tsr_kernel_params){f->params, bytes};
  }
  return tsr_kernels_read(arena, err, section, m->layers, list, blocks, block);
}

static size_t buffer_bytes(const struct tsr_module_buffer *b)
{
  return (size_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void add_zeros(struct tsr_text *text, size_t count)
{
  static const char zeros[CONST_ALIGNMENT];
  tsr_text_add_bytes(text, zeros, count);
}

static struct tsr_bytes gather_funcs(struct tsr_arena *arena, const struct tsr_module *m,
                                     struct tsr__piece *pieces)
{
  struct tsr_text all = {.arena = arena};
  for (int i = 0; i < m->layers; i++) {
    const char *text = tir_func_print(arena, m->layer[i].func);
    pieces[i] = (struct tsr__piece){all.length, strlen(text)};
    tsr_text_add_bytes(&all, text, strlen(text));
  }
  return (struct tsr_bytes){(unsigned char *)all.data, all.length};
}

static struct tsr_bytes gather_constants(struct tsr_arena *arena, const struct tsr_module *m,
                                         struct tsr__piece *pieces)
{
  struct tsr_text all = {.arena = arena};
  for (int i = 0; i < m->buffers; i++) {
    const struct tsr_module_buffer *b = &m->buffer[i];
    if (!b->data || b->on_device)
      continue;
    add_zeros(&all, -all.length % CONST_ALIGNMENT);
    pieces[i] = (struct tsr__piece){all.length, buffer_bytes(b)};
    tsr_text_add_bytes(&all, b->data, buffer_bytes(b));
  }
  return (struct tsr_bytes){(unsigned char *)all.data, all.length};
}

struct tsr_bytes tsr_package_write(struct tsr_arena *arena, const struct tsr_module *m)
{
  struct tsr__pieces pieces = {TSR_NEW_ARRAY(arena, struct tsr__piece, m->layers),
                               TSR_NEW_ARRAY(arena, struct tsr__piece, m->buffers)};
  struct tsr__container c = {.design_hash = m->design.hash};
  c.section[TSR__SECTION_TIR] = gather_funcs(arena, m, pieces.func);
  c.section[TSR__SECTION_CONST] = gather_constants(arena, m, pieces.constant);
  c.section[TSR__SECTION_INSNS] = (struct tsr_bytes){m->insns, m->insn_count * TSR_INSN_BYTES};
  c.section[TSR__SECTION_IMAGE] = (struct tsr_bytes){m->image, m->image_bytes};
  c.section[TSR__SECTION_CODE] = m->code;
  c.section[TSR__SECTION_CUDA] = m->kernels;
  c.section[TSR__SECTION_MANIFEST] = tsr__manifest_write(arena, m, &pieces);
  return tsr__container_write(arena, &c);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A package on its way into a module. */
struct opening {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const char *name;
  struct tsr__container container;
  struct tsr__pieces pieces;
  struct tsr_module *module;
};

static enum tsr_status read_insns(struct opening *o)
{
  const struct tsr_bytes *s = &o->container.section[TSR__SECTION_INSNS];
  if (s->size % TSR_INSN_BYTES)
    return tsr_refuse(o->err, "%s: the package's instructions have %zu bytes, no multiple of %d",
                      o->name, s->size, TSR_INSN_BYTES);
  o->module->insns = s->data;
  o->module->insn_count = s->size / TSR_INSN_BYTES;
  return TSR_OK;
}

static enum tsr_status read_constants(struct opening *o)
{
  const struct tsr_bytes *s = &o->container.section[TSR__SECTION_CONST];
  for (int i = 0; i < o->module->buffers; i++) {
    struct tsr_module_buffer *b = &o->module->buffer[i];
    const struct tsr__piece *p = &o->pieces.constant[i];
    if (!b->data)
      continue;
    if (p->size != buffer_bytes(b) || p->offset > s->size || p->size > s->size - p->offset ||
        p->offset % CONST_ALIGNMENT)
      return tsr_refuse(o->err,
                        "%s: the package's manifest: the constant of buffer %d does not lie in "
                        "the %zu bytes of section 'const', or is not %zu bytes long",
                        o->name, i, s->size, buffer_bytes(b));
    b->data = s->data + p->offset;
  }
  return TSR_OK;
}

static enum tsr_status read_funcs(struct opening *o)
{
  const struct tsr_bytes *s = &o->container.section[TSR__SECTION_TIR];
  for (int i = 0; i < o->module->layers; i++) {
    const struct tsr__piece *p = &o->pieces.func[i];
    if (p->offset > s->size || p->size > s->size - p->offset)
      return tsr_refuse(o->err,
                        "%s: the package's manifest: the tensor IR of layer %d does not lie in "
                        "the %zu bytes of section 'tir'",
                        o->name, i, s->size);
    if (memchr(s->data + p->offset, 0, p->size))
      return tsr_refuse(o->err, "%s: the package's tensor IR of layer %d has a zero byte", o->name,
                        i);
    char *text = tsr_arena_alloc(o->arena, p->size + 1);
    memcpy(text, s->data + p->offset, p->size);
    struct tir_func *func;
    if (tir_func_parse(o->arena, o->err, o->module->layer[i].name, text, &func) ||
        tir_func_verify(o->err, func))
      return tsr_refuse_at(o->err, "%s: the package's tensor IR", o->name);
    o->module->layer[i].func = func;
  }
  return TSR_OK;
}

/* Read to be refused when the package is opened, whichever level will run. */
static enum tsr_status read_code(struct opening *o)
{
  const struct tsr_bytes *s = &o->container.section[TSR__SECTION_CODE];
  struct tsr_code_block *block;
  int blocks;
  if (tsr_code_read(o->arena, o->err, s, o->module->layers, &blocks, &block))
    return tsr_refuse_at(o->err, "%s", o->name);
  o->module->code = *s;
  return TSR_OK;
}

static enum tsr_status read_kernels(struct opening *o)
{
  const struct tsr_bytes *s = &o->container.section[TSR__SECTION_CUDA];
  struct tsr_kernel_block *block;
  int blocks;
  if (tsr_module_kernels(o->arena, o->err, o->module, s, &blocks, &block))
    return tsr_refuse_at(o->err, "%s", o->name);
  o->module->kernels = *s;
  return TSR_OK;
}

static enum tsr_status read_module(struct opening *o)
{
  struct tsr_module *m = o->module;
  const struct tsr_bytes *image = &o->container.section[TSR__SECTION_IMAGE];
  if (tsr__manifest_read(o->arena, o->err, o->name, &o->container.section[TSR__SECTION_MANIFEST], m,
                         &o->pieces))
    return TSR_REFUSED;
  if (m->design.hash != o->container.design_hash)
    return tsr_refuse(
        o->err, "%s: the package's header and its manifest name different design points", o->name);
  m->image = image->data;
  m->image_bytes = image->size;
  if (read_insns(o) || read_constants(o) || read_funcs(o) || read_code(o) || read_kernels(o))
    return TSR_REFUSED;
  return tsr_module_check(o->arena, o->err, m) ? tsr_refuse_at(o->err, "%s", o->name) : TSR_OK;
}

enum tsr_status tsr_package_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                 const uint8_t *bytes, size_t size, struct tsr_module **out)
{
  struct opening o = {.arena = arena, .err = err, .name = name};
  if (tsr__container_read(err, name, bytes, size, &o.container))
    return TSR_REFUSED;
  o.module = TSR_NEW(arena, struct tsr_module);
  enum tsr_status status = read_module(&o);
  if (!status)
    *out = o.module;
  return status;
}

enum tsr_status tsr_package_sections(struct tsr_err *err, const char *name, const uint8_t *bytes,
                                     size_t size,
                                     struct tsr_package_section out[static TSR_PACKAGE_SECTIONS])
{
  struct tsr__container c;
  _Static_assert((int)TSR_PACKAGE_SECTIONS == (int)TSR__SECTIONS, "sections.def has them");
  if (tsr__container_read(err, name, bytes, size, &c))
    return TSR_REFUSED;
  for (int i = 0; i < TSR_PACKAGE_SECTIONS; i++)
    out[i] = (struct tsr_package_section){tsr__section_name(i), tsr__section_meaning(i),
                                          c.offset[i], c.section[i].size};
  return TSR_OK;
}

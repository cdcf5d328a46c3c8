/* SPDX-License-Identifier: Apache-2.0 */
/* A linker for what LLVM emits here: sections of instructions and constants, and references
 * relative to where they stand. Behind the sections come jumps, one for each function of the C
 * library that is called, and behind those the slots with their addresses. */
#include <elf.h>
#include <string.h>

#include "compiler/target/cpu/object.h"

enum { JUMP_BYTES = 16, MOST_ALIGNMENT = 64 };
#define NOT_PLACED UINT64_MAX

struct linker {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const uint8_t *object;
  const Elf64_Shdr *section;
  int sections;
  uint64_t *place; /* of each section in the block */
  const Elf64_Sym *symbol;
  size_t symbols;
  const char *names;
  int *import; /* of each symbol; -1: none */
  int imports;
  uint64_t jumps, slots, size;
  uint8_t *block;
};

static enum tsr_status defect(const struct linker *l, const char *what)
{
  return tsr_refuse(l->err, "the object that LLVM made has %s (a defect of the compiler)", what);
}

static uint64_t aligned(uint64_t v, uint64_t to)
{
  return to ? (v + to - 1) / to * to : v;
}

/* LLVM's own objects: the header needs no more suspicion than this. */
static enum tsr_status read_object(struct linker *l, const struct tsr_bytes *object)
{
  const Elf64_Ehdr *head = (const Elf64_Ehdr *)object->data;
  if (object->size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) ||
      head->e_machine != EM_X86_64 || head->e_type != ET_REL)
    return defect(l, "another form than ELF for x86-64");
  l->object = object->data;
  l->section = (const Elf64_Shdr *)(object->data + head->e_shoff);
  l->sections = head->e_shnum;
  for (int i = 0; i < l->sections; i++)
    if (l->section[i].sh_type == SHT_SYMTAB) {
      l->symbol = (const Elf64_Sym *)(l->object + l->section[i].sh_offset);
      l->symbols = l->section[i].sh_size / sizeof *l->symbol;
      l->names = (const char *)l->object + l->section[l->section[i].sh_link].sh_offset;
    }
  return l->symbol ? TSR_OK : defect(l, "no symbols");
}

static bool is_kept(const Elf64_Shdr *s)
{
  return s->sh_flags & SHF_ALLOC && s->sh_type == SHT_PROGBITS && s->sh_size;
}

static enum tsr_status place_sections(struct linker *l)
{
  l->place = TSR_NEW_ARRAY(l->arena, uint64_t, l->sections + 1);
  for (int i = 0; i < l->sections; i++) {
    const Elf64_Shdr *s = &l->section[i];
    l->place[i] = NOT_PLACED;
    if (!is_kept(s))
      continue;
    if (s->sh_flags & SHF_WRITE)
      return defect(l, "data that can be written");
    if (s->sh_addralign > MOST_ALIGNMENT)
      return defect(l, "a section that wants to be aligned to more than 64 bytes");
    l->place[i] = aligned(l->size, s->sh_addralign);
    l->size = l->place[i] + s->sh_size;
  }
  return TSR_OK;
}

static void number_imports(struct linker *l)
{
  l->import = TSR_NEW_ARRAY(l->arena, int, l->symbols + 1);
  for (size_t i = 0; i < l->symbols; i++)
    l->import[i] = i && l->symbol[i].st_shndx == SHN_UNDEF ? l->imports++ : -1;
  l->jumps = aligned(l->size, JUMP_BYTES);
  l->slots = l->jumps + (uint64_t)l->imports * JUMP_BYTES;
  l->size = l->slots + (uint64_t)l->imports * 8;
}

static void put32(uint8_t *p, int64_t v)
{
  for (int i = 0; i < 4; i++)
    p[i] = (uint8_t)((uint64_t)v >> 8 * i);
}

/* jmp *slot(%rip) */
static void write_jump(struct linker *l, int import)
{
  uint64_t at = l->jumps + (uint64_t)import * JUMP_BYTES, slot = l->slots + (uint64_t)import * 8;
  l->block[at] = 0xff;
  l->block[at + 1] = 0x25;
  put32(l->block + at + 2, (int64_t)(slot - (at + 6)));
}

static void copy_sections(struct linker *l)
{
  l->block = tsr_arena_alloc(l->arena, l->size + 1);
  for (int i = 0; i < l->sections; i++)
    if (l->place[i] != NOT_PLACED)
      memcpy(l->block + l->place[i], l->object + l->section[i].sh_offset, l->section[i].sh_size);
  for (int i = 0; i < l->imports; i++)
    write_jump(l, i);
}

/* Where a reference of this type to the symbol points to; NOT_PLACED: nowhere. */
static uint64_t target_of(const struct linker *l, uint32_t type, size_t symbol)
{
  const Elf64_Sym *s = &l->symbol[symbol];
  bool by_slot = type == R_X86_64_GOTPCREL || type == R_X86_64_GOTPCRELX ||
                 type == R_X86_64_REX_GOTPCRELX;
  if (l->import[symbol] >= 0)
    return by_slot ? l->slots + (uint64_t)l->import[symbol] * 8
                   : l->jumps + (uint64_t)l->import[symbol] * JUMP_BYTES;
  if (by_slot || s->st_shndx >= l->sections || l->place[s->st_shndx] == NOT_PLACED)
    return NOT_PLACED;
  return l->place[s->st_shndx] + s->st_value;
}

static enum tsr_status relocate(struct linker *l, uint64_t base, const Elf64_Rela *r)
{
  uint32_t type = (uint32_t)ELF64_R_TYPE(r->r_info);
  uint64_t target = target_of(l, type, ELF64_R_SYM(r->r_info)), at = base + r->r_offset;
  bool relative = type == R_X86_64_PC32 || type == R_X86_64_PLT32 || type == R_X86_64_GOTPCREL ||
                  type == R_X86_64_GOTPCRELX || type == R_X86_64_REX_GOTPCRELX;
  if (!relative)
    return defect(l, "a reference that depends on where it is loaded");
  if (target == NOT_PLACED)
    return defect(l, "a reference to nothing");
  int64_t distance = (int64_t)(target - at) + r->r_addend;
  if (distance != (int32_t)distance)
    return defect(l, "more than two gigabytes");
  put32(l->block + at, distance);
  return TSR_OK;
}

static enum tsr_status relocate_all(struct linker *l)
{
  for (int i = 0; i < l->sections; i++) {
    const Elf64_Shdr *s = &l->section[i];
    if (s->sh_type != SHT_RELA || l->place[s->sh_info] == NOT_PLACED)
      continue;
    const Elf64_Rela *r = (const Elf64_Rela *)(l->object + s->sh_offset);
    for (size_t k = 0; k < s->sh_size / sizeof *r; k++)
      if (relocate(l, l->place[s->sh_info], &r[k]))
        return TSR_REFUSED;
  }
  return TSR_OK;
}

static enum tsr_status find_entry(const struct linker *l, const char *name,
                                  struct tsr_code_layer *out)
{
  for (size_t i = 1; i < l->symbols; i++)
    if (l->symbol[i].st_shndx && !strcmp(l->names + l->symbol[i].st_name, name)) {
      out->present = true;
      out->entry = target_of(l, R_X86_64_PC32, i);
      return TSR_OK;
    }
  return defect(l, "a function too few");
}

static void name_imports(const struct linker *l, struct tsr_code_block *out)
{
  char(*name)[TSR_IMPORT_NAME] =
      tsr_arena_alloc_array(l->arena, (size_t)l->imports + 1, TSR_IMPORT_NAME);
  for (size_t i = 1; i < l->symbols; i++)
    if (l->import[i] >= 0)
      strncpy(name[l->import[i]], l->names + l->symbol[i].st_name, TSR_IMPORT_NAME - 1);
  out->imports = l->imports;
  out->import = (const char(*)[TSR_IMPORT_NAME])name;
}

enum tsr_status cpu__link(struct tsr_arena *arena, struct tsr_err *err,
                          const struct tsr_bytes *object, int layers, const char *const *entry_name,
                          struct tsr_code_block *out)
{
  struct linker l = {.arena = arena, .err = err};
  if (read_object(&l, object) || place_sections(&l))
    return TSR_REFUSED;
  number_imports(&l);
  copy_sections(&l);
  if (relocate_all(&l))
    return TSR_REFUSED;
  out->layers = layers;
  out->layer = TSR_NEW_ARRAY(arena, struct tsr_code_layer, layers);
  for (int i = 0; i < layers; i++)
    if (entry_name[i] && find_entry(&l, entry_name[i], &out->layer[i]))
      return TSR_REFUSED;
  name_imports(&l, out);
  out->slots = l.slots;
  out->bytes = l.block;
  out->size = l.size;
  return TSR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From a checked block to memory that can be executed. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "native/code.h"
#include "native/parallel.h"

typedef void any_function(void);

static any_function *address_of(const char *name)
{
  static const struct {
    const char *name;
    any_function *address;
  } known[] = {
#define TSR_IMPORT(function) {#function, (any_function *)function},
#include "native/imports.def"
#undef TSR_IMPORT
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i].name, name))
      return known[i].address;
  return NULL;
}

static void fill_slots(uint8_t *memory, const struct tsr_code_block *b)
{
  for (int i = 0; i < b->imports; i++) {
    any_function *address = address_of(b->import[i]);
    memcpy(memory + b->slots + 8 * (size_t)i, &address, sizeof address);
  }
}

enum tsr_status tsr_code_map(struct tsr_err *err, const struct tsr_code_block *b,
                             struct tsr_code_mapping *out)
{
  *out = (struct tsr_code_mapping){NULL, 0};
  if (!b->size)
    return TSR_OK;
  void *memory = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return tsr_no_memory(err);
  memcpy(memory, b->bytes, b->size);
  fill_slots(memory, b);
  if (mprotect(memory, b->size, PROT_READ | PROT_EXEC)) {
    int reason = errno;
    munmap(memory, b->size);
    return tsr_refuse(err, "the operating system does not let machine code be executed: %s",
                      strerror(reason));
  }
  *out = (struct tsr_code_mapping){memory, b->size};
  return TSR_OK;
}

void tsr_code_unmap(struct tsr_code_mapping *mapping)
{
  if (mapping->memory)
    munmap(mapping->memory, mapping->size);
  *mapping = (struct tsr_code_mapping){NULL, 0};
}

tsr_code_function *tsr_code_entry(const struct tsr_code_mapping *mapping,
                                  const struct tsr_code_layer *layer)
{
  if (!layer->present)
    return NULL;
  char *at = (char *)mapping->memory + layer->entry;
  tsr_code_function *function;
  memcpy(&function, &at, sizeof function);
  return function;
}

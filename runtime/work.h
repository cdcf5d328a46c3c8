/* SPDX-License-Identifier: Apache-2.0 */
/* What an executor does, in order. */
#ifndef TSR_RUNTIME_WORK_H
#define TSR_RUNTIME_WORK_H

#include "compiler/module.h"

struct tsr__work {
  enum { TSR__STREAM, TSR__CPU, TSR__GPU } kind;
  int step;         /* the first one's, of a GPU's layers */
  const int *layer; /* CPU: one; GPU: all that follow each other */
  int layers;
};

static inline size_t tsr__buffer_bytes(const struct tsr_module_buffer *b)
{
  return (size_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
}

/* The data of a constant, of the host or of the device; NULL: it is none. */
static inline const void *tsr__constant(const struct tsr_module *m,
                                        const struct tsr_module_buffer *b)
{
  return b->on_device && b->offset < m->image_bytes ? m->image + b->offset : b->data;
}

#endif

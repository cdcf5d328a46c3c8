/* SPDX-License-Identifier: Apache-2.0 */
/* Do the parts of a module agree? */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/package.h"

static size_t bytes_of(const struct tsr_module_buffer *b)
{
  return (size_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
}

static bool is_image(const struct tsr_module *m, const struct tsr_module_buffer *b)
{
  return b->on_device && b->offset < m->image_bytes;
}

static bool is_constant(const struct tsr_module *m, const struct tsr_module_buffer *b)
{
  return b->data || is_image(m, b);
}

static enum tsr_status check_buffer(struct tsr_err *err, const struct tsr_module *m, int i)
{
  const struct tsr_module_buffer *b = &m->buffer[i];
  if (!b->on_device || b->is_part)
    return TSR_OK;
  size_t size = bytes_of(b), end = is_image(m, b) ? m->image_bytes : m->window_bytes;
  if (b->offset > end || size > end - b->offset)
    return tsr_refuse(err,
                      "buffer %d ('%s') has %zu bytes from %" PRIu64 ", which leave the %s of %zu "
                      "bytes",
                      i, b->name, size, b->offset, is_image(m, b) ? "image" : "window", end);
  return TSR_OK;
}

/* Bytes from the first element of a part to behind its last; UINT64_MAX: more than `limit`. */
static uint64_t span_of(const struct tsr_module_buffer *b, uint64_t limit)
{
  uint64_t span = tsr_dtype_bytes(b->dtype);
  if (span > limit)
    return UINT64_MAX;
  for (int d = 0; d < b->rank; d++) {
    uint64_t last = b->dims[d] > 0 ? (uint64_t)b->dims[d] - 1 : 0;
    if (last && b->step[d] && last > (limit - span) / b->step[d])
      return UINT64_MAX;
    span += last * b->step[d];
    if (span > limit)
      return UINT64_MAX;
  }
  return span;
}

/* A part lies inside of a buffer of its type that has memory of its own in the window. */
static enum tsr_status check_part(struct tsr_err *err, const struct tsr_module *m, int i)
{
  const struct tsr_module_buffer *b = &m->buffer[i];
  const struct tsr_module_buffer *w = b->whole < m->buffers ? &m->buffer[b->whole] : NULL;
  if (!b->is_part)
    return TSR_OK;
  if (!b->on_device || !w || w->is_part || !w->on_device || is_image(m, w) || w->dtype != b->dtype)
    return tsr_refuse(err, "buffer %d ('%s') is a part of buffer %d, which can have none of it", i,
                      b->name, b->whole);
  size_t size = bytes_of(w);
  if (bytes_of(b) > size || b->offset < w->offset || b->offset - w->offset > size ||
      span_of(b, size - (b->offset - w->offset)) == UINT64_MAX)
    return tsr_refuse(err, "buffer %d ('%s') is a part of '%s' and leaves it", i, b->name, w->name);
  return TSR_OK;
}

static enum tsr_status check_ports(struct tsr_err *err, const struct tsr_module *m,
                                   const char *what, int count, const int *list)
{
  for (int i = 0; i < count; i++) {
    if (list[i] >= m->buffers)
      return tsr_refuse(err, "%s %d is buffer %d of %d", what, i, list[i], m->buffers);
    if (m->buffer[list[i]].on_device)
      return tsr_refuse(err, "%s %d ('%s') lies on the device", what, i, m->buffer[list[i]].name);
  }
  return TSR_OK;
}

static bool is_finish(const struct tsr_module *m, size_t index)
{
  struct tsr_insn insn;
  return tsr_insn_decode(m->insns + index * TSR_INSN_BYTES, &insn) == TSR_TRAP_NONE &&
         insn.opcode == TSR_OP_FINISH;
}

static enum tsr_status check_step(struct tsr_err *err, const struct tsr_module *m, int i)
{
  const struct tsr_module_step *s = &m->step[i];
  if (s->kind == TSR_STEP_CPU) {
    if (s->layer < m->layers && m->layer[s->layer].step == i)
      return TSR_OK;
    return tsr_refuse(err, "step %d runs layer %d, which is not one of its layers", i, s->layer);
  }
  if (s->first_insn > m->insn_count || s->insns > m->insn_count - s->first_insn || !s->insns)
    return tsr_refuse(err, "step %d has %zu instructions from %zu on, of %zu", i, s->insns,
                      s->first_insn, m->insn_count);
  if (!is_finish(m, s->first_insn + s->insns - 1))
    return tsr_refuse(err, "step %d is a stream that does not end in FINISH", i);
  return TSR_OK;
}

static bool same_elements(const struct tir_buffer *param, const struct tsr_module_buffer *b)
{
  return param->dtype == b->dtype &&
         tsr_count(param->dims, param->rank, 1) == tsr_count(b->dims, b->rank, 1);
}

static enum tsr_status check_args(struct tsr_err *err, const struct tsr_module *m,
                                  const struct tsr_module_layer *l)
{
  if (l->args != l->func->params)
    return tsr_refuse(err, "layer '%s' has %d buffers for the %d of its compute", l->name, l->args,
                      l->func->params);
  for (int k = 0; k < l->args; k++) {
    if (l->arg[k] >= m->buffers)
      return tsr_refuse(err, "layer '%s' uses buffer %d of %d", l->name, l->arg[k], m->buffers);
    const struct tsr_module_buffer *b = &m->buffer[l->arg[k]];
    if (!same_elements(l->func->param[k], b))
      return tsr_refuse(err,
                        "layer '%s': buffer '%s' does not have the type or size that its compute "
                        "has for '%s'",
                        l->name, b->name, l->func->param[k]->name);
    if (!b->on_device && !strcmp(l->target, "accel"))
      return tsr_refuse(err, "layer '%s' is the accelerator's and uses '%s', which the host has",
                        l->name, b->name);
    if (k >= l->func->inputs && is_constant(m, b))
      return tsr_refuse(err, "layer '%s' writes to '%s', a constant", l->name, b->name);
    if (k >= l->func->inputs && b->is_part && strcmp(l->target, "accel"))
      return tsr_refuse(err, "layer '%s' writes to '%s', a part, from the CPU", l->name, b->name);
  }
  return TSR_OK;
}

static enum tsr_status check_layer(struct tsr_err *err, const struct tsr_module *m, int i)
{
  const struct tsr_module_layer *l = &m->layer[i];
  bool accel = !strcmp(l->target, "accel");
  if (!accel && strcmp(l->target, "cpu"))
    return tsr_refuse(err, "layer '%s' is for '%s'; there are 'accel' and 'cpu'", l->name,
                      l->target);
  if (l->step >= m->steps)
    return tsr_refuse(err, "layer '%s' is in step %d of %d", l->name, l->step, m->steps);
  const struct tsr_module_step *s = &m->step[l->step];
  if (accel != (s->kind == TSR_STEP_ACCEL) || (!accel && s->layer != i))
    return tsr_refuse(err, "layer '%s' is not one of the layers of its step %d", l->name, l->step);
  if (accel && (l->first_insn < s->first_insn || l->first_insn > s->first_insn + s->insns ||
                l->insns > s->first_insn + s->insns - l->first_insn))
    return tsr_refuse(err, "layer '%s' has %zu instructions from %zu on, outside of its step's",
                      l->name, l->insns, l->first_insn);
  return check_args(err, m, l);
}

static int by_offset(const void *a, const void *b)
{
  const struct tsr_module_buffer *x = *(const struct tsr_module_buffer *const *)a;
  const struct tsr_module_buffer *y = *(const struct tsr_module_buffer *const *)b;
  return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Every activation keeps its place to the end of a run, so that it can be checked there. */
static enum tsr_status check_overlaps(struct tsr_arena *arena, struct tsr_err *err,
                                      const struct tsr_module *m)
{
  const struct tsr_module_buffer **list = TSR_NEW_ARRAY(arena, const struct tsr_module_buffer *,
                                                        m->buffers);
  size_t n = 0;
  for (int i = 0; i < m->buffers; i++)
    if (m->buffer[i].on_device && !m->buffer[i].is_part && !is_image(m, &m->buffer[i]) &&
        bytes_of(&m->buffer[i]))
      list[n++] = &m->buffer[i];
  if (n)
    qsort(list, n, sizeof *list, by_offset);
  for (size_t i = 1; i < n; i++)
    if (list[i]->offset - list[i - 1]->offset < bytes_of(list[i - 1]))
      return tsr_refuse(err, "buffers '%s' and '%s' overlap in the window", list[i - 1]->name,
                        list[i]->name);
  return TSR_OK;
}

enum tsr_status tsr_module_check(struct tsr_arena *arena, struct tsr_err *err,
                                 const struct tsr_module *m)
{
  if (m->image_bytes > m->window_bytes)
    return tsr_refuse(err, "the image of %zu bytes does not fit the window of %zu", m->image_bytes,
                      m->window_bytes);
  if (m->window_bytes > UINT32_MAX)
    return tsr_refuse(err, "the window has %zu bytes, more than 32-bit addresses reach",
                      m->window_bytes);
  if (check_ports(err, m, "input", m->inputs, m->input) ||
      check_ports(err, m, "output", m->outputs, m->output))
    return TSR_REFUSED;
  for (int i = 0; i < m->inputs; i++)
    if (m->buffer[m->input[i]].data)
      return tsr_refuse(err, "input %d ('%s') is a constant", i, m->buffer[m->input[i]].name);
  for (int i = 0; i < m->buffers; i++)
    if (check_buffer(err, m, i) || check_part(err, m, i))
      return TSR_REFUSED;
  for (int i = 0; i < m->steps; i++)
    if (check_step(err, m, i))
      return TSR_REFUSED;
  for (int i = 0; i < m->layers; i++)
    if (check_layer(err, m, i))
      return TSR_REFUSED;
  return check_overlaps(arena, err, m);
}

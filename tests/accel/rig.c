/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/accel/rig.h"

#include <string.h>

#include "tests/accel/random_net.h"

void rig_open(struct rig *r, const char *point)
{
  *r = (struct rig){.arena = tsr_arena_new(NULL)};
  assert_non_null(r->arena);
  assert_int_equal(tsr_design_open(r->arena, &r->err, point, &r->design), TSR_OK);
  r->stream = tsr__stream_new(r->arena, &r->design);
  r->func = tsr_func_new(NULL, &r->design);
  assert_non_null(r->func);
}

void rig_close(struct rig *r)
{
  tsr_func_free(r->func);
  tsr_arena_free(r->arena);
}

size_t rig_bytes(const struct tir_buffer *b)
{
  return (size_t)tsr_count(b->dims, b->rank, 1) * tsr_dtype_bytes(b->dtype);
}

struct tir_program *rig_parse(struct rig *r, const char *text)
{
  struct tir_program *p = NULL;
  if (tir_program_parse(r->arena, &r->err, "test", text, &p))
    fail_msg("%s", r->err.text);
  return p;
}

static int buffer_of(enum tir_scope scope)
{
  switch (scope) {
  case TIR_INP: return TSR_BUFFER_INP;
  case TIR_WGT: return TSR_BUFFER_WGT;
  case TIR_ACC: return TSR_BUFFER_ACC;
  case TIR_OUT: return TSR_BUFFER_OUT;
  default: return TSR_BUFFER_LUT;
  }
}

static uint32_t entry_elements(const struct rig *r, enum tir_scope scope)
{
  int bytes = tsr_design_dram_entry(&r->design, buffer_of(scope));
  return (uint32_t)(scope == TIR_ACC ? bytes / 4 : bytes);
}

static void place_parameters(struct rig *r, const struct tir_program *p)
{
  uint32_t next[TIR_SCOPE_COUNT] = {0};
  assert_true(p->params <= 16);
  for (int k = 0; k < p->params; k++) {
    const struct tir_buffer *b = p->param[k];
    struct tsr__place *at = &r->place[k];
    if (b->scope == TIR_GLOBAL) {
      *at = (struct tsr__place){.base = BASE_ACTIVATION, .dram = r->activations};
      r->activations += (rig_bytes(b) + 127) / 128 * 128;
      continue;
    }
    *at = (struct tsr__place){.depth = 1, .entry_elements = entry_elements(r, b->scope)};
    at->entries = (uint32_t)(tsr_count(b->dims, b->rank, 1) / at->entry_elements);
    at->at[0][0] = next[b->scope];
    next[b->scope] += at->entries;
  }
}

enum tsr_status rig_emit(struct rig *r, const struct tir_program *p)
{
  place_parameters(r, p);
  enum tsr_status status = tsr__walk_program(r->stream, &r->err, p, r->place);
  if (status)
    return status;
  tsr__stream_end(r->stream);
  uint8_t *image;
  status = tsr__stream_close(r->stream, &r->err, &r->insns, &image, &r->image_bytes);
  if (status)
    return status;
  r->window_bytes = r->image_bytes + r->activations;
  r->window = tsr_arena_alloc(r->arena, r->window_bytes + 1);
  memcpy(r->window, image, r->image_bytes);
  return TSR_OK;
}

void *rig_scratchpad(struct rig *r, enum tir_scope scope)
{
  size_t bytes;
  return tsr_func_scratchpad(r->func, buffer_of(scope), &bytes);
}

static uint8_t *home(struct rig *r, const struct tir_program *p, int k)
{
  const struct tir_buffer *b = p->param[k];
  if (b->scope == TIR_GLOBAL)
    return r->window + r->image_bytes + r->place[k].dram;
  return (uint8_t *)rig_scratchpad(r, b->scope) +
         (size_t)r->place[k].at[0][0] * r->place[k].entry_elements * tsr_dtype_bytes(b->dtype);
}

void rig_run(struct rig *r, const struct tir_program *p, void *const *data)
{
  struct tsr_func_result result;
  for (int k = 0; k < p->params; k++)
    memcpy(home(r, p, k), data[k], rig_bytes(p->param[k]));
  tsr_func_run(r->func, r->insns, r->stream->count, r->window, r->window_bytes, &result);
  if (result.trap)
    fail_msg("%s in\n%s", result.text, rig_text(r));
  for (int k = p->inputs; k < p->params; k++)
    memcpy(data[k], home(r, p, k), rig_bytes(p->param[k]));
}

void rig_interpret(struct rig *r, const struct tir_program *p, void *const *data)
{
  struct tir_code *code = NULL;
  if (tir_code_new(r->arena, &r->err, p, &code) || tir_code_run(code, r->arena, &r->err, data))
    fail_msg("%s", r->err.text);
}

void **rig_data(struct rig *r, const struct tir_program *p, uint64_t seed)
{
  struct random random = {seed * 2654435761u + 1};
  void **data = TSR_NEW_ARRAY(r->arena, void *, p->params + 1);
  for (int k = 0; k < p->params; k++) {
    size_t bytes = rig_bytes(p->param[k]);
    uint8_t *b = data[k] = tsr_arena_alloc(r->arena, bytes + 1);
    for (size_t i = 0; i < bytes && k < p->inputs; i++)
      b[i] = (uint8_t)random_bits(&random);
  }
  return data;
}

const char *rig_text(const struct rig *r)
{
  struct tsr_text t = {.arena = r->arena};
  for (size_t k = 0; k < r->stream->count; k++)
    tsr_text_add(&t, "%s\n", tsr_insn_text(r->arena, &r->stream->insn[k]));
  return t.data;
}

int rig_count(const struct rig *r, int opcode)
{
  int n = 0;
  for (size_t k = 0; k < r->stream->count; k++)
    n += r->stream->insn[k].opcode == opcode;
  return n;
}

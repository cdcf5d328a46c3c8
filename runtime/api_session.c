/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of the public interface. */
#include <string.h>

#include "runtime/api.h"
#include "runtime/executor.h"

struct tessera_session {
  struct tsr_arena *arena;
  const struct tsr_module *module;
  struct tsr_executor *executor;
};

struct opening {
  const struct tsr_module *module;
  const char *device;
  struct tessera_session *session;
};

static enum tsr_status open_session(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct opening *o = context;
  o->session = TSR_NEW(arena, struct tessera_session);
  o->session->arena = arena;
  o->session->module = o->module;
  return tsr_executor_open(arena, err, o->module, o->device, &o->session->executor);
}

enum tessera_status tessera_session_open(struct tessera *t, const struct tessera_model *model,
                                         const char *device, struct tessera_session **out)
{
  struct opening o = {model->module, device ? device : tessera_device(0), NULL};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, open_session, &o, &owner);
  if (!status)
    *out = o.session;
  return status;
}

void tessera_session_free(struct tessera_session *session)
{
  if (!session)
    return;
  tsr_executor_close(session->executor);
  tsr_arena_free(session->arena);
}

enum tessera_status tessera_session_set_input(struct tessera *t, struct tessera_session *session,
                                              int k, const struct tessera_tensor *tensor)
{
  const struct tsr_module *m = session->module;
  if (k < 0 || k >= m->inputs)
    return (enum tessera_status)tsr_refuse(&t->err, "there is no input %d; '%s' has %d", k, m->name,
                                           m->inputs);
  const struct tsr_module_buffer *b = &m->buffer[m->input[k]];
  struct tsr_tensor given = tsr__tensor_in(tensor), wanted = {.dtype = b->dtype, .rank = b->rank};
  memcpy(wanted.dims, b->dims, sizeof wanted.dims);
  char given_text[192], wanted_text[192];
  if (given.dtype != wanted.dtype || !tsr_same_shape(&given, &wanted))
    return (enum tessera_status)tsr_refuse(
      &t->err, "input '%s' is %s of %s, and a tensor of %s of %s was given", b->name,
      tsr_dims_text(wanted.dims, wanted.rank, wanted_text), tsr_dtype_name(wanted.dtype),
      tsr_dims_text(given.dims, given.rank, given_text), tsr_dtype_name(given.dtype));
  if (tsr_tensor_bytes(&given))
    memcpy(tsr_executor_buffer(session->executor, m->input[k]), given.data,
           tsr_tensor_bytes(&given));
  return TESSERA_OK;
}

enum tessera_status tessera_session_run(struct tessera *t, struct tessera_session *session)
{
  return (enum tessera_status)tsr_executor_run(session->executor, &t->err);
}

void tessera_session_output(const struct tessera_session *session, int k,
                            struct tessera_tensor *out)
{
  const struct tsr_module *m = session->module;
  const struct tsr_module_buffer *b = &m->buffer[m->output[k]];
  *out = (struct tessera_tensor){.dtype = (enum tessera_dtype)b->dtype, .rank = b->rank};
  memcpy(out->dims, b->dims, sizeof out->dims);
  out->data = tsr_executor_buffer(session->executor, m->output[k]);
}

enum tessera_status tessera_session_check(struct tessera *t, struct tessera_session *session)
{
  struct tsr_difference difference;
  return (enum tessera_status)tsr_executor_check(session->executor, &t->err, &difference);
}

void tessera_session_counters(const struct tessera_session *session, struct tessera_counters *out)
{
  struct tsr_device_counters c;
  tsr_executor_counters(session->executor, &c);
  *out = (struct tessera_counters){
    .load_insns = c.insns[TSR_ENGINE_LOAD],
    .matrix_insns = c.insns[TSR_ENGINE_MATRIX],
    .vector_insns = c.insns[TSR_ENGINE_VECTOR],
    .store_insns = c.insns[TSR_ENGINE_STORE],
    .dram_read_bytes = c.dram_read_bytes,
    .dram_write_bytes = c.dram_write_bytes,
    .macs = c.macs,
    .vector_ops = c.vector_ops,
  };
}

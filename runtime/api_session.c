/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of the public interface. */
#include <string.h>

#include "hw/sim/rtl/fst.h"
#include "runtime/api.h"
#include "runtime/executor.h"

struct tessera_session {
  struct tsr_arena *arena;
  const struct tsr_module *module;
  struct tsr_executor *executor;
  bool records, recorded; /* what happens when; and a run has come to its end */
  struct tsr_record record;
  struct tsr_device_observer observer;
};

struct opening {
  const struct tessera_model *model;
  const struct tsr_module *module;
  const struct tessera_session_options *options;
  struct tessera_session *session;
};

/* --- opening ---------------------------------------------------------------------------------- */

/* The instructions of a layer that is on the device. */
static enum tsr_status find_insns(struct tsr_arena *arena, struct tsr_err *err,
                                  const struct tsr_module *m, const char *name,
                                  struct tsr_device_wave *wave)
{
  int i;
  enum tsr_status status = tsr__find_layer(arena, err, m, name, &i);
  if (status)
    return status;
  if (!m->layer[i].insns)
    return tsr_refuse(err, "layer '%s' runs on %s and has no instructions to write a waveform of",
                      name, m->layer[i].target);
  wave->insns = m->insns + m->layer[i].first_insn * TSR_INSN_BYTES;
  wave->insn_count = m->layer[i].insns;
  return TSR_OK;
}

static enum tsr_status device_options(struct tsr_arena *arena, struct tsr_err *err,
                                      const struct opening *o, struct tsr_device_options *out)
{
  const struct tessera_session_options *from = o->options;
  *out = (struct tsr_device_options){
      .wave = {.path = from->wave, .first_cycle = from->wave_first, .last_cycle = from->wave_last},
      .timeout_cycles = from->timeout_cycles,
      .lockstep = from->lockstep,
      .timing_only = from->timing_only,
      .cache = from->cache,
      .say = from->say,
      .progress = from->progress,
      .context = from->context,
  };
  if (!from->wave || !from->wave_layer)
    return TSR_OK;
  return find_insns(arena, err, o->module, from->wave_layer, &out->wave);
}

static void start_recording(struct tsr_arena *arena, struct tessera_session *session,
                            struct tsr_device_options *options)
{
  session->records = true;
  tsr_record_open(&session->record, tsr_arena_allocator(arena), session->module);
  session->observer = tsr_record_observer(&session->record);
  options->observer = &session->observer;
}

static enum tsr_status open_session(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct opening *o = context;
  o->session = TSR_NEW(arena, struct tessera_session);
  o->session->arena = arena;
  o->session->module = o->module;
  struct tsr_device_options options;
  if (device_options(arena, err, o, &options))
    return TSR_REFUSED;
  if (o->options->record)
    start_recording(arena, o->session, &options);
  const char *device = o->options->device ? o->options->device : tessera_device(0);
  struct tsr_cpu_choice cpu = o->model->cpu;
  cpu.threads = o->options->threads;
  if (o->model->on_host)
    device = NULL;
  return tsr_executor_open_with(arena, err, o->module, device, &options, &cpu, &o->model->gpu,
                                &o->session->executor);
}

enum tessera_status tessera_session_open(struct tessera *t, const struct tessera_model *model,
                                         const char *device, struct tessera_session **out)
{
  struct tessera_session_options options = {.device = device};
  return tessera_session_open_with(t, model, &options, out);
}

enum tessera_status tessera_session_open_with(struct tessera *t, const struct tessera_model *model,
                                              const struct tessera_session_options *options,
                                              struct tessera_session **out)
{
  struct opening o = {model, model->module, options, NULL};
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
  if (session->records)
    tsr_record_close(&session->record);
  tsr_arena_free(session->arena);
}

enum tessera_status tessera_wave_check(struct tessera *t, const char *path)
{
  return (enum tessera_status)tsr_fst_check(&t->err, path);
}

struct tsr_executor *tsr__session_executor(const struct tessera_session *session)
{
  return session->executor;
}

const struct tsr_module *tsr__session_module(const struct tessera_session *session)
{
  return session->module;
}

const char *tessera_session_cpu(const struct tessera_session *session)
{
  const char *level = tsr_executor_level(session->executor);
  return level ? level : "interpreter";
}

int tessera_session_threads(const struct tessera_session *session)
{
  return tsr_executor_threads(session->executor);
}

const char *tessera_session_place(const struct tessera_session *session, int k)
{
  static const char *const names[] = {
      [TSR_PLACE_ACCEL] = "accel", [TSR_PLACE_CPU] = "cpu", [TSR_PLACE_GPU] = "cuda"};
  return names[tsr_executor_place(session->executor, k)];
}

/* --- running ---------------------------------------------------------------------------------- */

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
  if (session->records)
    tsr_record_forget(&session->record);
  enum tsr_status status = tsr_executor_run(session->executor, &t->err);
  if (!status && session->record.no_memory)
    status = tsr_no_memory(&t->err);
  session->recorded = !status;
  return (enum tessera_status)status;
}

enum tsr_status tsr__session_record(const struct tessera_session *session, struct tsr_err *err,
                                    const struct tsr_record **out)
{
  if (!session->records)
    return tsr_refuse(err, "the session was opened without `record`, so that nothing was kept of "
                           "its run");
  if (!session->recorded)
    return tsr_refuse(err, "no run of the session has come to its end, so that nothing was kept");
  *out = &session->record;
  return TSR_OK;
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
      .cycles = c.machine[TSR_COUNTER_CYCLES],
      .fetch_bytes = c.machine[TSR_COUNTER_FETCH_BYTES],
      .wave_cycles = c.wave_cycles,
  };
}

bool tessera_session_activity(const struct tessera_session *session, int k,
                              struct tessera_activity *out)
{
  struct tsr_device_counters c;
  tsr_executor_counters(session->executor, &c);
  for (int i = 0; c.machine[TSR_COUNTER_CYCLES] && i < TSR_COUNTER_COUNT; i++) {
    int engine = tsr_counter_engine(i);
    if (engine < 0 || k-- > 0)
      continue;
    *out = (struct tessera_activity){
        .engine = tsr_engine_name(engine),
        .state = tsr_counter_name(i),
        .meaning = tsr_counter_meaning(i),
        .cycles = c.machine[i],
    };
    return true;
  }
  return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Traces and profiles of the public interface. */
#include <string.h>

#include "runtime/api.h"
#include "runtime/profile/profile.h"
#include "runtime/profile/trace.h"

/* --- bytes of what was made ------------------------------------------------------------------- */

struct copying {
  const void *data;
  size_t size;
  struct tessera_bytes *out;
};

static enum tsr_status copy(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct copying *c = context;
  (void)err;
  char *data = tsr_arena_alloc(arena, c->size + 1);
  memcpy(data, c->data, c->size);
  *c->out = (struct tessera_bytes){(const unsigned char *)data, c->size, arena};
  return TSR_OK;
}

/* What is made takes far more memory than the text that comes of it: only that is kept. */
static enum tessera_status hand_out(struct tessera *t, struct tsr_arena *made,
                                    const struct tsr_text *text, struct tessera_bytes *out)
{
  struct tessera_bytes bytes;
  struct copying c = {text->data, text->length, &bytes};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, copy, &c, &owner);
  tsr_arena_free(made);
  if (!status)
    *out = bytes;
  return status;
}

/* --- traces ----------------------------------------------------------------------------------- */

struct tracing {
  const struct tessera_session *session;
  size_t most_bytes;
  struct tsr_text text;
  struct tessera_trace_info info;
};

static enum tsr_status make_trace(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct tracing *w = context;
  const struct tsr_record *record;
  enum tsr_status status = tsr__session_record(w->session, err, &record);
  if (!status)
    w->text = tsr_trace_write(arena, record, w->most_bytes, &w->info);
  return status;
}

enum tessera_status tessera_session_trace(struct tessera *t, const struct tessera_session *session,
                                          const struct tessera_trace_options *options,
                                          struct tessera_bytes *json,
                                          struct tessera_trace_info *info)
{
  size_t most = options ? options->most_bytes : 0;
  struct tracing w = {.session = session, .most_bytes = most ? most : TSR_TRACE_BYTES};
  struct tsr_arena *made;
  enum tessera_status status = tsr__call(t, make_trace, &w, &made);
  if (!status)
    status = hand_out(t, made, &w.text, json);
  if (!status && info)
    *info = w.info;
  return status;
}

/* --- profiles --------------------------------------------------------------------------------- */

struct profiling {
  const struct tessera_session *session;
  const char *name; /* of text to be read */
  const void *text;
  size_t size;
  struct tessera_profile *profile;
};

static enum tsr_status make_profile(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct profiling *w = context;
  const struct tsr_record *record;
  enum tsr_status status = tsr__session_record(w->session, err, &record);
  if (!status)
    w->profile = tsr_profile_make(arena, record);
  return status;
}

static enum tsr_status read_profile(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct profiling *w = context;
  w->profile = TSR_NEW(arena, struct tessera_profile);
  return tsr_profile_read(arena, err, w->name, w->text, w->size, w->profile);
}

static enum tessera_status have_profile(struct tessera *t, tsr__work *work, struct profiling *w,
                                        const struct tessera_profile **out)
{
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, work, w, &owner);
  if (status)
    return status;
  w->profile->owner = owner;
  *out = w->profile;
  return TESSERA_OK;
}

enum tessera_status tessera_session_profile(struct tessera *t,
                                            const struct tessera_session *session,
                                            const struct tessera_profile **out)
{
  struct profiling w = {.session = session};
  return have_profile(t, make_profile, &w, out);
}

enum tessera_status tessera_profile_read(struct tessera *t, const char *name, const void *text,
                                         size_t size, const struct tessera_profile **out)
{
  struct profiling w = {.name = name, .text = text, .size = size};
  return have_profile(t, read_profile, &w, out);
}

void tessera_profile_free(const struct tessera_profile *profile)
{
  if (profile)
    tsr_arena_free(profile->owner);
}

struct writing {
  const struct tessera_profile *profile, *before;
  enum tessera_profile_form form;
  struct tsr_text text;
};

static enum tsr_status write_profile(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct writing *w = context;
  (void)err;
  w->text = (struct tsr_text){.arena = arena};
  switch (w->form) {
  case TESSERA_PROFILE_JSON: tsr_profile_json(&w->text, w->profile); break;
  case TESSERA_PROFILE_CSV: tsr_profile_csv(&w->text, w->profile); break;
  case TESSERA_PROFILE_HTML: tsr_profile_html(&w->text, w->profile, w->before); break;
  }
  return TSR_OK;
}

enum tessera_status tessera_profile_write(struct tessera *t, const struct tessera_profile *profile,
                                          const struct tessera_profile *before,
                                          enum tessera_profile_form form, struct tessera_bytes *out)
{
  struct writing w = {.profile = profile, .before = before, .form = form};
  struct tsr_arena *made;
  enum tessera_status status = tsr__call(t, write_profile, &w, &made);
  return status ? status : hand_out(t, made, &w.text, out);
}

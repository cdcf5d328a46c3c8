/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/rtl/model.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/sim/rtl/build.h"
#include "hw/sim/rtl/cache.h"

/* The files of an entry, all beside each other. */
struct entry {
  char *folder, *library, *lock, *log;
  char *scratch, *built; /* a new folder, and what is built in it */
};

static struct entry name_entry(struct tsr_arena *arena, char *folder, uint64_t key)
{
  char *stem = tsr_arena_printf(arena, "%s/rtl-%016" PRIx64, folder, key);
  struct entry e = {
      .folder = folder,
      .library = tsr_arena_printf(arena, "%s.so", stem),
      .lock = tsr_arena_printf(arena, "%s.lock", stem),
      .log = tsr_arena_printf(arena, "%s.log", stem),
      .scratch = tsr_arena_printf(arena, "%s.XXXXXX", stem),
  };
  e.built = tsr_arena_printf(arena, "%s/model.so", e.scratch);
  return e;
}

/* --- building --------------------------------------------------------------------------------- */

static void say(const struct tsr__rtl_wish *wish, const char *doing, const char *then)
{
  char line[160];
  snprintf(line, sizeof line, "%s the RTL of %s%s%s", doing, wish->design->name,
           wish->wave ? " for waveforms" : "", then);
  if (wish->say)
    wish->say(wish->context, line);
}

static void say_waits(void *context)
{
  say(context, "waiting for another process, which is building", "");
}

static enum tsr_status build_in_scratch(struct tsr_err *err, const struct tsr__build *build,
                                        const struct entry *e)
{
  enum tsr_status status = tsr__build_run(err, build, e->scratch, e->log);
  if (status)
    return status;
  if (rename(e->built, e->library) < 0)
    return tsr_refuse(err, "%s: cannot be written: %s", e->library, strerror(errno));
  remove(e->log);
  return TSR_OK;
}

static enum tsr_status build_entry(struct tsr_err *err, const struct tsr__build *build,
                                   const struct tsr__rtl_wish *wish, const struct entry *e)
{
  say(wish, "building", "; it is kept for the next time");
  remove(e->log);
  if (!mkdtemp(e->scratch))
    return tsr_refuse(err, "%s: the cache of RTL models cannot be written: %s", e->folder,
                      strerror(errno));
  memcpy(e->built, e->scratch, strlen(e->scratch)); /* mkdtemp() filled in its last letters */
  enum tsr_status status = build_in_scratch(err, build, e);
  tsr__cache_remove(e->scratch);
  return status;
}

/* Another process may have built it while this one waited for the lock. */
static enum tsr_status build_once(struct tsr_err *err, const struct tsr__build *build,
                                  const struct tsr__rtl_wish *wish, const struct entry *e)
{
  enum tsr_status status = tsr__cache_make(err, e->folder);
  if (status)
    return status;
  struct tsr__rtl_wish for_waiting = *wish;
  int lock = tsr__cache_lock(e->lock, say_waits, &for_waiting);
  if (lock >= 0)
    tsr__cache_remove_made(e->scratch);
  if (access(e->library, R_OK) < 0)
    status = build_entry(err, build, wish, e);
  tsr__cache_unlock(lock);
  return status;
}

/* --- loading ---------------------------------------------------------------------------------- */

/* ISO C knows no way from a pointer of data to one of code; POSIX says that the bits are the
 * same. */
static bool find_call(void *library, const char *name, void *call)
{
  void *found = dlsym(library, name);
  memcpy(call, &found, sizeof found);
  return found;
}

enum tsr_status tsr__rtl_model_load(struct tsr_err *err, const char *path,
                                    struct tsr__rtl_model *out)
{
  struct tsr__rtl_model m = {.library = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
  if (m.library && find_call(m.library, "tsr_rtl_model_new", &m.make) &&
      find_call(m.library, "tsr_rtl_model_free", &m.free) &&
      find_call(m.library, "tsr_rtl_model_cycle", &m.cycle) &&
      find_call(m.library, "tsr_rtl_model_peek", &m.peek)) {
    *out = m;
    return TSR_OK;
  }
  const char *why = dlerror();
  tsr_refuse(err, "%s: the RTL model cannot be loaded: %s", path, why ? why : "no reason is known");
  tsr__rtl_model_close(&m);
  return TSR_REFUSED;
}

enum tsr_status tsr__rtl_model_open(struct tsr_arena *arena, struct tsr_err *err,
                                    const struct tsr__rtl_wish *wish, struct tsr__rtl_model *out)
{
  struct tsr__build build;
  char *folder;
  if (tsr__cache_folder(arena, err, wish->cache, &folder) ||
      tsr__build_plan(arena, err, wish, &build))
    return TSR_REFUSED;
  struct entry e = name_entry(arena, folder, build.key);
  if (access(e.library, R_OK) == 0 && !tsr__rtl_model_load(err, e.library, out))
    return TSR_OK;
  remove(e.library); /* what is there, if anything, is damaged */
  enum tsr_status status = build_once(err, &build, wish, &e);
  return status ? status : tsr__rtl_model_load(err, e.library, out);
}

void tsr__rtl_model_close(struct tsr__rtl_model *model)
{
  if (model->library)
    dlclose(model->library);
  model->library = NULL;
}

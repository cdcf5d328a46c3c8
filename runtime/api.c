/* SPDX-License-Identifier: Apache-2.0 */
/* The context, bytes and files of the public interface, and what this build has. */
#include "runtime/api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "driver/device.h"

_Static_assert((int)TESSERA_OK == (int)TSR_OK && (int)TESSERA_MISMATCH == (int)TSR_MISMATCH &&
                 (int)TESSERA_REFUSED == (int)TSR_REFUSED &&
                 (int)TESSERA_NO_MEMORY == (int)TSR_NO_MEMORY,
               "one set of states");

static const char *const targets[] = {"accel", "cpu", "cuda", NULL};

struct tessera *tessera_new(const struct tessera_allocator *allocator)
{
  struct tsr_allocator hook = {0};
  if (allocator)
    hook = (struct tsr_allocator){allocator->resize, allocator->context};
  struct tessera *t = tsr_resize(allocator ? &hook : NULL, NULL, sizeof *t);
  if (!t)
    return NULL;
  *t = (struct tessera){.hook = hook};
  t->allocator = allocator ? &t->hook : NULL;
  return t;
}

void tessera_free(struct tessera *t)
{
  if (!t)
    return;
  struct tsr_allocator hook = t->hook;
  tsr_resize(t->allocator ? &hook : NULL, t, 0);
}

const char *tessera_message(const struct tessera *t)
{
  return t->err.text;
}

const char *tessera_version(void)
{
  return TESSERA_VERSION;
}

const char *tessera_nearest(const char *given, const char *const *names, int count)
{
  return tsr_nearest(given, names, count);
}

enum tessera_status tsr__call(struct tessera *t, tsr__work *work, void *context,
                              struct tsr_arena **owner)
{
  struct tsr_arena *arena = tsr_arena_new(t->allocator);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    return (enum tessera_status)tsr_no_memory(&t->err);
  }
  enum tsr_status status = work(arena, &t->err, context);
  if (status || !owner)
    tsr_arena_free(arena);
  else
    *owner = arena;
  return (enum tessera_status)status;
}

/* --- bytes and files -------------------------------------------------------------------------- */

void tessera_bytes_free(struct tessera_bytes *bytes)
{
  tsr_arena_free(bytes->owner);
  *bytes = (struct tessera_bytes){0};
}

struct reading {
  const char *path;
  size_t limit;
  struct tsr_bytes file;
};

static enum tsr_status read_file(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct reading *r = context;
  return tsr_file_read(arena, err, r->path, r->limit, &r->file);
}

enum tessera_status tessera_file_read(struct tessera *t, const char *path, size_t limit,
                                      struct tessera_bytes *out)
{
  struct reading r = {path, limit, {NULL, 0}};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, read_file, &r, &owner);
  if (!status)
    *out = (struct tessera_bytes){r.file.data, r.file.size, owner};
  return status;
}

enum tessera_status tessera_file_write(struct tessera *t, const char *path, const void *data,
                                       size_t size)
{
  return (enum tessera_status)tsr_file_write(&t->err, path, data, size);
}

enum tessera_status tessera_file_writable(struct tessera *t, const char *path)
{
  struct stat st;
  char folder[4096];
  bool there = stat(path, &st) == 0;
  if (there && S_ISDIR(st.st_mode))
    return (enum tessera_status)tsr_refuse(&t->err, "%s: is a directory; a file name is wanted",
                                           path);
  int n = snprintf(folder, sizeof folder, "%s", path);
  if (n < 0 || (size_t)n >= sizeof folder)
    return (enum tessera_status)tsr_refuse(&t->err, "%.80s...: the file name is too long", path);
  char *slash = strrchr(folder, '/');
  if (slash)
    slash[slash == folder] = 0;
  const char *place = there && !S_ISREG(st.st_mode) ? path : slash ? folder : ".";
  if (access(place, W_OK) == 0 && (place == path || (stat(place, &st) == 0 && S_ISDIR(st.st_mode))))
    return TESSERA_OK;
  return (enum tessera_status)tsr_refuse(&t->err, "%s: cannot be written: %s", path,
                                         strerror(errno ? errno : ENOTDIR));
}

/* --- targets and devices ---------------------------------------------------------------------- */

const char *tessera_target(int k)
{
  return targets[k];
}

const char *tessera_device(int k)
{
  const struct tsr_device_kind *kind = tsr_device_kinds()[k];
  return kind ? kind->name : NULL;
}

const char *tessera_device_meaning(int k)
{
  return tsr_device_kinds()[k]->meaning;
}

static enum tsr_status check_cpu(struct tsr_err *err, const char *way)
{
  static const char *const ways[] = {
#define TSR_LEVEL(id, name, bytes, registers, fma, dot, bf16, meaning) name,
#include "native/levels.def"
#undef TSR_LEVEL
    "interpreter"};
  enum { WAYS = sizeof ways / sizeof *ways };
  for (int i = 0; i < WAYS; i++)
    if (!strcmp(way, ways[i]))
      return TSR_OK;
  const char *near = tsr_nearest(way, ways, WAYS);
  if (near)
    return tsr_refuse(err, "target 'cpu' has no '%.80s'; did you mean 'cpu:%s'?", way, near);
  return tsr_refuse(err,
                    "target 'cpu' has no '%.80s'; there are the levels of `tessera info`, such as "
                    "'cpu:%s', and 'cpu:interpreter'",
                    way, ways[1]);
}

struct tsr_cpu_choice tsr__cpu_choice(const char *target)
{
  struct tsr_cpu_choice choice = {TSR_CPU_BEST, TSR_LEVEL_SSE2, 0};
  if (!target || strncmp(target, "cpu:", 4))
    return choice;
  choice.way = tsr_level_from_name(target + 4, &choice.level) ? TSR_CPU_LEVEL : TSR_CPU_INTERPRETER;
  return choice;
}

static enum tsr_status check_cuda(struct tsr_err *err, const char *name)
{
  struct tsr_gpu_arch arch;
  if (tsr_gpu_arch_from_name(name, &arch))
    return TSR_OK;
  return tsr_refuse(err,
                    "target 'cuda' has no architecture '%.80s'; they are named as 'cuda:sm_80' and "
                    "'cuda:sm_90a' are",
                    name);
}

struct tsr_gpu_choice tsr__gpu_choice(const char *target)
{
  struct tsr_gpu_choice choice = {.used = target && !strncmp(target, "cuda", 4)};
  if (choice.used && target[4] == ':')
    (void)tsr_gpu_arch_from_name(target + 5, &choice.arch);
  return choice;
}

const char *tessera_cpu_level(int k)
{
  return k < TSR_LEVELS ? tsr_level_info((enum tsr_level)k)->name : NULL;
}

const char *tessera_cpu_level_meaning(int k)
{
  return tsr_level_info((enum tsr_level)k)->meaning;
}

bool tessera_cpu_level_here(int k)
{
  return k < TSR_LEVELS && tsr_levels_of_machine() >> k & 1;
}

static enum tsr_status check_target(struct tsr_err *err, const char *target, const char **device)
{
  const struct tsr_device_kind *kind;
  if (!strcmp(target, "cpu")) {
    *device = NULL;
    return TSR_OK;
  }
  if (!strncmp(target, "cpu:", 4)) {
    *device = NULL;
    return check_cpu(err, target + 4);
  }
  if (!strcmp(target, "cuda")) {
    *device = NULL;
    return TSR_OK;
  }
  if (!strncmp(target, "cuda:", 5)) {
    *device = NULL;
    return check_cuda(err, target + 5);
  }
  bool named = !strncmp(target, "accel:", 6);
  if (!named && strcmp(target, "accel")) {
    const char *near = tsr_nearest(target, targets, 3);
    return tsr_refuse(err, "unknown target '%.80s'; %s%s%s", target, near ? "did you mean '" : "",
                      near ? near : "there are 'accel', 'accel:DEVICE', 'cpu' and 'cuda'",
                      near ? "'?" : "");
  }
  if (tsr_device_find(err, named ? target + 6 : tsr_device_kinds()[0]->name, &kind))
    return TSR_REFUSED;
  *device = kind->name;
  return TSR_OK;
}

enum tessera_status tessera_target_check(struct tessera *t, const char *target, const char **device)
{
  const char *unused;
  return (enum tessera_status)check_target(&t->err, target ? target : targets[0],
                                           device ? device : &unused);
}

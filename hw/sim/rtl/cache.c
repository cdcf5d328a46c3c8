/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/rtl/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_OPEN_FOLDERS = 16 };

enum tsr_status tsr__cache_folder(struct tsr_arena *arena, struct tsr_err *err, const char *given,
                                  char **out)
{
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (given)
    *out = tsr_arena_strdup(arena, given);
  else if (cache && *cache == '/')
    *out = tsr_arena_printf(arena, "%s/tessera", cache);
  else if (home && *home)
    *out = tsr_arena_printf(arena, "%s/.cache/tessera", home);
  else
    return tsr_refuse(err, "there is no folder to keep built RTL models in: neither XDG_CACHE_HOME "
                           "nor HOME is set");
  return TSR_OK;
}

static bool make_one(const char *folder)
{
  return mkdir(folder, 0777) == 0 || errno == EEXIST;
}

enum tsr_status tsr__cache_make(struct tsr_err *err, const char *folder)
{
  char part[PATH_MAX];
  int n = snprintf(part, sizeof part, "%s", folder);
  bool made = n > 0 && n < (int)sizeof part;
  if (!made)
    errno = ENAMETOOLONG;
  for (char *slash = strchr(part + 1, '/'); made && slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    made = make_one(part);
    *slash = '/';
  }
  if (made && make_one(part) && access(part, W_OK | X_OK) == 0)
    return TSR_OK;
  return tsr_refuse(err, "%s: the cache of RTL models cannot be written: %s", folder,
                    strerror(errno));
}

int tsr__cache_lock(const char *path, void (*waits)(void *context), void *context)
{
  int lock = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
    return lock;
  waits(context);
  while (flock(lock, LOCK_EX) < 0 && errno == EINTR)
    ;
  return lock;
}

void tsr__cache_unlock(int lock)
{
  if (lock >= 0)
    close(lock);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *place)
{
  (void)st, (void)flag, (void)place;
  remove(path);
  return 0;
}

void tsr__cache_remove(const char *folder)
{
  nftw(folder, remove_one, MOST_OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

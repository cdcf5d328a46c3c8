/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/rtl/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"

enum { MOST_OPEN_FOLDERS = 16 };

enum tsr_status tsr__cache_folder(struct tsr_arena *arena, struct tsr_err *err, const char *given,
                                  char **out)
{
  *out = given ? tsr_arena_strdup(arena, given) : tsr_folder_of_caches(arena);
  if (!*out)
    return tsr_refuse(err, "there is no folder to keep built RTL models in: neither XDG_CACHE_HOME "
                           "nor HOME is set");
  return TSR_OK;
}

enum tsr_status tsr__cache_make(struct tsr_err *err, const char *folder)
{
  if (tsr_folder_make(folder))
    return TSR_OK;
  return tsr_refuse(err, "%s: the cache of RTL models cannot be written: %s", folder,
                    strerror(errno));
}

int tsr__cache_lock(const char *path, void (*waits)(void *context), void *context)
{
  int lock = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0)
    return lock;
  if (errno == EWOULDBLOCK) {
    int failed;
    waits(context);
    while ((failed = flock(lock, LOCK_EX)) < 0 && errno == EINTR)
      ;
    if (!failed)
      return lock;
  }
  close(lock);
  return -1;
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

void tsr__cache_remove_made(const char *template)
{
  char path[PATH_MAX];
  const char *name = strrchr(template, '/') + 1;
  size_t size = strlen(name), fixed = size - strlen("XXXXXX");
  snprintf(path, sizeof path, "%.*s", (int)(name - template), template);
  DIR *folder = opendir(path);
  for (struct dirent *e; folder && (e = readdir(folder));)
    if (strlen(e->d_name) == size && !strncmp(e->d_name, name, fixed) &&
        snprintf(path, sizeof path, "%.*s%s", (int)(name - template), template, e->d_name) <
            PATH_MAX)
      tsr__cache_remove(path);
  if (folder)
    closedir(folder);
}

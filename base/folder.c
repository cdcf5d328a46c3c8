/* SPDX-License-Identifier: Apache-2.0 */
#include "base/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *tsr_folder_of_caches(struct tsr_arena *arena)
{
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (cache && *cache == '/')
    return tsr_arena_printf(arena, "%s/tessera", cache);
  if (home && *home == '/')
    return tsr_arena_printf(arena, "%s/.cache/tessera", home);
  return NULL;
}

static bool make_one(const char *path)
{
  return mkdir(path, 0777) == 0 || errno == EEXIST;
}

bool tsr_folder_make(const char *path)
{
  char part[PATH_MAX];
  int n = snprintf(part, sizeof part, "%s", path);
  bool made = n > 0 && n < (int)sizeof part;
  if (!made)
    errno = n ? ENAMETOOLONG : ENOENT;
  for (char *slash = made ? strchr(part + 1, '/') : NULL; made && slash;
       slash = strchr(slash + 1, '/')) {
    *slash = 0;
    made = make_one(part);
    *slash = '/';
  }
  return made && make_one(part) && access(part, W_OK | X_OK) == 0;
}

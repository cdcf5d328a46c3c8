/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/rtl/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool is_program(const char *path)
{
  struct stat st;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *tsr__tool_find(struct tsr_arena *arena, const char *name)
{
  const char *at = getenv("PATH");
  if (!at)
    at = "/usr/local/bin:/usr/bin:/bin";
  while (*at) {
    size_t n = strcspn(at, ":");
    char *path = tsr_arena_printf(arena, "%.*s/%s", n ? (int)n : 1, n ? at : ".", name);
    if (is_program(path))
      return path;
    at += n + (at[n] == ':');
  }
  return NULL;
}

pid_t tsr__tool_start(const char *const *argv, const char *folder, const char *log)
{
  posix_spawn_file_actions_t actions;
  pid_t pid = -1;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed) {
    errno = failed;
    return -1;
  }
  failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (!failed)
    failed =
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (!failed)
    failed = posix_spawn_file_actions_adddup2(&actions, 1, 2);
  if (!failed)
    failed = posix_spawn_file_actions_addchdir_np(&actions, folder);
  if (!failed)
    failed = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  errno = failed;
  return failed ? -1 : pid;
}

bool tsr__tool_wait(pid_t pid)
{
  int status;
  if (pid < 0)
    return false;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

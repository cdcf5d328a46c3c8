/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads exactly size bytes unless the file ends; returns what was read, or -1. */
static ssize_t read_all(int fd, unsigned char *data, size_t size)
{
  size_t done = 0;
  while (done < size) {
    ssize_t n = read(fd, data + done, size - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    done += (size_t)n;
  }
  return (ssize_t)done;
}

static enum tsr_status check_kind(struct tsr_err *err, const char *path, int fd, size_t limit,
                                  size_t *size)
{
  struct stat st;
  if (fstat(fd, &st) < 0)
    return tsr_refuse(err, "%s: %s", path, strerror(errno));
  if (S_ISDIR(st.st_mode))
    return tsr_refuse(err, "%s: is a directory; a file is wanted", path);
  if (!S_ISREG(st.st_mode))
    return tsr_refuse(err, "%s: is not a regular file", path);
  if ((unsigned long long)st.st_size > limit)
    return tsr_refuse(err, "%s: has %lld bytes, more than the %zu that are read", path,
                      (long long)st.st_size, limit);
  *size = (size_t)st.st_size;
  return TSR_OK;
}

enum tsr_status tsr_file_read(struct tsr_arena *arena, struct tsr_err *err, const char *path,
                              size_t limit, struct tsr_bytes *out)
{
  size_t size = 0;
  struct stat st;
  if (stat(path, &st) < 0)
    return tsr_refuse(err, "%s: %s", path, strerror(errno));
  unsigned char *data = NULL;
  if (S_ISREG(st.st_mode) && (unsigned long long)st.st_size <= limit)
    data = tsr_arena_alloc(arena, (size_t)st.st_size + 1); /* before the file is open: may unwind */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return tsr_refuse(err, "%s: %s", path, strerror(errno));
  enum tsr_status status = check_kind(err, path, fd, limit, &size);
  if (!status) {
    ssize_t got = size == (size_t)st.st_size ? read_all(fd, data, size) : -1;
    if (got < 0 || (size_t)got != size)
      status = tsr_refuse(err, "%s: changed or could not be read to its end", path);
  }
  close(fd);
  if (status)
    return status;
  data[size] = 0;
  *out = (struct tsr_bytes){data, size};
  return TSR_OK;
}

static void unmap(void *context)
{
  struct tsr_bytes *mapped = context;
  if (mapped->size)
    munmap(mapped->data, mapped->size);
}

static enum tsr_status map_all(struct tsr_err *err, const char *path, int fd, struct tsr_bytes *out)
{
  void *data = mmap(NULL, out->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (data != MAP_FAILED) {
    out->data = data;
    return TSR_OK;
  }
  out->size = 0;
  return errno == ENOMEM ? tsr_no_memory(err) : tsr_refuse(err, "%s: %s", path, strerror(errno));
}

enum tsr_status tsr_file_map(struct tsr_arena *arena, struct tsr_err *err, const char *path,
                             size_t limit, struct tsr_bytes *out)
{
  static unsigned char nothing[1];
  struct tsr_bytes *mapped = TSR_NEW(arena, struct tsr_bytes);
  tsr_arena_at_end(arena, unmap, mapped); /* before the file is open: may unwind */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return tsr_refuse(err, "%s: %s", path, strerror(errno));
  enum tsr_status status = check_kind(err, path, fd, limit, &mapped->size);
  if (!status && mapped->size)
    status = map_all(err, path, fd, mapped);
  close(fd);
  if (!status)
    *out = mapped->size ? *mapped : (struct tsr_bytes){nothing, 0};
  return status;
}

static int write_all(int fd, const unsigned char *data, size_t size)
{
  while (size) {
    ssize_t n = write(fd, data, size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    data += n;
    size -= (size_t)n;
  }
  return 0;
}

enum tsr_status tsr_file_write(struct tsr_err *err, const char *path, const void *data, size_t size)
{
  struct stat st;
  char beside[4096];
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
    return tsr_refuse(err, "%s: is a directory; a file name is wanted", path);
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* /dev/stdout, a pipe: nothing to rename */
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write_all(fd, data, size) < 0) {
      int e = errno;
      if (fd >= 0)
        close(fd);
      return tsr_refuse(err, "%s: cannot be written: %s", path, strerror(e));
    }
    close(fd);
    return TSR_OK;
  }
  int n = snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());
  if (n < 0 || (size_t)n >= sizeof beside)
    return tsr_refuse(err, "%.80s...: the file name is too long", path);
  int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0)
    return tsr_refuse(err, "%s: cannot be written: %s", path, strerror(errno));
  int bad = write_all(fd, data, size);
  bad |= close(fd);
  if (bad || rename(beside, path) < 0) {
    int e = errno;
    unlink(beside);
    return tsr_refuse(err, "%s: cannot be written: %s", path, strerror(e));
  }
  return TSR_OK;
}

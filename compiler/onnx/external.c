/* SPDX-License-Identifier: Apache-2.0 */
/* Initializers whose data lies in a file beside the model. The model says which; so it may name
 * only files inside of its folder, whatever links lead to. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/onnx/private.h"

static const char *entry(const Onnx__TensorProto *p, const char *key)
{
  for (size_t i = 0; i < p->n_external_data; i++)
    if (p->external_data[i]->key && !strcmp(p->external_data[i]->key, key))
      return p->external_data[i]->value;
  return NULL;
}

/* A whole number in decimal; false for anything else. */
static bool read_number(const char *text, uint64_t *out)
{
  *out = 0;
  for (const char *c = text; *c; c++)
    if (*c < '0' || *c > '9' || __builtin_mul_overflow(*out, 10, out) ||
        __builtin_add_overflow(*out, (uint64_t)(*c - '0'), out))
      return false;
  return *text != 0;
}

static bool climbs(const char *location)
{
  for (const char *part = location; part; part = strchr(part, '/'), part += part != NULL)
    if (!strncmp(part, "..", 2) && (part[2] == '/' || part[2] == 0))
      return true;
  return false;
}

/* Resolves every link; *path lies inside of the folder, or the location is refused. */
static enum tsr_status resolve(struct tsr_arena *arena, struct tsr_err *err, const char *folder,
                               const char *location, char path[static PATH_MAX])
{
  char root[PATH_MAX];
  const char *shown = tsr__onnx_show(arena, location);
  if (location[0] == '/' || location[0] == 0 || climbs(location))
    return tsr_refuse(err, "external data file '%s' must be a path inside of the model's folder",
                      shown);
  const char *joined = tsr_arena_printf(arena, "%s/%s", folder[0] ? folder : ".", location);
  if (!realpath(folder[0] ? folder : ".", root) || !realpath(joined, path))
    return tsr_refuse(err, "external data file '%s': %s", shown, strerror(errno));
  size_t n = strlen(root);
  if (strncmp(path, root, n) != 0 || (path[n] != '/' && strcmp(root, "/") != 0))
    return tsr_refuse(err, "external data file '%s' is a link out of the model's folder", shown);
  return TSR_OK;
}

/* Where in a file of this size the tensor's bytes are. */
static enum tsr_status find_range(struct tsr_err *err, const Onnx__TensorProto *p,
                                  const char *shown, uint64_t file_size, size_t size,
                                  uint64_t *offset)
{
  const char *offset_text = entry(p, "offset"), *length_text = entry(p, "length");
  uint64_t length = size;
  *offset = 0;
  if ((offset_text && !read_number(offset_text, offset)) ||
      (length_text && !read_number(length_text, &length)))
    return tsr_refuse(err, "external data's offset and length must be whole numbers");
  if (length != size)
    return tsr_refuse(err, "external data's length is %" PRIu64 ", but the tensor needs %zu bytes",
                      length, size);
  if (*offset > file_size || size > file_size - *offset)
    return tsr_refuse(err,
                      "external data file '%s' has %" PRIu64
                      " bytes, but the tensor needs %zu from %" PRIu64,
                      shown, file_size, size, *offset);
  return TSR_OK;
}

static bool read_range(int fd, uint8_t *data, size_t size, uint64_t offset)
{
  while (size) {
    ssize_t n = pread(fd, data, size, (off_t)offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    data += n;
    size -= (size_t)n;
    offset += (uint64_t)n;
  }
  return true;
}

enum tsr_status tsr__onnx_external_data(struct tsr_arena *arena, struct tsr_err *err,
                                        const Onnx__TensorProto *p,
                                        struct tsr__onnx_external *external, size_t size,
                                        uint8_t **out)
{
  char path[PATH_MAX];
  struct stat st;
  uint64_t offset;
  const char *location = entry(p, "location");
  if (!location)
    return tsr_refuse(err, "has external data without a location");
  const char *shown = tsr__onnx_show(arena, location);
  if (!external->folder)
    return tsr_refuse(err, "its data is in the file '%s', and external data is not read here",
                      shown);
  enum tsr_status status = resolve(arena, err, external->folder, location, path);
  if (status)
    return status;
  if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
    return tsr_refuse(err, "external data file '%s' is not a regular file", shown);
  status = find_range(err, p, shown, (uint64_t)st.st_size, size, &offset);
  if (status)
    return status;
  if (size > external->left)
    return tsr_refuse(err, "external data is larger than the limit");
  external->left -= size;
  *out = tsr_arena_alloc(arena, size); /* before the file is open: may unwind */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  bool read = fd >= 0 && read_range(fd, *out, size, offset);
  if (fd >= 0)
    close(fd);
  return read ? TSR_OK : tsr_refuse(err, "external data file '%s' cannot be read", shown);
}

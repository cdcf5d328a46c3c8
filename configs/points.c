/* SPDX-License-Identifier: Apache-2.0 */
/* The standing points, compiled in from configs/NAME.json, and opening a point by name or path. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "configs/design.h"

enum { LARGEST_FILE = 65536 };

#define POINT(name, json) name,
static const char *const names[] = {
#include "configs/points.def"
    NULL};
#undef POINT

#define POINT(name, json) json,
static const char *const texts[] = {
#include "configs/points.def"
};
#undef POINT

enum { POINTS = sizeof texts / sizeof texts[0] };

const char *const *tsr_design_names(void)
{
  return names;
}

const char *tsr_design_json(const char *name)
{
  for (int i = 0; i < POINTS; i++)
    if (!strcmp(names[i], name))
      return texts[i];
  return NULL;
}

static enum tsr_status not_found(struct tsr_err *err, const char *name)
{
  const char *near = tsr_nearest(name, names, POINTS);
  if (near)
    return tsr_refuse(err, "%.200s: no standing design point and no file; did you mean '%s'?", name,
                      near);
  return tsr_refuse(err, "%.200s: no standing design point and no file; standing points are %s, %s, "
                    "%s, %s, %s", name, names[0], names[1], names[2], names[3], names[4]);
}

enum tsr_status tsr_design_open(struct tsr_arena *arena, struct tsr_err *err, const char *name_or_path,
                                struct tsr_design *out)
{
  const char *json = tsr_design_json(name_or_path);
  if (json)
    return tsr_design_parse(err, name_or_path, json, out);
  if (access(name_or_path, F_OK) != 0)
    return not_found(err, name_or_path);
  struct tsr_bytes file;
  enum tsr_status status = tsr_file_read(arena, err, name_or_path, LARGEST_FILE, &file);
  if (status)
    return status;
  const unsigned char *zero = memchr(file.data, 0, file.size);
  if (zero)
    return tsr_refuse(err, "%s: byte %zu is 0; a design point is text", name_or_path,
                      (size_t)(zero - file.data));
  return tsr_design_parse(err, name_or_path, (const char *)file.data, out);
}

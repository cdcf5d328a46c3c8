/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors of the public interface: their files, and how two of them differ. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/npy.h"
#include "compiler/onnx/tensorproto.h"
#include "runtime/api.h"

_Static_assert((int)TESSERA_MAX_RANK == (int)TSR_MAX_RANK, "one limit");
#define LARGEST_FILE ((size_t)1 << 34)

#define TSR_DTYPE(name, text, bytes, kind, npy, onnx)                                              \
  _Static_assert((int)TESSERA_##name == (int)TSR_##name, "one list of types");
#include "base/dtypes.def"
#undef TSR_DTYPE

struct tsr_tensor tsr__tensor_in(const struct tessera_tensor *tensor)
{
  struct tsr_tensor t = {.dtype = (enum tsr_dtype)tensor->dtype, .rank = tensor->rank,
                         .data = tensor->data};
  memcpy(t.dims, tensor->dims, sizeof t.dims);
  return t;
}

struct tessera_tensor tsr__tensor_out(const struct tsr_tensor *tensor)
{
  struct tessera_tensor t = {.dtype = (enum tessera_dtype)tensor->dtype, .rank = tensor->rank,
                             .data = tensor->data};
  memcpy(t.dims, tensor->dims, sizeof t.dims);
  return t;
}

const char *tessera_dtype_name(enum tessera_dtype dtype)
{
  return tsr_dtype_name((enum tsr_dtype)dtype);
}

size_t tessera_dtype_bytes(enum tessera_dtype dtype)
{
  return tsr_dtype_bytes((enum tsr_dtype)dtype);
}

int64_t tessera_tensor_count(const struct tessera_tensor *tensor)
{
  return tsr_count(tensor->dims, tensor->rank, tsr_dtype_bytes((enum tsr_dtype)tensor->dtype));
}

size_t tessera_tensor_bytes(const struct tessera_tensor *tensor)
{
  return (size_t)tessera_tensor_count(tensor) * tsr_dtype_bytes((enum tsr_dtype)tensor->dtype);
}

double tessera_tensor_value(const struct tessera_tensor *tensor, int64_t i)
{
  struct tsr_tensor t = tsr__tensor_in(tensor);
  return tsr_get_float(&t, i);
}

void tessera_tensor_free(struct tessera_tensor *tensor)
{
  tsr_arena_free(tensor->owner);
  *tensor = (struct tessera_tensor){0};
}

/* --- files ------------------------------------------------------------------------------------ */

static bool ends_in(const char *path, const char *end)
{
  size_t n = strlen(path), m = strlen(end);
  return n >= m && !strcmp(path + n - m, end);
}

struct reading {
  const char *path;
  const struct tessera_port *like;
  struct tsr_tensor tensor;
};

static enum tsr_status read_raw(struct tsr_err *err, struct reading *r,
                                const struct tsr_bytes *file)
{
  if (!r->like)
    return tsr_refuse(err, "%s: is neither .npy nor .pb, and raw bytes have no type or shape here",
                      r->path);
  struct tsr_tensor t = {.dtype = (enum tsr_dtype)r->like->dtype, .rank = r->like->rank,
                         .data = file->data};
  memcpy(t.dims, r->like->dims, sizeof t.dims);
  size_t one = tsr_tensor_bytes(&t);
  char shape[192];
  if (file->size != one && (!one || !t.rank || !file->size || file->size % one))
    return tsr_refuse(err, "%s: has %zu bytes; '%s' takes %zu, %s of %s, or a multiple of them",
                      r->path, file->size, r->like->name, one, tsr_dims_text(t.dims, t.rank, shape),
                      tsr_dtype_name(t.dtype));
  if (one && t.rank)
    t.dims[0] *= (int64_t)(file->size / one);
  r->tensor = t;
  return TSR_OK;
}

static enum tsr_status read_tensor(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct reading *r = context;
  struct tsr_bytes file;
  enum tsr_status status = tsr_file_read(arena, err, r->path, LARGEST_FILE, &file);
  if (status)
    return status;
  if (ends_in(r->path, ".npy"))
    return tsr_npy_read(arena, err, r->path, file.data, file.size, &r->tensor);
  if (ends_in(r->path, ".pb"))
    return tsr_tensorproto_read(arena, err, r->path, file.data, file.size, &r->tensor, NULL);
  return read_raw(err, r, &file);
}

enum tessera_status tessera_tensor_read(struct tessera *t, const char *path,
                                        const struct tessera_port *like, struct tessera_tensor *out)
{
  struct reading r = {.path = path, .like = like};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, read_tensor, &r, &owner);
  if (!status) {
    *out = tsr__tensor_out(&r.tensor);
    out->owner = owner;
  }
  return status;
}

struct writing {
  const char *path;
  struct tsr_tensor tensor;
};

static enum tsr_status write_tensor(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  const struct writing *w = context;
  struct tsr_bytes file = {w->tensor.data, tsr_tensor_bytes(&w->tensor)};
  if (ends_in(w->path, ".npy"))
    file = tsr_npy_write(arena, &w->tensor);
  else if (ends_in(w->path, ".pb"))
    file = tsr_tensorproto_write(arena, &w->tensor, NULL);
  return tsr_file_write(err, w->path, file.data, file.size);
}

enum tessera_status tessera_tensor_write(struct tessera *t, const char *path,
                                         const struct tessera_tensor *tensor)
{
  struct writing w = {path, tsr__tensor_in(tensor)};
  return tsr__call(t, write_tensor, &w, NULL);
}

/* --- made here -------------------------------------------------------------------------------- */

struct stacking {
  const struct tessera_port *port;
  int64_t count;
  struct tsr_tensor tensor;
};

static enum tsr_status stack(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct stacking *s = context;
  struct tsr_tensor *t = &s->tensor;
  *t = (struct tsr_tensor){.dtype = (enum tsr_dtype)s->port->dtype, .rank = s->port->rank};
  memcpy(t->dims, s->port->dims, sizeof t->dims);
  if (s->count < 1 || (!t->rank && s->count != 1))
    return tsr_refuse(err, "'%s' cannot be stacked %" PRId64 " times", s->port->name, s->count);
  if (t->rank && t->dims[0] && s->count > INT64_MAX / t->dims[0])
    return tsr_refuse(err, "'%s' cannot be stacked %" PRId64 " times", s->port->name, s->count);
  if (t->rank)
    t->dims[0] *= s->count;
  if (tsr_tensor_count(t) < 0)
    return tsr_refuse(err, "'%s' cannot be stacked %" PRId64 " times", s->port->name, s->count);
  t->data = tsr_arena_alloc(arena, tsr_tensor_bytes(t) + 1);
  return TSR_OK;
}

enum tessera_status tessera_tensor_stack(struct tessera *t, const struct tessera_port *port,
                                         int64_t count, struct tessera_tensor *out)
{
  struct stacking s = {.port = port, .count = count};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, stack, &s, &owner);
  if (!status) {
    *out = tsr__tensor_out(&s.tensor);
    out->owner = owner;
  }
  return status;
}

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void tessera_tensor_random(struct tessera_tensor *tensor, uint64_t seed)
{
  struct tsr_tensor t = tsr__tensor_in(tensor);
  int64_t n = tsr_tensor_count(&t);
  for (int64_t i = 0; i < n; i++) {
    uint64_t r = next_random(&seed);
    if (tsr_dtype_kind(t.dtype) == TSR_KIND_FLOAT)
      tsr_put_float(&t, i, (double)(int64_t)(r >> 40) / (1 << 23) - 1);
    else if (t.dtype == TSR_BOOL)
      tsr_put_int(&t, i, (int64_t)(r & 1));
    else
      tsr_put_int(&t, i, tsr_dtype_kind(t.dtype) == TSR_KIND_UINT ? (int64_t)(r & 0xffff)
                                                                  : (int16_t)(r & 0xffff));
  }
}

/* --- comparing -------------------------------------------------------------------------------- */

static int64_t largest_of(const struct tsr_tensor *t, int64_t from, int64_t n)
{
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (tsr_get_float(t, from + i) > tsr_get_float(t, from + best))
      best = i;
  return best;
}

static double distance(double a, double b)
{
  if (a == b || (isnan(a) && isnan(b)))
    return 0;
  double d = fabs(a - b);
  return isnan(d) ? INFINITY : d;
}

enum tessera_status tessera_compare(struct tessera *t, const struct tessera_tensor *expected,
                                    const struct tessera_tensor *found,
                                    struct tessera_comparison *out)
{
  struct tsr_tensor e = tsr__tensor_in(expected), f = tsr__tensor_in(found);
  char wanted[192], given[192];
  if (e.dtype != f.dtype || !tsr_same_shape(&e, &f))
    return (enum tessera_status)tsr_refuse(
      &t->err, "the expected tensor is %s of %s and the output is %s of %s",
      tsr_dims_text(e.dims, e.rank, wanted), tsr_dtype_name(e.dtype),
      tsr_dims_text(f.dims, f.rank, given), tsr_dtype_name(f.dtype));
  struct tessera_comparison c = {.element = -1};
  int64_t n = tsr_tensor_count(&e);
  for (int64_t i = 0; i < n; i++) {
    double a = tsr_get_float(&e, i), b = tsr_get_float(&f, i), d = distance(a, b);
    if (d > c.largest) {
      c.largest = d;
      c.element = i;
      c.expected = a;
      c.found = b;
    }
  }
  c.rows = e.rank > 1 ? e.dims[0] : n > 0;
  for (int64_t r = 0; r < c.rows && n; r++)
    c.agreeing += largest_of(&e, r * (n / c.rows), n / c.rows) ==
                  largest_of(&f, r * (n / c.rows), n / c.rows);
  *out = c;
  return TESSERA_OK;
}

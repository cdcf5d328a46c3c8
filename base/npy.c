/* SPDX-License-Identifier: Apache-2.0 */
#include "base/npy.h"

#include <string.h>

/* The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
 * This reads just that: three keys, each once, in any order. */
struct header {
  const char *name; /* of the file */
  struct tsr_err *err;
  const char *at, *end;
  bool has_descr, has_order, has_shape;
  bool fortran;
  struct tsr_tensor t;
};

static enum tsr_status refuse_header(struct header *h, const char *why)
{
  return tsr_refuse(h->err, "%s: the .npy header %s", h->name, why);
}

static void skip_blanks(struct header *h)
{
  while (h->at < h->end && (*h->at == ' ' || *h->at == '\n' || *h->at == '\t'))
    h->at++;
}

static bool take(struct header *h, char c)
{
  skip_blanks(h);
  if (h->at == h->end || *h->at != c)
    return false;
  h->at++;
  return true;
}

static bool take_word(struct header *h, const char *word)
{
  size_t n = strlen(word);
  skip_blanks(h);
  if ((size_t)(h->end - h->at) < n || memcmp(h->at, word, n) != 0)
    return false;
  h->at += n;
  return true;
}

/* A quoted string without escapes, into text. */
static bool take_string(struct header *h, char *text, size_t size)
{
  char quote = '\'';
  if (!take(h, quote)) {
    quote = '"';
    if (!take(h, quote))
      return false;
  }
  size_t n = 0;
  while (h->at < h->end && *h->at != quote && n + 1 < size)
    text[n++] = *h->at++;
  text[n] = 0;
  return take(h, quote);
}

static enum tsr_status read_descr(struct header *h)
{
  char text[32];
  if (!take_string(h, text, sizeof text))
    return refuse_header(h,
                         "has a 'descr' that is not a plain type; structured types are not read");
  for (int i = 0; i < TSR_DTYPE_COUNT; i++) {
    const char *known = tsr_dtype_npy((enum tsr_dtype)i);
    bool single = tsr_dtype_bytes((enum tsr_dtype)i) == 1 || known[1] == 'V';
    if (!strcmp(text + (text[0] != 0), known + 1) &&
        (strchr("<=", text[0]) || (single && strchr("|>", text[0])))) {
      h->t.dtype = (enum tsr_dtype)i;
      h->has_descr = true;
      return TSR_OK;
    }
  }
  if (text[0] == '>')
    return tsr_refuse(h->err, "%s: the data is big endian ('%s'); little endian is read", h->name,
                      text);
  return tsr_refuse(h->err,
                    "%s: element type '%s' is not supported; b1, i1..i8, u1..u8, f2, f4, f8 and V2 "
                    "(bf16) are",
                    h->name, text);
}

static bool take_number(struct header *h, int64_t *out)
{
  skip_blanks(h);
  const char *from = h->at;
  int64_t v = 0;
  for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++)
    if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *h->at - '0', &v))
      return false;
  *out = v;
  return h->at > from;
}

static enum tsr_status read_shape(struct header *h)
{
  if (!take(h, '('))
    return refuse_header(h, "has a 'shape' that is not a tuple");
  bool comma = true;
  while (!take(h, ')')) {
    if (h->t.rank == TSR_MAX_RANK)
      return tsr_refuse(h->err, "%s: has more than %d dimensions", h->name, TSR_MAX_RANK);
    if (!comma || !take_number(h, &h->t.dims[h->t.rank++]))
      return refuse_header(h, "has a 'shape' that is not a tuple of whole numbers");
    comma = take(h, ',');
  }
  h->has_shape = true;
  return TSR_OK;
}

static enum tsr_status read_entry(struct header *h)
{
  char key[32];
  if (!take_string(h, key, sizeof key) || !take(h, ':'))
    return refuse_header(h, "is not a dictionary of strings");
  if (!strcmp(key, "descr") && !h->has_descr)
    return read_descr(h);
  if (!strcmp(key, "shape") && !h->has_shape)
    return read_shape(h);
  if (!strcmp(key, "fortran_order") && !h->has_order) {
    h->fortran = take_word(h, "True");
    h->has_order = h->fortran || take_word(h, "False");
    return h->has_order ? TSR_OK
                        : refuse_header(h, "has a 'fortran_order' that is not True or False");
  }
  return tsr_refuse(h->err, "%s: the .npy header has a second or unknown key '%s'", h->name, key);
}

static enum tsr_status read_header(struct header *h)
{
  if (!take(h, '{'))
    return refuse_header(h, "is not a dictionary");
  bool comma = true;
  while (!take(h, '}')) {
    if (!comma)
      return refuse_header(h, "is not a dictionary");
    enum tsr_status status = read_entry(h);
    if (status)
      return status;
    comma = take(h, ',');
  }
  if (!h->has_descr || !h->has_order || !h->has_shape)
    return refuse_header(h, "lacks one of 'descr', 'fortran_order' and 'shape'");
  skip_blanks(h);
  return h->at == h->end ? TSR_OK : refuse_header(h, "goes on behind its dictionary");
}

/* Finds the header between the magic and the data; both sizes are little endian. */
static enum tsr_status find_header(struct header *h, const uint8_t *bytes, size_t size,
                                   size_t *data_at)
{
  if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
    return tsr_refuse(h->err, "%s: is not a .npy file", h->name);
  if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
    return tsr_refuse(h->err, "%s: has .npy version %d.%d; 1.0, 2.0 and 3.0 are read", h->name,
                      bytes[6], bytes[7]);
  size_t start = bytes[6] == 1 ? 10 : 12, length = bytes[8] | (size_t)bytes[9] << 8;
  if (size < start)
    return refuse_header(h, "is cut off");
  if (bytes[6] > 1)
    length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
  if (length > size - start)
    return refuse_header(h, "is cut off");
  h->at = (const char *)bytes + start;
  h->end = h->at + length;
  *data_at = start + length;
  return TSR_OK;
}

/* src has its first index fastest; dst its last. Walks src in order, keeping dst's place. */
static void copy_from_fortran(const struct tsr_tensor *t, const uint8_t *src, int64_t count)
{
  size_t element = tsr_dtype_bytes(t->dtype);
  int64_t stride[TSR_MAX_RANK], index[TSR_MAX_RANK] = {0}, place = 0, run = 1;
  for (int k = t->rank - 1; k >= 0; k--) {
    stride[k] = run;
    run *= t->dims[k];
  }
  for (int64_t i = 0; i < count; i++) {
    memcpy((uint8_t *)t->data + (size_t)place * element, src + (size_t)i * element, element);
    for (int k = 0; k < t->rank; k++) {
      place += stride[k];
      if (++index[k] < t->dims[k])
        break;
      place -= stride[k] * t->dims[k];
      index[k] = 0;
    }
  }
}

static enum tsr_status read_data(struct tsr_arena *arena, struct header *h, const uint8_t *data,
                                 size_t size)
{
  char dims[192];
  int64_t count = tsr_tensor_count(&h->t);
  if (count < 0)
    return tsr_refuse(h->err, "%s: shape %s is too large", h->name,
                      tsr_dims_text(h->t.dims, h->t.rank, dims));
  if (tsr_tensor_bytes(&h->t) != size)
    return tsr_refuse(h->err, "%s: holds %zu bytes of data, but %s of %s needs %zu", h->name, size,
                      tsr_dims_text(h->t.dims, h->t.rank, dims), tsr_dtype_name(h->t.dtype),
                      tsr_tensor_bytes(&h->t));
  h->t.data = tsr_arena_alloc(arena, size);
  if (h->fortran && h->t.rank > 1)
    copy_from_fortran(&h->t, data, count);
  else if (size)
    memcpy(h->t.data, data, size);
  if (h->t.dtype == TSR_BOOL)
    for (int64_t i = 0; i < count; i++)
      ((uint8_t *)h->t.data)[i] = ((uint8_t *)h->t.data)[i] != 0;
  return TSR_OK;
}

enum tsr_status tsr_npy_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                             const void *bytes, size_t size, struct tsr_tensor *out)
{
  struct header h = {.name = name, .err = err};
  size_t data_at = 0;
  enum tsr_status status = find_header(&h, bytes, size, &data_at);
  if (!status)
    status = read_header(&h);
  if (!status)
    status = read_data(arena, &h, (const uint8_t *)bytes + data_at, size - data_at);
  if (!status)
    *out = h.t;
  return status;
}

struct tsr_bytes tsr_npy_write(struct tsr_arena *arena, const struct tsr_tensor *t)
{
  struct tsr_text text = {.arena = arena};
  tsr_text_add(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
               tsr_dtype_npy(t->dtype));
  for (int k = 0; k < t->rank; k++) /* a tuple of one keeps its comma */
    tsr_text_add(&text, "%s%lld%s", k ? ", " : "", (long long)t->dims[k], t->rank == 1 ? "," : "");
  tsr_text_add(&text, "), }");
  size_t length = (10 + text.length + 1 + 63) / 64 * 64 - 10; /* data starts at a multiple of 64 */
  tsr_text_add(&text, "%*s\n", (int)(length - text.length - 1), "");

  size_t data = tsr_tensor_bytes(t);
  struct tsr_bytes out = {.size = 10 + length + data};
  out.data = tsr_arena_alloc(arena, out.size + 1);
  memcpy(out.data, "\x93NUMPY\x01\x00", 8);
  out.data[8] = (uint8_t)length;
  out.data[9] = (uint8_t)(length >> 8);
  memcpy(out.data + 10, text.data, length);
  if (data)
    memcpy(out.data + 10 + length, t->data, data);
  return out;
}

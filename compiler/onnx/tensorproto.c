/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/onnx/tensorproto.h"

#include <inttypes.h>
#include <string.h>

#include "compiler/onnx/private.h"

const char *tsr__onnx_dtype_name(int onnx)
{
  static const char *const names[] = {
      "undefined",      "float32",    "uint8",          "int8",       "uint16",   "int16",
      "int32",          "int64",      "string",         "bool",       "float16",  "float64",
      "uint32",         "uint64",     "complex64",      "complex128", "bfloat16", "float8e4m3fn",
      "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",      "int4",     "float4e2m1"};
  return onnx >= 0 && onnx < (int)(sizeof names / sizeof names[0]) ? names[onnx] : "unknown";
}

/* One reading of a TensorProto. */
struct reading {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const Onnx__TensorProto *p;
  int64_t count;
  struct tsr_tensor t;
};

static enum tsr_status read_type(struct reading *r)
{
  const Onnx__TensorProto *p = r->p;
  if (p->segment)
    return tsr_refuse(r->err, "is one segment of a tensor; whole tensors are read");
  if (!tsr_dtype_from_onnx(p->data_type, &r->t.dtype))
    return tsr_refuse(r->err, "element type %s (%d) is not supported",
                      tsr__onnx_dtype_name(p->data_type), p->data_type);
  if (p->n_dims > TSR_MAX_RANK)
    return tsr_refuse(r->err, "has %zu dims; at most %d are supported", p->n_dims, TSR_MAX_RANK);
  r->t.rank = (int)p->n_dims;
  for (int k = 0; k < r->t.rank; k++) {
    r->t.dims[k] = p->dims[k];
    if (p->dims[k] < 0)
      return tsr_refuse(r->err, "dim %d is %" PRId64 "; dims of a tensor are not negative", k,
                        p->dims[k]);
  }
  r->count = tsr_tensor_count(&r->t);
  if (r->count < 0 || r->count > INT64_MAX / 8)
    return tsr_refuse(r->err, "is too large");
  return TSR_OK;
}

static enum tsr_status refuse_size(struct reading *r, size_t got, const char *field, size_t wanted)
{
  char dims[192];
  return tsr_refuse(r->err, "%s holds %zu, but %s of %s needs %zu", field, got,
                    tsr_dims_text(r->t.dims, r->t.rank, dims),
                    tsr__onnx_dtype_name(r->p->data_type), wanted);
}

static void normalize_bool(struct reading *r)
{
  uint8_t *b = r->t.data;
  for (int64_t i = 0; r->t.dtype == TSR_BOOL && i < r->count; i++)
    b[i] = b[i] != 0;
}

static enum tsr_status read_raw(struct reading *r, uint8_t *data, size_t size)
{
  size_t wanted = tsr_tensor_bytes(&r->t);
  if (size != wanted)
    return refuse_size(r, size, "raw data (bytes)", wanted);
  r->t.data = size ? data : tsr_arena_alloc(r->arena, 0);
  normalize_bool(r);
  return TSR_OK;
}

/* int32_data holds every integer of at most 32 bits but uint32, truth values, and halves as bits. */
static enum tsr_status read_int32s(struct reading *r)
{
  struct tsr_tensor t = r->t;
  if (tsr_dtype_is_half(t.dtype))
    t.dtype = TSR_U16;
  t.data = tsr_arena_alloc_array(r->arena, (size_t)r->count, tsr_dtype_bytes(t.dtype));
  for (int64_t i = 0; i < r->count; i++) {
    int32_t v = r->p->int32_data[i];
    tsr_put_int(&t, i, v);
    if (t.dtype != TSR_BOOL && tsr_get_int(&t, i) != v)
      return tsr_refuse(r->err, "element %" PRId64 " is %d, which is outside of %s", i, v,
                        tsr_dtype_name(t.dtype));
  }
  r->t.data = t.data;
  return TSR_OK;
}

static enum tsr_status read_uint64s(struct reading *r)
{
  r->t.data = tsr_arena_alloc_array(r->arena, (size_t)r->count, tsr_dtype_bytes(r->t.dtype));
  for (int64_t i = 0; i < r->count; i++) {
    if (r->t.dtype == TSR_U32 && r->p->uint64_data[i] > UINT32_MAX)
      return tsr_refuse(r->err, "element %" PRId64 " is %" PRIu64 ", which is outside of u32", i,
                        r->p->uint64_data[i]);
    tsr_put_int(&r->t, i, (int64_t)r->p->uint64_data[i]);
  }
  return TSR_OK;
}

/* Data in the field that the element type has. */
static enum tsr_status read_typed(struct reading *r)
{
  const Onnx__TensorProto *p = r->p;
  const char *field = "int32_data";
  size_t got = p->n_int32_data;
  void *in_place = NULL;
  if (r->t.dtype == TSR_F32)
    field = "float_data", got = p->n_float_data, in_place = p->float_data;
  else if (r->t.dtype == TSR_F64)
    field = "double_data", got = p->n_double_data, in_place = p->double_data;
  else if (r->t.dtype == TSR_I64)
    field = "int64_data", got = p->n_int64_data, in_place = p->int64_data;
  else if (r->t.dtype == TSR_U64 || r->t.dtype == TSR_U32)
    field = "uint64_data", got = p->n_uint64_data;
  if ((uint64_t)r->count != got)
    return refuse_size(r, got, field, (size_t)r->count);
  if (field[0] == 'u')
    return read_uint64s(r);
  if (got && !in_place)
    return read_int32s(r);
  r->t.data = got ? in_place : tsr_arena_alloc(r->arena, 0);
  return TSR_OK;
}

static enum tsr_status read_external(struct reading *r, struct tsr__onnx_external *external)
{
  size_t size = tsr_tensor_bytes(&r->t);
  uint8_t *data = NULL;
  enum tsr_status status = tsr__onnx_external_data(r->arena, r->err, r->p, external, size, &data);
  return status ? status : read_raw(r, data, size);
}

enum tsr_status tsr__onnx_tensor(struct tsr_arena *arena, struct tsr_err *err,
                                 const Onnx__TensorProto *p, struct tsr__onnx_external *external,
                                 struct tsr_tensor *out)
{
  struct reading r = {.arena = arena, .err = err, .p = p};
  bool typed = p->n_float_data || p->n_int32_data || p->n_int64_data || p->n_double_data ||
               p->n_uint64_data || p->n_string_data;
  enum tsr_status status = read_type(&r);
  if (status)
    return status;
  if (typed && p->raw_data.len)
    return tsr_refuse(err, "has its data twice, as raw_data and in a typed field");
  if (p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
    status = read_external(&r, external);
  else if (p->has_raw_data && !typed)
    status = read_raw(&r, p->raw_data.data, p->raw_data.len);
  else
    status = read_typed(&r);
  if (!status)
    *out = r.t;
  return status;
}

enum tsr_status tsr_tensorproto_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                     const uint8_t *bytes, size_t size, struct tsr_tensor *out,
                                     const char **tensor_name)
{
  struct tsr__onnx_external external = {0};
  ProtobufCMessage *message = NULL;
  enum tsr_status status =
      tsr__onnx_decode(arena, err, &onnx__tensor_proto__descriptor, bytes, size, &message);
  const Onnx__TensorProto *p = (const Onnx__TensorProto *)message;
  if (!status)
    status = tsr__onnx_tensor(arena, err, p, &external, out);
  if (status)
    return tsr_refuse_at(err, "%s", name);
  if (tensor_name)
    *tensor_name = p->name ? p->name : "";
  return TSR_OK;
}

struct tsr_bytes tsr_tensorproto_write(struct tsr_arena *arena, const struct tsr_tensor *t,
                                       const char *tensor_name)
{
  Onnx__TensorProto p = ONNX__TENSOR_PROTO__INIT;
  p.n_dims = (size_t)t->rank;
  p.dims = (int64_t *)t->dims;
  p.has_data_type = 1;
  p.data_type = tsr_dtype_onnx(t->dtype);
  p.name = (char *)tensor_name;
  p.has_raw_data = 1;
  p.raw_data = (ProtobufCBinaryData){.len = tsr_tensor_bytes(t), .data = t->data};
  struct tsr_bytes out = {.size = onnx__tensor_proto__get_packed_size(&p)};
  out.data = tsr_arena_alloc(arena, out.size + 1);
  onnx__tensor_proto__pack(&p, out.data);
  return out;
}

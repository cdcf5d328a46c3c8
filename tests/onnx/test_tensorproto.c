/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "compiler/onnx/tensorproto.h"
#include "tests/onnx/model_text.h"

static struct tsr_bytes bytes_of(struct tsr_arena *a, const Onnx__TensorProto *p)
{
  struct tsr_bytes b = {.size = onnx__tensor_proto__get_packed_size(p)};
  b.data = tsr_arena_alloc(a, b.size + 1);
  onnx__tensor_proto__pack(p, b.data);
  return b;
}

static enum tsr_status read_back(struct tsr_arena *a, struct tsr_err *err,
                                 const Onnx__TensorProto *p, struct tsr_tensor *out)
{
  struct tsr_bytes b = bytes_of(a, p);
  return tsr_tensorproto_read(a, err, "t.pb", b.data, b.size, out, NULL);
}

static void every_type_goes_round(void **state)
{
  struct tsr_arena *a = *state;
  uint64_t seed = 3;
  for (int d = 0; d < TSR_DTYPE_COUNT; d++)
    for (int rank = 0; rank <= TSR_MAX_RANK; rank++) {
      struct tsr_tensor t = {.dtype = (enum tsr_dtype)d, .rank = rank}, back = {0};
      const char *name = NULL;
      for (int k = 0; k < rank; k++)
        t.dims[k] = 1 + (k + d) % 3;
      t.data = tsr_arena_alloc(a, tsr_tensor_bytes(&t));
      for (int64_t i = 0; i < tsr_tensor_count(&t); i++)
        tsr_put_int(&t, i, (int64_t)next_random(&seed));
      struct tsr_bytes b = tsr_tensorproto_write(a, &t, rank ? "weights" : NULL);
      assert_int_equal(tsr_tensorproto_read(a, NULL, "t.pb", b.data, b.size, &back, &name), TSR_OK);
      assert_string_equal(name, rank ? "weights" : "");
      assert_int_equal(back.dtype, t.dtype);
      assert_true(tsr_same_shape(&back, &t));
      assert_memory_equal(back.data, t.data, tsr_tensor_bytes(&t));
    }
}

static void empty_tensors(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_tensor t = {.dtype = TSR_F32, .rank = 2, .dims = {3, 0}}, back = {0};
  struct tsr_bytes b = tsr_tensorproto_write(a, &t, "");
  assert_int_equal(tsr_tensorproto_read(a, NULL, "t.pb", b.data, b.size, &back, NULL), TSR_OK);
  assert_int_equal(tsr_tensor_count(&back), 0);
  assert_non_null(back.data);
  Onnx__TensorProto *p = tensor_of(a, "e", 7, 1, (int64_t[]){0}); /* no data field at all */
  assert_int_equal(read_back(a, NULL, p, &back), TSR_OK);
  assert_non_null(back.data);
}

/* Each typed field, for each element type that may use it. */
static void typed_fields(void **state)
{
  struct tsr_arena *a = *state;
  static int32_t words[2] = {1, 100};
  static uint64_t longs[2] = {1, 100};
  static int64_t signed_longs[2] = {1, 100};
  static float floats[2] = {1, 100};
  static double doubles[2] = {1, 100};
  for (int d = 0; d < TSR_DTYPE_COUNT; d++) {
    Onnx__TensorProto *p = tensor_of(a, "", tsr_dtype_onnx((enum tsr_dtype)d), 1, (int64_t[]){2});
    struct tsr_tensor t = {0};
    struct tsr_err err = {0};
    switch (d) {
    case TSR_F32: p->float_data = floats, p->n_float_data = 2; break;
    case TSR_F64: p->double_data = doubles, p->n_double_data = 2; break;
    case TSR_I64: p->int64_data = signed_longs, p->n_int64_data = 2; break;
    case TSR_U32:
    case TSR_U64: p->uint64_data = longs, p->n_uint64_data = 2; break;
    default: p->int32_data = words, p->n_int32_data = 2;
    }
    assert_int_equal(read_back(a, NULL, p, &t), TSR_OK);
    assert_int_equal(t.dtype, d);
    if (tsr_dtype_is_half(t.dtype)) /* given as bits */
      t.dtype = TSR_U16;
    assert_int_equal(tsr_get_int(&t, 0), 1);
    assert_int_equal(tsr_get_int(&t, 1), d == TSR_BOOL ? 1 : 100);
    p->dims[0] = 3;
    assert_int_equal(read_back(a, &err, p, &t), TSR_REFUSED);
    assert_non_null(strstr(err.text, "_data holds 2, but 3 of "));
  }
}

/* Every float16 and bfloat16, in both fields. */
static void halves_are_bits(void **state)
{
  struct tsr_arena *a = *state;
  enum { ALL = 65536 };
  uint16_t *raw = TSR_NEW_ARRAY(a, uint16_t, ALL);
  int32_t *words = TSR_NEW_ARRAY(a, int32_t, ALL);
  for (int i = 0; i < ALL; i++)
    raw[i] = (uint16_t)(words[i] = i);
  for (enum tsr_dtype d = TSR_F16; d <= TSR_BF16; d++) {
    Onnx__TensorProto *p = tensor_of(a, "", tsr_dtype_onnx(d), 1, (int64_t[]){ALL}),
                      *q = tensor_of(a, "", tsr_dtype_onnx(d), 1, (int64_t[]){ALL});
    struct tsr_tensor t = {0}, u = {0};
    p->has_raw_data = 1;
    p->raw_data = (ProtobufCBinaryData){2 * ALL, (uint8_t *)raw};
    q->int32_data = words;
    q->n_int32_data = ALL;
    assert_int_equal(read_back(a, NULL, p, &t), TSR_OK);
    assert_int_equal(read_back(a, NULL, q, &u), TSR_OK);
    assert_int_equal(t.dtype, d);
    assert_int_equal(u.dtype, d);
    assert_memory_equal(t.data, raw, 2 * ALL);
    assert_memory_equal(u.data, raw, 2 * ALL);
  }
}

static void truth_values_are_zero_or_one(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_tensor t = {0};
  Onnx__TensorProto *p = tensor_of(a, "", 9, 1, (int64_t[]){3});
  p->has_raw_data = 1;
  p->raw_data = (ProtobufCBinaryData){3, (uint8_t *)"\0\1\200"};
  assert_int_equal(read_back(a, NULL, p, &t), TSR_OK);
  assert_memory_equal(t.data, "\0\1\1", 3);
}

static void expect(struct tsr_arena *a, const Onnx__TensorProto *p, const char *sentence)
{
  struct tsr_tensor t = {.rank = 5};
  struct tsr_err err = {0};
  assert_int_equal(read_back(a, &err, p, &t), TSR_REFUSED);
  if (strncmp(err.text, "t.pb: ", 6) != 0 || !strstr(err.text, sentence))
    fail_msg("got '%s', expected '%s'", err.text, sentence);
  assert_int_equal(t.rank, 5);
}

static void refused(void **state)
{
  struct tsr_arena *a = *state;
  static int32_t words[] = {1, -129};
  static uint64_t longs[] = {1, UINT64_C(1) << 32};
  static float floats[] = {1, 2};
  Onnx__TensorProto *p = tensor_of(a, "", 3, 1, (int64_t[]){2});
  p->int32_data = words;
  p->n_int32_data = 2;
  expect(a, p, "element 1 is -129, which is outside of i8");
  p->data_type = 2;
  words[0] = 256;
  expect(a, p, "element 0 is 256, which is outside of u8");
  p->data_type = 12;
  p->n_int32_data = 0;
  p->uint64_data = longs;
  p->n_uint64_data = 2;
  expect(a, p, "element 1 is 4294967296, which is outside of u32");
  p->has_raw_data = 1;
  p->raw_data = (ProtobufCBinaryData){8, (uint8_t *)longs};
  expect(a, p, "has its data twice, as raw_data and in a typed field");
  p = tensor_of(a, "", 12, 1, (int64_t[]){1}); /* one u32, and four bytes too many */
  p->has_raw_data = 1;
  p->raw_data = (ProtobufCBinaryData){8, (uint8_t *)longs};
  expect(a, p, "raw data (bytes) holds 8, but 1 of uint32 needs 4");
  p = tensor_of(a, "", 1, 1, (int64_t[]){INT64_C(1) << 40});
  p->float_data = floats;
  p->n_float_data = 2;
  expect(a, p, "float_data holds 2, but 1099511627776 of float32 needs 1099511627776");
  p->dims[0] = -1;
  expect(a, p, "dim 0 is -1; dims of a tensor are not negative");
  p->dims[0] = INT64_MAX / 4 + 1;
  expect(a, p, "is too large");
  static const int types[] = {0, 8, 14, 15, 17, 22, 99, -1, INT32_MIN};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    p->data_type = types[i];
    expect(a, p, "is not supported");
  }
  p->segment = TSR_NEW(a, Onnx__TensorProto__Segment);
  onnx__tensor_proto__segment__init(p->segment);
  expect(a, p, "is one segment of a tensor");
  p = tensor_of(a, "", 1, 1, (int64_t[]){2});
  p->has_data_location = 1;
  p->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
  expect(a, p, "has external data without a location");
  Onnx__StringStringEntryProto e = ONNX__STRING_STRING_ENTRY_PROTO__INIT;
  e.key = "location";
  e.value = "w.bin";
  p->external_data = (Onnx__StringStringEntryProto *[]){&e};
  p->n_external_data = 1;
  expect(a, p, "its data is in the file 'w.bin', and external data is not read here");
}

static void bytes_that_are_no_tensor(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_err err = {0};
  struct tsr_tensor t = {0};
  assert_int_equal(tsr_tensorproto_read(a, &err, "t.pb", NULL, 0, &t, NULL), TSR_REFUSED);
  assert_string_equal(err.text, "t.pb: is empty");
  assert_int_equal(tsr_tensorproto_read(a, &err, "t.pb", (const uint8_t *)"\x93NUMPY", 6, &t, NULL),
                   TSR_REFUSED);
  assert_memory_equal(err.text, "t.pb: is no valid ONNX protobuf", 31);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(every_type_goes_round),
      IN_ARENA(empty_tensors),
      IN_ARENA(typed_fields),
      IN_ARENA(halves_are_bits),
      IN_ARENA(truth_values_are_zero_or_one),
      IN_ARENA(refused),
      IN_ARENA(bytes_that_are_no_tensor),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

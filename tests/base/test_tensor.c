/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/base/cases.h"

#include <math.h>

#include "base/tensor.h"

static void dtype_names_lead_back(void **state)
{
  (void)state;
  for (int i = 0; i < TSR_DTYPE_COUNT; i++) {
    enum tsr_dtype d = (enum tsr_dtype)i, back = TSR_DTYPE_COUNT;
    assert_true(tsr_dtype_from_name(tsr_dtype_name(d), &back) && back == d);
    back = TSR_DTYPE_COUNT;
    assert_true(tsr_dtype_from_onnx(tsr_dtype_onnx(d), &back) && back == d);
    char bytes[2] = {tsr_dtype_npy(d)[2], 0};
    assert_int_equal(tsr_dtype_bytes(d), atoi(bytes));
    char kind = d == TSR_BOOL ? 'b' : d == TSR_BF16 ? 'V' : "iuf"[tsr_dtype_kind(d)];
    assert_int_equal(tsr_dtype_npy(d)[1], kind);
  }
  enum tsr_dtype untouched = TSR_F64;
  assert_false(tsr_dtype_from_name("i9", &untouched));
  assert_false(tsr_dtype_from_onnx(8, &untouched));
  assert_int_equal(untouched, TSR_F64);
}

static void counts(void **state)
{
  (void)state;
  static const struct {
    int rank;
    int64_t dims[4];
    size_t element;
    int64_t expected;
  } rows[] = {
      {0, {0}, 4, 1},
      {1, {0}, 4, 0},
      {3, {2, 3, 4}, 8, 24},
      {3, {INT64_MAX, INT64_MAX, 0}, 8, 0},
      {1, {-1}, 1, -1},
      {2, {INT64_C(1) << 32, INT64_C(1) << 31}, 1, -1},
      {2, {INT64_C(1) << 31, INT64_C(1) << 31}, 1, INT64_C(1) << 62},
      {2, {INT64_C(1) << 31, INT64_C(1) << 31}, 2, -1},
      {1, {INT64_MAX / 8}, 8, INT64_MAX / 8},
      {1, {INT64_MAX / 8 + 1}, 8, -1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    assert_int_equal(tsr_count(rows[i].dims, rows[i].rank, rows[i].element), rows[i].expected);
}

static void dims_as_text(void **state)
{
  (void)state;
  char buffer[192];
  assert_string_equal(tsr_dims_text((int64_t[]){1, 3, 224, 224}, 4, buffer), "1x3x224x224");
  assert_string_equal(tsr_dims_text(NULL, 0, buffer), "scalar");
  int64_t wide[TSR_MAX_RANK];
  for (int i = 0; i < TSR_MAX_RANK; i++)
    wide[i] = INT64_MIN;
  assert_true(strlen(tsr_dims_text(wide, TSR_MAX_RANK, buffer)) < sizeof buffer);
}

static void shapes_compare(void **state)
{
  (void)state;
  struct tsr_tensor a = {.rank = 2, .dims = {2, 3}}, b = a;
  b.dims[5] = 9; /* behind the rank: means nothing */
  assert_true(tsr_same_shape(&a, &b));
  b.dims[1] = 4;
  assert_false(tsr_same_shape(&a, &b));
  b = a;
  b.rank = 1;
  assert_false(tsr_same_shape(&a, &b));
}

/* What is put comes back, wrapped to the element's width; one row an extreme. */
static void integers_wrap(void **state)
{
  (void)state;
  static const struct {
    enum tsr_dtype dtype;
    int64_t put, expected;
  } rows[] = {
      {TSR_I8, 200, -56},
      {TSR_I8, -129, 127},
      {TSR_U8, -1, 255},
      {TSR_U8, 256, 0},
      {TSR_I16, 40000, -25536},
      {TSR_U16, -1, 65535},
      {TSR_I32, INT64_MAX, -1},
      {TSR_U32, -1, UINT32_MAX},
      {TSR_I64, INT64_MIN, INT64_MIN},
      {TSR_U64, 7, 7},
      {TSR_BOOL, 256, 1},
      {TSR_BOOL, 0, 0},
      {TSR_F32, 1 << 24, 1 << 24},
      {TSR_F64, -3, -3},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    uint64_t cells[3] = {0};
    struct tsr_tensor t = {.dtype = rows[i].dtype, .rank = 1, .dims = {3}, .data = cells};
    tsr_put_int(&t, 1, rows[i].put);
    assert_int_equal(tsr_get_int(&t, 1), rows[i].expected);
    assert_int_equal(tsr_get_int(&t, 0), 0);
    assert_int_equal(tsr_get_int(&t, 2), 0);
    assert_true(tsr_get_float(&t, 1) == (double)rows[i].expected);
  }
}

static void floats_saturate(void **state)
{
  (void)state;
  double cell = 0;
  struct tsr_tensor t = {.dtype = TSR_F64, .data = &cell};
  static const struct {
    double v;
    int64_t expected;
  } rows[] = {{1.9, 1},
              {-1.9, -1},
              {1e30, INT64_MAX},
              {-1e30, INT64_MIN},
              {INFINITY, INT64_MAX},
              {-INFINITY, INT64_MIN},
              {NAN, 0},
              {9223372036854774784.0, INT64_C(9223372036854774784)}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    tsr_put_float(&t, 0, rows[i].v);
    assert_int_equal(tsr_get_int(&t, 0), rows[i].expected);
  }
  int8_t byte = 0;
  struct tsr_tensor b = {.dtype = TSR_I8, .data = &byte};
  tsr_put_float(&b, 0, -2.7);
  assert_int_equal(byte, -2);
  float single = 0;
  struct tsr_tensor f = {.dtype = TSR_F32, .data = &single};
  tsr_put_float(&f, 0, 0.1);
  assert_true(single == 0.1f && tsr_get_float(&f, 0) == (double)0.1f);
}

static void sizes_in_bytes(void **state)
{
  (void)state;
  struct tsr_tensor t = {.dtype = TSR_I32, .rank = 3, .dims = {2, 3, 5}};
  assert_int_equal(tsr_tensor_count(&t), 30);
  assert_int_equal(tsr_tensor_bytes(&t), 120);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dtype_names_lead_back), cmocka_unit_test(counts),
      cmocka_unit_test(dims_as_text),          cmocka_unit_test(shapes_compare),
      cmocka_unit_test(integers_wrap),         cmocka_unit_test(floats_saturate),
      cmocka_unit_test(sizes_in_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

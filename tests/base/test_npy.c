/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/base/cases.h"

#include "base/npy.h"

/* A file of version 1 with this header and these data bytes. */
static struct tsr_bytes file_of(struct tsr_arena *a, int version, const char *header,
                                const void *data, size_t size)
{
  struct tsr_text t = {.arena = a};
  size_t n = strlen(header);
  unsigned char length[4] = {(unsigned char)n, (unsigned char)(n >> 8)};
  tsr_text_add_bytes(&t, "\x93NUMPY", 6);
  tsr_text_add_bytes(&t, (char[]){(char)version, 0}, 2);
  tsr_text_add_bytes(&t, length, version == 1 ? 2 : 4);
  tsr_text_add_bytes(&t, header, n);
  tsr_text_add_bytes(&t, data, size);
  return (struct tsr_bytes){(unsigned char *)t.data, t.length};
}

static void every_type_and_rank_goes_round(void **state)
{
  struct tsr_arena *a = *state;
  static const int64_t dims[TSR_MAX_RANK] = {3, 1, 2, 4, 1, 2, 1, 2};
  uint64_t seed = 7;
  for (int d = 0; d < TSR_DTYPE_COUNT; d++)
    for (int rank = 0; rank <= TSR_MAX_RANK; rank++) {
      struct tsr_tensor t = {.dtype = (enum tsr_dtype)d, .rank = rank}, back = {0};
      memcpy(t.dims, dims, (size_t)rank * sizeof dims[0]);
      t.data = tsr_arena_alloc(a, tsr_tensor_bytes(&t));
      for (int64_t i = 0; i < tsr_tensor_count(&t); i++)
        tsr_put_int(&t, i, (int64_t)next_random(&seed));
      struct tsr_bytes file = tsr_npy_write(a, &t);
      assert_int_equal((file.size - tsr_tensor_bytes(&t)) % 64, 0);
      assert_int_equal(tsr_npy_read(a, NULL, "x", file.data, file.size, &back), TSR_OK);
      assert_int_equal(back.dtype, t.dtype);
      assert_true(tsr_same_shape(&back, &t));
      assert_memory_equal(back.data, t.data, tsr_tensor_bytes(&t));
    }
}

/* As ml_dtypes' bfloat16 is saved, and as NumPy saves what it loaded of that. */
static void two_bytes_of_no_type_are_bf16(void **state)
{
  struct tsr_arena *a = *state;
  static const char *const descr[] = {"<V2", "|V2"};
  for (int i = 0; i < 2; i++) {
    struct tsr_tensor t = {0};
    uint16_t one = 0x3f80;
    char *header = tsr_arena_printf(
        a, "{'descr': '%s', 'fortran_order': False, 'shape': (1,), }\n", descr[i]);
    struct tsr_bytes file = file_of(a, 1, header, &one, sizeof one);
    assert_int_equal(tsr_npy_read(a, NULL, "x", file.data, file.size, &t), TSR_OK);
    assert_int_equal(t.dtype, TSR_BF16);
    assert_true(tsr_get_float(&t, 0) == 1);
  }
}

static void written_as_numpy_writes(void **state)
{
  struct tsr_arena *a = *state;
  float v[2] = {1, 2};
  struct tsr_tensor t = {.dtype = TSR_F32, .rank = 1, .dims = {2}, .data = v};
  struct tsr_bytes file = tsr_npy_write(a, &t);
  static const char expected[] = "\x93NUMPY\x01\x00\x76\x00"
                                 "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  assert_memory_equal(file.data, expected, sizeof expected - 1);
  assert_int_equal(file.size, 128 + 8);
  assert_int_equal(file.data[127], '\n');
}

static void headers_that_are_read(void **state)
{
  struct tsr_arena *a = *state;
  static const struct {
    int version;
    const char *header;
    enum tsr_dtype dtype;
    int rank;
  } rows[] = {
      {1, "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 2), }\n", TSR_I16, 2},
      {2, "{'descr': '<i2', 'fortran_order': False, 'shape': (4,), }", TSR_I16, 1},
      {3, "{\"shape\":(2,2,1),\"fortran_order\":False,\"descr\":\"<u2\"}", TSR_U16, 3},
      {1, " { 'shape' : ( 8 , ) , 'descr' : '|u1' , 'fortran_order' : True } ", TSR_U8, 1},
      {1, "{'descr': '|b1', 'fortran_order': False, 'shape': (8,)}", TSR_BOOL, 1},
      {1, "{'descr': '>i1', 'fortran_order': False, 'shape': (8,)}", TSR_I8, 1},
      {1, "{'descr': '=f8', 'fortran_order': False, 'shape': ()}", TSR_F64, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_tensor t = {0};
    struct tsr_err err = {0};
    struct tsr_bytes f = file_of(a, rows[i].version, rows[i].header, "\1\2\3\4\5\6\7\10", 8);
    if (tsr_npy_read(a, &err, "x", f.data, f.size, &t))
      fail_msg("%s", err.text);
    assert_int_equal(t.dtype, rows[i].dtype);
    assert_int_equal(t.rank, rows[i].rank);
  }
}

static void fortran_order_is_turned(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_tensor t = {0};
  /* element (i, j, k) is 100 i + 10 j + k */
  static const int16_t stored[12] = {0, 100, 10, 110, 1, 101, 11, 111, 2, 102, 12, 112};
  static const int16_t expected[12] = {0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112};
  struct tsr_bytes f =
      file_of(a, 1, "{'descr':'<i2','fortran_order':True,'shape':(2,2,3)}", stored, 24);
  assert_int_equal(tsr_npy_read(a, NULL, "x", f.data, f.size, &t), TSR_OK);
  assert_memory_equal(t.data, expected, sizeof expected);
  /* a matrix: element (i, j) is 10 i + j */
  static const int16_t columns[6] = {0, 10, 1, 11, 2, 12}, rows[6] = {0, 1, 2, 10, 11, 12};
  f = file_of(a, 1, "{'descr':'<i2','fortran_order':True,'shape':(2,3)}", columns, 12);
  assert_int_equal(tsr_npy_read(a, NULL, "x", f.data, f.size, &t), TSR_OK);
  assert_memory_equal(t.data, rows, sizeof rows);
  f = file_of(a, 1, "{'descr':'<i2','fortran_order':True,'shape':(2,0,3)}", "", 0);
  assert_int_equal(tsr_npy_read(a, NULL, "x", f.data, f.size, &t), TSR_OK);
}

static void truth_values_are_zero_or_one(void **state)
{
  struct tsr_tensor t = {0};
  struct tsr_bytes f =
      file_of(*state, 1, "{'descr':'|b1','fortran_order':False,'shape':(3,)}", "\0\1\200", 3);
  assert_int_equal(tsr_npy_read(*state, NULL, "x", f.data, f.size, &t), TSR_OK);
  assert_memory_equal(t.data, "\0\1\1", 3);
}

static void headers_that_are_refused(void **state)
{
  struct tsr_arena *a = *state;
  static const struct {
    const char *header, *sentence;
  } rows[] = {
      {"", "header is not a dictionary"},
      {"{", "is not a dictionary of strings"},
      {"{}", "lacks one of 'descr'"},
      {"{'descr': '<f4'}", "lacks one of 'descr'"},
      {"{'descr': '<f4' 'shape': (1,)}", "is not a dictionary"},
      {"{'descr': '<f4', 'descr': '<f4'}", "second or unknown key 'descr'"},
      {"{'color': 1}", "second or unknown key 'color'"},
      {"{'descr': [('a', '<f4')]}", "structured types are not read"},
      {"{'descr': '>f4'}", "big endian ('>f4')"},
      {"{'descr': '<c8'}", "element type '<c8' is not supported"},
      {"{'descr': '|f2'}", "element type '|f2' is not supported"},
      {"{'descr': '|i4'}", "element type '|i4' is not supported"},
      {"{'descr': ''}", "element type '' is not supported"},
      {"{'descr': '<f4", "not a plain type"},
      {"{'fortran_order': Maybe}", "not True or False"},
      {"{'shape': 3}", "is not a tuple"},
      {"{'shape': (-1,)}", "tuple of whole numbers"},
      {"{'shape': (1 2)}", "tuple of whole numbers"},
      {"{'shape': (99999999999999999999,)}", "tuple of whole numbers"},
      {"{'shape': (1,1,1,1,1,1,1,1,1)}", "more than 8 dimensions"},
      {"{'descr':'<f4','fortran_order':False,'shape':(4294967296,4294967296)}", "is too large"},
      {"{'descr':'<f4','fortran_order':False,'shape':(3,)}",
       "holds 8 bytes of data, but 3 of f32 needs 12"},
      {"{'descr':'<f4','fortran_order':False,'shape':(1,)}", "but 1 of f32 needs 4"},
      {"{'descr':'<f4','fortran_order':False,'shape':(2,)} x", "goes on behind its dictionary"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_tensor t = {.rank = 5};
    struct tsr_err err = {0};
    struct tsr_bytes f = file_of(a, 1, rows[i].header, "12345678", 8);
    assert_int_equal(tsr_npy_read(a, &err, "w.npy", f.data, f.size, &t), TSR_REFUSED);
    if (strncmp(err.text, "w.npy: ", 7) != 0 || !strstr(err.text, rows[i].sentence))
      fail_msg("%s: got '%s', expected '%s'", rows[i].header, err.text, rows[i].sentence);
    assert_int_equal(t.rank, 5);
  }
}

static void versions_and_cut_files(void **state)
{
  struct tsr_arena *a = *state;
  static const char header[] = "{'descr':'<f4','fortran_order':False,'shape':(2,)}";
  struct tsr_tensor t = {0};
  struct tsr_err err = {0};
  struct tsr_bytes f = file_of(a, 4, header, "12345678", 8);
  assert_int_equal(tsr_npy_read(a, &err, "x", f.data, f.size, &t), TSR_REFUSED);
  assert_string_equal(err.text, "x: has .npy version 4.0; 1.0, 2.0 and 3.0 are read");
  for (int version = 1; version <= 3; version++) {
    f = file_of(a, version, header, "12345678", 8);
    for (size_t n = 0; n < f.size;
         n++) { /* an exact copy, so that a sanitizer sees a step too far */
      void *cut = malloc(n ? n : 1);
      memcpy(cut, f.data, n);
      assert_int_equal(tsr_npy_read(a, &err, "x", cut, n, &t), TSR_REFUSED);
      free(cut);
    }
    assert_int_equal(tsr_npy_read(a, &err, "x", f.data, f.size, &t), TSR_OK);
  }
}

static void flipped_bytes(void **state)
{
  struct tsr_arena *a = *state;
  uint64_t seed = 99;
  print_message("seed %llu\n", (unsigned long long)seed);
  static const char header[] = "{'descr':'<f4','fortran_order':True,'shape':(2,3,2)}";
  struct tsr_bytes f =
      file_of(a, 1, header, "123456781234567812345678123456781234567812345678", 48);
  for (int i = 0; i < 20000; i++) {
    unsigned char *bent = malloc(f.size);
    memcpy(bent, f.data, f.size);
    for (int k = 0; k < 1 + i % 3; k++) {
      uint64_t r = next_random(&seed);
      bent[r % f.size] ^= (unsigned char)(1 << (r >> 32 & 7));
    }
    struct tsr_tensor t = {0};
    struct tsr_err err = {0};
    if (tsr_npy_read(a, &err, "x", bent, f.size, &t))
      assert_memory_equal(err.text, "x: ", 3);
    else
      assert_int_equal(tsr_tensor_bytes(&t), 48);
    free(bent);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(every_type_and_rank_goes_round), IN_ARENA(written_as_numpy_writes),
      IN_ARENA(headers_that_are_read),          IN_ARENA(fortran_order_is_turned),
      IN_ARENA(truth_values_are_zero_or_one),   IN_ARENA(headers_that_are_refused),
      IN_ARENA(versions_and_cut_files),         IN_ARENA(flipped_bytes),
      IN_ARENA(two_bytes_of_no_type_are_bf16),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

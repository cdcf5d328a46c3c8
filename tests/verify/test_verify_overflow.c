/* SPDX-License-Identifier: Apache-2.0 */
/* int32 results that may leave int32, and those whose weights or operands keep them inside. */
#include "tests/verify/bench.h"

enum { WEIGHTS = 4096, PARAMETERS = 512 }; /* bytes of the window */

static struct tsr_insn uops(uint32_t count)
{
  return machine_dma(TSR_OP_LOAD, TSR_BUFFER_UOP, 0, 0, count);
}

/* A sum of n0*n1*16 products on ACC[0], with one tile of weights of `weight`. */
static void long_sum(struct machine *m, int8_t weight, uint32_t n0, uint32_t n1)
{
  struct tsr_insn gemm = machine_loop(TSR_OP_GEMM);
  gemm.loop.n[0] = n0;
  gemm.loop.n[1] = n1;
  gemm.loop.first = 3;
  image_uop(m, 0, 0, 0, 0, true);
  memset(m->window + WEIGHTS, weight, 256);
  add(m, uops(1), 0, 0);
  add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 16384, 1), 0, 0);
  add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_WGT, 0, WEIGHTS, 1), 0, MATRIX);
  add(m, gemm, LOAD, 0);
}

/* 131072 products of -128 by -128 are 2^31, one more than fits; of 127 by -128 they fit. */
static void weights(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  long_sum(m, -128, 64, 128);
  expect(m, TSR_FINDING_OVERFLOW, 3,
         "instruction 3 (gemm, matrix): ACC entry 0 (d) at loop point (0,0,0), micro-op 0 may "
         "overflow int32: it can be -2130706432 to 2147483648");
  long_sum(m, 127, 64, 128);
  expect_clean(m);
  long_sum(m, -128, 8191, 1);
  expect_clean(m);
  long_sum(m, 1, 1024,
           1023); /* 16.7 million products: far too many for weights that are not known */
  expect_clean(m);
  machine_close(m);
}

/* Weights that the image does not hold, or that a STORE writes over, may be any. */
static void unknown_weights(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn acc = machine_dma(TSR_OP_LOAD, TSR_BUFFER_ACC, 8, 0, 1);
  long_sum(m, 1, 64, 128);
  add(m, acc, 0, STORE);
  add(m, machine_dma(TSR_OP_STORE, TSR_BUFFER_ACC, 8, WEIGHTS + 128, 1), LOAD, 0);
  expect(m, TSR_FINDING_OVERFLOW, 3,
         "instruction 3 (gemm, matrix): ACC entry 0 (d) at loop point (0,0,0), micro-op 0 may "
         "overflow int32: it can be -2130706432 to 2147483648");
  machine_close(m);
}

/* The range of INP is the caller's to give. */
static void inputs(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_verify_options options = tsr_verify_defaults();
  options.inp_low = 0;
  options.inp_high = 1;
  long_sum(m, -128, 64, 128);
  expect_clean_with(m, &options);
  options.inp_high = 127;
  long_sum(m, 127, 92, 92);
  expect_with(m, &options, TSR_FINDING_OVERFLOW, 3,
              "instruction 3 (gemm, matrix): ACC entry 0 (d) at loop point (0,0,0), micro-op 0 may "
              "overflow int32: it can be 0 to 2184253696");
  options.overflow = false;
  long_sum(m, 127, 92, 92);
  expect_clean_with(m, &options);
  machine_close(m);
}

/* A sum that goes on over instructions; `first` ends what was there before. */
static void sums_go_on(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn gemm = machine_loop(TSR_OP_GEMM);
  gemm.loop.n[0] = 8000;
  gemm.loop.uop_begin = 1;
  for (int again = 0; again < 2; again++) {
    image_uop(m, 1, 0, 0, 0, again);
    long_sum(m, -128, 8000, 1);
    m->count -= 4;
    add(m, uops(2), 0, 0);
    add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 16384, 1), 0, 0);
    add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_WGT, 0, WEIGHTS, 1), 0, MATRIX);
    struct tsr_insn start = machine_loop(TSR_OP_GEMM);
    start.loop.n[0] = 8000;
    start.loop.first = 1;
    gemm.loop.first = (uint32_t)again;
    add(m, start, LOAD, 0);
    add(m, gemm, 0, 0);
    if (again)
      expect_clean(m);
    else
      expect(m, TSR_FINDING_OVERFLOW, 4,
             "instruction 4 (gemm, matrix): ACC entry 0 (d) at loop point (0,0,0), micro-op 0 may "
             "overflow int32: it can be -4161536000 to 4194304000");
  }
  machine_close(m);
}

static void set_i32(struct machine *m, int at, int32_t value)
{
  for (int lane = 0; lane < 16; lane++)
    memcpy(m->window + PARAMETERS + at * 64 + 4 * lane, &value, 4);
}

/* ACC[2] <- ACC[0] op ACC[1], both from the image. */
static void vector_of(struct machine *m, int opcode, int32_t a, int32_t b)
{
  struct tsr_insn i = machine_loop(opcode);
  image_uop(m, 0, 2, 0, 1, false);
  set_i32(m, 0, a);
  set_i32(m, 1, b);
  add(m, uops(1), 0, 0);
  add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_ACC, 0, PARAMETERS, 2), 0, VECTOR);
  add(m, i, LOAD, 0);
}

static void vector(void **state)
{
  (void)state;
  static const struct {
    int opcode;
    int32_t a, b;
    const char *text; /* NULL: clean */
  } list[] = {
      {TSR_OP_ADD, INT32_MAX, 0, NULL},
      {TSR_OP_ADD, INT32_MAX, 1,
       "instruction 2 (add, vector): ACC entry 2 (d) at loop point (0,0,0), micro-op 0 may "
       "overflow int32: it can be 2147483648 to 2147483648"},
      {TSR_OP_SUB, INT32_MIN, 0, NULL},
      {TSR_OP_SUB, 0, INT32_MIN,
       "instruction 2 (sub, vector): ACC entry 2 (d) at loop point (0,0,0), micro-op 0 may "
       "overflow int32: it can be 2147483648 to 2147483648"},
      {TSR_OP_MUL, 46340, 46340, NULL},
      {TSR_OP_MUL, 65536, 32768,
       "instruction 2 (mul, vector): ACC entry 2 (d) at loop point (0,0,0), micro-op 0 may "
       "overflow int32: it can be 2147483648 to 2147483648"},
      {TSR_OP_SHL, -1, 31, NULL},
      {TSR_OP_SHL, 1, 31,
       "instruction 2 (shl, vector): ACC entry 2 (d) at loop point (0,0,0), micro-op 0 may "
       "overflow int32: it can be 2147483648 to 2147483648"},
      {TSR_OP_RSUM, 1 << 26, 0, NULL},
      {TSR_OP_RSUM, 1 << 27, 0,
       "instruction 2 (rsum, vector): ACC entry 2 (d) at loop point (0,0,0), micro-op 0 may "
       "overflow int32: it can be 2147483648 to 2147483648"},
      {TSR_OP_SHR, INT32_MIN, 31, NULL},
      {TSR_OP_MAX, INT32_MIN, INT32_MAX, NULL},
  };
  struct machine *m = machine_open("default");
  for (size_t k = 0; k < sizeof list / sizeof *list; k++) {
    vector_of(m, list[k].opcode, list[k].a, list[k].b);
    if (list[k].text)
      expect(m, TSR_FINDING_OVERFLOW, 2, list[k].text);
    else
      expect_clean(m);
  }
  machine_close(m);
}

/* Sums in place are judged point by point; what leaves int32 is found once. */
static void in_place(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn sum = machine_loop(TSR_OP_ADD);
  sum.loop.n[1] = 7;
  for (int over = 0; over < 2; over++) {
    image_uop(m, 0, 0, 1, 0, false);
    set_i32(m, 0, 0);
    set_i32(m, 1, INT32_MAX / 7 + over);
    add(m, uops(1), 0, 0);
    add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_ACC, 0, PARAMETERS, 2), 0, VECTOR);
    add(m, sum, LOAD, 0);
    add(m, sum, 0, 0);
    if (!over)
      m->count--;
    if (over)
      expect(m, TSR_FINDING_OVERFLOW, 2,
             "instruction 2 (add, vector): ACC entry 0 (d) at loop point (0,0,0), micro-op 0 may "
             "overflow int32: it can be 2147483653 to 2147483653");
    else
      expect_clean(m);
  }
  machine_close(m);
}

/* An int8 that is not known, taken from a parameter near the end of int32. */
static void differences(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  for (int over = 0; over < 2; over++) {
    image_uop(m, 0, 2, 0, 1, false);
    set_i32(m, 0, INT32_MIN + 127 - over);
    add(m, uops(1), 0, 0);
    add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_ACC, 0, PARAMETERS, 1), 0, 0);
    add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_ACC8, 1, 16384, 1), 0, VECTOR);
    add(m, machine_loop(TSR_OP_SUB), LOAD, 0);
    if (over)
      expect(m, TSR_FINDING_OVERFLOW, 3,
             "instruction 3 (sub, vector): ACC entry 2 (d) at loop point (0,0,0), micro-op 0 may "
             "overflow int32: it can be -2147483649 to -2147483394");
    else
      expect_clean(m);
  }
  machine_close(m);
}

/* int8 by a parameter of 2^24 - 1 over n points. */
static void products(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_insn mac = machine_loop(TSR_OP_MAC);
  mac.loop.src = TSR_SRC_INP;
  mac.loop.first = 1;
  for (uint32_t n = 1; n <= 2; n++) {
    mac.loop.n[0] = n;
    image_uop(m, 0, 0, 0, 1, true);
    set_i32(m, 1, (1 << 24) - 1);
    add(m, uops(1), 0, 0);
    add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_INP, 0, 16384, 1), 0, 0);
    add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_ACC, 1, PARAMETERS + 64, 1), 0, VECTOR);
    add(m, mac, LOAD, 0);
    if (n == 1)
      expect_clean(m);
    else
      expect(m, TSR_FINDING_OVERFLOW, 3,
             "instruction 3 (mac, vector): ACC entry 0 (d) at loop point (0,0,0), micro-op 0 may "
             "overflow int32: it can be -4294967040 to 4261412610");
  }
  machine_close(m);
}

/* int32 from outside of the image: nothing is said of it, unless its range is given. */
static void unknown_sums(void **state)
{
  (void)state;
  struct machine *m = machine_open("default");
  struct tsr_verify_options options = tsr_verify_defaults();
  for (int given = 0; given < 2; given++) {
    options.acc_low = given ? INT32_MIN : 1;
    options.acc_high = given ? INT32_MAX : 0;
    image_uop(m, 0, 2, 0, 1, false);
    add(m, uops(1), 0, 0);
    add(m, machine_dma(TSR_OP_LOAD, TSR_BUFFER_ACC, 0, 16384, 2), 0, VECTOR);
    add(m, machine_loop(TSR_OP_ADD), LOAD, 0);
    if (given)
      expect_with(m, &options, TSR_FINDING_OVERFLOW, 2,
                  "instruction 2 (add, vector): ACC entry 2 (d) at loop point (0,0,0), micro-op 0 "
                  "may overflow int32: it can be -4294967296 to 4294967294");
    else
      expect_clean_with(m, &options);
  }
  machine_close(m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights),      cmocka_unit_test(unknown_weights),
      cmocka_unit_test(inputs),       cmocka_unit_test(sums_go_on),
      cmocka_unit_test(vector),       cmocka_unit_test(in_place),
      cmocka_unit_test(differences),  cmocka_unit_test(products),
      cmocka_unit_test(unknown_sums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

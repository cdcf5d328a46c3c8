/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "configs/design.h"
#include "tests/base/in_arena.h"

static struct tsr_design opened(struct tsr_arena *arena, const char *name)
{
  struct tsr_design design;
  struct tsr_err err;
  if (tsr_design_open(arena, &err, name, &design))
    fail_msg("%s", err.text);
  return design;
}

/* The geometry of every standing point, and its hash: it is in every program, so it never changes
 * unless the point does. */
static void standing_points(void **state)
{
  static const struct {
    const char *name;
    uint64_t hash;
    int lanes, uop, inp, wgt, acc, out, lut, beat;
  } rows[] = {
      {"default", 0x8c1b9b4ce597da13, 16, 4096, 2048, 1024, 2048, 2048, 2, 8},
      {"tiny", 0x2847f66d7d98134d, 4, 128, 1024, 256, 256, 256, 1, 4},
      {"ecp5", 0x79631f10f3d97a50, 8, 2048, 4096, 1024, 2048, 2048, 2, 8},
      {"wide", 0x12a12d327ec210ef, 32, 8192, 4096, 1024, 4096, 4096, 4, 32},
      {"batch2", 0x7592b145b0b3d212, 32, 4096, 2048, 1024, 2048, 2048, 2, 16},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_design d = opened(*state, rows[i].name);
    assert_string_equal(tsr_design_names()[i], rows[i].name);
    assert_string_equal(d.name, rows[i].name);
    assert_true(d.hash == rows[i].hash);
    assert_int_equal(tsr_design_lanes(&d), rows[i].lanes);
    assert_int_equal(tsr_design_depth(&d, TSR_BUFFER_UOP), rows[i].uop);
    assert_int_equal(tsr_design_depth(&d, TSR_BUFFER_INP), rows[i].inp);
    assert_int_equal(tsr_design_depth(&d, TSR_BUFFER_WGT), rows[i].wgt);
    assert_int_equal(tsr_design_depth(&d, TSR_BUFFER_ACC), rows[i].acc);
    assert_int_equal(tsr_design_depth(&d, TSR_BUFFER_ACC8), rows[i].acc);
    assert_int_equal(tsr_design_depth(&d, TSR_BUFFER_OUT), rows[i].out);
    assert_int_equal(tsr_design_depth(&d, TSR_BUFFER_LUT), rows[i].lut);
    assert_int_equal(tsr_design_beat(&d), rows[i].beat);
    for (size_t k = 0; k < i; k++)
      assert_true(rows[k].hash != d.hash);
  }
  assert_null(tsr_design_names()[sizeof rows / sizeof rows[0]]);
  assert_null(tsr_design_json("none"));
}

/* What is compiled in is what the file says. */
static void compiled_in_as_in_the_file(void **state)
{
  for (int i = 0; tsr_design_names()[i]; i++) {
    struct tsr_bytes file;
    char path[100];
    snprintf(path, sizeof path, "configs/%s.json", tsr_design_names()[i]);
    assert_int_equal(tsr_file_read(*state, NULL, path, 65536, &file), TSR_OK);
    assert_string_equal((char *)file.data, tsr_design_json(tsr_design_names()[i]));
    struct tsr_design by_path = opened(*state, path), by_name = opened(*state, tsr_design_names()[i]);
    assert_string_equal(by_path.name, by_name.name);
    assert_true(by_path.hash == by_name.hash);
  }
}

/* The text of `default` with `from` replaced by `to`. */
static const char *changed(struct tsr_arena *arena, const char *from, const char *to)
{
  const char *text = tsr_design_json("default"), *at = strstr(text, from);
  if (!at)
    fail_msg("default has no %s", from);
  return tsr_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void hash_and_difference(void **state)
{
  struct tsr_design a = opened(*state, "default"), b, c;
  const char *text = changed(*state, "\"wgt_bytes\": 262144", "\"wgt_bytes\": 65536");
  assert_int_equal(tsr_design_parse(NULL, "dir/b.json", text, &b), TSR_OK);
  assert_string_equal(b.name, "b");
  assert_true(a.hash != b.hash);
  assert_string_equal(tsr_design_difference(*state, &a, &b), "wgt_bytes is 262144 here and 65536 there");
  assert_null(tsr_design_difference(*state, &a, &a));

  /* Neither clock nor memory changes a program. */
  text = changed(*state, "\"clock_mhz\": 100", "\"clock_mhz\": 50");
  assert_int_equal(tsr_design_parse(NULL, "c", text, &c), TSR_OK);
  assert_true(a.hash == c.hash);
  text = changed(*state, "{\"model\": \"ideal\"}",
                 "{\"bytes_per_cycle\": 8, \"latency_cycles\": 40, \"model\": \"simple\"}");
  assert_int_equal(tsr_design_parse(NULL, "c", text, &c), TSR_OK);
  assert_true(a.hash == c.hash);
  assert_int_equal(c.memory.model, TSR_MEMORY_SIMPLE);
  assert_int_equal(c.memory.latency_cycles, 40);
  assert_int_equal(c.memory.bytes_per_cycle, 8);
  assert_int_equal(c.memory.reads | c.memory.writes, 0);
}

/* Limits of what is in flight are optional, each for itself, and change no program. */
static void limits_of_memory(void **state)
{
  static const struct {
    const char *memory;
    int reads, writes;
  } list[] = {
      {"\"simple\", \"latency_cycles\": 4, \"bytes_per_cycle\": 8, \"reads\": 1", 1, 0},
      {"\"simple\", \"writes\": 256, \"latency_cycles\": 4, \"bytes_per_cycle\": 8", 0, 256},
      {"\"ddr\", \"set\": \"ddr3-1066\", \"latency_cycles\": 1, \"reads\": 6, \"writes\": 2", 6, 2},
  };
  struct tsr_design a = opened(*state, "default"), b;
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    const char *text = changed(*state, "\"ideal\"", list[i].memory);
    assert_int_equal(tsr_design_parse(NULL, "b", text, &b), TSR_OK);
    assert_int_equal(b.memory.reads, list[i].reads);
    assert_int_equal(b.memory.writes, list[i].writes);
    assert_true(a.hash == b.hash);
  }
}

/* The hash as design.h words it, computed apart. */
static void hash_by_hand(void **state)
{
  struct tsr_design d = opened(*state, "tiny");
  const char *text = "batch=1\nblock_in=4\nblock_out=4\ninp_bits=8\nwgt_bits=8\nacc_bits=32\n"
                     "uop_bytes=1024\ninp_bytes=4096\nwgt_bytes=4096\nacc_bytes=4096\n"
                     "out_bytes=1024\nlut_bytes=256\nqueue_depth=4\ntoken_depth=16\n"
                     "axi_data_bits=32\naxi_burst_beats=16\naxi_reads=2\naxi_writes=2\n";
  uint64_t hash = UINT64_C(14695981039346656037);
  for (; *text; text++)
    hash = (hash ^ (uint64_t)*text) * UINT64_C(1099511628211);
  assert_true(d.hash == hash);
}

static const struct {
  const char *from, *to, *sentence;
} refused[] = {
    {"\"block_in\"", "\"blok_in\"", "p:3: unknown key 'blok_in'; did you mean 'block_in'?"},
    {"\"block_in\"", "\"xylophone_of_brass\"",
     "p:3: unknown key 'xylophone_of_brass'; docs/design-point.md lists the keys"},
    {"\"block_in\"", "\"batch\"", "p:3: key 'batch' is repeated; line 2 has it already"},
    {"  \"batch\": 1,\n", "", "p:21: key 'batch' is missing"},
    {"\"batch\": 1", "\"batch\": 0", "p:2: batch is 0, outside of 1 to 16"},
    {"\"batch\": 1", "\"batch\": -1", "p:2: batch is -1, outside of 1 to 16"},
    {"\"batch\": 1", "\"batch\": 4294967297", "p:2: batch is 4294967297, outside of 1 to 16"},
    {"\"batch\": 1", "\"batch\": 99999999999999999999", "p:2: batch has a number of too many digits"},
    {"\"batch\": 1", "\"batch\": 01", "p:2: batch has a number that begins with 0"},
    {"\"batch\": 1", "\"batch\": 1.5", "p:2: batch is not a whole number"},
    {"\"batch\": 1", "\"batch\": 1e0", "p:2: batch is not a whole number"},
    {"\"batch\": 1", "\"batch\": +1", "p:2: '+' where a whole number is expected"},
    {"\"batch\": 1", "\"batch\": -", "p:2: '-' where a whole number is expected"},
    {"\"batch\": 1", "\"batch\": \"1\"", "p:2: batch must be a whole number"},
    {"\"batch\": 1", "\"batch\": true", "p:2: 't' where a whole number is expected"},
    {"\"batch\": 1", "\"batch\": {}", "p:2: batch must be a whole number"},
    {"\"batch\": 1", "\"batch\" 1", "p:2: '1' where ':' is expected"},
    {"\"batch\": 1,", "\"batch\": 1", "p:3: '\"' where ',' or '}' is expected"},
    {"\"batch\": 1", "batch: 1", "p:2: 'b' where a key in double quotes is expected"},
    {"\"batch\": 1", "// one\n\"batch\": 1", "p:2: '/' where a key in double quotes is expected"},
    {"\"batch\": 1", "\"bat\\u0063h\": 1", "p:2: a backslash in a name; no valid name has one"},
    {"\"batch\": 1", "\"batch\n\": 1", "p:2: the string has no end on its line"},
    {"\"batch\": 1", "\"\xff\": 1", "p:2: unknown key '\xff'; docs/design-point.md lists the keys"},
    {"\"batch\": 1", "\xff", "p:2: byte 0xff where a key in double quotes is expected"},
    {"}\n}\n", "},\n}\n", "p:22: '}' where a key in double quotes is expected"},
    {"}\n}\n", "}\n} x", "p:22: 'x' where the end of the text is expected"},
    {"}\n}\n", "}\n", "p:22: the text ends where ',' or '}' is expected"},
    {"{\n", "[\n", "p:1: '[' where '{' is expected"},
    {"\"block_out\": 16", "\"block_out\": 32",
     "p:4: block_out is 32 and block_in is 16; they must be equal"},
    {"\"inp_bits\": 8", "\"inp_bits\": 4", "p:5: inp_bits is 4, outside of 8 to 8"},
    {"\"uop_bytes\": 32768", "\"uop_bytes\": 100",
     "p:8: uop_bytes is 100, no multiple of 8, the bytes of a micro-op"},
    {"\"inp_bytes\": 32768", "\"inp_bytes\": 1000",
     "p:9: inp_bytes is 1000, no multiple of 16, the bytes of an entry"},
    {"\"inp_bytes\": 32768", "\"inp_bytes\": 2097152",
     "p:9: inp_bytes is 2097152, which is 131072 entries of 16 bytes, outside of 2 to 65536 entries"},
    {"\"wgt_bytes\": 262144", "\"wgt_bytes\": 256",
     "p:10: wgt_bytes is 256, which is 1 entries of 256 bytes, outside of 2 to 65536 entries"},
    {"\"acc_bytes\": 131072", "\"acc_bytes\": 131136",
     "p:11: acc_bytes is 131136, no multiple of 128, the bytes of an entry in each of two banks"},
    {"\"acc_bytes\": 131072", "\"acc_bytes\": 896",
     "p:11: acc_bytes is 896, which is 14 entries of 64 bytes, outside of 16 to 65536 entries"},
    {"\"lut_bytes\": 512", "\"lut_bytes\": 500",
     "p:13: lut_bytes is 500, no multiple of 256, the bytes of a table"},
    {"\"axi_data_bits\": 64", "\"axi_data_bits\": 96", "p:16: axi_data_bits is 96, no power of two"},
    {"\"axi_data_bits\": 64", "\"axi_data_bits\": 256",
     "p:16: axi_data_bits is 256, so a beat has 32 bytes, which must divide batch*block_in, 16, for "
     "every entry to start on a beat"},
    {"\"axi_data_bits\": 64,\n  \"axi_burst_beats\": 16", "\"axi_data_bits\": 128,\n  "
     "\"axi_burst_beats\": 257", "p:17: axi_burst_beats is 257, outside of 1 to 256"},
    {"\"memory\"", "\"memroy\"", "p:21: unknown key 'memroy'; did you mean 'memory'?"},
    {",\n  \"memory\": {\"model\": \"ideal\"}", "", "p:21: key 'memory' is missing"},
    {"{\"model\": \"ideal\"}", "5",
     "p:21: memory must be an object, such as {\"model\": \"ideal\"}"},
    {"{\"model\": \"ideal\"}", "{\n}", "p:22: key 'model' of memory is missing"},
    {"\"ideal\"", "\"ideel\"",
     "p:21: model of memory must be \"ideal\", \"simple\" or \"ddr\""},
    {"\"ideal\"", "3", "p:21: model of memory must be \"ideal\", \"simple\" or \"ddr\""},
    {"\"ideal\"", "\"ideal\", \"latency_cycles\": 4",
     "p:21: memory of model 'ideal' has no 'latency_cycles'"},
    {"\"ideal\"", "\"ideal\", \"latency_cycle\": 4",
     "p:21: unknown key 'latency_cycle' of memory; did you mean 'latency_cycles'?"},
    {"\"ideal\"", "\"ideal\", \"model\": \"ideal\"",
     "p:21: key 'model' is repeated; line 21 has it already"},
    {"\"ideal\"", "{\"a\": 1}", "p:21: model is an object inside of an object"},
    {"\"ideal\"", "\"simple\", \"latency_cycles\": 4",
     "p:21: key 'bytes_per_cycle' of memory is missing"},
    {"\"ideal\"", "\"simple\", \"latency_cycles\": 4, \"bytes_per_cycle\": 0",
     "p:21: bytes_per_cycle is 0, outside of 1 to 4096"},
    {"\"ideal\"", "\"simple\", \"bytes_per_cycle\": 1, \"latency_cycles\": 100001",
     "p:21: latency_cycles is 100001, outside of 0 to 100000"},
    {"\"ideal\"", "\"simple\", \"bytes_per_cycle\": 1, \"latency_cycles\": 1, \"tCL\": 5",
     "p:21: memory of model 'simple' has no 'tCL'"},
    {"\"ideal\"", "\"ideal\", \"reads\": 4", "p:21: memory of model 'ideal' has no 'reads'"},
    {"\"ideal\"", "\"ideal\", \"writs\": 4",
     "p:21: unknown key 'writs' of memory; did you mean 'writes'?"},
    {"\"ideal\"", "\"simple\", \"bytes_per_cycle\": 1, \"latency_cycles\": 1, \"reads\": 0",
     "p:21: reads is 0, outside of 1 to 256"},
    {"\"ideal\"", "\"simple\", \"bytes_per_cycle\": 1, \"latency_cycles\": 1, \"writes\": 257",
     "p:21: writes is 257, outside of 1 to 256"},
    {"\"ideal\"", "\"simple\", \"bytes_per_cycle\": 1, \"latency_cycles\": 1, \"writes\": \"2\"",
     "p:21: writes must be a whole number"},
};

/* `default` with a memory of this model and these keys, which start on line 22. */
static const struct {
  const char *keys, *sentence;
} refused_ddr[] = {
#define SET "\"set\": \"ddr3-1066\", \"latency_cycles\": 10, \n"
    {"\"set\": \"ddr3-1066\"", "p:22: key 'latency_cycles' of memory is missing"},
    {"\"set\": \"ddr3-1066\", \"latency_cycles\": 0",
     "p:22: latency_cycles is 0, outside of 1 to 100000"},
    {"\"latency_cycles\": 1, \n\"set\": \"ddr3-1067\"",
     "p:23: memory has no set 'ddr3-1067'; did you mean 'ddr3-1066'?"},
    {"\"latency_cycles\": 1, \n\"set\": \"sram\"",
     "p:23: memory has no set 'sram'; docs/dram.md lists the sets"},
    {"\"latency_cycles\": 1, \n\"set\": 3",
     "p:23: set of memory must be a name, such as \"ddr3-1066\""},
    {"\"latency_cycles\": 1, \"channels\": 1", "p:22: key 'bus_bits' of memory is missing"},
    {SET "\"order\": \"lifo\"", "p:23: order of memory must be \"fcfs\" or \"frfcfs\""},
    {SET "\"order\": 1", "p:23: order of memory must be \"fcfs\" or \"frfcfs\""},
    {SET "\"bytes_per_cycle\": 8", "p:23: memory of model 'ddr' has no 'bytes_per_cycle'"},
    {SET "\"reads\": 257", "p:23: reads is 257, outside of 1 to 256"},
    {SET "\"tRCP\": 8", "p:23: unknown key 'tRCP' of memory; did you mean 'tRCD'?"},
    {SET "\"tCL\": \"7\"", "p:23: tCL must be a whole number"},
    {SET "\"tCL\": 0", "p:23: tCL is 0, outside of 1 to 255"},
    {SET "\"bus_bits\": 24", "p:23: bus_bits is 24, no power of two"},
    {SET "\"row_bytes\": 1000", "p:23: row_bytes is 1000, no power of two"},
    {SET "\"burst_length\": 12", "p:23: burst_length is 12, no power of two"},
    {SET "\"bus_bits\": 128, \"burst_length\": 64, \"tCCD\": 32, \n\"row_bytes\": 512",
     "p:24: row_bytes is 512, less than the 1024 bytes of an access"},
    {SET "\"tRAS\": 6", "p:23: tRAS is 6, less than tRCD, 7: a row would close before it is read"},
    /* tRAS is the set's: where memory stands. */
    {SET "\"tRCD\": 21",
     "p:21: tRAS is 20, less than tRCD, 21: a row would close before it is read"},
    {SET "\"tRP\": 5, \n\"tRC\": 24",
     "p:24: tRC is 24, less than the 25 of tRAS and tRP: a row would open before the one before it "
     "is closed"},
    {SET "\"tFAW\": 5", "p:23: tFAW is 5, less than tRRD, 6, the time of one opening of its four"},
    {SET "\"tREFI\": 59", "p:23: tREFI is 59 and tRFC 59: nothing but refreshes would be done"},
    {SET "\"tCCD\": 3", "p:23: tCCD is 3, less than the 4 ticks that the data of an access takes"},
    {SET "\"tRTW\": 4",
     "p:23: tRTW is 4, less than 5: the data of a write would meet that of a read before it"},
};

static const char *with_ddr(struct tsr_arena *arena, const char *keys)
{
  return changed(arena, "\"ideal\"", tsr_arena_printf(arena, "\"ddr\",\n%s", keys));
}

static void refused_memories(void **state)
{
  for (size_t i = 0; i < sizeof refused_ddr / sizeof refused_ddr[0]; i++) {
    struct tsr_design design;
    struct tsr_err err = {0};
    if (!tsr_design_parse(&err, "p", with_ddr(*state, refused_ddr[i].keys), &design))
      fail_msg("row %zu is taken: %s", i, refused_ddr[i].keys);
    assert_string_equal(err.text, refused_ddr[i].sentence);
  }
}

static void a_set_and_what_differs_from_it(void **state)
{
  struct tsr_design a = opened(*state, "default"), b;
  const char *text = with_ddr(*state, SET "\"tRFC\": 86, \"channels\": 2, \"order\": \"fcfs\"");
  assert_int_equal(tsr_design_parse(NULL, "b", text, &b), TSR_OK);
  assert_int_equal(b.memory.model, TSR_MEMORY_DDR);
  assert_int_equal(b.memory.latency_cycles, 10);
  struct tsr_ddr expected = *tsr_ddr_set("ddr3-1066");
  assert_int_equal(expected.order, TSR_DDR_FRFCFS);
  expected.order = TSR_DDR_FCFS;
  expected.tRFC = 86;
  expected.channels = 2;
  assert_memory_equal(&b.memory.ddr, &expected, sizeof expected);
  assert_true(a.hash == b.hash);
}

static void refused_points(void **state)
{
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    struct tsr_design design = {.batch = 77};
    struct tsr_err err = {0};
    const char *text = changed(*state, refused[i].from, refused[i].to);
    if (!tsr_design_parse(&err, "p", text, &design))
      fail_msg("row %zu is taken: %s", i, text);
    assert_string_equal(err.text, refused[i].sentence);
    assert_int_equal(design.batch, 77); /* untouched */
  }
}

static void bursts_stay_within_4096_bytes(void **state)
{
  struct tsr_design design;
  struct tsr_err err;
  const char *text = tsr_arena_strdup(*state, tsr_design_json("wide"));
  char *at = strstr(text, "\"axi_burst_beats\": 16");
  memcpy(at, "\"axi_burst_beats\":129", 21);
  assert_int_equal(tsr_design_parse(&err, "p", text, &design), TSR_REFUSED);
  assert_string_equal(err.text, "p:17: axi_burst_beats is 129, at 32 bytes a beat more than the 4096 "
                                "bytes that an AXI burst may cover");
}

/* batch*block may be whole beats where block*block is not. */
static void weight_tiles_start_on_a_beat(void **state)
{
  struct tsr_design design;
  struct tsr_err err;
  const char *text =
      tsr_arena_printf(*state, "{\"batch\": 4, \"block_in\": 5, \"block_out\": 5, \"inp_bits\": 8, "
                               "\"wgt_bits\": 8, \"acc_bits\": 32, \"uop_bytes\": 1024, "
                               "\"inp_bytes\": 2000, \"wgt_bytes\": 2500, \"acc_bytes\": 8000, "
                               "\"out_bytes\": 2000, \"lut_bytes\": 256, \"queue_depth\": 4, "
                               "\"token_depth\": 4, \"axi_data_bits\": 32, \"axi_burst_beats\": 16, "
                               "\"axi_reads\": 2, \"axi_writes\": 2, \"clock_mhz\": 100, "
                               "\"memory\": {\"model\": \"ideal\"}}");
  assert_int_equal(tsr_design_parse(&err, "p", text, &design), TSR_REFUSED);
  assert_string_equal(err.text, "p:1: axi_data_bits is 32, so a beat has 4 bytes, which must divide "
                                "block_in*block_out, 25, for every weight tile to start on a beat");
}

/* Every key one below its smallest and one above its largest value. */
static void every_key_has_its_range(void **state)
{
  static const struct {
    const char *key;
    long long ends[2];
  } rows[] = {
#define TSR_KEY(key, smallest, largest, unit, meaning) {#key, {(smallest)-1LL, (largest) + 1LL}},
#include "configs/keys.def"
#undef TSR_KEY
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const char *text = tsr_design_json("default");
    const char *from = strstr(text, tsr_arena_printf(*state, "\"%s\": ", rows[i].key));
    const char *comma = strchr(from, ',');
    for (int k = 0; k < 2; k++) {
      struct tsr_design design;
      struct tsr_err err = {0};
      const char *point = tsr_arena_printf(*state, "%.*s\"%s\": %lld%s", (int)(from - text), text,
                                           rows[i].key, rows[i].ends[k], comma);
      assert_int_equal(tsr_design_parse(&err, "p", point, &design), TSR_REFUSED);
      assert_string_equal(err.text,
                          tsr_arena_printf(*state, "p:%zu: %s is %lld, outside of %lld to %lld", i + 2,
                                           rows[i].key, rows[i].ends[k], rows[i].ends[0] + 1,
                                           rows[i].ends[1] - 1));
    }
  }
}

/* Every cut and every changed byte of a point's text: taken or refused, never past its end. */
static void hostile_texts(void **state)
{
  (void)state;
  const char *text = tsr_design_json("ecp5");
  size_t size = strlen(text);
  static const char liked[] = "{}[]\",:-9\\\n a.";
  for (size_t at = 0; at < size; at++) {
    for (size_t k = 0; k < sizeof liked; k++) { /* the last is the end of the text */
      struct tsr_design design;
      char *copy = strdup(text);
      copy[at] = liked[k];
      char *own = strdup(copy); /* of the length that is left */
      tsr_design_parse(NULL, "p", own, &design);
      free(own);
      free(copy);
    }
  }
}

static void too_many_keys(void **state)
{
  struct tsr_text text = {.arena = *state};
  struct tsr_design design;
  struct tsr_err err;
  tsr_text_add(&text, "{");
  for (int i = 0; i < 200; i++)
    tsr_text_add(&text, "\"k%d\": 1,", i);
  assert_int_equal(tsr_design_parse(&err, "p", text.data, &design), TSR_REFUSED);
  assert_string_equal(err.text, "p:1: more than 96 keys");
}

static void opening(void **state)
{
  static const struct {
    const char *name, *sentence;
  } rows[] = {
      {"defalt", "defalt: no standing design point and no file; did you mean 'default'?"},
      {"/nowhere/at/all.json", "/nowhere/at/all.json: no standing design point and no file; standing "
                               "points are default, tiny, ecp5, wide, batch2"},
      {"configs", "configs: is a directory; a file is wanted"},
      {"configs/keys.def", "configs/keys.def:1: '/' where '{' is expected"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tsr_design design;
    struct tsr_err err = {0};
    assert_int_equal(tsr_design_open(*state, &err, rows[i].name, &design), TSR_REFUSED);
    assert_string_equal(err.text, rows[i].sentence);
  }
}

/* docs/design-point.md has the table of keys.def, row by row. */
static void the_page_lists_the_keys(void **state)
{
  struct tsr_bytes page;
  assert_int_equal(tsr_file_read(*state, NULL, "docs/design-point.md", 1 << 20, &page), TSR_OK);
  struct tsr_text table = {.arena = *state};
#define TSR_KEY(key, smallest, largest, unit, meaning)                                               \
  tsr_text_add(&table, "| `%s` | %d | %d | %s | %s |\n", #key, smallest, largest, unit, meaning);
#include "configs/keys.def"
#undef TSR_KEY
  if (!strstr((char *)page.data, table.data))
    fail_msg("docs/design-point.md must have these rows:\n%s", table.data);
}

/* The rows of a table stand in docs/dram.md, in their order. */
static void expect_table(struct tsr_arena *arena, const char *table)
{
  struct tsr_bytes page;
  assert_int_equal(tsr_file_read(arena, NULL, "docs/dram.md", 1 << 20, &page), TSR_OK);
  if (!strstr((char *)page.data, table))
    fail_msg("docs/dram.md must have these rows:\n%s", table);
}

static void the_page_lists_the_parameters_of_ddr(void **state)
{
  struct tsr_text keys = {.arena = *state}, sets = {.arena = *state};
#define TSR_DDR_KEY(key, smallest, largest, unit, meaning)                                           \
  tsr_text_add(&keys, "| `%s` | %d | %d | %s | %s |\n", #key, smallest, largest, unit, meaning);     \
  tsr_text_add(&sets, "| `%s` |", #key);                                                             \
  for (int k = 0; tsr_ddr_set_names()[k]; k++)                                                       \
    tsr_text_add(&sets, " %d |", tsr_ddr_set(tsr_ddr_set_names()[k])->key);                          \
  tsr_text_add(&sets, "\n");
#include "configs/ddr.def"
#undef TSR_DDR_KEY
  expect_table(*state, keys.data);
  expect_table(*state, sets.data);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(standing_points),
      cmocka_unit_test(compiled_in_as_in_the_file),
      cmocka_unit_test(hash_and_difference),
      cmocka_unit_test(limits_of_memory),
      cmocka_unit_test(hash_by_hand),
      cmocka_unit_test(weight_tiles_start_on_a_beat),
      cmocka_unit_test(refused_points),
      cmocka_unit_test(refused_memories),
      cmocka_unit_test(a_set_and_what_differs_from_it),
      cmocka_unit_test(bursts_stay_within_4096_bytes),
      cmocka_unit_test(every_key_has_its_range),
      cmocka_unit_test(hostile_texts),
      cmocka_unit_test(too_many_keys),
      cmocka_unit_test(opening),
      cmocka_unit_test(the_page_lists_the_keys),
      cmocka_unit_test(the_page_lists_the_parameters_of_ddr),
  };
  return cmocka_run_group_tests(tests, open_arena, close_arena);
}

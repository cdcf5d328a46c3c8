/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that nobody meant as a model: cut, flipped, nested and swollen. Whatever they are, the
 * answer is a graph or a sentence. */
#include "tests/onnx/model_text.h"

static const char model_text[] = "opset 11; input x f32 N,3,8,8; info r f32 1,3,8,8; const w f32 "
                                 "2,3,1,1 1 2 3 4 5 6; const s i64 2 0 -1;"
                                 "node Conv:c x w _ -> h pads=[0,0,0,0] auto_pad='NOTSET' group=1; "
                                 "node Clip:k h -> r min=0.0 max=6.0;"
                                 "node Constant -> q value=f32{0.5}; node Mul r q -> p; node "
                                 "Reshape p s -> y; node Squeeze y -> z axes=[0];"
                                 "node ConstantOfShape s -> f value=i64{3}; node Pad z -> v "
                                 "pads=[0,0,0,0] value=1.0; output v; output f";

/* Imports into an arena of its own. */
static enum tsr_status try_import(struct tsr_bytes b)
{
  struct tsr_err err = {0};
  struct tsr_graph *g = NULL;
  struct tsr_arena *a = tsr_arena_new(NULL);
  if (setjmp(*tsr_arena_landing(a))) {
    tsr_arena_free(a);
    return TSR_NO_MEMORY;
  }
  enum tsr_status status = import_bytes(a, &err, b, NULL, &g);
  if (status) {
    assert_memory_equal(err.text, "m.onnx: ", 8);
    assert_true(strlen(err.text) > 15);
  } else {
    assert_true(g->outputs > 0);
  }
  tsr_arena_free(a);
  return status;
}

static void cut_anywhere(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_bytes b = packed(a, model_of(a, model_text));
  assert_int_equal(try_import(b), TSR_OK);
  for (size_t n = 0; n < b.size; n++)
    assert_int_equal(try_import((struct tsr_bytes){b.data, n}), TSR_REFUSED);
}

static void every_bit_flipped(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_bytes b = packed(a, model_of(a, model_text));
  int refused = 0;
  for (size_t bit = 0; bit < 8 * b.size; bit++) {
    b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    refused += try_import(b) != TSR_OK;
    b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  assert_true(refused > (int)b.size); /* most bits matter */
}

static void digits_cut_and_flipped(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_bytes b;
  uint64_t seed = 4242;
  if (tsr_file_read(a, NULL, "models/digits/digits.onnx", 1 << 24, &b)) {
    print_message("models/digits/digits.onnx is not there: skipped\n");
    skip();
  }
  print_message("seed %llu\n", (unsigned long long)seed);
  assert_int_equal(try_import(b), TSR_OK);
  for (int i = 0; i < 200; i++)
    assert_int_equal(
        try_import((struct tsr_bytes){b.data, b.size / 200 * (size_t)i + (size_t)i % 7}),
        TSR_REFUSED);
  uint8_t *whole = tsr_arena_copy(a, b.data, b.size);
  for (int i = 0; i < 1000; i++) {
    for (int k = 0; k < 1 + i % 8; k++)
      b.data[next_random(&seed) % b.size] = (uint8_t)next_random(&seed);
    try_import(b);
    memcpy(b.data, whole, b.size);
  }
}

/* If inside of If, and sequences of sequences as an input's type. */
static void nested_too_deep(void **state)
{
  struct tsr_arena *a = *state;
  for (int depth = 10; depth <= 2000; depth += 90) {
    Onnx__ModelProto *m = model_of(a, "input x f32 1; output x");
    for (int i = 0; i < depth; i++) {
      Onnx__ModelProto *outer =
          model_of(a, "input x f32 1; node If:n x -> y then_branch=graph; output y");
      outer->graph->node[0]->attribute[0]->g = m->graph;
      m = outer;
    }
    expect_refused(a, m, NULL,
                   depth > 33 ? "messages are nested more than 100 deep" : "holds a subgraph");
    m = model_of(a, "input x f32 1; output x");
    for (int i = 0; i < depth; i++) {
      Onnx__TypeProto *outer = TSR_NEW(a, Onnx__TypeProto);
      onnx__type_proto__init(outer);
      outer->value_case = ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE;
      outer->sequence_type = TSR_NEW(a, Onnx__TypeProto__Sequence);
      onnx__type_proto__sequence__init(outer->sequence_type);
      outer->sequence_type->elem_type = m->graph->input[0]->type;
      m->graph->input[0]->type = outer;
    }
    expect_refused(a, m, NULL,
                   depth > 50 ? "messages are nested more than 100 deep" : "is no tensor");
  }
}

static void raw_bytes_refused(struct tsr_arena *a, const void *data, size_t size,
                              const char *sentence)
{
  struct tsr_err err = {0};
  struct tsr_graph *g = NULL;
  assert_int_equal(import_bytes(a, &err, (struct tsr_bytes){(uint8_t *)data, size}, NULL, &g),
                   TSR_REFUSED);
  if (!strstr(err.text, sentence))
    fail_msg("got '%s', expected '%s'", err.text, sentence);
}

static void broken_wires(void **state)
{
  struct tsr_arena *a = *state;
  raw_bytes_refused(a, "", 0, "m.onnx: is empty");
  raw_bytes_refused(
      a, "\x00", 1,
      "m.onnx: is no valid ONNX protobuf: byte 1, inside of ModelProto: a field with no valid tag");
  raw_bytes_refused(a, "\x0b", 1, "a field with no valid tag"); /* a group */
  raw_bytes_refused(a, "\x0c", 1, "a field with no valid tag");
  raw_bytes_refused(a, "\xff\xff\xff\xff\xff\xff", 6, "a field with no valid tag");
  raw_bytes_refused(a, "\x0d\0\0\0\0", 5,
                    "a field of the wrong wire type"); /* ir_version as fixed32 */
  raw_bytes_refused(a, "\x3a\x05\x0a", 3, "inside of ModelProto: the data is cut off");
  raw_bytes_refused(a, "\x3a\x02\x0a\x05", 4, "byte 4, inside of GraphProto: the data is cut off");
  raw_bytes_refused(a, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12,
                    "the data is cut off");
  raw_bytes_refused(a, "\x3a\xff\xff\xff\xff\x0f", 6, "the data is cut off");
  raw_bytes_refused(a, "\x08\x08\xf8\x07\x01", 5,
                    "holds no graph"); /* an unknown field is passed over */
}

static void a_graph_stands_twice(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_bytes b = packed(a, model_of(a, model_text));
  struct tsr_text twice = {.arena = a};
  tsr_text_add_bytes(&twice, b.data, b.size);
  tsr_text_add_bytes(&twice, b.data, b.size);
  raw_bytes_refused(a, twice.data, twice.length, "a field that may stand once stands twice");
}

/* A million empty nodes: 2 MB of file that would become 200 MB of messages. */
static void swollen(void **state)
{
  struct tsr_arena *a = *state;
  size_t nodes = 1 << 20;
  uint8_t *b = tsr_arena_alloc(a, 5 + 2 * nodes);
  memcpy(b, "\x3a\x80\x80\x80\x01", 5); /* graph, of 2^21 bytes */
  for (size_t i = 0; i < nodes; i++)
    b[5 + 2 * i] = 0x0a;
  raw_bytes_refused(a, b, 5 + 2 * nodes, "unfolds to more than ");
}

static enum tsr_status import_at(struct counting *c, struct tsr_bytes b)
{
  struct tsr_graph *g = NULL;
  struct tsr_arena *a = tsr_arena_new(&c->allocator);
  if (!a || setjmp(*tsr_arena_landing(a))) {
    tsr_arena_free(a);
    return TSR_NO_MEMORY;
  }
  enum tsr_status status = tsr_onnx_import(a, NULL, "m.onnx", b.data, b.size, NULL, &g);
  tsr_arena_free(a);
  return status;
}

static void every_allocation_fails_once(void **state)
{
  struct tsr_arena *a = *state;
  struct tsr_text text = {.arena = a};
  tsr_text_add(&text, "input x f32 1; node Relu x -> v0; output x;");
  for (int i = 0; i < 400; i++) /* enough to need many blocks */
    tsr_text_add(&text, "node Clip v%d -> v%d min=0.0;", i, i + 1);
  Onnx__ModelProto *m = model_of(a, text.data);
  m->opset_import[0]->version = 10;
  struct tsr_bytes b = packed(a, m);
  for (int n = 0;; n++) {
    struct counting c;
    counting_once(&c, n);
    enum tsr_status status = import_at(&c, b);
    assert_int_equal(c.live, 0);
    if (status == TSR_OK) {
      assert_true(n > 5);
      break;
    }
    assert_int_equal(status, TSR_NO_MEMORY);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      IN_ARENA(cut_anywhere),
      IN_ARENA(every_bit_flipped),
      IN_ARENA(digits_cut_and_flipped),
      IN_ARENA(nested_too_deep),
      IN_ARENA(broken_wires),
      IN_ARENA(a_graph_stands_twice),
      IN_ARENA(swollen),
      IN_ARENA(every_allocation_fails_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

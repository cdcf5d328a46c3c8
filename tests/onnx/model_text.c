/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/onnx/model_text.h"

/* Words of one line; `at` is the next. */
struct words {
  struct tsr_arena *a;
  char *at;
};

static char *next_word(struct words *w)
{
  while (*w->at == ' ' || *w->at == '\n')
    w->at++;
  char *word = w->at;
  while (*w->at && *w->at != ' ' && *w->at != '\n')
    w->at++;
  if (*w->at)
    *w->at++ = 0;
  return word;
}

static int onnx_type(const char *name)
{
  enum tsr_dtype dtype;
  if (!strcmp(name, "f16"))
    return 10;
  if (!strcmp(name, "string"))
    return 8;
  assert_true(tsr_dtype_from_name(name, &dtype));
  return tsr_dtype_onnx(dtype);
}

/* Appends to an array of pointers; capacities do not matter here. */
static void *append(struct tsr_arena *a, void *list, size_t *n, const void *item)
{
  void **more = tsr_arena_alloc(a, (*n + 1) * sizeof *more);
  for (size_t k = 0; k < *n; k++)
    more[k] = ((void **)list)[k];
  more[(*n)++] = (void *)item;
  return more;
}

Onnx__TensorProto *tensor_of(struct tsr_arena *a, const char *name, int type, int rank,
                             const int64_t *dims)
{
  Onnx__TensorProto *t = TSR_NEW(a, Onnx__TensorProto);
  onnx__tensor_proto__init(t);
  t->name = tsr_arena_strdup(a, name);
  t->has_data_type = 1;
  t->data_type = type;
  t->n_dims = (size_t)rank;
  t->dims = tsr_arena_copy(a, dims, (size_t)rank * sizeof *dims);
  return t;
}

/* Numbers up to the end of the words as the raw data of t. */
static void fill(struct words *w, Onnx__TensorProto *t, const char *dtype)
{
  struct tsr_text raw = {.arena = w->a};
  enum tsr_dtype d = TSR_F32;
  tsr_dtype_from_name(dtype, &d);
  tsr_text_add_bytes(&raw, "", 0);
  for (char *word; *(word = next_word(w));) {
    uint64_t cell = 0;
    struct tsr_tensor one = {.dtype = d, .data = &cell};
    if (tsr_dtype_kind(d) == TSR_KIND_FLOAT)
      tsr_put_float(&one, 0, strtod(word, NULL));
    else
      tsr_put_int(&one, 0, strtoll(word, NULL, 10));
    tsr_text_add_bytes(&raw, &cell, tsr_dtype_bytes(d));
  }
  t->has_raw_data = 1;
  t->raw_data = (ProtobufCBinaryData){raw.length, (uint8_t *)raw.data};
}

static void add_const(struct words *w, Onnx__GraphProto *g)
{
  int64_t dims[16];
  int rank = 0;
  char *name = next_word(w), *dtype = next_word(w), *shape = next_word(w);
  for (char *d = strtok(shape, ","); d && strcmp(d, "-") != 0; d = strtok(NULL, ","))
    dims[rank++] = strtoll(d, NULL, 10);
  Onnx__TensorProto *t = tensor_of(w->a, name, onnx_type(dtype), rank, dims);
  fill(w, t, dtype);
  g->initializer = append(w->a, g->initializer, &g->n_initializer, t);
}

static Onnx__TensorShapeProto *shape_of(struct tsr_arena *a, char *text)
{
  Onnx__TensorShapeProto *s = TSR_NEW(a, Onnx__TensorShapeProto);
  onnx__tensor_shape_proto__init(s);
  for (char *d = strtok(text, ","); d && strcmp(d, "-") != 0; d = strtok(NULL, ",")) {
    Onnx__TensorShapeProto__Dimension *dim = TSR_NEW(a, Onnx__TensorShapeProto__Dimension);
    onnx__tensor_shape_proto__dimension__init(dim);
    if (strchr("-0123456789", *d)) {
      dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
      dim->dim_value = strtoll(d, NULL, 10);
    } else if (*d != '?') {
      dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
      dim->dim_param = tsr_arena_strdup(a, d);
    }
    s->dim = append(a, s->dim, &s->n_dim, dim);
  }
  return s;
}

static Onnx__ValueInfoProto *value_of(struct words *w)
{
  Onnx__ValueInfoProto *v = TSR_NEW(w->a, Onnx__ValueInfoProto);
  onnx__value_info_proto__init(v);
  v->name = next_word(w);
  char *dtype = next_word(w);
  if (!*dtype)
    return v;
  v->type = TSR_NEW(w->a, Onnx__TypeProto);
  onnx__type_proto__init(v->type);
  v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  v->type->tensor_type = TSR_NEW(w->a, Onnx__TypeProto__Tensor);
  onnx__type_proto__tensor__init(v->type->tensor_type);
  v->type->tensor_type->has_elem_type = 1;
  v->type->tensor_type->elem_type = onnx_type(dtype);
  char *shape = next_word(w);
  if (*shape)
    v->type->tensor_type->shape = shape_of(w->a, shape);
  return v;
}

/* [1,2] or [1.0,2.0] */
static void list_attr(struct tsr_arena *a, Onnx__AttributeProto *p, char *text)
{
  bool real = strchr(text, '.') != NULL;
  p->has_type = 1;
  p->type = real ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS
                 : ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
  p->ints = TSR_NEW_ARRAY(a, int64_t, strlen(text));
  p->floats = TSR_NEW_ARRAY(a, float, strlen(text));
  for (char *v = strtok(text, "[,]"); v; v = strtok(NULL, "[,]"))
    if (real)
      p->floats[p->n_floats++] = strtof(v, NULL);
    else
      p->ints[p->n_ints++] = strtoll(v, NULL, 10);
}

/* i64{1,2} */
static void tensor_attr(struct tsr_arena *a, Onnx__AttributeProto *p, char *text)
{
  char *dtype = strtok(text, "{");
  struct words w = {a, strtok(NULL, "}")};
  int64_t n = w.at ? 1 : 0;
  for (char *c = w.at; c && *c; c++)
    if (*c == ',')
      *c = ' ', n++;
  p->has_type = 1;
  p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
  p->t = tensor_of(a, "", onnx_type(dtype), 1, &n);
  w.at = w.at ? w.at : text + strlen(text);
  fill(&w, p->t, dtype);
}

static void scalar_attr(struct tsr_arena *a, Onnx__AttributeProto *p, char *text)
{
  p->has_type = 1;
  if (*text == '\'') {
    p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
    p->has_s = 1;
    p->s = (ProtobufCBinaryData){strlen(text) - 2, (uint8_t *)text + 1};
  } else if (strchr(text, '.')) {
    p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    p->has_f = 1;
    p->f = strtof(text, NULL);
  } else if (!strcmp(text, "graph")) {
    p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
    p->g = TSR_NEW(a, Onnx__GraphProto);
    onnx__graph_proto__init(p->g);
  } else {
    p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    p->has_i = 1;
    p->i = strtoll(text, NULL, 10);
  }
}

static void add_attr(struct tsr_arena *a, Onnx__NodeProto *n, char *word)
{
  Onnx__AttributeProto *p = TSR_NEW(a, Onnx__AttributeProto);
  onnx__attribute_proto__init(p);
  char *value = strchr(word, '=');
  *value++ = 0;
  p->name = word;
  if (*value == '[')
    list_attr(a, p, value);
  else if (strchr(value, '{'))
    tensor_attr(a, p, value);
  else
    scalar_attr(a, p, value);
  n->attribute = append(a, n->attribute, &n->n_attribute, p);
}

static void add_node(struct words *w, Onnx__GraphProto *g)
{
  Onnx__NodeProto *n = TSR_NEW(w->a, Onnx__NodeProto);
  onnx__node_proto__init(n);
  char *op = next_word(w), *slash = strchr(op, '/'), *colon = strchr(op, ':');
  if (slash) {
    *slash = 0;
    n->domain = op;
    op = slash + 1;
  }
  if (colon) {
    *colon = 0;
    n->name = colon + 1;
  }
  n->op_type = op;
  bool out = false;
  for (char *word; *(word = next_word(w));) {
    char *name = strcmp(word, "_") ? word : "";
    if (!strcmp(word, "->"))
      out = true;
    else if (strchr(word, '='))
      add_attr(w->a, n, word);
    else if (out)
      n->output = append(w->a, n->output, &n->n_output, name);
    else
      n->input = append(w->a, n->input, &n->n_input, name);
  }
  g->node = append(w->a, g->node, &g->n_node, n);
}

static void read_line(struct words *w, Onnx__ModelProto *m)
{
  Onnx__GraphProto *g = m->graph;
  char *kind = next_word(w);
  if (!strcmp(kind, "ir"))
    m->ir_version = strtoll(next_word(w), NULL, 10);
  else if (!strcmp(kind, "opset"))
    m->opset_import[0]->version = strtoll(next_word(w), NULL, 10);
  else if (!strcmp(kind, "input"))
    g->input = append(w->a, g->input, &g->n_input, value_of(w));
  else if (!strcmp(kind, "info"))
    g->value_info = append(w->a, g->value_info, &g->n_value_info, value_of(w));
  else if (!strcmp(kind, "output"))
    g->output = append(w->a, g->output, &g->n_output, value_of(w));
  else if (!strcmp(kind, "const"))
    add_const(w, g);
  else if (!strcmp(kind, "node"))
    add_node(w, g);
  else
    assert_string_equal(kind, "");
}

Onnx__ModelProto *model_of(struct tsr_arena *a, const char *text)
{
  Onnx__ModelProto *m = TSR_NEW(a, Onnx__ModelProto);
  Onnx__OperatorSetIdProto *opset = TSR_NEW(a, Onnx__OperatorSetIdProto);
  onnx__model_proto__init(m);
  onnx__operator_set_id_proto__init(opset);
  m->graph = TSR_NEW(a, Onnx__GraphProto);
  onnx__graph_proto__init(m->graph);
  m->has_ir_version = opset->has_version = 1;
  m->ir_version = 8;
  opset->version = 13;
  m->opset_import = append(a, NULL, &m->n_opset_import, opset);
  char *copy = tsr_arena_strdup(a, text);
  while (copy) {
    char *end = strchr(copy, ';');
    struct words w = {a, copy};
    if (end)
      *end++ = 0;
    read_line(&w, m);
    copy = end;
  }
  return m;
}

struct tsr_bytes packed(struct tsr_arena *a, const Onnx__ModelProto *m)
{
  struct tsr_bytes b = {.size = onnx__model_proto__get_packed_size(m)};
  b.data = tsr_arena_alloc(a, b.size + 1);
  onnx__model_proto__pack(m, b.data);
  return b;
}

enum tsr_status import_bytes(struct tsr_arena *a, struct tsr_err *err, struct tsr_bytes bytes,
                             const struct tsr_onnx_options *options, struct tsr_graph **out)
{
  uint8_t *copy = malloc(bytes.size ? bytes.size : 1);
  memcpy(copy, bytes.data, bytes.size);
  enum tsr_status status = tsr_onnx_import(a, err, "m.onnx", copy, bytes.size, options, out);
  free(copy);
  return status;
}

enum tsr_status import_model(struct tsr_arena *a, struct tsr_err *err, const Onnx__ModelProto *m,
                             const struct tsr_onnx_options *options, struct tsr_graph **out)
{
  return import_bytes(a, err, packed(a, m), options, out);
}

void expect_refused(struct tsr_arena *a, const Onnx__ModelProto *m,
                    const struct tsr_onnx_options *options, const char *sentence)
{
  struct tsr_err err = {0};
  struct tsr_graph *g = NULL;
  if (import_model(a, &err, m, options, &g) != TSR_REFUSED)
    fail_msg("imported, but expected is: %s", sentence);
  assert_null(g);
  if (strncmp(err.text, "m.onnx: ", 8) != 0 || !strstr(err.text, sentence))
    fail_msg("got      '%s'\nexpected '%s'", err.text, sentence);
}

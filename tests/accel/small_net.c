/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/accel/small_net.h"

#include <string.h>

#include "base/arith.h"
#include "runtime/executor.h"

struct net net_new(void)
{
  struct net n = {.a = tsr_arena_new(NULL), .r = {7}};
  assert_non_null(n.a);
  n.g = tsr_graph_new(n.a, "net");
  return n;
}

static struct tsr_value *drawn(struct net *n, enum tsr_dtype dtype, int rank, const int64_t *dims,
                               int64_t lo, int64_t hi)
{
  struct tsr_tensor t = {.dtype = dtype, .rank = rank};
  memcpy(t.dims, dims, sizeof *dims * (size_t)rank);
  t.data = tsr_arena_alloc(n->a, tsr_tensor_bytes(&t));
  for (int64_t k = 0; k < tsr_tensor_count(&t); k++)
    tsr_put_int(&t, k, random_in(&n->r, lo, hi));
  return tsr_graph_constant(n->g, "c", dtype, rank, dims, t.data);
}

static struct tsr_value *finish(struct net *n, struct tsr_node *node)
{
  struct tsr_err err;
  tsr_node_set_output(node, 0, tsr_graph_value(n->g, "v"));
  if (tsr_graph_infer(&err, n->g))
    fail_msg("%s", err.text);
  return node->out[0];
}

struct tsr_value *net_input(struct net *n, int64_t channels, int64_t rows, int64_t columns)
{
  return tsr_graph_input(n->g, "x", TSR_I8, 4, (int64_t[4]){1, channels, rows, columns});
}

struct tsr_value *net_conv(struct net *n, const char *name, struct tsr_value *x, int64_t out,
                           int64_t group, int64_t kernel)
{
  int64_t dims[4] = {out, x->dims[1] / group, kernel, kernel}, at = kernel / 2;
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QConv, name, 5, 1);
  node->in[0] = x;
  node->in[1] = drawn(n, TSR_I8, 4, dims, -127, 127);
  node->in[2] = drawn(n, TSR_I32, 1, &out, -3000, 3000);
  node->in[3] = drawn(n, TSR_I32, 1, &out, 1 << 30, INT32_MAX);
  int32_t *pack = TSR_NEW_ARRAY(n->a, int32_t, out);
  for (int64_t k = 0; k < out; k++)
    pack[k] = tsr_quant_pack(40, (int)random_in(&n->r, -20, 20), -128, 127);
  node->in[4] = tsr_graph_constant(n->g, "pack", TSR_I32, 1, &out, pack);
  tsr_node_set_ints(n->g, node, "strides", 2, (int64_t[2]){1, 1});
  tsr_node_set_ints(n->g, node, "pads", 4, (int64_t[4]){at, at, at, at});
  tsr_node_set_ints(n->g, node, "dilations", 2, (int64_t[2]){1, 1});
  tsr_node_set_int(n->g, node, "group", group);
  tsr_node_set_int(n->g, node, "x_zero", -5);
  return finish(n, node);
}

struct tsr_value *net_add(struct net *n, const char *name, struct tsr_value *x, struct tsr_value *y)
{
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QAdd, name, 2, 1);
  node->in[0] = x;
  node->in[1] = y;
  tsr_node_set_int(n->g, node, "mx", 3000000);
  tsr_node_set_int(n->g, node, "my", -2000000);
  tsr_node_set_int(n->g, node, "bias", 17);
  tsr_node_set_int(n->g, node, "mult", 1 << 30);
  tsr_node_set_int(n->g, node, "pack", tsr_quant_pack(52, 3, -128, 127));
  return finish(n, node);
}

/* Whether the layer's result is in no memory. */
static bool stays(const struct tsr_module *m, const struct tsr_module_layer *l)
{
  return !m->buffer[l->arg[l->args - 1]].on_device;
}

struct tsr_value *net_max_pool(struct net *n, const char *name, struct tsr_value *x)
{
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QMaxPool, name, 1, 1);
  node->in[0] = x;
  tsr_node_set_ints(n->g, node, "kernel", 2, (int64_t[2]){3, 3});
  tsr_node_set_ints(n->g, node, "strides", 2, (int64_t[2]){2, 2});
  tsr_node_set_ints(n->g, node, "pads", 4, (int64_t[4]){1, 1, 1, 1});
  tsr_node_set_ints(n->g, node, "dilations", 2, (int64_t[2]){1, 1});
  return finish(n, node);
}

struct tsr_value *net_lut(struct net *n, const char *name, struct tsr_value *x)
{
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_QLut, name, 2, 1);
  node->in[0] = x;
  node->in[1] = drawn(n, TSR_I8, 1, (int64_t[1]){256}, -128, 127);
  return finish(n, node);
}

struct tsr_value *net_concat(struct net *n, const char *name, int parts,
                             struct tsr_value *const *part)
{
  struct tsr_node *node = tsr_graph_node(n->g, TSR_G_Concat, name, parts, 1);
  memcpy(node->in, part, (size_t)parts * sizeof *part);
  tsr_node_set_int(n->g, node, "axis", 1);
  return finish(n, node);
}

struct made net_compiled(struct net *n, const char *point,
                         const struct tsr_compile_options *options)
{
  struct made made = {.layers = "", .stay = ""};
  struct tsr_design d;
  struct tsr_err err;
  if (tsr_design_open(n->a, &err, point, &d) ||
      tsr_compile_graph(n->a, &err, n->g, &d, options, &made.m))
    fail_msg("%s", err.text);
  for (int k = 0; k < made.m->layers; k++) {
    const struct tsr_module_layer *l = &made.m->layer[k];
    if (strcmp(l->target, "accel"))
      continue;
    made.layers = tsr_arena_printf(n->a, "%s%s%s", made.layers, *made.layers ? "; " : "",
                                   l->nodes ? l->nodes : l->name);
    if (stays(made.m, l))
      made.stay = tsr_arena_printf(n->a, "%s%s%s", made.stay, *made.stay ? "; " : "", l->name);
    made.read += l->dram_read_bytes;
    made.written += l->dram_write_bytes;
    made.cycles += l->found_cycles;
  }
  const struct tsr_module_buffer *y = &made.m->buffer[made.m->output[0]];
  made.elements = (size_t)tsr_count(y->dims, y->rank, 1);
  return made;
}

const int8_t *net_output(struct net *n, const struct tsr_module *m, bool check)
{
  struct tsr_executor *e;
  struct tsr_difference difference;
  struct tsr_err err;
  struct random r = {99};
  if (tsr_executor_open(n->a, &err, m, "func", &e))
    fail_msg("%s", err.text);
  int8_t *x = tsr_executor_buffer(e, m->input[0]);
  const struct tsr_module_buffer *in = &m->buffer[m->input[0]];
  for (int64_t k = 0; k < tsr_count(in->dims, in->rank, 1); k++)
    x[k] = (int8_t)random_in(&r, -128, 127);
  if (tsr_executor_run(e, &err) || (check && tsr_executor_check(e, &err, &difference)))
    fail_msg("%s", err.text);
  const struct tsr_module_buffer *b = &m->buffer[m->output[0]];
  size_t bytes = (size_t)tsr_count(b->dims, b->rank, 1);
  const int8_t *y = tsr_arena_copy(n->a, tsr_executor_buffer(e, m->output[0]), bytes);
  tsr_executor_close(e);
  return y;
}

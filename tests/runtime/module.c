/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/module.h"

static const int64_t dims[2] = {1, LANES};
static const char program[] = "load uop sram=0 dram=0 n=1\n"
                              "load acc8 sram=0 dram=64 n=1 signal=vector\n"
                              "add uops=0+1 dst=out banks=0 wait=load signal=store\n"
                              "store out sram=0 dram=128 n=1 wait=vector\n"
                              "finish\n"
                              ".data\n"
                              ".uop 0,0,0\n"
                              ".window 192\n";
static const int8_t constant[LANES] = {1, -2,  3,  -4,  5,  -6,  7,  -8,
                                       9, -10, 11, -12, 13, -14, 15, -16};

static int8_t saturate(int v)
{
  return (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v);
}

void hand_reference(const int8_t x[LANES], int8_t y[LANES])
{
  for (int i = 0; i < LANES; i++) {
    int8_t sum = (int8_t)(x[i] + constant[i]);
    y[i] = (int8_t)-saturate(2 * sum);
  }
}

/* One stage over all elements; `inputs` buffers are read. */
static struct tir_func *open_func(struct tsr_arena *a, const char *name, int inputs,
                                  struct tir_stage **stage, tir_e *load)
{
  static const char *const names[] = {"p", "q"};
  struct tir_func *f = tir_func_new(a, name);
  struct tir_buffer *in[2] = {NULL, NULL};
  for (int k = 0; k < inputs; k++)
    in[k] = tir_func_input(a, f, names[k], TSR_I8, 2, dims);
  struct tir_buffer *out = tir_func_output(a, f, "r", TSR_I8, 2, dims);
  *stage = tir_func_stage(a, f, "s", out, "i j", 0, NULL);
  for (int k = 0; k < inputs; k++) {
    tir_e index[2] = {tir_axis_use(a, *stage, 0), tir_axis_use(a, *stage, 1)};
    load[k] = tir_load(a, in[k], index);
  }
  return f;
}

static struct tir_func *add_func(struct tsr_arena *a)
{
  struct tir_stage *s;
  tir_e x[2];
  struct tir_func *f = open_func(a, "add", 2, &s, x);
  s->value = tir_binary(a, TIR_ADD, x[0], x[1]);
  return f;
}

static struct tir_func *double_func(struct tsr_arena *a)
{
  struct tir_stage *s;
  tir_e x[2];
  struct tir_func *f = open_func(a, "twice", 1, &s, x);
  tir_e wide = tir_cast(a, TSR_I32, x[0]);
  s->value = tir_unary(a, TIR_SAT8, tir_binary(a, TIR_ADD, wide, wide));
  return f;
}

static struct tir_func *negate_func(struct tsr_arena *a)
{
  struct tir_stage *s;
  tir_e x[2];
  struct tir_func *f = open_func(a, "negate", 1, &s, x);
  s->value = tir_binary(a, TIR_SUB, tir_int(a, TSR_I8, 0), x[0]);
  return f;
}

static void add_buffers(struct tsr_arena *a, struct tsr_module *m)
{
  static const char *const names[BUFFERS] = {"x", "c", "sum", "double", "y"};
  m->buffers = BUFFERS;
  m->buffer = TSR_NEW_ARRAY(a, struct tsr_module_buffer, BUFFERS);
  for (int i = 0; i < BUFFERS; i++)
    m->buffer[i] = (struct tsr_module_buffer){.name = names[i], .dtype = TSR_I8, .rank = 2,
                                              .dims = {1, LANES}};
  m->buffer[BUFFER_C].data = constant;
  m->buffer[BUFFER_SUM].on_device = m->buffer[BUFFER_DOUBLE].on_device = true;
  m->buffer[BUFFER_SUM].offset = 64;
  m->buffer[BUFFER_DOUBLE].offset = 128;
}

static void add_layer(struct tsr_arena *a, struct tsr_module *m, const char *name,
                      const char *target, const struct tir_func *func, const int *args)
{
  int k = m->layers++;
  m->layer[k] = (struct tsr_module_layer){
      .name = name, .op = "Test", .target = target, .func = func, .args = func->params, .step = k};
  m->layer[k].arg = tsr_arena_copy(a, args, (size_t)func->params * sizeof *args);
  if (!strcmp(target, "cpu"))
    m->layer[k].reason = "the test wants it so";
}

struct tsr_module *hand_made(struct tsr_arena *a)
{
  struct tsr_module *m = TSR_NEW(a, struct tsr_module);
  struct tsr_program p;
  m->name = "by hand";
  assert_int_equal(tsr_design_open(a, NULL, "default", &m->design), TSR_OK);
  assert_int_equal(tsr_assemble(a, NULL, "program", program, &p), TSR_OK);
  m->insns = p.insns;
  m->insn_count = p.insn_count;
  m->image = p.data;
  m->image_bytes = p.data_bytes;
  m->window_bytes = p.window_bytes;
  add_buffers(a, m);
  m->input = tsr_arena_copy(a, (int[]){BUFFER_X}, sizeof(int));
  m->output = tsr_arena_copy(a, (int[]){BUFFER_Y}, sizeof(int));
  m->inputs = m->outputs = 1;
  m->layer = TSR_NEW_ARRAY(a, struct tsr_module_layer, 3);
  add_layer(a, m, "add", "cpu", add_func(a), (int[]){BUFFER_X, BUFFER_C, BUFFER_SUM});
  add_layer(a, m, "double", "accel", double_func(a), (int[]){BUFFER_SUM, BUFFER_DOUBLE});
  add_layer(a, m, "negate", "cpu", negate_func(a), (int[]){BUFFER_DOUBLE, BUFFER_Y});
  m->layer[1].insns = m->insn_count;
  m->layer[1].dram_read_bytes = 24;
  m->layer[1].dram_write_bytes = 16;
  m->layer[1].schedule = "tensorize s j accel.add\n";
  m->steps = 3;
  m->step = TSR_NEW_ARRAY(a, struct tsr_module_step, 3);
  m->step[0] = (struct tsr_module_step){.kind = TSR_STEP_CPU, .layer = 0};
  m->step[1] = (struct tsr_module_step){.kind = TSR_STEP_ACCEL, .insns = m->insn_count};
  m->step[2] = (struct tsr_module_step){.kind = TSR_STEP_CPU, .layer = 2};
  return m;
}

struct tsr_module *hand_made_part(struct tsr_arena *a, uint64_t step)
{
  struct tsr_module *m = hand_made(a);
  struct tsr_module_buffer *list = TSR_NEW_ARRAY(a, struct tsr_module_buffer, BUFFERS + 1);
  memcpy(list, m->buffer, BUFFERS * sizeof *list);
  list[BUFFERS] = (struct tsr_module_buffer){.name = "whole", .dtype = TSR_I8, .rank = 2,
                                             .dims = {4, LANES}, .on_device = true, .offset = 112};
  list[BUFFER_DOUBLE].is_part = true;
  list[BUFFER_DOUBLE].whole = BUFFERS;
  list[BUFFER_DOUBLE].step[0] = LANES;
  list[BUFFER_DOUBLE].step[1] = step;
  m->buffer = list;
  m->buffers = BUFFERS + 1;
  return m;
}

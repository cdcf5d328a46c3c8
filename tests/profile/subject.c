/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/profile/subject.h"

void subject_open(struct subject *s, const struct tsr_design *design,
                  const struct tsr_program *program, const size_t *sizes)
{
  static const char *const names[SUBJECT_LAYERS] = {"first", "second", "third", "fourth"};
  s->program = *program;
  s->step = (struct tsr_module_step){TSR_STEP_ACCEL, 0, 0, program->insn_count};
  s->module = (struct tsr_module){.name = "subject",
                                  .design = *design,
                                  .steps = 1,
                                  .step = &s->step,
                                  .layer = s->layer,
                                  .insns = program->insns,
                                  .insn_count = program->insn_count};
  size_t first = 0;
  for (int k = 0; sizes[k]; k++) {
    s->layer[k] = (struct tsr_module_layer){
        .name = names[k], .op = "Op", .target = "accel", .first_insn = first, .insns = sizes[k]};
    first += sizes[k];
    s->module.layers++;
  }
  tsr_record_open(&s->record, NULL, &s->module);
}

void subject_assemble(struct subject *s, const char *config, const char *text, const size_t *sizes)
{
  struct tsr_err err;
  struct tsr_design design;
  struct tsr_program program;
  *s = (struct subject){.arena = tsr_arena_new(NULL)};
  assert_non_null(s->arena);
  assert_int_equal(tsr_design_open(s->arena, &err, config, &design), TSR_OK);
  if (tsr_assemble(s->arena, &err, "subject", text, &program))
    fail_msg("%s", err.text);
  subject_open(s, &design, &program, sizes);
}

void subject_run(struct subject *s)
{
  struct tsr_err err;
  struct tsr_device *device;
  struct tsr_device_observer observer = tsr_record_observer(&s->record);
  struct tsr_device_options options = {.timing_only = true, .observer = &observer};
  size_t bytes = s->program.window_bytes;
  if (tsr_device_open(NULL, &err, "cycle", &s->module.design, &options, bytes, &device))
    fail_msg("%s", err.text);
  assert_int_equal(tsr_device_write(device, &err, 0, s->program.data, s->program.data_bytes),
                   TSR_OK);
  tsr_record_forget(&s->record);
  if (tsr_device_run(device, &err, s->program.insns, s->program.insn_count))
    fail_msg("%s", err.text);
  tsr_device_close(device);
  assert_false(s->record.no_memory);
}

void subject_close(struct subject *s)
{
  tsr_record_close(&s->record);
  tsr_arena_free(s->arena);
}

void subject_chain(struct subject *s, const char *config, int entries, const size_t *sizes)
{
  char text[1024];
  snprintf(text, sizeof text,
           "load uop sram=0 dram=0 n=2\n"
           "load wgt sram=0 dram=0x1000 n=1\n"
           "load acc sram=1024 dram=0x2000 n=3\n"
           "load inp sram=0 dram=0x3000 n=%d signal=matrix\n"
           "gemm uops=0+1 n=1,1,%d dst=0,0,1 a=0,0,1 banks=0 wait=load signal=vector\n"
           "quant uops=1+1 n=1,1,%d dst=out:0,0,1 a=0,0,1 banks=0,1 wait=matrix signal=store\n"
           "store out sram=0 dram=0x8000 n=%d wait=vector\n"
           "finish\n"
           ".window 0x10000\n.data\n"
           ".uop 0,0,0,overwrite\n"
           ".uop 0,0,1024\n",
           entries, entries, entries, entries);
  subject_assemble(s, config, text, sizes);
}

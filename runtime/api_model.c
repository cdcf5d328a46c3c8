/* SPDX-License-Identifier: Apache-2.0 */
/* Models of the public interface: compiled from ONNX or loaded from a package. */
#include <string.h>

#include "base/file.h"
#include "runtime/api.h"
#include "runtime/package.h"

#define LARGEST_MODEL ((size_t)2 << 30)

struct opening {
  const char *name;
  const char *path; /* NULL: the bytes are given */
  const void *bytes;
  size_t size;
  const struct tessera_options *options;
  bool cpu_only;
  struct tessera_model *model;
};

/* --- packages --------------------------------------------------------------------------------- */

/* A package runs with the clock and the memory of the point that is asked for; all else is its own. */
static enum tsr_status take_design(struct tsr_arena *arena, struct tsr_err *err,
                                   const struct opening *o, struct tsr_module *m)
{
  struct tsr_design asked;
  if (!o->options->config)
    return TSR_OK;
  if (tsr_design_open(arena, err, o->options->config, &asked))
    return TSR_REFUSED;
  if (asked.hash == m->design.hash) {
    m->design = asked;
    return TSR_OK;
  }
  return tsr_refuse(err, "%s: is a package for design point '%s', which is not '%s': %s", o->name,
                    m->design.name, asked.name, tsr_design_difference(arena, &m->design, &asked));
}

static void dump_stream(struct tsr_arena *arena, const struct tessera_options *options,
                        const struct tsr_module *m, const struct tsr_module_layer *l)
{
  struct tsr_text text = {.arena = arena};
  for (size_t i = l->first_insn; i < l->first_insn + l->insns; i++) {
    struct tsr_insn insn;
    bool decodes = tsr_insn_decode(m->insns + i * TSR_INSN_BYTES, &insn) == TSR_TRAP_NONE;
    tsr_text_add(&text, "%s\n", decodes ? tsr_insn_text(arena, &insn) : "; does not decode");
  }
  if (text.length)
    options->dump(options->context, "stream", l->name, text.data);
}

/* The stages that a package still has. */
static void dump_package(struct tsr_arena *arena, const struct tessera_options *options,
                         const struct tsr_module *m)
{
  if (!options->dump)
    return;
  for (int i = 0; i < m->layers; i++) {
    const struct tsr_module_layer *l = &m->layer[i];
    options->dump(options->context, "tir", l->name, tir_func_print(arena, l->func));
    if (l->schedule)
      options->dump(options->context, "schedule", l->name, l->schedule);
    dump_stream(arena, options, m, l);
  }
}

/* What a package has, and an option would change. */
static enum tsr_status check_fixed(struct tsr_err *err, const struct opening *o)
{
  const struct tessera_options *given = o->options;
  const struct {
    bool given;
    const char *what;
  } rows[] = {{given->float_type, "float types are"},
              {given->schedule, "schedules are"},
              {given->effort != TESSERA_EFFORT_DEFAULT, "schedules are"},
              {given->apart, "layers are"},
              {given->dim_count, "dims are"},
              {given->also, "targets are"}};
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
    if (rows[k].given)
      return tsr_refuse(err, "%s: is a package, whose %s fixed; the ONNX model takes others",
                        o->name, rows[k].what);
  return TSR_OK;
}

static enum tsr_status load_package(struct tsr_arena *arena, struct tsr_err *err,
                                    const struct opening *o, struct tsr_module **out)
{
  enum tsr_status status = tsr_package_read(arena, err, o->name, o->bytes, o->size, out);
  if (!status)
    status = take_design(arena, err, o, *out);
  if (!status)
    status = check_fixed(err, o);
  if (!status)
    dump_package(arena, o->options, *out);
  return status;
}

/* --- opening ---------------------------------------------------------------------------------- */

static const char *folder_of(struct tsr_arena *arena, const char *path)
{
  const char *slash = path ? strrchr(path, '/') : NULL;
  if (!path)
    return NULL;
  return slash ? tsr_arena_printf(arena, "%.*s", (int)(slash - path) + (slash == path), path) : ".";
}

/* A level that is asked for, all for a package, else this machine's best one. */
static unsigned levels_for(const struct opening *o)
{
  struct tsr_cpu_choice choice = tsr__cpu_choice(o->options->target);
  int machine = tsr_level_of_machine();
  if (choice.way == TSR_CPU_INTERPRETER)
    return 0;
  if (choice.way == TSR_CPU_LEVEL)
    return 1u << choice.level;
  if (o->options->portable)
    return TSR_ALL_LEVELS;
  return machine == TSR_LEVEL_NONE ? 0 : 1u << machine;
}

/* What a GPU gets where kernels are made for it alone. */
static struct tsr_gpu_arch arch_for(int capability)
{
  if (capability == 90)
    return (struct tsr_gpu_arch){90, true};
  return (struct tsr_gpu_arch){capability < 80 ? capability : 80, false};
}

static enum tsr_status find_archs(struct tsr_err *err, const struct opening *o,
                                  struct tsr__onnx_job *job)
{
  const char *target = o->options->also ? o->options->also : o->options->target;
  struct tsr_gpu_choice choice = tsr__gpu_choice(target);
  struct tsr_cuda_info info;
  job->archs = choice.used;
  job->arch[0] = choice.arch;
  if (!choice.used || choice.arch.capability)
    return TSR_OK;
  if (o->options->portable) {
    job->archs = 2;
    job->arch[0] = (struct tsr_gpu_arch){80, false};
    job->arch[1] = (struct tsr_gpu_arch){90, true};
    return TSR_OK;
  }
  if (tsr_cuda_probe(err, NULL, choice.number, &info))
    return TSR_REFUSED;
  job->arch[0] = arch_for(info.capability);
  return TSR_OK;
}

static enum tsr_status compile(struct tsr_arena *arena, struct tsr_err *err,
                               const struct opening *o, struct tsr_module **out)
{
  struct tsr_design design;
  const char *config = o->options->config ? o->options->config : "default";
  enum tsr_status status = tsr_design_open(arena, err, config, &design);
  if (status)
    return status;
  struct tsr__onnx_job job = {.name = o->name,
                              .folder = folder_of(arena, o->path),
                              .bytes = o->bytes,
                              .size = o->size,
                              .cpu_only = o->cpu_only,
                              .levels = levels_for(o),
                              .design = &design,
                              .options = o->options};
  status = find_archs(err, o, &job);
  return status ? status : tsr__compile_onnx(arena, err, &job, out);
}

static enum tsr_status open_model(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct opening *o = context;
  struct tsr_module *module = NULL;
  enum tsr_status status = TSR_OK;
  if (o->path) {
    struct tsr_bytes file;
    status = tsr_file_map(arena, err, o->path, LARGEST_MODEL, &file);
    if (status)
      return status;
    o->bytes = file.data;
    o->size = file.size;
  }
  bool packaged = tsr_package_is(o->bytes, o->size);
  if (packaged && !o->path) /* a model does not depend on what its caller does with the bytes */
    o->bytes = tsr_arena_copy(arena, o->bytes, o->size);
  status = packaged ? load_package(arena, err, o, &module) : compile(arena, err, o, &module);
  if (status)
    return status;
  o->model = TSR_NEW(arena, struct tessera_model);
  *o->model = (struct tessera_model){arena,
                                     module,
                                     packaged,
                                     o->cpu_only,
                                     tsr__cpu_choice(o->options->target),
                                     tsr__gpu_choice(o->options->target),
                                     tsr_memory_plan(arena, module, NULL)};
  return TSR_OK;
}

static enum tessera_status check_also(struct tessera *t, const char *also)
{
  const char *device;
  enum tessera_status status = tessera_target_check(t, also, &device);
  if (status || (!device && strncmp(also, "cpu:", 4)))
    return status;
  return (enum tessera_status)tsr_refuse(
      &t->err, "a model is made to run on 'cpu', 'cuda' or 'cuda:ARCH', too, not on '%.80s'", also);
}

static enum tessera_status open_it(struct tessera *t, struct opening *o, struct tessera_model **out)
{
  static const struct tessera_options none = {0};
  const char *device;
  struct tsr_arena *owner;
  if (!o->options)
    o->options = &none;
  enum tessera_status status = tessera_target_check(t, o->options->target, &device);
  if (!status && o->options->also)
    status = check_also(t, o->options->also);
  if (status)
    return status;
  o->cpu_only = !device;
  status = tsr__call(t, open_model, o, &owner);
  if (!status)
    *out = o->model;
  return status;
}

enum tessera_status tessera_model_open(struct tessera *t, const char *path,
                                       const struct tessera_options *options,
                                       struct tessera_model **out)
{
  struct opening o = {.name = path, .path = path, .options = options};
  return open_it(t, &o, out);
}

enum tessera_status tessera_model_load(struct tessera *t, const char *name, const void *bytes,
                                       size_t size, const struct tessera_options *options,
                                       struct tessera_model **out)
{
  struct opening o = {.name = name, .bytes = bytes, .size = size, .options = options};
  return open_it(t, &o, out);
}

void tessera_model_free(struct tessera_model *model)
{
  if (model)
    tsr_arena_free(model->arena);
}

/* --- writing packages ------------------------------------------------------------------------- */

struct packing {
  const struct tsr_module *module;
  struct tsr_bytes bytes;
};

static enum tsr_status pack(struct tsr_arena *arena, struct tsr_err *err, void *context)
{
  struct packing *p = context;
  (void)err;
  p->bytes = tsr_package_write(arena, p->module);
  return TSR_OK;
}

enum tessera_status tessera_model_package(struct tessera *t, const struct tessera_model *model,
                                          struct tessera_bytes *out)
{
  struct packing p = {model->module, {NULL, 0}};
  struct tsr_arena *owner;
  enum tessera_status status = tsr__call(t, pack, &p, &owner);
  if (!status)
    *out = (struct tessera_bytes){p.bytes.data, p.bytes.size, owner};
  return status;
}

bool tessera_is_package(const void *bytes, size_t size)
{
  return tsr_package_is(bytes, size);
}

enum tessera_status tessera_package_section(struct tessera *t, const char *name, const void *bytes,
                                            size_t size, int k, struct tessera_section *out)
{
  struct tsr_package_section all[TSR_PACKAGE_SECTIONS];
  enum tsr_status status = tsr_package_sections(&t->err, name, bytes, size, all);
  if (status || k < 0 || k >= TSR_PACKAGE_SECTIONS)
    return TESSERA_REFUSED;
  *out = (struct tessera_section){all[k].name, all[k].meaning, all[k].offset, all[k].size};
  return TESSERA_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The model is compiled in two jobs: `fast`, what runs every cycle, twice: to count which branches
 * are taken, and by those counts; `slow`, the rest, quickly. A cycle runs through nearly all of
 * `fast` once, so what counts is that the code that does run fits the processor's cache of
 * instructions: hence -O2, and the branches that are not taken out of its way. */
#include "hw/sim/rtl/build.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "configs/verilog.h"
#include "hw/sim/rtl/cache.h"
#include "hw/sim/rtl/key.h"
#include "hw/sim/rtl/sources.h"
#include "hw/sim/rtl/tool.h"
#include "hw/sim/rtl/train.h"

enum { MOST_WORDS = 256, LONGEST_LINE = 400 };

static const char *const verilator_options[] = {"--cc",
                                                "--prefix",
                                                "Vtessera",
                                                "--top-module",
                                                "tessera",
                                                "--Mdir",
                                                "obj",
                                                "-Ihw/rtl",
                                                "-I.",
                                                "-O3",
                                                "--flatten",
                                                "--x-assign",
                                                "fast",
                                                "--x-initial",
                                                "fast",
                                                "--no-assert",
                                                "--output-split",
                                                "0",
                                                "--output-split-cfuncs",
                                                "0",
                                                "--unroll-count",
                                                "4096",
                                                "--unroll-stmts",
                                                "10000000",
                                                "-Wno-fatal",
                                                "-Wno-lint",
                                                "-Wno-style",
                                                NULL};
/* -fno-gnu-unique: two models in one process keep their own of everything. */
static const char *const compiler_options[] = {"-std=c++17",
                                               "-w",
                                               "-fPIC",
                                               "-fvisibility=hidden",
                                               "-fno-gnu-unique",
                                               "-march=native",
                                               "-fcf-protection=none",
                                               "-I.",
                                               "-Iobj",
                                               "-DVM_SC=0",
                                               "-DVM_COVERAGE=0",
                                               "-DVM_TRACE_VCD=0",
                                               NULL};
static const char *const plain_options[] = {"-DVM_TRACE=0", "-DVM_TRACE_FST=0", NULL};
static const char *const wave_options[] = {"-DVM_TRACE=1", "-DVM_TRACE_FST=1", "-DTSR_WAVE", NULL};
static const char *const slow_options[] = {"-O1", "-c", NULL};
static const char *const count_options[] = {"-O2", "-fprofile-generate", "-c", NULL};
static const char *const counting_options[] = {"-fprofile-generate", "-Wl,-u,__gcov_dump", NULL};
static const char *const fast_options[] = {"-O2", "-fprofile-use", "-c", NULL};
static const char *const link_options[] = {"-shared", "-pthread", "-Wl,-Bsymbolic", NULL};

/* --- planning --------------------------------------------------------------------------------- */

static enum tsr_status find_tool(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                 const char *package, const char **out)
{
  *out = tsr__tool_find(arena, name);
  if (*out)
    return TSR_OK;
  return tsr_refuse(err,
                    "an RTL model is built by %s, which is not installed; Debian has it in the "
                    "package %s",
                    name, package);
}

/* Verilog's macros are C's behind another sign. */
static char *macros_of(struct tsr_arena *arena, const char *header)
{
  char *text = tsr_arena_strdup(arena, header);
  for (char *p = text; *p; p++)
    *p = *p == '`' ? '#' : *p;
  return text;
}

static uint64_t add_options(uint64_t key, const char *const *options)
{
  for (; *options; options++)
    key = tsr__key_text(key, *options);
  return key;
}

static uint64_t key_of(const struct tsr__build *b)
{
  uint64_t key = tsr__key_text(tsr__key_start(), b->design_header);
  for (const struct tsr__rtl_source *s = tsr__rtl_sources; s->name; s++)
    key = tsr__key_text(tsr__key_text(key, s->name), s->text);
  key = add_options(add_options(key, verilator_options), compiler_options);
  key = add_options(add_options(key, slow_options), count_options);
  key = add_options(add_options(key, counting_options), fast_options);
  key = add_options(key, link_options);
  key = add_options(add_options(key, b->wave ? wave_options : plain_options), tsr__train_program);
  key = tsr__key_tool(tsr__key_tool(key, b->verilator), b->compiler);
  return tsr__key_processor(key);
}

enum tsr_status tsr__build_plan(struct tsr_arena *arena, struct tsr_err *err,
                                const struct tsr__rtl_wish *wish, struct tsr__build *out)
{
  char *header = tsr_design_verilog(arena, wish->design);
  *out = (struct tsr__build){
      .design = wish->design,
      .design_header = header,
      .design_macros = macros_of(arena, header),
      .wave = wish->wave,
  };
  if (find_tool(arena, err, "verilator", "verilator", &out->verilator) ||
      find_tool(arena, err, "g++", "g++", &out->compiler))
    return TSR_REFUSED;
  out->key = key_of(out);
  return TSR_OK;
}

/* --- a job ------------------------------------------------------------------------------------ */

/* A build that is going on. */
struct job {
  struct tsr_err *err;
  const struct tsr__build *build;
  const char *folder, *log;
  char include[PATH_MAX], include_option[PATH_MAX + 2]; /* Verilator's own C++ */
};

struct words {
  const char *word[MOST_WORDS];
  size_t count;
};

static void add(struct words *w, const char *word)
{
  if (w->count < MOST_WORDS - 1) /* the last stays NULL; more sources than that are refused */
    w->word[w->count] = word;
  w->count++;
}

static void add_all(struct words *w, const char *const *list)
{
  for (; *list; list++)
    add(w, *list);
}

static bool ends_with(const char *text, const char *end)
{
  size_t n = strlen(text), m = strlen(end);
  return n >= m && !strcmp(text + n - m, end);
}

/* A path in the job's folder, cut where it is too long: then the file is not found. */
static const char *in_folder(const struct job *j, const char *name, char path[static PATH_MAX])
{
  if (snprintf(path, PATH_MAX, "%s/%s", j->folder, name) >= PATH_MAX)
    path[PATH_MAX - 1] = 0;
  return path;
}

/* The first line of the log that reports an error, else "". */
static void first_error(const char *log, char line[static LONGEST_LINE])
{
  FILE *f = fopen(log, "r");
  bool found = false;
  while (f && !found && fgets(line, LONGEST_LINE, f))
    found = strstr(line, "%Error") || strstr(line, "error:") || strstr(line, "ld: ");
  if (f)
    fclose(f);
  if (!found)
    line[0] = 0;
  line[strcspn(line, "\n")] = 0;
}

static enum tsr_status failed(const struct job *j, const char *tool)
{
  char line[LONGEST_LINE];
  first_error(j->log, line);
  bool zlib = strstr(line, "zlib.h") || strstr(line, "-lz");
  return tsr_refuse(j->err, "the RTL model cannot be built: %s: %s; %s%s says more", tool,
                    line[0] ? line : "it ended without a sentence",
                    zlib ? "waveforms need the Debian package zlib1g-dev; " : "", j->log);
}

static enum tsr_status run(const struct job *j, const char *tool, const struct words *w)
{
  if (w->count >= MOST_WORDS)
    return tsr_refuse(j->err, "the RTL model cannot be built: it has more than %d sources",
                      MOST_WORDS);
  return tsr__tool_wait(tsr__tool_start(w->word, j->folder, j->log)) ? TSR_OK : failed(j, tool);
}

/* --- Verilog to C++ --------------------------------------------------------------------------- */

static enum tsr_status write_source(const struct job *j, const char *name, const char *text)
{
  char path[PATH_MAX], folder[PATH_MAX];
  in_folder(j, name, path);
  snprintf(folder, sizeof folder, "%s", path);
  *strrchr(folder, '/') = 0;
  enum tsr_status status = tsr__cache_make(j->err, folder);
  return status ? status : tsr_file_write(j->err, path, text, strlen(text));
}

static enum tsr_status write_sources(const struct job *j)
{
  enum tsr_status status = write_source(j, "tsr_design.vh", j->build->design_header);
  if (!status)
    status = write_source(j, "tsr_design.h", j->build->design_macros);
  for (const struct tsr__rtl_source *s = tsr__rtl_sources; s->name && !status; s++)
    status = write_source(j, s->name, s->text);
  return status;
}

static enum tsr_status verilate(const struct job *j)
{
  struct words w = {0};
  add(&w, j->build->verilator);
  add_all(&w, verilator_options);
  if (j->build->wave)
    add(&w, "--trace-fst");
  for (const struct tsr__rtl_source *s = tsr__rtl_sources; s->name; s++)
    if (ends_with(s->name, ".v"))
      add(&w, s->name);
  return run(j, "verilator", &w);
}

/* Where the makefile that Verilator wrote says that its own C++ is. */
static enum tsr_status find_include(struct job *j)
{
  static const char key[] = "VERILATOR_ROOT = ";
  char path[PATH_MAX], line[PATH_MAX];
  FILE *f = fopen(in_folder(j, "obj/Vtessera.mk", path), "r");
  while (f && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = 0;
    if (!strncmp(line, key, sizeof key - 1))
      snprintf(j->include, sizeof j->include, "%.*s/include", PATH_MAX - 16, line + sizeof key - 1);
  }
  if (f)
    fclose(f);
  snprintf(j->include_option, sizeof j->include_option, "-I%s", j->include);
  if (j->include[0])
    return TSR_OK;
  return tsr_refuse(j->err, "the RTL model cannot be built: verilator does not tell its root in %s",
                    path);
}

/* --- C++ to a shared object ------------------------------------------------------------------- */

static int is_source(const struct dirent *entry)
{
  return ends_with(entry->d_name, ".cpp");
}

static bool is_slow(const char *name)
{
  return ends_with(name, "Slow.cpp") || ends_with(name, "Syms.cpp");
}

/* fast.cpp and slow.cpp include what Verilator wrote, so that each is one unit. */
static enum tsr_status write_units(const struct job *j)
{
  char path[PATH_MAX], fast_path[PATH_MAX], slow_path[PATH_MAX];
  struct dirent **list;
  int n = scandir(in_folder(j, "obj", path), &list, is_source, alphasort);
  FILE *fast = fopen(in_folder(j, "fast.cpp", fast_path), "w");
  FILE *slow = fopen(in_folder(j, "slow.cpp", slow_path), "w");
  for (int i = 0; i < n; i++) {
    if (fast && slow)
      fprintf(is_slow(list[i]->d_name) ? slow : fast, "#include \"%s\"\n", list[i]->d_name);
    free(list[i]);
  }
  if (n >= 0)
    free(list);
  bool good = n > 0 && fast && slow && fputs("#include \"hw/sim/rtl/shim.cpp\"\n", fast) >= 0;
  good = (!fast || !fclose(fast)) && good;
  good = (!slow || !fclose(slow)) && good;
  return good ? TSR_OK : tsr_refuse(j->err, "%s: cannot be written: %s", path, strerror(errno));
}

static void add_compiler(struct words *w, const struct job *j, const char *const *options)
{
  add(w, j->build->compiler);
  add_all(w, compiler_options);
  add_all(w, j->build->wave ? wave_options : plain_options);
  add(w, j->include_option);
  add_all(w, options);
}

static enum tsr_status compile_fast(const struct job *j, const char *const *options)
{
  struct words w = {0};
  add_compiler(&w, j, options);
  add(&w, "fast.cpp");
  return run(j, "g++", &w);
}

/* -1: as tsr__tool_start(). */
static pid_t start_slow(const struct job *j)
{
  static const char *const own[] = {"verilated", "verilated_threads", "verilated_fst_c"};
  struct words w = {0};
  char paths[3][PATH_MAX + 32];
  add_compiler(&w, j, slow_options);
  add(&w, "slow.cpp");
  for (int i = 0; i < 2 + j->build->wave; i++) {
    snprintf(paths[i], sizeof paths[i], "%s/%s.cpp", j->include, own[i]);
    add(&w, paths[i]);
  }
  return tsr__tool_start(w.word, j->folder, j->log);
}

static enum tsr_status link_model(const struct job *j, const char *name, bool counts)
{
  static const char *const objects[] = {"fast.o", "slow.o", "verilated.o", "verilated_threads.o",
                                        NULL};
  static const char *const wave_objects[] = {"verilated_fst_c.o", "-lz", NULL};
  struct words w = {0};
  add(&w, j->build->compiler);
  add_all(&w, link_options);
  if (counts)
    add_all(&w, counting_options);
  add(&w, "-o");
  add(&w, name);
  add_all(&w, objects);
  if (j->build->wave)
    add_all(&w, wave_objects);
  return run(j, "g++", &w);
}

/* fast.gcda: how often each branch was taken. */
static enum tsr_status count_branches(const struct job *j)
{
  char path[PATH_MAX];
  enum tsr_status status = link_model(j, "counting.so", true);
  if (!status)
    tsr__train(j->build->design, in_folder(j, "counting.so", path));
  return status;
}

static enum tsr_status compile(const struct job *j)
{
  pid_t slow = start_slow(j);
  enum tsr_status status = compile_fast(j, count_options);
  if (!tsr__tool_wait(slow) && !status)
    status = failed(j, "g++");
  if (!status)
    status = count_branches(j);
  if (!status)
    status = compile_fast(j, fast_options);
  return status ? status : link_model(j, "model.so", false);
}

enum tsr_status tsr__build_run(struct tsr_err *err, const struct tsr__build *build,
                               const char *folder, const char *log)
{
  struct job j = {.err = err, .build = build, .folder = folder, .log = log};
  enum tsr_status status = write_sources(&j);
  if (!status)
    status = verilate(&j);
  if (!status)
    status = find_include(&j);
  if (!status)
    status = write_units(&j);
  return status ? status : compile(&j);
}

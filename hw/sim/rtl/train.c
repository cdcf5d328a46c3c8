/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/rtl/train.h"

#include <string.h>

#include "hw/sim/rtl/machine.h"

enum { WINDOW_BYTES = 1 << 16, MOST_CYCLES = 1 << 20 };

/* What networks are made of, in rounds: activations and weights come, products of tiles, sums that
 * are scaled, added and compared, results leave. What is rare is left out: the compiler makes it
 * small, out of the way of the rest. Indices fit the smallest design point. */
static const char head[] = "load uop n=4 signal=matrix\n";
static const char round_of[] =
    "load inp n=2,2 sy=256 pad=1 x=1,1 y=1\n"
    "load acc n=4\n"
    "load wgt n=4 signal=matrix\n"
    "gemm uops=0+2 n=800,2,2 dst=0,0,1 a=0,1,2 b=0,1,1 banks=0 wait=load signal=vector\n"
    "mac uops=3+1 n=100,2,2 dst=0,0,1 a=inp:0,0,1 banks=0 wait=matrix\n"
    "add uops=3+1 n=40,2,2 dst=0,0,1 a=0,0,1 banks=0\n"
    "max uops=3+1 n=40,2,2 dst=0,0,1 a=0,0,1 banks=0\n"
    "quant uops=2+1 n=800,1,4 dst=out:0,0,1 a=0,0,1 banks=0 signal=store\n"
    "store out n=4 dram=0x8000 wait=vector\n";
static const char tail[] = "finish\n"
                           ".data\n"
                           ".uop 0,0,0\n.uop 2,1,1\n.uop 0,0,4\n.uop 0,0,1\n"
                           ".window 65536\n";

const char *const tsr__train_program[] = {head, round_of, round_of, round_of, round_of, tail, NULL};

enum tsr_status tsr__train_assemble(struct tsr_arena *arena, struct tsr_err *err,
                                    struct tsr_program *out)
{
  struct tsr_text text = {.arena = arena};
  for (const char *const *part = tsr__train_program; *part; part++)
    tsr_text_add(&text, "%s", *part);
  return tsr_assemble(arena, err, "training", text.data, out);
}

static void run(const struct tsr_design *design, const char *library,
                const struct tsr_program *program, uint8_t *window)
{
  struct tsr_rtl_options options = tsr_rtl_defaults(design);
  struct tsr_run_result result;
  struct tsr_rtl *rtl;
  struct tsr_err err;
  options.timeout_cycles = MOST_CYCLES;
  if (tsr__rtl_open_library(NULL, &err, design, &options, library, window, WINDOW_BYTES, &rtl))
    return;
  tsr_rtl_run(rtl, &err, program->insns, program->insn_count, &result);
  tsr_rtl_close(rtl);
}

void tsr__train(const struct tsr_design *design, const char *library)
{
  struct tsr_arena *arena = tsr_arena_new(NULL);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    return;
  }
  struct tsr_program program;
  struct tsr_err err;
  uint8_t *window = tsr_arena_alloc(arena, WINDOW_BYTES);
  if (!tsr__train_assemble(arena, &err, &program)) {
    memcpy(window, program.data, program.data_bytes);
    run(design, library, &program, window);
  }
  tsr_arena_free(arena);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/cuda/ceilings_private.h"

static const struct {
  const char *text, *result, *operand;
  int mma_k, wgmma_k;
} rows[] = {
#define TSR_CEILING(id, text, result, operand, mma_k, wgmma_k)                                     \
  {text, result, operand, mma_k, wgmma_k},
#include "driver/cuda/ceilings.def"
#undef TSR_CEILING
};

enum { CHAINS = 8, FMA_CHAINS = 16, RESULTS = 64, OPERAND_BYTES = 4096, GROUP = 4 };

const char *tsr_ceiling_name(enum tsr_ceiling ceiling)
{
  return rows[ceiling].text;
}

double tsr__ceiling_macs(enum tsr_ceiling ceiling, bool wgmma)
{
  double k = wgmma ? rows[ceiling].wgmma_k : rows[ceiling].mma_k;
  if (!k)
    return (double)TSR__CEILING_THREADS * TSR__CEILING_LOOPS * FMA_CHAINS;
  if (wgmma)
    return 64. * 128 * k * GROUP * TSR__CEILING_GROUP_LOOPS;
  return 16. * 8 * k * CHAINS * TSR__CEILING_LOOPS * TSR__CEILING_THREADS / 32;
}

bool tsr__ceiling_by_wgmma(enum tsr_ceiling ceiling, struct tsr_gpu_arch arch)
{
  return arch.exact && rows[ceiling].wgmma_k;
}

/* Each thread moves four pieces of 16 bytes that lie a block's width apart. */
static void add_copy(struct tsr_text *t)
{
  tsr_text_add(t,
               ".visible .entry copy(.param .u64 to, .param .u64 from, .param .u64 status)\n"
               ".maxntid %d, 1, 1\n{\n"
               "  .reg .u64 %%d, %%s, %%o;\n  .reg .u32 %%t, %%b, %%v<16>;\n"
               "  ld.param.u64 %%d, [to];\n  ld.param.u64 %%s, [from];\n"
               "  cvta.to.global.u64 %%d, %%d;\n  cvta.to.global.u64 %%s, %%s;\n"
               "  mov.u32 %%t, %%tid.x;\n  mov.u32 %%b, %%ctaid.x;\n"
               "  mul.wide.u32 %%o, %%b, %d;\n  add.u64 %%d, %%d, %%o;\n  add.u64 %%s, %%s, %%o;\n"
               "  mul.wide.u32 %%o, %%t, 16;\n  add.u64 %%d, %%d, %%o;\n  add.u64 %%s, %%s, %%o;\n",
               TSR__CEILING_THREADS, TSR__CEILING_COPY);
  for (int i = 0; i < 4; i++)
    tsr_text_add(t, "  ld.global.nc.v4.u32 {%%v%d, %%v%d, %%v%d, %%v%d}, [%%s + %d];\n", 4 * i,
                 4 * i + 1, 4 * i + 2, 4 * i + 3, 16 * TSR__CEILING_THREADS * i);
  for (int i = 0; i < 4; i++)
    tsr_text_add(t, "  st.global.v4.u32 [%%d + %d], {%%v%d, %%v%d, %%v%d, %%v%d};\n",
                 16 * TSR__CEILING_THREADS * i, 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3);
  tsr_text_add(t, "  ret;\n}\n");
}

/* %x: bits that differ from thread to thread and are numbers of moderate size in every type. */
static void open_entry(struct tsr_text *t, const char *name, int threads)
{
  tsr_text_add(
      t,
      ".visible .entry %s(.param .u64 out, .param .u64 status)\n.maxntid %d, 1, 1\n{\n"
      "  .reg .u64 %%o, %%w;\n  .reg .b32 %%t, %%b, %%x, %%i, %%a<%d>;\n  .reg .pred %%p;\n"
      "  .reg .b32 %%c<%d>;\n"
      "  ld.param.u64 %%o, [out];\n  cvta.to.global.u64 %%o, %%o;\n"
      "  mov.u32 %%t, %%tid.x;\n  mov.u32 %%b, %%ctaid.x;\n"
      "  mul.lo.u32 %%x, %%t, 0x9e3779b1;\n  and.b32 %%x, %%x, 0x83ff83ff;\n"
      "  or.b32 %%x, %%x, 0x38003800;\n",
      name, threads, 2 * CHAINS, RESULTS);
}

/* What was computed is written, so that it has to be. */
static void close_entry(struct tsr_text *t, int results, int threads)
{
  for (int i = 1; i < results; i++)
    tsr_text_add(t, "  xor.b32 %%c0, %%c0, %%c%d;\n", i);
  tsr_text_add(t,
               "  mad.lo.u32 %%t, %%b, %d, %%t;\n  mul.wide.u32 %%w, %%t, 4;\n"
               "  add.u64 %%o, %%o, %%w;\n  st.global.b32 [%%o], %%c0;\n  ret;\n}\n",
               threads);
}

static void open_loop(struct tsr_text *t, int results)
{
  for (int i = 0; i < results; i++)
    tsr_text_add(t, "  mov.b32 %%c%d, 0;\n", i);
  tsr_text_add(t, "  mov.u32 %%i, 0;\nagain:\n");
}

static void close_loop(struct tsr_text *t, int loops)
{
  tsr_text_add(t, "  add.u32 %%i, %%i, 1;\n  setp.lt.u32 %%p, %%i, %d;\n  @%%p bra again;\n",
               loops);
}

static void add_fma(struct tsr_text *t, const char *name)
{
  open_entry(t, name, TSR__CEILING_THREADS);
  open_loop(t, FMA_CHAINS);
  for (int i = 0; i < FMA_CHAINS; i++)
    tsr_text_add(t, "  fma.rn.f32 %%c%d, %%c%d, %%x, %%x;\n", i, i);
  close_loop(t, TSR__CEILING_LOOPS);
  close_entry(t, FMA_CHAINS, TSR__CEILING_THREADS);
}

static void add_mma(struct tsr_text *t, enum tsr_ceiling ceiling)
{
  const char *result = rows[ceiling].result, *operand = rows[ceiling].operand;
  open_entry(t, rows[ceiling].text, TSR__CEILING_THREADS);
  for (int i = 0; i < 6; i++)
    tsr_text_add(t, "  xor.b32 %%a%d, %%x, %d;\n", i, 0x00110011 << i);
  open_loop(t, 4 * CHAINS);
  for (int i = 0; i < CHAINS; i++) {
    const char *c = tsr_arena_printf(t->arena, "{%%c%d, %%c%d, %%c%d, %%c%d}", 4 * i, 4 * i + 1,
                                     4 * i + 2, 4 * i + 3);
    tsr_text_add(t,
                 "  mma.sync.aligned.m16n8k%d.row.col.%s.%s.%s.%s %s, {%%a0, %%a1, %%a2, %%a3}, "
                 "{%%a4, %%a5}, %s;\n",
                 rows[ceiling].mma_k, result, operand, operand, result, c, c);
  }
  close_loop(t, TSR__CEILING_LOOPS);
  close_entry(t, 4 * CHAINS, TSR__CEILING_THREADS);
}

/* One warpgroup, operands of 8 x 16 bytes a core matrix, one behind the other. */
static void add_wgmma(struct tsr_text *t, enum tsr_ceiling ceiling)
{
  const char *result = rows[ceiling].result, *operand = rows[ceiling].operand;
  bool half = rows[ceiling].wgmma_k == 16, whole = *result == 's';
  struct tsr_text c = {.arena = t->arena};
  for (int i = 0; i < RESULTS; i++)
    tsr_text_add(&c, "%s%%c%d", i ? ", " : "", i);
  open_entry(t, rows[ceiling].text, TSR__CEILING_GROUP_THREADS);
  tsr_text_add(t,
               "  .shared .align 1024 .b8 operands[%d];\n  .reg .u64 %%d<2>;\n"
               "  shl.b32 %%a0, %%t, 2;\n  mov.u32 %%a1, operands;\n  add.u32 %%a0, %%a0, %%a1;\n",
               2 * OPERAND_BYTES);
  for (int at = 0; at < 2 * OPERAND_BYTES; at += 4 * TSR__CEILING_GROUP_THREADS)
    tsr_text_add(t, "  st.shared.b32 [%%a0 + %d], %%x;\n", at);
  tsr_text_add(t,
               "  fence.proxy.async.shared::cta;\n  bar.sync 0;\n"
               "  shr.u32 %%a1, %%a1, 4;\n  cvt.u64.u32 %%d0, %%a1;\n"
               "  or.b64 %%d0, %%d0, 0x0000001000080000;\n  add.u64 %%d1, %%d0, %d;\n"
               "  setp.eq.u32 %%p, 0, 0;\n",
               OPERAND_BYTES / 16);
  open_loop(t, RESULTS);
  tsr_text_add(t, "  setp.eq.u32 %%p, 0, 0;\n  wgmma.fence.sync.aligned;\n");
  for (int i = 0; i < GROUP; i++)
    tsr_text_add(t,
                 "  wgmma.mma_async.sync.aligned.m64n128k%d.%s.%s.%s {%s}, %%d0, %%d1, %%p%s%s;\n",
                 rows[ceiling].wgmma_k, result, operand, operand, c.data, whole ? "" : ", 1, 1",
                 half ? ", 0, 0" : "");
  tsr_text_add(t, "  wgmma.commit_group.sync.aligned;\n  wgmma.wait_group.sync.aligned 0;\n");
  close_loop(t, TSR__CEILING_GROUP_LOOPS);
  close_entry(t, RESULTS, TSR__CEILING_GROUP_THREADS);
}

const char *tsr_cuda_ceilings_ptx(struct tsr_arena *arena, struct tsr_gpu_arch arch)
{
  struct tsr_text t = {.arena = arena};
  char name[TSR_GPU_ARCH_NAME];
  tsr_text_add(&t, ".version %s\n.target %s\n.address_size 64\n", arch.exact ? "8.0" : "7.0",
               tsr_gpu_arch_name(arch, name));
  add_copy(&t);
  for (int i = 0; i < TSR_CEILINGS; i++) {
    if (tsr__ceiling_by_wgmma((enum tsr_ceiling)i, arch))
      add_wgmma(&t, (enum tsr_ceiling)i);
    else if (rows[i].mma_k)
      add_mma(&t, (enum tsr_ceiling)i);
    else
      add_fma(&t, rows[i].text);
  }
  return t.data;
}

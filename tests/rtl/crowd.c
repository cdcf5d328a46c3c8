/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rtl/crowd.h"

#include "tests/isa/random.h"
#include "tests/rtl/build.h"

enum { INSNS = 60, WINDOW = 1 << 17, DATA = 1 << 13, STORES = 1 << 14 };

/* Micro-ops of which every row may take some: entries that all scratchpads have, in both banks. */
enum { LOW, HIGH, MIXED, GROUPS, GROUP_UOPS = 4, ENTRIES = 6 };

struct crowd {
  struct build b;
  uint64_t random;
  uint32_t uops[GROUPS];                          /* the first of each group */
  int tokens[TSR_ENGINE_COUNT][TSR_ENGINE_COUNT]; /* [from][to] */
};

static uint32_t draw(struct crowd *c, uint32_t below)
{
  return random_below(&c->random, below);
}

/* LOW: any operand anywhere; HIGH: all in ACC's upper bank; MIXED: some there. b is the first entry,
 * for LUT. */
static void add_uops(struct crowd *c)
{
  struct tsr_uop uops[GROUPS * GROUP_UOPS];
  uint32_t half = build_depth(&c->b, TSR_BUFFER_ACC) / 2;
  for (uint32_t k = 0; k < GROUPS * GROUP_UOPS; k++) {
    uint32_t group = k / GROUP_UOPS, at[3];
    for (int i = 0; i < 3; i++)
      at[i] = draw(c, ENTRIES) + (group == HIGH || (group == MIXED && draw(c, 2)) ? half : 0);
    uops[k] = (struct tsr_uop){at[0], at[1], group == LOW ? 0 : at[2], false};
  }
  uint32_t first = build_uops(&c->b, uops, GROUPS * GROUP_UOPS);
  for (uint32_t k = 0; k < GROUPS; k++)
    c->uops[k] = first + k * GROUP_UOPS;
}

static void draw_nest(struct crowd *c, struct tsr_insn *insn, int group)
{
  static const uint32_t most[] = {1, 2, 5, 20};
  insn->loop.uop_begin = c->uops[group] + draw(c, 2);
  insn->loop.uop_count = 1 + draw(c, 3);
  for (int k = 0; k < 3; k++) {
    insn->loop.n[k] = 1 + draw(c, most[draw(c, k == 2 ? 4 : 3)]);
    insn->loop.step_dst[k] = draw(c, 3) / 2;
    insn->loop.step_a[k] = draw(c, 3) / 2;
    insn->loop.step_b[k] = insn->opcode == TSR_OP_LUT ? 0 : draw(c, 3) / 2;
  }
}

/* Three loops of 20, 5 and 5 points at the most: entries up to 6 + 27, and 2 of QUANT. */
static bool fits(const struct crowd *c, int buffer)
{
  return build_depth(&c->b, buffer) >= 40;
}

static struct tsr_insn draw_gemm(struct crowd *c)
{
  struct tsr_insn insn = build_loop(TSR_OP_GEMM);
  draw_nest(c, &insn, LOW);
  insn.loop.banks = 1 + 2 * draw(c, 2);
  if (!fits(c, TSR_BUFFER_WGT))
    for (int k = 0; k < 3; k++)
      insn.loop.step_b[k] = 0;
  return insn;
}

static struct tsr_insn draw_row(struct crowd *c)
{
  struct tsr_insn insn = build_loop(TSR_OP_ADD + (int)draw(c, TSR_OP_QUANT - TSR_OP_ADD + 1));
  int group = insn.opcode == TSR_OP_LUT ? LOW : (int)draw(c, GROUPS);
  draw_nest(c, &insn, group);
  insn.loop.banks = group == LOW ? 1 + 2 * draw(c, 2) : group == HIGH ? 2 + draw(c, 2) : 3;
  if (group == LOW) {
    insn.loop.src = draw(c, 2) && fits(c, TSR_BUFFER_INP) ? TSR_SRC_INP : TSR_SRC_ACC;
    insn.loop.dst = insn.opcode == TSR_OP_MAC ? TSR_DST_ACC : (int)draw(c, 3);
  }
  return insn;
}

static struct tsr_insn draw_load(struct crowd *c)
{
  static const int buffers[] = {TSR_BUFFER_INP, TSR_BUFFER_WGT, TSR_BUFFER_ACC, TSR_BUFFER_ACC8,
                                TSR_BUFFER_LUT};
  int buffer = buffers[draw(c, 5)];
  uint32_t depth = build_depth(&c->b, buffer), most = depth < 24 ? depth : 24;
  struct tsr_insn insn = build_dma(TSR_OP_LOAD, buffer, 0, 128 * draw(c, 16), 1 + draw(c, most));
  if (draw(c, 3) == 0 && insn.dma.nx < most && buffer != TSR_BUFFER_LUT)
    insn.dma.xl = 1;
  if (draw(c, 3) == 0)
    insn.dma.sram = draw(c, depth - insn.dma.nx - insn.dma.xl + 1);
  return insn;
}

static struct tsr_insn draw_store(struct crowd *c)
{
  int buffer = draw(c, 2) ? TSR_BUFFER_OUT : TSR_BUFFER_ACC;
  struct tsr_insn insn = build_dma(TSR_OP_STORE, buffer, draw(c, ENTRIES),
                                   STORES + 4096 * draw(c, 8) + 128 * draw(c, 32), 1 + draw(c, 8));
  if (draw(c, 2) && buffer == TSR_BUFFER_ACC)
    insn.dma.sram += build_depth(&c->b, TSR_BUFFER_ACC) / 2;
  return insn;
}

/* Some tokens, none of which waits for one that is not given before. */
static void draw_tokens(struct crowd *c, struct tsr_insn *insn)
{
  int self = tsr_insn_engine(insn);
  for (int other = 0; other < TSR_ENGINE_COUNT; other++) {
    if (other == self)
      continue;
    if (c->tokens[other][self] && draw(c, 3) == 0) {
      insn->wait |= 1u << other;
      c->tokens[other][self]--;
    }
    if (c->tokens[self][other] < c->b.design->token_depth && draw(c, 4) == 0) {
      insn->signal |= 1u << other;
      c->tokens[self][other]++;
    }
  }
}

static void add_insn(struct crowd *c)
{
  struct tsr_insn insn = {.opcode = TSR_OP_SYNC, .engine = (int)draw(c, TSR_ENGINE_COUNT)};
  switch (draw(c, 9)) {
  case 0: break;
  case 1:
  case 2: insn = draw_load(c); break;
  case 3:
  case 4: insn = draw_gemm(c); break;
  case 5:
  case 6: insn = draw_store(c); break;
  default: insn = draw_row(c); break;
  }
  draw_tokens(c, &insn);
  build_add(&c->b, &insn);
}

/* The micro-ops are there before anything else begins. */
struct tsr_program crowd(struct tsr_arena *arena, const struct tsr_design *design, uint64_t seed)
{
  struct crowd c = {.b = build_new(arena, design), .random = seed};
  build_data(&c.b, NULL, DATA);
  add_uops(&c);
  c.b.free = true;
  struct tsr_insn *load = &c.b.insns[c.b.count - 1];
  load->signal = 1 << TSR_ENGINE_MATRIX | 1 << TSR_ENGINE_VECTOR;
  for (int e = TSR_ENGINE_MATRIX; e <= TSR_ENGINE_VECTOR; e++)
    build_add(&c.b,
              &(struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = e, .wait = 1 << TSR_ENGINE_LOAD});
  uint32_t count = 4 + draw(&c, INSNS);
  for (uint32_t k = 0; k < count; k++)
    add_insn(&c);
  struct tsr_program p = build_end(&c.b);
  p.window_bytes = WINDOW;
  return p;
}

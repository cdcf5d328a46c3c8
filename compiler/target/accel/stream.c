/* SPDX-License-Identifier: Apache-2.0 */
/* The instruction stream being built: tokens, micro-op cache, image. */
#include "compiler/target/accel/accel.h"

#include <assert.h>
#include <string.h>

#include "verify/check.h"

/* Micro-op sequences: each stands once in DRAM; the scratchpad is a ring in which a sequence stays until
 * the ring comes round to it. */
struct sequence {
  struct sequence *next; /* of the same hash */
  const uint8_t *bytes;
  uint32_t count;
  uint64_t dram;     /* in the micro-ops' part of the image */
  uint32_t at;       /* first entry, while resident */
  uint64_t resident; /* ring position + 1 at which it was loaded; 0: not */
};

enum { BUCKETS = 1024, PIECE_BYTES = 8192 };

struct tsr__uop_cache {
  struct sequence *bucket[BUCKETS];
  uint64_t ring; /* entries handed out, skipped ones included */
};

struct tsr__stream *tsr__stream_new(struct tsr_arena *a, const struct tsr_design *d)
{
  struct tsr__stream *s = TSR_NEW(a, struct tsr__stream);
  s->arena = s->constants.arena = s->uops.arena = a;
  s->design = d;
  s->cache = TSR_NEW(a, struct tsr__uop_cache);
  tsr__stream_begin(s);
  return s;
}

void tsr__stream_begin(struct tsr__stream *s)
{
  uint64_t depth = (uint64_t)tsr_design_depth(s->design, TSR_BUFFER_UOP);
  s->depend = tsr__depend_new(s->arena, s->design->token_depth);
  s->cache->ring = (s->cache->ring + 2 * depth) / depth * depth; /* more than once around */
  memset(s->next, 0, sizeof s->next);
  memset(s->recent, 0, sizeof s->recent);
  s->bank = 0;
  s->inp_from = 0;
  s->inp_to = (uint32_t)tsr_design_depth(s->design, TSR_BUFFER_INP);
}

static void push(struct tsr__stream *s, const struct tsr_insn *insn, enum tsr__dram_base base)
{
  s->insn = TSR_GROW(s->arena, s->insn, s->count, &s->insn_capacity);
  s->base = TSR_GROW(s->arena, s->base, s->count, &s->base_capacity);
  s->insn[s->count] = *insn;
  s->base[s->count] = (uint8_t)base;
  s->count++;
}

/* Places the tokens of the instruction that comes next. */
static uint32_t place_tokens(struct tsr__stream *s, int engine)
{
  size_t signaller[TSR_ENGINE_COUNT] = {0};
  uint32_t mask = tsr__depend_close(s->depend, engine, s->count, signaller);
  for (int p = 0; p < TSR_ENGINE_COUNT; p++)
    if (mask >> p & 1 && signaller[p] == s->count) {
      push(s, &(struct tsr_insn){.opcode = TSR_OP_SYNC, .engine = p}, BASE_NONE);
      p = -1; /* the next place may be of any engine */
    }
  for (int p = 0; p < TSR_ENGINE_COUNT; p++)
    if (mask >> p & 1)
      s->insn[signaller[p]].signal |= 1u << engine;
  return mask;
}

static void append_now(struct tsr__stream *s, struct tsr_insn *insn, enum tsr__dram_base base)
{
  int engine = tsr_insn_engine(insn);
  if (engine < TSR_ENGINE_COUNT)
    insn->wait = place_tokens(s, engine);
  push(s, insn, base);
}

static void append(struct tsr__stream *s, struct tsr_insn *insn, enum tsr__dram_base base)
{
  if (s->order)
    tsr__order_add(s->order, insn, base);
  else
    append_now(s, insn, base);
}

static void touch(struct tsr__stream *s, int engine, enum tsr__space space, uint64_t lo,
                  uint64_t hi, bool writes)
{
  if (space == SPACE_INP && writes) {
    s->inp_write = TSR_GROW(s->arena, s->inp_write, s->inp_writes, &s->inp_capacity);
    s->inp_write[s->inp_writes++] = (struct tsr__recent_region){(uint32_t)lo, (uint32_t)hi, 0};
  }
  if (s->order)
    tsr__order_touch(s->order, space, lo, hi, writes);
  else
    tsr__depend_touch(s->depend, engine, space, lo, hi, writes);
}

enum tsr_status tsr__check_resident(const struct tsr__stream *s, struct tsr_err *err, int layer,
                                    const struct tsr_accel_resident *r)
{
  for (size_t k = 0; k < s->inp_writes && r->first < layer && layer <= r->last; k++)
    if (s->inp_write[k].lo < r->at + r->entries && r->at < s->inp_write[k].hi)
      return tsr_refuse(
          err, "it writes to entries of INP in which '%s' is resident (a defect of the compiler)",
          r->value->name);
  return TSR_OK;
}

void tsr__stream_hold(struct tsr__stream *s)
{
  s->inp_writes = 0;
  s->order = tsr__order_new(s->arena, s->design);
}

void tsr__stream_release(struct tsr__stream *s)
{
  struct tsr__ordering *order = s->order;
  s->order = NULL;
  tsr__order_release(order, s, append_now);
}

void tsr__stream_end(struct tsr__stream *s)
{
  append(s, &(struct tsr_insn){.opcode = TSR_OP_FINISH}, BASE_NONE);
}

static void align(struct tsr_text *t, size_t alignment)
{
  static const uint8_t zeros[256];
  size_t over = t->length % alignment;
  if (over)
    tsr_text_add_bytes(t, zeros, alignment - over);
}

uint64_t tsr__stream_constant(struct tsr__stream *s, const void *bytes, size_t size)
{
  align(&s->constants, 128); /* the widest beat: 1024 bits */
  uint64_t at = s->constants.length;
  tsr_text_add_bytes(&s->constants, bytes, size);
  return at;
}

uint64_t tsr__stream_padding(struct tsr__stream *s, int32_t value)
{
  uint64_t *at = &s->padding[(uint8_t)value];
  if (!*at) {
    size_t size = (size_t)tsr_design_dram_entry(s->design, TSR_BUFFER_INP);
    uint8_t *entry = tsr_arena_alloc(s->arena, size);
    memset(entry, (uint8_t)value, size);
    *at = tsr__stream_constant(s, entry, size) + 1;
  }
  return *at - 1;
}

/* --- LOAD and STORE -------------------------------------------------------------------------------- */

static enum tsr__space space_of(int buffer)
{
  switch (buffer) {
  case TSR_BUFFER_UOP: return SPACE_UOP;
  case TSR_BUFFER_INP: return SPACE_INP;
  case TSR_BUFFER_WGT: return SPACE_WGT;
  case TSR_BUFFER_OUT: return SPACE_OUT;
  case TSR_BUFFER_LUT: return SPACE_LUT;
  default: return SPACE_ACC;
  }
}

static void add_dma(struct tsr__stream *s, struct tsr_insn *insn, enum tsr__dram_base base)
{
  bool load = insn->opcode == TSR_OP_LOAD;
  int engine = tsr_insn_engine(insn);
  uint64_t entry = (uint64_t)tsr_design_dram_entry(s->design, insn->dma.buffer);
  uint64_t rows = (uint64_t)insn->dma.ny * insn->dma.nz, bytes = rows * insn->dma.nx * entry;
  touch(s, engine, space_of(insn->dma.buffer), insn->dma.sram,
        insn->dma.sram + tsr_check_dma_entries(insn), load);
  if (base == BASE_ACTIVATION)
    touch(s, engine, SPACE_DRAM, insn->dma.dram,
          insn->dma.dram + (insn->dma.nz - 1) * insn->dma.sz + (insn->dma.ny - 1) * insn->dma.sy +
              insn->dma.nx * entry,
          !load);
  *(load ? &s->read_bytes : &s->write_bytes) += bytes;
  append(s, insn, base);
}

/* Of a LOAD of weights: how many of its rows, or of the entries of its only row, make a piece; 0: it stays
 * whole. */
static uint32_t piece_of(const struct tsr__stream *s, const struct tsr_insn *insn)
{
  const uint32_t entry = (uint32_t)tsr_design_dram_entry(s->design, insn->dma.buffer);
  bool rows = insn->dma.ny > 1;
  bool weights = insn->opcode == TSR_OP_LOAD && insn->dma.buffer == TSR_BUFFER_WGT;
  if (!s->order || !weights || insn->dma.nz > 1 || insn->dma.yl || insn->dma.yr ||
      (!rows && (insn->dma.xl || insn->dma.xr)))
    return 0;
  uint32_t each = entry * (rows ? insn->dma.nx : 1), all = rows ? insn->dma.ny : insn->dma.nx;
  uint32_t most = each < PIECE_BYTES ? PIECE_BYTES / each : 1;
  return most < all ? most : 0;
}

/* Weights come in pieces, which find their places between other LOADs. */
void tsr__stream_dma(struct tsr__stream *s, struct tsr_insn *insn, enum tsr__dram_base base)
{
  uint32_t most = piece_of(s, insn);
  bool rows = insn->dma.ny > 1;
  uint32_t all = rows ? insn->dma.ny : insn->dma.nx;
  uint32_t pitch = rows ? insn->dma.xl + insn->dma.nx + insn->dma.xr : 1;
  uint64_t step = rows ? insn->dma.sy
                       : (uint64_t)tsr_design_dram_entry(s->design, insn->dma.buffer);
  if (!most) {
    add_dma(s, insn, base);
    return;
  }
  for (uint32_t from = 0; from < all; from += most) {
    struct tsr_insn piece = *insn;
    uint32_t n = all - from < most ? all - from : most;
    *(rows ? &piece.dma.ny : &piece.dma.nx) = n;
    piece.dma.sy = rows && n > 1 ? insn->dma.sy : 0;
    piece.dma.sram += from * pitch;
    piece.dma.dram += from * step;
    add_dma(s, &piece, base);
  }
}

/* --- micro-ops ------------------------------------------------------------------------------------- */

int tsr__stream_uop_limit(const struct tsr__stream *s)
{
  return tsr_design_depth(s->design, TSR_BUFFER_UOP) / 4;
}

static struct sequence *intern(struct tsr__stream *s, const uint8_t *bytes, uint32_t count)
{
  uint64_t hash = 1469598103934665603u;
  size_t size = (size_t)count * TSR_UOP_BYTES;
  for (size_t k = 0; k < size; k++)
    hash = (hash ^ bytes[k]) * 1099511628211u;
  struct sequence **bucket = &s->cache->bucket[(hash >> 32) % BUCKETS];
  for (struct sequence *q = *bucket; q; q = q->next)
    if (q->count == count && !memcmp(q->bytes, bytes, size))
      return q;
  struct sequence *q = TSR_NEW(s->arena, struct sequence);
  align(&s->uops, 128);
  *q = (struct sequence){.next = *bucket,
                         .count = count,
                         .dram = s->uops.length,
                         .bytes = tsr_arena_copy(s->arena, bytes, size)};
  tsr_text_add_bytes(&s->uops, bytes, size);
  *bucket = q;
  return q;
}

static bool is_resident(const struct tsr__stream *s, const struct sequence *q)
{
  uint64_t depth = (uint64_t)tsr_design_depth(s->design, TSR_BUFFER_UOP);
  return q->resident && q->resident - 1 + depth >= s->cache->ring;
}

static void load_sequence(struct tsr__stream *s, struct sequence *q)
{
  uint64_t depth = (uint64_t)tsr_design_depth(s->design, TSR_BUFFER_UOP);
  struct tsr__uop_cache *c = s->cache;
  if (c->ring % depth + q->count > depth) /* a sequence doesn't wrap around */
    c->ring += depth - c->ring % depth;
  q->resident = c->ring + 1;
  q->at = (uint32_t)(c->ring % depth);
  c->ring += q->count;
  struct tsr_insn load = {.opcode = TSR_OP_LOAD};
  load.dma.buffer = TSR_BUFFER_UOP;
  load.dma.sram = q->at;
  load.dma.dram = q->dram;
  load.dma.nx = q->count;
  load.dma.ny = load.dma.nz = 1;
  tsr__stream_dma(s, &load, BASE_UOP);
}

struct span {
  uint64_t lo, hi;
};

static uint64_t reach(const struct tsr_insn *insn, const uint32_t step[3])
{
  uint64_t r = 0;
  for (int k = 0; k < 3; k++)
    r += (uint64_t)(insn->loop.n[k] - 1) * step[k];
  return r;
}

static struct span span_of(const struct tsr_insn *insn, const struct tsr_uop *uops, int count,
                           const uint32_t step[3], size_t member)
{
  struct span r = {UINT64_MAX, 0};
  for (int k = 0; k < count; k++) {
    uint32_t at = *(const uint32_t *)((const char *)&uops[k] + member);
    r.lo = at < r.lo ? at : r.lo;
    r.hi = at >= r.hi ? at + 1 : r.hi;
  }
  r.hi += reach(insn, step);
  return r;
}

static void touch_banks(struct tsr__stream *s, struct tsr_insn *insn, int engine,
                        enum tsr__space space, struct span r, bool writes)
{
  touch(s, engine, space, r.lo, r.hi, writes);
  if (space == SPACE_ACC) {
    uint64_t half = (uint64_t)tsr_design_depth(s->design, TSR_BUFFER_ACC) / 2;
    insn->loop.banks |= (r.lo < half ? 1u : 0u) | (r.hi > half ? 2u : 0u);
  }
}

static bool reads_b(int opcode)
{
  return opcode != TSR_OP_MOV && opcode != TSR_OP_RSUM && opcode != TSR_OP_RMAX;
}

static void touch_operands(struct tsr__stream *s, struct tsr_insn *insn, const struct tsr_uop *uops,
                           int count)
{
  int engine = tsr_insn_engine(insn), op = insn->opcode;
  static const enum tsr__space dst_space[] = {SPACE_ACC, SPACE_OUT, SPACE_INP};
  struct span d = span_of(insn, uops, count, insn->loop.step_dst, offsetof(struct tsr_uop, dst));
  struct span a = span_of(insn, uops, count, insn->loop.step_a, offsetof(struct tsr_uop, a));
  struct span b = span_of(insn, uops, count, insn->loop.step_b, offsetof(struct tsr_uop, b));
  if (op == TSR_OP_QUANT)
    b.hi += 2;
  bool from_inp = op == TSR_OP_GEMM || insn->loop.src == TSR_SRC_INP;
  touch_banks(s, insn, engine, dst_space[insn->loop.dst], d, true);
  touch_banks(s, insn, engine, from_inp ? SPACE_INP : SPACE_ACC, a, false);
  if (reads_b(op))
    touch_banks(s, insn, engine,
                op == TSR_OP_GEMM  ? SPACE_WGT
                : op == TSR_OP_LUT ? SPACE_LUT
                                   : SPACE_ACC,
                b, false);
}

void tsr__stream_loop(struct tsr__stream *s, struct tsr_insn *insn, const struct tsr_uop *uops,
                      int count)
{
  uint8_t *bytes = tsr_arena_alloc(s->arena, (size_t)count * TSR_UOP_BYTES);
  for (int k = 0; k < count; k++) {
    enum tsr_status status = tsr_uop_encode(NULL, &uops[k], bytes + k * TSR_UOP_BYTES);
    assert(!status);
    (void)status;
  }
  struct sequence *q = intern(s, bytes, (uint32_t)count);
  if (!is_resident(s, q))
    load_sequence(s, q);
  insn->loop.uop_begin = q->at;
  insn->loop.uop_count = q->count;
  touch(s, tsr_insn_engine(insn), SPACE_UOP, q->at, q->at + q->count, false);
  touch_operands(s, insn, uops, count);
  append(s, insn, BASE_NONE);
}

/* --- end ------------------------------------------------------------------------------------------- */

enum tsr_status tsr__stream_close(struct tsr__stream *s, struct tsr_err *err, uint8_t **insns,
                                  uint8_t **image, size_t *image_bytes)
{
  align(&s->constants, 128);
  align(&s->uops, 128);
  uint64_t base[] = {[BASE_NONE] = 0,
                     [BASE_CONSTANT] = 0,
                     [BASE_UOP] = s->constants.length,
                     [BASE_ACTIVATION] = s->constants.length + s->uops.length};
  *insns = tsr_arena_alloc_array(s->arena, s->count, TSR_INSN_BYTES);
  for (size_t k = 0; k < s->count; k++) {
    s->insn[k].dma.dram += base[s->base[k]];
    enum tsr_status status = tsr_insn_encode(err, &s->insn[k], *insns + k * TSR_INSN_BYTES);
    if (status)
      return status;
  }
  *image_bytes = s->constants.length + s->uops.length;
  *image = tsr_arena_alloc(s->arena, *image_bytes);
  if (s->constants.length)
    memcpy(*image, s->constants.data, s->constants.length);
  if (s->uops.length)
    memcpy(*image + s->constants.length, s->uops.data, s->uops.length);
  return TSR_OK;
}

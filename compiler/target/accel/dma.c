/* SPDX-License-Identifier: Apache-2.0 */
/* A nest of loops that copies between DRAM and a scratchpad becomes LOADs or STOREs.
 *
 * The nest's loops are brought to whole entries, evenly stepping loops are merged, and the innermost
 * three become x, y and z of an instruction. Where the source of a LOAD is outside of its tensor the
 * loop has a valid range, and what is before and after becomes padding on x and y. Rows of a scratchpad
 * buffer may be longer than the region (a tile at the tensor's edge): padding fills the rest. */
#include <assert.h>
#include <string.h>

#include "compiler/target/accel/accel.h"

enum { MOST_PADDING = 255 };

struct dim {
  int64_t n, sram, dram; /* iterations, steps in entries and bytes */
  int64_t lo, hi;        /* the source exists for lo <= i < hi */
};

struct box {
  int dims; /* outer to inner */
  struct dim dim[16];
  int64_t sram, dram;
  int64_t inside; /* sram, from where the buffer begins */
  int buffer;
  bool load;
  bool nothing; /* the source exists nowhere in this tile */
  int32_t pad;
  enum tsr__dram_base base;
  int entry; /* bytes in DRAM */
};

/* --- from a nest to a box --------------------------------------------------------------------------- */

/* Where a load or store is, per loop of the nest: elements of a scratchpad, bytes of DRAM. */
static bool flat_index(const struct tsr__walk *w, const struct tsr__nest *nest,
                       const struct tsr__place *place, const tir_e *index, int64_t *base,
                       int64_t step[16])
{
  const struct tir_buffer *b = place->buffer;
  int64_t stride = place->base != BASE_NONE ? (int64_t)tsr_dtype_bytes(b->dtype) : 1;
  *base = 0;
  memset(step, 0, sizeof(int64_t) * 16);
  for (int d = b->rank; d-- > 0; stride *= b->dims[d]) {
    int64_t c0, c[16], by = place->step ? (int64_t)place->step[d] : stride;
    if (!tsr__env_affine(&w->env, index[d], nest->loops, nest->var, &c0, c))
      return false;
    *base += c0 * by;
    for (int k = 0; k < nest->loops; k++)
      step[k] += c[k] * by;
  }
  return true;
}

/* Narrows the valid ranges of the loops to where the condition holds; false when that is no box. */
static bool condition(const struct tsr__walk *w, const struct tsr__nest *nest, tir_e x,
                      struct box *box)
{
  int64_t lo[16], hi[16];
  for (int k = 0; k < nest->loops; k++) {
    lo[k] = box->dim[k].lo;
    hi[k] = box->dim[k].hi;
  }
  bool is_box = tsr__env_box(&w->env, x, nest->loops, nest->var, lo, hi, &box->nothing);
  for (int k = 0; k < nest->loops; k++) {
    box->dim[k].lo = lo[k];
    box->dim[k].hi = hi[k];
  }
  return is_box;
}

static int buffer_of(enum tir_scope scope, bool widens)
{
  switch (scope) {
  case TIR_INP: return TSR_BUFFER_INP;
  case TIR_WGT: return TSR_BUFFER_WGT;
  case TIR_OUT: return TSR_BUFFER_OUT;
  case TIR_LUT_SCOPE: return TSR_BUFFER_LUT;
  default: return widens ? TSR_BUFFER_ACC8 : TSR_BUFFER_ACC;
  }
}

/* Takes the loops inside one entry away; false when they do not run over whole entries. */
static bool whole_entries(struct box *box, int64_t elements, int64_t element_bytes)
{
  int64_t inside = 1;
  for (int k = 0; k < box->dims; k++) /* the smallest step last */
    for (int j = k + 1; j < box->dims; j++)
      if (box->dim[j].sram > box->dim[k].sram) {
        struct dim swap = box->dim[k];
        box->dim[k] = box->dim[j];
        box->dim[j] = swap;
      }
  while (inside < elements) {
    const struct dim *d = box->dims ? &box->dim[box->dims - 1] : NULL;
    if (!d || d->sram != inside || d->dram != inside * element_bytes || d->lo > 0 || d->hi < d->n)
      return false;
    inside *= d->n;
    box->dims--;
  }
  for (int k = 0; k < box->dims; k++) {
    if (box->dim[k].sram % elements)
      return false;
    box->dim[k].sram /= elements;
  }
  return inside == elements && box->sram % elements == 0;
}

static bool unpadded(const struct dim *d)
{
  return d->lo <= 0 && d->hi >= d->n;
}

static void merge(struct box *box)
{
  int n = 0;
  for (int k = 0; k < box->dims; k++)
    if (box->dim[k].n > 1 || !unpadded(&box->dim[k]))
      box->dim[n++] = box->dim[k];
  box->dims = n;
  for (int k = 0; k + 1 < box->dims; k++) {
    struct dim *o = &box->dim[k], *i = o + 1;
    if (!unpadded(o) || !unpadded(i) || o->sram != i->sram * i->n || o->dram != i->dram * i->n ||
        o->n * i->n > UINT16_MAX)
      continue;
    i->n *= o->n;
    i->lo = 0;
    i->hi = i->n;
    memmove(o, i, sizeof *o * (size_t)(box->dims - k - 1));
    box->dims--;
    k = -1;
  }
}

/* --- from a box to instructions --------------------------------------------------------------------- */

/* An x, y, z picture of the innermost dims. Missing dims are 1. */
struct picture {
  struct dim x, y, z;
  int used; /* dims of the box */
};

static const struct dim one = {1, 0, 0, 0, 1};

/* Rows (or planes) of d are `pitch` apart in the scratchpad, `entries` of it: what is loaded of one must reach the
 * next. What is padded behind it is the end of the buffer's row, where nothing is; but the next row's beginning,
 * which may be in use, where this one is not loaded from its beginning. */
static bool covers(const struct box *box, const struct dim *d, int64_t pitch, int64_t entries)
{
  int64_t end = d->hi < d->n ? d->hi : d->n;
  return pitch == d->n ||
         (box->load && pitch > d->n && pitch - end <= MOST_PADDING && box->inside % entries == 0);
}

static bool small_padding(const struct dim *d)
{
  return unpadded(d) || (d->lo < d->hi && d->lo <= MOST_PADDING && d->n - d->hi <= MOST_PADDING);
}

static struct picture picture_of(const struct box *box)
{
  struct picture p = {one, one, one, 0};
  const struct dim *d = box->dim + box->dims; /* one past the innermost */
  if (box->dims > 0 && d[-1].dram == box->entry && d[-1].sram == 1 && small_padding(&d[-1]))
    p.x = d[-1 - p.used++];
  if (box->dims > p.used && small_padding(&d[-1 - p.used]) &&
      covers(box, &p.x, d[-1 - p.used].sram, d[-1 - p.used].sram)) {
    p.y = d[-1 - p.used];
    p.used++;
    int64_t row = p.y.sram;
    if (box->dims > p.used && unpadded(&d[-1 - p.used]) && d[-1 - p.used].sram % row == 0 &&
        covers(box, &p.y, d[-1 - p.used].sram / row, d[-1 - p.used].sram)) {
      p.z = d[-1 - p.used];
      p.used++;
    }
  }
  return p;
}

static void pad_x_y(struct tsr_insn *insn, const struct picture *p)
{
  int64_t row = p->y.n > 1 || p->z.n > 1 ? p->y.sram : p->x.n;
  int64_t plane = p->z.n > 1 ? p->z.sram / row : p->y.n;
  int64_t x_end = p->x.hi < p->x.n ? p->x.hi : p->x.n, y_end = p->y.hi < p->y.n ? p->y.hi : p->y.n;
  int64_t x_lo = p->x.lo > 0 ? p->x.lo : 0, y_lo = p->y.lo > 0 ? p->y.lo : 0;
  insn->dma.nx = (uint32_t)(x_end - x_lo);
  insn->dma.ny = (uint32_t)(y_end - y_lo);
  insn->dma.xl = (uint32_t)x_lo;
  insn->dma.yl = (uint32_t)y_lo;
  insn->dma.xr = (uint32_t)(row - x_end);
  insn->dma.yr = (uint32_t)(plane - y_end);
}

/* A region that is all padding: one entry of the value from the image, the rest padding. */
static void emit_padding(struct tsr__walk *w, const struct box *box)
{
  struct tsr_insn insn = {.opcode = TSR_OP_LOAD};
  uint64_t at = tsr__stream_padding(w->stream, box->pad);
  const struct dim *d = box->dims ? &box->dim[box->dims - 1] : &one;
  bool row = d->sram == 1;
  int64_t runs = row ? (d->n + MOST_PADDING) / (MOST_PADDING + 1) : d->n;
  for (int64_t k = 0; k < runs; k++) {
    int64_t from = row ? k * (MOST_PADDING + 1) : k, left = row ? d->n - from : 1;
    insn.dma.buffer = box->buffer;
    insn.dma.pad = box->pad;
    insn.dma.nx = insn.dma.ny = insn.dma.nz = 1;
    insn.dma.xr = (uint32_t)(left > MOST_PADDING + 1 ? MOST_PADDING : left - 1);
    insn.dma.sram = (uint32_t)(box->sram + from * d->sram);
    insn.dma.dram = at;
    tsr__stream_dma(w->stream, &insn, BASE_CONSTANT);
  }
}

static void emit_box(struct tsr__walk *w, struct box *box);

/* One box per iteration of the outermost loop. */
static void unroll(struct tsr__walk *w, const struct box *box, bool padding)
{
  const struct dim *d = &box->dim[0];
  for (int64_t i = 0; i < d->n; i++) {
    struct box part = *box;
    part.dims--;
    memmove(part.dim, part.dim + 1, sizeof part.dim[0] * (size_t)part.dims);
    part.sram += i * d->sram;
    part.inside += i * d->sram;
    part.dram += i * d->dram;
    if (padding || i < d->lo || i >= d->hi) {
      if (part.dims > 1)
        unroll(w, &part, true);
      else
        emit_padding(w, &part);
    } else {
      emit_box(w, &part);
    }
  }
}

static void emit_box(struct tsr__walk *w, struct box *box)
{
  bool nothing = box->nothing;
  for (int k = 0; k < box->dims; k++)
    nothing |= box->dim[k].hi <= box->dim[k].lo;
  if (nothing) {
    if (box->dims > 1)
      unroll(w, box, true);
    else
      emit_padding(w, box);
    return;
  }
  struct picture p = picture_of(box);
  if (p.used < box->dims) {
    unroll(w, box, false);
    return;
  }
  struct tsr_insn insn = {.opcode = box->load ? TSR_OP_LOAD : TSR_OP_STORE};
  insn.dma.buffer = box->buffer;
  insn.dma.pad = box->pad;
  insn.dma.sram = (uint32_t)box->sram;
  insn.dma.nz = (uint32_t)p.z.n;
  pad_x_y(&insn, &p);
  insn.dma.dram = (uint64_t)(box->dram + insn.dma.xl * p.x.dram + insn.dma.yl * p.y.dram);
  insn.dma.sy = insn.dma.ny > 1 ? (uint64_t)p.y.dram : 0;
  insn.dma.sz = insn.dma.nz > 1 ? (uint64_t)p.z.dram : 0;
  tsr__stream_dma(w->stream, &insn, box->base);
}

/* --- around what is resident ------------------------------------------------------------------------ */

/* A plane: `above` entries of padding, then rows of the map with `beside` between two of them, then `below`. */
struct plane {
  int64_t entries, row, made, above, beside, below;
};

static struct plane plane_of(const struct tsr__place *p)
{
  enum { ROWS = 2, COLUMNS };
  const struct tsr_accel_resident *r = p->resident;
  const int64_t *dims = p->buffer->dims;
  return (struct plane){.entries = dims[ROWS] * dims[COLUMNS],
                        .row = dims[COLUMNS],
                        .made = dims[ROWS] - r->before[0] - r->after[0],
                        .above = r->before[0] * dims[COLUMNS] + r->before[1],
                        .beside = r->before[1] + r->after[1],
                        .below = r->after[0] * dims[COLUMNS] + r->after[1]};
}

/* Vector writes what is between rows, all of it at once, where LOADs would be as many as there are rows. */
static void emit_between_rows(struct tsr__walk *w, const struct plane *f, int64_t planes,
                              int64_t at)
{
  struct tsr_insn insn = {.opcode = TSR_OP_MOV};
  const int64_t n[3] = {planes, f->made - 1, f->beside}, step[3] = {f->entries, f->row, 1};
  struct tsr_uop uop = {.dst = (uint32_t)(at + f->above + f->row - f->beside),
                        .a = (uint32_t)(f->above ? at : at + f->entries - f->below)};
  insn.loop.dst = TSR_DST_INP;
  insn.loop.src = TSR_SRC_INP;
  for (int k = 0; k < 3; k++) {
    insn.loop.n[k] = (uint32_t)n[k];
    insn.loop.step_dst[k] = n[k] > 1 ? (uint32_t)step[k] : 0;
  }
  if (n[1] && n[2])
    tsr__stream_loop(w->stream, &insn, &uop, 1);
}

void tsr__emit_border(struct tsr__walk *w, const struct tsr__place *p)
{
  struct plane f = plane_of(p);
  int64_t planes = p->entries / f.entries, at = p->at[0][0];
  for (int64_t k = 0; k <= planes; k++) {
    /* The end of a plane with the beginning of the next one. */
    struct box run = {.dims = 1,
                      .buffer = TSR_BUFFER_INP,
                      .pad = (int32_t)p->resident->pad,
                      .load = true,
                      .sram = at + k * f.entries - (k ? f.below : 0),
                      .dim = {{.n = (k ? f.below : 0) + (k < planes ? f.above : 0), .sram = 1}}};
    if (run.dim[0].n)
      emit_padding(w, &run);
  }
  emit_between_rows(w, &f, planes, at);
}

/* --- the nest --------------------------------------------------------------------------------------- */

struct copy {                         /* to[..] = inside ? from[..] : pad */
  const struct tir_buffer *to, *from; /* no from: all of it is padding */
  const tir_e *to_index, *from_index;
  tir_e inside; /* or NULL */
  int32_t pad;
  bool widens;
};

static bool copy_of(const struct tir_stmt *store, struct copy *c)
{
  tir_e v = store->store.value;
  *c = (struct copy){.to = store->store.buffer, .to_index = store->store.index};
  if (store->store.combine != TIR_ASSIGN)
    return false;
  if (v->op == TIR_CAST && v->dtype == TSR_I32 && v->arg[0]->dtype == TSR_I8) {
    c->widens = true;
    v = v->arg[0];
  }
  if (v->op == TIR_SELECT && v->arg[2]->op == TIR_INT) {
    c->inside = v->arg[0];
    c->pad = (int32_t)v->arg[2]->i;
    v = v->arg[1];
  }
  if (v->op == TIR_INT && !c->inside && v->i >= INT8_MIN && v->i <= INT8_MAX) {
    c->pad = (int32_t)v->i;
    c->widens = c->to->dtype == TSR_I32;
    return true;
  }
  if (v->op != TIR_LOAD)
    return false;
  c->from = v->buffer;
  c->from_index = v->arg;
  return true;
}

/* The box of a copy whose windows all lie outside of the tensor: padding, one byte an element. */
static enum tsr_status padding_of(struct tsr__walk *w, const struct tsr__nest *nest,
                                  const struct copy *c, const struct tsr__place *sram,
                                  struct box *box)
{
  int64_t step[16];
  *box = (struct box){.dims = nest->loops,
                      .load = true,
                      .nothing = true,
                      .pad = c->pad,
                      .base = BASE_CONSTANT,
                      .entry = (int)sram->entry_elements,
                      .buffer = buffer_of(sram->buffer->scope, c->widens)};
  if (!flat_index(w, nest, sram, c->to_index, &box->sram, step))
    return tsr_refuse(w->err, "the padding of %s is not an affine function of its loops",
                      c->to->name);
  for (int k = 0; k < nest->loops; k++)
    box->dim[k] = (struct dim){nest->extent[k], step[k], step[k], 0, nest->extent[k]};
  if (!whole_entries(box, sram->entry_elements, 1))
    return tsr_refuse(w->err, "the padding of %s is not of whole entries", c->to->name);
  box->sram /= sram->entry_elements;
  merge(box);
  return TSR_OK;
}

static enum tsr_status box_of(struct tsr__walk *w, const struct tsr__nest *nest,
                              const struct copy *c, const struct tsr__place *sram,
                              const struct tsr__place *dram, struct box *box)
{
  int64_t sram_step[16], dram_step[16];
  bool load = sram->buffer == c->to;
  int64_t element = (int64_t)tsr_dtype_bytes(dram->buffer->dtype);
  *box = (struct box){.dims = nest->loops,
                      .load = load,
                      .base = dram->base,
                      .pad = c->pad,
                      .buffer = buffer_of(sram->buffer->scope, c->widens),
                      .entry = (int)(sram->entry_elements * element)};
  if (!flat_index(w, nest, sram, load ? c->to_index : c->from_index, &box->sram, sram_step) ||
      !flat_index(w, nest, dram, load ? c->from_index : c->to_index, &box->dram, dram_step))
    return tsr_refuse(w->err, "a copy of %s is not an affine function of its loops", c->from->name);
  box->dram += (int64_t)dram->dram;
  for (int k = 0; k < nest->loops; k++)
    box->dim[k] = (struct dim){nest->extent[k], sram_step[k], dram_step[k], 0, nest->extent[k]};
  if (c->inside && !condition(w, nest, c->inside, box))
    return tsr_refuse(w->err, "the padding of %s is not a box", c->from->name);
  for (int k = 0; k < nest->loops; k++)
    if (box->dim[k].dram < 0 || box->dim[k].sram < 0)
      return tsr_refuse(w->err, "a copy of %s runs backwards", c->from->name);
  if (!whole_entries(box, sram->entry_elements, element))
    return tsr_refuse(w->err, "a copy between %s and %s does not move whole entries", c->from->name,
                      c->to->name);
  box->sram /= sram->entry_elements;
  merge(box);
  return TSR_OK;
}

enum tsr_status tsr__emit_copy(struct tsr__walk *w, const struct tsr__nest *nest)
{
  struct copy c;
  struct box box;
  if (!copy_of(nest->leaf, &c))
    return tsr_refuse(w->err, "a statement on %s is neither a copy nor tensorized",
                      nest->leaf->store.buffer->name);
  struct tsr__place *to = tsr__walk_place(w, c.to),
                    *from = c.from ? tsr__walk_place(w, c.from) : NULL;
  if (from ? (to->base == BASE_NONE) == (from->base == BASE_NONE) : to->base != BASE_NONE)
    return tsr_refuse(w->err, "a copy from %s to %s is not between DRAM and a scratchpad",
                      from ? c.from->name : "a constant", c.to->name);
  bool load = !from || from->base != BASE_NONE;
  struct tsr__place *sram = load ? to : from;
  enum tsr_status status = from ? box_of(w, nest, &c, sram, load ? from : to, &box)
                                : padding_of(w, nest, &c, sram, &box);
  if (status)
    return status;
  int copies = sram->filled_by_dma && sram->buffer->scope == TIR_ACC && w->both_banks ? 2 : 1;
  int64_t offset = box.inside = box.sram;
  int first = copies > 1 ? tsr__walk_bank(w) : 0; /* which is wanted, and free, first */
  for (int k = 0; k < (sram->once ? 1 : copies); k++) {
    int bank = (first + k) % copies;
    box.sram = offset + sram->at[sram->instance % sram->depth][bank];
    struct box part = box;
    emit_box(w, &part);
  }
  return TSR_OK;
}

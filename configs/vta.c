/* SPDX-License-Identifier: Apache-2.0 */
/* VTA's vta_config.json as a design point. VTA writes logarithms; what it has no key for (queues,
 * tokens, bursts, tables) is taken from the standing point `default`. */
#include <inttypes.h>
#include <string.h>

#include "configs/design.h"
#include "configs/json.h"

struct vta {
  int inp_width, wgt_width, acc_width, out_width;
  int batch, block, block_in, block_out;
  int uop_buff, inp_buff, wgt_buff, acc_buff, out_buff;
};

enum { UNSET = -1, LARGEST_LOG = 28 };

static const struct row {
  const char *key;
  size_t member;
  bool required;
} rows[] = {
    {"LOG_INP_WIDTH", offsetof(struct vta, inp_width), true},
    {"LOG_WGT_WIDTH", offsetof(struct vta, wgt_width), true},
    {"LOG_ACC_WIDTH", offsetof(struct vta, acc_width), true},
    {"LOG_OUT_WIDTH", offsetof(struct vta, out_width), false},
    {"LOG_BATCH", offsetof(struct vta, batch), true},
    {"LOG_BLOCK", offsetof(struct vta, block), false},
    {"LOG_BLOCK_IN", offsetof(struct vta, block_in), false},
    {"LOG_BLOCK_OUT", offsetof(struct vta, block_out), false},
    {"LOG_UOP_BUFF_SIZE", offsetof(struct vta, uop_buff), true},
    {"LOG_INP_BUFF_SIZE", offsetof(struct vta, inp_buff), true},
    {"LOG_WGT_BUFF_SIZE", offsetof(struct vta, wgt_buff), true},
    {"LOG_ACC_BUFF_SIZE", offsetof(struct vta, acc_buff), true},
    {"LOG_OUT_BUFF_SIZE", offsetof(struct vta, out_buff), false},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static enum tsr_status check_names(struct tsr_err *err, const char *name,
                                   const struct tsr__json *json)
{
  const char *names[ROWS + 2] = {"TARGET", "HW_VER"};
  for (int i = 0; i < ROWS; i++)
    names[i + 2] = rows[i].key;
  for (int i = 0; i < json->count; i++) {
    const struct tsr__json_member *m = &json->members[i];
    int k = 0;
    while (k < ROWS + 2 && strcmp(m->key, names[k]))
      k++;
    if (k < ROWS + 2)
      continue;
    const char *near = tsr_nearest(m->key, names, ROWS + 2);
    return tsr_refuse(err, "%s:%d: unknown VTA key '%s'%s%s%s", name, m->line, m->key,
                      near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
  }
  return TSR_OK;
}

static enum tsr_status read_rows(struct tsr_err *err, const char *name,
                                 const struct tsr__json *json, struct vta *vta)
{
  for (int i = 0; i < ROWS; i++) {
    const struct tsr__json_member *m = tsr__json_find(json, -1, rows[i].key);
    int v = UNSET;
    if (!m && rows[i].required)
      return tsr_refuse(err, "%s:%d: VTA key '%s' is missing", name, json->end_line, rows[i].key);
    if (m && (m->kind != TSR__JSON_NUMBER || m->number < 0 || m->number > LARGEST_LOG))
      return tsr_refuse(err, "%s:%d: %s must be a whole number from 0 to %d, a logarithm", name,
                        m->line, rows[i].key, LARGEST_LOG);
    if (m)
      v = (int)m->number;
    memcpy((char *)vta + rows[i].member, &v, sizeof v);
  }
  return TSR_OK;
}

static enum tsr_status check_width(struct tsr_err *err, const char *name,
                                   const struct tsr__json *json, const char *key, int log,
                                   int wanted)
{
  const struct tsr__json_member *m = tsr__json_find(json, -1, key);
  if (log == wanted)
    return TSR_OK;
  return tsr_refuse(err, "%s:%d: %s is %d, %d bits; Tessera computes with %d bits there, %d", name,
                    m ? m->line : json->end_line, key, log, 1 << log, 1 << wanted, wanted);
}

static enum tsr_status check_widths(struct tsr_err *err, const char *name,
                                    const struct tsr__json *json, const struct vta *vta)
{
  int out = vta->out_width == UNSET ? 3 : vta->out_width;
  if (check_width(err, name, json, "LOG_INP_WIDTH", vta->inp_width, 3) ||
      check_width(err, name, json, "LOG_WGT_WIDTH", vta->wgt_width, 3) ||
      check_width(err, name, json, "LOG_ACC_WIDTH", vta->acc_width, 5))
    return TSR_REFUSED;
  return check_width(err, name, json, "LOG_OUT_WIDTH", out, 3);
}

/* Newer files say LOG_BLOCK, older ones LOG_BLOCK_IN and LOG_BLOCK_OUT; all that are there must agree. */
static enum tsr_status read_block(struct tsr_err *err, const char *name,
                                  const struct tsr__json *json, const struct vta *vta, int *block)
{
  int in = vta->block_in == UNSET ? vta->block : vta->block_in;
  int out = vta->block_out == UNSET ? vta->block : vta->block_out;
  if (in == UNSET || out == UNSET)
    return tsr_refuse(err, "%s:%d: VTA key 'LOG_BLOCK' is missing", name, json->end_line);
  if (in != out || (vta->block != UNSET && vta->block != in))
    return tsr_refuse(err, "%s: LOG_BLOCK_IN and LOG_BLOCK_OUT differ; Tessera's blocks are square",
                      name);
  *block = in;
  return TSR_OK;
}

/* VTA's 64-bit bus, or the widest one that an entry of the point fills. */
static int axi_bits(int log_entry)
{
  return log_entry >= 3 ? 64 : 32;
}

static char *write_json(struct tsr_arena *arena, const struct vta *vta, int block,
                        const struct tsr_design *base)
{
  struct tsr_text text = {.arena = arena};
  struct tsr_design d = *base;
  d.batch = 1 << vta->batch;
  d.block_in = d.block_out = 1 << block;
  d.uop_bytes = (1 << vta->uop_buff) / 4 *
                TSR_UOP_BYTES; /* as many micro-ops; VTA's have 4 bytes */
  d.inp_bytes = 1 << vta->inp_buff;
  d.wgt_bytes = 1 << vta->wgt_buff;
  d.acc_bytes = 1 << vta->acc_buff;
  d.out_bytes = 1 << vta->out_buff;
  d.axi_data_bits = axi_bits(vta->batch + block);
  tsr_text_add(&text, "{\n");
#define TSR_KEY(key, smallest, largest, unit, meaning)                                             \
  tsr_text_add(&text, "  \"%s\": %d,\n", #key, d.key);
#include "configs/keys.def"
#undef TSR_KEY
  tsr_text_add(&text, "  \"memory\": {\"model\": \"ideal\"}\n}\n");
  return text.data;
}

enum tsr_status tsr_design_import_vta(struct tsr_arena *arena, struct tsr_err *err,
                                      const char *name, const char *text, char **json)
{
  struct tsr__json read;
  struct vta vta;
  struct tsr_design base, made;
  int block = 0;
  if (tsr__json_parse(err, name, text, &read) || check_names(err, name, &read) ||
      read_rows(err, name, &read, &vta) || check_widths(err, name, &read, &vta) ||
      read_block(err, name, &read, &vta, &block))
    return TSR_REFUSED;
  if (vta.out_buff == UNSET) /* as VTA derives it: as many results as accumulators */
    vta.out_buff = vta.acc_buff < 2 ? 0 : vta.acc_buff - 2;
  if (tsr_design_parse(err, "default", tsr_design_json("default"), &base))
    return TSR_REFUSED;
  char *out = write_json(arena, &vta, block, &base);
  if (tsr_design_parse(err, "as a design point", out, &made))
    return tsr_refuse_at(err, "%s", name);
  *json = out;
  return TSR_OK;
}

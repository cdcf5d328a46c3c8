/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/dram/rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BOUNDARY_BYTES = 4096 };

static void complain(struct tsr__axi_rules *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void complain(struct tsr__axi_rules *r, const char *format, ...)
{
  if (r->text[0])
    return;
  int n = snprintf(r->text, sizeof r->text, "bus cycle %" PRIu64 ": ", r->cycle);
  va_list args;
  va_start(args, format);
  vsnprintf(r->text + n, sizeof r->text - (size_t)n, format, args);
  va_end(args);
}

static bool same_address(const struct tsr_axi_address *a, const struct tsr_axi_address *b)
{
  return a->addr == b->addr && a->id == b->id && a->len == b->len && a->size == b->size &&
         a->burst == b->burst;
}

static void check_address(struct tsr__axi_rules *r, const char *channel,
                          const struct tsr_axi_address *now, bool held,
                          const struct tsr_axi_address *last)
{
  uint64_t beat = (uint64_t)r->beat_bytes, bytes = ((uint64_t)now->len + 1) * beat;
  if (held && !now->valid)
    complain(r, "%s: valid fell before ready came", channel);
  if (!now->valid)
    return;
  if (held && !same_address(now, last))
    complain(r, "%s: the burst changed before ready came", channel);
  if (UINT64_C(1) << now->size != beat)
    complain(r, "%s: size %d of a beat, on a bus of %d bytes", channel, now->size, r->beat_bytes);
  if (now->burst != TSR_AXI_INCR)
    complain(r, "%s: burst type %d, which is not INCR", channel, now->burst);
  if (now->addr % beat)
    complain(r, "%s: address 0x%" PRIx64 " does not start on a beat", channel, now->addr);
  if (now->addr % BOUNDARY_BYTES + bytes > BOUNDARY_BYTES)
    complain(r, "%s: %" PRIu64 " bytes from 0x%" PRIx64 " cross a boundary of %d bytes", channel,
             bytes, now->addr, BOUNDARY_BYTES);
}

static void check_data(struct tsr__axi_rules *r, const struct tsr_axi_master *now)
{
  size_t bytes = (size_t)r->beat_bytes;
  if (!r->w_held)
    return;
  if (!now->w_valid)
    complain(r, "w: valid fell before ready came");
  else if (now->w_last != r->last.w_last || memcmp(now->w_data, r->last.w_data, bytes) ||
           memcmp(now->w_strb, r->last.w_strb, (bytes + 7) / 8))
    complain(r, "w: the beat changed before ready came");
}

void tsr__axi_rules_cycle(struct tsr__axi_rules *r, const struct tsr_axi_master *master,
                          const struct tsr_axi_slave *slave)
{
  check_address(r, "ar", &master->ar, r->ar_held, &r->last.ar);
  check_address(r, "aw", &master->aw, r->aw_held, &r->last.aw);
  check_data(r, master);
  r->ar_held = master->ar.valid && !slave->ar_ready;
  r->aw_held = master->aw.valid && !slave->aw_ready;
  r->w_held = master->w_valid && !slave->w_ready;
  if (tsr__axi_rules_wait(r))
    r->last = *master;
}

void tsr__axi_rules_beat(struct tsr__axi_rules *r, bool is_last, int beat, int beats)
{
  if (is_last != (beat + 1 == beats))
    complain(r, "w: last is %d in beat %d of a burst of %d", is_last, beat + 1, beats);
}

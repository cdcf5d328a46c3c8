/* SPDX-License-Identifier: Apache-2.0 */
#include "configs/ddr.h"

#include <stddef.h>
#include <string.h>

#define TSR_DDR_TICKS(tCK, ps, least)                                                              \
  (((ps) + (tCK)-1) / (tCK) > (least) ? ((ps) + (tCK)-1) / (tCK) : (least))

const char *const tsr_ddr_order_names[] = {"fcfs", "frfcfs"};

static const char *const names[] = {
#define TSR_DDR_SET(name, ...) name,
#include "configs/ddr_sets.def"
#undef TSR_DDR_SET
    NULL,
};

static const struct tsr_ddr sets[] = {
#define TSR_DDR_SET(name, ...) {.order = TSR_DDR_FRFCFS, __VA_ARGS__},
#include "configs/ddr_sets.def"
#undef TSR_DDR_SET
};

const char *const *tsr_ddr_set_names(void)
{
  return names;
}

const struct tsr_ddr *tsr_ddr_set(const char *name)
{
  for (int k = 0; names[k]; k++)
    if (!strcmp(names[k], name))
      return &sets[k];
  return NULL;
}

static enum tsr_status check_ranges(struct tsr_err *err, const struct tsr_ddr *d, const char **at)
{
#define TSR_DDR_KEY(key, smallest, largest, unit, meaning)                                         \
  *at = #key;                                                                                      \
  if (d->key < (smallest) || d->key > (largest))                                                   \
    return tsr_refuse(err, #key " is %d, outside of %d to %d", d->key, smallest, largest);
#include "configs/ddr.def"
#undef TSR_DDR_KEY
  return TSR_OK;
}

static enum tsr_status check_powers(struct tsr_err *err, const struct tsr_ddr *d, const char **at)
{
  const struct {
    const char *key;
    int value;
  } list[] = {
      {"bus_bits", d->bus_bits}, {"row_bytes", d->row_bytes}, {"burst_length", d->burst_length}};
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    *at = list[i].key;
    if (list[i].value & (list[i].value - 1))
      return tsr_refuse(err, "%s is %d, no power of two", list[i].key, list[i].value);
  }
  *at = "row_bytes";
  int access = d->bus_bits / 8 * d->burst_length;
  if (access > d->row_bytes)
    return tsr_refuse(err, "row_bytes is %d, less than the %d bytes of an access", d->row_bytes,
                      access);
  return TSR_OK;
}

static enum tsr_status check_rows(struct tsr_err *err, const struct tsr_ddr *d, const char **at)
{
  *at = "tRAS";
  if (d->tRAS < d->tRCD)
    return tsr_refuse(err, "tRAS is %d, less than tRCD, %d: a row would close before it is read",
                      d->tRAS, d->tRCD);
  *at = "tRC";
  if (d->tRC < d->tRAS + d->tRP)
    return tsr_refuse(
        err,
        "tRC is %d, less than the %d of tRAS and tRP: a row would open before the one "
        "before it is closed",
        d->tRC, d->tRAS + d->tRP);
  *at = "tFAW";
  if (d->tFAW < d->tRRD)
    return tsr_refuse(err, "tFAW is %d, less than tRRD, %d, the time of one opening of its four",
                      d->tFAW, d->tRRD);
  *at = "tREFI";
  if (d->tREFI <= d->tRFC)
    return tsr_refuse(err, "tREFI is %d and tRFC %d: nothing but refreshes would be done", d->tREFI,
                      d->tRFC);
  return TSR_OK;
}

/* No two accesses have the pins at once. */
static enum tsr_status check_pins(struct tsr_err *err, const struct tsr_ddr *d, const char **at)
{
  int data = d->burst_length / 2;
  *at = "tCCD";
  if (d->tCCD < data)
    return tsr_refuse(err, "tCCD is %d, less than the %d ticks that the data of an access takes",
                      d->tCCD, data);
  *at = "tRTW";
  if (d->tRTW < d->tCL + data - d->tCWL)
    return tsr_refuse(err,
                      "tRTW is %d, less than %d: the data of a write would meet that of a read "
                      "before it",
                      d->tRTW, d->tCL + data - d->tCWL);
  return TSR_OK;
}

enum tsr_status tsr_ddr_check(struct tsr_err *err, const struct tsr_ddr *ddr, const char **key)
{
  const char *unused;
  const char **at = key ? key : &unused;
  if (check_ranges(err, ddr, at) || check_powers(err, ddr, at) || check_rows(err, ddr, at))
    return TSR_REFUSED;
  return check_pins(err, ddr, at);
}

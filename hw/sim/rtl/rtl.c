/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, resetting, and the host's side of the register port. Its ready signals are always high,
 * so that an answer is taken at the end of the cycle that shows it. */
#include "hw/sim/rtl/rtl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/sim/rtl/machine.h"

enum { RESET_CYCLES = 4, LONGEST_ANSWER = 1000, LONGEST_CLEAR = 1 << 20 };
enum { MACHINE_ID = 0x41525354, CONTROL_RESET = 2, STATUS_CLEARING = 2 };
enum { LEAST_WAVE = 1 << 20 }; /* bytes that a waveform must have room for */
#define LARGEST_WINDOW UINT64_C(0x1ffffffff)

/* --- registers -------------------------------------------------------------------------------- */

bool tsr_rtl_write_register(struct tsr_rtl *rtl, uint32_t offset, uint32_t value)
{
  struct tsr__rtl_pins *p = &rtl->pins;
  p->awvalid = p->wvalid = 1;
  p->awaddr = (uint16_t)offset;
  p->wdata = value;
  p->wstrb = 15;
  int wait = 0;
  do {
    bool address = p->awvalid && p->awready, data = p->wvalid && p->wready;
    tsr__rtl_step(rtl);
    p->awvalid = p->awvalid && !address;
    p->wvalid = p->wvalid && !data;
  } while ((p->awvalid || p->wvalid || !p->bvalid) && ++wait < LONGEST_ANSWER);
  p->awvalid = p->wvalid = 0;
  return p->bvalid && p->bresp == TSR_AXI_OKAY;
}

bool tsr_rtl_read_register(struct tsr_rtl *rtl, uint32_t offset, uint32_t *value)
{
  struct tsr__rtl_pins *p = &rtl->pins;
  p->arvalid = 1;
  p->araddr = (uint16_t)offset;
  int wait = 0;
  do {
    bool address = p->arvalid && p->arready;
    tsr__rtl_step(rtl);
    p->arvalid = p->arvalid && !address;
  } while ((p->arvalid || !p->rvalid) && ++wait < LONGEST_ANSWER);
  p->arvalid = 0;
  *value = p->rdata;
  return p->rvalid && p->rresp == TSR_AXI_OKAY;
}

/* --- resets ----------------------------------------------------------------------------------- */

static void await_clear(struct tsr_rtl *rtl)
{
  uint32_t status = STATUS_CLEARING;
  for (int i = 0; i < LONGEST_CLEAR && status & STATUS_CLEARING; i++)
    tsr_rtl_read_register(rtl, TSR_REG_STATUS, &status);
}

static void reset_by_pin(struct tsr_rtl *rtl)
{
  tsr_dram_restart(rtl->dram);
  rtl->pins.rst_n = 0;
  rtl->pins.bready = rtl->pins.rready = 1;
  for (int i = 0; i < RESET_CYCLES; i++)
    rtl->code.cycle(rtl->model, &rtl->pins);
  rtl->pins.rst_n = 1;
  rtl->code.cycle(rtl->model, &rtl->pins);
  await_clear(rtl);
}

void tsr_rtl_reset(struct tsr_rtl *rtl)
{
  if (rtl->stuck)
    reset_by_pin(rtl);
  else
    tsr_rtl_write_register(rtl, TSR_REG_CONTROL, CONTROL_RESET);
  await_clear(rtl);
  rtl->stuck = false;
}

/* --- opening ---------------------------------------------------------------------------------- */

struct tsr_rtl_options tsr_rtl_defaults(const struct tsr_design *design)
{
  return (struct tsr_rtl_options){.dram = tsr_dram_defaults(design)};
}

/* Is this the RTL of that design point? */
static enum tsr_status check_identity(struct tsr_rtl *rtl, struct tsr_err *err)
{
  uint32_t id = 0, low = 0, high = 0;
  bool read = tsr_rtl_read_register(rtl, TSR_REG_ID, &id) &&
              tsr_rtl_read_register(rtl, TSR_REG_HASH_LO, &low) &&
              tsr_rtl_read_register(rtl, TSR_REG_HASH_HI, &high);
  uint64_t hash = (uint64_t)high << 32 | low;
  if (read && id == MACHINE_ID && hash == rtl->design.hash)
    return TSR_OK;
  return tsr_refuse(err,
                    "the RTL model tells ID 0x%08" PRIx32 " and the design point's hash %016" PRIx64
                    " where 0x%08x and %016" PRIx64 " are expected",
                    id, hash, MACHINE_ID, rtl->design.hash);
}

/* What writes waveforms crashes where its first pages find no room: so there must be some. */
static enum tsr_status check_room(struct tsr_err *err, const char *path)
{
  char trial[PATH_MAX];
  if (snprintf(trial, sizeof trial, "%s.room", path) >= (int)sizeof trial)
    return tsr_refuse(err, "%.80s...: the file name is too long", path);
  int fd = open(trial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  int failed = fd < 0 ? errno : posix_fallocate(fd, 0, LEAST_WAVE);
  if (fd >= 0) {
    close(fd);
    unlink(trial);
  }
  return failed ? tsr_refuse(err, "%s: there is no room for a waveform of %d bytes: %s", path,
                             LEAST_WAVE, strerror(failed))
                : TSR_OK;
}

/* Leaves a file that is there as it is. Verilator removes it before it writes: no device, then. */
static enum tsr_status check_wave(struct tsr_err *err, const char *path)
{
  struct stat st;
  if (!path)
    return TSR_OK;
  bool there = stat(path, &st) == 0;
  if (there && !S_ISREG(st.st_mode))
    return tsr_refuse(err, "%s: is no regular file, and a waveform is one", path);
  FILE *f = fopen(path, "ab");
  if (!f)
    return tsr_refuse(err, "%s: cannot be written: %s", path, strerror(errno));
  fclose(f);
  if (!there)
    remove(path);
  return check_room(err, path);
}

static enum tsr_status check_options(struct tsr_err *err, const struct tsr_rtl_options *o,
                                     size_t window_bytes)
{
  if (window_bytes > LARGEST_WINDOW)
    return tsr_refuse(err,
                      "a window of %zu bytes is more than the %" PRIu64 " that the machine reaches",
                      window_bytes, LARGEST_WINDOW);
  if (tsr_dram_check(err, &o->dram))
    return TSR_REFUSED;
  return check_wave(err, o->wave.path);
}

/* What needs no arena: so that it can be taken back on every way. */
static enum tsr_status start(struct tsr_rtl *rtl, struct tsr_err *err, uint8_t *window)
{
  const struct tsr_allocator *allocator = tsr_arena_allocator(rtl->arena);
  rtl->dram = tsr_dram_new(allocator, &rtl->options.dram, tsr_design_beat(&rtl->design));
  if (!rtl->dram)
    return tsr_no_memory(err);
  rtl->model = rtl->code.make(rtl->wave_path);
  if (!rtl->model)
    return tsr_refuse(err, "the RTL model does not start: memory runs out, or %s cannot be written",
                      rtl->wave_path ? rtl->wave_path : "nothing");
  tsr_dram_map(rtl->dram, 0, 0, window, rtl->window_bytes);
  reset_by_pin(rtl);
  return check_identity(rtl, err);
}

static void stop(struct tsr_rtl *rtl)
{
  if (rtl->model)
    rtl->code.free(rtl->model);
  tsr_dram_free(rtl->dram);
  tsr__rtl_model_close(&rtl->code);
}

static enum tsr_status load(struct tsr_rtl *rtl, struct tsr_err *err, const char *library)
{
  const struct tsr_rtl_options *o = &rtl->options;
  if (library)
    return tsr__rtl_model_load(err, library, &rtl->code);
  struct tsr__rtl_wish wish = {&rtl->design, o->wave.path != NULL, o->cache, o->say, o->context};
  return tsr__rtl_model_open(rtl->arena, err, &wish, &rtl->code);
}

enum tsr_status tsr__rtl_open_library(const struct tsr_allocator *allocator, struct tsr_err *err,
                                      const struct tsr_design *design,
                                      const struct tsr_rtl_options *options, const char *library,
                                      uint8_t *window, size_t window_bytes, struct tsr_rtl **out)
{
  enum tsr_status status = check_options(err, options, window_bytes);
  if (status)
    return status;
  struct tsr_arena *arena = tsr_arena_new(allocator);
  if (!arena || setjmp(*tsr_arena_landing(arena))) {
    tsr_arena_free(arena);
    return tsr_no_memory(err);
  }
  struct tsr_rtl *rtl = TSR_NEW(arena, struct tsr_rtl);
  rtl->arena = arena;
  rtl->design = *design;
  rtl->options = *options;
  rtl->window_bytes = window_bytes;
  rtl->uops = tsr_arena_alloc(arena, (size_t)design->uop_bytes);
  if (options->wave.path)
    rtl->wave_path = tsr_arena_strdup(arena, options->wave.path);
  status = load(rtl, err, library);
  if (!status)
    status = start(rtl, err, window);
  if (status) {
    stop(rtl);
    tsr_arena_free(arena);
    return status;
  }
  *out = rtl;
  return TSR_OK;
}

enum tsr_status tsr_rtl_open(const struct tsr_allocator *allocator, struct tsr_err *err,
                             const struct tsr_design *design, const struct tsr_rtl_options *options,
                             uint8_t *window, size_t window_bytes, struct tsr_rtl **out)
{
  return tsr__rtl_open_library(allocator, err, design, options, NULL, window, window_bytes, out);
}

void tsr_rtl_close(struct tsr_rtl *rtl)
{
  if (!rtl)
    return;
  stop(rtl);
  tsr_arena_free(rtl->arena);
}

/* --- looking in ------------------------------------------------------------------------------- */

void tsr_rtl_peek(struct tsr_rtl *rtl, int buffer, uint32_t entry, void *out)
{
  rtl->code.peek(rtl->model, buffer, entry, out);
}

void tsr_rtl_set_wave(struct tsr_rtl *rtl, const struct tsr_rtl_wave *wave)
{
  rtl->options.wave = *wave;
}

uint64_t tsr_rtl_wave_cycles(const struct tsr_rtl *rtl)
{
  return rtl->waved;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One memory, two faces: a random master on the pins, cycle by cycle, and the same one burst by
 * burst see every transfer in the same cycle, under every kind of trouble. */
#include "tests/dram/master.h"

enum { BURSTS = 150, MOST_TRANSFERS = 2 * BURSTS * 18, SEEDS = 20 };

struct transfer {
  uint64_t cycle;
  int channel, id, error;
};

struct log {
  struct transfer list[MOST_TRANSFERS];
  int count;
};

/* What a master wants to do. When it does what is a function of seed and cycle, so that both ways
 * of asking meet the same one. */
struct plan {
  uint64_t seed;
  struct burst reads[BURSTS], writes[BURSTS];
  int outstanding;    /* bursts, of reads, and of writes */
  int r_lazy, w_lazy; /* in 256 */
  int beat_bytes;
  uint8_t window[1 << 14];
};

/* What both ways keep of it. */
struct walk {
  const struct plan *plan;
  struct log *log;
  struct tsr_dram *dram;
  uint64_t cycle;
  int reads, reads_done, writes, writes_full, answers; /* addresses accepted, and ended */
  int beat;                                            /* of the write at work */
  uint64_t read_from, write_from, beat_from;           /* the next of them may be shown */
};

static uint64_t hash(uint64_t seed, uint64_t a, uint64_t b)
{
  uint64_t state = seed * 31 + a * 1000003 + b * 7919;
  next_random(&state);
  return next_random(&state) >> 8;
}

static bool r_ready(const struct plan *p, uint64_t cycle)
{
  return (int)(hash(p->seed, 1, cycle) & 255) >= p->r_lazy;
}

static bool shows_read(const struct walk *w)
{
  const struct plan *p = w->plan;
  return w->reads < BURSTS && w->reads - w->reads_done < p->outstanding &&
         w->cycle >= w->read_from && w->cycle >= p->reads[w->reads].from;
}

static bool shows_write(const struct walk *w)
{
  const struct plan *p = w->plan;
  return w->writes < BURSTS && w->writes - w->answers < p->outstanding &&
         w->cycle >= w->write_from && w->cycle >= p->writes[w->writes].from;
}

static void note(struct walk *w, int channel, int id, int error)
{
  assert_true(w->log->count < MOST_TRANSFERS);
  w->log->list[w->log->count++] = (struct transfer){w->cycle, channel, id, error};
}

static void read_accepted(struct walk *w)
{
  note(w, TSR_AXI_AR, w->plan->reads[w->reads].id, 0);
  w->reads++;
  w->read_from = w->cycle + 1;
}

static void write_accepted(struct walk *w)
{
  note(w, TSR_AXI_AW, 0, 0);
  w->writes++;
  w->write_from = w->cycle + 1;
}

static void beat_written(struct walk *w)
{
  const struct plan *p = w->plan;
  note(w, TSR_AXI_W, 0, 0);
  bool lazy = (int)(hash(p->seed, 2, w->cycle) & 255) < p->w_lazy;
  w->beat_from = w->cycle + 1 + (lazy ? hash(p->seed, 3, w->cycle) % 9 : 0);
  if (++w->beat == p->writes[w->writes_full].beats) {
    w->beat = 0;
    w->writes_full++;
  }
}

static bool ended(const struct walk *w)
{
  assert_true(w->cycle < LONGEST_RUN);
  return w->reads_done == BURSTS && w->answers == BURSTS;
}

/* --- on the pins ------------------------------------------------------------------------------ */

static struct tsr_axi_address address(const struct plan *p, const struct burst *b)
{
  return (struct tsr_axi_address){.addr = b->addr,
                                  .valid = 1,
                                  .id = (uint8_t)b->id,
                                  .len = (uint8_t)(b->beats - 1),
                                  .size = (uint8_t)__builtin_ctz((unsigned)p->beat_bytes),
                                  .burst = TSR_AXI_INCR};
}

static void show(const struct walk *w, struct tsr_axi_master *m)
{
  const struct plan *p = w->plan;
  *m = (struct tsr_axi_master){.r_ready = r_ready(p, w->cycle), .b_ready = 1};
  if (shows_read(w))
    m->ar = address(p, &p->reads[w->reads]);
  if (shows_write(w))
    m->aw = address(p, &p->writes[w->writes]);
  m->w_valid = w->writes_full < w->writes + m->aw.valid && w->cycle >= w->beat_from;
  if (m->w_valid)
    m->w_last = w->beat + 1 == p->writes[w->writes_full].beats;
  memset(m->w_strb, 0xff, sizeof m->w_strb);
}

static void play_pins(struct walk *w)
{
  struct tsr_axi_master m;
  struct tsr_axi_slave s;
  for (; !ended(w); w->cycle++) {
    show(w, &m);
    int read_done = 0, answer = 0;
    tsr_dram_cycle(w->dram, &m, &s);
    if (s.b_valid) {
      note(w, TSR_AXI_B, 0, s.b_resp != TSR_AXI_OKAY);
      answer = 1;
    }
    if (s.r_valid && m.r_ready) {
      note(w, TSR_AXI_R, s.r_id, s.r_resp != TSR_AXI_OKAY);
      read_done = s.r_last;
    }
    if (m.ar.valid && s.ar_ready)
      read_accepted(w);
    if (m.aw.valid && s.aw_ready)
      write_accepted(w);
    if (m.w_valid && s.w_ready)
      beat_written(w);
    w->answers += answer; /* what it sees of them now it knows in the next cycle */
    w->reads_done += read_done;
  }
  assert_null(tsr_dram_complaint(w->dram));
}

/* --- burst by burst --------------------------------------------------------------------------- */

struct side {
  struct walk walk;
  struct tsr_burst_port port;
  struct tsr_burst_run read, write;
  struct tsr_burst_answer answer;
  int read_taken, write_taken;          /* beats of the run, */
  bool has_read, has_write, has_answer; /* which was told */
  uint64_t ask_read, ask_answer;        /* not before, but for news */
  uint64_t read_free;                   /* R is, from this cycle on */
  uint64_t promised[TSR_AXI_CHANNELS];  /* an address will be accepted then; 0: not known */
  struct tsr_beats
      at_once[BURSTS + 1]; /* of reads in their order: known when accepted; per 0: not */
  int ids[BURSTS], beats[BURSTS];
  int begun, come;       /* reads accepted; whose last beats were taken */
  uint64_t ends[BURSTS]; /* the last beats of reads, */
  int end_count;         /* of so many, some of them ahead of time */
};

static bool take_answer(struct side *s)
{
  struct walk *w = &s->walk;
  if (!s->has_answer && w->cycle >= s->ask_answer) {
    s->port.next_answer(s->port.context, w->cycle, &s->answer);
    s->has_answer = s->answer.known;
    s->ask_answer = s->has_answer ? 0 : s->answer.look_again;
    assert_true(s->has_answer || s->ask_answer > w->cycle);
  }
  if (!s->has_answer || s->answer.cycle != w->cycle)
    return false;
  s->port.take_answer(s->port.context);
  s->has_answer = false;
  note(w, TSR_AXI_B, 0, s->answer.error);
  return true;
}

static bool more(const struct tsr_burst_run *run, int taken, uint64_t cycle)
{
  return taken < run->beats && tsr_beat_cycle(&run->when, (uint64_t)taken) <= cycle;
}

/* The read whose beats come was known at once. */
static bool at_once(const struct side *s)
{
  return s->at_once[s->come].per;
}

/* Beats of a run are reported one by one, a few at a time, or together. */
static bool reports(const struct side *s, const struct tsr_burst_run *run, int taken)
{
  return taken == run->beats || hash(s->walk.plan->seed, 4, s->walk.cycle) % 4 == 0;
}

static void note_read(struct side *s, uint64_t cycle)
{
  struct log *log = s->walk.log;
  assert_true(log->count < MOST_TRANSFERS);
  log->list[log->count++] =
      (struct transfer){cycle, TSR_AXI_R, s->read.id, s->read_taken == s->read.error_beat};
  s->read_free = cycle + 1;
  if (++s->read_taken == s->read.beats && s->read.ends)
    s->ends[s->end_count++] = cycle;
}

static void end_read(struct side *s, uint64_t cycle)
{
  if (!at_once(s))
    s->port.take_read(s->port.context, s->read_taken, cycle);
  s->has_read = false;
  s->come += s->read.ends && s->read_taken == s->read.beats;
}

/* Beats that are sure are taken ahead of time by every other master. */
static void take_ahead(struct side *s)
{
  while (s->read_taken < s->read.beats) {
    uint64_t cycle = tsr_beat_cycle(&s->read.when, (uint64_t)s->read_taken);
    cycle = cycle > s->read_free ? cycle : s->read_free;
    while (!r_ready(s->walk.plan, cycle))
      cycle++;
    note_read(s, cycle);
  }
  end_read(s, s->read_free - 1);
}

static bool knows_read(struct side *s)
{
  uint64_t now = s->walk.cycle;
  if (s->has_read || now < s->ask_read)
    return s->has_read;
  if (at_once(s))
    s->read = (struct tsr_burst_run){.beats = s->beats[s->come],
                                     .id = s->ids[s->come],
                                     .ends = true,
                                     .sure = true,
                                     .error_beat = -1,
                                     .when = s->at_once[s->come]};
  else
    s->port.next_read(s->port.context, s->read_free, &s->read);
  s->has_read = s->read.beats > 0;
  s->ask_read = s->has_read ? 0 : s->read.look_again;
  assert_true(s->has_read || s->ask_read > now);
  s->read_taken = 0;
  return s->has_read;
}

static void take_read(struct side *s)
{
  const struct walk *w = &s->walk;
  bool ahead = w->plan->seed % 2;
  while (knows_read(s) && ahead && s->read.sure)
    take_ahead(s);
  if (!s->has_read || w->cycle < s->read_free || !more(&s->read, s->read_taken, w->cycle) ||
      !r_ready(w->plan, w->cycle))
    return;
  note_read(s, w->cycle);
  if (s->read_taken == s->read.beats || (!at_once(s) && reports(s, &s->read, s->read_taken)))
    end_read(s, w->cycle);
}

/* So many reads had ended before this cycle. */
static void count_reads(struct side *s)
{
  struct walk *w = &s->walk;
  while (w->reads_done < s->end_count && s->ends[w->reads_done] < w->cycle)
    w->reads_done++;
}

/* Two of three masters want to know at once. */
static void accept_read(struct side *s, const struct burst *b)
{
  uint64_t cycle = s->walk.cycle;
  struct tsr_beats *when = &s->at_once[s->begun];
  s->ids[s->begun] = b->id;
  s->beats[s->begun++] = b->beats;
  if (s->walk.plan->seed % 3 && s->port.read_at_once &&
      s->port.read_at_once(s->port.context, cycle, b->addr, b->beats, when))
    return;
  when->per = 0;
  s->port.accept_read(s->port.context, cycle, b->id, b->addr, b->beats);
}

/* Once the cycle is known it stays. */
static bool accepts(struct side *s, enum tsr_axi_channel channel)
{
  uint64_t now = s->walk.cycle, *promised = &s->promised[channel];
  uint64_t cycle = s->port.address_cycle(s->port.context, channel, now);
  assert_true(cycle >= now && (!*promised || *promised == cycle));
  *promised = cycle > now && cycle < UINT64_MAX ? cycle : 0;
  return cycle == now;
}

static void accept(struct side *s, enum tsr_axi_channel channel)
{
  struct walk *w = &s->walk;
  const struct plan *p = w->plan;
  bool is_read = channel == TSR_AXI_AR;
  if (!(is_read ? shows_read(w) : shows_write(w)) || !accepts(s, channel))
    return;
  const struct burst *b = is_read ? &p->reads[w->reads] : &p->writes[w->writes];
  if (is_read) {
    accept_read(s, b);
    read_accepted(w);
  } else {
    s->port.accept_write(s->port.context, w->cycle, b->addr, b->beats);
    write_accepted(w);
  }
  if (s->has_read && !s->read.sure && !s->read_taken && w->cycle < tsr_beat_cycle(&s->read.when, 0))
    s->has_read = false;
  s->ask_read = s->ask_answer = 0;
}

static void take_write(struct side *s)
{
  struct walk *w = &s->walk;
  if (w->cycle < w->beat_from)
    return;
  if (!s->has_write) {
    s->port.next_write(s->port.context, w->cycle, &s->write);
    s->has_write = s->write.beats > 0;
    s->write_taken = 0;
  }
  if (!s->has_write || !more(&s->write, s->write_taken, w->cycle))
    return;
  s->write_taken++;
  if (reports(s, &s->write, s->write_taken)) {
    s->port.take_write(s->port.context, s->write_taken, w->cycle);
    s->has_write = false;
    s->ask_read = s->ask_answer = 0;
  }
  beat_written(w);
}

/* In the order of cycles, and of channels in each, as on the pins. */
static int order(const void *a, const void *b)
{
  static const int rank[] = {
      [TSR_AXI_B] = 0, [TSR_AXI_R] = 1, [TSR_AXI_AR] = 2, [TSR_AXI_AW] = 3, [TSR_AXI_W] = 4};
  const struct transfer *x = a, *y = b;
  if (x->cycle != y->cycle)
    return x->cycle < y->cycle ? -1 : 1;
  return rank[x->channel] - rank[y->channel];
}

static void sort(struct log *log)
{
  qsort(log->list, (size_t)log->count, sizeof log->list[0], order);
}

static void play_bursts(struct walk *walk)
{
  struct side s = {.walk = *walk, .port = tsr_dram_port(walk->dram)};
  for (struct walk *w = &s.walk; !ended(w); w->cycle++) {
    s.port.told(s.port.context, w->cycle);
    count_reads(&s);
    bool answer = take_answer(&s);
    take_read(&s);
    accept(&s, TSR_AXI_AR);
    accept(&s, TSR_AXI_AW);
    take_write(&s);
    w->answers += answer;
  }
  sort(walk->log);
  assert_true(tsr_dram_idle(walk->dram));
}

/* --- both ------------------------------------------------------------------------------------- */

static void draw_bursts(struct plan *p, struct burst *list, uint64_t *dice)
{
  uint64_t from = 0, pause = 1 + next_random(dice) % 60;
  for (int i = 0; i < BURSTS; i++) {
    int beats = 1 + (int)(next_random(dice) % 16);
    uint64_t most = (sizeof p->window + 256) / 256;
    uint64_t addr = next_random(dice) % most * 256 + next_random(dice) % 8 * 16;
    while (addr % 4096 + (uint64_t)(beats * p->beat_bytes) > 4096)
      addr -= 16;
    from += next_random(dice) % pause;
    list[i] = (struct burst){from, addr, beats, (int)(next_random(dice) & 1)};
  }
}

static void draw_plan(struct plan *p, uint64_t seed)
{
  uint64_t dice = seed;
  p->seed = seed;
  p->beat_bytes = 4 << next_random(&dice) % 3;
  p->outstanding = 1 + (int)(next_random(&dice) % 12);
  p->r_lazy = next_random(&dice) & 1 ? (int)(next_random(&dice) % 200) : 0;
  p->w_lazy = next_random(&dice) & 1 ? (int)(next_random(&dice) % 200) : 0;
  draw_bursts(p, p->reads, &dice);
  draw_bursts(p, p->writes, &dice);
}

static void play(struct plan *p, const struct tsr_dram_options *o, void (*way)(struct walk *),
                 struct log *log, struct tsr_dram_error *error)
{
  struct walk w = {.plan = p, .log = log, .dram = tsr_dram_new(NULL, o, p->beat_bytes)};
  assert_non_null(w.dram);
  tsr_dram_map(w.dram, 0, 0, p->window, sizeof p->window - 64); /* its end lies within bursts */
  log->count = 0;
  way(&w);
  memset(error, 0, sizeof *error);
  tsr_dram_first_error(w.dram, error);
  tsr_dram_free(w.dram);
}

static void compare(const struct log *pins, const struct log *bursts, uint64_t seed)
{
  for (int i = 0; i < pins->count && i < bursts->count; i++) {
    const struct transfer *a = &pins->list[i], *b = &bursts->list[i];
    bool same = a->cycle == b->cycle && a->channel == b->channel && a->id == b->id &&
                a->error == b->error;
    if (!same)
      print_error("seed %d, transfer %d: channel %d, ID %d, error %d in cycle %d on the pins; "
                  "channel %d, ID %d, error %d in cycle %d burst by burst\n",
                  (int)seed, i, a->channel, a->id, a->error, (int)a->cycle, b->channel, b->id,
                  b->error, (int)b->cycle);
    assert_true(same);
  }
  assert_int_equal(pins->count, bursts->count);
}

static void check(const struct tsr_dram_options *options)
{
  struct plan *p = calloc(1, sizeof *p);
  struct log *logs = calloc(2, sizeof *logs);
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    struct tsr_dram_options o = *options;
    struct tsr_dram_error errors[2];
    o.seed = seed * 77;
    draw_plan(p, seed);
    play(p, &o, play_pins, &logs[0], &errors[0]);
    play(p, &o, play_bursts, &logs[1], &errors[1]);
    compare(&logs[0], &logs[1], seed);
    assert_int_equal(errors[0].addr, errors[1].addr);
    assert_int_equal(errors[0].bytes, errors[1].bytes);
    assert_int_equal(errors[0].resp, errors[1].resp);
    assert_int_equal(errors[0].write, errors[1].write);
  }
  free(logs);
  free(p);
}

/* --- rows ------------------------------------------------------------------------------------- */

static const struct tsr_dram_options models[] = {
    {.model = TSR_MEMORY_IDEAL},
    {.model = TSR_MEMORY_SIMPLE, .latency_cycles = 0, .bytes_per_cycle = 3},
    {.model = TSR_MEMORY_SIMPLE, .latency_cycles = 20, .bytes_per_cycle = 8},
    {.model = TSR_MEMORY_SIMPLE, .latency_cycles = 7, .bytes_per_cycle = 64},
};

static void check_troubled(struct tsr_dram_options o, const struct tsr_dram_options *trouble)
{
  o.stall = trouble->stall;
  o.long_latency = trouble->long_latency;
  o.reorder = trouble->reorder;
  o.read_error = trouble->read_error;
  o.write_error = trouble->write_error;
  check(&o);
}

/* Sets, with so few and short rows that bursts meet in them, and refreshes that often come. */
static void check_ddr(const struct tsr_dram_options *trouble, int reads, int writes)
{
  for (int k = 0; tsr_ddr_set_names()[k]; k++)
    for (int order = TSR_DDR_FCFS; order <= TSR_DDR_FRFCFS; order++) {
      struct tsr_dram_options o = {.model = TSR_MEMORY_DDR, .latency_cycles = 1 + 9 * k};
      o.clock_mhz = 41 + 100 * k;
      o.ddr = *tsr_ddr_set(tsr_ddr_set_names()[k]);
      o.ddr.order = (enum tsr_ddr_order)order;
      o.ddr.banks = 2;
      o.ddr.row_bytes = 512;
      o.ddr.tREFI = 900;
      o.reads = reads;
      o.writes = writes;
      assert_int_equal(tsr_dram_check(NULL, &o), TSR_OK);
      check_troubled(o, trouble);
    }
}

static void check_models(struct tsr_dram_options trouble)
{
  for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
    check_troubled(models[i], &trouble);
  check_ddr(&trouble, 0, 0);
}

static void quiet(void **state)
{
  (void)state;
  check_models((struct tsr_dram_options){0});
}

static void stalls(void **state)
{
  (void)state;
  check_models((struct tsr_dram_options){.stall = 80});
  check_models((struct tsr_dram_options){.stall = 250});
}

static void late_bursts(void **state)
{
  (void)state;
  check_models((struct tsr_dram_options){.long_latency = 60});
}

static void bursts_out_of_order(void **state)
{
  (void)state;
  check_models((struct tsr_dram_options){.reorder = 60});
  check_models((struct tsr_dram_options){.reorder = 255});
}

static void errors(void **state)
{
  (void)state;
  check_models((struct tsr_dram_options){.read_error = 20, .write_error = 20});
}

static void all_of_it(void **state)
{
  (void)state;
  check_models((struct tsr_dram_options){
      .stall = 60, .long_latency = 30, .reorder = 100, .read_error = 5, .write_error = 5});
}

/* Limits of the memory, below and above what the master has outstanding. */
static void check_limits(int reads, int writes, const struct tsr_dram_options *trouble)
{
  for (size_t i = 1; i < sizeof models / sizeof models[0]; i++) {
    struct tsr_dram_options o = models[i];
    o.reads = reads;
    o.writes = writes;
    check_troubled(o, trouble);
  }
  check_ddr(trouble, reads, writes);
}

static void limits(void **state)
{
  (void)state;
  static const int list[][2] = {{1, 1}, {2, 3}, {3, 0}, {0, 2}, {8, 1}, {256, 256}};
  static const struct tsr_dram_options troubles[] = {
      {.stall = 0},
      {.stall = 80},
      {.stall = 60, .long_latency = 30, .reorder = 100, .read_error = 5, .write_error = 5},
  };
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
    for (size_t k = 0; k < sizeof troubles / sizeof troubles[0]; k++)
      check_limits(list[i][0], list[i][1], &troubles[k]);
}

/* A master may not run ahead of a port that can say no. */
static void a_limited_port_is_never_ahead(void **state)
{
  (void)state;
  for (int reads = 0; reads < 2; reads++)
    for (int writes = 0; writes < 2; writes++) {
      struct tsr_dram_options o = models[1];
      o.reads = reads;
      o.writes = writes;
      struct tsr_dram *dram = tsr_dram_new(NULL, &o, 8);
      struct tsr_burst_port port = tsr_dram_port(dram);
      assert_int_equal(port.ahead, !reads && !writes);
      assert_int_equal(port.read_at_once != NULL, !reads && !writes);
      tsr_dram_free(dram);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quiet),       cmocka_unit_test(stalls),
      cmocka_unit_test(late_bursts), cmocka_unit_test(bursts_out_of_order),
      cmocka_unit_test(errors),      cmocka_unit_test(all_of_it),
      cmocka_unit_test(limits),      cmocka_unit_test(a_limited_port_is_never_ahead),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

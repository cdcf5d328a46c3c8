/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles as a whole: their sums, their forms, and texts that are none. */
#include "runtime/profile/profile.h"

#include "runtime/profile/shares.h"
#include "runtime/profile/text.h"
#include "runtime/profile/trace.h"
#include "runtime/reasons.h"
#include "tests/profile/subject.h"

static struct tessera_profile *made(struct subject *s)
{
  subject_chain(s, "tests/profile/narrow.json", 64, (size_t[]){5, 2, 0});
  s->layer[0].name = "a <b> & \"c\", d";
  s->layer[0].macs = 64 * 256;
  s->layer[0].dram_read_bytes = 4096;
  subject_run(s);
  return tsr_profile_make(s->arena, &s->record);
}

static void test_sums(void **state)
{
  (void)state;
  struct subject s;
  const struct tessera_profile *p = made(&s);
  uint64_t layers = 0, shares = 0, path = 0;
  for (int k = 0; k < p->layers; k++)
    layers += p->layer[k].cycles;
  for (int k = 0; k < p->shares; k++)
    shares += p->share[k].cycles;
  for (int k = 0; k < p->path_parts; k++)
    path += p->path_part[k].cycles;
  assert_int_equal(p->cycles, s.record.run[0].cycles);
  assert_int_equal(layers, p->cycles);
  assert_int_equal(shares, p->cycles);
  assert_int_equal(path, p->cycles);
  assert_int_equal(p->layers, 2);
  assert_true(p->layer[0].utilization == 64.0 / (double)p->layer[0].cycles);
  assert_true(p->layer[0].memory_cycles == 4096.0 / 2);
  assert_true(p->layer[0].roofline == 4096.0 / 2 / (double)p->layer[0].cycles);
  assert_int_equal(p->layer[1].utilization, 0);
  for (int k = 1; k < p->path_insns; k++)
    assert_true(p->path_insn[k].cycles <= p->path_insn[k - 1].cycles);
  subject_close(&s);
}

static struct tsr_text json_of(struct tsr_arena *arena, const struct tessera_profile *p)
{
  struct tsr_text text = {.arena = arena};
  tsr_profile_json(&text, p);
  return text;
}

/* What was read back is written as the same bytes. */
static void test_round_trip(void **state)
{
  (void)state;
  struct subject s;
  struct tsr_err err;
  struct tessera_profile again;
  const struct tessera_profile *p = made(&s);
  struct tsr_text first = json_of(s.arena, p);
  if (tsr_profile_read(s.arena, &err, "p.json", first.data, first.length, &again))
    fail_msg("%s", err.text);
  struct tsr_text second = json_of(s.arena, &again);
  assert_string_equal(first.data, second.data);
  assert_non_null(tsr_profile_layer(&again, "a <b> & \"c\", d"));
  assert_null(tsr_profile_layer(&again, "a"));
  subject_close(&s);
}

/* The text with the first `from` replaced. */
static char *with(struct tsr_arena *a, const char *text, const char *from, const char *to)
{
  const char *at = strstr(text, from);
  assert_non_null(at);
  return tsr_arena_printf(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void test_refused(void **state)
{
  static const struct {
    const char *from, *to, *sentence;
  } rows[] = {
      {"{\n", "[\n", "p.json:2: is no profile: "},
      {"\"cycles\": ", "\"cycled\": ",
       "p.json: is no profile: 'cycles' must be a whole number of 0 or more"},
      {"\"model\": \"subject\"", "\"model\": 3", "p.json: is no profile: 'model' must be a text"},
      {"\"clock_mhz\": 100", "\"clock_mhz\": 0",
       "p.json: is no profile: 'clock_mhz' must be 1 to 1000000"},
      {"\"stack\": [", "\"stuck\": [", "p.json: is no profile: 'stack' must be a list"},
      {"\"stack\": {", "\"stuck\": {",
       "p.json: is no profile: 'stack' of item 0 of 'layers' must be an object"},
      {"\"matrix\": ", "\"matrik\": ",
       "p.json: is no profile: 'matrix' of item 0 of 'layers' must be a whole number of 0 or more"},
      {"\"limit\": ", "\"limits\": ",
       "p.json: is no profile: 'limit' of item 0 of 'layers' must be a text"},
      {"\"steps\": ", "\"steps\": -",
       "p.json: is no profile: 'steps' of item 0 of 'critical_path' must be a whole number of 0 or "
       "more"},
      {"\"utilization\": ", "\"utilization\": -1, \"u\": ",
       "p.json: is no profile: 'utilization' must be a number of 0 or more"},
  };
  (void)state;
  struct subject s;
  const struct tessera_profile *p = made(&s);
  struct tsr_text whole = json_of(s.arena, p);
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    struct tsr_err err = {0};
    struct tessera_profile out;
    char *text = with(s.arena, whole.data, rows[k].from, rows[k].to);
    assert_int_equal(tsr_profile_read(s.arena, &err, "p.json", text, strlen(text), &out),
                     TSR_REFUSED);
    if (strncmp(err.text, rows[k].sentence, strlen(rows[k].sentence)))
      fail_msg("row %d: %s", (int)k, err.text);
  }
  subject_close(&s);
}

/* Names hold anything, and the page needs nothing from elsewhere. */
static void test_page(void **state)
{
  (void)state;
  struct subject s;
  struct tessera_profile *p = made(&s);
  struct tsr_text page = {.arena = s.arena}, csv = {.arena = s.arena};
  tsr_profile_html(&page, p, p);
  assert_non_null(strstr(page.data, "a &lt;b&gt; &amp; &quot;c&quot;, d"));
  assert_null(strstr(page.data, "<b> &"));
  assert_null(strstr(page.data, "http"));
  assert_null(strstr(page.data, "src="));
  assert_null(strstr(page.data, "url("));
  assert_null(strstr(page.data, "nan\""));
  assert_null(strstr(page.data, "inf\"")); /* numbers of drawings */
  tsr_profile_csv(&csv, p);
  assert_non_null(strstr(csv.data, "\n\"a <b> & \"\"c\"\", d\",Op,"));
  subject_close(&s);
}

static void test_texts(void **state)
{
  static const struct {
    const char *text, *json;
  } rows[] = {
      {"a", "\"a\""},
      {"\"\\\n", "\"\\\"\\\\\\u000a\""},
      {"\xc3\xa4", "\"\xc3\xa4\""},
      {"\xe4z", "\"?z\""},
      {"\xed\xa0\x80", "\"???\""},
      {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
      {"\xc0\xaf", "\"??\""},
      {"\xe2\x82", "\"??\""},
  };
  (void)state;
  struct tsr_arena *a = tsr_arena_new(NULL);
  for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
    struct tsr_text text = {.arena = a};
    tsr__add_json(&text, rows[k].text);
    assert_string_equal(text.data, rows[k].json);
  }
  struct tsr_text count = {.arena = a};
  tsr__add_count(&count, 1234567);
  assert_string_equal(count.data, "1,234,567");
  tsr_arena_free(a);
}

/* A limit makes a trace smaller, and it says what it left out. */
static void test_trace_limit(void **state)
{
  (void)state;
  struct subject s;
  struct tessera_trace_info whole, less;
  made(&s);
  struct tsr_text all = tsr_trace_write(s.arena, &s.record, TSR_TRACE_BYTES, &whole);
  assert_int_equal(whole.merged_below, 0);
  assert_int_equal(whole.merged_slices + whole.merged_stalls, 0);
  assert_int_equal(whole.instructions, 7);
  struct tsr_text some = tsr_trace_write(s.arena, &s.record, all.length * 4 / 5, &less);
  assert_true(some.length <= all.length * 4 / 5);
  assert_true(less.merged_below > 0 && less.merged_slices + less.merged_stalls > 0);
  assert_int_equal(less.cycles, whole.cycles);
  assert_true(less.stalls < whole.stalls);
  /* A token that came and went within the interval is told, and that it went. */
  assert_true(less.token_cycles >= 8);
  assert_non_null(strstr(some.data, "tokens load to matrix\",\"args\":{\"tokens\":1}"));
  assert_non_null(strstr(some.data, "tokens load to matrix\",\"args\":{\"tokens\":0}"));
  subject_close(&s);
}

/* A bound of pins may be no whole number; what is told is the explanation's. */
static void test_reasons(void **state)
{
  (void)state;
  uint64_t share[TSR_SHARES] = {[TSR_SHARE_LOAD] = 20};
  const struct tessera_profile_layer layer = {
      .name = "first", .cycles = 20, .bound_cycles = 10.25, .share = share};
  const struct tessera_engine_time pins = {"pins", "bytes", 10.25, 10.25};
  struct tessera_explanation e = {
      .engine = &pins, .engines = 1, .tiles = 2, .bound_cycles = 11, .read_bytes = 80};
  struct tsr_arena *a = tsr_arena_new(NULL);
  tsr__give_reasons(a, &layer, &e);
  assert_int_equal(e.reasons, 1);
  assert_string_equal(e.reason[0], "20 cycles are 9 more than the bound of 11, which is pins's");
  tsr_arena_free(a);
}

/* Memory may run out at every call. */
static void test_no_memory(void **state)
{
  (void)state;
  struct subject s;
  made(&s);
  for (int n = 0;; n++) {
    struct counting c;
    counting_init(&c, n);
    struct tsr_arena *arena = tsr_arena_new(&c.allocator);
    struct tessera_profile *volatile p = NULL;
    if (arena && !setjmp(*tsr_arena_landing(arena)))
      p = tsr_profile_make(arena, &s.record);
    bool done = p != NULL;
    if (done)
      assert_int_equal(p->cycles, s.record.run[0].cycles);
    tsr_arena_free(arena);
    assert_int_equal(c.live, 0);
    if (done)
      break;
    assert_true(c.refused);
  }
  subject_close(&s);
}

/* A record that lacks memory says so, and leaves nothing behind. */
static void test_record_no_memory(void **state)
{
  (void)state;
  struct subject s;
  made(&s);
  for (int n = 0;; n++) {
    struct counting c;
    struct tsr_record record;
    counting_init(&c, n);
    tsr_record_open(&record, &c.allocator, &s.module);
    struct tsr_device_observer o = tsr_record_observer(&record);
    o.start(o.context, s.program.insns, s.program.insn_count);
    for (size_t k = 0; k < s.record.spans; k++)
      o.span(o.context, &s.record.span[k]);
    for (size_t k = 0; k < s.record.bursts; k++)
      o.burst(o.context, &s.record.burst[k]);
    o.tokens(o.context, 1, 0, 1, 1);
    o.insn(o.context, &s.record.insn[0]);
    o.end(o.context, &(struct tsr_run_result){0});
    bool missing = record.no_memory;
    assert_int_equal(missing, c.refused);
    tsr_record_close(&record);
    assert_int_equal(c.live, 0);
    if (!missing)
      break;
  }
  subject_close(&s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sums),
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_page),
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_trace_limit),
      cmocka_unit_test(test_reasons),
      cmocka_unit_test(test_no_memory),
      cmocka_unit_test(test_record_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Assembler: one pass, one line at a time; docs/assembler.md has the grammar. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "isa/operand.h"
#include "isa/program.h"

enum { LONGEST_LINE = 1000, QUOTED = 40 };

struct word {
  uint8_t bytes[TSR_INSN_BYTES];
};

struct assembler {
  struct tsr_arena *arena;
  struct tsr_err *err;
  const char *name;
  int line;
  bool in_data;
  struct word *words;
  size_t word_count, word_capacity;
  uint8_t *data;
  size_t at, data_bytes, data_capacity;
  uint64_t window_bytes, design_hash;
  int window_line, design_line; /* 0: not given */
};

__attribute__((format(printf, 2, 3))) static enum tsr_status bad(struct assembler *as,
                                                                 const char *format, ...)
{
  char sentence[512];
  va_list args;
  va_start(args, format);
  vsnprintf(sentence, sizeof sentence, format, args);
  va_end(args);
  return tsr_refuse(as->err, "%s:%d: %s", as->name, as->line, sentence);
}

static enum tsr_status located(struct assembler *as, enum tsr_status status)
{
  return status ? tsr_refuse_at(as->err, "%s:%d", as->name, as->line) : TSR_OK;
}

static enum tsr_status unknown(struct assembler *as, const char *kind, const char *given,
                               const char *const *names, int n)
{
  const char *near = tsr_nearest(given, names, n);
  return bad(as, "unknown %s '%.*s'%s%s%s", kind, QUOTED, given, near ? "; did you mean '" : "",
             near ? near : "", near ? "'?" : "");
}

static int name_index(const char *given, const char *const *names, int n)
{
  for (int i = 0; i < n; i++)
    if (!strcmp(given, names[i]))
      return i;
  return -1;
}

static char *skip_space(char *p)
{
  while (*p == ' ' || *p == '\t')
    p++;
  return p;
}

/* Cuts the next word off *rest: NULL at the end of the line. */
static char *next_word(char **rest)
{
  char *word = skip_space(*rest), *end = word;
  while (*end && *end != ' ' && *end != '\t')
    end++;
  *rest = end;
  if (*end) {
    *end = 0;
    *rest = end + 1;
  }
  return *word ? word : NULL;
}

/* Cuts the next part of a comma list off *rest, without the blanks around it; NULL behind the last. An
 * empty part is an empty word. */
static char *next_part(char **rest)
{
  if (!*rest)
    return NULL;
  char *part = skip_space(*rest), *comma = strchr(part, ',');
  char *end = comma ? comma : part + strlen(part);
  *rest = comma ? comma + 1 : NULL;
  while (end > part && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  *end = 0;
  return part;
}

static int digit_value(char c, int base)
{
  int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
          : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
  return v < base ? v : -1;
}

/* Decimal or 0x hexadecimal, with a sign or not; up to 64 bits. */
static enum tsr_status take_number(struct assembler *as, const char *text, bool *minus, uint64_t *out)
{
  const char *p = text;
  *minus = *p == '-';
  p += *minus;
  uint64_t base = p[0] == '0' && (p[1] == 'x' || p[1] == 'X') ? 16 : 10, v = 0;
  p += base == 16 ? 2 : 0;
  if (!*p)
    return bad(as, "'%.*s' is not a number", QUOTED, text);
  for (; *p; p++) {
    int digit = digit_value(*p, (int)base);
    if (digit < 0)
      return bad(as, "'%.*s' is not a number", QUOTED, text);
    if (v > (UINT64_MAX - (uint64_t)digit) / base)
      return bad(as, "'%.*s' is too large a number", QUOTED, text);
    v = v * base + (uint64_t)digit;
  }
  if (*minus && v > INT64_MAX)
    return bad(as, "'%.*s' is too large a number", QUOTED, text);
  *out = *minus ? 0 - v : v;
  return TSR_OK;
}

/* A number from smallest to largest; both fit int64_t unless smallest is 0. */
static enum tsr_status take_ranged(struct assembler *as, const char *what, const char *text,
                                   int64_t smallest, uint64_t largest, uint64_t *out)
{
  bool minus;
  if (take_number(as, text, &minus, out))
    return TSR_REFUSED;
  if (minus && *out && (int64_t)*out < smallest)
    return bad(as, "%s is %" PRId64 ", outside of %" PRId64 " to %" PRIu64, what, (int64_t)*out,
               smallest, largest);
  if (!(minus && *out) && *out > largest)
    return bad(as, "%s is %" PRIu64 ", outside of %" PRId64 " to %" PRIu64, what, *out, smallest,
               largest);
  return TSR_OK;
}

static enum tsr_status put_number(struct assembler *as, struct tsr_insn *insn,
                                  const struct tsr__slot *slot, const char *text)
{
  bool minus;
  uint64_t v;
  if (take_number(as, text, &minus, &v))
    return TSR_REFUSED;
  if (tsr__slot_check(as->err, tsr_opcode_name(insn->opcode), slot, v, minus))
    return located(as, TSR_REFUSED);
  tsr__slot_put(slot, insn, v);
  return TSR_OK;
}

static enum tsr_status put_numbers(struct assembler *as, struct tsr_insn *insn,
                                   const struct tsr__operand *o, char *value)
{
  int i = 0;
  for (char *part; (part = next_part(&value)); i++) {
    if (i == TSR__OPERAND_SLOTS || !o->slots[i])
      return bad(as, "%s has more than %d value%s", o->keyword, i, i == 1 ? "" : "s");
    if (put_number(as, insn, tsr__slot_find(o->format, o->slots[i]), part))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

static enum tsr_status put_uops(struct assembler *as, struct tsr_insn *insn,
                                const struct tsr__operand *o, char *value)
{
  char *plus = strchr(value, '+');
  if (!plus)
    return bad(as, "uops is '%.*s'; it must be BEGIN+COUNT, such as 0+9", QUOTED, value);
  *plus = 0;
  if (put_number(as, insn, tsr__slot_find(o->format, o->slots[0]), value))
    return TSR_REFUSED;
  return put_number(as, insn, tsr__slot_find(o->format, o->slots[1]), plus + 1);
}

static enum tsr_status put_spaced(struct assembler *as, struct tsr_insn *insn,
                                  const struct tsr__operand *o, char *value)
{
  bool named = *value >= 'a' && *value <= 'z';
  char *colon = strchr(value, ':');
  if (!colon && !named)
    return put_numbers(as, insn, o, value);
  if (colon)
    *colon = 0;
  if (!o->space)
    return bad(as, "%s has steps only; where it lies is not up to the instruction", o->keyword);
  int n;
  const char *const *names = tsr__spaces(o->space, &n);
  int space = name_index(value, names, n);
  if (space < 0)
    return unknown(as, "scratchpad", value, names, n);
  tsr__slot_put(tsr__slot_find(o->format, o->space), insn, (uint64_t)space);
  return colon ? put_numbers(as, insn, o, colon + 1) : TSR_OK;
}

static const char *const engine_names[] = {
#define TSR_ENGINE(name, text, meaning) text,
#include "isa/engines.def"
#undef TSR_ENGINE
};

static enum tsr_status take_bit(struct assembler *as, const struct tsr__operand *o,
                                const struct tsr__slot *slot, const char *part, int *bit)
{
  uint64_t v;
  if (o->spelling == TSR__ENGINES) {
    *bit = name_index(part, engine_names, TSR_ENGINE_COUNT);
    return *bit < 0 ? unknown(as, "engine", part, engine_names, TSR_ENGINE_COUNT) : TSR_OK;
  }
  if (take_ranged(as, o->keyword, part, 0, (uint64_t)slot->bits - 1, &v))
    return TSR_REFUSED;
  *bit = (int)v;
  return TSR_OK;
}

static enum tsr_status put_bits(struct assembler *as, struct tsr_insn *insn,
                                const struct tsr__operand *o, char *value)
{
  const struct tsr__slot *slot = tsr__slot_find(o->format, o->slots[0]);
  uint64_t mask = 0;
  if (!strcmp(value, "none"))
    value = NULL;
  for (char *part; (part = next_part(&value));) {
    int bit;
    if (take_bit(as, o, slot, part, &bit))
      return TSR_REFUSED;
    if (mask >> bit & 1)
      return bad(as, "%s names %.*s twice", o->keyword, QUOTED, part);
    mask |= UINT64_C(1) << bit;
  }
  tsr__slot_put(slot, insn, mask);
  return TSR_OK;
}

static enum tsr_status put_operand(struct assembler *as, struct tsr_insn *insn,
                                   const struct tsr__operand *o, char *value)
{
  switch (o->spelling) {
  case TSR__UOPS: return put_uops(as, insn, o, value);
  case TSR__SPACED: return put_spaced(as, insn, o, value);
  case TSR__ENGINES:
  case TSR__BITS: return put_bits(as, insn, o, value);
  default: return put_numbers(as, insn, o, value);
  }
}

static enum tsr_status unknown_operand(struct assembler *as, int opcode, const char *keyword)
{
  int n, count = 0, format = (int)tsr_opcode_format(opcode);
  const struct tsr__operand *operands = tsr__operands(&n);
  const char *names[32];
  for (int i = 0; i < n && count < 32; i++)
    if (operands[i].format == format)
      names[count++] = operands[i].keyword;
  if (!count)
    return bad(as, "%s has no operands", tsr_opcode_name(opcode));
  char kind[32];
  snprintf(kind, sizeof kind, "operand of %s", tsr_opcode_name(opcode));
  return unknown(as, kind, keyword, names, count);
}

/* keyword=value; `given` has a bit for each row that the line had already. */
static enum tsr_status take_operand(struct assembler *as, struct tsr_insn *insn, char *text,
                                    uint64_t *given)
{
  char *value = strchr(text, '=');
  if (!value)
    return bad(as, "'%.*s' is not keyword=value", QUOTED, text);
  *value++ = 0;
  int n, format = (int)tsr_opcode_format(insn->opcode);
  const struct tsr__operand *operands = tsr__operands(&n);
  for (int i = 0; i < n; i++) {
    if (operands[i].format != format || strcmp(operands[i].keyword, text))
      continue;
    if (*given >> i & 1)
      return bad(as, "%s is given twice", text);
    *given |= UINT64_C(1) << i;
    return put_operand(as, insn, &operands[i], value);
  }
  return unknown_operand(as, insn->opcode, text);
}

static void put_initial(struct tsr_insn *insn)
{
  int n, format = (int)tsr_opcode_format(insn->opcode);
  const struct tsr__operand *operands = tsr__operands(&n);
  for (int i = 0; i < n; i++)
    for (int k = 0; operands[i].format == format && k < TSR__OPERAND_SLOTS; k++)
      if (operands[i].slots[k])
        tsr__slot_put(tsr__slot_find(format, operands[i].slots[k]), insn,
                      (uint64_t)operands[i].initial);
}

/* The word behind `load`, `store` and `sync`. */
static enum tsr_status take_subject(struct assembler *as, struct tsr_insn *insn, char **rest)
{
  static const char *const buffers[] = {
#define TSR_BUFFER(name, text, load, store, entry, meaning) text,
#include "isa/buffers.def"
#undef TSR_BUFFER
  };
  bool dma = tsr_opcode_format(insn->opcode) == TSR_FORMAT_DMA;
  const char *const *names = dma ? buffers : engine_names;
  int n = dma ? TSR_BUFFER_COUNT : TSR_ENGINE_COUNT;
  const char *kind = dma ? "buffer" : "engine";
  char *word = next_word(rest);
  if (!word)
    return bad(as, "%s needs the name of its %s", tsr_opcode_name(insn->opcode), kind);
  int index = name_index(word, names, n);
  if (index < 0)
    return unknown(as, kind, word, names, n);
  *(dma ? &insn->dma.buffer : &insn->engine) = index;
  return TSR_OK;
}

static enum tsr_status add_word(struct assembler *as, const uint8_t *bytes)
{
  if (as->in_data)
    return bad(as, "an instruction inside of .data; .text ends the data");
  if (as->word_count == TSR__LARGEST_INSNS)
    return bad(as, "more than %d instructions", TSR__LARGEST_INSNS);
  as->words = TSR_GROW(as->arena, as->words, as->word_count, &as->word_capacity);
  memcpy(as->words[as->word_count++].bytes, bytes, TSR_INSN_BYTES);
  return TSR_OK;
}

static enum tsr_status take_insn(struct assembler *as, int opcode, char *rest)
{
  struct tsr_insn insn = {.opcode = opcode};
  uint8_t bytes[TSR_INSN_BYTES];
  uint64_t given = 0;
  enum tsr_format format = tsr_opcode_format(opcode);
  put_initial(&insn);
  if ((format == TSR_FORMAT_DMA || format == TSR_FORMAT_SYNC) && take_subject(as, &insn, &rest))
    return TSR_REFUSED;
  for (char *word; (word = next_word(&rest));)
    if (take_operand(as, &insn, word, &given))
      return TSR_REFUSED;
  if (tsr_insn_encode(as->err, &insn, bytes))
    return located(as, TSR_REFUSED);
  return add_word(as, bytes);
}

/* Extends the image so that it reaches `end`. */
static enum tsr_status reach(struct assembler *as, uint64_t end)
{
  if (end > TSR__LARGEST_DATA)
    return bad(as, "data reaches byte %" PRIu64 "; the most is %d", end, TSR__LARGEST_DATA);
  if (end > as->data_capacity) {
    size_t wanted = end < 4096 ? 4096 : end > TSR__LARGEST_DATA / 2 ? TSR__LARGEST_DATA : 2 * end;
    uint8_t *bigger = tsr_arena_alloc(as->arena, wanted);
    if (as->data_bytes)
      memcpy(bigger, as->data, as->data_bytes);
    as->data = bigger;
    as->data_capacity = wanted;
  }
  if (end > as->data_bytes)
    as->data_bytes = (size_t)end;
  return TSR_OK;
}

static enum tsr_status add_data(struct assembler *as, const uint8_t *bytes, size_t n)
{
  if (!as->in_data)
    return bad(as, "data outside of .data");
  if (reach(as, as->at + n))
    return TSR_REFUSED;
  memcpy(as->data + as->at, bytes, n);
  as->at += n;
  return TSR_OK;
}

static enum tsr_status take_values(struct assembler *as, const char *what, char *rest, int bytes)
{
  int64_t smallest = -(INT64_C(1) << (8 * bytes - 1));
  uint64_t largest = (UINT64_C(1) << 8 * bytes) - 1;
  for (char *part; (part = next_part(&rest));) {
    uint64_t v;
    uint8_t raw[4];
    if (take_ranged(as, what, part, smallest, largest, &v))
      return TSR_REFUSED;
    for (int i = 0; i < bytes; i++)
      raw[i] = (uint8_t)(v >> 8 * i);
    if (add_data(as, raw, (size_t)bytes))
      return TSR_REFUSED;
  }
  return TSR_OK;
}

static enum tsr_status take_byte(struct assembler *as, char *rest)
{
  return take_values(as, ".byte", rest, 1);
}

static enum tsr_status take_word32(struct assembler *as, char *rest)
{
  return take_values(as, ".word32", rest, 4);
}

static enum tsr_status take_uop(struct assembler *as, char *rest)
{
  static const char *const names[] = {"dst", "a", "b"};
  struct tsr_uop uop = {0};
  uint8_t bytes[TSR_UOP_BYTES];
  for (int i = 0; i < 3; i++) {
    char *part = next_part(&rest);
    uint64_t v;
    if (!part)
      return bad(as, ".uop needs dst, a and b");
    if (take_ranged(as, names[i], part, 0, UINT16_MAX, &v))
      return TSR_REFUSED;
    tsr__slot_put(tsr__slot_find(TSR__FORMAT_UOP, names[i]), &uop, v);
  }
  char *flag = next_part(&rest);
  if (flag && (rest || strcmp(flag, "overwrite")))
    return bad(as, "'%.*s' behind b; only 'overwrite' may stand there", QUOTED, flag);
  uop.overwrite = flag;
  if (tsr_uop_encode(as->err, &uop, bytes))
    return located(as, TSR_REFUSED);
  return add_data(as, bytes, sizeof bytes);
}

static enum tsr_status take_org(struct assembler *as, char *rest)
{
  uint64_t v;
  if (!as->in_data)
    return bad(as, ".org outside of .data");
  if (take_ranged(as, ".org", next_part(&rest), 0, TSR__LARGEST_DATA, &v))
    return TSR_REFUSED;
  if (rest)
    return bad(as, ".org has one value");
  if (v < as->at)
    return bad(as, ".org goes back from %zu to %" PRIu64, as->at, v);
  if (reach(as, v))
    return TSR_REFUSED;
  as->at = (size_t)v;
  return TSR_OK;
}

static enum tsr_status take_raw(struct assembler *as, char *rest)
{
  uint8_t bytes[TSR_INSN_BYTES];
  int n = 0;
  for (char *word; (word = next_word(&rest)); n++) {
    int high = digit_value(word[0], 16), low = high < 0 ? -1 : digit_value(word[1], 16);
    if (low < 0 || word[2])
      return bad(as, "'%.*s' is not a byte of two hexadecimal digits", QUOTED, word);
    if (n < TSR_INSN_BYTES)
      bytes[n] = (uint8_t)(high << 4 | low);
  }
  if (n != TSR_INSN_BYTES)
    return bad(as, ".word has %d bytes; an instruction has %d", n, TSR_INSN_BYTES);
  return add_word(as, bytes);
}

static enum tsr_status take_once(struct assembler *as, const char *what, char *rest, uint64_t largest,
                                 int *line, uint64_t *out)
{
  if (*line)
    return bad(as, "%s is repeated; line %d has it already", what, *line);
  *line = as->line;
  if (take_ranged(as, what, next_part(&rest), 0, largest, out))
    return TSR_REFUSED;
  return rest ? bad(as, "%s has one value", what) : TSR_OK;
}

static enum tsr_status take_window(struct assembler *as, char *rest)
{
  return take_once(as, ".window", rest, TSR__LARGEST_WINDOW, &as->window_line, &as->window_bytes);
}

static enum tsr_status take_design(struct assembler *as, char *rest)
{
  return take_once(as, ".design", rest, UINT64_MAX, &as->design_line, &as->design_hash);
}

static enum tsr_status take_section(struct assembler *as, char *rest, bool data)
{
  char *word = next_word(&rest);
  if (word)
    return bad(as, "'%.*s' behind a section's name", QUOTED, word);
  as->in_data = data;
  return TSR_OK;
}

static enum tsr_status take_data(struct assembler *as, char *rest)
{
  return take_section(as, rest, true);
}

static enum tsr_status take_text(struct assembler *as, char *rest)
{
  return take_section(as, rest, false);
}

static enum tsr_status take_directive(struct assembler *as, const char *word, char *rest)
{
  static const char *const names[] = {".data", ".text", ".org",    ".byte",  ".word32",
                                      ".uop",  ".word", ".window", ".design"};
  static enum tsr_status (*const takes[])(struct assembler *, char *) = {
      take_data, take_text, take_org, take_byte, take_word32, take_uop, take_raw, take_window,
      take_design};
  int n = sizeof names / sizeof names[0], i = name_index(word, names, n);
  return i < 0 ? unknown(as, "directive", word, names, n) : takes[i](as, rest);
}

static enum tsr_status take_statement(struct assembler *as, char *text)
{
  static const char *const names[] = {
#define TSR_INSN(opcode, name, text, engine, format, meaning) text,
#include "isa/insns.def"
#undef TSR_INSN
  };
  static const int opcodes[] = {
#define TSR_INSN(opcode, name, text, engine, format, meaning) opcode,
#include "isa/insns.def"
#undef TSR_INSN
  };
  char *word = next_word(&text);
  if (!word)
    return TSR_OK;
  if (*word == '.')
    return take_directive(as, word, text);
  int n = sizeof names / sizeof names[0], i = name_index(word, names, n);
  return i < 0 ? unknown(as, "instruction", word, names, n) : take_insn(as, opcodes[i], text);
}

/* Copies the line without its comment; outside of comments, text is printable ASCII. */
static enum tsr_status take_line(struct assembler *as, const char *from, size_t length)
{
  char line[LONGEST_LINE + 1];
  size_t n = 0;
  if (length && from[length - 1] == '\r')
    length--;
  for (; n < length && from[n] != ';' && from[n] != '#'; n++) {
    unsigned char c = (unsigned char)from[n];
    if (n == LONGEST_LINE)
      return bad(as, "the line has more than %d characters", LONGEST_LINE);
    if ((c < 0x20 && c != '\t') || c > 0x7e)
      return bad(as, "byte 0x%02x; outside of comments only printable ASCII may stand", c);
    line[n] = (char)c;
  }
  line[n] = 0;
  return take_statement(as, line);
}

static enum tsr_status take_lines(struct assembler *as, const char *text)
{
  while (*text) {
    size_t length = strcspn(text, "\n");
    if (as->line == INT32_MAX)
      return bad(as, "too many lines");
    as->line++;
    if (take_line(as, text, length))
      return TSR_REFUSED;
    text += length + (text[length] == '\n');
  }
  return TSR_OK;
}

enum tsr_status tsr_assemble(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                             const char *text, struct tsr_program *out)
{
  struct assembler as = {.arena = arena, .err = err, .name = name};
  if (take_lines(&as, text))
    return TSR_REFUSED;
  if (!as.window_line)
    as.window_bytes = as.data_bytes;
  if (as.window_bytes < as.data_bytes) {
    as.line = as.window_line;
    return bad(&as, ".window is %" PRIu64 ", less than the %zu bytes of data", as.window_bytes,
               as.data_bytes);
  }
  *out = (struct tsr_program){(uint8_t *)as.words, as.word_count,       as.data,
                              as.data_bytes,       (size_t)as.window_bytes, as.design_hash};
  return TSR_OK;
}

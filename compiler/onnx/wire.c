/* SPDX-License-Identifier: Apache-2.0 */
/* From protobuf bytes to messages. protobuf-c does the unpacking; a walk over the bytes, led by the
 * same descriptors, goes before it, because protobuf-c recurses as deep as the bytes say, merges
 * fields that stand twice in quadratic time, and answers everything that is wrong with a NULL. */
#include <string.h>

#include "compiler/onnx/private.h"

/* A subgraph costs three levels; no model is near this. */
enum { DEEPEST = 100 };

/* Unpacked messages are larger than their bytes: an empty node is 2 bytes of file and a hundred of
 * memory. Real models stay below 2; what unfolds beyond this was made to. */
enum { UNFOLDS = 32, UNFOLDS_ANYWAY = 64 << 20 };

enum wire { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

struct walk {
  struct tsr_err *err;
  const uint8_t *start, *at;
};

static enum tsr_status refuse_bytes(struct walk *w, const ProtobufCMessageDescriptor *type,
                                    const char *what)
{
  return tsr_refuse(w->err, "is no valid ONNX protobuf: byte %zu, inside of %s: %s",
                    (size_t)(w->at - w->start), type->short_name, what);
}

/* At most `most` bytes; false when it does not end before `end` or within them. */
static bool read_varint(struct walk *w, const uint8_t *end, int most, uint64_t *out)
{
  *out = 0;
  for (int i = 0; i < most && w->at < end; i++) {
    uint8_t byte = *w->at++;
    *out |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80)
      return true;
  }
  return false;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
                                                  uint64_t id)
{
  for (unsigned i = 0; i < type->n_fields; i++)
    if (type->fields[i].id == id)
      return &type->fields[i];
  return NULL;
}

static enum wire wire_of(ProtobufCType type)
{
  switch (type) {
  case PROTOBUF_C_TYPE_SFIXED32:
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_FLOAT: return FIXED32;
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_DOUBLE: return FIXED64;
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_BYTES:
  case PROTOBUF_C_TYPE_MESSAGE: return LENGTH;
  default: return VARINT;
  }
}

static bool wire_fits(const ProtobufCFieldDescriptor *f, enum wire wire)
{
  return wire == wire_of(f->type) || (wire == LENGTH && f->label == PROTOBUF_C_LABEL_REPEATED);
}

/* Passes the content of one field; *content and its size for LENGTH. */
static bool pass_content(struct walk *w, const uint8_t *end, enum wire wire,
                         const uint8_t **content)
{
  uint64_t value, size = wire == FIXED32 ? 4 : 8;
  if (wire == VARINT)
    return read_varint(w, end, 10, &value);
  if (wire == LENGTH && !read_varint(w, end, 5, &size))
    return false;
  if (size > (uint64_t)(end - w->at))
    return false;
  *content = w->at;
  w->at += size;
  return true;
}

static enum tsr_status walk_message(struct walk *w, const ProtobufCMessageDescriptor *type,
                                    const uint8_t *end, int depth);

/* One field, its tag read already. *seen has a bit for every message field that may stand once. */
static enum tsr_status walk_field(struct walk *w, const ProtobufCMessageDescriptor *type,
                                  const uint8_t *end, int depth, uint64_t tag, uint64_t *seen)
{
  enum wire wire = (enum wire)(tag & 7);
  const ProtobufCFieldDescriptor *f = find_field(type, tag >> 3);
  const uint8_t *content = NULL;
  if (tag >> 3 == 0 || (wire != VARINT && wire != FIXED64 && wire != LENGTH && wire != FIXED32))
    return refuse_bytes(w, type, "a field with no valid tag");
  if (f && !wire_fits(f, wire))
    return refuse_bytes(w, type, "a field of the wrong wire type");
  if (!pass_content(w, end, wire, &content))
    return refuse_bytes(w, type, "the data is cut off");
  if (!f || f->type != PROTOBUF_C_TYPE_MESSAGE)
    return TSR_OK;
  if (f->label != PROTOBUF_C_LABEL_REPEATED) {
    uint64_t bit = UINT64_C(1) << (f - type->fields) % 64;
    if (*seen & bit)
      return refuse_bytes(w, type, "a field that may stand once stands twice");
    *seen |= bit;
  }
  const uint8_t *after = w->at;
  w->at = content;
  return walk_message(w, f->descriptor, after, depth + 1);
}

static enum tsr_status walk_message(struct walk *w, const ProtobufCMessageDescriptor *type,
                                    const uint8_t *end, int depth)
{
  uint64_t seen = 0, tag;
  if (depth > DEEPEST)
    return refuse_bytes(w, type, "messages are nested more than 100 deep");
  while (w->at < end) {
    if (!read_varint(w, end, 5, &tag) || tag > UINT32_MAX)
      return refuse_bytes(w, type, "a field with no valid tag");
    enum tsr_status status = walk_field(w, type, end, depth, tag, &seen);
    if (status)
      return status;
  }
  return TSR_OK;
}

struct budget {
  struct tsr_arena *arena;
  size_t left;
  bool spent;
};

static void *allocate(void *context, size_t size)
{
  struct budget *b = context;
  if (size > b->left) {
    b->spent = true;
    return NULL;
  }
  b->left -= size;
  return tsr_arena_alloc(b->arena, size);
}

static void release(void *context, void *p)
{
  (void)context; /* the arena ends it */
  (void)p;
}

enum tsr_status tsr__onnx_decode(struct tsr_arena *arena, struct tsr_err *err,
                                 const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
                                 size_t size, ProtobufCMessage **out)
{
  struct walk w = {.err = err, .start = bytes, .at = bytes};
  if (size == 0)
    return tsr_refuse(err, "is empty");
  enum tsr_status status = walk_message(&w, type, bytes + size, 0);
  if (status)
    return status;
  size_t most =
      size > (SIZE_MAX - UNFOLDS_ANYWAY) / UNFOLDS ? SIZE_MAX : size * UNFOLDS + UNFOLDS_ANYWAY;
  struct budget budget = {.arena = arena, .left = most};
  ProtobufCAllocator allocator = {allocate, release, &budget};
  ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, size, bytes);
  if (budget.spent)
    return tsr_refuse(err, "unfolds to more than %zu bytes of messages, which no real model does",
                      most);
  if (!message)
    return tsr_refuse(err, "is no valid ONNX protobuf");
  *out = message;
  return TSR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How a call says that it did not work.
 *
 * Two kinds of failure, two mechanisms. Bad input is a complete, located sentence for the caller: what
 * was wrong, where, what would work. A bug of ours is an assert. A library never prints and never
 * exits. Memory running out inside an arena unwinds to the call that owns the arena (base/arena.h). */
#ifndef TSR_BASE_STATUS_H
#define TSR_BASE_STATUS_H

enum tsr_status {
  TSR_OK = 0,
  TSR_MISMATCH = 1,  /* ran, but a result is wrong or a check failed; exit status 1 */
  TSR_REFUSED = 2,   /* bad input or usage; exit status 2 */
  TSR_NO_MEMORY = 3, /* an allocation failed; exit status 2 */
};

enum { TSR_ERR_TEXT = 1024 };

struct tsr_err {
  enum tsr_status status;
  char text[TSR_ERR_TEXT]; /* one sentence, no final newline; cut at the end when longer */
};

/* Fills err (which may be NULL) and returns TSR_REFUSED, so that a caller writes
 *   return tsr_refuse(err, "%s:%d: tile %d does not divide extent %d", ...); */
enum tsr_status tsr_refuse(struct tsr_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts a place before the sentence that err already holds: "model.onnx: node 'add': ...". */
enum tsr_status tsr_refuse_at(struct tsr_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fills err with "out of memory" and returns TSR_NO_MEMORY. */
enum tsr_status tsr_no_memory(struct tsr_err *err);

/* The name among names[0..n) nearest to `given` by edit distance, or NULL where none is near. For
 * "unknown key 'blok_in'; did you mean 'block_in'?". */
const char *tsr_nearest(const char *given, const char *const *names, int n);

#endif

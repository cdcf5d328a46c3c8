/* SPDX-License-Identifier: Apache-2.0 */
/* What was found: in memory for one compilation, in an SQLite file for all.
 *
 * The file is opened for each question and closed after it, so that nothing is held while the arena
 * may unwind. Write-ahead logging and a busy timeout let many compilers use one file; a record is one
 * statement, so it is there whole or not at all. The application ID says whose file it is. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/folder.h"
#include "compiler/tune/tune.h"

enum {
  APPLICATION = 0x54535254 /* "TSRT" */,
  BUSY_MS = 20000,
  RETRY_MS = 5,
  LONGEST_SCHEDULE = 1 << 13
};

struct kept {
  const char *key;
  struct tsr_tune_record record;
};

struct tsr_tune {
  struct tsr_arena *arena;
  struct tsr_tune_options options;
  struct kept *kept;
  size_t count, capacity;
};

struct tsr_tune *tsr_tune_new(struct tsr_arena *arena, const struct tsr_tune_options *options)
{
  struct tsr_tune *t = TSR_NEW(arena, struct tsr_tune);
  t->arena = arena;
  t->options = *options;
  if (!options->cycles)
    t->options.effort = TSR_TUNE_NONE;
  return t;
}

const struct tsr_tune_options *tsr_tune_options_of(const struct tsr_tune *tune)
{
  return &tune->options;
}

/* --- the file --------------------------------------------------------------------------------- */

static enum tsr_status refuse_file(struct tsr_err *err, const char *path, sqlite3 *db, int code)
{
  int kind = code & 0xff;
  if (kind == SQLITE_NOTADB || kind == SQLITE_CORRUPT || kind == SQLITE_FORMAT)
    return tsr_refuse(err,
                      "%s: is no cache of schedules, or is damaged (%s); delete it and it is made "
                      "anew, name another with --tune-cache, or none with --tune-cache none",
                      path, sqlite3_errstr(code));
  return tsr_refuse(err,
                    "%s: the cache of schedules cannot be used (%s); name another with "
                    "--tune-cache, or none with --tune-cache none",
                    path, db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

/* One number that a statement gives. */
static int ask_number(sqlite3 *db, const char *sql, int64_t *out)
{
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
  if (!code)
    code = sqlite3_step(s);
  if (code == SQLITE_ROW) {
    *out = sqlite3_column_int64(s, 0);
    code = SQLITE_OK;
  }
  sqlite3_finalize(s);
  return code;
}

/* In files of earlier versions there is another one. */
static int make_table(sqlite3 *db)
{
  return sqlite3_exec(db,
                      "CREATE TABLE IF NOT EXISTS layer (key TEXT PRIMARY KEY, text TEXT NOT NULL, "
                      "cycles INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID",
                      NULL, NULL, NULL);
}

/* An empty file becomes a cache; another one must be one. *foreign: it is a database of others. */
static int claim(sqlite3 *db, bool *foreign)
{
  char mark[64];
  int64_t application = 0, tables = 0;
  snprintf(mark, sizeof mark, "PRAGMA application_id = %d", APPLICATION);
  int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  if (!code)
    code = ask_number(db, "PRAGMA application_id", &application);
  if (!code)
    code = ask_number(db, "SELECT count(*) FROM sqlite_master", &tables);
  *foreign = !code && application != APPLICATION && (application || tables);
  if (!code && !*foreign && !tables)
    code = make_table(db);
  if (!code && !*foreign && application != APPLICATION)
    code = sqlite3_exec(db, mark, NULL, NULL, NULL);
  if (!code)
    code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
  return code;
}

/* Opens the file and makes it a cache where it is new. */
static int open_file(const char *path, sqlite3 **out, bool *foreign)
{
  int64_t application = 0;
  int code = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
  if (!code)
    code = sqlite3_busy_timeout(*out, BUSY_MS);
  if (!code)
    code = ask_number(*out, "PRAGMA application_id", &application);
  if (!code && application != APPLICATION)
    code = claim(*out, foreign);
  if (!code && !*foreign && application != APPLICATION)
    code = sqlite3_exec(*out, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
  if (!code && application == APPLICATION)
    code = make_table(*out);
  return code ? code : sqlite3_exec(*out, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
}

/* What is done with an open file. */
typedef int file_work(sqlite3 *db, const char *key, void *context);

/* SQLite waits for locks by itself, but for those of a file that changes to write-ahead logging or that
 * its last user is about to close: then all is done again. */
static enum tsr_status with_file(struct tsr_err *err, const char *path, file_work *work,
                                 const char *key, void *context)
{
  for (int waited = 0;; waited += RETRY_MS) {
    sqlite3 *db = NULL;
    bool foreign = false;
    int code = open_file(path, &db, &foreign);
    if (!code && !foreign)
      code = work(db, key, context);
    bool again = (code & 0xff) == SQLITE_BUSY && waited < BUSY_MS;
    enum tsr_status status = TSR_OK;
    if (foreign)
      status = tsr_refuse(err,
                          "%s: is a database of another program, and no cache of schedules; name "
                          "another file with --tune-cache, or none with --tune-cache none",
                          path);
    else if (code && !again)
      status = refuse_file(err, path, db, code);
    sqlite3_close(db);
    if (!again)
      return status;
    sqlite3_sleep(RETRY_MS);
  }
}

/* --- one record ------------------------------------------------------------------------------- */

struct found {
  char *text;
  uint64_t cycles, bytes;
};

/* context: a record whose text has LONGEST_SCHEDULE bytes, and stays as it is where there is none. */
static int read_record(sqlite3 *db, const char *key, void *context)
{
  struct found *out = context;
  sqlite3_stmt *s = NULL;
  int code =
      sqlite3_prepare_v2(db, "SELECT text, cycles, bytes FROM layer WHERE key = ?", -1, &s, NULL);
  if (!code)
    code = sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
  if (!code)
    code = sqlite3_step(s);
  if (code == SQLITE_ROW) {
    const char *text = (const char *)sqlite3_column_text(s, 0);
    if (text && strlen(text) < LONGEST_SCHEDULE)
      strcpy(out->text, text);
    out->cycles = (uint64_t)sqlite3_column_int64(s, 1);
    out->bytes = (uint64_t)sqlite3_column_int64(s, 2);
  }
  sqlite3_finalize(s);
  return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int write_record(sqlite3 *db, const char *key, void *context)
{
  const struct tsr_tune_record *record = context;
  sqlite3_stmt *s = NULL;
  int code = sqlite3_prepare_v2(
      db, "INSERT OR REPLACE INTO layer (key, text, cycles, bytes) VALUES (?, ?, ?, ?)", -1, &s,
      NULL);
  if (!code)
    code = sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
  if (!code)
    code = sqlite3_bind_text(s, 2, record->schedule, -1, SQLITE_STATIC);
  if (!code)
    code = sqlite3_bind_int64(s, 3, (sqlite3_int64)record->cycles);
  if (!code)
    code = sqlite3_bind_int64(s, 4, (sqlite3_int64)record->bytes);
  if (!code)
    code = sqlite3_step(s);
  sqlite3_finalize(s);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* --- recall and keep -------------------------------------------------------------------------- */

static void remember(struct tsr_tune *t, const char *key, const struct tsr_tune_record *record)
{
  t->kept = TSR_GROW(t->arena, t->kept, t->count, &t->capacity);
  t->kept[t->count++] =
      (struct kept){tsr_arena_strdup(t->arena, key),
                    {tsr_arena_strdup(t->arena, record->schedule), record->cycles, record->bytes}};
}

static const struct tsr_tune_record *remembered(const struct tsr_tune *t, const char *key)
{
  for (size_t k = t->count; k-- > 0;)
    if (!strcmp(t->kept[k].key, key))
      return &t->kept[k].record;
  return NULL;
}

enum tsr_status tsr_tune_recall(struct tsr_tune *t, struct tsr_err *err, const char *key,
                                const struct tsr_tune_record **found)
{
  *found = remembered(t, key);
  if (*found || !t->options.cache)
    return TSR_OK;
  struct found kept = {tsr_arena_alloc(t->arena, LONGEST_SCHEDULE), 0, 0};
  enum tsr_status status = with_file(err, t->options.cache, read_record, key, &kept);
  if (!status && *kept.text) {
    remember(t, key, &(struct tsr_tune_record){kept.text, kept.cycles, kept.bytes});
    *found = remembered(t, key);
  }
  return status;
}

void tsr_tune_keep(struct tsr_tune *t, const char *key, const struct tsr_tune_record *record)
{
  struct tsr_tune_record copy = *record;
  remember(t, key, record);
  if (t->options.cache && with_file(NULL, t->options.cache, write_record, key, &copy))
    t->options.cache = NULL;
}

/* --- where it is ------------------------------------------------------------------------------ */

const char *tsr_tune_default_cache(struct tsr_arena *arena)
{
  const char *folder = tsr_folder_of_caches(arena);
  if (!folder || !tsr_folder_make(folder))
    return NULL;
  return tsr_arena_printf(arena, "%s/tune.sqlite", folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum tsr_status tsr_refuse(struct tsr_err *err, const char *format, ...)
{
  if (err) {
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->status = TSR_REFUSED;
  }
  return TSR_REFUSED;
}

enum tsr_status tsr_refuse_at(struct tsr_err *err, const char *format, ...)
{
  if (!err)
    return TSR_REFUSED;
  char old[TSR_ERR_TEXT];
  memcpy(old, err->text, sizeof old);
  va_list args;
  va_start(args, format);
  int n = vsnprintf(err->text, sizeof err->text, format, args);
  va_end(args);
  if (n >= 0 && (size_t)n < sizeof err->text)
    snprintf(err->text + n, sizeof err->text - (size_t)n, ": %.*s", TSR_ERR_TEXT - 3 - n, old);
  return err->status;
}

enum tsr_status tsr_no_memory(struct tsr_err *err)
{
  tsr_refuse(err, "out of memory");
  if (err)
    err->status = TSR_NO_MEMORY;
  return TSR_NO_MEMORY;
}

enum { LONGEST_NAME = 63 };

static int edit_distance(const char *a, const char *b)
{
  int row[LONGEST_NAME + 1];
  int nb = (int)strlen(b);
  for (int j = 0; j <= nb; j++)
    row[j] = j;
  for (int i = 1; a[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= nb; j++) {
      int best = diagonal + (a[i - 1] != b[j - 1]);
      if (row[j] + 1 < best)
        best = row[j] + 1;
      if (row[j - 1] + 1 < best)
        best = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[nb];
}

const char *tsr_nearest(const char *given, const char *const *names, int n)
{
  const char *best = NULL;
  int best_distance = (int)strlen(given) / 2 + 1;
  if (strlen(given) > LONGEST_NAME)
    return NULL;
  for (int i = 0; i < n; i++) {
    int distance = strlen(names[i]) > LONGEST_NAME ? LONGEST_NAME : edit_distance(given, names[i]);
    if (distance < best_distance) {
      best = names[i];
      best_distance = distance;
    }
  }
  return best;
}

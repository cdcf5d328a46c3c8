/* SPDX-License-Identifier: Apache-2.0 */
/* Our side:
 *   open [float=TYPE] MODEL INPUT.npy ...   an ONNX file or a package, which is run once
 *   save OUTPUT.npy ...        the outputs of the latest run
 *   package FILE               the model as a package
 *   opened                     how long it took until the model could run, in seconds */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/cpu/worker.h"
#include "runtime/tessera.h"
#include "runtime/tessera_cpu.h"

static struct tessera *t;
static struct tessera_model *model;
static struct tessera_session *session;
static double opened; /* seconds */

static void close_all(void)
{
  tessera_session_free(session);
  tessera_model_free(model);
  session = NULL;
  model = NULL;
}

static enum tessera_status set_input(int k, const char *path)
{
  struct tessera_port port;
  struct tessera_tensor tensor;
  tessera_model_input(model, k, &port);
  enum tessera_status status = tessera_tensor_read(t, path, &port, &tensor);
  if (status)
    return status;
  status = tessera_session_set_input(t, session, k, &tensor);
  tessera_tensor_free(&tensor);
  return status;
}

static enum tessera_status open_model(char **word, int words, const char *floats)
{
  struct tessera_options options = {
      .target = "cpu", .codegen = tessera_cpu_codegen(), .tune_cache = "", .float_type = floats};
  double begin = wall_seconds();
  enum tessera_status status = tessera_model_open(t, word[0], &options, &model);
  if (!status)
    status = tessera_session_open(t, model, NULL, &session);
  opened = wall_seconds() - begin;
  for (int k = 1; k < words && !status; k++)
    status = set_input(k - 1, word[k]);
  return status ? status : tessera_session_run(t, session);
}

static const char *open_words(char **word, int words)
{
  const char *floats = NULL;
  close_all();
  if (words && !strncmp(word[0], "float=", 6)) {
    floats = word[0] + 6;
    word++;
    words--;
  }
  if (words < 1)
    return "open needs a model";
  if (open_model(word, words, floats)) {
    close_all();
    return tessera_message(t);
  }
  return NULL;
}

/* The first run went well, and no run changes what the next one computes. */
static void run(void)
{
  if (session)
    (void)tessera_session_run(t, session);
}

static const char *save(char **word, int words)
{
  struct tessera_tensor tensor;
  for (int k = 0; k < words; k++) {
    tessera_session_output(session, k, &tensor);
    if (tessera_tensor_write(t, word[k], &tensor))
      return tessera_message(t);
  }
  return NULL;
}

static const char *package(const char *path)
{
  struct tessera_bytes bytes;
  enum tessera_status status = tessera_model_package(t, model, &bytes);
  if (!status) {
    status = tessera_file_write(t, path, bytes.data, bytes.size);
    tessera_bytes_free(&bytes);
  }
  return status ? tessera_message(t) : NULL;
}

static bool other(char **word, int words)
{
  if (session && !strcmp(word[0], "save"))
    worker_answer(save(word + 1, words - 1));
  else if (session && words == 2 && !strcmp(word[0], "package"))
    worker_answer(package(word[1]));
  else if (session && !strcmp(word[0], "opened"))
    printf("%.9f\n", opened);
  else
    return false;
  return true;
}

int main(void)
{
  static const struct worker worker = {open_words, run, other};
  t = tessera_new(NULL);
  int status = t ? worker_serve(&worker) : 2;
  close_all();
  tessera_free(t);
  return status;
}

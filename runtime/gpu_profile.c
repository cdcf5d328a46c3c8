/* SPDX-License-Identifier: Apache-2.0 */
/* How long kernels take: each, by marks between them in a graph of all of them; all of them, in a graph without marks;
 * and a whole inference. */
#include <stdlib.h>

#include "runtime/gpu_private.h"

enum { WARM = 3, GAPS = 8 };

struct timing {
  struct tsr__gpu *gpu;
  struct tsr_gpu_times *times;
  double *sample; /* of each kernel, each gap, the inference, the kernels: a value a repetition */
  void **event;   /* before the first kernel, behind each, and behind each other */
  int events;
  int repeats;
  void *marked, *plain; /* graphs of all kernels, with events between and without */
};

static int count_kernels(const struct tsr__gpu *gpu)
{
  int n = 0;
  for (int w = 0; w < gpu->works; w++)
    for (int i = 0; gpu->work[w].kind == TSR__GPU && i < gpu->work[w].layers; i++)
      n += tsr__gpu_layer(gpu, gpu->work[w].layer[i])->kernels;
  return n;
}

/* In the order in which they run. */
static void list_kernels(struct tsr__gpu *gpu, struct tsr_gpu_times *times)
{
  int n = 0;
  for (int w = 0; w < gpu->works; w++)
    for (int i = 0; gpu->work[w].kind == TSR__GPU && i < gpu->work[w].layers; i++) {
      int layer = gpu->work[w].layer[i];
      for (int k = 0; k < tsr__gpu_layer(gpu, layer)->kernels; k++, n++) {
        times->kernel[n].layer = layer;
        times->kernel[n].entry = tsr__gpu_layer(gpu, layer)->kernel[k].entry;
        tsr_cuda_kernel_usage(gpu->kernel[layer][k], &times->kernel[n].usage);
      }
    }
}

static enum tsr_status launch(const struct timing *t, struct tsr_err *err, int n)
{
  int layer = t->times->kernel[n].layer, k = 0;
  while (k < n && t->times->kernel[n - k - 1].layer == layer)
    k++;
  return tsr_cuda_launch(t->gpu->cuda, err, t->gpu->kernel[layer][k]);
}

static enum tsr_status record_marked(struct tsr_cuda *cuda, struct tsr_err *err, void *context)
{
  const struct timing *t = context;
  if (tsr_cuda_event_record(cuda, err, t->event[0]))
    return TSR_REFUSED;
  for (int n = 0; n < t->times->kernels; n++)
    if (launch(t, err, n) || tsr_cuda_event_record(cuda, err, t->event[n + 1]))
      return TSR_REFUSED;
  for (int n = t->times->kernels + 1; n < t->events; n++)
    if (tsr_cuda_event_record(cuda, err, t->event[n]))
      return TSR_REFUSED;
  return TSR_OK;
}

static enum tsr_status record_plain(struct tsr_cuda *cuda, struct tsr_err *err, void *context)
{
  const struct timing *t = context;
  (void)cuda;
  for (int n = 0; n < t->times->kernels; n++)
    if (launch(t, err, n))
      return TSR_REFUSED;
  return TSR_OK;
}

static enum tsr_status time_kernels(struct timing *t, struct tsr_err *err, int repeat)
{
  struct tsr_cuda *cuda = t->gpu->cuda;
  double unused;
  if (tsr_cuda_graph_launch(cuda, err, t->marked) || tsr_cuda_wait(cuda, err, "timing its kernels"))
    return TSR_REFUSED;
  for (int n = 0; n < t->events - 1; n++)
    if (tsr_cuda_event_seconds(cuda, err, t->event[n], t->event[n + 1],
                               repeat < 0 ? &unused : &t->sample[n * t->repeats + repeat]))
      return TSR_REFUSED;
  return TSR_OK;
}

static double *row_of_inference(const struct timing *t)
{
  return &t->sample[(t->events - 1) * t->repeats];
}

static double *row_of_kernels(const struct timing *t)
{
  return &t->sample[t->events * t->repeats];
}

static enum tsr_status time_graph(const struct timing *t, struct tsr_err *err, void *graph,
                                  double *seconds)
{
  struct tsr_cuda *cuda = t->gpu->cuda;
  if (tsr_cuda_event_mark(cuda, err, t->event[0]) || tsr_cuda_graph_launch(cuda, err, graph) ||
      tsr_cuda_event_mark(cuda, err, t->event[1]) || tsr_cuda_wait(cuda, err, "timing its graphs"))
    return TSR_REFUSED;
  return tsr_cuda_event_seconds(cuda, err, t->event[0], t->event[1], seconds);
}

static enum tsr_status time_inference(const struct timing *t, struct tsr_err *err, int repeat)
{
  double all = 0, seconds;
  for (int w = 0; w < t->gpu->works; w++) {
    if (t->gpu->work[w].kind != TSR__GPU)
      continue;
    if (time_graph(t, err, t->gpu->segment[w].graph, &seconds))
      return TSR_REFUSED;
    all += seconds;
  }
  if (repeat >= 0)
    row_of_inference(t)[repeat] = all;
  return TSR_OK;
}

/* Behind a launch that is not timed: while that one runs, the host has done its part of this one. */
static enum tsr_status time_plain(const struct timing *t, struct tsr_err *err, int repeat)
{
  double seconds;
  if (tsr_cuda_graph_launch(t->gpu->cuda, err, t->plain) || time_graph(t, err, t->plain, &seconds))
    return TSR_REFUSED;
  if (repeat >= 0)
    row_of_kernels(t)[repeat] = seconds;
  return TSR_OK;
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *sample, int n)
{
  qsort(sample, (size_t)n, sizeof *sample, by_value);
  return n % 2 ? sample[n / 2] : (sample[n / 2 - 1] + sample[n / 2]) / 2;
}

/* What an event takes itself is taken off. */
static void take_medians(const struct timing *t)
{
  struct tsr_gpu_times *times = t->times;
  times->event_seconds = median(&t->sample[times->kernels * t->repeats], GAPS * t->repeats);
  for (int n = 0; n < times->kernels; n++) {
    double seconds = median(&t->sample[n * t->repeats], t->repeats) - times->event_seconds;
    times->kernel[n].seconds = seconds > 0 ? seconds : 0;
  }
  times->seconds = median(row_of_inference(t), t->repeats);
  times->device_seconds = median(row_of_kernels(t), t->repeats);
}

/* The ceilings come first: they bring the GPU to its clock. */
static enum tsr_status time_all(struct timing *t, struct tsr_err *err)
{
  struct tsr_cuda *cuda = t->gpu->cuda;
  enum tsr_status status = tsr_cuda_measure(cuda, err, &t->times->ceilings);
  if (status)
    return status;
  for (int i = 0; i < t->events; i++)
    if (tsr_cuda_event_new(cuda, err, &t->event[i]))
      return TSR_REFUSED;
  if (tsr_cuda_graph_new(cuda, err, record_marked, t, &t->marked) ||
      tsr_cuda_graph_new(cuda, err, record_plain, t, &t->plain))
    return TSR_REFUSED;
  for (int repeat = -WARM; repeat < t->repeats; repeat++)
    if (time_inference(t, err, repeat) || time_plain(t, err, repeat) ||
        time_kernels(t, err, repeat))
      return TSR_REFUSED;
  take_medians(t);
  return TSR_OK;
}

enum tsr_status tsr__gpu_profile(struct tsr_arena *arena, struct tsr__gpu *gpu, struct tsr_err *err,
                                 int repeats, struct tsr_gpu_times *out)
{
  int kernels = count_kernels(gpu), events = kernels + 1 + GAPS;
  *out = (struct tsr_gpu_times){.kernels = kernels,
                                .kernel = TSR_NEW_ARRAY(arena, struct tsr_gpu_kernel, kernels)};
  struct timing t = {.gpu = gpu,
                     .times = out,
                     .sample = TSR_NEW_ARRAY(arena, double, (events + 1) * repeats),
                     .event = TSR_NEW_ARRAY(arena, void *, events),
                     .events = events,
                     .repeats = repeats};
  list_kernels(gpu, out);
  if (tsr_cuda_enter(gpu->cuda, err))
    return TSR_REFUSED;
  enum tsr_status status = time_all(&t, err);
  tsr_cuda_graph_free(gpu->cuda, t.marked);
  tsr_cuda_graph_free(gpu->cuda, t.plain);
  for (int i = 0; i < events; i++)
    tsr_cuda_event_free(gpu->cuda, t.event[i]);
  tsr_cuda_leave(gpu->cuda);
  return status;
}

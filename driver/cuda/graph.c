/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs, and marks in the line of work. */
#include "driver/cuda/private.h"

enum tsr_status tsr_cuda_graph_new(struct tsr_cuda *gpu, struct tsr_err *err,
                                   tsr_cuda_record *record, void *context, void **graph)
{
  void *recorded = NULL;
  int error = gpu->api.capture_begin(gpu->stream, TSR__CUDA_CAPTURE_THREAD);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "starting to record a graph");
  enum tsr_status status = record(gpu, err, context);
  error = gpu->api.capture_end(gpu->stream, &recorded);
  if (!status && error)
    status = tsr__cuda_refuse(gpu, err, error, "recording a graph");
  error = status ? 0 : gpu->api.graph_instantiate(graph, recorded, 0);
  if (error)
    status = tsr__cuda_refuse(gpu, err, error, "preparing a graph");
  if (recorded)
    gpu->api.graph_destroy(recorded);
  return status;
}

void tsr_cuda_graph_free(struct tsr_cuda *gpu, void *graph)
{
  if (graph)
    gpu->api.instance_destroy(graph);
}

enum tsr_status tsr_cuda_graph_launch(struct tsr_cuda *gpu, struct tsr_err *err, void *graph)
{
  int error = gpu->api.instance_launch(graph, gpu->stream);
  return error ? tsr__cuda_refuse(gpu, err, error, "launching a graph") : TSR_OK;
}

enum tsr_status tsr_cuda_event_new(struct tsr_cuda *gpu, struct tsr_err *err, void **event)
{
  int error = gpu->api.event_create(event, 0);
  return error ? tsr__cuda_refuse(gpu, err, error, "making an event") : TSR_OK;
}

void tsr_cuda_event_free(struct tsr_cuda *gpu, void *event)
{
  if (event)
    gpu->api.event_destroy(event);
}

enum tsr_status tsr_cuda_event_mark(struct tsr_cuda *gpu, struct tsr_err *err, void *event)
{
  int error = gpu->api.event_record(event, gpu->stream);
  return error ? tsr__cuda_refuse(gpu, err, error, "recording an event") : TSR_OK;
}

enum tsr_status tsr_cuda_event_record(struct tsr_cuda *gpu, struct tsr_err *err, void *event)
{
  int error = gpu->api.event_record_node(event, gpu->stream, TSR__CUDA_EVENT_NODE);
  return error ? tsr__cuda_refuse(gpu, err, error, "recording an event in a graph") : TSR_OK;
}

enum tsr_status tsr_cuda_event_seconds(struct tsr_cuda *gpu, struct tsr_err *err, void *from,
                                       void *to, double *out)
{
  float milliseconds;
  int error = gpu->api.event_elapsed(&milliseconds, from, to);
  if (error)
    return tsr__cuda_refuse(gpu, err, error, "reading the time between two events");
  *out = milliseconds * 1e-3;
  return TSR_OK;
}

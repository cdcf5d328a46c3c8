/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles a network for the accelerator, runs one image, prints its class.
 *
 *   classify models/digits/digits.onnx models/digits/images.npy 3
 *
 * Everything is in tessera.h. A program that must start fast would load a package instead of the
 * ONNX file: tessera_model_open() takes both. */
#include <tessera.h>

#include <stdio.h>
#include <stdlib.h>

/* Image `index` of a file of many; it points into `all`. */
static struct tessera_tensor one_image(const struct tessera_tensor *all,
                                       const struct tessera_port *input, int64_t index)
{
  struct tessera_tensor image = {.dtype = input->dtype, .rank = input->rank};
  for (int i = 0; i < input->rank; i++)
    image.dims[i] = input->dims[i];
  image.data = (char *)all->data + (size_t)index * tessera_tensor_bytes(&image);
  return image;
}

static int64_t largest(const struct tessera_tensor *scores)
{
  int64_t best = 0;
  for (int64_t i = 1; i < tessera_tensor_count(scores); i++)
    if (tessera_tensor_value(scores, i) > tessera_tensor_value(scores, best))
      best = i;
  return best;
}

static enum tessera_status classify(struct tessera *t, const struct tessera_model *model,
                                    const struct tessera_tensor *images, int64_t index)
{
  struct tessera_port input;
  struct tessera_session *session;
  struct tessera_tensor scores;
  struct tessera_counters counters;
  tessera_model_input(model, 0, &input);
  struct tessera_tensor image = one_image(images, &input, index);
  enum tessera_status status = tessera_session_open(t, model, "func", &session);
  if (status)
    return status;
  status = tessera_session_set_input(t, session, 0, &image);
  if (!status)
    status = tessera_session_run(t, session);
  if (!status) {
    tessera_session_output(session, 0, &scores);
    tessera_session_counters(session, &counters);
    printf("image %lld shows a %lld\n", (long long)index, (long long)largest(&scores));
    printf("the accelerator did %llu multiply-accumulates\n", (unsigned long long)counters.macs);
  }
  tessera_session_free(session);
  return status;
}

int main(int argc, char **argv)
{
  struct tessera_model *model = NULL;
  struct tessera_tensor images = {0};
  struct tessera_port input;
  if (argc != 4) {
    fprintf(stderr, "usage: classify MODEL.onnx IMAGES.npy INDEX\n");
    return 2;
  }
  struct tessera *t = tessera_new(NULL);
  if (!t)
    return 2;
  enum tessera_status status = tessera_model_open(t, argv[1], NULL, &model);
  if (!status) {
    tessera_model_input(model, 0, &input);
    status = tessera_tensor_read(t, argv[2], &input, &images);
  }
  int64_t index = atoll(argv[3]);
  if (!status && (index < 0 || index >= images.dims[0])) {
    fprintf(stderr, "classify: %s has %lld images\n", argv[2], (long long)images.dims[0]);
    return 2;
  }
  if (!status)
    status = classify(t, model, &images, index);
  if (status)
    fprintf(stderr, "classify: %s\n", tessera_message(t));
  tessera_tensor_free(&images);
  tessera_model_free(model);
  tessera_free(t);
  return (int)status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles a network for the accelerator, runs one image, prints its class.
 *
 *   classify models/digits/digits.onnx models/digits/images.npy 3
 *
 * Everything is in tessera.h. A program that must start fast would load a package instead of the
 * ONNX file: tessera_model_open() takes both. */
#include <tessera.h>

#include <stdbool.h>
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

/* Does the file hold an image of that index? */
static bool has_image(const struct tessera_tensor *all, const struct tessera_port *input,
                      int64_t index)
{
  bool alike = all->dtype == input->dtype && all->rank == input->rank && all->rank > 0 &&
               input->dims[0] == 1;
  for (int i = 1; alike && i < all->rank; i++)
    alike = all->dims[i] == input->dims[i];
  return alike && index >= 0 && index < all->dims[0];
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
                                    const struct tessera_tensor *image, int64_t index)
{
  struct tessera_session *session;
  struct tessera_tensor scores;
  struct tessera_counters counters;
  enum tessera_status status = tessera_session_open(t, model, "func", &session);
  if (status)
    return status;
  status = tessera_session_set_input(t, session, 0, image);
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

/* The status, behind its sentence where it is an error's. */
static int report(const struct tessera *t, enum tessera_status status)
{
  if (status)
    fprintf(stderr, "classify: %s\n", tessera_message(t));
  return (int)status;
}

static int refuse(const char *path, const char *index)
{
  fprintf(stderr, "classify: %s has no image %s for this model\n", path, index);
  return TESSERA_REFUSED;
}

/* Image argv[3] of those that were read from argv[2]; 0, or an exit status after a sentence. */
static int classify_one(struct tessera *t, const struct tessera_model *model,
                        const struct tessera_tensor *images, char **argv)
{
  struct tessera_port input;
  char *end;
  int64_t index = strtoll(argv[3], &end, 10);
  tessera_model_input(model, 0, &input);
  if (end == argv[3] || *end || !has_image(images, &input, index))
    return refuse(argv[2], argv[3]);
  struct tessera_tensor image = one_image(images, &input, index);
  return report(t, classify(t, model, &image, index));
}

int main(int argc, char **argv)
{
  struct tessera_model *model = NULL;
  struct tessera_tensor images = {0};
  if (argc != 4) {
    fprintf(stderr, "usage: classify MODEL.onnx IMAGES.npy INDEX\n");
    return TESSERA_REFUSED;
  }
  struct tessera *t = tessera_new(NULL);
  if (!t)
    return TESSERA_NO_MEMORY;
  int status = report(t, tessera_model_open(t, argv[1], NULL, &model));
  if (!status)
    status = report(t, tessera_tensor_read(t, argv[2], NULL, &images));
  if (!status)
    status = classify_one(t, model, &images, argv);
  tessera_tensor_free(&images);
  tessera_model_free(model);
  tessera_free(t);
  return status;
}

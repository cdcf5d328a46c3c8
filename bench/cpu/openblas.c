/* SPDX-License-Identifier: Apache-2.0 */
/* OpenBLAS: open matmul f32 M K N. The second factor is not packed in advance: there is no call
 * for it. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cpu/worker.h"

static struct {
  int m, k, n;
  float *a, *b, *c;
} product;

static float *noise(int rows, int columns)
{
  size_t count = (size_t)rows * (size_t)columns;
  float *data = malloc(count * sizeof *data);
  for (size_t i = 0; data && i < count; i++)
    data[i] = (float)worker_noise();
  return data;
}

static const char *open_words(char **word, int words)
{
  if (words != 5 || strcmp(word[0], "matmul") || strcmp(word[1], "f32"))
    return "OpenBLAS has matmul of f32 only";
  product.m = atoi(word[2]);
  product.k = atoi(word[3]);
  product.n = atoi(word[4]);
  free(product.a);
  free(product.b);
  free(product.c);
  product.a = noise(product.m, product.k);
  product.b = noise(product.k, product.n);
  product.c = noise(product.m, product.n);
  return product.a && product.b && product.c ? NULL : "out of memory";
}

static void run(void)
{
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, product.m, product.n, product.k, 1,
              product.a, product.k, product.b, product.n, 0, product.c, product.n);
}

int main(void)
{
  static const struct worker worker = {open_words, run, NULL};
  return worker_serve(&worker);
}

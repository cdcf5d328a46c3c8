/* SPDX-License-Identifier: Apache-2.0 */
/* Modules with kernels for the fake driver, and that driver. */
#ifndef TSR_TESTS_CUDA_MODULES_H
#define TSR_TESTS_CUDA_MODULES_H

#include "compiler/module.h"
#include "native/kernels.h"
#include "tests/base/cases.h"
#include "tests/cuda/fake.h"

/* The driver at FAKE_CUDA, as it is when nothing was done with it yet. */
struct fake_cuda *fresh_fake(void);

/* The tensor IR that the kernel of a layer computes; NULL: the layer has none. */
typedef const char *kernel_text(struct tsr_arena *a, int layer, const struct tir_func *func);
kernel_text every_layer, even_layers, no_layer; /* those of the layers themselves */

/* Gives the module kernels, for sm_80 and for sm_90a: one a layer, two that do the same for one. */
enum { TWO_KERNELS = 4 };
void add_kernels(struct tsr_arena *a, struct tsr_module *m, kernel_text *text);

/* Two inputs, seven layers, three outputs, one of which is also read by layers:
 *   s = x + c    t = s * y    u = -s    v = t - u    w = v * v    z = gather(w, i)    r = z + s
 * x, y, c: f32[n]; i: i64[n]; c and i are constants, i, with `index` at its place 3. Outputs are r, s, w. */
enum {
  CHAIN_LAYERS = 7,
  CHAIN_X = 0,
  CHAIN_Y,
  CHAIN_C,
  CHAIN_I,
  CHAIN_S,
  CHAIN_T,
  CHAIN_U,
  CHAIN_V,
  CHAIN_W,
  CHAIN_Z,
  CHAIN_R,
  CHAIN_BUFFERS
};
struct tsr_module *chain(struct tsr_arena *a, int64_t n, int64_t index);
void chain_reference(int64_t n, int64_t index, const float *x, const float *y, float *r, float *s,
                     float *w);

/* One layer of this text: its inputs are the model's, and its outputs. */
struct tsr_module *one_layer(struct tsr_arena *a, const char *text);

/* models/digits/digits.onnx for a CPU. */
struct tsr_module *digits(struct tsr_arena *a);

#endif

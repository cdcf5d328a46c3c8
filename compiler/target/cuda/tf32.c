/* SPDX-License-Identifier: Apache-2.0 */
/* Products of f32 on tensor cores: the func itself says that factors are rounded, so that whatever runs
 * it, the interpreter among them, computes the same. */
#include "compiler/target/cuda/product.h"

static bool is_to_be_rounded(const struct cuda__product *p)
{
  const struct tir_stage *s = p->sum;
  return s->out->dtype == TSR_F32 && !p->tensor_cores && s->value->op == TIR_MUL &&
         p->dtype == TSR_F32 && p->rows >= CUDA__LEAST && p->columns >= CUDA__LEAST;
}

const struct tir_func *cuda__with_tf32(struct tsr_arena *a, const struct tir_func *f)
{
  struct cuda__product p;
  if (!cuda__product_of(a, f, &p) || !is_to_be_rounded(&p))
    return f;
  struct tir_func *to = TSR_NEW(a, struct tir_func);
  *to = *f;
  to->stage = TSR_NEW_ARRAY(a, struct tir_stage *, f->stages);
  for (int i = 0; i < f->stages; i++) {
    to->stage[i] = f->stage[i];
    if (f->stage[i] != p.sum)
      continue;
    tir_e x = p.sum->value;
    struct tir_stage *s = to->stage[i] = TSR_NEW(a, struct tir_stage);
    *s = *p.sum;
    s->value = tir_binary(a, TIR_MUL, tir_unary(a, TIR_TF32, x->arg[0]),
                          tir_unary(a, TIR_TF32, x->arg[1]));
  }
  return to;
}

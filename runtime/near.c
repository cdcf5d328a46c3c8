/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/near.h"

#include <math.h>
#include <string.h>

#include "runtime/work.h"

static struct tsr_tensor tensor_of(const struct tsr_module_buffer *b, const void *data)
{
  struct tsr_tensor t = {.dtype = b->dtype, .rank = b->rank, .data = (void *)(uintptr_t)data};
  memcpy(t.dims, b->dims, sizeof t.dims);
  return t;
}

bool tsr__is_near(const struct tsr_module_buffer *b, double limit, const void *expected,
                  const void *found)
{
  struct tsr_tensor v = tensor_of(b, expected), w = tensor_of(b, found);
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < tsr_tensor_count(&v); i++) {
    double x = tsr_get_float(&v, i), y = tsr_get_float(&w, i);
    if (isfinite(x) && isfinite(y)) {
      difference += (x - y) * (x - y);
      norm += x * x;
    } else if (x != y && !(isnan(x) && isnan(y))) {
      return false;
    }
  }
  return sqrt(difference) <= limit * sqrt(norm);
}

bool tsr__is_as_true(const struct tsr_module_buffer *b, const void *expected, const void *found)
{
  const uint8_t *x = expected, *y = found;
  for (size_t i = 0; i < tsr__buffer_bytes(b); i++)
    if ((x[i] != 0) != (y[i] != 0))
      return false;
  return true;
}

/* --- what is rounded -------------------------------------------------------------------------- */

static bool is_float(enum tsr_dtype dtype)
{
  return tsr_dtype_kind(dtype) == TSR_KIND_FLOAT;
}

static int arguments_of(tir_e e)
{
  static const int arguments[] = {
#define TIR_OP(id, text, form, args, meaning) args,
#include "compiler/tir/ops.def"
#undef TIR_OP
  };
  return e->op == TIR_LOAD ? e->args : arguments[e->op];
}

/* Has the expression a function of floats whose last bits are everyone's own? */
static bool has_function(tir_e e)
{
  switch (e->op) {
  case TIR_EXP:
  case TIR_LOG:
  case TIR_ERF:
  case TIR_TANH:
  case TIR_SIN:
  case TIR_COS:
  case TIR_POW: return true;
  default: break;
  }
  for (int i = 0; i < arguments_of(e); i++)
    if (has_function(e->arg[i]))
      return true;
  return false;
}

bool tsr__rounds(const struct tir_func *func)
{
  for (int i = 0; i < func->stages; i++) {
    const struct tir_stage *s = func->stage[i];
    bool adds = s->combine == TIR_SUM || s->combine == TIR_PRODUCT;
    if ((adds && is_float(s->out->dtype)) || has_function(s->value))
      return true;
  }
  return false;
}

void tsr__scale(const struct tsr_module_buffer *b, double factor, const void *from, void *to)
{
  struct tsr_tensor v = tensor_of(b, from), w = tensor_of(b, to);
  for (int64_t i = 0; i < tsr_tensor_count(&v); i++)
    tsr_put_float(&w, i, factor * tsr_get_float(&v, i));
}

static double value_of(const struct tsr_tensor *t, int64_t i)
{
  return is_float(t->dtype) ? tsr_get_float(t, i) : (double)tsr_get_int(t, i);
}

bool tsr__is_between(const struct tsr_module_buffer *b, const void *const three[3],
                     const void *found)
{
  struct tsr_tensor w = tensor_of(b, found);
  for (int64_t i = 0; i < tsr_tensor_count(&w); i++) {
    double least = INFINITY, most = -INFINITY, y = value_of(&w, i);
    for (int k = 0; k < 3; k++) {
      struct tsr_tensor v = tensor_of(b, three[k]);
      least = fmin(least, value_of(&v, i));
      most = fmax(most, value_of(&v, i));
    }
    if (!(y >= least && y <= most))
      return false;
  }
  return true;
}

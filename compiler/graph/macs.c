/* SPDX-License-Identifier: Apache-2.0 */
/* Multiply-accumulates: those of the mathematical op, padding included. */
#include "compiler/graph/graph_private.h"

int64_t tsr_node_macs(const struct tsr_node *n)
{
  int64_t each = 0; /* products for an output element */
  const struct tsr_value *w;
  switch (n->op) {
  case TSR_G_Conv:
  case TSR_G_ConvInteger:
  case TSR_G_QConv:
  case TSR_G_QLinearConv:
    w = n->in[n->op == TSR_G_QLinearConv ? 3 : 1];
    each = tsr_count(w->dims + 1, w->rank - 1, 1);
    break;
  case TSR_G_Gemm:
    each = n->in[0]->dims[tsr_node_int(n, "transA", 0) ? 0 : 1];
    break;
  case TSR_G_MatMul:
  case TSR_G_MatMulInteger:
  case TSR_G_QLinearMatMul:
  case TSR_G_QDense:
    each = n->in[0]->dims[n->in[0]->rank - 1];
    break;
  case TSR_G_ConvTranspose: /* every input element meets every weight of its channel */
    return tsr__count(n->in[0]) * tsr_count(n->in[1]->dims + 1, n->in[1]->rank - 1, 1);
  case TSR_G_BlockedConv:
  case TSR_G_BlockedWinograd:
  case TSR_G_BlockedDepthwise:
  case TSR_G_BlockedDense:
  case TSR_G_AccConv: /* of the op that was blocked: lanes past the last channel don't count */
  case TSR_G_AccDepthwise:
    return tsr_node_int(n, "macs", 0);
  default:
    return 0;
  }
  return tsr__count(n->out[0]) * each;
}

# SPDX-License-Identifier: Apache-2.0
"""A matrix product in Triton, as its users write one: tiles by pointers, the compiler pipelines them."""

import torch
import triton
import triton.language as tl

CONFIGS = [(128, 256, 64, 8, 3), (128, 128, 64, 4, 4), (64, 128, 64, 4, 4), (64, 64, 64, 4, 4)]  # m, n, k, warps, stages


@triton.jit
def kernel(a_ptr, b_ptr, y_ptr, m, n, k, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, G: tl.constexpr,
           SUM: tl.constexpr):
    tile = tl.program_id(0)
    high, wide = tl.cdiv(m, BM), tl.cdiv(n, BN)
    group = tile // (G * wide)
    top = group * G
    size = min(high - top, G)
    row = top + (tile % (G * wide)) % size
    column = (tile % (G * wide)) // size
    rm = row * BM + tl.arange(0, BM)
    rn = column * BN + tl.arange(0, BN)
    rk = tl.arange(0, BK)
    a = a_ptr + (rm % m)[:, None] * k + rk[None, :]
    b = b_ptr + rk[:, None] * n + (rn % n)[None, :]
    total = tl.zeros((BM, BN), dtype=SUM)
    for step in range(0, tl.cdiv(k, BK)):
        left = k - step * BK
        x = tl.load(a, mask=rk[None, :] < left, other=0)
        w = tl.load(b, mask=rk[:, None] < left, other=0)
        total = tl.dot(x, w, total, out_dtype=SUM)
        a += BK
        b += BK * n
    y = y_ptr + rm[:, None] * n + rn[None, :]
    tl.store(y, total.to(y_ptr.dtype.element_ty), mask=(rm[:, None] < m) & (rn[None, :] < n))


def matmul(a, b, y, config):
    bm, bn, bk, warps, stages = config
    m, k = a.shape
    n = b.shape[1]
    total = tl.int32 if a.dtype == torch.int8 else tl.float32
    if a.dtype == torch.int8:
        bk *= 2
    grid = (triton.cdiv(m, bm) * triton.cdiv(n, bn),)
    kernel[grid](a, b, y, m, n, k, bm, bn, bk, 8, total, num_warps=warps, num_stages=stages)

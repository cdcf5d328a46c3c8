# SPDX-License-Identifier: Apache-2.0
"""Each matrix product that bench_cuda_kernels makes, run by ptx.py: ragged shapes, several tiles a block, in
random orders of what may happen in any order. test_gemm.py BENCH_CUDA_KERNELS [NAME ...]"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np

from ptx import Kernel, Launch, Refused, TensorMap, matrix_map


def rounded(x, kind):
    if kind == "f16":
        return x.astype(np.float16)
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def widened(x, kind):
    if kind == "bf16":
        return (x.astype(np.uint32) << 16).view(np.float32)
    return x.astype(np.float32)


def packed(b):
    """As cuda__gemm_row() says."""
    n = b.shape[1]
    whole = (n + 31) // 32 * 32
    rows = np.zeros((whole, b.shape[0]), b.dtype)
    rows[:n] = b.T
    i = np.arange(whole)
    return np.ascontiguousarray(rows[i // 32 * 32 + i % 8 // 2 * 8 + i % 32 // 8 * 2 + i % 2])


def map_of_b(b, spec):
    """As enum cuda__gemm_b says."""
    k, n = b.shape
    size, box_k, box_n = b.itemsize, spec["box_k"], spec["box_n"]
    if spec["b"] == "packed":
        return matrix_map(packed(b), box_n, box_k)
    if spec["b"] == "rows":
        return TensorMap(b, [n, k, 1], [n * size, n * size], [64, box_k, 1])
    columns, row = np.ascontiguousarray(b.T), k * size
    return TensorMap(columns, [k, 8, n // 8], [row, 8 * row], [box_k, 2, box_n // 8])


def quantized(y, bias, scale, word):
    sums, shift = y.astype(object) + bias.astype(object), word & 63
    out = np.zeros(y.shape, np.int64)
    for (r, c), v in np.ndenumerate(sums):
        p, s = int(v) * (int(scale[c]) & 0x7FFFFFFF), int(shift[c])
        q, low, half = p >> s, p & (1 << s) - 1, (1 << s) >> 1
        out[r, c] = q + (s > 0 and (low > half or low == half and q & 1))
    zero = (word >> 8 & 255 ^ 128) - 128
    return np.clip(out + zero, -128, 127).astype(np.int8)


def case(spec, random, m, n, k):
    """Arguments of the epilogue, y as it should be, and how far it may be off."""
    kind = spec["type"]
    if kind.startswith("s8"):
        a = random.integers(-128, 128, (m, k), np.int8)
        b = random.integers(-128, 128, (k, n), np.int8)
        if kind == "s8q":
            b[:, ::5], b[0, ::5] = 0, 64  # sums that, times 2^-7, are ties for each odd a[m, 0]
        y = a.astype(np.int64) @ b.astype(np.int64)
        if kind == "s8":
            return a, b, [], y.astype(np.int32), 0
        bias = random.integers(-3000, 3000, n, np.int32)
        scale = random.integers(1 << 29, (1 << 31) - 1, n, np.int32)
        shift = random.integers(38, 46, n)
        bias[::5], scale[::5], shift[::5] = 64 * random.integers(-9, 9, len(bias[::5])), 1 << 30, 37
        shift[32::64] = random.integers(0, 64, len(shift[32::64]))  # what is computed the long way
        word = 127 << 24 | 128 << 16 | (random.integers(-9, 9, n) & 255) << 8 | shift
        return a, b, [bias, scale, word.astype(np.int32)], quantized(y, bias, scale, word), 0
    half = "f16" if kind == "f16" else "bf16"
    a, b = (rounded(random.standard_normal(s), half) for s in ((m, k), (k, n)))
    y = widened(a, half).astype(np.float64) @ widened(b, half).astype(np.float64)
    extra = []
    if kind == "bf16gelu":
        from math import erf

        extra = [random.standard_normal(n).astype(np.float32)]
        y = y + extra[0]
        y = y * 0.5 * (1 + np.vectorize(erf)(y / np.sqrt(2)))
    return a, b, extra, y, 1e-3 if half == "f16" else 8e-3


def run(spec, text, m, n, k, clusters, seed):
    random = np.random.default_rng(seed)
    kind = spec["type"]
    a, b, extra, want, slack = case(spec, random, m, n, k)
    y = np.full((m, n), 0x7B, {"s8": np.int32, "s8q": np.int8, "f16": np.float16}.get(kind, np.uint16))
    size, rows = spec["blocks_of_cluster"], spec["m"] * spec["cluster"]
    tiles = -(-m // rows) * -(-n // spec["n"])
    if spec["splits"] == 1:
        tiles = min(tiles, clusters)
    map_of_a = TensorMap(a, [k, m, 1], [k * a.itemsize, k * a.itemsize], [spec["box_k"], spec["box_m"], 1])
    maps = [map_of_a, map_of_b(b, spec)]
    launch = Launch(Kernel(text, spec["name"]), tiles * size, spec["threads"], spec["shared_bytes"], size,
                    maps + extra + [y, m, n, k, np.zeros(1, np.uint32)], seed, eager=seed % 2 == 0)
    launch.run()
    if not launch.stores[len(extra)].all():
        raise Refused(f"{(launch.stores[len(extra)] == 0).sum()} bytes are not written")
    if not slack:
        bad = np.argwhere(y != want)
    else:
        half = "f16" if kind == "f16" else "bf16"
        bad = np.argwhere(~(np.abs(widened(y, half) - want) <= slack * np.abs(want) + slack))
    if len(bad):
        raise Refused(f"{len(bad)} of {m * n} elements are wrong, the first at {bad[0].tolist()}: {y[tuple(bad[0])]}, not {want[tuple(bad[0])]}")


def shapes(spec):
    """Rows, columns, depth, clusters: less than a tile; ragged; more tiles than clusters."""
    m, n, k = spec["m"] * spec["cluster"], spec["n"], spec["box_k"]
    few = {"packed": 8, "columns": 8, "rows": 32}[spec["b"]]
    yield 5, few, k // 2, 1
    if spec["splits"] > 1:
        yield m + 3, n + few, 5 * k, 2
    else:
        yield 2 * m + 70, n + few, (spec["stages"] + 1) * k + k // 2, 2


def check_choices(folder):
    """Every shape that gemm.py measures has a choice, which is among the kernels (the program says so), and a place in
    its table."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench", "cuda"))
    import gemm

    text = "".join(f"{t} {m} {n} {k}\n" for t in ("bf16", "f16", "s8", "s8q", "bf16gelu") for _, m, n, k in gemm.shapes(t))
    subprocess.run([sys.argv[1], folder, "--choose"], input=text, text=True, check=True)
    kernels, taken = gemm.kernels_of(folder, [], True)
    assert sorted(" ".join(map(str, shape)) for shape in taken) == sorted(set(text.splitlines()))
    assert {k["name"] for k in kernels} <= {name for names in taken.values() for name in names}
    name = taken["bf16", 4096, 4096, 4096][0]
    row = {"time": "4096", "dtype": "bf16", "m": 4096, "n": 4096, "k": 4096, "chosen": [name],
           "medians": {name: 2e-4, "bf16_other": 1e-4, "cublas nn": 4e-4, "cublas nt": 3e-4, "triton 1": 5e-4}}
    (row,) = gemm.table([{"check": name}, row, {**row, "medians": {}}])
    assert (row["kernel"], row["ours_s"], row["chosen"], row["chosen_s"]) == ("bf16_other", 1e-4, name, 2e-4), row
    assert (row["peer"], row["peer_s"], row["triton_s"]) == ("cublas nt", 3e-4, 5e-4), row
    assert abs(row["tflops"] - 2 * 4096**3 / 1e-4 / 1e12) < 1e-6


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder] + sys.argv[2:], check=True)
        check_choices(folder)
        with open(os.path.join(folder, "kernels.json")) as f:
            specs = json.load(f)
        failed = 0
        for i, spec in enumerate(specs):
            with open(os.path.join(folder, spec["name"] + ".ptx")) as f:
                text = f.read()
            for m, n, k, clusters in shapes(spec):
                try:
                    run(spec, text, m, n, k, clusters, i)
                except Refused as e:
                    failed += 1
                    print(f"{spec['name']}, {m} x {n} x {k}: {e}", flush=True)
        print(f"{len(specs)} kernels, {failed} failures")
        return failed != 0 or not specs


if __name__ == "__main__":
    sys.exit(main())

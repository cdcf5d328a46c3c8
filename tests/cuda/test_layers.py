# SPDX-License-Identifier: Apache-2.0
"""Funcs whose matrices wgmma or mma multiplies, from tensor IR to PTX, run by ptx.py, against the interpreter.
test_layers.py LAYERS"""

import json
import math
import os
import subprocess
import sys
import tempfile

import numpy as np

from ptx import Kernel, Launch, Refused, TensorMap

# name, what the line about it must say, or behind a ! must not, the func
CASES = [
    ("dense", "b by columns", """
func dense(x: i8[70,160], w: i8[96,160], bias: i32[96], mult: i32[96], pack: i32[96]) -> (y: i8[70,96]) {
  temp acc: i32[70,96]
  acc: acc[n, o] sum(k < 160) init i32(0) = i32(x[n, k]) * i32(w[o, k])
  y: y[n, o] = sat8(quant(acc[n, o], bias[o], mult[o], pack[o]))
}"""),
    ("rows", "b by rows", """
func rows(a: f16[2,40,64], b: f16[64,128], c: f16[128], r: f16[2,40,128]) -> (y: f16[2,40,128]) {
  temp acc: f32[2,40,128]
  temp t: f32[2,40,128]
  acc: acc[b0, m, n] sum(k < 64) init f32(0) = f32(a[b0, m, k]) * f32(b[k, n])
  t: t[b0, m, n] = f32(f16(acc[b0, m, n] + f32(c[n]))) + f32(r[b0, m, n])
  y: y[b0, m, n] = f16(max(t[b0, m, n], f32(0)))
}"""),
    ("heads", "wgmma 6 x 40 x 96 x 64", """
func heads(q: bf16[2,3,40,64], k: bf16[2,3,96,64]) -> (y: bf16[2,3,40,96]) {
  temp acc: f32[2,3,40,96]
  acc: acc[b, h, m, n] sum(d < 64) init f32(0) = f32(q[b, h, m, d]) * f32(k[b, h, n, d])
  y: y[b, h, m, n] = bf16(acc[b, h, m, n] * f32(0.125))
}"""),
    ("values", "wgmma 6 x 40 x 64 x 96, b by rows", """
func values(p: bf16[2,3,40,96], v: bf16[2,3,96,64]) -> (y: bf16[2,3,40,64]) {
  temp acc: f32[2,3,40,64]
  acc: acc[b, h, m, n] sum(d < 96) init f32(0) = f32(p[b, h, m, d]) * f32(v[b, h, d, n])
  y: y[b, h, m, n] = bf16(acc[b, h, m, n])
}"""),
    ("pixels", "wgmma 2 x 72 x 64 x 64, b by rows", """
func pixels(x: f16[2,64,8,8], w: f16[72,64,1,1], c: f16[72], r: f16[2,72,8,8]) -> (y: f16[2,72,8,8]) {
  temp acc: f32[2,72,8,8]
  acc: acc[b, o, h, v] sum(i < 64) init f32(0) = f32(x[b, i, h, v]) * f32(w[o, i, 0, 0])
  y: y[b, o, h, v] = f16(acc[b, o, h, v] + f32(c[o]) + f32(r[b, o, h, v]))
}"""),
    ("channels", "wgmma 1 x 126 x 96 x 32, b by columns", """
func channels(x: i8[2,1,7,9,32], w: i8[1,1,1,1,1,96,32], p: i32[1,3,96]) -> (y: i8[2,1,7,9,96]) {
  temp acc: i32[2,1,7,9,96]
  acc: acc[n, ob, oh, ow, o] sum(cb < 1, kh < 1, kw < 1, ig < 1, i < 32) init i32(0) = i32(x[n, cb, oh + kh, ow + kw, ig * 32 + i]) * i32(w[ob, cb, kh, kw, ig, o, i])
  y: y[n, ob, oh, ow, o] = sat8(quant(acc[n, ob, oh, ow, o], p[ob, 0, o], p[ob, 1, o], p[ob, 2, o]))
}"""),
    ("window", "of 3 x 3 taps", """
func window(x: i8[3,1,7,7,80], w: i8[1,1,3,3,1,64,80], p: i32[1,3,64]) -> (y: i8[3,1,7,7,64]) {
  temp xp: i8[3,1,9,9,80]
  temp acc: i32[3,1,7,7,64]
  pad: xp[n, c, h, w0, i] = select(0 <= h - 1 and h - 1 < 7 and (0 <= w0 - 1 and w0 - 1 < 7), x[n, c, h - 1, w0 - 1, i], i8(0))
  acc: acc[n, ob, oh, ow, o] sum(cb < 1, kh < 3, kw < 3, ig < 1, i < 80) init i32(0) = i32(xp[n, cb, oh + kh, ow + kw, ig * 80 + i]) * i32(w[ob, cb, kh, kw, ig, o, i])
  y: y[n, ob, oh, ow, o] = sat8(quant(acc[n, ob, oh, ow, o], p[ob, 0, o], p[ob, 1, o], p[ob, 2, o]))
}"""),
    ("steps", "of 3 x 3 taps", """
func steps(x: f16[2,1,15,14,40], w: f16[1,1,3,3,40,64], b: f16[1,64]) -> (y: f16[2,1,8,7,64]) {
  temp xp: f16[2,1,17,16,40]
  temp acc: f32[2,1,8,7,64]
  pad: xp[n, c, h, w0, i] = select(0 <= h - 1 and h - 1 < 15 and (0 <= w0 - 1 and w0 - 1 < 14), x[n, c, h - 1, w0 - 1, i], f16(0))
  acc: acc[n, ob, oh, ow, o] sum(cb < 1, kh < 3, kw < 3, i < 40) init f32(0) = f32(xp[n, cb, oh * 2 + kh, ow * 2 + kw, i]) * f32(w[ob, cb, kh, kw, i, o])
  y: y[n, ob, oh, ow, o] = f16(max(acc[n, ob, oh, ow, o] + f32(b[ob, o]), f32(0)))
}"""),
    ("shared", "splits 4", """
func shared(x: f16[2,1,7,7,256], w: f16[1,1,3,3,256,64], b: f16[1,64]) -> (y: f16[2,1,7,7,64]) {
  temp xp: f16[2,1,9,9,256]
  temp acc: f32[2,1,7,7,64]
  pad: xp[n, c, h, w0, i] = select(0 <= h - 1 and h - 1 < 7 and (0 <= w0 - 1 and w0 - 1 < 7), x[n, c, h - 1, w0 - 1, i], f16(0))
  acc: acc[n, ob, oh, ow, o] sum(cb < 1, kh < 3, kw < 3, i < 256) init f32(0) = f32(xp[n, cb, oh + kh, ow + kw, i]) * f32(w[ob, cb, kh, kw, i, o])
  y: y[n, ob, oh, ow, o] = f16(max(acc[n, ob, oh, ow, o] + f32(b[ob, o]), f32(0)))
}"""),
    ("shared bytes", "splits 4", """
func sharedb(x: i8[1,1,7,7,512], w: i8[1,1,3,3,1,96,512], p: i32[1,3,96]) -> (y: i8[1,1,7,7,96]) {
  temp xp: i8[1,1,9,9,512]
  temp acc: i32[1,1,7,7,96]
  pad: xp[n, c, h, w0, i] = select(0 <= h - 1 and h - 1 < 7 and (0 <= w0 - 1 and w0 - 1 < 7), x[n, c, h - 1, w0 - 1, i], i8(0))
  acc: acc[n, ob, oh, ow, o] sum(cb < 1, kh < 3, kw < 3, ig < 1, i < 512) init i32(0) = i32(xp[n, cb, oh + kh, ow + kw, ig * 512 + i]) * i32(w[ob, cb, kh, kw, ig, o, i])
  y: y[n, ob, oh, ow, o] = sat8(quant(acc[n, ob, oh, ow, o], p[ob, 0, o], p[ob, 1, o], p[ob, 2, o]))
}"""),
    ("every", "of 1 x 1 taps", """
func every(x: i8[2,1,14,14,80], w: i8[1,1,1,1,1,64,80], p: i32[1,3,64]) -> (y: i8[2,1,7,7,64]) {
  temp acc: i32[2,1,7,7,64]
  acc: acc[n, ob, oh, ow, o] sum(cb < 1, kh < 1, kw < 1, ig < 1, i < 80) init i32(0) = i32(x[n, cb, oh * 2 + kh, ow * 2 + kw, ig * 80 + i]) * i32(w[ob, cb, kh, kw, ig, o, i])
  y: y[n, ob, oh, ow, o] = sat8(quant(acc[n, ob, oh, ow, o], p[ob, 0, o], p[ob, 1, o], p[ob, 2, o]))
}"""),
    ("inner", "!taps", """
func inner(x: i8[2,1,7,7,64], w: i8[1,1,3,3,1,64,64], p: i32[1,3,64]) -> (y: i8[2,1,7,7,64]) {
  temp xp: i8[2,1,9,9,64]
  temp acc: i32[2,1,7,7,64]
  pad: xp[n, c, h, w0, i] = select(1 <= h - 1 and h - 1 < 7 and (0 <= w0 - 1 and w0 - 1 < 7), x[n, c, h - 1, w0 - 1, i], i8(0))
  acc: acc[n, ob, oh, ow, o] sum(cb < 1, kh < 3, kw < 3, ig < 1, i < 64) init i32(0) = i32(xp[n, cb, oh + kh, ow + kw, ig * 64 + i]) * i32(w[ob, cb, kh, kw, ig, o, i])
  y: y[n, ob, oh, ow, o] = sat8(quant(acc[n, ob, oh, ow, o], p[ob, 0, o], p[ob, 1, o], p[ob, 2, o]))
}"""),
    ("whole", "b by columns", """
func whole(a: i8[64,64], b: i8[64,64]) -> (y: i32[64,64]) {
  y: y[m, n] sum(k < 64) init i32(0) = i32(a[m, k]) * i32(b[n, k])
}"""),
]

# For sm_80: cp.async, ldmatrix, mma.
MMA_CASES = [
    ("bytes", "cuda.mma.i8", """
func bytes(x: i8[40,160], w: i8[24,160], bias: i32[24], mult: i32[24], pack: i32[24]) -> (y: i8[40,24]) {
  temp acc: i32[40,24]
  acc: acc[m, n] sum(k < 160) init i32(0) = i32(x[m, k]) * i32(w[n, k])
  y: y[m, n] = sat8(quant(acc[m, n], bias[n], mult[n], pack[n]))
}"""),
    ("tf32", "cuda.mma.f32", """
func tf32s(x: f32[72,80], w: f32[40,80], b: f32[40]) -> (y: f32[72,40]) {
  temp acc: f32[72,40]
  acc: acc[m, n] sum(k < 80) init f32(0) = tf32(x[m, k]) * tf32(w[n, k])
  y: y[m, n] = max(acc[m, n] + b[n], f32(0))
}"""),
    ("tf32 collected", "cuda.mma.f32", """
func tf32c(x: f32[40,52], w: f32[52,24]) -> (y: f32[40,24]) {
  y: y[m, n] sum(k < 52) init f32(0) = tf32(x[m, k]) * tf32(w[k, n])
}"""),
    ("halves", "cuda.mma.f16", """
func halves(x: f16[40,64], w: f16[24,64]) -> (y: f16[40,24]) {
  temp acc: f32[40,24]
  acc: acc[m, n] sum(k < 64) init f32(0) = f32(x[m, k]) * f32(w[n, k])
  y: y[m, n] = f16(acc[m, n])
}"""),
    ("turned", "cuda.ldmatrix.t.bf16", """
func turned(x: bf16[40,64], w: bf16[64,32]) -> (y: f32[40,32]) {
  y: y[m, n] sum(k < 64) init f32(0) = f32(x[m, k]) * f32(w[k, n])
}"""),
    ("convolution", "cuda.mma.f32", """
func conv(x: f32[1,9,9,16], w: f32[24,3,3,16], b: f32[24]) -> (y: f32[1,4,4,24]) {
  y: y[n, oh, ow, o] sum(kh < 3, kw < 3, i < 16) init b[o] = tf32(x[n, oh * 2 + kh, ow * 2 + kw, i]) * tf32(w[o, kh, kw, i])
}"""),
]


def numbers(array):
    if array.dtype.kind == "V":  # bf16
        return (array.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return array


def argument(arg, data):
    if "dims" not in arg:
        return data[arg["param"]]
    return TensorMap(data[arg["param"]], arg["dims"], arg["strides"][1:], arg["box"], arg["step"])


def run(program, folder, text, says, arch):
    path = os.path.join(folder, "func.tir")
    with open(path, "w") as f:
        f.write(text)
    said = subprocess.run([program, path, folder, arch], check=True, capture_output=True, text=True).stdout
    if (says.lstrip("!") in said) == says.startswith("!"):
        raise Refused(f"the schedule is '{said.strip()}'; it should say '{says}'")
    if says.startswith("!"):
        return  # kernels of another kind than those that ptx.py runs
    with open(os.path.join(folder, "kernels.json")) as f:
        (kernel,) = json.load(f)
    with open(os.path.join(folder, "layer.ptx")) as f:
        ptx = f.read()
    files = sorted((f for f in os.listdir(folder) if f.endswith(".npy")), key=lambda f: int(f[:-4]))
    data = [np.load(os.path.join(folder, f)) for f in files]
    want, data[-1] = data[-1], np.frombuffer(bytearray(b"\x7b" * data[-1].nbytes), data[-1].dtype).reshape(data[-1].shape)
    args = [argument(a, data) for a in kernel["args"]] + [np.zeros(1, np.uint32)]
    launch = Launch(Kernel(ptx, kernel["entry"]), kernel["blocks"], kernel["threads"], kernel["shared_bytes"],
                    kernel["cluster"], args, seed=len(text))
    if arch == "sm_80":
        blocks, threads = (math.prod(kernel[what]) for what in ("grid", "block"))
        launch = Launch(Kernel(ptx, kernel["entry"]), blocks, threads, kernel["shared_bytes"], 1, args, seed=len(text),
                        grid=kernel["grid"], block=kernel["block"])
    launch.run()
    if launch.conflicts:
        raise Refused(f"{launch.conflicts} rows are in banks of others")
    y, want = numbers(data[-1]), numbers(want)
    if want.dtype.kind in "iu":
        bad = np.argwhere(y != want)
    else:
        off = 2e-2 if arch == "sm_90a" or want.dtype != np.float32 else 2e-5
        bad = np.argwhere(~(np.abs(y.astype(np.float64) - want) <= off * np.abs(want) + off))
    if len(bad):
        raise Refused(f"{len(bad)} of {want.size} elements are wrong, the first at {bad[0].tolist()}: {y[tuple(bad[0])]}, not {want[tuple(bad[0])]}")


def main():
    failed = 0
    cases = [(*case, "sm_90a") for case in CASES] + [(*case, "sm_80") for case in MMA_CASES]
    for name, says, text, arch in cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                run(sys.argv[1], folder, text, says, arch)
            except (Refused, subprocess.CalledProcessError) as e:
                failed += 1
                print(f"{name}: {e} {getattr(e, 'stderr', '')}")
    print(f"{len(cases)} layers, {failed} failures")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Convolutions of ResNet-50 on the GPU, channels side by side: conv.py --write LAYERS DIR makes the kernels (LAYERS is
the program cuda_layers), conv.py DIR OUT.json [--json] checks them against PyTorch with fresh random inputs and poisoned
outputs, and times them beside cuDNN's of the same convolution in f16."""

import ctypes
import importlib.util
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REPEATS = 25
PEAK = {"i8": 1979e12, "f16": 989e12}  # of an H100 SXM

# image size, channels, results, taps, step
SHAPES = [(56, 64, 64, 3, 1), (56, 128, 128, 3, 2), (28, 128, 128, 3, 1), (28, 256, 256, 3, 2), (14, 256, 256, 3, 1),
          (14, 512, 512, 3, 2), (7, 512, 512, 3, 1), (56, 256, 512, 1, 2), (56, 64, 256, 1, 1), (14, 1024, 256, 1, 1)]
FUNC = """func conv(x: {t}[{n},1,{s},{s},{c}], w: {t}[{w}], p: {p}) -> (y: {t}[{n},1,{o},{o},{k}]) {{
{pad}  temp acc: {sum}[{n},1,{o},{o},{k}]
  acc: acc[n, ob, oh, ow, o] sum(cb < 1, kh < {taps}, kw < {taps}, {reduce}) init {sum}(0) = {sum}({x}[n, cb, oh * {step} + kh, ow * {step} + kw, i]) * {sum}(w[{at}])
  y: y[n, ob, oh, ow, o] = {value}
}}
"""
PAD = """  temp xp: {t}[{n},1,{q},{q},{c}]
  pad: xp[n, c, h, v, i] = select(0 <= h - 1 and h - 1 < {s} and (0 <= v - 1 and v - 1 < {s}), x[n, c, h - 1, v - 1, i], {t}(0))
"""


def cases():
    for t in ("i8", "f16"):
        for n in (1, 32):
            for shape in SHAPES:
                yield (t, n) + shape


def name_of(case):
    return "_".join(str(v) for v in case)


def text_of(t, n, s, c, k, taps, step):
    i8, before = t == "i8", taps // 2
    o = (s + 2 * before - taps) // step + 1
    v = dict(t=t, n=n, s=s, c=c, k=k, taps=taps, step=step, o=o, q=s + 2 * before)
    v["x"], v["pad"] = ("xp", PAD.format(**v)) if before else ("x", "")
    v["sum"], v["p"] = ("i32", f"i32[1,3,{k}]") if i8 else ("f32", f"f16[1,{k}]")
    v["w"] = f"1,1,{taps},{taps},{k},{c}" if i8 else f"1,1,{taps},{taps},{c},{k}"
    v["at"] = "ob, cb, kh, kw, o, i" if i8 else "ob, cb, kh, kw, i, o"
    v["reduce"] = f"i < {c}"
    v["value"] = ("sat8(quant(acc[n, ob, oh, ow, o], p[ob, 0, o], p[ob, 1, o], p[ob, 2, o]))" if i8
                  else "f16(max(acc[n, ob, oh, ow, o] + f32(p[ob, o]), f32(0)))")
    return FUNC.format(**v)


def write(program, folder):
    for case in cases():
        where = os.path.join(folder, name_of(case))
        os.makedirs(where, exist_ok=True)
        with open(os.path.join(where, "func.tir"), "w") as f:
            f.write(text_of(*case))
        said = subprocess.run([program, f.name, where, "--kernels"], check=True, capture_output=True, text=True)
        with open(os.path.join(where, "schedule.txt"), "w") as f:
            f.write(said.stdout)


class Bench:
    def __init__(self, folder):
        import torch

        sys.path.insert(0, HERE)
        import driver

        self.t, self.d, self.folder = torch, driver, folder
        torch.zeros(1, device="cuda")
        torch.backends.cudnn.benchmark = True

    def load(self, case):
        where = os.path.join(self.folder, name_of(case))
        with open(os.path.join(where, "kernels.json")) as f:
            kernels = json.load(f)
        if len(kernels) != 1:
            raise RuntimeError(f"{len(kernels)} kernels, not one of wgmma")
        self.kernel = kernels[0]
        self.function = self.d.load(os.path.join(where, "layer"), self.kernel["entry"], self.kernel["shared_bytes"])

    def inputs(self, t_, n, s, c, k, taps, step):
        t = self.t
        o = (s + 2 * (taps // 2) - taps) // step + 1
        if t_ == "i8":
            x = t.randint(-128, 128, (n, s, s, c), dtype=t.int8, device="cuda")
            w = t.randint(-128, 128, (taps, taps, k, c), dtype=t.int8, device="cuda")
            shift = t.full((k,), 31 + int((taps * taps * c).bit_length() / 2 + 7), dtype=t.int32, device="cuda")
            word = 127 << 24 | 128 << 16 | (t.randint(-9, 9, (k,), dtype=t.int32, device="cuda") & 255) << 8 | shift
            p = t.stack([t.randint(-9999, 9999, (k,), dtype=t.int32, device="cuda"),
                         t.randint(1 << 29, (1 << 31) - 1, (k,), dtype=t.int32, device="cuda"), word.int()])
        else:
            x = t.randn((n, s, s, c), device="cuda").half()
            w = t.randn((taps, taps, c, k), device="cuda").half()
            p = t.randn((k,), device="cuda").half()
        y = t.empty((n, o, o, k), dtype=x.dtype, device="cuda")
        y.view(t.int8).fill_(0x7B)
        return [x, w, p, y]

    def reference(self, t_, data, taps, step):
        t = self.t
        x, w, p, _ = data
        wide = t.float64 if t_ == "i8" else t.float32
        kernel = w.permute(2, 3, 0, 1) if t_ == "i8" else w.permute(3, 2, 0, 1)
        y = t.nn.functional.conv2d(x.permute(0, 3, 1, 2).to(wide), kernel.to(wide), stride=step, padding=taps // 2)
        y = y.permute(0, 2, 3, 1)
        if t_ != "i8":
            return (y + p.float()).clamp_min(0)
        bias, scale, word = (v.to(t.int64) for v in p)
        shift, product = word & 63, (y.to(t.int64) + bias) * scale
        one = t.ones_like(shift)
        low, half, y = product & ((one << shift) - 1), one << (shift - 1), product >> shift
        y = y + ((low > half) | ((low == half) & (y % 2 == 1))).to(t.int64)
        return (y + ((word >> 8 & 255 ^ 128) - 128)).clamp(-128, 127)

    def launch(self, t_, data):
        args = []
        for a in self.kernel["args"]:
            tensor = data[a["param"]]
            if "dims" in a:
                args.append(self.d.tensor_map(tensor, "u8" if t_ == "i8" else "f16", a["dims"], a["strides"][1:], a["box"],
                                              a["step"]))
            else:
                args.append(ctypes.c_void_p(tensor.data_ptr()))
        self.status = self.t.zeros(1, dtype=self.t.int32, device="cuda")
        args.append(ctypes.c_void_p(self.status.data_ptr()))
        k = self.kernel
        return self.d.Launch(self.function, k["blocks"], k["threads"], k["shared_bytes"], k["cluster"], args)

    def check(self, case):
        t = self.t
        data = self.inputs(*case)
        self.launch(case[0], data)(t.cuda.current_stream().cuda_stream)
        t.cuda.synchronize()
        want = self.reference(case[0], data, case[5], case[6])
        y = data[3]
        if case[0] == "i8":
            bad = (y.to(t.int64) != want).nonzero()
            return f"{len(bad)} of {y.numel()} differ, the first at {bad[0].tolist()}" if len(bad) else None
        error = ((y.float() - want).norm() / want.norm()).item()
        return None if error < 1e-3 else f"relative error {error:.2e}"

    def time(self, case):
        t = self.t
        t_, n, s, c, k, taps, step = case
        each = n * s * s * c * (1 if t_ == "i8" else 2)
        sets = [self.inputs(*case) for _ in range(max(2, min(10, 120_000_000 // each)))]
        launches = [self.launch(t_, data) for data in sets]
        runs = {"ours": [lambda l=l: l(t.cuda.current_stream().cuda_stream) for l in launches]}
        half = [(d[0].half().permute(0, 3, 1, 2),
                 (d[1].permute(2, 3, 0, 1) if t_ == "i8" else d[1].permute(3, 2, 0, 1)).half().contiguous(memory_format=t.channels_last))
                for d in sets]
        runs["cudnn f16"] = [lambda x=x, w=w: t.nn.functional.conv2d(x, w, stride=step, padding=taps // 2) for x, w in half]
        graphs, times = {}, {}
        for name, calls in runs.items():
            side = t.cuda.Stream()
            with t.cuda.stream(side):
                for call in calls[:2]:
                    call()
            t.cuda.synchronize()
            graphs[name], times[name] = t.cuda.CUDAGraph(), []
            with t.cuda.graph(graphs[name]):
                for call in calls:
                    call()
        for turn in range(REPEATS + 3):
            for name, graph in graphs.items():
                start, end = (t.cuda.Event(enable_timing=True) for _ in range(2))
                start.record()
                graph.replay()
                end.record()
                t.cuda.synchronize()
                if turn >= 3:
                    times[name].append(start.elapsed_time(end) * 1e-3 / len(sets))
        return {name: sorted(v)[len(v) // 2] for name, v in times.items()}


def what_is_missing():
    """A sentence, or None."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "there is no NVIDIA driver (libcuda.so.1)"
    return None if importlib.util.find_spec("torch") else f"{sys.executable} has no PyTorch"


def measured(bench, case):
    t_, n, s, c, k, taps, step = case
    bench.load(case)
    wrong, times = bench.check(case), bench.time(case)
    o = (s + 2 * (taps // 2) - taps) // step + 1
    rate = 2 * n * o * o * k * c * taps * taps / times["ours"]
    return {"case": name_of(case), "dtype": "int8" if t_ == "i8" else "f16", "ours_s": times["ours"], "peer": "cudnn f16",
            "peer_s": times["cudnn f16"], "tflops": rate / 1e12, "fraction_of_peak": rate / PEAK[t_], "wrong": wrong}


def line_of(row):
    if "ours_s" not in row:
        return f"{row['case']} {row['wrong'][:300]}"
    return (f"{row['case']:28} {row['ours_s'] * 1e6:8.1f} us {row['tflops']:7.1f} TFLOP/s, cuDNN f16 "
            f"{row['peer_s'] * 1e6:8.1f} ({row['peer_s'] / row['ours_s']:.2f}) {row['wrong'] or ''}")


def main():
    if sys.argv[1] == "--write":
        return write(sys.argv[2], sys.argv[3])
    if what_is_missing():
        print(f"conv.py: skipped: {what_is_missing()}", file=sys.stderr)
        return 0
    bench, rows, out = Bench(sys.argv[1]), [], sys.stderr if "--json" in sys.argv else sys.stdout
    for case in cases():
        try:
            rows.append(measured(bench, case))
        except Exception as e:
            rows.append({"case": name_of(case), "wrong": str(e)})
        print(line_of(rows[-1]), file=out, flush=True)
        with open(sys.argv[2], "w") as f:
            json.dump(rows, f, indent=1)
        bench.t.cuda.empty_cache()
        if "CUDA error" in str(rows[-1]["wrong"]) or "launch" in str(rows[-1]["wrong"]):
            break
    if "--json" in sys.argv:
        print(json.dumps(rows, indent=1))
    return any(row["wrong"] for row in rows)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Matrix products on the GPU beside cuBLAS and Triton: gemm.py KERNELS OUT.json [--seconds N] [--only TEXT] [--json]

KERNELS is a folder that bench_cuda_kernels wrote; `gemm.py --shapes | bench_cuda_kernels KERNELS --choose` adds to it which
kernels the compiler takes, and with --chosen only those are measured. Every kernel is first checked against PyTorch on ragged and
on large shapes, with fresh random inputs and poisoned outputs; then those of each shape are timed in turns with
their peers: CUDA graphs of several launches over rotating inputs, medians of events. A process of its own does
the work, so that a kernel that hangs or traps costs its own result only."""

import argparse
import contextlib
import ctypes
import importlib.util
import json
import math
import os
import select
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
IDLE_SECONDS = 30  # without a line from the worker, it hangs
KERNEL_SECONDS = 2  # the same of a kernel under check
MOST_DEATHS = 5  # of workers, before nothing more is tried
REPEATS = 25
POISON = 0x7B

CUBES = [1024, 2048, 4096, 8192]
RESNET50 = [  # rows of one image, columns, depth: 1x1 convolutions, a 3x3 one as a product, and the last layer
    (3136, 64, 64), (3136, 256, 64), (3136, 64, 256), (3136, 128, 256), (784, 512, 128), (784, 128, 512),
    (784, 128, 1152), (784, 256, 512), (196, 1024, 256), (196, 256, 1024), (196, 512, 1024), (49, 2048, 512),
    (49, 512, 2048), (1, 1000, 2048),
]
BERT = [(768, 768), (2304, 768), (3072, 768), (768, 3072)]  # columns, depth


def shapes(kind):
    """(case, m, n, k)"""
    out = [(f"cube {s}", s, s, s) for s in CUBES]
    if kind in ("bf16", "s8q"):
        for batch in (1, 32):
            for m, n, k in RESNET50:
                out.append((f"resnet50 b{batch}", m * batch, n, k))
            for length in (128, 512):
                for n, k in BERT:
                    out.append((f"bert b{batch} s{length}", batch * length, n, k))
    if kind == "bf16gelu":
        out = [(f"bert b{b} s{s}", b * s, 3072, 768) for b in (1, 32) for s in (128, 512)]
    return out


# --- the worker -------------------------------------------------------------------------------------------------


def kernels_of(folder, only, chosen):
    """Those to measure, and by shape the names of those that the compiler takes."""
    with open(os.path.join(folder, "kernels.json"), encoding="utf-8") as f:
        kernels = [k for k in json.load(f) if not only or any(o in k["name"] for o in only)]
    taken, path = {}, os.path.join(folder, "chosen.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for row in json.load(f):
                taken.setdefault((row["type"], row["m"], row["n"], row["k"]), []).append(row["name"])
    names = {name for row in taken.values() for name in row}
    return [k for k in kernels if not chosen or k["name"] in names], taken


def say(**row):
    print(json.dumps(row), flush=True)


class Bench:
    def __init__(self, folder):
        import torch

        sys.path.insert(0, HERE)
        import driver

        self.torch, self.driver, self.folder = torch, driver, folder
        torch.zeros(1, device="cuda")
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
        self.multiprocessors = torch.cuda.get_device_properties(0).multi_processor_count
        self.seed = int.from_bytes(os.urandom(4), "little")
        self.random = torch.Generator(device="cuda")
        self.random.manual_seed(self.seed)
        self.status = torch.zeros(1, dtype=torch.int32, device="cuda")
        self.functions = {}

    def copy_rate(self):
        """Bytes read and written in a second by a copy that no cache holds."""
        t = self.torch
        x = t.empty(1 << 30, dtype=t.int8, device="cuda").random_(0, 100)
        y = t.empty_like(x)
        times = []
        for _ in range(12):
            start, end = (t.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            y.copy_(x)
            end.record()
            t.cuda.synchronize()
            times.append(start.elapsed_time(end))
        return 2 * (1 << 30) / (sorted(times)[len(times) // 2] * 1e-3)

    def function(self, kernel):
        name = kernel["name"]
        if name not in self.functions:
            self.functions[name] = self.driver.load(os.path.join(self.folder, name), name, kernel["shared_bytes"])
        return self.functions[name]

    # -- data

    def inputs(self, kind, m, n, k):
        """a (m,k), b (k,n), b in the other forms that kernels take, and what the epilogue reads."""
        t = self.torch
        if kind.startswith("s8"):
            a = t.randint(-128, 128, (m, k), dtype=t.int8, device="cuda", generator=self.random)
            b = t.randint(-128, 128, (k, n), dtype=t.int8, device="cuda", generator=self.random)
        else:
            dtype = t.float16 if kind == "f16" else t.bfloat16
            a = t.randn((m, k), device="cuda", generator=self.random).to(dtype)
            b = t.randn((k, n), device="cuda", generator=self.random).to(dtype)
        x = {"a": a, "b": b, "extra": self.extra(kind, n, k)}
        self.forms(x)
        return x

    def forms(self, x):
        """b by its columns, and those in the order that cuda__gemm_row() says."""
        x["columns"], x["packed"] = x["b"].t().contiguous(), self.pack(x["b"])

    def map_of_b(self, kernel, kind, x):
        d, b = self.driver, x["b"]
        k, n = b.shape
        size, box_k, box_n = b.element_size(), kernel["box_k"], kernel["box_n"]
        if kernel["b"] == "packed":
            return d.matrix_map(x["packed"], kind, box_n, box_k)
        if kernel["b"] == "rows":
            return d.tensor_map(b, kind, (n, k, 1), (n * size, n * size), (64, box_k, 1))
        row = k * size
        return d.tensor_map(x["columns"], kind, (k, 8, n // 8), (row, 8 * row), (box_k, 2, box_n // 8))

    def pack(self, b):
        """Rows of b's transpose, those of 32 columns in the order that cuda__gemm_row() says."""
        t = self.torch
        n = b.shape[1]
        whole = (n + 31) // 32 * 32
        rows = t.zeros((whole, b.shape[0]), dtype=b.dtype, device="cuda")
        rows[:n] = b.t()
        i = t.arange(whole, device="cuda")
        return rows[i // 32 * 32 + i % 8 // 2 * 8 + i % 32 // 8 * 2 + i % 2].contiguous()

    def extra(self, kind, n, k):
        t = self.torch
        if kind == "bf16gelu":
            return [t.randn(n, device="cuda", generator=self.random)]
        if kind != "s8q":
            return []
        draw = lambda lo, hi: t.randint(lo, hi, (n,), dtype=t.int32, device="cuda", generator=self.random)
        shift = 31 + int(math.log2(74 * 74 * math.sqrt(k) / 40))  # results of about 40
        packed = 127 << 24 | (-128 & 255) << 16 | (draw(-20, 20) & 255) << 8 | (draw(shift - 1, shift + 2) & 63)
        return [draw(-20000, 20000), draw(1 << 29, (1 << 31) - 1), packed.to(t.int32)]

    def output(self, kind, m, n):
        t = self.torch
        dtype = {"s8": t.int32, "s8q": t.int8, "f16": t.float16}.get(kind, t.bfloat16)
        y = t.empty((m, n), dtype=dtype, device="cuda")
        y.view(t.int8).fill_(POISON)
        return y

    def reference(self, kind, x):
        t = self.torch
        if not kind.startswith("s8"):
            y = x["a"].float() @ x["b"].float()
            if kind == "bf16gelu":
                y = t.nn.functional.gelu(y + x["extra"][0])
            return y
        y = (x["a"].double() @ x["b"].double()).to(t.int64)
        if kind == "s8":
            return y
        bias, scale, packed = (e.to(t.int64) for e in x["extra"])
        shift, product = packed & 63, (y + bias) * scale
        one = t.ones_like(shift)
        low = product & ((one << shift) - 1)
        half = one << (shift - 1)
        y = product >> shift
        y = y + ((low > half) | ((low == half) & (y % 2 == 1))).to(t.int64)
        zero = ((packed >> 8) & 255 ^ 128) - 128
        return (y + zero).clamp(-128, 127)

    # -- launches

    def launch(self, kernel, x, y):
        m, k = x["a"].shape
        n = y.shape[1]
        kind = "u8" if kernel["type"].startswith("s8") else "f16" if kernel["type"] == "f16" else "bf16"
        d = self.driver
        a = d.tensor_map(x["a"], kind, (k, m, 1), (k * x["a"].element_size(),) * 2, (kernel["box_k"], kernel["box_m"], 1))
        args = [a, self.map_of_b(kernel, kind, x)]
        args += [ctypes.c_void_p(t.data_ptr()) for t in x["extra"] + [y]]
        args += [ctypes.c_int(v) for v in (m, n, k)] + [ctypes.c_void_p(self.status.data_ptr())]
        size = kernel["blocks_of_cluster"]
        rows = kernel["m"] * kernel["cluster"]
        tiles = -(-m // rows) * -(-n // kernel["n"])
        if kernel["splits"] == 1:
            tiles = min(tiles, self.resident(kernel) // size)
        return d.Launch(self.function(kernel), tiles * size, kernel["threads"], kernel["shared_bytes"], size, args)

    def resident(self, kernel):
        """Blocks that run at one time."""
        n = ctypes.c_int()
        code = self.driver.cuda.cuOccupancyMaxActiveBlocksPerMultiprocessor(
            ctypes.byref(n), self.function(kernel), kernel["threads"], ctypes.c_size_t(kernel["shared_bytes"]))
        self.driver.check(code, "the occupancy of " + kernel["name"])
        return max(n.value, 1) * self.multiprocessors

    def stream(self):
        return self.torch.cuda.current_stream().cuda_stream

    def run(self, kernel, x, y):
        """One launch; one that does not end leaves no way on."""
        done = self.torch.cuda.Event()
        self.launch(kernel, x, y)(self.stream())
        done.record()
        end = time.time() + KERNEL_SECONDS
        while not done.query():
            if time.time() > end:
                raise RuntimeError("the launch does not end")

    def diagnose(self, kernel):
        """Where rows, columns and depth of a small product come from, if not from their own place."""
        t = self.torch
        if kernel["type"] not in ("bf16", "f16", "s8"):
            return ""
        kind = kernel["type"]
        m, n, k = kernel["m"], kernel["n"], 64
        x = self.inputs(kind, m, n, k)
        out = []

        def product(a, b):
            x["a"].copy_(a)
            x["b"] = b.to(x["b"].dtype).contiguous()
            self.forms(x)
            y = self.output(kind, m, n)
            self.run(kernel, x, y)
            return y.double()

        zero_a, zero_b = t.zeros(m, k, device="cuda"), t.zeros(k, n, device="cuda")
        row, column = t.arange(m, device="cuda") % 128, t.arange(n, device="cuda") % 128
        for what, a, b, want in (
            ("rows", row[:, None].float(), 1, row[:, None].double().expand(m, n)),
            ("columns", 1, column[None, :].float(), column[None, :].double().expand(m, n)),
        ):
            za, zb = zero_a.clone(), zero_b.clone()
            za[:, :1], zb[:1, :] = a, b
            y = product(za, zb)
            bad = (y != want).nonzero()
            if len(bad):
                seen = [(r, c, y[r, c].item()) for r, c in bad[:: max(1, len(bad) // 12)].tolist()]
                out.append(f"{what}: {len(bad)} wrong, (row, column, found) {seen}")
        depth = []
        for i in range(k):
            za, zb = zero_a.clone(), t.arange(k, device="cuda").float()[:, None].expand(k, n).clone() + 1
            za[:, i] = 1
            y = product(za, zb)
            if not bool((y == i + 1).all()):
                depth.append((i, sorted(set(y.flatten().tolist()))[:4]))
        if depth:
            out.append(f"depth: (asked, found - 1) {depth[:16]}")
        return "; ".join(out)

    def check(self, kernel, m, n, k):
        """None, or what is wrong."""
        t = self.torch
        kind = kernel["type"]
        x, y = self.inputs(kind, m, n, k), self.output(kind, m, n)
        self.run(kernel, x, y)
        want = self.reference(kind, x)
        if kind.startswith("s8"):
            bad = (y.to(t.int64) != want).nonzero()
            if len(bad):
                r, c = bad[0].tolist()
                return f"{len(bad)} of {m * n} differ; [{r}, {c}] is {y[r, c].item()}, should be {want[r, c].item()}"
            return None
        error = (y.float() - want).norm() / want.norm()
        limit = 4e-3 if kind != "f16" else 6e-4
        if not error < limit:
            far = (y.float() - want).abs()
            far = t.where(far.isnan(), t.full_like(far, 1e30), far)
            bad = (far > 0.05 * want.abs().mean() + 0.02 * want.abs()).nonzero()
            r, c = bad[0].tolist() if len(bad) else (0, 0)
            return f"relative error {error.item():.2e}; {len(bad)} of {m * n} are off; [{r}, {c}] is {y[r, c].item()}, should be {want[r, c].item()}"
        return None

    # -- time

    def graph(self, launches):
        t = self.torch
        graph = t.cuda.CUDAGraph()
        with t.cuda.graph(graph):
            for launch in launches:
                launch()
        return graph

    def peers(self, kind, sets):
        t = self.torch
        out = {}
        xs = [x for x, _ in sets]
        if kind == "s8":
            cols = [x["columns"].t() for x in xs]
            if sets[0][0]["a"].shape[0] > 16:
                out["cublas"] = [lambda x=x, c=c: t._int_mm(x["a"], c) for x, c in zip(xs, cols)]
        elif kind in ("bf16", "f16"):
            cols = [x["columns"] for x in xs]
            out["cublas nn"] = [lambda x=x, y=y: t.mm(x["a"], x["b"], out=y) for x, y in sets]
            out["cublas nt"] = [lambda x=x, c=c, y=y: t.mm(x["a"], c.t(), out=y) for (x, y), c in zip(sets, cols)]
        elif kind == "bf16gelu":
            lin = [(x, x["b"].t().contiguous(), x["extra"][0].bfloat16()) for x in xs]
            out["cublas + gelu"] = [lambda v=v: t.nn.functional.gelu(t.nn.functional.linear(v[0]["a"], v[1], v[2])) for v in lin]
        elif kind == "s8q":
            cols = [x["columns"].t() for x in xs]
            if sets[0][0]["a"].shape[0] > 16:
                out["cublas s32"] = [lambda x=x, c=c: t._int_mm(x["a"], c) for x, c in zip(xs, cols)]
        return out

    def triton(self, kind, sets):
        try:
            import triton_gemm
        except Exception as e:  # without Triton there is one peer less
            say(note=f"no Triton: {e}")
            return {}
        if kind not in ("bf16", "f16", "s8"):
            return {}
        out = {}
        for config in triton_gemm.CONFIGS:
            name = "triton " + "x".join(str(v) for v in config[:3])
            out[name] = [lambda x=x, y=y, c=config: triton_gemm.matmul(x["a"], x["b"], y, c) for x, y in sets]
        return out

    def time_case(self, kind, case, m, n, k, kernels, with_triton):
        t = self.torch
        size = 1 if kind.startswith("s8") else 2
        each = (m * k + n * k) * size + m * n * (4 if kind == "s8" else size)
        count = max(2, min(12, 150_000_000 // each))
        sets = [(self.inputs(kind, m, n, k), self.output(kind, m, n)) for _ in range(count)]
        runs = {}
        for kernel in kernels:
            launches = [self.launch(kernel, x, y) for x, y in sets]
            runs[kernel["name"]] = [lambda l=l: l(self.stream()) for l in launches]
        runs.update(self.peers(kind, sets))
        if with_triton:
            runs.update(self.triton(kind, sets))
        graphs, failed = {}, {}
        for name, launches in runs.items():
            try:
                side = t.cuda.Stream()
                with t.cuda.stream(side):
                    for launch in launches[:2]:
                        launch()
                t.cuda.synchronize()
                graphs[name] = self.graph(launches)
            except Exception as e:
                failed[name] = str(e)[:200]
        times = {name: [] for name in graphs}
        for turn in range(REPEATS + 3):
            events = {}
            for name, graph in graphs.items():
                start, end = (t.cuda.Event(enable_timing=True) for _ in range(2))
                start.record()
                graph.replay()
                end.record()
                events[name] = (start, end)
            t.cuda.synchronize()
            if turn >= 3:
                for name, (start, end) in events.items():
                    times[name].append(start.elapsed_time(end) * 1e-3 / count)
        medians = {name: sorted(v)[len(v) // 2] for name, v in times.items()}
        return medians, failed


def work(folder, skip, only, chosen):
    bench = Bench(folder)
    kernels, taken = kernels_of(folder, only, chosen)
    say(device=bench.torch.cuda.get_device_name(0), multiprocessors=bench.multiprocessors, seed=bench.seed,
        copy_bytes_per_s=bench.copy_rate())
    good = []
    for kernel in kernels:
        big = (4096, 4096, 1024) if kernel["splits"] == 1 else (512, 768, 3072)
        wrong = None
        if "check " + kernel["name"] in skip:
            continue
        say(start="check " + kernel["name"])
        try:
            for m, n, k in ((300, 352, 336), (64, 1000, 2048), (129, 64, 64), big):
                n -= n % {"packed": 8, "columns": 8, "rows": 32}[kernel["b"]]
                wrong = bench.check(kernel, m, n, k)
                if wrong:
                    wrong = f"{m}x{n}x{k}: {wrong}; {bench.diagnose(kernel)}"
                    break
        except Exception as e:
            wrong = f"{type(e).__name__}: {e}"
            if "a tensor map" not in wrong and "is not" not in wrong:
                say(check=kernel["name"], wrong=wrong)
                os._exit(3)  # nothing is known of the context
        say(check=kernel["name"], wrong=wrong)
        if not wrong:
            good.append(kernel)
    for kind in dict.fromkeys(k["type"] for k in kernels):
        for case, m, n, k in shapes(kind):
            label = f"{kind} {case} {m}x{n}x{k}"
            if "time " + label in skip:
                continue
            say(start="time " + label)
            now = taken.get((kind, m, n, k), [])
            mine = [g for g in good if g["name"] in now or not chosen and g["type"] == kind and is_sensible(g, m, n, k)]
            try:
                with_triton = case.startswith("cube") or case == "bert b32 s512"
                medians, failed = bench.time_case(kind, case, m, n, k, mine, with_triton)
            except Exception as e:
                medians, failed = {}, {"case": str(e)[:300]}
            say(time=label, case=case, dtype=kind, m=m, n=n, k=k, medians=medians, failed=failed, chosen=now)
            bench.torch.cuda.empty_cache()


def is_sensible(kernel, m, n, k):
    """Whether to time a kernel at this shape at all."""
    if n % {"packed": 8, "columns": 8, "rows": 32}[kernel["b"]]:
        return False
    work = m * n * k
    if work >= 2048**3 and kernel["m"] * kernel["n"] < 128 * 128:
        return False
    if kernel["splits"] > 1:
        return m * n <= 512 * 4096 and k >= 256 * kernel["splits"] // 2
    return True


# --- the parent ---------------------------------------------------------------------------------------------------


def keep(path, device, rows):
    """What is there so far."""
    with open(path + ".part", "w", encoding="utf-8") as f:
        json.dump({"device": device, "rows": table(rows), "all": rows}, f, indent=1)
    os.replace(path + ".part", path)


def supervise(args):
    rows, skip, device, deaths = [], [], {}, 0
    end = time.time() + args.seconds
    while time.time() < end and deaths < MOST_DEATHS:
        deaths += 1
        command = [sys.executable, os.path.abspath(__file__), args.kernels, args.out, "--work", "--skip", json.dumps(skip)]
        for o in args.only:
            command += ["--only", o]
        if args.chosen:
            command.append("--chosen")
        worker = subprocess.Popen(command, stdout=subprocess.PIPE)
        current, idle, over = None, time.time() + 60, False
        buffer = b""
        while not over:
            ready, _, _ = select.select([worker.stdout], [], [], 1)
            if ready:
                data = os.read(worker.stdout.fileno(), 1 << 16)
                if not data:
                    break
                idle = time.time() + IDLE_SECONDS
                buffer += data
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    row = json.loads(line)
                    if "start" in row:
                        current = row["start"]
                    elif "device" in row:
                        device = row
                    else:
                        rows.append(row)
                        keep(args.out, device, rows)
                        if current and ("time" in row or row.get("wrong")):
                            skip.append(current)
                        if "note" not in row:
                            current = None
            over = time.time() > min(idle, end)
        if over:
            worker.kill()
        code = worker.wait()
        if not over and code == 0:
            return rows, device
        if current:
            skip.append(current)
            rows.append({"check" if current.startswith("check") else "time": current,
                         "wrong": "it hangs" if over else f"its process ends with {code}"})
        elif not over and code != 3:
            rows.append({"note": f"the worker ends with {code}"})
    rows.append({"note": "out of time, or too many workers died"})
    return rows, device


def peak(kind):
    return 1979e12 if kind.startswith("s8") else 989e12


def least(medians, names):
    """The fastest of them, or None."""
    return min((n for n in names if n in medians), key=medians.get, default=None)


def table(rows):
    """A row for each shape that was timed with a kernel of ours."""
    out = []
    for row in rows:
        times = row.get("medians", {})
        best = least(times, [n for n in times if n.startswith(row["dtype"] + "_")])
        if not best:
            continue
        peer, triton = (least(times, [n for n in times if n.startswith(word)]) for word in ("cublas", "triton"))
        chosen = least(times, row.get("chosen", []))
        rate = 2 * row["m"] * row["n"] * row["k"] / times[best]
        out.append({"case": row["time"], "dtype": row["dtype"], "ours_s": times[best], "kernel": best, "peer": peer,
                    "peer_s": times.get(peer), "triton_s": times.get(triton), "chosen": chosen, "chosen_s": times.get(chosen),
                    "tflops": rate / 1e12, "fraction_of_peak": rate / peak(row["dtype"])})
    return out


def print_table(summary):
    print(f"{'case':44} {'ours':>9} {'TFLOP/s':>8} {'peer':>9} {'ratio':>6}  best kernel; other peers; chosen kernel")
    for row in summary:
        ours = row["ours_s"]
        text = f"{row['case'][:44]:44} {ours * 1e6:9.1f} {row['tflops']:8.1f} "
        text += f"{row['peer_s'] * 1e6:9.1f} {row['peer_s'] / ours:6.2f}  " if row["peer"] else f"{'':9} {'':6}  "
        text += row["kernel"].split("_", 1)[1]
        if row["triton_s"]:
            text += f"; triton {row['triton_s'] * 1e6:.1f} ({row['triton_s'] / ours:.2f})"
        if row["chosen"] and row["chosen"] != row["kernel"]:
            text += f"; chosen {row['chosen'].split('_', 1)[1]} {row['chosen_s'] * 1e6:.1f}"
        print(text)


def print_shapes():
    for kind in ("bf16", "f16", "s8", "s8q", "bf16gelu"):
        for _, m, n, k in shapes(kind):
            print(kind, m, n, k)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernels", nargs="?")
    parser.add_argument("out", nargs="?")
    parser.add_argument("--shapes", action="store_true", help="print what is measured: type, rows, columns and depth a line")
    parser.add_argument("--chosen", action="store_true", help="measure the compiler's choices only")
    parser.add_argument("--seconds", type=float, default=400)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--work", action="store_true")
    parser.add_argument("--skip", default="[]")
    args = parser.parse_args()
    if args.shapes:
        return print_shapes()
    if not args.out:
        parser.error("gemm.py KERNELS OUT.json, or gemm.py --shapes")
    if args.work:
        return work(args.kernels, json.loads(args.skip), args.only, args.chosen)
    missing = what_is_missing()
    if missing:
        print(f"gemm.py: skipped: {missing}", file=sys.stderr)
        return 0
    rows, device = supervise(args)
    with contextlib.redirect_stdout(sys.stderr if args.json else sys.stdout):
        wrong = report(args, rows, device)
    if args.json:
        print(json.dumps(table(rows), indent=1))
    return 1 if wrong or not table(rows) else 0


def what_is_missing():
    """A sentence, or None."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "there is no NVIDIA driver (libcuda.so.1)"
    if importlib.util.find_spec("torch") is None:
        return f"{sys.executable} has no PyTorch"
    return None


def report(args, rows, device):
    """How many kernels are wrong."""
    for row in rows:
        if row.get("wrong") or "note" in row or row.get("failed"):
            print(json.dumps({k: v for k, v in row.items() if k != "medians"})[:400])
    print_table(table(rows))
    keep(args.out, device, rows)
    wrong = {r["check"] for r in rows if "check" in r and r.get("wrong")}
    right = {r["check"] for r in rows if "check" in r} - wrong
    print(f"{len(right)} kernels are right, {len(wrong)} are not; {device}")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())

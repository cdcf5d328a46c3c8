#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machine code for the CPU beside ONNX Runtime, oneDNN and OpenBLAS.

Every side runs in a process of its own and they take turns, several rounds each, so that what else the machine
does hits them alike. docs/benchmarks.md tells how to read the rows.
"""
import argparse
import collections
import fnmatch
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx

import models

PEERS = ("onnxruntime", "onednn", "onednn-plain", "openblas")
DTYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}
FULL, QUICK = (7, 0.06), (3, 0.02)  # rounds, seconds of each side in a round
# How far our outputs may be from ONNX Runtime's, as a part of their norm. Integer networks amplify a
# difference of one step, and ONNX Runtime rounds in float.
NEAR = {("op", "f32"): 1e-5, ("op", "i8"): 2e-3, ("network", "f32"): 1e-4, ("network", "i8"): 0.1}


def say(sentence):
    print("bench/run cpu: " + sentence, file=sys.stderr)


class Refused(Exception):
    pass


class Worker:
    """A side that is a program of bench/cpu."""

    def __init__(self, build, name, threads):
        program = os.path.join(build, "bench", "bench_cpu_" + name)
        if not os.path.exists(program):
            raise Refused("%s was not there when the benchmarks were built" % name)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=worker_environment(threads))
        self.clock = "thread" if threads == 1 else "wall"

    def ask(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Refused("the process died")
        if answer.startswith("no "):
            raise Refused(answer[3:].strip())
        return answer

    def time(self, seconds):
        return [float(word) for word in self.ask("time", str(seconds), self.clock).split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def worker_environment(threads):
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    with open("/proc/cpuinfo") as file:
        if " avx512dq " in file.read():
            env["OPENBLAS_CORETYPE"] = "SkylakeX"  # it takes a CPU that it does not know for a lesser one
    return env


class Tessera(Worker):
    def __init__(self, build, threads, folder):
        super().__init__(build, "tessera", threads)
        self.folder = folder

    def open(self, case, path, feeds):
        files = []
        for k, feed in enumerate(feeds.values()):
            files.append(os.path.join(self.folder, "input%d.npy" % k))
            np.save(files[-1], feed)
        self.ask("open", *(["float=bf16"] if case.dtype == "bf16" else []), path, *files)

    def opening(self, case, path, feeds):
        """Seconds from the ONNX file to a model that can run, and from its package; it stays open."""
        package = os.path.join(self.folder, "model.tsr")
        compiled = float(self.ask("opened"))
        self.ask("package", package)
        self.open(case, package, feeds)
        return compiled, float(self.ask("opened"))

    def outputs(self, count):
        files = [os.path.join(self.folder, "output%d.npy" % k) for k in range(count)]
        self.ask("save", *files)
        return [np.load(file) for file in files]


class Library(Worker):
    """NAME-plain: the same program, told that input and output are dense."""

    def __init__(self, build, name, threads):
        name, _, plain = name.partition("-")
        super().__init__(build, name, threads)
        self.words = [plain] if plain else []

    def open(self, case, path, feeds):
        if not case.words:
            raise Refused("has no networks")
        self.ask("open", *self.words, *case.words)


class OnnxRuntime:
    def __init__(self, threads):
        try:
            import onnxruntime
        except ImportError:
            raise Refused("onnxruntime can't be imported; scripts/setup-onnxruntime installs it") from None
        self.module = onnxruntime
        self.threads = threads
        self.clock = time.thread_time if threads == 1 else time.perf_counter

    def open(self, case, path, feeds):
        if case.dtype == "bf16":
            raise Refused("has no products of bf16 on a CPU")
        options = self.module.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        # Its threads don't wait in a loop while others have their turn.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self.session = self.module.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        value = self.module.OrtValue
        for name, feed in feeds.items():
            self.binding.bind_ortvalue_input(name, value.ortvalue_from_numpy(feed))
        for port in self.session.get_outputs():
            self.binding.bind_ortvalue_output(
                port.name, value.ortvalue_from_shape_and_type(port.shape, DTYPES[port.type]))

    def time(self, seconds):
        start, samples = time.perf_counter(), []
        self.session.run_with_iobinding(self.binding)
        while len(samples) < 3 or (time.perf_counter() - start < seconds and len(samples) < 1000):
            begin = self.clock()
            self.session.run_with_iobinding(self.binding)
            samples.append(self.clock() - begin)
        return samples

    def outputs(self):
        return self.binding.copy_outputs_to_cpu()

    def close(self):
        pass


def make_side(build, name, threads, folder):
    if name == "onnxruntime":
        return OnnxRuntime(threads)
    return Tessera(build, threads, folder) if name == "tessera" else Library(build, name, threads)


def open_sides(options, threads, folder):
    sides = {}
    for name in ("tessera",) + tuple(options.peer):
        try:
            sides[name] = make_side(options.build, name, threads, folder)
        except Refused as why:
            if name == "tessera":
                raise
            say("%s is left out: %s" % (name, why))
    return sides


def feeds_of(path):
    rng, feeds = np.random.default_rng(2), {}
    for port in onnx.load(path).graph.input:
        shape = [dim.dim_value for dim in port.type.tensor_type.shape.dim]
        if port.type.tensor_type.elem_type == onnx.TensorProto.UINT8:
            feeds[port.name] = rng.integers(0, 256, shape, np.uint8)
        else:
            feeds[port.name] = rng.standard_normal(shape, np.float32)
    return feeds


def open_case(case, sides, path, feeds):
    """The sides that have this case. Ours always is, or it is an error."""
    able = {}
    for name, side in sides.items():
        try:
            side.open(case, path, feeds)
            able[name] = side
        except Refused as why:
            if name == "tessera":
                raise Refused("%s %s: %s" % (case.name, case.dtype, why)) from None
    return able


def take_turns(sides, rounds, seconds):
    samples = collections.defaultdict(list)
    for _ in range(rounds):
        for name, side in sides.items():
            samples[name] += side.time(seconds)
    return samples


def difference(case, sides):
    """Of our outputs from ONNX Runtime's, relative to the norm of those; None without it."""
    if "onnxruntime" not in sides:
        return None
    theirs = sides["onnxruntime"].outputs()
    off = [0.0]
    for a, b in zip(sides["tessera"].outputs(len(theirs)), theirs):
        a, b = a.astype(np.float64).reshape(-1), b.astype(np.float64).reshape(-1)
        if case.words and case.dtype == "i8":
            a, b = a - 128, b - 128
        off.append(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-30))
    return float(np.max(off))  # which is no number where one of them is none


def case_rows(case, threads, sides, options, peak):
    rounds, seconds = QUICK if options.quick else FULL
    samples = take_turns(sides, rounds, seconds)
    ops = 2 * case.macs
    ours = statistics.median(samples["tessera"])
    off = difference(case, sides)
    for peer in sides:
        if peer == "tessera":
            continue
        theirs = statistics.median(samples[peer])
        yield {"group": case.group, "case": case.name, "dtype": case.dtype, "threads": threads, "peer": peer,
               "ours_s": ours, "peer_s": theirs, "ratio": theirs / ours,
               "fraction_of_peak": ops / ours / peak, "peer_fraction_of_peak": ops / theirs / peak,
               "ours_least_s": min(samples["tessera"]), "peer_least_s": min(samples[peer]),
               "ratio_least": min(samples[peer]) / min(samples["tessera"]),
               "difference": off if peer == "onnxruntime" else None}


def machine_peaks(build):
    """Operations a second by (dtype, threads) at the highest level."""
    command = [os.path.join(build, "tessera"), "info", "--machine", "--json"]
    peaks = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["peaks"]
    return {(p["dtype"], p["threads"]): p["ops_per_s"] for p in peaks}  # levels go up: the last one stays


def network_macs(build, path):
    """Multiply-accumulates of a network, as tessera info counts them."""
    command = [os.path.join(build, "tessera"), "info", "--target", "cpu", "--json", path]
    layers = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["layers"]
    return sum(layer["macs"] for layer in layers)


HEAD = "%-10s %-14s %-5s %7s  %-11s %10s %10s %8s %8s %8s" % (
    "group", "case", "dtype", "threads", "peer", "ours, ms", "peer, ms", "peer/our", "our peak", "its peak")


def print_row(row):
    print("%-10s %-14s %-5s %7d  %-11s %10.4f %10.4f %8.2f %7.1f%% %7.1f%%" % (
        row["group"], row["case"], row["dtype"], row["threads"], row["peer"], 1e3 * row["ours_s"],
        1e3 * row["peer_s"], row["ratio"], 100 * row["fraction_of_peak"],
        100 * row["peer_fraction_of_peak"]), flush=True)


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def summary(rows):
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["group"], row["dtype"], row["threads"], row["peer"]].append(row)
    for (group, dtype, threads, peer), members in groups.items():
        worst = min(members, key=lambda row: row["ratio"])
        yield {"group": group, "dtype": dtype, "threads": threads, "peer": peer, "cases": len(members),
               "geometric_mean": geometric_mean([row["ratio"] for row in members]),
               "geometric_mean_least": geometric_mean([row["ratio_least"] for row in members]),
               "worst_case": worst["case"], "worst": worst["ratio"]}


def print_summary(means):
    print("\n%-10s %-5s %7s  %-11s %5s  %-24s %-24s %s" % (
        "group", "dtype", "threads", "peer", "cases", "geo. mean of peer/our", "of the fastest runs", "worst"))
    for m in means:
        print("%-10s %-5s %7d  %-11s %5d  %-24.2f %-24.2f %.2f (%s)" % (
            m["group"], m["dtype"], m["threads"], m["peer"], m["cases"], m["geometric_mean"],
            m["geometric_mean_least"], m["worst"], m["worst_case"]))


def print_openings(openings):
    if openings:
        print("\n%-14s %-5s %12s %12s" % ("network", "dtype", "compile, s", "load, ms"))
    for o in openings:
        print("%-14s %-5s %12.2f %12.1f" % (o["case"], o["dtype"], o["compile_s"], 1e3 * o["load_s"]))


def run_case(case, options, all_sides, peaks, folder, rows, openings):
    """Adds its rows, and for a network how long it took to open. False where our results are not ONNX
    Runtime's, or where we have none."""
    path = case.make(os.path.join(folder, "%s.%s.onnx" % (case.name, case.dtype)))
    feeds, good = feeds_of(path), True
    for threads, sides in all_sides.items():
        try:
            able = open_case(case, sides, path, feeds)
            if not case.words and threads == 1:
                compiled, loaded = able["tessera"].opening(case, path, feeds)
                openings.append({"case": case.name, "dtype": case.dtype, "compile_s": compiled,
                                 "load_s": loaded})
        except Refused as why:
            say(str(why))
            return False
        if not case.macs:
            case = case._replace(macs=network_macs(options.build, path))
        for row in case_rows(case, threads, able, options, peaks[case.dtype, threads]):
            rows.append(row)
            if not options.json:
                print_row(row)
            kind = "op" if case.words else "network", case.dtype
            if row["difference"] is not None and not row["difference"] <= NEAR[kind]:
                say("%s %s: our results are off by %.2g of the norm of ONNX Runtime's" % (
                    case.name, case.dtype, row["difference"]))
                good = False
    os.remove(path)
    return good


def wanted(case, options):
    names = (case.name.lower(), case.group)
    return (case.dtype in options.dtype and
            (not options.case or any(fnmatch.fnmatch(name, pattern.lower())
                                     for name in names for pattern in options.case)))


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/run cpu", description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print rows and means as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--case", action="append", metavar="PATTERN",
                        help="cases or groups (conv, depthwise, matmul, network) whose name matches, such as "
                             "'C*'; may be repeated")
    parser.add_argument("--dtype", action="append", choices=("f32", "i8", "bf16"),
                        help="default: f32 and i8; bf16 where the CPU multiplies it")
    parser.add_argument("--peer", action="append", choices=PEERS)
    parser.add_argument("--threads", action="append", type=int, metavar="N", help="default: 1 and all cores")
    parser.add_argument("--build", default=os.path.join(models.ROOT, "build"), metavar="FOLDER",
                        help="where Tessera was built (default: build of this repository)")
    parser.add_argument("--list", action="store_true", help="list the cases and stop")
    options = parser.parse_args(arguments)
    options.dtype = options.dtype or ["f32", "i8"]
    options.peer = options.peer or list(PEERS)
    return options


def warn_of_load():
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    if load > 0.25 * cores:
        say("the load is %.1f on %d core%s: times of one thread are by its own clock and hold, those of more "
            "threads do not" % (load, cores, "s"[cores == 1:]))


def choose_threads(options, peaks):
    measured = sorted({threads for _, threads in peaks})
    for threads in options.threads or []:
        if threads not in measured:
            say("--threads %d: this machine's peak is measured with %s" % (
                threads, " and ".join(str(n) for n in measured)))
            sys.exit(2)
    return options.threads or measured


def main():
    options = parse(sys.argv[1:])
    cases = [case for case in models.cases() if wanted(case, options)]
    if not cases:
        say("no case is like that; --list names them")
        sys.exit(2)
    if options.list:
        for case in cases:
            print("%-10s %-14s %s" % (case.group, case.name, case.dtype))
        return 0
    warn_of_load()
    peaks, rows, openings, good = machine_peaks(options.build), [], [], True
    if "bf16" in options.dtype and ("bf16", 1) not in peaks:
        say("--dtype bf16: this CPU does not multiply bf16")
        sys.exit(2)
    if not options.json:
        print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        all_sides = {n: open_sides(options, n, folder) for n in choose_threads(options, peaks)}
        for case in cases:
            good &= run_case(case, options, all_sides, peaks, folder, rows, openings)
        for sides in all_sides.values():
            for side in sides.values():
                side.close()
    means = list(summary(rows))
    if options.json:
        json.dump({"rows": rows, "means": means, "openings": openings}, sys.stdout, indent=2)
        print()
    else:
        print_summary(means)
        print_openings(openings)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

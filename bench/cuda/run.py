#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All that wants a GPU, in the order of importance: run.py [--seconds N] [--only PART ...] [--out DIR] [--json]

It stands in the folder that `bench/run cuda` or `bench/run cuda --pack` makes, here or carried to another machine, and
needs Python with numpy and an NVIDIA driver; PyTorch, Triton and compute-sanitizer where there are such. Each part is
a process that writes its results as it goes. A part that came to its end is not run again (--again), one that was cut
off is: so a second call goes on where the first one's time ended."""

import argparse
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LEAST = 20  # seconds that a part is begun for
STOPPING = 5  # seconds between the two ways to stop one
SKIPPED, CUT_OFF, DONE = "skipped", "cut off", "done"


def sanitizer(tool):
    """The command, or None."""
    path = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    return f"{path} --tool {tool} --error-exitcode 9" if os.access(path, os.X_OK) else None


def check(*words, of="ops", under=None):
    command = [sys.executable, os.path.join(HERE, "check", "gpu-check"), "run", "--only", f"{os.sep}{of}{os.sep}", *words]
    return command + (["--under", under, "--timeout", "300"] if under else [])


def script(name, folder, *words):
    return lambda out, seconds: [sys.executable, os.path.join(HERE, name), os.path.join(HERE, folder), out, *words]


PARTS = [  # name, what it is, seconds that it takes about, its command for a file of results and a time, what it needs
    ("check-networks", "every layer of every network beside the CPU's code", 90,
     lambda out, seconds: check("--no-times", "--json", out, of="networks"), None),
    ("networks", "ResNet-50 and a BERT-base layer beside torch.compile", 300, script("networks.py", "networks"), "numpy"),
    ("conv", "convolutions beside cuDNN", 60, script("conv.py", "conv"), "torch"),
    ("gemm", "matrix products, the compiler's tiles, beside cuBLAS and Triton", 150,
     lambda out, seconds: script("gemm.py", "kernels", "--chosen", "--seconds", f"{seconds - 10:.0f}")(out, seconds), "torch"),
    ("check-ops", "every op beside the CPU's code", 60, lambda out, seconds: check("--no-times", "--json", out), None),
    ("memcheck", "every op under compute-sanitizer", 120,
     lambda out, seconds: check("--no-times", "--json", out, under=sanitizer("memcheck")), "memcheck"),
    ("racecheck", "every op under compute-sanitizer", 120,
     lambda out, seconds: check("--no-times", "--json", out, under=sanitizer("racecheck")), "racecheck"),
    ("times", "the time of every kernel of every network", 60,
     lambda out, seconds: check("--no-checks", "--json", out, of="networks"), None),
    ("gemm-all", "matrix products by all tiles", 400,
     lambda out, seconds: script("gemm.py", "kernels", "--seconds", f"{seconds - 10:.0f}")(out, seconds), "torch"),
]


def what_is_missing(need):
    """A sentence, or None."""
    if need in ("numpy", "torch") and not importlib.util.find_spec(need):
        return f"{sys.executable} has no {'PyTorch' if need == 'torch' else need}"
    if need == "torch" and subprocess.run([sys.executable, "-c", "import torch; torch.zeros(1).cuda()"], capture_output=True).returncode:
        return f"PyTorch of {sys.executable} finds no GPU"
    if need in ("memcheck", "racecheck") and not sanitizer(need):
        return "there is no compute-sanitizer; it comes with CUDA"
    return None


def stop(process):
    """With all that it has started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(STOPPING)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


def copy(process, log, out):
    for line in process.stdout:
        log.write(line)
        log.flush()
        print(line, end="", file=out, flush=True)


def run_part(words, log_path, seconds, out):
    """Exit status, or None where time ends first. What it prints goes to a file, too."""
    with open(log_path, "w", encoding="utf-8") as log:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                   text=True, errors="replace")
        copying = threading.Thread(target=copy, args=(process, log, out))
        copying.start()
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        stop(process)
        copying.join()
    return status


class State:
    """What became of each part, in a file beside the results."""

    def __init__(self, folder, again):
        self.path = os.path.join(folder, "parts.json")
        self.parts = {}
        if os.path.exists(self.path) and not again:
            with open(self.path, encoding="utf-8") as f:
                self.parts = json.load(f)

    def put(self, name, **row):
        self.parts[name] = row
        with open(self.path + ".part", "w", encoding="utf-8") as f:
            json.dump(self.parts, f, indent=1)
        os.replace(self.path + ".part", self.path)

    def is_done(self, name):
        return self.parts.get(name, {}).get("what") == DONE


def run_parts(args, state, out):
    end = time.time() + args.seconds
    for name, what, about, command, need in PARTS:
        if args.only and name not in args.only or state.is_done(name):
            continue
        left, missing = end - time.time(), what_is_missing(need)
        if missing:
            state.put(name, what=SKIPPED, says=missing)
            continue
        if left < LEAST:
            state.put(name, what=CUT_OFF, says=f"not begun; it takes about {about} s")
            continue
        print(f"--- {name}: {what}; about {about} s, {left:.0f} s are left", file=out, flush=True)
        begun, results = time.time(), os.path.join(args.out, name + ".json")
        status = run_part(command(results, left), os.path.join(args.out, name + ".txt"), left, out)
        row = {"what": CUT_OFF if status is None else DONE, "status": status, "seconds": round(time.time() - begun, 1)}
        state.put(name, **row)


def summary(args, state, out):
    """Exit status: 0 where all is well, 1 where something is wrong or was cut off."""
    print("---", file=out)
    wrong = 0
    for name, *_ in PARTS:
        row = state.parts.get(name)
        if not row or args.only and name not in args.only:
            continue
        text = row.get("says") or f"{row['seconds']:.0f} s, exit status {row['status']}"
        print(f"{name:16} {row['what']:8} {text}", file=out)
        wrong |= row["what"] == CUT_OFF or row.get("status", 0) != 0
    print(f"results: {args.out}", file=out)
    return int(wrong)


def rows_of(folder):
    """What was compared with a peer."""
    out = []
    for name, *_ in PARTS:
        path = os.path.join(folder, name + ".json")
        if not os.path.exists(path) or name.startswith("check"):
            continue
        with open(path, encoding="utf-8") as f:
            found = json.load(f)
        rows = found["rows"] if name.startswith("gemm") else found if isinstance(found, list) else []
        out += [{k: v for k, v in row.items() if k not in ("layers", "gpu", "limits")} for row in rows]
    return out


def info(out):
    """The GPU's own words; a sentence where there is none."""
    runner = os.path.join(HERE, "check", "tessera-run")
    if not os.access(runner, os.X_OK):
        os.chmod(runner, 0o755)  # what copied the folder may have dropped that
    done = subprocess.run([runner, "info", "--gpu"], capture_output=True, text=True)
    print(done.stdout, end="", file=out, flush=True)
    return done.stderr.strip().removeprefix("tessera: ") if done.returncode else None


def main():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="parts:\n" + "\n".join(f"  {p[0]:16} {p[1]}; about {p[2]} s" for p in PARTS))
    parser.add_argument("--seconds", type=float, default=1800, help="for all parts together (default: 1800)")
    parser.add_argument("--only", action="append", choices=[p[0] for p in PARTS], metavar="PART")
    parser.add_argument("--again", action="store_true", help="parts that came to their end, too")
    parser.add_argument("--out", default=os.path.join(HERE, "results"), metavar="DIR", help="(default: results beside this file)")
    parser.add_argument("--json", action="store_true", help="print the rows with peers as JSON, the rest to stderr")
    args = parser.parse_args()
    out = sys.stderr if args.json else sys.stdout
    try:
        missing = info(out)
        if missing:
            print(f"run.py: skipped: {missing}", file=sys.stderr)
            return 0
        os.makedirs(args.out, exist_ok=True)
        state = State(args.out, args.again)
        run_parts(args, state, out)
    except OSError as e:
        print(f"run.py: {e}", file=sys.stderr)
        return 2
    status = summary(args, state, out)
    if args.json:
        print(json.dumps(rows_of(args.out), indent=1))
    return status


if __name__ == "__main__":
    sys.exit(main())

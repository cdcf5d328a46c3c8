#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Assembles kernels and tables what they take: registers, shared memory, stack, spills.

WHAT is a folder that bench_cuda_kernels wrote, a package, or an ONNX model, which is compiled for sm_80 and
sm_90a first. The exit status is 1 where ptxas refuses a kernel, and where one on tensor cores spills registers
or has wgmma instructions that ptxas had to mend. Without ptxas it is 77, and a sentence says where it comes from."""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLACES = [os.path.join(ROOT, "build", "ptxas", "ptxas"), "/usr/local/cuda/bin/ptxas"]
SKIPPED = 77
HEADER, BLOCK, LAYER, KERNEL = 16, 32, 16, 112  # bytes in a section of kernels: docs/cuda-target.md
NAME, SHARED = 64, 100  # of a kernel's row: its name, and where its shared memory stands
MENDED = re.compile(r"\(C75\d\d\) (.*) in function '([^']+)'")  # a wait, or a fence, or one at a time
TENSOR_CORES = re.compile(r"\b(wgmma\.mma_async|mma\.sync)\b")


class Refused(Exception):
    """A sentence for the user."""


def find_ptxas():
    """A path, or None."""
    named = os.environ.get("TESSERA_PTXAS")
    if named:
        return named if os.access(named, os.X_OK) else None
    found = shutil.which("ptxas")
    return found or next((p for p in PLACES if os.access(p, os.X_OK)), None)


# --- what is assembled: (name, arch, PTX, bytes of shared memory by kernel) ------------------------------------------


def from_folder(folder):
    """Kernels of matrix products by type and order of b."""
    with open(os.path.join(folder, "kernels.json"), encoding="utf-8") as f:
        rows = json.load(f)
    for row in rows:
        with open(os.path.join(folder, row["name"] + ".ptx"), encoding="utf-8") as f:
            yield f"{row['type']}, b {row['b']}", "sm_90a", f.read(), {row["name"]: row["shared_bytes"]}


def text_at(data, at, most):
    return data[at:at + most].split(b"\0", 1)[0].decode()


def from_package(path, name):
    """Each architecture's block of the section of kernels."""
    with open(path, "rb") as f:
        data = f.read()
    sections = struct.unpack_from("<I", data, 12)[0]
    for i in range(sections):
        tag, start, size = struct.unpack_from("<8sQQ", data, 32 + 32 * i)
        if tag.rstrip(b"\0") == b"cuda" and size:
            return [(name, *block) for block in blocks_of(data[start:start + size])]
    raise Refused(f"{path} has no kernels for a GPU; compile it with --target cuda")


def blocks_of(section):
    count = struct.unpack_from("<Q", section, 8)[0]
    for i in range(count):
        row = HEADER + 32 * i
        start, size = struct.unpack_from("<QQ", section, row + 16)
        block = section[start:start + size]
        layers, kernels = struct.unpack_from("<II", block, 0)
        text_bytes = struct.unpack_from("<Q", block, 16)[0]
        rows = [BLOCK + LAYER * layers + KERNEL * k for k in range(kernels)]
        shared = {text_at(block, at, NAME): struct.unpack_from("<I", block, at + SHARED)[0] for at in rows}
        yield text_at(section, row, 16), block[len(block) - text_bytes:].split(b"\0", 1)[0].decode(), shared


def from_model(path, tessera, folder):
    parent = os.path.basename(os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]
    name = name if parent in ("", "zoo", name) else f"{parent}.{name}"
    package = os.path.join(folder, name + ".tsr")
    done = subprocess.run([tessera, "compile", path, "--target", "cuda", "-o", package], capture_output=True, text=True)
    if done.returncode:
        raise Refused(f"{path}: {done.stderr.strip()}")
    return from_package(package, name)


def jobs_of(args, folder):
    for what in args.what:
        if os.path.isdir(what):
            yield from from_folder(what)
        elif what.endswith(".tsr"):
            yield from from_package(what, os.path.splitext(os.path.basename(what))[0])
        else:
            yield from from_model(what, args.tessera, folder)


# --- assembling -------------------------------------------------------------------------------------------------------


def numbers(text, shared):
    """From what ptxas -v says: a row a kernel."""
    rows, row = [], None
    for line in text.splitlines():
        entry = re.search(r"Compiling entry function '([^']+)'", line)
        if entry:
            row = {"kernel": entry[1], "registers": 0, "shared_bytes": shared.get(entry[1], 0), "stack_bytes": 0,
                   "spill_bytes": 0, "mended": ""}
            rows.append(row)
        frame = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line)
        used = re.search(r"Used (\d+) registers", line)
        static = re.search(r"(\d+) bytes smem", line)
        if frame:
            row["stack_bytes"], row["spill_bytes"] = int(frame[1]), int(frame[2]) + int(frame[3])
        if used:
            row["registers"] = int(used[1])
        if static:
            row["shared_bytes"] += int(static[1])
    for said, name in MENDED.findall(text):
        for row in rows:
            if row["kernel"] == name:
                row["mended"] = row["mended"] or said
    return rows


def tensor_kernels(ptx):
    """Names of the entries whose bodies have an instruction of tensor cores."""
    parts = re.split(r"\.visible \.entry (\w+)", ptx)
    return {name for name, body in zip(parts[1::2], parts[2::2]) if TENSOR_CORES.search(body)}


def assemble(job):
    """(job's name, arch, rows, what is wrong)."""
    ptxas, (name, arch, ptx, shared) = job
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as f:
        f.write(ptx)
        f.flush()
        done = subprocess.run([ptxas, "-v", f"-arch={arch}", "-o", os.devnull, f.name], capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode:
        return name, arch, [], f"{name} for {arch}: ptxas refuses it: {said.strip()[:600]}"
    rows, on_cores = numbers(said, shared), tensor_kernels(ptx)
    for row in rows:
        row["tensor_cores"] = row["kernel"] in on_cores
    bad = [r for r in rows if r["tensor_cores"] and (r["spill_bytes"] or r["mended"])]
    what = "".join(f"{name} for {arch}: kernel '{r['kernel']}' " +
                   (f"is mended: {r['mended']}" if r["mended"] else
                    f"spills {r['spill_bytes']} bytes of registers") + "\n" for r in bad)
    return name, arch, rows, what.strip()


def summary(results):
    """One row for each name and architecture: the most of each number."""
    groups = {}
    for name, arch, rows, _ in results:
        groups.setdefault((name, arch), []).extend(rows)
    for (name, arch), rows in groups.items():
        if rows:
            spilling = [r for r in rows if r["spill_bytes"]]
            yield {"of": name, "arch": arch, "kernels": len(rows), "on_tensor_cores": sum(r["tensor_cores"] for r in rows),
                   "registers": max(r["registers"] for r in rows), "shared_bytes": max(r["shared_bytes"] for r in rows),
                   "stack_bytes": max(r["stack_bytes"] for r in rows), "spilling": len(spilling),
                   "spill_bytes": max((r["spill_bytes"] for r in spilling), default=0)}


def table(rows):
    print("| kernels of | for | kernels | on tensor cores | registers | shared memory | stack | spill |")
    print("|---|---|---|---|---|---|---|---|")
    for r in rows:
        print(f"| {r['of']} | {r['arch']} | {r['kernels']} | {r['on_tensor_cores']} | {r['registers']} | "
              f"{r['shared_bytes']:,} | {r['stack_bytes']:,} | {r['spilling']} |")


def run(args, ptxas):
    with tempfile.TemporaryDirectory() as folder:
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            results = list(pool.map(assemble, [(ptxas, job) for job in jobs_of(args, folder)]))
    if args.json:
        print(json.dumps([{"of": n, "arch": a, **row} for n, a, rows, _ in results for row in rows], indent=1))
    else:
        table(summary(results))
    wrong = [w for *_, w in results if w]
    for w in wrong:
        print(w, file=sys.stderr)
    count = sum(len(rows) for _, _, rows, _ in results)
    print(f"{count} kernels are assembled; {len(wrong)} of {len(results)} texts are wrong", file=sys.stderr)
    return 1 if wrong or not count else 0


def main():
    parser = argparse.ArgumentParser(prog="ptxas.py", description=__doc__)
    parser.add_argument("what", nargs="+", metavar="WHAT")
    parser.add_argument("--tessera", default=os.path.join(ROOT, "build", "tessera"), help="compiles models")
    parser.add_argument("--json", action="store_true", help="print a row a kernel as JSON")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    ptxas = find_ptxas()
    if not ptxas:
        print("ptxas.py: skipped: ptxas is not installed; scripts/setup-ptxas brings it", file=sys.stderr)
        return SKIPPED
    try:
        return run(args, ptxas)
    except (Refused, OSError, struct.error) as e:
        print(f"ptxas.py: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole networks on the GPU beside torch.compile: networks.py --pack DIR makes packages, what the peer computes, and
tessera-run; networks.py DIR OUT.json [--json] measures, on a machine that needs neither LLVM nor the compiler.

Ours is one launch of a CUDA graph an inference, as tessera-run profiles it; the peer (peer.py) is the same float network
in f16, by torch.compile, in a CUDA graph of its own, also where ours is int8: torch.compile has no convolution of int8
on a GPU. Both are timed twice: with the input from pinned host memory and the output back to it, and a graph of the
kernels alone. The two take turns, in rounds of 20 on fresh inputs, behind a warm-up."""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import thin  # noqa: E402
from peer import MODES, PeerProcess, Refused  # noqa: E402

ROUNDS = 3
SEED = 1  # of the weights
COMPILING = 300  # seconds that torch.compile may take
PROFILING = 120  # and a profile
SLOW = 0.6  # of its limit: a layer below is listed
OFF = {"int8": 0.3, "f16": 0.02}  # more than that, as a part of the peer's norm, is wrong

CASES = [  # name, the zoo's network and form, batch, what floats are computed in
    ("resnet50 int8 b1", "resnet50", "int8", 1, None),
    ("resnet50 int8 b32", "resnet50", "int8", 32, None),
    ("resnet50 f16 b1", "resnet50", "float", 1, "f16"),
    ("resnet50 f16 b32", "resnet50", "float", 32, "f16"),
    ("bert f16 b1", "bert", "float", 1, "f16"),
    ("bert f16 b32", "bert", "float", 32, "f16"),
]


def file_of(case):
    return case.replace(" ", "_")


# --- packing, where the compiler and Python's onnx are ---------------------------------------------------------------


def set_batch(model, batch):
    """The model for so many images: its ports, and the shapes that Reshape is given."""
    from onnx import numpy_helper

    for port in [*model.graph.input, *model.graph.output]:
        port.type.tensor_type.shape.dim[0].dim_value = batch
    shapes = {node.input[1] for node in model.graph.node if node.op_type == "Reshape"}
    for tensor in model.graph.initializer:
        if tensor.name in shapes:
            value = numpy_helper.to_array(tensor).copy()
            value[0] = batch
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
    del model.graph.value_info[:]


def without_norms(nodes, tensors):
    """Batch norms as part of the convolutions before them, as a user freezes a network."""
    import numpy as np

    out, at = [], {}
    for node in nodes:
        if node["op"] == "BatchNormalization" and node["inputs"][0] in at:
            conv = out[at[node["inputs"][0]]]
            gamma, beta, mean, variance = (tensors[n].astype(np.float64) for n in node["inputs"][1:5])
            factor = gamma / np.sqrt(variance + node["attributes"].get("epsilon", 1e-5))
            weight = conv["inputs"][1]
            tensors[weight] = (tensors[weight] * factor.reshape(-1, 1, 1, 1)).astype(np.float32)
            before = tensors[conv["inputs"][2]] if len(conv["inputs"]) > 2 else 0
            conv["inputs"] = [conv["inputs"][0], weight, weight + ".shift"]
            tensors[weight + ".shift"] = ((before - mean) * factor + beta).astype(np.float32)
            conv["outputs"] = node["outputs"]
            continue
        if node["op"] == "Conv":
            at[node["outputs"][0]] = len(out)
        out.append(node)
    return out


def tensor_of(value, numbers):
    """Its elements, or how they are drawn again: an array of the network's, each channel times a factor."""
    row = {"dims": list(value.shape), "dtype": str(value.dtype)}
    for seed, array in numbers.seeds():
        if array.shape == value.shape and thin.is_alike(value, array):
            rows, drawn = value.reshape(len(value), -1).astype(float), array.reshape(len(array), -1).astype(float)
            return {**row, "seed": seed, "factor": ((rows * drawn).sum(1) / (drawn * drawn).sum(1)).tolist()}
    return {**row, "values": value.reshape(-1).tolist()}


def peer_of(model, numbers):
    """The network as the peer is given it: nodes and tensors."""
    from onnx import helper, numpy_helper

    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes = [{"op": n.op_type, "inputs": list(n.input), "outputs": list(n.output),
              "attributes": {a.name: helper.get_attribute_value(a) for a in n.attribute}} for n in model.graph.node]
    nodes = without_norms(nodes, tensors)
    used = {name for n in nodes for name in n["inputs"]}
    port = model.graph.input[0]
    return {"input": port.name, "dims": [d.dim_value for d in port.type.tensor_type.shape.dim],
            "output": model.graph.output[0].name, "nodes": nodes,
            "tensors": {name: tensor_of(value, numbers) for name, value in tensors.items() if name in used}}


class Zoo:
    """Its networks, each made once."""

    def __init__(self):
        sys.path[:0] = [os.path.join(ROOT, "models"), os.path.join(ROOT, "bench", "zoo")]
        import bert
        import image

        self.builders = {"resnet50": image.resnet50, "bert": bert.bert}
        self.made = {}

    def get(self, network, form, batch):
        """The network for so many images, and the numbers that it was made of."""
        import onnx

        if (network, form) not in self.made:
            numbers = thin.Numbers(SEED)
            self.made[network, form] = self.builders[network](numbers, form == "int8").graph.model(), numbers
        model, numbers = self.made[network, form]
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        set_batch(copy, batch)
        return copy, numbers


def pack_case(args, zoo, case, network, form, batch, floats):
    import onnx

    stem = os.path.join(args.dir, file_of(case))
    with open(stem + ".peer.json", "w", encoding="utf-8") as f:
        json.dump(peer_of(*zoo.get(network, "float", batch)), f)
    model, numbers = zoo.get(network, form, batch)
    with tempfile.TemporaryDirectory() as folder:
        path, package = (os.path.join(folder, file_of(case) + end) for end in (".onnx", ".tsr"))
        onnx.save(model, path)
        words = [args.tessera, "compile", path, "--target", args.target, "-o", package]
        done = subprocess.run(words + (["--float", floats] if floats else []), capture_output=True, text=True)
        if done.returncode:
            raise Refused(f"{case}: {done.stderr.strip()}")
        thin.thin(package, stem + ".thin", numbers)
        size = os.path.getsize(package) / 1e6
    print(f"{stem}.thin: {os.path.getsize(stem + '.thin') / 1e6:.1f} MB, for a package of {size:.1f} MB", file=sys.stderr)


def pack(args):
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise Refused("Python's package onnx is not there; `scripts/setup build` installs Debian's, for "
                      "/usr/bin/python3") from None
    os.makedirs(args.dir, exist_ok=True)
    runner = os.path.join(os.path.dirname(args.tessera), "tessera-run")
    if subprocess.run(["strip", "-o", os.path.join(args.dir, "tessera-run"), runner], capture_output=True).returncode:
        shutil.copy(runner, args.dir)
    zoo = Zoo()
    for case in CASES:
        if args.only in case[0]:
            pack_case(args, zoo, *case)


# --- measuring --------------------------------------------------------------------------------------------------------------


def median(values):
    return sorted(values)[len(values) // 2]


def profile(folder, package, target, seed):
    words = [os.path.join(folder, "tessera-run"), "profile", package, "--target", target, "--json", "--random", str(seed)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PROFILING)
    except subprocess.TimeoutExpired:
        raise Refused(f"a profile of it does not end in {PROFILING} seconds") from None
    if done.returncode:
        raise Refused(done.stderr.strip())
    return json.loads(done.stdout)


def difference(folder, package, target, peer, dims):
    """Of the outputs for one input, as a part of the peer's norm; None where the peer has none."""
    import numpy as np

    with tempfile.TemporaryDirectory() as tmp:
        x, y = os.path.join(tmp, "x.npy"), os.path.join(tmp, "y.npy")
        np.save(x, np.random.default_rng().standard_normal(dims).astype(np.float32))
        if peer.ask("output " + x) is None:
            return None
        words = [os.path.join(folder, "tessera-run"), "run", package, "--target", target, "--input", x, "--output", y]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            raise Refused(done.stderr.strip())
        theirs, ours = np.load(x + ".peer.npy").astype(np.float64), np.load(y).astype(np.float64)
        return float(np.linalg.norm(ours.reshape(-1) - theirs.reshape(-1)) / np.linalg.norm(theirs))


def is_off(part, dtype):
    """What is no number is off, too."""
    return part is not None and not part <= OFF[dtype]


def what_check_says(folder, package, target, seed):
    """Each layer beside the CPU's code, in memory that was filled with other bytes: None, or what is wrong."""
    words = [os.path.join(folder, "tessera-run"), "check", package, "--target", target, "--json", "--random", str(seed)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PROFILING)
    except subprocess.TimeoutExpired:
        return f"a check of it does not end in {PROFILING} seconds"
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    said = [row["says"] for row in rows if row["status"] != "equal"]
    return said[0] if said else None if rows and not done.returncode else done.stderr.strip()


def held_by(layer, kernels, shortest):
    """What is known of why a layer is far from its limit; None: its kernel."""
    if any(k["local_bytes"] for k in kernels):
        return "registers are spilled"
    if layer["seconds"] < 2 * shortest * len(kernels):
        return f"a kernel takes {1e6 * shortest:.1f} us at least"
    return f"{len(kernels)} kernels" if len(kernels) > 1 else None


def layers_of(p):
    own = {layer["name"]: [k for k in p["kernels"] if k["layer"] == layer["name"]] for layer in p["layers"]}
    shortest, rows = min((k["seconds"] for k in p["kernels"] if k["seconds"]), default=0), []
    for layer in p["layers"]:
        fraction = layer["least_seconds"] / layer["seconds"] if layer["seconds"] else None
        rows.append({"name": layer["name"], "op": layer["op"], "kernels": layer["kernels"], "seconds": layer["seconds"],
                     "limit": layer["limit"], "fraction": fraction, "held_by": None})
        if fraction is not None and fraction < SLOW:
            rows[-1]["held_by"] = held_by(layer, own[layer["name"]], shortest)
    return rows


def row_of(case, dtype, profiles, theirs, peer):
    """peer: what it is, or None."""
    best = sorted(profiles, key=lambda p: p["seconds"])[len(profiles) // 2]
    kind = "int8" if dtype == "int8" else "fp16"
    seconds, kernels = median([p["seconds"] for p in profiles]), median([p["device_seconds"] for p in profiles])
    rate = 2 * sum(layer["macs"] for layer in best["layers"]) / seconds
    return {"case": case, "dtype": dtype, "ours_s": seconds, "ours_kernels_s": kernels, "sum_of_kernels_s": best["kernel_seconds"],
            "least_s": sum(layer["least_seconds"] for layer in best["layers"]), "cpu_layers": best["cpu_layers"],
            "peer": peer, "peer_s": median(theirs["whole"]) if theirs["whole"] else None,
            "peer_kernels_s": median(theirs["kernels"]) if theirs["kernels"] else None,
            "tflops": rate / 1e12, "fraction_of_peak": rate / (2 * best["limits"][kind]), "layers": layers_of(best)}


def run_case(args, case, dtype, seed):
    stem = os.path.join(args.dir, file_of(case))
    package, packed = stem + ".tsr", stem + ".thin"
    if not os.path.exists(package) or os.path.getmtime(package) < os.path.getmtime(packed):
        says = thin.whole(packed, package)
        if says:
            return {"case": case, "dtype": dtype, "says": says}
    theirs, profiles, name, peer = {"whole": [], "kernels": []}, [], None, None
    if importlib.util.find_spec("torch"):
        peer = PeerProcess(stem, args.mode)
        name = (peer.answer(COMPILING) or {}).get("ready")
    try:
        for turn in range(args.rounds):
            profiles.append(profile(args.dir, package, args.target, seed + turn))
            now = peer.ask("time") if peer else None
            for key in theirs:
                theirs[key] += now[key] if now else []
        row = row_of(case, dtype, profiles, theirs, name)
        wrong = what_check_says(args.dir, package, args.target, seed)
        if peer:
            with open(stem + ".peer.json", encoding="utf-8") as f:
                row["difference"] = difference(args.dir, package, args.target, peer, json.load(f)["dims"])
            if is_off(row["difference"], dtype):
                wrong = wrong or f"its outputs are {row['difference']:.3f} of the peer's norm off"
        if wrong:
            row["wrong"] = wrong
        if peer and peer.says:
            row["peer_says"] = peer.says
        return {**row, "gpu": profiles[0]["gpu"], "limits": profiles[0]["limits"]}
    except Refused as e:
        return {"case": case, "dtype": dtype, "says": str(e)}
    finally:
        if peer:
            peer.end()


def show(row, out):
    if "says" in row:
        print(f"{row['case']:20} {row['says']}", file=out)
        return
    text = f"{row['case']:20} {1e3 * row['ours_s']:8.3f} ms, kernels {1e3 * row['ours_kernels_s']:8.3f}, least {1e3 * row['least_s']:7.3f}"
    if row["peer_s"]:
        text += (f"; {row['peer'].split()[0]} {1e3 * row['peer_s']:8.3f} ({row['peer_s'] / row['ours_s']:.2f}), kernels "
                 f"{1e3 * row['peer_kernels_s']:8.3f} ({row['peer_kernels_s'] / row['ours_kernels_s']:.2f})")
    print("; ".join([text] + [row[key] for key in ("peer_says", "wrong") if key in row]), file=out)
    slow = [layer for layer in row["layers"] if layer["fraction"] is not None and layer["fraction"] < SLOW]
    taken = sum(layer["seconds"] for layer in slow)
    print(f"  {len(slow)} of {len(row['layers'])} layers, {1e3 * taken:.3f} ms, are below {SLOW:.0%} of their limits", file=out)
    for layer in sorted(slow, key=lambda one: -one["seconds"])[:8]:
        print(f"    {layer['name'][:44]:44} {layer['op'][:28]:28} {1e6 * layer['seconds']:8.1f} us, {layer['fraction']:.2f} of "
              f"{layer['limit']}{'; ' + layer['held_by'] if layer['held_by'] else ''}", file=out)


def what_is_missing(folder):
    """A sentence, or None."""
    runner = os.path.join(folder, "tessera-run")
    if not os.path.exists(runner):
        raise Refused(f"{runner} is not there; networks.py --pack makes the folder")
    if not os.access(runner, os.X_OK):
        os.chmod(runner, 0o755)  # what copied the folder may have dropped that
    done = subprocess.run([runner, "info", "--gpu"], capture_output=True, text=True)
    return done.stderr.strip().removeprefix("tessera: ") if done.returncode else None


def run(args):
    out = sys.stderr if args.json else sys.stdout
    missing = what_is_missing(args.dir)
    if missing:
        print(f"networks.py: skipped: {missing}", file=sys.stderr)
        return 0
    if not importlib.util.find_spec("torch"):
        print(f"networks.py: {sys.executable} has no PyTorch: there are no peers", file=sys.stderr)
    seed, rows = int.from_bytes(os.urandom(3), "little"), []
    for case, _, form, _, floats in CASES:
        if args.only not in case:
            continue
        if not os.path.exists(os.path.join(args.dir, file_of(case) + ".thin")):
            print(f"networks.py: {case} is not in {args.dir}", file=sys.stderr)
            continue
        rows.append(run_case(args, case, floats or form, seed))
        show(rows[-1], out)
        with open(args.out, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1)
    if args.json:
        print(json.dumps(rows, indent=1))
    return 1 if not rows or any("says" in row or "wrong" in row for row in rows) else 0


def main():
    parser = argparse.ArgumentParser(prog="networks.py", description=__doc__)
    parser.add_argument("dir", nargs="?", metavar="DIR")
    parser.add_argument("out", nargs="?", metavar="OUT.json")
    parser.add_argument("--pack", action="store_true", help="fill DIR, where the compiler is")
    parser.add_argument("--tessera", default=os.path.join(ROOT, "build", "tessera"))
    parser.add_argument("--target", default="cuda", help="cuda or cuda:ARCH")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with this in their names")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--mode", default="default", choices=MODES, help="of torch.compile, or eager (default: default)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    args = parser.parse_args()
    if not args.dir or not (args.pack or args.out) or args.rounds < 1:
        parser.error("networks.py --pack DIR, or networks.py DIR OUT.json with one round or more")
    try:
        return pack(args) or 0 if args.pack else run(args)
    except (Refused, OSError) as e:
        print(f"networks.py: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

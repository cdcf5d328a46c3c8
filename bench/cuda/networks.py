#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole networks on the GPU beside torch.compile: networks.py --pack DIR makes packages, what the peer computes, and
tessera-run; networks.py DIR OUT.json [--json] measures, on a machine that needs neither LLVM nor the compiler.

Ours is one launch of a CUDA graph an inference, as tessera-run profiles it; the peer is the same float network in
f16, by torch.compile, in a CUDA graph of its own. Both are timed twice: with the input from pinned host memory and
the output back to it, and kernels only. The two take turns, in rounds of 20 on fresh inputs, behind a warm-up."""

import argparse
import importlib.util
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROUNDS = 3
REPEATS = 20  # of a round, as `profile` has it
INPUTS = 4  # that take turns
SMALL = 1024  # elements that are written out; of larger tensors size and deviation will do for time
COMPILING = 300  # seconds that torch.compile may take
SLOW = 0.6  # of its limit: a layer below is listed

CASES = [  # name, the zoo's network and form, batch, what floats are computed in
    ("resnet50 int8 b1", "resnet50", "int8", 1, None),
    ("resnet50 int8 b32", "resnet50", "int8", 32, None),
    ("resnet50 f16 b1", "resnet50", "float", 1, "f16"),
    ("resnet50 f16 b32", "resnet50", "float", 32, "f16"),
    ("bert f16 b1", "bert", "float", 1, "f16"),
    ("bert f16 b32", "bert", "float", 32, "f16"),
]


class Refused(Exception):
    """A sentence for the user."""


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


def peer_of(model, weights_path):
    """The network as the peer is given it: nodes, and tensors, the large ones without their elements."""
    import numpy as np
    from onnx import helper, numpy_helper

    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes = [{"op": n.op_type, "inputs": list(n.input), "outputs": list(n.output),
              "attributes": {a.name: helper.get_attribute_value(a) for a in n.attribute}} for n in model.graph.node]
    nodes = without_norms(nodes, tensors)
    used = {name for n in nodes for name in n["inputs"]}
    tensors = {name: value for name, value in tensors.items() if name in used}
    if weights_path:
        np.savez(weights_path, **{n: t for n, t in tensors.items() if t.size > SMALL})
    port = model.graph.input[0]
    rows = {}
    for name, t in tensors.items():
        rows[name] = {"dims": list(t.shape), "dtype": str(t.dtype)}
        rows[name].update({"values": t.reshape(-1).tolist()} if t.size <= SMALL else {"deviation": float(t.std())})
    return {"input": port.name, "dims": [d.dim_value for d in port.type.tensor_type.shape.dim],
            "output": model.graph.output[0].name, "nodes": nodes, "tensors": rows}


def zoo_model(args, network, form):
    path = os.path.join(args.zoo, f"{network}.{form}.onnx")
    if not os.path.exists(path):
        script = os.path.join(ROOT, "bench", "zoo", "zoo.py")
        subprocess.run(["/usr/bin/python3", script, "--out", args.zoo, "--form", form, network], check=True, stdout=sys.stderr)
    return path


def pack_case(args, case, network, form, batch, floats):
    import onnx

    stem = os.path.join(args.dir, file_of(case))
    float_model = onnx.load(zoo_model(args, network, "float"))
    set_batch(float_model, batch)
    with open(stem + ".peer.json", "w", encoding="utf-8") as f:
        json.dump(peer_of(float_model, stem + ".npz" if args.weights else None), f)
    model = onnx.load(zoo_model(args, network, form))
    set_batch(model, batch)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, file_of(case) + ".onnx")
        onnx.save(model, path)
        words = [args.tessera, "compile", path, "--target", args.target, "-o", stem + ".tsr"]
        done = subprocess.run(words + (["--float", floats] if floats else []), capture_output=True, text=True)
    if done.returncode:
        raise Refused(f"{case}: {done.stderr.strip()}")
    print(f"{stem}.tsr: {os.path.getsize(stem + '.tsr') / 1e6:.1f} MB", file=sys.stderr)


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
    for case in CASES:
        if args.only in case[0]:
            pack_case(args, *case)


# --- the peer, in a process of its own ----------------------------------------------------------------------------------


def network_of(torch, peer, weights):
    """A module that computes the nodes one after the other, in f16."""
    functional = torch.nn.functional

    def spread(values):  # pads as ONNX has them, begin and end: torch wants them alike
        if values[: len(values) // 2] != values[len(values) // 2:]:
            raise Refused("padding that is not the same on both sides")
        return values[: len(values) // 2]

    def conv(a, x, w, b=None):
        return functional.conv2d(x, w, b, a.get("strides", 1), spread(a.get("pads", [0] * 4)), a.get("dilations", 1),
                                 a.get("group", 1))

    def gemm(a, x, w, b=None):
        return functional.linear(x, w if a.get("transB") else w.t(), b)

    ops = {
        "Conv": conv,
        "Gemm": gemm,
        "Relu": lambda a, x: functional.relu(x),
        "MaxPool": lambda a, x: functional.max_pool2d(x, a["kernel_shape"], a["strides"], spread(a.get("pads", [0] * 4))),
        "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
        "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
        "Add": lambda a, x, y: x + y,
        "Mul": lambda a, x, y: x * y,
        "Div": lambda a, x, y: x / y,
        "Erf": lambda a, x: torch.erf(x),
        "MatMul": lambda a, x, y: torch.matmul(x, y),
        "Softmax": lambda a, x: functional.softmax(x, a.get("axis", -1)),
        "Transpose": lambda a, x: x.permute(a["perm"]),
        "Reshape": lambda a, x, shape: x.reshape(shape),
        "LayerNormalization": lambda a, x, w, b: functional.layer_norm(x, w.shape, w, b, a.get("epsilon", 1e-5)),
    }
    unknown = sorted({n["op"] for n in peer["nodes"]} - set(ops))
    if unknown:
        raise Refused("the peer does not compute " + ", ".join(unknown))

    class Network(torch.nn.Module):
        def forward(self, x):
            x = x.half()
            value = dict(weights)
            value[peer["input"]] = x.contiguous(memory_format=torch.channels_last) if len(x.shape) == 4 else x
            for n in peer["nodes"]:
                value[n["outputs"][0]] = ops[n["op"]](n["attributes"], *(value[i] for i in n["inputs"]))
            return value[peer["output"]].float()

    return Network()


def weights_of(torch, peer, path):
    """Those of the file, or made up of the same size and deviation."""
    found = {}
    if os.path.exists(path):
        import numpy as np

        found = np.load(path)
    out = {}
    for name, t in peer["tensors"].items():
        if t["dtype"].startswith("int"):
            out[name] = t["values"]
            continue
        if "values" in t:
            w = torch.tensor(t["values"]).reshape(t["dims"])
        elif name in found:
            w = torch.from_numpy(found[name])
        else:
            w = torch.randn(t["dims"]) * t["deviation"]
        w = w.half().to("cuda")
        out[name] = w.contiguous(memory_format=torch.channels_last) if len(t["dims"]) == 4 else w
    return out


class Peer:
    """Graphs over rotating inputs: with the way from and to the host, and without."""

    def __init__(self, torch, stem, mode):
        with open(stem + ".peer.json", encoding="utf-8") as f:
            peer = json.load(f)
        self.torch, self.dims = torch, peer["dims"]
        network = network_of(torch, peer, weights_of(torch, peer, stem + ".npz"))
        self.compiled = torch.compile(network, mode=mode) if mode != "eager" else network
        self.host = [torch.randn(self.dims).pin_memory() for _ in range(INPUTS)]
        self.device = [x.to("cuda") for x in self.host]
        with torch.no_grad():
            self.warm_up()
            self.kernels = [self.graph(lambda x=x: self.compiled(x)) for x in self.device]
            self.whole = [self.graph(lambda h=h, x=x: self.there_and_back(h, x)) for h, x in zip(self.host, self.device)]

    def warm_up(self):
        side = self.torch.cuda.Stream()
        with self.torch.cuda.stream(side):
            for x in self.device:
                y = self.compiled(x)
        self.torch.cuda.synchronize()
        self.back = self.torch.empty(list(y.shape)).pin_memory()

    def there_and_back(self, host, device):
        device.copy_(host, non_blocking=True)
        self.back.copy_(self.compiled(device), non_blocking=True)

    def graph(self, call):
        graph = self.torch.cuda.CUDAGraph()
        with self.torch.cuda.graph(graph):
            call()
        return graph

    def time(self, graphs):
        out = []
        for turn in range(3 + REPEATS):
            start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            graphs[turn % len(graphs)].replay()
            end.record()
            self.torch.cuda.synchronize()
            out.append(start.elapsed_time(end) * 1e-3)
        return out[3:]

    def output(self, path):
        import numpy as np

        with self.torch.no_grad():
            y = self.compiled(self.torch.from_numpy(np.load(path)).to("cuda"))
        np.save(path + ".peer.npy", y.cpu().numpy())


def be_peer(stem, mode):
    """Answers each line on stdin by one of JSON."""
    import torch

    peer = Peer(torch, stem, mode)
    print(json.dumps({"ready": torch.__version__}), flush=True)
    for line in sys.stdin:
        word, _, path = line.strip().partition(" ")
        if word == "output":
            peer.output(path)
            print(json.dumps({}), flush=True)
        else:
            print(json.dumps({"whole": peer.time(peer.whole), "kernels": peer.time(peer.kernels)}), flush=True)


class PeerProcess:
    """What goes wrong with it is said, and costs its own numbers only."""

    def __init__(self, stem, mode):
        words = [sys.executable, os.path.abspath(__file__), "--peer", stem, "--mode", mode]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.says = None

    def answer(self, seconds):
        """A dictionary, or None and says why."""
        if self.says:
            return None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else ""
        if line:
            return json.loads(line)
        self.process.kill()
        said = self.process.communicate()[1].strip().splitlines()
        self.says = (said[-1] if said else "it ended") if ready else f"no answer in {seconds} seconds"
        return None

    def ask(self, word, seconds=60):
        if self.says:
            return None
        try:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # answer() says why
        return self.answer(seconds)

    def end(self):
        self.process.kill()
        self.process.communicate()


# --- measuring --------------------------------------------------------------------------------------------------------------


def median(values):
    return sorted(values)[len(values) // 2]


def profile(folder, package, target, seed):
    words = [os.path.join(folder, "tessera-run"), "profile", package, "--target", target, "--json", "--random", str(seed)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr.strip())
    return json.loads(done.stdout)


def difference(folder, package, target, peer, dims):
    """Of the outputs for one input, as a part of the peer's norm."""
    import numpy as np

    with tempfile.TemporaryDirectory() as tmp:
        x, y = os.path.join(tmp, "x.npy"), os.path.join(tmp, "y.npy")
        np.save(x, np.random.default_rng().standard_normal(dims).astype(np.float32))
        words = [os.path.join(folder, "tessera-run"), "run", package, "--target", target, "--input", x, "--output", y]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode or peer.ask("output " + x) is None:
            return None
        theirs, ours = np.load(x + ".peer.npy").astype(np.float64), np.load(y).astype(np.float64)
        return float(np.linalg.norm(ours.reshape(-1) - theirs.reshape(-1)) / np.linalg.norm(theirs))


def layers_of(p):
    rows = []
    for layer in p["layers"]:
        rows.append({"name": layer["name"], "op": layer["op"], "kernels": layer["kernels"], "seconds": layer["seconds"],
                     "limit": layer["limit"], "fraction": layer["least_seconds"] / layer["seconds"] if layer["seconds"] else None})
    return rows


def row_of(case, dtype, profiles, theirs, peer):
    best = sorted(profiles, key=lambda p: p["seconds"])[len(profiles) // 2]
    kind = "int8" if dtype == "int8" else "fp16"
    seconds, kernels = median([p["seconds"] for p in profiles]), median([p["kernel_seconds"] for p in profiles])
    rate = 2 * sum(layer["macs"] for layer in best["layers"]) / seconds
    return {"case": case, "dtype": dtype, "ours_s": seconds, "ours_kernels_s": kernels,
            "least_s": sum(layer["least_seconds"] for layer in best["layers"]), "cpu_layers": best["cpu_layers"],
            "peer": f"torch.compile f16, torch {peer}" if peer else None,
            "peer_s": median(theirs["whole"]) if theirs["whole"] else None,
            "peer_kernels_s": median(theirs["kernels"]) if theirs["kernels"] else None,
            "tflops": rate / 1e12, "fraction_of_peak": rate / (2 * best["limits"][kind]), "layers": layers_of(best)}


def run_case(args, case, dtype, seed):
    stem = os.path.join(args.dir, file_of(case))
    package = stem + ".tsr"
    theirs, profiles, version, peer = {"whole": [], "kernels": []}, [], None, None
    if importlib.util.find_spec("torch"):
        peer = PeerProcess(stem, args.mode)
        version = (peer.answer(COMPILING) or {}).get("ready")
    try:
        for turn in range(args.rounds):
            profiles.append(profile(args.dir, package, args.target, seed + turn))
            now = peer.ask("time") if peer else None
            for key in theirs:
                theirs[key] += now[key] if now else []
        row = row_of(case, dtype, profiles, theirs, version)
        if peer and os.path.exists(stem + ".npz"):
            with open(stem + ".peer.json", encoding="utf-8") as f:
                row["difference"] = difference(args.dir, package, args.target, peer, json.load(f)["dims"])
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
        text += (f"; torch.compile {1e3 * row['peer_s']:8.3f} ({row['peer_s'] / row['ours_s']:.2f}), kernels "
                 f"{1e3 * row['peer_kernels_s']:8.3f} ({row['peer_kernels_s'] / row['ours_kernels_s']:.2f})")
    print(text + ("; " + row["peer_says"] if "peer_says" in row else ""), file=out)
    slow = [layer for layer in row["layers"] if layer["fraction"] is not None and layer["fraction"] < SLOW]
    taken = sum(layer["seconds"] for layer in slow)
    print(f"  {len(slow)} of {len(row['layers'])} layers, {1e3 * taken:.3f} ms, are below {SLOW:.0%} of their limits", file=out)
    for layer in sorted(slow, key=lambda one: -one["seconds"])[:8]:
        print(f"    {layer['name'][:44]:44} {layer['op'][:28]:28} {1e6 * layer['seconds']:8.1f} us, {layer['fraction']:.2f} of {layer['limit']}",
              file=out)


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
        if not os.path.exists(os.path.join(args.dir, file_of(case) + ".tsr")):
            print(f"networks.py: {case} is not in {args.dir}", file=sys.stderr)
            continue
        rows.append(run_case(args, case, floats or form, seed))
        show(rows[-1], out)
        with open(args.out, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1)
    if args.json:
        print(json.dumps(rows, indent=1))
    return 1 if not rows or any("says" in row for row in rows) else 0


def main():
    parser = argparse.ArgumentParser(prog="networks.py", description=__doc__)
    parser.add_argument("dir", nargs="?", metavar="DIR")
    parser.add_argument("out", nargs="?", metavar="OUT.json")
    parser.add_argument("--pack", action="store_true", help="fill DIR, where the compiler is")
    parser.add_argument("--weights", action="store_true", help="with --pack: the peer gets our weights, and outputs are compared")
    parser.add_argument("--tessera", default=os.path.join(ROOT, "build", "tessera"))
    parser.add_argument("--zoo", default=os.path.join(ROOT, "build", "zoo"), help="folder of the zoo's networks")
    parser.add_argument("--target", default="cuda", help="cuda or cuda:ARCH")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with this in their names")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--mode", default="default", help="of torch.compile, or eager (default: default)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        return be_peer(args.peer, args.mode)
    if not args.dir or not (args.pack or args.out) or args.rounds < 1:
        parser.error("networks.py --pack DIR, or networks.py DIR OUT.json with one round or more")
    try:
        return pack(args) or 0 if args.pack else run(args)
    except (Refused, OSError) as e:
        print(f"networks.py: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

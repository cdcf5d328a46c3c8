# SPDX-License-Identifier: Apache-2.0
"""What networks.py compares with: a float network by torch.compile in f16, as a process of its own.
peer.py STEM --mode MODE answers each line on stdin by one of JSON.

It is what a user of PyTorch gets who wants speed: batch norms folded, channels last, convolutions that cuDNN has
searched for, attention in a form that the compiler fuses (scaled_dot_product_attention), one CUDA graph."""

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import thin  # noqa: E402

REPEATS = 20  # of a round, as `tessera profile` has it
INPUTS = 4  # that take turns
WARM_SECONDS = 0.1  # of replays before each round: the GPU is at its clock
# torch's own "max-autotune" records graphs, too, and cannot inside of ours
MODES = {"eager": None, "default": "default", "max-autotune": "max-autotune-no-cudagraphs"}


class Refused(Exception):
    """A sentence for the user."""


# --- the network ----------------------------------------------------------------------------------------------------


def spread(values):
    """Pads as ONNX has them, begin and end; torch wants them alike."""
    half = len(values) // 2
    if values[:half] != values[half:]:
        raise Refused("padding that is not the same on both sides")
    return values[:half]


def permute(x, order):
    """In two steps where the last axes trade places: so the compiler sees the k^T of attention."""
    if order[-2] > order[-1]:
        return x.permute([*order[:-2], order[-1], order[-2]]).transpose(-2, -1)
    return x.permute(order)


def operations(torch):
    functional = torch.nn.functional

    def conv(a, x, w, b=None):
        return functional.conv2d(x, w, b, a.get("strides", 1), spread(a.get("pads", [0] * 4)), a.get("dilations", 1),
                                 a.get("group", 1))

    def gemm(a, x, w, b=None):
        return functional.linear(x, w if a.get("transB") else w.t(), b)

    return {
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
        "Transpose": lambda a, x: permute(x, a["perm"]),
        "Reshape": lambda a, x, shape: x.reshape(shape),
        "LayerNormalization": lambda a, x, w, b: functional.layer_norm(x, w.shape, w, b, a.get("epsilon", 1e-5)),
    }


def network_of(torch, peer, constants):
    """A module that computes the nodes one after the other; numbers and shapes are Python's, tensors its buffers."""
    ops = operations(torch)
    unknown = sorted({n["op"] for n in peer["nodes"]} - set(ops))
    if unknown:
        raise Refused("the peer does not compute " + ", ".join(unknown))
    plain = {name: c for name, c in constants.items() if isinstance(c, (list, float))}
    weights = [name for name in constants if name not in plain]

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for k, name in enumerate(weights):
                self.register_buffer(f"w{k}", constants[name])

        def forward(self, x):
            x = x.half()
            value = {name: getattr(self, f"w{k}") for k, name in enumerate(weights)}
            value.update(plain)
            value[peer["input"]] = x.contiguous(memory_format=torch.channels_last) if len(x.shape) == 4 else x
            for n in peer["nodes"]:
                value[n["outputs"][0]] = ops[n["op"]](n["attributes"], *(value[i] for i in n["inputs"]))
            return value[peer["output"]].float()

    return Network()


def constants_of(torch, peer):
    """Large ones are drawn again (thin.py)."""
    out = {}
    for name, t in peer["tensors"].items():
        if t["dtype"].startswith("int"):
            out[name] = t["values"]
            continue
        if "values" in t and not t["dims"]:
            out[name] = t["values"][0]
            continue
        if "seed" in t:
            w = torch.from_numpy(thin.by_channel(thin.normal(t["seed"], t["dims"]), t["factor"]))
        else:
            w = torch.tensor(t["values"]).reshape(t["dims"])
        w = w.half().to("cuda")
        out[name] = w.contiguous(memory_format=torch.channels_last) if len(t["dims"]) == 4 else w
    return out


# --- the process ------------------------------------------------------------------------------------------------------


class Peer:
    """Graphs over rotating inputs: with the way from and to the host, and without."""

    def __init__(self, torch, stem, mode):
        with open(stem + ".peer.json", encoding="utf-8") as f:
            peer = json.load(f)
        torch.backends.cudnn.benchmark = True
        self.torch, self.dims = torch, peer["dims"]
        network = network_of(torch, peer, constants_of(torch, peer)).eval()
        self.compiled = torch.compile(network, mode=MODES[mode]) if MODES[mode] else network
        self.host = [torch.randn(self.dims).pin_memory() for _ in range(INPUTS)]
        self.device = [x.to("cuda") for x in self.host]
        with torch.no_grad():
            self.warm_up()
            self.kernels = [self.graph(lambda x=x: self.compiled(x)) for x in self.device]
            self.whole = [self.graph(lambda h=h, x=x: self.there_and_back(h, x)) for h, x in zip(self.host, self.device)]

    def warm_up(self):
        """What is compiled and searched for at the first call must not be in a graph."""
        cuda = self.torch.cuda
        side = cuda.Stream()
        side.wait_stream(cuda.current_stream())
        with cuda.stream(side):
            for x in self.device:
                y = self.compiled(x)
        cuda.current_stream().wait_stream(side)
        cuda.synchronize()
        self.back = self.torch.empty(list(y.shape)).pin_memory()

    def there_and_back(self, host, device):
        device.copy_(host, non_blocking=True)
        self.back.copy_(self.compiled(device), non_blocking=True)

    def graph(self, call):
        graph = self.torch.cuda.CUDAGraph()
        with self.torch.cuda.graph(graph):
            call()
        return graph

    def time(self, graphs, ahead):
        """Seconds of each replay. Behind another one (ahead), which is not timed, what the host does for it is hidden;
        `tessera profile` times its two graphs in the same two ways."""
        end = time.perf_counter() + WARM_SECONDS
        while time.perf_counter() < end:
            graphs[0].replay()
            self.torch.cuda.synchronize()
        out = []
        for turn in range(REPEATS):
            start, stop = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
            if ahead:
                graphs[(turn + 1) % len(graphs)].replay()
            start.record()
            graphs[turn % len(graphs)].replay()
            stop.record()
            self.torch.cuda.synchronize()
            out.append(start.elapsed_time(stop) * 1e-3)
        return out

    def times(self):
        return {"whole": self.time(self.whole, False), "kernels": self.time(self.kernels, True)}

    def output(self, path):
        import numpy as np

        with self.torch.no_grad():
            y = self.compiled(self.torch.from_numpy(np.load(path)).to("cuda"))
        np.save(path + ".peer.npy", y.cpu().numpy())
        return {}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("stem")
    parser.add_argument("--mode", choices=MODES, default="default")
    args = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed is no answer
    import torch

    peer = Peer(torch, args.stem, args.mode)
    how = "torch.compile" if MODES[args.mode] else "PyTorch, not compiled,"
    print(json.dumps({"ready": f"{how} f16, torch {torch.__version__}"}), file=answers, flush=True)
    for line in sys.stdin:
        word, _, path = line.strip().partition(" ")
        print(json.dumps(peer.output(path) if word == "output" else peer.times()), file=answers, flush=True)


class PeerProcess:
    """What goes wrong with it is said, and costs its own numbers only."""

    def __init__(self, stem, mode):
        self.errors = tempfile.TemporaryFile("w+", errors="replace")  # pylint: disable=consider-using-with
        words = [sys.executable, os.path.abspath(__file__), stem, "--mode", mode]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.says = None

    def last_words(self):
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        return said[-1] if said else "it ended"

    def answer(self, seconds):
        """A dictionary, or None and says why."""
        if self.says:
            return None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else ""
        if line:
            return json.loads(line)
        self.process.kill()
        self.says = self.last_words() if ready else f"no answer in {seconds} seconds"
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
        self.errors.close()


if __name__ == "__main__":
    main()

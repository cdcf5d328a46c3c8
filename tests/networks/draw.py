# SPDX-License-Identifier: Apache-2.0
"""Random networks: draw(seed) is the same network on every machine.

Corners are drawn more often than what lies between them: channels at a block, one less and one
more, maps of one element or one column, zero points at the ends of their type, scales that are
powers of two (so that results are exact, and ties exact ties) or that make results saturate.
"""
import math
import random
from math import prod

import layers

CHANNELS = (1, 1, 2, 3, 4, 5, 7, 8, 15, 16, 16, 17, 31, 32, 33)
SIDES = (1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13)
LARGE_SIDES = (1, 13, 16, 17, 28, 33, 56)
KERNELS = (1, 1, 2, 3, 3, 3, 4, 5, 7)
# Root mean square of a result in its own steps; 127 is the end of the type.
STEPS = (1, 10, 30, 30, 30, 30, 60, 300, 3000)
MACS, ELEMENTS = 150000, 6000
ACTIVATIONS = ("Relu", "Clip", "Sigmoid", "HardSwish", "LeakyRelu", "Tanh")


class Draw:
    def __init__(self, seed):
        self.r = random.Random("network %d" % seed)
        r = self.r
        self.net = {"seed": seed, "inputs": [], "layers": [], "floats": r.random() < 0.4,
                    "shared": r.random() < 0.5, "pinned": []}
        self.size = r.choice((1, 1, 1, 1, 1, 1, 1, 8))  # of networks that need several tiles
        self.octaves = r.random() < 0.3         # every scale a power of two
        self.qlinear = r.choice((0, 0, 0.2, 1))  # share of layers in QOperator form
        self.dtype = r.choice(("i8", "i8", "u8", "u8", None))
        self.power = {}                         # root mean square of each value, real
        self.shape = {}

    def chance(self, p):
        return self.r.random() < p

    # --- edges and weights ---

    def round_scale(self, scale):
        scale = min(max(scale, 1e-12), 1e12)
        return 2.0 ** round(math.log2(scale)) if self.octaves else scale

    def edge(self, power, dtype=None, steps=None):
        """An edge for values of this root mean square."""
        dtype = dtype or self.dtype or self.r.choice(("i8", "u8"))
        low, high = (-128, 127) if dtype == "i8" else (0, 255)
        middle = low + 128
        zero = self.r.choice((low, high, middle, middle, self.r.randint(low, high)))
        scale = self.round_scale(power / (steps or self.r.choice(STEPS)) * self.r.uniform(0.7, 1.4))
        return {"dtype": dtype, "scale": scale, "zero": zero}

    def weights(self, qlinear, dtype):
        """The QOperator form stays within what ONNX Runtime sums exactly on every processor: its
        kernels for int8 weights add pairs of products in 16 bits."""
        r = self.r
        kind = "u8" if dtype == "u8" and self.chance(0.3) else "i8"
        zero = 128 if kind == "u8" else 0
        if self.chance(0.15):
            zero += r.randint(-60, 60)
        limit = r.choice((128, 127, 64, 8, 1))
        return {"style": r.choice(("any",) * 6 + ("zero", "extreme", "zero channel")),
                "dtype": kind, "zero": zero if kind == "u8" or not qlinear else 0,
                "limit": min(limit, 64) if qlinear else limit,
                "scale": self.round_scale(10 ** r.uniform(-5, 1)),
                "spread": r.choice(("tensor", "even", "even", "wide", "tiny channel")),
                "octaves": self.octaves}

    def bias(self, qlinear):
        if self.chance(0.25):
            return None
        form = "f32" if not qlinear and self.chance(0.2) else "i32"
        return {"reach": self.r.choice((0, 20, 100, 100, 1000, 20000)), "form": form}

    def activation(self, power, kinds):
        kind = self.r.choice(kinds)
        act = {"kind": kind}
        if kind == "Clip":
            low = self.r.choice((0, -power, self.r.uniform(-2, 1) * power))
            act.update(lo=low, hi=low + power * self.r.choice((0, 0.5, 1, 6)))
        elif kind == "LeakyRelu":
            act["alpha"] = self.r.choice((0.01, 0.1, 0.25, 1.5, -0.5))
        return act

    def fused(self, power):
        """What stands between an op and its QuantizeLinear: seldom what can't be a clamp."""
        p = self.r.random()
        if p < 0.5:
            return None
        return self.activation(power, ("Relu", "Clip") if p < 0.95 else ACTIVATIONS)

    # --- the network ---

    def put(self, layer, power, edge=None):
        """Adds the layer where its shape exists and is not too large; False otherwise."""
        name = "l%d" % (len(self.net["layers"]) + 1)
        steps = edge or self.edge(power)
        layer = dict(layer, name=name, edge=steps, salt="%d.%s" % (self.net["seed"], name))
        try:
            shape = layers.OPS[layer["op"]][0](layer, [self.shape[v] for v in layer["in"]])
        except layers.Invalid:
            return False
        if min(shape) < 1 or prod(shape) > ELEMENTS * self.size:
            return False
        self.net["layers"].append(layer)
        self.shape[name] = shape
        self.power[name] = min(power, 100 * steps["scale"])
        return True

    def input(self):
        r = self.r
        batch, c = r.choice((1, 1, 1, 2, 3)), r.choice(CHANNELS)
        rank = r.choice((4, 4, 4, 4, 4, 2, 3))
        sides = SIDES if self.size == 1 else LARGE_SIDES
        shape = [batch, c] + [r.choice(sides) for _ in range(rank - 2)]
        name = "x%d" % len(self.net["inputs"])
        scale = self.round_scale(10 ** r.uniform(-6, 3))
        edge = self.edge(scale, steps=1)
        self.net["inputs"].append({"name": name, "shape": shape, "edge": edge,
                                   "form": r.choice(("float", "quantized"))})
        self.shape[name], self.power[name] = shape, 75 * scale

    def value(self, rank=None):
        """A value, the latest ones rather; None where there is none of that rank."""
        names = [n for n in self.shape if rank is None or len(self.shape[n]) in rank]
        return names[-1 - min(int(self.r.expovariate(1.2)), len(names) - 1)] if names else None

    def form(self):
        return "qlinear" if self.chance(self.qlinear) else "qdq"

    def affine(self, layer, x, inner):
        """What conv and dense have in common."""
        dtype = self.edge_of(x)["dtype"]
        qlinear = layer["form"] == "qlinear"
        w = self.weights(qlinear, dtype)
        spread = {"zero": 1, "extreme": w["limit"]}.get(w["style"], w["limit"] * 0.6)
        power = self.power[x] * w["scale"] * spread * math.sqrt(inner)
        bias = None if qlinear and layer["op"] == "dense" else self.bias(qlinear)
        layer.update(weights=w, bias=bias, act=None if qlinear else self.fused(power))
        if qlinear:
            layer["act"] = None
        return self.put(layer, power, self.edge(power, dtype if qlinear else None))

    def edge_of(self, value):
        return layers.edges(self.net)[value]

    def windows(self, x, pool):
        r, rank = self.r, len(x) - 2
        square = self.chance(0.5)
        kernel = [r.choice(KERNELS) for _ in range(rank)]
        if square:
            kernel = [kernel[0]] * rank
        if self.chance(0.1):
            kernel = list(x[2:])
        w = {"kernel": kernel, "strides": [r.choice((1, 1, 1, 2, 2, 3)) for _ in range(rank)],
             "dilations": [r.choice((1, 1, 1, 1, 2, 3)) for _ in range(rank)]}
        most = [k - 1 if pool else k for k in kernel]
        w["pads"] = [r.randint(0, most[i % rank]) if self.chance(0.6) else 0
                     for i in range(2 * rank)]
        return w

    def conv(self):
        x = self.value((3, 4) if self.chance(0.2) else (4,))
        if not x:
            return False
        c, form, r = self.shape[x][1], self.form(), self.r
        group = r.choice((1, 1, 1, c, c, r.choice([d for d in range(1, c + 1) if c % d == 0])))
        out = c if group > 1 and self.chance(0.6) else r.choice(CHANNELS)
        out = max(1, out // group) * group
        layer = {"op": "conv", "in": [x], "out": out, "group": group, "form": form,
                 **self.windows(self.shape[x], False)}
        inner = c // group * prod(layer["kernel"])
        try:
            places = prod(layers.windows(layer, self.shape[x])) * self.shape[x][0]
        except layers.Invalid:
            return False
        return places * out * inner <= MACS * self.size and self.affine(layer, x, inner)

    def transposed(self):
        x = self.value((3, 4) if self.chance(0.2) else (4,))
        if not x:
            return False
        r, c, rank = self.r, self.shape[x][1], len(self.shape[x]) - 2
        group = r.choice((1, 1, 1, c, r.choice([d for d in range(1, c + 1) if c % d == 0])))
        layer = {"op": "transposed", "in": [x], "group": group, "form": "qdq",
                 "out": max(1, r.choice(CHANNELS) // group) * group,
                 "kernel": [r.choice((1, 2, 2, 3, 3, 4, 5)) for _ in range(rank)],
                 "strides": [r.choice((1, 2, 2, 2, 3)) for _ in range(rank)]}
        layer["dilations"] = [r.choice((1, 1, 2)) if s == 1 else 1 for s in layer["strides"]]
        layer["extra"] = [r.randrange(s) for s in layer["strides"]]
        layer["pads"] = [r.randint(0, layer["kernel"][i % rank]) if self.chance(0.6) else 0
                         for i in range(2 * rank)]
        inner = c // group * prod(layer["kernel"]) / prod(layer["strides"])
        if prod(self.shape[x]) * layer["out"] // group * prod(layer["kernel"]) > MACS * self.size:
            return False
        return self.affine(layer, x, inner)

    def dense(self):
        kind = self.r.choice(("gemm", "matmul"))
        x = self.value((2,) if kind == "gemm" else None)
        if not x:
            return False
        form = self.form() if kind == "matmul" else "qdq"
        layer = {"op": "dense", "in": [x], "out": self.r.choice(CHANNELS), "kind": kind,
                 "form": form, "transposed": self.chance(0.5),
                 "alpha": self.r.choice((1.0, 1.0, 1.0, 0.5, 0.3)) if kind == "gemm" else 1.0}
        if prod(self.shape[x]) * layer["out"] > MACS * self.size:
            return False
        return self.affine(layer, x, self.shape[x][-1])

    def binary(self):
        a = self.value()
        mates = [n for n in self.shape if self.shape[n] == self.shape[a]]
        b = self.r.choice(mates)
        kind = self.r.choice(("Add", "Add", "Sub", "Mul"))
        form = self.form() if kind == "Add" else "qdq"
        pa, pb = self.power[a], self.power[b]
        power = pa * pb if kind == "Mul" else pa + pb
        dtype = None
        if form == "qlinear":
            dtype = self.edge_of(a)["dtype"]
            if self.edge_of(b)["dtype"] != dtype:
                return False
        act = None if form == "qlinear" else self.fused(power)
        layer = {"op": "binary", "in": [a, b], "kind": kind, "form": form, "act": act}
        return self.put(layer, power, self.edge(power, dtype))

    def constant(self):
        x = self.value()
        kind = self.r.choice(("Add", "Sub", "Mul"))
        edge = self.edge(self.power[x])
        power = self.power[x] * (100 * edge["scale"] if kind == "Mul" else 1)
        power += 0 if kind == "Mul" else 100 * edge["scale"]
        return self.put({"op": "constant", "in": [x], "kind": kind, "constant": edge,
                         "channels": self.chance(0.5), "swapped": self.chance(0.5)}, power)

    def kept(self, x):
        """The edge of what moves or picks x's elements: x's own, mostly."""
        return dict(self.edge_of(x)) if self.chance(0.7) else self.edge(self.power[x])

    def pool(self):
        x = self.value((3, 4) if self.chance(0.15) else (4,))
        if not x:
            return False
        kind = self.r.choice(("MaxPool", "AveragePool"))
        layer = {"op": "pool", "in": [x], "kind": kind, **self.windows(self.shape[x], True)}
        layer["ceil"] = kind == "MaxPool" and self.chance(0.3)
        if kind == "AveragePool":
            layer["dilations"] = [1] * len(layer["kernel"])
            layer["include_pad"] = self.r.choice((0, 1, 1))
        return self.put(layer, self.power[x], self.kept(x))

    def mean(self):
        x = self.value((4,))
        if not x:
            return False
        form = self.form()
        dtype = self.edge_of(x)["dtype"] if form == "qlinear" else None
        kind = self.r.choice(("GlobalAveragePool", "GlobalAveragePool", "ReduceMean"))
        edge = self.edge(self.power[x], dtype)
        if form == "qlinear":   # ONNX Runtime's kernel takes ratios below 256
            count = prod(self.shape[x][2:])
            least = self.edge_of(x)["scale"] / count / 128
            edge["scale"] = max(edge["scale"], self.round_scale(least))
        return self.put({"op": "mean", "in": [x], "form": form, "kind": kind}, self.power[x], edge)

    def unary(self):
        x = self.value()
        act = self.activation(self.power[x], ACTIVATIONS)
        power = self.power[x]
        if act["kind"] in ("Sigmoid", "Tanh"):
            power = 0.5
        return self.put({"op": "unary", "in": [x], "act": act}, power)

    def concat(self):
        a = self.value()
        rank = len(self.shape[a])
        parts = [a] + [self.value((rank,)) for _ in range(self.r.choice((1, 1, 2)))]
        axis = self.r.choice((1, 1, 1, self.r.randrange(rank)))
        power = max(self.power[p] for p in parts)
        layer = {"op": "concat", "in": parts, "axis": axis}
        return self.put(layer, power, self.kept(a) if self.chance(0.7) else None)

    def move(self):
        x = self.value()
        kind = self.r.choice(("Flatten", "Reshape", "Transpose", "Pad", "Slice"))
        layer = {"op": "move", "in": [x], "kind": kind}
        if kind == "Transpose":
            layer["perm"] = list(range(len(self.shape[x])))
            self.r.shuffle(layer["perm"])
        if kind in ("Pad", "Slice"):
            for end in ("before", "behind"):
                layer[end] = [0 if self.chance(0.6) else self.r.randint(0, min(3, n - 1))
                              for n in self.shape[x]]
        return self.put(layer, self.power[x], self.kept(x))

    def resize(self):
        x = self.value((3, 4) if self.chance(0.2) else (4,))
        if not x:
            return False
        times = [self.r.choice((1, 2, 2, 2, 3)) for _ in self.shape[x][2:]]
        return self.put({"op": "resize", "in": [x], "times": times, "corner": self.chance(0.5)},
                        self.power[x], self.kept(x))

    def shuffle(self):
        x = self.value((4,))
        if not x:
            return False
        return self.put({"op": "shuffle", "in": [x], "block": self.r.choice((2, 2, 3)),
                         "mode": self.r.choice(("DCR", "CRD"))}, self.power[x], self.kept(x))

    def prelu(self):
        x = self.value()
        return self.put({"op": "prelu", "in": [x]}, self.power[x])

    def softmax(self):
        return self.put({"op": "softmax", "in": [self.value()]}, 0.2)

    def draw(self):
        kinds = (self.conv,) * 8 + (self.dense, self.dense, self.binary, self.binary, self.binary,
                                    self.pool, self.pool, self.mean, self.unary, self.unary,
                                    self.concat, self.concat, self.move, self.move,
                                    self.transposed, self.transposed, self.resize, self.shuffle,
                                    self.prelu, self.constant)
        self.input()
        if self.chance(0.15):
            self.input()
        wanted, tries = self.r.choice((1, 1, 2, 3, 3, 4, 5, 6, 8, 12)), 0
        while len(self.net["layers"]) < wanted and tries < 200:
            self.r.choice(kinds)()
            tries += 1
        if self.chance(0.1) or not self.net["layers"]:
            self.softmax()
        self.net["pinned"] = [layer["name"] for layer in self.net["layers"] if self.chance(0.1)]
        self.drop_unread()
        return self.net

    def drop_unread(self):
        read = {v for layer in self.net["layers"] for v in layer["in"]}
        self.net["inputs"] = [x for x in self.net["inputs"] if x["name"] in read]


def draw(seed):
    return Draw(seed).draw()

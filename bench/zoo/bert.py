# SPDX-License-Identifier: Apache-2.0
"""One encoder layer of BERT-base (Devlin et al., 2018): sequence 128, hidden 768, 12 heads.

In the int8 form the matrix products and the residual adds are quantized; softmax, layer norm and
GELU compute in float between a DequantizeLinear and a QuantizeLinear. Ranges come from the standard
deviations that random weights give; there is no attention mask.
"""
import numpy as np

import qdq

SEQUENCE, HIDDEN, HEADS, FEED_FORWARD = 128, 768, 12, 3072
HEAD = HIDDEN // HEADS
DEVIATIONS = 5
SHARPNESS = 2       # the standard deviation of what goes into the softmax


class Encoder:
    """A graph under construction. A tensor is a pair of its name and its int8 edge."""

    def __init__(self, rng, quantized):
        self.graph, self.rng, self.quantized = qdq.Graph("bert", 17), rng, quantized
        self.macs = self.parameters = 0

    def input(self, name):
        return self.close(self.graph.input(name, [1, SEQUENCE, HIDDEN]), 1)

    def close(self, name, deviation=None, limits=None):
        """Ends a tensor whose elements have this standard deviation, or lie within these limits."""
        reach = DEVIATIONS * (deviation or 0)
        edge = qdq.Edge.of_range(*(limits or (-reach, reach)))
        if self.quantized:
            name = self.graph.edge(name, edge)
        return name, edge

    def linear(self, x, name, rows, columns, gain, deviation):
        """x . weight + bias; `gain` is the output's deviation over the input's."""
        weight = self.rng.standard_normal((rows, columns), dtype=np.float32)
        weight *= np.float32(gain / np.sqrt(rows))
        bias = self.rng.normal(0, 0.05, columns).astype(np.float32)
        self.parameters += weight.size + bias.size
        self.macs += SEQUENCE * weight.size
        g = self.graph
        if self.quantized:
            w, scale = g.weight(name + ".weight", weight, 1)
            b = g.bias(name + ".bias", bias, x[1].scale * scale)
        else:
            w, b = g.const(name + ".weight", weight), g.const(name + ".bias", bias)
        y = g.op("Add", [g.op("MatMul", [x[0], w], name + ".product"), b], name)
        return self.close(y, deviation)

    def split_heads(self, x, name, order):
        """(1,sequence,hidden) -> (1,heads,...) by a Transpose in this order."""
        shape = self.graph.const(name + ".shape", np.array([1, SEQUENCE, HEADS, HEAD], np.int64))
        y = self.keep(self.graph.op("Reshape", [x[0], shape], name + ".split"), x)
        return self.keep(self.graph.op("Transpose", [y[0]], name + ".heads", perm=order), x)

    def merge_heads(self, x, name):
        y = self.keep(self.graph.op("Transpose", [x[0]], name + ".rows", perm=[0, 2, 1, 3]), x)
        shape = self.graph.const(name + ".shape", np.array([1, SEQUENCE, HIDDEN], np.int64))
        return self.keep(self.graph.op("Reshape", [y[0], shape], name + ".merged"), x)

    def keep(self, name, x):
        """Ends a tensor that only moves x's elements: its edge is x's."""
        return (self.graph.edge(name, x[1]) if self.quantized else name), x[1]

    def product(self, a, b, name, deviation):
        """A matrix product for each head: both are (heads,sequence,head) in some order."""
        self.macs += HEADS * SEQUENCE * SEQUENCE * HEAD
        return self.close(self.graph.op("MatMul", [a[0], b[0]], name), deviation)

    def constant(self, name, value):
        return self.graph.const(name, np.array(value, np.float32))

    def softmax(self, x):
        scale = self.constant("scores.factor", 1 / np.sqrt(HEAD))
        y = self.graph.op("Mul", [x[0], scale], "scores.scaled")
        return self.close(self.graph.op("Softmax", [y], "softmax", axis=-1), limits=(0, 1))

    def gelu(self, x):
        """x/2 * (1 + erf(x / sqrt(2)))"""
        g = self.graph
        y = g.op("Div", [x[0], self.constant("gelu.root", np.sqrt(2))], "gelu.scaled")
        y = g.op("Add", [g.op("Erf", [y], "gelu.erf"), self.constant("gelu.one", 1)], "gelu.sum")
        y = g.op("Mul", [x[0], y], "gelu.product")
        y = g.op("Mul", [y, self.constant("gelu.half", 0.5)], "gelu")
        return self.close(y, limits=(-0.17, DEVIATIONS))

    def add_and_norm(self, a, b, name, deviation):
        g = self.graph
        y = self.close(g.op("Add", [a[0], b[0]], name + ".add"), deviation)
        scale = g.const(name + ".scale_", self.rng.normal(1, 0.05, HIDDEN).astype(np.float32))
        shift = g.const(name + ".shift", self.rng.normal(0, 0.05, HIDDEN).astype(np.float32))
        self.parameters += 2 * HIDDEN
        y = g.op("LayerNormalization", [y[0], scale, shift], name, axis=-1, epsilon=1e-12)
        return self.close(y, 1)


def attention(net, x):
    gain = np.sqrt(SHARPNESS)
    q = net.linear(x, "query", HIDDEN, HIDDEN, gain, gain)
    k = net.linear(x, "key", HIDDEN, HIDDEN, gain, gain)
    v = net.linear(x, "value", HIDDEN, HIDDEN, 1, 1)
    q = net.split_heads(q, "query", [0, 2, 1, 3])
    k = net.split_heads(k, "key", [0, 2, 3, 1])
    v = net.split_heads(v, "value", [0, 2, 1, 3])
    scores = net.product(q, k, "scores", SHARPNESS * np.sqrt(HEAD))
    y = net.merge_heads(net.product(net.softmax(scores), v, "context", 0.65), "context")
    return net.linear(y, "attention", HIDDEN, HIDDEN, 1, 0.65)


def bert(rng, quantized):
    net = Encoder(rng, quantized)
    x = net.input("hidden")
    x = net.add_and_norm(attention(net, x), x, "norm1", 1.2)
    y = net.linear(x, "expand", HIDDEN, FEED_FORWARD, 1, 1)
    y = net.linear(net.gelu(y), "contract", FEED_FORWARD, HIDDEN, 1, 0.65)
    net.add_and_norm(y, x, "norm2", 1.2)
    net.graph.output("output", [1, SEQUENCE, HIDDEN])
    return net

# SPDX-License-Identifier: Apache-2.0
"""Builds an image network with random weights, as float or as int8 QDQ ONNX, from one description.

One random image goes through the network while it is built, in float numpy. What it meets sets the
batch norms' statistics, so that activations neither grow nor fade with depth, and the int8 ranges.
Both forms draw the same weights and see the same image.
"""
from math import prod

import numpy as np

import qdq

EPSILON = 1e-5          # of batch norms


class Value:
    """A tensor of batch 1: its name, what the image makes of it, (c,h,w) or (c), and int8 edge."""

    def __init__(self, name, sample, edge):
        self.name, self.sample, self.edge = name, sample, edge
        self.shape = sample.shape


def padded(x, pad, fill=0):
    return np.pad(x, ((0, 0), (pad, pad), (pad, pad)), constant_values=fill)


def taps(x, kernel, stride, pad, fill=0):
    """Yields (ky, kx, what that tap of the kernel meets, (c,oh,ow)); x is (c,h,w)."""
    oh, ow = ((n + 2 * pad - kernel) // stride + 1 for n in x.shape[1:])
    x = padded(x, pad, fill)
    for i in range(kernel):
        for j in range(kernel):
            yield i, j, x[:, i:i + stride * oh:stride, j:j + stride * ow:stride]


def convolve(x, weight, stride, depthwise):
    """x (c,h,w), weight (cout, c or 1, k, k), padded by k // 2."""
    kernel, y = weight.shape[2], 0
    for i, j, tap in taps(x, kernel, stride, kernel // 2):
        if depthwise:
            y = y + weight[:, 0, i, j, None, None] * tap
        else:
            flat = np.ascontiguousarray(weight[:, :, i, j]) @ tap.reshape(len(x), -1)
            y = y + flat.reshape(-1, *tap.shape[1:])
    return y


class Network:
    """Adds layers to a graph; each method takes and returns a Value."""

    def __init__(self, name, rng, quantized, opset=13):
        self.graph, self.rng, self.quantized = qdq.Graph(name, opset), rng, quantized
        self.macs = self.parameters = 0

    def input(self, name, shape):
        """The image is normal with mean 0 and variance 1, as normalized pixels are."""
        self.graph.input(name, [1, *shape])
        return self._value(name, self.rng.standard_normal(shape, dtype=np.float32))

    def output(self, name, value):
        """Names the value, which must be the last one made."""
        self.graph.output(name, [1, *value.shape])

    def conv(self, x, name, channels, kernel, stride=1, group=1, norm=True, act="Relu"):
        """kernel x kernel, padded by kernel // 2; group is 1, or x's channels for a depthwise one.
        With `norm` a batch norm follows, folded into weight and bias in the int8 form."""
        weight = self.he_weight((channels, len(x.sample) // group, kernel, kernel))
        sample = convolve(x.sample, weight, stride, group > 1)
        self.macs += weight.size * prod(sample.shape[1:])
        options = dict(kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[kernel // 2] * 4,
                       group=group)
        if norm:
            return self._normalized(x, name, weight, sample, options, act)
        centre = sample.mean(axis=(1, 2))
        return self._biased("Conv", x, name, weight, sample, centre, options, act)

    def dense(self, x, name, channels, act="Relu"):
        weight = self.he_weight((channels, len(x.sample)))
        sample = weight @ x.sample
        self.macs += weight.size
        return self._biased("Gemm", x, name, weight, sample, sample.mean(), dict(transB=1), act)

    def add(self, a, b, name, act="Relu"):
        y = self.graph.op("Add", [a.name, b.name], name)
        return self._activated(y, a.sample + b.sample, act)

    def max_pool(self, x, name, kernel, stride, pad=0):
        y = self.graph.op("MaxPool", [x.name], name, kernel_shape=[kernel] * 2,
                          strides=[stride] * 2, pads=[pad] * 4)
        sample = np.maximum.reduce([t for _, _, t in taps(x.sample, kernel, stride, pad, -np.inf)])
        return self._value(y, sample, x.edge)

    def average(self, x, name):
        """Batch norm makes this image's averages nearly equal; others' need more room."""
        y = self.graph.op("GlobalAveragePool", [x.name], name)
        sample = x.sample.mean(axis=(1, 2), keepdims=True)
        return self._value(y, sample, qdq.Edge.of_range(0, 2 * sample.max()))

    def flatten(self, x, name):
        y = self.graph.op("Flatten", [x.name], name, axis=1)
        return self._value(y, x.sample.reshape(-1), x.edge)

    def he_weight(self, shape):
        """Keeps the variance through a layer and its Relu; shape is (outputs, inputs, ...)."""
        self.parameters += prod(shape)
        weight = self.rng.standard_normal(shape, dtype=np.float32)
        weight *= np.sqrt(np.float32(2 / prod(shape[1:])))
        return weight

    def _normalized(self, x, name, weight, sample, options, act):
        """Conv and BatchNormalization, or the Conv that does both."""
        channels = len(sample)
        mean, variance = sample.mean(axis=(1, 2)), sample.var(axis=(1, 2))
        gamma = self.rng.normal(1, 0.1, channels).astype(np.float32)
        beta = self.rng.normal(0, 0.1, channels).astype(np.float32)
        self.parameters += 2 * channels
        factor = gamma / np.sqrt(variance + np.float32(EPSILON))
        shift = beta - mean * factor
        if self.quantized:
            y = self.graph.affine("Conv", x.name, x.edge, name,
                                  weight * factor[:, None, None, None], shift, **options)
        else:
            y = self.graph.op("Conv", [x.name, self.graph.const(name + ".weight", weight)], name,
                              **options)
            table = [("scale", gamma), ("shift", beta), ("mean", mean), ("variance", variance)]
            inputs = [self.graph.const("%s.norm.%s" % (name, part), v) for part, v in table]
            y = self.graph.op("BatchNormalization", [y] + inputs, name + ".norm", epsilon=EPSILON)
        return self._activated(y, sample * factor[:, None, None] + shift[:, None, None], act)

    def _biased(self, kind, x, name, weight, sample, centre, options, act):
        """A layer scaled to an output of deviation 1, whose bias takes `centre` away, nearly."""
        factor = 1 / sample.std()
        bias = self.rng.normal(0, 0.1, len(sample)).astype(np.float32) - centre * factor
        weight *= factor
        self.parameters += len(bias)
        if self.quantized:
            y = self.graph.affine(kind, x.name, x.edge, name, weight, bias, **options)
        else:
            inputs = [x.name, self.graph.const(name + ".weight", weight),
                      self.graph.const(name + ".bias", bias)]
            y = self.graph.op(kind, inputs, name, **options)
        shape = [-1] + [1] * (sample.ndim - 1)
        return self._activated(y, sample * factor + bias.reshape(shape), act)

    def _activated(self, y, sample, act):
        """act is None, "Relu" or "Clip", which is Relu6."""
        if act is None:
            return self._value(y, sample)
        inputs = [y]
        if act == "Clip":
            inputs += [self.graph.const("%s.%s" % (y, part), np.array(value, np.float32))
                       for part, value in (("low", 0), ("high", 6))]
        y = self.graph.op(act, inputs, "%s.%s" % (y, "relu6" if act == "Clip" else "relu"))
        return self._value(y, np.clip(sample, 0, 6 if act == "Clip" else None))

    def _value(self, name, sample, edge=None):
        """A finished tensor; in the int8 form, what follows reads it through a Q/DQ pair. Where
        the image's extremes don't set its edge, `edge` does: a layer that only moves or chooses
        among its input's elements keeps their edge."""
        if self.quantized:
            edge = edge or qdq.Edge.of_range(sample.min(), sample.max())
            name = self.graph.edge(name, edge)
        return Value(name, sample, edge)

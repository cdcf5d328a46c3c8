# SPDX-License-Identifier: Apache-2.0
"""One of each layer that is awkward to map, behind each other: no network that anyone trained.

Weights are normal with a variance of one over the terms of a sum, so that every activation has about
the deviation of the input; all int8 edges are [-4, 4].
"""
from math import prod

import numpy as np

import qdq

EDGE = qdq.Edge.of_range(-4, 4)


class Value:
    def __init__(self, name, shape):
        self.name, self.shape = name, shape


class Network:
    """Adds layers to a graph; each method takes and returns a Value."""

    def __init__(self, rng, quantized, batch):
        self.graph = qdq.Graph("awkward%d" % batch, 17)
        self.rng, self.quantized, self.batch = rng, quantized, batch
        self.macs = self.parameters = 0

    def input(self, name, shape):
        self.graph.input(name, [self.batch] + shape)
        return self.edge(name, shape)

    def output(self, x, name):
        y = self.graph.op("Identity", [x.name], name)
        self.graph.output(y, [self.batch] + x.shape)

    def edge(self, y, shape):
        return Value(self.graph.edge(y, EDGE) if self.quantized else y, shape)

    def op(self, kind, inputs, name, shape, **options):
        return self.edge(self.graph.op(kind, inputs, name, **options), shape)

    def affine(self, kind, x, name, weights, terms, shape, axis=0, **options):
        """weights: their shape, output channels along `axis`."""
        w = self.rng.standard_normal(weights, dtype=np.float32) / np.float32(np.sqrt(terms))
        bias = self.rng.normal(0, 0.1, shape[0]).astype(np.float32)
        self.parameters += w.size + bias.size
        self.macs += round(terms * prod(shape)) * self.batch
        if self.quantized:
            y = self.graph.affine(kind, x.name, EDGE, name, w, bias, axis, **options)
        else:
            y = self.graph.op(kind, [x.name, self.graph.const(name + ".weight", w),
                                     self.graph.const(name + ".bias", bias)], name, **options)
        return self.edge(y, shape)

    def conv(self, x, name, channels, kernel, stride=1, group=1, dilation=1, pads=None):
        """pads: at every side, or a list, or None: what keeps the size of a stride of 1."""
        rank, inner = len(x.shape) - 1, x.shape[0] // group
        reach = (kernel - 1) * dilation
        pads = [reach // 2] * (2 * rank) if pads is None else pads
        places = [(n + pads[k] + pads[rank + k] - reach - 1) // stride + 1
                  for k, n in enumerate(x.shape[1:])]
        return self.affine("Conv", x, name, [channels, inner] + [kernel] * rank,
                           inner * kernel ** rank, [channels] + places,
                           kernel_shape=[kernel] * rank, strides=[stride] * rank, pads=pads,
                           dilations=[dilation] * rank, group=group)

    def transposed(self, x, name, channels, kernel, pad, extra=0):
        """Of stride 2."""
        places = [2 * (n - 1) + kernel - 2 * pad + extra for n in x.shape[1:]]
        return self.affine("ConvTranspose", x, name, [x.shape[0], channels, kernel, kernel],
                           x.shape[0] * kernel ** 2 / 4, [channels] + places, 1,
                           kernel_shape=[kernel] * 2, strides=[2, 2], pads=[pad] * 4,
                           output_padding=[extra] * 2)

    def dense(self, x, name, channels):
        return self.affine("Gemm", x, name, [channels, x.shape[0]], x.shape[0], [channels],
                           transB=1)


def up(net):
    """Maps that grow: from 64x14x14 to 64x56x56."""
    y = net.conv(net.input("map", [64, 14, 14]), "narrow", 64, 1)
    y = net.transposed(y, "transposed2x2", 64, 2, 0)
    y = net.transposed(y, "transposed3x3", 64, 3, 1, 1)
    y = net.conv(y, "strided1x1", 64, 1, stride=2)
    y = net.transposed(y, "transposed4x4", 64, 4, 1)
    small = net.conv(y, "down3x3", 64, 3, stride=2, pads=[0, 0, 1, 1])
    scales = net.graph.const("twice", np.array([1, 1, 2, 2], np.float32))
    large = net.op("Resize", [small.name, "", scales], "resize", [64, 56, 56], mode="nearest",
                   nearest_mode="floor", coordinate_transformation_mode="asymmetric")
    y = net.op("Concat", [y.name, large.name], "concat64", [128, 56, 56], axis=1)
    return net.conv(y, "merge", 24, 1)


def across(net, y):
    """Maps that keep their size, 56x56."""
    other = net.conv(y, "other", 40, 3)
    y = net.op("Concat", [y.name, other.name], "concat24", [64, 56, 56], axis=1)
    y = net.conv(y, "dilated3x3", 64, 3, dilation=2)
    y = net.conv(y, "grouped2", 64, 3, group=2)
    y = net.conv(y, "grouped16", 64, 3, group=16)
    y = net.conv(y, "depthwise5x5", 64, 5, group=64)
    y = net.conv(y, "multiplier2", 128, 3, group=64)
    slopes = net.graph.const("slopes", net.rng.uniform(0, 0.5, (128, 1, 1)).astype(np.float32))
    y = net.op("PRelu", [y.name, slopes], "prelu", y.shape)
    y = net.conv(y, "fewer", 64, 1)
    y = net.op("HardSwish", [y.name], "hardswish", y.shape)
    y = net.op("AveragePool", [y.name], "mean3x3", y.shape, kernel_shape=[3, 3], pads=[1] * 4)
    return net.op("AveragePool", [y.name], "counted3x3", [64, 28, 28], kernel_shape=[3, 3],
                  strides=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1)


def head(net, y):
    y = net.op("GlobalAveragePool", [y.name], "pool", [64, 1, 1])
    y = net.op("Flatten", [y.name], "flatten", [64], axis=1)
    y = net.dense(y, "dense1", 1024)
    return net.dense(y, "dense2", 1024)


def awkward(rng, quantized, batch=1):
    net = Network(rng, quantized, batch)
    net.output(net.conv(net.input("image", [3, 112, 112]), "first3x3", 32, 3, stride=2), "features")
    net.output(head(net, across(net, up(net))), "scores")
    y = net.conv(net.input("signal", [64, 1024]), "conv1d9", 64, 9)
    net.output(net.conv(y, "conv1d3", 64, 3, stride=2), "sounds")
    return net


def awkward2(rng, quantized):
    return awkward(rng, quantized, 2)

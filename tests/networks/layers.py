# SPDX-License-Identifier: Apache-2.0
"""What a layer of a random network is: its shape, and its ONNX nodes.

A network is plain data, so that it can be shrunk and kept as JSON:

  inputs  [{name, shape, edge, form}]      form: "float", quantized by a node, or "quantized"
  layers  [{name, op, in, edge, ...}]      `in` names inputs or earlier layers; the rest is the op's
  floats  whether outputs are dequantized
  shared  whether all readers of a value share one DequantizeLinear
  pinned  layers that are outputs though others read them

An edge is {dtype, scale, zero}: real = scale * (q - zero). Every layer ends in one, so its
result is an int8 or uint8 tensor. OPS has one row an op: shape(layer, shapes of its inputs), which
raises Invalid, and emit(graph, layer), which adds nodes and returns the quantized result's name.
"""
from math import prod

import numpy as np

DTYPES = {"i8": np.dtype(np.int8), "u8": np.dtype(np.uint8)}


class Invalid(Exception):
    """The network does not exist: a shape comes out empty, a group does not divide."""


def need(condition, why):
    if not condition:
        raise Invalid(why)


def shapes(net):
    """The shape of each input and layer, by name."""
    known = {x["name"]: list(x["shape"]) for x in net["inputs"]}
    need(all(min(s) > 0 for s in known.values()), "an empty input")
    for layer in net["layers"]:
        need(all(v in known for v in layer["in"]), "a layer reads what is not there")
        known[layer["name"]] = OPS[layer["op"]][0](layer, [known[v] for v in layer["in"]])
        need(min(known[layer["name"]]) > 0, "an empty result")
    return known


def edges(net):
    return {x["name"]: x["edge"] for x in net["inputs"] + net["layers"]}


def outputs(net):
    """Names of the layers whose results are the network's."""
    read = {v for layer in net["layers"] for v in layer["in"]}
    names = [layer["name"] for layer in net["layers"]]
    return [n for n in names if n not in read or n in net["pinned"]]


# --- windows -----------------------------------------------------------------------------------

def windows(layer, x):
    """The spatial dims that kernel, strides, pads and dilations make of x's."""
    dims, rank = [], len(x) - 2
    need(rank == len(layer["kernel"]), "a kernel of another rank")
    for i in range(rank):
        span = (layer["kernel"][i] - 1) * layer["dilations"][i] + 1
        room = x[2 + i] + layer["pads"][i] + layer["pads"][rank + i] - span
        need(room >= 0, "a window larger than its map")
        need(layer["op"] == "conv" or max(layer["pads"][i], layer["pads"][rank + i])
             < layer["kernel"][i], "a pool that pads a whole window")
        dims.append(room // layer["strides"][i] + 1)
        if layer.get("ceil") and room % layer["strides"][i]:
            # ONNX Runtime's shape inference and its kernel disagree about such a window
            need(dims[-1] * layer["strides"][i] < x[2 + i] + layer["pads"][i],
                 "a window that starts in the padding behind the map")
            dims[-1] += 1
    return dims


def window_attributes(layer):
    names = {"kernel_shape": "kernel", "strides": "strides", "pads": "pads",
             "dilations": "dilations"}
    return {name: layer[key] for name, key in names.items()}


# --- convolutions and products -----------------------------------------------------------------

def conv_shape(layer, x):
    need(x[0][1] % layer["group"] == 0 and layer["out"] % layer["group"] == 0,
         "a group that does not divide")
    return [x[0][0], layer["out"]] + windows(layer, x[0])


def emit_conv(g, layer):
    shape = [layer["out"], g.shape(layer["in"][0])[1] // layer["group"]] + layer["kernel"]
    options = dict(window_attributes(layer), group=layer["group"])
    w = g.weights(layer, shape, 0)
    if layer["form"] == "qlinear":
        return g.quantized("QLinearConv", layer, w, **options)
    return g.affine("Conv", layer, w, **options)


def transposed_shape(layer, x):
    need(x[0][1] % layer["group"] == 0 and layer["out"] % layer["group"] == 0,
         "a group that does not divide")
    rank = len(x[0]) - 2
    need(rank == len(layer["kernel"]), "a kernel of another rank")
    dims = []
    for i in range(rank):
        span = (layer["kernel"][i] - 1) * layer["dilations"][i] + 1
        extra, stride = layer["extra"][i], layer["strides"][i]
        need(extra < max(stride, layer["dilations"][i]), "an output padding of a whole step")
        dims.append((x[0][2 + i] - 1) * stride + extra + span - layer["pads"][i] -
                    layer["pads"][rank + i])
        need(dims[-1] > 0, "pads that leave nothing")
    return [x[0][0], layer["out"]] + dims


def emit_transposed(g, layer):
    group = layer["group"]
    shape = [g.shape(layer["in"][0])[1], layer["out"] // group] + layer["kernel"]
    names, scale, axis = g.weights(layer, shape, 1)
    w = names, np.tile(scale, group) if scale.ndim else scale, axis
    return g.affine("ConvTranspose", layer, w, group=group, output_padding=layer["extra"],
                    **window_attributes(layer))


def dense_shape(layer, x):
    need(layer["kind"] == "matmul" or len(x[0]) == 2, "a Gemm of more than two dims")
    return x[0][:-1] + [layer["out"]]


def emit_dense(g, layer):
    inner, out = g.shape(layer["in"][0])[-1], layer["out"]
    if layer["kind"] == "matmul":
        w = g.weights(layer, [inner, out], 1)
        if layer["form"] == "qlinear":
            return g.quantized("QLinearMatMul", layer, w)
        return g.affine("MatMul", layer, w)
    rows = layer["transposed"]
    w = g.weights(layer, [out, inner] if rows else [inner, out], 0 if rows else 1)
    return g.affine("Gemm", layer, w, transB=int(rows), alpha=layer["alpha"])


# --- the rest ----------------------------------------------------------------------------------

def binary_shape(layer, x):
    need(len(x[0]) == len(x[1]), "operands of two ranks")
    need(all(a == b or 1 in (a, b) for a, b in zip(*x)), "operands that do not broadcast")
    return [max(a, b) for a, b in zip(*x)]


def emit_binary(g, layer):
    if layer["form"] == "qlinear":
        return g.scaled("QLinearAdd", layer)
    y = g.node(layer["kind"], [g.real(v) for v in layer["in"]])
    return g.close(g.activation(y, layer["act"]), layer)


def constant_shape(layer, x):
    """One operand is a constant: one number, or one a channel."""
    need(len(x[0]) > 1, "no channels")
    return list(x[0])


def emit_constant(g, layer):
    x = layer["in"][0]
    dims = [1] * len(g.shape(x))
    if layer["channels"]:
        dims[1] = g.shape(x)[1]
    operands = [g.real(x), g.constant(layer, dims)]
    return g.close(g.node(layer["kind"], operands[::-1] if layer["swapped"] else operands), layer)


def pool_shape(layer, x):
    need(layer["kind"] == "MaxPool" or set(layer["dilations"]) == {1}, "a dilated mean")
    return x[0][:2] + windows(layer, x[0])


def emit_pool(g, layer):
    options = window_attributes(layer)
    if layer["kind"] == "AveragePool":
        del options["dilations"]
        options["count_include_pad"] = layer["include_pad"]
    elif layer["ceil"]:
        options["ceil_mode"] = 1
    return g.close(g.node(layer["kind"], [g.real(layer["in"][0])], **options), layer)


def mean_shape(_, x):
    need(len(x[0]) == 4, "a mean over what is no map")
    return x[0][:2] + [1, 1]


def emit_mean(g, layer):
    if layer["form"] == "qlinear":
        return g.scaled("QLinearGlobalAveragePool", layer, channels_last=0)
    options = {"axes": [2, 3]} if layer["kind"] == "ReduceMean" else {}
    return g.close(g.node(layer["kind"], [g.real(layer["in"][0])], **options), layer)


def emit_unary(g, layer):
    return g.close(g.activation(g.real(layer["in"][0]), layer["act"]), layer)


def concat_shape(layer, x):
    need(layer["axis"] < len(x[0]), "an axis that is not there")
    parts = [s[:layer["axis"]] + s[layer["axis"] + 1:] for s in x]
    need(all(p == parts[0] for p in parts), "parts that do not fit")
    y = list(x[0])
    y[layer["axis"]] = sum(s[layer["axis"]] for s in x)
    return y


def emit_concat(g, layer):
    y = g.node("Concat", [g.real(v) for v in layer["in"]], axis=layer["axis"])
    return g.close(y, layer)


def move_shape(layer, x):
    """Flatten: [N, rest]; Reshape: [N, C, all the others], or [N, C, W, 1] of [N, C, W]; Pad and
    Slice: `before` and `behind` elements more or less along each axis."""
    x = x[0]
    if layer["kind"] == "Flatten":
        return [x[0], prod(x[1:])]
    if layer["kind"] == "Reshape":
        need(len(x) > 2, "a reshape of a matrix")
        return x[:2] + ([prod(x[2:])] if len(x) == 4 else [x[2], 1])
    if layer["kind"] == "Transpose":
        need(len(layer["perm"]) == len(x), "a permutation of another rank")
        return [x[k] for k in layer["perm"]]
    need(len(layer["before"]) == len(x), "a list of another length")
    edges = [a + b for a, b in zip(layer["before"], layer["behind"])]
    return [n + (e if layer["kind"] == "Pad" else -e) for n, e in zip(x, edges)]


def emit_move(g, layer):
    x = g.real(layer["in"][0])
    if layer["kind"] == "Flatten":
        y = g.node("Flatten", [x])
    elif layer["kind"] == "Reshape":
        y = g.node("Reshape", [x, g.list(layer, "shape", g.shape(layer["name"]))])
    elif layer["kind"] == "Transpose":
        y = g.node("Transpose", [x], perm=layer["perm"])
    elif layer["kind"] == "Pad":
        y = g.node("Pad", [x, g.list(layer, "pads", layer["before"] + layer["behind"])])
    else:
        ends = [n - b for n, b in zip(g.shape(layer["in"][0]), layer["behind"])]
        y = g.node("Slice", [x, g.list(layer, "starts", layer["before"]),
                             g.list(layer, "ends", ends)])
    return g.close(y, layer)


def resize_shape(layer, x):
    need(len(x[0]) == 2 + len(layer["times"]), "a scale of another rank")
    return x[0][:2] + [n * t for n, t in zip(x[0][2:], layer["times"])]


def emit_resize(g, layer):
    scales = g.const(layer["name"] + ".scales", np.array([1, 1] + layer["times"], np.float32))
    rounds = "floor" if layer["corner"] else "round_prefer_floor"
    y = g.node("Resize", [g.real(layer["in"][0]), "", scales], mode="nearest", nearest_mode=rounds,
               coordinate_transformation_mode="asymmetric" if layer["corner"] else "half_pixel")
    return g.close(y, layer)


def shuffle_shape(layer, x):
    n = layer["block"]
    need(len(x[0]) == 4 and x[0][1] % (n * n) == 0, "blocks that do not divide the channels")
    return [x[0][0], x[0][1] // (n * n), x[0][2] * n, x[0][3] * n]


def emit_shuffle(g, layer):
    return g.close(g.node("DepthToSpace", [g.real(layer["in"][0])], blocksize=layer["block"],
                          mode=layer["mode"]), layer)


def prelu_shape(_, x):
    need(len(x[0]) > 1, "no channels")
    return list(x[0])


def emit_prelu(g, layer):
    x = layer["in"][0]
    shape = g.shape(x)
    slopes = g.slopes(layer, [shape[1]] + [1] * (len(shape) - 2))
    return g.close(g.node("PRelu", [g.real(x), slopes]), layer)


def emit_softmax(g, layer):
    return g.close(g.node("Softmax", [g.real(layer["in"][0])], axis=-1), layer)


def same_shape(_, x):
    return list(x[0])


OPS = {
    "conv": (conv_shape, emit_conv),
    "transposed": (transposed_shape, emit_transposed),
    "dense": (dense_shape, emit_dense),
    "binary": (binary_shape, emit_binary),
    "constant": (constant_shape, emit_constant),
    "pool": (pool_shape, emit_pool),
    "mean": (mean_shape, emit_mean),
    "unary": (same_shape, emit_unary),
    "concat": (concat_shape, emit_concat),
    "move": (move_shape, emit_move),
    "resize": (resize_shape, emit_resize),
    "shuffle": (shuffle_shape, emit_shuffle),
    "prelu": (prelu_shape, emit_prelu),
    "softmax": (same_shape, emit_softmax),
}

# SPDX-License-Identifier: Apache-2.0
"""Networks of layers.py as ONNX models, in three forms.

  plain   what a user would have: outputs are the last layers' results
  probed  the same nodes; every layer's quantized result is an output too
  cut     every layer reads graph inputs, and NAME.out is its result: each layer alone, in one model
"""
import os
import random
import sys

import numpy as np
from onnx import TensorProto, checker, helper

import layers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models"))
import qdq  # noqa: E402

OPSET = 17
FORMS = ("plain", "probed", "cut")
ONNX_TYPES = {"f32": TensorProto.FLOAT, "i8": TensorProto.INT8, "u8": TensorProto.UINT8}
BIAS_LIMIT = 1 << 30


def bytes_of(salt, count):
    """`count` int8 numbers, the same on every machine."""
    return np.frombuffer(random.Random(salt).randbytes(count), np.int8)


def weight_values(layer, shape, axis):
    """int8 weights before their zero point is added. `limit` bounds their magnitude."""
    style, limit = layer["weights"]["style"], layer["weights"]["limit"]
    w = bytes_of(layer["salt"] + ".w", int(np.prod(shape))).reshape(shape).astype(np.int64)
    w = w % (2 * limit + 1) - limit if limit < 128 else w
    if style == "zero":
        w = w * 0
    elif style == "extreme":
        w = np.where(w < 0, -limit, min(limit, 127))
    elif style == "zero channel":
        w = np.moveaxis(w.copy(), axis, 0)
        w[0] = 0
        w = np.moveaxis(w, 0, axis)
    return np.clip(w, -128, 127)


def weight_scales(layer, channels):
    """float32, one or one a channel."""
    w = layer["weights"]
    if w["spread"] == "tensor":
        return np.float32(w["scale"])
    scale = np.full(channels, w["scale"])
    octaves = bytes_of(layer["salt"] + ".s", channels) / (64 if w["spread"] == "even" else 16)
    scale *= 2.0 ** (np.rint(octaves) if w["octaves"] else octaves)
    if w["spread"] == "tiny channel":
        scale[-1] *= 2.0 ** -20
    return scale.astype(np.float32)


def bias_values(layer, unit, step, channels):
    """int32 in units of the sum, `reach` steps of the result at most."""
    share = bytes_of(layer["salt"] + ".b", channels) / 128
    values = np.rint(share * layer["bias"]["reach"] * step / np.float64(unit))
    return np.clip(values, -BIAS_LIMIT, BIAS_LIMIT).astype(np.int32)


class Graph(qdq.Graph):
    def __init__(self, net, form):
        super().__init__("seed%d" % net["seed"], OPSET)
        self.net, self.cut = net, form == "cut"
        self.shapes, self.edges = layers.shapes(net), layers.edges(net)
        self.layer, self.count, self.dequantized = None, 0, {}
        self.made = set()

    def shape(self, value):
        return self.shapes[value]

    def const(self, name, value):
        if name not in self.made:
            self.made.add(name)
            super().const(name, value)
        return name

    def node(self, kind, inputs, name=None, **attributes):
        """A node of the layer; one that ends it is named by its result."""
        self.count += 1
        return self.op(kind, inputs, name or "%s.%d" % (self.layer, self.count), **attributes)

    def port(self, ports, name, dtype, shape):
        ports.append(helper.make_tensor_value_info(name, ONNX_TYPES[dtype], shape))

    # --- edges ---

    def parameters(self, value):
        """Names of an edge's scale and zero point."""
        edge = self.edges[value]
        zero = np.array(edge["zero"], layers.DTYPES[edge["dtype"]])
        return [self.const(value + ".scale", np.array(edge["scale"], np.float32)),
                self.const(value + ".zero", zero)]

    def result(self, value):
        return value + ".out" if self.cut else value

    def real(self, value):
        """The dequantized form: one for all, or one for each reader."""
        if value in self.dequantized and self.net["shared"]:
            return self.dequantized[value]
        name = value + ".real"
        if not self.net["shared"]:
            self.count += 1
            name += ".%s.%d" % (self.layer, self.count)
        self.dequantized[value] = name
        return self.op("DequantizeLinear", [value] + self.parameters(value), name)

    def close(self, y, layer):
        name = layer["name"]
        return self.node("QuantizeLinear", [y] + self.parameters(name), self.result(name))

    # --- layers ---

    def list(self, layer, what, numbers):
        return self.const("%s.%s" % (layer["name"], what), np.array(numbers, np.int64))

    def constant(self, layer, dims):
        """A constant operand, quantized with its own edge."""
        edge, name = layer["constant"], layer["name"] + ".k"
        dtype = layers.DTYPES[edge["dtype"]]
        values = bytes_of(layer["salt"] + ".k", int(np.prod(dims))).view(dtype).reshape(dims)
        return self.node("DequantizeLinear", [
            self.const(name, values), self.const(name + ".scale", np.float32(edge["scale"])),
            self.const(name + ".zero", np.array(edge["zero"], dtype))])

    def slopes(self, layer, dims):
        """A float constant in [-2, 2)."""
        values = bytes_of(layer["salt"] + ".slopes", int(np.prod(dims))).reshape(dims)
        return self.const(layer["name"] + ".slopes", values.astype(np.float32) / 64)

    def activation(self, y, act):
        if not act:
            return y
        if act["kind"] == "Clip":
            limits = [self.const("%s.%s" % (self.layer, k), np.array(act[k], np.float32))
                      for k in ("lo", "hi")]
            return self.node("Clip", [y] + limits)
        options = {k: v for k, v in act.items() if k != "kind"}
        return self.node(act["kind"], [y], **options)

    def weights(self, layer, shape, axis):
        """(names of weights, scale, zero point; scales; channel axis)"""
        w, name = layer["weights"], layer["name"]
        dtype = layers.DTYPES[w["dtype"]]
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        values = np.clip(weight_values(layer, shape, axis) + w["zero"], low, high).astype(dtype)
        scale = weight_scales(layer, shape[axis])
        zero = np.full(scale.shape, w["zero"], dtype)
        names = [self.const(name + ".w", values), self.const(name + ".w.scale", scale),
                 self.const(name + ".w.zero", zero)]
        return names, scale, axis

    def bias_of(self, layer, scale):
        unit = np.float32(self.edges[layer["in"][0]]["scale"]) * scale
        values = bias_values(layer, unit, layer["edge"]["scale"], layer["out"])
        return values, np.broadcast_to(unit, values.shape).astype(np.float32)

    def bias_real(self, layer, scale):
        name = layer["name"] + ".b"
        values, unit = self.bias_of(layer, scale)
        if layer["bias"]["form"] == "f32":
            share = bytes_of(layer["salt"] + ".f", layer["out"]) / np.float32(256)
            return self.const(name, ((values + share) * unit).astype(np.float32))
        inputs = [self.const(name + ".q", values), self.const(name + ".scale", unit),
                  self.const(name + ".zero", np.zeros(unit.shape, np.int32))]
        return self.node("DequantizeLinear", inputs, name, axis=0)

    def affine(self, kind, layer, weights, **options):
        """QDQ form: x and weights dequantized, product, bias, activation, quantized."""
        names, scale, axis = weights
        w = self.node("DequantizeLinear", names, axis=axis)
        inputs = [self.real(layer["in"][0]), w]
        apart = kind == "MatMul"
        if layer["bias"] and not apart:
            inputs.append(self.bias_real(layer, scale))
        y = self.node(kind, inputs, **options)
        if layer["bias"] and apart:
            y = self.node("Add", [y, self.bias_real(layer, scale)])
        return self.close(self.activation(y, layer["act"]), layer)

    def quantized(self, kind, layer, weights, **options):
        """QOperator form of Conv and MatMul."""
        x, names = layer["in"][0], weights[0]
        inputs = [x] + self.parameters(x) + names + self.parameters(layer["name"])
        if layer["bias"]:
            values = self.bias_of(layer, weights[1])[0]
            inputs.append(self.const(layer["name"] + ".b", values))
        return self.node(kind, inputs, self.result(layer["name"]), **options)

    def scaled(self, kind, layer, **options):
        """QOperator form of ONNX Runtime's own ops: every operand with scale and zero point."""
        inputs = []
        for value in layer["in"]:
            inputs += [value] + self.parameters(value)
        inputs += self.parameters(layer["name"])
        return self.node(kind, inputs, self.result(layer["name"]), domain="com.microsoft",
                         **options)

    # --- the model ---

    def add_inputs(self):
        for x in self.net["inputs"]:
            name, dtype = x["name"], x["edge"]["dtype"]
            if x["form"] == "float":
                self.port(self.inputs, name + ".float", "f32", x["shape"])
                self.op("QuantizeLinear", [name + ".float"] + self.parameters(name),
                        self.result(name))
            if x["form"] != "float" or self.cut:
                self.port(self.inputs, name, dtype, x["shape"])

    def add_output(self, name):
        dtype = self.edges[name]["dtype"]
        if self.net["floats"]:
            y = self.op("DequantizeLinear", [name] + self.parameters(name), name + ".float")
            self.port(self.outputs, y, "f32", self.shapes[name])
        else:
            self.port(self.outputs, name, dtype, self.shapes[name])

    def probe(self):
        for name in probes(self.net):
            dtype = self.edges[name]["dtype"]
            self.port(self.outputs, self.result(name), dtype, self.shapes[name])

    def model(self):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs,
                                  self.initializers)
        domains = {"": self.opset, **{n.domain: 1 for n in self.nodes if n.domain}}
        opsets = [helper.make_opsetid(name, version) for name, version in domains.items()]
        model = helper.make_model(graph, producer_name="tessera", ir_version=qdq.IR_VERSION,
                                  opset_imports=opsets)
        checker.check_model(model)
        return model


def probes(net):
    """Every quantized tensor that a node makes."""
    return ([x["name"] for x in net["inputs"] if x["form"] == "float"] +
            [layer["name"] for layer in net["layers"]])


def model(net, form):
    """The network in one of FORMS. Raises layers.Invalid."""
    g = Graph(net, form)
    g.add_inputs()
    for layer in net["layers"]:
        g.layer, g.count = layer["name"], 0
        layers.OPS[layer["op"]][1](g, layer)
        if g.cut and layer is not net["layers"][-1]:
            g.port(g.inputs, layer["name"], layer["edge"]["dtype"], g.shapes[layer["name"]])
    if form == "plain":
        for name in layers.outputs(net):
            g.add_output(name)
    else:
        g.probe()
    return g.model()


def input_values(net):
    """The arrays to run the network on, by the names of plain's inputs."""
    values = {}
    for x in net["inputs"]:
        edge, count = x["edge"], int(np.prod(x["shape"]))
        raw = bytes_of("%s.%d" % (x["name"], net["seed"]), count).reshape(x["shape"])
        if x["form"] == "float":
            steps = raw.astype(np.float64) * 1.25 + (0.5 if net["seed"] % 2 else 0)
            if net["seed"] % 3 == 0:
                steps = np.floor(steps) + 0.5       # every one a tie
            middle = 128 if edge["dtype"] == "u8" else 0
            real = (steps + middle - edge["zero"]) * edge["scale"]
            values[x["name"] + ".float"] = real.astype(np.float32)
        else:
            values[x["name"]] = raw.view(layers.DTYPES[edge["dtype"]]).copy()
    return values

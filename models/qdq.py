# SPDX-License-Identifier: Apache-2.0
"""Builds ONNX graphs, float or quantized, node by node.

The quantized style is that of ONNX Runtime's static quantizer (QDQ): every operator computes in
float, and every edge between operators carries a QuantizeLinear/DequantizeLinear pair.

  activation  int8, one scale and zero point for the tensor
  weight      int8, symmetric, one scale for each output channel
  bias        int32, zero point 0, scale[c] = activation scale * weight scale[c]
"""
import os

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, shape_inference

QMIN, QMAX = -128, 127
IR_VERSION = 8


class Edge:
    """How a tensor is quantized: real = scale * (q - zero_point)."""

    def __init__(self, scale, zero_point):
        self.scale = np.float32(scale)
        self.zero_point = np.int8(zero_point)

    @staticmethod
    def of_range(low, high):
        """The finest scale whose int8 range holds [low, high] and represents 0 exactly."""
        low, high = min(float(low), 0.0), max(float(high), 0.0)
        scale = np.float32((high - low) / (QMAX - QMIN)) if high > low else np.float32(1)
        return Edge(scale, np.clip(np.rint(QMIN - low / float(scale)), QMIN, QMAX))


def quantize_weight(weight, axis):
    """Returns (int8 values, float32 scale of each channel along `axis`); zero points are 0."""
    other = tuple(d for d in range(weight.ndim) if d != axis)
    peak = np.abs(weight).max(axis=other)
    scale = np.where(peak > 0, peak / QMAX, 1).astype(np.float32)
    shape = [-1 if d == axis else 1 for d in range(weight.ndim)]
    return np.clip(np.rint(weight / scale.reshape(shape)), -QMAX, QMAX).astype(np.int8), scale


def quantize_bias(bias, scale):
    """Returns int32 values; a bias that int32 can't hold at this scale is refused."""
    values = np.rint(bias.astype(np.float64) / scale.astype(np.float64))
    if np.abs(values).max() >= 2**31:
        raise ValueError("a bias of %g does not fit int32 at its scale" % np.abs(bias).max())
    return values.astype(np.int32)


class Graph:
    """An ONNX graph under construction. Each method adds nodes and returns its output's name."""

    def __init__(self, name, opset):
        self.name, self.opset = name, opset
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []

    def input(self, name, shape):
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def output(self, name, shape):
        """Makes the last node's output the graph's, under this name."""
        last = self.nodes[-1]
        last.output[0], last.name = name, "%s.%s" % (name, last.op_type)
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def const(self, name, value):
        self.initializers.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def op(self, kind, inputs, name, **attributes):
        """One node of one output; the node is named after the output."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name="%s.%s" % (name, kind),
                                           **attributes))
        return name

    def edge(self, x, edge):
        """Quantizes x and dequantizes it again."""
        scale = self.const(x + ".scale", np.array(edge.scale))
        zero = self.const(x + ".zero_point", np.array(edge.zero_point))
        q = self.op("QuantizeLinear", [x, scale, zero], x + ".q")
        return self.op("DequantizeLinear", [q, scale, zero], x + ".dq")

    def weight(self, name, value, axis):
        """Returns (the dequantized weight's name, its scales)."""
        q, scale = quantize_weight(value, axis)
        return self._dequantized(name, q, scale, axis), scale

    def bias(self, name, value, scale):
        return self._dequantized(name, quantize_bias(value, scale), scale, 0)

    def _dequantized(self, name, q, scale, axis):
        inputs = [self.const(name + ".q", q), self.const(name + ".scale", scale),
                  self.const(name + ".zero_point", np.zeros(scale.shape, q.dtype))]
        return self.op("DequantizeLinear", inputs, name, axis=axis)

    def affine(self, kind, x, x_edge, name, weight, bias, axis=0, **attributes):
        """A quantized Conv or Gemm: `weight` and `bias` are float arrays, axis 0 the channels."""
        w, scale = self.weight(name + ".weight", weight, axis)
        b = self.bias(name + ".bias", bias, x_edge.scale * scale)
        return self.op(kind, [x, w, b], name, **attributes)

    def model(self):
        """The finished model, checked, with every shape inferred."""
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs,
                                  self.initializers)
        model = helper.make_model(graph, producer_name="tessera", ir_version=IR_VERSION,
                                  opset_imports=[helper.make_opsetid("", self.opset)])
        checker.check_model(model)
        shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        return model


def replace_file(path, write):
    """Calls write(file) on a file beside `path`, and renames it: no reader sees half a file."""
    beside = "%s.%d.tmp" % (path, os.getpid())
    try:
        with open(beside, "wb") as file:
            write(file)
        os.replace(beside, path)
    finally:
        if os.path.exists(beside):
            os.remove(beside)


def save(model, path):
    """Writes the model and returns its size in bytes."""
    data = model.SerializeToString()
    replace_file(path, lambda file: file.write(data))
    return len(data)

# SPDX-License-Identifier: Apache-2.0
"""Runs a quantized (QDQ) image network in numpy, in float64, as ONNX defines its operators.

It is slow and obvious, and knows only the operators that models/digits uses. Its sums carry
float64's rounding: its results differ from exact arithmetic's only where a scaled sum lies within
that rounding of a tie.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from onnx import helper, numpy_helper


def windows(x, kernel, strides, pads, fill):
    """x (n,c,h,w) -> its windows (n,c,oh,ow,kh,kw)."""
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    return sliding_window_view(x, kernel, axis=(2, 3))[:, :, ::strides[0], ::strides[1]]


def conv(x, w, b, strides, pads, kernel_shape, group=1, dilations=(1, 1)):
    assert group == 1 and tuple(dilations) == (1, 1)
    return (np.einsum("ncyxij,ocij->noyx", windows(x, kernel_shape, strides, pads, 0), w,
                      optimize=True) + b[:, None, None])


def max_pool(x, kernel_shape, strides, pads=(0, 0, 0, 0)):
    return windows(x, kernel_shape, strides, pads, -np.inf).max(axis=(4, 5))


def gemm(a, b, c, transB=0):
    return a @ (b.T if transB else b) + c


def quantize(x, scale, zero):
    info = np.iinfo(zero.dtype)
    return np.clip(np.rint(x / scale) + zero, info.min, info.max).astype(zero.dtype)


def dequantize(x, scale, zero, axis=1):
    if scale.ndim == 1:
        shape = [-1 if d == axis else 1 for d in range(x.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return (x.astype(np.float64) - zero) * scale


OPERATORS = {
    "Add": np.add,
    "Conv": conv,
    "DequantizeLinear": dequantize,
    "Flatten": lambda x, axis=1: x.reshape(int(np.prod(x.shape[:axis])), -1),
    "Gemm": gemm,
    "GlobalAveragePool": lambda x: x.mean(axis=(2, 3), keepdims=True),
    "MaxPool": max_pool,
    "QuantizeLinear": quantize,
    "Relu": lambda x: np.maximum(x, 0),
}


def constant(tensor):
    """An initializer's value; float scales are widened without loss, integers stay."""
    value = numpy_helper.to_array(tensor)
    return value.astype(np.float64) if value.dtype == np.float32 else value


def run(model, x):
    """Runs the model on a batch x, whatever batch size the graph states; returns its output."""
    graph = model.graph
    values = {t.name: constant(t) for t in graph.initializer}
    values[graph.input[0].name] = x.astype(np.float64)
    for node in graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        inputs = [values[name] for name in node.input]
        values[node.output[0]] = OPERATORS[node.op_type](*inputs, **attributes)
    return values[graph.output[0].name].astype(np.float32)

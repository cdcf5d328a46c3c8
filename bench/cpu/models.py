# SPDX-License-Identifier: Apache-2.0
"""Cases of bench/run cpu: ops as ONNX models of one node, and networks."""
import collections
import os
import subprocess

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OPSET = 13

# words: what a library of ops is told; NULL for a network. make: writes the model and returns its path.
Case = collections.namedtuple("Case", "group name dtype macs words make")

# The convolutions of ResNet-18 and the depthwise ones of MobileNet, as table 2 of "TVM: An Automated
# End-to-End Optimizing Compiler for Deep Learning" (OSDI 2018) numbers them. All are padded so that the
# result is as large as the input over the stride.
CONVS = (  # rows = columns, channels, filters, kernel, stride
    (224, 3, 64, 7, 2), (56, 64, 64, 3, 1), (56, 64, 64, 1, 1), (56, 64, 128, 3, 2), (56, 64, 128, 1, 2),
    (28, 128, 128, 3, 1), (28, 128, 256, 3, 2), (28, 128, 256, 1, 2), (14, 256, 256, 3, 1),
    (14, 256, 512, 3, 2), (14, 256, 512, 1, 2), (7, 512, 512, 3, 1))
DEPTHWISE = (  # rows = columns, channels, stride; the kernel is 3 x 3
    (112, 32, 1), (112, 64, 2), (56, 128, 1), (56, 128, 2), (28, 256, 1), (28, 256, 2), (14, 512, 1),
    (14, 512, 2), (7, 1024, 1))
MATMULS = ((1024, 1024, 1024), (128, 768, 3072))

ZOO = ("resnet18", "resnet50", "mobilenetv2", "bert")
TRAINED = (("ds-cnn", "mlperf_tiny_dscnn_kws"), ("resnet8", "mlperf_tiny_resnet8"))


def value(name, dtype, shape):
    kind = TensorProto.UINT8 if dtype == "i8" else TensorProto.FLOAT
    return helper.make_tensor_value_info(name, kind, shape)


def save(path, node, inputs, outputs, constants):
    graph = helper.make_graph([node], "op", inputs, outputs, [
        numpy_helper.from_array(array, name) for name, array in constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def weights(shape, dtype):
    rng = np.random.default_rng(1)
    if dtype != "i8":
        return rng.standard_normal(shape, np.float32) / np.float32(np.sqrt(np.prod(shape[1:])))
    return rng.integers(-127, 128, shape, np.int8)


def quantized(terms, filters):
    """The scales that keep a sum of so many products in the range of u8, and the zero points."""
    scale = np.float32(1 / 64)
    step = np.float32(scale * scale * 74 * 74 * np.sqrt(terms) / 32)
    shape = (filters,) if filters else ()
    return (("xs", scale), ("xz", np.uint8(128)), ("ws", np.full(shape, scale, np.float32)),
            ("wz", np.zeros(shape, np.int8)), ("ys", step), ("yz", np.uint8(128)))


def conv_model(path, dtype, shape, kernel, stride, groups):
    rows, channels, filters = shape
    pad, out = kernel // 2, -(-rows // stride)
    w = weights((filters, channels // groups, kernel, kernel), dtype)
    attributes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4, "group": groups}
    ports = ([value("x", dtype, [1, channels, rows, rows])], [value("y", dtype, [1, filters, out, out])])
    if dtype != "i8":
        node = helper.make_node("Conv", ["x", "w", "b"], ["y"], **attributes)
        return save(path, node, *ports, (("w", w), ("b", np.zeros(filters, np.float32))))
    names = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"]
    node = helper.make_node("QLinearConv", names, ["y"], **attributes)
    return save(path, node, *ports, quantized(w[0].size, filters) + (
        ("w", w), ("b", np.zeros(filters, np.int32))))


def matmul_model(path, dtype, m, k, n):
    ports = [value("x", dtype, [m, k])], [value("y", dtype, [m, n])]
    w = weights((k, n), dtype)
    if dtype != "i8":
        return save(path, helper.make_node("MatMul", ["x", "w"], ["y"]), *ports, (("w", w),))
    names = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"]
    node = helper.make_node("QLinearMatMul", names, ["y"])
    return save(path, node, *ports, quantized(k, 0) + (("w", w),))


def conv_case(group, name, dtype, shape, kernel, stride, groups):
    rows, channels, filters = shape
    out = -(-rows // stride)
    macs = out * out * filters * (channels // groups) * kernel * kernel
    words = ["conv", dtype] + [str(v) for v in (channels, rows, rows, filters, kernel, stride, kernel // 2,
                                                groups)]
    return Case(group, name, dtype, macs, words,
                lambda path: conv_model(path, dtype, shape, kernel, stride, groups))


def op_cases(dtype):
    for i, (rows, channels, filters, kernel, stride) in enumerate(CONVS):
        yield conv_case("conv", "C%d" % (i + 1), dtype, (rows, channels, filters), kernel, stride, 1)
    for i, (rows, channels, stride) in enumerate(DEPTHWISE):
        yield conv_case("depthwise", "D%d" % (i + 1), dtype, (rows, channels, channels), 3, stride, channels)
    for m, k, n in MATMULS:
        words = ["matmul", dtype, str(m), str(k), str(n)]
        yield Case("matmul", "%dx%dx%d" % (m, k, n), dtype, m * k * n, words,
                   lambda path, m=m, k=k, n=n: matmul_model(path, dtype, m, k, n))


def unsigned(model):
    """Quantized activations as u8 instead of s8, the same numbers: what x86 multiplies by s8 at once."""
    constants = {c.name: c for c in model.graph.initializer}
    renamed = {}
    for node in model.graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear") or node.input[0] in constants:
            continue
        if len(node.input) < 3:
            continue  # without a zero point it is u8 already
        zero = numpy_helper.to_array(constants[node.input[2]])
        if zero.dtype != np.int8:
            continue
        renamed[node.input[2]] = (zero.astype(np.int16) + 128).astype(np.uint8)
        node.input[2] += ".u8"
    for name, zero in renamed.items():
        model.graph.initializer.append(numpy_helper.from_array(zero, name + ".u8"))
    del model.graph.value_info[:]
    return model


def network_model(path, source, dtype):
    model = onnx.load(source)
    onnx.save(unsigned(model) if dtype == "i8" else model, path)
    return path


def zoo_model(name, dtype):
    form = "float" if dtype == "f32" else "int8"
    path = os.path.join(ROOT, "build", "zoo", "%s.%s.onnx" % (name, form))
    if not os.path.exists(path):
        subprocess.run([os.path.join(ROOT, "bench", "zoo", "zoo.py"), "--form", form, name], check=True,
                       stdout=subprocess.DEVNULL)
    return path


def network_cases(dtype):
    for name in ZOO:
        yield Case("network", name, dtype, 0, None,
                   lambda path, name=name: network_model(path, zoo_model(name, dtype), dtype))
    for name, folder in TRAINED:
        source = os.path.join(ROOT, "..", "shared", "models", folder,
                              "model_f32.onnx" if dtype == "f32" else "model_int8_qdq.onnx")
        if os.path.exists(source):
            yield Case("network", name, dtype, 0, None,
                       lambda path, source=source: network_model(path, source, dtype))


def cases():
    for dtype in ("f32", "i8"):
        yield from op_cases(dtype)
        yield from network_cases(dtype)
    yield from op_cases("bf16")  # models of f32, computed in bf16

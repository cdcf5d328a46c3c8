#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the models of cases/ (python3-onnx). They are kept in the tree; run this after a change here."""
import os

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")


def value(name, shape, dtype=T.FLOAT):
    return h.make_tensor_value_info(name, dtype, shape)


def constant(name, *shape, dtype=np.float32):
    return numpy_helper.from_array(np.ones(shape, dtype), name)


def model(name, nodes, inputs, outputs, constants=(), opset=13):
    graph = h.make_graph(nodes, "refused", inputs, outputs, constants)
    m = h.make_model(graph, producer_name="", opset_imports=[h.make_opsetid("", opset)])
    m.ir_version = 7
    with open(os.path.join(FOLDER, name + ".onnx"), "wb") as f:
        f.write(m.SerializeToString())


def one(name, node, shape, out, constants=(), dtype=T.FLOAT, **more):
    model(name, [node], [value("x", shape, dtype)], [value("y", out)], constants, **more)


def node(op, inputs, name, **attributes):
    return h.make_node(op, inputs, ["y"], name=name, **attributes)


def ops():
    one("op_unknown", node("Frobnicate", ["x"], "frob"), [1, 4], [1, 4])
    one("op_unsupported", node("Det", ["x"], "det"), [1, 4, 4], [1])
    one("op_domain", node("FusedMatMul", ["x", "w"], "fused", domain="com.microsoft"), [1, 4], [1, 4],
        [constant("w", 4, 4)])
    one("op_lstm", node("LSTM", ["x", "w", "r"], "lstm", hidden_size=4), [3, 1, 4], [3, 1, 1, 4],
        [constant("w", 1, 16, 4), constant("r", 1, 16, 4)])
    one("attribute_auto_pad", node("Conv", ["x", "w"], "conv", auto_pad="SAME"), [1, 1, 4, 4],
        [1, 1, 4, 4], [constant("w", 1, 1, 3, 3)])
    one("attribute_strides", node("Conv", ["x", "w"], "conv", strides=[0, 1]), [1, 1, 4, 4],
        [1, 1, 4, 4], [constant("w", 1, 1, 3, 3)])
    one("attribute_group", node("Conv", ["x", "w"], "conv", group=3), [1, 4, 4, 4], [1, 4, 4, 4],
        [constant("w", 4, 1, 3, 3)])


def shapes():
    one("shape_conv", node("Conv", ["x", "w"], "conv"), [1, 3, 8, 8], [1, 4, 6, 6],
        [constant("w", 4, 2, 3, 3)])
    one("shape_kernel", node("Conv", ["x", "w"], "conv"), [1, 2, 2, 2], [1, 4, 1, 1],
        [constant("w", 4, 2, 3, 3)])
    one("shape_gemm", node("Gemm", ["x", "w"], "dense"), [1, 5], [1, 2], [constant("w", 4, 2)])
    one("shape_matmul", node("MatMul", ["x", "w"], "product"), [2, 3], [2, 5], [constant("w", 4, 5)])
    one("shape_add", node("Add", ["x", "w"], "sum"), [1, 4], [1, 4], [constant("w", 1, 3)])
    one("shape_concat", node("Concat", ["x", "w"], "join", axis=0), [2, 3], [4, 3],
        [constant("w", 2, 4)])
    one("shape_reshape", node("Reshape", ["x", "s"], "reshape"), [2, 3], [4, 2],
        [numpy_helper.from_array(np.array([4, 2]), "s")])
    one("shape_unknown", node("Relu", ["x"], "relu"), [1, "width"], [1, "width"])
    one("shape_negative", node("Relu", ["x"], "relu"), [1, -4], [1, -4])
    one("shape_huge", node("Relu", ["x"], "relu"), [1 << 40, 1 << 40], [1 << 40, 1 << 40])
    one("shape_data_dependent", node("NonZero", ["x"], "where"), [4, 4], [2, 4])


def types():
    one("type_string", node("Identity", ["x"], "same"), [1, 4], [1, 4], dtype=T.STRING)
    one("type_complex", node("Identity", ["x"], "same"), [1, 4], [1, 4], dtype=T.COMPLEX64)
    one("type_mixed", node("Add", ["x", "w"], "sum"), [1, 4], [1, 4],
        [constant("w", 1, 4, dtype=np.int32)])


def structure():
    model("cycle", [h.make_node("Add", ["x", "b"], ["a"], name="first"),
                    h.make_node("Relu", ["a"], ["b"], name="second")],
          [value("x", [1, 4])], [value("b", [1, 4])])
    one("missing_value", node("Add", ["x", "nowhere"], "sum"), [1, 4], [1, 4])
    model("output_missing", [h.make_node("Relu", ["x"], ["y"], name="relu")], [value("x", [1, 4])],
          [value("z", [1, 4])])
    model("twice_written", [h.make_node("Relu", ["x"], ["y"], name="one"),
                            h.make_node("Abs", ["x"], ["y"], name="two")],
          [value("x", [1, 4])], [value("y", [1, 4])])
    one("opset_old", node("Relu", ["x"], "relu"), [1, 4], [1, 4], opset=5)
    one("opset_new", node("Relu", ["x"], "relu"), [1, 4], [1, 4], opset=99)
    w = constant("w", 1, 4)
    w.ClearField("raw_data")
    w.data_location = T.EXTERNAL
    w.external_data.add(key="location", value="../secret.bin")
    one("external_outside", node("Add", ["x", "w"], "sum"), [1, 4], [1, 4], [w])
    short = constant("w", 1, 4)
    short.raw_data = short.raw_data[:10]
    one("constant_short", node("Add", ["x", "w"], "sum"), [1, 4], [1, 4], [short])


def inputs():
    model("fine", [h.make_node("Relu", ["x"], ["y"], name="relu")], [value("x", [1, 4])],
          [value("y", [1, 4])])
    with open(os.path.join(FOLDER, "fine.onnx"), "rb") as f:
        whole = f.read()
    for name, data in (("truncated.onnx", whole[:-20]), ("empty.onnx", b""),
                       ("text.onnx", b"this is no model\n"), ("short.raw", b"\0" * 15),
                       ("zeros.pb", b"\0" * 16)):
        with open(os.path.join(FOLDER, name), "wb") as f:
            f.write(data)
    np.save(os.path.join(FOLDER, "shape.npy"), np.zeros((1, 5), np.float32))
    np.save(os.path.join(FOLDER, "type.npy"), np.zeros((1, 4), np.int8))
    np.save(os.path.join(FOLDER, "right.npy"), np.zeros((1, 4), np.float32))
    np.save(os.path.join(FOLDER, "labels.npy"), np.zeros((3,), np.int64))
    np.save(os.path.join(FOLDER, "label_far.npy"), np.array([4], np.int64))


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    for part in (ops, shapes, types, structure, inputs):
        part()

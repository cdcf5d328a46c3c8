#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each integer layer of a QDQ network against ONNX Runtime, from ONNX Runtime's own inputs.

A network amplifies a difference of one step; so every layer is given what ONNX Runtime (graph
optimizations off) computed for its inputs, and its result is compared with ONNX Runtime's. This script
records every quantized tensor in a folder; bench_agreement runs the layers.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper


def recorded_as(model, names):
    """For each node of the compiled graph: the tensor that ONNX quantizes its result to."""
    by_name = {node.name: node for node in model.graph.node}
    users = {}
    for node in model.graph.node:
        for value in node.input:
            users.setdefault(value, node)
    found = {}
    for name in names:
        node = by_name.get(name)
        while node is not None and node.op_type != "QuantizeLinear":
            node = users.get(node.output[0])
        if node is not None:
            found[name] = node.output[0]
    return found


def record(model, feed, wanted, folder):
    outputs = {value.name for value in model.graph.output}
    for value in sorted(set(wanted.values()) - outputs):
        model.graph.output.append(helper.make_empty_tensor_value_info(value))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    results = session.run(list(wanted.values()), {session.get_inputs()[0].name: feed})
    for name, result in zip(wanted, results):
        signed = result.astype(np.int16) - (128 if result.dtype == np.uint8 else 0)
        signed.astype(np.int8).tofile(os.path.join(folder, name.replace("/", "_") + ".bin"))


def main():
    if len(sys.argv) < 4:
        sys.exit("usage: agreement.py BENCH_AGREEMENT [--json] MODEL.onnx INPUT.pb")
    bench, flags, (path, feed) = sys.argv[1], sys.argv[2:-2], sys.argv[-2:]
    names = subprocess.run([bench, "--names", path], check=True, capture_output=True, text=True)
    tensor = onnx.TensorProto()
    with open(feed, "rb") as file:
        tensor.ParseFromString(file.read())
    model = onnx.load(path)
    with tempfile.TemporaryDirectory() as folder:
        record(model, numpy_helper.to_array(tensor), recorded_as(model, names.stdout.split()), folder)
        sys.exit(subprocess.run([bench] + flags + [path, folder], check=False).returncode)


if __name__ == "__main__":
    main()

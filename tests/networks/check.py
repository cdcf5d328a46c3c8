# SPDX-License-Identifier: Apache-2.0
"""Checks one network: the accelerator against the interpreter, and each layer against ONNX Runtime.

1. The plain model runs on the functional device at every design point under --check: each layer's
   bits are the interpreter's.
2. Its outputs are the same bits at every design point, and the same as in the probed model.
3. Each layer's result in the probed model is within one step of what ONNX Runtime, without graph
   optimizations, makes of *the same inputs*: the cut model is fed with our own intermediates.
   So one step is one layer's own difference, and rounding apart in one layer is no excuse in the
   next.
"""
import json
import os
import subprocess

import numpy as np

import build
import layers

POINTS = ("default", "tiny", "batch2")
TIMEOUT_SECONDS = 120
STEP = 1

try:
    import onnxruntime
except ImportError:
    onnxruntime = None


class Failure(Exception):
    """What is wrong with a network, in a sentence. `kind` says of which check, for the shrinker."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


class TooLarge(Exception):
    """The design point's scratchpads can't hold one tile of a layer, and the command said so."""


TOO_LARGE = "cannot hold one tile"


def save(folder, net, form):
    path = os.path.join(folder, form + ".onnx")
    with open(path, "wb") as f:
        f.write(build.model(net, form).SerializeToString())
    return path


def run(command, path, point, values, names, folder):
    """Runs the command under --check; returns the outputs by name."""
    words = [command, "run", path, "--check", "--config", point, "--json"]
    for name, value in values.items():
        file = os.path.join(folder, name + ".npy")
        np.save(file, value)
        words += ["--input", "%s=%s" % (name, file)]
    files = {name: os.path.join(folder, "%s.%s.out.npy" % (name, point)) for name in names}
    for name, file in files.items():
        words += ["--output", "%s=%s" % (name, file)]
    try:
        done = subprocess.run(words, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Failure("time", "no end after %d s at %s" % (TIMEOUT_SECONDS, point)) from None
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == 2 and TOO_LARGE in said:
        raise TooLarge(said)
    if done.returncode:
        if done.returncode < 0 or done.returncode > 2:
            kind = "crash"
        else:
            kind = ("", "bits", "refused")[done.returncode]
        raise Failure(kind, "exit status %d at %s: %s" % (done.returncode, point, said[-2000:]))
    return {name: np.load(file) for name, file in files.items()}, json.loads(done.stdout)


def same(found, wanted, what):
    for name, value in wanted.items():
        other = found[name]
        if value.dtype != other.dtype or value.shape != other.shape:
            raise Failure("type", "%s is %s %s and %s %s, %s" % (
                name, value.dtype, value.shape, other.dtype, other.shape, what))
        if not np.array_equal(value, other):
            at = np.argwhere(value != other)[0]
            raise Failure("design", "%s differs in %d elements, first at %s: %s and %s, %s" % (
                name, np.sum(value != other), list(at), value[tuple(at)], other[tuple(at)], what))


def shown(net, probed):
    """What the plain model's outputs must be, by the probed model's."""
    edges, wanted = layers.edges(net), {}
    for name in layers.outputs(net):
        value = probed[name]
        if net["floats"]:
            edge = edges[name]
            value = (value.astype(np.int32) - edge["zero"]).astype(np.float32)
            wanted[name + ".float"] = value * np.float32(edge["scale"])
        else:
            wanted[name] = value
    return wanted


def reference(path, feeds):
    """What ONNX Runtime makes of the cut model, by name."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [x.name for x in session.get_inputs()]
        outputs = [y.name for y in session.get_outputs()]
        return dict(zip(outputs, session.run(outputs, {n: feeds[n] for n in names})))
    except Exception as refusal:    # its exceptions have no other base
        raise Failure("refused there", "ONNX Runtime: %s" % refusal) from None


def compare_layers(net, ours, theirs):
    """Raises Failure at the first layer that is more than one step off."""
    for name in build.probes(net):
        if ours[name].shape != theirs[name + ".out"].shape:
            raise Failure("type", "%s is of shape %s; ONNX Runtime has %s" % (
                name, ours[name].shape, theirs[name + ".out"].shape))
        difference = ours[name].astype(np.int32) - theirs[name + ".out"].astype(np.int32)
        worst = np.unravel_index(np.argmax(np.abs(difference)), difference.shape)
        if abs(difference[worst]) > STEP:
            raise Failure("reference", "%s is %d at %s; ONNX Runtime has %d (%d elements of %d are "
                          "more than one step off)" % (
                              name, ours[name][worst], list(map(int, worst)),
                              theirs[name + ".out"][worst], np.sum(np.abs(difference) > STEP),
                              difference.size))


def check(net, command, folder, points=POINTS):
    """Raises Failure, or TooLarge of the default design point. Returns counts of layers on the
    accelerator, of all layers, and of the design points that were too small."""
    values = build.input_values(net)
    path = save(folder, net, "probed")
    probed, told = run(command, path, "default", values, build.probes(net), folder)
    wanted = shown(net, probed)
    path = save(folder, net, "plain")
    small = 0
    for point in points:
        try:
            found, _ = run(command, path, point, values, list(wanted), folder)
        except TooLarge:
            small += 1
            continue
        same(found, wanted, "between the plain model at %s and the probed one at default" % point)
    if onnxruntime:
        path = save(folder, net, "cut")
        compare_layers(net, probed, reference(path, {**values, **probed}))
    rows = told["model"]["layers"]
    return sum(row["target"] == "accel" for row in rows), len(rows), small

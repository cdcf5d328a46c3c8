# SPDX-License-Identifier: Apache-2.0
"""The networks' own tests: what is drawn, what a comparison catches, what shrinking leaves."""
import collections
import os
import tempfile
import unittest

import numpy as np
import onnx

import build
import check
import draw
import layers
import shrink

SEEDS = range(1, 301)


class Drawn(unittest.TestCase):
    def test_a_seed_is_one_network(self):
        for seed in range(1, 21):
            self.assertEqual(draw.draw(seed), draw.draw(seed))
            for form in build.FORMS:
                onnx.checker.check_model(build.model(draw.draw(seed), form))

    def test_every_corner_is_met(self):
        seen = collections.Counter()
        for seed in SEEDS:
            net = draw.draw(seed)
            shape = layers.shapes(net)
            for x in net["inputs"]:
                seen["batch %d" % x["shape"][0]] += 1
                seen["columns %d" % x["shape"][-1]] += len(x["shape"]) == 4
            for layer in net["layers"]:
                seen[layer["op"]] += 1
                seen[layer.get("form", "qdq")] += 1
                seen[layer["edge"]["dtype"] + " %d" % layer["edge"]["zero"]] += 1
                seen["channels %d" % shape[layer["name"]][1]] += 1
                self.count_layer(seen, layer, shape)
        wanted = list(layers.OPS) + [
            "qdq", "qlinear", "i8 -128", "i8 0", "i8 127", "u8 0", "u8 128", "u8 255", "batch 1",
            "batch 2", "batch 3", "columns 1", "channels 1", "channels 15", "channels 16",
            "channels 17", "zero", "extreme", "tiny channel", "tensor", "depthwise", "grouped",
            "dilated", "strided", "lopsided", "Relu", "Clip", "Sigmoid", "HardSwish", "LeakyRelu",
            "Tanh", "MaxPool", "AveragePool", "Add", "Sub", "Mul", "gemm", "matmul", "Flatten",
            "Reshape", "Transpose", "Pad", "Slice", "ReduceMean", "f32", "DCR", "CRD", "output padding",
            "grouped transposed", "repeated columns"]
        self.assertEqual([w for w in wanted if seen[w] < 3], [])

    def count_layer(self, seen, layer, shape):
        seen[layer.get("kind")] += 1
        seen[(layer.get("act") or {}).get("kind")] += 1
        if layer.get("weights"):
            seen[layer["weights"]["style"]] += 1
            seen[layer["weights"]["spread"]] += 1
            seen[(layer["bias"] or {}).get("form")] += 1
        seen[layer.get("mode")] += 1
        if layer["op"] == "transposed":
            seen["output padding"] += max(layer["extra"]) > 0
            seen["grouped transposed"] += layer["group"] > 1
        if layer["op"] == "resize":
            seen["repeated columns"] += layer["times"][-1] > 1
        if layer["op"] == "conv":
            seen["depthwise"] += layer["group"] == shape[layer["in"][0]][1] > 1
            seen["grouped"] += 1 < layer["group"] < shape[layer["in"][0]][1]
            seen["dilated"] += max(layer["dilations"]) > 1
            seen["strided"] += max(layer["strides"]) > 1
            rank = len(layer["kernel"])
            seen["lopsided"] += layer["pads"][:rank] != layer["pads"][rank:]


class Compared(unittest.TestCase):
    def setUp(self):
        self.net = draw.draw(1)
        self.ours = {n: np.full((2, 3), 7, np.int8) for n in build.probes(self.net)}
        self.theirs = {n + ".out": v.copy() for n, v in self.ours.items()}

    def test_one_step_passes(self):
        for value in self.theirs.values():
            value[1, 2] = 8
        check.compare_layers(self.net, self.ours, self.theirs)

    def test_two_steps_do_not(self):
        for name in self.theirs:
            self.theirs[name][1, 2] = 5
            with self.assertRaises(check.Failure) as caught:
                check.compare_layers(self.net, self.ours, self.theirs)
            self.assertIn("is 7 at [1, 2]; ONNX Runtime has 5", str(caught.exception))
            self.theirs[name][1, 2] = 7

    def test_other_bits_are_seen(self):
        for name in self.ours:
            other = {**self.ours, name: self.ours[name] + 1}
            with self.assertRaises(check.Failure):
                check.same(other, self.ours, "here")

    def test_a_command_that_fails_is_a_failure(self):
        values = build.input_values(self.net)
        with tempfile.TemporaryDirectory() as folder:
            path = check.save(folder, self.net, "plain")
            for status, kind in ((1, "bits"), (2, "refused"), (3, "crash")):
                command = os.path.join(folder, "command%d" % status)
                with open(command, "w", encoding="ascii") as f:
                    f.write("#!/bin/sh\nexit %d\n" % status)
                os.chmod(command, 0o755)
                with self.assertRaises(check.Failure) as caught:
                    check.run(command, path, "default", values, [], folder)
                self.assertEqual(caught.exception.kind, kind)


class Shrunk(unittest.TestCase):
    def test_what_fails_is_all_that_is_left(self):
        """A dilated convolution of at least 2 channels "fails"."""
        def fails(net):
            shape = layers.shapes(net)
            return any(layer["op"] == "conv" and max(layer["dilations"]) > 1 and
                       shape[layer["in"][0]][1] > 1 for layer in net["layers"])

        tried = 0
        for seed in SEEDS:
            net = draw.draw(seed)
            if not fails(net) or tried == 5:
                continue
            tried += 1
            small = shrink.shrink(net, fails)
            self.assertTrue(fails(small))
            build.model(small, "plain")
            layer, = small["layers"]
            self.assertEqual(layers.shapes(small)[layer["in"][0]][1], 2)
            self.assertEqual(sorted(layer["dilations"])[-1], 2)
            self.assertEqual((set(layer["strides"]), set(layer["pads"]), layer["bias"]),
                             ({1}, {0}, None))
        self.assertEqual(tried, 5)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bench/run cpu prints fits together, with whichever peers are there; no time is judged.
test_cpu.py BUILD_FOLDER"""
import json
import math
import os
import subprocess
import sys
import tempfile

import onnx

import cpu
import models

KEYS = {"group", "case", "dtype", "threads", "peer", "ours_s", "peer_s", "ratio", "fraction_of_peak",
        "peer_fraction_of_peak", "ours_least_s", "peer_least_s", "ratio_least", "difference"}


def run(build, *words, status=0):
    done = subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "cpu.py"), "--build", build,
                           *words], capture_output=True, text=True, check=False)
    assert done.returncode == status, (words, done.returncode, done.stderr)
    return done


def test_rows(build):
    done = json.loads(run(build, "--json", "--quick", "--threads", "1", "--case", "d9", "--case", "c11").stdout)
    macs = {case.name: case.macs for case in models.cases()}
    assert macs["D9"] == 7 * 7 * 1024 * 9 and macs["C11"] == 7 * 7 * 512 * 256
    peers = {row["peer"] for row in done["rows"]}
    assert len(done["rows"]) == 4 * len(peers)  # two cases, two dtypes; OpenBLAS has neither
    for row in done["rows"]:
        assert set(row) == KEYS and row["threads"] == 1, row
        assert 0 < row["ours_least_s"] <= row["ours_s"] and 0 < row["peer_least_s"] <= row["peer_s"]
        assert math.isclose(row["ratio"], row["peer_s"] / row["ours_s"])
        peak = 2 * macs[row["case"]] / row["ours_s"] / row["fraction_of_peak"]
        assert math.isclose(row["peer_fraction_of_peak"], 2 * macs[row["case"]] / row["peer_s"] / peak)
    for mean in done["means"]:
        ratios = [row["ratio"] for row in done["rows"]
                  if all(row[key] == mean[key] for key in ("group", "dtype", "peer"))]
        assert mean["cases"] == len(ratios) == 1 and math.isclose(mean["geometric_mean"], ratios[0])
    assert len(done["means"]) == 4 * len(peers)


def test_refusals(build):
    assert "no case is like that" in run(build, "--case", "nothing", status=2).stderr
    assert "this machine's peak is measured with 1" in run(build, "--threads", "99999", "--case", "D9",
                                                           status=2).stderr
    names = [line.split() for line in run(build, "--list").stdout.splitlines()]
    assert [name for group, name, dtype in names if (group, dtype) == ("conv", "i8")] == [
        "C%d" % k for k in range(1, 13)]
    assert [name for group, name, dtype in names if (group, dtype) == ("depthwise", "f32")] == [
        "D%d" % k for k in range(1, 10)]


def test_wrong_results_are_seen():
    class Side:
        def __init__(self, values):
            self.values = values

        def outputs(self, count=1):
            return [cpu.np.array(self.values, cpu.np.float32)] * count

    case = models.Case("conv", "C1", "f32", 1, ["conv"], None)
    assert cpu.difference(case, {"tessera": Side([3, 4]), "onnxruntime": Side([3, 4])}) == 0
    assert math.isclose(cpu.difference(case, {"tessera": Side([3, 5]), "onnxruntime": Side([3, 4])}), 0.2)
    assert math.isnan(cpu.difference(case, {"tessera": Side([3, float("nan")]), "onnxruntime": Side([3, 4])}))
    assert not float("nan") <= cpu.NEAR["op", "f32"]  # which run_case() takes for a wrong result


def test_models():
    """The models are valid, their shapes those of the case, and unsigned() changes no number."""
    with tempfile.TemporaryDirectory() as folder:
        for case in models.cases():
            if case.words and case.group != "network":
                model = onnx.load(case.make(os.path.join(folder, "m.onnx")))
                onnx.checker.check_model(model, full_check=True)
                assert len(model.graph.node) == 1
    zero = onnx.numpy_helper.from_array(cpu.np.int8(-3), "z")
    nodes = [onnx.helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
             onnx.helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
             onnx.helper.make_node("DequantizeLinear", ["w", "s", "z"], ["v"])]
    weights = onnx.numpy_helper.from_array(cpu.np.array([1, 2], cpu.np.int8), "w")
    graph = onnx.helper.make_graph(nodes, "g", [], [], [zero, weights])
    model = models.unsigned(onnx.helper.make_model(graph))
    values = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
    assert [node.input[2] for node in model.graph.node] == ["z.u8", "z.u8", "z"]
    assert values["z.u8"].dtype == cpu.np.uint8 and values["z.u8"] == 125 and values["z"] == -3


def main():
    build = os.path.abspath(sys.argv[1])
    test_models()
    test_wrong_results_are_seen()
    test_refusals(build)
    test_rows(build)


if __name__ == "__main__":
    main()

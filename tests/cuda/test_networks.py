# SPDX-License-Identifier: Apache-2.0
"""bench/cuda/networks.py from packing to its JSON, on a driver without a GPU and a PyTorch by numpy: small networks of
the zoo's kinds, whose outputs must be the peer's. test_networks.py TESSERA CUDA_PACK FAKE_CUDA_FOLDER SOURCE"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

# pylint: disable=import-outside-toplevel
TESSERA, PACK, FAKE, SOURCE = sys.argv[1:]
SCRIPT = os.path.join(SOURCE, "bench", "cuda", "networks.py")
sys.path[:0] = [os.path.join(SOURCE, "models"), os.path.join(SOURCE, "bench", "zoo")]


def small_image(quantized):
    """A bottleneck of ResNet's, with everything that stands around it."""
    from network import Network

    import image

    net = Network("image", np.random.Generator(np.random.PCG64(1)), quantized)
    x = net.conv(net.input("image", (3, 48, 48)), "conv1", 8, 7, 2)
    x = net.max_pool(x, "pool", 3, 2, pad=1)
    y = image.bottleneck(net, x, "block", 4, 2)
    x = net.conv(x, "skip", 16, 1, 2, act=None)
    return image.classify(net, net.add(y, x, "add")).graph.model()


def small_bert():
    import bert

    bert.SEQUENCE, bert.HIDDEN, bert.HEADS, bert.FEED_FORWARD, bert.HEAD = 8, 32, 2, 64, 16
    return bert.bert(np.random.Generator(np.random.PCG64(2)), False).graph.model()


def environment(torch, **more):
    path = os.path.join(SOURCE, "tests", "cuda", "fake_torch") if torch else ""
    return {**os.environ, "LD_LIBRARY_PATH": FAKE, "PYTHONPATH": path, **more}


def load_script(cases):
    """The script with cases of our own."""
    spec = importlib.util.spec_from_file_location("networks", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.CASES = cases
    return module


CASES = [("image int8 b2", "image", "int8", 2, None), ("image f16 b2", "image", "float", 2, "f16"),
         ("bert f16 b3", "bert", "float", 3, "f16")]


def call(words, torch=True, status=0, **more):
    """This program as the script: its cases are those above."""
    driver = [sys.executable, os.path.abspath(__file__), TESSERA, PACK, FAKE, SOURCE]
    done = subprocess.run(driver, input=json.dumps(words), env={**environment(torch, **more), "AS_NETWORKS": "1"},
                          capture_output=True, text=True)
    assert done.returncode == status, (done.returncode, done.stdout[-2000:], done.stderr[-3000:])
    return done


def as_script():
    module = load_script(CASES)
    sys.argv = [SCRIPT, *json.load(sys.stdin)]
    sys.exit(module.main())


def check_rows(rows):
    assert [r["case"] for r in rows] == [c[0] for c in CASES]
    for r in rows:
        assert r["peer"] == "torch.compile f16, torch 0.fake" and "peer_says" not in r, r.get("peer_says")
        assert 0 < r["ours_s"] and 0 < r["ours_kernels_s"] and 0 < r["peer_s"] and 0 < r["peer_kernels_s"]
        assert 0 < r["tflops"] and 0 < r["fraction_of_peak"] and 0 < r["least_s"] and r["cpu_layers"] == 0
        assert len(r["layers"]) >= 8 and all(layer["fraction"] > 0 for layer in r["layers"]), r["layers"]
        assert r["gpu"]["name"] == "Fake" and r["limits"]["bytes"] > 0
        # int8 beside floats is off by 0.02 to 0.13 here, as the image is one that its ranges fit
        assert r["difference"] < (0.3 if r["dtype"] == "int8" else 2e-3), (r["case"], r["difference"])


def measured(folder):
    path = os.path.join(folder, "out.json")
    done = call([folder, path, "--json", "--rounds", "2"])
    rows = json.loads(done.stdout)
    with open(path, encoding="utf-8") as f:
        assert json.load(f) == rows
    check_rows(rows)
    assert "torch.compile" in done.stderr and "below 60% of their limits" in done.stderr, done.stderr
    return path


def failures(folder, path):
    rows = json.loads(call([folder, path, "--json", "--rounds", "1", "--only", "image f16"], torch=False).stdout)
    assert len(rows) == 1 and rows[0]["peer"] is None and rows[0]["peer_s"] is None and rows[0]["ours_s"] > 0
    rows = json.loads(call([folder, path, "--json", "--mode", "none", "--rounds", "1", "--only", "image f16"]).stdout)
    assert rows[0]["peer"] is None and "torch.compile has no mode none" in rows[0]["peer_says"], rows[0]
    rows = json.loads(call([folder, path, "--json", "--rounds", "1", "--only", "bert"], status=1, FAKE_CUDA_FAIL="cuGraphLaunch:700").stdout)
    assert "CUDA_ERROR_ILLEGAL_ADDRESS" in rows[0]["says"], rows
    assert "tessera-run is not there; networks.py --pack makes" in call([os.path.join(folder, "none"), path], status=2).stderr
    assert "skipped: GPU: starting the driver failed" in call([folder, path], FAKE_CUDA_FAIL="cuInit:100").stderr
    os.remove(os.path.join(folder, "bert_f16_b3.tsr"))
    assert "bert f16 b3 is not in" in call([folder, path, "--only", "bert"], status=1).stderr
    assert "networks.py: error:" in call([folder], status=2).stderr


def main():
    with tempfile.TemporaryDirectory() as tmp:
        import qdq

        zoo, folder = os.path.join(tmp, "zoo"), os.path.join(tmp, "nets")
        os.makedirs(zoo)
        qdq.save(small_image(True), os.path.join(zoo, "image.int8.onnx"))
        qdq.save(small_image(False), os.path.join(zoo, "image.float.onnx"))
        qdq.save(small_bert(), os.path.join(zoo, "bert.float.onnx"))
        call(["--pack", folder, "--weights", "--zoo", zoo, "--tessera", TESSERA])
        for name in os.listdir(folder):
            if name.endswith(".tsr"):  # kernels that the fake driver computes
                package = os.path.join(folder, name)
                subprocess.run([PACK, package, package, "every"], check=True)
        failures(folder, measured(folder))


if __name__ == "__main__":
    if "AS_NETWORKS" in os.environ:
        as_script()
    main()

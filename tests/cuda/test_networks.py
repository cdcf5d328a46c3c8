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


def small_image(numbers, quantized):
    """A bottleneck of ResNet's, with everything that stands around it."""
    from network import Network

    import image

    net = Network("image", numbers, quantized)
    x = net.conv(net.input("image", (3, 48, 48)), "conv1", 8, 7, 2)
    x = net.max_pool(x, "pool", 3, 2, pad=1)
    y = image.bottleneck(net, x, "block", 4, 2)
    x = net.conv(x, "skip", 16, 1, 2, act=None)
    return image.classify(net, net.add(y, x, "add"))


def small_bert(numbers, quantized):
    import bert

    bert.SEQUENCE, bert.HIDDEN, bert.HEADS, bert.FEED_FORWARD, bert.HEAD = 8, 32, 2, 64, 16
    return bert.bert(numbers, quantized)


def environment(torch, **more):
    path = os.path.join(SOURCE, "tests", "cuda", "fake_torch") if torch else ""
    return {**os.environ, "LD_LIBRARY_PATH": FAKE, "PYTHONPATH": path, **more}


def load_script(cases):
    """The script with cases, and networks, of our own, of which nearly all weights are drawn again."""
    spec = importlib.util.spec_from_file_location("networks", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.CASES = cases
    module.thin.LARGE = 256

    class Small(module.Zoo):
        def __init__(self):
            super().__init__()
            self.builders = {"image": small_image, "bert": small_bert}

    module.Zoo = Small
    return module


DRAWN = [0.20385, 1.38805, 1.15273, -1.05547]
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
        assert all(layer["held_by"] == "a kernel takes 1.0 us at least" for layer in r["layers"] if layer["fraction"] < 0.6)
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
    rows = json.loads(call([folder, path, "--json", "--mode", "max-autotune", "--rounds", "1", "--only", "image f16"]).stdout)
    assert rows[0]["peer_s"] > 0 and rows[0]["difference"] < 2e-3, rows[0]
    change(os.path.join(folder, "image_f16_b2.peer.json"), '"Relu"', '"Gelu"')
    rows = json.loads(call([folder, path, "--json", "--rounds", "1", "--only", "image f16"]).stdout)
    assert rows[0]["peer"] is None and "the peer does not compute Gelu" in rows[0]["peer_says"], rows[0]
    change(os.path.join(folder, "image_int8_b2.peer.json"), '"Gemm"', '"MatMul"')  # its weights the wrong way round
    rows = json.loads(call([folder, path, "--json", "--rounds", "1", "--only", "image int8"]).stdout)
    assert rows[0]["ours_s"] > 0 and rows[0]["peer_says"], rows[0]
    change(os.path.join(folder, "bert_f16_b3.peer.json"), '"Erf"', '"Relu"')
    done = call([folder, path, "--json", "--rounds", "1", "--only", "bert"], status=1)
    assert "of the peer's norm off" in json.loads(done.stdout)[0]["wrong"] and "norm off" in done.stderr, done
    rows = json.loads(call([folder, path, "--json", "--rounds", "1", "--only", "bert"], status=1, FAKE_CUDA_FAIL="cuGraphLaunch:700").stdout)
    assert "CUDA_ERROR_ILLEGAL_ADDRESS" in rows[0]["says"], rows
    assert "tessera-run is not there; networks.py --pack makes" in call([os.path.join(folder, "none"), path], status=2).stderr
    assert "skipped: GPU: starting the driver failed" in call([folder, path], FAKE_CUDA_FAIL="cuInit:100").stderr
    os.remove(os.path.join(folder, "bert_f16_b3.thin"))
    assert "bert f16 b3 is not in" in call([folder, path, "--only", "bert"], status=1).stderr
    assert "networks.py: error:" in call([folder], status=2).stderr


def change(path, old, new):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert old in text
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


def thin_files(folder):
    """Hardly any weights are in them, and packages come of them to the bit, or a sentence."""
    thin = load_script(CASES).thin
    for case, left_out in (("image_int8_b2", 1), ("image_f16_b2", 2), ("bert_f16_b3", 6)):
        path, package = (os.path.join(folder, case + end) for end in (".thin", ".tsr"))
        assert thin.whole(path, package) is None
        subprocess.run([TESSERA, "run", package, "--target", "cpu", "--random", "1"], check=True, stdout=subprocess.DEVNULL)
        with open(path, "rb") as f:
            text = thin.lzma.decompress(f.read())
        head = json.loads(text[4:4 + int.from_bytes(text[:4], "little")])
        assert len(head["holes"]) == left_out, (case, [(h["start"], h["shape"]) for h in head["holes"]])
        assert sum(len(h["at"]) for h in head["holes"]) < 20
        seed = head["holes"][0]["seed"]
        with open(path + ".other", "wb") as f:
            f.write(thin.lzma.compress(text.replace(b'"seed": %d,' % seed, b'"seed": %d,' % (seed % 9 + 1))))
        assert "makes other weights of it" in thin.whole(path + ".other", package + ".other")
        assert not os.path.exists(package + ".other")


def drawn():
    """The numbers are those of every numpy, of mean 0 and deviation 1."""
    x = load_script(CASES).thin.normal(7, (100000,))
    assert x.dtype == np.float32 and abs(x.mean()) < 0.01 and abs(x.std() - 1) < 0.01
    assert [round(float(v), 5) for v in x[:4]] == DRAWN, x[:4]


def reasons():
    """What holds a slow layer back, and what is wrong."""
    script = load_script(CASES)
    held_by = script.held_by
    assert [script.is_off(part, "f16") for part in (None, 1e-3, 0.021, float("nan"))] == [False, False, True, True]
    kernels = [{"local_bytes": 0}, {"local_bytes": 0}]
    assert held_by({"seconds": 3e-6}, kernels[:1], 2e-6) == "a kernel takes 2.0 us at least"
    assert held_by({"seconds": 9e-6}, kernels[:1], 2e-6) is None
    assert held_by({"seconds": 9e-6}, kernels, 2e-6) == "2 kernels"
    assert held_by({"seconds": 9e-6}, [{"local_bytes": 8}], 2e-6) == "registers are spilled"


def main():
    drawn()
    reasons()
    with tempfile.TemporaryDirectory() as folder:
        call(["--pack", folder, "--tessera", TESSERA])
        thin_files(folder)
        for case in CASES:  # kernels that the fake driver computes
            package = os.path.join(folder, case[0].replace(" ", "_") + ".tsr")
            subprocess.run([PACK, package, package, "every"], check=True)
        failures(folder, measured(folder))


if __name__ == "__main__":
    if "AS_NETWORKS" in os.environ:
        as_script()
    main()

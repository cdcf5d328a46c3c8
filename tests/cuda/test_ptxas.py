# SPDX-License-Identifier: Apache-2.0
"""Kernels go through ptxas as bench/cuda/ptxas.py tables them, and what is wrong with one is found.
test_ptxas.py BENCH_CUDA_KERNELS TESSERA SOURCE; the exit status is 77 without ptxas."""

import json
import os
import subprocess
import sys
import tempfile

KERNELS = [  # every kind of tile, order of b, and end, that bench/run cuda measures
    "bf16_columns_128x256_shared_s4_c2", "bf16_rows_192x128_shared_s5_c1", "f16_rows_128x128_alternate_s6_c1",
    "s8_columns_128x128_alternate_s6_c2", "s8q_columns_64x64_s6_c1_k4", "s8q_columns_64x256_alternate",
    "s8q_packed_64x64", "bf16gelu_columns_128x192_shared_s5_c2", "bf16_columns_64x32",
]
PLANTED = [  # what is done to a text, and what must be said of it
    (lambda t: t.replace("wgmma.fence.sync.aligned;", ""), "is mended: warpgroup.arrive is injected"),
    (lambda t: t.replace("wgmma.wait_group.sync.aligned 0;", "").replace("wgmma.wait_group.sync.aligned 1;", ""),
     "is mended: warpgroup.wait is injected"),
    (lambda t: t.replace("mbarrier.init", "mbarrier.begin"), "ptxas refuses it"),
    (lambda t: t.replace(".maxntid 160, 1, 1", ".maxntid 160, 1, 1\n.maxnreg 58"), "bytes of registers"),
]
BROKEN = "s8q_columns_64x64_s6_c1_k1"
# Networks: kernels for each architecture, and of these on tensor cores for sm_80 and for sm_90a, at the least.
NETWORKS = [
    ("models/digits/digits", 9, 3, 3),
    ("../shared/models/mlperf_tiny_ad_autoencoder/model_int8_qdq", 11, 0, 8),
    ("../shared/models/mlperf_tiny_ad_autoencoder/model_f32", 10, 0, 0),
    ("../shared/models/mlperf_tiny_dscnn_kws/model_int8_qdq", 18, 5, 5),
    ("../shared/models/mlperf_tiny_dscnn_kws/model_f32", 15, 0, 0),
    ("../shared/models/mlperf_tiny_resnet8/model_int8_qdq", 18, 9, 9),
    ("../shared/models/mlperf_tiny_resnet8/model_f32", 15, 0, 0),
    ("../shared/models/onnxzoo_mnist-8/mnist-8", 6, 0, 0),
]


def run(script, *words):
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True)
    if done.returncode == 77:
        print(done.stderr.strip())
        sys.exit(77)
    return done


def check_kernels(script, make, folder):
    subprocess.run([make, folder, *KERNELS], check=True)
    with open(os.path.join(folder, "kernels.json"), encoding="utf-8") as f:
        names = sorted(k["name"] for k in json.load(f))
    done = run(script, "--json", folder)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert sorted(r["kernel"] for r in rows) == names and len(names) >= len(KERNELS), names
    for r in rows:
        assert r["tensor_cores"] and not r["spill_bytes"] and not r["stack_bytes"], r
        assert 32 < r["registers"] <= 168 and 32768 < r["shared_bytes"] <= 232448, r


def check_network(script, tessera, model, kernels, *on_tensor_cores):
    done = run(script, "--json", "--tessera", tessera, model)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    for arch, least in zip(("sm_80", "sm_90a"), on_tensor_cores):
        mine = [r for r in rows if r["arch"] == arch]
        assert len(mine) >= kernels and sum(r["tensor_cores"] for r in mine) >= least, (model, mine)
        assert max(r["shared_bytes"] for r in mine) > 0, mine
    assert not any(r["spill_bytes"] for r in rows), rows


def check_networks(script, tessera, source):
    for name, *least in NETWORKS:
        model = os.path.join(source, name + ".onnx")
        if os.path.exists(model):
            check_network(script, tessera, model, *least)
        else:
            print(f"{name}: skipped, it is not here")


def check_planted(script, make, folder):
    subprocess.run([make, folder, BROKEN], check=True)
    path = os.path.join(folder, BROKEN + ".ptx")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for change, says in PLANTED:
        assert change(text) != text, says
        with open(path, "w", encoding="utf-8") as f:
            f.write(change(text))
        done = run(script, folder)
        assert done.returncode == 1 and says in done.stderr, (says, done.returncode, done.stderr)


def check_refused(script, folder):
    path = os.path.join(folder, "no.tsr")
    with open(path, "wb") as f:
        f.write(bytes(512))
    done = run(script, path)
    assert done.returncode == 2 and "has no kernels for a GPU; compile it with --target cuda" in done.stderr, done.stderr


def main():
    make, tessera, source = sys.argv[1:]
    script = os.path.join(source, "bench", "cuda", "ptxas.py")
    with tempfile.TemporaryDirectory() as folder:
        check_kernels(script, make, folder)
    with tempfile.TemporaryDirectory() as folder:
        check_planted(script, make, folder)
        check_refused(script, folder)
    check_networks(script, tessera, source)


if __name__ == "__main__":
    main()

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


def check_networks(script, tessera, source):
    models = [os.path.join(source, "models", "digits", "digits.onnx")]
    dense = os.path.join(os.path.dirname(source), "shared", "models", "mlperf_tiny_ad_autoencoder")
    models += [m for m in [os.path.join(dense, "model_int8_qdq.onnx")] if os.path.exists(m)]
    done = run(script, "--json", "--tessera", tessera, *models)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    for arch in ("sm_80", "sm_90a"):
        mine = [r for r in rows if r["arch"] == arch and r["of"] == "digits"]
        assert len(mine) >= 9 and sum(r["tensor_cores"] for r in mine) >= 3, mine
        assert max(r["shared_bytes"] for r in mine) > 0, mine
    assert not any(r["spill_bytes"] for r in rows), rows


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

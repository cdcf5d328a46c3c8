#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""command.py TESSERA TESSERA_RUN PACK FAKE SOURCE: the command on the fake driver's GPU, and without one."""
import importlib.util
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

TESSERA, RUNNER, PACK, FAKE, SOURCE = sys.argv[1:]
DIGITS = os.path.join(SOURCE, "models", "digits")
NO_DRIVER = ("there is no NVIDIA driver: libcuda.so.1: cannot open shared object file: No such file or directory; "
             "target 'cuda' needs one of CUDA 12.0 or later")


def call(*words, fake=True, fail=None, status=0, program=TESSERA):
    env = {k: v for k, v in os.environ.items() if k not in ("LD_LIBRARY_PATH", "FAKE_CUDA_FAIL")}
    if fake:
        env["LD_LIBRARY_PATH"] = FAKE
    if fail:
        env["FAKE_CUDA_FAIL"] = fail
    done = subprocess.run([program, *words], capture_output=True, text=True, env=env)
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    return done.stderr if status else done.stdout


def has_driver():
    return NO_DRIVER not in call("info", fake=False)


def networks(tmp):
    images = ["--input", os.path.join(DIGITS, "images.npy"), "--labels", os.path.join(DIGITS, "labels.npy")]
    cpu, plain, every, even = (os.path.join(tmp, n) for n in ("cpu.tsr", "plain.tsr", "every.tsr", "even.tsr"))
    call("compile", os.path.join(DIGITS, "digits.onnx"), "--target", "cpu", "-o", cpu)
    call("compile", os.path.join(DIGITS, "digits.onnx"), "--target", "cuda:sm_80", "-o", plain)
    for path in (every, even):
        subprocess.run([PACK, plain, path, os.path.basename(path)[:-4]], check=True)
    for program in (TESSERA, RUNNER):
        text = call("run", every, "--target", "cuda", *images, "--check", program=program)
        assert "digits on cuda (Fake, kernels for sm_90a), design point default" in text, text
        assert "accuracy: 99 of 100 right" in text, text
        assert "check: every layer gave the CPU's bits (floats: nearly)" in text, text
        assert "on the accelerator" not in text, text
    text = call("run", even, "--target", "cuda:sm_80", *images, "--check")
    assert "digits on cuda (Fake, kernels for sm_80), 4 of 9 layers on cpu (" in text, text
    assert "accuracy: 99 of 100 right" in text, text
    report = json.loads(call("run", even, "--target", "cuda", "--random", "1", "--json"))
    assert report["target"] == "cuda" and report["gpu"]["name"] == "Fake" and report["gpu"]["arch"] == "sm_90a"
    assert report["places"] == ["cuda", "cpu"] * 4 + ["cuda"], report["places"]
    assert call("run", cpu, "--target", "cuda", "--random", "1", status=2) == (
        "tessera: 'digits' has no kernels for a GPU; the ONNX model, compiled for 'cuda', has them\n")
    assert call("run", every, "--target", "cuda:sm_86", "--random", "1", status=2) == (
        "tessera: 'digits' has no kernels for 'sm_86'; it has 'sm_80', 'sm_90a'\n")
    return every


def one_package_everywhere(tmp):
    """Accelerator, CPU and GPU from one file, the same bits."""
    accel, both = os.path.join(tmp, "accel.tsr"), os.path.join(tmp, "both.tsr")
    call("compile", os.path.join(DIGITS, "digits.onnx"), "--also", "cpu", "-o", accel)
    subprocess.run([PACK, accel, both, "every"], check=True)
    outputs = []
    for target in ("accel", "cpu", "cpu:interpreter", "cuda"):
        path = os.path.join(tmp, target.replace(":", "-") + ".npy")
        call("run", both, "--target", target, "--input", os.path.join(DIGITS, "images.npy"), "--output", path, "--check")
        with open(path, "rb") as f:
            outputs.append(f.read())
    assert all(o == outputs[0] for o in outputs)


def kernels_by_llvm(tmp):
    """What the compiler makes has a block for each architecture, and every layer has kernels."""
    path, other = os.path.join(tmp, "llvm.tsr"), os.path.join(tmp, "sm_75.tsr")
    call("compile", os.path.join(DIGITS, "digits.onnx"), "--target", "cuda", "-o", path)
    report = json.loads(call("run", path, "--target", "cuda", "--random", "1", "--json"))
    assert set(report["places"]) == {"cuda"}, report["places"]
    call("compile", os.path.join(DIGITS, "digits.onnx"), "--also", "cuda:sm_90a", "-o", other)
    assert "it has 'sm_90a'" in call("run", other, "--target", "cuda:sm_80", "--random", "1", status=2)
    assert call("compile", path, "--also", "accel", "-o", other, status=2) == (
        "tessera: a model is made to run on 'cpu', 'cuda' or 'cuda:ARCH', too, not on 'accel'\n")


def ptx_text(tmp):
    path = os.path.join(tmp, "digits.ptx")
    call("compile", os.path.join(DIGITS, "digits.onnx"), "--target", "cuda:sm_90a", "--emit", "ptx=" + path)
    with open(path, encoding="ascii") as f:
        text = f.read()
    assert ".target sm_90a" in text and text.count(".visible .entry") > 5, text[:300]
    os.remove(path)
    said = call("compile", os.path.join(DIGITS, "digits.onnx"), "--target", "cuda", "--emit", "ptx=" + path, status=2)
    assert said == ("tessera: 'digits' has kernels for 2 architectures, and PTX is of one; target 'cuda:ARCH', such as "
                    "'cuda:sm_90a', makes one\n"), said
    assert "--emit 'text' is not ptx=FILE" in call("compile", "x.onnx", "--emit", "text", status=2)
    assert not os.path.exists(path)


def what_is_told(every):
    text = call("info")
    assert "gpu           Fake (sm_90, 4 processors, 1.0 GiB, 227 KiB of shared memory a block)" in text, text
    assert json.loads(call("info", "--json"))["gpu"]["driver_version"] == 12040
    limits = json.loads(call("info", "--gpu", "--json"))["gpu"]["limits"]
    assert set(limits) == {"bytes", "fp32", "tf32", "fp16", "bf16", "int8"}
    assert all(v > 0 for v in limits.values())
    assert "--gpu measures the GPU" in call("info", every, "--gpu", status=2)


def profiles(every):
    text = call("profile", every, "--target", "cuda")
    assert "digits on Fake (sm_90a)" in text and "10 kernels of 9 layers take 0.011 ms, less" in text, text
    p = json.loads(call("profile", every, "--target", "cuda", "--json", "--random", "1"))
    assert list(dict.fromkeys(k["layer"] for k in p["kernels"])) == [layer["name"] for layer in p["layers"]]
    conv = [layer for layer in p["layers"] if layer["macs"]][0]
    assert conv["op"].startswith("BlockedConv") and conv["kernels"] == 1 and abs(conv["seconds"] - 1e-6) < 1e-9
    assert conv["least_seconds"] > 0 and conv["limit"] in ("bytes", "int8")
    assert "target 'cuda' has text and --json" in call("profile", every, "--target", "cuda", "--csv", status=2)
    assert "target 'cuda' has no cycles" in call("trace", every, "--target", "cuda", "-o", "t.json", status=2)


def numbers(every):
    """GPUs by number; the fake has one."""
    report = json.loads(call("run", every, "--target", "cuda:0", "--random", "1", "--json"))
    assert set(report["places"]) == {"cuda"}, report["places"]
    said = call("run", every, "--target", "cuda:1", "--random", "1", status=2)
    assert said == "tessera: there is no GPU 1; the NVIDIA driver has 1, counted from 0\n", said
    for bad in ("cuda:", "cuda:1x", "cuda:-1", "cuda:1000"):
        said = call("run", every, "--target", bad, "--random", "1", status=2)
        assert f"target 'cuda' has no architecture '{bad[5:]}'" in said and "'cuda:1' is the second GPU" in said, said


def failures(every):
    said = call("run", every, "--target", "cuda", "--random", "1", fail="cuGraphLaunch:700", status=2)
    assert said == ("tessera: GPU Fake: launching a graph failed with CUDA_ERROR_ILLEGAL_ADDRESS: the fake driver was "
                    "told to fail; the GPU's context is lost: start the program again, or use `--target cpu`\n"), said
    said = call("run", every, "--target", "cuda", "--random", "1", fail="cuInit:100", status=2)
    assert said.startswith("tessera: GPU: starting the driver failed with CUDA_ERROR_NO_DEVICE: "), said
    assert "gpu           none: GPU: starting the driver failed" in call("info", fail="cuInit:100")
    rows = [json.loads(line) for line in
            call("check", every, every, "--target", "cuda", "--json", program=RUNNER).splitlines()]
    assert [(r["inputs"], r["status"], r["elsewhere"]) for r in rows] == [("random", "equal", 0)] * 2
    call("check", every, every, "--target", "cuda", "--json", fail="cuGraphLaunch:700", status=2)


def without_a_driver(every):
    if has_driver():
        return
    assert f"gpu           none: {NO_DRIVER}" in call("info", fake=False)
    assert json.loads(call("info", "--json", fake=False))["gpu"] is None
    for words in (["run", every, "--target", "cuda", "--random", "1"], ["info", "--gpu"],
                  ["run", os.path.join(DIGITS, "digits.onnx"), "--target", "cuda", "--random", "1"],
                  ["profile", every, "--target", "cuda"]):
        assert call(*words, fake=False, status=2) == f"tessera: {NO_DRIVER}\n", words
    call("run", every, "--target", "cpu", "--random", "1", fake=False)


def packed_floats(tmp):
    """gpu-check packs networks of f32 in the other float types, too."""
    model = os.path.join(os.path.dirname(SOURCE), "shared", "models", "mlperf_tiny_ad_autoencoder", "model_f32.onnx")
    if not os.path.exists(model):
        print(f"skipped: there is no {model}")
        return
    folder = os.path.join(tmp, "floats")
    env = {**os.environ, "TESSERA_BUILD": os.path.dirname(TESSERA)}
    subprocess.run([sys.executable, os.path.join(SOURCE, "scripts", "gpu-check"), "pack", "-o", folder, "--data", tmp, model],
                   check=True, env=env, stdout=subprocess.DEVNULL)
    names = sorted(n for n in os.listdir(os.path.join(folder, "networks")) if "model" in n and n.endswith(".tsr"))
    plain = "mlperf_tiny_ad_autoencoder.model_f32"
    assert names == sorted([plain + ".tsr", *(f"{plain}.{t}.tsr" for t in ("bf16", "f16", "tf32"))]), names


def parts(folder, env, *words, status=0):
    done = subprocess.run([sys.executable, os.path.join(folder, "run.py"), *words], env=env, capture_output=True, text=True)
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    with open(os.path.join(folder, "results", "parts.json"), encoding="utf-8") as f:
        return done.stdout, json.load(f)


def one_after_the_other(tmp, checks, env):
    """bench/cuda/run.py: what was done is not done again, what was cut off is, and a part that hangs ends with its children."""
    folder = os.path.join(tmp, "cuda")
    os.makedirs(folder)
    shutil.copy(os.path.join(SOURCE, "bench", "cuda", "run.py"), folder)
    os.symlink(checks, os.path.join(folder, "check"))
    words = ["--only", "check-networks", "--only", "times"]
    text, state = parts(folder, env, *words, "--seconds", "10", status=1)
    assert [row["what"] for row in state.values()] == ["cut off"] * 2 and "not begun" in text, (text, state)
    text, state = parts(folder, env, *words)
    assert state["check-networks"]["what"] == state["times"]["what"] == "done", state
    assert "networks: 2 rows, {'equal': 2}" in text and "digits: 0.0" in text, text
    text, state = parts(folder, env, *words)
    assert "networks: 2 rows" not in text and "check-networks   done" in text, text
    a_part_that_hangs(tmp, os.path.join(folder, "run.py"))


def is_running(process):
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as f:
            return f.read().split()[2] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def a_part_that_hangs(tmp, script):
    spec = importlib.util.spec_from_file_location("run", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    program = ("import subprocess, time; d = subprocess.DEVNULL; "
               "print(subprocess.Popen(['sleep', '60'], stdout=d, stderr=d).pid, flush=True); time.sleep(60)")
    out = io.StringIO()
    assert module.run_part([sys.executable, "-c", program], os.path.join(tmp, "log.txt"), 1, out) is None
    with open(os.path.join(tmp, "log.txt"), encoding="utf-8") as f:
        assert f.read() == out.getvalue() != ""
    child, until = int(out.getvalue()), time.monotonic() + 30
    while is_running(child) and time.monotonic() < until:  # a signal takes its time
        time.sleep(0.05)
    assert not is_running(child), "its child is still there"


def carried(tmp):
    """gpu-check: packed here, run in its folder, with kernels that the fake driver computes put in between."""
    folder, node = os.path.join(tmp, "gpu-check"), os.path.join(tmp, "data", "node")
    script = os.path.join(SOURCE, "scripts", "gpu-check")
    python = [sys.executable, script]
    os.makedirs(node)
    env = {**os.environ, "LD_LIBRARY_PATH": FAKE, "TESSERA_BUILD": os.path.dirname(TESSERA)}
    subprocess.run([*python, "pack", "-o", folder, "--data", os.path.join(tmp, "data"),
                    os.path.join(DIGITS, "digits.onnx")], check=True, env=env, stdout=subprocess.DEVNULL)
    packages = [os.path.join(folder, "networks", name) for name in ("accelerator.digits.tsr", "digits.tsr")]
    path = os.path.join(tmp, "report.json")
    run = [sys.executable, os.path.join(folder, "gpu-check"), "run", "--json", path, "--seed", "3"]
    done = subprocess.run(run, env=env, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr  # real kernels, which the fake does not compute
    with open(path, encoding="utf-8") as f:
        wrong = json.load(f)["networks"]["wrong"]
    assert [w["status"] for w in wrong] == ["differs"] * 2 and "on cuda): element " in wrong[0]["says"], wrong
    for package in packages:
        subprocess.run([PACK, package, package, "every"], check=True)
    done = subprocess.run(run, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(path, encoding="utf-8") as f:
        report = json.load(f)
    assert report["networks"]["count"] == {"equal": 2} and report["seed"] == 3
    assert [t["name"] for t in report["times"]] == ["accelerator.digits", "digits"] and report["info"]["gpu"]["limits"]["bytes"] > 0
    sleeper = shlex.join([sys.executable, "-c", "import time; time.sleep(9)"])
    hangs = subprocess.run([*run, "--under", sleeper, "--timeout", "0.3", "--no-times"], env=env,
                           capture_output=True, text=True)
    assert hangs.returncode == 1 and "exit status timeout" in hangs.stdout, hangs.stdout + hangs.stderr
    only_times = subprocess.run([*run, "--no-checks"], env=env, capture_output=True, text=True)
    with open(path, encoding="utf-8") as f:
        report = json.load(f)
    assert only_times.returncode == 0 and report["networks"]["rows"] == 0 and len(report["times"]) == 2, report
    assert "0.011 ms without copies" in only_times.stdout, only_times.stdout
    one_after_the_other(tmp, folder, env)
    env["FAKE_CUDA_FAIL"] = "cuGraphLaunch:700"
    done = subprocess.run(run, env=env, capture_output=True, text=True)
    assert done.returncode == 1 and "CUDA_ERROR_ILLEGAL_ADDRESS" in done.stdout, done.stdout + done.stderr
    if not has_driver():
        done = subprocess.run(python, env={**env, "LD_LIBRARY_PATH": ""}, capture_output=True, text=True)
        assert done.returncode == 2 and done.stderr == f"gpu-check: {NO_DRIVER}\n", done


def main():
    with tempfile.TemporaryDirectory() as tmp:
        every = networks(tmp)
        one_package_everywhere(tmp)
        kernels_by_llvm(tmp)
        ptx_text(tmp)
        what_is_told(every)
        profiles(every)
        numbers(every)
        failures(every)
        without_a_driver(every)
        packed_floats(tmp)
        carried(tmp)


if __name__ == "__main__":
    main()

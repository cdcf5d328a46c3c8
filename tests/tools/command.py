#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command from end to end on models/digits: python3 command.py COMMAND SOURCE_FOLDER TEST."""
import json
import os
import re
import subprocess
import sys
import tempfile


class World:
    def __init__(self, command, source, tmp):
        self.command, self.tmp = command, tmp
        self.digits = os.path.join(source, "models", "digits")

    def file(self, name):
        return os.path.join(self.digits, name)

    def made(self, name):
        return os.path.join(self.tmp, name)

    def call(self, *words, status=0):
        done = subprocess.run([self.command] + list(words), capture_output=True, cwd=self.tmp)
        text = done.stdout.decode() + done.stderr.decode()
        assert done.returncode == status, "%s: exit status %d\n%s" % (words, done.returncode, text)
        return done.stdout.decode()

    def json(self, *words, **more):
        return json.loads(self.call(*words, "--json", **more))


def read(path):
    with open(path, "rb") as f:
        return f.read()


def images(w):
    return ["--input", w.file("images.npy"), "--labels", w.file("labels.npy"),
            "--expect", w.file("expected.npy")]


def test_accuracy(w):
    for target in ("cpu", "accel", "accel:func"):
        r = w.json("run", w.file("digits.onnx"), "--target", target, "--tolerance", "1", *images(w))
        assert r["inferences"] == 100 and r["labels"] == 100
        assert r["accuracy"] >= 0.97, r["accuracy"]
        assert r["expect"][0]["top1_agreeing"] == 100
        assert r["expect"][0]["largest_difference_steps"] <= 1.001
        assert (r["counters"]["macs"] > 0) == (target != "cpu")


def test_check(w):
    for config in ("default", "tiny", "ecp5", "wide", "batch2"):
        r = w.json("run", w.file("digits.onnx"), "--check", "--random", "5", "--config", config)
        assert r["check"] is True
        assert r["model"]["config"] == config


def test_package(w):
    package = w.made("digits.tsr")
    w.call("compile", w.file("digits.onnx"), "-o", package)
    assert os.listdir(w.tmp) == ["digits.tsr"]
    a = w.json("run", w.file("digits.onnx"), *images(w), "--tolerance", "1")
    b = w.json("run", package, *images(w), "--tolerance", "1")
    for key in ("outputs", "counters", "accuracy", "expect"):
        assert a[key] == b[key], key
    assert a["model"]["layers"] == b["model"]["layers"]
    w.call("compile", w.file("digits.onnx"), "-o", w.made("again.tsr"))
    assert read(package) == read(w.made("again.tsr")), "compiling twice gives the same bytes"
    assert w.json("verify", package)["count"] == 0
    info = w.json("info", package)
    assert [s["name"] for s in info["sections"]] == ["manifest", "insns", "image", "tir", "const"]
    assert info["instructions"] == a["model"]["instructions"]


def test_outputs(w):
    for name in ("y.npy", "y.pb", "y.raw"):
        w.call("run", w.file("digits.onnx"), "--target", "cpu", "--input", w.file("images.npy"),
               "--output", w.made(name))
        w.call("run", w.file("digits.onnx"), "--target", "cpu", "--input", w.file("images.npy"),
               "--expect", w.made(name))
    assert read(w.made("y.npy"))[-4000:] == read(w.made("y.raw"))
    w.call("run", w.file("digits.onnx"), "--target", "cpu", "--random", "1", "--output",
           w.made("a.npy"))
    text = w.call("run", w.file("digits.onnx"), "--target", "cpu", "--random", "2", "--expect",
                  w.made("a.npy"), status=1)
    assert "beyond the tolerance of 0" in text
    others = ["--target", "cpu", "--random", "2", "--expect", w.made("a.npy")]
    found = w.json("run", w.file("digits.onnx"), *others, status=1)["expect"][0]
    steps = found["largest_difference_steps"]
    assert steps > 2 and not found["within_tolerance"]
    w.call("run", w.file("digits.onnx"), *others, "--tolerance", str(steps - 0.5), status=1)
    w.call("run", w.file("digits.onnx"), *others, "--tolerance", str(steps + 0.5))


def test_table(w):
    text = w.call("run", w.file("digits.onnx"), "--random", "1")
    r = w.json("info", w.file("digits.onnx"))
    for layer in r["layers"]:
        assert re.search(r"^%s " % re.escape(layer["name"]), text, re.M), layer["name"]
    totals = r["totals"]
    for key in ("macs", "dram_read_bytes", "dram_write_bytes", "instructions"):
        assert totals[key] == sum(layer[key] for layer in r["layers"])
        assert "{:,}".format(totals[key]) in text
    counted = w.json("run", w.file("digits.onnx"), "--random", "1")["counters"]
    assert counted["dram_read_bytes"] == totals["dram_read_bytes"]
    assert counted["dram_write_bytes"] == totals["dram_write_bytes"]


def test_dump(w):
    for stage in ("graph", "tir", "schedule", "stream"):
        text = w.call("run", w.file("digits.onnx"), "--dump", stage)
        heads = re.findall(r"^; %s: (.+)$" % stage, text, re.M)
        assert heads, stage
        one = w.call("run", w.file("digits.onnx"), "--dump", stage + ":" + heads[-1])
        assert re.findall(r"^; %s: (.+)$" % stage, one, re.M).count(heads[-1]) >= 1


def test_program(w):
    with open(w.made("p.tasm"), "w", encoding="ascii") as f:
        f.write("load inp sram=0 dram=0 n=2\nfinish\n.window 64\n")
    w.call("asm", "p.tasm", "-o", "p.tbin")
    w.call("disasm", "p.tbin", "-o", "q.tasm")
    w.call("asm", "q.tasm", "-o", "q.tbin")
    assert read(w.made("p.tbin")) == read(w.made("q.tbin"))
    assert w.json("verify", "p.tbin")["count"] == 0
    with open(w.made("bad.tasm"), "w", encoding="ascii") as f:
        f.write("load inp sram=0 dram=64 n=2\n.window 64\n")
    w.call("asm", "bad.tasm", "-o", "bad.tbin")
    r = w.json("verify", "bad.tbin", status=1)
    assert sorted(f["kind"] for f in r["findings"]) == ["end", "window"], r


def test_config(w):
    names = w.json("config", "show")
    assert names == ["default", "tiny", "ecp5", "wide", "batch2"]
    for name in names:
        assert w.json("config", "check", name)["hash"] == w.json("config", "show", name)["hash"]


def test_help(w):
    assert w.call("--version").startswith("tessera ")
    for name in ("run", "compile", "info", "asm", "disasm", "verify", "config"):
        assert name in w.call("--help")
        assert "examples:\n  tessera " + name in w.call(name, "--help")


def main():
    command, source, name = sys.argv[1:]
    with tempfile.TemporaryDirectory() as tmp:
        globals()["test_" + name](World(os.path.abspath(command), os.path.abspath(source), tmp))


if __name__ == "__main__":
    main()

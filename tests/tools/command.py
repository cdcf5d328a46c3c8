#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command from end to end on models/digits: python3 command.py COMMAND SOURCE_FOLDER TEST."""
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import xml.etree.ElementTree


NEED_VERILATOR = ("rtl", "cycle_and_rtl", "wave", "timeout", "lockstep", "rtl_build", "rtl_cache")


CANNOT_PRINT = b"tessera: the standard output cannot be written\n"


class World:
    def __init__(self, command, source, tmp):
        self.command, self.tmp = command, tmp
        self.digits = os.path.join(source, "models", "digits")

    def file(self, name):
        return os.path.join(self.digits, name)

    def made(self, name):
        return os.path.join(self.tmp, name)

    def run(self, *words, status=0, env=None):
        done = subprocess.run([self.command] + list(words), capture_output=True, cwd=self.tmp,
                              env=dict(os.environ, **(env or {})))
        text = done.stdout.decode() + done.stderr.decode()
        assert done.returncode == status, "%s: exit status %d\n%s" % (words, done.returncode, text)
        return done.stdout.decode(), done.stderr.decode()

    def call(self, *words, **more):
        return self.run(*words, **more)[0]

    def json_text(self, point):
        return read(os.path.join(self.digits, "..", "..", "configs", point + ".json"))

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


def layers_of(w, *words, **more):
    return w.json("compile", w.file("digits.onnx"), "-o", w.made("m.tsr"), *words,
                  **more)["model"]["layers"]


def test_tune(w):
    """Effort changes schedules and no bits."""
    total = {}
    for effort in ("-O0", "-O1", "-O2", "-O3"):
        run = w.json("run", w.file("digits.onnx"), "--target", "accel:cycle", "--random", "1",
                     "--check", "--tune-cache", "none", effort)
        total[effort] = run["counters"]["cycles"]
        layers = [l for l in layers_of(w, "--tune-cache", "none", effort) if l["instructions"]]
        assert all(l["bound_cycles"] > 0 for l in layers)
        assert all((l["found_cycles"] == 0) == (effort == "-O0") for l in layers)
    assert 0.9 * total["-O2"] < total["-O1"] < 1.1 * total["-O0"], total
    again = layers_of(w, "--tune-cache", "none")
    assert again == layers_of(w, "--tune-cache", "none", "-O1")
    for words in (["-O4"], ["-O"], ["-Ox"], ["--O", "7"]):
        _, said = w.run("info", w.file("digits.onnx"), *words, status=2)
        assert said.count("\n") == 1 and said.startswith("tessera: info: "), said


def test_tune_cache(w):
    """What was found is taken from the file, whatever it says: a schedule that does not fit is found anew."""
    cache = ["--tune-cache", w.made("c.sqlite")]
    first = layers_of(w, *cache)
    assert layers_of(w, *cache) == first == layers_of(w, "--tune-cache", "none")
    home = {"XDG_CACHE_HOME": w.made("home")}
    assert layers_of(w, env=home) == first
    assert os.path.exists(w.made("home/tessera/tune.sqlite"))
    assert layers_of(w, env={"XDG_CACHE_HOME": "/dev/null"}) == first
    with sqlite3.connect(w.made("c.sqlite")) as db:
        before = db.execute("SELECT count(*) FROM layer").fetchone()[0]
        # 8 nodes, no two of one shape, 3 groups of them; 8 layers with maps that stay in INP beside them
        assert before == 19, before
        db.execute("UPDATE layer SET text = 'split ys nothing 3 a b\n'")
    db.close()
    assert layers_of(w, *cache) == first
    for content in (b"no database, but long enough to be taken for one", b"SQLite format 3\0" + bytes(5000)):
        with open(w.made("bad.sqlite"), "wb") as f:
            f.write(content)
        _, said = w.run("compile", w.file("digits.onnx"), "-o", w.made("bad.tsr"), "--tune-cache",
                        w.made("bad.sqlite"), status=2)
        assert "bad.sqlite: is no cache of schedules, or is damaged" in said, said
        assert not os.path.exists(w.made("bad.tsr"))
        assert read(w.made("bad.sqlite")) == content


def edited(w, layer, pattern, new):
    """Writes the layer's schedule with one line changed; its name."""
    w.call("explain", w.file("digits.onnx"), layer, "-O0", "--apart", "-o", w.made("found.txt"))
    text = read(w.made("found.txt")).decode()
    found = re.findall(pattern, text)
    assert len(found) == 1, text
    with open(w.made("edited.txt"), "w") as f:
        f.write("# tried\n\n" + text.replace(found[0], new(found[0])))
    return w.made("edited.txt")


def test_explain(w):
    """Every part is there, in text and in JSON; numbers are those of profile and compile."""
    words = ["--tune-cache", "none", "--config", "tiny"]
    text = w.call("explain", w.file("digits.onnx"), "conv4.Conv", "--check", *words)
    for part in ("schedule\n", "loops, without a schedule\n", "loops, with it and tensorized\n",
                 "tiles of the result\n", "where operands live\n", "bound: ", "what keeps it from",
                 "the first tile\n", "call accel.gemm(", "check: every layer gave"):
        assert part in text, part
    e = w.json("explain", w.file("digits.onnx"), "conv4.Conv", *words)
    assert e["schedule"] in text and e["loops"] in text and all(r in text for r in e["reasons"])
    profile = w.json("profile", w.file("digits.onnx"), *words)
    layer = [l for l in profile["layers"] if l["name"] == "conv4.Conv"][0]
    assert e["cycles"] == layer["cycles"] and e["bound_cycles"] == layer["bound_cycles"]
    assert e["tile_count"] == len(e["tiles"]) > 1
    table = [l for l in layers_of(w, *words) if l["name"] == "conv4.Conv"][0]
    for key in ("found_cycles", "bound_cycles", "dram_read_bytes", "macs"):
        assert e[key] == table[key], key
    w.call("compile", w.file("digits.onnx"), "-o", w.made("p.tsr"), *words)
    assert w.json("explain", w.made("p.tsr"), "conv4.Conv") == e
    for name in ("pack image.q", "unpack dense.Gemm"):
        assert "layouts are changed by the CPU" in w.call("explain", w.file("digits.onnx"), name)
    assert w.json("explain", w.file("digits.onnx"), "pack image.q")["target"] == "cpu"
    _, said = w.run("explain", w.file("digits.onnx"), "conv4", status=2)
    assert "has no layer 'conv4'; did you mean 'conv4.Conv'?" in said, said


def test_explain_schedule(w):
    """A schedule that was changed gives other cycles and the same bits, or the line that is not legal."""
    tried = edited(w, "conv2.Conv", "split ys h [0-9]+ ho hi",
                   lambda old: "split ys h %d ho hi" % (2 if " 3 " in old else 3))
    e = w.json("explain", w.file("digits.onnx"), "conv2.Conv", "-O0", "--apart", "--schedule", tried, "--check")
    assert {t["size"][2] for t in e["tiles"]} in ({3, 1}, {2})
    c = e["comparison"]
    assert e["check"] is True and e["cycles"] == c["layer_cycles"] != c["found_layer_cycles"]
    assert c["network_cycles"] != c["found_network_cycles"]
    assert c["found_network_cycles"] == w.json("profile", w.file("digits.onnx"), "-O0", "--apart")["cycles"]
    text = w.call("explain", w.file("digits.onnx"), "conv2.Conv", "-O0", "--apart", "--schedule", tried,
                  "-o", w.made("again.txt"))
    assert "compared with the schedule that was found" in text
    assert read(w.made("again.txt")).decode() == e["schedule"]
    same = w.json("explain", w.file("digits.onnx"), "conv2.Conv", "-O0", "--apart", "--schedule",
                  w.made("found.txt"))["comparison"]
    assert same["layer_cycles"] == same["found_layer_cycles"]
    tried = edited(w, "conv2.Conv", "split ys h [0-9]+ ho hi", lambda old: "split ys h 1 ho ho")
    _, said = w.run("explain", w.file("digits.onnx"), "conv2.Conv", "-O0", "--apart", "--schedule", tried, status=2)
    assert re.search("line [0-9]+ of its schedule, 'split ys h 1 ho ho': ", said) and said.count("\n") == 1, said
    with open(w.made("binary"), "wb") as f:
        f.write(b"split\0")
    _, said = w.run("explain", w.file("digits.onnx"), "conv2.Conv", "--apart", "--schedule", w.made("binary"), status=2)
    assert "is no text, so no schedule" in said, said


def test_check(w):
    for config in ("default", "tiny", "ecp5", "wide", "batch2"):
        r = w.json("run", w.file("digits.onnx"), "--check", "--random", "5", "--config", config)
        assert r["check"] is True
        assert r["model"]["config"] == config


def test_threads(w):
    digits = w.file("digits.onnx"), "--target", "cpu", "--random", "1"
    w.call("run", *digits, "--check", "--threads", "1")
    for threads, says in (("0", "run: --threads 0 is no number of threads"),
                          ("two", "run: --threads 'two' is no whole number"),
                          ("1000000", "1000000 threads are asked for; 1 to ")):
        _, said = w.run("run", *digits, "--threads", threads, status=2)
        assert says in said, said


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
    assert [s["name"] for s in info["sections"]] == ["manifest", "insns", "image", "tir", "const", "code", "cuda"]
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


def test_float(w):
    """An int8 network keeps its bits, the float ends of it change by a rounding; a type that there is not."""
    for name, limit in (("f32", 0), ("tf32", 0), ("f16", 0.5), ("bf16", 0.5)):
        r = w.json("run", w.file("digits.onnx"), *images(w), "--target", "cpu", "--float", name,
                   "--tolerance", "1", "--check")
        assert r["expect"][0]["top1_agreeing"] == 100
        assert r["expect"][0]["largest_difference_steps"] <= limit
    assert "graph: floats" in w.call("run", w.file("digits.onnx"), "--float", "bf16", "--dump", "graph")
    _, said = w.run("run", w.file("digits.onnx"), "--random", "1", "--float", "f8", status=2)
    assert "there is no float type 'f8'; there are f32, tf32, f16 and bf16" in said, said
    level = "avx512bf16"  # which only what has bf16 gains from
    here = "%s (here)" % level in w.call("info")
    w.call("compile", w.file("digits.onnx"), "--target", "cpu", "-o", "d.tsr")
    said = w.run("run", "d.tsr", "--random", "1", "--target", "cpu:" + level, status=2)[1]
    assert ("no machine code for '%s'" if here else "does not have '%s'") % level in said, said


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


def modules_of(text):
    return re.findall(r"^module (\w+)", text, re.M)


def test_verilog(w):
    """One file has every module once, behind the macros of its design point, and Icarus takes it."""
    rtl = os.path.join(w.digits, "..", "..", "hw", "rtl")
    files = [os.path.join(at, f) for at in (rtl, os.path.join(rtl, "parts")) for f in os.listdir(at)
             if f.endswith(".v")]
    for point, block in (("tiny", 4), ("wide", 32)):
        w.call("config", "verilog", point, "-o", "point.v")
        text = read(w.made("point.v")).decode()
        assert text == w.call("config", "verilog", point)
        assert sorted(modules_of(text)) == sorted(m for f in files for m in modules_of(read(f).decode()))
        assert "`define TSR_BLOCK %d " % block in text and "`define TSR_OP_GEMM" in text
        assert "`include" not in text
        if shutil.which("iverilog"):
            subprocess.run(["iverilog", "-g2005", "-t", "null", "-s", "tessera", "point.v"], cwd=w.tmp,
                           check=True)


def made_ddr(w):
    """A design point with a memory of banks and rows, by a set and what differs from it."""
    memory = {"model": "ddr", "set": "ddr3-1066", "latency_cycles": 10, "tRFC": 86, "order": "fcfs"}
    return made_point(w, "ddr.json", memory)


def made_point(w, name, memory):
    point = dict(w.json("config", "show", "default")["keys"], memory=memory)
    with open(w.made(name), "w", encoding="utf-8") as f:
        json.dump(point, f)
    return name


def test_memory(w):
    shown = w.json("config", "show", "tiny")["memory"]
    assert shown == {"model": "simple", "latency_cycles": 4, "bytes_per_cycle": 4}
    assert w.json("config", "show", "default")["memory"] == {"model": "ideal"}
    ddr = made_ddr(w)
    shown = w.json("config", "show", ddr)["memory"]
    assert shown["tRFC"] == 86 and shown["tRCD"] == 7 and shown["order"] == "fcfs"
    assert "set" not in shown and "bytes_per_cycle" not in shown
    assert "memory, ddr, order fcfs" in w.call("config", "show", ddr)
    whole = made_point(w, "whole.json", shown)
    assert w.json("config", "show", whole)["memory"] == shown


def test_memory_limits(w):
    """Shown, and carried by a package: the same cycles, which are more than without."""
    free = {"model": "simple", "latency_cycles": 40, "bytes_per_cycle": 8}
    limited, digits = dict(free, reads=2, writes=1), w.file("digits.onnx")
    made_point(w, "free.json", free)
    made_point(w, "limited.json", limited)
    assert w.json("config", "show", "limited.json")["memory"] == limited
    assert "of reads in flight at most" in w.call("config", "show", "limited.json")
    w.call("compile", digits, "--config", "limited.json", "-o", "limited.tsra")
    cycles = [w.json("run", *words, "--random", "1", "--target", "accel:cycle")["counters"]["cycles"]
              for words in ([digits, "--config", "free.json"], [digits, "--config", "limited.json"],
                            ["limited.tsra"])]
    assert cycles[0] < cycles[1] == cycles[2], cycles


def on_rtl(w, *words, **more):
    return w.run("run", w.file("digits.onnx"), "--target", "accel:rtl", *words, **more)


def test_rtl_memory(w):
    """The RTL on it, by file and by package: the same cycles, which are more than on `ideal`."""
    ddr, digits = made_ddr(w), w.file("digits.onnx")
    w.call("compile", digits, "--config", ddr, "-o", "ddr.tsra")
    cycles = [w.json("run", *words, "--random", "1", "--target", "accel:rtl")["counters"]["cycles"]
              for words in ([digits], [digits, "--config", ddr], ["ddr.tsra"])]
    assert cycles[0] < cycles[1] == cycles[2], cycles


def test_rtl(w):
    out, _ = on_rtl(w, "--random", "1", "--json", "--check")
    rtl, func = json.loads(out), w.json("run", w.file("digits.onnx"), "--random", "1")
    assert rtl["check"] is True and rtl["device"] == "rtl"
    assert rtl["outputs"] == func["outputs"]
    cycles = rtl["counters"]["cycles"]
    assert cycles > 1000 and func["counters"]["cycles"] == 0
    for name in ("load_insns", "matrix_insns", "vector_insns", "store_insns", "dram_read_bytes",
                 "dram_write_bytes", "macs", "vector_ops"):
        assert rtl["counters"][name] == func["counters"][name], name
    assert sorted(rtl["activity"]) == ["fetch", "load", "matrix", "store", "vector"]
    for engine, states in rtl["activity"].items():
        assert sum(states.values()) == cycles, engine
    assert "activity" not in func
    out, _ = on_rtl(w, "--random", "1")
    assert "{:,} cycles, ".format(cycles) in out
    assert re.search("^engine +busy ", out, re.M) and re.search("^matrix ", out, re.M)
    out, _ = on_rtl(w, *images(w), "--json")
    assert json.loads(out)["counters"]["cycles"] == 100 * cycles, "cycles do not depend on data"


def on_cycle(w, *words, **more):
    return w.run("run", w.file("digits.onnx"), "--target", "accel:cycle", *words, **more)


def test_cycle(w):
    """Data as on func, time that only says when, and both the same time."""
    cycle, func = (w.json("run", w.file("digits.onnx"), "--random", "1", "--check", "--target", "accel:" + d)
                   for d in ("cycle", "func"))
    assert cycle["check"] is True and cycle["device"] == "cycle" and cycle["timing_only"] is False
    assert cycle["outputs"] == func["outputs"]
    cycles = cycle["counters"]["cycles"]
    assert cycles > 1000
    for engine, states in cycle["activity"].items():
        assert sum(states.values()) == cycles, engine
    out, _ = on_cycle(w, "--timing-only", "--json")
    timing = json.loads(out)
    assert timing["timing_only"] is True and timing["outputs"] is None
    for key in ("counters", "activity"):
        assert timing[key] == cycle[key], key
    out, _ = on_cycle(w, "--timing-only")
    assert "{:,} cycles, ".format(cycles) in out and "output '" not in out
    assert "timing only: outputs are not computed" in out
    out, _ = on_cycle(w, "--input", w.file("images.npy"), "--timing-only", "--json")
    assert json.loads(out)["counters"]["cycles"] == 100 * cycles
    _, said = on_cycle(w, "--random", "1", "--json", "--timeout", "2000", status=2)
    assert "device 'cycle' reached its timeout: the program has not ended after 2000 cycles; " in said


def test_cycle_and_rtl(w):
    one, two = (w.json("run", w.file("digits.onnx"), "--random", "1", "--target", "accel:" + d)
                for d in ("cycle", "rtl"))
    for key in ("outputs", "counters", "activity"):
        assert one[key] == two[key], key


def test_wave(w):
    _, said = on_rtl(w, "--random", "1", "--wave", "a.fst", "--wave-window", "100:149")
    small = read(w.made("a.fst"))
    layer = ["--wave", "b.fst", "--wave-layer", "conv4.Conv"]
    out, said = on_rtl(w, "--random", "1", *layer, "--json")
    assert said == "", "the model for waveforms is kept"
    cycles = json.loads(out)["counters"]
    assert 100 < cycles["wave_cycles"] < cycles["cycles"]
    assert 1000 < len(small) < len(read(w.made("b.fst")))
    out, _ = on_rtl(w, "--random", "1", "--wave", "c.fst", "--wave-window", "100:149")
    assert "c.fst: 50 cycles\n" in out
    none = wave_of(w, 1000000)
    assert none.returncode == 2 and none.stderr == (
        b"tessera: d.fst: there is no room for a waveform of 1048576 bytes: File too large\n"), none
    cut = wave_of(w, 1100000)
    assert cut.returncode == 2 and cut.stderr == (
        b"tessera: d.fst: the waveform was not written to its end; is the disk full?\n"), cut
    assert not [f for f in os.listdir(w.tmp) if f.startswith("d.fst")]
    assert wave_of(w, 10000000).returncode == 0 and len(read(w.made("d.fst"))) > 1100000


def wave_of(w, size):
    """A waveform where no file can be larger."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return subprocess.run([w.command, "run", w.file("digits.onnx"), "--random", "1", "--json", "--target",
                           "accel:rtl", "--tune-cache", "none", "--wave", "d.fst", "--wave-window", "0:6000"],
                          cwd=w.tmp, preexec_fn=limit, capture_output=True)


def test_timeout(w):
    _, said = on_rtl(w, "--random", "1", "--json", "--timeout", "2000", status=2)
    found = re.search("device 'rtl' reached its timeout: the program has not ended after 2000 "
                      "cycles((; [a-z]+ (waits|is) at instruction [0-9]+[^;]*)+)", said)
    assert found, said
    assert "; fetch waits at instruction " in found.group(1), said
    on_rtl(w, "--random", "1", "--timeout", "100000000")


def test_lockstep(w):
    out, _ = on_rtl(w, "--random", "1", "--lockstep")
    alone, _ = on_rtl(w, "--random", "1")
    line = re.search("[0-9,]+ cycles", alone).group(0)
    assert line in out, "time does not depend on who looks on"


def fake_tools(w, **scripts):
    """A PATH on which some tools are scripts."""
    folder = w.made("tools")
    os.makedirs(folder, exist_ok=True)
    for name, script in scripts.items():
        path = os.path.join(folder, name.replace("gxx", "g++"))
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + script)
        os.chmod(path, 0o755)
    return {"PATH": folder + ":" + os.environ["PATH"], "XDG_CACHE_HOME": w.made("cache")}


def built_models(w):
    return sorted(k for k in os.listdir(os.path.join(w.made("cache"), "tessera"))
                  if k.startswith("rtl-"))


def refused_build(w, env):
    _, said = on_rtl(w, "--random", "1", "--json", status=2, env=env)
    found = re.fullmatch(r"tessera: building the RTL of default; it is kept for the next time\n"
                         r"tessera: the RTL model cannot be built: (.*); (\S+\.log) says more\n",
                         said)
    assert found, said
    kept = built_models(w)
    stem = os.path.basename(found.group(2))[:-4]
    assert kept == [stem + ".lock", stem + ".log"], kept
    os.remove(found.group(2))
    os.remove(found.group(2)[:-4] + ".lock")
    return found.group(1)


def test_rtl_build(w):
    """A build that fails says why, and leaves nothing but its log."""
    _, said = on_rtl(w, "--random", "1", status=2, env={"XDG_CACHE_HOME": "/dev/null"})
    assert said == ("tessera: /dev/null/tessera: the cache of RTL models cannot be written: Not a "
                    "directory\n"), said
    env = fake_tools(w, verilator="echo some text\necho '%Error: hw/rtl/x.v:3:5: bad'\nexit 1\n")
    assert refused_build(w, env) == "verilator: %Error: hw/rtl/x.v:3:5: bad"
    env = fake_tools(w, verilator="exit 1\n")
    assert refused_build(w, env) == "verilator: it ended without a sentence"
    os.remove(w.made("tools/verilator"))
    env = fake_tools(w, gxx="echo 'x.h:1:2: fatal error: zlib.h: nowhere'\nexit 1\n")
    assert refused_build(w, env) == ("g++: x.h:1:2: fatal error: zlib.h: nowhere; waveforms need "
                                     "the Debian package zlib1g-dev")
    _, said = on_rtl(w, "--random", "1", status=2, env={"PATH": w.made("tools")})
    assert said == ("tessera: an RTL model is built by verilator, which is not installed; Debian "
                    "has it in the package verilator\n")


def test_rtl_cache(w):
    """Two at once build one model; one that is damaged is built again, and what a process left that was
    ended while it built is gone; with stderr closed, nothing of what is said goes into a file."""
    env = dict(os.environ, XDG_CACHE_HOME=w.made("cache"))
    words = [w.command, "run", w.file("digits.onnx"), "--config", "tiny", "--random", "1", "--json",
             "--target", "accel:rtl"]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
            for _ in range(2)]
    outs = [p.communicate() for p in both]
    assert [p.returncode for p in both] == [0, 0], outs
    assert json.loads(outs[0][0])["outputs"] == json.loads(outs[1][0])["outputs"]
    assert sorted(e.decode().split()[1] for _, e in outs) == ["building", "waiting"], outs
    folder = os.path.join(w.made("cache"), "tessera")
    kept = built_models(w)
    assert [os.path.splitext(k)[1] for k in kept] == [".lock", ".so"], kept
    with open(os.path.join(folder, kept[1]), "wb") as f:
        f.write(b"no model")
    os.makedirs(os.path.join(folder, kept[1][:-3] + ".Ab1xyZ", "obj"))
    done = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh"] + words + ["--tune-cache", "none"],
                          capture_output=True, env=env)
    assert done.returncode == 0 and json.loads(done.stdout)["outputs"], done
    assert built_models(w) == kept
    assert os.path.getsize(os.path.join(folder, kept[0])) == 0
    assert os.path.getsize(os.path.join(folder, kept[1])) > 10000


TRACKS = ("layers", "load", "matrix", "vector", "store", "fetch")


def traced(w, *words):
    """The events of a trace by track, and what it says of itself."""
    about = w.json("trace", w.file("digits.onnx"), "-o", w.made("t.json"), *words)
    with open(w.made("t.json"), "rb") as f:
        text = f.read()
    assert len(text) == about["bytes"], about
    trace = json.loads(text)
    names = {e["tid"]: e["args"]["name"] for e in trace["traceEvents"]
             if e["name"] == "thread_name"}
    assert tuple(names[t] for t in sorted(names)) == TRACKS, names
    slices = {name: [] for name in TRACKS}
    for e in trace["traceEvents"]:
        if e["ph"] == "X":
            slices[names[e["tid"]]].append(e)
    counts = [e for e in trace["traceEvents"] if e["ph"] == "C"]
    return about, trace["otherData"], slices, counts


def cycles_of(e, mhz):
    first, cycles = e["ts"] * mhz, e["dur"] * mhz
    assert abs(first - round(first)) < 1e-6 and abs(cycles - round(cycles)) < 1e-6, e
    assert round(cycles) == e["args"]["cycles"], e
    return round(first), round(first) + round(cycles)


def outer_slices(slices, mhz):
    """Slices of a track follow each other; stalls may lie inside of an instruction."""
    outer, sums = [], {}
    for e in slices:
        first, end = cycles_of(e, mhz)
        state = e["args"]["state"] if e["cat"] == "stall" else "busy"
        sums[state] = sums.get(state, 0) + (e["args"]["busy"] if state == "busy" else end - first)
        if state != "busy" and outer and first < outer[-1][1]:
            assert first >= outer[-1][0] and end <= outer[-1][1], e
            assert outer[-1][2]["cat"] == "instruction"
        else:
            assert not outer or first >= outer[-1][1], e
            outer.append((first, end, e))
    return outer, sums


def test_trace(w):
    """Every cycle of every engine is in a slice of its state; every byte in the bandwidth."""
    run = w.json("run", w.file("digits.onnx"), "--target", "accel:cycle", "--timing-only")
    about, head, slices, counts = traced(w)
    mhz, cycles = head["clock_mhz"], run["counters"]["cycles"]
    assert about["cycles"] == head["cycles"] == cycles
    assert about["merged_below_cycles"] == about["merged_stalls"] == 0
    assert about["instructions"] == run["model"]["instructions"] - 1  # FINISH has no engine
    layers, _ = outer_slices([dict(e, cat="instruction", args=dict(e["args"], busy=0))
                              for e in slices["layers"]], mhz)
    assert [e["name"] for _, _, e in layers] == [
        l["name"] for l in run["model"]["layers"] if l["instructions"]]
    for engine in TRACKS[1:]:
        _, sums = outer_slices(slices[engine], mhz)
        counted = {k: v for k, v in run["activity"][engine].items() if v and k != "idle"}
        assert {k: v for k, v in sums.items() if v} == counted, (engine, sums, counted)
    gemms = [e for e in slices["matrix"] if e["cat"] == "instruction"]
    assert len({e["args"]["instruction"] for e in gemms}) == run["counters"]["matrix_insns"]
    assert gemms[0]["name"] == "gemm conv1.Conv" and gemms[0]["args"]["text"].startswith("gemm uops=")
    kinds = [e["args"]["of_its_kind"].split(" of ") for e in gemms if e["name"] == gemms[0]["name"]]
    assert kinds == [[str(k + 1), str(len(kinds))] for k in range(len(kinds))], kinds
    waits = {e["name"] for e in slices["matrix"] if e["cat"] == "stall"}
    assert waits & {"token: load", "token: load, vector"} and "token" not in waits, waits
    moved = [e["args"] for e in counts if e["name"].startswith("DRAM")]
    width = about["bandwidth_cycles"]
    sums = dict.fromkeys(("load", "fetch", "store"), 0)
    stamps = [round(e["ts"] * mhz) for e in counts if e["name"].startswith("DRAM")] + [cycles]
    for value, at, end in zip(moved, stamps, stamps[1:]):
        for key in sums:
            sums[key] += value[key] * max(1, (end - at) // width)
    assert sums["store"] == run["counters"]["dram_write_bytes"], sums
    assert sums["load"] >= run["counters"]["dram_read_bytes"], sums
    tokens = {e["name"] for e in counts if e["name"].startswith("tokens")}
    assert "tokens load to matrix" in tokens and "tokens matrix to store" not in tokens


def test_trace_merged(w):
    whole, _, _, _ = traced(w)
    about, head, slices, _ = traced(w, "--megabytes", "0.09")
    assert about["bytes"] <= 90000 < whole["bytes"]
    assert about["merged_below_cycles"] > 0 and about["merged_stalls"] > 0
    assert head["merged_below_cycles"] == about["merged_below_cycles"]
    for engine in TRACKS[1:]:
        outer_slices(slices[engine], head["clock_mhz"])
    assert any(e["args"].get("merged", 1) > 1 for e in slices["load"])
    text = w.call("trace", w.file("digits.onnx"), "-o", "t.json", "--megabytes", "0.09")
    assert "merged to fit" in text
    assert "nothing was merged" in w.call("trace", w.file("digits.onnx"), "-o", "t.json")
    said = w.run("trace", w.file("digits.onnx"), "-o", "t.json", "--megabytes", "0.001", status=2)[1]
    assert "bytes are left when all that repeats is merged" in said
    assert sorted(os.listdir(w.tmp)) == ["t.json"]


def test_profile(w):
    """All sums are the machine's cycles; data changes nothing; the same from a package."""
    run = w.json("run", w.file("digits.onnx"), "--target", "accel:cycle", "--timing-only")
    p = w.json("profile", w.file("digits.onnx"))
    assert p["cycles"] == run["counters"]["cycles"]
    for rows in ("stack", "layers", "critical_path"):
        assert sum(row["cycles"] for row in p[rows]) == p["cycles"], rows
    for row in p["stack"]:
        assert row["cycles"] == sum(layer["stack"][row["name"]] for layer in p["layers"]), row
    for layer in p["layers"]:
        assert layer["cycles"] == sum(layer["stack"].values()), layer
    stack = {row["name"]: row["cycles"] for row in p["stack"]}
    assert stack["matrix"] == run["activity"]["matrix"]["busy"]
    known = {l["name"]: l for l in run["model"]["layers"]}
    for layer in p["layers"]:
        for key in ("macs", "instructions"):
            assert layer[key] == known[layer["name"]][key]
        assert layer["read_bytes"] == known[layer["name"]]["dram_read_bytes"]
    assert all(q["cycles"] <= p["cycles"] for q in p["what_if"])
    names = [q["name"] for q in p["what_if"]]
    assert "tokens free" in names and "memory x2" not in names  # the memory is ideal
    assert w.json("profile", w.file("digits.onnx"), "--random", "3") == p
    w.call("compile", w.file("digits.onnx"), "-o", "d.tsr")
    assert w.json("profile", "d.tsr") == p
    text = w.call("profile", w.file("digits.onnx"))
    assert "{:,} cycles".format(p["cycles"]) in text and "conv4.Conv" in text
    rows = w.call("profile", w.file("digits.onnx"), "--csv").splitlines()
    assert len(rows) == 1 + len(p["layers"]) and rows[0].startswith("layer,op,cycles,")
    assert sum(int(row.split(",")[2]) for row in rows[1:]) == p["cycles"]


def test_machine(w):
    """A row for each level that the CPU has, dtype, number of threads and place."""
    here = re.findall(r"(\w+) \(here\)", w.call("info"))
    m = w.json("info", "--machine")
    threads = sorted({1, m["cores"]})
    assert [(p["threads"], p["level"], p["dtype"]) for p in m["peaks"]] == [
        (n, level, dtype) for n in threads for level in here
        for dtype in ("f32", "i8") + (("bf16",) if level == "avx512bf16" else ())]
    assert [(b["threads"], b["place"]) for b in m["bandwidths"]] == [
        (n, place) for n in threads for place in ("L1", "L2", "L3", "DRAM")]
    assert all(p["ops_per_s"] > 0 for p in m["peaks"])
    assert all(b["read_bytes_per_s"] > 0 and b["copy_bytes_per_s"] > 0 for b in m["bandwidths"])
    text = w.call("info", "--machine")
    assert text.startswith("%d core" % m["cores"])
    assert all(word in text for word in here + ["GOP/s", "DRAM"])
    said = w.run("info", w.file("digits.onnx"), "--machine", status=2)[1]
    assert "a model has no place there" in said


def cpu_profile(w, *words):
    """Counts and bounds are those of the model and the machine; only seconds are the clock's."""
    p = w.json("profile", *words)
    for layer in p["layers"]:
        least = max(layer["compute_s"], layer["memory_s"])
        assert (layer["limit"] == "compute") == (layer["compute_s"] >= layer["memory_s"]), layer
        assert layer["seconds"] > 0 and layer["bytes"] > 0
        assert abs(layer["fraction_of_peak"] - least / layer["seconds"]) < 1e-9
    assert p["ops"] == sum(layer["ops"] for layer in p["layers"])
    assert p["bytes"] == sum(layer["bytes"] for layer in p["layers"])
    return p


def test_profile_cpu(w):
    model = w.json("info", w.file("digits.onnx"), "--target", "cpu")
    p = cpu_profile(w, w.file("digits.onnx"), "--target", "cpu", "--runs", "5", "--threads", "1")
    assert p["model"] == "digits" and p["runs"] == 5 and p["threads"] == 1
    assert [l["name"] for l in p["layers"]] == [l["name"] for l in model["layers"]]
    assert [l["ops"] for l in p["layers"]] == [2 * l["macs"] for l in model["layers"]]
    assert not any(l["interpreted"] for l in p["layers"])
    assert [l.get("nodes") for l in p["layers"]] == [l.get("nodes") for l in model["layers"]]
    average = {l["name"]: l for l in p["layers"]}["average.GlobalAveragePool"]
    assert average["nodes"] == "average.GlobalAveragePool, flatten.Flatten" # a view takes no time
    assert average["bytes"] == (2 * 2 + 1) * 64 and average["ops"] == 0 and average["limit"] == "L1"
    conv = {l["name"]: l for l in p["layers"]}["conv3.Conv"]
    assert conv["op"] == "BlockedConv+QAdd" and conv["nodes"] == "conv3.Conv, add.Add"
    assert model["host_bytes"] < model["host_separate_bytes"]
    peak = [q["ops_per_s"] for q in p["machine"]["peaks"]
            if (q["level"], q["dtype"], q["threads"]) == (p["level"], "i8", 1)]
    conv = {l["name"]: l for l in p["layers"]}["conv2.Conv"]
    assert abs(conv["compute_s"] * peak[0] / conv["ops"] - 1) < 1e-12
    w.call("compile", w.file("digits.onnx"), "-o", "d.tsr", "--target", "cpu")
    packaged = cpu_profile(w, "d.tsr", "--target", "cpu:sse2", "--input", w.file("images.npy"))
    assert packaged["level"] == "sse2" and 3 <= packaged["runs"] <= 100
    assert [l["bytes"] for l in packaged["layers"]] == [l["bytes"] for l in p["layers"]]
    slow = cpu_profile(w, "d.tsr", "--target", "cpu:interpreter", "--runs", "1")
    assert slow["level"] == "interpreter" and all(l["interpreted"] for l in slow["layers"])
    cores = p["machine"]["cores"]
    everywhere = cpu_profile(w, w.file("digits.onnx"), "--target", "cpu", "--runs", "3", "--threads", str(cores))
    assert everywhere["threads"] == cores
    text = w.call("profile", w.file("digits.onnx"), "--target", "cpu", "--runs", "3", "--threads", "1")
    assert text.startswith("digits on cpu:%s, 1 thread: " % p["level"]) and "the median of 3" in text
    assert "conv4.Conv" in text and "of peak" in text


def test_profile_cpu_refusals(w):
    digits = w.file("digits.onnx")
    for words, sentence in (
            (("--target", "cpu", "--csv"), "--csv is for cycles of the accelerator"),
            (("--target", "cpu", "--html", "a.html"), "--html is for cycles of the accelerator"),
            (("--target", "cpu", "--diff", "a.json"), "--diff is for cycles of the accelerator"),
            (("--target", "cpu", "--runs", "x"), "'x' is no whole number"),
            (("--target", "cpu", "--runs", "1000001"), "there can be 1 to 1000000"),
            (("--target", "cpu:no"), "no"),
            (("--target", "cpu", "--threads", "0"), "--threads 0 is no number of threads"),
            (("--target", "cpu", "--threads", "1000000"), "1000000 threads are asked for; 1 to "),
            (("--threads", "1"), "--threads is for --target cpu"),
            (("--runs", "3"), "--runs is for --target cpu")):
        assert sentence in w.run("profile", digits, *words, status=2)[1], words
    assert os.listdir(w.tmp) == []


def narrow_memory(w, name, rate):
    point = json.loads(w.json_text("default"))
    point["memory"] = {"model": "simple", "latency_cycles": 20, "bytes_per_cycle": rate}
    with open(w.made(name), "w", encoding="ascii") as f:
        json.dump(point, f)


def test_what_if(w):
    """What the graph says of a memory twice as wide is near what the same stream takes with one: nothing is
    searched for."""
    for rate in (2, 4, 8):
        narrow_memory(w, "m%d.json" % rate, rate)
    for rate in (2, 4):
        w.call("compile", w.file("digits.onnx"), "-O0", "--config", "m%d.json" % rate, "-o", "d.tsr")
        narrow = w.json("profile", "d.tsr")
        wide = w.json("profile", "d.tsr", "--config", "m%d.json" % (2 * rate))
        assert narrow["config"] == "m%d" % rate and wide["config"] == "m%d" % (2 * rate)
        guess = {q["name"]: q["cycles"] for q in narrow["what_if"]}["memory x2"]
        assert wide["cycles"] < narrow["cycles"] and guess < narrow["cycles"]
        assert abs(guess / wide["cycles"] - 1) < 0.05, (guess, wide["cycles"])


def test_profile_page(w):
    """The page needs nothing else, and says what changed since another run."""
    narrow_memory(w, "m.json", 2)
    before = w.call("profile", w.file("digits.onnx"), "--json")
    with open(w.made("before.json"), "w", encoding="utf-8") as f:
        f.write(before)
    text = w.call("profile", w.file("digits.onnx"), "--config", "m.json", "--diff", "before.json",
                  "--html", "page.html")
    now = w.json("profile", w.file("digits.onnx"), "--config", "m.json")
    change = "{:+.1f} %".format(100 * (now["cycles"] / json.loads(before)["cycles"] - 1))
    assert "compared with digits" in text and change in text
    page = read(w.made("page.html")).decode()
    assert change in page and page.count("<svg") == 3 and page.count("</svg>") == 3
    assert "{:,}".format(now["cycles"]) in page
    for word in ("http", "src=", "url(", "<script", "@import"):
        assert word not in page, word
    stack, layers, roofline = [xml.etree.ElementTree.fromstring(text) for text in
                               re.findall(r"<svg.*?</svg>", page, re.S)]
    assert abs(sum(float(r.get("width")) for r in stack.iter("rect")) - 960) < 0.1
    bars = [t.text for t in layers.iter("text") if t.get("class") == "number"]
    assert bars == ["{:,}".format(layer["cycles"]) for layer in now["layers"]]
    assert len(list(roofline.iter("circle"))) == sum(bool(l["macs"]) for l in now["layers"])
    same = w.call("profile", w.file("digits.onnx"), "--diff", "before.json")
    assert set(re.findall(r"[-+][0-9.]+ %$", same, re.M)) == {"+0.0 %"}


def test_help(w):
    assert w.call("--version").startswith("tessera ")
    for name in ("run", "compile", "info", "asm", "disasm", "verify", "config",
                 "trace", "profile"):
        assert name in w.call("--help")
        assert "examples:\n  tessera " + name in w.call(name, "--help")
        assert w.call(name, "-h") == w.call(name, "--help")
    for words in (["--help"], ["--version"], ["run", "--help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([w.command] + words, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 2 and done.stderr == CANNOT_PRINT, (words, done)


def test_closed(w):
    """Streams that are closed: what is printed goes into no file that the command opens."""
    for closed in (">&-", "<&- >&-", "<&- >&- 2>&-"):
        line = "'%s' asm '%s' -o x.tbin && '%s' disasm x.tbin %s; test $? = 2" % (
            w.command, w.made("long.tasm"), w.command, closed)
        with open(w.made("long.tasm"), "w", encoding="ascii") as f:
            f.write("sync load\n" * 2000 + "finish\n")
        done = subprocess.run(line, shell=True, cwd=w.tmp, capture_output=True)
        assert done.returncode == 0, (closed, done)
        assert done.stderr == (b"" if "2>" in closed else CANNOT_PRINT), (closed, done)


def main():
    command, source, name = sys.argv[1:]
    if name in NEED_VERILATOR and not shutil.which("verilator"):
        print("skipped: verilator is not installed")
        return 77
    with tempfile.TemporaryDirectory() as tmp:
        globals()["test_" + name](World(os.path.abspath(command), os.path.abspath(source), tmp))
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""tessera-platform from the command line. usage: command.py TESSERA PLATFORM SOURCE-FOLDER"""
import json
import os
import re
import subprocess
import sys
import tempfile

tessera, platform, source = sys.argv[1:4]
failed = 0


def expect(good, what):
    global failed
    if not good:
        failed += 1
        print("FAILED:", what)


def run(*arguments):
    r = subprocess.run([platform, *arguments], capture_output=True, text=True)
    return r.returncode, r.stdout, r.stderr


def cycles(text):
    return re.findall(r"(\d+) cycles", text)


with tempfile.TemporaryDirectory() as folder:
    program = os.path.join(folder, "conv.tbin")
    subprocess.run([tessera, "asm", source + "/examples/conv.tasm", "-o", program], check=True)
    point = json.load(open(source + "/configs/default.json"))
    point["memory"] = {"model": "ddr", "set": "ddr3-1066", "latency_cycles": 10}
    ddr = os.path.join(folder, "ddr.json")
    json.dump(point, open(ddr, "w"))

    point["memory"] = {"model": "simple", "latency_cycles": 40, "bytes_per_cycle": 8, "reads": 1}
    limited = os.path.join(folder, "limited.json")
    json.dump(point, open(limited, "w"))
    for timing in "--lt", "--at":
        status, out, err = run(timing, "--config", limited, program)
        expect(status == 0 and "counters equal" in out, f"a limit, {timing}: {status}: {out}{err}")

    for config in ("default", ddr):
        for mode in ("--lt", "--at"):
            for dmi in ((), ("--no-dmi",)):
                status, out, err = run(mode, *dmi, "--config", config, program)
                expect(status == 0, f"{config} {mode} {dmi}: status {status}: {out}{err}")
                both = cycles(out)
                exact = config == "default" or mode == "--at"
                expect(len(both) == 2 and (both[0] == both[1] or not exact), f"{mode}: {both}")
                expect("copies" in out if dmi else "direct access" in out, f"{dmi}: {out}")

    with open("/dev/full", "w") as full:
        r = subprocess.run([platform, program], stdout=full, stderr=subprocess.PIPE, text=True)
    expect(r.returncode == 2 and "the standard output cannot be written" in r.stderr, f"full: {r}")

    for arguments, sentence in [
        (["no.tbin"], "no.tbin: "),
        ([], "it takes a program file"),
        (["--fast", program], "not --fast"),
        ([program, program], "it takes one program"),
        (["--config"], "not --config"),
        (["--config", "none", program], "none"),
        ([source + "/README.md"], "README.md: "),
    ]:
        status, out, err = run(*arguments)
        expect(status == 2 and sentence in err, f"{arguments}: status {status}: {err}")
    status, out, err = run("--help")
    expect(status == 0 and "PROGRAM.tbin" in out, "--help")

sys.exit(failed != 0)

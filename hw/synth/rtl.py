# SPDX-License-Identifier: Apache-2.0
"""The RTL at a design point, as linters and Yosys read it: its files, and a folder with its two headers."""
import glob
import os
import re
import resource
import shutil
import subprocess

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("TESSERA_BUILD", os.path.join(HERE, "build"))
RTL = os.path.join(HERE, "hw", "rtl")
STAND_IN = os.path.join(HERE, "hw", "synth", "ram.v")
PACKAGES = {"verilator": "verilator", "iverilog": "iverilog", "yosys": "yosys"}  # Debian's
STANDING = ("default", "tiny", "ecp5", "wide", "batch2")
MEMORY = 8 << 30  # of one tool
MOST_SLICES = 8  # of a WGT entry, before Yosys reads STAND_IN


class Refused(Exception):
    """What is wrong with the command line, the tools or the build."""


def need(tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Refused(f"{tool} is not installed; Debian's package {PACKAGES[tool]} has it")


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def call(args, seconds):
    """Runs a tool; what it printed, and its exit status: None when it took longer."""
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, preexec_fn=limit,
                          start_new_session=True) as child:
        try:
            return child.communicate(timeout=seconds)[0], child.returncode
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            return child.communicate()[0], None
        except BaseException:
            os.killpg(child.pid, 9)
            raise


def must(args):
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused((done.stderr or done.stdout).strip()[-1000:].removeprefix("design_vh: "))
    return done.stdout


def build_tools():
    """What makes the headers."""
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        raise Refused("the headers of the RTL come out of a build: run scripts/build first")
    must(["cmake", "--build", BUILD, "--target", "isa_gen", "design_vh"])


class Point:
    """A design point: a standing one, or a JSON file; its headers are written below `work`."""

    def __init__(self, name_or_path, work, rtl=RTL):
        self.name = re.sub(r"\.json$", "", os.path.basename(name_or_path))
        self.folder = os.path.join(work, self.name)
        self.rtl = rtl
        self.design = must([os.path.join(BUILD, "configs", "design_vh"), name_or_path])
        os.makedirs(self.folder, exist_ok=True)
        isa = must([os.path.join(BUILD, "isa", "isa_gen"), "verilog"])
        for name, text in (("tsr_isa.vh", isa), ("tsr_design.vh", self.design)):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
                f.write(text)

    def macro(self, name):
        return int(re.search(rf"^`define TSR_{name} (\d+)", self.design, re.MULTILINE)[1])

    def wgt_bits(self):
        """Of an entry of WGT, the widest word of the machine."""
        return 8 * self.macro("BLOCK") ** 2

    def includes(self):
        return [f"-I{self.folder}", f"-I{self.rtl}"]

    def files(self):
        return sorted(glob.glob(os.path.join(self.rtl, "*.v")) +
                      glob.glob(os.path.join(self.rtl, "parts", "*.v")))

    def read_into_yosys(self, top="tessera"):
        """Commands of Yosys, up to processes turned into cells."""
        files = self.files()
        if self.wgt_bits() > MOST_SLICES * self.macro("AXI_BITS"):
            files = [STAND_IN if name.endswith("/parts/ram.v") else name for name in files]
        return [f"read_verilog {' '.join(self.includes() + files)}",
                f"hierarchy -check -top {top}", "proc", "check -assert", "opt_clean"]

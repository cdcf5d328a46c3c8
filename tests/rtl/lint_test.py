# SPDX-License-Identifier: Apache-2.0
"""The linters notice what they are run for: faults in a copy of the RTL. And what Yosys reads instead of
hw/rtl/parts/ram.v does the same."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINT = os.path.join(HERE, "scripts", "lint-rtl")
PARTS = os.path.join(HERE, "hw", "rtl", "parts")
SYNTH = os.path.join(HERE, "hw", "synth")
SKIPS = "is not installed; Debian's package"

# A line of skid_buffer.v, what it becomes, and what must be said of it.
SPOILT = "assign ready_o = !spare_valid_q;"
FAULTS = {
    "a width": ("wire [1:0] spoilt = 3'd1; assign ready_o = spoilt[spare_valid_q];",
                r"verilator: %Warning-WIDTH.*skid_buffer\.v"),
    "an unused signal": (SPOILT + " wire spoilt = valid_i;",
                         r"verilator: %Warning-UNUSED.*skid_buffer\.v"),
    "an undeclared name": ("assign ready_o = spoilt;", r"iverilog: .*skid_buffer\.v.*error"),
    "a latch": ("reg spoilt; always @(*) if (valid_i) spoilt = !spare_valid_q; assign ready_o = spoilt;",
                r"yosys: latch: .*skid_buffer.*spoilt"),
    "two drivers": (SPOILT + " assign ready_o = valid_q;",
                    r"yosys: Warning: multiple conflicting drivers for .*skid_buffer"),
    "no driver": ("wire spoilt; assign ready_o = spoilt;",
                  r"yosys: Warning: Wire .*spoilt is used but has no driver"),
    "a loop": ("wire spoilt = !ready_o; assign ready_o = spoilt && !spare_valid_q;",
               r"yosys: Warning: found logic loop"),
}


def lint(*words, **more):
    done = subprocess.run([sys.executable, LINT, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **more)
    return done.returncode, done.stdout


class Lint(unittest.TestCase):
    def test_planted_faults(self):
        for name, (fault, said) in FAULTS.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as tmp:
                copy = os.path.join(tmp, "rtl")
                shutil.copytree(os.path.dirname(PARTS), copy)
                path = os.path.join(copy, "parts", "skid_buffer.v")
                with open(path, encoding="utf-8") as f:
                    text = f.read()
                self.assertEqual(text.count(SPOILT), 1)
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text.replace(SPOILT, fault))
                status, out = lint("tiny", "--rtl", copy, "--work", tmp)
                self.assertEqual(status, 1, out)
                self.assertRegex(out, said)
                self.assertIn("0 of 1 design points are clean", out)

    def test_missing_tools(self):
        with tempfile.TemporaryDirectory() as tmp:
            status, out = lint("tiny", env=dict(os.environ, PATH=tmp))
            self.assertEqual((status, out), (2, f"lint-rtl: verilator {SKIPS} verilator has it\n"))

    def test_unknown_point(self):
        status, out = lint("tinny")
        self.assertEqual(status, 2, out)
        self.assertIn("no standing design point and no file", out)


class StandIn(unittest.TestCase):
    def same(self, data, old="", new=""):
        """Whether both RAMs give the same for 8 cycles from zeros on, at 3 words of 3 slices."""
        with tempfile.TemporaryDirectory() as tmp:
            for name, folder in (("gold", PARTS), ("gate", SYNTH)):
                with open(os.path.join(folder, "ram.v"), encoding="utf-8") as f:
                    text = f.read().replace("module ram ", f"module {name} ")
                if name == "gate" and old:
                    self.assertIn(old, text)
                    text = text.replace(old, new)
                with open(os.path.join(tmp, f"{name}.v"), "w", encoding="utf-8") as f:
                    f.write(text)
            parts = os.path.join(PARTS, "require.v")
            done = subprocess.run(["yosys", "-p", "; ".join([
                f"read_verilog gold.v gate.v {parts}",
                f"chparam -set WIDTH 6 -set SLICE 2 -set DATA {data} -set DEPTH 3 gold gate",
                "hierarchy -check; proc; flatten; memory; opt",
                "miter -equiv -flatten gold gate miter; hierarchy -top miter",
                "sat -tempinduct -tempinduct-baseonly -maxsteps 8 -set-init-zero -prove trigger 0 miter"
            ])], cwd=tmp, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-2000:])
            return "proved base case for 8 steps: SUCCESS!" in done.stdout

    def test_it_does_the_same(self):
        self.assertTrue(self.same(2))
        self.assertTrue(self.same(6))

    def test_a_difference_is_found(self):
        self.assertFalse(self.same(2, "(read_i)", "(1'b1)"))
        self.assertFalse(self.same(6, "i*SLICE%DATA", "0"))


if __name__ == "__main__":
    for tool in ("verilator", "iverilog", "yosys"):
        if not shutil.which(tool):
            print(f"skipped: {tool} {SKIPS} {tool} has it")
            sys.exit(77)
    unittest.main()

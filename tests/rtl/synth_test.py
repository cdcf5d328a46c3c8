# SPDX-License-Identifier: Apache-2.0
"""scripts/synth counts right, and notices what must not be: on a small machine in place of the RTL."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SYNTH = os.path.join(HERE, "scripts", "synth")
PARTS = os.path.join(HERE, "hw", "rtl", "parts")

# Two RAMs of 32 x 256, and `more`: it has a memory of its own.
TOP = """
module tessera (input wire clk_i, input wire we_i, input wire [8:0] a_i, input wire [31:0] d_i,
                output wire [31:0] x_o, output wire [31:0] y_o, output wire [7:0] z_o);
  ram #(.WIDTH(32), .DEPTH(256)) x (.clk_i(clk_i), .write_i(we_i), .write_addr_i(a_i[7:0]),
    .write_data_i(d_i), .read_i(!we_i), .read_addr_i(a_i[7:0]), .read_data_o(x_o));
  ram #(.WIDTH(32), .DEPTH(256)) y (.clk_i(clk_i), .write_i(we_i), .write_addr_i(a_i[7:0]),
    .write_data_i(x_o), .read_i(!we_i), .read_addr_i(a_i[7:0]), .read_data_o(y_o));
  more z (.clk_i(clk_i), .we_i(we_i), .a_i(a_i), .d_i(d_i[7:0]), .z_o(z_o));
endmodule
"""
IN_RAM = """
module more (input wire clk_i, input wire we_i, input wire [8:0] a_i, input wire [7:0] d_i,
             output wire [7:0] z_o);
  ram #(.WIDTH(8), .DEPTH(513)) ram (.clk_i(clk_i), .write_i(we_i), .write_addr_i({1'b0, a_i}),
    .write_data_i(d_i), .read_i(!we_i), .read_addr_i({1'b0, a_i}), .read_data_o(z_o));
endmodule
"""
IN_REGISTERS = """
module more (input wire clk_i, input wire we_i, input wire [8:0] a_i, input wire [7:0] d_i,
             output wire [7:0] z_o);
  (* ram_style = "logic" *) reg [7:0] mem [0:512];
  assign z_o = mem[a_i];
  always @(posedge clk_i) if (we_i) mem[a_i] <= d_i;
endmodule
"""
A_LATCH = """
module more (input wire clk_i, input wire we_i, input wire [8:0] a_i, input wire [7:0] d_i,
             output reg [7:0] z_o);
  always @(*) if (we_i) z_o = d_i ^ a_i[7:0];
endmodule
"""


def synth(*words):
    return subprocess.run([sys.executable, SYNTH, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


class Synth(unittest.TestCase):
    def run_on(self, more, *words):
        with tempfile.TemporaryDirectory() as tmp:
            os.mkdir(os.path.join(tmp, "parts"))
            for name in ("ram.v", "require.v"):
                shutil.copy(os.path.join(PARTS, name), os.path.join(tmp, "parts"))
            with open(os.path.join(tmp, "tessera.v"), "w", encoding="utf-8") as f:
                f.write(TOP + more)
            return synth("tiny", "--rtl", tmp, "--work", tmp, *words)

    def test_counts(self):
        done = self.run_on(IN_RAM, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        point, = json.loads(done.stdout)
        rams = {m["module"]: (m["instances"], m["bram"]) for m in point["modules"] if m["bram"]}
        self.assertEqual(rams, {"ram 32x256": (2, 2), "ram 8x513": (1, 2)})
        self.assertEqual(point["total"]["bram"], 2 * 2 + 2)
        self.assertEqual(point["total"]["lut"],
                         sum(m["lut"] * m["instances"] for m in point["modules"]))
        parts = {p["part"]: (p["module"], p["bram"]) for p in point["parts"]}
        self.assertEqual(parts, {"x": ("ram 32x256", 2), "y": ("ram 32x256", 2), "z": ("more", 2),
                                 "tessera": ("itself", 0)})

    def test_text(self):
        done = self.run_on(IN_RAM, "--modules")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^total +1( +\d+)+$")
        self.assertRegex(done.stdout, r"(?m)^ram 32x256 +2 ")
        self.assertRegex(done.stdout, r"(?m)^iCE40UP5K +fits: .*bram 6 of 30")

    def test_a_memory_in_registers(self):
        done = self.run_on(IN_REGISTERS)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("wrong: more: a memory of 4104 bits became 4096 flip-flops", done.stdout)

    def test_a_latch(self):
        done = self.run_on(A_LATCH)
        self.assertEqual(done.returncode, 2)
        self.assertIn("synth: tiny: Yosys refuses the RTL: ", done.stderr)

    def test_no_family(self):
        done = synth(os.path.join(HERE, "tests", "rtl", "points", "least.json"))
        self.assertEqual((done.returncode, done.stderr),
                         (2, "synth: least is no standing point: say for which --family\n"))


if __name__ == "__main__":
    if not shutil.which("yosys"):
        print("skipped: yosys is not installed; Debian's package yosys has it")
        sys.exit(77)
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""scripts/prove itself: what it proves, what it refuses, and that it sees what is wrong. Each case
runs in a copy of the script and of the RTL."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
TABLE = os.path.join("hw", "rtl", "formal", "proofs.txt")
FAULTS = os.path.join("tests", "rtl", "prove", "faults.txt")
TOKENS = os.path.join("hw", "rtl", "parts", "token_counter.v")


CARELESS = """
module careless (input wire clk_i, input wire rst_ni, input wire go_i);
  wire empty, full;
  token_counter tokens (
    .clk_i (clk_i), .rst_ni (rst_ni), .clear_i (1'b0),
    .push_i (go_i), .pop_i (1'b0), .empty_o (empty), .full_o (full));
  reg begun = 0;
  always @(posedge clk_i) begun <= 1;
  always @* if (!begun) assume (!rst_ni);
endmodule
"""


class Prove(unittest.TestCase):
    def setUp(self):
        self.tree = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tree)
        os.makedirs(os.path.join(self.tree, "scripts"))
        shutil.copy(os.path.join(HERE, "scripts", "prove"), os.path.join(self.tree, "scripts"))
        shutil.copytree(os.path.join(HERE, "hw", "rtl"), os.path.join(self.tree, "hw", "rtl"))
        os.makedirs(os.path.join(self.tree, os.path.dirname(FAULTS)))
        shutil.copy(os.path.join(HERE, FAULTS), os.path.join(self.tree, FAULTS))

    def run_it(self, *args, **env):
        script = os.path.join(self.tree, "scripts", "prove")
        done = subprocess.run(["/usr/bin/python3", script, *args], capture_output=True,
                              text=True, check=False,
                              env={"PATH": os.environ["PATH"],
                                   "TESSERA_BUILD": os.path.join(self.tree, "build"), **env})
        return done.returncode, done.stdout, done.stderr

    def write(self, path, text):
        with open(os.path.join(self.tree, path), "w", encoding="utf-8") as f:
            f.write(text)

    def replace(self, path, old, new):
        with open(os.path.join(self.tree, path), encoding="utf-8") as f:
            text = f.read()
        self.assertEqual(text.count(old), 1)
        self.write(path, text.replace(old, new))

    def refused(self, words, *args, **env):
        status, out, err = self.run_it(*args, **env)
        self.assertEqual((status, out), (2, ""), err)
        self.assertIn(words, err)

    # ---- what it proves ----

    def test_every_module_with_rules_has_a_proof(self):
        _, out, _ = self.run_it("--list")
        proved = {line.split()[1] for line in out.splitlines()}
        with_rules = set()
        for path in glob.glob(os.path.join(HERE, "hw", "rtl", "**", "*.v"), recursive=True):
            with open(path, encoding="utf-8") as f:
                if re.search(r"^`ifdef FORMAL", f.read(), re.MULTILINE):
                    with_rules.add(os.path.basename(path)[:-2])
        self.assertEqual(proved, with_rules)

    def test_every_fault_fits_its_file(self):
        status, _, err = self.run_it("--faults", "--list")
        self.assertEqual(status, 0, err)

    def test_a_proof_holds(self):
        status, out, _ = self.run_it("tokens-5", "skid_buffer")
        self.assertEqual(status, 0, out)
        self.assertRegex(out, r"tokens-5 +unbounded +[0-9.]+ s   covers 2/2\n")
        self.assertRegex(out, r"(?s)skid-1 .*skid-64 .*3 of 3 proofs hold")

    # ---- what is wrong ----

    def test_a_rule_that_fails(self):
        self.replace(TOKENS, "count_q + 1'b1", "count_q + 2'd2")
        status, out, _ = self.run_it("tokens-5")
        self.assertEqual(status, 1)
        self.assertRegex(out, r"tokens-5 +FAILS .* base: token_counter\.v:\d+")
        self.assertIn("0 of 1 proofs hold", out)
        self.assertTrue(os.path.exists(os.path.join(self.tree, "build/prove/tokens-5/base.vcd")))

    def test_an_induction_that_does_not_close(self):
        self.replace(TOKENS, "assert (count_q == f_tokens);", "assert (1);")
        status, out, _ = self.run_it("tokens-5")
        self.assertEqual(status, 1)
        self.assertRegex(out, r"tokens-5 +FAILS .* induction: token_counter\.v:\d+")

    def test_a_cover_that_is_not_reached(self):
        self.replace(TOKENS, "if (!f_begun) assume (!rst_ni);", "assume (!rst_ni);")
        status, out, _ = self.run_it("tokens-5")
        self.assertEqual(status, 1)
        self.assertRegex(out, r"tokens-5 +FAILS .* cover: token_counter\.v:\d+")

    def test_what_an_instance_assumes_is_proved(self):
        self.write("hw/rtl/careless.v", CARELESS)
        self.write(TABLE, "careless careless - - bound=20 covers=0 full\n")
        self.write(FAULTS, "")
        status, out, _ = self.run_it()
        self.assertEqual(status, 1)
        self.assertRegex(out, r"careless +FAILS .* base: token_counter\.v")
        self.replace("hw/rtl/careless.v", ".push_i (go_i)", ".push_i (go_i && !full)")
        status, out, _ = self.run_it()
        self.assertEqual(status, 0)
        self.assertRegex(out, r"careless +20 cycles ")

    def test_a_fault_that_no_proof_sees(self):
        self.write(FAULTS, "[harmless] nothing\nfile parts/token_counter.v\nproofs tokens-1\n"
                   "- // token_counter: counts\n+ // counts\n")
        status, out, _ = self.run_it("--faults")
        self.assertEqual(status, 1)
        self.assertRegex(out, r"harmless +NOT CAUGHT\n0 of 1 faults are caught")

    # ---- what is refused ----

    def test_names(self):
        self.refused("no proof and no module with proofs is named 'fife'", "fife")

    def test_usage(self):
        status, _, err = self.run_it("--jobs", "0")
        self.assertEqual(status, 2)
        self.assertIn("--jobs is 1 or more", err)

    def test_tools(self):
        bin_folder = os.path.join(self.tree, "bin")
        os.makedirs(bin_folder)
        os.symlink(shutil.which("yosys"), os.path.join(bin_folder, "yosys"))
        self.refused("yosys-smtbmc is not installed; Debian's package yosys", PATH=bin_folder)
        os.symlink(shutil.which("yosys-smtbmc"), os.path.join(bin_folder, "yosys-smtbmc"))
        self.refused("z3 is not installed; Debian's package z3 has it", PATH=bin_folder)

    def test_no_build(self):
        self.refused("run scripts/build first", "burst-tiny")

    def test_tables(self):
        self.write(TABLE, "a fifo - - induction=2 covers=2\n")
        self.refused("proofs.txt:1: a proof has 7 fields, this has 6")
        self.write(TABLE, "a fifo - - deep covers=2 slice\n")
        self.refused("proofs.txt:1: a proof is:")
        self.write(TABLE, "a fife - - induction=2 covers=2 slice\n")
        self.refused("no module is named 'fife'")
        self.write(TABLE, "a require - - induction=2 covers=2 slice\n")
        self.refused("a: require has no rules that could fail")
        self.write(TABLE, 2 * "a fifo - - induction=2 covers=2 slice\n")
        self.refused("proofs.txt:2: there is a proof 'a' already")

    def test_faults(self):
        fault = "[a] b\nfile parts/fifo.v\nproofs %s\n- %s\n"
        self.write(FAULTS, fault % ("fifo-1", "no such text"))
        self.refused("its text occurs 0 times in parts/fifo.v, not once", "--faults")
        self.write(FAULTS, fault % ("fifo-0", "x"))
        self.refused("no proof is named 'fifo-0'", "--faults")
        self.write(FAULTS, "[a] b\nfile parts/fifo.v\n- x\n")
        self.refused("a lacks one of 'file', 'proofs' and '-'", "--faults")
        self.write(FAULTS, "[a] b\nfiles parts/fifo.v\n")
        self.refused("faults.txt:2: a line begins with", "--faults")


if __name__ == "__main__":
    for tool in ("yosys", "z3"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed; Debian's package {tool} has it")
            sys.exit(77)
    unittest.main()

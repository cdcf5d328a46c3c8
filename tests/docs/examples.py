#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of docs/ and README.md, and compares what they print with what the page says.

An example is a line "$ COMMAND" in a fenced block (a backslash at its end: it goes on); what follows, up to
the next or to the end of the block, is all that it prints. A line "..." stands for any lines, and in a
block that is marked ```machine nothing is compared: it tells of the machine that it was written on. Times
are of that machine, too, and may differ; counts may not.

Calls of a page run one after the other in one empty folder, in which the folders of the source lie.

--update writes what differs into the pages, but for examples with more than one "...".
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = re.compile(r"^```(machine)?\n(\$ .*?\n)```$", re.S | re.M)
TIMES = re.compile(r"[0-9][0-9,.]* (?=s\b|ms each$|cycles a second)")
TOOLS = {"accel:rtl": "verilator"}  # an example with this word needs that


def examples(block):
    """[command, lines], each as it stands in the block."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line, []])
        elif found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1][0] += "\n" + line
        else:
            found[-1][1].append(line)
    return found


def pattern(lines):
    """What the output must match: its lines, without blanks at their ends."""
    texts = ["(?:.*\n)*" if line == "..." else re.escape(masked(line)) + "\n" for line in lines]
    return re.compile("".join(texts))


def masked(line):
    return TIMES.sub("# ", line.rstrip())


def agree(lines, output):
    return pattern(lines).fullmatch("".join(masked(line) + "\n" for line in output))


def updated(lines, output):
    """The output in the form of the page: cut where that is cut, with its times where they are all that
    differs."""
    if lines.count("...") > 1:
        return lines
    cut = lines.index("...") if "..." in lines else len(output)
    behind = lines[cut + 1:]
    output = output[:cut] + (["..."] + output[len(output) - len(behind):] if cut < len(output) else [])
    same = {masked(line): line for line in lines}
    return [same.get(masked(line), line.rstrip()) for line in output]


def run(command, folder, env):
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace").rstrip("\n").splitlines()


def can_run(command):
    return all(word not in command or shutil.which(tool) for word, tool in TOOLS.items())


class Page:
    def __init__(self, path, build, folder):
        self.path, self.folder, self.wrong = path, folder, 0
        self.env = dict(os.environ)
        places = [build, os.path.join(build, "examples"), os.path.join(build, "hw/sim/systemc")]
        self.env["PATH"] = ":".join(places + [self.env["PATH"]])
        for name in ("models", "examples", "configs"):
            os.symlink(os.path.join(SOURCE, name), os.path.join(folder, name))
        os.symlink(build, os.path.join(folder, "build"))

    def tell(self, text, lines, output):
        self.wrong += 1
        print("%s: %s\n  the page says:" % (os.path.relpath(self.path, SOURCE), text))
        print("".join("    %s\n" % line for line in lines) + "  it prints:")
        print("".join("    %s\n" % line for line in output), end="")

    def example(self, command, lines):
        """The lines that the page should have."""
        text = command[2:]
        if not can_run(text):
            print("left out, since a tool is missing: " + text)
            return lines
        output = run(text, self.folder, self.env)
        if agree(lines, output):
            return lines
        self.tell(text, lines, output)
        return updated(lines, output)

    def block(self, match):
        machine, block = match.groups()
        if machine:
            return match.group(0)
        parts = ["\n".join([command] + self.example(command, lines)) for command, lines in examples(block)]
        return "```\n%s\n```" % "\n".join(parts)

    def check(self, update):
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        new = BLOCK.sub(self.block, text)
        if update and new != text:
            with open(self.path, "w", encoding="utf-8") as f:
                f.write(new)
        return self.wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", help="the folder of the build")
    parser.add_argument("pages", nargs="+")
    parser.add_argument("--update", action="store_true", help="write what differs into the pages")
    words = parser.parse_args()
    wrong = 0
    for path in words.pages:
        with tempfile.TemporaryDirectory() as folder:
            wrong += Page(os.path.abspath(path), os.path.abspath(words.build), folder).check(words.update)
    if wrong:
        print("%d examples differ%s" % (wrong, "" if words.update else "; tests/docs/examples.py BUILD PAGES "
                                        "--update writes them into the pages"))
    return 1 if wrong and not words.update else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the command on every refused input of cases/ and compares what it says.

A case is a file NAME.txt, lines of "word: rest":

  env: NAME=TEXT  a variable of the environment of the calls behind it (may be repeated)
  make: ARGS      a call of the command that must succeed first (may be repeated)
  cut: FILE N     keep the first N bytes of FILE
  flip: FILE N    invert a bit of byte N of FILE (negative: from its end)
  run: ARGS       the call that is refused
  says: SENTENCE  all of stderr; {number} stands for any digits
  status: N       the exit status (default: 2)

{tmp} is an empty folder; what the refused call leaves there is an error. Calls run in cases/, so that
sentences name files as they are named here.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")


def call(command, args, tmp, env):
    words = [w.replace("{tmp}", tmp) for w in shlex.split(args)]
    return subprocess.run([command] + words, cwd=CASES, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, env=env)


def damage(word, rest, tmp):
    path, n = rest.rsplit(" ", 1)
    path = path.replace("{tmp}", tmp)
    with open(path, "rb") as f:
        data = bytearray(f.read())
    if word == "cut":
        data = data[:int(n)]
    else:
        data[int(n)] ^= 1
    with open(path, "wb") as f:
        f.write(data)


def said(sentence, tmp):
    """The pattern of a sentence."""
    pattern = re.escape(sentence.replace("{tmp}", tmp))
    return re.compile(pattern.replace(re.escape("{number}"), "[0-9]+") + r"\n")


def check(command, path, tmp):
    """None, or what is wrong."""
    status, before, done = 2, None, None
    with open(path, encoding="utf-8") as f:
        lines = [line.rstrip("\n") for line in f if line.strip() and line[0] != "#"]
    wanted, env = [], dict(os.environ)
    for line in lines:
        word, rest = line.split(": ", 1)
        if word == "env":
            env.update([rest.split("=", 1)])
        elif word == "make":
            made = call(command, rest, tmp, env)
            if made.returncode:
                return "`%s` gave %d: %s" % (rest, made.returncode, made.stderr.decode())
        elif word in ("cut", "flip"):
            damage(word, rest, tmp)
        elif word == "run":
            before = sorted(os.listdir(tmp))
            done = call(command, rest, tmp, env)
        elif word == "status":
            status = int(rest)
        elif word == "says":
            wanted.append(rest)
        else:
            return "the line '%s' has no meaning" % line
    text = done.stderr.decode()
    if done.returncode != status:
        return "exit status %d where %d is expected; stderr: %s" % (done.returncode, status, text)
    if len(wanted) != 1 or not said(wanted[0], tmp).fullmatch(text):
        return "says\n  %s\nwhere this is expected:\n  %s" % (text, "\n  ".join(wanted))
    if sorted(os.listdir(tmp)) != before:
        return "left files behind: %s" % sorted(os.listdir(tmp))
    return None


def main():
    command = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or sorted(n[:-4] for n in os.listdir(CASES) if n.endswith(".txt"))
    wrong = 0
    for name in names:
        with tempfile.TemporaryDirectory() as tmp:
            problem = check(command, os.path.join(CASES, name + ".txt"), tmp)
        if problem:
            wrong += 1
            print("%s: %s" % (name, problem))
    print("%d cases, %d wrong" % (len(names), wrong))
    return 1 if wrong or not names else 0


if __name__ == "__main__":
    sys.exit(main())

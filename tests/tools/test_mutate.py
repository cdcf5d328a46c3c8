# SPDX-License-Identifier: Apache-2.0
"""scripts/mutate on a project of three functions. test_mutate.py SCRIPTS_MUTATE"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

FILES = {
    ".gitignore": "/build/\n",
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.16)
project(toy C)
enable_testing()
add_library(toy STATIC toy.c)
foreach(name sum order)
  add_executable(${name} ${name}.c)
  target_link_libraries(${name} toy)
  add_test(NAME toy_${name} COMMAND ${name})
endforeach()
""",
    "toy.h": "int toy_sum(int n), toy_max(int a, int b), toy_min(int a, int b);\n",
    "toy.c": """#include "toy.h"
int toy_sum(int n)
{
  volatile int sum = 0;
  for (volatile int i = 0; i < n; i++)
    sum += i;
  return sum;
}
int toy_max(int a, int b)
{
  return a > b ? a : b;
}
int toy_min(int a, int b)
{
  return a < b ? a : b;
}
""",
    "sum.c": '#include "toy.h"\nint main(void)\n{\n  return toy_sum(4) != 6;\n}\n',
    "order.c": '#include "toy.h"\nint main(void)\n{\n  return toy_max(3, 2) != 3;\n}\n',
    "tests/mutations/toy.txt": """# Of toy.c.
[late] sums begin with 1
file toy.c
tests toy_order toy_sum
-   volatile int sum = 0;
+   volatile int sum = 1;

[endless] a sum comes to no end
file toy.c
tests toy_sum
- i++)
+ i += 0)

[elsewhere] a maximum is a minimum
file toy.c
tests toy_sum
- a > b
+ a < b

[silent] a minimum is a maximum
file toy.c
tests toy_sum
- a < b ? a
+ a > b ? a

[no-c] a file is no C
file toy.c
tests toy_sum
- return sum;
+ return sum

[blamed] something that another test was to notice
file toy.c
tests toy_fails
- i < n
+ i <= n
""",
    "docs/mutations.md": "# Mutations\n\n<!-- from here on: scripts/mutate --doc -->\n",
}


class Toy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        for name, text in FILES.items():
            self.write(name, text)
        os.makedirs(self.path("scripts"))
        shutil.copy(sys.argv[1], self.path("scripts/mutate"))
        self.git("init", "-q")
        self.commit()

    def tearDown(self):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def git(self, *args):
        subprocess.run(["git", "-C", self.folder.name, "-c", "user.name=t", "-c", "user.email=t@t", *args], check=True)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "toy")

    def mutate(self, *args):
        done = subprocess.run([sys.executable, self.path("scripts/mutate"), *args], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stdout + done.stderr

    def rows(self):
        with open(self.path("docs/mutations.md"), encoding="utf-8") as f:
            return {line.split("|")[1].strip(): line.split("|")[4].strip() for line in f if line.count("|") == 5}

    def built_at(self):
        return os.stat(self.path("build/mutate/build/order")).st_mtime_ns

    def test_likely(self):
        """What the named tests miss was not run; what was run before stays on the page, and stays built."""
        status, said = self.mutate("--likely", "--doc", "--only", "late", "elsewhere")
        self.assertEqual((status, self.rows()["late"], self.rows()["elsewhere"]), (1, "toy_sum", "not run"), said)
        before = self.built_at()
        status, said = self.mutate("--likely", "--doc", "--only", "endless")
        self.assertEqual((status, self.rows()["late"], self.rows()["endless"]), (0, "toy_sum", "toy_sum (time)"), said)
        self.assertEqual(self.built_at(), before)

    def test_others(self):
        """All tests have a try; what none notices survives; what does not build was not run."""
        status, said = self.mutate("--doc", "--only", "elsewhere", "silent")
        self.assertEqual((status, self.rows()["elsewhere"], self.rows()["silent"]), (1, "toy_order", "**survives**"), said)
        status, said = self.mutate("--doc", "--only", "no-c", "late")
        self.assertEqual((status, self.rows()["no-c"], self.rows()["late"]), (2, "not run", "toy_sum"), said)
        self.assertIn("does not build", said)

    def test_blamed(self):
        """A test that there is not, or that fails anyway, notices nothing."""
        status, said = self.mutate("--doc", "--only", "blamed")
        self.assertEqual((status, self.rows()), (2, {}), said)
        self.write("CMakeLists.txt", FILES["CMakeLists.txt"] + "add_test(NAME toy_fails COMMAND false)\n")
        self.commit()
        status, said = self.mutate("--doc", "--only", "blamed")
        self.assertEqual((status, self.rows()), (2, {}), said)
        self.assertIn("does not pass, with nothing broken", said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

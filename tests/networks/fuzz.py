# SPDX-License-Identifier: Apache-2.0
"""Random networks: scripts/fuzz-networks. docs/testing.md has what is checked."""
import argparse
import collections
import json
import multiprocessing
import os
import sys
import tempfile
import time

import onnx

import build
import check
import draw
import layers
import shrink

EPILOG = """examples:
  scripts/fuzz-networks                              300 networks from seed 1
  scripts/fuzz-networks --seed 5001 --count 1000     a campaign
  scripts/fuzz-networks --seed 17 --count 1          one network
  scripts/fuzz-networks --shrink 17                  the smallest that fails as network 17 does
  scripts/fuzz-networks --replay tests/networks/found/NAME.json

exit status: 0 every network passed; 1 one failed; 2 bad usage"""


def parse(words):
    p = argparse.ArgumentParser(prog="fuzz-networks", epilog=EPILOG, description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seed", type=int, default=1, metavar="N", help="first seed (default: 1)")
    p.add_argument("--count", type=int, default=300, metavar="N", help="networks (default: 300)")
    p.add_argument("--config", action="append", metavar="POINT",
                   help="design point; may be repeated (default: %s)" % ", ".join(check.POINTS))
    p.add_argument("--shrink", type=int, metavar="SEED", help="make this failing network small")
    p.add_argument("--replay", nargs="+", metavar="FILE", help="check networks kept as JSON")
    p.add_argument("--out", default="networks.failed", metavar="FOLDER",
                   help="where --shrink writes (default: networks.failed)")
    p.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N",
                   help="processes (default: 2, or as many as there are cores)")
    p.add_argument("--tessera", default=default_command(), metavar="FILE", help="the command")
    args = p.parse_args(words)
    if not os.access(args.tessera, os.X_OK):
        p.error("%s is not there; scripts/build makes it" % args.tessera)
    if args.count < 1 or args.jobs < 1:
        p.error("--count and --jobs are 1 at least")
    args.config = tuple(args.config or check.POINTS)
    return args


def default_command():
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    return os.path.normpath(os.path.join(source, "build", "tessera"))


def attempt(net, args):
    """(the Failure or None, what check.check counts)"""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return None, check.check(net, args.tessera, folder, args.config)
        except check.Failure as failure:
            return failure, (0, 0, 0)
        except check.TooLarge:
            return None, (0, 0, len(args.config))


def one(job):
    seed, args = job
    net = draw.draw(seed)
    failure, counts = attempt(net, args)
    return seed, failure and (failure.kind, str(failure)), counts, [x["op"] for x in net["layers"]]


def progress(done, count, start, failed):
    spent = time.monotonic() - start
    left = spent / done * (count - done)
    print("%d of %d networks, %d failed, %d s, about %d s to go" % (
        done, count, failed, spent, left), flush=True)


def campaign(args):
    start, failed, done = time.monotonic(), 0, 0
    totals = (0, 0, 0)
    ops = collections.Counter()
    jobs = [(seed, args) for seed in range(args.seed, args.seed + args.count)]
    print("networks: seeds %d to %d at %s" % (jobs[0][0], jobs[-1][0], ", ".join(args.config)),
          flush=True)
    with multiprocessing.Pool(args.jobs) as pool:
        for seed, failure, counts, kinds in pool.imap_unordered(one, jobs):
            done += 1
            ops.update(kinds)
            totals = tuple(map(sum, zip(totals, counts)))
            if failure:
                failed += 1
                print("seed %d (%s): %s" % (seed, *failure), flush=True)
            if done % max(1, args.count // 10) == 0:
                progress(done, args.count, start, failed)
    print("%d networks, %d layers: %s" % (
        done, sum(ops.values()), ", ".join("%s %d" % x for x in ops.most_common())))
    print("%d of %d compiled layers on the accelerator; %d times a layer too large for a design "
          "point" % totals)
    print("%d failed" % failed)
    return 1 if failed else 0


def write_small(net, failure, args):
    """The network as JSON, as ONNX models, and as text."""
    os.makedirs(args.out, exist_ok=True)
    name = os.path.join(args.out, "seed%d" % net["seed"])
    with open(name + ".json", "w", encoding="utf-8") as f:
        json.dump(net, f, indent=1)
        f.write("\n")
    for form in build.FORMS:
        onnx.save(build.model(net, form), "%s.%s.onnx" % (name, form))
    with open(name + ".txt", "w", encoding="utf-8") as f:
        f.write("%s: %s\n\n" % (failure.kind, failure))
        f.write(onnx.helper.printable_graph(build.model(net, "plain").graph) + "\n")
    return name


def make_small(args):
    net = draw.draw(args.shrink)
    failure, _ = attempt(net, args)
    if not failure:
        print("seed %d does not fail" % args.shrink)
        return 0

    def fails(small):
        found, _ = attempt(small, args)
        return found is not None and found.kind == failure.kind

    net = shrink.shrink(net, fails)
    failure, _ = attempt(net, args)
    name = write_small(net, failure, args)
    print("%d layers: %s\n%s: %s\nwritten to %s.*" % (
        len(net["layers"]), ", ".join(x["op"] for x in net["layers"]), failure.kind, failure, name))
    return 1


def read_net(path):
    try:
        with open(path, encoding="utf-8") as f:
            net = json.load(f)
        layers.shapes(net)
    except (OSError, ValueError, KeyError, TypeError) as e:
        print("fuzz-networks: %s: is no network that --shrink wrote: %s" % (path, e), file=sys.stderr)
        sys.exit(2)
    return net


def replay(args):
    failed = 0
    for net, path in [(read_net(path), path) for path in args.replay]:
        failure, _ = attempt(net, args)
        print("%s: %s" % (os.path.basename(path), failure or "passes"))
        failed += failure is not None
    return 1 if failed else 0


def main():
    args = parse(sys.argv[1:])
    if not check.onnxruntime:
        print("networks: ONNX Runtime is not here (scripts/setup-onnxruntime gets it); results are "
              "not compared with it")
    if args.shrink is not None:
        return make_small(args)
    return replay(args) if args.replay else campaign(args)


if __name__ == "__main__":
    sys.exit(main())

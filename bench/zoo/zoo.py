#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes networks of published shapes with seeded random weights, to measure speed on.

Each comes as float ONNX and as int8 ONNX in QDQ form. They classify nothing: only their shapes, and
that their activations stay in a sane range, are those of the real networks.
"""
import argparse
import difflib
import os
import sys
import time
import zlib

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "models"))

try:
    import numpy as np

    import awkward
    import bert
    import image
    import qdq
except ImportError as missing:
    print("zoo.py: %s; install Debian's python3-onnx" % missing, file=sys.stderr)
    sys.exit(2)

NETWORKS = {
    "resnet18": (image.resnet18, "ResNet-18, 1x3x224x224"),
    "resnet50": (image.resnet50, "ResNet-50 version 1.5, 1x3x224x224"),
    "mobilenetv1": (image.mobilenetv1, "MobileNetV1 of width 1, 1x3x224x224"),
    "mobilenetv2": (image.mobilenetv2, "MobileNetV2 of width 1, 1x3x224x224"),
    "vgg16": (image.vgg16, "VGG-16, 1x3x224x224"),
    "bert": (bert.bert, "one encoder layer of BERT-base, 1x128x768"),
    "awkward": (awkward.awkward, "one of each layer that is awkward to map"),
    "awkward2": (awkward.awkward2, "the same with a batch of 2"),
}


def network_name(text):
    if text in NETWORKS:
        return text
    near = difflib.get_close_matches(text, NETWORKS, 1)
    hint = "did you mean %s?" % near[0] if near else "there are %s." % ", ".join(NETWORKS)
    raise argparse.ArgumentTypeError("there is no network %r; %s" % (text, hint))


def seed_number(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("%r is not a whole number from 0 up" % text)
    return int(text)


def parse(arguments):
    parser = argparse.ArgumentParser(
        description="Writes well-known networks with random weights as ONNX files NAME.FORM.onnx.",
        epilog="All files together take 1 GB; the exit status is 2 for a bad option or file.")
    parser.add_argument("names", metavar="NAME", nargs="*", type=network_name,
                        help="networks to write (default: all; --list names them)")
    parser.add_argument("--list", action="store_true", help="list the networks and stop")
    parser.add_argument("--out", metavar="DIR", default=os.path.join(ROOT, "build", "zoo"),
                        help="folder to write to (default: build/zoo of this repository)")
    parser.add_argument("--seed", metavar="N", type=seed_number, default=1,
                        help="of the weights (default 1)")
    parser.add_argument("--form", choices=("float", "int8", "both"), default="both",
                        help="default both")
    return parser.parse_args(arguments)


def write(name, form, seed, folder):
    """Builds, checks and writes one file; returns a sentence about it."""
    rng = np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))
    net = NETWORKS[name][0](rng, form == "int8")
    size = qdq.save(net.graph.model(), os.path.join(folder, "%s.%s.onnx" % (name, form)))
    return ("%.1f MB, %.1f million parameters, %.2f G multiply-accumulates"
            % (size / 1e6, net.parameters / 1e6, net.macs / 1e9))


def main():
    options = parse(sys.argv[1:])
    if options.list:
        for name, (_, text) in NETWORKS.items():
            print("%-12s %s" % (name, text))
        return
    os.makedirs(options.out, exist_ok=True)
    forms = ("float", "int8") if options.form == "both" else (options.form,)
    jobs = [(name, form) for name in options.names or NETWORKS for form in forms]
    for i, (name, form) in enumerate(jobs):
        print("%2d of %d  %s.%s.onnx ... " % (i + 1, len(jobs), name, form), end="", flush=True)
        start = time.monotonic()
        done = write(name, form, options.seed, options.out)
        print("%s (%.1f s)" % (done, time.monotonic() - start), flush=True)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        print("\nzoo.py: can't write %s: %s" % (error.filename, error.strerror), file=sys.stderr)
        sys.exit(2)

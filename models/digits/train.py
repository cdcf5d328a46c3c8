#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the digits network, quantizes it and writes the five files that README.md describes.

Everything random comes from --seed, and one run takes about two minutes on one core.
"""
import argparse
import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # sums in one order: the same file every time
os.environ["OMP_NUM_THREADS"] = "1"
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import numpy as np

import interpret
import layers
import qdq

TRAIN, VALIDATION = 1097, 200   # of 1797; the remaining 500 are the held-out set
IN_TREE = 100                   # held-out images kept beside the model
BATCH = 32
PEAK_RATE, DECAY, SMOOTHING = 3e-3, 0.05, 0.05


def load_digits():
    """Returns images (n,8,8,1) in [0,1] and labels (n)."""
    try:
        from sklearn import datasets
    except ImportError:
        sys.exit("train.py needs the digits data set: install Debian's python3-sklearn")
    data = datasets.load_digits()
    return (data.images[..., None] / 16).astype(np.float32), data.target.astype(np.int64)


def split(rng, images, labels):
    """Returns (training, validation, held-out), each a pair of images and labels."""
    order = rng.permutation(len(images))
    parts = np.split(order, [TRAIN, TRAIN + VALIDATION])
    return [(images[part], labels[part]) for part in parts]


def augment(rng, images):
    """Each image turned, scaled and shifted a little, by bilinear sampling around its centre."""
    n = len(images)
    angle, zoom = rng.uniform(-0.2, 0.2, n), rng.uniform(0.9, 1.12, n)
    shift_y, shift_x = rng.uniform(-0.8, 0.8, (2, n))
    grid = np.arange(8) - 3.5
    y, x = (g[None] for g in np.meshgrid(grid, grid, indexing="ij"))
    cos, sin = (np.cos(angle) * zoom)[:, None, None], (np.sin(angle) * zoom)[:, None, None]
    return sample(images[..., 0], cos * y - sin * x + shift_y[:, None, None] + 3.5,
                  sin * y + cos * x + shift_x[:, None, None] + 3.5)[..., None]


def sample(images, y, x):
    """images (n,8,8) at the real coordinates y, x (n,8,8); zero outside."""
    y, x = np.clip(y + 1, 0, 8.999), np.clip(x + 1, 0, 8.999)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    i, j = y.astype(int), x.astype(int)
    fy, fx, n = y - i, x - j, np.arange(len(images))[:, None, None]
    top = padded[n, i, j] * (1 - fx) + padded[n, i, j + 1] * fx
    bottom = padded[n, i + 1, j] * (1 - fx) + padded[n, i + 1, j + 1] * fx
    return (top * (1 - fy) + bottom * fy).astype(np.float32)


def train(rng, images, labels, epochs, watch):
    """Returns a trained network; watch(epoch, network) is called after each epoch."""
    network = layers.Network(rng)
    adam = layers.Adam(network, DECAY)
    batches = len(images) // BATCH
    for epoch in range(epochs):
        order, warped = rng.permutation(len(images)), augment(rng, images)
        for b in range(batches):
            part = order[b * BATCH:(b + 1) * BATCH]
            logits = network.forward(warped[part])["logits"]
            network.backward(layers.cross_entropy_gradient(logits, labels[part], SMOOTHING))
            adam.step(rate_at((epoch + b / batches) / epochs))
        watch(epoch, network)
    return network


def rate_at(progress):
    """Warms up over the first twentieth, then falls as a cosine to zero."""
    return PEAK_RATE * min(progress * 20 + 0.01, 0.5 + 0.5 * np.cos(np.pi * progress))


def calibrate(network, images):
    """An Edge for each activation, from its extremes over the training images.

    The pixels' own scale is 1/128 rather than the extremes' 1/255: pixels are multiples of 1/16,
    which 1/128 represents exactly; at 1/255 a pixel of 1/2 would be a tie. A max pool, which only
    chooses among its inputs, keeps their scale.
    """
    edges = {name: qdq.Edge.of_range(value.min(), value.max())
             for name, value in network.forward(images).items()}
    edges["image"] = qdq.Edge(1 / 128, -128)
    edges["pool"] = edges["relu3"]
    return edges


def build(network, edges):
    """The quantized ONNX model."""
    g = qdq.Graph("digits", 13)

    def conv(x, x_name, name, layer):
        return g.affine("Conv", x, edges[x_name], name, layer.onnx_weight(), layer.bias,
                        kernel_shape=[3, 3], strides=[layer.stride] * 2, pads=[1, 1, 1, 1])

    def edge(x, name):
        return g.edge(x, edges[name])

    x = edge(g.input("image", [1, 1, 8, 8]), "image")
    x = edge(g.op("Relu", [conv(x, "image", "conv1", network.conv1)], "relu1"), "relu1")
    skip = edge(g.op("Relu", [conv(x, "relu1", "conv2", network.conv2)], "relu2"), "relu2")
    x = edge(conv(skip, "relu2", "conv3", network.conv3), "conv3")
    x = edge(g.op("Relu", [g.op("Add", [x, skip], "add")], "relu3"), "relu3")
    x = edge(g.op("MaxPool", [x], "pool", kernel_shape=[2, 2], strides=[2, 2]), "pool")
    x = edge(g.op("Relu", [conv(x, "pool", "conv4", network.conv4)], "relu4"), "relu4")
    x = edge(g.op("GlobalAveragePool", [x], "average"), "average")
    x = edge(g.op("Flatten", [x], "flatten", axis=1), "average")
    x = g.affine("Gemm", x, edges["average"], "dense", network.dense.onnx_weight(),
                 network.dense.bias, transB=1)
    edge(x, "logits")
    g.output("logits", [1, 10])
    return g.model()


def accuracy(logits, labels):
    """In percent."""
    return 100 * float(np.mean(logits.argmax(axis=1) == labels))


def nchw(images):
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def write_sample(folder, model, images, labels):
    """Writes the in-tree images with their labels and expected outputs; returns the accuracy."""
    logits = interpret.run(model, nchw(images))
    for name, value in (("images", nchw(images)), ("labels", labels), ("expected", logits)):
        qdq.replace_file(os.path.join(folder, name + ".npy"),
                         lambda file, value=value: np.save(file, value))
    return accuracy(logits, labels)


def report(network, model, parts):
    """Prints the accuracy of both forms on each part of the data."""
    for name, (images, labels) in zip(("training", "validation", "held out"), parts):
        exact = accuracy(network.forward(images)["logits"], labels)
        quantized = accuracy(interpret.run(model, nchw(images)), labels)
        print("%-10s  %4d images  float %6.2f %%  int8 %6.2f %%"
              % (name, len(labels), exact, quantized))


def watcher(epochs, validation):
    """Prints progress with an estimate every five epochs."""
    start = time.monotonic()

    def watch(epoch, network):
        done = epoch + 1
        if done % 5 and done != epochs:
            return
        logits = network.forward(validation[0])["logits"]
        left = (time.monotonic() - start) / done * (epochs - done)
        print("epoch %3d of %d: validation %.2f %%, about %.0f s left"
              % (done, epochs, accuracy(logits, validation[1]), left), flush=True)

    return watch


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("%s is not a positive number" % text)
    return value


def parse(arguments):
    parser = argparse.ArgumentParser(description="Trains and quantizes the digits network.")
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default 1)")
    parser.add_argument("--epochs", type=positive, default=60, help="default 60")
    parser.add_argument("--out", default=HERE, help="folder to write to (default: this script's)")
    return parser.parse_args(arguments)


def main():
    options = parse(sys.argv[1:])
    rng = np.random.Generator(np.random.PCG64(options.seed))
    images, labels = load_digits()
    parts = split(rng, images, labels)
    network = train(rng, *parts[0], options.epochs, watcher(options.epochs, parts[1]))
    model = build(network, calibrate(network, parts[0][0]))
    report(network, model, parts)
    chosen = rng.permutation(len(parts[2][1]))[:IN_TREE]
    os.makedirs(options.out, exist_ok=True)
    size = qdq.save(model, os.path.join(options.out, "digits.onnx"))
    kept = write_sample(options.out, model, parts[2][0][chosen], parts[2][1][chosen])
    print("in tree     %4d images                  int8 %6.2f %%" % (IN_TREE, kept))
    print("digits.onnx: %d bytes" % size)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""The digits network in float32 numpy: forward, backward, and what training needs of both.

Tensors are (n,h,w,c), so that a convolution is one matrix product over patches. A layer keeps in
`saved` what its backward pass needs; backward() takes the loss's gradient by the layer's output and
returns that by its input.
"""
import numpy as np


class Conv:
    """3x3, padding 1. weight is (9*cin, cout), rows in the order (ky, kx, cin)."""

    def __init__(self, rng, cin, cout, stride=1):
        self.cin, self.stride = cin, stride
        self.weight = he_init(rng, 9 * cin, cout)
        self.bias = np.zeros(cout, np.float32)

    def forward(self, x):
        n, h, w, c = x.shape
        s, oh, ow = self.stride, h // self.stride, w // self.stride
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        taps = [padded[:, i:i + h:s, j:j + w:s] for i in range(3) for j in range(3)]
        patches = np.concatenate(taps, axis=3).reshape(n * oh * ow, 9 * c)
        self.saved = patches, x.shape
        return (patches @ self.weight + self.bias).reshape(n, oh, ow, -1)

    def backward(self, dy):
        patches, (n, h, w, c) = self.saved
        s, flat = self.stride, dy.reshape(-1, dy.shape[3])
        self.d_weight, self.d_bias = patches.T @ flat, flat.sum(axis=0)
        taps = (flat @ self.weight.T).reshape(n, h // s, w // s, 9, c)
        dx = np.zeros((n, h + 2, w + 2, c), np.float32)
        for tap in range(9):
            i, j = divmod(tap, 3)
            dx[:, i:i + h:s, j:j + w:s] += taps[:, :, :, tap]
        return dx[:, 1:-1, 1:-1]

    def onnx_weight(self):
        """(cout, cin, 3, 3)"""
        return self.weight.reshape(3, 3, self.cin, -1).transpose(3, 2, 0, 1)


class Dense:
    """weight is (cin, cout)."""

    def __init__(self, rng, cin, cout):
        self.weight = he_init(rng, cin, cout)
        self.bias = np.zeros(cout, np.float32)

    def forward(self, x):
        self.saved = x
        return x @ self.weight + self.bias

    def backward(self, dy):
        self.d_weight, self.d_bias = self.saved.T @ dy, dy.sum(axis=0)
        return dy @ self.weight.T

    def onnx_weight(self):
        """(cout, cin)"""
        return self.weight.T


class Relu:
    def forward(self, x):
        self.saved = x > 0
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * self.saved


class MaxPool:
    """2x2, stride 2. A window's gradient goes to its largest element, shared by those that tie."""

    def forward(self, x):
        n, h, w, c = x.shape
        quads = x.reshape(n, h // 2, 2, w // 2, 2, c)
        y = quads.max(axis=(2, 4), keepdims=True)
        winners = (quads == y).astype(np.float32)
        self.saved = winners / winners.sum(axis=(2, 4), keepdims=True), x.shape
        return y[:, :, 0, :, 0]

    def backward(self, dy):
        share, shape = self.saved
        return (share * dy[:, :, None, :, None]).reshape(shape)


class GlobalAverage:
    def forward(self, x):
        self.saved = x.shape
        return x.mean(axis=(1, 2))

    def backward(self, dy):
        n, h, w, c = self.saved
        return np.broadcast_to(dy[:, None, None] / (h * w), self.saved)


def he_init(rng, rows, columns):
    return (rng.standard_normal((rows, columns)) * np.sqrt(2 / rows)).astype(np.float32)


class Network:
    """conv1 - conv2 (stride 2) - conv3 + skip - max pool - conv4 - global average - dense."""

    def __init__(self, rng):
        self.conv1 = Conv(rng, 1, 16)
        self.conv2 = Conv(rng, 16, 32, stride=2)
        self.conv3 = Conv(rng, 32, 32)
        self.conv4 = Conv(rng, 32, 64)
        self.dense = Dense(rng, 64, 10)
        self.relu1, self.relu2, self.relu3, self.relu4 = Relu(), Relu(), Relu(), Relu()
        self.pool, self.average = MaxPool(), GlobalAverage()
        self.trained = [self.conv1, self.conv2, self.conv3, self.conv4, self.dense]

    def forward(self, x):
        """Returns every named activation; the last is the logits (n,10)."""
        a = {"image": x}
        a["relu1"] = self.relu1.forward(self.conv1.forward(x))
        a["relu2"] = self.relu2.forward(self.conv2.forward(a["relu1"]))
        a["conv3"] = self.conv3.forward(a["relu2"])
        a["relu3"] = self.relu3.forward(a["conv3"] + a["relu2"])
        a["pool"] = self.pool.forward(a["relu3"])
        a["relu4"] = self.relu4.forward(self.conv4.forward(a["pool"]))
        a["average"] = self.average.forward(a["relu4"])
        a["logits"] = self.dense.forward(a["average"])
        return a

    def backward(self, d_logits):
        d = self.average.backward(self.dense.backward(d_logits))
        d = self.pool.backward(self.conv4.backward(self.relu4.backward(d)))
        d = self.relu3.backward(d)
        d = self.conv3.backward(d) + d
        d = self.conv2.backward(self.relu2.backward(d))
        self.conv1.backward(self.relu1.backward(d))

    def parameters(self):
        """(layer, name of its parameter), for every parameter."""
        return [(layer, name) for layer in self.trained for name in ("weight", "bias")]


def cross_entropy_gradient(logits, labels, smoothing):
    """The mean cross entropy's gradient by the logits, its targets smoothed over the classes."""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    n, classes = logits.shape
    p -= smoothing / classes
    p[np.arange(n), labels] -= 1 - smoothing
    return p / n


class Adam:
    """Adam with decoupled weight decay on weights, none on biases."""

    def __init__(self, network, decay):
        self.network, self.decay, self.step_count = network, decay, 0
        self.moments = [(np.zeros_like(getattr(layer, name)), np.zeros_like(getattr(layer, name)))
                        for layer, name in network.parameters()]

    def step(self, rate):
        self.step_count += 1
        first_fix, second_fix = 1 - 0.9 ** self.step_count, 1 - 0.999 ** self.step_count
        for (layer, name), (first, second) in zip(self.network.parameters(), self.moments):
            gradient, value = getattr(layer, "d_" + name), getattr(layer, name)
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient * gradient - second)
            if name == "weight":
                value -= rate * self.decay * value
            value -= rate * (first / first_fix) / (np.sqrt(second / second_fix) + 1e-8)

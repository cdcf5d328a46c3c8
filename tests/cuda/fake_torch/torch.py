# SPDX-License-Identifier: Apache-2.0
"""As much of PyTorch as bench/cuda/networks.py calls, by numpy: what is computed is right, what is timed is not."""

import sys
import time
import types

import numpy as np

__version__ = "0.fake"
channels_last = "channels_last"


class Tensor:
    def __init__(self, data):
        self.data = np.asarray(data)
        self.shape = self.data.shape

    def half(self):
        return Tensor(self.data.astype(np.float16).astype(np.float32))

    def float(self):
        return Tensor(self.data.astype(np.float32))

    def numpy(self):
        return self.data

    def same(self, *_, **__):
        return self

    to = cpu = pin_memory = contiguous = same

    def copy_(self, other, non_blocking=False):
        if self.data.shape != other.data.shape:
            raise ValueError(f"a copy of {other.data.shape} to {self.data.shape}")
        self.data = other.data.copy()

    def reshape(self, shape):
        return Tensor(self.data.reshape(shape))

    def flatten(self, start):
        return Tensor(self.data.reshape(*self.data.shape[:start], -1))

    def permute(self, order):
        return Tensor(self.data.transpose(order))

    def transpose(self, a, b):
        return Tensor(self.data.swapaxes(a, b))

    def t(self):
        return Tensor(self.data.T)

    def mean(self, axes, keepdim):
        return Tensor(self.data.mean(axes, keepdims=keepdim))

    def __add__(self, other):
        return Tensor(self.data + values(other))

    def __mul__(self, other):
        return Tensor(self.data * values(other))

    def __truediv__(self, other):
        return Tensor(self.data / values(other))


def values(x):
    return x.data if isinstance(x, Tensor) else np.float32(x)


def tensor(numbers):
    return Tensor(np.array(numbers, np.float32))


def from_numpy(array):
    return Tensor(array)


def randn(dims):
    return Tensor(np.random.default_rng().standard_normal(dims).astype(np.float32))


def empty(dims):
    return Tensor(np.zeros(dims, np.float32))


def matmul(x, y):
    return Tensor(x.data @ y.data)


def erf(x):
    import math

    return Tensor(np.vectorize(math.erf)(x.data).astype(np.float32))


def compile(module, mode):
    if mode not in ("default", "max-autotune-no-cudagraphs"):
        raise ValueError(f"the fake compiles by no mode {mode}")
    return module


class no_grad:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


# --- torch.nn ---------------------------------------------------------------------------------------------------------


class Module:
    def register_buffer(self, name, value):
        if "." in name:
            raise KeyError(name)
        setattr(self, name, value)

    def eval(self):
        return self

    def __call__(self, *args):
        return self.forward(*args)


def windows(x, high, wide, strides, pads, fill):
    """(n, c, oh, ow, high, wide)."""
    x = np.pad(x, ((0, 0), (0, 0), (pads[0],) * 2, (pads[1],) * 2), constant_values=fill)
    out = np.lib.stride_tricks.sliding_window_view(x, (high, wide), (2, 3))
    return out[:, :, :: strides[0], :: strides[1]]


def conv2d(x, w, b, strides, pads, dilations, group):
    if dilations not in (1, [1, 1]) or group != 1:
        raise ValueError("the fake has no such convolution")
    strides = [strides] * 2 if isinstance(strides, int) else strides
    v = windows(x.data, *w.data.shape[2:], strides, pads, 0)
    y = np.einsum("nchwij,ocij->nohw", v, w.data)
    return Tensor(y + (b.data[:, None, None] if b else 0))


def linear(x, w, b):
    return Tensor(x.data @ w.data.T + (b.data if b else 0))


def softmax(x, axis):
    e = np.exp(x.data - x.data.max(axis, keepdims=True))
    return Tensor(e / e.sum(axis, keepdims=True))


def layer_norm(x, shape, w, b, epsilon):
    assert len(shape) == 1
    centred = x.data - x.data.mean(-1, keepdims=True)
    return Tensor(centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) * w.data + b.data)


functional = types.SimpleNamespace(
    conv2d=conv2d, linear=linear, softmax=softmax, layer_norm=layer_norm, relu=lambda x: Tensor(np.maximum(x.data, 0)),
    max_pool2d=lambda x, kernel, strides, pads: Tensor(windows(x.data, *kernel, strides, pads, -np.inf).max((-2, -1))))
nn = types.SimpleNamespace(Module=Module, functional=functional)


# --- torch.cuda -------------------------------------------------------------------------------------------------------

CAPTURING = []


class CUDAGraph:
    def __init__(self):
        self.replays = 0

    def replay(self):
        if CAPTURING:
            raise ValueError("a replay while a graph is captured")
        self.replays += 1


class graph(no_grad):
    def __init__(self, into):
        self.into = into

    def __enter__(self):
        CAPTURING.append(self.into)

    def __exit__(self, *_):
        CAPTURING.pop()
        return False


class Event:
    def __init__(self, enable_timing):
        self.at = None

    def record(self):
        self.at = time.perf_counter()

    def elapsed_time(self, other):
        return 1e3 * (other.at - self.at)


class Stream:
    def wait_stream(self, other):
        assert isinstance(other, Stream)


cuda = types.SimpleNamespace(CUDAGraph=CUDAGraph, graph=graph, Event=Event, Stream=Stream, stream=lambda s: no_grad(),
                             current_stream=Stream, synchronize=lambda: None)
backends = types.SimpleNamespace(cudnn=types.SimpleNamespace(benchmark=False))
sys.modules["torch.nn"] = nn

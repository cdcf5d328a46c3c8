# SPDX-License-Identifier: Apache-2.0
"""Packages to carry to another machine: random weights are drawn again where they are needed, the rest is compressed.

A network's large arrays come from Numbers, which can draw each of them again. What the compiler makes of one is its
elements in another order, each channel times a factor, rounded: thin() finds that out, and leaves the constant out of
the file that it writes. whole() gives the package again, to the bit: a checksum says so."""

import itertools
import json
import lzma
import math
import struct
import zlib

import numpy as np

LARGE = 1 << 14  # elements of an array that is drawn again
HEADER, ROW, ROWS = 32, 32, 12  # of a package (docs/package.md): where rows of sections begin, their size, where their count is
TYPES = {"i8": np.int8, "f16": np.float16}


# --- numbers that can be drawn again -------------------------------------------------------------------------------------


def normal(seed, shape):
    """Sums of four numbers of 16 bits, of mean 0 and deviation 1, normal but for their far ends. Whole numbers, and one
    rounding: the same with every numpy."""
    words = np.random.PCG64(seed).random_raw(math.prod(shape)).view(np.uint16).reshape(-1, 4)
    centred = words.sum(1, dtype=np.int32) - 2 * 65535
    return (centred / np.float64(37837.2)).astype(np.float32).reshape(shape)  # sqrt(4 * 65536**2 / 12)


class Numbers:
    """A generator as the zoo's networks want one. Array k of the large ones has the seed of this one, and k more."""

    def __init__(self, seed):
        self.seed, self.arrays = seed, []
        self.small = np.random.Generator(np.random.PCG64(seed))

    def standard_normal(self, shape, dtype=np.float32):
        if math.prod(shape) < LARGE:
            return self.small.standard_normal(shape, dtype=dtype)
        self.arrays.append(normal(self.seed + len(self.arrays) + 1, shape))
        return self.arrays[-1].copy()

    def normal(self, *args):
        return self.small.normal(*args)

    def seeds(self):
        return enumerate(self.arrays, self.seed + 1)


# --- how a constant comes of one ------------------------------------------------------------------------------------------


def cast(values, dtype):
    return (np.clip(np.rint(values), -128, 127) if dtype == np.int8 else values).astype(dtype)


def by_channel(array, factor):
    return array.astype(np.float64) * np.reshape(factor, [-1] + [1] * (array.ndim - 1))


def factor_of(array, values):
    """The number for each channel, the first axis, of which rounding gives these values, if there is one."""
    if values.dtype == np.int8:
        low, high = values - 0.5, values + 0.5
    else:
        low, high = ((values.astype(np.float64) + np.nextafter(values, values.dtype.type(end))) / 2 for end in (-np.inf, np.inf))
    rows = np.where(array == 0, np.nan, array).reshape(len(array), -1).astype(np.float64)
    ends = np.stack([low.reshape(rows.shape) / rows, high.reshape(rows.shape) / rows])
    return (np.nanmax(ends.min(0), 1) + np.nanmin(ends.max(0), 1)) / 2


def orders(shape, dims):
    """Orders of the axes that make one shape of the other one; axes of one element aside."""
    wanted = [d for d in dims if d > 1]
    for order in itertools.permutations(range(len(shape))):
        if [shape[i] for i in order if shape[i] > 1] == wanted:
            yield order


def is_alike(a, b):
    """By some of the elements: up to factors and rounding."""
    a, b = (v.reshape(len(v), -1)[:: max(1, len(v) // 8), :1000].astype(np.float64).reshape(-1) for v in (a, b))
    return np.dot(a, b) > 0.8 * np.linalg.norm(a) * np.linalg.norm(b)


def recipe(values, dims, numbers):
    """Of a constant, or None."""
    for seed, array in numbers.seeds():
        if array.size != values.size:
            continue
        for order in orders(array.shape, dims):
            back = values.reshape([array.shape[i] for i in order]).transpose(np.argsort(order))
            if is_alike(back, array):
                factor = factor_of(array, back)
                wrong = np.flatnonzero(cast(by_channel(array, factor), values.dtype) != back)
                return {"seed": seed, "shape": array.shape, "order": order, "factor": factor.tolist(),
                        "at": wrong.tolist(), "is": back.reshape(-1)[wrong].astype(float).tolist()}
    return None


def cooked(r, dtype):
    """The constant of a recipe."""
    out = cast(by_channel(normal(r["seed"], r["shape"]), r["factor"]), dtype).reshape(-1)
    out[r["at"]] = r["is"]
    return out.reshape(r["shape"]).transpose(r["order"])


# --- packages -------------------------------------------------------------------------------------------------------------


def sections(data):
    """tag: (offset, size)"""
    out = {}
    for i in range(struct.unpack_from("<I", data, ROWS)[0]):
        tag, offset, size = struct.unpack_from("<8sQQ", data, HEADER + ROW * i)
        out[tag.rstrip(b"\0").decode()] = (offset, size)
    return out


def holes_of(data, numbers):
    """Constants to leave out, in their order: where they are, and how they are made."""
    where = sections(data)
    offset, size = where["manifest"]
    holes = {}
    for b in json.loads(data[offset:offset + size])["buffers"]:
        if "const_offset" not in b or b["dtype"] not in TYPES:
            continue
        at, dtype = where["const"][0] + b["const_offset"], np.dtype(TYPES[b["dtype"]])
        count = b["const_bytes"] // dtype.itemsize
        r = recipe(np.frombuffer(data, dtype, count, at), b["dims"], numbers) if count >= LARGE else None
        if r:
            holes[at] = {"start": at, "bytes": b["const_bytes"], "dtype": b["dtype"], **r}
    return [holes[at] for at in sorted(holes)]


def thin(package, path, numbers):
    """Writes to path what whole() makes the package of."""
    with open(package, "rb") as f:
        data = f.read()
    holes = holes_of(data, numbers)
    kept, at = [], 0
    for hole in holes:
        kept.append(data[at:hole["start"]])
        at = hole["start"] + hole["bytes"]
    head = json.dumps({"crc": zlib.crc32(data), "holes": holes}).encode()
    with open(path, "wb") as f:
        f.write(lzma.compress(struct.pack("<I", len(head)) + head + b"".join(kept) + data[at:], preset=6))


def whole(path, package):
    """Writes the package. A sentence where it is not the one that thin() had, else None."""
    with open(path, "rb") as f:
        text = lzma.decompress(f.read())
    at = 4 + struct.unpack_from("<I", text)[0]
    head, data = json.loads(text[4:at]), bytearray()
    for hole in head["holes"]:
        kept = hole["start"] - len(data)
        data += text[at:at + kept]
        at += kept
        data += np.ascontiguousarray(cooked(hole, TYPES[hole["dtype"]])).tobytes()
    data += text[at:]
    if zlib.crc32(data) != head["crc"]:
        return f"{path}: numpy {np.__version__} makes other weights of it than the machine that packed it"
    with open(package, "wb") as f:
        f.write(data)
    return None

# SPDX-License-Identifier: Apache-2.0
"""The CUDA driver's calls that a kernel needs, by ctypes, in the context that PyTorch has made."""

import ctypes
import os

TYPES = {"u8": 0, "u16": 1, "i32": 3, "f16": 6, "f32": 7, "bf16": 9}  # CUtensorMapDataType
SWIZZLE_128 = 3
L2_256 = 3
SHARED_BYTES = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
CLUSTER = 4  # CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION

cuda = ctypes.CDLL("libcuda.so.1")


class Attribute(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int), ("pad", ctypes.c_char * 4), ("value", ctypes.c_uint * 16)]


class Config(ctypes.Structure):
    _fields_ = [
        ("grid", ctypes.c_uint * 3),
        ("block", ctypes.c_uint * 3),
        ("shared", ctypes.c_uint),
        ("stream", ctypes.c_void_p),
        ("attributes", ctypes.POINTER(Attribute)),
        ("count", ctypes.c_uint),
    ]


def check(code, what):
    if code:
        text = ctypes.c_char_p()
        cuda.cuGetErrorString(code, ctypes.byref(text))
        raise RuntimeError(f"{what}: {text.value.decode() if text.value else code}")


def load(stem, entry, shared_bytes):
    """A kernel of STEM.cubin, which this driver may be too old for, or of STEM.ptx."""
    module, function = ctypes.c_void_p(), ctypes.c_void_p()
    for path in (stem + ".cubin", stem + ".ptx"):
        if not os.path.exists(path):
            continue
        with open(path, "rb") as f:
            code = cuda.cuModuleLoadData(ctypes.byref(module), f.read() + b"\0")
        if not code:
            break
    else:
        check(code, f"{stem} is not loaded")
    check(cuda.cuModuleGetFunction(ctypes.byref(function), module, entry.encode()), f"{entry} is not found")
    check(cuda.cuFuncSetAttribute(function, SHARED_BYTES, shared_bytes), f"{shared_bytes} bytes of shared memory")
    return function


def tensor_map(tensor, kind, dims, strides, box, step=None):
    """dims[0] elements lie side by side, those of dim d are strides[d - 1] bytes apart; boxes are 128 bytes wide
    and swizzled so, and have of dim d every step[d]-th element."""
    raw = ctypes.create_string_buffer(192)
    at = (ctypes.addressof(raw) + 63) & ~63
    rank = len(dims)
    code = cuda.cuTensorMapEncodeTiled(
        ctypes.c_void_p(at), TYPES[kind], rank, ctypes.c_void_p(tensor.data_ptr()), (ctypes.c_uint64 * rank)(*dims),
        (ctypes.c_uint64 * rank)(*strides), (ctypes.c_uint32 * rank)(*box), (ctypes.c_uint32 * rank)(*(step or [1] * rank)),
        0, SWIZZLE_128, L2_256, 0,
    )
    check(code, f"a tensor map of {dims} in boxes of {box}")
    return (ctypes.c_char * 128).from_buffer(raw, at - ctypes.addressof(raw))


def matrix_map(matrix, kind, rows, columns):
    return tensor_map(matrix, kind, matrix.shape[::-1], [matrix.shape[1] * matrix.element_size()], (columns, rows))


class Launch:
    """One launch with its arguments: ready to be repeated."""

    def __init__(self, function, grid, threads, shared, cluster, args):
        self.function = function
        self.kept = args  # memory of the arguments
        self.params = (ctypes.c_void_p * len(args))(*[ctypes.addressof(a) for a in args])
        self.attribute = Attribute(id=CLUSTER)
        self.attribute.value[0], self.attribute.value[1], self.attribute.value[2] = cluster, 1, 1
        self.config = Config((grid, 1, 1), (threads, 1, 1), shared, None, ctypes.pointer(self.attribute),
                             1 if cluster > 1 else 0)

    def __call__(self, stream):
        self.config.stream = stream
        check(cuda.cuLaunchKernelEx(ctypes.byref(self.config), self.function, self.params, None), "a launch")

# SPDX-License-Identifier: Apache-2.0
"""PTX run on this machine: enough of it for kernels of sm_90a that fill shared memory by tensor copies and
multiply by wgmma, and for those of sm_80 that do by cp.async, ldmatrix and mma, with all blocks of a launch at once.

What a GPU may do early or late is drawn at random: which warp runs, when a copy's bytes arrive; products read
shared memory as late as they may, when the program waits for them. So a stage that is given back too early, or
read too early, gives a wrong result here. A launch in which no warp does more than wait is refused as a deadlock, with
what each warp waits for; so is an instruction for whole warps that a part of one reaches, an index outside of
memory, and an instruction that is not known. Warps whose threads part run the ones that are behind first."""

import re

import numpy as np

LANES = 32
FAR = 1 << 24  # from one block's shared memory to that of the next one in a cluster, in addresses of both
MAP = 0x7000_0000_0000
ACTS = {"st", "cp", "wgmma", "mma", "ldmatrix", "ret"}  # what no warp does that only waits
MOST_IDLE = 200  # turns of all warps without an act


class Refused(Exception):
    pass


# --- text to instructions ------------------------------------------------------------------------------------------


class Insn:
    __slots__ = ("op", "parts", "kind", "guard", "negated", "args", "line")

    def __init__(self, op, guard, negated, args, line):
        self.op, self.parts, self.args, self.line = op, op.split("."), args, line
        self.kind = self.parts[-1]
        self.guard, self.negated = guard, negated


def split_args(text):
    """Commas outside of brackets and braces."""
    out, depth, at = [], 0, ""
    for c in text:
        depth += c in "[{"
        depth -= c in "]}"
        if c == "," and not depth:
            out.append(at.strip())
            at = ""
        else:
            at += c
    return out + [at.strip()] if at.strip() else out


class Kernel:
    def __init__(self, text, name):
        body = re.search(r"\.entry %s\((.*?)\)(.*?)\n\{(.*)\n\}" % re.escape(name), text, re.S)
        if not body:
            raise Refused(f"no kernel is named {name}")
        self.name = name
        self.params = re.findall(r"\.param\s+(.*?)\s+%s_param_\d+(\[\d+\])?" % re.escape(name), body.group(1))
        self.code, self.label = [], {}
        lines = re.sub(r"//[^\n]*", "", body.group(3))
        lines = re.sub(r"^\s*([{}])\s*$", "", lines, flags=re.M)
        lines = re.sub(r"\{\s*\.reg \.b32 tmp;([^;]*;)\s*\}", r"\1", lines)
        for statement in lines.replace(":\n", ":;\n").split(";"):
            self.add(" ".join(statement.split()))

    def add(self, s):
        if not s or s.startswith(".reg"):
            return
        if s.endswith(":"):
            self.label[s[:-1]] = len(self.code)
            return
        guard, negated = None, False
        m = re.match(r"@(!?)(\S+)\s+(.*)", s)
        if m:
            negated, guard, s = bool(m.group(1)), m.group(2), m.group(3)
        op, _, args = s.partition(" ")
        self.code.append(Insn(op, guard, negated, split_args(args), s))


# --- shared memory and its barriers ----------------------------------------------------------------------------------


class Barrier:
    def __init__(self, count):
        self.count = self.pending = count
        self.bytes, self.parity = 0, 0

    def settle(self):
        if self.pending < 0:
            raise Refused("more arrivals at a barrier than it counts")
        if not self.pending and not self.bytes:
            self.parity ^= 1
            self.pending = self.count


def swizzled(address):
    return address ^ ((address >> 7 & 7) << 4)


class TensorMap:
    """dims[0] lies side by side, dim d is strides[d - 1] bytes apart; a box is 128 bytes wide, and has of dim d
    every step[d]-th element."""

    def __init__(self, array, dims, strides, box, step=None):
        self.step = step or [1] * len(dims)
        self.raw, self.size = array.reshape(-1).view(np.uint8), array.itemsize
        self.dims, self.strides, self.box = dims, [self.size, *strides], box
        if box[0] * self.size != 128 or max(box) > 256:
            raise Refused("a map whose boxes are not 128 bytes wide")
        if any(s % before for s, before in zip(strides, [16, *strides])):
            raise Refused("a map whose strides are no multiples of 16 or of the one before")
        if sum((d - 1) * s for d, s in zip(dims, self.strides)) + self.size > self.raw.size:
            raise Refused("a map that reaches out of its array")

    def read(self, index):
        """Rows of 128 bytes; zeros outside."""
        grid = np.meshgrid(*(np.arange(0, b, s) + i for b, i, s in zip(self.box[::-1], index[::-1], self.step[::-1])), indexing="ij")[::-1]
        inside = np.ones(grid[0].shape, bool)
        at = np.zeros(grid[0].shape, np.int64)
        for g, d, s in zip(grid, self.dims, self.strides):
            inside &= (g >= 0) & (g < d)
            at += g * s
        at = np.where(inside, at, 0)[..., None] + np.arange(self.size)
        return np.where(inside[..., None], self.raw[at], np.uint8(0)).reshape(-1, 128)


def place_of(index, extents):
    """x, y and z of what is counted with x the fastest."""
    x, y, _ = extents
    return index % x, index // x % y, index // (x * y)


def matrix_map(matrix, box_rows, box_columns):
    rows, columns = matrix.shape
    return TensorMap(matrix, [columns, rows], [columns * matrix.itemsize], [box_columns, box_rows])


class Block:
    def __init__(self, launch, index):
        self.launch, self.index = launch, index
        self.memory = np.full(launch.shared_bytes, 0xA5, np.uint8)
        self.barrier, self.named = {}, {}
        self.cluster = index // launch.cluster * launch.cluster
        self.rank = index % launch.cluster
        self.place = place_of(index, launch.grid)
        self.warps = [Warp(self, w) for w in range(launch.threads // LANES)]
        self.groups = [Warpgroup(self.warps[i: i + 4]) for i in range(0, len(self.warps), 4)]
        for g in self.groups:
            for w in g.warps:
                w.group = g

    def meet(self, name, count, warp, waits):
        """At a barrier of so many warps; False: this one waits there."""
        place = self.named.setdefault(name, [0, 0])  # arrivals, and how often they were enough
        if warp.waits_for != (name, place[1]):
            if warp.waits_for:
                warp.waits_for = None
                return True
            place[0] += 1
            warp.waits_for = (name, place[1]) if waits else None
            if place[0] == count:
                place[:] = [0, place[1] + 1]
                warp.waits_for = None
                self.launch.progress = True
                return True
            return not waits
        return False

    def peer(self, address):
        """The block and the place that an address of the cluster means."""
        return self.launch.blocks[self.cluster + address // FAR], address % FAR

    def barrier_at(self, address):
        block, at = self.peer(int(address))
        if at not in block.barrier:
            raise Refused(f"no barrier is at {at}")
        return block.barrier[at]

    def slice(self, address, size):
        block, at = self.peer(int(address))
        if at + size > len(block.memory):
            raise Refused(f"{size} bytes at {at} are outside of shared memory")
        return block.memory[at: at + size]


# --- products ------------------------------------------------------------------------------------------------------------


def decoded(raw, dtype):
    if dtype == "s8":
        return raw.view(np.int8).astype(np.int64)
    if dtype == "f16":
        return raw.view(np.float16).astype(np.float32)
    if dtype == "tf32":
        if (raw.view(np.uint32) & np.uint32(0x1FFF)).any():
            raise Refused("an operand that is not rounded to tf32")
        return raw.view(np.float32)
    return (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32)


def operand(memory, descriptor, rows, dtype, across):
    """Rows of 32 bytes of k out of swizzled memory, as a descriptor says; across: rows lie side by side."""
    if descriptor >> 62 != 1 or descriptor >> 49 & 7:
        raise Refused("a descriptor of another layout than the 128-byte swizzle")
    start, far = (descriptor & 0x3FFF) << 4, (descriptor >> 16 & 0x3FFF) << 4
    stride = (descriptor >> 32 & 0x3FFF) << 4
    r, j = np.arange(rows)[:, None], np.arange(32)[None, :]
    if across:
        r, j = np.arange(2 * rows)[None, :], np.arange(16)[:, None]  # bytes of the rows; of 16 steps of k
        at = swizzled(start + r // 128 * far + r % 128 + j // 8 * stride + j % 8 * 128)
    else:
        at = swizzled(start + r // 8 * stride + r % 8 * 128 + j)
    if at.max() >= len(memory):
        raise Refused("an operand of a product is outside of shared memory")
    out = decoded(np.ascontiguousarray(memory[at]), dtype)
    return out.T if across else out


class Warpgroup:
    def __init__(self, warps):
        self.warps, self.open, self.committed = warps, [], []

    def wait(self, most):
        while len(self.committed) > most:
            for insn, a, b, more in self.committed.pop(0):
                self.multiply(insn, a, b, more)

    def multiply(self, insn, a, b, more):
        shape = re.search(r"m64n(\d+)k\d+\.(\w+)\.(\w+)", insn.op)
        n, dtype = int(shape.group(1)), shape.group(3)
        memory = self.warps[0].block.memory
        scales = [int(x) for x in insn.args[4:]]  # of a, of b; whether a, whether b lies across
        if scales and scales[:3] != [1, 1, 0]:
            raise Refused("scales or a transposed a")
        across = bool(scales and scales[3])
        y = operand(memory, a, 64, dtype, False) @ operand(memory, b, n, dtype, across).T
        registers = insn.args[0].strip("{}").replace(" ", "").split(",")
        lane = np.arange(LANES)
        for w, warp in enumerate(self.warps):
            for i, name in enumerate(registers):
                value = y[16 * w + lane // 4 + i % 4 // 2 * 8, i // 4 * 8 + lane % 4 * 2 + i % 2]
                if dtype == "s8":
                    value = value.astype(np.int32).view(np.uint32)
                    warp.reg[name] = value + warp.reg[name] if more else value
                else:
                    old = warp.reg[name].view(np.float32) if more else np.float32(0)
                    warp.reg[name] = (value.astype(np.float32) + old).view(np.uint32)


# --- a warp ----------------------------------------------------------------------------------------------------------------

SIGNED = {"s16": np.int16, "s32": np.int32, "s64": np.int64}
WIDTH = {"b8": np.uint8, "u8": np.uint8, "s8": np.uint8, "b16": np.uint16, "u16": np.uint16, "s16": np.uint16, "b32": np.uint32, "u32": np.uint32, "s32": np.uint32, "f32": np.uint32,
         "b64": np.uint64, "u64": np.uint64, "s64": np.uint64, "pred": bool}


def typed(value, kind):
    if kind == "f32":
        return value.view(np.float32)
    return value.view(SIGNED[kind]) if kind in SIGNED else value


COMPARE = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
           "ge": np.greater_equal}
BINARY = {"add": np.add, "sub": np.subtract, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
          "min": np.minimum, "max": np.maximum}


def rounded_half(x, kind):
    if kind.startswith("f16"):
        return x.astype(np.float16).view(np.uint16)
    bits = x.view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))) >> np.uint32(16)).astype(np.uint16)


class Warp:
    def __init__(self, block, index):
        self.block, self.index = block, index
        self.pc = np.zeros(LANES, np.int64)
        self.live = np.ones(LANES, bool)
        self.parked = np.zeros(LANES, bool)  # at bar.warp.sync
        self.at_cluster = np.zeros(LANES, np.int64)  # how many times it arrived there
        self.reg, self.turn_of, self.waits_for, self.group = {}, {}, None, None
        self.copying, self.copies = [], []  # by cp.async: in the open group, in groups on their way

    # -- operands

    def get(self, text, kind):
        if text in self.reg:
            return self.reg[text]
        dtype = WIDTH[kind]
        if text.startswith("0f"):
            return np.full(LANES, int(text[2:], 16), np.uint32)
        if re.fullmatch(r"-?(0x)?[0-9a-fA-F]+", text):
            value = int(text, 16) if "0x" in text else int(text)
            return np.full(LANES, value & (1 << 8 * np.dtype(dtype).itemsize) - 1, dtype)
        return self.special(text, dtype)

    def special(self, text, dtype):
        launch = self.block.launch
        values = {"%nctaid.x": len(launch.blocks), "shared": self.block.rank * FAR}
        threads = place_of(self.index * LANES + np.arange(LANES), launch.block)
        for d, name in enumerate("xyz"):
            values["%tid." + name], values["%ctaid." + name] = threads[d], self.block.place[d]
        if text in values:
            return np.full(LANES, values[text]).astype(dtype)
        m = re.fullmatch(re.escape(launch.kernel.name) + r"_param_(\d+)", text)
        if m and isinstance(launch.args[int(m.group(1))], TensorMap):
            return np.full(LANES, MAP + int(m.group(1)), dtype)
        raise Refused(f"operand {text} is not known")

    def put(self, name, value, active):
        if name == "_":
            return
        if active.all() or name not in self.reg:
            self.reg[name] = np.array(value)
        else:
            self.reg[name] = np.where(active, value, self.reg[name])

    def address(self, text):
        m = re.fullmatch(r"\[(.+?)(\+(-?\d+))?\]", text)
        base = self.reg[m.group(1)].astype(np.int64)
        return base + int(m.group(3) or 0)

    # -- one step; False: it waits

    def step(self):
        run = self.live & ~self.parked & (self.at_cluster <= self.block.launch.turns[self.block.cluster])
        if not run.any():
            return False
        at = int(self.pc[run].min())
        active = run & (self.pc == at)
        insn = self.block.launch.kernel.code[at]
        if insn.guard:
            guard = self.reg[insn.guard] ^ insn.negated
            if insn.op.startswith("bra"):
                return self.branch(insn, active, guard)
            mine = active & guard
        else:
            mine = active
        if insn.op.startswith("bra"):
            return self.branch(insn, active, np.ones(LANES, bool))
        if ".aligned" in insn.op and not active.all():
            raise Refused(f"{insn.op} in block {self.block.index}, warp {self.index}: threads {np.nonzero(active)[0].tolist()} only")
        moved = self.execute(insn, mine) if mine.any() else True
        if moved:
            self.pc[active] += 1
        return moved

    def branch(self, insn, active, guard):
        target = self.block.launch.kernel.label[insn.args[0]]
        self.pc[active & guard] = target
        self.pc[active & ~guard] += 1
        return True

    def execute(self, insn, active):
        name = insn.parts[0]
        self.block.launch.acted |= name in ACTS
        method = getattr(self, "do_" + name, None)
        if method:
            return method(insn, active)
        if name in BINARY:
            return self.binary(insn, active)
        raise Refused(f"instruction {insn.line} is not known")

    # -- arithmetic

    def binary(self, insn, active):
        a, b = (typed(self.get(x, insn.kind), insn.kind) for x in insn.args[1:3])
        with np.errstate(all="ignore"):
            value = BINARY[insn.parts[0]](a, b)
        self.put(insn.args[0], value if insn.kind == "pred" else value.view(WIDTH[insn.kind]), active)
        return True

    def do_mov(self, insn, active):
        if insn.args[1].startswith("{"):
            low, high = (self.get(x.strip(), "b16").astype(np.uint32) for x in insn.args[1].strip("{}").split(","))
            self.put(insn.args[0], high << np.uint32(16) | low, active)
            return True
        if insn.args[0].startswith("{"):
            value, bits, part = self.get(insn.args[1], insn.kind), 16, np.uint16
            if insn.kind == "b64":
                bits, part = 32, np.uint32
            for i, name in enumerate(insn.args[0].strip("{}").split(",")):
                self.put(name.strip(), (value >> value.dtype.type(bits * i)).astype(part), active)
            return True
        self.put(insn.args[0], self.get(insn.args[1], insn.kind), active)
        return True

    def do_cvta(self, insn, active):
        self.put(insn.args[0], self.get(insn.args[1], "b64"), active)
        return True

    def do_cvt(self, insn, active):
        kinds = [k for k in insn.parts[1:] if k != "rn"]
        if kinds == ["rna", "tf32", "f32"]:
            bits = self.get(insn.args[1], "f32")
            near = bits + np.uint32(0x1000) & np.uint32(0xFFFFE000)
            self.put(insn.args[0], np.where(bits & np.uint32(0x7F800000) == np.uint32(0x7F800000), bits, near), active)
            return True
        if kinds[0].endswith("x2"):
            high, low = (self.get(x, "f32").view(np.float32) for x in insn.args[1:3])
            half = [rounded_half(x, kinds[0]).astype(np.uint32) for x in (high, low)]
            value = half[0] << np.uint32(16) | half[1]
        elif kinds[0] in ("f16", "bf16"):
            value = rounded_half(self.get(insn.args[1], "f32").view(np.float32), kinds[0])
        elif kinds[1] == "f16":
            value = self.get(insn.args[1], "b16").view(np.float16).astype(np.float32).view(np.uint32)
        else:
            value = typed(self.get(insn.args[1], kinds[1]), kinds[1])
            value = value.astype(SIGNED.get(kinds[0], WIDTH[kinds[0]])).view(WIDTH[kinds[0]])
        self.put(insn.args[0], value, active)
        return True

    def do_mul(self, insn, active):
        if insn.kind == "f32":
            value = (self.get(insn.args[1], "f32").view(np.float32) * self.get(insn.args[2], "f32").view(np.float32)).view(np.uint32)
        elif insn.parts[1] == "lo":
            value = self.get(insn.args[1], insn.kind) * self.get(insn.args[2], insn.kind)
        else:
            wide = np.int64 if insn.kind[0] == "s" else np.uint64
            if insn.kind[1:] == "16":
                wide = np.int32 if insn.kind[0] == "s" else np.uint32
            value = typed(self.get(insn.args[1], insn.kind), insn.kind).astype(wide)
            value = value * typed(self.get(insn.args[2], insn.kind), insn.kind).astype(wide)
            value = value.view("u%d" % value.itemsize) if insn.parts[1] == "wide" else (value >> wide(32)).astype(np.uint32)
        self.put(insn.args[0], value, active)
        return True

    def do_mad(self, insn, active):
        a, b, c = (self.get(x, insn.kind) for x in insn.args[1:4])
        self.put(insn.args[0], a * b + c, active)
        return True

    def do_fma(self, insn, active):
        a, b, c = (self.get(x, "f32").view(np.float32).astype(np.float64) for x in insn.args[1:4])
        self.put(insn.args[0], (a * b + c).astype(np.float32).view(np.uint32), active)
        return True

    def do_div(self, insn, active):
        a, b = (self.get(x, insn.kind) for x in insn.args[1:3])
        self.put(insn.args[0], a // np.maximum(b, 1), active)
        return True

    def do_not(self, insn, active):
        self.put(insn.args[0], ~self.get(insn.args[1], insn.kind), active)
        return True

    def do_neg(self, insn, active):
        if insn.kind != "f32":
            value = self.get(insn.args[1], insn.kind)
            self.put(insn.args[0], ~value + value.dtype.type(1), active)
            return True
        self.put(insn.args[0], (-self.get(insn.args[1], "f32").view(np.float32)).view(np.uint32), active)
        return True

    def do_abs(self, insn, active):
        self.put(insn.args[0], np.abs(self.get(insn.args[1], "f32").view(np.float32)).view(np.uint32), active)
        return True

    def shift(self, insn, active, left):
        value, by = typed(self.get(insn.args[1], insn.kind), insn.kind), self.get(insn.args[2], "u32")
        bits = 8 * value.itemsize
        near = np.minimum(by, bits - 1).astype(value.dtype)
        out = value << near if left else value >> near
        if left or insn.kind[0] != "s":
            out = np.where(by >= bits, value.dtype.type(0), out)
        self.put(insn.args[0], out.view(WIDTH[insn.kind]), active)
        return True

    def do_shl(self, insn, active):
        return self.shift(insn, active, True)

    def do_shr(self, insn, active):
        return self.shift(insn, active, False)

    def do_bfe(self, insn, active):
        at, size = (self.get(x, "u32") for x in insn.args[2:4])
        value = self.get(insn.args[1], insn.kind)
        if insn.kind == "u64":
            out = value >> at.astype(np.uint64) & (np.uint64(1) << size.astype(np.uint64)) - np.uint64(1)
        else:
            out = value >> at & (np.uint32(1) << size) - np.uint32(1)
        if insn.kind == "s32":
            sign = np.uint32(1) << size - np.uint32(1)
            out = (out ^ sign) - sign
        self.put(insn.args[0], out, active)
        return True

    def do_setp(self, insn, active):
        a, b = (typed(self.get(x, insn.kind), insn.kind) for x in insn.args[1:3])
        self.put(insn.args[0], COMPARE[insn.parts[1]](a, b), active)
        return True

    def do_selp(self, insn, active):
        a, b = (self.get(x, insn.kind) for x in insn.args[1:3])
        self.put(insn.args[0], np.where(self.reg[insn.args[3]], a, b), active)
        return True

    def do_shfl(self, insn, active):
        if not active.all():
            raise Refused("shfl.sync by a part of a warp")
        lane, by = np.arange(LANES), int(insn.args[2])
        self.put(insn.args[0], self.get(insn.args[1], "b32")[lane ^ by if "bfly" in insn.parts else lane * 0 + by], active)
        return True

    # -- memory

    def do_ld(self, insn, active):
        launch = self.block.launch
        if insn.parts[1] == "param":
            index = int(insn.args[1].strip("[]").rsplit("_", 1)[1])
            self.put(insn.args[0], np.full(LANES, launch.args[index]).astype(WIDTH[insn.kind]), active)
            return True
        names = insn.args[0].strip("{}").replace(" ", "").split(",")
        at, element = self.address(insn.args[1]), {"u8": np.uint8, "s8": np.int8}.get(insn.kind) or WIDTH[insn.kind]
        size = np.dtype(element).itemsize * len(names)
        out = np.zeros((LANES, len(names)), element)
        for lane in np.nonzero(active)[0]:
            part = self.block.slice if insn.parts[1].startswith("shared") else launch.global_bytes
            out[lane] = part(at[lane], size).view(element)
        for i, name in enumerate(names):
            self.put(name, out[:, i].astype(np.uint16) if size < 2 else out[:, i], active)
        return True

    def do_st(self, insn, active):
        names, element = insn.args[1].strip("{}").replace(" ", "").split(","), WIDTH[insn.kind]
        at, value = self.address(insn.args[0]), np.stack([self.get(n, insn.kind).astype(element) for n in names], 1)
        size = value.itemsize * len(names)
        for lane in np.nonzero(active)[0]:
            if insn.parts[1] == "shared":
                self.block.slice(at[lane], size)[:] = np.ascontiguousarray(value[lane]).view(np.uint8)
            else:
                to = self.block.launch.global_bytes(at[lane], size)
                self.block.launch.written(at[lane], size)
                to[:] = np.ascontiguousarray(value[lane]).view(np.uint8)
        return True

    def land(self):
        """The oldest group of copies."""
        for lane_to, lane_from, size, filled in self.copies.pop(0):
            data = np.zeros(size, np.uint8)
            if filled:
                data[:filled] = self.block.launch.global_bytes(lane_from, filled)
            self.block.slice(lane_to, size)[:] = data

    def copy_async(self, insn, active):
        """cp.async, its groups, and what waits for them: copies arrive then, or any time before."""
        if insn.parts[2] == "commit_group":
            self.copies.append(self.copying)
            self.copying = []
            if self.block.launch.random.random() < 0.3:
                self.land()
            return True
        if insn.parts[2] == "wait_group":
            while len(self.copies) > int(insn.args[0]):
                self.land()
            return True
        to, source, size = self.address(insn.args[0]), self.address(insn.args[1]), int(insn.args[2])
        filled = self.get(insn.args[3], "u32") if len(insn.args) > 3 else np.full(LANES, size)
        for lane in np.nonzero(active)[0]:
            if to[lane] % size:
                raise Refused(f"a copy of {size} bytes to {to[lane]}")
            self.copying.append((to[lane], source[lane], size, int(filled[lane])))
        return True

    def do_ldmatrix(self, insn, active):
        """Lanes 8 i to 8 i + 7 point to the rows of matrix i, of 16 bytes each."""
        if "x4" not in insn.parts:
            raise Refused(f"{insn.op} is not known")
        at, names = self.address(insn.args[1]), insn.args[0].strip("{}").replace(" ", "").split(",")
        for i, name in enumerate(names):
            rows = np.stack([self.block.slice(x, 16) for x in at[8 * i: 8 * i + 8]])
            if (at[8 * i: 8 * i + 8] % 16).any():
                raise Refused("a row of a matrix that is not aligned")
            self.block.launch.conflicts += 8 - len(set(at[8 * i: 8 * i + 8] // 16 % 8))
            if "trans" in insn.parts:
                rows = np.ascontiguousarray(rows.view(np.uint16).T).view(np.uint8)
            self.put(name, np.ascontiguousarray(rows).view(np.uint32).reshape(LANES), active)
        return True

    def fragment(self, text, words):
        """Rows of 32 bytes out of the words of all lanes: below one another first, then along a row."""
        value = [self.get(n, "b32") for n in text.strip("{}").replace(" ", "").split(",")]
        high = len(value) // 2
        if len(value) != words:
            raise Refused("a product of another shape")
        rows = np.zeros((8 * high, 8), np.uint32)
        for i, v in enumerate(value):
            rows[8 * (i % high): 8 * (i % high) + 8, 4 * (i // high): 4 * (i // high) + 4] = v.reshape(8, 4)
        return rows.view(np.uint8)

    def do_mma(self, insn, active):
        dtype = insn.parts[-2]
        a, b = decoded(self.fragment(insn.args[1], 4), dtype), decoded(self.fragment(insn.args[2], 2), dtype)
        whole, lane = dtype == "s8", np.arange(LANES)
        y = a.astype(np.int64 if whole else np.float64) @ b.T.astype(np.int64 if whole else np.float64)
        old = insn.args[3].strip("{}").replace(" ", "").split(",")
        sums = [self.get(name, "b32") for name in old]
        for i, name in enumerate(insn.args[0].strip("{}").replace(" ", "").split(",")):
            value = y[lane // 4 + 8 * (i // 2), lane % 4 * 2 + i % 2]
            if whole:
                value = value.astype(np.int32).view(np.uint32) + sums[i]
            else:
                value = (value + sums[i].view(np.float32)).astype(np.float32).view(np.uint32)
            self.put(name, value, active)
        return True

    def do_mapa(self, insn, active):
        rank = self.get(insn.args[2], "u32")
        if rank[active].max() >= self.block.launch.cluster:
            raise Refused("mapa of a block that the cluster does not have")
        self.put(insn.args[0], self.get(insn.args[1], "u32") % np.uint32(FAR) + rank * np.uint32(FAR), active)
        return True

    def do_prefetch(self, insn, active):
        return True

    def do_fence(self, insn, active):
        return True

    def do_setmaxnreg(self, insn, active):
        return True

    def do_cp(self, insn, active):
        if "bulk" not in insn.parts:
            return self.copy_async(insn, active)
        launch = self.block.launch
        lane = int(np.nonzero(active)[0][0])
        if active.sum() != 1:
            raise Refused("a copy by several threads")
        to = int(self.address(insn.args[0])[lane]) % FAR
        m = re.fullmatch(r"\[(\S+), \{(.+)\}\]", insn.args[1])
        tensor = launch.args[int(self.reg[m.group(1)][lane]) - MAP]
        index = [int(self.get(x.strip(), "b32").view(np.int32)[lane]) for x in m.group(2).split(",")]
        if len(index) != len(tensor.dims):
            raise Refused("a copy of another rank than its map")
        barrier = int(self.address(insn.args[2])[lane]) % FAR
        blocks = [self.block]
        if "multicast" in insn.op:
            mask = int(self.get(insn.args[3], "b16")[lane])
            blocks = [launch.blocks[self.block.cluster + r] for r in range(launch.cluster) if mask >> r & 1]
        if to % 1024:
            raise Refused("a swizzled copy to a place that is no multiple of 1024")
        for block in blocks:
            launch.copies.append((block, to, tensor, index, barrier))
        return True

    # -- barriers

    def do_mbarrier(self, insn, active):
        what = insn.parts[1]
        if what == "try_wait":
            barrier = self.block.barrier_at(self.address(insn.args[1])[np.nonzero(active)[0][0]])
            done = barrier.parity != int(self.get(insn.args[2], "u32")[np.nonzero(active)[0][0]])
            self.put(insn.args[0], np.full(LANES, done), active)
            if not done:
                self.block.launch.spinning = True
            return True
        for lane in np.nonzero(active)[0]:
            address = int(self.address(insn.args[0] if what == "init" else insn.args[1])[lane])
            if what == "init":
                self.block.barrier[address % FAR] = Barrier(int(self.get(insn.args[1], "u32")[lane]))
                continue
            barrier = self.block.barrier_at(address)
            barrier.pending -= 1
            if "expect_tx" in insn.parts:
                barrier.bytes += int(self.get(insn.args[2], "u32")[lane])
            barrier.settle()
            self.block.launch.moved()
        return True

    def do_bar(self, insn, active):
        if insn.parts[1] == "warp":
            self.parked |= active
            if (self.parked | ~self.live).all():
                self.parked[:] = False
            return True
        if not active.all():
            raise Refused(f"{insn.line} by a part of a warp")
        name = int(self.get(insn.args[0], "u32")[0])
        threads = int(insn.args[1]) if len(insn.args) > 1 else self.block.launch.threads
        return self.block.meet(name, threads // LANES, self, insn.parts[1] == "sync")

    def do_barrier(self, insn, active):
        if insn.parts[2] == "arrive":
            self.at_cluster[active] += 1
            self.block.launch.count_turns(self.block)
        return True

    def do_wgmma(self, insn, active):
        group, what = self.group, insn.parts[1]
        if not self.block.launch.gather(("wgmma", id(group), id(insn)), self, 4):
            return False
        if not self.block.launch.last_of_gather:
            return True  # who came last did it for all
        if what == "mma_async":
            a, b = (int(self.get(x, "b64")[0]) for x in insn.args[1:3])
            group.open.append((insn, a, b, bool(self.reg[insn.args[3]][0])))
        elif what == "commit_group":
            group.committed.append(group.open)
            group.open = []
        elif what == "wait_group":
            group.wait(int(insn.args[0]))
        return True

    def do_ret(self, insn, active):
        self.live &= ~active
        self.block.launch.count_turns(self.block)
        return True


# --- a launch -----------------------------------------------------------------------------------------------------------------


class Launch:
    """All blocks of one launch. args: TensorMaps, numpy arrays (passed as pointers) and integers. `grid` and `block`
    say what is counted in several dims; `conflicts` counts rows that ldmatrix takes from banks of others."""

    def __init__(self, kernel, blocks, threads, shared_bytes, cluster, args, seed, eager=False, grid=None, block=None):
        self.kernel, self.threads, self.shared_bytes, self.cluster = kernel, threads, shared_bytes, cluster
        self.grid, self.block, self.conflicts = grid or [blocks, 1, 1], block or [threads, 1, 1], 0
        self.random, self.eager = np.random.default_rng(seed), eager
        self.arrays = [a for a in args if isinstance(a, np.ndarray)]
        self.stores = [np.zeros(a.nbytes, np.uint8) for a in self.arrays]
        self.args = [(self.index_of(a) + 1) << 36 if isinstance(a, np.ndarray) else a for a in args]
        self.copies, self.gathered, self.blocks = [], {}, []
        self.turns = dict.fromkeys(range(0, blocks, cluster), 0)
        self.blocks = [Block(self, i) for i in range(blocks)]

    def index_of(self, array):
        return next(i for i, a in enumerate(self.arrays) if a is array)

    def global_bytes(self, address, size):
        index, at = int(address) >> 36, int(address) & (1 << 36) - 1
        if not 1 <= index <= len(self.arrays) or at + size > self.arrays[index - 1].nbytes or at % size:
            raise Refused(f"{size} bytes at {at} of argument array {index - 1} are outside of it, or not aligned")
        return self.arrays[index - 1].reshape(-1).view(np.uint8)[at: at + size]

    def written(self, address, size):
        index, at = int(address) >> 36, int(address) & (1 << 36) - 1
        count = self.stores[index - 1][at: at + size]
        if count.any():
            raise Refused(f"{size} bytes at {at} of argument array {index - 1} are written twice")
        count[:] = 1

    def moved(self):
        self.progress = True

    def count_turns(self, block):
        """How often all threads of a cluster that are still there have arrived."""
        peers = self.blocks[block.cluster: block.cluster + self.cluster]
        live = [w.at_cluster[w.live] for b in peers for w in b.warps if w.live.any()]
        self.turns[block.cluster] = min((int(x.min()) for x in live), default=0)
        self.progress = True

    def gather(self, key, warp, count):
        """True for each of `count` warps once all are here."""
        turn = warp.turn_of.get(key, 0)
        here = self.gathered.setdefault((key, turn), set())
        self.last_of_gather = warp not in here and len(here) == count - 1
        here.add(warp)
        if len(here) < count:
            return False
        self.progress |= self.last_of_gather
        warp.turn_of[key] = turn + 1
        return True

    def land(self, index):
        block, to, tensor, place, barrier = self.copies.pop(index)
        data = tensor.read(place)
        r, j = np.arange(data.shape[0])[:, None], np.arange(128)[None, :]
        at = swizzled(to + r * 128 + j)
        if at.max() >= self.shared_bytes:
            raise Refused("a copy outside of shared memory")
        block.memory[at] = data
        there = block.barrier[barrier]
        there.bytes -= data.size
        there.settle()
        self.progress = True

    def run(self):
        warps = [w for b in self.blocks for w in b.warps]
        idle = 0
        while True:
            warps = [w for w in warps if w.live.any()]
            if not warps:
                if self.copies:
                    raise Refused("copies were still on their way when the kernel ended")
                return
            self.progress = self.acted = False
            for w in self.random.permutation(len(warps)):
                self.turn(warps[w])
            while self.copies and (self.eager or self.random.random() < 0.5):
                self.land(int(self.random.integers(len(self.copies))))
            if not self.progress and self.copies:
                self.land(0)
            idle = 0 if self.acted else idle + 1
            if idle > MOST_IDLE:
                raise Refused("deadlock: " + "; ".join(f"block {w.block.index} warp {w.index} at {self.kernel.code[int(w.pc[w.live].min())].line[:70]}" for w in warps[:12]))

    def turn(self, warp):
        self.spinning = False
        for _ in range(int(self.random.integers(1, 400))):
            if not warp.live.any() or not warp.step() or self.spinning:
                return
        self.progress = True

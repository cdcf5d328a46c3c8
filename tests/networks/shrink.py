# SPDX-License-Identifier: Apache-2.0
"""Makes a failing network small: tries one simplification after the other, keeps what still fails.

Candidates are whole networks, smaller first: layers cut off behind and before, layers taken out,
dims shrunk, parameters brought to their plainest. A candidate that does not exist
(layers.Invalid) or fails otherwise is dropped. Ends when nothing simpler fails.
"""
import copy

import layers


def pruned(net):
    """Without the inputs that nothing reads, and pins of layers that are gone."""
    read = {v for layer in net["layers"] for v in layer["in"]}
    names = {layer["name"] for layer in net["layers"]}
    net["inputs"] = [x for x in net["inputs"] if x["name"] in read]
    net["pinned"] = [n for n in net["pinned"] if n in names]
    return net


def without(net, gone):
    """Without these layers; what others read of them becomes an input of that shape and edge."""
    known = layers.shapes(net)
    small = copy.deepcopy(net)
    small["layers"] = [layer for layer in small["layers"] if layer["name"] not in gone]
    read = {v for layer in small["layers"] for v in layer["in"]}
    for layer in net["layers"]:
        if layer["name"] in gone and layer["name"] in read:
            small["inputs"].append({"name": layer["name"], "shape": known[layer["name"]],
                                    "edge": dict(layer["edge"]), "form": "quantized"})
    return pruned(small)


def fewer_layers(net):
    names = [layer["name"] for layer in net["layers"]]
    for name in names:                          # one alone
        if len(names) > 1:
            yield without(net, set(names) - {name})
    for k in range(1, len(names)):              # the first k; all behind the first k
        yield without(net, set(names[k:]))
        yield without(net, set(names[:k]))
    for name in names:
        if len(names) > 1:
            yield without(net, {name})


def smaller(value, least):
    """Numbers to try in place of this one, the smallest first."""
    return sorted({n for n in (least, value // 2, value - 1) if least <= n < value})


def smaller_dims(net):
    for k, x in enumerate(net["inputs"]):
        for d, size in enumerate(x["shape"]):
            for n in smaller(size, 1):
                small = copy.deepcopy(net)
                small["inputs"][k]["shape"][d] = n
                if small["inputs"][k]["shape"][1] != x["shape"][1]:
                    follow_depthwise(small, x["shape"][1], n)
                yield small


def follow_depthwise(net, before, now):
    """Convolutions of one group a channel stay that when channels change."""
    for layer in net["layers"]:
        if layer["op"] == "conv" and layer["group"] == before > 1:
            layer.update(group=now, out=max(1, layer["out"] // before) * now)


PLAIN_LISTS = {"kernel": 1, "strides": 1, "dilations": 1, "pads": 0, "before": 0, "behind": 0}
PLAIN_FIELDS = {"bias": (None,), "act": (None,), "form": ("qdq",), "group": (1,), "alpha": (1.0,),
                "transposed": (True,), "axis": (1,), "ceil": (False,),
                "channels": (False,), "swapped": (False,)}
PLAIN_WEIGHTS = {"style": "any", "dtype": "i8", "zero": 0, "limit": 1, "spread": "tensor",
                 "scale": 1.0}


def simpler_layer(layer):
    """(path of keys, value) of each simplification of one layer."""
    for key, least in PLAIN_LISTS.items():
        for i, n in enumerate(layer.get(key, [])):
            for m in smaller(n, least):
                yield (key, i), m
    for m in smaller(layer.get("out", 1), 1):
        yield ("out",), m
    for key, values in PLAIN_FIELDS.items():
        for value in values:
            if key in layer and layer[key] != value and (key, layer["op"]) != ("act", "unary"):
                yield (key,), value
    for key, value in PLAIN_WEIGHTS.items():
        if layer.get("weights") and layer["weights"][key] != value:
            yield ("weights", key), value
    if layer.get("bias"):
        yield ("bias", "reach"), 0
    yield from simpler_edge(layer)


def simpler_edge(thing):
    edge = thing["edge"]
    for zero in (0, 128 if edge["dtype"] == "u8" else 0):
        if edge["zero"] != zero:
            yield ("edge", "zero"), zero
    for scale in (1.0, float("%.1g" % edge["scale"])):
        if edge["scale"] != scale:
            yield ("edge", "scale"), scale


def simpler(net):
    """Networks with one parameter brought nearer to the plainest."""
    for part in ("layers", "inputs"):
        for k, thing in enumerate(net[part]):
            changes = list(simpler_layer(thing) if part == "layers" else simpler_edge(thing))
            if part == "inputs" and thing["form"] == "float":
                changes.append((("form",), "quantized"))
            for path, value in changes:
                small = copy.deepcopy(net)
                at = small[part][k]
                for key in path[:-1]:
                    at = at[key]
                if at[path[-1]] != value:
                    at[path[-1]] = value
                    yield small
    if net["floats"] or net["pinned"]:
        yield dict(copy.deepcopy(net), floats=False, pinned=[])


def candidates(net):
    yield from fewer_layers(net)
    yield from smaller_dims(net)
    yield from simpler(net)


def exists(net):
    try:
        layers.shapes(net)
        return bool(net["layers"])
    except layers.Invalid:
        return False


def shrink(net, fails, most=2000):
    """The smallest network found for which fails(net) is true; `most` calls of it at most."""
    calls, changed = 0, True
    while changed:
        changed = False
        for small in candidates(net):
            if not exists(small):
                continue
            calls += 1
            if calls > most:
                return net
            if fails(small):
                net, changed = small, True
                break
    return net

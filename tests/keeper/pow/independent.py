"""Proof of work once more, from its words: plain integers, loops, no numpy, nothing of the keeper's.

``python -m tests.keeper.pow.independent`` writes tests/vectors/pow_own.json, which the keeper has to give.
"""

from __future__ import annotations

import json
import struct
from hashlib import sha256
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parents[2] / "vectors/pow_own.json"
MASK = (1 << 64) - 1
G = 0x9E3779B97F4A7C15
SEGMENT, LEAF_ROWS = 256, 128


def digest(tag: str, *parts: bytes) -> bytes:
    name = b"ionet/pow/1/" + tag.encode()
    return sha256(bytes([len(name)]) + name + b"".join(parts)).digest()


def mix(z: int) -> int:
    z ^= z >> 30
    z = z * 0xBF58476D1CE4E5B9 & MASK
    z ^= z >> 27
    z = z * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def stream(seed: bytes, row: int, K: int, rounds: int = 0) -> tuple[int, ...]:
    s0, s1 = struct.unpack("<QQ", seed[:16])
    key = mix((s0 + mix((s1 + (row + 1) * G) & MASK)) & MASK)
    out = b""
    for j in range(K // 8):
        z = (key + (j + 1) * G) & MASK
        if rounds:
            for _ in range(rounds):
                z = mix((z + G) & MASK)
        else:
            z = mix(z)
        out += struct.pack("<Q", z)
    return struct.unpack(f"<{K}b", out)


def dot(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return sum(map(int.__mul__, a, b))


def wrapped(value: int) -> int:
    return ((value + 2**31) & 0xFFFFFFFF) - 2**31


def key(wave: bytes, profile: int) -> list[tuple[int, ...]]:
    return [stream(digest("Q", wave, struct.pack("<H", profile)), t, 1024) for t in (0, 1)]


def record(a: tuple[int, ...], columns: list[tuple[int, ...]], q: list[tuple[int, ...]]) -> bytes:
    out = b""
    values = [wrapped(dot(a, b)) for b in columns]
    for at in range(0, len(values), SEGMENT):
        y = struct.unpack("<1024b", struct.pack("<256i", *values[at : at + SEGMENT]))
        out += struct.pack("<ii", dot(y, q[0]), dot(y, q[1]))
    return out


def levels(records: list[bytes]) -> list[list[bytes]]:
    found = [[sha256(b"\0" + each).digest() for each in records]]
    while len(a := found[-1]) > 1:
        found.append([sha256(b"\1" + a[i] + a[i + 1]).digest() for i in range(0, len(a), 2)])
    return found


def multiproof(tree: list[list[bytes]], rows: list[int]) -> list[bytes]:
    """A node is needed if its sibling is on a path and it is on none: every node of the tree is asked."""
    proof = []
    for height, level in enumerate(tree[:-1]):
        on_path = {row >> height for row in rows}
        proof += [node for i, node in enumerate(level) if i ^ 1 in on_path and i not in on_path]
    return proof


def drawn(tag: str, seed: bytes, device: bytes, root: bytes, q: int, bounds: tuple[int, int, int]) -> Any:
    out = []
    for t in range(q + 8 * (bounds[0] - 1)):
        three = struct.unpack("<QQQ", digest(tag, seed, device, root, struct.pack("<H", t))[:24])
        out.append([value % bound for value, bound in zip(three, bounds, strict=True)])
    return out


def opening(trees: list[list[list[bytes]]], records: list[list[bytes]], picks: list[list[int]]) -> bytes:
    blob = b""
    for processor, tree in enumerate(trees):
        rows = sorted({row for which, row, _ in picks if which == processor})
        proof = multiproof(tree, rows)
        blob += tree[-1][0] + struct.pack("<HH", len(rows), len(proof))
        blob += b"".join(records[processor][row] for row in rows) + b"".join(proof)
    return blob


def product_vector(case: dict[str, Any]) -> dict[str, Any]:
    """A wave of a device: roots, picks and opening."""
    wave, device, seed = (bytes.fromhex(case[name]) for name in ("wave", "device", "open"))
    number, m, n, K, q, procs = (case[name] for name in ("id", "m", "n", "K", "q", "procs"))
    b = digest("B", wave, struct.pack("<H", number))
    columns = [stream(b, c, K) for c in range(n)]
    weights = key(wave, number)
    records = []
    for processor in range(procs):
        a = digest("A", wave, device, bytes([processor]))
        records.append([record(stream(a, row, K), columns, weights) for row in range(m)])
    trees = [levels(each) for each in records]
    root = digest("roots", bytes([procs]), *[tree[-1][0] for tree in trees])
    picks = drawn("pick", seed, device, root, q, (procs, m, n // SEGMENT))
    blob = opening(trees, records, picks)
    return {"root": root.hex(), "picks": picks, "blob": blob.hex()}


def residency_vector(case: dict[str, Any]) -> dict[str, Any]:
    """A residency wave of a device: the passes' roots, picks and opening."""
    wave, device, seed, epoch = (bytes.fromhex(case[name]) for name in ("wave", "device", "open", "epoch"))
    m, K, rounds, passes, q, procs = (case[name] for name in ("m", "K", "rounds", "passes", "q", "procs"))
    weights = key(wave, 0)
    all_leaves, all_trees = [], []
    for processor in range(procs):
        seed_x = digest("X", epoch, device, bytes([processor]))
        plot = [stream(seed_x, row, K, rounds) for row in range(m)]
        before, leaves, trees = bytes(32), [], []
        for number in range(passes):
            pass_seed = digest("VB", wave, device, struct.pack("<BH", processor, number), before)
            columns = [stream(pass_seed, c, K) for c in range(SEGMENT)]
            checks = b"".join(record(row, columns, weights) for row in plot)
            leaves.append([checks[at : at + 8 * LEAF_ROWS] for at in range(0, len(checks), 8 * LEAF_ROWS)])
            trees.append(levels(leaves[-1]))
            before = trees[-1][-1][0]
        all_leaves.append(leaves)
        all_trees.append(trees)
    roots = [[tree[-1][0] for tree in trees] for trees in all_trees]
    tops = [digest("vroots", struct.pack("<H", passes), *each) for each in roots]
    root = digest("roots", bytes([procs]), *tops)
    picks = drawn("vpick", seed, device, root, q, (procs, passes, m))
    blob = b"".join(b"".join(each) for each in roots)
    for processor, number, row in picks:
        leaf = row // LEAF_ROWS
        blob += all_leaves[processor][number][leaf]
        blob += b"".join(multiproof(all_trees[processor][number], [leaf]))
    hexed = [[each.hex() for each in some] for some in roots]
    return {"roots": hexed, "root": root.hex(), "picks": picks, "blob": blob.hex()}


def picks_vector(case: dict[str, Any]) -> dict[str, Any]:
    """Picks alone, of a size that nobody computes here."""
    seed, device, root = (bytes.fromhex(case[name]) for name in ("open", "device", "root"))
    bounds = case["procs"], case["m"], case["n"] // SEGMENT
    return {"picks": drawn("pick", seed, device, root, case["q"], bounds)}


def _named(*names: str) -> dict[str, str]:
    return {name: digest("test", name.encode()).hex() for name in names}


CASES = {
    "product": {
        **_named("wave", "device", "open"),
        "id": 3,
        "m": 4,
        "n": 768,
        "K": 1024,
        "q": 6,
        "procs": 2,
    },
    "residency": {
        **_named("wave", "device", "open", "epoch"),
        **{"m": 256, "K": 16, "rounds": 3, "passes": 3, "q": 5, "procs": 2},
    },
    # As few rows and segments as there can be, and as many processors: every range's ends are drawn.
    "picks_small": {**_named("open", "device", "root"), "m": 2, "n": 512, "q": 24, "procs": 8},
    "picks_large": {**_named("open", "device", "root"), "m": 1 << 20, "n": 1 << 16, "q": 24, "procs": 8},
}
MADE = {
    "product": product_vector,
    "residency": residency_vector,
    "picks_small": picks_vector,
    "picks_large": picks_vector,
}


def vectors() -> dict[str, Any]:
    """Every case with what comes of it."""
    return {name: {"given": case, "found": MADE[name](case)} for name, case in CASES.items()}


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n")

"""What a device shows of a wave: the records of its picked rows, and what binds them to its root.

For each processor in order: its root, u16 rows, u16 siblings, the records of its distinct picked rows,
ascending, and the siblings that don't follow from them. The picks fix every length, so there is one
form, and nothing of a stranger's bytes is trusted or looped over before it is bound.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from solders.pubkey import Pubkey

from keeper.pow import tree
from keeper.pow.codes import Code
from keeper.pow.product import CHECK
from keeper.pow.profiles import Profile
from keeper.pow.seeds import Pick, device_root, picks

_COUNTS = struct.Struct("<HH")
HEAD = tree.HASH + _COUNTS.size
"""Bytes of a processor before its records."""


class Part(Protocol):
    """What a processor made, as far as an opening needs it."""

    @property
    def levels(self) -> Sequence[bytes]:
        """Its tree's levels, leaves first."""

    def records(self, rows: Sequence[int]) -> bytes:
        """The records of rows, joined."""


class Claim(NamedTuple):
    """An opening to verify, with the picks that the chain drew for the root."""

    device: Pubkey
    root: bytes
    procs: int
    picks: Sequence[Pick]
    blob: bytes


@dataclass(frozen=True, slots=True)
class Bound:
    """What a device committed to in the segments of its picks, each once."""

    checks: Mapping[Pick, bytes]


def claim(open_seed: bytes, profile: Profile, device: Pubkey, root: bytes, procs: int, blob: bytes) -> Claim:
    """A claim with its picks."""
    return Claim(device, root, procs, picks(open_seed, device, root, profile, procs), blob)


def opening_length(profile: Profile, chosen: Sequence[Pick], procs: int) -> int:
    """The one length in bytes that an opening of these picks has."""
    return _length(profile, _layout(profile.m, tuple(chosen), procs))


def make_opening(parts: Sequence[Part], chosen: Sequence[Pick]) -> bytes:
    """Open the picks of a device whose processors made ``parts``."""
    blob = []
    for part, rows in zip(parts, _rows(chosen, len(parts)), strict=True):
        proof = tree.multiproof(part.levels, rows)
        head = part.levels[-1] + _COUNTS.pack(len(rows), len(proof) // tree.HASH)
        blob += [head, part.records(rows), proof]
    return b"".join(blob)


def bind_opening(
    profile: Profile, blob: bytes, root: bytes, chosen: Sequence[Pick], procs: int
) -> Bound | Code:
    """What ``blob`` shows, if it is under ``root``, or why not; cheap checks first, and no product.

    Raises nothing whatever the bytes: any that aren't the one opening of this root have a code.
    """
    layout = _layout(profile.m, tuple(chosen), procs)
    if len(blob) != _length(profile, layout):
        return Code.OPEN_MALFORMED
    at, found, roots = 0, {}, []
    for processor, (rows, siblings) in enumerate(layout):
        if _COUNTS.unpack_from(blob, at + tree.HASH) != (len(rows), siblings):
            return Code.OPEN_MALFORMED
        roots.append(blob[at : at + tree.HASH])
        at += HEAD
        for row in rows:
            found[processor, row] = blob[at : at + profile.record]
            at += profile.record
        proof = blob[at : at + tree.HASH * siblings]
        at += len(proof)
        known = {row: tree.leaf(found[processor, row]) for row in rows}
        if rows and tree.root_of(known, proof, profile.m) != roots[-1]:
            return Code.OPEN_PATH
    if device_root(roots) != root:
        return Code.OPEN_ROOT
    return Bound({pick: _check(found[pick.processor, pick.row], pick.segment) for pick in chosen})


@lru_cache(maxsize=1_024)
def _layout(m: int, chosen: tuple[Pick, ...], procs: int) -> list[tuple[list[int], int]]:
    """For each processor its distinct picked rows, ascending, and how many siblings they need.

    Made once: it says how long an opening must be, and then what is in it.
    """
    return [(rows, len(tree.siblings(rows, m))) for rows in _rows(chosen, procs)]


def _length(profile: Profile, layout: Sequence[tuple[list[int], int]]) -> int:
    parts = [HEAD + len(rows) * profile.record + tree.HASH * siblings for rows, siblings in layout]
    return sum(parts)


def _check(record: bytes, segment: int) -> bytes:
    return record[CHECK * segment : CHECK * (segment + 1)]


def _rows(chosen: Sequence[Pick], procs: int) -> list[list[int]]:
    """The distinct picked rows of each processor, ascending."""
    rows: list[set[int]] = [set() for _ in range(procs)]
    for pick in chosen:
        rows[pick.processor].add(pick.row)
    return [sorted(each) for each in rows]

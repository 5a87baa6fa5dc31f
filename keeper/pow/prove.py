"""A device's side of a wave: products panel by panel, their checks, a tree, and later the opening."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper.errors import UserError
from keeper.pow import tree
from keeper.pow.backend import Backend, Matrix
from keeper.pow.opening import make_opening
from keeper.pow.product import key
from keeper.pow.profiles import Profile
from keeper.pow.seeds import Pick, device_root, seed_a, seed_b

KEPT = 1 << 30
"""Bytes of records that a device keeps in its memory; with more it makes the picked rows again."""
_UNLOCKED = 2048
"""Of so many bytes on, hashing a record lets other threads run, and several hash at once."""
_WAITING = 4
"""Panels that wait to be hashed at most."""

Records = NDArray[np.uint8]


class NotRepeated(UserError):
    """A row came out differently the second time: the card or its memory errs."""


@dataclass(frozen=True, slots=True)
class Work(Generic[Matrix]):
    """What one processor has to make in a wave."""

    backend: Backend[Matrix]
    wave_seed: bytes
    device: Pubkey
    profile: Profile
    processor: int

    def records(self, rows: Sequence[int], columns: Sequence[Matrix], q: Matrix) -> Records:
        """The records of some rows, as far as the columns go: uint8[rows, bytes]."""
        seed = seed_a(self.wave_seed, self.device, self.processor)
        a = self.backend.generate(seed, rows, self.profile.K)
        found = [self.backend.checks(self.backend.product(a, panel), q) for panel in columns]
        joined = np.concatenate(found, axis=1).astype("<i4", copy=False)
        return joined.view(np.uint8).reshape(len(rows), -1)

    def columns(self) -> Iterator[Matrix]:
        """The operand that devices share, in panels."""
        seed, step = seed_b(self.wave_seed, self.profile.id), self.backend.columns
        for at in range(0, self.profile.n, step):
            yield self.backend.generate(seed, range(at, min(at + step, self.profile.n)), self.profile.K)

    def key(self) -> Matrix:
        """What the wave's segments are checked with."""
        return self.backend.put(key(self.wave_seed, self.profile.id))


@dataclass(frozen=True, slots=True)
class Made(Generic[Matrix]):
    """What a processor made: its tree, and the records where they fit."""

    work: Work[Matrix]
    levels: Sequence[bytes]
    kept: Records | None

    def records(self, rows: Sequence[int]) -> bytes:
        """The records of rows, joined; raises NotRepeated when one that is made again isn't what it was."""
        if not rows:
            return b""
        if self.kept is not None:
            return self.kept[list(rows)].tobytes()
        q = self.work.key()
        # One panel of the shared operand at a time: there may be no room for all of it now.
        again = np.concatenate([self.work.records(rows, [panel], q) for panel in self.work.columns()], axis=1)
        for row, record in zip(rows, again, strict=True):
            hashed = self.levels[0][tree.HASH * row : tree.HASH * (row + 1)]
            if tree.leaf(record.tobytes()) != hashed:
                raise NotRepeated(f"row {row} came out differently the second time: the processor errs")
        return again.tobytes()


@dataclass(frozen=True, slots=True)
class Proof(Generic[Matrix]):
    """What a device commits to, and what it needs to open it."""

    root: bytes
    parts: Sequence[Made[Matrix]]

    def open(self, chosen: Sequence[Pick]) -> bytes:
        """The opening of the picks."""
        return make_opening(self.parts, chosen)


def prove(
    backend: Backend[Matrix],
    wave_seed: bytes,
    device: Pubkey,
    profile: Profile,
    procs: int,
    kept: int = KEPT,
) -> Proof[Matrix]:
    """Make a device's products, on all its processors at once; ``kept`` bounds the bytes of records kept."""
    keep = procs * profile.m * profile.record <= kept
    works = [Work(backend.on(each), wave_seed, device, profile, each) for each in range(procs)]
    at_once = min(procs, backend.processors)
    if at_once == 1:
        parts = [_make(work, keep) for work in works]
    else:
        with ThreadPoolExecutor(at_once) as pool:
            parts = list(pool.map(lambda work: _make(work, keep), works))
    return Proof(device_root([part.levels[-1] for part in parts]), parts)


def _make(work: Work[Matrix], keep: bool) -> Made[Matrix]:
    """Make one processor's product; rows are hashed while the next panel is made."""
    profile = work.profile
    columns, q = list(work.columns()), work.key()
    if profile.m <= work.backend.rows:
        # Nothing is made meanwhile: a thread would only cost.
        panel = work.records(range(profile.m), columns, q)
        levels = tree.levels(tree.leaves(panel.tobytes(), profile.record))
        return Made(work, levels, panel if keep else None)
    kept = np.empty((profile.m, profile.record), np.uint8) if keep else None
    threads = min(_WAITING, os.cpu_count() or 1) if profile.record >= _UNLOCKED else 1
    hashed: list[bytes] = []
    waiting: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for at in range(0, profile.m, work.backend.rows):
            panel = work.records(range(at, min(at + work.backend.rows, profile.m)), columns, q)
            if kept is not None:
                kept[at : at + len(panel)] = panel
            waiting.append(pool.submit(tree.leaves, panel.tobytes(), profile.record))
            if len(waiting) == _WAITING:
                hashed.append(waiting.popleft().result())
        hashed += [each.result() for each in waiting]
    return Made(work, tree.levels(b"".join(hashed)), kept)

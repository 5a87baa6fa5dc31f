"""From blocks to operands and picks: no secret anywhere, so that anybody comes to the same."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.pow.hashing import digest, first_u64, tagged, u8, u16, u64
from keeper.pow.profiles import Profile, Residency

ALL = 1 << 16
"""The share of devices that is opened where all are."""
_DRAWS = struct.Struct("<QQQQ")


class Pick(NamedTuple):
    """A segment that has to be opened."""

    processor: int
    row: int
    segment: int


class PlotPick(NamedTuple):
    """A row of a pass over the plot that has to be opened."""

    processor: int
    number: int
    """Of the pass."""
    row: int


# -- seeds -------------------------------------------------------------------------------------


def wave_seed(genesis: bytes, program: Pubkey, slot: int, blockhash: bytes) -> bytes:
    """What a wave is made from: the network, and the block at ``slot`` that starts it."""
    return digest("wave", genesis, bytes(program), u64(slot), blockhash)


def open_seed(wave: bytes, slot: int, blockhash: bytes) -> bytes:
    """What the picks of a wave are drawn from: a later block, after all roots are anchored."""
    return digest("open", wave, u64(slot), blockhash)


def epoch_seed(genesis: bytes, program: Pubkey, slot: int, blockhash: bytes) -> bytes:
    """What a day's plots are made from: the day's first block."""
    return digest("epoch", genesis, bytes(program), u64(slot), blockhash)


def seed_a(wave: bytes, device: Pubkey, processor: int) -> bytes:
    """Of a processor's own operand."""
    return digest("A", wave, bytes(device), u8(processor))


def seed_b(wave: bytes, profile_id: int) -> bytes:
    """Of the operand that all devices of a profile share, so that verifying many costs little more."""
    return digest("B", wave, u16(profile_id))


def seed_plot(epoch: bytes, device: Pubkey, processor: int) -> bytes:
    """Of a processor's plot."""
    return digest("X", epoch, bytes(device), u8(processor))


def seed_pass(wave: bytes, device: Pubkey, processor: int, number: int, before: bytes) -> bytes:
    """Of a pass's columns; ``before`` is the root of the pass before, zeros for the first."""
    return digest("VB", wave, bytes(device), u8(processor), u16(number), before)


# -- roots -------------------------------------------------------------------------------------


def device_root(roots: Sequence[bytes]) -> bytes:
    """What a device commits to: the roots of its processors."""
    return digest("roots", u8(len(roots)), *roots)


def plot_root(roots: Sequence[bytes]) -> bytes:
    """A processor's root in a residency wave: the roots of its passes."""
    return digest("vroots", u16(len(roots)), *roots)


# -- picks -------------------------------------------------------------------------------------


def picks(seed: bytes, device: Pubkey, root: bytes, profile: Profile, procs: int) -> list[Pick]:
    """The picks of a device that committed to ``root``, in order, some perhaps the same; ``seed`` opens."""
    m, segments = profile.m, profile.segments
    drawn = _drawn("pick", seed, device, root, pick_count(profile.q, procs))
    return [Pick(x % procs, y % m, z % segments) for x, y, z, _ in drawn]


def plot_picks(seed: bytes, device: Pubkey, root: bytes, residency: Residency, procs: int) -> list[PlotPick]:
    """The same in a residency wave."""
    passes, m = residency.passes, residency.m
    drawn = _drawn("vpick", seed, device, root, pick_count(residency.q, procs))
    return [PlotPick(x % procs, y % passes, z % m) for x, y, z, _ in drawn]


def is_opened(seed: bytes, device: Pubkey, alpha: int) -> bool:
    """Whether a device is opened in a wave at all, if of 65,536 devices ``alpha`` are."""
    return first_u64(digest("opened", seed, bytes(device))) < alpha << 48


def pick_count(q: int, procs: int) -> int:
    """How many picks a device of ``procs`` processors has: enough to find one that idles."""
    return q + 8 * (procs - 1)


@cache
def _numbers(count: int) -> list[bytes]:
    return [u16(number) for number in range(count)]


def _drawn(
    tag: str, seed: bytes, device: Pubkey, root: bytes, count: int
) -> Iterator[tuple[int, int, int, int]]:
    """Four numbers of 64 bits for each pick, which takes three by their remainders: the bias is below
    bound / 2^64."""
    start = tagged(tag) + seed + bytes(device) + root
    return (_DRAWS.unpack(sha256(start + number).digest()) for number in _numbers(count))

"""Which operators' files count for an hour: those posted in time, held whole, and with nothing wrong in them.

All of it follows from the chain's postings and from files by their hashes, so that whoever holds the same
files comes to the same. A file's first posting counts, whatever is posted later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.pow.clock import OPEN_AFTER, Wave
from keeper.pow.files import (
    Evidence,
    FileError,
    Keys,
    Rows,
    Transfers,
    evidence_limit,
    pings_limit,
    placed,
    read_pings,
    read_wave,
    transfers_limit,
    wave_commits,
    wave_limit,
    whole_key,
)
from keeper.pow.hashing import tagged
from keeper.pow.messages import SIGNATURE, Commit

EVIDENCE_SECONDS = 3_900
"""From an hour's start to the last second at which EVIDENCE can be posted for it."""


class PostKind(IntEnum):
    """What a posted hash is of, by the staking program's numbers."""

    WAVE = 1
    EVIDENCE = 2
    BATCH = 3


@dataclass(frozen=True, slots=True)
class Posting:
    """An event ``Posted`` of the staking program, field by field."""

    operator: Pubkey
    number: int
    """The hour of the emission for WAVE and EVIDENCE."""
    kind: int
    slot: int
    """The wave's for WAVE, 0 for EVIDENCE."""
    hash: bytes
    now_slot: int
    at: int


def first_postings(
    postings: Iterable[Posting], number: int, kind: PostKind, slot: int
) -> dict[Pubkey, Posting]:
    """The first posting of each operator for one thing; ``postings`` are in the order of the chain."""
    found: dict[Pubkey, Posting] = {}
    for each in postings:
        if (each.number, each.kind, each.slot) == (number, kind, slot):
            found.setdefault(each.operator, each)
    return found


class Signatures:
    """Which signatures of commits are right: each looked at once, however many files it is in."""

    def __init__(self) -> None:
        """Nothing was looked at yet."""
        self._known: dict[tuple[bytes, bytes], bool] = {}

    def all_right(self, commits: Sequence[bytes], workers: Sequence[bytes]) -> bool:
        """Whether each of ``commits``, encoded, is signed by the key beside it."""
        return all(map(self._is_right, commits, workers))

    def _is_right(self, commit: bytes, worker: bytes) -> bool:
        known = self._known.get((commit, worker))
        if known is None:
            signature = Signature.from_bytes(commit[-SIGNATURE:])
            known = signature.verify(Pubkey(worker), tagged(Commit.NAME) + commit[:-SIGNATURE])
            self._known[commit, worker] = known
        return known


def included_waves(
    wave: Wave,
    tasks: Rows,
    devices: int,
    postings: Iterable[Posting],
    held: Mapping[bytes, bytes],
    signatures: Signatures,
) -> dict[Pubkey, Rows]:
    """The WAVE files that count for a wave, by operator.

    ``tasks`` are of :data:`keeper.pow.verdicts.TASK`, ``devices`` how many there were at the hour's start,
    ``held`` files by SHA-256. A file with a single wrong signature of a device of ``tasks`` counts for
    nothing. Rows of other devices are nobody's business: who the hour's devices are, an honest operator may
    know a moment late.
    """
    found = {}
    for operator, posting in first_postings(postings, wave.hour, PostKind.WAVE, wave.slot).items():
        data = _held(held, posting.hash)
        if data is None or posting.now_slot >= wave.slot + OPEN_AFTER or len(data) > wave_limit(devices):
            continue
        try:
            rows = read_wave(data)
        except FileError:
            continue
        at, rows = placed(tasks["device"], rows)
        raw = tasks["worker"][at].tobytes()
        workers = [raw[place : place + 32] for place in range(0, len(raw), 32)]
        if signatures.all_right(wave_commits(wave.seed, rows), workers):
            found[operator] = rows
    return found


Due = Callable[[int, bytes, bytes], int | None]
"""How long the opening of a wave (its slot), a device and a root must be; None where none is due."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What an operator's EVIDENCE comes to: ``rows`` are those of openings that are due."""

    rows: Rows
    answered: NDArray[np.bool_] | None
    """Which of the hour's devices answered its pings, bool[pings, devices]; None where nobody was asked."""
    transfers: Transfers


def included_evidence(
    hour: int,
    start: int,
    waves: int,
    pings: Sequence[int],
    devices: Keys,
    there: int,
    due: Due,
    postings: Iterable[Posting],
    held: Mapping[bytes, bytes],
) -> dict[Pubkey, Held]:
    """The EVIDENCE files that count for an hour, by operator: with PINGS, TRANSFERS, every due blob there.

    ``start`` is the hour's (unix seconds), ``waves`` how many it has, ``pings`` the slots of its pings,
    ``devices`` those that are in it, sorted, ``there`` how many were there at its start, ``held`` files and
    blobs by SHA-256. Whom an operator didn't ask hasn't answered it, unless it asked nobody: then it wasn't
    listening, and says nothing of anybody. Rows of openings that aren't due, or
    can't be right by their length, say nothing: others don't fetch their blobs, and if they had to be held,
    one that somebody holds by chance would part operators for ever.
    """
    found, most = {}, evidence_limit(there, waves)
    whole: dict[bytes, int] = {}
    """The lengths of blobs that are held, each read once for all operators."""
    for operator, posting in first_postings(postings, hour, PostKind.EVIDENCE, 0).items():
        data = _held(held, posting.hash)
        if data is None or posting.at >= start + EVIDENCE_SECONDS or len(data) > most:
            continue
        try:
            evidence = Evidence.read(data)
            answers = _held(held, evidence.pings)
            if answers is None or len(answers) > pings_limit(len(pings), there):
                continue
            asked, said = read_pings(answers, pings)
            measured = _held(held, evidence.transfers)
            if measured is None or len(measured) > transfers_limit(there):
                continue
            transfers = Transfers.read(measured)
        except FileError:
            continue
        rows = evidence.rows[_are_due(due, evidence.rows)]
        raw, lengths = rows["blob"].tobytes(), rows["length"].tolist()
        blobs = (raw[at : at + 32] for at in range(0, len(raw), 32))
        if all(_length(held, each, whole) == length for each, length in zip(blobs, lengths, strict=True)):
            answered = np.zeros((len(pings), len(devices)), bool)
            at = np.searchsorted(devices, asked)
            known = at < len(devices)
            known[known] = devices[at[known]] == asked[known]
            answered[:, at[known]] = said[:, known]
            found[operator] = Held(rows, answered if len(asked) else None, transfers)
    return found


def _are_due(due: Due, rows: Rows) -> list[bool]:
    columns = (rows[name].tolist() for name in ("slot", "device", "root", "length"))
    return [
        due(slot, whole_key(device), whole_key(root)) == length
        for slot, device, root, length in zip(*columns, strict=True)
    ]


def _held(held: Mapping[bytes, bytes], digest: bytes) -> bytes | None:
    """A file that is what its name says."""
    data = held.get(digest)
    return data if data is not None and sha256(data).digest() == digest else None


def _length(held: Mapping[bytes, bytes], digest: bytes, whole: dict[bytes, int]) -> int | None:
    """A blob's, None where it isn't held."""
    if digest not in whole and (data := _held(held, digest)) is not None:
        whole[digest] = len(data)
    return whole.get(digest)

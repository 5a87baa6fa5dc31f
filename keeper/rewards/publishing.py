"""An hour computed and written, part by part: of its devices never more are in memory than a part's.

What a device earns depends on what all others scored, and on nothing else of them. So a first pass writes
what is known of each, and judges it; of what it found, a second one needs a hundred bytes a device, and
writes what each is paid. The files are those that :func:`~keeper.rewards.rule.reward` gives of all at once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.recfunctions import repack_fields

from keeper import disk
from keeper.pow.record import NAME as RECORD
from keeper.pow.record import HourRecord
from keeper.rewards import wallet_index
from keeper.rewards.merge import HourWork
from keeper.rewards.publication import (
    CLASSES,
    INPUTS,
    KINDS,
    MANIFEST,
    OBSERVED,
    REWARDS,
    VERDICTS,
    WALLETS,
    File,
    Manifest,
    encode_table,
    hour_before,
    manifest_of,
    whole_or_not,
)
from keeper.rewards.rows import Hour, RowsError
from keeper.rewards.rule import (
    DeviceStatus,
    Scores,
    Sums,
    earned,
    judge,
    pay,
    pot_of,
    statuses,
    sum_of,
    with_earned,
)
from keeper.rewards.tree import EMPTY_ROOT, tree
from keeper.rewards.wallet_index import NAME as INDEX
from keeper.tables import CHUNK, Rows, Spelled

PART = 5 * CHUNK
"""Devices of a part, where all are in memory."""
AT_ONCE = 2
"""Tables that are written at a time: what hashes, writes and counts digits lets the other go on."""
PAID_TO = ["payout", "co_staker", "co_state", "co_reward_bps"]
"""Of a device's columns those that are still needed when all are judged."""


class Part(NamedTuple):
    """Some devices of an hour, sorted, those of one part before those of the next."""

    rows: Rows
    """Of ``INPUT``."""
    verdicts: Rows
    observed: Rows


class _Judged(NamedTuple):
    """What is still needed of a part's devices when all are judged."""

    results: Rows
    """Of ``RESULT``, without what is paid."""
    paid_to: Rows
    spelled: Spelled


def publish(folder: Path, hour: Hour, work: HourWork, rows: Rows, classes: Rows) -> Manifest:
    """Compute an hour and write its files, in place of earlier ones; the hour before must be there.

    ``rows`` and ``classes`` as for :func:`~keeper.rewards.rule.reward`; what ``rows`` say was seen is
    ``work``'s. Raises PublicationError when the hour before isn't published, RowsError, FolderUnusable.
    """
    tables = rows, work.verdicts, work.observed
    most = max(map(len, tables))
    parts = (Part(*(each[at : at + PART] for each in tables)) for at in range(0, most, PART))
    return publish_parts(folder, hour, work.record, parts, classes, work.rule)


def publish_parts(
    folder: Path, hour: Hour, record: HourRecord, parts: Iterable[Part], classes: Rows, rule: int
) -> Manifest:
    """As :func:`publish`, of an hour of which a part is in memory at a time; each is asked for once."""
    before, previous = hour_before(folder, hour.number)
    pot, paid_before = pot_of(hour, before)
    with (
        whole_or_not(folder, hour.number) as place,
        ExitStack() as stack,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        files = {name: stack.enter_context(closing(_File(place / name, rule, pool))) for name in KINDS}
        judged, scores = _judge(hour, parts, classes, files)
        sums, paid_to = _pay(hour, judged, scores, (pot, paid_before), files[REWARDS])
        wallets = with_earned(before, paid_to)
        files[CLASSES].add(classes)
        files[WALLETS].add(wallets)
        for each in files.values():
            each.complete()
        top = tree(wallets)
        digest, size = disk.write(place / RECORD, [record.encode()])
        described = {RECORD: File(digest, size, len(record.waves))}
        described.update({name: each.described() for name, each in files.items()})
        manifest = manifest_of(sums, previous, described, rule, top.root if top else EMPTY_ROOT)
        disk.write(place / MANIFEST, [manifest.encode()])
        wallet_index.write(place / INDEX, manifest.hash, wallets, top)
    return manifest


def _judge(
    hour: Hour, parts: Iterable[Part], classes: Rows, files: Mapping[str, _File]
) -> tuple[deque[_Judged], Scores]:
    """Write what is known of the devices, and judge each; raises RowsError."""
    judged, scores = deque[_Judged](), Scores()
    last: bytes | None = None
    for part in parts:
        rows = part.rows
        if last is not None and len(rows) and not last < rows["device"][0]:
            raise RowsError("parts must be sorted by address, and no device may be there twice")
        spelled = Spelled(rows["device"])
        files[INPUTS].add(rows, spelled)
        files[VERDICTS].add(part.verdicts, spelled)
        files[OBSERVED].add(part.observed, spelled)
        results = judge(hour, rows, classes)
        scores.add(results)
        judged.append(_Judged(results, repack_fields(rows[PAID_TO]), spelled))
        last = rows["device"][-1] if len(rows) else last
    return judged, scores


def _pay(
    hour: Hour, judged: deque[_Judged], scores: Scores, pots: tuple[int, int], file: _File
) -> tuple[Sums, list[Rows]]:
    """Write what each device is paid of the pot; returns that by wallets, too, and leaves nothing judged."""
    pot, paid_before = pots
    paid, counts, paid_to = 0, Counter[DeviceStatus](), list[Rows]()
    while judged:
        results, rows, spelled = judged.popleft()
        pay(results, rows, scores, pot)
        file.add(results, spelled)
        paid += sum_of(results["reward"])
        counts += statuses(results)
        paid_to.append(earned(rows, results))
    return Sums(hour, pot, paid, paid_before + paid, counts), paid_to


class _File:
    """A table that grows: parts are made text, hashed and written in threads, one after the other."""

    def __init__(self, path: Path, rule: int, pool: Executor) -> None:
        """Begin it with no row."""
        self._name, self._rule, self._pool = path.name, rule, pool
        self._file = disk.Growing(path)
        self._file.add(encode_table(path.name, np.zeros(0, KINDS[path.name]), rule))
        self._rows = 0
        self._going: Future[None] | None = None
        self._completed: Future[str]

    def add(self, rows: Rows, spelled: Spelled | None = None) -> None:
        """Have more rows written when those before are; ``spelled`` as for ``encode_table``."""
        self._wait()
        self._rows += len(rows)
        # The first piece is the header, which is there.
        text = islice(encode_table(self._name, rows, self._rule, spelled), 1, None)
        self._going = self._pool.submit(self._file.add, text)

    def complete(self) -> None:
        """Have the disk take all of it when it is written, while others are."""
        self._wait()
        self._completed = self._pool.submit(self._file.complete)

    def described(self) -> File:
        """What a manifest says of the file, once the disk has all of it."""
        return File(self._completed.result(), self._file.size, self._rows)

    def close(self) -> None:
        """Leave it as it is."""
        self._file.close()

    def _wait(self) -> None:
        """Until all rows that were given are written, or one couldn't be: raises OSError."""
        if self._going is not None:
            self._going.result()

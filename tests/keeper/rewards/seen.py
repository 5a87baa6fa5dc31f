"""Work of hours in which tests say what was seen: rows in place of the files that operators anchor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
from solders.pubkey import Pubkey

from keeper import tables
from keeper.chain import ChainReader
from keeper.pow.clock import Network
from keeper.pow.codes import Code
from keeper.pow.files import read_wave
from keeper.pow.record import VERSION, Block, HourRecord, WaveRecord
from keeper.pow.verdicts import VERDICT
from keeper.rewards.history import HourHistory
from keeper.rewards.merge import HourWork
from keeper.rewards.observed import OBSERVED_TABLE
from keeper.rewards.publication import Manifest
from keeper.rewards.publishing import publish
from keeper.rewards.rows import OBSERVATION, OBSERVED, Hour
from keeper.tables import Rows, keys

NETWORK = Network(bytes(32), Pubkey.default(), 0)


SLOT, BLOCK = 32, bytes([5]) * 32
"""Of the wave of an hour in which somebody signed two roots."""


def work_of(
    rows: Rows, number: int, start: int, network: Network = NETWORK, commits: bytes | None = None
) -> HourWork:
    """An hour in which ``rows`` (INPUT or OBSERVATION, sorted) were seen, in no wave.

    With ``commits``, a WAVE file: in one in which the devices in it that have two roots were in conflict.
    """
    observed = np.zeros(len(rows), OBSERVED_TABLE)
    for name in ("device", *(name for name, _ in OBSERVED)):
        observed[name] = rows[name]
    waves, included = (), {}
    if commits is not None:
        key = str(Pubkey(BLOCK))
        waves = (WaveRecord(SLOT, key, start + 100, 0, False, Block(SLOT + 150, key), None, False),)
        included = {str(SLOT): {key: sha256(commits).hexdigest()}}
    record = HourRecord(
        version=VERSION,
        hour=number,
        start=start,
        genesis=str(Pubkey(network.genesis)),
        program=str(network.program),
        profiles=bytes(32).hex(),
        alpha=1 << 16,
        waves=waves,
        pings=(),
        included=included,
        evidence={},
    )
    verdicts = np.zeros(len(rows), VERDICT)
    verdicts["device"] = rows["device"]
    if commits is not None:
        names, counts = np.unique(read_wave(commits)["device"], return_counts=True)
        lie = np.isin(verdicts["device"], names[counts > 1])
        verdicts["wave"][lie], verdicts["code"][lie] = SLOT, Code.COMMIT_CONFLICT
    return HourWork(record, verdicts, observed)


def publish_rows(folder: Path, hour: Hour, rows: Rows, classes: Rows) -> Manifest:
    """Publish an hour in which ``rows`` (INPUT, sorted) were seen."""
    return publish(folder, hour, work_of(rows, hour.number, hour.start), rows, classes)


class Seen:
    """What ``observe`` says of each hour: OBSERVATION rows of some devices, None while nobody knows."""

    def __init__(
        self,
        observe: Callable[[int], Awaitable[Rows | None]],
        commits: Callable[[int], bytes | None] = lambda hour: None,
    ) -> None:
        self.observe, self.commits = observe, commits
        self.made: dict[int, int] = {}
        self.tried: dict[int, int] = {}

    async def of(
        self, chain: ChainReader, network: Network, number: int, history: HourHistory, before: Rows
    ) -> HourWork | None:
        """Its rows, and none of devices that it doesn't have."""
        seen = await self.observe(number)
        if seen is None:
            return None
        rows = np.zeros(len(history.devices), OBSERVATION)
        rows["device"] = np.sort(keys(list(history.devices)))
        by_device = {bytes(row["device"]): row for row in seen}
        for at, device in enumerate(rows["device"].tolist()):
            if device in by_device:
                rows[at] = by_device[device]
        return work_of(rows, number, network.start_of(number), network, self.commits(number))

    async def again(self, *_: object) -> None:
        """Nothing: there are no files."""

    def keep(self, hour: int, files: object) -> None:
        """Nothing: as nothing is taken over."""


def seen_in(folder: Path, *_: object) -> Seen:
    """Work from ``<folder>/<hour>.csv``; takes the place of ``WorkFolder``.

    With a WAVE file in ``<folder>/<hour>``, see :func:`work_of`.
    """

    async def observe(hour: int) -> Rows | None:
        path = folder / f"{hour}.csv"
        return tables.read(path, OBSERVATION) if path.exists() else None

    def commits(hour: int) -> bytes | None:
        found = [each.read_bytes() for each in (folder / str(hour)).glob("wave-*.bin")]
        return found[0] if found else None

    return Seen(observe, commits)

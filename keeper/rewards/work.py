"""What became of an hour's work: read from the chain and from a folder of files, and put together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from solders.hash import Hash

from keeper.chain import ChainReader, Commitment
from keeper.chain.records import Head
from keeper.clients import staking
from keeper.pow.clock import HourPlan, Network, WaveKind
from keeper.pow.codes import Code
from keeper.pow.codes_file import NAME, opening_key, read_codes
from keeper.pow.profiles_by_hour import ByHour, require_known
from keeper.pow.record import HourRecord
from keeper.pow.replay import first_at, read_hour
from keeper.rewards.batches import verified
from keeper.rewards.due import Opening
from keeper.rewards.held import HeldFiles, keep
from keeper.rewards.history import HourHistory
from keeper.rewards.merge import ChainHour, HourWork, Verify, merge
from keeper.rewards.named import Get, named_files, restricted
from keeper.tables import Rows


async def network_of(chain: ChainReader, start: int) -> Network:
    """Whose waves are drawn on a chain; ``start`` is that of hour 0 of the emission, unix seconds."""
    genesis = bytes(Hash.from_string(await chain.genesis_hash()))
    return Network(genesis, staking.PROGRAM.address, start)


async def chain_hour(
    chain: ChainReader, network: Network, number: int, history: HourHistory
) -> ChainHour | None:
    """All that the chain says of an hour, by finalized blocks; None while it doesn't say all of it."""
    plan = await read_hour(chain, network, number)
    if plan is None:
        return None
    openings, epochs = {}, {}
    for wave in plan.waves:
        opening = await chain.head(wave.open_from, Commitment.FINALIZED)
        if opening is None:
            return None
        openings[wave.slot] = opening
        if wave.kind is WaveKind.RESIDENCY:
            epoch = await first_at(chain, wave.epoch_start, Commitment.FINALIZED)
            assert epoch is not None  # The wave's own block is later.
            epochs[wave.slot] = epoch
    return hour_of(network, plan, openings, epochs, history)


def hour_of(
    network: Network,
    plan: HourPlan,
    openings: Mapping[int, Head],
    epochs: Mapping[int, Head],
    history: HourHistory,
) -> ChainHour:
    """What blocks and what the index say of an hour, together."""
    return ChainHour(
        network=network,
        plan=plan,
        openings=openings,
        epochs=epochs,
        before=history.before,
        devices=history.devices,
        classes=history.classes,
        postings=history.postings,
        running=history.running,
        threshold=history.threshold,
    )


class Again(NamedTuple):
    """What came of an hour's files, and those that can be evidence of an offence, by name."""

    work: HourWork
    files: dict[str, bytes]


class Work(Protocol):
    """Where what became of an hour's work comes from."""

    @property
    def made(self) -> dict[int, int]:
        """When each hour was last put together by this process, in the chain's time: kept by who asks."""
        ...

    async def of(
        self, chain: ChainReader, network: Network, number: int, history: HourHistory, before: Rows
    ) -> HourWork | None:
        """An hour's work as it is known now; None while the chain doesn't say all of the hour.

        ``before`` is the ``observed.csv`` of the hour before.
        """
        ...

    async def again(
        self,
        chain: ChainReader,
        network: Network,
        history: HourHistory,
        before: Rows,
        record: HourRecord,
        get: Get,
    ) -> Again | None:
        """What comes of exactly the files that ``record`` names, by this process's own reckoning.

        ``get`` fetches those that aren't here. None while the chain doesn't say all of the hour. Raises
        ProfilesUnknown for an hour that was proven with profiles of a later version.
        """
        ...

    def keep(self, hour: int, files: Mapping[str, bytes]) -> None:
        """Keep the files of an hour that was taken over. Raises FolderUnreadable."""
        ...

    @property
    def tried(self) -> dict[int, int]:
        """When this process last tried to take over each hour, in the chain's time: kept by who asks."""
        ...


REMEMBERED = 50_000
"""Openings whose codes are kept: several hours' of as many as operators verify in one."""


@dataclass(frozen=True, slots=True)
class Remembering:
    """Verifies each opening once a process: an hour without agreement is put together every few minutes."""

    verify: Verify = verified
    _codes: dict[bytes, Code] = field(default_factory=dict)

    def besides(self, known: Mapping[bytes, Code]) -> Verify:
        """Verify what is neither remembered nor ``known``, by :func:`~keeper.pow.codes_file.opening_key`."""
        return partial(self._run, known)

    def _run(self, known: Mapping[bytes, Code], openings: Sequence[Opening]) -> list[Code]:
        names = [
            opening_key(each.wave.seed, bytes(each.asked.device), each.asked.root, each.blob)
            for each in openings
        ]
        fresh = [at for at, name in enumerate(names) if name not in known and name not in self._codes]
        for at, code in zip(fresh, self.verify([openings[at] for at in fresh]), strict=True):
            self._codes[names[at]] = code
        codes = [known[name] if name in known else self._codes[name] for name in names]
        while len(self._codes) > REMEMBERED:
            del self._codes[next(iter(self._codes))]
        return codes


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """An operator's files of proof of work, and what they come to."""

    folder: Path
    profiles: ByHour
    verify: Remembering = field(default_factory=Remembering)
    made: dict[int, int] = field(default_factory=dict)
    """See :class:`Work`."""
    tried: dict[int, int] = field(default_factory=dict)
    """See :class:`Work`."""

    async def of(
        self, chain: ChainReader, network: Network, number: int, history: HourHistory, before: Rows
    ) -> HourWork | None:
        """See :class:`Work`; it may take minutes of a core, on a thread of its own."""
        hour = await chain_hour(chain, network, number, history)
        if hour is None:
            return None
        held, profiles = HeldFiles(self.folder, number), self.profiles.at(network.start_of(number))
        return await asyncio.to_thread(merge, hour, profiles, held, before, self._verify(number))

    async def again(
        self,
        chain: ChainReader,
        network: Network,
        history: HourHistory,
        before: Rows,
        record: HourRecord,
        get: Get,
    ) -> Again | None:
        """See :class:`Work`.

        Of openings those are evidence that show wrong work; whoever agreed has the right ones.
        """
        require_known(self.profiles, record.profiles, record.hour)
        hour = await chain_hour(chain, network, record.hour, history)
        if hour is None:
            return None
        held = HeldFiles(self.folder, record.hour)
        profiles = self.profiles.at(network.start_of(record.hour))
        named, names = await named_files(hour, profiles, record, held, get)
        only, verify = restricted(hour, record), self._verify(record.hour)
        wrong: set[bytes] = set()

        def noting(openings: Sequence[Opening]) -> list[Code]:
            codes = verify(openings)
            found = zip(openings, codes, strict=True)
            wrong.update(opening.blob for opening, code in found if code is Code.WORK_WRONG)
            return codes

        work = await asyncio.to_thread(merge, only, profiles, named, before, noting)
        names |= {f"opening-{digest.hex()}.bin": digest for digest in wrong}
        return Again(work, {name: named[digest] for name, digest in names.items()})

    def keep(self, hour: int, files: Mapping[str, bytes]) -> None:
        """See :class:`Work`."""
        keep(self.folder, hour, files)

    def _verify(self, number: int) -> Verify:
        """Verification of what the operator's service hasn't verified of an hour."""
        return self.verify.besides(read_codes(self.folder / str(number) / NAME))

"""What the parts of a service share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainReader, Signer
from keeper.compute.refusals import Why as Unsaid
from keeper.jobs.port import Port
from keeper.operator.book import Book
from keeper.operator.claims import is_work
from keeper.operator.intake import Intake
from keeper.operator.metrics import Metrics
from keeper.operator.news import News
from keeper.operator.posting import Postings
from keeper.operator.refusals import Why
from keeper.operator.roster import Fleet, read_fleet, read_roster
from keeper.operator.store import FILE, Store
from keeper.operator.waves import Held, Taken
from keeper.pow import files
from keeper.pow.clock import Network
from keeper.pow.codes import Code
from keeper.pow.messages import Commit, Receipt, decode
from keeper.pow.profiles_by_hour import ByHour

FLEET = "fleet"
"""An hour's devices as they were read at its start; of no use to others."""


@dataclass
class Desk:
    """The chain, a way to act on it, the folder, and what is in work."""

    chain: ChainReader
    port: Port
    signer: Signer
    network: Network
    profiles: ByHour
    store: Store
    book: Book
    intake: Intake
    postings: Postings
    monotonic: Callable[[], float]
    log: FilteringBoundLogger
    news: News = field(default_factory=News)
    watched_from: int | None = None
    """The first hour all of whose waves and pings this process sees; None until it has seen the first."""
    newest: int = 0
    """The newest confirmed slot that was seen."""
    read: int = 0
    """Up to which slot final blocks were looked at."""
    hour: int | None = None
    """The hour of the chain's time, once it is attended; None before the first look."""
    most_devices: int = 0
    """The most device accounts that there were at a time, as far as this process knows."""
    finals: set[bytes] = field(default_factory=set)
    """Seeds of the waves and pings that are in the final chain."""
    metrics: Metrics = field(default_factory=Metrics)
    counts: dict[str, int] = field(default_factory=dict)
    """What was taken and refused since the start, for ``/ready``."""
    _fleets: dict[int, Fleet] = field(default_factory=dict)
    _attended: set[int] = field(default_factory=set)

    @cached_property
    def operator(self) -> Pubkey:
        """Whose service it is; a key's public half is dear, and each receipt has it."""
        return self.signer.pubkey()

    async def refresh_roster(self) -> None:
        """Read who takes part; who is gone is known nowhere any more."""
        fresh = await read_roster(self.chain, self.profiles)
        self.intake.gate.keep_only(fresh.entries)
        self.intake.roster = fresh
        self.most_devices = max(self.most_devices, len(fresh.workers))

    def forget_fleets(self, before: int) -> None:
        """Have no devices of earlier hours in memory: there are megabytes of them an hour."""
        self._fleets = {hour: each for hour, each in self._fleets.items() if hour >= before}
        self._attended = {hour for hour in self._attended if hour >= before}

    def save_homes(self) -> None:
        """Have the book keep where devices are known."""
        if changes := self.intake.gate.changes():
            self.book.put_homes(changes)

    async def attend(self, hour: int) -> None:
        """Note the devices of an hour that has begun: the service is there, and its EVIDENCE says something.

        Of an hour that is missed an operator says nothing: answers that it couldn't have weren't withheld.
        """
        if not self.attended(hour):
            self.store.write(hour, FLEET, (await self.fleet(hour)).encode())

    def attended(self, hour: int) -> bool:
        """Whether the service was there in an hour."""
        if hour not in self._attended and self.store.has(hour, FLEET):
            self._attended.add(hour)
        return hour in self._attended

    async def fleet(self, hour: int) -> Fleet:
        """The devices of an hour that has begun; the same once it is attended."""
        if hour not in self._fleets:
            kept = self.store.read(hour, FLEET)
            if kept is not None:
                self._fleets[hour] = Fleet.decode(kept)
            else:
                await self.refresh_roster()
                start = self.network.start_of(hour)
                self._fleets[hour] = await read_fleet(self.chain, self.profiles.at(start), start)
        return self._fleets[hour]

    async def receipt(self, taken: Taken) -> bytes:
        """The receipt of a commit, signed once."""
        if taken.receipt is None:
            receipt = Receipt(self.operator, taken.signed.message.hash(), taken.ms)
            if isinstance(self.signer, Keypair):
                taken.receipt = receipt.sign(self.signer).encode()
            else:  # A command takes its time: others don't wait for it.
                taken.receipt = (await asyncio.to_thread(receipt.sign, self.signer)).encode()
        return taken.receipt

    def learn(self, held: Held, name: str, devices: Collection[bytes]) -> None:
        """Take the roots from a file of the wave's hour that is held, if it is one of the wave's.

        A wrong signature of one of ``devices``, the hour's, drops the whole file, as it does when verdicts
        are made. One of another's costs that one alone: there the file may count, and its openings be due.
        """
        found = FILE.fullmatch(name)
        data = self.store.read(held.wave.hour, name)
        if data is None or not found or found["slot"] != str(held.wave.slot):
            return
        try:
            rows = files.read_wave(data)
        except files.FileError:
            return  # It was anchored, so it is kept and shown; there is nothing in it.
        workers, hours = self.intake.roster.workers, set(devices)
        right = []
        for signed in (decode(Commit, each) for each in files.wave_commits(held.wave.seed, rows)):
            device = bytes(signed.message.device)
            worker = workers.get(device)
            if worker is not None and signed.is_by(worker):
                right.append(signed)
            elif worker is not None and device in hours:
                return
        profiles = self.profiles.at(held.wave.time)
        held.learn(each for each in right if is_work(each.message, profiles, held.wave))

    def is_late(self, device: bytes, hour: int) -> bool:
        """Whether a device came to be staked after an hour's start: the hour isn't about it."""
        entry = self.intake.roster.entries.get(device)
        return entry is not None and entry.since >= self.network.start_of(hour)

    def took(self, message: str) -> None:
        """Count a message or a transfer of a device."""
        self.metrics.taken.labels(message).inc()
        self._count(message)

    def refused(self, message: str, why: Why | Unsaid) -> None:
        """Count a request that wasn't taken."""
        self.metrics.refused.labels(message, why).inc()
        self._count(f"refused_{why}")

    def verified(self, code: Code) -> None:
        """Count an opening that was verified."""
        self.metrics.verified.labels(code.name.lower()).inc()
        self._count(f"opening_{code.name.lower()}")

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

"""A wave on a device: from IDLE to WORKING, SIGNED, RECEIPTED, OPENED and back to IDLE.

Each step is on the disk before the next begins (:mod:`keeper.worker.state`), so that after a kill it goes on
where it was. What is signed for a wave is one body for ever. Only to open a root that is signed already, work
may be done again, and what comes out then is never signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.pow.clock import WaveKind, epoch_start
from keeper.pow.codes import Code
from keeper.pow.messages import Commit, Opening, Receipt, Signed
from keeper.pow.profiles import hired_deadline_ms
from keeper.pow.prove import NotRepeated
from keeper.pow.seeds import open_seed
from keeper.worker.client import OpenAt, Operator, Refused
from keeper.worker.delivery import sign, twice, until
from keeper.worker.state import Kept, Received, StateError, Store
from keeper.worker.work import Device, Proof, Works, opening

COMMIT_SECONDS = 40.0
"""So long after a wave's block operators take commits: up to slot S0 + 100."""
OPEN_SECONDS = 300.0
"""After so long no operator takes an opening, even where blocks came slowly."""
REMEMBERED = 64
"""Waves whose opening's block is remembered."""
WRONG = frozenset({"wrong_opening", "wrong_length"})
"""What operators say of an opening by other picks than theirs."""
IDLE = "idle"


class _Told:
    """The blocks that a wave's picks may be drawn from, in the order in which they were told."""

    def __init__(self) -> None:
        self._told: list[OpenAt] = []
        self._more = asyncio.Event()

    def put(self, told: OpenAt) -> None:
        """Add one; again is as once."""
        if told not in self._told:
            self._told.append(told)
            self._more.set()

    async def get(self, number: int) -> OpenAt:
        """Wait for that one, counted from 0."""
        while len(self._told) <= number:
            self._more.clear()
            await self._more.wait()
        return self._told[number]


class Waves:
    """The waves of a process's devices."""

    def __init__(
        self,
        operators: Sequence[Operator],
        works: Works,
        store: Store,
        log: Any,
        clock: Callable[[], float],
    ) -> None:
        """``clock`` gives unix seconds."""
        self.quiet: Callable[[Device], AbstractAsyncContextManager[None]] = lambda device: nullcontext()
        """What keeps a device quiet while it works: a renter's processes stand still meanwhile."""
        self.doing: dict[Pubkey, str] = {}
        """What a device does at present, for people; nothing when it is idle."""
        self._operators = operators
        self._works = works
        self._store = store
        self._log = log
        self._clock = clock
        self._opens: dict[int, _Told] = {}

    def tell(self, told: OpenAt) -> None:
        """A wave's picks can be drawn; what is told first is tried first."""
        self._opening(told.slot).put(told)

    async def run(self, device: Device, kept: Kept) -> None:
        """Bring a wave from wherever it is to its end. Raises StateError, SigningFailed, NotRepeated."""
        log = self._log.bind(device=str(device.address), slot=kept.slot)
        device = device.at(kept.time)
        try:
            proof = None
            async with self.quiet(device) if kept.body is None else nullcontext():
                if kept.body is None:
                    proof = await self._work(device, kept, log)
                    if proof is None:
                        return
                    kept = self._store.wave(device.address, kept.seed)
                commit = await self._signed(device, kept)
            handing = asyncio.create_task(self._hand_in(device, kept, commit, log))
            try:
                await self._open(device, kept, commit.message, proof, log)
            finally:
                # With the picks known no operator takes a commit: whoever is silent so long isn't waited for.
                handing.cancel()
        finally:
            self.doing.pop(device.address, None)

    # -- the commit ------------------------------------------------------------------------------

    async def _work(self, device: Device, kept: Kept, log: Any) -> Proof | None:
        """Make a wave's root and put it on the disk; None when it is too late for that."""
        profile, kind, day = device.profile, kept.kind, epoch_start(kept.time)
        if kind is WaveKind.RESIDENCY and not (profile.tested and self._works.has_plot(device, day)):
            if profile.tested is not None:
                log.warning("worker.no_plot")
            kind = WaveKind.PRODUCT
        resident = profile.tested if kind is WaveKind.RESIDENCY else None
        latest = hired_deadline_ms(resident.T_ms if resident else profile.T_ms) / 1000
        if self._is_missed(device, kept, latest, log):
            return None
        log.info("worker.working", kind=kind.name.lower(), spot=kept.spot)
        self.doing[device.address] = f"working at the wave of slot {kept.slot}"
        proof, ms = await self._works.timed(device, kept.seed, kind)
        if self._is_missed(device, kept, COMMIT_SECONDS, log):
            return None
        commit = Commit(kept.seed, device.address, kind, device.processors, profile.id, ms, proof.root)
        self._store.commit(device.address, kept.seed, commit.body())
        log.info("worker.signed", ms=ms, root=proof.root.hex())
        return proof

    def _is_missed(self, device: Device, kept: Kept, latest: float, log: Any) -> bool:
        """Whether more than ``latest`` seconds have passed since a wave's block: then it is over."""
        age = self._age(kept)
        if age <= latest:
            return False
        log.warning("worker.missed", seconds=round(age))
        self._store.finish(device.address, kept.seed, f"{age:.0f} seconds after its block it was too late")
        return True

    async def _signed(self, device: Device, kept: Kept) -> Signed[Commit]:
        """The wave's commit with its signature, by whoever signs if there is none yet."""
        assert kept.body is not None
        commit = Commit.of_body(kept.body)
        if kept.signature is not None:
            return Signed(commit, Signature.from_bytes(kept.signature))
        message = await sign(commit, device.signer)
        self._store.sign(device.address, kept.seed, bytes(message.signature))
        return message

    async def _hand_in(self, device: Device, kept: Kept, commit: Signed[Commit], log: Any) -> None:
        """Send a commit to all that haven't given a receipt, while operators take it."""
        have = {each.operator for each in self._store.receipts(device.address, kept.seed)}
        self.doing[device.address] = f"handing in the wave of slot {kept.slot}"

        async def send(operator: Operator) -> None:
            try:
                receipt = await operator.commit(commit)
            except Refused as error:
                if error.code == "conflict":
                    log.error("worker.conflict", url=operator.url, reason=str(error))
                raise
            self._receive(device, kept, receipt, log)

        left = [each for each in self._operators if not _is_among(each, have)]
        await until(left, send, lambda: COMMIT_SECONDS - self._age(kept), log)
        self.doing[device.address] = f"waiting for the picks of slot {kept.slot}"

    def _receive(self, device: Device, kept: Kept, receipt: Signed[Receipt], log: Any) -> None:
        found = receipt.message
        received = Received(found.operator, found.ms, receipt.encode())
        log.info("worker.receipt", operator=str(found.operator), ms=found.ms, of=len(self._operators))
        try:
            self._store.receive(device.address, kept.seed, received)
            if 2 * len(self._store.receipts(device.address, kept.seed)) > len(self._operators):
                self._store.receipted(device.address, kept.seed)
        except StateError as error:
            # A proof less; what is signed is on the disk, and the others get it all the same.
            log.error("worker.state_failed", reason=str(error))

    # -- the opening -----------------------------------------------------------------------------

    async def _open(self, device: Device, kept: Kept, commit: Commit, proof: Proof | None, log: Any) -> None:
        """Wait for the picks, and show them to all.

        A source that lies may tell of another block for them. Where most operators say that what follows from
        one isn't the opening, the next that is told is tried.
        """
        blob, tried = kept.blob, 0
        while True:
            if blob is None:
                try:
                    async with asyncio.timeout(max(0.0, OPEN_SECONDS - self._age(kept))):
                        at = await self._opening(kept.slot).get(tried)
                        proof = proof or await self._again(device, kept, commit)
                except TimeoutError:
                    why = (
                        "no operator took the opening" if tried else "its picks came too late, or not at all"
                    )
                    log.error("worker.not_opened", reason=why)
                    self._store.finish(device.address, kept.seed, why)
                    return
                tried += 1
                drawn = open_seed(kept.seed, at.open_slot, at.open_blockhash)
                blob = await asyncio.to_thread(opening, proof, device, commit.kind, drawn)
                code = await self._works.check(device, kept.seed, commit, drawn, blob)
                if code is not Code.PASS:
                    log.error("worker.opening_wrong", code=code.name)
                    why = "a check of its own found the work wrong, so that it wasn't shown: the machine errs"
                    self._store.finish(device.address, kept.seed, why)
                    return
                self._store.open(device.address, kept.seed, blob)
            if await self._show(device, kept, commit, blob, log):
                return
            blob = None

    async def _show(self, device: Device, kept: Kept, commit: Commit, blob: bytes, log: Any) -> bool:
        """Send an opening to all who haven't it; returns False where most say that it isn't the opening."""
        message = Opening(kept.seed, device.address, commit.root, blob).encode()
        takers = self._store.takers(device.address, kept.seed)
        self.doing[device.address] = f"opening the wave of slot {kept.slot}"
        wrong: set[Operator] = set()

        async def send(operator: Operator) -> None:
            try:
                await operator.open(message)
            except Refused as error:
                if error.code in WRONG:
                    wrong.add(operator)
                if error.code != "not_drawn":
                    raise
            if operator.identity is not None:
                self._store.took(device.address, kept.seed, operator.identity.operator)

        left = [each for each in self._operators if not _is_among(each, takers)]
        failed = await twice(left, send, log)
        if 2 * len(wrong) > len(self._operators):
            return False
        if len(failed) == len(self._operators):
            log.error("worker.not_opened", reason=failed[0])
            self._store.finish(device.address, kept.seed, "no operator took the opening")
            return True
        log.info("worker.opened", bytes=len(blob), operators=len(self._operators) - len(failed))
        self._store.finish(device.address, kept.seed)
        return True

    async def _again(self, device: Device, kept: Kept, commit: Commit) -> Proof:
        """Make what is signed already again, after a restart; raises NotRepeated when it isn't the same."""
        if commit.kind is WaveKind.RESIDENCY:
            await self._works.plot(device, epoch_start(kept.time))
        proof = await self._works.prove(device, kept.seed, commit.kind)
        if proof.root != commit.root:
            self._store.finish(device.address, kept.seed, "the work came out differently the second time")
            raise NotRepeated(f"the wave at slot {kept.slot} came out differently: the processor errs")
        return proof

    def _opening(self, slot: int) -> _Told:
        """The blocks that are told to open a wave."""
        told = self._opens.get(slot)
        if told is None:
            told = self._opens[slot] = _Told()
            for old in list(self._opens)[:-REMEMBERED]:
                del self._opens[old]
        return told

    def _age(self, kept: Kept) -> float:
        """Seconds since a wave's block, as far as this machine knows."""
        return self._clock() - kept.began_at


def _is_among(operator: Operator, some: set[Pubkey]) -> bool:
    """Whether an operator is known to be one of these."""
    return operator.identity is not None and operator.identity.operator in some

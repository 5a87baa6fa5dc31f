"""The leases of a process's devices: seen on the chain, accepted at once, followed to their end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from keeper.chain import Chain, ChainError, SigningFailed
from keeper.chain.connect import refresh
from keeper.chain.fees import FeePolicy
from keeper.chain.framework import sol
from keeper.chain.program import UnexpectedData
from keeper.economy.money import show
from keeper.economy.orders import EndReason, LeaseStatus
from keeper.market.accepting import Hindrance
from keeper.worker.accepting import Acceptor
from keeper.worker.lease_book import KeptLease, LeaseBook, LeaseKey, Outcome
from keeper.worker.lease_view import Offer, view
from keeper.worker.purse import LITTLE, advice
from keeper.worker.readiness import PREPARING, Readiness
from keeper.worker.state import StateError
from keeper.worker.work import Device

LOOK_SECONDS = 5.0
"""From one look to the next: a lease waits ten minutes for its acceptance, and pays from then on."""


class Leases:
    """Looks after the leases of devices, by one node's word: whoever runs the devices chose it."""

    def __init__(
        self,
        chain: Chain,
        devices: Sequence[Device],
        book: LeaseBook,
        readiness: Readiness,
        fees: FeePolicy,
        log: Any,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` gives unix seconds, for this machine's own notes: what is due is by the chain's."""
        self.book = book
        self._chain = chain
        self._devices = devices
        self._acceptor = Acceptor(chain, book, readiness, fees, log, clock)
        self._log = log
        self._clock = clock
        self._tasks: dict[LeaseKey, asyncio.Task[None]] = {}
        """Acceptances under way."""
        self._said: set[object] = set()
        """What was warned of and hasn't passed, so that it is said once."""

    async def run(self) -> None:
        """Look again and again; what is under way when this is cancelled goes on at the next start."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            tasks = list(self._tasks.values())
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> None:
        """See all leases as they are, and begin to accept what waits; faults of node and disk are logged."""
        for key, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[key]
                task.result()
        try:
            refresh(self._chain)
            known = {each.address: self.book.open(each.address) for each in self._devices}
            seen = await view(self._chain, self._devices, known)
            for offer in seen.offers:
                self._see(offer)
            for kept in seen.gone:
                self._close(kept)
        except ChainError as error:
            if self._is_new("node", on=True):
                self._log.warning("worker.leases_unseen", reason=str(error))
            return
        except StateError as error:
            self._log.error("worker.state_failed", reason=str(error))
            return
        if "node" in self._said:
            self._log.info("worker.leases_seen")
        self._is_new("node", on=False)
        for device in self._devices:
            lamports = seen.lamports.get(device.address, LITTLE)
            if self._is_new((device.address, "sol"), on=lamports < LITTLE):
                worker = device.signer.pubkey()
                log = self._log.bind(device=str(device.address))
                log.warning("worker.sol_low", sol=sol(lamports), do=advice(worker, lamports))
            lease = seen.unread.get(device.address)
            if self._is_new((device.address, "unread"), on=lease is not None):
                self._log.warning("worker.lease_unread", device=str(device.address), lease=str(lease))

    async def settle(self) -> None:
        """Wait until the acceptances under way are over."""
        await asyncio.gather(*self._tasks.values())

    # -- inside ----------------------------------------------------------------------------------

    def _see(self, offer: Offer) -> None:
        """Note how a lease is, say what is new, and see to its acceptance."""
        kept = offer.kept
        before = self.book.lease(kept.key)
        if before is None or replace(before, hindrance=None) != kept:
            self.book.keep(kept)
            self._tell(kept, before.status if before else None)
        live = any(each.outcome is Outcome.LIVE for each in self.book.acceptances(kept.key))
        if (offer.waits or live) and kept.key not in self._tasks:
            self._tasks[kept.key] = asyncio.create_task(self._accept(offer))

    async def _accept(self, offer: Offer) -> None:
        key = offer.kept.key
        try:
            try:
                found = await self._acceptor.accept(offer)
            except SigningFailed as error:
                found = Hindrance("signer", str(error))
            except (ChainError, UnexpectedData) as error:
                found = Hindrance("node", str(error))
            kept = self.book.lease(key)
            if kept is not None and kept.hindrance != found:
                self.book.hinder(key, found)
                if found is not None:
                    log = self._about(kept)
                    if found.code == PREPARING:
                        log.info("worker.lease_prepares", reason=found.reason)
                    else:
                        log.warning("worker.lease_hindered", code=found.code, reason=found.reason)
        except StateError as error:
            self._log.error("worker.state_failed", reason=str(error))

    def _close(self, kept: KeptLease) -> None:
        """A lease's account is closed: it has ended, seen or not."""
        ended = replace(kept, status=LeaseStatus.ENDED, gone=True)
        self.book.keep(ended)
        if kept.status != LeaseStatus.ENDED:
            self._tell(ended, kept.status)
        self.book.forget(self._clock())

    def _tell(self, kept: KeptLease, before: LeaseStatus | None) -> None:
        """Say what a lease has come to."""
        if kept.status == before:
            return
        log, unit = self._about(kept), kept.currency.name
        match kept.status:
            case LeaseStatus.MATCHED:
                price = f"{show(kept.price, kept.currency)} {unit}"
                until = kept.accept_until
                log.info("worker.lease_matched", price=price, hours=kept.hours, accept_until=until)
            case LeaseStatus.ACCEPTED:
                log.info("worker.lease_waits", signed_here=self._signed(kept))
            case LeaseStatus.RUNNING:
                here = self._signed(kept)
                log.info("worker.lease_runs", start=kept.start, stop=kept.stop, signed_here=here)
            case LeaseStatus.ENDED:
                earned = f"{show(kept.earned(kept.stop), kept.currency)} {unit}"
                log.info("worker.lease_ended", reason=EndReason(kept.reason).name.lower(), earned=earned)

    def _signed(self, kept: KeptLease) -> bool:
        """Whether this folder has an acceptance; otherwise its supplier did it, or another machine."""
        return bool(self.book.acceptances(kept.key))

    def _about(self, kept: KeptLease) -> Any:
        return self._log.bind(device=str(kept.key.device), order=str(kept.order))

    def _is_new(self, what: object, *, on: bool) -> bool:
        """Whether something to warn of has just begun; what has passed is forgotten."""
        was = what in self._said
        (self._said.add if on else self._said.discard)(what)
        return on and not was

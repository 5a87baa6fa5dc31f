"""The acceptance of a lease, from the question whether the device is ready to a transaction's certain end.

What is signed is on the disk before it is sent, and nothing is signed anew while it may still land. So
whoever is killed anywhere goes on with the same bytes, and a lease is accepted once. Another process with the
same key costs a fee at most: the program accepts nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keeper.chain import Chain, ChainError, TransactionFailed, landing
from keeper.chain.connect import writing
from keeper.chain.fees import FeePolicy
from keeper.chain.framework import sol
from keeper.clients import orders
from keeper.clients.errors import explain
from keeper.clients.orders import Config
from keeper.market.accepting import Hindrance, payee, refused, unwanted
from keeper.wallet import plans
from keeper.worker.lease_book import Acceptance, LeaseBook, LeaseKey, Outcome
from keeper.worker.lease_view import Offer
from keeper.worker.purse import advice, needed
from keeper.worker.readiness import Readiness

REFUSALS = 3
"""So many transactions of a lease may cost a fee and do nothing: then it isn't accepted."""
POLL_SECONDS = landing.POLL_SECONDS


class Acceptor:
    """Accepts the leases of a process's devices."""

    def __init__(
        self,
        chain: Chain,
        book: LeaseBook,
        readiness: Readiness,
        fees: FeePolicy,
        log: Any,
        clock: Callable[[], float],
    ) -> None:
        """``fees`` bound what acceptances offer beyond the least; ``clock`` gives unix seconds."""
        self._chain = chain
        self._book = book
        self._readiness = readiness
        self._fees = fees
        self._log = log
        self._clock = clock

    async def accept(self, offer: Offer) -> Hindrance | None:
        """Accept a lease unless something hinders that; None once it is accepted, or under way again later.

        Of a lease that doesn't wait any more only what was signed is looked after. Raises ChainError,
        SigningFailed and StateError; after any of them this is called again.
        """
        key = offer.kept.key
        for each in self._book.acceptances(key):
            if each.outcome in (Outcome.LIVE, Outcome.LANDED) and await self._is_under_way(offer, each):
                return None
        if not offer.waits:
            return None
        config = await orders.read_config(self._chain)
        if config is None:
            raise ChainError("the node has no config of the orders program: ask one that is in step")
        return await self._hindrance(offer, config) or await self._send(offer, config, key)

    async def _hindrance(self, offer: Offer, config: Config) -> Hindrance | None:
        """Why a lease isn't accepted now; None when it can be, and its device is ready."""
        order, lease = offer.order, offer.lease
        (account,) = await self._chain.accounts([payee(config, order, lease)])
        now = (await self._chain.clock()).unix_timestamp
        found = refused(config, order, lease, account, now) or unwanted(order, lease, offer.account)
        if found is not None:
            return found
        worker, need = lease.worker, needed(opens_account=account is None)
        if offer.lamports < need:
            said = f"{worker} has {sol(offer.lamports)} SOL, and an acceptance takes {sol(need)}"
            return Hindrance("sol", f"{said}: {advice(worker, offer.lamports, need)}")
        return await self._readiness.lacks(offer)

    # -- transactions ----------------------------------------------------------------------------

    async def _send(self, offer: Offer, config: Config, key: LeaseKey) -> Hindrance | None:
        earlier = [each.outcome for each in self._book.acceptances(key)]
        if earlier.count(Outcome.REFUSED) >= REFUSALS:
            return Hindrance(
                "refused", f"the program refused {REFUSALS} acceptances that had cost their fees"
            )
        plan = plans.accept(config, offer.order, offer.lease, offer.lease.worker)
        now = self._clock()
        async with writing(self._chain):
            try:
                signed = await landing.prepare(
                    self._chain,
                    plan.instructions,
                    [offer.device.signer],
                    self._fees,
                    expired=earlier.count(Outcome.EXPIRED),
                    spent=self._book.spent(now),
                )
            except TransactionFailed as failure:
                return Hindrance("refused", explain(failure))
            acceptance = self._book.sign(key, signed, now)
            return await self._follow(offer, acceptance)

    async def _is_under_way(self, offer: Offer, acceptance: Acceptance) -> bool:
        """See what became of an acceptance of earlier, and send it again while it may land.

        Whether nothing is to be signed: it has landed, though the node may say of the lease what was before.
        """
        signature, last = acceptance.signature, acceptance.last_valid_height
        fate = await landing.look(self._chain, signature, last)
        if fate is not None:
            return self._ended(offer, acceptance, fate) is None and fate.record is not None
        if offer.waits:
            async with writing(self._chain):
                await self._follow(offer, acceptance)
        return True

    async def _follow(self, offer: Offer, acceptance: Acceptance) -> Hindrance | None:
        fate = await landing.follow(
            self._chain, acceptance.transaction, acceptance.last_valid_height, poll_seconds=POLL_SECONDS
        )
        return self._ended(offer, acceptance, fate)

    def _ended(self, offer: Offer, acceptance: Acceptance, fate: landing.Fate) -> Hindrance | None:
        """Note what became of an acceptance; why the lease isn't accepted by it."""
        log = self._log.bind(device=str(offer.device.address), order=str(offer.lease.order))
        record = fate.record
        if record is None:
            self._book.end(acceptance, Outcome.EXPIRED)
            return Hindrance("expired", "its acceptance never landed: it is signed anew")
        if record.error is not None:
            self._book.end(acceptance, Outcome.REFUSED)
            return Hindrance("refused", explain(TransactionFailed(record)))
        if acceptance.outcome is not Outcome.LANDED:
            self._book.end(acceptance, Outcome.LANDED)
            log.info("worker.lease_accepted", signature=str(acceptance.signature), fee=record.fee)
        return None

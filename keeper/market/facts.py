"""The accounts that a tick is decided from, of the indexed events: as of its slot, whenever it is asked for.

They are kept in memory and go on from tick to tick: of a network with many devices only what happened in half
a minute is looked at. Nothing is written down, so that whoever replays an old tick disturbs nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from solders.pubkey import Pubkey

from keeper.chain.program import Fields
from keeper.clients import orders, staking
from keeper.clients.staking import Block, BlockStatus
from keeper.economy.calendar import HOUR
from keeper.indexer.book import Book, Fold
from keeper.indexer.folds import FOLDS
from keeper.indexer.folds.classes import FOLDS as OF_CLASSES
from keeper.indexer.kept import Ahead
from keeper.indexer.ledger import Ledger
from keeper.indexer.watermark import BEFORE_ALL
from keeper.market.participants import Accounts
from keeper.market.records import Records, StalePrices
from keeper.market.reputation import LeaseEnd, Reputation

RECORDS: Mapping[str, Callable[[Fields], Any]] = {
    "Device": staking.device_of,
    "Class": staking.class_of,
    "Block": staking.block_of,
    "Order": orders.order_of,
    "Lease": orders.lease_of,
}
"""The kinds of accounts that ticks are decided from, as typed records."""


BEHIND = 20_000
"""Slots, two hours of them and more: whoever asks for the hour that is over asks for none further back."""


class Facts:
    """Earlier states of the market, from the events of staking and orders.

    A transaction that the index finds late, at a slot that was folded already, begins everything anew: two
    that index the same have the same states, in whichever order they came to it.
    """

    def __init__(self, ledgers: Sequence[Ledger], behind: Facts | None = None) -> None:
        """Fold what the indexers of the ledgers of staking and orders, in this sequence, index.

        With one that follows some way ``behind`` it takes its beginning from there, so that the first events
        are folded once for both.
        """
        self._ledgers = ledgers
        self._behind = behind
        self._moving = asyncio.Lock()
        """Held while this goes from slot to slot: whoever follows further ahead asks it, too."""
        self._late: tuple[int, ...] = ()
        self._forget()

    def _forget(self) -> None:
        """Begin with the first event again."""
        self._staking = _Staking(self._ledgers[0])
        # What leases came to is told with what classes were then.
        self._orders = _Orders(self._ledgers[1], self._staking)

    async def at(self, slot: int) -> Accounts:
        """The accounts as all events up to and including a final slot made them.

        They change when another slot is asked for; an earlier one than the last is made from the first event
        on. Raises ChainUnreachable while the chain can't be indexed so far, FoldError for an event that can't
        have happened.
        """
        async with self._moving:
            await self._to(slot)
        return Accounts(
            devices=self._staking.records["Device"],
            classes={each.id: each for each in self._staking.records["Class"].values()},
            orders=self._orders.records["Order"],
            leases=self._orders.records["Lease"],
            earned_until=self._orders.earned_until,
        )

    async def _to(self, slot: int) -> None:
        """Go to a final slot; whatever comes to light late meanwhile is in it as well."""
        for ledger in self._ledgers:
            await ledger.index(slot)
        while True:
            late = tuple([(await each.indexer.watermark()).late for each in self._ledgers])
            if late != self._late or slot < self._staking.slot:
                await self._begin(slot)
                self._late = late
            try:
                # Leases follow what classes cost.
                for each in (self._staking, self._orders):
                    await each.to(slot)
            except BaseException:
                # Half of an event may be done.
                self._forget()
                raise
            if late == tuple([(await each.indexer.watermark()).late for each in self._ledgers]):
                return

    async def _begin(self, slot: int) -> None:
        """Begin anew, on the way to a slot."""
        self._forget()
        if self._behind is None:
            return
        async with self._behind._moving:
            await self._behind._to(max(slot - BEHIND, self._behind._staking.slot, 0))
            if self._behind._staking.slot <= slot:
                self._staking.begin(self._behind._staking)
                self._orders.begin(self._behind._orders)

    def weights(self, now: int) -> Mapping[Pubkey, int]:
        """What the idle time of each device of the last slot asked for weighs at ``now``, basis points."""
        return self._orders.ends.weights(self._staking.records["Device"], now)

    def reputation(self, device: Pubkey, now: int) -> Reputation:
        """What that of a device which is there at the last slot asked for follows from at ``now``."""
        return self._orders.ends.of(device, self._registered_at(device), now)

    def lease_ends(self, device: Pubkey) -> Mapping[int, LeaseEnd]:
        """What that follows from: the device's leases that ran and have ended, by their numbers."""
        return self._orders.ends.ends(device, self._registered_at(device))

    def _registered_at(self, device: Pubkey) -> int:
        at: int = self._staking.records["Device"][device].registered_at
        return at

    @property
    def agreed(self) -> Block | None:
        """The newest hour's block that enough operators agreed on as of the last slot asked for."""
        blocks: list[Block] = [
            each for each in self._staking.records["Block"].values() if each.status != BlockStatus.OPEN
        ]
        return max(blocks, key=lambda each: each.hour, default=None)


class _Passing(Ahead):
    """One program's accounts in memory, on their way from slot to slot."""

    def __init__(self, ledger: Ledger, **folds: Fold) -> None:
        own = FOLDS[ledger.program.name]
        super().__init__(ledger.database, ledger.indexer, {**own, **folds}, "folded_slot")
        self.slot = BEFORE_ALL
        self.accounts = Book(self.program)
        self.records: dict[str, dict[Pubkey, Any]] = {kind: {} for kind in RECORDS}

    def begin(self, other: Self) -> None:
        """Begin where another one is."""
        self.slot, self.accounts = other.slot, other.accounts.copy()
        self.records = {kind: dict(each) for kind, each in other.records.items()}

    async def to(self, slot: int) -> None:
        """Go to a later final slot, which is indexed."""
        while self.slot < slot:
            self.slot = await self.advance(self.accounts, self.slot, slot)
        for kind, address in self.accounts.changed:
            if kind not in RECORDS:
                continue
            fields = self.accounts.of_kind(kind).get(address)
            if fields is None:
                self.records[kind].pop(address, None)
            else:
                self.records[kind][address] = RECORDS[kind](fields)
        self.accounts.changed.clear()


class _Staking(_Passing):
    """Those of staking, and what prices were while they were stale."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, **{name: self._noting(fold) for name, fold in OF_CLASSES.items()})
        self.stale = StalePrices()

    def begin(self, other: Self) -> None:
        super().begin(other)
        self.stale = other.stale.copy()

    def _noting(self, fold: Fold) -> Fold:
        """A class's event, and what the class is after it."""

        def noted(book: Book, event: Fields, at: int) -> None:
            fold(book, event, at)
            number = event["class"] if "class" in event else event["id"]
            fields = book.get("Class", staking.class_address(number))
            self.stale.change(staking.class_of(fields), at)

        return noted


class _Orders(_Passing):
    """Those of orders, until when devices earned, and what became of their leases."""

    def __init__(self, ledger: Ledger, of_staking: _Staking) -> None:
        self._staking = of_staking
        super().__init__(ledger, LeaseEnded=self._lease_ended)
        self.earned_until: dict[Pubkey, int] = {}
        self.ends = Records()

    def begin(self, other: Self) -> None:
        super().begin(other)
        self.earned_until = dict(other.earned_until)
        self.ends = other.ends.copy()

    def _lease_ended(self, book: Book, event: Fields, at: int) -> None:
        """As the index has it; a lease that a fault takes back later moves nobody forward."""
        start, device = book.get("Lease", event["lease"])["start"], event["device"]
        if start and event["stop"] - start >= HOUR:
            self.earned_until[device] = max(self.earned_until.get(device, 0), event["stop"])
        FOLDS[book.program.name]["LeaseEnded"](book, event, at)
        if start:
            self._note(book, event["lease"])

    def _note(self, book: Book, address: Pubkey) -> None:
        """What a lease came to, if its device is still there: another one at its address has no record."""
        lease = orders.lease_of(book.get("Lease", address))
        device = self._staking.accounts.of_kind("Device").get(lease.device)
        if device is None or device["registered_at"] != lease.registered_at:
            return
        order = orders.order_of(book.get("Order", lease.order))
        stale = self._staking.stale.of(device["class"], order.terms.currency, lease.matched_at)
        price = lease.rate // order.terms.processors if stale is None else stale
        self.ends.take(lease, order, price)

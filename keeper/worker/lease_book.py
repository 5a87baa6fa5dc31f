"""The leases of a worker's devices, and the acceptances that it signed: on the disk before any is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain.landing import Signed
from keeper.clients.orders import Lease, Order, lease_address
from keeper.economy import orders as economy
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency, EndReason, LeaseStatus
from keeper.market.accepting import Hindrance
from keeper.worker.state import KEPT_SECONDS, Store

DAY = 86_400

NOTABLE = 2**63
"""SQLite's integers are below."""


class LeaseKey(NamedTuple):
    """What names a lease for ever: an order may have the same device again later."""

    device: Pubkey
    registered_at: int
    number: int

    @property
    def row(self) -> tuple[bytes, int, int]:
        """The same as the disk has it."""
        return bytes(self.device), self.registered_at, self.number


@dataclass(frozen=True, slots=True)
class KeptLease:
    """A lease as it was last seen (base units of ``currency``; times unix seconds, 0 for never)."""

    key: LeaseKey
    order: Pubkey
    currency: Currency
    processors: int
    rate: int
    """For an hour of the device."""
    fee_bps: int
    """The supplier's fee, basis points."""
    hours: int
    status: LeaseStatus
    reason: EndReason
    """Why it ended; NONE when it ended unseen, too."""
    matched_at: int
    accept_until: int
    start: int
    stop: int
    gone: bool = False
    """Whether its account is closed: nothing more comes."""
    hindrance: Hindrance | None = None
    """Why it isn't accepted."""

    @property
    def fits(self) -> bool:
        """Whether the disk can note it: no figure of a lease that a program wrote is too large for that."""
        times = self.matched_at, self.accept_until, self.start, self.stop
        return max(self.rate, self.key.registered_at, self.key.number, *times) < NOTABLE

    @classmethod
    def of(cls, lease: Lease, order: Order) -> KeptLease:
        """A lease of an order as the chain has them."""
        terms, lease = order.terms, lease.begun(order)
        return cls(
            LeaseKey(lease.device, lease.registered_at, lease.number),
            lease.order,
            terms.currency,
            terms.processors,
            lease.rate,
            order.supplier_fee_bps,
            lease.hours,
            LeaseStatus(lease.status),
            EndReason(lease.reason),
            lease.matched_at,
            lease.accept_until,
            lease.start,
            lease.stop,
        )

    @property
    def address(self) -> Pubkey:
        """The lease's account."""
        return lease_address(self.order, self.key.device)

    @property
    def price(self) -> int:
        """For a processor and hour."""
        return self.rate // self.processors

    def earned(self, now: int) -> int:
        """What its supplier has earned by ``now``, the fee taken off: nothing before the first whole hour."""
        until = self.stop if self.status == LeaseStatus.ENDED else min(now, self.stop)
        seconds = until - self.start
        if not self.start or seconds < HOUR:
            return 0
        whole = economy.earned(self.rate, seconds)
        return whole - economy.fee(whole, self.fee_bps)


class Outcome(StrEnum):
    """What became of a signed acceptance."""

    LIVE = "live"
    """It may land."""
    LANDED = "landed"
    """It has, and the lease was accepted by it."""
    REFUSED = "refused"
    """It has, and the program refused it: the fee is spent."""
    EXPIRED = "expired"
    """It never will, by the node's word."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An acceptance that was signed, ``fee`` lamports at most."""

    transaction: VersionedTransaction
    last_valid_height: int
    fee: int
    outcome: Outcome

    @property
    def signature(self) -> Signature:
        """By which the chain knows it."""
        return self.transaction.signatures[0]


class LeaseBook:
    """What a folder has of leases. Every method raises StateError when the disk doesn't take or give it."""

    def __init__(self, store: Store) -> None:
        """Keep it in ``store``."""
        self._store = store

    # -- leases ----------------------------------------------------------------------------------

    def keep(self, lease: KeptLease) -> None:
        """Note how a lease is; why it isn't accepted stays as it was noted."""
        self._store.write(
            "INSERT INTO lease VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '') "
            "ON CONFLICT DO UPDATE SET hours = excluded.hours, status = excluded.status, "
            "reason = excluded.reason, start = excluded.start, stop = excluded.stop, gone = excluded.gone",
            *(*lease.key.row, bytes(lease.order), lease.currency, lease.processors, lease.rate),
            *(lease.fee_bps, lease.hours, lease.status, lease.reason, lease.matched_at),
            *(lease.accept_until, lease.start, lease.stop, lease.gone),
        )

    def hinder(self, key: LeaseKey, why: Hindrance | None) -> None:
        """Note why a lease isn't accepted, or that nothing hinders it."""
        self._store.write(
            "UPDATE lease SET code = ?, why = ? WHERE (device, registered_at, number) = (?, ?, ?)",
            *(*(why or ("", "")), *key.row),
        )

    def open(self, device: Pubkey) -> list[KeptLease]:
        """A device's leases whose accounts weren't seen to be closed, oldest first."""
        return self._leases("device = ? AND NOT gone ORDER BY matched_at", bytes(device))

    def newest(self, device: Pubkey, count: int) -> list[KeptLease]:
        """A device's last leases, newest first."""
        return self._leases("device = ? ORDER BY matched_at DESC, number DESC LIMIT ?", bytes(device), count)

    def lease(self, key: LeaseKey) -> KeptLease | None:
        """A lease; None when it wasn't noted."""
        found = self._leases("(device, registered_at, number) = (?, ?, ?)", *key.row)
        return found[0] if found else None

    def forget(self, now: float) -> None:
        """Drop what is older than a year and more."""
        before = int(now - KEPT_SECONDS)
        self._store.write("DELETE FROM acceptance WHERE signed_at < ?", before)
        self._store.write("DELETE FROM lease WHERE gone AND matched_at < ?", before)

    # -- acceptances -----------------------------------------------------------------------------

    def sign(self, key: LeaseKey, signed: Signed, now: float) -> Acceptance:
        """Note an acceptance that was signed at ``now`` (unix seconds); only then may it be sent."""
        self._store.write(
            "INSERT OR REPLACE INTO acceptance VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(bytes(signed.signature), *key.row, bytes(signed.transaction), signed.last_valid_height),
            *(signed.fee, now, Outcome.LIVE),
        )
        return Acceptance(signed.transaction, signed.last_valid_height, signed.fee, Outcome.LIVE)

    def end(self, acceptance: Acceptance, outcome: Outcome) -> None:
        """Note what became of one."""
        self._store.write(
            "UPDATE acceptance SET outcome = ? WHERE signature = ?", outcome, bytes(acceptance.signature)
        )

    def acceptances(self, key: LeaseKey) -> list[Acceptance]:
        """A lease's acceptances, oldest first."""
        rows = self._store.read(
            "SELECT body, height, fee, outcome FROM acceptance "
            "WHERE (device, registered_at, number) = (?, ?, ?) ORDER BY signed_at, rowid",
            *key.row,
        )
        return [
            Acceptance(VersionedTransaction.from_bytes(body), height, fee, Outcome(outcome))
            for body, height, fee, outcome in rows
        ]

    def spent(self, now: float) -> int:
        """Lamports of fees in the last day of all that was signed.

        What expired is counted as well: a node that says so of what landed would have the worker sign, and
        pay, again and again.
        """
        ((found,),) = self._store.read(
            "SELECT COALESCE(SUM(fee), 0) FROM acceptance WHERE signed_at > ?", now - DAY
        )
        return int(found)

    def _leases(self, where: str, *values: object) -> list[KeptLease]:
        return [_kept(row) for row in self._store.read(f"SELECT * FROM lease WHERE {where}", *values)]


def _kept(row: Sequence[Any]) -> KeptLease:
    device, registered_at, number, order, currency, processors, rate, fee_bps, hours, status, *rest = row
    reason, matched_at, accept_until, start, stop, gone, code, why = rest
    return KeptLease(
        LeaseKey(Pubkey(device), registered_at, number),
        Pubkey(order),
        Currency(currency),
        processors,
        rate,
        fee_bps,
        hours,
        LeaseStatus(status),
        EndReason(reason),
        matched_at,
        accept_until,
        start,
        stop,
        bool(gone),
        Hindrance(code, why) if code else None,
    )

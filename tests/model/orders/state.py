"""Orders' accounts in the reference model.

What the program counts step by step is derived here where it can be: what a lease holds follows from its
hours and from what was paid, what of an order is free from everything that came in and went out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from tests.model.schedule import DAY, HOUR
from tests.model.state import OPEN, ZERO, Address, Tokens

IO, USDC = 0, 1
"""Currencies."""
MATCHED, RUNNING, ENDED = range(3)
"""A lease's states."""
NOT_ENDED, LAPSED, DECLINED, WITHDRAWN, COMPLETED, BY_RENTER, BY_SUPPLIER, BY_FAULT = range(8)
"""Why a lease ended."""
DONE, FAILED, DISPUTED = range(3)
"""What a device's record counts of a lease."""
SERVED, UNSERVED, NEVER = range(3)
"""Why an order was closed: its leases are done, nobody served it in time, it was cancelled before."""
MAX_HOURS = 8_760

FEES = Tokens("fees")
"""Buyback's vault for a currency."""


def order_vault(order: Address) -> Tokens:
    """The vault of an order, which moves its tokens itself."""
    return Tokens("order", order)


def fee(amount: int, bps: int) -> int:
    """A fee in basis points, rounded up."""
    return ceil(Fraction(amount * bps, 10_000))


def with_fee(principal: int, bps: int) -> int:
    """What hours cost a renter."""
    return principal + fee(principal, bps)


@dataclass(frozen=True)
class OrdersParams:
    """What the admin sets."""

    match_window: int = 20 * 60
    accept_window: int = 10 * 60
    settlement_lag: int = 2 * HOUR
    notice: int = 7 * DAY
    renter_fee_bps: int = 25
    supplier_fee_bps: int = 25
    usdc_fee_bps: int = 200

    def fields(self) -> dict[str, object]:
        """As the chain has it."""
        return {**vars(self), "_pad": bytes(2)}


@dataclass
class OrdersConfig:
    """The root account; mints and fee vaults are the ledger's."""

    admin: Address
    guardian: Address
    params: OrdersParams
    pending_admin: Address = ZERO
    pending_guardian: Address = ZERO
    guardian_at: int = 0
    pause_mask: int = 0
    pause_until: int = 0
    pending: OrdersParams | None = None
    pending_at: int = 0
    revision: int = 0


@dataclass(frozen=True)
class Terms:
    """What a renter asks for; ``price`` is the most for a processor and hour."""

    price: int
    hours: int
    devices: int
    processors: int
    classes: tuple[int, ...]
    currency: int = IO
    min_tier: int = 1
    urgency: int = 1
    colocated: int = 0
    countries: tuple[bytes, ...] = ()

    def fields(self) -> dict[str, object]:
        """As the chain has it, both lists filled up to eight."""
        return {
            **vars(self),
            "class_count": len(self.classes),
            "country_count": len(self.countries),
            "_pad": bytes(3),
            "classes": [*self.classes, *[0] * (8 - len(self.classes))],
            "countries": [*self.countries, *[bytes(2)] * (8 - len(self.countries))],
        }


@dataclass
class Order:
    """What a renter wants, under the parameters of its opening, and the sums of its money."""

    id: int
    renter: Address
    terms: Terms
    params: OrdersParams
    created_at: int
    open: int
    deposit: int = 0
    paid: int = 0
    fees: int = 0
    refunded: int = 0
    status: int = OPEN
    served: int = 0
    country: bytes = bytes(2)
    transactions: int = 0
    donated: int = 0
    """Not on chain: sent to the vault by anybody."""

    @property
    def renter_fee_bps(self) -> int:
        """The renter's one rate."""
        return self.params.renter_fee_bps + self.params.usdc_fee_bps * (self.terms.currency == USDC)

    @property
    def match_until(self) -> int:
        """End of its matching."""
        return self.created_at + self.params.match_window

    @property
    def place(self) -> int:
        """Put down for a device: the principal at the highest price, and the fee on it."""
        return with_fee(self.terms.price * self.terms.processors * self.terms.hours, self.renter_fee_bps)

    def takes_devices(self, now: int) -> bool:
        """Whether one could still be matched."""
        return self.status == OPEN and self.open > 0 and now < self.match_until


@dataclass
class Lease:
    """A device let to an order."""

    order: Address
    device: Address
    supplier: Address
    worker: Address
    payout: Address
    payer: Address
    rate: int
    hours: int
    matched_at: int
    accept_until: int
    place: int
    """Not on chain: what was set apart at the match."""
    renter_fee_bps: int
    status: int = MATCHED
    reason: int = NOT_ENDED
    start: int = 0
    stop: int = 0
    ended_at: int = 0
    paid: int = 0
    fees: int = 0
    """The renter's, charged so far."""
    hold_from: int = 0
    hold_until: int = 0

    def worth(self, until: int) -> int:
        """What has been earned from the start up to a second, rounded down."""
        return self.rate * (until - self.start) // HOUR

    @property
    def price(self) -> int:
        """What its hours cost the renter."""
        return with_fee(self.rate * self.hours, self.renter_fee_bps)

    @property
    def fee(self) -> int:
        """The renter's in all: for a supplier that breaks off or fails, on what was earned alone."""
        failed = self.reason in {BY_SUPPLIER, BY_FAULT}
        return fee(self.worth(self.stop) if failed else self.rate * self.hours, self.renter_fee_bps)

    @property
    def held(self) -> int:
        """What the vault has for it: its place, later what it earns and the fee, less what was paid."""
        if self.start:
            return self.worth(self.stop) - self.paid + self.fee - self.fees
        return self.place if self.status == MATCHED else 0

    def chargeable(self, until: int) -> int:
        """Of the renter's fee, once it is paid up to a second: with its last one, everything."""
        done = self.status == ENDED and until == self.stop
        return self.fee if done else fee(self.worth(until), self.renter_fee_bps)

    def due_until(self, lag: int, now: int) -> int:
        """Up to when its supplier can be paid at ``now``."""
        clock = self.hold_from if 0 < self.hold_from <= now < self.hold_until else now
        reached = min(clock - lag, self.stop)
        return reached if reached - self.start >= HOUR else self.start


@dataclass
class Fault:
    """Operators' votes on a lease, by their numbers."""

    lease: Address
    evidence: bytes
    good_hours: int
    payer: Address
    revision: int
    lease_start: int
    decided: bool = False
    voters: set[int] = field(default_factory=set)

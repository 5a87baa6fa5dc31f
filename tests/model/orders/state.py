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
MATCHED, RUNNING, ENDED, ACCEPTED = range(4)
"""A lease's states; accepted ones wait until enough of their gang are."""
NOT_ENDED, LAPSED, DECLINED, WITHDRAWN, COMPLETED, BY_RENTER, BY_SUPPLIER, BY_FAULT, UNFILLED = range(9)
"""Why a lease ended."""
FAILING = {BY_SUPPLIER, BY_FAULT}
"""What a device's record counts as failed."""
DONE, FAILED, DISPUTED, NOTHING = range(4)
"""What a device's record counts of a lease; nothing of one that was never served."""
SERVED, UNSERVED, NEVER = range(3)
"""Why an order was closed: its leases are done, nobody served it in time, it was cancelled before."""
ORDINARY, SOON, NOW = range(3)
"""How urgent an order is."""
MAX_HOURS = 8_760
MIN_TAIL = 24
"""Hours not served whose fee a renter pays at most when it ends a lease early."""
MAX_EXTENSION = 7 * DAY
TICK, FIRST, TURN, REACH = 30, 16, 6, 120
"""Seconds: between two batches; from a tick to its leader's turn, and on to each substitute's; until a tick's
matches come too late."""

FEES = Tokens("fees")
"""Buyback's vault for a currency."""
PARKED = Tokens("parked")
"""Money whose payee could not be paid, in a currency."""


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
    exclusive: int = 5 * 60
    soon_fee_bps: int = 100
    now_fee_bps: int = 300

    def fields(self) -> dict[str, object]:
        """As the chain has it."""
        return {**vars(self), "_pad": bytes(6)}


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
    matching_stopped_until: int = 0
    """Until when earlier pauses stopped matching."""

    def matching_stopped_since(self, since: int) -> bool:
        """Whether a worker that was matched at ``since`` could not accept for a while."""
        stops = self.pause_mask & 2 > 0 and self.pause_until > since
        return stops or self.matching_stopped_until > since


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
    urgency: int = ORDINARY
    colocated: int = 0
    countries: tuple[bytes, ...] = ()
    min_devices: int = 1

    def fields(self) -> dict[str, object]:
        """As the chain has it, both lists filled up to eight."""
        return {
            **vars(self),
            "class_count": len(self.classes),
            "country_count": len(self.countries),
            "_pad": 0,
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
    match_until: int
    """End of its matching; later when a place opens again."""
    deposit: int = 0
    paid: int = 0
    """To suppliers, without their fees."""
    fees: int = 0
    """The renter's and the suppliers', charged so far."""
    fees_due: int = 0
    """Of the fees, still in the vault."""
    refunded: int = 0
    status: int = OPEN
    served: int = 0
    country: bytes = bytes(2)
    transactions: int = 0
    filled_at: int = 0
    """When enough devices had accepted: in a gang so many, else the first; 0 before."""
    gang_until: int = 0
    """Until when a gang has to; 0 for no gang, and once a gang that wasn't filled is gone."""
    taken: int = 0
    """Places of leases that wait, run, or served an hour at least."""
    donated: int = 0
    """Not on chain: sent to the vault by anybody."""

    @property
    def renter_fee_bps(self) -> int:
        """The renter's one rate: for all, for USDC, for urgency."""
        params, terms = self.params, self.terms
        urgent = (0, params.soon_fee_bps, params.now_fee_bps)[terms.urgency]
        return params.renter_fee_bps + params.usdc_fee_bps * (terms.currency == USDC) + urgent

    @property
    def hour(self) -> int:
        """What an hour of a place costs at the highest price."""
        return self.terms.price * self.terms.processors

    @property
    def place(self) -> int:
        """Put down for a device: the principal at the highest price, and the fee on it."""
        return with_fee(self.hour * self.terms.hours, self.renter_fee_bps)

    def takes_devices(self, now: int) -> bool:
        """Whether one could still be matched."""
        return self.status == OPEN and self.open > 0 and now < self.match_until

    @property
    def exclusive_until(self) -> int:
        """Until then operators alone match it."""
        return self.created_at + self.params.exclusive

    @property
    def gathers(self) -> bool:
        """Whether it is a gang of which not enough have accepted yet."""
        return self.terms.min_devices > 1 and not self.filled_at

    def is_hopeless(self, now: int) -> bool:
        """Whether it is a gang that nobody joins any more, and too few are in it."""
        joined = self.status == OPEN and now < self.match_until
        return self.gathers and not joined and self.taken < self.terms.min_devices


@dataclass
class Lease:
    """A device leased to an order."""

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
    number: int
    """The device's count of leases with this one: with ``registered_at`` it names the lease."""
    registered_at: int
    renter_fee_bps: int
    status: int = MATCHED
    reason: int = NOT_ENDED
    accepted_at: int = 0
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
    def principal(self) -> int:
        """What all its hours cost."""
        return self.rate * self.hours

    @property
    def price(self) -> int:
        """The same with the renter's fee: set apart from the match on."""
        return with_fee(self.principal, self.renter_fee_bps)

    @property
    def fee(self) -> int:
        """The renter's in all.

        Of a lease that the supplier breaks off or fails, on what was earned alone; of one that the renter
        ends, on at most a day more.
        """
        earned = self.worth(self.stop)
        on = self.principal
        if self.reason in FAILING:
            on = earned
        elif self.reason == BY_RENTER:
            on = min(on, earned + MIN_TAIL * self.rate)
        return fee(on, self.renter_fee_bps)

    @property
    def held(self) -> int:
        """What the vault has for it: what it costs, later what it earns and the fee, less what was paid."""
        if self.start:
            return self.worth(self.stop) - self.paid + self.fee - self.fees
        return 0 if self.status == ENDED else self.price

    @property
    def served_nothing(self) -> bool:
        """Whether it ended before its first whole hour, or never began."""
        return self.stop == self.start

    def chargeable(self, until: int) -> int:
        """Of the renter's fee, once it is paid up to a second: with its last one, everything."""
        done = self.status == ENDED and until == self.stop > 0
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
    number: int
    registered_at: int
    decided: bool = False
    voters: set[int] = field(default_factory=set)


@dataclass
class Parked:
    """Money of a payee that could not be paid, in a currency."""

    wallet: Address
    currency: int
    destination: Tokens
    payer: Address
    amount: int = 0

"""Orders and leases as pure functions of their terms and of time, as the program computes them.

Amounts are base units of the order's currency, times unix seconds, fees basis points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from keeper.economy.calendar import HOUR
from keeper.resources import constants

CONSTANTS = constants("orders")
BPS = 10_000
"""Basis points in a whole."""
MAX_HOURS: int = CONSTANTS["MAX_HOURS"]
"""The most hours of a lease, extensions included."""
MIN_TAIL: int = CONSTANTS["MIN_TAIL"]
"""The most seconds not served whose fee a renter pays when it ends a lease early."""
MAX_EXTENSION: int = CONSTANTS["MAX_EXTENSION"]
"""An extended lease ends at most so many seconds from now."""
TICK: int = constants("staking")["TICK"]
"""Seconds from one tick to the next: tick T begins at ``T * TICK``, unix seconds."""
FIRST: int = CONSTANTS["FIRST"]
"""So many seconds after a tick its first operator may match."""
TURN: int = CONSTANTS["TURN"]
"""So many seconds after each operator the next one may, too."""
REACH: int = CONSTANTS["REACH"]
"""Until so many seconds after a tick it can be matched."""


class Currency(IntEnum):
    """What an order is paid in."""

    IO = 0
    USDC = 1


class Urgency(IntEnum):
    """What place in the operators' queue an order's fee buys."""

    ORDINARY = 0
    SOON = 1
    NOW = 2


class OrderStatus(IntEnum):
    """Whether an order takes devices; that its time is over follows from the clock alone."""

    OPEN = 0
    CANCELLED = 1


class CloseReason(IntEnum):
    """Why an order's account was closed."""

    SERVED = 0
    UNSERVED = 1
    CANCELLED = 2


class LeaseStatus(IntEnum):
    """Where a lease stands."""

    MATCHED = 0
    RUNNING = 1
    ENDED = 2
    ACCEPTED = 3


class EndReason(IntEnum):
    """Why a lease ended."""

    NONE = 0
    LAPSED = 1
    DECLINED = 2
    WITHDRAWN = 3
    COMPLETED = 4
    RENTER = 5
    SUPPLIER = 6
    FAULT = 7
    UNFILLED = 8


ENDED: Mapping[EndReason, str] = {
    EndReason.LAPSED: "not accepted in time",
    EndReason.DECLINED: "declined by the supplier",
    EndReason.WITHDRAWN: "withdrawn by the renter",
    EndReason.COMPLETED: "completed",
    EndReason.RENTER: "ended by the renter",
    EndReason.SUPPLIER: "broken off by the supplier",
    EndReason.FAULT: "failed, attested by operators",
    EndReason.UNFILLED: "not enough of its gang accepted",
}
"""Why a lease ended."""


class LeaseOutcome(IntEnum):
    """What a device's record counts of a lease."""

    DONE = 0
    FAILED = 1
    DISPUTED = 2
    NONE = 3


@dataclass(frozen=True, slots=True)
class Payment:
    """What a settlement pays: ``amount`` of the principal (``net`` and ``fee``), the renter's fee on top."""

    amount: int
    fee: int
    net: int
    renter_fee: int

    def __bool__(self) -> bool:
        """Whether anything moves."""
        return self.amount > 0 or self.renter_fee > 0


def fee(amount: int, bps: int) -> int:
    """A fee on ``amount``, rounded up."""
    return -(-amount * bps // BPS)


def principal(rate: int, hours: int) -> int:
    """What ``hours`` cost at ``rate`` for each."""
    return rate * hours


def place(price: int, processors: int, hours: int, fee_bps: int) -> int:
    """What is deposited for one device: its cost at ``price`` for each processor."""
    return cost(price * processors, hours, fee_bps)


def cost(rate: int, hours: int, fee_bps: int) -> int:
    """The most a renter is charged for ``hours``: the principal and the fee on it."""
    whole = principal(rate, hours)
    return whole + fee(whole, fee_bps)


def payable(money: int, places: int, processors: int, hours: int, fee_bps: int) -> int:
    """The highest price for a processor and hour at which ``money`` pays for so many places."""
    return money // places * BPS // (BPS + fee_bps) // (processors * hours)


def earned(rate: int, seconds: int) -> int:
    """What ``seconds`` earn at ``rate`` for an hour, rounded down."""
    return rate * seconds // HOUR


def due_until(start: int, stop: int, hold: tuple[int, int], lag: int, now: int) -> int:
    """The time until which a lease's supplier is owed at ``now``.

    It is ``lag`` behind the clock, which stops while the guardian holds the money (from, until; zeros for
    never); nothing is owed before the first hour is complete.
    """
    held_from, held_until = hold
    clock = held_from if held_from and held_from <= now < held_until else now
    until = min(max(clock - lag, 0), stop)
    return until if until >= start + HOUR else start


def renter_fee(rate: int, hours: int, seconds: int, reason: EndReason, bps: int) -> int:
    """The renter's fee on a lease of ``hours`` in all, that earns for ``seconds`` and ends for ``reason``.

    It is charged on the whole principal; when the renter ends the lease early, on what was earned and at most
    a day more; when the supplier or a fault ends it, only on what was earned: otherwise a supplier that never
    serves could burn it.
    """
    whole, served = principal(rate, hours), earned(rate, seconds)
    if reason in (EndReason.SUPPLIER, EndReason.FAULT):
        return fee(served, bps)
    return fee(min(whole, served + earned(rate, MIN_TAIL)) if reason == EndReason.RENTER else whole, bps)


def cancel_fee(hourly: int, places: int, bps: int, free: int) -> int:
    """The fee for places that a renter gives up early: on an hour of each, at most what is ``free``."""
    return min(fee(hourly * places, bps), free)


def turn_opens(tick: int, operator: int, operators: int) -> int:
    """When an operator, by its number of all, may match a tick: from here until the tick's end."""
    return tick * TICK + FIRST + (operator - tick) % operators * TURN


def tick_ends(tick: int) -> int:
    """The last second in which a tick can be matched."""
    return tick * TICK + REACH


def tick_to_match(operator: int, operators: int, created_at: int, now: int) -> int | None:
    """The newest tick that an operator may match at ``now`` for an order, None when it has no turn."""
    ticks = range(now // TICK, (now - REACH - 1) // TICK, -1)
    turns = (t for t in ticks if created_at < t * TICK and turn_opens(t, operator, operators) <= now)
    return next(turns, None)


def payment(total: int, paid: int, fee_bps: int, renter_fee: int) -> Payment:
    """What is due when a lease has earned ``total``, of which ``paid`` was paid, and ``renter_fee`` is new.

    The supplier's fee is the one on everything so far, rounded up, less what was charged before: however
    often a lease is settled, the sums are the same.
    """
    charge = fee(total, fee_bps) - fee(paid, fee_bps)
    return Payment(total - paid, charge, total - paid - charge, renter_fee)

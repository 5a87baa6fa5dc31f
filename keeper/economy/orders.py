"""Orders and leases as pure functions of their terms and of time, as the program computes them.

Amounts are base units of the order's currency, times unix seconds, fees basis points.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from keeper.economy.calendar import HOUR
from keeper.resources import constants

CONSTANTS = constants("orders")
BPS = 10_000
"""Basis points in a whole."""
MAX_HOURS: int = CONSTANTS["MAX_HOURS"]
"""The most hours of a lease, extensions included."""


class Currency(IntEnum):
    """What an order is paid in."""

    IO = 0
    USDC = 1


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


class LeaseOutcome(IntEnum):
    """What a device's record counts of a lease."""

    DONE = 0
    FAILED = 1
    DISPUTED = 2


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

    It is charged on the whole principal, even when the renter ends the lease early; when the supplier or a
    fault ends it, only on what was earned: otherwise a supplier that never serves could burn it.
    """
    failed = reason in (EndReason.SUPPLIER, EndReason.FAULT)
    return fee(earned(rate, seconds) if failed else principal(rate, hours), bps)


def payment(total: int, paid: int, fee_bps: int, renter_fee: int) -> Payment:
    """What is due when a lease has earned ``total``, of which ``paid`` was paid, and ``renter_fee`` is new.

    The supplier's fee is the one on everything so far, rounded up, less what was charged before: however
    often a lease is settled, the sums are the same.
    """
    charge = fee(total, fee_bps) - fee(paid, fee_bps)
    return Payment(total - paid, charge, total - paid - charge, renter_fee)

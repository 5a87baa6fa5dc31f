"""Which devices the program takes for an order, at the network's price, and who may match them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.clients import orders
from keeper.clients.orders import Lease, Order, Terms
from keeper.clients.staking import NOBODY, Class, Device, device_address
from keeper.economy import orders as economy
from keeper.economy.orders import Currency, EndReason, LeaseStatus
from keeper.economy.staking import counted

SUPPLIERS_TICK = 0
"""The tick of a match by a device's own supplier."""


def ask(device: Device, currency: Currency) -> int:
    """The least that a device is leased for, a processor and hour, base units; 0 when it isn't for lease."""
    return device.ask_io if currency == Currency.IO else device.ask_usdc


def price(order: Order, device: Device, of_class: Class, now: int) -> int:
    """What an order would pay for a processor of this device and hour; 0 when the program would refuse it.

    It is the network's price, whatever the device asks below it. One that nobody has renewed for too long
    binds no more: then it is the ask, within the class's bounds.
    """
    return price_by(order.terms, device, of_class, now)


def price_by(terms: Terms, device: Device, of_class: Class, now: int) -> int:
    """As :func:`price`, for an order of these terms."""
    asked, found = ask(device, terms.currency), of_class.price(terms.currency, now)
    if found.is_stale:
        return asked if 0 < found.low <= asked <= min(found.high, terms.price) else 0
    return found.amount if 0 < asked <= found.amount <= terms.price else 0


def satisfies(order: Order, device: Device, classes: Mapping[int, Class], now: int) -> bool:
    """Whether the program would take this device for the order at ``now``, apart from country and money.

    The device's terms must be older than the order: nobody sets them for an order that is there already.
    """
    return (
        suits(order.terms, device, classes, now)
        and device.changed_at < order.created_at
        and order.renter not in (device.supplier, device.worker, device.payout)
        and (device.last_order, device.last_order_at) != (order.address, order.created_at)
    )


def suits(terms: Terms, device: Device, classes: Mapping[int, Class], now: int) -> bool:
    """Whether the program would take this device at ``now`` for an order of these terms, of anybody else's.

    Apart from its country.
    """
    of_class = classes.get(device.device_class)
    return (
        of_class is not None
        and of_class.is_open(now)
        and device.device_class in terms.classes
        and device.processors == terms.processors
        and device.tier >= terms.min_tier
        and price_by(terms, device, of_class, now) > 0
        and not device.terminated
        and not device.slash_pending
        and device.barred_until <= now
        and device.lease == NOBODY
        and counted(device.own, device.co, now) >= device.minimum(of_class, now)
    )


def waits_for(order: Order, now: int) -> int:
    """How many devices more must be matched at once for the first of them to run, one at least.

    More than any order has when it is too late for its gang.
    """
    if not order.is_unfilled_gang:
        return 1
    left = order.gang_until - now if order.gang_until else order.accept_window
    if left <= 0 or left < order.accept_window // 2:
        return orders.MAX_DEVICES + 1
    return max(1, order.terms.min_devices - order.taken)


# -- who matches -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turn:
    """An operator's time to match at a tick: from ``opens`` to ``closes``, both included, unix seconds."""

    tick: int
    opens: int
    closes: int


def turn(tick: int, place: int, count: int) -> Turn:
    """When an operator in its ``place`` of ``count`` can match a tick: first the one in ``tick % count``.

    Each of the others a few seconds after the one before it; nobody's turn ends when another's opens.
    """
    return Turn(tick, economy.turn_opens(tick, place, count), economy.tick_ends(tick))


def turn_for(order: Order, operators: Sequence[Pubkey], operator: Pubkey, now: int) -> Turn:
    """The turn in which an operator can match the order: the newest of now, or else its first.

    That one opens later. Whose turn comes first changes from tick to tick; it doesn't end when the next
    operator's opens.
    """
    place, count = operators.index(operator), len(operators)
    tick = economy.tick_to_match(place, count, order.created_at, now)
    if tick is None:
        tick = order.created_at // economy.TICK + 1
    return turn(tick, place, count)


def suppliers_from(order: Order) -> int | None:
    """From when on a device's own supplier can match it to the order; None for never.

    Operators alone match gangs and choose the country of an order whose devices must be together.
    """
    chooses_country = order.terms.colocated and not order.leases
    return None if order.terms.min_devices > 1 or chooses_country else order.exclusive_until


def lease_to_be(order: Order, device: Device, of_class: Class, matcher: Pubkey, now: int, tick: int) -> Lease:
    """The lease that matching ``device`` to ``order`` at ``now`` makes; ``tick`` is 0 for its supplier."""
    rate = price(order, device, of_class, now) * device.processors
    accept_until = now + order.accept_window
    if tick == SUPPLIERS_TICK:
        accept_until = now + 1
    elif order.is_unfilled_gang:
        accept_until = order.gang_until or accept_until
    return Lease(
        status=LeaseStatus.MATCHED,
        reason=EndReason.NONE,
        hours=order.terms.hours,
        rate=rate,
        matched_at=now,
        accept_until=accept_until,
        accepted_at=0,
        start=0,
        stop=0,
        ended_at=0,
        held=economy.cost(rate, order.terms.hours, order.renter_fee_bps),
        paid=0,
        hold_from=0,
        hold_until=0,
        number=device.leases + 1,
        registered_at=device.registered_at,
        order=order.address,
        device=device_address(device.worker),
        supplier=device.supplier,
        worker=device.worker,
        payout=device.payout,
        payer=matcher,
        fees=0,
        renter_fee_bps=order.renter_fee_bps,
    )

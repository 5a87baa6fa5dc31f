"""Which devices an order gets: the cheapest that satisfy it, by a rule that anybody can repeat."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import groupby

from solders.pubkey import Pubkey

from keeper.clients import orders
from keeper.clients.orders import Lease, Order
from keeper.clients.staking import NOBODY, Class, Device, device_address
from keeper.economy.orders import Currency, EndReason, LeaseStatus
from keeper.economy.staking import counted


def ask(device: Device, currency: Currency) -> int:
    """What a device asks for a processor and hour, base units; 0 when it isn't for lease in the currency."""
    return device.ask_io if currency == Currency.IO else device.ask_usdc


def satisfies(order: Order, device: Device, classes: Mapping[int, Class], now: int) -> bool:
    """Whether the program would take this device for the order at ``now``, apart from its country."""
    terms = order.terms
    of_class = classes.get(device.device_class)
    return (
        of_class is not None
        and device.device_class in terms.classes
        and device.processors == terms.processors
        and device.tier >= terms.min_tier
        and 0 < ask(device, terms.currency) <= terms.price
        and order.renter not in (device.supplier, device.worker, device.payout)
        and not device.terminated
        and not device.slash_pending
        and device.lease == NOBODY
        and counted(device.own, device.co, now) >= device.minimum(of_class, now)
    )


def choose(
    order: Order,
    devices: Mapping[Pubkey, Device],
    classes: Mapping[int, Class],
    now: int,
    leases: Collection[Pubkey] = (),
) -> list[Pubkey]:
    """The devices to match to an order at ``now``, for all of its open places or as many as there are.

    The cheapest come first; among equals the one with fewer failed leases, then more done, then by address.
    ``leases`` are the addresses of existing leases: a device has one for an order until it is closed. A
    colocated order gets the country that has most of the devices wanted; among equals the one that is
    cheapest in all, then the first by the alphabet.
    """
    if not order.takes_devices(now):
        return []
    found = [
        (ask(device, order.terms.currency), device.leases_failed, -device.leases_done, bytes(address))
        for address, device in devices.items()
        if satisfies(order, device, classes, now)
        and _allowed(order, device.country)
        and orders.lease_address(order.address, address) not in leases
    ]
    found.sort()
    if order.terms.colocated:

        def country(row: tuple[int, int, int, bytes]) -> str:
            return devices[Pubkey(row[3])].country

        by_country = groupby(sorted(found, key=country), key=country)
        options = [(name, list(rows)[: order.open]) for name, rows in by_country]
        options.sort(key=lambda option: (-len(option[1]), sum(row[0] for row in option[1]), option[0]))
        found = options[0][1] if options else []
    return [Pubkey(address) for *_, address in found[: order.open]]


def lease_to_be(order: Order, device: Device, matcher: Pubkey, now: int) -> Lease:
    """The lease that matching ``device`` to ``order`` at ``now`` makes."""
    return Lease(
        status=LeaseStatus.MATCHED,
        reason=EndReason.NONE,
        hours=order.terms.hours,
        rate=ask(device, order.terms.currency) * order.terms.processors,
        matched_at=now,
        accept_until=now + order.accept_window,
        start=0,
        stop=0,
        ended_at=0,
        held=order.place,
        paid=0,
        hold_from=0,
        hold_until=0,
        order=order.address,
        device=device_address(device.worker),
        supplier=device.supplier,
        worker=device.worker,
        payout=device.payout,
        payer=matcher,
        fees=0,
        renter_fee_bps=order.renter_fee_bps,
    )


def _allowed(order: Order, country: str) -> bool:
    """Whether a device in ``country`` may join the order as it is now."""
    terms = order.terms
    if terms.countries and country not in terms.countries:
        return False
    return not (terms.colocated and order.leases) or order.country == country.encode()

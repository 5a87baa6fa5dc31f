"""Who takes part in a tick: its snapshot, from the accounts as they were at its slot.

What the program would refuse anyway takes no part: it would only keep a device from somebody else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from solders.pubkey import Pubkey

from keeper.clients.orders import Lease, Order
from keeper.clients.staking import NOBODY, Class, Device
from keeper.economy import orders as economy
from keeper.economy.orders import FIRST, TICK, Currency, LeaseStatus
from keeper.economy.staking import counted
from keeper.market.matching import waits_for
from keeper.market.snapshot import DEVICE, LISTED, ORDER, PAIR, PRICE, Out, Snapshot, reaches_a_price
from keeper.tables import NOTHING, Rows, addresses


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of staking and orders at a slot, by address.

    ``earned_until`` is when a device's last lease ended that had earned an hour at least, unix seconds.
    """

    devices: Mapping[Pubkey, Device]
    classes: Mapping[int, Class]
    orders: Mapping[Pubkey, Order]
    leases: Mapping[Pubkey, Lease]
    earned_until: Mapping[Pubkey, int]


@dataclass(frozen=True, slots=True)
class State:
    """The accounts at a slot, and what operators knew of devices by then.

    ``weights`` are those of all devices' idle time (basis points), ``unproven`` the devices that would have
    had to pass a proof of work and didn't, by the newest hour that operators agree on;
    ``profiled`` are the classes for which there is such a proof.
    """

    accounts: Accounts
    weights: Mapping[Pubkey, int]
    unproven: Collection[Pubkey]
    profiled: Collection[int] = ()


def snapshot(tick: int, slot: int, blockhash: bytes, state: State) -> Snapshot:
    """The rows of a tick, from the state at its slot, the first whose clock shows the tick's time."""
    now, accounts = tick * TICK, state.accounts
    devices, prices = _device_rows(state, now), _price_rows(accounts.classes, now + FIRST)
    found = [_order_row(address, each, now) for address, each in accounts.orders.items()]
    orders = np.array(sorted(filter(None, found)), ORDER)
    orders = orders[reaches_a_price(orders, prices)]
    there = set(addresses(devices["device"][devices["out"] == 0]))
    return Snapshot(
        tick,
        slot,
        blockhash,
        devices,
        orders,
        prices,
        _pairs(accounts, set(addresses(orders["order"].copy())), there),
        tuple(sorted(accounts.classes.keys() & set(state.profiled))),
    )


def reasons(device: Device, address: Pubkey, state: State, now: int) -> Out:
    """Why a device takes no part at ``now``; nothing where it does."""
    accounts = state.accounts
    of_class = accounts.classes[device.device_class]
    found = Out(0)
    if device.lease != NOBODY:
        found |= Out.HIRED if hired_until(device, accounts, now) else Out.LEASED
    for reason, holds in (
        (Out.TERMINATED, device.terminated),
        (Out.SLASH_PENDING, device.slash_pending),
        (Out.INSUFFICIENT_STAKE, counted(device.own, device.co, now) < device.minimum(of_class, now)),
        (Out.BARRED, device.barred_until > now),
        (Out.NOT_LET, device.ask_io == device.ask_usdc == 0),
        (Out.WORK, address in state.unproven),
        (Out.CLASS_CLOSED, not of_class.is_open(now)),
    ):
        if holds:
            found |= reason
    return found


def hired_until(device: Device, accounts: Accounts, now: int) -> int:
    """When the lease ends that a device serves at ``now``, unix seconds; 0 where none runs."""
    if device.lease == NOBODY:
        return 0
    lease = accounts.leases[device.lease]
    lease = lease.begun(accounts.orders[lease.order])
    return lease.stop if lease.status == LeaseStatus.RUNNING and now < lease.stop else 0


def idle_since(device: Device, earned_until: int, now: int) -> int:
    """Since when a device waits: the last lease that earned an hour ended, or a bar, or its stake suffices.

    A match that came to nothing moves nobody back. That changed terms do is the sequence's own business.
    """
    barred_until = device.barred_until if device.barred_until <= now else 0
    return max(earned_until, barred_until, device.sufficient_since)


def _device_rows(state: State, now: int) -> Rows:
    found = [
        (
            bytes(address),
            each.device_class,
            each.processors,
            each.tier,
            each.country.encode(),
            each.ask_io,
            each.ask_usdc,
            each.changed_at,
            idle_since(each, state.accounts.earned_until.get(address, 0), now),
            state.weights[address],
            int(reasons(each, address, state, now)),
            hired_until(each, state.accounts, now),
            bytes(each.supplier),
            bytes(each.worker),
            bytes(each.payout),
        )
        for address, each in state.accounts.devices.items()
    ]
    return np.array(sorted(found), DEVICE)


def _order_row(address: Pubkey, order: Order, now: int) -> tuple[object, ...] | None:
    """An order's row; None where it takes no part."""
    first = now + FIRST
    if not order.created_at < now or not order.takes_devices(first):
        return None
    minimum = waits_for(order, first)
    if minimum > order.open:
        return None
    terms, places = order.terms, order.open
    money = economy.payable(order.free, places, terms.processors, terms.hours, order.renter_fee_bps)
    classes = [*terms.classes, *[NOTHING] * (LISTED - len(terms.classes))]
    countries = [*(each.encode() for each in terms.countries), *[b""] * (LISTED - len(terms.countries))]
    bound = order.country if terms.colocated and order.leases else b""
    return (
        bytes(address),
        order.created_at,
        order.match_until,
        terms.urgency,
        terms.currency,
        classes,
        terms.processors,
        terms.min_tier,
        countries,
        places,
        minimum,
        terms.colocated,
        bound,
        min(terms.price, money),
        bytes(order.renter),
    )


def _price_rows(classes: Mapping[int, Class], at: int) -> Rows:
    found = []
    for number, each in sorted(classes.items()):
        prices = [each.price(currency, at) for currency in Currency]
        is_open = each.is_open(at)
        found.append((number, *(0 if price.is_stale or not is_open else price.amount for price in prices)))
    return np.array(found, PRICE)


def _pairs(accounts: Accounts, orders: Collection[Pubkey], devices: Collection[Pubkey]) -> Rows:
    """Which devices of those that take part the program would refuse for which order."""
    last = {
        (each.last_order, address)
        for address, each in accounts.devices.items()
        if each.last_order in orders and accounts.orders[each.last_order].created_at == each.last_order_at
    }
    leases = {(each.order, each.device) for each in accounts.leases.values()}
    found = [(bytes(a), bytes(b)) for a, b in leases | last if a in orders and b in devices]
    return np.array(sorted(found), PAIR)

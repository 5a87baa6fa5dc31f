"""What an event of an order must say, by the accounts before it and the rules of money: docs/orders.md.

Every amount, time and count of orders and leases is computed here from prices, terms, parameters and the time
of the transaction, by the formulas of :mod:`keeper.economy.orders`, which tests hold to tests/model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from solders.pubkey import Pubkey

from keeper.audit.decoded import Happened
from keeper.chain.program import Fields
from keeper.clients import orders, staking
from keeper.clients.orders import Config, Lease, Order, Terms
from keeper.economy import orders as economy
from keeper.economy.calendar import HOUR
from keeper.economy.orders import CloseReason, Currency, EndReason, LeaseStatus, OrderStatus
from keeper.indexer.book import Book
from keeper.market.matching import SUPPLIERS_TICK, ask

Books = Mapping[str, Book]
Right = dict[str, Any]


class Asked:
    """An event with the instruction that sent it, and the accounts of orders and staking before it."""

    def __init__(self, books: Books, happened: Happened) -> None:
        """Raises LookupError where the instruction isn't known, UnexpectedData where it isn't one's."""
        self.event: Fields = happened.event.fields
        self.now = happened.executed.record.time
        self._orders, self._staking = books["orders"], books["staking"]
        asked = happened.asked()
        if asked is None:
            raise LookupError("the instruction isn't known")
        self.instruction, self.arguments, self.accounts = asked

    def order(self, name: str = "cluster_id") -> Order:
        """The order that the event names."""
        return orders.order_of(self._orders.get("Order", self.event[name]))

    def lease(self, address: Pubkey | None = None) -> Lease:
        """The lease that the event names, or at an address; one of a filled gang as it runs since then."""
        found = orders.lease_of(self._orders.get("Lease", address or self.event["lease"]))
        return found.begun(orders.order_of(self._orders.get("Order", found.order)))

    @property
    def config(self) -> Config:
        """Orders' own."""
        return orders.config_of(self._orders.get("Config", orders.CONFIG))

    def device(self) -> staking.Device:
        """The device that the event names."""
        return staking.device_of(self._staking.get("Device", self.event["device"]))

    def of_class(self, number: int) -> staking.Class:
        """A class, with its prices."""
        return staking.class_of(self._staking.get("Class", staking.class_address(number)))

    def operators(self) -> staking.Config:
        """Staking's config, which names the operators."""
        return staking.config_of(self._staking.get("Config", staking.CONFIG))

    def parked(self, address: Pubkey) -> Fields:
        """A record of money that waits."""
        return self._orders.get("Parked", address)

    def fault(self, address: Pubkey) -> Fields | None:
        """The votes on a lease, None before the first."""
        return self._orders.of_kind("Fault").get(address)


def _booked(of: Asked) -> Right:
    terms, params = Terms.of(of.event["terms"]), of.config.params
    cost = terms.deposit(params)
    return {
        "currency": int(terms.currency),
        "hardware_type": of.of_class(terms.classes[0]).kind,
        "hardware_quantity": terms.devices * terms.processors,
        "total_cost": cost,
        "compute_minutes_hired": terms.devices * terms.hours * 60,
        "compute_minutes_worked": 0,
        "worked_amount": 0,
        "paid": cost,
        "exclusive_until": of.now + params.exclusive,
        "match_until": of.now + params.match_window,
        "accept_window": params.accept_window,
        "settlement_lag": params.settlement_lag,
        "renter_fee_bps": params.renter_bps(terms.currency, terms.urgency),
        "supplier_fee_bps": params.supplier_fee_bps,
    }


def _paid_in(of: Asked) -> Right:
    if of.instruction == "create_order":
        order = of.order()
        return {"amount": order.place * order.terms.devices}
    lease, hours = of.lease(of.accounts["lease"]), of.arguments["hours"]
    # The hours are its own already: the event that says so comes first.
    return {"amount": replace(lease, hours=lease.hours - hours).extension(hours)}


def _matched(of: Asked) -> Right:
    order, device, event = of.order("order"), of.device(), of.event
    price = of.of_class(device.device_class).price(Currency(order.terms.currency), of.now)
    rate = (ask(device, order.terms.currency) if price.is_stale else price.amount) * order.terms.processors
    window = order.accept_window if event["tick"] != SUPPLIERS_TICK else 1
    gathers = order.is_unfilled_gang and order.gang_until
    return {
        "rate": rate,
        "hours": order.terms.hours,
        "held": economy.cost(rate, order.terms.hours, order.renter_fee_bps),
        "accept_until": order.gang_until if gathers else of.now + window,
        # Staking counts it first, in the same instruction.
        "number": device.leases,
    }


def _accepted(of: Asked) -> Right:
    order, lease = of.order("order"), of.lease()
    filled = order.filled_at or (of.now if order.served + 1 >= order.terms.min_devices else 0)
    return {
        "filled_at": filled,
        "start": of.now if filled else 0,
        "stop": of.now + lease.hours * HOUR if filled else 0,
    }


def _started(of: Asked) -> Right:
    lease = of.lease()
    return {"start": lease.start, "stop": lease.stop}


def _extended(of: Asked) -> Right:
    lease, hours = of.lease(), of.arguments["hours"]
    return {
        "extended_minutes": hours * 60,
        "extended_amount": lease.rate * hours,
        "stop": lease.stop + hours * HOUR,
    }


def _worked(of: Asked) -> Right:
    lease, order = of.lease(), of.order()
    due, until = lease.due(order, of.now), lease.due_until(order, of.now)
    return {
        "amount": due.amount,
        "fee": due.fee,
        "renter_fee": due.renter_fee,
        "until": until,
        "compute_minutes": (until - lease.start) // 60,
    }


def _refunded(of: Asked) -> Right:
    return {"amount": of.order().refundable(of.now)}


def _due(of: Asked) -> Right:
    return {"amount": of.order().fees_due}


def _cancelled(of: Asked) -> Right:
    order = of.order("order")
    if of.instruction == "end_lease":
        # The renter withdraws a device of a gang: what was held for it is free again.
        order = replace(order, free=order.free + of.lease(of.accounts["lease"]).held)
    return {"open": order.open, "charged": order.cancel_fee(of.now)}


def _order_closed(of: Asked) -> Right:
    order = of.order("order")
    unserved = CloseReason.CANCELLED if order.status == OrderStatus.CANCELLED else CloseReason.UNSERVED
    sums = {name: getattr(order, name) for name in ("deposit", "paid", "fees", "refunded")}
    return {"reason": int(CloseReason.SERVED if order.served else unserved), **sums}


def _ended(of: Asked) -> Right:
    """How a lease ended, by whoever ended it, and whose the money is then."""
    lease, order = of.lease(), of.order("order")
    before, ran = lease.held, lease.status != LeaseStatus.ENDED
    waits = lease.status in (LeaseStatus.MATCHED, LeaseStatus.ACCEPTED)
    if of.instruction == "vote_fault":
        reason, stop = EndReason.FAULT, lease.start + of.arguments["good_hours"] * HOUR
    else:
        reason, stop = _reason(of, lease, order, waits)
    if not waits:
        stop = min(max(stop, lease.due_until(order, of.now)), lease.stop)
        lease = replace(lease, stop=stop, reason=int(reason))
        held = economy.earned(lease.rate, stop - lease.start) - lease.paid + lease.renter_fee - lease.fees
    else:
        stop = held = 0
    released = before - held
    unwanted = reason is EndReason.UNFILLED and order.status == OrderStatus.CANCELLED
    charged = 0
    if reason is EndReason.WITHDRAWN or unwanted:
        charged = economy.cancel_fee(order.hourly, 1, order.renter_fee_bps, order.free + released)
    places, until = (
        _places(order, reason, stop == lease.start, of.now) if ran else (order.open, order.match_until)
    )
    return {
        "reason": int(reason),
        "stop": stop,
        "held": held,
        "released": released,
        "charged": charged,
        "open": places,
        "match_until": until,
    }


def _reason(of: Asked, lease: Lease, order: Order, waits: bool) -> tuple[EndReason, int]:
    """Why a lease ends that somebody ends, and until when it is served, whatever is due already."""
    over = of.now >= (lease.accept_until if waits else lease.stop)
    by_renter = of.accounts["caller"] == order.renter
    if waits:
        if by_renter and not over:
            return EndReason.WITHDRAWN, 0
        if order.is_stranded(of.now) or (over and lease.status == LeaseStatus.ACCEPTED):
            return EndReason.UNFILLED, 0
        return (EndReason.LAPSED if over else EndReason.DECLINED), 0
    if over:
        return EndReason.COMPLETED, lease.stop
    served = of.now - lease.start
    if by_renter:
        return EndReason.RENTER, lease.start + max(served, HOUR)
    return EndReason.SUPPLIER, lease.start + served // HOUR * HOUR


def _places(order: Order, reason: EndReason, served_nothing: bool, now: int) -> tuple[int, int]:
    """An order's open places and until when they are matched, once a lease has ended that waited or ran."""
    if (
        not served_nothing
        or reason in (EndReason.WITHDRAWN, EndReason.RENTER)
        or order.status != OrderStatus.OPEN
    ):
        return order.open, order.match_until
    places = order.open if now < order.match_until else 0
    # The place that is open again is one that isn't taken any more.
    if order.is_unfilled_gang and places + order.taken < order.terms.min_devices:
        return places, order.match_until
    return places + 1, max(order.match_until, now + order.match_window)


def _held_back(of: Asked) -> Right:
    return {"from": of.lease().hold_from or of.now}


def _fault_voted(of: Asked) -> Right:
    """Who has voted the same, of those whose votes count, with this one."""
    config, event = of.operators(), of.event
    fault = of.fault(orders.fault_address(event["lease"], event["evidence"], event["good_hours"]))
    votes = 0
    if fault and (fault["number"], fault["registered_at"]) == (event["number"], event["registered_at"]):
        slots = range(len(config.params.operators))
        votes = sum(
            1 << slot
            for slot in slots
            if fault["votes"] >> slot & 1 and config.stands(slot, fault["revision"])
        )
    votes |= 1 << config.params.operators.index(event["operator"])
    return {
        "revision": config.revision,
        "votes": votes,
        "decided": votes.bit_count() >= config.params.threshold,
    }


def _parked_paid(of: Asked) -> Right:
    record = of.parked(of.event["record"])
    return {name: record[name] for name in ("wallet", "mint", "destination", "amount")}


RULES: Mapping[str, Callable[[Asked], Right]] = {
    "BookProduct": _booked,
    "Pay": _paid_in,
    "LeaseMatched": _matched,
    "LeaseAccepted": _accepted,
    "LeaseStarted": _started,
    "Extend": _extended,
    "Worked": _worked,
    "Refund": _refunded,
    "Earn": _due,
    "FeesParked": _due,
    "OrderCancelled": _cancelled,
    "OrderClosed": _order_closed,
    "LeaseEnded": _ended,
    "LeaseHeld": _held_back,
    "FaultVoted": _fault_voted,
    "ParkedPaid": _parked_paid,
}
"""By event."""

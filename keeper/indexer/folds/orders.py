"""What orders' events do to its accounts: an order's money, its leases, the votes on them, parked money."""

from __future__ import annotations

from collections.abc import Mapping

from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.program import Fields
from keeper.clients import orders as client
from keeper.clients import staking
from keeper.clients.orders import PROGRAM
from keeper.economy import orders as economy
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency, EndReason, LeaseStatus, OrderStatus
from keeper.indexer.book import Book, Fold
from keeper.indexer.folds.roles import param_folds, role_folds

U16_MAX = 2**16 - 1


def _config(book: Book) -> Fields:
    return book.change("Config", client.CONFIG)


def _order(book: Book, event: Fields) -> Fields:
    return book.change("Order", event["order"])


def _cluster(book: Book, event: Fields) -> Fields:
    """The order, which some events call a cluster, as the network does."""
    return book.change("Order", event["cluster_id"])


def _lease(book: Book, event: Fields) -> Fields:
    return book.change("Lease", event["lease"])


# -- config --------------------------------------------------------------------------------------


def initialized(book: Book, event: Fields, at: int) -> None:
    """The config exists."""
    address, bump = PROGRAM.pda_and_bump("settle", "config")
    book.create("Config", address, bump, staking_config=staking.CONFIG, **event)


def pause_set(book: Book, event: Fields, at: int) -> None:
    """The guardian paused something; until when an earlier pause stopped matching is kept."""
    config = _config(book)
    if config["pause_mask"] & client.PAUSE_MATCHING:
        stopped_until = min(config["pause_until"], at)
        config["matching_stopped_until"] = max(config["matching_stopped_until"], stopped_until)
    config.update(pause_mask=event["mask"], pause_until=event["until"])


# -- an order ------------------------------------------------------------------------------------


def booked(book: Book, event: Fields, at: int) -> None:
    """An order is open; its money comes in with a Pay of its own."""
    renter, number = event["customer_id"], event["id"]
    address, bump = PROGRAM.pda_and_bump("create_order", "order", renter=renter, id=number)
    kept = ("id", "exclusive_until", "match_until", "accept_window", "settlement_lag")
    fees = ("renter_fee_bps", "supplier_fee_bps")
    book.create(
        "Order",
        address,
        bump,
        open=event["terms"]["devices"],
        created_at=event["at"],
        match_window=event["match_until"] - event["at"],
        renter=renter,
        vault=client.vault_address(address),
        terms=event["terms"],
        **{name: event[name] for name in kept + fees},
    )


def paid_in(book: Book, event: Fields, at: int) -> None:
    """Money came in from the renter."""
    order = _numbered(book, event)
    order["deposit"] += event["amount"]
    order["free"] += event["amount"]


def refunded(book: Book, event: Fields, at: int) -> None:
    """Free money went back to the renter."""
    order = _numbered(book, event)
    order["free"] -= event["amount"]
    order["refunded"] += event["amount"]


def earned(book: Book, event: Fields, at: int) -> None:
    """Fees that were due went out."""
    _numbered(book, event)["fees_due"] -= event["amount"]


def cancelled(book: Book, event: Fields, at: int) -> None:
    """The renter wants no more devices; before the end of the matching that costs a fee."""
    order = _order(book, event)
    order.update(open=0, status=int(OrderStatus.CANCELLED))
    _charge(order, "free", event["charged"])


def order_closed(book: Book, event: Fields, at: int) -> None:
    """The order's account is gone."""
    book.close("Order", event["order"])


# -- a lease -------------------------------------------------------------------------------------


def matched(book: Book, event: Fields, at: int) -> None:
    """A device is set apart, and the money for it; a gang's first match says until when it must be filled."""
    order = _order(book, event)
    order["open"] -= 1
    order["taken"] += 1
    order["leases"] += 1
    _move(order, "free", "held", event["held"])
    if order["terms"]["min_devices"] > 1 and not order["filled_at"]:
        order["gang_until"] = event["accept_until"]
    if order["terms"]["colocated"]:
        order["country"] = event["country"]
    seeds = {name: event[name] for name in ("order", "device")}
    address, bump = PROGRAM.pda_and_bump("match_device", "lease", **seeds)
    kept = ("supplier", "worker", "payout", "rate", "hours", "held", "accept_until", "number")
    book.create(
        "Lease",
        address,
        bump,
        matched_at=at,
        registered_at=event["registered_at"],
        payer=event["matcher"],
        renter_fee_bps=order["renter_fee_bps"],
        **seeds,
        **{name: event[name] for name in kept},
    )


def accepted(book: Book, event: Fields, at: int) -> None:
    """The hours begin, or wait for the others of a gang."""
    order, lease = _order(book, event), _lease(book, event)
    order["served"] = min(order["served"] + 1, U16_MAX)
    order["filled_at"] = event["filled_at"]
    config = book.get("Config", client.CONFIG)
    mint = config["io_mint" if order["terms"]["currency"] == Currency.IO else "usdc_mint"]
    lease.update(
        status=int(LeaseStatus.RUNNING if event["start"] else LeaseStatus.ACCEPTED),
        payout_tokens=associated_token_address(lease["payout"], mint),
        **{name: event[name] for name in ("accepted_at", "start", "stop")},
    )


def started(book: Book, event: Fields, at: int) -> None:
    """A gang was filled, and this lease of it runs since then."""
    times = {name: event[name] for name in ("start", "stop")}
    _lease(book, event).update(status=int(LeaseStatus.RUNNING), **times)


def extended(book: Book, event: Fields, at: int) -> None:
    """Hours were added; the Pay that brings the money follows."""
    order, lease = _cluster(book, event), _lease(book, event)
    before = _cost(lease)
    lease["hours"] += event["extended_minutes"] * 60 // HOUR
    lease["stop"] = event["stop"]
    more = _cost(lease) - before
    lease["held"] += more
    _move(order, "free", "held", more)


def worked(book: Book, event: Fields, at: int) -> None:
    """Time served was paid for, and both fees on it are due."""
    order, lease = _numbered(book, event), _lease(book, event)
    _move(order, "held", "paid", event["amount"] - event["fee"])
    _charge(order, "held", event["fee"] + event["renter_fee"])
    lease["held"] -= event["amount"] + event["renter_fee"]
    lease["paid"] = event["paid"]
    lease["fees"] += event["renter_fee"]


def ended(book: Book, event: Fields, at: int) -> None:
    """Nothing more is earned; a fault after an end may take time back."""
    order, lease = _order(book, event), _lease(book, event)
    if lease["status"] == LeaseStatus.ACCEPTED:
        order["served"] -= 1
    late = event["reason"] in (EndReason.LAPSED, EndReason.UNFILLED)
    kept = late and order["status"] == OrderStatus.CANCELLED
    if lease["status"] != LeaseStatus.ENDED and event["stop"] == lease["start"] and not kept:
        order["taken"] -= 1
    _move(order, "held", "free", event["released"])
    _charge(order, "free", event["charged"])
    order.update({name: event[name] for name in ("open", "match_until")})
    lease.update(
        status=int(LeaseStatus.ENDED),
        ended_at=lease["ended_at"] or at,
        **{name: event[name] for name in ("reason", "stop", "held")},
    )


def held_back(book: Book, event: Fields, at: int) -> None:
    """The guardian holds a lease's unpaid money back."""
    _lease(book, event).update(hold_from=event["from"], hold_until=event["until"])


def lease_closed(book: Book, event: Fields, at: int) -> None:
    """A lease's account is gone; with the last of a gang that wasn't filled, it can be tried again."""
    order = _order(book, event)
    order["leases"] -= 1
    if not order["leases"] and not order["filled_at"]:
        order["gang_until"] = 0
    book.close("Lease", event["lease"])


# -- faults --------------------------------------------------------------------------------------


def fault_voted(book: Book, event: Fields, at: int) -> None:
    """An operator voted that a lease was not served; with enough votes it ends by an event of its own."""
    seeds = {name: event[name] for name in ("lease", "evidence", "good_hours")}
    address, bump = PROGRAM.pda_and_bump("vote_fault", "fault", **seeds)
    if address not in book.of_kind("Fault"):
        book.create("Fault", address, bump, payer=event["operator"], **seeds)
    fault = book.change("Fault", address)
    kept = ("number", "registered_at", "revision", "votes", "decided")
    fault.update({name: event[name] for name in kept})


def fault_closed(book: Book, event: Fields, at: int) -> None:
    """A fault's account is gone."""
    book.close("Fault", client.fault_address(event["lease"], event["evidence"], event["good_hours"]))


# -- parked money --------------------------------------------------------------------------------


def fees_parked(book: Book, event: Fields, at: int) -> None:
    """Fees that were due wait for the fee vault."""
    _numbered(book, event)["fees_due"] -= event["amount"]
    _park(book, event, event["destination"])


def pay_parked(book: Book, event: Fields, at: int) -> None:
    """What a supplier was paid waits for its payee."""
    _park(book, event, event["wallet"])


def parked_paid(book: Book, event: Fields, at: int) -> None:
    """A payee got what was parked; the record is gone."""
    book.close("Parked", event["record"])


FOLDS: Mapping[str, Fold] = {
    **role_folds(client.CONFIG),
    **param_folds(client.CONFIG),
    "Initialized": initialized,
    "PauseSet": pause_set,
    "BookProduct": booked,
    "Pay": paid_in,
    "Extend": extended,
    "Worked": worked,
    "Refund": refunded,
    "Earn": earned,
    "OrderCancelled": cancelled,
    "OrderClosed": order_closed,
    "LeaseMatched": matched,
    "LeaseAccepted": accepted,
    "LeaseStarted": started,
    "LeaseEnded": ended,
    "LeaseHeld": held_back,
    "FaultVoted": fault_voted,
    "LeaseClosed": lease_closed,
    "FaultClosed": fault_closed,
    "FeesParked": fees_parked,
    "PayParked": pay_parked,
    "ParkedPaid": parked_paid,
}


# -- the program's own steps ---------------------------------------------------------------------


def _move(order: Fields, source: str, to: str, amount: int) -> None:
    order[source] -= amount
    order[to] += amount


def _charge(order: Fields, source: str, amount: int) -> None:
    """The network's, and due to it."""
    _move(order, source, "fees", amount)
    order["fees_due"] += amount


def _park(book: Book, event: Fields, wallet: Pubkey) -> None:
    """Money for ``wallet`` comes to its record, which the first creates."""
    address, bump = PROGRAM.pda_and_bump("park_fees", "record", destination=event["destination"])
    if address not in book.of_kind("Parked"):
        kept = {name: event[name] for name in ("mint", "destination", "payer")}
        book.create("Parked", address, bump, wallet=wallet, **kept)
    book.change("Parked", address)["amount"] += event["amount"]


def _cost(lease: Fields) -> int:
    """What a lease's hours cost the renter, with the fee."""
    return economy.cost(lease["rate"], lease["hours"], lease["renter_fee_bps"])


def _numbered(book: Book, event: Fields) -> Fields:
    """The order of a movement of money, which has a number."""
    order = _cluster(book, event)
    order["transactions"] = event["transaction_id"] + 1
    return order

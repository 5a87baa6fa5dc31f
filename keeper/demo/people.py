"""Two people of the demo by name, and all that happened to them: a supplier and a renter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.demo.airdrop import person
from keeper.demo.fleet import Machine
from keeper.demo.orders import Market
from keeper.demo.orders_books import BookedLease
from keeper.demo.sheet import Picture, Section, Sheet
from keeper.demo.staking import Stakers
from keeper.demo.words import REASONS, begin_of, hours_axis, time
from keeper.economy.calendar import HOUR
from keeper.economy.money import show
from keeper.economy.orders import ENDED, Currency, EndReason
from keeper.economy.supply import BPS, IO, io
from keeper.rewards.rule import DeviceStatus, Reason
from keeper.tables import Rows, keys
from keeper.web import figures

SUPPLIER, RENTER = 39, 2
"""Their numbers."""
LENA, OMAR = "Lena", "Omar"
CHECK = (
    "stake show --chain OUT/mid.chain --keypair OUT/keys/supplier.json",
    "device list --chain OUT/mid.chain",
)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to an order, and what its renter got, base units; below 0 for what was paid."""

    at: int
    what: str
    amount: int = 0


def machines_of(stakers: Stakers) -> list[Machine]:
    """The supplier's devices."""
    return [each for each in stakers.fleet.machines if each.supplier == person(f"supplier {SUPPLIER}")]


def supplier(stakers: Stakers, market: Market, results: Sequence[Rows]) -> Section:
    """What a supplier put in, what each of her devices did in each hour, and what came of it."""
    mine = machines_of(stakers)
    kinds = " and ".join(
        f"a device with {each.processors} x {each.kind.name} ({each.country})" for each in mine
    )
    staked, lent = sum(each.own for each in mine), sum(each.co_amount for each in mine)
    share = next(each.reward_bps for each in mine if each.co_staker)
    about = (
        f"{LENA} has {kinds}. She has staked {io(staked, 0)} IO on them, and a co-staker {io(lent, 0)} "
        f"more, for {share / BPS:.0%} of what that device earns. Hour by hour this happened; what is alike "
        "is in one line."
    )
    leases = [each for each in market.books.leases if each.device in {one.address for one in mine}]
    parts: list[Sheet | str] = [
        *(_hours_of(each, results) for each in mine),
        _rents(market, leases),
        _account(stakers, market, mine),
    ]
    return Section("supplier", f"{LENA}, a supplier", about, parts, [_earned(mine, results)], CHECK)


def _hours_of(machine: Machine, results: Sequence[Rows]) -> Sheet:
    """A device's hours, those that were alike in one row."""
    title = (
        f"Her {machine.kind.name}: rewards, before the co-staker's share"
        if machine.co_staker
        else (f"Her {machine.kind.name}: rewards")
    )
    table = Sheet(title, ("hours", "from, UTC", "what happened", "IO"), left=(0, 1, 2))
    rows = list(enumerate(_row(machine, hour) for hour in results))
    for what, group in groupby(rows, key=lambda each: _what(each[1])):
        hours = list(group)
        first, last = hours[0][0], hours[-1][0]
        numbers = str(first) if first == last else f"{first} to {last}"
        table.add_row(numbers, begin_of(first), what, io(sum(int(row["reward"]) for _, row in hours), 4))
    return table


def _row(machine: Machine, hour: Rows) -> np.void:
    found: np.void = hour[hour["device"] == keys([machine.address])[0]][0]
    return found


def _what(row: np.void) -> str:
    if row["status"] == DeviceStatus.SUCCEEDED:
        return "up, and proved its work"
    return "; ".join(REASONS[each] for each in Reason if row["reasons"] & each.value)


def _rents(market: Market, leases: Iterable[BookedLease]) -> Sheet:
    """Each of a supplier's leases."""
    table = Sheet(
        "Her devices, rented", ("from, UTC", "hours", "how it ended", "she got", ""), left=(0, 2, 4)
    )
    for each in leases:
        currency, began = market.books.orders[each.order].currency, each.start or each.matched_at
        hours = (each.stop - each.start) / HOUR if each.start else 0
        amount = show(each.net, currency)
        table.add_row(time(began), f"{hours:,.2f}", ENDED[each.reason], amount, currency.name)
    return table


def _account(stakers: Stakers, market: Market, mine: Sequence[Machine]) -> Sheet:
    """Her IO, from the first base unit to the last: it is what her wallet has in the end."""
    wallet = mine[0].supplier.pubkey()
    staked = sum(each.own for each in mine)
    claimed, rented = stakers.claimed[wallet], market.books.earned[wallet, Currency.IO]
    had = staked + claimed + rented
    stakers.network.checks.equal(f"what {LENA} has", stakers.in_wallet(wallet), had)
    table = Sheet("Her money at the end", ("", *(each.name for each in Currency)))
    table.add_row("staked, and back after two weeks", io(staked))
    table.add_row(f"+ rewards of {len(stakers.manifests)} hours, claimed", io(claimed))
    dollars = show(market.books.earned[wallet, Currency.USDC], Currency.USDC)
    table.add_row("+ paid for being rented", io(rented), dollars, end_section=True)
    table.add_row("in her wallet", io(had), dollars)
    return table


def _earned(mine: Sequence[Machine], results: Sequence[Rows]) -> Picture:
    """What each of her devices earned by each hour."""
    title = f"What {LENA}'s devices earned by being there, so far"
    table = Sheet(title, ("hour", "begins, UTC", *(each.kind.name for each in mine)), left=(0, 1))
    totals, points = [0] * len(mine), [[(0.0, 0.0)] for _ in mine]
    for hour, rows in enumerate(results):
        for at, each in enumerate(mine):
            totals[at] += int(_row(each, rows)["reward"])
            points[at].append((hour + 1, totals[at] / IO))
        table.add_row(str(hour), begin_of(hour), *(io(each, 4) for each in totals))
    series = [figures.Series(each.kind.name, found) for each, found in zip(mine, points, strict=True)]
    names = [each.kind.name for each in mine]
    return Picture(figures.lines(title, series, hours_axis(len(results))), names, "IO", table)


def renter(market: Market) -> Section:
    """What a renter asked for, and what became of each of his orders, step by step."""
    wallet, books = person(f"renter {RENTER}").pubkey(), market.books
    mine = [address for address, order in books.orders.items() if order.renter == wallet]
    devices = sum(books.orders[each].devices for each in mine)
    about = (
        f"{OMAR} opens {len(mine)} orders for {devices} devices in all. What an order can cost at most lies "
        "in its vault from its first second; what he doesn't use comes back. A minus is what left his "
        "wallet."
    )
    parts: list[Sheet | str] = [_steps(market, mine), _paid(market, mine)]
    return Section("renter", f"{OMAR}, a renter", about, parts, (), ("order list --chain OUT/mid.chain",))


def _steps(market: Market, mine: Sequence[Pubkey]) -> Sheet:
    """All that happened to his orders, what is alike in one row."""
    table = Sheet("Step by step", ("UTC", "order", "what happens", "IO"), left=(0, 2))
    numbers = {address: number + 1 for number, address in enumerate(mine)}
    found = []
    for at, event in market.books.events:
        order = event.fields.get("order", event.fields.get("cluster_id"))
        if order in numbers and (step := _step(at, event)):
            found.append((numbers[order], step))
    # Of a second what is alike comes together: suppliers match and accept in one transaction.
    ranks = {step.what: rank for rank, step in enumerate(dict.fromkeys(step for _, step in found))}
    found.sort(key=lambda each: (each[1].at, each[0], ranks[each[1].what]))
    for (number, words), group in groupby(found, key=lambda each: (each[0], each[1].what)):
        steps = [step for _, step in group]
        counted = words.format("a device" if len(steps) == 1 else f"{len(steps)} devices")
        amount = sum(each.amount for each in steps)
        shown = io(amount) if amount else ""
        table.add_row(time(steps[0].at), str(number), counted, shown)
    return table


def _step(at: int, event: Event) -> Step | None:
    """What an event is to a renter; braces stand for devices."""
    fields, what, amount = event.fields, "", 0
    match event.name:
        case "BookProduct":
            what = f"opens it, for {fields['terms']['devices']} x {fields['terms']['hours']} hours"
        case "Pay":
            what, amount = "pays into its vault", -fields["amount"]
        case "LeaseMatched":
            what = "{} matched"
        case "LeaseAccepted":
            what = "{} accepted: hours begin"
        case "Extend":
            what = f"extends {{}} by {fields['extended_minutes'] // 60} hours"
        case "LeaseEnded":
            what = f"{{}} over: {ENDED[EndReason(fields['reason'])]}"
        case "Refund":
            what, amount = "comes back", fields["amount"]
        case "OrderClosed":
            what = "closed, its vault is empty"
    return Step(at, what, amount) if what else None


def _paid(market: Market, mine: Sequence[Pubkey]) -> Sheet:
    """His IO: what went in, what came back, and who got the rest."""
    found, books = [market.books.orders[each] for each in mine], market.books
    leases = [each for each in books.leases if each.order in mine]
    deposited, refunded = sum(each.deposited for each in found), sum(each.refunded for each in found)
    suppliers, network = sum(each.net for each in leases), sum(each.earned for each in found)
    wallet = found[0].renter
    spent = market.before[wallet, Currency.IO] - market.accounts.balance(wallet, Currency.IO)
    market.network.checks.equal(f"what {OMAR} spent", spent, deposited - refunded)
    market.network.checks.equal(f"who got what {OMAR} spent", spent, suppliers + network)
    table = Sheet("His money", ("", "IO"))
    table.add_row("paid into vaults", io(deposited))
    table.add_row("- came back", io(refunded), end_section=True)
    table.add_row("he paid", io(spent))
    table.add_row("- suppliers got", io(suppliers))
    table.add_row("- network fees", io(network), end_section=True)
    table.add_row("left over", io(spent - suppliers - network))
    return table

"""Everything of one order: its money to the base unit, its matches against the rule, votes on its leases.

Its accounts, its vault and what each of its events must say are those of the audit of the whole chain
(:mod:`keeper.audit.chain`), as every price and every party follows from all of it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from solders.pubkey import Pubkey

from keeper.audit.chain import Rebuilt, rebuilt
from keeper.audit.decoded import Happened
from keeper.audit.findings import Code, Finding, Part, Unchecked
from keeper.audit.index import indexed
from keeper.audit.lives import LeaseLife, OrderLife, lives_of
from keeper.audit.market import Replays
from keeper.audit.sources import Source, Told, untold
from keeper.clients import orders, staking
from keeper.compute.looking import network_of
from keeper.compute.verdicts import FAULTS, VerdictError, held, repeat
from keeper.compute.wire import Network
from keeper.errors import UserError
from keeper.indexer.book import FoldError
from keeper.market.matching import SUPPLIERS_TICK

PART = "order"


class NoSuchOrder(UserError):
    """An address at which there never was an order."""


async def check(source: Source, told: Told = untold, *, order: Pubkey) -> Part:
    """Audit one order, in all of its lives; raises NoSuchOrder."""
    found = await rebuilt(source, told, PART, [order])
    lives = lives_of(order, found.ledger.events)
    if not lives:
        raise NoSuchOrder(f"there never was an order {order}; see ionet order list, or ionet history")
    leases = [(life, lease) for life in lives for lease in life.all_leases()]
    findings = list(_of_order(order, lives, found))
    unchecked = [each for each in found.unchecked if _concerns(each, order, lives)]
    matches, gaps = await _matches(source, told, lives)
    votes = _Votes(source, found, await network_of(source.chain))
    for _, lease in leases:
        await votes.look(order, lease)
    return Part(
        PART,
        {
            "lives": len(lives),
            "transactions": len({name for each in lives for name in each.names}),
            "leases": len(leases),
            "matches by operators": sum(each.event["tick"] != SUPPLIERS_TICK for _, each in leases),
            "votes": sum(len(each.votes) for _, each in leases),
        },
        (*unchecked, *gaps, *votes.unchecked),
        (*findings, *matches, *votes.findings),
        (),
        tuple(sentence for life in lives for sentence in life.told()),
        tuple(share for life in lives for share in life.shares()),
    )


def _of_order(order: Pubkey, lives: Sequence[OrderLife], found: Rebuilt) -> Iterator[Finding]:
    """What of everything that is wrong is wrong of the order: its accounts, its vault, its transactions."""
    addresses = {str(each) for each in _accounts(order, lives)}
    names = {name for life in lives for name in life.names}
    for executed in found.history.ordered():
        if any(order in call.accounts for call in executed.calls):
            names.add(executed.name)
    for each in found.findings:
        if each.where in addresses or each.where in names:
            yield each


def _accounts(order: Pubkey, lives: Sequence[OrderLife]) -> Iterator[Pubkey]:
    yield order
    yield orders.vault_address(order)
    for life in lives:
        for lease in life.all_leases():
            yield lease.address
            for vote in lease.votes:
                fields = vote.event.fields
                yield orders.fault_address(lease.address, fields["evidence"], fields["good_hours"])


def _concerns(gap: Unchecked, order: Pubkey, lives: Sequence[OrderLife]) -> bool:
    """Whether what couldn't be looked at may be of the order: another vault isn't."""
    if gap.what.endswith(")") and " (" in gap.what:
        return str(orders.vault_address(order)) in gap.what
    return True


# -- matches ---------------------------------------------------------------------------------------


async def _matches(
    source: Source, told: Told, lives: Sequence[OrderLife]
) -> tuple[list[Finding], list[Unchecked]]:
    """Whether the rule gives each match that an operator made, in the order of their ticks."""
    made = [
        (each.event["tick"], each.event["order"], each.event["device"], each.event["matcher"])
        for life in lives
        for each in life.all_leases()
        if each.event["tick"] != SUPPLIERS_TICK
    ]
    if not made:
        return [], []
    async with indexed(source) as index:
        replays = Replays(source, index)
        events = [event for _, event in await replays.said()]
        for at, match in enumerate(sorted(made, key=lambda each: each[0])):
            await replays.of_match(*match, events)
            told("matches", at + 1, len(made))
        # Two matches of one batch may differ by the same line of its file.
        found = dict.fromkeys(replace(each, part=PART) for each in replays.findings)
        return list(found), replays.unchecked


# -- votes -----------------------------------------------------------------------------------------


class _Votes:
    """Operators' votes that leases weren't served, held to the verdicts that they published."""

    def __init__(self, source: Source, found: Rebuilt, network: Network) -> None:
        self.findings: list[Finding] = []
        self.unchecked: list[Unchecked] = []
        self._folders, self._ledger, self._network = source.rewards, found.ledger, network

    async def look(self, order: Pubkey, lease: LeaseLife) -> None:
        """Repeat each verdict that was voted for."""
        by_verdict: defaultdict[tuple[bytes, int], list[Happened]] = defaultdict(list)
        for vote in lease.votes:
            fields = vote.event.fields
            by_verdict[bytes(fields["evidence"]), fields["good_hours"]].append(vote)
        for (evidence, hours), votes in by_verdict.items():
            place = self._place(evidence)
            if place is None:
                what = f"the fault {evidence.hex()} of lease {lease.address}"
                self.unchecked.append(Unchecked(what, f"no folder has {FAULTS}/{evidence.hex()}: --rewards"))
                continue
            expected, found = await asyncio.to_thread(self._shown, order, lease, place, hours, votes[-1])
            if expected != found:
                fault = orders.fault_address(lease.address, evidence, hours)
                signer = ", ".join(dict.fromkeys(str(each.event.fields["operator"]) for each in votes))
                slot = votes[-1].executed.record.slot
                row = f"{FAULTS}/{evidence.hex()} of {lease.address}"
                self.findings.append(
                    Finding(PART, Code.FAULT_UNFOUNDED, str(fault), row, slot, expected, found, signer)
                )

    def _place(self, evidence: bytes) -> Path | None:
        names = (folder / FAULTS / evidence.hex() for folder in self._folders)
        return next((each for each in names if each.is_dir()), None)

    def _shown(
        self, order: Pubkey, lease: LeaseLife, place: Path, hours: int, vote: Happened
    ) -> tuple[str, str]:
        """What the verdict shows by what operators signed, and what was voted."""
        event = lease.event
        voted = _words(order, event["device"], event["number"], event["registered_at"], hours)
        try:
            evidence = held(place)
            operators, k = self._operators(vote)
            about, verdict = evidence.about, repeat(evidence, operators, k, self._network)
        except (VerdictError, FoldError) as error:
            return str(error), voted
        hired = about.lease
        return _words(about.order, hired.device, hired.number, hired.registered_at, verdict.good_hours), voted

    def _operators(self, vote: Happened) -> tuple[Collection[Pubkey], int]:
        """Who were operators when somebody voted, and how many of them had to agree."""
        book = self._ledger.book_at("staking", vote.executed.record.slot)
        params = staking.config_of(book.get("Config", staking.CONFIG)).params
        return params.operators, params.threshold


def _words(order: object, device: object, number: int, registered_at: int, hours: int) -> str:
    return f"order {order}, lease {number} of device {device} of {registered_at}, good for {hours} hours"

"""An operator of the demo that gives an order to a friend's device, once, and how a replay names it.

Its files and its posted hash agree with what it does: only the rule doesn't.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Event
from keeper.clients import orders, staking
from keeper.demo.checks import Checks, DemoFailed
from keeper.market import audit, files
from keeper.market.assignment import assign
from keeper.market.due import pairs_of
from keeper.market.findings import Replayed, Verdict
from keeper.market.folder import MarketFolder
from keeper.market.matching import satisfies
from keeper.market.snapshot import Snapshot
from keeper.tables import addresses


@dataclass(frozen=True, slots=True)
class Favour:
    """``friend`` is to get the order that is ``due`` to another device of its class."""

    operator: Pubkey
    tick: int
    order: Pubkey
    friend: Pubkey
    due: Pubkey


async def write(chain: ChainReader, folder: MarketFolder, operator: Pubkey, state: Snapshot) -> Favour | None:
    """Put files of a tick that do somebody a favour into an operator's folder; None where that can't be.

    The operator's job takes files that are there as they are: it posts their hash, and makes their matches.
    """
    rule, favour = assign(state), None
    devices, classes = await staking.read_devices(chain), await staking.read_classes(chain)
    free = set(addresses(state.devices["device"][state.devices["out"] == 0].copy()))
    free -= {device for _, device in pairs_of(rule)}
    for at, (order, due) in enumerate(pairs_of(rule)):
        (account,) = await chain.accounts([order])
        assert account is not None  # it was open when the tick began
        found = orders.parse_order(account.data)
        for friend in sorted(free, key=bytes):
            alike = devices[friend].device_class == devices[due].device_class
            if favour is None and alike and satisfies(found, devices[friend], classes, state.now):
                favour = Favour(operator, state.tick, order, friend, due)
                rule["device"][at] = bytes(friend)
    if favour is not None:
        folder.write(state.tick, files.encode(state, np.sort(rule), operator, folder.base(state.tick)))
    return favour


def replayed(checks: Checks, folder: MarketFolder, favour: Favour, matched: list[Event]) -> Replayed:
    """Compute the tick again from its published files, which must name all that is wrong."""
    if (favour.order, favour.friend) not in {
        (each.fields["order"], each.fields["device"]) for each in matched
    }:
        raise DemoFailed(f"{favour.friend} wasn't matched to {favour.order} in tick {favour.tick}")
    found, _ = audit.by_files(folder, favour.tick)
    checks.equal("verdict on a favour", found.finding.verdict, Verdict.DIFFERENT)
    culprit = found.finding.culprit
    assert culprit is not None  # a difference in files is somebody's
    checks.equal("whom a replay names", culprit.operator, favour.operator)
    checks.holds(f"a replay doesn't find {favour.friend}", str(favour.friend) in str(culprit.found))
    checks.holds(f"a replay doesn't expect {favour.due}", str(favour.due) in str(culprit.expected))
    return found

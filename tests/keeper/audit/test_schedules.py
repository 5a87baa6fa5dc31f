"""What events say against the calendar: a base unit or a second more than it allows is a finding."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from keeper.audit.decoded import Happened
from keeper.audit.findings import Code
from keeper.audit.schedules import Schedules
from keeper.chain import Event
from keeper.clients.programs import PROGRAMS
from keeper.economy import emission
from tests.programs.world import DAY, HOUR, START, START_MONTH

NAME = "a transaction"
LAUNCHED = "tokenomics", "Launched", START, {"start_month": START_MONTH}
ADDED = (
    *("tokenomics", "AllocationAdded", START),
    {"id": 4, "amount": 1_000, "tge_bps": 1_000, "cliff_months": 1, "tranches": 10},
)
OPENED = (
    *("tokenomics", "SeasonOpened", START),
    {"season": 1, "pools": [60, 40], "claim_start": START + DAY, "claim_end": START + 2 * DAY},
)
TWO_HOURS = emission.cumulative(START_MONTH, 2)


def happened(program: str, name: str, time: int, fields: dict[str, Any]) -> Happened:
    executed = SimpleNamespace(name=NAME, signers="somebody", record=SimpleNamespace(slot=7, time=time))
    return Happened(PROGRAMS[program], Event(name, fields), executed, None)


def found(*events: tuple[str, str, int, dict[str, Any]], **known: Any) -> list[tuple[Any, ...]]:
    findings = list(Schedules("chain").follow([happened(*each) for each in events], **known))
    assert {(each.part, each.where, each.slot) for each in findings} <= {("chain", NAME, 7)}
    return [(each.code, each.row, each.expected, each.found, each.signer) for each in findings]


def emitted(amount: int, to: int, time: int) -> tuple[str, str, int, dict[str, Any]]:
    return "tokenomics", "Emitted", time, {"to_hour": to, "amount": amount, "emitted": amount}


def released(amount: int, time: int) -> tuple[str, str, int, dict[str, Any]]:
    return "tokenomics", "Released", time, {"allocation": 4, "amount": amount, "released": amount}


def claimed(amount: int, time: int) -> tuple[str, str, int, dict[str, Any]]:
    return "tokenomics", "SeasonClaimed", time, {"season": 1, "amount": amount}


def test_emission() -> None:
    on_time = START + 2 * HOUR
    assert found(LAUNCHED, emitted(TWO_HOURS, 2, on_time)) == []
    more = [
        (Code.EMISSION_EARLY, row, TWO_HOURS, TWO_HOURS + 1, "somebody") for row in ("emitted", "amounts")
    ]
    assert found(LAUNCHED, emitted(TWO_HOURS + 1, 2, on_time)) == more
    one = emission.cumulative(START_MONTH, 1)
    assert found(LAUNCHED, emitted(one, 2, on_time - 1)) == [(Code.EMISSION_EARLY, "hours", 1, 2, "somebody")]
    assert found(emitted(0, 0, START)) == [
        (Code.EVENT_IMPOSSIBLE, "emission", "a launch before it", None, None)
    ]


def test_vesting() -> None:
    assert found(ADDED, LAUNCHED, released(100, START)) == []
    rows = [f"allocation 4, {row}" for row in ("released", "amounts")]
    assert found(ADDED, LAUNCHED, released(101, START)) == [
        (Code.VESTING_EARLY, row, 100, 101, "somebody") for row in rows
    ]


def test_seasons() -> None:
    first, end = START + DAY, START + 2 * DAY
    assert found(OPENED, claimed(70, first), claimed(30, end - 1)) == []
    assert found(OPENED, claimed(70, first), claimed(31, first)) == [
        (Code.SEASON_OVERPAID, "season 1", 100, 101, "somebody")
    ]
    for time in (first - 1, end):
        allowed = f"from {first} up to {end}"
        assert found(OPENED, claimed(70, time)) == [
            (Code.SEASON_OVERPAID, "season 1, time", allowed, time, "somebody")
        ]
    closed = "tokenomics", "SeasonCancelled", first, {"season": 1}
    assert found(OPENED, closed, claimed(70, first)) == [
        (Code.SEASON_OVERPAID, "season 1, time", "no claim any more", first, "somebody")
    ]


def test_a_guardian_that_is_proposed_no_more_is_no_short_notice() -> None:
    """Nobody is proposed in its place, and at no time; then nobody can follow."""
    row = "staking guardian"
    proposed = "staking", "GuardianProposed", START, {"at": START + DAY, "pending": Pubkey.new_unique()}
    withdrawn = "staking", "GuardianProposed", START, {"at": 0, "pending": Pubkey.default()}
    assert found(proposed, withdrawn) == []
    changed = "staking", "GuardianChanged", START + DAY, {}
    assert found(proposed, withdrawn, changed) == [
        (Code.EVENT_IMPOSSIBLE, row, "a proposal before it", None, None)
    ]


@pytest.mark.parametrize(
    ("program", "what", "proposal", "change", "notice"),
    [
        *((each, "parameters", "ParamsProposed", "ParamsApplied", DAY) for each in PROGRAMS),
        *(
            (
                each,
                "guardian",
                "GuardianProposed",
                "GuardianChanged",
                7 * DAY if each == "tokenomics" else DAY,
            )
            for each in PROGRAMS
        ),
    ],
)
def test_notices(program: str, what: str, proposal: str, change: str, notice: int) -> None:
    due, row = START + notice, f"{program} {what}"
    proposed, done = (program, proposal, START, {"at": due}), (program, change, due, {})
    assert found(proposed, done) == []
    early = (program, proposal, START, {"at": due - 1})
    assert found(early) == [(Code.NOTICE_SHORT, row, due, due - 1, "somebody")]
    assert found(proposed, (program, change, due - 1, {})) == [
        (Code.NOTICE_SHORT, row, due, due - 1, "somebody")
    ]
    unasked = [(Code.EVENT_IMPOSSIBLE, row, "a proposal before it", None, None)]
    assert found(done) == found(proposed, done, done) == unasked
    assert found(done, stopped={program}) == found(early, doubted={NAME}) == []

"""The programs' arithmetic, the keeper's and the model's agree on the vectors that Rust wrote.

programs/common/tests/vectors.rs computes tests/vectors/*.json; ``null`` is a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from keeper.economy import calendar, emission, merkle
from keeper.economy.calendar import MonthError
from keeper.economy.vesting import Schedule
from tests.model import schedule as model
from tests.model.roles import ParamRoles, require_somebody
from tests.model.state import ZERO, Address, Refused
from tests.model.tokenomics.program import Tokenomics
from tests.model.tokenomics.state import Allocation, Config

VECTORS = Path(__file__).parents[1] / "vectors"
ELSEWHERE = "staking_", "pow", "market_", "compute", "rewards", "explorers", "season"
SHARED = [path.stem for path in sorted(VECTORS.glob("*.json")) if not path.stem.startswith(ELSEWHERE)]
"""Staking's have a module of their own, others are tested where they are used."""
ANYBODY = b"a" * 32


def rows(name: str) -> list[dict[str, Any]]:
    """A file's rows; they must be there."""
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text())
    assert len(found) > 50
    return found


def result(call: Callable[..., int], *arguments: int) -> int | None:
    """What a call returns, None when it is past the calendar."""
    try:
        return call(*arguments)
    except (MonthError, ValueError, OverflowError):
        return None


def test_months() -> None:
    for row in rows("months"):
        assert result(calendar.month_start, row["month"]) == row["start"]
        assert result(calendar.hours_in_month, row["month"]) == row["hours"]
        assert result(model.begin, row["month"]) == row["start"]


def test_times() -> None:
    for row in rows("times"):
        assert result(calendar.month_of, row["time"]) == row["month"]
        if row["month"] is None:
            assert row["time"] > model.LAST_SECOND
            continue
        assert model.begin(row["month"]) <= row["time"]
        last = row["time"] > model.begin(row["month"]) + 31 * model.DAY - 1
        assert not last and (result(model.begin, row["month"] + 1) or model.LAST_SECOND + 1) > row["time"]


def test_emission() -> None:
    for row in rows("emission"):
        start, hours = row["start_month"], row["hours"]
        assert result(emission.cumulative, start, hours) == row["cumulative"]
        assert result(model.emitted, start, hours) == row["cumulative"]


def test_hours_ended() -> None:
    for row in rows("hours_ended"):
        assert emission.hours_ended(row["start_month"], row["now"]) == row["hours"]
        assert model.hours_ended(row["start_month"], row["now"]) == row["hours"]


def test_vesting() -> None:
    for row in rows("vesting"):
        shape = row["amount"], row["tge_bps"], row["cliff_months"], row["tranches"]
        assert accepts(shape) == row["valid"], row
        if not row["valid"]:
            assert row["vested"] is None
            continue
        start, now = row["start_month"], row["now"]
        assert result(Schedule(*shape).vested, start, now) == row["vested"], row
        if row["vested"] is not None:
            within = min(now, model.LAST_SECOND)
            assert model.vested(*shape, start, within) == row["vested"], row


def accepts(shape: tuple[int, int, int, int]) -> bool:
    """Whether the model takes a row of such a shape into the genesis table."""
    state = Tokenomics(ANYBODY, ANYBODY, ANYBODY, ANYBODY, now=0, config=Config(ANYBODY, ANYBODY, ANYBODY))
    try:
        state.add_allocation(ANYBODY, Allocation(0, b"", ANYBODY, *shape))
    except Refused as refusal:
        assert refusal.name == "AllocationInvalid"
        return False
    return True


def test_products() -> None:
    for row in rows("mul_div_floor"):
        floor = row["a"] * row["b"] // row["d"] if row["d"] else None
        assert row["floor"] == (floor if floor is not None and floor < 2**64 else None)


def test_merkle() -> None:
    for row in rows("merkle"):
        leaves = [bytes.fromhex(each) for each in row["leaves"]]
        top, hashed, proof = (bytes.fromhex(row[name]) for name in ("root", "leaf", "proof"))
        tree = merkle.Tree(leaves)
        assert tree.root == model.root(leaves) == top
        assert merkle.verify(top, hashed, proof) == model.proves(top, hashed, proof) == row["proves"]
        if row["preimage"] is not None:
            assert merkle.leaf(bytes.fromhex(row["preimage"])) == hashed
            if row["proves"]:
                position = leaves.index(hashed)
                assert tree.proof(position) == b"".join(model.proof(leaves, position)) == proof


@dataclass(frozen=True)
class Notice:
    """The only parameter of the stories of roles."""

    notice: int

    def fields(self) -> dict[str, int]:
        """As an event names them."""
        return {"notice": self.notice}


@dataclass
class Office:
    """A config with nothing but roles, pause and parameters."""

    admin: Address
    guardian: Address
    params: Notice
    pending_admin: Address = ZERO
    pending_guardian: Address = ZERO
    guardian_at: int = 0
    pause_mask: int = 0
    pause_until: int = 0
    pending: Notice | None = None
    pending_at: int = 0
    revision: int = 0


@dataclass
class Story(ParamRoles):
    """The model's roles by themselves."""

    office: Office
    now: int = 0

    def _config(self) -> Office:
        return self.office

    def _check(self, params: Notice) -> None:
        """Each program has bounds of its own."""

    def play(self, call: str, arguments: dict[str, int]) -> int | None:
        """One call by whoever may make it; what the program's own function returns of it."""
        office = self.office
        if call == "running":
            return self._require_running(**arguments)
        if call == "propose_params":
            return self.fields(self.propose_params(office.admin, Notice(**arguments)))["at"]
        people = {name: person(value) for name, value in arguments.items() if name == "pending"}
        signers = {
            "propose_admin": office.admin,
            "accept_admin": office.pending_admin,
            "propose_guardian": office.admin,
            "accept_guardian": office.pending_guardian,
            "set_pause": office.guardian,
            "cancel_params": office.guardian,
        }
        signer = [signers[call]] if call in signers else []
        fields = self.fields(getattr(self, call)(*signer, **{**arguments, **people}))
        returned = {"propose_guardian": "at", "apply_params": "revision"}
        if call.startswith("accept_"):
            return int(fields["from"][0])
        return fields[returned[call]] if call in returned else None

    @staticmethod
    def fields(event: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        """An event's."""
        return event[1]


def person(number: int) -> Address:
    """Nobody is 0."""
    return bytes([number]) * 32


def test_roles() -> None:
    story = Story(Office(ZERO, ZERO, Notice(0)))
    refusals = set()
    for row in rows("roles"):
        call, arguments, wanted = row["call"], row["arguments"], row["config"]
        story.now, refused, returned = row["now"], None, None
        before = replace(story.office)
        try:
            if call == "begin":
                admin, guardian = person(arguments["admin"]), person(arguments["guardian"])
                story.office = before = Office(ZERO, ZERO, Notice(arguments["notice"]))
                require_somebody(admin, guardian)
                story.office = Office(admin, guardian, Notice(arguments["notice"]))
            else:
                returned = story.play(call, arguments)
        except Refused as refusal:
            refused = refusal.name
            assert story.office == before, "refused, yet something changed"
        assert (refused, returned) == (row["refused"], row["returns"]), row
        refusals.add(refused)
        found = story.office
        for name in ("admin", "pending_admin", "guardian", "pending_guardian"):
            assert getattr(found, name) == person(wanted[name]), (name, row)
        for name in ("guardian_at", "pause_mask", "pause_until", "pending_at", "revision"):
            assert getattr(found, name) == wanted[name], (name, row)
        assert found.params.notice == wanted["notice"]
    assert len(refusals) == 9, "every refusal but Overflow, and none"


@pytest.mark.parametrize("name", SHARED)
def test_every_file_has_its_test(name: str) -> None:
    words = {"mul_div_floor": "products"}
    assert f"test_{words.get(name, name)}" in globals()

"""The programs' arithmetic, the keeper's and the model's agree on the vectors that Rust wrote.

programs/common/tests/vectors.rs computes tests/vectors/*.json; ``null`` is a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keeper.economy import calendar, emission, merkle
from keeper.economy.calendar import MonthError
from keeper.economy.vesting import Schedule
from tests.model import schedule as model
from tests.model.state import Refused
from tests.model.tokenomics.program import Tokenomics
from tests.model.tokenomics.state import Allocation, Config

VECTORS = Path(__file__).parents[1] / "vectors"
SHARED = [path.stem for path in sorted(VECTORS.glob("*.json")) if not path.stem.startswith("staking_")]
"""Staking's have a module of their own."""
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


@pytest.mark.parametrize("name", SHARED)
def test_every_file_has_its_test(name: str) -> None:
    words = {"mul_div_floor": "products"}
    assert f"test_{words.get(name, name)}" in globals()

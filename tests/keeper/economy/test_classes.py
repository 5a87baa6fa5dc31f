"""The class table's reader: what it refuses, in one line that names the row."""

import json
from pathlib import Path
from typing import Any

import pytest

from keeper.economy.classes import MAX_PRICE, ClassPrices, ClassTableError, read_classes

ROW = {
    "id": 1,
    "name": "B200",
    "multiplier": 3_000,
    "pool": "enterprise",
    "kind": "gpu",
    "priced_like": "B200",
    **{"price_io": 20, "low_io": 2, "high_io": 200, "price_usdc": 30, "low_usdc": 30, "high_usdc": 30},
}
NOT_LEASED = {"price_io": 0, "low_io": 0, "high_io": 0}


def table(tmp_path: Path, *rows: Any) -> Path:
    path = tmp_path / "classes.json"
    path.write_text(json.dumps({"classes": rows}))
    return path


def test_a_row_is_read(tmp_path: Path) -> None:
    (row,) = read_classes(table(tmp_path, ROW))
    assert row.prices == ClassPrices(20, 2, 200, 30, 30, 30)
    (row,) = read_classes(table(tmp_path, {**ROW, **NOT_LEASED}))
    assert row.prices == ClassPrices(0, 0, 0, 30, 30, 30)
    assert ClassPrices().are_valid


@pytest.mark.parametrize(
    "prices",
    [
        {"price_io": 1},
        {"price_io": 201},
        {"price_io": -1, "low_io": -1},
        {"price_io": 0},
        {"low_io": 0},
        {"high_io": 0},
        {**NOT_LEASED, "high_io": 1},
        {"low_usdc": 31},
        {"high_usdc": 29},
        {"high_usdc": MAX_PRICE + 1},
        {"price_io": 20.5},
        {"price_io": True, "low_io": 1},
    ],
)
def test_prices_out_of_bounds(tmp_path: Path, prices: dict[str, object]) -> None:
    with pytest.raises(ClassTableError, match=r"the prices of class 1 \(B200\) are out of bounds"):
        read_classes(table(tmp_path, {**ROW, **prices}))


@pytest.mark.parametrize("name", [*ClassPrices.__dataclass_fields__, "priced_like", "multiplier"])
def test_a_row_that_misses_something(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClassTableError, match=f"no class table .*{name}"):
        read_classes(table(tmp_path, {each: value for each, value in ROW.items() if each != name}))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": ""}, "the name or the multiplier of class 1"),
        ({"name": "N" * 25}, "the name or the multiplier of class 1"),
        ({"multiplier": 50_001}, "the name or the multiplier of class 1"),
        ({"multiplier": -1}, "the name or the multiplier of class 1"),
        ({"pool": "both"}, "no class table .*BOTH"),
        ({"price_io": "20"}, "out of bounds"),
        ({"id": []}, "no class table .*unhashable"),
        ({"priced_like": "H200"}, "priced like one that isn't there"),
    ],
)
def test_a_row_that_can_not_be(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    with pytest.raises(ClassTableError, match=message):
        read_classes(table(tmp_path, {**ROW, **changed}))


def test_a_row_twice(tmp_path: Path) -> None:
    for other in ({**ROW, "id": 2}, {**ROW, "name": "H200"}):
        with pytest.raises(ClassTableError, match="appears twice"):
            read_classes(table(tmp_path, ROW, other))

"""What the committed binaries cost: the document is up to date, and every target holds."""

import pytest

from keeper.deploy import ARTIFACTS, PROGRAMS
from scripts import compute_units
from scripts.compute_units import BINARY_LIMIT, DOCUMENT, TARGETS, Row


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return compute_units.measure()


def test_the_document_is_what_the_programs_cost(rows: dict[str, Row]) -> None:
    text = DOCUMENT.read_text()
    assert text == compute_units.document(text, rows), "run scripts/compute_units.py"


def test_the_figures_are_the_same_in_every_run(rows: dict[str, Row]) -> None:
    assert compute_units.measure() == rows


@pytest.mark.parametrize("name", TARGETS)
def test_within_the_target(rows: dict[str, Row], name: str) -> None:
    assert 0 < max(rows[name].units) <= TARGETS[name]


def test_the_targets_are_the_agreed_ones() -> None:
    assert TARGETS == {"emit": 12_000, "release": 8_000, "claim_season, 17 levels": 10_000}
    assert BINARY_LIMIT == 120 * 1024


def test_emission_costs_the_same_however_much_is_due(rows: dict[str, Row]) -> None:
    emit = dict(zip(rows["emit"].cases, rows["emit"].units, strict=True))
    assert emit["an hour"] == emit["10 years"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_binary_is_small_enough(name: str) -> None:
    size = (ARTIFACTS / f"{name}.so").stat().st_size
    assert compute_units.binaries()[name] == size <= BINARY_LIMIT


def test_a_stale_document_is_noticed(rows: dict[str, Row]) -> None:
    text = DOCUMENT.read_text()
    stale = text.replace("`emit` | 4", "`emit` | 5")
    assert stale != text
    assert compute_units.document(stale, rows) == text

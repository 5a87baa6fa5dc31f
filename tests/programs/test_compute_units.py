"""What the committed binaries cost: the document is up to date, and every target holds."""

import pytest

from keeper.clients.programs import PROGRAMS
from keeper.resources import ARTIFACTS
from scripts import compute_units
from scripts.compute_units import ALL_BINARIES, BINARY_LIMITS, COSTS, DOCUMENT, Measured

TARGETS = [(program, row) for program, costs in COSTS.items() for row in costs.TARGETS]


@pytest.fixture(scope="module")
def rows() -> Measured:
    return compute_units.measure()


def test_the_document_is_what_the_programs_cost(rows: Measured) -> None:
    text = DOCUMENT.read_text()
    assert text == compute_units.document(text, rows), "run scripts/compute_units.py"


def test_the_figures_are_the_same_in_every_run(rows: Measured) -> None:
    assert compute_units.measure() == rows


@pytest.mark.parametrize(("program", "name"), TARGETS)
def test_within_the_target(rows: Measured, program: str, name: str) -> None:
    assert 0 < max(rows[program][name].units) <= COSTS[program].TARGETS[name]


def test_the_targets_are_the_agreed_ones() -> None:
    assert {program: costs.TARGETS for program, costs in COSTS.items()} == {
        "tokenomics": {"emit": 12_000, "release": 8_000, "claim_season, 17 levels": 10_000},
        "staking": {
            "stake": 6_500,
            "unstake": 6_500,
            "claim, 20 levels": 11_000,
            "attest": 7_000,
            "apply_price": 6_000,
            "post": 5_000,
        },
        "orders": {"create_order": 14_000, "match_device": 12_000, "settle": 8_000, "end_lease": 14_000},
        "buyback": {"bid": 12_000, "burn_fees": 7_000, "start_auction": 6_000},
    }
    limits = {"tokenomics": 120, "staking": 250, "buyback": 80, "orders": 195}
    assert {name: limit * 1024 for name, limit in limits.items()} == BINARY_LIMITS
    assert ALL_BINARIES == 650 * 1024


def test_emission_costs_the_same_however_much_is_due(rows: Measured) -> None:
    emit = dict(zip(rows["tokenomics"]["emit"].cases, rows["tokenomics"]["emit"].units, strict=True))
    assert emit["an hour"] == emit["10 years"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_binary_is_small_enough(name: str) -> None:
    size = (ARTIFACTS / f"{name}.so").stat().st_size
    assert compute_units.binaries()[name] == size <= BINARY_LIMITS[name]


def test_all_binaries_together_are_small_enough() -> None:
    assert sum(compute_units.binaries().values()) <= ALL_BINARIES


def test_a_stale_document_is_noticed(rows: Measured) -> None:
    text = DOCUMENT.read_text()
    stale = text.replace("`emit` | 4", "`emit` | 5")
    assert stale != text
    assert compute_units.document(stale, rows) == text

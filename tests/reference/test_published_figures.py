"""The real program gives the figures that the network itself published."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.chain import TransactionRecord
from keeper.clients import tokenomics
from keeper.economy.genesis import Row, read_table
from keeper.economy.vesting import Schedule
from tests.model import schedule
from tests.model.schedule import DAY, EMISSION, GENESIS, HOUR, IO, MAX_SUPPLY
from tests.programs.world import START_MONTH, World, key

FIRST_YEAR = (
    3_333_333,
    3_299_497,
    3_266_003,
    3_232_850,
    3_200_033,
    3_167_549,
    3_135_395,
    3_103_568,
    3_072_063,
    3_040_879,
    3_010_011,
    2_979_456,
)
"""IO emitted in July 2024 .. June 2025."""
YEARS = [
    "37.84",
    "33.48",
    "29.62",
    "26.21",
    "23.19",
    "20.52",
    "18.15",
    "16.06",
    "14.21",
    "12.57",
    "11.12",
    "9.84",
    "8.71",
    "7.70",
    "6.82",
    "6.03",
    "5.34",
    "4.72",
    "4.18",
    "3.70",
]
"""Million IO emitted in each of the 20 years."""
HOURS = 175_320
MARCH_5_2025 = schedule.begin((2025 - 1970) * 12 + 2) + 4 * DAY


def io(amount: int, digits: str) -> Decimal:
    """Base units as IO, rounded to as many digits as the published figure has."""
    return (Decimal(amount) / IO).quantize(Decimal(digits), ROUND_HALF_UP)


def event(record: TransactionRecord) -> dict[str, Any]:
    """The fields of a transaction's one event."""
    (found,) = tokenomics.PROGRAM.events(record)
    return found.fields


def emit(world: World, at: int) -> int:
    """Move the clock to ``at`` and mint what is due."""
    world.chain.warp_to(at)
    amount: int = event(world.do(tokenomics.emit()))["amount"]
    return amount


def launched(start_month: int) -> World:
    """A launched chain with one row that holds the whole genesis supply."""
    world = World()
    admin = world.admin.pubkey()
    world.chain.warp_to(schedule.begin(start_month) - DAY)
    row = Row(0, "all", Schedule(GENESIS, 10_000, 0, 0))
    world.do(
        tokenomics.initialize(admin, key("staking").pubkey(), world.guardian.pubkey()),
        tokenomics.add_allocation(admin, row, admin),
        tokenomics.launch(admin, start_month),
        signers=[world.admin],
    )
    return world


@pytest.fixture
def world() -> World:
    """Emission from July 2024 on, as on the network."""
    return launched(START_MONTH)


def test_each_month_of_the_first_year(world: World) -> None:
    months = [emit(world, schedule.begin(START_MONTH + month + 1)) for month in range(12)]
    assert [int(io(amount, "1")) for amount in months] == list(FIRST_YEAR)


def test_each_of_the_twenty_years(world: World) -> None:
    years = [emit(world, schedule.begin(START_MONTH + 12 * (year + 1))) for year in range(20)]
    assert [f"{io(amount, '10000') / 1_000_000:.2f}" for amount in years] == YEARS
    assert sum(years) == EMISSION
    assert world.supply() == MAX_SUPPLY


def test_an_hour_of_march_2025(world: World) -> None:
    emit(world, MARCH_5_2025)
    blocks = [emit(world, MARCH_5_2025 + hour * HOUR) for hour in range(1, 12)]
    assert {io(block, "0.01") for block in blocks} == {Decimal("4129.12")}
    # The network showed 45,420.286 for these eleven: it divides the month rounded to whole IO, of which
    # 240 don't add up to 300,000,000. The program divides the month itself, 0.0054 IO more.
    month = schedule.begin(START_MONTH + 8), schedule.begin(START_MONTH + 9)
    shown = Decimal(FIRST_YEAR[8]) / ((month[1] - month[0]) // HOUR) * len(blocks)
    assert shown.quantize(Decimal("0.001")) == Decimal("45420.286")
    assert 0 < Decimal(sum(blocks)) / IO - shown < Decimal("0.0055")


def test_a_block_of_february_is_larger_than_one_of_january(world: World) -> None:
    blocks = []
    for month in (START_MONTH + 6, START_MONTH + 7):
        emit(world, schedule.begin(month))
        blocks.append(emit(world, schedule.begin(month) + HOUR))
    assert [io(block, "1") for block in blocks] == [4_214, 4_618]


def test_one_call_at_the_end_mints_everything(world: World) -> None:
    assert emit(world, schedule.begin(START_MONTH + 240)) == EMISSION
    assert world.config().emitted_hours == HOURS
    assert world.supply() == MAX_SUPPLY


def test_the_hours_add_up_to_the_last_base_unit() -> None:
    """The model's 175,320 hours, which the sequences and patterns compare with the program's."""
    cumulative = [schedule.emitted(START_MONTH, hour) for hour in range(HOURS + 1)]
    blocks = [after - before for before, after in pairwise(cumulative)]
    assert min(blocks) > 0
    assert sum(blocks) == EMISSION == 300_000_000 * IO


STRETCH = st.tuples(st.integers(0, 30_000), st.integers(1, 40))
"""Hours to let pass, then hours in a row in which somebody calls."""


@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(start=st.integers(START_MONTH, START_MONTH + 900), pattern=st.lists(STRETCH, max_size=10))
def test_whatever_the_pattern_of_calls_the_total_is_the_same(
    start: int, pattern: list[tuple[int, int]]
) -> None:
    world = launched(start)
    hour, minted = 0, 0
    end = (schedule.begin(start + 240) - schedule.begin(start)) // HOUR
    for silence, calls in pattern:
        hour += silence
        for _ in range(calls):
            hour += 1
            if hour <= end:
                # Anywhere in the hour that follows: what counts is that this one has ended.
                minted += emit(world, schedule.begin(start) + hour * HOUR + (hour * 977) % HOUR)
                assert minted == schedule.emitted(start, hour)
                assert world.supply() == GENESIS + minted
    if hour < end:
        minted += emit(world, schedule.begin(start + 240))
    assert minted == EMISSION
    world.chain.advance(100 * 366 * DAY)
    assert world.error(world.send(tokenomics.emit())) == "NothingDue"
    assert world.supply() == MAX_SUPPLY


def test_what_floats_at_launch() -> None:
    world = World.launched()
    for row in read_table():
        world.send(tokenomics.release(row.id, key(row.label).pubkey()))
    paid = {row.label: world.balance(key(row.label).pubkey()) // IO for row in read_table()}
    assert {label: amount for label, amount in paid.items() if amount} == {
        "ecosystem": 38_400_000,
        "community": 36_000_000,
        "launchpool": 20_000_000,
    }
    assert sum(paid.values()) == 94_400_000


def test_vesting_month_by_month_for_twenty_years() -> None:
    """Each row pays on its dates and not a second before, as much as the model says."""
    world = World.launched()
    rows = read_table()
    released = dict.fromkeys(range(len(rows)), 0)
    for month in range(-1, 240):
        for at in (schedule.begin(START_MONTH + month + 1) - 1, schedule.begin(START_MONTH + month + 1)):
            world.chain.warp_to(at)
            for row in rows:
                s = row.schedule
                due = (
                    schedule.vested(s.amount, s.tge_bps, s.cliff_months, s.tranches, START_MONTH, at)
                    - released[row.id]
                )
                if due:
                    fields = event(world.do(tokenomics.release(row.id, key(row.label).pubkey())))
                    released[row.id] += due
                    assert (fields["amount"], fields["released"]) == (due, released[row.id])
                elif released[row.id] < s.amount:
                    record = world.send(tokenomics.release(row.id, key(row.label).pubkey()))
                    assert world.error(record) == "NothingDue"
    assert sum(released.values()) == GENESIS
    assert world.tokens(tokenomics.GENESIS_VAULT) == 0


@pytest.mark.parametrize(
    ("label", "first", "tranche", "last"),
    [
        ("seed", "2025-08", 416_666_666_666_666, "2027-07"),
        ("series_a", "2025-08", 340_000_000_000_000, "2027-07"),
        ("core", "2025-08", 251_111_111_111_111, "2028-07"),
        ("ecosystem", "2025-02", 256_000_000_000_000, "2027-12"),
        ("community", "2024-08", 107_317_073_170_731, "2027-12"),
    ],
)
def test_tranches_of_the_genesis_table(label: str, first: str, tranche: int, last: str) -> None:
    """First and last date and the monthly amount (cut off to base units), worked out by hand."""

    def begin(text: str) -> int:
        year, month = text.split("-")
        return schedule.begin((int(year) - 1970) * 12 + int(month) - 1)

    world = World.launched()
    row = next(each for each in read_table() if each.label == label)
    release = tokenomics.release(row.id, key(label).pubkey())
    world.send(release)
    world.chain.warp_to(begin(first) - 1)
    assert world.error(world.send(release)) == "NothingDue"
    world.chain.warp_to(begin(first))
    assert event(world.do(release))["amount"] == tranche
    world.chain.warp_to(begin(last) - 1)
    assert event(world.do(release))["released"] < row.schedule.amount
    world.chain.warp_to(begin(last))
    assert event(world.do(release))["released"] == row.schedule.amount

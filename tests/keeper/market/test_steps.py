"""An hour's table of steps: from samples, as the model hashes it, and as the program takes it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.clients import staking
from keeper.economy.classes import MAX_STEP, STALE, Bounds, holds_from, next_price
from keeper.economy.orders import Currency
from keeper.market.price import SAMPLES, Sample
from keeper.market.sampling import Sampled, sample_ticks
from keeper.market.steps import HourSamples, SamplesMissing, StepTable
from tests.model import schedule
from tests.model.staking.prices import price_leaf
from tests.model.staking.state import Class as ModelClass
from tests.programs.staking.world import APPLE_CLASS, GPU_CLASS, IO, StakingWorld
from tests.programs.world import DAY, HOUR, START

FULL = Sample(hired=(32, *[0] * 7), size=32)
EMPTY = Sample(idle=(32, *[0] * 7), size=32)
BLOCKHASH = bytes(range(32))
steps = st.integers(-MAX_STEP, MAX_STEP)


def of(io: Sample, usdc: Sample) -> dict[tuple[int, Currency], Sample]:
    """A tick in which two classes have the same samples."""
    return {
        (number, each): found for number in (1, 2) for each, found in zip(Currency, (io, usdc), strict=True)
    }


def hours(ticks: list[Sampled], hour: int = 500_000) -> HourSamples:
    return HourSamples(hour, tuple(ticks))


# -- the table -----------------------------------------------------------------------------------


def test_the_steps_follow_from_the_sums_of_twelve_samples():
    half = [of(FULL, EMPTY)] * 6 + [of(EMPTY, EMPTY)] * 6
    hour = hours(half)
    assert hour.table(classes=(2, 1), profiled={1, 2}).steps == {1: (-357, -1_250), 2: (-357, -1_250)}
    found = hour.total(1, Currency.IO)
    assert (sum(found.hired), sum(found.idle), found.size) == (6 * 32, 6 * 32, 12 * 32)


def test_a_class_without_a_profile_and_one_without_a_sample_stand_still():
    table = hours([of(FULL, EMPTY)] * SAMPLES).table(classes=(1, 2, 7), profiled={2, 7})
    assert table.steps == {1: (0, 0), 2: (1_250, -1_250), 7: (0, 0)}


def test_a_class_that_opens_in_the_hour_is_as_thin_as_it_was_there_for():
    late = [{}] * 9 + [of(FULL, FULL)] * 3
    assert hours(late).table((1,), {1}).steps[1] == (1_250 // 4, 1_250 // 4)


def test_the_ticks_that_count_are_those_that_were_drawn():
    """Of all that were read; and one that is missing isn't taken for an empty market."""
    drawn = sample_ticks(500_000, BLOCKHASH)
    every = {tick: of(EMPTY, EMPTY) for tick in range(500_000 * 120, 500_001 * 120)}
    taken = {**every, **dict.fromkeys(drawn, of(FULL, EMPTY))}
    assert HourSamples.of(500_000, BLOCKHASH, taken).ticks == (of(FULL, EMPTY),) * SAMPLES
    for tick in drawn[3], drawn[7]:
        del taken[tick]
    with pytest.raises(SamplesMissing, match=f"no samples of the ticks {drawn[3]}, {drawn[7]}: read them"):
        HourSamples.of(500_000, BLOCKHASH, taken)


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.dictionaries(st.integers(0, 65_535), st.tuples(steps, steps), min_size=1)
)
def test_the_model_has_the_same_root_and_takes_the_same_proofs(hour, rows):
    """Whatever the order in which classes come."""
    table = StepTable(hour, dict(reversed(rows.items())))
    leaves = [price_leaf(hour, number, rows[number]) for number in sorted(rows)]
    assert table.root == schedule.root(leaves)
    for at, number in enumerate(sorted(rows)):
        assert table.proof(number) == b"".join(schedule.proof(leaves, at))
        assert schedule.proves(table.root, leaves[at], table.proof(number))


# -- the program ---------------------------------------------------------------------------------

CLASSES = (GPU_CLASS, APPLE_CLASS)
NARROW = Bounds(IO, 3 * IO, 800_000, 1_100_000)


class Market:
    """A world with an hour's steps voted and applied, beside the model's classes and the rule's prices."""

    def __init__(self) -> None:
        self.world = StakingWorld.ready()
        admin = self.world.admin
        for number in CLASSES:
            change = staking.change_bounds(admin.pubkey(), number, NARROW)
            self.world.do(change, signers=[admin])
        self.world.chain.warp_to(START + 8 * DAY)
        bounds = {name: getattr(NARROW, name) for name in NARROW.__dataclass_fields__}
        row = ModelClass(1, b"X" * 24, 100, 0, 0, price_io=2 * IO, price_usdc=10**6, **bounds)
        self.model = {number: replace(row, id=number) for number in CLASSES}
        self.prices = {number: (2 * IO, 10**6) for number in CLASSES}

    def announce(self, table: StepTable, applied: list[int]) -> None:
        """Two operators vote for the table, and some classes' steps are applied."""
        for operator in self.world.operators[:2]:
            vote = staking.vote_prices(operator.pubkey(), table.hour, table.root)
            self.world.do(vote, signers=[operator])
        now = self.world.chain.now()
        for number in applied:
            proof = table.proof(number)
            self.world.do(staking.apply_price(number, table.hour, *table.steps[number], proof))
            row = self.model[number]
            row.fold(now)
            row.next_io, row.next_usdc = table.steps[number]
            row.price_hour = table.hour
            self.prices[number] = tuple(
                next_price(price, step, *NARROW.of(currency))
                for currency, price, step in zip(
                    Currency, self.prices[number], table.steps[number], strict=True
                )
            )

    def on_chain(self, now: int) -> dict[int, tuple[int, ...]]:
        """What the program has, and so has the model."""
        found = {}
        for number in CLASSES:
            account = self.world.account(staking.class_address(number))
            of_class = staking.parse_class(account.data)
            found[number] = tuple(of_class.price(each, now).amount for each in Currency)
            assert found[number] == tuple(self.model[number].price_of(name, now) for name in ("io", "usdc"))
            assert not any(of_class.price(each, now).is_stale for each in Currency)
        return found


def random_sample(chance: random.Random) -> Sample:
    """A small market: full, empty, thin, or anything."""
    hired, idle = ([chance.choice((0, 0, 1, 5, 40)) for _ in range(8)] for _ in range(2))
    return Sample(tuple(hired), tuple(idle), chance.choice((0, 7)), chance.choice((0, 6, 50)))


def test_the_program_moves_prices_as_the_rule_does():
    """Forty hours of random samples; now and then an hour is missed, or a class's step isn't applied."""
    chance, market = random.Random(11), Market()
    seen = set()
    for _ in range(40):
        now = market.world.chain.now()
        start = now - now % HOUR + HOUR
        market.world.chain.warp_to(start + chance.choice((0, 1, 1_200, 2_399)))
        hour = start // HOUR - 1
        samples = [of(random_sample(chance), random_sample(chance)) for _ in range(SAMPLES)]
        if chance.random() < 0.2:
            samples = [of(EMPTY, FULL)] * SAMPLES
        table = hours(samples, hour).table(CLASSES, profiled=CLASSES)
        before = dict(market.prices)
        if chance.random() > 0.1:
            market.announce(table, chance.choice(([1, 2], [1, 2], [1], [2])))
        holds = holds_from(hour)
        assert market.on_chain(holds - 1) == before
        assert market.on_chain(holds) == market.prices
        seen |= {price for both in market.prices.values() for price in both}
    assert len(seen) > 40
    assert seen >= {NARROW.low_io, NARROW.high_usdc}, "bounds were met"


def test_a_price_binds_for_a_day_after_the_last_step_and_then_no_more():
    market = Market()
    now = market.world.chain.now()
    market.world.chain.warp_to(now - now % HOUR + HOUR)
    hour = market.world.chain.now() // HOUR - 1
    market.announce(hours([{}] * SAMPLES, hour).table(CLASSES, CLASSES), [1])
    moved, never_voted = (
        staking.parse_class(market.world.account(staking.class_address(number)).data) for number in CLASSES
    )
    last = holds_from(hour) + STALE - 1
    assert [moved.price(Currency.IO, at).is_stale for at in (last, last + 1)] == [False, True]
    assert not never_voted.price(Currency.IO, 2 * last).is_stale

"""Attacks on prices: what a stolen quorum, an early hour or a forged leaf can't move."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from itertools import pairwise

import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking as client
from keeper.economy import merkle
from keeper.economy.classes import MAX_STEP, STALE, Bounds, ClassPrices, next_price
from keeper.economy.orders import Currency
from keeper.economy.supply import IO
from tests.model.staking.prices import price_leaf
from tests.programs.staking.world import PRICES
from tests.programs.world import DAY, HOUR, START, World
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, address, do
from tests.security.staking import stages
from tests.security.staking.calls import OLD_PRICES, PRICED
from tests.security.staking.slashing import ADMIN, FIRST, GUARDIAN, SECOND, THIRD
from tests.security.staking.stages import APPLE, GPU, STEPS, apply_price, stage, steps_tree, vote_prices

WINDOW = 2_400
"""So many seconds of an hour its prices are voted and announced in: 20 minutes before its end it closes."""
Steps = Mapping[int, tuple[int, int]]


def class_(world: World, number: int = GPU) -> client.Class:
    return client.parse_class(world.account(client.class_address(number)).data)


def price(world: World, currency: Currency = Currency.IO, number: int = GPU) -> int:
    return class_(world, number).price(currency, world.chain.now()).amount


def table(hour: int, steps: Steps) -> merkle.Tree:
    return merkle.Tree([price_leaf(hour, number, each) for number, each in steps.items()])


def agree(world: World, steps: Steps) -> int:
    """Two operators vote for these steps of the last hour; returns it."""
    hour = world.chain.now() // HOUR - 1
    for operator in (FIRST, SECOND):
        do(world, client.vote_prices(operator, hour, table(hour, steps).root))
    return hour


def announce(world: World, steps: Steps, number: int = GPU) -> None:
    """All of it for one class, in the hour that the clock is in."""
    hour = agree(world, steps)
    proof = table(hour, steps).proof(list(steps).index(number))
    do(world, client.apply_price(number, hour, *steps[number], proof))


def begun() -> World:
    """Two classes, and an hour that has just begun."""
    world = stages.initialized()
    world.chain.warp_to(START + DAY)
    return world


def rows(world: World, hour: int) -> client.PriceTable:
    return client.parse_prices(world.account(client.prices_address(hour)).data)


# -- when ----------------------------------------------------------------------------------------


def test_votes_and_announcements_have_their_window() -> None:
    """From the end of the hour that was measured until 20 minutes before the steps hold, to the second."""
    world = begun()
    hour = START // HOUR + 24
    vote = client.vote_prices(THIRD, hour, b"r" * 32)
    end = (hour + 1) * HOUR
    for at, error in (
        (end - 1, "PriceWindow"),
        (end, None),
        (end + WINDOW - 1, None),
        (end + WINDOW, "PriceWindow"),
        (end + HOUR, "PriceWindow"),
        (end + 100 * DAY, "PriceWindow"),
    ):
        world.chain.warp_to(at)
        assert refused(world, vote) == error
    late = begun()
    late.chain.warp_to(end)
    vote_prices(late)
    late.chain.warp_to(end + WINDOW)
    assert refused(late, apply_price(GPU, hour)) == "PriceWindow"
    late.chain.advance(-1)
    do(late, apply_price(GPU, hour))


def test_a_step_holds_from_its_hour_on() -> None:
    """A quote is exact for 20 minutes at least: what is announced holds from the next hour, not before."""
    world = begun()
    announce(world, STEPS)
    holds = world.chain.now() + HOUR
    found = class_(world)
    assert (found.price_io, found.next_io, found.next_usdc) == (PRICES.price_io, 1_250, -333)
    world.chain.warp_to(holds - 1)
    assert price(world) == 2 * IO
    world.chain.warp_to(holds)
    assert price(world) == 2 * IO * 9 // 8
    assert price(world, Currency.USDC) == 966_700
    # Nobody has to write it down, and nothing changes when somebody does.
    world.chain.advance(HOUR)
    announce(world, {GPU: (0, 0)})
    assert (class_(world).price_io, class_(world).price_usdc) == (225_000_000, 966_700)
    world.chain.advance(HOUR)
    assert price(world) == 225_000_000


def test_an_hour_that_was_missed_is_a_step_of_nothing() -> None:
    """Nobody makes up for it later: an hour's steps are of that hour alone, and of one class once."""
    world = begun()
    missed = vote_prices(world)
    world.chain.advance(HOUR)
    assert refused(world, apply_price(GPU, missed)) == "PriceWindow"
    hour = vote_prices(world)
    do(world, apply_price(GPU, hour))
    assert refused(world, apply_price(GPU, hour)) == "StepApplied"
    world.chain.advance(HOUR)
    assert price(world) == 2 * IO * 9 // 8


def test_a_class_is_priced_when_it_is_open() -> None:
    world = begun()
    do(world, client.add_class(ADMIN, 9, "H100", 100, 0, 0, PRICES))
    steps = {GPU: (1, 1), 9: (1_250, 1_250)}
    hour = agree(world, steps)
    early = client.apply_price(9, hour, 1_250, 1_250, table(hour, steps).proof(1))
    assert refused(world, early) == "ClassNotOpen"
    world.chain.warp_to(class_(world, 9).opens_at)
    announce(world, steps, 9)


# -- who -----------------------------------------------------------------------------------------


def test_less_than_a_quorum_moves_no_price() -> None:
    world = begun()
    hour = vote_prices(world, operators=1)
    do(world, client.vote_prices(FIRST, hour, steps_tree(hour).root))
    assert refused(world, apply_price(GPU, hour)) == "NotAgreed"
    do(world, client.vote_prices(SECOND, hour, b"o" * 32))
    assert refused(world, apply_price(GPU, hour)) == "NotAgreed"
    # A mind may change until there are enough.
    do(world, client.vote_prices(SECOND, hour, steps_tree(hour).root))
    assert refused(world, client.vote_prices(THIRD, hour, steps_tree(hour).root)) == "AlreadyAgreed"
    do(world, apply_price(GPU, hour))


def test_nobody_but_operators_votes() -> None:
    world = begun()
    hour = START // HOUR + 23
    for name in ("admin", "guardian", "mallory", "alice"):
        assert refused(world, client.vote_prices(address(name), hour, b"r" * 32)) == "NotOperator"
    assert refused(world, client.vote_prices(FIRST, hour, bytes(32))) == "PricesInvalid"


def test_a_split_vote_leaves_the_price() -> None:
    world = begun()
    hour = world.chain.now() // HOUR - 1
    for number, operator in enumerate((FIRST, SECOND, THIRD)):
        do(world, client.vote_prices(operator, hour, bytes([number + 1]) * 32))
    assert not rows(world, hour).agreed
    world.chain.advance(HOUR)
    assert price(world) == PRICES.price_io


# -- what ----------------------------------------------------------------------------------------


def test_a_leaf_is_bound_to_its_hour_its_class_and_its_steps() -> None:
    world = stage("priced")
    proof = steps_tree(PRICED).proof(list(STEPS).index(GPU))
    for number, steps in ((GPU, (1_249, -333)), (GPU, (-333, 1_250)), (GPU, STEPS[APPLE]), (GPU, (0, 0))):
        assert refused(world, client.apply_price(number, PRICED, *steps, proof)) == "InvalidProof"
    wrong = client.apply_price(GPU, PRICED, *STEPS[GPU], proof[:31])
    assert refused(world, wrong) == "InvalidProof"
    old = steps_tree(OLD_PRICES).proof(list(STEPS).index(GPU))
    assert refused(world, client.apply_price(GPU, PRICED, *STEPS[GPU], old)) == "InvalidProof"


def test_a_reward_blocks_root_is_no_table_of_prices() -> None:
    """A leaf of another kind, or an inner node, doesn't pass for a class's steps."""
    world = begun()
    hour = world.chain.now() // HOUR - 1
    numbers = hour.to_bytes(4, "little") + GPU.to_bytes(2, "little") + (1).to_bytes(2, "little") * 2
    for forged in (b"\1price" + numbers, b"\0" + numbers, b"\0Price" + numbers, b"price" + numbers):
        root = sha256(forged).digest()
        for operator in (FIRST, SECOND):
            do(world, client.vote_prices(operator, hour, root))
        assert refused(world, client.apply_price(GPU, hour, 1, 1, b"")) == "InvalidProof"
        world.chain.advance(HOUR)
        hour += 1
        numbers = hour.to_bytes(4, "little") + numbers[4:]


@pytest.mark.parametrize("step", [MAX_STEP + 1, -MAX_STEP - 1, 2**15 - 1, -(2**15)])
@pytest.mark.parametrize("currency", [0, 1])
def test_no_quorum_moves_a_price_further_than_an_eighth(step: int, currency: int) -> None:
    world = begun()
    steps = {GPU: (step, 0) if currency == 0 else (0, step)}
    hour = agree(world, steps)
    assert refused(world, client.apply_price(GPU, hour, *steps[GPU], b"")) == "StepTooLarge"


def test_what_a_stolen_quorum_comes_to_in_a_day() -> None:
    """It doubles a price in six hours and stops at the bound; each step could be dropped for 20 minutes."""
    world = stages.initialized()
    do(world, client.change_bounds(ADMIN, GPU, Bounds(IO, 10 * IO, 1, 10**9)))
    world.chain.warp_to(START + 8 * DAY)
    prices = [price(world)]
    for _ in range(24):
        announce(world, {GPU: (MAX_STEP, -MAX_STEP)})
        world.chain.advance(HOUR)
        prices.append(price(world))
    for before, after in pairwise(prices):
        assert after == min(10 * IO, -(-before * 9 // 8))
    assert prices[6] >= 2 * prices[0]
    assert prices[-1] == 10 * IO
    assert price(world, Currency.USDC) > 0


VECTORS = (
    (100_000_000, 1_250, 1, 10**12, 112_500_000),
    (100_000_000, -1_250, 1, 10**12, 87_500_000),
    (1, -1_250, 1, 10**12, 1),
    (1, 1, 1, 10**12, 2),
    (7, 1_250, 1, 10**12, 8),
    (100_000_000, 333, 1, 103_000_000, 103_000_000),
    (100_000_000, -333, 99_000_000, 10**12, 99_000_000),
)
"""Price, step, bounds, and the price after it, as specified."""


@pytest.mark.parametrize(("before", "step", "low", "high", "after"), VECTORS)
def test_the_specified_steps(before: int, step: int, low: int, high: int, after: int) -> None:
    assert next_price(before, step, low, high) == after
    world = stages.empty()
    world.chain.warp_to(START - 8 * DAY)
    terms = client.Params(tuple(map(address, OPERATORS)), 2)
    do(world, client.initialize(ADMIN, GUARDIAN, terms))
    prices = ClassPrices(before, low, high, before, low, high)
    do(world, client.add_class(ADMIN, GPU, "RTX 4090", 125, 0, 0, prices))
    world.chain.warp_to(START)
    announce(world, {GPU: (step, step)})
    world.chain.advance(HOUR)
    announce(world, {GPU: (0, 0)})
    assert (class_(world).price_io, class_(world).price_usdc) == (after, after)


def test_a_price_of_nothing_stays_nothing() -> None:
    """What a class isn't leased for no vote can bring into being."""
    world = begun()
    do(world, client.add_class(ADMIN, 9, "H100", 100, 0, 0, ClassPrices(2 * IO, 1, 10 * IO)))
    world.chain.warp_to(class_(world, 9).opens_at)
    announce(world, {9: (MAX_STEP, MAX_STEP)}, 9)
    world.chain.advance(HOUR)
    assert price(world, Currency.USDC, 9) == 0
    assert price(world, Currency.IO, 9) == 2 * IO * 9 // 8


# -- the guardian's veto ---------------------------------------------------------------------------


def test_the_guardian_drops_an_announced_step() -> None:
    world = begun()
    announce(world, STEPS)
    cancel = client.cancel_price(GUARDIAN, GPU)
    holds = world.chain.now() + HOUR
    world.chain.warp_to(holds - 1)
    do(world, cancel)
    assert refused(world, cancel) == "NothingProposed"
    world.chain.warp_to(holds)
    assert (price(world), price(world, Currency.USDC)) == (PRICES.price_io, PRICES.price_usdc)


def test_a_dropped_step_is_not_announced_again() -> None:
    """Its hour counts as done: the same table can't bring it back."""
    world = begun()
    hour = vote_prices(world)
    do(world, apply_price(GPU, hour), client.cancel_price(GUARDIAN, GPU))
    assert refused(world, apply_price(GPU, hour)) == "StepApplied"


def test_a_step_that_holds_is_not_dropped() -> None:
    world = begun()
    announce(world, STEPS)
    world.chain.advance(HOUR)
    assert refused(world, client.cancel_price(GUARDIAN, GPU)) == "NothingProposed"
    assert price(world) == 2 * IO * 9 // 8


def test_there_is_nothing_to_drop_of_a_step_of_nothing() -> None:
    world = begun()
    assert refused(world, client.cancel_price(GUARDIAN, GPU)) == "NothingProposed"
    announce(world, {GPU: (0, 0)})
    assert refused(world, client.cancel_price(GUARDIAN, GPU)) == "NothingProposed"
    for name in ("admin", "operator 0", "mallory"):
        assert refused(world, client.cancel_price(address(name), GPU)) == "NotGuardian"


def test_a_veto_takes_both_currencies_and_one_class() -> None:
    world = begun()
    hour = vote_prices(world)
    do(world, apply_price(GPU, hour), apply_price(APPLE, hour), client.cancel_price(GUARDIAN, GPU))
    world.chain.advance(HOUR)
    assert price(world) == PRICES.price_io
    assert price(world, Currency.IO, APPLE) == PRICES.price_io * 7 // 8


# -- stale ---------------------------------------------------------------------------------------


def test_a_price_that_nobody_renews_goes_stale_and_a_base_price_never() -> None:
    """A day after its last step held it binds no more; a class that was never voted on keeps its price."""
    world = begun()
    announce(world, STEPS)
    stale = world.chain.now() + HOUR + STALE
    for at, is_stale in ((stale - 1, False), (stale, True), (stale + 100 * DAY, True)):
        assert class_(world).price(Currency.IO, at).is_stale == is_stale
        assert not class_(world, APPLE).price(Currency.IO, at).is_stale
    world.chain.warp_to(stale + 10 * DAY)
    announce(world, {GPU: (0, 0)})
    assert not class_(world).price(Currency.IO, world.chain.now()).is_stale


# -- closing -------------------------------------------------------------------------------------


def test_who_voted_first_gets_the_rent_back() -> None:
    world = stages.priced()
    where = client.prices_address(PRICED)
    close = client.close_prices(PRICED, FIRST)
    end = (PRICED + 2) * HOUR
    for at, error in ((end - 1, "PricesStillOpen"), (end, None)):
        world.chain.warp_to(at)
        before, rent = world.account(FIRST).lamports, world.account(where).lamports
        assert refused(world, client.close_prices(PRICED, SECOND)) == "NotRentPayer"
        assert refused(world, close) == error
    assert world.account(FIRST).lamports == before + rent
    assert world.chain.get(where) is None
    # It comes back by no vote: its window is over.
    assert refused(world, client.vote_prices(FIRST, PRICED, b"r" * 32)) == "PriceWindow"


def test_an_hour_far_ahead_has_no_table() -> None:
    """Nobody fills hours to come, or the last one that there is."""
    world = begun()
    for hour in (world.chain.now() // HOUR, world.chain.now() // HOUR + 1, 2**32 - 1, 0):
        assert refused(world, client.vote_prices(FIRST, hour, b"r" * 32)) == "PriceWindow"


def test_an_operator_who_is_out_has_no_vote_left() -> None:
    """Prices carry their votes over a change of the list as blocks and slashes do."""
    world = begun()
    for name in ("carol", "bob"):
        world.person(name)
    terms = client.Params((FIRST, address("carol"), address("bob")), 2)
    do(world, client.propose_params(ADMIN, terms))
    world.chain.advance(7 * DAY)
    hour = world.chain.now() // HOUR - 1
    root = steps_tree(hour).root
    do(world, client.vote_prices(THIRD, hour, root))
    do(world, client.apply_params(), client.vote_prices(address("carol"), hour, root))
    assert not rows(world, hour).agreed
    assert votes(world, hour) == {address("carol"): root}
    do(world, client.vote_prices(FIRST, hour, root))
    assert rows(world, hour).agreed


def votes(world: World, hour: int) -> dict[Pubkey, bytes]:
    config = client.parse_config(world.account(client.CONFIG).data)
    pairs = zip(config.params.operators, rows(world, hour).votes, strict=False)
    return {operator: vote for operator, vote in pairs if any(vote)}

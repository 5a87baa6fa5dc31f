"""Attacks on classes: what an admin's key, stolen, can't do at once, and what the guardian can still drop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.clients import staking as client
from keeper.economy.classes import MAX_PRICE, Bounds, ClassPrices
from keeper.economy.orders import Currency
from keeper.economy.supply import IO
from tests.model.state import U64
from tests.programs.staking.world import PRICES
from tests.programs.world import DAY, HOUR, START, World
from tests.security.outcomes import refused
from tests.security.people import address, do
from tests.security.staking import stages
from tests.security.staking.slashing import ADMIN, ALICE, GUARDIAN, MALLORY
from tests.security.staking.stages import APPLE, BOUNDS, GPU, device, lease_device

NEW = 9
NOTICE = 7 * DAY
NAME = "H100"


def class_(world: World, number: int) -> client.Class:
    return client.parse_class(world.account(client.class_address(number)).data)


def price(world: World, number: int, currency: Currency = Currency.IO) -> int:
    return class_(world, number).price(currency, world.chain.now()).amount


def announced(multiplier: int = 50_000, prices: ClassPrices = PRICES) -> World:
    """The admin has just added a class."""
    world = stages.initialized()
    do(world, client.add_class(ADMIN, NEW, NAME, multiplier, 0, 0, prices))
    return world


def staked(world: World) -> client.Device:
    """Alice's device of the new class, staked as it must be while the multiplier is what it is."""
    terms = {"processors": 1, "tier": 4, "country": "CH", "ask_io": IO}
    do(world, client.register_device(ALICE, address("worker"), ALICE, NEW, **terms))
    one = device(world, "worker")
    do(world, client.stake(one, one.minimum(class_(world, NEW), world.chain.now())))
    return one


# -- a new class ---------------------------------------------------------------------------------


def test_a_new_class_earns_nothing_and_is_not_leased_before_its_notice() -> None:
    """The fault: a class of any multiplier was in force in the same second, and nobody could drop it."""
    world = announced()
    start = world.chain.now()
    found = class_(world, NEW)
    assert (found.multiplier, found.pending_multiplier) == (0, 50_000)
    assert found.pending_at == found.opens_at == start + NOTICE
    one = staked(world)
    for at, multiplier in ((start, 0), (start + NOTICE - 1, 0), (start + NOTICE, 50_000)):
        world.chain.warp_to(at)
        assert class_(world, NEW).multiplier_at(at) == multiplier
        assert class_(world, NEW).is_open(at) == (multiplier > 0)
        assert refused(world, lease_device(one)) == ("StakeInsufficient" if multiplier else "ClassNotOpen")


def test_a_modest_class_is_leased_from_its_first_second() -> None:
    world = announced(100)
    one = staked(world)
    world.chain.advance(NOTICE - 1)
    assert refused(world, lease_device(one)) == "ClassNotOpen"
    world.chain.advance(1)
    do(world, lease_device(one))


def test_a_class_that_the_guardian_drops_never_opens() -> None:
    world = announced()
    one = staked(world)
    world.chain.advance(NOTICE - 1)
    do(world, client.cancel_class(GUARDIAN, NEW))
    found = class_(world, NEW)
    assert (found.multiplier, found.pending_multiplier, found.pending_at, found.opens_at) == (0, 0, 0, U64)
    world.chain.advance(1_000 * DAY)
    assert refused(world, lease_device(one)) == "ClassNotOpen"
    # Nor is there another way to give it a multiplier or other prices.
    assert refused(world, client.change_class(ADMIN, NEW, 1)) == "ClassNotOpen"
    assert refused(world, client.change_bounds(ADMIN, NEW, BOUNDS)) == "ClassNotOpen"
    assert refused(world, client.cancel_class(GUARDIAN, NEW)) == "NothingProposed"
    again = client.add_class(ADMIN, NEW, NAME, 1, 0, 0, PRICES)
    assert refused(world, again) == "System.AccountAlreadyInUse"
    # Who staked on it gets all of it back.
    before = world.balance(ALICE)
    do(world, client.unstake(one))
    world.chain.advance(14 * DAY)
    do(world, client.withdraw(one))
    assert world.balance(ALICE) - before == 200 * IO


def test_a_multiplier_proposed_again_waits_again() -> None:
    """No second change brings the first one forward, and the class doesn't open later for it."""
    world = announced(100)
    opens_at = class_(world, NEW).opens_at
    world.chain.advance(NOTICE - 1)
    do(world, client.change_class(ADMIN, NEW, 50_000))
    found = class_(world, NEW)
    assert (found.multiplier, found.pending_at) == (0, world.chain.now() + NOTICE)
    assert found.opens_at == opens_at
    world.chain.advance(NOTICE - 1)
    assert class_(world, NEW).multiplier_at(world.chain.now()) == 0


def test_opening_is_no_way_past_the_veto() -> None:
    """A class that is open is there to stay; what is announced of it later can still be dropped."""
    world = announced(100)
    world.chain.advance(NOTICE)
    assert refused(world, client.cancel_class(GUARDIAN, NEW)) == "NothingProposed"
    do(world, client.change_class(ADMIN, NEW, 50_000))
    do(world, client.change_bounds(ADMIN, NEW, BOUNDS))
    world.chain.advance(NOTICE - 1)
    do(world, client.cancel_class(GUARDIAN, NEW))
    world.chain.advance(NOTICE)
    found = class_(world, NEW)
    assert (found.multiplier_at(world.chain.now()), found.is_open(world.chain.now())) == (100, True)
    assert found.price(Currency.IO, world.chain.now()).high == PRICES.high_io
    assert refused(world, client.cancel_class(GUARDIAN, NEW)) == "NothingProposed"


def test_the_guardian_drops_what_waits_and_nothing_else() -> None:
    """One change holds already, the other not yet: only that one goes."""
    world = announced(100)
    world.chain.advance(NOTICE)
    do(world, client.change_class(ADMIN, NEW, 150))
    world.chain.advance(DAY)
    do(world, client.change_bounds(ADMIN, NEW, BOUNDS))
    world.chain.advance(NOTICE - DAY)
    do(world, client.cancel_class(GUARDIAN, NEW))
    found = class_(world, NEW)
    assert (found.multiplier_at(world.chain.now()), found.bounds_at) == (150, 0)
    assert found.next_bounds == Bounds()


def test_only_the_guardian_drops_only_the_admin_changes() -> None:
    world = announced()
    for name in ("admin", "mallory", "operator 0"):
        assert refused(world, client.cancel_class(address(name), NEW)) == "NotGuardian"
    for name in ("guardian", "mallory", "operator 0"):
        assert refused(world, client.change_bounds(address(name), NEW, BOUNDS)) == "NotAdmin"


BAD = [
    {"price_io": PRICES.high_io + 1},
    {"price_io": 0},
    {"low_io": 0},
    {"price_usdc": PRICES.low_usdc - 1},
    {"low_usdc": PRICES.price_usdc + 1},
    {"high_usdc": MAX_PRICE + 1},
    {"high_io": U64},
    {"price_io": 0, "low_io": 0},
    {"price_io": 0, "high_io": 0},
]


@pytest.mark.parametrize("changed", BAD)
def test_prices_that_can_not_be(changed: dict[str, int]) -> None:
    world = stages.stage("initialized")
    prices = replace(PRICES, **changed)
    assert not prices.are_valid
    call = client.add_class(ADMIN, NEW, NAME, 100, 0, 0, prices)
    assert refused(world, call) == "PricesInvalid"


@pytest.mark.parametrize(
    "prices",
    [
        ClassPrices(),
        ClassPrices(1, 1, 1),
        ClassPrices(0, 0, 0, MAX_PRICE, MAX_PRICE, MAX_PRICE),
        ClassPrices(1, 1, MAX_PRICE, MAX_PRICE, 1, MAX_PRICE),
    ],
)
def test_prices_at_their_bounds(prices: ClassPrices) -> None:
    assert prices.are_valid
    world = announced(100, prices)
    found = class_(world, NEW)
    assert (found.price_io, found.price_usdc) == (prices.price_io, prices.price_usdc)


# -- other bounds --------------------------------------------------------------------------------


def test_other_bounds_take_their_notice() -> None:
    """Until then nothing of them shows; from that second on the price is within them."""
    world = stages.initialized()
    low = Bounds(3 * IO, 4 * IO, 1, PRICES.high_usdc)
    do(world, client.change_bounds(ADMIN, GPU, low))
    world.chain.advance(NOTICE - 1)
    assert price(world, GPU) == PRICES.price_io == 2 * IO
    world.chain.advance(1)
    assert refused(world, client.cancel_class(GUARDIAN, GPU)) == "NothingProposed"
    assert price(world, GPU) == 3 * IO
    assert price(world, GPU, Currency.USDC) == PRICES.price_usdc
    found = class_(world, GPU).price(Currency.IO, world.chain.now())
    assert (found.low, found.high) == (3 * IO, 4 * IO)


def test_bounds_proposed_again_wait_again_and_those_in_force_stay() -> None:
    world = stages.initialized()
    first, second = Bounds(3 * IO, 4 * IO, 1, 10**9), Bounds(1, IO, 1, 10**9)
    do(world, client.change_bounds(ADMIN, GPU, first))
    world.chain.advance(NOTICE - 1)
    do(world, client.change_bounds(ADMIN, GPU, second))
    world.chain.advance(1)
    assert price(world, GPU) == 2 * IO, "the first ones were replaced before they held"
    world.chain.advance(NOTICE - 1)
    assert price(world, GPU) == IO
    do(world, client.change_bounds(ADMIN, GPU, first))
    assert (class_(world, GPU).price_io, class_(world, GPU).bounds) == (IO, second)
    assert price(world, GPU) == IO


def test_a_currency_ends_and_begins_by_its_bounds() -> None:
    """It begins at its lowest price, and with the same notice as every other change."""
    world = stages.initialized()
    do(world, client.change_bounds(ADMIN, GPU, Bounds(1, 10 * IO, 0, 0)))
    world.chain.advance(NOTICE)
    assert price(world, GPU, Currency.USDC) == 0
    do(world, client.change_bounds(ADMIN, GPU, Bounds(1, 10 * IO, 7, 70)))
    assert price(world, GPU, Currency.USDC) == 0
    world.chain.advance(NOTICE)
    assert price(world, GPU, Currency.USDC) == 7
    assert price(world, GPU) == 2 * IO


@pytest.mark.parametrize(
    "bounds",
    [Bounds(2, 1, 1, 1), Bounds(0, 1, 1, 1), Bounds(1, 1, 1, 0), Bounds(1, MAX_PRICE + 1, 1, 1)],
)
def test_bounds_that_can_not_be(bounds: Bounds) -> None:
    world = stages.stage("initialized")
    assert refused(world, client.change_bounds(ADMIN, GPU, bounds)) == "PricesInvalid"


def test_bounds_and_a_step_that_hold_from_the_same_second() -> None:
    """The step comes first, and what it makes of the price is brought within the new bounds."""
    world = stages.initialized()
    holds = START + 8 * DAY
    world.chain.warp_to(holds - NOTICE)
    do(world, client.change_bounds(ADMIN, GPU, Bounds(3 * IO, 4 * IO, 1, 10**9)))
    world.chain.warp_to(holds - HOUR)
    do(world, stages.apply_price(GPU, stages.vote_prices(world)))
    world.chain.warp_to(holds - 1)
    assert price(world, GPU) == 2 * IO
    world.chain.warp_to(holds)
    assert price(world, GPU) == 3 * IO, "not 3 IO and an eighth"
    # As the program has it, too, when it writes it down.
    do(world, stages.apply_price(GPU, stages.vote_prices(world)))
    assert class_(world, GPU).price_io == 3 * IO
    assert price(world, GPU, Currency.USDC) == PRICES.price_usdc * (10_000 - 333) // 10_000


def test_a_guardian_who_is_replaced_drops_nothing() -> None:
    world = announced()
    do(world, client.propose_guardian(ADMIN, MALLORY))
    world.chain.advance(NOTICE)
    do(world, client.accept_guardian(MALLORY), client.change_class(ADMIN, NEW, 1))
    assert refused(world, client.cancel_class(GUARDIAN, NEW)) == "NotGuardian"
    do(world, client.cancel_class(MALLORY, NEW))


def test_other_classes_are_left_alone() -> None:
    world = announced()
    before = [class_(world, number) for number in (GPU, APPLE)]
    do(world, client.cancel_class(GUARDIAN, NEW))
    assert [class_(world, number) for number in (GPU, APPLE)] == before

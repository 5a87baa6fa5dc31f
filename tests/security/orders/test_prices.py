"""Attacks on what a lease costs: the network's price, whatever a device asks and a renter would pay.

``BEFORE`` is what an attack gained on the programs of before, as it was measured there.
"""

from __future__ import annotations

import pytest

from keeper.clients import orders as client
from keeper.clients import staking
from keeper.economy.classes import ClassPrices
from keeper.economy.supply import IO
from tests.programs.world import DAY, HOUR, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    ASK_IO,
    ASK_USDC,
    EXCLUSIVE,
    FREE,
    PLACE,
    RATE,
    RUNNING,
    TERMS,
    USDC,
    create,
    device,
    fee,
    lease,
    match,
    moved,
    open_order,
    order,
    settle,
    take,
)
from tests.security.orders.test_squatting import change
from tests.security.outcomes import refused
from tests.security.people import address, do
from tests.security.staking.stages import GPU, apply_price, vote_prices

GAIN_BEFORE = 399 * IO
"""For an hour worth 8 IO: the ask was the renter's highest price for the length of one transaction."""
DEAR = 100 * IO
"""A renter's highest price, fifty times the network's."""


def alone(world: World, worker: str = RUNNING, **wish: object) -> int:
    """What a supplier gets for an hour of its device, matched by itself, base units of IO."""
    do(world, create(devices=1, hours=1, price=DEAR, **wish))
    world.chain.advance(EXCLUSIVE)
    do(world, *take(world, worker))
    world.chain.advance(3 * HOUR)
    return moved(world, settle(world, worker))["alice"]


def test_a_flash_ask_is_refused_and_would_change_nothing() -> None:
    world = stages.ready()
    do(world, create(devices=1, hours=1, price=DEAR))
    world.chain.advance(EXCLUSIVE)
    flash = (change(world, RUNNING, ask_io=DEAR), *take(world, RUNNING), change(world, RUNNING))
    assert refused(world, *flash) == "TermsTooYoung"
    lower = (change(world, RUNNING, ask_io=ASK_IO - 1), *take(world, RUNNING), change(world, RUNNING))
    assert refused(world, *lower) == "TermsTooYoung"


def test_an_hour_earns_what_the_network_says() -> None:
    earned = alone(stages.ready())
    assert earned == RATE - fee(RATE) < GAIN_BEFORE // 49


@pytest.mark.parametrize("ask", [1, ASK_IO // 2, ASK_IO])
def test_an_ask_at_or_below_the_price_changes_nothing(ask: int) -> None:
    world = stages.ready()
    do(world, change(world, RUNNING, ask_io=ask))
    world.chain.advance(1)
    assert alone(world) == RATE - fee(RATE)


@pytest.mark.parametrize("ask", [ASK_IO + 1, DEAR, 2**64 - 1])
def test_who_lies_in_wait_with_a_high_ask_is_never_leased(ask: int) -> None:
    world = stages.ready()
    do(world, change(world, FREE, ask_io=ask))
    world.chain.advance(1)
    open_order(world, price=DEAR, devices=1, hours=1)
    for call in (match(world, FREE), match(world, FREE, matcher=stages.OPERATORS[1])):
        assert refused(world, call) == "AskTooHigh"
    world.chain.advance(EXCLUSIVE)
    assert refused(world, *take(world, FREE)) == "AskTooHigh"


def test_a_device_that_asks_nothing_is_not_for_lease() -> None:
    world = stages.ready()
    do(world, change(world, FREE, ask_io=0))
    world.chain.advance(1)
    open_order(world)
    assert refused(world, match(world, FREE)) == "NotLet"
    open_order(world, "mallory", terms=stages.IN_USDC)
    do(world, match(world, FREE, "mallory"))


@pytest.mark.parametrize(("price", "error"), [(ASK_IO - 1, "PriceTooHigh"), (ASK_IO, None)])
def test_a_renters_highest_price_says_yes_or_no(price: int, error: str | None) -> None:
    """Nothing else: what is set apart is what the network's price makes of it."""
    world = stages.ready()
    open_order(world, price=price)
    assert refused(world, match(world, FREE)) == error
    if error is None:
        assert lease(world, FREE).rate == RATE


@pytest.mark.parametrize("price", [ASK_IO, 3 * IO, DEAR])
def test_a_match_sets_apart_what_the_lease_costs_and_no_more(price: int) -> None:
    """The rest of the place is the renter's at once, whether or not the worker accepts."""
    world = stages.ready()
    opened = open_order(world, price=price, devices=1)
    do(world, match(world, FREE))
    found, whole = order(world), 10 * RATE + fee(10 * RATE)
    assert (found.held, found.free) == (whole, opened.deposit - whole)
    back = moved(world, stages.refund(world)) if found.free else {"carol": 0}
    assert back["carol"] == opened.deposit - whole


def test_places_that_open_again_are_matched_from_what_is_left() -> None:
    """What was given back meanwhile is not there any more: at the same price there is enough all the same."""
    world = stages.opened()
    do(world, match(world, FREE))
    surplus = PLACE - 10 * RATE - fee(10 * RATE)
    assert moved(world, stages.refund(world)) == {"vault": -surplus, "carol": surplus}
    do(world, stages.end(world, "alice", FREE))
    assert refused(world, stages.refund(world)) == "NothingToRefund", "all of it is for places"
    for worker in (RUNNING, stages.WAITING, stages.OTHER_RUNNING):
        do(world, match(world, worker))
    found = order(world)
    assert (found.open, found.held) == (0, 3 * (10 * RATE + fee(10 * RATE)))


@pytest.mark.parametrize(("urgency", "bps"), [(0, 25), (1, 125), (2, 325)], ids=["ordinary", "soon", "now"])
def test_urgency_is_a_fee_and_no_price(urgency: int, bps: int) -> None:
    """It is burned with the other fee: paid to suppliers, refusing what isn't urgent would pay."""
    world = stages.ready()
    opened = open_order(world, devices=1, hours=1, urgency=urgency)
    whole = TERMS.price * 4
    assert (opened.renter_fee_bps, opened.deposit) == (bps, whole + fee(whole, bps))
    do(world, match(world, RUNNING))
    do(world, stages.accept(world, RUNNING))
    world.chain.advance(3 * HOUR)
    changes = moved(world, settle(world))
    assert changes["alice"] == RATE - fee(RATE)
    assert changes["fees"] == fee(RATE) + fee(RATE, bps)


def test_urgency_in_usdc_adds_to_the_other_fees() -> None:
    world = stages.ready()
    opened = open_order(world, "mallory", terms=stages.IN_USDC, urgency=2, devices=1)
    assert opened.renter_fee_bps == 25 + 200 + 300
    assert opened.deposit == 120 * USDC + fee(120 * USDC, 525)


# -- prices that move, and prices that nobody renews ---------------------------------------------

RISEN = ASK_IO * 9 // 8
"""An hour's highest step up: 12.5 %."""


def announced(world: World) -> int:
    """The first second of the next hour but one, from which on a step that is announced now holds."""
    world.chain.warp_to((world.chain.now() // HOUR + 1) * HOUR)
    hour = vote_prices(world)
    do(world, apply_price(GPU, hour))
    return (hour + 2) * HOUR


def test_a_step_holds_from_its_second_on_and_never_earlier() -> None:
    """A lease costs what holds when it is matched, for all of its time."""
    for before in (1, 0):
        world = stages.ready()
        holds = announced(world)
        world.chain.warp_to(holds - before - stages.MINUTE)
        open_order(world)
        do(world, match(world, RUNNING))
        world.chain.advance(HOUR)
        assert lease(world).rate == 4 * (ASK_IO if before else RISEN)


def test_a_quote_is_exact_for_an_orders_whole_time() -> None:
    """A step is announced 20 minutes before it holds at least, and no order is matched for longer.

    Who looks at the price and at what is announced can't be surprised.
    """
    constants = staking.PROGRAM.constants
    assert constants["PRICE_NOTICE"] == stages.WINDOW == client.PROGRAM.constants["MAX_MATCH_WINDOW"]


def test_a_renter_whose_limit_the_price_has_passed_pays_nothing() -> None:
    world = stages.ready()
    holds = announced(world)
    world.chain.warp_to(holds - stages.MINUTE)
    opened = open_order(world, price=ASK_IO)
    assert refused(world, match(world, FREE)) == "PriceTooHigh"
    world.chain.warp_to(opened.match_until)
    assert moved(world, stages.close(world))["carol"] == opened.deposit


def test_a_place_that_opens_again_is_not_matched_for_more_than_is_left() -> None:
    """What was above the first price went back meanwhile; the price rose. Honest renters wait or cancel."""
    world = stages.ready()
    holds = announced(world)
    world.chain.warp_to(holds - 2 * stages.MINUTE)
    open_order(world, devices=1)
    do(world, match(world, RUNNING))
    do(world, stages.accept(world, RUNNING), stages.refund(world))
    world.chain.warp_to(holds)
    do(world, stages.end(world, "alice"))
    assert refused(world, match(world, FREE)) == "NotFunded"
    world.chain.warp_to(order(world).match_until)
    do(world, client.close_lease(lease(world)))
    assert moved(world, stages.close(world))["carol"] == stages.WHOLE


def stale(world: World) -> int:
    """The first second in which the last price binds nobody any more."""
    return announced(world) + staking.PROGRAM.constants["STALE"]


@pytest.mark.parametrize("ask", [1, ASK_IO, 5 * IO])
def test_a_price_that_nobody_renews_binds_for_a_day(ask: int) -> None:
    """To the second. From then on a lease costs the ask, if the renter pays that, without operators."""
    for before in (1, 0):
        world = stages.ready()
        do(world, change(world, FREE, ask_io=ask))
        # The supplier's own way: there is nobody else.
        until = stale(world)
        world.chain.warp_to(until - before - EXCLUSIVE)
        do(world, create(price=6 * IO))
        world.chain.advance(EXCLUSIVE)
        if before and ask > RISEN:
            assert refused(world, *take(world, FREE)) == "AskTooHigh"
            continue
        do(world, *take(world, FREE))
        assert lease(world, FREE).rate == 4 * (RISEN if before else ask)


def test_a_stale_asks_bounds_are_the_classs_and_the_renters() -> None:
    world = stages.ready()
    do(world, change(world, FREE, ask_io=4 * IO), change(world, RUNNING, ask_io=2**64 - 1))
    world.chain.warp_to(stale(world))
    open_order(world, price=4 * IO - 1, hours=1)
    assert refused(world, match(world, FREE)) == "PriceTooHigh"
    assert refused(world, match(world, RUNNING)) == "AskOutOfBounds"
    open_order(world, number=2, price=4 * IO, hours=1)
    do(world, match(world, FREE, number=2))


def test_a_stale_price_is_no_chance_for_a_flash_ask() -> None:
    """Terms are older than the order all the same."""
    world = stages.ready()
    world.chain.warp_to(stale(world))
    do(world, create(price=6 * IO))
    world.chain.advance(EXCLUSIVE)
    flash = (change(world, RUNNING, ask_io=6 * IO), *take(world, RUNNING), change(world, RUNNING))
    assert refused(world, *flash) == "TermsTooYoung"


def test_a_price_that_was_never_voted_is_never_stale() -> None:
    world = stages.ready()
    world.chain.advance(1_000 * DAY)
    open_order(world)
    do(world, match(world, FREE))
    assert lease(world, FREE).rate == RATE


def test_a_class_without_a_price_in_a_currency_is_not_leased_in_it() -> None:
    world = stages.ready()
    prices = ClassPrices(ASK_IO, 1, 10 * IO)
    do(world, staking.add_class(address("admin"), 7, "io alone", 100, 0, 0, prices))
    world.chain.advance(7 * DAY)
    alice, worker = address("alice"), address("new worker")
    terms = {"processors": 4, "tier": 4, "country": "CH", "ask_io": 1, "ask_usdc": 1}
    do(world, staking.register_device(alice, worker, alice, 7, **terms))
    do(world, staking.stake(device(world, "new worker"), 800 * IO))
    world.chain.advance(1)
    open_order(world, "mallory", terms=stages.IN_USDC, classes=(7,))
    assert refused(world, match(world, "new worker", "mallory")) == "NotPriced"
    open_order(world, classes=(7,))
    do(world, match(world, "new worker"))


def test_each_currency_has_its_own_price() -> None:
    world = stages.opened()
    do(world, match(world, FREE, "mallory"))
    assert lease(world, FREE, "mallory").rate == 4 * ASK_USDC

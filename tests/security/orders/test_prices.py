"""Attacks on what a lease costs: the network's price, whatever a device asks and a renter would pay.

``BEFORE`` is what an attack gained on the programs of before, as it was measured there.
"""

from __future__ import annotations

import pytest

from keeper.clients import staking
from keeper.economy.orders import Currency
from keeper.economy.supply import IO
from tests.programs.world import HOUR, World
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
    config,
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


# -- stale prices --------------------------------------------------------------------------------


def test_a_price_that_was_never_voted_is_never_stale() -> None:
    world = stages.ready()
    world.chain.advance(1_000 * 24 * HOUR)
    open_order(world)
    do(world, match(world, FREE))
    assert lease(world, FREE).rate == RATE


def test_each_currency_has_its_own_price() -> None:
    world = stages.opened()
    do(world, match(world, FREE, "mallory"))
    assert lease(world, FREE, "mallory").rate == 4 * ASK_USDC
    assert config(world).mint(Currency.USDC) == stages.USDC_MINT
    assert staking.parse_class(world.account(staking.class_address(1)).data).price_usdc == ASK_USDC
    assert address("alice") == device(world, FREE).supplier

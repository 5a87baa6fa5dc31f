"""Which devices the program takes for an order, at the network's price, and who may match them when."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.clients import orders, staking
from keeper.clients.staking import Class, Device
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.classes import STALE, Bounds, holds_from
from keeper.economy.orders import (
    FIRST,
    MAX_HOURS,
    REACH,
    TICK,
    TURN,
    Currency,
    Urgency,
    fee,
)
from keeper.economy.staking import CoStake
from keeper.market.matching import (
    SUPPLIERS_TICK,
    Turn,
    lease_to_be,
    price,
    satisfies,
    suppliers_from,
    turn_for,
    waits_for,
)
from tests.keeper.market.test_leases import NOW, ORDER, RENTER
from tests.programs.orders.world import IO, OrdersWorld
from tests.programs.world import finish, key

PRICE = 2 * IO


def priced(number: int, amount: int = PRICE, **changed: object) -> Class:
    """A class at a price in IO, half of it in USDC's units, that moves between one and a thousand."""
    found = Class(
        id=number,
        multiplier=125,
        pending_multiplier=0,
        pending_at=0,
        pool=0,
        kind=0,
        name=f"class {number}",
        price_io=amount,
        price_usdc=amount // 2,
        bounds=Bounds(1, 1_000 * IO, 1, 1_000 * IO),
        next_bounds=Bounds(),
        bounds_at=0,
        opens_at=0,
        next_io=0,
        next_usdc=0,
        price_hour=0,
    )
    return replace(found, **changed)  # type: ignore[arg-type]  # the tests' own keywords


CLASSES = {1: priced(1), 2: priced(2)}
NO_STAKE = CoStake(staking.NOBODY, 0, 0, 0, 0)
OPEN = replace(
    ORDER, open=2, leases=0, taken=0, served=0, filled_at=0, match_until=NOW + 1, free=2 * ORDER.place
)
TOGETHER = replace(OPEN, terms=replace(OPEN.terms, min_devices=2))
"""A gang of two."""


def device(name: str, ask: int = PRICE, **changed: object) -> Device:
    found = Device(
        terminated=False,
        slash_pending=False,
        device_class=1,
        processors=4,
        tier=4,
        country="CH",
        worker=key(name).pubkey(),
        supplier=key("supplier").pubkey(),
        payout=key("supplier").pubkey(),
        ask_io=ask,
        ask_usdc=ask // 2,
        own=1_000 * IO,
        own_cooling=0,
        own_until=0,
        offer=0,
        offer_reward_bps=0,
        co=NO_STAKE,
        leaving=NO_STAKE,
        sufficient_since=1,
        registered_at=1,
        lease=staking.NOBODY,
        hired_seconds=0,
        leases_done=0,
        leases_failed=0,
        disputes=0,
        frozen_until=0,
        changed_at=OPEN.created_at - 1,
        barred_until=0,
        leases=0,
        served_at_strike=0,
        last_order=staking.NOBODY,
        last_order_at=0,
        strikes=0,
        worker_may_end=False,
    )
    return replace(found, **changed)  # type: ignore[arg-type]  # the tests' own keywords


def fit(order: orders.Order, *devices: Device, classes=CLASSES) -> list[Pubkey]:
    """The workers of those devices that the program takes for the order."""
    return [each.worker for each in devices if satisfies(order, each, classes, NOW)]


# -- price -------------------------------------------------------------------------------------


@given(st.integers(1, PRICE))
def test_whatever_a_device_asks_it_gets_the_networks_price(ask):
    assert price(OPEN, device("a", ask), CLASSES[1], NOW) == PRICE
    usdc = replace(OPEN, terms=replace(OPEN.terms, currency=Currency.USDC))
    assert price(usdc, device("a", ask_usdc=-(-ask // 2)), CLASSES[1], NOW) == PRICE // 2


def test_urgency_changes_no_price():
    """The golden figures: it is paid for by a fee."""
    for row in json.loads((Path(__file__).parents[2] / "vectors/market_rule.json").read_text())["urgent"]:
        order = replace(OPEN, terms=replace(OPEN.terms, urgency=Urgency(row["urgency"])))
        assert price(order, device("a", 1), priced(1, row["price"]), NOW) == row["pays"]


@pytest.mark.parametrize(
    ("ask", "amount"),
    [(0, PRICE), (PRICE + 1, PRICE), (PRICE, 3 * IO + 1), (1, 0)],
    ids=["not for lease", "asks more", "above the renter's limit", "not leased in this currency"],
)
def test_who_gets_nothing(ask, amount):
    assert price(OPEN, device("a", ask), priced(1, amount), NOW) == 0


def test_an_announced_step_holds_from_its_time_on():
    hour = NOW // HOUR - 1
    moving = priced(1, price_hour=hour, next_io=1_000)
    assert price(OPEN, device("a"), moving, holds_from(hour) - 1) == PRICE
    assert price(OPEN, device("a"), moving, holds_from(hour)) == PRICE * 11 // 10


def test_a_price_that_nobody_renews_binds_no_more():
    """Then it is the ask, within the class's bounds and the renter's limit."""
    hour = (NOW - STALE) // HOUR - 2
    stale = priced(1, price_hour=hour, bounds=Bounds(IO, 4 * IO, 1, 1))
    asks = {IO - 1: 0, IO: IO, 3 * IO: 3 * IO, 3 * IO + 1: 0}
    for ask, paid in asks.items():
        assert price(OPEN, device("a", ask), stale, holds_from(hour) + STALE) == paid
    assert price(OPEN, device("a", 3 * IO), stale, holds_from(hour) + STALE - 1) == 0


# -- which devices -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"device_class": 2},
        {"device_class": 9},
        {"processors": 3},
        {"tier": 0},
        {"ask_io": 0},
        {"ask_io": PRICE + 1},
        {"payout": RENTER},
        {"supplier": RENTER},
        {"worker": RENTER},
        {"terminated": True},
        {"slash_pending": True},
        {"lease": RENTER},
        {"own": 1_000 * IO - 1},
        {"changed_at": OPEN.created_at},
        {"barred_until": NOW + 1},
        {"last_order": OPEN.address, "last_order_at": OPEN.created_at},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_does_not_satisfy_the_order(changed):
    good = device("good")
    assert fit(OPEN, good, replace(device("bad"), **changed)) == [good.worker]


def test_an_order_is_another_where_one_was_closed():
    served = device("good", last_order=OPEN.address, last_order_at=OPEN.created_at - 1)
    assert fit(OPEN, served) == [served.worker]


def test_a_bar_that_is_over_and_a_class_that_is_not_open_yet():
    barred = device("good", barred_until=NOW)
    assert fit(OPEN, barred) == [barred.worker]
    assert fit(OPEN, barred, classes={1: priced(1, opens_at=NOW + 1)}) == []
    assert fit(OPEN, barred, classes={1: priced(1, opens_at=NOW)}) == [barred.worker]


# -- gangs -------------------------------------------------------------------------------------


def test_a_gang_waits_for_all_that_it_needs_and_still_lacks():
    assert waits_for(TOGETHER, NOW) == 2
    assert waits_for(OPEN, NOW) == 1
    begun = replace(TOGETHER, open=1, leases=1, taken=1, gang_until=NOW + 300)
    assert waits_for(begun, NOW) == 1
    assert waits_for(replace(begun, open=2, taken=0), NOW) == 2
    assert waits_for(replace(begun, filled_at=NOW, taken=0), NOW) == 1, "then each is of use alone"


def test_nobody_is_brought_to_a_gang_when_half_of_its_time_is_over():
    begun = replace(TOGETHER, open=1, leases=1, taken=1, gang_until=NOW + 299)
    assert waits_for(begun, NOW) > orders.MAX_DEVICES


# -- who matches -------------------------------------------------------------------------------

OPERATORS = [key(f"operator {number}").pubkey() for number in range(3)]
TICK_OF = (NOW // TICK) + 1
YOUNG = replace(OPEN, created_at=TICK_OF * TICK - 1)
"""Opened in the last second before a tick."""


def test_turns_go_round_from_tick_to_tick():
    for ahead in range(6):
        order = replace(YOUNG, created_at=YOUNG.created_at + ahead * TICK)
        tick = TICK_OF + ahead
        for place in range(3):
            operator = OPERATORS[(tick + place) % 3]
            opens = tick * TICK + FIRST + TURN * place
            first = Turn(tick, opens, tick * TICK + REACH)
            for now in (order.created_at, opens - 1, opens):
                assert turn_for(order, OPERATORS, operator, now) == first


def test_the_newest_turn_is_taken():
    only = OPERATORS[:1]
    opens = TICK_OF * TICK + FIRST
    for later in range(5):
        found = turn_for(YOUNG, only, only[0], opens + later * TICK)
        assert (found.tick, found.opens) == (TICK_OF + later, opens + later * TICK)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(0, 3 * REACH), st.data())
def test_whoever_has_a_turn_has_one_until_it_closes(count, after, data):
    operators = [key(f"operator {number}").pubkey() for number in range(count)]
    operator = operators[data.draw(st.integers(0, count - 1))]
    now = YOUNG.created_at + after
    found = turn_for(YOUNG, operators, operator, now)
    assert YOUNG.created_at < found.tick * TICK
    assert now <= found.closes
    assert found.opens <= now or found.tick == TICK_OF


def test_from_when_on_a_supplier_matches_its_own_device():
    assert suppliers_from(OPEN) == OPEN.exclusive_until
    assert suppliers_from(TOGETHER) is None
    colocated = replace(OPEN, terms=replace(OPEN.terms, colocated=True))
    assert suppliers_from(colocated) is None
    assert suppliers_from(replace(colocated, leases=1, country=b"CH")) == OPEN.exclusive_until


def test_until_when_a_lease_can_be_accepted():
    one, matcher = device("one"), OPERATORS[0]

    def until(order: orders.Order, tick: int) -> int:
        return lease_to_be(order, one, CLASSES[1], matcher, NOW, tick).accept_until

    assert until(OPEN, TICK_OF) == NOW + OPEN.accept_window
    assert until(OPEN, SUPPLIERS_TICK) == NOW + 1
    assert until(TOGETHER, TICK_OF) == NOW + OPEN.accept_window
    assert until(replace(TOGETHER, gang_until=NOW + 400), TICK_OF) == NOW + 400
    assert until(replace(TOGETHER, gang_until=NOW, filled_at=NOW), TICK_OF) == NOW + OPEN.accept_window


def test_what_a_lease_sets_apart_is_what_it_costs():
    found = lease_to_be(OPEN, device("one", 1, leases=6), CLASSES[1], OPERATORS[0], NOW, TICK_OF)
    assert (found.rate, found.number, found.registered_at) == (4 * PRICE, 7, 1)
    whole = 4 * PRICE * OPEN.terms.hours
    assert found.held == whole + fee(whole, OPEN.renter_fee_bps)
    assert OPEN.terms.hours < MAX_HOURS
    assert NOW - OPEN.created_at == DAY


# -- the program -------------------------------------------------------------------------------


def test_the_program_takes_what_fits_and_the_lease_is_as_expected():
    world = OrdersWorld.ready()
    renter, supplier = world.renter("renter"), world.supplier("supplier")
    for name, ask in (("one", 2 * IO), ("two", IO), ("three", 2 * IO + 1)):
        world.let(name, supplier, ask_io=ask)
    world.chain.advance(1)
    order = world.order(renter)
    devices, classes = (finish(read(world.chain)) for read in (staking.read_devices, staking.read_classes))
    found = {at for at, each in devices.items() if satisfies(order, each, classes, world.chain.now())}
    assert found == {staking.device_address(key(name).pubkey()) for name in ("one", "two")}
    keys = [each.pubkey() for each in world.operators]
    turn = turn_for(order, keys, keys[0], world.chain.now())
    world.chain.warp_to(turn.opens)
    for name in ("one", "two"):
        before = world.read_device(name)
        expected = lease_to_be(order, before, classes[1], keys[0], world.chain.now(), turn.tick)
        matched = orders.match_device(keys[0], order, before, turn.tick)
        world.do(matched, signers=[world.operators[0]])
        assert world.lease(order, name) == expected

"""Which devices an order gets: at the network's price, by record then address, together where asked."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations, combinations_with_replacement
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
    LeaseStatus,
    OrderStatus,
    Urgency,
    fee,
)
from keeper.economy.staking import CoStake
from keeper.market.matching import (
    SUPPLIERS_TICK,
    Turn,
    choose,
    lease_to_be,
    price,
    suppliers_from,
    turn_for,
    waits_for,
)
from tests.keeper.market.test_leases import NOW, ORDER, RENTER, lease
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


def chosen(order: orders.Order, *devices: Device, leases=(), classes=CLASSES) -> list[Pubkey]:
    by_address = {staking.device_address(each.worker): each for each in devices}
    workers = {address: each.worker for address, each in by_address.items()}
    there = {each.address: each for each in leases}
    return [workers[address] for address in choose(order, by_address, classes, NOW, there)]


def names(*which: str) -> list[Pubkey]:
    return [key(each).pubkey() for each in which]


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


# -- choosing ----------------------------------------------------------------------------------


def test_the_cheapest_class_first():
    both = replace(OPEN, terms=replace(OPEN.terms, classes=(1, 2)))
    classes = {1: priced(1, 2 * IO), 2: priced(2, IO)}
    offers = [device("a"), device("b", IO, device_class=2), device("c"), device("d", 1, device_class=2)]
    found = chosen(both, *offers, classes=classes)
    assert sorted(found, key=bytes) == sorted(names("b", "d"), key=bytes)


def test_ties_by_record_then_address_whatever_they_ask():
    failed, fresh, proven = (
        device("a", 1, leases_failed=1, leases_done=9),
        device("b", 1),
        device("c", leases_done=1),
    )
    assert chosen(OPEN, failed, fresh, proven) == names("c", "b")
    same = [device(name, ask) for name, ask in (("a", 1), ("b", 7), ("c", PRICE))]
    by_address = sorted(same, key=lambda each: bytes(staking.device_address(each.worker)))
    assert chosen(OPEN, *same) == [each.worker for each in by_address[:2]]


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
    assert chosen(OPEN, good, replace(device("bad"), **changed)) == [good.worker]


def test_an_order_is_another_where_one_was_closed():
    served = device("good", last_order=OPEN.address, last_order_at=OPEN.created_at - 1)
    assert chosen(OPEN, served) == [served.worker]


def test_a_bar_that_is_over_and_a_class_that_is_not_open_yet():
    barred = device("good", barred_until=NOW)
    assert chosen(OPEN, barred) == [barred.worker]
    assert chosen(OPEN, barred, classes={1: priced(1, opens_at=NOW + 1)}) == []
    assert chosen(OPEN, barred, classes={1: priced(1, opens_at=NOW)}) == [barred.worker]


def test_countries_leases_that_are_there_and_orders_that_take_none():
    here, there = device("here"), device("there", country="DE")
    swiss = replace(OPEN, terms=replace(OPEN.terms, countries=("CH",)))
    assert chosen(swiss, here, there) == [here.worker]
    waits = replace(lease(NOW), device=staking.device_address(here.worker))
    assert chosen(OPEN, here, there, leases=[waits]) == [there.worker]
    for done in ({"open": 0}, {"match_until": NOW}, {"status": OrderStatus.CANCELLED}):
        assert chosen(replace(OPEN, **done), here) == []


def test_no_more_than_the_orders_money_pays_for():
    """A place that opened again can have less than the highest price."""
    two = device("a"), device("b")
    cost = PRICE * 4 * OPEN.terms.hours
    cost += fee(cost, OPEN.renter_fee_bps)
    for free, count in ((2 * cost, 2), (2 * cost - 1, 1), (cost - 1, 0)):
        assert len(chosen(replace(OPEN, free=free), *two)) == count


def test_colocated_orders_take_one_country():
    order = replace(OPEN, terms=replace(OPEN.terms, colocated=True, classes=(1, 2)))
    classes = {1: priced(1, 2 * IO), 2: priced(2, 3 * IO)}
    dear = {"device_class": 2}
    alone = device("alone", country="JP")
    swiss = [device("s1", **dear), device("s2")]
    german = [device("g1", country="DE"), device("g2", country="DE")]
    assert chosen(order, alone, *swiss, classes=classes) == names("s2", "s1"), "all that are wanted"
    cheaper = chosen(order, alone, *swiss, *german, classes=classes)
    assert sorted(cheaper, key=bytes) == sorted(names("g1", "g2"), key=bytes), "and the least in sum"
    begun = replace(order, leases=1, open=1, country=b"JP")
    assert chosen(begun, alone, *swiss, *german, classes=classes) == names("alone")
    assert chosen(order, classes=classes) == []
    assert chosen(replace(order, free=0), *german, classes=classes) == []


DEAR = {number: priced(number, amount) for number, amount in ((1, 2 * IO), (2, 3 * IO), (3, IO))}
WHERE = [(country, number) for country in ("CH", "DE") for number in DEAR]
WORLDS = st.lists(
    st.tuples(
        st.sampled_from(["CH", "DE", "JP"]),
        st.sampled_from(list(DEAR)),
        st.integers(0, 1),
        st.integers(0, 1),
    ),
    max_size=7,
)
"""Devices: country, class, failed leases, leases that were done."""


TOGETHER_SOMEWHERE = replace(OPEN.terms, colocated=True, classes=tuple(DEAR))


def place(price: int) -> int:
    """What such an order pays for a device at a price, with the renter's fee."""
    whole = price * TOGETHER_SOMEWHERE.processors * TOGETHER_SOMEWHERE.hours
    return whole + fee(whole, OPEN.renter_fee_bps)


def place_in_queue(each: Device) -> tuple[int, int, int, bytes]:
    """By price, record and address."""
    address = bytes(staking.device_address(each.worker))
    return DEAR[each.device_class].price_io, each.leases_failed, -each.leases_done, address


@settings(deadline=None)
@given(WORLDS, st.integers(1, 4), st.integers(0, 12 * 40), st.sampled_from(["", "CH", "JP"]))
def test_the_country_of_a_colocated_order_by_trying_all(world, wanted, money, begun):
    """With all records, little money, and orders that have a country already."""
    # Money for some places of the lowest price, and a part of one.
    assert_the_best(world, wanted, place(IO) * money // 40, begun)


@pytest.mark.parametrize("wanted", [2, 3])
def test_a_dearer_country_never_wins(wanted):
    """All worlds of five devices in two countries, at three prices."""
    for world in combinations_with_replacement(WHERE, 5):
        assert_the_best([(*each, 0, 0) for each in world], wanted, 3 * place(3 * IO), "")


def assert_the_best(world, wanted, free, begun):
    """Of all sets of devices of one country: most of those wanted, then cheapest, then by the alphabet."""
    order = replace(OPEN, open=wanted, free=free, terms=TOGETHER_SOMEWHERE)
    if begun:
        order = replace(order, leases=1, country=begun.encode())
    offers = [
        device(f"d{n}", 1, country=country, device_class=of, leases_failed=failed, leases_done=done)
        for n, (country, of, failed, done) in enumerate(world)
    ]
    best: list[tuple[int, int, str, list[tuple[int, int, int, bytes]], list[Pubkey]]] = []
    for country in {each.country for each in offers} & ({begun} if begun else {"CH", "DE", "JP"}):
        there = sorted((each for each in offers if each.country == country), key=place_in_queue)
        for size in range(1, wanted + 1):
            for taken in combinations(there, size):
                prices = [DEAR[each.device_class].price_io for each in taken]
                if sum(map(place, prices)) <= free:
                    queue = [place_in_queue(each) for each in taken]
                    best.append((-size, sum(prices), country, queue, [each.worker for each in taken]))
    assert chosen(order, *offers, classes=DEAR) == (min(best)[-1] if best else [])


@given(st.permutations([("a", 2), ("b", 1), ("c", 2), ("d", 1), ("e", 0)]), st.integers(0, 4))
def test_the_order_of_the_accounts_does_not_matter(offers, wanted):
    order = replace(OPEN, open=wanted, free=wanted * ORDER.place)
    found = chosen(order, *[device(name, ask * IO) for name, ask in offers])
    usual = chosen(order, *[device(name, ask * IO) for name, ask in sorted(offers)])
    assert found == usual
    assert len(found) == wanted


# -- gangs -------------------------------------------------------------------------------------


def test_a_gang_is_taken_whole_or_not_at_all():
    assert chosen(TOGETHER, device("a")) == []
    assert len(chosen(TOGETHER, device("a"), device("b"))) == 2
    three = replace(TOGETHER, open=3, terms=replace(TOGETHER.terms, devices=3))
    assert len(chosen(three, device("a"), device("b"))) == 2, "so many are enough"
    assert chosen(replace(TOGETHER, free=ORDER.place), device("a"), device("b")) == [], "one is all it pays"


def test_a_gang_that_has_begun_takes_what_it_still_waits_for():
    accepted = replace(lease(NOW), status=LeaseStatus.ACCEPTED, start=0, stop=0)
    begun = replace(TOGETHER, open=1, leases=1, taken=1, gang_until=NOW + 300)
    assert chosen(begun, device("a"), leases=[accepted]) == names("a")
    ended = replace(accepted, status=LeaseStatus.ENDED)
    left = replace(begun, open=2, taken=0)
    assert waits_for(left, NOW) == 2
    assert chosen(left, device("a"), leases=[ended]) == []
    filled = replace(begun, filled_at=NOW)
    assert chosen(filled, device("a"), leases=[accepted]) == names("a"), "then each is of use alone"


def test_nobody_is_brought_to_a_gang_when_half_of_its_time_is_over():
    accepted = replace(lease(NOW), status=LeaseStatus.ACCEPTED, start=0, stop=0)
    begun = replace(TOGETHER, open=1, leases=1, taken=1, gang_until=NOW + 299)
    assert chosen(begun, device("a"), leases=[accepted]) == []
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


def test_the_program_takes_what_was_chosen_and_the_lease_is_as_expected():
    world = OrdersWorld.ready()
    renter, supplier = world.renter("renter"), world.supplier("supplier")
    for name, ask in (("one", 2 * IO), ("two", IO), ("three", 2 * IO + 1)):
        world.let(name, supplier, ask_io=ask)
    world.chain.advance(1)
    order = world.order(renter)
    devices, classes = (finish(read(world.chain)) for read in (staking.read_devices, staking.read_classes))
    found = choose(order, devices, classes, world.chain.now())
    wanted = [staking.device_address(key(name).pubkey()) for name in ("one", "two")]
    assert sorted(found, key=bytes) == sorted(wanted, key=bytes)
    keys = [each.pubkey() for each in world.operators]
    turn = turn_for(order, keys, keys[0], world.chain.now())
    world.chain.warp_to(turn.opens)
    for name in ("one", "two"):
        before = world.read_device(name)
        expected = lease_to_be(order, before, classes[1], keys[0], world.chain.now(), turn.tick)
        matched = orders.match_device(keys[0], order, before, turn.tick)
        world.do(matched, signers=[world.operators[0]])
        assert world.lease(order, name) == expected

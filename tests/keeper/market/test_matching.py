"""Which devices an order gets: cheapest first, ties by record then address, one country where asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.clients import orders, staking
from keeper.clients.staking import Class, Device
from keeper.economy.orders import Currency, OrderStatus
from keeper.economy.staking import CoStake
from keeper.market.matching import choose, lease_to_be
from tests.keeper.market.test_leases import NOW, ORDER, RENTER
from tests.programs.orders.world import IO, OrdersWorld
from tests.programs.world import finish, key

CLASSES = {1: Class(1, 125, 0, 0, 0, 0, "RTX 4090"), 2: Class(2, 100, 0, 0, 0, 0, "M4")}
NO_STAKE = CoStake(staking.NOBODY, 0, 0, 0, 0)
OPEN = replace(ORDER, open=2, leases=0, match_until=NOW + 1, free=2 * ORDER.place)


def device(name: str, ask: int = 2 * IO, **changed: object) -> Device:
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
    )
    return replace(found, **changed)  # type: ignore[arg-type]  # the tests' own keywords


def chosen(order: orders.Order, *devices: Device, leases=()) -> list[Pubkey]:
    by_address = {staking.device_address(each.worker): each for each in devices}
    workers = {address: each.worker for address, each in by_address.items()}
    return [workers[address] for address in choose(order, by_address, CLASSES, NOW, leases)]


def names(*which: str) -> list[Pubkey]:
    return [key(each).pubkey() for each in which]


def test_the_cheapest_first():
    offers = [device("a", 3 * IO), device("b", IO), device("c", 2 * IO)]
    assert chosen(OPEN, *offers) == names("b", "c")
    usdc = replace(OPEN, terms=replace(OPEN.terms, currency=Currency.USDC))
    assert chosen(usdc, *[replace(each, ask_usdc=each.ask_io) for each in offers]) == names("b", "c")


def test_ties_by_record_then_address():
    failed, fresh, proven = (
        device("a", leases_failed=1, leases_done=9),
        device("b"),
        device("c", leases_done=1),
    )
    assert chosen(OPEN, failed, fresh, proven) == names("c", "b")
    same = [device(name) for name in ("a", "b", "c")]
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
        {"ask_io": 3 * IO + 1},
        {"payout": RENTER},
        {"supplier": RENTER},
        {"worker": RENTER},
        {"terminated": True},
        {"slash_pending": True},
        {"lease": RENTER},
        {"own": 1_000 * IO - 1},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_does_not_satisfy_the_order(changed):
    good = device("good")
    assert chosen(OPEN, good, replace(device("bad"), **changed)) == [good.worker]


def test_countries_leases_that_are_there_and_orders_that_take_none():
    here, there = device("here"), device("there", country="DE")
    swiss = replace(OPEN, terms=replace(OPEN.terms, countries=("CH",)))
    assert chosen(swiss, here, there) == [here.worker]
    waits = orders.lease_address(OPEN.address, staking.device_address(here.worker))
    assert chosen(OPEN, here, there, leases={waits}) == [there.worker]
    for done in ({"open": 0}, {"match_until": NOW}, {"status": OrderStatus.CANCELLED}):
        assert chosen(replace(OPEN, **done), here) == []


def test_colocated_orders_take_one_country():
    order = replace(OPEN, terms=replace(OPEN.terms, colocated=True))
    cheap = device("cheap", IO, country="JP")
    swiss = [device("s1", 2 * IO), device("s2", 2 * IO)]
    german = [device("g1", IO, country="DE"), device("g2", 3 * IO - 1, country="DE")]
    assert chosen(order, cheap, *swiss, *german) == names("g1", "g2"), "all wanted, and the least in sum"
    assert sorted(chosen(order, cheap, *swiss), key=bytes) == sorted(names("s1", "s2"), key=bytes)
    begun = replace(order, leases=1, open=1, country=b"JP")
    assert chosen(begun, cheap, *swiss, *german) == names("cheap")
    assert chosen(order) == []


@given(st.permutations([("a", 2), ("b", 1), ("c", 2), ("d", 1), ("e", 3)]), st.integers(0, 5))
def test_the_order_of_the_accounts_does_not_matter(offers, wanted):
    order = replace(OPEN, open=wanted)
    found = chosen(order, *[device(name, price * IO) for name, price in offers])
    usual = chosen(order, *[device(name, price * IO) for name, price in sorted(offers)])
    assert found == usual
    assert len(found) == wanted


def test_the_program_takes_what_was_chosen_and_the_lease_is_as_expected():
    world = OrdersWorld.ready()
    renter, supplier = world.renter("renter"), world.supplier("supplier")
    for name, ask in (("one", 2 * IO), ("two", IO), ("three", 4 * IO)):
        world.let(name, supplier, ask_io=ask)
    order = world.order(renter)
    devices, classes = (finish(read(world.chain)) for read in (staking.read_devices, staking.read_classes))
    found = choose(order, devices, classes, world.chain.now())
    assert found == [staking.device_address(key(name).pubkey()) for name in ("two", "one")]
    matcher = world.operators[0].pubkey()
    for name in ("two", "one"):
        expected = lease_to_be(order, world.read_device(name), matcher, world.chain.now())
        assert world.match(order, name) == expected
